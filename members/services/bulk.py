"""What the office does with many of this room's things together (批量办理): units taken in, rosters given back, rosters settled."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import ContributionDue, Remittance, Roster, WorkUnit
from members.selectors.contributions import candidates_for, own_reference, suggest
from members.services import contributions, units
from members.services.contributions import Pair
from members.services.roster_returns import give_back
from members.transitions import DUE_LIVE, REMITTANCE_OPEN
from unionaid.workflow.bulk import BulkRefused, Work, bulk_work, one_by_one, theirs_to
from unionaid.workflow.jobs import Run

PART = 20  # things of one transaction


def _submitted_units() -> QuerySet[WorkUnit]:
    return WorkUnit.objects.filter(state="submitted").select_related("office")


def _waiting_rosters() -> QuerySet[Roster]:
    return Roster.objects.filter(state="checked").select_related("unit", "terms__program")


def _paid_rosters() -> QuerySet[Roster]:
    """Rosters for whose debts money has come in that names them."""
    there = Remittance.objects.filter(
        office=OuterRef("office"), state__in=REMITTANCE_OPEN, left_fen__gt=0, named__contains=own_reference()
    )
    owed = ContributionDue.objects.filter(Exists(there), roster=OuterRef("pk"), state__in=DUE_LIVE)
    return Roster.objects.filter(Exists(owed), state="committed").select_related("unit", "terms__program")


def _named(roster: Roster) -> str:
    """Many a unit calls its file the same."""
    return f"{roster.file_name} · {roster.unit.name}"


def _settle(roster: Roster, run: Run) -> None:
    """Match what is sure (remark and amount agree) to every debt of the roster; refused when some debt is left open."""
    dues = list(ContributionDue.objects.filter(roster=roster, state__in=DUE_LIVE).select_related("unit", "member"))
    money = {one.pk: one for due in dues for one in candidates_for(due)}
    keys = {due.pk for due in dues}
    sure = [one for ones in suggest(list(money.values())).values() for one in ones if one.sure and one.due.pk in keys]
    if {one.due.pk for one in sure} != keys:
        raise BulkRefused(_("附言和金额没有都对上，请在“核销来款”里逐笔办理。"))
    contributions.match([Pair(one.remittance.pk, one.due.pk, one.amount_fen) for one in sure], by=run.by, on=run.on)


_UNITS = theirs_to("units.approve", _submitted_units)
_RETURNS = theirs_to("rosters.return", _waiting_rosters)
_PAID = theirs_to("contributions.confirm", _paid_rosters)

bulk_work(
    "approve_units",
    Work(
        gettext_lazy("批量通过单位登记"), "units.approve", _UNITS,
        one_by_one(_UNITS, lambda unit, _work, run: units.approve_unit(unit, by=run.by)), PART,
    ),
)  # fmt: skip
bulk_work(
    "return_rosters",
    Work(
        gettext_lazy("批量退回名册"), "rosters.return", _RETURNS,
        one_by_one(_RETURNS, lambda roster, work, run: give_back(roster, by=run.by, note=work.note)), PART, says_why=True,
        named=_named,
    ),
)  # fmt: skip
bulk_work(
    "settle_rosters",
    Work(
        gettext_lazy("批量核销名册的互助费"), "contributions.confirm", _PAID,
        one_by_one(_PAID, lambda roster, _work, run: _settle(roster, run)), PART, named=_named,
    ),
)  # fmt: skip
