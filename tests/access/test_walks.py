"""Every role walks everything it can reach, in Chinese, in English, and again when there is more of everything.

No dead end, no code or machine's date on a page, nothing left in one language, and the same number of statements for few rows and
for many. `statement_counts.csv` is the promise of the latter: the route, the greatest number of
statements any role needs for it, and the role that needs them. A page that needs more fails; one that needs fewer asks for the
number to be lowered, so that the promise only gets stronger. To write the file anew leave its first line alone, then run
`UPDATE_STATEMENT_COUNTS=1 bin/test tests/access/test_walks.py -n 2`.
"""

import csv
import fcntl
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TextIO

import pytest
from django.conf import settings

from claims.admin import ClaimAdmin
from tests.access.conftest import ROLES, grow, someone, start_of
from tests.access.crawler import CJK, Seen, faults_of_words, walk
from tests.access.words import own_words
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen

PROMISE = Path(__file__).with_name("statement_counts.csv")


@pytest.mark.parametrize("role", ROLES)
def test_a_walk_finds_nothing_to_be_ashamed_of(full: World, role: str) -> None:
    client, start = someone(full, role), start_of(role)
    with frozen(ASKED):
        pages = list(walk(client, start))
        assert len(pages) >= 3
        assert _faults_in_chinese(pages) == []
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
