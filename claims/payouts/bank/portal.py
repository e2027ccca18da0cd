"""Files as Chinese bank portals take them for many payments at once: csv in GB18030 or GBK, and xlsx. The same payments give the same
bytes for ever."""

import csv
import io
from collections.abc import Sequence

from django.utils.translation import gettext as _

from claims.payouts.bank.lines import Head, Payment, unfit_for
from unionaid.lib.money import yuan_from_fen
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook

# zh: the bank's own words: title line, columns
TITLE = ("批次号", "日期", "笔数", "合计")
# zh: as above
HEADER = ("序号", "收款账号", "收款户名", "开户行", "金额", "附言")
FORMULA = ("=", "+", "-", "@")


def unfit_csv(payment: Payment, encoding: str) -> str:
    """Why a csv in this encoding cannot hold the line; empty when it can. Separators, and what a spreadsheet takes for the beginning of a
    formula, are not escaped: many portals do not know how."""
    for text in (payment.name, payment.bank):
        if "," in text or '"' in text:
            return _("“{text}”里有分隔符号").format(text=text)
        if text.startswith(FORMULA):
            return _("“{text}”的第一个字会被表格软件当成公式").format(text=text)
    return unfit_for(payment, encoding)


def write_csv(head: Head, payments: Sequence[Payment], encoding: str) -> bytes:
    """A line with batch, day, count and sum; the column titles; a line each. CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    total = sum(payment.amount_fen for payment in payments)
    values = (head.batch_number, f"{head.business_on:%Y%m%d}", len(payments), yuan_from_fen(total))
    writer.writerow([cell for pair in zip(TITLE, values, strict=True) for cell in pair])
    writer.writerow(HEADER)
    writer.writerows(
        (one.sequence, one.account, one.name, one.bank, yuan_from_fen(one.amount_fen), one.reference) for one in payments
    )
    return out.getvalue().encode(encoding)


def write_xlsx(head: Head, payments: Sequence[Payment]) -> bytes:
    """One sheet: title, then the same columns; accounts are texts, amounts numbers."""
    total = yuan_from_fen(sum(payment.amount_fen for payment in payments))
    values = (head.batch_number, f"{head.business_on:%Y%m%d}", len(payments), total)
    title = "，".join(f"{name} {value}" for name, value in zip(TITLE, values, strict=True))
    kinds = ("count", "text", "text", "text", "yuan", "text")
    columns = [Column(name, kind, 24 if kind == "text" else 12) for name, kind in zip(HEADER, kinds, strict=True)]
    rows = [(one.sequence, one.account, one.name, one.bank, one.amount_fen, one.reference) for one in payments]
    out = io.BytesIO()
    write_workbook(out, [Sheet(head.batch_number, title, columns, rows)])
    return out.getvalue()
