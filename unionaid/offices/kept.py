"""Questions asked again and again of other rows: the ORM makes their SQL once for a process, a connection plans it once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.utils import create_namedtuple_class

from unionaid.offices.scope import Scope, current_scope, made_for, open_scope
from unionaid.web.prepared import Place, run

Row = TypeVar("Row")
Shape = Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class Made:
    """The SQL of a question, the places in it in their order, and how its rows become what is asked for."""

    sql: str
    places: tuple[str, ...]
    shape: Shape


class Kept(Generic[Row]):
    """A question as a queryset with a `Place` for each value that differs. It is scoped as every other: by the scope that is open when
    it is asked, or by one that is told."""

    def __init__(self, question: Callable[[], "QuerySet[Any, Any]"]) -> None:
        self.question = question
        self.made: dict[bool, Made] = {}

    def ask(self, *, scope: Scope | None = None, **told: Any) -> list[Row]:
        """The rows, `told` in their places. NoScope when none is open. One statement."""
        seen_by = scope or open_scope()
        is_everywhere = seen_by is not None and seen_by.is_everywhere
        made = self.made.get(is_everywhere) or self._make(is_everywhere)
        if seen_by is None and not told.keys() >= set(made.places):  # rows that have no scope are asked for without one
            seen_by = current_scope()
        values = {**(seen_by.as_places() if seen_by else {}), **told}
        with connection.cursor() as cursor:
            run(cursor, made.sql, [values[name] for name in made.places])
            return made.shape(cursor.fetchall())

    def _make(self, is_everywhere: bool) -> Made:
        with made_for(is_everywhere):
            rows = self.question()
        compiler = rows.query.get_compiler(using=connection.alias)
        sql, values = compiler.as_sql()
        places = tuple(value.name for value in values if isinstance(value, Place))
        made = self.made[is_everywhere] = Made(_with_constants(sql, values), places, _shape(rows, compiler))
        return made


def _with_constants(sql: str, values: Sequence[Any]) -> str:
    """The SQL with everything but the places written out, so that it is planned by what it says."""
    with connection.cursor() as cursor:
        said = tuple(
            "%s" if isinstance(value, Place) else cursor.mogrify("%s", [value]).decode().replace("%", "%%") for value in values
        )
    return sql.replace("%%", "%%%%") % said


def _shape(rows: "QuerySet[Any, Any]", compiler: SQLCompiler) -> Shape:
    """What makes of the rows of the database what iterating over the queryset would."""
    converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
    build = _builder(rows, compiler)
    if not converters:
        return lambda found: [build(row) for row in found]
    return lambda found: [build(row) for row in compiler.apply_converters(found, converters)]


def _builder(rows: "QuerySet[Any, Any]", compiler: SQLCompiler) -> Callable[[Sequence[Any]], Any]:
    kind = rows._iterable_class
    if kind is ModelIterable:
        return _instances(compiler)
    if kind is NamedValuesListIterable:
        return create_namedtuple_class(*rows._fields)._make
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    raise TypeError(f"rows of {kind.__name__} are not kept")


def _instances(compiler: SQLCompiler) -> Callable[[Sequence[Any]], Model]:
    """As `ModelIterable` does it: the row itself, what was joined to it, what was annotated."""
    told, annotated = compiler.klass_info, (compiler.annotation_col_map or {}).items()
    first, end = told["select_fields"][0], told["select_fields"][-1] + 1
    names = [column[0].target.attname for column in compiler.select[first:end]]
    joined, model = get_related_populators(told, compiler.select, connection.alias), told["model"]

    def build(row: Sequence[Any]) -> Model:
        one: Model = model.from_db(connection.alias, names, row[first:end])
        for other in joined:
            other.populate(row, one)
        for name, place in annotated:
            setattr(one, name, row[place])
        return one

    return build
