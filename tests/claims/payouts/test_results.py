"""Batches by choice, and the bank's answers to them: shuffled, cut, repeated, contradicted, a fen off. Nothing is guessed, and every
claim is paid once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from claims.models import BenefitStatement, Claim
from claims.payouts import choosing, files, line_tables, refusals, return_tables, services
from claims.payouts.admin.making import ChoosingForm
from claims.payouts.choosing import Choice
from claims.payouts.models import BankReturn, PayoutBatch, PayoutLine, ReturnPart, ReturnRow
from claims.services import accounts, adjudication, halts
from members.models import BankCard
from tests.factories.offices import Cast, give_post
from tests.factories.payouts import release
from tests.factories.world import ASKED, World
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen
from unionaid.offices.models import BankFormat, Office, StaffPost
from unionaid.offices.roles import Actor, Role
from unionaid.offices.scope import everywhere
from unionaid.reports.money import audit
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import Job, Notice
from unionaid.workflow.moves import NotAllowed
from unionaid.workflow.selectors import history_of, stuck_jobs

CLAIMS = 6


@pytest.fixture
def claims(world: World):
    """Approved claims of different amounts, in the order they were approved."""
    with frozen(ASKED), everywhere(reason="arrange"):
        cover = world.cover(world.member(101))
        made = [world.claim(cover, 200_000 + 10_000 * n) for n in range(CLAIMS)]
        for claim in made:
            adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
            adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
        yield made


def _released(world: World, claims: list[Claim]) -> PayoutBatch:
    batch = services.assemble(office=world.cast.a, claims=claims, by=world.cast.actor(world.cast.payer), on=ASKED)
    release(world.cast, batch)
    services.carry_out_release(batch.pk, by=world.cast.actor(world.cast.manager))
    batch.refresh_from_db()
    return batch


def _file(*told: tuple[PayoutLine | str, str, int]) -> bytes:
    """(line or remark, what the bank says, fen more than the line) as a csv of the bank."""
    rows = []
    for line, outcome, more in told:
        remark, fen = (line, 100) if isinstance(line, str) else (line.reference, line.amount_fen)
        rows.append(f"{remark},{(fen + more) / 100:.2f},{outcome},{'户名不符' if outcome == '退票' else ''}\r\n")
    return ("附言,金额,处理结果,失败原因\r\n" + "".join(rows)).encode("gb18030")


def _outcomes(kept: BankReturn) -> list[str]:
    return list(ReturnRow.objects.filter(bank_return=kept).order_by("row_number").values_list("outcome", flat=True))


def test_every_odd_answer_is_listed_and_every_good_one_is_booked_once(
    world: World, claims: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-RETURN, one batch and its files from beginning to end."""
    payer = world.cast.actor(world.cast.payer)
    batch = _released(world, claims)
    one, two, three, four, five, six = batch.lines.order_by("sequence")

    def read(*told: tuple[PayoutLine | str, str, int]) -> BankReturn:
        return services.read_return(batch, data=_file(*told), file_name="r.csv", by=payer)

    approved = Claim.objects.filter(pk=six.claim_id)
    approved.update(approved_fen=F("approved_fen") + 1)
    assert _outcomes(read((six, "成功", 0))) == ["mismatch"], "what was sent is not what was approved"
    approved.update(approved_fen=F("approved_fen") - 1)
    first = read(
        (four, "处理中", 0), ("XX", "成功", 0), (two, "退票", 0), (one, "成功", 0), (three, "成功", 1), (one, "成功", 0),
        (five, "成功", 0), (five, "退票", 0),
    )  # fmt: skip
    shown = ["pending", "unknown", "ready", "ready", "mismatch", "duplicate", "contradicted", "contradicted"]
    assert _outcomes(first) == shown
    assert not Entry.objects.filter(transaction__kind__startswith="payout_").exists(), "nothing is booked by looking"
    with pytest.raises(NotAllowed):
        services.confirm_return(first, by=world.cast.actor(world.cast.reviewer))
    services.confirm_return(first, by=payer)
    for _run in range(3):
        services.book_return(first.pk, by=payer, on=ASKED)
    assert _outcomes(first) == [word.replace("ready", "booked") for word in shown]
    states = dict(batch.lines.values_list("sequence", "state"))
    assert [states[n] for n in range(1, 7)] == ["succeeded", "failed", *["open"] * 4]
    assert Notice.objects.filter(member_key=claims[1].claimant_id, title__contains="更正收款账户").count() == 1

    whole = _file((three, "成功", 0), (six, "成功", 0))
    with pytest.raises(services.PayoutRefused):
        services.read_return(batch, data=whole[:-12], file_name="cut.csv", by=payer)
    later = read((one, "成功", 0), (two, "成功", 0), (three, "成功", 0), (four, "成功", 0), (five, "成功", 0), (six, "成功", 0))
    meanwhile = services.take_return(batch, data=whole, file_name="r2.csv", by=payer)
    services.book_return(meanwhile.pk, by=payer, on=ASKED)
    assert _outcomes(later) == ["already", "changed", "ready", "ready", "ready", "ready"]
    services.confirm_return(later, by=payer)
    services.book_return(later.pk, by=payer, on=ASKED)
    assert _outcomes(later) == ["already", "changed", "already", "booked", "booked", "already"], "another file was quicker"
    batch.refresh_from_db()
    assert batch.state == "booked"
    assert sum(ReturnPart.objects.values_list("succeeded_fen", flat=True)) == batch.total_fen - two.amount_fen
    assert audit() == []

    # What the bank had confirmed comes back days later, told in two files: it is booked once, by entries of its own.
    bounced = read((six, "退票", 0), (one, "退票", 0), (two, "退票", 0), (three, "退票", 1))
    assert _outcomes(bounced) == ["came_back", "came_back", "already", "mismatch"]
    waits = read((six, "退票", 0))
    monkeypatch.setattr(return_tables, "PART", 1)
    services.confirm_return(bounced, by=payer)
    services.book_part(bounced.pk, 0, by=payer, on=ASKED)
    refusals.take_back_confirmation(bounced.pk, "no right any more")
    with pytest.raises(services.PayoutRefused, match="记了一部分账"):
        services.discard_return(bounced, by=payer)
    quicker = services.take_return(batch, data=_file((one, "退票", 0), (four, "成功", 0)), file_name="r3.csv", by=payer)
    for _run in range(2):
        services.book_return(quicker.pk, by=payer, on=ASKED)
        services.confirm_return(bounced, by=payer)
        services.book_return(bounced.pk, by=payer, on=ASKED)
    assert _outcomes(bounced) == ["booked", "already", "already", "mismatch"]
    services.confirm_return(waits, by=payer)
    services.book_return(waits.pk, by=payer, on=ASKED)
    assert _outcomes(waits) == ["already"]
    entries = Entry.objects.filter(transaction__kind="payout_bounced", account__code="bank")
    assert sorted(entries.values_list("amount_fen", flat=True)) == sorted([one.amount_fen, six.amount_fen])
    came_back = Claim.objects.filter(state="returned_payment")
    assert set(came_back.values_list("pk", flat=True)) == {one.claim_id, two.claim_id, six.claim_id}
    assert Notice.objects.filter(member_key=claims[5].claimant_id, title__contains="更正收款账户").count() == 3, "one claimant has them all"
    assert audit() == []

    # What came back is paid again on the same claim, as it was decided.
    decided = BenefitStatement.objects.count()
    claim, worker = Claim.objects.get(pk=two.claim_id), world.worker(claims[1].member)
    other = world.card(claim.claimant, "6217000010001234567")
    accounts.correct(claim, card=other, by=worker, on=ASKED)
    before = two
    for _taken_back in range(2):  # the trail goes on through a batch that was cancelled
        again = services.assemble(office=world.cast.a, claims=[claim], by=payer, on=ASKED + timedelta(days=30))
        line = again.lines.get()
        assert (line.reissue_of, line.amount_fen, line.account_last_four) == (before, two.amount_fen, "4567")
        services.cancel(again, by=payer)
        claim.refresh_from_db()
        before = line
    assert BenefitStatement.objects.count() == decided


def test_a_part_takes_as_many_statements_for_two_lines_as_for_one(
    world: World, claims: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches of two parts each, of one line and of two: made, let go, and answered (the first part comes back, the other is paid)."""
    cast, asked = world.cast, list[dict[str, int]]()
    payer, manager = cast.actor(cast.payer), cast.actor(cast.manager)

    def counted(step: str, act: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as seen:
            done = act()
        asked[-1][step] = len(seen)
        return done

    for size, some in ((1, claims[:2]), (2, claims[2:])):
        for room in (services, line_tables, return_tables):
            monkeypatch.setattr(room, "PART", size, raising=False)
        asked.append({})
        batch = counted("make", partial(services.assemble, office=cast.a, claims=some, by=payer, on=ASKED))
        release(cast, batch)
        counted("release", partial(services.carry_out_release, batch.pk, by=manager))
        batch.refresh_from_db()
        data = _file(*((line, "失败" if line.sequence <= size else "成功", 0) for line in batch.lines.order_by("sequence")))
        kept = counted("take", partial(services.take_return, batch, data=data, file_name="r.csv", by=payer))
        counted("book", partial(services.book_return, kept.pk, by=payer, on=ASKED))
    few, many = asked
    # The accounts of the fund are opened by the first posting of each kind.
    assert many.keys() == few.keys() == {"make", "release", "take", "book"}
    assert all(many[step] <= few[step] for step in few), asked


def test_a_batch_is_made_of_what_is_chosen(world: World, claims: list[Claim]) -> None:
    cast = world.cast
    payer, least = cast.actor(cast.payer), claims[0].approved_fen or 0
    amounts = [claim.approved_fen for claim in claims]
    assert amounts == sorted(set(amounts)), "all different, rising"
    other = world.card(claims[0].member, "6217000010001234567")
    BankCard.objects.filter(pk=other.pk).update(bank_name="工商银行")
    Claim.objects.filter(pk__in=[claims[2].pk, claims[4].pk]).update(card=other)

    def chosen(**asked: object) -> list[int]:
        rows = choosing.chosen(Choice(cast.a.pk, "mutual_aid", **asked), payer)  # type: ignore[arg-type]
        return sorted(claims.index(claim) for claim in rows)

    assert chosen() == [0, 1, 2, 3, 4, 5]
    assert chosen(bank="工商银行") == [2, 4]
    assert chosen(amount_from=amounts[1], amount_to=amounts[3]) == [1, 2, 3]
    assert chosen(largest=2) == [4, 5]
    assert chosen(largest=2, bank="农业银行") == [3, 5]
    assert chosen(approved_from=ASKED) == chosen(approved_to=ASKED) == chosen()
    assert chosen(approved_from=ASKED + timedelta(days=1)) == chosen(approved_to=ASKED - timedelta(days=1)) == []
    assert not choosing.chosen(Choice(cast.b.pk, "mutual_aid"), payer).exists()
    assert not choosing.chosen(Choice(cast.a.pk, "relief"), payer).exists()
    # Whoever had a part in a claim makes no batch with it, and is told so.
    everything = Choice(cast.a.pk, "mutual_aid")
    assert choosing.sums(everything, cast.actor(cast.approver)).count == 0
    assert [left.count for left in choosing.left_out(everything, cast.actor(cast.approver), cast.a)] == [CLAIMS]
    # A name that the bank's file cannot hold stays out with the reason; the rest is paid.
    Office.objects.filter(pk=cast.a.pk).update(bank_format=BankFormat.CSV_GBK)
    BankCard.objects.filter(pk=other.pk).update(owner_name="龚䶮")
    cast.a.refresh_from_db()
    left = choosing.left_out(everything, payer, cast.a)
    assert [(one.count, "䶮" in str(one.why)) for one in left] == [(2, True)]
    found = choosing.sums(everything, payer)
    with pytest.raises(services.PayoutRefused, match="刚有变化"):
        services.make(everything, by=payer, on=ASKED, seen=(found.count, found.total_fen + 1))
    batch = services.make(everything, by=payer, on=ASKED, seen=(found.count, found.total_fen))
    assert (batch.state, batch.line_count) == ("assembled", 4)
    assert sorted(number for number, _why in batch.left_out) == sorted([claims[2].number, claims[4].number])
    assert batch.total_fen == sum(amounts[n] or 0 for n in (0, 1, 3, 5))
    assert least in batch.lines.values_list("amount_fen", flat=True)
    assert set(Claim.objects.filter(pk__in=[claims[2].pk, claims[4].pk]).values_list("state", flat=True)) == {"approved"}


def test_many_lines_are_made_part_by_part_and_a_part_that_is_run_again_adds_nothing(
    world: World, claims: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 1)
    monkeypatch.setattr(services, "PART", 2)
    payer = world.cast.actor(world.cast.payer)
    batch = services.make(Choice(world.cast.a.pk, "mutual_aid", largest=5), by=payer, on=ASKED)
    assert batch.state == "assembling"
    assert services.add_part(batch.pk, by=payer)
    assert (batch.lines.count(), batch.parts.filter(made=True).count(), batch.parts.count()) == (2, 1, 3)
    halted = Claim.objects.get(pk__in=batch.parts.latest("number").claim_ids)
    halts.propose(halted, reason="核对", clause="第一条", by=world.cast.actor(world.cast.reviewer), on=ASKED)
    run_due("payouts")  # as if the worker had died before it kept its place: begins anew
    batch.refresh_from_db()
    assert Job.objects.get(kind="payouts.assemble").job_state == "done"
    assert (batch.state, batch.line_count, batch.lines.count()) == ("assembled", 4, 4), "who is held meanwhile stays out"
    assert Claim.objects.get(pk=halted.pk).state == "halt_proposed"
    assert not services.add_part(batch.pk, by=payer)
    assert batch.lines.values("claim").distinct().count() == batch.lines.count()
    assert audit() == []
    _its_release_goes_part_by_part_as_well(world, batch, monkeypatch)
    monkeypatch.setattr(services, "AT_ONCE", 0)
    _whose_maker_loses_the_right_is_not_left_half_made(world, next(claim for claim in claims if not claim.payout_lines.exists()))


def _whose_maker_loses_the_right_is_not_left_half_made(world: World, left: Claim) -> None:
    """What its job refuses is cancelled with the reason, and the claim waits for another batch."""
    batch = services.make(Choice(world.cast.a.pk, "mutual_aid"), by=world.cast.actor(world.cast.payer), on=ASKED)
    assert services.make_beside(batch.pk, by=world.cast.actor(world.cast.payer))
    assert Claim.objects.get(pk=left.pk).state == "in_batch", "the control"
    StaffPost.objects.filter(user=world.cast.payer).update(until=ASKED)
    run_due("payouts")
    batch.refresh_from_db()
    assert (batch.state, list(batch.lines.values_list("state", flat=True))) == ("cancelled", ["void"])
    assert Claim.objects.get(pk=left.pk).state == "approved"
    assert "权限" in history_of(batch).last().note  # type: ignore[union-attr]
    assert not stuck_jobs().exists()


def _its_release_goes_part_by_part_as_well(world: World, batch: PayoutBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_tables, "PART", 2)
    manager = _who_releases_after_a_refusal(world.cast, batch)
    after = services.release_part(batch.pk, 0, by=manager)
    states = [Claim.objects.filter(payout_lines__batch=batch, state=state).count() for state in ("paying", "in_batch")]
    assert states == [2, batch.line_count - 2]
    assert not Entry.objects.filter(transaction__kind="payout").exists(), "nothing is in the books before all are marked"
    run_due("payouts")  # as if the worker had died before it kept its place: begins anew
    batch.refresh_from_db()
    assert batch.state == "released"
    assert set(Claim.objects.filter(payout_lines__batch=batch).values_list("state", flat=True)) == {"paying"}
    assert services.release_part(batch.pk, after or 0, by=manager) is None
    told = files.file_bytes(batch).split(b"\r\n")
    references = list(batch.lines.order_by("sequence").values_list("reference", flat=True))
    assert [row.split(b",")[-1].decode() for row in told[2:-1]] == references
    assert set(batch.parts.values_list("piece", flat=True)) == {None}, "nobody's account stands anywhere else"
    assert audit() == []


def _who_releases_after_a_refusal(cast: Cast, batch: PayoutBatch) -> Actor:
    """The first who lets it go loses the right when one part is marked: whoever works beside is refused too, no part stays marked, nobody
    has to look at it, and a second lets it go."""
    release(cast, batch)
    services.release_part(batch.pk, 0, by=cast.actor(cast.manager))
    assert [part.marked for part in batch.parts.order_by("number")] == [2, None, None], "the control"
    StaffPost.objects.filter(user=cast.manager).update(until=ASKED)
    jobs = Job.objects.filter(kind__startswith="payouts.release")
    jobs.filter(kind="payouts.release_beside").update(not_before=F("not_before") - timedelta(seconds=1))  # it comes first
    run_due("payouts")
    batch.refresh_from_db()
    assert (batch.state, set(batch.parts.values_list("marked", "marked_fen", "piece"))) == ("checked", {(None, None, None)})
    assert set(batch.lines.values_list("claim__state", flat=True)) == {"in_batch"}
    assert sorted(jobs.values_list("kind", "job_state")) == [("payouts.release", "refused"), ("payouts.release_beside", "refused")]
    assert not services.mark_beside(batch.pk, by=cast.actor(cast.manager)), "who comes late marks nothing"
    assert not stuck_jobs().exists()
    by = cast.actor(give_post(cast.outsider, cast.a, Role.OFFICE_MANAGER).user)
    services.release(batch, by=by)
    return by


def test_the_database_refuses_a_line_of_nothing_of_less_and_of_too_much(world: World, claims: list[Claim]) -> None:
    line = _released(world, claims[:1]).lines.get()
    line.pk, line.sequence, line.reference, line.claim = None, 2, "again", claims[1]
    for fen in (0, -1, 10**12):
        line.amount_fen = fen
        with pytest.raises(IntegrityError, match="line_amount_sane"), transaction.atomic():
            line.save(force_insert=True)
    line.amount_fen = 1
    line.save(force_insert=True)  # the control: nothing else was wrong with it


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"approved_from": "2026-07-02", "approved_to": "2026-07-01"}, "approved_to"),
        ({"amount_from": "10", "amount_to": "9.99"}, "amount_to"),
        ({"amount_from": "1e5"}, "amount_from"),
        ({"approved_from": "2026-02-30"}, "approved_from"),
        ({"largest": "0"}, "largest"),
        ({"largest": "²"}, "largest"),
        ({"bank": "没有的银行"}, "bank"),
        ({"fund": "x"}, "fund"),
        ({"fund": "\x00"}, "fund"),
        ({"office": "99999999999999999999"}, "office"),
        ({"office": "\x00"}, "office"),
    ],
)
def test_a_choice_that_cannot_be_is_told_at_its_field(world: World, told: dict[str, str], field: str) -> None:
    with everywhere(reason="ask"):
        form = ChoosingForm({"office": world.cast.a.pk, "fund": "mutual_aid"} | told, actor=world.cast.actor(world.cast.payer))
        assert set(form.errors) == {field}
