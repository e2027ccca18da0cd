"""Whoever decides on money or lets it go has a second factor: without one no page of the desk opens, and with one none without its code."""

import base64
from collections.abc import Iterator
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from pytest_django.fixtures import Settings

from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD, Cast
from unionaid.accounts import second_factor, stepup
from unionaid.accounts.models import User
from unionaid.offices.roles import WITH_SECOND_FACTOR, Role

PAGE, DESK = "/second-factor", "/admin/"
HANDLERS = {"approver", "payer", "checker", "manager", "hq_user"}


@pytest.fixture
def wanted(settings: Settings) -> None:
    settings.SECOND_FACTOR_REQUIRED = True


def led(client: Client, address: str, method: str = "get") -> bool:
    """Is somebody led to the authenticator, instead of what they asked for?"""
    answer = getattr(client, method)(address)
    return answer.status_code == 302 and answer["Location"].startswith(PAGE)


def codes(user: User) -> Iterator[str]:
    """What the person's phone shows now, and half a minute later."""
    totp = TOTP(base64.b32decode(second_factor.begin(User.objects.get(pk=user.pk))))
    for totp.drift in (-1, 0, 1):
        yield f"{totp.token():06d}"


def test_without_one_no_page_of_the_desk_opens_for_who_handles_money(cast: Cast, wanted: None, settings: Settings) -> None:
    people = {name: user for name, user in vars(cast).items() if isinstance(user, User)}
    shut = {name for name, user in people.items() if led(client_of(user), DESK)}
    assert shut == HANDLERS | {"outsider"}, "reviewers and auditors move no money"
    assert {Role.APPROVER, Role.PAYER, Role.OFFICE_MANAGER, Role.HEADQUARTERS, Role.SYSTEM_ADMIN} == WITH_SECOND_FACTOR
    payer = client_of(cast.payer)
    for one in ("/admin/payouts/payoutbatch/", "/admin/payouts/payoutbatch/1/record/release/", "/admin/nowhere", f"/jobs/{UUID(int=1)}"):
        assert (led(payer, one), led(payer, one, "post")) == (True, True)
    assert payer.get("/password").status_code == 200
    settings.SECOND_FACTOR_REQUIRED = False
    assert payer.get(DESK).status_code == 200, "the control"


def test_who_has_none_is_led_to_set_one_up_and_then_on_to_the_page_that_was_wanted(cast: Cast, wanted: None) -> None:
    there = reverse("admin:payouts_payoutbatch_changelist")
    client = Client()
    client.post(reverse("login"), {"username": "s-li", "password": PASSWORD, "next": there})
    answer = client.get(there)
    assert answer["Location"] == f"{PAGE}?{urlencode({'next': there})}"
    where = answer["Location"]
    assert "才能进工作台" in client.get(where).content.decode()
    assert client.post(where, {"act": "begin"})["Location"] == where
    shown = codes(cast.manager)
    assert client.post(where, {"password": PASSWORD, "code": next(shown)})["Location"] == there
    assert client.get(there).status_code == 200

    again = Client()  # another day: the password alone opens nothing at the desk
    again.post(reverse("login"), {"username": "s-li", "password": PASSWORD})
    assert led(again, there)
    assert led(again, there, "post")
    assert "进入工作台" in again.get(where).content.decode()
    assert [again.post(where, {"code": code}).status_code for code in ("", "12", "000000")] == [400, 400, 400]
    assert again.post(where, {"act": "begin", "password": PASSWORD}).status_code == 400, "it is not taken off from here"
    assert again.post(where, {"code": next(shown)})["Location"] == there
    assert again.get(there).status_code == 200
    assert not stepup.is_fresh(cast.manager, again.session.session_key), "being let in proves nothing for money"

    second_factor.drop(cast.manager)
    assert led(client, there), "with another authenticator the old sessions begin anew"
    assert led(again, there)


def test_guessing_codes_ends_after_a_few(cast: Cast, wanted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    second_factor.begin(cast.manager)
    shown = codes(cast.manager)
    assert second_factor.confirm(cast.manager, next(shown))
    client = client_of(cast.manager)
    guesses = [client.post(PAGE, {"code": f"00000{nth}"}).status_code for nth in range(stepup.MOST_WRONG + 1)]
    assert guesses == [400] * stepup.MOST_WRONG + [429]
    right = next(shown)
    assert client.post(PAGE, {"code": right}).status_code == 429
    monkeypatch.setattr(stepup, "MOST_WRONG", 99)
    assert client.post(PAGE, {"code": right}).status_code == 302, "the control: uncounted, the right guess would open"
