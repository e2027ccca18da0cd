"""What was asked for and then refused when its work began: nothing has left and nothing more is booked, and whoever may can ask for it
again."""

from claims.models import Claim
from claims.payouts import line_tables, parts, services
from claims.payouts.models import BankReturn, PayoutBatch
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.moves import move, record
from unionaid.workflow.moves_in_sets import move_set


def give_up(batch_id: int, why: str) -> None:
    """A batch that is not made after all: it is cancelled with the reason, and all its claims wait for another one. Whoever makes a part
    beside is waited for."""
    parts.hold(batch_id)
    batch = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    if batch.state == "assembling":
        services.cancel(batch, by=SYSTEM, note=why)


def stop_release(batch_id: int, why: str) -> None:
    """A batch that is not released after all: it is checked and waits, its claims are in it as before, none of its parts is marked, and the
    reason is in its record. Whoever marks a part beside is waited for, and what it marked is put back as well."""
    parts.hold(batch_id)
    batch = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    if batch.state != "releasing":
        return
    for claims, _lines in line_tables.claims_and_lines(batch):
        marked = Claim.objects.filter(pk__in=claims, state="paying").order_by("pk").values_list("pk", flat=True)
        move_set(Claim, list(marked), "stop_release", by=SYSTEM)
    batch.parts.update(marked=None, marked_fen=None, piece=None)
    move([batch], "stop_release", by=SYSTEM, note=why, changes={"released_by": None, "released_at": None})


def take_back_confirmation(return_id: int, why: str) -> None:
    """A result file that is not booked after all, or not to its end: it waits for a look. What was booked of it stays booked, once; whoever
    books of it beside is waited for and finds it taken back."""
    kept = BankReturn.objects.select_for_update().get(pk=return_id)
    if kept.booked_at is None:
        BankReturn.objects.filter(pk=kept.pk).update(confirmed_at=None, confirmed_by=None)
        record([kept], "refuse_return", by=SYSTEM, note=why)


def was_beside(_subject_id: int, _why: str) -> None:
    """Nothing waits for who works beside: the work itself is refused as well, and says so."""
