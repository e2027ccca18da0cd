"""A batch of many claims is made, and later marked as being paid, in parts, each in one transaction, by as many workers as there are: each
takes the next part that nobody has. Whatever becomes of a worker, a part is done or it is not."""

from typing import Any

from django.db import connection
from django.db.models import Sum

from claims.payouts import choosing
from claims.payouts.bank.lines import Totals
from claims.payouts.models import BatchPart, PayoutBatch
from unionaid.offices.roles import Actor

# Of as many claims each, in the order in which they were chosen, the highest amounts first.
_PLAN = """
WITH part AS (
  SELECT nth / %s AS number, count(*) AS count, sum(approved_fen) AS fen, array_agg(id ORDER BY id) AS ids
  FROM (SELECT id, approved_fen, row_number() OVER (ORDER BY approved_fen DESC, id) - 1 AS nth FROM ({chosen}) chosen) numbered GROUP BY 1),
kept AS (
  INSERT INTO payouts_batchpart (batch_id, number, first, size, claim_ids, made)
  SELECT %s, number, number * %s, count, ids, FALSE FROM part)
SELECT coalesce(sum(count), 0), coalesce(sum(fen), 0) FROM part"""


def plan(batch: PayoutBatch, by: Actor, *, size: int) -> Totals:
    """Share out the chosen claims of a new batch among parts of this size: how many claims there are, and what was approved of them. One
    statement."""
    rows = choosing.chosen(choosing.Choice.of(batch.choice), by).values("id", "approved_fen")
    chosen, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_PLAN.format(chosen=chosen), [size, *values, batch.pk, size])
        count, fen = cursor.fetchone()
    return Totals(int(count), int(fen))


def next_part(batch_id: int, state: str, **left: Any) -> tuple[PayoutBatch, BatchPart] | None:
    """The batch and a part of it with this left to do that nobody has, locked; None when there is none, or the batch is not in this state.
    Its state is read once the part is held: who stops the work holds all parts."""
    rows = BatchPart.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    part = rows.filter(batch=batch_id, **left).order_by("number").first()
    batch = PayoutBatch.objects.get(pk=batch_id)
    return (batch, part) if part is not None and batch.state == state else None


def hold(batch_id: int, **left: Any) -> list[int]:
    """Lock the parts with this left to do (all, where nothing is said), once whoever has one is done with it: until the end of this
    transaction nobody takes another. Their keys; some are left where a worker gave its part up."""
    rows = BatchPart.objects.select_for_update(of=("self",), no_key=True).filter(batch=batch_id, **left).order_by("number")
    return list(rows.values_list("pk", flat=True))


def marked(batch: PayoutBatch) -> Totals:
    """How many claims of the batch were marked in all parts, and what they are paid."""
    found = batch.parts.aggregate(count=Sum("marked", default=0), fen=Sum("marked_fen", default=0))
    return Totals(int(found["count"]), int(found["fen"]))
