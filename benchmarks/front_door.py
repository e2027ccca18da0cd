"""The site as its visitors meet it, for measuring: gunicorn as bin/demo starts it, and a browser of a few lines."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30  # seconds for one answer; a server that hangs ends the run
IDLE = 1.0  # gunicorn lets go of a line that was idle for two


class Browser:
    """One person's browser: one connection, cookies, forms."""

    def __init__(self, port: int) -> None:
        self.line, self.used = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE), 0.0
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, str, str]:
        """(status, where to, page)"""
        if time.monotonic() - self.used > IDLE:
            self.line.close()  # opened again by the next request
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self.line.request(method, path, body or None, headers | ({"Content-Type": kind} if kind else {}))
        answer = self.line.getresponse()
        page, self.used = answer.read().decode(), time.monotonic()
        for told in answer.headers.get_all("Set-Cookie") or ():
            name, _is, value = told.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.getheader("Location") or "", page

    def post(self, path: str, **form: str) -> str:
        """Where the answer leads."""
        body = urlencode(form | {"csrfmiddlewaretoken": self.cookies["csrftoken"]}).encode()
        status, where, page = self.ask("POST", path, body, "application/x-www-form-urlencoded")
        if status != 302:
            raise SystemExit(f"{status} from {path}: {page[:2000]}")
        return where


def web_seconds(server: int) -> float:
    """Processor time of gunicorn and its workers so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            told = stat.read_text().rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12]) if int(told[2]) == server else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def serving() -> tuple[subprocess.Popen[bytes], int]:
    """As bin/demo does it, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gunicorn = [sys.executable, "-m", "gunicorn", "unionaid.wsgi", "--no-control-socket"]
    command = [*gunicorn, "-b", f"127.0.0.1:{port}", "-w", "2", "--threads", "4"]
    server = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, port
        time.sleep(0.1)
    server.terminate()
    raise SystemExit("The site did not answer in 30 seconds.")
