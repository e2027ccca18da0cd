"""The steps an amount is made of. Each takes the running amounts (one per stay, or one for the case) and the facts,
and gives the new amounts with a line for the trail. Decimal inside; rounding is done once, by `assess`.

Brackets are marginal: `over` exclusive, `up_to` inclusive. Day 1 is the first day of cover.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from programs.rules.facts import ZERO, CaseFacts, CoverFacts, PriorUse
from programs.rules.schedule import Item, Schedule
from unionaid.lib.calendar import days_between, stay_days


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail: the step, the figures that went in (as text), and what it gave."""

    step: str
    inputs: Mapping[str, str]
    result: Decimal


@dataclass(frozen=True, slots=True)
class LimitUse:
    """What one ceiling stood at, what this item takes, and what is left."""

    key: str
    scope: str
    ceiling: Decimal
    used_before: Decimal
    taken: Decimal

    @property
    def left(self) -> Decimal:
        return self.ceiling - self.used_before - self.taken


@dataclass
class Running:
    """The state of one item's calculation."""

    schedule: Schedule
    item: Item
    cover: CoverFacts
    case: CaseFacts
    prior: PriorUse
    taken: dict[str, Decimal]
    amounts: list[Decimal] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    usage: list[LimitUse] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, ZERO)

    def note(self, step: str, **inputs: object) -> None:
        self.lines.append(Line(step, {k: str(v) for k, v in inputs.items()}, self.total))


Apply = Callable[[Running, Mapping[str, Any]], None]


def take(run: Running, data: Mapping[str, Any]) -> None:
    """Begin with a base of every stay's settlement."""
    run.amounts = [getattr(stay.settlement, data["base"]) for stay in run.case.stays]
    run.note("take", base=data["base"], stays=len(run.amounts))


def deduct(run: Running, data: Mapping[str, Any]) -> None:
    """Take a deductible off each admission, or off the case; never below nothing."""
    if data["per"] == "case":
        run.amounts = [max(ZERO, run.total - data["amount"])]
    else:
        run.amounts = [max(ZERO, amount - data["amount"]) for amount in run.amounts]
    run.note("deduct", amount=data["amount"], per=data["per"])


def ratio(run: Running, data: Mapping[str, Any]) -> None:
    """A flat ratio of what is there."""
    before = run.total
    run.amounts = [amount * data["ratio"] for amount in run.amounts]
    run.note("ratio", ratio=data["ratio"], of=before)


def marginal(run: Running, data: Mapping[str, Any]) -> None:
    """Each band's part of the sum by that band's ratio.

    >>> from decimal import Decimal as D
    >>> [str(marginal_sum(D(x), ((D(0), D(2000), D("0.8")), (D(2000), None, D("0.5"))))) for x in (2000, 2001)]
    ['1600.0', '1600.5']
    """
    before = run.total
    run.amounts = [marginal_sum(before, data["bands"])]
    for over, up_to, share in data["bands"]:
        part = band_part(before, over, up_to)
        if part:
            run.lines.append(
                Line(
                    "band",
                    {"over": str(over), "up_to": str(up_to or ""), "part": str(part), "ratio": str(share)},
                    part * share,
                )
            )
    run.note("marginal", of=before)


def band_part(amount: Decimal, over: Decimal, up_to: Decimal | None) -> Decimal:
    """The part of the amount that lies in a band."""
    return max(ZERO, (amount if up_to is None else min(amount, up_to)) - over)


def marginal_sum(amount: Decimal, bands: tuple[tuple[Decimal, Decimal | None, Decimal], ...]) -> Decimal:
    """The sum over the bands."""
    return sum((band_part(amount, over, up_to) * share for over, up_to, share in bands), ZERO)


def per_admission(run: Running, data: Mapping[str, Any]) -> None:
    """A ratio by the ordinal of the admission in the period of cover; the last ratio holds for all later ones."""
    ratios, made = data["ratios"], []
    for i, amount in enumerate(run.amounts):
        ordinal = run.prior.admissions + i + 1
        share = ratios[min(ordinal, len(ratios)) - 1]
        made.append(amount * share)
        run.lines.append(
            Line("admission", {"ordinal": str(ordinal), "of": str(amount), "ratio": str(share)}, amount * share)
        )
    run.amounts = made
    run.note("per_admission")


def per_day(run: Running, data: Mapping[str, Any]) -> None:
    """A rate for every day of a stay beyond the deductible days, which count per admission, not pooled."""
    made = []
    for stay in run.case.stays:
        days = (
            stay.days
            if stay.days is not None
            else stay_days(stay.admitted_on, stay.discharged_on, run.schedule.day_count)
        )
        counted = max(0, days - data["deductible_days"])
        if data["max_days"]:
            counted = min(counted, data["max_days"])
        made.append(data["rate"] * counted)
        run.lines.append(
            Line(
                "stay_days",
                {
                    "days": str(days),
                    "deductible": str(data["deductible_days"]),
                    "counted": str(counted),
                    "rate": str(data["rate"]),
                },
                data["rate"] * counted,
            )
        )
    run.amounts = made
    run.note("per_day", rate=data["rate"])


def fixed(run: Running, data: Mapping[str, Any]) -> None:
    """A lump sum."""
    run.amounts = [data["amount"]]
    run.note("fixed", amount=data["amount"])


def table(run: Running, data: Mapping[str, Any]) -> None:
    """A sum looked up by the class of disease or the grade of disability; nothing for what is not in the table."""
    value = run.case.diagnosis_class if data["by"] == "diagnosis_class" else run.case.disability_grade
    found = data["amounts"].get(str(value))
    run.amounts = [found if found is not None else ZERO]
    label = data["labels"].get(str(value))
    plain = value or ""
    run.note("table", by=data["by"], value=plain, label=label.zh if label else plain, label_en=label.en if label else plain)


def shares(run: Running, data: Mapping[str, Any]) -> None:
    """Times the shares; shares above the greatest number do not count."""
    counted = min(run.cover.shares, data["max"])
    run.amounts = [amount * counted for amount in run.amounts]
    run.note("shares", shares=run.cover.shares, counted=counted)


def wait(run: Running, data: Mapping[str, Any]) -> None:
    """A sum by the day of cover on which it happened; continuous renewal gives the last band at once."""
    day = days_between(run.cover.period.start, run.case.event_on) + 1
    amount = data["bands"][-1][2]
    if not run.cover.waiting_waived:
        for first, last, sum_of_band in data["bands"]:
            if first <= day and (last is None or day <= last):
                amount = sum_of_band
    run.amounts = [amount]
    run.note("wait", day=day, waived=run.cover.waiting_waived)


def add_if_over(run: Running, data: Mapping[str, Any]) -> None:
    """A further sum when a base lies strictly above a mark."""
    base = sum((getattr(stay.settlement, data["base"]) for stay in run.case.stays), ZERO)
    if base > data["over"]:
        run.amounts = [run.total + data["amount"]]
    run.note("add_if_over", base=base, over=data["over"], amount=data["amount"] if base > data["over"] else 0)


def less_paid(run: Running, data: Mapping[str, Any]) -> None:
    """Less what this item already paid for the same case: a re-classification pays the difference only."""
    paid = run.prior.paid_items.get(run.item.code, ZERO)
    run.amounts = [max(ZERO, run.total - paid)]
    run.note("less_paid", paid=paid)


def ceiling(run: Running, data: Mapping[str, Any]) -> None:
    """Not more than what is left under a ceiling of the case, of the period or of the lifetime."""
    limit = data["amount"] * (run.cover.shares if data["per_share"] else 1)
    key = f"{data['scope']}:{data['key']}"
    used = ZERO
    if data["scope"] != "case":
        used = run.prior.used.get(key, ZERO) + run.taken.get(key, ZERO)
    run.amounts = [min(run.total, max(ZERO, limit - used))]
    if data["scope"] != "case":
        run.usage.append(LimitUse(key, data["scope"], limit, used, ZERO))
    run.note("ceiling", scope=data["scope"], ceiling=limit, used=used, left=max(ZERO, limit - used))


STEPS: dict[str, Apply] = {
    "take": take,
    "deduct": deduct,
    "ratio": ratio,
    "marginal": marginal,
    "per_admission": per_admission,
    "per_day": per_day,
    "fixed": fixed,
    "table": table,
    "shares": shares,
    "wait": wait,
    "add_if_over": add_if_over,
    "less_paid": less_paid,
    "ceiling": ceiling,
}
