"""What would I get: typical bills and one's own figures under the plans one may join, with the way it is reckoned; nothing kept."""
from decimal import Decimal

import pytest
from django.test import Client

from claims.models import BenefitStatement, Claim
from members.services import enrolment
from tests.factories.world import JOINED, World, load
from tests.pages.test_my_covers import plan
from tests.programs.rules.plans import published
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry


@pytest.fixture
def worker(world: World) -> Client:
    with everywhere(reason="arrange"), frozen(JOINED):
        load("national-inpatient.2026")
        member = world.member(150)
    client = Client()
    client.force_login(member.user)
    return client


def _text(client: Client, query: str = "") -> str:
    with frozen(JOINED):
        answer = client.get(f"/my/plans/would-get{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("bill", "self_pay", "yulin", "national"),
    [(0, "1,540.00", "1,232.00", "1,078.00"), (1, "4,240.00", "3,168.00", "2,968.00"), (2, "18,640.00", "11,520.00", "13,048.00")],
)
def test_typical_bills_by_hand(worker: Client, bill: int, self_pay: str, yulin: str, national: str) -> None:
    """5,000: 0.8 × 1,540; 20,000: 1,600 + 0.7 × 2,240; 100,000: 1,600 + 5,600 + 0.5 × 8,640; and 70% throughout."""
    text = _text(worker, f"?bill={bill}")
    assert f"目录内自付 ¥{self_pay} 元" in text
    assert f"互助金约 ¥{yulin} 元" in text
    assert f"互助金约 ¥{national} 元" in text


def test_the_way_it_is_reckoned_is_shown(worker: Client) -> None:
    text = _text(worker, "?bill=1")
    assert "2,000.00 元至 10,000.00 元的部分：2,240.00 元 × 70%" in text
    assert "按已过等待期" in text


def test_every_plan_shows_all_three_bills_at_a_glance(worker: Client) -> None:
    text = _text(worker, "?bill=1")
    for total, yulin in (("5,000", "1,232.00"), ("20,000", "3,168.00"), ("100,000", "11,520.00")):
        assert f"<dt>花 ¥{total} 元</dt><dd>约 ¥{yulin} 元</dd>" in text


def test_a_plan_for_children_is_reckoned_for_a_child(worker: Client) -> None:
    plan("children", {"enrolment": {"relations": ["minor_child"], "ages": [{"from": 0, "to": 17}]}})
    text = _text(worker, "?bill=1")
    card = text[text.index("计划children") :]
    assert "按 10 岁的孩子估算" in card
    assert "互助金约 ¥3,168.00 元" in card[: card.index("</section>")]


def test_what_the_bill_does_not_tell_is_said_and_not_taken_for_nothing(worker: Client) -> None:
    item = {"code": "list", "name": {"zh": "重病住院", "en": "x"}, "clause": "一", "events": ["admission"]}
    item |= {"gates": [{"diagnosis_in": ["C"]}], "steps": [{"take": "self_pay"}, {"ratio": "0.50"}]}
    case = {"event": "admission", "self_pay": "100.00", "diagnosis_code": "C50"}
    plan("list", {"items": [item], "examples": [{"name": "一", "case": case, "expect": "50.00"}]})
    text = _text(worker, "?bill=1")
    card = text[text.index("计划list") :]
    assert "还要看疾病编码，只凭账单算不出来" in card
    assert "¥0.00" not in card[: card.index("</section>")]


def test_ones_own_bill(worker: Client) -> None:
    text = _text(worker, "?total=8000&personal=2733.84&outside=1000&days=9")
    (own,) = [yuan for case, yuan in published("national-inpatient.2026") if case.get("self_pay") == "1733.84"]
    assert f"互助金约 ¥{Decimal(own):,.2f} 元" in text


def test_shares_are_chosen_and_begin_with_what_one_has_or_what_the_unit_has(world: World, worker: Client) -> None:
    """30% of 18,640 is 5,592.00, at most 3,000 a share. Other members of the unit with two shares leave no choice; without them one
    begins with one share."""
    with everywhere(reason="arrange"):
        terms = load("tianjin-critical-inpatient.2026", office=None)
    name = f"shares-{terms.pk}"

    def card(query: str = "") -> str:
        text = _text(worker, f"?bill=2{query}")
        return text[text.index(f'id="plan-{terms.pk}"') :].partition("</section>")[0]

    assert "互助金约 ¥3,000.00 元" in card()
    assert card().count(f"?bill=2&amp;{name}=") == 3
    assert "互助金约 ¥5,592.00 元" in card(f"&{name}=2")
    assert "（按 2 份）" in card(f"&{name}=2")
    for odd in ("9", "0", "-1", "x", "", "２"):
        assert "互助金约 ¥3,000.00 元" in card(f"&{name}={odd}")
    own = _text(worker, f"?total=30000&personal=20000&outside=0&days=9&{name}=2")
    assert f'<input type="hidden" name="{name}" value="2">' in own, "one's own bill keeps the shares that were chosen"
    with everywhere(reason="arrange"), frozen(JOINED):
        other = world.member(151)
        enrolment.enrol(
            member=other, holder=other, relation="self", terms=terms, shares=2, unit=world.unit, on=JOINED, by=world.worker(other),
            term_months=12,
        )  # fmt: skip
    assert "互助金约 ¥5,592.00 元" in card()
    assert f"{name}=" not in card()


def test_figures_that_cannot_be_are_told(worker: Client) -> None:
    with frozen(JOINED):
        answer = worker.get("/my/plans/would-get?total=100&personal=200&outside=300&days=0")
    assert answer.status_code == 400
    for words in ("不能大于医疗费总额", "不能大于自己负担的金额", "住院天数"):
        assert words in answer.content.decode()


@pytest.mark.parametrize("text", ["", "\x00", "-1", "1e9", "9" * 30, "１２３", "NaN", "'"])
def test_no_input_gives_a_5xx(worker: Client, text: str) -> None:
    with frozen(JOINED):
        for name in ("bill", "total", "personal", "outside", "days"):
            assert worker.get("/my/plans/would-get", {name: text}).status_code in (200, 400)


def test_nothing_is_kept(worker: Client) -> None:
    with everywhere(reason="count"):
        before = (Claim.objects.count(), BenefitStatement.objects.count(), AuditEntry.objects.count())
    _text(worker, "?bill=2")
    with everywhere(reason="count"):
        assert (Claim.objects.count(), BenefitStatement.objects.count(), AuditEntry.objects.count()) == before
