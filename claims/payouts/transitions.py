"""The life of a payout batch and of its lines, of what is owed back, and of an asking to be erased."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

# Up to here nothing has left: the batch can be taken back, and its lines can still be void.
BEFORE_RELEASE = ("assembling", "assembled", "sent_back", "checked")

BATCH = Graph(
    name="payout batch",
    initial="assembling",
    states=(
        State("assembling", _("正在编制")),
        State("assembled", _("已编制，待复核"), "todo"),
        State("sent_back", _("复核退回，待编制人处理"), "todo"),
        State("checked", _("已复核，待放款"), "todo"),
        State("releasing", _("正在放款")),
        State("released", _("已放款，待银行回盘"), "todo"),
        State("booked", _("回盘已记账"), "good"),
        State("cancelled", _("已取消")),
    ),
    arrows=(
        Arrow("finish_assembly", _("编制完成"), ("assembling",), "assembled", "payouts.assemble"),
        Arrow("check", _("复核无误"), ("assembled",), "checked", "payouts.check", ("assembled_by",), "checked_by"),
        Arrow("send_back", _("退回编制人"), ("assembled", "checked"), "sent_back", "payouts.check", ("assembled_by",)),
        Arrow("hand_in_again", _("处理后再交复核"), ("sent_back",), "assembled", "payouts.assemble"),
        Arrow(
            "release",
            _("放款"),
            ("checked",),
            "releasing",
            "payouts.release",
            ("assembled_by", "checked_by"),
            "released_by",
            ("payouts.release",),
            proof=True,
        ),
        Arrow("finish_release", _("放款完成"), ("releasing",), "released", "payouts.release"),
        Arrow("stop_release", _("放款没有办成，仍待放款"), ("releasing",), "checked", "payouts.stop"),
        Arrow("book", _("记入回盘"), ("released",), "booked", "payouts.book"),
        Arrow("cancel", _("取消批次"), BEFORE_RELEASE, "cancelled", "payouts.cancel"),
    ),
)

LINE = Graph(
    name="payout line",
    initial="open",
    states=(
        State("open", _("待付款")),
        State("succeeded", _("已到账"), "good"),
        State("failed", _("被退回"), "bad"),
        State("void", _("已取消")),
    ),
    arrows=(
        Arrow("succeed", _("确认到账"), ("open",), "succeeded", "payouts.book"),
        Arrow("fail", _("退回"), ("open",), "failed", "payouts.book"),
        Arrow("bounce", _("到账后又被退回"), ("succeeded",), "failed", "payouts.book"),
        Arrow("void", _("取消"), ("open",), "void", "payouts.cancel"),
    ),
)

RECOVERY = Graph(
    name="recovery",
    initial="open",
    states=(
        State("open", _("待退回"), "todo"),
        State("write_off_proposed", _("已申请核销，待批准"), "todo"),
        State("settled", _("已退清"), "good"),
        State("written_off", _("剩余部分已核销")),
    ),
    arrows=(
        Arrow("settle", _("退清"), ("open",), "settled", "recoveries.book"),
        Arrow("reopen", _("撤销退回款的登记"), ("settled",), "open", "recoveries.book"),
        # What was kept back of a claim that is not paid after all has paid nothing back, whatever was decided of the rest meanwhile.
        Arrow(
            "owe_again",
            _("抵还的申领停付，仍要退回"),
            ("settled", "write_off_proposed", "written_off"),
            "open",
            "recoveries.book",
        ),
        Arrow(
            "propose_write_off", _("申请核销"), ("open",), "write_off_proposed", "recoveries.propose", stamp="write_off_proposed_by"
        ),
        Arrow("keep", _("不同意核销"), ("write_off_proposed",), "open", "recoveries.write_off", ("write_off_proposed_by",)),
        Arrow(
            "write_off",
            _("批准核销"),
            ("write_off_proposed",),
            "written_off",
            "recoveries.write_off",
            ("write_off_proposed_by", "decided_by"),
            "written_off_by",
            proof=True,
        ),
    ),
)

ERASURE = Graph(
    name="erasure of a person",
    initial="asked",
    states=(
        State("asked", _("待另一人复核"), "todo"),
        State("done", _("已删除"), "good"),
        State("dropped", _("没有删除")),
    ),
    arrows=(
        Arrow("erase", _("删除个人信息"), ("asked",), "done", "erasures.carry_out", ("asked_by",), "done_by", proof=True),
        Arrow("drop", _("不删除"), ("asked",), "dropped", "erasures.ask"),
    ),
)
