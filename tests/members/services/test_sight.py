"""A unit sees people as long as something binds them to it, and then no more."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members.models import ContributionDue, Correction, Enrolment, Member
from members.services import corrections, departures, enrolment, kin, people, rosters, sight, units
from members.services.people import numbers_of
from members.services.roster_rows import TITLES
from tests.factories.world import ASKED, JOINED, World, load, make_unit
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.models import AuditEntry, Job

GONE, LAST_DAY = date(2026, 6, 30), date(2026, 12, 31)
AFTER = LAST_DAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(ASKED), everywhere(reason="arrange"):
        yield


@pytest.fixture
def elsewhere(world: World) -> Actor:
    """The agent of a unit of the other office."""
    with frozen(JOINED):
        unit, agent = make_unit(world.cast.b, "91610100MA70A1B3D")
        units.approve_unit(unit, by=world.cast.actor(world.cast.outsider))
    return Actor(agent.pk, "新经办", unit_ids=frozenset({unit.pk}))


def moved(world: World, member: Member, elsewhere: Actor) -> None:
    unit = units.WorkUnit.objects.get(pk__in=elsewhere.unit_ids)
    made = departures.transfer(member, to_code=unit.credit_code, on=GONE, by=world.agent_actor, today=ASKED)
    departures.accept(made, by=elsewhere)


def night(on: date) -> None:
    with frozen(on):
        ask_what_is_due()
        run_due("default")


def seen_by(member: Member) -> set[int]:
    return set(Member.objects.get(pk=member.pk).unit_ids)


def unit_of(member: Member) -> int | None:
    return Member.objects.get(pk=member.pk).unit_id


def page(world: World, member: Member, on: date) -> int:
    """The answer to the old unit's agent who opens the person's page."""
    client = Client()
    with frozen(on):
        client.force_login(world.agent, backend="unionaid.accounts.backends.NumberBackend")
        return client.get(f"/unit/people/{member.pk}").status_code


def test_the_old_unit_sees_a_person_while_cover_through_it_runs_and_not_a_day_longer(world: World, elsewhere: Actor) -> None:
    member, stays = world.member(101), world.member(103)
    assert world.cover(member).last_day == LAST_DAY
    world.cover(stays)
    moved(world, member, elsewhere)
    night(LAST_DAY)
    assert page(world, member, LAST_DAY) == 200
    assert page(world, member, AFTER) == 200, "nobody has looked yet: without the job they would see the person for ever"
    night(AFTER)
    assert page(world, member, AFTER) == 404
    assert (seen_by(member), seen_by(stays)) == (set(elsewhere.unit_ids), {world.unit.pk})
    told = AuditEntry.objects.filter(action="end_sight")
    assert [(one.entity_id, one.details) for one in told] == [(member.pk, {"units": [world.unit.pk]})]
    night(AFTER)
    assert Job.objects.filter(kind=sight.JOB, business_on=AFTER).count() == 1
    night(AFTER + timedelta(days=1))
    assert told.count() == 1


def test_what_is_unpaid_or_asked_of_the_office_binds_too(world: World, elsewhere: Actor) -> None:
    owing, asked = world.member(101), world.member(103)
    made = enrolment.enrol(
        member=owing, holder=owing, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(owing)
    )
    world.cover(asked)
    for one in (owing, asked):
        moved(world, one, elsewhere)
    Enrolment.objects.filter(unit=world.unit).update(cover=DateRange(JOINED, ASKED))
    ContributionDue.objects.filter(enrolment=made).update(pay_by=AFTER)
    waiting = Correction.objects.create(office=world.cast.a, member=asked, unit=world.unit, before={}, name="王晓明", asked_by=world.agent)
    night(ASKED)
    assert world.unit.pk in seen_by(owing) & seen_by(asked)
    enrolment.withdraw(made, by=world.worker(owing))
    corrections.withdraw(waiting, by=world.agent_actor)
    night(ASKED + timedelta(days=1))
    assert seen_by(owing) == seen_by(asked) == set(elsewhere.unit_ids)


def test_a_child_is_seen_where_the_parent_works(world: World) -> None:
    parent = world.member(101)
    number = make_id_number("610802", date(2020, 3, 8), 101)
    child = people.add_child(parent, name="王小小", id_number=number, by=world.worker(parent), on=ASKED)
    kin.confirm_guardian(child, parent, office_id=world.cast.a.pk, by=world.cast.actor(world.cast.reviewer))
    night(ASKED)
    assert seen_by(child) == {world.unit.pk}
    departures.leave(parent, on=GONE, by=world.agent_actor, today=ASKED)
    assert unit_of(child) is None
    night(ASKED + timedelta(days=1))
    assert seen_by(child) == set()


def test_a_roster_that_moves_people_ends_the_old_units_sight_at_once(world: World, elsewhere: Actor) -> None:
    covered, free = world.member(101, "王小明"), world.member(103, "李小明")
    world.cover(covered)
    number = make_id_number("610802", date(2020, 3, 8), 103)
    child = people.add_child(free, name="李小小", id_number=number, by=world.worker(free), on=ASKED)
    kin.confirm_guardian(child, free, office_id=world.cast.a.pk, by=world.cast.actor(world.cast.reviewer))
    assert unit_of(child) == world.unit.pk
    numbers = numbers_of([covered.pk, free.pk])
    text = "\n".join([f"{TITLES['name']},{TITLES['id_number']}", *(f"{one.name},{numbers[one.pk][0]}" for one in (covered, free))])
    unit, terms = units.WorkUnit.objects.get(pk__in=elsewhere.unit_ids), load("national-inpatient.2026")
    roster = rosters.upload(unit=unit, terms=terms, data=text.encode(), file_name="r.csv", by=elsewhere, on=ASKED)
    run_due("default")
    roster.refresh_from_db()
    rosters.confirm(roster, by=elsewhere)
    run_due("default")
    assert seen_by(covered) == {world.unit.pk, unit.pk}, "cover through the old unit runs on"
    assert seen_by(free) == {unit.pk}
    assert unit_of(child) == unit.pk, "a child goes along"
    night(ASKED)
    assert seen_by(child) == {unit.pk}


def test_it_goes_on_behind_the_last_stretch_and_takes_as_many_statements_for_many(
    world: World, elsewhere: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [world.member(101 + 2 * i) for i in range(6)]
    Member.objects.filter(pk__in=[one.pk for one in members]).update(unit=None)
    counts = []
    for some in (members[:1], members[1:]):
        others = [one.pk for one in members if one not in some]
        Member.objects.filter(pk__in=others).update(unit=world.unit)
        Member.objects.filter(pk__in=[one.pk for one in some]).update(unit=None)
        with CaptureQueriesContext(connection) as made:
            night(ASKED + timedelta(days=len(counts)))
        counts.append(len(made.captured_queries))
        assert not [one for one in some if seen_by(one)]
    assert counts[0] == counts[1]
    Member.objects.filter(pk__in=[one.pk for one in members]).update(unit=None, unit_ids=[world.unit.pk])
    monkeypatch.setattr(sight, "WINDOW", 2)
    night(ASKED + timedelta(days=3))
    assert not Member.objects.filter(unit_ids__contains=[world.unit.pk]).exists()
    assert Job.objects.order_by("-id").filter(kind=sight.JOB).first().result == {"ended": 6}  # type: ignore[union-attr]
