"""Doing it later, one way: a Job row written with the change, a register of handlers, claim-run-finish.

Nothing is sent by hand: `enqueue` writes rows in the caller's transaction and, after the commit, nudges the
broker; when the broker is down the nudge is lost and the timetable's sweep finds the rows. A handler
may run any number of times, may stop anywhere, and does a chunk at a time: it returns a cursor to be called again,
or None when all is done.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from unionaid.accounts.models import User
from unionaid.lib.calendar import today
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers, staff_actor
from unionaid.workflow import progress
from unionaid.workflow.models import Job
from unionaid.workflow.nudge import nudge

logger = logging.getLogger(__name__)
STALE_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 5


class JobRefused(Exception):
    """The work cannot be done and trying again will not help: final at once; the message is shown to the requester."""


@dataclass
class Run:
    """What a handler sees of its job: whose it is, what about, the business day it was asked for (whatever day it runs
    on), how far it came, the how-manieth claim of it this is, and a way to tell progress. A handler that cannot go on yet
    sets `wait`: what it did is kept, and it is called again with its cursor after so long."""

    job_id: int
    subject_ids: list[int]
    by: Actor
    on: date
    cursor: dict[str, Any]
    result: dict[str, Any] = field(default_factory=dict)
    stage: str = ""
    done: int = 0
    total: int = 0
    claim: int = 0
    wait: timedelta | None = None
    public_id: uuid.UUID | None = None

    def tell(self, stage: str, *, done: int = 0, total: int = 0) -> None:
        """Show this stage on the job's page at once, while the transaction of the work is still open. The words are told in the
        language of the source and translated where they are read."""
        self.stage = stage
        if self.public_id is not None:
            progress.tell(self.public_id, stage, done, total)


Handler = Callable[[Run], dict[str, Any] | None]
# Of a job that was refused: what it is about (id), and why → what waited for it stands again where it was before it was asked for.
PutBack = Callable[[int, str], None]


@dataclass(frozen=True)
class Kind:
    name: str
    handler: Handler
    queue: str
    label: Any
    refused: PutBack | None = None


KINDS: dict[str, Kind] = {}
# (kind, side of the counter) → the right its result asks for, and its address by the id of the job's subject
RESULT_PAGES: dict[tuple[str, str], tuple[str, Callable[[int], str]]] = {}


def job(name: str, *, queue: str = "default", label: Any = "", refused: PutBack | None = None) -> Callable[[Handler], Handler]:
    """Register a handler under the kind's name. `refused`: where something waits for the work, what puts it back."""

    def register(handler: Handler) -> Handler:
        if name in KINDS:
            raise ValueError(f"two job handlers are called {name}")
        KINDS[name] = Kind(name, handler, queue, label or name, refused)
        return handler

    return register


# Asked again and again, each in everything that is open: what is due and not done is written as jobs.
DUE: list[Callable[[date], None]] = []


def timetable(find: Callable[[date], None]) -> Callable[[date], None]:
    """Register a question "what is due and not done on this day?". It writes jobs and changes nothing else; asked twice it writes
    them once."""
    DUE.append(find)
    return find


def ask_what_is_due() -> None:
    """Ask every such question; a day on which nobody asked is caught up with the next time."""
    for find in DUE:
        with everywhere(reason="what is due and not done"):
            find(today())


def result_page(kind: str, side: str, action: str) -> Callable[[Callable[[int], str]], Callable[[int], str]]:
    """Register where the result of this kind of job is shown on this side ("desk", "unit", "my") to those who may take
    `action`: subject id → address."""

    def register(address: Callable[[int], str]) -> Callable[[int], str]:
        RESULT_PAGES[kind, side] = (action, address)
        return address

    return register


def enqueue(
    kind: str,
    subjects: Iterable[tuple[int | Sequence[int], str, Any]],
    *,
    by: Actor,
    permission: str = "",
    office_id: int | None = None,
    unit_id: int | None = None,
    not_before: datetime | Combinable | None = None,
) -> list[Job]:
    """Write one job per (id or several, key, row-or-None) in this transaction; a key that was used before is not written again.

    The office is the row's; `permission` is asked again of the requester when the job runs; `not_before` keeps it waiting.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    jobs = Job.objects.bulk_create(
        [
            Job(
                kind=kind,
                key=key,
                subject_ids=[pk] if isinstance(pk, int) else list(pk),
                requested_by_id=by.user_id,
                permission=permission,
                business_on=today(),
                office_id=office_id if office_id is not None else getattr(row, "office_id", None),
                unit_key=unit_id if unit_id is not None else getattr(row, "unit_id", None),
                **({"not_before": not_before} if not_before else {}),
            )
            for pk, key, row in subjects
        ],
        ignore_conflicts=True,
        batch_size=2000,
    )
    transaction.on_commit(lambda: nudge(KINDS[kind].queue), robust=True)
    return jobs


AT_ONCE = 50


def run_due(queue: str, *, limit: int = AT_ONCE) -> int:
    """Claim and run the due jobs of this queue, one after another; how many were run."""
    ran = 0
    while ran < limit and (claimed := _claim(queue)) is not None:
        run_job(claimed)
        ran += 1
    return ran


def _claim(queue: str) -> int | None:
    """The next due job, taken. Due and stale by the database's clock: hosts whose clocks differ agree."""
    kinds = [kind.name for kind in KINDS.values() if kind.queue == queue]
    stale = Q(job_state="running", beat_at__lt=Now() - STALE_AFTER)
    due = Q(job_state="queued", not_before__lte=Now()) | stale
    with everywhere(reason="claim a due job"):
        row = (
            Job.objects.select_for_update(skip_locked=True)
            .filter(due, kind__in=kinds)
            .order_by("not_before", "id")
            .values_list("id", flat=True)
            .first()
        )
        if row is None:
            return None
        Job.objects.filter(pk=row).update(
            job_state="running", beat_at=Now(), started_at=Now(), attempts=F("attempts") + 1
        )
        return row


@override(settings.LANGUAGE_CODE)
def run_job(job_id: int) -> None:
    """Run a claimed job chunk by chunk, each chunk and its cursor in one transaction, until it is done. What it writes down is
    Chinese, whatever language its thread spoke before."""
    while True:
        try:
            more = _carry_on(job_id)
        except Exception as error:  # the job's outcome is recorded whatever went wrong
            logger.exception("job %s failed", job_id)
            _try_later(job_id, error)
            return
        if not more:
            return


def _carry_on(job_id: int) -> bool:
    try:
        return _run_chunk(job_id)
    except JobRefused as refusal:
        _refuse(job_id, str(refusal))
        return False


def _refuse(job_id: int, why: str) -> None:
    """It will not be done. What is put back can be asked for again, by whoever may: the job gives its key free. Of what is not, the job
    stands among those that people have to look at."""
    with everywhere(reason="record a job's outcome"), transaction.atomic():
        work = Job.objects.select_for_update().get(pk=job_id)
        told = {"error": why[:2000], "finished_at": Now()}
        if put_back := KINDS[work.kind].refused:
            put_back(work.subject_ids[0], why)
            told |= {"job_state": "refused", "key": f"{work.key}:{work.pk}"}
        Job.objects.filter(pk=job_id).update(**{"job_state": "failed", **told})


def _run_chunk(job_id: int) -> bool:
    with everywhere(reason="read a claimed job"):
        work = Job.objects.select_for_update().get(pk=job_id)
        if work.job_state != "running":
            return False
        by = requester(work)
        if work.permission and not may(by, work.permission, work.office_id):
            raise JobRefused(_("申请这项任务的人已没有相应的权限。"))
        run = Run(
            job_id=work.pk,
            subject_ids=list(work.subject_ids),
            by=by,
            on=work.business_on,
            cursor=dict(work.cursor),
            result=dict(work.result),
            stage=work.stage,
            done=work.done_count,
            total=work.total_count,
            public_id=work.public_id,
            claim=work.attempts,
        )
        scope = Scope(offices=covers(work.office)) if work.office else Scope(reason=f"job {work.kind}")
        with office_scope(scope):
            cursor = KINDS[work.kind].handler(run)
        done = cursor is None
        pause = {"attempts": 0, "not_before": Now() + run.wait} if run.wait and not done else {}
        Job.objects.filter(pk=job_id).update(
            cursor=cursor or {},
            result=run.result,
            stage=run.stage,
            done_count=run.done,
            total_count=run.total,
            beat_at=Now(),
            job_state="done" if done else "queued" if pause else "running",
            finished_at=Now() if done else None,
            **pause,
        )
        return not done and not pause


def requester(work: Job) -> Actor:
    """The person who asked for the job, with the rights they hold now; the system for its own jobs.

    Agents and workers ask through services that checked their right when the job was written; their jobs carry no
    `permission` and act with the requester's name only.
    """
    if work.requested_by_id is None:
        return SYSTEM
    user: User = work.requested_by
    if not user.is_active:
        raise JobRefused(_("申请这项任务的账号已停用。"))
    return staff_actor(user, on=today())


def _try_later(job_id: int, error: Exception) -> None:
    with everywhere(reason="record a job's failure"):
        work = Job.objects.get(pk=job_id)
        if work.attempts >= MAX_ATTEMPTS:
            Job.objects.filter(pk=job_id).update(
                job_state="failed", error=type(error).__name__, finished_at=Now()
            )
            return
        Job.objects.filter(pk=job_id).update(
            job_state="queued",
            error=type(error).__name__,
            not_before=Now() + timedelta(seconds=2**work.attempts),
        )
