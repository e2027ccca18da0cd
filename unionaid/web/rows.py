"""Many rows in one statement, each with values of its own."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Field, Model
from django.db.models.expressions import CombinedExpression

from unionaid.web.prepared import run

# Rows for one table, all with the same columns.
Rows = tuple[type[Model], Sequence[Mapping[str, Any]]]


def as_array(keys: Iterable[int]) -> str:
    """Keys as the text of an array, to be cast to bigint[]: read in one go, where a list of thousands would be as many constants."""
    return f"{{{','.join(map(str, keys))}}}"


def update_each(model: type[Model], keys: Sequence[int], own: Mapping[str, Sequence[Any]], common: Mapping[str, Any]) -> int:
    """Write to the rows with these keys the values of each (`own`: by column, in the order of the keys) and what is the same for all
    (`common`: values, or `F(column) + number`). How many rows were written. The caller has locked them in its scope; row security
    holds here as everywhere. Plain columns alone: a list in a column would be taken for several."""
    added = {name: value for name, value in common.items() if isinstance(value, CombinedExpression)}
    told = tuple((name, added[name].lhs.name if name in added else "") for name in common)
    values = [value.rhs.value if name in added else _plain(_field(model, name), value) for name, value in common.items()]
    arrays = [[_plain(_field(model, name), value) for value in column] for name, column in own.items()]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        run(cursor, _update(model, tuple(own), told), [*values, list(keys), *arrays])
        return int(cursor.rowcount)


@lru_cache(maxsize=256)
def _update(model: type[Model], own: tuple[str, ...], common: tuple[tuple[str, str], ...]) -> str:
    """The statement of `update_each`; `common`: each column, and the one that something is added to."""
    table, told = connection.ops.quote_name(model._meta.db_table), [_field(model, name) for name in own]
    sets = [f"{_name(_field(model, name))} = {f't.{_name(_field(model, base))} + ' if base else ''}%s" for name, base in common]
    sets += [f"{_name(field)} = own.{_name(field)}" for field in told]
    columns = ", ".join(["id", *map(_name, told)])
    arrays = ", ".join(["%s::bigint[]", *(f"%s::{field.db_type(connection)}[]" for field in told)])
    return f"UPDATE {table} t SET {', '.join(sets)} FROM unnest({arrays}) AS own({columns}) WHERE t.id = own.id"


def insert_each(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add these rows, all with the same columns; a column that is not named gets the default that the database has for it. For rows that
    nobody asks for at once: their keys are not read back. One statement, none for none; row security holds."""
    insert_all((model, rows))


def insert_all(*sets: Rows) -> None:
    """The same for several tables that do not name each other's new rows: all of it in one statement, none when there are no rows."""
    parts = [(model, tuple(rows[0]), rows) for model, rows in sets if rows]
    if not parts:
        return
    sql = _inserts(tuple((model, names) for model, names, _rows in parts))
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        run(cursor, sql, [column for model, names, rows in parts for column in _columns(model, names, rows)])


@lru_cache(maxsize=256)
def _inserts(parts: tuple[tuple[type[Model], tuple[str, ...]], ...]) -> str:
    """The statement of `insert_all` for these tables and columns."""
    *first, last = [_insert(model, names) for model, names in parts]
    beside = ", ".join(f"put{place} AS ({sql})" for place, sql in enumerate(first))
    return f"WITH {beside} {last}" if beside else last


def _insert(model: type[Model], names: Sequence[str]) -> str:
    told = [_field(model, name) for name in names]
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in told)
    return f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(map(_name, told))}) SELECT * FROM unnest({arrays})"


def _columns(model: type[Model], names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The values of these rows, column by column."""
    told = [(name, _field(model, name)) for name in names]
    return [[_plain(field, row[name]) for row in rows] for name, field in told]


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return model._meta.get_field(name)  # type: ignore[return-value]


def _name(field: "Field[Any, Any]") -> str:
    return connection.ops.quote_name(field.column)


def _plain(field: "Field[Any, Any]", value: Any) -> Any:
    return field.get_db_prep_save(getattr(value, "pk", value), connection)
