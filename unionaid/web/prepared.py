"""Statements that a connection plans once (预备语句): planning one of ours, with its row security, takes longer than running it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import md5
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Expression

FEW = 200
# By connection of the driver: the statements that it knows. A new connection knows none.
_known: "WeakKeyDictionary[Any, set[str]]" = WeakKeyDictionary()


def run(cursor: CursorWrapper, sql: str, values: Sequence[Any]) -> None:
    """Run `sql`, with a `%s` for each value, whose types it must tell by itself; the connection keeps its plan. The text is to be the
    same whatever the values: what differs each time is kept for nothing. The plan is one for few rows, so a statement with a list of more
    than `FEW` values is planned for what it is told, as any other. The first time on a connection one statement more is sent."""
    if not settings.PREPARED_STATEMENTS or any(isinstance(value, list) and len(value) > FEW for value in values):
        cursor.execute(sql, values)
        return
    name, prepare, execute = _named(sql)
    known = _known.setdefault(connection.connection, set())
    if name not in known:
        with connection.wrap_database_errors, connection.connection.cursor() as bare:
            bare.execute(prepare)
        known.add(name)
    cursor.execute(execute, values)


class Place(Expression):
    """In a queryset whose SQL is made once: a value that is told when it is asked (`unionaid.offices.kept`)."""

    def __init__(self, name: str, output_field: Any = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


@lru_cache(maxsize=1024)
def _named(sql: str) -> tuple[str, str, str]:
    """The name under which a connection keeps this statement, and what makes it known and runs it."""
    count = sql.replace("%%", "").count("%s")
    words = "_".join(re.findall("[a-z_]{3,}", sql.lower())[:3])
    name = f"{words[:40]}_{md5(sql.encode(), usedforsecurity=False).hexdigest()[:16]}"
    prepare = f"PREPARE {name} AS {sql % tuple(f'${place + 1}' for place in range(count))}"
    return name, prepare, f"EXECUTE {name} ({', '.join(['%s'] * count)})"
