"""Relief is applied for without joining: the plan's conditions are judged on that day, other aid is taken off, two people decide, and
it is paid out of its own fund."""

import pytest
from django.test import Client
from django.urls import reverse

from claims.models import Claim
from claims.services import adjudication, intake, relief
from claims.services.adjudication import DecisionRefused
from claims.services.intake import ClaimRefused
from members.models import Enrolment, Member
from members.services.enrolment import EnrolmentRefused
from programs.models import Terms
from programs.selectors import schedule_of
from tests.factories.desk import Desk
from tests.factories.world import ASKED, ILL, load
from unionaid.lib.uploads import CleanUpload
from unionaid.reports.figures import count_enrolled

DALIAN = "dalian-relief.2026"


@pytest.fixture
def dalian(desk: Desk) -> Terms:
    return load(DALIAN, office=None)


def _begin(desk: Desk, member: Member, terms: Terms, **more) -> Claim:
    told = {"event": "diagnosis", "happened_on": ILL, "on": ASKED, **more}
    return relief.begin(member, terms, by=desk.world.worker(member), **told)


def _applied(desk: Desk, member: Member, terms: Terms, code: str = "C34.1") -> Claim:
    """Cost of 9,000, of which others gave 3,000."""
    claim, by = _begin(desk, member, terms), desk.world.worker(member)
    told = {"event_on": ILL, "diagnosis": "肺癌", "diagnosis_code": code, "hospital": "第一医院", "other_aid_fen": 300_000}
    intake.tell(claim, told, by=by, on=ASKED)
    fen = {"medfee_sumamt": 2_700_000, "fund_pay_sumamt": 1_800_000, "psn_part_amt": 900_000, "psn_cash_pay": 900_000}
    intake.set_stay(claim, admitted_on=ILL, discharged_on=ILL, fen=fen, by=by, on=ASKED)
    with pytest.raises(ClaimRefused, match="您还差：病理报告"):
        intake.submit(claim, by=by, on=ASKED)
    intake.add_document(claim, kind="pathology", upload=CleanUpload("image/jpeg", b"j", "p.jpg", f"{claim.pk:064d}"), by=by)
    intake.choose_card(claim, member.cards.first() or desk.world.card(member), by=by)
    return intake.submit(claim, by=by, on=ASKED)


def test_it_is_applied_for_without_joining_and_decided_by_two(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    claim = _applied(desk, member, dalian)
    assert (claim.fund, claim.state, claim.unit_id) == ("relief", "submitted", None)
    with pytest.raises(DecisionRefused, match="第二个人终审"):
        adjudication.settle(claim, by=desk.reviewer, on=ASKED)
    assert desk.decide(claim).approved_fen == 600_000, "2,000 and what is left of 9,000 less 3,000 of others and those 2,000"
    cover = claim.enrolment
    assert (cover.state, cover.contribution_fen, cover.dues.count()) == ("effective", 0, 0)
    assert count_enrolled(frozenset({desk.world.cast.a.pk}), 2026)["total"]["all"]["people"] == 0, "applying is no participation"


def test_a_second_application_rests_on_the_first_and_the_same_disease_is_helped_once(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    first = _applied(desk, member, dalian)
    desk.decide(first)
    again = _applied(desk, member, dalian)
    assert again.enrolment_id == first.enrolment_id
    adjudication.review(again, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="0 元"):
        adjudication.approve(again, by=desk.approver, on=ASKED)
    other = desk.decide(_applied(desk, member, dalian, code="C50.1"))
    assert other.approved_fen == 600_000, "another disease; 4,000 + 4,000 of the 8,000 of the period are used up with it"


def test_who_does_not_meet_the_conditions_is_told_why_and_nothing_is_kept(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    for changes, refusal, words in (
        ({"event": "admission"}, ClaimRefused, "不包括这种情况"),
        ({"happened_on": ASKED.replace(month=8)}, ClaimRefused, "今天之后"),
        ({"happened_on": ILL.replace(year=2025)}, ClaimRefused, "不在里面"),
        ({"on": ASKED.replace(year=2027)}, ClaimRefused, "不能直接申请"),
    ):
        with pytest.raises(refusal, match=words):
            _begin(desk, member, dalian, **changes)
    with pytest.raises(ClaimRefused, match="不能直接申请"):
        _begin(desk, member, desk.world.yulin)
    closed = load(DALIAN, office=None, code="closed-relief", enrolment={**dalian.schedule["enrolment"], "closes": "2026-02-01"})
    with pytest.raises(EnrolmentRefused):
        _begin(desk, member, closed)
    assert not Claim.objects.exists()


def test_only_what_costs_nothing_and_pays_no_mutual_aid_is_applied_for(desk: Desk, dalian: Terms) -> None:
    assert schedule_of(dalian).is_grant
    assert not schedule_of(desk.world.yulin).is_grant
    assert not schedule_of(load(DALIAN, office=None, code="paid-relief", contribution={"per_share": "10"})).is_grant


def test_the_worker_finds_it_and_begins_on_the_page(desk: Desk, dalian: Terms) -> None:
    member = desk.world.member(331)
    client = Client()
    client.force_login(member.user, backend="unionaid.accounts.backends.NumberBackend")
    shown = client.get(reverse("claims:reliefs")).content.decode()
    assert "大连市职工大病救助" in shown
    page = reverse("claims:relief", args=[dalian.pk])
    assert "病理报告" in client.get(page).content.decode()
    refused = client.post(page, {"event": "diagnosis", "happened_on": "2027-01-01", "key": "k"})
    assert refused.status_code == 400
    assert "请先勾选同意" in refused.content.decode()
    said = {"event": "diagnosis", "happened_on": "2026-05-20", "consent": "on", "key": "k"}
    sent = [client.post(page, said) for _again in range(2)]
    claim = Claim.objects.get()
    assert {answer["Location"] for answer in sent} == {reverse("claims:resume", args=[claim.public_id])}
    home = client.get(reverse("claims:home")).content.decode()
    assert claim.number in home
    assert Enrolment.objects.count() == 1
    assert "您还没有参加互助计划" in home, "relief is no cover"
    assert client.get(reverse("claims:relief", args=[desk.world.yulin.pk])).status_code == 404
