"""Files as Chinese bank portals take them for many payments at once: csv in GB18030 or GBK, and xlsx. The same payments give the same
bytes for ever."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from claims.payouts.bank.lines import Head, Payment, Totals, unfit_for
from unionaid.lib.money import yuan_from_fen
from unionaid.lib.spreadsheet import FORMULA, Column, Sheet, write_workbook

# zh: the bank's own words: title line, columns
TITLE = ("批次号", "日期", "笔数", "合计")
# zh: as above
HEADER = ("序号", "收款账号", "收款户名", "开户行", "金额", "附言")


def unfit_csv(payment: Payment, encoding: str) -> str:
    """Why a csv in this encoding cannot hold the line; empty when it can. Separators, and what a spreadsheet takes for the beginning of a
    formula, are not escaped: many portals do not know how."""
    for text in (payment.name, payment.bank):
        if "," in text or '"' in text:
            return _("“{text}”里有分隔符号").format(text=text)
        if text.startswith(FORMULA):
            return _("“{text}”的第一个字会被表格软件当成公式").format(text=text)
    return unfit_for(payment, encoding)


def csv_piece(payments: Sequence[Payment], encoding: str) -> bytes:
    """A line each. CRLF."""
    rows = ((one.sequence, one.account, one.name, one.bank, yuan_from_fen(one.amount_fen), one.reference) for one in payments)
    return _csv(rows, encoding)


def join_csv(head: Head, totals: Totals, pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """A line with batch, day, count and sum; the column titles; the lines."""
    title = [cell for pair in zip(TITLE, _title(head, totals), strict=True) for cell in pair]
    yield _csv((title, HEADER), encoding)
    yield from pieces


def _csv(rows: Iterable[Sequence[object]], encoding: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def _title(head: Head, totals: Totals) -> tuple[object, ...]:
    return head.batch_number, f"{head.business_on:%Y%m%d}", totals.count, yuan_from_fen(totals.total_fen)


def xlsx_piece(payments: Sequence[Payment]) -> bytes:
    """The rows as they will stand in the sheet, of which no piece can be written before all are there."""
    return json.dumps([(one.sequence, one.account, one.name, one.bank, one.amount_fen, one.reference) for one in payments]).encode()


def join_xlsx(head: Head, totals: Totals, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """One sheet: title, then the same columns; accounts are texts, amounts numbers."""
    title = "，".join(f"{name} {value}" for name, value in zip(TITLE, _title(head, totals), strict=True))
    kinds = ("count", "text", "text", "text", "yuan", "text")
    columns = [Column(name, kind, 24 if kind == "text" else 12) for name, kind in zip(HEADER, kinds, strict=True)]
    rows = [row for piece in pieces for row in json.loads(piece)]
    out = io.BytesIO()
    write_workbook(out, [Sheet(head.batch_number, title, columns, rows)])
    yield out.getvalue()
