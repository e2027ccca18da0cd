"""Every form of benefit, every step, base and condition: amounts computed by hand, with the edges."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from programs.rules.assess import limits_of
from programs.rules.bases import BASE_WORDS as BASES
from programs.rules.examples import assess_case, check_examples, run_example
from programs.rules.explain import sentences
from programs.rules.facts import PersonFacts, Settlement
from programs.rules.faults import ScheduleError
from programs.rules.fees import contribution
from programs.rules.fields import kinds_to_tell
from programs.rules.gates import GATES
from programs.rules.outline import deadline_words, item_lines
from programs.rules.parse import SCHEMA_FILE, parse
from programs.rules.schedule import Schedule, TermNotOffered
from programs.rules.steps import STEPS
from programs.rules.survival import survives
from programs.rules.waits import waits
from tests.programs.rules.plans import catalogue_plan, in_turn, item, paid, plan, plan_data
from unionaid.lib.calendar import Period
from unionaid.lib.money import round_half_up

BANDS = [
    {"over": "0", "up_to": "2000", "ratio": "0.80"},
    {"over": "2000", "up_to": "10000", "ratio": "0.70"},
    {"over": "10000", "ratio": "0.50"},
]
PAY = {"take": "self_pay"}


def _reason(schedule: Schedule, **case: Any) -> tuple[str, tuple[str, ...]]:
    """Why the one item pays nothing, and what is missing."""
    found = assess_case(schedule, {"event": "admission", **case})
    assert found.total == 0
    refused = found.items[0].refused
    return refused.code if refused else "", found.missing


# --- 1. marginal bands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bill", "expected"),
    [
        ("0", "0.00"),
        ("0.01", "0.01"),  # 0.008, half-up
        ("1999.99", "1599.99"),  # 1599.992
        ("2000", "1600.00"),
        ("2000.01", "1600.01"),  # 1600.007
        ("10000", "7200.00"),  # 1600 + 8000 × 0.70
        ("10000.01", "7200.01"),  # 7200.005, half-up
        ("30000", "17200.00"),
    ],
)
def test_bands_are_marginal_over_exclusive_up_to_inclusive(bill: str, expected: str) -> None:
    assert paid(plan(item(PAY, {"marginal": {"bands": BANDS}})), self_pay=bill) == expected


def test_what_lies_above_the_last_band_is_not_paid() -> None:
    bands = [{"over": "0", "up_to": "1000", "ratio": "0.50"}]
    assert paid(plan(item(PAY, {"marginal": {"bands": bands}})), self_pay="5000") == "500.00"


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("case", "4400.00"),  # 6000 in one: 1600 + 4000 × 0.70
        ("admission", "4600.00"),  # 2000 → 1600, 4000 → 1600 + 2000 × 0.70 = 3000
        ("period", "4400.00"),
    ],
)
def test_bands_per_case_per_admission_over_the_period(per: str, expected: str) -> None:
    schedule = plan(item(PAY, {"marginal": {"bands": BANDS, "per": per}}))
    assert paid(schedule, stays=[{"self_pay": "2000"}, {"self_pay": "4000"}]) == expected


def test_bands_over_the_period_go_on_where_earlier_claims_stopped() -> None:
    schedule = plan(item(PAY, {"marginal": {"bands": BANDS, "per": "period"}}))
    bills = [{"event": "admission", "self_pay": amount} for amount in ("2000", "4000", "24000")]
    assert in_turn(schedule, *bills) == [Decimal("1600.00"), Decimal("2800.00"), Decimal("12800.00")]
    assert sum(in_turn(schedule, *bills)) == Decimal(paid(schedule, self_pay="30000"))  # as if it were one bill


def test_two_items_with_bands_of_their_own_count_under_their_own_names() -> None:
    schedule = plan(
        item(PAY, {"marginal": {"bands": BANDS, "per": "period", "key": "one"}}, code="one"),
        item(PAY, {"marginal": {"bands": BANDS, "per": "period", "key": "two"}}, code="two"),
    )
    assert in_turn(schedule, {"event": "admission", "self_pay": "2000"}, {"event": "admission", "self_pay": "1000"}) == [3200, 1400]


# --- deductibles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("admission", "800.00"),  # 300 → 0, 1300 → 800
        ("case", "1100.00"),  # 1600 − 500
        ("period", "1100.00"),
    ],
)
def test_a_deductible_per_admission_per_case_per_period(per: str, expected: str) -> None:
    schedule = plan(item(PAY, {"deduct": {"amount": "500", "per": per}}))
    assert paid(schedule, stays=[{"self_pay": "300"}, {"self_pay": "1300"}]) == expected


def test_a_deductible_of_the_period_is_used_up_over_claims() -> None:
    schedule = plan(item(PAY, {"deduct": {"amount": "500", "per": "period"}}, {"ratio": "0.50"}))
    claims = [{"event": "admission", "self_pay": amount} for amount in ("300", "300", "300")]
    assert in_turn(schedule, *claims) == [0, 50, 150]  # 300 gone, then 200 of 300, then all of it
    assert sum(in_turn(schedule, *claims)) == Decimal(paid(schedule, self_pay="900"))


@pytest.mark.parametrize(("bill", "expected"), [("499.99", "0.00"), ("500", "0.00"), ("500.01", "0.01")])
def test_a_bill_up_to_the_deductible_gives_nothing(bill: str, expected: str) -> None:
    assert paid(plan(item(PAY, {"deduct": {"amount": "500", "per": "case"}})), self_pay=bill) == expected


# --- 2. a flat ratio, rounding, the bases ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bill", "expected"),
    [
        ("1733.84", "1213.69"),  # 1213.688
        ("1000.35", "700.25"),  # 700.245: half-up, not half-even, not a binary float
        ("0.05", "0.04"),  # 0.035
        ("0.00", "0.00"),
    ],
)
def test_a_flat_ratio_is_rounded_half_up_to_the_fen(bill: str, expected: str) -> None:
    assert paid(plan(item(PAY, {"ratio": "0.70"})), self_pay=bill) == expected


def test_rounding_happens_once_for_an_item_not_for_each_stay() -> None:
    schedule = plan(item(PAY, {"ratio": "0.50"}))
    assert paid(schedule, stays=[{"self_pay": "0.01"}] * 3) == "0.02"  # 0.015; three times 0.005 rounded would be 0.03


def test_each_item_is_rounded_by_itself() -> None:
    schedule = plan(item(PAY, {"ratio": "0.50"}, code="one"), item(PAY, {"ratio": "0.50"}, code="two"))
    assert paid(schedule, self_pay="0.01") == "0.02"  # 0.005 → 0.01, twice


SETTLEMENT = {
    "medfee_sumamt": "30000.00",
    "fund_pay_sumamt": "18000.00",
    "psn_part_amt": "12000.00",
    "fulamt_ownpay_amt": "1500.00",
    "overlmt_selfpay": "500.00",
    "preselfpay_amt": "1000.00",
    "inscp_scp_amt": "27000.00",
    "act_pay_dedc": "800.00",
    "hifp_pay": "17000.00",
    "cvlserv_pay": "300.00",
    "hifob_pay": "700.00",
    "oth_pay": "0.00",
    "acct_pay": "2000.00",
    "acct_mulaid_pay": "0.00",
    "psn_cash_pay": "10000.00",
    "hosp_part_amt": "0.00",
}
BASE_AMOUNTS = {
    "insured_total": "30000.00",
    "in_scope_total": "27000.00",
    "personal_cost": "12000.00",
    "self_pay": "10000.00",  # 12000 − 1500 − 500
    "self_pay_without_prepaid": "9000.00",
    "self_pay_without_deductible": "9200.00",
    "cash_paid": "10000.00",
    "above_cap_cost": "7000.00",  # 27000 above a cap of 20000
}


@pytest.mark.parametrize("base", BASES)
def test_every_base_comes_from_the_fields_of_the_settlement(base: str) -> None:
    step = {"take": {"base": base, "cap": "20000"} if base == "above_cap_cost" else base}
    assert paid(plan(item(step)), **SETTLEMENT) == BASE_AMOUNTS[base]


@pytest.mark.parametrize(
    ("base", "amount"),
    [
        ({"base": "self_pay", "less": ["preselfpay_amt", "act_pay_dedc"]}, "8200.00"),  # 10000 − 1000 − 800
        ({"base": "self_pay", "plus": ["overlmt_selfpay"], "less": ["act_pay_dedc"]}, "9700.00"),
        ({"base": "self_pay_without_prepaid", "less": ["act_pay_dedc"]}, "8200.00"),
        ({"base": "insured_total", "less": ["fund_pay_sumamt", "fulamt_ownpay_amt"]}, "10500.00"),
        ({"base": "cash_paid", "plus": ["acct_mulaid_pay"]}, "10000.00"),
        ({"base": "above_cap_cost", "less": ["act_pay_dedc"], "cap": "20000"}, "6200.00"),
        ({"base": "cash_paid", "less": ["medfee_sumamt"]}, "0.00"),  # never less than nothing
    ],
)
def test_a_base_may_be_composed_of_a_named_one_and_fields_of_the_settlement(base: dict[str, Any], amount: str) -> None:
    assert paid(plan(item({"take": base})), **SETTLEMENT) == amount
    over = {"add_if_over": {"base": base, "over": amount, "amount": "7"}}
    assert paid(plan(item({"fixed": "1"}, over)), **SETTLEMENT) == "1.00"
    assert paid(plan(item({"fixed": "20000"}, {"up_to_cost": base})), **SETTLEMENT) == amount


@pytest.mark.parametrize(
    ("base", "told", "lacks"),
    [
        ("self_pay", {"days": 20}, "psn_part_amt"),
        ("self_pay", {"personal_cost": "6000"}, "fulamt_ownpay_amt"),
        ("self_pay_without_prepaid", {"self_pay": "6000"}, "preselfpay_amt"),
        ("insured_total", {"self_pay": "6000"}, "medfee_sumamt"),
        ("in_scope_total", {"personal_cost": "6000"}, "inscp_scp_amt"),
        ("cash_paid", {"personal_cost": "6000"}, "psn_cash_pay"),
        ("personal_cost", {"self_pay": "6000", "overlmt_selfpay": "0"}, "psn_part_amt"),
    ],
)
def test_a_figure_that_nobody_told_is_missing_and_no_zero(base: str, told: dict[str, Any], lacks: str) -> None:
    schedule = plan(item({"take": base}))
    assert _reason(schedule, **told) == ("fact_missing", (lacks,))
    lump = plan(item({"fixed": "20000"}, {"up_to_cost": base}))
    assert _reason(lump, **told) == ("fact_missing", (lacks,))
    assert assess_case(schedule, {"event": "admission", **told, lacks: "7000"}).missing != (lacks,)


def test_what_was_told_is_enough_where_nothing_else_matters() -> None:
    assert paid(plan(item(PAY)), self_pay="6000") == "6000.00"
    assert paid(plan(item({"take": "personal_cost"})), self_pay="6000", fulamt_ownpay_amt="500", overlmt_selfpay="0") == "6500.00"
    twice = [item(PAY, {"ratio": "0.60"}, code=code) for code in ("one", "two")]
    assert paid(plan(twice[0], indemnity=True), self_pay="6000") == "3600.00"
    assert assess_case(plan(*twice, indemnity=True), {"event": "admission", "self_pay": "6000"}).missing == ("psn_part_amt",)
    assert _reason(plan(item(PAY, {"offset": {"fields": ["hifob_pay"]}})), self_pay="6000") == ("fact_missing", ("hifob_pay",))


def test_a_composed_base_is_called_by_its_parts() -> None:
    base = {"base": "self_pay", "plus": ["overlmt_selfpay"], "less": ["preselfpay_amt", "act_pay_dedc"]}
    found = assess_case(plan(item({"take": base})), {"event": "admission", **SETTLEMENT})
    words = sentences(found.as_data()["items"][0])[0].words
    assert words.zh == "个人自付（不含自费）加上超限价自费减去先行自付、实际支付起付线合计 8,700.00 元"
    assert words.en.startswith("in-scope self-pay with “above the price limit” without “share paid first” and “deductible")


def test_what_the_person_bore_is_named_when_it_is_taken_off() -> None:
    schedule = plan(item(PAY, {"offset": {"fields": ["act_pay_dedc", "hifob_pay"]}}))
    found = assess_case(schedule, {"event": "admission", **SETTLEMENT})
    assert str(found.total) == "8500.00"  # 10000 − 800 − 700
    assert sentences(found.as_data()["items"][0])[1].words.zh == "扣除实际支付起付线等 1,500.00 元后为 8,500.00 元"


def test_own_expense_above_the_personal_cost_gives_nothing_not_less_than_nothing() -> None:
    figures = {**SETTLEMENT, "fulamt_ownpay_amt": "13000.00"}
    assert paid(plan(item(PAY)), **figures) == "0.00"


def test_cost_up_to_the_cap_of_basic_insurance_gives_nothing() -> None:
    schedule = plan(item({"take": {"base": "above_cap_cost", "cap": "27000"}}))
    assert paid(schedule, **SETTLEMENT) == "0.00"


# --- 3. by the ordinal of the admission ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stays", "before", "expected"),
    [
        (1, 0, "800.00"),
        (2, 0, "1500.00"),
        (3, 0, "2200.00"),  # the last ratio holds for all later ones
        (1, 1, "700.00"),  # one admission was paid before in this period
        (2, 5, "1400.00"),
    ],
)
def test_a_ratio_by_the_ordinal_of_the_admission_in_the_period(stays: int, before: int, expected: str) -> None:
    schedule = plan(item(PAY, {"per_admission": ["0.80", "0.70"]}))
    assert paid(schedule, stays=[{"self_pay": "1000"}] * stays, admissions_before=before) == expected


# --- 4. daily allowance --------------------------------------------------------------------------------------------

DAILY = {"rate": "60", "deductible_days": 2}


def test_days_not_counted_are_taken_off_each_stay_not_pooled() -> None:
    schedule = plan(item({"per_day": DAILY}))
    assert paid(schedule, stays=[{"days": 20}, {"days": 23}]) == "2340.00"  # (18 + 21) × 60
    assert paid(schedule, days=43) == "2460.00"  # 41 × 60
    assert paid(schedule, stays=[{"days": 2}, {"days": 1}]) == "0.00"
    assert paid(schedule, stays=[{"days": 2}, {"days": 3}]) == "60.00"


@pytest.mark.parametrize(("days", "expected"), [(2, "0.00"), (3, "60.00"), (92, "5400.00"), (93, "5400.00")])
def test_at_most_so_many_days_a_stay(days: int, expected: str) -> None:
    assert paid(plan(item({"per_day": {**DAILY, "max_days": 90}})), days=days) == expected


def test_at_most_so_many_days_in_the_period_over_claims() -> None:
    schedule = plan(item({"per_day": {"rate": "50", "max_days_in_period": 30}}))
    claims = [{"event": "admission", "days": days} for days in (20, 20, 20)]
    assert in_turn(schedule, *claims) == [1000, 500, 0]
    assert paid(schedule, stays=[{"days": 20}, {"days": 20}]) == "1500.00"


@pytest.mark.parametrize(
    ("rule", "admitted", "discharged", "expected"),
    [
        ("count_first", "2026-05-01", "2026-05-11", "10.00"),
        ("count_both", "2026-05-01", "2026-05-11", "11.00"),
        ("count_first", "2026-05-01", "2026-05-01", "1.00"),  # in and out on one day is a day
        ("count_both", "2026-05-01", "2026-05-01", "1.00"),
        ("count_first", "2026-02-28", "2026-03-01", "1.00"),
    ],
)
def test_the_plan_says_how_days_are_counted(rule: str, admitted: str, discharged: str, expected: str) -> None:
    schedule = plan(item({"per_day": {"rate": "1"}}), day_count=rule)
    assert paid(schedule, admitted_on=admitted, discharged_on=discharged) == expected


# --- by the grade of the hospital -----------------------------------------------------------------------------------

BY_GRADE = {"1": "70", "2": "60", "3": "50"}
THREE = [{"hospital_grade": grade, "days": 10, "self_pay": "1000"} for grade in (1, 2, 3)]


def test_a_daily_rate_by_the_grade_of_the_hospital() -> None:
    schedule = plan(item({"per_day": {"rate": BY_GRADE, "deductible_days": 2}}))
    assert [paid(schedule, stays=[stay]) for stay in THREE] == ["560.00", "480.00", "400.00"]
    assert paid(schedule, stays=THREE) == "1440.00"  # each stay by its own hospital
    assert _reason(schedule, days=3) == ("fact_missing", ("hospital_grade",))


def test_a_ratio_and_a_deductible_by_the_grade_of_the_hospital() -> None:
    off = {"deduct": {"amount": {"1": "0", "2": "300", "3": "600"}, "per": "admission"}}
    schedule = plan(item(PAY, off, {"ratio": {"1": "0.90", "2": "0.80", "3": "0.70"}}))
    assert [paid(schedule, stays=[stay]) for stay in THREE] == ["900.00", "560.00", "280.00"]
    found = assess_case(schedule, {"event": "admission", "stays": THREE})
    assert str(found.total) == "1740.00"
    told = [line.words.zh for line in sentences(found.as_data()["items"][0])]
    assert "按医院等级扣除起付线每次住院 0.00、300.00、600.00 元后为 2,100.00 元" in told
    assert "2 级医院：700.00 元 × 80%" in told


def test_a_sum_by_the_grade_is_given_once_by_the_best_of_several_hospitals() -> None:
    table = plan(item({"table": {"by": "hospital_grade", "amounts": {"1": "800", "2": "500"}}}, events=("diagnosis", "admission")))
    assert paid(table, stays=THREE) == "800.00"
    assert paid(table, stays=THREE[1:]) == "500.00"
    assert _reason(table, stays=THREE[2:]) == ("class_not_listed", ())
    assert _reason(table, event="diagnosis") == ("no_admission", ())
    lump = plan(item({"fixed": "1000"}, {"ratio": {"1": "0.9", "2": "0.8", "3": "0.7"}}))
    assert paid(lump, stays=THREE[1:]) == "800.00"


def test_an_item_for_hospitals_of_some_grades_only() -> None:
    low = item({"per_day": {"rate": "70"}}, code="low", gates=[{"hospital_grade": [1, 2]}])
    schedule = plan(low, item({"per_day": {"rate": "50"}}, code="high", gates=[{"hospital_grade": 3}]))
    assert paid(schedule, stays=THREE) == "1900.00"  # 20 × 70 + 10 × 50
    found = assess_case(schedule, {"event": "admission", "stays": THREE[2:]})
    assert sentences(found.as_data()["items"][1])[0].words.zh == "医院不是 1、2 级"


# --- 5. lump sums with shares, severity and waiting ----------------------------------------------------------------


@pytest.mark.parametrize(("shares", "expected"), [(1, "10000.00"), (4, "40000.00"), (5, "40000.00")])
def test_a_lump_sum_times_the_shares_those_above_the_greatest_number_do_not_count(shares: int, expected: str) -> None:
    schedule = plan(item({"fixed": "10000"}, {"shares": 4}, events=("diagnosis",)))
    assert paid(schedule, event="diagnosis", shares=shares) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-01-01", "0.00"), ("2026-01-30", "0.00"), ("2026-01-31", "500.00"), ("2026-03-31", "500.00"), ("2026-04-01", "10000.00")],
    ids=["day 1", "day 30", "day 31", "day 90", "day 91"],
)
def test_a_sum_by_the_day_of_cover(day: str, expected: str) -> None:
    bands = [
        {"from_day": 1, "to_day": 30, "amount": "0"},
        {"from_day": 31, "to_day": 90, "amount": "500"},
        {"from_day": 91, "amount": "10000"},
    ]
    schedule = plan(item({"wait": bands}, events=("diagnosis",), waiting={"waived_on_renewal_within_days": 30}))
    assert paid(schedule, event="diagnosis", event_on=day) == expected
    assert paid(schedule, event="diagnosis", event_on=day, days_since_cover=30) == "10000.00"
    assert paid(schedule, event="diagnosis", event_on=day, days_since_cover=31) == expected


@pytest.mark.parametrize(
    ("start", "day", "expected"),
    [
        ("2026-01-01", "2026-01-31", "0.00"),
        ("2026-01-01", "2026-02-01", "500.00"),
        ("2026-01-01", "2026-03-31", "500.00"),
        ("2026-01-01", "2026-04-01", "10000.00"),
        ("2026-01-31", "2026-02-27", "0.00"),
        ("2026-01-31", "2026-02-28", "500.00"),  # a month from the last of January is over on the last of February
    ],
)
def test_a_sum_by_the_month_of_cover(start: str, day: str, expected: str) -> None:
    bands = [
        {"from_month": 1, "to_month": 1, "amount": "0"},
        {"from_month": 2, "to_month": 3, "amount": "500"},
        {"from_month": 4, "amount": "10000"},
    ]
    schedule = plan(item({"wait": bands}, events=("diagnosis",)))
    assert paid(schedule, event="diagnosis", cover_start=start, event_on=day) == expected
    found = assess_case(schedule, {"event": "diagnosis", "cover_start": "2026-01-01", "event_on": "2026-03-02"})
    assert sentences(found.as_data()["items"][0])[0].words.zh == "事情发生在保障第 3 个月，对应 500.00 元"


def test_a_ratio_of_the_sum_by_the_day_of_cover() -> None:
    bands = [{"from_day": 1, "to_day": 30, "ratio": "0"}, {"from_day": 31, "to_day": 90, "ratio": "0.50"}, {"from_day": 91, "ratio": "1"}]
    table = {"table": {"by": "diagnosis_class", "amounts": {"mild": "3000", "severe": "10000"}}}
    schedule = plan(item(table, {"shares": 2}, {"wait": bands}, events=("diagnosis",)))
    case = {"event": "diagnosis", "diagnosis_class": "severe", "shares": 2}
    found = [paid(schedule, **case, event_on=day) for day in ("2026-01-30", "2026-01-31", "2026-03-31", "2026-04-01")]
    assert found == ["0.00", "10000.00", "10000.00", "20000.00"]


def test_a_waiver_of_one_item_waives_no_other() -> None:
    waived = item({"fixed": "1"}, code="a", waiting={"days": 30, "waived_on_renewal_within_days": 30})
    schedule = plan(waived, item({"fixed": "10"}, code="b", waiting={"days": 30}))
    assert paid(schedule, event_on="2026-01-10", days_since_cover=0) == "1.00"
    assert paid(schedule, event_on="2026-01-31", days_since_cover=0) == "11.00"
    assert paid(schedule, event_on="2026-01-10") == "0.00"


@pytest.mark.parametrize(("since", "expected"), [(0, "11.00"), (30, "11.00"), (31, "10.00"), (90, "10.00"), (91, "0.00")])
def test_each_item_is_held_against_its_own_days_of_renewal(since: int, expected: str) -> None:
    short = item({"fixed": "1"}, code="a", waiting={"days": 30, "waived_on_renewal_within_days": 30})
    long = item({"fixed": "10"}, code="b", waiting={"days": 60, "waived_on_renewal_within_days": 90})
    schedule = plan(short, long)
    assert paid(schedule, event_on="2026-01-10", days_since_cover=since) == expected
    assert schedule.waivers == (30, 90)


def test_a_waiting_period_in_days_and_in_months_ends_on_its_first_free_day() -> None:
    days = plan(item({"fixed": "1000"}), waiting={"days": 30, "waived_on_renewal_within_days": 30})
    assert [paid(days, event_on=day) for day in ("2026-01-30", "2026-01-31")] == ["0.00", "1000.00"]
    months = plan(item({"fixed": "1000"}), waiting={"months": 1})
    late = {"cover_start": "2026-01-31"}
    assert [paid(months, **late, event_on=day) for day in ("2026-02-27", "2026-02-28")] == ["0.00", "1000.00"]
    assert paid(days, event_on="2026-01-02", days_since_cover=0) == "1000.00"


def test_accidents_and_items_that_say_so_do_not_wait_and_an_item_may_have_its_own_waiting() -> None:
    schedule = plan(
        item({"fixed": "1"}, code="a", events=("accident_disability",)),
        item({"fixed": "1"}, code="b", waits=False),
        item({"fixed": "1"}, code="c", events=("diagnosis",), waiting={"days": 90}),
        waiting={"days": 30},
    )
    assert paid(schedule, event="accident_disability", event_on="2026-01-02") == "1.00"
    assert paid(schedule, event_on="2026-01-02") == "1.00"
    assert [paid(schedule, event="diagnosis", event_on=day) for day in ("2026-03-31", "2026-04-01")] == ["0.00", "1.00"]


def test_a_further_sum_strictly_above_a_mark() -> None:
    step = {"add_if_over": {"base": "self_pay", "over": "200000", "amount": "50000"}}
    schedule = plan(item({"fixed": "10000"}, step, events=("diagnosis",)))
    found = [paid(schedule, event="diagnosis", self_pay=bill) for bill in ("199999.99", "200000", "200000.01")]
    assert found == ["10000.00", "10000.00", "60000.00"]


# --- 6. by class, 7. by grade, 8. death ----------------------------------------------------------------------------


def test_a_table_by_class_refuses_a_class_that_is_not_in_it() -> None:
    table = {"table": {"by": "diagnosis_class", "amounts": {"class1": "6000", "class2": "3000"}}}
    schedule = plan(item(table, events=("surgery",)))
    assert paid(schedule, event="surgery", diagnosis_class="class2") == "3000.00"
    assert _reason(schedule, event="surgery", diagnosis_class="class9") == ("class_not_listed", ())
    assert _reason(schedule, event="surgery") == ("fact_missing", ("diagnosis_class",))


@pytest.mark.parametrize(("grade", "expected"), [(1, "60000.00"), (2, "54000.00"), (10, "6000.00")])
def test_a_share_of_a_sum_by_the_grade_of_disability(grade: int, expected: str) -> None:
    ratios = {str(i): f"{1.1 - i / 10:.2f}" for i in range(1, 11)}
    schedule = plan(item({"scale": {"by": "disability_grade", "sum": "60000", "ratios": ratios}}, events=("accident_disability",)))
    assert paid(schedule, event="accident_disability", accident_on="2026-05-01", disability_grade=grade) == expected
    assert _reason(schedule, event="accident_disability", accident_on="2026-05-01") == ("fact_missing", ("disability_grade",))


def test_a_grade_that_the_table_does_not_hold_is_refused() -> None:
    schedule = plan(item({"table": {"by": "disability_grade", "amounts": {"1": "5000"}}}, events=("accident_disability",)))
    assert _reason(schedule, event="accident_disability", disability_grade=2) == ("class_not_listed", ())


@pytest.mark.parametrize(
    ("death", "expected"),
    [("2026-03-01", "20000.00"), ("2026-08-28", "20000.00"), ("2026-08-29", "0.00"), ("2026-02-28", "0.00")],
    ids=["the same day", "day 180", "day 181", "before the accident"],
)
def test_death_within_days_of_the_accident(death: str, expected: str) -> None:
    schedule = plan(item({"fixed": "20000"}, events=("accident_death",), gates=[{"death_within_days": 180}]))
    assert paid(schedule, event="accident_death", accident_on="2026-03-01", death_on=death) == expected


def test_a_death_without_its_days_is_a_question_not_a_refusal() -> None:
    schedule = plan(item({"fixed": "20000"}, events=("accident_death",), gates=[{"death_within_days": 180}]))
    assert _reason(schedule, event="accident_death", accident_on="2026-03-01") == ("fact_missing", ("death_on",))
    assert _reason(schedule, event="accident_death", death_on="2026-03-01") == ("fact_missing", ("accident_on",))


def test_disability_first_and_death_later_share_one_sum() -> None:
    ceiling = {"ceiling": {"amount": "60000", "scope": "period"}}
    schedule = plan(
        item({"fixed": "60000"}, ceiling, code="death", events=("accident_death",)),
        item({"table": {"by": "disability_grade", "amounts": {"8": "18000"}}}, ceiling, code="disability", events=("accident_disability",)),
    )
    first = {"event": "accident_disability", "accident_on": "2026-03-01", "disability_grade": 8}
    then = {"event": "accident_death", "accident_on": "2026-03-01", "death_on": "2026-05-01"}
    assert in_turn(schedule, first, then) == [18000, 42000]


DIED = {"event": "accident_death", "accident_on": "2026-03-01", "death_on": "2026-05-01"}
CRIPPLED = {"event": "accident_disability", "accident_on": "2026-03-01", "disability_grade": 1}
LIMIT = {"ceiling": {"amount": "200000", "scope": "period"}}
OWN = {"ceiling": {"amount": "60000", "scope": "period", "key": "own"}}


@pytest.mark.parametrize(
    ("death", "disability", "claims", "expected"),
    [
        ((), (), (CRIPPLED, DIED), [50000, 10000]),
        ((), (), (DIED, CRIPPLED), [60000, 0]),
        ((LIMIT,), (LIMIT,), (CRIPPLED, DIED), [50000, 10000]),  # a common limit high above both holds nothing by itself
        ((LIMIT,), (LIMIT,), (CRIPPLED, DIED, CRIPPLED, CRIPPLED), [50000, 10000, 40000, 50000]),  # 150000 of the one is more
        ((OWN,), (LIMIT,), (CRIPPLED, CRIPPLED, DIED, DIED), [50000, 50000, 0, 0]),  # death is 60000 in all
    ],
)  # fmt: skip
def test_of_two_that_exclude_each_other_one_has_the_greater_over_all_claims(
    death: tuple[Any, ...], disability: tuple[Any, ...], claims: tuple[Any, ...], expected: list[int]
) -> None:
    """They answer different events, so they come in claims of their own; nothing but the engine keeps the second from coming on top."""
    items = (
        item({"fixed": "60000"}, *death, code="death", events=("accident_death",)),
        item(
            {"scale": {"by": "disability_grade", "sum": "50000", "ratios": {"1": "1"}}}, *disability, code="disability",
            events=("accident_disability",),
        ),
    )  # fmt: skip
    assert in_turn(plan(*items, exclusive=[["death", "disability"]]), *claims) == expected
    assert sum(in_turn(plan(*items), *claims)) > sum(expected)  # the control: items that may be added


def test_a_ceiling_of_each_year_of_cover_and_one_of_all_years() -> None:
    """Each year begins on the day of the year on which cover began; a limit of the whole period stands beside."""
    three = {"start": "2026-01-01", "end": "2029-12-31", "rolling_months": 36}
    steps = ({"take": "self_pay"}, {"ceiling": {"amount": "5000", "scope": "year"}}, {"ceiling": {"amount": "12000", "scope": "period"}})
    days = ("2026-03-01", "2027-02-28", "2027-03-01", "2028-02-29", "2028-03-01", "2029-02-28")
    claims = [{"event": "admission", "cover_start": "2026-03-01", "event_on": day, "self_pay": "4000"} for day in days]
    assert in_turn(plan(item(*steps), period=three), *claims) == [4000, 1000, 4000, 1000, 2000, 0]
    assert in_turn(plan(item(steps[0], steps[2]), period=three), *claims) == [4000, 4000, 4000, 0, 0, 0]  # the control: no limit of a year
    limits = limits_of(plan(item(*steps), period=three), shares=1, years=3)
    assert {key: str(limit) for key, limit in limits.items()} == {
        "year:plan:1": "5000", "year:plan:2": "5000", "year:plan:3": "5000", "period:plan": "12000",
    }  # fmt: skip


def test_what_is_set_off_is_told() -> None:
    schedule = plan(
        item({"fixed": "60000"}, code="death", events=("accident_death",), name={"zh": "身故", "en": "death"}),
        item({"fixed": "50000"}, code="disability", events=("accident_disability",), name={"zh": "伤残", "en": "disability"}),
        exclusive=[["death", "disability"]],
    )
    found = assess_case(schedule, DIED | {"used": {"given:disability": "50000"}})
    told = [line.words for line in sentences(found.as_data()["items"][0])]
    assert "与“伤残”不同时给付，合计只给较高的：此前已给付 50,000.00 元，本次扣除 50,000.00 元" in told[-2].zh
    assert "50,000.00 set off now" in told[-2].en
    assert {use.key: str(use.taken) for use in found.usage} == {"given:death": "10000.00", "set_off:death": "50000.00"}


# --- 9. tiers on a net base, 10. fixed and a top-up net of other aid, 11. second pass -----------------------------


@pytest.mark.parametrize(
    ("net", "expected"),
    [("5000", "0.00"), ("5000.01", "1000.00"), ("20000", "1000.00"), ("20000.01", "3000.00"), ("900000", "3000.00")],
)
def test_flat_sums_by_the_tier_of_the_net_cost(net: str, expected: str) -> None:
    tiers = [
        {"over": "0", "up_to": "5000", "amount": "0"},
        {"over": "5000", "up_to": "20000", "amount": "1000"},
        {"over": "20000", "amount": "3000"},
    ]
    schedule = plan(item(PAY, {"offset": {"other_aid": True}}, {"tiers": tiers}))
    bill = Decimal(net) + 700
    assert paid(schedule, self_pay=str(bill), other_aid="700") == expected
    assert _reason(schedule, self_pay=str(bill)) == ("fact_missing", ("other_aid",))


def test_what_other_funds_paid_is_read_from_the_settlement() -> None:
    schedule = plan(item({"take": "in_scope_total"}, {"offset": {"fields": ["hifp_pay", "hifob_pay", "oth_pay"]}}))
    assert paid(schedule, **SETTLEMENT) == "9300.00"  # 27000 − 17000 − 700 − 0
    more = plan(item({"take": "in_scope_total"}, {"offset": {"fields": ["fund_pay_sumamt"], "other_aid": True}}))
    assert paid(more, **SETTLEMENT, other_aid="10000") == "0.00"  # 27000 − 18000 − 10000, not below nothing


@pytest.mark.parametrize(
    ("cost", "aid", "expected"),
    [
        ("9000", "3000", "6000.00"),  # 2000 + (9000 − 3000 − 2000)
        ("50000", "0", "10000.00"),  # 2000 + 8000
        ("12000", "2000", "10000.00"),  # exactly 8000 left
        ("11999.99", "2000", "9999.99"),
        ("9000", "9000", "2000.00"),
    ],
)
def test_a_fixed_sum_and_a_top_up_net_of_other_aid(cost: str, aid: str, expected: str) -> None:
    schedule = plan(
        item({"fixed": "2000"}, code="basic"),
        item(
            {"take": "personal_cost"},
            {"offset": {"other_aid": True}},
            {"less_items": ["basic"]},
            {"ceiling": {"amount": "8000", "scope": "case"}},
            code="topup",
        ),
    )
    assert paid(schedule, personal_cost=cost, other_aid=aid) == expected


def test_the_second_pass_begins_with_what_the_first_left() -> None:
    schedule = plan(
        item(PAY, {"less_items": ["z-first"]}, {"deduct": {"amount": "50000", "per": "period"}}, {"ratio": "0.60"}, code="a-second"),
        item(PAY, {"ratio": "0.40"}, {"ceiling": {"amount": "80000", "scope": "period"}}, code="z-first"),
    )
    found = assess_case(schedule, {"event": "admission", "self_pay": "210000"})
    assert {one.code: str(one.amount) for one in found.items} == {"z-first": "80000.00", "a-second": "48000.00"}
    assert [one.code for one in found.items] == ["z-first", "a-second"]  # whatever their names
    assert paid(schedule, self_pay="80000") == "32000.00"  # 48000 left, below the deductible


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_ceiling_of_the_case_and_one_of_the_period() -> None:
    case = plan(item(PAY, {"ceiling": {"amount": "1000", "scope": "case"}}))
    assert in_turn(case, *[{"event": "admission", "self_pay": "1500"}] * 2) == [1000, 1000]
    period = plan(item(PAY, {"ceiling": {"amount": "1000", "scope": "period"}}))
    assert in_turn(period, *[{"event": "admission", "self_pay": "700"}] * 3) == [700, 300, 0]


def test_a_ceiling_of_each_admission_is_the_same_in_one_claim_or_in_several() -> None:
    stays = [{"self_pay": amount} for amount in ("1500", "400", "2000")]
    each = {"ceiling": {"amount": "1000", "scope": "admission"}}
    schedule = plan(item(PAY, each, {"ceiling": {"amount": "2200", "scope": "period"}}))
    assert paid(schedule, stays=stays) == "2200.00"  # 1000 + 400 + 1000, and no more than 2200 in the period
    assert in_turn(schedule, *[{"event": "admission", **stay} for stay in stays]) == [1000, 400, 800]
    doubled = plan(item(PAY, each, {"shares": 2}))  # it holds for what each stay gives in the end
    assert paid(doubled, stays=stays, shares=2) == "2800.00"  # 1000, 800, 1000
    assert paid(doubled, stays=stays[:1], shares=2) == "1000.00"
    told = [line.words.zh for line in sentences(assess_case(schedule, {"event": "admission", "stays": stays}).as_data()["items"][0])]
    assert told[1] == "每次住院封顶 1,000.00 元，合计 2,400.00 元"


def test_one_ceiling_for_all_items_of_a_plan() -> None:
    shared = {"ceiling": {"amount": "1000", "scope": "period"}}
    schedule = plan(item(PAY, {"ratio": "0.50"}, shared, code="one"), item(PAY, {"ratio": "0.50"}, shared, code="two"))
    assert paid(schedule, self_pay="1600") == "1000.00"  # 800, then 200


def test_a_ceiling_of_a_lifetime_and_per_share() -> None:
    schedule = plan(item(PAY, {"ceiling": {"amount": "1000", "scope": "lifetime", "per_share": True}}))
    assert paid(schedule, self_pay="9000", shares=3) == "3000.00"
    assert paid(schedule, self_pay="9000", shares=3, used={"lifetime:plan": "2999.99"}) == "0.01"


def test_a_ceiling_for_each_disease() -> None:
    schedule = plan(item(PAY, {"ceiling": {"amount": "1000", "scope": "disease"}}))
    again = {"event": "admission", "self_pay": "800", "diagnosis_code": "C50.9"}
    assert in_turn(schedule, again, {**again, "diagnosis_code": "C50.1"}, {**again, "diagnosis_code": "C34.1"}) == [800, 200, 800]
    assert _reason(schedule, self_pay="800") == ("fact_missing", ("diagnosis_code",))


@pytest.mark.parametrize("per", ["case", "admission", "period"])
def test_splitting_a_stay_into_claims_never_beats_the_cap(per: str) -> None:
    schedule = plan(
        item(PAY, {"marginal": {"bands": BANDS, "per": per}}, {"ceiling": {"amount": "5000", "scope": "period"}}), indemnity=True
    )
    whole = Decimal(paid(schedule, self_pay="30000"))
    for parts in (2, 3, 10):
        claims = [{"event": "admission", "self_pay": f"{Decimal(30000) / parts:.2f}"}] * parts
        assert sum(in_turn(schedule, *claims)) <= 5000
    assert whole == 5000


def test_splitting_days_never_beats_the_days_of_the_period() -> None:
    schedule = plan(item({"per_day": {"rate": "60", "max_days_in_period": 90}}, {"ceiling": {"amount": "5400", "scope": "period"}}))
    for parts in (1, 2, 5, 10):
        assert sum(in_turn(schedule, *[{"event": "admission", "days": 100 // parts}] * parts)) == 5400


def test_an_indemnity_never_gives_more_than_the_cost() -> None:
    ratio = {"ratio": "0.90"}
    schedule = plan(item(PAY, ratio, code="one"), item(PAY, ratio, code="two"), item({"fixed": "500"}, code="three"), indemnity=True)
    assert paid(schedule, self_pay="1000", personal_cost="1000") == "1500.00"  # 900 + 100 of the cost, and 500 that is no aid for cost
    assert paid(plan(item(PAY, ratio, code="one"), item(PAY, ratio, code="two")), self_pay="1000") == "1800.00"


def test_a_lump_sum_up_to_what_was_spent() -> None:
    schedule = plan(item({"fixed": "10000"}, {"up_to_cost": "personal_cost"}, events=("diagnosis",)))
    assert paid(schedule, event="diagnosis", personal_cost="3456.78") == "3456.78"
    assert paid(schedule, event="diagnosis", personal_cost="20000") == "10000.00"
    assert _reason(schedule, event="diagnosis") == ("fact_missing", ("stays",))


def test_items_that_exclude_each_other_pay_the_greater_and_take_nothing_from_a_limit() -> None:
    shared = {"ceiling": {"amount": "6000", "scope": "period"}}
    low, high = item({"fixed": "2000"}, shared, code="a-low"), item({"fixed": "5000"}, shared, code="b-high")
    found = assess_case(plan(low, high, exclusive=[["a-low", "b-high"]]), {"event": "admission"})
    assert found.total == 5000
    assert {one.code: one.refused.code for one in found.items if one.refused} == {"a-low": "excluded"}
    assert found.usage[0].taken == 5000
    assert paid(plan(low, high)) == "6000.00"  # without the rule they add up, to the shared limit


@pytest.mark.parametrize("code", ["accident-disability", "disability"])
def test_which_of_two_is_greater_is_asked_of_each_by_itself_whatever_its_code(code: str) -> None:
    shared = {"ceiling": {"amount": "20000", "scope": "period", "key": "accident"}}
    death = item({"fixed": "12000"}, shared, code="death")
    disability = item({"fixed": "15000"}, shared, code=code)
    assert paid(plan(death, disability, exclusive=[["death", code]])) == "15000.00"
    eighty, whole = item(PAY, {"ratio": "0.80"}, code="a"), item(PAY, code="b")
    assert paid(plan(eighty, whole, exclusive=[["a", "b"]], indemnity=True), self_pay="1000") == "1000.00"


def test_the_greater_of_two_excludes_nothing_when_its_limit_is_used_up_by_a_third() -> None:
    shared = {"ceiling": {"amount": "5000", "scope": "period"}}
    first, great = item({"fixed": "5000"}, shared, code="a"), item({"fixed": "4000"}, shared, code="b")
    small = item({"fixed": "1000"}, code="c")
    assert paid(plan(first, great, small, exclusive=[["b", "c"]])) == "6000.00"


def test_a_re_classification_pays_the_difference() -> None:
    table = {"table": {"by": "diagnosis_class", "amounts": {"mild": "3000", "severe": "10000"}}}
    schedule = plan(item(table, {"less_paid": True}, events=("diagnosis",), gates=[{"once_per_disease": True}]))
    case = {"event": "diagnosis", "diagnosis_code": "I21.0", "diseases": ["I21.9"], "paid_items": {"aid": "3000"}}
    assert paid(schedule, **case, diagnosis_class="severe") == "7000.00"
    assert paid(schedule, **case, diagnosis_class="mild") == "0.00"


# --- conditions ------------------------------------------------------------------------------------------------------


def test_a_diagnosis_of_the_list() -> None:
    schedule = plan(item({"fixed": "1"}, events=("diagnosis",), gates=[{"diagnosis_in": ["C50", "C57.0"]}]))
    assert [paid(schedule, event="diagnosis", diagnosis_code=code) for code in ("C50.911", "c50", "C57.0")] == ["1.00"] * 3
    assert _reason(schedule, event="diagnosis", diagnosis_code="C57.1") == ("diagnosis_not_listed", ())
    assert _reason(schedule, event="diagnosis") == ("fact_missing", ("diagnosis_code",))


def test_a_hospital_of_the_grade() -> None:
    schedule = plan(item({"per_day": {"rate": "50"}}, events=("admission", "diagnosis"), gates=[{"hospital_grade": 2}]))
    assert [paid(schedule, days=1, hospital_grade=grade) for grade in (1, 2, 3)] == ["0.00", "50.00", "50.00"]
    assert paid(schedule, stays=[{"days": 1, "hospital_grade": 3}, {"days": 1, "hospital_grade": 1}]) == "50.00"
    assert _reason(schedule, days=1) == ("fact_missing", ("hospital_grade",))
    assert _reason(schedule) == ("fact_missing", ("stays",))
    assert _reason(schedule, event="diagnosis") == ("no_admission", ())


def test_a_grade_of_the_hospital_alone_tells_of_a_stay() -> None:
    schedule = plan(item({"fixed": "800"}, gates=[{"hospital_grade": 2}]))
    assert [paid(schedule, hospital_grade=grade) for grade in (1, 2)] == ["0.00", "800.00"]


def test_a_cost_that_nobody_told_is_missing_and_not_nothing() -> None:
    """The case of the plan: 2,000 fixed, and up to 8,000 of the cost."""
    dalian = catalogue_plan("dalian-relief.2026")
    found = assess_case(dalian, {"event": "diagnosis", "diagnosis_code": "C34.1", "other_aid": "0"})
    assert ([str(one.amount) for one in found.items], found.missing) == (["2000.00", "0.00"], ("stays",))
    told = {"event": "diagnosis", "diagnosis_code": "C34.1", "other_aid": "0", "personal_cost": "0"}
    assert assess_case(dalian, told).missing == ()  # a bill of 0 is a bill


def test_a_sum_added_over_a_mark_says_when_there_is_no_bill() -> None:
    more = {"add_if_over": {"base": "self_pay", "over": "200000", "amount": "50000"}}
    schedule = plan(item({"fixed": "10000"}, more, events=("diagnosis",)))
    found = assess_case(schedule, {"event": "diagnosis"})
    assert (str(found.total), found.missing) == ("10000.00", ())
    assert "没有填费用，不加发" in sentences(found.as_data()["items"][0])[1].words.zh
    assert "未超过" in sentences(assess_case(schedule, {"event": "diagnosis", "self_pay": "1"}).as_data()["items"][0])[1].words.zh


@pytest.mark.parametrize(
    ("before", "now", "pays"),
    [
        ("cancer", {"diagnosis_class": "cancer", "diagnosis_code": "C50.9"}, "0.00"),
        ("cancer", {"diagnosis_class": "cancer"}, "0.00"),
        ("cancer", {"diagnosis_class": "in_situ", "diagnosis_code": "D05.1"}, "500.00"),
        ("C50.9", {"diagnosis_class": "cancer", "diagnosis_code": "C34.1"}, "1000.00"),
        ("C50.9", {"diagnosis_class": "in_situ", "diagnosis_code": "C50.1"}, "0.00"),
    ],
)
def test_a_disease_told_by_its_class_alone_is_the_one_that_a_code_tells_with_it(before: str, now: dict[str, str], pays: str) -> None:
    table = {"table": {"by": "diagnosis_class", "amounts": {"cancer": "1000", "in_situ": "500"}}}
    schedule = plan(item(table, events=("diagnosis",), gates=[{"once_per_disease": True}]))
    assert paid(schedule, event="diagnosis", diseases=[before], **now) == pays


def test_the_same_disease_pays_once_another_pays_again() -> None:
    schedule = plan(item({"fixed": "1000"}, events=("diagnosis",), gates=[{"once_per_disease": True}]))
    assert paid(schedule, event="diagnosis", diagnosis_code="C34.1", diseases=["C50.9"]) == "1000.00"
    assert _reason(schedule, event="diagnosis", diagnosis_code="C50.1", diseases=["C50.9"]) == ("disease_paid", ())
    assert _reason(schedule, event="diagnosis", diseases=["C50.9"]) == ("fact_missing", ("diagnosis_code",))
    assert paid(schedule, event="diagnosis") == "1000.00"  # nothing was paid before: nothing to compare with


def test_only_with_treatment_in_hospital() -> None:
    schedule = plan(item({"fixed": "1000"}, events=("diagnosis",), gates=[{"with_admission": True}]))
    assert paid(schedule, event="diagnosis", days=3) == "1000.00"
    assert _reason(schedule, event="diagnosis") == ("no_admission", ())


@pytest.mark.parametrize(
    ("born", "expected"),
    [("2010-05-02", "0.00"), ("2010-05-01", "1.00"), ("1965-05-02", "1.00"), ("1965-05-01", "0.00")],
    ids=["15", "16 today", "60", "61 today"],
)
def test_an_age_on_the_day_it_happened_both_ends_included(born: str, expected: str) -> None:
    schedule = plan(item({"fixed": "1"}, gates=[{"age": {"from": 16, "to": 60}}]))
    assert paid(schedule, event_on="2026-05-01", birth_date=born) == expected


def test_an_item_for_women_in_a_plan_for_all() -> None:
    schedule = plan(item({"fixed": "1"}, gates=[{"gender": "female"}]))
    assert [paid(schedule, gender=gender) for gender in ("male", "female")] == ["0.00", "1.00"]
    assert _reason(schedule, gender="male") == ("item_gender", ())


def test_an_item_for_the_children_in_a_plan_for_the_worker_too() -> None:
    relations = {"opens": "2025-10-01", "closes": "2025-12-31", "relations": ["self", "minor_child"]}
    schedule = plan(item({"fixed": "1"}, gates=[{"relation": ["minor_child"]}]), enrolment=relations)
    child = {"relation": "minor_child", "birth_date": "2016-01-01"}
    assert [paid(schedule), paid(schedule, **child)] == ["0.00", "1.00"]
    assert _reason(schedule) == ("item_relation", ())


@pytest.mark.parametrize(
    ("born", "more", "expected"),
    [
        ("1965-01-02", {}, "1.00"),  # 60 on the first day of cover, 61 when it happens
        ("1965-01-01", {}, "0.00"),
        ("1965-01-01", {"days_since_cover": 3}, "1.00"),
        ("1965-01-01", {"person": {"group": "senior"}}, "1.00"),
        ("1955-01-01", {"days_since_cover": 3}, "0.00"),
    ],
)
def test_an_item_for_some_ages_when_cover_began(born: str, more: dict[str, Any], expected: str) -> None:
    ages = [{"from": 16, "to": 60}, {"from": 16, "to": 70, "renewal": True}, {"from": 16, "to": 65, "group": "senior"}]
    schedule = plan(item({"fixed": "1"}, gates=[{"age_at_start": ages}]))
    ordinary = {} if "person" in more else {"person": {"group": "ordinary"}}
    assert paid(schedule, event_on="2026-06-01", birth_date=born, **ordinary, **more) == expected
    if expected == "0.00":
        assert _reason(schedule, event_on="2026-06-01", birth_date=born, **ordinary, **more)[0] == "item_age_at_start"
    if more.get("person"):  # the same person, of whom nobody told the group
        assert _reason(schedule, event_on="2026-06-01", birth_date=born) == ("fact_missing", ("group",))


def test_a_condition_s_own_clause_is_the_one_it_is_refused_by() -> None:
    gate = {"diagnosis_in": ["C50"], "clause": "第四条 病种"}
    found = assess_case(plan(item({"fixed": "1"}, gates=[gate])), {"event": "admission", "diagnosis_code": "C34"})
    assert found.items[0].refused_by == "第四条 病种"


def test_an_exclusion_by_diagnosis_and_by_circumstance_for_all_or_some_items() -> None:
    name = {"zh": "除外", "en": "excluded"}
    schedule = plan(
        item({"fixed": "1"}, code="one"),
        item({"fixed": "10"}, code="two"),
        exclusions=[
            {"code": "cosmetic", "name": name, "clause": "第九条", "diagnosis": ["Z41"]},
            {"code": "drunk", "name": name, "clause": "第十条", "circumstance": "drunk_driving", "items": ["two"]},
        ],
    )
    assert paid(schedule) == "11.00"
    assert paid(schedule, diagnosis_code="Z41.1") == "0.00"
    assert paid(schedule, circumstances=["drunk_driving"]) == "1.00"
    found = assess_case(schedule, {"event": "admission", "circumstances": ["drunk_driving"]})
    assert {one.code: one.refused_by for one in found.items if one.refused} == {"two": "第十条"}


# --- cover and deadlines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "expected"), [("2025-12-31", "0.00"), ("2026-01-01", "1.00"), ("2026-12-31", "1.00"), ("2027-01-01", "0.00")]
)
def test_only_what_happens_on_a_day_of_cover(day: str, expected: str) -> None:
    assert paid(plan(item({"fixed": "1"})), event_on=day) == expected


def test_rolling_cover_runs_from_its_own_first_day() -> None:
    schedule = plan(item({"fixed": "1"}), period={"start": "2026-01-01", "end": "2026-12-31", "rolling_months": 24})
    found = [paid(schedule, cover_start="2026-06-02", event_on=day) for day in ("2026-06-01", "2026-06-02", "2028-06-01", "2028-06-02")]
    assert found == ["0.00", "1.00", "1.00", "0.00"]


TERMS = {"start": "2026-01-01", "end": "2026-12-31", "term_months": [6, 12]}


@pytest.mark.parametrize(
    ("counted_from", "on", "term", "first", "last"),
    [
        ("joining", "2025-11-20", 6, "2026-01-01", "2026-06-30"),  # joined before the period: covered from its first day
        ("joining", "2026-08-31", 6, "2026-09-01", "2027-02-28"),
        ("joining", "2026-12-31", 12, "2027-01-01", "2027-12-31"),
        ("period_start", "2026-03-15", 6, "2026-03-16", "2026-06-30"),  # latecomers end with the others
        ("period_start", "2026-06-29", 6, "2026-06-30", "2026-06-30"),
        ("period_start", "2026-06-30", 6, None, None),  # the half-year has no day left
        ("period_start", "2026-06-30", 12, "2026-07-01", "2026-12-31"),
    ],
)
def test_the_chosen_length_decides_the_days_of_cover(counted_from: str, on: str, term: int, first: str | None, last: str | None) -> None:
    schedule = plan(item({"fixed": "1"}), period={**TERMS, "term_from": counted_from})
    cover = schedule.cover(on=date.fromisoformat(on), term_months=term)
    assert (cover and str(cover.start), cover and str(cover.last_day)) == (first, last)


def test_without_lengths_everyone_is_covered_until_the_periods_last_day() -> None:
    schedule = plan(item({"fixed": "1"}))
    cover = schedule.cover(on=date(2026, 12, 30))
    assert cover == Period(date(2026, 12, 31), date(2027, 1, 1))
    assert schedule.cover(on=date(2026, 12, 31)) is None
    assert schedule.term() is None


def test_a_length_is_chosen_only_where_several_are_offered() -> None:
    several = plan(item({"fixed": "1"}), period=TERMS)
    assert [several.term(months) for months in (6, 12)] == [6, 12]
    for none_of_them in (None, 0, 24):
        with pytest.raises(TermNotOffered):
            several.term(none_of_them)
    one = plan(item({"fixed": "1"}), period={"start": "2026-01-01", "end": "2026-12-31", "rolling_months": 24})
    assert one.term() == 24
    with pytest.raises(TermNotOffered):
        one.term(12)


def test_a_case_names_the_length_that_was_chosen() -> None:
    schedule = plan(item({"fixed": "1"}), period=TERMS)
    assert [paid(schedule, term_months=months, event_on="2026-07-01") for months in (6, 12)] == ["0.00", "1.00"]
    assert paid(schedule, event_on="2026-07-01") == "0.00"  # the first length when none is named
    with pytest.raises(ScheduleError, match="term_months"):
        paid(schedule, term_months=7)


@pytest.mark.parametrize(
    ("said", "transfer", "retirement"),
    [({}, True, True), ({"retirement": False}, True, False), ({"transfer": False, "retirement": True}, False, True)],
)
def test_cover_survives_changes_unless_the_plan_says_otherwise(said: dict[str, bool], transfer: bool, retirement: bool) -> None:
    schedule = plan(item({"fixed": "1"}), **({"survives": said} if said else {}))
    assert (survives(schedule, "transfer"), survives(schedule, "retirement")) == (transfer, retirement)
    with pytest.raises(ValueError, match="marriage"):
        survives(schedule, "marriage")


@pytest.mark.parametrize(
    ("window", "last", "late"),
    [
        ({"days": 180}, "2026-11-06", "2026-11-07"),  # 180 days after the discharge on 10 May
        ({"months": 2}, "2026-07-10", "2026-07-11"),
        ({"days": 10, "after": "event"}, "2026-05-11", "2026-05-12"),
        ({"until": {"default": "2027-03-31"}}, "2027-03-31", "2027-04-01"),
        ({"until": {"default": "2026-06-30"}, "months": 2, "whichever": "later"}, "2026-07-10", "2026-07-11"),
        ({"until": {"default": "2026-06-30"}, "months": 2, "whichever": "earlier"}, "2026-06-30", "2026-07-01"),
        ({"until": {"default": "2026-08-31"}, "months": 2, "whichever": "later"}, "2026-08-31", "2026-09-01"),
        ({"until": {"default": "2026-08-31"}, "months": 2, "whichever": "earlier"}, "2026-07-10", "2026-07-11"),
    ],
)
def test_the_last_day_to_claim_counts(window: dict[str, Any], last: str, late: str) -> None:
    schedule = plan(item({"fixed": "1"}), claim_within=window)
    stay = {"admitted_on": "2026-05-01", "discharged_on": "2026-05-10"}
    assert [paid(schedule, **stay, claimed_on=day) for day in (last, late)] == ["1.00", "0.00"]


def test_bands_of_waiting_may_mix_days_and_months() -> None:
    bands = [
        {"from_day": 1, "to_day": 30, "amount": "0"},
        {"from_day": 31, "to_month": 3, "amount": "500"},
        {"from_month": 4, "amount": "10000"},
    ]
    schedule = plan(item({"wait": bands}))
    days = {"2026-01-30": "0.00", "2026-01-31": "500.00", "2026-03-31": "500.00", "2026-04-01": "10000.00"}
    assert {day: paid(schedule, event_on=day) for day in days} == days
    assert paid(schedule, event_on="2026-01-01", accident_on="2026-01-01") == "10000.00"
    words = item_lines(schedule.items[0])[0]
    assert words.zh.startswith("按确诊在保障的第几天：第 1 天至第 30 天 0.00 元，第 31 天至第 3 个月 500.00 元，第 4 个月起 10,000.00 元")
    assert words.en.startswith("by the day of cover: day 1 to 30: 0.00; day 31 to month 3: 500.00; month 4 on: 10,000.00")
    assert waits(schedule, date(2026, 1, 1), None)[0].until == date(2026, 3, 31)
    for wrong in ({"from_month": 2, "to_month": 3}, {"from_day": 31, "to_month": 1}, {"from_day": 32, "to_month": 3}):
        with pytest.raises(ScheduleError):
            plan(item({"wait": [bands[0], {**wrong, "amount": "500"}, bands[2]]}))


def test_a_deadline_of_its_own_for_one_kind_of_event() -> None:
    schedule = plan(item({"fixed": "1"}), claim_within={"until": {"default": "2027-03-31", "childbirth": "2027-05-31"}})
    assert paid(schedule, claimed_on="2027-05-31", event_kind="childbirth") == "1.00"
    assert paid(schedule, claimed_on="2027-05-31") == "0.00"


def test_a_kind_of_event_may_have_a_length_of_its_own() -> None:
    window = {"months": 2, "by_kind": {"childbirth": {"months": 6}, "工伤": {"days": 10}}}
    schedule, stay = plan(item({"fixed": "1"}), claim_within=window), {"admitted_on": "2026-05-01", "discharged_on": "2026-05-10"}
    last = {"childbirth": ("2026-11-10", "2026-11-11"), "工伤": ("2026-05-20", "2026-05-21"), "default": ("2026-07-10", "2026-07-11")}
    for kind, days in last.items():
        assert [paid(schedule, **stay, event_kind=kind, claimed_on=day) for day in days] == ["1.00", "0.00"]
    assert deadline_words(schedule).zh == "事发或出院后 2 个月内（生育的 6 个月内，工伤的 10 天内）申领"
    assert [kind for kind, _words in kinds_to_tell(schedule)] == ["childbirth", "工伤", "default"]
    with pytest.raises(ScheduleError, match="by_kind"):
        plan(item({"fixed": "1"}), claim_within={"until": {"default": "2027-03-31"}, "by_kind": {"childbirth": {"months": 6}}})


def test_the_day_of_the_unit_holds_for_what_its_agent_files_alone() -> None:
    window = {"until": {"default": "2027-03-31", "childbirth": "2027-05-31"}, "unit_until": {"default": "2027-03-15"}}
    schedule = plan(item({"fixed": "1"}), claim_within=window)
    days = ("2027-03-15", "2027-03-16", "2027-03-31", "2027-04-01")
    assert [paid(schedule, claimed_on=day, by_unit=True) for day in days] == ["1.00", "0.00", "0.00", "0.00"]
    assert [paid(schedule, claimed_on=day) for day in days] == ["1.00", "1.00", "1.00", "0.00"]
    late = assess_case(schedule, {"event": "admission", "claimed_on": "2027-03-16", "by_unit": True}).as_data()
    words = "单位收取申领已于2027年3月15日截止；职工本人还可以自己申领，最晚2027年3月31日"
    assert sentences(late["items"][0])[0].words.zh == words


# --- what nobody told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [PAY, {"per_day": {"rate": "50"}}], ids=["cost", "days"])
def test_an_amount_is_never_guessed_without_a_stay(step: dict[str, Any]) -> None:
    assert _reason(plan(item(step))) == ("fact_missing", ("stays",))


def test_one_missing_fact_leaves_the_other_items_as_they_are() -> None:
    table = {"table": {"by": "diagnosis_class", "amounts": {"x": "100"}}}
    schedule = plan(item(PAY, code="a", events=("diagnosis",)), item(table, code="b", events=("diagnosis",)))
    found = assess_case(schedule, {"event": "diagnosis", "self_pay": "10"})
    assert (str(found.total), found.missing) == ("10.00", ("diagnosis_class",))


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ({"selfpay": "1"}, "selfpay"),
        ({"self_pay": "-1"}, "self_pay"),
        ({"self_pay": "1.005"}, "self_pay"),
        ({"self_pay": "1e3"}, "self_pay"),
        ({"self_pay": "１００"}, "self_pay"),
        ({"days": "3"}, "days"),
        ({"disability_grade": 11}, "disability_grade"),
        ({"event_on": "2026-02-30"}, "event_on"),
        ({"event_on": "9999-12-31"}, "event_on"),
        ({"event_on": "20260101"}, "event_on"),
        ({"admitted_on": "2026-05-10", "discharged_on": "2026-05-01"}, "discharged_on"),
        ({"stays": [{"days": 1}], "days": 1}, "days"),
        ({"stays": [{"day": 1}]}, "stays[0].day"),
        ({"self_pay": "100", "personal_cost": "90"}, "self_pay"),
        ({"cover_start": "2026-05-01", "cover_end": "2026-04-30"}, "cover_end"),
        ({"used": {"period:other": "1"}}, "used.period:other"),
        ({"event": "party"}, "event"),
    ],
)
def test_a_case_with_a_mistake_is_refused_with_its_field(case: dict[str, Any], field: str) -> None:
    schedule = plan(item(PAY, {"ceiling": {"amount": "100", "scope": "period"}}))
    with pytest.raises(ScheduleError) as refused:
        assess_case(schedule, {"event": "admission", **case})
    assert f"case.{field}：" in refused.value.in_language("zh")
    assert f"case.{field}: " in refused.value.in_language("en")


# --- contributions ---------------------------------------------------------------------------------------------------


def _due(contribution: dict[str, Any], fee: dict[str, Any], *, period: dict[str, Any] | None = None, **enrolment: Any) -> str:
    joining = {"opens": "2025-10-01", "closes": "2025-12-31", "shares": {"max": 3}, **enrolment}
    top = {"period": period} if period else {}
    schedule = plan(item({"fixed": "1"}), contribution=contribution, enrolment=joining, **top)
    return str(run_example(schedule, {"name": "x", "expect": "0", "fee": fee}))


def test_a_contribution_times_heads_and_shares_by_payer() -> None:
    fee = {"per_share": "80", "payers": {"union": "30", "person": "50"}}
    assert _due(fee, {"heads": 696}) == "55680.00"
    assert _due(fee, {"heads": 696, "payer": "union"}) == "20880.00"
    assert _due(fee, {"heads": 2, "shares": 3, "payer": "person"}) == "300.00"
    assert _due(fee, {"heads": 2, "payer": "province"}) == "0.00"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({"gender": "female"}, "70.00"),
        ({"gender": "male"}, "62.50"),
        ({"risk": "high"}, "124.00"),
        ({"group": "hardship"}, "0.00"),
        ({"relation": "spouse"}, "35.00"),
        ({"card_holder": True, "gender": "female"}, "45.00"),
    ],
)
def test_the_first_class_that_fits_holds(head: dict[str, Any], expected: str) -> None:
    classes = [
        {"group": "hardship", "per_share": "0"},
        {"card_holder": True, "per_share": "45"},
        {"relation": "spouse", "per_share": "35"},
        {"gender": "female", "per_share": "70.00"},
        {"risk": "high", "per_share": "124"},
        {"gender": "male", "per_share": "62.50"},
    ]
    told = {"risk": "normal", **head}
    assert _due({"classes": classes}, {"heads": [{"count": 1, **told}]}) == expected


def test_a_class_of_work_that_nobody_told_is_not_guessed() -> None:
    with pytest.raises(ScheduleError) as refused:
        _due({"classes": [{"risk": "high", "per_share": "124"}, {"per_share": "100"}]}, {"heads": 1})
    assert "没有适用的缴费标准（risk）" in refused.value.in_language("zh")


def test_a_term_and_a_half_period_have_their_own_contribution() -> None:
    classes = [
        {"term_months": 36, "per_share": "30"},
        {"joined_from": "2026-07-01", "per_share": "5"},
        {"per_share": "10"},
    ]
    terms = {"period": {"start": "2026-01-01", "end": "2026-12-31", "term_months": [12, 36]}}
    assert _due({"classes": classes}, {"term_months": 36}, **terms) == "30.00"
    assert _due({"classes": classes}, {"term_months": 12}, **terms) == _due({"classes": classes}, {}, **terms) == "10.00"
    assert [_due({"classes": classes}, {"joined_on": day}, **terms) for day in ("2026-06-29", "2026-06-30")] == ["10.00", "5.00"]


def test_an_example_charges_what_is_really_charged_to_whoever_joins_that_day() -> None:
    """By the first day of cover, which is the day after: not by the day of joining."""
    classes = [{"joined_to": "2026-06-30", "per_share": "10"}, {"joined_from": "2026-07-01", "per_share": "5"}]
    schedule, person = plan(item({"fixed": "1"}), contribution={"classes": classes}), PersonFacts(date(1985, 1, 1), "male")
    for day, said in ((date(2025, 12, 1), "10.00"), (date(2026, 6, 29), "10.00"), (date(2026, 6, 30), "5.00")):
        cover = schedule.cover(on=day)
        assert cover
        assert str(round_half_up(contribution(schedule, person, 1, starts_on=cover.start))) == said
        assert str(run_example(schedule, {"fee": {"heads": 1, "joined_on": day.isoformat()}})) == said
    with pytest.raises(ScheduleError, match="没有剩余的保障日"):
        run_example(schedule, {"fee": {"heads": 1, "joined_on": "2026-12-31"}})


@pytest.mark.parametrize(
    ("compare", "eligible", "heads", "passes"),
    [
        ("<", 29, 28, False),
        ("<", 29, 29, True),
        ("<", 30, 15, True),  # thirty is not less than thirty
        ("<=", 30, 29, False),
        ("<=", 31, 16, True),
        ("<", 100, 49, False),
        ("<", 100, 50, True),
    ],
)
def test_how_many_of_a_unit_must_join(compare: str, eligible: int, heads: int, passes: bool) -> None:
    unit = {"min_ratio": "0.50", "all_must_join": {"headcount": 30, "compare": compare}}
    due = _due({"per_share": "10"}, {"eligible_staff": eligible, "heads": heads}, unit=unit)
    assert due == (f"{heads * 10}.00" if passes else "0.00")


def test_shares_above_the_greatest_number_are_void_where_the_plan_says_so() -> None:
    assert _due({"per_share": "30"}, {"shares": 5}, shares={"max": 4, "surplus": "void"}) == "120.00"
    assert _due({"per_share": "30"}, {"shares": 4}, shares={"max": 4}) == "120.00"
    with pytest.raises(ScheduleError, match="多的不予受理"):  # as at joining
        _due({"per_share": "30"}, {"shares": 5}, shares={"max": 4})


@pytest.mark.parametrize(
    ("claims", "amounts"),
    [
        ("cancer C50+cancer", "600 400"),  # told without a code at first, with one later: it may be the same disease
        ("C50+cancer cancer", "600 400"),
        ("C50+cancer C34+cancer", "600 600"),  # codes tell two diseases of one class apart
        ("C50+cancer C34+cancer cancer", "600 600 0"),  # what is told by the class alone may be either
        ("C50 cancer", "600 600"),  # nobody said that C50 is of that class
        ("cancer stroke", "600 600"),
    ],
)
def test_a_disease_told_by_its_class_and_one_told_by_its_code_share_a_limit(claims: str, amounts: str) -> None:
    schedule = plan(item({"fixed": "600"}, {"ceiling": {"amount": "1000", "scope": "disease"}}, events=("diagnosis",)))
    told = [one.partition("+") if one[0].isupper() else ("", "", one) for one in claims.split()]
    cases = [{"event": "diagnosis", **({"diagnosis_code": code} if code else {}), **({"diagnosis_class": own} if own else {})}
             for code, _plus, own in told]  # fmt: skip
    assert " ".join(f"{amount:.0f}" for amount in in_turn(schedule, *cases)) == amounts


# --- nothing of the format is left out ------------------------------------------------------------------------------


def test_every_step_gate_and_base_of_the_format_has_its_code_and_its_test() -> None:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))["$defs"]
    assert set(schema["step"]["properties"]) - {"clause"} == set(STEPS)
    assert set(schema["gate"]["properties"]) - {"clause"} == set(GATES)
    assert set(schema["base"]["enum"]) == set(BASES) == set(BASE_AMOUNTS)
    source = "".join(Path(__file__).with_name(name).read_text("utf-8") for name in ("test_forms.py", "test_hardship.py"))
    assert [name for name in [*STEPS, *GATES] if f'"{name}"' not in source and name != "take"] == []


def test_medical_assistance_and_the_residents_scheme_are_taken_off_by_their_fields() -> None:
    told = {"self_pay": "5000", "maf_pay": "700", "hifmi_pay": "300", "hifes_pay": "200", "acct_mulaid_pay": "100"}
    fields = ["maf_pay", "hifmi_pay", "hifes_pay", "acct_mulaid_pay"]
    assert paid(plan(item({"take": "self_pay"}, {"offset": {"fields": fields}})), **told) == "3700.00"


def test_a_sheet_paid_partly_from_a_relatives_account_adds_up() -> None:
    """And one whose funds come to more than their total does not."""
    yuan = Decimal(1)
    sheet = Settlement(medfee_sumamt=100 * yuan, fund_pay_sumamt=60 * yuan, psn_part_amt=40 * yuan, acct_mulaid_pay=15 * yuan)
    assert replace(sheet, psn_cash_pay=25 * yuan, hifp_pay=50 * yuan, maf_pay=10 * yuan).faults() == []
    assert replace(sheet, psn_cash_pay=25 * yuan, hifp_pay=50 * yuan, hifes_pay=11 * yuan).faults() == ["funds"]
    assert replace(sheet, psn_cash_pay=40 * yuan).faults() == ["personal"]


# --- cases as they are written --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        ({"self_pay": "5000", "fulamt_ownpay_amt": "1000"}, "5000.00"),
        ({"self_pay": "5000", "personal_cost": "8000", "overlmt_selfpay": "500"}, "5000.00"),
        ({"self_pay": "5000", "psn_part_amt": "8000"}, "5000.00"),
        ({"self_pay": "5000", "psn_part_amt": "8000", "overlmt_selfpay": "500", "fulamt_ownpay_amt": "2500"}, "5000.00"),
        ({"self_pay": "5000"}, "5000.00"),
    ],
)
def test_self_pay_as_it_was_typed_is_what_is_computed_on(told: dict[str, str], amount: str) -> None:
    assert paid(plan(item({"take": "self_pay"})), **told) == amount


@pytest.mark.parametrize(
    ("told", "field", "says"),
    [
        ({"self_pay": "5000", "psn_part_amt": "3000"}, "self_pay", "自付不能大于个人负担"),
        ({"self_pay": "5000", "personal_cost": "5400", "overlmt_selfpay": "500"}, "self_pay", "不等于个人负担 5400"),
        ({"self_pay": "5000", "personal_cost": "8000", "fulamt_ownpay_amt": "1000"}, "self_pay", "自付 5000 加上自费和超限价 1000"),
        ({"personal_cost": "5000", "psn_part_amt": "3000"}, "personal_cost", "与 psn_part_amt 是同一个数"),
    ],
)
def test_amounts_of_a_case_that_contradict_each_other_are_refused(told: dict[str, str], field: str, says: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        paid(plan(item({"take": "self_pay"})), **told)
    (fault,) = refused.value.faults
    assert fault.path == ("case", field)
    assert says in fault.words.zh


def test_admissions_count_by_their_day_however_they_are_listed() -> None:
    first, second = {"admitted_on": "2026-05-01", "self_pay": "3000"}, {"admitted_on": "2026-08-01", "self_pay": "5000"}
    schedule = plan(item({"take": "self_pay"}, {"per_admission": ["0.9", "0.4"]}))
    assert paid(schedule, stays=[first, second]) == paid(schedule, stays=[second, first]) == "4700.00"


def test_a_fault_of_an_examples_cover_names_the_example() -> None:
    data = plan_data(item({"take": "self_pay"}))
    for key, value in (("cover_end", "2025-01-01"), ("term_months", 36)):
        example = {"name": "x", "expect": "0", "case": {"event": "admission", key: value}}
        with pytest.raises(ScheduleError) as refused:
            check_examples(parse({**data, "examples": [example]}))
        assert refused.value.faults[0].path == ("examples", 0, "case", key)


def test_while_bands_of_waiting_give_nothing_nothing_is_given_on_top() -> None:
    """The sum for a great bill is a further one: while the item waits there is none to add it to. It is said that the item waits."""
    bands = [{"from_day": 1, "to_day": 30, "ratio": "0"}, {"from_day": 31, "ratio": "0.20"}]
    over = {"add_if_over": {"base": "self_pay", "over": "200000", "amount": "50000"}}
    schedule = plan(item({"fixed": "10000"}, {"wait": bands}, over, events=("diagnosis",)))
    case = {"event": "diagnosis", "self_pay": "250000"}
    assert [paid(schedule, **case, event_on=day) for day in ("2026-01-30", "2026-01-31")] == ["0.00", "52000.00"]
    (one,) = assess_case(schedule, {**case, "event_on": "2026-01-30"}).items
    assert one.refused
    assert (one.refused.code, str(one.refused.inputs["ends"])) == ("waiting", "2026-01-31")
    never = plan(item({"fixed": "10000"}, {"wait": [{"from_day": 1, "to_day": 30, "ratio": "1"}, {"from_day": 31, "ratio": "0"}]}))
    assert [paid(never, event_on=day) for day in ("2026-01-30", "2026-01-31")] == ["10000.00", "0.00"]
    assert assess_case(never, {"event": "admission", "event_on": "2026-01-31"}).items[0].refused is None  # nothing to wait for


def test_shares_above_the_plans_own_number_do_not_count() -> None:
    """A step may count fewer than the plan lets people have; never more (`parse` refuses it)."""
    fewer = plan(item({"fixed": "10000"}, {"shares": 2}))
    assert [paid(fewer, shares=shares) for shares in (1, 2, 4)] == ["10000.00", "20000.00", "20000.00"]
    most = plan(item({"fixed": "10000"}, {"shares": 4}))
    assert [paid(most, shares=shares) for shares in (4, 5)] == ["40000.00", "40000.00"]
    assert paid(replace(most, enrolling=replace(most.enrolling, max_shares=1)), shares=4) == "10000.00"


def test_a_case_that_says_there_are_no_stays_has_no_bill_beside_them() -> None:
    schedule = plan(item({"take": "self_pay"}))
    with pytest.raises(ScheduleError, match="self_pay.*已写 stays"):
        paid(schedule, stays=[], self_pay="1000")
