"""The life of a work unit, of a roster and of an enrolment."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

UNIT = Graph(
    name="work unit",
    initial="submitted",
    states=(
        State("submitted", _("待办事处审核"), "todo"),
        State("approved", _("已登记"), "good"),
        State("returned", _("已退回修改"), "bad"),
    ),
    arrows=(
        Arrow("approve", _("通过登记"), ("submitted",), "approved", "units.approve"),
        Arrow("return", _("退回修改"), ("submitted",), "returned", "units.approve"),
        Arrow("resubmit", _("重新提交"), ("returned",), "submitted", "rosters.upload"),
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
        State("effective", _("已缴费，保障已生效"), "good"),
        State("unreadable", _("无法读取"), "bad"),
        State("cancelled", _("已取消")),
    ),
    arrows=(
        Arrow("check", _("核对名册"), ("uploaded",), "checked", "rosters.commit"),
        Arrow("refuse", _("名册无法读取"), ("uploaded",), "unreadable", "rosters.commit"),
        Arrow("confirm", _("确认登记"), ("checked",), "committing", "rosters.commit", then=("members.commit_roster",)),
        Arrow("commit", _("登记完成"), ("committing",), "committed", "rosters.commit"),
        Arrow("settle", _("互助费到齐"), ("committed",), "effective", "contributions.confirm"),
        Arrow("cancel", _("取消"), ("uploaded", "checked"), "cancelled", "rosters.upload"),
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
        State("void", _("已作废"), "bad"),
    ),
    arrows=(
        Arrow("confirm", _("确认到账"), ("contribution_due",), "effective", "contributions.confirm"),
        Arrow("withdraw", _("撤回"), ("contribution_due",), "withdrawn", "enrolments.withdraw"),
        Arrow("refuse", _("不予参加"), ("contribution_due",), "refused", "enrolments.refuse"),
    ),
)
# Cover that is live or may become so: within these states one person's cover in one program never overlaps.
LIVE = ("contribution_due", "effective")

DUE = Graph(
    name="contribution due",
    initial="open",
    states=(
        State("open", _("待缴"), "todo"),
        State("settled", _("已到账"), "good"),
        State("cancelled", _("已取消")),
    ),
    arrows=(
        Arrow("settle", _("确认到账"), ("open",), "settled", "contributions.confirm"),
        Arrow("cancel", _("取消"), ("open",), "cancelled", "enrolments.withdraw"),
    ),
)
