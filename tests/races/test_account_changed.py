"""An account changed while its claim goes into a batch: what is frozen is the old account of before or the new one of after, never
a mix of both."""

from collections.abc import Iterator
from threading import Thread

import pytest
from django.db import connection, connections, transaction

from claims.models import Claim
from claims.payouts import line_tables, services
from claims.payouts.models import PayoutLine
from claims.services import accounts, adjudication, rules
from members.models import BankCard
from tests.factories.processes import until
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere


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


def _someone_waits() -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


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
        until(_someone_waits, "the batch waits for the claim")
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
