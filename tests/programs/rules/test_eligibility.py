"""Who may join, rule by rule: what passes, what fails, what nobody knows yet, and which paper would change it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from programs.rules.eligibility import (
    EVIDENCE_WORDS,
    FAIL,
    PASS,
    UNKNOWN,
    Verdict,
    judge,
    judge_single,
    judge_unit,
    least_enrolling,
    may_join,
)
from programs.rules.facts import OPEN_ENDED, ORDINARY, PersonFacts, UnitFacts
from programs.rules.fees import participation_ok
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from programs.rules.schedule import Schedule, UnitRule

CATALOGUE = Path(__file__).resolve().parents[3] / "programs" / "catalogue"
PLAN = read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data
START = date(2026, 3, 1)
TOLD = PersonFacts(birth_date=date(1990, 3, 1), gender="female", employment="enterprise", union_member=True, basic_insurance=True)


def _plan(**enrolment: Any) -> Schedule:
    """A plan open from 1 October to 31 December 2025 for the year 2026, with these rules."""
    rules = {"opens": "2025-10-01", "closes": "2025-12-31", **enrolment}
    return parse({**PLAN, "enrolment": rules, "examples": []})


def _said(
    schedule: Schedule, rule: str, person: PersonFacts = TOLD, *, on: date = date(2025, 12, 1), start: date = START, shares: int = 1
) -> Verdict:
    verdicts = judge(schedule, person=person, on=on, cover_start=start, shares=shares)
    found = [verdict for verdict in verdicts if verdict.rule == rule]
    assert len(found) == 1, rule
    return found[0]


def _outcome(schedule: Schedule, rule: str, person: PersonFacts = TOLD, **told: Any) -> str:
    return _said(schedule, rule, person, **told).outcome


def _has(schedule: Schedule, rule: str) -> bool:
    return rule in {verdict.rule for verdict in judge(schedule, person=TOLD, on=START, cover_start=START)}


# --- the window -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "outcome"),
    [
        (date(2025, 9, 30), FAIL),
        (date(2025, 10, 1), PASS),
        (date(2025, 12, 31), PASS),
        (date(2026, 1, 1), FAIL),
    ],
)
def test_both_days_of_the_window_count(on: date, outcome: str) -> None:
    assert _outcome(_plan(), "window", on=on) == outcome


@pytest.mark.parametrize(
    ("late", "on", "outcome"),
    [
        ({"within_months": 1}, date(2026, 2, 1), PASS),
        ({"within_months": 1}, date(2026, 2, 2), FAIL),
        ({"within_days": 30}, date(2026, 1, 31), PASS),
        ({"within_days": 30}, date(2026, 2, 1), FAIL),
    ],
)
def test_anyone_may_come_late_until_the_last_day_of_the_rule(late: dict[str, int], on: date, outcome: str) -> None:
    assert _outcome(_plan(late=[{"who": "anyone", "after": "period_start", **late}]), "window", on=on) == outcome


@pytest.mark.parametrize(
    ("hired", "on", "outcome"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), PASS),  # a month after the 31st is the last day of February
        (date(2026, 1, 31), date(2026, 3, 1), FAIL),
        (date(2025, 12, 31), date(2026, 1, 5), FAIL),  # hired before the period: no new hire
        (date(2026, 1, 1), date(2026, 1, 5), PASS),
        (None, date(2026, 1, 5), UNKNOWN),
    ],
)
def test_new_hires_may_come_within_a_month_of_being_hired(hired: date | None, on: date, outcome: str) -> None:
    plan = _plan(late=[{"who": "new_hires", "after": "hired", "within_months": 1}])
    said = _said(plan, "window", replace(TOLD, joined_unit_on=hired), on=on)
    assert (said.outcome, said.evidence) == (outcome, "contract")


def test_a_day_of_hiring_that_changes_nothing_is_not_asked_for() -> None:
    plan = _plan(late=[{"who": "new_hires", "after": "period_start", "within_days": 30}])
    assert _outcome(plan, "window", on=date(2026, 1, 31)) == UNKNOWN
    said = _said(plan, "window", on=date(2026, 2, 1))
    assert (said.outcome, said.evidence) == (FAIL, "")
    both = _plan(
        late=[{"who": "new_hires", "after": "hired", "within_days": 30}, {"who": "anyone", "after": "period_start", "within_days": 9}]
    )
    assert _outcome(both, "window", on=date(2026, 1, 10)) == PASS
    assert _outcome(both, "window", on=date(2026, 1, 11)) == UNKNOWN


def test_anyone_within_days_of_being_hired_must_tell_the_day() -> None:
    plan = _plan(late=[{"who": "anyone", "after": "hired", "within_days": 10}])
    assert _outcome(plan, "window", on=date(2026, 1, 5)) == UNKNOWN
    assert _outcome(plan, "window", replace(TOLD, joined_unit_on=date(2025, 12, 26)), on=date(2026, 1, 5)) == PASS
    assert _outcome(plan, "window", replace(TOLD, joined_unit_on=date(2025, 12, 25)), on=date(2026, 1, 5)) == FAIL


def test_nobody_joins_after_the_last_day_of_the_period() -> None:
    plan = _plan(late=[{"who": "anyone", "after": "period_start", "within_months": 24}])
    assert _outcome(plan, "window", on=date(2026, 12, 31)) == PASS
    assert _outcome(plan, "window", on=date(2027, 1, 1)) == FAIL


# --- who ------------------------------------------------------------------------------------------------------------


def test_a_plan_names_for_whom_it_is() -> None:
    plan = _plan(relations=["self", "minor_child"])
    assert _outcome(plan, "relation") == PASS
    child = _said(plan, "relation", replace(TOLD, relation="minor_child"))
    assert (child.outcome, child.evidence) == (PASS, "relation")
    assert _outcome(plan, "relation", replace(TOLD, relation="spouse")) == FAIL


@pytest.mark.parametrize(
    ("employment", "outcome"),
    [
        ("enterprise", PASS),
        ("institution", PASS),
        ("institution_subsidised", FAIL),
        ("retired", FAIL),
        ("none", FAIL),
        (None, UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_employment(employment: str | None, outcome: str) -> None:
    said = _said(_plan(), "employment", replace(TOLD, employment=employment))
    assert (said.outcome, said.evidence) == (outcome, "contract")


def test_for_spouse_and_child_the_workers_employment_counts() -> None:
    plan = _plan(relations=["spouse"])
    spouse = replace(TOLD, relation="spouse", employment="retired", holder_employment="enterprise")
    assert _outcome(plan, "employment", spouse) == PASS
    assert _outcome(plan, "employment", replace(spouse, holder_employment=None)) == UNKNOWN
    assert _outcome(plan, "employment", replace(spouse, holder_employment="retired")) == FAIL


def test_a_plan_may_take_the_retired() -> None:
    assert _outcome(_plan(employment=["enterprise", "retired"]), "employment", replace(TOLD, employment="retired")) == PASS


@pytest.mark.parametrize(
    ("employment", "renewal", "outcome", "paper"),
    [
        ("enterprise", False, PASS, "contract"),
        ("enterprise", True, PASS, "contract"),
        ("retired", True, PASS, "renewal"),
        ("retired", False, FAIL, "renewal"),
        ("none", True, FAIL, "contract"),
        (None, True, UNKNOWN, "contract"),
    ],
)
def test_some_may_only_renew(employment: str | None, renewal: bool, outcome: str, paper: str) -> None:
    """云南: retired people only if they were covered in the period before."""
    said = _said(_plan(employment_on_renewal=["retired"]), "employment", replace(TOLD, employment=employment, renewal=renewal))
    assert (said.outcome, said.evidence) == (outcome, paper)
    assert ("续保" in said.sentence.zh) == (employment == "retired")


def test_who_is_taken_is_not_called_something_else() -> None:
    plan = _plan(employment=["enterprise", "retired", "none"])
    assert "退休" in _said(plan, "employment", replace(TOLD, employment="retired")).sentence.zh
    assert "没有工作单位" in _said(plan, "employment", replace(TOLD, employment="none")).sentence.zh


@pytest.mark.parametrize(
    ("months", "outcome"), [(12, PASS), (11, FAIL), (0, FAIL), (OPEN_ENDED, PASS), (None, UNKNOWN)]
)
def test_the_length_of_the_contract(months: int | None, outcome: str) -> None:
    said = _said(_plan(min_contract_months=12), "contract", replace(TOLD, contract_months=months))
    assert (said.outcome, said.evidence) == (outcome, "contract")
    assert not _has(_plan(), "contract")
    assert _outcome(_plan(min_contract_months=1200), "contract", replace(TOLD, contract_months=OPEN_ENDED)) == PASS


@pytest.mark.parametrize(
    ("joined", "outcome"),
    [
        (date(2025, 9, 1), PASS),  # six months are full on the first day of cover
        (date(2025, 9, 2), FAIL),
        (date(2025, 8, 31), PASS),  # 31 August and six months: 28 February
        (None, UNKNOWN),
    ],
)
def test_months_in_the_unit_are_full_on_the_first_day_of_cover(joined: date | None, outcome: str) -> None:
    said = _said(_plan(min_months_in_unit=6), "months_in_unit", replace(TOLD, joined_unit_on=joined))
    assert (said.outcome, said.evidence) == (outcome, "contract")
    assert not _has(_plan(), "months_in_unit")


@pytest.mark.parametrize(("rule", "paper"), [("basic_insurance", "insurance"), ("union_member", "union_card")])
def test_insurance_and_union(rule: str, paper: str) -> None:
    for answer, outcome in ((True, PASS), (False, FAIL), (None, UNKNOWN)):
        said = _said(_plan(), rule, replace(TOLD, **{rule: answer}))
        assert (said.outcome, said.evidence) == (outcome, paper)
    assert not _has(_plan(**{rule: False}), rule)


def test_a_card_is_asked_for_beside_membership() -> None:
    plan = _plan(card_holder=True)
    for answer, outcome in ((True, PASS), (False, FAIL), (None, UNKNOWN)):
        said = _said(plan, "card_holder", replace(TOLD, card_holder=answer))
        assert (said.outcome, said.evidence) == (outcome, "union_card")
    assert not _has(_plan(), "card_holder")


def test_the_kind_of_insurance() -> None:
    plan = _plan(insurance_types=["employee"])
    for kind, outcome in (("employee", PASS), ("resident", FAIL), (None, UNKNOWN)):
        said = _said(plan, "insurance_type", replace(TOLD, insurance_type=kind))
        assert (said.outcome, said.evidence) == (outcome, "insurance")
    assert not _has(_plan(), "insurance_type")


def test_gender() -> None:
    assert _outcome(_plan(gender="female"), "gender") == PASS
    said = _said(_plan(gender="male"), "gender")
    assert (said.outcome, said.evidence) == (FAIL, "id_card")
    assert not _has(_plan(), "gender")


# --- age ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "start", "outcome"),
    [
        (date(2010, 3, 1), START, PASS),  # sixteenth birthday on the first day of cover
        (date(2010, 3, 2), START, FAIL),  # a day later
        (date(1965, 3, 2), START, PASS),  # sixty-one tomorrow
        (date(1965, 3, 1), START, FAIL),  # sixty-one today
        (date(2008, 2, 29), date(2024, 2, 28), FAIL),  # born on 29 February: sixteen on the 29th
        (date(2008, 2, 29), date(2024, 2, 29), PASS),
        (date(2012, 2, 29), date(2028, 2, 28), FAIL),
        (date(2010, 2, 28), date(2026, 2, 28), PASS),
        (date(2008, 2, 29), date(2025, 2, 28), PASS),
        (date(1964, 2, 29), date(2025, 2, 28), PASS),  # sixty-one on 1 March of a year without 29 February
        (date(1964, 2, 29), date(2025, 3, 1), FAIL),
        (date(2027, 1, 1), START, FAIL),  # not yet born
    ],
)
def test_age_counts_in_completed_years_on_the_first_day_of_cover(born: date, start: date, outcome: str) -> None:
    plan = _plan(ages=[{"from": 16, "to": 60}])
    said = _said(plan, "age", replace(TOLD, birth_date=born), start=start)
    assert (said.outcome, said.evidence) == (outcome, "id_card")
    assert not _has(_plan(), "age")


BANDS = [
    {"gender": "female", "from": 16, "to": 54, "relation": "self", "renewal": False},
    {"gender": "female", "from": 16, "to": 59, "relation": "self", "renewal": True},
    {"gender": "male", "from": 16, "to": 59, "relation": "self"},
    {"from": 0, "to": 17, "relation": "minor_child"},
]


@pytest.mark.parametrize(
    ("age", "gender", "renewal", "relation", "outcome", "paper"),
    [
        (54, "female", False, "self", PASS, "id_card"),
        (55, "female", False, "self", FAIL, "renewal"),
        (55, "female", True, "self", PASS, "renewal"),
        (60, "female", True, "self", FAIL, "id_card"),
        (60, "female", False, "self", FAIL, "id_card"),
        (59, "male", False, "self", PASS, "id_card"),
        (60, "male", True, "self", FAIL, "id_card"),
        (17, "male", False, "minor_child", PASS, "id_card"),
        (18, "male", False, "minor_child", FAIL, "id_card"),
        (30, "male", False, "spouse", FAIL, "id_card"),  # the plan has no band for spouses
    ],
)
def test_age_by_gender_renewal_and_relation(age: int, gender: str, renewal: bool, relation: str, outcome: str, paper: str) -> None:
    plan = _plan(ages=BANDS, relations=["self", "spouse", "minor_child"])
    person = replace(TOLD, birth_date=date(2026 - age, 3, 1), gender=gender, renewal=renewal, relation=relation)
    said = _said(plan, "age", person)
    assert (said.outcome, said.evidence) == (outcome, paper)
    assert ("续保" in said.sentence.zh) >= (outcome == FAIL and paper == "renewal")


SENIOR = [
    {"gender": "male", "from": 16, "to": 59},
    {"gender": "female", "from": 16, "to": 54},
    {"gender": "female", "group": "senior", "from": 16, "to": 59},
]


@pytest.mark.parametrize(
    ("age", "gender", "group", "outcome", "paper"),
    [
        (54, "female", None, PASS, "id_card"),
        (55, "female", None, UNKNOWN, "group"),  # the answer decides
        (59, "female", "senior", PASS, "id_card"),
        (55, "female", ORDINARY, FAIL, "id_card"),
        (55, "female", "hardship", FAIL, "id_card"),
        (60, "female", None, FAIL, "id_card"),  # no group has this age
        (60, "female", "senior", FAIL, "id_card"),
        (60, "male", None, FAIL, "id_card"),
    ],
)
def test_age_by_staff_group(age: int, gender: str, group: str | None, outcome: str, paper: str) -> None:
    """天津: women under 55, under 60 when they are senior staff."""
    person = replace(TOLD, birth_date=date(2026 - age, 3, 1), gender=gender, group=group)
    said = _said(_plan(ages=SENIOR), "age", person)
    assert (said.outcome, said.evidence) == (outcome, paper)
    assert ("中高级" in said.sentence.zh) == (outcome == UNKNOWN)


# --- shares ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("surplus", "shares", "outcome"),
    [("refuse", 1, PASS), ("refuse", 3, PASS), ("refuse", 4, FAIL), ("refuse", 0, FAIL), ("void", 4, PASS), ("void", 0, FAIL)],
)
def test_shares(surplus: str, shares: int, outcome: str) -> None:
    assert _outcome(_plan(shares={"max": 3, "surplus": surplus}), "shares", shares=shares) == outcome


# --- the unit -------------------------------------------------------------------------------------------------------


def _unit(staff: int, enrolling: int, shares: tuple[int, ...] = (1,), **rule: Any) -> dict[str, str]:
    verdicts = judge_unit(_plan(unit=rule), UnitFacts(staff, enrolling, frozenset(shares)))
    return {verdict.rule: verdict.outcome for verdict in verdicts}


@pytest.mark.parametrize(
    ("staff", "enrolling", "compare", "outcome"),
    [
        (25, 25, "<=", PASS),
        (25, 24, "<=", FAIL),  # a unit of exactly 25 joins as a whole where the plan says ≤ 25
        (25, 24, "<", PASS),  # where it says < 25, three quarters are enough
        (25, 19, "<", PASS),  # 18.75, rounded up
        (25, 18, "<", FAIL),
        (24, 23, "<", FAIL),
        (26, 20, "<=", PASS),
        (26, 19, "<=", FAIL),
        (100, 75, "<=", PASS),
        (100, 74, "<=", FAIL),
    ],
)
def test_how_many_of_a_unit_must_join(staff: int, enrolling: int, compare: str, outcome: str) -> None:
    rule = {"min_ratio": "0.75", "all_must_join": {"headcount": 25, "compare": compare}}
    assert _unit(staff, enrolling, **rule) == {"participation": outcome}


def test_the_sentence_says_how_many_are_missing() -> None:
    plan = _plan(unit={"of": "women", "min_ratio": "0.80"})
    (said,) = judge_unit(plan, UnitFacts(101, 80))
    assert said.outcome == FAIL
    assert "女职工 101 人，至少要有 81 人参加，现在 80 人，还差 1 人" in said.sentence.zh
    assert "1 are missing" in said.sentence.en


def test_the_number_that_must_join_is_the_least_that_passes() -> None:
    for ratio in ("0", "0.333333", "0.50", "0.75", "1"):
        for headcount, inclusive in ((0, True), (10, True), (10, False)):
            rule = UnitRule("staff", Decimal(ratio), headcount, inclusive, False)
            for staff in range(40):
                least = least_enrolling(rule, staff)
                assert participation_ok(rule, staff=staff, enrolling=least)
                assert least == 0 or not participation_ok(rule, staff=staff, enrolling=least - 1)


def test_everyone_of_a_unit_has_the_same_shares() -> None:
    assert _unit(10, 10, (2,), same_shares=True) == {"participation": PASS, "same_shares": PASS}
    assert _unit(10, 10, (1, 2), same_shares=True) == {"participation": PASS, "same_shares": FAIL}
    assert _unit(10, 10, (1, 2)) == {"participation": PASS}


def test_what_nobody_has_told_of_a_unit_is_unknown_and_an_exception_lets_it_in() -> None:
    plan = _plan(unit={"min_ratio": "0.75", "same_shares": True})
    unknown = {said.rule: said.outcome for said in judge_unit(plan, UnitFacts(100, None, None))}
    assert unknown == {"participation": UNKNOWN, "same_shares": UNKNOWN}
    assert [said.outcome for said in judge_unit(plan, UnitFacts(100, 10, excepted=True))] == [PASS, PASS]
    (said,) = judge_unit(_plan(unit={"min_ratio": "0"}), UnitFacts(None, None))
    assert said.outcome == PASS


def test_a_plan_for_women_counts_women_where_it_does_not_say_over_whom() -> None:
    rules = [_plan(gender=gender, unit={"min_ratio": "0.80"}).enrolling.unit for gender in ("any", "female")]
    assert [rule and rule.of for rule in rules] == ["staff", "women"]


@pytest.mark.parametrize(
    ("rule", "unit", "expected"),
    [
        ({"same_shares": True}, UnitFacts(10, 3, frozenset({2})), {"participation": PASS, "same_shares": PASS}),
        ({"same_shares": True}, UnitFacts(10, 3, frozenset({2, 3})), {"participation": PASS, "same_shares": FAIL}),
        ({"min_ratio": "0.50"}, UnitFacts(10, 5), {"participation": PASS}),
        ({"min_ratio": "0.50"}, UnitFacts(10, 4), {"participation": FAIL}),
        ({"min_ratio": "0.50"}, UnitFacts(10, 4, excepted=True), {"participation": PASS}),
        ({"min_ratio": "0.50", "ratio_binds_singles": False}, UnitFacts(10, 4), {"participation": PASS}),
        ({"all_must_join": {"headcount": 10, "compare": "<="}}, UnitFacts(10, 9), {"participation": FAIL}),
        ({"all_must_join": {"headcount": 10, "compare": "<"}}, UnitFacts(10, 9), {"participation": PASS}),
        ({"min_ratio": "0.50", "same_shares": True, "agent_bound": True}, None, {"unit": PASS}),
    ],
)
def test_what_a_unit_keeps_binds_whoever_of_it_joins_alone(rule: dict[str, Any], unit: UnitFacts | None, expected: dict[str, str]) -> None:
    verdicts = judge_single(_plan(unit=rule), unit, shares=2)
    assert {said.rule: said.outcome for said in verdicts} == expected
    told = "".join(said.sentence.zh for said in verdicts)
    assert ("每人 3 份，请也选 3 份" in told) == (expected.get("same_shares") == FAIL)
    assert "还差" not in told  # how many the others are is not theirs to know
    assert ("不适用" in told) == (unit is None)


@pytest.mark.parametrize(("bound", "outcome"), [(True, PASS), (False, FAIL), (None, UNKNOWN)])
def test_a_unit_must_have_an_agent(bound: bool | None, outcome: str) -> None:
    (_, said) = judge_unit(_plan(unit={"agent_bound": True}), UnitFacts(10, 10, agent_bound=bound))
    assert (said.rule, said.outcome, said.evidence) == ("agent", outcome, "agent")
    assert [verdict.rule for verdict in judge_unit(_plan(unit={"min_ratio": "0.5"}), UnitFacts(10, 10))] == ["participation"]


# --- all of them ----------------------------------------------------------------------------------------------------


def test_unknown_never_lets_anyone_join() -> None:
    verdicts = judge(_plan(), person=TOLD, on=date(2025, 12, 1), cover_start=START)
    assert may_join(verdicts)
    assert not may_join((*verdicts, Verdict("x", UNKNOWN, verdicts[0].sentence)))


def test_every_answer_has_both_languages_and_a_known_paper() -> None:
    plan = _plan(
        ages=BANDS, relations=["self"], min_months_in_unit=6, insurance_types=["employee"], gender="male",
        min_contract_months=12, card_holder=True, employment_on_renewal=["retired", "none"],
        unit={"min_ratio": "0.5", "same_shares": True, "agent_bound": True},
        late=[{"who": "new_hires", "after": "hired", "within_days": 9}],
    )  # fmt: skip
    blank = PersonFacts(birth_date=date(1960, 1, 1), gender="female")
    full = replace(TOLD, gender="male", joined_unit_on=date(2020, 1, 1), insurance_type="employee")
    child = replace(blank, relation="minor_child", employment="x", basic_insurance=False, union_member=False, insurance_type="resident")
    rest = [replace(full, employment=kind, renewal=again) for kind in ("retired", "none") for again in (True, False)]
    rest += [replace(full, contract_months=6, card_holder=False), replace(full, contract_months=36, card_holder=True)]
    for person in (blank, full, child, *rest):
        for on in (date(2025, 1, 1), date(2025, 12, 1), date(2026, 2, 2), date(2027, 1, 1)):
            for unit in (UnitFacts(None, None, None), UnitFacts(10, 1, frozenset({1, 2}), False), UnitFacts(10, 10, agent_bound=True)):
                verdicts = (*judge(plan, person=person, on=on, cover_start=START, shares=2), *judge_unit(plan, unit))
                for said in (*verdicts, *judge_single(plan, unit, shares=2), *judge_single(plan, None, shares=2)):
                    assert said.sentence.zh.endswith("。")
                    assert said.sentence.en.endswith(".")
                    assert said.outcome in (PASS, FAIL, UNKNOWN)
                    assert not said.evidence or EVIDENCE_WORDS[said.evidence].zh == said.evidence_words.zh
                    assert said.outcome != UNKNOWN or said.evidence


def test_unknown_is_said_only_when_some_answer_would_pass() -> None:
    """The negative of asking in vain: whatever is unknown, one of its possible answers settles it for good."""
    plan = _plan(
        min_months_in_unit=6, insurance_types=["employee"], late=[{"who": "new_hires", "after": "hired", "within_days": 9}],
        min_contract_months=12, card_holder=True, ages=SENIOR,
    )  # fmt: skip
    blank = PersonFacts(birth_date=date(1968, 1, 1), gender="female")
    answers: dict[str, dict[str, Any]] = {
        "window": {"joined_unit_on": date(2026, 2, 2)}, "employment": {"employment": "enterprise"},
        "months_in_unit": {"joined_unit_on": date(2020, 1, 1)}, "basic_insurance": {"basic_insurance": True},
        "insurance_type": {"insurance_type": "employee"}, "union_member": {"union_member": True},
        "contract": {"contract_months": 12}, "card_holder": {"card_holder": True}, "age": {"group": "senior"},
    }  # fmt: skip
    on = date(2026, 2, 2)
    unknown = [said.rule for said in judge(plan, person=blank, on=on, cover_start=START) if said.outcome == UNKNOWN]
    assert set(unknown) == set(answers)
    for rule in unknown:
        assert _outcome(plan, rule, replace(blank, **answers[rule]), on=on) == PASS
