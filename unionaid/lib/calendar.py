"""Dates of the trade: one clock (Asia/Shanghai), half-open periods, day counts.

>>> Period(date(2026, 1, 1), date(2027, 1, 1)).days
365
>>> add_years(date(2024, 2, 29), 1)
datetime.date(2025, 2, 28)
"""

import calendar as _calendar
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(1900, 1, 1), date(2100, 12, 31)
_frozen: ContextVar[date | None] = ContextVar("frozen_day", default=None)


class DateError(ValueError):
    """The text is no date; the message says how to write one."""


def now() -> datetime:
    """This moment, with its time zone; on a frozen day, this time of that day."""
    moment, day = datetime.now(SHANGHAI), _frozen.get()
    return moment if day is None else moment.replace(year=day.year, month=day.month, day=day.day)


def day_of(moment: datetime) -> date:
    """The calendar day of a moment in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """The first moment of a calendar day in Asia/Shanghai."""
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)


def today() -> date:
    """The calendar day in Asia/Shanghai: the only clock of the house."""
    return _frozen.get() or now().date()


@contextmanager
def frozen(day: date) -> Iterator[None]:
    """Let `today()` be this day inside the block (tests and the played year of the demo)."""
    token = _frozen.set(day)
    try:
        yield
    finally:
        _frozen.reset(token)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` (inclusive) to `end` (exclusive)."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"empty period {self.start} – {self.end}")

    def contains(self, day: date) -> bool:
        return self.start <= day < self.end

    def overlaps(self, other: "Period") -> bool:
        return self.start < other.end and other.start < self.end

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def plus_days(day: date, days: int) -> date:
    """The day `days` later."""
    return day + timedelta(days=days)


def plus_months(day: date, months: int) -> date:
    """The same day `months` later, or that month's last day.

    >>> plus_months(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    if not months:
        return day
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, _calendar.monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> int:
    """Full months from one day to another, as `plus_months` counts them; negative when `end` comes before.

    >>> months_between(date(2026, 1, 31), date(2026, 2, 27)), months_between(date(2026, 1, 31), date(2026, 2, 28))
    (0, 1)
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if plus_months(start, months) <= end else months - 1


def add_years(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes the 28th."""
    return plus_months(day, 12 * years)


def days_between(start: date, end: date) -> int:
    """end − start in days."""
    return (end - start).days


def age_on(birth: date, on: date) -> int:
    """Completed years of age on a day."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def stay_days(admitted: date, discharged: date, rule: str = "count_first") -> int:
    """Days of a stay in hospital. "count_first": the day of admission counts, the day of discharge does not (at least
    one day); "count_both": both count. ValueError for an unknown rule or a discharge before the admission."""
    if discharged < admitted:
        raise ValueError("discharged before admitted")
    if rule == "count_first":
        return max(1, days_between(admitted, discharged))
    if rule == "count_both":
        return days_between(admitted, discharged) + 1
    raise ValueError(f"unknown day count rule {rule}")


def format_zh(day: date) -> str:
    """2026年3月1日"""
    return f"{day.year}年{day.month}月{day.day}日"  # zh: this is the Chinese form


_SHAPES = (
    re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"),  # zh: how dates are written
    re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
)


def parse_date(text: str) -> date:
    """A date as people write it; 1900 to 2100; DateError with an example otherwise.

    >>> parse_date("２０２６年2月28日"), parse_date("20260228")
    (datetime.date(2026, 2, 28), datetime.date(2026, 2, 28))
    """
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).removesuffix("00:00:00").removesuffix("T")
    for shape in _SHAPES:
        found = shape.fullmatch(plain)
        if found:
            try:
                day = date(*(int(part) for part in found.groups()))
            except ValueError:
                raise DateError("没有这一天，请对照日历再填") from None
            if FIRST <= day <= LAST:
                return day
            raise DateError("年份不对，请填 1900 到 2100 之间的日期")
    raise DateError("请按“年-月-日”填写日期，例如 2026-03-01")
