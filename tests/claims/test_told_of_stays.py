"""Each stay has a hospital and a grade of its own; an accident that led to a stay is told, and may be corrected."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from claims.facts import told_case
from claims.forms import MedicalForm, WhatForm
from claims.models import Admission, Claim
from claims.selectors.needs import needs_of
from claims.services import adjudication, corrections, intake
from claims.services.adjudication import DecisionRefused, accident_after_surgery
from claims.services.intake import ClaimRefused
from programs.forms.case import CaseForm
from programs.rules.assess import Assessment, assess
from programs.rules.facts import CoverFacts, PersonFacts
from programs.rules.words import Words
from tests.factories.desk import Desk
from tests.factories.world import ASKED, ILL
from tests.programs.rules.plans import catalogue_plan, item, plan
from unionaid.lib.calendar import Period
from unionaid.workflow.models import AuditEntry

BY_GRADE = [
    {
        "code": "inpatient", "name": {"zh": "住院补助", "en": "Inpatient aid"}, "clause": "第七条", "events": ["admission"],
        "steps": [{"take": "self_pay"}, {"ratio": "0.50"}], "gates": [{"hospital_grade": 2}],
    }
]  # fmt: skip
EXAMPLES = [{"name": "二级医院", "case": {"event": "admission", "self_pay": "1000", "hospital_grade": 2}, "expect": "500.00"}]
WAITS = {
    "waiting": {"days": 200},
    "examples": [{"name": "等过了", "case": {"event": "admission", "event_on": "2026-12-01", "self_pay": "1000"}, "expect": "800.00"}],
}
FIGURES = {"medfee_sumamt": 300_000, "fund_pay_sumamt": 200_000, "psn_part_amt": 100_000, "psn_cash_pay": 100_000}


def _stay(first: date, last: date, **told: Any) -> Admission:
    return Admission(admitted_on=first, discharged_on=last, **({f"{name}_fen": fen for name, fen in FIGURES.items()} | told))


def _found(schedule: Any, stays: list[Admission], **told: Any) -> Assessment:
    claim = Claim(event="admission", event_on=min(stay.admitted_on for stay in stays), **told)
    cover = CoverFacts(Period(date(2026, 1, 1), date(2027, 1, 1)), 1)
    return assess(schedule, person=PersonFacts(date(1990, 1, 1), "female"), cover=cover, case=told_case(claim, stays))


def test_one_stay_at_grade_3_is_paid_beside_one_at_grade_1() -> None:
    schedule = plan(item({"per_day": {"rate": "54"}}, gates=[{"hospital_grade": 2}]))
    stays = [
        _stay(date(2026, 5, 1), date(2026, 5, 21), hospital_grade=3),
        _stay(date(2026, 6, 1), date(2026, 6, 6), hospital_grade=1),
    ]
    assert str(_found(schedule, stays).total) == "1080.00"
    stays[1].hospital_grade = None
    assert _found(schedule, stays).missing == ("hospital_grade",)


@pytest.mark.parametrize(("accident_on", "pays"), [(date(2026, 1, 9), "700.00"), (None, "0.00")])
def test_what_an_accident_led_to_does_not_wait(accident_on: date | None, pays: str) -> None:
    stays = [_stay(date(2026, 1, 10), date(2026, 1, 15))]
    assert str(_found(catalogue_plan("national-inpatient.2026"), stays, accident_on=accident_on).total) == pays


def test_the_grade_is_asked_with_every_stay_where_the_plan_looks_at_it() -> None:
    assert needs_of(plan(item({"fixed": "1"}, gates=[{"hospital_grade": 2}])), "admission").hospital_grade
    assert not needs_of(catalogue_plan("shaanxi-yulin-medical.2026"), "admission").hospital_grade


def test_what_a_plan_computes_with_is_asked_of_a_claim_and_read_from_it() -> None:
    """A base composed of fields, figures by the grade of the hospital, and the last days to apply: on a claim as in a case file."""
    base = {"base": "self_pay", "less": ["preselfpay_amt", "act_pay_dedc"]}
    window = {"months": 2, "until": {"default": "2026-06-30"}, "whichever": "later", "unit_until": {"default": "2026-06-15"}}
    schedule = plan(item({"take": base}, {"ratio": {"1": "0.9", "2": "0.8", "3": "0.5"}}), claim_within=window)
    asked = needs_of(schedule, "admission")
    assert {"fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "act_pay_dedc"} <= set(asked.figures)
    assert asked.hospital_grade
    stays = [_stay(date(2026, 5, 1), date(2026, 5, 10), hospital_grade=3, preselfpay_amt_fen=20_000, act_pay_dedc_fen=30_000)]
    assert str(_found(schedule, stays).total) == "250.00"  # half of 1000 − 200 − 300
    late = [{"claimed_on": date(2026, 7, day)} for day in (10, 11)]
    assert [str(_found(schedule, stays, **told).total) for told in late] == ["250.00", "0.00"]
    by_unit = [{"claimed_on": date(2026, 6, day), "filed_as": "unit_agent"} for day in (15, 16)]
    assert [str(_found(schedule, stays, **told).total) for told in by_unit] == ["250.00", "0.00"]


def test_the_preview_asks_for_the_grade_and_for_who_files_where_the_plan_looks_at_them() -> None:
    window = {"until": {"default": "2027-03-31", "childbirth": "2027-05-31"}, "unit_until": {"default": "2027-03-15"}}
    schedule = plan(item({"per_day": {"rate": {"1": "70", "2": "60", "3": "50"}}}), claim_within=window)
    said = {"event": "admission", "days": "4", "hospital_grade": "2", "by_unit": "yes", "claimed_on": "2027-03-15"}
    form = CaseForm(said, schedule=schedule)
    assert form.is_valid(), form.errors
    assert form.case() == {**said, "days": 4, "hospital_grade": 2, "by_unit": True}
    assert form.fill(form.case())["by_unit"] == "yes"
    assert [code for code, _words in form.fields["event_kind"].choices] == ["", "childbirth"]
    plain = CaseForm(None, schedule=plan(item({"fixed": "1"})))
    assert not {"hospital_grade", "by_unit", "event_kind"} & set(plain.fields)


def test_an_accident_is_asked_what_of_it_the_plan_does_not_pay_for() -> None:
    schedule = catalogue_plan("beijing-accident-100.2017")
    codes = [code for code, _words in needs_of(schedule, "accident_death").circumstances]
    assert codes == ["self_harm", "unlawful", "unlawful_driving", "war_or_earthquake"]
    assert needs_of(catalogue_plan("shaanxi-yulin-medical.2026"), "admission").circumstances == ()


def test_the_kind_of_a_death_by_accident_is_asked_where_the_plan_names_kinds() -> None:
    claim = Claim(event="accident_death")
    needs = needs_of(catalogue_plan("national-accident.2026"), "accident_death")
    kinds = (("childbirth", Words("生育", "childbirth")), ("default", Words("其他", "other")))
    told = {"accident_on": "2026-05-20", "death_on": "2026-05-21", "happened": "车祸"}
    assert "event_kind" not in WhatForm(told, claim=claim, needs=needs, language="zh-hans").fields
    asks = WhatForm(told, claim=claim, needs=replace(needs, kinds=kinds), language="zh-hans")
    assert list(asks.errors) == ["event_kind"]
    form = WhatForm(told | {"event_kind": "default"}, claim=claim, needs=replace(needs, kinds=kinds), language="zh-hans")
    assert form.is_valid()
    assert form.facts()["event_kind"] == "default"


def test_whether_an_accident_led_to_an_operation_is_asked_and_kept() -> None:
    claim, needs = Claim(event="surgery"), needs_of(catalogue_plan("beijing-women.2024"), "surgery")
    told = {"event_on": "2026-05-20", "hospital": "市一院", "diagnosis": "骨折", "by_accident": "yes"}
    form = MedicalForm(told | {"accident_on": "2026-05-19"}, claim=claim, needs=replace(needs, classes=()), language="zh-hans")
    assert form.is_valid(), form.errors
    assert form.facts()["accident_on"] == date(2026, 5, 19)
    assert [accident_after_surgery(day, "surgery", ILL) for day in (ILL, date(2026, 5, 21), None)] == [False, True, False]


@pytest.fixture
def graded(desk: Desk) -> Claim:
    """A claim for two stays of 1,000.00 each; nobody told the grade of either hospital."""
    cover = desk.cover(desk.plan_with(items=BY_GRADE, examples=EXAMPLES))
    claim = desk.world.claim(cover, 100_000)
    earlier = _stay(date(2026, 4, 1), date(2026, 4, 8))
    earlier.claim = claim
    earlier.save()
    return claim


def _given(claim: Claim) -> int:
    return claim.statements.order_by("-id")[0].total_fen


def test_the_reviewer_settles_the_grade_of_every_stay(desk: Desk, graded: Claim) -> None:
    first, second = graded.admissions.all()
    adjudication.establish(graded, {}, by=desk.reviewer, note="医院等级证书", grades={first.pk: 3, second.pk: 1})
    assert _given(graded) == 50_000
    entry = AuditEntry.objects.get(entity="claims.claim", entity_id=graded.pk, action="establish")
    assert [(one["admitted_on"], one["to"]) for one in entry.details["hospital_grade"]] == [("2026-04-01", 3), ("2026-05-20", 1)]
    again = adjudication.establish(graded, {}, by=desk.reviewer, note="没有变", grades={first.pk: 3, second.pk: 1})
    assert again.version == graded.version
    with pytest.raises(DecisionRefused, match="住院记录有变化"):
        adjudication.establish(graded, {}, by=desk.reviewer, note="别的申领", grades={second.pk + 1000: 3})


def test_a_correction_changes_the_grade_of_its_own_stay_alone(desk: Desk, graded: Claim) -> None:
    first, second = graded.admissions.all()
    adjudication.establish(graded, {}, by=desk.reviewer, note="医院等级证书", grades={first.pk: 3, second.pk: 1})
    desk.decide(graded)
    made = corrections.reclassify(graded, {}, by=desk.reviewer, on=ASKED, note="医院当时已是二级", grades={second.pk: 2})
    assert [stay.hospital_grade for stay in made.admissions.all()] == [3, 2]
    assert [stay.hospital_grade for stay in graded.admissions.all()] == [3, 1]
    assert adjudication.approve(made, by=desk.approver, on=ASKED).approved_fen == 50_000


def test_the_reviewer_corrects_the_day_of_the_accident(desk: Desk) -> None:
    claim = desk.world.claim(desk.cover(desk.plan_with(**WAITS)), 100_000)
    assert _given(claim) == 0  # in the waiting period
    adjudication.establish(claim, {"accident_on": ILL}, by=desk.reviewer, note="交警事故认定书")
    assert _given(claim) == 80_000
    with pytest.raises(DecisionRefused, match="不能晚于入院日期"):
        adjudication.establish(claim, {"accident_on": date(2026, 6, 1)}, by=desk.reviewer, note="写错的日期")
    adjudication.establish(claim, {"accident_on": None}, by=desk.reviewer, note="不是意外")
    assert _given(claim) == 0
    entries = AuditEntry.objects.filter(entity="claims.claim", entity_id=claim.pk, action="establish").order_by("id")
    assert [entry.details["accident_on"] for entry in entries] == [{"from": None, "to": "2026-05-20"}, {"from": "2026-05-20", "to": None}]


def test_an_accident_before_the_cover_or_after_the_stay_is_told_at_once(desk: Desk) -> None:
    cover = desk.cover()
    by = desk.world.worker(cover.member)
    claim = desk.world.claim(cover, 100_000)
    Claim.objects.filter(pk=claim.pk).update(state="draft")
    claim.refresh_from_db()
    with pytest.raises(ClaimRefused, match="不能晚于入院日期"):
        intake.tell(claim, {"accident_on": date(2026, 6, 1)}, by=by, on=ASKED)
    claim.event = "surgery"
    with pytest.raises(ClaimRefused, match="不能晚于手术日期"):
        intake.tell(claim, {"accident_on": date(2026, 6, 1)}, by=by, on=ASKED)
    claim.event = "admission"
    intake.tell(claim, {"accident_on": date(2025, 12, 30)}, by=by, on=ASKED)
    with pytest.raises(ClaimRefused, match="2025年12月30日，不在这份保障的保障期内"):
        intake.submit(claim, by=by, on=ASKED)
