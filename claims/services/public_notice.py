"""Public notice (公示): a decided claim stands masked on a public page for the days the plan sets; whoever doubts it says so, somebody
who had no part in it looks into that, and the notice ends by the timetable."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from claims.models import Claim, Objection
from claims.services import adjudication, ceilings, corrections, wordings
from claims.services.adjudication import Changes
from claims.services.following import follow_later, renew_later
from claims.transitions import HANDLED
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


def uphold(objection: Objection, *, by: Actor, on: date, answer: str, clause: str, reason_code: str = OBJECTION_UPHELD) -> Objection:
    """Looked into, and it is so, and nothing is due: the claim is rejected with a reason, and what was reserved under the limits is free
    again. Other open objections to the claim are answered with it."""
    claim = _doubted(objection, by, answer, clause)
    if reason_code == OBJECTION_UPHELD:
        wordings.mark_used(reason_code)
    else:
        wordings.given(claim.office, reason_code, clause=clause)
    changes = {"message": answer, "reason_code": reason_code, "reason_clause": clause}
    move([claim], "uphold_objection", by=by, note=answer, changes=changes, details={"clause": clause, "objection": objection.pk})
    renew_later([claim])
    return _upheld(objection, claim, by=by, answer=answer, decision="uphold_objection", reason_code=reason_code)


def review_again(objection: Objection, *, by: Actor, on: date, answer: str, clause: str) -> Claim:
    """It is so, but not all of it: the decision falls, and the claim is reviewed once more from the beginning, as a claim of its own
    with what was told and proved. What it gives then is paid in full: of the first nothing was."""
    claim = _doubted(objection, by, answer, clause)
    made = _instead(claim, objection, Changes({}, {}, {}), by=by, on=on, answer=answer, clause=clause)
    move([made], "review_again", by=by, note=answer, changes={"submitted_at": now()}, details={"corrects": claim.number})
    adjudication.preview(made)
    return made


def change(
    objection: Objection, facts: Mapping[str, Any], *, by: Actor, on: date, answer: str, clause: str,
    grades: Mapping[int, int | None] | None = None,
) -> Claim:  # fmt: skip
    """It is so, and whoever looked into it knows what is right: the decision falls, the amount is computed anew from these facts (keys of
    `ESTABLISHED`; `grades`: hospital grades by the key of the stay), and another person decides on it. This is its first review."""
    if not may(by, "claims.review", objection.office_id):
        raise NotAllowed(_("改变核定的事实要有初审的权限；请办理“重新审核”。"))
    claim = _doubted(objection, by, answer, clause)
    found = adjudication.changes_of(claim, facts, grades or {})
    if not found:
        raise NoticeRefused(_("没有改变任何事实。请改动不对的地方，或办理“重新审核”。"))
    made = _instead(claim, objection, found, by=by, on=on, answer=answer, clause=clause)
    move([made], "reclassify", by=by, note=answer, changes={"submitted_at": claim.submitted_at}, details=found.details)
    adjudication.write_review(made, "reclassify", by, answer)
    adjudication.preview(made)
    return made


def _doubted(objection: Objection, by: Actor, answer: str, clause: str) -> Claim:
    """The claim, locked, when this person may uphold the objection with these words."""
    if not clause.strip():
        raise NoticeRefused(_("请写明依据的条款。"))
    _decidable(objection, by, answer)
    rows = Claim.objects.select_for_update(of=("self",)).select_related("member", "claimant", "enrolment", "terms")
    claim: Claim = rows.get(pk=objection.claim_id)
    return claim


def _instead(claim: Claim, objection: Objection, found: Changes, *, by: Actor, on: date, answer: str, clause: str) -> Claim:
    """A draft that takes the claim's place. The claim itself ends, and what it reserved is free again."""
    wordings.mark_used(OBJECTION_UPHELD)
    told = {"message": answer, "reason_code": OBJECTION_UPHELD, "reason_clause": clause}
    move([claim], "replace", by=by, note=answer, changes=told, details={"clause": clause, "objection": objection.pk})
    _upheld(objection, claim, by=by, answer=answer, decision="replace", reason_code=OBJECTION_UPHELD)
    return corrections.successor_of(claim, changes=found.columns, by=by, on=on, grades=found.grades)


def _upheld(objection: Objection, claim: Claim, *, by: Actor, answer: str, decision: str, reason_code: str) -> Objection:
    """What was reserved is free again; this objection and the other open ones are answered."""
    ceilings.free(claim, claim.statements.select_related("instead_of").get(is_final=True))
    adjudication.write_review(claim, decision, by, answer, reason_code)
    others = Objection.objects.filter(claim=claim, state="raised").exclude(pk=objection.pk).exclude(raised_by=by.user_id)
    move([objection, *others], "uphold", by=by, note=answer, changes={"answer": answer})
    return objection


def _decidable(objection: Objection, by: Actor, answer: str) -> None:
    if not answer.strip():
        raise NoticeRefused(_("请写明核实的情况和结果。"))
    claim = objection.claim
    if by.user_id in [getattr(claim, f"{column}_id") for column in HANDLED]:
        raise NotAllowed(_("这份申领是您经办的，异议要由另一个人核实。"))
    if by.user_id in (claim.member.user_id, claim.claimant.user_id):
        raise NotAllowed(_("这是您本人或您家人的申领，要由别人来办。"))


def find_over(on: date) -> None:
    """Write a job for every notice that is over and has no open objection."""
    over = Claim.objects.filter(stage="on_notice", notice_until__lt=on).exclude(objections__state="raised").order_by("id")
    enqueue("claims.close_notice", [(row.pk, f"claims.close_notice:{row.pk}:{on}", row) for row in over[:2000]], by=SYSTEM)


def close(claim_id: int, *, on: date) -> None:
    """The notice is over: the claim waits for its payment. Nothing happens while an objection is open, or on a second run."""
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=claim_id)
    if claim.state != "on_notice" or claim.notice_until is None or claim.notice_until >= on:
        return
    if not claim.objections.filter(state="raised").exists():
        follow_later(move([claim], "close_notice", by=SYSTEM))
