"""No one person lets money out: maker, checker and releaser are three people with no part in the claims, in code and in the database."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connections, transaction

from claims.models import Claim
from claims.payouts import checking, services
from claims.payouts.invariants import INVARIANTS
from claims.payouts.models import PayoutBatch
from claims.payouts.services import PayoutRefused
from claims.payouts.transitions import BATCH
from claims.services import adjudication
from tests.factories.offices import Cast, give_post
from tests.factories.payouts import check
from tests.factories.world import ASKED, World
from unionaid.accounts.models import User
from unionaid.ledger.invariants import look
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed


@pytest.fixture
def batch(world: World):
    """Two approved claims in a batch that nobody has checked."""
    cast = world.cast
    with frozen(ASKED), everywhere(reason="arrange"):
        for order in (101, 103):
            claim = world.claim(world.cover(world.member(order)), 600_000)
            adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
            adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
        yield services.assemble(office=cast.a, claims=services.payable(cast.a), by=cast.actor(cast.payer), on=ASKED)


def _everything(cast: Cast, user: User) -> None:
    for role in (Role.REVIEWER, Role.APPROVER, Role.PAYER, Role.OFFICE_MANAGER):
        if not user.posts.filter(role=role).exists():
            give_post(user, cast.a, role)


def _check(batch: PayoutBatch, cast: Cast, user: User) -> None:
    checking.check(batch, seen=checking.figures_of(batch), version=batch.version, by=cast.actor(user))


def test_with_every_right_of_the_house_nobody_takes_two_steps_of_a_payment(
    world: World, batch: PayoutBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast, worker = world.cast, Claim.objects.earliest("id").claimant.user
    everyone = (cast.payer, cast.checker, cast.reviewer, cast.approver, worker)
    for user in everyone:
        _everything(cast, user)
    for user in (cast.payer, cast.reviewer, cast.approver, worker):
        with pytest.raises(MoveRefused), transaction.atomic():
            _check(batch, cast, user)
        with pytest.raises(MoveRefused), transaction.atomic():
            checking.send_back(batch, note="看看", by=cast.actor(user))
    with pytest.raises(Conflict), transaction.atomic():
        services.release(batch, by=cast.actor(cast.manager))
    check(cast, batch)
    for user in everyone:
        with pytest.raises(MoveRefused), transaction.atomic():
            services.release(batch, by=cast.actor(user))
    logged_in = replace(cast.actor(cast.manager), proven=False)
    with pytest.raises(NotAllowed, match="证明一次是您本人"), transaction.atomic():
        services.release(batch, by=logged_in)
    with transaction.atomic():  # the control: without the arrow's word for it, being logged in is enough
        monkeypatch.setitem(BATCH._by_action, "release", replace(BATCH.arrow("release"), proof=False))
        services.release(batch, by=logged_in)
        transaction.set_rollback(True)
    monkeypatch.undo()
    batch.refresh_from_db()
    services.release(batch, by=cast.actor(cast.manager))
    fresh = PayoutBatch.objects.get(pk=batch.pk)
    assert [fresh.assembled_by, fresh.checked_by, fresh.released_by] == [cast.payer, cast.checker, cast.manager]


STEPS = "UPDATE payouts_payoutbatch SET version = version + 1, {} WHERE id = {}"


REFUSED = {
    "checked_by_id = assembled_by_id": "batch_assembler_is_not_checker",
    "released_by_id = assembled_by_id": "batch_assembler_is_not_releaser",
    "checked_by_id = {manager}, released_by_id = {manager}": "batch_checker_is_not_releaser",
    "state = 'checked'": "batch_checked_before_release",
    "state = 'releasing', checked_by_id = {checker}": "batch_released_by_somebody",
    "checked_by_id = {reviewer}": "batch_people_apart",
    "released_by_id = {approver}": "batch_people_apart",
    "assembled_by_id = {worker}": "batch_people_apart",
}
FROZEN = ("amount_fen", "payee_name", "account_number", "account_last_four", "claim_id", "set_off_fen")
STAYS = ("payer_account = '1'", "bank_format = 'xlsx'", "fund = 'relief'")
WRONG = ({"line_count": 3}, {"total_fen": 1}, {"fund": "relief"}, {"bank_format": "xlsx"}, {"payer_account": "1"})


def test_past_the_code_the_database_refuses_it_and_wrong_figures_are_not_confirmed(world: World, batch: PayoutBatch) -> None:
    cast = world.cast
    who = {name: getattr(cast, name).pk for name in ("manager", "checker", "reviewer", "approver")}
    who["worker"] = Claim.objects.earliest("id").claimant.user_id
    acts = [(STEPS.format(said.format(**who), batch.pk), guard) for said, guard in REFUSED.items()]
    acts += [(f"UPDATE payouts_payoutbatch SET {said} WHERE id = {batch.pk}", "batch_stays") for said in STAYS]
    acts += [(f"UPDATE payouts_payoutline SET {column} = {column} WHERE batch_id = {batch.pk}", "line_stays") for column in FROZEN]
    for sql, guard in acts:
        with pytest.raises(IntegrityError, match=guard), transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute(sql)
    by, right = cast.actor(cast.checker), checking.figures_of(batch)
    for wrong in WRONG:
        with pytest.raises((PayoutRefused, Conflict)), transaction.atomic():
            checking.check(batch, seen=replace(right, **wrong), version=batch.version, by=by)  # type: ignore[arg-type]
    with pytest.raises(Conflict), transaction.atomic():
        checking.check(batch, seen=right, version=batch.version - 1, by=by)
    assert PayoutBatch.objects.get(pk=batch.pk).state == "assembled"
    for fen in (batch.total_fen + 1, batch.total_fen):  # the control of its sums: they may change until they were checked
        PayoutBatch.objects.filter(pk=batch.pk).update(total_fen=fen)
    checking.check(batch, seen=right, version=batch.version, by=by)
    with pytest.raises(IntegrityError, match="batch_stays"), transaction.atomic():
        PayoutBatch.objects.filter(pk=batch.pk).update(total_fen=batch.total_fen + 1)


def _taken_back(cast: Cast, batch: PayoutBatch) -> None:
    """Cancelled as it stands; then as if nothing had been."""
    with transaction.atomic():
        services.cancel(PayoutBatch.objects.get(pk=batch.pk), by=cast.actor(cast.manager))
        assert set(Claim.objects.values_list("state", flat=True)) == {"approved"}
        assert set(batch.lines.values_list("state", flat=True)) == {"void"}
        transaction.set_rollback(True)


def test_sent_back_with_a_reason_it_is_handed_in_again_without_the_doubtful_line(world: World, batch: PayoutBatch) -> None:
    cast = world.cast
    _taken_back(cast, batch)
    with pytest.raises(PayoutRefused), transaction.atomic():
        checking.send_back(batch, note=" ", by=cast.actor(cast.checker))
    check(cast, batch)
    _taken_back(cast, batch)
    checking.send_back(batch, note="第 2 笔户名看不清", by=cast.actor(cast.manager))
    assert PayoutBatch.objects.get(pk=batch.pk).checked_by is None
    _taken_back(cast, batch)
    maker = cast.actor(cast.payer)
    with pytest.raises(NotAllowed), transaction.atomic():
        checking.hand_in_again(batch, leave_out=[2], note="", by=cast.actor(cast.checker))
    for lines in ([9], [1, 2]):
        with pytest.raises(PayoutRefused), transaction.atomic():
            checking.hand_in_again(batch, leave_out=lines, note="", by=maker)
    checking.hand_in_again(batch, leave_out=[2], note="户名待核", by=maker)
    fresh = PayoutBatch.objects.get(pk=batch.pk)
    assert (fresh.state, fresh.line_count, fresh.total_fen, fresh.sent_back_why) == ("assembled", 1, 440_000, "")
    assert [claim.state for claim in Claim.objects.order_by("id")] == ["in_batch", "approved"]
    check(cast, fresh)
    services.release(fresh, by=cast.actor(cast.manager))
    with pytest.raises(Conflict), transaction.atomic():
        services.cancel(fresh, by=cast.actor(cast.manager))
    services.carry_out_release(fresh.pk, by=cast.actor(cast.manager))
    assert PayoutBatch.objects.get(pk=batch.pk).bank_file.line_count == 1
    assert look(INVARIANTS) == []
    done = AuditEntry.objects.filter(entity="payouts.payoutbatch", entity_id=batch.pk).order_by("id").values_list("action", flat=True)
    assert list(done) == [
        "finish_assembly", "check", "send_back", "drop_lines", "hand_in_again", "check", "release", "finish_release",
    ]  # fmt: skip
