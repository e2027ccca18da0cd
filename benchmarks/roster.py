"""How long a roster takes from upload to committed cover, beside the least that can be asked: parsing the same file and
COPYing the same rows into one table.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=…      # an empty database with fsync on; never one in use
    python manage.py migrate
    python benchmarks/roster.py                    # 100,000 rows, three rounds
    BENCH_ROWS=10000 BENCH_ROUNDS=5 python benchmarks/roster.py
    BENCH_HISTORY=12000000 python benchmarks/roster.py          # on top of 12 million people and 8 million enrolments

Both are done in turn, round by round, in one run; every round enrols people nobody knows yet. Printed: seconds, people a second,
how many times the bare parsing and copying, statements, and the greatest memory of the process that did it together with all
processes that it starts. The workbooks are made by a process of their own, so that this counts the roster alone.
"""

import io
import multiprocessing
import os
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from members.models import ContributionDue, Enrolment, Roster, UnitAgent, WorkUnit
from members.services import roster_rows, rosters
from programs.models import Terms
from programs.rules.planfile import read_plan
from programs.services import check, load_plan, publish
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import credit_code_check, make_id_number
from unionaid.lib.spreadsheet import Column, Sheet, read_table, write_workbook
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

ROWS, ROUNDS = int(os.environ.get("BENCH_ROWS", "100000")), int(os.environ.get("BENCH_ROUNDS", "3"))
HISTORY = int(os.environ.get("BENCH_HISTORY", "0"))
DAY = date(2026, 1, 5)
CATALOGUE = Path(__file__).resolve().parents[1] / "programs" / "catalogue"
PLAIN = "name text, id_number text, phone text, employment text, insurance text, union_member text, shares text"


def world() -> tuple[WorkUnit, Terms]:
    """One office, one unit, one published plan; refused when the database holds more than a few people of ours."""
    if Enrolment.objects.exists():
        raise SystemExit("This database holds enrolments. Give an empty one.")
    if not Office.objects.exists():
        call_command("load_offices", verbosity=0)
    office = Office.objects.get(code="610800")
    user, _made = User.objects.get_or_create(username="bench", defaults={"display_name": "bench"})
    code = "91610800MA70A1B2C"
    unit, _made = WorkUnit.objects.get_or_create(
        credit_code=code + credit_code_check(code),
        defaults={
            "office": office,
            "name": "测",
            "nature": "enterprise",
            "headcount": 10**6,
            "women_count": 5 * 10**5,
            "state": "approved",
        },
    )
    UnitAgent.objects.get_or_create(office=office, unit=unit, user=user, defaults={"since": DAY})
    name = "shaanxi-yulin-medical.2026.yaml"
    terms = load_plan(read_plan((CATALOGUE / name).read_bytes(), source=name), by=SYSTEM).terms
    return unit, terms if terms.state == "published" else publish(check(terms, by=SYSTEM), by=SYSTEM)


def sheet(first: int) -> bytes:
    """A roster of people with numbers from `first` on: 45 years of birthdays × 998 orders × regions."""
    rows = []
    for i in range(first, first + ROWS):
        region, rest = divmod(i, 12_000 * 998)
        day, order = divmod(rest, 998)
        born = date.fromordinal(date(1966, 6, 1).toordinal() + day)
        number = make_id_number(f"{110101 + region:06d}", born, order + 1)
        rows.append(["职工" + chr(0x4E00 + i % 20_000), number, f"138{i % 10**8:08d}", "企业在职", "是", "是", "1"])
    out = io.BytesIO()
    write_workbook(out, [Sheet("名册", "", [Column(title) for title in roster_rows.TITLES.values()], rows)])
    return out.getvalue()


def sheet_elsewhere(first: int) -> bytes:
    """`sheet`, made by another process: what writing a workbook takes is not a roster's memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(sheet, (first,))


def bare(data: bytes) -> None:
    """Parse the file and COPY its rows into one table, committed."""
    table = read_table(data, "x.xlsx")
    lines = "".join("\t".join(row[:7]) + "\n" for row in table.rows)
    with connections["owner"].cursor() as cursor:
        cursor.copy_expert("COPY bench_plain FROM STDIN", io.StringIO(lines))


def whole(unit: WorkUnit, terms: Terms, data: bytes, name: str) -> None:
    """Upload, check, confirm, commit: each in a transaction of its own, as pages and jobs do it; to the last byte on disk."""
    by = replace(SYSTEM, user_id=in_its_own_transaction(lambda: User.objects.get(username="bench").pk))
    roster = in_its_own_transaction(lambda: rosters.upload(unit=unit, terms=terms, data=data, file_name=name, by=by, on=DAY))
    in_its_own_transaction(lambda: rosters.check(roster.pk, by=SYSTEM, on=DAY))
    roster = in_its_own_transaction(lambda: Roster.objects.get(pk=roster.pk))
    if roster.good_count != ROWS:
        raise SystemExit(f"{roster.good_count} of {ROWS} lines were good: {roster.message}")
    in_its_own_transaction(lambda: rosters.confirm(roster, by=SYSTEM))
    in_its_own_transaction(lambda: rosters.commit(roster.pk, by=SYSTEM, on=DAY))


def verify(name: str) -> None:
    """Everybody enrolled, everything owed; outside the stop-watch."""
    with everywhere(reason="measure"):
        roster = Roster.objects.get(file_name=name)
        made, owed = Enrolment.objects.filter(roster=roster).count(), ContributionDue.objects.get(roster=roster).amount_fen
    if (made, owed) != (ROWS, 12_500 * ROWS):
        raise SystemExit(f"{made} enrolled, {owed} fen owed")


def in_its_own_transaction(act: Callable[[], Any]) -> Any:
    """Opening a scope opens a transaction: inside another scope nothing would be committed, and no deferred check would run."""
    if connection.in_atomic_block:
        raise RuntimeError("a transaction is open: what is measured would not be committed")
    with everywhere(reason="measure"):
        return act()


# Everybody before belongs to units of a thousand people each; the unit that is measured is new.
HISTORY_SQL = (
    """INSERT INTO members_workunit SELECT made.* FROM members_workunit u, generate_series(1, {units}) i,
           LATERAL jsonb_populate_record(u, jsonb_build_object('id', {unit} + i, 'credit_code', 'H' || i)) made
       WHERE u.id = {unit}""",
    "SELECT setval('members_workunit_id_seq', {unit} + {units})",
    """INSERT INTO members_member (id, id_hash, name, gender, birth_date, unit_id, office_id, office_ids, unit_ids, employment,
              insurance_type, risk, staff_group)
       SELECT nextval('members_member_id_seq'), sha256(i::text::bytea), '职工' || chr(20000 + (i % 5000)::int),
              CASE i % 2 WHEN 0 THEN 'male' ELSE 'female' END, date '1966-01-01' + (i % 14000)::int, {unit} + 1 + i / 1000, {office},
              ARRAY[{office}]::bigint[], ARRAY[{unit} + 1 + i / 1000]::bigint[], 'enterprise', '', '', ''
       FROM generate_series(0, {people} - 1) i""",
    """INSERT INTO members_enrolment (public_id, office_id, member_id, holder_id, relation, unit_id, program_id, terms_id, shares,
              cover, waiting_waived, first_time, contribution_fen, refundable, state, version)
       SELECT overlay(gen_random_uuid()::text PLACING '0198a000-0000-7' FROM 1 FOR 15)::uuid, {office}, id, id, 'self', unit_id,
              {program}, {terms}, 1, daterange('2026-01-06', '2027-01-01'), FALSE, TRUE, 12500, FALSE, 'effective', 1
       FROM members_member ORDER BY id LIMIT {covers}""",
)  # fmt: skip
FILLED = ("members_member", "members_enrolment")


def history(unit: WorkUnit, terms: Terms) -> None:
    """People and covers of before. What guards and finds them is taken away while they are written, and put back."""
    names = {
        "unit": unit.pk,
        "office": unit.office_id,
        "program": terms.program_id,
        "terms": terms.pk,
        "units": HISTORY // 1000 + 1,
        "people": HISTORY,
        "covers": HISTORY * 2 // 3,
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('unionaid.offices', '*', FALSE), set_config('maintenance_work_mem', '1GB', FALSE)")
        take, put_back = put_aside(cursor)
        for statement in (*take, *(text.format(**names) for text in HISTORY_SQL), *put_back):
            took = seconds(lambda statement=statement: cursor.execute(statement))
            print(f"history: {' '.join(statement.split())[:60]} {took:.0f} s", flush=True)


def put_aside(cursor: Any) -> tuple[list[str], list[str]]:
    """Statements that take away constraint, indexes and triggers that cost by the row, and those that put them back."""
    cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'cover_never_overlaps'")
    take = ["ALTER TABLE members_enrolment DROP CONSTRAINT cover_never_overlaps"]
    put_back = [f"ALTER TABLE members_enrolment ADD CONSTRAINT cover_never_overlaps {cursor.fetchone()[0]}"]
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)", [list(FILLED)],
    )  # fmt: skip
    for name, text in cursor.fetchall():
        take.append(f"DROP INDEX {name}")
        put_back.append(text)
    for table in FILLED:
        take.append(f"ALTER TABLE {table} DISABLE TRIGGER parents_added")
        put_back += [f"ALTER TABLE {table} ENABLE TRIGGER parents_added", f"ANALYZE {table}"]
    return take, put_back


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measured(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of processors: ours, our children's, and those of our two sessions in the database."""
    before = processor()
    took = seconds(act)
    return took, processor() - before


def processor() -> float:
    """On a database elsewhere its part cannot be seen and is left out."""
    own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own + sum(session_seconds(alias) for alias in ("default", "owner"))


def session_seconds(alias: str) -> float:
    connections[alias].ensure_connection()
    stat = Path(f"/proc/{connections[alias].connection.info.backend_pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


EVERY = 0.02  # seconds


@contextmanager
def greatest_memory() -> Iterator[list[int]]:
    """The most that this process and all its children have at once, in KiB, as seen again and again while the block runs. A page that
    several of them share is counted once (proportional set size)."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            most[0] = max(most[0], sum(map(proportional, family(os.getpid()))))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield most
    finally:
        over.set()
        watching.join()


def family(pid: int) -> list[int]:
    """This process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:  # it ended this moment
            continue
        found += [one for child in children for one in family(int(child))]
    return found


def proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    with frozen(DAY), connections["owner"].cursor() as cursor:
        with everywhere(reason="arrange"):
            unit, terms = world()
        cursor.execute(f"DROP TABLE IF EXISTS bench_plain; CREATE TABLE bench_plain ({PLAIN})")
        cursor.execute("SELECT version(), current_setting('fsync'), current_setting('synchronous_commit')")
        print("{}; fsync {}, synchronous_commit {}".format(*cursor.fetchone()))
        if HISTORY:
            history(unit, terms)
        found = []
        for number in range(ROUNDS + 1):  # the first warms up
            data, name = sheet_elsewhere(number * ROWS), f"r{number}.xlsx"
            least, all_of_it = measured(lambda data=data: bare(data)), measured(lambda data=data, name=name: whole(unit, terms, data, name))
            verify(name)
            words = "round {}: load {:.1f}; parse + COPY {:.2f} s ({:.2f} s of processor), roster {:.2f} s ({:.2f} s of processor)"
            print(words.format(number, os.getloadavg()[0], *least, *all_of_it), flush=True)
            if number:
                found.append((*least, *all_of_it))
        least, least_cpu, all_of_it, all_cpu = (statistics.median(column) for column in zip(*found, strict=True))
        data = sheet_elsewhere((ROUNDS + 1) * ROWS)
        with CaptureQueriesContext(connection) as seen, greatest_memory() as memory:  # not timed: looking costs time itself
            whole(unit, terms, data, "counted.xlsx")
        print(
            f"{ROWS:,} rows: {all_of_it:.2f} s = {ROWS / all_of_it:,.0f} people/s; parse + COPY {least:.2f} s,"
            f" ratio {all_of_it / least:.1f}; processor {all_cpu:.2f} s and {least_cpu:.2f} s, ratio {all_cpu / least_cpu:.1f};"
            f" {len(seen.captured_queries)} statements; at most {memory[0] // 1024} MiB with all processes"
        )
        cursor.execute("DROP TABLE bench_plain")


if __name__ == "__main__":
    main()
