"""The unit's agent looks at a member's claim before the office does (单位核对), where the plan wants it so."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from claims.models import Claim, Review
from claims.services import adjudication
from claims.services.adjudication import DecisionRefused
from members.services.agents import agents_on
from programs.selectors import schedule_of
from unionaid.lib import workdays
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import looking_everywhere
from unionaid.workflow.jobs import enqueue
from unionaid.workflow.moves import move

DAYS = 5  # working days an agent has; the house's own figure, from no plan's terms


def goes_first(claim: Claim, *, by: Actor, on: date) -> bool:
    """Does this claim go to the unit before the office? Not when an agent of the unit sends it in, or the unit has none."""
    looked_at = claim.unit_reviewed_by_id is not None or claim.corrects_id is not None
    if claim.unit_id is None or looked_at or not schedule_of(claim.terms).deciding.unit_first:
        return False
    with looking_everywhere(reason="has the unit an agent"):
        agents = {agent.user_id for agent in agents_on(claim.unit, on=on)}
    return bool(agents - {by.user_id, claim.member.user_id, claim.claimant.user_id}) and by.user_id not in agents


def due_on(on: date, *, used: int = 0) -> date:
    """The last day on which the agent may look at a claim that came today; `used`: working days the unit had it before."""
    return workdays.due_on(on, max(1, DAYS - used))


def pass_on(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """The agent found it in order: on to the office."""
    adjudication.not_own(claim, by)
    move([claim], "pass_on", by=by, note=note)
    Review.objects.create(claim=claim, decision="pass_on", by_id=by.user_id, note=note)
    return claim


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
    late = Claim.objects.filter(state="unit_review", unit_due_on__lt=on).order_by("id")
    enqueue("claims.pass_by_unit", [(row.pk, f"claims.pass_by_unit:{row.pk}:{row.version}", row) for row in late[:2000]], by=SYSTEM)


def move_on(claim_id: int, *, on: date) -> None:
    """The unit did not look at it in time: on to the office. A second run does nothing."""
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=claim_id)
    if claim.state == "unit_review" and claim.unit_due_on is not None and claim.unit_due_on < on:
        move([claim], "pass_by", by=SYSTEM)
