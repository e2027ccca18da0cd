"""Every role walks everything it can reach: no dead end, no code on a page, and no input that breaks a form."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from tests.access.conftest import ROLES, someone, start_of
from tests.access.crawler import Form, Seen, faults_of_words, walk
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen

HOSTILE = [
    "", "\x00", "\u202e" + "x" * 3000, "'; DROP TABLE x; --", "９９９", "-1", "1e400", "NaN", "9" * 20, "2026-02-30", "🀄𠮷䶮", "<b>",
]  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_nobody_meets_a_dead_end_or_a_code(full: World, role: str) -> None:
    client, faults, pages = someone(full, role), [], 0
    with frozen(ASKED):
        for seen in walk(client, start_of(role)):
            pages += 1
            if seen.answer.status_code not in (200, 301, 302):
                faults.append(f"{seen.answer.status_code} {seen.address} from {seen.came_from}")
            faults += [f"{seen.address}: {fault}" for fault in faults_of_words(seen.page, language="zh-hans")]
    assert faults == []
    assert pages >= 3


@pytest.mark.parametrize("role", ROLES)
def test_no_input_of_any_form_breaks_it(full: World, role: str) -> None:
    client, broken = someone(full, role), []
    with frozen(ASKED):
        for seen in list(walk(client, start_of(role))):
            for form in seen.page.forms:
                if form.method == "post" and "logout" not in form.action:
                    broken += _abuse(client, seen, form)
    assert broken == []


def _abuse(client: Client, seen: Seen, form: Form) -> list[str]:
    """Every field takes every hostile value once, on its own; nothing of it is kept."""
    address, broken = form.action or seen.address, []
    trials = [{**form.fields, name: value} for name in form.fields if name != "csrfmiddlewaretoken" for value in HOSTILE]
    junk = (b"", b"\xff\xd8\xff", b"PK\x03\x04" * 99)
    trials += [{**form.fields, name: SimpleUploadedFile("x.jpg", one)} for name in form.files for one in junk]
    trials += [{**form.fields, name: value} for name, value in form.buttons] + [{}]
    for trial in trials:
        with transaction.atomic():
            answer = client.post(address, trial)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            broken.append(f"{answer.status_code} {address} {str(trial)[:200]}")
    return broken
