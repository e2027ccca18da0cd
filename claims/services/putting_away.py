"""Claims that were paid some days ago leave the stage of those on their way to their money, and with it the indexes of what waits. Nobody
sees a difference: only what looks for approved claims passes fewer rows."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from claims.models import Claim
from claims.transitions import IN_PAYMENT
from unionaid.lib.calendar import now
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import enqueue

# The house's own figures: the news of a payment are told by then, and so many rows a transaction.
KEEPS, PART = timedelta(days=1), 2_000


def _long_paid() -> QuerySet[Claim]:
    return Claim.objects.filter(stage=IN_PAYMENT[0], state="paid", since__lt=now() - KEEPS)


def find_long_paid(on: date) -> None:
    """Write the day's job where there is something to put away. At most two statements."""
    if _long_paid().exists():
        enqueue("claims.put_away", [((), f"claims.put_away:{on}", None)], by=SYSTEM)


def put_away(cursor: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put the next paid claims away; None when there are none left. Who is being moved this moment waits for the next day."""
    keys = list(_long_paid().order_by("pk").select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)[:PART])
    Claim.objects.filter(pk__in=keys).update(put_away=True)
    return {"done": cursor.get("done", 0) + len(keys)} if keys else None
