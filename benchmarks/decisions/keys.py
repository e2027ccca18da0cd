"""Keys: bigint identity against random and time-ordered UUID. Inserting, index size, a foreign key's check, a join; and what
a random public id beside a bigint key costs."""

import statistics

from load import REPEATS, Connection, ask, bench, in_turn, mb, run, show, written

PARENTS, CHILDREN, BATCH = 1_500_000, 2_500_000, 100_000
KEYS = {"bigint": "bigint", "uuid4": "uuid", "uuid7": "uuid"}
# PostgreSQL 17 has no uuidv7(): milliseconds, version 7, a counter, the rest random. Made beforehand, so not timed.
_IDS = f"""
CREATE UNLOGGED TABLE ids AS
SELECT i AS bigint, gen_random_uuid() AS uuid4,
       (lpad(to_hex(1735689600000 + i / 50), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') || '8'
        || right(gen_random_uuid()::text, 12) || lpad(to_hex(i % 4096), 3, '0'))::uuid AS uuid7,
       abs(hashint8extended(i, 5)) % {PARENTS} + 1 AS parent, (i % 39)::bigint AS office_id, i * 7919 % 500000 AS amount_fen
FROM generate_series(1::bigint, {CHILDREN} + {BATCH} * 10) i ORDER BY i;
CREATE UNIQUE INDEX ON ids (bigint);
"""


def main() -> None:
    with bench("keys") as con:
        measure(con)


def measure(con: Connection) -> None:
    run(con, _IDS)
    run(con, "VACUUM (ANALYZE) ids")
    rows = [[key, *build(con, key, kind)] for key, kind in KEYS.items()]
    show(f"{PARENTS:,} parents, {CHILDREN:,} children with a foreign key and its index",
         ["key", "parents s", "children with FK s", "parent pk MB", "child pk MB", "FK index MB", "all, with tables MB"], rows)
    batches(con)
    joins(con)
    public_id(con)


def build(con: Connection, key: str, kind: str) -> list[float]:
    """Parents and children under this key."""
    run(con, f"CREATE TABLE parent_{key} (id {kind} CONSTRAINT parent_{key}_pk PRIMARY KEY, office_id bigint, amount_fen bigint)")
    run(con, f"CREATE TABLE child_{key} (id {kind} CONSTRAINT child_{key}_pk PRIMARY KEY, parent_id {kind} NOT NULL REFERENCES"
             f" parent_{key}, office_id bigint, amount_fen bigint)")
    run(con, f"CREATE INDEX child_{key}_fk ON child_{key} (parent_id)")
    parents, _ = written(con, lambda: run(
        con, f"INSERT INTO parent_{key} SELECT {key}, office_id, amount_fen FROM ids WHERE bigint <= {PARENTS} ORDER BY bigint"))
    children, _ = written(con, lambda: add_children(con, key, 0, CHILDREN))
    run(con, f"VACUUM (ANALYZE) parent_{key}, child_{key}")
    indexes = [mb(con, f"{name}", what="index") for name in (f"parent_{key}_pk", f"child_{key}_pk", f"child_{key}_fk")]
    return [parents, children, *indexes, mb(con, f"parent_{key}") + mb(con, f"child_{key}")]


def add_children(con: Connection, key: str, low: int, high: int) -> None:
    run(con, f"INSERT INTO child_{key} SELECT c.{key}, p.{key}, c.office_id, c.amount_fen FROM ids c"
             f" JOIN ids p ON p.bigint = c.parent WHERE c.bigint > {low} AND c.bigint <= {high} ORDER BY c.bigint")


def batches(con: Connection) -> None:
    """100,000 more children, in turn."""
    took: dict[str, list[tuple[float, float]]] = {key: [] for key in KEYS}
    for i in range(REPEATS):
        for key in KEYS:
            low = CHILDREN + i * BATCH
            took[key].append(written(con, lambda key=key, low=low: add_children(con, key, low, low + BATCH)))
    show(f"{BATCH:,} children more, right after a checkpoint", ["key", "s (median)", "s (all)", "WAL MB"],
         [[key, f"{statistics.median(t[0] for t in many):.2f}", " ".join(f"{t[0]:.2f}" for t in many),
           statistics.median(t[1] for t in many)] for key, many in took.items()])


def joins(con: Connection) -> None:
    asks = {
        "join all, by office": "SELECT p.office_id, count(*), sum(c.amount_fen) FROM child_{0} c JOIN parent_{0} p ON p.id = c.parent_id"
                               " GROUP BY p.office_id",
        "join one office's children": "SELECT count(*), sum(p.amount_fen) FROM child_{0} c JOIN parent_{0} p ON p.id = c.parent_id"
                                      " WHERE c.office_id = 7",
        "distinct parents": "SELECT count(*) FROM (SELECT DISTINCT parent_id FROM child_{0} WHERE office_id < 8) d",
    }
    times = in_turn({f"{a}/{k}": lambda s=s, k=k: ask(con, s.format(k)) for a, s in asks.items() for k in KEYS})
    show("joins, ms", ["question", *KEYS, "uuid4 / bigint"],
         [[a, *(times[f"{a}/{k}"] for k in KEYS), f"{times[f'{a}/uuid4'] / times[f'{a}/bigint']:.2f}"] for a in asks])


def public_id(con: Connection) -> None:
    """The same table with a bigint key and, beside it, nothing, a random, or a time-ordered public id."""
    kinds = {"no public id": None, "uuid4 unique": "uuid4", "uuid7 unique": "uuid7"}
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for i, key in enumerate(kinds.values()):
        extra, value = (", public_id uuid NOT NULL UNIQUE", f", {key}") if key else ("", "")
        run(con, f"CREATE TABLE shown_{i} (id bigint PRIMARY KEY, office_id bigint, amount_fen bigint{extra})")
        run(con, f"INSERT INTO shown_{i} SELECT bigint, office_id, amount_fen{value} FROM ids WHERE bigint <= {CHILDREN} ORDER BY bigint")
    for turn in range(REPEATS):
        for i, (name, key) in enumerate(kinds.items()):
            value, low = f", {key}" if key else "", CHILDREN + turn * BATCH
            took[name].append(written(con, lambda i=i, v=value, low=low: run(
                con, f"INSERT INTO shown_{i} SELECT bigint, office_id, amount_fen{v} FROM ids WHERE bigint > {low}"
                     f" AND bigint <= {low + BATCH} ORDER BY bigint")))
    show(f"a bigint key with a public id beside it: {BATCH:,} rows on top of {CHILDREN:,}",
         ["public id", "s (median)", "WAL MB", "all indexes MB"],
         [[name, f"{statistics.median(t[0] for t in took[name]):.2f}", statistics.median(t[1] for t in took[name]),
           mb(con, f"shown_{i}", what="indexes")] for i, name in enumerate(kinds)])


if __name__ == "__main__":
    main()
