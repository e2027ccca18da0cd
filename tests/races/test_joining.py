"""One form sent twenty times at the same moment: one enrolment. Real commits, threads with connections of their own; and what
happens without the lock and without the database's own guard."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from members.models import ContributionDue, Enrolment, Evidence, JoinDraft, Member
from members.services import joining
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World, make_world
from tests.members.services.test_joining import drafted
from tests.races.test_guards_taken_away import without
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.workflow.moves import MoveRefused

TIMES = 20


@pytest.fixture
def world(committed: None) -> World:
    with frozen(JOINED):
        return make_world()


def at_once(act: Callable[[], str]) -> Counter[str]:
    """Everyone starts together; how often what came of it."""
    barrier, outcomes = Barrier(TIMES), list[str]()

    def run() -> None:
        try:
            with frozen(JOINED):
                barrier.wait()
                outcomes.append(act())
        except MoveRefused as no:
            outcomes.append(type(no).__name__)
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


def a_draft(world: World) -> tuple[Member, JoinDraft]:
    with frozen(JOINED), everywhere(reason="arrange"):
        member = world.member(101)
        return member, drafted(world, world.yulin, member)


def sending(world: World, member: Member, draft: JoinDraft) -> Callable[[], str]:
    def send() -> str:
        with office_scope(Scope(member=member.pk, user=member.user_id)):
            joining.submit(draft, by=world.worker(member), on=JOINED)
        return "joined"

    return send


def made() -> tuple[int, int, int, int]:
    with everywhere(reason="look"):
        return Enrolment.objects.count(), ContributionDue.objects.count(), Evidence.objects.count(), JoinDraft.objects.count()


def test_one_form_sent_twenty_times_at_once_through_the_front_door(world: World) -> None:
    member, draft = a_draft(world)
    cookies = client_of(member.user).cookies
    address = reverse("members:join_check", args=[draft.public_id])

    def post() -> str:
        client = Client()
        client.cookies = cookies
        answer = client.post(address, {"key": "one", "true": "on"})
        return f"{answer.status_code} {answer['Location'].rsplit('/', 1)[-1] if answer.status_code == 302 else ''}"

    outcomes = at_once(post)
    assert made() == (1, 1, 1, 0)
    assert outcomes["302 joined"] >= 1
    assert {outcome.split()[0] for outcome in outcomes} <= {"302", "409"}


def test_one_draft_sent_in_from_twenty_places_at_once(world: World) -> None:
    outcomes = at_once(sending(world, *a_draft(world)))
    assert outcomes == {"joined": 1, "Conflict": TIMES - 1}
    assert made() == (1, 1, 1, 0)


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft is read without its lock, and by all before anyone goes on."""
    barrier, missing = Barrier(TIMES), joining.missing

    def together(draft: JoinDraft) -> list[str]:
        found = missing(draft)
        barrier.wait(60)
        return found

    monkeypatch.setattr(JoinDraft.objects, "select_for_update", lambda **_options: JoinDraft.objects.all())
    monkeypatch.setattr(joining, "missing", together)


def test_without_the_lock_the_database_still_lets_one_person_join_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = sending(world, *a_draft(world))
    unlocked(monkeypatch)
    outcomes = at_once(sent)
    assert outcomes == {"joined": 1, "AlreadyCovered": TIMES - 1}
    assert made() == (1, 1, 1, 0)


def test_without_lock_and_constraint_one_form_joins_twenty_times(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = sending(world, *a_draft(world))
    unlocked(monkeypatch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'cover_never_overlaps'")
        rule = cursor.fetchone()[0]
    put_back = (
        "SET unionaid.offices = '*'", "ALTER TABLE members_enrolment DISABLE TRIGGER USER",
        "UPDATE members_enrolment SET cover = daterange(date '2000-01-01' + id::int, date '2000-01-02' + id::int)",
        "ALTER TABLE members_enrolment ENABLE TRIGGER USER",
        f"ALTER TABLE members_enrolment ADD CONSTRAINT cover_never_overlaps {rule}",
    )  # fmt: skip
    with without("ALTER TABLE members_enrolment DROP CONSTRAINT cover_never_overlaps", *put_back):
        at_once(sent)
        assert made()[0] == TIMES
