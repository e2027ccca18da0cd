"""The queue of batches at the desk: filtered by office, state and plan, searched by unit; one batch with every line; numbers masked."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.urls import reverse

from members.models import BankStatement, ContributionDue, Departure, Enrolment, Roster, RosterRow, UnitAgent, WorkUnit
from members.selectors import rosters as reading
from members.services import rosters, units
from programs.models import Terms
from tests.factories.clients import client_of
from tests.factories.offices import make_user
from tests.factories.world import JOINED, World, load, make_unit, terms_like
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen, now
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import read_table
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry

LIST = "/admin/members/roster/"
BAD = "张三,610802199003080000"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _text(answer: HttpResponse) -> str:
    return answer.content.decode()


def _roster(world: World, name: str, lines: list[str], *, unit: WorkUnit | None = None, terms: Terms | None = None) -> Roster:
    data = "\n".join(["姓名,身份证号", *lines]).encode()
    with everywhere(reason="arrange"):
        made = rosters.upload(
            unit=unit or world.unit, terms=terms or world.yulin, data=data, file_name=name, by=world.agent_actor, on=JOINED
        )
        rosters.check(made.pk, by=SYSTEM, on=JOINED)
        made.refresh_from_db()
    return made


def _good(first: int, count: int) -> list[str]:
    return [f"李四,{make_id_number('610802', JOINED.replace(year=1985), 101 + first + i)}" for i in range(count)]


def test_the_queue_is_filtered_by_office_state_and_plan_and_searched_by_unit(world: World) -> None:
    with everywhere(reason="arrange"):
        other = load("national-inpatient.2026")
        far, _agent = make_unit(world.cast.b, "91610100MA70XX51C")
        units.approve_unit(far, by=world.cast.actor(world.cast.outsider))
    _roster(world, "one.csv", _good(0, 2))
    _roster(world, "two.csv", _good(10, 2), terms=other)
    _roster(world, "far.csv", _good(20, 2), unit=far)
    hq = client_of(world.cast.hq_user)

    def seen(query: str) -> set[str]:
        page = _text(hq.get(LIST + query))
        return {name for name in ("one.csv", "two.csv", "far.csv") if name in page}

    assert seen("") == {"one.csv", "two.csv", "far.csv"}
    assert seen(f"?office={world.cast.a.pk}") == {"one.csv", "two.csv"}
    assert seen(f"?plan={other.program_id}") == {"two.csv"}
    assert seen(f"?office={world.cast.b.pk}&state__exact=checked") == {"far.csv"}
    assert seen("?state__exact=effective") == set()
    assert seen(f"?q={far.credit_code}") == {"far.csv"}
    assert seen("?office=x&plan=999999999999999999999") == set()
    own = _text(client_of(world.cast.reviewer).get(f"{LIST}?office={world.cast.b.pk}"))
    assert "far.csv" not in own
    assert "西安办事处" not in own


QUEUES = (
    "contributiondue", "remittance", "remittancecorrection", "refund", "bankstatement", "enrolment", "departure", "correction", "voiding",
    "unitchange", "agentchange",
)  # fmt: skip


def test_the_queues_that_follow_are_filtered_by_office_and_by_date(world: World) -> None:
    with everywhere(reason="arrange"):
        far, _agent = make_unit(world.cast.b, "91610100MA70XX51C")
        units.approve_unit(far, by=world.cast.actor(world.cast.outsider))
        for unit, lines in ((world.unit, _good(0, 1)), (far, ["王五五," + make_id_number("610802", JOINED.replace(year=1985), 301)])):
            made = _roster(world, "x.csv", lines, unit=unit)
            rosters.confirm(made, by=world.agent_actor)
            rosters.commit(made.pk, by=SYSTEM, on=JOINED)
        leaving = Enrolment.objects.get(unit=far).member
        Departure.objects.create(
            office=world.cast.b, member=leaving, kind="transfer", from_unit=far, to_unit=world.unit, unit_ids=[far.pk, world.unit.pk],
            office_ids=[world.cast.a.pk, world.cast.b.pk], on=JOINED,
        )  # fmt: skip
        BankStatement.objects.create(office=world.cast.b, file_name="王五五.csv", file_sha256="0" * 64)
        ContributionDue.objects.filter(unit=far).update(created_at=now() - timedelta(days=40))
    hq, a, b = client_of(world.cast.hq_user), world.cast.a.pk, world.cast.b.pk

    def is_seen(name: str, words: str, query: str) -> bool:
        page = _text(hq.get(f"/admin/members/{name}/?{query}"))
        assert f"office={a}" in page, "the filter is offered"
        return words in page

    asked = ("", f"office={a}", f"office={b}", "since=today", "since=earlier")
    for name, words, shown in (
        ("enrolment", "王五五", [True, False, True, True, False]), ("enrolment", "李四", [True, True, False, True, False]),
        ("contributiondue", far.name, [True, False, True, False, True]),
        ("departure", "王五五", [True, True, True, True, False]),  # leaves one office and comes to the other
        ("bankstatement", "王五五.csv", [True, False, True, True, False]),
    ):  # fmt: skip
        assert [is_seen(name, words, query) for query in asked] == shown, (name, words)
    for name in QUEUES:
        answers = [hq.get(f"/admin/members/{name}/?office={a}&since={word}").status_code for word in ("month", "earlier", "x")]
        assert answers == [200, 200, 400], name
        own = _text(client_of(world.cast.manager).get(f"/admin/members/{name}/?office={b}"))
        assert ("王五五" in own, "西安办事处" in own) == (name == "departure", False), name


def test_one_batch_shows_every_line_and_its_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    lines = _good(0, 6)
    roster = _roster(world, "r.csv", [*lines, BAD, lines[0]])
    client, address = client_of(world.cast.reviewer), reverse("admin:roster", args=[roster.pk])
    page = _text(client.get(address))
    assert "同一个身份证号" in page  # what is wrong comes first
    assert "李四" in page
    everyone = _text(client.get(f"{address}?only=all"))
    assert "下一页" in everyone
    assert "after=5" in everyone
    assert _text(client.get(f"{address}?only=all&after=5")).count('scope="row"') == 4
    assert client.get(f"{address}?only=nonsense&after=-3").status_code == 200
    assert client_of(world.cast.outsider).get(address).status_code == 404


def test_the_result_for_those_who_look_on_masks_every_number(world: World) -> None:
    roster = _roster(world, "r.csv", [*_good(0, 2), BAD])
    client = client_of(world.cast.auditor)
    table = read_table(client.get(reverse("admin:roster_result", args=[roster.pk])).content, "x.xlsx")
    assert len(table.rows) == 3
    assert all("*" in row[2] for row in table.rows)
    assert "最后一位" in table.rows[2][-1]
    assert client_of(world.cast.outsider).get(reverse("admin:roster_result", args=[roster.pk])).status_code == 404


def test_a_roster_is_given_back_with_a_reason_and_its_file_may_come_again(world: World) -> None:
    roster, text = _roster(world, "r.csv", _good(0, 2)), "请按最新花名册重报"
    desk, address = client_of(world.cast.reviewer), reverse("admin:roster", args=[roster.pk])
    for who, form, status, words in (
        (world.cast.reviewer, {"decision": "return", "note": ""}, 400, "请写明原因"),
        (world.cast.reviewer, {"decision": "sell"}, 400, "请选择要办的事"),
        (world.cast.auditor, {"decision": "return", "note": text}, 403, "您的岗位不能退回名册"),
        (world.cast.reviewer, {"decision": "reopen", "note": text}, 409, "核对完成"),
    ):
        answer = client_of(who).post(address, form)
        assert (answer.status_code, words in _text(answer)) == (status, True), (form, _text(answer))
    assert desk.post(address, {"decision": "return", "note": text}).status_code == 302
    page = _text(client_of(world.agent).get(reverse("members:roster", args=[roster.pk])))
    assert text in page
    assert "重新上传" in page
    with everywhere(reason="look"):
        assert not RosterRow.objects.exclude(id_number=None).exists()
    assert _roster(world, "again.csv", _good(0, 2)).good_count == 2


def test_a_confirmation_that_cannot_be_carried_out_is_taken_back_by_the_office(world: World) -> None:
    """The log-in of the agent was closed right after they confirmed: no retry of the job will ever do."""
    roster = _roster(world, "r.csv", _good(0, 2))
    with everywhere(reason="arrange"):
        rosters.confirm(roster, by=world.agent_actor)
        User.objects.filter(pk=world.agent.pk).update(is_active=False)
        new = make_user("u-new", "新经办")
        UnitAgent.objects.create(office=world.cast.a, unit=world.unit, user=new, since=JOINED)
    run_due("default")
    desk, address = client_of(world.cast.reviewer), reverse("admin:roster", args=[roster.pk])
    agent = client_of(new)
    assert agent.post(reverse("members:roster_confirm", args=[roster.pk])).status_code == 409
    assert "退回到核对完成" in _text(desk.get(address))
    assert desk.post(address, {"decision": "reopen", "note": "原经办人已离职"}).status_code == 302
    assert agent.post(reverse("members:roster_confirm", args=[roster.pk])).status_code == 302
    run_due("default")
    with everywhere(reason="look"):
        roster.refresh_from_db()
        acts = AuditEntry.objects.filter(entity="members.roster", entity_id=roster.pk, action="reopen")
        assert [(act.actor_id, act.note) for act in acts] == [(world.cast.reviewer.pk, "原经办人已离职")]
        assert (roster.state, Enrolment.objects.filter(roster=roster).count()) == ("committed", 2)
    assert desk.post(address, {"decision": "reopen", "note": "再来"}).status_code == 409


def test_an_exception_is_proposed_and_allowed_by_two_at_the_desk(world: World) -> None:
    terms = terms_like("shaanxi-yulin-medical.2026", enrolment={
        "opens": "2025-10-01", "closes": "2026-12-31", "unit": {"min_ratio": "0.50"},
    })  # fmt: skip
    roster = _roster(world, "r.csv", _good(0, 3), terms=terms)
    confirm, address = reverse("members:roster_confirm", args=[roster.pk]), reverse("admin:roster", args=[roster.pk])
    page = reverse("members:roster", args=[roster.pk])
    preview = _text(client_of(world.agent).get(page))
    assert ("办理例外" in preview, "确认登记 3 人" in preview) == (True, False), "no button that is always refused"
    refused = client_of(world.agent).post(confirm)
    assert (refused.status_code, "还差 22 人" in _text(refused)) == (400, True)
    first, second = client_of(world.cast.reviewer), client_of(world.cast.manager)
    assert first.post(address, {"decision": "allow"}).status_code == 409
    assert first.post(address, {"decision": "propose", "note": "改制在即，其余职工已离岗"}).status_code == 302
    assert first.post(address, {"decision": "allow"}).status_code == 403
    assert "改制在即" in _text(second.get(address))
    assert second.post(address, {"decision": "allow"}).status_code == 302
    preview = _text(client_of(world.agent).get(page))
    assert ("办理例外" in preview, "确认登记 3 人" in preview) == (False, True)
    assert client_of(world.agent).post(confirm).status_code == 302
