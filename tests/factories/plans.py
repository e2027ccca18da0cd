"""How the database reads what a page asks for: explained as the owner, with the rows that somebody sees."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from unionaid.offices.scope import Scope


def longest_scan(owner: BaseDatabaseWrapper, asked: Sequence[str], scope: Scope) -> tuple[str, int]:
    """(table, rows) of the sequential scan that meets most rows, when these statements are run inside this scope. Needs a transaction."""
    found = [("none", 0)]
    with owner.cursor() as cursor:
        for name, value in zip(("offices", "units", "member", "user"), scope.as_settings(), strict=True):
            cursor.execute("SELECT set_config(%s, %s, true)", [f"unionaid.{name}", value])
        for sql in asked:
            if sql.startswith("SELECT") and "set_config" not in sql:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
                plan = cursor.fetchone()[0]
                found += scans((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return max(found, key=lambda one: one[1])


def scans(node: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(table, rows met) of every sequential scan in a plan."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"], int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    for below in node.get("Plans", ()):
        yield from scans(below)
