"""Sealed numbers: inside the member's row or in a table beside it. Scans, a page of the list, bulk inserts, updates, a new key."""

import statistics

from load import REPEATS, Connection, ask, bench, in_turn, mb, run, show, written

ROWS, BATCH = 2_000_000, 50_000
_OPEN = """id bigint PRIMARY KEY, id_hash bytea NOT NULL UNIQUE, name varchar(60) NOT NULL, gender varchar(6) NOT NULL,
  birth_date date NOT NULL, unit_id bigint, office_id bigint, office_ids bigint[] NOT NULL, unit_ids bigint[] NOT NULL,
  employment varchar(24) NOT NULL, created_at timestamptz NOT NULL DEFAULT now()"""
_SEALED = "id_number bytea NOT NULL, phone bytea, phone_hash bytea"
OPEN = "id, id_hash, name, gender, birth_date, unit_id, office_id, office_ids, unit_ids, employment"
SEALED = "id_number, phone, phone_hash"
# The lengths are the cipher's: 3 + key name (8) + nonce (12) + tag (16) + 18 or 11 characters. The bytes are a hash's, so
# they compress no better than ciphertext.
_SOURCE = f"""
CREATE UNLOGGED TABLE source AS
SELECT i AS id, sha256(('h' || i)::bytea) AS id_hash, '张伟' || i % 997 AS name,
       CASE WHEN i % 5 < 2 THEN 'female' ELSE 'male' END AS gender, date '1965-01-01' + (i % 14000)::int AS birth_date,
       abs(hashint8extended(i, 1)) % 20000 AS unit_id, abs(hashint8extended(i, 1)) % 39 AS office_id,
       ARRAY[abs(hashint8extended(i, 1)) % 39] AS office_ids, ARRAY[abs(hashint8extended(i, 1)) % 20000] AS unit_ids,
       'enterprise'::text AS employment, substr(sha256(('a' || i)::bytea) || sha256(('b' || i)::bytea), 1, 57) AS id_number,
       substr(sha256(('c' || i)::bytea) || sha256(('d' || i)::bytea), 1, 50) AS phone, sha256(('p' || i)::bytea) AS phone_hash
FROM generate_series(1::bigint, {ROWS} + {BATCH} * {REPEATS}) i;
CREATE UNIQUE INDEX ON source (id);
"""
_TABLES = f"""
CREATE TABLE inside ({_OPEN}, {_SEALED});
CREATE TABLE beside ({_OPEN});
CREATE TABLE secret (member_id bigint PRIMARY KEY REFERENCES beside DEFERRABLE INITIALLY DEFERRED, {_SEALED});
CREATE INDEX inside_office ON inside (office_id);
CREATE INDEX beside_office ON beside (office_id);
CREATE INDEX inside_phone ON inside (phone_hash);
CREATE INDEX secret_phone ON secret (phone_hash);
"""
WAYS = ("inside", "beside")


def main() -> None:
    with bench("sealed") as con:
        run(con, _SOURCE)
        run(con, "VACUUM (ANALYZE) source")
        run(con, _TABLES)
        for way in WAYS:
            insert(con, way, 0, ROWS)
        run(con, "VACUUM (ANALYZE) inside, beside, secret")
        show(f"{ROWS:,} people", ["table", "table MB", "indexes MB"],
             [[t, mb(con, t, what="table"), mb(con, t, what="indexes")] for t in ("inside", "beside", "secret")])
        questions(con)
        writes(con)


def insert(con: Connection, way: str, low: int, high: int) -> None:
    """These people, in one statement or two, as one transaction."""
    rows = f"FROM source WHERE id > {low} AND id <= {high} ORDER BY id"
    run(con, "BEGIN")
    if way == "inside":
        run(con, f"INSERT INTO inside ({OPEN}, {SEALED}) SELECT {OPEN}, {SEALED} {rows}")
    else:
        run(con, f"INSERT INTO beside ({OPEN}) SELECT {OPEN} {rows}")
        run(con, f"INSERT INTO secret (member_id, {SEALED}) SELECT id, {SEALED} {rows}")
    run(con, "COMMIT")


_PAGE = "SELECT id, name, gender, birth_date, unit_id FROM {0} WHERE office_id = 7 ORDER BY id DESC LIMIT 50"
_COUNT = "SELECT office_id, gender, extract(year FROM birth_date), count(*) FROM {0} GROUP BY 1, 2, 3"
QUESTIONS: dict[str, tuple[str, str]] = {
    "count by office, sex and birth year": (_COUNT,) * 2,
    "one office by sex (index on office)": ("SELECT gender, count(*) FROM {0} WHERE office_id = 7 GROUP BY 1",) * 2,
    "100 pages of 50, without numbers": (_PAGE,) * 2,
    "100 pages of 50, with numbers": (
        _PAGE.replace("id, name", "id, id_number, phone, name"),
        f"WITH page AS MATERIALIZED ({_PAGE}) SELECT * FROM page JOIN secret ON member_id = id",
    ),
    "1,000 people by ID number's hash": ("SELECT count(m.name) FROM generate_series(1, 1000) i JOIN {0} m ON m.id_hash ="
                                         " sha256(('h' || i * 1999)::bytea)",) * 2,
}


def questions(con: Connection) -> None:
    def act(sql: str, times: int) -> None:
        for _ in range(times):
            ask(con, sql)

    times = in_turn({f"{q}/{way}": lambda s=sql, w=way, n=100 if "pages" in q else 1: act(s.format(w), n)
                     for q, both in QUESTIONS.items() for way, sql in zip(WAYS, both, strict=True)})
    show("questions, ms", ["question", *WAYS, "inside / beside"],
         [[q, *(times[f"{q}/{way}"] for way in WAYS), f"{times[f'{q}/inside'] / times[f'{q}/beside']:.2f}"] for q in QUESTIONS])


def writes(con: Connection) -> None:
    """In turn: more people, people who change their unit, numbers sealed anew under another key."""
    acts = {
        "bulk insert": {way: lambda way=way, turn=0: insert(con, way, ROWS + turn * BATCH, ROWS + (turn + 1) * BATCH) for way in WAYS},
        "change of unit": {way: lambda way=way, turn=0: run(con, f"UPDATE {way} SET unit_id = unit_id + 1 WHERE id > {turn * BATCH}"
                                                                f" AND id <= {(turn + 1) * BATCH}") for way in WAYS},
        "sealing anew": {way: lambda table=table, key=key, turn=0: run(
            con, f"UPDATE {table} SET id_number = phone || 'abcdefg'::bytea, phone = substr(id_number, 1, 50)"
                 f" WHERE {key} > {(10 + turn) * BATCH} AND {key} <= {(11 + turn) * BATCH}")
            for way, table, key in (("inside", "inside", "id"), ("beside", "secret", "member_id"))},
    }
    rows = []
    for name, ways in acts.items():
        took: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
        for turn in range(REPEATS):
            for way in WAYS if turn % 2 else WAYS[::-1]:
                took[way].append(written(con, lambda act=ways[way], turn=turn: act(turn=turn)))
        s = {way: statistics.median(t[0] for t in took[way]) for way in WAYS}
        log = {way: statistics.median(t[1] for t in took[way]) for way in WAYS}
        rows.append([name, *(f"{s[way]:.2f}" for way in WAYS), f"{s['inside'] / s['beside']:.2f}", *(log[way] for way in WAYS)])
    show(f"{BATCH:,} rows, s", ["act", *WAYS, "inside / beside", "WAL MB inside", "WAL MB beside"], rows)


if __name__ == "__main__":
    main()
