"""`manage.py assess PLAN CASE.json [--on DATE]`: the amount and how it came about, as JSON; for terms, codes and loose files."""

import io
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from programs.models import Terms
from programs.sources import Source, of_the_cover
from tests.factories.world import CATALOGUE, load
from tests.programs.rules.plans import item, plan, published

STAY, INPATIENT = published("national-inpatient.2026")[0]
FUZHOU, FUZHOU_2010 = published("fuzhou-medical.2010")[0]
FUZHOU_2012 = published("fuzhou-medical.2012")[0][1]


@pytest.fixture
def run(tmp_path: Path, db_all: None):
    def assess(plan: str, case: Any, *more: str) -> dict[str, Any]:
        path, out = tmp_path / "case.json", io.StringIO()
        path.write_text(case if isinstance(case, str) else json.dumps(case), "utf-8")
        call_command("assess", plan, str(path), *more, stdout=out)
        return json.loads(out.getvalue())

    return assess


def test_the_published_amount(run) -> None:
    found = run("national-inpatient", STAY)
    assert found["amount"] == INPATIENT
    assert [item["amount"] for item in found["items"]] == [INPATIENT]
    assert found["reasons"] == found["missing"] == []
    assert found["plan"]["from"] == "catalogue"
    for reader in ("worker", "reviewer", "auditor"):
        assert any(f"{Decimal(INPATIENT):,.2f}" in line for line in found["statement"][reader]["zh"])
        assert any(f"{Decimal(INPATIENT):,.2f}" in line for line in found["statement"][reader]["en"])
    assert sum("第六条" in line for line in found["statement"]["worker"]["zh"]) == 1  # with the sum of the item alone
    assert found["plan"]["content_hash"] in found["statement"]["auditor"]["zh"][-1]


@pytest.mark.parametrize(("day", "amount"), [("2010-06-01", FUZHOU_2010), ("2012-06-01", FUZHOU_2012)])
def test_the_version_is_that_of_the_day_it_happened(run, day: str, amount: str) -> None:
    assert run("fuzhou-medical", FUZHOU, "--on", day)["amount"] == amount
    assert run("fuzhou-medical", {**FUZHOU, "event_on": day})["amount"] == amount


def test_what_no_item_answers_to_is_said(run) -> None:
    found = run("fuzhou-medical", {"event": "disease_death"})
    (why,) = [one for one in found["reasons"] if "code" in one]
    assert (found["amount"], why["code"], why["item"]) == ("0.00", "no_item", None)
    assert "本计划有：住院" in why["zh"]
    assert "it has: stay in hospital" in why["en"]


def test_the_day_of_asking_never_chooses_the_version(run) -> None:
    assert run("fuzhou-medical", {**FUZHOU, "event_on": "2010-06-01"}, "--on", "2012-03-01")["amount"] == FUZHOU_2010


@pytest.mark.parametrize(
    "told",
    [
        {"joined_on": "2010-03-01"},
        {"death_on": "2010-06-01"},
        {"stays": [{"admitted_on": "2012-01-05", "insured_total": "1"}, {"admitted_on": "2010-12-30", "insured_total": "1"}]},
    ],
)
def test_every_day_that_a_case_tells_can_choose_the_version(run, told: dict[str, Any]) -> None:
    """Of the catalogue's two, the later one where no day is told."""
    case = {"event": "admission", **told} if "stays" in told else {**FUZHOU, **told}
    assert run("fuzhou-medical", case)["plan"]["version"] == "2010"


@pytest.mark.parametrize(
    ("joined_on", "on", "version"),
    [
        (None, None, ("2026", "2027")),
        (None, date(2026, 3, 1), ("2026",)),
        (date(2026, 3, 1), None, ("2026",)),
        (date(2025, 11, 10), None, ("2026",)),
        (date(2026, 3, 1), date(2027, 3, 1), ("2026",)),  # outside the cover: no other terms come in for it
        (date(2024, 3, 1), date(2027, 3, 1), ("2027",)),  # before any of them took people in
        (date(2026, 11, 10), None, ("2027",)),  # in time for the next year, before late entry to what runs
        (date(2026, 11, 10), date(2026, 12, 1), ("2026",)),
        (date(2026, 11, 10), date(2027, 2, 1), ("2027",)),
    ],
)
def test_whoever_joined_has_the_terms_that_took_people_in_then(joined_on: Any, on: Any, version: tuple[str, ...]) -> None:
    sources = []
    for year in (2026, 2027):
        days = {"opens": f"{year - 1}-10-01", "closes": f"{year - 1}-12-31"}
        terms = plan(item({"fixed": "1"}), version=str(year), period={"start": f"{year}-01-01", "end": f"{year}-12-31"}, enrolment=days)
        sources.append(Source(terms, "", "catalogue"))
    assert tuple(one.schedule.version for one in of_the_cover(sources, on=on, joined_on=joined_on)) == version


def test_a_day_beside_the_first_day_of_cover_is_the_day_it_happened(run) -> None:
    """The day of cover says nothing of the event: --on does, and is no day of claiming then."""
    case = {"event": "admission", "self_pay": "1000", "cover_start": "2026-01-01"}
    late = run("shaanxi-yulin-medical@2026", {**case, "event_on": "2026-02-01"}, "--on", "2026-12-01")
    assert [one["code"] for one in late["reasons"] if one["item"]] == ["too_late"]
    assert run("shaanxi-yulin-medical@2026", case, "--on", "2026-12-01")["amount"] == "800.00"


def test_a_version_by_name_and_one_that_does_not_hold(run) -> None:
    assert run("fuzhou-medical@2010", FUZHOU)["amount"] == FUZHOU_2010
    with pytest.raises(CommandError, match="没有在这一天有效的条款；现有各期：2010、2012"):
        run("fuzhou-medical", FUZHOU, "--on", "2011-06-01")


def test_loaded_terms_come_before_the_catalogue(run) -> None:
    terms = load("national-inpatient.2026")
    found = run("national-inpatient", STAY)
    assert (found["plan"]["from"], found["plan"]["content_hash"]) == ("terms", terms.content_hash)


def test_a_file_that_is_not_loaded(run, tmp_path: Path) -> None:
    path = tmp_path / "our plan.yaml"
    text = (CATALOGUE / "national-inpatient.2026.yaml").read_text("utf-8")
    path.write_text(text.replace('ratio: "0.70"', 'ratio: "0.60"'), "utf-8")
    found = run(str(path), STAY)
    assert (found["amount"], found["plan"]["from"]) == ("1040.30", "file")
    assert not Terms.objects.exists()


def test_a_refusal_comes_with_its_reason_and_clause(run) -> None:
    found = run("national-inpatient", {**STAY, "event_on": "2026-01-20"})
    assert found["amount"] == "0.00"
    assert found["reasons"][0]["code"] == "waiting"
    assert found["reasons"][0]["clause"] == "第六条"
    assert "等待期" in found["reasons"][0]["zh"]
    assert "waiting" in found["reasons"][0]["en"]


def test_whether_one_may_join_is_told_beside_the_amount_and_never_changes_it(run) -> None:
    """An old case tells nothing of it: then it is open. Each rule: pass, fail or unknown, a sentence, what would settle or change it."""
    found = run("national-inpatient", STAY)
    assert (found["amount"], found["may_join"], found["reasons"]) == (INPATIENT, "unknown", [])
    person = {"birth_date": "1985-03-01", "employment": "retired", "union_member": False}
    found = run("national-inpatient", {**STAY, "person": person})
    assert (found["amount"], found["may_join"]) == (INPATIENT, "no")
    rules = {one["rule"]: one for one in found["eligibility"]}
    assert {name for name, one in rules.items() if one["outcome"] == "fail"} == {"employment", "union_member"}
    assert [(one["rule"], one["item"]) for one in found["reasons"]] == [("employment", None), ("union_member", None)]
    assert rules["union_member"]["evidence"]["zh"].startswith("工会会员证")
    assert (rules["age"]["outcome"], rules["window"]["outcome"]) == ("pass", "unknown")


def test_what_is_missing_is_named_and_not_guessed(run) -> None:
    found = run("national-critical-illness", {"event": "diagnosis", "diagnosis_code": "I21.0"})
    assert (found["amount"], found["missing"]) == ("0.00", ["diagnosis_class"])


@pytest.mark.parametrize(
    ("plan", "case", "more", "words"),
    [
        ("nowhere", STAY, (), "没有代码为 nowhere 的计划"),
        ("nowhere.yaml", STAY, (), "打不开计划文件"),
        ("national-inpatient", "[1]", (), "应是"),
        ("national-inpatient", "{", (), "不是能读的 JSON"),
        ("national-inpatient", '{"event": "admission", "event": "diagnosis"}', (), "写了两次"),
        ("national-inpatient", {}, (), "缺少这个字段：发生了什么"),
        ("national-inpatient", {"event": "party"}, (), "应为以下之一"),
        ("national-inpatient", {**STAY, "surprise": 1}, (), "不认识的字段"),
        ("national-inpatient", {**STAY, "self_pay": "-1"}, (), "不能为负"),
        ("national-inpatient", {**STAY, "self_pay": "1.234"}, (), "最多两位小数"),
        ("national-inpatient", {**STAY, "event_on": "2026-02-30"}, (), "日期，如"),
        ("national-inpatient", STAY, ("--on", "yesterday"), "请按“年-月-日”填写日期"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_field(run, plan: str, case: Any, more: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(plan, case, *more)


@pytest.mark.parametrize("case", ['{"event": "admission", "diagnosis_code": "\\ud800"}', '{"event": "admission", "a\\u0000": 1}'])
def test_a_case_with_half_a_letter_is_refused_in_words(run, case: str) -> None:
    with pytest.raises(CommandError, match="不能保存的字符"):
        run("national-inpatient", case)


def test_a_case_saved_by_a_windows_editor_is_a_case(run) -> None:
    assert run("national-inpatient", "\ufeff" + json.dumps(STAY))["amount"] == INPATIENT


@pytest.mark.parametrize("odd", ['"\\ud800"', '"\\0"', "030"])
def test_a_plan_file_with_an_odd_text_is_refused_in_words(run, tmp_path: Path, odd: str) -> None:
    text = (CATALOGUE / "national-inpatient.2026.yaml").read_text("utf-8")
    plan = tmp_path / "plan.yaml"
    plan.write_text(re.sub(r"(?m)^  title: .*$", lambda _found: f"  title: {odd}", text, count=1), "utf-8")
    assert odd in plan.read_text("utf-8")
    with pytest.raises(CommandError, match="plan.yaml，第 [0-9]+ 行"):
        run(str(plan), STAY)
