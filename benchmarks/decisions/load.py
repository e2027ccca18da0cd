"""What the measuring scripts share: a connection, a stop-watch, a synthetic history.

The history is made by hashing, so every run makes the same rows: people in units in 39 offices, six programs, the years
2021–2025, renewals from year to year, one program with a start day of its own for each person, one that runs July to June.
Every script works in a schema of its own, `bench_decisions_…`, which is dropped before and after it.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection

MEMBERS = int(os.environ.get("BENCH_MEMBERS", "700000"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))
UNITS, OFFICES, PROGRAMS = 20_000, 39, 6


def connect(schema: str = "public") -> Connection:
    """A connection to the database in DATABASE_OWNER_URL, each statement on its own, one process, JIT off."""
    con = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    con.autocommit = True
    for setting in (
        f"search_path = {schema}, public", "client_min_messages = warning", "max_parallel_workers_per_gather = 0",
        "max_parallel_maintenance_workers = 0", "jit = off", "work_mem = '256MB'", "maintenance_work_mem = '512MB'",
    ):
        run(con, f"SET {setting}")
    return con


@contextmanager
def bench(name: str) -> Iterator[Connection]:
    """A connection in an empty schema of its own; the schema goes when the measuring ends, however it ends."""
    schema, began = f"bench_decisions_{name}", time.perf_counter()
    con = connect(schema)
    run(con, "CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public")
    run(con, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    run(con, f"CREATE SCHEMA {schema}")
    try:
        print(f"# {name}: {one(con, 'SHOW server_version')}, fsync {one(con, 'SHOW fsync')},"
              f" shared_buffers {one(con, 'SHOW shared_buffers')}", flush=True)
        yield con
    finally:
        run(con, f"DROP SCHEMA {schema} CASCADE")
        con.close()
        print(f"\n{name}: {time.perf_counter() - began:.0f} s in all", flush=True)


def run(con: Connection, sql: str, *values: object) -> None:
    """Run statements whose answer nobody wants."""
    with con.cursor() as cursor:
        cursor.execute(sql, values or None)


def ask(con: Connection, sql: str, *values: object) -> list[tuple]:
    """All rows of the answer."""
    with con.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall()


def one(con: Connection, sql: str, *values: object) -> object:
    """The single value of the answer."""
    return ask(con, sql, *values)[0][0]


def seconds(act: Callable[[], object]) -> float:
    """How long the act took."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def written(con: Connection, act: Callable[[], object]) -> tuple[float, float]:
    """Seconds taken and MB of write-ahead log made by the act, right after a checkpoint."""
    run(con, "CHECKPOINT")
    before = one(con, "SELECT pg_current_wal_lsn()")
    took = seconds(act)
    log = one(con, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s) / 1048576.0", before)
    return took, float(str(log))


def in_turn(acts: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """The median milliseconds of each act, all of them once per round so that a busy machine slows all alike."""
    for act in acts.values():
        act()
    times: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(repeats):
        for name, act in acts.items():
            times[name].append(seconds(act) * 1000)
    return {name: statistics.median(took) for name, took in times.items()}


def mb(con: Connection, relation: str, *, what: str = "total") -> float:
    """MB of a table (`table`), of its indexes (`indexes`), of both (`total`), or of one index (`relation`)."""
    function = {"total": "pg_total_relation_size", "table": "pg_table_size", "indexes": "pg_indexes_size"}
    return float(str(one(con, f"SELECT {function.get(what, 'pg_relation_size')}(%s::regclass) / 1048576.0", relation)))


def show(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print(f"\n### {title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}", flush=True)
    for row in rows:
        print("| " + " | ".join(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row) + " |", flush=True)


_PEOPLE = f"""
CREATE TABLE office (id bigint PRIMARY KEY);
INSERT INTO office SELECT generate_series(1, {OFFICES});
CREATE TABLE unit (id bigint PRIMARY KEY, office_id bigint NOT NULL);
INSERT INTO unit SELECT i, i % {OFFICES} + 1 FROM generate_series(1, {UNITS}) i;
CREATE TABLE program (id bigint PRIMARY KEY);
INSERT INTO program SELECT generate_series(1, {PROGRAMS});
CREATE TABLE terms (id bigint PRIMARY KEY);
INSERT INTO terms SELECT p * 10000 + y FROM generate_series(1, {PROGRAMS}) p, generate_series(2021, 2026) y;
CREATE TABLE member (id bigint PRIMARY KEY, unit_id bigint NOT NULL, office_id bigint NOT NULL, name varchar(60) NOT NULL,
  gender varchar(6) NOT NULL, birth_date date NOT NULL, employment varchar(24) NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO member
SELECT i, u.id, u.office_id, '张伟' || i % 997, CASE WHEN i % 5 < 2 THEN 'female' ELSE 'male' END,
       date '1965-01-01' + (i % 14000)::int, 'enterprise'
FROM (SELECT i, abs(hashint8extended(i, 1)) % {UNITS} + 1 AS unit_id FROM generate_series(1, {MEMBERS}) i) m
JOIN unit u ON u.id = m.unit_id ORDER BY i;
"""

# A person keeps to a program for years: chosen by (person, program), begun in one of three years, renewed until the last.
_ENROLMENTS = """
CREATE UNLOGGED TABLE {name} AS
SELECT row_number() OVER (ORDER BY y, m.unit_id, p, m.id) AS id, 1::int AS version, gen_random_uuid() AS public_id,
       m.office_id, m.id AS member_id, m.id AS holder_id, 'self'::varchar(12) AS relation, m.unit_id, p::bigint AS program_id,
       (p * 10000 + y)::bigint AS terms_id, (y * 1000000::bigint + m.unit_id * 10 + p) AS roster_id,
       (1 + m.id % 3)::smallint AS shares, daterange(starts, (starts + interval '1 year')::date) AS cover,
       starts + 30 AS waiting_until, false AS waiting_waived, y = first AS first_time, (5000 + 1000 * p)::bigint AS contribution_fen,
       (CASE WHEN hash % 100 < 97 THEN 'effective' WHEN hash % 100 < 99 THEN 'withdrawn' ELSE 'contribution_due' END)::varchar(24)
         AS state, now() AS created_at
FROM member m CROSS JOIN generate_series(1, 6) p
CROSS JOIN LATERAL (SELECT 2021 + abs(hashint8extended(m.id, 2)) % 3 AS first) f
CROSS JOIN generate_series({years}) y
CROSS JOIN LATERAL (SELECT abs(hashint8extended(m.id * 100 + p * 10, y)) AS hash,
  (date '2021-01-01' + CASE p WHEN 6 THEN 181 WHEN 5 THEN (m.id % 360)::int ELSE 0 END
    + make_interval(years => y - 2021))::date AS starts) s
WHERE abs(hashint8extended(m.id * 10 + p, 3)) % 8 = 0 AND y >= first
"""


def history(con: Connection) -> None:
    """People, five years of enrolments (`past`) and the year after, to be inserted in batches (`coming`)."""
    took = seconds(lambda: run(con, _PEOPLE))
    took += seconds(lambda: run(con, _ENROLMENTS.format(name="past", years="2021, 2025")))
    took += seconds(lambda: run(con, _ENROLMENTS.format(name="coming", years="2026, 2026")))
    run(con, "CREATE TABLE roster (id bigint PRIMARY KEY)")
    run(con, "INSERT INTO roster SELECT roster_id FROM past UNION SELECT roster_id FROM coming")
    run(con, "CREATE UNIQUE INDEX ON coming (id)")
    run(con, "VACUUM (ANALYZE) member, past, coming, roster, unit, office, program, terms")
    counts = [one(con, f"SELECT count(*) FROM {name}") for name in ("member", "past", "coming")]
    print(f"history made in {took:.0f} s: people, past and coming enrolments = {counts}", flush=True)


COLUMNS = (
    "version, public_id, office_id, member_id, holder_id, relation, unit_id, program_id, terms_id, roster_id, shares, cover,"
    " waiting_until, waiting_waived, first_time, contribution_fen, state, created_at"
)
COLUMN_TYPES = """id bigint GENERATED BY DEFAULT AS IDENTITY (START 100000000),
  version integer NOT NULL, public_id uuid NOT NULL, office_id bigint NOT NULL,
  member_id bigint NOT NULL, holder_id bigint NOT NULL, relation varchar(12) NOT NULL, unit_id bigint, program_id bigint NOT NULL,
  terms_id bigint NOT NULL, roster_id bigint, shares smallint NOT NULL, cover daterange NOT NULL, waiting_until date,
  waiting_waived boolean NOT NULL, first_time boolean NOT NULL, contribution_fen bigint NOT NULL, state varchar(24) NOT NULL,
  created_at timestamptz NOT NULL"""
