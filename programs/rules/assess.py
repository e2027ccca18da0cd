"""What a case is paid: every item that answers to the event, its gates, its steps, one rounding, and the trail.

Rounding: Decimal throughout, half-up to 0.01 yuan once per benefit item per claim. The sources state no rule;
the one published amount with a fraction (1733.84 × 0.70 → 1213.69) fits half-up and no other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

from programs.rules.apart import Rivals, before_alone, keys_apart, left_of, rivals_of, so_far, use_of
from programs.rules.facts import ZERO, CaseFacts, CoverFacts, Disease, PersonFacts, PriorUse, Stay
from programs.rules.gates import Question, refusal
from programs.rules.reasons import MISSING, Reason, missing
from programs.rules.schedule import LASTING, Item, Schedule
from programs.rules.stays import stay_by_stay, together
from programs.rules.steps import STEPS, LimitUse, Line, Running, Stop, counted_under, same_disease
from programs.rules.words import Words
from unionaid.lib.money import round_half_up

NO_PRIOR = PriorUse()
NO_DISEASE = Disease()
NOTHING = Decimal("0.00")
CEILINGS = LASTING
# Twelve digits of a bill and six of every ratio: room for six ratios in a row, whatever the caller's own context is.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item's answer: the amount (yuan, two decimals), how it came about, or why it is nothing, and by which clause."""

    code: str
    name: Words
    clause: str
    fund: str
    amount: Decimal
    trail: tuple[Line, ...] = ()
    refused: Reason | None = None
    refused_by: str = ""
    usage: tuple[LimitUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """All items' answers and their sum."""

    items: tuple[ItemResult, ...]
    total: Decimal

    @property
    def usage(self) -> tuple[LimitUse, ...]:
        """What is taken under each limit, summed over the items."""
        found: dict[str, LimitUse] = {}
        for use in (use for item in self.items for use in item.usage):
            first = found.get(use.key)
            found[use.key] = replace(first, taken=first.taken + use.taken) if first else use
        return tuple(found.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """The facts without which some item can neither be paid nor refused. While any is missing nothing is decided."""
        reasons = (item.refused for item in self.items if item.refused and item.refused.code == MISSING)
        return tuple(dict.fromkeys(str(reason.inputs["fact"]) for reason in reasons))

    @property
    def left_out(self) -> int:
        """How many stays counted for none of the items that give something: they are no admissions of the period."""
        return min((sum(line.step == "stay_out" for line in item.trail) for item in self.items if item.amount), default=0)

    def as_data(self) -> dict[str, Any]:
        """As JSON, figures as texts."""
        return {
            "total": str(self.total),
            "items": [_item_data(item) for item in self.items],
            "usage": [
                {
                    "key": use.key,
                    "scope": use.scope,
                    "ceiling": _text(use.ceiling),
                    "used_before": _text(use.used_before),
                    "taken": _text(use.taken),
                    "left": _text(use.left),
                }
                for use in self.usage
            ],
        }


def left_out_of(assessment: Mapping[str, Any]) -> int:
    """`Assessment.left_out` of a stored assessment."""
    paid = [item for item in assessment["items"] if Decimal(item["amount"])]
    return min((sum(line["step"] == "stay_out" for line in item["trail"]) for item in paid), default=0)


def _item_data(item: ItemResult) -> dict[str, Any]:
    reason = item.refused
    return {
        "code": item.code,
        "name": {"zh": item.name.zh, "en": item.name.en},
        "clause": item.clause,
        "fund": item.fund,
        "amount": str(item.amount),
        "trail": [
            {"step": line.step, "inputs": _texts(line.inputs), "result": _text(line.result), "clause": line.clause or item.clause}
            for line in item.trail
        ],
        "refused": {"code": reason.code, "inputs": _texts(reason.inputs), "clause": item.refused_by} if reason else None,
    }


def _texts(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {key: _text(value) for key, value in inputs.items()}


def _text(value: Any) -> str:
    """A figure in one form however it was written (0 and 0.00 are kept as 0): what is computed again must read the same."""
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "" if value is None else str(value)


def assess(schedule: Schedule, *, person: PersonFacts, cover: CoverFacts, case: CaseFacts, prior: PriorUse = NO_PRIOR) -> Assessment:
    """What this case is paid under these terms: never negative, never above a limit, the same in any order of items.

    Items are assessed in the order of their codes (a second pass after the items it looks at), so that a limit they
    share is spent the same way however the plan lists them. Of items that exclude each other only the one that would give
    most by itself is paid, and the others take nothing from a shared limit.
    """
    items = in_order([item for item in schedule.items if case.event in item.events])
    parts = stay_by_stay(case)
    settled: dict[str, ItemResult] = {}
    with localcontext(EXACT):

        def run(some: list[Item]) -> list[ItemResult]:
            return _run(schedule, some, person, cover, parts, prior, settled)

        by_itself, idle = _each_alone(schedule, items, run), dict[str, ItemResult]()
        while True:
            settled = idle | _excluded(schedule, [one for one in by_itself if one.code not in idle])
            results = run(items)
            found = {one.code: one for one in results if not one.amount and any(one.code == won.code for won in by_itself)}
            if not found.keys() - settled.keys():
                return Assessment(tuple(results), sum((item.amount for item in results), NOTHING))
            idle |= {code: one for code, one in found.items() if code not in settled}  # a limit was used up: it excludes nothing


def _each_alone(schedule: Schedule, items: list[Item], run: Callable[[list[Item]], list[ItemResult]]) -> list[ItemResult]:
    """The items that exclude another, each as it would be by itself, with nothing before it but the items it looks at; without those
    that are refused. (One that gives nothing alone may give something after another that used up a deductible.)"""
    here = {item.code for item in items}
    rivals = {code for group in schedule.exclusive if len(here & {*group}) > 1 for code in group}
    alone = (run(_with_what_it_needs(item, items))[-1] for item in items if item.code in rivals)
    return [one for one in alone if not one.refused]


def _with_what_it_needs(item: Item, items: list[Item]) -> list[Item]:
    """The item as the last one, after those that it looks at, and those that they look at. `items` in order."""
    needed, found = set(item.after), [item]
    for one in reversed(items):
        if one.code in needed and one.code != item.code:
            needed |= one.after
            found.insert(0, one)
    return found


def in_order(items: list[Item]) -> list[Item]:
    """By code, each after the items it looks at. The plan was checked for circles when it was read.

    Items that are not in the list (they do not answer to this event) hold nobody up.
    """
    ready, waiting = [], sorted(items, key=lambda item: item.code)
    if not any(item.after for item in waiting):
        return waiting
    open_codes = {item.code for item in waiting}
    while waiting:
        item = next(item for item in waiting if not item.after & open_codes)
        waiting.remove(item)
        open_codes.remove(item.code)
        ready.append(item)
    return ready


def _run(
    schedule: Schedule,
    items: list[Item],
    person: PersonFacts,
    cover: CoverFacts,
    parts: tuple[CaseFacts, ...],
    prior: PriorUse,
    losers: Mapping[str, ItemResult],
) -> list[ItemResult]:
    taken: dict[str, Decimal] = {}
    paid: dict[str, Decimal] = {}
    stays: list[Stay] = []
    results, whole = [], together(parts)
    for item in items:
        asked = [Question(schedule, item, person, cover, part, prior) for part in parts]
        result = losers.get(item.code) or _assess_item(asked, whole, taken, paid, stays)
        for use in result.usage:
            taken[use.key] = taken.get(use.key, ZERO) + use.taken
        paid[item.code] = result.amount
        results.append(result)
    return results


def _assess_item(
    asked: list[Question], whole: CaseFacts, taken: Mapping[str, Decimal], paid: Mapping[str, Decimal], stays: list[Stay]
) -> ItemResult:
    """One item's answer to a case, asked in its parts: stays that fail a condition are left out, each with a line of its own. `whole`:
    all parts together. `stays`: those that counted for any item for cost so far."""
    question = asked[0]
    item, out = question.item, list[Line]()
    counting = _what_counts(asked, whole, out)
    if isinstance(counting, tuple):
        return ItemResult(item.code, item.name, item.clause, item.fund, NOTHING, tuple(out), *counting)
    groups, prior = rivals_of(question.schedule, item), question.prior
    run = Running(question.schedule, item, question.cover, counting, prior, taken, paid)
    if groups:
        run.prior = before_alone(item, groups, prior, disease=counting.disease, year=run.year)
    run.lines += out
    try:
        for step in item.steps:
            run.clause = step.clause
            STEPS[step.name](run, step.data)
        _within_limits(run)
        if question.schedule.indemnity and item.steps[0].name == "take":
            _up_to_cost_left(run, stays)
    except Stop as stop:
        return ItemResult(item.code, item.name, item.clause, item.fund, NOTHING, tuple(run.lines), stop.reason, run.clause or item.clause)
    amount = round_half_up(run.total)
    if groups:
        amount = _less_what_excludes(run, groups, prior, amount)
    usage = tuple(_counted(use, amount) for use in run.usage)
    return ItemResult(item.code, item.name, item.clause, item.fund, amount, tuple(run.lines), None, "", usage)


def _what_counts(asked: list[Question], whole: CaseFacts, out: list[Line]) -> CaseFacts | tuple[Reason, str]:
    """The case with the stays that meet the conditions, or the first reason when none does; `out` gets a line for each stay left
    out of several. A fact that is missing for one stay leaves the whole open."""
    counting, refused = [], []
    for one in asked:
        if against := refusal(one):
            refused.append((one, against))
        else:
            counting.append(one.case)
    if not refused:
        return whole
    for _one, (reason, clause) in refused:
        if reason.code == MISSING:
            return reason, clause
    if len(asked) > 1:
        out += [_stay_out(one.case.stays[0], *against) for one, against in refused]
    if not counting:
        return refused[0][1]
    return together(counting)


def _less_what_excludes(run: Running, groups: tuple[Rivals, ...], prior: PriorUse, gross: Decimal) -> Decimal:
    """What is left of an item's sum beside what was given before under items that exclude it (`apart`)."""
    amount = left_of(gross, groups, prior)
    run.usage = [replace(use, used_before=prior.used.get(use.key, ZERO)) if use.scope in CEILINGS else use for use in run.usage]
    run.usage += use_of(run.item, prior, gross=gross, amount=amount)
    if amount < gross:
        group = min(groups, key=lambda one: left_of(gross, (one,), prior))
        run.amounts, run.clause = [amount], run.item.clause
        run.note("set_off", names=group.names.zh, names_en=group.names.en, given=so_far(group, prior), amount=gross - amount)
    return amount


def _stay_out(stay: Stay, reason: Reason, clause: str) -> Line:
    told = {"admitted_on": stay.admitted_on, "discharged_on": stay.discharged_on, "reason": reason.code}
    return Line("stay_out", {**told, **reason.inputs}, ZERO, clause)


def _counted(use: LimitUse, amount: Decimal) -> LimitUse:
    """What is kept under a limit, in whole fen or days: a ceiling counts what the item gives, all else what went in."""
    if use.scope == "days":
        return use
    taken = amount if use.scope in (*CEILINGS, "class") else round_half_up(use.taken)
    return LimitUse(use.key, use.scope, use.ceiling, use.used_before, taken)


def _within_limits(run: Running) -> None:
    """A ceiling holds for what the item gives in the end, wherever it stands among the steps."""
    for line in [line for line in run.lines if line.step == "ceiling"]:
        before = run.total
        if line.inputs["scope"] == "admission" and len(run.amounts) > 1:
            run.amounts = [min(one, line.inputs["ceiling"]) for one in run.amounts]
        elif before > line.inputs["left"]:
            run.amounts = [line.inputs["left"]]
        if run.total != before:
            run.lines.append(replace(line, result=run.total))


def _up_to_cost_left(run: Running, stays: list[Stay]) -> None:
    """An indemnity plan makes good what was spent: its items for cost together never give more than the personal cost."""
    run.clause = ""
    stays += [stay for stay in run.case.stays if all(stay is not one for one in stays)]
    cost, own = (sum((stay.settlement.personal_cost for stay in some), ZERO) for some in (stays, run.case.stays))
    by_cost = {item.code for item in run.schedule.items if item.steps[0].name == "take"}
    before = sum((amount for code, amount in run.paid.items() if code in by_cost), ZERO)
    most = min(own, max(ZERO, cost - before))
    if run.total > most and any("psn_part_amt" in stay.untold for stay in stays):  # known is only that it is no less than the self-pay
        raise Stop(missing("psn_part_amt"))
    run.amounts = [min(run.total, most)]
    run.note("indemnity", cost=cost, paid=before)


def _excluded(schedule: Schedule, alone: list[ItemResult]) -> dict[str, ItemResult]:
    """The items that lose, each against a greater one which excludes it, by what each would give alone. What lost excludes nothing
    any more."""
    standing = {result.code: result for result in alone}
    lost: dict[str, ItemResult] = {}
    for best in sorted(standing.values(), key=lambda result: (result.amount, result.code), reverse=True):
        if best.code in lost:
            continue
        reason = Reason("excluded", {"by": best.name.zh, "by_en": best.name.en})
        for code in {code for group in schedule.exclusive if best.code in group for code in group} & standing.keys() - {best.code}:
            lost.setdefault(code, replace(standing[code], amount=NOTHING, refused=reason, refused_by=standing[code].clause, usage=()))
    return lost


def limits_of(schedule: Schedule, *, shares: int, disease: Disease = NO_DISEASE, years: int = 1) -> Mapping[str, Decimal | None]:
    """Every limit that counts over claims, by key (None: a sum without an end): the rows locked before a claim is decided. `years`: how
    many years the cover lasts, each of which has a limit of its own where the plan says so."""
    found: dict[str, Decimal | None] = dict.fromkeys(keys_apart(schedule))
    counting = min(shares, schedule.enrolling.max_shares)
    for step in (step for item in schedule.items for step in item.steps):
        each_year = [counted_under(step, counting, disease.key, str(year)) for year in range(1, years + 1)]
        found |= dict(filter(None, each_year))
        if step.data.get("scope") == "disease" and (counted := each_year[0]):
            beside = same_disease(step.data, disease)
            found |= {key: None if key.startswith("class:") else counted[1] for key in (*beside.read, *beside.written)}
    return found
