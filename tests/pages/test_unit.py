"""The unit agent through the front door: registering, the roster from template to what to pay, and what may go wrong."""

import io
from collections.abc import Iterator
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from members.models import ContributionDue, Enrolment, Member, Roster, RosterRow, WorkUnit
from members.services import roster_rows
from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD
from tests.factories.world import JOINED, World, make_unit, terms_like
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import credit_code_check, make_id_number
from unionaid.lib.spreadsheet import Column, Sheet, read_table, write_workbook
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due

CODE = "91610800MA70XX11C"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _photo() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "#335577").save(out, "PNG")
    return SimpleUploadedFile("批复.png", out.getvalue(), "image/png")


def _sheet(good: int, *, bad: int = 0, first: int = 0) -> SimpleUploadedFile:
    rows = [[f"职工{'甲乙丙丁戊己庚辛壬癸'[i % 10]}", _number(first + i), "", "企业在职", "是", "是", "1"] for i in range(good)]
    rows += [["张三", "610802199003080000", "", "企业在职", "是", "是", "1"] for _ in range(bad)]
    out = io.BytesIO()
    write_workbook(out, [Sheet("名册", "", [Column(title, "text", 20) for title in roster_rows.TITLES.values()], rows)])
    return SimpleUploadedFile("名册.xlsx", out.getvalue())


def _number(i: int) -> str:
    return make_id_number("610802", date(1970 + i // 28 % 30, 1 + i % 12, 1 + i % 28), 100 + i)


def _uploaded(world: World, client: Client, file: SimpleUploadedFile) -> int:
    """The id of a roster that was uploaded and read."""
    answer = client.post(reverse("members:roster_upload", args=[world.unit.pk, world.yulin.pk]), {"file": file})
    assert answer.status_code == 302
    run_due("default")
    return int(answer["Location"].rsplit("/", 1)[1])


FORM = {
    "key": "k", "name": "榆林新测试单位", "nature": "enterprise", "industry": "C", "headcount": "120", "women_count": "50",
    "credit_code": CODE + credit_code_check(CODE),
}  # fmt: skip


def test_a_unit_is_registered_returned_corrected_and_taken_in(world: World) -> None:
    with everywhere(reason="arrange"):
        worker = world.member(301, "秦经办")
    client, desk = client_of(worker.user), client_of(world.cast.reviewer)
    page = reverse("members:unit_register")
    assert client.get(page).status_code == 200
    wrong = client.post(page, {**FORM, "office": world.cast.a.pk, "paper": _photo(), "credit_code": CODE + "0", "women_count": "500"})
    assert wrong.status_code == 400
    assert "统一社会信用代码" in _text(wrong)
    assert "女职工人数不能大于职工人数" in _text(wrong)
    done = client.post(page, {**FORM, "office": world.cast.a.pk, "paper": _photo()}, follow=True)
    assert "榆林办事处审核" in _text(done)
    with everywhere(reason="look"):
        unit = WorkUnit.objects.get(name="榆林新测试单位")
    assert client.get(reverse("members:roster_plans", args=[unit.pk])).status_code == 302
    record = reverse("admin:unit", args=[unit.pk])
    assert "工会批准成立的文件" in _text(desk.get(record))
    with everywhere(reason="look"):
        paper = reverse("admin:unit_paper", args=[unit.papers.get().pk])
    assert desk.get(paper).status_code == 200
    assert client_of(world.cast.outsider).get(paper).status_code == 404
    assert desk.post(record, {"decision": "return", "note": "请核对职工人数"}).status_code == 302
    again = client.get(reverse("members:unit", args=[unit.pk]))
    assert "请核对职工人数" in _text(again)
    corrected = {**FORM, "headcount": "121"}
    assert client.post(reverse("members:unit", args=[unit.pk]), corrected).status_code == 302
    assert desk.post(record, {"decision": "approve"}).status_code == 302
    with everywhere(reason="look"):
        unit.refresh_from_db()
        assert (unit.state, unit.headcount) == ("approved", 121)
    assert "下载模板" in _text(client.get(reverse("members:roster_plans", args=[unit.pk])))


def test_the_same_registration_sent_twice_makes_one_unit(world: World) -> None:
    with everywhere(reason="arrange"):
        client = client_of(world.member(301, "秦经办").user)
    for _ in range(2):
        answer = client.post(reverse("members:unit_register"), {**FORM, "office": world.cast.a.pk, "paper": _photo()})
        assert answer.status_code == 302
    other = client.post(reverse("members:unit_register"), {**FORM, "key": "2", "office": world.cast.a.pk, "paper": _photo()})
    assert other.status_code == 400
    assert "已经登记过" in _text(other)
    with everywhere(reason="look"):
        assert WorkUnit.objects.filter(name="榆林新测试单位").count() == 1


def test_a_roster_goes_from_template_to_what_to_pay(world: World) -> None:
    client = client_of(world.agent)
    template = client.get(reverse("members:roster_template", args=[world.unit.pk, world.yulin.pk]))
    header = read_table(template.content, "t.xlsx").header
    assert [title for title in header if title.endswith("*")] == header[:2] == ["姓名*", "身份证号*"]
    page = openpyxl.load_workbook(io.BytesIO(template.content)).active
    cells = [str(cell.value) for row in page.iter_rows() for cell in row if cell.value]
    assert any("带 * 的列必填" in text for text in cells)
    assert {text for text in cells if text.endswith("*")} == {"姓名*", "身份证号*"}, "as a spreadsheet shows it"
    roster = _uploaded(world, client, _sheet(12, bad=2))
    page = _text(client.get(reverse("members:roster", args=[roster])))
    assert "确认登记 12 人" in page
    assert "1,500.00" in page
    bad = _text(client.get(reverse("members:roster", args=[roster]) + "?only=bad"))
    assert "校验" in bad or "最后一位" in bad
    list_of_problems = reverse("members:roster_problems", args=[roster])
    assert "请再输一次登录密码" in _text(client.post(list_of_problems))
    assert "您的登录密码" in _text(client.get(list_of_problems)), "whole numbers only to who shows again who they are"
    problems = read_table(client.post(list_of_problems, {"password": PASSWORD}).content, "r.xlsx")
    assert problems.header[-2:] == ["要改正的问题", "原行号"]
    assert [row[-1] for row in problems.rows] == ["15", "16"]
    assert all("最后一位不对" in row[-2] for row in problems.rows)
    assert client.post(reverse("members:roster_confirm", args=[roster])).status_code == 302
    assert 'http-equiv="refresh"' in _text(client.get(reverse("members:roster", args=[roster])))
    run_due("default")
    paid = _text(client.get(reverse("members:roster", args=[roster])))
    with everywhere(reason="look"):
        due = ContributionDue.objects.get()
        assert (Enrolment.objects.count(), due.amount_fen) == (12, 150_000)
        assert not RosterRow.objects.exclude(id_number=None).exists()
    assert due.reference in paid
    assert due.reference in _text(client.get("/unit/"))
    people = _text(client.get(reverse("members:unit_people")))
    assert "610***********" in people
    assert _number(0) not in people
    named = {name: _text(client.get(reverse("members:unit_people"), {"name": name})) for name in ("职工", "\0谁也不是")}
    assert "610***********" in named["职工"]
    assert "没有姓名以“谁也不是”开头的职工" in named["\0谁也不是"]
    assert client.post(reverse("members:roster_confirm", args=[roster])).status_code == 409


def test_the_agent_chooses_how_long_the_people_of_a_roster_are_covered(world: World) -> None:
    classes = [{"term_months": 12, "per_share": "55"}, {"term_months": 36, "per_share": "165"}]
    period = {"start": "2026-01-01", "end": "2026-12-31", "term_months": [12, 36]}
    terms = terms_like("shaanxi-yulin-medical.2026", period=period, contribution={"classes": classes})
    client, address = client_of(world.agent), reverse("members:roster_upload", args=[world.unit.pk, terms.pk])
    form = _text(client.get(address))
    assert "1 年" in form
    assert "3 年" in form
    for wrong in ({}, {"term_months": "24"}, {"term_months": "x"}):
        answer = client.post(address, {"file": _sheet(2), **wrong})
        assert answer.status_code == 400
        assert "保障时间" in _text(answer)
    assert client.post(address, {"file": _sheet(2), "term_months": "36"}).status_code == 302
    run_due("default")
    with everywhere(reason="look"):
        roster = Roster.objects.get()
    assert (roster.term_months, roster.total_fen) == (36, 33_000)
    assert "保障 3 年" in _text(client.get(reverse("members:roster", args=[roster.pk])))
    assert "term_months" not in _text(client.get(reverse("members:roster_upload", args=[world.unit.pk, world.yulin.pk])))


def test_a_roster_is_cancelled_and_enrols_nobody(world: World) -> None:
    client = client_of(world.agent)
    roster = _uploaded(world, client, _sheet(3, bad=1))
    assert client.post(reverse("members:roster_cancel", args=[roster])).status_code == 302
    sheet = reverse("members:roster_problems", args=[roster])
    assert sheet not in _text(client.get(reverse("members:roster", args=[roster])))
    assert "已不再有效" in _text(client.get(sheet, follow=True)), "nobody waits for a sheet that is never made"
    assert client.post(reverse("members:roster_confirm", args=[roster])).status_code == 409
    with everywhere(reason="look"):
        assert not Enrolment.objects.exists()
        assert not RosterRow.objects.exclude(id_number=None).exists()
    assert _uploaded(world, client, _sheet(3, bad=1))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.xlsx", b"not a workbook at all", "名册"),
        ("x.xlsx", b"PK\x03\x04" + b"\x00" * 200, ""),
        ("x.csv", "甲,乙\n1,2\n".encode(), "缺少这些列"),
        ("x.csv", "姓名,身份证号,在职情况\n".encode(), "没有职工"),
        ("x.html", b"<table><tr><td>x</td></tr></table>", ""),
    ],
)
def test_an_unreadable_roster_says_what_to_do(world: World, name: str, content: bytes, words: str) -> None:
    client = client_of(world.agent)
    roster = _uploaded(world, client, SimpleUploadedFile(name, content))
    page = _text(client.get(reverse("members:roster", args=[roster])))
    assert "没有登记任何人" in page
    assert words in page
    with everywhere(reason="look"):
        assert not RosterRow.objects.exists()


def test_empty_and_repeated_files_are_refused(world: World) -> None:
    client = client_of(world.agent)
    address = reverse("members:roster_upload", args=[world.unit.pk, world.yulin.pk])
    assert client.post(address, {}).status_code == 400
    assert client.post(address, {"file": SimpleUploadedFile("x.xlsx", b"")}).status_code == 400
    data = _sheet(3).read()
    assert client.post(address, {"file": SimpleUploadedFile("a.xlsx", data)}).status_code == 302
    again = client.post(address, {"file": SimpleUploadedFile("b.xlsx", data)})
    assert again.status_code == 400
    assert "已经上传过" in _text(again)
    with everywhere(reason="look"):
        assert Roster.objects.count() == 1


def test_the_agent_of_another_unit_finds_none_of_it(world: World) -> None:
    client = client_of(world.agent)
    roster = _uploaded(world, client, _sheet(3))
    with everywhere(reason="arrange"):
        _other, agent = make_unit(world.cast.b, "91610100MA70A1B3D")
    stranger = client_of(agent)
    for name in ("roster", "roster_problems"):
        assert stranger.get(reverse(f"members:{name}", args=[roster])).status_code == 404
    for name in ("roster_confirm", "roster_cancel"):
        assert stranger.post(reverse(f"members:{name}", args=[roster])).status_code == 404
    assert stranger.get(reverse("members:unit", args=[world.unit.pk])).status_code == 404
    assert stranger.get(reverse("members:roster_plans", args=[world.unit.pk])).status_code == 404
    assert stranger.post(reverse("members:roster_upload", args=[world.unit.pk, world.yulin.pk]), {"file": _sheet(1)}).status_code == 404
    assert "职工甲" not in _text(stranger.get(reverse("members:unit_people")))
    with everywhere(reason="arrange"):
        worker = client_of(world.member(301).user)
    assert worker.get(reverse("members:roster", args=[roster])).status_code == 403


def _statements(act: object) -> int:
    with CaptureQueriesContext(connection) as seen:
        act()  # type: ignore[operator]
    return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_reading_and_enrolling_take_the_same_number_of_statements_for_ten_people_or_two_hundred(world: World) -> None:
    client, counts = client_of(world.agent), []
    for size, first in ((10, 0), (200, 300)):
        answer = client.post(
            reverse("members:roster_upload", args=[world.unit.pk, world.yulin.pk]), {"file": _sheet(size, bad=1, first=first)}
        )
        pk = int(answer["Location"].rsplit("/", 1)[1])
        checking = _statements(lambda: run_due("default"))
        client.post(reverse("members:roster_confirm", args=[pk]))
        committing = _statements(lambda: run_due("default"))
        page = _statements(lambda pk=pk: client.get(reverse("members:roster", args=[pk])))
        counts.append((checking, committing, page))
    assert counts[0] == counts[1]
    with everywhere(reason="look"):
        assert Enrolment.objects.count() == 210
        assert Member.objects.count() >= 210
