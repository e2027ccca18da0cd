"""Which terms hold when, and the schedule they say."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from programs.models import Program, Terms
from programs.rules.parse import parse
from programs.rules.schedule import Schedule
from unionaid.offices.models import Office


def terms_in_force(program: Program, *, on: date) -> Terms | None:
    """The published terms whose period holds this day; never simply the latest."""
    return Terms.objects.filter(
        program=program, state__in=["published", "closed"], period__contains=on
    ).first()


def offered_terms(*, on: date, office: Office | None = None) -> list[Terms]:
    """Published terms of running or coming periods that this office (or everyone) offers, in the order of their codes.

    An office offers the national programs, its own, and those of every office above it; where an office has its own
    version of a program (`based_on`), that one stands in for the other.
    """
    rows: QuerySet[Terms] = Terms.objects.select_related("program").filter(
        state="published", period__endswith__gt=on
    )
    above = [int(pk) for pk in office.path.strip("/").split("/")] if office else []
    found = list(
        rows.filter(Q(program__office__isnull=True) | Q(program__office_id__in=above)).order_by("program__code", "period")
    )
    replaced = {terms.program.replaces_id for terms in found}
    return [terms for terms in found if terms.program_id not in replaced]


def joinable_terms(*, on: date, office: Office | None = None) -> list[Terms]:
    """Those that may be joined on this day, by everyone or (late) by some."""
    return [
        terms
        for terms in offered_terms(on=on, office=office)
        if schedule_of(terms).joining_open(on) is not False
    ]


def schedule_of(terms: Terms) -> Schedule:
    """The parsed schedule; parsed once per content."""
    schedule = _parsed.get(terms.content_hash)
    if schedule is None:
        schedule = _parsed[terms.content_hash] = parse(terms.schedule)
    return schedule


_parsed: dict[str, Schedule] = {}


def programs_by_id(ids: Iterable[int]) -> dict[int, Program]:
    """Programs by id."""
    return Program.objects.in_bulk(list(ids))
