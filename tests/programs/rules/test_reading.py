"""What is left under each limit after a claim, as the worker, the reviewer and the auditor read it."""

import json
from typing import Any

import pytest

from programs.rules.examples import assess_case
from programs.rules.limits import limit_names
from programs.rules.reading import READERS, limit_lines, statement
from tests.programs.rules.plans import catalogue_plan, item, plan

LIMITED = plan(
    item(
        {"take": "self_pay"},
        {"deduct": {"amount": "500", "per": "period", "key": "first"}},
        {"ceiling": {"amount": "3000", "scope": "case"}},
        {"ceiling": {"amount": "5000", "scope": "period", "key": "plan"}},
        {"ceiling": {"amount": "9000", "scope": "lifetime", "key": "ever"}},
        {"ceiling": {"amount": "4000", "scope": "disease", "key": "each"}},
        code="a",
    ),
    item(
        {"per_day": {"rate": "50", "max_days_in_period": 90, "key": "days"}},
        {"ceiling": {"amount": "5000", "scope": "period"}},
        code="b",
        name={"zh": "津贴", "en": "allowance"},
    ),
)
CASE = {"event": "admission", "self_pay": "2500", "days": 10, "diagnosis_code": "C50.9", "used": {"days:days": "4", "period:plan": "1000"}}


def told(reader: str, language: str = "zh", schedule: Any = LIMITED, case: Any = CASE) -> list[str]:
    stored = json.loads(json.dumps(assess_case(schedule, case).as_data()))
    return [line.words.in_language(language) for line in limit_lines(stored, reader=reader, names=limit_names(schedule))]


def test_the_worker_reads_what_is_left_of_every_limit() -> None:
    assert told("worker") == [
        "每次申领最多给付 3,000.00 元（补助），本次 2,000.00 元；下一次重新计算",
        "本保障期内先由个人承担（起付线） 500.00 元（补助），已扣 500.00 元（其中本次 500.00 元），还要扣 0.00 元",
        "本保障期内最多给付 5,000.00 元（各项合计），已用 3,500.00 元（其中本次 2,500.00 元），还剩 1,500.00 元",
        "终身最多给付 9,000.00 元（补助），已用 2,000.00 元（其中本次 2,000.00 元），还剩 7,000.00 元",
        "本保障期内同一疾病最多给付 4,000.00 元（补助），已用 2,000.00 元（其中本次 2,000.00 元），还剩 2,000.00 元",
        "本保障期内最多计天数 90 天（津贴），已计 14 天（其中本次 10 天），还剩 76 天",
    ]
    assert told("worker", "en")[2] == (
        "at most in this period of cover 5,000.00 (all items together): 3,500.00 used, 2,500.00 of it by this claim; 1,500.00 left"
    )
    days = "days counted at most in this period of cover 90 days (allowance): 14 days counted, 10 of it by this claim; 76 days left"
    assert told("worker", "en")[5] == days


def test_only_the_auditor_reads_the_disease_in_the_key() -> None:
    assert not any("C50" in line for reader in ("worker", "reviewer") for line in told(reader))
    assert any("［disease:each:C50］" in line for line in told("auditor"))


def test_a_limit_that_was_lowered_leaves_nothing_not_less() -> None:
    lines = told("worker", case=CASE | {"used": {"period:plan": "7000"}})
    assert any(line.endswith("已用 7,000.00 元（其中本次 0.00 元），还剩 0.00 元") for line in lines)


def test_a_sum_without_an_end_is_no_limit_to_the_worker() -> None:
    bands = [{"over": "0", "ratio": "0.5"}]
    schedule = plan(item({"take": "self_pay"}, {"marginal": {"per": "period", "bands": bands, "key": "base"}}))
    case = {"event": "admission", "self_pay": "100"}
    assert told("worker", schedule=schedule, case=case) == []
    assert "累计计算基数（补助）" in told("reviewer", schedule=schedule, case=case)[0]


@pytest.mark.parametrize("reader", READERS)
def test_the_statement_of_a_combo_names_the_items_of_each_limit(reader: str) -> None:
    schedule = catalogue_plan("hangzhou-combo.2018")
    case = {"event": "diagnosis", "gender": "female", "diagnosis_class": "cancer", "diagnosis_code": "C50.9"}
    stored = assess_case(schedule, case).as_data()
    lines = statement(stored, reader=reader, names=limit_names(schedule), terms="甲", content_hash="0" * 64)
    assert sum("最多给付" in line.words.zh for line in lines) == len(stored["usage"]) == 1
