"""Rosters in, tables out. Reading: limits before parsing, every cell as text. Writing: text stays text, never a formula."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from unionaid.lib.cells import CELL, OLE, PART, REFUSED, ROW, ZIP, SpreadsheetError, cell_text, clean

ROOT = Path(__file__).resolve().parents[2]
CHILD_SECONDS = 120
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold at most; checked before it is parsed where that is possible."""

    max_bytes: int = 20 * 1024 * 1024
    max_unpacked: int = 300 * 1024 * 1024
    max_rows: int = 100_000
    max_columns: int = 100


FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula


@dataclass(frozen=True, slots=True)
class Table:
    """The header and the rows below it, all text; blank rows are left out, `numbers` are the rows' places in the file. `unread`: the
    names of further sheets that hold something. `hidden`: which of the rows (by number) an xlsx does not show, by hand or by a filter.
    """

    header: list[str]
    rows: list[list[str]]
    numbers: list[int]
    unread: Sequence[str] = ()
    hidden: Sequence[int] = ()


def read_table(data: bytes, file_name: str, limits: Limits = Limits()) -> Table:  # noqa: B008 (frozen)
    """Read the first sheet of an xlsx or xls file that is not hidden and holds something, or a csv in UTF-8, GB18030 or (marked as
    such) UTF-16.

    What the file is decides, not its name. SpreadsheetError in plain words for everything else.
    """
    if not data:
        raise SpreadsheetError("文件是空的，请重新选择名册文件")
    if len(data) > limits.max_bytes:
        raise SpreadsheetError("文件太大，请分成几个文件上传")
    unread, hidden, cells = _sheet(data, limits) if data.startswith((ZIP, OLE)) else ((), (), _csv(data))
    return replace(_table(cells, limits), unread=unread, hidden=hidden)


def _sheet(data: bytes, limits: Limits) -> tuple[Sequence[str], Sequence[int], Iterable[Sequence[str]]]:
    """The names of the sheets that are not read, the hidden rows of the one that is, and its rows as texts, read by a process of its own
    (`sheet_child.py`): a workbook made to exhaust memory ends that process and no more."""
    command = [sys.executable, "-m", "unionaid.lib.sheet_child", str(limits.max_unpacked), str(limits.max_rows), str(limits.max_columns)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=CHILD_SECONDS, cwd=ROOT, check=False)
    except subprocess.TimeoutExpired as error:
        raise SpreadsheetError("文件太大或太复杂，请用下载的名册模板重新填写后再上传") from error
    if done.returncode == 0:
        names, hidden, rows = done.stdout.decode().split(PART, 2)
        numbers = [int(number) for number in hidden.split(CELL)] if hidden else []
        return names.split(CELL) if names else (), numbers, [row.split(CELL) for row in rows.split(ROW)]
    refusal = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if done.returncode == REFUSED and refusal:
        raise SpreadsheetError(refusal[-1])
    raise SpreadsheetError("文件展开后太大，请删除空白的行和列，只保留名册这一张工作表后再上传")


def _csv(data: bytes) -> Iterable[Sequence[str]]:
    marked = data.startswith(_UTF16)  # what spreadsheets call Unicode text
    if (b"\x00" in data[:4096] and not marked) or data[:4] in (b"%PDF", b"\xff\xd8\xff\xe0", b"\x89PNG"):
        raise SpreadsheetError("这不是名册文件，请上传 xlsx、xls 或 csv 文件")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SpreadsheetError("文件的文字编码不能识别，请另存为 xlsx 后再上传")
    if text.lstrip().startswith("<"):
        raise SpreadsheetError("这个文件其实是网页或 XML，不是表格。请用 Excel 或 WPS 打开它，另存为 xlsx 后再上传")
    csv.field_size_limit(10_000)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        say = _unwrapped if '="' in text or "'" in text else cell_text
        return [[say(cell) for cell in line] for line in lines]
    except csv.Error as error:
        raise SpreadsheetError("csv 文件的格式不对，请另存为 xlsx 后再上传") from error


_DELIMITERS = ",\t;，|"  # zh: the comma of Chinese keyboards is among them
_KEPT_AS_TEXT = re.compile(r"""="([^"]*)"|'([0-9=+\-@].*)""", re.DOTALL)


def _delimiter(text: str) -> str:
    """What divides most of the first lines: a tab behind a number, which keeps it a text in Excel, divides no header."""

    def divided(delimiter: str) -> tuple[int, int]:
        widths = [len(line) for line in csv.reader(text[:4000].splitlines(), delimiter=delimiter)]
        return sum(width > 1 for width in widths), sum(widths)

    return max(_DELIMITERS, key=divided)


def _unwrapped(cell: str) -> str:
    """A cell's text without what keeps a number a text in a csv file: ="…", or an apostrophe in front, as `csv_bytes` writes it.

    >>> _unwrapped('="0123"'), _unwrapped("'=1+1"), _unwrapped("O'Neil")
    ('0123', '=1+1', "O'Neil")
    """
    text = cell_text(cell)
    found = _KEPT_AS_TEXT.fullmatch(text) if text.startswith(("=", "'")) else None
    return text if found is None else (found[1] if found[1] is not None else found[2]).strip()


def _table(cells: Iterable[Sequence[str]], limits: Limits) -> Table:
    header: list[str] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    narrow = False
    for number, raw in enumerate(cells, start=1):
        row = list(raw[: limits.max_columns])
        if not any(row):
            continue
        if not header:
            if sum(bool(text) for text in row) < 2:
                narrow = True
                continue  # a title line above the header
            header = row
            continue
        if len(rows) >= limits.max_rows:
            raise SpreadsheetError("名册的行数太多，请分成几个文件上传")
        rows.append(row + [""] * (len(header) - len(row)))
        numbers.append(number)
    if not header and narrow:
        raise SpreadsheetError("文件里每一行只有一格有内容，找不到表头，请使用下载的名册模板")
    if not header:
        raise SpreadsheetError("文件里没有内容，请使用下载的名册模板填写")
    return Table(header, rows, numbers)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a written table. Kinds: text, count, yuan (fen in, yuan shown), ratio (Decimal or None), day. `choices`:
    what a drop-down offers, in the written rows and below them."""

    title: str
    kind: str = "text"
    width: int = 14
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: title line, notes, header, rows; `total` marks a last row that is set off."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()
    has_total: bool = False


FORMATS = {"count": "#,##0", "yuan": "#,##0.00", "ratio": "0.0%", "day": "yyyy-mm-dd", "text": "@"}


def write_workbook(target: IO[bytes], sheets: Sequence[Sheet]) -> None:
    """An xlsx file: values only (no formulas, no links), number formats, frozen header, A4 landscape print set-up."""
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
        },
    )
    # A fixed date of making, so that the same rows give the same bytes.
    book.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001 (xlsx knows no zones)
    try:
        for sheet in sheets:
            _write_sheet(book, sheet)
    finally:
        book.close()


def _write_sheet(book: xlsxwriter.Workbook, sheet: Sheet) -> None:
    page = book.add_worksheet(sheet.name[:31])
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_margins(0.5, 0.5, 0.7, 0.7)
    page.set_footer("&L&A&R&P / &N")
    title = book.add_format({"bold": True, "font_size": 15})
    head = book.add_format({"bold": True, "bg_color": "#E7EEF7", "border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"})
    note = book.add_format({"font_color": "#555555"})
    plain = book.add_format({"num_format": "@"})
    page.write_string(0, 0, clean(sheet.title), title)
    for i, text in enumerate(sheet.notes, start=1):
        page.write_string(i, 0, clean(text), note)
    top = len(sheet.notes) + 1
    for column, spec in enumerate(sheet.columns):
        page.write_string(top, column, clean(str(spec.title)), head)
        page.set_column(column, column, spec.width, plain if spec.kind == "text" else None)  # what is typed below stays text
    formats = {
        (kind, bold): book.add_format({"num_format": shape, "border": 1, "bold": bold, "top": 2 if bold else 1})
        for kind, shape in FORMATS.items()
        for bold in (False, True)
    }
    for column, spec in enumerate(sheet.columns):
        if spec.choices:
            page.data_validation(top + 1, column, top + len(sheet.rows) + 5000, column, {"validate": "list", "source": list(spec.choices)})
    for i, row in enumerate(sheet.rows):
        last = sheet.has_total and i == len(sheet.rows) - 1
        for column, (spec, value) in enumerate(zip(sheet.columns, row, strict=True)):
            _write_cell(page, top + 1 + i, column, spec.kind, value, formats[(spec.kind, last)])
    page.freeze_panes(top + 1, 1)
    page.repeat_rows(top)
    page.print_area(0, 0, top + len(sheet.rows), len(sheet.columns) - 1)
    if sheet.rows:
        page.autofilter(top, 0, top + len(sheet.rows) - int(sheet.has_total), len(sheet.columns) - 1)


def _write_cell(page: Any, row: int, column: int, kind: str, value: Any, shape: Any) -> None:
    if value is None or value == "":
        page.write_blank(row, column, None, shape)
    elif kind == "yuan":
        page.write_number(row, column, Decimal(value) / 100, shape)
    elif kind in ("count", "ratio"):
        page.write_number(row, column, Decimal(value), shape)
    elif kind == "day":
        page.write_datetime(row, column, datetime(value.year, value.month, value.day), shape)  # noqa: DTZ001
    else:
        page.write_string(row, column, clean(str(value))[:32_767], shape)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """UTF-8 csv with a BOM; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    >>> csv_bytes(["a"], [["=1+1"]]).decode("utf-8-sig")
    "a\\r\\n'=1+1\\r\\n"
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in (header, *rows):
        writer.writerow([_harmless(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _harmless(value: Any) -> str:
    text = clean("" if value is None else str(value))
    is_number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
    return "'" + text if text.startswith(FORMULA) and not is_number else text
