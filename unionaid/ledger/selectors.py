"""Sums of the books. They start from the balances of the last closed period and read the days after it from one index."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils.functional import Promise

from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Account

# Of each account: what stood before `first`, and what came and went from `first` to `last`. Closed periods that lie wholly inside are
# read from their balances, the days around them from `entry_by_day`.
_TURNOVER = """
WITH closed AS (
  SELECT office_id, min(first_day) AS begins, max(last_day) AS ends FROM ledger_closedperiod
  WHERE office_id = ANY(%(offices)s) AND first_day >= %(first)s AND last_day <= %(last)s GROUP BY office_id)
SELECT a.id, a.office_id, a.fund, a.code,
  (coalesce(stood.fen, 0) + before.fen)::bigint, (inside.debit + head.debit + tail.debit)::bigint,
  (inside.credit + head.credit + tail.credit)::bigint
FROM ledger_account a LEFT JOIN closed ON closed.office_id = a.office_id
LEFT JOIN LATERAL (
  SELECT p.last_day AS day, b.balance_fen AS fen FROM ledger_closedperiod p
    LEFT JOIN ledger_closingbalance b ON b.period_id = p.id AND b.account_id = a.id
  WHERE p.office_id = a.office_id AND p.last_day < %(first)s ORDER BY p.last_day DESC LIMIT 1) stood ON true
CROSS JOIN LATERAL (
  SELECT coalesce(sum(e.amount_fen), 0) AS fen FROM ledger_entry e
  WHERE e.account_id = a.id AND e.posted_on > coalesce(stood.day, '-infinity') AND e.posted_on < %(first)s) before
CROSS JOIN LATERAL (
  SELECT coalesce(sum(b.debit_fen), 0) AS debit, coalesce(sum(b.credit_fen), 0) AS credit FROM ledger_closedperiod p
    JOIN ledger_closingbalance b ON b.period_id = p.id AND b.account_id = a.id
  WHERE p.office_id = a.office_id AND p.first_day >= %(first)s AND p.last_day <= %(last)s) inside
CROSS JOIN LATERAL (
  SELECT coalesce(sum(e.amount_fen) FILTER (WHERE e.amount_fen > 0), 0) AS debit,
    coalesce(-sum(e.amount_fen) FILTER (WHERE e.amount_fen < 0), 0) AS credit FROM ledger_entry e
  WHERE e.account_id = a.id AND e.posted_on >= %(first)s AND e.posted_on <= coalesce(closed.begins - 1, %(last)s)) head
CROSS JOIN LATERAL (
  SELECT coalesce(sum(e.amount_fen) FILTER (WHERE e.amount_fen > 0), 0) AS debit,
    coalesce(-sum(e.amount_fen) FILTER (WHERE e.amount_fen < 0), 0) AS credit FROM ledger_entry e
  WHERE e.account_id = a.id AND e.posted_on > coalesce(closed.ends, 'infinity') AND e.posted_on <= %(last)s) tail
WHERE a.office_id = ANY(%(offices)s) AND a.fund = ANY(%(funds)s)
ORDER BY a.office_id, a.fund, a.code
"""


@dataclass(frozen=True, slots=True)
class Turnover:
    """One account over some days: fen before the first of them, debited and credited on them."""

    account_id: int
    office_id: int
    fund: str
    code: str
    opening_fen: int
    debit_fen: int
    credit_fen: int

    @property
    def closing_fen(self) -> int:
        """The balance after the last day; debit positive."""
        return self.opening_fen + self.debit_fen - self.credit_fen

    @property
    def label(self) -> str | Promise:
        return Code(self.code).label


def turnover(offices: Collection[int], *, first: date, last: date, funds: Collection[str] = Fund.values) -> list[Turnover]:
    """Every account of these offices from `first` to `last`, both inclusive. One statement, in the open scope."""
    told = {"offices": sorted(offices), "funds": sorted(funds), "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_TURNOVER, told)
        return [Turnover(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Holding:
    """The money of one fund of one office, in fen. What lies at the bank is not all the fund's own: what arrived and is not matched yet
    belongs to who sent it, what is to be refunded is owed, and what is in transit has left already."""

    bank_fen: int = 0
    unapplied_fen: int = 0
    refundable_fen: int = 0
    in_transit_fen: int = 0

    @property
    def free_fen(self) -> int:
        """What the fund can pay out of; below zero when more left than there was."""
        return self.bank_fen - self.unapplied_fen - self.refundable_fen - self.in_transit_fen


def holding(office_id: int, fund: str) -> Holding:
    """What a fund holds after everything posted so far. One statement."""
    rows = turnover([office_id], first=date.max, last=date.max, funds=[fund])
    fen = {row.code: row.closing_fen for row in rows}
    owed = {name: -fen.get(code, 0) for name, code in _OWED.items()}
    return Holding(bank_fen=fen.get(Code.BANK, 0), **owed)


_OWED = {"unapplied_fen": Code.UNAPPLIED, "refundable_fen": Code.REFUNDABLE, "in_transit_fen": Code.IN_TRANSIT}


def lock_fund(office_id: int, fund: str) -> None:
    """Hold this fund until the end of the transaction: nobody else decides on the same money meanwhile. Postings go on."""
    list(Account.objects.select_for_update(no_key=True).filter(office_id=office_id, fund=fund, code=Code.BANK).values_list("pk"))
