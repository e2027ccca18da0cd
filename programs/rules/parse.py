"""Plan data into a Schedule: the published JSON Schema first, then what no schema can say. Every fault is told at once.

plan.schema.json is the format; docs/plans.md explains it. `parse` wants complete terms: a plan file that is based on
another or made of others goes through `combine.py` first.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from programs.rules.faults import Fault, Lines, ScheduleError, fault, in_own_file
from programs.rules.fees import PERSON
from programs.rules.hardship import hardship_faults, told_figures
from programs.rules.item_faults import age_order_faults, codes_once, item_faults
from programs.rules.parts import age_rule_of, gate_of, step_of, words_of
from programs.rules.schedule import (
    APPEAL_DAYS,
    PAY_WITHIN_DAYS,
    PREVIOUS_PERIOD_DAYS,
    Ask,
    ClaimWindow,
    Deciding,
    Document,
    Enrolling,
    Exclusion,
    FeeClass,
    Item,
    LateRule,
    OpensAfter,
    Schedule,
    UnitRule,
    Waiting,
)
from programs.rules.shape import Shape, plan_shape
from programs.rules.slips import limit_slips
from unionaid.lib.calendar import Period, plus_days

SCHEMA_FILE = FilePath(__file__).with_name("plan.schema.json")
EMPLOYED = ["enterprise", "institution"]  # whom a plan takes that names no kinds of employment
Data = Mapping[str, Any]


def parse(data: Data, *, source: str = "", lines: Lines | None = None, own: Data | None = None) -> Schedule:
    """The schedule that these data say. ScheduleError with every fault: file, line, field, what was expected. `own`: what the file
    itself says, where the data were completed from other plans."""
    try:
        check_shape(data)
        for key in ("based_on", "includes"):
            if key in data:
                raise ScheduleError([fault("还没有与所引用的计划合并", "is not yet combined with the plan it refers to", (key,))])
        if faults := list(_contradictions(data)):
            raise ScheduleError(faults)
        schedule = _schedule(data)
        if faults := list(_loose_ends(schedule)):
            raise ScheduleError(faults)
    except ScheduleError as error:
        told = error if own is None else in_own_file(error, data, own)
        raise told.placed(source, lines or {}) from None
    return schedule


# --- the published schema -------------------------------------------------------------------------------------------


@cache
def _validator() -> Draft202012Validator:
    """The schema read strictly: 1.0 is no whole number, and `$` is the end of a text, not the place before a last new line."""
    strict = validators.extend(
        Draft202012Validator,
        {"pattern": _pattern},
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int),
    )
    return strict(json.loads(SCHEMA_FILE.read_text("utf-8")))


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def check_shape(data: Data) -> None:
    """Does a plan file keep to the published schema? ScheduleError with every fault otherwise."""
    faults = [found for error in _validator().iter_errors(data) for found in _said(error)]
    if faults:
        raise ScheduleError(list(dict.fromkeys(faults))[:50])


def _said(error: ValidationError) -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema["properties"]
        for key in (key for key in error.instance if key not in known):
            places = "、".join(known)
            yield fault(f"不认识的字段；这里可以写：{places}", f"is not a field of this place; known: {', '.join(known)}", (*path, key))
    elif error.validator == "required":
        key = next(key for key in error.validator_value if key not in error.instance and f"'{key}'" in error.message)
        yield fault("缺少这个字段", "is missing", (*path, key))
    elif error.validator in ("minItems", "minProperties"):
        yield fault("不能是空的", "must not be empty", path)
    elif error.validator in ("maxItems", "maxProperties"):
        yield fault("内容太多", "holds too much", path)
    elif error.validator == "uniqueItems":
        yield fault("同一项写了两次", "the same thing stands here twice", path)
    else:
        yield _expected(error, path)


def _expected(error: ValidationError, path: tuple[str | int, ...]) -> Fault:
    schema, found = error.schema, error.instance
    expected = schema.get("expected")
    number = _number(found)
    if schema.get("kind") == "ratio" and number is not None and number > 1:
        return fault(f"比例不能大于 1，现在是 {number}", f"a ratio must not be above 1, found {number}", path)
    if schema.get("kind") and number is not None and number < 0:
        return fault(f"不能为负，现在是 {number}", f"must not be negative, found {number}", path)
    shown = json.dumps(found, ensure_ascii=False, default=str)[:60]
    if expected:
        return fault(f"应为{expected['zh']}，现在是 {shown}", f"expected {expected['en']}, found {shown}", path)
    if error.validator in ("enum", "const"):
        options = ", ".join(str(value) for value in error.validator_value) if error.validator == "enum" else str(error.validator_value)
        return fault(f"应为以下之一：{options}；现在是 {shown}", f"expected one of {options}; found {shown}", path)
    kinds = {"object": ("“字段: 内容”", "a mapping"), "array": ("列表", "a list"), "string": ("文字", "a text")}
    zh, en = kinds.get(str(error.validator_value), (f"“{error.validator_value}”", str(error.validator_value)))
    return fault(f"应为{zh}，现在是 {shown}", f"expected {en}, found {shown}", path)


def _number(value: Any) -> Decimal | None:
    """The number that stands there, if it is one (not-a-number is none)."""
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except (ArithmeticError, ValueError):
        return None
    return None if number is None or number.is_nan() else number


# --- what the schema cannot say, found in the data ------------------------------------------------------------------


def _contradictions(data: Data) -> Iterator[Fault]:
    yield from _days_are_days(data, (), plan_shape())
    period, enrolment = data["period"], data["enrolment"]
    yield from _in_order(period, "start", "end", ("period", "end"), "保障期的最后一天早于第一天", "the period ends before it starts")
    yield from _in_order(enrolment, "opens", "closes", ("enrolment", "closes"), "截止日早于开始日", "joining closes before it opens")
    if enrolment["closes"] > period["end"]:
        zh = f"晚于保障期的最后一天 {period['end']}，那以后参加没有保障"
        yield fault(zh, f"lies after the last day of the period, {period['end']}: joining later gives no cover", ("enrolment", "closes"))
    yield from age_order_faults(enrolment.get("ages", []), ("enrolment", "ages"))
    for i, rule in enumerate(enrolment.get("late", [])):
        if ("within_days" in rule) == ("within_months" in rule):
            yield fault("写 within_days 或 within_months 之一", "write one of within_days and within_months", ("enrolment", "late", i))
    for kind in set(enrolment.get("employment", EMPLOYED)) & set(enrolment.get("employment_on_renewal", [])):
        words = f"{kind} 首次参加就可以，不用再写", f"{kind} may join for the first time already"
        yield fault(*words, ("enrolment", "employment_on_renewal"))
    yield from _retired_faults(enrolment)
    for where, most in LONGEST.items():
        if len(text := data[where[0]][where[1]]) > most:
            yield fault(f"太长，最多 {most} 个字，现在是 {len(text)} 个", f"is too long: at most {most} letters, found {len(text)}", where)
    yield from _fee_faults(data["contribution"])
    yield from _term_faults(period, data["contribution"])
    yield from _waiting_faults(data)
    yield from item_faults(data["items"])
    for name in ("asks", "exclusions", "documents"):
        yield from codes_once(data.get(name, []), (name,))
    for i, one in enumerate(data.get("exclusions", [])):
        if ("diagnosis" in one) == ("circumstance" in one):
            yield fault("写 diagnosis 或 circumstance 之一", "write one of diagnosis and circumstance", ("exclusions", i))
    yield from _window_faults(data.get("claim_within", {}))


def _window_faults(window: Data) -> Iterator[Fault]:
    """One length of time, fixed days, or both with the word for which of them holds."""
    where = ("claim_within",)
    if {"days", "months"} <= set(window):
        zh = "days 和 months 写一个；还可以写 until，两样都写的再写 whichever"
        yield fault(zh, "write one of days and months; until may stand beside it, with whichever", where)
        return
    both = "until" in window and bool({"days", "months"} & set(window))
    if both != ("whichever" in window):
        zh = "既写了 until 又写了天数或月数时，要写 whichever: later（取较晚的）或 earlier（取较早的）；只写一样的不写"
        yield fault(zh, "is needed beside until together with days or months, and only there: later or earlier", (*where, "whichever"))
    if "by_kind" in window and not {"days", "months"} & set(window):
        yield fault("只有写了 days 或 months 才写 by_kind", "stands only beside days or months", (*where, "by_kind"))
    if "after" in window and not {"days", "months"} & set(window):
        yield fault("只有写了 days 或 months 才写 after", "stands only beside days or months", (*where, "after"))
    for name in ("until", "unit_until"):
        if name in window and "default" not in window[name]:
            zh, en = "要有一个 default：没有单列的事情到哪一天为止", "needs a default: the day for all that is not named"
            yield fault(zh, en, (*where, name))
    last = window.get("until", {})
    for kind, day in window.get("unit_until", {}).items() if not both and "default" in last else ():
        if day > last.get(kind, last["default"]):
            yield fault("晚于计划自己的截止日", "lies after the plan's own last day", (*where, "unit_until", kind))


def _waiting_faults(data: Data) -> Iterator[Fault]:
    """One length of waiting, in days or in months, of the plan and of each item; and none beside the word that there is none."""
    items = data["items"]
    for path, one in [((), data), *((("items", i), item) for i, item in enumerate(items))]:
        if {"days", "months"} <= one.get("waiting", {}).keys():
            zh = "days 和 months 写一个：等待期要么按天数，要么按月数"
            yield fault(zh, "write one of days and months: a waiting period is so many days or so many months", (*path, "waiting"))
        if not one.get("waits", True) and "waiting" in one:
            zh = "waits: false 是没有等待期，旁边又写了 waiting；只能写一样"
            yield fault(zh, "says that nothing waits, and waiting stands beside it: write one of them", (*path, "waits"))


def _retired_faults(enrolment: Data) -> Iterator[Fault]:
    """Days of retirement matter only where retired people may join at all, and some day must be left."""
    days = enrolment.get("retired")
    if days is None:
        return
    where = ("enrolment", "retired")
    if "retired" not in [*enrolment.get("employment", EMPLOYED), *enrolment.get("employment_on_renewal", [])]:
        zh = "employment 和 employment_on_renewal 里都没有 retired，退休人员本来就不能参加"
        yield fault(zh, "stands only where employment or employment_on_renewal names retired", where)
    if "from" in days and "before" in days and days["before"] <= days["from"]:
        yield fault("before 要晚于 from", "before must be later than from", (*where, "before"))


# Names that the lists of plans show, in letters.
LONGEST = {("name", "zh"): 120, ("name", "en"): 160, ("organiser", "name"): 80}


def _days_are_days(value: Any, path: tuple[str | int, ...], shape: Shape) -> Iterator[Fault]:
    """Texts where the schema wants a day have the form of one; are they in the calendar?"""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if path or key != "examples":
                yield from _days_are_days(inner, (*path, key), shape.field(key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _days_are_days(inner, (*path, i), shape.member)
    elif shape.kind == "day":
        try:
            date.fromisoformat(value)
        except ValueError:
            yield fault(f"日历上没有 {value} 这一天", f"there is no day {value}", path)


def _in_order(data: Data, first: str, last: str, path: tuple[str, ...], zh: str, en: str) -> Iterator[Fault]:
    if data[last] < data[first]:
        yield fault(zh, en, path)


def _fee_faults(contribution: Data) -> Iterator[Fault]:
    where = ("contribution",)
    if ("classes" in contribution) == ("per_share" in contribution):
        yield fault("写 per_share，或写 classes，不要都写", "write either per_share or classes", where)
        return
    classes = contribution.get("classes", [contribution])
    for i, one in enumerate(classes):
        path = (*where, "classes", i) if "classes" in contribution else where
        paid = sum((Decimal(amount) for amount in one.get("payers", {}).values()), Decimal(0))
        if one.get("joined_to", "9") < one.get("joined_from", ""):
            yield fault("joined_to 早于 joined_from", "joined_to lies before joined_from", (*path, "joined_to"))
        if one.get("payers") and paid != Decimal(one["per_share"]):
            yield fault(
                f"各方合计 {paid} 元，不等于每份 {one['per_share']} 元",
                f"payers add up to {paid}, not to {one['per_share']}",
                (*path, "payers"),
            )
        yield from _choice_faults(one, (*path, "person_at_least"))
        if one.get("refundable") and len(one.get("payers", {})) > 1:
            yield fault("到期退还的只能由一方缴，退给缴的那一方", "is paid back to whoever paid it: one payer only", (*path, "payers"))


def _choice_faults(one: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Where the unit sets the person's part, one other payer pays the rest, and the ordinary part is one that may be chosen."""
    if "person_at_least" not in one:
        return
    payers, least = one.get("payers", {}), Decimal(one["person_at_least"])
    if len(payers) != 2 or PERSON not in payers:
        yield fault("只有 payers 写了 person 和另外一方时才写", "stands only beside two payers, one of them person", path)
    elif Decimal(payers[PERSON]) < least:
        zh = f"高于不选时个人缴的 {payers[PERSON]} 元"
        yield fault(zh, f"is more than the person's ordinary part of {payers[PERSON]}", path)


def _term_faults(period: Data, contribution: Data) -> Iterator[Fault]:
    """Every length of cover has its contribution, and no contribution is for a length that nobody can choose."""
    where = ("period", "term_months")
    if "rolling_months" in period and "term_months" in period:
        yield fault("写 rolling_months 或 term_months 之一", "write one of rolling_months and term_months", ("period",))
        return
    if "term_from" in period and "term_months" not in period:
        yield fault("只有写了 term_months 才写 term_from", "stands only beside term_months", ("period", "term_from"))
    offered = _terms(period)
    classes = contribution.get("classes", [contribution])
    yield from _following_faults(period, classes)
    for i, one in enumerate(classes):
        months = one.get("term_months")
        if months is not None and months not in offered:
            zh, en = f"period 里没有 {months} 个月这种保障时间", f"no cover of {months} months is offered in period"
            yield fault(zh, en, ("contribution", "classes", i, "term_months"))
    for months in offered:
        if all(one.get("term_months") not in (None, months) for one in classes):
            yield fault(f"保障 {months} 个月没有缴费标准", f"there is no contribution for {months} months", where)


def _following_faults(period: Data, classes: Sequence[Data]) -> Iterator[Fault]:
    """Cover that follows on begins on a day of each person's own: only where its length counts from there, and where what is paid
    does not depend on that day."""
    if "follows_on_within_days" not in period:
        return
    where = ("period", "follows_on_within_days")
    if not _terms(period) or period.get("term_from", "joining") != "joining":
        zh = "只有保障时间从参加算起的计划才写（rolling_months，或 term_from: joining）"
        yield fault(zh, "stands only where cover has a length counted from joining", where)
    if any({"joined_from", "joined_to"} & set(one) for one in classes):
        yield fault("不能和 joined_from、joined_to 一起写", "does not go with joined_from and joined_to", where)


def _terms(period: Data) -> tuple[int, ...]:
    """The lengths of cover that a plan offers; `rolling_months: 12` is a single one."""
    rolling = period.get("rolling_months", 0)
    return tuple(period.get("term_months", [rolling] if rolling else []))


# --- building -------------------------------------------------------------------------------------------------------


def _day(data: Data, key: str) -> date | None:
    return date.fromisoformat(data[key]) if key in data else None


def _schedule(data: Data) -> Schedule:
    organiser, source, period = data["organiser"], data["source"], data["period"]
    waiting = _waiting(data.get("waiting", {}))
    asks = {one["code"]: _ask(one) for one in data.get("asks", [])}
    return Schedule(
        code=data["code"],
        version=data["version"],
        name=words_of(data["name"]),
        summary=words_of(data["summary"]),
        category=data["category"],
        organiser_kind=organiser["kind"],
        organiser_name=organiser["name"],
        office=data.get("office", ""),
        source_title=source["title"],
        source_note=source.get("note", ""),
        period=Period(date.fromisoformat(period["start"]), plus_days(date.fromisoformat(period["end"]), 1)),
        terms=_terms(period),
        from_joining=bool(_terms(period)) and period.get("term_from", "joining") == "joining",
        follows_on_within=period.get("follows_on_within_days"),
        ended_by=frozenset(change for change, kept in data.get("survives", {}).items() if not kept),
        enrolling=_enrolling(data["enrolment"], data.get("waiting", {}).get("waived_on_renewal_within_days")),
        fees=tuple(_fee(one) for one in data["contribution"].get("classes", [data["contribution"]])),
        pay_within_days=data["contribution"].get("pay_within_days", PAY_WITHIN_DAYS),
        waiting=waiting,
        asks=tuple(asks.values()),
        items=tuple(_item(one, waiting, asks) for one in data["items"]),
        exclusive=tuple(tuple(group) for group in data.get("exclusive", [])),
        exclusions=tuple(_exclusion(one) for one in data.get("exclusions", [])),
        indemnity=data.get("indemnity", False),
        claim_window=_claim_window(data["claim_within"]) if "claim_within" in data else None,
        deciding=_deciding(data.get("deciding", {})),
        opens_after=tuple(_opening(one) for one in data.get("opens_after", [])),
        day_count=data.get("day_count", "count_first"),
        documents=tuple(_document(one) for one in data.get("documents", [])),
        examples=tuple(data.get("examples", [])),
    )


def _deciding(data: Data) -> Deciding:
    final = data.get("final_review")
    return Deciding(
        unit_first=data.get("unit_first", False),
        final_from=Decimal(final["from_benefit"]) if final else None,
        final_events=tuple(final.get("events", ())) if final else (),
        notice_days=data.get("notice_days", 0),
        appeal_days=data.get("appeal_days", APPEAL_DAYS),
        set_off_ratio=Decimal(data.get("set_off_ratio", "0")),
    )


def _opening(data: Data) -> OpensAfter:
    least = Decimal(data["own_cost_left"]) if "own_cost_left" in data else None
    return OpensAfter(tuple(data["events"]), least)


def _enrolling(data: Data, waived_within: int | None) -> Enrolling:
    """The rules of joining; a plan that says no days of its own for a renewal has those within which waiting is waived."""
    shares = data.get("shares", {"max": 1})
    return Enrolling(
        opens=date.fromisoformat(data["opens"]),
        closes=date.fromisoformat(data["closes"]),
        late=tuple(
            LateRule(one["who"] == "new_hires", one["after"] == "hired", one.get("within_days", 0), one.get("within_months", 0))
            for one in data.get("late", [])
        ),
        individual=data.get("individual", False),
        relations=tuple(data.get("relations", ["self"])),
        employments=tuple(data.get("employment", EMPLOYED)),
        renewal_employments=tuple(data.get("employment_on_renewal", [])),
        renewal_within_days=data.get("renewal_within_days", PREVIOUS_PERIOD_DAYS if waived_within is None else waived_within),
        union_member=data.get("union_member", True),
        card_holder=data.get("card_holder", False),
        basic_insurance=data.get("basic_insurance", True),
        insurance_types=tuple(data.get("insurance_types", [])),
        min_months_in_unit=data.get("min_months_in_unit", 0),
        min_contract_months=data.get("min_contract_months", 0),
        gender=data.get("gender", "any"),
        ages=tuple(map(age_rule_of, data.get("ages", []))),
        max_shares=shares["max"],
        surplus_void=shares.get("surplus") == "void",
        together_with=tuple(shares.get("together_with", [])),
        retired_from=_day(data.get("retired", {}), "from"),
        retired_before=_day(data.get("retired", {}), "before"),
        unit=_unit_rule(data["unit"], "women" if data.get("gender") == "female" else "staff") if "unit" in data else None,
    )


def _unit_rule(data: Data, of: str) -> UnitRule:
    """`of`: over whom the plan counts when it does not say so; a plan for women counts women."""
    small = data.get("all_must_join", {"headcount": 0, "compare": "<="})
    return UnitRule(
        of=data.get("of", of),
        min_ratio=Decimal(data.get("min_ratio", "0")),
        all_headcount=small["headcount"],
        all_inclusive=small["compare"] == "<=",
        same_shares=data.get("same_shares", False),
        agent_bound=data.get("agent_bound", False),
        ratio_binds_singles=data.get("ratio_binds_singles", True),
    )


def _fee(data: Data) -> FeeClass:
    return FeeClass(
        gender=data.get("gender", "any"),
        card_holder=data.get("card_holder"),
        risk=data.get("risk"),
        unit_nature=data.get("unit_nature"),
        relation=data.get("relation"),
        group=data.get("group"),
        term_months=data.get("term_months"),
        joined_from=_day(data, "joined_from"),
        joined_to=_day(data, "joined_to"),
        per_share=Decimal(data["per_share"]),
        refundable=data.get("refundable", False),
        payers=tuple((name, Decimal(amount)) for name, amount in data.get("payers", {}).items()),
        person_at_least=Decimal(data["person_at_least"]) if "person_at_least" in data else None,
    )


def _waiting(data: Data) -> Waiting:
    return Waiting(data.get("days", 0), data.get("months", 0), data.get("waived_on_renewal_within_days"), data.get("accidents", False))


def _item(data: Data, waiting: Waiting, asks: Mapping[str, Ask]) -> Item:
    own = _waiting(data["waiting"]) if "waiting" in data else waiting
    return Item(
        code=data["code"],
        name=words_of(data["name"]),
        clause=data["clause"],
        fund=data.get("fund", "mutual_aid"),
        events=tuple(data["events"]),
        gates=tuple(gate_of(one) for one in data.get("gates", [])),
        steps=told_figures([step_of(one) for one in data["steps"]], asks),
        waiting=own if data.get("waits", True) else None,
    )


def _ask(data: Data) -> Ask:
    most = Decimal(data["most"]) if "most" in data else None
    return Ask(data["code"], words_of(data["name"]), data["in"] == "yuan", words_of(data["hint"]) if "hint" in data else None, most)


def _exclusion(data: Data) -> Exclusion:
    return Exclusion(
        data["code"], words_of(data["name"]), data["clause"], tuple(data.get("diagnosis", [])), data.get("circumstance", ""),
        tuple(data.get("items", [])),
    )  # fmt: skip


def _document(data: Data) -> Document:
    least = Decimal(data["from_amount"]) if "from_amount" in data else None
    return Document(data["code"], words_of(data["name"]), tuple(data.get("events", [])), data.get("required", True), least)


def _claim_window(data: Data) -> ClaimWindow:
    return ClaimWindow(
        days=data.get("days", 0),
        months=data.get("months", 0),
        after_discharge=data.get("after", "discharge") == "discharge",
        until=_days_by_kind(data.get("until", {})),
        later=data.get("whichever") == "later",
        unit_until=_days_by_kind(data.get("unit_until", {})),
        lengths=tuple((kind, own.get("days", 0), own.get("months", 0)) for kind, own in data.get("by_kind", {}).items()),
    )


def _days_by_kind(data: Data) -> tuple[tuple[str, date], ...]:
    return tuple((kind, date.fromisoformat(day)) for kind, day in data.items())


# --- what only the whole can show -----------------------------------------------------------------------------------


def _loose_ends(schedule: Schedule) -> Iterator[Fault]:
    codes = {item.code for item in schedule.items}
    for i, group in enumerate(schedule.exclusive):
        for code in group:
            if code not in codes:
                yield fault(f"没有代码为 {code} 的保障项目", f"names the unknown item {code}", ("exclusive", i))
    for i, one in enumerate(schedule.exclusions):
        for code in one.items:
            if code not in codes:
                yield fault(f"没有代码为 {code} 的保障项目", f"names the unknown item {code}", ("exclusions", i, "items"))
    if schedule.deciding.set_off_ratio >= 1:
        zh, en = "要小于 1：以后的给付不能全部扣完", "must be less than 1: something of a later benefit is always paid"
        yield fault(zh, en, ("deciding", "set_off_ratio"))
    for i, item in enumerate(schedule.items):
        within, waiting = schedule.follows_on_within, item.waiting
        if within is not None and waiting and (waiting.days or waiting.months) and not waiting.waived(within):
            zh = f"接着上次保障的人不再等待：等待期要写 waived_on_renewal_within_days，不少于 {within}"
            en = f"whoever follows on waits no more: its waiting needs waived_on_renewal_within_days of {within} or more"
            yield fault(zh, en, ("items", i))
    if schedule.code in schedule.enrolling.together_with:
        zh, en = "写别的计划的代码，本计划自己的份数不用写", "names other plans, not the plan itself"
        yield fault(zh, en, ("enrolment", "shares", "together_with"))
    yield from _opening_faults(schedule)
    yield from _fund_faults(schedule)
    yield from hardship_faults(schedule)
    yield from _order_faults(schedule, codes)
    yield from _takes_off_faults(schedule)
    yield from _fee_slips(schedule)
    yield from _last_day_slips(schedule)
    yield from limit_slips(schedule)


def _fee_slips(schedule: Schedule) -> Iterator[Fault]:
    """The first class that fits holds: one that comes after a wider one is never charged."""
    for i, fee in enumerate(schedule.fees):
        if (first := next((k for k, wider in enumerate(schedule.fees[:i]) if _takes_all_of(wider, fee)), None)) is not None:
            zh = f"永远用不上：从上往下第一条符合的算数，前面的 classes[{first}] 已经包括了这些人；特殊的写在前面"
            en = f"is never charged: the first class that fits holds, and classes[{first}] takes these people already"
            yield fault(zh, en, ("contribution", "classes", i))


def _takes_all_of(wider: FeeClass, fee: FeeClass) -> bool:
    """Does everybody of the one class belong to the other?"""
    names = ("card_holder", "risk", "unit_nature", "relation", "group", "term_months")
    alike = all(getattr(wider, name) in (None, getattr(fee, name)) for name in names) and wider.gender in ("any", fee.gender)
    after = wider.joined_from is None or (fee.joined_from is not None and wider.joined_from <= fee.joined_from)
    before = wider.joined_to is None or (fee.joined_to is not None and fee.joined_to <= wider.joined_to)
    return alike and after and before


def _last_day_slips(schedule: Schedule) -> Iterator[Fault]:
    """A fixed last day to claim before the period begins lets nobody claim anything."""
    window, first = schedule.claim_window, schedule.period.start
    for kind, day in window.until if window and not (window.lasts and window.later) else ():
        if day < first:
            zh, en = f"早于保障期的第一天 {first}，什么事都不能申领", f"lies before the first day of the period, {first}"
            yield fault(zh, f"{en}: nothing could be claimed", ("claim_within", "until", kind))


def _opening_faults(schedule: Schedule) -> Iterator[Fault]:
    """Only what nobody joins is opened by rule, and only for what it answers to."""
    for i, rule in enumerate(schedule.opens_after):
        path = ("opens_after", i, "events")
        if not schedule.is_grant:
            yield fault("只有不用参加的救助和慰问才写", "stands only in relief and condolence that nobody joins", path)
        for event in sorted({*rule.events} - {*schedule.events}):
            yield fault(f"没有一个保障项目对应 {event}", f"no item answers to {event}", path)


def _fund_faults(schedule: Schedule) -> Iterator[Fault]:
    """A claim is one payment out of one fund, so the items that answer to one event are of one fund."""
    funds: dict[str, str] = {}
    for i, item in enumerate(schedule.items):
        for event in item.events:
            first = funds.setdefault(event, item.fund)
            if first != item.fund:
                zh = f"同一种事由（{event}）前面的项目用的是 {first}，一次申领只能从一种资金付款"
                en = f"an item before this pays the same event ({event}) out of {first}; a claim has one fund"
                yield fault(zh, en, ("items", i, "fund"))


def _takes_off_faults(schedule: Schedule) -> Iterator[Fault]:
    """What another item gave is taken off within one claim: an item that never stands in the same claim gives nothing to take off."""
    events = {item.code: {*item.events} for item in schedule.items}
    for i, item in enumerate(schedule.items):
        for j, step in enumerate(item.steps):
            for code in step.data["items"] if step.name == "less_items" else ():
                if code in events and not events[code] & {*item.events}:
                    zh = f"{code} 的事由（{'、'.join(events[code])}）和这一项不同，不会在同一次申领里，扣不到"
                    en = f"{code} answers to other events and never stands in the same claim: nothing would be taken off"
                    yield fault(zh, en, ("items", i, "steps", j, "less_items"))


def _order_faults(schedule: Schedule, codes: set[str]) -> Iterator[Fault]:
    after = {item.code: item.after for item in schedule.items}
    for i, item in enumerate(schedule.items):
        for code in item.after - codes:
            yield fault(f"没有代码为 {code} 的保障项目", f"names the unknown item {code}", ("items", i, "steps"))
    done: set[str] = set()
    while ready := {code for code in codes - done if not (after[code] & codes) - done}:
        done |= ready
    for i, item in enumerate(schedule.items):
        if item.code not in done:
            yield fault("项目之间循环引用（less_items）", "items refer to each other in a circle (less_items)", ("items", i, "steps"))
