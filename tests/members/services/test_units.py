"""What the services of units promise beyond the pages: the API the roster and the demo lean on, and closed doors."""

import pytest

from members.models import Member, UnitAgent, WorkUnit
from members.services import agents, lineage, units
from members.services.units import UnitRefused
from tests.factories.world import JOINED, World, make_unit
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import credit_code_check, make_id_number, parse_id_number
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.arrows import UnknownAction
from unionaid.workflow.moves import Conflict, NotAllowed, move

NEXT = "91610800MA70XX11C"


def code(seventeen: str) -> str:
    return seventeen + credit_code_check(seventeen)


@pytest.fixture(autouse=True)
def _open(world: World) -> object:
    with frozen(JOINED), everywhere(reason="the services alone are tried here"):
        yield


def test_registering_in_one_step_ends_with_the_office(world: World) -> None:
    unit, agent = make_unit(world.cast.a, NEXT)
    assert (unit.state, unit.submitted_by_id) == ("submitted", agent.pk)
    assert unit.submitted_at is not None
    assert [one.user_id for one in agents.agents_on(unit, on=JOINED)] == [agent.pk]


def test_one_record_per_code_and_nothing_of_the_second_is_kept(world: World) -> None:
    make_unit(world.cast.a, NEXT)
    before = (WorkUnit.objects.count(), UnitAgent.objects.count())
    with pytest.raises(UnitRefused, match="已经登记过") as no:
        units.register_unit(
            name="另一个", credit_code=code(NEXT), nature="enterprise", headcount=5, women_count=1, office=world.cast.b,
            agent=world.agent, by=Actor(world.agent.pk, "周经办"), on=JOINED,
        )  # fmt: skip
    assert no.value.field == "credit_code"
    assert (WorkUnit.objects.count(), UnitAgent.objects.count()) == before


def test_a_draft_is_not_approved_and_a_merged_unit_is_not_changed(world: World) -> None:
    draft = units.save_draft({"name": "草稿"}, office=world.cast.a, agent=world.agent, by=world.agent_actor, on=JOINED)
    by = world.cast.actor(world.cast.manager)
    with pytest.raises(Conflict):
        units.approve_unit(draft, by=by)
    with pytest.raises(UnitRefused, match="统一社会信用代码"):
        units.submit(draft, by=world.agent_actor)
    with pytest.raises(UnitRefused, match="还没有通过登记"):
        units.ask_change(make_unit(world.cast.a, NEXT)[0], {"headcount": 99}, by=world.agent_actor)
    with pytest.raises(UnknownAction):
        move([draft], "burn", by=by)


def test_what_is_no_field_of_a_unit_is_an_error(world: World) -> None:
    with pytest.raises(KeyError):
        units.ask_change(world.unit, {"state": "merged"}, by=world.agent_actor)
    with pytest.raises(KeyError):
        units.save_draft({"name": "x", "version": 9}, office=world.cast.a, agent=world.agent, by=world.agent_actor, on=JOINED)


def test_people_are_found_by_number_only_in_their_own_unit(world: World) -> None:
    member = world.member(101)
    number = parse_id_number(make_id_number("610802", member.birth_date, 101))
    assert lineage.people_numbered(world.unit, [number, number]) == [member.pk]
    Member.objects.filter(pk=member.pk).update(unit=None)
    with pytest.raises(UnitRefused, match="不在这个单位"):
        lineage.people_numbered(world.unit, [number])


def test_dividing_asks_for_the_right_at_the_unit_s_office(world: World) -> None:
    told = {"name": "新", "credit_code": code(NEXT), "nature": "enterprise", "headcount": 1, "women_count": 0}
    person = world.member(101).pk
    for user in (world.cast.outsider, world.cast.payer, world.cast.auditor):
        with pytest.raises(NotAllowed):
            lineage.split(world.unit, told, [person], basis="x", by=world.cast.actor(user), on=JOINED)
    made = lineage.split(world.unit, told, [person], basis="x", by=world.cast.actor(world.cast.hq_user), on=JOINED)
    assert made.to_unit.state == "approved"


def test_a_spouse_of_someone_who_stays_is_still_seen_by_the_old_unit(world: World) -> None:
    """Two people of one unit; the one who goes is also covered through the one who stays."""
    goes, stays = world.member(101, "去者"), world.member(103, "留者")
    world.cover(goes)
    kept = world.cover(stays)
    type(kept).objects.filter(pk=kept.pk).update(member=goes, relation="spouse", cover=("2027-01-01", "2028-01-01"))
    by = world.cast.actor(world.cast.manager)
    told = {"name": "新", "credit_code": code(NEXT), "nature": "enterprise", "headcount": 1, "women_count": 0}
    made = lineage.split(world.unit, told, [goes.pk], basis="x", by=by, on=JOINED)
    what = lineage.Carriage(made.pk, world.unit.pk, made.to_unit_id, world.cast.a.pk, whole=False)
    first = {name: one.carry(what) for name, one in lineage.CARRIERS.items()}
    assert first["members.enrolment"] == 1
    assert {name: one.carry(what) for name, one in lineage.CARRIERS.items()} == dict.fromkeys(first, 0)
    goes.refresh_from_db()
    stays.refresh_from_db()
    kept.refresh_from_db()
    assert goes.unit_id == made.to_unit_id
    assert sorted(goes.unit_ids) == sorted([world.unit.pk, made.to_unit_id])
    assert (stays.unit_id, stays.unit_ids) == (world.unit.pk, [world.unit.pk])
    assert kept.unit_id == world.unit.pk
