"""A migration whose process is killed half-way: nothing of it is there, and it is simply run again."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import ProgrammingError, connections
from django.db.migrations.executor import MigrationExecutor

from tests.factories.processes import forked

APP, BEFORE, LAST = "payouts", "0003_three_people_for_a_batch", "0004_lines_by_the_thousand"


class Step:
    """The last migration of the app, up and down; it changes no model."""

    def __init__(self) -> None:
        self.executor = MigrationExecutor(connections["owner"])
        self.migration = self.executor.loader.get_migration(APP, LAST)
        self.state = self.executor.loader.project_state([(APP, BEFORE)])

    def up(self, *, in_halves: bool = False) -> None:
        self.migration.atomic = not in_halves
        self.executor.apply_migration(self.state.clone(), self.migration)

    def down(self) -> None:
        self.executor.unapply_migration(self.state.clone(), self.migration)


def _dies_before_it_is_written_down(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if str(sql).startswith('INSERT INTO "django_migrations"'):
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)


def _killed(step: Step, *, in_halves: bool) -> None:
    def work() -> None:
        with connections["owner"].execute_wrapper(_dies_before_it_is_written_down):
            step.up(in_halves=in_halves)

    assert forked(work) == -signal.SIGKILL


def _standing() -> tuple[bool, bool]:
    """Is something of it there; is it written down as done?"""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'payouts_lines_belong'),"
            " EXISTS (SELECT FROM django_migrations WHERE app = %s AND name = %s)", [APP, LAST],
        )  # fmt: skip
        there, done = cursor.fetchone()
    return there, done


def test_a_migration_that_is_killed_leaves_nothing_and_is_run_again(committed: None) -> None:
    """The control runs it without its transaction: halves are left, and it can be run no more."""
    step = Step()
    step.down()
    try:
        _killed(step, in_halves=False)
        assert _standing() == (False, False)
        step.up()
        assert _standing() == (True, True)
        step.down()
        _killed(step, in_halves=True)
        assert _standing() == (True, False)
        with pytest.raises(ProgrammingError, match="already exists"):
            step.up()
    finally:
        if _standing() == (True, False):
            with connections["owner"].cursor() as cursor:
                cursor.execute(step.migration.operations[0].reverse_sql)
        step.up()
