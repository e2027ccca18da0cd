"""Reading what is asked to be changed of people: corrections, departures. Everything stays inside the open scope."""

import uuid

from django.db.models import QuerySet

from members.models import Correction, CorrectionPaper, Departure, Enrolment, Member, WorkUnit
from members.selectors.people import people_by_id
from members.services.people import Masked, masked_numbers
from members.transitions import LIVE
from unionaid.offices.scope import everywhere


def my_corrections(member: Member) -> list[Correction]:
    """What was asked to be corrected of this person, newest first."""
    return list(Correction.objects.filter(member=member).prefetch_related("papers").order_by("-id")[:20])


def correction_of(public_id: uuid.UUID) -> Correction | None:
    """One correction of the open scope, or None."""
    return Correction.objects.select_related("member").filter(public_id=public_id).first()


def correction_paper(public_id: uuid.UUID) -> CorrectionPaper | None:
    """One photo of a correction of the open scope, or None."""
    return CorrectionPaper.objects.filter(public_id=public_id).first()


def person_of_unit(pk: int) -> tuple[Member, WorkUnit] | None:
    """One of the people whom the agent's units have enrolled, with the unit of the agent's that they belong to (or last did)."""
    member = Member.objects.filter(pk=pk).first()
    unit = WorkUnit.objects.filter(pk__in=member.unit_ids).order_by("pk").first() if member else None
    if member is None or unit is None:
        return None
    own = WorkUnit.objects.filter(pk=member.unit_id).first() if member.unit_id else None
    return member, own or unit


def covers_through_units(member: Member) -> list[Enrolment]:
    """This person's live covers through the agent's units."""
    rows = Enrolment.objects.filter(member=member, state__in=LIVE).select_related("program", "terms", "unit")
    return list(rows.order_by("-id")[:50])


def waiting_departures() -> list[Departure]:
    """Transfers of the open scope that wait for the new unit, with the people and the units."""
    return complete(Departure.objects.filter(state="asked").order_by("id")[:50])


def departure_of(pk: int) -> Departure | None:
    """One departure of the open scope with its person and units, or None."""
    return next(iter(complete(Departure.objects.filter(pk=pk))), None)


def complete(rows: QuerySet[Departure]) -> list[Departure]:
    """The rows with the person and both units: a side that may see a change may see whom it concerns and between whom. Three statements."""
    found = list(rows)
    people = people_by_id(one.member_id for one in found) if found else {}
    with everywhere(reason="between which units a person changes"):
        units = WorkUnit.objects.in_bulk({key for one in found for key in one.unit_ids}) if found else {}
    for one in found:
        one.member, one.from_unit = people[one.member_id], units[one.from_unit_id]
        one.to_unit = units.get(one.to_unit_id) if one.to_unit_id else None
    return found


def masked_of(member_id: int) -> Masked | None:
    """The masked numbers of somebody whom a row of the open scope names; the caller must have found it there."""
    with everywhere(reason="whom a change of unit concerns"):
        return masked_numbers([member_id]).get(member_id)
