"""Every page takes the same number of statements for few rows and for many, and never more than is written down here.

`statement_counts.csv` is the promise: route and the greatest number of statements any role needs for it. A page that needs
more fails; one that needs fewer asks for the number to be lowered, so that the promise only gets stronger.
"""

import csv
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims.admin import ClaimAdmin
from tests.access.conftest import ROLES, grow, someone, start_of
from tests.access.crawler import walk
from tests.factories.world import ASKED, World
from unionaid.lib.calendar import frozen

PROMISE = Path(__file__).with_name("statement_counts.csv")
QUIET = ("SAVEPOINT", "RELEASE", "ROLLBACK TO")


def _counts(world: World, role: str) -> dict[str, int]:
    """The greatest number of statements for each route this role can reach; a second look at each page, with warm caches."""
    client, found = someone(world, role), dict[str, int]()
    with frozen(ASKED):
        for seen in list(walk(client, start_of(role))):
            if seen.answer.status_code == 200:
                with CaptureQueriesContext(connection) as captured:
                    client.get(seen.address)
                made = sum(not query["sql"].startswith(QUIET) for query in captured.captured_queries)
                found[seen.route] = max(found.get(seen.route, 0), made)
    return found


def _promised() -> dict[str, int]:
    with PROMISE.open(encoding="utf-8", newline="") as file:
        return {row["route"]: int(row["statements"]) for row in csv.DictReader(file)}


def test_no_page_takes_more_statements_for_more_rows(full: World) -> None:
    few = {role: _counts(full, role) for role in ROLES}
    grow(full)
    many = {role: _counts(full, role) for role in ROLES}
    grown = [
        f"{role} {route}: {count} → {many[role][route]}"
        for role, counts in few.items()
        for route, count in counts.items()
        if many[role].get(route, count) > count
    ]
    assert grown == []
    greatest: dict[str, int] = {}
    for counts in many.values():
        for route, count in counts.items():
            greatest[route] = max(greatest.get(route, 0), count)
    assert greatest == _promised()


def test_the_counter_sees_a_page_that_asks_row_by_row(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a column of the queue that asks for the stays of each claim on its own."""
    monkeypatch.setattr(ClaimAdmin, "amount", lambda _self, claim: claim.admissions.count())
    route = "admin/claims/claim/"
    before = _counts(full, "reviewer")[route]
    grow(full)
    assert _counts(full, "reviewer")[route] > before
