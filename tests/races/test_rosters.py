"""Two rosters at once: real commits, threads with connections of their own; and what the database's guards are for."""

from collections.abc import Callable
from datetime import date
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections

from members.models import Enrolment, Member, MemberSecret, Roster, RosterRow, WorkUnit
from members.services import rosters, units
from tests.factories.world import JOINED, World, make_unit, make_world
from tests.races.test_guards_taken_away import without
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere

BORN = date(1990, 3, 8)
EACH, BOTH = 40, 20


@pytest.fixture
def world(committed: None) -> World:
    with frozen(JOINED):
        return make_world()


def _file(first: int, people: int = EACH, *, backwards: bool = False) -> bytes:
    orders = range(first + people - 1, first - 1, -1) if backwards else range(first, first + people)
    return "\n".join(["姓名,身份证号", *(f"张三,{make_id_number('610802', BORN, 100 + order)}" for order in orders)]).encode()


def _other_unit(world: World) -> tuple[WorkUnit, Actor]:
    with frozen(JOINED), everywhere(reason="arrange"):
        unit, agent = make_unit(world.cast.a, "91610800MA70A1B3D")
        units.approve_unit(unit, by=world.cast.actor(world.cast.reviewer))
        return unit, Actor(agent.pk, "李经办", unit_ids=frozenset({unit.pk}))


def _upload(world: World, unit: WorkUnit, by: Actor, data: bytes) -> Roster:
    with frozen(JOINED), everywhere(reason="upload"):
        return rosters.upload(unit=unit, terms=world.yulin, data=data, file_name="r.csv", by=by, on=JOINED)


def _committing(world: World, unit: WorkUnit, by: Actor, data: bytes) -> Roster:
    roster = _upload(world, unit, by, data)
    with frozen(JOINED), everywhere(reason="arrange"):
        rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    with frozen(JOINED), everywhere(reason="arrange"):
        return rosters.confirm(Roster.objects.get(pk=roster.pk), by=by)


def _commit(roster: Roster) -> Callable[[], object]:
    def act() -> None:
        with everywhere(reason="enrol"):
            rosters.commit(roster.pk, by=SYSTEM, on=JOINED)

    return act


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Everyone starts together; what became of each."""
    barrier, outcomes = Barrier(len(acts)), list[str]()

    def run(act: Callable[[], object]) -> None:
        with frozen(JOINED):
            barrier.wait(60)
            try:
                act()
                outcomes.append("done")
            except Exception as error:  # what it was is asserted
                outcomes.append(type(error).__name__)
            finally:
                connections.close_all()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def _covers() -> tuple[int, int, int]:
    """Covers, people covered, people with a sealed number."""
    with everywhere(reason="look"):
        covered = Enrolment.objects.values("member").distinct().count()
        return Enrolment.objects.count(), covered, MemberSecret.objects.count()


def _counts(*made: Roster) -> list[tuple[int, int]]:
    with everywhere(reason="look"):
        return sorted(Roster.objects.filter(pk__in=[one.pk for one in made]).values_list("good_count", "bad_count"))


def test_two_units_with_overlapping_rosters_enrol_everybody_once_and_the_second_hears_of_it(world: World) -> None:
    other, by = _other_unit(world)
    one = _committing(world, world.unit, world.agent_actor, _file(0))
    two = _committing(world, other, by, _file(EACH - BOTH, backwards=True))
    assert at_once(_commit(one), _commit(two)) == ["done", "done"]
    everybody = 2 * EACH - BOTH
    assert _covers() == (everybody, everybody, everybody)
    assert _counts(one, two) == [(EACH - BOTH, BOTH), (EACH, 0)]
    with everywhere(reason="look"):
        late = RosterRow.objects.filter(outcome="bad")
        assert late.count() == BOTH
        assert all("已在别处参加" in row.why and row.problem == "covered" and row.fee_fen == 0 for row in late)


def test_of_people_known_before_two_rosters_at_once_cover_each_once(world: World) -> None:
    """Rows that stand already are locked in the order of their keys, whatever the order of the lines."""
    other, by = _other_unit(world)
    with everywhere(reason="arrange"), frozen(JOINED):
        for order in range(BOTH):
            world.member(100 + EACH - BOTH + order, name="张三", born=BORN)
    one = _committing(world, world.unit, world.agent_actor, _file(0))
    two = _committing(world, other, by, _file(EACH - BOTH, backwards=True))
    assert at_once(_commit(one), _commit(two)) == ["done", "done"]
    assert _covers()[:2] == (2 * EACH - BOTH, 2 * EACH - BOTH)
    assert _counts(one, two) == [(EACH - BOTH, BOTH), (EACH, 0)]


def test_without_the_exclusion_constraint_they_are_covered_twice(world: World) -> None:
    """The negative control: the constraint, not the service, is what keeps two rosters apart."""
    other, by = _other_unit(world)
    one = _committing(world, world.unit, world.agent_actor, _file(0))
    two = _committing(world, other, by, _file(EACH - BOTH))
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'cover_never_overlaps'")
        as_it_was = cursor.fetchone()[0]
    clear = "SET unionaid.offices = '*'; DELETE FROM members_enrolment; RESET unionaid.offices"
    again = f"ALTER TABLE members_enrolment ADD CONSTRAINT cover_never_overlaps {as_it_was}"
    with without("ALTER TABLE members_enrolment DROP CONSTRAINT cover_never_overlaps", clear, again):
        assert at_once(_commit(one), _commit(two)) == ["done", "done"]
        assert _covers()[:2] == (2 * EACH, 2 * EACH - BOTH)


def test_one_roster_enrolled_by_two_at_once_is_enrolled_once(world: World) -> None:
    roster = _committing(world, world.unit, world.agent_actor, _file(0))
    assert at_once(_commit(roster), _commit(roster)) == ["done", "done"]
    assert _covers() == (EACH, EACH, EACH)
    with everywhere(reason="look"):
        assert roster.dues.count() == 1


def test_of_one_file_sent_eight_times_at_once_one_is_taken(world: World) -> None:
    data = _file(0)
    acts = [lambda: _upload(world, world.unit, world.agent_actor, data) for _ in range(8)]
    assert at_once(*acts) == ["RosterRefused"] * 7 + ["done"]
    with everywhere(reason="look"):
        assert Roster.objects.count() == 1


def test_without_its_constraint_one_file_is_taken_twice(world: World) -> None:
    """The negative control."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'roster_file_once'")
        as_it_was = cursor.fetchone()[0]
    clear = "SET unionaid.offices = '*'; DELETE FROM members_roster; RESET unionaid.offices"
    with without("DROP INDEX roster_file_once", clear, as_it_was):
        acts = [lambda: _upload(world, world.unit, world.agent_actor, _file(0)) for _ in range(2)]
        assert at_once(*acts) == ["done", "done"]


# --- parents that stand: what a foreign key would promise, looked for once a statement -----------------------------------

STRANGERS = (
    "INSERT INTO members_rosterrow (roster_id, row_number, name, id_masked, gender, shares, facts, outcome, reasons, problem, change,"
    " doubt, fee_fen) VALUES (999999, 1, '', '', '', 1, '{}', 'bad', '{}', '', '', '', 0)",
    "UPDATE members_member SET unit_id = 999999",
    "UPDATE members_member SET guardian_id = 999999",
    "UPDATE members_enrolment SET terms_id = 999999",
    "UPDATE members_enrolment SET holder_id = 999999",
    "INSERT INTO members_membersecret (member_id, id_number) VALUES (999999, '')",
)
STILL_NAMED = (
    "DELETE FROM members_workunit",
    "DELETE FROM members_roster",
    "DELETE FROM members_member",
    "UPDATE members_roster SET id = 999999",
)


def _past_the_code(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"BEGIN; SET LOCAL unionaid.offices = '*'; {statement}; COMMIT")


@pytest.fixture
def enrolled(world: World) -> World:
    _commit(_committing(world, world.unit, world.agent_actor, _file(0, 3)))()
    return world


@pytest.mark.parametrize("statement", [*STRANGERS, *STILL_NAMED])
def test_a_row_names_only_parents_that_stand_and_they_stay(enrolled: World, statement: str) -> None:
    with pytest.raises(IntegrityError):
        _past_the_code(statement)
    connections["owner"].close()


def test_without_the_triggers_rows_name_nobody(enrolled: World) -> None:
    """The negative control."""
    tables = ("members_member", "members_enrolment", "members_rosterrow", "members_membersecret", "members_roster")
    take = "; ".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables)
    with without(take, take.replace("DISABLE", "ENABLE")):
        for statement in STRANGERS:
            _past_the_code(statement)
        with everywhere(reason="look"):
            assert not Enrolment.objects.filter(terms__isnull=False, terms__program__isnull=False).exists()
            assert Member.objects.filter(unit_id=999_999).count() == 3


def test_a_parent_taken_away_while_a_child_is_written_waits_and_is_refused(world: World) -> None:
    """The child holds its parent until it is committed. Where the parent goes first, the check does not find it, or finds between two
    stages that nobody waits for it, and leaves nothing."""
    roster = _upload(world, world.unit, world.agent_actor, _file(0, 3))

    def take_away() -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"SET unionaid.offices = '*'; DELETE FROM members_roster WHERE id = {roster.pk}")

    def check() -> None:
        with everywhere(reason="check"):
            rosters.check(roster.pk, by=SYSTEM, on=JOINED)

    outcomes = at_once(take_away, check)
    with everywhere(reason="look"):
        left, lines = Roster.objects.count(), RosterRow.objects.count()
    gone = [(["DoesNotExist", "done"], 0, 0), (["done", "done"], 0, 0)]
    assert (outcomes, left, lines) in [(["IntegrityError", "done"], 1, 3), *gone]
