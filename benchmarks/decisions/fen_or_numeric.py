"""Amounts: bigint fen against numeric(14,2) yuan. Size, sums, and what a CHECK lets through."""

import psycopg2
from load import Connection, ask, bench, in_turn, mb, one, run, show, written

ROWS = 3_000_000


def main() -> None:
    with bench("money") as con:
        measure(con)


def measure(con: Connection) -> None:
    kinds = {"fen": ("bigint", "i * 7919 % 5000000"), "yuan": ("numeric(14,2)", "(i * 7919 % 5000000) / 100.0")}
    rows = []
    for name, (kind, value) in kinds.items():
        run(con, f"CREATE TABLE money_{name} (id bigint, office_id bigint, amount {kind} NOT NULL CHECK (amount >= 0))")
        fill = f"INSERT INTO money_{name} SELECT i, i % 39, {value} FROM generate_series(1::bigint, {ROWS}) i"
        took, log = written(con, lambda sql=fill: run(con, sql))
        run(con, f"VACUUM (ANALYZE) money_{name}")
        run(con, f"CREATE INDEX money_{name}_amount ON money_{name} (amount)")
        rows.append([kind, took, log, mb(con, f"money_{name}", what="table"), mb(con, f"money_{name}_amount", what="index")])
    asks = {
        "sum": "SELECT sum(amount) FROM money_{0}",
        "by office": "SELECT office_id, sum(amount), max(amount) FROM money_{0} GROUP BY office_id",
        "the bare scan": "SELECT count(amount) FROM money_{0}",
    }
    times = in_turn({f"{a}/{k}": lambda s=s, k=k: ask(con, s.format(k)) for a, s in asks.items() for k in kinds}, 5)
    show(f"{ROWS:,} amounts", ["type", "insert s", "WAL MB", "table MB", "index MB"], rows)
    show("sums, ms", ["question", "bigint fen", "numeric yuan", "ratio"],
         [[a, times[f"{a}/fen"], times[f"{a}/yuan"], f"{times[f'{a}/yuan'] / times[f'{a}/fen']:.2f}"] for a in asks])
    traps(con)


def traps(con: Connection) -> None:
    """What each type takes although CHECK (amount >= 0) stands there."""
    rows = []
    for value in ("'NaN'", "'0.005'", "'1e5'", "-1"):
        answers = []
        for name in ("fen", "yuan"):
            try:
                kept = one(con, f"INSERT INTO money_{name} VALUES (0, 0, {value}) RETURNING amount")
                answers.append(f"kept as {kept}")
            except psycopg2.Error as error:
                answers.append(f"refused ({type(error).__name__})")
        rows.append([f"`{value}`", *answers])
    rows.append(["sum afterwards", *(one(con, f"SELECT sum(amount) FROM money_{name}") for name in ("fen", "yuan"))])
    show("what CHECK (amount >= 0) lets in", ["written", "bigint fen", "numeric(14,2)"], rows)


if __name__ == "__main__":
    main()
