"""What is not paid in time (逾期未缴): those concerned are reminded before the last day, and after it the joining is cancelled.

What the bank booked by the last day counts, however late its statement comes in: the joining is cancelled only some days later, and
not while money that arrived in time and names the debt is still to be matched. What was paid waits with its remittance for a refund.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import ContributionDue, Enrolment, Member, Remittance
from members.selectors.contributions import own_reference
from members.services.agents import agents_on
from members.services.contributions import lock_covers, write_off
from members.transitions import DUE_LIVE, REMITTANCE_OPEN
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import move, record
from unionaid.workflow.notices import tell

REMIND_BEFORE = 7  # days before the last day to pay; the house's own figure, from no plan's terms
STATEMENTS_IN = 7  # days that the bank's statements may take to come in; the house's own figure
AT_ONCE = 2000


def find_unpaid(on: date) -> None:
    """Write a job for every joining whose last day to pay is near, and one for every joining that nobody paid for in time."""
    near = _live().filter(pay_by__gte=on, pay_by__lte=on + timedelta(days=REMIND_BEFORE), reminded_on__isnull=True)
    _enqueue("members.remind_unpaid", near)
    _enqueue("members.cancel_unpaid", _overdue(on))


def _live() -> Any:
    return ContributionDue.objects.filter(state__in=DUE_LIVE).order_by("pk")


def _overdue(on: date) -> Any:
    """Debts whose last day is over long enough, and for which no money that came in time waits to be matched."""
    there = Remittance.objects.filter(
        office=OuterRef("office"), state__in=REMITTANCE_OPEN, left_fen__gt=0, received_on__lte=OuterRef("pay_by"),
        named__contains=own_reference(),
    )
    return _live().filter(~Exists(there), pay_by__lt=on - timedelta(days=STATEMENTS_IN))


def _enqueue(kind: str, dues: Any) -> None:
    """One job for each joining, however many payers it has."""
    first: dict[tuple[int | None, int | None], ContributionDue] = {}
    for due in dues[:AT_ONCE]:
        first.setdefault((due.roster_id, due.enrolment_id), due)
    enqueue(kind, [(due.pk, f"{kind}:{due.pk}", due) for due in first.values()], by=SYSTEM)


@transaction.atomic
def remind(due_id: int, *, on: date) -> None:
    """Tell those concerned that the last day to pay is near. A second run does nothing."""
    due = _held(due_id)
    if due.reminded_on or due.state not in DUE_LIVE:
        return
    _siblings(due).filter(state__in=DUE_LIVE).update(reminded_on=on)
    record([due], "remind_unpaid", by=SYSTEM)
    text = gettext_lazy("“{program}”的互助费请在 {day}（含当天）前缴清。到期没有缴清的，参加会被取消，没有保障。已经缴了的，不用再缴。")
    _tell(due, _covers(due), gettext_lazy("互助费快到缴费期限了"), text, on=on)


@transaction.atomic
def cancel(due_id: int, *, on: date) -> None:
    """Nobody paid all of it in time: the joining is cancelled, nothing is owed any more, and what was paid in part can go back. A
    second run does nothing, nor one after money that came in time turned up."""
    due = _held(due_id)
    if not _overdue(on).filter(pk=due.pk).exists():
        return
    covers, note = list(_covers(due)), _("过了缴费期限没有缴清互助费")
    move([due.roster] if due.roster else [], "cancel_unpaid", by=SYSTEM, note=note)
    move(covers, "cancel_unpaid", by=SYSTEM, note=note)
    for one in _siblings(due).filter(state__in=[*DUE_LIVE, "settled"]).order_by("pk"):
        if left := one.amount_fen - one.waived_fen:
            write_off(one, left, reason="refused", by=SYSTEM, on=on, note=note)
    text = gettext_lazy(
        "“{program}”的互助费到 {day} 没有缴清，这次参加已取消，没有保障。已缴的部分由办事处退回缴费方。想参加的，在参加期内可以重新办理。"
    )
    _tell(due, covers, gettext_lazy("互助费逾期未缴，参加已取消"), text, on=on)


def _held(due_id: int) -> ContributionDue:
    """The debt, with its roster or enrolment held until the end of the transaction."""
    lock_covers([due_id])
    return ContributionDue.objects.select_related("roster__terms__program", "enrolment__terms__program").get(pk=due_id)


def _siblings(due: ContributionDue) -> Any:
    """All that is owed for the same joining."""
    own = {"roster_id": due.roster_id} if due.roster_id else {"enrolment_id": due.enrolment_id}
    return ContributionDue.objects.filter(**own)


def _covers(due: ContributionDue) -> Any:
    own = {"roster_id": due.roster_id} if due.roster_id else {"pk": due.enrolment_id}
    return Enrolment.objects.filter(**own, state="contribution_due").order_by("pk")


def _tell(due: ContributionDue, covers: Iterable[Enrolment], title: Promise, text: Promise, *, on: date) -> None:
    """The people who joined, and the agents of the unit that owes for them."""
    joining: Any = due.roster or due.enrolment
    people = {cover.holder_id for cover in covers}
    values = {"program": joining.terms.program.title, "day": due.pay_by}
    if unit := next((one.unit for one in _siblings(due).select_related("unit") if one.unit), None):
        users = [agent.user_id for agent in agents_on(unit, on=on)]
        agents = set(Member.objects.filter(user_id__in=users).values_list("pk", flat=True)) - people
        tell(agents, office_id=due.office_id, title=title, text=text, link="/unit/", values=values)
    tell(people, office_id=due.office_id, title=title, text=text, link="/my/", values=values)
