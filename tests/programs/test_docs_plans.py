"""docs/plans.md keeps its word: every plan, every fragment, every case of it is run, and nothing of the format is left out."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from programs.rules.applicant import judged, may_join
from programs.rules.bases import BASE_WORDS as BASES
from programs.rules.casefile import CASE, PERSON, UNIT, situation
from programs.rules.combine import complete
from programs.rules.examples import FEE, HEAD, assess_case, check_examples
from programs.rules.faults import ScheduleError
from programs.rules.gates import GATES
from programs.rules.parse import SCHEMA_FILE, parse
from programs.rules.planfile import PlanFile, read_plan
from programs.rules.schedule import Schedule
from programs.rules.steps import STEPS
from tests.programs.rules.plans import GOOD, lookup, published
from tests.programs.rules.test_bad_files import FILES, MISTAKES, read

DOCS = Path(__file__).resolve().parents[2] / "docs"
TESTS = Path(__file__).resolve().parents[1]
TEXT = (DOCS / "plans.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\n应得：\*\*([0-9,.]+) 元\*\*)?", re.MULTILINE | re.DOTALL)
SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, what it is, and for a case the amount that the document promises."""

    line: int
    kind: str
    text: str
    promised: str

    def __str__(self) -> str:
        return f"line {self.line}"


def _blocks() -> list[Block]:
    return [Block(TEXT[: m.start()].count("\n") + 1, m[1], m[2], (m[3] or "").replace(",", "")) for m in BLOCK.finditer(TEXT)]


BLOCKS = _blocks()
PLANS = [block for block in BLOCKS if block.kind == "yaml" and block.text.startswith("format: 1\n")]
FRAGMENTS = [block for block in BLOCKS if block.kind == "yaml" and block not in PLANS]
CASES = [block for block in BLOCKS if block.kind == "json"]
FIRST = read_plan(PLANS[0].text.encode(), source="docs/plans.md")


def _find(code: str, version: str) -> Any:
    return FIRST.data if (code, version) == (FIRST.code, FIRST.version) else lookup(code, version)


def _plan_of(block: Block) -> Schedule:
    """A whole plan as it stands; items and other parts put into the first plan of the document, as the document says."""
    if block in PLANS:
        file = read_plan(block.text.encode(), source=f"docs/plans.md:{block.line}")
    else:
        text = f"items:\n{block.text}" if block.text.startswith("- ") else block.text
        part = read_plan(text.encode(), source=f"docs/plans.md:{block.line}").data
        file = PlanFile({**FIRST.data, "examples": [], **part}, {}, f"docs/plans.md:{block.line}")
    return parse(complete(file, _find), source=file.source, lines=file.lines)


def _cases() -> Iterator[tuple[Block, Block]]:
    """Every case with the plan or part that stands before it."""
    before = PLANS[0]
    for block in BLOCKS:
        if block.kind == "yaml":
            before = block
        elif block.kind == "json":
            yield before, block


def test_every_block_of_the_document_is_one_that_is_run() -> None:
    assert TEXT.count("```") == 2 * len(BLOCKS)
    assert len(PLANS) + len(FRAGMENTS) + len(CASES) == len(BLOCKS)
    assert (len(PLANS), len(FRAGMENTS) > 25, len(CASES) > 50) == (3, True, True)
    assert all(block.promised for block in CASES)


@pytest.mark.parametrize("block", PLANS, ids=str)
def test_every_whole_plan_parses_and_its_examples_come_out(block: Block) -> None:
    schedule = _plan_of(block)
    assert schedule.examples
    assert check_examples(schedule) == []


@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_every_part_of_a_plan_parses_and_its_examples_come_out(block: Block) -> None:
    assert check_examples(_plan_of(block)) == []


@pytest.mark.parametrize(("plan", "case"), list(_cases()), ids=str)
def test_every_case_comes_to_the_amount_that_is_promised(plan: Block, case: Block) -> None:
    found = assess_case(_plan_of(plan), json.loads(case.text))
    assert f"{found.total:.2f}" == case.promised
    assert found.missing == ()


def test_whether_one_may_join_is_as_promised() -> None:
    """And the same rule by rule as the document says in words."""
    words, found = {"可以": "yes", "不能": "no", "还不能判断": "unknown"}, []
    for plan, block in _cases():
        case, after = json.loads(block.text), TEXT.split(block.text, 1)[1]
        if "person" not in case:
            continue
        promised = re.search(r"参加：\*\*(.+?)\*\*", after)
        schedule = _plan_of(plan)
        verdicts = judged(schedule, case, cover_start=situation(schedule, case).cover.period.start)
        assert may_join(verdicts) == words[promised[1] if promised else ""]
        found.append({said.outcome: {one.rule for one in verdicts if one.outcome == said.outcome} for said in verdicts})
    assert len(found) == 3
    assert set(found[0]) == {"pass"}
    assert found[1]["fail"] == {"participation", "same_shares"}
    assert "age" in found[1]["unknown"]
    assert found[2]["unknown"] >= {"employment", "age", "months_in_unit", "participation"}


def test_a_promise_that_is_off_by_a_fen_would_be_noticed() -> None:
    plan, case = next(pair for pair in _cases() if "1733.84" in pair[1].text)
    assert case.promised == published("national-inpatient.2026")[0][1]
    assert str(assess_case(_plan_of(plan), {**json.loads(case.text), "self_pay": "1733.85"}).total) != case.promised


# --- nothing is left out --------------------------------------------------------------------------------------------


def _fields(node: Any) -> Iterator[str]:
    """Every field that the published format knows, wherever it stands."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for value in node.values():
            yield from _fields(value)
    elif isinstance(node, list):
        for value in node:
            yield from _fields(value)


def _values(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (str(value) for value in node.get("enum", []) if isinstance(value, str))
        for value in node.values():
            yield from _values(value)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value)


def _said(word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", TEXT) is not None


def test_every_field_and_value_of_the_format_is_in_the_document() -> None:
    assert sorted({word for word in [*_fields(SCHEMA), *_values(SCHEMA)] if not _said(word)}) == []


@pytest.mark.parametrize("name", [*STEPS, *GATES, *BASES])
def test_every_step_condition_and_base_is_explained_and_shown(name: str) -> None:
    assert f"`{name}`" in TEXT or f"`- {name}:" in TEXT
    shown = "".join(block.text for block in [*PLANS, *FRAGMENTS])
    assert re.search(rf"\b{name}\b", shown)


def test_every_field_of_a_case_and_of_a_fee_is_in_the_document() -> None:
    assert sorted(word for word in {*CASE, *PERSON, *UNIT, *FEE, *HEAD} if f"`{word}`" not in TEXT) == []


def _provisions() -> list[tuple[str, list[str], list[str]]]:
    """The rows of the list of what the format can say: the provision, its fields, the tests that show it."""
    section = TEXT[TEXT.index("## 18 ") :]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ") and "`test_" in line]
    return [(row[0].strip(), re.findall(r"`(\w+)`", row[1]), re.findall(r"`(\w+)`", row[2])) for row in rows]


def test_what_the_format_can_say_is_in_the_format_shown_in_the_document_and_held_by_a_test() -> None:
    known, shown = {*_fields(SCHEMA), *CASE, *BASES}, "".join(block.text for block in BLOCKS)
    tests = set(re.findall(r"def (test_\w+)", "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))))
    found = _provisions()
    assert len(found) > 45
    assert [what for what, fields, held in found if not fields or not held] == []
    assert [field for _what, fields, _held in found for field in fields if field not in known] == []
    assert [field for _what, fields, _held in found for field in fields if not re.search(rf"\b{field}\b", shown)] == []
    assert [name for _what, _fields, held in found for name in held if name not in tests] == []


def test_a_field_that_is_not_explained_would_be_noticed() -> None:
    assert not _said("moon_phase")


def test_the_eleven_forms_each_have_a_section_with_a_case() -> None:
    places = [TEXT.index(f"### 9.{number} ") for number in range(1, 12)]
    assert places == sorted(places)
    ends = [*places[1:], TEXT.index("## 10 ")]
    for start, end in zip(places, ends, strict=True):
        section = TEXT[start:end]
        assert "```yaml" in section
        assert "```json" in section
        assert "应得：**" in section


def _messages() -> list[str]:
    found = []
    for bad in MISTAKES.values():
        with pytest.raises(ScheduleError) as refused:
            read(GOOD.replace(bad.old, bad.new, 1))
        found.append(refused.value.in_language("zh"))
    for raw, *_rest in FILES.values():
        with pytest.raises(ScheduleError) as refused:
            read_plan(raw, source="plan.yaml")
        found.append(refused.value.in_language("zh"))
    return found


def test_every_message_that_is_explained_is_one_that_the_loader_says() -> None:
    section = TEXT[TEXT.index("## 16 ") : TEXT.index("## 17 ")]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    explained = [words for row in rows for words in re.findall(r"`([^`]+)`", row)]
    said = _messages()
    assert len(explained) > 25
    assert [words for words in explained if not any(words in message for message in said)] == []


def test_the_line_of_the_message_shown_as_an_example_is_right() -> None:
    quoted = re.search(r"^> (plan\.yaml，.*)$", TEXT, re.MULTILINE)
    assert quoted
    with pytest.raises(ScheduleError) as refused:
        read(GOOD.replace('"0.80"', '"1.80"'))
    assert refused.value.in_language("zh") == quoted[1]


def test_links_inside_the_document_lead_somewhere() -> None:
    def anchor(title: str) -> str:
        return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")

    titles = {anchor(line.lstrip("# ")) for line in TEXT.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= titles


# --- the files beside it, and the command ---------------------------------------------------------------------------


def test_the_files_beside_the_document_are_those_of_the_document() -> None:
    assert (DOCS / "plans" / "first-plan.yaml").read_text("utf-8") == PLANS[0].text
    assert (DOCS / "plans" / "first-case.json").read_text("utf-8") == CASES[0].text


def test_the_command_of_the_document_gives_the_amount(db_all: None) -> None:
    out = io.StringIO()
    call_command("assess", str(DOCS / "plans" / "first-plan.yaml"), str(DOCS / "plans" / "first-case.json"), stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["amount"] == CASES[0].promised == "5000.00"
    section = TEXT[TEXT.index("## 15 ") : TEXT.index("## 16 ")]
    assert [key for key in answer if f"`{key}`" not in section] == []


def test_where_nothing_is_installed_the_settings_beside_the_document_do_and_none_are_named_in_one_line() -> None:
    ask = [sys.executable, "manage.py", "assess", "docs/plans/first-plan.yaml", "docs/plans/first-case.json"]
    lines = (DOCS / "plans" / "assess.env").read_text("utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    bare = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(ask, cwd=DOCS.parent, env=bare | told, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)["amount"] == CASES[0].promised
    none = subprocess.run(ask, cwd=DOCS.parent, env=bare, capture_output=True, text=True, timeout=120, check=False)
    assert (none.returncode, none.stdout, none.stderr.count("\n")) == (2, "", 1)
    assert "SECRET_KEY" in none.stderr
