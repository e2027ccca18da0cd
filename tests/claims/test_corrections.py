"""What was decided is decided anew as a claim of its own: the difference is paid, the limits count it once, the past stays."""

from datetime import date

import pytest
from django.db import transaction

from claims.facts import prior_use, stays_of
from claims.models import BenefitStatement, CeilingUsage, Claim
from claims.selectors.recomputed import differences
from claims.services import adjudication, appeals, corrections, reckoning
from claims.services.adjudication import DecisionRefused
from claims.services.reckoning import reckon
from tests.factories.desk import CRITICAL, Desk
from tests.factories.world import ASKED
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import NotAllowed, move

SEVERE = {"diagnosis_class": "critical_severe"}


def _paid(desk: Desk, claim: Claim) -> Claim:
    desk.decide(claim)
    cast = desk.world.cast
    move([claim], "put_in_batch", by=cast.actor(cast.payer))
    move([claim], "release", by=desk.manager)
    return move([claim], "mark_paid", by=cast.actor(cast.payer))[0]


def _used(cover) -> dict[str, int]:
    rows = CeilingUsage.objects.filter(member_id=cover.member_id, program_id=cover.program_id)
    return {row.key: row.used_fen for row in rows if row.used_fen}


@pytest.fixture
def mild(desk: Desk) -> Claim:
    return _paid(desk, desk.diagnosis(desk.cover(desk.plan(CRITICAL)), "critical_mild"))


def test_a_mild_case_found_severe_after_payment_pays_the_difference(desk: Desk, mild: Claim) -> None:
    before = (Claim.objects.filter(pk=mild.pk).values().get(), mild.statements.get(is_final=True).assessment)
    mild.documents.first().delete()
    made = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告第 2 页")
    # Screened when made; that it has the papers of its own first decision is no second use of them.
    assert {flag.code for flag in made.flags.all()} == {"missing_paper", "new_provider"}
    assert (made.state, made.corrects_id, made.statements.get().total_fen) == ("reviewed", mild.pk, 1_000_000)
    adjudication.approve(made, by=desk.approver, on=ASKED)
    assert (mild.approved_fen, made.approved_fen) == (300_000, 700_000)
    assert _used(mild.enrolment)["period:plan"] == 1_000_000
    final = made.statements.get(is_final=True)
    assert (final.total_fen, final.instead_of) == (1_000_000, mild.statements.get(is_final=True))
    assert before == (Claim.objects.filter(pk=mild.pk).values().get(), mild.statements.get(is_final=True).assessment)
    assert list(differences()) == []


def _two_stays(desk: Desk) -> Claim:
    """Two stays in one claim, paid: the second was somebody else's sheet."""
    claim = desk.world.claim(desk.cover(), 600_000)
    stay = claim.admissions.get()
    stay.pk, stay.admitted_on, stay.discharged_on, stay._state.adding = None, date(2026, 4, 1), date(2026, 4, 9), True
    stay.save()
    Claim.objects.filter(pk=claim.pk).update(event_on=date(2026, 4, 1))
    claim.refresh_from_db()
    return _paid(desk, claim)


def test_a_stay_is_struck_and_what_was_paid_for_it_is_asked_back(desk: Desk) -> None:
    claim = _two_stays(desk)
    wrong, right = claim.admissions.order_by("admitted_on")
    kept = (Claim.objects.filter(pk=claim.pk).values().get(), list(claim.admissions.values()))
    told = {"by": desk.reviewer, "on": ASKED, "note": "不是本人的结算单"}
    with pytest.raises(DecisionRefused, match="至少要留下一次"):
        corrections.reclassify(claim, {}, struck=[wrong.pk, right.pk], **told)
    with pytest.raises(DecisionRefused, match="住院记录有变化"):
        corrections.reclassify(claim, {}, struck=[wrong.pk, 0], **told)
    made = corrections.reclassify(claim, {}, struck=[wrong.pk], **told)
    assert (made.admissions.get().admitted_on, made.event_on) == (right.admitted_on, right.admitted_on)
    entry = AuditEntry.objects.get(entity="claims.claim", entity_id=made.pk, action="reclassify")
    assert entry.details["struck"] == [{"admitted_on": "2026-04-01", "discharged_on": "2026-04-09", "medfee_sumamt_fen": 1_800_000}]
    whole = made.statements.get().total_fen
    assert whole < claim.approved_fen
    adjudication.reclaim(made, by=desk.approver, on=ASKED, note="多付", clause="第七条")
    assert made.state == "recovery"
    assert kept == (Claim.objects.filter(pk=claim.pk).values().get(), list(claim.admissions.values())), "what was decided stays as it was"


def test_without_the_link_the_whole_would_be_paid_again(desk: Desk, mild: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: counted as a case of its own the severe class gives 10,000 on top, were it not for the limit; past it the
    database refuses."""
    made = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告")
    monkeypatch.setattr(reckoning, "reckon", lambda claim, stays, prior, before=None, **_more: reckon(claim, stays, prior))
    assert reckon(made, stays_of([made])[made.pk], prior_use(made)).found.total == 10_000
    with pytest.raises(Exception, match="ceiling_never_overspent"):
        adjudication.approve(made, by=desk.approver, on=ASKED)


def test_a_second_correction_pays_the_difference_to_the_first(desk: Desk) -> None:
    cover = desk.cover()
    claim = desk.decide(desk.world.claim(cover, 600_000))
    first = corrections.reclassify(claim, {"diagnosis_code": "K35.2"}, by=desk.reviewer, on=ASKED, note="出院记录")
    first.admissions.update(psn_part_amt_fen=1_000_000)
    adjudication.approve(first, by=desk.approver, on=ASKED)
    second = corrections.reclassify(first, {"diagnosis_code": "K35.9"}, by=desk.reviewer, on=ASKED, note="出院记录")
    second.admissions.update(psn_part_amt_fen=1_200_000)
    adjudication.approve(second, by=desk.approver, on=ASKED)
    whole = second.statements.get(is_final=True).total_fen
    assert claim.approved_fen + first.approved_fen + second.approved_fen == whole == _used(cover)["period:plan"]
    assert list(differences()) == []


def test_a_later_claim_counts_the_corrected_case_once(desk: Desk, mild: Claim) -> None:
    made = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告")
    adjudication.approve(made, by=desk.approver, on=ASKED)
    later = desk.diagnosis(mild.enrolment, "critical_severe", "I21.9")
    assert prior_use(later).paid_items == {"critical": 10_000}
    assert prior_use(later).used["period:plan"] == 10_000


@pytest.mark.usefixtures("by_admission")
def test_a_corrected_stay_is_one_admission(desk: Desk) -> None:
    cover = desk.cover()
    claim = desk.decide(desk.world.claim(cover, 600_000))
    made = corrections.reclassify(claim, {"diagnosis_code": "K35.2"}, by=desk.reviewer, on=ASKED, note="出院记录")
    made.admissions.update(psn_part_amt_fen=1_000_000)
    adjudication.approve(made, by=desk.approver, on=ASKED)
    assert prior_use(made).admissions == 0
    assert prior_use(desk.world.claim(cover, 20_000)).admissions == 1


def test_nothing_more_to_pay_is_no_correction(desk: Desk, mild: Claim) -> None:
    made = corrections.reclassify(mild, {"diagnosis_code": "K35.9"}, by=desk.reviewer, on=ASKED, note="出院记录")
    with pytest.raises(DecisionRefused, match="没有需要补发的差额"):
        adjudication.approve(made, by=desk.approver, on=ASKED)
    adjudication.reject(made, by=desk.approver, on=ASKED, reason_code="not_listed", clause="第七条", note="金额不变")
    assert corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告").corrects == mild


def test_one_correction_at_a_time(desk: Desk, mild: Claim) -> None:
    corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告")
    with pytest.raises(DecisionRefused, match="已有一次更正"):
        corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告")


def test_two_corrections_of_one_decision_never_both_pay(desk: Desk, mild: Claim) -> None:
    """The first correction is rejected and appealed; meanwhile a second one of the same decision is approved."""
    refused = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告")
    adjudication.reject(refused, by=desk.approver, on=ASKED, reason_code="papers", clause="第七条", note="报告不清")
    appeal = appeals.file(refused, grounds="报告清楚", by=desk.world.worker(mild.member), on=ASKED)
    reopened = appeals.uphold(appeal, by=desk.manager, on=ASKED, clause="第七条", answer="重新审核").outcome
    second = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="新的报告")
    assert adjudication.approve(second, by=desk.approver, on=ASKED).approved_fen == 700_000
    adjudication.review(reopened, by=desk.other_reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="已经由另一份申领重新核定"):
        adjudication.approve(reopened, by=desk.other_approver, on=ASKED)
    assert _used(mild.enrolment)["period:plan"] == 1_000_000


def test_who_reclassifies_does_not_approve(desk: Desk, mild: Claim) -> None:
    made = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告")
    with pytest.raises(NotAllowed):
        adjudication.approve(made, by=desk.reviewer, on=ASKED)
    with pytest.raises(NotAllowed):
        corrections.reclassify(mild, SEVERE, by=desk.world.worker(mild.member), on=ASKED, note="自己改")


def test_who_brought_the_case_before_the_office_does_not_reclassify_it(desk: Desk, mild: Claim) -> None:
    """As of a claim that came of an appeal which a reviewer wrote down for whoever came."""
    Claim.objects.filter(pk=mild.pk).update(submitted_by=desk.other_reviewer.user_id)
    mild.refresh_from_db()
    with pytest.raises(NotAllowed, match="要由另一个人来办"), transaction.atomic():
        corrections.reclassify(mild, SEVERE, by=desk.other_reviewer, on=ASKED, note="病理报告")
    assert corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告").state == "reviewed"


def test_the_day_of_the_first_claim_counts_for_the_deadline(desk: Desk, mild: Claim) -> None:
    made = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=date(2029, 1, 1), note="病理报告")
    assert made.claimed_on == ASKED
    adjudication.approve(made, by=desk.approver, on=date(2029, 1, 1))
    assert made.approved_fen == 700_000


def test_the_act_and_its_grounds_are_kept(desk: Desk, mild: Claim) -> None:
    made = corrections.reclassify(mild, SEVERE, by=desk.reviewer, on=ASKED, note="病理报告第 2 页")
    entry = AuditEntry.objects.get(entity="claims.claim", entity_id=made.pk, action="reclassify")
    assert entry.details["diagnosis_class"] == {"from": "critical_mild", "to": "critical_severe"}
    assert entry.note == "病理报告第 2 页"
    assert BenefitStatement.objects.filter(claim=mild, is_final=True).count() == 1
    with pytest.raises(DecisionRefused, match="没有改变任何事实"):
        corrections.reclassify(mild, {"diagnosis_class": "critical_mild"}, by=desk.reviewer, on=ASKED, note="没有变")
