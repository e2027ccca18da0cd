"""Clean small claims approved together: inside the office's limit, by the same approval, by nobody who may not approve each of them."""

from collections.abc import Iterator

import pytest

from claims.models import BulkApproval, BulkApprovalRow, Claim, ClaimFlag, ReviewRule
from claims.services import adjudication, bulk, handing, screening
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import Actor, Role
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry

CARDS = ("6228480402564890018", "6217000010001234564", "6222020200112233449")


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world


@pytest.fixture
def passed(open_world: World) -> list[Claim]:
    """Three clean claims that passed the first review: 800, 800 and 4,400 yuan; the office's limit is 1,000."""
    ReviewRule.objects.create(office=open_world.cast.province, bulk_limit_fen=100_000)
    found = []
    for order, (card, self_pay) in enumerate(zip(CARDS, (100_000, 100_000, 600_000), strict=True)):
        member = open_world.member(101 + 2 * order, f"王{order}")
        open_world.card(member, card)
        claim = open_world.claim(open_world.cover(member), self_pay)
        found.append(adjudication.review(claim, by=open_world.cast.actor(open_world.cast.reviewer), on=ASKED))
    return found


@pytest.fixture
def approver(open_world: World) -> Actor:
    return open_world.cast.actor(open_world.cast.approver)


def run(found: list[BulkApproval]) -> dict[int, tuple[str, str]]:
    """Claim → outcome and why, after the job."""
    run_due("default")
    with everywhere(reason="look"):
        return {row.claim_id: (row.outcome, row.why) for row in BulkApprovalRow.objects.filter(bulk__in=found)}


def test_the_small_and_clean_are_candidates(passed: list[Claim], approver: Actor) -> None:
    assert list(bulk.candidates(approver)) == passed[:2]


def test_each_is_approved_by_the_same_approval(open_world: World, passed: list[Claim], approver: Actor) -> None:
    made = bulk.request([claim.pk for claim in passed[:2]], by=approver)
    assert set(run(made).values()) == {("approved", "")}
    for claim in passed[:2]:
        claim.refresh_from_db()
        assert (claim.state, claim.approved_by_id) == ("approved", approver.user_id)
        assert claim.statements.get(is_final=True).total_fen == claim.approved_fen
        assert AuditEntry.objects.filter(entity="claims.claim", entity_id=claim.pk, action="approve").count() == 1
    assert BulkApproval.objects.get().finished_at is not None
    assert AuditEntry.objects.filter(action="bulk_approve", actor_id=approver.user_id).count() == 1


def test_the_job_run_twice_approves_once(open_world: World, passed: list[Claim], approver: Actor) -> None:
    made = bulk.request([passed[0].pk], by=approver)
    run(made)
    job_run = type("Run", (), {"by": approver, "on": ASKED, "done": 0, "total": 0})()
    assert bulk.advance(made[0].pk, job_run) is None
    assert passed[0].statements.filter(is_final=True).count() == 1


@pytest.mark.parametrize("harm", ["flag", "limit", "no_rule", "held", "own", "reviewed_by_them", "other_office"])
def test_what_is_not_clean_small_and_somebody_elses_is_no_candidate(
    open_world: World, passed: list[Claim], approver: Actor, harm: str
) -> None:
    claim, cast = passed[0], open_world.cast
    assert claim in bulk.candidates(approver)
    if harm == "flag":
        claim.documents.first().delete()
        screening.screen([claim])
    elif harm == "limit":
        ReviewRule.objects.create(office=cast.a, bulk_limit_fen=79_999)
    elif harm == "no_rule":
        ReviewRule.objects.all().delete()
    elif harm == "held":
        colleague = make_user("s-bai", "白洁")
        give_post(colleague, cast.a, Role.APPROVER)
        handing.take_next(by=cast.actor(colleague))
    elif harm == "own":
        type(claim.member).objects.filter(pk=claim.member_id).update(user=cast.approver)
    elif harm == "reviewed_by_them":
        give_post(cast.reviewer, cast.a, Role.APPROVER)
        approver = cast.actor(cast.reviewer)
    elif harm == "other_office":
        approver = cast.actor(cast.outsider)
    assert claim not in bulk.candidates(approver)
    with pytest.raises(bulk.BulkRefused):
        bulk.request([claim.pk], by=approver)
    assert not BulkApproval.objects.exists()


def test_a_dismissed_flag_is_no_obstacle(open_world: World, passed: list[Claim], approver: Actor) -> None:
    claim = passed[0]
    claim.documents.first().delete()
    screening.screen([claim])
    assert claim not in bulk.candidates(approver)
    screening.dismiss(ClaimFlag.objects.get(), by=open_world.cast.actor(open_world.cast.reviewer), reason="纸质原件已收")
    assert claim in bulk.candidates(approver)


def test_a_flag_that_comes_up_in_between_stops_that_claim_alone(passed: list[Claim], approver: Actor) -> None:
    made = bulk.request([claim.pk for claim in passed[:2]], by=approver)
    passed[0].documents.first().delete()  # the job finds it, nobody has screened the claim anew
    outcomes = run(made)
    assert outcomes[passed[0].pk][0] == "left"
    assert "疑点" in outcomes[passed[0].pk][1]
    assert outcomes[passed[1].pk] == ("approved", "")
    passed[0].refresh_from_db()
    assert passed[0].state == "reviewed"


def test_a_right_that_is_gone_when_the_job_runs_approves_nothing(open_world: World, passed: list[Claim], approver: Actor) -> None:
    made = bulk.request([passed[0].pk], by=approver)
    StaffPost.objects.filter(user=open_world.cast.approver).delete()
    assert run(made)[passed[0].pk] == ("waiting", "")
    passed[0].refresh_from_db()
    assert passed[0].state == "reviewed"


def test_another_offices_claims_are_not_there(open_world: World, passed: list[Claim]) -> None:
    outsider = open_world.cast.actor(open_world.cast.outsider)
    with office_scope(Scope(offices=covers(open_world.cast.b))):
        assert not bulk.candidates(outsider).exists()
