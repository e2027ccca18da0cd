"""Claim-next hands no claim to two people, however many ask at once. Real commits, threads with connections of their own."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django.db.models import QuerySet

from claims.models import Claim
from claims.services import handing
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers

CLAIMS, PEOPLE = 6, 8


def _arranged() -> tuple[World, list[User]]:
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        cover = world.cover(world.member(101))
        for i in range(CLAIMS):
            world.claim(cover, 100_000 + i)
        people = [make_user(f"r{i}", f"审核{i}") for i in range(PEOPLE)]
        for person in people:
            give_post(person, world.cast.a, Role.REVIEWER)
    return world, people


def _all_ask_at_once(world: World, people: list[User]) -> list[int | None]:
    barrier, handed = Barrier(len(people)), list[int | None]()

    def ask(person: User) -> None:
        with frozen(ASKED):
            by = world.cast.actor(person)
            barrier.wait(60)
            try:
                with office_scope(Scope(offices=covers(world.cast.a))):
                    claim = handing.take_next(by=by)
                handed.append(claim.pk if claim else None)
            finally:
                connection.close()

    threads = [Thread(target=ask, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return handed


def test_eight_people_asking_at_once_get_six_different_claims(committed: None) -> None:
    world, people = _arranged()
    handed = _all_ask_at_once(world, people)
    given = [pk for pk in handed if pk]
    assert (len(handed), len(given), len(set(given))) == (PEOPLE, CLAIMS, CLAIMS)
    with everywhere(reason="look"):
        assert sorted(set(Claim.objects.filter(held_by__in=people).values_list("pk", flat=True))) == sorted(given)


def test_without_the_lock_one_claim_goes_to_several(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: everyone has read before anyone writes."""
    world, people = _arranged()
    looked = Barrier(len(people))

    def unlocked(rows: QuerySet[Claim]) -> Claim | None:
        found = rows.order_by("since", "pk").first()
        looked.wait(60)
        return found

    monkeypatch.setattr(handing, "_locked", unlocked)
    handed = _all_ask_at_once(world, people)
    assert len(handed) == PEOPLE
    assert len(set(handed)) == 1
