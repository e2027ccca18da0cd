"""Reading what came for a debt, as whoever owes it may know: also when it was too little, too much, or went back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from members.models import ContributionDue, Match, Refund, Remittance

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money that came for a debt (fen): what of it counts here, what nobody has matched yet, what was too much, what is going back,
    what went back."""

    received_on: date
    amount_fen: int
    here_fen: int
    waits_fen: int
    over_fen: int
    going_fen: int
    gone_fen: int


def arrivals_of(due: ContributionDue) -> list[Arrival]:
    """What came for a debt: named in the remark or matched with it, the oldest first. Of money that also concerns somebody else only
    what counts here is told. Four statements; money is kept at the office, so the caller opens the scope that wide."""
    here = dict(Match.objects.filter(due=due, undone_at__isnull=True).values_list("remittance_id", "amount_fen"))
    meant = Q(named__contains=[due.reference]) | Q(pk__in=here)
    rows = list(Remittance.objects.filter(meant, office_id=due.office_id).exclude(state="reversed").order_by("received_on", "pk")[:SHOWN])
    shared, going, gone = _of_others(rows, due), dict[int, int](), dict[int, int]()
    for pk, state, fen in Refund.objects.filter(remittance__in=rows).values_list("remittance_id", "state", "amount_fen"):
        for states, sums in ((("proposed", "released"), going), (("paid",), gone)):
            sums[pk] = sums.get(pk, 0) + (fen if state in states else 0)
    found = []
    for one in rows:
        counts = here.get(one.pk, 0)
        if one.pk in shared:
            found.append(Arrival(one.received_on, counts, counts, 0, 0, 0, 0))
            continue
        over = one.left_fen if one.state in ("over", "refunded") else 0
        back = going.get(one.pk, 0), gone.get(one.pk, 0)
        found.append(Arrival(one.received_on, one.amount_fen, counts, one.left_fen - over, over, *back))
    return [one for one in found if one.amount_fen]


def _of_others(remittances: Sequence[Remittance], due: ContributionDue) -> set[int]:
    """Those of them that also name or settle a debt of another unit or person."""
    names, ids = {name for one in remittances for name in one.named}, [one.pk for one in remittances]
    strangers = ContributionDue.objects.filter(Q(reference__in=names) | Q(matches__remittance__in=ids, matches__undone_at__isnull=True))
    strangers = strangers.exclude(unit_id=due.unit_id) if due.unit_id else strangers.exclude(unit_id=None, member_id=due.member_id)
    found = list(strangers.values_list("reference", "matches__remittance_id", "matches__undone_at"))
    named = {reference for reference, _remittance, _undone in found}
    settling = {remittance for _reference, remittance, undone in found if undone is None}
    return {one.pk for one in remittances if named & set(one.named) or one.pk in settling}
