"""Plans made of plans: nothing of the parts is lost, and an office's own version may leave something out."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml

from programs.rules.combine import complete
from programs.rules.eligibility import judge
from programs.rules.examples import assess_case
from programs.rules.facts import PersonFacts
from programs.rules.faults import ScheduleError, dotted
from programs.rules.parse import parse
from programs.rules.planfile import PlanFile, read_plan
from programs.rules.schedule import Schedule
from tests.programs.rules.plans import plan_data

DEATH = {
    "code": "death", "name": {"zh": "身故", "en": "death"}, "clause": "第一条", "events": ["disease_death"], "steps": [{"fixed": "5000"}],
}  # fmt: skip
NAME = {"zh": "证明", "en": "proof"}


def _plan(code: str, **parts: Any) -> dict[str, Any]:
    return plan_data(DEATH) | {"code": code, "examples": []} | parts


def _made(data: dict[str, Any], *others: dict[str, Any]) -> Schedule:
    known = {(one["code"], one["version"]): one for one in others}
    return parse(complete(PlanFile(data, {}, "own"), lambda code, version: known.get((code, version))), source="own")


def _combo(*parts: dict[str, Any], **own: Any) -> Schedule:
    data = _plan("both", includes=[{"code": one["code"], "version": "2026"} for one in parts], **own)
    del data["items"]
    return _made(data, *parts)


def _faults(*made: Any, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(ScheduleError) as refused:
        made[0](*made[1:], **more)
    return [(".".join(map(str, one.path)), one.words.zh) for one in refused.value.faults]


# --- combos ----------------------------------------------------------------------------------------------------------


def test_a_paper_that_two_plans_ask_for_is_asked_for_by_the_events_of_both() -> None:
    accident = DEATH | {"events": ["accident_death"]}
    one = _plan("one", documents=[{"code": "proof", "name": NAME, "events": ["disease_death"]}])
    two = _plan("two", items=[accident], documents=[{"code": "proof", "name": NAME, "events": ["accident_death"]}])
    made = _combo(one, two)
    assert [paper.code for paper in made.documents_for("accident_death")] == ["proof"]
    assert [paper.code for paper in made.documents_for("disease_death")] == ["proof"]
    assert not made.documents_for("admission")


@pytest.mark.parametrize(
    ("first", "second", "events", "required", "from_amount"),
    [
        ({}, {"events": ["admission"]}, (), True, None),
        ({"required": False}, {"required": False}, (), False, None),
        ({"required": False}, {}, (), True, None),
        ({"from_amount": "10000"}, {"from_amount": "9000"}, (), True, "9000"),
        ({"from_amount": "10000"}, {}, (), True, None),
    ],
)
def test_the_stricter_of_two_plans_decides_when_a_paper_is_asked_for(
    first: dict[str, Any], second: dict[str, Any], events: tuple[str, ...], required: bool, from_amount: str | None
) -> None:
    one, two = (_plan(code, documents=[{"code": "proof", "name": NAME, **more}]) for code, more in (("one", first), ("two", second)))
    (paper,) = _combo(one, two).documents
    found = None if paper.from_amount is None else str(paper.from_amount)
    assert (paper.events, paper.required, found) == (events, required, from_amount)


@pytest.mark.parametrize(("name", "value", "usual"), [("indemnity", True, False), ("day_count", "count_both", "count_first")])
def test_what_holds_for_a_whole_plan_is_kept_or_has_to_be_said(name: str, value: Any, usual: Any) -> None:
    one, two, plain = _plan("one", **{name: value}), _plan("two", **{name: value}), _plan("plain")
    assert getattr(_combo(one, two), name) == value
    assert getattr(_combo(plain, _plan("other")), name) == usual
    words = f"所包含的几份计划 {name} 不一样，请在这份文件里写明 {name}"
    assert _faults(_combo, one, plain) == [("includes", words)]
    for said in (value, usual):
        assert getattr(_combo(one, plain, **{name: said}), name) == said


def test_a_combo_that_says_no_deadline_has_that_of_its_parts_or_has_to_say_one() -> None:
    """A deadline that nobody wrote again is not lost: what a part would refuse as too late, the combo would pay."""
    one, two, plain = _plan("one", claim_within={"days": 90}), _plan("two", claim_within={"days": 90}), _plan("plain")
    late = {"event": "disease_death", "death_on": "2026-05-01", "claimed_on": "2026-08-01"}
    assert [str(assess_case(made, late).total) for made in (_made(one), _combo(one, two), _combo(plain))] == ["0.00", "0.00", "5000.00"]
    words = "所包含的几份计划 claim_within 不一样，请在这份文件里写明 claim_within"
    for other in (plain, _plan("longer", claim_within={"days": 180})):
        assert _faults(_combo, one, other) == [("includes", words)]
        assert str(assess_case(_combo(one, other, claim_within={"days": 365}), late).total) == "10000.00"


def test_cover_that_ends_in_the_parts_when_somebody_retires_ends_in_their_combo() -> None:
    one, two = (_plan(code, survives={"retirement": False}) for code in ("one", "two"))
    assert _combo(one, two).ended_by == {"retirement"}
    assert _faults(_combo, one, _plan("plain"))[0][0] == "includes"
    assert _combo(one, _plan("plain"), survives={"retirement": True}).ended_by == frozenset()


def test_days_in_hospital_are_counted_in_a_combo_as_in_its_part() -> None:
    daily = DEATH | {"events": ["admission"], "steps": [{"per_day": {"rate": "100"}}]}
    case = {"event": "admission", "admitted_on": "2026-06-01", "discharged_on": "2026-06-03"}
    part = _plan("one", items=[daily], day_count="count_both")
    assert [str(assess_case(made, case).total) for made in (_made(part), _combo(part))] == ["300.00", "300.00"]


CHILDREN = {"relations": ["minor_child"], "ages": [{"from": 0, "to": 17}]}
FAMILY = {"relations": ["self", "spouse", "minor_child"]}
WINDOW = {"opens": "2025-10-01", "closes": "2025-12-31"}


def _joining(**rules: Any) -> dict[str, Any]:
    return {"enrolment": {**WINDOW, **rules}}


@pytest.mark.parametrize(
    ("rules", "case", "paid"),
    [
        (CHILDREN, {"relation": "self", "birth_date": "1986-01-01"}, "0.00"),
        (CHILDREN, {"relation": "minor_child", "birth_date": "2010-01-01"}, "5000.00"),
        ({"ages": [{"from": 16, "to": 55, "gender": "female"}]}, {"gender": "female", "birth_date": "1969-01-01"}, "0.00"),
        ({"ages": [{"from": 16, "to": 60}]}, {"birth_date": "1965-01-02"}, "5000.00"),  # 60 when cover began, 61 in May
        ({"ages": [{"from": 16, "to": 60}]}, {"birth_date": "1965-01-01"}, "0.00"),
        ({"ages": [{"from": 16, "to": 60}, {"from": 61, "to": 70, "renewal": True}]}, {"birth_date": "1960-01-01"}, "0.00"),
        (
            {"ages": [{"from": 16, "to": 60}, {"from": 61, "to": 70, "renewal": True}]},
            {"birth_date": "1960-01-01", "days_since_cover": 0},
            "5000.00",
        ),
    ],
)
def test_a_part_of_a_combo_keeps_its_rules_on_people(rules: dict[str, Any], case: dict[str, Any], paid: str) -> None:
    other = _plan("other", items=[DEATH | {"events": ["admission"]}], **_joining(**FAMILY))
    part = _plan("part", **_joining(**{**FAMILY, **rules}))
    made = _combo(part, other, **_joining(**FAMILY))
    told = {"event": "disease_death", "event_on": "2026-05-01", **case}
    assert str(assess_case(made, told).total) == paid
    plain = _combo(_plan("part", **_joining(**FAMILY)), other, **_joining(**FAMILY))  # the control: a part for everybody
    assert str(assess_case(plain, told).total) == "5000.00"


def test_whoever_no_item_is_for_may_not_join() -> None:
    """And whoever some are for is told which are not."""
    part = _plan("part", **_joining(**CHILDREN))
    women = _plan("women", items=[DEATH | {"name": {"zh": "女职工", "en": "women"}}], **_joining(gender="female"))
    made = _combo(part, women, **_joining(**FAMILY))
    told = PersonFacts(birth_date=date(1990, 1, 1), gender="male", employment="enterprise", union_member=True, basic_insurance=True)
    child = replace(told, relation="minor_child", birth_date=date(2012, 1, 1), holder_employment="enterprise")

    def said(person: PersonFacts) -> tuple[str, str]:
        found = judge(made, person=person, on=date(2025, 12, 1), cover_start=date(2026, 1, 1))
        return next((one.outcome, one.sentence.zh) for one in found if one.rule == "items")

    assert said(told) == ("fail", "这个计划的各项保障都不面向您，参加了也不会给付。")
    assert said(replace(told, gender="female")) == ("pass", "其中“身故”不面向您，不会给付。")
    assert said(child) == ("pass", "其中“女职工”不面向您，不会给付。")


def test_where_only_the_untold_group_says_whom_an_item_is_for_joining_is_open() -> None:
    """An item for everybody beside it lets one join, and is not said to be all that hangs on nothing."""
    young = {"ages": [{"from": 16, "to": 60, "group": "senior"}]}
    part, other = _plan("part", **_joining(**young)), _plan("other", items=[DEATH | {"name": {"zh": "住院", "en": "inpatient"}}])
    told = PersonFacts(birth_date=date(1990, 1, 1), gender="male", employment="enterprise", union_member=True, basic_insurance=True)

    def said(made: Schedule, group: str | None) -> tuple[str, str]:
        found = judge(made, person=replace(told, group=group), on=date(2025, 12, 1), cover_start=date(2026, 1, 1))
        return next((one.outcome, one.sentence.zh) for one in found if one.rule == "items")

    alone, both = _combo(part, **_joining()), _combo(part, other, **_joining())
    assert said(alone, None) == ("unknown", "各项保障只面向一部分人员。请告诉我们您的人员身份。")
    assert [said(alone, group)[0] for group in ("senior", "ordinary")] == ["pass", "fail"]
    assert said(both, None) == ("pass", "“身故”只面向一部分人员，要看您的人员身份。")
    assert said(both, "senior") == ("pass", "各项保障都面向您。")


def test_a_disease_that_one_part_paid_for_keeps_no_other_part_from_paying() -> None:
    """As it was for whoever joined the single plans; within one plan the disease is paid once, whichever item paid."""
    once = {"events": ["surgery"], "gates": [{"once_per_disease": True}]}
    single = _plan("single", items=[DEATH | once, DEATH | once | {"code": "more"}])
    made = _combo(single, _plan("other", items=[DEATH | once]))
    told = {"event": "surgery", "diagnosis_code": "C54.1", "diseases": ["C54.9"]}

    def paid(schedule: Schedule, *codes: str) -> list[int]:
        return [int(item.amount) for item in assess_case(schedule, {**told, "paid_items": dict.fromkeys(codes, "5000")}).items]

    assert paid(made, "single.death") == [5000, 0, 0]  # the other part, then both items of this one
    assert paid(made, "single.death", "other.death") == [0, 0, 0]
    assert paid(made) == [0, 0, 0]  # nobody told which of them paid
    assert paid(parse(single), "death") == [0, 0]


@pytest.mark.parametrize(
    ("rule", "strict", "lax"),
    [
        ("employment", ["enterprise"], ["enterprise", "institution"]),
        ("employment_on_renewal", ["retired"], ["retired", "none"]),
        ("union_member", True, False),
        ("card_holder", True, False),
        ("basic_insurance", True, False),
        ("insurance_types", ["employee"], ["employee", "resident"]),
        ("min_months_in_unit", 3, 2),
        ("min_contract_months", 12, 0),
    ],
)
def test_by_what_only_joining_can_judge_a_combo_is_as_strict_as_its_parts(rule: str, strict: Any, lax: Any) -> None:
    part = _plan("part", **_joining(**{rule: strict}))
    assert _combo(part, **_joining(**{rule: strict}))
    ((path, words),) = _faults(_combo, part, **_joining(**{rule: lax}))
    assert (path, words.startswith("所包含的 part 要求")) == (f"enrolment.{rule}", True)


def test_days_of_retirement_of_a_part_hold_in_its_combo() -> None:
    old = {"employment": ["enterprise", "retired"]}
    part = _plan("part", **_joining(**old, retired={"from": "2019-07-01"}))
    assert _combo(part, **_joining(**old, retired={"from": "2020-01-01"}))
    assert _combo(part, **_joining(employment=["enterprise"]))  # nobody retired may join at all
    assert _faults(_combo, part, **_joining(**old))[0][0] == "enrolment.retired"


@pytest.mark.parametrize("rules", [{"relations": ["minor_child"]}, {"gender": "female"}])
def test_a_part_that_could_never_pay_anybody_is_told(rules: dict[str, Any]) -> None:
    ((path, words),) = _faults(_combo, _plan("part", **_joining(**rules)), **_joining(gender="male"))
    assert (path, words.endswith("永远不会给付")) == ("includes.0", True)


# --- an office's own version -----------------------------------------------------------------------------------------


def _own(without: dict[str, Any] | None, **own: Any) -> Schedule:
    base = _plan(
        "base", items=[DEATH, DEATH | {"code": "again"}], documents=[{"code": "proof", "name": NAME}],
        exclusions=[{"code": "fight", "name": NAME, "clause": "第二条", "circumstance": "fight"}],
    )  # fmt: skip
    ref = {"code": "base", "version": "2026"} | ({"without": without} if without else {})
    return _made({"format": 1, "code": "mine", "version": "2026", "based_on": ref, "examples": [], **own}, base)


def test_an_office_may_leave_out_items_exclusions_and_papers() -> None:
    kept = _own(None)
    assert (len(kept.items), len(kept.documents), len(kept.exclusions)) == (2, 1, 1)
    made = _own({"items": ["again"], "documents": ["proof"], "exclusions": ["fight"]})
    assert ([item.code for item in made.items], made.documents, made.exclusions) == (["death"], (), ())
    assert str(assess_case(made, {"event": "disease_death"}).total) == "5000.00"


def test_what_cannot_be_left_out_is_told() -> None:
    assert _faults(_own, {"items": ["nothing"]}) == [("based_on.without.items.0", "底稿里没有代码为 nothing 的一条")]
    assert _faults(_own, {"items": ["again"]}, items=[DEATH | {"code": "again"}])[0][0] == "based_on.without.items.0"


def test_an_empty_list_is_not_taken_in_silence() -> None:
    ((path, words),) = _faults(_own, None, documents=[])
    assert path == "documents"
    assert "without" in words


def test_an_office_writes_the_one_field_that_differs() -> None:
    changes = {
        "enrolment": {"closes": "2026-01-31", "shares": {"surplus": "void"}},
        "period": {"end": "2026-11-30"},
        "organiser": {"name": "测试办事处"},
        "source": {"note": "办事处通知"},
    }
    made = _own(None, **changes)
    rules = made.enrolling
    assert (str(rules.opens), str(rules.closes), rules.max_shares, made.period.last_day.isoformat()) == (
        "2025-10-01", "2026-01-31", 4, "2026-11-30",
    )  # fmt: skip
    whole = {key: value for key, value in _plan("whole").items() if key not in changes}
    faults = _faults(_made, whole | changes)  # the control: a plan that stands alone has to say it
    missing = {("period.start", "缺少这个字段"), ("organiser.kind", "缺少这个字段"), ("source.title", "缺少这个字段")}
    assert {*faults} == missing | {("enrolment.opens", "缺少这个字段"), ("enrolment.shares.max", "缺少这个字段")}


TIED = {
    "items": [DEATH, DEATH | {"code": "again"}, DEATH | {"code": "more"}],
    "exclusive": [["again", "death"]],
    "exclusions": [
        {"code": "fight", "name": NAME, "clause": "第二条", "circumstance": "fight", "items": ["again"]},
        {"code": "drink", "name": NAME, "clause": "第二条", "circumstance": "drink", "items": ["again", "more"]},
    ],
}  # fmt: skip


def _tied(without: dict[str, Any] | None = None, tied: dict[str, Any] = TIED, **own: Any) -> Schedule:
    ref = {"code": "base", "version": "2026"} | ({"without": without} if without else {})
    return _made({"format": 1, "code": "mine", "version": "2026", "based_on": ref, "examples": [], **own}, _plan("base", **tied))


def test_what_held_between_items_goes_with_the_one_that_is_left_out() -> None:
    made = _tied({"items": ["again"]})
    assert (made.exclusive, [(one.code, tuple(one.items)) for one in made.exclusions]) == ((), [("drink", ("more",))])
    three = TIED | {"exclusive": [["again", "death", "more"]]}
    assert [{*group} for group in _tied({"items": ["again"]}, three).exclusive] == [{"death", "more"}]


def test_an_office_may_let_nothing_exclude_anything() -> None:
    case = {"event": "disease_death"}
    assert [str(assess_case(made, case).total) for made in (_tied(), _tied(exclusive=[]))] == ["10000.00", "15000.00"]
    assert _faults(_made, _plan("alone", exclusive=[])) == [("exclusive", "不能是空的")]


def test_an_item_that_another_takes_off_is_left_out_only_when_that_one_is_written_anew() -> None:
    less = DEATH | {"code": "rest", "steps": [{"fixed": "9000"}, {"less_items": ["again"]}]}
    tied = {"items": [DEATH, DEATH | {"code": "again"}, less]}
    ((path, words),) = _faults(_tied, {"items": ["again"]}, tied)
    assert path == "based_on.without.items.0"
    assert "请在这份文件里改写 rest" in words
    made = _tied({"items": ["again"]}, tied, items=[less | {"steps": [{"fixed": "9000"}]}])
    assert str(assess_case(made, {"event": "disease_death"}).total) == "14000.00"


def test_a_name_that_a_plan_gives_is_no_day() -> None:
    """Classes and payers may be called what days are called."""
    table = {"table": {"by": "diagnosis_class", "amounts": {"start": "100", "end": "50", "from": "1"}}}
    made = _made(_plan("own", items=[DEATH | {"steps": [table]}], contribution={"per_share": "3", "payers": {"start": "2", "end": "1"}}))
    assert str(assess_case(made, {"event": "disease_death", "diagnosis_class": "start"}).total) == "100.00"
    kinds = {"until": {"default": "2027-02-31"}}
    assert _faults(_made, _plan("own", claim_within=kinds)) == [("claim_within.until.default", "日历上没有 2027-02-31 这一天")]


def test_a_plan_is_included_once() -> None:
    assert _faults(_combo, _plan("one"), _plan("two"), _plan("one")) == [("includes.2.code", "前面已经包含了 one，一份计划只能包含一次")]


@pytest.mark.parametrize("letters", [0, 1])
def test_the_name_of_a_part_and_of_what_is_in_it_fit_together(letters: int) -> None:
    """What is too long is told at the plan that is included; one letter less fits."""
    long = _plan("p" * 30, items=[DEATH | {"code": "d" * (29 + letters)}])
    if not letters:
        assert _combo(long).items
        return
    ((path, words),) = _faults(_combo, _plan("one"), long)
    assert path == "includes.1"
    assert f"保障项目 {'d' * 30} 太长" in words


def test_an_item_of_another_plan_counts_no_more_shares_than_people_have_in_this_one() -> None:
    """An office that lets people have fewer, and a combo of single shares; neither has to write the items anew."""
    many = _plan("many", items=[DEATH | {"steps": [{"fixed": "5000"}, {"shares": 4}]}])
    rules = {"opens": "2025-10-01", "closes": "2025-12-31"}
    ref = {"code": "many", "version": "2026"}
    fewer = _made({"format": 1, "code": "mine", "version": "2026", "based_on": ref, "enrolment": {"shares": {"max": 2}}}, many)
    combo = _combo(many, enrolment=rules)
    case = {"event": "disease_death", "shares": 4}
    assert [str(assess_case(made, case).total) for made in (_made(many), fewer, combo)] == ["20000.00", "10000.00", "5000.00"]


WAITS = {"waiting": {"days": 30, "waived_on_renewal_within_days": 60}, "claim_within": {"days": 180, "after": "event"}}


def test_what_an_office_does_not_write_of_waiting_deadline_and_fee_stays() -> None:
    """A new length keeps the waiver and from when it counts; in months it takes the place of the days."""
    fee = {"per_share": "100", "payers": {"person": "60", "union": "40"}, "pay_within_days": 45}
    base = _plan("base", contribution=fee, **WAITS)
    ref = {"code": "base", "version": "2026"}
    own = {"waiting": {"months": 2}, "claim_within": {"months": 3}, "contribution": {"per_share": "80"}}
    made = _made({"format": 1, "code": "mine", "version": "2026", "based_on": ref, **own}, base)
    assert (made.waiting.days, made.waiting.months, made.waiting.waived_within_days) == (0, 2, 60)
    assert made.claim_window
    assert (made.claim_window.days, made.claim_window.months, made.claim_window.after_discharge) == (0, 3, False)
    assert (str(made.fees[0].per_share), made.fees[0].payers, made.pay_within_days) == ("80", (), 45)


def test_an_office_may_let_an_item_wait_or_not() -> None:
    waiting = {"waiting": {"days": 90}}
    for base, own, days in ((waiting, {"waits": False}, None), ({"waits": False}, waiting, 90)):
        ref = {"code": "base", "version": "2026"}
        data = {"format": 1, "code": "mine", "version": "2026", "based_on": ref, "items": [DEATH | own]}
        (item,) = _made(data, _plan("base", items=[DEATH | base])).items
        assert (item.waiting and item.waiting.days) == days


def test_bands_of_waiting_take_the_place_of_another_length() -> None:
    """Of the waiting of the base the waiver alone is left; the steps are the office's."""
    bands = [{"from_day": 1, "to_day": 30, "amount": "0"}, {"from_day": 31, "amount": "5000"}]
    for old in ({"waits": False}, {"waiting": {"days": 90, "waived_on_renewal_within_days": 60}}):
        ref = {"code": "base", "version": "2026"}
        data = {"format": 1, "code": "mine", "version": "2026", "based_on": ref, "items": [DEATH | {"steps": [{"wait": bands}]}]}
        made = _made(data, _plan("base", items=[DEATH | old]))
        case = {"event": "disease_death", "death_on": "2026-01-30"}
        assert [str(assess_case(made, case | more).total) for more in ({}, {"death_on": "2026-01-31"})] == ["0.00", "5000.00"]
        waived = "5000.00" if "waiting" in old else "0.00"
        assert str(assess_case(made, case | {"days_since_cover": 60}).total) == waived


OWN_ITEM = """
items:
  - code: rest
    name: {zh: 其余, en: rest}
    clause: 第三条
    events: [disease_death]
    steps:
      - fixed: "100"
      - shares: 9
exclusive:
  - [rest, nobody]
"""


@pytest.mark.parametrize("refers", ["based_on: {code: base, version: '2026'}", "includes: [{code: base, version: '2026'}]"])
def test_a_fault_is_told_where_the_file_itself_has_it(refers: str) -> None:
    """Put together with the other plan the item is the third, and the group that excludes the second: not in the file."""
    more = [DEATH, DEATH | {"code": "again"}, *([DEATH | {"code": "rest"}] if "based_on" in refers else [])]
    base = _plan("base", items=more, exclusive=[["death", "again"]])
    head = yaml.safe_dump({name: value for name, value in _plan("own").items() if name != "items"}, allow_unicode=True)
    file = read_plan(f"{head}{refers}{OWN_ITEM}".encode(), source="own.yaml")
    data = complete(file, lambda _code, _version: base)
    with pytest.raises(ScheduleError) as refused:
        parse(data, source=file.source, lines=file.lines, own=file.data)
    lines = f"{head}{refers}{OWN_ITEM}".splitlines()
    told = {dotted(one.path): lines[one.line - 1].strip() for one in refused.value.faults}
    assert told == {"items[0].steps[1].shares": "- shares: 9", "exclusive[0]": "- [rest, nobody]"}


def test_a_fault_that_only_the_other_plan_has_is_told_at_the_reference() -> None:
    """A shorter period than the last day to join of the plan that an office rests on; a part that is wrong when it is complete."""
    ref = {"code": "base", "version": "2026"}
    head = {"format": 1, "code": "mine", "version": "2026", "based_on": ref}
    wrong = _plan("base", items=[DEATH | {"steps": [{"fixed": "5"}, {"ceiling": {"amount": "1", "scope": "case"}}]}])
    combo = {**{name: value for name, value in _plan("own").items() if name != "items"}, "includes": [ref]}
    for own, at, words in ((head, "based_on", "items[death].steps[1]"), (combo, "includes[0]", "items[base.death].steps[1]")):
        data = complete(PlanFile(own, {}, "own"), lambda _code, _version: wrong)
        with pytest.raises(ScheduleError) as refused:
            parse(data, source="own", own=own)
        (fault,) = refused.value.faults
        assert dotted(fault.path) == at
        assert f"所引用的 {words}" in fault.words.zh
