"""The page where the first reviewer settles the facts: only what the plan asks, with a note, and the estimate follows."""

import re
from datetime import date

import pytest
from django.urls import reverse

from claims.models import Claim
from tests.factories.clients import client_of
from tests.factories.world import ASKED, World, load
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere

SEEN = re.compile(r'name="seen" value="(\d+)"')


@pytest.fixture
def claim(world: World) -> Claim:
    with everywhere(reason="arrange"), frozen(ASKED):
        cover = world.cover(world.member(102), terms=load("national-critical-illness.2026"))
        facts = {
            "event_on": date(2026, 5, 20),
            "diagnosis": "心梗",
            "diagnosis_class": "critical_mild",
            "diagnosis_code": "I21.0",
            "hospital": "一院",
        }
        return world.claim(cover, 0, event="diagnosis", facts=facts)


def _address(claim: Claim) -> str:
    return reverse("admin:claim_facts", args=[claim.pk])


def test_the_class_is_settled_and_the_amount_follows(world: World, claim: Claim) -> None:
    reviewer = client_of(world.cast.reviewer)
    page = reviewer.get(_address(claim)).content.decode()
    assert "给付类别" in page
    assert "伤残等级" not in page
    assert "其他渠道已给的补助" not in page
    said = {"diagnosis_class": "critical_severe", "diagnosis_code": "I21.9", "note": "病理报告"}
    answer = reviewer.post(_address(claim), said)
    assert answer["Location"] == reverse("admin:claim_review", args=[claim.pk])
    review = reviewer.get(answer["Location"]).content.decode()
    assert "10,000.00" in review
    assert "核定事实" in review  # in the history
    assert "内容摘要" in review  # the auditor's record
    _whoever_opened_it_before_is_told(world, claim, page)


def _whoever_opened_it_before_is_told(world: World, claim: Claim, opened: str) -> None:
    """A colleague's page of before: neither do its facts undo what was settled meanwhile, nor is a decision taken on them."""
    (before,) = SEEN.findall(opened)
    reviewer, address = client_of(world.cast.reviewer), reverse("admin:claim_review", args=[claim.pk])
    undone = reviewer.post(_address(claim), {"diagnosis_class": "critical_mild", "note": "以前的页面", "seen": before})
    assert (undone.status_code, "有了变化" in undone.content.decode()) == (409, True)
    late = reviewer.post(address, {"decision": "review", "note": "看过了", "seen": before})
    assert (late.status_code, "有了变化" in late.content.decode()) == (409, True)
    now = set(SEEN.findall(late.content.decode()))
    assert len(now) == 1
    assert reviewer.post(address, {"decision": "review", "note": "看过了", "seen": now.pop()}).status_code == 302
    with everywhere(reason="look"):
        assert Claim.objects.values_list("state", "diagnosis_class").get(pk=claim.pk) == ("reviewed", "critical_severe")


@pytest.mark.parametrize(
    "said", [{}, {"diagnosis_class": "moon", "note": "x"}, {"diagnosis_code": "12", "note": "x"}, {"diagnosis_code": "\x00", "note": "x"}]
)
def test_what_is_not_right_is_told(world: World, claim: Claim, said: dict) -> None:
    answer = client_of(world.cast.reviewer).post(_address(claim), said)
    assert answer.status_code == 400
    assert "请先改正下面的问题" in answer.content.decode()


def test_the_kind_of_event_is_settled_where_the_plan_names_kinds(world: World) -> None:
    until = {"until": {"default": "2026-06-30", "childbirth": "2026-08-31"}}
    with everywhere(reason="arrange"), frozen(ASKED):
        cover = world.cover(world.member(104), terms=load("shaanxi-yulin-medical.2026", claim_within=until))
        late = world.claim(cover, 100_000)
    reviewer = client_of(world.cast.reviewer)
    assert "生育（最晚 2026年8月31日申领）" in reviewer.get(_address(late)).content.decode()
    answer = reviewer.post(_address(late), {"event_kind": "childbirth", "diagnosis_code": "O80", "note": "出生医学证明"})
    review = reviewer.get(answer["Location"]).content.decode()
    assert "生育（最晚 2026年8月31日申领）" in review
    assert "800.00" in review


def test_only_the_first_reviewer_of_the_office(world: World, claim: Claim) -> None:
    assert client_of(world.cast.approver).get(_address(claim)).status_code == 403
    assert client_of(world.cast.outsider).get(_address(claim)).status_code == 404
