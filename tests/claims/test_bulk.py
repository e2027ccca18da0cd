"""Clean small claims decided together: inside the office's limit, by the same decision, by nobody who may not take it on each of them."""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction

from claims.models import Claim, ClaimFlag, ReviewRule
from claims.services import adjudication, handing, screening
from claims.services.bulk import to_approve, to_settle
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, World, terms_like
from unionaid.lib.calendar import frozen
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import Actor, Role
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow import bulk
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, BulkWork, BulkWorkRow

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


def run(found: list[BulkWork]) -> dict[int, tuple[str, str]]:
    """Claim → outcome and why, after the job."""
    run_due("default")
    with everywhere(reason="look"):
        return {row.subject_id: (row.outcome, row.why) for row in BulkWorkRow.objects.filter(work__in=found)}


def test_the_small_and_clean_are_candidates(passed: list[Claim], approver: Actor) -> None:
    assert list(to_approve(approver)) == passed[:2]


def test_each_is_approved_by_the_same_approval(open_world: World, passed: list[Claim], approver: Actor) -> None:
    made = bulk.request("approve_claims", [claim.pk for claim in passed[:2]], by=approver)
    assert set(run(made).values()) == {("done", "")}
    for claim in passed[:2]:
        claim.refresh_from_db()
        assert (claim.state, claim.approved_by_id) == ("approved", approver.user_id)
        assert claim.statements.get(is_final=True).total_fen == claim.approved_fen
        assert AuditEntry.objects.filter(entity="claims.claim", entity_id=claim.pk, action="approve").count() == 1
    assert BulkWork.objects.get().finished_at is not None
    assert AuditEntry.objects.filter(action="bulk", actor_id=approver.user_id).count() == 1


def test_the_job_run_twice_approves_once(open_world: World, passed: list[Claim], approver: Actor) -> None:
    made = bulk.request("approve_claims", [passed[0].pk], by=approver)
    run(made)
    job_run = type("Run", (), {"by": approver, "on": ASKED, "done": 0, "total": 0})()
    assert bulk.advance(made[0].pk, job_run) is None
    assert passed[0].statements.filter(is_final=True).count() == 1


@pytest.mark.parametrize("harm", ["flag", "limit", "no_rule", "held", "own", "reviewed_by_them", "other_office"])
def test_what_is_not_clean_small_and_somebody_elses_is_no_candidate(
    open_world: World, passed: list[Claim], approver: Actor, harm: str
) -> None:
    claim, cast = passed[0], open_world.cast
    assert claim in to_approve(approver)
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
    assert claim not in to_approve(approver)
    with pytest.raises(bulk.BulkRefused):
        bulk.request("approve_claims", [claim.pk], by=approver)
    assert not BulkWork.objects.exists()


def test_a_dismissed_flag_is_no_obstacle(open_world: World, passed: list[Claim], approver: Actor) -> None:
    claim = passed[0]
    claim.documents.first().delete()
    screening.screen([claim])
    assert claim not in to_approve(approver)
    screening.dismiss(ClaimFlag.objects.get(), by=open_world.cast.actor(open_world.cast.reviewer), reason="纸质原件已收")
    assert claim in to_approve(approver)


def test_a_flag_that_comes_up_in_between_stops_that_claim_alone(passed: list[Claim], approver: Actor) -> None:
    made = bulk.request("approve_claims", [claim.pk for claim in passed[:2]], by=approver)
    passed[0].documents.first().delete()  # the job finds it, nobody has screened the claim anew
    outcomes = run(made)
    assert outcomes[passed[0].pk][0] == "left"
    assert "疑点" in outcomes[passed[0].pk][1]
    assert outcomes[passed[1].pk] == ("done", "")
    passed[0].refresh_from_db()
    assert passed[0].state == "reviewed"


def test_a_right_that_is_gone_when_the_job_runs_approves_nothing(open_world: World, passed: list[Claim], approver: Actor) -> None:
    made = bulk.request("approve_claims", [passed[0].pk], by=approver)
    StaffPost.objects.filter(user=open_world.cast.approver).delete()
    assert run(made)[passed[0].pk] == ("waiting", "")
    passed[0].refresh_from_db()
    assert passed[0].state == "reviewed"


def test_another_offices_claims_are_not_there(open_world: World, passed: list[Claim]) -> None:
    outsider = open_world.cast.actor(open_world.cast.outsider)
    with office_scope(Scope(offices=covers(open_world.cast.b))):
        assert not to_approve(outsider).exists()


FINAL = {"final_review": {"from_benefit": "1000", "events": ["diagnosis"]}}


@pytest.fixture
def sent(open_world: World) -> list[Claim]:
    """Clean claims that wait for their first review under a plan that leaves what is under 1,000 to one person: 800, 800 and 4,400
    yuan; the office's limit is 1,000 too."""
    ReviewRule.objects.create(office=open_world.cast.province, bulk_limit_fen=100_000)
    terms = terms_like("shaanxi-yulin-medical.2026", deciding=FINAL)
    found = []
    for order, (card, self_pay) in enumerate(zip(CARDS, (100_000, 100_000, 600_000), strict=True)):
        member = open_world.member(101 + 2 * order, f"王{order}")
        open_world.card(member, card)
        found.append(open_world.claim(open_world.cover(member, terms=terms), self_pay))
    return found


def test_one_reviewer_settles_together_what_the_plan_leaves_to_one(open_world: World, sent: list[Claim]) -> None:
    cast, one, two = open_world.cast, sent[0], sent[1]
    reviewer, approver = cast.actor(cast.reviewer), cast.actor(cast.approver)
    member = open_world.member(201, "赵")
    open_world.card(member, "6222021234567890128")
    for_two = open_world.claim(open_world.cover(member), 100_000)  # its plan leaves nothing to one person
    for_two.refresh_from_db()
    assert (for_two.state, for_two.estimated_fen) == ("submitted", 80_000)
    assert list(to_settle(reviewer)) == sent[:2]
    with pytest.raises(bulk.BulkRefused):
        bulk.request("settle_claims", [for_two.pk], by=reviewer)
    assert not to_settle(approver), "who approves is no first reviewer"
    made = bulk.request("settle_claims", [one.pk, two.pk], by=reviewer)
    two.documents.first().delete()  # the job finds it, nobody has screened the claim anew
    outcomes = run(made)
    assert outcomes[one.pk] == ("done", "")
    assert (outcomes[two.pk][0], "疑点" in outcomes[two.pk][1]) == ("left", True)
    for claim in (one, two):
        claim.refresh_from_db()
    assert (one.state, one.approved_by_id, one.approved_fen, two.state) == ("approved", reviewer.user_id, 80_000, "submitted")
    assert AuditEntry.objects.filter(entity="claims.claim", entity_id=one.pk, action="settle", actor_id=reviewer.user_id).count() == 1


def test_what_one_may_not_settle_alone_is_no_candidate(open_world: World, sent: list[Claim]) -> None:
    claim, cast = sent[0], open_world.cast
    reviewer, colleague = cast.actor(cast.reviewer), make_user("s-bai", "白洁")
    give_post(colleague, cast.a, Role.REVIEWER)
    this = Claim.objects.filter(pk=claim.pk)
    harms: dict[str, Callable[[], object]] = {
        "the office's limit": lambda: ReviewRule.objects.update(bulk_limit_fen=79_999),
        "a kind for two": lambda: this.update(event="diagnosis"),
        "the plan's amount": lambda: this.update(estimated_fen=100_000),
        "a correction": lambda: this.update(corrects=sent[1].pk),
        "their own": lambda: type(claim.member).objects.filter(pk=claim.member_id).update(user=cast.reviewer),
        "in other hands": lambda: handing.take_next(by=cast.actor(colleague)),
    }
    for why, harm in harms.items():
        assert claim in to_settle(reviewer)
        with transaction.atomic():
            harm()
            assert claim not in to_settle(reviewer), why
            transaction.set_rollback(True)
