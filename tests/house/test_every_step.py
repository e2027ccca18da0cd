"""Every state × action × role of every life in the product, from the graphs themselves: who may not act is refused on each state, who
may is told of all states from which the action does not start, and whoever took part is kept out where the arrow says so.

No graph can be left out: they are asked of the register of models. What the moves then write is tested where each thing lives."""

from typing import Any

import pytest
from django.apps import apps

from unionaid.offices.roles import GRANTS, STAFF, SYSTEM, Actor, Post, Role
from unionaid.workflow import moves
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.stateful import Stateful

OFFICE, SOMEBODY, ANOTHER = 1, 901, 902
LIVES = sorted((model for model in apps.get_models() if issubclass(model, Stateful)), key=lambda model: model._meta.label)


def actor_in(role: Role, *, proven: bool = True) -> Actor:
    """Somebody with this role alone, who has just shown who they are, unless said otherwise."""
    if role in STAFF:
        return Actor(SOMEBODY, "某人", posts=(Post(role, OFFICE, frozenset({OFFICE})),), proven=proven)
    if role is Role.WORKER:
        return Actor(SOMEBODY, "某人", member_id=1)
    return SYSTEM if role is Role.SYSTEM else Actor(SOMEBODY, "某人", unit_ids=frozenset({1}))


def row_in(model: type[Stateful], state: str, pk: int = 1, **columns: Any) -> Stateful:
    """A thing in this state, of the office of everyone here; it need not be kept anywhere to be refused or let through."""
    own = {"office_id": OFFICE} if "office" in {field.name for field in model._meta.concrete_fields} else {}
    return model(pk=pk, state=state, **own, **columns)


def refused(arrow: Arrow, row: Stateful, by: Actor) -> bool:
    return moves._refusal(arrow, row, by) is not None


@pytest.mark.parametrize("model", LIVES, ids=lambda model: model._meta.label)
def test_every_state_action_and_role(model: type[Stateful]) -> None:
    rows = [row_in(model, state.code) for state in model.graph.states]
    for arrow in model.graph.arrows:
        for role in Role:
            outcomes = {refused(arrow, row, actor_in(role)) for row in rows}
            assert outcomes == {role not in GRANTS[arrow.permission]}, (arrow.action, role)
        assert {row.state for row in rows if moves._stands(arrow, row, None)} == set(arrow.sources), arrow.action
        assert not any(moves._stands(arrow, row, row.version + 1) for row in rows)
        assert not moves._stands(arrow, None, None), "what is out of sight takes no step"


@pytest.mark.parametrize("model", LIVES, ids=lambda model: model._meta.label)
def test_whoever_took_part_is_kept_out_of_every_arrow_that_says_so(model: type[Stateful]) -> None:
    for arrow in model.graph.arrows:
        for column in arrow.not_by:
            by = next(actor_in(role) for role in Role if role in GRANTS[arrow.permission] and role is not Role.SYSTEM)
            assert refused(arrow, row_in(model, arrow.sources[0], **{f"{column}_id": SOMEBODY}), by), (arrow.action, column)
            assert not refused(arrow, row_in(model, arrow.sources[0], **{f"{column}_id": ANOTHER}), by), (arrow.action, column)


def test_whoever_has_not_just_shown_who_they_are_is_refused_on_every_arrow_that_asks_for_it() -> None:
    asking = [(model, arrow) for model in LIVES for arrow in model.graph.arrows if arrow.proof]
    assert asking
    for model, arrow in asking:
        for role in STAFF:
            assert refused(arrow, row_in(model, arrow.sources[0]), actor_in(role, proven=False)), (model._meta.label, arrow.action)


def test_another_office_is_refused_on_every_arrow_of_the_staff() -> None:
    for model in LIVES:
        for arrow in model.graph.arrows:
            row = row_in(model, arrow.sources[0])
            if hasattr(row, "office_id"):
                row.office_id = OFFICE + 1
                assert all(refused(arrow, row, actor_in(role)) for role in STAFF), (model._meta.label, arrow.action)


def test_a_guard_that_is_gone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the question who may, and who took part, everyone gets through."""
    arrow = next(arrow for model in LIVES for arrow in model.graph.arrows if arrow.not_by)
    row = row_in(LIVES[0], arrow.sources[0])
    for column in arrow.not_by:
        setattr(row, f"{column}_id", SOMEBODY)
    by = actor_in(next(role for role in STAFF if role in GRANTS[arrow.permission]))
    assert refused(arrow, row, by)
    monkeypatch.setattr(moves, "_refusal", lambda arrow, row, by: None)
    assert not refused(arrow, row, by)


def test_every_state_is_reached_and_every_life_can_end() -> None:
    """No state hangs in the air, and from each one there is a way on or it is an end of its own."""
    for model in LIVES:
        graph = model.graph
        reached, fresh = {graph.initial}, {graph.initial}
        while fresh:
            fresh = {arrow.target for code in fresh for arrow in graph.from_state(code)} - reached
            reached |= fresh
        assert reached == {state.code for state in graph.states}, graph.name
