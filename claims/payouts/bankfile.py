"""The bank's files: locked lines → bytes, and bytes → result rows. Pure functions: no database, no clock, no locale.

The generic format of Chinese bank portals: csv in GB18030 with CRLF; sequence, account, name, bank, amount in yuan, remark.
The result file has the remark (our reference), the amount and 成功 or 失败 with the bank's reason.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from unionaid.lib.money import MoneyError, fen_from_yuan, yuan_from_fen

# zh: the bank's own words: title line, columns of both files, outcomes
TITLE = ("批次号", "日期", "笔数", "合计")
# zh: as above
HEADER = ("序号", "收款账号", "收款户名", "开户行", "金额", "附言")
# zh: as above
REMARK, AMOUNT, OUTCOME, REASON = "附言", "金额", "处理结果", "失败原因"
# zh: as above
GOOD, BAD = {"成功", "交易成功", "处理成功"}, {"失败", "交易失败", "处理失败", "退回", "退票"}


class UnfitLine(ValueError):
    """A line that the bank's format cannot hold; the message says which and why."""


class UnreadableReturn(ValueError):
    """The bank's answer cannot be read; nothing of it is booked."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One line for the bank."""

    sequence: int
    account: str
    name: str
    bank: str
    amount_fen: int
    reference: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the bank's answer."""

    row_number: int
    reference: str
    amount_fen: int | None
    succeeded: bool
    reason: str


def unfit(payment: Payment) -> str:
    """Why the bank's file cannot hold this line; empty when it can. Zero and negative amounts never fit."""
    if payment.amount_fen <= 0:
        return _("金额不大于零")
    for text in (payment.name, payment.bank):
        try:
            text.encode("gb18030")
        except UnicodeEncodeError:
            return _("“{text}”里有银行系统不能识别的字").format(text=text)
        if re.search(r"[\r\n\t,\"]", text):
            return _("“{text}”里有分隔符号").format(text=text)
    return "" if re.fullmatch(r"[0-9]{8,30}", payment.account) else _("账号不是 8 到 30 位数字")


def write(batch_number: str, business_on: date, payments: Sequence[Payment]) -> bytes:
    """The file for the bank; the same payments give the same bytes for ever. UnfitLine for a line that cannot go in."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    total = sum(payment.amount_fen for payment in payments)
    day = f"{business_on:%Y%m%d}"
    values = (batch_number, day, len(payments), yuan_from_fen(total))
    writer.writerow([cell for pair in zip(TITLE, values, strict=True) for cell in pair])
    writer.writerow(HEADER)
    for payment in sorted(payments, key=lambda p: p.sequence):
        if why := unfit(payment):
            raise UnfitLine(_("第 {number} 笔：{why}").format(number=payment.sequence, why=why))
        writer.writerow(
            (payment.sequence, payment.account, payment.name, payment.bank, yuan_from_fen(payment.amount_fen), payment.reference)
        )
    return out.getvalue().encode("gb18030")


def read_return(data: bytes) -> list[Answer]:
    """The lines of a result file (csv, GB18030 or UTF-8). UnreadableReturn when anything in it is not understood: a
    file is booked whole or not at all."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise UnreadableReturn(_("文件的文字编码不能识别，请从网银重新下载回盘文件"))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UnreadableReturn(_("文件不是 csv 格式，请从网银下载 csv 回盘文件")) from error
    for start, row in enumerate(rows):
        titles = [cell.strip() for cell in row]
        if {REMARK, AMOUNT, OUTCOME} <= set(titles):
            places = {title: titles.index(title) for title in (REMARK, AMOUNT, OUTCOME)}
            places[REASON] = titles.index(REASON) if REASON in titles else -1
            return [_answer(i, row, places) for i, row in enumerate(rows[start + 1 :], start + 2) if any(row)]
    raise UnreadableReturn(_("文件里没有“附言、金额、处理结果”这一行表头"))


def _answer(number: int, row: Sequence[str], places: dict[str, int]) -> Answer:
    try:
        reference, amount, outcome = (row[places[title]].strip() for title in (REMARK, AMOUNT, OUTCOME))
        reason = row[places[REASON]].strip() if places[REASON] >= 0 else ""
    except IndexError:
        raise UnreadableReturn(_("第 {number} 行缺少列").format(number=number)) from None
    if outcome not in GOOD | BAD:
        raise UnreadableReturn(_("第 {number} 行的处理结果“{outcome}”不能识别").format(number=number, outcome=outcome[:20]))
    try:
        fen = fen_from_yuan(amount.replace(",", ""))
    except MoneyError:
        raise UnreadableReturn(_("第 {number} 行的金额“{amount}”不能识别").format(number=number, amount=amount[:20])) from None
    return Answer(number, reference, fen, outcome in GOOD, reason[:120])
