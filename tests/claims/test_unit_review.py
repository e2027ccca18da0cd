"""Where the plan wants it, the unit's agent looks at a claim first; small claims without doubts may be decided by one reviewer."""

from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from claims.models import Claim
from claims.services import adjudication, intake, unit_review
from claims.services.adjudication import DecisionRefused
from members.models import Enrolment, Member
from members.services import sight
from tests.factories.desk import CRITICAL, Desk
from tests.factories.world import ASKED, JOINED
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import Scope, office_scope
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.moves import Conflict, NotAllowed


@pytest.fixture
def claim(desk: Desk) -> Claim:
    return desk.world.claim(desk.cover(desk.plan(unit_first=True)), 600_000)


def test_the_agent_passes_it_on_to_the_office(desk: Desk, claim: Claim) -> None:
    assert (claim.state, claim.unit_due_on) == ("unit_review", date(2026, 7, 8))
    with pytest.raises(Conflict):
        adjudication.review(claim, by=desk.reviewer, on=ASKED)
    with office_scope(Scope(units=frozenset({desk.world.unit.pk}), user=desk.world.agent.pk)):
        own = Claim.objects.get(pk=claim.pk)
        unit_review.pass_on(own, by=desk.world.agent_actor, on=ASKED, note="本单位职工，情况属实")
    claim.refresh_from_db()
    assert (claim.state, claim.unit_reviewed_by_id) == ("submitted", desk.world.agent.pk)
    assert desk.decide(claim).state == "approved"


def test_the_agent_may_ask_for_more_and_looks_again(desk: Desk, claim: Claim) -> None:
    unit_review.give_back(claim, by=desk.world.agent_actor, on=ASKED, note="请补上出院记录")
    assert (claim.state, claim.message) == ("supplement_requested", "请补上出院记录")
    intake.supplement(claim, by=desk.world.worker(claim.member), on=ASKED)
    assert claim.state == "unit_review"


def test_back_from_the_office_it_does_not_go_to_the_unit_again(desk: Desk, claim: Claim) -> None:
    unit_review.pass_on(claim, by=desk.world.agent_actor, on=ASKED)
    adjudication.return_for_supplement(claim, by=desk.reviewer, on=ASKED, note="还差结算单")
    intake.supplement(claim, by=desk.world.worker(claim.member), on=ASKED)
    assert claim.state == "submitted"


def test_a_unit_that_does_nothing_holds_nobody_up(desk: Desk, claim: Claim) -> None:
    for day, state in ((date(2026, 7, 8), "unit_review"), (date(2026, 7, 9), "submitted"), (date(2026, 7, 10), "submitted")):
        with frozen(day):
            ask_what_is_due()
            run_due("default")
        assert Claim.objects.get(pk=claim.pk).state == state


def test_the_office_may_take_it_without_waiting(desk: Desk, claim: Claim) -> None:
    with pytest.raises(DecisionRefused, match="请写明"):
        unit_review.pass_by(claim, by=desk.reviewer, on=ASKED, note=" ")
    with pytest.raises(NotAllowed):
        unit_review.pass_by(claim, by=desk.approver, on=ASKED, note="急")
    assert unit_review.pass_by(claim, by=desk.reviewer, on=ASKED, note="单位已撤销").state == "submitted"


def test_the_agent_may_say_that_it_is_not_the_units_to_look_at(desk: Desk, claim: Claim) -> None:
    unit_review.pass_by(claim, by=desk.world.agent_actor, on=ASKED, note="已调到别的单位")
    assert (claim.state, claim.unit_reviewed_by_id) == ("submitted", None)
    assert desk.decide(claim).state == "approved"


def test_no_worker_passes_on_their_own_claim(desk: Desk, claim: Claim) -> None:
    with pytest.raises(NotAllowed):
        unit_review.pass_on(claim, by=desk.world.worker(claim.member), on=ASKED)


def test_a_plan_that_does_not_want_it_skips_the_unit(desk: Desk) -> None:
    assert desk.world.claim(desk.cover(), 600_000).state == "submitted"


# -- one reviewer or two ----------------------------------------------------------------------------------------------------


def _small(desk: Desk, self_pay_fen: int = 10_000, **rule: object) -> Claim:
    terms = desk.plan(final_review={"from_benefit": "500", **rule})
    return desk.world.claim(desk.cover(terms), self_pay_fen)


def test_a_small_claim_without_doubts_is_decided_by_one_reviewer(desk: Desk) -> None:
    claim = adjudication.settle(_small(desk), by=desk.reviewer, on=ASKED)
    assert (claim.state, claim.approved_fen, claim.approved_by_id) == ("approved", 8_000, desk.reviewer.user_id)


def test_amount_and_plan_ask_for_a_second_person(desk: Desk) -> None:
    with pytest.raises(DecisionRefused, match="终审金额"):
        adjudication.settle(_small(desk, 600_000), by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="都要由第二个人终审"):
        adjudication.settle(desk.diagnosis(desk.cover(desk.plan(CRITICAL), 303), "critical_mild"), by=desk.reviewer, on=ASKED)


def test_a_category_asks_for_a_second_person(desk: Desk) -> None:
    with pytest.raises(DecisionRefused, match="这类事由"):
        adjudication.settle(_small(desk, events=["admission"]), by=desk.reviewer, on=ASKED)


def test_a_flag_asks_for_a_second_person(desk: Desk) -> None:
    claim = _small(desk)
    claim.documents.all().delete()
    with pytest.raises(DecisionRefused, match="需要留意"):
        adjudication.settle(claim, by=desk.reviewer, on=ASKED)


def test_an_approver_sends_a_claim_back_to_its_reviewer(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    adjudication.review(claim, by=desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="原因"):
        adjudication.send_back(claim, by=desk.approver, on=ASKED, note=" ")
    adjudication.send_back(claim, by=desk.approver, on=ASKED, note="诊断与结算单不一致")
    assert claim.state == "submitted"
    assert desk.decide(claim).state == "approved"


def test_a_person_whose_claim_waits_for_the_unit_stays_in_its_sight(desk: Desk, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cover is over and the person works elsewhere; the claim alone binds them."""
    Member.objects.filter(pk=claim.member_id).update(unit=None)
    Enrolment.objects.filter(pk=claim.enrolment_id).update(cover=DateRange(JOINED, ASKED))

    def seen(day: int) -> bool:
        with frozen(date(2026, 7, day)):
            ask_what_is_due()
            run_due("default")
        return desk.world.unit.pk in Member.objects.get(pk=claim.member_id).unit_ids

    assert seen(2)
    unit_review.give_back(claim, by=desk.world.agent_actor, on=ASKED, note="请补上出院记录")
    assert seen(3), "asked for more, it comes back to the unit"
    monkeypatch.setattr(sight, "BINDINGS", [])
    assert not seen(4), "without what claims say the agent could not see whom the claim is for"
