"""A backup is taken from the running server and restored into an empty cluster; what was damaged is found out, loudly."""

import json
import resource
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from claims.models import Claim, ClaimDocument
from claims.services import adjudication
from tests.conftest import Arranged, empty_all_tables
from tests.factories.processes import ROOT, environment, until
from tests.factories.record import seal_so_far
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.books.models import FundPaper
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry

sys.path.insert(0, str(ROOT / "bin"))
from backups import MANIFEST, Server, programs  # noqa: E402

Settings = dict[str, str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a space in its name."""
    return tmp_path_factory.mktemp("restore") / "a backup"


def _settings(place: Path) -> Settings:
    """The product's settings, the papers of this place, and the administrator of the tests' server."""
    env = environment()
    word = json.loads((ROOT / "var" / "test" / "services.json").read_text())["passwords"]["super"]
    at = urlsplit(env["DATABASE_URL"])
    return env | {"DATABASE_ADMIN_URL": f"postgres://postgres:{word}@127.0.0.1:{at.port}{at.path}"} | {
        "DOCUMENTS_OPTIONS": json.dumps({"location": str(place / "documents")})
    }


def _run(name: str, *words: str | Path, env: Settings) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bin" / name), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=300, check=False)


@dataclass(frozen=True)
class Taken:
    """A backup, the log archived meanwhile, and a moment after the backup that lies between two acts."""

    folder: Path
    archive: Path
    moment: str
    first_act: int

    def settings(self) -> Settings:
        return _settings(self.folder.parent)


@pytest.fixture(scope="module")
def taken(django_db_setup: None, django_db_blocker: DjangoDbBlocker, place: Path) -> Iterator[Taken]:
    """A claim was reviewed before the backup; after it come an act, a moment, and another act."""
    with django_db_blocker.unblock():
        if Arranged.standing:
            Arranged.standing.take_away()
        try:
            with _archiving(place):
                claim, world = _arrange(place)
                done = _run("backup", place / "one", env=_settings(place))
                assert done.returncode == 0, done.stderr
                yield _go_on(place, claim, world)
        finally:
            empty_all_tables()


@contextmanager
def _archiving(place: Path) -> Iterator[None]:
    """As a server in use archives its log: all the time."""
    (place / "archive").mkdir(parents=True)
    server = _server(place)
    server.ask("SELECT pg_create_physical_replication_slot('archive', true)")
    command = [str(programs() / "pg_receivewal"), "-w", "-D", str(place / "archive"), "--slot", "archive", "--no-loop", "--synchronous"]
    running = subprocess.Popen(command, env=server.env)
    try:
        yield
    finally:
        running.terminate()
        running.wait()
        server.let_go_of_slot("archive")


def _server(place: Path) -> Server:
    return Server(_settings(place)["DATABASE_ADMIN_URL"], programs())


def _arrange(place: Path) -> tuple[Claim, World]:
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        claim = world.claim(world.cover(world.member(101)), 100_000)
    assert seal_so_far()
    with everywhere(reason="arrange"):
        papers = [*ClaimDocument.objects.values_list("file", flat=True), *FundPaper.objects.values_list("file", flat=True)]
        for name in papers:
            kept = place / "documents" / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(settings.VAR_DIR) / "documents" / name, kept)
    return claim, world


def _go_on(place: Path, claim: Claim, world: World) -> Taken:
    server = _server(place)
    with frozen(ASKED), everywhere(reason="go on"):
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
        first = AuditEntry.objects.latest("pk").pk
    moment = server.ask("SELECT clock_timestamp()")
    with frozen(ASKED), everywhere(reason="go on"):
        adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
        assert AuditEntry.objects.latest("pk").pk > first
    upto = server.ask("SELECT pg_current_wal_flush_lsn()")  # in a piece of the log that is not finished
    flushed = f"SELECT count(*) FROM pg_stat_replication WHERE application_name = 'pg_receivewal' AND flush_lsn >= '{upto}'"
    until(lambda: server.ask(flushed) == "1", "the log is received")
    assert list((place / "archive").glob("*.partial"))
    return Taken(place / "one", place / "archive", moment, first)


def test_what_was_saved_comes_back_to_a_moment_between_two_acts_and_is_proved(taken: Taken) -> None:
    done = _run("restore-drill", taken.folder, "--wal", taken.archive, "--at", taken.moment, env=taken.settings())
    assert (done.returncode, done.stderr) == (0, "")
    assert f"The newest act in it is number {taken.first_act} of" in done.stdout
    assert "tables, triggers, policies and grants are as they were" in done.stdout
    assert "files and keys are verified" in done.stdout


def test_with_another_key_the_drill_fails(taken: Taken) -> None:
    """The control of the one before, and the drill to the backup's own moment: all is there, and nothing can be read."""
    done = _run("restore-drill", taken.folder, env=taken.settings() | {"FIELD_KEYS": "other:" + "C" * 43})
    assert done.returncode == 1
    assert "rows and balances are as they were" in done.stdout
    assert "members.MemberSecret.id_number: the key 't1' is not on the ring" in done.stdout


def test_a_changed_byte_of_the_database_is_found_before_anything_is_restored(taken: Taken) -> None:
    largest = max((path for path in (taken.folder / "base" / "base").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    with _changed(largest, lambda was: was[:-1] + bytes([was[-1] ^ 1])):
        _refused(taken, "The backup is damaged", largest.name)


def test_a_changed_a_missing_and_a_foreign_file_beside_it_are_named(taken: Taken) -> None:
    paper = next(path for path in (taken.folder / "documents").rglob("*") if path.is_file())
    with _changed(paper, lambda was: was + b"x"):
        _refused(taken, paper.name, "was changed")
    with _changed(paper, lambda _: None):
        _refused(taken, paper.name, "is missing")
    with _changed(taken.folder / "stray", lambda _: b"x"):
        _refused(taken, "stray was added")
    with _changed(taken.folder / MANIFEST, lambda _: None):
        _refused(taken, "is no whole backup")


def test_a_gap_in_the_log_is_no_restore(taken: Taken) -> None:
    """Damaged and its list mended, so that only PostgreSQL can tell."""
    manifest = taken.folder / MANIFEST
    last = max((taken.folder / "wal").glob("0*"))
    mended = {name: digest for name, digest in json.loads(manifest.read_text()).items() if name != f"wal/{last.name}"}
    with _changed(last, lambda _: None), _changed(manifest, lambda _: json.dumps(mended).encode()):
        _refused(taken, "could not be restored", "before configured recovery target was reached")


def _refused(taken: Taken, *words: str) -> None:
    done = _run("restore-drill", taken.folder, env=taken.settings())
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr


@contextmanager
def _changed(path: Path, change: Callable[[bytes], bytes | None]) -> Iterator[None]:
    """The file with other content, or gone; put back afterwards."""
    was = path.read_bytes() if path.exists() else None
    becomes = change(was or b"")
    path.unlink() if becomes is None else path.write_bytes(becomes)
    try:
        yield
    finally:
        path.unlink(missing_ok=True) if was is None else path.write_bytes(was)


# -- the restored database is stopped in the middle, and its disk is full ----------------------------------------------

_spec = spec_from_loader("restore_drill", SourceFileLoader("restore_drill", str(ROOT / "bin" / "restore-drill")))
assert _spec
assert _spec.loader
_drill = module_from_spec(_spec)
_spec.loader.exec_module(_drill)
INSERT = (
    "INSERT INTO workflow_auditentry (actor_label, entity, action, from_state, to_state, note, details)"
    " VALUES ('', '', 'look', '', '', %s, '{}') RETURNING id"
)


SEGMENT = 16 * 2**20  # a piece of the log: a limit that lets it be written, and stops a table


class Restarted(_drill.Restored):  # type: ignore[misc, name-defined]
    """The backup in a cluster of its own. What nobody waits for goes to the disk after ten seconds, not within 200 ms: until then it can be
    lost, however late the server is stopped."""

    def _options(self) -> dict[str, object]:
        return super()._options() | {"wal_writer_delay": "10s"}

    def at_once_and_again(self, *, most: int = resource.RLIM_INFINITY) -> None:
        """Stopped without a word, and started; no file can then grow beyond `most` bytes, as on a disk that is full."""
        self.children[-1].send_signal(signal.SIGQUIT)
        self.children[-1].wait()
        _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            self._recover(60)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_soft, hard))


class Writer:
    """One session of the product's own role; it counts what it was told is saved."""

    def __init__(self, at: Restarted, taken: Taken, *, waits: bool = True) -> None:
        role = urlsplit(taken.settings()["DATABASE_URL"])
        self.session = psycopg2.connect(
            host="127.0.0.1", port=at.port, user=role.username, password=unquote(role.password or ""), dbname=at.facts["database"]
        )
        self.session.autocommit = True
        self.cursor = self.session.cursor()
        self.cursor.execute(f"SET unionaid.offices = '*'; SET synchronous_commit = {'on' if waits else 'off'}")
        self.saved: list[int] = []

    def write(self, count: int, size: int = 10) -> None:
        for _each in range(count):
            self.cursor.execute(INSERT, [secrets.token_hex(size // 2)])
            self.saved.append(self.cursor.fetchone()[0])

    def lost(self, after: "Writer") -> int:
        """How much of what it was told is saved is not there."""
        after.cursor.execute("SELECT count(*) FROM workflow_auditentry WHERE id = ANY(%s)", [self.saved])
        return len(self.saved) - int(after.cursor.fetchone()[0])


def test_nothing_is_said_to_be_saved_that_is_not_when_the_database_is_stopped_or_its_disk_is_full(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control does not wait for the disk: what it was told is saved is lost."""
    monkeypatch.setenv("DATABASE_ADMIN_URL", taken.settings()["DATABASE_ADMIN_URL"])
    server = Restarted(taken.folder, None, "", programs())
    try:
        server.begin(json.loads((taken.folder / "facts.json").read_text()), 60)
        for waits in (True, False):
            writer = Writer(server, taken, waits=waits)
            writer.write(50)
            server.at_once_and_again(most=resource.RLIM_INFINITY if waits else SEGMENT)
            assert (writer.lost(Writer(server, taken)) == 0) == waits
        full = Writer(server, taken)
        with pytest.raises(psycopg2.Error, match="could not (extend|write)"):
            full.write(400, size=100_000)
        assert full.lost(Writer(server, taken)) == 0
        assert 0 < len(full.saved) < 400
    finally:
        server.stop()
        server.remove()
