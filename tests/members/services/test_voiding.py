"""What was never right is void: by two people where money is, its money goes back by a refund, and the books agree."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from claims.services import intake
from members.models import Enrolment, Match, Refund, Remittance, Voiding
from members.selectors.contributions import discrepancies
from members.services import enrolment, refunds, voiding
from members.services.contributions import Pair, match, raise_due, unmatch
from members.services.refunds import RefundRefused
from members.services.voiding import VoidingRefused
from programs.models import Terms
from tests.factories.world import ASKED, JOINED, World, terms_like
from tests.members.services.test_contributions import a_roster, arrived, balances
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry, Notice
from unionaid.workflow.moves import MoveRefused, NotAllowed


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield
        assert discrepancies() == []


def payer(world: World) -> Actor:
    return world.cast.actor(world.cast.payer)


def reviewer(world: World) -> Actor:
    return world.cast.actor(world.cast.reviewer)


def proposed(world: World, cover: Enrolment, reason: str = "duplicate", **more: Any) -> Voiding:
    return voiding.propose(cover, reason=reason, note="与单位名册重复", by=reviewer(world), on=JOINED, **more)


def refund(world: World, one: Remittance, fen: int, reason: str = "void", **more: Any) -> Refund:
    return refunds.propose(
        one, reason=reason, amount_fen=fen, payee_name="王小明", bank_name="农行", account_number="6228480402564890018", by=payer(world),
        on=JOINED, **more,
    )  # fmt: skip


def test_a_paid_enrolment_is_void_by_two_people_and_its_money_goes_back(world: World) -> None:
    cover = world.cover(world.member(101))
    due = cover.dues.get()
    one = proposed(world, cover)
    cover.refresh_from_db()
    assert (one.state, one.with_money, cover.state) == ("proposed", True, "effective")
    voiding.release(one, by=payer(world), on=JOINED)
    cover.refresh_from_db()
    due.refresh_from_db()
    assert (cover.state, due.state, due.paid_fen) == ("void", "cancelled", 0)
    remittance = Remittance.objects.get()
    assert remittance.left_fen == due.amount_fen
    assert not balances().get("contributions")
    back = refund(world, remittance, due.amount_fen)
    refunds.release(back, by=world.cast.actor(world.cast.manager), on=JOINED)
    refunds.mark_paid(back, bank_reference="B1", paid_on=JOINED, by=payer(world), on=JOINED)
    assert {code: fen for code, fen in balances().items() if fen} == {}
    assert "一份参加记录已作废" in Notice.objects.filter(member_key=cover.member_id).values_list("title", flat=True)


def test_whoever_proposed_it_does_not_release_it(world: World) -> None:
    cover = world.cover(world.member(101))
    one = voiding.propose(cover, reason="duplicate", note="重复", by=payer(world), on=JOINED)
    assert one.state == "proposed"
    with pytest.raises(NotAllowed, match="另一个人"):
        voiding.release(one, by=payer(world), on=JOINED)
    with pytest.raises(NotAllowed):
        voiding.release(one, by=world.cast.actor(world.cast.outsider), on=JOINED)
    with pytest.raises(IntegrityError, match="voiding_with_money_by_two"), transaction.atomic():
        Voiding.objects.filter(pk=one.pk).update(state="done", released_by_id=one.proposed_by_id)
    cover.refresh_from_db()
    assert cover.state == "effective"


def test_a_place_with_one_payer_voids_by_the_payer_and_the_manager(world: World) -> None:
    """One of them proposes, the other releases, whichever; what was paid waits for a refund either way."""
    manager = world.cast.actor(world.cast.manager)
    for order, first, second in ((101, payer(world), manager), (103, manager, payer(world))):
        cover = world.cover(world.member(order))
        one = voiding.propose(cover, reason="duplicate", note="重复", by=first, on=JOINED)
        with pytest.raises(NotAllowed, match="另一个人"), transaction.atomic():
            voiding.release(one, by=first, on=JOINED)
        voiding.release(Voiding.objects.get(pk=one.pk), by=second, on=JOINED)
        cover.refresh_from_db()
        assert (cover.state, cover.dues.get().state) == ("void", "cancelled")
    with pytest.raises(NotAllowed):
        voiding.release(proposed(world, world.cover(world.member(105))), by=reviewer(world), on=JOINED)


def test_an_unpaid_enrolment_is_void_at_once(world: World) -> None:
    member = world.member(101)
    cover = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    one = voiding.propose(cover, reason="wrong_person", note="填错人", by=payer(world), on=JOINED)
    cover.refresh_from_db()
    assert (one.state, cover.state, cover.dues.get().state) == ("done", "void", "cancelled")
    again = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    assert again.state == "contribution_due", "the days are free again"


def test_money_that_arrives_at_the_same_moment_is_seen_under_the_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    member = world.member(101)
    cover = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    due, real = cover.dues.get(), voiding.lock_covers

    def pay_first(ids: Any) -> None:
        match([Pair(arrived(world, due.amount_fen, due.reference).pk, due.pk, due.amount_fen)], by=payer(world), on=JOINED)
        real(ids)

    monkeypatch.setattr(voiding, "lock_covers", pay_first)
    with pytest.raises(VoidingRefused, match="刚刚有互助费到账"), transaction.atomic():
        voiding.propose(cover, reason="wrong_person", note="填错人", by=payer(world), on=JOINED)


def test_money_that_arrives_in_between_asks_for_the_second_person(world: World) -> None:
    member = world.member(101)
    cover = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    one = proposed(world, cover)
    assert (one.state, one.with_money) == ("proposed", False)
    due = cover.dues.get()
    match([Pair(arrived(world, due.amount_fen, due.reference).pk, due.pk, due.amount_fen)], by=payer(world), on=JOINED)
    one.refresh_from_db()
    voiding.release(one, by=payer(world), on=JOINED)
    assert one.with_money


def test_a_person_of_a_paid_roster_is_void_and_the_others_are_not(world: World) -> None:
    fee = a_cover_fen(world)
    roster = a_roster(world, {"unit": 3 * fee}, people=3)
    due = roster.dues.get()
    match([Pair(arrived(world, 3 * fee, due.reference).pk, due.pk, 3 * fee)], by=payer(world), on=JOINED)
    covers = list(roster.enrolments.order_by("pk"))
    assert {cover.state for cover in covers} == {"effective"}
    voiding.release(proposed(world, covers[0]), by=payer(world), on=JOINED)
    due.refresh_from_db()
    assert [cover.state for cover in roster.enrolments.order_by("pk")] == ["void", "effective", "effective"]
    assert (due.state, due.paid_fen, due.waived_fen) == ("settled", 2 * fee, fee)
    remittance = Remittance.objects.get()
    assert remittance.left_fen == fee
    with pytest.raises(RefundRefused):
        refund(world, remittance, fee + 1)
    assert refund(world, remittance, fee).state == "proposed"


def a_cover_fen(world: World) -> int:
    """What one share of the plan costs."""
    member = world.member(901)
    cover = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    enrolment.withdraw(cover, by=world.worker(member))
    return cover.contribution_fen


def test_a_refused_roster_is_void_as_a_whole(world: World) -> None:
    fee = a_cover_fen(world)
    roster = a_roster(world, {"unit": 2 * fee}, people=2)
    due = roster.dues.get()
    match([Pair(arrived(world, 2 * fee, due.reference).pk, due.pk, 2 * fee)], by=payer(world), on=JOINED)
    one = voiding.propose_roster(roster, note="名册不是本单位的", by=reviewer(world), on=JOINED)
    assert one.amount_fen == 2 * fee
    voiding.release(one, by=payer(world), on=JOINED)
    roster.refresh_from_db()
    due.refresh_from_db()
    assert (roster.state, due.state, {cover.state for cover in roster.enrolments.all()}) == ("void", "cancelled", {"void"})
    assert Remittance.objects.get().left_fen == 2 * fee
    assert Notice.objects.count() == 2


def test_voiding_a_roster_takes_as_many_statements_for_many(world: World) -> None:
    fee, counts = a_cover_fen(world), []
    for first, people in ((601, 1), (701, 6)):
        roster = a_roster(world, {"unit": people * fee}, name=f"r{first}", people=people, first=first)
        one = voiding.propose_roster(roster, note="不予接受", by=reviewer(world), on=JOINED)
        with CaptureQueriesContext(connection) as made:
            voiding.release(one, by=payer(world), on=JOINED)
        counts.append(len(made.captured_queries))
    assert counts[0] == counts[1]


def with_shares(world: World, order: int = 101, terms: Terms | None = None, shares: int = 2, fee: int = 0) -> Enrolment:
    """An enrolment of two shares, one more than Yulin's plan allows, or of others, that is paid."""
    member, fee, terms = world.member(order), fee or a_cover_fen(world), terms or world.yulin
    cover = Enrolment.objects.create(
        office=world.cast.a, member=member, holder=member, unit=world.unit, program=terms.program, terms=terms, shares=shares,
        cover=DateRange(JOINED, date(2027, 1, 1)), contribution_fen=shares * fee,
    )  # fmt: skip
    (due,) = raise_due(office_id=world.cast.a.pk, unit=None, member=member, enrolment=cover, amounts={"person": shares * fee})
    match([Pair(arrived(world, shares * fee, due.reference).pk, due.pk, shares * fee)], by=payer(world), on=JOINED)
    cover.refresh_from_db()
    return cover


def test_surplus_shares_are_void_and_the_rest_stays(world: World) -> None:
    cover = with_shares(world)
    half = cover.contribution_fen // 2
    with pytest.raises(VoidingRefused):
        proposed(world, cover, reason="surplus", shares=2)
    one = proposed(world, cover, reason="surplus", shares=1)
    assert one.amount_fen == half
    voiding.release(one, by=payer(world), on=JOINED)
    cover.refresh_from_db()
    due = cover.dues.get()
    assert (cover.state, cover.shares, cover.contribution_fen) == ("effective", 1, half)
    assert (due.state, due.paid_fen, due.waived_fen) == ("settled", half, half)
    voiding.release(proposed(world, cover), by=payer(world), on=JOINED)
    due.refresh_from_db()
    assert (due.state, due.paid_fen) == ("cancelled", 0)


def test_surplus_shares_become_void_only_down_to_what_the_others_of_the_unit_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everyone of a unit has the same number, also when it changed between the proposal and the second person's word. The
    control: without the rule one person of the unit is left with another number."""
    terms = terms_like(
        "shaanxi-yulin-medical.2026",
        enrolment={"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, "shares": {"max": 3}, "unit": {"same_shares": True}},
    )
    cover, other = with_shares(world, 101, terms, 3, fee=100), with_shares(world, 102, terms, 2, fee=100)
    with pytest.raises(VoidingRefused, match="其他人每人 2 份，这样作废后此人是 1 份"):
        proposed(world, cover, reason="surplus", shares=2)
    one = proposed(world, cover, reason="surplus", shares=1)
    Enrolment.objects.filter(pk=other.pk).update(shares=3)
    with pytest.raises(VoidingRefused, match="份数必须相同"):
        voiding.release(one, by=payer(world), on=JOINED)
    monkeypatch.setattr(voiding, "judge_unit", lambda schedule, facts: ())
    voiding.release(one, by=payer(world), on=JOINED)
    assert sorted(Enrolment.objects.values_list("shares", flat=True)) == [2, 3]


def test_nothing_under_which_benefit_was_asked_for_becomes_void(world: World) -> None:
    cover = world.cover(world.member(101))
    with frozen(ASKED):
        claim = world.claim(cover, 100_000)
        with pytest.raises(VoidingRefused, match=claim.number):
            proposed(world, cover)
        intake.withdraw(claim, by=world.worker(cover.member))
        assert proposed(world, cover).state == "proposed"


def test_without_the_objection_a_claim_would_lose_its_cover(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(voiding, "OBJECTIONS", [])
    cover = world.cover(world.member(101))
    with frozen(ASKED):
        world.claim(cover, 100_000)
        voiding.release(proposed(world, cover), by=payer(world), on=ASKED)
    cover.refresh_from_db()
    assert cover.state == "void"


def test_a_draft_under_void_cover_is_not_sent_in(world: World) -> None:
    cover = world.cover(world.member(101))
    with frozen(ASKED):
        by = world.worker(cover.member)
        draft = intake.open_claim(enrolment=cover, claimant=cover.member, event="admission", by=by, on=ASKED)
        voiding.release(proposed(world, cover), by=payer(world), on=ASKED)
        with pytest.raises(MoveRefused, match="已作废"):
            intake.submit(draft, by=by, on=ASKED)


def test_what_is_not_live_or_without_grounds_is_refused(world: World) -> None:
    cover = world.cover(world.member(101))
    with pytest.raises(VoidingRefused):
        voiding.propose(cover, reason="duplicate", note=" ", by=reviewer(world), on=JOINED)
    with pytest.raises(VoidingRefused):
        voiding.propose(cover, reason="refused_batch", note="x", by=reviewer(world), on=JOINED)
    with pytest.raises(NotAllowed):
        voiding.propose(cover, reason="duplicate", note="x", by=world.cast.actor(world.cast.approver), on=JOINED)
    one = proposed(world, cover)
    with pytest.raises(VoidingRefused, match="已有人提出"):
        proposed(world, cover)
    with pytest.raises(VoidingRefused):
        voiding.drop(one, by=reviewer(world), note="")
    voiding.drop(one, by=reviewer(world), note="核实后不是重复")
    voiding.release(proposed(world, cover), by=payer(world), on=JOINED)
    cover.refresh_from_db()
    with pytest.raises(VoidingRefused, match="已作废"):
        proposed(world, cover)
    assert AuditEntry.objects.filter(action="propose_voiding").count() == 2


# -- nothing else goes back --------------------------------------------------------------------------------------------


def test_money_that_is_still_owed_does_not_go_back_as_over_payment(world: World) -> None:
    """One remittance for two debts: a match that is undone by mistake leaves a debt open, not money to spare."""
    fee = a_cover_fen(world)
    first = a_roster(world, {"unit": fee}, name="r1").dues.get()
    second = a_roster(world, {"unit": fee, "union": fee}, name="r2", first=651).dues.get(payer="unit")  # the union has not paid yet
    one = arrived(world, 2 * fee + 700, f"{first.reference} {second.reference}")
    match([Pair(one.pk, due.pk, fee) for due in (first, second)], by=payer(world), on=JOINED)
    unmatch(Match.objects.get(due=second), by=payer(world), on=JOINED, note="核销错了")
    one.refresh_from_db()
    assert one.left_fen == fee + 700
    with pytest.raises(RefundRefused, match="7.00"):
        refund(world, one, fee + 700, "over_payment")
    assert refund(world, one, 700, "over_payment").amount_fen == 700


@pytest.mark.parametrize("reason", ["over_payment", "duplicate", "refused", "void", "term_over"])
def test_what_was_simply_paid_never_goes_back(reason: str, world: World) -> None:
    world.cover(world.member(101))
    remittance = Remittance.objects.get()
    with pytest.raises(RefundRefused):
        refund(world, remittance, 1, reason)
    assert Refund.Reason.values == ["over_payment", "duplicate", "refused", "void", "term_over"], "there is no other reason"


def test_cover_of_a_void_enrolment_does_not_count_as_one_before(world: World) -> None:
    cover = world.cover(world.member(101))
    Enrolment.objects.filter(pk=cover.pk).update(cover=DateRange(date(2025, 1, 6), date(2026, 1, 6)))
    voiding.release(proposed(world, cover), by=payer(world), on=JOINED)
    member = cover.member
    anew = enrolment.enrol(
        member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )
    assert anew.first_time
