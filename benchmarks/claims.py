"""How many claims a second one process takes from sent in to approved: submit, first review, approval, each in a transaction of its
own, through the services; and with how many statements.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=…      # an empty database with fsync on; never one in use
    python manage.py migrate
    python benchmarks/claims.py                    # 300 claims of one item, and 300 of five

The drafts are made before the clock runs. Claims of one and of five items go in turn, round by round; the figure is the median round.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django

django.setup()

from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims.models import Claim
from claims.services import adjudication, intake
from programs.models import Terms
from tests.factories.world import ASKED, ILL, JOINED, World, load, make_world
from unionaid.lib.calendar import frozen, plus_days
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers

CLAIMS, ROUNDS = int(os.environ.get("BENCH_CLAIMS", "300")), int(os.environ.get("BENCH_ROUNDS", "3"))
QUIET = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SELECT set_config")
FEN = {"medfee_sumamt": 300_000, "fund_pay_sumamt": 200_000, "psn_part_amt": 100_000, "psn_cash_pay": 100_000}


def plan(count: int) -> Terms:
    """Terms with so many items, each with a limit of its own that is far away."""
    items = [
        {
            "code": f"item{i}", "name": {"zh": f"项目{i}", "en": f"Item {i}"}, "clause": "1", "events": ["admission"],
            "steps": [{"take": "personal_cost"}, {"ratio": "0.1"}, {"ceiling": {"amount": "9999999", "scope": "period", "key": f"k{i}"}}],
        }
        for i in range(count)
    ]  # fmt: skip
    example = {"name": "1", "case": {"event": "admission", "personal_cost": "1000"}, "expect": f"{100 * count}.00"}
    name = "shaanxi-yulin-medical.2026"
    return load(name, items=items, examples=[example], exclusions=None, exclusive=None, code=f"bench-{count}")


def drafts(world: World, terms: Terms, people: list[Any], count: int) -> list[int]:
    """So many claims that only have to be sent in, spread over the people."""
    made = []
    with everywhere(reason="bench"), frozen(ASKED):
        for n in range(count):
            cover = people[n % len(people)]
            by = world.worker(cover.member)
            claim = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
            day = plus_days(ILL, n // len(people))
            intake.set_stay(claim, admitted_on=day, discharged_on=day, fen=FEN, by=by, on=ASKED)
            for paper in adjudication.schedule_of(terms).documents_for("admission"):
                upload = CleanUpload("image/jpeg", b"j", "a.jpg", f"{claim.pk:060d}{paper.code:>4.4}")
                intake.add_document(claim, kind=paper.code, upload=upload, by=by)
            intake.choose_card(claim, cover.member.cards.first() or world.card(cover.member), by=by)
            made.append(claim.pk)
    return made


def whole_path(world: World, scope: Scope, pk: int, reviewer: Actor, approver: Actor) -> None:
    """One claim, three people, three transactions; each reads the claim anew, with what a decision asks."""
    steps: tuple[Callable[[Claim], Any], ...] = (
        lambda claim: intake.submit(claim, by=world.worker(claim.member), on=ASKED),
        lambda claim: adjudication.review(claim, by=reviewer, on=ASKED),
        lambda claim: adjudication.approve(claim, by=approver, on=ASKED),
    )
    for step in steps:
        with office_scope(scope):
            step(Claim.objects.select_related("member", "claimant", "enrolment", "terms").defer("terms__schedule").get(pk=pk))


def processor() -> tuple[float, float]:
    """Seconds of processor so far: of this process, and of the server's process that serves it (nothing where it is elsewhere)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    told = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
    return time.process_time(), (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    if Claim._base_manager.exists():
        raise SystemExit("This database holds claims. Give an empty one.")
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        print(f"fsync {cursor.fetchone()[0]}; {CLAIMS} claims a round, {ROUNDS} rounds")
    with frozen(JOINED):
        world = make_world()
        reviewer, approver = world.cast.actor(world.cast.reviewer), world.cast.actor(world.cast.approver)
        with everywhere(reason="bench"):
            people = {n: [world.cover(world.member(1001 + 100 * n + 2 * i), plan(n)) for i in range(30)] for n in (1, 5)}
    scope = Scope(offices=covers(world.cast.a))
    took: dict[int, list[float]] = {1: [], 5: []}
    said, busy = dict[int, int](), dict[int, tuple[float, ...]]()
    for _round in range(ROUNDS):
        for n, covered in people.items():
            ids = drafts(world, covered[0].terms, covered, CLAIMS)
            with frozen(ASKED):
                with CaptureQueriesContext(connection) as seen:
                    whole_path(world, scope, ids[0], reviewer, approver)
                said[n] = sum(not one["sql"].startswith(QUIET) for one in seen.captured_queries)
                began, before = time.perf_counter(), processor()
                for pk in ids[1:]:
                    whole_path(world, scope, pk, reviewer, approver)
                took[n].append((CLAIMS - 1) / (time.perf_counter() - began))
                busy[n] = tuple((now - then) * 1000 / (CLAIMS - 1) for now, then in zip(processor(), before, strict=True))
    for n, rates in took.items():
        print(f"{n} item(s): {statistics.median(rates):.0f} claims/s ({', '.join(f'{one:.0f}' for one in rates)}), {said[n]} statements;", end=" ")
        print("of a processor for one: {:.1f} ms here, {:.1f} ms in the database;".format(*busy[n]), end=" ")
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
