"""Reports built later."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from unionaid.reports import money, services
from unionaid.workflow.jobs import Run, job, timetable


@timetable
def find_due(on: date) -> None:
    """The audit of the day."""
    money.find(on)


@job("reports.audit_money", queue="reports", label=_("核对资金"))
def audit_money(run: Run) -> dict[str, Any] | None:
    """Look at every invariant of money of one tree of offices."""
    money.keep(run.subject_ids[0], run.on)


@job("reports.build_yearly", queue="reports", label=_("编制年报"))
def build_yearly(run: Run) -> dict[str, Any] | None:
    """Build one yearly statement."""
    return services.build(run.subject_ids[0], run)
