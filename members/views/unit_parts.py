"""What the pages of the unit's agent have in common."""

from typing import Any

from django.http import Http404

from members.models import ContributionDue, WorkUnit
from members.selectors.rosters import my_unit
from members.transitions import DUE_LIVE
from unionaid.lib.money import format_yuan
from unionaid.web.asking import pages

PAGE = 100

show = pages("members/unit")


def unit_or_404(pk: int) -> WorkUnit:
    """One of the agent's units."""
    unit = my_unit(pk)
    if unit is None:
        raise Http404
    return unit


def due_parts(due: ContributionDue) -> dict[str, Any]:
    """What a page says of a debt of the unit."""
    return {
        "due": due,
        "live": due.state in DUE_LIVE,
        "amount": format_yuan(due.owed_fen if due.state in DUE_LIVE else due.amount_fen),
        "paid": format_yuan(due.paid_fen) if due.state == "part_paid" else "",
        "office": due.unit.office if due.unit else None,
    }
