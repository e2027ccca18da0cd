"""Plans into the database: the whole catalogue at once, a new plan as a data file alone, and nothing by halves."""

import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from programs.models import Program, Terms
from programs.rules.examples import assess_case
from programs.rules.planfile import read_plan
from programs.selectors import offered_terms, schedule_of, terms_in_force
from programs.services import PlanRefused, check, close, load_plans, publish
from tests.programs.rules.plans import CATALOGUE, FILES, GOOD, published
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM

Folder = Callable[..., str]
LATER = GOOD.replace('version: "2026"', 'version: "2026B"').replace("start: 2026-01-01", "start: 2026-07-01")


@pytest.fixture
def offices(db_all: None) -> None:
    call_command("load_offices", stdout=io.StringIO())


@pytest.fixture
def folder(tmp_path: Path, offices: None) -> Folder:
    """Load a folder of plan files by the command; what it printed."""

    def load(**files: str | bytes) -> str:
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        out = io.StringIO()
        call_command("load_catalogue", str(tmp_path), stdout=out)
        return out.getvalue().strip()

    return load


def _plan(code: str, text: str = GOOD) -> str:
    return text.replace("code: sample-medical", f"code: {code}")


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_the_whole_catalogue_is_published_at_once_and_again_changes_nothing(offices: None) -> None:
    out = io.StringIO()
    call_command("load_catalogue", stdout=out)
    assert out.getvalue().strip() == f"{len(FILES)} new, 0 changed, 0 same"
    assert set(Terms.objects.values_list("state", flat=True)) == {"published"}
    assert Terms.objects.count() == len(FILES)
    again = io.StringIO()
    call_command("load_catalogue", stdout=again)
    assert again.getvalue().strip() == f"0 new, 0 changed, {len(FILES)} same"


def test_an_office_s_own_version_stands_in_for_the_national_one_there_and_only_there(offices: None) -> None:
    """Whatever the names of the files: the office's own file comes first in the alphabet here."""
    call_command("load_catalogue", stdout=io.StringIO())

    def offered(code: str, on: date) -> set[str]:
        return {terms.program.code for terms in offered_terms(on=on, office=Office.objects.get(code=code))}

    hubei, yulin = offered("420000", date(2026, 3, 1)), offered("610800", date(2026, 3, 1))
    assert "hubei-inpatient" in hubei
    assert "national-inpatient" not in hubei
    assert "national-inpatient" in yulin
    assert "hubei-inpatient" not in yulin
    classes = {f"beijing-accident-{fee}" for fee in (26, 50, 74, 100)}
    assert classes <= offered("110000", date(2017, 3, 1))  # plans of one office stand side by side
    assert dict(Program.objects.exclude(replaces=None).values_list("code", "replaces__code")) == {"hubei-inpatient": "national-inpatient"}


def test_the_version_is_the_one_of_the_days_of_cover(offices: None) -> None:
    call_command("load_catalogue", stdout=io.StringIO())
    fuzhou = Program.objects.get(code="fuzhou-medical")
    found = [terms_in_force(fuzhou, on=day) for day in (date(2010, 6, 1), date(2012, 6, 1), date(2011, 6, 1))]
    ((case, then), (same, later)) = (published(f"fuzhou-medical.{year}")[0] for year in (2010, 2012))
    assert case == same
    assert [str(assess_case(schedule_of(terms), case).total) if terms else "" for terms in found] == [then, later, ""]


# (file, case, amount): published plans of different places, each loaded and assessed from the database
PLACES: list[tuple[str, dict[str, Any], str]] = [
    *((name, *published(name)[-1]) for name in (
        "beijing-allowance.2026", "shanghai-member-basic.2017", "chongqing-critical-illness.2026", "guangdong-inpatient.2026",
        "shaanxi-yulin-medical.2026", "fuzhou-medical.2012", "shaoxing-medical.2019",
    )),
    ("hangzhou-medical.2018", *published("hangzhou-medical.2018")[0]),
    ("tianjin-critical-inpatient.2026", {"event": "diagnosis", "event_on": "2026-03-31", "shares": 2}, "1000.00"),
    ("jiangxi-inpatient.2026", {"event": "admission", "self_pay": "480.00"}, "0.00"),
    ("hainan-medical.2026-2029", {"event": "admission", "self_pay": "1000"}, "500.00"),
    ("yunnan-medical.2026", {"event": "admission", "self_pay": "210000"}, "104000.00"),
    ("fujian-provincial.2026", {"event": "diagnosis", "diagnosis_code": "C34.1", "self_pay": "6000"}, "13000.00"),
    ("dalian-relief.2026", {"event": "diagnosis", "personal_cost": "9000", "other_aid": "3000", "diagnosis_code": "C34.1"}, "6000.00"),
    ("ningbo-women.2024", {"event": "diagnosis", "diagnosis_class": "cancer"}, "10000.00"),
    ("neimenggu-women.2026", {"event": "surgery", "diagnosis_class": "surgery"}, "2000.00"),
]


def test_published_plans_of_many_places_are_data_files_alone(offices: None) -> None:
    assert len({name.split("-")[0] for name, _case, _yuan in PLACES}) >= 12
    files = [read_plan((CATALOGUE / f"{name}.yaml").read_bytes(), source=f"{name}.yaml") for name, _case, _yuan in PLACES]
    loaded = load_plans(files, by=SYSTEM)
    assert [one.outcome for one in loaded] == ["new"] * len(PLACES)
    for one, (name, case, expected) in zip(loaded, PLACES, strict=True):
        terms = publish(check(one.terms, by=SYSTEM), by=SYSTEM)
        assert (name, terms.state, str(assess_case(schedule_of(terms), case).total)) == (name, "published", expected)


def test_a_plan_nobody_has_seen_before_needs_a_file_and_nothing_else(folder: Folder) -> None:
    assert folder(one=GOOD) == "1 new, 0 changed, 0 same"
    terms = Terms.objects.get(program__code="sample-medical")
    assert terms.state == "published"
    assert (
        str(assess_case(schedule_of(terms), {"event": "admission", "self_pay": "12000"}).total) == "7140.00"
    )  # 1600 + 10000 × 0.50, and a tenth of the 5400 that are left


# --- nothing by halves ------------------------------------------------------------------------------------------------

# (what the bad file is, the field and words of its own message, whether a line is named)
BAD: dict[str, tuple[str | bytes, str, bool]] = {
    "unknown field": (GOOD.replace("category: combo", "category: combo\nsurprise: 1"), "surprise：不认识的字段", True),
    "overlapping bands": (GOOD.replace('{over: "2000"', '{over: "1500"'), "与上一段重叠：上一段到 2000 为止", True),
    "gap between bands": (GOOD.replace('{over: "2000"', '{over: "2500"'), "与上一段之间有空档：上一段到 2000 为止", True),
    "ratio above 1": (GOOD.replace('"0.80"', '"1.80"'), "比例不能大于 1，现在是 1.80", True),
    "negative amount": (GOOD.replace('"50000"', '"-50000"'), "不能为负，现在是 -50000", True),
    "cap below item": (GOOD.replace('amount: "10000", scope', 'amount: "9999", scope'), "封顶 9999 元低于本项给付 10000 元", True),
    "missing clause": (GOOD.replace("    clause: 第七条\n", ""), "items[1].clause：缺少这个字段", True),
    "circular combo": (
        GOOD.replace("category: combo", 'category: combo\nincludes: [{code: bad, version: "2026"}]'),
        "includes[0]：计划互相引用，成了循环：bad → bad",
        True,
    ),
    "a part that is not there": (
        GOOD.replace("category: combo", 'category: combo\nincludes: [{code: nowhere, version: "2026"}]'),
        "includes[0]：没有找到所引用的计划 nowhere（2026）",
        True,
    ),
    "wrong encoding": (GOOD.encode("gb18030"), "文件不是 UTF-8 编码", True),
    "aliases": (GOOD.replace("waiting: {days: 30}", "waiting: &w {days: 30}\nother: [*w, *w, *w]"), "不能用别名", True),
    "nested without end": ("a: " + "{b: " * 500, "层次超过 20 层", True),
    "huge": (GOOD + "#" * 300_000, "文件太大，计划文件最多 256 KB", False),
    "duplicate key": (GOOD.replace("category: combo", "category: combo\ncategory: medical"), "字段“category”在这里写了两次", True),
    "impossible day": (GOOD.replace("end: 2026-12-31", "end: 2026-11-31"), "period.end：日历上没有 2026-11-31 这一天", True),
    "payers": (GOOD.replace('union: "40"', 'union: "30"'), "各方合计 90 元，不等于每份 100 元", True),
    "two steps in one line": (GOOD.replace("- less_items: [inpatient]", '- {less_items: [inpatient], ratio: "1"}'), "一行只写一个", True),
    "less_items in a circle": (GOOD.replace("less_items: [inpatient]", "less_items: [second]"), "项目之间循环引用", True),
    "unknown office": (GOOD.replace('office: "610800"', 'office: "999999"'), "office：没有代码为 999999 的办事处", True),
    "examples that fail": (
        GOOD.replace('expect: "2190.00"', 'expect: "2190.01"'),
        "examples[0].expect：算例“自付 3000 元”写的是 2190.01 元，按条款算出来是 2190.00 元",
        True,
    ),
    "no examples": (GOOD[: GOOD.index("examples:")], "没有算例", False),
    "no YAML": (GOOD.replace("{days: 180}", "{days: 180"), "不是能读的 YAML", True),
}


@pytest.mark.parametrize("name", BAD)
def test_a_folder_with_one_bad_file_leaves_nothing_behind(folder: Folder, name: str) -> None:
    content, told, has_line = BAD[name]
    bad = _plan("bad", content) if isinstance(content, str) else content
    with pytest.raises(CommandError) as refused:
        folder(a_good=_plan("a-good"), b_bad=bad, c_good=_plan("c-good"), d_good=_plan("d-good"))
    message = str(refused.value)
    assert message.startswith("没有载入任何计划。\n")
    assert told in message
    if has_line:
        assert re.search(r"b_bad\.yaml，第 \d+ 行", message)
    assert "good.yaml" not in message
    assert not Program.objects.exists()
    assert not Terms.objects.exists()


def test_without_the_bad_file_all_load(folder: Folder) -> None:
    """The negative control of the test above."""
    assert folder(a_good=_plan("a-good"), c_good=_plan("c-good"), d_good=_plan("d-good")) == "3 new, 0 changed, 0 same"
    assert set(Program.objects.values_list("code", flat=True)) == {"a-good", "c-good", "d-good"}


def test_each_kind_of_bad_file_has_its_own_message() -> None:
    told = [words for _content, words, _line in BAD.values()]
    assert len(set(told)) == len(told)


def test_two_versions_of_a_plan_on_the_same_days(folder: Folder) -> None:
    with pytest.raises(CommandError) as refused:
        folder(a=GOOD, b=LATER)
    assert "b.yaml，第 10 行，period：计划 sample-medical 的两期条款 2026 与 2026B 保障期重叠（另一份文件：a.yaml）" in str(refused.value)
    assert not Program.objects.exists()


@pytest.mark.parametrize("closed", [False, True])
def test_a_version_that_overlaps_published_or_closed_terms_is_not_even_a_draft(folder: Folder, closed: bool) -> None:
    folder(a=GOOD)
    if closed:
        close(Terms.objects.get(), by=SYSTEM)
    with pytest.raises(PlanRefused) as refused:
        load_plans([read_plan(LATER.encode(), source="later.yaml")], by=SYSTEM)
    state = "已结束" if closed else "已发布"
    said = f"later.yaml，第 10 行，period：计划 sample-medical 已有{state}的一期条款 2026（2026-01-01 至 2026-12-31），保障期与 2026B 重叠"
    assert refused.value.message == said
    assert list(Terms.objects.values_list("version_name", flat=True)) == ["2026"]


def test_the_version_after_the_published_one_is_taken(folder: Folder) -> None:
    folder(a=GOOD)
    after = LATER.replace("start: 2026-07-01", "start: 2027-01-01").replace("end: 2026-12-31", "end: 2027-12-31")
    assert [one.outcome for one in load_plans([read_plan(after.encode(), source="after.yaml")], by=SYSTEM)] == ["new"]


def test_a_draft_older_than_the_published_terms_it_overlaps_is_not_published(folder: Folder) -> None:
    (loaded,) = load_plans([read_plan(LATER.encode(), source="later.yaml")], by=SYSTEM)
    folder(a=GOOD)
    with pytest.raises(PlanRefused, match="保障期与这一期重叠"):
        publish(check(loaded.terms, by=SYSTEM), by=SYSTEM)
    assert list(Terms.objects.filter(state="published").values_list("version_name", flat=True)) == ["2026"]


def test_two_plans_that_include_each_other(folder: Folder) -> None:
    def combo(code: str, other: str) -> str:
        return _plan(code, GOOD.replace("category: combo", f'category: combo\nincludes: [{{code: {other}, version: "2026"}}]'))

    with pytest.raises(CommandError) as refused:
        folder(one=combo("one", "two"), two=combo("two", "one"))
    assert "one.yaml，第 7 行，includes[0]：" in str(refused.value)
    assert "计划互相引用，成了循环：one → two → one" in str(refused.value)
    assert not Terms.objects.exists()


def test_a_published_file_that_was_edited_is_refused_and_the_rest_of_the_folder_too(folder: Folder) -> None:
    folder(a=GOOD)
    before = Terms.objects.get()
    with pytest.raises(CommandError, match=r"a\.yaml：.*已发布，发布后的条款不能改动"):
        folder(a=GOOD.replace('"50000"', '"60000"'), b=_plan("b-good"))
    after = Terms.objects.get()
    assert (after.content_hash, after.schedule) == (before.content_hash, before.schedule)


def test_a_later_change_of_the_plan_it_came_from_changes_nothing(folder: Folder) -> None:
    """Complete terms are stored: a combo and an office's own version stand alone."""
    own = GOOD.replace("code: sample-medical", "code: base-plan")
    based = (
        'format: 1\ncode: own-plan\nversion: "2026"\nbased_on: {code: base-plan, version: "2026"}\n'
        'contribution: {per_share: "60"}\n'
        'examples:\n  - {name: 一人, fee: {heads: 1}, expect: "60.00"}\n'
        '  - {name: 自付 3000 元, case: {event: admission, self_pay: "3000"}, expect: "2190.00"}\n'
    )
    folder(base=own, own=based)
    stored = Terms.objects.get(program__code="own-plan").schedule
    assert "based_on" not in stored
    assert stored["items"] == Terms.objects.get(program__code="base-plan").schedule["items"]
    assert stored["contribution"] == {"per_share": "60"}


def test_faults_of_several_files_are_told_together(folder: Folder) -> None:
    with pytest.raises(CommandError) as refused:
        folder(a=GOOD.replace('"0.80"', '"1.80"'), b=GOOD.encode("gb18030"), c=_plan("c-good"))
    assert "b.yaml" in str(refused.value)
