"""Joining a plan through the front door: the questions, why not, the draft, sending it in once, paying, the certificate."""

import io
import re
import uuid
from collections.abc import Iterator
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from members.models import Consent, ContributionDue, Enrolment, Evidence, JoinDraft, Member, WorkUnit
from members.services import contributions, enrolment, joining, people
from programs.models import Terms
from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD
from tests.factories.world import JOINED, World, load, make_world, terms_like
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.scope import Scope, everywhere, office_scope

YULIN = "shaanxi-yulin-medical.2026"
NUMBER = make_id_number("610802", date(1990, 3, 8), 128)
MAN = make_id_number("610802", date(1988, 3, 8), 127)
CHILD = make_id_number("610802", date(2018, 5, 1), 31)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _photo(colour: str = "#335577") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "PNG")
    return SimpleUploadedFile("合同.png", out.getvalue(), "image/png")


def _signed_up(id_number: str = NUMBER) -> Client:
    client = Client()
    form = {"name": "艾小梅", "id_number": id_number, "phone": "13991200001", "password": PASSWORD}
    assert client.post(reverse("members:sign_up"), form).status_code == 302
    return client


def _answered(world: World, id_number: str = NUMBER, **other: str) -> Client:
    client = _signed_up(id_number)
    answers = {"employment": "enterprise", "insurance": "yes", "union": "yes", **other}
    for name, answer in answers.items():
        assert client.post(reverse("members:question", args=[name]), {"answer": answer}).status_code == 302
    assert client.post(reverse("members:question", args=["work"]), {"unit": world.unit.name}).status_code == 302
    return client


def _draft(client: Client, world: World) -> str:
    """The address part of a draft for the Yulin plan with a paper."""
    answer = client.post(reverse("members:join", args=[world.yulin.pk]))
    assert answer.status_code == 302
    public_id = str(re.search(r"[0-9a-f-]{36}", answer["Location"]).group())  # type: ignore[union-attr]
    assert client.post(reverse("members:join_papers", args=[public_id]), {"kind": "contract", "file": _photo()}).status_code == 302
    return public_id


def _send(client: Client, public_id: str, key: str = "k1") -> HttpResponse:
    return client.post(reverse("members:join_check", args=[public_id]), {"key": key, "true": "on"})


def test_the_whole_way_to_the_certificate(world: World) -> None:
    client = _signed_up()
    assert client.get(reverse("members:eligibility"), follow=True).request["PATH_INFO"] == "/my/eligibility/employment"
    for name, answer in (("employment", "enterprise"), ("insurance", "yes"), ("union", "yes")):
        client.post(reverse("members:question", args=[name]), {"answer": answer})
    plans = client.post(reverse("members:question", args=["work"]), {"unit": world.unit.credit_code}, follow=True)
    assert "您可以参加" in _text(plans)
    assert "榆林市在职职工医疗互助保障活动" in _text(plans)
    plan = _text(client.get(reverse("members:plan", args=[world.yulin.pk])))
    assert "2,000.00 元的部分 80%" in plan
    assert "互助金 ¥1,200.00 元" in plan
    public_id = _draft(client, world)
    check = _text(client.get(reverse("members:join_check", args=[public_id])))
    assert world.unit.name in check
    assert "¥125.00" in check
    assert NUMBER not in check
    done = client.post(reverse("members:join_check", args=[public_id]), {"key": "k1", "true": "on"}, follow=True)
    with everywhere(reason="look"):
        cover = Enrolment.objects.select_related("unit").get()
        due = ContributionDue.objects.get()
        assert cover.unit == world.unit
        assert Evidence.objects.get().kind == "contract"
        assert not JoinDraft.objects.exists()
    assert due.reference in _text(done)
    assert client.get(reverse("members:certificate", args=[cover.public_id]))["Location"].endswith("/pay")
    with everywhere(reason="pay"):
        contributions.confirm(
            due, payer_name="艾小梅", bank_reference="T1", received_on=JOINED, amount_fen=12_500, remark=due.reference,
            by=world.cast.actor(world.cast.payer), on=JOINED,
        )  # fmt: skip
    page = _text(client.get(reverse("members:certificate", args=[cover.public_id])))
    assert "data:image/png" in page
    assert world.unit.name in page
    assert client.get(reverse("members:certificate_pdf", args=[cover.public_id])).content.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("question", "answer", "words"),
    [
        ("employment", "retired", "您已退休"),
        ("employment", "institution_subsidised", "公务员医疗补助"),
        ("insurance", "no", "没有参加基本医疗保险"),
        ("union", "no", "还不是工会会员"),
    ],
)
def test_a_plan_that_is_not_open_says_why(world: World, question: str, answer: str, words: str) -> None:
    client = _answered(world, **{question: answer})
    page = _text(client.get(reverse("members:plans")))
    assert "您目前不能参加" in page
    assert words in page
    public_id = _draft(client, world)
    sent = _send(client, public_id)
    assert sent.status_code == 400
    assert words in _text(sent)
    with everywhere(reason="look"):
        assert not Enrolment.objects.exists()
        assert JoinDraft.objects.count() == 1


def test_sending_twice_has_one_effect(world: World) -> None:
    client = _answered(world)
    public_id = _draft(client, world)
    first, second, other = _send(client, public_id), _send(client, public_id), _send(client, public_id, "another")
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert other.status_code == 302
    assert "/joined" not in other["Location"]
    with everywhere(reason="look"):
        assert Enrolment.objects.count() == ContributionDue.objects.count() == 1


def test_a_second_joining_of_the_same_days_is_told_the_way_out(world: World) -> None:
    client = _answered(world)
    _send(client, _draft(client, world))
    answer = _send(client, _draft(client, world), "k2")
    assert answer.status_code == 400
    assert "不能重复参加" in _text(answer)
    with everywhere(reason="look"):
        assert Enrolment.objects.count() == Evidence.objects.count() == 1
        assert JoinDraft.objects.get().papers.count() == 1


def test_two_phones_sending_one_draft_at_the_same_moment_join_once(committed: None) -> None:
    with frozen(JOINED):
        world = make_world()
        client = _answered(world)
        public_id = _draft(client, world)
        user = User.objects.get(display_name="艾小梅")
    barrier, outcomes = Barrier(4), list[str]()

    def send() -> None:
        try:
            with frozen(JOINED), everywhere(reason="who"):
                actor = world.worker(Member.objects.get(user=user))
                draft = JoinDraft.objects.get(public_id=public_id)
            barrier.wait(60)
            with frozen(JOINED), office_scope(Scope(member=actor.member_id, user=actor.user_id)):
                joining.submit(draft, by=actor, on=JOINED)
            outcomes.append("joined")
        except Exception as error:  # noqa: BLE001 (every outcome is counted)
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Conflict", "Conflict", "Conflict", "joined"]
    with everywhere(reason="look"):
        assert Enrolment.objects.count() == 1


def test_a_child_joins_through_the_guardian(world: World) -> None:
    with everywhere(reason="arrange"):
        terms = load("national-children-accident.2026")
    client = _answered(world)
    answer = client.post(reverse("members:join", args=[terms.pk]))
    public_id = str(re.search(r"[0-9a-f-]{36}", answer["Location"]).group())  # type: ignore[union-attr]
    new = reverse("members:join_person_new", args=[public_id, "minor_child"])
    child = {"key": "c", "name": "小宝", "id_number": CHILD}
    assert client.post(new, child).status_code == 400
    grown = client.post(new, {**child, "consent": "on", "id_number": make_id_number("610802", date(2000, 5, 1), 31)})
    assert grown.status_code == 400
    assert "已满 18 周岁" in _text(grown)
    assert client.post(new, {**child, "consent": "on"}).status_code == 302
    assert _send(client, public_id).status_code == 400
    client.post(reverse("members:join_papers", args=[public_id]), {"kind": "relation", "file": _photo()})
    assert _send(client, public_id, "k2").status_code == 302
    with everywhere(reason="look"):
        cover = Enrolment.objects.select_related("member", "holder").get()
        assert (cover.member.name, cover.holder.name, cover.relation) == ("小宝", "艾小梅", "minor_child")
        assert Consent.objects.filter(member=cover.member, purpose="minor").count() == 1
    assert "小宝" in _text(client.get("/my/"))
    assert "小宝" in _text(client.get(reverse("members:pay", args=[cover.public_id])))
    desk, page = client_of(world.cast.reviewer), reverse("admin:enrolment", args=[cover.pk])
    assert "待核对监护关系的未成年人" in _text(desk.get("/admin/"))
    assert "还没有核对" in _text(desk.get(page))
    sure = reverse("admin:enrolment_guardian", args=[cover.pk])
    assert [desk.post(sure).status_code for _twice in range(2)] == [302, 409]
    assert "还没有核对" not in _text(desk.get(page))
    with everywhere(reason="look"):
        assert Member.objects.get(pk=cover.member_id).guardian_id == cover.holder_id


def test_the_wife_of_a_worker_joins_through_him_what_units_join(world: World) -> None:
    """The plan is for women, and units list their own workers alone: he cannot join it, she can, and his unit is told so."""
    rules = {"opens": "2025-10-01", "closes": "2026-12-31", "relations": ["self", "spouse"], "gender": "female"}
    terms = terms_like("neimenggu-women.2026", office="610800", enrolment=rules)
    client, wife = _answered(world, MAN), {"name": "李小红", "id_number": NUMBER, "consent": "on"}
    answer = client.post(reverse("members:join", args=[terms.pk]))
    public_id = str(re.search(r"[0-9a-f-]{36}", answer["Location"]).group())  # type: ignore[union-attr]
    assert "我的配偶" in _text(client.get(answer["Location"]))
    assert client.post(answer["Location"], {"answer": "self"}).status_code == 400
    assert client.post(reverse("members:join_person_new", args=[public_id, "spouse"]), {**wife, "key": "w"}).status_code == 302
    client.post(reverse("members:join_papers", args=[public_id]), {"kind": "relation", "file": _photo()})
    assert _send(client, public_id).status_code == 302
    with everywhere(reason="look"):
        cover = Enrolment.objects.select_related("member", "holder").get()
        assert (cover.member.name, cover.relation, cover.unit, cover.contribution_fen) == ("李小红", "spouse", world.unit, 3500)
    upload = client_of(world.agent).get(reverse("members:roster_upload", args=[world.unit.pk, terms.pk]))
    assert "名册只登记本单位职工本人" in _text(upload)
    with everywhere(reason="arrange"):
        woman = client_of(world.member(102, "王芳").user)
    assert "由单位统一参加" in _text(woman.get(reverse("members:plan", args=[terms.pk])))
    assert woman.post(reverse("members:join", args=[terms.pk])).status_code == 302
    with everywhere(reason="look"):
        assert not JoinDraft.objects.exclude(member=None).exists()


def test_what_is_unpaid_can_be_taken_back(world: World) -> None:
    client = _answered(world)
    _send(client, _draft(client, world))
    with everywhere(reason="look"):
        cover = Enrolment.objects.get()
    page = reverse("members:withdraw", args=[cover.public_id])
    assert client.get(page).status_code == 200
    assert client.post(page, {"key": "w"}).status_code == 302
    with everywhere(reason="look"):
        assert Enrolment.objects.get().state == "withdrawn"
        assert ContributionDue.objects.get().state == "cancelled"
    assert _send(client, _draft(client, world), "again").status_code == 302


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.exe", b"MZ\x90\x00" * 50, "只能上传"),
        ("x.jpg", b"", "文件是空的"),
        ("x.pdf", b"%PDF-1.4 no end", "PDF"),
        ("x.jpg", b"\xff\xd8\xff" * 9, "照片"),
    ],
)
def test_a_file_that_is_no_paper_is_refused(world: World, name: str, content: bytes, words: str) -> None:
    client = _answered(world)
    public_id = _draft(client, world)
    answer = client.post(
        reverse("members:join_papers", args=[public_id]), {"kind": "contract", "file": SimpleUploadedFile(name, content)}
    )
    assert answer.status_code == 400
    assert words in _text(answer)
    with everywhere(reason="look"):
        assert JoinDraft.objects.get().papers.count() == 1


def test_another_worker_finds_none_of_it(world: World) -> None:
    client = _answered(world)
    sent = _draft(client, world)
    _send(client, sent)
    public_id = _draft(client, world)
    with everywhere(reason="look"):
        cover, paper = Enrolment.objects.get(), JoinDraft.objects.get().papers.get()
        stranger_user = world.member(901, "外人").user
    stranger = Client()
    stranger.force_login(stranger_user, backend="unionaid.accounts.backends.NumberBackend")
    for name in ("join_person", "join_term", "join_shares", "join_papers", "join_check", "join_drop"):
        assert stranger.get(reverse(f"members:{name}", args=[public_id])).status_code == 404
    for name in ("joined", "pay", "withdraw", "certificate", "certificate_pdf"):
        assert stranger.get(reverse(f"members:{name}", args=[cover.public_id])).status_code == 404
    assert stranger.get(reverse("members:join_paper", args=[paper.public_id])).status_code == 404
    assert stranger.post(reverse("members:join_paper_remove", args=[paper.public_id])).status_code == 404
    assert client.get(reverse("members:join_paper", args=[paper.public_id])).status_code == 200
    assert Client().get(reverse("members:plans")).status_code == 302
    assert client.get(reverse("members:pay", args=[uuid.uuid4()])).status_code == 404


def test_a_worker_cannot_walk_over_to_another_unit(world: World) -> None:
    client = _answered(world)
    answer = client.post(reverse("members:question", args=["work"]), {"unit": "没有这个单位"})
    assert answer.status_code == 400
    assert "没有找到这个单位" in _text(answer)
    answer = client.post(reverse("members:question", args=["work"]), {"office": str(world.cast.b.pk)})
    assert answer.status_code == 400
    with everywhere(reason="look"):
        member = Member.objects.get(name="艾小梅")
        assert member.unit == world.unit
        assert world.cast.b.pk not in member.office_ids
        with pytest.raises(people.PersonRefused):
            people.work_at(member, unit=None, office=world.cast.b, by=world.worker(member))


# --- what only some plans ask ---------------------------------------------------------------------------------------


def _begun(client: Client, terms: Terms) -> tuple[str, str]:
    """Where the form begins, and the address part of its draft."""
    answer = client.post(reverse("members:join", args=[terms.pk]))
    assert answer.status_code == 302
    return answer["Location"], str(re.search(r"[0-9a-f-]{36}", answer["Location"]).group())  # type: ignore[union-attr]


BY_TERM: dict[str, Any] = {
    "period": {"start": "2026-01-01", "end": "2026-12-31", "term_months": [6, 36]},
    "contribution": {"classes": [{"term_months": 6, "per_share": "60"}, {"term_months": 36, "per_share": "300"}]},
}


def test_how_long_is_asked_and_decides_cover_and_contribution(world: World) -> None:
    client, terms = _answered(world), terms_like(YULIN, **BY_TERM)
    assert "保障时间可选 6 个月、36 个月" in _text(client.get(reverse("members:plan", args=[terms.pk])))
    address, public_id = _begun(client, terms)
    assert address.endswith("/term")
    page = _text(client.get(address))
    assert "6 个月，保障到2026年7月5日，每份 60.00 元" in page
    assert "3 年，保障到2029年1月5日，每份 300.00 元" in page
    assert client.post(address, {"answer": "12"}).status_code == 400
    client.post(reverse("members:join_papers", args=[public_id]), {"kind": "contract", "file": _photo()})
    early = _send(client, public_id, "too early")
    assert early.status_code == 400
    assert "请先在计划提供的保障时间里选一种" in _text(early)
    unfinished = _text(client.get(reverse("members:join_check", args=[public_id])))
    assert f"{address}?change=1" in unfinished
    assert "应缴互助费" not in unfinished
    assert client.post(address, {"answer": "36"}).status_code == 302
    checked = _text(client.get(reverse("members:join_check", args=[public_id])))
    assert "3 年" in checked
    assert "¥300.00" in checked
    assert "2029年1月5日" in checked
    assert _send(client, public_id).status_code == 302
    with everywhere(reason="look"):
        cover, due = Enrolment.objects.get(), ContributionDue.objects.get()
    assert (cover.term_months, str(cover.last_day), cover.contribution_fen, due.amount_fen) == (36, "2029-01-05", 30_000, 30_000)


def test_who_renews_is_not_told_of_a_waiting_that_is_waived(world: World) -> None:
    client, terms = _answered(world), terms_like(YULIN, waiting={"days": 30, "waived_on_renewal_within_days": 30})
    _address, public_id = _begun(client, terms)
    address = reverse("members:join_check", args=[public_id])
    assert "等待期：到 2026年2月4日，这之前发生的疾病不给付。" in _text(client.get(address))
    with everywhere(reason="arrange"):
        draft = JoinDraft.objects.get(public_id=public_id)
        before = {"member": draft.holder, "holder": draft.holder, "relation": "self", "unit": world.unit, "office": world.unit.office}
        days = DateRange(date(2025, 1, 1), date(2026, 1, 1))
        Enrolment.objects.create(
            **before, terms=terms, program=terms.program, shares=1, cover=days, first_time=True, contribution_fen=0, state="effective"
        )
    page = _text(client.get(address))
    assert "等待期：连续参加，没有等待期。" in page
    assert "2026年2月4日" not in page


def test_a_plan_of_one_length_does_not_ask_how_long(world: World) -> None:
    client = _answered(world)
    address, public_id = _begun(client, world.yulin)
    assert "/term" not in address
    assert client.get(reverse("members:join_term", args=[public_id])).status_code == 404


ASKS_MORE: dict[str, Any] = {
    "enrolment": {
        "opens": "2025-10-01", "closes": "2026-12-31", "individual": True, "min_contract_months": 12, "card_holder": True,
        "ages": [{"from": 16, "to": 30}, {"group": "senior", "from": 16, "to": 59}],
    },
    "contribution": {"classes": [{"risk": "high", "per_share": "60"}, {"risk": "normal", "per_share": "30"}]},
}  # fmt: skip


def _tell(client: Client, address: str, **answers: str) -> str:
    answer = client.post(address, answers)
    assert answer.status_code == 302, _text(answer)
    return answer["Location"]


def test_what_a_plan_asks_more_is_asked_one_by_one_and_leads_back_to_it(world: World) -> None:
    client, terms = _answered(world), terms_like(YULIN, **ASKS_MORE)
    plan = reverse("members:plan", args=[terms.pk])
    first = f"{reverse('members:question', args=['contract'])}?plan={terms.pk}"
    assert first in _text(client.get(plan))
    assert client.post(first, {"answer": "months"}).status_code == 400
    second = _tell(client, first, answer="months", months="24")
    assert second == first.replace("contract", "card")
    third = _tell(client, second, answer="yes")
    assert "中高级职务（职称）人员" in _text(client.get(third))
    assert client.post(third, {"answer": "hardship"}).status_code == 400  # who pays less, the unit declares
    fourth = _tell(client, third, answer="senior")
    assert _tell(client, fourth, answer="high") == plan
    page = _text(client.get(plan))
    assert "您可以参加" in page
    assert "每份 ¥60.00 元" in page
    answers = _text(client.get(reverse("members:eligibility")))
    assert all(words in answers for words in ("24 个月", "中高级职务（职称）人员", "高风险工种"))
    with everywhere(reason="look"):
        member = Member.objects.get(name="艾小梅")
    assert (member.contract_months, member.card_holder, member.staff_group, member.risk) == (24, True, "senior", "high")
    desk = _text(client_of(world.cast.reviewer).get(reverse("admin:member", args=[member.pk])))
    assert all(words in desk for words in ("24 个月", "中高级职务（职称）人员", "高风险工种"))


@pytest.mark.parametrize(
    ("question", "told", "words"),
    [
        ("contract", {"answer": "none"}, "劳动合同是 0 个月"),
        ("card", {"answer": "no"}, "要求持有工会会员卡"),
        ("group", {"answer": "ordinary"}, "周岁"),
    ],
)
def test_an_answer_that_speaks_against_joining_is_told(world: World, question: str, told: dict[str, str], words: str) -> None:
    client, terms = _answered(world), terms_like(YULIN, **ASKS_MORE)
    _tell(client, f"{reverse('members:question', args=[question])}?plan={terms.pk}", **told)
    page = _text(client.get(reverse("members:plan", args=[terms.pk])))
    assert "您目前不能参加" in page
    assert words in page


def test_the_units_class_of_work_is_not_asked_again(world: World) -> None:
    client, terms = _answered(world), terms_like(YULIN, contribution=ASKS_MORE["contribution"])
    address = reverse("members:question", args=["risk"])
    assert client.get(address).status_code == 200
    with everywhere(reason="arrange"):
        WorkUnit.objects.filter(pk=world.unit.pk).update(risk="normal")
    assert client.get(address).status_code == 404
    page = _text(client.get(reverse("members:plan", args=[terms.pk])))
    assert "您可以参加" in page
    assert "每份 ¥30.00 元" in page


def test_a_strange_plan_in_the_address_breaks_nothing(world: World) -> None:
    client = _answered(world)
    for strange in ("x", "-1", "9" * 30, "٣", "999999"):
        answer = client.post(f"{reverse('members:question', args=['card'])}?plan={strange}", {"answer": "yes"})
        assert answer.status_code == 302


def _statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_the_list_of_plans_takes_the_same_number_of_statements_for_one_plan_or_many(world: World) -> None:
    client = _answered(world)
    one = _statements(client, reverse("members:plans"))
    with everywhere(reason="arrange"):
        for name in ("national-inpatient.2026", "national-women.2026", "national-accident.2026", "national-children-accident.2026"):
            load(name)
    assert _statements(client, reverse("members:plans")) == one <= 14


def test_on_the_last_day_of_a_period_nobody_joins_for_no_days(world: World) -> None:
    with everywhere(reason="arrange"):
        member = world.member(161)
        with pytest.raises(enrolment.EnrolmentRefused, match="没有剩余的保障日"):
            enrolment.enrol(
                member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit,
                on=date(2026, 12, 31), by=world.worker(member),
            )  # fmt: skip
