"""Many things of one kind done together (批量办理) by a job: the same act as on each one's page, each with its own outcome."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from members.models import BulkWork, BulkWorkRow, ContributionDue, Remittance, Roster, WorkUnit
from members.selectors.contributions import candidates_for, own_reference, suggest
from members.services import contributions, units
from members.services.contributions import Pair
from members.services.roster_returns import give_back
from members.transitions import DUE_LIVE, REMITTANCE_OPEN
from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor, may
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import MoveRefused, record

MOST, PART = 200, 20  # things of one request, and of one transaction


class BulkRefused(MoveRefused):
    """Nothing was asked for; the message says why. `field`: what it is about."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work: the right it takes, what it may be done with now, how it is done with one, and whether words go with it."""

    action: str
    candidates: Callable[[], QuerySet[Any]]
    act: Callable[[Any, BulkWork, Run], object]
    says_why: bool = False


def candidates(kind: str, by: Actor) -> QuerySet[Any]:
    """What this person may do the work with now, the oldest first. One statement."""
    work = WORKS[kind]
    offices = [office for office in by.office_ids if may(by, work.action, office)]
    return work.candidates().filter(office__in=offices).order_by("pk")


def request(kind: str, ids: Sequence[int], *, note: str = "", by: Actor) -> list[BulkWork]:
    """Have these done by a job: one request for each office. Refused as a whole when one of them is no candidate."""
    work = WORKS[kind]
    if not ids:
        raise BulkRefused(_("请至少勾选一件。"), "things")
    if work.says_why and not note.strip():
        raise BulkRefused(_("请写明原因，单位经办人会看到这段话。"), "note")
    wanted = list(candidates(kind, by).filter(pk__in=list(ids)[: MOST + 1]))
    if len(wanted) != len(set(ids)):
        raise BulkRefused(_("有的已经不能一起办理（已由他人办理，或有了变化）。名单已经更新，请重新勾选。"), "things")
    if len(wanted) > MOST:
        raise BulkRefused(_("一次最多办理 {count} 件，请分几次办理。").format(count=MOST), "things")
    by_office: dict[int, list[Any]] = {}
    for one in wanted:
        by_office.setdefault(one.office_id, []).append(one)
    return [_requested(kind, office, things, note.strip(), by) for office, things in by_office.items()]


def _requested(kind: str, office_id: int, things: Sequence[Any], note: str, by: Actor) -> BulkWork:
    made = BulkWork.objects.create(office_id=office_id, kind=kind, note=note, requested_by_id=by.user_id)
    BulkWorkRow.objects.bulk_create([BulkWorkRow(work=made, subject_id=one.pk, label=str(one)[:200]) for one in things])
    record([made], "bulk", by=by, note=note, details={"kind": kind, "ids": [one.pk for one in things]})
    enqueue(f"members.{kind}", [(made.pk, job_key(made), made)], by=by, permission=WORKS[kind].action)
    return made


def job_key(work: BulkWork) -> str:
    """The key of the job that does this work."""
    return f"members.{work.kind}:{work.pk}"


def advance(work_id: int, run: Run) -> dict[str, Any] | None:
    """The next part, each in a savepoint of its own. What has an outcome is not touched again, so that a run may stop anywhere and be
    run twice."""
    work = BulkWork.objects.select_for_update(of=("self",)).get(pk=work_id)
    rows = BulkWorkRow.objects.filter(work=work)
    for row, subject in list(rows.filter(outcome="waiting").values_list("pk", "subject_id")[:PART]):
        why = _done(subject, work, run)
        rows.filter(pk=row).update(outcome="left" if why else "done", why=why)
    run.total = rows.count()
    run.done = rows.exclude(outcome="waiting").count()
    if run.done < run.total:
        return {"done": run.done}
    BulkWork.objects.filter(pk=work_id, finished_at=None).update(finished_at=now())
    return None


def _done(subject_id: int, work: BulkWork, run: Run) -> str:
    """Nothing when it was done, else why not: then nothing of it is kept."""
    try:
        with transaction.atomic():
            thing = candidates(work.kind, run.by).filter(pk=subject_id).first()
            if thing is None:
                raise BulkRefused(_("已由他人办理，或有了变化，不再符合条件。"))
            WORKS[work.kind].act(thing, work, run)
    except MoveRefused as no:
        return no.message
    return ""


# -- the kinds of work ---------------------------------------------------------------------------------------------------


def _submitted_units() -> QuerySet[WorkUnit]:
    return WorkUnit.objects.filter(state="submitted").select_related("office")


def _waiting_rosters() -> QuerySet[Roster]:
    return Roster.objects.filter(state="checked").select_related("unit", "terms__program")


def _paid_rosters() -> QuerySet[Roster]:
    """Rosters for whose debts money has come in that names them."""
    there = Remittance.objects.filter(
        office=OuterRef("office"), state__in=REMITTANCE_OPEN, left_fen__gt=0, named__contains=own_reference()
    )
    owed = ContributionDue.objects.filter(Exists(there), roster=OuterRef("pk"), state__in=DUE_LIVE)
    return Roster.objects.filter(Exists(owed), state="committed").select_related("unit", "terms__program")


def _settle(roster: Roster, run: Run) -> None:
    """Match what is sure (remark and amount agree) to every debt of the roster; refused when some debt is left open."""
    dues = list(ContributionDue.objects.filter(roster=roster, state__in=DUE_LIVE).select_related("unit", "member"))
    money = {one.pk: one for due in dues for one in candidates_for(due)}
    keys = {due.pk for due in dues}
    sure = [one for ones in suggest(list(money.values())).values() for one in ones if one.sure and one.due.pk in keys]
    if {one.due.pk for one in sure} != keys:
        raise BulkRefused(_("附言和金额没有都对上，请在“核销来款”里逐笔办理。"))
    contributions.match([Pair(one.remittance.pk, one.due.pk, one.amount_fen) for one in sure], by=run.by, on=run.on)


WORKS: Mapping[str, Work] = {
    "approve_units": Work("units.approve", _submitted_units, lambda unit, _work, run: units.approve_unit(unit, by=run.by)),
    "return_rosters": Work(
        "rosters.return", _waiting_rosters, lambda roster, work, run: give_back(roster, by=run.by, note=work.note), says_why=True
    ),
    "settle_rosters": Work("contributions.confirm", _paid_rosters, lambda roster, _work, run: _settle(roster, run)),
}
