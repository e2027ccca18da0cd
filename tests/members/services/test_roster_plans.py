"""What a roster's statements cost while the database counts a full table as empty: ANALYZE that comes by while rows are not yet
committed sees none of them, and the planner goes by that until somebody counts again."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from typing import Any

import psycopg2
import pytest
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from members.models import Roster
from members.services import roster_enrolling, roster_tables, rosters
from programs.models import Terms
from tests.factories.world import JOINED, World, terms_like
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

PEOPLE = 150
TABLES = "members_member, members_enrolment, members_rosterrow"


def _roster(world: World, terms: Terms, people: int = PEOPLE) -> Roster:
    lines = (f"张三,{make_id_number('610802', date(1990, 3, 8), 100 + i)}" for i in range(people))
    data = "\n".join(["姓名,身份证号", *lines]).encode()
    return rosters.upload(unit=world.unit, terms=terms, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)


def _checked(roster: Roster) -> None:
    rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    roster.refresh_from_db()


def _committed(roster: Roster) -> None:
    rosters.confirm(roster, by=SYSTEM)
    rosters.commit(roster.pk, by=SYSTEM, on=JOINED)


@contextmanager
def _owner() -> Iterator[Any]:
    """A session that sees nothing of a test's rows, which are not committed."""
    session = psycopg2.connect(**connections["owner"].get_connection_params())
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            yield cursor
    finally:
        session.close()


def _count_as_empty() -> None:
    with _owner() as cursor:
        cursor.execute(f"ANALYZE {TABLES}")
        cursor.execute("SELECT relname FROM pg_class WHERE relname = 'members_member' AND reltuples = 0 AND relpages > 0")
        assert cursor.fetchone(), "the table is not taken for empty"


@pytest.fixture(autouse=True, scope="module")
def counted_anew(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The tests after these find the tables counted as they are."""
    yield
    with django_db_blocker.unblock(), _owner() as cursor:
        cursor.execute(f"VACUUM {TABLES}")


@pytest.fixture
def known(world: World) -> Iterator[World]:
    """Half of the next list are known, and the tables are counted as empty."""
    with frozen(JOINED), everywhere(reason="arrange"):
        first = _roster(world, world.yulin)
        _checked(first)
        _committed(first)
        _count_as_empty()
        yield world


def _compared(node: dict[str, Any]) -> int:
    """How many pairs of rows a plan held against each other in vain."""
    own = node.get("Rows Removed by Join Filter", 0) * node.get("Actual Loops", 1)
    return int(own) + sum(_compared(one) for one in node.get("Plans", ()))


def _work(act: Callable[[], object]) -> int:
    """Pairs of rows held against each other by the statements over all lines; these are run by EXPLAIN ANALYZE."""
    pairs = 0

    def explained(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal pairs
        over_all = sql.lstrip().startswith(("WITH", "INSERT INTO known", "UPDATE members_member"))
        if over_all and "members_" in sql and "savepoint" not in sql.lower():
            gives = sql.lstrip().startswith("WITH") and "INSERT INTO" not in sql
            execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params, many, context)
            (plan,) = context["cursor"].fetchone()
            pairs += sum(_compared(one["Plan"]) for one in (json.loads(plan) if isinstance(plan, str) else plan))
            return execute(sql, params, many, context) if gives else None
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        act()
    return pairs


def _again(world: World) -> int:
    roster = _roster(world, terms_like("shaanxi-yulin-medical.2026"), 2 * PEOPLE)
    pairs = _work(lambda: _checked(roster))
    assert roster.good_count == 2 * PEOPLE
    return pairs + _work(lambda: _committed(roster))


def test_a_table_counted_as_empty_does_not_make_a_roster_hold_every_line_against_every_other(known: World) -> None:
    assert _again(known) < PEOPLE


def test_without_hashed_joins_it_would(known: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    for room in (roster_tables, roster_enrolling):
        monkeypatch.setattr(room, "hashed", nullcontext)
    assert _again(known) > PEOPLE * PEOPLE // 4
