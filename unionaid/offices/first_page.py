"""The first page of the desk: what waits for this person and since when, what is said to them alone, a few figures."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.functional import Promise

from unionaid.lib.calendar import SHANGHAI, days_between, today
from unionaid.offices.roles import Actor, may

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of the first page: what waits, how many, how long the oldest has waited (days), where to go."""

    label: Words
    count: int
    url: str
    oldest_days: int | None = None
    hint: Words = ""
    rows: "QuerySet[Any] | None" = None  # what `counted` is to count, and the column that says since when it waits
    since: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """Something said to this person alone on the first page until they have read it: what, why, what next; where to go on, and the address
    that puts it away."""

    text: Words
    why: str
    then: Words
    url: str
    read: str


@dataclass(frozen=True, slots=True)
class Glance:
    """A few figures on the first page: (name, figure, what it says), of when, and where the whole is."""

    title: Words
    hint: Words
    url: str
    figures: Sequence[tuple[Words, str, Words]]


_TODOS: list[tuple[str, Callable[[Actor], Iterable[Todo]]]] = []


def todo(action: str) -> Callable[[Callable[[Actor], Iterable[Todo]]], Callable[[Actor], Iterable[Todo]]]:
    """Register lines of the first page, shown to those who may take `action`."""

    def register(lines: Callable[[Actor], Iterable[Todo]]) -> Callable[[Actor], Iterable[Todo]]:
        _TODOS.append((action, lines))
        return lines

    return register


_WORDS: list[tuple[str, Callable[[Actor], Iterable[Word]]]] = []


def told(action: str) -> Callable[[Callable[[Actor], Iterable[Word]]], Callable[[Actor], Iterable[Word]]]:
    """Register what the first page says to one person alone, among those who may take `action`."""

    def register(words: Callable[[Actor], Iterable[Word]]) -> Callable[[Actor], Iterable[Word]]:
        _WORDS.append((action, words))
        return words

    return register


_GLANCES: list[tuple[str, Callable[[Actor], Iterable[Glance]]]] = []


def glance(action: str) -> Callable[[Callable[[Actor], Iterable[Glance]]], Callable[[Actor], Iterable[Glance]]]:
    """Register figures of the first page, shown to those who may take `action`."""

    def register(figures: Callable[[Actor], Iterable[Glance]]) -> Callable[[Actor], Iterable[Glance]]:
        _GLANCES.append((action, figures))
        return figures

    return register


def waiting(label: Words, rows: QuerySet[Any], since: str, url: str) -> Todo:
    """A line of the first page: how many rows wait, and how long the oldest (column `since`, a day or a moment) has."""
    return Todo(label, 0, url, rows=rows, since=since)


def counted(lines: Sequence[Todo]) -> list[Todo]:
    """The lines with what waits counted. One statement for all of them, however many: a head of an office has some twenty-five."""
    parts, values = [], list[Any]()
    for number, line in enumerate(lines):
        with suppress(EmptyResultSet):  # what this person cannot see at all: nothing waits
            if line.rows is not None:
                sql, told = line.rows.order_by().values("pk", line.since).query.sql_with_params()
                oldest = _first_day(line.rows.model, line.since)
                parts.append(f"SELECT {number}, count(DISTINCT w.pk), {oldest} FROM ({sql}) AS w (pk, since)")
                values += told
    if not parts:
        return list(lines)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        told_of = {number: (count, oldest) for number, count, oldest in cursor.fetchall()}
    return [_with_count(line, *told_of.get(number, (0, None))) if line.rows is not None else line for number, line in enumerate(lines)]


def is_moment(model: type[Model], column: str) -> bool:
    """Does this column hold moments, and no days?"""
    return model._meta.get_field(column).get_internal_type() == "DateTimeField"


def _first_day(model: type[Model], since: str) -> str:
    return f"(min(w.since) AT TIME ZONE '{SHANGHAI.key}')::date" if is_moment(model, since) else "min(w.since)"


def _with_count(line: Todo, count: int, oldest: date | None) -> Todo:
    return replace(line, count=count, rows=None, oldest_days=max(0, days_between(oldest, today())) if oldest else None)


def first_page(actor: Actor) -> dict[str, Any]:
    """What the first page tells this person: words, what waits, what has been cleared, figures."""
    lines = counted([line for action, find in _TODOS if may(actor, action) for line in find(actor)])
    return {
        "words": [one for action, find in _WORDS if may(actor, action) for one in find(actor)],
        "todo": [line for line in lines if line.count],
        "clear": [line for line in lines if not line.count],
        "glances": [one for action, find in _GLANCES if may(actor, action) for one in find(actor)],
    }
