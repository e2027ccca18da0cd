"""How each item waits under one cover, in words: per item where they differ, plainly where they do not."""

from datetime import date
from typing import Any

import pytest

from programs.rules.waits import waits, waits_in_words
from tests.programs.rules.plans import item, plan

START = date(2026, 1, 1)
TWO = plan(
    item({"fixed": "10"}, code="a", name={"zh": "住院", "en": "stay"}, waiting={"days": 30, "waived_on_renewal_within_days": 30}),
    item({"fixed": "10"}, code="b", name={"zh": "大病", "en": "illness"}, waiting={"days": 90}),
    item({"fixed": "10"}, code="c", name={"zh": "伤残", "en": "disability"}, events=("accident_disability",)),
    waiting={"days": 10},
)
ILLNESS = "大病：到 2026年3月31日，这之前发生的疾病不给付；伤残：没有等待期"
BANDS = [{"from_day": 1, "to_day": 30, "amount": "0"}, {"from_day": 31, "to_day": 90, "amount": "500"}, {"from_day": 91, "amount": "10000"}]
BANDED = plan(item({"wait": BANDS}), waiting={"days": 90, "waived_on_renewal_within_days": 30})
BY_MONTH = {"wait": [{"from_month": 1, "to_month": 3, "ratio": "0.5"}, {"from_month": 4, "ratio": "1"}]}
MONTHS = plan(item({"take": "self_pay"}, BY_MONTH))
ALIKE = plan(item({"fixed": "1"}, code="a"), item({"fixed": "1"}, code="b"), waiting={"days": 30, "waived_on_renewal_within_days": 30})


@pytest.mark.parametrize(
    ("schedule", "since", "on", "says"),
    [
        (TWO, None, None, "住院：到 2026年1月30日，这之前发生的疾病不给付；" + ILLNESS),
        (TWO, 30, None, "住院：连续参加，没有等待期；" + ILLNESS),
        (TWO, 31, date(2026, 2, 1), "住院：已于 2026年1月30日 结束；" + ILLNESS),
        (BANDED, None, None, "到 2026年3月31日，这之前发生的疾病按条款少给或不给"),
        (BANDED, 0, None, "连续参加，没有等待期"),
        (MONTHS, None, None, "到 2026年3月31日，这之前发生的疾病按条款少给或不给"),
        (ALIKE, None, None, "到 2026年1月30日，这之前发生的疾病不给付"),
        (ALIKE, 5, None, "连续参加，没有等待期"),
        (plan(item({"fixed": "1"})), None, None, "没有等待期"),
    ],
)
def test_every_item_waits_by_its_own_waiver(schedule: Any, since: int | None, on: date | None, says: str) -> None:
    found = waits(schedule, START, since)
    assert waits_in_words(found, on=on).zh == says
    assert waits_in_words(found, on=on).en
