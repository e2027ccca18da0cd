"""One form sent twenty times at the same moment: one enrolment. Real commits, threads with connections of their own; and what
happens without the lock and without the database's own guard."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from members.models import ContributionDue, Enrolment, Evidence, JoinDraft, Member
from members.services import enrolment, joining
from programs.rules.eligibility import Verdict
from tests.factories.clients import client_of
from tests.factories.world import JOINED, World, make_world, terms_like
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


def at_once(*acts: Callable[[], str]) -> Counter[str]:
    """All of these, or the only one many times, start together; how often what came of it."""
    acts = acts if len(acts) > 1 else acts * TIMES
    barrier, outcomes = Barrier(len(acts)), list[str]()

    def run(act: Callable[[], str]) -> None:
        try:
            with frozen(JOINED):
                barrier.wait(60)
                outcomes.append(act())
        except MoveRefused as no:
            outcomes.append(type(no).__name__)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(act,)) for act in acts]
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


def of_one_unit(world: World) -> list[Callable[[], str]]:
    """Three workers of one unit who join by themselves with one, two and three shares, where everyone must have the same."""
    rules = {"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, "shares": {"max": 3}, "unit": {"same_shares": True}}
    terms = terms_like("shaanxi-yulin-medical.2026", enrolment=rules)

    def joins(member: Member, shares: int) -> Callable[[], str]:
        def join() -> str:
            by = world.worker(member)
            with office_scope(Scope(member=member.pk, user=member.user_id)):
                enrolment.enrol(
                    member=member, holder=member, relation="self", terms=terms, shares=shares, unit=world.unit, on=JOINED, by=by
                )
            return "joined"

        return join

    with frozen(JOINED), everywhere(reason="arrange"):
        return [joins(world.member(101 + shares), shares) for shares in (1, 2, 3)]


def test_three_of_a_unit_who_join_at_once_do_not_get_different_shares(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each counts the others before any of them is in, and every one has another number."""
    joining_ = of_one_unit(world)
    assert at_once(*joining_) == {"joined": 1, "EnrolmentRefused": 2}
    barrier, single = Barrier(2), enrolment.single

    def together(*told: Any, **more: Any) -> tuple[Verdict, ...]:
        found = single(*told, **more)
        barrier.wait(60)
        return found

    with everywhere(reason="the first one is gone"):
        first = Enrolment.objects.get()
        enrolment.withdraw(first, by=world.worker(first.member))
    monkeypatch.setattr(enrolment, "hold", lambda unit, schedule: None)
    monkeypatch.setattr(enrolment, "single", together)
    others = [join for shares, join in enumerate(joining_, start=1) if shares != first.shares]
    assert at_once(*others) == {"joined": 2}
    with everywhere(reason="look"):
        live = Enrolment.objects.filter(state="contribution_due").values_list("shares", flat=True)
        assert sorted(live) == sorted({1, 2, 3} - {first.shares})


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
