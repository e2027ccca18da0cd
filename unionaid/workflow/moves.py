"""The one door of state: `move` locks, checks, changes, records and enqueues; nothing else writes `state`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from unionaid.lib.calendar import now
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import GRANTS, LABELS, Actor, Role, may
from unionaid.offices.scope import everywhere
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.stateful import Stateful

Thing = TypeVar("Thing", bound=Stateful)


class MoveRefused(Exception):
    """The move did not happen; `message` says why in words for the person who tried."""

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

    Locks the rows in key order; whoever is out of scope, in another state or of another version than
    expected is named in `Conflict`; who may not act, or acted before in a way that separates duties,
    meets `NotAllowed`. `changes` are column values written in the same update; `details` go to the
    audit entries. The same five statements for one thing or ten thousand (plus one per follow-up job kind).
    The passed objects are brought up to date.
    """
    if not things:
        return []
    model = type(things[0])
    arrow = model.graph.arrow(action)
    ids = sorted(thing.pk for thing in things)
    rows = {
        row.pk: row
        for row in model._default_manager.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=ids)
        .only(*_asked_of(model, arrow))
        .order_by("pk")
    }
    for row in rows.values():
        _refuse_person(arrow, row, by)
    _refuse_missing(model, arrow, ids, rows, expect_version)
    since = {model.since_column: now()} if model.since_column else {}
    written: dict[str, Any] = {**since, **(changes or {}), "state": arrow.target}
    if arrow.stamp:
        written[f"{arrow.stamp}_id"] = by.user_id
        written[f"{arrow.stamp.removesuffix('_by')}_at"] = now()
    model._default_manager.filter(pk__in=ids).update(**written, version=F("version") + 1)
    record(list(rows.values()), arrow.action, by=by, note=note, details=details, to_state=arrow.target)
    for kind in arrow.then:
        enqueue(kind, [(row.pk, f"{kind}:{row.pk}:{row.version + 1}", row) for row in rows.values()], by=by)
    for thing in things:
        thing.version = rows[thing.pk].version + 1
        for name, value in written.items():
            setattr(thing, name, value)
    return list(things)


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
) -> None:
    """Write one audit entry per row; also for acts that change no state (a look at a full number, a creation). `each`: details of
    one row alone, by its key."""
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                office_id=getattr(row, "office_id", None),
                actor_id=by.user_id,
                actor_label=by.label,
                entity=row._meta.label_lower,
                entity_id=row.pk,
                action=action,
                from_state=getattr(row, "state", "") if to_state else "",
                to_state=to_state or getattr(row, "state", ""),
                note=note,
                details={**(details or {}), **(each or {}).get(row.pk, {})},
            )
            for row in rows
        ],
        batch_size=2000,
    )


def _refuse_missing(
    model: type[Stateful], arrow: Arrow, ids: list[int], rows: Mapping[int, Stateful], version: int | None
) -> None:
    losers = [
        Standing(pk, rows[pk].state, rows[pk].state_label) if pk in rows else Standing(pk, "", _("不存在"))
        for pk in ids
        if pk not in rows
        or rows[pk].state not in arrow.sources
        or (version is not None and rows[pk].version != version)
    ]
    if losers:
        raise Conflict(_too_late(model, arrow, losers[0]), losers)


def _too_late(model: type[Stateful], arrow: Arrow, loser: Standing) -> str:
    """What the person who came too late is told: what was done meanwhile, and in which role; not by whom."""
    with everywhere(reason="tell who came too late what was done"):
        acts = AuditEntry.objects.filter(entity=model._meta.label_lower, entity_id=loser.pk).exclude(to_state="")
        last = acts.order_by("-id").first() if loser.state else None
        done = next((one for one in model.graph.arrows if last and one.action == last.action), None)
        if last is None or done is None:
            words = _("“{action}”没有办成：这件事现在是“{state}”。请刷新页面再看。")
            return words.format(action=arrow.label, state=loser.label)
        role = LABELS[_role(last.actor_id, done)]
    words = _("“{action}”没有办成：{role}已经办理了“{done}”，现在是“{state}”。请刷新页面再看。")
    return words.format(action=arrow.label, role=role, done=done.label, state=loser.label)


def _role(user_id: int | None, arrow: Arrow) -> Role:
    """The role in which somebody took this action: of a post they hold, or else the one that needs none."""
    if user_id is None:
        return Role.SYSTEM
    may_act = GRANTS[arrow.permission]
    held = StaffPost.objects.filter(user_id=user_id, role__in=may_act).order_by("-since", "role").values_list("role", flat=True).first()
    if held:
        return Role(held)
    return Role.WORKER if Role.WORKER in may_act else Role.UNIT_AGENT


def _refuse_person(arrow: Arrow, row: Stateful, by: Actor) -> None:
    if not may(by, arrow.permission, getattr(row, "office_id", None)):
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=arrow.label))
    if arrow.proof and not by.proven:
        raise NotAllowed(_("“{action}”之前要再证明一次是您本人：请在办理的页面输入登录密码。").format(action=arrow.label))
    for column in arrow.not_by:
        if by.user_id is not None and getattr(row, f"{column}_id") == by.user_id:
            raise NotAllowed(_("前面的步骤是您办的，“{action}”要由另一个人来办。").format(action=arrow.label))
