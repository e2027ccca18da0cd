"""The account a claim is paid to, after the decision: put right by the claimant, paid to only after a while, and stopped by whoever
finds that it was not the claimant who changed it."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.selectors.rules import rules
from members.models import BankCard
from unionaid.lib.calendar import plus_days
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import MoveRefused, move
from unionaid.workflow.notices import tell

CHANGEABLE = ("returned_payment", "approved")


class AccountRefused(MoveRefused):
    """The account stays as it is, or is not paid to yet; the message says why."""


def correct(claim: Claim, *, card: BankCard, by: Actor, on: date) -> Claim:
    """The claimant gives another account of their own, after a payment came back or before one was made; the amount stays as approved.
    It is paid to only after the office's days (`ReviewRule.cooling_days`), and the person is told at once at the phone on record, so
    that somebody else's change is found before the money is gone. Not once the claim is in a batch: its line stands as it was frozen."""
    if card.member_id != claim.claimant_id:
        raise AccountRefused(_("收款账户要是申领人本人的。"))
    if card.pk == claim.card_id:
        raise AccountRefused(_("这就是现在的账户，请填写另一个账户。"))
    first = plus_days(on, rules().cooling_days(claim.office.path))
    changes = {"card": card, "message": "", "payable_on": first}
    details = {"card": card.pk, "last_four": card.last_four, "payable_on": f"{first}"}
    moved = move([claim], "correct_account", by=by, changes=changes, details=details)[0]
    told = {"number": claim.number, "bank": card.bank_name, "last": card.last_four, "day": first, "whom": _whom(claim)}
    tell([claim.claimant_id], office_id=claim.office_id, title=_CHANGED[0], text=_CHANGED[1], link=_link(claim), values=told)
    return moved


def dispute(claim: Claim, *, by: Actor) -> Claim:
    """It was not the claimant who changed the account: nothing is paid to it. Said by the claimant on the page, or to the office; a new
    account is needed then. While the claim is in a batch its line has to be left out of it first."""
    if claim.payable_on is None:
        raise AccountRefused(_("这份申领的收款账户没有改过。"))
    words = _("收款账户有疑问，付款已停下，钱还在。请带身份证和银行卡到办事处核对，再更正收款账户。")
    moved = move([claim], "dispute_account", by=by, changes={"message": words, "payable_on": None})[0]
    told = {"number": claim.number, "whom": _whom(claim)}
    tell([claim.claimant_id], office_id=claim.office_id, title=_STOPPED[0], text=_STOPPED[1], link=_link(claim), values=told)
    return moved


def _whom(claim: Claim) -> str:
    return f"{claim.office.name} {claim.office.phone}".strip()


def _link(claim: Claim) -> str:
    return f"/my/claims/{claim.public_id}/"


_CHANGED = (
    gettext_lazy("收款账户改了，请看是不是您本人改的"),
    gettext_lazy(
        "申领 {number} 的收款账户改成了{bank}尾号 {last}，{day}起付款。"
        "不是您本人改的，请马上打电话给{whom}，或在申领页点“不是我改的”，付款就会停下。"
    ),
)
_STOPPED = (
    gettext_lazy("付款已停下"),
    gettext_lazy("申领 {number}：收款账户有疑问，付款已停下，钱还在。请带身份证和银行卡到办事处核对，再更正收款账户。可以打电话问{whom}。"),
)
