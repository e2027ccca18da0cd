"""Rules on joining asked of the past: what is looked up is what the rules say, and what the terms of that time have answered."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from programs.rules import joining
from programs.rules.eligibility import judge
from programs.rules.facts import PersonFacts
from programs.rules.joining import NOT_ASKED, SOME_DAY, Answer, JoiningRules, rules_asked, settled_by
from programs.rules.schedule import Schedule
from tests.programs.rules.test_rehearsal import plan
from unionaid.lib.calendar import add_years, plus_days

YULIN = "shaanxi-yulin-medical.2026"
STRICT = {
    "opens": date(2025, 10, 1), "closes": date(2026, 12, 31), "individual": True, "relations": ["self", "spouse"], "gender": "female",
    "employment": ["enterprise"], "union_member": True, "basic_insurance": True, "insurance_types": ["employee"], "min_months_in_unit": 6,
    "min_contract_months": 12, "card_holder": True,
    "ages": [{"from": 18, "to": 55, "renewal": False}, {"from": 18, "to": 60, "renewal": True}], "shares": {"max": 2},
}  # fmt: skip
FITS = PersonFacts(
    add_years(SOME_DAY, -40), "female", "enterprise", union_member=True, basic_insurance=True, joined_unit_on=date(2020, 1, 1),
    card_holder=True, contract_months=24, holder_employment="enterprise", insurance_type="employee",
)  # fmt: skip


def strict(**changed: Any) -> Schedule:
    return plan(YULIN, enrolment={**STRICT, **changed})


def asked(schedule: Schedule, *, settled: frozenset[str] = frozenset(), **changed: Any) -> Answer:
    return JoiningRules(schedule).of(replace(FITS, **changed), cover_start=SOME_DAY, settled=settled)


def test_every_rule_about_a_person_shuts_out_whoever_fails_it() -> None:
    schedule = strict()
    assert asked(schedule) == Answer()
    fails = {
        "relation": {"relation": "minor_child"},
        "employment": {"employment": "retired"},
        "months_in_unit": {"joined_unit_on": date(2026, 2, 1)},
        "contract": {"contract_months": 6},
        "card_holder": {"card_holder": False},
        "basic_insurance": {"basic_insurance": False},
        "insurance_type": {"insurance_type": "resident"},
        "union_member": {"union_member": False},
        "gender": {"gender": "male"},
        "age": {"birth_date": date(1969, 7, 1)},
    }
    assert set(fails) == set(rules_asked(schedule))
    for rule, changed in fails.items():
        assert asked(schedule, **changed) == Answer((rule,)), rule
    assert asked(schedule, birth_date=date(1969, 7, 1), renewal=True) == Answer()


def test_what_nobody_told_is_unknown_unless_something_else_decides() -> None:
    schedule = strict()
    for rule, fact in (("union_member", "union_member"), ("employment", "employment"), ("months_in_unit", "joined_unit_on")):
        assert asked(schedule, **{fact: None}) == Answer((), (rule,))
        assert asked(schedule, **{fact: None}, gender="male") == Answer(("gender",))


def test_a_day_of_hiring_after_cover_began_belongs_to_a_later_job() -> None:
    assert asked(strict(), joined_unit_on=plus_days(SOME_DAY, 1)) == Answer((), ("months_in_unit",))


def test_what_the_terms_of_that_time_asked_as_strictly_is_settled() -> None:
    """Whoever has retired since was at work when they joined."""
    everything = {"employment", "contract", "union_member", "card_holder", "basic_insurance", "insurance_type", "months_in_unit"}
    everything.add("retirement")  # none of them asks for it
    assert settled_by(strict(), strict()) == everything
    both = ["employee", "resident"]
    easier = strict(employment=["enterprise", "retired"], union_member=False, min_months_in_unit=3, insurance_types=both, card_holder=False)
    assert settled_by(strict(), easier) == {"contract", "basic_insurance", "retirement"}
    assert asked(strict(), employment="retired", settled=settled_by(strict(), strict())) == Answer()
    assert asked(strict(), employment="retired", settled=settled_by(strict(), easier)) == Answer(("employment",))
    assert asked(strict(), gender="male", settled=settled_by(strict(), strict())) == Answer(("gender",))


def somebody(chance: random.Random, start: date) -> Iterator[PersonFacts]:
    while True:
        yield PersonFacts(
            birth_date=plus_days(add_years(start, -chance.randint(15, 63)), chance.randint(-2, 2)),
            gender=chance.choice(["male", "female"]),
            employment=chance.choice([None, "enterprise", "institution", "retired"]),
            union_member=chance.choice([None, True, False]),
            basic_insurance=chance.choice([None, True, False]),
            relation=chance.choice(["self", "spouse", "minor_child"]),
            joined_unit_on=chance.choice([None, add_years(start, -1), plus_days(start, -chance.randint(0, 200))]),
            renewal=chance.choice([True, False]),
            holder_employment=chance.choice([None, "enterprise", "none"]),
            insurance_type=chance.choice([None, "employee", "resident"]),
            card_holder=chance.choice([None, True, False]),
            contract_months=chance.choice([None, 6, 12, 1200]),
        )


def directly(schedule: Schedule, person: PersonFacts, start: date) -> Answer:
    verdicts = [one for one in judge(schedule, person=person, on=start, cover_start=start) if one.rule not in NOT_ASKED]
    failed = tuple(one.rule for one in verdicts if one.outcome == "fail")
    return Answer(failed, () if failed else tuple(one.rule for one in verdicts if one.outcome == "unknown"))


def differences(count: int) -> int:
    """How often looking up says something else than asking the rules about this person on this day."""
    chance, schedule = random.Random(7), strict()
    looked_up, found = JoiningRules(schedule), 0
    for _ in range(count):
        start = date(2024, 2, 27) if chance.random() < 0.1 else plus_days(date(2024, 1, 1), chance.randint(0, 1000))
        person = next(somebody(chance, start))
        found += looked_up.of(person, cover_start=start) != directly(schedule, person, start)
    return found


def test_looking_up_says_what_the_rules_say_of_generated_people(monkeypatch: Any) -> None:
    assert differences(4000) == 0
    monkeypatch.setattr(joining, "age_on", lambda born, on: on.year - born.year)
    assert differences(4000) > 0
