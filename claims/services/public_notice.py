"""Public notice (公示): a decided claim stands masked on a public page for the days the plan sets; whoever doubts it says so, somebody
who had no part in it looks into that, and the notice ends by the timetable."""

from datetime import date

from django.utils.translation import gettext as _

from claims.models import Claim, Objection, Review
from claims.services import ceilings
from unionaid.lib.calendar import now
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

OBJECTION_UPHELD = "objection"


class NoticeRefused(MoveRefused):
    """The objection cannot be taken or decided; the message says why."""


def object_to(claim: Claim, *, name: str, text: str, by: Actor, on: date, phone: str = "") -> Objection:
    """Take down an objection: from whoever is logged in, or at the desk for somebody who came (`name`). Only while the claim is on
    notice (the last day counts); the claim does not go on before it is answered. Runs past the scope: anybody may object."""
    if not may(by, "objections.raise"):
        raise NotAllowed(_("请先登录，再提出异议。"))
    if not text.strip() or not name.strip():
        raise NoticeRefused(_("请写明提出人和异议的内容。"))
    with everywhere(reason="object to a claim on public notice"):
        locked = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
        if locked.state != "on_notice" or locked.notice_until is None or locked.notice_until < on:
            raise NoticeRefused(_("这份申领的公示已经结束，不能再提异议。有情况要反映，请联系办事处。"))
        made = Objection.objects.create(
            office_id=locked.office_id, claim=locked, name=name.strip(), phone=phone.strip(), text=text.strip(),
            raised_by_id=by.user_id, raised_at=now(),
        )  # fmt: skip
        record([made], "object", by=by)
    return made


def dismiss(objection: Objection, *, by: Actor, on: date, answer: str) -> Objection:
    """Looked into, and not so: the claim goes on when its notice is over."""
    _decidable(objection, by, answer)
    return move([objection], "dismiss", by=by, note=answer, changes={"answer": answer})[0]


def uphold(objection: Objection, *, by: Actor, on: date, answer: str, clause: str) -> Objection:
    """Looked into, and it is so: nothing is paid, and what was reserved under the limits is free again. Other open objections to
    the claim are answered with it."""
    if not clause.strip():
        raise NoticeRefused(_("请写明依据的条款。"))
    _decidable(objection, by, answer)
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=objection.claim_id)
    changes = {"message": answer, "reason_code": OBJECTION_UPHELD, "reason_clause": clause}
    move([claim], "uphold_objection", by=by, note=answer, changes=changes, details={"clause": clause, "objection": objection.pk})
    ceilings.free(claim, claim.statements.select_related("instead_of").get(is_final=True))
    Review.objects.create(claim=claim, decision="uphold_objection", by_id=by.user_id, note=answer, reason_code=OBJECTION_UPHELD)
    others = Objection.objects.filter(claim=claim, state="raised").exclude(pk=objection.pk).exclude(raised_by=by.user_id)
    move([objection, *others], "uphold", by=by, note=answer, changes={"answer": answer})
    return objection


def _decidable(objection: Objection, by: Actor, answer: str) -> None:
    if not answer.strip():
        raise NoticeRefused(_("请写明核实的情况和结果。"))
    claim = objection.claim
    if by.user_id in (claim.submitted_by_id, claim.reviewed_by_id, claim.approved_by_id, claim.unit_reviewed_by_id):
        raise NotAllowed(_("这份申领是您经办的，异议要由另一个人核实。"))
    if by.user_id in (claim.member.user_id, claim.claimant.user_id):
        raise NotAllowed(_("这是您本人或您家人的申领，要由别人来办。"))


def find_over(on: date) -> None:
    """Write a job for every notice that is over and has no open objection."""
    over = Claim.objects.filter(state="on_notice", notice_until__lt=on).exclude(objections__state="raised").order_by("id")
    enqueue("claims.close_notice", [(row.pk, f"claims.close_notice:{row.pk}:{on}", row) for row in over[:2000]], by=SYSTEM)


def close(claim_id: int, *, on: date) -> None:
    """The notice is over: the claim waits for its payment. Nothing happens while an objection is open, or on a second run."""
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=claim_id)
    if claim.state != "on_notice" or claim.notice_until is None or claim.notice_until >= on:
        return
    if not claim.objections.filter(state="raised").exists():
        move([claim], "close_notice", by=SYSTEM)
