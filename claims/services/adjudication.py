"""Deciding a claim: two people, the rules' statement, the ceilings under a lock."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import F
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from claims.facts import prior_use, situation
from claims.models import BenefitStatement, Claim, Review
from claims.services import ceilings
from claims.services.screening import screen
from programs.rules.assess import Assessment, assess
from programs.rules.casefile import Situation
from programs.rules.explain import FACT_WORDS
from programs.rules.facts import as_data
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

BELOW_DEDUCTIBLE = "below_deductible"
ESTABLISHED = ("diagnosis_code", "diagnosis_class", "disability_grade", "hospital_grade", "other_aid_fen", "circumstances")


class DecisionRefused(MoveRefused):
    """The decision cannot be taken; the message says why."""


def preview(claim: Claim) -> BenefitStatement:
    """What the rules give now, kept with the claim; nothing is reserved."""
    told = situation(claim, prior=prior_use(claim))
    return _keep(claim, told, _assess(claim, told), final=False)


def review(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """First review passed: on to the second person."""
    _not_own(claim, by)
    move([claim], "review", by=by, note=note)
    _remember(claim, "review", by, note)
    preview(claim)
    return claim


def establish(claim: Claim, facts: Mapping[str, Any], *, by: Actor, note: str = "") -> Claim:
    """The first reviewer settles from the papers what the rules need: class, grade, diagnosis, other aid, exclusions that hold.

    Only before the first review is passed, so that the person who approves has not set the figures. Keys of `ESTABLISHED`
    only; None or an empty list says that it is not so. The estimate is computed anew.
    """
    unknown = set(facts) - set(ESTABLISHED)
    if unknown:
        raise KeyError(sorted(unknown)[0])
    _not_own(claim, by)
    if not may(by, "claims.review", claim.office_id):
        raise NotAllowed(_("您没有初审的权限。"))
    locked = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    if locked.state != "submitted":
        raise DecisionRefused(_("只有等待初审的申领可以核定事实。"))
    changed = {name: value for name, value in facts.items() if getattr(locked, name) != value}
    if not changed:
        return claim
    details = {name: {"from": getattr(locked, name), "to": value} for name, value in changed.items()}
    Claim.objects.filter(pk=claim.pk).update(**changed, version=F("version") + 1)
    claim.refresh_from_db()
    record([claim], "establish", by=by, note=note, details=details)
    preview(claim)
    screen([claim])
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
    if reason_code == BELOW_DEDUCTIBLE:
        _count_deductible(claim)
    _remember(claim, "reject", by, note, reason_code)
    return claim


def _count_deductible(claim: Claim) -> None:
    """A cost that stays below the yearly deductible pays nothing and still uses it up: the next claim begins where it ended."""
    used = ceilings.lock(claim)
    told = situation(claim, prior=replace(prior_use(claim), used=used))
    assessment = _assess(claim, told)
    if assessment.total or assessment.missing:
        raise DecisionRefused(_("按条款计算不是因为未达到起付线而为 0 元，请核对后选择其他原因。"))
    ceilings.take(claim, assessment)
    _keep(claim, told, assessment, final=True)


def approve(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """Approve for good: the claim is locked, its ceilings are locked, the amount is computed and frozen, and what it takes is
    written under each ceiling, all in one transaction. Nothing to pay cannot be approved: reject it with its reason."""
    _not_own(claim, by)
    Claim.objects.select_for_update().get(pk=claim.pk)
    used = ceilings.lock(claim)
    told = situation(claim, prior=replace(prior_use(claim), used=used))
    assessment = _assess(claim, told)
    if assessment.missing:
        words = "、".join(FACT_WORDS[fact].in_language(get_language() or "zh") for fact in assessment.missing)
        raise DecisionRefused(_("还缺少计算所需的内容：{facts}。请先补充，再批准。").format(facts=words))
    total = fen_from_yuan(assessment.total)
    if total == 0:
        raise DecisionRefused(_("按条款计算的互助金为 0 元，不能批准。请按计算说明中的原因办理“不予给付”。"))
    move([claim], "approve", by=by, note=note, changes={"approved_fen": total})
    ceilings.take(claim, assessment)
    _keep(claim, told, assessment, final=True)
    _remember(claim, "approve", by, note)
    return claim


def _assess(claim: Claim, told: Situation) -> Assessment:
    return assess(schedule_of(claim.terms), person=told.person, cover=told.cover, case=told.case, prior=told.prior)


def _keep(claim: Claim, told: Situation, assessment: Assessment, *, final: bool) -> BenefitStatement:
    """The statement with all that went in, so that it can be computed again."""
    return BenefitStatement.objects.create(
        claim=claim,
        terms_id=claim.terms_id,
        content_hash=claim.terms.content_hash,
        facts=as_data(told),
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
