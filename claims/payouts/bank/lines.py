"""What goes to a bank and what comes back, whatever the format. Plain values: no database, no clock, no locale."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext as _

# What no name has and some program does not show, or takes for the end of a line: signs of control, of direction, without width or meaning.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]")
_ACCOUNT = re.compile(r"[0-9]{8,30}")
_REMEMBERED = 10_000  # texts: few banks have the accounts of many payees


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
class Totals:
    """How many payments the whole file holds, and how much they come to in fen."""

    count: int
    total_fen: int


class Answer(NamedTuple):
    """One line of the bank's answer; `succeeded` is None while the bank has not decided. Of a hundred thousand, a tuple is made sooner."""

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
        if _can_be_seen(text):
            continue
        if not text.strip():
            return _("没有户名或开户行")
        return _("“{text}”里有看不见的字符").format(text=_CONTROL.sub("�", text))
    return "" if _ACCOUNT.fullmatch(payment.account) else _("账号不是 8 到 30 位数字")


def unfit_payer(head: Head, places: int) -> str:
    """Why no file that has so many places for the payer's account can name this payer; empty when it can. An account is never cut."""
    for text in (head.payer_name, head.payer_account, head.payer_bank):
        if unseen := _CONTROL.search(text):
            return _("“{text}”里有看不见的字符").format(text=text.replace(unseen.group(), "�"))
    if len(head.payer_account) > places or not head.payer_account.isascii():
        return _("付款账号“{text}”不是 {places} 位以内的数字").format(text=head.payer_account, places=places)
    return ""


@lru_cache(maxsize=_REMEMBERED)
def _can_be_seen(text: str) -> bool:
    return bool(text.strip()) and not _CONTROL.search(text)


def unfit_for(payment: Payment, encoding: str) -> str:
    """Why the line cannot be written in this encoding; empty when it can."""
    for text in (payment.name, payment.bank):
        if lost := _lost(text, encoding):
            return _("“{text}”里的“{lost}”银行系统不能识别").format(text=text, lost=lost)
    return ""


@lru_cache(maxsize=_REMEMBERED)
def _lost(text: str, encoding: str) -> str:
    """What of the text the encoding does not have; empty when it has all."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        return text[error.start : error.end]
    return ""
