"""A decided claim stands on notice for the plan's days; doubts are looked into by others; it ends by the timetable."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from claims.models import CeilingUsage, Claim, Objection
from claims.services import adjudication, public_notice
from claims.services.public_notice import NoticeRefused
from tests.factories.desk import CRITICAL, Desk
from tests.factories.world import ASKED
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import NOBODY, SYSTEM
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.models import Job
from unionaid.workflow.moves import Conflict, NotAllowed, move

LAST, OVER = date(2026, 7, 8), date(2026, 7, 9)  # five working days after Wednesday, 1 July


@pytest.fixture
def claim(desk: Desk) -> Claim:
    return desk.decide(desk.world.claim(desk.cover(desk.plan(notice_days=5)), 600_000))


def _object(desk: Desk, claim: Claim, on: date = ASKED) -> Objection:
    stranger = desk.world.member(401, "路人甲")
    return public_notice.object_to(claim, name="路人甲", text="他没有住过院", by=desk.world.worker(stranger), on=on)


def _used() -> int:
    return CeilingUsage.objects.get(key="period:plan").used_fen


def _ask(day: date) -> None:
    with frozen(day):
        ask_what_is_due()
        run_due("default")


def test_an_approved_claim_goes_on_notice_and_its_limit_is_reserved(desk: Desk, claim: Claim) -> None:
    assert (claim.state, claim.notice_from, claim.notice_until, claim.approved_fen) == ("on_notice", ASKED, LAST, 440_000)
    assert _used() == 440_000
    with pytest.raises(Conflict):
        move([claim], "put_in_batch", by=desk.world.cast.actor(desk.world.cast.payer))


def test_a_plan_without_notice_days_skips_it(desk: Desk) -> None:
    assert desk.decide(desk.world.claim(desk.cover(), 600_000)).state == "approved"


def test_it_ends_after_its_last_day_however_late_somebody_asks(desk: Desk, claim: Claim) -> None:
    _ask(LAST)
    assert Claim.objects.get(pk=claim.pk).state == "on_notice"
    _ask(date(2026, 8, 1))
    _ask(date(2026, 8, 1))
    assert Claim.objects.get(pk=claim.pk).state == "approved"
    assert Job.objects.filter(kind="claims.close_notice").count() == 1
    public_notice.close(claim.pk, on=date(2026, 8, 2))  # a second run does nothing


def test_an_open_objection_holds_it_and_a_dismissed_one_lets_it_go(desk: Desk, claim: Claim) -> None:
    objection = _object(desk, claim)
    _ask(OVER)
    assert Claim.objects.get(pk=claim.pk).state == "on_notice"
    public_notice.close(claim.pk, on=OVER)  # a job that was written before the objection came
    assert Claim.objects.get(pk=claim.pk).state == "on_notice"
    public_notice.dismiss(objection, by=desk.manager, on=OVER, answer="查过出院记录，属实")
    _ask(date(2026, 7, 10))
    assert Claim.objects.get(pk=claim.pk).state == "approved"
    assert _used() == 440_000


def test_an_upheld_objection_pays_nothing_and_frees_the_limit(desk: Desk, claim: Claim) -> None:
    objection, second = _object(desk, claim), public_notice.object_to(claim, name="老王", text="同上", by=desk.reviewer, on=ASKED)
    public_notice.uphold(objection, by=desk.manager, on=ASKED, answer="查实没有住院", clause="第九条")
    claim.refresh_from_db()
    assert (claim.state, claim.reason_code, claim.reason_clause, _used()) == ("rejected", "objection", "第九条", 0)
    assert {one.state for one in Objection.objects.filter(pk__in=[objection.pk, second.pk])} == {"upheld"}
    again = desk.world.claim(claim.enrolment, 600_000)
    assert desk.decide(again).state == "on_notice"


def test_a_reason_of_the_list_may_be_given_instead(desk: Desk, claim: Claim) -> None:
    public_notice.uphold(_object(desk, claim), by=desk.manager, on=ASKED, answer="不在保障期", clause="第三条", reason_code="not_covered")
    assert Claim.objects.get(pk=claim.pk).reason_code == "not_covered"


def test_an_upheld_objection_may_send_it_back_to_review_and_the_whole_is_paid_then(desk: Desk, claim: Claim) -> None:
    made = public_notice.review_again(_object(desk, claim), by=desk.manager, on=ASKED, answer="费用有疑问", clause="第七条")
    claim.refresh_from_db()
    assert (claim.state, made.state, made.corrects_id, _used()) == ("replaced", "submitted", claim.pk, 0)
    assert desk.decide(made).state == "on_notice", "by the same desk: nobody of it was wrong about the law"
    assert (made.approved_fen, _used()) == (440_000, 440_000)
    with pytest.raises(Conflict):
        move([claim], "close_notice", by=SYSTEM)


def test_it_may_be_decided_anew_by_what_was_found_and_another_person_approves(desk: Desk) -> None:
    cover = desk.cover(desk.plan(CRITICAL, notice_days=5))
    severe = desk.decide(desk.diagnosis(cover, "critical_severe"))
    objection = _object(desk, severe)
    told = {"answer": "病理报告是轻度", "clause": "第七条", "by": desk.other_reviewer, "on": ASKED}
    with pytest.raises(NoticeRefused, match="没有改变"):
        public_notice.change(objection, {"diagnosis_class": "critical_severe"}, **told)
    with pytest.raises(NotAllowed, match="初审的权限"):
        public_notice.change(objection, {"diagnosis_class": "critical_mild"}, **told | {"by": desk.manager})
    made = public_notice.change(objection, {"diagnosis_class": "critical_mild"}, **told)
    severe.refresh_from_db()
    assert (severe.state, made.state, made.reviewed_by_id) == ("replaced", "reviewed", desk.other_reviewer.user_id)
    approved = adjudication.approve(made, by=desk.approver, on=ASKED)
    assert 0 < approved.approved_fen < severe.approved_fen
    used = CeilingUsage.objects.filter(key__startswith="period").values_list("used_fen", flat=True)
    assert all(fen <= approved.approved_fen for fen in used), "what the first reserved is free again"


def test_without_freeing_it_the_limit_would_stay_used(desk: Desk, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_notice.ceilings, "free", lambda claim, statement: None)
    public_notice.uphold(_object(desk, claim), by=desk.manager, on=ASKED, answer="查实", clause="第九条")
    assert _used() == 440_000


def test_who_decided_the_claim_does_not_look_into_the_doubt(desk: Desk, claim: Claim) -> None:
    objection = _object(desk, claim)
    for by in (desk.reviewer, desk.approver, desk.world.worker(claim.member)):
        with pytest.raises(NotAllowed):
            public_notice.dismiss(objection, by=by, on=ASKED, answer="没有问题")
        with pytest.raises(NotAllowed):
            public_notice.uphold(objection, by=by, on=ASKED, answer="有问题", clause="第九条")


def test_nor_does_who_raised_it(desk: Desk, claim: Claim) -> None:
    objection = public_notice.object_to(claim, name="来人", text="有疑问", by=desk.manager, on=ASKED)
    with pytest.raises(NotAllowed):
        public_notice.dismiss(objection, by=desk.manager, on=ASKED, answer="没有问题")
    with pytest.raises(IntegrityError, match="objection_not_by_who_raised_it"), transaction.atomic():
        Objection.objects.filter(pk=objection.pk).update(decided_by=desk.manager.user_id)


def test_doubts_come_in_time_with_words_and_from_somebody(desk: Desk, claim: Claim) -> None:
    assert _object(desk, claim, on=LAST).state == "raised"
    with pytest.raises(NoticeRefused, match="已经结束"):
        public_notice.object_to(claim, name="甲", text="有疑问", by=desk.manager, on=OVER)
    with pytest.raises(NoticeRefused, match="请写明"):
        public_notice.object_to(claim, name="甲", text=" ", by=desk.manager, on=ASKED)
    with pytest.raises(NotAllowed):
        public_notice.object_to(claim, name="甲", text="有疑问", by=NOBODY, on=ASKED)
