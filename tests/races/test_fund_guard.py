"""Two batches released at once cannot both count on the same money. Real commits, threads with connections of their own."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from claims.payouts import funds, services
from claims.payouts.models import PayoutBatch
from claims.services import adjudication
from tests.factories.funds import OPENING_FEN
from tests.factories.payouts import check
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.posting import Line, Posting, post
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers


def _arranged() -> tuple[World, list[PayoutBatch]]:
    """Two batches of 4,400 yuan each, and 5,250 in the fund."""
    with frozen(JOINED):
        world = make_world()
    cast = world.cast
    with frozen(ASKED), everywhere(reason="arrange"):
        batches = []
        for order in (101, 103):
            claim = world.claim(world.cover(world.member(order)), 600_000)
            adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
            adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
            batches.append(check(cast, services.assemble(office=cast.a, claims=[claim], by=cast.actor(cast.payer), on=ASKED)))
        spent = OPENING_FEN - 500_000
        lines = (Line(Code.CHARGES, spent), Line(Code.BANK, -spent))
        post("test", [Posting(world.unit, Fund.MUTUAL_AID, lines)], on=ASKED, by=SYSTEM)
    return world, batches


def _released_at_once(world: World, batches: list[PayoutBatch]) -> list[str]:
    barrier, said = Barrier(len(batches)), list[str]()

    def release(batch: PayoutBatch) -> None:
        with frozen(ASKED):
            by = world.cast.actor(world.cast.manager)
            barrier.wait(60)
            try:
                with office_scope(Scope(offices=covers(world.cast.a))):
                    services.release(batch, by=by)
                said.append("released")
            except funds.FundShort:
                said.append("short")
            finally:
                connection.close()

    threads = [Thread(target=release, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


def test_of_two_batches_at_once_the_fund_pays_one(committed: None) -> None:
    assert _released_at_once(*_arranged()) == ["released", "short"]


def test_without_the_lock_both_are_promised_the_same_money(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both have looked before either writes."""
    looked, as_it_is = Barrier(2), funds.cover

    def unlocked(*args: object, **kwargs: object) -> funds.Cover:
        found = as_it_is(*args, **kwargs)
        looked.wait(60)
        return found

    monkeypatch.setattr(funds, "lock_fund", lambda office_id, fund: None)
    monkeypatch.setattr(funds, "cover", unlocked)
    assert _released_at_once(*_arranged()) == ["released", "released"]
