"""How many people a second join a plan by themselves in the browser: eight at a time, through the front door, as bin/demo serves it.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=… SECRET_KEY=… FIELD_KEYS=… BLIND_INDEX_KEY=… DEMO=1
    python manage.py migrate && python manage.py collectstatic --noinput      # an empty database with fsync on; never one in use
    python benchmarks/joining.py

Makes an office, a unit, ten plans and 8 × BENCH_PEOPLE (8) workers; starts gunicorn (two workers of four threads) on the loopback
address; everyone logs in through the log-in page. Then eight clients join everyone to every plan, one request after the other:
first with drafts that lie ready ("sending in": the form that makes the enrolment), then the whole way (begin, a photo, the page to
check, sending in). Clients, web and database share the cores. Checked at the end: one enrolment, one debt and one paper each.
What was made stays: drop the database afterwards.
"""

import io
import os
import re
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Barrier, Thread

import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection, connections

from benchmarks.front_door import Browser, serving, web_seconds
from members.models import ContributionDue, Enrolment, Evidence, JoinDraft, Member, UnitAgent, WorkUnit
from members.services import joining, people
from programs.models import Terms
from programs.rules.planfile import read_plan
from programs.services import check, load_plan, publish
from unionaid.accounts.models import User
from unionaid.lib.calendar import add_years, today
from unionaid.lib.identity import credit_code_check, make_id_number, parse_id_number
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere

CLIENTS, PLANS, EACH = 8, 10, int(os.environ.get("BENCH_PEOPLE", "8"))
PASSWORD, CODE = "correct-horse-battery", "91610800MA70A1B2C"


def plan(number: int) -> Terms:
    """The Yulin plan, this year's, under a code of its own."""
    data = yaml.safe_load((ROOT / "programs" / "catalogue" / "shaanxi-yulin-medical.2026.yaml").read_text("utf-8"))
    first, last = f"{today().year}-01-01", f"{today().year + 1}-12-31"
    data |= {"code": f"bench-{number}", "period": {"start": first, "end": last}}
    data["enrolment"] |= {"opens": first, "closes": last}
    raw = yaml.safe_dump(data, allow_unicode=True).replace(f"'{first}'", first).replace(f"'{last}'", last).encode()
    terms = load_plan(read_plan(raw, source="bench"), by=SYSTEM).terms
    return publish(check(terms, by=SYSTEM), by=SYSTEM)


def world() -> tuple[WorkUnit, list[Terms]]:
    """One office, one unit, ten plans; refused when anybody is in the database."""
    if Member.objects.exists():
        raise SystemExit("There are people in this database. Give an empty one.")
    if not Office.objects.exists():
        call_command("load_offices", verbosity=0)
    office = Office.objects.get(code="610800")
    user = User.objects.create_user("bench", None, display_name="bench")
    unit = WorkUnit.objects.create(
        credit_code=CODE + credit_code_check(CODE), office=office, name="测", nature="enterprise", headcount=5000, women_count=2000,
        state="approved",
    )  # fmt: skip
    UnitAgent.objects.create(office=office, unit=unit, user=user, since=today())
    return unit, [plan(i) for i in range(PLANS)]


def worker(i: int, unit: WorkUnit) -> tuple[Member, str]:
    """Somebody of the unit with a log-in, and the number they log in with."""
    number = make_id_number("610802", add_years(today(), -25 - i // 400), 101 + 2 * (i % 400))
    person = people.NewPerson("艾小梅", parse_id_number(number), "13800138000", "enterprise", True, True, unit.office_id, unit.pk)
    member = people.register_member(person)
    user = User.objects.create_user(f"bench{i}", PASSWORD, display_name="艾小梅")
    Member.objects.filter(pk=member.pk).update(user=user)
    member.refresh_from_db()
    return member, user.username


def draft(member: Member, terms: Terms) -> str:
    """Everything is filled in."""
    by = Actor(member.user_id, member.name, member_id=member.pk)
    made = joining.begin(member, terms, by=by)
    upload = CleanUpload("image/jpeg", PHOTO, "p.jpg", secrets.token_hex(32))
    joining.add_paper(made, kind="contract", upload=upload, by=by)
    return str(made.public_id)


def photo() -> bytes:
    """As a phone would send it after shrinking: 1280 × 960."""
    out = io.BytesIO()
    Image.effect_noise((1280, 960), 40).convert("RGB").save(out, "JPEG", quality=70)
    return out.getvalue()


PHOTO = photo()


class Joiner(Browser):
    """The browser of somebody who joins."""

    def send_photo(self, path: str) -> None:
        """Another picture every time: the same file is taken once."""
        mark = secrets.token_hex(16)
        fields = {"csrfmiddlewaretoken": self.cookies["csrftoken"], "kind": "contract"}
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        body = "".join([*parts, head]).encode() + PHOTO + f"\r\n--{mark}--\r\n".encode()
        status, _where, page = self.ask("POST", path, body, f"multipart/form-data; boundary={mark}")
        if status != 302:
            raise SystemExit(f"{status} from {path}: {page[:2000]}")

    def log_in(self, username: str) -> None:
        self.ask("GET", "/login")
        self.post("/login", username=username, password=PASSWORD)
        if "session" not in self.cookies:
            raise SystemExit("Nobody could log in.")


def send_in(browser: Joiner, public_id: str) -> None:
    """The form that makes the enrolment."""
    where = browser.post(f"/my/join/{public_id}/check", key=secrets.token_hex(16), true="on")
    if not where.endswith("/joined"):
        raise SystemExit(f"Sending in led to {where}.")


def whole_way(browser: Joiner, terms_id: int) -> None:
    """From the button on the plan's page to the number one keeps."""
    public_id = re.search(r"[0-9a-f-]{36}", browser.post(f"/my/plans/{terms_id}/join"))
    assert public_id is not None
    browser.send_photo(f"/my/join/{public_id.group()}/papers")
    status, _where, _page = browser.ask("GET", f"/my/join/{public_id.group()}/check")
    if status != 200:
        raise SystemExit(f"{status} from the page to check.")
    send_in(browser, public_id.group())


def at_once(name: str, acts: Sequence[Sequence[Callable[[], None]]], server: int) -> None:
    """Every client does its own acts one after the other, all clients together; printed: how many a second, how long one took, and the
    processor time of the web processes for one."""
    barrier, took, fell = Barrier(len(acts) + 1), list[float](), list[BaseException]()

    def client(own: Sequence[Callable[[], None]]) -> None:
        barrier.wait()
        try:
            for act in own:
                began = time.perf_counter()
                act()
                took.append(time.perf_counter() - began)
        except BaseException as error:  # told by the main thread
            fell.append(error)

    threads = [Thread(target=client, args=(own,)) for own in acts]
    for thread in threads:
        thread.start()
    busy = web_seconds(server)
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - began
    if fell:
        raise fell[0]
    middle, slow = statistics.median(took) * 1000, statistics.quantiles(took, n=20)[18] * 1000
    busy = (web_seconds(server) - busy) * 1000 / len(took)
    print(f"{name}: {len(took)} in {whole:.1f} s = {len(took) / whole:.1f} a second; one {middle:.0f} ms, 19 of 20 within {slow:.0f} ms;", end=" ")
    print(f"of it {busy:.1f} ms on a core of the web; load {os.getloadavg()[0]:.1f}", flush=True)


def measure(server: int, port: int, names: Sequence[str], drafts: Sequence[Sequence[str]], late: Sequence[Terms]) -> None:
    """Log in, then both ways; each client has its own people."""
    people_of = [(Joiner(port), name, own) for name, own in zip(names, drafts, strict=True)]
    shared = [people_of[client::CLIENTS] for client in range(CLIENTS)]
    at_once("logging in", [[partial(one.log_in, name) for one, name, _own in mine] for mine in shared], server)
    at_once("sending in", [[partial(send_in, one, key) for one, _name, own in mine for key in own] for mine in shared], server)
    at_once("the whole way", [[partial(whole_way, one, terms.pk) for one, _name, _own in mine for terms in late] for mine in shared], server)


def main() -> None:
    with everywhere(reason="measure"):
        unit, plans = world()
        ready, late = plans[: PLANS * 7 // 10], plans[PLANS * 7 // 10 :]
        workers = [worker(i, unit) for i in range(CLIENTS * EACH)]
        drafts = [[draft(member, terms) for terms in ready] for member, _name in workers]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')")
        print("PostgreSQL {}; fsync {}, synchronous_commit {}".format(*cursor.fetchone()), end="; ")
    print(f"{len(workers)} people, load {os.getloadavg()[0]:.1f}", flush=True)
    connections.close_all()
    server, port = serving()
    try:
        measure(server.pid, port, [name for _member, name in workers], drafts, late)
    finally:
        server.terminate()
        server.wait(30)
    with everywhere(reason="look"):
        made = [model.objects.count() for model in (Enrolment, ContributionDue, Evidence, JoinDraft)]
    wanted = len(workers) * PLANS
    if made != [wanted, wanted, wanted, 0]:
        raise SystemExit(f"Enrolments, debts, papers, drafts: {made}, not {wanted} each and none.")
    print(f"{wanted} enrolments, each with its debt and its paper")


if __name__ == "__main__":
    main()
