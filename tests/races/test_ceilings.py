"""No ceiling is overspent, however many approve at once. Real commits, threads with connections of their own."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection

from claims.models import CeilingUsage, Claim, Objection
from claims.services import adjudication, ceilings, intake, public_notice
from claims.services.reckoning import Read, read
from programs.models import Terms
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, JOINED, World, load, make_world
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow.moves import Conflict, Turn

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
            barrier.wait(60)
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
        ceilings.lock([claim])
    monkeypatch.setattr(ceilings, "lock", lambda claims: ceilings.Usage({}))
    outcomes = _approve_all_at_once(world, ids)
    assert "IntegrityError" in outcomes
    with everywhere(reason="look"):
        assert sum(Claim.objects.filter(state="approved").values_list("approved_fen", flat=True)) <= 5_000_000


# -- a cap of 10,000 and eight claims of 6,000, by way of the public notice -------------------------------------------------

CAP = {
    "code": "inpatient", "name": {"zh": "住院补助", "en": "Aid"}, "clause": "第七条", "events": ["admission"],
    "steps": [{"take": "personal_cost"}, {"ceiling": {"amount": "10000", "scope": "period", "key": "plan"}}],
}  # fmt: skip
ONCE = [{"name": "一例", "case": {"event": "admission", "personal_cost": "6000"}, "expect": "6000"}]


def _eight_of_6000(**deciding: Any) -> tuple[World, list[int]]:
    def plan() -> Terms:
        return load("shaanxi-yulin-medical.2026", items=[CAP], examples=ONCE, exclusions=None, exclusive=None, deciding=deciding or None)

    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        cover = world.cover(world.member(101), plan())
        claims = [world.claim(cover, 600_000) for _i in range(CLAIMS)]
        for claim in claims:
            adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    return world, [claim.pk for claim in claims]


def _granted() -> list[int]:
    with everywhere(reason="look"):
        states = ("on_notice", "approved")
        return sorted(Claim.objects.filter(state__in=states).values_list("approved_fen", flat=True), reverse=True)


def _used_fen() -> int:
    with everywhere(reason="look"):
        return CeilingUsage.objects.get(key="period:plan").used_fen


def test_eight_of_6000_at_once_reserve_10000_and_an_upheld_objection_frees_its_part(committed: None) -> None:
    world, ids = _eight_of_6000(notice_days=5)
    _approve_all_at_once(world, ids)
    assert (_granted(), _used_fen()) == ([600_000, 400_000], 1_000_000)
    with frozen(ASKED), everywhere(reason="one claim was untrue"):
        claim = Claim.objects.get(state="on_notice", approved_fen=600_000)
        manager = world.cast.actor(world.cast.manager)
        public_notice.object_to(claim, name="路人", text="没有住院", by=world.cast.actor(world.cast.payer), on=ASKED)
        public_notice.uphold(Objection.objects.get(), by=manager, on=ASKED, answer="查实", clause="第七条")
    assert (_granted(), _used_fen()) == ([400_000], 400_000)
    _approve_all_at_once(world, [pk for pk in ids if _state(pk) == "reviewed"])
    assert (_granted(), _used_fen()) == ([600_000, 400_000], 1_000_000)


def _state(pk: int) -> str:
    with everywhere(reason="look"):
        return Claim.objects.values_list("state", flat=True).get(pk=pk)


def test_without_lock_and_check_two_would_overspend(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: everyone reads the cap as unused and nothing is written under it, so the cap is overspent."""
    world, ids = _eight_of_6000()
    monkeypatch.setattr(ceilings, "lock", lambda claims: ceilings.Usage({}))
    monkeypatch.setattr(ceilings.Usage, "write", lambda usage: None)
    _approve_all_at_once(world, ids)
    assert sum(_granted()) > 1_000_000


# -- two people on one claim ------------------------------------------------------------------------------------------------

ROUNDS = 20


def _at_once(acts: list[Callable[[], Any]]) -> list[str]:
    """What each of these comes to when all begin together, each on a connection of its own."""
    barrier, outcomes = Barrier(len(acts)), ["" for _act in acts]

    def run(place: int, act: Callable[[], Any]) -> None:
        with frozen(ASKED):
            barrier.wait(60)
            try:
                act()
                outcomes[place] = "done"
            except Conflict as late:
                outcomes[place] = late.message
            finally:
                connection.close()

    threads = [Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _two_reviewers() -> tuple[World, list[int], list[Any]]:
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        second = make_user("s-zwei", "第二位")
        give_post(second, world.cast.a, Role.REVIEWER)
        cover = world.cover(world.member(101))
        claims = [world.claim(cover, 10_000 + i) for i in range(ROUNDS)]
    return world, [claim.pk for claim in claims], [world.cast.actor(world.cast.reviewer), world.cast.actor(second)]


def _review(world: World, pk: int, by: Any) -> None:
    with office_scope(Scope(offices=covers(world.cast.a))):
        claim = Claim.objects.select_related("member", "claimant", "enrolment", "terms").get(pk=pk)
        adjudication.review(claim, by=by, on=ASKED)


def _withdraw(world: World, pk: int) -> None:
    with everywhere(reason="whose it is"):
        member = Claim.objects.select_related("claimant").get(pk=pk).claimant
        by = world.worker(member)
    with office_scope(Scope(member=member.pk, user=member.user_id)):
        intake.withdraw(Claim.objects.get(pk=pk), by=by)


def _review_twice(world: World, pk: int, actors: list[Any]) -> list[str]:
    return _at_once([lambda: _review(world, pk, actors[0]), lambda: _review(world, pk, actors[1])])


def test_two_reviewers_on_one_claim_make_one_decision_and_the_other_is_told(committed: None) -> None:
    world, (withdrawn, *ids), actors = _two_reviewers()
    outcomes = _at_once([lambda: _review(world, withdrawn, actors[0]), lambda: _withdraw(world, withdrawn)])
    with everywhere(reason="look"):
        state = Claim.objects.get(pk=withdrawn).state
    assert (outcomes.count("done"), state) == (1, "reviewed" if outcomes[0] == "done" else "withdrawn")
    for pk in ids:
        outcomes = sorted(_review_twice(world, pk, actors), key="done".__ne__)
        with everywhere(reason="look"):
            decisions = list(Claim.objects.get(pk=pk).reviews.values_list("decision", flat=True))
        assert (decisions, outcomes[0]) == (["review"], "done")
        assert "初审已经办理了“初审通过”" in outcomes[1]


def test_without_the_lock_both_would_decide(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a decision on what was read before, written whatever stands there now, is made twice."""
    world, ids, actors = _two_reviewers()

    both_have_read = Barrier(2)

    def careless(claims: list[Claim], action: str, *, by: Any) -> tuple[Turn[Claim], Read]:
        assert claims[0].state in Claim.graph.arrow(action).sources
        both_have_read.wait(60)
        return Turn(Claim.graph.arrow(action), by, claims, {claim.pk: claim for claim in claims}, {}), read(claims)

    monkeypatch.setattr(adjudication, "taken_up_and_read", careless)
    outcomes = _review_twice(world, ids[0], actors)
    with everywhere(reason="look"):
        assert (outcomes, Claim.objects.get(pk=ids[0]).reviews.count()) == (["done", "done"], 2)
