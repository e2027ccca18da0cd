"""Which terms hold when, and the schedule they say."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from programs.models import Program, Terms
from programs.rules.parse import parse
from programs.rules.schedule import Schedule
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may


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
    """The parsed schedule of these terms; their data need not be read when it was parsed before."""
    return _parsed.get(terms.content_hash) or schedule_in(terms.schedule, terms.content_hash)


def schedule_in(data: Mapping[str, Any], digest: str) -> Schedule:
    """The schedule that complete terms say; parsed once per content, of which `digest` is the hash."""
    schedule = _parsed.get(digest)
    if schedule is None:
        schedule = _parsed[digest] = parse(data)
    return schedule


_parsed: dict[str, Schedule] = {}


def opening_terms() -> QuerySet[Terms]:
    """The relief and condolence in force that is opened by rule, wherever it is offered; there is an index of its own for it."""
    return Terms.objects.filter(state="published", schedule__has_key="opens_after")


def opened_by_rule(event: str, left: Decimal | None, *, on: date, office: Office) -> list[Terms]:
    """The relief and condolence that this office offers and that is opened by rule after a benefit for this event, with so much own cost
    left (yuan; None: no cost was told, then also what hangs on it: it has to be asked). One statement."""
    offered = [(terms, schedule_of(terms)) for terms in offered_terms(on=on, office=office)]
    return [
        terms
        for terms, schedule in offered
        if schedule.opened_by_rule(event, left) or (left is None and schedule.cost_to_tell(event) is not None)
    ]


def grant_terms() -> list[int]:
    """The keys of all terms, in force or ended, of relief and condolence that nobody joins: applying is no participation. One
    statement."""
    return [terms.pk for terms in Terms.objects.filter(state__in=Terms.frozen_in) if schedule_of(terms).is_grant]


def schedules_of(program_ids: Iterable[int]) -> dict[int, Schedule]:
    """Every schedule that was ever in force in these programs, by the key of its terms. One statement."""
    rows = Terms.objects.filter(program_id__in=list(program_ids), state__in=Terms.frozen_in)
    return {terms.pk: schedule_of(terms) for terms in rows}


def visible_terms(by: Actor) -> QuerySet[Terms]:
    """The terms this person may read: published and closed ones are everyone's, drafts theirs who may write them."""
    return Terms.objects.filter(Q(state__in=Terms.frozen_in) | _own(by, "program__office"))


def visible_programs(by: Actor) -> QuerySet[Program]:
    """The programs this person may know of: those with terms that are or were in force, and those they may write."""
    published = Terms.objects.filter(program=OuterRef("pk"), state__in=Terms.frozen_in)
    return Program.objects.filter(Q(Exists(published)) | _own(by, "office"))


def _own(by: Actor, column: str) -> Q:
    """The rows whose office (none: headquarters) this person may write terms for."""
    if not by.posts and may(by, "programs.draft"):
        return Q(pk__isnull=False)  # the system
    mine = [pk for pk in by.office_ids if may(by, "programs.draft", pk)]
    if not mine:
        return Q(pk__in=[])
    headquarters = Office.objects.filter(parent__isnull=True, pk__in=mine)
    return Q(**{f"{column}__in": mine}) | Q(Exists(headquarters), **{f"{column}__isnull": True})


def programs_by_id(ids: Iterable[int]) -> dict[int, Program]:
    """Programs by id."""
    return Program.objects.in_bulk(list(ids))
