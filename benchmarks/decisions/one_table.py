"""Enrolments in one table or one partition for each year: loading, the guard, bulk inserts, the office's year, a person's
history, a key from a claim, the end of a year. And what the secondary indexes cost."""

import statistics

from load import COLUMN_TYPES, COLUMNS, REPEATS, Batches, Connection, ask, connect, history, in_turn, mb, run, seconds, show

BATCH = 100_000
LIVE = "WHERE (state IN ('contribution_due', 'effective'))"
REFERENCES = {"office_id": "office", "member_id": "member", "holder_id": "member", "unit_id": "unit", "program_id": "program",
              "terms_id": "terms", "roster_id": "roster"}
# As Django writes them unasked: one index for every foreign key.
UNASKED = {column: f"({column})" for column in REFERENCES}
BY_RANGE = {"report": "(office_id, program_id, (lower(cover)))"}
CHOSEN = {
    "report": "(office_id, starts_on, program_id) INCLUDE (member_id, unit_id, shares, contribution_fen, first_time)"
              " WHERE state = 'effective'",
    "member": "(member_id, program_id)",
    "unit": "(unit_id, starts_on)",
    "roster": "(roster_id)",
    "holder": "(holder_id) WHERE holder_id <> member_id",
}


def main() -> None:
    con = connect()
    history(con)
    batches, rows = Batches(), []
    run(con, "DROP TABLE IF EXISTS one, years")
    for table, partitioned in (("one", False), ("years", True)):
        make(con, table, partitioned)
        load = seconds(lambda table=table: run(con, f"INSERT INTO {table} (id, {COLUMNS}) SELECT id, {COLUMNS} FROM past ORDER BY id"))
        keys = seconds(lambda table=table, p=partitioned: add_keys(con, table, p))
        guard = seconds(lambda table=table, p=partitioned: add_guard(con, table, p))
        index = seconds(lambda table=table: add_indexes(con, table, CHOSEN))
        run(con, f"VACUUM (ANALYZE) {table}")
        rows.append([table, load, keys, guard, index])
    show("loading five years, s", ["table", "INSERT … SELECT", "keys + foreign keys", "overlap guard", "chosen indexes"], rows)
    inserts(con, batches)
    questions(con)
    escape(con)
    what_indexes_cost(con, batches)
    end_of_a_year(con)
    run(con, "DROP TABLE years")


def make(con: Connection, table: str, partitioned: bool) -> None:
    starts = "starts_on date NOT NULL" if partitioned else "starts_on date GENERATED ALWAYS AS (lower(cover)) STORED"
    kind = "PARTITION BY RANGE (starts_on)" if partitioned else ""
    run(con, f"CREATE TABLE {table} ({COLUMN_TYPES}, {starts}, CHECK (NOT isempty(cover))) {kind}")
    if not partitioned:
        return
    run(con, f"ALTER TABLE {table} ADD CHECK (starts_on = lower(cover))")  # a generated column cannot be the partition key
    for year in range(2021, 2027):
        run(con, f"CREATE TABLE {table}_{year} PARTITION OF {table} FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')")
    run(con, f"CREATE OR REPLACE FUNCTION {table}_starts() RETURNS trigger LANGUAGE plpgsql AS"
             " $$BEGIN NEW.starts_on := lower(NEW.cover); RETURN NEW; END$$")


def add_keys(con: Connection, table: str, partitioned: bool) -> None:
    """Every unique key of a partitioned table must carry the partition key."""
    more = ", starts_on" if partitioned else ""
    run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_pk PRIMARY KEY (id{more})")
    run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_public UNIQUE (public_id{more})")
    for column, above in REFERENCES.items():
        run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column} FOREIGN KEY ({column}) REFERENCES {above} (id)"
                 " DEFERRABLE INITIALLY DEFERRED")


def add_guard(con: Connection, table: str, partitioned: bool) -> None:
    year = "starts_on WITH =, " if partitioned else ""
    run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_never_overlaps EXCLUDE USING gist"
             f" ({year}member_id WITH =, program_id WITH =, cover WITH &&) {LIVE}")


def add_indexes(con: Connection, table: str, indexes: dict[str, str]) -> None:
    for name, columns in indexes.items():
        run(con, f"CREATE INDEX {table}_{name} ON {table} {columns}")


def drop_indexes(con: Connection, table: str, indexes: dict[str, str]) -> None:
    for name in indexes:
        run(con, f"DROP INDEX {table}_{name}")


def inserts(con: Connection, batches: Batches) -> None:
    """Batches in turn; into the partitioned table the start day must be said, PostgreSQL does not derive it."""
    took: dict[str, list[tuple[float, float]]] = {"one": [], "years": []}
    run(con, "CREATE OR REPLACE VIEW years_in AS SELECT * FROM years")
    run(con, "CREATE OR REPLACE RULE years_derive AS ON INSERT TO years_in DO INSTEAD INSERT INTO years"
             f" ({COLUMNS}, starts_on) VALUES ({', '.join('NEW.' + c.strip() for c in COLUMNS.split(','))}, lower(NEW.cover))")
    for _ in range(REPEATS):
        for table in took:
            took[table].append(batches.insert(con, "one" if table == "one" else "years_in", BATCH))
    run(con, "DROP VIEW years_in")
    show(f"{BATCH:,} rows more, everything on", ["table", "s (median)", "s (all)", "WAL MB", "table MB", "indexes MB"],
         [[t, f"{statistics.median(x[0] for x in many):.2f}", " ".join(f"{x[0]:.2f}" for x in many),
           statistics.median(x[1] for x in many), *sizes(con, t)] for t, many in took.items()])


def sizes(con: Connection, table: str) -> list[float]:
    parts = [str(r[0]) for r in ask(con, "SELECT relid::regclass FROM pg_partition_tree(%s) WHERE isleaf", table)] or [table]
    return [sum(mb(con, part, what=what) for part in parts) for what in ("table", "indexes")]


MEASURES = ("count(DISTINCT unit_id), count(DISTINCT member_id), count(*), sum(shares), count(*) FILTER (WHERE first_time),"
            " sum(contribution_fen)")
YEAR = "starts_on >= '2024-01-01' AND starts_on < '2025-01-01' AND state = 'effective'"
QUESTIONS = {
    "one office, one year, by program": f"SELECT program_id, {MEASURES} FROM {{0}} WHERE office_id = 7 AND {YEAR} GROUP BY program_id",
    "country, one year, by office and program": f"SELECT office_id, program_id, count(*), sum(contribution_fen) FROM {{0}} WHERE {YEAR}"
                                                " GROUP BY 1, 2",
    "one office, five years, distinct people": "SELECT count(DISTINCT member_id) FROM {0} WHERE office_id = 7 AND state = 'effective'",
    "1,000 people's whole history": "SELECT count(*), sum(shares) FROM generate_series(1, 1000) i JOIN {0} e ON e.member_id = i * 1499",
    "1,000 covers on a day": "SELECT count(*) FROM generate_series(1, 1000) i JOIN {0} e ON e.member_id = i * 1499 AND e.program_id = 1"
                             " AND e.cover @> date '2024-05-05'",
    "1,000 rows by id alone": "SELECT count(e.shares) FROM generate_series(1, 1000) i JOIN {0} e ON e.id = i * 4001",
}


def questions(con: Connection) -> None:
    run(con, "VACUUM (ANALYZE) one, years")
    times = in_turn({f"{q}/{t}": lambda s=s, t=t: ask(con, s.format(t)) for q, s in QUESTIONS.items() for t in ("one", "years")}, 5)
    show("questions, ms", ["question", "one table", "years", "years / one"],
         [[q, times[f"{q}/one"], times[f"{q}/years"], f"{times[f'{q}/years'] / times[f'{q}/one']:.2f}"] for q in QUESTIONS])


def escape(con: Connection) -> None:
    """The same person, program and days twice, in two years' partitions: does the guard see it?"""
    rows = []
    for table in ("one", "years"):
        starts, days = (", starts_on", [", '2024-07-01'", ", '2025-01-01'"]) if table == "years" else ("", ["", ""])
        answers = []
        for cover, day in zip(("[2024-07-01,2025-07-01)", "[2025-01-01,2026-01-01)"), days, strict=True):
            values = ", ".join({"cover": f"'{cover}'", "public_id": "gen_random_uuid()", "member_id": "2", "program_id": "999"}.get(
                c.strip(), c.strip()) for c in COLUMNS.split(","))
            try:
                run(con, "BEGIN")
                run(con, f"INSERT INTO {table} ({COLUMNS}{starts}) SELECT {values}{day} FROM past WHERE state = 'effective' LIMIT 1"
                    .replace("999", "1"))
                run(con, "SAVEPOINT a") if False else None
                answers.append("kept")
            except Exception as error:  # the answer is what we are after
                answers.append(f"refused ({type(error).__name__})")
            finally:
                pass
        run(con, "ROLLBACK")
        rows.append([table, *answers])
    show("cover from July to June, then cover of the calendar year", ["table", "first", "second"], rows)
