"""What must hold of money at every moment, each as a sentence and one query that finds where it does not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_lazy as _

SHOWN = 20  # how many of the rows at fault are named


@dataclass(frozen=True, slots=True)
class Invariant:
    """`words` say what holds; `query` (or what makes it) gives (office, which row), and no row when all is well. One statement: it sees
    one moment."""

    code: str
    words: Any
    query: str | Callable[[], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold: where, how often, and the first rows at fault."""

    code: str
    words: Any
    offices: tuple[int, ...]
    count: int
    rows: tuple[str, ...]


def look(invariants: Iterable[Invariant], *, using: str = DEFAULT_DB_ALIAS) -> list[Finding]:
    """Every one of these that does not hold, in the open scope. One statement each."""
    found = []
    with connections[using].cursor() as cursor:
        for one in invariants:
            cursor.execute(one.query if isinstance(one.query, str) else one.query())
            if rows := cursor.fetchall():
                offices = tuple(sorted({row[0] for row in rows if row[0] is not None}))
                found.append(Finding(one.code, one.words, offices, len(rows), tuple(str(row[1]) for row in rows[:SHOWN])))
    return found


LEDGER = (
    Invariant(
        "I1",
        _("每张凭证至少两笔分录，借贷相等"),
        """SELECT t.office_id, t.kind || ' ' || t.id FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id
        GROUP BY t.id HAVING count(e.id) < 2 OR sum(e.amount_fen) <> 0""",
    ),
    Invariant(
        "I2",
        _("分录没有零、没有越界的金额，机构与凭证、科目一致，数据库的校验都在"),
        """SELECT e.office_id, 'ledger_entry ' || e.id FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
          JOIN ledger_account a ON a.id = e.account_id
          WHERE e.amount_fen = 0 OR abs(e.amount_fen) >= 10::bigint ^ 15 OR e.office_id <> t.office_id OR e.office_id <> a.office_id
        UNION ALL SELECT NULL, wanted
          FROM unnest(ARRAY['entry_amount_sane', 'entry_balances', 'transaction_balances', 'posted_once']) wanted
          WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conname = wanted AND convalidated)""",
    ),
)
