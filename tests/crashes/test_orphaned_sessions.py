"""A process is killed while its session waits in the database: its locks are free soon, not when the waiting would have ended."""

import os
import signal
from contextlib import closing
from threading import Thread

import psycopg2
import pytest
from django.db import connection, connections, transaction
from pytest_django import DjangoDbBlocker

from tests.factories.processes import address, forked, until

WANTED, LOOKED_AFTER, LEFT_ALONE = 7001, 7002, 7003


def _granted(key: int) -> bool:
    """Somebody has this lock."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND granted AND objid = %s AND datname = current_database()",
            [key],
        )
        return bool(cursor.fetchone()[0])


def _waits(pid: int) -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s", [pid])
        return bool(cursor.fetchone()[0])


def _dies_waiting(key: int, every: int) -> None:
    """Has one lock, waits for another and is killed there; every so many milliseconds the server looks whether it lives."""
    connection.settings_dict["OPTIONS"]["options"] += f" -c client_connection_check_interval={every}"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() FROM pg_advisory_xact_lock(%s)", [key])
        Thread(target=_killed_when_it_waits, args=cursor.fetchone()).start()
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WANTED])


def _killed_when_it_waits(pid: int) -> None:
    until(lambda: _waits(pid), "it waits")
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_locks_of_a_killed_process_are_free_while_what_it_waited_for_is_not(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """The control: where nobody looks, the session waits on for a process that is no more, and keeps its lock."""
    with django_db_blocker.unblock():
        with closing(psycopg2.connect(address("owner"))) as other:
            other.cursor().execute("SELECT pg_advisory_lock(%s)", [WANTED])
            assert forked(lambda: _dies_waiting(LEFT_ALONE, 0)) == -signal.SIGKILL
            assert forked(lambda: _dies_waiting(LOOKED_AFTER, 100)) == -signal.SIGKILL
            until(lambda: not _granted(LOOKED_AFTER), "the session has ended")
            assert _granted(LEFT_ALONE)
        until(lambda: not _granted(LEFT_ALONE), "it has what it waited for, and ends")
        connections.close_all()


@pytest.mark.parametrize("alias", ["default", "owner"])
def test_the_product_asks_to_be_looked_after(django_db_setup: None, django_db_blocker: DjangoDbBlocker, alias: str) -> None:
    with django_db_blocker.unblock(), connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('client_connection_check_interval'), current_setting('tcp_keepalives_idle')")
        assert cursor.fetchone() == ("5s", "30")
    connections.close_all()
