"""`check --deploy` is silent with the settings of production, and not otherwise; every setting is documented."""

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured

from unionaid.checks import the_gateway_is_there

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "unionaid" / "settings.py"
READERS = {"flag", "names", "required", "database", "str", "int", "json", "bool", "chosen", "seconds"}
PRODUCTION = {
    "SECRET_KEY": "kZ4-0qP9xW7sVb2Nf8uTj3Rm6Lc1Hy5Dg_aEiOoQwXzYtKpSvBnM",
    "FIELD_KEYS": "k1:" + "A" * 43,
    "BLIND_INDEX_KEY": "B" * 43,
    "DATABASE_URL": "postgres://unionaid_app:word@database.example.cn/unionaid",
    "DATABASE_OWNER_URL": "postgres://unionaid_owner:word@database.example.cn/unionaid",
    "REDIS_URL": "redis://:word@broker.example.cn:6379/0",
    "ALLOWED_HOSTS": "huzhu.example.cn",
    "CSRF_TRUSTED_ORIGINS": "https://huzhu.example.cn",
    "BASE_URL": "https://huzhu.example.cn",
    "BEHIND_TLS_PROXY": "1",
}


def checked(**changed: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check --deploy` in a process that knows nothing but these settings."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | PRODUCTION | changed
    command = [sys.executable, "-B", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_production_settings_give_no_warning() -> None:
    told = checked()
    assert told.returncode == 0, told.stderr
    assert "no issues (0 silenced)" in told.stdout


UNSAFE = {
    "DEBUG": "1", "DEMO": "1", "INSECURE_HTTP": "1", "SECRET_KEY": "short", "DATABASE_OWNER_URL": "", "SECOND_FACTOR_REQUIRED": "0",
    "NOTICE_CHANNELS": "sms", "SMS_GATEWAY": "unionaid.workflow.sms.RecordedFile",
}  # fmt: skip


def test_every_unsafe_setting_is_named() -> None:
    told = checked(**UNSAFE)
    assert told.returncode != 0
    named = {"security.W018", "house.W001", "security.W012", "security.W009", "house.W002", "house.W003", "house.W004"}
    assert {code for code in named if code not in told.stderr} == set()


def test_a_gateway_that_is_not_there_is_named(settings: Any) -> None:
    settings.SMS_GATEWAY = "unionaid.workflow.sms.Pigeon"
    assert [found.id for found in the_gateway_is_there(None)] == ["house.E002"]
    settings.SMS_GATEWAY = "unionaid.workflow.sms.HttpGateway"
    assert the_gateway_is_there(None) == []


def read(**changed: str) -> dict[str, Any]:
    """The settings as a fresh process would read them."""
    with patch.dict(os.environ, PRODUCTION | changed, clear=True):
        return runpy.run_path(str(SETTINGS))


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "BLIND_INDEX_KEY", "DATABASE_URL", "REDIS_URL"])
def test_a_missing_secret_stops_the_start_and_is_named(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"The environment variable {name} is required"):
        read(**{name: ""})


def test_what_the_settings_refuse_stops_the_programme() -> None:
    told = checked(REDIS_URL="")
    assert told.returncode != 0
    assert "The environment variable REDIS_URL is required" in told.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"NOTICE_CHANNELS": "pigeon"}, "choose among log, email, sms"),
        ({"NOTICE_CHANNELS": "sms,sms", "SMS_GATEWAY": "x"}, "each at most once"),
        ({"NOTICE_CHANNELS": "sms"}, "The environment variable SMS_GATEWAY is required"),
        ({"NOTICE_CHANNELS": "email", "EMAIL_HOST": "mail.example.cn"}, "The environment variable EMAIL_FROM is required"),
        ({"SMS_READ_SECONDS": "600"}, "from 1 to 30"),
        ({"EMAIL_TIMEOUT": "ten"}, "not a whole number of seconds"),
        ({"DEMO": "maybe"}, "neither on nor off"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(changed: dict[str, str], words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        read(**changed)


def test_the_second_factor_is_wanted_unless_it_is_the_demo_or_said_otherwise() -> None:
    wanted = [read(**changed)["SECOND_FACTOR_REQUIRED"] for changed in ({}, {"DEMO": "1"}, {"SECOND_FACTOR_REQUIRED": "0"})]
    assert wanted == [True, False, False]


def settings_read() -> set[str]:
    """The names of all environment variables that the settings ask for."""
    calls = (node for node in ast.walk(ast.parse(SETTINGS.read_text("utf-8"))) if isinstance(node, ast.Call))
    found: set[str] = set()
    for call in calls:
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in READERS and call.args and isinstance(call.args[0], ast.Constant):
            found.add(call.args[0].value)
    return found


def test_every_setting_is_in_the_documents_and_in_the_example() -> None:
    asked = settings_read()
    assert len(asked) > 12
    rows = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "production.md").read_text("utf-8"), re.MULTILINE))
    assert rows == asked
    example = {line.partition("=")[0].lstrip("#") for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if "=" in line}
    assert asked - example == set()
