"""The notices are what they say they are, and working days are counted one way."""

from datetime import date, timedelta

import pytest

from unionaid.lib import workdays
from unionaid.lib.workdays import began, counted, due_on, is_workday, notices


def test_every_notice_names_itself_and_holds_for_its_own_year() -> None:
    for year, notice in notices().items():
        assert notice["notice"] == f"国务院办公厅关于{year}年部分节假日安排的通知"
        assert notice["number"].startswith("国办发")
        assert notice["published"].year == int(year) - 1
        days = [day for first, last in notice["off"] for day in workdays._days(first, last)]
        assert {day.year for day in [*days, *notice["worked"]]} == {int(year)}
        assert len(days) == len(set(days))
        assert all(day.weekday() >= 5 and day not in days for day in notice["worked"]), "only weekends outside holidays are worked"
        assert all(first <= last for first, last in notice["off"])


@pytest.mark.parametrize(
    ("since", "days", "last"),
    [
        (date(2026, 7, 1), 5, date(2026, 7, 8)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the national holiday
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # a Sunday that is worked
        (date(2026, 7, 1), 0, date(2026, 7, 1)),
        (date(2027, 1, 1), 1, date(2027, 1, 4)),  # a year without a notice: its weekends alone
    ],
)
def test_a_term_ends_on_its_last_working_day(since: date, days: int, last: date) -> None:
    assert due_on(since, days) == last
    assert counted(since, last) == days


def test_whoever_used_so_many_days_began_then() -> None:
    day = date(2026, 9, 1)
    while day < date(2026, 11, 1):
        for used in range(6):
            assert counted(began(day, used), day) == used
        day += timedelta(days=1)
    assert not is_workday(date(2026, 10, 1))
