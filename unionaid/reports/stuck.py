"""Work that stands still: jobs that failed or hang, batches that should long have gone on. Looked for every few minutes, shown at the
desk, and cried out to those who watch over the house: once a day for the same work, at once for other work."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from claims.payouts.standstill import standing_still
from unionaid.lib.calendar import day_of
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM
from unionaid.web.alarm import tell_watchers
from unionaid.workflow.jobs import KINDS, enqueue
from unionaid.workflow.selectors import stuck_jobs

logger = logging.getLogger(__name__)
MOST = 200  # of a kind, in one report


@dataclass(frozen=True, slots=True)
class Stuck:
    """One piece of work that stands still: what it is, how it stands, since when. No name and no number of a person is in it."""

    key: str
    what: str | Promise
    standing: str | Promise
    since: date

    def __str__(self) -> str:
        return f"{self.key} {self.what}: {self.standing} ({self.since})"


def look(on: date) -> list[Stuck]:
    """What stands still in the open scope. Two statements."""
    jobs = [
        Stuck(f"job {job.pk}", getattr(KINDS.get(job.kind), "label", job.kind), job.get_job_state_display(), day_of(job.created_at))
        for job in stuck_jobs().order_by("id")[:MOST]
    ]
    batches = [
        Stuck(f"batch {batch.number}", _("给付批次"), batch.state_label, day_of(batch.released_at or batch.assembled_at))
        for batch in standing_still(on)[:MOST]
    ]
    return jobs + batches


def find(on: date) -> None:
    """Have it cried out when something stands still that was not cried out today."""
    found = look(on)
    top = Office.objects.filter(parent=None).order_by("pk").first()
    if found and top is not None:
        same = hashlib.sha256("\n".join(one.key for one in found).encode()).hexdigest()[:16]
        enqueue("reports.tell_stuck", [(top.pk, f"reports.tell_stuck:{on}:{same}", None)], by=SYSTEM)


def tell(on: date) -> int:
    """Cry out what stands still now; how much it is. What has gone on meanwhile is not told."""
    found = look(on)
    if found:
        lines = [str(one) for one in found]
        logger.critical("work stands still: %s", "; ".join(lines))
        tell_watchers(_("{count} 项工作停住了（{day}）").format(count=len(found), day=on), "\n".join(lines))
    return len(found)
