"""What is not paid in time: a word before, none of it after; what came in time counts however late its statement comes in."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import ContributionDue, Enrolment, Match, Member, Remittance, Roster
from members.selectors.contributions import candidates_for, discrepancies, suggest
from members.services import contributions, deadlines
from members.services.contributions import Pair, RemittanceRefused, match
from tests.factories.world import JOINED, World, terms_like
from tests.members.services.test_contributions import arrived, balances, payer
from tests.members.services.test_voiding import refund
from tests.members.services.test_what_was_charged import YULIN, enrolled, joined
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import ask_what_is_due, run_due
from unionaid.workflow.models import AuditEntry, Notice

LAST = JOINED + timedelta(days=30)
GONE = LAST + timedelta(days=8)


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield
        assert discrepancies() == []


def asked(day: date) -> None:
    """What the calendar asks for on this day, done."""
    with frozen(day):
        ask_what_is_due()
        run_due("default")


def on_day(world: World, day: date, due: ContributionDue, fen: int) -> Remittance:
    """Money that the bank booked on this day."""
    with frozen(day):
        one = contributions.enter(
            office_id=due.office_id, bank_reference=f"D{day}{fen}", remark=due.reference, payer_name="测试单位", received_on=day,
            amount_fen=fen, by=payer(world),
        )  # fmt: skip
        contributions.post_arrivals([one], on=day, by=payer(world))
    return one


def test_a_roster_of_january_is_not_brought_into_force_in_november(world: World) -> None:
    roster = enrolled(world, world.yulin)
    due = roster.dues.get()
    assert due.pay_by == LAST
    november = date(2026, 11, 20)
    late = on_day(world, november, due, due.amount_fen)
    with frozen(november):
        with pytest.raises(RemittanceRefused, match="缴费期限是 2026年2月4日"):
            match([Pair(late.pk, due.pk, due.amount_fen)], by=payer(world), on=november)
        with pytest.raises(RemittanceRefused, match="不能核销"):
            contributions.confirm(
                due, payer_name="x", bank_reference="N1", received_on=november, amount_fen=due.amount_fen, remark="", by=payer(world),
                on=november,
            )  # fmt: skip
        assert (suggest([late]), candidates_for(due)) == ({}, [])
    asked(november)
    roster.refresh_from_db()
    due.refresh_from_db()
    states = {cover.state for cover in roster.enrolments.all()}
    assert (roster.state, due.state, states) == ("cancelled_unpaid", "cancelled", {"cancelled_unpaid"})
    assert refund(world, late, due.amount_fen, "refused").state == "proposed"
    assert enrolled(world, world.yulin).state == "committed", "the days are free again, and the same file is taken again"


def test_without_a_last_day_january_would_be_covered_by_november(world: World) -> None:
    """The control."""
    roster = enrolled(world, world.yulin)
    due = roster.dues.get()
    ContributionDue.objects.update(pay_by=None)
    november = date(2026, 11, 20)
    match([Pair(on_day(world, november, due, due.amount_fen).pk, due.pk, due.amount_fen)], by=payer(world), on=november)
    assert roster.enrolments.first().cover.lower == date(2026, 1, 6)
    assert {cover.state for cover in roster.enrolments.all()} == {"effective"}


def test_what_the_bank_booked_in_time_counts_however_late_its_statement_comes(world: World) -> None:
    cover = joined(world, world.yulin)
    due = cover.dues.get()
    one = on_day(world, LAST, due, due.amount_fen)
    asked(GONE)
    cover.refresh_from_db()
    assert cover.state == "contribution_due", "the money is there"
    match([Pair(one.pk, due.pk, due.amount_fen)], by=payer(world), on=GONE)
    cover.refresh_from_db()
    assert cover.state == "effective"


def test_what_was_paid_in_part_waits_for_a_refund(world: World) -> None:
    cover = joined(world, world.yulin)
    due = cover.dues.get()
    one = arrived(world, 2_000, due.reference)
    match([Pair(one.pk, due.pk, 2_000)], by=payer(world), on=JOINED)
    asked(GONE - timedelta(days=1))
    cover.refresh_from_db()
    assert cover.state == "contribution_due", "statements may still come in"
    asked(GONE)
    cover.refresh_from_db()
    due.refresh_from_db()
    one.refresh_from_db()
    assert (cover.state, due.state, due.paid_fen, one.left_fen) == ("cancelled_unpaid", "cancelled", 0, 2_000)
    assert Match.objects.get().undone_reason == "refused"
    assert balances().get("contributions") is None
    assert refund(world, one, 2_000, "refused").state == "proposed"


def test_people_and_agent_are_told_before_and_after_and_once(world: World) -> None:
    agent = world.member(301, "周经办")
    Member.objects.filter(pk=agent.pk).update(user=world.agent)
    enrolled(world, world.yulin)
    asked(LAST - timedelta(days=8))
    assert not Notice.objects.exists()
    for day in (LAST - timedelta(days=7), LAST, GONE, GONE + timedelta(days=1)):
        asked(day)
    told = list(Notice.objects.order_by("id").values_list("title", "member_key"))
    people = set(Member.objects.values_list("pk", flat=True))
    assert len(people) == 3
    assert {key for title, key in told if title == "互助费快到缴费期限了"} == people
    assert {key for title, key in told if title == "互助费逾期未缴，参加已取消"} == people
    assert len(told) == 6
    assert AuditEntry.objects.filter(action="cancel_unpaid").count() == 3


def test_the_plan_says_how_long(world: World) -> None:
    terms = terms_like(YULIN, contribution={"per_share": "50", "pay_within_days": 10})
    assert joined(world, terms).dues.get().pay_by == JOINED + timedelta(days=10)


def test_cancelling_takes_as_many_statements_for_many(world: World) -> None:
    counts: list[Any] = []
    for orders in ((101,), tuple(range(201, 221, 2))):
        roster = enrolled(world, world.yulin, orders)
        with frozen(GONE), CaptureQueriesContext(connection) as made:
            deadlines.cancel(roster.dues.get().pk, on=GONE)
        counts.append(len(made.captured_queries))
        assert {cover.state for cover in Enrolment.objects.filter(roster=roster)} == {"cancelled_unpaid"}
    assert counts[0] == counts[1]
    assert Roster.objects.filter(state="cancelled_unpaid").count() == 2
