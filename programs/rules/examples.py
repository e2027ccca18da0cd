"""A plan's own worked examples: what it says it pays and charges, recomputed. Terms whose examples fail are not published.

An example is a mapping with `name`, `expect` (yuan in quotes) and either `case` (a benefit) or `fee` (a contribution).
Cases are written in the words of `facts.py`; what is left out takes the most ordinary value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.assess import Assessment, assess
from programs.rules.facts import (
    SETTLEMENT_FIELDS,
    ZERO,
    CaseFacts,
    CoverFacts,
    PersonFacts,
    PriorUse,
    Settlement,
    Stay,
    UnitFacts,
)
from programs.rules.fees import participation_ok, split
from programs.rules.schedule import Schedule, ScheduleError, decimal_of
from unionaid.lib.calendar import Period, add_years, plus_days
from unionaid.lib.money import round_half_up

_CASE_KEYS = {
    "event", "event_on", "stays", "self_pay", "insured_total", "days", "diagnosis_code", "diagnosis_class",
    "disability_grade", "accident_on", "death_on", "claimed_on", "event_kind", "shares", "gender", "cover_start",
    "waiting_waived", "used", "paid_items", "admissions_before", "diseases", "hospital_grade",
}  # fmt: skip
_FEE_KEYS = {"heads", "payer", "shares", "eligible_staff", "enrolled"}


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example that does not come out as it says."""

    name: str
    expected: Decimal
    found: Decimal


def check_examples(schedule: Schedule) -> list[ExampleFailure]:
    """Every example that fails; empty when the plan keeps its word. ScheduleError for a malformed example."""
    failures = []
    for i, example in enumerate(schedule.examples):
        path = f"plan.examples[{i}]"
        expected = decimal_of(example.get("expect"), f"{path}.expect")
        found = run_example(schedule, example, path)
        if found != expected:
            failures.append(ExampleFailure(str(example.get("name", i + 1)), expected, found))
    return failures


def run_example(schedule: Schedule, example: Mapping[str, Any], path: str = "example") -> Decimal:
    """What this example comes to."""
    if "case" in example:
        return assess_case(schedule, example["case"], f"{path}.case").total
    if "fee" in example:
        return _fee(schedule, example["fee"], f"{path}.fee")
    raise ScheduleError(path, "expected `case` or `fee`")


def assess_case(schedule: Schedule, data: Mapping[str, Any], path: str = "case") -> Assessment:
    """Assess a case written as data. Cover begins with the period of the terms unless `cover_start` says otherwise."""
    _refuse_unknown(data, _CASE_KEYS, path)
    start = _day(data.get("cover_start")) or schedule.period.start
    end = max(schedule.period.end, plus_days(start, 1)) if not schedule.rolling_months else add_years(start, 1)
    default_on = max(plus_days(start, 120), start)
    event_on = _day(data.get("event_on")) or _day(data.get("accident_on")) or min(default_on, plus_days(end, -1))
    case = CaseFacts(
        event=str(data["event"]),
        event_on=event_on,
        stays=_stays(data, event_on, path),
        diagnosis_code=str(data.get("diagnosis_code", "")),
        diagnosis_class=str(data.get("diagnosis_class", "")),
        disability_grade=data.get("disability_grade"),
        accident_on=_day(data.get("accident_on")),
        death_on=_day(data.get("death_on")),
        claimed_on=_day(data.get("claimed_on")),
        event_kind=str(data.get("event_kind", "default")),
    )
    prior = PriorUse(
        used={k: Decimal(v) for k, v in data.get("used", {}).items()},
        paid_items={k: Decimal(v) for k, v in data.get("paid_items", {}).items()},
        admissions=int(data.get("admissions_before", 0)),
        diseases=frozenset(data.get("diseases", ())),
    )
    gender = str(data.get("gender", schedule.enrolling.gender))
    person = PersonFacts(birth_date=date(1985, 6, 15), gender="female" if gender == "any" else gender)
    cover = CoverFacts(Period(start, end), int(data.get("shares", 1)), bool(data.get("waiting_waived", False)))
    return assess(schedule, person=person, cover=cover, case=case, prior=prior)


def _stays(data: Mapping[str, Any], event_on: date, path: str) -> tuple[Stay, ...]:
    made = []
    for i, raw in enumerate(data.get("stays", [])):
        where = f"{path}.stays[{i}]"
        _refuse_unknown(raw, {"days", "self_pay", "insured_total", "hospital_grade", *SETTLEMENT_FIELDS}, where)
        made.append(_stay(raw, event_on, where))
    if not made and {"self_pay", "insured_total", "days"} & data.keys():
        made.append(_stay(data, event_on, path))
    return tuple(made)


def _stay(raw: Mapping[str, Any], event_on: date, path: str) -> Stay:
    amounts = {name: decimal_of(raw[name], f"{path}.{name}") for name in SETTLEMENT_FIELDS if name in raw}
    if "self_pay" in raw:
        amounts["psn_part_amt"] = amounts["psn_cash_pay"] = decimal_of(raw["self_pay"], f"{path}.self_pay")
        amounts.setdefault("medfee_sumamt", amounts["psn_part_amt"])
    if "insured_total" in raw:
        amounts["medfee_sumamt"] = decimal_of(raw["insured_total"], f"{path}.insured_total")
    days = raw.get("days")
    return Stay(event_on, plus_days(event_on, days or 1), Settlement(**amounts), raw.get("hospital_grade"), days)


def _fee(schedule: Schedule, data: Mapping[str, Any], path: str) -> Decimal:
    _refuse_unknown(data, _FEE_KEYS, path)
    rule = schedule.enrolling.unit
    if "enrolled" in data and rule is not None:
        unit = UnitFacts(eligible_staff=int(data["eligible_staff"]), enrolling=int(data["enrolled"]))
        if not participation_ok(rule, unit):
            return Decimal("0.00")
    heads = data.get("heads", {"any": data.get("enrolled", 1)})
    total = ZERO
    for kind, count in heads.items():
        person = PersonFacts(
            birth_date=date(1985, 6, 15),
            gender=kind if kind in ("male", "female") else "male",
            card_holder=kind == "card_holder",
        )
        by_payer = split(schedule, person, int(data.get("shares", 1)), default="unit")
        amount = by_payer.get(data["payer"], ZERO) if "payer" in data else sum(by_payer.values(), ZERO)
        total += amount * int(count)
    return round_half_up(total)


def _refuse_unknown(data: Mapping[str, Any], known: set[str], path: str) -> None:
    for key in data:
        if key not in known:
            raise ScheduleError(f"{path}.{key}", "is not a key of this place")


def _day(value: Any) -> date | None:
    if value is None or type(value) is date:
        return value
    return date.fromisoformat(str(value))
