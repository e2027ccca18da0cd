"""A plan that takes some kinds of claims until a later day: the claim tells its kind, the reviewer may correct it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from claims.facts import told_case
from claims.models import Admission, Claim
from claims.selectors.needs import needs_of
from claims.services import adjudication
from programs.rules.assess import assess
from programs.rules.facts import CoverFacts, PersonFacts
from programs.rules.words import Words
from tests.factories.desk import Desk
from tests.programs.rules.plans import catalogue_plan
from unionaid.lib.calendar import Period
from unionaid.workflow.models import AuditEntry

UNTIL = {"until": {"default": "2026-06-30", "childbirth": "2026-08-31"}}  # claims are asked for on 1 July


@pytest.mark.parametrize(
    ("kind", "asked_on", "pays"),
    [
        ("childbirth", date(2019, 5, 1), "600.00"),
        ("childbirth", date(2019, 5, 31), "600.00"),
        ("childbirth", date(2019, 6, 1), "0.00"),
        ("default", date(2019, 5, 1), "0.00"),
        ("", date(2019, 5, 1), "0.00"),
        ("", date(2019, 3, 31), "600.00"),
    ],
)
def test_a_childbirth_in_hangzhou_is_claimed_until_the_end_of_may(kind: str, asked_on: date, pays: str) -> None:
    claim = Claim(event="admission", event_kind=kind, event_on=date(2018, 12, 20), claimed_on=asked_on)
    figures = {"medfee_sumamt_fen": 300_000, "fund_pay_sumamt_fen": 200_000, "psn_part_amt_fen": 100_000, "psn_cash_pay_fen": 100_000}
    stay = Admission(admitted_on=date(2018, 12, 20), discharged_on=date(2018, 12, 24), **figures)
    cover = CoverFacts(Period(date(2018, 1, 1), date(2019, 1, 1)), 1)
    person = PersonFacts(birth_date=date(1990, 1, 1), gender="female")
    found = assess(catalogue_plan("hangzhou-inpatient.2018"), person=person, cover=cover, case=told_case(claim, [stay]))
    assert str(found.total) == pays


def test_the_kind_is_asked_only_where_it_makes_a_difference() -> None:
    kinds = needs_of(catalogue_plan("hangzhou-inpatient.2018"), "admission").kinds
    assert kinds == (
        ("childbirth", Words("生育（最晚 2019年5月31日申领）", "childbirth (apply by 31 May 2019)")),
        ("default", Words("其他（最晚 2019年3月31日申领）", "other (apply by 31 March 2019)")),
    )
    assert needs_of(catalogue_plan("hangzhou-women.2018"), "diagnosis").kinds == ()  # one day for all
    assert needs_of(catalogue_plan("shaanxi-yulin-medical.2026"), "admission").kinds == ()


def _claim(desk: Desk, **told: Any) -> Claim:
    return desk.world.claim(desk.cover(desk.plan_with(claim_within=UNTIL)), 100_000, facts=told)


def _gives(claim: Claim) -> Decimal:
    return Decimal(claim.statements.order_by("-id")[0].total_fen) / 100


def test_what_the_worker_tells_counts(desk: Desk) -> None:
    assert _gives(_claim(desk, event_kind="childbirth")) == Decimal("800.00")


def test_the_reviewer_corrects_the_kind(desk: Desk) -> None:
    claim = _claim(desk)
    assert _gives(claim) == 0
    adjudication.establish(claim, {"event_kind": "childbirth"}, by=desk.reviewer, note="出生医学证明")
    assert _gives(claim) == Decimal("800.00")
    entry = AuditEntry.objects.get(entity="claims.claim", entity_id=claim.pk, action="establish")
    assert entry.details["event_kind"] == {"from": "", "to": "childbirth"}
    claim.refresh_from_db()
    adjudication.establish(claim, {"event_kind": "default"}, by=desk.reviewer, note="不是生育")
    assert _gives(claim) == 0
