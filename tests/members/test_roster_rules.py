"""The plan's rules over a whole roster: who is refused and why, what the unit keeps as a whole, what each line is charged."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from members.models import ContributionDue, Enrolment, Roster, RosterRow, WorkUnit
from members.services import rosters
from programs.models import Terms
from programs.rules import eligibility_sql
from programs.rules.eligibility_sql import Sql
from programs.rules.planfile import PlanFile, read_plan
from programs.services import check, load_plan, publish
from tests.factories.world import JOINED, World
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere

CATALOGUE = Path(__file__).resolve().parents[2] / "programs" / "catalogue"
YULIN = read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data
MAN, WOMAN = 1, 2
Line = tuple[str, ...]


def _terms(contribution: dict[str, Any] | None = None, **enrolment: Any) -> Terms:
    """Published terms like Yulin's with other rules of joining."""
    data = {**YULIN, "code": "roster-rules", "enrolment": {"opens": "2025-10-01", "closes": "2026-12-31", "individual": True, **enrolment}}
    if contribution:
        data["contribution"] = contribution
    with everywhere(reason="arrange"):
        return publish(check(load_plan(PlanFile(data, {}, "x"), by=SYSTEM).terms, by=SYSTEM), by=SYSTEM)


def _people(gender: int, count: int, *more: str, born: date = date(1990, 3, 8), first: int = 0) -> list[Line]:
    return [("张三", make_id_number("610802", born, 100 + 2 * (first + i) + gender), *more) for i in range(count)]


def _checked(world: World, terms: Terms, lines: list[Line], *columns: str, on: date = JOINED) -> Roster:
    """A roster with these columns beside name and number, read and judged."""
    text = "\n".join(",".join(line) for line in [("姓名", "身份证号", *columns), *lines])
    with everywhere(reason="arrange"), frozen(on):
        roster = rosters.upload(unit=world.unit, terms=terms, data=text.encode(), file_name="r.csv", by=world.agent_actor, on=on)
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
    assert _checked(world, terms, lines).good_count == 1


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
    _enrolled(world, first)
    assert _checked(world, terms, _people(WOMAN, 5)).notes == []


def test_lines_with_other_shares_than_the_rest_are_refused(world: World) -> None:
    terms = _terms(shares={"max": 3}, unit={"same_shares": True})
    first = _checked(world, terms, [*_people(MAN, 3, "2"), *_people(WOMAN, 2, "1")], "份数")
    assert (first.good_count, first.bad_count) == (3, 2)
    assert set(_reasons(first)) == {"同一单位的职工份数必须相同：本单位每人 2 份"}
    _enrolled(world, first)
    later = _checked(world, terms, [*_people(WOMAN, 2, "1", first=50), *_people(MAN, 1, "2", first=60)], "份数")
    assert (later.good_count, later.bad_count) == (1, 2)


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
