"""What is changed beside a claim at the same moment: its account while it goes into a batch, its papers, the office of its unit while it is
decided. What is frozen, counted and booked is what stood before or what stands after, never a mix of both."""

from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from django.db import connection, transaction

from claims.facts import schedule_of
from claims.models import Claim, ClaimDocument
from claims.payouts import line_tables, services
from claims.payouts.models import PayoutLine
from claims.services import accounts, adjudication, intake, rules
from members.models import BankCard, UnitChange, WorkUnit
from members.services import units
from tests.factories.offices import give_post, make_user
from tests.factories.processes import somebody_waits, until
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.lib.calendar import frozen
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.reports.money import audit
from unionaid.workflow.moves import MoveRefused


@pytest.fixture
def world(committed: None) -> World:
    with frozen(JOINED):
        return make_world()


def _approved(world: World, order: int) -> Claim:
    cast = world.cast
    with frozen(ASKED), everywhere(reason="arrange"):
        claim = world.claim(world.cover(world.member(order)), 600_000)
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        world.card(claim.claimant, "6217000010001234561")
        return adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)


def _batch_made_while_the_account_changes(world: World, claim: Claim) -> tuple[str, str]:
    """(account of the line, account of the claim): the batch has read the claim and waits for it while the change is not committed."""

    def make() -> Iterator[None]:
        try:
            with frozen(ASKED), everywhere(reason="batch"):
                services.assemble(office=world.cast.a, claims=[claim], by=world.cast.actor(world.cast.payer), on=ASKED)
        finally:
            connection.close()
        yield

    maker = Thread(target=lambda: list(make()))
    with frozen(ASKED), everywhere(reason="change"), transaction.atomic():
        other = BankCard.objects.get(member=claim.claimant, last_four="4561")
        accounts.correct(Claim.objects.get(pk=claim.pk), card=other, by=world.worker(claim.claimant), on=ASKED)
        maker.start()
        until(somebody_waits, "the batch waits for the claim")
    maker.join()
    with everywhere(reason="look"):
        line = PayoutLine.objects.get(claim=claim)
        return line.account_last_four, Claim.objects.select_related("card").get(pk=claim.pk).card.last_four


def test_the_line_holds_the_account_that_the_claim_has(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _approved(world, 101), _approved(world, 103)
    with everywhere(reason="arrange"):
        manager = world.cast.actor(world.cast.manager)
        rules.set_rule(world.cast.a, bulk_limit_fen=0, soon_days=30, cooling_days=0, step_days={}, seen=0, by=manager)
    assert _batch_made_while_the_account_changes(world, first) == ("4561", "4561")
    # The control: read without the lock, the line holds an account that the claim has no more.
    monkeypatch.setattr(line_tables, "_LOCK", "SELECT %s::bigint[]")
    assert _batch_made_while_the_account_changes(world, second) == ("0018", "4561")


def _meanwhile(first: Callable[[], object], second: Callable[[], object], *, waits: bool) -> list[str]:
    """`second` is done while `first` is written and not committed; with `waits`, it is held by a lock of the first. What the second met."""
    met = list[str]()

    def other() -> None:
        try:
            with frozen(ASKED), everywhere(reason="meanwhile"), transaction.atomic():
                second()
        except MoveRefused as no:
            met.append(no.message)
        finally:
            connection.close()

    thread = Thread(target=other)
    with frozen(ASKED), everywhere(reason="first"), transaction.atomic():
        first()
        thread.start()
        if waits:
            until(somebody_waits, "the second waits")
        else:
            thread.join()
    thread.join()
    return met


def test_papers_at_the_limit_and_a_unit_that_goes_to_another_office(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _papers_at_once(world, monkeypatch)
    _office_changed(world)


def _papers_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two papers at the same moment where one more may be; the control counts without the lock on the claim."""
    with frozen(ASKED), everywhere(reason="arrange"), transaction.atomic():
        member = world.member(101)
        by, cover = world.worker(member), world.cover(member)
        draft = intake.open_claim(enrolment=cover, claimant=member, event="admission", by=by, on=ASKED)
        kind = schedule_of(draft.terms).documents_for("admission")[0].code
    letters = iter("abcd")

    def another() -> None:
        paper = CleanUpload("image/jpeg", b"jpeg", "photo.jpg", next(letters) * 64)
        intake.add_documents(draft, kind=kind, uploads=[paper], by=by)

    monkeypatch.setattr(intake, "MAX_DOCUMENTS", 1)
    (told,) = _meanwhile(another, another, waits=True)
    assert "最多 1 份材料" in told
    monkeypatch.setattr(intake, "MAX_DOCUMENTS", 2)
    monkeypatch.setattr(intake, "_locked_state", lambda claim: claim.state)
    assert _meanwhile(another, another, waits=False) == []
    with everywhere(reason="look"):
        assert ClaimDocument.objects.filter(claim=draft).count() == 3, "one more than may be"


def _office_changed(world: World) -> None:
    """The unit and its people go to the other office while a claim is decided: claim, line and batch stay with the office that took it in.
    The control takes the claim along, as a move of everything of the unit would."""
    cast = world.cast
    with frozen(ASKED), everywhere(reason="arrange"):
        above = cast.actor(give_post(make_user("s-above", "省级"), cast.province, Role.OFFICE_MANAGER).user)
        claims = [world.claim(world.cover(world.member(order)), 600_000) for order in (103, 105)]
        change = units.ask_change(WorkUnit.objects.get(pk=world.unit.pk), {}, office=cast.b, by=world.agent_actor)
        for claim in claims:
            adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)

    def move() -> None:
        units.approve_change(UnitChange.objects.select_related("unit").get(pk=change.pk), by=above)

    def decide() -> None:
        for claim in claims:
            adjudication.approve(Claim.objects.get(pk=claim.pk), by=cast.actor(cast.approver), on=ASKED)

    assert _meanwhile(move, decide, waits=True) == []
    with frozen(ASKED), everywhere(reason="pay"):
        assert WorkUnit.objects.get(pk=world.unit.pk).office_id == cast.b.pk
        batch = services.assemble(office=cast.a, claims=services.payable(cast.a), by=cast.actor(cast.payer), on=ASKED)
        assert set(PayoutLine.objects.values_list("claim__office", "office", "batch__office")) == {(cast.a.pk,) * 3}
        assert batch.line_count == len(claims)
        assert audit() == []
        Claim.objects.filter(pk=claims[0].pk).update(office=cast.b)
        assert "I12" in {one.code for one in audit()}
