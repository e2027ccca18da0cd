"""Reading units, rosters and what they owe, for their agents. Everything stays inside the open scope."""

from collections.abc import Iterable

from django.db.models import QuerySet

from members.models import ContributionDue, Member, Roster, RosterRow, WorkUnit
from members.services.people import Masked, masked_numbers
from members.transitions import DUE_LIVE
from programs.models import Terms
from programs.selectors import joinable_terms
from unionaid.lib.calendar import today
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import Job
from unionaid.workflow.selectors import history_of, jobs_by_key

WORKING = {"uploaded": "members.check_roster", "committing": "members.commit_roster"}


def my_units() -> list[WorkUnit]:
    """The agent's units with the offices responsible for them."""
    return list(WorkUnit.objects.select_related("office").order_by("name"))


def my_unit(pk: int) -> WorkUnit | None:
    """One of the agent's units, or None."""
    return WorkUnit.objects.select_related("office").filter(pk=pk).first()


def my_rosters() -> list[Roster]:
    """The latest rosters of the agent's units."""
    return list(Roster.objects.select_related("terms__program", "unit").order_by("-id")[:50])


def my_roster(pk: int) -> Roster | None:
    """One roster of the agent's units, or None."""
    return Roster.objects.select_related("terms__program", "unit__office").filter(pk=pk).first()


def rows_of(roster: Roster, *, only_bad: bool) -> QuerySet[RosterRow]:
    """The roster's lines as staged; only those with a problem when asked."""
    rows = RosterRow.objects.filter(roster=roster).order_by("row_number")
    return rows.filter(outcome="bad") if only_bad else rows


def work_on(roster: Roster) -> Job | None:
    """The job that works on this roster now, when one does."""
    kind = WORKING.get(roster.state)
    key = f"{kind}:{roster.pk}"
    return jobs_by_key([key]).get(key) if kind else None


def open_dues() -> list[ContributionDue]:
    """What the agent's units still owe."""
    rows = ContributionDue.objects.filter(state__in=DUE_LIVE).select_related("unit__office", "roster__terms__program")
    return list(rows.order_by("id")[:100])


def plans_of(unit: WorkUnit) -> list[Terms]:
    """The plans this unit may enrol its people in now."""
    return joinable_terms(on=today(), office=unit.office)


def people() -> QuerySet[Member]:
    """Everyone whom the agent's units have enrolled."""
    return Member.objects.order_by("name", "id")


def numbers_of(members: Iterable[Member]) -> list[tuple[Member, Masked | None]]:
    """Each person with masked numbers. One statement."""
    found = list(members)
    masked = masked_numbers([member.pk for member in found])
    return [(member, masked.get(member.pk)) for member in found]


def words_of_return(unit: WorkUnit) -> str:
    """What the office said when it sent the registration back. The trail is the office's; only this sentence is the agent's."""
    with everywhere(reason="what the office said to the agent"):
        act = history_of(unit).filter(action="return").order_by("-id").first()
    return act.note if act else ""
