"""What follows from a decision by rule is done later, by jobs that the deciding transaction writes: relief that is opened (按规则发起) is
the work of `services.relief`, relief that was decided before and is net of the benefit that of `services.netting`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Value

from claims.models import Claim
from claims.transitions import DECIDED
from programs.selectors import opening_terms
from unionaid.ledger.accounts import Fund
from unionaid.offices.kept import Kept
from unionaid.offices.roles import SYSTEM
from unionaid.web.prepared import Place
from unionaid.workflow.jobs import enqueue

FOLLOW, RENEW = "claims.open_relief", "claims.renew_relief"


def follow_later(claims: Sequence[Claim]) -> None:
    """These claims are granted: what follows from them by rule is opened, and relief for the same events looked at anew, by jobs of the
    same transaction. One statement where no plan opens anything by rule and no relief was decided before."""
    if not claims:
        return
    granted = [claim for claim in claims if claim.fund == Fund.MUTUAL_AID]
    found = set(_FOLLOWS.ask(**_of_whom(claims)))
    if FOLLOW in found:
        enqueue(FOLLOW, [(claim.pk, f"{FOLLOW}:{claim.pk}", claim) for claim in granted], by=SYSTEM)
    if RENEW in found:
        renew_later(claims)


def renew_later(claims: Sequence[Claim]) -> None:
    """These claims were decided otherwise than before: relief for the same events that was decided already is looked at anew. One
    statement where there is none."""
    events = set(_BESIDE.ask(**_of_whom(claims)))
    touched = [claim for claim in claims if (claim.member_id, claim.occasion) in events]
    enqueue(RENEW, [(claim.pk, f"{RENEW}:{claim.pk}:{claim.version}", claim) for claim in touched], by=SYSTEM)


def _of_whom(claims: Sequence[Claim]) -> dict[str, list[Any]]:
    return {"people": sorted({claim.member_id for claim in claims}), "occasions": list({claim.occasion for claim in claims})}


def _decided_beside() -> QuerySet[Claim]:
    """The relief and condolence that was decided for the same events."""
    of_whom = {"member__among": Place("people"), "occasion__among": Place("occasions")}
    return Claim.objects.filter(**of_whom, state__in=DECIDED).exclude(fund=Fund.MUTUAL_AID)


_BESIDE: Kept[tuple[int, UUID]] = Kept(lambda: _decided_beside().values_list("member_id", "occasion"))
_FOLLOWS: Kept[str] = Kept(
    lambda: (
        opening_terms()
        .values_list(Value(FOLLOW), flat=True)[:1]
        .union(_decided_beside().values_list(Value(RENEW), flat=True)[:1], all=True)
    )
)
