"""A claim's rows into facts for the rules, and what happened before it in the same period of cover."""

from collections.abc import Mapping
from decimal import Decimal

from claims.models import Admission, BenefitStatement, CeilingUsage, Claim
from programs.rules.facts import SETTLEMENT_FIELDS, CaseFacts, PriorUse, Settlement, Stay
from unionaid.lib.calendar import day_of
from unionaid.lib.money import yuan_from_fen
from unionaid.offices.scope import everywhere

DECIDED = ("approved", "in_batch", "paying", "paid", "returned_payment")


def case_facts(claim: Claim) -> CaseFacts:
    """The event as the rules see it. Accidents count on the day of the accident, stays on the first admission,
    all else on the day told (for cancer the pathology confirmation)."""
    stays = tuple(
        Stay(
            admitted_on=row.admitted_on,
            discharged_on=row.discharged_on,
            settlement=Settlement(
                **{name: yuan_from_fen(getattr(row, f"{name}_fen")) for name in SETTLEMENT_FIELDS}
            ),
            hospital_grade=claim.hospital_grade,
        )
        for row in claim.admissions.all()
    )
    event_on = claim.accident_on or claim.event_on or min((stay.admitted_on for stay in stays), default=None)
    if event_on is None:
        raise ValueError(f"claim {claim.pk} tells no day")
    return CaseFacts(
        event=claim.event,
        event_on=event_on,
        stays=stays,
        diagnosis_code=claim.diagnosis_code,
        diagnosis_class=claim.diagnosis_class,
        disability_grade=claim.disability_grade,
        accident_on=claim.accident_on,
        death_on=claim.death_on,
        claimed_on=day_of(claim.submitted_at) if claim.submitted_at else None,
    )


def prior_use(claim: Claim) -> PriorUse:
    """What this person had from this program in this period of cover, this claim left out. Reads past the scope: the worker who
    claims for a child, and the reviewer of one office, count with the same figures."""
    with everywhere(reason="what this person had before under this cover"):
        return _prior_use(claim)


def _prior_use(claim: Claim) -> PriorUse:
    earlier = Claim.objects.filter(enrolment_id=claim.enrolment_id, state__in=DECIDED).exclude(pk=claim.pk)
    return PriorUse(
        used=used_by_key(claim),
        paid_items={},
        admissions=Admission.objects.filter(claim__in=earlier).count(),
        diseases=frozenset(
            (code[:3].upper() or diagnosis_class)
            for code, diagnosis_class in earlier.filter(event__in=["diagnosis", "surgery"]).values_list(
                "diagnosis_code", "diagnosis_class"
            )
        ),
    )


def used_by_key(claim: Claim) -> Mapping[str, Decimal]:
    """What is used under each ceiling, in yuan."""
    start = claim.enrolment.cover.lower
    rows = CeilingUsage.objects.filter(member_id=claim.member_id, program_id=claim.program_id, period_start=start)
    return {row.key: yuan_from_fen(row.used_fen) for row in rows}


def statement_of(claim: Claim) -> BenefitStatement | None:
    """The last statement computed for this claim."""
    return claim.statements.order_by("-id").first()
