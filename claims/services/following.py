"""What follows from a granted benefit by rule (按规则发起) is opened later, by a job that the granting transaction writes; the work is done
in `services.relief`."""

from collections.abc import Sequence

from claims.models import Claim
from programs.selectors import any_opened_by_rule
from unionaid.ledger.accounts import Fund
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import enqueue

FOLLOW = "claims.open_relief"


def follow_later(claims: Sequence[Claim]) -> None:
    """These benefits are granted: what follows from them by rule is opened by a job of the same transaction. One statement where no plan
    opens anything by rule, else two."""
    granted = [claim for claim in claims if claim.fund == Fund.MUTUAL_AID]
    if granted and any_opened_by_rule():
        enqueue(FOLLOW, [(claim.pk, f"{FOLLOW}:{claim.pk}", claim) for claim in granted], by=SYSTEM)
