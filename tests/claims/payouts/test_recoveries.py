"""What was paid too much is owed back: in the books, in parts, from what arrives, off later benefit as the plan says, or let go by two."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from claims.models import COOLING_DAYS, CeilingUsage, Claim
from claims.payouts import recoveries
from claims.payouts import services as payouts
from claims.payouts.invariants import INVARIANTS
from claims.payouts.models import PayoutBatch, PayoutLine, Recovery, RecoveryPayment
from claims.payouts.recoveries import RecoveryRefused
from claims.services import accounts, adjudication, corrections, halts, intake, netting, relief
from claims.services.adjudication import DecisionRefused
from claims.services.intake import ClaimRefused
from members.bankstatement import own_payment_in
from members.models import Remittance
from members.selectors.contributions import discrepancies
from members.services import contributions
from tests.factories.clients import client_of
from tests.factories.desk import CRITICAL, Desk
from tests.factories.funds import fill
from tests.factories.offices import PASSWORD
from tests.factories.payouts import release
from tests.factories.world import ASKED, ILL, load
from unionaid.accounts.models import User
from unionaid.ledger.invariants import look
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, plus_days
from unionaid.lib.money import format_yuan
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import SYSTEM
from unionaid.reports.money import audit
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.models import Job, Notice
from unionaid.workflow.moves import MoveRefused, NotAllowed

WHY = "病理报告第 2 页：属于轻度"


@dataclass
class Case:
    """A severe illness of 30,000 that was paid and proved to be a mild one of 9,000."""

    desk: Desk
    first: Claim

    @property
    def payer(self):
        return self.desk.world.cast.actor(self.desk.world.cast.payer)

    def pay(self, claim: Claim, *, outcome: str = "成功") -> PayoutLine:
        """By way of batch, release and the bank's answer."""
        desk = self.desk
        batch = payouts.assemble(office=desk.world.cast.a, claims=[claim], by=self.payer, on=ASKED)
        release(desk.world.cast, batch)
        run_due("payouts")
        line = batch.lines.get()
        batch.refresh_from_db()
        self.answer(batch, line, outcome)
        claim.refresh_from_db()
        line.refresh_from_db()
        return line

    def answer(self, batch: PayoutBatch, line: PayoutLine, outcome: str) -> None:
        """The bank says so of this line."""
        told = f"附言,金额,处理结果,失败原因\r\n{line.reference},{format_yuan(line.amount_fen).replace(',', '')},{outcome},"
        payouts.take_return(batch, data=told.encode("gb18030"), file_name="r.csv", by=self.payer)
        run_due("payouts")

    def correct(self, kind: str = "critical_mild") -> Claim:
        return corrections.reclassify(self.first, {"diagnosis_class": kind}, by=self.desk.other_reviewer, on=ASKED, note="复查发现")

    def reclaim(self) -> Recovery:
        made = self.correct()
        adjudication.reclaim(made, by=self.desk.other_approver, on=ASKED, clause="第七条", note=WHY)
        run_due("payouts")
        return Recovery.objects.get(claim=made)

    def arrives(self, fen: int, remark: str = "") -> Remittance:
        number = f"R{Remittance.objects.count()}"
        made = Remittance.objects.create(
            office=self.desk.world.cast.a, payer_name="王小明", remark=remark, bank_reference=number, received_on=ASKED, amount_fen=fen
        )
        contributions.post_arrivals([made], on=ASKED, by=self.payer)
        return made


def balances(fund: str = "mutual_aid") -> dict[str, int]:
    """What stands on each account of the fund."""
    found: dict[str, int] = {}
    for code, fen in Entry.objects.filter(account__fund=fund).values_list("account__code", "amount_fen"):
        found[code] = found.get(code, 0) + fen
    return {code: fen for code, fen in found.items() if fen}


@pytest.fixture
def case(desk: Desk) -> Case:
    claim = desk.diagnosis(desk.cover(desk.plan(CRITICAL)), "critical_severe")
    return Case(desk, desk.decide(claim))


@pytest.fixture
def paid(case: Case) -> Case:
    case.pay(case.first)
    assert case.first.state == "paid"
    return case


def used() -> dict[str, int]:
    return dict(CeilingUsage.objects.values_list("key", "used_fen"))


def over_of(case: Case) -> int:
    """By how much the whole of the correction is less than what was paid."""
    made = Claim.objects.get(corrects=case.first)
    return case.first.approved_fen - made.statements.get(is_final=True).total_fen


def test_relief_follows_the_benefit_that_it_is_net_of_down_and_up(paid: Case) -> None:
    """Own cost is the benefit and 6,000: relief was 10,000 as if there were no benefit, is 6,000 beside it, 10,000 again beside less."""
    desk, first, member = paid.desk, paid.first, paid.first.member
    dalian, by = load("dalian-relief.2026", office=None), desk.world.worker(member)
    relieved = relief.begin(member, dalian, event="diagnosis", happened_on=ILL, by=by, on=ASKED)
    told = {"event_on": ILL, "diagnosis": "心梗", "diagnosis_code": "I21.0", "hospital": "第一医院", "other_aid_fen": 0}
    intake.tell(relieved, told, by=by, on=ASKED)
    own = first.approved_fen + 600_000
    fen = {"medfee_sumamt": own, "psn_part_amt": own, "psn_cash_pay": own}
    intake.set_stay(relieved, admitted_on=ILL, discharged_on=ILL, fen=fen, by=by, on=ASKED)
    intake.add_document(relieved, kind="pathology", upload=CleanUpload("image/jpeg", b"j", "p.jpg", "9" * 64), by=by)
    intake.choose_card(relieved, first.card, by=by)
    desk.decide(intake.submit(relieved, by=by, on=ASKED))
    fill(desk.world.cast, on=ASKED, fund="relief")
    paid.pay(relieved)
    assert (relieved.state, relieved.approved_fen) == ("paid", 1_000_000)
    Claim.objects.filter(pk=relieved.pk).update(occasion=first.occasion)
    (less,) = netting.renew(first.pk, on=ASKED)
    assert [flag.code for flag in less.flags.all()] == ["benefit_changed"]
    page = client_of(desk.world.cast.reviewer).get(reverse("admin:claim_review", args=[less.pk])).content.decode()
    assert "这笔救助原来核定 10,000.00 元，扣减后重新计算是 6,000.00 元" in page
    with pytest.raises(ClaimRefused, match="不能撤回"):
        intake.withdraw(less, by=by)
    with transaction.atomic():  # the benefit is another again meanwhile
        Claim.objects.filter(pk=first.pk).update(approved_fen=first.approved_fen - 100_000)
        assert netting.renew(first.pk, on=ASKED) == []
        assert less.flags.get().figures["now_fen"] == 700_000, "whoever decides sees what it comes to now"
        transaction.set_rollback(True)
    adjudication.review(less, by=desk.reviewer, on=ASKED)
    adjudication.reclaim(less, by=desk.approver, on=ASKED, clause="第四条", note=WHY)
    run_due("payouts")
    assert Recovery.objects.get(claim=less).amount_fen == 400_000
    relieved.refresh_from_db()
    assert (relieved.state, relieved.approved_fen) == ("paid", 1_000_000), "what was decided stays"
    paid.reclaim()
    run_due("default")
    more = Claim.objects.get(corrects=less)
    assert desk.decide(more).approved_fen == 400_000, "the benefit went down: relief is 10,000 again"
    assert netting.renew(first.pk, on=ASKED) == []


def test_nothing_is_asked_back_before_the_bank_has_paid_or_without_less_or_by_the_reviewer(case: Case) -> None:
    made, by = case.correct(), case.desk.other_approver
    with pytest.raises(DecisionRefused, match="还没有付到账"):
        adjudication.reclaim(made, by=by, on=ASKED, clause="第七条", note=WHY)
    with pytest.raises(DecisionRefused, match="依据的条款"):
        adjudication.reclaim(made, by=by, on=ASKED, clause=" ", note=WHY)
    with pytest.raises(DecisionRefused, match="多付了的，请办理"):
        adjudication.approve(made, by=by, on=ASKED)
    case.pay(case.first)
    with pytest.raises(NotAllowed):
        adjudication.reclaim(made, by=case.desk.other_reviewer, on=ASKED, clause="第七条", note=WHY)
    ordinary = case.desk.world.claim(case.desk.cover(order=309), 600_000)
    adjudication.review(ordinary, by=case.desk.reviewer, on=ASKED)
    with pytest.raises(DecisionRefused, match="没有多付"):
        adjudication.reclaim(ordinary, by=by, on=ASKED, clause="第七条", note=WHY)


def test_the_correction_stands_the_limits_follow_and_the_books_show_what_is_owed(paid: Case) -> None:
    before, spent = used(), balances()["benefits"]
    recovery = paid.reclaim()
    made, over = recovery.claim, over_of(paid)
    assert (made.state, made.approved_fen, recovery.amount_fen, recovery.left_fen) == ("recovery", 0, over, over)
    assert over > 0
    assert (balances()["recoverable"], balances()["benefits"]) == (over, spent - over)
    after = used()
    assert after != before
    assert all(after[key] <= fen for key, fen in before.items())
    paid.first.refresh_from_db()
    assert (paid.first.state, paid.first.approved_fen) == ("paid", spent), "the past is not touched"
    told = Notice.objects.filter(member_key=recovery.claimant_id).order_by("-id").first()
    assert WHY in told.text
    assert recovery.number in told.text
    recoveries.open_for(made.pk, by=paid.payer, on=ASKED)  # a second run does nothing
    assert Recovery.objects.count() == 1


def test_it_comes_back_in_parts_from_what_arrives_and_the_matter_is_over(paid: Case) -> None:
    recovery = paid.reclaim()
    left = recovery.left_fen
    parts = [(plus_days(ASKED, 30), 100_000), (plus_days(ASKED, 60), left - 100_000)]
    for wrong in ([], parts[:1], [parts[1], parts[0]], [(plus_days(ASKED, -1), left)], [(ASKED, 0), (plus_days(ASKED, 1), left)]):
        with pytest.raises(RecoveryRefused):
            recoveries.agree(recovery, wrong, by=paid.payer, on=ASKED)
    with pytest.raises(NotAllowed):
        recoveries.agree(recovery, parts, by=paid.desk.reviewer, on=ASKED)
    recoveries.agree(recovery, parts, by=paid.payer, on=ASKED)
    assert recovery.instalments.count() == 2
    first, rest = paid.arrives(150_000, recovery.number), paid.arrives(left)
    with pytest.raises(RecoveryRefused, match="最多可以核销 1,500.00 元"):
        recoveries.match(recovery, first, amount_fen=150_001, by=paid.payer, on=ASKED)
    recoveries.match(recovery, first, amount_fen=100_000, by=paid.payer, on=ASKED)
    assert Remittance.objects.get(pk=first.pk).left_fen == 50_000
    recoveries.match(recovery, rest, amount_fen=left - 100_000, by=paid.payer, on=ASKED)
    recovery.refresh_from_db()
    assert (recovery.state, recovery.left_fen) == ("settled", 0)
    assert Claim.objects.get(pk=recovery.claim_id).state == "recovered"
    assert "recoverable" not in balances()
    assert discrepancies() == []
    with pytest.raises(RecoveryRefused):
        recoveries.match(recovery, rest, amount_fen=1, by=paid.payer, on=ASKED)


def test_a_payment_that_was_matched_wrongly_is_turned_around_and_owed_again(paid: Case) -> None:
    recovery = paid.reclaim()
    arrived, before = paid.arrives(recovery.left_fen, recovery.number), balances()
    match = {"amount_fen": recovery.amount_fen, "by": paid.payer, "on": ASKED}
    payment = recoveries.match(recovery, arrived, **match)
    recovery.refresh_from_db()
    assert (recovery.state, Claim.objects.get(pk=recovery.claim_id).state) == ("settled", "recovered")
    for wrong, said in ((paid.desk.reviewer, "别人的钱"), (paid.payer, " ")):
        with pytest.raises(MoveRefused):
            recoveries.take_back(payment, by=wrong, on=ASKED, note=said)
    turned = recoveries.take_back(payment, by=paid.payer, on=ASKED, note="是另一家单位的互助费")
    recovery.refresh_from_db()
    assert (recovery.state, recovery.left_fen, recovery.paid_fen) == ("open", recovery.amount_fen, 0)
    assert Claim.objects.get(pk=recovery.claim_id).state == "recovery"
    assert Remittance.objects.get(pk=arrived.pk).left_fen == arrived.amount_fen
    assert balances() == before
    assert look(INVARIANTS) == discrepancies() == []
    assert "不是这笔追回的" in Notice.objects.filter(member_key=recovery.claimant_id).order_by("-id").first().text
    for once in (payment, turned):
        with pytest.raises(RecoveryRefused):
            recoveries.take_back(once, by=paid.payer, on=ASKED, note="再撤一次")
    again = recoveries.match(recovery, arrived, **match)
    recovery.refresh_from_db()
    assert (again.amount_fen, recovery.state) == (recovery.amount_fen, "settled")


def test_a_part_of_a_payment_or_one_twice_cannot_be_turned_around_past_the_service(paid: Case) -> None:
    recovery = paid.reclaim()
    payment = recoveries.match(recovery, paid.arrives(500, recovery.number), amount_fen=500, by=paid.payer, on=ASKED)
    told = {
        "office_id": recovery.office_id, "recovery": recovery, "remittance": payment.remittance, "takes_back": payment, "note": "x",
        "received_on": ASKED,
    }  # fmt: skip

    def turn(amount_fen: int, **other: Any) -> None:
        with transaction.atomic():
            RecoveryPayment.objects.create(**told | other, amount_fen=amount_fen)

    with pytest.raises(IntegrityError, match="taken back whole"):
        turn(-499)
    with pytest.raises(IntegrityError, match="recovery_payment_sane"):
        turn(-500, note="")
    turn(-500)
    with pytest.raises(IntegrityError, match="unique"):
        turn(-500)


PARTS = [(date(2026, 8, 1), 400), (date(2026, 9, 1), 600)]


@pytest.mark.parametrize(
    ("open_fen", "left"), [(1000, [400, 600]), (900, [300, 600]), (600, [0, 600]), (1, [0, 1]), (0, [0, 0])]
)
def test_what_came_back_counts_for_the_earliest_part(open_fen: int, left: list[int]) -> None:
    assert recoveries.left_of_parts(PARTS, open_fen) == left


@pytest.mark.parametrize(
    ("parts", "left", "on", "since", "late"),
    [
        (PARTS, 1000, date(2026, 8, 1), None, 0),
        (PARTS, 1000, date(2026, 8, 2), date(2026, 8, 1), 400),
        (PARTS, 601, date(2026, 8, 2), date(2026, 8, 1), 1),
        (PARTS, 600, date(2026, 9, 1), None, 0),
        (PARTS, 600, date(2026, 9, 2), date(2026, 9, 1), 600),
        (PARTS, 1000, date(2026, 9, 2), date(2026, 8, 1), 1000),
        ([], 1000, plus_days(ASKED, 30), None, 0),
        ([], 1000, plus_days(ASKED, 31), plus_days(ASKED, 30), 1000),
    ],
)
def test_late_is_what_is_left_beyond_the_parts_still_to_come(parts: Any, left: int, on: date, since: date | None, late: int) -> None:
    """The last day itself is in time; what came in pays the first parts first."""
    owed = Recovery(state="open", opened_on=ASKED)
    owed.left_fen = left
    assert recoveries.overdue_since(owed, parts, on=on) == since
    assert recoveries.overdue_fen(owed, parts, on=on) == late
    owed.state = "settled"
    assert recoveries.overdue_since(owed, parts, on=on) is None


def test_whoever_is_late_is_reminded_once_a_step_and_stands_late_at_the_desk(paid: Case) -> None:
    recovery, told = paid.reclaim(), "原定"
    last = recoveries.pay_by(recovery)
    payer = client_of(paid.desk.world.cast.payer)

    def reminded(day: date) -> int:
        with frozen(day):
            for _twice in range(2):
                ask_what_is_due()
                run_due("default")
        return Notice.objects.filter(member_key=recovery.claimant_id, text__contains=told).count()

    def listed(day: date) -> str:
        with frozen(day):
            return payer.get(reverse("admin:payouts_recovery_changelist") + "?late=yes").content.decode()

    assert (reminded(last), recovery.number in listed(last)) == (0, False)
    assert [reminded(plus_days(last, days)) for days in (1, 2, 14, 15, 29, 30, 90)] == [1, 1, 1, 2, 2, 3, 3]
    assert "逾期 12 天" in listed(plus_days(last, 12))
    recoveries.remind(recovery.pk, on=plus_days(last, 90))  # a job that runs again
    assert reminded(plus_days(last, 91)) == 3
    recoveries.agree(recovery, [(plus_days(last, 100), recovery.left_fen)], by=paid.payer, on=plus_days(last, 92))
    assert [reminded(plus_days(last, days)) for days in (100, 101)] == [3, 4], "what is agreed anew is a day of its own"


def test_more_than_is_owed_meets_the_database_past_the_service(paid: Case) -> None:
    recovery, arrived = paid.reclaim(), paid.arrives(10**9)

    def past_the_service() -> None:
        with transaction.atomic():
            RecoveryPayment.objects.create(
                office_id=recovery.office_id, recovery=recovery, remittance=arrived, amount_fen=recovery.amount_fen + 1, received_on=ASKED
            )

    with pytest.raises(IntegrityError, match="recovery_never_more_than_owed"):
        past_the_service()


def test_two_people_write_the_rest_off_and_neither_decided_the_correction(paid: Case) -> None:
    recovery, spent = paid.reclaim(), balances()["benefits"]
    left, desk = recovery.left_fen, paid.desk
    with pytest.raises(RecoveryRefused, match="请写明核销的原因"):
        recoveries.propose_write_off(recovery, by=paid.payer, note=" ")
    recoveries.propose_write_off(recovery, by=desk.manager, note="家庭困难，有街道证明")
    with pytest.raises(NotAllowed, match="另一个人"):
        recoveries.write_off(recovery, by=desk.manager, on=ASKED)
    with pytest.raises(IntegrityError, match="recovery_proposer_is_not_who_agrees"), transaction.atomic():
        Recovery.objects.filter(pk=recovery.pk).update(written_off_by=desk.manager.user_id)
    with pytest.raises(NotAllowed):
        recoveries.write_off(recovery, by=paid.payer, on=ASKED)
    Recovery.objects.filter(pk=recovery.pk).update(write_off_proposed_by=paid.payer.user_id)
    recoveries.keep(recovery, by=desk.manager, note="再商量一次")
    recoveries.propose_write_off(recovery, by=paid.payer, note="本人已去世，没有遗产")
    with pytest.raises(RecoveryRefused, match="刚刚有变化|最多"):
        recoveries.match(recovery, paid.arrives(10), amount_fen=10, by=paid.payer, on=ASKED)
    recoveries.write_off(recovery, by=desk.manager, on=ASKED)
    recovery.refresh_from_db()
    assert (recovery.state, recovery.written_off_fen, recovery.left_fen) == ("written_off", left, 0)
    assert (balances().get("recoverable", 0), balances()["benefits"]) == (0, spent + left)
    assert Claim.objects.get(pk=recovery.claim_id).state == "recovered"


def test_later_benefit_is_set_off_only_where_its_plan_says_so_and_once(paid: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    recovery, desk = paid.reclaim(), paid.desk
    member = paid.first.member
    plain = desk.decide(desk.world.claim(desk.world.cover(member), 600_000))
    line = paid.pay(plain)
    assert (line.amount_fen, line.set_off_fen) == (440_000, 0)
    willing = load("shaanxi-yulin-medical.2026", code="sets-off", deciding={"set_off_ratio": "0.3"})
    claim = desk.decide(desk.world.claim(desk.world.cover(member, willing), 600_000))
    failed = paid.pay(claim, outcome="失败")
    assert (failed.amount_fen, failed.set_off_fen, failed.state) == (308_000, 132_000, "failed")
    recovery.refresh_from_db()
    assert recovery.paid_fen == 0, "what did not arrive has paid nothing back"
    with pytest.raises(RecoveryRefused, match="正在抵还"):
        recoveries.propose_write_off(recovery, by=paid.payer, note="原因")
    card = desk.world.card(member, "6217000010001234561")
    accounts.correct(claim, card=card, by=desk.world.worker(member), on=plus_days(ASKED, -COOLING_DAYS))
    again = paid.pay(claim)
    assert (again.amount_fen, again.set_off_fen, again.reissue_of_id, again.state) == (308_000, 132_000, failed.pk, "succeeded")
    recovery.refresh_from_db()
    assert (recovery.paid_fen, RecoveryPayment.objects.get().line_id) == (132_000, again.pk)
    assert balances()["recoverable"] == recovery.left_fen
    _what_was_kept_back_counts_once_when_the_rest_comes_back_later(paid, claim, again, monkeypatch)


def _what_was_kept_back_counts_once_when_the_rest_comes_back_later(
    paid: Case, claim: Claim, arrived: PayoutLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fund kept it, and it paid the debt: the bank sends the rest back, and the rest alone is paid again."""
    recovery, desk, before = arrived.set_off_against, paid.desk, balances()
    for account in ("6222021001012345678", "6228480402564890018"):
        assert f"给付批次 {arrived.batch.number}，" in str(own_payment_in(f"退汇{arrived.reference}")), "and it is no remittance"
        paid.answer(arrived.batch, arrived, "退票")
        claim.refresh_from_db()
        recovery.refresh_from_db()
        assert (claim.state, recovery.paid_fen, recovery.payments.count()) == ("returned_payment", 132_000, 1)
        assert balances()["bank"] == before["bank"] + arrived.amount_fen
        assert balances()["recoverable"] == before["recoverable"] == recovery.left_fen
        assert recoveries._held(recovery) == 0, "it is settled already, and is not waited for"
        card = desk.world.card(claim.claimant, account)
        accounts.correct(claim, card=card, by=desk.world.worker(claim.claimant), on=plus_days(ASKED, -COOLING_DAYS))
        arrived = paid.pay(claim)
        recovery.refresh_from_db()
        assert (claim.state, arrived.amount_fen, arrived.set_off_fen, arrived.state) == ("paid", 308_000, 132_000, "succeeded")
        assert (recovery.paid_fen, recovery.payments.count(), balances()) == (132_000, 1, before)
        assert audit() == []
    with monkeypatch.context() as patch, pytest.raises(IntegrityError, match="set_off_once"), transaction.atomic():
        patch.setattr(recoveries, "_standing", lambda _claims: RecoveryPayment.objects.none())
        recoveries.book_set_offs([arrived], by=paid.payer, on=ASKED)  # the control
    _what_was_kept_back_of_a_claim_that_is_halted_is_owed_again(paid, claim, arrived)


def _what_was_kept_back_of_a_claim_that_is_halted_is_owed_again(paid: Case, claim: Claim, arrived: PayoutLine) -> None:
    """Though the rest was written off meanwhile. Otherwise the claim that takes its place, paid in full, would bring it a second time."""
    recovery, desk, before = arrived.set_off_against, paid.desk, balances()
    recoveries.propose_write_off(recovery, by=paid.payer, note="家庭困难")
    with transaction.atomic():  # what was asked while less was owed is not decided any more
        recoveries.owe_again(claim.pk, by=SYSTEM, on=ASKED)
        recovery.refresh_from_db()
        assert (recovery.state, recovery.left_fen, recovery.write_off_reason) == ("open", recovery.amount_fen, "")
        transaction.set_rollback(True)
    recoveries.write_off(recovery, by=desk.manager, on=ASKED)
    paid.answer(arrived.batch, arrived, "退票")
    claim.refresh_from_db()
    halts.propose(claim, reason="金额算错", clause="第七条", by=desk.reviewer, on=ASKED)
    made = halts.confirm(claim, by=desk.approver, on=ASKED)
    waits = Job.objects.filter(kind="recoveries.owe_again")
    waits.update(job_state="done")
    assert [finding.code for finding in audit()] == ["R2"], "the control: nothing turns it around"
    waits.update(job_state="queued")
    for _twice in range(2):
        run_due("payouts")
        recoveries.owe_again(claim.pk, by=SYSTEM, on=ASKED)
        recovery.refresh_from_db()
        assert (recovery.state, recovery.paid_fen, recovery.left_fen) == ("open", 0, 132_000)
    assert recovery.claim.state == "recovery"
    assert balances()["recoverable"] == 132_000
    assert balances()["bank"] == before["bank"] + 308_000
    assert audit() == []
    assert claim.number in Notice.objects.filter(member_key=recovery.claimant_id, title__contains="抵还撤销").get().text
    page = client_of(desk.world.cast.payer).get(reverse("admin:recovery", args=[recovery.pk])).content.decode()
    assert page.count(f"从申领 {claim.number} 的给付里抵还") == 2
    shown = client_of(recovery.claimant.user).get(reverse("payouts:recovery", args=[recovery.claim.public_id])).content.decode()
    assert "那份申领停付，抵还已撤销" in shown
    with transaction.atomic():  # it may be let go as well
        recoveries.write_off(recoveries.propose_write_off(recovery, by=paid.payer, note="仍然困难"), by=desk.manager, on=ASKED)
        recovery.refresh_from_db()
        assert (recovery.state, recovery.written_off_fen, audit()) == ("written_off", recovery.amount_fen, [])
        transaction.set_rollback(True)
    instead = paid.pay(desk.decide_otherwise(made))
    recovery.refresh_from_db()
    assert (instead.amount_fen, instead.set_off_fen, recovery.state, recovery.left_fen) == (308_000, 132_000, "settled", 0)
    assert balances()["benefits"] == before["benefits"] + recovery.written_off_fen, "paid once, by another claim"
    assert audit() == []


def test_relief_comes_back_into_its_own_books(desk: Desk) -> None:
    cover = desk.cover(load("dalian-relief.2026", office=None, contribution={"per_share": "10"}), 321)
    told = {"event_on": ASKED, "diagnosis": "肺癌", "diagnosis_code": "C34.1", "hospital": "大连市第一医院", "other_aid_fen": 300_000}
    case = Case(desk, desk.decide(desk.world.claim(cover, 900_000, event="diagnosis", facts=told)))
    fill(desk.world.cast, on=ASKED, fund="relief", amount_fen=600_000)
    case.pay(case.first)
    made = corrections.reclassify(case.first, {"other_aid_fen": 800_000}, by=desk.other_reviewer, on=ASKED, note="另有补助")
    adjudication.reclaim(made, by=desk.other_approver, on=ASKED, clause="第四条", note="慈善会另给了 5,000 元")
    run_due("payouts")
    recovery = Recovery.objects.get()
    assert (recovery.fund, recovery.amount_fen) == ("relief", 400_000)
    recoveries.match(recovery, case.arrives(400_000), amount_fen=400_000, by=case.payer, on=ASKED)
    assert balances("relief") == {"capital": -600_000, "benefits": 200_000, "bank": 400_000}
    assert "unapplied" not in balances()
    assert discrepancies() == []


def test_the_pages_carry_it_from_the_review_to_the_last_payment(paid: Case) -> None:
    made, cast = paid.correct(), paid.desk.world.cast
    approver = User.objects.get(pk=paid.desk.other_approver.user_id)
    review = reverse("admin:claim_review", args=[made.pk])
    said = {"decision": "reclaim", "note": WHY, "clause": "第七条"}
    assert "确认要求退回" in client_of(approver).get(review).content.decode()
    assert client_of(approver).post(review, said).status_code == 400, "not before it is confirmed once more"
    assert client_of(approver).post(review, said | {"sure": "yes"}).status_code == 302
    run_due("payouts")
    recovery = Recovery.objects.get()
    desk, worker = reverse("admin:recovery", args=[recovery.pk]), reverse("payouts:recovery", args=[made.public_id])
    arrived = paid.arrives(recovery.left_fen, recovery.number)
    payer = client_of(cast.payer)
    assert recovery.number in payer.get(desk).content.decode()
    agreed = payer.post(desk, {"act": "agree", "count": "3", "first_on": "2026-08-31", "key": "a"})
    assert agreed.status_code == 302
    assert [f"{one.due_on}" for one in recovery.instalments.all()] == ["2026-08-31", "2026-09-30", "2026-10-31"]
    shown = client_of(made.claimant.user).get(worker).content.decode()
    assert WHY in shown
    assert "2026年9月30日" in shown
    half = {"act": "match", "remittance": arrived.pk, "amount": "100.00", "key": "m"}
    assert [payer.post(desk, half).status_code for _twice in range(2)] == [302, 302]
    recovery.refresh_from_db()
    assert recovery.paid_fen == 10_000, "sent twice it counts once"
    refused = payer.post(desk, {"act": "match", "remittance": arrived.pk, "amount": "999999", "key": "n"})
    assert refused.status_code == 400
    matched = recovery.payments.get()
    wrong = {"act": "take_back", "payment": matched.pk, "note": "登记错了", "key": "t"}
    assert [payer.post(desk, wrong | {"payment": "0"}).status_code, payer.post(desk, wrong).status_code] == [400, 302]
    assert "登记错了，已撤销" in client_of(made.claimant.user).get(worker).content.decode()
    assert "最多可以核销" in refused.content.decode()
    assert payer.post(desk, {"act": "write_off", "note": "x", "key": "o"}).status_code == 400, "no such act for this person now"
    assert payer.post(desk, {"act": "propose_write_off", "note": "家庭困难", "key": "p"}).status_code == 302
    manager = client_of(cast.manager)
    assert "家庭困难" in manager.get(desk).content.decode()
    agreed = {"act": "write_off", "note": "同意", "key": "q"}
    assert [manager.post(desk, agreed | said).status_code for said in ({}, {"password": "x"}, {"password": PASSWORD})] == [400, 400, 302]
    assert "不用再退" in client_of(made.claimant.user).get(worker).content.decode()
    assert "多付的部分已经办结" in client_of(made.claimant.user).get(reverse("claims:status", args=[made.public_id])).content.decode()
