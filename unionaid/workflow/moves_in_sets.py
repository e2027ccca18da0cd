"""`move` for sets too large to hold as objects: the same arrows, the same separation of duties, the same audit entry for each row, in two
statements for one row or ten thousand. What `move` refuses is refused here in the same words."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg2.extras import Json

from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor, may
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.moves import MoveRefused, move
from unionaid.workflow.stateful import Stateful

# In key order: two who lock the same rows wait for one another and never each for the other.
_LOCK = """
WITH locked AS MATERIALIZED (
  SELECT id, office_id, state = ANY(%(sources)s) AND NOT ({own}) AS fits FROM {table} WHERE id = ANY(%(ids)s) ORDER BY id
  FOR NO KEY UPDATE)
SELECT count(*) FILTER (WHERE fits), array_agg(DISTINCT office_id), coalesce(array_agg(id) FILTER (WHERE NOT fits), '{{}}') FROM locked"""
_MOVE = """
WITH moved AS (
  UPDATE {table} t SET {written}, version = t.version + 1
  FROM (SELECT id, state FROM {table} WHERE id = ANY(%(ids)s)) was{each} WHERE t.id = was.id{matched}
  RETURNING t.id, t.office_id, was.state AS from_state, {note} AS note)
INSERT INTO workflow_auditentry (office_id, actor_id, actor_label, entity, entity_id, action, from_state, to_state, note, details)
SELECT office_id, %(user)s, %(label)s, %(entity)s, id, %(action)s, from_state, %(target)s, note, %(details)s FROM moved ORDER BY id"""

# With a word of its own for each row, or the same for all.
_TOLD = {
    "each": ", unnest(%(ids)s::bigint[], %(notes)s::text[], %(texts)s::text[]) told(key, note, text)",
    "matched": " AND t.id = told.key",
    "note": "told.note",
}
_ALIKE = {"each": "", "matched": "", "note": "''"}


def move_set(
    model: type[Stateful],
    ids: Collection[int],
    action: str,
    *,
    by: Actor,
    notes: Mapping[int, str] | None = None,
    changes: Mapping[str, Any] | None = None,
    texts: tuple[str, Mapping[int, str]] | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Take `action` on the row of every one of these keys, or on none; the rows belong to offices. `changes` are column values for all of
    them. `notes`: by key, what the audit entry of each row says; `texts`: a column and, by key, what is written into it of each row. Arrows
    with follow-up jobs, and those by which money leaves, are not for sets: ValueError. Runs in the caller's transaction.
    """
    if not ids:
        return
    arrow, keys = model.graph.arrow(action), sorted(ids)
    if arrow.then or arrow.proof:
        raise ValueError(f"{action} asks for a job, or for who one is, for each row")
    _lock(model, arrow, keys, by)
    moment = now()
    written: dict[str, Any] = {**(changes or {}), "state": arrow.target}
    if model.since_column:
        written[model.since_column] = moment
    if arrow.stamp:
        written |= {f"{arrow.stamp}_id": by.user_id, f"{arrow.stamp.removesuffix('_by')}_at": moment}
    sets = [f'"{name}" = %(new_{name})s' for name in written] + ([f'"{texts[0]}" = told.text'] if texts else [])
    values = {f"new_{name}": value for name, value in written.items()} | {
        "ids": keys, "notes": [(notes or {}).get(pk, "") for pk in keys], "texts": [texts[1][pk] if texts else "" for pk in keys],
        "user": by.user_id, "label": by.label, "entity": model._meta.label_lower, "action": arrow.action, "target": arrow.target,
        "details": Json(dict(details or {})),
    }  # fmt: skip
    told = _TOLD if notes or texts else _ALIKE
    statement = _MOVE.format(table=model._meta.db_table, written=", ".join(sets), **told)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount != len(keys):
            raise RuntimeError(f"{action}: {cursor.rowcount} of {len(keys)} rows were moved")


def _lock(model: type[Stateful], arrow: Arrow, keys: Sequence[int], by: Actor) -> None:
    """Lock the rows and refuse what `move` would refuse: no right, a hand in an earlier step, another state, out of scope."""
    own = " OR ".join(f'"{column}_id" IS NOT DISTINCT FROM %(user)s' for column in arrow.not_by) if by.user_id else ""
    statement = _LOCK.format(table=model._meta.db_table, own=own or "FALSE")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": keys, "sources": list(arrow.sources), "user": by.user_id})
        fit, offices, misfits = cursor.fetchone()
        if fit == len(keys) and all(may(by, arrow.permission, office) for office in offices):
            return
        cursor.execute(f"SELECT id FROM {model._meta.db_table} WHERE id = ANY(%s)", [keys])
        missing = sorted(set(keys) - {pk for (pk,) in cursor.fetchall()})
    # `move` says it in words; whoever has no right at all meets it with any of the rows.
    move([model(pk=pk) for pk in misfits or missing or keys[:1]], arrow.action, by=by)
    raise MoveRefused(f"{arrow.action}: {len(keys) - fit} of {len(keys)} rows do not fit")
