"""Several stays in one claim: each has its own day, hospital and deadline; what an accident caused does not wait."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from programs.rules.assess import Assessment, left_out_of
from programs.rules.examples import assess_case
from programs.rules.explain import sentences
from programs.rules.facts import CaseFacts, Stay
from programs.rules.faults import ScheduleError, dotted
from programs.rules.schedule import Schedule
from programs.rules.stays import stay_by_stay
from tests.programs.rules.plans import catalogue_plan, item, paid, plan

DAILY = plan(item({"per_day": {"rate": "50"}}))


def _reasons(found: Assessment, code: str) -> list[str]:
    """Why stays were left out of one item, in order."""
    trail = next(one.trail for one in found.items if one.code == code)
    return [line.inputs["reason"] for line in trail if line.step == "stay_out"]


def _stays(*told: tuple[str, str]) -> list[dict[str, str]]:
    return [{"admitted_on": day, "self_pay": bill} for day, bill in told]


def _found(schedule: Schedule, **case: Any) -> Assessment:
    return assess_case(schedule, {"event": "admission", **case})


def test_a_stay_of_the_next_period_is_not_paid_under_the_terms_of_this_one() -> None:
    yulin = catalogue_plan("shaanxi-yulin-medical.2026")
    both = _found(yulin, stays=_stays(("2026-12-20", "1000"), ("2027-01-15", "6000")))
    assert str(both.total) == paid(yulin, stays=_stays(("2026-12-20", "1000"))) == "800.00"
    assert _reasons(both, both.items[0].code) == ["not_covered"]
    assert (both.left_out, left_out_of(both.as_data())) == (1, 1)


def test_the_order_of_the_stays_does_not_decide_which_of_them_is_covered() -> None:
    yulin = catalogue_plan("shaanxi-yulin-medical.2026")
    assert paid(yulin, stays=_stays(("2027-01-15", "6000"), ("2026-12-20", "1000"))) == "800.00"


def test_a_stay_within_the_waiting_does_not_take_a_later_one_with_it() -> None:
    national = catalogue_plan("national-inpatient.2026")
    both = _found(national, stays=_stays(("2026-01-10", "1000"), ("2026-04-10", "1000")))
    assert str(both.total) == paid(national, stays=_stays(("2026-04-10", "1000"))) == "700.00"
    assert _reasons(both, "inpatient") == ["waiting"]


def test_a_stay_too_late_does_not_ride_past_the_deadline_beside_a_recent_one() -> None:
    schedule = plan(item({"take": "self_pay"}), claim_within={"days": 180})
    both = _found(schedule, claimed_on="2026-12-01", stays=_stays(("2026-02-10", "300"), ("2026-11-01", "1000")))
    assert (str(both.total), _reasons(both, "aid")) == ("1000.00", ["too_late"])


def test_a_hospital_below_the_grade_costs_its_own_stay_alone() -> None:
    schedule = plan(item({"per_day": {"rate": "54"}}, gates=[{"hospital_grade": 2}]))
    stays = [{"days": 20, "hospital_grade": 3}, {"days": 5, "hospital_grade": 1}]
    both = _found(schedule, stays=stays)
    assert (str(both.total), _reasons(both, "aid")) == ("1080.00", ["hospital_grade"])


def test_a_grade_missing_for_one_of_two_stays_leaves_the_whole_open() -> None:
    schedule = plan(item({"per_day": {"rate": "54"}}, gates=[{"hospital_grade": 2}]))
    found = _found(schedule, stays=[{"days": 20, "hospital_grade": 3}, {"days": 5}])
    assert (found.total, found.missing) == (0, ("hospital_grade",))


def test_a_claim_none_of_whose_stays_counts_is_refused_and_says_why_for_each() -> None:
    national = catalogue_plan("national-inpatient.2026")
    found = _found(national, stays=_stays(("2026-01-10", "1000"), ("2027-04-10", "1000")))
    refused = found.items[0].refused
    assert (found.total, refused and refused.code) == (0, "waiting")
    assert _reasons(found, "inpatient") == ["waiting", "not_covered"]


def test_the_statement_names_the_stay_that_does_not_count_and_why_without_an_amount() -> None:
    national = catalogue_plan("national-inpatient.2026")
    found = _found(national, stays=_stays(("2026-01-10", "1000"), ("2026-04-10", "1000"))).as_data()
    first = sentences(found["items"][0])[0]
    assert first.words.zh == "2026年1月10日至2026年1月11日的这一次不计：事发日 2026年1月10日 在等待期内，2026年1月31日起才开始给付"
    assert first.words.en == (
        "the stay from 2026-01-10 to 2026-01-11 does not count: 2026-01-10 lies in the waiting period; benefit is paid from 2026-01-31"
    )
    assert first.amount is None


def test_the_ordinal_counts_only_stays_that_count() -> None:
    schedule = plan(item({"take": "self_pay"}, {"per_admission": ["0.50", "0.90"]}), waiting={"days": 30})
    stays = _stays(("2026-01-10", "1000"), ("2026-04-10", "1000"), ("2026-05-10", "1000"))
    assert paid(schedule, stays=stays) == "1400.00"


def test_an_indemnity_plan_bounds_the_items_by_the_cost_of_the_stays_that_count_for_some_item() -> None:
    graded = item({"take": "self_pay"}, code="b", gates=[{"hospital_grade": 3}])
    schedule = plan(item({"take": "self_pay"}, {"ratio": "0.5"}, code="a"), graded, indemnity=True)
    stays = [{"self_pay": "1000", "hospital_grade": 3}, {"self_pay": "6000", "hospital_grade": 1}]
    found = _found(schedule, stays=stays)
    assert [one.amount for one in found.items] == [Decimal("3500.00"), Decimal("1000.00")]


# --- accidents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accident", "expected"), [({"accident_on": "2026-01-09"}, "700.00"), ({}, "0.00")])
def test_an_admission_that_an_accident_caused_does_not_wait(accident: dict[str, str], expected: str) -> None:
    national = catalogue_plan("national-inpatient.2026")
    assert paid(national, admitted_on="2026-01-10", self_pay="1000", **accident) == expected


def test_accidents_wait_where_the_plan_says_so() -> None:
    told = {"admitted_on": "2026-01-10", "self_pay": "1000", "accident_on": "2026-01-09"}
    death = {"event": "accident_death", "accident_on": "2026-01-09", "death_on": "2026-01-09"}
    bands = {"wait": [{"from_day": 1, "to_day": 30, "amount": "1"}, {"from_day": 31, "amount": "2"}]}
    for waits, amounts in ((False, ["1000.00", "5.00", "2.00"]), (True, ["0.00", "0.00", "1.00"])):
        items = [item({"take": "self_pay"}), item({"fixed": "5"}, code="b", events=("accident_death",)),
                 item(bands, code="c", events=("accident_disability",))]  # fmt: skip
        schedule = plan(*items, waiting={"days": 30, "accidents": waits})
        disability = {"event": "accident_disability", "accident_on": "2026-01-09"}
        assert [paid(schedule, **one) for one in (told, death, disability)] == amounts


def test_a_stay_that_began_before_the_accident_waits_as_ever() -> None:
    national = catalogue_plan("national-inpatient.2026")
    told = {"accident_on": "2026-01-15", "stays": _stays(("2026-01-10", "1000"), ("2026-01-15", "2000"))}
    assert paid(national, **told) == "1400.00"
    assert paid(national, accident_on="2026-01-15", stays=_stays(("2026-01-10", "1000"))) == "0.00"


def test_bands_of_waiting_give_the_last_one_for_an_accident() -> None:
    wait = {"wait": [{"from_day": 1, "to_day": 180, "amount": "1000"}, {"from_day": 181, "amount": "10000"}]}
    schedule = plan(item(wait, events=("diagnosis", "disease_death")))
    assert paid(schedule, event="diagnosis", event_on="2026-01-10") == "1000.00"
    accident = {"event_on": "2026-01-10", "accident_on": "2026-01-10"}
    found = assess_case(schedule, {"event": "diagnosis", **accident})
    assert str(found.total) == "10000.00"
    assert sentences(found.as_data()["items"][0])[0].words.zh == "意外不用等待，对应 10,000.00 元"
    assert paid(schedule, event="disease_death", **accident) == "1000.00"  # a death of disease is no accident


def test_a_sum_by_waiting_is_the_one_of_the_best_stay() -> None:
    """A stay on day 10 does not take the sum away that the one on day 100 gives; there is one sum for the claim, as ever."""
    early, late, later = ({"admitted_on": f"2026-{month}-10"} for month in ("01", "04", "05"))
    sums = {"wait": [{"from_day": 1, "to_day": 30, "amount": "0"}, {"from_day": 31, "amount": "500"}]}
    ratios = {"wait": [{"from_day": 1, "to_day": 30, "ratio": "0"}, {"from_day": 31, "ratio": "0.5"}]}
    for steps in ((sums,), ({"fixed": "1000"}, ratios)):
        schedule = plan(item(*steps))
        assert [paid(schedule, stays=stays) for stays in ([early], [early, late], [late, later])] == ["0.00", "500.00", "500.00"]


def test_a_ratio_by_waiting_looks_at_each_stay_by_its_own_day() -> None:
    """Half until day 30. By the first stay's day alone both would be halved, or (the other way round) neither."""
    wait = {"wait": [{"from_day": 1, "to_day": 30, "ratio": "0.50"}, {"from_day": 31, "ratio": "1"}]}
    schedule = plan(item({"take": "self_pay"}, wait, {"ceiling": {"amount": "50000", "scope": "period"}}))
    stays = _stays(("2026-01-10", "1000"), ("2026-02-10", "4000"))
    found = _found(schedule, stays=stays)
    assert str(found.total) == "4500.00"
    told = [line.words.zh for line in sentences(found.as_data()["items"][0])]
    assert told[1:4] == ["这一次在保障第 10 天：1,000.00 元 × 50%", "这一次在保障第 41 天：4,000.00 元 × 100%", "各次相加"]
    assert paid(schedule, accident_on="2026-01-20", stays=stays) == "4500.00"
    assert paid(schedule, accident_on="2026-01-09", stays=stays) == "5000.00"


@pytest.mark.parametrize(("event", "parts"), [("admission", 2), ("outpatient", 2), ("diagnosis", 1), ("accident_disability", 1)])
def test_only_claims_for_stays_are_taken_apart(event: str, parts: int) -> None:
    stays = tuple(Stay(date(2026, month, 1), date(2026, month, 9)) for month in (3, 4))
    assert len(stay_by_stay(CaseFacts(event, date(2026, 3, 1), stays))) == parts


@pytest.mark.parametrize(
    ("case", "field", "words"),
    [
        ({"admitted_on": "2026-05-01", "discharged_on": "2026-05-03", "days": 30}, "case.days", "按入院和出院日期是 2 天"),
        ({"stays": [{"admitted_on": "2026-05-01", "discharged_on": "2026-05-03", "days": 3}]}, "case.stays[0].days", "是 2 天"),
        ({"stays": [{"admitted_on": "2026-05-01", "days": 5}] * 2}, "case.stays[1].admitted_on", "同一次住院只写一次"),
        ({"stays": [{"admitted_on": "2026-05-01", "days": 5}, {"admitted_on": "2026-05-05"}]}, "case.stays[1].admitted_on", "重叠的夜晚"),
    ],
)
def test_days_that_cannot_be_so_together_are_refused(case: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ScheduleError, match=words) as refused:
        paid(DAILY, **case)
    assert dotted(refused.value.faults[0].path) == field


def test_days_that_agree_and_stays_that_follow_each_other_are_taken() -> None:
    """The control: a transfer on the day of discharge, days as the plan counts them, visits on one day, stays without days."""
    both = plan(item({"per_day": {"rate": "50"}}), day_count="count_both")
    whole = {"admitted_on": "2026-05-01", "discharged_on": "2026-05-03"}
    assert [paid(DAILY, **whole, days=2), paid(both, **whole, days=3)] == ["100.00", "150.00"]
    assert paid(both, stays=[{"admitted_on": "2026-05-01", "days": 3}, {"admitted_on": "2026-05-03", "days": 1}]) == "200.00"
    assert paid(DAILY, stays=[{"days": 3}, {"days": 3}]) == "300.00"
    visits = plan(item({"take": "self_pay"}, events=("outpatient",)))
    assert paid(visits, event="outpatient", stays=[{"admitted_on": "2026-05-01", "self_pay": "10"}] * 2) == "20.00"
