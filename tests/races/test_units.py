"""Two at once on one unit: changes, agents, mergers. Real commits, threads with connections of their own; and what the
database's own guard is for."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, connections

from members.models import AgentChange, UnitAgent, UnitChange, UnitLineage, WorkUnit
from members.services import agents, lineage, units
from tests.factories.world import JOINED, World, make_unit, make_world
from tests.races.test_guards_taken_away import without
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow.moves import MoveRefused

FORM = CleanUpload("image/jpeg", b"jpeg", "form.jpg", "f" * 64)


@pytest.fixture
def world(committed: None) -> World:
    with frozen(JOINED):
        return make_world()


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Everyone starts together; what became of each."""
    barrier, outcomes = Barrier(len(acts)), list[str]()

    def run(act: Callable[[], object]) -> None:
        with frozen(JOINED):
            barrier.wait(60)
            try:
                act()
                outcomes.append("done")
            except MoveRefused as no:
                outcomes.append(type(no).__name__)
            finally:
                connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def _at_office(world: World, act: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with office_scope(Scope(offices=covers(world.cast.a))):
            return act()

    return run


def _as_agent(world: World, act: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with office_scope(Scope(units=frozenset({world.unit.pk}), user=world.agent.pk)):
            return act()

    return run


def _ask(world: World, headcount: int) -> Callable[[], object]:
    return _as_agent(
        world, lambda: units.ask_change(WorkUnit.objects.get(pk=world.unit.pk), {"headcount": headcount}, by=world.agent_actor)
    )


def test_of_eight_changes_asked_for_at_once_one_waits(world: World) -> None:
    outcomes = at_once(*(_ask(world, 60 + i) for i in range(8)))
    assert outcomes == ["UnitRefused"] * 7 + ["done"]
    with everywhere(reason="look"):
        assert UnitChange.objects.filter(state="pending").count() == 1


def _second_pending(world: World) -> None:
    with everywhere(reason="past the service"):
        UnitChange.objects.create(office=world.cast.a, unit=world.unit, values={"headcount": 9}, before={"headcount": 50})


def test_two_changes_wait_without_their_constraint(world: World) -> None:
    """The negative control: the index, not the service, is what allows only one."""
    _ask(world, 60)()
    with pytest.raises(IntegrityError, match="one_pending_unit_change"):
        _second_pending(world)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'one_pending_unit_change'")
        as_it_was = cursor.fetchone()[0]
    clear = "SET unionaid.offices = '*'; DELETE FROM members_unitchange WHERE asked_by_id IS NULL; RESET unionaid.offices"
    with without("DROP INDEX one_pending_unit_change", clear, as_it_was):
        _second_pending(world)
        with everywhere(reason="look"):
            assert UnitChange.objects.filter(unit=world.unit, state="pending").count() == 2


def test_a_change_is_approved_once_whoever_approves_or_withdraws_at_the_same_time(world: World) -> None:
    _ask(world, 66)()
    cast = world.cast

    def decide(user: User) -> Callable[[], object]:
        return _at_office(world, lambda: units.approve_change(UnitChange.objects.select_related("unit").get(), by=cast.actor(user)))

    withdraw = _as_agent(world, lambda: units.withdraw_change(UnitChange.objects.get(), by=world.agent_actor))
    outcomes = at_once(decide(cast.reviewer), decide(cast.manager), withdraw)
    assert outcomes == ["Conflict", "Conflict", "done"]
    with everywhere(reason="look"):
        state, headcount = UnitChange.objects.get().state, WorkUnit.objects.get(pk=world.unit.pk).headcount
    assert (state, headcount) in (("approved", 66), ("withdrawn", 50))


def _asked(world: World, order: int) -> tuple[AgentChange, Actor]:
    with everywhere(reason="arrange"), frozen(JOINED):
        member = world.member(order)
        by = world.worker(member)
        return agents.ask(world.unit.credit_code, user=member.user, by=by, on=JOINED), by


def test_of_two_who_hand_in_their_forms_at_once_one_is_taken(world: World) -> None:
    asked = [_asked(world, order) for order in (301, 303)]

    def hand_in(change: AgentChange, by: Actor) -> Callable[[], object]:
        def act() -> object:
            with office_scope(Scope(user=by.user_id)):
                return agents.hand_in(change, [FORM], by=by)

        return act

    assert at_once(*(hand_in(*one) for one in asked)) == ["UnitRefused", "done"]
    with everywhere(reason="look"):
        assert sorted(AgentChange.objects.values_list("state", flat=True)) == ["asked", "submitted"]


def test_two_approvals_at_once_bind_one_agent(world: World) -> None:
    change, by = _asked(world, 301)
    with office_scope(Scope(user=by.user_id)):
        agents.hand_in(change, [FORM], by=by)
    cast = world.cast

    def approve(user: User) -> Callable[[], object]:
        def act() -> object:
            found = AgentChange.objects.select_related("unit").get(pk=change.pk)
            return agents.approve(found, by=cast.actor(user), on=JOINED)

        return _at_office(world, act)

    assert at_once(approve(cast.reviewer), approve(cast.manager)) == ["Conflict", "done"]
    with everywhere(reason="look"):
        assert UnitAgent.objects.filter(unit=world.unit, until=None).get().user_id == by.user_id


def test_units_merged_crosswise_at_once_are_merged_one_way(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        other, _agent = make_unit(world.cast.a, "91610800MA70A1B3D")
        units.approve_unit(other, by=world.cast.actor(world.cast.reviewer))

    def merge(gone: int, into: int, user: User) -> Callable[[], object]:
        def act() -> object:
            rows = WorkUnit.objects.in_bulk([gone, into])
            by = world.cast.actor(user)
            return lineage.merge(rows[gone], rows[into], headcount=90, women_count=20, basis="x", by=by, on=JOINED)

        return _at_office(world, act)

    one, two = world.unit.pk, other.pk
    outcomes = at_once(merge(one, two, world.cast.manager), merge(two, one, world.cast.reviewer))
    assert outcomes == ["UnitRefused", "done"]
    with everywhere(reason="look"):
        assert UnitLineage.objects.count() == 1
        assert WorkUnit.objects.filter(state="merged").count() == 1
