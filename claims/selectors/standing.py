"""How a worker's covers stand: who paid what for each, and what is used under each limit. Only reads; a constant number of
statements however many covers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from claims.facts import LIFETIME
from claims.models import CeilingUsage
from members.facts import person_facts
from members.models import ContributionDue, Enrolment, WorkUnit
from members.selectors.people import people_by_id
from programs.rules.fees import NoFeeClass, split
from programs.rules.limits import Limit, limits
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, round_half_up, yuan_from_fen
from unionaid.offices.scope import everywhere

MOST = 100  # covers on one page
PERSON = ContributionDue.Payer.PERSON.value


@dataclass(frozen=True, slots=True)
class Part:
    """What one payer pays for one cover (fen), and since when it is there. `payer` empty: how the sum falls apart is not known.
    `back_on`: the day on which cover was over and the principal was freed to go back to its payer."""

    payer: str
    amount_fen: int
    is_paid: bool
    paid_on: date | None = None
    is_waived: bool = False
    back_on: date | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """How much of one limit is used (fen; for days hundredths of a day). `which`: the disease, or the year of cover, it is counted for."""

    limit: Limit
    used_fen: int
    which: str = ""

    @property
    def limit_fen(self) -> int:
        return fen_from_yuan(round_half_up(self.limit.amount))

    @property
    def left_fen(self) -> int:
        """Later terms may set a lower limit for life than was used under earlier ones."""
        return max(0, self.limit_fen - self.used_fen)


@dataclass(frozen=True, slots=True)
class Standing:
    """One cover with what was paid for it and what is left of it."""

    cover: Enrolment
    parts: tuple[Part, ...]
    limits: tuple[Used, ...]


def my_standings() -> list[Standing]:
    """Every cover the worker ever had, and those of people who joined through them, newest first."""
    rows = Enrolment.objects.select_related("program", "terms", "office").order_by("-cover", "-id")[:MOST]
    covers = [cover for cover in rows if not schedule_of(cover.terms).is_grant]
    people = people_by_id(key for cover in covers for key in (cover.member_id, cover.holder_id))
    for cover in covers:
        cover.member, cover.holder = people[cover.member_id], people[cover.holder_id]
    with everywhere(reason="who paid for one's own cover, and what of it is used"):
        dues, used = _dues(covers), _usage(covers)
        units = WorkUnit.objects.in_bulk({cover.unit_id for cover in covers if cover.unit_id})
    for cover in covers:
        cover.unit = units.get(cover.unit_id or 0)
    return [
        Standing(cover, _parts(cover, cover.unit, dues), tuple(_used(cover, used))) for cover in covers
    ]


# --- who paid what ---------------------------------------------------------------------------------------------------

Dues = Mapping[tuple[str, int], Sequence[ContributionDue]]


def _dues(covers: Sequence[Enrolment]) -> Dues:
    """What is owed for these covers: by the enrolment for those who joined by themselves, by the roster for the others."""
    rows = ContributionDue.objects.filter(enrolment_id__in=[cover.pk for cover in covers if cover.roster_id is None]).order_by("id")
    found: dict[tuple[str, int], list[ContributionDue]] = {}
    for due in rows:
        found.setdefault(("enrolment", due.enrolment_id or 0), []).append(due)
    rosters = {cover.roster_id for cover in covers} - {None}
    for due in ContributionDue.objects.filter(roster_id__in=rosters).select_related("roster").order_by("id"):
        found.setdefault(("roster", due.roster_id or 0), []).append(due)
    return found


def _parts(cover: Enrolment, unit: WorkUnit | None, dues: Dues) -> tuple[Part, ...]:
    """By payer. A roster's debts are those of everyone on it: of them only who pays and whether it is there concerns this person;
    how much for them follows from the plan, when that adds up to what was charged."""
    if cover.roster_id is None:
        own = dues.get(("enrolment", cover.pk), ())
        return tuple(_part(cover, due, due.amount_fen) for due in own) or _whole(cover)
    by_payer = {due.payer: due for due in dues.get(("roster", cover.roster_id), ())}
    set_by_unit = next((due.roster.person_fen for due in by_payer.values() if due.roster), None)
    amounts = _split(cover, unit, set_by_unit)
    if sum(amounts.values()) != cover.contribution_fen or not amounts.keys() <= by_payer.keys():
        return _whole(cover)
    return tuple(_part(cover, by_payer[payer], amount) for payer, amount in amounts.items())


def _part(cover: Enrolment, due: ContributionDue, amount_fen: int) -> Part:
    settled, cancelled = due.state == "settled", due.state == "cancelled"
    return Part(due.payer, amount_fen, settled, due.settled_on, cancelled, cover.principal_back_on)


def _whole(cover: Enrolment) -> tuple[Part, ...]:
    return (Part("", cover.contribution_fen, cover.state == "effective"),) if cover.contribution_fen else ()


def _split(cover: Enrolment, unit: WorkUnit | None, set_by_unit: int | None) -> dict[str, int]:
    """This person's part of what each payer owes, in fen; empty when the plan cannot tell it from what is known now. `set_by_unit`:
    each person's part of a share (fen) where the unit chose it."""
    schedule = schedule_of(cover.terms)
    person = person_facts(cover.member, holder=cover.holder, relation=cover.relation, unit=unit)
    try:
        parts = split(
            schedule, person, cover.shares, default="unit", starts_on=cover.cover.lower, term_months=cover.term_months,
            person_pays=None if set_by_unit is None else yuan_from_fen(set_by_unit),
        )  # fmt: skip
    except NoFeeClass:
        return {}
    amounts = {payer: fen_from_yuan(round_half_up(amount)) for payer, amount in parts.items()}
    return {payer: amount for payer, amount in amounts.items() if amount}


# --- what is used ----------------------------------------------------------------------------------------------------

Usage = Mapping[tuple[int, int, date], Mapping[str, int]]


def _usage(covers: Sequence[Enrolment]) -> Usage:
    """What decided claims took, by person, program and first day of cover (or for life), by key."""
    rows = CeilingUsage.objects.filter(
        member_id__in={cover.member_id for cover in covers},
        program_id__in={cover.program_id for cover in covers},
        period_start__in={cover.cover.lower for cover in covers} | {LIFETIME},
    )
    found: dict[tuple[int, int, date], dict[str, int]] = {}
    for row in rows:
        found.setdefault((row.member_id, row.program_id, row.period_start), {})[row.key] = row.used_fen
    return found


def _used(cover: Enrolment, usage: Usage) -> Iterable[Used]:
    """Each limit of the cover; one that is counted for each disease or year once for each that was paid for."""
    for limit in limits(schedule_of(cover.terms), shares=cover.shares):
        start = LIFETIME if limit.scope == "lifetime" else cover.cover.lower
        taken = usage.get((cover.member_id, cover.program_id, start), {})
        if not limit.each:
            yield Used(limit, taken.get(limit.key, 0))
            continue
        each = {key.removeprefix(limit.each): fen for key, fen in sorted(taken.items()) if key.startswith(limit.each)}
        paid = [Used(limit, fen, which) for which, fen in each.items() if fen]
        yield from paid or [Used(limit, 0)]
