"""Renewing a unit's list through the front door: last period's list down, changed, up again; what the preview tells; one commit."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Enrolment, Lapse, Member, Roster, WorkUnit
from members.selectors import rosters as reading
from members.services import contributions, departures, lapses, people, rosters, units
from members.services.people import numbers_of
from programs.models import Terms
from programs.rules.planfile import PlanFile, read_plan
from programs.services import check, load_plan, publish
from tests.factories.offices import PASSWORD
from tests.factories.world import JOINED, World, make_unit
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number, parse_id_number
from unionaid.lib.spreadsheet import Column, Sheet, read_table, write_workbook
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow import progress
from unionaid.workflow.jobs import Run, run_due
from unionaid.workflow.models import AuditEntry, Job, Notice

BEFORE = date(2024, 12, 1)
CATALOGUE = Path(__file__).resolve().parents[2] / "programs" / "catalogue"
YULIN = read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data
EXAMPLE = [{"name": "自付 1500 元", "case": {"event": "admission", "self_pay": "1500.00"}, "expect": "1200.00"}]
HEADER = ["姓名", "身份证号", "份数"]
Line = tuple[str, str, str]
OLD = 7


def _line(i: int, shares: str = "1") -> Line:
    """The person with this number; the seventh was born in 1965 and is too old in the second year."""
    born = date(1965, 1, 1) if i == OLD else date(1985, 3, 8)
    return (f"职工{'甲乙丙丁戊己庚辛壬癸'[i % 10]}", make_id_number("610802", born, 101 + i), shares)


def _client(user: User, language: str = "zh-hans") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _file(rows: list[Line] | list[list[str]], header: list[str] = HEADER) -> SimpleUploadedFile:
    out = io.BytesIO()
    write_workbook(out, [Sheet("名册", "", [Column(title, "text", 20) for title in header], rows)])
    return SimpleUploadedFile("名册.xlsx", out.getvalue())


@pytest.fixture
def terms(world: World) -> list[Terms]:
    """Two years of a plan with a waiting period that renewals within 30 days do not have; up to 3 shares."""
    made = []
    for year in (2025, 2026):
        opens = {"opens": f"{year - 1}-10-01", "closes": f"{year}-12-31", "individual": True, "shares": {"max": 3}}
        data = {
            **YULIN, "code": "yulin-renewed", "version": str(year), "period": {"start": f"{year}-01-01", "end": f"{year}-12-31"},
            "enrolment": {**opens, "ages": [{"from": 16, "to": 60}]},
            "waiting": {"days": 30, "waived_on_renewal_within_days": 30}, "examples": EXAMPLE,
        }  # fmt: skip
        with everywhere(reason="arrange"):
            made.append(publish(check(load_plan(PlanFile(data, {}, "x"), by=SYSTEM).terms, by=SYSTEM), by=SYSTEM))
    return made


def _sent(client: Client, unit: int, terms: Terms, file: SimpleUploadedFile) -> int:
    answer = client.post(reverse("members:roster_upload", args=[unit, terms.pk]), {"file": file})
    assert answer.status_code == 302, _text(answer)
    run_due("default")
    return int(answer["Location"].rsplit("/", 1)[1])


def _enrolled(client: Client, unit: int, terms: Terms, lines: list[Line]) -> int:
    pk = _sent(client, unit, terms, _file(lines))
    assert client.post(reverse("members:roster_confirm", args=[pk])).status_code == 302
    run_due("default")
    return pk


def _page(client: Client, pk: int, query: str = "") -> str:
    return _text(client.get(reverse("members:roster", args=[pk]) + query))


def _count(page: str, only: str) -> str:
    """The figure of a tile that can be opened."""
    return page.split(f'href="?only={only}#lines"')[1].split("</strong>")[0].rsplit(">", 1)[1]


@dataclass
class Year:
    """Ten people of the unit (0 to 9) and three of another (20 to 22) had cover in the year before; today the next has begun."""

    world: World
    terms: Terms
    other: int
    other_agent: User

    def list_of_the_unit(self) -> list[Line]:
        """The list of this year: 8 and 9 left, 0 has two shares, 50 and 51 are new, 20 comes from the other unit, 2 stands there
        twice, and one number is wrong."""
        return [
            _line(0, "2"), *(_line(i) for i in range(1, 8)), _line(50), _line(51), _line(20), _line(2), ("张三", "610802199003080000", "1")
        ]  # fmt: skip

    def sent(self, lines: list[Line]) -> int:
        return _sent(_client(self.world.agent), self.world.unit.pk, self.terms, _file(lines))


def _the_year_before(unit: WorkUnit, terms: Terms, lines: list[Line], by: Actor) -> None:
    """These people enrolled by a roster of last year, when today's agents were none yet."""
    roster = rosters.upload(unit=unit, terms=terms, data=_file(lines).read(), file_name="去年.xlsx", by=by, on=BEFORE)
    rosters.check(roster.pk, by=SYSTEM, on=BEFORE)
    roster.refresh_from_db()
    rosters.confirm(roster, by=by)
    rosters.commit(roster.pk, by=SYSTEM, on=BEFORE)
    for due in roster.dues.all():
        contributions.confirm(
            due, payer_name="单位", bank_reference=f"B{due.pk}", received_on=BEFORE, amount_fen=due.amount_fen, remark="", by=SYSTEM,
            on=BEFORE,
        )  # fmt: skip


@pytest.fixture
def year(world: World, terms: list[Terms]) -> Iterator[Year]:
    with frozen(BEFORE):
        with everywhere(reason="arrange"):
            other, agent = make_unit(world.cast.a, "91610800MA70XX41C")
            units.approve_unit(other, by=world.cast.actor(world.cast.reviewer))
            _the_year_before(world.unit, terms[0], [_line(i) for i in range(10)], world.agent_actor)
            _the_year_before(other, terms[0], [_line(i) for i in range(20, 23)], Actor(agent.pk, "周经办", unit_ids=frozenset({other.pk})))
    with frozen(JOINED):
        yield Year(world, terms[1], other.pk, agent)


# -- the list to start from ---------------------------------------------------------------------------------------------


def test_last_periods_list_is_where_a_renewal_starts(year: Year) -> None:
    client, args = _client(year.world.agent), [year.world.unit.pk, year.terms.pk]
    plans = _text(client.get(reverse("members:roster_plans", args=args[:1])))
    assert "上期有 10 人" in plans
    assert plans.split("/rosters/new/")[1].startswith(f'{year.terms.pk}"')  # what is renewed comes first
    address = reverse("members:roster_last_list", args=args)
    assert address in plans
    assert address in _text(client.get(reverse("members:roster_upload", args=args)))
    asked = _text(client.get(address))
    assert "您的登录密码" in asked
    assert _line(0)[1] not in asked
    assert client.post(address, {"password": "x"}).status_code == 400
    table = read_table(client.post(address, {"password": PASSWORD}).content, "x.xlsx")
    assert [row[:2] for row in table.rows] == sorted([list(_line(i)[:2]) for i in range(10)])
    assert table.rows[0][table.header.index("在职情况")] == "企业在职"
    with everywhere(reason="look"):
        told = AuditEntry.objects.get(action="take_last_list")
        assert (told.actor_id, told.details) == (year.world.agent.pk, {"terms": year.terms.pk, "people": 10})
    pk = _sent(client, *_plan(year), SimpleUploadedFile("x.xlsx", client.get(address).content))
    assert _count(_page(client, pk), "stayed") == "9"


def test_who_left_and_whose_cover_runs_on_are_not_on_the_list(year: Year) -> None:
    """Two have left, and two of the others took 36 months: to list them would be to have them come back as unfit."""
    with everywhere(reason="arrange"):
        numbered = {number: key for key, (number, _phone) in numbers_of(list(Member.objects.values_list("pk", flat=True))).items()}
        one, two, long, longer = (Member.objects.get(pk=numbered[_line(i)[1]]) for i in (8, 9, 1, 2))
        for member in (one, two):
            departures.leave(member, on=JOINED, by=year.world.agent_actor, today=JOINED)
        for cover in Enrolment.objects.filter(member__in=[long, longer]):
            Enrolment.objects.filter(pk=cover.pk).update(cover=DateRange(cover.cover.lower, date(2028, 1, 1)))
    client, args = _client(year.world.agent), [year.world.unit.pk, year.terms.pk]
    assert "上期有 6 人" in _text(client.get(reverse("members:roster_plans", args=args[:1])))
    table = read_table(_taken(client, "roster_last_list", args), "x.xlsx")
    assert [row[:2] for row in table.rows] == sorted([list(_line(i)[:2]) for i in (0, 3, 4, 5, 6, 7)])
    page = _page(client, _sent(client, *_plan(year), _file([_line(50)])))
    assert _count(page, "left") == "6"


def _taken(client: Client, name: str, args: list[int]) -> bytes:
    """A list with whole numbers in it, for who shows again who they are."""
    content: bytes = client.post(reverse(f"members:{name}", args=args), {"password": PASSWORD}).content
    return content


def _plan(year: Year) -> tuple[int, Terms]:
    return year.world.unit.pk, year.terms


def test_a_unit_that_joins_for_the_first_time_has_no_last_list(year: Year) -> None:
    with everywhere(reason="arrange"):
        new, agent = make_unit(year.world.cast.a, "91610800MA70XX42C")
        units.approve_unit(new, by=year.world.cast.actor(year.world.cast.reviewer))
    client = _client(agent)
    assert "从上期名单开始" not in _text(client.get(reverse("members:roster_plans", args=[new.pk])))
    assert client.get(reverse("members:roster_last_list", args=[new.pk, year.terms.pk])).status_code == 404
    with everywhere(reason="look"):
        assert not AuditEntry.objects.filter(action="take_last_list").exists()


# -- the preview --------------------------------------------------------------------------------------------------------


def test_the_preview_tells_every_difference_and_each_opens_as_a_list(year: Year) -> None:
    client, pk = _client(year.world.agent), year.sent(year.list_of_the_unit())
    page = _page(client, pk)
    counts = {only: _count(page, only) for only in reading.ONLY if only not in ("lapsed", "doubt")}
    assert counts == {
        "good": "10", "joined": "2", "stayed": "6", "changed": "1", "moved": "1", "bad": "3", "unfit": "1", "duplicate": "1", "left": "2",
    }  # fmt: skip
    unfit = _page(client, pk, "?only=unfit")
    assert unfit.count('<td data-label="行">') == 1
    assert "周岁" in unfit
    assert "行是同一个身份证号" in _page(client, pk, "?only=duplicate")
    left = _page(client, pk, "?only=left")
    assert [f"<li>{_line(i)[0]}<br>" in left for i in (8, 9, 1)] == [True, True, False]  # its own people, to be told apart
    assert left.count("610***********") == 2
    assert _line(8)[1] not in left
    assert _page(client, pk, "?only=moved").count("从其他单位转来") >= 1
    assert "新参加的人有等待期" in page
    assert "30 天内接上的人" in page


def test_a_wife_on_the_list_of_workers_is_pointed_out_and_a_worker_who_is_a_wife_elsewhere_is_not(year: Year) -> None:
    """Known as the wife of a worker of this unit: its agent is asked, and may enrol her all the same. The wife of another unit's
    worker is nobody's mistake, nor is whoever was on the unit's own last list."""
    with everywhere(reason="arrange"):
        keys = {number: key for key, (number, _phone) in numbers_of(list(Member.objects.values_list("pk", flat=True))).items()}
        husband, theirs = (Member.objects.get(pk=keys[_line(i)[1]]) for i in (1, 20))
        for i, holder in ((60, husband), (61, theirs), (3, husband)):
            name, number, _shares = _line(i)
            wife = people.add_spouse(
                holder, name=name, id_number=parse_id_number(number), by=Actor(None, holder.name, member_id=holder.pk)
            )
            Enrolment.objects.create(
                office_id=holder.office_id, member=wife, holder=holder, relation="spouse", unit_id=holder.unit_id, terms=year.world.yulin,
                program_id=year.world.yulin.program_id, shares=1, cover=DateRange(JOINED, date(2026, 2, 1)), contribution_fen=0,
                state="effective",
            )  # fmt: skip
    client, pk = _client(year.world.agent), year.sent([_line(60), _line(61), _line(3), _line(4)])
    page = _page(client, pk)
    assert (_count(page, "good"), _count(page, "doubt")) == ("4", "1")
    asked = _page(client, pk, "?only=doubt")
    assert asked.count('<td data-label="行">') == 1
    assert f"<th scope=\"row\">{_line(60)[0]}</th>" in asked
    assert "请确认是本单位职工本人" in asked
    assert "请确认是本单位职工本人" in _text(_client(year.world.cast.reviewer).get(reverse("admin:roster", args=[pk]) + "?only=doubt"))


def test_a_long_list_goes_on_page_by_page(year: Year, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    client, pk = _client(year.world.agent), year.sent(year.list_of_the_unit())
    address, rows = "", []
    while address is not None:
        page = _page(client, pk, address)
        rows += page.split('<td data-label="行">')[1:]
        address = next(("?" + way.split('"')[0] for way in page.split('href="?')[1:] if way.startswith("after=")), None)
    assert len(rows) == 13
    assert [row.split("<")[0] for row in rows] == [str(number) for number in sorted(int(row.split("<")[0]) for row in rows)]
    first = _page(client, pk, "?only=left")
    assert first.count("<li>职工") == 2
    assert _page(client, pk, "?only=nonsense&after=x").count('<td data-label="行">') == 4


def test_who_stays_does_not_wait_and_who_is_new_does(year: Year) -> None:
    client, pk = _client(year.world.agent), year.sent(year.list_of_the_unit())
    client.post(reverse("members:roster_confirm", args=[pk]))
    run_due("default")
    with everywhere(reason="look"):
        made = list(Enrolment.objects.filter(roster=pk).select_related("member"))
        assert len(made) == 10
        new = [one for one in made if one.waiting_until is not None]
        assert {one.member.name for one in new} == {"职工甲", "职工乙"}
        assert all(one.waiting_until == date(2026, 2, 4) and not one.waiting_waived for one in new)
        assert all(one.waiting_waived for one in made if one not in new)
    assert _page(client, pk, "?only=joined").count("等待期至 2026年2月4日") == 2
    for only, count in (("stayed", 6), ("changed", 1), ("moved", 1)):
        assert _page(client, pk, f"?only={only}").count("接续上期，免等待期") == count


def test_whom_the_renewal_leaves_out_hears_what_ends_when_and_the_agent_sees_whom(year: Year) -> None:
    """Some days later, when the lines that had to be corrected are in, and once however many lists there are. The control: without what
    was written down of them, the second list tells them again."""
    client = _client(year.world.agent)
    with everywhere(reason="arrange"):
        keys = {number: key for key, (number, _phone) in numbers_of(list(Member.objects.values_list("pk", flat=True))).items()}
        unfit, corrected, left, agent = (keys[_line(i)[1]] for i in (OLD, 8, 9, 1))
        Member.objects.filter(pk=agent).update(user=year.world.agent)
    first = year.sent(year.list_of_the_unit())
    client.post(reverse("members:roster_confirm", args=[first]))
    run_due("default")
    run_due("notices")
    assert _told() == {}
    second = _enrolled(client, *_plan(year), [_line(8)])
    _tell_the_lapsed()
    told = _told()
    assert set(told) == {unfit, left}
    assert "这一期的名册里没有您，“榆林" in told[left]
    assert all(f"保障到2025年12月31日（含当天）为止，之后没有保障。{how}" in told[who] for who, how in (
        (left, "想接着参加的，2026年12月31日前（含当天）可以自己在网上参加"), (unfit, "登记有误或情况已经变了的"),
    ))  # fmt: skip
    assert ("周岁" in told[unfit], "。。" in told[unfit]) == (True, False)
    with everywhere(reason="look"):
        assert Notice.objects.filter(title="有人没有续保", member_key=agent, text__contains="2 人上期在册").count() == 1
        pages = {pk: _page(client, pk) for pk in (first, second)}
        said_of = {pk: Lapse.objects.filter(roster=pk).count() for pk in (first, second)}
        (page,) = [pages[pk] for pk, count in said_of.items() if count == 2]
        assert _count(page, "lapsed") == "2"
        seen = _page(client, max(said_of, key=lambda pk: said_of[pk]), "?only=lapsed")
        assert [f"<li>{_line(i)[0]}<br>" in seen for i in (OLD, 8, 9)] == [True, False, True]
        assert "这次没有通过核对 · 2026年" in seen
        Lapse.objects.all().delete()
        before = Notice.objects.filter(title="您的互助保障没有续上").count()
        lapses.tell(second, Run(0, [second], SYSTEM, JOINED, {"after": 0}), on=date(2027, 1, 1))
        again = Notice.objects.filter(title="您的互助保障没有续上").order_by("pk")[before:]
        assert {notice.member_key for notice in again} == {unfit, left}
        assert all("参加时间已经过了" in notice.text for notice in again)


def test_a_unit_that_sends_no_list_is_reminded_before_the_window_closes_and_its_people_are_told_after(year: Year) -> None:
    """One list is checked and never confirmed, which renews nobody; the other unit has renewed. Each is told once, whatever runs again."""
    agent = Actor(year.other_agent.pk, "周经办", unit_ids=frozenset({year.other}))
    with everywhere(reason="arrange"):
        keys = {number: key for key, (number, _phone) in numbers_of(list(Member.objects.values_list("pk", flat=True))).items()}
        Member.objects.filter(pk=keys[_line(1)[1]]).update(user=year.world.agent)
        Member.objects.filter(pk=keys[_line(20)[1]]).update(user=year.other_agent)
        mine, others = (WorkUnit.objects.get(pk=pk) for pk in (year.world.unit.pk, year.other))
        renewed = rosters.upload(
            unit=others, terms=year.terms, data=_file([_line(i) for i in (20, 21, 22)]).read(), file_name="今年.xlsx", by=agent, on=JOINED
        )
        rosters.check(renewed.pk, by=SYSTEM, on=JOINED)
        rosters.confirm(Roster.objects.get(pk=renewed.pk), by=agent)
        rosters.commit(renewed.pk, by=SYSTEM, on=JOINED)
    year.sent(year.list_of_the_unit())
    days = (date(2026, 12, 20), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1))
    heard = []
    for day in days:
        with frozen(day), everywhere(reason="the night's questions"):
            lapses.find(day)
        with frozen(day):
            run_due("notices")
        with everywhere(reason="look"):
            heard.append((Notice.objects.filter(title__contains="本期名册还没有登记").count(), len(_told())))
    assert heard == [(0, 0), (1, 0), (1, 0), (1, 10)]
    assert all("这一期没有登记" in text and "参加时间已经过了" in text for text in _told().values())
    with everywhere(reason="the job once more, and without what was written down"):
        agents = Notice.objects.filter(title__in=("有人没有续保", "参加期快结束，本期名册还没有登记"))
        assert [notice.member_key for notice in agents] == [keys[_line(1)[1]]] * 2
        for told, again in ((10, None), (20, Lapse.objects)):
            if again is not None:
                again.all().delete()
            lapses.tell_unrenewed(year.terms.pk, Run(0, [year.terms.pk], SYSTEM, days[-1], {}), on=days[-1])
            assert Notice.objects.filter(title="您的互助保障没有续上").count() == told


def _tell_the_lapsed() -> None:
    """The days of waiting are over."""
    with everywhere(reason="arrange"):
        waiting = Job.objects.filter(kind="members.tell_lapsed", job_state="queued")
        assert waiting.update(not_before=Now()) == 2
    run_due("notices")


def _told() -> dict[int, str]:
    with everywhere(reason="look"):
        return dict(Notice.objects.filter(title="您的互助保障没有续上").values_list("member_key", "text"))


def test_whom_an_earlier_roster_of_the_year_enrolled_is_not_told_as_left(year: Year) -> None:
    client = _client(year.world.agent)
    _enrolled(client, *_plan(year), [_line(i) for i in range(6)])
    page = _page(client, _sent(client, *_plan(year), _file([_line(50)])))
    assert _count(page, "left") == "4"


# -- correcting -----------------------------------------------------------------------------------------------------------


def test_the_sheet_of_problems_is_corrected_and_uploaded_as_it_is(year: Year) -> None:
    client, pk = _client(year.world.agent), year.sent(year.list_of_the_unit())
    table = read_table(_taken(client, "roster_problems", [pk]), "x.xlsx")
    assert table.header[-2:] == ["要改正的问题", "原行号"]
    assert len(table.rows) == 3
    wrong = next(row for row in table.rows if row[0] == "张三")
    assert "最后一位" in wrong[-2]
    wrong[1] = make_id_number("610802", date(1990, 3, 8), 333)
    again = _sent(client, *_plan(year), _file([wrong], table.header))
    page = _page(client, again)
    assert "确认登记 1 人" in page


def test_each_page_and_each_sheet_speaks_its_own_language(year: Year) -> None:
    pk = year.sent(year.list_of_the_unit())
    with everywhere(reason="arrange"):
        Roster.objects.filter(pk=pk).update(file_name="roster.xlsx")
    english = _client(year.world.agent, "en")
    page = _page(english, pk, "?only=bad")
    assert "twice" in page.lower()
    assert "同一个身份证号" not in page
    assert "周岁" not in page
    sheet = read_table(_taken(english, "roster_problems", [pk]), "x.xlsx")
    assert not any("周岁" in cell or "身份证号" in cell for row in sheet.rows for cell in row)
    desk = _text(_client(year.world.cast.reviewer, "en").get(reverse("admin:roster", args=[pk])))
    assert "同一个身份证号" not in desk
    assert "是同一个身份证号" in _page(_client(year.world.agent), pk, "?only=bad")


def test_an_unreadable_roster_is_explained_in_the_readers_language(year: Year) -> None:
    agent = year.world.agent
    pk = _sent(_client(agent), *_plan(year), SimpleUploadedFile("x.csv", "甲,乙\n1,2\n".encode()))
    assert "名册缺少这些列" in _page(_client(agent), pk)
    english = _page(_client(agent, "en"), pk)
    assert "名册缺少这些列" not in english
    assert "column" in english


# -- nobody twice ---------------------------------------------------------------------------------------------------------


def test_whoever_is_covered_already_is_refused_and_it_is_explained(year: Year) -> None:
    mine, theirs = _client(year.world.agent), _client(year.other_agent)
    _enrolled(mine, *_plan(year), [_line(1), _line(2)])
    pk = _sent(theirs, year.other, year.terms, _file([_line(1), _line(20)]))
    page = _page(theirs, pk)
    assert _count(page, "bad") == "1"
    assert "此人在这段时间已参加这个计划，不能重复参加" in page
    assert year.world.unit.name not in page  # whose people they are is not said
    again = _page(mine, _sent(mine, *_plan(year), _file([_line(2), _line(3)])))
    assert "本单位已为此人参加过这个计划，不能重复参加" in again


def test_who_was_enrolled_elsewhere_since_the_check_is_told_after_the_commit(year: Year) -> None:
    mine, theirs = _client(year.world.agent), _client(year.other_agent)
    pk = _sent(theirs, year.other, year.terms, _file([_line(20), _line(50)]))
    assert _count(_page(theirs, pk), "good") == "2"
    _enrolled(mine, *_plan(year), [_line(20)])
    theirs.post(reverse("members:roster_confirm", args=[pk]))
    run_due("default")
    page = _page(theirs, pk)
    assert "已登记 1 人" in page
    assert _count(page, "unfit") == "1"  # on their list last year, and not this year
    assert "此人已在别处参加这个计划" in page
    with everywhere(reason="look"):
        assert Enrolment.objects.filter(terms=year.terms).count() == 2
    assert "此人已在别处参加" in str(read_table(_taken(theirs, "roster_problems", [pk]), "x.xlsx").rows)


# -- progress -------------------------------------------------------------------------------------------------------------


def test_while_it_is_checked_the_page_says_how_far_it_is_and_that_one_may_leave(year: Year) -> None:
    client = _client(year.world.agent)
    client.post(reverse("members:roster_upload", args=[year.world.unit.pk, year.terms.pk]), {"file": _file([_line(1)])})
    with everywhere(reason="arrange"):
        roster, job = Roster.objects.latest("pk"), Job.objects.latest("pk")
        Job.objects.filter(pk=job.pk).update(job_state="running")
    progress.tell(job.public_id, "逐行核对", 1, 2)
    page = _page(client, roster.pk)
    for words in ("逐行核对", "已办 1，共 2", "您可以离开这个页面", "刷新，看办到哪一步", "取消这份名册"):
        assert words in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Checking line by line" in _page(_client(year.world.agent, "en"), roster.pk)
    address = reverse("members:roster", args=[roster.pk])
    part = client.get(address, headers={"hx-request": "true"})
    assert "逐行核对" in _text(part)
    assert "<html" not in _text(part)
    assert not part.has_header("HX-Refresh")
    with everywhere(reason="arrange"):
        Job.objects.filter(pk=job.pk).update(job_state="queued")
    run_due("default")
    assert client.get(address, headers={"hx-request": "true"})["HX-Refresh"] == "true"
    with everywhere(reason="look"):
        assert progress.told(job.public_id) == ("与上期名单比对", 1, 1)


def test_a_cache_that_is_down_keeps_nobody_from_working(year: Year, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    pk = year.sent([_line(1)])
    assert "确认登记 1 人" in _page(_client(year.world.agent), pk)


def test_the_preview_of_a_renewal_takes_the_same_statements_for_few_and_for_many(year: Year) -> None:
    client, counts = _client(year.world.agent), []
    for first, size in ((100, 3), (200, 60)):
        lines = [*(_line(2 * i + 1000) for i in range(first, first + size)), _line(1), _line(1)]
        pk = year.sent(lines)
        with CaptureQueriesContext(connection) as seen:
            for only in ("", "left", "bad", "joined"):
                _page(client, pk, f"?only={only}")
        counts.append(len(seen))
    assert counts[0] == counts[1]
