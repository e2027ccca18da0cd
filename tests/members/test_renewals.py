"""Who renews: whose last cover in the program ended shortly before the new one begins. Python and SQL say the same."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from members.facts import previous_ends, renews, renews_sql
from members.models import Enrolment, Member
from members.selectors.charged import charged
from members.selectors.joining import offer_of
from members.services.enrolment import EnrolmentRefused, enrol
from programs.models import Terms
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from programs.rules.schedule import PREVIOUS_PERIOD_DAYS
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
