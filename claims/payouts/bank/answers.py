"""The bank's result files (回盘文件): csv, xlsx, xls, pain.002 or camt.053. A file is read whole or not at all; nothing is guessed."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from claims.payouts.bank import iso20022
from claims.payouts.bank.lines import Answer, UnreadableReturn
from unionaid.lib.memory import without_collector
from unionaid.lib.money import MoneyError, fen_from_yuan
from unionaid.lib.spreadsheet import Limits, SpreadsheetError, read_table

# zh: the bank's own words: columns, outcomes
REMARK, AMOUNT, OUTCOME, REASON = "附言", "金额", "处理结果", "失败原因"
# zh: as above
GOOD, BAD = {"成功", "交易成功", "处理成功"}, {"失败", "交易失败", "处理失败", "退回", "退票"}
# zh: as above
PENDING = {"处理中", "银行处理中", "待处理", "已受理"}
KNOWN = GOOD | BAD | PENDING
MAX_BYTES = 50 * 1024 * 1024  # pain.002 takes some 300 bytes a payment
LIMITS = Limits(max_bytes=MAX_BYTES, max_rows=200_000)


def read(data: bytes) -> list[Answer]:
    """The lines of a result file; what the bytes are decides, never a name. UnreadableReturn when anything in it is not understood."""
    with without_collector():
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            found = iso20022.read(data)
        elif data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            found = _workbook(data)
        else:
            found = _csv(data)
    if not found:
        raise UnreadableReturn(_("文件里没有一笔结果，请核对下载的批次和日期"))
    return found


def _workbook(data: bytes) -> list[Answer]:
    try:
        table = read_table(data, "", LIMITS)
    except SpreadsheetError as error:
        raise UnreadableReturn(_("表格文件读不出来：损坏了、设了密码，或者不是 xlsx、xls 工作簿")) from error
    return _rows([(1, table.header), *zip(table.numbers, table.rows, strict=True)])


def _csv(data: bytes) -> list[Answer]:
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
        raise UnreadableReturn(_("文件不是 csv 格式，请从网银下载 csv、xlsx 或 XML 回盘文件")) from error
    return _rows(enumerate(rows, 1))


def _rows(numbered: Iterable[tuple[int, Sequence[str]]]) -> list[Answer]:
    """Banks put lines of their own above the titles; what stands below the titles are answers."""
    places: dict[str, int] = {}
    found = []
    for number, row in numbered:
        cells = [cell.strip() for cell in row]
        if places:
            if any(cells):
                found.append(_answer(number, cells, places))
        elif {REMARK, AMOUNT, OUTCOME} <= set(cells):
            places = {title: cells.index(title) for title in (REMARK, AMOUNT, OUTCOME)}
            places[REASON] = cells.index(REASON) if REASON in cells else -1
    if not places:
        raise UnreadableReturn(_("文件里没有“附言、金额、处理结果”这一行表头"))
    return found


def _answer(number: int, row: Sequence[str], places: dict[str, int]) -> Answer:
    try:
        reference, amount, outcome = row[places[REMARK]], row[places[AMOUNT]], row[places[OUTCOME]]
        reason = row[places[REASON]] if places[REASON] >= 0 else ""
    except IndexError:
        raise UnreadableReturn(_("第 {number} 行缺少列").format(number=number)) from None
    if "\x00" in reference + reason:
        raise UnreadableReturn(_("第 {number} 行里有看不见的字符，文件可能已损坏，请重新下载").format(number=number))
    if outcome not in KNOWN:
        raise UnreadableReturn(_("第 {number} 行的处理结果“{outcome}”不能识别").format(number=number, outcome=outcome[:20]))
    try:
        fen = fen_from_yuan(amount.replace(",", ""))
    except MoneyError:
        raise UnreadableReturn(_("第 {number} 行的金额“{amount}”不能识别").format(number=number, amount=amount[:20])) from None
    return Answer(number, reference, fen, None if outcome in PENDING else outcome in GOOD, reason[:120])
