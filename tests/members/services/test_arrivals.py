"""What was typed in: money for which nobody owes anything any more, and money that was typed in wrongly."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from members.models import ContributionDue, Enrolment, Match, Remittance, RemittanceCorrection
from members.selectors.contributions import discrepancies
from members.services import arrivals, contributions, enrolment, refunds
from members.services.contributions import RemittanceRefused
from members.transitions import REMITTANCE_CORRECTION
from tests.factories.world import JOINED, World
from tests.members.services.test_contributions import arrived, balances
from unionaid.ledger.models import Transaction
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import Conflict, NotAllowed


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield
        assert discrepancies() == []


def payer(world: World) -> Actor:
    return world.cast.actor(world.cast.payer)


def manager(world: World) -> Actor:
    return world.cast.actor(world.cast.manager)


def typed(world: World, order: int = 101) -> tuple[ContributionDue, Remittance]:
    """Cover in force since its contribution of 125.00 was typed in."""
    due = world.cover(world.member(order)).dues.get()
    return due, Remittance.objects.get(bank_reference=f"T{due.pk}")


def told(one: Remittance, **other: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in arrivals.TOLD} | other


def proposed(world: World, one: Remittance, right: dict[str, Any] | None) -> RemittanceCorrection:
    return arrivals.propose_correction(one, right=right, note="银行回单", by=payer(world), on=JOINED)


def now(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_a_number_typed_wrongly_is_put_right_by_two_people_and_the_cover_goes_on(world: World) -> None:
    due, wrong = typed(world)
    before = balances()
    one = proposed(world, wrong, told(wrong, bank_reference="T999", received_on=date(2026, 1, 4)))
    with pytest.raises(RemittanceRefused, match="正在等复核"), transaction.atomic():
        proposed(world, wrong, None)
    for who in (payer(world), world.cast.actor(world.cast.reviewer), world.cast.actor(world.cast.outsider)):
        with pytest.raises(NotAllowed), transaction.atomic():
            arrivals.release_correction(one, by=who, on=JOINED)
    assert (now(wrong).state, now(due).state) == ("matched", "settled"), "nothing has happened yet"
    arrivals.release_correction(now(one), by=manager(world), on=JOINED)
    right = now(one).corrected
    assert (now(wrong).state, now(wrong).matched_fen, right.state, right.received_on) == ("reversed", 0, "matched", date(2026, 1, 4))
    assert (now(due).state, Enrolment.objects.get(pk=due.enrolment_id).state) == ("settled", "effective")
    assert balances() == before
    books = Transaction.objects.filter(source_type="members.remittance", source_id=wrong.pk)
    assert sorted(books.values_list("kind", flat=True)) == ["remittance", "remittance_reversed"]
    assert {"propose_correction", "release", "reverse", "enter"} <= set(AuditEntry.objects.values_list("action", flat=True))
    with pytest.raises(RemittanceRefused, match="已经冲销"):
        proposed(world, now(wrong), None)
    again = arrivals.enter(
        world.cast.a, payer_name="x", bank_reference=wrong.bank_reference, received_on=JOINED, amount_fen=100, remark="", by=payer(world),
        on=JOINED,
    )  # fmt: skip
    assert again.state == "unmatched", "the number is free for the line to which it belongs"


def test_without_the_guard_in_the_graph_the_database_still_asks_for_two_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _due, wrong = typed(world)
    one = proposed(world, wrong, told(wrong, bank_reference="T999"))
    alone = replace(REMITTANCE_CORRECTION.arrow("release"), not_by=())
    monkeypatch.setitem(REMITTANCE_CORRECTION._by_action, "release", alone)
    with pytest.raises(IntegrityError, match="remittance_correction_by_two"), transaction.atomic():
        arrivals.release_correction(one, by=payer(world), on=JOINED)


@pytest.mark.parametrize(("fen", "state"), [(20_000, "over"), (12_500, "matched")])
def test_another_amount_settles_what_it_settled_and_the_rest_waits(world: World, fen: int, state: str) -> None:
    due, wrong = typed(world)
    one = proposed(world, wrong, told(wrong, amount_fen=fen, remark="HZ"))
    arrivals.release_correction(one, by=manager(world), on=JOINED)
    assert (now(one).corrected.state, now(one).corrected.left_fen, now(due).paid_fen) == (state, fen - 12_500, 12_500)
    assert balances()["bank"] == -balances().get("unapplied", 0) + 12_500


def test_what_would_leave_cover_in_force_unpaid_is_refused_with_the_way_out(world: World) -> None:
    due, wrong = typed(world)
    for right in (None, told(wrong, amount_fen=100)):
        one = proposed(world, wrong, right)
        with pytest.raises(RemittanceRefused, match="先把参加记录作废"), transaction.atomic():
            arrivals.release_correction(one, by=manager(world), on=JOINED)
        assert (now(wrong).state, now(due).state, Match.objects.filter(undone_at=None).count()) == ("matched", "settled", 1)
        with pytest.raises(RemittanceRefused, match="写明不予更正"):
            arrivals.drop_correction(now(one), by=payer(world), note=" ")
        arrivals.drop_correction(now(one), by=payer(world), note="核对过了")


def test_the_line_that_the_statement_brought_meanwhile_takes_over(world: World) -> None:
    due, wrong = typed(world)
    real = arrived(world, 12_500, due.reference, reference="BANK1")
    other = arrived(world, 100, reference="BANK2")
    one = proposed(world, wrong, told(wrong, bank_reference="BANK2"))
    with pytest.raises(RemittanceRefused, match="金额是 1.00 元"), transaction.atomic():
        arrivals.release_correction(one, by=manager(world), on=JOINED)
    arrivals.drop_correction(now(one), by=manager(world), note="号码不对")
    arrivals.release_correction(proposed(world, wrong, told(wrong, bank_reference="BANK1")), by=manager(world), on=JOINED)
    assert (now(real).state, now(wrong).state, now(other).state, now(due).state) == ("matched", "reversed", "unmatched", "settled")
    assert balances()["bank"] == 12_600


def test_money_that_is_not_there_at_all_and_what_cannot_be_corrected(world: World) -> None:
    phantom = arrived(world, 700)
    with pytest.raises(RemittanceRefused, match="没有要更正的"):
        proposed(world, phantom, told(phantom))
    with pytest.raises(RemittanceRefused, match="今天之后"):
        proposed(world, phantom, told(phantom, received_on=date(2026, 1, 6)))
    with pytest.raises(NotAllowed):
        arrivals.propose_correction(phantom, right=None, note="x", by=manager(world), on=JOINED)
    one = proposed(world, phantom, None)
    arrivals.release_correction(one, by=manager(world), on=JOINED)
    assert (now(phantom).state, balances()) == ("reversed", {})
    due, kept = typed(world)
    with pytest.raises(Conflict):
        contributions.match([contributions.Pair(phantom.pk, due.pk, 1)], by=payer(world), on=JOINED)


def test_money_for_a_cancelled_debt_is_typed_in_and_goes_back(world: World) -> None:
    member = world.member(101)
    cover = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    due = cover.dues.get()
    enrolment.withdraw(cover, by=world.worker(member))
    line = {"payer_name": "王小明", "bank_reference": "LATE1", "received_on": JOINED, "amount_fen": 12_500, "remark": due.reference}
    with pytest.raises(Conflict, match="请在“登记一笔来款”里登记"), transaction.atomic():
        contributions.confirm(due, **line, by=payer(world), on=JOINED)
    with pytest.raises(NotAllowed):
        arrivals.enter(world.cast.a, **line, by=manager(world), on=JOINED)
    one = arrivals.enter(world.cast.a, **line, by=payer(world), on=JOINED)
    with pytest.raises(RemittanceRefused, match="已经用过"), transaction.atomic():
        arrivals.enter(world.cast.a, **line, by=payer(world), on=JOINED)
    back = refunds.propose(
        one, reason="refused", amount_fen=12_500, payee_name="王小明", bank_name="农行", account_number="6228480402564890018",
        by=payer(world), on=JOINED,
    )  # fmt: skip
    refunds.release(back, by=manager(world), on=JOINED)
    refunds.mark_paid(back, bank_reference="B1", paid_on=JOINED, by=payer(world), on=JOINED)
    assert (now(one).state, balances()) == ("refunded", {})
