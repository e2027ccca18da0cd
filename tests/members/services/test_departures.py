"""People leave, retire, go to another unit; their cover stays to its end where it was taken out."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Departure, Enrolment, Member, Roster
from members.services import departures, rosters, units
from members.services.departures import DepartureRefused
from members.services.people import numbers_of
from members.services.roster_rows import TITLES
from programs.models import Terms
from programs.rules.planfile import read_plan
from programs.services import check, load_plan, publish
from tests.factories.world import ASKED, CATALOGUE, JOINED, World, load, make_unit
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, Notice
from unionaid.workflow.moves import NotAllowed

GONE = date(2026, 6, 30)


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(ASKED), everywhere(reason="arrange"):
        yield


class Elsewhere:
    """A unit of the other office, with its agent."""

    def __init__(self, world: World) -> None:
        self.unit, self.agent = make_unit(world.cast.b, "91610100MA70A1B3D")
        units.approve_unit(self.unit, by=world.cast.actor(world.cast.outsider))
        self.by = Actor(self.agent.pk, "新经办", unit_ids=frozenset({self.unit.pk}))


@pytest.fixture
def elsewhere(world: World) -> Elsewhere:
    return Elsewhere(world)


@pytest.fixture
def cover(world: World) -> Enrolment:
    return world.cover(world.member(101))


def going(world: World, cover: Enrolment, elsewhere: Elsewhere) -> Departure:
    return departures.transfer(cover.member, to_code=elsewhere.unit.credit_code, on=GONE, by=world.agent_actor, today=ASKED)


def fresh(member: Member) -> Member:
    return Member.objects.get(pk=member.pk)


def test_a_transfer_waits_for_the_new_unit(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    made = going(world, cover, elsewhere)
    assert (made.state, fresh(cover.member).unit_id) == ("asked", world.unit.pk)
    departures.accept(made, by=elsewhere.by)
    member = fresh(cover.member)
    assert (member.unit_id, member.office_id, member.joined_unit_on) == (elsewhere.unit.pk, world.cast.b.pk, GONE)
    assert Notice.objects.get(member_key=member.pk).title == "您的工作单位已变更"


def test_cover_stays_with_the_unit_and_office_it_came_from(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    before = (cover.cover, cover.unit_id, cover.office_id, cover.state, cover.shares)
    departures.accept(going(world, cover, elsewhere), by=elsewhere.by)
    cover.refresh_from_db()
    assert (cover.cover, cover.unit_id, cover.office_id, cover.state, cover.shares) == before
    with office_scope(Scope(units=frozenset({world.unit.pk}))):
        assert Enrolment.objects.filter(pk=cover.pk).exists(), "the old unit stays responsible"
        assert Member.objects.filter(pk=cover.member_id).exists()
    with office_scope(Scope(units=frozenset({elsewhere.unit.pk}))):
        assert Member.objects.filter(pk=cover.member_id).exists()
        assert not Enrolment.objects.filter(pk=cover.pk).exists(), "what the other unit took out is not the new one's"
    with office_scope(Scope(offices=covers(world.cast.a))):
        assert Enrolment.objects.filter(pk=cover.pk).exists()


def test_the_old_unit_sees_nobody_who_is_not_covered_through_it(world: World, elsewhere: Elsewhere) -> None:
    member = world.member(103)
    made = departures.transfer(member, to_code=elsewhere.unit.credit_code, on=GONE, by=world.agent_actor, today=ASKED)
    departures.accept(made, by=elsewhere.by)
    with office_scope(Scope(units=frozenset({world.unit.pk}))):
        assert not Member.objects.filter(pk=member.pk).exists()


def test_a_claim_under_the_cover_goes_to_the_old_office(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    departures.accept(going(world, cover, elsewhere), by=elsewhere.by)
    claim = world.claim(Enrolment.objects.select_related("member").get(pk=cover.pk), 100_000)
    assert claim.office_id == world.cast.a.pk


def test_the_new_units_roster_takes_them_in(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    made = going(world, cover, elsewhere)
    next_terms = load("national-inpatient.2026")
    number = numbers_of([cover.member_id])[cover.member_id][0]
    lines = f"{TITLES['name']},{TITLES['id_number']}\r\n{cover.member.name},{number}\r\n".encode()
    roster = rosters.upload(unit=elsewhere.unit, terms=next_terms, data=lines, file_name="r.csv", by=elsewhere.by, on=ASKED)
    run_due("default")
    roster.refresh_from_db()
    rosters.confirm(roster, by=elsewhere.by)
    run_due("default")
    roster.refresh_from_db()
    made.refresh_from_db()
    assert (roster.good_count, made.state) == (1, "done"), roster.message
    assert fresh(cover.member).unit_id == elsewhere.unit.pk


def test_accepting_by_roster_takes_as_many_statements_for_many(world: World, elsewhere: Elsewhere) -> None:
    counts = []
    for first, people in ((201, 1), (301, 4)):
        roster = Roster.objects.create(
            office=world.cast.b, unit=elsewhere.unit, terms=world.yulin, file="x", file_name="x", file_sha256=str(first),
            uploaded_by=elsewhere.agent,
        )  # fmt: skip
        for i in range(people):
            cover = world.cover(world.member(first + 2 * i))
            going(world, cover, elsewhere)
            Enrolment.objects.filter(pk=cover.pk).update(roster=roster)
        with CaptureQueriesContext(connection) as made:
            departures.accept_by_roster(roster, by=SYSTEM)
        counts.append(len(made.captured_queries))
        assert not Departure.objects.filter(state="asked").exists()
    assert counts[0] == counts[1]


def test_retirement_keeps_cover_and_unit(world: World, cover: Enrolment) -> None:
    made = departures.retire(cover.member, on=GONE, by=world.agent_actor, today=ASKED)
    member = fresh(cover.member)
    cover.refresh_from_db()
    assert (made.state, member.employment, member.unit_id, cover.state) == ("done", "retired", world.unit.pk, "effective")
    assert AuditEntry.objects.filter(action="depart", entity_id=member.pk).exists()
    for by in (world.agent_actor, world.cast.actor(world.cast.reviewer)):
        with pytest.raises(DepartureRefused, match="登记退休日期.*里更正"):
            departures.retire(member, on=ASKED, by=by, today=ASKED)
    assert (fresh(member).retired_on, Departure.objects.count()) == (GONE, 1)
    Member.objects.filter(pk=member.pk).update(retired_on=None)  # known to be retired, not since when: that may still be told
    departures.retire(member, on=ASKED, by=world.agent_actor, today=ASKED)
    assert fresh(member).retired_on == ASKED


def plan_that_ends(change: str) -> Terms:
    """The Yulin plan, but cover does not go on after this change."""
    text = (CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8")
    plan = re.sub(r"(?m)^code: .*$", "code: ends-early", text, count=1) + f"\nsurvives: {{{change}: false}}\n"
    return publish(check(load_plan(read_plan(plan.encode(), source="ends-early"), by=SYSTEM).terms, by=SYSTEM), by=SYSTEM)


def test_cover_ends_where_the_plan_says_so(world: World) -> None:
    member = world.member(103)
    kept, ending = world.cover(member), world.cover(member, plan_that_ends("retirement"))
    departures.retire(member, on=GONE, by=world.agent_actor, today=ASKED)
    kept.refresh_from_db()
    ending.refresh_from_db()
    assert kept.ends_before == date(2027, 1, 1)
    assert (ending.state, ending.ends_before, ending.last_day) == ("effective", GONE, date(2026, 6, 29))
    assert Notice.objects.get(member_key=member.pk).title == "您的一份保障提前终止"
    assert AuditEntry.objects.filter(action="end", entity_id=ending.pk).count() == 1


def test_cover_does_not_end_before_a_day_for_which_benefit_was_asked(world: World) -> None:
    """Ill on 20 May, asked on 1 July; a retirement said to be of 30 April would leave the claim outside."""
    member = world.member(103)
    ending = world.cover(member, plan_that_ends("retirement"))
    world.claim(ending, 100_000)
    for by in (world.agent_actor, world.cast.actor(world.cast.reviewer)):
        with pytest.raises(DepartureRefused, match="申领") as refused:
            departures.retire(member, on=date(2026, 5, 20), by=by, today=ASKED)
        assert refused.value.field == "on"
    ending.refresh_from_db()
    assert ending.ends_before == date(2027, 1, 1)
    assert not Departure.objects.exists()
    departures.retire(member, on=date(2026, 5, 21), by=world.agent_actor, today=ASKED)
    ending.refresh_from_db()
    assert ending.ends_before == date(2026, 5, 21)


def test_a_transfer_that_would_leave_a_claim_outside_waits_when_the_new_units_roster_comes(world: World, elsewhere: Elsewhere) -> None:
    cover = world.cover(world.member(103), plan_that_ends("transfer"))
    made = departures.transfer(cover.member, to_code=elsewhere.unit.credit_code, on=date(2026, 5, 15), by=world.agent_actor, today=ASKED)
    world.claim(cover, 100_000)
    with pytest.raises(DepartureRefused, match="申领"):
        departures.accept(made, by=elsewhere.by)
    roster = Roster.objects.create(
        office=world.cast.b, unit=elsewhere.unit, terms=world.yulin, file="x", file_name="x", file_sha256="1", uploaded_by=elsewhere.agent,
    )  # fmt: skip
    Enrolment.objects.filter(pk=cover.pk).update(roster=roster)
    departures.accept_by_roster(roster, by=SYSTEM)
    made.refresh_from_db()
    cover.refresh_from_db()
    assert (made.state, cover.ends_before) == ("asked", date(2027, 1, 1))


def test_only_the_office_goes_back_further_than_ninety_days(world: World, cover: Enrolment) -> None:
    with pytest.raises(DepartureRefused, match="90 天"):
        departures.retire(cover.member, on=date(2026, 4, 1), by=world.agent_actor, today=ASKED)
    departures.retire(cover.member, on=date(2026, 4, 1), by=world.cast.actor(world.cast.reviewer), today=ASKED)
    other = world.cover(world.member(105))
    departures.retire(other.member, on=date(2026, 4, 2), by=world.agent_actor, today=ASKED)
    assert Departure.objects.count() == 2


def test_another_change_leaves_it_alone(world: World, elsewhere: Elsewhere) -> None:
    cover = world.cover(world.member(103), plan_that_ends("retirement"))
    departures.accept(going(world, cover, elsewhere), by=elsewhere.by)
    cover.refresh_from_db()
    assert cover.ends_before == date(2027, 1, 1)


def test_whoever_leaves_has_no_unit_and_keeps_the_cover(world: World, cover: Enrolment) -> None:
    departures.leave(cover.member, on=GONE, by=world.agent_actor, today=ASKED)
    member = fresh(cover.member)
    cover.refresh_from_db()
    assert (member.unit_id, member.employment, member.joined_unit_on, cover.state) == (None, "", None, "effective")
    assert world.unit.pk in member.unit_ids, "covered through it still"


def test_the_office_does_it_at_once(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    reviewer = world.cast.actor(world.cast.reviewer)
    made = departures.transfer(cover.member, to_code=elsewhere.unit.credit_code, on=GONE, by=reviewer, today=ASKED)
    assert (made.state, fresh(cover.member).unit_id) == ("done", elsewhere.unit.pk)


def test_only_those_concerned_may(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    outsider = world.cast.actor(world.cast.outsider)
    for by in (elsewhere.by, outsider, world.worker(cover.member)):
        with pytest.raises(NotAllowed):
            departures.retire(cover.member, on=GONE, by=by, today=ASKED)
    made = going(world, cover, elsewhere)
    for act in (departures.accept, departures.settle):
        with pytest.raises(NotAllowed):
            act(made, by=world.agent_actor)
    with pytest.raises(NotAllowed):
        departures.settle(made, by=outsider)
    with pytest.raises(NotAllowed):
        departures.withdraw(made, by=elsewhere.by)
    assert fresh(cover.member).unit_id == world.unit.pk


def test_a_declined_or_withdrawn_transfer_changes_nothing(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    made = going(world, cover, elsewhere)
    with pytest.raises(DepartureRefused):
        departures.decline(made, by=elsewhere.by, note="")
    departures.decline(made, by=elsewhere.by, note="没有这个人")
    again = going(world, cover, elsewhere)
    departures.withdraw(again, by=world.agent_actor)
    assert [one.state for one in Departure.objects.order_by("pk")] == ["declined", "withdrawn"]
    assert fresh(cover.member).unit_id == world.unit.pk


def test_what_cannot_be_is_refused(world: World, cover: Enrolment, elsewhere: Elsewhere) -> None:
    common = {"by": world.agent_actor, "today": ASKED}
    with pytest.raises(DepartureRefused, match="今天之后"):
        departures.retire(cover.member, on=date(2026, 7, 2), **common)
    for code in ("91610100MA70A1B3X", world.unit.credit_code):
        with pytest.raises(DepartureRefused):
            departures.transfer(cover.member, to_code=code, on=GONE, **common)
    going(world, cover, elsewhere)
    with pytest.raises(DepartureRefused, match="已有一次调动"):
        going(world, cover, elsewhere)
    stranger = world.member(105)
    Member.objects.filter(pk=stranger.pk).update(unit=None)
    with pytest.raises(DepartureRefused, match="没有登记工作单位"):
        departures.leave(stranger, on=JOINED, **common)
