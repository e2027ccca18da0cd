"""Reading units, rosters and what they owe, for their agents. Everything stays inside the open scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import ContributionDue, Enrolment, Lapse, Member, Roster, RosterRow, WorkUnit
from members.services.people import Masked, masked_numbers
from members.transitions import DUE_LIVE
from programs.models import Terms
from programs.rules.waits import Wait, waits
from programs.selectors import joinable_terms, schedule_of
from unionaid.lib.calendar import today
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import Job
from unionaid.workflow.selectors import history_of, jobs_by_key

Words = str | Promise
PAGE = 100
_WELL = ~Q(outcome="bad")
# The kinds of lines that a page lists on their own.
_KINDS = {
    "good": _WELL,
    "joined": _WELL & Q(change="joined"),
    "stayed": _WELL & Q(change="stayed"),
    "changed": _WELL & Q(change="changed"),
    "moved": _WELL & Q(change="moved"),
    "doubt": _WELL & ~Q(doubt=""),
    "bad": ~_WELL,
    "unfit": ~_WELL & Q(change="unfit"),
    "duplicate": ~_WELL & Q(problem="duplicate"),
}
# What they are called. Those who left, and those who were told that their cover is not followed, are no lines.
ONLY: dict[str, Words] = {
    "good": _("可以参加"),
    "joined": _("新参加"),
    "stayed": _("续保"),
    "changed": _("续保，份数有变"),
    "moved": _("从其他单位转来"),
    "doubt": _("请确认是本单位职工"),
    "bad": _("有问题"),
    "unfit": _("上期在册，这次不能参加"),
    "duplicate": _("名册内重复"),
    "left": _("上期在册，这次没有"),
    "lapsed": _("没有续上，已通知本人"),
}
# Counted on the page only where there are any.
WHEN_ANY = ("doubt", "lapsed")
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


def place(text: str | None) -> int:
    """Where a page of lines begins: after this number; from the start for anything that is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def rows_of(roster: Roster, *, only: str = "", after: int = 0) -> list[RosterRow]:
    """The lines of a page as staged, one more than it shows; `only` those of one kind (see ONLY). One statement."""
    rows = RosterRow.objects.filter(roster=roster, row_number__gt=after).defer("id_number", "phone", "phone_hash")
    return list(rows.filter(_KINDS.get(only, Q())).order_by("row_number")[: PAGE + 1])


@dataclass(frozen=True, slots=True)
class Tile:
    """A count of the preview, and under which name its lines are listed (empty when there are none)."""

    words: Words
    count: int
    only: str
    tone: str = ""


def tiles_of(roster: Roster) -> list[Tile]:
    """How many lines of each kind there are, and how many people stand on the last list alone. Two statements at most."""
    if not roster.row_count:
        return []
    wanted = {key: Count("row_number", filter=kind) for key, kind in _KINDS.items()}
    counts = {**RosterRow.objects.filter(roster=roster).aggregate(**wanted), "left": roster.left_count}
    counts["lapsed"] = Lapse.objects.filter(roster=roster).count() if roster.state in ("committed", "effective") else 0
    tones = {"good": "good", "bad": "bad"}
    shown = [key for key in ONLY if counts[key] or key not in WHEN_ANY]
    return [Tile(only_words(roster, key), counts[key], key if counts[key] else "", tones.get(key, "")) for key in shown]


def lapses_of(roster: Roster, *, after: int) -> list[Lapse]:
    """The next page of those who were told that their cover is not followed, one more than it shows. One statement."""
    with everywhere(reason="the people of the unit's own last list"):
        rows = Lapse.objects.filter(roster=roster, pk__gt=after).select_related("enrolment__member")
        return list(rows.order_by("pk")[: PAGE + 1])


def recognisable(people: Sequence[Member]) -> list[tuple[str, str]]:
    """The unit's own people as its agent knows them apart: name, and masked ID number. One statement at most."""
    with everywhere(reason="the people of the unit's own last list"):
        numbers = masked_numbers([person.pk for person in people]) if people else {}
    return [(person.name, numbers[person.pk].id_number) for person in people]


def only_words(roster: Roster, only: str) -> Words:
    """What the lines of one kind are called; those that may be enrolled are enrolled in the end."""
    done = only == "good" and roster.state in ("committed", "effective")
    return RosterRow.Outcome.ENROLLED.label if done else ONLY.get(only, "")


def covers_of(roster: Roster, rows: Iterable[RosterRow]) -> dict[int, Enrolment]:
    """What these lines have become, by their numbers in the roster. One statement at most."""
    lines = {bytes(row.id_hash): row.row_number for row in rows if row.outcome == "enrolled" and row.id_hash is not None}
    if not lines:
        return {}
    found = Enrolment.objects.filter(roster=roster, member__id_hash__in=list(lines)).annotate(hashed=F("member__id_hash"))
    return {lines[bytes(one.hashed)]: one for one in found}


def dues_of(roster: Roster) -> list[ContributionDue]:
    """What is owed for the people of this roster."""
    if roster.state not in ("committed", "effective"):
        return []
    return list(roster.dues.select_related("unit__office").order_by("id"))


def waiting_of(roster: Roster) -> tuple[Sequence[Wait], list[tuple[int, Sequence[Wait]]]]:
    """How the items wait for whoever is new, and for whoever renews within so many days, as joining today has it."""
    schedule = schedule_of(roster.terms)
    cover = schedule.cover(on=today(), term_months=roster.term_months)
    if cover is None:
        return (), []
    return waits(schedule, cover.start, None), [(days, waits(schedule, cover.start, days)) for days in schedule.waivers]


def work_on(roster: Roster) -> Job | None:
    """The job that works on this roster now, when one does."""
    kind = WORKING.get(roster.state)
    if kind is None:
        return None
    first, later = f"{kind}:{roster.pk}", f"{kind}:{roster.pk}:{roster.version}"
    found = jobs_by_key([first, later])
    return found.get(later) or found.get(first)


def open_dues() -> list[ContributionDue]:
    """What the agent's units still owe."""
    rows = ContributionDue.objects.filter(state__in=DUE_LIVE).select_related(
        "unit__office", "roster__terms__program", "enrolment__program", "enrolment__member"
    )
    return list(rows.order_by("id")[:100])


def plans_of(unit: WorkUnit) -> list[Terms]:
    """The plans this unit may enrol its people in now."""
    return joinable_terms(on=today(), office=unit.office)


def people(named: str = "") -> QuerySet[Member]:
    """Everyone whom the agent's units have enrolled; or those whose name begins so."""
    return Member.objects.filter(name__startswith=named).order_by("name", "id")


def numbers_of(members: Iterable[Member]) -> list[tuple[Member, Masked | None]]:
    """Each person with masked numbers. One statement."""
    found = list(members)
    masked = masked_numbers([member.pk for member in found])
    return [(member, masked.get(member.pk)) for member in found]


def units_called(text: str) -> QuerySet[WorkUnit]:
    """The units whose name or credit code begins so."""
    return WorkUnit.objects.filter(Q(name__begins=text) | Q(credit_code__begins=text.upper()))


def words_of_return(unit: WorkUnit) -> str:
    """What the office said when it sent the registration back. The trail is the office's; only this sentence is the agent's."""
    with everywhere(reason="what the office said to the agent"):
        act = history_of(unit).filter(action="return").order_by("-id").first()
    return act.note if act else ""
