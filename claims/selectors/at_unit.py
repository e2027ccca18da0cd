"""Claims that a unit's agent looks at: who, when, where; no diagnosis and no papers' content."""

import uuid

from claims.models import Claim
from unionaid.offices.scope import everywhere


def waiting_at_unit() -> list[Claim]:
    """The claims of the open scope that wait for the unit, the oldest first."""
    keys = list(Claim.objects.filter(stage="unit_review").order_by("submitted_at", "id").values_list("pk", flat=True)[:200])
    return _with_people(keys)


def count_at_unit() -> int:
    """How many wait."""
    return Claim.objects.filter(stage="unit_review").count()


def claim_at_unit(public_id: uuid.UUID) -> Claim | None:
    """One claim of the open scope that waits, or waited, for the unit; None for all others."""
    rows = Claim.objects.filter(public_id=public_id).exclude(unit_due_on=None)
    found = _with_people(list(rows.values_list("pk", flat=True)))
    return found[0] if found else None


def _with_people(keys: list[int]) -> list[Claim]:
    """The scope decided which; the people of them are read past it."""
    with everywhere(reason="the people of a unit's claims"):
        rows = Claim.objects.filter(pk__in=keys).select_related("member", "claimant", "program", "unit", "office", "terms")
        return sorted(rows, key=lambda row: keys.index(row.pk))
