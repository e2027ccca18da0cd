"""The kinds of file a bank may ask for, as data: an office says which one its bank takes (`Office.bank_format`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django.utils.translation import gettext as _

from claims.payouts.bank import fixed, iso20022, portal
from claims.payouts.bank.lines import Head, Payment, UnfitLine, unfit_anywhere, unfit_payer
from unionaid.offices.models import BankFormat
from unionaid.web.files import XLSX


@dataclass(frozen=True, slots=True)
class Format:
    """How the file is called and made. `write` is a pure function of head and payments; `unfit` says why one line cannot go in.
    `payer_places`: of the payer's account, where the file names it; `names_payer`: it must."""

    suffix: str
    content_type: str
    unfit: Callable[[Payment], str]
    write: Callable[[Head, Sequence[Payment]], bytes]
    names_payer: bool = False
    payer_places: int = 0


def _csv(encoding: str) -> Format:
    return Format("csv", "text/csv", partial(portal.unfit_csv, encoding=encoding), partial(portal.write_csv, encoding=encoding))


FORMATS: dict[str, Format] = {
    BankFormat.CSV: _csv("gb18030"),
    BankFormat.CSV_GBK: _csv("gbk"),
    BankFormat.XLSX: Format("xlsx", XLSX, lambda payment: "", portal.write_xlsx),
    BankFormat.FIXED: Format("txt", "text/plain", fixed.unfit, fixed.write, payer_places=fixed.ACCOUNT),
    BankFormat.PAIN: Format("xml", "application/xml", iso20022.unfit, iso20022.write, True, iso20022.ACCOUNT_PLACES),
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


def write(kind: str, head: Head, payments: Sequence[Payment]) -> bytes:
    """The file for the bank, lines in the order of their numbers; the same batch gives the same bytes for ever. UnfitLine for a head
    or a line that cannot go in."""
    if why := unfit_head(kind, head):
        raise UnfitLine(why)
    ordered = sorted(payments, key=lambda payment: payment.sequence)
    unfit_here = unfit_of(kind)
    for payment in ordered:
        if why := unfit_here(payment):
            raise UnfitLine(_("第 {number} 笔：{why}").format(number=payment.sequence, why=why))
    return FORMATS[kind].write(head, ordered)
