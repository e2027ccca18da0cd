"""Reading claims."""

import uuid
from collections.abc import Collection

from django.db.models import Q

from claims.models import Claim, ClaimDocument
from unionaid.offices.scope import everywhere, looking_everywhere

_PEOPLE = ("member", "claimant", "enrolment__program", "program", "terms", "card", "office", "corrects")


def my_claims() -> list[Claim]:
    """The worker's claims, newest first, drafts among them; drafts that were thrown away are left out."""
    rows = Claim.objects.exclude(Q(state="withdrawn") & Q(submitted_at=None)).select_related("program").order_by("-id")
    return list(rows[:50])


def my_claim(public_id: uuid.UUID) -> Claim | None:
    """One claim of the open scope with everything pages and services need of it, or None.

    The scope decides whether the claim is shown; only then are the people of it read past the scope: the holder may see
    that the claim is for their spouse, whose own record is not theirs to see.
    """
    key = Claim.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if key is None:
        return None
    with everywhere(reason="the people of one's own claim"):
        return Claim.objects.select_related(*_PEOPLE).get(pk=key)


def told_together(claim: Claim) -> list[Claim]:
    """The claims of the same event that the same claimant began, this one among them, in the order they were begun; those thrown
    away before they were sent in are left out. Corrections are other claims' business."""
    same = Q(occasion=claim.occasion, member_id=claim.member_id, claimant_id=claim.claimant_id, corrects=None)
    with everywhere(reason="the people of one's own claims"):
        rows = Claim.objects.filter(same).exclude(Q(state="withdrawn") & Q(submitted_at=None))
        return list(rows.select_related(*_PEOPLE).order_by("id"))


def open_together(claim: Claim) -> list[Claim]:
    """The claims that are filled in with this one: the drafts of the same event. What came back is completed alone."""
    if claim.state != "draft" or claim.corrects_id is not None:
        return [claim]
    return [one for one in told_together(claim) if one.state == "draft"]


def my_paper(public_id: uuid.UUID) -> ClaimDocument | None:
    """One paper of a claim of the open scope, or None."""
    return ClaimDocument.objects.select_related("claim").filter(public_id=public_id).first()


def earlier_claims(claim: Claim) -> list[Claim]:
    """The person's other claims that the open scope shows, newest first."""
    rows = Claim.objects.filter(member_id=claim.member_id).exclude(pk=claim.pk).exclude(state="draft")
    return list(rows.select_related("program").order_by("-id")[:20])


def claims_elsewhere(claim: Claim, office_ids: Collection[int]) -> int:
    """How many other claims of the person were sent in to offices that are not among these: after a transfer the office that reviews
    should know that there are some. How many, and nothing else of them."""
    with looking_everywhere(reason="the person's claims in other offices, counted"):
        rows = Claim.objects.filter(member_id=claim.member_id).exclude(pk=claim.pk).exclude(submitted_at=None)
        return rows.exclude(office__in=office_ids).count()


def corrected_number(claim: Claim) -> str:
    """The number of the claim that this one corrects; empty for an ordinary claim."""
    return claim.corrects.number if claim.corrects_id is not None and claim.corrects else ""


def correction_of(claim: Claim) -> Claim | None:
    """The correction of this claim that is on its way or holds, or None."""
    return claim.corrections.exclude(state__in=["rejected", "withdrawn"]).first()
