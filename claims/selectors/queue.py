"""The queues of the desk: what waits, for whom, since when, and whether it is late. Which queues there are, the graph says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from claims.models import Appeal, Claim, ClaimFlag
from claims.selectors.rules import Rules
from claims.transitions import APPEAL_STEP, CLAIM, DECIDABLE, DECIDING, IN_PAYMENT, TIMED
from unionaid.accounts.models import User
from unionaid.lib.calendar import day_of, midnight, now
from unionaid.lib.workdays import due_on, overdue_before
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.arrows import Arrow

# What is not the usual step forward: a form of its own, words for the claimant or for a colleague.
ASIDE = ("return_for_supplement", "send_back", "settle", "settle_on_notice", "reject", "reclaim")
Waiting = tuple[str, Arrow]


def in_state(state: str) -> Q:
    """The claims in this state, as the indexes find them: by their stage, which is one for all who are on their way to their money."""
    if state not in IN_PAYMENT:
        return Q(stage=state)
    return Q(state=state, stage__in=(IN_PAYMENT[0], state)) if state == "paid" else Q(state=state, stage=IN_PAYMENT[0])


def decisions_from(state: str) -> list[Arrow]:
    """The arrows from this state that are a decision of the staff."""
    return [arrow for arrow in CLAIM.from_state(state) if arrow.permission in DECIDING]


def steps_from(state: str) -> list[Arrow]:
    """Those of them that take the claim forward."""
    return [arrow for arrow in decisions_from(state) if arrow.action not in ASIDE]


def queues_of(actor: Actor) -> Iterator[Waiting]:
    """(state, step) of every queue in which this person may take a step."""
    for state in DECIDABLE:
        for arrow in steps_from(state):
            if may(actor, arrow.permission):
                yield state, arrow
                break


def theirs(waiting: Waiting, actor: Actor) -> QuerySet[Claim]:
    """The claims of a queue on which this person may take the step: nothing of their own, nothing an earlier step of which was theirs."""
    state, arrow = waiting
    rows = Claim.objects.filter(in_state(state)).exclude(member__user=actor.user_id).exclude(claimant__user=actor.user_id)
    for column in arrow.not_by:
        rows = rows.exclude(**{column: actor.user_id})
    return rows


def not_held(rows: QuerySet[Claim], by: Actor) -> QuerySet[Claim]:
    """Those that nobody else has been handed for the step they are in."""
    return rows.filter(Q(held_until=None) | Q(held_until__lte=now()) | Q(held_by=by.user_id) | ~Q(held_state=F("state")))


def holder_of(claim: Claim) -> User | None:
    """Whoever was handed this claim for the step it is in and still has it."""
    is_held = claim.held_until is not None and claim.held_until > now() and claim.held_state == claim.state
    return claim.held_by if is_held else None


def open_flags() -> Exists:
    """Has the claim a flag that nobody has dismissed?"""
    return Exists(ClaimFlag.objects.filter(claim=OuterRef("pk"), lapsed_at=None, dismissed_at=None))


def open_flag_count() -> Coalesce:
    """How many flags of the claim nobody has dismissed."""
    rows = ClaimFlag.objects.filter(claim=OuterRef("pk"), lapsed_at=None, dismissed_at=None).order_by()
    return Coalesce(Subquery(rows.values("claim").annotate(count=Count("pk")).values("count")), 0)


def due_of(claim: Claim, rules: Rules) -> date | None:
    """The last working day of this claim's step, by the days that its office has set; None where nothing waits for the staff."""
    return step_ends(claim, rules) if claim.state in DECIDABLE else None


def step_ends(claim: Claim, rules: Rules) -> date | None:
    """The same of every step that an office sets days for (`TIMED`), those after the decision among them."""
    if claim.state not in TIMED or claim.since is None:
        return None
    return due_on(day_of(claim.since), rules.days(claim.office.path, claim.state))


def appeal_ends(appeal: Appeal, rules: Rules) -> date:
    """The last working day to answer an appeal, by the days that its office has set."""
    return due_on(day_of(appeal.filed_at), rules.days(appeal.office.path, APPEAL_STEP))


def overdue(rules: Rules, offices: Sequence[Office], *, on: date) -> Q:
    """The waiting claims whose step should have been done before this day, by the rule of each of these offices; where no office has
    a rule, one term holds for all and none need be named. One bound that holds for all, and what departs from the usual one: so the
    index by waiting time is read from its beginning."""
    held = defaultdict[datetime, dict[str, list[int]]](lambda: defaultdict(list))
    for pk, path in [(office.pk, office.path) for office in offices] or [(0, "")]:
        for state in DECIDABLE:
            held[_late_before(on, rules.days(path, state))][state].append(pk)
    usual = max(held, key=lambda first: sum(map(len, held[first].values())))
    others = [
        When(Q(*(Q(stage=state, office__in=ids) for state, ids in held[first].items()), _connector=Q.OR), then=Value(first))
        for first in held
        if first != usual
    ]
    late = Q(stage__in=DECIDABLE, stage_since__lt=max(held))
    return late & Q(stage_since__lt=Case(*others, default=Value(usual))) if others else late


def _late_before(on: date, days: int) -> datetime:
    """What has waited since before this moment should have been done."""
    return midnight(overdue_before(on, days))
