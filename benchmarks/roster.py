"""How long a roster takes from upload to committed cover, beside the least that can be asked: parsing the same file and
COPYing the same rows into one table.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=…      # an empty database with fsync on; never one in use
    python manage.py migrate
    python benchmarks/roster.py                    # 100,000 rows, three rounds
    BENCH_ROWS=10000 BENCH_ROUNDS=5 python benchmarks/roster.py
    BENCH_HISTORY=12000000 python benchmarks/roster.py          # on top of 12 million people and 8 million enrolments

Both are done in turn, round by round, in one run; every round enrols people nobody knows yet. Printed: seconds, people a second,
how many times the bare parsing and copying, statements, and the greatest memory of the process that did it.
"""

import io
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection, connections, transaction
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


def bare(data: bytes) -> None:
    """Parse the file and COPY its rows into one table, committed."""
    table = read_table(data, "x.xlsx")
    lines = "".join("\t".join(row[:7]) + "\n" for row in table.rows)
    with connections["owner"].cursor() as cursor:
        cursor.copy_expert("COPY bench_plain FROM STDIN", io.StringIO(lines))


def whole(unit: WorkUnit, terms: Terms, data: bytes, name: str) -> None:
    """Upload, check, confirm, commit: each in a transaction of its own, as the jobs do it."""
    with everywhere(reason="measure"):
        user = User.objects.get(username="bench")
        with transaction.atomic():
            roster = rosters.upload(unit=unit, terms=terms, data=data, file_name=name, by=replace(SYSTEM, user_id=user.pk), on=DAY)
        with transaction.atomic():
            rosters.check(roster.pk, by=SYSTEM, on=DAY)
        roster = Roster.objects.get(pk=roster.pk)
        if roster.good_count != ROWS:
            raise SystemExit(f"{roster.good_count} of {ROWS} lines were good: {roster.message}")
        with transaction.atomic():
            rosters.confirm(roster, by=SYSTEM)
        with transaction.atomic():
            rosters.commit(roster.pk, by=SYSTEM, on=DAY)
        made, owed = Enrolment.objects.filter(roster=roster).count(), ContributionDue.objects.get(roster=roster).amount_fen
        if (made, owed) != (ROWS, 12_500 * ROWS):
            raise SystemExit(f"{made} enrolled, {owed} fen owed")


HISTORY_SQL = (
    """INSERT INTO members_member (id, id_hash, name, gender, birth_date, unit_id, office_id, office_ids, unit_ids, employment, insurance_type,
              risk, staff_group)
       SELECT nextval('members_member_id_seq'), sha256(i::text::bytea), '职工', CASE i % 2 WHEN 0 THEN 'male' ELSE 'female' END,
              date '1966-01-01' + (i % 14000)::int, {unit}, {office}, ARRAY[{office}]::bigint[], ARRAY[{unit}]::bigint[], 'enterprise', '',
              '', ''
       FROM generate_series(1, {people}) i""",
    """INSERT INTO members_enrolment (public_id, office_id, member_id, holder_id, relation, unit_id, program_id, terms_id, shares, cover,
              waiting_waived, first_time, contribution_fen, state, version)
       SELECT gen_random_uuid(), {office}, id, id, 'self', {unit}, {program}, {terms}, 1, daterange('2026-01-06', '2027-01-01'), FALSE, TRUE,
              12500, 'effective', 1 FROM members_member ORDER BY id LIMIT {covers}""",
    "ANALYZE members_member", "ANALYZE members_enrolment",
)  # fmt: skip


def history(unit: WorkUnit, terms: Terms) -> None:
    names = {
        "unit": unit.pk,
        "office": unit.office_id,
        "program": terms.program_id,
        "terms": terms.pk,
        "people": HISTORY,
        "covers": HISTORY * 2 // 3,
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('unionaid.offices', '*', FALSE)")
        for statement in HISTORY_SQL:
            took = seconds(lambda statement=statement: cursor.execute(statement.format(**names)))
            print(f"history: {statement.split()[0]} {statement.split()[2 if statement[0] == 'I' else 1]} {took:.0f} s", flush=True)


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def main() -> None:
    with everywhere(reason="measure"), frozen(DAY), connections["owner"].cursor() as cursor:
        unit, terms = world()
        cursor.execute(f"DROP TABLE IF EXISTS bench_plain; CREATE TABLE bench_plain ({PLAIN})")
        cursor.execute("SELECT version(), current_setting('fsync'), current_setting('synchronous_commit')")
        print("{}; fsync {}, synchronous_commit {}".format(*cursor.fetchone()))
        if HISTORY:
            history(unit, terms)
        found = []
        for number in range(ROUNDS + 1):  # the first warms up
            data = sheet(number * ROWS)
            least = seconds(lambda data=data: bare(data))
            all_of_it = seconds(lambda data=data, number=number: whole(unit, terms, data, f"r{number}.xlsx"))
            print(f"round {number}: parse + COPY {least:.2f} s, roster {all_of_it:.2f} s", flush=True)
            if number:
                found.append((least, all_of_it))
        least, all_of_it = (statistics.median(column) for column in zip(*found, strict=True))
        data = sheet((ROUNDS + 1) * ROWS)
        with CaptureQueriesContext(connection) as seen:
            whole(unit, terms, data, "counted.xlsx")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{ROWS:,} rows: {all_of_it:.2f} s = {ROWS / all_of_it:,.0f} people/s; parse + COPY {least:.2f} s; ratio {all_of_it / least:.1f};"
            f" {len(seen.captured_queries)} statements; this process at most {memory} MiB"
        )
        cursor.execute("DROP TABLE bench_plain")


if __name__ == "__main__":
    main()
