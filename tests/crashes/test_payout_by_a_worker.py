"""The payout's work on real worker processes: done once by any number of workers, all or nothing when one is killed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from redis import Redis

from claims.models import Claim
from claims.payouts import services
from claims.payouts.models import BankFile, PayoutBatch, PayoutLine
from claims.services import adjudication
from tests.factories.payouts import release
from tests.factories.processes import ROOT, WAITING, kill, somebody_waits, until, worker
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import STALE_AFTER
from unionaid.workflow.models import Job
from unionaid.workflow.nudge import nudge

pytestmark = pytest.mark.worker
CLAIMS = 5


@pytest.fixture
def batch(committed: None) -> tuple[World, PayoutBatch]:
    """Five approved claims in an assembled batch, committed for every process to see."""
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        for order in range(CLAIMS):
            claim = world.claim(world.cover(world.member(101 + 2 * order)), 100_000 + order)
            adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
            adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
        made = services.assemble(
            office=world.cast.a, claims=services.payable(world.cast.a), by=world.cast.actor(world.cast.payer), on=ASKED
        )
    return world, made


def _release(world: World, batch: PayoutBatch) -> None:
    with frozen(ASKED), everywhere(reason="release"):
        release(world.cast, PayoutBatch.objects.get(pk=batch.pk))


def _state(batch: PayoutBatch) -> str:
    with everywhere(reason="look"):
        return str(PayoutBatch.objects.values_list("state", flat=True).get(pk=batch.pk))


def _told_and_taken(queue: str) -> None:
    """A worker has taken the message from the broker and had time to act on it."""
    nudge(queue)
    with Redis.from_url(settings.REDIS_URL) as broker:
        until(lambda: broker.llen(queue) == 0, "a worker takes the message")
    time.sleep(0.3)


def _effects() -> tuple[int, int, int]:
    """Bank files, entries of what left (two for a batch), claims being paid."""
    with everywhere(reason="look"):
        entries = Entry.objects.filter(transaction__kind="payout").count()
        return BankFile.objects.count(), entries, Claim.objects.filter(state="paying").count()


def test_the_broker_loses_its_queue_then_two_workers_nudged_many_times_pay_once(batch: tuple[World, PayoutBatch]) -> None:
    world, made = batch
    _release(world, made)
    with Redis.from_url(settings.REDIS_URL) as broker:  # killed, without a copy on disk of what it held
        assert broker.llen("payouts") > 0
        broker.flushdb()
    with worker(2):
        _told_and_taken("reports")
        assert _state(made) == "releasing", "the control: workers that are there and are not told do nothing"
        for _ in range(20):
            nudge("payouts")
        until(lambda: _state(made) == "released", "the batch is released by a worker")
        assert _effects() == (1, 2, CLAIMS)
        with everywhere(reason="answer"), frozen(ASKED):
            lines = PayoutLine.objects.order_by("sequence")
            rows = [f"{line.reference},{line.amount_fen / 100:.2f},成功," for line in lines]
            data = "\r\n".join(["附言,金额,处理结果,失败原因", *rows]).encode("gb18030")
            for name in ("r.csv", "again.csv"):
                services.take_return(PayoutBatch.objects.get(pk=made.pk), data=data, file_name=name, by=world.cast.actor(world.cast.payer))
        until(lambda: _state(made) == "booked", "the bank's answer is booked by a worker")
    with everywhere(reason="look"):
        assert set(Claim.objects.values_list("state", flat=True)) == {"paid"}
        assert sum(Entry.objects.values_list("amount_fen", flat=True)) == 0


def _cut_the_connection() -> None:
    """The database ends the session that waits, as it does when it is restarted or the network goes."""
    at, word = connections["owner"].settings_dict, json.loads((ROOT / "var" / "test" / "services.json").read_text())["passwords"]["super"]
    name = connection.settings_dict["NAME"]
    with closing(psycopg2.connect(host=at["HOST"], port=at["PORT"], user="postgres", password=word, dbname=name)) as administrator:
        administrator.cursor().execute(f"SELECT pg_terminate_backend(pid) {WAITING}")


def _kill_its_child(process: subprocess.Popen[bytes]) -> None:
    """Only the process of the pool; the worker itself goes on and starts another."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


def _in_the_middle(begin: Callable[[], object], fault: Callable[[], None]) -> None:
    """The worker is held by a lock on one claim, after it wrote the file and the entries; there the fault happens."""
    with transaction.atomic(), everywhere(reason="hold one claim"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid() FROM claims_claim ORDER BY id DESC LIMIT 1 FOR UPDATE")
            ours = cursor.fetchone()[0]
        elsewhere = Thread(target=_begun, args=(begin, ours))
        elsewhere.start()
        elsewhere.join()
        assert _waits_for(ours), "the worker waits for the claim"
        _no_nudge_is_left()
        fault()
    until(lambda: not somebody_waits(), "the session is gone")


def _no_nudge_is_left() -> None:
    """Of all that were sent until the worker was there: nobody takes the job up again before the next sweep."""
    with Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("payouts")


def _waits_for(session: int) -> bool:
    """Somebody is held by this session's lock: not just for a moment, by anything else."""
    with connections["owner"].cursor() as cursor:
        held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND %s = ANY (pg_blocking_pids(pid))"
        cursor.execute(held, [session])
        return bool(cursor.fetchone()[0])


def _begun(begin: Callable[[], object], holder: int) -> None:
    """Begun, and swept until a worker is in the middle of it: on connections of their own, for this one holds its lock."""
    try:
        begin()
        until(lambda: _waits_for(holder) or _swept(), "a worker takes it up")
    finally:
        connections.close_all()


def _swept() -> bool:
    """A minute goes by without a sign of life; the sweep nudges. What somebody works on is left alone."""
    with everywhere(reason="a minute goes by"):
        idle = Job.objects.select_for_update(skip_locked=True).filter(kind="payouts.release").values_list("pk", flat=True)
        Job.objects.filter(pk__in=list(idle)).update(beat_at=Now() - 2 * STALE_AFTER, not_before=Now())
    nudge("payouts")
    time.sleep(0.5)
    return False


def test_whatever_ends_a_worker_in_the_middle_leaves_nothing_half_and_the_sweep_finishes(batch: tuple[World, PayoutBatch]) -> None:
    """One after the other: its connection is cut, its child is killed, all of it is killed, and it is asked to stop."""
    world, made = batch
    with worker() as (first,):
        faults = (_cut_the_connection, lambda: _kill_its_child(first), lambda: kill(first))
        for begin, fault in zip((lambda: _release(world, made), _swept, _swept), faults, strict=True):
            _in_the_middle(begin, fault)
            assert (_state(made), _effects()) == ("releasing", (0, 0, 0))
    with worker() as (second,):
        _told_and_taken("payouts")
        # The control: the broker's message is spent and the job counts as running, so nobody would ever take it up again.
        with everywhere(reason="look"):
            assert Job.objects.get(kind="payouts.release").job_state == "running"
        assert _state(made) == "releasing"
        _in_the_middle(_swept, lambda: second.send_signal(signal.SIGTERM))
        assert second.wait(60) == 0, "asked to stop it ends what it has begun"
    assert _state(made) == "released"
    assert _effects() == (1, 2, CLAIMS)
