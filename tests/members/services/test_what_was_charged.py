"""What was charged is what counts: nothing at all, by the unit of that day, paid late, paid twice, paid for what was cancelled."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from members.facts import waiting
from members.models import ContributionDue, Enrolment, Member, Roster, RosterRow, WorkUnit
from members.selectors.contributions import discrepancies
from members.selectors.joining import fee_of, offer_of
from members.services import enrolment, principals, refunds, rosters, voiding
from members.services.contributions import Pair, match, raise_due
from members.services.enrolment import EnrolmentRefused
from members.services.refunds import RefundRefused
from programs.models import Terms
from programs.rules.planfile import read_plan
from programs.selectors import schedule_of
from tests.factories.world import CATALOGUE, JOINED, World, load, terms_like
from tests.members.services.test_contributions import arrived, balances, manager, payer
from tests.members.services.test_voiding import refund, reviewer
from unionaid.lib.calendar import frozen, plus_days
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.workflow.models import Job

YULIN = "shaanxi-yulin-medical.2026"


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield
        assert discrepancies() == []


def enrolled(
    world: World, terms: Terms, orders: tuple[int, ...] = (101, 103), on: date = JOINED, columns: str = "", data: bytes = b"", **more: Any
) -> Roster:
    """A roster of these people from its file to what is owed; `columns`: one more column and its value for everybody;
    `data`: the file as it is."""
    title, value = columns.split("=") if columns else ("", "")
    lines = [("姓名", "身份证号", title), *(("王小明", make_id_number("610802", date(1990, 3, 8), order), value) for order in orders)]
    data = data or "".join(",".join(cell for cell in line if cell) + "\n" for line in lines).encode()
    roster = rosters.upload(unit=world.unit, terms=terms, data=data, file_name="r.csv", by=world.agent_actor, on=on, **more)
    rosters.check(roster.pk, by=SYSTEM, on=on)
    roster.refresh_from_db()
    rosters.confirm(roster, by=world.agent_actor)
    rosters.commit(roster.pk, by=SYSTEM, on=on)
    roster.refresh_from_db()
    return roster


def joined(world: World, terms: Terms, order: int = 101, on: date = JOINED, **more: Any) -> Enrolment:
    member = world.member(order)
    return enrolment.enrol(
        member=member, holder=member, relation="self", terms=terms, shares=1, unit=world.unit, on=on, by=world.worker(member), **more
    )


def paid(world: World, due: ContributionDue, fen: int, *, on: date = JOINED) -> None:
    match([Pair(arrived(world, fen, due.reference).pk, due.pk, fen)], by=payer(world), on=on)


# -- nothing ------------------------------------------------------------------------------------------------------------


def test_a_plan_that_costs_nothing_is_in_force_as_soon_as_the_roster_is_enrolled(world: World) -> None:
    roster = enrolled(world, load("dalian-relief.2026", office=None))
    assert (roster.state, roster.total_fen, roster.dues.count()) == ("effective", 0, 0)
    assert [cover.state for cover in roster.enrolments.all()] == ["effective", "effective"]


def test_whoever_joins_a_plan_that_costs_nothing_is_in_force_at_once_and_others_are_not(world: World) -> None:
    free = terms_like(YULIN, contribution={"per_share": "0"})
    assert joined(world, free).state == "effective"
    assert joined(world, world.yulin, 103).state == "contribution_due"
    assert enrolled(world, world.yulin, (105,)).state == "committed"


def test_who_pays_nothing_waits_with_the_roster_for_those_who_pay(world: World) -> None:
    mixed = terms_like(YULIN, contribution={"classes": [{"group": "hardship", "per_share": "0"}, {"per_share": "50"}]})
    assert enrolled(world, mixed, (101,), columns="人员身份=困难职工").state == "effective"
    assert enrolled(world, mixed, (103,)).state == "committed"


# -- the unit of that day -------------------------------------------------------------------------------------------------


BY_RISK = {"classes": [{"risk": "high", "per_share": "124"}, {"risk": "normal", "per_share": "10"}]}


@pytest.mark.parametrize(("then", "fen", "later"), [("high", 12_400, "normal"), ("normal", 1_000, "high")])
def test_whoever_is_void_is_taken_off_by_what_was_charged_not_by_what_the_unit_is_now(
    world: World, then: str, fen: int, later: str
) -> None:
    WorkUnit.objects.filter(pk=world.unit.pk).update(risk=then)
    world.unit.refresh_from_db()
    roster = enrolled(world, terms_like(YULIN, contribution=BY_RISK))
    due = roster.dues.get()
    assert due.amount_fen == 2 * fen
    paid(world, due, 2 * fen)
    WorkUnit.objects.filter(pk=world.unit.pk).update(risk=later)
    cover = roster.enrolments.order_by("pk")[0]
    one = voiding.propose(cover, reason="duplicate", note="重复", by=reviewer(world), on=JOINED)
    voiding.release(one, by=payer(world), on=JOINED)
    due.refresh_from_db()
    assert (one.amount_fen, due.waived_fen, due.paid_fen) == (fen, fen, fen)


SPLIT = {"per_share": "100", "payers": {"person": "20", "unit": "80"}, "person_at_least": "12"}


@pytest.mark.parametrize(("person_fen", "person", "unit"), [(None, 4_000, 16_000), (1_200, 2_400, 17_600), (10_000, 20_000, 0)])
def test_the_unit_sets_what_each_person_pays_where_the_plan_lets_it(
    world: World, person_fen: int | None, person: int, unit: int
) -> None:
    """Two people of 100 yuan each; whoever is void takes off what was set for them."""
    roster = enrolled(world, terms_like(YULIN, contribution=SPLIT), person_fen=person_fen)
    assert dict(roster.dues.values_list("payer", "amount_fen")) == {name: fen for name, fen in (("person", person), ("unit", unit)) if fen}
    cover = roster.enrolments.order_by("pk")[0]
    assert rosters.parts_of(cover, 1) == {"person": person // 2, "unit": unit // 2}


@pytest.mark.parametrize(("person_fen", "told"), [(1_199, "12 到 100"), (10_001, "12 到 100")])
def test_a_unit_sets_no_part_outside_the_plans_bounds(world: World, person_fen: int, told: str) -> None:
    with pytest.raises(rosters.RosterRefused, match=told):
        enrolled(world, terms_like(YULIN, contribution=SPLIT), person_fen=person_fen)
    with pytest.raises(rosters.RosterRefused, match="不能另选"):
        enrolled(world, world.yulin, person_fen=2_000)


# -- back again -----------------------------------------------------------------------------------------------------------


def test_money_for_an_enrolment_that_was_withdrawn_meanwhile_goes_back(world: World) -> None:
    cover = joined(world, world.yulin)
    due = cover.dues.get()
    enrolment.withdraw(cover, by=world.worker(cover.member))
    one = arrived(world, due.amount_fen, due.reference)
    for reason in ("over_payment", "void"):
        with pytest.raises(RefundRefused):
            refund(world, one, due.amount_fen, reason)
    back = refund(world, one, due.amount_fen, "refused")
    refunds.release(back, by=manager(world), on=JOINED)
    refunds.mark_paid(back, bank_reference="B1", paid_on=JOINED, by=payer(world), on=JOINED)
    one.refresh_from_db()
    assert (one.state, one.left_fen, balances()) == ("refunded", 0, {})


def test_money_for_a_roster_that_is_void_goes_back_when_it_arrives_later(world: World) -> None:
    roster = enrolled(world, world.yulin)
    due = roster.dues.get()
    voiding.propose_roster(roster, note="不是本单位的", by=payer(world), on=JOINED)
    due.refresh_from_db()
    assert (due.state, due.roster.state) == ("cancelled", "void")
    one = arrived(world, due.amount_fen, due.reference)
    with pytest.raises(RefundRefused):
        refund(world, one, due.amount_fen, "refused")
    assert refund(world, one, due.amount_fen, "void").amount_fen == due.amount_fen


def test_money_that_names_a_live_debt_too_does_not_go_back_for_the_cancelled_one(world: World) -> None:
    cover = joined(world, world.yulin)
    gone, live = cover.dues.get(), joined(world, world.yulin, 103).dues.get()
    enrolment.withdraw(cover, by=world.worker(cover.member))
    for remark in (f"{gone.reference} {live.reference}", live.reference, "", f"{gone.reference} HZABCD3467"):
        with pytest.raises(RefundRefused):
            refund(world, arrived(world, gone.amount_fen, remark), 1, "refused")


def test_a_debt_paid_in_two_parts_and_then_once_more_is_paid_twice(world: World) -> None:
    roster = enrolled(world, terms_like(YULIN, contribution={"per_share": "62.50"}))
    due = roster.dues.get()
    assert due.amount_fen == 12_500
    first = arrived(world, 2_500, due.reference)
    other = arrived(world, 10_000, due.reference)
    match([Pair(first.pk, due.pk, 2_500), Pair(other.pk, due.pk, 10_000)], by=payer(world), on=JOINED)
    again, stranger = arrived(world, 12_500, due.reference), arrived(world, 12_500, "")
    other.refresh_from_db()
    for one, twin in ((stranger, other), (again, stranger)):
        with pytest.raises(RefundRefused, match="已经核销"):
            refund(world, one, 12_500, "duplicate", duplicate_of=twin)
    assert refund(world, again, 12_500, "duplicate", duplicate_of=other).amount_fen == 12_500


# -- paid back at the end ------------------------------------------------------------------------------------------------


def test_a_principal_goes_back_when_cover_is_over_and_not_a_day_before(world: World) -> None:
    """Two of three people paid 410 to have it back; the ordinary 10 stays. Proposed and released by two people like every refund."""
    classes = [{"group": "refundable", "per_share": "410", "refundable": True}, {"per_share": "10"}]
    terms = terms_like(YULIN, contribution={"classes": classes})
    lines = [(101, "refundable"), (103, "refundable"), (105, "")]
    data = "姓名,身份证号,人员身份\n" + "".join(
        f"王小明,{make_id_number('610802', date(1990, 3, 8), order)},{group}\n" for order, group in lines
    )
    roster = enrolled(world, terms, data=data.encode())
    due = roster.dues.get()
    assert due.amount_fen == 83_000
    paid(world, due, 83_000)
    assert sorted(roster.enrolments.values_list("refundable", flat=True)) == [False, True, True]
    end = roster.enrolments.order_by("pk")[0].cover.upper
    for day, jobs in ((plus_days(end, -1), 0), (end, 1)):
        with frozen(day):
            principals.find(day)
        assert Job.objects.filter(kind="members.free_principal").count() == jobs
    principals.free(due.pk, on=plus_days(end, -1))
    due.refresh_from_db()
    assert due.waived_fen == 0
    for _again in range(2):
        principals.free(due.pk, on=end)
    due.refresh_from_db()
    assert (due.state, due.waived_fen, due.paid_fen, due.owed_fen) == ("settled", 82_000, 1_000, 0)
    money = due.matches.get(undone_at__isnull=True).remittance
    assert (money.left_fen, balances()) == (82_000, {"bank": 83_000, "unapplied": -82_000, "contributions": -1_000})
    with pytest.raises(RefundRefused):
        refund(world, money, 82_001, "term_over")
    back = refund(world, money, 82_000, "term_over")
    refunds.release(back, by=manager(world), on=end)
    refunds.mark_paid(back, bank_reference="B1", paid_on=end, by=payer(world), on=end)
    assert balances() == {"bank": 1_000, "contributions": -1_000}


# -- never paid -----------------------------------------------------------------------------------------------------------


LAST_YEAR = DateRange(date(2025, 1, 1), date(2026, 1, 6))
RENEWED = {"days": 30, "waived_on_renewal_within_days": 60}


def a_year_before(world: World, terms: Terms, *orders: int, settled: bool) -> list[Enrolment]:
    """Last year's cover of these people with the unit, paid for or not."""
    made = []
    for order in orders:
        member = world.member(order)
        cover = Enrolment.objects.create(
            office=world.cast.a, member=member, holder=member, unit=world.unit, program=terms.program, terms=terms, shares=1,
            cover=LAST_YEAR, contribution_fen=5_000,
        )  # fmt: skip
        (due,) = raise_due(office_id=world.cast.a.pk, unit=None, member=member, enrolment=cover, amounts={"person": 5_000})
        if settled:
            paid(world, due, 5_000)
        made.append(cover)
    return made


@pytest.mark.parametrize("settled", [False, True])
def test_only_cover_that_was_paid_for_earns_the_waiver_and_makes_the_last_list(world: World, settled: bool) -> None:
    """Paid for is the control."""
    terms = terms_like(YULIN, waiting=RENEWED)
    a_year_before(world, terms, 101, 103, settled=settled)
    assert rosters.last_list_sizes(world.unit, [terms], on=JOINED) == ({terms.pk: 2} if settled else {})
    roster = enrolled(world, terms)
    covers = list(roster.enrolments.order_by("pk"))
    told = [(cover.waiting_waived, cover.waiting_until is None, cover.first_time) for cover in covers]
    assert told == [(settled, settled, not settled)] * 2
    assert {row.change for row in RosterRow.objects.filter(roster=roster)} == ({"stayed"} if settled else {"joined"})


def test_each_waiver_counts_by_itself_and_alike_on_a_roster_and_for_one_person(world: World) -> None:
    """Two items wait, waived within 30 and 90 days: who was covered until 30, 60 or 91 days before, and who never was."""
    items = read_plan((CATALOGUE / f"{YULIN}.yaml").read_bytes(), source=YULIN).data["items"]
    short, long = ({"days": days, "waived_on_renewal_within_days": within} for days, within in ((20, 30), (40, 90)))
    terms = terms_like(YULIN, items=[items[0] | {"waiting": short}, items[1] | {"waiting": long}])
    schedule, start = schedule_of(terms), plus_days(JOINED, 1)
    before = dict(zip((101, 103, 105, 109), a_year_before(world, terms, 101, 103, 105, 109, settled=True), strict=True))
    ends = {order: plus_days(start, -since) for order, since in ((101, 30), (103, 60), (105, 91), (109, 60))}
    for order, end in ends.items():
        Enrolment.objects.filter(pk=before[order].pk).update(cover=DateRange(date(2025, 1, 1), end))
    roster = enrolled(world, terms, (101, 103, 105, 107))
    told = {
        (cover.days_since_cover, cover.waiting_until, cover.waiting_waived, cover.first_time) for cover in roster.enrolments.all()
    }
    assert told == {
        (30, None, True, False), (60, plus_days(start, 19), False, False), (91, plus_days(start, 39), False, False),
        (None, plus_days(start, 39), False, True),
    }  # fmt: skip
    assert {(until, waived) for _since, until, waived, _first in told} == {waiting(schedule, start, end) for end in (*ends.values(), None)}
    alone = again(world, before[109].member, terms)
    assert (alone.days_since_cover, alone.waiting_until, alone.waiting_waived) == (60, plus_days(start, 19), False)


@pytest.mark.parametrize("settled", [False, True])
def test_only_cover_that_was_paid_for_opens_the_ages_of_those_who_renew(world: World, settled: bool) -> None:
    rules = read_plan((CATALOGUE / f"{YULIN}.yaml").read_bytes(), source=YULIN).data["enrolment"]
    ages = [{"relation": "self", "from": 16, "to": 20}, {"relation": "self", "from": 16, "to": 80, "renewal": True}]
    terms = terms_like(YULIN, enrolment={**rules, "ages": ages}, waiting=RENEWED)
    (before,) = a_year_before(world, terms, 101, settled=settled)
    before.refresh_from_db()
    member = before.member
    assert (offer_of(member, terms, [before], {}, on=JOINED).standing != "no") is settled
    if settled:
        assert again(world, member, terms).waiting_waived
        return
    with pytest.raises(EnrolmentRefused):
        again(world, member, terms)
    assert rosters_problems(world, terms) == ["unfit"]


def again(world: World, member: Member, terms: Terms) -> Enrolment:
    return enrolment.enrol(
        member=member, holder=member, relation="self", terms=terms, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
    )


def rosters_problems(world: World, terms: Terms) -> list[str]:
    """What speaks against the first person, on a roster."""
    data = f"姓名,身份证号\n王小明,{make_id_number('610802', date(1990, 3, 8), 101)}\n".encode()
    roster = rosters.upload(unit=world.unit, terms=terms, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)
    rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    return [row.problem for row in RosterRow.objects.filter(roster=roster)]


# -- by whom --------------------------------------------------------------------------------------------------------------


SHARED = {"per_share": "80", "payers": {"union": "30", "person": "50"}}


def test_whoever_joins_alone_owes_their_own_part_and_the_unit_the_others(world: World) -> None:
    cover = joined(world, terms_like(YULIN, contribution=SHARED))
    own, others = cover.dues.get(payer="person"), cover.dues.get(payer="union")
    assert (own.amount_fen, own.member_id, own.unit_id) == (5_000, cover.holder_id, None)
    assert (others.amount_fen, others.member_id, others.unit_id) == (3_000, None, world.unit.pk)
    assert fee_of(schedule_of(cover.terms), cover.member, 1, unit=world.unit, on=JOINED) == 5_000
    paid(world, own, 5_000)
    cover.refresh_from_db()
    assert cover.state == "contribution_due", "the union's part has not arrived"
    with pytest.raises(EnrolmentRefused, match="已经收到"), transaction.atomic():
        enrolment.withdraw(cover, by=world.worker(cover.member))
    cover.refresh_from_db()
    paid(world, others, 3_000)
    cover.refresh_from_db()
    assert (cover.state, balances()["contributions"]) == ("effective", -8_000)
    one = voiding.propose(cover, reason="duplicate", note="重复", by=reviewer(world), on=JOINED)
    voiding.release(one, by=payer(world), on=JOINED)
    assert [due.waived_fen for due in cover.dues.order_by("amount_fen")] == [3_000, 5_000]


def test_whoever_takes_it_back_leaves_nothing_owed_by_anybody(world: World) -> None:
    cover = joined(world, terms_like(YULIN, contribution=SHARED))
    with office_scope(Scope(member=cover.member_id, user=cover.member.user_id)):
        assert ContributionDue.objects.count() == 1, "the other part is not theirs to see"
        enrolment.withdraw(cover, by=world.worker(cover.member))
    assert {due.state for due in cover.dues.all()} == {"cancelled"}


def test_whoever_has_no_unit_pays_it_all(world: World) -> None:
    terms, member = terms_like(YULIN, contribution=SHARED), world.member(101)
    assert fee_of(schedule_of(terms), member, 1, unit=None, on=JOINED) == 8_000
    cover = enrolment.enrol(
        member=member, holder=member, relation="self", terms=terms, shares=1, unit=None, on=JOINED, by=world.worker(member)
    )
    assert [(due.payer, due.amount_fen) for due in cover.dues.all()] == [("person", 8_000)]
