"""The unit's record through the front door: drafts, changes that wait for the office, another agent, mergers and divisions."""

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from claims.models import Appeal, CeilingUsage, Claim
from claims.services import adjudication
from members.models import (
    AgentChange,
    CarriedEnrolment,
    ContributionDue,
    Correction,
    Enrolment,
    Member,
    Roster,
    UnitAgent,
    UnitChange,
    UnitLineage,
    WorkUnit,
)
from members.services import departures, lineage, rosters, units
from tests.factories.clients import client_of
from tests.factories.offices import make_user
from tests.factories.world import ASKED, JOINED, World, make_unit
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen, now
from unionaid.lib.identity import credit_code_check, make_id_number
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import SYSTEM, Actor, Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, Job, Notice

LATER = JOINED + timedelta(days=10)
NEXT = "91610800MA70XX11C"
UNION = "81610800MA70XX22D"


def code(seventeen: str) -> str:
    return seventeen + credit_code_check(seventeen)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _photo(colour: str = "#335577") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(out, "PNG")
    return SimpleUploadedFile("批复.png", out.getvalue(), "image/png")


def _newcomer(world: World, order: int = 301, name: str = "欧阳小梅") -> User:
    with everywhere(reason="arrange"):
        member = world.member(order, name)
        Member.objects.filter(pk=member.pk).update(unit=None, unit_ids=[])
    return member.user


def _form(world: World, **more: object) -> dict[str, object]:
    return {
        "key": "k", "name": "榆林新测试单位", "nature": "enterprise", "industry": "C", "risk": "high", "headcount": "120",
        "women_count": "50", "credit_code": code(NEXT), "union_credit_code": code(UNION), "office": world.cast.a.pk, **more,
    }  # fmt: skip


def _record(world: World, **more: object) -> dict[str, object]:
    """The change form as the agent's page holds it, with `more` typed into it."""
    unit = world.unit
    with everywhere(reason="look"):
        unit.refresh_from_db()
    told = {name: getattr(unit, name) for name in units.FIELDS if name != "civil_servant_subsidy"}
    return {"key": "c", **told, "industry": unit.industry or "C", "office": unit.office_id, "reason": "", **more}


# -- registration ----------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_gone_on_with_and_sent_in(world: World) -> None:
    user = _newcomer(world)
    client, desk = client_of(user), client_of(world.cast.reviewer)
    page = reverse("members:unit_register")
    assert "先保存草稿" in _text(client.get(page))
    saved = client.post(page, {"key": "1", "act": "save", "name": "榆林新测试单位", "office": world.cast.a.pk, "women_count": "7"})
    assert saved.status_code == 302
    with everywhere(reason="look"):
        unit = WorkUnit.objects.get(name="榆林新测试单位")
    assert unit.state == "draft"
    assert "接着填" in _text(client.get(reverse("members:unit_home")))
    assert client.get(reverse("members:roster_plans", args=[unit.pk])).status_code == 302
    assert desk.get(reverse("admin:unit", args=[unit.pk])).status_code == 404
    assert "榆林新测试单位" not in _text(desk.get(reverse("admin:members_workunit_changelist")))
    mine = reverse("members:unit", args=[unit.pk])
    incomplete = client.post(mine, _form(world, act="submit"))
    assert incomplete.status_code == 400
    assert "请选择照片或 PDF 文件" in _text(incomplete)
    assert client.post(mine, _form(world, act="save", paper=[_photo(), _photo("#aa0000")])).status_code == 302
    with everywhere(reason="look"):
        papers = list(unit.papers.all())
    assert len(papers) == 2
    assert client.get(reverse("members:unit_paper", args=[papers[0].pk])).status_code == 200
    assert client.post(reverse("members:unit_paper_remove", args=[papers[0].pk])).status_code == 302
    assert client.post(mine, _form(world, act="submit")).status_code == 302
    assert client.post(reverse("members:unit_paper_remove", args=[papers[1].pk])).status_code == 302
    with everywhere(reason="look"):
        unit.refresh_from_db()
        assert (unit.state, unit.industry, unit.risk, unit.union_credit_code) == ("submitted", "C", "high", code(UNION))
        assert unit.papers.count() == 1, "what the office looks at is not taken away"
    shown = _text(desk.get(reverse("admin:unit", args=[unit.pk])))
    assert "制造业" in shown
    assert "高风险工种" in shown
    with frozen(LATER):
        home = _text(desk.get("/admin/"))
    assert "待审核的单位登记" in home
    assert "10" in home


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"credit_code": "91610800MA70XX11CX"}, "统一社会信用代码：统一社会信用代码最后一位不对"),
        ({"credit_code": code("A1610800MA70XX11C"), "union_credit_code": "8161080"}, "工会统一社会信用代码：统一社会信用代码应为 18 位"),
        ({"union_credit_code": code(NEXT)}, "请填工会法人资格证书上的代码"),
        ({"industry": "Z"}, "行业：请在列表里选择行业"),
        ({"industry": ""}, "行业：请选择行业"),
        ({"headcount": "一百"}, "在职职工人数：请填写整数"),
        ({"women_count": "121"}, "女职工人数不能大于职工人数"),
        ({"name": ""}, "单位全称：请填写单位全称"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(world: World, typed: dict[str, str], words: str) -> None:
    client = client_of(_newcomer(world))
    answer = client.post(reverse("members:unit_register"), _form(world, paper=_photo(), **typed))
    assert answer.status_code == 400
    assert words in _text(answer)
    with everywhere(reason="look"):
        assert not WorkUnit.objects.filter(name="榆林新测试单位").exists()


@pytest.mark.parametrize("first", ["A", "N", "Y", "5"])
def test_a_code_may_begin_with_a_letter(world: World, first: str) -> None:
    client = client_of(_newcomer(world))
    typed = code(f"{first}1610800MA70XX11C")
    answer = client.post(reverse("members:unit_register"), _form(world, paper=_photo(), credit_code=typed.lower(), union_credit_code=""))
    assert answer.status_code == 302
    with everywhere(reason="look"):
        assert WorkUnit.objects.get(name="榆林新测试单位").credit_code == typed


def test_a_draft_reserves_no_code(world: World) -> None:
    first, second = client_of(_newcomer(world)), client_of(_newcomer(world, 303))
    page = reverse("members:unit_register")
    assert first.post(page, _form(world, act="save")).status_code == 302
    assert second.post(page, _form(world, paper=_photo())).status_code == 302
    with everywhere(reason="look"):
        draft = WorkUnit.objects.get(state="draft")
    late = first.post(reverse("members:unit", args=[draft.pk]), _form(world, act="submit", paper=_photo("#aa0000")))
    assert late.status_code == 400
    assert "已经登记过" in _text(late)
    with everywhere(reason="look"):
        assert WorkUnit.objects.get(pk=draft.pk).state == "draft"
    assert second.get(reverse("members:unit", args=[draft.pk])).status_code == 404


# -- changes -----------------------------------------------------------------------------------------------------------


def _asked(world: World, **more: object) -> UnitChange:
    answer = client_of(world.agent).post(reverse("members:unit_change", args=[world.unit.pk]), _record(world, paper=_photo(), **more))
    assert answer.status_code == 302, _text(answer)
    with everywhere(reason="look"):
        return UnitChange.objects.select_related("unit").latest("id")


def test_a_change_waits_for_the_office_and_then_takes_effect(world: World) -> None:
    agent, desk = client_of(world.agent), client_of(world.cast.reviewer)
    mine = reverse("members:unit", args=[world.unit.pk])
    old_code, old_name = world.unit.credit_code, world.unit.name
    change = _asked(world, name="榆林更名后单位", credit_code=code("N1610800MA70XX11C"), headcount="60")
    page = _text(agent.get(mine))
    assert "待办事处审核" in page
    assert old_code in page
    assert code("N1610800MA70XX11C") in page
    with everywhere(reason="look"):
        world.unit.refresh_from_db()
        assert (world.unit.name, world.unit.credit_code, world.unit.headcount) == (old_name, old_code, 50), "nothing is in force yet"
    again = agent.post(reverse("members:unit_change", args=[world.unit.pk]), _record(world, key="c2", headcount="61"))
    assert again.status_code == 302, "one at a time: led back to the one that waits"
    with everywhere(reason="look"):
        assert UnitChange.objects.count() == 1
    with frozen(LATER):
        home = _text(desk.get("/admin/"))
    assert "待审核的单位变更" in home
    compared = _text(desk.get(reverse("admin:unit_change", args=[change.pk])))
    for words in (old_name, "榆林更名后单位", old_code, "现在登记", "申请改为", "变更的证明"):
        assert words in compared
    assert "女职工" not in compared.split("<tbody>")[1].split("</tbody>")[0], "only what changes is shown"
    assert desk.post(reverse("admin:unit_change", args=[change.pk]), {"decision": "approve"}).status_code == 302
    assert desk.post(reverse("admin:unit_change", args=[change.pk]), {"decision": "approve"}).status_code == 409
    with everywhere(reason="look"):
        world.unit.refresh_from_db()
        assert (world.unit.name, world.unit.headcount) == ("榆林更名后单位", 60)
        act = AuditEntry.objects.get(action="change_record")
        assert act.details["before"]["name"] == old_name
    assert "榆林更名后单位" in _text(agent.get(mine))


def test_a_change_is_sent_back_with_words_and_gone_on_with(world: World) -> None:
    agent, desk = client_of(world.agent), client_of(world.cast.reviewer)
    change = _asked(world, headcount="70", women_count="30")
    page = reverse("admin:unit_change", args=[change.pk])
    assert desk.post(page, {"decision": "return", "note": " "}).status_code == 400
    assert desk.post(page, {"decision": "return", "note": "请附花名册"}).status_code == 302
    assert "请附花名册" in _text(agent.get(reverse("members:unit", args=[world.unit.pk])))
    form = _text(agent.get(reverse("members:unit_change", args=[world.unit.pk])))
    assert 'value="70"' in form
    assert "请附花名册" in form
    with everywhere(reason="look"):
        world.unit.refresh_from_db()
        assert world.unit.headcount == 50
    assert _asked(world, key="c2", headcount="70", women_count="30").state == "pending"


def test_a_change_is_withdrawn(world: World) -> None:
    change = _asked(world, headcount="70")
    agent = client_of(world.agent)
    assert agent.post(reverse("members:unit_change_withdraw", args=[world.unit.pk])).status_code == 302
    assert client_of(world.cast.reviewer).post(reverse("admin:unit_change", args=[change.pk]), {"decision": "approve"}).status_code == 409
    with everywhere(reason="look"):
        change.refresh_from_db()
        assert change.state == "withdrawn"


def test_changes_that_cannot_be(world: World) -> None:
    agent, page = client_of(world.agent), reverse("members:unit_change", args=[world.unit.pk])
    with everywhere(reason="arrange"):
        other, _agent = make_unit(world.cast.a, "91610800MA70A1B3D")
        WorkUnit.objects.filter(pk=world.unit.pk).update(industry="C")
    none = agent.post(page, _record(world, paper=_photo()))
    assert none.status_code == 400
    assert "没有要变更的" in _text(none)
    bare = agent.post(page, _record(world, name="另一个名字"))
    assert bare.status_code == 400
    assert "请上传证明" in _text(bare)
    taken = agent.post(page, _record(world, credit_code=other.credit_code, paper=_photo()))
    assert taken.status_code == 400
    assert "已经登记过" in _text(taken)
    women = agent.post(page, _record(world, headcount="10"))
    assert women.status_code == 400
    with everywhere(reason="look"):
        assert not UnitChange.objects.exists()


def test_a_code_that_was_taken_meanwhile_is_refused_when_it_is_approved(world: World) -> None:
    change = _asked(world, credit_code=code(NEXT))
    with everywhere(reason="arrange"):
        make_unit(world.cast.b, NEXT)
    answer = client_of(world.cast.reviewer).post(reverse("admin:unit_change", args=[change.pk]), {"decision": "approve"})
    assert answer.status_code == 400
    assert "已经登记过" in _text(answer)
    with everywhere(reason="look"):
        change.refresh_from_db()
        assert change.state == "pending"


def test_who_may_decide_on_a_change(world: World) -> None:
    change = _asked(world, headcount="70")
    page, paper = reverse("admin:unit_change", args=[change.pk]), reverse("members:unit_change", args=[world.unit.pk])
    outsider = client_of(world.cast.outsider)
    assert outsider.get(page).status_code == 404
    assert outsider.post(page, {"decision": "approve"}).status_code == 404
    assert "榆林" not in _text(outsider.get(reverse("admin:members_unitchange_changelist")))
    assert client_of(world.cast.payer).post(page, {"decision": "approve"}).status_code == 403
    assert "通过变更" not in _text(client_of(world.cast.payer).get(page)).split('id="acts"')[0]
    with everywhere(reason="arrange"):
        _other, stranger = make_unit(world.cast.b, "91610100MA70A1B3D")
    assert client_of(stranger).get(paper).status_code == 404
    assert client_of(stranger).post(reverse("members:unit_change_withdraw", args=[world.unit.pk])).status_code == 404
    assert client_of(world.cast.manager).post(page, {"decision": "approve"}).status_code == 302


def test_moving_to_another_office_takes_someone_above_both(world: World) -> None:
    change = _asked(world, office=world.cast.b.pk)
    page = reverse("admin:unit_change", args=[change.pk])
    assert client_of(world.cast.manager).post(page, {"decision": "approve"}).status_code == 403
    with everywhere(reason="arrange"):
        above = make_user("s-above", "省级")
        StaffPost.objects.create(user=above, office=world.cast.province, role=Role.OFFICE_MANAGER, since=JOINED, confirmed_at=now())
        cover, stranger = world.cover(world.member(101)), world.member(103)
        Member.objects.filter(pk=stranger.pk).update(unit=None)
        line = f"姓名,身份证号\n新来,{make_id_number('610802', JOINED.replace(year=1990), 105)}\n".encode()
        waits = rosters.upload(unit=world.unit, terms=world.yulin, data=line, file_name="r.csv", by=world.agent_actor, on=JOINED)
        rosters.check(waits.pk, by=SYSTEM, on=JOINED)
    assert "西安办事处" in _text(client_of(above).get(page))
    assert client_of(above).post(page, {"decision": "approve"}).status_code == 302
    with everywhere(reason="look"):
        world.unit.refresh_from_db()
        cover.refresh_from_db()
        assert world.unit.office_id == world.cast.b.pk
        assert cover.office_id == world.cast.a.pk, "who took an enrolment stays responsible for it"
        person, other = (Member.objects.get(pk=pk) for pk in (cover.member_id, stranger.pk))
        assert (person.office_id, person.office_ids) == (world.cast.b.pk, [world.cast.a.pk, world.cast.b.pk])
        assert (other.office_id, other.office_ids) == (world.cast.a.pk, [world.cast.a.pk]), "who works elsewhere stays"
        acts = AuditEntry.objects.filter(entity="members.workunit", entity_id=world.unit.pk, action="change_record")
        assert [act.details["people"] for act in acts] == [1]
    with everywhere(reason="enrol whom a list names that was checked before"):
        rosters.confirm(Roster.objects.get(pk=waits.pk), by=world.agent_actor)
        rosters.commit(waits.pk, by=SYSTEM, on=JOINED)
        new = Member.objects.get(name="新来")
        assert (new.office_id, new.office_ids) == (world.cast.b.pk, sorted([world.cast.a.pk, world.cast.b.pk]))
        assert Enrolment.objects.get(member=new).office_id == world.cast.a.pk, "where the plan's money is"
    assert person.name in _text(client_of(world.cast.outsider).get(reverse("admin:member", args=[person.pk])))
    assert client_of(world.agent).get(reverse("members:unit", args=[world.unit.pk])).status_code == 200
    assert client_of(world.cast.outsider).get(reverse("admin:unit", args=[world.unit.pk])).status_code == 200


# -- another agent -----------------------------------------------------------------------------------------------------


def _ask_to_take_over(world: World, user: User, *, handed_in: bool = True) -> AgentChange:
    client = client_of(user)
    answer = client.post(reverse("members:take_over_start"), {"key": f"t{user.pk}", "credit_code": world.unit.credit_code})
    assert answer.status_code == 302, _text(answer)
    if handed_in:
        assert client.post(answer["Location"], {"paper": _photo()}).status_code == 302
    with everywhere(reason="look"):
        return AgentChange.objects.get(user=user)


def test_a_new_agent_takes_over_with_a_stamped_form(world: World) -> None:
    user = _newcomer(world)
    new, old, desk = client_of(user), client_of(world.agent), client_of(world.cast.reviewer)
    with everywhere(reason="arrange"):
        Member.objects.filter(pk=world.member(501, "周经办").pk).update(user=world.agent)
    change = _ask_to_take_over(world, user, handed_in=False)
    page = reverse("members:take_over", args=[change.public_id])
    pdf = new.get(reverse("members:take_over_form", args=[change.public_id]))
    words = PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text().replace("\x00", "")
    for said in (world.unit.name, world.unit.credit_code, "欧阳小梅"):
        assert said in words
    assert desk.get(reverse("admin:agent_change", args=[change.pk])).status_code == 404, "nothing to decide before the form is in"
    assert new.post(page, {}).status_code == 400
    assert new.post(page, {"paper": _photo()}).status_code == 302
    assert "待办事处审核" in _text(new.get(page))
    assert "欧阳小梅" in _text(old.get(reverse("members:unit", args=[world.unit.pk]))), "the old agent sees who asks"
    at_desk = reverse("admin:agent_change", args=[change.pk])
    assert "盖章的申请表" in _text(desk.get(at_desk))
    with everywhere(reason="look"):
        paper = change.papers.get()
    assert desk.get(reverse("admin:agent_paper", args=[paper.pk])).status_code == 200
    assert client_of(world.cast.outsider).get(reverse("admin:agent_paper", args=[paper.pk])).status_code == 404
    assert new.get("/unit/").status_code == 403
    opened = reverse("members:unit", args=[world.unit.pk])
    assert old.get(opened).status_code == 200
    with frozen(LATER):
        assert "待审核的更换经办人" in _text(desk.get("/admin/"))
        assert desk.post(at_desk, {"decision": "approve"}).status_code == 302
        assert old.get(opened).status_code == 403
        assert old.post(reverse("members:unit_change", args=[world.unit.pk]), _record(world, headcount="70")).status_code == 403
        assert new.get(opened).status_code == 200
        assert "由您经办" in _text(new.get(page))
    with everywhere(reason="look"):
        ended, begun = UnitAgent.objects.filter(unit=world.unit).order_by("id")
        assert (ended.user_id, ended.until, begun.user_id, begun.since, begun.until) == (world.agent.pk, LATER, user.pk, LATER, None)
        assert AuditEntry.objects.filter(action="change_agent", entity_id=world.unit.pk).count() == 1
        told = {notice.title for notice in Notice.objects.all()}
    assert told == {"您不再是单位经办人", "您已是单位经办人"}


def test_an_agent_of_two_units_finds_only_the_one_that_is_left(world: World) -> None:
    with everywhere(reason="arrange"):
        other, _agent = make_unit(world.cast.a, "91610800MA70A1B3D")
        UnitAgent.objects.create(office=world.cast.a, unit=other, user=world.agent, since=JOINED)
    change = _ask_to_take_over(world, _newcomer(world))
    desk, old = client_of(world.cast.manager), client_of(world.agent)
    assert desk.post(reverse("admin:agent_change", args=[change.pk]), {"decision": "approve"}).status_code == 302
    assert old.get(reverse("members:unit", args=[world.unit.pk])).status_code == 404
    home = _text(old.get("/unit/"))
    assert f"“{world.unit.name}”由新的经办人办理" in home
    assert other.name in home


def test_a_request_that_is_refused_changes_nothing(world: World) -> None:
    user = _newcomer(world)
    change = _ask_to_take_over(world, user)
    page = reverse("admin:agent_change", args=[change.pk])
    desk = client_of(world.cast.reviewer)
    assert desk.post(page, {"decision": "return", "note": ""}).status_code == 400
    assert client_of(world.cast.payer).post(page, {"decision": "approve"}).status_code == 403
    assert client_of(world.cast.outsider).post(page, {"decision": "approve"}).status_code == 404
    assert desk.post(page, {"decision": "return", "note": "章不清楚"}).status_code == 302
    assert desk.post(page, {"decision": "approve"}).status_code == 409
    assert "章不清楚" in _text(client_of(user).get(reverse("members:take_over", args=[change.public_id])))
    assert client_of(user).get("/unit/").status_code == 403
    assert client_of(world.agent).get(reverse("members:unit", args=[world.unit.pk])).status_code == 200


def test_a_second_request_waits_until_the_first_is_decided(world: World) -> None:
    _ask_to_take_over(world, _newcomer(world))
    rival = _newcomer(world, 303, "买买提")
    change = _ask_to_take_over(world, rival, handed_in=False)
    page = reverse("members:take_over", args=[change.public_id])
    refused = client_of(rival).post(page, {"paper": _photo()})
    assert refused.status_code == 400
    assert "已有一份更换经办人的申请" in _text(refused)
    with everywhere(reason="look"):
        change.refresh_from_db()
        assert (change.state, change.papers.count()) == ("asked", 0)
    again = client_of(rival).post(reverse("members:take_over_start"), {"key": "x", "credit_code": world.unit.credit_code})
    assert again["Location"] == page, "asked again, it is the same request"
    assert client_of(rival).post(reverse("members:take_over_withdraw", args=[change.public_id])).status_code == 302
    assert client_of(world.agent).get(page).status_code == 404
    assert client_of(world.agent).post(reverse("members:take_over_withdraw", args=[change.public_id])).status_code == 404


def test_who_cannot_take_over(world: World) -> None:
    start = reverse("members:take_over_start")
    mine = client_of(world.agent).post(start, {"key": "a", "credit_code": world.unit.credit_code})
    assert mine.status_code == 400
    assert "您已经是这个单位的经办人" in _text(mine)
    nobody = client_of(_newcomer(world)).post(start, {"key": "b", "credit_code": code(NEXT)})
    assert nobody.status_code == 400
    assert "没有已登记的单位" in _text(nobody)
    assert client_of(world.cast.reviewer).get(start).status_code == 403
    with everywhere(reason="arrange"):  # a reviewer who is a worker too does not decide on their own request
        Member.objects.filter(pk=world.member(305).pk).update(user=world.cast.reviewer)
    own = _ask_to_take_over(world, world.cast.reviewer)
    assert client_of(world.cast.reviewer).post(reverse("admin:agent_change", args=[own.pk]), {"decision": "approve"}).status_code == 403


# -- mergers and divisions ---------------------------------------------------------------------------------------------


@pytest.fixture
def year(world: World) -> World:
    """Three people with cover, a claim of the first and a reviewed one, a limit in use, a roster with its debt."""
    with everywhere(reason="arrange"):
        covers = [world.cover(world.member(101 + 2 * i, name)) for i, name in enumerate(("王小明", "欧阳小梅", "䶮𠮷"))]
    with everywhere(reason="arrange"), frozen(ASKED):
        claim = world.claim(covers[0], 600_000)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
        world.claim(covers[1], 500_000)
    with everywhere(reason="arrange"):
        roster = rosters.upload(unit=world.unit, terms=world.yulin, data=b"x", file_name="x.csv", by=world.agent_actor, on=JOINED)
        ContributionDue.objects.create(office=world.cast.a, unit=world.unit, roster=roster, payer="unit", reference="R1", amount_fen=100)
    run_due("default")
    return world


def _other(world: World, seventeen: str = "91610800MA70A1B3D", *, office: object = None) -> tuple[WorkUnit, User]:
    with everywhere(reason="arrange"):
        other, agent = make_unit(office or world.cast.a, seventeen, headcount=30)
        by = world.cast.outsider if office else world.cast.reviewer
        units.approve_unit(other, by=world.cast.actor(by))
    return other, agent


def _merge(world: World, into: WorkUnit, user: User, **more: object) -> HttpResponse:
    page = f"{reverse('admin:unit_merge', args=[world.unit.pk])}?into={into.credit_code}"
    return client_of(user).post(page, {"key": "m", "headcount": "80", "women_count": "40", "basis": "榆工发〔2026〕3 号", **more})


def _rows(unit: WorkUnit) -> dict[str, int]:
    with everywhere(reason="look"):
        return {
            "people": Member.objects.filter(unit=unit).count(),
            "seen": Member.objects.filter(unit_ids__contains=[unit.pk]).count(),
            "covers": Enrolment.objects.filter(unit=unit).count(),
            "rosters": Roster.objects.filter(unit=unit).count(),
            "dues": ContributionDue.objects.filter(unit=unit).count(),
            "claims": Claim.objects.filter(unit=unit).count(),
            "limits": CeilingUsage.objects.filter(unit=unit).count(),
        }


def test_a_merger_carries_everything_and_says_where_the_unit_went(year: World) -> None:
    into, heir = _other(year)
    with everywhere(reason="arrange"):
        claim = Claim.objects.filter(unit=year.unit).first()
        told = {name: getattr(claim, name) for name in ("office_id", "unit_id", "member_id", "claimant_id")}
        appeal = Appeal.objects.create(claim=claim, grounds="应当给付", filed_by=year.agent, filed_at=now(), **told)
    before = _rows(year.unit)
    assert before["covers"] == before["people"] == 3
    assert before["limits"] >= 1
    preview = _text(client_of(year.cast.manager).get(f"{reverse('admin:unit_merge', args=[year.unit.pk])}?into={into.credit_code}"))
    assert "职工 3 人，参加记录 3 条" in preview
    assert 'value="80"' in preview
    done = _merge(year, into, year.cast.manager)
    assert done.status_code == 302
    assert "/job/" in done["Location"]
    with everywhere(reason="look"):
        step = UnitLineage.objects.get()
    assert "正在转移" in _text(client_of(year.cast.manager).get(reverse("admin:lineage", args=[step.pk])))
    run_due("default")
    assert set(_rows(year.unit).values()) == {0}
    assert _rows(into) == before
    with everywhere(reason="look"):
        step.refresh_from_db()
        into.refresh_from_db()
        assert step.finished_at is not None
        assert step.carried["members.enrolment"] == 3
        assert Appeal.objects.get(pk=appeal.pk).unit_id == into.pk
        assert set(CarriedEnrolment.objects.filter(lineage=step).values_list("enrolment_id", flat=True)) == set(
            Enrolment.objects.values_list("pk", flat=True)
        )
        assert (into.headcount, into.women_count) == (80, 40)
        assert set(Claim.objects.values_list("office_id", flat=True)) == {year.cast.a.pk}
    said = _text(client_of(year.agent).get(reverse("members:unit", args=[year.unit.pk])))
    assert f"并入“{into.name}”" in said
    assert "上传名册" not in said
    assert "王小明" not in _text(client_of(year.agent).get(reverse("members:unit_people")))
    assert "王小明" in _text(client_of(heir).get(reverse("members:unit_people")))
    assert client_of(year.agent).get(reverse("members:roster_plans", args=[year.unit.pk])).status_code == 302
    desk = _text(client_of(year.cast.reviewer).get(reverse("admin:unit", args=[year.unit.pk])))
    assert "并入" in desk
    assert into.name in desk
    assert "已转移" in _text(client_of(year.cast.reviewer).get(reverse("admin:members_unitlineage_changelist")))


def test_carrying_twice_changes_nothing(year: World) -> None:
    """A claim that the agent filed for somebody with cover of their own goes as well: nobody acts for the closed unit any more."""
    into, _heir = _other(year)
    with everywhere(reason="arrange"):
        open_one = Claim.objects.get(unit=year.unit, state="submitted")
        Enrolment.objects.filter(pk=open_one.enrolment_id).update(unit=None)
    _merge(year, into, year.cast.manager)
    run_due("default")
    once = _rows(into)
    assert (once["claims"], _rows(year.unit)["claims"]) == (2, 0)
    with everywhere(reason="run it again, as after a crash before the outcome was written"):
        UnitLineage.objects.update(finished_at=None)
        counts = UnitLineage.objects.get().carried
        Job.objects.filter(kind=lineage.JOB).update(job_state="queued", cursor={})
    run_due("default")
    assert _rows(into) == once
    with everywhere(reason="look"):
        assert UnitLineage.objects.get().carried == counts


def test_what_was_written_while_the_rows_were_carried_is_found_at_the_end(year: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of the closed unit joins between the chunks: the second look finds it."""
    into, _heir = _other(year)
    _merge(year, into, year.cast.manager)
    real = lineage.CARRIERS["claims.claim"]

    def late(what: lineage.Carriage) -> int:
        if Enrolment.objects.filter(unit_id=what.from_id).count() == 0 and Enrolment.objects.count() == 3:
            year.cover(year.member(111, "晚到者"))
        return real.carry(what)

    monkeypatch.setitem(lineage.CARRIERS, "claims.claim", lineage.Carrier(real.model, real.label, late))
    run_due("default")
    assert _rows(into)["covers"] == _rows(into)["people"] == 4
    assert set(_rows(year.unit).values()) == {0}


def test_carrying_takes_the_same_number_of_statements_however_many_go(year: World) -> None:
    counts = []
    into, _heir = _other(year)
    third, _last = _other(year, "91610800MA70A1B4E")
    for first, source, target in ((601, year.unit, into), (701, into, third)):
        with everywhere(reason="arrange"):
            lineage.merge(source, target, headcount=9, women_count=1, basis="x", by=year.cast.actor(year.cast.manager), on=JOINED)
        with CaptureQueriesContext(connection) as seen:
            run_due("default")
        counts.append(len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]))
        with everywhere(reason="arrange"):
            target.refresh_from_db()
            year.unit = target
            for i in range(8):
                year.cover(year.member(first + 2 * i))
    assert counts[0] == counts[1]
    assert _rows(third)["covers"] == 3 + 8 + 8


def test_a_transfer_that_waits_for_a_unit_goes_along_when_it_is_merged(year: World) -> None:
    """The office that settles it afterwards brings the person to the unit that stands, and its agent may see the request."""
    into, heir = _other(year)
    third, agent = _other(year, "91610800MA70A1B4E")
    with everywhere(reason="arrange"), frozen(LATER):
        newcomer, asked_back = year.member(811), year.member(813)
        for one, unit in ((newcomer, third), (asked_back, into)):
            Member.objects.filter(pk=one.pk).update(unit=unit, unit_ids=[unit.pk])
            one.refresh_from_db()
        by_third = Actor(agent.pk, "甲", unit_ids=frozenset({third.pk}))
        by_into = Actor(heir.pk, "乙", unit_ids=frozenset({into.pk}))
        waits, within = (
            departures.transfer(one, to_code=year.unit.credit_code, on=JOINED, by=by, today=LATER)
            for one, by in ((newcomer, by_third), (asked_back, by_into))
        )
        corrected = Member.objects.filter(unit=year.unit).first()
        papers = {"name": "更名", "before": {"name": "x"}, "office": year.cast.a, "member": corrected, "unit": year.unit}
        correction = Correction.objects.create(**papers)
    assert _merge(year, into, year.cast.manager).status_code == 302
    run_due("default")
    with everywhere(reason="look"), frozen(LATER):
        for one in (waits, within, correction):
            one.refresh_from_db()
        assert (waits.state, waits.to_unit_id, waits.unit_ids) == ("asked", into.pk, sorted([third.pk, into.pk]))
        assert (within.state, Member.objects.get(pk=asked_back.pk).unit_id) == ("withdrawn", into.pk)
        assert correction.unit_id == into.pk
        departures.settle(waits, by=year.cast.actor(year.cast.manager))
        moved = Member.objects.get(pk=newcomer.pk)
        assert (moved.unit_id, moved.unit.state) == (into.pk, "approved")


@pytest.mark.parametrize("role", ["reviewer", "manager", "hq_user"])
def test_who_may_merge(year: World, role: str) -> None:
    into, _heir = _other(year)
    assert _merge(year, into, getattr(year.cast, role)).status_code == 302


def test_who_may_not_merge(year: World) -> None:
    near, _heir = _other(year)
    far, _stranger = _other(year, "91610100MA70A1B5F", office=year.cast.b)
    assert _merge(year, near, year.cast.payer).status_code == 403
    assert _merge(year, near, year.cast.auditor).status_code == 403
    assert _merge(year, near, year.cast.outsider).status_code == 404
    other_office = _merge(year, far, year.cast.manager)
    assert other_office.status_code == 400
    assert "没有找到" in _text(other_office)
    assert _merge(year, year.unit, year.cast.manager).status_code == 400
    with everywhere(reason="look"):
        assert not UnitLineage.objects.exists()
        assert not WorkUnit.objects.filter(state="merged").exists()


def test_units_of_two_offices_are_merged_by_headquarters(year: World) -> None:
    far, stranger = _other(year, "91610100MA70A1B5F", office=year.cast.b)
    assert _merge(year, far, year.cast.hq_user).status_code == 302
    run_due("default")
    assert _rows(far)["covers"] == 3
    with everywhere(reason="look"):
        assert set(Claim.objects.values_list("office_id", flat=True)) == {year.cast.a.pk}
        step = UnitLineage.objects.get()
    assert "王小明" in _text(client_of(stranger).get(reverse("members:unit_people")))
    for client in (client_of(year.cast.manager), client_of(year.cast.outsider)):
        page = _text(client.get(reverse("admin:lineage", args=[step.pk])))
        assert far.name in page
        assert year.unit.name in page
    assert "王小明" in _text(client_of(year.cast.outsider).get(reverse("admin:members_member_changelist")))


def test_a_unit_with_something_undecided_is_not_merged_away(year: World) -> None:
    into, _heir = _other(year)
    _asked(year, headcount="70")
    refused = _merge(year, into, year.cast.manager)
    assert refused.status_code == 400
    assert "有一份变更在等审核" in _text(refused)
    client_of(year.agent).post(reverse("members:unit_change_withdraw", args=[year.unit.pk]))
    assert _merge(year, into, year.cast.manager).status_code == 302
    third, _last = _other(year, "91610800MA70A1B4E")
    year.unit = into
    busy = _merge(year, third, year.cast.manager, key="m2")
    assert busy.status_code == 400
    assert "还在转移" in _text(busy)
    run_due("default")
    assert _merge(year, third, year.cast.manager, key="m3").status_code == 302


def _split(world: World, user: User, **more: object) -> HttpResponse:
    told = {
        "key": "s", "basis": "榆工发〔2026〕4 号", "name": "榆林分出单位", "credit_code": code(NEXT), "union_credit_code": "",
        "nature": "enterprise", "industry": "C", "headcount": "20", "women_count": "5", "numbers": "", **more,
    }  # fmt: skip
    return client_of(user).post(reverse("admin:unit_split", args=[world.unit.pk]), told)


def test_a_division_takes_the_chosen_people_along(year: World) -> None:
    with everywhere(reason="look"):
        first, second, third = Member.objects.filter(unit=year.unit).order_by("id")
        Enrolment.objects.filter(member=second).update(unit=None)  # joined alone; the agent filed the claim
    assert "王小明" in _text(client_of(year.cast.manager).get(reverse("admin:unit_split", args=[year.unit.pk])))
    number = make_id_number("610802", first.birth_date, 101)
    done = _split(year, year.cast.manager, people=[second.pk], numbers=f" {number}\n")
    assert done.status_code == 302, _text(done)
    assert "/job/" in done["Location"]
    run_due("default")
    with everywhere(reason="look"):
        new = WorkUnit.objects.get(name="榆林分出单位")
        year.unit.refresh_from_db()
        assert (new.state, new.office_id) == ("approved", year.cast.a.pk)
        assert (year.unit.headcount, year.unit.women_count) == (30, 20)
        assert list(Member.objects.filter(unit=new).order_by("id")) == [first, second]
        assert list(Member.objects.filter(unit=year.unit)) == [third]
        assert UnitLineage.objects.get().carried["claims.claim"] == 2
    moved, left = _rows(new), _rows(year.unit)
    assert (moved["covers"], moved["claims"], moved["seen"]) == (1, 2, 2)
    assert (left["covers"], left["claims"], left["rosters"], left["dues"], left["seen"]) == (1, 0, 1, 1, 1)
    assert "从本单位分出" in _text(client_of(year.agent).get(reverse("members:unit", args=[year.unit.pk])))
    people = _text(client_of(year.agent).get(reverse("members:unit_people")))
    assert "䶮𠮷" in people
    assert "王小明" not in people
    year.unit = new  # its own agent comes by the same door as any other
    change = _ask_to_take_over(year, _newcomer(year))
    assert client_of(year.cast.manager).post(reverse("admin:agent_change", args=[change.pk]), {"decision": "approve"}).status_code == 302
    with everywhere(reason="look"):
        assert UnitAgent.objects.filter(unit=new).count() == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "请选择分到新单位的职工"),
        ({"numbers": "610802199003080000"}, "第 1 个（6108…）"),
        ({"numbers": make_id_number("610802", JOINED.replace(year=1980), 999)}, "这些人不在这个单位：610***********"),
        ({"people": ["999999"]}, "有不在这个单位的"),
        ({"headcount": "51"}, "新单位的人数不能超过原单位"),
        ({"headcount": "49", "women_count": "0"}, "新单位的人数不能超过原单位"),
        ({"credit_code": "91610800MA70A1B2CX"}, "最后一位不对"),
        ({"credit_code": code("91610800MA70A1B2C")}, "已经登记过"),
        ({"basis": ""}, "请填写依据"),
    ],
)
def test_a_division_that_cannot_be(year: World, typed: dict[str, object], words: str) -> None:
    with everywhere(reason="look"):
        someone = Member.objects.filter(unit=year.unit).first()
    chosen = {} if "people" in typed or "numbers" in typed or not typed else {"people": [someone.pk]}
    answer = _split(year, year.cast.manager, **{**chosen, **typed})
    assert answer.status_code == 400
    assert words in _text(answer)
    with everywhere(reason="look"):
        assert not UnitLineage.objects.exists()
        assert not WorkUnit.objects.filter(name="榆林分出单位").exists()


def test_one_form_sent_twice_divides_once(year: World) -> None:
    with everywhere(reason="look"):
        someone = Member.objects.filter(unit=year.unit).first()
    first, second = (_split(year, year.cast.manager, people=[someone.pk]) for _ in range(2))
    assert first["Location"] == second["Location"]
    with everywhere(reason="look"):
        assert UnitLineage.objects.count() == 1


def test_every_table_with_a_unit_goes_along_or_is_known_to_stay() -> None:
    """A new table with a unit must say what becomes of it when units are merged."""
    stays = {
        "members.unitagent": "its own agents", "members.unitpaper": "its own papers", "members.unitchange": "its own changes",
        "members.agentchange": "its own agents", "members.unitlineage": "the history itself",
        "members.certificatepack": "thrown away after a day",
    }  # fmt: skip
    with_unit = {
        model._meta.label_lower
        for model in apps.get_models()
        if any(field.related_model is WorkUnit for field in model._meta.concrete_fields if field.is_relation)
    }
    assert sorted(with_unit - set(stays) - set(lineage.CARRIERS)) == []
    assert sorted(set(lineage.CARRIERS) - with_unit) == []
