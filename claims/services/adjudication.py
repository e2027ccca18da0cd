"""Deciding a claim: two people, the rules' statement, the ceilings under a lock."""

from dataclasses import replace
from datetime import date

from django.utils.translation import gettext as _

from claims.facts import case_facts, prior_use
from claims.models import BenefitStatement, Claim, Review
from claims.services import ceilings
from members.facts import cover_facts, person_facts
from programs.rules.assess import Assessment, assess
from programs.rules.facts import PriorUse
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import MoveRefused, NotAllowed, move


class DecisionRefused(MoveRefused):
    """The decision cannot be taken; the message says why."""


def preview(claim: Claim) -> BenefitStatement:
    """What the rules give now, kept with the claim; nothing is reserved."""
    return _keep(claim, _assess(claim, prior_use(claim)), final=False)


def review(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """First review passed: on to the second person."""
    _not_own(claim, by)
    move([claim], "review", by=by, note=note)
    _remember(claim, "review", by, note)
    preview(claim)
    return claim


def return_for_supplement(claim: Claim, *, by: Actor, on: date, note: str) -> Claim:
    """Ask the claimant for what is missing, in words meant for them."""
    if not note.strip():
        raise DecisionRefused(_("请写明需要补充什么，申领人会看到这段话。"))
    _not_own(claim, by)
    move([claim], "return_for_supplement", by=by, note=note, changes={"message": note})
    _remember(claim, "return_for_supplement", by, note)
    return claim


def reject(claim: Claim, *, by: Actor, on: date, reason_code: str, clause: str, note: str) -> Claim:
    """No benefit: with a reason, the plan's clause and words for the claimant."""
    if not (reason_code and clause.strip() and note.strip()):
        raise DecisionRefused(_("不予给付要选择原因、写明依据的条款和给申领人的说明。"))
    _not_own(claim, by)
    changes = {"message": note, "reason_code": reason_code, "reason_clause": clause}
    move([claim], "reject", by=by, note=note, changes=changes, details={"reason": reason_code, "clause": clause})
    _remember(claim, "reject", by, note, reason_code)
    return claim


def approve(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """Approve for good: the claim is locked, its ceilings are locked, the amount is computed and frozen, and what it takes is
    written under each ceiling, all in one transaction. Nothing to pay cannot be approved: reject it with its reason."""
    _not_own(claim, by)
    Claim.objects.select_for_update().get(pk=claim.pk)
    used = ceilings.lock(claim)
    assessment = _assess(claim, replace(prior_use(claim), used=used))
    total = fen_from_yuan(assessment.total)
    if total == 0:
        raise DecisionRefused(_("按条款计算的互助金为 0 元，不能批准。请按计算说明中的原因办理“不予给付”。"))
    move([claim], "approve", by=by, note=note, changes={"approved_fen": total})
    ceilings.take(claim, assessment)
    _keep(claim, assessment, final=True)
    _remember(claim, "approve", by, note)
    return claim


def _assess(claim: Claim, prior: PriorUse) -> Assessment:
    member = claim.member
    return assess(
        schedule_of(claim.terms),
        person=person_facts(member, relation=claim.enrolment.relation),
        cover=cover_facts(claim.enrolment),
        case=case_facts(claim),
        prior=prior,
    )


def _keep(claim: Claim, assessment: Assessment, *, final: bool) -> BenefitStatement:
    return BenefitStatement.objects.create(
        claim=claim,
        terms_id=claim.terms_id,
        content_hash=claim.terms.content_hash,
        facts={"event": claim.event, "stays": claim.admissions.count()},
        assessment=assessment.as_data(),
        total_fen=fen_from_yuan(assessment.total),
        is_final=final,
    )


def _remember(claim: Claim, decision: str, by: Actor, note: str, reason_code: str = "") -> None:
    Review.objects.create(claim=claim, decision=decision, by_id=by.user_id, note=note, reason_code=reason_code)


def _not_own(claim: Claim, by: Actor) -> None:
    """Nobody decides on their own or their ward's claim."""
    people = {claim.member.user_id, claim.claimant.user_id}
    if by.user_id in people:
        raise NotAllowed(_("这是您本人或您家人的申领，要由别人来办。"))
