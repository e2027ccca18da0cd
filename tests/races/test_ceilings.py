"""No ceiling is overspent, however many approve at once. Real commits, threads with connections of their own."""

from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection

from claims.models import CeilingUsage, Claim
from claims.services import adjudication, ceilings
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers

CLAIMS = 8


def _reviewed_claims() -> tuple[World, list[int]]:
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        cover = world.cover(world.member(101))
        claims = [world.claim(cover, 4_000_000 + i) for i in range(CLAIMS)]
        for claim in claims:
            adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    return world, [claim.pk for claim in claims]


def _approve_all_at_once(world: World, ids: list[int]) -> list[str]:
    barrier, outcomes = Barrier(len(ids)), list[str]()

    def approve(pk: int) -> None:
        with frozen(ASKED):
            barrier.wait()
            try:
                with office_scope(Scope(offices=covers(world.cast.a))):
                    claim = Claim.objects.select_related("member", "claimant", "enrolment", "terms").get(pk=pk)
                    adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
                outcomes.append("approved")
            except (adjudication.DecisionRefused, IntegrityError) as error:
                outcomes.append(type(error).__name__)
            finally:
                connection.close()

    threads = [Thread(target=approve, args=(pk,)) for pk in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_eight_approvals_at_once_stop_at_the_ceiling(committed: None) -> None:
    world, ids = _reviewed_claims()
    outcomes = _approve_all_at_once(world, ids)
    assert len(outcomes) == CLAIMS
    with everywhere(reason="look"):
        approved = sum(Claim.objects.filter(state="approved").values_list("approved_fen", flat=True))
        used = CeilingUsage.objects.get(key="period:plan").used_fen
    assert approved == used == 5_000_000


def test_without_the_lock_the_database_still_refuses_to_overspend(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the lock: everyone reads the ceiling as unused, and the CHECK must stop the rest."""
    world, ids = _reviewed_claims()
    with everywhere(reason="arrange"):
        claim = Claim.objects.select_related("enrolment", "terms").get(pk=ids[0])
        ceilings.lock(claim)
    monkeypatch.setattr(ceilings, "lock", lambda claim: {})
    outcomes = _approve_all_at_once(world, ids)
    assert "IntegrityError" in outcomes
    with everywhere(reason="look"):
        assert sum(Claim.objects.filter(state="approved").values_list("approved_fen", flat=True)) <= 5_000_000
