"""A process of a worker that is killed with signal 9 at one statement after another, and before and after its commits, while it makes a
batch, releases it and books the bank's answer, in parts of two lines: whatever was done is whole, the next process goes on from there, and
each claim is paid once. `CRASH_EVERY=1 bin/test tests/crashes/test_killed_at_any_statement.py` dies at every single one.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import DateTimeField, Value
from django.db.models.functions import Now
from pytest_django import DjangoDbBlocker

from claims.models import Claim
from claims.payouts import line_tables, return_tables, services
from claims.payouts.choosing import Choice
from claims.payouts.models import BankFile, PayoutBatch, PayoutLine
from claims.services import adjudication
from tests.factories import processes
from tests.factories.payouts import release
from tests.factories.processes import forked
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, now, plus_days, today
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.reports import stuck
from unionaid.reports.money import audit
from unionaid.workflow import jobs
from unionaid.workflow.jobs import STALE_AFTER, run_due
from unionaid.workflow.models import Job

EVERY = int(os.environ.get("CRASH_EVERY", "23"))
CLAIMS, PART = 5, 2
PAST_MIDNIGHT = plus_days(ASKED, 1)  # the work runs on another day than it was asked for


class Walk:
    """Counts what goes to the database and dies at one step of it; or dies when such a statement is done, and keeps what was done."""

    def __init__(self, at: int = 0, *, keeps: str = "") -> None:
        self.at, self.keeps, self.step = at, keeps, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        self.count()
        done = execute(sql, params, many, context)
        if self.keeps and sql.startswith(self.keeps):
            connection.connection.commit()
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def count(self) -> None:
        self.step += 1
        if self.step == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def work(self) -> None:
        """What a process of a worker does, on a day of its own."""
        connection.ensure_connection()
        commit = connection._commit

        def counted() -> None:
            self.count()
            commit()
            self.count()

        connection._commit = counted
        with frozen(PAST_MIDNIGHT), connection.execute_wrapper(self):
            run_due("payouts")


def _goes_stale() -> None:
    """The dead process gives no sign of life for more than a minute, by the database's clock."""
    with everywhere(reason="a minute goes by"):
        Job.objects.filter(job_state="running").update(beat_at=Now() - 2 * STALE_AFTER)


def _walk(state: Callable[[], str], done: str) -> int:
    """Die at every so-manieth step until a process comes through; how many died."""
    deaths = 0
    while (ended := forked(Walk(1 + deaths * EVERY).work)) == -signal.SIGKILL:
        deaths += 1
        with everywhere(reason="look"):
            assert audit() == [], f"after death {deaths}"
        _goes_stale()
    assert ended == 0
    assert state() == done
    assert forked(Walk().work) == 0, "one process more has nothing to do"
    return deaths


@pytest.fixture
def approved(committed: None) -> World:
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        cover = world.cover(world.member(101))
        for order in range(CLAIMS):
            claim = world.claim(cover, 100_000 + order)
            adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
            adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
    return world


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 0)
    for room in (services, line_tables, return_tables):
        monkeypatch.setattr(room, "PART", PART, raising=False)


def _batch() -> PayoutBatch:
    return PayoutBatch.objects.latest("pk")


def _state() -> str:
    with everywhere(reason="look"):
        return str(_batch().state)


def _make(world: World, claims: int) -> None:
    with frozen(ASKED), everywhere(reason="choose"):
        services.make(Choice(world.cast.a.pk, "mutual_aid", largest=claims), by=world.cast.actor(world.cast.payer), on=ASKED)


def _release(world: World) -> None:
    with frozen(ASKED), everywhere(reason="release"):
        release(world.cast, _batch())


def _answer(world: World) -> None:
    """The bank sends the first line back and has paid the others."""
    with frozen(ASKED), everywhere(reason="answer"):
        lines = _batch().lines.order_by("sequence")
        rows = [f"{line.reference},{line.amount_fen / 100:.2f},{'成功' if line.sequence > 1 else '失败'}," for line in lines]
        data = "\r\n".join(["附言,金额,处理结果,失败原因", *rows]).encode("gb18030")
        services.take_return(_batch(), data=data, file_name="r.csv", by=world.cast.actor(world.cast.payer))


def test_wherever_it_dies_each_claim_is_paid_once_and_without_one_transaction_halves_are_left(approved: World, in_parts: None) -> None:
    world, steps = approved, ((lambda world: _make(world, CLAIMS - 1), "assembled"), (_release, "released"), (_answer, "booked"))
    for act, done in steps:
        act(world)
        assert _walk(_state, done) >= 1
    with everywhere(reason="look"):
        assert _batch().line_count == PayoutLine.objects.count() == CLAIMS - 1
        assert Claim.objects.filter(state="paid").count() == CLAIMS - 2
        assert Claim.objects.filter(state="returned_payment").count() == BankFile.objects.count() == 1
        assert set(Entry.objects.filter(transaction__kind="payout").values_list("posted_on", flat=True)) == {ASKED}
        assert stuck.look(ASKED) == []
    _make(world, 1)
    assert forked(Walk().work) == 0
    _release(world)
    _leaves_halves()


def _leaves_halves() -> None:
    """The control: what was done up to the death is kept, as if the file had a transaction of its own."""
    assert forked(Walk(keeps="INSERT INTO \"payouts_bankfile\"").work) == -signal.SIGKILL
    with everywhere(reason="look"):
        assert "I6" in {one.code for one in audit()}
        long_ago = Now() - timedelta(hours=1)
        Job.objects.filter(kind="payouts.release").update(not_before=long_ago, beat_at=long_ago)
        assert "job" in {one.key.split()[0] for one in stuck.look(ASKED)}, "what the dead process left open is named"


def _session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("sees_the_same", [True, False])
def test_no_process_works_in_the_session_of_another(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch, sees_the_same: bool
) -> None:
    """Not even beside a loop, where the parent does not see what it had open before; the control does, and shares it."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    if not sees_the_same:
        monkeypatch.setattr(processes, "_beside", lambda loop: None)

    async def beside_a_loop(parents: int) -> int:
        return forked(lambda: os._exit(7 if _session() == parents else 0))

    def ended() -> int:
        try:
            return asyncio.run(beside_a_loop(_session()))
        finally:
            connection.close()

    with django_db_blocker.unblock(), ThreadPoolExecutor(1) as thread:  # where no loop runs yet
        assert thread.submit(ended).result() == (0 if sees_the_same else 7)


def _told(run: jobs.Run) -> None:
    run.result.update(asked=str(run.on), believed=str(today()))


@pytest.mark.parametrize("by_its_own", [False, True])
def test_a_worker_whose_clock_is_wrong_takes_what_is_due_and_for_the_day_it_was_asked(
    committed: None, monkeypatch: pytest.MonkeyPatch, by_its_own: bool
) -> None:
    """A day ahead it leaves alone what is not due and what a living worker has; a day behind it does what is due. By its own clock, the
    control, it takes the first two and leaves the third."""
    monkeypatch.setitem(jobs.KINDS, "tests.told", jobs.Kind("tests.told", _told, "tests", ""))
    day = today()
    if by_its_own:
        monkeypatch.setattr(jobs, "Now", lambda: Value(now(), DateTimeField()))
    with everywhere(reason="arrange"), frozen(day):
        for key in ("later", "in hand", "due"):
            jobs.enqueue("tests.told", [(1, key, None)], by=SYSTEM)
        asked = Job.objects.filter(kind="tests.told")
        asked.filter(key="later").update(not_before=Now() + timedelta(hours=1))
        asked.filter(key="in hand").update(job_state="running", beat_at=Now())
        asked.filter(key="due").update(not_before=Now() + timedelta(days=3))

    def done_at(on: date) -> set[str]:
        def work() -> None:
            with frozen(on):
                jobs.run_due("tests")

        assert forked(work) == 0
        with everywhere(reason="look"):
            return set(Job.objects.filter(job_state="done").values_list("key", flat=True))

    ahead = done_at(plus_days(day, 1))
    assert ahead == ({"later", "in hand"} if by_its_own else set())
    with everywhere(reason="it falls due"):
        Job.objects.filter(key="due").update(not_before=Now() - timedelta(minutes=1))
    behind = done_at(plus_days(day, -1)) - ahead
    assert behind == (set() if by_its_own else {"due"})
    with everywhere(reason="look"):
        days = set(Job.objects.filter(job_state="done").values_list("result__asked", "result__believed"))
    assert days == {(str(day), str(plus_days(day, 1 if by_its_own else -1)))}, "for the day it was asked, whatever the worker believes"
