"""Applications for help: what is declared, a sum for each so many of it, paid once; and plan files that say it wrong."""

from dataclasses import replace
from typing import Any

import pytest

from programs.rules.assess import Assessment
from programs.rules.casefile import situation
from programs.rules.examples import assess_case
from programs.rules.explain import sentences
from programs.rules.facts import as_data, case_of
from programs.rules.faults import ScheduleError
from programs.rules.outline import item_lines
from programs.rules.parse import parse
from programs.rules.schedule import Schedule
from tests.programs.rules.plans import catalogue_plan, in_turn, item, plan_data

LOAN = {"code": "loan", "name": {"zh": "贷款", "en": "loan"}, "in": "yuan"}
JOBS = {"code": "jobs", "name": {"zh": "带动就业人数", "en": "jobs"}, "in": "count", "most": "50"}
TEN_THOUSAND = {"for_each": {"every": "10000", "amount": "600"}}


def _data(*steps: dict[str, Any], asks: Any = (LOAN,), events: tuple[str, ...] = ("hardship",), **more: Any) -> dict[str, Any]:
    return plan_data(item(*steps, events=events, **more), **({"asks": list(asks)} if asks else {}))


def _told(schedule: Schedule, **case: Any) -> Assessment:
    return assess_case(schedule, {"event": "hardship", **case})


@pytest.mark.parametrize(
    ("loan", "whole", "begun"),
    [("0", "0.00", "0.00"), ("9999.99", "0.00", "600.00"), ("10000", "600.00", "600.00"), ("45000", "2400.00", "3000.00")],
)
def test_a_sum_for_each_ten_thousand_of_a_declared_loan(loan: str, whole: str, begun: str) -> None:
    begins = {"for_each": {**TEN_THOUSAND["for_each"], "started": True}}
    for steps, expected in ((TEN_THOUSAND, whole), (begins, begun)):
        assert str(_told(parse(_data({"declared": "loan"}, steps)), declared={"loan": loan}).total) == expected


def test_what_is_declared_may_be_a_base_like_any_other() -> None:
    by_ratio = parse(_data({"declared": "loan"}, {"ratio": "0.06"}, {"ceiling": {"amount": "3000", "scope": "case"}}))
    assert str(_told(by_ratio, declared={"loan": "45000"}).total) == "2700.00"
    less = parse(_data({"declared": "loan"}, {"offset": {"other_aid": True}}))
    assert str(_told(less, declared={"loan": "1000"}, other_aid="400").total) == "600.00"
    assert _told(less, declared={"loan": "1000"}).missing == ("other_aid",)


def test_nothing_declared_is_something_missing_and_one_of_several_is_one_applied_for() -> None:
    schedule = catalogue_plan("chengdu-startup.2026")
    assert _told(schedule).missing == ("declared",)
    found = _told(schedule, declared={"loan": "40000"})
    assert found.missing == ()
    assert {one.code: one.refused.code for one in found.items if one.refused} == {"guarantee": "not_declared", "jobs": "not_declared"}


def test_of_several_options_only_one_is_ever_paid_for_life() -> None:
    schedule = catalogue_plan("chengdu-startup.2026")
    guarantee, jobs = ({"event": "hardship", "declared": one} for one in ({"guaranteed": "30000"}, {"jobs": 12}))
    assert [str(amount) for amount in in_turn(schedule, guarantee, jobs)] == ["900.00", "0.00"]
    refused = _told(schedule, declared={"jobs": 12}, used={"lifetime:startup": "0.01"}).items[-1].refused
    assert refused is not None
    assert refused.code == "given_before"


def test_without_the_condition_a_second_option_would_be_paid() -> None:
    """The control: the same plan, its items not paid once."""
    schedule = catalogue_plan("chengdu-startup.2026")
    again = replace(schedule, items=tuple(replace(one, gates=()) for one in schedule.items))
    guarantee, jobs = ({"event": "hardship", "declared": one} for one in ({"guaranteed": "30000"}, {"jobs": 12}))
    assert [str(amount) for amount in in_turn(again, guarantee, jobs)] == ["900.00", "2100.00"]


def test_every_line_is_told_in_both_languages_and_the_facts_come_back_as_they_were_kept() -> None:
    schedule = catalogue_plan("chengdu-startup.2026")
    told = situation(schedule, {"event": "hardship", "declared": {"loan": "60000", "jobs": 12}})
    assert case_of(as_data(told.case)) == told.case
    lines = [line.words for one in _told(schedule, declared={"loan": "60000"}).as_data()["items"] for line in sentences(one)]
    assert "申报：创业贷款金额 60,000.00 元" in [words.zh for words in lines]
    assert "每 10,000 元计 600.00 元，计 6 次" in [words.zh for words in lines]
    assert all(words.zh and words.en for words in lines)
    outline = [words.zh for one in schedule.items for words in item_lines(one)]
    assert "以申报的“带动就业人数”为基数" in outline
    assert "按档次给付：0 个至 10 个给付 2,000.00 元，10 个以上给付 3,000.00 元" in outline


_LIMIT = {"ceiling": {"amount": "9", "scope": "disease"}}
_NOTHING = {"for_each": {"every": "0", "amount": "1"}}
FIRST = ("items", 0, "steps", 0)
# what is wrong: the terms, where the fault lies, its words
MISTAKES: dict[str, tuple[dict[str, Any], tuple[Any, ...], str]] = {
    "a figure nobody asks for": (_data({"declared": "rent"}, asks=()), (*FIRST, "declared"), "asks 里没有代码为 rent 的数"),
    "a figure no item uses": (_data({"fixed": "100"}), ("asks", 0), "没有一个项目用到这个数"),
    "a figure asked for twice": (_data({"declared": "loan"}, asks=(LOAN, LOAN)), ("asks", 1, "code"), "代码 loan 用了两次"),
    "a number taken for yuan": (_data({"declared": "jobs"}, asks=(JOBS,)), (*FIRST, "declared"), "后面要有 for_each 或 tiers"),
    "declared in hospital": (_data({"declared": "loan"}, events=("admission",)), (*FIRST, "declared"), "只有 events: [hardship]"),
    "a bill": (_data({"take": "self_pay"}, asks=()), (*FIRST, "take"), "困难申请没有住院、费用、疾病和伤残"),
    "a disease": (_data({"fixed": "1"}, _LIMIT, asks=()), ("items", 0, "steps", 1, "ceiling"), "困难申请没有住院"),
    "a hospital": (_data({"fixed": "1"}, asks=(), gates=[{"with_admission": True}]), ("items", 0, "gates", 0, "with_admission"), "困难"),
    "for each nothing": (_data({"declared": "loan"}, _NOTHING), ("items", 0, "steps", 1, "for_each", "every"), "要大于 0"),
    "once, no limit": (_data({"fixed": "1"}, asks=(), gates=[{"once": "lifetime"}]), ("items", 0, "gates", 0, "once"), "lifetime 的封顶"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_terms_that_say_it_wrong_are_refused_each_with_its_own_words(name: str) -> None:
    data, path, words = MISTAKES[name]
    with pytest.raises(ScheduleError) as refused:
        parse(data)
    assert [(fault.path, words in fault.words.zh) for fault in refused.value.faults] == [(path, True)]


@pytest.mark.parametrize(
    ("declared", "words"),
    [({"rent": "1"}, "没有问这个数；有：loan、jobs"), ({"jobs": "1.5"}, "要填整数"), ({"jobs": 51}, "最多填 50"), ({"loan": "-1"}, "应为")],
)
def test_a_case_that_declares_it_wrong_is_refused(declared: dict[str, Any], words: str) -> None:
    schedule = parse(_data({"declared": "loan"}, asks=(LOAN, JOBS)) | {"items": [
        item({"declared": "loan"}, events=("hardship",)),
        item({"declared": "jobs"}, {"tiers": [{"over": "0", "amount": "2000"}]}, code="jobs", events=("hardship",)),
    ]})  # fmt: skip
    with pytest.raises(ScheduleError) as refused:
        _told(schedule, declared=declared)
    assert words in refused.value.faults[0].words.zh
