"""What holds for any plan that can be written down and for any case: amounts, limits, order, splitting, keeping, telling.

Plans are made as data and read by the real parser; cases, and what happened before them, are drawn freely. Each promise
has a control: with its guard taken away the same search finds a case that breaks it.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from programs.rules import assess as engine
from programs.rules import explain, facts, gates, reading, steps
from programs.rules.assess import Assessment, assess, limits_of
from programs.rules.bases import BASE_WORDS
from programs.rules.casefile import EVENTS, Situation
from programs.rules.facts import HARDSHIP, CaseFacts, CoverFacts, Disease, PersonFacts, PriorUse, Settlement, Stay
from programs.rules.limits import limit_names
from programs.rules.parse import parse
from programs.rules.schedule import Item, Schedule
from programs.rules.steps import LimitUse, Running, limit_key
from unionaid.lib.calendar import Period, plus_days

FEN, ZERO = Decimal("0.01"), Decimal(0)
START = date(2026, 1, 1)
FAST = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SEARCH = settings(
    max_examples=1000, deadline=None, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
)  # fmt: skip

# --- plans, as data -------------------------------------------------------------------------------------------------

Data = dict[str, Any]


@cache
def fen(least: int, most: int) -> st.SearchStrategy[str]:
    """An amount as a plan file writes it; limits in fen."""
    return st.integers(least, most).map(lambda n: f"{n // 100}.{n % 100:02}")


some_ratios = st.sampled_from(["0.5", "0.8", "0.857", "0.333333", "0.1", "1"])
ratios = some_ratios | st.just("0")
composed: Data = {"base": "self_pay", "plus": ["overlmt_selfpay"], "less": ["preselfpay_amt", "act_pay_dedc"]}
costs = st.sampled_from([*[name for name in BASE_WORDS if name != "above_cap_cost"], composed])
keys = st.sampled_from(["plan", "group"])


@st.composite
def bands(draw: st.DrawFn, value: str, amounts: st.SearchStrategy[str]) -> list[Data]:
    """Bands without gap or overlap; the last one open or not."""
    edges = sorted(draw(st.lists(st.integers(1, 2_000_000), min_size=draw(st.integers(0, 2)), max_size=3, unique=True)))
    texts = ["0", *(f"{edge // 100}.{edge % 100:02}" for edge in edges)]
    made = [{"over": low, "up_to": high, value: draw(amounts)} for low, high in zip(texts, texts[1:], strict=False)]
    if not made or draw(st.booleans()):
        made.append({"over": texts[-1], value: draw(amounts)})
    return made


@st.composite
def wait_bands(draw: st.DrawFn, value: str, amounts: st.SearchStrategy[str]) -> list[Data]:
    first = draw(st.integers(1, 200))
    return [{"from_day": 1, "to_day": first, value: draw(amounts)}, {"from_day": first + 1, value: draw(amounts)}]


@cache
def ceilings(scopes: tuple[str, ...], least: int) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries(
        {"scope": st.sampled_from(scopes), "key": keys, "amount": fen(least, least + 3_000_000), "per_share": st.booleans()}
    ).map(lambda data: {"ceiling": data})


scopes = ("case", "period", "lifetime", "disease")
lumps = fen(1, 100_000)
ABOVE_LUMPS = 4_000_000  # fen: a limit below what a lump sum may come to would be refused
begin_cost = costs.map(lambda base: {"take": base}) | fen(1, 2_000_000).map(lambda cap: {"take": {"base": "above_cap_cost", "cap": cap}})
begin_days = st.fixed_dictionaries(
    {"rate": fen(1, 3_000), "deductible_days": st.integers(0, 4)},
    optional={"max_days": st.just(10), "max_days_in_period": st.integers(1, 30)},
).flatmap(lambda data: keys.map(lambda key: {"per_day": {**data, "key": key}}))
begin_lump = st.one_of(
    lumps.map(lambda amount: {"fixed": amount}),
    st.tuples(lumps, lumps).map(lambda two: {"table": {"by": "diagnosis_class", "amounts": {"class_1": two[0], "class_2": two[1]}}}),
    st.tuples(lumps, ratios).map(lambda two: {"scale": {"by": "disability_grade", "sum": two[0], "ratios": {"1": "1", "2": two[1]}}}),
    wait_bands("amount", lumps).map(lambda data: {"wait": data}),
)
marginal_steps = st.one_of(
    st.tuples(fen(1, 200_000), st.sampled_from(["admission", "case", "period"])).map(lambda x: {"deduct": {"amount": x[0], "per": x[1]}}),
    some_ratios.map(lambda ratio: {"ratio": ratio}),
    st.tuples(bands("ratio", ratios), st.sampled_from(["admission", "case", "period"])).map(
        lambda x: {"marginal": {"bands": x[0], "per": x[1]}}
    ),
    st.lists(ratios, min_size=1, max_size=3).map(lambda data: {"per_admission": data}),
)
graded_steps = st.sampled_from(["ratio", "deduct"]).map(
    lambda name: {"ratio": {"1": "0.9", "2": "0.8", "3": "0"}} if name == "ratio"
    else {"deduct": {"amount": {"1": "0", "2": "300", "3": "600"}, "per": "admission"}}
)  # fmt: skip
other_steps = st.one_of(
    st.just({"offset": {"fields": ["hifp_pay"], "other_aid": True}}),
    bands("amount", lumps).map(lambda data: {"tiers": data}),
    wait_bands("ratio", ratios).map(lambda data: {"wait": data}),
    st.integers(1, 3).map(lambda most: {"shares": most}),
    st.tuples(costs, fen(0, 500_000), fen(1, 100_000)).map(lambda x: {"add_if_over": {"base": x[0], "over": x[1], "amount": x[2]}}),
    st.just({"less_paid": True}),
    costs.map(lambda base: {"up_to_cost": base}),
)
GATES: list[Data] = [
    {"diagnosis_in": ["C50", "I21"]}, {"hospital_grade": 2}, {"once_per_disease": True}, {"with_admission": True},
    {"age": {"from": 16, "to": 60}}, {"death_within_days": 180}, {"gender": "female"}, {"once": "period"},
    {"relation": ["self", "spouse"]}, {"age_at_start": [{"from": 16, "to": 60}, {"from": 16, "to": 70, "renewal": True}]},
]  # fmt: skip
all_gates = st.sampled_from(GATES)
ILLNESS = [event for event in EVENTS if event != HARDSHIP]
ASKS = [
    {"code": "loan", "name": {"zh": "贷款", "en": "loan"}, "in": "yuan"},
    {"code": "jobs", "name": {"zh": "人数", "en": "jobs"}, "in": "count", "most": "50"},
]
each_steps = st.tuples(fen(1, 2_000_000), lumps, st.booleans()).map(
    lambda x: {"for_each": {"every": x[0], "amount": x[1], "started": x[2]}}
) | bands("amount", lumps).map(lambda data: {"tiers": data})


def _is_cost(steps: list[Data]) -> bool:
    """Does what it comes to depend on cost throughout, so that any limit may stand in it?"""
    return "take" in steps[0] and not any("tiers" in step for step in steps)


def _stay_by_stay(step: Data) -> bool:
    """Does it look at each stay by itself: by its own day, its own hospital, its own bill?"""
    each = "admission" in (step.get("deduct", {}).get("per"), step.get("marginal", {}).get("per"))
    return each or "wait" in step or "per_admission" in step or isinstance(step.get("ratio"), dict)


@st.composite
def hardship_items(draw: st.DrawFn, code: str) -> Data:
    """Help by a figure that is declared, once for a period or whenever it is applied for."""
    made: Data = {"code": code, "name": {"zh": f"项目{code}", "en": f"Item {code}"}, "clause": f"第{code}条", "events": [HARDSHIP]}
    steps = [{"declared": draw(st.sampled_from(["loan", "jobs"]))}, draw(each_steps), draw(ceilings(("period",), ABOVE_LUMPS))]
    return made | {"steps": steps} | draw(st.sampled_from([{}, {"gates": [{"once": "period"}]}]))


ONLY_FOR = {
    "per_admission": {"admission"}, "less_paid": {"diagnosis", "surgery"}, "once_per_disease": {"diagnosis", "surgery"},
    "death_within_days": {"accident_death"},
}  # fmt: skip


def _fits(part: Data, events: list[str]) -> bool:
    """May this step or condition stand in an item for these events?"""
    return all({*events} <= known for name, known in ONLY_FOR.items() if name in part)


def _as_taken(made: list[Data]) -> list[Data]:
    """Items without what is refused in them: steps and conditions of other events, and what only items of other claims gave."""
    events = {item["code"]: item["events"] for item in made}
    for item in made:
        item["steps"] = [step for step in item["steps"] if _fits(step, item["events"])]
        for step in item["steps"]:
            if "less_items" in step:
                step["less_items"] = [code for code in step["less_items"] if {*events[code]} & {*item["events"]}]
        item["steps"] = [step for step in item["steps"] if step.get("less_items") != []]
        if gates := [gate for gate in item.pop("gates", []) if _fits(gate, item["events"])]:
            item["gates"] = gates
    return made


@st.composite
def items(draw: st.DrawFn, code: str, others: list[str]) -> Data:
    """One item of any form; limits may stand anywhere among its steps."""
    if draw(st.integers(0, 7)) == 7:
        return draw(hardship_items(code))
    begin = draw(draw(st.sampled_from([begin_cost, begin_cost, begin_cost, begin_days, begin_lump, begin_lump])))
    is_cost = "take" in begin
    kinds = [marginal_steps, marginal_steps, other_steps] if is_cost else [other_steps]
    more = [draw(draw(st.sampled_from(kinds))) for _ in range(draw(st.integers(0, 3)))]
    if is_cost and draw(st.integers(0, 4)) == 4:
        more.append(draw(graded_steps))
    if others and is_cost and draw(st.integers(0, 3)) == 0:
        more.append({"less_items": draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True))})
    more = [step for i, step in enumerate(more) if "offset" not in step or step not in more[:i]]  # taken off once
    for name in ("shares", "wait"):  # each once
        first = next((step for step in (begin, *more) if name in step), None)
        more = [step for step in more if name not in step or step is first]
    more.sort(key=lambda step: not _stay_by_stay(step))  # before anything adds the stays up
    waits = sum(map(_stay_by_stay, more))
    for limit in draw(st.lists(ceilings(scopes, 1 if _is_cost([begin, *more]) else ABOVE_LUMPS), max_size=2)):
        more.insert(draw(st.integers(waits, len(more))) if is_cost else len(more), limit)
    made: Data = {"code": code, "name": {"zh": f"项目{code}", "en": f"Item {code}"}, "clause": f"第{code}条", "steps": [begin, *more]}
    illness = ["admission"], ["admission", "diagnosis"], ["diagnosis", "surgery"], ["accident_death"], ILLNESS
    made["events"] = draw(st.sampled_from(illness))
    if draw(st.integers(0, 4)) == 4:
        made["gates"] = [draw(all_gates.filter(lambda gate: "once" not in gate))]
    return made


PLAN: Data = {
    "format": 1, "code": "drawn", "version": "1", "name": {"zh": "计划", "en": "Plan"}, "summary": {"zh": "概要", "en": "Summary"},
    "category": "combo", "organiser": {"kind": "federation", "name": "总工会"}, "source": {"title": "办法"},
    "period": {"start": "2026-01-01", "end": "2026-12-31"}, "contribution": {"per_share": "10"},
    "enrolment": {"opens": "2025-10-01", "closes": "2025-12-31", "shares": {"max": 3, "surplus": "void"}},
}  # fmt: skip


def _item(*parts: Data) -> Data:
    return {"code": "a", "name": {"zh": "甲", "en": "A"}, "clause": "第一条", "events": ["admission"], "steps": list(parts)}


def _one_amount_each(made: list[Data]) -> list[Data]:
    """What is counted over claims under one name has one amount: that of the first."""
    first: dict[tuple[str, str], Data] = {}
    for item in made:
        for step in item["steps"]:
            ((name, data),) = step.items()
            counted = {"ceiling": ("amount", "per_share"), "deduct": ("amount",), "per_day": ("max_days_in_period",)}.get(name, ())
            if counted and counted[0] in data and data.get("scope") != "case" and data.get("per", "period") == "period":
                same = first.setdefault((data.get("scope", name), data.get("key", name)), data)
                data |= {field: same[field] for field in counted if field in data and field in same}
    return made


def _each_limit_holds(made: list[Data]) -> list[Data]:
    """Without the limits that a wider one in the same item makes useless."""
    for item in made:
        limits = [step["ceiling"] for step in item["steps"] if "ceiling" in step]
        gone = [
            a for a in limits for b in limits
            if _WIDER.index(a["scope"]) < _WIDER.index(b["scope"])
            and Decimal(a["amount"]) > Decimal(b["amount"]) * (3 if b["per_share"] and not a["per_share"] else 1)
        ]  # fmt: skip
        item["steps"] = [step for step in item["steps"] if all(step.get("ceiling") is not one for one in gone)]
    return made


_WIDER = ("case", "disease", "period", "lifetime")


@st.composite
def plans(draw: st.DrawFn) -> Data:
    """Any plan: up to four items, shared limits, waiting, exclusions, items that exclude each other."""
    codes = "abcd"[: draw(st.sampled_from([1, 2, 2, 3, 3, 4]))]
    made = [draw(items(code, list(codes[:i]))) for i, code in enumerate(codes)]
    least = 0 if all(_is_cost(item["steps"]) for item in made) else ABOVE_LUMPS
    for item in made:
        for step in item["steps"]:
            if "ceiling" in step and Decimal(step["ceiling"]["amount"]) * 100 < least:
                step["ceiling"]["amount"] = str(Decimal(least) / 100)
    plan = {**PLAN, "items": _each_limit_holds(_one_amount_each(made)), "indemnity": draw(st.booleans())}
    plan["waiting"] = draw(st.sampled_from([{}, {"days": 30}, {"months": 1}]))
    named = {step.get("declared") for item in made for step in item["steps"]}
    if asks := [ask for ask in ASKS if ask["code"] in named]:
        plan["asks"] = asks
    elif len(codes) > 1 and draw(st.booleans()):
        groups = st.lists(st.sampled_from(codes), min_size=2, max_size=3, unique=True)
        plan["exclusive"] = draw(st.lists(groups, min_size=1, max_size=2))
        for item in made:  # those of other events would need a limit that they share
            item["events"] = made[0]["events"]
    plan["items"] = _as_taken(plan["items"])
    if draw(st.booleans()):
        plan["exclusions"] = [{"code": "x", "name": {"zh": "除外", "en": "Excluded"}, "clause": "第九条", "circumstance": "drunk"}]
    if draw(st.booleans()):
        plan["claim_within"] = {"days": 180}
    return plan


# --- cases ----------------------------------------------------------------------------------------------------------


@cache
def yuan(most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda n: Decimal(n) / 100)


@st.composite
def settlements(draw: st.DrawFn) -> Settlement:
    """Figures that add up as on a settlement sheet."""
    parts = [draw(yuan(1_500_000)) for _ in range(4)]
    fund, account, hospital = draw(yuan(3_000_000)), draw(yuan(100_000)), draw(yuan(1_000))
    own, over, prepaid, rest = parts
    personal = sum(parts, ZERO)
    account = min(account, personal)
    return Settlement(
        medfee_sumamt=fund + personal + hospital, fulamt_ownpay_amt=own, overlmt_selfpay=over, preselfpay_amt=prepaid,
        inscp_scp_amt=fund + prepaid + rest, act_pay_dedc=draw(yuan(80_000)), hifp_pay=fund, fund_pay_sumamt=fund, acct_pay=account,
        psn_cash_pay=personal - account, psn_part_amt=personal, hosp_part_amt=hospital,
    )  # fmt: skip


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    admitted = plus_days(START, draw(st.integers(0, 300)))
    grade, days = draw(st.none() | st.integers(1, 3)), draw(st.none() | st.integers(0, 60))
    return Stay(admitted, plus_days(admitted, draw(st.integers(0, 40))), draw(settlements()), grade, days)


DAYS = [plus_days(START, n) for n in (200, -5, 0, 10, 29, 30, 250, 300, 364, 365)]
event_days = st.sampled_from([DAYS[0]] * 10 + DAYS)
other_days = st.sampled_from([None] * 10 + DAYS)


@st.composite
def cases(draw: st.DrawFn) -> CaseFacts:
    """Mostly stays in hospital within the cover; now and then anything else."""
    return CaseFacts(
        event=draw(st.sampled_from(["admission"] * 6 + [HARDSHIP] * 2 + list(EVENTS))),
        event_on=draw(event_days),
        stays=tuple(draw(st.lists(stays(), min_size=draw(st.sampled_from([0, 1, 1, 1])), max_size=2))),
        diagnosis_code=draw(st.sampled_from(["C50.9", "C50.9", "I21", "J45", ""])),
        diagnosis_class=draw(st.sampled_from(["class_1", "class_2", "class_3", ""])),
        disability_grade=draw(st.sampled_from([1, 2, 9, None])),
        accident_on=draw(other_days),
        death_on=draw(other_days),
        claimed_on=draw(other_days),
        other_aid=draw(st.none() | yuan(300_000)),
        circumstances=draw(st.sampled_from([frozenset()] * 6 + [frozenset({"drunk"}), frozenset({"fight", "abroad"})])),
        declared=draw(st.sampled_from([{}, {"loan": Decimal("45000.50")}, {"jobs": Decimal(12)}, {"loan": ZERO, "jobs": Decimal(1)}])),
    )


@st.composite
def priors(draw: st.DrawFn, schedule: Schedule, shares: int, disease: Disease) -> PriorUse:
    """What may stand under the limits of the plan: nothing, something, all."""
    used: dict[str, Decimal] = {}
    for key, limit in limits_of(schedule, shares=shares, disease=disease).items():
        most = int(3_000_000 if limit is None else limit * 100)
        found = Decimal(draw(st.just(0) | st.just(most) | st.integers(0, most))) / 100
        used[key] = found.to_integral_value(ROUND_DOWN) if key.startswith("days:") else found
    paid = {item.code: draw(yuan(100_000)) for item in schedule.items if item.has("less_paid") and draw(st.booleans())}
    diseases = draw(st.sampled_from([(), (Disease("C50"),), (Disease("", "class_1"),)]))
    return PriorUse(used, paid, draw(st.integers(0, 3)), frozenset(diseases))


@st.composite
def situations(draw: st.DrawFn, schedule: Schedule) -> Situation:
    case, shares = draw(cases()), draw(st.integers(1, 4))
    if draw(st.booleans()):  # half of the cases are of a kind that the plan knows
        case = replace(case, event=draw(st.sampled_from(sorted({event for item in schedule.items for event in item.events}))))
    person = PersonFacts(birth_date=date(draw(st.integers(1950, 2012)), 3, 1), gender=draw(st.sampled_from(["male", "female"])))
    cover = CoverFacts(Period(START, date(2027, 1, 1)), shares, draw(st.sampled_from([None, 0, 30, 31])))
    return Situation(person, cover, case, draw(priors(schedule, shares, case.told_disease)))


@dataclass(frozen=True)
class Drawn:
    """A plan as data, as it was read, and a case under it."""

    data: Data
    schedule: Schedule
    told: Situation

    def result(self) -> Assessment:
        return _assess(self.schedule, self.told)


def _assess(schedule: Schedule, told: Situation) -> Assessment:
    return assess(schedule, person=told.person, cover=told.cover, case=told.case, prior=told.prior)


@st.composite
def drawn(draw: st.DrawFn, fixed: Data | None = None) -> Drawn:
    """A case under any plan, or under a fixed one."""
    data = fixed or draw(plans())
    schedule = parse(data)
    return Drawn(data, schedule, draw(situations(schedule)))


def _a_breach(strategy: st.SearchStrategy[Any], holds: Callable[[Any], bool], tries: int = 3000) -> bool:
    """Does the search find what breaks the promise? What is drawn depends on the version of Hypothesis and on the modules that
    are loaded, seed or not: a control must break on at least one example in a hundred or so, never on a lucky one."""
    try:
        find(strategy, lambda one: not holds(one), settings=settings(SEARCH, max_examples=tries), random=random.Random(7))
    except NoSuchExample:
        return False
    return True


# --- amounts --------------------------------------------------------------------------------------------------------


def whole_fen_and_never_negative(one: Drawn) -> bool:
    result = one.result()
    amounts = [item.amount for item in result.items]
    kept = [use.taken for use in result.usage if use.scope != "days"]
    return all(amount >= 0 and amount == amount.quantize(FEN) for amount in (*amounts, *kept, result.total))


def items_add_up(one: Drawn) -> bool:
    result = one.result()
    return result.total == sum((item.amount for item in result.items), ZERO)


@FAST
@given(drawn())
def test_amounts_are_whole_fen_never_negative_and_add_up(one: Drawn) -> None:
    assert whole_fen_and_never_negative(one)
    assert items_add_up(one)


def test_without_its_guard_an_offset_makes_an_amount_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    def unguarded(run: Running, data: Mapping[str, Any]) -> None:
        paid = sum((stay.settlement.hifp_pay for stay in run.case.stays), ZERO)
        run.amounts = [run.total - paid]
        run.note("offset", paid=paid)

    monkeypatch.setitem(steps.STEPS, "offset", unguarded)
    assert _a_breach(drawn(), whole_fen_and_never_negative)


def test_without_rounding_amounts_are_no_whole_fen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "round_half_up", lambda amount: amount)
    assert _a_breach(drawn(), whole_fen_and_never_negative)


def test_a_total_that_is_rounded_by_itself_does_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rounded(Assessment):
        def __init__(self, items: tuple[engine.ItemResult, ...], total: Decimal) -> None:
            super().__init__(items, total.to_integral_value())

    monkeypatch.setattr(engine, "Assessment", Rounded)
    assert _a_breach(drawn(), items_add_up)


# --- limits ---------------------------------------------------------------------------------------------------------


def _limits(item: Item) -> Iterator[Mapping[str, Any]]:
    return (step.data for step in item.steps if step.name == "ceiling")


def _given(schedule: Schedule, case: CaseFacts, result: Assessment) -> dict[str, Decimal]:
    """What a case took under each ceiling, added up from the items, not from what the engine says of it."""
    taken: dict[str, Decimal] = {}
    for found in result.items:
        item = schedule.item(found.code)
        for key in {limit_key(limit, case.disease) for limit in _limits(item) if limit["scope"] != "case"}:
            taken[key] = taken.get(key, ZERO) + found.amount
    return taken


def _ceilings(schedule: Schedule, told: Situation) -> dict[str, Decimal]:
    """The amount of each ceiling that counts over claims, for the shares that count."""
    shares = min(told.cover.shares, schedule.enrolling.max_shares)
    return {
        limit_key(limit, told.case.disease): limit["amount"] * (shares if limit["per_share"] else 1)
        for item in schedule.items
        for limit in _limits(item)
        if limit["scope"] != "case"
    }


def never_above_a_limit(one: Drawn) -> bool:
    result, used = one.result(), one.told.prior.used
    shares = min(one.told.cover.shares, one.schedule.enrolling.max_shares)
    most = _ceilings(one.schedule, one.told)
    for key, taken in _given(one.schedule, one.told.case, result).items():
        if taken > max(ZERO, most[key] - used.get(key, ZERO)):
            return False
    for found in result.items:
        for limit in _limits(one.schedule.item(found.code)):
            if limit["scope"] == "case" and found.amount > limit["amount"] * (shares if limit["per_share"] else 1):
                return False
    return not any(map(overspent, result.usage))


def overspent(use: LimitUse) -> bool:
    """More was taken than was left."""
    return use.ceiling is not None and use.taken > max(ZERO, use.ceiling - use.used_before)


@FAST
@given(drawn())
def test_nothing_is_ever_given_above_a_limit(one: Drawn) -> None:
    assert never_above_a_limit(one)


def _no_ceiling(run: Running, data: Mapping[str, Any]) -> None:
    run.note("ceiling", scope=data["scope"], ceiling=data["amount"], used=ZERO, left=Decimal("Infinity"))


def test_without_the_ceiling_limits_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(steps.STEPS, "ceiling", _no_ceiling)
    assert _a_breach(drawn(), never_above_a_limit)


def test_a_ceiling_that_a_later_step_may_pass_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    item = _item({"take": "personal_cost"}, {"ceiling": {"scope": "case", "amount": "1000"}}, {"shares": 3})
    strategy = drawn({**PLAN, "items": [item]})
    assert not _a_breach(strategy, never_above_a_limit, tries=80)
    monkeypatch.setattr(engine, "_within_limits", lambda run: None)
    assert _a_breach(strategy, never_above_a_limit)


def never_above_the_cost(one: Drawn) -> bool:
    if not one.schedule.indemnity:
        return True
    by_cost = {item.code for item in one.schedule.items if item.steps[0].name == "take"}
    paid = sum((item.amount for item in one.result().items if item.code in by_cost), ZERO)
    return paid <= sum((stay.settlement.psn_part_amt for stay in one.told.case.stays), ZERO)


@FAST
@given(drawn())
def test_an_indemnity_never_gives_more_than_the_personal_cost(one: Drawn) -> None:
    assert never_above_the_cost(one)


def test_without_the_cap_of_cost_an_indemnity_gives_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_up_to_cost_left", lambda run, stays: None)
    assert _a_breach(drawn(), never_above_the_cost)


# --- a higher bill --------------------------------------------------------------------------------------------------


@st.composite
def marginal_plans(draw: st.DrawFn) -> Data:
    """Marginal forms: bases, deductibles, ratios, bands, lump sums beside them; limits of an item, of a group, of the plan,
    each within the next. (Limits that cross each other can make one item's gain two others' loss in any plan.)"""
    made = []
    for code in "abcd"[: draw(st.integers(1, 3))]:
        by_cost = draw(st.integers(0, 3)) > 0
        begin = draw(begin_cost if by_cost else lumps.map(lambda amount: {"fixed": amount}))
        more = deepcopy(draw(st.lists(marginal_steps, max_size=3))) if by_cost else []
        for step in more:
            for name in ("deduct", "marginal"):
                if name in step:
                    step[name]["key"] = code
        own = draw(st.lists(ceilings(("case", "period", "disease"), 1 if by_cost else ABOVE_LUMPS), max_size=2))
        for limit in own:
            limit["ceiling"]["key"] = code
        group = "costs" if by_cost else "lumps"
        shared = [
            {"ceiling": {"scope": "period", "key": group, "amount": "4000", "per_share": False}},
            {"ceiling": {"scope": "lifetime", "key": "plan", "amount": "9000", "per_share": False}},
        ]
        more.sort(key=lambda step: not _stay_by_stay(step))
        caps = [*own, *(one for one in shared if draw(st.booleans()))]
        made.append(
            {"code": code, "name": {"zh": code, "en": code}, "clause": code, "events": ["admission"], "steps": [begin, *more, *caps]}
        )
    alike = [item["code"] for item in made if _counts_like(item, made[0])]
    groups = [alike] if len(alike) > 1 and draw(st.booleans()) else []
    items = _each_limit_holds(_one_amount_each(deepcopy(made)))
    return {**PLAN, "items": items, "indemnity": draw(st.booleans())} | ({"exclusive": groups} if groups else {})


def _counts_like(one: Data, other: Data) -> bool:
    """Are they for cost, or not, alike, and within the same shared limits? Items that exclude each other can be no other way if a
    higher bill is never to give less: the greater one may take from a third what the lesser one left it."""
    shared = [[step for step in item["steps"] if step.get("ceiling", {}).get("key") in ("costs", "lumps", "plan")] for item in (one, other)]
    return shared[0] == shared[1] and ("take" in one["steps"][0]) == ("take" in other["steps"][0])


rises = st.sampled_from([Decimal(text) for text in ("0.01", "1", "500", "3000", "10000")]) | yuan(1_000_000)
RISING = ("medfee_sumamt", "inscp_scp_amt", "psn_part_amt", "psn_cash_pay")


@st.composite
def stays_near(draw: st.DrawFn, edge: int) -> Stay:
    """A stay whose personal cost lies within 600 yuan of an edge, mostly at or closely below it."""
    stay, below = draw(stays()), Decimal(draw(st.sampled_from([0, 1, 100, 5_000]) | st.integers(-60_000, 60_000))) / 100
    return replace(stay, settlement=replace(stay.settlement, psn_part_amt=edge - below))


@st.composite
def rising(
    draw: st.DrawFn, fixed: Data | None = None, one_stay: st.SearchStrategy[Stay] | None = None
) -> tuple[Schedule, Situation, Situation]:
    """A marginal plan, a case, and the same case with a higher bill."""
    schedule = parse(fixed or draw(marginal_plans()))
    found = draw(st.lists(stays() if one_stay is None else one_stay, min_size=1, max_size=3))
    case = replace(draw(cases()), event="admission", event_on=plus_days(START, 100), stays=tuple(found))
    case = replace(case, diagnosis_code="C50", claimed_on=None, circumstances=frozenset())
    told = replace(draw(situations(schedule)), case=case)
    told = replace(told, prior=draw(priors(schedule, told.cover.shares, case.told_disease)))
    which = draw(st.integers(0, len(case.stays) - 1))
    one = case.stays[which]
    by, names = draw(rises), draw(st.just(set(RISING)) | st.sets(st.sampled_from(RISING)))
    more = {name: getattr(one.settlement, name) + by for name in names}
    higher = replace(one, settlement=replace(one.settlement, **more))
    after = tuple(higher if i == which else stay for i, stay in enumerate(case.stays))
    return schedule, told, replace(told, case=replace(case, stays=after))


def never_falls(three: tuple[Schedule, Situation, Situation]) -> bool:
    schedule, low, high = three
    return _assess(schedule, low).total <= _assess(schedule, high).total


@FAST
@given(rising())
def test_a_higher_bill_never_gives_less_in_marginal_forms(three: tuple[Schedule, Situation, Situation]) -> None:
    assert never_falls(three)


def test_bands_that_apply_to_the_whole_sum_would_give_less(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_the_last_band(amount: Decimal, found: steps.Bands) -> Decimal:
        return next((amount * share for over, up_to, share in found if over < amount and (up_to is None or amount <= up_to)), ZERO)

    cut = [{"over": "0", "up_to": "5000", "ratio": "0.8"}, {"over": "5000", "ratio": "0.5"}]
    plan = {**PLAN, "items": [_item({"take": "personal_cost"}, {"marginal": {"bands": cut, "per": "admission"}})]}
    strategy = rising(plan, stays_near(5000))
    assert not _a_breach(strategy, never_falls, tries=80)
    monkeypatch.setattr(steps, "marginal_sum", by_the_last_band)
    assert _a_breach(strategy, never_falls)


def _worth_what_is_left(schedule: Schedule, items: list[Item], run: Callable[[list[Item]], list[engine.ItemResult]]) -> Any:
    return [one for one in run(items) if not one.refused]


def test_choosing_among_items_that_took_from_each_other_would_give_less(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"ceiling": {"scope": "period", "key": "costs", "amount": "1000"}}
    pair = [{**_item({"take": "personal_cost"}, {"ratio": share}, shared), "code": code} for code, share in (("a", "0.5"), ("b", "0.6"))]
    strategy = rising({**PLAN, "items": pair, "exclusive": [["a", "b"]]}, stays_near(1000))
    assert not _a_breach(strategy, never_falls, tries=80)
    monkeypatch.setattr(engine, "_each_alone", _worth_what_is_left)
    assert _a_breach(strategy, never_falls)


# --- the order of the items -----------------------------------------------------------------------------------------


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[Drawn, Schedule]:
    """A plan with its items and its groups of exclusive items in another order."""
    one = draw(drawn())
    data = {**one.data, "items": draw(st.permutations(one.data["items"]))}
    if "exclusive" in data:
        data["exclusive"] = [draw(st.permutations(group)) for group in draw(st.permutations(data["exclusive"]))]
    return one, parse(data)


def same_in_any_order(two: tuple[Drawn, Schedule]) -> bool:
    one, other = two
    return _assess(other, one.told) == one.result()


@FAST
@given(shuffled())
def test_the_order_in_which_items_are_listed_changes_nothing(two: tuple[Drawn, Schedule]) -> None:
    assert same_in_any_order(two)


def test_items_taken_as_they_are_listed_would_share_a_limit_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "in_order", lambda found: found)
    assert _a_breach(shuffled(), same_in_any_order)


def excluded_by_what_is_paid(one: Drawn) -> bool:
    """Of a group that excludes each other at most one is paid; who lost, lost against one that is paid."""
    result = one.result()
    paid = {item.code for item in result.items if item.amount > 0}
    lost = {item.code for item in result.items if item.refused and item.refused.code == "excluded"}
    groups = [set(group) for group in one.schedule.exclusive]
    return all(len(group & paid) <= 1 for group in groups) and all(any(code in group and group & paid for group in groups) for code in lost)


@FAST
@given(drawn())
def test_only_what_is_paid_excludes(one: Drawn) -> None:
    assert excluded_by_what_is_paid(one)


def test_without_exclusion_both_are_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_excluded", lambda schedule, results: {})
    assert _a_breach(drawn(), excluded_by_what_is_paid)


# --- several claims -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claims:
    """A plan and the claims of one person under one cover, in the order in which they are decided."""

    schedule: Schedule
    told: tuple[Situation, ...]


@st.composite
def sequences(draw: st.DrawFn) -> Claims:
    one = draw(drawn())
    more = draw(st.lists(cases(), min_size=1, max_size=4))
    return Claims(one.schedule, tuple(replace(one.told, case=case) for case in (one.told.case, *more)))


@st.composite
def split_stays(draw: st.DrawFn) -> Claims:
    """One stay, its costs asked for in two claims."""
    one = draw(drawn())
    whole = draw(stays())
    share = draw(st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal("0.9")]))
    names = [field.name for field in fields(Settlement)]
    first = Settlement(**{name: (getattr(whole.settlement, name) * share).quantize(FEN) for name in names})
    second = Settlement(**{name: getattr(whole.settlement, name) - getattr(first, name) for name in names})
    case = replace(one.told.case, event="admission", event_on=plus_days(START, 200), claimed_on=None, circumstances=frozenset())
    parts = [replace(case, stays=(replace(whole, settlement=part),)) for part in (first, second)]
    return Claims(one.schedule, tuple(replace(one.told, case=part) for part in parts))


def _carried(prior: PriorUse, case: CaseFacts, result: Assessment) -> PriorUse:
    """What the next claim finds, as it is kept between claims."""
    used = dict(prior.used)
    for use in result.usage:
        used[use.key] = used.get(use.key, ZERO) + use.taken
    paid = {**prior.paid_items}
    for item in result.items:
        paid[item.code] = paid.get(item.code, ZERO) + item.amount
    return PriorUse(used, paid, prior.admissions + len(case.stays), prior.diseases | ({case.told_disease} - {Disease()}))


def no_claims_beat_the_cap(claims: Claims) -> bool:
    first = claims.told[0].prior
    prior, given, most = first, dict[str, Decimal](), dict[str, Decimal]()
    for told in claims.told:
        told = replace(told, prior=prior)
        result = _assess(claims.schedule, told)
        most |= _ceilings(claims.schedule, told)
        for key, amount in _given(claims.schedule, told.case, result).items():
            given[key] = given.get(key, ZERO) + amount
        if any(map(overspent, result.usage)):
            return False
        prior = _carried(prior, told.case, result)
    return all(amount <= max(ZERO, most[key] - first.used.get(key, ZERO)) for key, amount in given.items())


@FAST
@given(sequences())
def test_no_sequence_of_claims_beats_the_cap(claims: Claims) -> None:
    assert no_claims_beat_the_cap(claims)


@FAST
@given(split_stays())
def test_splitting_a_stay_into_two_claims_never_beats_the_cap(claims: Claims) -> None:
    assert no_claims_beat_the_cap(claims)


@pytest.mark.parametrize("strategy", [sequences(), split_stays()], ids=["any claims", "a split stay"])
def test_forgetting_what_was_used_beats_the_cap(monkeypatch: pytest.MonkeyPatch, strategy: st.SearchStrategy[Claims]) -> None:
    monkeypatch.setattr(Running, "used", lambda run, key: run.taken.get(key, ZERO))
    assert _a_breach(strategy, no_claims_beat_the_cap)


# --- rounding -------------------------------------------------------------------------------------------------------


@st.composite
def plain_costs(draw: st.DrawFn) -> Drawn:
    """One item for cost without limits, and one stay: what it gives can be computed in fractions, by another way."""
    chain = draw(st.lists(some_ratios.map(lambda ratio: {"ratio": ratio}) | marginal_steps, min_size=1, max_size=4))
    for step in chain:
        for name in ("deduct", "marginal"):
            if name in step:
                step[name] = {**step[name], "per": "case"}
    chain.sort(key=lambda step: not _stay_by_stay(step))
    data = {**PLAN, "items": [_item({"take": "personal_cost"}, *chain)]}
    schedule = parse(data)
    bill = draw(yuan(2_000_000) | st.integers(0, 10**12 - 1).map(lambda n: Decimal(n) / 100))
    case = CaseFacts("admission", plus_days(START, 10), (Stay(START, START, Settlement(psn_part_amt=bill)),))
    person, cover = PersonFacts(date(1990, 1, 1), "male"), CoverFacts(Period(START, date(2027, 1, 1)))
    return Drawn(data, schedule, Situation(person, cover, case, PriorUse()))


def _in_fractions(one: Drawn) -> Decimal:
    amount = Fraction(one.told.case.stays[0].settlement.psn_part_amt)
    for step in one.schedule.items[0].steps[1:]:
        data = step.data
        if step.name == "deduct":
            amount = max(Fraction(0), amount - Fraction(data["amount"]))
        elif step.name == "ratio":
            amount *= Fraction(data["ratio"])
        elif step.name == "per_admission":
            amount *= Fraction(data["ratios"][0])
        else:
            edges = [(Fraction(low), amount if high is None else Fraction(high), Fraction(share)) for low, high, share in data["bands"]]
            amount = sum((max(Fraction(0), min(amount, high) - low) * share for low, high, share in edges), Fraction(0))
    fen_found = (amount * 100 + Fraction(1, 2)).__floor__()
    return Decimal(fen_found) / 100


def rounded_once_half_up(one: Drawn) -> bool:
    return one.result().total == _in_fractions(one)


@FAST
@given(plain_costs())
def test_an_amount_is_rounded_half_up_once(one: Drawn) -> None:
    assert rounded_once_half_up(one)


def test_rounding_twice_or_to_even_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = steps.STEPS["ratio"]

    def rounds(run: Running, data: Mapping[str, Any]) -> None:
        plain(run, data)
        run.amounts = [engine.round_half_up(amount) for amount in run.amounts]

    with monkeypatch.context() as patch:
        patch.setitem(steps.STEPS, "ratio", rounds)
        assert _a_breach(plain_costs(), rounded_once_half_up)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "round_half_up", lambda amount: amount.quantize(FEN, rounding=ROUND_HALF_EVEN))
        assert _a_breach(plain_costs(), rounded_once_half_up)


def test_digits_are_enough_and_the_callers_context_does_not_matter() -> None:
    schedule = parse({**PLAN, "items": [_item({"take": "personal_cost"}, *[{"ratio": "0.999999"}] * 6)]})
    bill = Settlement(psn_part_amt=Decimal("9999999999.99"))
    case = CaseFacts("admission", plus_days(START, 10), (Stay(START, START, bill),))
    told = Situation(PersonFacts(date(1990, 1, 1), "male"), CoverFacts(Period(START, date(2027, 1, 1))), case, PriorUse())
    one = Drawn({}, schedule, told)
    assert rounded_once_half_up(one)
    with localcontext() as context:
        context.prec, context.rounding = 5, ROUND_DOWN
        assert one.result() == _assess(schedule, told)
        narrow = one.result()
    assert narrow == one.result()


# --- kept and told --------------------------------------------------------------------------------------------------


def _kept(told: Situation) -> Situation:
    """Facts as they are kept beside a decision, and back."""
    data = json.loads(json.dumps({name: facts.as_data(getattr(told, name)) for name in ("person", "cover", "case", "prior")}))
    return Situation(
        facts.person_of(data["person"]), facts.cover_of(data["cover"]), facts.case_of(data["case"]), facts.prior_of(data["prior"])
    )


def same_after_keeping(one: Drawn) -> bool:
    kept = _kept(one.told)
    return kept == one.told and _assess(one.schedule, kept).as_data() == one.result().as_data()


@FAST
@given(drawn())
def test_facts_that_were_kept_give_the_same_assessment(one: Drawn) -> None:
    assert same_after_keeping(one)


def test_facts_kept_without_a_part_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = facts.case_of
    monkeypatch.setattr(facts, "case_of", lambda data: replace(plain(data), other_aid=None))
    assert _a_breach(drawn(), same_after_keeping)


def told_to_everyone(one: Drawn) -> bool:
    stored = json.loads(json.dumps(one.result().as_data()))
    names = limit_names(one.schedule)
    for reader in reading.READERS:
        lines = reading.statement(stored, reader=reader, names=names, terms="甲（2026）", content_hash="0" * 64)
        texts = [line.words.in_language(language) for line in lines for language in ("zh-hans", "en")]
        if not all(text.strip() and "None" not in text for text in texts):
            return False
        if sum(line.words.en.startswith("total ") for line in lines) != 1:
            return False
        if len(lines) < len(stored["items"]) + 1:
            return False
    return True


@FAST
@given(drawn())
def test_every_assessment_is_told_to_every_reader_in_both_languages(one: Drawn) -> None:
    assert told_to_everyone(one)


def test_a_step_without_words_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wordless(one: Drawn) -> bool:
        try:
            return told_to_everyone(one)
        except KeyError:
            return False

    monkeypatch.delitem(explain.STEP_WORDS, "ceiling")
    assert _a_breach(drawn(), wordless)


def test_every_form_is_drawn() -> None:
    """The search would prove little if it never met a step, or if nothing were ever paid."""
    missing = {*steps.STEPS, "paid", "indemnity", "excluded", "fact_missing"}

    def all_met(one: Drawn) -> bool:
        result = one.result()
        missing.difference_update(line.step for item in result.items for line in item.trail)
        missing.difference_update(item.refused.code for item in result.items if item.refused)
        missing.difference_update("paid" for item in result.items if item.amount > 0)
        return not missing

    assert _a_breach(drawn(), lambda one: not all_met(one)), missing
    assert {next(iter(gate)) for gate in GATES} == set(gates.GATES)
