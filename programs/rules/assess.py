"""What a case is paid: every item that answers to the event, its gates, its steps, one rounding, and the trail.

Rounding: Decimal throughout, half-up to 0.01 yuan once per benefit item per claim. The sources state no rule;
the one published amount with a fraction (1733.84 × 0.70 → 1213.69) fits half-up and no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from programs.rules.facts import ZERO, CaseFacts, CoverFacts, PersonFacts, PriorUse
from programs.rules.gates import Question, Reason, refusal
from programs.rules.schedule import Item, Schedule, Words
from programs.rules.steps import STEPS, LimitUse, Line, Running
from unionaid.lib.money import round_half_up

NO_PRIOR = PriorUse()


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item's answer: the amount (yuan, two decimals), how it came about, or why it is nothing."""

    code: str
    name: Words
    clause: str
    fund: str
    amount: Decimal
    trail: tuple[Line, ...]
    refused: Reason | None
    usage: tuple[LimitUse, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """All items' answers and their sum."""

    items: tuple[ItemResult, ...]
    total: Decimal

    @property
    def usage(self) -> tuple[LimitUse, ...]:
        """What is taken under each ceiling, summed over the items."""
        found: dict[str, LimitUse] = {}
        for use in (use for item in self.items for use in item.usage):
            first = found.get(use.key)
            taken = use.taken + (first.taken if first else ZERO)
            before = first.used_before if first else use.used_before
            found[use.key] = LimitUse(use.key, use.scope, use.ceiling, before, taken)
        return tuple(found.values())

    def as_data(self) -> dict[str, Any]:
        """As JSON, decimals as text."""
        return {
            "total": str(self.total),
            "items": [
                {
                    "code": item.code,
                    "name": {"zh": item.name.zh, "en": item.name.en},
                    "clause": item.clause,
                    "fund": item.fund,
                    "amount": str(item.amount),
                    "trail": [
                        {"step": line.step, "inputs": dict(line.inputs), "result": str(line.result)}
                        for line in item.trail
                    ],
                    "refused": {"code": item.refused.code, "inputs": dict(item.refused.inputs)}
                    if item.refused
                    else None,
                }
                for item in self.items
            ],
            "usage": [
                {
                    "key": use.key,
                    "scope": use.scope,
                    "ceiling": str(use.ceiling),
                    "used_before": str(use.used_before),
                    "taken": str(use.taken),
                    "left": str(use.left),
                }
                for use in self.usage
            ],
        }


def assess(
    schedule: Schedule, *, person: PersonFacts, cover: CoverFacts, case: CaseFacts, prior: PriorUse = NO_PRIOR
) -> Assessment:
    """What this case is paid under these terms: never negative, never above a ceiling, the same in any order of items.

    Items are assessed in the order of their codes, so that a ceiling they share is spent the same way however the
    plan lists them. Of items that exclude each other only the greatest is paid.
    """
    taken: dict[str, Decimal] = {}
    results = [
        _assess_item(schedule, item, person, cover, case, prior, taken)
        for item in sorted(schedule.items, key=lambda item: item.code)
        if case.event in item.events
    ]
    kept = tuple(_exclude(schedule, results))
    return Assessment(items=kept, total=sum((item.amount for item in kept), Decimal("0.00")))


def _assess_item(
    schedule: Schedule,
    item: Item,
    person: PersonFacts,
    cover: CoverFacts,
    case: CaseFacts,
    prior: PriorUse,
    taken: dict[str, Decimal],
) -> ItemResult:
    reason = refusal(Question(schedule, item, person, cover, case, prior))
    if reason:
        return ItemResult(item.code, item.name, item.clause, item.fund, Decimal("0.00"), (), reason, ())
    run = Running(schedule, item, cover, case, prior, taken)
    for step in item.steps:
        STEPS[step.name](run, step.data)
    amount = round_half_up(run.total)
    usage = tuple(LimitUse(u.key, u.scope, u.ceiling, u.used_before, amount) for u in run.usage)
    for use in usage:
        taken[use.key] = taken.get(use.key, ZERO) + amount
    return ItemResult(item.code, item.name, item.clause, item.fund, amount, tuple(run.lines), None, usage)


def _exclude(schedule: Schedule, results: list[ItemResult]) -> list[ItemResult]:
    for group in schedule.exclusive:
        rivals = [r for r in results if r.code in group and r.amount > 0]
        if len(rivals) > 1:
            best = max(rivals, key=lambda r: (r.amount, r.code))
            results = [
                r
                if r not in rivals or r is best
                else ItemResult(
                    r.code, r.name, r.clause, r.fund, Decimal("0.00"), r.trail, Reason("excluded", {"by": best.name.zh}), ()
                )
                for r in results
            ]
    return results


def ceilings_of(schedule: Schedule, shares: int) -> Mapping[str, Decimal]:
    """Every ceiling of the period or the lifetime, by key: the rows that are locked before an assessment for good."""
    found = {}
    for item in schedule.items:
        for step in item.steps:
            if step.name == "ceiling" and step.data["scope"] != "case":
                factor = shares if step.data["per_share"] else 1
                found[f"{step.data['scope']}:{step.data['key']}"] = step.data["amount"] * factor
    return found
