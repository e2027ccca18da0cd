"""Work on claims that is done later."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from claims.services import carried, objections, rehearsal
from members.services.voiding import objection
from unionaid.workflow.jobs import Run, job

__all__ = ["carried", "rehearse"]  # `carried` registers what of this floor goes along with a unit

objection(objections.claims_under)


@job("claims.rehearse", queue="reports", label=_("测算条款"))
def rehearse(run: Run) -> dict[str, Any] | None:
    """Run one rehearsal."""
    return rehearsal.advance(run.subject_ids[0], run)
