"""The life of a work unit, a roster, an enrolment and its money, and of what is asked to be changed in them."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

UNIT = Graph(
    name="work unit",
    initial="draft",
    states=(
        State("draft", _("草稿")),
        State("submitted", _("待办事处审核"), "todo"),
        State("approved", _("已登记"), "good"),
        State("returned", _("已退回修改"), "bad"),
        State("merged", _("已并入其他单位")),
    ),
    arrows=(
        Arrow("submit", _("提交登记"), ("draft",), "submitted", "unit.use", stamp="submitted_by"),
        Arrow("approve", _("通过登记"), ("submitted",), "approved", "units.approve"),
        Arrow("return", _("退回修改"), ("submitted",), "returned", "units.approve"),
        Arrow("resubmit", _("重新提交"), ("returned",), "submitted", "unit.use", stamp="submitted_by"),
        Arrow("found", _("分立登记"), ("draft",), "approved", "units.restructure"),
        Arrow("merge", _("并入其他单位"), ("approved",), "merged", "units.restructure"),
    ),
)

UNIT_CHANGE = Graph(
    name="change of a unit",
    initial="pending",
    states=(
        State("pending", _("待办事处审核"), "todo"),
        State("approved", _("已生效"), "good"),
        State("returned", _("已退回修改"), "bad"),
        State("withdrawn", _("已撤回")),
    ),
    arrows=(
        Arrow("approve", _("通过变更"), ("pending",), "approved", "units.approve", stamp="decided_by"),
        Arrow("move_office", _("通过变更"), ("pending",), "approved", "units.restructure", stamp="decided_by"),
        Arrow("return", _("退回变更"), ("pending",), "returned", "units.approve", stamp="decided_by"),
        Arrow("withdraw", _("撤回变更"), ("pending",), "withdrawn", "unit.use"),
    ),
)

AGENT_CHANGE = Graph(
    name="change of a unit's agent",
    initial="asked",
    states=(
        State("asked", _("等您上传盖章的申请表"), "todo"),
        State("submitted", _("待办事处审核"), "todo"),
        State("approved", _("已更换"), "good"),
        State("refused", _("未通过"), "bad"),
        State("withdrawn", _("已撤回")),
    ),
    arrows=(
        Arrow("hand_in", _("上传盖章的申请表"), ("asked",), "submitted", "units.take_over"),
        Arrow("approve", _("同意更换"), ("submitted",), "approved", "units.approve", not_by=("user",), stamp="decided_by"),
        Arrow("refuse", _("不同意更换"), ("submitted",), "refused", "units.approve", not_by=("user",), stamp="decided_by"),
        Arrow("withdraw", _("撤回申请"), ("asked", "submitted"), "withdrawn", "units.take_over"),
    ),
)

ROSTER = Graph(
    name="roster",
    initial="uploaded",
    states=(
        State("uploaded", _("等待核对")),
        State("checked", _("核对完成"), "todo"),
        State("committing", _("正在登记")),
        State("committed", _("已登记，待缴费"), "todo"),
        State("effective", _("保障已生效"), "good"),
        State("unreadable", _("无法读取"), "bad"),
        State("cancelled", _("已取消")),
        State("returned", _("办事处已退回"), "bad"),
        State("cancelled_unpaid", _("逾期未缴，已取消"), "bad"),
        State("void", _("已作废"), "bad"),
    ),
    arrows=(
        Arrow("check", _("核对名册"), ("uploaded",), "checked", "rosters.commit", then=("members.write_problems",)),
        Arrow("refuse", _("名册无法读取"), ("uploaded",), "unreadable", "rosters.commit"),
        # What was checked on an earlier day may not hold any more: window, ages, contributions.
        Arrow("recheck", _("重新核对"), ("checked",), "uploaded", "rosters.upload", then=("members.check_roster",)),
        Arrow("confirm", _("确认登记"), ("checked",), "committing", "rosters.commit", then=("members.commit_roster",)),
        Arrow(
            "commit", _("登记完成"), ("committing",), "committed", "rosters.commit",
            then=("members.tell_enrolled", "members.tell_lapsed", "members.end_sight_of_moved", "members.write_problems"),
        ),
        # Since the check everybody on it got cover elsewhere, or the period has no day left.
        Arrow("come_to_nothing", _("没有可以登记的人"), ("committing",), "cancelled", "rosters.commit"),
        Arrow("settle", _("互助费到齐"), ("committed",), "effective", "dues.move", then=("members.tell_in_force",)),
        Arrow("cancel", _("取消"), ("uploaded", "checked"), "cancelled", "rosters.upload"),
        Arrow("return", _("退回名册"), ("uploaded", "checked"), "returned", "rosters.return"),
        Arrow("reopen", _("退回到核对完成"), ("committing",), "checked", "rosters.return"),
        Arrow("cancel_unpaid", _("逾期未缴取消"), ("committed",), "cancelled_unpaid", "contributions.cancel_unpaid"),
        Arrow("void", _("整批作废"), ("committed", "effective"), "void", "voidings.release"),
    ),
)

# Rosters of which nothing came: the same file may be taken again.
ROSTER_GONE = ("cancelled", "returned", "unreadable", "void", "cancelled_unpaid")

RATIO_WAIVER = Graph(
    name="exception to the plan's ratio",
    initial="proposed",
    states=(
        State("proposed", _("待复核例外"), "todo"),
        State("allowed", _("已同意例外"), "good"),
        State("dropped", _("不予例外")),
    ),
    arrows=(
        Arrow("allow", _("同意例外"), ("proposed",), "allowed", "rosters.return", ("proposed_by",), "decided_by"),
        Arrow("drop", _("不予例外"), ("proposed",), "dropped", "rosters.return"),
    ),
)
RATIO_WAIVER_OPEN = ("proposed", "allowed")

PACK = Graph(
    name="certificate pack",
    initial="making",
    states=(
        State("making", _("正在生成")),
        State("ready", _("可以下载"), "good"),
        State("cancelled", _("已取消")),
        State("expired", _("已过期")),
    ),
    arrows=(
        Arrow("finish", _("凭证包生成完成"), ("making",), "ready", "certificates.pack"),
        Arrow("cancel", _("取消生成"), ("making",), "cancelled", "certificates.pack"),
        Arrow("expire", _("凭证包过期"), ("ready",), "expired", "certificates.pack"),
    ),
)

ENROLMENT = Graph(
    name="enrolment",
    initial="contribution_due",
    states=(
        State("contribution_due", _("待缴互助费"), "todo"),
        State("effective", _("已生效"), "good"),
        State("withdrawn", _("已撤回")),
        State("refused", _("未通过"), "bad"),
        State("cancelled_unpaid", _("逾期未缴，已取消"), "bad"),
        State("void", _("已作废"), "bad"),
    ),
    arrows=(
        Arrow("confirm", _("确认到账"), ("contribution_due",), "effective", "dues.move"),
        Arrow("withdraw", _("撤回"), ("contribution_due",), "withdrawn", "enrolments.withdraw"),
        Arrow("cancel_unpaid", _("逾期未缴取消"), ("contribution_due",), "cancelled_unpaid", "contributions.cancel_unpaid"),
        Arrow("refuse", _("不予参加"), ("contribution_due",), "refused", "enrolments.refuse"),
        Arrow("void", _("作废"), ("contribution_due", "effective"), "void", "voidings.release"),
        # Fewer shares or fewer days: the enrolment stays where it is.
        Arrow("reduce", _("超出的份数作废"), ("effective",), "effective", "voidings.release"),
        Arrow("reduce_unpaid", _("超出的份数作废"), ("contribution_due",), "contribution_due", "voidings.release"),
        Arrow("end", _("按条款提前终止"), ("effective",), "effective", "enrolments.end"),
        Arrow("end_unpaid", _("按条款提前终止"), ("contribution_due",), "contribution_due", "enrolments.end"),
    ),
)
# Cover that is live or may become so: within these states one person's cover in one program never overlaps.
LIVE = ("contribution_due", "effective")

DUE = Graph(
    name="contribution due",
    initial="open",
    states=(
        State("open", _("待缴"), "todo"),
        State("part_paid", _("部分到账"), "todo"),
        State("settled", _("已到账"), "good"),
        State("cancelled", _("已取消")),
    ),
    arrows=(
        # The state follows the figures; whoever moves them (matches, waives, voids) was asked for their right before.
        Arrow("pay_part", _("记入部分到账"), ("open", "part_paid"), "part_paid", "dues.move"),
        Arrow("settle", _("确认到账"), ("open", "part_paid"), "settled", "dues.move"),
        Arrow("reopen", _("撤销核销"), ("part_paid", "settled"), "open", "dues.move"),
        Arrow("cancel", _("取消"), ("open",), "cancelled", "enrolments.withdraw"),
        Arrow("waive", _("不再收取"), ("open", "part_paid"), "cancelled", "dues.move"),
    ),
)
# Debts for which money is still expected.
DUE_LIVE = ("open", "part_paid")

_REMITTANCE = ("unmatched", "part_matched", "over", "matched", "refunded")
REMITTANCE = Graph(
    name="remittance",
    initial="unmatched",
    states=(
        State("unmatched", _("待核销"), "todo"),
        State("part_matched", _("部分核销"), "todo"),
        State("over", _("有多缴余款"), "todo"),
        State("matched", _("已核销"), "good"),
        State("refunded", _("余款已退"), "good"),
        State("reversed", _("登记有误，已冲销"), "bad"),
    ),
    arrows=(
        # The state follows the figures (what is matched, what goes back); whoever moves them was asked for their right before.
        Arrow("match_part", _("核销一部分"), _REMITTANCE, "part_matched", "remittances.move"),
        Arrow("match", _("核销"), _REMITTANCE, "matched", "remittances.move"),
        Arrow("leave_over", _("登记余款"), _REMITTANCE, "over", "remittances.move"),
        Arrow("refund", _("余款退回"), _REMITTANCE, "refunded", "remittances.move"),
        Arrow("unmatch", _("恢复待核销"), _REMITTANCE, "unmatched", "remittances.move"),
        Arrow("reverse", _("冲销来款"), ("unmatched",), "reversed", "contributions.correct"),
    ),
)
# Remittances of which something is still to be matched or sent back.
REMITTANCE_OPEN = ("unmatched", "part_matched", "over")

REMITTANCE_CORRECTION = Graph(
    name="correction of a remittance",
    initial="proposed",
    states=(
        State("proposed", _("待复核更正"), "todo"),
        State("done", _("已更正"), "good"),
        State("dropped", _("不予更正")),
    ),
    arrows=(
        Arrow("release", _("复核来款更正"), ("proposed",), "done", "contributions.correct", ("proposed_by",), "released_by"),
        Arrow("drop", _("不予更正"), ("proposed",), "dropped", "contributions.correct"),
    ),
)

REFUND = Graph(
    name="refund",
    initial="proposed",
    states=(
        State("proposed", _("待复核放款"), "todo"),
        State("released", _("已放款，待银行付出"), "todo"),
        State("paid", _("已退款"), "good"),
        State("dropped", _("不予退款")),
        State("failed", _("被银行退回"), "bad"),
    ),
    arrows=(
        Arrow("release", _("复核退款"), ("proposed",), "released", "refunds.release", ("proposed_by",), "released_by", proof=True),
        Arrow("drop", _("不予退款"), ("proposed",), "dropped", "refunds.release"),
        Arrow("mark_paid", _("登记已退款"), ("released",), "paid", "contributions.confirm"),
        Arrow("mark_failed", _("登记银行退回"), ("released", "paid"), "failed", "contributions.confirm"),
    ),
)

STATEMENT = Graph(
    name="bank statement",
    initial="uploaded",
    states=(
        State("uploaded", _("正在读取")),
        State("read", _("待确认导入"), "todo"),
        State("taking", _("正在导入")),
        State("taken", _("已导入"), "good"),
        State("unreadable", _("无法读取"), "bad"),
        State("cancelled", _("已取消")),
    ),
    arrows=(
        Arrow("read", _("读取流水"), ("uploaded",), "read", "contributions.confirm"),
        Arrow("refuse", _("流水无法读取"), ("uploaded",), "unreadable", "contributions.confirm"),
        Arrow("confirm", _("确认导入"), ("read",), "taking", "contributions.confirm", then=("members.take_statement",)),
        Arrow("take", _("导入完成"), ("taking",), "taken", "contributions.confirm", then=("books.reconcile_statement",)),
        Arrow("cancel", _("取消导入"), ("uploaded", "read"), "cancelled", "contributions.confirm"),
    ),
)

CORRECTION = Graph(
    name="correction",
    initial="asked",
    states=(
        State("asked", _("待办事处核对"), "todo"),
        State("approved", _("已更正"), "good"),
        State("returned", _("未更正，已退回"), "bad"),
        State("withdrawn", _("已撤回")),
    ),
    arrows=(
        Arrow("approve", _("同意更正"), ("asked",), "approved", "corrections.decide", ("asked_by",), "decided_by"),
        Arrow("return", _("退回更正"), ("asked",), "returned", "corrections.decide", ("asked_by",), "decided_by"),
        Arrow("withdraw", _("撤回更正"), ("asked",), "withdrawn", "corrections.ask"),
    ),
)

DEPARTURE = Graph(
    name="departure",
    initial="asked",
    states=(
        State("asked", _("等新单位接收"), "todo"),
        State("done", _("已办理"), "good"),
        State("declined", _("新单位没有接收"), "bad"),
        State("withdrawn", _("已撤回")),
    ),
    arrows=(
        Arrow("settle", _("办理人员变动"), ("asked",), "done", "people.change", stamp="decided_by"),
        Arrow("accept", _("接收职工"), ("asked",), "done", "people.accept", stamp="decided_by"),
        Arrow("decline", _("不接收职工"), ("asked",), "declined", "people.accept", stamp="decided_by"),
        Arrow("withdraw", _("撤回人员变动"), ("asked",), "withdrawn", "people.change"),
    ),
)

VOIDING = Graph(
    name="voiding",
    initial="proposed",
    states=(
        State("proposed", _("待复核作废"), "todo"),
        State("done", _("已作废"), "good"),
        State("dropped", _("不予作废")),
    ),
    arrows=(
        Arrow("release", _("复核作废"), ("proposed",), "done", "voidings.release", ("proposed_by",), "released_by"),
        # Nothing has been paid: the one who proposes it may do it.
        Arrow("settle", _("作废"), ("proposed",), "done", "voidings.release", stamp="released_by"),
        Arrow("drop", _("不予作废"), ("proposed",), "dropped", "voidings.propose"),
    ),
)
