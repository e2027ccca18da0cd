"""A claim's rows into facts for the rules, and what happened before it in the same period of cover."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import Count

from claims.models import Admission, BenefitStatement, CeilingUsage, Claim
from claims.transitions import DECIDED
from members.facts import cover_facts, person_facts
from programs.rules.assess import left_out_of
from programs.rules.casefile import Situation
from programs.rules.facts import SETTLEMENT_FIELDS, CaseFacts, Disease, PriorUse, Settlement, Stay
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of
from unionaid.lib.money import yuan_from_fen
from unionaid.offices.scope import looking_everywhere

LIFETIME = date(1900, 1, 1)
BELOW_DEDUCTIBLE = "below_deductible"


_figures = attrgetter(*(f"{name}_fen" for name in SETTLEMENT_FIELDS))


def case_facts(claim: Claim, stays: Iterable[Admission] | None = None) -> CaseFacts:
    """The event as the rules see it (`told_case`); `stays`, when they were read already."""
    return told_case(claim, claim.admissions.all() if stays is None else stays)


def told_case(told: Any, stays: Iterable[Any]) -> CaseFacts:
    """The event from a claim's columns and those of its stays, however they were read. Accidents count on the day of the
    accident, stays on the first admission, all else on the day told (for cancer the pathology confirmation).
    ValueError when no day is told."""
    found = tuple(
        Stay(
            admitted_on=row.admitted_on,
            discharged_on=row.discharged_on,
            settlement=Settlement(*map(yuan_from_fen, _figures(row))),
            hospital_grade=row.hospital_grade,
        )
        for row in stays
    )
    event_on = told.accident_on or told.event_on or min((stay.admitted_on for stay in found), default=None)
    if event_on is None:
        raise ValueError(f"claim {told.number} tells no day")
    return CaseFacts(
        event=told.event,
        event_on=event_on,
        stays=found,
        diagnosis_code=told.diagnosis_code,
        diagnosis_class=told.diagnosis_class,
        disability_grade=told.disability_grade,
        accident_on=told.accident_on,
        death_on=told.death_on,
        event_kind=told.event_kind or "default",
        claimed_on=told.claimed_on or (day_of(told.submitted_at) if told.submitted_at else None),
        other_aid=None if told.other_aid_fen is None else yuan_from_fen(told.other_aid_fen),
        circumstances=frozenset(told.circumstances),
        declared=_declared(told.declared),
    )


def _declared(told: Mapping[str, str] | str) -> Mapping[str, Decimal]:
    """The declared figures; a row that was read in plain SQL has them as one text."""
    figures = json.loads(told) if isinstance(told, str) else told
    return {code: Decimal(figure) for code, figure in figures.items()}


def situation(claim: Claim, *, prior: PriorUse, stays: Iterable[Admission] | None = None) -> Situation:
    """Everything an assessment of this claim is made of. ValueError when the claim tells no day."""
    return Situation(
        person=person_facts(claim.member, relation=claim.enrolment.relation),
        cover=cover_facts(claim.enrolment),
        case=case_facts(claim, stays),
        prior=prior,
    )


def prior_use(claim: Claim, *, used: Mapping[str, Decimal] | None = None) -> PriorUse:
    """What this person had from this program in this period of cover, this claim left out; `used`: what stands under each limit,
    when it was read under a lock. Reads past the scope: the worker who claims for a child, and the reviewer of one office, count
    with the same figures.

    A correction counts as if what it corrects had never been decided: the whole is computed, and the difference is paid.
    """
    if used is not None and claim.corrects_id is None and not _asks_history(claim):
        return PriorUse(used=used)
    with looking_everywhere(reason="what this person had before under this cover"):
        return _prior_use(claim, used_by_key(claim) if used is None else used)


def _prior_use(claim: Claim, used: Mapping[str, Decimal]) -> PriorUse:
    before = replaced(claim)
    diseases, admissions, several = _decided_before(claim) if _asks_history(claim) else ({}, 0, [])
    told = Disease.of(claim.diagnosis_code, claim.diagnosis_class)
    given_back = taken_by(before) if before else {}
    return PriorUse(
        used={key: amount - given_back.get(key, Decimal(0)) for key, amount in used.items()},
        paid_items=_paid_items([pk for pk, disease in diseases.items() if told.is_same(disease)]),
        admissions=admissions - _left_out(several),
        diseases=frozenset(disease for disease in diseases.values() if disease.key),
    )


# The steps and gates that ask what was decided before, beyond what stands under the limits.
HISTORY = frozenset({"per_admission", "less_paid", "once_per_disease"})


def _asks_history(claim: Claim) -> bool:
    """Does anything that this event can trigger look at earlier decisions?"""
    items = [item for item in schedule_of(claim.terms).items if claim.event in item.events]
    return any(part.name in HISTORY for item in items for part in (*item.steps, *item.gates))


def _decided_before(claim: Claim) -> tuple[dict[int, Disease], int, list[int]]:
    """Of this person's decided claims in the program, this one's line left out: the disease of each, how many admissions under the
    same cover, and the claims with several of them. One statement."""
    line = corrected_line(claim)
    others = (
        Claim.objects.filter(member_id=claim.member_id, program_id=claim.program_id, state__in=DECIDED)
        .exclude(pk__in=[claim.pk, *(one.pk for one in line)])
        .exclude(corrections__state__in=DECIDED)  # what was corrected counts as corrected
        .annotate(stays=Count("admissions"))
        .values_list("pk", "enrolment_id", "event", "diagnosis_code", "diagnosis_class", "stays")
    )
    diseases, admissions, several = dict[int, Disease](), 0, list[int]()
    for pk, enrolment_id, event, code, own, stays in others:
        if event in ("diagnosis", "surgery"):
            diseases[pk] = Disease.of(code, own)
        elif event == "admission" and enrolment_id == claim.enrolment_id:
            admissions += stays
            several += [pk] if stays > 1 else []
    return diseases, admissions, several


def _left_out(claim_ids: list[int]) -> int:
    """How many stays of these decided claims, of several stays each, counted for nothing: they are no admissions of the period."""
    if not claim_ids:
        return 0
    found = BenefitStatement.objects.filter(claim_id__in=claim_ids, is_final=True).values_list("assessment", flat=True)
    return sum(left_out_of(assessment) for assessment in found)


def corrected_line(claim: Claim) -> list[Claim]:
    """The claims that this one corrects: the last decision first, the first one last. None for an ordinary claim."""
    line, one = list[Claim](), claim
    while one.corrects_id is not None:
        one = Claim.objects.get(pk=one.corrects_id)
        line.append(one)
    return line


def replaced(claim: Claim) -> BenefitStatement | None:
    """The statement that a correction takes the place of: of the last decision in its line that granted something or counted
    under a deductible. None when nothing of the line holds."""
    for one in corrected_line(claim):
        if one.state in DECIDED or (one.state == "rejected" and one.reason_code == BELOW_DEDUCTIBLE):
            return one.statements.get(is_final=True)
    return None


def is_replaced(statement: BenefitStatement) -> bool:
    """Does a correction that holds already stand in this statement's place?"""
    return BenefitStatement.objects.filter(instead_of=statement, is_final=True, claim__state__in=DECIDED).exists()


def taken_by(statement: BenefitStatement) -> dict[str, Decimal]:
    """What a statement takes under each limit: yuan, or days."""
    return {use["key"]: Decimal(use["taken"] or 0) for use in statement.assessment["usage"]}


def _paid_items(claim_ids: list[int]) -> dict[str, Decimal]:
    """What these decided claims were paid, by item: a re-classification pays the difference only."""
    paid: dict[str, Decimal] = {}
    if not claim_ids:
        return paid
    for assessment in BenefitStatement.objects.filter(claim_id__in=claim_ids, is_final=True).values_list("assessment", flat=True):
        for item in assessment["items"]:
            paid[item["code"]] = paid.get(item["code"], Decimal(0)) + Decimal(item["amount"])
    return {code: amount for code, amount in paid.items() if amount}


def used_by_key(claim: Claim) -> Mapping[str, Decimal]:
    """What stands under each limit of this period of cover and of the lifetime: yuan, or days."""
    starts = [claim.enrolment.cover.lower, LIFETIME]
    rows = CeilingUsage.objects.filter(member_id=claim.member_id, program_id=claim.program_id, period_start__in=starts)
    return {key: yuan_from_fen(fen) for key, fen in rows.values_list("key", "used_fen")}


def statement_of(claim: Claim) -> BenefitStatement | None:
    """The last statement computed for this claim."""
    return claim.statements.order_by("-id").first()
