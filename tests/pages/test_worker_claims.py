"""The worker's side of a claim, through the front door: the whole way with forms alone, and everything that may go wrong on it."""

import io
import re
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from claims.checks import KINDS
from claims.models import Admission, BenefitStatement, Claim, ClaimDocument, ClaimFlag
from claims.payouts import services as payouts
from claims.services import adjudication, intake
from members.models import BankCard, Consent, Enrolment
from members.services import contributions, enrolment, people
from tests.claims.test_told_of_stays import BY_GRADE, EXAMPLES
from tests.factories.payouts import release
from tests.factories.world import ASKED, ILL, JOINED, World, load
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry, RequestKey

OUT = date(2026, 5, 28)
FIGURES = {
    "medfee_sumamt": "18,000.00", "fund_pay_sumamt": "１１０００", "psn_part_amt": "7000 元", "fulamt_ownpay_amt": "1000",
    "overlmt_selfpay": "", "acct_pay": "2000", "psn_cash_pay": "5000",
}  # fmt: skip
ACCOUNT = {"which": "new", "bank_name": "中国农业银行榆林分行", "number": "6228480402564890018", "number_again": "6228 4804 0256 4890 018"}
HOSTILE = [
    "", "\x00", "x" * 5000, "-1", "1e9", "99999999999999999999", "１２３", "'; DROP TABLE x", "\ud800", "NaN", "2026-13-45",
    "9999-12-31", "𠮷" * 200,
]  # fmt: skip


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


def photo(words: str = "结算单", colour: str = "#335577") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "PNG")
    return SimpleUploadedFile(f"{words}.png", out.getvalue(), "image/png")


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def user_of(cover: Enrolment) -> User:
    with everywhere(reason="look"):
        return cover.member.user


class Walk:
    """A worker with a phone: opens pages and sends their forms as they stand there."""

    def __init__(self, user: User) -> None:
        self.client = client_of(user)
        self.page = "/my/"

    def get(self, address: str) -> str:
        answer = self.client.get(address, follow=True)
        assert answer.status_code == 200, address
        self.page = answer.request["PATH_INFO"]
        return _text(answer)

    def send(self, said: dict, *, address: str = "") -> HttpResponse:
        """Send the form of this page (or of `address`), with the hidden key that stands in it."""
        page = address or self.page
        found = re.search(r'name="key" value="([0-9a-f]+)"', _text(self.client.get(page)))
        answer = self.client.post(page, said | ({"key": found[1]} if found and "key" not in said else {}))
        if answer.status_code == 302:
            self.get(answer["Location"])
        return answer

    def begin(self, event: str, on: date, cover: Enrolment) -> Claim:
        self.get(reverse("claims:start"))
        self.send({"answer": event})
        if "person" in self.page:
            self.send({"answer": str(cover.member_id)})
        self.send({"answer": on.isoformat()})
        assert self.send({"cover": str(cover.public_id), "consent": "on"}).status_code == 302
        with everywhere(reason="look"):
            return Claim.objects.latest("id")

    def upload(self, claim: Claim) -> None:
        with everywhere(reason="look"):
            kinds = [d["code"] for d in claim.terms.schedule["documents"] if claim.event in d.get("events", [claim.event])]
        for i, kind in enumerate(kinds):
            said = {"kind": kind, "files": [photo(kind, f"#10203{i}"), photo("第二页", f"#50203{i}")]}
            assert self.client.post(reverse("claims:documents", args=[claim.public_id]), said).status_code == 302

    def step(self, claim: Claim, name: str, said: dict) -> HttpResponse:
        return self.send(said, address=reverse(f"claims:{name}", args=[claim.public_id]))


@pytest.fixture
def cover(world: World) -> Enrolment:
    with everywhere(reason="arrange"), frozen(JOINED):
        return world.cover(world.member(101))


@pytest.fixture
def walk(cover: Enrolment) -> Walk:
    return Walk(user_of(cover))


@pytest.fixture
def draft(walk: Walk, cover: Enrolment) -> Claim:
    return walk.begin("admission", ILL, cover)


@pytest.fixture
def full(walk: Walk, draft: Claim) -> Claim:
    """Everything told, not yet sent in."""
    told = {"hospital": "榆林市第一医院", "diagnosis": "急性阑尾炎", "diagnosis_code": "ｋ35.8", "by_accident": "no"}
    walk.step(draft, "medical", told)
    walk.step(draft, "stay_new", {"admitted_on": "2026-05-20", "discharged_on": "2026年5月28日", **FIGURES})
    walk.upload(draft)
    walk.step(draft, "account", {**ACCOUNT, "consent": "on"})
    return _fresh(draft)


@pytest.fixture
def sent(walk: Walk, full: Claim) -> Claim:
    assert walk.step(full, "check", {"declaration": "on"}).status_code == 302
    return _fresh(full)


def _fresh(claim: Claim) -> Claim:
    with everywhere(reason="look"):
        return Claim.objects.select_related("member", "claimant", "enrolment", "terms", "program", "card").get(pk=claim.pk)


def _decide(world: World, claim: Claim) -> Claim:
    with everywhere(reason="decide"):
        claim = _fresh(claim)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
    return _fresh(claim)


# -- the whole way --------------------------------------------------------------------------------------------------


def test_an_inpatient_claim_is_filled_in_sent_and_paid_what_the_plan_says(world: World, walk: Walk, full: Claim) -> None:
    page = walk.get(reverse("claims:check", args=[full.public_id]))
    assert "约 ¥4,400.00 元" in page  # self-pay 6000: 2000 at 80 %, 4000 at 70 %
    assert "估算" in page
    answer = walk.step(full, "check", {"declaration": "on"})
    assert answer["Location"] == reverse("claims:submitted", args=[full.public_id])
    done = walk.get(answer["Location"])
    assert full.number in done
    assert "榆林办事处" in done
    assert "2026年7月8日" in done
    claim = _fresh(full)
    assert (claim.state, claim.event_on, claim.diagnosis_code) == ("submitted", ILL, "K35.8")
    assert full.number in walk.get("/my/")
    assert _decide(world, claim).approved_fen == 440_000
    page = walk.get(reverse("claims:status", args=[full.public_id]))
    assert "¥4,400.00" in page
    assert "2026年7月1日" in page
    assert "互助金是怎么算的" in page
    assert "最多给付 50,000.00 元（各项合计），已用 4,400.00 元（其中本次 4,400.00 元），还剩 45,600.00 元" in page
    for word in ("理赔", "保险金", "报销", "submitted", "approved", "2026-07-01 "):
        assert word not in page


def _filed(walk: Walk, cover: Enrolment, *stays: dict[str, str]) -> Claim:
    """Filed by the forms and sent in: these stays, the same photos and account as every other."""
    claim = walk.begin("admission", ILL, cover)
    walk.step(claim, "medical", {"hospital": "榆林市第一医院", "diagnosis": "急性阑尾炎", "by_accident": "no"})
    for stay in stays:
        assert walk.step(claim, "stay_new", {**FIGURES, **stay}).status_code == 302
    walk.upload(claim)
    walk.step(claim, "account", {**ACCOUNT, "consent": "on"})
    assert walk.step(claim, "check", {"declaration": "on"}).status_code == 302
    return _fresh(claim)


def test_what_claims_share_is_flagged_and_dismissed_with_a_reason(world: World, walk: Walk, cover: Enrolment) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        other = world.cover(world.member(103, "李秀英"))
    may = {"admitted_on": "2026-05-20", "discharged_on": "2026-05-28"}
    mine = _filed(walk, cover, {**may, "invoice_number": "a00123456-78", "setl_id": "S-1"})
    told = walk.get(reverse("claims:status", args=[mine.public_id]))  # what one told can be read again
    assert all(words in told for words in ("2026年5月20日 至 2026年5月28日", "医疗费总额 18,000.00 元", "票据号码 A0012345678"))
    theirs = _filed(Walk(user_of(other)), other, {**may, "invoice_number": "Ａ００１２３ ４５６７８", "setl_id": "s 1"})
    january = {"admitted_on": "2026-01-10", "discharged_on": "2026-01-12"}
    again = _filed(walk, cover, january, {"admitted_on": "2026-05-27", "discharged_on": "2026-06-02"})
    reviewer = client_of(world.cast.reviewer)
    raised = {
        theirs.pk: {"票据重复", "结算编号重复", "材料相同", "账户多人共用"},
        again.pk: {"材料相同", "住院日期重叠", "账户多人共用", "参加后不久出险"},
    }
    for pk, labels in raised.items():
        address = reverse("admin:claim_review", args=[pk])
        with everywhere(reason="look"):
            flags = list(ClaimFlag.objects.filter(claim=pk, lapsed_at=None))
        assert {str(KINDS[flag.code].label) for flag in flags} >= labels
        page = _text(reviewer.get(address))
        assert all(f"<strong>{label}</strong>" in page for label in labels)
        assert pk != theirs.pk or ('<td class="num">A0012345678</td>' in page and '<td class="num">S1</td>' in page)
        for flag in flags:
            said = {"flag": flag.pk, "reason": f"已电话核实 {flag.pk}"}
            assert reviewer.post(reverse("admin:claim_flag", args=[pk]), said).status_code == 302
        page = _text(reviewer.get(address))
        assert all(f"已电话核实 {flag.pk}" in page for flag in flags)
        with everywhere(reason="look"):
            acts = AuditEntry.objects.filter(entity="claims.claim", entity_id=pk, action="dismiss_flag")
            assert {(act.note, act.actor_id) for act in acts} == {(f"已电话核实 {flag.pk}", world.cast.reviewer.pk) for flag in flags}


def test_a_major_disease_claim_needs_no_figures_and_pays_the_plans_example(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        cover = world.cover(world.member(102, "李秀英"), load("national-critical-illness.2026"))
    walk = Walk(user_of(cover))
    claim = walk.begin("diagnosis", ILL, cover)
    assert walk.page == reverse("claims:medical", args=[claim.public_id])
    said = {"event_on": "2026-05-20", "hospital": "西京医院", "diagnosis": "急性心肌梗死"}
    assert walk.send({**said, "diagnosis_class": "critical_huge"}).status_code == 400
    assert walk.send({**said, "diagnosis_class": "critical_severe"}).status_code == 302
    assert "documents" in walk.page  # no stays are asked for
    walk.upload(claim)
    walk.step(claim, "account", {**ACCOUNT, "consent": "on"})
    assert "约 ¥10,000.00 元" in walk.get(reverse("claims:check", args=[claim.public_id]))
    assert walk.send({"declaration": "on"}).status_code == 302
    assert _decide(world, claim).approved_fen == 1_000_000


def test_the_kind_of_event_is_asked_where_the_plan_takes_it_until_a_later_day(world: World) -> None:
    until = {"until": {"default": "2026-06-30", "childbirth": "2026-08-31"}}
    with everywhere(reason="arrange"), frozen(JOINED):
        cover = world.cover(world.member(102, "李秀英"), load("shaanxi-yulin-medical.2026", claim_within=until))
    walk = Walk(user_of(cover))
    claim = walk.begin("admission", ILL, cover)
    page = walk.get(reverse("claims:medical", args=[claim.public_id]))
    assert "生育（最晚 2026年8月31日申领）" in page
    said = {"hospital": "西京医院", "diagnosis": "足月分娩", "by_accident": "no"}
    for missing in ({}, {"event_kind": "wedding"}):
        assert walk.send({**said, **missing}).status_code == 400
    assert walk.send({**said, "event_kind": "childbirth"}).status_code == 302
    with everywhere(reason="look"):
        assert Claim.objects.get(pk=claim.pk).event_kind == "childbirth"
    assert "生育（最晚 2026年8月31日申领）" in walk.get(reverse("claims:check", args=[claim.public_id]))


def test_an_accident_that_led_to_a_stay_is_asked_for(walk: Walk, full: Claim) -> None:
    address = reverse("claims:medical", args=[full.public_id])
    page = walk.get(address)
    assert "是不是意外受伤引起的" in page
    said = {"hospital": "榆林市第一医院", "diagnosis": "右腿骨折"}
    late = {"by_accident": "yes", "accident_on": "2026-05-29"}
    for more in ({}, {"by_accident": "yes"}, {"by_accident": "no", "accident_on": "2026-05-19"}, late):
        answer = walk.client.post(address, said | more)
        assert answer.status_code == 400
        assert 'href="#id_accident_on"' in _text(answer) or not more
    assert walk.step(full, "medical", said | {"by_accident": "yes", "accident_on": "2026-05-19"}).status_code == 302
    assert _fresh(full).accident_on == date(2026, 5, 19)
    assert "是，2026年5月19日" in walk.get(reverse("claims:check", args=[full.public_id]))
    assert walk.step(full, "medical", said | {"by_accident": "no", "accident_on": ""}).status_code == 302
    assert _fresh(full).accident_on is None


def test_each_stay_tells_the_grade_of_its_hospital_where_the_plan_looks_at_it(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        cover = world.cover(world.member(102, "李秀英"), load("shaanxi-yulin-medical.2026", items=BY_GRADE, examples=EXAMPLES))
    walk = Walk(user_of(cover))
    claim = walk.begin("admission", ILL, cover)
    walk.step(claim, "medical", {"hospital": "西京医院", "diagnosis": "肺炎", "by_accident": "no"})
    days = {"admitted_on": "2026-05-20", "discharged_on": "2026-05-28", **FIGURES}
    assert walk.step(claim, "stay_new", days).status_code == 400
    assert walk.step(claim, "stay_new", {**days, "hospital_grade": "3"}).status_code == 302
    days |= {"admitted_on": "2026-06-02", "discharged_on": "2026-06-08"}
    assert walk.step(claim, "stay_new", {**days, "hospital_grade": "1"}).status_code == 302
    page = walk.get(reverse("claims:check", args=[claim.public_id]))
    assert "三级医院" in page
    assert "一级医院" in page
    assert "约 ¥3,000.00 元" in page  # half of 6,000 for the first alone


def test_an_accident_tells_what_the_plan_does_not_pay_for(world: World) -> None:
    excluded = [{"code": "driving", "name": {"zh": "酒后驾驶", "en": "Drink-driving"}, "clause": "第六条", "circumstance": "drunk"}]
    with everywhere(reason="arrange"), frozen(JOINED):
        terms = load("national-accident.2026", exclusions=excluded)
        cover = world.cover(world.member(103), terms)
    walk = Walk(user_of(cover))
    claim = walk.begin("accident_disability", ILL, cover)
    said = {"accident_on": "2026-05-20", "happened": "骑摩托车回家路上摔倒"}
    assert walk.send({**said, "circumstances": "flood"}).status_code == 400
    assert walk.send({**said, "circumstances": "drunk"}).status_code == 302
    page = walk.get(reverse("claims:check", args=[claim.public_id]))
    assert "酒后驾驶" in page
    assert _fresh(claim).circumstances == ["drunk"]
    assert walk.step(claim, "what", said).status_code == 302
    assert _fresh(claim).circumstances == []


def test_an_accident_of_a_covered_child_is_claimed_by_the_parent(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        parent = world.member(103, "张建国")
        child = people.add_child(
            parent, name="张小宝", id_number=make_id_number("610802", date(2016, 6, 1), 31), by=world.worker(parent), on=JOINED
        )
        cover = enrolment.enrol(
            member=child, holder=parent, relation="minor_child", terms=load("national-children-accident.2026"), shares=1,
            unit=world.unit, on=JOINED, by=world.worker(parent),
        )  # fmt: skip
        due = cover.dues.get()
        contributions.confirm(
            due, payer_name=parent.name, bank_reference="P1", received_on=JOINED, amount_fen=due.amount_fen,
            remark=due.reference, by=world.cast.actor(world.cast.payer), on=JOINED,
        )  # fmt: skip
    walk = Walk(parent.user)
    page = walk.get(reverse("claims:start"))
    assert "住院（" not in page  # no cover answers to it
    claim = walk.begin("accident_disability", ILL, cover)
    assert walk.send({"accident_on": "2026-05-20", "happened": ""}).status_code == 400
    assert walk.send({"accident_on": "2026-05-20", "happened": "在小区滑梯上摔下，左臂骨折"}).status_code == 302
    assert walk.send({"disability_grade": "8"}).status_code == 302
    walk.upload(claim)
    walk.step(claim, "account", {**ACCOUNT, "consent": "on"})
    assert "约 ¥3,000.00 元" in walk.get(reverse("claims:check", args=[claim.public_id]))
    assert walk.send({"declaration": "on"}).status_code == 302
    claim = _fresh(claim)
    assert (claim.state, claim.member_id, claim.claimant_id) == ("submitted", child.pk, parent.pk)


def test_the_holder_claims_for_a_spouse_whose_own_record_is_not_theirs_to_see(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        cover = world.cover(world.member(104, "赵芳"))
        holder = world.member(105, "钱强")
        Enrolment.objects.filter(pk=cover.pk).update(holder=holder, relation="spouse")
    walk = Walk(holder.user)
    assert "赵芳（配偶）" in walk.get("/my/")
    claim = walk.begin("admission", ILL, cover)
    walk.step(claim, "medical", {"hospital": "榆林市第一医院", "diagnosis": "肺炎", "by_accident": "no"})
    walk.step(claim, "stay_new", {"admitted_on": "2026-05-20", "discharged_on": "2026-05-28", **FIGURES})
    walk.upload(claim)
    walk.step(claim, "account", {**ACCOUNT, "consent": "on"})
    assert walk.step(claim, "check", {"declaration": "on"}).status_code == 302
    assert "赵芳" in walk.get(reverse("claims:status", args=[claim.public_id]))


# -- which cover ----------------------------------------------------------------------------------------------------


def test_covers_that_do_not_fit_are_shown_with_the_reason(world: World, walk: Walk, cover: Enrolment) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        world.cover(cover.member, load("national-inpatient.2026"))
        unpaid = enrolment.enrol(
            member=cover.member, holder=cover.member, relation="self", terms=load("national-allowance-combo.2026"), shares=1,
            unit=world.unit, on=JOINED, by=world.worker(cover.member),
        )  # fmt: skip
    walk.get(reverse("claims:start"))
    walk.send({"answer": "admission"})
    walk.send({"answer": "2026-01-20"})
    page = walk.get(reverse("claims:start_cover"))
    assert page.count('name="cover"') == 1
    assert "在等待期内，2026年2月5日起才开始给付" in page
    assert "互助费还没有确认到账" in page
    walk.send({"answer": "2026-01-20", "accident_on": "2026-01-19"}, address=reverse("claims:start_day"))
    assert walk.get(reverse("claims:start_cover")).count('name="cover"') == 2  # who was hurt does not wait
    walk.send({"answer": "2026-01-20"}, address=reverse("claims:start_day"))
    assert walk.send({"cover": str(unpaid.public_id), "consent": "on"}).status_code == 400
    assert walk.send({"cover": str(cover.public_id)}).status_code == 400  # without consent
    with everywhere(reason="look"):
        assert not Claim.objects.exists()
        assert not Consent.objects.filter(purpose="medical").exists()


def test_a_day_outside_every_cover_is_no_dead_end(walk: Walk) -> None:
    walk.get(reverse("claims:start"))
    walk.send({"answer": "admission"})
    walk.send({"answer": "2025-12-30"})
    page = walk.get(reverse("claims:start_cover"))
    assert "不在保障期 2026年1月6日至2026年12月31日 内" in page
    assert reverse("claims:start_day") in page


def test_someone_without_cover_is_told_what_to_do(world: World) -> None:
    with everywhere(reason="arrange"):
        member = world.member(106, "孙丽")
    walk = Walk(member.user)
    assert "您还没有可以申领的保障" in walk.get(reverse("claims:start"))
    assert "您还没有参加互助计划" in walk.get("/my/")


# -- once, and again ------------------------------------------------------------------------------------------------


def test_sent_twice_it_is_one_claim_and_one_answer(walk: Walk, full: Claim) -> None:
    address = reverse("claims:check", args=[full.public_id])
    said = {"declaration": "on", "key": "k1"}
    first, second = walk.client.post(address, said), walk.client.post(address, said)
    assert first["Location"] == second["Location"] == reverse("claims:submitted", args=[full.public_id])
    third = walk.client.post(address, {**said, "key": "k2"})
    assert third["Location"] == reverse("claims:status", args=[full.public_id])
    assert "已经办理了“提交申领”" in _text(walk.client.get(third["Location"]))
    with everywhere(reason="look"):
        assert full.statements.count() == 1
        assert Claim.objects.count() == 1


def test_opened_twice_it_is_one_draft(walk: Walk, cover: Enrolment) -> None:
    walk.get(reverse("claims:start"))
    walk.send({"answer": "admission"})
    walk.send({"answer": ILL.isoformat()})
    said = {"cover": str(cover.public_id), "consent": "on", "key": "same"}
    address = reverse("claims:start_cover")
    assert walk.client.post(address, said)["Location"] == walk.client.post(address, said)["Location"]
    with everywhere(reason="look"):
        assert Claim.objects.count() == 1


def test_a_refused_form_can_be_corrected_and_sent_with_the_same_key(walk: Walk, draft: Claim) -> None:
    address = reverse("claims:check", args=[draft.public_id])
    assert walk.client.post(address, {"declaration": "on", "key": "k1"}).status_code == 400
    with everywhere(reason="look"):
        assert not RequestKey.objects.filter(key="k1").exists()
    walk.upload(draft)
    assert walk.client.post(address, {"declaration": "on", "key": "k1"}).status_code == 400
    assert _fresh(draft).state == "draft"


def test_a_draft_is_left_and_taken_up_where_one_left_off(walk: Walk, draft: Claim) -> None:
    walk.step(draft, "medical", {"hospital": "榆林市第一医院", "diagnosis": "急性阑尾炎", "by_accident": "no"})
    again = Walk(_fresh(draft).claimant.user)
    assert reverse("claims:resume", args=[draft.public_id]) in again.get("/my/")
    again.get(reverse("claims:resume", args=[draft.public_id]))
    assert again.page == reverse("claims:stay_new", args=[draft.public_id])
    assert 'value="2026-05-20"' in again.get(again.page)


def test_a_supplement_goes_there_and_back(world: World, walk: Walk, sent: Claim) -> None:
    with everywhere(reason="return"):
        adjudication.return_for_supplement(
            _fresh(sent), by=world.cast.actor(world.cast.reviewer), on=ASKED, note="结算单第二页看不清，请重拍"
        )
        seen = sent.documents.first()
    assert "结算单第二页看不清" in walk.get("/my/")
    page = walk.get(reverse("claims:status", args=[sent.public_id]))
    assert reverse("claims:supplement", args=[sent.public_id]) in page
    assert "请重拍" in walk.get(reverse("claims:supplement", args=[sent.public_id]))
    remove = reverse("claims:document_remove", args=[sent.public_id, seen.public_id])
    assert "不能删除" in _text(walk.client.post(remove))
    said = {"kind": "settlement", "files": [photo("重拍的结算单", "#ff0000")]}
    assert walk.client.post(reverse("claims:documents", args=[sent.public_id]), said).status_code == 302
    assert walk.step(sent, "check", {"declaration": "on"}).status_code == 302
    claim = _fresh(sent)
    assert (claim.state, claim.message) == ("submitted", "")
    page = walk.get(reverse("claims:status", args=[sent.public_id]))
    assert "补充后重新提交" in page
    assert _decide(world, claim).state == "approved"


def test_a_claim_is_withdrawn_after_a_second_question(walk: Walk, sent: Claim) -> None:
    address = reverse("claims:withdraw", args=[sent.public_id])
    assert "撤回这次申领？" in walk.get(address)
    assert _fresh(sent).state == "submitted"
    assert walk.client.post(address).status_code == 302
    assert _fresh(sent).state == "withdrawn"
    assert walk.client.post(address).status_code == 409
    assert "已撤回" in walk.get(reverse("claims:status", args=[sent.public_id]))


def test_a_draft_that_was_thrown_away_is_gone_from_the_home_page(walk: Walk, draft: Claim) -> None:
    assert walk.client.post(reverse("claims:withdraw", args=[draft.public_id])).status_code == 302
    walk.get("/my/")  # the message is shown once
    assert draft.number not in walk.get("/my/")


def test_a_rejected_claim_tells_reason_clause_and_way_out(world: World, walk: Walk, sent: Claim) -> None:
    with everywhere(reason="reject"):
        adjudication.reject(
            _fresh(sent), by=world.cast.actor(world.cast.reviewer), on=ASKED, reason_code="late", clause="第十二条",
            note="出院已超过 180 天",
        )  # fmt: skip
    page = walk.get(reverse("claims:status", args=[sent.public_id]))
    for words in ("超过申领期限", "第十二条", "出院已超过 180 天", "复核"):
        assert words in page


def test_another_account_is_given_after_a_returned_payment(world: World, walk: Walk, sent: Claim) -> None:
    claim = _decide(world, sent)
    with everywhere(reason="pay"):
        payer, manager = world.cast.actor(world.cast.payer), world.cast.actor(world.cast.manager)
        batch = payouts.assemble(office=world.cast.a, claims=[claim], by=payer, on=ASKED)
        release(world.cast, batch)
        payouts.carry_out_release(batch.pk, by=manager)
        batch.refresh_from_db()
        line = batch.lines.get()
        answer = f"附言,金额,处理结果,失败原因\r\n{line.reference},4400.00,失败,户名不符\r\n".encode("gb18030")
        kept = payouts.take_return(batch, data=answer, file_name="r.csv", by=payer)
        payouts.book_return(kept.pk, by=payer, on=ASKED)
    address = reverse("payouts:correct_account", args=[claim.public_id])
    assert address in walk.get("/my/")
    page = walk.get(address)
    assert "户名不符" in page
    assert "¥4,400.00" in page
    assert walk.send({**ACCOUNT, "consent": "on"}).status_code == 400  # the very account that came back
    other = {"which": "new", "bank_name": "中国工商银行", "number": "6222021234567890128", "number_again": "6222021234567890128"}
    other |= {"consent": "on", "sure": "on"}
    with everywhere(reason="look"):
        before = BankCard.objects.count()
    first = walk.send(other | {"key": "one"}, address=address)
    assert first["Location"] == reverse("claims:status", args=[claim.public_id])
    assert walk.client.post(address, other | {"key": "one"}).status_code == 302
    fresh = _fresh(claim)
    assert (fresh.state, fresh.approved_fen, fresh.card.last_four) == ("approved", 440_000, "0128")
    with everywhere(reason="look"):
        assert BankCard.objects.count() == before + 1


# -- what may go wrong ----------------------------------------------------------------------------------------------


STAY = {"admitted_on": "2026-05-20", "discharged_on": "2026-05-28", **FIGURES}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"discharged_on": "2026-05-19"}, "出院日期不能早于入院日期"),
        ({"discharged_on": "2026-07-02"}, "日期不能在今天之后"),
        ({"medfee_sumamt": "18100"}, "相差 100.00 元"),
        ({"psn_cash_pay": "4999.99"}, "相差 0.01 元"),
        ({"fulamt_ownpay_amt": "7000.01"}, "自费金额不能大于个人负担总额"),
        ({"preselfpay_amt": "18000.01"}, "这一项不能大于医疗费总额"),
        ({"medfee_sumamt": ""}, "请填写医疗费总额"),
        ({"admitted_on": ""}, "请填写入院日期"),
        ({"medfee_sumamt": "一万八"}, "请只填数字"),
    ],
)
def test_wrong_figures_are_named_and_nothing_is_kept(walk: Walk, draft: Claim, wrong: dict, words: str) -> None:
    answer = walk.step(draft, "stay_new", STAY | wrong)
    assert answer.status_code == 400
    assert words in _text(answer)
    with everywhere(reason="look"):
        assert not Admission.objects.exists()


def test_account_and_cash_need_not_be_told(walk: Walk, draft: Claim) -> None:
    assert walk.step(draft, "stay_new", STAY | {"acct_pay": "", "psn_cash_pay": ""}).status_code == 302


def test_stays_are_corrected_removed_and_told_once(walk: Walk, draft: Claim) -> None:
    assert walk.step(draft, "stay_new", STAY).status_code == 302
    assert "已经填过了" in _text(walk.step(draft, "stay_new", STAY))
    assert walk.step(draft, "stay_new", STAY | {"admitted_on": "2026-04-01", "discharged_on": "2026-04-03"}).status_code == 302
    assert _fresh(draft).event_on == date(2026, 4, 1)
    with everywhere(reason="look"):
        first = draft.admissions.first()
    edit = reverse("claims:stay_edit", args=[draft.public_id, first.pk])
    assert 'value="18000.00"' in walk.get(edit)
    assert walk.send({**STAY, "admitted_on": "2026-04-02", "discharged_on": "2026-04-03"}).status_code == 302
    assert walk.client.post(reverse("claims:stay_remove", args=[draft.public_id, first.pk])).status_code == 302
    assert _fresh(draft).event_on == ILL
    assert walk.client.get(edit).status_code == 404


def test_what_was_taken_back_meanwhile_loses_no_stay_and_one_is_told(world: World, walk: Walk, full: Claim) -> None:
    """From another window, after this one was found open and before its claim is locked."""
    left = [full]
    with everywhere(reason="look"):
        stay, by = full.admissions.get(), world.worker(full.claimant)

    def taken_back(execute: Any, sql: str, *told: Any) -> Any:
        if left and "FOR NO KEY UPDATE" in sql:
            intake.withdraw(left.pop(), by=by)
        return execute(sql, *told)

    with connection.execute_wrapper(taken_back):
        answer = walk.client.post(reverse("claims:stay_remove", args=[full.public_id, stay.pk]), follow=True)
    assert "现在不能修改" in _text(answer)
    with everywhere(reason="look"):
        assert full.admissions.exists()


def test_whoever_corrects_one_figure_of_a_stay_need_not_tell_the_others_again(walk: Walk, draft: Claim) -> None:
    figures = {"medfee_sumamt": "7000", "fund_pay_sumamt": "0", "psn_part_amt": "7000", "fulamt_ownpay_amt": "0"}
    assert walk.step(draft, "stay_new", {**STAY, **dict.fromkeys(FIGURES, ""), **figures}).status_code == 302
    with everywhere(reason="look"):
        edit = reverse("claims:stay_edit", args=[draft.public_id, draft.admissions.get().pk])
    page = walk.get(edit)
    shown = {name: (re.search(rf'name="{name}" value="([^"]+)"', page) or [""] * 2)[1] for name in FIGURES}
    assert {name: shown[name] for name in figures} == dict(zip(figures, ("7000.00", "0.00", "7000.00", "0.00"), strict=True))
    assert walk.send({**STAY, **shown, "discharged_on": "2026-05-27"}).status_code == 302


def test_a_stay_outside_the_cover_is_said_before_sending(walk: Walk, full: Claim) -> None:
    with everywhere(reason="look"):
        stay = full.admissions.get()
    walk.send({**STAY, "admitted_on": "2025-12-20"}, address=reverse("claims:stay_edit", args=[full.public_id, stay.pk]))
    answer = walk.step(full, "check", {"declaration": "on"})
    assert answer.status_code == 400
    assert "2025年12月20日，不在这份保障的保障期内" in _text(answer)
    assert _fresh(full).state == "draft"


def test_papers_are_refused_kindly(walk: Walk, draft: Claim) -> None:
    address = reverse("claims:documents", args=[draft.public_id])
    text = SimpleUploadedFile("结算单.jpg", b"not a photo", "image/jpeg")
    big = SimpleUploadedFile("大.jpg", b"\xff\xd8" + b"0" * (10 * 1024 * 1024), "image/jpeg")
    for files, words in (([text], "只能上传照片"), ([big], "超过 10 MB"), ([], "请选择照片"), ([photo("好"), text], "结算单.jpg：")):
        answer = walk.client.post(address, {"kind": "settlement", "files": files})
        assert answer.status_code == 400
        assert words in _text(answer)
    assert walk.client.post(address, {"kind": "passport", "files": [photo()]}).status_code == 400
    assert walk.client.post(address, {"kind": "settlement", "files": [photo(), photo("同一张")]}).status_code == 400
    with everywhere(reason="look"):
        assert not ClaimDocument.objects.exists()
    assert walk.client.post(address, {"kind": "settlement", "files": [photo()]}).status_code == 302
    again = walk.client.post(address, {"kind": "discharge", "files": [photo()]})
    assert again.status_code == 400
    assert "已经上传过了" in _text(again)


def test_a_paper_is_removed_before_sending_and_shown_to_its_owner_alone(world: World, walk: Walk, full: Claim) -> None:
    with everywhere(reason="look"):
        paper, outsider = full.documents.first(), world.member(107, "外人").user
    address = reverse("claims:document", args=[paper.public_id])
    answer = walk.client.get(address)
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert "no-store" in answer["Cache-Control"]
    assert len(walk.client.get(reverse("claims:document_small", args=[paper.public_id])).content) < len(answer.content)
    assert client_of(outsider).get(address).status_code == 404
    assert walk.client.post(reverse("claims:document_remove", args=[full.public_id, paper.public_id])).status_code == 302
    assert walk.client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": "6228480402564890019", "number_again": "6228480402564890019"}, "校验位不对"),
        ({"number_again": "6228480402564890028"}, "两次输入的账号不一样"),
        ({"number_again": "6228480402564890011"}, "两次输入"),
        ({"number": "123", "number_again": "123"}, "8 到 30 位"),
        ({"bank_name": "="}, "请填写银行的名称"),
        ({"consent": ""}, "请先勾选同意"),
    ],
)
def test_a_doubtful_account_is_named_and_not_kept(walk: Walk, draft: Claim, wrong: dict, words: str) -> None:
    answer = walk.step(draft, "account", ACCOUNT | {"consent": "on"} | wrong)
    assert answer.status_code == 400
    assert words in _text(answer)
    with everywhere(reason="look"):
        assert not BankCard.objects.exists()


def test_a_passbook_without_check_digit_is_taken_when_confirmed(walk: Walk, draft: Claim) -> None:
    passbook = {"number": "6228480402564890019", "number_again": "6228480402564890019", "sure": "on", "consent": "on"}
    assert walk.step(draft, "account", ACCOUNT | passbook).status_code == 302
    page = walk.get(reverse("claims:account", args=[draft.public_id]))
    assert "**** 0019" in page
    assert "6228480402564890019" not in page
    with everywhere(reason="look"):
        card = BankCard.objects.get()
    assert walk.send({"which": "kept", "card": str(card.pk), "consent": "on"}).status_code == 302


def test_the_card_of_somebody_else_cannot_be_chosen(world: World, walk: Walk, draft: Claim) -> None:
    with everywhere(reason="arrange"):
        theirs = world.card(world.member(108, "吴勇"))
    answer = walk.step(draft, "account", {"which": "kept", "card": str(theirs.pk), "consent": "on"})
    assert answer.status_code == 400
    assert _fresh(draft).card_id is None


def test_nothing_is_changed_after_sending(walk: Walk, sent: Claim) -> None:
    for name in ("medical", "stay_new", "documents", "account"):
        answer = walk.client.post(reverse(f"claims:{name}", args=[sent.public_id]), {**STAY, "hospital": "别的医院"})
        assert answer["Location"] == reverse("claims:status", args=[sent.public_id])
    assert "没有保存" in walk.get(reverse("claims:status", args=[sent.public_id]))
    assert _fresh(sent).hospital == "榆林市第一医院"


# -- strangers, statements, hostile input ---------------------------------------------------------------------------


def _routes(claim: Claim) -> list[str]:
    names = ("status", "resume", "medical", "stays", "stay_new", "documents", "account", "check", "submitted", "supplement", "withdraw")
    return [reverse(f"claims:{name}", args=[claim.public_id]) for name in names] + [
        reverse("claims:what", args=[claim.public_id]),
        reverse("claims:stay_edit", args=[claim.public_id, 1]),
        reverse("claims:stay_remove", args=[claim.public_id, 1]),
        reverse("claims:document_remove", args=[claim.public_id, uuid.uuid4()]),
        reverse("payouts:correct_account", args=[claim.public_id]),
    ]


def test_another_worker_finds_none_of_these_pages(world: World, full: Claim) -> None:
    with everywhere(reason="arrange"):
        client = client_of(world.member(107, "外人").user)
    for address in _routes(full):
        assert client.post(address, {"declaration": "on", "key": "x"}).status_code == 404, address
        assert client.get(address).status_code in (404, 405), address
    assert full.number not in _text(client.get("/my/"))
    assert _fresh(full).state == "draft"


def test_strangers_are_led_to_the_login_from_every_page(full: Claim) -> None:
    for address in (*_routes(full), *(reverse(f"claims:{n}") for n in ("start", "start_person", "start_day", "start_cover"))):
        assert "/login" in Client().get(address)["Location"]


def test_no_page_is_kept_by_a_browser(walk: Walk, full: Claim) -> None:
    for address in ("/my/", reverse("claims:start"), *_routes(full)[:8]):
        assert "no-store" in walk.client.get(address)["Cache-Control"], address


def test_no_input_gives_a_5xx(walk: Walk, full: Claim) -> None:
    for value in HOSTILE:
        with transaction.atomic():
            _say_everywhere(walk, full, value.encode("utf-8", "replace").decode())
            transaction.set_rollback(True)


def _say_everywhere(walk: Walk, full: Claim, text: str) -> None:
    start = {"answer": text}
    medical = {"event_on": text, "hospital": text, "diagnosis": text, "diagnosis_code": text, "by_accident": text, "accident_on": text}
    forms = [(reverse(f"claims:{name}"), start) for name in ("start", "start_person", "start_day")]
    forms += [
        (reverse("claims:start_cover"), {"cover": text, "consent": text, "key": text}),
        (reverse("claims:medical", args=[full.public_id]), medical),
        (reverse("claims:stay_new", args=[full.public_id]), dict.fromkeys((*STAY, "setl_id", "key", "hosp_part_amt"), text)),
        (reverse("claims:documents", args=[full.public_id]), {"kind": text, "files": text}),
        (reverse("claims:account", args=[full.public_id]), dict.fromkeys((*ACCOUNT, "consent", "key", "sure"), text)),
        (reverse("claims:account", args=[full.public_id]), {"which": "kept", "card": text, "consent": "on", "key": text}),
        (reverse("claims:check", args=[full.public_id]), {"declaration": "", "key": text}),
    ]
    for address, said in forms:
        assert walk.client.post(address, said).status_code in (302, 400), (address, text[:40])
    for field in STAY:
        answer = walk.client.post(reverse("claims:stay_new", args=[full.public_id]), STAY | {field: text, "key": uuid.uuid4().hex})
        assert answer.status_code in (302, 400), (field, text[:40])


def test_no_input_about_an_accident_or_a_new_account_gives_a_5xx(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        cover = world.cover(world.member(103), load("national-accident.2026"))
    walk = Walk(user_of(cover))
    claim = walk.begin("accident_disability", ILL, cover)
    for value in HOSTILE:
        with transaction.atomic():
            _say_of_an_accident(walk, claim, value.encode("utf-8", "replace").decode())
            transaction.set_rollback(True)


def _say_of_an_accident(walk: Walk, claim: Claim, text: str) -> None:
    told = {"accident_on": text, "death_on": text, "happened": text, "disability_grade": text, "hospital": text, "diagnosis": text}
    for name in ("what", "medical", "stays", "stay_new", "supplement", "withdraw"):
        assert walk.step(claim, name, told).status_code in (302, 400, 404, 200), (name, text[:40])
    address = reverse("payouts:correct_account", args=[claim.public_id])
    for said in (dict.fromkeys(ACCOUNT, text), ACCOUNT | {"key": text}, {"which": "kept", "card": text}):
        assert walk.client.post(address, said).status_code in (302, 400), text[:40]


def _statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_pages_take_the_same_statements_for_one_row_or_many(world: World, walk: Walk, full: Claim) -> None:
    names = ("stays", "documents", "account", "check")
    addresses = [*(reverse(f"claims:{name}", args=[full.public_id]) for name in names), "/my/", reverse("claims:start")]
    before = [_statements(walk.client, address) for address in addresses]
    with everywhere(reason="arrange"):
        for i in range(4):
            world.claim(full.enrolment, 100_000 + i)
    for day in (1, 2, 3):
        stay = STAY | {"admitted_on": f"2026-04-0{day}", "discharged_on": f"2026-04-0{day}"}
        walk.step(full, "stay_new", stay)
        walk.client.post(reverse("claims:documents", args=[full.public_id]), {"kind": "other", "files": [photo(str(day), f"#00{day}000")]})
    assert [_statements(walk.client, address) for address in addresses] == before
    assert max(before) <= 22
    status = reverse("claims:status", args=[full.public_id])
    assert _statements(walk.client, status) <= 22


def test_the_estimate_writes_nothing(walk: Walk, full: Claim) -> None:
    walk.get(reverse("claims:check", args=[full.public_id]))
    with everywhere(reason="look"):
        assert not BenefitStatement.objects.filter(claim=full).exists()
