"""Rows into facts: what the rules may know of a person and of a cover."""

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from members.models import Enrolment, Member, WorkUnit
from members.transitions import LIVE
from programs.models import Terms
from programs.rules.facts import CoverFacts, PersonFacts
from programs.rules.schedule import Schedule
from programs.rules.waits import waits, waits_in_words
from programs.rules.words import Words
from unionaid.lib.calendar import Period, plus_days


def person_facts(
    member: Member, *, holder: Member | None = None, relation: str = "self", renewal: bool = False, unit: WorkUnit | None = None
) -> PersonFacts:
    """The person who joins; a spouse's or child's right rests on the worker (`holder`) through whom they join. `unit`: where
    the worker works, when their employment or the contribution depends on it; its class of work holds for whoever told none of their
    own."""
    worker = holder or member
    employment = employed_at(unit, worker.employment) or None
    return PersonFacts(
        birth_date=member.birth_date,
        gender=member.gender,
        employment=employment,
        holder_employment=employment,
        union_member=worker.union_member,
        basic_insurance=worker.basic_insurance if relation != "self" else member.basic_insurance,
        relation=relation,
        joined_unit_on=worker.joined_unit_on,
        renewal=renewal,
        insurance_type=worker.insurance_type or None,
        unit_nature=unit.nature if unit else None,
        card_holder=worker.card_holder,
        risk=worker.risk or (unit.risk if unit else "") or None,
        group=worker.staff_group or None,
        contract_months=worker.contract_months,
        retired_on=worker.retired_on,
    )


def employed_at(unit: WorkUnit | None, told: str) -> str:
    """How somebody is employed who works at this unit and says so: at an institution whose staff have the civil-servant subsidy they have
    it, whatever they say. Whoever is employed by an enterprise and sent there has not; empty stays empty."""
    return "institution_subsidised" if told == "institution" and unit is not None and unit.civil_servant_subsidy else told


def cover_facts(enrolment: Enrolment) -> CoverFacts:
    """One enrolment as the rules see it."""
    return CoverFacts(
        period=Period(enrolment.cover.lower, enrolment.cover.upper),
        shares=enrolment.shares,
        days_since_cover=enrolment.days_since_cover,
    )


def previous_ends(member_ids: list[int], terms: Terms, *, before: date) -> dict[int, date]:
    """When each of these people's last cover in this program ended (first day without it), if it ended by `before`. Cover that was
    never paid for counts for nothing."""
    rows = Enrolment.objects.filter(
        member_id__in=member_ids, program_id=terms.program_id, state="effective", cover__endswith__lte=before
    ).values_list("member_id", "cover")
    found: dict[int, date] = {}
    for member_id, cover in rows:
        found[member_id] = max(found.get(member_id, cover.upper), cover.upper)
    return found


def held_sql(*, member: str) -> str:
    """The person's shares under the plans with these codes on these days, live covers alone; parameters: the codes twice, the states,
    first day, end. Nothing is looked for when there are no codes."""
    return f"""CASE WHEN cardinality(%s::text[]) = 0 THEN 0 ELSE COALESCE((
      SELECT sum(h.shares) FROM members_enrolment h JOIN programs_program p ON p.id = h.program_id
      WHERE h.member_id = {member} AND p.code = ANY(%s) AND h.state = ANY(%s) AND h.cover && daterange(%s, %s)), 0)::int END"""


def shares_held(member: Member, schedule: Schedule, cover: Period) -> int:
    """The same of one person; no statement where the plan counts no other plan's shares."""
    codes = schedule.enrolling.together_with
    if not codes:
        return 0
    days = DateRange(cover.start, cover.end)
    live = Enrolment.objects.filter(member=member, program__code__in=codes, state__in=LIVE, cover__overlap=days)
    return sum(live.values_list("shares", flat=True))


def renews(previous_end: date | None, start: date, *, within_days: int) -> bool:
    """Is cover that begins on `start` a renewal? It is when the person's last cover in the program ended (first day without it:
    `previous_end`) at most so many days before, both bounds inclusive. `renews_sql` says the same in the database."""
    return previous_end is not None and 0 <= (start - previous_end).days <= within_days


def renews_sql(*, member: str, program: str, start: str, within: str) -> str:
    """`renews` as a condition in SQL, of these columns or parameters: some paid cover of the person in the program ended in those days
    (if one did, then the last one did)."""
    return f"""EXISTS (SELECT 1 FROM members_enrolment b WHERE b.member_id = {member} AND b.program_id = {program}
      AND b.state = 'effective' AND upper(b.cover) <= {start} AND upper(b.cover) >= {start} - {within}::int)"""


def waiting(schedule: Schedule, start: date, previous_end: date | None) -> tuple[date | None, bool]:
    """(last day on which some item still waits or None, waived?) for cover that begins on `start`. An item's waiting is waived when the
    person's own cover in this program ended at most that waiver's days before: continuity belongs to person × program, not to the
    unit. Waived: a waiver holds, and nothing is left to wait for. `waits_by_waiver` says the same for many."""
    since = None if previous_end is None else (start - previous_end).days
    ends = schedule.waiting_ends(start, since)
    until = plus_days(ends, -1) if ends > start else None
    return until, until is None and since is not None and since <= max(schedule.waivers, default=-1)


def cover_waits(enrolment: Enrolment, schedule: Schedule, *, on: date | None = None) -> Words:
    """How long each item waits under this cover, in one sentence; `on`: the day it is read, where what is over is said to be over."""
    return waits_in_words(waits(schedule, enrolment.cover.lower, enrolment.days_since_cover), on=on)


def waits_by_waiver(schedule: Schedule, start: date) -> tuple[list[int], list[date | None]]:
    """`waiting` of everybody: the least number of days since the last cover that is too many for each waiver, in order, and the last
    day of waiting for whoever lies below the first, between two, and above the last of them (the first cover lies there too)."""
    sinces = [0, *(within + 1 for within in schedule.waivers)]
    return sinces[1:], [waiting(schedule, start, plus_days(start, -since))[0] for since in sinces]
