"""A decision may be appealed in the plan's window; others hear it; upheld, the claim is decided anew and the difference paid."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from claims.models import STEP_DAYS, Appeal, CeilingUsage, Claim, Review
from claims.selectors.progress import office_days, standing_of
from claims.selectors.queue import appeal_ends, due_of
from claims.selectors.rules import rules
from claims.services import adjudication, appeals, halts, intake
from claims.services.appeals import AppealRefused
from claims.services.rules import set_rule
from tests.factories.clients import client_of
from tests.factories.desk import Desk
from tests.factories.world import ASKED
from unionaid.accounts.models import User
from unionaid.lib import workdays
from unionaid.lib.calendar import frozen, now
from unionaid.workflow.models import Notice
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


def test_whoever_filed_the_claim_appeals_for_the_claimant_in_the_same_days(desk: Desk, rejected: Claim) -> None:
    world = desk.world
    kin = world.member(402, "李小红")
    with pytest.raises(NotAllowed):
        appeals.file(rejected, grounds="不同意", by=world.worker(kin), on=ASKED)
    for filed, by in (
        ({"filed_by": kin.user, "filed_as": "family", "kin": kin, "relation": "spouse"}, world.worker(kin)),
        ({"filed_by": world.agent, "filed_as": "unit_agent", "kin": None, "relation": ""}, world.agent_actor),
    ):
        Claim.objects.filter(pk=rejected.pk).update(**filed)
        claim = Claim.objects.select_related("member", "claimant", "terms", "program").get(pk=rejected.pk)
        with pytest.raises(AppealRefused, match="2026年7月15日"):
            appeals.file(claim, grounds="不同意", by=by, on=date(2026, 7, 16))
        made = appeals.file(claim, grounds="不同意", by=by, on=LAST)
        assert Notice.objects.filter(member_key=claim.claimant_id).latest("id").title == "有人替您提出了申诉"
        assert (made.kin_id, made.unit_id) == (claim.kin_id, world.unit.pk if by == world.agent_actor else None)
        with pytest.raises(NotAllowed):
            appeals.withdraw(made, by=world.worker(world.member(404 + made.pk, "别人")))
        assert appeals.withdraw(made, by=by).state == "withdrawn"
    Claim.objects.filter(pk=rejected.pk).update(objected_at=now())
    with pytest.raises(NotAllowed):
        appeals.file(Claim.objects.get(pk=rejected.pk), grounds="不同意", by=world.agent_actor, on=LAST)


def test_the_desk_writes_it_down_for_whoever_comes_and_does_not_answer_it(desk: Desk, rejected: Claim) -> None:
    page = reverse("admin:claim_appeal_new", args=[rejected.pk])
    at_desk = client_of(User.objects.get(pk=desk.manager.user_id))
    assert page in at_desk.get(reverse("admin:claim_review", args=[rejected.pk])).content.decode()
    assert at_desk.post(page, {"name": "", "grounds": "", "key": "k"}).status_code == 400
    assert at_desk.post(page, {"name": "王父", "grounds": "出院记录在这里", "key": "k"}).status_code == 302
    made = Appeal.objects.get()
    assert (made.brought_by, made.filed_by_id) == ("王父", desk.manager.user_id)
    assert "王父" in at_desk.get(reverse("admin:claim_appeal", args=[made.pk])).content.decode()
    with pytest.raises(NotAllowed):
        appeals.dismiss(made, by=desk.manager, on=ASKED, clause="第九条", answer="不变")
    assert at_desk.get(page).status_code == 302, "once at a time, as for everybody"
    with pytest.raises(NotAllowed):
        appeals.file(rejected, grounds="不同意", by=desk.world.cast.actor(desk.world.cast.outsider), on=ASKED, brought_by="王父")


def test_a_held_decision_is_not_appealed_and_has_its_days_once_it_stands_again(desk: Desk) -> None:
    claim = desk.decide(desk.world.claim(desk.cover(), 600_000))
    assert appeals.last_day(claim) == LAST
    halts.propose(claim, reason="发票有疑问", clause="第七条", by=desk.reviewer, on=ASKED)
    assert appeals.last_day(claim) is None
    with frozen(date(2026, 7, 13)):
        halts.resume(claim, by=desk.approver, note="核对无误")
    assert appeals.last_day(claim) == workdays.due_on(date(2026, 7, 13), 10)


def test_by_when_is_what_the_office_has_set_for_the_step_and_for_an_appeal(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    assert standing_of(claim, on=ASKED).by == due_of(claim, rules()) == workdays.due_on(ASKED, STEP_DAYS)
    days = {"submitted": 3, "approved": 7, "appeal": 4}
    set_rule(desk.world.cast.a, bulk_limit_fen=0, soon_days=0, cooling_days=0, step_days=days, seen=0, by=desk.manager)
    assert standing_of(claim, on=ASKED).by == due_of(claim, rules()) == date(2026, 7, 6), "three working days after a Wednesday"
    assert standing_of(claim, on=date(2026, 7, 7)).late
    at_unit = Claim(state="unit_review", unit_due_on=date(2026, 7, 2))
    assert standing_of(at_unit, on=ASKED).by == date(2026, 7, 2), "the unit's own day"
    approved = desk.decide(claim)
    assert standing_of(approved, on=ASKED).by == date(2026, 7, 10)
    assert appeal_ends(_file(desk, approved), rules()) == date(2026, 7, 7)


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
