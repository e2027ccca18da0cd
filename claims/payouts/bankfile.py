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

from unionaid.lib.money import MoneyError, fen_from_yuan, yuan_from_fen

HEADER = ("序号", "收款账号", "收款户名", "开户行", "金额", "附言")
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
        return "金额不大于零"
    for text in (payment.name, payment.bank):
        try:
            text.encode("gb18030")
        except UnicodeEncodeError:
            return f"“{text}”里有银行系统不能识别的字"
        if re.search(r"[\r\n\t,\"]", text):
            return f"“{text}”里有分隔符号"
    return "" if re.fullmatch(r"[0-9]{8,30}", payment.account) else "账号不是 8 到 30 位数字"


def write(batch_number: str, business_on: date, payments: Sequence[Payment]) -> bytes:
    """The file for the bank; the same payments give the same bytes for ever. UnfitLine for a line that cannot go in."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    total = sum(payment.amount_fen for payment in payments)
    day = f"{business_on:%Y%m%d}"
    writer.writerow(("批次号", batch_number, "日期", day, "笔数", len(payments), "合计", yuan_from_fen(total)))
    writer.writerow(HEADER)
    for payment in sorted(payments, key=lambda p: p.sequence):
        if why := unfit(payment):
            raise UnfitLine(f"第 {payment.sequence} 笔：{why}")
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
        raise UnreadableReturn("文件的文字编码不能识别")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UnreadableReturn("文件不是 csv 格式") from error
    for start, row in enumerate(rows):
        titles = [cell.strip() for cell in row]
        if "附言" in titles and "金额" in titles and "处理结果" in titles:
            places = {title: titles.index(title) for title in ("附言", "金额", "处理结果")}
            places["失败原因"] = titles.index("失败原因") if "失败原因" in titles else -1
            return [_answer(i, row, places) for i, row in enumerate(rows[start + 1 :], start + 2) if any(row)]
    raise UnreadableReturn("文件里没有“附言、金额、处理结果”这一行表头")


def _answer(number: int, row: Sequence[str], places: dict[str, int]) -> Answer:
    try:
        reference, amount, outcome = (row[places[title]].strip() for title in ("附言", "金额", "处理结果"))
        reason = row[places["失败原因"]].strip() if places["失败原因"] >= 0 else ""
    except IndexError:
        raise UnreadableReturn(f"第 {number} 行缺少列") from None
    if outcome not in GOOD | BAD:
        raise UnreadableReturn(f"第 {number} 行的处理结果“{outcome[:20]}”不能识别")
    try:
        fen = fen_from_yuan(amount.replace(",", ""))
    except MoneyError:
        raise UnreadableReturn(f"第 {number} 行的金额“{amount[:20]}”不能识别") from None
    return Answer(number, reference, fen, outcome in GOOD, reason[:120])
