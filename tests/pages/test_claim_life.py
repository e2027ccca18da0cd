"""The pages of a claim's life beyond the plain path: unit, public notice, objection, appeal, reclassification."""

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from claims.models import Appeal, Claim, Objection
from claims.selectors import notices
from claims.services import adjudication, appeals
from tests.factories.desk import CRITICAL, Desk, make_desk
from tests.factories.world import ASKED, World
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    with everywhere(reason="arrange"), frozen(ASKED):
        yield make_desk(world)


def _client(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _key(answer: HttpResponse) -> str:
    return _text(answer).split('name="key" value="')[1].split('"')[0]


def _now(claim: Claim) -> Claim:
    with everywhere(reason="look"):
        return Claim.objects.get(pk=claim.pk)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


def test_the_agent_passes_a_claim_on_and_sees_no_illness(desk: Desk) -> None:
    told = {"diagnosis": "急性阑尾炎", "hospital": "榆林市第一医院"}
    claim = desk.world.claim(desk.cover(desk.plan(unit_first=True)), 600_000, facts=told)
    worker, agent = _client(claim.member.user), _client(desk.world.agent)
    told = _text(worker.get(reverse("claims:status", args=[claim.public_id])))
    assert "已经交给您的单位核对" in told
    assert "单位核对" in told
    assert claim.member.name in _text(agent.get(reverse("claims:unit_claims")))
    page = reverse("claims:unit_claim", args=[claim.public_id])
    shown = _text(agent.get(page))
    assert "榆林市第一医院" in shown
    assert "急性阑尾炎" not in shown
    refused = agent.post(page, {"decision": "return", "note": " "})
    assert refused.status_code == 400
    assert "请写明需要补充什么" in _text(refused)
    assert agent.post(page, {"decision": "pass", "note": "属实"}).status_code == 302
    assert _now(claim).state == "submitted"
    late = agent.post(page, {"decision": "pass", "note": ""})
    assert late.status_code == 409
    assert "单位经办人已经办理了" in _text(late)
    assert worker.get(page).status_code == 403


def test_the_agent_passes_several_on_at_once_and_what_cannot_go_is_named(desk: Desk) -> None:
    cover = desk.cover(desk.plan(unit_first=True))
    first, late, left = (desk.world.claim(cover, 600_000 + i) for i in range(3))
    agent, page = _client(desk.world.agent), reverse("claims:unit_claims")
    chosen = [str(claim.public_id) for claim in (first, late)]
    assert "请确认逐件核对过" in _text(agent.post(page, {"claims": chosen}))
    assert "请勾选核对过的申领" in _text(agent.post(page, {"sure": "on"}))
    assert agent.post(page, {"sure": "on", "claims": [str(first.pk)]}).status_code == 400
    Claim.objects.filter(pk=late.pk).update(submitted_by=desk.world.agent)
    told = _text(agent.post(page, {"sure": "on", "claims": chosen}, follow=True))
    assert "1 件申领已转办事处" in told
    assert f"申领 {late.number} 没有转：前面的步骤是您办的" in told
    assert [_now(claim).state for claim in (first, late, left)] == ["submitted", "unit_review", "unit_review"]
    assert agent.post(page, {"sure": "on", "claims": [str(late.public_id)]}).status_code == 403


def test_the_notice_is_masked_and_open_to_everybody(desk: Desk) -> None:
    claim = desk.decide(desk.world.claim(desk.cover(desk.plan(notice_days=5)), 600_000, facts={"diagnosis": "急性阑尾炎"}))
    shown = _text(Client().get(reverse("claims:notices")))
    assert "王**" in shown or "王*" in shown
    assert "王小明" not in shown
    assert "阑尾炎" not in shown
    assert claim.number not in shown
    assert "4,400.00" in shown
    told = _text(_client(claim.member.user).get(reverse("claims:status", args=[claim.public_id])))
    assert "公示到" in told
    assert "2026年7月8日" in told
    with frozen(claim.notice_until.replace(day=9)):
        assert "现在没有正在公示的申领" in _text(Client().get(reverse("claims:notices")))


def test_every_claim_on_notice_can_be_read_however_many_there_are(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "SHOWN", 2)
    cover = desk.cover(desk.plan(notice_days=5))
    wanted = {str(desk.decide(desk.world.claim(cover, 600_000 + i)).public_id) for i in range(3)}
    pages = [_text(Client().get(reverse("claims:notices"), {"page": page})) for page in ("", "2", "x", "9" * 9)]
    read = [{key for key in wanted if key in page} for page in pages]
    assert [len(keys) for keys in read] == [2, 1, 2, 1]
    assert read[0] | read[1] == wanted
    assert "?page=2" in pages[0]


def test_whoever_is_logged_in_objects_and_another_answers_at_the_desk(desk: Desk) -> None:
    claim = desk.decide(desk.world.claim(desk.cover(desk.plan(notice_days=5)), 600_000))
    page = reverse("claims:object_to", args=[claim.public_id])
    assert Client().get(page).status_code == 302
    stranger = _client(desk.world.member(401, "路人甲").user)
    key = _key(stranger.get(page))
    assert stranger.post(page, {"key": key, "text": "", "phone": ""}).status_code == 400
    sent = {"key": key, "text": "他没有住过院", "phone": "13800138000"}
    assert [stranger.post(page, sent).status_code for _twice in range(2)] == [302, 302]
    objection = Objection.objects.get()
    address = reverse("admin:claim_objection", args=[objection.pk])
    cast = desk.world.cast
    assert "要由另一个人核实" in _text(_client(cast.approver).get(address))
    assert _client(cast.approver).post(address, {"decision": "dismiss", "answer": "没有问题"}).status_code == 403
    manager = _client(cast.manager)
    assert manager.post(address, {"decision": "uphold", "answer": "查实"}).status_code == 400
    assert _now(claim).state == "on_notice"
    assert manager.post(address, {"decision": "uphold", "answer": "查实没有住院", "clause": "第九条"}).status_code == 302
    assert _now(claim).state == "rejected"
    assert "公示期间的异议查实" in _text(_client(claim.member.user).get(reverse("claims:status", args=[claim.public_id])))
    assert _client(cast.outsider).get(address).status_code == 404


def test_the_desk_takes_an_objection_down(desk: Desk) -> None:
    claim = desk.decide(desk.world.claim(desk.cover(desk.plan(notice_days=5)), 600_000))
    page, reviewer = reverse("admin:claim_objection_new", args=[claim.pk]), _client(desk.world.cast.reviewer)
    assert page in _text(reviewer.get(reverse("admin:claim_review", args=[claim.pk])))
    key = _key(reviewer.get(page))
    assert reviewer.post(page, {"key": key, "name": "", "text": ""}).status_code == 400
    assert reviewer.post(page, {"key": key, "name": "来访人", "text": "不属实", "phone": ""}).status_code == 302
    assert Objection.objects.get().name == "来访人"


def test_a_worker_appeals_and_is_answered(desk: Desk) -> None:
    claim = desk.reject(desk.world.claim(desk.cover(), 600_000))
    worker, status = _client(claim.member.user), reverse("claims:status", args=[claim.public_id])
    page = reverse("claims:appeal", args=[claim.public_id])
    assert page in _text(worker.get(status))
    assert "2026年7月15日" in _text(worker.get(status))
    key = _key(worker.get(page))
    assert worker.post(page, {"key": key, "grounds": ""}).status_code == 400
    sent = {"key": key, "grounds": "出院记录已经补交"}
    assert [worker.post(page, sent).status_code for _twice in range(2)] == [302, 302]
    appeal = Appeal.objects.get()
    assert "已提出，等待复核" in _text(worker.get(status))
    assert page not in _text(worker.get(status)).replace(f"{page}/withdraw", "")
    address, cast = reverse("admin:claim_appeal", args=[appeal.pk]), desk.world.cast
    assert "要由另一个人复核" in _text(_client(cast.reviewer).get(address))
    manager = _client(cast.manager)
    assert "出院记录已经补交" in _text(manager.get(address))
    assert manager.post(address, {"decision": "uphold", "answer": "材料齐了"}).status_code == 400
    assert manager.post(address, {"decision": "uphold", "answer": "材料齐了，重新审核", "clause": "第七条"}).status_code == 302
    made = Claim.objects.get(corrects=claim)
    shown = _text(worker.get(status))
    assert "材料齐了，重新审核" in shown
    assert made.number in shown
    assert claim.number in _text(worker.get(reverse("claims:status", args=[made.public_id])))
    assert made.number in _text(manager.get(reverse("admin:claim_review", args=[claim.pk])))
    assert _client(cast.outsider).get(address).status_code == 404


def test_an_appeal_is_taken_back_and_one_too_late_is_shown_the_claim(desk: Desk) -> None:
    claim = desk.reject(desk.world.claim(desk.cover(), 600_000))
    worker = _client(claim.member.user)
    appeals.file(claim, grounds="不同意", by=desk.world.worker(claim.member), on=ASKED)
    assert worker.post(reverse("claims:appeal_withdraw", args=[claim.public_id])).status_code == 302
    assert Appeal.objects.get().state == "withdrawn"
    assert worker.post(reverse("claims:appeal_withdraw", args=[claim.public_id])).status_code == 404
    with frozen(claim.rejected_at.date().replace(day=16)):
        assert worker.get(reverse("claims:appeal", args=[claim.public_id])).status_code == 302
    stranger = _client(desk.world.member(401, "路人甲").user)
    assert stranger.get(reverse("claims:appeal", args=[claim.public_id])).status_code == 404


def test_a_reviewer_reclassifies_at_the_desk(desk: Desk) -> None:
    claim = desk.decide(desk.diagnosis(desk.cover(desk.plan(CRITICAL)), "critical_mild"))
    reviewer, page = _client(desk.world.cast.reviewer), reverse("admin:claim_reclassify", args=[claim.pk])
    assert page in _text(reviewer.get(reverse("admin:claim_review", args=[claim.pk])))
    assert "3,000.00" in _text(reviewer.get(page))
    same = {"diagnosis_class": "critical_mild", "diagnosis_code": "I21.0", "note": "没有变"}
    assert reviewer.post(page, same).status_code == 400
    answer = reviewer.post(page, same | {"diagnosis_class": "critical_severe", "note": "病理报告"})
    made = Claim.objects.get(corrects=claim)
    assert answer["Location"] == reverse("admin:claim_review", args=[made.pk])
    approver = _client(desk.world.cast.approver)
    approver.post(reverse("admin:claim_review", args=[made.pk]), {"decision": "approve", "note": ""})
    assert (_now(made).state, _now(made).approved_fen) == ("approved", 700_000)
    shown = _text(_client(claim.member.user).get(reverse("claims:status", args=[made.public_id])))
    assert "10,000.00" in shown
    assert "3,000.00" in shown
    assert "7,000.00" in shown


def test_one_reviewer_settles_and_an_approver_sends_back_at_the_desk(desk: Desk) -> None:
    terms = desk.plan(final_review={"from_benefit": "500"})
    small = desk.world.claim(desk.cover(terms, 303), 10_000)
    reviewer, approver = _client(desk.world.cast.reviewer), _client(desk.world.cast.approver)
    page = reverse("admin:claim_review", args=[small.pk])
    assert "初审直接核定" in _text(reviewer.get(page))
    assert reviewer.post(page, {"decision": "settle", "note": ""}).status_code == 302
    large = desk.world.claim(desk.cover(terms, 304), 600_000)
    page = reverse("admin:claim_review", args=[large.pk])
    refused = reviewer.post(page, {"decision": "settle", "note": ""})
    assert refused.status_code == 400
    assert "终审金额" in _text(refused)
    adjudication.review(_now(large), by=desk.reviewer, on=ASKED)
    assert approver.post(page, {"decision": "send_back", "note": "诊断不一致"}).status_code == 302
    assert (_now(small).state, _now(large).state) == ("approved", "submitted")


def test_whoever_passed_a_claim_that_came_back_does_not_decide_it_alone(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(desk.plan(final_review={"from_benefit": "500"}), 305), 10_000)
    adjudication.review(_now(claim), by=desk.reviewer, on=ASKED)
    adjudication.send_back(_now(claim), by=desk.approver, on=ASKED, note="诊断不一致")
    page, said = reverse("admin:claim_review", args=[claim.pk]), {"decision": "settle", "note": ""}
    reviewer, other = _client(desk.world.cast.reviewer), _client(User.objects.get(pk=desk.other_reviewer.user_id))
    refused = reviewer.post(page, said)
    assert refused.status_code == 403
    assert "要由另一个人来办" in _text(refused)
    assert "初审直接核定" not in _text(reviewer.get(page))
    assert other.post(page, said).status_code == 302
    assert _now(claim).approved_by_id == desk.other_reviewer.user_id
