"""The guard against overlapping cover: what each kind costs on insert, and which of them holds, also against two sessions at once."""

import statistics
import threading
from collections.abc import Sequence
from contextlib import suppress

import psycopg2
from load import COLUMN_TYPES, COLUMNS, REPEATS, Connection, ask, bench, connect, history, in_turn, mb, one, run, seconds, show, written

BATCH = 50_000
LIVE = "state IN ('contribution_due', 'effective')"
_LOOK = f"""
CREATE FUNCTION look_{{name}}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {{lock}}
  IF EXISTS (SELECT 1 FROM {{table}} e WHERE e.member_id = NEW.member_id AND e.program_id = NEW.program_id AND e.cover && NEW.cover
             AND e.id <> NEW.id AND e.{LIVE}) THEN
    RAISE EXCEPTION 'overlaps' USING ERRCODE = 'exclusion_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE INDEX {{table}}_look ON {{table}} (member_id, program_id) WHERE {LIVE};
CREATE TRIGGER look BEFORE INSERT ON {{table}} FOR EACH ROW WHEN (NEW.{LIVE}) EXECUTE FUNCTION look_{{name}}();
"""
_ROW = "PERFORM 1 FROM member WHERE id = NEW.member_id FOR NO KEY UPDATE;"
_ADVISORY = "PERFORM pg_advisory_xact_lock(NEW.member_id);"
GUARDS = {
    "none": "",
    "unique": f"CREATE UNIQUE INDEX ON {{table}} (member_id, program_id, (extract(year FROM lower(cover)))) WHERE {LIVE}",
    "exclusion": f"ALTER TABLE {{table}} ADD EXCLUDE USING gist (member_id WITH =, program_id WITH =, cover WITH &&) WHERE ({LIVE})",
    "trigger": _LOOK.replace("{lock}", ""),
    "trigger_locked": _LOOK.replace("{lock}", _ROW),
}
WORDS = {
    "none": "no guard (control)", "unique": "unique index (person, program, year)", "exclusion": "exclusion constraint",
    "trigger": "trigger that looks, no lock", "trigger_locked": "trigger that locks the person's row and looks",
}


def main() -> None:
    with bench("overlap") as con:
        history(con)
        build(con)
        inserts(con)
        advisory(con)
        lookups(con)
        races(con)


def build(con: Connection) -> None:
    """A table for each guard, filled with five years; the guard is put on afterwards, as a migration would."""
    rows = []
    for name, guard in GUARDS.items():
        table = f"cover_{name}"
        run(con, f"CREATE TABLE {table} ({COLUMN_TYPES}, PRIMARY KEY (id))")
        run(con, f"INSERT INTO {table} (id, {COLUMNS}) SELECT id, {COLUMNS} FROM past ORDER BY id")
        sql = guard.format(table=table, name=name)
        took = seconds(lambda sql=sql: run(con, sql)) if sql else 0.0
        run(con, f"VACUUM (ANALYZE) {table}")
        rows.append([WORDS[name], took, mb(con, table, what="indexes") - mb(con, f"{table}_pkey", what="index")])
    show(f"guards put on {one(con, 'SELECT count(*) FROM past'):,} rows", ["guard", "s", "MB"], rows)


def inserts(con: Connection) -> None:
    """The same batches into all, in turn: a roster's statement, then the same rows in one transaction of small statements."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in GUARDS}
    order = list(GUARDS)
    for turn in range(REPEATS):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            sql = (f"INSERT INTO cover_{name} ({COLUMNS}) SELECT {COLUMNS} FROM coming"
                   f" WHERE id > {turn * BATCH} AND id <= {(turn + 1) * BATCH} ORDER BY id")
            took[name].append(written(con, lambda sql=sql: run(con, sql)))
    middle = {name: statistics.median(t[0] for t in many) for name, many in took.items()}
    show(f"{BATCH:,} rows in one statement, in turn", ["guard", "s (median)", "s (all)", "the guard's share, s", "/ none", "WAL MB"],
         [[WORDS[n], f"{middle[n]:.2f}", " ".join(f"{t[0]:.2f}" for t in many), f"{middle[n] - middle['none']:.2f}",
           f"{middle[n] / middle['none']:.1f}", statistics.median(t[1] for t in many)] for n, many in took.items()])


def advisory(con: Connection) -> None:
    """The trigger with an advisory lock for each person in place of the row's: how many rows can one transaction bring?"""
    run(con, f"CREATE TABLE cover_advisory ({COLUMN_TYPES}, PRIMARY KEY (id))")
    run(con, _LOOK.replace("{lock}", _ADVISORY).format(table="cover_advisory", name="advisory"))
    rows = []
    for size in (1_000, 5_000, 10_000, 20_000, 50_000):
        try:
            run(con, f"INSERT INTO cover_advisory ({COLUMNS}) SELECT {COLUMNS} FROM coming WHERE id <= {size}")
            rows.append([f"{size:,}", "kept"])
        except psycopg2.OperationalError as error:
            rows.append([f"{size:,}", str(error).splitlines()[0]])
        run(con, "TRUNCATE cover_advisory")
    show("advisory locks, one for each person, in one transaction", ["rows", "answer"], rows)


def lookups(con: Connection) -> None:
    """The guard's index read for its own sake: who of 1,000 people is covered on these days? btree_gist knows bigint = bigint
    only; beside an integer (a bare number in a statement is one) its index is not read for the person."""
    sql = ("SELECT count(*) FROM generate_series(1, 1000) i JOIN cover_{0} e ON e.member_id = (i * 97)::{1} AND e.program_id = 1::{1}"
           f" AND e.cover && daterange('2024-03-01', '2025-03-01') AND e.{LIVE}")
    kinds = ("bigint", "integer")
    times = in_turn({f"{n}/{kind}": lambda n=n, kind=kind: ask(con, sql.format(n, kind)) for n in GUARDS if n != "none" for kind in kinds})
    show("1,000 people held against covers on some days, ms", ["by the index of", *(f"ids as {kind}" for kind in kinds)],
         [[WORDS[n], *(times[f"{n}/{kind}"] for kind in kinds)] for n in GUARDS if n != "none"])


SAME, YEAR, SPAN = "[2031-01-01,2032-01-01)", "[2032-01-01,2033-01-01)", "[2031-07-01,2032-07-01)"
CASES = {"the same year": (SAME, SAME), "July–June, then the calendar year": (SPAN, YEAR)}
APART = ("[2031-01-01,2031-07-01)", "[2031-07-01,2032-01-01)")


def races(con: Connection) -> None:
    """How many of two clashing covers stand: one after the other, and in two transactions open at once. One is right."""
    rows = []
    for name in GUARDS:
        after = [after_another(con, name, covers) for covers in CASES.values()]
        at_once = [two_sessions(con, name, covers) for covers in CASES.values()]
        rows.append([WORDS[name], *after, *at_once, after_another(con, name, APART)])
    show("covers that stand of two", ["guard", *(f"in turn: {case}" for case in CASES), *(f"at once: {case}" for case in CASES),
                                      "two half years that do not overlap (2 is right)"], rows)


def add(con: Connection, name: str, cover: str) -> None:
    """One cover of person 1; the rest of the row is anybody's."""
    said = {"cover": f"'{cover}'", "member_id": "1", "program_id": "1", "state": "'effective'", "public_id": "gen_random_uuid()"}
    values = ", ".join(said.get(c.strip(), c.strip()) for c in COLUMNS.split(","))
    run(con, f"INSERT INTO cover_{name} ({COLUMNS}) SELECT {values} FROM past LIMIT 1")


def standing(con: Connection, name: str) -> str:
    """Count this person's new covers, and clear them away."""
    new = f"cover_{name} WHERE member_id = 1 AND lower(cover) >= '2031-01-01'"
    count = one(con, f"SELECT count(*) FROM {new}")
    run(con, f"DELETE FROM {new}")
    return str(count)


def after_another(con: Connection, name: str, covers: Sequence[str]) -> str:
    for cover in covers:
        with suppress(psycopg2.IntegrityError):
            add(con, name, cover)
    return standing(con, name)


def two_sessions(con: Connection, name: str, covers: Sequence[str]) -> str:
    """Both insert before either commits; the second may have to wait for the first, which commits half a second later."""
    first, second = (connect("bench_decisions_overlap") for _ in covers)
    outcome: list[str] = []

    def second_session() -> None:
        try:
            run(second, "BEGIN")
            add(second, name, covers[1])
            run(second, "COMMIT")
        except psycopg2.Error:
            run(second, "ROLLBACK")
            outcome.append("refused")

    run(first, "BEGIN")
    add(first, name, covers[0])
    other = threading.Thread(target=second_session)
    other.start()
    other.join(0.5)
    waited = other.is_alive()
    run(first, "COMMIT")
    other.join()
    first.close()
    second.close()
    return standing(con, name) + (", waited" if waited else "") + (", refused" if outcome else "")


if __name__ == "__main__":
    main()
