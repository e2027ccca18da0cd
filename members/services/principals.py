"""Contributions that are a principal (到期退还本金): when cover is over they are no income any more and may go back to their payer.

The day after the last day of cover the debt is lowered by them and the money stands with the remittance again; from there it goes
back like every refund, proposed by one person and released by another.
"""

from datetime import date

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import ContributionDue, Enrolment, Match, Member
from members.services.agents import agents_on
from members.services.contributions import lock_covers, write_off
from programs.rules.fees import principal_payer
from programs.selectors import schedule_of
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.notices import tell

AT_ONCE = 2000


def find(on: date) -> None:
    """Write a job for every joining some of whose principal is still held though the cover is over."""
    over = _over(on)
    joinings = Q(roster__in=over.exclude(roster=None).values("roster")) | Q(enrolment__in=over.filter(roster=None).values("pk"))
    kind, first = "members.free_principal", dict[tuple[int | None, int | None], ContributionDue]()
    for due in ContributionDue.objects.filter(joinings, state="settled").order_by("pk")[:AT_ONCE]:
        first.setdefault((due.roster_id, due.enrolment_id), due)
    enqueue(kind, [(due.pk, f"{kind}:{due.pk}:{on}", due) for due in first.values()], by=SYSTEM)


def _over(on: date) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(state="effective", refundable=True, principal_back_on__isnull=True, cover__endswith__lte=on)


@transaction.atomic
def free(due_id: int, *, on: date) -> None:
    """Let the principal of one joining go whose cover is over. A second run finds nothing left to do."""
    lock_covers([due_id])
    one = ContributionDue.objects.select_related("roster__terms__program", "enrolment__terms__program").get(pk=due_id)
    joining = {"roster_id": one.roster_id} if one.roster_id else {"enrolment_id": one.enrolment_id}
    covers = _over(on).filter(**({"roster_id": one.roster_id} if one.roster_id else {"pk": one.enrolment_id}))
    fen = covers.aggregate(fen=Sum("contribution_fen", default=0))["fen"]
    if not fen:
        return
    people = [] if one.roster_id else list(covers.values_list("holder_id", flat=True))
    covers.update(principal_back_on=on)
    terms = one.roster.terms if one.roster else one.enrolment.terms  # type: ignore[union-attr]
    siblings = ContributionDue.objects.filter(**joining).select_related("unit").order_by("pk")
    default = "unit" if one.roster_id else ContributionDue.Payer.PERSON.value
    paid = siblings.filter(payer=principal_payer(schedule_of(terms)) or default).first() or siblings[0]
    write_off(paid, fen, reason=Match.Undone.TERM_OVER, by=SYSTEM, on=on, note=_("保障到期，退还本金"))
    _tell(paid, people, terms.program.title, fen, on=on)


def _tell(due: ContributionDue, people: list[int], program: str, fen: int, *, on: date) -> None:
    """Whoever paid it: the person, or the agents of the unit that did."""
    link = "/my/"
    if due.unit:
        link, users = "/unit/", [agent.user_id for agent in agents_on(due.unit, on=on)]
        people = list(Member.objects.filter(user_id__in=users).values_list("pk", flat=True))
    title = gettext_lazy("保障到期，本金可以退还")
    text = gettext_lazy("“{program}”的保障已经到期，缴的本金共 {amount} 元，由办事处退回缴费方，不用申请。")
    values = {"program": program, "amount": format_yuan(fen)}
    tell(people, office_id=due.office_id, title=title, text=text, link=link, values=values)
