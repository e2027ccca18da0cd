"""What a unit is as a whole under terms: how many of its people joined with how many shares, and what else its rules look at. It is
counted here for everybody who asks: a roster, a worker who joins by themselves, the desk that voids surplus shares."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Q

from members.models import Enrolment, Member, RatioWaiver, UnitAgent, WorkUnit
from members.transitions import LIVE
from programs.models import Terms
from programs.rules.eligibility import Verdict, judge_single
from programs.rules.facts import UnitFacts
from programs.rules.fees import counted_shares
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of

# How many people, by gender and shares.
Joining = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Whole:
    """A unit under some terms: who of its staff is enrolled, and who of them by its own rosters (`listed`), does the office let it join
    with fewer than the plan says, has it an agent (None: nobody has looked)."""

    unit: WorkUnit
    joined: Counter[tuple[str, int]] = field(default_factory=Counter)
    listed: Counter[tuple[str, int]] = field(default_factory=Counter)
    excepted: bool = False
    agent_bound: bool | None = None

    @property
    def shares(self) -> frozenset[int]:
        """The numbers of shares that bind whoever joins alone: those of the unit's rosters, or where it has none, of its people."""
        return frozenset(shares for (_gender, shares), people in (self.listed or self.joined).items() if people)

    def facts(self, schedule: Schedule, more: Joining, *, by_roster: bool = False) -> UnitFacts:
        """What the unit's rules look at, with these people in as well. Where the plan counts women, men count for nothing. How many shares
        everyone has the unit decides for its list (`by_roster`): whoever of it joined alone before does not decide it."""
        bound = frozenset(shares for (_gender, shares), people in self.listed.items() if people) if by_roster else self.shares
        women = schedule.enrolling.unit is not None and schedule.enrolling.unit.of == "women"
        joining = self.joined + Counter(more)
        return UnitFacts(
            eligible_staff=self.unit.women_count if women else self.unit.headcount,
            enrolling=sum(people for (gender, _shares), people in joining.items() if gender == "female" or not women),
            shares=bound | frozenset(shares for (_gender, shares), people in more.items() if people),
            agent_bound=self.agent_bound,
            excepted=self.excepted,
        )


def wholes(unit: WorkUnit, plans: Iterable[Terms], *, on: date | None) -> dict[int, Whole]:
    """The unit under each of these terms that ask something of units, by terms. `on`: the day for which it is asked whether it has an
    agent; without it that is not asked. Three statements at most, none where nothing is asked; the scope must show everyone."""
    rules = {terms.pk: rule for terms in plans if (rule := schedule_of(terms).enrolling.unit)}
    if not rules:
        return {}
    joined: dict[int, Counter[tuple[str, int]]] = {pk: Counter() for pk in rules}
    listed: dict[int, Counter[tuple[str, int]]] = {pk: Counter() for pk in rules}
    staff = Enrolment.objects.filter(unit_id=unit.pk, terms_id__in=rules, relation="self", state__in=LIVE).order_by()
    counted = staff.values_list("terms_id", "member__gender", "shares").annotate(people=Count("id"), of_rosters=Count("roster_id"))
    for pk, gender, shares, people, of_rosters in counted:
        joined[pk][gender, shares] += people
        if of_rosters:
            listed[pk][gender, shares] += of_rosters
    excepted = set[int]()
    if any(rule.min_ratio or rule.all_headcount for rule in rules.values()):
        let_in = RatioWaiver.objects.filter(roster__unit_id=unit.pk, roster__terms_id__in=rules, state="allowed")
        excepted = set(let_in.filter(roster__state__in=("committed", "effective")).values_list("roster__terms_id", flat=True))
    agent = _has_agent(unit, on=on) if on and any(rule.agent_bound for rule in rules.values()) else None
    return {pk: Whole(unit, joined[pk], listed[pk], pk in excepted, agent) for pk in rules}


def binds_singles(schedule: Schedule) -> bool:
    """Is anything that a unit must keep asked of those who join by themselves?"""
    rule = schedule.enrolling.unit
    by_ratio = rule is not None and rule.ratio_binds_singles and bool(rule.min_ratio or rule.all_headcount)
    return by_ratio or (rule is not None and (rule.same_shares or rule.agent_bound))


def whole_of(unit: WorkUnit, terms: Terms, *, on: date | None) -> Whole:
    """The same for one plan; a plan that asks nothing of units needs no statement."""
    return wholes(unit, [terms], on=on).get(terms.pk) or Whole(unit)


def _has_agent(unit: WorkUnit, *, on: date) -> bool:
    return UnitAgent.objects.filter(Q(until__isnull=True) | Q(until__gt=on), unit=unit, since__lte=on).exists()


def single(schedule: Schedule, whole: Whole | None, member: Member, *, shares: int) -> tuple[Verdict, ...]:
    """What the rules of units say of this person who joins by themselves with so many shares; `whole`: None for whoever is nobody's
    staff here (no unit, or the family of a worker)."""
    counted = counted_shares(schedule, shares)
    facts = whole.facts(schedule, {(member.gender, counted): 1}) if whole else None
    return judge_single(schedule, facts, shares=counted)


def shares_of_unit(terms: Terms, unit: WorkUnit | None, relation: str) -> int | None:
    """How many shares whoever joins by themselves must have: as many as the unit's roster has, or where it has none as the others who
    joined by themselves; None: as they like."""
    rule = schedule_of(terms).enrolling.unit
    if unit is None or relation != "self" or rule is None or not rule.same_shares:
        return None
    whole = whole_of(unit, terms, on=None)
    return common_shares(whole.listed or whole.joined)


def common_shares(joining: Joining) -> int | None:
    """The number of shares that most people have (of two equally common ones the smaller); None where there are no people."""
    counts: Counter[int] = Counter()
    for (_gender, shares), people in joining.items():
        counts[shares] += people
    return min(counts, key=lambda shares: (-counts[shares], shares)) if counts else None
