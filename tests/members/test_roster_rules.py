"""The plan's rules over a whole roster: who is refused and why, what the unit keeps as a whole, what each line is charged."""

import random
from datetime import date
from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from members.models import ContributionDue, Enrolment, Member, Roster, RosterRow, UnitAgent, WorkUnit
from members.services import contributions, enrolment, participation, roster_tables, rosters
from members.services.roster_rows import TITLES, titles_of
from programs.models import Terms
from programs.rules import eligibility_sql
from programs.rules.eligibility import judge_unit
from programs.rules.eligibility_sql import Sql
from programs.rules.facts import UnitFacts
from programs.rules.parse import parse
from programs.rules.planfile import PlanFile, read_plan
from programs.selectors import schedule_of
from programs.services import check, load_plan, publish
from tests.factories.world import JOINED, World
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import read_table
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.moves import NotAllowed

CATALOGUE = Path(__file__).resolve().parents[2] / "programs" / "catalogue"
YULIN = read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data
MAN, WOMAN = 1, 2
Line = tuple[str, ...]


def _terms(contribution: dict[str, Any] | None = None, *, period: dict[str, Any] | None = None, **enrolment: Any) -> Terms:
    """Published terms like Yulin's with other rules of joining (and another period of cover)."""
    data = {**YULIN, "code": "roster-rules", "enrolment": {"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, **enrolment}}
    if period:
        data["period"] = period
    if contribution:
        data["contribution"] = contribution
    with everywhere(reason="arrange"):
        return publish(check(load_plan(PlanFile(data, {}, "x"), by=SYSTEM).terms, by=SYSTEM), by=SYSTEM)


def _people(gender: int, count: int, *more: str, born: date = date(1990, 3, 8), first: int = 0) -> list[Line]:
    return [("张三", make_id_number("610802", born, 100 + 2 * (first + i) + gender), *more) for i in range(count)]


def _checked(world: World, terms: Terms, lines: list[Line], *columns: str, on: date = JOINED, months: int | None = None) -> Roster:
    """A roster with these columns beside name and number, read and judged."""
    text = "\n".join(",".join(line) for line in [("姓名", "身份证号", *columns), *lines])
    with everywhere(reason="arrange"), frozen(on):
        roster = rosters.upload(
            unit=world.unit, terms=terms, data=text.encode(), file_name="r.csv", by=world.agent_actor, on=on, term_months=months
        )
        rosters.check(roster.pk, by=SYSTEM, on=on)
        roster.refresh_from_db()
    return roster


def _reasons(roster: Roster) -> list[str]:
    with everywhere(reason="look"):
        return [row.why for row in RosterRow.objects.filter(roster=roster, outcome="bad").order_by("row_number")]


def _enrolled(world: World, roster: Roster, *, on: date = JOINED) -> list[Enrolment]:
    with everywhere(reason="arrange"), frozen(on):
        rosters.confirm(roster, by=world.agent_actor)
        rosters.commit(roster.pk, by=SYSTEM, on=on)
        return list(Enrolment.objects.filter(roster=roster).order_by("id"))


def _paid(roster: Roster, on: date) -> None:
    """The roster's whole debt has arrived: cover that is in force counts as cover before."""
    with everywhere(reason="arrange"), frozen(on):
        for due in roster.dues.all():
            contributions.confirm(
                due, payer_name="单位", bank_reference=f"B{due.pk}", received_on=on, amount_fen=due.amount_fen, remark="", by=SYSTEM, on=on
            )


# --- the rules run in SQL, the reasons are told by Python ------------------------------------------------------------


def test_python_judges_only_those_whom_sql_did_not_pass(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, judge = [], rosters.judge

    def counted(*told: Any, **more: Any) -> Any:
        asked.append(more["person"])
        return judge(*told, **more)

    monkeypatch.setattr(rosters, "judge", counted)
    lines = [*_people(MAN, 20), *_people(MAN, 2, born=date(1950, 1, 1)), *_people(WOMAN, 1, born=date(2020, 1, 1))]
    roster = _checked(world, _terms(ages=[{"from": 16, "to": 60}]), lines)
    assert (roster.good_count, roster.bad_count, len(asked)) == (20, 3, 3)
    assert all("周岁" in reason for reason in _reasons(roster))


def test_when_sql_and_python_disagree_nothing_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(eligibility_sql.RULES, "union_member", lambda table: Sql("'fail'"))
    with pytest.raises(RuntimeError, match="disagree"):
        _checked(world, _terms(), _people(MAN, 2))
    with everywhere(reason="look"):
        assert not RosterRow.objects.exists()


def test_what_the_list_does_not_say_is_taken_from_the_unit(world: World) -> None:
    terms = _terms()
    assert _checked(world, terms, _people(MAN, 2)).good_count == 2
    with everywhere(reason="arrange"):
        WorkUnit.objects.filter(pk=world.unit.pk).update(nature="institution", civil_servant_subsidy=True)
    roster = _checked(world, terms, [*_people(MAN, 1, "", first=10), *_people(MAN, 1, "企业在职", first=20)], "在职情况")
    assert roster.good_count == 1
    assert "公务员医疗补助" in _reasons(roster)[0]


def test_staff_of_an_institution_with_the_subsidy_have_it_whoever_says_otherwise_and_however_they_join(world: World) -> None:
    """The control: without the subsidy the same people join by the list and by themselves."""
    terms = _terms(employment=["institution"])
    with everywhere(reason="arrange"):
        member = world.member(901)
        Member.objects.filter(pk=member.pk).update(employment="institution")
        member.refresh_from_db()
    for subsidised in (True, False):
        with everywhere(reason="arrange"):
            WorkUnit.objects.filter(pk=world.unit.pk).update(nature="institution", civil_servant_subsidy=subsidised)
            world.unit.refresh_from_db()
        listed = _checked(world, terms, _people(WOMAN, 1, "事业单位在职", first=10 + subsidised), "在职情况")
        assert listed.bad_count == subsidised
        if subsidised:
            assert "公务员医疗补助" in _reasons(listed)[0]
            with pytest.raises(enrolment.EnrolmentRefused, match="公务员医疗补助"):
                _alone(world, terms, 0, 1, member=member)
    assert _alone(world, terms, 0, 1, member=member)


def test_who_is_known_to_have_retired_is_retired_unless_the_list_says_otherwise(world: World) -> None:
    """Also their day of retirement is looked up. The control is the second, who is at work as far as anybody knows."""
    lines = _people(MAN, 2, first=40)
    with everywhere(reason="arrange"):
        member = world.member(int(lines[0][1][14:17]), "张三")
        Member.objects.filter(pk=member.pk).update(employment="retired", retired_on=date(2025, 3, 1))
    roster = _checked(world, _terms(), lines)
    assert (roster.good_count, roster.bad_count) == (1, 1)
    assert "已退休" in _reasons(roster)[0]
    assert _checked(world, roster.terms, [(*lines[0], "企业在职")], "在职情况").good_count == 1


def test_months_in_the_unit_are_asked_for_in_a_column_of_their_own(world: World) -> None:
    terms = _terms(min_months_in_unit=6)
    without = _checked(world, terms, _people(MAN, 2))
    assert without.good_count == 0
    assert "入职日期" in _reasons(without)[0]
    lines = [*_people(MAN, 1, "2025-07-06"), *_people(MAN, 1, "2025-07-07", first=5), *_people(MAN, 1, "2027-01-01", first=9)]
    told = _checked(world, terms, lines, "入职日期")  # cover begins on 6 January 2026
    assert told.good_count == 1
    assert "才满" in _reasons(told)[0]
    assert "今天之后" in _reasons(told)[1]


def test_the_kind_of_insurance_is_asked_for_in_a_column_of_its_own(world: World) -> None:
    terms = _terms(insurance_types=["employee"])
    lines = [*_people(MAN, 1, "职工医保"), *_people(MAN, 1, "居民医保", first=5), *_people(MAN, 1, "", first=9)]
    assert _checked(world, terms, lines, "医保种类").good_count == 1


def test_who_was_covered_in_the_period_before_renews_under_the_renewals_age(world: World) -> None:
    terms = _terms(ages=[{"from": 16, "to": 50, "renewal": False}, {"from": 16, "to": 60, "renewal": True}])
    lines = _people(MAN, 2, born=date(1970, 3, 8))
    first = _checked(world, terms, lines[:1], on=date(2025, 10, 2))
    assert first.good_count == 0
    assert "续保" in _reasons(first)[0]
    with everywhere(reason="arrange"):
        earlier = _terms_before(terms)
    joined = _checked(world, earlier, lines[:1], on=date(2024, 12, 1))
    assert len(_enrolled(world, joined, on=date(2024, 12, 1))) == 1
    assert _checked(world, terms, lines).good_count == 0  # what was never paid for is no cover
    _paid(joined, on=date(2024, 12, 2))
    assert _checked(world, terms, [*lines[:1], *_people(MAN, 1, first=70, born=date(1990, 3, 8))]).good_count == 2


def _terms_before(terms: Terms) -> Terms:
    """The year before under the same program, open to everyone."""
    data = {**YULIN, "code": terms.program.code, "version": "2025", "period": {"start": "2025-01-01", "end": "2025-12-31"}}
    data["enrolment"] = {"opens": "2024-10-01", "closes": "2025-12-31", "individual": True}
    data["examples"] = [{"name": "自付 1500 元", "case": {"event": "admission", "self_pay": "1500.00"}, "expect": "1200.00"}]
    return publish(check(load_plan(PlanFile(data, {}, "x"), by=SYSTEM).terms, by=SYSTEM), by=SYSTEM)


def test_on_the_last_day_of_the_period_nobody_is_enrolled_and_nothing_breaks(world: World) -> None:
    roster = _checked(world, _terms(), _people(MAN, 2), on=date(2026, 12, 31))
    assert roster.good_count == 0
    assert "没有剩余的保障日" in _reasons(roster)[0]


# --- how long, and the facts that only some plans ask ----------------------------------------------------------------

ONE_OR_THREE = {"start": "2026-01-01", "end": "2026-12-31", "term_months": [12, 36]}
BY_TERM = {"classes": [{"term_months": 36, "per_share": "270"}, {"term_months": 12, "per_share": "100"}]}


@pytest.mark.parametrize(("months", "fen", "last"), [(12, 10_000, date(2027, 1, 5)), (36, 27_000, date(2029, 1, 5))])
def test_the_length_the_unit_chooses_decides_cover_and_contribution(world: World, months: int, fen: int, last: date) -> None:
    roster = _checked(world, _terms(BY_TERM, period=ONE_OR_THREE), _people(MAN, 2), months=months)
    assert (roster.term_months, roster.total_fen) == (months, 2 * fen)
    covers = _enrolled(world, roster)
    assert {(cover.term_months, cover.last_day, cover.contribution_fen) for cover in covers} == {(months, last, fen)}
    with everywhere(reason="look"):
        assert ContributionDue.objects.get(roster=roster).amount_fen == 2 * fen


@pytest.mark.parametrize("months", [None, 24])
def test_where_several_lengths_are_offered_one_of_them_must_be_chosen(world: World, months: int | None) -> None:
    with pytest.raises(rosters.RosterRefused, match="保障时间"):
        _checked(world, _terms(BY_TERM, period=ONE_OR_THREE), _people(MAN, 2), months=months)
    with everywhere(reason="look"):
        assert not Roster.objects.exists()


def test_where_one_length_is_offered_nothing_is_chosen(world: World) -> None:
    period = {"start": "2026-01-01", "end": "2026-12-31", "rolling_months": 24}
    roster = _checked(world, _terms(period=period), _people(MAN, 1))
    (cover,) = _enrolled(world, roster)
    assert (cover.term_months, cover.last_day) == (24, date(2028, 1, 5))
    with everywhere(reason="arrange"):
        before = _terms_before(roster.terms)
    fixed = _checked(world, before, _people(MAN, 1, first=40), on=date(2025, 1, 5))
    (cover,) = _enrolled(world, fixed, on=date(2025, 1, 5))
    assert (cover.term_months, cover.last_day) == (None, date(2025, 12, 31))


def test_facts_that_a_plan_asks_are_read_from_columns_of_their_own_and_kept_with_the_person(world: World) -> None:
    ages = [{"gender": "female", "from": 16, "to": 54}, {"gender": "female", "group": "senior", "from": 16, "to": 59}]
    terms = _terms(ages=ages, min_contract_months=12, card_holder=True)
    lines = [
        *_people(WOMAN, 1, "是", "中高级", "3年", born=date(1968, 3, 8)),
        *_people(WOMAN, 1, "是", "普通职工", "无固定期限", born=date(1968, 3, 8), first=5),
        *_people(WOMAN, 1, "是", "", "12", born=date(1968, 3, 8), first=9),
        *_people(WOMAN, 1, "否", "", "12个月", first=13),
        *_people(WOMAN, 1, "有", "", "6", first=17),
        *_people(WOMAN, 1, "也许", "老板", "很久", first=21),
    ]
    roster = _checked(world, terms, lines, "工会会员卡", "人员身份", "合同期限（月）")
    reasons = _reasons(roster)
    assert (roster.good_count, len(reasons)) == (1, 5)
    assert not [reason for reason in reasons if "您" in reason], "an agent reads it of somebody else"
    for words, reason in zip(("周岁", "人员身份", "会员卡", "6 个月，这个计划要求至少 12 个月", "“工会会员卡”请填"), reasons, strict=True):
        assert words in reason
    assert "人员身份“老板”不能识别" in reasons[-1]
    assert "合同期限“很久”不能识别" in reasons[-1]
    (cover,) = _enrolled(world, roster)
    with everywhere(reason="look"):
        member = cover.member
        assert (member.card_holder, member.staff_group, member.contract_months) == (True, "senior", 36)


def test_a_later_list_fills_in_what_it_says_and_leaves_the_rest(world: World) -> None:
    terms = _terms({"classes": [{"risk": "high", "per_share": "60"}, {"risk": "normal", "per_share": "30"}]}, min_contract_months=12)
    with everywhere(reason="arrange"):
        before, then = _terms_before(terms), date(2025, 1, 5)
    first = _checked(world, before, _people(MAN, 1, "36", "高危"), "合同期限", "风险类别", on=then)
    (cover,) = _enrolled(world, first, on=then)
    _enrolled(world, _checked(world, terms, _people(MAN, 1, "24", "一般"), "劳动合同期限", "工种风险"))
    with everywhere(reason="look"):
        member = cover.member
        assert (member.contract_months, member.risk, member.card_holder, member.staff_group) == (24, "normal", None, "")


def test_the_last_list_brings_along_what_is_known(world: World) -> None:
    terms = _terms({"classes": [{"risk": "high", "per_share": "60"}, {"risk": "normal", "per_share": "30"}]}, min_contract_months=12)
    with everywhere(reason="arrange"):
        before, then = _terms_before(terms), date(2025, 1, 5)
    lines = [*_people(MAN, 1, "无固定期限", "高危"), *_people(MAN, 1, "24", "", first=9)]
    first = _checked(world, before, lines, "合同期限", "工种风险", on=then)
    _enrolled(world, first, on=then)
    _paid(first, on=then)
    with everywhere(reason="look"), frozen(JOINED):
        content = rosters.last_list(world.unit, terms, by=world.agent_actor, on=JOINED)
    table = read_table(content, "last.xlsx")
    places = [table.header.index(title) for title in ("工种风险", "合同期限")]
    assert sorted([row[i] for i in places] for row in table.rows) == [["", "24"], ["高风险", "无固定期限"]]
    kept = [dict(zip([title.rstrip("*") for title in table.header], row, strict=True)) for row in table.rows]
    again = [(line["姓名"], line["身份证号"], line["合同期限"], line["工种风险"] or "一般") for line in kept]
    assert _checked(world, terms, again, "合同期限", "工种风险").good_count == 2


def test_the_units_class_of_work_holds_for_whom_the_list_says_none(world: World) -> None:
    terms = _terms({"classes": [{"risk": "high", "per_share": "60"}, {"risk": "normal", "per_share": "30"}]})
    with everywhere(reason="arrange"):
        WorkUnit.objects.filter(pk=world.unit.pk).update(risk="high")
    roster = _checked(world, terms, [*_people(MAN, 2, ""), *_people(MAN, 1, "一般", first=9)], "工种风险")
    assert (roster.good_count, roster.total_fen) == (3, 15_000)
    assert sorted(cover.contribution_fen for cover in _enrolled(world, roster)) == [3_000, 6_000, 6_000]


def test_a_contribution_by_card_and_group_is_charged_by_line(world: World) -> None:
    classes = [
        {"group": "hardship", "per_share": "0"},
        {"card_holder": True, "per_share": "45", "payers": {"city_union": "40", "person": "5"}},
        {"per_share": "55", "payers": {"city_union": "40", "person": "15"}},
    ]
    lines = [
        *_people(MAN, 2, "是", ""), *_people(MAN, 1, "否", "", first=9), *_people(MAN, 1, "", "", first=13),
        *_people(MAN, 1, "是", "困难职工", first=17),
    ]  # fmt: skip
    roster = _checked(world, _terms({"classes": classes}), lines, "会员卡", "人员身份")
    assert (roster.good_count, roster.total_fen) == (5, 20_000)
    assert sorted(cover.contribution_fen for cover in _enrolled(world, roster)) == [0, 4_500, 4_500, 5_500, 5_500]
    with everywhere(reason="look"):
        owed = dict(ContributionDue.objects.filter(roster=roster).values_list("payer", "amount_fen"))
    assert owed == {"city_union": 16_000, "person": 4_000}


def test_a_unit_without_its_agent_is_told_so(world: World) -> None:
    terms = _terms(unit={"agent_bound": True})
    assert _checked(world, terms, _people(MAN, 1)).notes == []
    with everywhere(reason="arrange"):
        UnitAgent.objects.filter(unit=world.unit).update(until=JOINED)
    assert "还没有绑定经办人" in "".join(_checked(world, terms, _people(MAN, 2)).notes)


@pytest.mark.parametrize(
    ("asks", "titles"),
    [
        ({}, set()),
        ({"min_contract_months": 12}, {"合同期限"}),
        ({"card_holder": True, "ages": [{"group": "senior", "from": 16, "to": 59}]}, {"工会会员卡", "人员身份"}),
    ],
)
def test_the_template_has_a_column_only_for_what_the_plan_asks(asks: dict[str, Any], titles: set[str]) -> None:
    data = {**YULIN, "enrolment": {"opens": "2025-10-01", "closes": "2026-12-31", **asks}}
    assert set(titles_of(parse(data)).values()) - set(TITLES.values()) == titles


# --- what the unit keeps as a whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("women", "men", "short"), [(20, 0, False), (19, 30, True), (25, 1, False)])
def test_where_women_count_men_do_not_make_up_for_them(world: World, women: int, men: int, short: bool) -> None:
    """The unit has 25 women among 50; the plan wants 80% of the women."""
    terms = _terms(unit={"of": "women", "min_ratio": "0.80"})
    roster = _checked(world, terms, [*_people(WOMAN, women), *_people(MAN, men, first=100)])
    assert roster.good_count == women + men
    assert any("还差 1 人" in said for said in roster.notes) == short
    assert bool(roster.notes) == short


def test_a_second_roster_counts_with_the_first(world: World) -> None:
    terms = _terms(unit={"min_ratio": "0.50"})
    first = _checked(world, terms, _people(MAN, 20))
    assert "还差 5 人" in first.notes[0]
    _excepted(world, first)
    _enrolled(world, first)
    assert _checked(world, terms, _people(WOMAN, 5)).notes == []


def _excepted(world: World, roster: Roster) -> None:
    cast = world.cast
    with everywhere(reason="arrange"):
        one = participation.propose(roster, reason="单位正在停产，其余职工已离岗", by=cast.actor(cast.reviewer))
        participation.allow(one, by=cast.actor(cast.manager))


def test_below_the_plans_ratio_nobody_is_enrolled_unless_two_of_the_office_let_it(world: World) -> None:
    roster = _checked(world, _terms(unit={"min_ratio": "0.50"}), _people(MAN, 24))
    with everywhere(reason="arrange"), frozen(JOINED):
        with pytest.raises(rosters.RosterRefused, match="职工 50 人，至少要有 25 人参加，现在 24 人，还差 1 人.*补齐"):
            rosters.confirm(roster, by=world.agent_actor)
        one = participation.propose(roster, reason="其余职工已离岗", by=world.cast.actor(world.cast.reviewer))
        with pytest.raises(NotAllowed):
            participation.allow(one, by=world.cast.actor(world.cast.reviewer))
        with pytest.raises(participation.WaiverRefused, match="已有一份例外"):
            participation.propose(roster, reason="再来", by=world.cast.actor(world.cast.manager))
        with pytest.raises(NotAllowed):
            participation.propose(roster, reason="自己来", by=world.agent_actor)
        with pytest.raises(rosters.RosterRefused, match="还差 1 人"):
            rosters.confirm(roster, by=world.agent_actor)
        participation.allow(one, by=world.cast.actor(world.cast.manager))
    assert len(_enrolled(world, roster)) == 24
    with everywhere(reason="look"):
        acts = AuditEntry.objects.filter(entity="members.ratiowaiver", entity_id=one.pk).order_by("id")
        assert [(act.action, act.note) for act in acts] == [("propose_waiver", "其余职工已离岗"), ("allow", "")]


def test_who_is_lost_between_preview_and_enrolment_counts_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them joins by themselves meanwhile, which leaves the roster below the ratio: nobody is enrolled, and it waits again. The
    control: without a look at who was enrolled, too few are."""
    terms = _terms(unit={"min_ratio": "0.50"})
    roster = _checked(world, terms, _people(MAN, 25))

    def committed() -> tuple[str, int, int]:
        rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
        roster.refresh_from_db()
        return roster.state, Enrolment.objects.filter(roster=roster).count(), RosterRow.objects.filter(outcome="good").count()

    with everywhere(reason="arrange"), frozen(JOINED):
        rosters.confirm(roster, by=world.agent_actor)
        lost = world.member(101, "张三")
        enrolment.enrol(member=lost, holder=lost, relation="self", terms=terms, shares=1, unit=None, on=JOINED, by=world.worker(lost))
        assert committed() == ("checked", 0, 25)
        assert "还差 1 人" in "".join(roster.notes)
        monkeypatch.setattr(rosters, "refuse_unmet", lambda roster, *, preview, on: None)
        rosters.confirm(roster, by=world.agent_actor)
        assert committed() == ("committed", 24, 0)


def test_lines_with_other_shares_than_the_rest_are_refused(world: World) -> None:
    terms = _terms(shares={"max": 3}, unit={"same_shares": True})
    first = _checked(world, terms, [*_people(MAN, 3, "2"), *_people(WOMAN, 2, "1")], "份数")
    assert (first.good_count, first.bad_count) == (3, 2)
    assert set(_reasons(first)) == {"同一单位的职工份数必须相同：本单位每人 2 份"}
    _enrolled(world, first)
    later = _checked(world, terms, [*_people(WOMAN, 2, "1", first=50), *_people(MAN, 1, "2", first=60)], "份数")
    assert (later.good_count, later.bad_count) == (1, 2)


def _alone(world: World, terms: Terms, order: int, shares: int, **told: Any) -> Enrolment:
    """Somebody of the unit joins by themselves."""
    with everywhere(reason="arrange"), frozen(JOINED):
        member = told.pop("member", None) or world.member(order, "张三")
        ordinary = {"relation": "self", "unit": world.unit}
        return enrolment.enrol(
            member=member, holder=member, terms=terms, shares=shares, on=JOINED, by=world.worker(member), **{**ordinary, **told}
        )


def test_the_roster_of_a_unit_says_how_many_shares_its_people_have_and_whoever_joins_alone_follows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who joins alone first binds those who do so too, but not the unit's roster; after it everyone follows the roster. Two rosters at
    once are held together. The control: without the unit's rules anyone of it joins with any number."""
    terms = _terms(shares={"max": 3}, unit={"min_ratio": "0", "same_shares": True})
    assert _alone(world, terms, 101, 2).shares == 2
    with pytest.raises(enrolment.EnrolmentRefused, match="已参加的职工每人 2 份，请也选 2 份"):
        _alone(world, terms, 102, 3)
    assert _alone(world, terms, 103, 3, unit=None).shares == 3
    roster = _checked(world, terms, [*_people(MAN, 3, "3", first=200), *_people(WOMAN, 2, "2", first=200)], "份数")
    assert (roster.good_count, set(_reasons(roster))) == (3, {"同一单位的职工份数必须相同：本单位每人 3 份"})
    other = _checked(world, terms, _people(WOMAN, 2, "1", first=300), "份数")
    with everywhere(reason="arrange"), frozen(JOINED):
        rosters.confirm(other, by=world.agent_actor)
    _enrolled(world, roster)
    with everywhere(reason="arrange"), frozen(JOINED):
        rosters.commit(other.pk, by=SYSTEM, on=JOINED)
        other.refresh_from_db()
        assert (other.state, Enrolment.objects.filter(roster=other).count()) == ("checked", 0)
    assert "份数必须相同" in "".join(other.notes)
    with pytest.raises(enrolment.EnrolmentRefused, match="已参加的职工每人 3 份，请也选 3 份"):
        _alone(world, terms, 102, 2)
    monkeypatch.setattr(enrolment, "single", lambda *told, **more: ())
    assert _alone(world, terms, 104, 2).shares == 2


@pytest.mark.parametrize(("enrolled", "joins"), [(24, False), (25, True)])
def test_the_ratio_of_a_unit_binds_whoever_of_it_joins_alone(world: World, enrolled: int, joins: bool) -> None:
    """Of 50 people 26 must join, and the spouses of workers are none of them. A new hire joins once so many do; somebody without a unit
    in any case."""
    terms = _terms(unit={"min_ratio": "0.52"}, relations=["self", "spouse"])
    _staff(world, terms, [("male", 1)] * enrolled)
    _staff(world, terms, [("female", 1)] * 10, relation="spouse")
    if joins:
        assert _alone(world, terms, 101, 1).unit == world.unit
    else:
        with pytest.raises(enrolment.EnrolmentRefused, match="由单位统一参加"):
            _alone(world, terms, 101, 1)
    assert _alone(world, terms, 102, 1, unit=None).unit is None


def _staff(world: World, terms: Terms, people: list[tuple[str, int]], **told: Any) -> None:
    """People of the unit with cover under these terms, by gender and shares."""
    cover = DateRange(date(2026, 1, 6), date(2027, 1, 1))
    with everywhere(reason="arrange"):
        made = Member.objects.bulk_create(
            Member(
                id_hash=token_bytes(32), name="李四", gender=gender, birth_date=date(1990, 3, 8), unit=world.unit, office=world.cast.a,
                office_ids=[world.cast.a.pk],
            )
            for gender, _shares in people
        )  # fmt: skip
        ordinary = {"relation": "self", "office": world.cast.a, "unit": world.unit, "program_id": terms.program_id, "terms": terms}
        Enrolment.objects.bulk_create(
            Enrolment(member=one, holder=one, shares=shares, cover=cover, contribution_fen=0, **{**ordinary, **told})
            for one, (_gender, shares) in zip(made, people, strict=True)
        )


@pytest.mark.parametrize("of", ["staff", "women"])
def test_a_roster_is_judged_as_the_unit_that_plain_counting_finds(world: World, of: str) -> None:
    """Lines and covers in any mixture, round by round; what the database counts, judged, is what plain counting finds. The control: a
    count that takes the spouses of workers for staff is found out."""
    terms = _terms(shares={"max": 3}, relations=["self", "spouse"], unit={"of": of, "min_ratio": "0.90", "same_shares": True})
    schedule, chance, staff = schedule_of(terms), random.Random(of), list[tuple[str, int]]()
    earlier = _of_lines(world, terms, [], 99)
    found = {}
    for round_ in range(5):
        before, spouses, gone, lines = ([(chance.choice(GENDERS), chance.choice([2, 2, 2, 3])) for _ in range(8)] for _ in range(4))
        if round_ < 2:  # at first all have the same
            before, lines = ([(gender, 2) for gender, _shares in some] for some in (before, lines))
        for told, people in (({"roster": earlier}, before), ({"relation": "spouse"}, spouses), ({"state": "void"}, gone)):
            _staff(world, terms, people, **told)
        roster = _of_lines(world, terms, lines, round_)
        staff += before
        plain = [*staff, *lines[1::2]]
        counted = [one for one in plain if of == "staff" or one[0] == "female"]
        size = world.unit.women_count if of == "women" else world.unit.headcount
        expected = judge_unit(schedule, UnitFacts(size, len(counted), frozenset(shares for _gender, shares in plain)))
        with everywhere(reason="look"):
            found[round_] = participation.failing(roster, roster_tables.share_counts(roster), on=JOINED)
            assert found[round_] == [one for one in expected if one.outcome == "fail"]
    assert {one.rule for verdicts in found.values() for one in verdicts} == {"participation", "same_shares"}
    with everywhere(reason="look"):
        Enrolment.objects.filter(relation="spouse").update(relation="self")
        assert participation.failing(roster, roster_tables.share_counts(roster), on=JOINED) != found[round_]


GENDERS = ("male", "female")


def _of_lines(world: World, terms: Terms, lines: list[tuple[str, int]], number: int) -> Roster:
    """A roster that was read and judged; every second line is good."""
    with everywhere(reason="arrange"):
        roster = Roster.objects.create(
            office=world.cast.a, unit=world.unit, terms=terms, file_name="r", file_sha256=f"{number:064d}", uploaded_by=world.agent
        )
        RosterRow.objects.bulk_create(
            RosterRow(roster=roster, row_number=i, name="王五", gender=gender, shares=shares, outcome="good" if i % 2 else "bad")
            for i, (gender, shares) in enumerate(lines)
        )
    return roster


# --- fees ------------------------------------------------------------------------------------------------------------


def test_surplus_shares_that_are_void_are_neither_recorded_nor_charged(world: World) -> None:
    terms = _terms({"per_share": "10"}, shares={"max": 2, "surplus": "void"})
    roster = _checked(world, terms, _people(MAN, 2, "5"), "份数")
    assert (roster.good_count, roster.total_fen) == (2, 4_000)
    assert "超出部分无效" in roster.notes[0]
    assert {(cover.shares, cover.contribution_fen) for cover in _enrolled(world, roster)} == {(2, 2_000)}
    refusing = _checked(world, terms, _people(WOMAN, 1, "2"), "份数")
    assert refusing.notes == []


def test_a_contribution_by_risk_asks_for_the_risk(world: World) -> None:
    classes = [{"risk": "high", "per_share": "60"}, {"risk": "normal", "per_share": "30"}]
    terms = _terms({"classes": classes})
    without = _checked(world, terms, _people(MAN, 1))
    assert without.good_count == 0
    assert "工种风险" in _reasons(without)[0]
    lines = [*_people(MAN, 1, "高风险"), *_people(MAN, 2, "一般", first=5), *_people(MAN, 1, "不知道", first=20)]
    told = _checked(world, terms, lines, "工种风险")
    assert (told.good_count, told.total_fen) == (3, 12_000)
    assert sorted(cover.contribution_fen for cover in _enrolled(world, told)) == [3_000, 3_000, 6_000]
    with everywhere(reason="look"):
        assert ContributionDue.objects.get(roster=told).amount_fen == 12_000


def test_a_plan_without_a_contribution_for_a_person_says_so(world: World) -> None:
    terms = _terms({"classes": [{"gender": "female", "per_share": "25"}]})
    roster = _checked(world, terms, [*_people(WOMAN, 2), *_people(MAN, 1)])
    assert (roster.good_count, roster.total_fen) == (2, 5_000)
    assert "没有适用于此人的缴费标准" in _reasons(roster)[0]


@pytest.mark.parametrize(("nature", "fen"), [("enterprise", 8_000), ("institution", 5_000)])
def test_the_nature_of_the_unit_decides_the_contribution(world: World, nature: str, fen: int) -> None:
    with everywhere(reason="arrange"):
        WorkUnit.objects.filter(pk=world.unit.pk).update(nature=nature)
    terms = _terms({"classes": [{"unit_nature": "enterprise", "per_share": "80"}, {"unit_nature": "institution", "per_share": "50"}]})
    assert _checked(world, terms, _people(MAN, 1)).total_fen == fen


def test_the_first_day_of_cover_decides_the_contribution_of_a_half_period(world: World) -> None:
    classes = [{"joined_to": "2026-06-30", "per_share": "100"}, {"joined_from": "2026-07-01", "per_share": "50"}]
    terms = _terms({"classes": classes})
    assert _checked(world, terms, _people(MAN, 1), on=date(2026, 6, 29)).total_fen == 10_000
    half = _checked(world, terms, _people(WOMAN, 1), on=date(2026, 6, 30))  # cover begins on 1 July
    assert half.total_fen == 5_000
    assert [cover.contribution_fen for cover in _enrolled(world, half, on=date(2026, 6, 30))] == [5_000]
