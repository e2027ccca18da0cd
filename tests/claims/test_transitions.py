"""What the claim's graph allows is written, and the database keeps apart who must be apart. (Every state × action × role, of every life,
is asked in `tests/house/test_every_step.py`.)"""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import CheckConstraint, F, Q

from claims.models import Appeal, Claim, Objection
from tests.factories.desk import Desk
from tests.factories.offices import make_user
from tests.factories.world import ASKED
from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.offices.roles import GRANTS, SYSTEM, Actor, Post, Role
from unionaid.workflow.arrows import Graph
from unionaid.workflow.moves import Conflict, NotAllowed, move, record
from unionaid.workflow.stateful import Stateful

# What the database wants beside a state.
BESIDE: dict[str, dict[str, Any]] = {
    "supplement_requested": {"stopped_at": now()},
    "rejected": {"reason_code": "papers", "reason_clause": "第九条"},
    "on_notice": {"notice_from": ASKED, "notice_until": ASKED, "approved_fen": 1},
    "recovery": {"approved_fen": 0},
    "recovered": {"approved_fen": 0},
    "halt_proposed": {"approved_fen": 1, "halt_reason": "金额有误", "halted_from": "approved"},
    "halted": {"halt_reason": "金额有误", "halted_from": "approved"},
    **{state: {"approved_fen": 1} for state in ("approved", "in_batch", "paying", "paid", "returned_payment")},
}
STAFF = (Role.REVIEWER, Role.APPROVER, Role.PAYER, Role.OFFICE_MANAGER, Role.HEADQUARTERS, Role.AUDITOR, Role.SYSTEM_ADMIN)


def actor_in(role: Role, user: User, desk: Desk) -> Actor:
    """Somebody with this role alone."""
    office = desk.world.cast.a.pk
    if role in STAFF:
        return Actor(user.pk, "某人", posts=(Post(role, office, frozenset({office})),), proven=True)
    if role is Role.WORKER:
        return Actor(user.pk, "某人", member_id=1)
    return SYSTEM if role is Role.SYSTEM else Actor(user.pk, "某人", unit_ids=frozenset({desk.world.unit.pk}))


def parted(model: type[Stateful]) -> set[tuple[str, str]]:
    """The pairs of columns that the database keeps apart: (this one, from that one), both ways."""
    last = [one.condition.children[-1] for one in model._meta.constraints if isinstance(one, CheckConstraint)]
    told = [part.children[0] for part in last if isinstance(part, Q) and part.negated and len(part) == 1]
    pairs = {(name, value.name) for name, value in told if isinstance(value, F)}
    return pairs | {(other, one) for one, other in pairs}


def may_stand_in(graph: Graph, column: str) -> set[str]:
    """The states in which this column may hold somebody: those after the arrows that stamp it; of what is known from the first, all."""
    first = {arrow.target for arrow in graph.arrows if arrow.stamp == column}
    first |= {"submitted"} if column.startswith("earlier_") else set()  # told when an upheld appeal opens the claim
    if not first:
        return {state.code for state in graph.states}
    found, new = set[str](), first
    while new:
        found, new = found | new, {arrow.target for arrow in graph.arrows if {*arrow.sources} & new} - found - new
    return found


@pytest.mark.parametrize("model", [Claim, Appeal, Objection])
def test_whom_the_database_keeps_apart_the_arrow_asks_about_first(model: type[Stateful]) -> None:
    """Else the person meets an error, and a whole list of claims with them, instead of the sentence that another has to do it."""
    pairs = parted(model)
    assert pairs
    unasked = [
        (arrow.action, other)
        for arrow in model.graph.arrows
        for one, other in sorted(pairs)
        if one == arrow.stamp and other not in arrow.not_by and {*arrow.sources} & may_stand_in(model.graph, other)
    ]
    assert unasked == []


def stand_in(claim: Claim, state: str, **columns: Any) -> None:
    """Put a claim into a state past the door, with the entry that the database wants."""
    halt = {"halt_proposed": {"halt_proposed_by_id": claim.submitted_by_id}}
    halt["halted"] = halt["halt_proposed"] | {"halted_by_id": User.objects.exclude(pk=claim.submitted_by_id).values("pk")[:1]}
    Claim.objects.filter(pk=claim.pk).update(state=state, **BESIDE.get(state, {}) | halt.get(state, {}) | columns)
    claim.refresh_from_db()
    record([claim], "arranged", by=SYSTEM, to_state=state)


def tried(claim: Claim, action: str, by: Actor) -> str:
    """What comes of it; nothing of it stays."""
    try:
        with transaction.atomic():
            move([claim], action, by=by, changes=BESIDE.get(Claim.graph.arrow(action).target, {}))
            transaction.set_rollback(True)
            return "done"
    except NotAllowed:
        return "not allowed"
    except Conflict:
        return "conflict"


def test_every_arrow_is_written_from_every_state_it_starts_in(desk: Desk) -> None:
    """One claim in each state, and each move that the graph allows from there."""
    cover = desk.cover()
    claims = {state.code: desk.world.claim(cover, 10_000 + i) for i, state in enumerate(Claim.graph.states)}
    for code, claim in claims.items():
        stand_in(claim, code)
    user, done = make_user("t-both", "某人"), 0
    for arrow in Claim.graph.arrows:
        by = actor_in(next(role for role in Role if role in GRANTS[arrow.permission]), user, desk)
        for source in arrow.sources:
            assert tried(claims[source], arrow.action, by) == "done", (source, arrow.action)
            claims[source].refresh_from_db()
            done += 1
    assert done == sum(len(arrow.sources) for arrow in Claim.graph.arrows) > 40


def by_whom(column: str, user: User, desk: Desk) -> dict[str, Any]:
    """Who took that step, as the database wants it told."""
    capacity: dict[str, Any] = {"filed_as": "unit_agent"} if column == "filed_by" else {}
    if column == "filed_before_by":
        capacity = {"filed_as": "desk", "filed_by_id": desk.manager.user_id}
    return {f"{column}_id": user.pk, **capacity}


APART = (
    ("reviewed_by", "submitted_by"),
    ("approved_by", "submitted_by"),
    ("approved_by", "reviewed_by"),
    ("rejected_by", "submitted_by"),
    ("unit_reviewed_by", "submitted_by"),
    ("reviewed_by", "unit_reviewed_by"),
    ("approved_by", "unit_reviewed_by"),
    ("reviewed_by", "earlier_reviewed_by"),
    ("reviewed_by", "earlier_decided_by"),
    ("approved_by", "earlier_reviewed_by"),
    ("approved_by", "earlier_decided_by"),
    ("unit_reviewed_by", "filed_by"),
    ("reviewed_by", "filed_by"),
    ("approved_by", "filed_by"),
    ("rejected_by", "filed_by"),
    ("unit_reviewed_by", "filed_before_by"),
    ("reviewed_by", "filed_before_by"),
    ("approved_by", "filed_before_by"),
    ("rejected_by", "filed_before_by"),
)


def test_the_database_keeps_them_apart_as_well(desk: Desk) -> None:
    """The control of the graph: the same write past it meets a constraint."""
    claim = desk.world.claim(desk.cover(), 600_000)
    user = make_user("t-both", "某人")
    for one, other in APART:
        with pytest.raises(IntegrityError, match="claim_.*_is_not_|claim_another_"), transaction.atomic():
            Claim.objects.filter(pk=claim.pk).update(**by_whom(one, user, desk) | by_whom(other, user, desk))
    with pytest.raises(IntegrityError, match="claim_rejected_with_a_reason"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(state="rejected")


def test_who_comes_too_late_is_told_what_was_done_and_in_which_role(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    move([claim], "review", by=desk.reviewer)
    with pytest.raises(Conflict) as late:
        move([Claim.objects.get(pk=claim.pk)], "review", by=desk.other_reviewer)
    assert "初审已经办理了“初审通过”" in late.value.message
    assert "秦小明" not in late.value.message


def test_a_decision_on_an_older_version_is_told(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(), 600_000)
    seen = claim.version
    Claim.objects.filter(pk=claim.pk).update(version=seen + 1)
    with pytest.raises(Conflict):
        move([claim], "review", by=desk.reviewer, expect_version=seen)
