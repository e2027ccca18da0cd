"""A batch that its fund cannot cover is refused before release, with the figures; what is promised counts."""

from datetime import date

import pytest

from claims.payouts import services
from claims.payouts.funds import FundShort, cover_of
from claims.payouts.models import PayoutBatch
from tests.factories.desk import Desk
from tests.factories.funds import OPENING_FEN
from tests.factories.payouts import check, release
from tests.factories.world import ASKED
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.posting import Line, Posting, post
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import run_due


def leave(desk: Desk, fen: int) -> None:
    """So much is left in the fund: the rest was spent otherwise."""
    spent = OPENING_FEN - fen
    lines = (Line(Code.CHARGES, spent), Line(Code.BANK, -spent))
    post("test", [Posting(desk.world.unit, Fund.MUTUAL_AID, lines)], on=ASKED, by=SYSTEM)


def batch_of(desk: Desk, order: int) -> PayoutBatch:
    """One claim of 4,400 yuan in a batch of its own; its cover brought in 125 yuan."""
    claim = desk.decide(desk.world.claim(desk.cover(order=order), 600_000))
    return services.assemble(office=desk.world.cast.a, claims=[claim], by=desk.world.cast.actor(desk.world.cast.payer), on=ASKED)


def test_what_is_promised_and_what_is_in_transit_cannot_be_spent_again(desk: Desk) -> None:
    first, second = batch_of(desk, 331), check(desk.world.cast, batch_of(desk, 333))
    leave(desk, 850_000)  # with two contributions: 8,750 yuan, and 8,800 are needed
    assert cover_of(first).waiting_fen == 440_000
    assert cover_of(first).short_fen == 0, "another batch that waits is promised nothing"
    release(desk.world.cast, first)
    for _before_and_after_the_job in range(2):
        with pytest.raises(FundShort, match=r"可以动用 4,350\.00 元.*这次要付 4,400\.00 元，还差 50\.00 元"):
            services.release(second, by=desk.manager)
        run_due("payouts")
    assert cover_of(second).holding.in_transit_fen == 440_000
    second.refresh_from_db()
    assert second.state == "checked"


def test_money_that_is_not_the_funds_own_pays_nothing(desk: Desk) -> None:
    batch = check(desk.world.cast, batch_of(desk, 331))
    leave(desk, 420_000)
    lines = (Line(Code.BANK, 1_000_000), Line(Code.UNAPPLIED, -1_000_000))
    post("arrived", [Posting(desk.world.unit, Fund.MUTUAL_AID, lines)], on=date(2026, 6, 30), by=SYSTEM)
    with pytest.raises(FundShort, match=r"待核销来款 10,000\.00 元.*还差 75\.00 元"):
        services.release(batch, by=desk.manager)
    lines = (Line(Code.BANK, 7_500), Line(Code.INTEREST, -7_500))
    post("interest", [Posting(desk.world.unit, Fund.MUTUAL_AID, lines)], on=ASKED, by=SYSTEM)
    assert services.release(batch, by=desk.manager).state == "releasing"
