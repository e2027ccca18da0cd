"""A batch's lines in SQL: the claims are read and locked some thousand at a time, each account is opened, held against what the bank's
file can take and sealed for its line, and the lines are copied in. The number of statements is the same for one and for ten thousand.

Row security keeps COPY from the lasting tables, so lines are copied into one of the transaction's own and go on from there.
"""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from claims.models import Claim
from claims.payouts.bank import formats
from claims.payouts.bank.lines import Payment
from claims.payouts.models import BatchPart, PayoutBatch, PayoutLine
from claims.payouts.recoveries import set_off
from members.services.people import CARDS
from unionaid.lib.memory import without_collector
from unionaid.offices.scope import looking_everywhere
from unionaid.web.keys import ring
from unionaid.web.rows import as_array

LINES = "payouts_payoutline"
# So many lines a transaction or statement: what a worker that dies leaves undone, and what stands in memory.
PART = 10_000
# This is work for many lines: it may take longer on a busy day than what a page waits for.
PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '1min'; SET LOCAL work_mem = '64MB'"

# Locked first and read after: what was changed while this waited for the lock, such as the account, is read as it is now.
_LOCK = "SELECT FROM claims_claim WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
# A claim whose payment came back brings the failed line along, or the last of those that were to pay it again and were taken out of their
# batch: amount and what was kept back stay as they were, and every line but the first names the one before. The claims are the office's
# own, as the lock found them; whose card a claim names is then not asked again of each (it would be, as that member's).
_READ = """
SELECT c.id, c.number, c.approved_fen, k.id, k.number, k.owner_name, k.bank_name, k.last_four, f.id, f.amount_fen, f.set_off_fen,
  f.set_off_against_id, c.payable_on, f.id IS NULL AND EXISTS (SELECT FROM payouts_recovery r
    WHERE r.claimant_id = c.claimant_id AND r.office_id = c.office_id AND r.state = 'open')
FROM claims_claim c LEFT JOIN members_bankcard k ON k.id = c.card_id
  LEFT JOIN payouts_payoutline f ON f.claim_id = c.id AND NOT f.counts AND (f.state = 'failed' OR f.reissue_of_id IS NOT NULL)
    AND NOT EXISTS (SELECT FROM payouts_payoutline again WHERE again.reissue_of_id = f.id)
WHERE c.id = ANY(%s::bigint[]) AND c.office_id = %s AND (c.state = 'approved' OR %s) ORDER BY c.id"""
_STAGED = """
DROP TABLE IF EXISTS pg_temp.new_lines;
CREATE TEMP TABLE new_lines (
  sequence integer, claim_id bigint, payee_name text, bank_name text, account_number bytea, account_last_four text, amount_fen bigint,
  set_off_fen bigint, set_off_against_id bigint, reference text, reissue_of_id bigint) ON COMMIT DROP"""
_COLUMNS = (
    "sequence, claim_id, payee_name, bank_name, account_number, account_last_four, amount_fen, set_off_fen, set_off_against_id, reference,"
    " reissue_of_id"
)
_KEEP = f"""
INSERT INTO payouts_payoutline (office_id, batch_id, state, version, bank_reason, {_COLUMNS})
SELECT %(office)s, %(batch)s, %(state)s, 1, '', {_COLUMNS} FROM new_lines ORDER BY sequence"""
_OPEN = """
SELECT claim_id, sequence, account_number, payee_name, bank_name, amount_fen, reference FROM payouts_payoutline
WHERE batch_id = %s AND state = 'open' AND sequence > %s AND sequence <= %s ORDER BY sequence"""
NULL, BYTES = "\\N", "\\\\x"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A claim that cannot go into the batch, and why."""

    claim: str
    why: str


@dataclass(slots=True)
class Added:
    """What one part brought: the lines, their sum, the claims that cannot be paid so."""

    count: int
    total_fen: int
    left_out: list[LeftOut]


class TakenElsewhere(Exception):
    """One of the claims has an open line in another batch."""


class HadAPart(Exception):
    """Who makes the batch had a part in one of the claims, or is paid by it."""


def stage(batch: PayoutBatch, claim_ids: Collection[int], *, after: int, all_of_them: bool = True) -> tuple[Added, list[int]]:
    """Lock these claims and stage lines for them, numbered from `after` + 1; what came of it, and the claims that have a line now. What a
    bank's file cannot hold is left out with the reason; without `all_of_them` what does not wait any more is passed over."""
    added, ids, keys = Added(0, 0, []), list[int](), as_array(sorted(claim_ids))
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(_LOCK, [keys])
        with looking_everywhere(reason="accounts of the office's own claims"):
            cursor.execute(_READ, [keys, batch.office_id, all_of_them])
        rows = cursor.fetchall()
        kept_back = _kept_back(batch, [row[0] for row in rows if row[-1]])
        cursor.execute(_STAGED)
        cursor.copy_expert("COPY new_lines FROM STDIN", io.StringIO("".join(_staged(batch, rows, kept_back, after, added, ids))))
    return added, ids


def keep(batch: PayoutBatch) -> None:
    """Keep the staged lines. TakenElsewhere when one of the claims has an open line already; HadAPart when it is not the maker's to pay
    (the database asks it of all new lines, migration 0004)."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_KEEP, {"office": batch.office_id, "batch": batch.pk, "state": PayoutLine.graph.initial})
    except IntegrityError as error:
        if "batch_people_apart" in str(error):
            raise HadAPart from error
        if "claim_paid_once" not in str(error):
            raise
        raise TakenElsewhere from error


def _staged(
    batch: PayoutBatch, rows: Sequence[tuple[Any, ...]], kept_back: Mapping[int, PayoutLine], after: int, added: Added, ids: list[int]
) -> Iterator[str]:
    """Each line as COPY reads it, told in `added`; the claims that have one are put into `ids`."""
    open_, seal = ring().open_many((CARDS, "number")), ring().seal_many((LINES, "account_number"))
    unfit = formats.unfit_of(batch.bank_format)
    sequence = after
    for claim, number, approved, card, sealed, name, bank, last_four, failed, fen, set_off_fen, against, payable_on, _owes in rows:
        if failed is None:
            line = kept_back.get(claim)
            fen, set_off_fen, against = (line.amount_fen, line.set_off_fen, line.set_off_against_id) if line else (approved, 0, None)
        if card is None:
            added.left_out.append(LeftOut(number, _("没有收款账户")))
            continue
        if payable_on is not None and payable_on > batch.business_on:
            added.left_out.append(LeftOut(number, _("收款账户刚改过，{day}起可以发放").format(day=date_format(payable_on))))
            continue
        reference = f"{batch.number}{sequence + 1:05d}"
        account = open_(sealed, card)
        if why := unfit(Payment(sequence + 1, account, name, bank, fen, reference)):
            added.left_out.append(LeftOut(number, why))
            continue
        sequence += 1
        ids.append(claim)
        added.count, added.total_fen = added.count + 1, added.total_fen + fen
        yield (
            f"{sequence}\t{claim}\t{_plain(name)}\t{_plain(bank)}\t{BYTES}{seal(account, reference).hex()}"
            f"\t{last_four}\t{fen}\t{set_off_fen}\t{against or NULL}\t{reference}\t{failed or NULL}\n"
        )


def _plain(text: str) -> str:
    """For COPY, a text in which every character can be seen: nothing but a backslash is to be told from a sign of COPY's own."""
    return text.replace("\\", "\\\\")


def _kept_back(batch: PayoutBatch, claim_ids: Collection[int]) -> dict[int, PayoutLine]:
    """Lines that keep something back for an over-payment, by claim; these are the claims of claimants who owe something."""
    rows = Claim.objects.filter(pk__in=claim_ids).select_related("terms").order_by("pk") if claim_ids else ()
    lines = [PayoutLine(office_id=batch.office_id, claim=claim, amount_fen=claim.approved_fen, set_off_fen=0) for claim in rows]
    set_off(lines)
    return {line.claim_id: line for line in lines if line.set_off_fen}


def open_lines(part: BatchPart) -> tuple[list[int], list[Payment]]:
    """The claims and the payments of a part's open lines in the order of their numbers, their accounts opened. One statement."""
    open_ = ring().open_many((LINES, "account_number"))
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(_OPEN, [part.batch_id, part.first, part.first + part.size])
        rows = cursor.fetchall()
    with without_collector():
        payments = [Payment(number, open_(sealed, ref), name, bank, fen, ref) for _claim, number, sealed, name, bank, fen, ref in rows]
    return [row[0] for row in rows], payments


def claims_and_lines(batch: PayoutBatch) -> Iterator[tuple[list[int], list[int]]]:
    """Keys of the claims and of the open lines of a batch, `PART` at a time, in the order of the claims' keys."""
    pairs = list(PayoutLine.objects.filter(batch=batch, state="open").order_by("claim_id").values_list("claim_id", "pk"))
    for i in range(0, len(pairs), PART):
        part = pairs[i : i + PART]
        yield [claim for claim, _line in part], [line for _claim, line in part]
