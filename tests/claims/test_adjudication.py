"""Two people decide; the amount is the rules'; nobody decides twice or on their own claim."""

import pytest
from django.db import IntegrityError, connection, transaction

from claims.models import Claim
from claims.services import adjudication, intake
from tests.factories.offices import give_post
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import Conflict, NotAllowed


@pytest.fixture
def claim(world: World):
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world.claim(world.cover(world.member(101)), 600_000)


def _review(world: World, claim: Claim) -> None:
    adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)


def test_two_people_approve_the_amount_of_the_terms(world: World, claim: Claim) -> None:
    _review(world, claim)
    adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
    claim.refresh_from_db()
    assert (claim.state, claim.approved_fen) == ("approved", 440_000)
    acts = list(AuditEntry.objects.filter(entity="claims.claim", entity_id=claim.pk).values_list("action", flat=True))
    assert acts == ["open", "submit", "review", "approve"]


def test_who_reviewed_cannot_approve_even_with_both_roles(world: World, claim: Claim) -> None:
    give_post(world.cast.reviewer, world.cast.a, Role.APPROVER)
    _review(world, claim)
    with pytest.raises(NotAllowed):
        adjudication.approve(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    assert Claim.objects.get(pk=claim.pk).state == "reviewed"


def test_the_database_refuses_it_as_well(world: World, claim: Claim) -> None:
    """The negative control of the service's guard: the same write past it meets the constraint."""
    _review(world, claim)
    with pytest.raises(IntegrityError, match="claim_reviewer_is_not_approver"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(approved_by=world.cast.reviewer)


def test_the_other_office_may_not(world: World, claim: Claim) -> None:
    with pytest.raises(NotAllowed):
        adjudication.review(claim, by=world.cast.actor(world.cast.outsider), on=ASKED)


def test_nobody_reviews_their_own_claim(world: World, claim: Claim) -> None:
    give_post(claim.member.user, world.cast.a, Role.REVIEWER)
    with pytest.raises(NotAllowed):
        adjudication.review(claim, by=world.cast.actor(claim.member.user), on=ASKED)


def test_the_second_decision_is_told_that_it_came_late(world: World, claim: Claim) -> None:
    _review(world, claim)
    with pytest.raises(Conflict) as late:
        _review(world, claim)
    assert late.value.ids == [claim.pk]


def test_a_state_written_past_the_door_is_refused_by_the_database(world: World, claim: Claim) -> None:
    with pytest.raises(IntegrityError, match="without an audit entry"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(state="withdrawn")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_incomplete_claim_is_not_sent(world: World) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        cover = world.cover(world.member(101))
        draft = intake.open_claim(
            enrolment=cover, claimant=cover.member, event="admission", by=world.worker(cover.member), on=ASKED
        )
        with pytest.raises(intake.ClaimRefused, match="您还差"):
            intake.submit(draft, by=world.worker(cover.member), on=ASKED)
        assert Claim.objects.get(pk=draft.pk).state == "draft"
