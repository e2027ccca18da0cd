"""Reports built later."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from unionaid.reports import services
from unionaid.workflow.jobs import Run, job


@job("reports.build_yearly", queue="reports", label=_("编制年报"))
def build_yearly(run: Run) -> dict[str, Any] | None:
    """Build one yearly statement."""
    return services.build(run.subject_ids[0], run)
