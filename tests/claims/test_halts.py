"""A decision found wrong before its money has left is not paid: one person holds it, another confirms, it is reviewed anew."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from claims.models import CeilingUsage, Claim
from claims.payouts import services as payouts
from claims.payouts.invariants import INVARIANTS
from claims.services import adjudication, corrections, halts
from claims.services.halts import HaltRefused
from tests.claims.payouts.test_recoveries import Case
from tests.factories.clients import client_of
from tests.factories.desk import CRITICAL, Desk
from tests.factories.offices import PASSWORD
from tests.factories.world import ASKED
from unionaid.accounts.models import User
from unionaid.ledger.invariants import look
from unionaid.ledger.models import Entry
from unionaid.workflow.models import Notice
from unionaid.workflow.moves import Conflict, NotAllowed

WHY = {"reason": "发票是另一家医院的", "clause": "第七条"}


@pytest.fixture
def claim(desk: Desk) -> Claim:
    return desk.decide(desk.world.claim(desk.cover(), 600_000))


def _used() -> int:
    return CeilingUsage.objects.get(key="period:plan").used_fen


def _hold(desk: Desk, claim: Claim) -> Claim:
    return halts.propose(claim, **WHY, by=desk.reviewer, on=ASKED)


def test_one_holds_it_another_confirms_and_what_is_right_is_paid_then(desk: Desk, claim: Claim) -> None:
    payer, books = desk.world.cast.actor(desk.world.cast.payer), Entry.objects.count()
    for missing in ({"reason": " "}, {"clause": ""}):
        with pytest.raises(HaltRefused):
            halts.propose(claim, **WHY | missing, by=desk.reviewer, on=ASKED)
    with pytest.raises(NotAllowed):
        halts.propose(claim, **WHY, by=desk.world.worker(claim.member), on=ASKED)
    _hold(desk, claim)
    assert claim not in payouts.payable(desk.world.cast.a)
    with pytest.raises(Conflict):
        payouts.assemble(office=desk.world.cast.a, claims=[claim], by=payer, on=ASKED)
    with pytest.raises(adjudication.DecisionRefused, match="不能重新核定"):
        corrections.reclassify(claim, {"diagnosis_code": "K35.2"}, by=desk.reviewer, on=ASKED, note="x")
    for nobody in (desk.reviewer, payer):
        with pytest.raises(NotAllowed):
            halts.confirm(claim, by=nobody, on=ASKED)
    assert _used() == 440_000, "until it is confirmed the decision holds"
    assert look(INVARIANTS) == []
    made = halts.confirm(claim, by=desk.approver, on=ASKED)
    assert (claim.state, made.state, made.corrects_id, claim.message, _used()) == ("halted", "submitted", claim.pk, WHY["reason"], 0)
    assert Entry.objects.count() == books, "the books never knew of it"
    told = Notice.objects.filter(member_key=claim.claimant_id).order_by("-id").first()
    assert WHY["reason"] in told.text
    assert made.number in told.text
    made.admissions.update(psn_part_amt_fen=300_000)
    desk.decide_otherwise(made)
    assert 0 < made.approved_fen == _used() < claim.approved_fen
    assert look(INVARIANTS) == []
    with pytest.raises(Conflict):
        halts.confirm(claim, by=desk.manager, on=ASKED)


def test_the_database_wants_two_people_and_a_reason(desk: Desk, claim: Claim) -> None:
    _hold(desk, claim)
    with pytest.raises(IntegrityError, match="claim_halted_by_two"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(halted_by=desk.reviewer.user_id)
    with pytest.raises(IntegrityError, match="claim_halted_by_somebody"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(state="halted")
    with pytest.raises(IntegrityError, match="claim_held_with_a_reason"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(halt_reason="")


def test_without_giving_it_back_the_limit_would_stay_used(desk: Desk, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halts.ceilings, "free", lambda claim, statement: None)
    halts.confirm(_hold(desk, claim), by=desk.approver, on=ASKED)
    assert _used() == 440_000
    assert [finding.code for finding in look(INVARIANTS)] == ["I7"]


def test_a_decision_that_was_right_after_all_is_paid_as_it_was(desk: Desk, claim: Claim) -> None:
    _hold(desk, claim)
    with pytest.raises(HaltRefused, match="核对的结果"):
        halts.resume(claim, by=desk.approver, note=" ")
    halts.resume(claim, by=desk.approver, note="发票没有错")
    assert (claim.state, claim.approved_fen, _used()) == ("approved", 440_000, 440_000)
    assert Case(desk, claim).pay(claim).amount_fen == 440_000


def test_what_the_bank_sent_back_may_be_halted_what_is_on_its_way_or_corrected_may_not(desk: Desk, claim: Claim) -> None:
    case = Case(desk, claim)
    batch = payouts.assemble(office=desk.world.cast.a, claims=[claim], by=case.payer, on=ASKED)
    claim.refresh_from_db()
    with pytest.raises(HaltRefused, match="移出批次"):
        _hold(desk, claim)
    payouts.cancel(batch, by=case.payer)
    claim.refresh_from_db()
    assert case.pay(claim, outcome="失败").state == "failed"
    halts.resume(_hold(desk, claim), by=desk.approver, note="账户错了，核定没有错")
    assert claim.state == "returned_payment"
    made = corrections.reclassify(claim, {"diagnosis_code": "K35.2"}, by=desk.reviewer, on=ASKED, note="出院记录")
    with pytest.raises(HaltRefused, match=made.number):
        _hold(desk, claim)
    assert Claim.objects.get(pk=claim.pk).state == "returned_payment"
    adjudication.reject(made, by=desk.approver, on=ASKED, reason_code="papers", clause="第七条", note="金额不变")
    claim.refresh_from_db()
    assert halts.confirm(_hold(desk, claim), by=desk.manager, on=ASKED).state == "submitted"
    assert look(INVARIANTS) == []


def test_a_halted_correction_is_reviewed_anew_as_a_difference(desk: Desk) -> None:
    first = desk.decide(desk.diagnosis(desk.cover(desk.plan(CRITICAL)), "critical_mild"))
    Case(desk, first).pay(first)
    severe = corrections.reclassify(first, {"diagnosis_class": "critical_severe"}, by=desk.reviewer, on=ASKED, note="病理报告")
    adjudication.approve(severe, by=desk.approver, on=ASKED)
    again = halts.confirm(halts.propose(severe, **WHY, by=desk.approver, on=ASKED), by=desk.manager, on=ASKED)
    assert _used() == first.approved_fen
    desk.decide_otherwise(again)
    assert (again.approved_fen, _used()) == (severe.approved_fen, first.approved_fen + severe.approved_fen)
    assert look(INVARIANTS) == []


def test_the_pages_carry_it_and_the_worker_reads_why(desk: Desk, claim: Claim) -> None:
    users = [User.objects.get(pk=by.user_id) for by in (desk.reviewer, desk.approver)]
    reviewer, approver = map(client_of, users)
    page, status = reverse("admin:claim_halt", args=[claim.pk]), reverse("claims:status", args=[claim.public_id])
    worker = client_of(claim.claimant.user)
    assert page in reviewer.get(reverse("admin:claim_review", args=[claim.pk])).content.decode()
    assert reviewer.post(page, {"reason": "", "clause": ""}).status_code == 400
    assert reviewer.post(page, WHY).status_code == 302
    assert "先暂停付款" in worker.get(status).content.decode()
    assert "正在等终审或办事处负责人确认" in reviewer.get(page).content.decode()
    assert "确认停付，重新审核" in approver.get(page).content.decode()
    assert reviewer.post(page, {"decision": "confirm"}).status_code == 403
    assert approver.post(page, {"decision": "resume"}).status_code == 400
    confirm = {"decision": "confirm", "note": "属实"}
    said = ({}, {"password": "x"}, {"password": PASSWORD})
    assert [approver.post(page, confirm | one).status_code for one in said] == [400, 400, 302], "who one is is asked again"
    made = Claim.objects.get(corrects=claim)
    told = worker.get(status).content.decode()
    assert WHY["reason"] in told
    assert made.number in told
    assert "停止付款后重新审核" in worker.get(reverse("claims:status", args=[made.public_id])).content.decode()
