"""The one door of money: `post` and `reverse`; nothing else writes entries, and nothing is ever edited."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Model

from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Account, ClosedPeriod, Entry, Transaction
from unionaid.lib.calendar import plus_days
from unionaid.offices.roles import Actor


class Unbalanced(ValueError):
    """The lines do not sum to zero, or there are fewer than two, or one of them is zero."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a posting: account and fen, debit positive, credit negative."""

    code: Code
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """What one source row causes in the books, on a day of its own when it has one. What happened in a closed period is posted on the
    first open day, and says when it happened."""

    source: Model
    fund: Fund
    lines: tuple[Line, ...]
    note: str = ""
    on: date | None = None


def post(kind: str, postings: Sequence[Posting], *, on: date, by: Actor) -> list[Transaction]:
    """Write one balanced transaction per posting; the office is the source row's.

    Takes many in a constant number of statements. Unique per (kind, source): a second posting of the same
    source raises IntegrityError, which the caller's transaction does not survive.
    """
    for posting in postings:
        _refuse_unbalanced(posting)
    accounts = _accounts(postings)
    opens = first_open_days({p.source.office_id for p in postings})  # type: ignore[attr-defined]
    transactions = Transaction.objects.bulk_create(
        [
            Transaction(
                office_id=p.source.office_id,  # type: ignore[attr-defined]
                kind=kind,
                source_type=p.source._meta.label_lower,
                source_id=p.source.pk,
                **_days(opens.get(p.source.office_id), p.on or on),  # type: ignore[attr-defined]
                posted_by_id=by.user_id,
                note=p.note,
            )
            for p in postings
        ],
        batch_size=2000,
    )
    Entry.objects.bulk_create(
        [
            Entry(
                office_id=row.office_id,
                transaction=row,
                account_id=accounts[(row.office_id, posting.fund, line.code)],
                amount_fen=line.amount_fen,
                posted_on=row.posted_on,
            )
            for row, posting in zip(transactions, postings, strict=True)
            for line in posting.lines
        ],
        batch_size=4000,
    )
    return transactions


def reverse(kind: str, originals: Sequence[Transaction], *, on: date, by: Actor, note: str) -> list[Transaction]:
    """Undo transactions by new ones with every sign turned; an original can be reversed once only."""
    entries: dict[int, list[Entry]] = {}
    for entry in Entry.objects.filter(transaction__in=originals).order_by("id"):
        entries.setdefault(entry.transaction_id, []).append(entry)
    opens = first_open_days({row.office_id for row in originals})
    mirrored = Transaction.objects.bulk_create(
        [
            Transaction(
                office_id=row.office_id,
                kind=kind,
                source_type=row.source_type,
                source_id=row.source_id,
                **_days(opens.get(row.office_id), on),
                posted_by_id=by.user_id,
                note=note,
                reverses=row,
            )
            for row in originals
        ],
        batch_size=2000,
    )
    Entry.objects.bulk_create(
        [
            Entry(
                office_id=new.office_id,
                transaction=new,
                account_id=entry.account_id,
                amount_fen=-entry.amount_fen,
                posted_on=new.posted_on,
            )
            for new, row in zip(mirrored, originals, strict=True)
            for entry in entries[row.pk]
        ],
        batch_size=4000,
    )
    return mirrored


def first_open_days(offices: Collection[int]) -> dict[int, date]:
    """For each of these offices whose books were ever closed, the first day on which something can be posted. One statement."""
    rows = ClosedPeriod.objects.filter(office_id__in=offices).order_by().values("office_id").annotate(last=Max("last_day"))
    return {row["office_id"]: plus_days(row["last"], 1) for row in rows}


def _days(opens: date | None, happened: date) -> dict[str, date | None]:
    """The day of posting, and the day it happened where that is another one."""
    if opens is None or opens <= happened:
        return {"posted_on": happened, "happened_on": None}
    return {"posted_on": opens, "happened_on": happened}


def _refuse_unbalanced(posting: Posting) -> None:
    amounts = [line.amount_fen for line in posting.lines]
    if len(amounts) < 2 or 0 in amounts or sum(amounts) != 0:
        raise Unbalanced(f"{posting.source!r}: {amounts}")


def _accounts(postings: Sequence[Posting]) -> dict[tuple[int, str, str], int]:
    wanted = {
        (p.source.office_id, p.fund, line.code)  # type: ignore[attr-defined]
        for p in postings
        for line in p.lines
    }
    offices = {office for office, _, _ in wanted}
    found = _known(offices)
    missing = [Account(office_id=o, fund=f, code=c) for o, f, c in sorted(wanted - found.keys())]
    if missing:
        Account.objects.bulk_create(missing, ignore_conflicts=True)
        found = _known(offices)
    return found


def _known(offices: set[int]) -> dict[tuple[int, str, str], int]:
    rows = Account.objects.filter(office_id__in=offices).values_list("office_id", "fund", "code", "pk")
    return {(office, fund, code): pk for office, fund, code, pk in rows}
