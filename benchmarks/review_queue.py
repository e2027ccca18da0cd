"""The review queue over 1.3 million claims: statements, plans and latency of the page, for reviewers of one office and of all.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=…     a migrated database without people, claims or programs; never one in use
    python manage.py collectstatic --noinput
    python benchmarks/review_queue.py [PLAN]

Makes, by the owner and set by set, BENCH_CLAIMS (1300000) claims of as many people in forty offices, of which one in a hundred waits
for the first review and one in two hundred for the second; the rest is paid or rejected; a quarter of what waits and a tenth of the rest
has an open flag. Then every view of the queue is opened: its statements are counted (at most 12, with session, user and scope) and
each is explained (no sequential scan that meets over 10,000 rows). Then gunicorn is started as bin/demo starts it, and reviewers of
nine offices and of all of them ask for views, searches and pages in turn, 20 a second by the clock for BENCH_SECONDS (60) whether earlier
ones were answered or not; an answer's time counts from when its request was due. What was made stays, and is used again by the next
run: drop the database afterwards.
"""

import os
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from queue import Queue

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django  # noqa: E402 (the path comes first)

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.front_door import Browser, serving, web_seconds  # noqa: E402
from benchmarks.loads import completed  # noqa: E402
from claims.models import Claim, ReviewRule  # noqa: E402
from programs.rules.planfile import read_plan  # noqa: E402
from programs.services import check, load_plan, publish  # noqa: E402
from tests.factories.plans import longest_scan  # noqa: E402
from unionaid.accounts.models import User  # noqa: E402
from unionaid.lib.calendar import now, today  # noqa: E402
from unionaid.lib.identity import make_id_number  # noqa: E402
from unionaid.offices.models import Office, StaffPost  # noqa: E402
from unionaid.offices.roles import SYSTEM, Role  # noqa: E402
from unionaid.offices.scope import Scope, everywhere  # noqa: E402
from unionaid.offices.selectors import staff_actor  # noqa: E402
from unionaid.offices.services import add_office  # noqa: E402

PLAN = sys.argv[1] if len(sys.argv) > 1 else "shaanxi-yulin-medical.2026"
CLAIMS, SECONDS = int(os.environ.get("BENCH_CLAIMS", "1300000")), int(os.environ.get("BENCH_SECONDS", "60"))
OFFICES, RATE, MOST_STATEMENTS, MOST_ROWS = 40, 20, 12, 10_000
QUIET = ("SAVEPOINT", "RELEASE", "ROLLBACK")
LIST = "/admin/claims/claim/"
VIEWS = (
    "state=submitted", "state=reviewed", "state=submitted&age=late", "state=submitted&band=small", "state=submitted&flags=no", "age=late",
    "age=in_time", "flags=yes", "band=large", "state=paid", "event=admission", "",
)  # fmt: skip

# Claims are spread over offices and over the last 400 days; what waits came in during the last 20 days.
_ROWS = """
INSERT INTO members_member (id, id_hash, name, gender, birth_date, office_id, office_ids, unit_ids, employment, insurance_type, risk,
  staff_group)
SELECT i, decode(md5(i::text), 'hex'), '张伟' || i %% 997, CASE WHEN i %% 5 < 2 THEN 'female' ELSE 'male' END,
  date '1967-01-01' + (i %% 12000)::int, o, ARRAY[o], '{}', 'enterprise', 'employee', '', ''
FROM generate_series(1::bigint, %(claims)s) i, LATERAL (SELECT (%(offices)s::bigint[])[1 + i %% %(count)s] AS o) own;

INSERT INTO members_enrolment (id, version, public_id, office_id, member_id, holder_id, relation, program_id, terms_id, shares, cover,
  waiting_waived, first_time, contribution_fen, state)
SELECT id, 1, gen_random_uuid(), office_id, id, id, 'self', %(program)s, %(terms)s, 1, daterange('2026-01-01', '2027-01-01'),
  true, false, 12500, 'effective'
FROM members_member;

INSERT INTO claims_claim (id, version, public_id, number, member_id, claimant_id, enrolment_id, program_id, terms_id, office_id,
  fund, event, event_kind, event_on, happened, hospital, diagnosis, diagnosis_code, diagnosis_class, circumstances, state, since,
  held_state, stood_days, message, reason_code, reason_clause, estimated_fen, approved_fen, submitted_at, approved_at)
SELECT id, 1, gen_random_uuid(), 'SL26' || lpad(id::text, 9, '0'), id, id, id, %(program)s, %(terms)s, office_id, 'mutual_aid',
  'admission', '', date '2026-03-01', '', '第' || id %% 200 || '医院', '', 'K35.8', '', '{}', state,
  now() - CASE WHEN state IN ('submitted', 'reviewed') THEN (id * 7919 %% 480) * interval '1 hour'
    ELSE (20 + id %% 380) * interval '1 day' END,
  '', 0, '', CASE WHEN state = 'rejected' THEN 'not_listed' ELSE '' END, CASE WHEN state = 'rejected' THEN '7' ELSE '' END,
  1000 + id * 104729 %% 2000000, CASE WHEN state = 'paid' THEN 1000 + id * 104729 %% 2000000 END,
  now() - (20 + id %% 380) * interval '1 day', CASE WHEN state = 'paid' THEN now() - (10 + id %% 380) * interval '1 day' END
FROM (SELECT id, office_id, CASE WHEN drawn < 10 THEN 'submitted' WHEN drawn < 15 THEN 'reviewed' WHEN drawn < 60 THEN 'rejected'
  ELSE 'paid' END AS state FROM (SELECT id, office_id, abs(hashint8extended(id, 1) %% 1000) AS drawn FROM members_member) d) m;

INSERT INTO claims_claimflag (claim_id, office_id, code, subject, figures, reason)
SELECT id, office_id, 'account_name', md5(id::text), '{}', '' FROM claims_claim
WHERE abs(hashint8extended(id, 2) %% 100) < CASE WHEN state IN ('submitted', 'reviewed') THEN 25 ELSE 10 END;
ANALYZE members_member; ANALYZE members_enrolment; ANALYZE claims_claim; ANALYZE claims_claimflag;
"""


def made() -> dict[str, User]:
    """The load, and its reviewers: of nine offices, and of all of them."""
    with everywhere(reason="a measurement's own database"):
        if Claim.objects.exists():
            found = User.objects.filter(username__startswith="bench-").order_by("pk")
            return {user.display_name: user for user in found}
        province = Office.objects.filter(level="province").first() or _province()
        codes = ("610800", *(f"61{n:04d}" for n in range(10, 9 + OFFICES)))  # the first is the office of the default plan
        offices = [add_office(code=code, name=f"第{code}办事处", level="office", parent=province) for code in codes]
        data = (ROOT / "programs" / "catalogue" / f"{PLAN}.yaml").read_bytes()
        terms = load_plan(read_plan(data, source=PLAN), by=SYSTEM).terms
        publish(check(terms, by=SYSTEM), by=SYSTEM)
        ReviewRule.objects.create(office=offices[0], step_days={"submitted": 3})
        people = {f"office {n}": reviewer(f"office {n}", offices[n]) for n in range(9)} | {"all offices": reviewer("all offices", province)}
    values = {
        "claims": CLAIMS, "offices": [office.pk for office in offices], "count": OFFICES, "program": terms.program_id, "terms": terms.pk,
    }  # fmt: skip
    owner = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    with owner, owner.cursor() as cursor:
        cursor.execute("SET unionaid.offices = '*'")
        cursor.execute(completed(_ROWS), values)
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    owner.close()
    return people


def reviewer(name: str, office: Office) -> User:
    """Somebody who reviews and approves there."""
    user = User.objects.create_user(f"bench-{office.pk}", "unionaid-bench-2026", display_name=name)
    for role in (Role.REVIEWER, Role.APPROVER):
        StaffPost.objects.create(user=user, office=office, role=role, since=date(2020, 1, 1), confirmed_at=now())
    return user


def _province() -> Office:
    top = add_office(code="000000", name="总部", level="headquarters", parent=None)
    return add_office(code="610000", name="省办事处", level="province", parent=top)


def browser(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


def statements(client: Client, address: str) -> list[str]:
    """What the page asks of the database on a second look."""
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return [query["sql"] for query in seen.captured_queries if not query["sql"].startswith(QUIET)]


def worst_scan(user: User, asked: list[str]) -> tuple[str, int]:
    """The sequential scan that meets most rows, with the rows this person may see."""
    with transaction.atomic():
        return longest_scan(connection, asked, Scope(offices=staff_actor(user, on=today()).office_ids, user=user.pk))


def asked_for(people: dict[str, User]) -> list[tuple[str, str]]:
    """(who, address) of RATE × SECONDS requests: everybody in turn, views, searches and pages drawn."""
    draw = random.Random(20)
    names = list(people)
    searches = [f"q=SL26{draw.randrange(1, CLAIMS):09d}"[: draw.choice((13, 16))] for _ in range(20)]
    searches += [f"q={make_id_number('610802', date(1980, 1, 1), n)}" for n in range(10)]
    found = list[tuple[str, str]]()
    for number in range(RATE * SECONDS):
        view = draw.choice(searches) if number % 10 == 0 else draw.choice(VIEWS) if number % 3 else "state=submitted"
        page = draw.randrange(1, 7) if number % 4 == 1 and view in ("state=submitted", "") else 1
        found.append((names[number % len(names)], f"{LIST}?{view or 'o='}&p={page}"))
    return found


def latency(people: dict[str, User]) -> tuple[float, float, float]:
    """Median and 95th percentile in milliseconds, from when each request was due, and milliseconds of a core of the web for one."""
    server, port = serving()
    try:
        lines: dict[str, Queue[Browser]] = {name: Queue() for name in people}
        for name, user in people.items():
            cookie = browser(user).cookies[settings.SESSION_COOKIE_NAME].value
            for _ in range(4):
                line = Browser(port)
                line.cookies[settings.SESSION_COOKIE_NAME] = cookie
                lines[name].put(line)
        wanted, taken, busy = asked_for(people), list[float](), 0.0

        def ask(number: int) -> None:
            who, address = wanted[number]
            due = began + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            line = lines[who].get()
            status, _where, _page = line.ask("GET", address)
            lines[who].put(line)
            if status not in (200, 400):  # 400: a page that is not there
                raise SystemExit(f"{status} from {address}")
            taken.append((time.perf_counter() - due) * 1000)

        with ThreadPoolExecutor(32) as pool:
            began = time.perf_counter()
            list(pool.map(ask, range(RATE * 3)))  # warm, as the second minute of a day is
            taken.clear()
            busy, began = web_seconds(server.pid), time.perf_counter()
            list(pool.map(ask, range(len(wanted))))
        return statistics.median(taken), statistics.quantiles(taken, n=20)[18], (web_seconds(server.pid) - busy) * 1000 / len(taken)
    finally:
        server.terminate()
        server.wait(30)


def main() -> None:
    began = time.perf_counter()
    people = made()
    print(f"{CLAIMS:,} claims in {OFFICES} offices, made in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}\n")
    print("| who | view | statements | longest sequential scan |\n|---|---|---|---|")
    kept = True
    for name in ("office 0", "all offices"):
        client = browser(people[name])
        for view in VIEWS:
            asked = statements(client, f"{LIST}?{view}" if view else f"{LIST}?o=")
            table, rows = worst_scan(people[name], asked)
            kept &= len(asked) <= MOST_STATEMENTS and rows <= MOST_ROWS
            print(f"| {name} | {view or 'all'} | {len(asked)} | {table} {rows:,} |")
    connections.close_all()
    before = os.getloadavg()[0]
    median, high, busy = latency(people)
    kept &= median < 60 and high < 150
    print(f"\n{RATE} requests/s for {SECONDS} s: median {median:.0f} ms, 95th percentile {high:.0f} ms;", end=" ")
    print(f"{busy:.1f} ms of a core of the web for one; load {before:.1f} before, {os.getloadavg()[0]:.1f} after")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
