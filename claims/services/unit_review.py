"""The unit's agent looks at a member's claim before the office does (单位核对), where the plan wants it so."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from claims.models import Claim
from claims.services import adjudication, reckoning
from claims.services.adjudication import DecisionRefused, Refusals
from members.services.agents import users_acting
from programs.selectors import schedule_of
from unionaid.lib import workdays
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import looking_everywhere
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import carry_out, move

DAYS = 5  # working days an agent has; the house's own figure, from no plan's terms


def go_first(claims: Sequence[Claim], *, by: Actor, on: date) -> set[int]:
    """Which of these claims go to the unit before the office, by key? Not when the unit has no agent but those who are part
    of it: what the unit's only agent filled in is flagged to the office instead (`filed_by_agent`). One statement, where a plan wants any
    to go there."""
    asked = {claim.unit_id for claim in claims if claim.unit_id and _wants_unit(claim)}
    if not asked:
        return set()
    with looking_everywhere(reason="has the unit an agent"):
        agents = users_acting(asked, on=on)
    return {claim.pk for claim in claims if _wants_unit(claim) and _has_other(agents.get(claim.unit_id or 0, set()), claim, by)}


def _wants_unit(claim: Claim) -> bool:
    """Does the plan want the unit to look at it, and has none looked yet?"""
    looked_at = claim.unit_reviewed_by_id is not None or claim.corrects_id is not None
    return not looked_at and schedule_of(claim.terms).deciding.unit_first


def _has_other(agents: set[int], claim: Claim, by: Actor) -> bool:
    """Has the unit an agent whose claim it is not, and who neither filled it in nor sends it in?"""
    return bool(agents - {by.user_id, claim.filed_by_id, claim.filed_before_by_id, claim.member.user_id, claim.claimant.user_id})


def due_on(on: date, *, used: int = 0) -> date:
    """The last day on which the agent may look at a claim that came today; `used`: working days the unit had it before."""
    return workdays.due_on(on, max(1, DAYS - used))


def pass_on(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """The agent found it in order: on to the office."""
    return adjudication.alone(claim, pass_on_each([claim], by=by, on=on, note=note))


def pass_on_each(claims: Sequence[Claim], *, by: Actor, on: date, note: str = "") -> Refusals:
    """The agent found each of these claims in order; one that cannot go is refused and stops none of the others."""
    turn = reckoning.taken_up(claims, "pass_on", by=by)
    adjudication.refuse_own(turn)
    going = turn.going
    carry_out(turn, note=note)
    adjudication.write_reviews(going, "pass_on", by, note)
    return turn.refused


def give_back(claim: Claim, *, by: Actor, on: date, note: str) -> Claim:
    """The agent asks for what is missing."""
    return adjudication.ask_back(claim, "unit_return", by=by, note=note)


def pass_by(claim: Claim, *, by: Actor, on: date, note: str) -> Claim:
    """It goes to the office without the unit's word, for a reason: the office takes it, or the agent says that it is not the unit's to
    look at (the person has left it: who worked elsewhere by then is not the old unit's to vouch for)."""
    if not note.strip():
        raise DecisionRefused(_("请写明为什么不经单位核对，例如：职工已调到别的单位。"))
    adjudication.not_own(claim, by)
    move([claim], "pass_by", by=by, note=note)
    adjudication.write_review(claim, "pass_by", by, note)
    return claim


def at_unit(pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these (person, unit) those with a claim that waits for the unit, or for more papers from the claimant. One statement."""
    people, units = {person for person, _unit in pairs}, {unit for _person, unit in pairs}
    open_there = Claim.objects.filter(state__in=["unit_review", "supplement_requested"], unit__in=units)
    rows = open_there.filter(Q(member__in=people) | Q(claimant__in=people)).values_list("member_id", "claimant_id", "unit_id")
    return {(person, unit) for member, claimant, unit in rows for person in (member, claimant)}


def find_late(on: date) -> None:
    """Write a job for every claim that its unit did not look at in time."""
    late = Claim.objects.filter(stage="unit_review", unit_due_on__lt=on).order_by("id")
    enqueue("claims.pass_by_unit", [(row.pk, f"claims.pass_by_unit:{row.pk}:{row.version}", row) for row in late[:2000]], by=SYSTEM)


def move_on(claim_id: int, *, on: date) -> None:
    """The unit did not look at it in time: on to the office. A second run does nothing."""
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=claim_id)
    if claim.state == "unit_review" and claim.unit_due_on is not None and claim.unit_due_on < on:
        move([claim], "pass_by", by=SYSTEM)
