"""The steps an amount is made of. Each takes the running amounts (one per stay, or one for the case) and the facts,
and gives the new amounts with a line for the trail. Decimal inside; rounding is done once, by `assess`.

Brackets are marginal, tiers flat: `over` exclusive, `up_to` inclusive. Day 1 is the first day of cover. What a step
needs and nobody has told stops the item with its reason (`Stop`): an amount is never guessed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.bands import band_starts
from programs.rules.bases import Base
from programs.rules.facts import STAY_EVENTS, ZERO, CaseFacts, CoverFacts, Disease, PriorUse, Stay
from programs.rules.reasons import Reason, missing
from programs.rules.schedule import LASTING, Item, Schedule, Step
from programs.rules.stays import stay_by_stay
from unionaid.lib.calendar import days_between, months_between, plus_days, plus_months, stay_days

Bands = tuple[tuple[Decimal, Decimal | None, Decimal], ...]


class Stop(Exception):
    """This item pays nothing; the reason says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail: the step, the figures that went in, what it gave, and its own clause when it has one."""

    step: str
    inputs: Mapping[str, Any]
    result: Decimal
    clause: str = ""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """What is counted under one key over claims: a ceiling (yuan), a deductible, days, or a sum without an end (None)."""

    key: str
    scope: str
    ceiling: Decimal | None
    used_before: Decimal
    taken: Decimal

    @property
    def left(self) -> Decimal | None:
        """Never below zero: later terms may set a limit below what was used before."""
        return None if self.ceiling is None else max(ZERO, self.ceiling - self.used_before - self.taken)


EACH = "*"  # stands for whichever disease, or year of cover, in the key of a limit that each has for itself


def year_of(start: date, day: date) -> str:
    """The year of cover that a day lies in.

    >>> year_of(date(2026, 3, 1), date(2027, 2, 28)), year_of(date(2026, 3, 1), date(2027, 3, 1))
    ('1', '2')
    """
    return str(months_between(start, day) // 12 + 1)


class Running:
    """The state of one item's calculation. `taken`: under each key by the items before; `paid`: what those items gave."""

    __slots__ = ("amounts", "case", "clause", "cover", "item", "lines", "paid", "prior", "schedule", "taken", "usage")

    def __init__(
        self,
        schedule: Schedule,
        item: Item,
        cover: CoverFacts,
        case: CaseFacts,
        prior: PriorUse,
        taken: Mapping[str, Decimal],
        paid: Mapping[str, Decimal],
    ) -> None:
        self.schedule, self.item, self.cover, self.case, self.prior = schedule, item, cover, case, prior
        self.taken, self.paid, self.clause = taken, paid, ""
        self.amounts: list[Decimal] = []
        self.lines: list[Line] = []
        self.usage: list[LimitUse] = []

    @property
    def total(self) -> Decimal:
        return self.amounts[0] if len(self.amounts) == 1 else sum(self.amounts, ZERO)

    @property
    def year(self) -> str:
        """Which year of cover it happened in, from 1: each begins on the day of the year on which cover began."""
        return year_of(self.cover.period.start, self.case.event_on)

    def note(self, step: str, **inputs: Any) -> None:
        self.lines.append(Line(step, inputs, self.total, self.clause))

    def used(self, key: str) -> Decimal:
        """What stands under a key before this step: earlier claims, the items of this claim that came before, and the
        earlier steps of this item."""
        here = sum((use.taken for use in self.usage if use.key == key), ZERO)
        return self.prior.used.get(key, ZERO) + self.taken.get(key, ZERO) + here


Apply = Callable[[Running, Mapping[str, Any]], None]


def _stays_told(run: Running) -> None:
    """A claim for a stay without a stay is a claim with something missing; a diagnosis may well come without one: no days."""
    if not run.case.stays and run.case.event in STAY_EVENTS:
        raise Stop(missing("stays"))


def _for_grade(figure: Any, stay: Stay) -> Decimal:
    """A figure that goes by the grade of the hospital, for this stay; any other as it is. The grades that the item's conditions let
    through all have one (`parse`)."""
    if isinstance(figure, Decimal):
        return figure
    if stay.hospital_grade is None:
        raise Stop(missing("hospital_grade"))
    found: Decimal = figure[stay.hospital_grade]
    return found


def _in_hospital(run: Running) -> tuple[Stay, ...]:
    """The stays of the case, for what goes by the hospital; a diagnosis without one pays nothing here."""
    _stays_told(run)
    if not run.case.stays:
        raise Stop(Reason("no_admission"))
    return run.case.stays


def take(run: Running, data: Mapping[str, Any]) -> None:
    """Begin with a base of every stay's settlement. Without any there is no answer, whatever the event: no bill is not a bill of 0."""
    if not run.case.stays:
        raise Stop(missing("stays"))
    base = data["base"]
    _figures_told(run, base)
    run.amounts = [base.of(stay.settlement) for stay in run.case.stays]
    run.note("take", **base.told, stays=len(run.amounts), cap=base.cap)


def _untold(run: Running, base: Base) -> str | None:
    return next((name for stay in run.case.stays if stay.untold and (name := base.untold(stay.untold))), None)


def _figures_told(run: Running, base: Base) -> None:
    """A figure that nobody has told is not 0."""
    if (name := _untold(run, base)) is not None:
        raise Stop(missing(name))


def deduct(run: Running, data: Mapping[str, Any]) -> None:
    """Take a deductible off each admission, off the case, or off the period (what earlier claims used up is gone)."""
    amount, per = data["amount"], data["per"]
    if isinstance(amount, dict):
        off = [_for_grade(amount, stay) for stay in _in_hospital(run)]
        run.amounts = [max(ZERO, one - less) for one, less in zip(run.amounts, off, strict=True)]
        run.note("deduct", amounts=",".join(f"{one:f}" for one in off), per=per)
        return
    if per == "admission":
        run.amounts = [max(ZERO, one - amount) for one in run.amounts]
        run.note("deduct", amount=amount, per=per)
        return
    if per == "period":
        key = f"deductible:{data['key']}"
        used = run.used(key)
        amount = max(ZERO, data["amount"] - used)
        run.usage.append(LimitUse(key, "deductible", data["amount"], used, min(amount, run.total)))
    run.amounts = [max(ZERO, run.total - amount)]
    run.note("deduct", amount=amount, per=per, whole=data["amount"])


def offset(run: Running, data: Mapping[str, Any]) -> None:
    """Less what other funds paid: fields of the settlement, and aid from elsewhere that was told. `own`: those of the fields that
    the person bore, which the line names."""
    if untold := next((name for stay in run.case.stays for name in data["fields"] if name in stay.untold), None):
        raise Stop(missing(untold))
    paid = sum((getattr(stay.settlement, name) for stay in run.case.stays for name in data["fields"]), ZERO)
    if data["other_aid"]:
        if run.case.other_aid is None:
            raise Stop(missing("other_aid"))
        paid += run.case.other_aid
    run.amounts = [max(ZERO, run.total - paid)]
    run.note("offset", paid=paid, **({"fields": ",".join(data["own"])} if data["own"] else {}))


def less_items(run: Running, data: Mapping[str, Any]) -> None:
    """The second pass (二次补助): what is left after the ordinary items of this claim were paid."""
    paid = sum((run.paid.get(code, ZERO) for code in data["items"]), ZERO)
    run.amounts = [max(ZERO, run.total - paid)]
    run.note("less_items", paid=paid)


def ratio(run: Running, data: Mapping[str, Any]) -> None:
    """A flat ratio of what is there; one that goes by the grade of the hospital stay by stay, or the best of them for a sum that is
    given once."""
    if isinstance(data["ratio"], dict):
        _ratio_by_grade(run, data["ratio"])
        return
    before = run.total
    run.amounts = [amount * data["ratio"] for amount in run.amounts]
    run.note("ratio", ratio=data["ratio"], of=before)


def _ratio_by_grade(run: Running, ratios: Mapping[int, Decimal]) -> None:
    found = [(stay.hospital_grade, _for_grade(ratios, stay)) for stay in _in_hospital(run)]
    if len(found) != len(run.amounts):
        found = [max(found, key=lambda one: one[1])]
    made = [amount * share for amount, (_grade, share) in zip(run.amounts, found, strict=True)]
    for amount, (grade, share) in zip(run.amounts, found, strict=True):
        run.lines.append(Line("graded", {"grade": grade, "of": amount, "ratio": share}, amount * share, run.clause))
    run.amounts = made
    run.note("ratio_by_grade")


def marginal(run: Running, data: Mapping[str, Any]) -> None:
    """Each band's part of the sum by that band's ratio: per case, per admission, or over the period (the bands go on
    where earlier claims stopped).

    >>> from decimal import Decimal as D
    >>> [str(marginal_sum(D(x), ((D(0), D(2000), D("0.8")), (D(2000), None, D("0.5"))))) for x in (2000, 2001)]
    ['1600.0', '1600.5']
    """
    bands, before = data["bands"], run.total
    if data["per"] == "admission":
        parts = run.amounts
        run.amounts = [marginal_sum(amount, bands) for amount in parts]
        for amount in parts:
            _note_bands(run, ZERO, amount, bands)
    else:
        start = ZERO
        if data["per"] == "period":
            key = f"base:{data['key']}"
            start = run.used(key)
            run.usage.append(LimitUse(key, "base", None, start, before))
        run.amounts = [marginal_sum(start + before, bands) - marginal_sum(start, bands)]
        _note_bands(run, start, before, bands)
    run.note("marginal", of=before)


def _note_bands(run: Running, start: Decimal, amount: Decimal, bands: Bands) -> None:
    for over, up_to, share in bands:
        if part := band_part(start + amount, over, up_to) - band_part(start, over, up_to):
            inputs = {"over": over, "up_to": up_to, "part": part, "ratio": share}
            run.lines.append(Line("band", inputs, part * share, run.clause))


def band_part(amount: Decimal, over: Decimal, up_to: Decimal | None) -> Decimal:
    """The part of the amount that lies in a band."""
    return max(ZERO, (amount if up_to is None else min(amount, up_to)) - over)


def marginal_sum(amount: Decimal, bands: Bands) -> Decimal:
    """The sum over the bands."""
    return sum((band_part(amount, over, up_to) * share for over, up_to, share in bands), ZERO)


def per_admission(run: Running, data: Mapping[str, Any]) -> None:
    """A ratio by the ordinal of the admission in the period of cover; the last ratio holds for all later ones."""
    ratios, made = data["ratios"], []
    for i, amount in enumerate(run.amounts):
        ordinal = run.prior.admissions + i + 1
        share = ratios[min(ordinal, len(ratios)) - 1]
        made.append(amount * share)
        run.lines.append(Line("admission", {"ordinal": ordinal, "of": amount, "ratio": share}, amount * share, run.clause))
    run.amounts = made
    run.note("per_admission")


def per_day(run: Running, data: Mapping[str, Any]) -> None:
    """A rate for every day of a stay beyond the deductible days, which count per admission, not pooled; at most so many
    days a stay, and so many in the period."""
    _stays_told(run)
    most, made, all_days = data["max_days_in_period"], list[Decimal](), 0
    key = f"days:{data['key']}"
    used = run.used(key)
    for stay in run.case.stays:
        rate, days = _for_grade(data["rate"], stay), stay.days
        if days is None:
            days = stay_days(stay.admitted_on, stay.discharged_on, run.schedule.day_count)
        counted = max(0, days - data["deductible_days"])
        if data["max_days"]:
            counted = min(counted, data["max_days"])
        if most:
            counted = min(counted, max(0, most - int(used) - all_days))
        all_days += counted
        made.append(rate * counted)
        inputs = {"days": days, "deductible": data["deductible_days"], "counted": counted, "rate": rate}
        run.lines.append(Line("stay_days", inputs, rate * counted, run.clause))
    if most:
        run.usage.append(LimitUse(key, "days", Decimal(most), used, Decimal(all_days)))
    run.amounts = made
    run.note("per_day", **({} if isinstance(data["rate"], dict) else {"rate": data["rate"]}))


def fixed(run: Running, data: Mapping[str, Any]) -> None:
    """A lump sum."""
    run.amounts = [data["amount"]]
    run.note("fixed", amount=data["amount"])


def declared(run: Running, data: Mapping[str, Any]) -> None:
    """Begin with a figure that the applicant declared. Nothing declared at all is something missing; a figure left out beside
    others is one that was not applied for."""
    figure, name = data["figure"], data["name"]
    if not run.case.declared:
        raise Stop(missing("declared"))
    if figure not in run.case.declared:
        raise Stop(Reason("not_declared", {"name": name.zh, "name_en": name.en}))
    run.amounts = [run.case.declared[figure]]
    run.note("declared", name=name.zh, name_en=name.en, in_yuan=data["in_yuan"])


def for_each(run: Running, data: Mapping[str, Any]) -> None:
    """A sum for each so many of what is there: for each whole one, or also for one that is only begun (`started`).

    >>> from decimal import Decimal as D
    >>> [parts_of(D(x), D(10000), started=s) for x, s in ((40000, False), (45000, False), (45000, True))]
    [Decimal('4'), Decimal('4'), Decimal('5')]
    """
    before = run.total
    parts = parts_of(before, data["every"], started=data["started"])
    run.amounts = [parts * data["amount"]]
    run.note("for_each", of=before, every=data["every"], parts=parts, amount=data["amount"], counts=data["counts"])


def parts_of(amount: Decimal, every: Decimal, *, started: bool) -> Decimal:
    """How many times `every` goes into the amount: whole times, or those begun as well."""
    whole = amount // every
    return whole + 1 if started and whole * every < amount else whole


def _looked_up(run: Running, data: Mapping[str, Any], table: Mapping[str, Decimal]) -> tuple[Decimal, dict[str, Any]]:
    value = _looked_for(run, data["by"], table)
    if value in ("", None):
        raise Stop(missing(data["by"]))
    if str(value) not in table:
        raise Stop(Reason("class_not_listed", {"by": data["by"], "value": value}))
    label = data["labels"].get(str(value))
    words = {"label": label.zh if label else value, "label_en": label.en if label else value}
    return table[str(value)], {"by": data["by"], "value": value, **words}


def _looked_for(run: Running, by: str, table: Mapping[str, Decimal]) -> str | int | None:
    """By what a table is looked up. Of hospitals of several grades the one that gives most, unless a grade is not known."""
    if by != "hospital_grade":
        return run.case.diagnosis_class if by == "diagnosis_class" else run.case.disability_grade
    grades = [stay.hospital_grade for stay in _in_hospital(run)]
    return None if None in grades else max(grades, key=lambda grade: table.get(str(grade), ZERO))


def table(run: Running, data: Mapping[str, Any]) -> None:
    """A sum looked up by the class of disease, the grade of disability, or that of the hospital."""
    amount, inputs = _looked_up(run, data, data["amounts"])
    run.amounts = [amount]
    run.note("table", **inputs)


def scale(run: Running, data: Mapping[str, Any]) -> None:
    """A share of a sum, looked up by the grade of disability (or the class): grade 1 is commonly the whole sum."""
    share, inputs = _looked_up(run, data, data["ratios"])
    run.amounts = [data["sum"] * share]
    run.note("scale", **inputs, sum=data["sum"], ratio=share)


def tiers(run: Running, data: Mapping[str, Any]) -> None:
    """A flat sum by the band in which the (net) amount lies; nothing below and beyond the table."""
    before, found = run.total, ZERO
    for over, up_to, amount in data["bands"]:
        if before > over and (up_to is None or before <= up_to):
            found = amount
    run.amounts = [found]
    run.note("tiers", of=before, **({"counts": True} if data["counts"] else {}))


def shares(run: Running, data: Mapping[str, Any]) -> None:
    """Times the shares; shares above the greatest number, of the item or of the plan, do not count."""
    counted = min(run.cover.shares, data["max"], run.schedule.enrolling.max_shares)
    run.amounts = [amount * counted for amount in run.amounts]
    run.note("shares", shares=run.cover.shares, counted=counted)


def wait(run: Running, data: Mapping[str, Any]) -> None:
    """A sum (or a ratio of what is there) by the day or month of cover on which it happened; continuous renewal, and accidents unless
    the plan lets them wait, give the last band. Each of several stays is judged by its own day: a ratio stay by stay; a sum for the
    claim as a whole is the one that the best of them gives. While the bands give nothing yet, nothing is given on top either."""
    parts = stay_by_stay(run.case)
    by_ratio = data["what"] == "ratio"
    if by_ratio and len(parts) == len(run.amounts) > 1:
        run.amounts = [_waited_stay(run, data, part, amount) for part, amount in zip(parts, run.amounts, strict=True)]
        run.note("wait_by_stay")
    else:
        found, told = max((_band_of_day(run, data, part) for part in parts), key=lambda one: one[0])
        run.amounts = [amount * found for amount in run.amounts] if by_ratio else [found]
        run.note("wait", **told, ratio=found if by_ratio else None)
    if not any(run.amounts):
        _stop_if_waiting(run, data, parts)


def _stop_if_waiting(run: Running, data: Mapping[str, Any], parts: Sequence[CaseFacts]) -> None:
    """Every part lies in a band that gives nothing (免责期), and a later one would give something."""
    if any(_band_of_day(run, data, part)[0] for part in parts):
        return
    on, start = max(part.event_on for part in parts), run.cover.period.start
    later = plus_months if data["unit"] == "month" else plus_days
    begins = (later(start, first - 1) for first, _last, value in data["bands"] if value)
    if (ends := next((day for day in begins if day > on), None)) is not None:
        raise Stop(Reason("waiting", {"on": on, "ends": ends}))


def _waited_stay(run: Running, data: Mapping[str, Any], part: CaseFacts, amount: Decimal) -> Decimal:
    found, told = _band_of_day(run, data, part)
    run.lines.append(Line("stay_wait", {**told, "of": amount, "ratio": found}, amount * found, run.clause))
    return amount * found


def _band_of_day(run: Running, data: Mapping[str, Any], case: CaseFacts) -> tuple[Decimal, dict[str, Any]]:
    """What the bands say of this day (or month) of cover, and what is told of it."""
    start, by_month = run.cover.period.start, data["unit"] == "month"
    day = months_between(start, case.event_on) + 1 if by_month else days_between(start, case.event_on) + 1
    found: Decimal = data["bands"][-1][2]
    waiting = run.item.waiting or run.schedule.waiting
    waived, accident = waiting.waived(run.cover.days_since_cover), case.by_accident and not waiting.accidents
    if not (waived or accident):
        for (_first, _last, value), first_day in zip(data["bands"], band_starts(data, start), strict=True):
            found = value if first_day <= case.event_on else found
    return found, {data["unit"]: day, "waived": waived, **({"accident": True} if accident else {})}


def _base_of_all(run: Running, data: Mapping[str, Any]) -> Decimal:
    """The step's base of all stays together; the cap of basic insurance holds for each of them."""
    return sum((data["base"].of(stay.settlement) for stay in run.case.stays), ZERO)


def add_if_over(run: Running, data: Mapping[str, Any]) -> None:
    """A further sum when a base lies strictly above a mark. A lump sum is not held back until there is a bill: without one
    (or the figure of it) nothing is added, and the line says so."""
    no_bill = not run.case.stays or _untold(run, data["base"]) is not None
    base = ZERO if no_bill else _base_of_all(run, data)
    more = data["amount"] if base > data["over"] else ZERO
    run.amounts = [run.total + more]
    told = {"no_bill": True} if no_bill else {}
    named = {"name" if key == "base" else key: text for key, text in data["base"].told.items()}
    run.note("add_if_over", base=base, over=data["over"], amount=more, **named, **told)


def less_paid(run: Running, data: Mapping[str, Any]) -> None:
    """Less what this item already paid for the same disease: a re-classification pays the difference only."""
    paid = run.prior.paid_items.get(run.item.code, ZERO)
    run.amounts = [max(ZERO, run.total - paid)]
    run.note("less_paid", paid=paid)


def up_to_cost(run: Running, data: Mapping[str, Any]) -> None:
    """Not more than a base of cost: aid makes good what was spent, no more. Without any cost told there is no answer."""
    if not run.case.stays:
        raise Stop(missing("stays"))
    _figures_told(run, data["base"])
    cost = _base_of_all(run, data)
    run.amounts = [min(run.total, cost)]
    run.note("up_to_cost", **data["base"].told, cost=cost)


def ceiling(run: Running, data: Mapping[str, Any]) -> None:
    """Not more than a ceiling of each admission, or than what is left under one of the case, the year of cover, the period, the
    lifetime, or one disease in the period. Shares above the plan's greatest number raise no ceiling."""
    counted = min(run.cover.shares, run.schedule.enrolling.max_shares)
    limit, scope, used = ceiling_amount(data, counted), data["scope"], ZERO
    if scope == "admission":
        run.amounts = [min(one, limit) for one in run.amounts]
        run.note("ceiling", scope=scope, ceiling=limit, used=used, left=limit * len(run.amounts))
        return
    if scope in LASTING:
        if scope == "disease" and not run.case.disease:
            raise Stop(missing("diagnosis_code"))
        key = limit_key(data, run.case.disease, run.year if scope == "year" else EACH)
        beside = same_disease(data, run.case.told_disease) if scope == "disease" else ALONE
        used = sum(map(run.used, beside.read), run.used(key))
        if all(use.key != key for use in run.usage):  # a ceiling that stands twice in one item counts its amount once
            run.usage.append(LimitUse(key, scope, limit, used, ZERO))
            run.usage += [LimitUse(one, "class", None, run.used(one), ZERO) for one in beside.written]
    left = max(ZERO, limit - used)
    run.amounts = [min(run.total, left)]
    run.note("ceiling", scope=scope, ceiling=limit, used=used, left=left)


def ceiling_amount(data: Mapping[str, Any], shares: int) -> Decimal:
    """A ceiling in yuan for so many shares."""
    amount: Decimal = data["amount"]
    return amount * shares if data["per_share"] else amount


def limit_key(data: Mapping[str, Any], disease: str, year: str = EACH) -> str:
    """Under which name a ceiling is counted: disease ceilings once for each disease, those of a year of cover once for each year.

    >>> limit_key({"scope": "year", "key": "plan"}, "C50", "2"), limit_key({"scope": "period", "key": "plan"}, "C50")
    ('year:plan:2', 'period:plan')
    """
    scope = data["scope"]
    each = f":{disease}" if scope == "disease" else f":{year}" if scope == "year" else ""
    return f"{scope}:{data['key']}{each}"


@dataclass(frozen=True, slots=True)
class SameDisease:
    """Under which other keys a ceiling of one disease looks (`read`), and counts as well (`written`)."""

    read: tuple[str, ...]
    written: tuple[str, ...]


ALONE = SameDisease((), ())


def same_disease(data: Mapping[str, Any], told: Disease) -> SameDisease:
    """A disease told by its class alone and one told by class and code may be the same (`Disease.is_same`): each looks at what the
    other took. Claims with a code count under the code, and once more under their class, so that one without a code finds them.

    >>> limit = {"scope": "disease", "key": "plan"}
    >>> same_disease(limit, Disease.of("C50.9", "cancer"))
    SameDisease(read=('disease:plan:cancer',), written=('class:plan:cancer',))
    >>> same_disease(limit, Disease.of("", "cancer"))
    SameDisease(read=('class:plan:cancer',), written=())
    """
    if not told.own_class:
        return ALONE
    by_class = f"class:{data['key']}:{told.own_class}"
    if told.category:
        return SameDisease((limit_key(data, told.own_class),), (by_class,))
    return SameDisease((by_class,), ())


def counted_under(step: Step, shares: int, disease: str, year: str = EACH) -> tuple[str, Decimal | None] | None:
    """The key and the limit (None: no end) that a step counts under over several claims; None when it counts nothing."""
    data = step.data
    if step.name == "ceiling" and data["scope"] in LASTING and (disease or data["scope"] != "disease"):
        return limit_key(data, disease, year), ceiling_amount(data, shares)
    if step.name == "deduct" and data["per"] == "period":
        return f"deductible:{data['key']}", data["amount"]
    if step.name == "marginal" and data["per"] == "period":
        return f"base:{data['key']}", None
    if step.name == "per_day" and data["max_days_in_period"]:
        return f"days:{data['key']}", Decimal(data["max_days_in_period"])
    return None


STEPS: dict[str, Apply] = {
    "take": take,
    "deduct": deduct,
    "offset": offset,
    "less_items": less_items,
    "ratio": ratio,
    "marginal": marginal,
    "per_admission": per_admission,
    "per_day": per_day,
    "fixed": fixed,
    "declared": declared,
    "for_each": for_each,
    "table": table,
    "scale": scale,
    "tiers": tiers,
    "shares": shares,
    "wait": wait,
    "add_if_over": add_if_over,
    "less_paid": less_paid,
    "up_to_cost": up_to_cost,
    "ceiling": ceiling,
}
