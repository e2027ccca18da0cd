"""Loads written as SQL keep step with the models: what a statement does not name gets the default it has in the models alone."""

import re

from django.apps import apps
from django.db import models
from django.db.models.fields import NOT_PROVIDED
from psycopg2.extensions import QuotedString, adapt

_INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)\s+SELECT ")


def completed(load: str) -> str:
    """The same statements, each INSERT … SELECT with every column that may not be empty and has no default in the database."""
    return _INSERT.sub(_with_the_rest, load)


def _with_the_rest(found: re.Match[str]) -> str:
    table, named = found.groups()
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    there = set(re.findall(r"\w+", named))
    rest = {field.column: _default(field) for field in model._meta.concrete_fields if _asked(field) and field.column not in there}
    values = "".join(f"{value}, " for value in rest.values())
    return f"INSERT INTO {table} ({', '.join([*rest, named])})\nSELECT {values}"


def _asked(field: models.Field) -> bool:  # type: ignore[type-arg]
    return not (field.null or field.primary_key or field.generated or field.remote_field) and field.db_default is NOT_PROVIDED


def _default(field: models.Field) -> str:  # type: ignore[type-arg]
    """As SQL, inside a statement with places for values."""
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()"
    value = field.get_default()
    quoted = adapt("{}" if value in ([], {}) else value)
    if isinstance(quoted, QuotedString):
        quoted.encoding = "utf-8"
    return quoted.getquoted().decode().replace("%", "%%")
