"""Paying out: approved claims → batch (maker) → checked by a second, released by a third person → bank file → result file → paid.

Every claim is paid exactly once: one open or succeeded line per claim (unique index), amounts frozen at approval, the
file a function of the locked batch, results booked once per line.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from claims.models import Claim
from claims.payouts import files, line_tables, parts, return_tables
from claims.payouts.bank import answers, formats
from claims.payouts.bank.lines import UnreadableReturn
from claims.payouts.checking import PayoutRefused, figures_of, had_a_part, part_of, stand_apart
from claims.payouts.choosing import Choice
from claims.payouts.funds import refuse_uncovered
from claims.payouts.given_back import give_back
from claims.payouts.line_tables import PART, Added, HadAPart, TakenElsewhere
from claims.payouts.models import BankReturn, BatchPart, PayoutBatch, PayoutLine, ReturnPart
from claims.payouts.recoveries import book_set_offs
from claims.payouts.return_tables import Told
from claims.selectors.cooling import payable_now
from claims.selectors.queue import in_state
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.posting import Line, Posting, post
from unionaid.lib.calendar import now, today
from unionaid.lib.money import format_yuan
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.web.keys import ring
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import NotAllowed, move, record
from unionaid.workflow.moves_in_sets import move_set

AT_ONCE = 500  # so many lines are made while the page waits
RETURNS = "payouts_bankreturn"


def payable(office: Office, *, fund: str = Fund.MUTUAL_AID) -> list[Claim]:
    """Approved claims of the office that wait for payment out of this fund and may be paid today, oldest first."""
    return list(
        Claim.objects.filter(payable_now(today()), in_state("approved"), office=office, fund=fund)
        .select_related("member", "card")
        .order_by("approved_at", "id")
    )


@transaction.atomic
def assemble(*, office: Office, claims: Sequence[Claim], by: Actor, on: date) -> PayoutBatch:
    """Freeze payee, account and amount of each of these claims in a new batch. Nobody who entered, reviewed or approved one of
    the claims may do it. A claim that the bank's file cannot hold is named, and nothing is made."""
    if not claims:
        raise PayoutRefused(_("没有可以付款的申领。"))
    ids = sorted({claim.pk for claim in claims})
    whose = set(Claim.objects.filter(pk__in=ids).values_list("office_id", "fund").distinct())
    funds = {fund for _owner, fund in whose}
    if any(owner != office.pk for owner, _fund in whose):
        raise PayoutRefused(_("没有可以付款的申领。"))
    if len(funds) > 1:
        raise PayoutRefused(_("互助金、救助金、慰问金各有各的账，请分开编制批次。"))
    batch = begin(office=office, fund=funds.pop() if funds else Fund.MUTUAL_AID, by=by, on=on)
    for i in range(0, len(ids), PART):
        some = ids[i : i + PART]
        BatchPart.objects.create(batch=batch, number=i // PART, first=batch.line_count, size=len(some), claim_ids=some, made=True)
        for left in _add(batch, some, by=by).left_out:
            raise PayoutRefused(_("{claim} 现在不能付款：{why}。").format(claim=left.claim, why=left.why))
    return finish(batch, by=by)


@transaction.atomic
def make(choice: Choice, *, by: Actor, on: date, seen: tuple[int, int] | None = None) -> PayoutBatch:
    """A batch of the chosen claims, shared out among parts: at once when they are few, else by the jobs written here. `seen`: count and
    sum (fen) that the maker was shown; PayoutRefused when they are others by now. What the bank's file cannot hold stays out with
    the reason."""
    batch = begin(office=Office.objects.get(pk=choice.office_id), fund=choice.fund, by=by, on=on, choice=choice.told())
    found = parts.plan(batch, by, size=PART)
    if not found.count:
        raise PayoutRefused(_("没有可以付款的申领。"))
    if seen is not None and seen != (found.count, found.total_fen):
        words = _("刚有变化：现在是 {count} 笔，合计 {total} 元。请看过新的数字再编制。")
        raise PayoutRefused(words.format(count=found.count, total=format_yuan(found.total_fen)))
    if found.count > AT_ONCE:
        for kind in ("payouts.assemble", "payouts.assemble_beside")[: 2 if found.count > PART else 1]:
            enqueue(kind, [(batch.pk, f"{kind}:{batch.pk}", batch)], by=by, permission="payouts.assemble")
        return batch
    while add_part(batch.pk, by=by):
        pass
    batch.refresh_from_db()
    return batch


def add_part(batch_id: int, *, by: Actor) -> bool:
    """Make the lines of the next part that nobody has; with none left the batch is handed in: False. A further run does nothing.
    PayoutRefused when not one of the chosen claims can be paid."""
    if make_beside(batch_id, by=by) or parts.hold(batch_id, made=False):
        return True
    batch = PayoutBatch.objects.select_for_update().get(pk=batch_id)
    if batch.state != "assembling":
        return False
    if not batch.line_count:
        whys = "；".join(f"{claim} {why}" for claim, why in batch.left_out[:3])
        raise PayoutRefused(_("选中的申领没有一笔可以付款。{why}").format(why=whys))
    finish(batch, by=by)
    return False


def make_beside(batch_id: int, *, by: Actor) -> bool:
    """Make the lines of the next part that nobody has; False when there is none, or the batch was taken back meanwhile."""
    found = parts.next_part(batch_id, "assembling", made=False)
    if found is None:
        return False
    batch, part = found
    try:
        with transaction.atomic():
            _add(batch, part.claim_ids, by=by, part=part)
    except _TakenBack:
        return False
    part.made = True
    part.save(update_fields=["made"])
    return True


class _TakenBack(Exception):
    """The batch was cancelled while lines were made for it."""


def begin(*, office: Office, fund: str, by: Actor, on: date, choice: Mapping[str, Any] | None = None) -> PayoutBatch:
    """A new batch without a line, to be paid from the office's account as it stands now. PayoutRefused when a file of the office's bank
    cannot be made for it."""
    batch = PayoutBatch.objects.create(
        office=office,
        number=f"FK{on:%y%m%d}{get_random_string(8, '0123456789')}",  # so many that two of one day never meet
        fund=fund,
        business_on=on,
        bank_format=office.bank_format,
        payer_name=office.account_name,
        payer_account=office.account_number,
        payer_bank=office.bank_name,
        choice=dict(choice or {}),
        assembled_by_id=by.user_id,
        assembled_at=now(),
    )
    if why := formats.unfit_head(batch.bank_format, files.head_of(batch)):
        raise PayoutRefused(why)
    return batch


def _add(batch: PayoutBatch, claim_ids: Sequence[int], *, by: Actor, part: BatchPart | None = None) -> Added:
    """Lines for these claims, which are in the batch from now on: those of a planned part that still wait, else all of them."""
    first = part.first if part else batch.line_count
    added, taken = line_tables.stage(batch, claim_ids, after=first, all_of_them=part is None)
    move_set(Claim, taken, "put_in_batch", by=by, details={"batch": batch.number})
    try:
        line_tables.keep(batch)
    except TakenElsewhere as error:
        raise PayoutRefused(_("其中有申领已在另一个批次里，请刷新后重新选择。")) from error
    except HadAPart as error:
        number = Claim.objects.filter(part_of(by), pk__in=taken).order_by("pk").values_list("number", flat=True)[0]
        raise had_a_part(number) from error
    _count(batch, added)
    return added


def _count(batch: PayoutBatch, added: Added) -> None:
    """Add to the batch as it is now, whatever others have added. At the end of a part: who makes one beside waits for the commit only."""
    fresh = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if fresh.state != "assembling":
        raise _TakenBack
    batch.line_count = fresh.line_count + added.count
    batch.total_fen = fresh.total_fen + added.total_fen
    batch.left_out = fresh.left_out + [[left.claim, left.why] for left in added.left_out]
    batch.save(update_fields=["line_count", "total_fen", "left_out"])


def finish(batch: PayoutBatch, *, by: Actor) -> PayoutBatch:
    """All chosen claims have their line: the batch waits for whoever looks at it next."""
    return move([batch], "finish_assembly", by=by)[0]


def release(batch: PayoutBatch, *, by: Actor) -> PayoutBatch:
    """A third person lets the money go: neither who made nor who checked the batch, nor anyone who had a part in one of its claims (the
    database asks it of all lines, migration 0003; the claim is named when it refuses). The work is done by the jobs written here."""
    refuse_uncovered(batch)
    try:
        with transaction.atomic():
            moved = move([batch], "release", by=by)[0]
    except IntegrityError as error:
        if "batch_people_apart" in str(error):
            stand_apart(batch, by)
        raise
    if batch.parts.count() > 1:
        kind = "payouts.release_beside"
        enqueue(kind, [(batch.pk, f"{kind}:{batch.pk}:{batch.version}", batch)], by=by)
    return moved


def carry_out_release(batch_id: int, *, by: Actor) -> None:
    """Carry out all of a release. A second run does nothing."""
    after: int | None = 0
    while after is not None:
        after = release_part(batch_id, after, by=by)


def release_part(batch_id: int, after: int, *, by: Actor) -> int | None:
    """Mark the claims of the next part that nobody has as being paid; with none left the file is made, what leaves is posted and the batch
    is released, all in one transaction, and None is returned. `after`: so many parts were marked. A further run does nothing."""
    batch = PayoutBatch.objects.get(pk=batch_id)
    if batch.state != "releasing":
        return None
    if not after:
        _refuse_unequal(batch)
    if mark_beside(batch_id, by=by) or parts.hold(batch_id, marked=None):
        return after + 1
    batch = PayoutBatch.objects.select_for_update().get(pk=batch_id)
    if batch.state != "releasing":
        return None
    files.make(batch)
    lines = (Line(Code.BENEFITS, batch.total_fen), Line(Code.IN_TRANSIT, -batch.total_fen))
    post("payout", [Posting(batch, Fund(batch.fund), lines, batch.number)], on=batch.business_on, by=by)
    move([batch], "finish_release", by=by)
    return None


def mark_beside(batch_id: int, *, by: Actor) -> bool:
    """Mark the claims of the next part that nobody has as being paid, and write what the bank's file says of them; False when there is
    none, or the release was stopped meanwhile."""
    found = parts.next_part(batch_id, "releasing", marked=None)
    if found is None:
        return False
    batch, part = found
    claims, payments = line_tables.open_lines(part)
    move_set(Claim, claims, "release", by=by)
    files.keep_piece(batch, part, payments)
    return True


def _refuse_unequal(batch: PayoutBatch) -> None:
    """PayoutRefused when the lines do not add up to the batch: before the first claim is marked."""
    found = figures_of(batch)
    if (found.line_count, found.total_fen) != (batch.line_count, batch.total_fen):
        raise PayoutRefused(_("批次合计与明细不一致，已停止放款。"))


def cancel(batch: PayoutBatch, *, by: Actor, note: str = "") -> PayoutBatch:
    """Take back a batch before its release: its claims wait for another one."""
    move([batch], "cancel", by=by, note=note)
    for claims, lines in line_tables.claims_and_lines(batch):
        move_set(PayoutLine, lines, "void", by=by)
        move_set(Claim, claims, "take_from_batch", by=by)
    return batch


# -- what the bank says ----------------------------------------------------------------------------------------------


def read_return(batch: PayoutBatch, *, data: bytes, file_name: str, by: Actor) -> BankReturn:
    """Keep the bank's result file and hold each of its lines against the batch; nothing is booked before `confirm_return`. The same
    file is taken once. PayoutRefused when anything in it cannot be read."""
    if batch.state not in ("released", "booked"):
        raise PayoutRefused(_("这个批次还没有放款，不能导入回盘文件。"))
    digest = hashlib.sha256(data).hexdigest()
    if kept := BankReturn.objects.filter(batch=batch, sha256=digest).first():
        return kept
    try:
        told = answers.read(data)
    except UnreadableReturn as error:
        raise PayoutRefused(_("回盘文件没有导入：{why}。请核对后重新下载回盘文件。").format(why=error)) from error
    try:
        with transaction.atomic():
            kept = BankReturn.objects.create(
                office_id=batch.office_id,
                batch=batch,
                file_name=file_name[:200],
                sha256=digest,
                content=ring().seal(zlib.compress(data, files.PRESSED), bound_to=(RETURNS, "content", digest)),
                uploaded_by_id=by.user_id,
            )
    except IntegrityError:  # somebody else took the same file at the same moment
        return BankReturn.objects.get(batch=batch, sha256=digest)
    return_tables.keep_told(kept, told)
    record([kept], "take_return", by=by)
    return kept


def confirm_return(kept: BankReturn, *, by: Actor) -> BankReturn:
    """What the file says is to be booked. Asked twice it is booked once."""
    if not may(by, "payouts.book", kept.office_id):
        raise NotAllowed(_("您没有记入回盘的权限。"))
    if BankReturn.objects.filter(pk=kept.pk, confirmed_at__isnull=True).update(confirmed_by_id=by.user_id, confirmed_at=now()):
        record([kept], "confirm_return", by=by)
        enqueue("payouts.book_return", [(kept.pk, f"payouts.book_return:{kept.pk}", kept)], by=by, permission="payouts.book")
        if return_tables.count(kept) > PART:  # a second worker is asked to take its share
            kind = "payouts.book_beside"
            enqueue(kind, [(kept.pk, f"{kind}:{kept.pk}:{now().timestamp()}", kept)], by=by, permission="payouts.book")
    return kept


def discard_return(kept: BankReturn, *, by: Actor) -> None:
    """It was the wrong file: it is taken away again before anything of it is booked."""
    fresh = BankReturn.objects.select_for_update().get(pk=kept.pk)
    if fresh.confirmed_at is not None:
        raise PayoutRefused(_("这个回盘文件已经确认记账，不能再移除。"))
    if fresh.parts.exists():
        raise PayoutRefused(_("这个回盘文件已经记了一部分账，不能移除。请再确认一次，把其余的记完。"))
    record([fresh], "discard_return", by=by, details={"file": fresh.file_name, "sha256": fresh.sha256})
    fresh.delete()


def take_return(batch: PayoutBatch, *, data: bytes, file_name: str, by: Actor) -> BankReturn:
    """Read a result file and have it booked at once, without anybody's look in between."""
    return confirm_return(read_return(batch, data=data, file_name=file_name, by=by), by=by)


def book_return(return_id: int, *, by: Actor, on: date) -> None:
    """Book all of a result file. A second run does nothing."""
    after: int | None = 0
    while after is not None:
        after = book_part(return_id, after, by=by, on=on)


def book_part(return_id: int, after: int, *, by: Actor, on: date) -> int | None:
    """Book the next part that nobody has; when none is left the file is closed. Unknown, repeated and mismatched lines are listed and
    change nothing. The last row of this part; None when all is booked: a further run does nothing."""
    if upto := book_beside(return_id, after, by=by, on=on):
        return upto
    kept = BankReturn.objects.select_for_update(of=("self",)).get(pk=return_id)
    if kept.booked_at is not None or kept.confirmed_at is None:
        return None
    if return_tables.waits(kept):  # before where this began, or whoever had it gave it up
        return 0
    _close(kept, PayoutBatch.objects.select_for_update().get(pk=kept.batch_id), by=by)
    return None


def book_beside(return_id: int, after: int, *, by: Actor, on: date) -> int | None:
    """Book the next part of a result file above this row that nobody has, each line once: paid, or returned with its posting reversed. The
    last row of this part; None when there is none, or the file is not to be booked any more."""
    kept = BankReturn.objects.select_related("batch").get(pk=return_id)
    part = return_tables.next_part(kept, after)
    if part is None:
        return None
    if told := return_tables.read_part(kept, part):
        _book(kept, part, told, by=by, on=on)
    return part.upto


def _book(kept: BankReturn, part: return_tables.Part, told: Sequence[Told], *, by: Actor, on: date) -> None:
    good, bad = [one for one in told if one.succeeded], [one for one in told if not one.succeeded]
    booked = ReturnPart.objects.create(
        office_id=kept.office_id,
        bank_return=kept,
        number=part.first,
        succeeded_count=len(good),
        succeeded_fen=sum(one.amount_fen for one in good),
        failed_count=len(bad),
        failed_fen=sum(one.amount_fen for one in bad),
    )
    _settle(booked, good, kept.batch, by=by, on=on)
    give_back(booked, bad, kept.batch, by=by, on=on)
    return_tables.say(kept, part)


def _close(kept: BankReturn, batch: PayoutBatch, *, by: Actor) -> None:
    sums = kept.parts.aggregate(good=Sum("succeeded_count", default=0), bad=Sum("failed_count", default=0))
    kept.succeeded_count, kept.failed_count = sums["good"], sums["bad"]
    kept.unmatched_count = return_tables.count(kept) - sums["good"] - sums["bad"]
    kept.booked_at = now()
    kept.save(update_fields=["succeeded_count", "failed_count", "unmatched_count", "booked_at"])
    if batch.state == "released" and not batch.lines.filter(state="open").exists():
        move([batch], "book", by=by)


def _settle(part: ReturnPart, told: Sequence[Told], batch: PayoutBatch, *, by: Actor, on: date) -> None:
    if not told:
        return
    move_set(PayoutLine, [one.line for one in told], "succeed", by=by, changes={"settled_on": on})
    lines = (Line(Code.IN_TRANSIT, part.succeeded_fen), Line(Code.BANK, -part.succeeded_fen))
    post("payout_settled", [Posting(part, Fund(batch.fund), lines, batch.number)], on=on, by=by)
    move_set(Claim, [one.claim for one in told], "mark_paid", by=by)
    if kept_back := [one.line for one in told if one.keeps_back]:
        book_set_offs(list(PayoutLine.objects.filter(pk__in=kept_back).order_by("pk")), by=by, on=on)
