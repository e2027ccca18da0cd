"""A decision may be appealed in the plan's window; others hear it; upheld, the claim is decided anew and the difference paid."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from claims.models import STEP_DAYS, Appeal, CeilingUsage, Claim, Review
from claims.selectors.progress import office_days
from claims.selectors.queue import due_of
from claims.selectors.rules import rules
from claims.services import adjudication, appeals, intake
from claims.services.appeals import AppealRefused
from tests.factories.desk import Desk
from tests.factories.world import ASKED
from unionaid.lib import workdays
from unionaid.lib.calendar import frozen
from unionaid.workflow.moves import NotAllowed

LAST = date(2026, 7, 15)  # ten working days after Wednesday, 1 July


@pytest.fixture
def rejected(desk: Desk) -> Claim:
    return desk.reject(desk.world.claim(desk.cover(), 600_000))


def _file(desk: Desk, claim: Claim, on: date = ASKED) -> Appeal:
    return appeals.file(claim, grounds="出院记录已补交", by=desk.world.worker(claim.member), on=on)


def _uphold(desk: Desk, appeal: Appeal) -> Claim:
    return appeals.uphold(appeal, by=desk.other_reviewer, on=ASKED, clause="第七条", answer="材料齐全，重新审核").outcome


def test_an_upheld_appeal_is_decided_anew_by_others_and_paid(desk: Desk, rejected: Claim) -> None:
    kept = Claim.objects.filter(pk=rejected.pk).values().get()
    appeal = _file(desk, rejected)
    made = _uphold(desk, appeal)
    assert (made.state, made.corrects_id, appeal.state, appeal.clause) == ("submitted", rejected.pk, "upheld", "第七条")
    for by in (desk.reviewer, desk.world.worker(rejected.member)):
        with pytest.raises(NotAllowed):
            adjudication.review(made, by=by, on=ASKED)
    assert desk.decide_otherwise(made).approved_fen == 440_000
    assert CeilingUsage.objects.get(key="period:plan").used_fen == 440_000
    assert Claim.objects.filter(pk=rejected.pk).values().get() == kept
    assert list(Review.objects.filter(claim=rejected).values_list("decision", flat=True)) == ["reject", "appeal_upheld"]
    assert made.documents.count() == rejected.documents.count() > 0


def test_an_appeal_against_the_amount_pays_the_difference(desk: Desk) -> None:
    claim = desk.decide(desk.world.claim(desk.cover(), 600_000))
    claim.admissions.update(hosp_part_amt_fen=1)
    made = _uphold(desk, _file(desk, claim))
    assert [flag.code for flag in made.flags.all()] == ["total_does_not_add"]  # screened when made: whoever is handed it sees why
    made.admissions.update(psn_part_amt_fen=1_000_000)
    desk.decide_otherwise(made)
    assert made.approved_fen == made.statements.get(is_final=True).total_fen - 440_000 > 0
    assert CeilingUsage.objects.get(key="period:plan").used_fen == made.approved_fen + 440_000


def test_a_dismissed_appeal_names_its_clause_and_changes_nothing(desk: Desk, rejected: Claim) -> None:
    appeal = appeals.dismiss(_file(desk, rejected), by=desk.manager, on=ASKED, clause="第九条", answer="仍缺出院记录")
    assert (appeal.state, appeal.clause, appeal.outcome) == ("dismissed", "第九条", None)
    assert Claim.objects.get(pk=rejected.pk).state == "rejected"
    assert not Claim.objects.filter(corrects=rejected).exists()
    with pytest.raises(AppealRefused, match="已经申诉过"):
        _file(desk, rejected)


def test_who_decided_the_claim_does_not_hear_the_appeal(desk: Desk) -> None:
    claim = desk.decide(desk.world.claim(desk.cover(), 600_000))
    appeal = _file(desk, claim)
    for by in (desk.reviewer, desk.approver):
        with pytest.raises(NotAllowed):
            appeals.dismiss(appeal, by=by, on=ASKED, clause="第九条", answer="不变")
        with pytest.raises(NotAllowed):
            appeals.uphold(appeal, by=by, on=ASKED, clause="第九条", answer="重审")
    for user, name in ((desk.approver.user_id, "first_decider"), (desk.reviewer.user_id, "first_reviewer")):
        with pytest.raises(IntegrityError, match=f"appeal_not_by_{name}"), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(decided_by=user)


def test_the_last_day_counts_and_the_day_after_does_not(desk: Desk, rejected: Claim) -> None:
    assert appeals.last_day(rejected) == LAST
    with pytest.raises(AppealRefused, match="2026年7月15日"):
        _file(desk, rejected, on=date(2026, 7, 16))
    assert _file(desk, rejected, on=LAST).state == "filed"


def test_the_plan_sets_the_window(desk: Desk) -> None:
    cover = desk.cover(desk.plan(appeal_days=3, notice_days=2))
    claim = desk.reject(desk.world.claim(cover, 600_000))
    assert appeals.last_day(claim) == date(2026, 7, 6)
    on_notice = desk.decide(desk.world.claim(cover, 600_001))
    assert appeals.last_day(on_notice) is None
    with pytest.raises(AppealRefused, match="还没有决定"):
        _file(desk, on_notice)


def test_only_the_claimant_appeals_once_at_a_time_with_grounds(desk: Desk, rejected: Claim) -> None:
    other = desk.world.worker(desk.world.member(402, "别人"))
    with pytest.raises(NotAllowed):
        appeals.file(rejected, grounds="我不同意", by=other, on=ASKED)
    with pytest.raises(AppealRefused, match="理由"):
        appeals.file(rejected, grounds=" ", by=desk.world.worker(rejected.member), on=ASKED)
    first = _file(desk, rejected)
    with pytest.raises(AppealRefused):
        _file(desk, rejected)
    with pytest.raises(NotAllowed):
        appeals.withdraw(first, by=other)
    appeals.withdraw(first, by=desk.world.worker(rejected.member))
    assert _file(desk, rejected).state == "filed"


def test_an_answer_needs_its_clause_and_its_words(desk: Desk, rejected: Claim) -> None:
    appeal = _file(desk, rejected)
    for clause, answer in (("", "说明"), ("第九条", " ")):
        with pytest.raises(AppealRefused):
            appeals.dismiss(appeal, by=desk.manager, on=ASKED, clause=clause, answer=answer)
        with pytest.raises(AppealRefused):
            appeals.uphold(appeal, by=desk.manager, on=ASKED, clause=clause, answer=answer)
    with pytest.raises(IntegrityError, match="appeal_answered_with_clause"), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk).update(state="dismissed")


def test_a_claim_below_the_deductible_gives_its_part_back_when_decided_anew(desk: Desk) -> None:
    item = {
        "code": "inpatient", "name": {"zh": "住院补助", "en": "Aid"}, "clause": "第七条", "events": ["admission"],
        "steps": [{"take": "personal_cost"}, {"deduct": {"amount": "500", "per": "period"}}, {"ratio": "0.5"}],
    }  # fmt: skip
    example = {"name": "一例", "case": {"event": "admission", "personal_cost": "700"}, "expect": "100"}
    terms = desk.plan_with(items=[item], examples=[example], exclusions=None, exclusive=None)
    cover = desk.cover(terms)
    claim = desk.world.claim(cover, 40_000)
    adjudication.reject(claim, by=desk.reviewer, on=ASKED, reason_code="below_deductible", clause="第七条", note="未达到起付线")
    assert CeilingUsage.objects.get(key="deductible:deductible").used_fen == 40_000
    made = _uphold(desk, _file(desk, claim))
    made.admissions.update(psn_part_amt_fen=70_000)
    desk.decide_otherwise(made)
    assert (made.approved_fen, CeilingUsage.objects.get(key="deductible:deductible").used_fen) == (10_000, 50_000)


def test_the_time_it_stood_with_the_claimant_does_not_count(desk: Desk) -> None:
    """Neither for the days with the office nor for the limit of the step, of which what was used before stays used."""
    claim = desk.world.claim(desk.cover(), 600_000)
    limit = due_of(claim, rules())
    assert limit == workdays.due_on(ASKED, STEP_DAYS)
    with frozen(date(2026, 7, 4)):
        adjudication.return_for_supplement(claim, by=desk.reviewer, on=date(2026, 7, 4), note="还差出院记录")
        assert office_days(claim, on=date(2026, 7, 4)) == 3
    assert office_days(claim, on=date(2026, 7, 20)) == 3
    with frozen(date(2026, 7, 20)):
        intake.supplement(claim, by=desk.world.worker(claim.member), on=date(2026, 7, 20))
    claim.refresh_from_db()
    assert (claim.stood_days, claim.stopped_at, office_days(claim, on=date(2026, 7, 22))) == (16, None, 5)
    used = 2  # Thursday and Friday, 2 and 3 July
    assert due_of(claim, rules()) == workdays.due_on(date(2026, 7, 20), STEP_DAYS - used)
    reviewed = adjudication.review(desk.world.claim(claim.enrolment, 500_000), by=desk.reviewer, on=ASKED)
    with frozen(date(2026, 7, 6)):
        adjudication.return_for_supplement(reviewed, by=desk.approver, on=date(2026, 7, 6), note="还差病历")
    assert reviewed.step_days == 0, "what was reviewed is reviewed anew"
