"""The process that opens one workbook: bytes in, rows of texts out; ends with 3 and a sentence when it is refused.

A program of its own, with limits on memory and time, since the parser trusts what a file says of its own size: one cell in the
last corner of a sheet makes it ask for half a terabyte, and that ends the process.

    python -m unionaid.lib.sheet_child MAX_UNPACKED MAX_ROWS MAX_COLUMNS < book.xlsx
"""

import gc
import io
import resource
import sys
import zipfile
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from unionaid.lib.cells import CELL, OLE, PART, REFUSED, ROW, ZIP, SpreadsheetError, cell_text
from unionaid.lib.hidden_rows import MARK, hidden_rows

MEMORY, CPU_SECONDS = 1536 * 1024 * 1024, 60


def rows_of(data: bytes, *, max_unpacked: int, max_rows: int, max_columns: int) -> tuple[list[str], list[int], list[list[str]]]:
    """The names of the sheets that are not read, the numbers of the rows that the one that is read does not show (of an xlsx), and every
    row of it, all text. SpreadsheetError in plain words when the file cannot be used."""
    marked = refuse_bomb(data, max_unpacked) if data.startswith(ZIP) else set()
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        if not book.sheet_names:
            raise SpreadsheetError("文件里没有工作表，请使用下载的名册模板")
        sheet, *others = _sheets(book)
        if sheet.total_width > 16_384 or sheet.total_height > max_rows * 20:
            raise SpreadsheetError("工作表太大，请删除空白的行和列后再上传")
        cells: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    except SpreadsheetError:
        raise
    except (CalamineError, OSError, ValueError) as error:
        if "password" in str(error).lower() or data.startswith(OLE):
            raise SpreadsheetError("文件打不开，可能设了密码。请去掉密码、另存为 xlsx 后再上传") from error
        raise SpreadsheetError("文件打不开，请用下载的名册模板重新填写，另存为 xlsx 后再上传") from error
    rows = [[cell_text(value) for value in row[:max_columns]] for row in cells]
    hidden = [number for number in hidden_rows(data, sheet.name, marked) if 0 < number <= len(rows) and any(rows[number - 1])]
    return [cell_text(one.name) for one in others], hidden, rows


def _sheets(book: CalamineWorkbook) -> list[CalamineSheet]:
    """Those that are seen in the workbook and hold something, notes in a single column last; the first one when there are none."""
    kinds = [(one.typ, one.visible) for one in book.sheets_metadata]
    seen = [i for i, kind in enumerate(kinds) if kind == (SheetTypeEnum.WorkSheet, SheetVisibleEnum.Visible)]
    found = [sheet for sheet in map(book.get_sheet_by_index, seen) if sheet.height]
    return sorted(found, key=lambda sheet: sheet.width < 2) or [book.get_sheet_by_index(0)]


def refuse_bomb(data: bytes, max_unpacked: int) -> set[str]:
    """SpreadsheetError when the archive unpacks to more than this, whatever sizes it declares, or is broken. The parts that speak of
    something hidden, seen on the way."""
    marked = set()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > 2000 or sum(m.file_size for m in members) > max_unpacked:
                raise SpreadsheetError("文件展开后太大，请只保留名册这一张工作表后再上传")
            left = max_unpacked
            for member in members:  # the declared sizes may lie: count what really comes out
                with archive.open(member) as stream:
                    end = b""
                    while chunk := stream.read(1 << 20):
                        if MARK in chunk or MARK in end + chunk[: len(MARK)]:
                            marked.add(member.filename)
                        left, end = left - len(chunk), chunk[-len(MARK) :]
                        if left < 0:
                            raise SpreadsheetError("文件展开后太大，请只保留名册这一张工作表后再上传")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise SpreadsheetError("文件已损坏或设了密码，请另存为 xlsx 后再上传") from error
    except Exception as error:  # zlib.error has no common parent with the above
        if isinstance(error, SpreadsheetError):
            raise
        raise SpreadsheetError("文件已损坏，请另存为 xlsx 后再上传") from error
    return marked


def main() -> int:
    gc.disable()  # a million texts in no cycle, looked through again and again: most of its time
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    max_unpacked, max_rows, max_columns = (int(text) for text in sys.argv[1:4])
    try:
        others, hidden, rows = rows_of(sys.stdin.buffer.read(), max_unpacked=max_unpacked, max_rows=max_rows, max_columns=max_columns)
    except SpreadsheetError as refusal:
        sys.stderr.buffer.write(str(refusal).encode())
        return REFUSED
    sys.stdout.buffer.write(f"{CELL.join(others)}{PART}{CELL.join(map(str, hidden))}{PART}".encode())
    sys.stdout.buffer.write(ROW.join([CELL.join(row) for row in rows]).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
