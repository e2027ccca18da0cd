"""Days as pages say them, in the reader's language."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _


def span(first: date, last: date) -> str:
    """2026年1月6日 至 2026年12月31日; both days are meant."""
    return _("{first} 至 {last}").format(first=date_format(first), last=date_format(last))
