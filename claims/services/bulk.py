"""Approving clean small claims together (批量批准): the same approval, of many in one transaction, each with its own outcome."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from claims.models import BulkApproval, BulkApprovalRow, Claim
from claims.selectors.queue import decisions_from, not_held, open_flags, theirs
from claims.selectors.rules import paths, rules
from claims.services.adjudication import approve_each
from claims.services.screening import screen
from claims.transitions import CLAIM
from unionaid.lib.calendar import now
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import MoveRefused, NotAllowed, record

MOST, PART = 200, 100  # claims of one request, and of one transaction


class BulkRefused(MoveRefused):
    """Nothing was asked for; the message says why."""


def candidates(by: Actor) -> QuerySet[Claim]:
    """What this person may approve together now: waiting for approval, inside its office's limit, without an open flag, not their
    own, not passed by them before, and in nobody's hands. Two statements, and the rows'."""
    within, held_to = Q(pk__in=[]), rules()
    for pk, path in paths(office for office in by.office_ids if may(by, "claims.approve", office)):
        limit = held_to.bulk_limit_fen(path)
        if limit:
            within |= Q(office=pk, estimated_fen__gt=0, estimated_fen__lte=limit)
    arrow = CLAIM.arrow("approve")
    rows = Claim.objects.none()
    for state in arrow.sources:
        if arrow in decisions_from(state):
            rows = rows | not_held(theirs((state, arrow), by), by)
    return rows.filter(within).exclude(open_flags()).order_by("stage_since", "pk")


def request(claim_ids: Sequence[int], *, by: Actor) -> list[BulkApproval]:
    """Have these claims approved by a job: one request for each office. Refused as a whole when one of them is no candidate."""
    if not claim_ids:
        raise BulkRefused(_("请至少勾选一件申领。"))
    wanted = list(candidates(by).filter(pk__in=list(claim_ids)[: MOST + 1]).select_related("office"))
    if len(wanted) != len(set(claim_ids)):
        raise BulkRefused(_("有的申领已经不能批量批准（已由他人办理、有了疑点或超过上限）。名单已经更新，请重新勾选。"))
    if len(wanted) > MOST:
        raise BulkRefused(_("一次最多批量批准 {count} 件，请分几次办理。").format(count=MOST))
    offices = {claim.office_id: claim.office for claim in wanted}
    return [_requested(office, [claim for claim in wanted if claim.office_id == key], by) for key, office in offices.items()]


def _requested(office: Office, claims: Sequence[Claim], by: Actor) -> BulkApproval:
    if not may(by, "claims.approve", office.pk):
        raise NotAllowed(_("您没有终审的权限。"))
    bulk = BulkApproval.objects.create(office=office, requested_by_id=by.user_id, limit_fen=rules().bulk_limit_fen(office.path))
    BulkApprovalRow.objects.bulk_create([BulkApprovalRow(bulk=bulk, claim=claim) for claim in claims])
    record([bulk], "bulk_approve", by=by, details={"claims": [claim.number for claim in claims], "limit_fen": bulk.limit_fen})
    enqueue("claims.bulk_approve", [(bulk.pk, f"claims.bulk_approve:{bulk.pk}", bulk)], by=by, permission="claims.approve")
    return bulk


def advance(bulk_id: int, run: Run) -> dict[str, Any] | None:
    """The next part, approved together; their flags are computed anew first. What has an outcome is not touched again, so that a run
    may stop anywhere and be run twice."""
    bulk = BulkApproval.objects.select_for_update(of=("self",)).get(pk=bulk_id)
    rows = BulkApprovalRow.objects.filter(bulk=bulk)
    part = list(rows.filter(outcome=BulkApprovalRow.Outcome.WAITING).values_list("claim_id", flat=True)[:PART])
    refused = _approved(part, bulk, run)
    for why in {refused.get(pk, "") for pk in part}:
        outcome = BulkApprovalRow.Outcome.LEFT if why else BulkApprovalRow.Outcome.APPROVED
        rows.filter(claim__in=[pk for pk in part if refused.get(pk, "") == why]).update(outcome=outcome, why=why)
    run.total = rows.count()
    run.done = rows.exclude(outcome=BulkApprovalRow.Outcome.WAITING).count()
    if run.done < run.total:
        return {"done": run.done}
    BulkApproval.objects.filter(pk=bulk_id, finished_at=None).update(finished_at=now())
    return None


def _approved(ids: Sequence[int], bulk: BulkApproval, run: Run) -> dict[int, str]:
    """Why each of those that were not approved was not. They are locked first: nobody is handed one of them meanwhile."""
    claims = list(Claim.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).only("pk").order_by("pk"))
    screen(claims)
    fit = set(candidates(run.by).filter(pk__in=ids).values_list("pk", flat=True))
    wanted = [claim for claim in claims if claim.pk in fit]
    refused = approve_each(wanted, by=run.by, on=run.on, note=_("批量批准"), most_fen=bulk.limit_fen) if wanted else {}
    unfit = _("不再符合批量批准的条件（已由他人办理、正由他人审核、有了疑点或超过上限）。")
    return {pk: refused[pk].message if pk in refused else unfit for pk in ids if pk in refused or pk not in fit}
