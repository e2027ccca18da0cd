"""A bank's answers in SQL: copied in, held against the lines of their batch (approved = sent = confirmed, to the fen), and booked part by
part. The number of statements is the same for ten lines and for ten thousand. Nothing is guessed: what does not fit is listed and changes
nothing.
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
    WHEN l.state <> 'open' THEN CASE WHEN (l.state = 'succeeded') = t.succeeded THEN '{Outcome.ALREADY}' ELSE '{Outcome.CHANGED}' END
    ELSE '{Outcome.READY}' END, l.id
FROM (SELECT told.*, row_number() OVER one AS nth,
        min((amount_fen, succeeded)::text) OVER (PARTITION BY reference) <> max((amount_fen, succeeded)::text)
          OVER (PARTITION BY reference) AS differs
      FROM told WINDOW one AS (PARTITION BY reference ORDER BY row_number)) t
  LEFT JOIN payouts_payoutline l ON l.reference = t.reference AND l.batch_id = %(batch)s
  LEFT JOIN claims_claim c ON c.id = l.claim_id
ORDER BY t.row_number"""
# In a part: what another file has answered meanwhile, and what still waits for its answer.
_READY = f"""
SELECT r.succeeded, r.reason, l.id, l.claim_id, l.amount_fen, l.set_off_fen > 0
FROM payouts_returnrow r JOIN payouts_payoutline l ON l.id = r.line_id
WHERE r.bank_return_id = %(kept)s AND r.row_number > %(after)s AND r.row_number <= %(upto)s AND r.outcome = '{Outcome.READY}'
  AND l.state = 'open'
ORDER BY l.id"""
_SAY = f"""
UPDATE payouts_returnrow SET outcome = '{Outcome.BOOKED}'
WHERE bank_return_id = %(kept)s AND row_number > %(after)s AND row_number <= %(upto)s AND outcome = '{Outcome.READY}'"""
_SAY_LATE = f"""
UPDATE payouts_returnrow r
SET outcome = CASE WHEN (l.state = 'succeeded') = r.succeeded THEN '{Outcome.ALREADY}' ELSE '{Outcome.CHANGED}' END
FROM payouts_payoutline l
WHERE l.id = r.line_id AND r.bank_return_id = %(kept)s AND r.row_number > %(after)s AND r.row_number <= %(upto)s
  AND r.outcome = '{Outcome.READY}' AND l.state <> 'open'"""


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
    """An answer that can be booked: the line and the claim it settles."""

    succeeded: bool
    reason: str
    line: int
    claim: int
    amount_fen: int
    keeps_back: bool


def next_part(kept: BankReturn, after: int) -> tuple[list[Told], int | None]:
    """The answers of the next rows of the file that can be booked, and the last row of this part; None when there is no row any more. Of
    what another file has answered meanwhile it is written down that nothing comes of it. The caller holds the lock on the batch."""
    with connection.cursor() as cursor, looking_everywhere(reason=_OF_ONE_FILE):
        cursor.execute(PATIENCE)
        cursor.execute(
            "SELECT max(row_number) FROM (SELECT row_number FROM payouts_returnrow WHERE bank_return_id = %s AND row_number > %s"
            " ORDER BY row_number LIMIT %s) part", [kept.pk, after, PART],
        )  # fmt: skip
        upto = cursor.fetchone()[0]
        if upto is None:
            return [], None
        part = {"kept": kept.pk, "after": after, "upto": upto}
        # Nothing but an answer closes a line once it is released: as long as no other file of the batch was booked, none was quicker.
        if ReturnPart.objects.filter(bank_return__batch=kept.batch_id).exclude(bank_return=kept).exists():
            cursor.execute(_SAY_LATE, part)
        cursor.execute(_READY, part)
        return list(map(Told._make, cursor.fetchall())), upto


def say(kept: BankReturn, *, after: int, upto: int) -> None:
    """Write down of the rows of a part that they are booked: all that `next_part` gave."""
    with connection.cursor() as cursor, looking_everywhere(reason=_OF_ONE_FILE):
        cursor.execute(_SAY, {"kept": kept.pk, "after": after, "upto": upto})


def count(kept: BankReturn) -> int:
    """How many answers the file has."""
    with looking_everywhere(reason=_OF_ONE_FILE):
        return ReturnRow.objects.filter(bank_return=kept.pk).count()
