"""A renewal that follows on from the last cover, and shares that count together with an older cover's."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from members.models import Enrolment, Member, Roster, RosterRow
from members.selectors.joining import offer_of
from members.services import roster_enrolling, rosters
from members.services.enrolment import EnrolmentRefused, enrol
from programs.models import Terms
from programs.services import PlanRefused
from tests.factories.world import JOINED, World, terms_like
from unionaid.lib.calendar import frozen, plus_days, plus_months
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

YULIN = "shaanxi-yulin-medical.2026"
START = plus_days(JOINED, 1)


@pytest.fixture(autouse=True)
def today(world: World) -> Iterator[None]:
    with frozen(JOINED), everywhere(reason="arrange"):
        yield


def covered(world: World, terms: Terms, member: Member, start: date, end: date, shares: int = 1) -> Enrolment:
    """Cover that was paid for."""
    return Enrolment.objects.create(
        office=world.cast.a, member=member, holder=member, unit=world.unit, program=terms.program, terms=terms, shares=shares,
        cover=DateRange(start, end), contribution_fen=1, state="effective",
    )  # fmt: skip


def joined(world: World, terms: Terms, member: Member, shares: int = 1) -> Enrolment:
    return enrol(
        member=member, holder=member, relation="self", terms=terms, shares=shares, unit=world.unit, on=JOINED, by=world.worker(member)
    )


def on_a_roster(world: World, terms: Terms, *people: tuple[int, int], meanwhile: Callable[[], None] = lambda: None) -> Roster:
    """These people (order of birth, shares) on a roster, enrolled as far as they may."""
    lines = [f"王小明,{make_id_number('610802', date(1990, 3, 8), order)},{shares}" for order, shares in people]
    data = "\n".join(["姓名,身份证号,份数", *lines]).encode()
    roster = rosters.upload(unit=world.unit, terms=terms, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)
    rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    roster.refresh_from_db()
    meanwhile()
    rosters.confirm(roster, by=world.agent_actor)
    rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
    roster.refresh_from_db()
    return roster


def test_of_retired_people_those_join_who_retired_on_or_after_the_plans_day(world: World) -> None:
    """On a roster by its column, and by oneself: asked first where nobody told the day; a departure tells it."""
    terms = terms_like(YULIN, enrolment=rules(employment=["enterprise", "retired"], retired={"from": "2019-07-01"}))
    days = {101: "2019-06-30", 103: "2019-07-01", 105: ""}
    lines = [f"王小明,{make_id_number('610802', date(1990, 3, 8), order)},退休,{day}" for order, day in days.items()]
    lines.append(f"王小明,{make_id_number('610802', date(1990, 3, 8), 107)},企业在职,")
    data = "\n".join(["姓名,身份证号,在职情况,退休日期", *lines]).encode()
    roster = rosters.upload(unit=world.unit, terms=terms, data=data, file_name="r.csv", by=world.agent_actor, on=JOINED)
    rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    rows = RosterRow.objects.filter(roster=roster).order_by("row_number")
    assert [row.outcome for row in rows] == ["bad", "good", "bad", "good"]
    assert ["要求在2019年7月1日（含当天）以后退休" in row.why for row in rows] == [True, False, True, False]
    roster.refresh_from_db()
    rosters.confirm(roster, by=world.agent_actor)
    rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
    assert Member.objects.get(retired_on__isnull=False).retired_on == date(2019, 7, 1)
    worker = world.member(109)
    Member.objects.filter(pk=worker.pk).update(employment="retired")
    worker.refresh_from_db()
    assert "retirement" in offer_of(worker, terms, [], {}, on=JOINED).open
    with pytest.raises(EnrolmentRefused, match="退休日期"):
        joined(world, terms, worker)
    worker.retired_on = date(2020, 1, 1)
    assert joined(world, terms, worker).shares == 1


FOLLOWING = {"start": "2025-11-01", "end": "2026-12-31", "term_months": [12], "follows_on_within_days": 30}
WAITING = {"days": 20, "waived_on_renewal_within_days": 30}


@pytest.mark.parametrize(("plan_follows", "set_back"), [(True, True), (False, False)])
def test_whoever_renews_in_time_is_covered_from_the_day_the_last_cover_ended(world: World, plan_follows: bool, set_back: bool) -> None:
    """Also as one of a roster, where those who are new, or come too late, begin on the day after and wait. The plan without the rule
    is the control."""
    period = FOLLOWING if plan_follows else {key: value for key, value in FOLLOWING.items() if key != "follows_on_within_days"}
    terms = terms_like(YULIN, period=period, waiting=WAITING)
    in_time, too_late, alone = (world.member(order) for order in (101, 103, 107))
    ended = plus_days(START, -30)
    for member, end in ((in_time, ended), (too_late, plus_days(ended, -1)), (alone, ended)):
        covered(world, terms, member, plus_months(end, -12), end)
    roster = on_a_roster(world, terms, (101, 1), (103, 1), (105, 1))
    first = ended if set_back else START
    since = 0 if set_back else 30
    told = {cover.days_since_cover: (cover.cover.lower, cover.cover.upper, cover.waiting_until) for cover in roster.enrolments.all()}
    waits = plus_days(START, 19)
    assert told == {
        since: (first, plus_months(first, 12), None),
        31: (START, plus_months(START, 12), waits),
        None: (START, plus_months(START, 12), waits),
    }
    one = joined(world, terms, alone)
    assert (one.cover.lower, one.cover.upper, one.waiting_until, one.days_since_cover) == (first, plus_months(first, 12), None, since)


def test_shares_under_an_older_cover_of_several_years_count_towards_the_greatest_number(world: World) -> None:
    """Two shares for three years; of three in all one is left to buy, and it has a cover of its own beside the other."""
    with pytest.raises(PlanRefused, match="没有代码为 no-such-plan 的计划"):
        terms_like(YULIN, enrolment=rules(shares={"max": 3, "together_with": ["no-such-plan"]}))
    terms = terms_like(YULIN, enrolment=rules(shares={"max": 3, "together_with": ["shaanxi-yulin-medical"]}))
    older = [covered(world, world.yulin, world.member(order), date(2025, 1, 1), date(2028, 1, 1), shares=2) for order in (101, 103, 107)]
    roster = on_a_roster(world, terms, (101, 2), (103, 1), (105, 3))
    why = {row.shares: row.why for row in RosterRow.objects.filter(roster=roster, outcome="bad")}
    assert list(why) == [2]
    assert "还可以参加 1 份" in why[2]
    assert sorted(roster.enrolments.values_list("shares", flat=True)) == [1, 3]
    member = older[2].member
    with pytest.raises(EnrolmentRefused, match="还可以参加 1 份"):
        joined(world, terms, member, 2)
    assert joined(world, terms, member, 1).shares == 1
    member.refresh_from_db()
    assert offer_of(member, terms, list(Enrolment.objects.filter(member=member)), {}, on=JOINED).standing == "joined"
    full = covered(world, world.yulin, world.member(109), date(2025, 1, 1), date(2028, 1, 1), shares=3)
    refused = offer_of(full.member, terms, [full], {}, on=JOINED)
    assert [verdict.sentence.zh for verdict in refused.verdicts if verdict.outcome == "fail"][-1].startswith("您已有 3 份还在保障期内")
    Enrolment.objects.filter(pk=full.pk).update(cover=DateRange(date(2025, 1, 1), START))
    assert joined(world, terms, full.member, 3).shares == 3


@pytest.mark.parametrize("asked_again", [True, False], ids=["asked again", "the control: not asked again"])
def test_shares_that_somebody_got_since_the_check_are_counted_when_the_roster_is_enrolled(
    world: World, asked_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two people whose line was good one buys two shares of the plan that counts together before the agent confirms."""
    if not asked_again:
        monkeypatch.setattr(roster_enrolling, "TOO_MANY_SHARES", "SELECT 1")
    terms = terms_like(YULIN, enrolment=rules(shares={"max": 3, "together_with": ["shaanxi-yulin-medical"]}))
    buyer, other = (world.member(order) for order in (101, 103))

    def meanwhile() -> None:
        covered(world, world.yulin, buyer, date(2025, 1, 1), date(2028, 1, 1), shares=2)

    roster = on_a_roster(world, terms, (101, 2), (103, 2), meanwhile=meanwhile)
    if not asked_again:
        assert roster.enrolments.count() == 2, "four shares of three"
        return
    bad = RosterRow.objects.get(roster=roster, outcome="bad")
    assert (bad.problem, "又有了合计份数的其他保障" in bad.why) == ("shares", True)
    assert [cover.member_id for cover in roster.enrolments.all()] == [other.pk]
    assert (roster.good_count, roster.bad_count) == (1, 1)


def rules(**more: object) -> dict[str, object]:
    return {"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, "ages": [{"from": 16, "to": 60}], **more}
