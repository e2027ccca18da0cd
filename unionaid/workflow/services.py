"""Acts on the house's own work: letting a failed job run again."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from unionaid.offices.roles import Actor, may
from unionaid.workflow.jobs import KINDS
from unionaid.workflow.models import Job
from unionaid.workflow.moves import NotAllowed, record
from unionaid.workflow.nudge import nudge


def retry(work: Job, *, by: Actor) -> bool:
    """Let a failed job run again from where it stopped; False when it had not failed. Handlers may run any number of times,
    so nothing is done twice."""
    if not may(by, "jobs.retry", work.office_id):
        raise NotAllowed(_("您没有“再试一次”的权限。"))
    again = {"job_state": "queued", "attempts": 0, "not_before": Now(), "finished_at": None}
    if not Job.objects.filter(pk=work.pk, job_state="failed").update(**again):
        return False
    record([work], "retry", by=by)
    transaction.on_commit(lambda: nudge(KINDS[work.kind].queue), robust=True)
    return True
