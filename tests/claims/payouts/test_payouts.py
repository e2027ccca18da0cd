"""Each claim is paid exactly once; the maker does not release; the bank's answers are booked once and completely."""

import re
from contextlib import nullcontext
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils.html import escape

from claims.models import Claim
from claims.payouts import files, services
from claims.payouts.models import PayoutBatch, PayoutLine, ReturnRow
from claims.selectors.queue import in_state
from claims.services import adjudication, putting_away
from tests.factories.clients import client_of
from tests.factories.funds import OPENING_FEN
from tests.factories.offices import PASSWORD, give_post
from tests.factories.payouts import release
from tests.factories.world import ASKED, World
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, plus_days
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import KINDS, run_due
from unionaid.workflow.models import AuditEntry, Job
from unionaid.workflow.moves import Conflict
from unionaid.workflow.selectors import history_of, stuck_jobs


@pytest.fixture
def approved(world: World):
    with frozen(ASKED), everywhere(reason="arrange"):
        claim = world.claim(world.cover(world.member(101)), 600_000)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
        yield claim


def _batch(world: World, claim: Claim) -> PayoutBatch:
    return services.assemble(office=world.cast.a, claims=[claim], by=world.cast.actor(world.cast.payer), on=ASKED)


def _answer(line: PayoutLine, outcome: str = "成功", amount: str = "4400.00") -> bytes:
    return f"附言,金额,处理结果,失败原因\r\n{line.reference},{amount},{outcome},\r\nXX,1.00,成功,\r\n".encode("gb18030")


def test_a_claim_cannot_be_in_two_batches(world: World, approved: Claim) -> None:
    _batch(world, approved)
    with pytest.raises(Conflict), transaction.atomic():
        _batch(world, approved)


def test_the_database_refuses_a_second_open_line(world: World, approved: Claim) -> None:
    """The negative control: past the service, the unique index stops the second payment."""
    line = _batch(world, approved).lines.get()
    line.pk, line.sequence, line.reference = None, 2, "again"
    with pytest.raises(IntegrityError, match="claim_paid_once"), transaction.atomic():
        line.save(force_insert=True)


def test_work_done_twice_has_one_effect(world: World, approved: Claim) -> None:
    batch = release(world.cast, _batch(world, approved))
    payer = world.cast.actor(world.cast.payer)
    batch.parts.update(marked=0)  # as if its claim had left the batch meanwhile
    with pytest.raises(services.PayoutRefused, match="合计与明细不一致"):
        services.carry_out_release(batch.pk, by=world.cast.actor(world.cast.manager))
    batch.parts.update(marked=None)
    for _run in range(3):
        services.carry_out_release(batch.pk, by=world.cast.actor(world.cast.manager))
    batch.refresh_from_db()
    first = files.file_bytes(batch)
    assert files.file_bytes(batch) == first
    batch.bank_file.sha256 = "0" * 64
    with pytest.raises(services.PayoutRefused, match="校验值不一致"):
        files.file_bytes(batch)
    line = batch.lines.get()
    kept = services.take_return(batch, data=_answer(line), file_name="r.csv", by=payer)
    assert services.take_return(batch, data=_answer(line), file_name="r.csv", by=payer) == kept
    for _run in range(3):
        services.book_return(kept.pk, by=payer, on=ASKED)
    outcomes = list(ReturnRow.objects.order_by("row_number").values_list("outcome", flat=True))
    assert outcomes == ["booked", "unknown"]
    assert Claim.objects.get(pk=approved.pk).state == "paid"
    acts = [(act.action, act.from_state, act.to_state, act.actor_label) for act in history_of(approved)][-3:]
    assert [act[:3] for act in acts] == [
        ("put_in_batch", "approved", "in_batch"), ("release", "in_batch", "paying"), ("mark_paid", "paying", "paid"),
    ]  # fmt: skip
    assert len({label for _action, _from, _to, label in acts}) == 2, "of each step who took it"
    _what_is_paid_is_put_away(approved)
    by_code: dict[str, int] = {}
    for code, amount in Entry.objects.values_list("account__code", "amount_fen"):
        by_code[code] = by_code.get(code, 0) + amount
    settled = {"unapplied": 0, "in_transit": 0}  # what only passes through
    put_in = {"bank": OPENING_FEN + 12_500 - 440_000, "capital": -OPENING_FEN}
    assert by_code == {**put_in, "contributions": -12_500, "benefits": 440_000, **settled}


def _what_is_paid_is_put_away(paid: Claim) -> None:
    """Nobody sees a difference: it is found in its state before and after."""

    def found() -> list[bool]:
        return [Claim.objects.filter(in_state(state), pk=paid.pk).exists() for state in ("paid", "approved", "in_batch")]

    for on, stage in ((ASKED, "approved"), (plus_days(ASKED, 2), "paid")):
        with frozen(on):
            putting_away.find_long_paid(on)
            run_due("default")
        assert (Claim.objects.get(pk=paid.pk).stage, found()) == (stage, [True, False, False])
    assert putting_away.put_away({}) is None


@pytest.mark.django_db
def test_no_index_knows_the_steps_between_approval_and_money() -> None:
    """An index whose key or condition names them would be written, and all others with it, at every step of a hundred thousand claims."""

    def named(table: str) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef !~ 'USING brin'", [table])
            return [name for name, told in cursor.fetchall() if re.search(r"\b(state|since)\b", told)]

    assert named("claims_claim") == []
    assert named("payouts_payoutline") == []
    assert named("payouts_recovery") == ["recovery_queue"], "the control"


def test_a_set_is_not_moved_by_an_entry_that_leaves_one_out(world: World, approved: Claim) -> None:
    """What `move_set` writes names every row: the database asks, of a set at the end of its statement, else at commit."""
    other = world.claim(world.cover(world.member(103)), 1_000)
    rows = Claim.objects.filter(pk__in=[approved.pk, other.pk])
    told: dict[str, object] = {"entity": "claims.claim", "action": "withdraw", "to_state": "withdrawn", "actor_label": "x"}
    for asked in ("set", ""):
        for named in ([approved.pk], [approved.pk, other.pk]):  # the second is the control
            refused = pytest.raises(IntegrityError, match="without an audit entry") if len(named) == 1 else nullcontext()
            with refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('unionaid.told', %s, true)", [asked])
                AuditEntry.objects.create(**told, entity_ids=named)
                rows.update(state="withdrawn")
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
                transaction.set_rollback(True)


@pytest.mark.parametrize("put_back", [True, False])
def test_a_release_whose_asker_lost_the_right_is_refused_at_once_and_the_batch_stays_where_it_was(
    world: World, approved: Claim, monkeypatch: pytest.MonkeyPatch, put_back: bool
) -> None:
    """The control puts nothing back: the batch hangs, and people have to look at it."""
    cast, kind = world.cast, KINDS["payouts.release"]
    if not put_back:
        monkeypatch.setitem(KINDS, kind.name, replace(kind, refused=None))
    batch = release(cast, _batch(world, approved))
    StaffPost.objects.filter(user=cast.manager).update(until=ASKED)
    assert run_due("payouts") == 1
    batch.refresh_from_db()
    work, claim = Job.objects.get(kind=kind.name), Claim.objects.get(pk=approved.pk)
    assert work.attempts == 1
    assert "权限" in work.error
    if not put_back:
        assert (batch.state, work.job_state, stuck_jobs().count()) == ("releasing", "failed", 1)
        return
    assert (batch.state, batch.released_by, claim.state, work.job_state) == ("checked", None, "in_batch", "refused")
    assert not stuck_jobs().exists()
    told = f"放款没有办成，给放款人的答复是：{escape(work.error)}"
    assert told in client_of(cast.payer).get(reverse("admin:payout_batch", args=[batch.pk])).content.decode()
    give_post(cast.outsider, cast.a, Role.OFFICE_MANAGER)
    services.release(batch, by=cast.actor(cast.outsider))
    run_due("payouts")
    batch.refresh_from_db()
    assert (batch.state, Claim.objects.get(pk=approved.pk).state) == ("released", "paying")
    payer = cast.actor(cast.payer)
    kept = services.take_return(batch, data=_answer(batch.lines.get()), file_name="r.csv", by=payer)
    StaffPost.objects.filter(user=cast.payer).update(until=ASKED)
    run_due("payouts")
    kept.refresh_from_db()
    assert (kept.confirmed_at, kept.booked_at, stuck_jobs().count()) == (None, None, 0)
    assert services.book_beside(kept.pk, 0, by=payer, on=ASKED) is None, "who comes late books nothing"
    services.confirm_return(kept, by=cast.actor(give_post(cast.outsider, cast.a, Role.PAYER).user))
    run_due("payouts")
    assert Claim.objects.get(pk=approved.pk).state == "paid"


def test_an_amount_that_differs_by_a_fen_changes_nothing(world: World, approved: Claim) -> None:
    batch = release(world.cast, _batch(world, approved))
    services.carry_out_release(batch.pk, by=world.cast.actor(world.cast.manager))
    batch.refresh_from_db()
    payer = world.cast.actor(world.cast.payer)
    kept = services.take_return(batch, data=_answer(batch.lines.get(), amount="4400.01"), file_name="r.csv", by=payer)
    services.book_return(kept.pk, by=payer, on=ASKED)
    assert Claim.objects.get(pk=approved.pk).state == "paying"


HEADER = "附言,金额,处理结果\n"


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"a,b\n1,2\n", f"{HEADER}X,1e5,成功\n".encode(), f"{HEADER}X,1,也许\n".encode()])
def test_an_unreadable_answer_books_nothing(world: World, approved: Claim, data: bytes) -> None:
    batch = release(world.cast, _batch(world, approved))
    services.carry_out_release(batch.pk, by=world.cast.actor(world.cast.manager))
    batch.refresh_from_db()
    with pytest.raises(services.PayoutRefused):
        services.take_return(batch, data=data, file_name="r.csv", by=world.cast.actor(world.cast.payer))
    assert not ReturnRow.objects.exists()


def test_the_money_leaves_through_the_desk(world: World, approved: Claim) -> None:
    payer, manager = client_of(world.cast.payer), client_of(world.cast.manager)
    with frozen(ASKED):
        assert payer.get(reverse("admin:payout_assemble")).status_code == 200
        choice = {"office": world.cast.a.pk, "fund": "mutual_aid"}
        for wrong in ({}, {"seen_count": "1", "seen_fen": "440001"}, {"seen_count": "2", "seen_fen": "440000"}, {"seen_count": "一"}):
            refused = payer.post(reverse("admin:payout_assemble"), choice | wrong)
            assert refused.status_code == 400
            assert 'class="refused"' in refused.content.decode()
        answer = payer.post(reverse("admin:payout_assemble"), choice | {"seen_count": "1", "seen_fen": "440000"})
        assert answer.status_code == 302
        with everywhere(reason="look"):
            batch = PayoutBatch.objects.get()
        page, go = reverse("admin:payout_batch", args=[batch.pk]), reverse("admin:payout_release", args=[batch.pk])
        assert "4,400.00" in payer.get(page).content.decode()
        proof = {"password": PASSWORD}
        assert manager.post(go, proof).status_code == 409, "not before it is checked"
        look = {"version": batch.version, "fund": batch.fund, "bank_format": batch.bank_format, "sure": "on"}
        held = reverse("admin:payout_check", args=[batch.pk])
        checker = client_of(world.cast.checker)
        for wrong in ({"line_count": "2", "total": "4400"}, {"line_count": "1", "total": "4400.01"}, {"line_count": "1"}):
            assert checker.post(held, look | wrong).status_code == 400
        right = look | {"line_count": "1", "total": "4,400.00"}
        assert payer.post(held, right).status_code == 403
        assert checker.post(held, right).status_code == 302
        assert payer.post(go, proof).status_code == 403
        assert client_of(world.cast.outsider).post(go, proof).status_code == 404
        assert manager.post(go).status_code == 302, "proven a moment ago"
        assert manager.post(go).status_code == 409
        run_due("payouts")
        file = reverse("admin:payout_file", args=[batch.pk])
        anew = client_of(world.cast.payer)
        assert b"6228480402564890018" not in anew.get(file).content, "everybody's account: not before one has shown who one is"
        assert anew.post(file, {"password": "x"}).status_code == 400
        content = anew.post(file, proof).content
        assert anew.get(file).content == payer.get(file).content == content, "the same bytes"
        assert "6228480402564890018" in content.decode("gb18030")
        with everywhere(reason="look"):
            data = _answer(PayoutLine.objects.get())
        back = reverse("admin:payout_return", args=[batch.pk])
        assert payer.post(back, {"file": SimpleUploadedFile("x.csv", b"junk")}).status_code == 400
        assert payer.post(back).status_code == 400
        wrong = payer.post(back, {"file": SimpleUploadedFile("w.csv", data.replace(b"4400.00", b"4400.01"))})
        assert "与批次里的金额差了钱" in payer.get(wrong.url).content.decode()
        assert payer.post(f"{wrong.url}discard/").status_code == 302
        assert payer.get(wrong.url).status_code == 404
        seen = payer.post(back, {"file": SimpleUploadedFile("r.csv", data)})
        assert payer.post(back, {"file": SimpleUploadedFile("again.csv", data)}).url == seen.url
        shown = payer.get(seen.url).content.decode()
        assert "核对无误，记账" in shown
        assert "核对无误，记账" not in manager.get(seen.url).content.decode()
        give_post(world.cast.outsider, world.cast.province, Role.AUDITOR)  # books elsewhere, and may look here
        looks = client_of(world.cast.outsider)
        assert looks.get(seen.url).status_code == 200
        assert looks.get(reverse("admin:payout_file", args=[batch.pk])).status_code == 403
        assert [looks.post(one).status_code for one in (back, f"{seen.url}confirm/", f"{seen.url}discard/")] == [403] * 3
        run_due("payouts")
        with everywhere(reason="look"):
            assert Claim.objects.get(pk=approved.pk).state == "paying", "nothing is booked before somebody has looked"
        assert [payer.post(f"{seen.url}confirm/").status_code for _twice in range(2)] == [302, 302]
        run_due("payouts")
        assert payer.post(f"{seen.url}discard/").status_code == 400
    with everywhere(reason="look"):
        assert Claim.objects.get(pk=approved.pk).state == "paid"
