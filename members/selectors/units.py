"""Reading work units, their agents, what is asked to be changed in them, and where they came from."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from members.models import AgentChange, UnitAgent, UnitChange, UnitLineage, UnitPaper, WorkUnit
from unionaid.accounts.models import User
from unionaid.offices.models import Office
from unionaid.offices.scope import everywhere

# (what, as it stands, as it is asked to be)
Compared = tuple[str | Promise, str, str]


def units_of_agent(user: User | AnonymousUser, *, on: date) -> frozenset[int]:
    """Ids of the units this login acts for on this day. Needs a scope that holds the user."""
    open_on = Q(until__isnull=True) | Q(until__gt=on)
    return frozenset(
        UnitAgent.objects.filter(open_on, user_id=user.pk, since__lte=on).values_list("unit_id", flat=True)
    )


def latest_change(unit: WorkUnit) -> UnitChange | None:
    """The change that was asked for last."""
    return UnitChange.objects.filter(unit=unit).order_by("-id").first()


def my_paper(pk: int) -> UnitPaper | None:
    """A paper of one of the agent's units, or None."""
    return UnitPaper.objects.select_related("unit").filter(pk=pk).first()


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Compared]:
    """What is asked to be changed, line by line, in words. One statement when the office is."""
    offices: Mapping[int, str] = {}
    if "office" in after:
        offices = dict(Office.objects.filter(pk__in=[before["office"], after["office"]]).values_list("pk", "name"))
    return [(_label(name), _shown(name, before.get(name), offices), _shown(name, after[name], offices)) for name in _in_order(after)]


def labels(values: Mapping[str, Any]) -> list[str | Promise]:
    """What these values are called."""
    return [_label(name) for name in _in_order(values)]


def _in_order(names: Iterable[str]) -> list[str]:
    order = [field.name for field in WorkUnit._meta.concrete_fields]
    return sorted(names, key=order.index)


def _label(name: str) -> str | Promise:
    if name == "office":
        return _("办事处")
    return WorkUnit._meta.get_field(name).verbose_name  # type: ignore[union-attr]


def _shown(name: str, value: Any, offices: Mapping[int, str]) -> str:
    if name == "office":
        return offices.get(value, "")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    field = WorkUnit._meta.get_field(name)
    return str(dict(field.flatchoices).get(value, value)) if value not in ("", None) else "—"  # type: ignore[union-attr]


def facts_of(unit: WorkUnit) -> list[tuple[str | Promise, str]]:
    """A unit's record in words, line by line, without its name and office."""
    people = _("{all} 人，其中女职工 {women} 人").format(all=unit.headcount, women=unit.women_count)
    names = ("credit_code", "union_credit_code", "nature", "industry", "risk", "civil_servant_subsidy")
    return [*((_label(name), _shown(name, getattr(unit, name), {})) for name in names), (_("在职职工"), people)]


# -- taking a unit over --------------------------------------------------------------------------------------------------


def my_agent_changes() -> list[AgentChange]:
    """The user's own requests to take units over, newest first, with their units."""
    return _with_units(list(AgentChange.objects.order_by("-id")[:20]))


def my_agent_change(public_id: uuid.UUID, user: User | AnonymousUser) -> AgentChange | None:
    """One of the user's own requests, or None."""
    found = AgentChange.objects.filter(public_id=public_id, user_id=user.pk).first()
    return _with_units([found])[0] if found else None


def _with_units(changes: list[AgentChange]) -> list[AgentChange]:
    if not changes:
        return changes
    with everywhere(reason="the units one asks to take over"):
        rows = {unit.pk: unit for unit in WorkUnit.objects.select_related("office").filter(pk__in=[c.unit_id for c in changes])}
    for change in changes:
        change.unit = rows[change.unit_id]
    return changes


def rivals_of(unit: WorkUnit) -> list[AgentChange]:
    """Requests of others to take this unit over that the office has not decided yet."""
    return list(AgentChange.objects.filter(unit=unit, state="submitted").select_related("user"))


def given_up(user: User | AnonymousUser, *, since: date) -> list[tuple[str, date]]:
    """The units this user was unbound from since that day, and when: (name, day)."""
    rows = list(UnitAgent.objects.filter(user_id=user.pk, until__gte=since).order_by("-until", "-id")[:5])
    if not rows:
        return []
    with everywhere(reason="the units one does not act for any more"):
        names = dict(WorkUnit.objects.filter(pk__in=[row.unit_id for row in rows]).values_list("pk", "name"))
    return [(names[row.unit_id], row.until) for row in rows if row.until]


# -- where units came from and went to ------------------------------------------------------------------------------------


def lineage_of(unit: WorkUnit) -> Sequence[UnitLineage]:
    """Every merger and division of this unit, oldest first, with both units' names. Two statements."""
    return with_units(list(UnitLineage.objects.filter(Q(from_unit=unit) | Q(to_unit=unit)).order_by("id")))


def with_units(rows: Sequence[UnitLineage]) -> Sequence[UnitLineage]:
    """The same mergers and divisions, both units read along: either office may see the other's name. One statement."""
    if not rows:
        return rows
    with everywhere(reason="the names of the units that a unit came from or went to"):
        units = {one.pk: one for one in WorkUnit.objects.filter(pk__in={pk for row in rows for pk in row.unit_ids})}
    for row in rows:
        row.from_unit, row.to_unit = units[row.from_unit_id], units[row.to_unit_id]
    return rows
