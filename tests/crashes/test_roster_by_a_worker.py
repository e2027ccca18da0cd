"""A roster's work on real worker processes: done once by any number of workers, all or nothing when one is killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, connections, transaction

from members.models import ContributionDue, Enrolment, Member, MemberSecret, Roster, RosterRow
from members.services import rosters
from tests.factories.processes import WAITING, kill, until, worker
from tests.factories.world import JOINED, World, make_world
from unionaid.lib.calendar import frozen, now
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import STALE_AFTER
from unionaid.workflow.models import Job
from unionaid.workflow.nudge import nudge
from unionaid.workflow.progress import told

pytestmark = pytest.mark.worker
PEOPLE = 30
NUMBERS = [make_id_number("610802", JOINED.replace(year=1990), 100 + order) for order in range(PEOPLE)]
FILE = "\n".join(["姓名,身份证号", *(f"张三,{number}" for number in NUMBERS)]).encode()


@pytest.fixture
def world(committed: None) -> World:
    with frozen(JOINED):
        return make_world()


def _upload(world: World) -> Roster:
    with frozen(JOINED), everywhere(reason="upload"):
        return rosters.upload(unit=world.unit, terms=world.yulin, data=FILE, file_name="r.csv", by=world.agent_actor, on=JOINED)


def _confirm(world: World, roster: Roster) -> None:
    with frozen(JOINED), everywhere(reason="confirm"):
        rosters.confirm(Roster.objects.get(pk=roster.pk), by=world.agent_actor)


def _state(roster: Roster) -> str:
    with everywhere(reason="look"):
        return str(Roster.objects.values_list("state", flat=True).get(pk=roster.pk))


def _effects() -> tuple[int, ...]:
    """People, sealed numbers, covers, debts."""
    with everywhere(reason="look"):
        return tuple(model.objects.count() for model in (Member, MemberSecret, Enrolment, ContributionDue))


def _lines() -> int:
    with everywhere(reason="look"):
        return RosterRow.objects.count()


NOTHING, ALL = (0, 0, 0, 0), (PEOPLE, PEOPLE, PEOPLE, 1)


def _waits_for(table: str) -> Callable[[], bool]:
    def look() -> bool:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"SELECT count(*) {WAITING} AND relation = %s::regclass", [table])
            return bool(cursor.fetchone()[0])

    return look


@contextmanager
def held(table: str) -> Iterator[None]:
    """Nobody writes this table meanwhile: the worker stands still in the middle of its transaction."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


def _elsewhere(act: Callable[[], object]) -> None:
    """On a connection of its own, committed at once."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()


def _killed_while_writing(table: str, act: Callable[[], object]) -> None:
    """A worker takes up what `act` asks for and is killed while it waits to write this table."""
    with worker() as (first,):
        with held(table):
            _elsewhere(act)
            until(_waits_for(table), "the worker is in the middle", seconds=90)
            kill(first)
        until(lambda: not _waits_for(table)(), "the dead worker's session is gone")


def _cancel(world: World, roster: Roster) -> None:
    with everywhere(reason="cancel"):
        rosters.cancel(Roster.objects.get(pk=roster.pk), by=world.agent_actor)


def _a_minute_goes_by(kind: str) -> None:
    with everywhere(reason="a minute goes by"):
        Job.objects.filter(kind=kind).update(beat_at=now() - 2 * STALE_AFTER - timedelta(seconds=1))


def _taken_up_again(roster: Roster, kind: str, state: str) -> None:
    """The sweep's nudge finds the job that nobody works at any more; before, it counts as running and is left alone."""
    with worker():
        before = _state(roster)
        nudge("default")
        with everywhere(reason="look"):
            assert Job.objects.get(kind=kind).job_state == "running"
        assert _state(roster) == before
        _a_minute_goes_by(kind)
        nudge("default")
        until(lambda: _state(roster) == state, f"the roster is {state}", seconds=90)


def test_two_workers_nudged_many_times_enrol_everybody_once(world: World) -> None:
    with worker(2):
        roster = _upload(world)
        for _ in range(10):
            nudge("default")
        until(lambda: _state(roster) == "checked", "the roster is checked by a worker", seconds=90)
        assert (_effects(), _lines()) == (NOTHING, PEOPLE)
        _confirm(world, roster)
        for _ in range(10):
            nudge("default")
        until(lambda: _state(roster) == "committed", "the roster is enrolled by a worker")
        assert (_effects(), _lines()) == (ALL, PEOPLE)


def test_killed_while_checking_and_while_enrolling_it_leaves_nothing_half_and_finishes_afterwards(world: World) -> None:
    made: list[Roster] = []
    _killed_while_writing("members_rosterrow", lambda: made.append(_upload(world)))
    (roster,) = made
    assert (_state(roster), _effects(), _lines()) == ("uploaded", NOTHING, 0)
    _taken_up_again(roster, "members.check_roster", "checked")
    assert (_effects(), _lines()) == (NOTHING, PEOPLE)

    # People and sealed numbers are written already when it waits for the covers.
    _killed_while_writing("members_enrolment", lambda: _confirm(world, roster))
    assert (_state(roster), _effects()) == ("committing", NOTHING)
    _taken_up_again(roster, "members.commit_roster", "committed")
    assert (_effects(), _lines()) == (ALL, PEOPLE)
    with everywhere(reason="look"):
        assert not RosterRow.objects.exclude(outcome="enrolled").exists()
        assert not RosterRow.objects.exclude(id_number=None).exists()


class Death(BaseException):
    """Nobody catches it."""


@pytest.mark.parametrize(("one_transaction", "left"), [(True, NOTHING), (False, (PEOPLE, PEOPLE, PEOPLE, 0))])
def test_without_one_transaction_the_same_death_leaves_cover_without_a_debt(
    world: World, one_transaction: bool, left: tuple[int, ...]
) -> None:
    """The control: where people and covers are written and the debt is not, the transaction is ended, as if it were two."""
    roster = _upload(world)
    with frozen(JOINED):
        rosters.check(roster.pk, by=world.agent_actor, on=JOINED)
    _confirm(world, roster)

    def dies(stage: str, *, done: int = 0, total: int = 0) -> None:
        if stage == "计算互助费":
            assert done == total == PEOPLE
            if not one_transaction:
                connection.cursor().execute("COMMIT")
            raise Death

    with frozen(JOINED), pytest.raises(Death):
        rosters.commit(roster.pk, by=world.agent_actor, on=JOINED, tell=dies)
    assert (_state(roster), _effects()) == ("committing", left)


def test_while_it_is_checked_its_progress_is_seen_and_a_cancellation_takes_effect_at_once(world: World) -> None:
    with worker():
        made: list[Roster] = []
        with held("members_rosterrow"):
            _elsewhere(lambda: made.append(_upload(world)))
            until(_waits_for("members_rosterrow"), "the worker is in the middle", seconds=90)
            with everywhere(reason="look"):
                assert told(Job.objects.get(kind="members.check_roster").public_id) == ("逐行核对", 0, PEOPLE)
            _elsewhere(lambda: _cancel(world, made[0]))
            assert _state(made[0]) == "cancelled", "nobody waits for the check to end"

        def done() -> bool:
            with everywhere(reason="look"):
                return Job.objects.get(kind="members.check_roster").job_state == "done"

        until(done, "the job has nothing to do any more", seconds=90)
    assert (_state(made[0]), _effects(), _lines()) == ("cancelled", NOTHING, 0)
    with pytest.raises(rosters.RosterRefused):
        _confirm(world, made[0])


@pytest.mark.parametrize("looks", [True, False])
def test_a_check_that_nobody_waits_for_ends_with_its_next_stage(world: World, monkeypatch: pytest.MonkeyPatch, looks: bool) -> None:
    """The control: without its look between the stages it works on to the end, and only then finds out."""
    roster, stages = _upload(world), list[str]()

    def cancels(stage: str, *, done: int = 0, total: int = 0) -> None:
        if not stages:
            _elsewhere(lambda: _cancel(world, roster))
        stages.append(stage)

    if not looks:
        monkeypatch.setattr(rosters, "_still_wanted", lambda roster: None)
    with frozen(JOINED):
        rosters.check(roster.pk, by=SYSTEM, on=JOINED, tell=cancels)
    assert set(stages) == ({"读取文件"} if looks else {"读取文件", "逐行核对", "与上期名单比对"})
    assert (_state(roster), _lines()) == ("cancelled", 0)


def test_cancelled_before_a_worker_comes_it_is_left_alone(world: World) -> None:
    roster = _upload(world)
    _cancel(world, roster)
    with worker():
        nudge("default")

        def done() -> bool:
            with everywhere(reason="look"):
                return Job.objects.get(kind="members.check_roster").job_state == "done"

        until(done, "the job has nothing to do", seconds=90)
    assert (_state(roster), _effects(), _lines()) == ("cancelled", NOTHING, 0)
