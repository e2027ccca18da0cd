"""Every plan of the catalogue can be read in sentences, in both languages."""

import re
from pathlib import Path

import pytest

from programs.rules import outline
from programs.rules.schedule import Gate, Step
from tests.programs.rules.plans import FILES, catalogue_plan

CODE = re.compile(r"\b[a-z]+_[a-z_0-9]+\b")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_plan_reads_in_sentences(path: Path) -> None:
    schedule = catalogue_plan(path.stem)
    said = [*outline.joining_lines(schedule), *outline.fee_lines(schedule)]
    said += [outline.waiting_words(schedule), outline.deadline_words(schedule)]
    for item in schedule.items:
        lines = outline.item_lines(item)
        assert len(lines) == len(item.gates) + len(item.steps)
        said += lines
    assert all(words.zh.strip() and words.en.strip() for words in said)
    assert [words.zh for words in said if CODE.search(words.zh)] == []


def test_a_step_or_gate_without_words_is_an_error() -> None:
    with pytest.raises(KeyError):
        outline.step_words(Step("multiply", {}))
    with pytest.raises(KeyError):
        outline.gate_words(Gate("moon", {}))
