"""Books and bank agree to the fen, by items that are each listed; a difference stays red until another person explains it."""

from datetime import date

import pytest
from django.urls import reverse

from claims.payouts import services as payouts
from claims.payouts.models import PayoutBatch
from members.services import statements
from tests.factories.clients import client_of
from tests.factories.desk import Desk, make_desk
from tests.factories.funds import OPENING_FEN, slip
from tests.factories.payouts import release
from tests.factories.world import ASKED, World
from unionaid.books.invariants import INVARIANTS
from unionaid.books.models import BankBalance, Reconciliation
from unionaid.books.services import movements, reconciling
from unionaid.ledger.closing import close
from unionaid.ledger.invariants import look
from unionaid.lib.calendar import frozen
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import NotAllowed

HEAD = "交易日期,交易流水号,贷方发生额,借方发生额,对方户名,附言,余额"


@pytest.fixture
def desk(world: World):
    with everywhere(reason="arrange"), frozen(ASKED):
        yield make_desk(world)


def _typed(desk: Desk, fen: int, name: str = "p") -> Reconciliation:
    by = desk.world.cast.actor(desk.world.cast.payer)
    return reconciling.enter_balance(desk.world.cast.a, on_day=ASKED, balance_fen=fen, paper=slip(name), by=by, on=ASKED)


def _released(desk: Desk) -> PayoutBatch:
    """4,400 yuan on their way to one person."""
    cast = desk.world.cast
    claim = desk.decide(desk.world.claim(desk.cover(order=331), 600_000))
    batch = payouts.assemble(office=cast.a, claims=[claim], by=cast.actor(cast.payer), on=ASKED)
    release(cast, batch)
    run_due("payouts")
    return batch


def test_what_is_on_its_way_is_listed_and_explains_the_difference(desk: Desk) -> None:
    cast = desk.world.cast
    payer = cast.actor(cast.payer)
    batch = _released(desk)
    lies = OPENING_FEN + 12_500  # what the books hold; the bank has paid 4,400 out and received 50
    data = "\r\n".join([
        HEAD, f"2026-07-01,P1,,4400,代发,{batch.number},{format_yuan(lies - 440_000).replace(',', '')}",
        f"2026-07-01,Q1,50,,来款人,x,{format_yuan(lies - 435_000).replace(',', '')}",
    ]).encode()  # fmt: skip
    statement = statements.upload(cast.a, data=data, file_name="s.csv", by=payer)
    run_due("default")
    statement.refresh_from_db()
    assert statement.day_balances == [["2026-07-01", lies - 435_000]]
    found = _typed(desk, lies - 435_000)
    assert [(item["kind"], item["words"], item["fen"]) for item in found.items] == [
        ("batch", batch.number, 440_000), ("arrived", "Q1", -5000),
    ]  # fmt: skip
    assert (found.state, found.difference_fen) == ("agrees", 0)
    statements.confirm(statement, by=payer)
    for _twice in range(2):
        run_due("default")
        reconciling.take_balances(statement.pk, by=SYSTEM)
    found.refresh_from_db()
    assert [item["kind"] for item in found.items] == ["batch"]
    assert (found.state, found.ledger_fen, BankBalance.objects.count()) == ("agrees", lies + 5000, 2)
    assert look(INVARIANTS) == []


def test_a_difference_stays_red_until_another_person_explains_it_and_is_red_again_when_it_changes(desk: Desk) -> None:
    cast = desk.world.cast
    found = _typed(desk, OPENING_FEN - 300)
    assert (found.state, found.difference_fen) == ("differs", 300)
    assert [one.code for one in look(INVARIANTS)] == ["I8.2"]
    with pytest.raises(NotAllowed):
        reconciling.explain(found, reason="手续费", by=cast.actor(cast.payer))
    with pytest.raises(reconciling.ReconcilingRefused, match="请写明差额"):
        reconciling.explain(found, reason=" ", by=desk.manager)
    reconciling.explain(found, reason="银行扣了手续费，月底补记", by=desk.manager)
    assert look(INVARIANTS) == []
    reconciling.compare_again(cast.a.pk, ASKED, by=SYSTEM)
    found.refresh_from_db()
    assert (found.state, found.reason) == ("explained", "银行扣了手续费，月底补记")
    assert AuditEntry.objects.get(entity="books.reconciliation", action="explain").note == found.reason
    charge = movements.propose(
        cast.a, kind="charge", fund="mutual_aid", amount_fen=100, happened_on=ASKED, basis="手续费", papers=[slip("c")],
        by=cast.actor(cast.payer), on=ASKED,
    )  # fmt: skip
    movements.confirm(charge, by=desk.manager, on=ASKED)
    assert [one.code for one in look(INVARIANTS)] == ["I8.2"], "the books are not what was reconciled any more"
    ask_what_is_due()
    run_due("reports")
    found.refresh_from_db()
    assert (found.state, found.difference_fen, found.reason) == ("differs", 200, "")


def test_what_is_posted_later_than_it_happened_is_an_item_of_its_day(desk: Desk) -> None:
    office, june = desk.world.cast.a, date(2026, 6, 30)
    close(office.pk, last=june)
    made = movements.propose(
        office, kind="interest", fund="mutual_aid", amount_fen=777, happened_on=june, basis="利息", papers=[slip("i")],
        by=desk.world.cast.actor(desk.world.cast.payer), on=ASKED,
    )  # fmt: skip
    movements.confirm(made, by=desk.manager, on=ASKED)
    by = desk.world.cast.actor(desk.world.cast.payer)
    found = reconciling.enter_balance(office, on_day=june, balance_fen=OPENING_FEN + 777, paper=slip("j"), by=by, on=ASKED)
    assert [(item["kind"], item["fen"]) for item in found.items] == [("later", -777)]
    assert (found.state, found.ledger_fen) == ("agrees", OPENING_FEN)


def test_what_was_released_and_not_yet_paid_out_by_the_bank_is_said_by_another_person_and_not_against_a_statement(desk: Desk) -> None:
    cast = desk.world.cast
    payer = cast.actor(cast.payer)
    batch = _released(desk)
    lies = OPENING_FEN + 12_500
    found = _typed(desk, lies)
    assert (found.state, found.difference_fen) == ("differs", -440_000), "the bank got the file too late for that day"
    with pytest.raises(NotAllowed):
        reconciling.say_debited(found, batch, debited=False, by=payer)
    page = reverse("admin:reconciliation", args=[found.pk])
    manager = client_of(cast.manager)
    assert "银行到这天还没有扣这一批" in manager.get(page).content.decode()
    assert manager.post(page, {"act": "undebited"}).status_code == 400
    assert manager.post(page, {"act": "undebited", "batch": batch.pk}).status_code == 302
    found.refresh_from_db()
    assert [(item["kind"], item["fen"]) for item in found.items] == [("undebited", 0)]
    assert (found.state, found.difference_fen) == ("agrees", 0)
    assert look(INVARIANTS) == []
    assert "银行这一天还没有扣款" in manager.get(page).content.decode()
    data = "\r\n".join([HEAD, f"2026-07-01,P1,,4400,代发,{batch.number},{format_yuan(lies - 440_000).replace(',', '')}"]).encode()
    statements.upload(cast.a, data=data, file_name="s.csv", by=payer)
    run_due("default")
    found.refresh_from_db()
    reconciling.compare_again(cast.a.pk, ASKED, by=SYSTEM)
    assert [item["kind"] for item in Reconciliation.objects.get(pk=found.pk).items] == ["batch"], "the bank's own word counts"
    assert manager.post(page, {"act": "undebited", "batch": batch.pk}).status_code == 400
