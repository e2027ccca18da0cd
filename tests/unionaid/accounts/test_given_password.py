"""A password that an administrator chose opens nothing but the page on which it is changed, and after some days not even that."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD, Cast, give_post, make_user
from unionaid.accounts.models import User
from unionaid.accounts.services import GIVEN_HOLDS
from unionaid.lib.calendar import now
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere

GIVEN, OWN = "given-by-another-2026", "chosen-by-myself-2026"


def _reset(cast: Cast, user: User) -> Client:
    """An administrator chooses the password of this person, who then logs in with it."""
    with everywhere(reason="arrange"):
        administrator = make_user("s-admin", "王管理")
        give_post(administrator, cast.headquarters, Role.SYSTEM_ADMIN)
    assert client_of(administrator).post(reverse("admin:account", args=[user.pk]), {"password": GIVEN}).status_code == 302
    client = Client()
    client.post(reverse("login"), {"username": user.username, "password": GIVEN})
    return client


def test_nothing_opens_before_it_is_changed_and_all_does_afterwards(cast: Cast) -> None:
    client = _reset(cast, cast.reviewer)
    change = f"{reverse('change_password')}?next=/admin/"
    for where in ("/admin/", "/my/", "/unit/", "/"):
        assert client.get(where)["Location"].startswith(reverse("change_password")), where
    assert client.post(reverse("admin:erasure_new", args=[1]))["Location"].startswith(reverse("change_password"))
    assert client.get("/admin/")["Location"] == change.replace("/admin/", "%2Fadmin%2F")
    assert "别人也知道" in client.get(change).content.decode()
    same = client.post(change, {"old": GIVEN, "new": GIVEN, "again": GIVEN})
    assert "新密码要和现在的不一样" in same.content.decode()
    assert client.post(change, {"old": GIVEN, "new": OWN, "again": OWN})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert "别人也知道" not in client.get(change).content.decode()


def test_without_the_mark_the_administrator_could_be_them(cast: Cast) -> None:
    """The control."""
    client = _reset(cast, cast.reviewer)
    User.objects.update(password_given_at=None)
    assert client.get("/admin/").status_code == 200


def test_after_some_days_it_lets_nobody_in_and_says_what_to_do(cast: Cast) -> None:
    user = cast.reviewer
    _reset(cast, user)
    late = "已经过期，请联系系统管理员重设"
    for age, told, said in ((GIVEN_HOLDS - timedelta(minutes=1), GIVEN, False), (GIVEN_HOLDS, GIVEN, True), (GIVEN_HOLDS, "x", False)):
        User.objects.filter(pk=user.pk).update(password_given_at=now() - age)
        answer = Client().post(reverse("login"), {"username": user.username, "password": told})
        assert (late in answer.content.decode()) is said, (age, told)
    User.objects.filter(pk=user.pk).update(password_given_at=None)
    assert Client().post(reverse("login"), {"username": user.username, "password": GIVEN}).status_code == 302


def test_one_of_the_first_administrators_who_came_too_late_is_given_another(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with everywhere(reason="arrange"):
        first = [make_user(name, "王管理") for name in ("s-one", "s-two")]
        for user in first:
            give_post(user, cast.headquarters, Role.SYSTEM_ADMIN)
    User.objects.filter(pk=first[0].pk).update(password_given_at=now() - GIVEN_HOLDS)
    for name in ("s-one", "s-two"):
        monkeypatch.setattr("sys.stdin", StringIO(f"{OWN}\n"))
        if name == "s-two":
            with pytest.raises(CommandError, match="they appoint others at the desk"):
                call_command("appoint_administrator", name, "王管理", stdout=StringIO())
        else:
            call_command("appoint_administrator", name, "王管理", stdout=StringIO())
    assert Client().post(reverse("login"), {"username": "s-one", "password": OWN}).status_code == 302
    assert User.objects.get(username="s-two").check_password(PASSWORD)
