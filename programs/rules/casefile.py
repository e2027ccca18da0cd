"""A case as people write it down (a worked example, a CASE.json, the preview page): its fields, checked, into facts.

What is left out takes the most ordinary value: a person of 40, one share, cover from the first day of the terms, an event
120 days later, nothing paid before. docs/plans.md lists every field.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.apart import keys_apart
from programs.rules.declared import figure_fault
from programs.rules.facts import (
    HARDSHIP,
    SETTLEMENT_FIELDS,
    ZERO,
    CaseFacts,
    CoverFacts,
    Disease,
    PersonFacts,
    PriorUse,
    Settlement,
    Stay,
    event_day,
)
from programs.rules.faults import Fault, Path, ScheduleError, fault
from programs.rules.schedule import Schedule
from programs.rules.stays import share_nights
from programs.rules.steps import EACH, counted_under, year_of
from unionaid.lib.calendar import FIRST, LAST, Period, add_years, plus_days, stay_days

EVENTS = ("admission", "outpatient", "diagnosis", "surgery", "accident_disability", "accident_death", "disease_death", HARDSHIP)
ORDINARY_AGE = 40
ORDINARY_WAIT = 120
ANY_DISEASE = "病种"  # stands for the disease in the name of a limit that is counted for each disease
EACH_YEAR = re.compile("[1-9][0-9]?")  # a year of cover in the name of a limit
CODE = re.compile("[A-Za-z][0-9]{2}")  # how a diagnosis code begins
AMOUNT_TEXT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything an assessment is made of."""

    person: PersonFacts
    cover: CoverFacts
    case: CaseFacts
    prior: PriorUse


def situation(schedule: Schedule, data: Any, path: Path = ("case",)) -> Situation:
    """The facts that a written case tells. ScheduleError names every field that is unknown, missing or malformed."""
    if not isinstance(data, Mapping):
        raise ScheduleError([fault("应为“字段: 内容”", "expected a mapping", path)])
    faults = [*field_faults(data, CASE, path), *_stay_faults(data, path)]
    if faults := faults or [fault for check in BY_PLAN for fault in check(schedule, data, path)]:
        raise ScheduleError(faults)
    cover = _cover(schedule, data, path)
    case = _case(schedule, data, cover, path)
    told = {**data, **data.get("person", {})}
    gender = told.get("gender", schedule.enrolling.gender)
    person = PersonFacts(
        birth_date=_day(told, "birth_date") or add_years(cover.period.start, -ORDINARY_AGE),
        gender="female" if gender == "any" else gender,
        relation=told.get("relation", schedule.enrolling.relations[0]),
        renewal=told.get("renewal", False),
        group=told.get("group"),
    )
    prior = PriorUse(
        used=_used(data.get("used", {}), year_of(cover.period.start, case.event_on)),
        paid_items=_sums(data.get("paid_items", {})),
        admissions=data.get("admissions_before", 0),
        diseases=frozenset(_disease(told) for told in data.get("diseases", ())),
    )
    return Situation(person, cover, case, prior)


def _used(told: Mapping[str, str], year: str) -> dict[str, Decimal]:
    """What stands under each limit; what is told of a year without its number belongs to the year in which it happened."""
    this_year = {key: f"{key}:{year}" for key in told if key.startswith("year:") and key.count(":") == 1}
    return {this_year.get(key, key): amount for key, amount in _sums(told).items()}


def _disease(told: str) -> Disease:
    """A disease that was paid for: by its code, or by the plan's class."""
    return Disease.of(told, "") if CODE.match(told) else Disease.of("", told)


def _cover(schedule: Schedule, data: Mapping[str, Any], path: Path) -> CoverFacts:
    last, months = _day(data, "cover_end"), data.get("term_months")
    if months is not None and months not in schedule.terms:
        raise ScheduleError([fault(*no_term_words(months), (*path, "term_months"))])
    joined_on, since = _day(data, "joined_on"), data.get("days_since_cover")
    start = _day(data, "cover_start") or schedule.period.start
    if joined_on and "cover_start" not in data and (joined := joined_with(schedule, joined_on, since, term_months=months)):
        start, since = joined
    cover = schedule.cover_from(start, term_months=months)
    end = plus_days(last, 1) if last else cover.end if cover else plus_days(start, 1)
    if end <= start:
        raise ScheduleError([fault("早于 cover_start", "lies before cover_start", (*path, "cover_end"))])
    return CoverFacts(Period(start, end), data.get("shares", 1), since)


def joined_with(
    schedule: Schedule, joined_on: date, since: int | None, *, term_months: int | None = None
) -> tuple[date, int | None] | None:
    """The first day of cover of whoever joins on this day and whose last cover ended so many days before the ordinary first day (None:
    never covered), and how many days lie between the two covers then: none, where the plan lets a renewal follow on. None when no day
    of cover is left."""
    ordinary = schedule.cover(on=joined_on, term_months=term_months)
    if ordinary is None:
        return None
    if since is None:
        return ordinary.start, None
    ended = plus_days(ordinary.start, -since)
    joined = schedule.joined(joined_on, term_months=term_months, previous_end=ended)
    return (joined.start, (joined.start - ended).days) if joined else None


def no_term_words(months: int) -> tuple[str, str]:
    """The plan offers no cover of this length; Chinese and English."""
    return f"没有 {months} 个月这种保障时间", f"no cover of {months} months is offered"


def _case(schedule: Schedule, data: Mapping[str, Any], cover: CoverFacts, path: Path) -> CaseFacts:
    ordinary = min(plus_days(cover.period.start, ORDINARY_WAIT), cover.period.last_day)
    event_on = day_told(data) or ordinary
    admitted_on = _day(data, "event_on") or event_on  # of a stay that names no day of its own
    return CaseFacts(
        event=data["event"],
        event_on=event_on,
        stays=tuple(sorted(_stays(schedule, data, admitted_on, path), key=lambda stay: stay.admitted_on)),  # ordinals count by the day
        diagnosis_code=data.get("diagnosis_code", ""),
        diagnosis_class=data.get("diagnosis_class", ""),
        disability_grade=data.get("disability_grade"),
        accident_on=_day(data, "accident_on"),
        death_on=_day(data, "death_on"),
        claimed_on=_day(data, "claimed_on"),
        event_kind=data.get("event_kind", "default"),
        other_aid=Decimal(data["other_aid"]) if "other_aid" in data else None,
        circumstances=frozenset(data.get("circumstances", ())),
        declared=_sums(data.get("declared", {})),
        by_unit=data.get("by_unit", False),
    )


def day_told(data: Mapping[str, Any]) -> date | None:
    """The day of what happened (`event_day`), as far as the case tells it; of a case that was not checked yet, days that are none
    count as not told."""
    stays = data.get("stays")
    inside = [one for one in stays if isinstance(one, Mapping)] if isinstance(stays, list) else []
    told, accident, death, *admitted = (
        _day(one, key) if _is_day(one.get(key)) else None
        for one, key in [
            (data, "event_on"), (data, "accident_on"), (data, "death_on"), (data, "admitted_on"), *((one, "admitted_on") for one in inside)
        ]
    )  # fmt: skip
    first = min((day for day in admitted if day), default=None)
    return event_day(str(data.get("event")), told_on=told, accident_on=accident, death_on=death, first_stay=first) or death


def _stays(schedule: Schedule, data: Mapping[str, Any], event_on: date, path: Path) -> Iterator[Stay]:
    for i, one in enumerate(data.get("stays", [])):
        yield _stay(schedule, one, event_on, (*path, "stays", i))
    if "stays" not in data and STAY.keys() & data.keys():
        yield _stay(schedule, data, event_on, path)


def _left(schedule: Schedule, admitted: date, days: int | None) -> date:
    """The day of discharge after so many days, as the plan counts them; the next day when nobody tells how many."""
    return plus_days(admitted, max(0, days - 1) if days and schedule.day_count == "count_both" else days or 1)


def _stay(schedule: Schedule, data: Mapping[str, Any], event_on: date, path: Path) -> Stay:
    amounts = _told_amounts(data)
    untold = frozenset((*SETTLEMENT_FIELDS, "self_pay")) - amounts.keys() - data.keys()
    if "self_pay" in data:
        if not untold & {"fulamt_ownpay_amt", "overlmt_selfpay"}:
            untold -= {"psn_part_amt"}  # all that it is made of was told
        own, over = Decimal(data["self_pay"]), amounts.get("overlmt_selfpay", ZERO)
        cost = amounts.setdefault("psn_part_amt", own + amounts.get("fulamt_ownpay_amt", ZERO) + over)
        amounts.setdefault("fulamt_ownpay_amt", cost - own - over)
    days, admitted = data.get("days"), _day(data, "admitted_on") or event_on
    discharged = _day(data, "discharged_on") or _left(schedule, admitted, days)
    if discharged < admitted:
        raise ScheduleError([fault("出院日期早于入院日期", "lies before the admission", (*path, "discharged_on"))])
    return Stay(admitted, discharged, Settlement(**amounts), data.get("hospital_grade"), days, untold)


def _told_amounts(data: Mapping[str, Any]) -> dict[str, Decimal]:
    """The settlement fields that were written, by their own names or by the short ones."""
    names = {name: name for name in SETTLEMENT_FIELDS} | SHORT
    return {name: Decimal(data[key]) for key, name in names.items() if key in data}


def _day(data: Mapping[str, Any], key: str) -> date | None:
    return date.fromisoformat(data[key]) if key in data else None


def _sums(data: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(amount) for key, amount in data.items()}


# --- the fields and what each may hold ------------------------------------------------------------------------------


def _is_day(value: Any) -> bool:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return day is not None and FIRST <= day <= LAST and day.isoformat() == value


def _is_amount(value: Any) -> bool:
    """A text with at most two decimals, or a whole number; never a binary fraction."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 0 <= value < 10**10
    return isinstance(value, str) and AMOUNT_TEXT.fullmatch(value) is not None


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100


Kind = tuple[Callable[[Any], bool], str, str]
DAY: Kind = (_is_day, "日期，如 2026-05-01", "a day like 2026-05-01")
AMOUNT: Kind = (_is_amount, '写在引号里的金额（元，最多两位小数，不能为负），如 "1733.84"', 'an amount in quotes (yuan), like "1733.84"')
TEXT: Kind = (_text, "文字", "a text")
TEXTS: Kind = (lambda v: isinstance(v, list) and all(map(_text, v)), "文字的列表", "a list of texts")
COUNT: Kind = (_whole(0, 36500), "整数", "a whole number")
SUMS: Kind = (
    lambda v: isinstance(v, Mapping) and all(_is_amount(one) for one in v.values()), "名字与引号里的金额", "names with amounts in quotes",
)  # fmt: skip


def one_of(*options: str) -> Kind:
    """One of a few words."""
    return (lambda value: value in options, f"以下之一：{', '.join(options)}", f"one of {', '.join(options)}")


SWITCH: Kind = (lambda value: isinstance(value, bool), "true 或 false", "true or false")
WITHOUT_UNIT = "none"  # stands for the unit of whoever has none
EMPLOYMENTS = ("enterprise", "institution", "institution_subsidised", "retired", "none")
SHORT = {"insured_total": "medfee_sumamt", "in_scope_total": "inscp_scp_amt", "personal_cost": "psn_part_amt", "cash_paid": "psn_cash_pay"}
STAY: dict[str, Kind] = {
    "admitted_on": DAY,
    "discharged_on": DAY,
    "days": COUNT,
    "hospital_grade": (_whole(1, 3), "医院等级 1、2 或 3", "a hospital grade 1, 2 or 3"),
    "self_pay": AMOUNT,
    **dict.fromkeys(SHORT, AMOUNT),
    **dict.fromkeys(SETTLEMENT_FIELDS, AMOUNT),
}
CASE: dict[str, Kind] = {
    "event": one_of(*EVENTS),
    "event_on": DAY,
    "event_kind": TEXT,
    "claimed_on": DAY,
    "by_unit": (lambda value: isinstance(value, bool), "true 或 false", "true or false"),
    "accident_on": DAY,
    "death_on": DAY,
    "diagnosis_code": TEXT,
    "diagnosis_class": TEXT,
    "disability_grade": (_whole(1, 10), "伤残等级 1 到 10", "a disability grade from 1 to 10"),
    "other_aid": AMOUNT,
    "circumstances": TEXTS,
    "declared": SUMS,
    "gender": one_of("male", "female"),
    "birth_date": DAY,
    "relation": one_of("self", "spouse", "minor_child"),
    "person": (lambda v: isinstance(v, Mapping), "参加的人：字段与内容", "the person who joins: fields and what they hold"),
    "unit": (lambda v: isinstance(v, Mapping) or v == WITHOUT_UNIT, "单位：字段与内容；没有单位写 none", "the unit by its fields, or none"),
    "joined_on": DAY,
    "shares": (_whole(1, 99), "份数 1 到 99", "shares from 1 to 99"),
    "cover_start": DAY,
    "cover_end": DAY,
    "term_months": COUNT,
    "days_since_cover": COUNT,
    "used": SUMS,
    "paid_items": SUMS,
    "admissions_before": COUNT,
    "diseases": TEXTS,
    "stays": (lambda v: isinstance(v, list) and all(isinstance(one, Mapping) for one in v), "住院的列表", "a list of stays"),
    **STAY,
}


GENERAL = ("gender", "birth_date", "relation")  # stand in the case itself, or with the rest of the person
PERSON: dict[str, Kind] = {
    **{name: CASE[name] for name in GENERAL},
    "employment": one_of(*EMPLOYMENTS),
    "union_member": SWITCH,
    "card_holder": SWITCH,
    "basic_insurance": SWITCH,
    "insurance_type": one_of("employee", "resident"),
    "joined_unit_on": DAY,
    "contract_months": COUNT,
    "retired_on": DAY,
    "group": TEXT,
    "renewal": SWITCH,
    "shares_held": COUNT,
}
UNIT: dict[str, Kind] = {
    "headcount": COUNT,
    "women": COUNT,
    "enrolling": COUNT,
    "shares": (lambda v: isinstance(v, list) and all(map(COUNT[0], v)), "份数的列表，如 [1, 2]", "a list of numbers of shares"),
    "agent_bound": SWITCH,
    "excepted": SWITCH,
}


def field_faults(data: Mapping[str, Any], kinds: Mapping[str, Kind], path: Path) -> Iterator[Fault]:
    """Unknown, missing and malformed fields of one mapping."""
    if "event" in kinds and "event" not in data:
        yield fault("缺少这个字段：发生了什么", "is missing: what happened", (*path, "event"))
    for key, value in data.items():
        if key not in kinds:
            yield fault(f"不认识的字段；可以写：{'、'.join(kinds)}", f"is not a field of a case; known: {', '.join(kinds)}", (*path, key))
        elif not kinds[key][0](value):
            found = str(value)[:40]
            yield fault(f"应为{kinds[key][1]}，现在是 {found}", f"expected {kinds[key][2]}, found {found}", (*path, key))


def _stay_faults(data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    stays = data.get("stays", [])
    if not CASE["stays"][0](stays):
        return
    for i, one in enumerate(stays):
        yield from field_faults(one, STAY, (*path, "stays", i))
    if "stays" in data and (twice := STAY.keys() & data.keys()):
        key = sorted(twice)[0]
        yield fault("已写 stays，每次住院的内容写在里面", "stands beside stays: write it inside", (*path, key))
    for where, one in [(path, data), *(((*path, "stays", i), one) for i, one in enumerate(stays))]:
        yield from _sum_faults(one, where)


def _night_faults(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """Nights that two stays claim (`stays.share_nights`)."""
    if data["event"] != "admission":
        return  # several visits on one day are ordinary
    told = list[tuple[date, date]]()
    for i, one in enumerate(data.get("stays", ())):
        admitted, discharged = _day(one, "admitted_on"), _day(one, "discharged_on")
        if admitted is None:
            continue
        days = (admitted, discharged or _left(schedule, admitted, one.get("days")))
        for other in told:
            if share_nights(days, other):
                zh = f"和前面 {other[0]} 至 {other[1]} 那次住院有重叠的夜晚：同一次住院只写一次，转院的从前一次的出院日起"
                en = f"shares a night with the stay from {other[0]} to {other[1]}: each stands here once, one begins when the other ended"
                yield fault(zh, en, (*path, "stays", i, "admitted_on"))
        told.append(days)


def _length_faults(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """A number of days beside both dates is what the dates come to, as the plan counts them."""
    for where, one in [(path, data), *(((*path, "stays", i), one) for i, one in enumerate(data.get("stays", ())))]:
        if not {"days", "admitted_on", "discharged_on"} <= one.keys():
            continue
        admitted, discharged = date.fromisoformat(one["admitted_on"]), date.fromisoformat(one["discharged_on"])
        found = stay_days(admitted, discharged, schedule.day_count) if admitted <= discharged else one["days"]
        if one["days"] != found:
            zh = f"按入院和出院日期是 {found} 天（{schedule.day_count}），与这里写的 {one['days']} 天不符；只写一样就行"
            en = f"the dates make {found} days ({schedule.day_count}), not {one['days']}; telling either is enough"
            yield fault(zh, en, (*where, "days"))


def _name_faults(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """What was used is told under the plan's own names: a name mistyped would leave a limit open."""
    steps = [step for item in schedule.items for step in item.steps]
    counted_keys = [counted[0] for step in steps if (counted := counted_under(step, 1, ANY_DISEASE))]
    by_class = [key.replace("disease:", "class:", 1) for key in counted_keys if key.startswith("disease:")]
    keys = list(dict.fromkeys([*counted_keys, *by_class, *keys_apart(schedule)]))
    for key in data.get("used", {}):
        if not any(key == known or _one_of_each(key, known) for known in keys):
            zh, en = "、".join(keys) or "（没有）", ", ".join(keys) or "(none)"
            yield fault(f"本计划没有这个额度；有：{zh}", f"is no limit of this plan; known: {en}", (*path, "used", key))
    codes = [item.code for item in schedule.items]
    for code in data.get("paid_items", {}):
        if code not in codes:
            words = "、".join(codes), ", ".join(codes)
            yield fault(f"没有这个保障项目；有：{words[0]}", f"is no item of this plan; known: {words[1]}", (*path, "paid_items", code))


def _one_of_each(key: str, known: str) -> bool:
    """Is this the limit of one disease, or of one year of cover, where each has its own?"""
    if known.endswith(f":{ANY_DISEASE}"):
        return key.startswith(known[: -len(ANY_DISEASE)])
    limit = known.removesuffix(f":{EACH}")
    return limit != known and (key == limit or EACH_YEAR.fullmatch(key.removeprefix(f"{limit}:")) is not None)


def _kind_faults(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """Kinds of event and circumstances go by the plan's own names too: one mistyped would be judged as none."""
    window = schedule.claim_window
    kinds = ["default", *(window.kinds if window else ())]
    if data.get("event_kind", "default") not in kinds:
        known = ", ".join(kinds)
        yield fault(f"本计划没有这一类；有：{known}", f"is no kind of this plan; known: {known}", (*path, "event_kind"))
    found = list(dict.fromkeys(one.circumstance for one in schedule.exclusions if one.circumstance))
    for i, code in enumerate(data.get("circumstances", ())):
        if code not in found:
            zh, en = "、".join(found) or "（没有）", ", ".join(found) or "(none)"
            yield fault(f"本计划没有这种情形；有：{zh}", f"is no circumstance of this plan; known: {en}", (*path, "circumstances", i))


def _declared_faults(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """The declared figures are the plan's own as well, and each keeps to its kind."""
    asks = {ask.code: ask for ask in schedule.asks_for(data["event"])}
    for code, figure in data.get("declared", {}).items():
        if code not in asks:
            zh, en = "、".join(asks) or "（没有）", ", ".join(asks) or "(none)"
            yield fault(f"本计划没有问这个数；有：{zh}", f"is no figure that the plan asks for; known: {en}", (*path, "declared", code))
        elif words := figure_fault(asks[code], Decimal(figure)):
            yield fault(words.zh, words.en, (*path, "declared", code))


def _applicant_faults(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """The person who joins and their unit (`applicant.py`)."""
    person, unit = data.get("person", {}), data.get("unit", WITHOUT_UNIT)
    yield from field_faults(person, PERSON, (*path, "person"))
    yield from field_faults({} if unit == WITHOUT_UNIT else unit, UNIT, (*path, "unit"))
    for name in GENERAL:
        if name in person and name in data:
            yield fault("已写在案例里，只写一处", "stands in the case itself as well: write it once", (*path, "person", name))
    since, within = data.get("days_since_cover"), schedule.enrolling.renewal_within_days
    if "renewal" in person and since is not None and person["renewal"] is not (since <= within):
        zh, en = f"与 days_since_cover 不符：隔 {within} 天以内算续保", f"contradicts days_since_cover: up to {within} days is a renewal"
        yield fault(zh, en, (*path, "person", "renewal"))


BY_PLAN = (_night_faults, _length_faults, _name_faults, _kind_faults, _declared_faults, _applicant_faults)


def _sum_faults(data: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """Amounts of one stay that contradict each other: a name written twice, and 自付 beside 个人负担 and what is outside 自付."""
    if not all(_is_amount(data[key]) for key in ("self_pay", *SHORT, *SETTLEMENT_FIELDS) if key in data):
        return  # told by `field_faults`
    for short, name in SHORT.items():
        if short in data and name in data and Decimal(data[short]) != Decimal(data[name]):
            yield fault(f"与 {name} 是同一个数，两处写得不一样", f"is the same as {name}, and the two differ", (*path, short))
    amounts = _told_amounts(data)
    if "self_pay" not in data or "psn_part_amt" not in amounts:
        return
    own, cost, over = Decimal(data["self_pay"]), amounts["psn_part_amt"], amounts.get("overlmt_selfpay", ZERO)
    if own > cost:
        yield fault("自付不能大于个人负担", "is more than the personal cost", (*path, "self_pay"))
    elif own + over > cost or ("fulamt_ownpay_amt" in amounts and own + over + amounts["fulamt_ownpay_amt"] != cost):
        outside = over + amounts.get("fulamt_ownpay_amt", ZERO)
        zh = f"自付 {own} 加上自费和超限价 {outside}，不等于个人负担 {cost}"
        en = f"{own}, with {outside} outside the catalogue or over the limit, is not the personal cost {cost}"
        yield fault(zh, en, (*path, "self_pay"))
