"""A closed period stays closed, by the owner's hand too; what comes late is posted on the first open day; sums start from closings."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse as address

from tests.factories.clients import client_of
from tests.factories.funds import OPENING_FEN, fill, slip
from tests.factories.offices import PASSWORD, make_user
from tests.factories.world import ASKED, JOINED, World
from unionaid.books.models import PeriodClosing
from unionaid.books.services import closing, movements
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.closing import LOCK
from unionaid.ledger.models import ClosedPeriod, ClosingBalance, Entry, Transaction
from unionaid.ledger.posting import Line, Posting, post, reverse
from unionaid.ledger.selectors import Turnover, turnover
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.moves import NotAllowed

JUNE = date(2026, 6, 30)


@pytest.fixture
def open_world(world: World):
    with everywhere(reason="arrange"), frozen(ASKED):
        yield world


def _close(world: World, last: date = JUNE) -> ClosedPeriod:
    asked = closing.propose(world.cast.a, last_day=last, by=world.cast.actor(world.cast.payer), on=ASKED)
    found = closing.confirm(asked, by=world.cast.actor(world.cast.manager), on=ASKED).period
    assert found is not None
    return found


def _post(world: World, on: date, fen: int = 700, kind: str = "test") -> Transaction:
    lines = (Line(Code.BANK, fen), Line(Code.INTEREST, -fen))
    return post(kind, [Posting(world.unit, Fund.MUTUAL_AID, lines)], on=on, by=SYSTEM)[0]


def test_nothing_is_posted_in_a_closed_month_and_what_comes_late_says_when_it_happened(open_world: World) -> None:
    world = open_world
    before = _post(world, date(2026, 6, 3))
    _close(world)
    late = _post(world, date(2026, 6, 20), kind="late")
    assert (late.posted_on, late.happened_on) == (date(2026, 7, 1), date(2026, 6, 20))
    undone = reverse("undo", [before], on=date(2026, 6, 29), by=SYSTEM, note="")[0]
    assert (undone.posted_on, undone.happened_on) == (date(2026, 7, 1), date(2026, 6, 29))
    assert set(Entry.objects.filter(transaction__in=[late, undone]).values_list("posted_on", flat=True)) == {date(2026, 7, 1)}
    today = _post(world, ASKED, kind="today")
    assert (today.posted_on, today.happened_on) == (ASKED, None)
    told = {"office": world.cast.a, "kind": "x", "source_type": "t", "source_id": 1}
    with pytest.raises(IntegrityError, match="closed through 2026-06-30"), transaction.atomic():
        Transaction.objects.create(**told, posted_on=JUNE)
    account = Entry.objects.filter(transaction=before).first().account
    with pytest.raises(IntegrityError, match="closed through 2026-06-30"), transaction.atomic():
        Entry.objects.create(office=world.cast.a, transaction=before, account=account, amount_fen=1, posted_on=before.posted_on)
    with pytest.raises(IntegrityError, match="transaction's day"), transaction.atomic():
        Entry.objects.create(office=world.cast.a, transaction=late, account=account, amount_fen=1, posted_on=date(2026, 7, 2))
    filled = Entry(office=world.cast.a, transaction=late, account=account, amount_fen=1)
    with transaction.atomic():
        filled.save()
        filled.refresh_from_db()
        assert filled.posted_on == late.posted_on, "an entry that names no day has its transaction's"
        transaction.set_rollback(True)


def test_sums_are_the_same_with_and_without_closings(open_world: World) -> None:
    world = open_world
    for month in (2, 3, 5, 6):
        _post(world, date(2026, month, 10), 100 * month, kind=f"m{month}")
    spans = [
        (date(2026, 1, 1), ASKED), (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 3, 11), date(2026, 6, 9)), (date.max, date.max),
        (date(2026, 2, 10), date(2026, 2, 10)), (date(2026, 4, 1), date(2026, 6, 30)),
    ]  # fmt: skip

    def sums() -> list[list[Turnover]]:
        return [turnover([world.cast.a.pk], first=first, last=last) for first, last in spans]

    as_entries = sums()
    assert as_entries[0][0].closing_fen == OPENING_FEN + 1600
    _close(world, date(2026, 2, 28))
    _close(world, date(2026, 5, 31))
    assert sums() == as_entries
    assert [(p.first_day, p.last_day) for p in ClosedPeriod.objects.order_by("last_day")] == [
        (JOINED.replace(day=1), date(2026, 2, 28)), (date(2026, 3, 1), date(2026, 5, 31)),
    ]  # fmt: skip
    assert ClosingBalance.objects.filter(account__code="bank").order_by("-period__last_day")[0].balance_fen == OPENING_FEN + 1000


@pytest.mark.parametrize(
    ("day", "words"), [(date(2026, 6, 29), "最后一天"), (date(2026, 7, 31), "最后一天"), (date(2025, 12, 31), "已经结账")]
)
def test_only_months_that_are_over_are_closed_in_order(open_world: World, day: date, words: str) -> None:
    with pytest.raises(closing.ClosingRefused, match=words):
        closing.propose(open_world.cast.a, last_day=day, by=open_world.cast.actor(open_world.cast.payer), on=ASKED)


def test_two_people_close_and_nobody_while_somebody_posts(open_world: World) -> None:
    world = open_world
    manager = world.cast.actor(world.cast.manager)
    asked = closing.propose(world.cast.a, last_day=JUNE, by=manager, on=ASKED)
    with pytest.raises(closing.ClosingRefused, match="已有人申请结账"):
        closing.propose(world.cast.a, last_day=JUNE, by=world.cast.actor(world.cast.payer), on=ASKED)
    for who in (world.cast.manager, world.cast.payer, make_user("nobody", "无岗")):
        with pytest.raises(NotAllowed), transaction.atomic():
            closing.confirm(asked, by=world.cast.actor(who), on=ASKED)
    headquarters = world.cast.actor(world.cast.hq_user)
    elsewhere = connection.copy()
    with elsewhere.cursor() as cursor:  # somebody else posts this moment
        cursor.execute("SELECT pg_advisory_lock_shared(%s, %s)", [LOCK, world.cast.a.pk])
        with pytest.raises(closing.ClosingRefused, match="过一会儿再结账"), transaction.atomic():
            closing.confirm(asked, by=headquarters, on=ASKED)
    elsewhere.close()
    assert not ClosedPeriod.objects.exists()
    asked.refresh_from_db()
    assert closing.confirm(asked, by=headquarters, on=ASKED).state == "closed"
    fill(world.cast, on=JOINED, fund="relief", amount_fen=5)
    assert Transaction.objects.get(happened_on=JOINED).posted_on == date(2026, 7, 1)
    assert PeriodClosing.objects.get().period.last_day == JUNE


def test_the_pages_ask_again_who_one_is_before_money_is_booked_or_a_month_is_closed(open_world: World) -> None:
    cast = open_world.cast
    payer, paper = cast.actor(cast.payer), {"fund": "mutual_aid", "happened_on": ASKED, "basis": "文件", "on": ASKED}
    asked = closing.propose(cast.a, last_day=JUNE, by=payer, on=ASKED)
    made, other = (
        movements.propose(cast.a, kind="allocation", amount_fen=fen, papers=[slip(f"{fen}")], by=payer, **paper) for fen in (5, 6)
    )
    for name, thing, decision in (("fund_movement", made, "post"), ("period_closing", asked, "close")):
        manager, page = client_of(cast.manager), address(f"admin:{name}", args=[thing.pk])
        assert 'name="password"' in manager.get(page).content.decode()
        said = ({}, {"password": "x"}, {"password": PASSWORD})
        assert [manager.post(page, {"decision": decision} | one).status_code for one in said] == [400, 400, 302]
    page = address("admin:fund_movement", args=[other.pk])
    assert 'name="password"' not in client_of(cast.payer).get(page).content.decode(), "the proposer has nothing to prove"
    assert client_of(cast.payer).post(page, {"decision": "post"}).status_code == 403
    assert client_of(cast.manager).post(page, {"decision": "drop"}).status_code == 400, "a reason is wanted, no proof"
    assert client_of(cast.manager).post(page, {"decision": "drop", "note": "重复"}).status_code == 302
