"""How many assessments the pure engine makes in a second on one core: a flat ratio, a combo whose four items all answer, and one with two
items that exclude each other.

    python benchmarks/engine.py [rounds]

Nothing but `programs.rules` is loaded. Every round assesses the same 500 cases of different bills, priors included; figures are
medians of the rounds, in seconds of the processor and of the clock (which counts what else the machine does).
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from programs.rules.assess import Assessment, assess
from programs.rules.facts import CaseFacts, CoverFacts, PersonFacts, PriorUse, Settlement, Stay
from programs.rules.parse import parse
from unionaid.lib.calendar import Period

CASES = 500
PLAN: dict[str, Any] = {
    "format": 1, "code": "bench", "version": "2026", "name": {"zh": "测速", "en": "Bench"}, "summary": {"zh": "测速", "en": "Bench"},
    "category": "combo", "organiser": {"kind": "federation", "name": "总工会"}, "source": {"title": "办法"},
    "period": {"start": "2026-01-01", "end": "2026-12-31"}, "enrolment": {"opens": "2025-10-01", "closes": "2025-12-31"},
    "contribution": {"per_share": "60"},
}  # fmt: skip


def _item(code: str, *steps: dict[str, Any], gates: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    item: dict[str, Any] = {
        "code": code,
        "name": {"zh": code, "en": code},
        "clause": "第一条",
        "events": ["admission"],
        "steps": list(steps),
    }
    return {**item, "gates": list(gates)} if gates else item


BANDS = [
    {"over": "0", "up_to": "2000", "ratio": "0.8"},
    {"over": "2000", "up_to": "10000", "ratio": "0.7"},
    {"over": "10000", "ratio": "0.5"},
]
TIERS = [{"over": "0", "up_to": "20000", "amount": "0"}, {"over": "20000", "amount": "3000"}]
PLAN_LIMIT = {"ceiling": {"amount": "50000", "scope": "period", "key": "plan"}}
DAYS_LIMIT = {"ceiling": {"amount": "4500", "scope": "period", "key": "days"}}
FLAT = {**PLAN, "items": [_item("inpatient", {"take": "self_pay"}, {"ratio": "0.70"})]}
BY_BANDS = ({"take": "self_pay"}, {"deduct": {"amount": "300", "per": "admission"}}, {"marginal": {"bands": BANDS}}, PLAN_LIMIT)
SECOND_PASS = ({"take": "in_scope_total"}, {"less_items": ["inpatient"]}, {"ratio": "0.10"}, {"up_to_cost": "personal_cost"}, PLAN_LIMIT)
COMBO = {
    **PLAN,
    "waiting": {"days": 30},
    "claim_within": {"days": 180},
    "items": [
        _item("inpatient", *BY_BANDS),
        _item("allowance", {"per_day": {"rate": "50", "deductible_days": 3}}, DAYS_LIMIT),
        _item("serious", {"take": "cash_paid"}, {"tiers": TIERS}, PLAN_LIMIT, gates=({"with_admission": True},)),
        _item("second", *SECOND_PASS),
    ],
}
EXCLUSIVE = {**COMBO, "exclusive": [["inpatient", "allowance"]]}


def _cases(stays: int) -> list[CaseFacts]:
    return [_case(Decimal(37 * i % 40_000) + Decimal("0.84"), stays) for i in range(1, CASES + 1)]


def _case(bill: Decimal, stays: int) -> CaseFacts:
    sheet = Settlement(
        medfee_sumamt=3 * bill,
        inscp_scp_amt=2 * bill,
        fund_pay_sumamt=2 * bill,
        psn_part_amt=bill,
        psn_cash_pay=bill,
        fulamt_ownpay_amt=bill / 4,
    )
    found = tuple(Stay(date(2026, 5, 1 + i), date(2026, 5, 12 + i), sheet, 3) for i in range(stays))
    return CaseFacts("admission", date(2026, 5, 1), found, diagnosis_code="I21.9", claimed_on=date(2026, 7, 1))


def _rounds(plan: dict[str, Any], stays: int, answering: int, rounds: int) -> list[tuple[float, float]]:
    """Assessments in a second of the processor and in a second of the clock, for each round."""
    schedule, cases = parse(plan), _cases(stays)
    person, cover = PersonFacts(date(1980, 1, 1), "female"), CoverFacts(Period(date(2026, 1, 1), date(2027, 1, 1)))
    prior = PriorUse(used={"period:plan": Decimal("1200.00"), "period:days": Decimal("300.00")})

    def one(case: CaseFacts) -> Assessment:
        return assess(schedule, person=person, cover=cover, case=case, prior=prior)

    assert len([item for item in one(cases[-1]).items if item.trail and not item.refused]) == answering
    return [_round(one, cases) for _ in range(rounds)]


def _round(one: Callable[[CaseFacts], Assessment], cases: list[CaseFacts]) -> tuple[float, float]:
    begin, began = time.process_time(), time.perf_counter()
    for case in cases:
        one(case)
    return len(cases) / (time.process_time() - begin), len(cases) / (time.perf_counter() - began)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    print("| plan | aim | a second of one core | slowest – fastest round | a second of the clock |\n|---|---|---|---|---|")
    for name, aim, plan, stays, answering in (
        ("one item: flat ratio; one stay", 20_000, FLAT, 1, 1),
        ("four items that all answer: bands, days, tiers, second pass; one stay", 5_000, COMBO, 1, 4),
        ("the same; two stays", 5_000, COMBO, 2, 4),
        ("the four, two of which exclude each other; one stay", 5_000, EXCLUSIVE, 1, 3),
    ):
        core, clock = zip(*_rounds(plan, stays, answering, rounds), strict=True)
        span = f"{min(core):,.0f} – {max(core):,.0f}"
        print(f"| {name} | {aim:,} | {statistics.median(core):,.0f} | {span} | {statistics.median(clock):,.0f} |")


if __name__ == "__main__":
    main()
