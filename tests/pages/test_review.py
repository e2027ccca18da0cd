"""The review pages: the queue and its filters, flags, notes, letters, the next claim, what an office sets."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from claims.models import Claim, ClaimFlag, ClaimNote, Letter, RejectionReason, ReviewRule
from claims.services import adjudication, screening
from claims.transitions import TIMED
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, World
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen, plus_days
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry

LIST = reverse("admin:claims_claim_changelist")


@pytest.fixture
def claim(world: World) -> Claim:
    with everywhere(reason="arrange"), frozen(ASKED):
        return world.claim(world.cover(world.member(101)), 600_000)


@pytest.fixture(autouse=True)
def on_the_day() -> Iterator[None]:
    with frozen(ASKED):
        yield


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


def page_of(claim: Claim) -> str:
    return reverse("admin:claim_review", args=[claim.pk])


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def test_the_next_claim_is_handed_out_and_the_colleague_sees_who_has_it(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"):
        colleague = make_user("s-bai", "白洁")
        give_post(colleague, world.cast.a, Role.REVIEWER)
    reviewer, other = browser(world.cast.reviewer), browser(colleague)
    assert reviewer.post(reverse("admin:claim_next"))["Location"] == page_of(claim)
    assert "正在由 秦小明 审核" in text(other.get(page_of(claim)))
    assert "正在由" not in text(reviewer.get(page_of(claim)))
    assert "秦小明 审核中" in text(other.get(LIST))
    none = other.post(reverse("admin:claim_next"), follow=True)
    assert "没有等待您办理的申领了" in text(none)


def test_a_flag_is_dismissed_on_the_page(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"):
        claim.documents.first().delete()
        screening.screen([claim])
        flag = ClaimFlag.objects.get()
    reviewer = browser(world.cast.reviewer)
    assert "缺少必需的材料" in text(reviewer.get(page_of(claim)))
    assert "1 个" in text(reviewer.get(f"{LIST}?state=submitted"))
    address = reverse("admin:claim_flag", args=[claim.pk])
    assert reviewer.post(address, {"flag": flag.pk, "reason": ""}).status_code == 400
    assert reviewer.post(address, {"flag": flag.pk, "reason": "纸质原件已收"}).status_code == 302
    page = text(reviewer.get(page_of(claim)))
    assert "已排除：" in page
    assert "纸质原件已收" in page
    assert reviewer.post(address, {"flag": flag.pk, "reason": "再来一次"}).status_code == 409
    assert reviewer.post(address, {"flag": "x", "reason": "y"}).status_code == 404
    assert browser(world.cast.payer).post(address, {"flag": flag.pk, "reason": "y"}).status_code == 403
    assert browser(world.cast.outsider).post(address, {"flag": flag.pk, "reason": "y"}).status_code == 404


def test_a_note_is_read_by_colleagues_and_not_by_the_claimant(world: World, claim: Claim) -> None:
    address = reverse("admin:claim_note", args=[claim.pk])
    reviewer = browser(world.cast.reviewer)
    assert reviewer.post(address, {"text": "已电话核实住院日期"}).status_code == 302
    assert reviewer.post(address, {"text": " "}).status_code == 400
    assert reviewer.post(address, {"text": "长" * 501}).status_code == 400
    assert "已电话核实住院日期" in text(browser(world.cast.approver).get(page_of(claim)))
    own = browser(claim.member.user).get(reverse("claims:status", args=[claim.public_id]))
    assert own.status_code == 200
    assert "已电话核实" not in text(own)
    assert browser(world.cast.outsider).post(address, {"text": "x"}).status_code == 404
    with everywhere(reason="look"):
        assert ClaimNote.objects.count() == 1


def test_the_queue_is_narrowed_by_age_amount_and_flags(world: World, claim: Claim) -> None:
    reviewer = browser(world.cast.reviewer)
    for query, shown in (
        ("state=submitted", True), ("state=reviewed", False), ("band=middle", True), ("band=small", False), ("flags=no", True),
        ("flags=yes", False), ("age=in_time", True), ("age=late", False), ("state=submitted&band=middle&flags=no&age=in_time", True),
    ):  # fmt: skip
        assert (claim.number in text(reviewer.get(f"{LIST}?{query}"))) is shown, query
    assert reviewer.get(f"{LIST}?age=never").status_code == 400
    with frozen(plus_days(ASKED, 8)):
        late = text(reviewer.get(f"{LIST}?age=late"))
        assert claim.number in late
        assert "已超时限" in late
        assert "已超过办理时限" in text(reviewer.get(page_of(claim)))
    with everywhere(reason="arrange"):
        ReviewRule.objects.create(office=world.cast.a, step_days={"submitted": 20})
    with frozen(plus_days(ASKED, 8)):
        assert claim.number not in text(reviewer.get(f"{LIST}?age=late"))


def test_the_list_remembers_how_it_was_narrowed_and_lets_go(world: World, claim: Claim) -> None:
    reviewer = browser(world.cast.reviewer)
    assert reviewer.get(LIST).status_code == 200
    reviewer.get(f"{LIST}?state=submitted&band=middle")
    reviewer.get(f"{LIST}?q={claim.number}")
    assert dict(reviewer.get(LIST).context["cl"].params) == {"state": "submitted", "band": "middle"}
    assert dict(browser(world.cast.approver).get(LIST).context["cl"].params) == {}, "it is each person's own"
    cleared = reviewer.get(LIST, headers={"referer": f"http://testserver{LIST}?state=submitted&band=middle"})
    assert dict(cleared.context["cl"].params) == dict(reviewer.get(LIST).context["cl"].params) == {}


def test_a_supplement_letter_begins_with_a_text_of_the_office_or_of_one_above(world: World, claim: Claim) -> None:
    manager, address = browser(world.cast.manager), reverse("admin:review_letter")
    new = {"title": "缺异地备案", "text": "请补充异地就医备案记录。"}
    assert manager.post(f"{address}?office={world.cast.a.pk}", new).status_code == 302
    assert manager.post(f"{address}?office={world.cast.a.pk}", new).status_code == 400
    assert manager.post(f"{address}?office={world.cast.b.pk}", new).status_code == 404
    with everywhere(reason="arrange"):
        Letter.objects.create(office=world.cast.province, title="省里的", text="省里的模板正文")
        Letter.objects.create(office=world.cast.b, title="外面的", text="外面的模板正文")
        letter = Letter.objects.get(title="缺异地备案")
    page = text(browser(world.cast.reviewer).get(page_of(claim)))
    assert [one for one in ("请补充异地就医备案记录。", "省里的模板正文", "照片看不清") if one not in page] == []
    assert "外面的模板正文" not in page
    edit = f"{address}?office={world.cast.a.pk}&letter={letter.pk}"
    assert manager.post(edit, {**new, "text": "请补充备案记录。"}).status_code == 302
    assert manager.post(edit, {"retire": "yes"}).status_code == 302
    assert manager.get(edit).status_code == 404
    assert "请补充备案记录" not in text(browser(world.cast.reviewer).get(page_of(claim)))


def test_a_reason_of_the_office_is_given_with_or_without_a_clause_and_stays_as_it_was_told(world: World, claim: Claim) -> None:
    manager, reviewer, address = browser(world.cast.manager), browser(world.cast.reviewer), reverse("admin:review_reason")
    new = {"code": "zhuanzhen", "title": "没有转诊", "text": "这次就医没有办理转诊。", "title_en": "No referral", "text_en": "None."}
    assert manager.post(f"{address}?office={world.cast.a.pk}", {**new, "code": "无"}).status_code == 400
    assert manager.post(f"{address}?office={world.cast.a.pk}", new).status_code == 302
    assert manager.post(f"{address}?office={world.cast.a.pk}", new).status_code == 400
    for closed in (f"{address}?office={world.cast.b.pk}", f"{address}?office={world.cast.a.pk}&national=yes"):
        assert manager.post(closed, {**new, "code": "closed"}).status_code == 404
    with everywhere(reason="look"):
        reason = RejectionReason.objects.get(code="zhuanzhen")
        RejectionReason.objects.create(code="outside", office=world.cast.b, title="外面的原因", needs_clause=False)
    edit = f"{address}?office={world.cast.a.pk}&reason={reason.pk}"
    assert manager.post(edit, {**new, "title": "没有办理转诊"}).status_code == 302
    page = text(reviewer.get(page_of(claim)))
    assert [one for one in ("没有办理转诊", "材料不足以证明") if one not in page] == []
    assert "外面的原因" not in page

    said = {"decision": "reject", "reason_code": "zhuanzhen", "note": "这次就医没有办理转诊。", "sure": "yes"}
    assert reviewer.post(page_of(claim), {**said, "reason_code": "outside"}).status_code == 400
    assert reviewer.post(page_of(claim), {**said, "reason_code": "papers"}).status_code == 400, "that one needs a clause"
    assert reviewer.post(page_of(claim), said).status_code == 302
    assert "没有办理转诊" in text(reviewer.get(page_of(claim)))
    assert manager.post(edit, {**new, "title": "换一种说法"}).status_code == 409
    with everywhere(reason="the database holds it as well"):
        for harm in ({"title": "换一种说法"}, {"used_at": None}):
            with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
                RejectionReason.objects.filter(pk=reason.pk).update(**harm)
        RejectionReason.objects.filter(code="late").update(title="交晚了")  # the control: nobody was told that one yet
        with pytest.raises(IntegrityError, match="never removed"), transaction.atomic():
            RejectionReason.objects.filter(code="late").delete()
    assert manager.post(edit, {"retire": "yes"}).status_code == 302
    assert manager.get(edit).status_code == 404
    assert "没有办理转诊" in text(reviewer.get(page_of(claim))), "the claim keeps it"
    with everywhere(reason="look"):
        acts = AuditEntry.objects.filter(entity="claims.rejectionreason", entity_id=reason.pk)
        assert {(act.action, act.actor_id, act.office_id) for act in acts} == {("set_reason", world.cast.manager.pk, world.cast.a.pk)}
        assert acts.count() == 3


def test_headquarters_writes_the_national_reasons_and_letters(world: World, claim: Claim) -> None:
    hq, whose = browser(world.cast.hq_user), f"?office={world.cast.province.pk}&national=yes"
    new = {"title": "全国的", "text": "全国统一的说法", "title_en": "National", "text_en": "Said everywhere"}
    assert hq.post(f"{reverse('admin:review_letter')}{whose}", {**new, "about": "hardship"}).status_code == 302
    assert hq.post(f"{reverse('admin:review_reason')}{whose}", {**new, "code": "national1"}).status_code == 302
    with everywhere(reason="look"):
        late = RejectionReason.objects.get(code="late")
    edit = f"{reverse('admin:review_reason')}{whose}&reason={late.pk}"
    assert hq.post(edit, {**new, "title": "申领得太晚", "text": "交得太晚。"}).status_code == 302
    with everywhere(reason="look"):
        assert RejectionReason.objects.get(pk=late.pk).title == "申领得太晚"
    assert "添加全国统一的原因" in text(hq.get(f"{reverse('admin:review_rule')}?office={world.cast.province.pk}"))
    page = text(browser(world.cast.reviewer).get(page_of(claim)))
    assert page.count("全国统一的说法") == 1, "the letter is for hardship alone"
    english = text(browser(world.cast.reviewer).get(page_of(claim), headers={"accept-language": "en"}))
    assert "Said everywhere" in english


def test_an_office_sets_its_limits_and_who_looked_at_old_ones_is_told(world: World, claim: Claim) -> None:
    manager, address = browser(world.cast.manager), f"{reverse('admin:review_rule')}?office={world.cast.a.pk}"
    assert manager.get(address).status_code == 200
    form = {"seen": "0", "bulk_limit": "1000", "soon_days": "60", "cooling_days": "5"}
    form |= {f"days_{step}": str(3 + i) for i, step in enumerate(TIMED)}
    assert manager.post(address, form).status_code == 302
    with everywhere(reason="look"):
        rule = ReviewRule.objects.get(office=world.cast.a)
        assert (rule.bulk_limit_fen, rule.soon_days, rule.cooling_days) == (100_000, 60, 5)
        assert rule.step_days == {step: 3 + i for i, step in enumerate(TIMED)}
    assert manager.post(address, form).status_code == 409
    assert manager.post(address, {**form, "seen": "1", "days_submitted": "0"}).status_code == 400
    assert manager.post(address, {**form, "seen": "1", "bulk_limit": "0"}).status_code == 302
    assert browser(world.cast.reviewer).get(address).status_code == 403


def test_claims_are_approved_together_from_the_page(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"):
        ReviewRule.objects.create(office=world.cast.a, bulk_limit_fen=500_000)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
    approver, address = browser(world.cast.approver), reverse("admin:bulk_approve_claims")
    page = approver.get(address)
    assert claim.number in text(page)
    form = {"key": page.context["form"]["key"].value(), "things": [claim.pk]}
    unsure = approver.post(address, form)
    assert unsure.status_code == 400
    assert "请勾选确认" in text(unsure)
    done = approver.post(address, {**form, "sure": "on"})
    assert done.status_code == 302
    again = approver.post(address, {**form, "sure": "on"})
    assert again.status_code in (302, 400)
    run_due("default")
    result = text(approver.get(done["Location"]))
    assert "已办理 1 件" in result
    assert "核定 4,400.00 元" in result
    assert browser(world.cast.outsider).get(done["Location"]).status_code == 404
    assert browser(world.cast.reviewer).get(address).status_code == 403


def test_the_claim_page_works_without_script_and_lists_its_keys(world: World, claim: Claim) -> None:
    page = text(browser(world.cast.reviewer).get(page_of(claim)))
    assert "js/review.js" in page
    assert " style=" not in page
    assert "<script>" not in page
    assert 'href="/admin/claims/claim/papers/' in page
    for key in ("<kbd>j</kbd>", "<kbd>n</kbd>", "<kbd>?</kbd>"):
        assert key in page
    for target in re.findall(r'goTo\("#(\w+)"\)', (settings.BASE_DIR / "static/js/review.js").read_text()):
        tag = re.search(rf'<\w+[^>]* id="{target}"[^>]*>', page)
        assert tag, target
        assert tag[0].startswith("<textarea") or "tabindex" in tag[0], f"{target} takes no focus"


def test_earlier_claims_of_the_person_are_shown(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"):
        again = world.claim(claim.enrolment, 100_000)
        Claim.objects.filter(pk=claim.pk).update(since=claim.since - timedelta(days=1))
    page = text(browser(world.cast.reviewer).get(page_of(again)))
    assert (claim.number in page, "在别的办事处还有" in page) == (True, False)
    with everywhere(reason="arrange"):
        Claim.objects.filter(pk=claim.pk).update(office=world.cast.b)
    assert "在别的办事处还有 1 件申领" in text(browser(world.cast.reviewer).get(page_of(again)))
