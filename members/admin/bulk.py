"""How this room's bulk work looks at the desk."""

from django.utils.translation import gettext_lazy as _

from members.models import Roster, WorkUnit
from unionaid.lib.money import format_yuan
from unionaid.workflow.bulk_pages import Shown, page_of


def _told_of_unit(unit: WorkUnit) -> str:
    return str(_("{code}，职工 {count} 人").format(code=unit.credit_code, count=unit.headcount))


def _told_of_roster(roster: Roster) -> str:
    words = _("{unit}，{plan}，{count} 人，{amount} 元")
    plan, amount = str(roster.terms), format_yuan(roster.total_fen)
    return str(words.format(unit=roster.unit.name, plan=plan, count=roster.good_count, amount=amount))


approve_units = page_of(
    "approve_units",
    Shown(
        WorkUnit, "admin:unit",
        _("列出的是等待审核的单位登记。请先打开看过，再勾选；办理时逐个通过，不合条件的会留给您单独办理。"), _told_of_unit,
    ),
)  # fmt: skip
return_rosters = page_of(
    "return_rosters",
    Shown(
        Roster, "admin:roster",
        _("列出的是核对完成、单位还没有确认的名册。退回后没有登记任何人，单位经办人会看到原因。"), _told_of_roster,
    ),
)  # fmt: skip
settle_rosters = page_of(
    "settle_rosters",
    Shown(
        Roster, "admin:roster",
        _("列出的是有来款写着附言的名册。只核销附言和金额都对上的；对不上的会留下，请在“核销来款”里逐笔办理。"), _told_of_roster,
    ),
)  # fmt: skip
