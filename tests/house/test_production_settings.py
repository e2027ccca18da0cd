"""`check --deploy` is silent with the settings of production, and not otherwise; every setting is documented."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"DEBUG": "1"}, "security.W018"),
        ({"DEMO": "1"}, "house.W001"),
        ({"INSECURE_HTTP": "1"}, "security.W012"),
        ({"SECRET_KEY": "short"}, "security.W009"),
        ({"DATABASE_OWNER_URL": ""}, "house.W002"),
        ({"NOTICE_CHANNELS": "sms", "SMS_GATEWAY": "unionaid.workflow.sms.RecordedFile"}, "house.W003"),
        ({"NOTICE_CHANNELS": "sms", "SMS_GATEWAY": "unionaid.workflow.sms.Pigeon"}, "house.E002"),
    ],
)
def test_an_unsafe_setting_is_named(changed: dict[str, str], warning: str) -> None:
    told = checked(**changed)
    assert told.returncode != 0
    assert warning in told.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "BLIND_INDEX_KEY", "DATABASE_URL", "REDIS_URL"])
def test_a_missing_secret_stops_the_start_and_is_named(name: str) -> None:
    told = checked(**{name: ""})
    assert told.returncode != 0
    assert f"The environment variable {name} is required" in told.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"NOTICE_CHANNELS": "pigeon"}, "choose among log, email, sms"),
        ({"NOTICE_CHANNELS": "sms,sms", "SMS_GATEWAY": "x"}, "each at most once"),
        ({"NOTICE_CHANNELS": "sms"}, "The environment variable SMS_GATEWAY is required"),
        ({"NOTICE_CHANNELS": "email", "EMAIL_HOST": "mail.example.cn"}, "The environment variable EMAIL_FROM is required"),
        ({"SMS_READ_SECONDS": "600"}, "from 1 to 30"),
        ({"EMAIL_TIMEOUT": "ten"}, "not a whole number of seconds"),
    ],
)
def test_a_channel_that_cannot_work_stops_the_start(changed: dict[str, str], words: str) -> None:
    told = checked(**changed)
    assert told.returncode != 0
    assert words in told.stderr


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
    read = settings_read()
    assert len(read) > 12
    rows = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "production.md").read_text("utf-8"), re.MULTILINE))
    assert rows == read
    example = {line.partition("=")[0].lstrip("#") for line in (ROOT / ".env.example").read_text("utf-8").splitlines() if "=" in line}
    assert read - example == set()
