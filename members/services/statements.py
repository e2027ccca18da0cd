"""Bank statements (银行流水): kept, read, shown, and after a yes taken in whole. A file is taken once per office, a line once per
bank reference, however often and in whatever file it comes."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members import bankstatement
from members.bankstatement import Line, Statement, UnreadableStatement, references_in
from members.models import BankStatement, Remittance, StatementRow
from members.services.contributions import post_arrivals
from unionaid.lib.calendar import day_of
from unionaid.lib.money import format_yuan
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.web.said import Said, each_in_every_language, in_every_language
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

GOOD, KNOWN, OUTGOING, BAD, TAKEN = (outcome.value for outcome in StatementRow.Outcome)


class StatementRefused(MoveRefused):
    """The statement is not taken; the message says why."""


def upload(office: Office, *, data: bytes, file_name: str, by: Actor) -> BankStatement:
    """Keep a statement's file and have it read in the background. The same file is taken once per office."""
    if not may(by, "contributions.confirm", office.pk):
        raise NotAllowed(_("您不能为这个机构导入银行流水。"))
    if not data:
        raise StatementRefused(_("文件是空的，请重新从网银下载流水。"))
    if len(data) > bankstatement.MAX_BYTES:
        raise StatementRefused(_("文件超过 20 MB，请缩短日期范围，分几次下载和导入。"))
    digest = hashlib.sha256(data).hexdigest()
    try:
        with transaction.atomic():
            statement = BankStatement.objects.create(
                office=office,
                file=ContentFile(data, name="statement.bin"),
                file_name=file_name[:200] or _("银行流水"),
                file_sha256=digest,
                uploaded_by_id=by.user_id,
            )
    except IntegrityError as error:
        if "statement_file_once" not in str(error):
            raise
        raise StatementRefused(_already(office, digest)) from error
    record([statement], "upload_statement", by=by)
    key = f"members.read_statement:{statement.pk}"
    enqueue("members.read_statement", [(statement.pk, key, statement)], by=by, permission="contributions.confirm")
    return statement


def _already(office: Office, digest: str) -> str:
    first = (
        BankStatement.objects.filter(office=office, file_sha256=digest)
        .exclude(state__in=["cancelled", "unreadable"])
        .select_related("uploaded_by")
        .first()
    )
    if first is None:
        return _("这份流水已经导入过，请在流水列表中查看。")
    return _("这份流水 {day:%Y-%m-%d} 已由{person}导入过（{name}），没有再导入一次。").format(
        day=day_of(first.uploaded_at), person=first.uploaded_by.display_name if first.uploaded_by else _("系统"), name=first.file_name
    )


def read(statement_id: int, run: Run) -> dict[str, Any] | None:
    """Read the file and stage every line with what would come of it. Running it again does nothing."""
    statement = BankStatement.objects.select_for_update(of=("self",)).select_related("office").get(pk=statement_id)
    if statement.state != "uploaded":
        return None
    if not run.cursor:  # so that the page says what is being done
        run.stage = _("读取流水")
        return {"begun": True}
    with statement.file.open() as stored:
        data = stored.read()
    try:
        found = bankstatement.read(data, statement.file_name, on=run.on)
        _refuse_other_account(found, statement.office)
    except UnreadableStatement as error:
        move([statement], "refuse", by=run.by, changes={"message": in_every_language([error.words])})
        return None
    known = _known(statement.office_id, found.lines)
    against = [[*line.reasons, *_unlike(line, known)] for line in found.lines]
    why = each_in_every_language(against)
    rows = [_row(statement, line, known, bad, said) for line, bad, said in zip(found.lines, against, why, strict=True)]
    StatementRow.objects.bulk_create(rows, batch_size=5000)
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in (GOOD, KNOWN, OUTGOING, BAD)}
    changes = {
        "row_count": len(rows),
        "good_count": counts[GOOD],
        "known_count": counts[KNOWN],
        "outgoing_count": counts[OUTGOING],
        "bad_count": counts[BAD],
        "total_fen": sum(row.amount_fen or 0 for row in rows if row.outcome == GOOD),
        "day_balances": [[f"{day}", fen] for day, fen in sorted(found.balances.items())],
    }
    move([statement], "read", by=run.by, changes=changes)
    run.total = run.done = len(rows)
    return None


def _refuse_other_account(found: Statement, office: Office) -> None:
    ours, theirs = ("".join(c for c in text if c.isalnum()) for text in (office.account_number, found.account))
    if ours and theirs and ours != theirs:
        raise UnreadableStatement(gettext_lazy("对账单的账号与本机构的收款账号不同，请核对是不是下载错了账户。"))


# What stands under a reference of the bank: the amount (fen) and the day on which the bank booked it.
Booked = tuple[int, date]


def _known(office_id: int, lines: Sequence[Line]) -> dict[str, Booked]:
    """What was taken in already, by hand or by another file, by the bank's reference."""
    wanted = [line.bank_reference for line in lines if line.bank_reference and not line.outgoing]
    return _booked(office_id, wanted)


def _booked(office_id: int, references: Sequence[str]) -> dict[str, Booked]:
    rows = Remittance.objects.filter(office_id=office_id, bank_reference__in=references).exclude(state="reversed")
    return {reference: (fen, day) for reference, fen, day in rows.values_list("bank_reference", "amount_fen", "received_on")}


def _unlike(line: Line, known: Mapping[str, Booked]) -> list[Promise]:
    """The bank's line is right: whoever typed another amount or day under the same reference made a mistake, or mixed two up. Or the
    bank counts anew every day, and this is other money: never known without a word."""
    before = known.get(line.bank_reference)
    if line.outgoing or line.reasons or line.amount_fen is None or line.received_on is None or before is None:
        return []
    now = (line.amount_fen, line.received_on)
    return [] if before == now else [_differs(before, now)]


def _differs(before: Booked, now: Booked) -> Promise:
    if before[0] != now[0]:
        words = gettext_lazy(
            "这个流水号已登记过 {before} 元，流水上是 {now} 元，两边不一致，这一行没有导入。请打开登记的那笔来款，对照银行回单核对"
        )
        return format_lazy(words, before=format_yuan(before[0]), now=format_yuan(now[0]))
    words = gettext_lazy(
        "这个流水号已登记过同样金额的来款，到账日期是 {before}，流水上是 {now}，这一行没有导入。"
        "请对照银行回单：日期登记错了的，更正那笔来款；是另一笔钱的，用“登记一笔来款”登记，流水号后面加上日期"
    )
    return format_lazy(words, before=before[1].isoformat(), now=now[1].isoformat())


def _row(statement: BankStatement, line: Line, known: Container[str], bad: Sequence[Promise], why: Said) -> StatementRow:
    if line.outgoing:
        outcome = OUTGOING
    elif bad:
        outcome = BAD
    else:
        outcome = KNOWN if line.bank_reference in known else GOOD
    return StatementRow(
        statement=statement,
        row_number=line.number,
        received_on=line.received_on,
        amount_fen=line.amount_fen,
        payer_name=line.payer_name,
        remark=line.remark,
        bank_reference=line.bank_reference[:60],
        outcome=outcome,
        reasons=why,
    )


def confirm(statement: BankStatement, *, by: Actor) -> BankStatement:
    """The preview was seen: the good lines are taken in by the job that this writes."""
    if statement.good_count == 0:
        raise StatementRefused(_("没有可以导入的来款。"))
    return move([statement], "confirm", by=by)[0]


def cancel(statement: BankStatement, *, by: Actor) -> BankStatement:
    """Put the file aside; nothing of it was taken in."""
    gone = move([statement], "cancel", by=by)[0]
    StatementRow.objects.filter(statement=statement).delete()
    return gone


def take(statement_id: int, run: Run) -> dict[str, Any] | None:
    """Take every good line in and post it, all in this transaction, in a constant number of statements. Running it again does
    nothing; a line that came meanwhile in another file is known and not taken twice."""
    statement = BankStatement.objects.select_for_update().get(pk=statement_id)
    if statement.state != "taking":
        return None
    if not run.cursor:
        run.stage, run.total = _("写入来款并记账"), statement.good_count
        return {"begun": True}
    rows = list(statement.rows.filter(outcome=GOOD).order_by("row_number"))
    new = [_remittance(statement, row, by=run.by) for row in rows]
    Remittance.objects.bulk_create(new, ignore_conflicts=True, batch_size=5000)
    made = {one.bank_reference: one for one in Remittance.objects.filter(statement=statement)}
    post_arrivals(list(made.values()), on=run.on, by=run.by)
    statement.rows.filter(outcome=GOOD, bank_reference__in=list(made)).update(outcome=TAKEN)
    differing = _mark_differing(statement)
    late = statement.rows.filter(outcome=GOOD).update(outcome=KNOWN)
    changes = {
        "good_count": len(made),
        "bad_count": statement.bad_count + differing,
        "known_count": statement.known_count + late,
        "total_fen": sum(one.amount_fen for one in made.values()),
    }
    move([statement], "take", by=run.by, changes=changes, details={"taken": len(made), "known": late})
    run.total = run.done = len(rows)
    return None


def _mark_differing(statement: BankStatement) -> int:
    """Of the lines that came meanwhile otherwise, those whose amount or day there is another one are bad; how many."""
    rows = list(statement.rows.filter(outcome=GOOD))
    known = _booked(statement.office_id, [row.bank_reference for row in rows])
    bad = []
    for row in rows:
        assert row.amount_fen is not None  # a good line has both
        assert row.received_on is not None
        now = (row.amount_fen, row.received_on)
        if known.get(row.bank_reference, now) != now:
            row.outcome, row.reasons = BAD, in_every_language([_differs(known[row.bank_reference], now)])
            bad.append(row)
    StatementRow.objects.bulk_update(bad, ["outcome", "reasons"], batch_size=5000)
    return len(bad)


def _remittance(statement: BankStatement, row: StatementRow, *, by: Actor) -> Remittance:
    return Remittance(
        office_id=statement.office_id,
        statement=statement,
        payer_name=row.payer_name,
        remark=row.remark,
        bank_reference=row.bank_reference,
        received_on=row.received_on,
        amount_fen=row.amount_fen,
        entered_by_id=statement.uploaded_by_id,
        named=references_in(row.remark),
    )
