"""What goes to a bank and what comes back, whatever the format. Plain values: no database, no clock, no locale."""

import re
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


class UnfitLine(ValueError):
    """A line that the bank's format cannot hold; the message says which and why."""


class UnreadableReturn(ValueError):
    """The bank's answer cannot be read; nothing of it is booked."""


@dataclass(frozen=True, slots=True)
class Head:
    """Of which batch and day the file is, and from whose account it is paid."""

    batch_number: str
    business_on: date
    payer_name: str = ""
    payer_account: str = ""
    payer_bank: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """One line for the bank; the amount in fen."""

    sequence: int
    account: str
    name: str
    bank: str
    amount_fen: int
    reference: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the bank's answer; `succeeded` is None while the bank has not decided."""

    row_number: int
    reference: str
    amount_fen: int | None
    succeeded: bool | None
    reason: str


def unfit_anywhere(payment: Payment) -> str:
    """Why no format can hold this line; empty when that is not so. Zero and negative amounts never fit."""
    if payment.amount_fen <= 0:
        return _("金额不大于零")
    for text in (payment.name, payment.bank):
        if not text.strip():
            return _("没有户名或开户行")
        if _CONTROL.search(text):
            return _("“{text}”里有看不见的字符").format(text=_CONTROL.sub("�", text))
    return "" if re.fullmatch(r"[0-9]{8,30}", payment.account) else _("账号不是 8 到 30 位数字")


def unfit_for(payment: Payment, encoding: str) -> str:
    """Why the line cannot be written in this encoding; empty when it can."""
    for text in (payment.name, payment.bank):
        try:
            text.encode(encoding)
        except UnicodeEncodeError as error:
            lost = text[error.start : error.end]
            return _("“{text}”里的“{lost}”银行系统不能识别").format(text=text, lost=lost)
    return ""
