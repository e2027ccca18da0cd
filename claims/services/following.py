"""What follows from a decision by rule is done later, by jobs that the deciding transaction writes: relief that is opened (按规则发起) is
the work of `services.relief`, relief that was decided before and is net of the benefit that of `services.netting`."""

from collections.abc import Sequence

from django.db.models import QuerySet, Value

from claims.models import Claim
from claims.transitions import DECIDED
from programs.selectors import opening_terms
from unionaid.ledger.accounts import Fund
from unionaid.offices.roles import SYSTEM
from unionaid.workflow.jobs import enqueue

FOLLOW, RENEW = "claims.open_relief", "claims.renew_relief"


def follow_later(claims: Sequence[Claim]) -> None:
    """These claims are granted: what follows from them by rule is opened, and relief for the same events looked at anew, by jobs of the
    same transaction. One statement where no plan opens anything by rule and no relief was decided before."""
    if not claims:
        return
    granted = [claim for claim in claims if claim.fund == Fund.MUTUAL_AID]
    opening = opening_terms().values_list(Value(FOLLOW))[:1]
    found = {what for (what,) in opening.union(_decided_beside(claims).values_list(Value(RENEW))[:1], all=True)}
    if FOLLOW in found:
        enqueue(FOLLOW, [(claim.pk, f"{FOLLOW}:{claim.pk}", claim) for claim in granted], by=SYSTEM)
    if RENEW in found:
        renew_later(claims)


def renew_later(claims: Sequence[Claim]) -> None:
    """These claims were decided otherwise than before: relief for the same events that was decided already is looked at anew. One
    statement where there is none."""
    events = set(_decided_beside(claims).values_list("member_id", "occasion"))
    touched = [claim for claim in claims if (claim.member_id, claim.occasion) in events]
    enqueue(RENEW, [(claim.pk, f"{RENEW}:{claim.pk}:{claim.version}", claim) for claim in touched], by=SYSTEM)


def _decided_beside(claims: Sequence[Claim]) -> QuerySet[Claim]:
    """The relief and condolence that was decided for the same events."""
    of_whom = {"member__in": {claim.member_id for claim in claims}, "occasion__in": {claim.occasion for claim in claims}}
    return Claim.objects.filter(**of_whom, state__in=DECIDED).exclude(fund=Fund.MUTUAL_AID)
