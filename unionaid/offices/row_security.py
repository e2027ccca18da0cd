"""The second wall: PostgreSQL row security for the same models that the scoped manager guards.

The policies are made from `scope_by` after every migration (as the owner), together with the application
role's grants and the append-only and audit triggers, so that no table can be forgotten by hand.
"""

from collections.abc import Iterator, Sequence

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from unionaid.offices.scope import Scoped

# Sub-selects are evaluated once per statement; a bare current_setting() would run for every row.
_LIST = "(SELECT string_to_array(nullif(current_setting('unionaid.{0}', true), '*'), ',')::bigint[])::bigint[]"
_ONE = "(SELECT nullif(current_setting('unionaid.{0}', true), '')::bigint)"
_ALL = "(SELECT current_setting('unionaid.offices', true)) = '*'"


def scoped_models() -> list[type[Scoped]]:
    """Every concrete model behind the scoped manager."""
    return [m for m in apps.get_models() if issubclass(m, Scoped)]


def policy_of(model: type[Scoped]) -> str:
    """The SQL condition that a visible or written row of this model meets."""
    by, conditions = model.scope_by, [_ALL]
    if by.parent:
        link = model._meta.get_field(by.parent)
        above = link.related_model._meta  # type: ignore[union-attr]
        key = f'"{model._meta.db_table}"."{link.column}"'  # type: ignore[union-attr]
        return f'{_ALL} OR EXISTS (SELECT 1 FROM "{above.db_table}" up WHERE up."{above.pk.column}" = {key})'
    operator = "&& {0}" if by.arrays else "= ANY ({0})"
    for column, name in ((by.offices, "offices"), (by.units, "units")):
        if column:
            conditions.append(f"{_column(model, column)} {operator.format(_LIST.format(name))}")
    conditions += [f"{_column(model, c)} = {_ONE.format('member')}" for c in by.members]
    if by.users:
        conditions.append(f"{_column(model, by.users)} = {_ONE.format('user')}")
    return " OR ".join(conditions)


def _column(model: type[models.Model], name: str) -> str:
    columns = {field.column for field in model._meta.concrete_fields}
    if name not in columns:
        raise LookupError(f"{model._meta.label} has no column {name}")
    return f'"{name}"'


def statements(app_role: str) -> Iterator[str]:
    """Every statement that puts the walls up; running them twice changes nothing."""
    yield f'GRANT USAGE ON SCHEMA public TO "{app_role}"'
    yield f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{app_role}"'
    yield f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{app_role}"'
    yield f'REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM "{app_role}"'
    for model in scoped_models():
        table = f'"{model._meta.db_table}"'
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
        yield f"DROP POLICY IF EXISTS house_scope ON {table}"
        yield f"CREATE POLICY house_scope ON {table} USING ({policy_of(model)})"
    yield _REFUSE_FUNCTION
    for model in apps.get_models():
        if getattr(model, "append_only", False):
            table = f'"{model._meta.db_table}"'
            yield f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{app_role}"'
            yield f"DROP TRIGGER IF EXISTS append_only_rows ON {table}"
            yield f"DROP TRIGGER IF EXISTS append_only_table ON {table}"
            yield (
                f"CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION house_refuse()"
            )
            yield (
                f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION house_refuse()"
            )
    for model in apps.get_models():
        if frozen := getattr(model, "frozen_in", ()):
            yield from _freeze(model, frozen, model.frozen_columns)  # type: ignore[attr-defined]
    yield _AUDITED_FUNCTION
    yield _SETS_AUDITED_FUNCTION
    for model in apps.get_models():
        if getattr(model, "graph", None) is not None:
            table = f'"{model._meta.db_table}"'
            yield f"DROP TRIGGER IF EXISTS state_needs_audit ON {table}"
            yield f"DROP TRIGGER IF EXISTS set_needs_audit ON {table}"
            yield (
                f"CREATE CONSTRAINT TRIGGER state_needs_audit AFTER UPDATE OF state ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                " WHEN (OLD.state IS DISTINCT FROM NEW.state AND current_setting('unionaid.told', true) IS DISTINCT FROM 'set')"
                f" EXECUTE FUNCTION house_state_needs_audit('{model._meta.label_lower}')"
            )
            yield (
                f"CREATE TRIGGER set_needs_audit AFTER UPDATE ON {table} REFERENCING NEW TABLE AS fresh"
                f" FOR EACH STATEMENT EXECUTE FUNCTION house_set_needs_audit('{model._meta.label_lower}')"
            )


def _freeze(model: type[models.Model], states: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    """What is published stands: its rows are not removed, do not go back, and keep these columns as they are."""
    table, frozen = f'"{model._meta.db_table}"', ", ".join(f"'{state}'" for state in states)
    names = [_column(model, name) for name in columns]
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
    changed = f"NEW.state NOT IN ({frozen}) OR ({old}) IS DISTINCT FROM ({new})"
    yield f"DROP TRIGGER IF EXISTS frozen_rows ON {table}"
    yield f"DROP TRIGGER IF EXISTS frozen_rows_stay ON {table}"
    yield (
        f"CREATE TRIGGER frozen_rows BEFORE UPDATE ON {table} FOR EACH ROW"
        f" WHEN (OLD.state IN ({frozen}) AND ({changed})) EXECUTE FUNCTION house_refuse()"
    )
    yield (
        f"CREATE TRIGGER frozen_rows_stay BEFORE DELETE ON {table} FOR EACH ROW"
        f" WHEN (OLD.state IN ({frozen})) EXECUTE FUNCTION house_refuse()"
    )


_REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION house_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

# It runs at commit, when the scope may be another one: it looks at every row, for itself alone.
_AUDITED_FUNCTION = """
CREATE OR REPLACE FUNCTION house_state_needs_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  scope text := coalesce(current_setting('unionaid.offices', true), '');
  told boolean;
BEGIN
  PERFORM set_config('unionaid.offices', '*', true);
  told := EXISTS (SELECT 1 FROM workflow_auditentry a WHERE a.entity = TG_ARGV[0] AND a.entity_id = NEW.id
                 AND a.to_state = NEW.state AND a.txid = pg_current_xact_id()::text::bigint)
    OR EXISTS (SELECT 1 FROM workflow_auditentry a WHERE a.entity = TG_ARGV[0] AND NEW.id = ANY(a.entity_ids)
                 AND a.to_state = NEW.state AND a.txid = pg_current_xact_id()::text::bigint AND a.entity_ids IS NOT NULL);
  PERFORM set_config('unionaid.offices', scope, true);
  IF NOT told THEN
    RAISE EXCEPTION 'state of % % changed without an audit entry', TG_TABLE_NAME, NEW.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$
"""

# Whoever moves a set says so (`unionaid.told`): then the entries are written by the same statement, and all rows are asked about at once
# when it ends, for a tenth of the time: of every row that was written, for a set that is moved leaves none in its state. The plan made for
# the first statement of a session serves all others, whatever their size: so EXCEPT, and not the index of the transaction (`+ 0`).
_SETS_AUDITED_FUNCTION = """
CREATE OR REPLACE FUNCTION house_set_needs_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  scope text := coalesce(current_setting('unionaid.offices', true), '');
  untold bigint;
BEGIN
  IF current_setting('unionaid.told', true) IS DISTINCT FROM 'set' THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('unionaid.offices', '*', true);
  SELECT c.id INTO untold FROM (
      SELECT id, state FROM fresh
      EXCEPT SELECT unnest(a.entity_ids), a.to_state FROM workflow_auditentry a
        WHERE a.txid = pg_current_xact_id()::text::bigint AND a.entity_ids IS NOT NULL AND a.entity = TG_ARGV[0]) c
    WHERE NOT EXISTS (SELECT 1 FROM workflow_auditentry a WHERE a.entity = TG_ARGV[0] AND a.entity_id = c.id
                      AND a.to_state = c.state AND a.txid + 0 = pg_current_xact_id()::text::bigint) LIMIT 1;
  PERFORM set_config('unionaid.offices', scope, true);
  IF untold IS NOT NULL THEN
    RAISE EXCEPTION 'state of % % changed without an audit entry', TG_TABLE_NAME, untold
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$
"""


def put_up(connection: BaseDatabaseWrapper, app_role: str) -> None:
    """Run every statement on the owner's connection."""
    with connection.cursor() as cursor:
        for statement in statements(app_role):
            cursor.execute(statement)
