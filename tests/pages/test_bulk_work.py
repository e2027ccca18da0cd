"""Units taken in, rosters given back, batches settled together: by a job, one by one, each with its own outcome."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from members.models import ContributionDue, Match, Roster, WorkUnit
from members.services import rosters, statements, units
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World, make_unit
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen, now
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import read_table
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow import bulk
from unionaid.workflow.jobs import Run, run_due
from unionaid.workflow.models import AuditEntry, BulkWork, BulkWorkRow

UNITS, RETURN, SETTLE = "/admin/members/workunit/bulk/", "/admin/members/roster/bulk/return/", "/admin/members/roster/bulk/settle/"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def _words(answer: object) -> str:
    return str(answer.content.decode())  # type: ignore[attr-defined]


def _ask(user: User, address: str, ids: list[int], **more: str) -> str:
    """Tick, say yes, send; the page with what came of it."""
    client = client_of(user)
    answer = client.post(address, {"key": f"k{ids}", "things": ids, "sure": "on", **more})
    assert answer.status_code == 302, _words(answer)
    assert "看进度" in _words(client.get(answer["Location"]))
    run_due("default")
    return _words(client.get(answer["Location"]))


def _outcomes() -> dict[int, tuple[str, str]]:
    with everywhere(reason="look"):
        return {row.subject_id: (row.outcome, row.why) for row in BulkWorkRow.objects.order_by("id")}


def _roster(world: World, name: str, first: int, state: str = "checked") -> Roster:
    lines = [f"李四,{make_id_number('610802', JOINED.replace(year=1985), first + i)}" for i in range(2)]
    with everywhere(reason="arrange"):
        data = "\n".join(["姓名,身份证号", *lines]).encode()
        made = rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name=name, by=world.agent_actor, on=JOINED)
        rosters.check(made.pk, by=SYSTEM, on=JOINED)
        made.refresh_from_db()
        if state == "committed":
            rosters.confirm(made, by=world.agent_actor)
            rosters.commit(made.pk, by=SYSTEM, on=JOINED)
        made.refresh_from_db()
    return made


@pytest.fixture
def three(world: World) -> list[WorkUnit]:
    """Units that wait to be taken in."""
    with everywhere(reason="arrange"):
        return [make_unit(world.cast.a, f"91610800MA70A1{n}")[0] for n in ("C2C", "C3D", "C4E")]


def test_units_are_taken_in_together_and_one_that_changed_meanwhile_is_left(
    world: World, three: list[WorkUnit], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three_ = three
    client = client_of(world.cast.reviewer)
    page = _words(client.get(UNITS))
    assert all(unit.name in page for unit in three)
    assert "下一页" not in page
    with monkeypatch.context() as few:
        few.setattr(bulk, "MOST", 2)
        page, second = _words(client.get(UNITS)), _words(client.get(f"{UNITS}?p=2"))
    assert (three_.name in page, 'href="?p=2">下一页' in page, "第 1 到 2 件" in page) == (False, True, True)
    assert (one.name in second, three_.name in second, 'href="?p=1">上一页' in second) == (False, True, True)
    _narrows(client, one, three_)
    for form, words in (({}, "请至少勾选一件"), ({"things": [one.pk]}, "请勾选确认"), ({"things": ["x"], "sure": "on"}, "名单已经更新")):
        answer = client_of(world.cast.reviewer).post(UNITS, {"key": "k", **form})
        assert (answer.status_code, words in _words(answer)) == (400, True), form
    with everywhere(reason="arrange"):
        (made,) = bulk.request("approve_units", [one.pk, two.pk], by=world.cast.actor(world.cast.reviewer))
        units.return_unit(two, by=world.cast.actor(world.cast.manager), note="名称不全")
    run_due("default")
    found = _outcomes()
    assert (found[one.pk], found[two.pk][0]) == (("done", ""), "left")
    assert "不再符合条件" in found[two.pk][1]
    with everywhere(reason="look"):
        assert [unit.state for unit in WorkUnit.objects.filter(pk__in=[u.pk for u in three]).order_by("pk")] == [
            "approved", "returned", "submitted",
        ]  # fmt: skip
        acts = AuditEntry.objects.filter(entity="members.workunit", entity_id=one.pk, action="approve")
        assert [act.actor_id for act in acts] == [world.cast.reviewer.pk]
        again = Run(0, [made.pk], world.cast.actor(world.cast.reviewer), JOINED, {})
        assert bulk.advance(made.pk, again) is None
        assert acts.count() == 1
    assert "已办理 1 件" in _words(client_of(world.cast.reviewer).get(reverse("admin:bulk_result", args=[made.pk])))
    sheet = reverse("admin:bulk_result_sheet", args=[made.pk])
    table = read_table(client_of(world.cast.reviewer).get(sheet).content, "x.xlsx")
    assert [(row[0], row[2]) for row in table.rows] == [(str(one.pk), "已办理"), (str(two.pk), "没有办理，请单独办理")]
    assert "不再符合条件" in table.rows[1][3]
    for address in (reverse("admin:bulk_result", args=[made.pk]), sheet):
        assert client_of(world.cast.outsider).get(address).status_code == 404


def _narrows(client: Client, one: WorkUnit, other: WorkUnit) -> None:
    """The list's own search and filters, alone and with what stands on another page ticked; what makes no sense is said."""
    with everywhere(reason="arrange"):
        WorkUnit.objects.filter(pk=one.pk).update(nature="institution", submitted_at=now() - timedelta(days=60))
    for query in (f"q={one.credit_code[:16]}", "since=earlier", "nature__exact=institution"):
        page = _words(client.get(f"{UNITS}?{query}"))
        assert (one.name in page, other.name in page) == (True, False), query
    assert (one.name in _words(client.get(f"{UNITS}?since=today"))) is False
    assert "没有符合条件的" in _words(client.get(f"{UNITS}?q=91999"))
    answer = client.post(f"{UNITS}?since=today", {"key": "k", "things": [one.pk]})
    assert (answer.status_code, "名单已经更新" in _words(answer)) == (400, False), "ticked before somebody narrowed the list"
    for query in ("since=yesterday", "nature__exact=%00"):
        assert client.get(f"{UNITS}?{query}").status_code == 400, query


def test_who_may_not_do_one_of_them_may_not_do_many(world: World, three: list[WorkUnit]) -> None:
    one = three[0]
    assert one.name not in _words(client_of(world.cast.outsider).get(UNITS))
    with everywhere(reason="arrange"):
        for stranger in (world.cast.outsider, world.cast.auditor):
            with pytest.raises(bulk.BulkRefused, match="不能一起办理"):
                bulk.request("approve_units", [one.pk], by=world.cast.actor(stranger))
        bulk.request("approve_units", [one.pk], by=world.cast.actor(world.cast.reviewer))
        StaffPost.objects.filter(user=world.cast.reviewer).delete()
    run_due("default")
    assert _outcomes() == {one.pk: ("waiting", "")}, "the right is asked for again when the job runs"


def test_rosters_are_given_back_together_with_one_reason(world: World) -> None:
    first, second = _roster(world, "a.csv", 101), _roster(world, "b.csv", 201)
    answer = client_of(world.cast.manager).post(RETURN, {"key": "k", "things": [first.pk], "sure": "on"})
    assert (answer.status_code, "请写明原因" in _words(answer)) == (400, True)
    page = _ask(world.cast.manager, RETURN, [first.pk, second.pk], note="参加期改期，请按新名册重报")
    assert "已办理 2 件" in page
    assert f"a.csv · {world.unit.name}" in page
    with everywhere(reason="look"):
        assert set(Roster.objects.values_list("state", flat=True)) == {"returned"}
        assert BulkWork.objects.get().finished_at is not None
    assert "请按新名册重报" in _words(client_of(world.agent).get(reverse("members:roster", args=[first.pk])))


def test_batches_are_settled_together_where_remark_and_amount_agree(world: World) -> None:
    paid, short, unpaid = (_roster(world, f"{n}.csv", n, "committed") for n in (101, 201, 301))
    with everywhere(reason="arrange"):
        dues = [ContributionDue.objects.get(roster=roster) for roster in (paid, short)]
        lines = [f"2026-01-05,B{due.pk},{due.amount_fen / 100 - i},,测试单位,互助费,{due.reference}" for i, due in enumerate(dues)]
        data = "\r\n".join(["交易日期,交易流水号,贷方发生额,借方发生额,对方户名,摘要,附言", *lines]).encode()
        statement = statements.upload(world.cast.a, data=data, file_name="s.csv", by=world.cast.actor(world.cast.payer))
    run_due("default")
    with everywhere(reason="arrange"):
        statement.refresh_from_db()
        statements.confirm(statement, by=world.cast.actor(world.cast.payer))
    run_due("default")
    page = _words(client_of(world.cast.payer).get(SETTLE))
    assert [roster.file_name in page for roster in (paid, short, unpaid)] == [True, True, False]
    assert "附言和金额没有都对上" in _ask(world.cast.payer, SETTLE, [paid.pk, short.pk])
    with everywhere(reason="look"):
        states = dict(Roster.objects.values_list("pk", "state"))
        assert (states[paid.pk], states[short.pk]) == ("effective", "committed")
        assert not Match.objects.filter(due__roster=short).exists()
