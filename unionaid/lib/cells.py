"""What a cell says, as text. Apart from the rest of `spreadsheet.py`, since the process that opens a workbook needs no more and
is started for every file."""

import re
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# How that process ends when it refuses the file, and what stands between the cells and the rows that it tells, behind the names of
# the sheets that it did not read, and behind the numbers of the rows that are hidden: no cell holds these control characters.
REFUSED, CELL, ROW, PART = 3, "\x1f", "\x1e", "\x1d"


class SpreadsheetError(ValueError):
    """The file cannot be used; the message says why and what to do."""


def cell_text(value: Any) -> str:
    """A cell as text. A number of more than fifteen digits lost its end in Excel: it is shown as Excel keeps it
    (1.10101E+17), so that whoever reads it as an ID number refuses it."""
    if isinstance(value, str):
        return value.strip() if value.isprintable() else clean(value).strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"  # zh: what cells say
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not isfinite(value):
            return str(value)  # no spreadsheet writes it; whatever column it stands in refuses it
        if abs(value) >= 10**15:
            return f"{Decimal(value):.5E}"
        return str(int(value)) if value == int(value) else str(Decimal(str(value)))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return clean(str(value)).strip()


def clean(text: str) -> str:
    """Without control characters and lone surrogates, which no workbook can hold."""
    return _CONTROL.sub("", text)
