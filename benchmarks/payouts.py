"""How long a batch of 100,000 approved claims takes: made with its frozen lines, released into ledger and bank file, and the bank's
answer read, previewed and booked; beside the least that can be asked: COPY of the same lines into one table, and reading the answer alone.

    export DATABASE_URL=… DATABASE_OWNER_URL=… REDIS_URL=…      # an empty database with fsync on; never one in use
    python manage.py migrate
    python benchmarks/payouts.py                   # 100,000 claims a batch; one batch answered by csv, one by pain.002, each three times
    BENCH_CLAIMS=5000 BENCH_ROUNDS=1 python benchmarks/payouts.py

The claims are copies, made by the owner set by set, of one that went through the services. One line in a hundred comes back. The jobs are
run by this process and by one forked beside it, as by two workers (BENCH_WORKERS=1: by this alone). Printed of every step: seconds, rows a
second, seconds of processor (of both and their sessions in the database), statements of both, greatest memory of one of them.
"""

import io
import os
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django

django.setup()

from django.db import connection, connections
from django.db.models import Model

from claims.models import Claim
from claims.payouts import services
from claims.payouts.bank import answers
from claims.payouts.choosing import Choice
from claims.payouts.models import BankReturn, PayoutBatch, PayoutLine
from claims.services import adjudication
from members.models import BankCard, Enrolment, Member
from members.services.people import CARDS
from tests.factories.funds import fill
from tests.factories.payouts import check
from tests.factories.world import ASKED, JOINED, World, make_world
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.reports.money import audit
from unionaid.web.keys import ring
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import Job

WORKERS = int(os.environ.get("BENCH_WORKERS", "2"))
CLAIMS, ROUNDS = int(os.environ.get("BENCH_CLAIMS", "100000")), int(os.environ.get("BENCH_ROUNDS", "3"))
BACK = 100  # one line in so many comes back
KINDS = ("csv", "pain.002")

# One member, cover, card and claim of before, so many times over: what differs from the one that is copied.
MADE = """
CREATE TEMP TABLE made AS SELECT i, nextval('members_member_id_seq') AS a_member, nextval('members_enrolment_id_seq') AS a_cover,
  nextval('members_bankcard_id_seq') AS a_card, nextval('claims_claim_id_seq') AS a_claim,
  '职工' || chr(20000 + (i % 5000)::int) AS a_name FROM generate_series(1, {claims}) i"""
COPIES: tuple[tuple[type[Model], str, dict[str, str]], ...] = (
    (Member, "member_id", {"id": "a_member", "id_hash": "sha256(a_member::text::bytea)", "user_id": "NULL", "name": "a_name"}),
    (Enrolment, "enrolment_id", {"id": "a_cover", "public_id": "gen_random_uuid()", "member_id": "a_member", "holder_id": "a_member"}),
    (
        BankCard,
        "card_id",
        {"id": "a_card", "member_id": "a_member", "owner_name": "a_name", "number_hash": "sha256(a_card::text::bytea)"},
    ),
    (
        Claim,
        "id",
        {
            "id": "a_claim", "number": "'SL9' || lpad(a_claim::text, 10, '0')", "public_id": "gen_random_uuid()", "member_id": "a_member",
            "claimant_id": "a_member", "enrolment_id": "a_cover", "card_id": "a_card", "approved_fen": "10000 + i",
            "state": "'approved'::text",
        },
    ),
)  # fmt: skip


def first_claim() -> tuple[World, Claim]:
    """The cast of two offices, and one claim from the cover to the approval, through the services."""
    if Claim._base_manager.exists():
        raise SystemExit("This database holds claims. Give an empty one.")
    with frozen(JOINED):
        world = make_world()
    with frozen(ASKED), everywhere(reason="arrange"):
        fill(world.cast, on=JOINED, amount_fen=10**13)
        claim = world.claim(world.cover(world.member(101)), 600_000)
        adjudication.review(claim, by=world.cast.actor(world.cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=world.cast.actor(world.cast.approver), on=ASKED)
        return world, claim


def more_like(claim: Claim) -> None:
    """So many approved claims more, of as many people; every account's number is sealed for its own row."""
    seal = ring().seal_many((CARDS, "number"))
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('unionaid.offices', '*', FALSE)")
        cursor.execute(MADE.format(claims=CLAIMS))
        for model, key, changed in COPIES:
            names = [field.column for field in model._meta.concrete_fields if not field.generated]
            told = ", ".join(f"'{name}', {value}" for name, value in changed.items())
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {', '.join(f'n.{name}' for name in names)}"
                f" FROM {model._meta.db_table} o, made, LATERAL jsonb_populate_record(o, jsonb_build_object({told})) n"
                f" WHERE o.id = {getattr(claim, key)}"
            )
        cursor.execute("SELECT a_card FROM made")
        cards = [card for (card,) in cursor.fetchall()]
        lines = "".join(f"{card}\t\\\\x{seal(f'62284804{card:011d}', card).hex()}\n" for card in cards)
        cursor.execute("CREATE TEMP TABLE numbers (card bigint PRIMARY KEY, number bytea)")
        cursor.copy_expert("COPY numbers FROM STDIN", io.StringIO(lines))
        cursor.execute("UPDATE members_bankcard b SET number = n.number FROM numbers n WHERE n.card = b.id")
        cursor.execute("DROP TABLE made; DROP TABLE numbers")
        for model, _key, _changed in COPIES:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


# -- the stop-watch --------------------------------------------------------------------------------------------------


def processor(*aliases: str) -> float:
    """Seconds of processor so far: of this process, and of its sessions in the database (nothing where that is elsewhere)."""
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) + sum(session_seconds(alias) for alias in aliases or ("default", "owner"))


def session_seconds(alias: str) -> float:
    connections[alias].ensure_connection()
    stat = Path(f"/proc/{connections[alias].connection.info.backend_pid}/stat")
    told = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def greatest_memory() -> int:
    """In MiB, since it was last counted from anew."""
    told = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(told.split()[1]) // 1024


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many statements the block asks, in the list's only place."""
    asked = [0]

    def count(execute: Any, *args: Any) -> Any:
        asked[0] += 1
        return execute(*args)

    with connection.execute_wrapper(count):
        yield asked


class Beside:
    """A second worker in a process of its own, forked before anything is connected: asked to, it runs what is due until it is told to stop,
    and says what it used."""

    def __init__(self) -> None:
        self.ours, theirs = Pipe()
        if os.fork() == 0:
            self.ours.close()
            self._serve(theirs)
            os._exit(0)
        theirs.close()

    def begin(self) -> None:
        self.ours.send("begin")

    def end(self) -> tuple[float, int, int]:
        """Seconds of processor, statements and greatest memory since it began."""
        self.ours.send("end")
        return self.ours.recv()

    def _serve(self, asked: Connection) -> None:
        with suppress(EOFError), frozen(ASKED):
            while asked.recv() == "begin":
                Path("/proc/self/clear_refs").write_text("5")
                said, before = [0], processor("default")
                while not asked.poll(0.02):
                    with counted() as asked_now:
                        if run_due("payouts"):
                            said[0] += asked_now[0]
                asked.recv()
                asked.send((processor("default") - before, said[0], greatest_memory()))


def until_all_is_done() -> None:
    """Run what is due beside the other worker until nobody has anything left to do."""
    while True:
        run_due("payouts")
        with everywhere(reason="look"):
            if not Job.objects.filter(kind__startswith="payouts.", job_state__in=["queued", "running"]).exists():
                return
        time.sleep(0.02)


class Watch:
    """What each step took, round by round."""

    def __init__(self, beside: Beside | None) -> None:
        self.beside = beside
        self.clock: dict[str, list[float]] = defaultdict(list)
        self.busy: dict[str, list[float]] = defaultdict(list)
        self.said: dict[str, int] = {}
        self.memory: dict[str, int] = defaultdict(int)

    @contextmanager
    def over(self, step: str, *, jobs: bool = False) -> Iterator[None]:
        """Clock, processor and statements of one step, `jobs`: of both workers. A transaction that is open would hide the commit."""
        beside = self.beside if jobs else None
        if connection.in_atomic_block:
            raise RuntimeError("a transaction is open: what is measured would not be committed")
        Path("/proc/self/clear_refs").write_text("5")  # the greatest memory counts from here
        if beside:
            beside.begin()
        began, before = time.perf_counter(), processor()
        with counted() as asked:
            yield
        self.clock[step].append(time.perf_counter() - began)
        busy, said, memory = beside.end() if beside else (0.0, 0, 0)
        self.busy[step].append(processor() - before + busy)
        self.said[step] = asked[0] + said
        self.memory[step] = max(self.memory[step], greatest_memory(), memory)
        took = f"{self.clock[step][-1]:.2f} s, {self.busy[step][-1]:.2f} s of processor"
        print(f"  {step}: {took}, {self.said[step]} statements, {self.memory[step]} MiB", flush=True)

    def median(self, step: str) -> tuple[float, float]:
        return statistics.median(self.clock[step]), statistics.median(self.busy[step])


def in_its_own_transaction(act: Callable[[], Any]) -> Any:
    """As a page or a job does it, to the last byte on disk."""
    with frozen(ASKED), everywhere(reason="measure"):
        return act()


# -- one batch -------------------------------------------------------------------------------------------------------


def one_batch(world: World, watch: Watch, kind: str) -> None:
    """From approved claims to the answer booked; whatever is odd stops the measurement."""
    payer, manager = world.cast.actor(world.cast.payer), world.cast.actor(world.cast.manager)
    with watch.over("make", jobs=True):
        batch = in_its_own_transaction(lambda: services.make(Choice(world.cast.a.pk, "mutual_aid"), by=payer, on=ASKED))
        with frozen(ASKED):
            until_all_is_done()
    in_its_own_transaction(lambda: check(world.cast, PayoutBatch.objects.get(pk=batch.pk)))
    with watch.over("release", jobs=True):
        in_its_own_transaction(lambda: services.release(PayoutBatch.objects.get(pk=batch.pk), by=manager))
        with frozen(ASKED):
            until_all_is_done()
    with watch.over("least: COPY"):
        bare_copy()
    batch = in_its_own_transaction(lambda: PayoutBatch.objects.get(pk=batch.pk))
    if (batch.state, batch.line_count) != ("released", CLAIMS):
        raise SystemExit(f"{batch.line_count} lines, {batch.state}")
    data = answer(batch, kind)
    with watch.over(f"least: read {kind}"):
        sum(1 for _one in answers.read(data))
    with watch.over(f"take {kind}"):
        kept = in_its_own_transaction(lambda: services.take_return(batch, data=data, file_name=f"r.{kind}", by=payer))
    with watch.over(f"book {kind}", jobs=True), frozen(ASKED):
        until_all_is_done()
    kept = in_its_own_transaction(lambda: BankReturn.objects.get(pk=kept.pk))
    if (kept.succeeded_count, kept.failed_count, kept.unmatched_count) != (CLAIMS - CLAIMS // BACK, CLAIMS // BACK, 0):
        raise SystemExit(f"{kept.succeeded_count} paid, {kept.failed_count} came back, {kept.unmatched_count} odd")


def bare_copy() -> None:
    """The lines of the newest batch as text, into one table without a guard."""
    out = io.StringIO()
    with connections["owner"].cursor() as cursor:
        columns = "sequence, claim_id, payee_name, bank_name, account_number, amount_fen, reference"
        asked = f"SELECT {columns} FROM payouts_payoutline WHERE batch_id = (SELECT max(batch_id) FROM payouts_payoutline)"
        cursor.execute(f"CREATE TABLE bench_lines AS {asked} LIMIT 0")
        cursor.copy_expert(f"COPY ({asked}) TO STDOUT", out)
        out.seek(0)
        cursor.copy_expert("COPY bench_lines FROM STDIN", out)
        cursor.execute("DROP TABLE bench_lines")


def answer(batch: PayoutBatch, kind: str) -> bytes:
    """What the bank says of every line, in an order of its own."""
    with everywhere(reason="answer"):
        lines = list(PayoutLine.objects.filter(batch=batch).order_by("account_number").values_list("reference", "amount_fen", "sequence"))
    if kind == "csv":
        told = (f"{ref},{fen / 100:.2f},{'退票,户名不符' if n % BACK == 0 else '成功,'}\r\n" for ref, fen, n in lines)
        return ("附言,金额,处理结果,失败原因\r\n" + "".join(told)).encode("gb18030")  # zh: the bank's own words
    good, bad = "<TxSts>ACSC</TxSts>", "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf>"
    told = (
        f"<TxInfAndSts><OrgnlEndToEndId>{ref}</OrgnlEndToEndId>{bad if n % BACK == 0 else good}<OrgnlTxRef><Amt>"
        f'<InstdAmt Ccy="CNY">{fen / 100:.2f}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>\n'
        for ref, fen, n in lines
    )
    head = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlPmtInfAndSts>'
    return f"{head}{''.join(told)}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>".encode()


def main() -> None:
    beside = Beside() if WORKERS > 1 else None
    world, claim = first_claim()
    with everywhere(reason="only the copies are measured"):
        services.assemble(office=world.cast.a, claims=[claim], by=world.cast.actor(world.cast.payer), on=ASKED)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')")
        print("PostgreSQL {}, fsync {}, synchronous_commit {}".format(*cursor.fetchone()))
    watch = Watch(beside)
    for number in range(ROUNDS * len(KINDS)):
        more_like(claim)
        print(f"batch {number + 1} of {CLAIMS:,} claims, answered by {KINDS[number % len(KINDS)]}; load {os.getloadavg()[0]:.1f}", flush=True)
        one_batch(world, watch, KINDS[number % len(KINDS)])
    found = check_everything()
    if found:
        raise SystemExit(f"the books do not add up: {found}")
    report(watch)


def check_everything() -> list[str]:
    """What the nightly audit of all money finds; nothing, or the figures are of work badly done. The copies have no statement and use
    no limit of their own, so what is asked of these (I3, I7) is left out."""
    with everywhere(reason="audit"):
        return [f"{one.code} {one.words} {one.rows[:3]}" for one in audit() if one.code not in ("I3", "I7")]


def report(watch: Watch) -> None:
    """Medians. Making and releasing a batch is held against the COPY, taking and booking an answer against reading it."""
    for step in watch.clock:
        clock, busy = watch.median(step)
        print(f"{step}: {clock:.2f} s, {CLAIMS / clock:,.0f} rows/s, processor {busy:.2f} s; {watch.said[step]} statements; {watch.memory[step]} MiB")
    for name, steps, least in (
        ("batch, ledger and bank file", ("make", "release"), "least: COPY"),
        *((f"answer by {kind} previewed and booked", (f"take {kind}", f"book {kind}"), f"least: read {kind}") for kind in KINDS),
    ):
        clock, busy = (sum(watch.median(step)[i] for step in steps) for i in (0, 1))
        bare, bare_busy = watch.median(least)
        print(
            f"{name}: {clock:.2f} s = {CLAIMS / clock:,.0f} rows/s; {least} {bare:.2f} s, ratio {clock / bare:.1f};"
            f" processor {busy:.2f} s and {bare_busy:.2f} s, ratio {busy / max(bare_busy, 0.01):.1f}"
        )
    print(f"greatest memory of the process in any step: {max(watch.memory.values())} MiB")


if __name__ == "__main__":
    main()
