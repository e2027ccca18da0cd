"""Every plan of the catalogue can be read in sentences, in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest

from programs.rules import outline
from programs.rules.schedule import Gate, Step
from tests.programs.rules.plans import FILES, catalogue_plan, item, plan

CODE = re.compile(r"\b[a-z]+_[a-z_0-9]+\b")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_plan_reads_in_sentences(path: Path) -> None:
    schedule = catalogue_plan(path.stem)
    said = [*outline.joining_lines(schedule), *outline.fee_lines(schedule)]
    said += [outline.waiting_words(schedule), outline.deadline_words(schedule)]
    for one in schedule.items:
        lines = outline.item_lines(one)
        assert len(lines) == len(one.gates) + len(one.steps)
        said += lines
    assert all(words.zh.strip() and words.en.strip() for words in said)
    assert [words.zh for words in said if CODE.search(words.zh)] == []


def test_a_step_or_gate_without_words_is_an_error() -> None:
    with pytest.raises(KeyError):
        outline.step_words(Step("multiply", {}))
    with pytest.raises(KeyError):
        outline.gate_words(Gate("moon", {}))


BOTH = {"months": 6, "until": {"default": "2027-03-31", "childbirth": "2027-05-31"}, "unit_until": {"default": "2027-03-15"}}


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ({"days": 180, "after": "event"}, "事发后 180 天内申领"),
        ({"until": {"default": "2027-03-31", "childbirth": "2027-05-31"}}, "2027年3月31日前（生育的到2027年5月31日）申领"),
        (
            {**BOTH, "whichever": "later"},
            "事发或出院后 6 个月内或2027年3月31日前（生育的到2027年5月31日）申领，两个日子取较晚的；由单位代办的，2027年3月15日前交到单位",
        ),
        ({"unit_until": {"default": "2027-03-31"}}, "没有规定申领期限；由单位代办的，2027年3月31日前交到单位"),
    ],
)
def test_every_last_day_to_claim_is_told(window: dict[str, Any], says: str) -> None:
    words = outline.deadline_words(plan(item({"fixed": "1"}), claim_within=window))
    assert words.zh == says
    assert not CODE.search(words.en)


def test_figures_by_the_grade_of_the_hospital_are_told_grade_by_grade() -> None:
    steps = [{"per_day": {"rate": {"2": "60", "3": "50"}}}, {"ratio": {"2": "0.9", "3": "0.8"}}]
    lines = outline.item_lines(plan(item(*steps, gates=[{"hospital_grade": [2, 3]}])).items[0])
    assert [line.zh for line in lines] == [
        "限 2、3 级医院", "住院每天 3 级医院 50.00 元、2 级医院 60.00 元", "按 3 级医院 80%、2 级医院 90% 计",
    ]  # fmt: skip
