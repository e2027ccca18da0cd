"""A claim's state as the staff say it, where the graph's words speak to the worker."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from claims.transitions import DECIDABLE

STAFF_WORDS = {
    "unit_review": _("待单位核对"),
    "submitted": _("待初审"),
    "on_notice": _("公示中"),
    "supplement_requested": _("待职工补充材料"),
    "reviewed": _("待终审"),
    "approved": _("已批准，待付款"),
    "halt_proposed": _("已提请停付，待另一人确认"),
    "in_batch": _("已列入批次，待放款"),
    "paying": _("银行付款中"),
    "halted": _("已停付，另行重新审核"),
    "recovery": _("多付，待职工退回"),
    "returned_payment": _("没有付成，待职工更正账户"),
}


def standing_words(state: str) -> Any:
    """A claim's state in the staff's words."""
    return STAFF_WORDS.get(state) or Claim.graph.state(state).label


def tone_of(claim: Claim) -> str:
    """What waits for the staff is theirs to do, though the worker has nothing to do."""
    return "todo" if claim.state in DECIDABLE else claim.state_tone
