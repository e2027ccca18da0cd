"""Work of this room done later."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from members.services import rosters
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import Run, job


@job("members.check_roster", label=_("核对名册"))
def check_roster(run: Run) -> dict[str, Any] | None:
    """Read and judge an uploaded roster."""
    rosters.check(run.subject_ids[0], by=SYSTEM, on=run.on)


@job("members.commit_roster", label=_("登记名册"))
def commit_roster(run: Run) -> dict[str, Any] | None:
    """Enrol the good rows of a confirmed roster."""
    rosters.commit(run.subject_ids[0], by=SYSTEM, on=run.on)
