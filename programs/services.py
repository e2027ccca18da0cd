"""Writing down plans: loading plan files, proving them by their own examples, publishing them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from programs.models import Program, Terms
from programs.rules.examples import check_examples
from programs.rules.schedule import Schedule, ScheduleError, content_hash, parse
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import move


class PlanRefused(Exception):
    """A plan file is not taken; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading one plan file did: new, changed (a draft), or nothing."""

    terms: Terms
    outcome: str


def load_plan(data: Mapping[str, Any], *, by: Actor, source: str = "plan") -> Loaded:
    """Take a plan file as draft terms. The same content again changes nothing; published terms never change.

    PlanRefused for a file that cannot be parsed, whose examples fail, or that differs from published terms.
    """
    schedule = _proved(data, source)
    stored = _jsonable(data)
    digest = content_hash(stored)
    program = _program(schedule, source)
    found = Terms.objects.filter(program=program, version_name=schedule.version).first()
    if found and found.content_hash == digest:
        return Loaded(found, "same")
    if found and found.state != "draft":
        raise PlanRefused(f"{source}: the published terms {found} have other content; a change is a new version")
    terms = found or Terms(program=program, version_name=schedule.version, drafted_by_id=by.user_id)
    terms.period = DateRange(schedule.period.start, schedule.period.end)
    terms.schedule, terms.content_hash = stored, digest
    terms.source = f"{schedule.source_title} {schedule.source_note}".strip()[:300]
    terms.save()
    return Loaded(terms, "changed" if found else "new")


def publish(terms: Terms, *, by: Actor) -> Terms:
    """Publish drafted terms: their examples must come out, and no other terms may hold on the same days.

    PlanRefused otherwise; NotAllowed when the person who drafted them tries.
    """
    _proved(terms.schedule, str(terms))
    try:
        with transaction.atomic():
            return move([terms], "publish", by=by)[0]
    except IntegrityError as error:
        raise PlanRefused(f"{terms}: other published terms of this program hold on some of the same days") from error


def _proved(data: Mapping[str, Any], source: str) -> Schedule:
    try:
        schedule = parse(data)
        failures = check_examples(schedule)
    except ScheduleError as error:
        raise PlanRefused(f"{source}: {error}") from error
    if failures:
        first = failures[0]
        raise PlanRefused(
            f"{source}: the example “{first.name}” should give {first.expected} and gives {first.found}"
        )
    return schedule


def _program(schedule: Schedule, source: str) -> Program:
    office = None
    if schedule.office:
        office = Office.objects.filter(code=schedule.office).first()
        if office is None:
            raise PlanRefused(f"{source}: there is no office {schedule.office}")
    program, _made = Program.objects.update_or_create(
        code=schedule.code,
        defaults={
            "name": schedule.name.zh,
            "name_en": schedule.name.en,
            "category": schedule.category,
            "organiser": schedule.organiser_kind,
            "organiser_name": schedule.organiser_name,
            "office": office,
        },
    )
    return program


def _jsonable(value: Any) -> Any:
    """Days become ISO texts, keys become texts: what JSON can hold and `parse` reads again."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_jsonable(inner) for inner in value]
    return value if isinstance(value, str | int | bool | type(None)) else str(value)
