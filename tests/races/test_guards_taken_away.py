"""The negative controls of the database's guards: with a guard the wrong thing is refused, without it the wrong thing happens.

Each guard is taken away by the owner of the tables for one moment and put back before anything else runs.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connections, transaction

from claims.models import Claim
from claims.payouts import services
from claims.payouts.models import PayoutBatch, PayoutLine
from claims.services import adjudication, halts
from tests.factories.processes import somebody_waits, until
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.ledger.models import Entry, Transaction
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.moves import Conflict, record


@contextmanager
def without(take: str, *put_back: str) -> Iterator[None]:
    """The guard is gone inside the block."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(take)
    try:
        yield
    finally:
        with connections["owner"].cursor() as cursor:
            for statement in put_back:
                cursor.execute(statement)


@pytest.fixture
def world(committed: None) -> World:
    with frozen(JOINED):
        return make_world()


def _approved(world: World) -> Claim:
    with frozen(ASKED), everywhere(reason="arrange"):
        claim = world.claim(world.cover(world.member(101)), 600_000)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
        return adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)


def _unbalanced(world: World) -> None:
    with everywhere(reason="past the code"):
        account = Entry.objects.earliest("id").account
        head = Transaction.objects.create(office=world.cast.a, kind="x", source_type="t", source_id=1, posted_on=ASKED)
        Entry.objects.create(office=world.cast.a, transaction=head, account=account, amount_fen=5)


def test_books_stop_balancing_without_their_trigger(world: World) -> None:
    _approved(world)
    with pytest.raises(IntegrityError):
        _unbalanced(world)
    take = "ALTER TABLE ledger_entry DISABLE TRIGGER entry_balances; ALTER TABLE ledger_transaction DISABLE TRIGGER transaction_balances"
    with without(take, take.replace("DISABLE", "ENABLE")):
        _unbalanced(world)
        with everywhere(reason="look"):
            assert sum(Entry.objects.values_list("amount_fen", flat=True)) == 5


def _second_line(claim: Claim) -> None:
    with everywhere(reason="past the service"):
        line = PayoutLine.objects.get(claim=claim)
        line.pk, line.sequence, line.reference = None, 2, "again"
        line.save(force_insert=True)


def test_a_claim_is_paid_twice_without_its_index(world: World) -> None:
    claim = _approved(world)
    with frozen(ASKED), everywhere(reason="arrange"):
        services.assemble(office=world.cast.a, claims=[claim], by=world.cast.actor(world.cast.payer), on=ASKED)
    with pytest.raises(IntegrityError, match="claim_paid_once"):
        _second_line(claim)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'claim_paid_once'")
        as_it_was = cursor.fetchone()[0]
    clear = "SET unionaid.offices = '*'; DELETE FROM payouts_payoutline WHERE reference = 'again'; RESET unionaid.offices"
    keep = "ALTER TABLE payouts_payoutline {} TRIGGER line_is_kept"
    with without("DROP INDEX claim_paid_once", keep.format("DISABLE"), clear, keep.format("ENABLE"), as_it_was):
        _second_line(claim)
        with everywhere(reason="look"):
            assert PayoutLine.objects.filter(claim=claim, state="open").count() == 2
    _the_reviewer_checks_the_batch(world)
    _a_line_of_no_claim_of_its_office(world, claim)


def _a_line_of_no_claim_of_its_office(world: World, claim: Claim) -> None:
    """A line names a claim and a batch of its own office, no claim that the maker had a part in, and none of the three is removed, as long
    as the triggers are there."""

    def past_the_service(act: Callable[[PayoutLine], object]) -> None:
        with everywhere(reason="past the service"), transaction.atomic():
            act(PayoutLine.objects.get(claim=claim))

    def strange(line: PayoutLine) -> None:
        line.pk, line.sequence, line.reference, line.claim_id = None, 2, "astray", 10**9
        line.save(force_insert=True)

    def foreign(line: PayoutLine) -> None:
        line.pk, line.sequence, line.reference, line.office, line.state = None, 2, "astray", world.cast.b, "void"
        line.save(force_insert=True)

    def of_the_maker(line: PayoutLine) -> None:
        Claim.objects.filter(pk=line.claim_id).update(reviewed_by=line.batch.assembled_by)
        line.pk, line.sequence, line.reference, line.state = None, 2, "astray", "void"
        line.save(force_insert=True)
        transaction.set_rollback(True)

    for act, guard in ((strange, "line_belongs"), (foreign, "line_belongs"), (of_the_maker, "batch_people_apart")):
        with pytest.raises(IntegrityError, match=guard):
            past_the_service(act)
    with pytest.raises(IntegrityError, match="line_stays"):
        past_the_service(lambda line: PayoutLine.objects.filter(pk=line.pk).delete())
    remove = "SET LOCAL unionaid.offices = '*'; DELETE FROM {} WHERE id = %s"
    for table, pk in (("payouts_payoutbatch", PayoutLine.batch), ("claims_claim", PayoutLine.claim)):
        with pytest.raises(IntegrityError, match="line_belongs"), everywhere(reason="past the service"), transaction.atomic(using="owner"):
            key = getattr(PayoutLine.objects.get(claim=claim), pk.field.attname)
            connections["owner"].cursor().execute(remove.format(table), [key])
    take = "ALTER TABLE payouts_payoutline DISABLE TRIGGER lines_belong"
    clear = "SET unionaid.offices = '*'; DELETE FROM payouts_payoutline WHERE reference = 'astray'; RESET unionaid.offices"
    keep = "ALTER TABLE payouts_payoutline {} TRIGGER line_is_kept"
    with without(take, keep.format("DISABLE"), clear, keep.format("ENABLE"), take.replace("DISABLE", "ENABLE")):
        past_the_service(of_the_maker)
        past_the_service(strange)
        with everywhere(reason="look"):
            assert PayoutLine.objects.filter(reference="astray").exists()


def _the_reviewer_checks_the_batch(world: World) -> None:
    """Who reviewed a claim lets its money go, once the trigger that keeps people apart is away."""

    def alone() -> None:
        with everywhere(reason="past the service"), transaction.atomic():
            PayoutBatch.objects.update(checked_by=world.cast.reviewer)

    with pytest.raises(IntegrityError, match="batch_people_apart"):
        alone()
    take = "ALTER TABLE payouts_payoutbatch DISABLE TRIGGER batch_people_apart"
    with without(take, take.replace("DISABLE", "ENABLE")):
        alone()


def test_one_person_decides_alone_without_the_check(world: World) -> None:
    claim = _approved(world)

    def alone() -> None:
        with everywhere(reason="past the service"), transaction.atomic():
            Claim.objects.filter(pk=claim.pk).update(approved_by=world.cast.reviewer)

    with pytest.raises(IntegrityError, match="claim_reviewer_is_not_approver"):
        alone()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'claim_reviewer_is_not_approver'")
        as_it_was = cursor.fetchone()[0]
    take = "ALTER TABLE claims_claim DROP CONSTRAINT claim_reviewer_is_not_approver"
    put_back = f"ALTER TABLE claims_claim ADD CONSTRAINT claim_reviewer_is_not_approver {as_it_was} NOT VALID"
    with without(take, put_back):
        alone()
        with everywhere(reason="look"):
            assert Claim.objects.get(pk=claim.pk).approved_by_id == Claim.objects.get(pk=claim.pk).reviewed_by_id


def _halted_while_a_batch_is_made(world: World, claim: Claim) -> str:
    """What becomes of a halt that is proposed while a batch with the claim is not yet committed."""
    seen = threading.Event()

    def assemble() -> None:
        try:
            with frozen(ASKED), everywhere(reason="act"), transaction.atomic():
                services.assemble(office=world.cast.a, claims=[claim], by=world.cast.actor(world.cast.payer), on=ASKED)
                seen.set()
                until(somebody_waits, "the other one is at the row")
        finally:
            connections.close_all()

    thread = threading.Thread(target=assemble)
    thread.start()
    assert seen.wait(60)
    try:
        with frozen(ASKED), everywhere(reason="act"), transaction.atomic():
            halts.propose(claim, reason="金额有误", clause="第七条", by=world.cast.actor(world.cast.reviewer), on=ASKED)
        return "held"
    except Conflict:
        return "told"
    finally:
        thread.join()


def test_a_claim_is_in_a_batch_and_held_at_once_without_the_question_where_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = _approved(world)
    assert _halted_while_a_batch_is_made(world, claim) == "told"
    with everywhere(reason="look"):
        assert Claim.objects.get(pk=claim.pk).state == "in_batch"
        services.cancel(PayoutBatch.objects.get(), by=world.cast.actor(world.cast.payer))
        claim.refresh_from_db()

    def unasked(claims: list[Claim], action: str, *, by: Actor, changes: dict[str, str], **_more: object) -> None:
        """As `move`, without the lock and the question."""
        Claim.objects.filter(pk=claims[0].pk).update(state="halt_proposed", **changes)
        record(claims, action, by=by, to_state="halt_proposed")

    monkeypatch.setattr(halts, "move", unasked)
    assert _halted_while_a_batch_is_made(world, claim) == "held"
    with everywhere(reason="look"):
        assert Claim.objects.get(pk=claim.pk).state == "halt_proposed"
        assert PayoutLine.objects.filter(claim=claim, state="open").count() == 1
