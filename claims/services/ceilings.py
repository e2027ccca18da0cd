"""Limits that count over claims (封顶线, yearly deductibles, days): one row per member, program, key and period; locked in
key order before a claim is decided."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.db.models import F, QuerySet

from claims.facts import LIFETIME
from claims.models import CeilingUsage, Claim
from programs.rules.assess import Assessment, limits_of
from programs.rules.facts import disease_of
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, round_half_up, yuan_from_fen


def lock(claim: Claim) -> Mapping[str, Decimal]:
    """Make sure a row for every limit stands, lock them all, and give what is used under each (yuan, or days).

    The lock holds until the transaction ends: a second reviewer waits here and then sees what the first one used.
    """
    disease = disease_of(claim.diagnosis_code, claim.diagnosis_class)
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


def take(claim: Claim, assessment: Assessment) -> None:
    """Write down what the assessment takes under each limit; the rows must be locked. The database refuses overspending."""
    for use in assessment.usage:
        taken = fen_from_yuan(use.taken)
        if taken:
            _rows(claim).filter(key=use.key).update(used_fen=F("used_fen") + taken)


def _rows(claim: Claim) -> QuerySet[CeilingUsage]:
    starts = [claim.enrolment.cover.lower, LIFETIME]
    return CeilingUsage.objects.filter(
        member_id=claim.member_id, program_id=claim.program_id, period_start__in=starts
    )


def _start(claim: Claim, key: str) -> date:
    return LIFETIME if key.startswith("lifetime:") else claim.enrolment.cover.lower
