"""Faults that were measured in another claims system, each as a permanent test of the whole path, with its control.

Amount multiplied by a join, co-payment and deductible lost, a line under the deductible paid, a ceiling overspent by two.
"""

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from claims.facts import prior_use, stays_of
from claims.models import CeilingUsage, Claim
from claims.selectors.recomputed import differences
from claims.services import adjudication, ceilings, intake
from claims.services.adjudication import DecisionRefused
from claims.services.reckoning import reckon
from programs.rules import assess
from programs.rules.steps import STEPS
from tests.factories.desk import Desk
from tests.factories.world import ASKED, ILL, World
from unionaid.lib.calendar import plus_days
from unionaid.lib.uploads import CleanUpload

EXAMPLE = {"name": "一例", "case": {"event": "admission", "personal_cost": "2000", "self_pay": "2000"}, "expect": "0"}


def item(code: str = "inpatient", *steps: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "name": {"zh": f"项目{code}", "en": code}, "clause": "第七条", "events": ["admission"], "steps": list(steps)}


def plan(desk: Desk, *items: dict[str, Any], expect: str):
    example = EXAMPLE | {"expect": expect}
    return desk.plan_with(items=list(items), examples=[example], exclusions=None, exclusive=None)


def stay(world: World, claim: Claim, days_later: int, self_pay_fen: int) -> None:
    """A further stay of an open claim."""
    on = plus_days(ILL, days_later)
    own = self_pay_fen
    fen = {"medfee_sumamt": 3 * own, "fund_pay_sumamt": 2 * own, "psn_part_amt": own, "psn_cash_pay": own}
    intake.set_stay(claim, admitted_on=on, discharged_on=on, fen=fen, by=world.worker(claim.member), on=ASKED)


def test_stays_papers_and_reviews_do_not_multiply_the_amount(desk: Desk) -> None:
    """Three stays × six more papers × several reviews: the amount is that of three stays."""
    cover = desk.cover(plan(desk, item("inpatient", {"take": "self_pay"}, {"ratio": "0.5"}), expect="1000.00"))
    claim = desk.world.claim(cover, 100_000)
    adjudication.return_for_supplement(claim, by=desk.reviewer, on=ASKED, note="请补充另外两次住院")
    by = desk.world.worker(claim.member)
    stay(desk.world, claim, 10, 20_000)
    stay(desk.world, claim, 20, 3_000)
    for i in range(6):
        intake.add_document(claim, kind="other", upload=CleanUpload("image/jpeg", b"j", f"{i}.jpg", f"{i:064d}"), by=by)
    intake.supplement(claim, by=by, on=ASKED)
    desk.decide(claim)
    assert claim.approved_fen == 61_500
    joined = Claim.objects.filter(pk=claim.pk).aggregate(s=Sum("admissions__psn_part_amt_fen"), d=Sum("documents__byte_count"))
    assert joined["s"] > 123_000, "the control: summed over a join, the cost is multiplied"


def test_co_payment_and_deductible_both_hold(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ({"take": "personal_cost"}, {"deduct": {"amount": "500", "per": "admission"}}, {"ratio": "0.8"})
    cover = desk.cover(plan(desk, item("inpatient", *steps), expect="1200.00"))
    claim = desk.world.claim(cover, 200_000)
    assert desk.decide(claim).approved_fen == 120_000
    stays, prior = stays_of([claim])[claim.pk], prior_use(claim)
    monkeypatch.setitem(STEPS, "deduct", lambda run, data: None)
    assert reckon(claim, stays, prior).found.total == Decimal(1600), "the control: without its deductible"
    monkeypatch.setitem(STEPS, "ratio", lambda run, data: None)
    assert reckon(claim, stays, prior).found.total == Decimal(2000), "the control: without its co-payment"


def test_a_stay_under_the_deductible_pays_nothing_beside_one_above_it(desk: Desk) -> None:
    """Each stay has its own deductible: one of 300 under it does not ride along with one of 2,000."""
    steps = ({"take": "personal_cost"}, {"deduct": {"amount": "500", "per": "admission"}})
    cover = desk.cover(plan(desk, item("inpatient", *steps), expect="1500.00"))
    claim = desk.world.claim(cover, 200_000)
    adjudication.return_for_supplement(claim, by=desk.reviewer, on=ASKED, note="请补充另一次住院")
    stay(desk.world, claim, 10, 30_000)
    intake.supplement(claim, by=desk.world.worker(claim.member), on=ASKED)
    assert desk.decide(claim).approved_fen == 150_000, "not 1,800 and not 1,300"


def test_a_claim_under_the_deductible_is_not_approved(desk: Desk) -> None:
    steps = ({"take": "personal_cost"}, {"deduct": {"amount": "500", "per": "case"}})
    cover = desk.cover(plan(desk, item("inpatient", *steps), expect="1500.00"))
    claim = desk.world.claim(cover, 30_000)
    adjudication.review(claim, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="0 元"):
        adjudication.approve(claim, by=desk.approver, on=ASKED)
    assert desk.decide(desk.world.claim(cover, 50_001)).approved_fen == 1, "the control: a fen above it pays that fen"


def test_two_items_of_one_claim_share_a_ceiling_and_spend_it_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"ceiling": {"amount": "1000", "scope": "period", "key": "plan"}}
    items = [item(code, {"take": "personal_cost"}, {"ratio": "0.4"}, shared) for code in ("a", "b")]
    cover = desk.cover(plan(desk, *items, expect="1000.00"))
    first = desk.decide(desk.world.claim(cover, 200_000))
    assert (first.approved_fen, CeilingUsage.objects.get(key="period:plan").used_fen) == (100_000, 100_000)
    second = desk.world.claim(cover, 200_000)
    adjudication.review(second, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="0 元"):
        adjudication.approve(second, by=desk.approver, on=ASKED)
    monkeypatch.setattr(ceilings, "lock", lambda claims: ceilings.Usage({}))
    with pytest.raises(Exception, match="ceiling_never_overspent"):
        adjudication.approve(second, by=desk.approver, on=ASKED)  # the control: blind to what was used, the database refuses


def test_two_claims_for_what_excludes_each_other_pay_the_greater_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """They answer different events, so nothing but what was counted over claims tells the second of the first."""
    illness = item("critical", {"fixed": "10000"}) | {"events": ["diagnosis"]}
    changes = {"items": [item("inpatient", {"take": "self_pay"}, {"ratio": "0.5"}), illness], "exclusive": [["inpatient", "critical"]]}
    cover = desk.cover(desk.plan_with(examples=[EXAMPLE | {"expect": "1000.00"}], exclusions=None, **changes))
    first, second, third = (desk.world.claim(cover, 300_000), desk.diagnosis(cover, ""), desk.world.claim(cover, 2_000_000))
    assert [desk.decide(claim).approved_fen for claim in (first, second, third)] == [150_000, 850_000, 150_000]
    assert list(differences()) == []
    fourth, prior = desk.diagnosis(cover, ""), prior_use(second)
    assert reckon(fourth, (), prior).found.total == Decimal(8500)
    monkeypatch.setattr(assess, "left_of", lambda gross, groups, prior: gross)
    assert reckon(fourth, (), prior).found.total == Decimal(10000), "the control: without what was given before"
