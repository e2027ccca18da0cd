"""The payout's work on real worker processes: done once by any number of workers, all or nothing when one is killed."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, connections, transaction

from claims.models import Claim
from claims.payouts import services
from claims.payouts.models import BankFile, PayoutBatch, PayoutLine
from claims.services import adjudication
from tests.factories.payouts import release
from tests.factories.processes import kill, until, worker
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, now
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


def _effects() -> tuple[int, int, int]:
    """Bank files, entries of what left (two for a batch), claims being paid."""
    with everywhere(reason="look"):
        entries = Entry.objects.filter(transaction__kind="payout").count()
        return BankFile.objects.count(), entries, Claim.objects.filter(state="paying").count()


def test_two_workers_nudged_many_times_pay_once(batch: tuple[World, PayoutBatch]) -> None:
    world, made = batch
    with worker(2):
        _release(world, made)
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


def _somebody_waits_for_a_lock() -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_a_worker_killed_in_the_middle_leaves_nothing_half_and_the_sweep_finishes(batch: tuple[World, PayoutBatch]) -> None:
    """The worker is held by a lock on one claim, after it wrote the file and the entries, and killed there."""
    world, made = batch
    with worker() as (first,):
        with transaction.atomic(), everywhere(reason="hold one claim"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM claims_claim ORDER BY id DESC LIMIT 1 FOR UPDATE")
            _release_elsewhere(world, made)
            until(_somebody_waits_for_a_lock, "the worker waits for the claim")
            kill(first)
    until(lambda: not _somebody_waits_for_a_lock(), "the dead worker's session is gone")
    assert _state(made) == "releasing"
    assert _effects() == (0, 0, 0)
    with worker():
        nudge("payouts")
        # The control: the broker's message is spent and the job counts as running, so nobody would ever take it up again.
        with everywhere(reason="look"):
            assert Job.objects.get(kind="payouts.release").job_state == "running"
        assert _state(made) == "releasing"
        with everywhere(reason="a minute goes by"):
            Job.objects.filter(kind="payouts.release").update(beat_at=now() - 2 * STALE_AFTER - timedelta(seconds=1))
        nudge("payouts")
        until(lambda: _state(made) == "released", "the sweep's nudge finds the stale job")
    assert _effects() == (1, 2, CLAIMS)


def _release_elsewhere(world: World, batch: PayoutBatch) -> None:
    """Commit the release on another connection while this one holds its lock."""
    def act() -> None:
        try:
            _release(world, batch)
        finally:
            connection.close()

    thread = Thread(target=act)
    thread.start()
    thread.join()
