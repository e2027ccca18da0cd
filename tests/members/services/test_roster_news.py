"""Whom a roster enrolled is told so, and told again when the cover is in force; agents hear of their unit's record."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import ContributionDue, Member, Roster
from members.services import contributions, enrolment, roster_news, rosters, units
from tests.factories.world import JOINED, World, make_unit
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run, run_due
from unionaid.workflow.models import Notice


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield


def enrolled(world: World, people: int, first: int = 101) -> Roster:
    lines = (f"张三,{make_id_number('610802', date(1990, 3, 8), first + i)}" for i in range(people))
    data = "\n".join(["姓名,身份证号", *lines]).encode()
    roster = rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)
    run_due("default")
    roster.refresh_from_db()
    rosters.confirm(roster, by=world.agent_actor)
    run_due("default")
    run_due("notices")
    roster.refresh_from_db()
    return roster


def titles() -> list[str]:
    return list(Notice.objects.order_by("id").values_list("title", flat=True))


def test_they_are_told_when_they_are_enrolled_and_when_it_is_in_force(world: World) -> None:
    roster = enrolled(world, 2)
    assert titles() == ["单位已为您登记参加互助保障"] * 2
    told = Notice.objects.first()
    assert "2026年1月6日" in told.text
    assert world.unit.name in told.text
    for due in ContributionDue.objects.filter(roster=roster):
        contributions.confirm(
            due, payer_name=world.unit.name, bank_reference="T1", received_on=JOINED, amount_fen=due.amount_fen, remark=due.reference,
            by=world.cast.actor(world.cast.payer), on=JOINED,
        )  # fmt: skip
    run_due("notices")
    assert titles()[2:] == ["您的保障已生效"] * 2
    run_due("notices")
    assert len(titles()) == 4


def test_a_part_takes_as_many_statements_for_many_and_goes_on_after_the_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_news, "PART", 3)
    counts = []
    for people, first in ((1, 101), (3, 201)):
        roster = enrolled(world, people, first)
        Notice.objects.all().delete()
        run = Run(0, [roster.pk], SYSTEM, JOINED, {})
        with CaptureQueriesContext(connection) as made:
            more = roster_news.tell_people(roster.pk, roster_news.ENROLLED, run)
        counts.append(len(made.captured_queries))
    assert counts[0] == counts[1]
    assert more is not None
    assert roster_news.tell_people(roster.pk, roster_news.ENROLLED, Run(0, [roster.pk], SYSTEM, JOINED, more)) is None
    assert Notice.objects.count() == 3


def test_who_is_not_taken_in_hears_why(world: World) -> None:
    member = world.member(101)
    made = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    contributions.refuse(made, by=world.cast.actor(world.cast.payer), on=JOINED, note="不是本单位职工。")
    told = Notice.objects.get(member_key=member.pk)
    assert told.title == "没有通过参加申请"
    assert "不是本单位职工。已经缴的" in told.text


def test_an_agent_hears_what_becomes_of_the_units_record(world: World) -> None:
    unit, agent = make_unit(world.cast.a, "91610800MA70A1B3D")
    agent_as_worker = world.member(103)
    Member.objects.filter(pk=agent_as_worker.pk).update(user=agent)
    by = world.cast.actor(world.cast.reviewer)
    units.return_unit(unit, by=by, note="证照不清楚")
    told = Notice.objects.get(member_key=agent_as_worker.pk)
    assert told.title == "单位登记要修改"
    assert "证照不清楚" in told.text
