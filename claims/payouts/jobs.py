"""Money's work done later, on a queue of its own."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from claims.payouts import recoveries, services
from unionaid.workflow.jobs import Run, job


@job("payouts.release", queue="payouts", label=_("放款"))
def release(run: Run) -> dict[str, Any] | None:
    """Carry out a released batch."""
    services.carry_out_release(run.subject_ids[0], by=run.by)


@job("payouts.book_return", queue="payouts", label=_("记入回盘"))
def book_return(run: Run) -> dict[str, Any] | None:
    """Book a result file of the bank."""
    after = services.book_part(run.subject_ids[0], run.cursor.get("after", 0), by=run.by, on=run.on)
    return None if after is None else {"after": after}


@job("recoveries.open", queue="payouts", label=_("发起追回"))
def open_recovery(run: Run) -> dict[str, Any] | None:
    """Begin what a correction found to be owed back."""
    recoveries.open_for(run.subject_ids[0], by=run.by, on=run.on)
