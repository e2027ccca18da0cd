"""The kinds of file a bank may ask for, as data: an office says which one its bank takes (`Office.bank_format`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from django.utils.translation import gettext as _

from claims.payouts.bank import fixed, iso20022, portal
from claims.payouts.bank.lines import Head, Payment, Totals, UnfitLine, unfit_anywhere, unfit_payer
from unionaid.offices.models import BankFormat
from unionaid.web.files import XLSX


@dataclass(frozen=True, slots=True)
class Format:
    """How the file is called and made, by pure functions. `unfit` says why one line cannot go in; `piece` writes some payments, the ones
    beside the others; `join` makes the file of all its pieces, in the order of their lines. `payer_places`: of the payer's account, where
    the file names it; `names_payer`: it must."""

    suffix: str
    content_type: str
    unfit: Callable[[Payment], str]
    piece: Callable[[Sequence[Payment]], bytes]
    join: Callable[[Head, Totals, Iterable[bytes]], Iterator[bytes]]
    names_payer: bool = False
    payer_places: int = 0


def _csv(encoding: str) -> Format:
    unfit, piece, join = (partial(act, encoding=encoding) for act in (portal.unfit_csv, portal.csv_piece, portal.join_csv))
    return Format("csv", "text/csv", unfit, piece, join)


FORMATS: dict[str, Format] = {
    BankFormat.CSV: _csv("gb18030"),
    BankFormat.CSV_GBK: _csv("gbk"),
    BankFormat.XLSX: Format("xlsx", XLSX, lambda payment: "", portal.xlsx_piece, portal.join_xlsx),
    BankFormat.FIXED: Format("txt", "text/plain", fixed.unfit, fixed.piece, fixed.join, payer_places=fixed.ACCOUNT),
    BankFormat.PAIN: Format(
        "xml", "application/xml", iso20022.unfit, iso20022.piece, iso20022.join, names_payer=True, payer_places=iso20022.ACCOUNT_PLACES
    ),
}


def unfit(kind: str, payment: Payment) -> str:
    """Why a file of this kind cannot hold the line; empty when it can."""
    return unfit_of(kind)(payment)


def unfit_of(kind: str) -> Callable[[Payment], str]:
    """`unfit` for those who ask it of many lines."""
    of_kind = FORMATS[kind].unfit
    return lambda payment: unfit_anywhere(payment) or of_kind(payment)


def unfit_head(kind: str, head: Head) -> str:
    """Why a file of this kind cannot be made for this payer; empty when it can."""
    asked = FORMATS[kind]
    if asked.names_payer and not (head.payer_name and head.payer_account and head.payer_bank):
        return _("这种银行文件要写明付款账户，请先在机构资料里填写账户名、账号和开户行")
    if asked.payer_places and (why := unfit_payer(head, asked.payer_places)):
        return _("银行文件写不下付款账户：{why}。请先在机构资料里改正").format(why=why)
    return ""


def piece(kind: str, payments: Sequence[Payment]) -> bytes:
    """What the file says of these payments, in the order of their numbers. UnfitLine for one that cannot go in."""
    ordered = sorted(payments, key=attrgetter("sequence"))
    unfit_here = unfit_of(kind)
    for payment in ordered:
        if why := unfit_here(payment):
            raise UnfitLine(_("第 {number} 笔：{why}").format(number=payment.sequence, why=why))
    return FORMATS[kind].piece(ordered)


def join(kind: str, head: Head, totals: Totals, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The file for the bank, some bytes after the other, of the pieces of all its payments in the order of their numbers; the same batch
    gives the same bytes for ever, however it was shared out. UnfitLine for a head that cannot go in."""
    if why := unfit_head(kind, head):
        raise UnfitLine(why)
    return FORMATS[kind].join(head, totals, pieces)
