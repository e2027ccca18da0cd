"""Every role walks everything it can reach: no dead end, no code on a page, and no input that breaks a form."""

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from tests.access.conftest import ROLES, someone, start_of
from tests.access.crawler import Form, Seen, faults_of_words, route_of, walk
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
    client, broken, known = someone(full, role), [], set()
    with frozen(ASKED):
        for seen in list(walk(client, start_of(role))):
            for form in seen.page.forms:
                same = (seen.route, route_of(form.action or seen.address), *form.fields, *form.files)
                if form.method == "post" and "logout" not in form.action and same not in known:
                    known.add(same)
                    broken += _abuse(client, seen, form)
    assert broken == []


def _trials(form: Form) -> Iterator[dict[str, object]]:
    """Every field takes every hostile value, all fields at once; then some of them on its own, so that the rest is believed."""
    names = [name for name in form.fields if name != "csrfmiddlewaretoken"]
    for turn in range(len(HOSTILE)):
        yield {**form.fields, **{name: HOSTILE[(place + turn) % len(HOSTILE)] for place, name in enumerate(names)}}
    for place, name in enumerate(names):
        for turn in range(0, len(HOSTILE), 4):
            yield {**form.fields, name: HOSTILE[(place + turn) % len(HOSTILE)]}
    for name in form.files:
        for junk in (b"", b"\xff\xd8\xff", b"PK\x03\x04" * 99):
            yield {**form.fields, name: SimpleUploadedFile("x.jpg", junk)}
    for name, value in form.buttons:
        yield {**form.fields, name: value}
    yield {}


def _abuse(client: Client, seen: Seen, form: Form) -> list[str]:
    """The trials whose answer is the product's own fault; nothing of them is kept."""
    address, broken = form.action or seen.address, []
    for trial in _trials(form):
        with transaction.atomic():
            answer = client.post(address, trial)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            broken.append(f"{answer.status_code} {address} {str(trial)[:200]}")
    return broken
