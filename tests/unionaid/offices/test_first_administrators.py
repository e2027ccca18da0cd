"""A fresh house: two system administrators are appointed by a command, everybody else at the desk."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from unionaid.offices.models import StaffPost
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.offices.services import add_office
from unionaid.workflow.models import AuditEntry

WORD = "a-long-word-2026"


def _appoint(monkeypatch: pytest.MonkeyPatch, username: str, password: str = WORD) -> str:
    monkeypatch.setattr("sys.stdin", StringIO(f"{password}\n"))
    out = StringIO()
    call_command("appoint_administrator", username, "王管理", stdout=out)
    return out.getvalue()


def test_the_first_two_are_appointed_by_a_command_and_no_third(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="load_offices"):
        _appoint(monkeypatch, "s-one")
    with everywhere(reason="arrange"):
        add_office(code="000000", name="总部", level="headquarters", parent=None)
    with pytest.raises(CommandError, match="密码至少 8 位"):
        _appoint(monkeypatch, "s-one", "short")
    assert "s-one is system administrator of 总部" in _appoint(monkeypatch, "s-one")
    with pytest.raises(CommandError, match="There is a log-in s-one already"):
        _appoint(monkeypatch, "s-one")
    _appoint(monkeypatch, "s-two")
    with pytest.raises(CommandError, match="they appoint others at the desk"):
        _appoint(monkeypatch, "s-three")
    with everywhere(reason="look"):
        assert list(StaffPost.objects.values_list("user__username", "role")) == [(one, Role.SYSTEM_ADMIN) for one in ("s-one", "s-two")]
        assert AuditEntry.objects.filter(action="give_post", actor=None).count() == 2
    client = Client()
    assert client.post(reverse("login"), {"username": "s-one", "password": WORD, "next": "/admin/"})["Location"] == "/admin/"
    assert client.get("/admin/")["Location"] == "/password?next=%2Fadmin%2F"
    client.post("/password", {"old": WORD, "new": f"own-{WORD}", "again": f"own-{WORD}"})
    assert client.get(reverse("admin:post_give")).status_code == 200
