"""What many rows name in common is looked for once for each statement.

A foreign key is checked for every row: a roster of 100,000 people asked 800,000 times for the same unit, office, plan and roster,
and 300,000 times for its people, and that was a quarter of its time. These triggers keep the same promise set by set: a row that
is written names only parents that stand, and holds them (FOR KEY SHARE) until its transaction ends; a parent that is named
cannot go, nor change its number. People whom this same transaction wrote are held by that already: they are only counted, for
to hold a row is to write it once more.
"""

from django.db import migrations

CHILDREN = {
    "members_member": {
        "unit_id": "members_workunit", "office_id": "offices_office", "guardian_id": "members_member", "user_id": "accounts_user",
    },
    "members_membersecret": {"member_id": "members_member"},
    "members_rosterrow": {"roster_id": "members_roster"},
    "members_enrolment": {
        "member_id": "members_member",
        "holder_id": "members_member",
        "unit_id": "members_workunit",
        "office_id": "offices_office",
        "program_id": "programs_program",
        "terms_id": "programs_terms",
        "roster_id": "members_roster",
    },
}
# Of these a statement may name a hundred thousand, most of them written a moment before.
MANY = "members_member"
# Whatever the session may see, these look at every row, for themselves alone.
SCOPE = "scope text := coalesce(current_setting('unionaid.offices', true), '');"
OPEN, CLOSE = "PERFORM set_config('unionaid.offices', '*', true);", "PERFORM set_config('unionaid.offices', scope, true);"


def parents_of(child: str, parents: dict[str, str]) -> str:
    """On the child: one look for all rows that a statement adds, and one for each row that names another parent than before."""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in parents)
    return f"""
CREATE FUNCTION {child}_parents_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE {SCOPE} found bigint; own xid; written bigint; {" ".join(f"of_{column} bigint[];" for column in parents)}
BEGIN{gather(parents)}
  {OPEN}{"".join(look_once(child, column, parent) for column, parent in parents.items())}
  {CLOSE}
  RETURN NULL;
END $$;
CREATE TRIGGER parents_added AFTER INSERT ON {child} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION {child}_parents_added();

CREATE FUNCTION {child}_parents_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE {SCOPE} found bigint;
BEGIN
  {OPEN}{"".join(look(child, column, parent, f"array_remove(ARRAY[NEW.{column}], NULL)") for column, parent in parents.items())}
  {CLOSE}
  RETURN NULL;
END $$;
CREATE TRIGGER parents_changed AFTER UPDATE OF {", ".join(parents)} ON {child}
  FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {child}_parents_changed();
"""


def gather(parents: dict[str, str]) -> str:
    """The numbers that the added rows name, each once: what they have in common first made few; of people named by several columns
    (a person who is their own holder) only the first."""
    few, many = ([column for column, parent in parents.items() if (parent == MANY) is wanted] for wanted in (False, True))
    asked = {column: f"{column} IS NOT NULL" for column in parents}
    asked |= {column: f"{column} IS DISTINCT FROM {many[0]} AND {asked[column]}" for column in many[1:]}
    text = ""
    for columns, rows in ((few, f"(SELECT DISTINCT {', '.join(few)} FROM added) few"), (many, "added")):
        if columns:
            lists = ", ".join(f"array_agg(DISTINCT {column}) FILTER (WHERE {asked[column]})" for column in columns)
            text += f"\n  SELECT {lists} INTO {', '.join(f'of_{column}' for column in columns)} FROM {rows};"
    return text


def look_once(child: str, column: str, parent: str) -> str:
    """As `look`, for all rows of a statement."""
    return (look_at_many if parent == MANY else look)(child, column, parent, f"of_{column}")


def look_at_many(child: str, column: str, parent: str, numbers: str) -> str:
    """As `look`. `own` is the transaction (or savepoint) that writes, as the added rows bear it: parents that bear it too are new, or
    were changed by it, and nobody else can take them away before it ends."""
    key = "member_id" if child == "members_membersecret" else "id"
    return f"""
  SELECT xmin INTO own FROM {child} WHERE {key} = (SELECT {key} FROM added LIMIT 1);
  SELECT count(*) INTO written FROM {parent} WHERE id = ANY({numbers}) AND xmin = own;
  IF written <> coalesce(cardinality({numbers}), 0) THEN
    PERFORM FROM {parent} WHERE id = ANY({numbers}) AND xmin <> own ORDER BY id FOR KEY SHARE;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found + written <> coalesce(cardinality({numbers}), 0) THEN{stranger(child, column, parent, 6)}
    END IF;
  END IF;"""


def stranger(child: str, column: str, parent: str, deep: int = 4) -> str:
    """The refusal."""
    words = f"'{child}.{column} names a row of {parent} that is not there' USING ERRCODE = 'foreign_key_violation'"
    return f"\n{' ' * deep}RAISE EXCEPTION {words};"


def look(child: str, column: str, parent: str, numbers: str) -> str:
    """All these parents are there, and stay until this transaction ends."""
    return f"""
  PERFORM FROM {parent} WHERE id = ANY({numbers}) ORDER BY id FOR KEY SHARE;
  GET DIAGNOSTICS found = ROW_COUNT;
  IF found <> coalesce(cardinality({numbers}), 0) THEN{stranger(child, column, parent)}
  END IF;"""


def children_of(parent: str) -> str:
    """A trigger on the parent: it stays while a child names it. A child that is being written holds it, so that this waits."""
    pairs = [(child, column) for child, parents in CHILDREN.items() for column, name in parents.items() if name == parent]
    looks = "".join(
        f"""
  IF EXISTS (SELECT 1 FROM {child} WHERE {column} = OLD.id) THEN
    RAISE EXCEPTION 'a row of {parent} is still named by {child}.{column}' USING ERRCODE = 'foreign_key_violation';
  END IF;"""
        for child, column in pairs
    )
    return f"""
CREATE FUNCTION {parent}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE {SCOPE}
BEGIN
  {OPEN}{looks}
  {CLOSE}
  RETURN NULL;
END $$;
CREATE TRIGGER stays_while_named AFTER DELETE ON {parent} FOR EACH ROW EXECUTE FUNCTION {parent}_stays();
CREATE TRIGGER keeps_its_number AFTER UPDATE OF id ON {parent} FOR EACH ROW WHEN (OLD.id <> NEW.id)
  EXECUTE FUNCTION {parent}_stays();
"""


PARENTS = sorted({parent for parents in CHILDREN.values() for parent in parents.values()})
UP = "".join(parents_of(child, parents) for child, parents in CHILDREN.items()) + "".join(map(children_of, PARENTS))
DOWN = "".join(
    f"DROP FUNCTION {child}_parents_{when}() CASCADE;" for child in CHILDREN for when in ("added", "changed")
) + "".join(f"DROP FUNCTION {parent}_stays() CASCADE;" for parent in PARENTS)
# A line of a roster is written when it is checked and once more, shorter by its sealed numbers, when it is enrolled: nearly half of
# each page is kept for that, so that the second writing touches no index.
ROOM = "ALTER TABLE members_rosterrow SET (fillfactor = 55)"


class Migration(migrations.Migration):
    dependencies = [("members", "0002_matches_add_up"), ("programs", "0001_initial"), ("offices", "0001_initial")]
    operations = [
        migrations.RunSQL(UP, DOWN),
        migrations.RunSQL(ROOM, "ALTER TABLE members_rosterrow RESET (fillfactor)"),
    ]
