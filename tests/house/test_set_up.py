"""The two commands, before anything is installed: what is missing, taken or in use is said in one line."""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The commands and their requirements in a folder with a space in its name; nothing is installed."""
    copy = tmp_path / "union aid"
    shutil.copytree(ROOT / "bin", copy / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").mkdir()
    for name in ("requirements.txt", "tests/requirements.txt", ".env.example"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def pretend_installed(clone: Path, *requirements: str) -> None:
    """As if these requirement files had been installed by the Python that runs the tests."""
    venv = clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "made-by").write_text(f"{venv} {sys.version_info[:2]}")
    wanted = hashlib.sha256(b"".join((clone / name).read_bytes() for name in requirements)).hexdigest()
    (venv / f"installed-{len(requirements)}").write_text(wanted)


def run(clone: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=clone, capture_output=True, text=True, env={**os.environ, **env}, timeout=60)


def code_in(clone: Path, code: str) -> list[str]:
    """A command line that runs this code where bin/house.py can be imported."""
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(clone / 'bin')!r}); import house\n{code}"]


@pytest.mark.parametrize("command", ["demo", "test"])
def test_a_missing_venv_module_is_one_line(clone: Path, command: str) -> None:
    without = f"import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = ['x']; runpy.run_path('bin/{command}', run_name='__main__')"
    told = run(clone, "-c", without)
    assert (told.returncode, told.stderr) == (1, f"bin/{command}: The venv module is missing. On Debian: apt install python3-venv\n")
    assert not (clone / ".venv").exists()


def test_a_wanted_port_that_is_taken_is_named(clone: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        told = run(clone, "bin/demo", "--port", str(port))
    assert (told.returncode, told.stderr) == (1, f"bin/demo: Port {port} is taken; choose another with --port.\n")


def test_a_second_demo_beside_a_running_one_is_refused(clone: Path) -> None:
    pretend_installed(clone, "requirements.txt")
    (clone / "var" / "demo").mkdir(parents=True)
    with open(clone / "var" / "demo" / "lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = run(clone, "bin/demo", "--once")
    assert told.returncode == 1
    assert "runs here already" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_browser_that_cannot_run_is_not_skipped_over(clone: Path) -> None:
    pretend_installed(clone, "requirements.txt", "tests/requirements.txt")
    told = run(clone, "bin/test", CHROMIUM="/nowhere/chromium")
    assert (told.returncode, told.stderr) == (1, "bin/test: CHROMIUM=/nowhere/chromium is no program that can be run.\n")


def test_an_environment_made_elsewhere_is_made_anew(clone: Path) -> None:
    pretend_installed(clone, "requirements.txt")
    fits = "print(house._venv_fits())"
    assert subprocess.check_output(code_in(clone, fits), text=True) == "True\n"
    moved = clone.rename(clone.parent / "moved")
    assert subprocess.check_output(code_in(moved, fits), text=True) == "False\n"


@pytest.mark.parametrize(("how", "dies"), [("preexec_fn=house.die_with_parent", True), ("", False)])
def test_what_a_killed_run_started_ends_with_it(clone: Path, how: str, dies: bool) -> None:
    code = f"import subprocess; print(subprocess.Popen(['sleep', '60'], {how}).pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen(code_in(clone, code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdin
    assert parent.stdout
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    last = time.monotonic() + (30 if dies else 1)
    while not gone(child) and time.monotonic() < last:
        time.sleep(0.02)
    assert gone(child) is dies
    if not dies:
        os.kill(child, signal.SIGKILL)


def gone(pid: int) -> bool:
    """The process is no more, or only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_reason_is_the_line_that_says_most(clone: Path) -> None:
    stderr = "Traceback:\n  File x\npsycopg2.errors.X: permission denied to create role\nDETAIL:  Only roles …\n"
    told = subprocess.check_output(code_in(clone, f"print(house.reason_in({stderr!r}))"), text=True)
    assert told == "psycopg2.errors.X: permission denied to create role\n"
