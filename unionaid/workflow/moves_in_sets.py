"""`move` for sets too large to hold as objects: the same arrows, the same separation of duties, in one statement for one row or ten
thousand. The record has one entry for the set, which names every row of it: the history of each row finds it there. What `move` refuses
is refused here in the same words."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.db import connection, transaction
from psycopg2.extras import Json

from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor, may
from unionaid.web.rows import as_array
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.moves import MoveRefused, move
from unionaid.workflow.stateful import Stateful

# The database asks at the end of the statement whether every row that changed its state is named by an entry (`row_security`).
_MOVE = """
SET LOCAL unionaid.told = 'set';
WITH moved AS (
  UPDATE {table} t SET {written}, version = t.version + 1{each}
  WHERE {matched} AND t.state = %(source)s AND NOT ({own}) RETURNING t.id, t.office_id{note}),
told AS (
  INSERT INTO workflow_auditentry (office_id, actor_id, actor_label, entity, {told}, action, from_state, to_state, note, details)
  SELECT office_id, %(user)s, %(label)s, %(entity)s, {tell})
SELECT count(*), array_agg(DISTINCT office_id) FROM moved"""

# One entry that names all rows of an office; or, where each row has a word of its own, one for each.
_ALIKE = {
    "each": "", "matched": "t.id = ANY(%(ids)s::bigint[])", "note": "", "told": "entity_ids",
    "tell": "array_agg(id ORDER BY id), %(action)s, %(source)s, %(target)s, '', %(details)s FROM moved GROUP BY office_id",
}  # fmt: skip
_TOLD = {
    "each": " FROM unnest(%(ids)s::bigint[], %(notes)s::text[], %(texts)s::text[]) told(key, note, text)",
    "matched": "t.id = told.key", "note": ", told.note", "told": "entity_id",
    "tell": "id, %(action)s, %(source)s, %(target)s, note, %(details)s FROM moved ORDER BY id",
}  # fmt: skip
# In key order: two who lock the same rows wait for one another and never each for the other.
_LOCK = """
WITH locked AS MATERIALIZED (
  SELECT id, state = %(source)s AND NOT ({own}) AS fits FROM {table} t WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR NO KEY UPDATE)
SELECT coalesce(array_agg(id), '{{}}'), coalesce(array_agg(id) FILTER (WHERE NOT fits), '{{}}') FROM locked"""


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
    with follow-up jobs, those by which money leaves and those from several states are not for sets: ValueError. Runs in the caller's
    transaction.
    """
    if not ids:
        return
    arrow, keys = model.graph.arrow(action), sorted(ids)
    if arrow.then or arrow.proof or len(arrow.sources) > 1:
        raise ValueError(f"{action} asks for a job, for who one is, or where it comes from, for each row")
    moment = now()
    written: dict[str, Any] = {**(changes or {}), "state": arrow.target}
    if model.since_column:
        written[model.since_column] = moment
    if arrow.stamp:
        written |= {f"{arrow.stamp}_id": by.user_id, f"{arrow.stamp.removesuffix('_by')}_at": moment}
    sets = [f'"{name}" = %(new_{name})s' for name in written] + ([f'"{texts[0]}" = told.text'] if texts else [])
    values = {f"new_{name}": value for name, value in written.items()} | {
        "ids": as_array(keys), "user": by.user_id, "label": by.label, "entity": model._meta.label_lower, "action": arrow.action,
        "source": arrow.sources[0], "target": arrow.target, "details": Json(dict(details or {})),
    }  # fmt: skip
    if notes or texts:
        values |= {"notes": [(notes or {}).get(pk, "") for pk in keys], "texts": [texts[1][pk] if texts else "" for pk in keys]}
    where = {"table": model._meta.db_table, "own": _own(arrow, by)}
    statement = _MOVE.format(**where, written=", ".join(sets), **(_TOLD if notes or texts else _ALIKE))
    with suppress(_Misfit), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        count, offices = cursor.fetchone()
        if count != len(keys) or not all(may(by, arrow.permission, office) for office in offices):
            raise _Misfit
        cursor.execute("SET LOCAL unionaid.told = ''")
        return
    _refuse(model, arrow, keys, by)


class _Misfit(Exception):
    """Not every row could be moved: what was is taken back."""


def _own(arrow: Arrow, by: Actor) -> str:
    """The rows an earlier step of which was this person's."""
    return " OR ".join(f't."{column}_id" IS NOT DISTINCT FROM %(user)s' for column in arrow.not_by if by.user_id) or "FALSE"


def _refuse(model: type[Stateful], arrow: Arrow, keys: Sequence[int], by: Actor) -> None:
    """Say in words what `move` would: no right, a hand in an earlier step, another state, out of scope."""
    with connection.cursor() as cursor:
        values = {"ids": as_array(keys), "source": arrow.sources[0], "user": by.user_id}
        cursor.execute(_LOCK.format(table=model._meta.db_table, own=_own(arrow, by)), values)
        there, misfits = cursor.fetchone()
    missing = sorted(set(keys) - set(there))
    # Whoever has no right at all meets it with any of the rows.
    move([model(pk=pk) for pk in misfits or missing or keys[:1]], arrow.action, by=by)
    raise MoveRefused(f"{arrow.action}: {len(misfits) + len(missing)} of {len(keys)} rows do not fit")
