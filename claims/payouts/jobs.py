"""Money's work done later, on a queue of its own."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from claims.payouts import recoveries, refusals, services
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import Run, job, timetable


@job("payouts.assemble", queue="payouts", label=_("编制给付批次"), refused=refusals.give_up)
def assemble(run: Run) -> dict[str, Any] | None:
    """Give the next chosen claims their lines."""
    return {"more": 1} if services.add_part(run.subject_ids[0], by=run.by) else None


@job("payouts.assemble_beside", queue="payouts", label=_("编制给付批次"), refused=refusals.was_beside)
def assemble_beside(run: Run) -> dict[str, Any] | None:
    """Give chosen claims their lines beside the worker that makes the batch."""
    return {"more": 1} if services.make_beside(run.subject_ids[0], by=run.by) else None


@job("payouts.release", queue="payouts", label=_("放款"), refused=refusals.stop_release)
def release(run: Run) -> dict[str, Any] | None:
    """Carry out a released batch."""
    after = services.release_part(run.subject_ids[0], run.cursor.get("after", 0), by=run.by)
    return None if after is None else {"after": after}


@job("payouts.release_beside", queue="payouts", label=_("放款"), refused=refusals.was_beside)
def release_beside(run: Run) -> dict[str, Any] | None:
    """Mark claims as being paid beside the worker that releases the batch."""
    return {"more": 1} if services.mark_beside(run.subject_ids[0], by=run.by) else None


@job("payouts.book_return", queue="payouts", label=_("记入回盘"), refused=refusals.take_back_confirmation)
def book_return(run: Run) -> dict[str, Any] | None:
    """Book a result file of the bank."""
    after = services.book_part(run.subject_ids[0], run.cursor.get("after", 0), by=run.by, on=run.on)
    return None if after is None else {"after": after}


@job("payouts.book_beside", queue="payouts", label=_("记入回盘"), refused=refusals.was_beside)
def book_beside(run: Run) -> dict[str, Any] | None:
    """Book lines of a result file beside the worker that books it."""
    after = services.book_beside(run.subject_ids[0], run.cursor.get("after", 0), by=run.by, on=run.on)
    return None if after is None else {"after": after}


@job("recoveries.open", queue="payouts", label=_("发起追回"))
def open_recovery(run: Run) -> dict[str, Any] | None:
    """Begin what a correction found to be owed back."""
    recoveries.open_for(run.subject_ids[0], by=run.by, on=run.on)


@job("recoveries.owe_again", queue="payouts", label=_("撤销停付申领的抵还"))
def owe_again(run: Run) -> dict[str, Any] | None:
    """Turn around what was kept back of a claim that was halted."""
    recoveries.owe_again(run.subject_ids[0], by=SYSTEM, on=run.on)


@timetable
def find_due(on: date) -> None:
    """Reminders of what is not paid back in time."""
    recoveries.find_overdue(on)


@job("recoveries.remind", label=_("提醒退回多付的互助金"))
def remind(run: Run) -> dict[str, Any] | None:
    """Send one reminder."""
    recoveries.remind(run.subject_ids[0], on=run.on)
