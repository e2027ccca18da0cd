"""How many claims a second one process takes from sent in to approved: submit, first review, approval, by three people, each step in a
transaction of its own, through the services; in lists, and one at a time; and with how many statements.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=…      # an empty database with fsync on; never one in use
    python manage.py migrate
    python benchmarks/claims.py                    # lists of 100 claims of one item and of five, and claims one at a time

The drafts are made before the clock runs. Claims of one and of five items, in lists and alone, go in turn, round by round; the
figure is the median round. Every claim must be approved in the end; the first draft of each
person, from which theirs are copied, stays one.
"""

import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django

django.setup()

from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from claims.models import Admission, Claim, ClaimDocument
from claims.services import adjudication, intake
from claims.services.adjudication import Refusals
from members.models import Enrolment
from programs.models import Terms
from programs.selectors import schedule_of
from tests.factories.world import ASKED, ILL, JOINED, World, load, make_world
from unionaid.lib.calendar import frozen, plus_days
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.kept import Kept
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.web.prepared import Place

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "100"))
LISTS, LIST = int(os.environ.get("BENCH_LISTS", "4")), int(os.environ.get("BENCH_LIST", "100"))
ALONE, ROUNDS = int(os.environ.get("BENCH_ALONE", "40")), int(os.environ.get("BENCH_ROUNDS", "3"))
QUIET = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SELECT set_config", "EXECUTE select_set_config")
Row = TypeVar("Row", bound=Model)
Step = tuple[Scope, Callable[[list[Claim]], Refusals]]
KEYS: Kept[Claim] = Kept(lambda: Claim.objects.filter(pk__among=Place("ids")).only("enrolment"))
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


def first_draft(world: World, cover: Enrolment) -> Claim:
    """A claim of this cover that only has to be sent in, filled in as its page does it."""
    by = world.worker(cover.member)
    claim = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
    intake.set_stay(claim, admitted_on=ILL, discharged_on=ILL, fen=FEN, by=by, on=ASKED)
    for paper in schedule_of(cover.terms).documents_for("admission"):
        upload = CleanUpload("image/jpeg", b"j", "a.jpg", f"{claim.pk:060d}{paper.code:>4.4}")
        intake.add_document(claim, kind=paper.code, upload=upload, by=by)
    return intake.choose_card(claim, world.card(cover.member, f"62284804{cover.pk:011d}"), by=by)


def drafts(firsts: Sequence[Claim], count: int) -> list[int]:
    """So many more drafts, spread over the people of these, each person's on days of their own."""
    with everywhere(reason="bench"):
        began = Claim.objects.filter(terms=firsts[0].terms_id).count()
        like = [firsts[n % len(firsts)] for n in range(began, began + count)]
        copies = [again(one, number=f"B{one.terms_id}-{n}", occasion=uuid.uuid4()) for n, one in enumerate(like, began)]
        made = Claim.objects.bulk_create(copies)
        stays, papers = list[Admission](), list[ClaimDocument]()
        for n, (claim, one) in enumerate(zip(made, like, strict=True), began):
            day = plus_days(ILL, n // len(firsts))
            stays += [again(stay, claim=claim, admitted_on=day, discharged_on=day) for stay in one.admissions.all()]
            papers += [again(paper, claim=claim, sha256=f"{uuid.uuid4().hex:0>64}") for paper in one.documents.all()]
        Admission.objects.bulk_create(stays)
        ClaimDocument.objects.bulk_create(papers)
    return [claim.pk for claim in made]


def again(row: Row, **changes: Any) -> Row:
    """The same row once more, with these columns changed."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key and field.name not in changes]
    own = {field.attname: uuid.uuid4() if field.unique else getattr(row, field.attname) for field in fields}
    return type(row)(**own, **changes)


def steps_of(world: World) -> Sequence[Step]:
    """Sent in by the unit's agent, reviewed, approved: each step with the scope of the person who takes it."""
    reviewer, approver = world.cast.actor(world.cast.reviewer), world.cast.actor(world.cast.approver)
    unit, office = Scope(units=frozenset({world.unit.pk}), user=world.agent.pk), Scope(offices=covers(world.cast.a))
    return (
        (unit, lambda claims: intake.submit_each(claims, by=world.agent_actor, on=ASKED)),
        (office, lambda claims: adjudication.review_each(claims, by=reviewer, on=ASKED)),
        (office, lambda claims: adjudication.approve_each(claims, by=approver, on=ASKED)),
    )


def whole_path(steps: Sequence[Step], ids: list[int]) -> None:
    """These claims from sent in to approved, a transaction for each step. Each reads the keys of its claims and their covers; the
    service reads what it asks."""
    for scope, step in steps:
        with office_scope(scope):
            if refused := step(KEYS.ask(ids=ids)):
                raise SystemExit(f"{len(refused)} refused: {next(iter(refused.values())).message}")


def processor() -> tuple[float, float]:
    """Seconds of processor so far: of this process, and of the server's process that serves it (nothing where it is elsewhere)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    told = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
    return time.process_time(), (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def measured(world: World, lists: Sequence[list[int]]) -> tuple[float, ...]:
    """Claims a second of the clock; of a processor for one claim, milliseconds here and in the database; statements of the first list."""
    claims, steps = sum(map(len, lists[1:])), steps_of(world)
    with frozen(ASKED):
        with CaptureQueriesContext(connection) as seen:
            whole_path(steps, lists[0])
        began, before = time.perf_counter(), processor()
        for ids in lists[1:]:
            whole_path(steps, ids)
        took = time.perf_counter() - began
    busy = [(now - then) * 1000 / claims for now, then in zip(processor(), before, strict=True)]
    return claims / took, *busy, sum(not one["sql"].startswith(QUIET) for one in seen.captured_queries)


def main() -> None:
    if Claim._base_manager.exists():
        raise SystemExit("This database holds claims. Give an empty one.")
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        print(f"fsync {cursor.fetchone()[0]}; {ROUNDS} rounds of {LISTS} lists of {LIST} claims and of {ALONE} claims alone")
    with frozen(JOINED):
        world = make_world()
        with everywhere(reason="bench"):
            plans = {n: plan(n) for n in (1, 5)}
            people = {n: [world.cover(world.member(1001 + 1000 * n + 2 * i), terms) for i in range(PEOPLE)] for n, terms in plans.items()}
    with frozen(ASKED), everywhere(reason="bench"):
        firsts = {n: [first_draft(world, cover) for cover in covered] for n, covered in people.items()}
    took: dict[tuple[int, int], list[tuple[float, ...]]] = {}
    for _round in range(ROUNDS):
        for size, lists in ((LIST, LISTS), (1, ALONE)):
            for n, drafted in firsts.items():
                ids = drafts(drafted, size * (lists + 1))
                part = [ids[i : i + size] for i in range(0, len(ids), size)]
                took.setdefault((size, n), []).append(measured(world, part))
    for (size, n), rounds in took.items():
        rate, here, there, said = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{n} item(s), {size} a transaction: {rate:.0f} claims/s ({', '.join(f'{one[0]:.0f}' for one in rounds)});", end=" ")
        print(f"{said:.0f} statements the path; of a processor for one claim: {here:.1f} ms here, {there:.1f} ms in the database")
    with everywhere(reason="look"):
        left = Claim.objects.exclude(state__in=["draft", "approved"]).count()
    print(f"neither draft nor approved: {left}; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
