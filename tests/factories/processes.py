"""Real worker processes on the tests' own database, in process groups of their own so that they can be killed whole."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection, connections

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bin"))
from house import die_with_parent  # noqa: E402

QUEUES = "default,payouts,reports"
WAITING = "FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"


def address(alias: str) -> str:
    """The address of the test database behind one of the two doors."""
    at = connections[alias].settings_dict
    name = connection.settings_dict["NAME"]
    return f"postgres://{quote(at['USER'])}:{quote(at['PASSWORD'] or '')}@{at['HOST']}:{at['PORT']}/{quote(name)}"


def environment() -> dict[str, str]:
    """What a process of the product needs to run on the tests' servers."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "unionaid.settings",
        "DATABASE_URL": address("default"),
        "DATABASE_OWNER_URL": address("owner"),
        "REDIS_URL": settings.REDIS_URL,
        "VAR_DIR": str(settings.VAR_DIR),
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def worker(count: int = 1) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many Celery workers, killed with their children at the end, and with the tests when these are killed."""
    command = [sys.executable, "-m", "celery", "-A", "unionaid.celery", "worker", "-Q", QUEUES, "-c", "1", "-l", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    made = [
        subprocess.Popen(
            [*command, *quiet, "-n", f"w{n}-{os.getpid()}@%h"], cwd=ROOT, env=environment(), start_new_session=True,
            preexec_fn=die_with_parent,
        )  # fmt: skip
        for n in range(count)
    ]
    try:
        yield made
    finally:
        for one in made:
            kill(one)


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of the worker and its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def until(true: Callable[[], bool], what: str, *, seconds: float = 60, every: float = 0.1) -> None:
    """Wait for something that another process does; fail with its name after a long while."""
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last, f"never happened: {what}"
        time.sleep(every)


def somebody_waits() -> bool:
    """Does a session of this database wait for a lock?"""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) {WAITING}")
        return bool(cursor.fetchone()[0])


def _beside(loop: asyncio.AbstractEventLoop | None) -> None:
    """Let a forked process find the connections that its parent found and closed. Django keeps others for a thread in which a loop runs, as
    Playwright's does in the tests, and Python says that none runs in a forked process: it would find those from before the loop, which
    the parent has open and sees no more. A session shared so outlives the process, with its transaction and all its locks."""
    asyncio._set_running_loop(loop)


def forked(act: Callable[[], object]) -> int:
    """Run `act` in a process of its own, as the pool of a worker does, with connections of its own; how it ended: 0 when it came back, less
    than 0 when a signal killed it."""
    connections.close_all()
    loop = asyncio._get_running_loop()
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            _beside(loop)
            act()
            ended = 0
        except BaseException:  # nobody else would tell
            traceback.print_exc()
        finally:
            os._exit(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
