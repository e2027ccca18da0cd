"""Working days (工作日): the statutory holidays and the weekends that are worked for them, as the State Council announces them.

>>> due_on(date(2026, 2, 12), 2)
datetime.date(2026, 2, 14)
>>> due_on(date(2026, 2, 14), 1)
datetime.date(2026, 2, 24)
"""

from collections.abc import Iterator
from datetime import date, timedelta

_DAY = timedelta(days=1)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


# The arrangement for 2026; a year that is not announced yet has its weekends alone.
_OFF = frozenset(
    day
    for first, last in (
        (date(2026, 1, 1), date(2026, 1, 3)),
        (date(2026, 2, 15), date(2026, 2, 23)),
        (date(2026, 4, 4), date(2026, 4, 6)),
        (date(2026, 5, 1), date(2026, 5, 5)),
        (date(2026, 6, 19), date(2026, 6, 21)),
        (date(2026, 9, 25), date(2026, 9, 27)),
        (date(2026, 10, 1), date(2026, 10, 7)),
    )
    for day in _days(first, last)
)
_WORKED = frozenset(
    {date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)}
)


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


def overdue_before(today: date, days: int) -> date:
    """What has waited since before this day is overdue today: the first day whose term of so many working days is not over yet.

    >>> overdue_before(date(2026, 7, 8), 2), due_on(date(2026, 7, 6), 2)
    (datetime.date(2026, 7, 6), datetime.date(2026, 7, 8))
    """
    day = today
    while due_on(day - _DAY, days) >= today:
        day -= _DAY
    return day
