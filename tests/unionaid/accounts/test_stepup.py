"""Before money leaves, the person proves again who they are: for a few minutes, in one session, not by being logged in."""

import base64
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django_otp.oath import TOTP

from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD, make_user
from unionaid.accounts import second_factor, stepup
from unionaid.accounts.models import Proof, User

SESSION, OTHER = "s" * 32, "t" * 32


@pytest.fixture
def user(db: None) -> User:
    return make_user("s-proof", "李国强")


def _trouble(user: User, **said: str) -> str:
    """The field at fault; empty when it was proven."""
    wrong = stepup.prove(user, SESSION, **{"password": PASSWORD, **said})
    return wrong.field if wrong else ""


def test_a_proof_holds_for_its_person_and_session_and_a_few_minutes(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not stepup.is_fresh(user, SESSION), "being logged in proves nothing"
    assert _trouble(user, password="wrong") == "password"
    assert not stepup.is_fresh(user, SESSION)
    assert _trouble(user) == ""
    assert stepup.is_fresh(user, SESSION)
    assert not stepup.is_fresh(user, OTHER)
    assert not stepup.is_fresh(user, "")
    assert not stepup.is_fresh(make_user("s-else", "别人"), SESSION)
    monkeypatch.setattr(stepup, "HOLDS", timedelta(0))
    assert not stepup.is_fresh(user, SESSION)


def test_after_a_few_wrong_tries_nothing_is_looked_at_for_a_while(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [_trouble(user, password="wrong") for _ in range(stepup.MOST_WRONG)] == ["password"] * stepup.MOST_WRONG
    refused = stepup.prove(user, SESSION, password=PASSWORD)
    assert refused
    assert refused.too_often
    assert not stepup.is_fresh(user, SESSION)
    monkeypatch.setattr(stepup, "WRONG_WITHIN", timedelta(0))
    assert _trouble(user) == "", "the control: without the count the next guess is looked at"
    with pytest.raises(DatabaseError), transaction.atomic():
        Proof.objects.filter(user=user, passed=False).delete()


def test_who_is_shut_out_proves_nothing(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert _trouble(user) == "password"


def test_with_a_second_factor_each_code_is_taken_once(user: User) -> None:
    letters = second_factor.begin(user)
    assert second_factor.begin(user) == letters, "until it is confirmed the same key is shown again"
    key = base64.b32decode(letters)
    assert key not in bytes(user.totp_key), "it is kept sealed"
    totp = TOTP(key)
    assert not second_factor.confirm(user, "000000" if totp.token() else "000001")
    assert not user.has_second_factor
    assert _trouble(user) == "", "no code is asked for before the first right one"
    assert second_factor.confirm(user, f"{totp.token():06d}")
    user.refresh_from_db()
    assert second_factor.begin(user) == ""
    assert _trouble(user, code=f"{totp.token():06d}") == "code", "the code of the confirmation is spent"
    assert _trouble(user) == "code"
    totp.drift = 1
    following = f"{totp.token():06d}"
    assert _trouble(user, password="wrong", code=following) == "password", "a wrong password spends no code"
    assert _trouble(user, code=following) == ""
    assert _trouble(user, code=following) == "code"
    second_factor.drop(user)
    user.refresh_from_db()
    assert _trouble(user) == ""


def test_one_sets_it_up_and_takes_it_off_on_a_page_of_ones_own(user: User) -> None:
    client, address = client_of(user), reverse("second_factor")
    assert "开始设置" in client.get(address).content.decode()
    assert client.post(address, {"act": "begin"}).status_code == 302
    letters = second_factor.begin(User.objects.get(pk=user.pk))
    page = client.get(address).content.decode()
    assert letters in page
    totp = TOTP(base64.b32decode(letters))
    now = f"{totp.token():06d}"
    assert client.post(address, {"password": "wrong", "code": now}).status_code == 400
    assert client.post(address, {"password": PASSWORD, "code": "12"}).status_code == 400
    assert client.post(address, {"password": PASSWORD, "code": now}).status_code == 302
    page = client.get(address).content.decode()
    assert "已启用" in page
    assert letters not in page
    assert client.post(address, {"password": PASSWORD, "code": now}).status_code == 400, "spent"
    totp.drift = 1
    assert client.post(address, {"password": PASSWORD, "code": f"{totp.token():06d}"}).status_code == 302
    assert not User.objects.get(pk=user.pk).has_second_factor
