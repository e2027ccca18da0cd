"""What a bank's statement (流水、对账单) says: csv (UTF-8, GB18030), xlsx, xls, or CAMT.053 in XML. Reading only; nothing is guessed:
a line that cannot be read says why."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree
from xml.parsers import expat

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from unionaid.lib.calendar import DateError, parse_date
from unionaid.lib.cells import OLE, ZIP
from unionaid.lib.guarded_xml import UnsafeXml, guarded_parser
from unionaid.lib.money import LIMIT_FEN, MoneyError, fen_from_yuan
from unionaid.lib.spreadsheet import Limits, SpreadsheetError, read_table

MAX_BYTES, MAX_ROWS, DEPTH = 20 * 1024 * 1024, 50_000, 64
LIMITS = Limits(max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
HEADER_WITHIN = 30  # rows above the header that banks put there: account, holder, period
NAMED = re.compile("HZ[ABCDEFGHJKLMNPQRTUWXY346789]{8}")
# What the office wrote on a payment of its own: the number of a batch and a line of it, or of a refund.
OWN_PAYMENT = re.compile(r"(?P<batch>FK\d{14})(?P<line>\d{5})?|(?P<refund>TK\d{12})")

# zh: what banks call the columns of their statements
COLUMNS: dict[str, tuple[str, ...]] = {
    "received_on": ("交易日期", "记账日期", "入账日期", "到账日期", "交易时间", "交易日", "入账时间", "记账日", "起息日", "日期"),
    "credit": ("贷方金额", "贷方发生额", "收入金额", "收入", "存入金额", "存入", "转入金额", "到账金额", "贷方", "贷方交易金额"),
    "debit": ("借方金额", "借方发生额", "支出金额", "支出", "支取金额", "取出金额", "转出金额", "借方", "借方交易金额"),
    "amount": ("交易金额", "发生额", "金额", "交易额"),
    "balance": ("余额", "账户余额", "当前余额", "交易后余额", "本次余额", "联机余额", "账面余额"),
    "direction": ("借贷标志", "借贷方向", "借贷", "借贷标识", "收支标志", "收支方向", "收支", "收支类型", "资金方向"),
    "payer_name": (
        "对方户名", "对方名称", "对方账户名称", "对方账户名", "对方单位名称", "对方单位", "付款人名称", "付款人", "付款方户名",
        "付款方名称", "付款人户名", "付款户名", "交易对方", "交易对手", "交易对手名称", "对手户名",
    ),
    "bank_reference": (
        "交易流水号", "银行流水号", "流水号", "核心流水号", "主机流水号", "交易流水", "交易号", "交易编号", "业务流水号", "交易参考号",
        "参考号", "柜员流水号", "账户明细编号", "明细编号", "账户明细编号交易流水号",
    ),
}  # fmt: skip
# zh: as above; all of them together are the remark
REMARKS = ("附言", "交易附言", "摘要", "用途", "备注", "客户附言", "转账附言", "交易摘要", "摘要说明", "交易用途", "留言")
# zh: as above
CREDIT = {"贷", "收", "收入", "贷方", "来账", "转入", "c", "cr", "crdt", "+"}
# zh: as above
DEBIT = {"借", "支", "支出", "借方", "往账", "转出", "d", "dr", "dbit", "-"}


class UnreadableStatement(ValueError):
    """The file cannot be used; the words say why and what to do, in whatever language they are read."""

    def __init__(self, words: str | Promise) -> None:
        super().__init__(words)
        self.words = words


@dataclass(slots=True)
class Line:
    """One line as the bank wrote it. `outgoing` lines are none of our business; a line with `reasons` cannot be taken."""

    number: int
    received_on: date | None = None
    amount_fen: int | None = None
    payer_name: str = ""
    remark: str = ""
    bank_reference: str = ""
    outgoing: bool = False
    balance_fen: int | None = None
    reasons: list[str | Promise] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of a file, the account it is of and what lay on it at the end of each day, where the file says so."""

    lines: list[Line]
    account: str = ""
    balances: dict[date, int] = field(default_factory=dict)


def references_in(text: str) -> list[str]:
    """The references of debts that a remark names, in its order; full-width letters, blanks and hyphens do not matter.

    >>> references_in("互助费 hz-ABCD 3467，ＨＺＱＱＱＱ４４４４")
    ['HZABCD3467', 'HZQQQQ4444']
    """
    return list(dict.fromkeys(NAMED.findall(_joined(text))))


def _joined(text: str) -> str:
    return re.sub(r"[\s\-_.·]", "", unicodedata.normalize("NFKC", text)).upper()


def own_payment_in(text: str) -> Promise | None:
    """What is to be done with money whose remark names a payment of the office's own: the bank has sent it back, and it settles no debt
    but is booked where it was paid from. None when the remark names no such thing."""
    found = OWN_PAYMENT.search(_joined(text))
    if found is None:
        return None
    if found["refund"]:
        words = _(
            "附言是本机构退款 {number} 的编号，像是这笔退款被银行退回，不作来款导入。请打开这笔退款，登记银行退回；"
            "确实是别人转来的钱，用“登记一笔来款”登记"
        )
        return format_lazy(words, number=found["refund"])
    words = _(
        "附言是本机构付款 {number} 的编号，像是这笔互助金被银行退回，不作来款导入。请打开给付批次 {batch}，导入银行的回盘文件（退票），"
        "职工更正账户后重新付款；确实是别人转来的钱，用“登记一笔来款”登记"
    )
    return format_lazy(words, number=found[0], batch=found["batch"])


def read(data: bytes, file_name: str, *, on: date) -> Statement:
    """Every line of a statement. What the bytes are decides, never the name. UnreadableStatement in plain words."""
    if not data:
        raise UnreadableStatement(_("文件是空的，请重新从网银下载流水。"))
    if len(data) > MAX_BYTES:
        raise UnreadableStatement(_("文件超过 20 MB，请缩短日期范围，分几次下载和导入。"))
    found = _camt(data) if _is_xml(data) else _table(data, file_name)
    if not found.lines:
        raise UnreadableStatement(_("文件里没有一笔流水，请核对下载的日期范围。"))
    for line in found.lines:
        _judge(line, on=on)
    _repeated(found.lines)
    return found


def _judge(line: Line, *, on: date) -> None:
    """What every kind of file has in common: what a line of money that arrived needs."""
    if line.outgoing:
        line.reasons = []
        return
    if line.received_on is None and not line.reasons:
        line.reasons.append(_("没有交易日期"))
    elif line.received_on is not None and line.received_on > on:
        line.reasons.append(_("交易日期在今天之后"))
    if line.amount_fen is None and not line.reasons:
        line.reasons.append(_("没有金额"))
    elif line.amount_fen == 0:
        line.reasons.append(_("金额是 0"))
    if not line.bank_reference:
        line.reasons.append(_("没有银行流水号"))
    elif len(line.bank_reference) > 60:
        line.reasons.append(_("银行流水号超过 60 个字"))
        line.bank_reference = line.bank_reference[:60]
    if own := own_payment_in(line.remark):
        line.reasons.append(own)


def _repeated(lines: Sequence[Line]) -> None:
    first: dict[str, int] = {}
    for line in lines:
        if line.outgoing or not line.bank_reference:
            continue
        if line.bank_reference in first:
            line.reasons.append(format_lazy(_("流水号与第 {row} 行相同"), row=first[line.bank_reference]))
        first.setdefault(line.bank_reference, line.number)


def _fen(text: str) -> int:
    """Fen of an amount as banks write it; MoneyError otherwise."""
    plain = re.sub(r"[\s,¥]|(CNY|RMB|元)", "", unicodedata.normalize("NFKC", text))  # zh: how amounts are written
    plain = plain.removeprefix("+")
    if not re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]{1,5})?", plain):
        raise MoneyError(text[:30])
    fen = fen_from_yuan(Decimal(plain))
    if abs(fen) >= LIMIT_FEN:
        raise MoneyError(text[:30])
    return fen


# -- tables ----------------------------------------------------------------------------------------------------------


def _table(data: bytes, file_name: str) -> Statement:
    try:
        table = read_table(data, file_name, LIMITS)
    except SpreadsheetError as error:
        raise UnreadableStatement(_about_statements(str(error))) from error
    width = max([len(table.header), *(len(row) for row in table.rows)])
    rows = [(0, table.header), *zip(table.numbers, table.rows, strict=True)]
    for at, (_number, cells) in enumerate(rows[:HEADER_WITHIN]):
        places, remarks = _places(cells)
        if _is_header(places):
            body = [(number, row + [""] * (width - len(row))) for number, row in rows[at + 1 :]]
            lines = [_line(number, row, places, remarks) for number, row in body if any(row)]
            if not data.startswith((ZIP, OLE)):
                _doubt_wide(lines, [row for _number, row in body if any(row)], max(i for i, cell in enumerate(cells) if cell) + 1)
            return Statement(lines, balances=_day_balances(lines))
    raise UnreadableStatement(
        _(
            "没有找到表头。流水里要有这些列：交易日期、收入金额（或交易金额加借贷标志）、对方户名、附言或摘要、交易流水号。请从网银重新下载明细。"
        )
    )


def _doubt_wide(lines: Sequence[Line], rows: Sequence[Sequence[str]], width: int) -> None:
    """A line of a csv file with more cells than the header: a comma within it divides what belongs together (1,250.00 would be read as
    1), and all that stands behind it is under the wrong title."""
    for line, row in zip(lines, rows, strict=True):
        if any(row[width:]):
            line.outgoing = False
            line.reasons.append(_("这一行的格子比表头多，可能是金额或附言里的逗号没有加引号，不能确定金额。请从网银下载 xlsx 格式再导入"))


def _about_statements(words: str) -> str | Promise:
    """The sentence of the common reader, which speaks of rosters, for those who import a statement."""
    if "名册" in words or "csv" in words:  # zh: its words
        return _("文件打不开或读不懂。请从网银重新下载 xlsx、csv 或 CAMT.053 格式的流水，不要改动后再导入。")
    return words


def _places(cells: Sequence[str]) -> tuple[dict[str, int], list[int]]:
    """Which column is what, and which make up the remark."""
    places: dict[str, int] = {}
    remarks = []
    titles = [_title(cell) for cell in cells]
    for key, names in COLUMNS.items():  # the first synonym that is there wins, not the first column
        for name in names:
            if name in titles:
                places[key] = titles.index(name)
                break
    for name in REMARKS:
        remarks += [i for i, title in enumerate(titles) if title == name]
    return places, sorted(remarks)


def _title(cell: str) -> str:
    plain = unicodedata.normalize("NFKC", cell)
    return re.sub(r"\([^)]*\)|\[[^]]*\]|[\s*:/、]", "", plain)


def _is_header(places: Mapping[str, int]) -> bool:
    paid = "credit" in places or "amount" in places
    return paid and "received_on" in places and "bank_reference" in places


def _line(number: int, row: Sequence[str], places: Mapping[str, int], remarks: Sequence[int]) -> Line:
    said = {key: row[i].strip() for key, i in places.items()}
    line = Line(number, payer_name=said.get("payer_name", "")[:120], bank_reference=_reference(said["bank_reference"]))
    line.remark = " ".join(dict.fromkeys(row[i].strip() for i in remarks if row[i].strip()))[:200]
    try:
        line.received_on = _day(said["received_on"]) if said["received_on"] else None
    except DateError:
        line.reasons.append(format_lazy(_("交易日期“{text}”读不懂"), text=said["received_on"][:20]))
    _amount(line, said)
    try:
        line.balance_fen = _fen(said["balance"]) if said.get("balance") else None
    except MoneyError:
        line.balance_fen = None  # then the file says nothing of the days
    return line


def _day_balances(lines: Sequence[Line]) -> dict[date, int]:
    """What lay on the account at the end of each day, out of the balance behind each line; nothing unless every line has one and each is
    the one before plus what came or went, read from the top or from the bottom."""
    for ordered in (lines, lines[::-1]):
        if _adds_up(ordered):
            return {line.received_on: line.balance_fen for line in ordered if line.received_on and line.balance_fen is not None}
    return {}


def _adds_up(lines: Sequence[Line]) -> bool:
    before: Line | None = None
    for line in lines:
        if line.balance_fen is None or line.amount_fen is None or line.received_on is None or line.reasons:
            return False
        if before is not None and before.balance_fen is not None and before.received_on is not None:
            came = -line.amount_fen if line.outgoing else line.amount_fen
            if line.received_on < before.received_on or line.balance_fen != before.balance_fen + came:
                return False
        before = line
    return before is not None


def _reference(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(" '`")


def _day(text: str) -> date:
    """The day of a date or a moment: 2026-01-05, 2026/1/5 10:20, 20260105102030."""
    plain = unicodedata.normalize("NFKC", text).strip()
    head = re.split(r"[ T]", plain, maxsplit=1)[0]
    if re.fullmatch(r"[0-9]{14}", head):
        head = head[:8]
    return parse_date(head)


def _amount(line: Line, said: Mapping[str, str]) -> None:
    """Money in, money out, or a reason. Two columns, or one with a mark, or one with a sign."""
    try:
        credit = _fen(said["credit"]) if said.get("credit") else 0
        debit = _fen(said["debit"]) if said.get("debit") else 0
        if credit or debit:
            if credit and debit:
                line.reasons.append(_("收入和支出都有金额"))
            elif credit < 0 or debit < 0:
                line.reasons.append(_("冲正的流水，请人工处理"))
            line.amount_fen, line.outgoing = credit or debit, bool(debit and not credit and debit > 0)
        elif said.get("amount"):
            _signed(line, _fen(said["amount"]), said.get("direction", ""))
        elif said.get("credit") or said.get("debit"):
            line.amount_fen = 0
    except MoneyError:
        text = said.get("credit") or said.get("debit") or said.get("amount", "")
        line.reasons.append(format_lazy(_("金额“{text}”读不懂"), text=text[:20]))


def _signed(line: Line, fen: int, direction: str) -> None:
    mark = unicodedata.normalize("NFKC", direction).strip().lower()
    line.amount_fen = abs(fen)
    if mark in DEBIT:
        line.outgoing = fen >= 0
    elif mark and mark not in CREDIT:
        line.reasons.append(format_lazy(_("收支方向“{text}”读不懂"), text=direction[:10]))
    elif not mark:
        line.outgoing = fen < 0
    if mark and fen < 0:
        line.reasons.append(_("冲正的流水，请人工处理"))


# -- CAMT.053 --------------------------------------------------------------------------------------------------------

CAMT = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.[0-9]{2}")


def _is_xml(data: bytes) -> bool:
    head = data[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith((b"<", b"<\x00")) or head[:2] == b"\x00<"


def _refuse_unsafe(data: bytes) -> None:
    """No document type, no entities, no deep nesting: the parser meets them before anything is expanded or built."""
    depth = 0

    def start(*_args: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise UnsafeXml("too deep")

    def end(*_args: object) -> None:
        nonlocal depth
        depth -= 1

    parser = guarded_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(data, True)


def _camt(data: bytes) -> Statement:
    try:
        _refuse_unsafe(data)
        root = ElementTree.fromstring(data)  # noqa: S314 (document types and entities were refused above)
    except UnsafeXml as error:
        raise UnreadableStatement(_("文件里有不允许的内容（文档类型或实体定义），不能导入。请从网银重新下载。")) from error
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise UnreadableStatement(_("XML 文件不完整或格式不对，请从网银重新下载 CAMT.053 对账单。")) from error
    space = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    if not CAMT.fullmatch(space) or root.tag != f"{{{space}}}Document":
        raise UnreadableStatement(_("这不是 CAMT.053 对账单（命名空间应为 camt.053.001），请从网银重新下载。"))
    ns = {"c": space}
    entries = root.findall("c:BkToCstmrStmt/c:Stmt/c:Ntry", ns)
    if len(entries) > MAX_ROWS:
        raise UnreadableStatement(format_lazy(_("文件超过 {count} 笔，请缩短日期范围，分几次下载和导入。"), count=MAX_ROWS))
    lines: list[Line] = []
    for entry in entries:
        for line in _entry_lines(entry, ns):
            line.number = len(lines) + 1
            lines.append(line)
    accounts = {_text(a, "c:Id/c:IBAN", ns) or _text(a, "c:Id/c:Othr/c:Id", ns) for a in root.findall("c:BkToCstmrStmt/c:Stmt/c:Acct", ns)}
    return Statement(lines, accounts.pop() if len(accounts) == 1 else "", _camt_balances(root, ns))


def _camt_balances(root: ElementTree.Element, ns: Mapping[str, str]) -> dict[date, int]:
    """The closing balances (CLBD) by day; nothing when two of one day differ or one cannot be read."""
    found: dict[date, int] = {}
    for balance in root.findall("c:BkToCstmrStmt/c:Stmt/c:Bal", ns):
        if _text(balance, "c:Tp/c:CdOrPrtry/c:Cd", ns) != "CLBD":
            continue
        amount, side = balance.find("c:Amt", ns), _text(balance, "c:CdtDbtInd", ns)
        try:
            day = _day(_text(balance, "c:Dt/c:Dt", ns) or _text(balance, "c:Dt/c:DtTm", ns))
            fen = _fen(amount.text or "") if amount is not None and amount.get("Ccy") == "CNY" else None
        except (DateError, MoneyError):
            return {}
        signed = None if fen is None else {"CRDT": fen, "DBIT": -fen}.get(side)
        if signed is None or found.setdefault(day, signed) != signed:
            return {}
    return found


def _entry_lines(entry: ElementTree.Element, ns: Mapping[str, str]) -> Iterator[Line]:
    """The lines of one booking: one, or one per transfer when the bank booked many together and says how much each was."""
    status = _text(entry, "c:Sts", ns) or _text(entry, "c:Sts/c:Cd", ns)
    if status != "BOOK":
        return  # announced, not booked
    outgoing = _text(entry, "c:CdtDbtInd", ns) == "DBIT"
    day = next((t for path in ("c:ValDt", "c:BookgDt") for leaf in ("Dt", "DtTm") if (t := _text(entry, f"{path}/c:{leaf}", ns))), "")
    own = _text(entry, "c:AcctSvcrRef", ns) or _text(entry, "c:NtryRef", ns)
    details = entry.findall("c:NtryDtls/c:TxDtls", ns)
    whole = Line(0, bank_reference=own, outgoing=outgoing)
    _money(whole, entry.find("c:Amt", ns))
    parts = [_detail(one, i, own, outgoing, ns) for i, one in enumerate(details, start=1)] if len(details) > 1 else []
    if not parts or any(part.amount_fen is None for part in parts) or sum(part.amount_fen or 0 for part in parts) != whole.amount_fen:
        if details:
            first = details[0]
            whole.payer_name, whole.remark = _party(first, ns), _remark(first, ns)
            whole.bank_reference = own or _text(first, "c:Refs/c:AcctSvcrRef", ns)
        whole.remark = (whole.remark or _text(entry, "c:AddtlNtryInf", ns))[:200]
        parts = [whole]
    for part in parts:
        try:
            part.received_on = _day(day) if day else None
        except DateError:
            part.reasons.append(format_lazy(_("交易日期“{text}”读不懂"), text=day[:20]))
        if _text(entry, "c:RvslInd", ns) in ("true", "1"):
            part.reasons.append(_("冲正的流水，请人工处理"))
            part.outgoing = False
        elif not outgoing and _text(entry, "c:CdtDbtInd", ns) != "CRDT":
            part.reasons.append(_("没有收支方向"))
        yield part


def _detail(one: ElementTree.Element, place: int, own: str, outgoing: bool, ns: Mapping[str, str]) -> Line:
    reference = _text(one, "c:Refs/c:AcctSvcrRef", ns)
    line = Line(0, bank_reference=reference if reference and reference != own else f"{own}/{place}" if own else "", outgoing=outgoing)
    found = one.find("c:Amt", ns)
    _money(line, found if found is not None else one.find("c:AmtDtls/c:TxAmt/c:Amt", ns))
    line.payer_name, line.remark = _party(one, ns), _remark(one, ns)
    return line


def _money(line: Line, element: ElementTree.Element | None) -> None:
    if element is None or not element.text:
        return
    if element.get("Ccy") != "CNY":
        line.reasons.append(format_lazy(_("不是人民币（{currency}）"), currency=(element.get("Ccy") or "—")[:3]))
    try:
        line.amount_fen = _fen(element.text)
    except (MoneyError, InvalidOperation):
        line.reasons.append(format_lazy(_("金额“{text}”读不懂"), text=element.text.strip()[:20]))


def _party(one: ElementTree.Element, ns: Mapping[str, str]) -> str:
    paths = (
        "c:RltdPties/c:Dbtr/c:Nm",
        "c:RltdPties/c:Dbtr/c:Pty/c:Nm",
        "c:RltdPties/c:UltmtDbtr/c:Nm",
        "c:RltdPties/c:UltmtDbtr/c:Pty/c:Nm",
    )
    return next((name for path in paths if (name := _text(one, path, ns))), "")[:120]


def _remark(one: ElementTree.Element, ns: Mapping[str, str]) -> str:
    texts = [t.text for path in ("c:RmtInf/c:Ustrd", "c:RmtInf/c:Strd/c:CdtrRefInf/c:Ref", "c:AddtlTxInf") for t in one.findall(path, ns)]
    end_to_end = _text(one, "c:Refs/c:EndToEndId", ns)
    if references_in(end_to_end) or own_payment_in(end_to_end):
        texts.append(end_to_end)
    return " ".join(dict.fromkeys(_plain(text) for text in texts if text and text.strip()))[:200]


def _text(element: ElementTree.Element, path: str, ns: Mapping[str, str]) -> str:
    return _plain(element.findtext(path, "", dict(ns)) or "")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)).strip()
