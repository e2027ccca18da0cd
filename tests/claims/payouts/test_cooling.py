"""An account that was changed after the decision is paid to only after a while: the person is told at once, and can stop it."""

import pytest
from django.db import transaction
from django.urls import reverse

from claims.models import COOLING_DAYS, Claim
from claims.payouts import services
from claims.payouts.checking import PayoutRefused
from claims.selectors.progress import standing_of
from claims.services import accounts, adjudication, rules
from claims.services.accounts import AccountRefused
from members.models import BankCard
from tests.factories.clients import client_of
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen, plus_days
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import Notice
from unionaid.workflow.moves import Conflict, NotAllowed

READY = plus_days(ASKED, COOLING_DAYS)


@pytest.fixture
def approved(world: World) -> Claim:
    cast = world.cast
    with frozen(ASKED), everywhere(reason="arrange"):
        claim = world.claim(world.cover(world.member(101)), 600_000)
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        return adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)


def test_a_changed_account_waits_is_told_of_and_can_be_stopped(world: World, approved: Claim) -> None:
    cast, worker = world.cast, world.worker(approved.claimant)
    payer, old = cast.actor(cast.payer), approved.card
    page, review = reverse("claims:status", args=[approved.public_id]), reverse("admin:claim_review", args=[approved.pk])
    with everywhere(reason="pay"), frozen(ASKED):
        other = world.card(approved.claimant, "6217000010001234561")
        with pytest.raises(AccountRefused, match="没有改过"), transaction.atomic():
            accounts.dispute(approved, by=worker)
        accounts.correct(approved, card=other, by=worker, on=ASKED)
        assert approved.payable_on == READY
        notice = Notice.objects.get(member_key=approved.claimant_id, title__contains="收款账户改了")
        assert "4561" in notice.text
        assert "2026年7月4日" in notice.text
        assert services.payable(cast.a) == []
        with pytest.raises(PayoutRefused, match="2026年7月4日"), transaction.atomic():
            services.assemble(office=cast.a, claims=[approved], by=payer, on=ASKED)
    with frozen(ASKED):
        shown = client_of(approved.claimant.user).get(page).content.decode()
        assert "2026年7月4日起可以发放" in shown
        assert "不是我改的" in shown
        assert approved.number in client_of(cast.payer).get(reverse("admin:payout_assemble")).content.decode()
        assert "2026年7月4日起可以发放" in client_of(cast.reviewer).get(review).content.decode()
        stopped = client_of(approved.claimant.user).post(reverse("payouts:dispute_account", args=[approved.public_id]), follow=True)
        assert "付款已停下" in stopped.content.decode()
    with everywhere(reason="look"), frozen(READY):
        fresh = Claim.objects.get(pk=approved.pk)
        assert (fresh.state, fresh.payable_on) == ("returned_payment", None)
        assert services.payable(cast.a) == []
        accounts.correct(fresh, card=old, by=worker, on=READY)
        with pytest.raises(NotAllowed), transaction.atomic():
            accounts.dispute(fresh, by=world.agent_actor)
    with frozen(READY):
        told = client_of(cast.reviewer).post(reverse("admin:claim_dispute_account", args=[approved.pk]))
        assert told.status_code == 302
        assert client_of(cast.reviewer).post(reverse("admin:claim_dispute_account", args=[approved.pk])).status_code == 400


def test_after_the_days_the_office_set_it_is_paid_and_what_is_in_a_batch_stands(world: World, approved: Claim) -> None:
    cast, worker = world.cast, world.worker(approved.claimant)
    with everywhere(reason="pay"), frozen(ASKED):
        rules.set_rule(cast.a, bulk_limit_fen=0, soon_days=30, cooling_days=1, step_days={}, seen=0, by=cast.actor(cast.manager))
        other = world.card(approved.claimant, "6217000010001234561")
        accounts.correct(approved, card=other, by=worker, on=ASKED)
        assert standing_of(approved, on=plus_days(ASKED, 1)).now != standing_of(approved, on=ASKED).now
    with everywhere(reason="pay"), frozen(plus_days(ASKED, 1)):
        batch = services.assemble(office=cast.a, claims=services.payable(cast.a), by=cast.actor(cast.payer), on=plus_days(ASKED, 1))
        with pytest.raises(Conflict), transaction.atomic():
            accounts.correct(approved, card=BankCard.objects.exclude(pk=other.pk).get(), by=worker, on=plus_days(ASKED, 1))
        assert batch.lines.get().account_last_four == "4561"
