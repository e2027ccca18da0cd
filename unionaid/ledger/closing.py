"""Closing the books of an office through a day: what each account turned over and holds is kept, and nothing is posted there any more."""

from datetime import date

from django.db import connection
from django.db.models import Max, Min

from unionaid.ledger.models import ClosedPeriod, ClosingBalance, Entry
from unionaid.ledger.selectors import turnover
from unionaid.lib.calendar import plus_days

LOCK = 7306  # whoever posts holds it shared (migration 0003), whoever closes holds it alone


class Busy(Exception):
    """Somebody is posting in this office's books this moment."""


class OutOfOrder(ValueError):
    """The day is closed already, or nothing was ever posted."""


def first_open_day(office_id: int) -> date | None:
    """Where the next period begins: after the last closed one, or on the first of the month of the first entry; None while the books are
    empty."""
    last = ClosedPeriod.objects.filter(office_id=office_id).aggregate(day=Max("last_day"))["day"]
    if last is not None:
        return plus_days(last, 1)
    first: date | None = Entry.objects.filter(office_id=office_id).aggregate(day=Min("posted_on"))["day"]
    return first.replace(day=1) if first else None


def close(office_id: int, *, last: date) -> ClosedPeriod:
    """Close from the first open day through `last` (inclusive). Constant statements. Waits for nobody: Busy while somebody posts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, office_id])
        if not cursor.fetchone()[0]:
            raise Busy
    first = first_open_day(office_id)
    if first is None or first > last:
        raise OutOfOrder
    rows = turnover([office_id], first=first, last=last)
    period = ClosedPeriod.objects.create(office_id=office_id, first_day=first, last_day=last)
    ClosingBalance.objects.bulk_create(
        [
            ClosingBalance(
                office_id=office_id,
                period=period,
                account_id=row.account_id,
                debit_fen=row.debit_fen,
                credit_fen=row.credit_fen,
                balance_fen=row.closing_fen,
            )
            for row in rows
        ]
    )
    return period
