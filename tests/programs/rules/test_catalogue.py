"""Plans keep their word: every example of every file, every published amount; the engine's promises hold for any figures."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.rules.examples import assess_case, check_examples, run_example
from programs.rules.explain import sentences
from programs.rules.parse import parse
from tests.programs.rules.plans import FILES, catalogue, catalogue_plan, in_turn

YULIN = catalogue_plan("shaanxi-yulin-medical.2026")
yuan = st.decimals(0, 500_000, places=2, allow_nan=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_example_of_the_plan_comes_out(path: Path) -> None:
    schedule = catalogue_plan(path.stem)
    assert schedule.examples
    assert check_examples(schedule) == []


def test_an_example_that_is_off_by_a_fen_is_found() -> None:
    data = dict(catalogue()["national-inpatient.2026"].data)
    data["examples"] = [{**data["examples"][0], "expect": "1213.68"}]
    assert [f.found for f in check_examples(parse(data))] == [Decimal("1213.69")]


# --- what was published --------------------------------------------------------------------------------------------

_WAIT = {"event": "diagnosis", "cover_start": "2015-12-01", "cover_end": "2016-11-30"}
_GATE = {"event": "admission", "event_on": "2019-10-10"}
_CHONGQING_2015 = {"cover_start": "2015-01-01", "cover_end": "2015-12-31"}
_HALF_YEAR = [{"gender": "male", "count": 3}, {"gender": "female", "count": 2}]
_TIANJIN = [{"card_holder": True, "count": 60}, {"card_holder": False, "count": 10}]

# (what kind of fact, the plan file that reproduces it, the case or the contribution, yuan). The facts are those of
# published mutual-aid plans: amounts that were published, or computed by hand from published terms.
BENEFITS: list[tuple[str, str, dict[str, Any], str]] = [
    # 榆林市在职职工住院补充医疗互助保障计划 (fee 125)
    ("tiered_ratio", "shaanxi-yulin-medical.2026", {"event": "admission", "self_pay": "1500.00"}, "1200.00"),
    ("tiered_ratio", "shaanxi-yulin-medical.2026", {"event": "admission", "self_pay": "6000.00"}, "4400.00"),
    ("tiered_ratio", "shaanxi-yulin-medical.2026", {"event": "admission", "self_pay": "30000.00"}, "17200.00"),
    (
        "tiered_ratio",
        "shaanxi-yulin-medical.2026",
        {"event": "admission", "self_pay": "30000.00", "used": {"period:plan": "45000.00"}},
        "5000.00",
    ),
    # 中互会湖北省办事处 在职职工住院医疗互助 (70%)
    ("flat_ratio", "national-inpatient.2026", {"event": "admission", "self_pay": "1733.84"}, "1213.69"),
    ("flat_ratio", "national-inpatient.2026", {"event": "admission", "self_pay": "1000.35"}, "700.25"),
    ("flat_ratio", "hubei-inpatient.2026", {"event": "admission", "self_pay": "1733.84"}, "1213.69"),
    # 中互会湖北省办事处 在职职工重大疾病互助
    ("category_lump_sum", "national-critical-illness.2026", {"event": "diagnosis", "diagnosis_class": "critical_mild"}, "3000.00"),
    ("category_lump_sum", "national-critical-illness.2026", {"event": "diagnosis", "diagnosis_class": "critical_severe"}, "10000.00"),
    (
        "reclassify_topup",
        "national-critical-illness.2026",
        {
            "event": "diagnosis",
            "diagnosis_class": "critical_severe",
            "diagnosis_code": "I21.0",
            "diseases": ["I21.0"],
            "paid_items": {"critical": "3000"},
            "used": {"period:plan": "3000"},
        },
        "7000.00",
    ),
    # 广东 住院二次医保 (fee 95) and 住院津贴 (fee 80)
    ("nth_admission_ratio", "guangdong-inpatient.2026", {"event": "admission", "stays": [{"self_pay": "5000.00"}]}, "4000.00"),
    (
        "nth_admission_ratio",
        "guangdong-inpatient.2026",
        {"event": "admission", "stays": [{"self_pay": "5000.00"}, {"self_pay": "5000.00"}]},
        "7500.00",
    ),
    ("daily_allowance", "guangdong-allowance.2026", {"event": "admission", "days": 30, "used": {"period:plan": "4000"}}, "1400.00"),
    # 重庆 住院津贴
    ("daily_allowance", "chongqing-allowance.2026", {"event": "admission", "stays": [{"days": 20}, {"days": 23}]}, "2340.00"),
    ("daily_allowance", "chongqing-allowance.2026", {"event": "admission", "stays": [{"days": 43}]}, "2460.00"),
    # 北京 住院津贴 (fee 60, 2011)
    ("daily_allowance", "beijing-allowance.2026", {"event": "admission", "stays": [{"days": 3}]}, "0.00"),
    ("daily_allowance", "beijing-allowance.2026", {"event": "admission", "stays": [{"days": 4}]}, "40.00"),
    ("daily_allowance", "beijing-allowance.2026", {"event": "admission", "stays": [{"days": 2}, {"days": 3}, {"days": 8}]}, "200.00"),
    # 中互会 住院津贴综合 (fee 80, 2015)
    ("waiting_bands", "national-allowance-combo.2026", {**_WAIT, "event_on": "2015-12-30"}, "0.00"),
    ("waiting_bands", "national-allowance-combo.2026", {**_WAIT, "event_on": "2016-02-28"}, "500.00"),
    ("waiting_bands", "national-allowance-combo.2026", {**_WAIT, "event_on": "2015-12-10", "days_since_cover": 0}, "10000.00"),
    ("waiting_bands", "national-allowance-combo.2026", {**_WAIT, "event_on": "2015-12-10"}, "0.00"),
    ("daily_allowance", "national-allowance-combo.2026", {"event": "admission", "days": 20}, "850.00"),
    ("sum_of_plans", "national-allowance-combo.2026", {"event": "diagnosis", "event_on": "2026-04-30", "days": 20}, "10850.00"),
    # 重庆 重大疾病 (30 a share, 2015) and 综合 (110)
    ("lump_sum", "chongqing-critical-illness.2026", {"event": "diagnosis", "shares": 3, "self_pay": "80000"}, "30000.00"),
    ("lump_sum", "chongqing-critical-illness.2026", {"event": "diagnosis", "shares": 4, "self_pay": "250000"}, "90000.00"),
    ("lump_sum", "chongqing-critical-illness.2026", {"event": "diagnosis", "shares": 5, "self_pay": "0"}, "40000.00"),
    (
        "death_within_days",
        "chongqing-combo-death.2026",
        {**_CHONGQING_2015, "event": "accident_death", "accident_on": "2015-03-01", "death_on": "2015-08-20"},
        "20000.00",
    ),
    (
        "death_within_days",
        "chongqing-combo.2026",
        {**_CHONGQING_2015, "event": "accident_death", "accident_on": "2015-03-01", "death_on": "2015-08-20"},
        "20000.00",
    ),
    # 中互会 意外伤害 (Beijing 2017, class 100)
    ("lump_sum", "national-accident.2026", {"event": "accident_death", "accident_on": "2026-03-01", "death_on": "2026-03-01"}, "60000.00"),
    (
        "lump_sum",
        "beijing-accident-100.2017",
        {"event": "accident_death", "accident_on": "2017-03-01", "death_on": "2017-03-01"},
        "60000.00",
    ),
    # 福州 2012 (13%) and 2010 (10%): the same facts under the terms of each period
    ("flat_ratio", "fuzhou-medical.2012", {"event": "admission", "insured_total": "20000.00"}, "2600.00"),
    ("flat_ratio", "fuzhou-medical.2010", {"event": "admission", "insured_total": "20000.00"}, "2000.00"),
    # 南平 女职工特种疾病 (25, 2012)
    ("category_lump_sum", "national-women.2026", {"event": "diagnosis", "diagnosis_class": "class1_female_cancer"}, "6000.00"),
    (
        "category_lump_sum",
        "national-women.2026",
        {"event": "surgery", "diagnosis_class": "class2_uterus_and_ovary_removed_together"},
        "3000.00",
    ),
    ("category_lump_sum", "national-women.2026", {"event": "surgery", "diagnosis_class": "class3_uterus_or_ovary_removed"}, "2000.00"),
    ("category_lump_sum", "national-women.2026", {"event": "surgery", "diagnosis_class": "class4_myomectomy"}, "1000.00"),
    # 上海 工会会员专享 B (2017): critical illness with treatment in hospital
    ("category_lump_sum", "shanghai-member-basic.2017", {"event": "diagnosis", "diagnosis_class": "critical_12", "days": 10}, "20000.00"),
    (
        "category_lump_sum",
        "shanghai-member-basic.2017",
        {"event": "accident_death", "accident_on": "2017-05-01", "death_on": "2017-05-01"},
        "30000.00",
    ),
    (
        "category_lump_sum",
        "shanghai-member-basic.2017",
        {"event": "accident_disability", "accident_on": "2017-05-01", "disability_grade": 1},
        "30000.00",
    ),
    ("category_lump_sum", "shanghai-member-basic.2017", {"event": "disease_death", "death_on": "2017-05-01"}, "10000.00"),
    # 杭州 2018: the last day to claim
    ("claim_deadline", "hangzhou-medical.2018", {"event": "diagnosis", "event_on": "2018-12-20", "claimed_on": "2019-03-31"}, "15000.00"),
    ("claim_deadline", "hangzhou-medical.2018", {"event": "diagnosis", "event_on": "2018-12-20", "claimed_on": "2019-04-01"}, "0.00"),
    # 绍兴 2019: the first-time month
    ("coverage_start", "shaoxing-medical.2019", {**_GATE, "cover_start": "2019-09-25"}, "0.00"),
    ("coverage_start", "shaoxing-medical.2019", {**_GATE, "cover_start": "2019-09-25", "days_since_cover": 0}, "1000.00"),
    # 北京 金秋助学 (2021) and 成都 农民工创业援助 (2011): hardship, and what the applicant declares
    ("grant_table", "beijing-student-aid.2026", {"event": "hardship", "declared": {"college": 1}}, "12450.00"),
    ("grant_table", "beijing-student-aid.2026", {"event": "hardship", "declared": {"college": 1, "senior_secondary": 1}}, "16450.00"),
    ("loan_subsidy", "chengdu-startup.2026", {"event": "hardship", "declared": {"loan": "40000"}}, "2400.00"),
    ("loan_subsidy", "chengdu-startup.2026", {"event": "hardship", "declared": {"loan": "60000"}}, "3000.00"),
    ("loan_subsidy", "chengdu-startup.2026", {"event": "hardship", "declared": {"jobs": 12}}, "3000.00"),
]
CONTRIBUTIONS: list[tuple[str, str, dict[str, Any], str]] = [
    ("split_share", "national-allowance-combo.2026", {"heads": 696, "payer": "union"}, "20880.00"),
    ("split_share", "tianjin-critical-inpatient.2026", {"heads": _TIANJIN, "payer": "person"}, "450.00"),
    ("by_class", "shanghai-combo-half-year.2020H1", {"heads": _HALF_YEAR}, "327.50"),
    ("split_share", "shanghai-combo-half-year.2020H1", {"heads": _HALF_YEAR, "payer": "person"}, "60.00"),
    ("split_share", "hainan-medical.2026-2029", {"heads": 80, "payer": "person"}, "12000.00"),
    ("units", "shanghai-group-accident.2006", {"heads": 20, "shares": 3}, "600.00"),
    ("units", "shanghai-group-accident.2006", {"heads": 20, "shares": 3, "term_months": 36}, "1800.00"),
    ("units", "shanghai-group-accident.2006", {"heads": [{"group": "refundable", "count": 1}]}, "410.00"),
    ("participation_gate", "jiangxi-inpatient.2026", {"eligible_staff": 26, "heads": 20}, "2400.00"),
    ("participation_gate", "jiangxi-inpatient.2026", {"eligible_staff": 26, "heads": 19}, "0.00"),
    ("participation_gate", "jiangxi-inpatient.2026", {"eligible_staff": 25, "heads": 25}, "3000.00"),
    ("participation_gate", "jiangxi-inpatient.2026", {"eligible_staff": 25, "heads": 24}, "0.00"),
    # classes 26 / 50 / 74 / 100, and 32 / 62 / 93 / 124 for high-risk work
    *(
        ("by_class", f"beijing-accident-{fee}.2017", {"heads": [{"risk": risk, "count": 1}]}, f"{amount}.00")
        for fee, high in (("26", "32"), ("50", "62"), ("74", "93"), ("100", "124"))
        for risk, amount in (("normal", fee), ("high", high))
    ),
    ("split_share", "fujian-provincial.2026", {"heads": 1, "payer": "union"}, "40.00"),
    ("split_share", "guangdong-inpatient.2026", {"heads": 1, "payer": "province"}, "75.00"),
    ("by_class", "fuzhou-medical.2012", {"heads": [{"unit_nature": "agency", "count": 1}]}, "60.00"),
    ("by_term", "shanghai-member-basic.2017", {"heads": 1, "joined_on": "2017-07-01"}, "12.00"),
]


@pytest.mark.parametrize(("kind", "name", "case", "expected"), BENEFITS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_published_benefit_comes_out_to_the_fen(kind: str, name: str, case: dict[str, Any], expected: str) -> None:
    assert str(assess_case(catalogue_plan(name), case).total) == expected


@pytest.mark.parametrize(("kind", "name", "fee", "expected"), CONTRIBUTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_published_contribution_comes_out_to_the_fen(kind: str, name: str, fee: dict[str, Any], expected: str) -> None:
    assert str(run_example(catalogue_plan(name), {"name": kind, "expect": expected, "fee": fee})) == expected


def test_every_kind_of_published_benefit_gate_and_fee_is_there() -> None:
    benefits = {"tiered_ratio", "flat_ratio", "nth_admission_ratio", "daily_allowance", "waiting_bands", "lump_sum", "category_lump_sum"}
    benefits |= {"reclassify_topup", "death_within_days", "sum_of_plans", "claim_deadline", "coverage_start"}
    benefits |= {"grant_table", "loan_subsidy"}
    assert {kind for kind, _plan, _case, _yuan in BENEFITS} == benefits
    assert {kind for kind, *_rest in CONTRIBUTIONS} == {"split_share", "by_class", "by_term", "units", "participation_gate"}
    places = {name.split("-")[0] for _kind, name, _case, _yuan in [*BENEFITS, *CONTRIBUTIONS]}
    assert len(places) >= 12


@pytest.mark.parametrize(
    "days", [("2015-03-01", "2015-08-28", "20000.00"), ("2015-03-01", "2015-08-29", "0.00")], ids=["day 180", "day 181"]
)
def test_the_last_day_of_a_death_that_still_counts(days: tuple[str, str, str]) -> None:
    accident, death, expected = days
    case = {**_CHONGQING_2015, "event": "accident_death", "accident_on": accident, "death_on": death}
    assert str(assess_case(catalogue_plan("chongqing-combo-death.2026"), case).total) == expected


def test_an_amount_that_no_source_gives_is_called_an_example() -> None:
    """Plans whose source leaves something open say so, in the words that the desk shows."""
    notes = {path.stem: catalogue_plan(path.stem).source_note for path in FILES}
    invented = ("jiangxi-inpatient.2026", "hainan-medical.2026-2029", "yunnan-medical.2026", "fujian-provincial.2026", "dalian-relief.2026")
    assert all("示例设定" in notes[name] for name in invented)
    assert all(note for note in notes.values())


# --- promises of the engine, on real plans --------------------------------------------------------------------------


@given(yuan, yuan)
def test_bands_pay_no_less_for_a_higher_bill_and_never_over_the_ceiling(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    paid = [assess_case(YULIN, {"event": "admission", "self_pay": str(x)}).total for x in (low, high)]
    assert 0 <= paid[0] <= paid[1] <= 50_000
    assert paid[1] <= high


@given(yuan, st.decimals(0, 50_000, places=2))
def test_what_was_used_before_is_left_out_of_the_ceiling(bill: Decimal, used: Decimal) -> None:
    case = {"event": "outpatient", "self_pay": str(bill), "used": {"period:plan": str(used), "period:outpatient": "0"}}
    assert assess_case(YULIN, case).total <= min(Decimal(2000), 50_000 - used)


def test_the_order_of_items_does_not_matter() -> None:
    data = dict(catalogue()["national-allowance-combo.2026"].data)
    case = {"event": "diagnosis", "event_on": "2026-04-30", "days": 20}
    first = assess_case(parse(data), case)
    assert assess_case(parse({**data, "items": data["items"][::-1]}), case) == first
    assert sum(item.amount for item in first.items) == first.total == Decimal("10850.00")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_step_is_told_in_both_languages(path: Path) -> None:
    schedule = catalogue_plan(path.stem)
    for example in schedule.examples:
        if "case" in example:
            for item in assess_case(schedule, example["case"]).as_data()["items"]:
                lines = sentences(item)
                assert all(line.words.zh and line.words.en for line in lines)
                assert item["clause"] in lines[-1].words.zh


def test_a_women_s_plan_inside_a_combo_pays_for_women_only() -> None:
    case = {"event": "diagnosis", "diagnosis_class": "cancer", "diagnosis_code": "C50.9"}
    found = {gender: assess_case(catalogue_plan("hangzhou-combo.2018"), {**case, "gender": gender}) for gender in ("male", "female")}
    assert [str(found[gender].total) for gender in ("male", "female")] == ["15000.00", "35000.00"]
    refused = {item.code: item.refused.code for item in found["male"].items if item.refused}
    assert refused == {"hangzhou-women.women": "item_gender"}


@pytest.mark.parametrize(("name", "shares", "whole"), [("chongqing-combo.2026", 1, 20000), ("shanghai-group-accident.2006", 1, 5000)])
def test_disability_and_then_death_of_one_accident_come_to_no_more_than_death(name: str, shares: int, whole: int) -> None:
    """They come in two claims, so only a limit that both count against holds them together."""
    schedule = catalogue_plan(name)
    start = schedule.period.start.isoformat()[:4]
    common = {"accident_on": f"{start}-05-01", "shares": shares}
    disability = {"event": "accident_disability", "disability_grade": 1, **common}
    death = {"event": "accident_death", "death_on": f"{start}-06-01", **common}
    assert sum(in_turn(schedule, disability, death)) == whole
    assert sum(in_turn(schedule, death)) == whole
