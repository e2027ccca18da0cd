"""Whatever a roster file is made of, reading it ends with rows or with a sentence; a workbook made to kill ends only its own process."""

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from unionaid.lib.identity import IdentityError, parse_id_number, parse_person_name
from unionaid.lib.spreadsheet import Column, Sheet, SpreadsheetError, csv_bytes, read_table, write_workbook

HEAD, ROW = ["姓名", "身份证号", "手机号"], ["王小明", "110101199003074514", "13800138000"]
SHEET = "xl/worksheets/sheet1.xml"


def book(fill: Callable[[Any, Any], Any]) -> bytes:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    fill(made, made.add_worksheet("名册"))
    made.close()
    return out.getvalue()


PLAIN = book(lambda _book, page: (page.write_row(0, 0, HEAD), page.write_row(1, 0, ROW)))


def changed(old: bytes, new: bytes) -> bytes:
    """The plain book with its sheet rewritten by hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            raw = source.read(member.filename)
            assert member.filename != SHEET or old in raw
            target.writestr(member.filename, raw.replace(old, new, 1) if member.filename == SHEET else raw)
    return out.getvalue()


def at_the_end(rows: bytes) -> bytes:
    return changed(b"</sheetData>", rows + b"</sheetData>")


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(SHEET, content)
    return out.getvalue()


def _merged(_book: Any, page: Any) -> None:
    page.merge_range(0, 0, 0, 2, "2026 年度名册")
    page.write_row(1, 0, HEAD)
    page.write_row(2, 0, ROW)


def _hidden(_book: Any, page: Any) -> None:
    page.write_row(0, 0, HEAD)
    page.write_row(1, 0, ROW)
    page.set_column(1, 1, None, None, {"hidden": True})


def _formulas(_book: Any, page: Any) -> None:
    page.write_row(0, 0, HEAD)
    page.write_formula(1, 0, '=HYPERLINK("http://x.example","y")', None, "王小明")
    page.write_string(1, 1, ROW[1])
    page.write_formula(1, 2, "=13800138000", None, 13800138000)


BLANK_ROWS = b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (i, i) for i in range(3, 1_048_577))
TEXT = b'<row r="3"><c r="A3" t="inlineStr"><is><t>x</t></is></c><c r="B3" t="inlineStr"><is><t>y</t></is></c></row>'


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PLAIN, id="as it should be"),
        pytest.param(book(_merged), id="a merged title above the header"),
        pytest.param(book(_hidden), id="a hidden column"),
        pytest.param(book(_formulas), id="formulas: their values count"),
        pytest.param(at_the_end(BLANK_ROWS), id="1,048,576 blank rows"),
        pytest.param(changed(b'ref="A1:C2"', b'ref="A1:A1"'), id="a dimension that lies small"),
        pytest.param(changed(b'ref="A1:C2"', b'ref="A1:XFD1048576"'), id="a dimension that lies large"),
        pytest.param(changed(b"<worksheet ", b'<!DOCTYPE x [<!ENTITY a "A">]><worksheet '), id="a document type nobody uses"),
    ],
)
def test_the_rows_are_read(data: bytes) -> None:
    table = read_table(data, "x.xlsx")
    assert (table.header, table.rows) == (HEAD, [ROW])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "文件是空的", id="no bytes"),
        pytest.param(book(lambda _book, _page: None), "没有内容", id="an empty sheet"),
        pytest.param(book(lambda _book, page: page.write(0, 0, "姓名")), "每一行只有一格", id="one column"),
        pytest.param(
            at_the_end(b'<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row>'), "展开后太大", id="a cell in the last corner"
        ),
        pytest.param(zipped(b"0" * 400_000_000), "展开后太大", id="a zip bomb"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "密码", id="an encrypted book"),
        pytest.param(PLAIN[: len(PLAIN) // 2], "已损坏", id="half a file"),
        pytest.param(b"PK\x03\x04" + bytes(500), "已损坏", id="no archive"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(500), "这不是名册文件", id="a photo"),
        pytest.param(b"\x00\x01\x02", "这不是名册文件", id="bytes"),
        pytest.param("<html><table><tr><td>姓名</td></tr></table>".encode(), "网页", id="a web page that is called xls"),
        pytest.param('姓名,身份证号\n"张三,1\n李四,2\n'.encode(), "格式不对", id="a quote that swallows the people behind it"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(SpreadsheetError, match=words):
        read_table(data, "x.xlsx")


def test_the_sheet_that_is_seen_is_read_and_the_others_are_named() -> None:
    """Whoever stands on a second sheet is not enrolled: that is said, and never an old, hidden sheet taken instead."""

    def fill(made: Any, hidden: Any) -> None:
        pages = [hidden, *(made.add_worksheet(name) for name in ("说明", "车间一", "车间二", "空"))]
        for page, name in zip(pages, ("旧人", "", "张三", "李四"), strict=False):
            page.write_column(0, 0, ["先看这里", "再填表"]) if not name else page.write_row(0, 0, HEAD) or page.write_row(1, 0, [name, "1"])
        hidden.hide()
        pages[2].activate()

    table = read_table(book(fill), "x.xlsx")
    assert ([row[0] for row in table.rows], table.unread) == (["张三"], ["车间二", "说明"])


def test_entities_are_never_unfolded() -> None:
    entity = b'<!DOCTYPE x [<!ENTITY a "AAAA"><!ENTITY b "&a;&a;">]><worksheet '
    data = changed(b"<worksheet ", entity)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for member in source.infolist():
            raw = source.read(member.filename)
            target.writestr(member.filename, raw.replace(b"</sheetData>", TEXT.replace(b"x", b"&b;") + b"</sheetData>"))
    try:
        cells = [cell for row in read_table(out.getvalue(), "x.xlsx").rows for cell in row]
    except SpreadsheetError:
        return
    assert not any("AAAA" in cell for cell in cells)


def test_without_a_process_of_its_own_such_a_book_ends_the_worker() -> None:
    """The control: the same bytes given to the parser directly."""
    data = at_the_end(b'<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row>')
    book = "CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))"
    program = f"import io, sys; from python_calamine import CalamineWorkbook; {book}.get_sheet_by_index(0)"
    assert subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=False).returncode < 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_the_usual_encodings_with_rare_characters(encoding: str) -> None:
    text = "姓名,身份证号\n𠮷野䶮,110101199003074514\n阿卜杜·克里木,11010119900307002x\n"
    rows = read_table(text.encode(encoding), "a.csv").rows
    assert [parse_person_name(name) for name, _number in rows] == ["𠮷野䶮", "阿卜杜·克里木"]


def test_a_number_that_is_none_ends_only_its_own_line() -> None:
    data = at_the_end(b'<row r="3"><c r="A3"><v>NaN</v></c><c r="B3"><v>inf</v></c></row>')
    assert read_table(data, "x.xlsx").rows == [ROW, ["nan", "inf", ""]]


def test_what_the_name_says_does_not_matter() -> None:
    assert read_table(PLAIN, "roster.xls").rows == [ROW]
    assert read_table("姓名,身份证号\na,b\n".encode(), "roster.xlsx").rows == [["a", "b"]]


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        (110101199003074514, "scientific"),
        ("1.10101E+17", "scientific"),
        ("110101900307451", "old"),
        ("１１０１０１１９９００３０７４５１４", "110101199003074514"),
        (" 110101 19900307 4514 ", "110101199003074514"),
        ("11010119900307451", "shape"),
        ("110101199013074514", "birth"),
        ("110101199003074515", "check"),
        ("", "empty"),
    ],
)
def test_id_numbers_as_they_come_out_of_cells(cell: Any, outcome: str) -> None:
    def fill(_book: Any, page: Any) -> None:
        page.write_row(0, 0, ["姓名", "身份证号"])
        page.write(1, 0, "王小明")
        page.write_number(1, 1, cell) if isinstance(cell, int) else page.write_string(1, 1, cell)

    text = read_table(book(fill), "x.xlsx").rows[0][1]
    try:
        assert parse_id_number(text).number == outcome
    except IdentityError as error:
        assert error.code == outcome


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1+2", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0"])
def test_no_live_formula_leaves_the_house(text: str) -> None:
    out = io.BytesIO()
    write_workbook(out, [Sheet("a", text, [Column("b")], [[text]])])
    with zipfile.ZipFile(out) as archive:
        assert b"<f>" not in archive.read(SHEET)
    (_header, (cell,)) = csv.reader(io.StringIO(csv_bytes(["b"], [[text]]).decode("utf-8-sig"), newline=""))
    assert cell.startswith("'")
