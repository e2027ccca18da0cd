"""Working days (工作日): Monday to Friday, less the statutory holidays, and the weekends that are worked for them. The one count of the
house: terms of plans, of units and of the office's steps are all counted here. `holidays.toml` holds the notices it follows.

>>> due_on(date(2026, 2, 12), 2)
datetime.date(2026, 2, 14)
>>> due_on(date(2026, 2, 14), 1)
datetime.date(2026, 2, 24)
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

_DAY = timedelta(days=1)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


def notices() -> dict[str, dict[str, Any]]:
    """Year → what its notice says: `notice`, `number`, `published`, `off` (first and last day of each holiday), `worked`."""
    return tomllib.loads(Path(__file__).with_name("holidays.toml").read_text("utf-8"))


_NOTICES = notices().values()
_OFF = frozenset(day for notice in _NOTICES for first, last in notice["off"] for day in _days(first, last))
_WORKED = frozenset(day for notice in _NOTICES for day in notice["worked"])


def is_workday(day: date) -> bool:
    """Do offices work on this day?"""
    return day in _WORKED or (day.weekday() < 5 and day not in _OFF)


def due_on(since: date, days: int) -> date:
    """The last of so many working days after this day (the day itself does not count); the day itself for none."""
    day = since
    while days > 0:
        day += _DAY
        days -= is_workday(day)
    return day


def counted(since: date, until: date) -> int:
    """How many working days have passed: after the first of these days, up to and with the second.

    >>> counted(date(2026, 7, 3), date(2026, 7, 6))
    1
    """
    return sum(is_workday(day) for day in _days(since + _DAY, until))


def began(until: date, days: int) -> date:
    """The last day after which, up to this one, so many working days have passed: whoever has used so many began then.

    >>> began(date(2026, 7, 6), 1), counted(date(2026, 7, 5), date(2026, 7, 6))
    (datetime.date(2026, 7, 5), 1)
    """
    day = until
    while days > 0:
        days -= is_workday(day)
        day -= _DAY
    return day


def overdue_before(today: date, days: int) -> date:
    """What has waited since before this day is overdue today: the first day whose term of so many working days is not over yet.

    >>> overdue_before(date(2026, 7, 8), 2), due_on(date(2026, 7, 6), 2)
    (datetime.date(2026, 7, 6), datetime.date(2026, 7, 8))
    """
    day = today
    while due_on(day - _DAY, days) >= today:
        day -= _DAY
    return day
