"""New hires inside the late-entry window: by the unit's roster and by themselves, to the last day of it and not a day longer."""

from datetime import date
from typing import Any

import pytest

from members.models import Enrolment, Member, Roster, RosterRow
from members.services import enrolment, rosters
from members.services.enrolment import EnrolmentRefused
from tests.factories.world import JOINED, World
from tests.members.test_roster_rules import MAN, Line, _checked, _people, _reasons, _terms
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due

CLOSED: dict[str, Any] = {"closes": "2025-12-31"}
LATE: dict[str, Any] = {**CLOSED, "late": [{"who": "new_hires", "after": "hired", "within_months": 2}]}
HIRED = date(2026, 1, 2)


def _lines(*hired: str) -> list[Line]:
    return [line for i, day in enumerate(hired) for line in _people(MAN, 1, day, first=i)]


def test_a_roster_takes_the_new_hires_and_says_why_not_the_others(world: World) -> None:
    roster = _checked(world, _terms(**LATE), _lines("2026-01-02", "2025-10-01", ""), "入职日期")
    with everywhere(reason="look"):
        outcomes = list(RosterRow.objects.filter(roster=roster).order_by("row_number").values_list("outcome", flat=True))
    assert outcomes == ["good", "bad", "bad"]
    old, unknown = _reasons(roster)
    assert "截止" in old
    assert "入职日期" in unknown


def test_they_are_covered_from_the_day_after_to_the_end_of_the_period(world: World) -> None:
    roster = _checked(world, _terms(**LATE), _lines("2026-01-02"), "入职日期")
    with everywhere(reason="arrange"), frozen(JOINED):
        rosters.confirm(roster, by=world.agent_actor)
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
        cover = Enrolment.objects.get(roster=roster)
        assert (cover.cover.lower, cover.ends_before, cover.first_time) == (date(2026, 1, 6), date(2027, 1, 1), True)
        assert cover.member.joined_unit_on == HIRED


def test_a_roster_that_is_confirmed_after_the_window_still_counts_from_its_own_day(world: World) -> None:
    """Checked on the last day of the window; who was hired too long ago the day after is refused by the check of that day."""
    terms = _terms(**LATE)
    assert _reasons(_checked(world, terms, _lines("2026-01-02"), "入职日期", on=date(2026, 3, 2))) == []
    assert _reasons(_checked(world, terms, _lines("2026-01-02", "2026-01-03"), "入职日期", on=date(2026, 3, 3))) != []


def _confirmed(world: World, roster: Roster, *, on: date) -> Roster:
    run_due("default")
    with everywhere(reason="arrange"), frozen(on):
        rosters.confirm(roster, by=world.agent_actor)
    run_due("default")
    with everywhere(reason="look"):
        roster.refresh_from_db()
    return roster


def test_a_preview_of_an_earlier_day_is_checked_anew_before_anyone_is_enrolled(world: World) -> None:
    """The window closes on 31 January; checked on 5 January, confirmed on 1 September: nobody joins."""
    roster = _checked(world, _terms(closes="2026-01-31"), _lines("2026-01-02", "2025-10-01"), "入职日期")
    assert (roster.good_count, roster.checked_on) == (2, JOINED)
    again = _confirmed(world, roster, on=date(2026, 9, 1))
    assert (again.state, again.good_count, again.bad_count, again.checked_on) == ("checked", 0, 2, date(2026, 9, 1))
    assert all("截止" in words for words in _reasons(again))
    with everywhere(reason="look"):
        assert RosterRow.objects.filter(roster=roster).count() == 2
        assert not Enrolment.objects.exists()


def test_a_roster_checked_anew_inside_the_window_is_enrolled_by_a_second_yes(world: World) -> None:
    roster = _checked(world, _terms(closes="2026-01-31"), _lines("2026-01-02"), "入职日期")
    again = _confirmed(world, roster, on=date(2026, 1, 20))
    assert (again.state, again.good_count) == ("checked", 1)
    assert _confirmed(world, again, on=date(2026, 1, 20)).state == "committed"
    with everywhere(reason="look"):
        assert Enrolment.objects.get(roster=roster).cover.lower == date(2026, 1, 21)


def test_without_a_late_rule_nobody_joins_after_the_window(world: World) -> None:
    """The control."""
    assert len(_reasons(_checked(world, _terms(**CLOSED), _lines("2026-01-02")))) == 1


def _enrol(world: World, member: Member, terms: Any, on: date) -> Enrolment:
    with everywhere(reason="arrange"), frozen(on):
        return enrolment.enrol(
            member=member, holder=member, relation="self", terms=terms, shares=1, unit=world.unit, on=on, by=world.worker(member)
        )


def _worker(world: World, hired: date | None) -> Member:
    with everywhere(reason="arrange"):
        member = world.member(101)
        Member.objects.filter(pk=member.pk).update(joined_unit_on=hired)
        member.refresh_from_db()
        return member


def test_a_new_hire_joins_alone_on_the_last_day(world: World) -> None:
    made = _enrol(world, _worker(world, HIRED), _terms(**LATE), date(2026, 3, 2))
    assert made.cover.lower == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("hired", "on", "words"),
    [(HIRED, date(2026, 3, 3), "截止"), (date(2025, 12, 1), JOINED, "截止"), (None, JOINED, "入职日期")],
)
def test_a_day_later_hired_before_or_not_told_is_refused(hired: date | None, on: date, words: str, world: World) -> None:
    member, terms = _worker(world, hired), _terms(**LATE)
    with pytest.raises(EnrolmentRefused, match=words):
        _enrol(world, member, terms, on)
