"""A wrong name or number is put right by another person over a photo; nobody gets at another's number, nothing is forgotten."""

import io
from collections.abc import Iterator
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image

from members import certificate
from members.models import Correction, Enrolment, Member, Roster, RosterRow
from members.selectors.people import members_by_number
from members.services import corrections, people, rosters
from members.services.corrections import CorrectionRefused, Wanted
from members.services.people import id_hash, numbers_of
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World
from unionaid.accounts.models import User
from unionaid.accounts.selectors import user_by_number
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number, parse_id_number
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere
from unionaid.web.keys import ring
from unionaid.workflow.models import AuditEntry, Notice
from unionaid.workflow.moves import Conflict, NotAllowed

PHOTO = CleanUpload("image/jpeg", b"j", "card.jpg", "a" * 64)
RIGHT = parse_id_number(make_id_number("610802", date(1988, 2, 29), 222))  # an even order: a woman


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield


@pytest.fixture
def worker(world: World) -> Member:
    member = world.member(101)
    User.objects.filter(pk=member.user_id).update(id_hash=bytes(member.id_hash))
    member.refresh_from_db()
    return member


def asked(world: World, worker: Member, wanted: Wanted) -> Correction:
    return corrections.ask(worker, wanted, papers=[PHOTO], by=world.worker(worker))


def reviewer(world: World) -> Actor:
    return world.cast.actor(world.cast.reviewer)


def test_a_name_is_put_right_everywhere_it_is_shown(world: World, worker: Member) -> None:
    cover = world.cover(worker)
    one = asked(world, worker, Wanted(name="王晓明"))
    worker.refresh_from_db()
    assert worker.name == "王小明", "nothing changes before the office agrees"
    corrections.approve(one, by=reviewer(world))
    cover.refresh_from_db()
    assert dict(certificate.facts_of(cover))["参加人"] == "王晓明"
    assert User.objects.get(pk=worker.user_id).display_name == "王晓明"
    notice = Notice.objects.get(member_key=worker.pk)
    assert notice.title == "您的资料已更正"
    assert "更正了：姓名。" in notice.text
    assert AuditEntry.objects.get(action="correct").details["before"]["name"] == "王小明"


def test_a_number_is_put_right_with_all_that_follows_from_it(world: World, worker: Member) -> None:
    old = numbers_of([worker.pk])[worker.pk][0]
    one = asked(world, worker, Wanted(id_number=RIGHT))
    corrections.approve(one, by=reviewer(world))
    worker.refresh_from_db()
    one.refresh_from_db()
    assert numbers_of([worker.pk])[worker.pk][0] == RIGHT.number
    assert (worker.birth_date, worker.gender, bytes(worker.id_hash)) == (RIGHT.birth_date, "female", id_hash(RIGHT.number))
    assert members_by_number(RIGHT.number) == [worker.pk]
    assert members_by_number(old) == []
    found = user_by_number(RIGHT.number)
    assert found is not None
    assert found.pk == worker.user_id
    kept = ring().open_text(one.id_number_before, bound_to=("members_correction", "id_number_before", one.public_id.hex))
    assert kept == old, "what it was stays known, sealed"
    assert old.encode() not in bytes(one.id_number_before)


def test_a_number_that_is_somebody_elses_is_refused_without_telling_whose(world: World, worker: Member) -> None:
    other = world.member(103, "李四")
    number = parse_id_number(numbers_of([other.pk])[other.pk][0])
    with pytest.raises(CorrectionRefused) as refusal:
        asked(world, worker, Wanted(id_number=number))
    assert refusal.value.field == "id_number"
    assert other.name not in refusal.value.message
    assert number.number not in refusal.value.message


def test_a_number_taken_meanwhile_is_refused_when_the_office_agrees(world: World, worker: Member) -> None:
    one = asked(world, worker, Wanted(id_number=RIGHT))
    other = world.member(103)
    Member.objects.filter(pk=other.pk).update(id_hash=id_hash(RIGHT.number))
    with pytest.raises(CorrectionRefused):
        corrections.approve(one, by=reviewer(world))
    one.refresh_from_db()
    worker.refresh_from_db()
    assert (one.state, worker.birth_date) == ("asked", date(1990, 3, 8))


def test_without_the_unique_index_two_people_would_have_one_number(world: World, worker: Member) -> None:
    """The control: it is the database that refuses."""
    other = world.member(103)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(pk=other.pk).update(id_hash=bytes(worker.id_hash))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(), ""),
        (Wanted(name="王小明"), ""),
        (Wanted(birth_date=date(1991, 1, 1)), "birth_date"),
        (Wanted(id_number=RIGHT, birth_date=date(1990, 3, 8)), "birth_date"),
    ],
)
def test_nothing_to_correct_and_contradictions_are_refused(wanted: Wanted, field: str, world: World, worker: Member) -> None:
    with pytest.raises(CorrectionRefused) as refusal:
        asked(world, worker, wanted)
    assert refusal.value.field == field
    assert not Correction.objects.exists()


def test_a_birth_date_that_left_its_number_is_put_back(world: World, worker: Member) -> None:
    Member.objects.filter(pk=worker.pk).update(birth_date=date(1990, 8, 3))
    worker.refresh_from_db()
    corrections.approve(asked(world, worker, Wanted(birth_date=date(1990, 3, 8))), by=reviewer(world))
    worker.refresh_from_db()
    assert worker.birth_date == date(1990, 3, 8)


def test_a_photo_is_needed(world: World, worker: Member) -> None:
    with pytest.raises(CorrectionRefused):
        corrections.ask(worker, Wanted(name="王晓明"), papers=[], by=world.worker(worker))


def test_one_request_at_a_time(world: World, worker: Member) -> None:
    one = asked(world, worker, Wanted(name="王晓明"))
    with pytest.raises(CorrectionRefused):
        asked(world, worker, Wanted(name="王肖明"))
    corrections.withdraw(one, by=world.worker(worker))
    assert asked(world, worker, Wanted(name="王肖明")).state == "asked"


def test_nobody_decides_what_they_asked_or_their_own(world: World, worker: Member) -> None:
    one = asked(world, worker, Wanted(name="王晓明"))
    User.objects.filter(pk=worker.user_id).update(is_active=True)
    Correction.objects.filter(pk=one.pk).update(asked_by=world.cast.reviewer)
    with pytest.raises(NotAllowed):
        corrections.approve(one, by=reviewer(world))
    Correction.objects.filter(pk=one.pk).update(asked_by=world.agent)
    Member.objects.filter(pk=worker.pk).update(user=world.cast.reviewer)
    one = Correction.objects.get(pk=one.pk)
    with pytest.raises(NotAllowed):
        corrections.approve(one, by=reviewer(world))
    with pytest.raises(NotAllowed):
        corrections.give_back(one, by=reviewer(world), note="x")


def test_the_database_itself_refuses_an_asker_who_decides(world: World, worker: Member) -> None:
    one = asked(world, worker, Wanted(name="王晓明"))
    with pytest.raises(IntegrityError, match="correction_decided_by_another"), transaction.atomic():
        Correction.objects.filter(pk=one.pk).update(decided_by_id=one.asked_by_id)


def test_the_agent_asks_for_the_people_of_the_unit_alone(world: World, worker: Member) -> None:
    by = world.agent_actor
    one = corrections.ask(worker, Wanted(name="王晓明"), papers=[PHOTO], unit=world.unit, by=by)
    assert (one.unit_id, one.office_id, one.asked_by_id) == (world.unit.pk, world.cast.a.pk, world.agent.pk)
    other = world.member(103)
    Member.objects.filter(pk=other.pk).update(unit_ids=[])
    other.refresh_from_db()
    with pytest.raises(NotAllowed):
        corrections.ask(other, Wanted(name="王晓明"), papers=[PHOTO], unit=world.unit, by=by)
    with pytest.raises(NotAllowed):
        corrections.ask(worker, Wanted(name="王晓明"), papers=[PHOTO], by=world.worker(other))


def test_the_office_asks_for_whom_nobody_else_can_ask(world: World, worker: Member) -> None:
    """A spouse whose name was mistyped has no log-in and no unit: one of the office asks, another one agrees; elsewhere nobody may."""
    number = make_id_number("610802", date(1991, 3, 8), 12)
    spouse = people.add_spouse(worker, name="李艾人", id_number=parse_id_number(number), by=world.worker(worker))
    address = reverse("admin:member_correct", args=[spouse.pk])
    desk, manager = client_of(world.cast.reviewer), client_of(world.cast.manager)
    assert address in desk.get(reverse("admin:member", args=[spouse.pk])).content.decode()
    told = {"key": "k", "name": "李爱人", "reason": "结婚证上是爱"}
    assert "请上传身份证" in desk.post(address, told).content.decode()
    picture = io.BytesIO()
    Image.new("RGB", (64, 48)).save(picture, "PNG")
    sent = desk.post(address, {**told, "paper": SimpleUploadedFile("card.png", picture.getvalue(), "image/png")})
    asked = Correction.objects.get(member=spouse)
    assert sent["Location"] == reverse("admin:correction", args=[asked.pk])
    assert desk.post(sent["Location"], {"decision": "approve"}).status_code == 403
    assert manager.post(sent["Location"], {"decision": "approve"}).status_code == 302
    spouse.refresh_from_db()
    assert spouse.name == "李爱人"
    Member.objects.filter(pk=spouse.pk).update(office=world.cast.b)
    assert desk.get(address).status_code == 403, "seen here, but another office is responsible"
    spouse.refresh_from_db()
    with pytest.raises(NotAllowed):
        corrections.ask(spouse, Wanted(name="李某"), papers=[PHOTO], by=reviewer(world))


def test_it_is_decided_once_and_a_return_says_why(world: World, worker: Member) -> None:
    one = asked(world, worker, Wanted(name="王晓明"))
    with pytest.raises(CorrectionRefused):
        corrections.give_back(one, by=reviewer(world), note=" ")
    corrections.give_back(one, by=reviewer(world), note="照片看不清")
    assert Notice.objects.get(member_key=worker.pk).text == "办事处没有更正您的登记资料：照片看不清"
    with pytest.raises(Conflict):
        corrections.approve(one, by=world.cast.actor(world.cast.manager))


def test_a_look_at_the_full_numbers_is_on_record(world: World, worker: Member) -> None:
    one = asked(world, worker, Wanted(id_number=RIGHT))
    old, new = corrections.numbers_to_compare(one, by=reviewer(world))
    assert (id_hash(old), new) == (bytes(worker.id_hash), RIGHT.number)
    assert AuditEntry.objects.filter(action="see_id_number", entity_id=worker.pk).count() == 1
    with pytest.raises(NotAllowed):
        corrections.numbers_to_compare(one, by=world.cast.actor(world.cast.auditor))


# -- the number that was replaced ---------------------------------------------------------------------------------------


def listed(world: World, worker: Member, number: str) -> Roster:
    """A roster of the unit with this number, checked."""
    data = f"姓名,身份证号\n{worker.name},{number}\n".encode()
    roster = rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)
    rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    roster.refresh_from_db()
    return roster


def committed(world: World, roster: Roster) -> RosterRow:
    rosters.confirm(roster, by=world.agent_actor)
    rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
    return RosterRow.objects.get(roster=roster)


def test_a_number_corrected_between_check_and_commit_makes_no_second_person(world: World, worker: Member) -> None:
    roster = listed(world, worker, numbers_of([worker.pk])[worker.pk][0])
    assert roster.good_count == 1
    corrections.approve(asked(world, worker, Wanted(id_number=RIGHT)), by=reviewer(world))
    row = committed(world, roster)
    assert (row.outcome, Member.objects.count(), Enrolment.objects.count()) == ("bad", 1, 0)
    assert "已更正" in row.why


def test_an_old_list_with_the_replaced_number_is_told_so(world: World, worker: Member) -> None:
    old = numbers_of([worker.pk])[worker.pk][0]
    corrections.approve(asked(world, worker, Wanted(id_number=RIGHT)), by=reviewer(world))
    roster = listed(world, worker, old)
    assert (roster.good_count, roster.bad_count) == (0, 1)
    row = RosterRow.objects.get(roster=roster)
    assert (row.problem, "已更正" in row.why) == ("corrected", True)
    right = listed(world, worker, RIGHT.number)
    assert committed(world, right).member_key == worker.pk


def test_a_number_given_back_to_somebody_is_theirs(world: World, worker: Member) -> None:
    """Corrected by mistake and put right again: the first number is the person's own and may be listed."""
    old = numbers_of([worker.pk])[worker.pk][0]
    corrections.approve(asked(world, worker, Wanted(id_number=RIGHT)), by=reviewer(world))
    worker.refresh_from_db()
    corrections.approve(asked(world, worker, Wanted(id_number=parse_id_number(old))), by=reviewer(world))
    assert listed(world, worker, old).good_count == 1
