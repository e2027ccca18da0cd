"""Payments that the bank sends back: before it confirmed them, or days after it had. The books say so by entries of their own, the claimant
is asked for another account, and the claim is paid again in another batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.payouts.models import PayoutBatch, PayoutLine, ReturnPart
from claims.payouts.return_tables import Told
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.posting import Line, Posting, post
from unionaid.offices.roles import Actor
from unionaid.workflow.moves_in_sets import move_set
from unionaid.workflow.notices import tell

_CAME_BACK = gettext_lazy("一笔互助金没有付成，请更正收款账户")
_PLEASE_CORRECT = gettext_lazy("银行退回了付给您的一笔互助金。请打开申领，看看银行说的原因，填写另一个收款账户；我们会重新付款，金额不变。")


@dataclass(frozen=True, slots=True)
class _Steps:
    """How a payment that comes back is booked: arrow of the line, kind of posting and account, arrow and columns of the claim."""

    line: str
    kind: str
    out_of: Code
    claim: str
    changes: Mapping[str, Any]


_RETURNED = _Steps("fail", "payout_returned", Code.IN_TRANSIT, "mark_returned", {})
_BOUNCED = _Steps("bounce", "payout_bounced", Code.BANK, "mark_bounced", {"put_away": False})


def give_back(part: ReturnPart, told: Sequence[Told], batch: PayoutBatch, *, by: Actor, on: date) -> None:
    """Book these as sent back: open ones, and such as were paid before."""
    for steps, some in ((_RETURNED, [one for one in told if not one.was_paid]), (_BOUNCED, [one for one in told if one.was_paid])):
        if some:
            _take_back(part, some, batch, steps, by=by, on=on)


def _take_back(part: ReturnPart, told: Sequence[Told], batch: PayoutBatch, steps: _Steps, *, by: Actor, on: date) -> None:
    reasons = {one.line: one.reason for one in told}
    move_set(PayoutLine, list(reasons), steps.line, by=by, notes=reasons, texts=("bank_reason", reasons), changes={"settled_on": None})
    fen = sum(one.amount_fen for one in told)
    lines = (Line(steps.out_of, fen), Line(Code.BENEFITS, -fen))
    post(steps.kind, [Posting(part, Fund(batch.fund), lines, batch.number)], on=on, by=by)
    words = _("银行退回了付款（{reason}）。请更正收款账户，我们会重新付款，金额不变。")
    messages = {one.claim: words.format(reason=one.reason or _("未说明原因")) for one in told}
    notes = {one.claim: one.reason for one in told}
    move_set(Claim, list(messages), steps.claim, by=by, notes=notes, texts=("message", messages), changes=steps.changes)
    tell(
        list(Claim.objects.filter(pk__in=list(notes)).order_by("pk").values_list("claimant_id", flat=True)),
        office_id=part.office_id,
        title=_CAME_BACK,
        text=_PLEASE_CORRECT,
        link="/my",
    )
