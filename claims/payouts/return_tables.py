"""A bank's answers in SQL: copied in, held against the lines of their batch (approved = sent = confirmed, to the fen), and booked part by
part, by as many workers as there are. The number of statements is the same for ten lines and for ten thousand. Nothing is guessed: what
does not fit is listed and changes nothing.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from claims.payouts.bank.lines import Answer
from claims.payouts.line_tables import ESCAPES, NULL, PART, PATIENCE
from claims.payouts.models import BankReturn, ReturnPart, ReturnRow
from unionaid.offices.scope import looking_everywhere

Outcome = ReturnRow.Outcome
# A file was found in its scope, and its rows and its batch's lines are named by their keys: whose each is would be asked of every row anew.
_OF_ONE_FILE = "rows of a file that was found in its scope"
_STAGED = """
DROP TABLE IF EXISTS pg_temp.told;
CREATE TEMP TABLE told (row_number integer, reference text, amount_fen bigint, succeeded boolean, reason text) ON COMMIT DROP"""
# What waits to be booked, and in which state its line is as long as it does: the answer to an open line, and that a line which was paid
# has come back.
WAITING = {Outcome.READY: "open", Outcome.CAME_BACK: "succeeded"}
_WAITS = "(" + ", ".join(f"'{outcome}'" for outcome in WAITING) + ")"
_STILL = "(" + ", ".join(f"('{outcome}', '{state}')" for outcome, state in WAITING.items()) + ")"
# Of a line that has its answer already. Banks pay and send back days later.
_LATER = f"""CASE WHEN (l.state = 'succeeded') = t.succeeded THEN '{Outcome.ALREADY}'
  WHEN l.state = 'succeeded' THEN '{Outcome.CAME_BACK}' ELSE '{Outcome.CHANGED}' END"""
# A line is told of once: of equal tellings the first counts; tellings that differ contradict one another, and none counts.
# What was approved was sent: the line's amount and what it keeps back are the claim's amount.
_JUDGE = f"""
ANALYZE told;
INSERT INTO payouts_returnrow (bank_return_id, row_number, reference, amount_fen, succeeded, reason, outcome, line_id)
SELECT %(kept)s, t.row_number, t.reference, t.amount_fen, t.succeeded, t.reason,
  CASE WHEN l.id IS NULL THEN '{Outcome.UNKNOWN}'
    WHEN t.differs THEN '{Outcome.CONTRADICTED}'
    WHEN t.nth > 1 THEN '{Outcome.DUPLICATE}'
    WHEN t.amount_fen IS DISTINCT FROM l.amount_fen OR l.amount_fen + l.set_off_fen <> c.approved_fen THEN '{Outcome.MISMATCH}'
    WHEN t.succeeded IS NULL THEN '{Outcome.PENDING}'
    WHEN l.state <> 'open' THEN {_LATER}
    ELSE '{Outcome.READY}' END, l.id
FROM (SELECT told.*, row_number() OVER one AS nth,
        min((amount_fen, succeeded)::text) OVER (PARTITION BY reference) <> max((amount_fen, succeeded)::text)
          OVER (PARTITION BY reference) AS differs
      FROM told WINDOW one AS (PARTITION BY reference ORDER BY row_number)) t
  LEFT JOIN payouts_payoutline l ON l.reference = t.reference AND l.batch_id = %(batch)s
  LEFT JOIN claims_claim c ON c.id = l.claim_id
ORDER BY t.row_number"""
# A part is so many row numbers of the file, counted from its first; whoever has its first row that waits has the part. What was booked
# meanwhile waits no more: the row is looked at again once it is locked. The first rows are an array, few whatever the table is taken for:
# joined to a table of rows that came since its statistics, they were once looked for among all rows, one by one, for seconds.
_NEXT = f"""
WITH file AS MATERIALIZED (
  SELECT min(row_number) - 1 AS base, max(row_number) - 1 AS last FROM payouts_returnrow WHERE bank_return_id = %(kept)s)
SELECT row_number, (SELECT base FROM file) FROM payouts_returnrow
WHERE bank_return_id = %(kept)s AND outcome IN {_WAITS} AND row_number = ANY (ARRAY(
  SELECT head.row_number
  FROM file, generate_series(greatest(%(after)s - base, 0) / %(size)s, (last - base) / %(size)s) part, LATERAL (
    SELECT row_number FROM payouts_returnrow WHERE bank_return_id = %(kept)s AND outcome IN {_WAITS}
      AND row_number > base + part * %(size)s AND row_number <= base + (part + 1) * %(size)s ORDER BY row_number LIMIT 1) head))
ORDER BY row_number LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"""
# Many may book one file at once, and nobody another file of the batch meanwhile.
_SHARE = "SELECT confirmed_at IS NOT NULL AND booked_at IS NULL FROM payouts_bankreturn WHERE id = %s FOR SHARE"
_KEEP_OUT = "SELECT FROM payouts_bankreturn WHERE id = %s FOR NO KEY UPDATE"
# In a part: what another file has answered meanwhile, and what still waits for its answer.
_READY = f"""
SELECT r.succeeded, r.reason, l.id, l.claim_id, l.amount_fen, l.set_off_fen > 0, l.state <> 'open'
FROM payouts_returnrow r JOIN payouts_payoutline l ON l.id = r.line_id
WHERE r.bank_return_id = %(kept)s AND r.row_number > %(after)s AND r.row_number <= %(upto)s
  AND (r.outcome, l.state) IN {_STILL}
ORDER BY l.id"""
_SAY = f"""
UPDATE payouts_returnrow SET outcome = '{Outcome.BOOKED}'
WHERE bank_return_id = %(kept)s AND row_number > %(after)s AND row_number <= %(upto)s AND outcome IN {_WAITS}"""
_SAY_LATE = f"""
UPDATE payouts_returnrow t SET outcome = {_LATER}
FROM payouts_payoutline l
WHERE l.id = t.line_id AND t.bank_return_id = %(kept)s AND t.row_number > %(after)s AND t.row_number <= %(upto)s
  AND t.outcome IN {_WAITS} AND (t.outcome, l.state) NOT IN {_STILL}"""


def keep_told(kept: BankReturn, told: Iterable[Answer]) -> None:
    """Copy the bank's answers in and say of each what would come of it."""
    lines = (
        f"{one.row_number}\t{one.reference[:60].translate(ESCAPES)}\t{NULL if one.amount_fen is None else one.amount_fen}"
        f"\t{NULL if one.succeeded is None else one.succeeded}\t{one.reason.translate(ESCAPES)}\n"
        for one in told
    )
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(_STAGED)
        cursor.copy_expert("COPY told FROM STDIN", io.StringIO("".join(lines)))
        with looking_everywhere(reason=_OF_ONE_FILE):
            cursor.execute(_JUDGE, {"kept": kept.pk, "batch": kept.batch_id})


class Told(NamedTuple):
    """An answer that can be booked: the line and the claim it settles, and whether the line was paid before (and comes back now)."""

    succeeded: bool
    reason: str
    line: int
    claim: int
    amount_fen: int
    keeps_back: bool
    was_paid: bool


class Part(NamedTuple):
    """Rows of a file that one worker books in one transaction: those above `after` up to `upto`. `first` of them waited for it."""

    first: int
    after: int
    upto: int


def next_part(kept: BankReturn, after: int) -> Part | None:
    """A part above this row that waits and that nobody has, held until the end of the transaction; None when there is none, or the file
    is not to be booked (any more). Whoever books another file of the batch is waited for, and kept out until then."""
    with connection.cursor() as cursor, looking_everywhere(reason=_OF_ONE_FILE):
        cursor.execute(PATIENCE)
        cursor.execute(_NEXT, {"kept": kept.pk, "after": after, "size": PART})
        found = cursor.fetchone()
        if found is None or not _held(kept):
            return None
    first, base = found
    begin = first - (first - base - 1) % PART - 1
    return Part(first, begin, begin + PART)


def _held(kept: BankReturn) -> bool:
    """Is this file to be booked, now that it is shared with those who book it too and kept from those who book another of its batch? In
    the order of their keys, so that two never wait for each other. A file that is confirmed later finds this one and waits for it."""
    others = BankReturn.objects.filter(batch=kept.batch_id, confirmed_at__isnull=False, booked_at=None).exclude(pk=kept.pk)
    to_be_booked = False
    with connection.cursor() as cursor:
        for pk in sorted([kept.pk, *others.values_list("pk", flat=True)]):
            cursor.execute(_SHARE if pk == kept.pk else _KEEP_OUT, [pk])
            if pk == kept.pk:
                to_be_booked = cursor.fetchone()[0]
    return to_be_booked


def read_part(kept: BankReturn, part: Part) -> list[Told]:
    """The answers of a part that can be booked. Of what another file has answered meanwhile it is written down that nothing comes of it."""
    values = {"kept": kept.pk, "after": part.after, "upto": part.upto}
    with connection.cursor() as cursor, looking_everywhere(reason=_OF_ONE_FILE):
        # Nothing but an answer closes a line once it is released: as long as no other file of the batch was booked, none was quicker.
        if ReturnPart.objects.filter(bank_return__batch=kept.batch_id).exclude(bank_return=kept).exists():
            cursor.execute(_SAY_LATE, values)
        cursor.execute(_READY, values)
        return list(map(Told._make, cursor.fetchall()))


def say(kept: BankReturn, part: Part) -> None:
    """Write down of the rows of a part that they are booked: all that `read_part` gave."""
    with connection.cursor() as cursor, looking_everywhere(reason=_OF_ONE_FILE):
        cursor.execute(_SAY, {"kept": kept.pk, "after": part.after, "upto": part.upto})


def waits(kept: BankReturn) -> bool:
    """Does a row of the file still wait to be booked?"""
    with looking_everywhere(reason=_OF_ONE_FILE):
        return ReturnRow.objects.filter(bank_return=kept.pk, outcome__in=WAITING).exists()


def count(kept: BankReturn) -> int:
    """How many answers the file has."""
    with looking_everywhere(reason=_OF_ONE_FILE):
        return ReturnRow.objects.filter(bank_return=kept.pk).count()
