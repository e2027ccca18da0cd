"""Limits that count over claims (封顶线, yearly deductibles, days): one row per member, program, key and period; locked in
key order before a claim is decided."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.db.models import BigIntegerField, Case, F, QuerySet, Value, When

from claims.facts import LIFETIME, taken_by
from claims.models import BenefitStatement, CeilingUsage, Claim
from programs.rules.assess import Assessment, limits_of
from programs.rules.facts import Disease
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, round_half_up, yuan_from_fen


def lock(claim: Claim) -> Mapping[str, Decimal]:
    """Make sure a row for every limit stands, lock them all, and give what is used under each (yuan, or days).

    The lock holds until the transaction ends: a second reviewer waits here and then sees what the first one used.
    """
    disease = Disease.of(claim.diagnosis_code, claim.diagnosis_class)
    limits = limits_of(schedule_of(claim.terms), shares=claim.enrolment.shares, disease=disease)
    CeilingUsage.objects.bulk_create(
        [
            CeilingUsage(
                office_id=claim.office_id,
                unit_id=claim.unit_id,
                member_id=claim.member_id,
                program_id=claim.program_id,
                key=key,
                period_start=_start(claim, key),
                ceiling_fen=None if limit is None else fen_from_yuan(round_half_up(limit)),
            )
            for key, limit in sorted(limits.items())
        ],
        ignore_conflicts=True,
    )
    rows = list(_rows(claim).select_for_update().order_by("key", "period_start"))
    for row in rows:
        _follow_terms(row, limits.get(row.key))
    return {row.key: yuan_from_fen(row.used_fen) for row in rows}


def _follow_terms(row: CeilingUsage, limit: Decimal | None) -> None:
    """A lifetime limit outlives the terms that wrote it down: later terms may set another one. What was used stays."""
    if limit is None or row.ceiling_fen is None:
        return
    ceiling_fen = max(fen_from_yuan(round_half_up(limit)), row.used_fen)
    if ceiling_fen != row.ceiling_fen:
        CeilingUsage.objects.filter(pk=row.pk).update(ceiling_fen=ceiling_fen)


def take(claim: Claim, assessment: Assessment, *, instead_of: BenefitStatement | None = None) -> None:
    """Write down what the assessment takes under each limit, less what it takes the place of; the rows must be locked. The
    database refuses overspending. One statement."""
    taken = {use.key: fen_from_yuan(use.taken) for use in assessment.usage}
    for key, before in (taken_by(instead_of) if instead_of else {}).items():
        taken[key] = taken.get(key, 0) - fen_from_yuan(before)
    _add(claim, taken)


def free(claim: Claim, statement: BenefitStatement) -> None:
    """Give back what the final statement of a claim reserved: its decision does not stand. Of a correction, what it took more."""
    lock(claim)
    taken = {key: -fen_from_yuan(amount) for key, amount in taken_by(statement).items()}
    for key, before in (taken_by(statement.instead_of) if statement.instead_of else {}).items():
        taken[key] = taken.get(key, 0) + fen_from_yuan(before)
    _add(claim, taken)


def _add(claim: Claim, taken: Mapping[str, int]) -> None:
    changed = {key: fen for key, fen in taken.items() if fen}
    if changed:
        more = Case(*(When(key=key, then=Value(fen)) for key, fen in changed.items()), output_field=BigIntegerField())
        _rows(claim).filter(key__in=changed).update(used_fen=F("used_fen") + more)


def _rows(claim: Claim) -> QuerySet[CeilingUsage]:
    starts = [claim.enrolment.cover.lower, LIFETIME]
    return CeilingUsage.objects.filter(
        member_id=claim.member_id, program_id=claim.program_id, period_start__in=starts
    )


def _start(claim: Claim, key: str) -> date:
    return LIFETIME if key.startswith("lifetime:") else claim.enrolment.cover.lower
