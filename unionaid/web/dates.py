"""Days as pages say them, in the reader's language."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _


def span(first: date, last: date) -> str:
    """2026年1月6日 至 2026年12月31日; both days are meant."""
    return _("{first} 至 {last}").format(first=date_format(first), last=date_format(last))


def long_day(day: date) -> str:
    """2026年12月31日"""
    return date_format(day)


def length(months: int) -> str:
    """How long cover runs: whole years as years, the rest in months."""
    years, rest = divmod(months, 12)
    return _("{months} 个月").format(months=months) if rest else _("{years} 年").format(years=years)
