"""Paying out: approved claims → batch (maker) → checked by a second, released by a third person → bank file → result file → paid.

Every claim is paid exactly once: one open or succeeded line per claim (unique index), amounts frozen at approval, the
file a function of the locked batch, results booked once per line.
"""

import hashlib
from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from claims.models import Claim
from claims.payouts.bank import answers, formats
from claims.payouts.bank.lines import Answer, Head, Payment, UnreadableReturn
from claims.payouts.checking import PayoutRefused, stand_apart
from claims.payouts.models import BankFile, BankReturn, PayoutBatch, PayoutLine, ReturnRow
from claims.payouts.recoveries import book_set_offs, set_off
from members.models import BankCard
from members.services.people import card_number
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Transaction
from unionaid.ledger.posting import Line, Posting, post, reverse
from unionaid.lib.calendar import now
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.web.keys import ring
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import move, record

LINES, FILES, RETURNS = "payouts_payoutline", "payouts_bankfile", "payouts_bankreturn"


def payable(office: Office, *, fund: str = Fund.MUTUAL_AID) -> list[Claim]:
    """Approved claims of the office that wait for payment out of this fund, oldest first."""
    return list(
        Claim.objects.filter(office=office, state="approved", fund=fund)
        .select_related("member", "card")
        .order_by("approved_at", "id")
    )


@transaction.atomic
def assemble(*, office: Office, claims: Sequence[Claim], by: Actor, on: date) -> PayoutBatch:
    """Freeze payee, account and amount of each claim in a new batch. Nobody who entered, reviewed or approved one of
    the claims may do it. A line the bank's file cannot hold is named before anything is paid."""
    if not claims:
        raise PayoutRefused(_("没有可以付款的申领。"))
    fresh = list(
        Claim.objects.filter(pk__in=[c.pk for c in claims]).select_related("card", "member", "claimant", "terms").order_by("pk")
    )
    batch = PayoutBatch.objects.create(
        office=office,
        number=f"FK{on:%y%m%d}{get_random_string(5, '0123456789')}",
        fund=_one_fund(fresh),
        business_on=on,
        bank_format=office.bank_format,
        payer_name=office.account_name,
        payer_account=office.account_number,
        payer_bank=office.bank_name,
        assembled_by_id=by.user_id,
    )
    if why := formats.unfit_head(batch.bank_format, _head(batch)):
        raise PayoutRefused(why)
    move(fresh, "put_in_batch", by=by, details={"batch": batch.number})
    failed = {
        line.claim_id: line
        for line in PayoutLine.objects.filter(claim__in=fresh, state="failed", reissued_as__isnull=True)
    }
    lines = [_line(batch, number, claim, failed.get(claim.pk)) for number, claim in enumerate(fresh, start=1)]
    set_off([line for line in lines if line.reissue_of is None])
    for line in lines:
        if why := formats.unfit(batch.bank_format, _payment(line)):
            words = _("{claim} 的收款信息银行不能处理：{why}。请先更正账户。")
            raise PayoutRefused(words.format(claim=line.claim.number, why=why))
    try:
        with transaction.atomic():
            PayoutLine.objects.bulk_create(lines, batch_size=2000)
    except IntegrityError as error:
        raise PayoutRefused(_("其中有申领已在另一个批次里，请刷新后重新选择。")) from error
    stand_apart(batch, by)
    total = sum(line.amount_fen for line in lines)
    return move([batch], "finish_assembly", by=by, changes={"line_count": len(lines), "total_fen": total})[0]


def _one_fund(claims: Sequence[Claim]) -> str:
    """The fund that all of these are paid out of; each fund has its own books and its own batches."""
    funds = {claim.fund for claim in claims} or {Fund.MUTUAL_AID}
    if len(funds) > 1:
        raise PayoutRefused(_("互助金、救助金、慰问金各有各的账，请分开编制批次。"))
    return funds.pop()


def _line(batch: PayoutBatch, number: int, claim: Claim, failed: PayoutLine | None) -> PayoutLine:
    reference = f"{batch.number}{number:05d}"
    card = claim.card
    return PayoutLine(
        office_id=batch.office_id,
        batch=batch,
        sequence=number,
        claim=claim,
        payee_name=card.owner_name,
        bank_name=card.bank_name,
        account_number=ring().seal(card_number(card), bound_to=(LINES, "account_number", reference)),
        account_last_four=card.last_four,
        amount_fen=failed.amount_fen if failed else claim.approved_fen,
        set_off_fen=failed.set_off_fen if failed else 0,
        set_off_against=failed.set_off_against if failed else None,
        reference=reference,
        reissue_of=failed,
    )


def _payment(line: PayoutLine) -> Payment:
    account = ring().open_text(line.account_number, bound_to=(LINES, "account_number", line.reference))
    return Payment(line.sequence, account, line.payee_name, line.bank_name, line.amount_fen, line.reference)


def _head(batch: PayoutBatch) -> Head:
    return Head(batch.number, batch.business_on, batch.payer_name, batch.payer_account, batch.payer_bank)


def release(batch: PayoutBatch, *, by: Actor) -> PayoutBatch:
    """A third person lets the money go: neither who made nor who checked the batch, nor anyone who had a part in one of its claims.
    The work is done by the job written here."""
    stand_apart(batch, by)
    return move([batch], "release", by=by)[0]


def carry_out_release(batch_id: int, *, by: Actor) -> None:
    """Post what leaves, make the bank file, and mark claims as being paid, all in one transaction; a second run does nothing."""
    batch = PayoutBatch.objects.select_for_update().get(pk=batch_id)
    if batch.state != "releasing":
        return
    lines = list(batch.lines.filter(state="open").select_related("claim").order_by("sequence"))
    content = formats.write(batch.bank_format, _head(batch), [_payment(line) for line in lines])
    if sum(line.amount_fen for line in lines) != batch.total_fen or len(lines) != batch.line_count:
        raise PayoutRefused(_("批次合计与明细不一致，已停止放款。"))
    BankFile.objects.create(
        batch=batch,
        file_name=f"{batch.number}.{formats.FORMATS[batch.bank_format].suffix}",
        content=ring().seal(content, bound_to=(FILES, "content", batch.number)),
        sha256=hashlib.sha256(content).hexdigest(),
        line_count=len(lines),
        total_fen=batch.total_fen,
    )
    post("payout", [_outgoing(line, batch.fund) for line in lines], on=batch.business_on, by=by)
    move([line.claim for line in lines], "release", by=by)
    move([batch], "finish_release", by=by)


def _outgoing(line: PayoutLine, fund: str) -> Posting:
    amount = line.amount_fen
    return Posting(line, Fund(fund), (Line(Code.BENEFITS, amount), Line(Code.IN_TRANSIT, -amount)))


def file_bytes(batch: PayoutBatch) -> bytes:
    """The bank file, identical for ever; its hash is checked on the way out."""
    kept = batch.bank_file
    content = ring().open(kept.content, bound_to=(FILES, "content", batch.number))
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise PayoutRefused(_("银行文件与记录的校验值不一致，已停止下载。"))
    return content


def cancel(batch: PayoutBatch, *, by: Actor) -> PayoutBatch:
    """Take back a batch before its release: its claims wait for another one."""
    move([batch], "cancel", by=by)
    lines = list(batch.lines.filter(state="open").select_related("claim"))
    move(lines, "void", by=by)
    move([line.claim for line in lines], "take_from_batch", by=by)
    return batch


def take_return(batch: PayoutBatch, *, data: bytes, file_name: str, by: Actor) -> BankReturn:
    """Keep the bank's result file and have it booked; the same file is taken once. PayoutRefused when it cannot be read."""
    if batch.state not in ("released", "booked"):
        raise PayoutRefused(_("这个批次还没有放款，不能导入回盘文件。"))
    try:
        answers.read(data)
    except UnreadableReturn as error:
        raise PayoutRefused(_("回盘文件没有导入：{why}。请核对后重新下载回盘文件。").format(why=error)) from error
    digest = hashlib.sha256(data).hexdigest()
    kept = BankReturn.objects.filter(batch=batch, sha256=digest).first()
    if kept:
        return kept
    kept = BankReturn.objects.create(
        office_id=batch.office_id,
        batch=batch,
        file_name=file_name[:200],
        sha256=digest,
        content=ring().seal(data, bound_to=(RETURNS, "content", digest)),
        uploaded_by_id=by.user_id,
    )
    record([kept], "take_return", by=by)
    enqueue("payouts.book_return", [(kept.pk, f"payouts.book_return:{kept.pk}", kept)], by=by, permission="payouts.book")
    return kept


def book_return(return_id: int, *, by: Actor, on: date) -> None:
    """Book each line of a result file once: paid, or returned with its posting reversed. Unknown, repeated and mismatched lines
    are listed and change nothing. A second run does nothing."""
    kept = BankReturn.objects.select_for_update(of=("self",)).select_related("batch").get(pk=return_id)
    if kept.booked_at is not None:
        return
    PayoutBatch.objects.select_for_update().get(pk=kept.batch_id)
    data = ring().open(kept.content, bound_to=(RETURNS, "content", kept.sha256))
    lines = {line.reference: line for line in kept.batch.lines.select_related("claim")}
    rows, seen = [], set[str]()
    for answer in answers.read(data):
        rows.append(_row(kept, answer, lines.get(answer.reference), seen))
        seen.add(answer.reference)
    ReturnRow.objects.bulk_create(rows, batch_size=2000)
    booked = [row for row in rows if row.outcome == ReturnRow.Outcome.BOOKED]
    good = [row.line for row in booked if row.succeeded]
    bad = [row for row in booked if not row.succeeded]
    _settle(good, kept.batch, by=by, on=on)
    for reason in sorted({row.reason for row in bad}):
        _give_back([row.line for row in bad if row.reason == reason], reason, by=by, on=on)
    kept.succeeded_count, kept.failed_count = len(good), len(bad)
    kept.unmatched_count = len(rows) - len(booked)
    kept.booked_at = now()
    kept.save(update_fields=["succeeded_count", "failed_count", "unmatched_count", "booked_at"])
    if kept.batch.state == "released" and not kept.batch.lines.filter(state="open").exists():
        move([kept.batch], "book", by=by)


def _row(kept: BankReturn, answer: Answer, line: PayoutLine | None, seen: set[str]) -> ReturnRow:
    outcome = ReturnRow.Outcome.BOOKED
    if line is None:
        outcome = ReturnRow.Outcome.UNKNOWN
    elif answer.reference in seen:
        outcome = ReturnRow.Outcome.DUPLICATE
    elif answer.amount_fen != line.amount_fen:
        outcome = ReturnRow.Outcome.MISMATCH
    elif answer.succeeded is None:
        outcome = ReturnRow.Outcome.PENDING
    elif line.state != "open":
        outcome = ReturnRow.Outcome.ALREADY
    return ReturnRow(
        bank_return=kept,
        row_number=answer.row_number,
        reference=answer.reference[:60],
        amount_fen=answer.amount_fen,
        succeeded=answer.succeeded,
        reason=answer.reason,
        outcome=outcome,
        line=line,
    )


def _settle(lines: list[PayoutLine], batch: PayoutBatch, *, by: Actor, on: date) -> None:
    move(lines, "succeed", by=by, changes={"settled_on": on})
    post(
        "payout_settled",
        [
            Posting(line, Fund(batch.fund), (Line(Code.IN_TRANSIT, line.amount_fen), Line(Code.BANK, -line.amount_fen)))
            for line in lines
        ],
        on=on,
        by=by,
    )
    move([line.claim for line in lines], "mark_paid", by=by)
    book_set_offs([line for line in lines if line.set_off_fen], by=by, on=on)


def _give_back(lines: list[PayoutLine], reason: str, *, by: Actor, on: date) -> None:
    move(lines, "fail", by=by, note=reason, changes={"bank_reason": reason})
    originals = list(
        Transaction.objects.filter(
            kind="payout", source_type=PayoutLine._meta.label_lower, source_id__in=[line.pk for line in lines]
        )
    )
    reverse("payout_returned", originals, on=on, by=by, note=reason[:200])
    message = _("银行退回了付款（{reason}）。请更正收款账户，我们会重新付款，金额不变。").format(reason=reason or _("未说明原因"))
    move([line.claim for line in lines], "mark_returned", by=by, note=reason, changes={"message": message})


def correct_account(claim: Claim, *, card: BankCard, by: Actor) -> Claim:
    """The claimant gives another account after a returned payment; the amount stays as approved."""
    if card.member_id != claim.claimant_id:
        raise PayoutRefused(_("收款账户要是申领人本人的。"))
    if card.pk == claim.card_id:
        raise PayoutRefused(_("这就是被退回的账户，请填写另一个账户。"))
    return move([claim], "correct_account", by=by, changes={"card": card, "message": ""})[0]
