"""Several people at once at the same money: one claim in two batches, one result file twice, one booked by two, two batches over the same
claims from both ends, and a broker that is down. Real commits, threads with connections of their own; each guard is taken away once."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, OperationalError, connection, connections
from kombu.exceptions import OperationalError as NoBroker

from claims.models import Claim
from claims.payouts import line_tables, refusals, return_tables, services
from claims.payouts.choosing import Choice
from claims.payouts.models import BankReturn, PayoutBatch, PayoutLine, ReturnRow
from claims.services import adjudication
from tests.factories.payouts import release
from tests.factories.world import ASKED, JOINED, World, make_world
from tests.races.test_guards_taken_away import without
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.reports.money import audit
from unionaid.workflow import moves_in_sets
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import Job
from unionaid.workflow.moves import Conflict, MoveRefused

MANY = 10


@pytest.fixture
def approved(committed: None) -> tuple[World, list[Claim]]:
    """Five approved claims, committed for every connection to see."""
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        cover = world.cover(world.member(101))
        claims = [world.claim(cover, 200_000 + n) for n in range(5)]
        for claim in claims:
            adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
            adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
    return world, claims


def _at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each of these gave or raised, begun at the same moment, each in a transaction of its own."""
    start, found = Barrier(len(acts)), list[Any]()

    def run(act: Callable[[], Any]) -> None:
        try:
            start.wait(60)
            with frozen(ASKED), everywhere(reason="race"):
                found.append(act())
        except (MoveRefused, OperationalError, IntegrityError) as error:
            found.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _assemble(world: World, claims: list[Claim]) -> PayoutBatch:
    return services.assemble(office=world.cast.a, claims=claims, by=world.cast.actor(world.cast.payer), on=ASKED)


def _open_lines(claim: Claim) -> int:
    with everywhere(reason="look"):
        return PayoutLine.objects.filter(claim=claim, state="open").count()


def test_of_ten_batches_that_want_one_claim_one_gets_it(
    approved: tuple[World, list[Claim]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, (first, second, *_others) = approved
    found = _at_once(*[lambda: _assemble(world, [first])] * MANY)
    assert sum(isinstance(one, PayoutBatch) for one in found) == 1
    assert sum(isinstance(one, Conflict) for one in found) == MANY - 1
    assert _open_lines(first) == 1
    # The control: without the look at the locked state and without the index, a claim is in several batches.
    monkeypatch.setattr(moves_in_sets, "_MOVE", moves_in_sets._MOVE.replace("AND t.state = %(source)s", ""))
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'claim_paid_once'")
        as_it_was = cursor.fetchone()[0]
    clear = "SET unionaid.offices = '*'; DELETE FROM payouts_payoutline; RESET unionaid.offices"
    keep = "ALTER TABLE payouts_payoutline {} TRIGGER line_is_kept"
    with without("DROP INDEX claim_paid_once", keep.format("DISABLE"), clear, keep.format("ENABLE"), as_it_was):
        _at_once(*[lambda: _assemble(world, [second])] * 2)
        assert _open_lines(second) == 2


def test_two_batches_over_the_same_claims_from_both_ends_wait_and_never_lock_each_other_out(
    approved: tuple[World, list[Claim]],
) -> None:
    world, claims = approved
    found = _at_once(*[lambda: _assemble(world, claims), lambda: _assemble(world, claims[::-1])] * 2)
    assert sum(isinstance(one, PayoutBatch) for one in found) == 1
    assert sum(isinstance(one, Conflict) for one in found) == 3
    # The control: two who lock one claim after the other, each in an order of its own, meet in the middle; the database ends one of them.
    both_have_one = Barrier(2)

    def one_by_one(order: list[Claim]) -> str:
        batch = PayoutBatch.objects.get()
        line_tables.stage(batch, [order[0].pk], after=0)
        both_have_one.wait(60)
        line_tables.stage(batch, [order[-1].pk], after=0)
        return "went through"

    found = _at_once(lambda: one_by_one(claims), lambda: one_by_one(claims[::-1]))
    assert found.count("went through") == 1
    assert ["deadlock" in str(one) for one in found if one != "went through"] == [True]


def _shared_out(world: World) -> PayoutBatch:
    """A batch of the claims in a part each, none of them made."""
    with frozen(ASKED), everywhere(reason="choose"):
        return services.make(Choice(world.cast.a.pk, "mutual_aid"), by=world.cast.actor(world.cast.payer), on=ASKED)


def test_two_workers_make_parts_of_one_batch_beside_each_other_and_a_part_of_a_cancelled_batch_is_taken_back(
    approved: tuple[World, list[Claim]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, claims = approved
    payer, keep = world.cast.actor(world.cast.payer), line_tables.keep
    monkeypatch.setattr(services, "AT_ONCE", 0)
    monkeypatch.setattr(services, "PART", 1)

    def counts(meet: Callable[[], Any], batch: PayoutBatch, workers: int) -> tuple[int, int]:
        """Lines that the batch counts and that it has, when so many workers made a part each and `meet` was done in the middle of it."""
        monkeypatch.setattr(line_tables, "keep", lambda batch: (keep(batch), meet()))
        assert _at_once(*[lambda: services.make_beside(batch.pk, by=payer)] * workers) == [meet is not cancel] * workers
        monkeypatch.setattr(line_tables, "keep", keep)
        with everywhere(reason="look"):
            return PayoutBatch.objects.get(pk=batch.pk).line_count, batch.lines.filter(state="open").count()

    def cancel() -> None:
        _at_once(lambda: services.cancel(PayoutBatch.objects.get(pk=first.pk), by=payer))

    first = _shared_out(world)
    assert counts(Barrier(2, timeout=60).wait, first, 2) == (2, 2), "neither waits for the other's part"
    assert counts(cancel, first, 1) == (2, 0)
    with everywhere(reason="look"):
        assert set(Claim.objects.filter(pk__in=[claim.pk for claim in claims]).values_list("state", flat=True)) == {"approved"}
        assert audit() == []
    # The control: whoever adds to the batch as it was when the part began loses what the other has added.
    monkeypatch.setattr(services, "_count", _count_on_what_was)
    assert counts(Barrier(2, timeout=60).wait, _shared_out(world), 2) == (1, 2)


def _count_on_what_was(batch: PayoutBatch, added: line_tables.Added) -> None:
    batch.line_count += added.count
    batch.save(update_fields=["line_count"])


def _answer(batch: PayoutBatch) -> bytes:
    rows = [f"{line.reference},{line.amount_fen / 100:.2f},成功," for line in batch.lines.order_by("sequence")]
    return "\r\n".join(["附言,金额,处理结果,失败原因", *rows]).encode("gb18030")


def _two_workers_book_it(kept: BankReturn, data: bytes, payer: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part each at the same moment; meanwhile another file of the same lines waits, and so does who takes the confirmation back."""
    read = return_tables.read_part

    def book(file: BankReturn, after: int = 0) -> Callable[[], Any]:
        return lambda: services.book_beside(file.pk, after, by=payer, on=ASKED)

    def in_the_middle(meet: Callable[[], Any], workers: int = 1) -> list[Any]:
        """What became of the parts of so many workers, when `meet` was done after each had read which lines it books."""
        slowly = lambda file, part: (read(file, part), file.pk == kept.pk and meet())[0]  # noqa: E731
        monkeypatch.setattr(return_tables, "read_part", slowly)
        return sorted(_at_once(*[book(kept)] * workers), key=str)

    def take_back() -> None:
        with connection.cursor() as cursor:
            cursor.execute(return_tables.PATIENCE)
        refusals.take_back_confirmation(kept.pk, "no right")

    monkeypatch.setattr(return_tables, "PART", 1)
    with everywhere(reason="another file of the same lines"), frozen(ASKED):
        other = services.read_return(kept.batch, data=data + b"\r\n", file_name="r.csv", by=payer)
    # The control: without its lock two take one part, and the second is refused when the first is done with it.
    with monkeypatch.context() as patch:
        patch.setattr(return_tables, "_NEXT", return_tables._NEXT.replace("FOR NO KEY UPDATE SKIP LOCKED", ""))
        booked, refused = in_the_middle(Barrier(2, timeout=60).wait, 2)
        assert (booked, "return_part_once" in str(refused)) == (2, True)
    assert in_the_middle(Barrier(2, timeout=60).wait, 2) == [3, 4], "neither waits for the other's part"
    with everywhere(reason="confirm"), frozen(ASKED):
        services.confirm_return(other, by=payer)
    waited = list[Any]()

    def impatient() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(return_tables, "PATIENCE", "SET LOCAL lock_timeout = '200ms'")
            waited.extend(_at_once(book(other, 4)) + _at_once(take_back))

    assert in_the_middle(impatient) == [5]
    assert ["lock timeout" in str(one) for one in waited] == [True, True]
    # The control: without its turn another file answers first, and the line's own state refuses this one.
    with monkeypatch.context() as patch:
        patch.setattr(return_tables, "_held", lambda file: True)
        first = list[Any]()
        (refused,) = in_the_middle(lambda: first.extend(_at_once(book(other, 5))))
        assert (first, type(refused)) == ([6], Conflict)
    monkeypatch.setattr(return_tables, "read_part", read)
    _at_once(lambda: services.book_return(other.pk, by=payer, on=ASKED))


def test_a_broker_that_is_down_at_release_loses_nothing_and_a_file_taken_twice_at_once_is_one(
    approved: tuple[World, list[Claim]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, claims = approved
    payer = world.cast.actor(world.cast.payer)

    def down(*args: object, **kwargs: object) -> None:
        raise NoBroker("no broker")

    monkeypatch.setattr(current_app, "send_task", down)
    with frozen(ASKED), everywhere(reason="release"):
        batch = _assemble(world, claims)
        release(world.cast, batch)
    with everywhere(reason="look"):
        assert PayoutBatch.objects.get().state == "releasing"
        assert Job.objects.get(kind="payouts.release").job_state == "queued", "the work waits in the database"
        kept = Job.objects.filter(kind="payouts.release")
        late = list(kept.values_list("not_before", flat=True))
        kept.update(not_before=late[0] + timedelta(days=25_000))  # the control: without the row nobody would ever come back to it
    with frozen(ASKED):
        assert run_due("payouts") == 0
        with everywhere(reason="it is due after all"):
            kept.update(not_before=late[0])
        assert run_due("payouts") == 1
    with everywhere(reason="look"):
        batch = PayoutBatch.objects.get()
        assert batch.state == "released"
        data = _answer(batch)

    both_looked, read = Barrier(2), services.answers.read

    def slowly(content: bytes) -> Any:
        both_looked.wait(60)
        return read(content)

    monkeypatch.setattr(services.answers, "read", slowly)
    take = lambda: services.read_return(batch, data=data, file_name="r.csv", by=payer)  # noqa: E731
    first, second = _at_once(take, take)
    assert first.pk == second.pk
    monkeypatch.setattr(services.answers, "read", read)
    with everywhere(reason="book"), frozen(ASKED):
        services.confirm_return(first, by=payer)
    _two_workers_book_it(first, data, payer, monkeypatch)
    _at_once(*[lambda: services.book_return(first.pk, by=payer, on=ASKED)] * 3)
    with everywhere(reason="look"):
        assert sorted(ReturnRow.objects.filter(bank_return=first).values_list("outcome", flat=True)) == ["already", *["booked"] * 4]
        assert set(Claim.objects.values_list("state", flat=True)) == {"paid"}
        assert audit() == []
    # The control: without its constraint the file is there twice.
    take_away = "ALTER TABLE payouts_bankreturn DROP CONSTRAINT return_file_once"
    clear = (
        "SET unionaid.offices = '*'; DELETE FROM payouts_returnrow r USING payouts_bankreturn b WHERE b.id = r.bank_return_id AND"
        " b.confirmed_at IS NULL; DELETE FROM payouts_bankreturn WHERE confirmed_at IS NULL; RESET unionaid.offices"
    )
    back = "ALTER TABLE payouts_bankreturn ADD CONSTRAINT return_file_once UNIQUE (batch_id, sha256)"
    data += b"\r\n\r\n"
    monkeypatch.setattr(services.answers, "read", slowly)
    with without(take_away, clear, back):
        _at_once(take, take)
        with everywhere(reason="look"):
            assert BankReturn.objects.filter(confirmed_at__isnull=True).count() == 2
