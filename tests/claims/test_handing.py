"""The next claim is the one that has waited longest, is somebody's for a while, and comes back when the time runs out."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from claims.models import Claim
from claims.selectors.queue import holder_of
from claims.services import adjudication, handing
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen, now
from unionaid.offices.roles import Actor, Role
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world


@pytest.fixture
def claims(open_world: World) -> list[Claim]:
    cover = open_world.cover(open_world.member(101))
    return [open_world.claim(cover, 100_000 + i) for i in range(3)]


@pytest.fixture
def people(open_world: World) -> list[Actor]:
    colleague = make_user("s-bai", "白洁")
    give_post(colleague, open_world.cast.a, Role.REVIEWER)
    return [open_world.cast.actor(open_world.cast.reviewer), open_world.cast.actor(colleague)]


def test_the_longest_waiting_comes_first_and_each_gets_their_own(claims: list[Claim], people: list[Actor]) -> None:
    one, two = people
    assert handing.take_next(by=one) == claims[0]
    assert handing.take_next(by=two) == claims[1]
    assert handing.take_next(by=one) == claims[0], "what one has comes back to them"
    held = Claim.objects.get(pk=claims[0].pk)
    assert holder_of(held).pk == one.user_id


def test_a_claim_put_back_is_free_and_the_one_after_it_comes(claims: list[Claim], people: list[Actor]) -> None:
    one, two = people
    handing.take_next(by=one)
    assert handing.take_next(by=one, leave=claims[0].pk) == claims[1]
    assert handing.take_next(by=two) == claims[0]
    assert handing.take_next(by=one, leave=claims[1].pk) == claims[2]
    assert handing.take_next(by=one, leave=claims[2].pk) == claims[1], "at the end the first that is free comes again"


def test_nobody_puts_back_what_another_has(claims: list[Claim], people: list[Actor]) -> None:
    one, two = people
    handing.take_next(by=one)
    assert handing.take_next(by=two, leave=claims[0].pk) == claims[1]
    assert Claim.objects.get(pk=claims[0].pk).held_by_id == one.user_id


def test_the_lease_runs_out(claims: list[Claim], people: list[Actor]) -> None:
    one, two = people
    handing.take_next(by=one)
    Claim.objects.filter(pk=claims[0].pk).update(held_until=now() - timedelta(seconds=1))
    assert holder_of(Claim.objects.get(pk=claims[0].pk)) is None
    assert handing.take_next(by=two) == claims[0]


def test_a_decision_ends_the_hold(open_world: World, claims: list[Claim], people: list[Actor]) -> None:
    claim = handing.take_next(by=people[0])
    adjudication.review(claim, by=people[0], on=ASKED)
    assert holder_of(Claim.objects.get(pk=claim.pk)) is None
    assert handing.take_next(by=open_world.cast.actor(open_world.cast.approver)) == claim


def test_nobody_gets_what_they_may_not_decide(open_world: World, claims: list[Claim], people: list[Actor]) -> None:
    reviewer = open_world.cast.reviewer
    give_post(reviewer, open_world.cast.a, Role.APPROVER)
    both = open_world.cast.actor(reviewer)
    adjudication.review(claims[0], by=both, on=ASKED)
    assert handing.take_next(by=both, queue="reviewed") is None, "the first step was theirs"
    type(claims[0].member).objects.filter(pk=claims[0].member_id).update(user=people[1].user_id)
    assert handing.take_next(by=people[1]) is None, "it is their own"
    assert handing.take_next(by=open_world.cast.actor(open_world.cast.payer)) is None
    with office_scope(Scope(offices=covers(open_world.cast.b))):
        assert handing.take_next(by=open_world.cast.actor(open_world.cast.outsider)) is None, "it is another office's"
