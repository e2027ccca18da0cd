"""Plans keep their word: every example of every file; the engine's promises hold for any figures."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.rules.examples import assess_case, check_examples
from programs.rules.explain import sentences
from programs.rules.faults import ScheduleError
from programs.rules.parse import parse
from programs.rules.planfile import read_plan

CATALOGUE = Path(__file__).resolve().parents[3] / "programs" / "catalogue"
FILES = sorted(CATALOGUE.glob("*.yaml"))
YULIN = parse(read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data)
yuan = st.decimals(0, 500_000, places=2, allow_nan=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_example_of_the_plan_comes_out(path: Path) -> None:
    schedule = parse(read_plan(path.read_bytes(), source=path.name).data)
    assert schedule.examples
    assert check_examples(schedule) == []


def test_an_example_that_is_off_by_a_fen_is_found() -> None:
    data = read_plan((CATALOGUE / "national-inpatient.2026.yaml").read_bytes(), source="x").data
    data["examples"][0]["expect"] = "1213.68"
    assert [f.found for f in check_examples(parse(data))] == [Decimal("1213.69")]


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
    data = read_plan((CATALOGUE / "national-allowance-combo.2026.yaml").read_bytes(), source="x").data
    case = {"event": "diagnosis", "event_on": "2026-04-30", "days": 20}
    first = assess_case(parse(data), case)
    data["items"].reverse()
    assert assess_case(parse(data), case) == first
    assert sum(item.amount for item in first.items) == first.total == Decimal("10850.00")


def test_every_step_is_told_in_both_languages() -> None:
    for path in FILES:
        schedule = parse(read_plan(path.read_bytes(), source=path.name).data)
        for example in schedule.examples:
            if "case" in example:
                for item in assess_case(schedule, example["case"]).as_data()["items"]:
                    lines = sentences(item)
                    assert all(line.words.zh and line.words.en for line in lines)
                    assert item["clause"] in lines[-1].words.zh


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("category: medical", "category: medical\nsurprise: 1", "surprise"),
        ('ratio: "0.80"', 'ratio: "1.80"', "ratio"),
        ('{over: "2000"', '{over: "1500"', "over"),
        ('{over: "2000"', '{over: "2500"', "over"),
        ('amount: "300"', 'amount: "-300"', "amount"),
        ('amount: "300"', "amount: 300.5", "amount"),
        ("clause: 第七条", "clause: ''", "clause"),
        ("take: self_pay", "take: everything", "take"),
        ("end: 2026-12-31", "end: 2025-12-31", "end"),
        ("category: medical", "category: medical\ncategory: combo", "line"),
        ("category: medical", "category: &a medical\noffice2: *a", "line"),
    ],
)
def test_a_bad_plan_file_is_refused_with_its_place(old: str, new: str, where: str) -> None:
    text = (CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8")
    assert old in text
    with pytest.raises(ScheduleError) as refused:
        parse(read_plan(text.replace(old, new, 1).encode(), source="plan.yaml").data)
    assert where in refused.value.in_language("en")


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"- a", b"a: [", b"a: " + b"[" * 5000, b"x" * 300_000])
def test_no_bytes_break_the_loader(raw: bytes) -> None:
    with pytest.raises(ScheduleError):
        read_plan(raw, source="plan.yaml")
