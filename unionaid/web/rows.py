"""Many rows in one statement, each with values of its own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Field, Model
from django.db.models.expressions import CombinedExpression

# Rows for one table, all with the same columns.
Rows = tuple[type[Model], Sequence[Mapping[str, Any]]]


def as_array(keys: Iterable[int]) -> str:
    """Keys as the text of an array, to be cast to bigint[]: read in one go, where a list of thousands would be as many constants."""
    return f"{{{','.join(map(str, keys))}}}"


def update_each(model: type[Model], keys: Sequence[int], own: Mapping[str, Sequence[Any]], common: Mapping[str, Any]) -> int:
    """Write to the rows with these keys the values of each (`own`: by column, in the order of the keys) and what is the same for all
    (`common`: values, or `F(column) + number`). How many rows were written. The caller has locked them in its scope; row security
    holds here as everywhere. Plain columns alone: a list in a column would be taken for several."""
    table, told = connection.ops.quote_name(model._meta.db_table), [_field(model, name) for name in own]
    sets = [f"{_name(field)} = own.{_name(field)}" for field in told]
    values: list[Any] = []
    for name, value in common.items():
        field = _field(model, name)
        if isinstance(value, CombinedExpression):
            sets.append(f"{_name(field)} = t.{_name(_field(model, value.lhs.name))} + %s")
            values.append(value.rhs.value)
        else:
            sets.append(f"{_name(field)} = %s")
            values.append(_plain(field, value))
    columns = ", ".join(["id", *map(_name, told)])
    arrays = ", ".join(["%s::bigint[]", *(f"%s::{field.db_type(connection)}[]" for field in told)])
    values += [list(keys), *([_plain(field, value) for value in own[name]] for name, field in zip(own, told, strict=True))]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} t SET {', '.join(sets)} FROM unnest({arrays}) AS own({columns}) WHERE t.id = own.id", values)
        return int(cursor.rowcount)


def insert_each(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add these rows, all with the same columns; a column that is not named gets the default that the database has for it. For rows that
    nobody asks for at once: their keys are not read back. One statement, none for none; row security holds."""
    insert_all((model, rows))


def insert_all(*sets: Rows) -> None:
    """The same for several tables that do not name each other's new rows: all of it in one statement, none when there are no rows."""
    *first, last = [_insert(model, rows) for model, rows in sets if rows] or [("", [])]
    if not last[0]:
        return
    beside = ", ".join(f"put{place} AS ({sql})" for place, (sql, _values) in enumerate(first))
    sql = f"WITH {beside} {last[0]}" if beside else last[0]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(sql, [value for _sql, values in (*first, last) for value in values])


def _insert(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    told = [_field(model, name) for name in rows[0]]
    columns = ", ".join(map(_name, told))
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in told)
    values = [[_plain(field, row[name]) for row in rows] for name, field in zip(rows[0], told, strict=True)]
    return f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) SELECT * FROM unnest({arrays})", values


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return model._meta.get_field(name)  # type: ignore[return-value]


def _name(field: "Field[Any, Any]") -> str:
    return connection.ops.quote_name(field.column)


def _plain(field: "Field[Any, Any]", value: Any) -> Any:
    return field.get_db_prep_save(getattr(value, "pk", value), connection)
