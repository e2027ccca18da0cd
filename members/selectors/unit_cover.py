"""Reading what a unit has joined: its people's covers in one program's terms, what is posted of them, its batches and packs."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from members.models import CertificatePack, Enrolment, Roster, WorkUnit
from members.transitions import LIVE
from programs.models import Terms
from programs.selectors import grant_terms
from unionaid.lib.calendar import plus_days
from unionaid.workflow.models import Job
from unionaid.workflow.selectors import jobs_by_key

POSTED = 500  # names on a page


@dataclass(frozen=True, slots=True)
class Standing:
    """How a unit stands in one program's terms: people covered, people whose contribution is awaited, what they come to (fen), the
    first and the last day of cover of them all."""

    terms: Terms
    effective: int
    awaited: int
    total_fen: int
    first: date
    last: date


_FIGURES = {
    "effective": Count("pk", filter=Q(state="effective")),
    "awaited": Count("pk", filter=Q(state="contribution_due")),
    "total": Sum("contribution_fen"),
    "first": Min("starts_on"),
    "last": Max("cover__endswith"),
}


def standings_of(unit: WorkUnit, terms_id: int | None = None) -> list[Standing]:
    """The unit's terms (or this one) with their figures, the latest first; relief and condolence are nobody's to list. Three statements."""
    rows = Enrolment.objects.filter(unit=unit, state__in=LIVE).exclude(terms__in=grant_terms()).order_by()
    if terms_id is not None:
        rows = rows.filter(terms=terms_id)
    found = {row["terms_id"]: row for row in rows.values("terms_id").annotate(**_FIGURES)}
    known = Terms.objects.select_related("program").filter(pk__in=found)
    made = [
        Standing(terms, row["effective"], row["awaited"], row["total"], row["first"], plus_days(row["last"], -1))
        for terms in known
        if (row := found[terms.pk])
    ]
    return sorted(made, key=lambda one: (one.first, one.terms.pk), reverse=True)


def standing_of(unit: WorkUnit, terms_id: int) -> Standing | None:
    """How the unit stands in these terms; None when nobody of it has joined."""
    return next(iter(standings_of(unit, terms_id)), None)


def batches_of(unit: WorkUnit, terms_id: int) -> list[Roster]:
    """The unit's rosters that enrolled people in these terms, the latest first."""
    return list(Roster.objects.filter(unit=unit, terms=terms_id, state__in=["committed", "effective"]).order_by("-id")[:50])


def posted(unit: WorkUnit, terms_id: int, *, after: int = 0, limit: int | None = None) -> QuerySet[Enrolment]:
    """The unit's people in these terms, as they are posted for everyone to read: workers only, in the order in which they joined."""
    rows = Enrolment.objects.filter(unit=unit, terms=terms_id, state__in=LIVE, relation="self", pk__gt=after)
    rows = rows.select_related("member").only("member__name", "shares", "state").order_by("pk")
    return rows if limit is None else rows[:limit]


def effective_covers(unit_id: int, terms_id: int) -> QuerySet[Enrolment]:
    """The covers that have a certificate, with all that it says."""
    rows = Enrolment.objects.filter(unit=unit_id, terms=terms_id, state="effective")
    return rows.select_related("member", "program", "terms", "unit", "office")


def latest_pack(unit: WorkUnit, terms_id: int) -> CertificatePack | None:
    """The pack that was asked for last."""
    return CertificatePack.objects.filter(unit=unit, terms=terms_id).order_by("-id").first()


def work_on_pack(pack: CertificatePack) -> Job | None:
    """The job that makes it."""
    key = f"members.make_certificates:{pack.pk}"
    return jobs_by_key([key]).get(key)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the certificate of a roster says: people whose cover is in force, what they come to (fen), the days of cover."""

    roster: Roster
    people: int
    total_fen: int
    first: date
    last: date


def batch_of(roster: Roster | None) -> Batch | None:
    """The batch of an effective roster; None when nobody of it is covered."""
    if roster is None or roster.state != "effective":
        return None
    rows = Enrolment.objects.filter(roster=roster, state="effective").order_by()
    found = rows.aggregate(people=Count("pk"), total=Sum("contribution_fen"), first=Min("starts_on"), last=Max("cover__endswith"))
    if not found["people"]:
        return None
    return Batch(roster, found["people"], found["total"], found["first"], plus_days(found["last"], -1))


def roster_of_batch(**by: object) -> Roster | None:
    """One roster in scope with all that its certificate says."""
    return Roster.objects.select_related("unit", "office", "terms__program").filter(**by).first()
