"""Enrolments in one table or one partition for each year: loading, the guard, bulk inserts, questions, what the guard and the
keys still promise, the end of a year. And what the secondary indexes cost, and a start day of its own in place of `lower(cover)`."""

import statistics

import psycopg2
from load import COLUMN_TYPES, COLUMNS, REPEATS, Connection, ask, bench, history, in_turn, mb, one, run, seconds, show, written

BATCH = 45_000
LIVE = "WHERE (state IN ('contribution_due', 'effective'))"
REFERENCES = {"office_id": "office", "member_id": "member", "holder_id": "member", "unit_id": "unit", "program_id": "program",
              "terms_id": "terms", "roster_id": "roster"}
# One index for every foreign key, as Django writes them unasked, and the report's.
INDEXES = {**{column: f"({column})" for column in REFERENCES}, "report": "(office_id, program_id, (lower(cover)))"}
# The report's index begins with the office; programs and terms are few, and nothing looks enrolments up by them alone.
SPARE = ("office_id", "program_id", "terms_id")
TABLES = ("one", "years")


def main() -> None:
    with bench("one_table") as con:
        history(con)
        rows = [[table, *load(con, table)] for table in TABLES]
        show(f"loading {one(con, 'SELECT count(*) FROM past'):,} rows of five years, s",
             ["table", "INSERT … SELECT", "keys + foreign keys", "overlap guard", "eight indexes"], rows)
        inserts(con)
        questions(con)
        covering(con)
        promises(con)
        end_of_a_year(con)
        run(con, "DROP TABLE years")
        spare_indexes(con)


def load(con: Connection, table: str) -> list[float]:
    """Make the table and fill it with five years: seconds for each step."""
    partitioned = table == "years"
    run(con, f"CREATE TABLE {table} ({COLUMN_TYPES}, starts_on date NOT NULL CHECK (starts_on = lower(cover)),"
             f" CHECK (NOT isempty(cover))) {'PARTITION BY RANGE (starts_on)' if partitioned else ''}")
    for year in range(2021, 2027) if partitioned else ():
        run(con, f"CREATE TABLE {table}_{year} PARTITION OF {table} FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')")
    run(con, "CHECKPOINT")
    steps = (
        lambda: run(con, f"INSERT INTO {table} (id, {COLUMNS}, starts_on) SELECT id, {COLUMNS}, lower(cover) FROM past ORDER BY id"),
        lambda: add_keys(con, table, ", starts_on" if partitioned else ""),
        lambda: add_guard(con, table, ", starts_on WITH =" if partitioned else ""),
        lambda: [run(con, f"CREATE INDEX {table}_{name} ON {table} {columns}") for name, columns in INDEXES.items()],
    )
    took = [seconds(step) for step in steps]
    run(con, f"VACUUM (ANALYZE) {table}")
    return took


def add_keys(con: Connection, table: str, more: str) -> None:
    """Every unique key of a partitioned table must carry the partition key."""
    run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_pk PRIMARY KEY (id{more})")
    run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_public UNIQUE (public_id{more})")
    for column, above in REFERENCES.items():
        run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column} FOREIGN KEY ({column}) REFERENCES {above} (id)"
                 " DEFERRABLE INITIALLY DEFERRED")


def add_guard(con: Connection, table: str, year: str) -> None:
    """So must every exclusion constraint, and with equality: rows that start on different days are never held together."""
    run(con, f"ALTER TABLE {table} ADD CONSTRAINT {table}_never_overlaps EXCLUDE USING gist"
             f" (member_id WITH =, program_id WITH ={year}, cover WITH &&) {LIVE}")


def insert(con: Connection, table: str, low: int) -> tuple[float, float]:
    """The coming year's rows after number `low`, a batch of them, as a roster brings them."""
    return written(con, lambda: run(con, f"INSERT INTO {table} ({COLUMNS}, starts_on) SELECT {COLUMNS}, lower(cover) FROM coming"
                                         f" WHERE id > {low} AND id <= {low + BATCH} ORDER BY id"))


def inserts(con: Connection) -> None:
    """The same batches into both, in turn."""
    took: dict[str, list[tuple[float, float]]] = {table: [] for table in TABLES}
    for turn in range(REPEATS):
        for table in TABLES if turn % 2 else TABLES[::-1]:
            took[table].append(insert(con, table, turn * BATCH))
    show(f"{BATCH:,} rows more, everything on", ["table", "s (median)", "s (all)", "WAL MB", "table MB", "indexes MB"],
         [[t, f"{statistics.median(x[0] for x in many):.2f}", " ".join(f"{x[0]:.2f}" for x in many),
           statistics.median(x[1] for x in many), *sizes(con, t)] for t, many in took.items()])


def sizes(con: Connection, table: str) -> list[float]:
    parts = [str(r[0]) for r in ask(con, "SELECT relid::regclass FROM pg_partition_tree(%s) WHERE isleaf", table)] or [table]
    return [sum(mb(con, part, what=what) for part in parts) for what in ("table", "indexes")]


MEASURES = ("count(DISTINCT unit_id), count(DISTINCT member_id), count(*), sum(shares), count(*) FILTER (WHERE first_time),"
            " sum(contribution_fen)")
YEAR = "starts_on >= '2024-01-01' AND starts_on < '2025-01-01' AND state = 'effective'"
COVER = "lower(cover) >= '2024-01-01' AND lower(cover) < '2025-01-01' AND state = 'effective'"
PEOPLE = "FROM generate_series(1, 1000) i JOIN {0} e ON e.member_id = i * 97"
QUESTIONS = {
    "one office, one year, by program (start day)": f"SELECT program_id, {MEASURES} FROM {{0}} WHERE office_id = 7 AND {YEAR} GROUP BY 1",
    "the same, asked through lower(cover)": f"SELECT program_id, {MEASURES} FROM {{0}} WHERE office_id = 7 AND {COVER} GROUP BY 1",
    "country, one year, by office and program (start day)": f"SELECT office_id, program_id, count(*), sum(contribution_fen) FROM {{0}}"
                                                            f" WHERE {YEAR} GROUP BY 1, 2",
    "one office, five years, distinct people": "SELECT count(DISTINCT member_id) FROM {0} WHERE office_id = 7 AND state = 'effective'",
    "1,000 people's whole history": f"SELECT count(*), sum(shares) {PEOPLE}",
    "1,000 covers on a day": f"SELECT count(*) {PEOPLE} AND e.program_id = 1 AND e.cover @> date '2024-05-05'",
    "1,000 rows by id alone (from a claim)": "SELECT count(e.shares) FROM generate_series(1, 1000) i JOIN {0} e ON e.id = i * 2003",
}


def questions(con: Connection) -> None:
    run(con, "VACUUM (ANALYZE) one, years")
    times = in_turn({f"{q}/{t}": lambda s=s, t=t: ask(con, s.format(t)) for q, s in QUESTIONS.items() for t in TABLES})
    show("questions, ms", ["question", "one table", "years", "years / one"],
         [[q, times[f"{q}/one"], times[f"{q}/years"], f"{times[f'{q}/years'] / times[f'{q}/one']:.2f}"] for q in QUESTIONS])


def covering(con: Connection) -> None:
    """The year's questions once more, on both with an index that answers them alone."""
    for table in TABLES:
        run(con, f"CREATE INDEX {table}_covering ON {table} (office_id, starts_on, program_id)"
                 " INCLUDE (member_id, unit_id, shares, contribution_fen, first_time) WHERE state = 'effective'")
    asked = [q for q in QUESTIONS if "start day" in q]
    times = in_turn({f"{q}/{t}": lambda s=QUESTIONS[q], t=t: ask(con, s.format(t)) for q in asked for t in TABLES})
    show("with a covering index on (office, start day, program), ms", ["question", "one table", "years", "years / one"],
         [[q, times[f"{q}/one"], times[f"{q}/years"], f"{times[f'{q}/years'] / times[f'{q}/one']:.2f}"] for q in asked])
    run(con, "DROP INDEX one_covering, years_covering")


def promises(con: Connection) -> None:
    """What the database still refuses: overlap over the turn of a year, a number given twice, a claim without its enrolment."""
    rows = []
    for table in TABLES:
        member = one(con, "SELECT max(id) FROM member")
        columns = [c.strip() for c in COLUMNS.split(",")]

        def again(cover: str, public_id: str = "gen_random_uuid()", table: str = table, columns: list[str] = columns,
                  member: object = member) -> str:
            said = {"cover": f"'{cover}'", "public_id": public_id, "member_id": str(member), "program_id": "1", "state": "'effective'"}
            values = ", ".join(said.get(c, c) for c in columns)
            return f"INSERT INTO {table} ({COLUMNS}, starts_on) SELECT {values}, lower('{cover}'::daterange) FROM past LIMIT 1"

        fixed = "'00000000-0000-4000-8000-000000000000'"
        rows.append([
            table,
            answer(con, again("[2031-07-01,2032-07-01)"), again("[2032-01-01,2033-01-01)")),
            answer(con, again("[2034-01-01,2035-01-01)", fixed), again("[2035-01-01,2036-01-01)", fixed)),
            answer(con, f"CREATE TABLE claim_{table} (enrolment_id bigint REFERENCES {table} (id))"),
        ])
    show("what stands", ["table", "July–June, then the calendar year", "the same public id in two years", "a claim's foreign key on (id)"],
         rows)


def answer(con: Connection, *statements: str) -> str:
    """What the database says to the last of these statements; nothing remains."""
    run(con, "BEGIN")
    try:
        if "INSERT INTO years" in statements[0]:
            run(con, "CREATE TABLE years_later PARTITION OF years DEFAULT")
        for statement in statements:
            run(con, statement)
        return "kept"
    except psycopg2.Error as error:
        return f"refused ({type(error).__name__})"
    finally:
        run(con, "ROLLBACK")


def end_of_a_year(con: Connection) -> None:
    """The one thing partitions are made for: taking the oldest year out."""
    rows = [
        ["one", *written(con, lambda: run(con, "DELETE FROM one WHERE starts_on < '2022-01-01'"))],
        ["years", *written(con, lambda: run(con, "DROP TABLE years_2021"))],
    ]
    show("the oldest year goes", ["table", "s", "WAL MB"], rows)


def spare_indexes(con: Connection) -> None:
    """Batches with every index and without those that nobody reads."""
    sets = {"all eight": [], f"without {', '.join(SPARE)}": list(SPARE)}
    rows = []
    for n, (name, without) in enumerate(sets.items()):
        for column in without:
            run(con, f"DROP INDEX one_{column}")
        took = [insert(con, "one", (REPEATS + n * 3 + turn) * BATCH) for turn in range(3)]
        rows.append([name, f"{statistics.median(t[0] for t in took):.2f}", statistics.median(t[1] for t in took), *sizes(con, "one")])
    show(f"{BATCH:,} rows more", ["secondary indexes", "s (median of 3)", "WAL MB", "table MB", "indexes MB"], rows)


if __name__ == "__main__":
    main()
