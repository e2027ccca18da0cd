"""Money against a bookkeeper of its own: Hypothesis lets people join, pay, claim, be paid too much, owe it, be paid less for it, be halted
and be erased in every order, with crashes, repeated answers of the bank, payments returned at once or late, and reversals, and
after each step a plain dict of Python must agree with the database to the fen.

That the bookkeeper would notice is proved by six bugs planted one by one: each must be found.

`LEDGER_MODEL_EXAMPLES=500 bin/test tests/claims/payouts/test_ledger_model.py` for a long night; `.ci/run` plays fifty
stories, `bin/test` four.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from decimal import ROUND_HALF_UP, Decimal
from itertools import count, cycle
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from pytest_django import DjangoDbBlocker

from claims.models import Claim
from claims.payouts import given_back, line_tables, recoveries, services
from claims.payouts.erasing import KEPT_YEARS, ErasureRefused, erase
from claims.payouts.models import PayoutBatch, PayoutLine, RecoveryPayment
from claims.services import accounts, adjudication, ceilings, corrections, halts, intake
from claims.services.reckoning import DecisionRefused
from members.models import Enrolment
from tests.conftest import Arranged, empty_all_tables
from tests.factories.desk import Desk, make_desk
from tests.factories.funds import slip
from tests.factories.offices import Cast
from tests.factories.payouts import check
from tests.factories.world import ASKED, JOINED, load, make_world
from tests.races.test_guards_taken_away import without
from unionaid.books.services import movements
from unionaid.ledger.invariants import look
from unionaid.ledger.models import Entry
from unionaid.ledger.posting import post
from unionaid.lib.calendar import frozen, plus_days, plus_months
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.reports.money import EVERY

EXAMPLES = int(os.environ.get("LEDGER_MODEL_EXAMPLES", "4"))
STEPS = 22
ACCOUNTS = cycle(["6217000010001234567", "6222021001012345678", "6228480402564890018"])
OUTCOMES = st.sampled_from(["成功", "失败", "失败", "成功", "silent", "wrong"])
FEE, CAP = 12_500, 5_000_000
PEOPLE, CLAIMS = 3, 7
ASKED_FOR, WAITING, PLANNED, LEAVING = "submitted", "approved", "in_batch", "paying"
BEFORE = plus_days(ASKED, -10)  # a changed account waits some days
PAID, BACK, GONE, HALTED = "paid", "returned_payment", "withdrawn", "halted"
OWED, SETTLED = "recovery", "recovered"
KEPT_BACK = Decimal("0.3")  # of a later benefit, for what was paid too much


def owed(self_pay_fen: int) -> int:
    """80% of the first 2,000 yuan, 70% to 10,000, 50% above; rounded half-up to the fen, once."""
    yuan, sum_ = Decimal(self_pay_fen) / 100, Decimal(0)
    for over, up_to, ratio in ((0, 2_000, "0.8"), (2_000, 10_000, "0.7"), (10_000, 10**9, "0.5")):
        sum_ += max(Decimal(0), min(yuan, Decimal(up_to)) - over) * Decimal(ratio)
    return int((sum_ * 100).quantize(Decimal(1), ROUND_HALF_UP))


class Bookkeeper:
    """What should be: what each person had of the yearly ceiling, what each claim is worth and where it stands, every account."""

    def __init__(self) -> None:
        self.books = Counter[str]()
        self.used = Counter[int]()
        self.worth: dict[int, int] = {}
        self.standing: dict[int, str] = {}
        self.whose: dict[int, int] = {}
        self.self_pay: dict[int, int] = {}
        # Of each correction by which too much had been paid, what is left of it; of each claim, for which and how much is kept back of it,
        # and whether that has settled something. Claims that a bank has had a payment of.
        self.corrected: dict[int, int] = {}
        self.left: dict[int, int] = {}
        self.kept: dict[int, tuple[int, int]] = {}
        self.counted, self.sent = set[int](), set[int]()

    def move(self, debit: str, credit: str, fen: int) -> None:
        self.books[debit] += fen
        self.books[credit] -= fen

    def grant(self, claim: int, member: int, self_pay_fen: int) -> int:
        fen = min(owed(self_pay_fen), CAP - self.used[member])
        self.used[member] += fen
        self.worth[claim], self.standing[claim], self.whose[claim] = fen, WAITING, member
        self.self_pay[claim] = self_pay_fen
        return fen

    def net(self, claims: Iterable[int]) -> int:
        """What the bank is to pay of these claims."""
        return sum(self.worth[key] - self.kept.get(key, (0, 0))[1] for key in claims)

    def keep_back(self, claims: Iterable[int]) -> None:
        """These are put in a batch: for the first time, or again after it was cancelled, it is settled what is kept back."""
        for claim in sorted(set(claims) - self.sent):
            for debt in sorted(debt for debt, left in self.left.items() if left and self.whose[debt] == self.whose[claim]):
                held = sum(fen for key, (against, fen) in self.kept.items() if against == debt and key not in self.counted)
                if part := min(self.left[debt] - held, int(self.worth[claim] * KEPT_BACK)):
                    self.kept[claim] = debt, part
                    break

    def arrive(self, claim: int) -> None:
        """The bank has paid it: what was kept back has settled so much, the first time."""
        self.standing[claim] = PAID
        if claim in self.kept and claim not in self.counted:
            self.counted.add(claim)
            self.settle(*self.kept[claim])

    def settle(self, debt: int, fen: int) -> None:
        self.left[debt] -= fen
        self.move("benefits", "recoverable", fen)
        self.standing[debt] = OWED if self.left[debt] else SETTLED

    def halt(self, claim: int) -> None:
        """It is not paid, and what was kept back of it has settled nothing."""
        self.standing[claim] = HALTED
        self.used[self.whose[claim]] -= self.worth[claim]
        debt, fen = self.kept.pop(claim, (0, 0))
        if claim in self.counted:
            self.settle(debt, -fen)

    def those(self, standing: str) -> list[int]:
        return sorted(key for key, now in self.standing.items() if now == standing)


class Crash(Exception):
    """The process ended here."""


class Money(RuleBasedStateMachine):
    """The steps; every example is taken back at its end."""

    desk: Desk
    # Has the bank answered to a first payment of almost the whole ceiling from the start, and is there a second claim on what is left? So
    # that the few examples of every run find what is planted; a long night finds it without.
    begun = False
    # Was somebody paid too much from the start, and is something kept back for it of a payment that arrived, came back and arrived again?
    owing = False

    def __init__(self) -> None:
        super().__init__()
        self.around = ExitStack()
        self.around.enter_context(frozen(ASKED))
        self.around.enter_context(everywhere(reason="arrange a test"))
        self.around.enter_context(transaction.atomic())
        self.told, self.files, self.orders = Bookkeeper(), list[tuple[PayoutBatch, bytes]](), count(701, 2)
        self.covers: list[Enrolment] = []
        for code, fen in Entry.objects.values("account__code").annotate(fen=Sum("amount_fen")).values_list("account__code", "fen"):
            self.told.books[code] = fen

    def teardown(self) -> None:
        try:
            assert look(EVERY) == []
        finally:
            transaction.set_rollback(True)
            self.around.close()

    # -- what people do -----------------------------------------------------------------------------------------------

    @initialize(outcomes=st.lists(OUTCOMES, min_size=4, max_size=4))
    def somebody_is_covered(self, outcomes: list[str]) -> None:
        self.somebody_joins_and_pays()
        if self.begun:
            self.a_claim_is_approved(0, 8_888_877)
            self.a_batch_is_made(few=False)
            self.a_batch_is_released(crashes=False, again=False)
            self.the_bank_answers(outcomes, twice=False, crashes=False)
            self.a_claim_is_approved(0, 8_888_877)
        if self.owing:
            self.a_claim_is_approved(0, 8_888_877)
            self.what_waits_is_paid()
            self.too_much_was_paid(0, 400_000)
            self.a_claim_is_approved(0, 1_000_000)
            for _again in range(2):
                self.what_waits_is_paid()
                self.the_bank_sends_one_back_late(1)
                self.another_account_is_given()

    def what_waits_is_paid(self) -> None:
        self.a_batch_is_made(few=False)
        self.a_batch_is_released(crashes=False, again=False)
        self.the_bank_answers(["成功"], twice=False, crashes=False)

    @precondition(lambda self: len(self.covers) < PEOPLE)
    @rule()
    def somebody_joins_and_pays(self) -> None:
        self.covers.append(self.desk.world.cover(self.desk.world.member(next(self.orders))))
        self.told.move("bank", "contributions", FEE)

    @precondition(lambda self: len(self.told.those(WAITING)) < 3 and len(self.told.standing) < CLAIMS)
    @rule(who=st.integers(0, PEOPLE), self_pay=st.one_of(st.integers(1, 9_000_000), st.sampled_from([1, 199_999, 1_000_001, 8_999_999])))
    def a_claim_is_approved(self, who: int, self_pay: int) -> None:
        cover = self.covers[who % len(self.covers)]
        claim = self.desk.world.claim(cover, self_pay)
        cast = self.cast
        if self.told.used[cover.member_id] == CAP:
            with pytest.raises(DecisionRefused), transaction.atomic():
                adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
                adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
            self.told.worth[claim.pk], self.told.standing[claim.pk], self.told.whose[claim.pk] = 0, ASKED_FOR, cover.member_id
            return
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        granted = adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
        assert granted.approved_fen == self.told.grant(claim.pk, cover.member_id, self_pay)

    @precondition(lambda self: not self.told.those(GONE))
    @rule(who=st.integers(0, PEOPLE), self_pay=st.integers(1, 9_000_000))
    def a_claim_is_withdrawn(self, who: int, self_pay: int) -> None:
        cover = self.covers[who % len(self.covers)]
        claim = self.desk.world.claim(cover, self_pay)
        intake.withdraw(claim, by=self.desk.world.worker(cover.member))
        self.told.worth[claim.pk], self.told.standing[claim.pk] = 0, GONE

    # -- what the house does ------------------------------------------------------------------------------------------

    @precondition(lambda self: self.told.those(WAITING))
    @rule(few=st.booleans())
    def a_batch_is_made(self, few: bool) -> None:
        ids = self.told.those(WAITING)[: 1 if few else None]
        batch = services.assemble(office=self.cast.a, claims=list(Claim.objects.filter(pk__in=ids)), by=self.payer, on=ASKED)
        self.told.keep_back(ids)
        assert batch.total_fen == self.told.net(ids)
        self.told.standing |= dict.fromkeys(ids, PLANNED)

    @precondition(lambda self: self.told.those(PLANNED))
    @rule()
    def a_batch_is_cancelled(self) -> None:
        batch = PayoutBatch.objects.filter(state="assembled").earliest("pk")
        ids = self.claims_of(batch)
        services.cancel(batch, by=self.payer)
        for claim in set(ids) - self.told.sent:
            self.told.kept.pop(claim, None)
        self.told.standing |= dict.fromkeys(ids, WAITING)

    @precondition(lambda self: self.told.those(PLANNED))
    @rule(crashes=st.booleans(), again=st.booleans())
    def a_batch_is_released(self, crashes: bool, again: bool) -> None:
        cast = self.cast
        batch = PayoutBatch.objects.filter(state="assembled").earliest("pk")
        ids = self.claims_of(batch)
        services.release(check(cast, batch), by=cast.actor(cast.manager))
        if crashes:  # after all was written, before the commit
            with suppress(Crash), transaction.atomic():
                services.carry_out_release(batch.pk, by=cast.actor(cast.manager))
                raise Crash
        for _run in range(1 + again):
            services.carry_out_release(batch.pk, by=cast.actor(cast.manager))
        self.told.move("benefits", "in_transit", self.told.net(ids))
        self.told.sent.update(ids)
        self.told.standing |= dict.fromkeys(ids, LEAVING)

    @precondition(lambda self: self.told.those(LEAVING))
    @rule(outcomes=st.lists(OUTCOMES, min_size=4, max_size=4), twice=st.booleans(), crashes=st.booleans())
    def the_bank_answers(self, outcomes: list[str], twice: bool, crashes: bool) -> None:
        batch = PayoutBatch.objects.filter(state="released").earliest("pk")
        rows = ["附言,金额,处理结果,失败原因", "XX,1.00,成功,"]
        booked, back = Counter[str](), 0
        for nth, line in enumerate(batch.lines.order_by("sequence")):
            outcome = outcomes[nth % len(outcomes)]
            if outcome == "silent":
                continue
            fen = line.amount_fen + (outcome == "wrong")
            row = f"{line.reference},{Decimal(fen) / 100:.2f},{'成功' if outcome == 'wrong' else outcome},"
            rows += [row, row] if twice else [row]
            if outcome != "wrong" and line.state == "open":
                booked[outcome] += self.told.net([line.claim_id])
                if outcome == "成功":
                    self.told.arrive(line.claim_id)
                else:
                    self.told.standing[line.claim_id] = BACK
            elif outcome == "失败" and line.state == "succeeded":
                back += self.told.net([line.claim_id])
                self.told.standing[line.claim_id] = BACK
        data = "\r\n".join(rows).encode("gb18030")
        self.files.append((batch, data))
        self.book(batch, data, crashes=crashes)
        self.told.move("in_transit", "bank", booked["成功"])
        self.told.move("in_transit", "benefits", booked["失败"])
        self.told.move("bank", "benefits", back)

    @precondition(lambda self: self.told.those(PAID))
    @rule(which=st.integers(0, CLAIMS))
    def the_bank_sends_one_back_late(self, which: int) -> None:
        """Days after it had confirmed it."""
        paid = self.told.those(PAID)
        line = PayoutLine.objects.select_related("batch").get(claim=paid[which % len(paid)], state="succeeded")
        row = f"{line.reference},{Decimal(line.amount_fen) / 100:.2f},退票,"
        self.book(line.batch, f"附言,金额,处理结果,失败原因\r\n{row}".encode("gb18030"), crashes=False)
        self.told.move("bank", "benefits", self.told.net([line.claim_id]))
        self.told.standing[line.claim_id] = BACK

    @precondition(lambda self: self.files)
    @rule(which=st.integers(0, 5), shuffled=st.booleans())
    def an_old_answer_comes_again(self, which: int, shuffled: bool) -> None:
        """The same file, or the same lines in another order: nothing of it counts twice."""
        batch, data = self.files[which % len(self.files)]
        head, *rows = data.decode("gb18030").split("\r\n")
        told = self.open_lines_told(batch, rows)
        if not told:  # what the first file left open could be answered by chance only
            self.book(batch, "\r\n".join([head, *reversed(rows)]).encode("gb18030") if shuffled else data, crashes=False)

    def open_lines_told(self, batch: PayoutBatch, rows: list[str]) -> bool:
        waiting = set(PayoutLine.objects.filter(batch=batch, state="open").values_list("reference", flat=True))
        return any(row.partition(",")[0] in waiting for row in rows)

    def book(self, batch: PayoutBatch, data: bytes, *, crashes: bool) -> None:
        kept = services.take_return(PayoutBatch.objects.get(pk=batch.pk), data=data, file_name="r.csv", by=self.payer)
        if crashes:
            with suppress(Crash), transaction.atomic():
                services.book_return(kept.pk, by=self.payer, on=ASKED)
                raise Crash
        for _run in range(2):
            services.book_return(kept.pk, by=self.payer, on=ASKED)

    @precondition(lambda self: self.to_correct())
    @rule(which=st.integers(0, CLAIMS), self_pay=st.integers(1, 9_000_000))
    def too_much_was_paid(self, which: int, self_pay: int) -> None:
        """It is found that less was due of what was paid, and asked back."""
        mine = self.to_correct()
        first = mine[which % len(mine)]
        less, told = min(self_pay, self.told.self_pay[first] // 2), self.told
        made = corrections.reclassify(
            Claim.objects.get(pk=first), {"diagnosis_code": "K35.2"}, by=self.desk.other_reviewer, on=ASKED, note="复查"
        )
        made.admissions.update(psn_part_amt_fen=less)
        adjudication.reclaim(made, by=self.desk.other_approver, on=ASKED, clause="第七条", note="复查")
        recoveries.open_for(made.pk, by=SYSTEM, on=ASKED)
        whose = told.whose[first]
        over = told.worth[first] - min(owed(less), CAP - told.used[whose] + told.worth[first])
        told.used[whose] -= over
        told.move("recoverable", "benefits", over)
        told.corrected[first] = made.pk
        told.worth[made.pk], told.standing[made.pk], told.whose[made.pk], told.left[made.pk] = 0, OWED, whose, over

    def to_correct(self) -> list[int]:
        return [
            claim for claim in self.told.those(PAID)
            if claim not in self.told.corrected and owed(self.told.self_pay[claim] // 2) < self.told.worth[claim]
        ]  # fmt: skip

    @precondition(lambda self: set(self.told.those(BACK)) - set(self.told.corrected))
    @rule()
    def what_came_back_is_halted(self) -> None:
        """The decision was wrong in some way: a claim of its own takes its place."""
        claim = Claim.objects.get(pk=min(set(self.told.those(BACK)) - set(self.told.corrected)))
        halts.propose(claim, reason="核对", clause="第七条", by=self.desk.reviewer, on=ASKED)
        made = halts.confirm(claim, by=self.desk.approver, on=ASKED)
        for _run in range(2):
            recoveries.owe_again(claim.pk, by=SYSTEM, on=ASKED)
        self.told.halt(claim.pk)
        granted = self.desk.decide_otherwise(made)
        assert granted.approved_fen == self.told.grant(made.pk, self.told.whose[claim.pk], self.told.self_pay[claim.pk])

    @precondition(lambda self: self.told.those(BACK))
    @rule()
    def another_account_is_given(self) -> None:
        claim = Claim.objects.get(pk=self.told.those(BACK)[0])
        card = self.desk.world.card(claim.claimant, next(ACCOUNTS))
        accounts.correct(claim, card=card, by=self.desk.world.worker(claim.claimant), on=BEFORE)
        self.told.standing[claim.pk] = WAITING

    @precondition(lambda self: len(self.covers) > 1)
    @rule(who=st.integers(0, PEOPLE))
    def somebody_is_erased(self, who: int) -> None:
        """Not while something is open or has to be kept; then not a fen moves."""
        cover = self.covers[who % len(self.covers)]
        with pytest.raises(ErasureRefused), transaction.atomic():
            erase(cover.member, by=SYSTEM, on=ASKED)
        theirs = {standing for claim, standing in self.told.standing.items() if self.told.whose.get(claim) == cover.member_id}
        refused = pytest.raises(ErasureRefused) if theirs - {PAID, SETTLED, HALTED} else nullcontext()
        with refused, transaction.atomic():
            erase(cover.member, by=SYSTEM, on=plus_months(ASKED, 12 * (KEPT_YEARS + 2)))
            self.covers.remove(cover)

    @precondition(lambda self: self.told.books["bank"] < 10**12)
    @rule(fen=st.integers(1, 10**9), reversed_=st.booleans())
    def money_is_put_in_and_perhaps_taken_back(self, fen: int, reversed_: bool) -> None:
        cast = self.cast
        manager = cast.actor(cast.manager)
        own = {"basis": "拨款", "papers": [slip(f"m{next(self.orders)}")], "by": self.payer, "on": ASKED}
        made = movements.propose(cast.a, kind="allocation", fund="mutual_aid", amount_fen=fen, happened_on=ASKED, **own)
        movements.confirm(made, by=manager, on=ASKED)
        if reversed_:
            movements.confirm(movements.propose_reversal(made, **own), by=manager, on=ASKED)
        else:
            self.told.move("bank", "allocations", fen)

    # -- what is always so --------------------------------------------------------------------------------------------

    @invariant()
    def the_books_are_the_bookkeepers(self) -> None:
        found = dict(Entry.objects.values("account__code").annotate(fen=Sum("amount_fen")).values_list("account__code", "fen"))
        assert {code: fen for code, fen in found.items() if fen} == {code: fen for code, fen in self.told.books.items() if fen}

    @invariant()
    def every_claim_stands_where_it_should(self) -> None:
        found = dict(Claim.objects.filter(pk__in=self.told.standing).values_list("pk", "state"))
        assert found == self.told.standing

    @invariant()
    def the_database_agrees_with_itself(self) -> None:
        with connection.cursor() as cursor:  # what is only looked at before a commit is looked at now
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    @property
    def cast(self) -> Cast:
        return self.desk.world.cast

    @property
    def payer(self) -> Any:
        return self.cast.actor(self.cast.payer)

    def claims_of(self, batch: PayoutBatch) -> list[int]:
        return list(batch.lines.filter(state="open").values_list("claim_id", flat=True))


def run(desk: Desk, *, examples: int, begun: bool = False, owing: bool = False) -> None:
    machine = type("Machine", (Money,), {"desk": desk, "begun": begun, "owing": owing})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck), report_multiple_bugs=False, print_blob=False,
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Desk]:
    """A world that stands for all connections, so that the owner can take guards away; emptied at the end."""
    with django_db_blocker.unblock():
        if Arranged.standing:
            Arranged.standing.take_away()
        with frozen(JOINED), everywhere(reason="arrange a test"):
            made = make_desk(make_world())
            made.world.yulin = load("shaanxi-yulin-medical.2026", code="sets-off", deciding={"set_off_ratio": str(KEPT_BACK)})
        yield made
        connections.close_all()
        empty_all_tables()


def test_whatever_happens_in_whatever_order_the_books_are_the_bookkeepers(plain: Desk) -> None:
    owing = max(1, EXAMPLES // 4)
    run(plain, examples=owing, owing=True)
    run(plain, examples=EXAMPLES - owing)


Plant = Callable[[pytest.MonkeyPatch], None]


def _paid_twice(patch: pytest.MonkeyPatch) -> None:
    add = services._add

    def twice(batch: PayoutBatch, ids: Any, *, by: Any) -> Any:
        added = add(batch, ids, by=by)
        with connection.cursor() as cursor:
            cursor.execute(TWICE, [batch.pk])
        batch.line_count, batch.total_fen = 2 * batch.line_count, 2 * batch.total_fen
        batch.save(update_fields=["line_count", "total_fen"])
        return added

    patch.setattr(services, "_add", twice)


COPIED = "office_id, batch_id, state, version, bank_reason, claim_id, payee_name, bank_name, account_number, account_last_four, amount_fen"
TWICE = f"""INSERT INTO payouts_payoutline ({COPIED}, set_off_fen, sequence, reference)
SELECT {COPIED}, set_off_fen, 500 + sequence, 'x' || reference FROM payouts_payoutline WHERE batch_id = %s"""


def _rounded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(line_tables, "_READ", line_tables._READ.replace("c.approved_fen", "ceil(c.approved_fen / 100.0)::bigint * 100"))


def _not_reversed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(given_back, "post", lambda kind, postings, **told: None if kind == "payout_returned" else post(kind, postings, **told))


def _stale_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ceilings.Usage, "under", lambda usage, claim: {})


def _booked_twice(patch: pytest.MonkeyPatch) -> None:
    def twice(kind: str, postings: Any, **told: Any) -> None:
        post(kind, postings, **told)
        if kind == "payout_settled":
            post("payout_settled_again", postings, **told)

    patch.setattr(services, "post", twice)


def _kept_back_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recoveries, "_standing", lambda _claims: RecoveryPayment.objects.none())


LIMIT = "ALTER TABLE claims_ceilingusage {} CONSTRAINT ceiling_never_overspent"
OWING = "what was kept back settles again when the payment is made again"
# what is wrong → how the database's own guard is taken away, the guard, and the bug
BUGS: dict[str, tuple[str, str, Plant]] = {
    "a claim has two lines": (
        "DROP INDEX claim_paid_once",
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'claim_paid_once'",
        _paid_twice,
    ),
    "each line is rounded": ("", "", _rounded),
    "a returned payment is not reversed": ("", "", _not_reversed),
    "the ceiling is read without what others took": (
        LIMIT.format("DROP"),
        f"SELECT '{LIMIT.format('ADD')} ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ceiling_never_overspent'",
        _stale_limit,
    ),
    "the bank's answer is booked twice": ("", "", _booked_twice),
    OWING: (
        "CREATE OR REPLACE FUNCTION payouts_set_off_once() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SELECT pg_get_functiondef('payouts_set_off_once'::regproc)",
        _kept_back_twice,
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_each_planted_bug_is_found(plain: Desk, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    """The controls: with the guard of the database taken away as well, only the bookkeeper is left."""
    take, guard, plant = BUGS[bug]
    with ExitStack() as around:
        if take:
            with connections["owner"].cursor() as cursor:
                cursor.execute(guard)
                (put_back,) = cursor.fetchone()
            around.enter_context(without(take, put_back))
        plant(monkeypatch)
        with pytest.raises(AssertionError):
            run(plain, examples=EXAMPLES, begun=bug != OWING, owing=bug == OWING)
