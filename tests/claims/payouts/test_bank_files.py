"""Files for banks and their answers: the same bytes for ever, every place counted, nothing guessed. No database is needed for any of it."""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from xml.etree import ElementTree

import openpyxl
import pytest
import xmlschema

from claims.payouts.bank import answers, formats
from claims.payouts.bank.lines import Answer, Head, Payment, Totals, UnfitLine, UnreadableReturn
from unionaid.lib.money import yuan_from_fen
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.models import BankFormat

HEAD = Head("FK26070100001", date(2026, 7, 1), "榆林市总工会", "6105010000", "中国农业银行榆林分行")
NAMES = ("王小明", "𠮷田·䶮", "买买提·艾力", "欧阳小梅", "A<B>&C")
PAYMENTS = [
    Payment(n, f"62284804025648900{n:02d}", name, "中国农业银行榆林分行", 10_000 * n + 1, f"FK26070100001{n:05d}")
    for n, name in enumerate(NAMES, 1)
]
NAMED = [one for one in PAYMENTS if one.name != "𠮷田·䶮"]  # what GBK can hold


def written(kind: str, head: Head, payments: Sequence[Payment], *, at_once: int = 10_000) -> bytes:
    """The file, written in pieces of so many payments."""
    pieces = [formats.piece(kind, payments[i : i + at_once]) for i in range(0, len(payments), at_once)]
    totals = Totals(len(payments), sum(one.amount_fen for one in payments))
    return b"".join(formats.join(kind, head, totals, pieces))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same machine in another part of the world."""
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("kind", BankFormat.values)
def test_the_same_batch_gives_the_same_bytes_whenever_and_wherever(kind: str, elsewhere: None) -> None:
    payments = NAMED if kind == BankFormat.CSV_GBK else PAYMENTS
    first = written(kind, HEAD, payments)
    time.sleep(1.1)  # a file that carries the second of its making would differ now
    assert written(kind, HEAD, payments[::-1]) == first
    assert written(kind, HEAD, payments, at_once=2) == first, "it does not show how the batch was shared out"
    assert written(kind, HEAD, [replace(payments[0], amount_fen=payments[0].amount_fen + 1), *payments[1:]]) != first


@pytest.mark.parametrize("kind", BankFormat.values)
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount_fen": 0}, "金额不大于零"),
        ({"amount_fen": -1}, "金额不大于零"),
        ({"account": "6228 4804"}, "账号"),
        ({"name": " "}, "没有户名"),
        ({"name": "王\n小明"}, "看不见的字符"),
        ({"bank": "农行\x00"}, "看不见的字符"),
        ({"name": "王\x85小明"}, "看不见的字符"),  # the end of a line, to some
        ({"name": "王\u2028小明"}, "看不见的字符"),
        ({"name": "明\u202e小王"}, "看不见的字符"),
        ({"bank": "\ufeff农行"}, "看不见的字符"),
    ],
)
def test_a_line_that_no_file_may_hold_stops_the_file(kind: str, change: dict[str, object], why: str) -> None:
    bad = replace(PAYMENTS[0], **change)  # type: ignore[arg-type]
    assert why in formats.unfit(kind, bad)
    with pytest.raises(UnfitLine, match="第 1 笔"):
        written(kind, HEAD, [bad])


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        (BankFormat.CSV_GBK, {"name": "龚䶮"}, "䶮"),
        (BankFormat.CSV_GBK, {"name": "𠮷田"}, "𠮷"),
        (BankFormat.CSV, {"name": "王,小明"}, "分隔符号"),
        (BankFormat.CSV, {"bank": '农"行'}, "分隔符号"),
        (BankFormat.CSV, {"bank": "=1+1"}, "公式"),
        (BankFormat.CSV_GBK, {"name": "@王"}, "公式"),
        (BankFormat.FIXED, {"name": "王" * 31}, "60 个字节"),
        (BankFormat.FIXED, {"name": "𠮷" * 16}, "60 个字节"),
        (BankFormat.FIXED, {"bank": "行" * 41}, "80 个字节"),
        (BankFormat.PAIN, {"name": "王" * 141}, "140 个字"),
        (BankFormat.PAIN, {"reference": "附言"}, "附言"),
    ],
)
def test_what_one_kind_of_file_cannot_hold_is_named_with_the_reason(kind: str, change: dict[str, object], why: str) -> None:
    assert why in formats.unfit(kind, replace(PAYMENTS[0], **change))  # type: ignore[arg-type]
    assert formats.unfit(kind, PAYMENTS[0]) == ""


def test_names_fit_to_the_last_byte() -> None:
    """Fifteen 𠮷 of four bytes, thirty common signs of two: just sixty."""
    assert [formats.unfit(BankFormat.FIXED, replace(PAYMENTS[0], name=name)) for name in ("𠮷" * 15, "王" * 30)] == ["", ""]


def test_every_place_of_a_fixed_width_file_is_counted_in_bytes() -> None:
    records = written(BankFormat.FIXED, HEAD, PAYMENTS).split(b"\r\n")
    assert records.pop() == b""
    assert {len(one) for one in records[1:-1]} == {1 + 8 + 32 + 60 + 80 + 15 + 40}
    assert (len(records[0]), len(records[-1])) == (1 + 24 + 8 + 8 + 18 + 32 + 60, 1 + 8 + 18)
    assert [one[41:101].decode("gb18030").rstrip() for one in records[1:-1]] == list(NAMES)
    total = sum(int(one[181:196]) for one in records[1:-1])
    assert total == int(records[-1][9:]) == int(records[0][41:59]) == sum(one.amount_fen for one in PAYMENTS)


def test_a_payers_own_name_ends_at_a_whole_sign() -> None:
    record = written(BankFormat.FIXED, replace(HEAD, payer_name="总" * 40), []).split(b"\r\n")[0]
    assert record[-60:].decode("gb18030") == "总" * 30


def test_the_workbook_holds_texts_and_sums_up() -> None:
    page = openpyxl.load_workbook(io.BytesIO(written(BankFormat.XLSX, HEAD, PAYMENTS))).active
    rows = [list(row) for row in page.iter_rows(min_row=3)]
    assert [row[1].value for row in rows] == [one.account for one in PAYMENTS]
    assert all(cell.data_type != "f" for row in rows for cell in row)
    assert [round(row[4].value * 100) for row in rows] == [one.amount_fen for one in PAYMENTS]


def test_the_message_is_what_the_standard_says() -> None:
    """Against the published schema of ISO 20022."""
    schema = xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))
    message = written(BankFormat.PAIN, HEAD, PAYMENTS).decode()
    schema.validate(message)
    root = ElementTree.fromstring(message)
    at = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
    sums = [one.text for one in root.iter(f"{at}CtrlSum")]
    assert sums == [f"{yuan_from_fen(sum(one.amount_fen for one in PAYMENTS))}"] * 2
    assert [one.text for one in root.iter(f"{at}EndToEndId")] == [one.reference for one in PAYMENTS]
    with pytest.raises(xmlschema.XMLSchemaException):  # the control: the schema does refuse
        schema.validate(message.replace("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>SEND</PmtMtd>"))


def test_a_message_without_a_payer_is_not_made() -> None:
    with pytest.raises(UnfitLine, match="付款账户"):
        written(BankFormat.PAIN, replace(HEAD, payer_account=""), PAYMENTS)
    assert written(BankFormat.CSV, replace(HEAD, payer_account=""), PAYMENTS)


@pytest.mark.parametrize(("kind", "places"), [(BankFormat.FIXED, 32), (BankFormat.PAIN, 34)])
def test_a_payers_account_is_never_cut(kind: str, places: int) -> None:
    assert formats.unfit_head(kind, replace(HEAD, payer_account="6" * places)) == ""
    for account in ("6" * (places + 1), "６１０５"):
        with pytest.raises(UnfitLine, match="付款账号"):
            written(kind, replace(HEAD, payer_account=account), PAYMENTS)
    assert "看不见" in formats.unfit_head(kind, replace(HEAD, payer_name="榆林\x1b"))


# -- what the bank says ----------------------------------------------------------------------------------------------

TITLES = ("附言", "金额", "处理结果", "失败原因")
TOLD = (("R1", "1,000.01", "交易成功", ""), ("R2", "20.00", "退票", "户名不符"), ("R3", "3", "处理中", ""))
MEANT = [(1, 100_001, True, ""), (2, 2000, False, "户名不符"), (3, 300, None, "")]


def _xlsx(rows: tuple[tuple[str, ...], ...] = TOLD) -> bytes:
    out = io.BytesIO()
    write_workbook(out, [Sheet("回盘", "银行回盘", [Column(title) for title in TITLES], rows)])
    return out.getvalue()


def _csv(encoding: str) -> bytes:
    return "\r\n".join(["某某银行,批量付款", ",".join(TITLES), *(",".join(f'"{c}"' for c in row) for row in TOLD)]).encode(encoding)


def _pain_002(*, amount: str = '<Amt><InstdAmt Ccy="CNY">1000.01</InstdAmt></Amt>', encoding: str = "UTF-8", rows: bool = True) -> bytes:
    payments = [
        f"<TxInfAndSts><OrgnlEndToEndId>R1</OrgnlEndToEndId><TxSts>ACSC</TxSts><OrgnlTxRef>{amount}</OrgnlTxRef></TxInfAndSts>",
        "<TxInfAndSts><OrgnlEndToEndId>R2</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>户名不符"
        '</AddtlInf></StsRsnInf><OrgnlTxRef><Amt><InstdAmt Ccy="CNY">20</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>',
        '<TxInfAndSts><OrgnlEndToEndId>R3</OrgnlEndToEndId><TxSts>PDNG</TxSts><OrgnlTxRef><Amt><InstdAmt Ccy="CNY">3.00</InstdAmt>'
        "</Amt></OrgnlTxRef></TxInfAndSts>",
    ]
    body = "".join(payments if rows else ["<PmtInfSts>RJCT</PmtInfSts>"])
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<OrgnlPmtInfAndSts>{body}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode(encoding)


def _camt_053() -> bytes:
    def entry(sign: str, amount: str, reference: str, more: str = "", status: str = "<Cd>BOOK</Cd>") -> str:
        return (
            f'<Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts><NtryDtls><TxDtls><Refs><EndToEndId>'
            f"{reference}</EndToEndId></Refs>{more}</TxDtls></NtryDtls></Ntry>"
        )

    back = "<RtrInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>户名不符</AddtlInf></RtrInf>"
    entries = (
        entry("DBIT", "1000.01", "R1"), entry("CRDT", "20.00", "R2", back), entry("CRDT", "55.00", "HZAAAA3333"),
        entry("DBIT", "9.00", "NOTPROVIDED"), entry("DBIT", "3.00", "R3", status="<Cd>PDNG</Cd>"),
    )  # fmt: skip
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _plain(found: list[Answer]) -> list[tuple[int, int | None, bool | None, str]]:
    return [(int(one.reference[1:]), one.amount_fen, one.succeeded, one.reason) for one in found]


@pytest.mark.parametrize("data", [_csv("gb18030"), _csv("utf-8"), _csv("utf-8-sig"), _xlsx(), _pain_002(), _pain_002(encoding="GBK")])
def test_every_kind_of_answer_says_the_same(data: bytes) -> None:
    assert _plain(answers.read(data)) == MEANT


def test_of_a_statement_only_what_names_a_payment_and_is_booked_counts() -> None:
    assert _plain(answers.read(_camt_053())) == MEANT[:2]


def _entry(payments: str, sign: str = "DBIT", more: str = "") -> str:
    return f'<Ntry><Amt Ccy="CNY">3.00</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}<Sts>BOOK</Sts><NtryDtls>{payments}</NtryDtls></Ntry>'


def _payment(reference: str, amount: str = "", more: str = "") -> str:
    return f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>{amount}{more}</TxDtls>"


def _statement(*entries: str) -> bytes:
    return f"<Document><BkToCstmrStmt><Stmt>{''.join(entries)}</Stmt></BkToCstmrStmt></Document>".encode()


OLD, NEW = ("<AmtDtls><TxAmt>{0}</TxAmt></AmtDtls>", "{0}")  # where a statement has the amount of one payment
TWO = '<Amt Ccy="CNY">2.00</Amt>'


@pytest.mark.parametrize(
    ("data", "means"),
    [
        # One entry for many payments, with the amount of each where this version has it.
        (_statement(_entry(_payment("R1", OLD.format(TWO)) + _payment("R2", NEW.format(TWO)))), [(1, 200, True, ""), (2, 200, True, "")]),
        # What went out and came back in one statement came back; so did what is undone, and what another sent back to us is not ours.
        (_statement(_entry(_payment("R1")), _entry(_payment("R1", more="<RtrInf/>"), "CRDT")), [(1, 300, False, "")]),
        (_statement(_entry(_payment("R1"), "CRDT", "<RvslInd>true</RvslInd>")), [(1, 300, False, "")]),
        (_statement(_entry(_payment("R1", more="<RtrInf/>")), _entry(_payment("R2"))), [(2, 300, True, "")]),
    ],
)
def test_a_statement_says_of_each_payment_what_became_of_it(data: bytes, means: list[tuple[int, int, bool, str]]) -> None:
    assert _plain(answers.read(data)) == means


BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><Document>&c;</Document>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "表头"),
        (b"\xff\xfe\x00\x01", "编码"),
        ("附言,金额,处理结果\r\nR1,1.00".encode(), "第 2 行缺少列"),
        ("附言,金额,处理结果\r\nR1,1.00,也许".encode(), "也许"),
        ("附言,金额,处理结果\r\nR1,1.005,成功".encode(), "1.005"),
        ("附言,金额,处理结果\r\n".encode(), "没有一笔结果"),
        (_csv("utf-8") + b'"', "csv"),
        (_xlsx()[:600], "文件"),
        (_xlsx((("R1", "1.00", "也许", ""),)), "也许"),
        (_pain_002()[:-20], "XML"),
        (_pain_002(rows=False), "只说了整批"),
        (_statement(_entry(_payment("R1") + _payment("R2"))), "第 1 笔没有金额"),
        ("附言,金额,处理结果\r\nR\x001,1.00,成功".encode(), "第 2 行里有看不见的字符"),
        ("附言,金额,处理结果,失败原因\r\nR1,1.00,失败,\x00".encode(), "第 2 行里有看不见的字符"),
        (_pain_002(amount=""), "没有金额"),
        (_pain_002(amount='<Amt><InstdAmt Ccy="USD">1000.01</InstdAmt></Amt>'), "人民币"),
        (b"<html><body>login</body></html>", "pain.002"),
        (BOMB, "XML"),
        (OUTSIDE, "XML"),
    ],
)
def test_what_is_not_understood_is_refused_whole(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableReturn, match=why):
        answers.read(data)
