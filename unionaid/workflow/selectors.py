"""Reading what was done and what is being done."""

from django.db.models import Model, QuerySet

from unionaid.lib.calendar import now
from unionaid.workflow.jobs import STALE_AFTER
from unionaid.workflow.models import AuditEntry, Job


def history_of(thing: Model) -> QuerySet[AuditEntry]:
    """Every act on this thing, oldest first."""
    return AuditEntry.objects.filter(entity=thing._meta.label_lower, entity_id=thing.pk).order_by("id")


def job_by_key(key: str) -> Job | None:
    """The job written under this key, when it is in scope."""
    return Job.objects.filter(key=key).first()


def stuck_jobs() -> QuerySet[Job]:
    """Work that failed, or runs without a sign of life, or has waited far too long."""
    old = now() - 10 * STALE_AFTER
    return Job.objects.filter(job_state="failed") | Job.objects.filter(
        job_state__in=["queued", "running"], not_before__lt=old
    )
