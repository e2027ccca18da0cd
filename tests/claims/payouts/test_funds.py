"""Relief and condolence are paid out of funds of their own: by what the plan says of the event, in batches and books of their own."""

import pytest

from claims.payouts import services as payouts
from claims.payouts.funds import FundShort
from claims.payouts.services import PayoutRefused
from programs.rules.faults import ScheduleError
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from tests.factories.desk import Desk
from tests.factories.funds import fill
from tests.factories.payouts import check
from tests.factories.world import ASKED, CATALOGUE, load
from unionaid.ledger.models import Entry
from unionaid.workflow.jobs import run_due

RELIEF = "dalian-relief.2026"


def _relief_and_aid(desk: Desk):
    relief = desk.world.claim(
        desk.cover(load(RELIEF, office=None, contribution={"per_share": "10"}), 321), 900_000, event="diagnosis",
        facts={"event_on": ASKED, "diagnosis": "肺癌", "diagnosis_code": "C34.1", "hospital": "大连市第一医院", "other_aid_fen": 300_000},
    )  # fmt: skip
    aid = desk.world.claim(desk.cover(order=323), 600_000)
    return desk.decide(relief), desk.decide(aid)


def test_a_relief_claim_is_net_of_other_aid_and_of_its_own_fund(desk: Desk) -> None:
    relief, aid = _relief_and_aid(desk)
    assert (relief.fund, relief.approved_fen) == ("relief", 600_000)
    assert (aid.fund, aid.approved_fen) == ("mutual_aid", 440_000)


def test_each_fund_has_its_own_batch_and_its_own_books(desk: Desk) -> None:
    relief, aid = _relief_and_aid(desk)
    cast = desk.world.cast
    payer = cast.actor(cast.payer)
    with pytest.raises(PayoutRefused, match="分开编制"):
        payouts.assemble(office=cast.a, claims=[relief, aid], by=payer, on=ASKED)
    assert payouts.payable(cast.a, fund="relief") == [relief]
    assert payouts.payable(cast.a) == [aid]
    batch = payouts.assemble(office=cast.a, claims=[relief], by=payer, on=ASKED)
    check(cast, batch)
    with pytest.raises(FundShort, match=r"救助金不够付：现在可以动用 0\.00 元.*还差 6,000\.00 元"):
        payouts.release(batch, by=cast.actor(cast.manager))
    fill(cast, on=ASKED, fund="relief", amount_fen=600_000)
    payouts.release(batch, by=cast.actor(cast.manager))
    run_due("payouts")
    assert set(Entry.objects.filter(transaction__kind="payout").values_list("account__fund", flat=True)) == {"relief"}


def test_a_plan_pays_one_event_out_of_one_fund() -> None:
    schedule = read_plan((CATALOGUE / f"{RELIEF}.yaml").read_bytes(), source=RELIEF).data
    items = [dict(item) for item in schedule["items"]]
    items[0]["fund"] = "solace"
    with pytest.raises(ScheduleError, match="一次申领只能从一种资金付款"):
        parse({**schedule, "items": items})
