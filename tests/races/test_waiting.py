"""Somebody wants what a long piece of work holds: a page in words, nothing saved, and a second try that goes through."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from members.models import Roster
from members.services import rosters
from tests.factories.world import JOINED, World, make_world
from unionaid import middleware
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere


@pytest.fixture
def world(committed: None) -> Iterator[World]:
    with frozen(JOINED):
        yield make_world()


@pytest.fixture
def roster(world: World) -> Roster:
    """Checked, and shown to its agent."""
    data = f"姓名,身份证号\n张三,{make_id_number('610802', JOINED.replace(year=1990), 101)}\n".encode()
    with everywhere(reason="arrange"):
        made = rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)
        rosters.check(made.pk, by=SYSTEM, on=JOINED)
    return made


@contextmanager
def held(roster: Roster) -> Iterator[None]:
    """Another connection holds the roster's row for the length of the block, as the job that works on it does."""
    has, done = Event(), Event()

    def work() -> None:
        try:
            with everywhere(reason="work"):
                Roster.objects.select_for_update(of=("self",)).get(pk=roster.pk)
                has.set()
                done.wait(60)
        finally:
            connections.close_all()

    thread = Thread(target=work)
    thread.start()
    assert has.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join()


def _cancel(world: World, roster: Roster, **headers: str) -> HttpResponse:
    """The agent's try, over a connection that gives up waiting sooner than a real one."""
    client = Client(raise_request_exception=False, headers={"accept-language": "zh-hans", **headers})
    client.force_login(world.agent, backend="unionaid.accounts.backends.NumberBackend")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    try:
        return client.post(reverse("members:roster_cancel", args=[roster.pk]))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _state(roster: Roster) -> str:
    with everywhere(reason="look"):
        return Roster.objects.get(pk=roster.pk).state


def test_who_waits_in_vain_is_told_so_and_may_try_again(world: World, roster: Roster) -> None:
    page = f"http://testserver{reverse('members:roster', args=[roster.pk])}"
    with held(roster):
        answer = _cancel(world, roster, referer=page)
    text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (409, "10")
    assert "正在处理，请稍后再试" in text
    assert "没有保存" in text
    assert f'href="{page}"' in text
    assert _state(roster) == "checked"
    assert _cancel(world, roster).status_code == 302
    assert _state(roster) == "cancelled"


def test_another_site_is_no_way_back(world: World, roster: Roster) -> None:
    with held(roster):
        text = _cancel(world, roster, referer="https://elsewhere.example/").content.decode()
    assert "elsewhere.example" not in text


def test_without_the_page_it_is_a_failure_of_the_system(world: World, roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(middleware, "waited_in_vain", lambda _error: False)
    with held(roster):
        assert _cancel(world, roster).status_code == 500
    transaction.get_connection().close()
    assert _state(roster) == "checked"
