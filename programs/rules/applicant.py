"""May the person of a written case join, and what must their unit keep? Every rule answers beside the amount: benefit is reckoned for
the cover that a case tells of, and whether anybody may have such cover is another question, told and never hidden.

What a case leaves out is unknown: a rule whose answer hangs on it says so. To find out, the rules are asked for every value that the
untold fact might have; where they all agree, it did not matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

from programs.rules.casefile import GENERAL, WITHOUT_UNIT
from programs.rules.eligibility import ADULT, FAIL, UNKNOWN, Verdict, judge, judge_single, judge_unit
from programs.rules.facts import PersonFacts, UnitFacts
from programs.rules.schedule import Schedule
from programs.rules.words import Words
from unionaid.lib.calendar import add_years, format_zh

YES, NO, OPEN = "yes", "no", "unknown"
# What the facts that may be left open are called.
OPEN_WORDS = {
    "birth_date": Words("出生日期", "the date of birth"),
    "gender": Words("性别", "the sex"),
    "relation": Words("与职工的关系", "the relation to the worker"),
    "renewal": Words("是不是续保", "whether it is a renewal"),
    "shares_held": Words("已有的份数", "the shares held already"),
}
_PAPERS = {"birth_date": "id_card", "gender": "id_card", "relation": "relation", "renewal": "renewal", "shares_held": "shares"}


def may_join(verdicts: tuple[Verdict, ...]) -> str:
    """ "no" when a rule speaks against it; "unknown" when none does but one cannot say; "yes" otherwise."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return NO if FAIL in outcomes else OPEN if UNKNOWN in outcomes else YES


def judged(schedule: Schedule, data: Mapping[str, Any], *, cover_start: date) -> tuple[Verdict, ...]:
    """Every rule of the plan on the person and the unit of a case without faults, as it is said to whoever tries the case: of another.
    Cover that follows on from the last changes no age: whoever joins is judged on the ordinary first day."""
    told = {**{name: data[name] for name in GENERAL if name in data}, **data.get("person", {})}
    if "days_since_cover" in data:
        told["renewal"] = data["days_since_cover"] <= schedule.enrolling.renewal_within_days
    on = date.fromisoformat(data["joined_on"]) if "joined_on" in data else None
    if on and "cover_start" not in data and (ordinary := schedule.cover(on=on, term_months=data.get("term_months"))):
        cover_start = ordinary.start
    shares, everyone = data.get("shares", 1), list(_everyone(schedule, told, cover_start))
    found = [
        {one.rule: one for one in judge(schedule, person=person, on=on or schedule.enrolling.opens, cover_start=cover_start, shares=shares)}
        for _facts, person in everyone
    ]
    left = [facts for facts, _person in everyone]
    verdicts = tuple(_one_of_many(rule, [(facts, one[rule]) for facts, one in zip(left, found, strict=True)]) for rule in found[0])
    if on is None:
        verdicts = (_day_unknown(schedule), *verdicts[1:])
    return tuple(replace(one, sentence=one.sentence.of_another()) for one in verdicts + _unit_verdicts(schedule, data, shares))


def _day_unknown(schedule: Schedule) -> Verdict:
    opens, closes = schedule.enrolling.opens, schedule.enrolling.closes
    zh = f"没有写哪一天参加（{format_zh(opens)}到{format_zh(closes)}可以参加）。"
    return Verdict("window", UNKNOWN, Words(zh, f"The day of joining is not told (open from {opens:%-d %B %Y} to {closes:%-d %B %Y})."))


def _everyone(schedule: Schedule, told: Mapping[str, Any], cover_start: date) -> Iterator[tuple[dict[str, Any], PersonFacts]]:
    """Everyone that the case may mean, each with the value of what it leaves open."""
    ages = {0, ADULT - 1, ADULT, 120} | {age for rule in schedule.ages for age in (rule.from_age, rule.to_age)}
    ages |= {age for rule in schedule.ages for age in (max(rule.from_age - 1, 0), min(rule.to_age + 1, 120))}
    possible: dict[str, tuple[Any, ...]] = {
        "birth_date": tuple(add_years(cover_start, -age) for age in sorted(ages)),
        "gender": ("female", "male"),
        "relation": ("self", "spouse", "minor_child"),
        "renewal": (False, True),
        "shares_held": (0, schedule.enrolling.max_shares) if schedule.enrolling.together_with else (0,),
    }
    left = {name: values for name, values in possible.items() if name not in told}
    days = ("birth_date", "joined_unit_on", "retired_on")
    known: dict[str, Any] = {name: date.fromisoformat(value) if name in days else value for name, value in told.items()}
    for values in product(*left.values()):
        facts = dict(zip(left, values, strict=True))
        yield facts, _person(known | facts)


def _person(facts: Mapping[str, Any]) -> PersonFacts:
    """For a spouse and a child the employment is that of the worker."""
    person = PersonFacts(**facts)
    return replace(person, holder_employment=person.employment)


def _one_of_many(rule: str, answers: list[tuple[dict[str, Any], Verdict]]) -> Verdict:
    """The one answer of a rule: what it says of everybody that the case may mean, or that it hangs on what the case leaves open."""
    first = answers[0][1]
    if all(said == first for _facts, said in answers):
        return first
    decides = [name for name in answers[0][0] if _hangs_on(name, answers)]
    zh = "、".join(OPEN_WORDS[name].zh for name in decides)
    en = ", ".join(OPEN_WORDS[name].en for name in decides)
    if len({said.outcome for _facts, said in answers}) == 1:
        always = {FAIL: Words("怎样都不符合这一条。", "This rule is not met in any case."), UNKNOWN: first.sentence}
        return replace(first, sentence=always.get(first.outcome, Words("怎样都符合这一条。", "This rule is met in any case.")))
    words = Words(f"案例没有写{zh}，还不能判断。", f"The case does not tell {en}; this is open.")
    return Verdict(rule, UNKNOWN, words, _PAPERS[decides[0]])


def _hangs_on(name: str, answers: list[tuple[dict[str, Any], Verdict]]) -> bool:
    """Do answers differ for two who are alike but for this fact?"""
    seen: dict[tuple[Any, ...], str] = {}
    for facts, said in answers:
        rest = tuple(value for other, value in facts.items() if other != name)
        if seen.setdefault(rest, said.outcome) != said.outcome:
            return True
    return False


def _unit_verdicts(schedule: Schedule, data: Mapping[str, Any], shares: int) -> tuple[Verdict, ...]:
    """What the plan asks of units: nothing of whoever has none, as far as the plan takes them."""
    unit, rule = data.get("unit", {}), schedule.enrolling.unit
    if unit == WITHOUT_UNIT:
        if schedule.enrolling.individual or schedule.is_grant:
            return judge_single(schedule, None, shares=shares)
        words = Words("这个计划由单位统一参加，没有单位的不能自己参加。", "Units join this plan for their people, nobody without one.")
        return (Verdict("unit", FAIL, words, "contract"),)
    women = rule is not None and rule.of == "women"
    others = unit.get("shares")
    facts = UnitFacts(
        eligible_staff=unit.get("women" if women else "headcount"),
        enrolling=unit.get("enrolling"),
        shares=frozenset([*others, *([shares] if "shares" in data else [])]) if others else None,
        agent_bound=unit.get("agent_bound"),
        excepted=unit.get("excepted", False),
    )
    return judge_unit(schedule, facts)
