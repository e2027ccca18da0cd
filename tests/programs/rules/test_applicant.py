"""The person and the unit of a written case: every rule answers, and what the case leaves out is open, never guessed."""

from typing import Any

import pytest

from programs.rules.applicant import judged, may_join
from programs.rules.casefile import situation
from programs.rules.eligibility import FAIL, UNKNOWN
from programs.rules.faults import ScheduleError
from programs.rules.parse import parse
from programs.rules.schedule import Schedule
from tests.programs.rules.plans import item, plan_data

ENROLMENT = {
    "opens": "2025-10-01", "closes": "2026-06-30", "individual": True, "relations": ["self"], "employment_on_renewal": ["retired"],
    "ages": [{"gender": "male", "from": 16, "to": 59}, {"gender": "female", "from": 16, "to": 54}], "shares": {"max": 3},
    "unit": {"of": "women", "min_ratio": "0.80", "same_shares": True, "agent_bound": True},
}  # fmt: skip
AID = item({"take": "self_pay"})
PERSON = {
    "relation": "self", "gender": "male", "birth_date": "1985-03-01", "employment": "enterprise", "union_member": True,
    "basic_insurance": True,
}  # fmt: skip
UNIT = {"women": 10, "enrolling": 8, "shares": [2], "agent_bound": True}
WHOLE: dict[str, Any] = {"event": "admission", "joined_on": "2026-01-05", "shares": 2, "person": PERSON, "unit": UNIT}


def plan(**enrolment: Any) -> Schedule:
    return parse(plan_data(AID, enrolment={**ENROLMENT, **enrolment}))


def asked(case: dict[str, Any], schedule: Schedule | None = None) -> dict[str, str]:
    """What every rule answers, and under "" whether the person may join."""
    schedule = schedule or plan()
    verdicts = judged(schedule, case, cover_start=situation(schedule, case).cover.period.start)
    return {one.rule: one.outcome for one in verdicts} | {"": may_join(verdicts)}


def person(**told: Any) -> dict[str, Any]:
    """The whole case with this told of the person, or left out (None)."""
    return {**WHOLE, "person": {name: value for name, value in {**PERSON, **told}.items() if value is not None}}


def unit(**told: Any) -> dict[str, Any]:
    """The same of the unit."""
    return {**WHOLE, "unit": {name: value for name, value in {**UNIT, **told}.items() if value is not None}}


def test_whoever_tells_everything_is_answered() -> None:
    assert {*asked(WHOLE).values()} == {"pass", "yes"}


@pytest.mark.parametrize(
    ("case", "rule", "outcome"),
    [
        (person(employment=None), "employment", UNKNOWN),
        (person(union_member=None), "union_member", UNKNOWN),
        (person(union_member=False), "union_member", FAIL),
        (person(basic_insurance=None), "basic_insurance", UNKNOWN),
        (person(birth_date=None), "age", UNKNOWN),
        (person(birth_date="1969-01-01", gender=None), "age", UNKNOWN),  # 57: a man may, a woman may not
        (person(birth_date="1969-01-01", gender="female"), "age", FAIL),
        (person(birth_date="1940-01-01", gender=None), "age", FAIL),  # too old whichever it is
        (person(employment="retired"), "employment", UNKNOWN),  # only as a renewal, which is not told
        (person(employment="retired", renewal=False), "employment", FAIL),
        (person(relation=None), "relation", UNKNOWN),
        (person(relation="spouse"), "relation", FAIL),
        ({**WHOLE, "joined_on": "2026-07-01"}, "window", FAIL),
        ({name: value for name, value in WHOLE.items() if name != "joined_on"}, "window", UNKNOWN),
        ({**unit(shares=[4]), "shares": 4}, "shares", FAIL),
        (unit(enrolling=7), "participation", FAIL),
        (unit(enrolling=None), "participation", UNKNOWN),
        (unit(shares=[2, 3]), "same_shares", FAIL),
        (unit(shares=[3]), "same_shares", FAIL),  # with the person's own two
        (unit(shares=None), "same_shares", UNKNOWN),
        (unit(agent_bound=False), "agent", FAIL),
        (unit(agent_bound=None), "agent", UNKNOWN),
        ({name: value for name, value in WHOLE.items() if name != "unit"}, "participation", UNKNOWN),
    ],
)
def test_what_is_wrong_fails_and_what_is_left_out_is_open(case: dict[str, Any], rule: str, outcome: str) -> None:
    """Nothing else is touched by it, but for the age that hangs on the sex."""
    found = asked(case)
    assert found[rule] == outcome
    assert found[""] == {FAIL: "no", UNKNOWN: "unknown"}[outcome] or UNKNOWN in found.values()
    if "unit" in case:
        assert {name for name, one in found.items() if one in (FAIL, UNKNOWN) and name} <= {rule}


def test_what_is_not_told_does_not_matter_where_every_answer_is_the_same() -> None:
    """The control of asking in vain: of 40 a man and a woman may join, so that the sex does not matter; nor does a renewal of somebody
    at work."""
    assert asked(person(gender=None))["age"] == "pass"
    assert asked(person())["employment"] == "pass"
    assert asked({**person(employment="retired"), "days_since_cover": 0})["employment"] == "pass"


def test_an_exception_lets_the_unit_in_and_nothing_is_asked_of_whoever_has_none() -> None:
    assert asked(unit(enrolling=1, excepted=True))["participation"] == "pass"
    assert asked({**WHOLE, "unit": "none"})["unit"] == "pass"
    assert asked({**WHOLE, "unit": "none"}, plan(individual=False))["unit"] == FAIL


def test_shares_of_other_plans_that_count_along_are_asked_for() -> None:
    together = plan(shares={"max": 3, "together_with": ["another-plan"]})
    assert asked(WHOLE, together)["shares"] == UNKNOWN
    assert [asked(person(shares_held=held), together)["shares"] for held in (1, 2)] == ["pass", FAIL]


def test_joining_decides_from_when_one_is_covered_unless_the_case_says_it() -> None:
    rolling = parse(plan_data(AID, period={"start": "2026-01-01", "end": "2026-12-31", "rolling_months": 12}))
    for case, first in (({}, "2026-01-01"), ({"joined_on": "2026-03-01"}, "2026-03-02"), ({"joined_on": "2025-11-01"}, "2026-01-01")):
        assert str(situation(rolling, {"event": "admission", **case}).cover.period.start) == first
    told = {"event": "admission", "joined_on": "2026-03-01", "cover_start": "2026-05-01"}
    assert str(situation(rolling, told).cover.period.start) == "2026-05-01"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"person": {"age": 40}}, "person.age.*不认识的字段"),
        ({"person": {"employment": "boss"}}, "person.employment.*以下之一"),
        ({"person": [1]}, "参加的人"),
        ({"unit": {"headcount": "many"}}, "unit.headcount.*整数"),
        ({"unit": {"shares": 2}}, "unit.shares.*份数的列表"),
        ({"unit": "several"}, "没有单位写 none"),
        ({"gender": "male", "person": {"gender": "male"}}, "只写一处"),
        ({"days_since_cover": 3, "person": {"renewal": False}}, "与 days_since_cover 不符"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_field(case: dict[str, Any], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        situation(plan(), {"event": "admission", **case})
