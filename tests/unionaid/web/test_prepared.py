"""A connection plans a statement once, and each long list by itself."""

from typing import Any

import pytest
from django.db import connection

from unionaid.web.prepared import FEW, run

ASKED = "SELECT n, '5%%' || %s::text FROM unnest(%s::bigint[]) n /* a connection plans it once */"


def _ask(numbers: list[int]) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        run(cursor, ASKED, ["a'b%s", numbers])
        return cursor.fetchall()


def _kept() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%plans it once%%'")
        return cursor.fetchall()


def test_a_statement_is_planned_once_and_answers_as_it_would_alone(db: None, settings: Any) -> None:
    settings.PREPARED_STATEMENTS = False  # the control: nothing is kept
    alone = _ask([1, 2])
    assert (alone, _kept()) == ([(1, "5%a'b%s"), (2, "5%a'b%s")], [])
    settings.PREPARED_STATEMENTS = True
    assert (_ask([1, 2]), _ask([3])) == (alone, [(3, "5%a'b%s")])
    assert _kept() == [(2, 0)]
    assert len(_ask(list(range(FEW + 1)))) == FEW + 1
    assert _kept() == [(2, 0)]


def test_a_statement_that_cannot_be_planned_is_said_as_any_other_error(db: None) -> None:
    with pytest.raises(Exception, match="no_such_table") as said, connection.cursor() as cursor:
        run(cursor, "SELECT %s FROM no_such_table", [1])
    assert type(said.value).__module__ == "django.db.utils"
