"""Handing the next claim to one reviewer (领取下一件): never one claim to two people, and never for longer than the lease."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from claims.models import Claim
from claims.selectors.queue import not_held, queues_of, theirs
from claims.services.screening import screen
from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor

LEASE = timedelta(minutes=15)


def take_next(*, by: Actor, queue: str = "", leave: int | None = None) -> Claim | None:
    """The claim that has waited longest for a step this person may take, theirs for the lease; None when nothing waits for them.

    `queue`: only that state. `leave`: the claim they had and put back undecided; the one after it comes, and at the end the
    first again. The flags of what is handed out are computed anew.
    """
    with transaction.atomic():
        left = _put_back(leave, by) if leave else None
        for waiting in queues_of(by):
            if queue in ("", waiting[0]):
                rows = not_held(theirs(waiting, by), by)
                claim = _handed(rows, left)
                if claim:
                    held = {"held_by": by.user_id, "held_until": now() + LEASE, "held_state": claim.state}
                    Claim.objects.filter(pk=claim.pk).update(**held)
                    screen([claim])
                    return claim
    return None


def _handed(rows: QuerySet[Claim], left: Claim | None) -> Claim | None:
    if left is None or left.stage_since is None:
        return _locked(rows)
    later = rows.filter(Q(stage_since__gt=left.stage_since) | Q(stage_since=left.stage_since, pk__gt=left.pk))
    return _locked(later) or _locked(rows.exclude(pk=left.pk))


def _locked(rows: QuerySet[Claim]) -> Claim | None:
    """The first row, locked; one that somebody is just being handed is passed over, not waited for."""
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=True).order_by("stage_since", "pk").first()


def _put_back(pk: int, by: Actor) -> Claim | None:
    """Give a claim back to its queue; whoever does not have it changes nothing."""
    Claim.objects.filter(pk=pk, held_by=by.user_id).update(held_by=None, held_until=None, held_state="")
    return Claim.objects.filter(pk=pk).first()
