"""A record is corrected, a person changes the unit, an enrolment is void: each through its pages, by those who may."""

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from members.models import Correction, Departure, Enrolment, Member, Voiding
from members.services import units
from tests.factories.world import ASKED, JOINED, World, make_unit
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import RequestKey


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(ASKED):
        yield


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


@pytest.fixture
def cover(world: World) -> Enrolment:
    with everywhere(reason="arrange"):
        made = world.cover(world.member(101))
        assert made.member.user is not None
        return made


def photo() -> SimpleUploadedFile:
    held = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(held, "JPEG")
    return SimpleUploadedFile("身份证.jpg", held.getvalue(), "image/jpeg")


def seen(rows: Callable[[], Any]) -> Any:
    with everywhere(reason="look"):
        return rows()


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_worker_asks_and_the_office_puts_it_right(world: World, cover: Enrolment) -> None:
    mine, desk = browser(cover.member.user), browser(world.cast.reviewer)
    asked = {"key": "k1", "name": "王晓明", "paper": photo()}
    assert mine.post("/my/record/correct", asked).status_code == 302
    assert "待办事处核对" in text(mine.get("/my/record"))
    one = seen(Correction.objects.get)
    page = f"/admin/members/correction/{one.pk}/compare/"
    assert "待核对的资料更正" in text(desk.get("/admin/"))
    assert "王晓明" in text(desk.get(page))
    paper = seen(lambda: one.papers.get())
    assert desk.get(f"/admin/members/correction/papers/{paper.pk}")["Content-Type"] == "image/jpeg"
    assert desk.post(page, {"decision": "return", "note": ""}).status_code == 400
    assert desk.post(page, {"decision": "approve"}).status_code == 302
    assert desk.post(page, {"decision": "approve"}).status_code == 409
    assert "王晓明" in text(mine.get("/my/record"))
    assert "您的资料已更正" in text(mine.get("/my/notices"))
    assert "王晓明" in text(mine.get(f"/my/enrolments/{cover.public_id}/certificate"))


def test_somebody_elses_number_is_refused_at_its_field(world: World, cover: Enrolment) -> None:
    with everywhere(reason="arrange"):
        other = world.member(103, "李四")
    number = make_id_number("610802", other.birth_date, 103)
    mine = browser(cover.member.user)
    answer = mine.post("/my/record/correct", {"key": "k2", "id_number": number, "paper": photo()})
    assert answer.status_code == 400
    assert "这个身份证号已有登记" in text(answer)
    assert "李四" not in text(answer)
    held = seen(lambda: list(RequestKey.objects.values_list("answer", flat=True)))
    assert number not in str(held)


def test_the_form_sent_twice_asks_once(world: World, cover: Enrolment) -> None:
    mine = browser(cover.member.user)
    for _time in range(2):
        assert mine.post("/my/record/correct", {"key": "same", "name": "王晓明", "paper": photo()}).status_code == 302
    assert seen(Correction.objects.count) == 1


def test_an_agent_asks_for_a_person_and_another_agent_cannot(world: World, cover: Enrolment) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        _unit, stranger = make_unit(world.cast.b, "91610100MA70A1B3D")
    address = f"/unit/people/{cover.member_id}/correct"
    assert browser(stranger).post(address, {"key": "k", "name": "王晓明", "paper": photo()}).status_code == 404
    assert browser(world.agent).post(address, {"key": "k", "name": "王晓明", "paper": photo()}).status_code == 302
    assert seen(Correction.objects.get).unit_id == world.unit.pk
    assert "待办事处核对" in text(browser(world.agent).get(f"/unit/people/{cover.member_id}"))


def test_a_transfer_goes_from_agent_to_agent(world: World, cover: Enrolment) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        unit, agent = make_unit(world.cast.b, "91610100MA70A1B3D")
        units.approve_unit(unit, by=world.cast.actor(world.cast.outsider))
    old, new = browser(world.agent), browser(agent)
    address = f"/unit/people/{cover.member_id}/departure"
    assert old.post(address, {"key": "a", "kind": "transfer", "on": "2026-07-01"}).status_code == 400, "where to?"
    assert old.post(address, {"key": "b", "kind": "transfer", "on": "2026-07-02", "to_code": unit.credit_code}).status_code == 400
    assert old.post(address, {"key": "c", "kind": "transfer", "on": "2026-07-01", "to_code": unit.credit_code}).status_code == 302
    one = seen(Departure.objects.get)
    assert "王小明的调动" in text(new.get("/unit/"))
    assert old.post(f"/unit/departures/{one.pk}", {"decision": "accept"}).status_code == 403
    assert new.post(f"/unit/departures/{one.pk}", {"decision": "accept"}).status_code == 302
    assert seen(lambda: Member.objects.get(pk=cover.member_id)).unit_id == unit.pk
    assert "已不在本单位" in text(old.get(f"/unit/people/{cover.member_id}"))
    assert "已生效" in text(old.get(f"/unit/people/{cover.member_id}")), "the cover stays with the old unit"


def test_the_desk_retires_a_person(world: World, cover: Enrolment) -> None:
    desk = browser(world.cast.reviewer)
    address = f"/admin/members/departure/people/{cover.member_id}/new/"
    answer = desk.post(address, {"key": "a", "kind": "retirement", "on": "2026-07-01"}, follow=True)
    assert "已办理" in text(answer)
    assert seen(lambda: Member.objects.get(pk=cover.member_id)).employment == "retired"
    assert browser(world.cast.outsider).get(address).status_code == 404


def test_the_desk_writes_down_since_when_a_retired_person_is_retired(world: World, cover: Enrolment) -> None:
    desk = browser(world.cast.reviewer)
    address, page = reverse("admin:member_retired", args=[cover.member_id]), reverse("admin:member", args=[cover.member_id])
    assert desk.get(address).status_code == 404, "who is not retired has no such day"
    assert address not in text(desk.get(page))
    seen(lambda: Member.objects.filter(pk=cover.member_id).update(employment="retired"))
    assert address in text(desk.get(page))
    assert desk.post(address, {"retired_on": "明天"}).status_code == 400
    assert desk.post(address, {"retired_on": "2026-03-01"}).status_code == 302
    assert seen(lambda: Member.objects.get(pk=cover.member_id).retired_on) == date(2026, 3, 1)
    assert "2026年3月1日" in text(desk.get(page))


def test_a_person_who_joined_alone_is_not_taken_in_by_the_manager(world: World, cover: Enrolment) -> None:
    """The right to it is the manager's too, who does not confirm payments."""
    seen(lambda: Enrolment.objects.filter(pk=cover.pk).update(state="contribution_due"))
    manager, address = browser(world.cast.manager), reverse("admin:enrolment_refuse", args=[cover.pk])
    assert address in text(manager.get(reverse("admin:enrolment", args=[cover.pk])))
    assert "请写明不予参加的原因" in text(manager.post(address, {"note": " "}))
    assert browser(world.cast.reviewer).post(address, {"note": "不符合条件"}).status_code == 403
    assert manager.post(address, {"note": "不符合条件"}).status_code == 302
    assert seen(lambda: Enrolment.objects.get(pk=cover.pk).state) == "refused"
    again = manager.post(address, {"note": "不符合条件"})
    assert (again.status_code, "未通过" in text(again)) == (409, True)


def test_an_enrolment_is_void_by_two_people_and_its_certificate_says_so(world: World, cover: Enrolment) -> None:
    reviewer, payer = browser(world.cast.reviewer), browser(world.cast.payer)
    verify = f"/verify/{cover.public_id}"
    assert "已经作废" not in text(Client().get(verify))
    address = f"/admin/members/voiding/enrolments/{cover.pk}/new/"
    assert reviewer.post(address, {"reason": "duplicate", "note": ""}).status_code == 400
    assert reviewer.post(address, {"reason": "duplicate", "note": "重复"}).status_code == 302
    one = seen(Voiding.objects.get)
    page = f"/admin/members/voiding/{one.pk}/record/"
    assert reviewer.post(page, {"decision": "release"}).status_code == 403
    assert "待复核的作废" in text(payer.get("/admin/"))
    assert payer.post(page, {"decision": "release"}).status_code == 302
    assert payer.post(page, {"decision": "release"}).status_code == 409
    answer = Client().get(verify)
    assert answer.status_code == 200
    assert "已经作废" in text(answer)
    assert cover.member.name not in text(answer)
    assert browser(cover.member.user).get(f"/my/enrolments/{cover.public_id}/certificate.pdf").status_code == 404
