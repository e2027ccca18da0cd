"""The one door of state: `move` locks, checks, changes, records and enqueues; nothing else writes `state`."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from django.db.models import F, Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from unionaid.lib.calendar import now
from unionaid.offices.kept import Kept
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import GRANTS, LABELS, Actor, Role, may
from unionaid.offices.scope import Scope, everywhere
from unionaid.web.prepared import Place
from unionaid.web.rows import Rows, insert_all, update_each
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.jobs import JobRefused, enqueue
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.stateful import Stateful

Thing = TypeVar("Thing", bound=Stateful)


class MoveRefused(JobRefused):
    """The move did not happen; `message` says why in words for the person who tried. Met by a job it is final: the same would be said
    the next time."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(MoveRefused):
    """This person may not take this action on this thing → 403."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a thing stands now, for the person who came too late."""

    pk: int
    state: str
    label: str | Promise


class Conflict(MoveRefused):
    """Somebody else was first, or the thing is not in a state from which this action starts → 409."""

    def __init__(self, message: str, standings: Sequence[Standing]) -> None:
        super().__init__(message)
        self.standings = tuple(standings)

    @property
    def ids(self) -> list[int]:
        return [standing.pk for standing in self.standings]


@dataclass(slots=True)
class Turn(Generic[Thing]):
    """Things locked for one action: the rows as they stand now, in key order, and why the action cannot be taken on some of them. The
    caller may refuse more of them for reasons of its own; `carry_out` takes the action on those that are left."""

    arrow: Arrow
    by: Actor
    things: Sequence[Thing]
    rows: dict[int, Thing]
    refused: dict[int, MoveRefused]

    @property
    def going(self) -> list[Thing]:
        """The locked rows on which the action can be taken."""
        return [row for pk, row in self.rows.items() if pk not in self.refused]


def take_up(
    things: Sequence[Thing],
    action: str,
    *,
    by: Actor,
    expect_version: int | None = None,
    reading: Kept[Thing] | None = None,
    scope: Scope | None = None,
) -> Turn[Thing]:
    """Lock every thing for `action`, in key order, and say of each that cannot take it why: out of scope, in another state or of
    another version than expected (`Conflict`), without the right or kept apart from an earlier step (`NotAllowed`). Nothing is
    written. One statement, and four more when somebody came too late.

    `reading`: the rows with what else the caller wants to know of them, read by the same statement (`locking`); `scope`: in whose scope
    they are, where another one is open for what is joined to them.
    """
    model = type(things[0])
    arrow = model.graph.arrow(action)
    ids = sorted(thing.pk for thing in things)
    asked = reading or _reading(model, arrow)
    rows: dict[int, Thing] = {row.pk: row for row in asked.ask(ids=ids, scope=scope)}
    refused: dict[int, MoveRefused] = {pk: no for pk, row in rows.items() if (no := _refusal(arrow, row, by))}
    late = [pk for pk in ids if pk not in refused and not _stands(arrow, rows.get(pk), expect_version)]
    refused |= _conflicts(model, arrow, {pk: rows.get(pk) for pk in late})
    return Turn(arrow, by, things, rows, refused)


def locking(rows: Callable[[], QuerySet[Thing]]) -> Kept[Thing]:
    """These rows as `take_up` wants them: those with given keys, in key order, locked."""
    return Kept(lambda: rows().select_for_update(of=("self",), no_key=True).filter(pk__among=Place("ids")).order_by("pk"))


@cache
def _reading(model: type[Stateful], arrow: Arrow) -> Kept[Any]:
    """What a move asks of its rows."""
    return locking(lambda: model._default_manager.only(*_asked_of(model, arrow)))


def carry_out(
    turn: Turn[Thing],
    action: str = "",
    *,
    note: str = "",
    changes: Mapping[str, Any] | None = None,
    each: Mapping[int, Mapping[str, Any]] | None = None,
    details: Mapping[str, Any] | None = None,
    beside: Sequence[Rows] = (),
) -> None:
    """Take the action on every row of the turn that was not refused, in the transaction that locked them. `changes`: column values
    written in the same update; `each`: by key, those of one row alone, the same columns for every row; only the rows that are named
    are then taken. `details` go to the audit entries; `beside`: what else is to be kept, by the statement that writes these. The rows
    and the passed objects are brought up to date. Three statements for one row or ten thousand, and one for each kind of follow-up job.

    `action`: another arrow that asks the very same of the row and of the person and leads elsewhere; ValueError when it does not.
    """
    arrow = type(turn.things[0]).graph.arrow(action) if action else turn.arrow
    if _asks(arrow) != _asks(turn.arrow):
        raise ValueError(f"{turn.arrow.action} was asked for, {arrow.action} asks something else")
    rows = [row for row in turn.going if each is None or row.pk in each]
    if not rows:
        return
    moment, model = now(), type(rows[0])
    written: dict[str, Any] = {model.since_column: moment} if model.since_column else {}
    written |= {**(changes or {}), "state": arrow.target}
    if arrow.stamp:
        written |= {f"{arrow.stamp}_id": turn.by.user_id, f"{arrow.stamp.removesuffix('_by')}_at": moment}
    _write(rows, written, each or {})
    record(rows, arrow.action, by=turn.by, note=note, details=details, to_state=arrow.target, beside=beside)
    for kind in arrow.then:
        enqueue(kind, [(row.pk, f"{kind}:{row.pk}:{row.version + 1}", row) for row in rows], by=turn.by)
    _bring_up(rows, turn.things, written, each or {})


def move(
    things: Sequence[Thing],
    action: str,
    *,
    by: Actor,
    note: str = "",
    changes: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    expect_version: int | None = None,
) -> list[Thing]:
    """Take `action` on every thing, or on none. Runs in the caller's transaction.

    Whoever may not act, or acted before in a way that separates duties, meets `NotAllowed`; things that are out of scope, in
    another state or of another version than expected are all named in `Conflict`. The same few statements for one thing or ten
    thousand (`take_up`, `carry_out`).
    """
    if not things:
        return []
    turn = take_up(things, action, by=by, expect_version=expect_version)
    for refusal in turn.refused.values():
        if not isinstance(refusal, Conflict):
            raise refusal
    if late := [no for no in turn.refused.values() if isinstance(no, Conflict)]:
        raise Conflict(late[0].message, [standing for no in late for standing in no.standings])
    carry_out(turn, note=note, changes=changes, details=details)
    return list(things)


def _write(rows: Sequence[Stateful], written: Mapping[str, Any], each: Mapping[int, Mapping[str, Any]]) -> None:
    """One update of all rows, each from the version that was locked."""
    own = {name: [each[row.pk][name] for row in rows] for name in each[rows[0].pk]} if each else {}
    count = update_each(type(rows[0]), [row.pk for row in rows], own, {**written, "version": F("version") + 1})
    if count != len(rows):
        raise RuntimeError(f"{len(rows)} rows were locked and {count} written")


def _bring_up(
    rows: Sequence[Thing], things: Sequence[Thing], written: Mapping[str, Any], each: Mapping[int, Mapping[str, Any]]
) -> None:
    version = {row.pk: row.version + 1 for row in rows}
    for thing in (*rows, *things):
        if thing.pk in version:
            thing.version = version[thing.pk]
            for name, value in {**written, **each.get(thing.pk, {})}.items():
                setattr(thing, name, value)


def _asks(arrow: Arrow) -> tuple[object, ...]:
    """What an arrow asks of the row and of the person."""
    return arrow.sources, arrow.permission, arrow.not_by, arrow.proof


def _asked_of(model: type[Stateful], arrow: Arrow) -> set[str]:
    """The columns that a move asks of its rows: who acted before, and whose they are; a claim has seventy others."""
    owners = {field.name for field in model._meta.concrete_fields} & {"office", "unit", "program"}
    return {"state", "version", *arrow.not_by, *owners}


def record(
    rows: Sequence[Any],
    action: str,
    *,
    by: Actor,
    note: str = "",
    details: Mapping[str, Any] | None = None,
    each: Mapping[int, Mapping[str, Any]] | None = None,
    to_state: str = "",
    beside: Sequence[Rows] = (),
) -> None:
    """Write one audit entry per row; also for acts that change no state (a look at a full number, a creation). `each`: details of
    one row alone, by its key; `beside`: what else is to be kept. One statement."""
    insert_all(
        *beside,
        (
            AuditEntry,
            [
                {
                    "office_id": getattr(row, "office_id", None),
                    "actor_id": by.user_id,
                    "actor_label": by.label,
                    "entity": row._meta.label_lower,
                    "entity_id": row.pk,
                    "action": action,
                    "from_state": getattr(row, "state", "") if to_state else "",
                    "to_state": to_state or getattr(row, "state", ""),
                    "note": note,
                    "details": {**(details or {}), **(each or {}).get(row.pk, {})},
                }
                for row in rows
            ],
        ),
    )


def _stands(arrow: Arrow, row: Stateful | None, version: int | None) -> bool:
    return row is not None and row.state in arrow.sources and version in (None, row.version)


def _conflicts(model: type[Stateful], arrow: Arrow, late: Mapping[int, Stateful | None]) -> dict[int, MoveRefused]:
    """What the person who came too late is told of each: what was done meanwhile, and in which role; not by whom."""
    if not late:
        return {}
    with everywhere(reason="tell who came too late what was done"):
        last = _last_acts(model, [pk for pk, row in late.items() if row])
        held = _posts_of({act.actor_id for act in last.values()})
    return {pk: _too_late(arrow, pk, row, last.get(pk), held) for pk, row in late.items()}


def _last_acts(model: type[Model], keys: Sequence[int]) -> dict[int, AuditEntry]:
    """The last change of state of each of these rows, of its own or of a set that it was part of. Two statements."""
    acts = AuditEntry.objects.filter(entity=model._meta.label_lower).exclude(to_state="")
    last = {act.entity_id: act for act in acts.filter(entity_id__in=keys).order_by("entity_id", "-id").distinct("entity_id")}
    for act in acts.filter(entity_ids__overlap=keys).order_by("id"):
        for pk in set(act.entity_ids or ()).intersection(keys):
            last[pk] = max(act, last.get(pk, act), key=lambda one: one.pk)
    return last


def _too_late(
    arrow: Arrow, pk: int, row: Stateful | None, last: AuditEntry | None, held: Mapping[int | None, Sequence[str]]
) -> Conflict:
    standing = Standing(pk, row.state, row.state_label) if row else Standing(pk, "", _("不存在"))
    done = next((one for one in row.graph.arrows if last and one.action == last.action), None) if row else None
    if last is None or done is None:
        words = _("“{action}”没有办成：这件事现在是“{state}”。请刷新页面再看。")
        return Conflict(words.format(action=arrow.label, state=standing.label), [standing])
    role = LABELS[_role(last.actor_id, done, held.get(last.actor_id, ()))]
    words = _("“{action}”没有办成：{role}已经办理了“{done}”，现在是“{state}”。请刷新页面再看。")
    return Conflict(words.format(action=arrow.label, role=role, done=done.label, state=standing.label), [standing])


def _posts_of(users: Set[int | None]) -> Mapping[int | None, Sequence[str]]:
    """The roles of the posts that these people hold or held, the last first."""
    held: dict[int | None, list[str]] = {}
    for user, role in StaffPost.objects.filter(user_id__in=users - {None}).order_by("-since", "role").values_list("user_id", "role"):
        held.setdefault(user, []).append(role)
    return held


def _role(user_id: int | None, arrow: Arrow, held: Sequence[str]) -> Role:
    """The role in which somebody took this action: of a post they hold, or else the one that needs none."""
    if user_id is None:
        return Role.SYSTEM
    may_act = GRANTS[arrow.permission]
    if fitting := next((role for role in held if role in may_act), None):
        return Role(fitting)
    return Role.WORKER if Role.WORKER in may_act else Role.UNIT_AGENT


def _refusal(arrow: Arrow, row: Stateful, by: Actor) -> NotAllowed | None:
    if not may(by, arrow.permission, getattr(row, "office_id", None)):
        return NotAllowed(_("您没有“{action}”的权限。").format(action=arrow.label))
    if arrow.proof and not by.proven:
        return NotAllowed(_("“{action}”之前要再证明一次是您本人：请在办理的页面输入登录密码。").format(action=arrow.label))
    for column in arrow.not_by:
        if by.user_id is not None and getattr(row, f"{column}_id") == by.user_id:
            return NotAllowed(_("前面的步骤是您办的，“{action}”要由另一个人来办。").format(action=arrow.label))
    return None
