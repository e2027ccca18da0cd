"""Limits that nobody can have meant: one below the sum that its item promises, one that another makes useless, one told twice
in two ways. What may be meant is left alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from typing import Any

from programs.rules.faults import Fault, fault
from programs.rules.schedule import LASTING, Item, Schedule, Step
from programs.rules.words import Words

Data = Mapping[str, Any]
# From the narrow to the wide: whatever counts under one counts under the next.
SCOPES = ("admission", "case", "disease", "year", "period", "lifetime")
SCOPE_NAMES = {
    "admission": Words("每次住院", "for each admission"),
    "case": Words("每次申领", "for each claim"),
    "disease": Words("同一疾病", "for each disease"),
    "year": Words("本保障年度内", "for the year of cover"),
    "period": Words("本保障期内", "for the period"),
    "lifetime": Words("终身", "for life"),
}


def limit_slips(schedule: Schedule) -> Iterator[Fault]:
    """Every such limit of the plan, at its place."""
    yield from _told_twice(schedule)
    for i, item in enumerate(schedule.items):
        yield from _below_the_item(item, schedule.enrolling.max_shares, ("items", i, "steps"))
        yield from _useless(item, schedule.enrolling.max_shares, ("items", i, "steps"))
        yield from _more_shares(item, schedule.enrolling.max_shares, ("items", i, "steps"))
    yield from _counters_told_twice(schedule)


def _ceilings(item: Item) -> list[tuple[int, Data]]:
    return [(j, step.data) for j, step in enumerate(item.steps) if step.name == "ceiling"]


def _told_twice(schedule: Schedule) -> Iterator[Fault]:
    """A ceiling that several items share has one amount."""
    stands: dict[tuple[str, str], tuple[Decimal, bool]] = {}
    for i, item in enumerate(schedule.items):
        for j, data in _ceilings(item):
            limit = (data["amount"], data["per_share"])
            if data["scope"] in LASTING and stands.setdefault((data["scope"], data["key"]), limit) != limit:
                zh, en = f"额度 {data['key']} 写了两个不同的金额", f"the limit {data['key']} has two different amounts"
                yield fault(zh, en, ("items", i, "steps", j, "ceiling", "amount"))


def _more_shares(item: Item, max_shares: int, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """An item that counts more shares than anybody may have."""
    for j, step in enumerate(item.steps):
        if step.name == "shares" and step.data["max"] > max_shares:
            zh = f"应不大于 {max_shares}：enrolment 的 shares.max 是每人最多 {max_shares} 份（不写就是 1 份）"
            en = f"expected at most {max_shares}: nobody has more shares (enrolment, shares.max; 1 where it is not written)"
            yield fault(f"{zh}，现在是 {step.data['max']}", f"{en}, found {step.data['max']}", (*path, j, "shares"))


# --- below what the item promises -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Most:
    """The most that some steps promise (yuan), and how that comes about where it is not one sum of the plan."""

    amount: Decimal
    how: Words = Words("", "")


def _below_the_item(item: Item, max_shares: int, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """A ceiling below what the steps before it promise, or all steps together: it holds for what the item gives in the end."""
    for j, data in _ceilings(item):
        ceiling = data["amount"] * (max_shares if data["per_share"] else 1)
        found = [_greatest(item.steps[:j], data["scope"]), _greatest(item.steps, data["scope"])]
        most = max((one for one in found if one is not None), key=lambda one: one.amount, default=None)
        if most is not None and most.amount > ceiling:
            zh = f"封顶 {ceiling} 元低于本项给付 {most.amount} 元{most.how.zh}"
            yield fault(zh, f"the limit of {ceiling} lies below the item's own {most.amount}{most.how.en}", (*path, j, "ceiling", "amount"))


def _greatest(steps: Sequence[Step], scope: str) -> Most | None:
    """The most that the sums and daily rates of these steps promise within such a scope; None for what depends on cost. Tiers are
    sums too: they are looked up by cost, but each is the sum that the plan promises."""
    most: Most | None = None
    for step in steps:
        if (promised := _promised(step, scope)) is not None:
            most = promised
        elif step.name in _ON_TOP:
            most = None if most is None else Most(_ON_TOP[step.name](most.amount, step.data), most.how)
        elif step.name not in ("less_paid", "up_to_cost", "ceiling"):
            most = None
    return most


def _promised(step: Step, scope: str) -> Most | None:
    """The greatest sum that a step gives whatever stood there before; None when it only changes what is there."""
    data = step.data
    if step.name == "fixed":
        return Most(data["amount"])
    if step.name == "scale":
        return Most(data["sum"] * max(data["ratios"].values()))
    if step.name == "table":
        row = max(data["amounts"], key=lambda key: Decimal(data["amounts"][key]))
        return Most(data["amounts"][row], Words(f"（给付表的 {row}）", f" (row {row} of its table)"))
    if step.name == "tiers" or (step.name == "wait" and data["what"] == "amount"):
        return Most(max(amount for _first, _last, amount in data["bands"]))
    return _promised_days(data, scope) if step.name == "per_day" else None


def _promised_days(data: Data, scope: str) -> Most:
    """A daily rate for as many days as the plan says that it pays, of one stay or (under a limit of the period) of the whole
    period; for one day where it does not say."""
    counts = [data[name] for name in ("max_days", "max_days_in_period") if data[name]]
    whole = data["max_days_in_period"] if scope in ("period", "lifetime") else 0
    days = whole or (min(counts) if data["max_days"] else 1)
    rate = _highest(data["rate"])
    return Most(rate * days, Words(f"（每天 {rate} 元 × {days} 天）", f" ({rate} a day for {days} days)"))


def _highest(figure: Any) -> Decimal:
    """A figure, or the highest of those by the grade of the hospital."""
    return Decimal(max(figure.values()) if isinstance(figure, Mapping) else figure)


_ON_TOP: dict[str, Callable[[Decimal, Data], Decimal]] = {
    "shares": lambda most, data: most * data["max"],
    "add_if_over": lambda most, data: most + data["amount"],
    "ratio": lambda most, data: most * _highest(data["ratio"]),
    "wait": lambda most, data: most * max(ratio for _first, _last, ratio in data["bands"]),
    "per_admission": lambda most, data: most * max(data["ratios"]),
}


# --- made useless by another ----------------------------------------------------------------------------------------


def _useless(item: Item, max_shares: int, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """A limit of a narrow scope that is higher than one of a wider scope in the same item never holds."""
    for (j, narrow), (_k, wide) in permutations(_ceilings(item), 2):
        if SCOPES.index(narrow["scope"]) >= SCOPES.index(wide["scope"]) or (narrow["scope"], wide["scope"]) == ("disease", "year"):
            continue  # one disease may go on for years
        shares = max_shares if wide["per_share"] and not narrow["per_share"] else 1
        if narrow["amount"] > wide["amount"] * shares:
            a, b = SCOPE_NAMES[narrow["scope"]], SCOPE_NAMES[wide["scope"]]
            zh = f"{a.zh}封顶 {narrow['amount']} 元高于{b.zh}封顶 {wide['amount'] * shares} 元，永远用不上"
            en = f"{narrow['amount']} {a.en} is above {wide['amount'] * shares} {b.en}: it never holds"
            yield fault(zh, en, (*path, j, "ceiling", "amount"))


def _counters_told_twice(schedule: Schedule) -> Iterator[Fault]:
    """Days and deductibles counted over the period under one name have one amount: whichever claim came first would
    otherwise decide how much is left."""
    stands: dict[tuple[str, str], Decimal | int] = {}
    for i, item in enumerate(schedule.items):
        for j, step in enumerate(item.steps):
            data, path = step.data, ("items", i, "steps", j, step.name)
            if step.name == "deduct" and data["per"] == "period":
                amount, field, words = data["amount"], "amount", Words("起付线", "deductible")
            elif step.name == "per_day" and data["max_days_in_period"]:
                amount, field, words = data["max_days_in_period"], "max_days_in_period", Words("天数额度", "days")
            else:
                continue
            first = stands.setdefault((step.name, data["key"]), amount)
            if first != amount:
                zh = f"{words.zh} {data['key']} 写了两个不同的数：{first} 和 {amount}；不是同一笔的请用 key 另起名字"
                en = f"the {words.en} {data['key']} stands here as {first} and as {amount}; give another one its own key"
                yield fault(zh, en, (*path, field))
