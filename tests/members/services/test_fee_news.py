"""Whoever pays is told of their money, whoever joined alone of their cover, the agent of a list that wants mending: each once."""

from collections.abc import Iterator

import pytest

from members.models import ContributionDue, Member, Remittance
from members.services import enrolment, fee_news, refunds, rosters
from members.services.contributions import Pair, match
from tests.factories.world import JOINED, World
from tests.members.services.test_contributions import a_roster, arrived
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import Notice


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED):
        yield


@pytest.fixture
def agent(world: World) -> Member:
    """The unit's agent, who signed up as a worker like every agent."""
    with everywhere(reason="arrange"):
        member = world.member(901, "周经办")
        Member.objects.filter(pk=member.pk).update(user=world.agent)
        return member


def payer(world: World) -> Actor:
    return world.cast.actor(world.cast.payer)


def told(member: Member) -> list[str]:
    """The titles of what this person was told, after the queue was emptied twice."""
    for _again in range(2):
        run_due("notices")
    with everywhere(reason="look"):
        return list(Notice.objects.filter(member_key=member.pk).order_by("pk").values_list("title", flat=True))


def pay(world: World, due: ContributionDue, fen: int) -> Remittance:
    with everywhere(reason="arrange"):
        one = arrived(world, fen, due.reference)
        match([Pair(one.pk, due.pk, fen)], by=payer(world), on=JOINED)
        return one


def test_whoever_joins_alone_is_told_what_is_missing_and_then_that_it_is_in_force(world: World) -> None:
    with everywhere(reason="arrange"):
        member = world.member(101)
        cover = enrolment.enrol(
            member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
        )
        due = cover.dues.get()
    pay(world, due, 5000)
    assert told(member) == ["互助费还没有缴够"]
    pay(world, due, due.amount_fen - 5000)
    assert told(member) == ["互助费还没有缴够", "保障已生效"]
    with everywhere(reason="look"):
        first, last = Notice.objects.filter(member_key=member.pk).order_by("pk")
    assert "已收到 50.00 元，还欠 75.00 元" in first.text
    assert last.link == f"/my/enrolments/{cover.public_id}/certificate"


def test_the_agents_are_told_of_the_units_money_and_of_what_went_back(world: World, agent: Member) -> None:
    with everywhere(reason="arrange"):
        due = a_roster(world, {"unit": 1000}).dues.get()
    pay(world, due, 400)
    with everywhere(reason="arrange"):
        over = arrived(world, 700, due.reference)
        match([Pair(over.pk, due.pk, 600)], by=payer(world), on=JOINED)
    assert told(agent) == ["互助费已到账"], "what was missing meanwhile is no news any more"
    account = {"payee_name": "测试单位", "bank_name": "农行", "account_number": "6228480402564890018"}
    with everywhere(reason="arrange"):
        for outcome in ("paid", "failed"):
            over.refresh_from_db()
            back = refunds.propose(over, reason="over_payment", amount_fen=50, **account, by=payer(world), on=JOINED)
            refunds.release(back, by=world.cast.actor(world.cast.manager), on=JOINED)
            if outcome == "paid":
                refunds.mark_paid(back, bank_reference="B1", paid_on=JOINED, by=payer(world), on=JOINED)
            else:
                refunds.mark_failed(back, note="户名不符", by=payer(world), on=JOINED)
    assert told(agent)[1:] == ["互助费已退款", "互助费退款没有成功"]


def test_the_agent_is_told_once_of_lines_to_mend_and_of_a_file_that_cannot_be_read(world: World, agent: Member) -> None:
    rows = ["姓名,身份证号", f"王小明,{make_id_number('610802', JOINED.replace(year=1990), 7)}", "张三,610802199003080000"]
    with everywhere(reason="arrange"):
        for name, data in (("bad.csv", "\n".join(rows).encode()), ("x.xlsx", b"x"), ("good.csv", "\n".join(rows[:2]).encode())):
            made = rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name=name, by=world.agent_actor, on=JOINED)
            for _again in range(2):
                rosters.check(made.pk, by=SYSTEM, on=JOINED)
    assert told(agent) == ["名册里有要改的人", "名册无法读取"]
    with everywhere(reason="look"):
        assert "“bad.csv”核对完了：可以参加 1 人，有问题 1 人" in Notice.objects.order_by("pk")[0].text


def test_one_and_a_hundred_are_written_down_to_be_told_in_as_many_statements(world: World, django_assert_num_queries: object) -> None:
    with everywhere(reason="arrange"):
        members = [world.member(101 + 2 * i) for i in range(2)]
        covers = [
            enrolment.enrol(
                member=one, holder=one, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(one)
            )
            for one in members
        ]
        with django_assert_num_queries(1) as one:  # type: ignore[operator]
            fee_news.tell_later(fee_news.IN_FORCE, covers[:1])
        with django_assert_num_queries(len(one)):  # type: ignore[operator]
            fee_news.tell_later(fee_news.IN_FORCE, covers)
