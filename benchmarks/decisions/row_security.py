"""What the second wall costs: the same statements, as the scoped manager writes them, with row security off and on.

The policies are those that `unionaid.offices.row_security.policy_of` makes for enrolments, members and a table seen through its
parent. Connect as an owner without superuser rights: row security does not hold for superusers.
"""

import re
import statistics

from load import COLUMN_TYPES, COLUMNS, REPEATS, Connection, ask, bench, history, one, run, seconds, show

_LIST = "(SELECT string_to_array(nullif(current_setting('unionaid.{0}', true), '*'), ',')::bigint[])::bigint[]"
_MEMBER = "(SELECT nullif(current_setting('unionaid.member', true), '')::bigint)"
_ALL = "(SELECT current_setting('unionaid.offices', true)) = '*'"
POLICIES = {
    "enrolment": f"{_ALL} OR office_id = ANY ({_LIST.format('offices')}) OR unit_id = ANY ({_LIST.format('units')})"
                 f" OR member_id = {_MEMBER} OR holder_id = {_MEMBER}",
    "person": f"{_ALL} OR office_ids && {_LIST.format('offices')} OR unit_ids && {_LIST.format('units')} OR id = {_MEMBER}",
    "paper": f"{_ALL} OR EXISTS (SELECT 1 FROM enrolment up WHERE up.id = paper.enrolment_id)",
}
_TABLES = f"""
CREATE TABLE enrolment ({COLUMN_TYPES}, PRIMARY KEY (id), starts_on date GENERATED ALWAYS AS (lower(cover)) STORED);
INSERT INTO enrolment (id, {COLUMNS}) SELECT id, {COLUMNS} FROM past ORDER BY id;
CREATE INDEX enrolment_report ON enrolment (office_id, program_id, (lower(cover)));
CREATE INDEX enrolment_starts ON enrolment (office_id, program_id, starts_on);
CREATE INDEX enrolment_member ON enrolment (member_id);
CREATE INDEX enrolment_holder ON enrolment (holder_id);
CREATE INDEX enrolment_unit ON enrolment (unit_id);
CREATE TABLE person AS SELECT id, name || id AS name, gender, birth_date, unit_id, office_id, ARRAY[office_id] AS office_ids,
  ARRAY[unit_id] AS unit_ids FROM member ORDER BY id;
ALTER TABLE person ADD PRIMARY KEY (id), ALTER name TYPE varchar(60);
CREATE INDEX person_name ON person (name varchar_pattern_ops);
CREATE TABLE paper AS SELECT id, id AS enrolment_id, 'contract'::varchar(30) AS kind FROM enrolment ORDER BY id;
ALTER TABLE paper ADD PRIMARY KEY (id);
CREATE INDEX paper_enrolment ON paper (enrolment_id);
"""
_MONEY = "count(*), sum(shares), sum(contribution_fen)"
_STARTS = "lower(cover) >= '2024-01-01' AND lower(cover) < '2025-01-01'"
_OFFICE, _PERSON, _EVERYWHERE = {"offices": "7"}, {"member": "4242"}, {"offices": "*"}
_HALF = ",".join(map(str, range(1, 20)))
# (question, scope, statement, how often)
QUESTIONS: list[tuple[str, dict[str, str], str, int]] = [
    ("office's list, newest 50, ×50", _OFFICE, "SELECT * FROM enrolment WHERE office_id IN (7) ORDER BY id DESC LIMIT 50", 50),
    ("list of an office without rows", {"offices": "77"}, "SELECT * FROM enrolment WHERE office_id IN (77) ORDER BY id DESC LIMIT 50", 1),
    ("19 offices' list, newest 50, ×50", {"offices": _HALF},
     f"SELECT * FROM enrolment WHERE office_id IN ({_HALF}) ORDER BY id DESC LIMIT 50", 50),
    ("a person's own enrolments, ×200", _PERSON,
     "SELECT * FROM enrolment WHERE (member_id = 4242 OR holder_id = 4242) ORDER BY id DESC LIMIT 50", 200),
    ("one office, all years: count by program", _OFFICE,
     f"SELECT program_id, {_MONEY} FROM enrolment WHERE office_id IN (7) GROUP BY 1", 1),
    ("one office, one program, one year (lower(cover))", _OFFICE,
     f"SELECT {_MONEY} FROM enrolment WHERE office_id IN (7) AND program_id = 2 AND {_STARTS}", 10),
    ("the same by a stored start day", _OFFICE, f"SELECT {_MONEY} FROM enrolment WHERE office_id IN (7) AND program_id = 2"
     " AND starts_on >= '2024-01-01' AND starts_on < '2025-01-01'", 10),
    ("19 offices: count by office", {"offices": _HALF},
     f"SELECT office_id, {_MONEY} FROM enrolment WHERE office_id IN ({_HALF}) GROUP BY 1", 1),
    ("everywhere: count by office", _EVERYWHERE, f"SELECT office_id, {_MONEY} FROM enrolment GROUP BY 1", 1),
    ("everywhere: 1,000 people's covers on some days", _EVERYWHERE,
     "SELECT count(*) FROM enrolment WHERE member_id = ANY (ARRAY(SELECT i * 97 FROM generate_series(1, 1000) i)::bigint[])"
     " AND program_id = 1 AND cover && daterange('2024-03-01', '2025-03-01')", 1),
    ("office's people, newest 50, ×50", _OFFICE,
     "SELECT * FROM person WHERE office_ids && '{7}'::bigint[] ORDER BY id DESC LIMIT 50", 50),
    ("people of an office that has none", {"offices": "77"},
     "SELECT * FROM person WHERE office_ids && '{77}'::bigint[] ORDER BY id DESC LIMIT 50", 1),
    ("people by the beginning of their name (LIKE)", _OFFICE,
     "SELECT * FROM person WHERE office_ids && '{7}'::bigint[] AND name LIKE '张伟1234%' ORDER BY id DESC LIMIT 50", 1),
    ("the same, as a range (name ~>=~, ~<~)", _OFFICE,
     "SELECT * FROM person WHERE office_ids && '{7}'::bigint[] AND name ~>=~ '张伟1234' AND name ~<~ '张伟1235'"
     " ORDER BY id DESC LIMIT 50", 1),
    ("the same, by ^@ (starts_with)", _OFFICE,
     "SELECT * FROM person WHERE office_ids && '{7}'::bigint[] AND name ^@ '张伟1234' ORDER BY id DESC LIMIT 50", 1),
    ("50 enrolments' papers, through the parent, ×20", _OFFICE,
     "SELECT p.* FROM paper p JOIN enrolment e ON e.id = p.enrolment_id WHERE e.office_id IN (7) AND p.enrolment_id = ANY"
     " (ARRAY(SELECT id FROM past WHERE office_id = 7 LIMIT 50))", 20),
    ("one office: count papers, through the parent", _OFFICE,
     "SELECT count(*) FROM paper p JOIN enrolment e ON e.id = p.enrolment_id WHERE e.office_id IN (7)", 1),
]


def main() -> None:
    with bench("row_security") as con:
        if one(con, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"):
            raise SystemExit("This role walks through row security: connect as an ordinary owner.")
        history(con)
        run(con, _TABLES)
        for table, policy in POLICIES.items():
            run(con, f"CREATE POLICY house_scope ON {table} USING ({policy})")
            run(con, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        run(con, "VACUUM (ANALYZE) enrolment, person, paper")
        holds(con)
        measure(con)
        inserts(con)


def wall(con: Connection, up: bool) -> None:
    for table in POLICIES:
        run(con, f"ALTER TABLE {table} {'ENABLE' if up else 'DISABLE'} ROW LEVEL SECURITY")


def tell(con: Connection, scope: dict[str, str]) -> None:
    """The open scope, for the session: here there is one transaction for each statement."""
    for name in ("offices", "units", "member"):
        run(con, "SELECT set_config('unionaid.' || %s, %s, false)", name, scope.get(name, ""))


def holds(con: Connection) -> None:
    """The control: a statement that forgot its filter, and a closed scope."""
    wall(con, True)
    rows = []
    for name, scope in (("closed", {}), ("office 7", _OFFICE), ("everywhere", _EVERYWHERE)):
        tell(con, scope)
        rows.append([name, *(f"{one(con, f'SELECT count(*) FROM {table}'):,}" for table in POLICIES)])
    show("rows that a statement without a filter sees", ["scope", *POLICIES], rows)


def measure(con: Connection) -> None:
    """Each question with the wall down and up, in turn."""
    rows = []
    for question, scope, sql, often in QUESTIONS:
        tell(con, scope)
        took: dict[bool, list[float]] = {False: [], True: []}
        reads: dict[bool, str] = {}
        for turn in range(REPEATS + 1):
            for up in (False, True):
                wall(con, up)
                if not turn:
                    reads[up] = path(con, sql)
                spent = seconds(lambda sql=sql, often=often: [ask(con, sql) for _ in range(often)]) * 1000 / often
                took[up] += [spent] if turn else []
        down, standing = statistics.median(took[False]), statistics.median(took[True])
        rows.append([question, f"{down:,.2f}", f"{standing:,.2f}", f"{standing / down:.2f}", reads[False], reads[True]])
    show(f"{one(con, 'SELECT count(*) FROM past'):,} enrolments: ms for one statement",
         ["question", "without policy", "with policy", "with / without", "reads without", "reads with"], rows)


def path(con: Connection, sql: str) -> str:
    """The indexes and tables that the plan reads, and the conditions an index answers."""
    plan = [str(row[0]).strip(" ->") for row in ask(con, f"EXPLAIN {sql}")]
    reads = [line.split(" (cost")[0].strip() for line in plan if "Scan" in line and "Bitmap Heap" not in line]
    for long, short in (("Bitmap Index Scan on ", ""), ("Index Only Scan using ", ""), ("Index Scan using ", ""),
                        ("Index Scan Backward using ", "backwards "), ("Seq Scan on ", "ALL of ")):
        reads = [line.replace(long, short) for line in reads]
    return "; ".join(sorted({line.split(" on ")[0] for line in reads if not re.search("past|Function|CTE", line)}))


def inserts(con: Connection) -> None:
    """20,000 rows of the scope's office, into both tables with and without the wall."""
    tell(con, _OFFICE)
    took: dict[bool, list[float]] = {False: [], True: []}
    values = COLUMNS.replace("public_id", "gen_random_uuid()")
    for _turn in range(REPEATS):
        for up in (False, True):
            wall(con, up)
            took[up].append(seconds(lambda: run(con, f"INSERT INTO enrolment ({COLUMNS}) SELECT {values} FROM past WHERE office_id = 7"
                                                     " LIMIT 20000")))
    down, standing = statistics.median(took[False]), statistics.median(took[True])
    show("20,000 rows inserted, s", ["without policy", "with policy", "with / without"],
         [[f"{down:.2f}", f"{standing:.2f}", f"{standing / down:.2f}"]])


if __name__ == "__main__":
    main()
