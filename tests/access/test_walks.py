"""Every role walks everything it can reach, in Chinese, in English, and again when there is more of everything.

No dead end, no code or machine's date on a page, nothing left in one language, no input that breaks a form, and the same number of
statements for few rows and for many. `statement_counts.csv` is the promise of the latter: the route, the greatest number of
statements any role needs for it, and the role that needs them. A page that needs more fails; one that needs fewer asks for the
number to be lowered, so that the promise only gets stronger. To write the file anew leave its first line alone, then run
`UPDATE_STATEMENT_COUNTS=1 bin/test tests/access/test_walks.py -n 2`.
"""

import csv
import fcntl
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from claims.admin import ClaimAdmin
from tests.access.conftest import ROLES, grow, someone, start_of
from tests.access.crawler import CJK, Form, Seen, faults_of_words, route_of, walk
from tests.access.words import own_words
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen

HOSTILE = [
    "", "\x00", "\u202e" + "x" * 3000, "'; DROP TABLE x; --", "９９９", "-1", "1e400", "NaN", "9" * 20, "2026-02-30", "🀄𠮷䶮", "<b>",
]  # fmt: skip
PROMISE = Path(__file__).with_name("statement_counts.csv")


@pytest.mark.parametrize("role", ROLES)
def test_a_walk_finds_nothing_to_be_ashamed_of(full: World, role: str) -> None:
    client, start = someone(full, role), start_of(role)
    with frozen(ASKED):
        pages = list(walk(client, start))
        assert len(pages) >= 3
        assert _faults_in_chinese(pages) == []
        assert _broken_forms(client, pages) == []
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        pages = list(walk(client, start))
        client.cookies.pop(settings.LANGUAGE_COOKIE_NAME)
        assert _left_in_chinese(pages) == []
        few = _counts(pages)  # caches are warm by now
        grow(full)
        many = _counts(walk(client, start))
    assert {route: (count, many[route]) for route, count in few.items() if many.get(route, count) > count} == {}
    _hold_to_the_promise(role, many)


def _faults_in_chinese(pages: list[Seen]) -> list[str]:
    """Dead ends, codes, machine's dates, English."""
    dead = [f"{s.answer.status_code} {s.address} from {s.came_from}" for s in pages if s.answer.status_code not in (200, 301, 302)]
    return dead + [f"{s.address}: {fault}" for s in pages for fault in faults_of_words(s.page, language="zh-hans")]


def _left_in_chinese(pages: list[Seen]) -> list[str]:
    """With English switched on: what is nobody's own words and still Chinese."""
    left, own = set[str](), own_words()
    for seen in pages:
        for words in seen.page.words:
            rest = words
            for said in own if CJK.search(words) else ():
                rest = rest.replace(said, "")
            if CJK.search(rest):
                left.add(f"{seen.route}: {words[:80]}")
    return sorted(left)


# --- hostile input --------------------------------------------------------------------------------------------------


def _broken_forms(client: Client, pages: list[Seen]) -> list[str]:
    """What the product answers with its own fault; a form that stands on several pages is tried once, by the first who meets it."""
    broken = []
    for seen in pages:
        for form in seen.page.forms:
            same = (route_of(form.action or seen.address), *form.fields, *form.files)
            if form.method == "post" and "logout" not in form.action and _is_first_with(" ".join(same)):
                broken += _abuse(client, seen, form)
    return broken


def _is_first_with(form: str) -> bool:
    """Nobody has tried this form yet in this run of the tests, whatever process their walk runs in."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = Path(settings.VAR_DIR).parent if run else Path(settings.VAR_DIR)
    with (folder / "forms-tried").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        of_run, *tried = file.read().split("\n") or [""]
        if of_run != (run or str(os.getpid())):
            file.truncate(0)
            tried = []
            file.write(f"{run or os.getpid()}\n")
        if form in tried:
            return False
        file.write(f"{form}\n")
    return True


def _trials(form: Form) -> Iterator[dict[str, object]]:
    """Every field takes every hostile value, all fields at once; then some of them on its own, so that the rest is believed."""
    names = [name for name in form.fields if name != "csrfmiddlewaretoken"]
    for turn in range(len(HOSTILE)):
        yield {**form.fields, **{name: HOSTILE[(place + turn) % len(HOSTILE)] for place, name in enumerate(names)}}
    for place, name in enumerate(names):
        for turn in range(0, len(HOSTILE), 4):
            yield {**form.fields, name: HOSTILE[(place + turn) % len(HOSTILE)]}
    yield {**form.fields, **{name: "長" * width for name, width in form.widths.items()}}  # as much as the page lets in, and no more
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


# --- statements -----------------------------------------------------------------------------------------------------


def _counts(pages: Iterable[Seen]) -> dict[str, int]:
    """The greatest number of statements for each route."""
    found: dict[str, int] = {}
    for seen in pages:
        if seen.answer.status_code == 200:
            found[seen.route] = max(found.get(seen.route, 0), seen.statements)
    return found


def _promised() -> dict[str, tuple[int, str]]:
    """Route → the greatest number of statements, and the role that needs so many."""
    with PROMISE.open(encoding="utf-8", newline="") as file:
        return _read(file)


def _read(file: TextIO) -> dict[str, tuple[int, str]]:
    return {row["route"]: (int(row["statements"]), row["role"]) for row in csv.DictReader(file)}


def _hold_to_the_promise(role: str, counts: dict[str, int]) -> None:
    if os.environ.get("UPDATE_STATEMENT_COUNTS"):
        _write_down(role, counts)
        return
    promised = _promised()
    dearer = {route: count for route, count in counts.items() if count > promised.get(route, (0, ""))[0]}
    assert dearer == {}, "more statements than promised, or a page that is not written down"
    mine = {route: count for route, (count, whose) in promised.items() if whose == role}
    assert {route: counts.get(route) for route in mine} == mine, "fewer statements than promised: write the file anew"


def _write_down(role: str, counts: dict[str, int]) -> None:
    """Role by role, one after the other: what this role needs more of than those before it."""
    with PROMISE.open("r+", encoding="utf-8", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = _read(file)
        for route, count in counts.items():
            if count > known.get(route, (0, ""))[0]:
                known[route] = (count, role)
        file.seek(0)
        file.truncate()
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["route", "statements", "role"])
        lines.writerows([route, count, whose] for route, (count, whose) in sorted(known.items()))


def test_the_counter_sees_a_page_that_asks_row_by_row(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a column of the queue that asks for the stays of each claim on its own."""
    monkeypatch.setattr(ClaimAdmin, "amount", lambda _self, claim: claim.admissions.count())
    client, page, route = someone(full, "reviewer"), "/admin/claims/claim/", "admin/claims/claim/"
    with frozen(ASKED):
        before = _counts(islice(walk(client, page), 3))[route]
        grow(full)
        assert _counts(islice(walk(client, page), 3))[route] > before
