"""Would these terms have taken people who joined under other ones? The rules about a person (`eligibility.judge`) asked of
many at once: what decides is few facts, so that an answer is found once and then looked up.

Not asked is the joining window, which belongs to another year, and how much of a unit joins. Shares above the plan's greatest number
are no obstacle: whoever had more would have joined with as many as there are.
"""

from dataclasses import dataclass, fields, replace
from datetime import date
from operator import attrgetter

from programs.rules.eligibility import FAIL, UNKNOWN, judge
from programs.rules.eligibility_sql import rules_of
from programs.rules.facts import PersonFacts
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import add_years, age_on, plus_months

NOT_ASKED = ("window", "shares")
SOME_DAY = date(2026, 7, 1)  # stands for the first day of cover where the rules look at lengths of time alone
LONG = 100  # years
# What is known of a person beside the two days that are turned into lengths of time.
_else = attrgetter(*(one.name for one in fields(PersonFacts) if one.name not in ("birth_date", "joined_unit_on")))


@dataclass(frozen=True, slots=True)
class Answer:
    """The rules that say no, and those whose fact nobody has told (asked only where none says no)."""

    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def rules_asked(schedule: Schedule) -> tuple[str, ...]:
    """The rules about a person that are asked of the past, in the order in which people read them."""
    return tuple(rule for rule in rules_of(schedule) if rule not in NOT_ASKED)


def asks_renewal(schedule: Schedule) -> bool:
    """Do the rules about a person look at whether they were covered before?"""
    return bool(schedule.enrolling.renewal_employments) or any(rule.renewal is not None for rule in schedule.ages)


def settled_by(schedule: Schedule, earlier: Schedule) -> frozenset[str]:
    """The rules on what may change with time that joining under the earlier terms has answered already: those were as strict."""
    new, old = schedule.enrolling, earlier.enrolling
    renewing = {*new.employments, *new.renewal_employments}
    strict = {
        "employment": set(old.employments) <= set(new.employments) and set(old.renewal_employments) <= renewing,
        "retirement": (old.retired_from, old.retired_before) == (new.retired_from, new.retired_before),
        "contract": old.min_contract_months >= new.min_contract_months,
        "union_member": old.union_member,
        "card_holder": old.card_holder,
        "basic_insurance": old.basic_insurance,
        "insurance_type": bool(old.insurance_types) and set(old.insurance_types) <= set(new.insurance_types),
        "months_in_unit": old.min_months_in_unit >= new.min_months_in_unit,
    }
    return frozenset(rule for rule, holds in strict.items() if holds)


class JoiningRules:
    """The answers of one plan's rules, each found once."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._known: dict[tuple[object, ...], Answer] = {}

    def of(self, person: PersonFacts, *, cover_start: date, settled: frozenset[str] = frozenset()) -> Answer:
        """Would the plan have taken this person for cover from this day, given what is `settled`? A day of hiring after the first
        day of cover belongs to a later job and tells nothing."""
        age, hired = age_on(person.birth_date, cover_start), self._months_done(person.joined_unit_on, cover_start)
        key = (age, hired, settled, _else(person))
        answer = self._known.get(key)
        if answer is None:
            answer = self._known[key] = self._judged(person, age, hired, settled)
        return answer

    def _months_done(self, joined_unit_on: date | None, cover_start: date) -> bool | None:
        if joined_unit_on is None or joined_unit_on > cover_start:
            return None
        return plus_months(joined_unit_on, self.schedule.enrolling.min_months_in_unit) <= cover_start

    def _judged(self, person: PersonFacts, age: int, hired: bool | None, settled: frozenset[str]) -> Answer:
        """The rules' own answer for somebody of whom the same is known."""
        hired_on = None if hired is None else add_years(SOME_DAY, -LONG) if hired else SOME_DAY
        alike = replace(person, birth_date=add_years(SOME_DAY, -age), joined_unit_on=hired_on)
        verdicts = [
            one
            for one in judge(self.schedule, person=alike, on=SOME_DAY, cover_start=SOME_DAY)
            if one.rule not in NOT_ASKED and one.rule not in settled
        ]
        failed = tuple(one.rule for one in verdicts if one.outcome == FAIL)
        return Answer(failed, () if failed else tuple(one.rule for one in verdicts if one.outcome == UNKNOWN))
