"""Two versions beside each other: every field has words, every difference is found, and nothing is told that is not one."""

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from programs.rules.combine import complete
from programs.rules.compare import Difference, differences, recomputed, side_by_side
from programs.rules.fields import field_words
from programs.rules.parse import parse
from programs.rules.planfile import as_file, read_folder, read_plan
from programs.rules.schedule import content_hash
from programs.rules.shape import Shape, plan_shape

FOLDER = Path(__file__).resolve().parents[3] / "programs" / "catalogue"
FILES = read_folder(FOLDER)[0]
KNOWN = {(file.code, file.version): file.data for file in FILES}
PLANS = {file.source: complete(file, lambda code, version: KNOWN.get((code, version))) for file in FILES}
YULIN = PLANS["shaanxi-yulin-medical.2026.yaml"]


def changed(data: dict[str, Any], *path: Any, to: Any = None) -> dict[str, Any]:
    """A copy with one place changed, or (None) removed."""
    made = copy.deepcopy(data)
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return made


def told(found: list[Difference]) -> list[tuple[str, str, str]]:
    return [(" › ".join(w.zh for w in one.words), one.before.zh if one.before else "", one.after.zh if one.after else "") for one in found]


def properties(shape: Shape, where: str = "") -> list[tuple[str, str]]:
    """(where, name) of every field that the format knows."""
    found = []
    for name in shape.fields:
        found += [(where, name), *properties(shape.field(name), name)]
    return found + (properties(shape.member, where) if "items" in shape.node else [])


def test_every_field_of_the_format_has_words() -> None:
    found = properties(plan_shape())
    assert len(found) > 120
    for where, name in found:
        words = field_words(name, where)
        assert words.zh, name
        assert not words.zh.isascii(), name
        assert words.en.isascii(), name


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_plan_does_not_differ_from_itself_and_is_the_same_from_its_file(name: str) -> None:
    stored = json.loads(json.dumps(PLANS[name], sort_keys=True))
    assert differences(PLANS[name], stored) == []
    assert all(section.same for section in side_by_side(parse(stored), parse(copy.deepcopy(stored))))
    data = read_plan(as_file(stored).encode(), source=name).data
    assert content_hash(data) == content_hash(PLANS[name])


def test_any_two_plans_can_be_compared_and_no_code_is_shown() -> None:
    names = sorted(PLANS)
    for a, b in [(name, names[(i + far) % len(names)]) for i, name in enumerate(names) for far in (1, 7, -1)]:
        found = differences(PLANS[a], PLANS[b])
        assert found
        for one in found:
            for words in (*one.words, one.before, one.after, one.change):
                if words is not None and one.path[0] not in ("code", "version", "office"):
                    assert not any(part in words.zh for part in ("{", "[", "_")), (one.path, words.zh)
        assert not all(section.same for section in side_by_side(parse(PLANS[a]), parse(PLANS[b])))


def test_one_changed_field_is_one_difference() -> None:
    band = ("items", 0, "steps", 1, "marginal", "bands", 0, "ratio")
    place = "保障项目“住院医疗补助” › 分段比例 › 第 1 段 › 比例"
    found = differences(YULIN, changed(YULIN, *band, to="0.85"))
    assert told(found) == [(place, "80%", "85%")]
    assert found[0].path == ("items", "inpatient", "steps", "marginal", "marginal", "bands", 0, "ratio")
    assert found[0].money
    assert found[0].change is not None
    assert found[0].change.zh == "多 5 个百分点"
    found = differences(YULIN, changed(YULIN, "contribution", "per_share", to="100.50"))
    assert told(found) == [("互助费 › 每份", "125.00 元", "100.50 元")]
    assert found[0].change is not None
    assert found[0].change.zh == "少 24.50 元"
    assert told(differences(YULIN, changed(YULIN, "enrolment", "individual", to=False))) == [("参加 › 个人可以参加", "是", "否")]
    assert told(differences(changed(YULIN, "enrolment", "individual", to=False), changed(YULIN, "enrolment", "individual"))) == [
        ("参加 › 个人可以参加", "否", "")
    ]
    assert told(differences(YULIN, changed(YULIN, "claim_within"))) == [("申领期限", "天数：180 天", "")]
    assert told(differences(YULIN, changed(YULIN, "documents", 0, "events", to=["admission"]))) == [
        ("材料“医疗费用结算单或发票” › 事由", "住院、门诊", "住院")
    ]


def test_what_counts_something_is_not_called_yuan() -> None:
    """A number of jobs, shares, people, working days: each with its own unit; sums beside them stay sums."""
    chengdu = PLANS["chengdu-startup.2026.yaml"]
    jobs = next(i for i, one in enumerate(chengdu["items"]) if "tiers" in str(one["steps"]))
    j = next(j for j, step in enumerate(chengdu["items"][jobs]["steps"]) if "tiers" in step)
    tier = ("items", jobs, "steps", j, "tiers", 0)
    wider = changed(changed(chengdu, *tier, "up_to", to="12"), *tier[:-1], 1, "over", to="12")
    found = differences(chengdu, wider)
    assert [one[1:] for one in told(found)] == [("10 个", "12 个"), ("10 个", "12 个")]
    assert [(one.change.zh, one.change.en) for one in found if one.change] == [("多 2 个", "2 more")] * 2
    assert [one[1:] for one in told(differences(chengdu, changed(chengdu, *tier, "amount", to="2100")))] == [("2,000.00 元", "2,100.00 元")]
    code = next(ask["code"] for ask in chengdu["asks"] if ask["in"] == "count")
    k = next(k for k, ask in enumerate(chengdu["asks"]) if ask["code"] == code)
    capped = changed(chengdu, "asks", k, "most", to="50")
    assert told(differences(capped, changed(capped, "asks", k, "most", to="60")))[0][1:] == ("50 个", "60 个")
    shares = changed(YULIN, "enrolment", "shares", to={"max": 2})
    assert told(differences(shares, changed(shares, "enrolment", "shares", "max", to=3)))[0][1:] == ("2 份", "3 份")
    days = changed(YULIN, "deciding", to={"appeal_days": 10})
    assert told(differences(days, changed(days, "deciding", "appeal_days", to=15)))[0][1:] == ("10 个工作日", "15 个工作日")
    grade = {"gates": [{"hospital_grade": 2}]}
    graded = changed(YULIN, "items", 0, to={**YULIN["items"][0], **grade})
    assert told(differences(graded, changed(graded, "items", 0, "gates", 0, "hospital_grade", to=[1, 2])))[0][1:] == ("2 级", "1 级、2 级")


def test_a_figure_by_the_grade_and_a_composed_base_are_compared_part_by_part() -> None:
    first = changed(YULIN, "items", 0, "steps", to=[{"take": "self_pay"}, {"ratio": "0.80"}])
    base = {"base": "self_pay", "less": ["act_pay_dedc"]}
    second = changed(YULIN, "items", 0, "steps", to=[{"take": base}, {"ratio": {"1": "0.90", "2": "0.80", "3": "0.70"}}])
    assert [one[1:] for one in told(differences(first, second))] == [
        ("个人自付（不含自费）", "基数：个人自付（不含自费）；减去：实际支付起付线"),
        ("80%", "1 级：90%；2 级：80%；3 级：70%"),
    ]
    third = changed(second, "items", 0, "steps", 1, "ratio", "3", to="0.75")
    assert [(one[0].rsplit(" › ", 1)[1], *one[1:]) for one in told(differences(second, third))] == [("3 级", "70%", "75%")]


def test_items_are_matched_by_code_and_steps_by_what_they_do() -> None:
    turned = changed(YULIN, "items", to=list(reversed(YULIN["items"])))
    assert differences(YULIN, turned) == []
    without = changed(YULIN, "items", 1)
    assert [(one.words[0].zh, one.after) for one in differences(YULIN, without)] == [("保障项目“门诊慢特病补助”", None)]
    fewer = changed(YULIN, "items", 1, "steps", 1)
    assert told(differences(YULIN, fewer)) == [("保障项目“门诊慢特病补助” › 起付线", "金额：300.00 元；计算范围：每次申领", "")]
    steps = list(YULIN["items"][1]["steps"])
    swapped = changed(YULIN, "items", 1, "steps", to=[steps[0], steps[2], steps[1], *steps[3:]])
    assert told(differences(YULIN, swapped)) == [
        ("保障项目“门诊慢特病补助” › 步骤顺序", "计算基数 → 起付线 → 比例 → 封顶线（本保障期内） → 封顶线（本保障期内）",
         "计算基数 → 比例 → 起付线 → 封顶线（本保障期内） → 封顶线（本保障期内）"),
    ]  # fmt: skip


def test_the_same_case_is_computed_under_both_on_the_days_of_each() -> None:
    a, b = (PLANS[name] for name in ("fuzhou-medical.2010.yaml", "fuzhou-medical.2012.yaml"))
    found = {one.name: (one.before, one.after) for one in recomputed(parse(a), parse(b))}
    assert found["医保内总费用 20000 元"] == (Decimal("2000.00"), Decimal("2600.00"))
    national = PLANS["national-inpatient.2026.yaml"]
    later = changed(national, "period", to={"start": "2028-01-01", "end": "2028-12-31"}) | {"version": "2028", "examples": []}
    assert {one.name: one.before == one.after for one in recomputed(parse(national), parse(later))} == {
        example["name"]: True for example in national["examples"]
    }


def test_an_example_that_a_plan_cannot_hold_does_not_apply() -> None:
    women = PLANS["national-women.2026.yaml"]
    fee = {"name": "男职工", "fee": {"heads": [{"gender": "male", "count": 1}]}, "expect": "80.00"}
    asked = changed(PLANS["national-inpatient.2026.yaml"], "examples", to=[fee])
    only_women = changed(women, "contribution", to={"classes": [{"gender": "female", "per_share": "25"}]})
    assert [(one.before, one.after) for one in recomputed(parse(asked), parse(only_women)) if one.name == "男职工"] == [
        (Decimal("80.00"), None)
    ]
