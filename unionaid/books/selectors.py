"""The books as they are read: a trial balance of some offices, and one account line by line with what stood after each."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Account, Entry
from unionaid.ledger.selectors import Turnover, turnover

SIDES = {1: _("借"), -1: _("贷"), 0: _("平")}
MOST = 100_000  # lines of a statement that is taken home


@dataclass(slots=True)
class Figures:
    """Fen over some days: what stood before, what came and went, what stands after. Debit positive."""

    opening_fen: int = 0
    debit_fen: int = 0
    credit_fen: int = 0

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.debit_fen - self.credit_fen

    def add(self, row: "Turnover | Figures") -> None:
        self.opening_fen += row.opening_fen
        self.debit_fen += row.debit_fen
        self.credit_fen += row.credit_fen


@dataclass(slots=True)
class FundBooks:
    """The accounts of one kind of fund, of all the offices asked for together, and their sum."""

    fund: Fund
    accounts: dict[Code, Figures] = field(default_factory=dict)
    ids: dict[Code, set[int]] = field(default_factory=dict)

    @property
    def total(self) -> Figures:
        found = Figures()
        for figures in self.accounts.values():
            found.add(figures)
        return found

    @property
    def balances(self) -> bool:
        """Do debits and credits agree, before, within and after?"""
        whole = self.total
        return whole.opening_fen == 0 and whole.debit_fen == whole.credit_fen


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial balance (科目余额表): by fund, and by office what its bank account did."""

    funds: Sequence[FundBooks]
    banks: dict[int, Figures]

    @property
    def balances(self) -> bool:
        return all(books.balances for books in self.funds)


def trial(offices: Collection[int], *, first: date, last: date) -> Trial:
    """The books of these offices together from `first` to `last`, both inclusive. One statement."""
    return trial_of(turnover(offices, first=first, last=last))


def trial_of(rows: Iterable[Turnover]) -> Trial:
    """The trial balance that these accounts make. Pure."""
    by_fund: dict[str, FundBooks] = {}
    banks: dict[int, Figures] = {}
    for row in rows:
        books = by_fund.setdefault(row.fund, FundBooks(Fund(row.fund)))
        code = Code(row.code)
        books.accounts.setdefault(code, Figures()).add(row)
        books.ids.setdefault(code, set()).add(row.account_id)
        bank = banks.setdefault(row.office_id, Figures())
        if code is Code.BANK:
            bank.add(row)
    order = {code: place for place, code in enumerate(Code)}
    for books in by_fund.values():
        books.accounts = dict(sorted(books.accounts.items(), key=lambda pair: order[pair[0]]))
    return Trial([by_fund[fund] for fund in Fund if fund in by_fund], banks)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry of an account, and what stands after it."""

    entry: Entry
    balance_fen: int


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """One account from a day to a day: its figures, and a page of its entries in order. `following` is where the next page begins."""

    figures: Figures
    lines: Sequence[StatementLine]
    following: str


def statement_of(account: Account, *, first: date, last: date, after: str = "", size: int = 100) -> AccountStatement:
    """The entries of an account, `size` at a time; `after` is the `following` of the page before. Three statements."""
    whole = Figures()
    for row in turnover([account.office_id], first=first, last=last, funds=[account.fund]):
        if row.account_id == account.pk:
            whole.add(row)
    entries = Entry.objects.filter(account=account, posted_on__gte=first, posted_on__lte=last)
    balance = whole.opening_fen
    if place := place_of(after):
        day, pk = place
        balance += entries.filter(Q(posted_on__lt=day) | Q(posted_on=day, id__lte=pk)).aggregate(fen=Sum("amount_fen", default=0))["fen"]
        entries = entries.filter(Q(posted_on__gt=day) | Q(posted_on=day, id__gt=pk))
    rows = list(entries.select_related("transaction").order_by("posted_on", "id")[: size + 1])
    lines = []
    for entry in rows[:size]:
        balance += entry.amount_fen
        lines.append(StatementLine(entry, balance))
    end = rows[size - 1] if len(rows) > size else None
    return AccountStatement(whole, lines, f"{end.posted_on:%Y%m%d}.{end.pk}" if end else "")


def place_of(text: str) -> tuple[date, int] | None:
    """Where a page ended; None for no place, and for what is none.

    >>> place_of("20260701.17"), place_of("x")
    ((datetime.date(2026, 7, 1), 17), None)
    """
    day, dot, pk = text.partition(".")
    if not (dot and day.isascii() and day.isdigit() and len(day) == 8 and pk.isascii() and pk.isdigit() and len(pk) < 18):
        return None
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:])), int(pk)
    except ValueError:
        return None


def side_words(fen: int) -> tuple[str | Promise, int]:
    """On which side a balance stands (借、贷、平), and how much."""
    return (SIDES[(fen > 0) - (fen < 0)], abs(fen))
