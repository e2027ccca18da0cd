"""Who renews: whose last cover in the program ended shortly before the new one begins. Python and SQL say the same."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from secrets import token_bytes
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from members.facts import held_sql, person_facts, previous_ends, renews, renews_sql, shares_held
from members.models import Enrolment, Member
from members.selectors.charged import charged
from members.selectors.joining import offer_of
from members.services.enrolment import EnrolmentRefused, enrol
from members.transitions import LIVE
from programs.models import Terms
from programs.rules.eligibility import judge
from programs.rules.eligibility_sql import rules_of, verdict_sql
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from programs.rules.schedule import PREVIOUS_PERIOD_DAYS, Schedule
from programs.selectors import schedule_of
from tests.factories.world import CATALOGUE, JOINED, World, terms_like
from tests.members.test_roster_rules import _checked
from unionaid.lib.calendar import Period, add_years, frozen, plus_days
from unionaid.lib.identity import make_id_number
from unionaid.offices.scope import everywhere

BORN = date(1968, 3, 8)  # 57 at the start of cover: only as a renewal
START = date(2026, 1, 6)
YUNNAN = {"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, "employment_on_renewal": ["retired"]}
AGES = [{"from": 16, "to": 55, "renewal": False}, {"from": 16, "to": 120, "renewal": True}]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _terms(**rules: Any) -> Terms:
    return terms_like("shaanxi-yulin-medical.2026", enrolment={**YUNNAN, "ages": AGES, **rules})


def _covered_before(world: World, order: int, terms: Terms, *ends: date) -> Member:
    """Somebody of 57 who had a year of cover in this program until (not including) each of these days."""
    with everywhere(reason="arrange"):
        member = world.member(order, "张三", BORN)
        for end in ends:
            Enrolment.objects.create(
                office_id=world.cast.a.pk, member=member, holder=member, relation="self", unit=world.unit, program_id=terms.program_id,
                terms=terms, shares=1, cover=DateRange(add_years(end, -1), end), contribution_fen=0, state="effective",
            )  # fmt: skip
    return member


def _joins(world: World, member: Member, terms: Terms) -> bool:
    try:
        with everywhere(reason="act"):
            enrol(
                member=member, holder=member, relation="self", terms=terms, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
            )
    except EnrolmentRefused:
        return False
    return True


def _fails(world: World, member: Member, terms: Terms) -> bool:
    with everywhere(reason="look"):
        return offer_of(member, terms, list(Enrolment.objects.filter(member=member)), {}, on=JOINED).standing == "no"


@pytest.mark.parametrize(("rules", "renews_after_six_years"), [({}, False), ({"renewal_within_days": 36500}, True)])
def test_whoever_was_last_covered_in_2019_does_not_renew_in_2026(world: World, rules: dict[str, Any], renews_after_six_years: bool) -> None:
    terms = _terms(**rules)
    long_ago, last_year = _covered_before(world, 301, terms, date(2020, 1, 1)), _covered_before(world, 303, terms, date(2026, 1, 1))
    lines = [("张三", make_id_number("610802", BORN, order)) for order in (301, 303)]
    expected = [renews_after_six_years, True]
    assert [not _fails(world, member, terms) for member in (long_ago, last_year)] == expected
    assert _checked(world, terms, lines).good_count == sum(expected)
    assert [_joins(world, member, terms) for member in (long_ago, last_year)] == expected


def test_what_is_charged_under_other_terms_counts_the_same_renewals(world: World) -> None:
    terms = _terms()
    with everywhere(reason="look"):
        for order, end in ((301, date(2020, 1, 1)), (303, date(2026, 1, 1))):
            _covered_before(world, order, terms, end, date(2027, 1, 5))
        year = Period(date(2026, 1, 1), date(2027, 1, 1))
        found = charged(frozenset({world.cast.a.pk}), (terms.program_id,), year, schedule_of(terms))
    assert (found.enrolments, found.not_admitted, found.refused_by) == (2, 1, {"age": 1})


@pytest.mark.parametrize("within", [0, 30, PREVIOUS_PERIOD_DAYS])
def test_python_and_sql_agree_on_every_edge(world: World, within: int) -> None:
    terms, days = _terms(), (0, 1, within - 1, within, within + 1, 2200)
    ends = [[plus_days(START, -back)] for back in days if back >= 0]
    long_ago = plus_days(START, -2200)
    ends += [[], [plus_days(START, 30)], [long_ago, plus_days(START, -within)], [long_ago, plus_days(START, 90)]]
    members = [_covered_before(world, 301 + 2 * i, terms, *one) for i, one in enumerate(ends)]
    keys = [member.pk for member in members]
    text = renews_sql(member="m.id", program="%(program)s", start="%(start)s::date", within="%(within)s")
    with everywhere(reason="look"), connection.cursor() as cursor:
        last = previous_ends(keys, terms, before=START)
        told = {"program": terms.program_id, "start": START, "within": within, "keys": keys}
        cursor.execute(f"SELECT m.id, {text} FROM members_member m WHERE m.id = ANY(%(keys)s)", told)
        by_sql = dict(cursor.fetchall())
    by_python = {key: renews(last.get(key), START, within_days=within) for key in keys}
    assert by_sql == by_python
    assert set(by_python.values()) == {True, False}


@pytest.mark.parametrize(
    ("enrolment", "waiting", "within"),
    [
        ({}, None, 364),
        ({}, {"days": 30, "waived_on_renewal_within_days": 60}, 60),
        ({"renewal_within_days": 90}, {"days": 30, "waived_on_renewal_within_days": 60}, 90),
    ],
)
def test_the_days_come_from_the_plan(enrolment: dict[str, Any], waiting: dict[str, Any] | None, within: int) -> None:
    data = read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data
    data["enrolment"] |= enrolment
    data.pop("waiting", None)
    if waiting:
        data["waiting"] = waiting
    assert parse(data, source="x").enrolling.renewal_within_days == within


# --- people with years behind them ----------------------------------------------------------------------------------

EVERYONE = {
    "relations": ["self", "spouse", "minor_child"], "employment": ["enterprise"], "employment_on_renewal": ["retired"],
    "shares": {"max": 3, "together_with": ["shaanxi-yulin-medical"]}, "renewal_within_days": 200, "min_months_in_unit": 3,
    "ages": [
        {"from": 16, "to": 55, "renewal": False}, {"from": 16, "to": 70, "renewal": True}, {"from": 0, "to": 17, "relation": "minor_child"},
        {"from": 16, "to": 65, "relation": "spouse", "gender": "female"},
    ],
}  # fmt: skip
TOLD = {
    "birth_date": "m.birth_date", "gender": "m.gender", "relation": "told.relation", "renewal": "told.renewal", "shares": "told.shares",
    "basic_insurance": "told.insured", "shares_held": "told.held", "employment": "h.employment", "holder_employment": "h.employment",
    "union_member": "h.union_member", "joined_unit_on": "h.joined_unit_on", "insurance_type": "h.insurance_type", "group": "h.staff_group",
    "card_holder": "h.card_holder", "contract_months": "h.contract_months", "retired_on": "h.retired_on",
}  # fmt: skip


def _with_years_behind_them(world: World, terms: Terms, chance: random.Random, count: int) -> list[Member]:
    """People and their covers of one to three years in this plan and beside it, one after the other with all kinds of gaps."""
    ages = [plus_days(add_years(START, -age), by) for age in (10, 16, 18, 40, 55, 56, 65, 66, 70, 71) for by in (0, 1)]
    people = Member.objects.bulk_create(
        Member(
            id_hash=token_bytes(32), name="李四", gender=chance.choice(["male", "female"]), birth_date=chance.choice(ages),
            employment=chance.choice(["enterprise", "retired", ""]), union_member=chance.choice([True, True, None]),
            basic_insurance=chance.choice([True, True, False]), joined_unit_on=chance.choice([None, date(2020, 1, 1), date(2025, 11, 1)]),
            office=world.cast.a, office_ids=[world.cast.a.pk],
        )
        for _ in range(count)
    )  # fmt: skip
    covers = []
    for who in people:
        for plan in (terms, world.yulin):
            day = date(2017 + chance.randrange(4), 1, 1)
            while day < date(2027, 1, 1) and chance.random() < 0.8:
                end = plus_days(day, chance.choice([365, 730, 1095]))
                covers.append((who, plan, DateRange(day, end), chance.choice(["effective"] * 4 + ["contribution_due", "void", "lapsed"])))
                day = plus_days(end, chance.choice([0, 1, 30, 199, 200, 201, 500]))
    Enrolment.objects.bulk_create(
        Enrolment(
            member=who, holder=who, office=world.cast.a, program_id=plan.program_id, terms=plan, shares=chance.choice([1, 2, 3]),
            cover=days, contribution_fen=0, relation="self", state=state,
        )
        for who, plan, days, state in covers
    )  # fmt: skip
    return people


def test_sql_and_python_agree_on_people_with_years_behind_them(world: World) -> None:
    """Rows in, verdicts out: what the database reads of relation, spouse and years of covers, and judges, is what Python reads and
    judges. The control: a history that forgets the covers of more than a year is found out."""
    chance, terms = random.Random(20260106), _terms(**EVERYONE)
    schedule, cover = schedule_of(terms), Period(START, date(2027, 1, 1))
    with everywhere(reason="arrange"):
        people = _with_years_behind_them(world, terms, chance, 150)
        kinds = ["self", "self", "spouse", "minor_child"]
        told = [(who, chance.choice(people), chance.choice(kinds), chance.choice([1, 2])) for who in people]
        ends = previous_ends([who.pk for who in people], terms, before=START)
        expected = {one[0].pk: _judged(schedule, *one, ends.get(one[0].pk), cover) for one in told}
        assert len({tuple(one.values()) for one in expected.values()}) > 20
        assert _judged_in_sql(schedule, terms, told, cover) == expected
        Enrolment.objects.extra(where=["upper(cover) - lower(cover) > 365"]).delete()
        assert _judged_in_sql(schedule, terms, told, cover) != expected


def _judged(
    schedule: Schedule, who: Member, holder: Member, relation: str, shares: int, ended: date | None, cover: Period
) -> dict[str, str]:
    renewal = renews(ended, START, within_days=schedule.enrolling.renewal_within_days)
    facts = person_facts(who, holder=None if relation == "self" else holder, relation=relation, renewal=renewal)
    person = replace(facts, shares_held=shares_held(who, schedule, cover))
    return {one.rule: one.outcome for one in judge(schedule, person=person, on=JOINED, cover_start=START, shares=shares)}


def _judged_in_sql(
    schedule: Schedule, terms: Terms, told: list[tuple[Member, Member, str, int]], cover: Period
) -> dict[int, dict[str, str]]:
    verdicts, params = verdict_sql(schedule, TOLD, on=JOINED, cover_start=START)
    rows = [
        {"member": who.pk, "holder": who.pk if relation == "self" else holder.pk, "relation": relation, "shares": shares}
        for who, holder, relation, shares in told
    ]
    text = f"""
    WITH told AS (
      SELECT t.*, CASE WHEN t.relation = 'self' THEN m.basic_insurance ELSE h.basic_insurance END AS insured,
             {renews_sql(member="t.member", program="%s", start="%s::date", within="%s")} AS renewal, {held_sql(member="t.member")} AS held
      FROM jsonb_to_recordset(%s::jsonb) AS t(member bigint, holder bigint, relation text, shares integer)
      JOIN members_member m ON m.id = t.member JOIN members_member h ON h.id = t.holder
    )
    SELECT m.id, {verdicts} FROM told JOIN members_member m ON m.id = told.member JOIN members_member h ON h.id = told.holder"""
    codes = list(schedule.enrolling.together_with)
    within = [terms.program_id, START, START, schedule.enrolling.renewal_within_days]
    with connection.cursor() as cursor:
        cursor.execute(text, [*within, codes, codes, list(LIVE), cover.start, cover.end, json.dumps(rows), *params])
        return {key: dict(zip(rules_of(schedule), outcomes, strict=True)) for key, *outcomes in cursor.fetchall()}
