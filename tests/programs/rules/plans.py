"""Plan files for tests: those of the catalogue, whole, and small ones made of a few items."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from programs.rules.assess import Assessment
from programs.rules.combine import complete
from programs.rules.examples import assess_case
from programs.rules.parse import parse
from programs.rules.planfile import PlanFile, read_folder
from programs.rules.schedule import Schedule

CATALOGUE = Path(__file__).resolve().parents[3] / "programs" / "catalogue"
FILES = sorted(CATALOGUE.glob("*.yaml"))
PUBLISHED: list[dict[str, Any]] = json.loads(Path(__file__).resolve().parents[1].joinpath("published.json").read_text("utf-8"))


def published(plan: str) -> list[tuple[dict[str, Any], str]]:
    """Every case in which this plan of the catalogue comes to an amount that was published, with the amount (yuan)."""
    return [(way["case"], fact["yuan"]) for fact in PUBLISHED for way in fact["by"] if way["plan"] == plan and "case" in way]


@cache
def catalogue() -> Mapping[str, PlanFile]:
    """Every file of the catalogue by its name (without .yaml)."""
    files, error = read_folder(CATALOGUE)
    assert error is None
    return {file.source.removesuffix(".yaml"): file for file in files}


def lookup(code: str, version: str) -> Any:
    """The plans of the catalogue, for those that refer to them."""
    return next((file.data for file in catalogue().values() if (file.code, file.version) == (code, version)), None)


@cache
def catalogue_plan(name: str) -> Schedule:
    """A plan of the catalogue, with what it is based on and made of."""
    file = catalogue()[name]
    return parse(complete(file, lookup), source=file.source, lines=file.lines, own=file.data)


def plan_data(*items: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A whole plan with these items; `top` replaces or adds fields."""
    return {
        "format": 1,
        "code": "test-plan",
        "version": "2026",
        "name": {"zh": "测试计划", "en": "a plan for tests"},
        "summary": {"zh": "测试", "en": "a test"},
        "category": "combo",
        "organiser": {"kind": "federation", "name": "测试市总工会"},
        "source": {"title": "测试条款"},
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "enrolment": {"opens": "2025-10-01", "closes": "2025-12-31", "shares": {"max": 4}},
        "contribution": {"per_share": "100"},
        "items": list(items),
        **top,
    }


def item(*steps: dict[str, Any], code: str = "aid", events: tuple[str, ...] = ("admission",), **more: Any) -> dict[str, Any]:
    """One benefit made of these steps."""
    return {"code": code, "name": {"zh": "补助", "en": "aid"}, "clause": "第一条", "events": list(events), "steps": list(steps), **more}


def plan(*items: dict[str, Any], **top: Any) -> Schedule:
    """The schedule of `plan_data`."""
    return parse(plan_data(*items, **top))


def paid(schedule: Schedule, **case: Any) -> str:
    """What a case comes to, as text with two decimals."""
    return str(assess_case(schedule, {"event": "admission", **case}).total)


def in_turn(schedule: Schedule, *cases: dict[str, Any]) -> list[Decimal]:
    """What each of several claims of one person and period comes to, each knowing what the earlier ones used."""
    used: dict[str, Decimal] = {}
    amounts = []
    for case in cases:
        found: Assessment = assess_case(schedule, {**case, "used": {key: f"{value:f}" for key, value in used.items()}})
        for use in found.usage:
            used[use.key] = used.get(use.key, Decimal(0)) + use.taken
        amounts.append(found.total)
    return amounts


# A whole file that uses most of the format; the tests of bad files break it in one place each.
GOOD = """\
format: 1
code: sample-medical
version: "2026"
name: {zh: 示例市职工医疗互助, en: A sample plan}
summary: {zh: 住院补助与重大疾病, en: inpatient and critical illness}
category: combo
organiser: {kind: federation, name: 示例市总工会}
office: "610800"
source: {title: 示例条款, note: 示例设定}
period: {start: 2026-01-01, end: 2026-12-31}
enrolment:
  opens: 2025-10-01
  closes: 2025-12-31
  late:
    - {who: new_hires, after: hired, within_months: 2}
  ages:
    - {from: 16, to: 60}
  shares: {max: 2}
contribution:
  per_share: "100"
  payers: {person: "60", union: "40"}
waiting: {days: 30}
items:
  - code: inpatient
    name: {zh: 住院补助, en: inpatient aid}
    clause: 第六条
    events: [admission]
    steps:
      - take: self_pay
      - marginal:
          bands:
            - {over: "0", up_to: "2000", ratio: "0.80"}
            - {over: "2000", ratio: "0.50"}
      - ceiling: {amount: "50000", scope: period}
  - code: critical
    name: {zh: 重大疾病, en: critical illness}
    clause: 第七条
    events: [diagnosis]
    gates:
      - once_per_disease: true
    steps:
      - wait:
          - {from_day: 1, to_day: 30, amount: "0"}
          - {from_day: 31, amount: "10000"}
      - ceiling: {amount: "10000", scope: period, key: critical}
      - ceiling: {amount: "50000", scope: period}
  - code: second
    name: {zh: 二次补助, en: second aid}
    clause: 第八条
    events: [admission]
    steps:
      - take: self_pay
      - less_items: [inpatient]
      - ratio: "0.10"
exclusive:
  - [inpatient, critical]
exclusions:
  - code: cosmetic
    name: {zh: 整形美容, en: cosmetic treatment}
    clause: 第九条
    diagnosis: [Z41]
claim_within: {days: 180}
documents:
  - code: settlement
    name: {zh: 结算单, en: settlement sheet}
examples:
  - {name: 自付 3000 元, case: {event: admission, self_pay: "3000"}, expect: "2190.00"}
"""
