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
from tests.programs.rules.plans import FILES, PUBLISHED, catalogue, catalogue_plan, in_turn

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

# published.json: amounts of real plans. "published": the amount itself was; "derived": computed by hand from published terms; "terms":
# stands in the terms. `by`: the plan files that come to it, each with the case or the contribution that says the same.
BENEFITS, CONTRIBUTIONS = (
    [(fact["kind"], way["plan"], way[form], fact["yuan"]) for fact in PUBLISHED for way in fact["by"] if form in way]
    for form in ("case", "fee")
)
_CHONGQING_2015 = {"cover_start": "2015-01-01", "cover_end": "2015-12-31"}


@pytest.mark.parametrize(("kind", "name", "case", "expected"), BENEFITS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_published_benefit_comes_out_to_the_fen(kind: str, name: str, case: dict[str, Any], expected: str) -> None:
    assert str(assess_case(catalogue_plan(name), case).total) == expected


@pytest.mark.parametrize(("kind", "name", "fee", "expected"), CONTRIBUTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_published_contribution_comes_out_to_the_fen(kind: str, name: str, fee: dict[str, Any], expected: str) -> None:
    assert str(run_example(catalogue_plan(name), {"name": kind, "expect": expected, "fee": fee})) == expected


def test_every_published_amount_has_a_plan_file_that_comes_to_it() -> None:
    benefits = {"tiered_ratio", "flat_ratio", "nth_admission_ratio", "daily_allowance", "waiting_bands", "lump_sum", "category_lump_sum"}
    benefits |= {"reclassify_topup", "death_within_days", "sum_of_plans", "claim_deadline", "coverage_start"}
    benefits |= {"grant_table", "loan_subsidy"}
    assert {kind for kind, _plan, _case, _yuan in BENEFITS} == benefits
    assert {kind for kind, *_rest in CONTRIBUTIONS} == {"split_share", "by_class", "units", "participation_gate", "by_term"}
    assert all(fact["by"] for fact in PUBLISHED)
    assert len([fact for fact in PUBLISHED if fact["basis"] != "terms"]) == 54
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
