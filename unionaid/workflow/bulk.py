"""Many things of one kind done together (批量办理) by a job: the same act as on each one's page, each with its own outcome.

What can be done so is registered by the room whose act it is (`bulk_work`); how it looks at the desk, in `workflow.bulk_pages`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor, may
from unionaid.workflow.jobs import Run, enqueue, job
from unionaid.workflow.models import BulkWork, BulkWorkRow
from unionaid.workflow.moves import MoveRefused, NotAllowed, record

MOST = 200  # things of one request
JOB = "workflow.bulk"


class BulkRefused(MoveRefused):
    """Nothing was asked for; the message says why. `field`: what it is about."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


Act = Callable[[Sequence[int], BulkWork, Run], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work. `action`: the right it takes. `candidates`: what this person may do it with now, the oldest first. `act`: does it
    with the things of these ids and says of each that was left why; what it does not name was done. `part`: how many go into one
    transaction. `says_why`: words go with it. `limit_fen`: up to which amount an office has it done with one of them; it is kept with
    the request, and what changes later counts for later ones. `named`: what one is called where its outcome stands alone."""

    label: str | Promise
    action: str
    candidates: Callable[[Actor], QuerySet[Any]]
    act: Act
    part: int
    says_why: bool = False
    limit_fen: Callable[[Any], int] | None = None
    named: Callable[[Any], str] = str


WORKS: dict[str, Work] = {}


def bulk_work(kind: str, work: Work) -> None:
    """Register one kind of work."""
    if kind in WORKS:
        raise ValueError(f"two kinds of bulk work are called {kind}")
    WORKS[kind] = work


def one_by_one(candidates: Callable[[Actor], QuerySet[Any]], act: Callable[[Any, BulkWork, Run], object]) -> Act:
    """An act on one thing, for several: each in a savepoint of its own, so that nothing is kept of one that is refused."""

    def done(subject_id: int, work: BulkWork, run: Run) -> str:
        try:
            with transaction.atomic():
                thing = candidates(run.by).filter(pk=subject_id).first()
                if thing is None:
                    raise BulkRefused(_("已由他人办理，或有了变化，不再符合条件。"))
                act(thing, work, run)
        except MoveRefused as no:
            return no.message
        return ""

    def all_of(ids: Sequence[int], work: BulkWork, run: Run) -> Mapping[int, str]:
        return {pk: why for pk in ids if (why := done(pk, work, run))}

    return all_of


def theirs_to(action: str, rows: Callable[[], QuerySet[Any]]) -> Callable[[Actor], QuerySet[Any]]:
    """The rows of the offices at which a person holds this right, the oldest first."""

    def candidates(by: Actor) -> QuerySet[Any]:
        offices = [office for office in by.office_ids if may(by, action, office)]
        return rows().filter(office__in=offices).order_by("pk")

    return candidates


def request(kind: str, ids: Sequence[int], *, note: str = "", by: Actor) -> list[BulkWork]:
    """Have these done by a job: one request for each office. Refused as a whole when one of them is no candidate."""
    work = WORKS[kind]
    if not ids:
        raise BulkRefused(_("请至少勾选一件。"), "things")
    if work.says_why and not note.strip():
        raise BulkRefused(_("请写明原因，单位经办人会看到这段话。"), "note")
    wanted = list(work.candidates(by).filter(pk__in=list(ids)[: MOST + 1]).select_related("office"))
    if len(wanted) != len(set(ids)):
        raise BulkRefused(_("有的已经不能一起办理（已由他人办理，或有了变化）。名单已经更新，请重新勾选。"), "things")
    if len(wanted) > MOST:
        raise BulkRefused(_("一次最多办理 {count} 件，请分几次办理。").format(count=MOST), "things")
    by_office: dict[int, list[Any]] = {}
    for one in wanted:
        by_office.setdefault(one.office_id, []).append(one)
    return [_requested(kind, things, note.strip(), by) for things in by_office.values()]


def _requested(kind: str, things: Sequence[Any], note: str, by: Actor) -> BulkWork:
    work, office = WORKS[kind], things[0].office
    if not may(by, work.action, office.pk):
        raise NotAllowed(_("您没有办理这些的权限。"))
    limit = work.limit_fen(office) if work.limit_fen else None
    made = BulkWork.objects.create(office=office, kind=kind, note=note, limit_fen=limit, requested_by_id=by.user_id)
    BulkWorkRow.objects.bulk_create([BulkWorkRow(work=made, subject_id=one.pk, label=work.named(one)[:200]) for one in things])
    told = {"kind": kind, "ids": [one.pk for one in things], "limit_fen": limit}
    record([made], "bulk", by=by, note=note, details=told)
    enqueue(JOB, [(made.pk, job_key(made), made)], by=by, permission=work.action)
    return made


def job_key(work: BulkWork) -> str:
    """The key of the job that does this work."""
    return f"{JOB}:{work.pk}"


@job(JOB, label=gettext_lazy("批量办理"))
def do_bulk_work(run: Run) -> dict[str, Any] | None:
    """Do one request's things."""
    return advance(run.subject_ids[0], run)


def advance(work_id: int, run: Run) -> dict[str, Any] | None:
    """The next part, in one transaction. What has an outcome is not touched again, so that a run may stop anywhere and be run twice."""
    asked = BulkWork.objects.select_for_update(of=("self",)).get(pk=work_id)
    work, rows = WORKS[asked.kind], BulkWorkRow.objects.filter(work=asked)
    waiting = rows.filter(outcome=BulkWorkRow.Outcome.WAITING)
    part = list(waiting.values_list("subject_id", flat=True)[: work.part])
    left = work.act(part, asked, run) if part else {}
    for why in {left.get(pk, "") for pk in part}:
        outcome = BulkWorkRow.Outcome.LEFT if why else BulkWorkRow.Outcome.DONE
        rows.filter(subject_id__in=[pk for pk in part if left.get(pk, "") == why]).update(outcome=outcome, why=why)
    run.total = rows.count()
    run.done = run.total - waiting.count()
    if run.done < run.total:
        return {"done": run.done}
    BulkWork.objects.filter(pk=work_id, finished_at=None).update(finished_at=now())
    return None
