"""What is wrong with the benefits of a plan file that no schema can say: bands, bases, grades, the order of the steps."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from programs.rules.bands import unit_of
from programs.rules.bases import BASE_WORDS, SETTLEMENT_WORDS, counted_twice
from programs.rules.facts import STAY_EVENTS
from programs.rules.faults import Fault, fault
from programs.rules.parts import base_of, grades_of
from programs.rules.schedule import GRADED
from programs.rules.words import Words

Data = Mapping[str, Any]


def codes_once(things: list[Data], path: tuple[str, ...]) -> Iterator[Fault]:
    """No two things of a list have the same code."""
    seen: set[str] = set()
    for i, thing in enumerate(things):
        if thing["code"] in seen:
            yield fault(f"代码 {thing['code']} 用了两次", f"the code {thing['code']} is used twice", (*path, i, "code"))
        seen.add(thing["code"])


def item_faults(items: list[Data]) -> Iterator[Fault]:
    """Every such fault of the items, at its place."""
    yield from codes_once(items, ("items",))
    for i, item in enumerate(items):
        for kind in ("gates", "steps"):
            for j, one in enumerate(item.get(kind, [])):
                path = ("items", i, kind, j)
                names = [key for key in one if key != "clause"]
                if len(names) != 1:
                    yield fault("一行只写一个", "each line holds just one", path)
                elif check := _CHECKS.get(names[0]):
                    yield from check(one[names[0]], (*path, names[0]))
        yield from _added_too_soon(item, ("items", i, "steps"))
        yield from _offset_faults(item, ("items", i, "steps"))
        yield from _grade_faults(item, ("items", i, "steps"))
        yield from _twice_faults(item, ("items", i, "steps"))
        for check_item in (_wait_faults, _event_faults, _age_faults):
            yield from check_item(item, ("items", i))
        begin = [name for step in item["steps"] for name in step if _begins(name, step[name])]
        if not any(_begins(name, value) for name, value in item["steps"][0].items()):
            yield fault(
                f"第一步要给出金额：{'、'.join(sorted(_BEGIN))} 之一", f"the first step must give an amount: {', '.join(sorted(_BEGIN))}",
                ("items", i, "steps", 0),
            )  # fmt: skip
        elif len(begin) > 1:
            yield fault(
                f"已有 {begin[0]}，后面不能再用 {begin[1]} 重新开始",
                f"{begin[0]} began the amount; {begin[1]} would begin anew",
                ("items", i, "steps"),
            )


_BEGIN = frozenset(("take", "per_day", "fixed", "declared", "table", "scale", "wait"))


def _added_too_soon(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Some steps look at each of several stays; after a step that adds them up there is no telling them apart."""
    if not {"take", "per_day"} & set(item["steps"][0]):
        yield from _no_stays_to_limit(item, path)
        return
    waits, added = bool(set(item["events"]) & set(STAY_EVENTS)), ""
    for j, step in enumerate(item["steps"]):
        for name, value in step.items():
            if added and (why := _stay_by_stay(name, value, waits=waits)):
                zh = f"要写在 {added} 前面：{why.zh}，{added} 已经把它们合在一起"
                yield fault(zh, f"stands before {added}, which adds the stays up: {why.en}", (*path, j, name))
            elif _adds_up(name, value):
                added = added or name


def _stay_by_stay(name: str, value: Any, *, waits: bool) -> Words | None:
    """Why a step has to see the stays one by one; None when it does not."""
    if name == "ceiling" and value["scope"] == "admission":
        return Words("每次住院各自封顶", "each has its own limit")
    if name in ("deduct", "marginal", "per_admission") and (name == "per_admission" or value.get("per") == "admission"):
        return Words("每次住院各算各的", "each is reckoned by itself")
    if _graded(name, value):
        return Words("几次住院各看各的医院", "each goes by its own hospital")
    return Words("几次住院各按自己的日子等待", "each waits by its own day") if name == "wait" and waits else None


def _adds_up(name: str, value: Any) -> bool:
    """Does this step make one sum of the stays?"""
    if name in ("deduct", "marginal"):
        return bool(value.get("per") != "admission")
    return name in _ADDS_UP and not (name == "ceiling" and value["scope"] == "admission")


def _no_stays_to_limit(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    for j, step in enumerate(item["steps"]):
        for name, value in step.items():
            if name in _OF_EACH_STAY and _stay_by_stay(name, value, waits=False):
                zh = "只有从 take 或 per_day 算起的才写：别的不是一次一次住院算的"
                where = (*path, j, name) if name == "per_admission" else (*path, j, name, "scope" if name == "ceiling" else "per")
                yield fault(zh, "stands only after take or per_day: nothing else goes stay by stay", where)


_OF_EACH_STAY = ("ceiling", "deduct", "marginal", "per_admission")


def _twice_faults(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """What is counted in once is not counted in once more: shares would multiply twice, and days of cover would be judged twice."""
    for name in ("shares", "wait"):
        for j in [j for j, step in enumerate(item["steps"]) if name in step][1:]:
            yield fault(f"{name} 在一项里只写一次", f"stands once in an item: {name}", (*path, j, name))


def _wait_faults(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Bands of waiting say when an item begins to give: no other length of waiting beside them, and no word that nothing waits."""
    if not any("wait" in step for step in item["steps"]):
        return
    if not item.get("waits", True):
        zh = "waits: false 是没有等待期，steps 里又按 wait 分段等待；只能写一样"
        yield fault(zh, "says that nothing waits, and the steps have bands of waiting: write one of them", (*path, "waits"))
    elif {"days", "months"} & {name for name, length in item.get("waiting", {}).items() if length}:
        zh = "有 wait 的项目按 wait 的各段等待，这里只写 waived_on_renewal_within_days 和 accidents"
        en = "an item with bands of waiting waits by those alone: only waived_on_renewal_within_days and accidents stand here"
        yield fault(zh, en, (*path, "waiting"))


# What only some events can ever have: the part of an item, the events, why.
_ONLY_FOR = {
    "per_admission": (("admission",), Words("只有住院算第几次", "only admissions are counted")),
    "less_paid": (("diagnosis", "surgery"), Words("只有确诊和手术记着给过哪一种病", "only of these the disease that was paid for is kept")),
    "once_per_disease": (
        ("diagnosis", "surgery"),
        Words("别的事情同一种病只给一次的，用 scope 为 disease 的封顶", "for other events use a ceiling with the scope disease"),
    ),
    "death_within_days": (("accident_death",), Words("别的事情没有意外日和身故日两个日子", "no other event has the two days")),
}  # fmt: skip


def _event_faults(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Steps and conditions that would never hold, or hold in silence, for an event of the item."""
    for kind in ("gates", "steps"):
        for j, one in enumerate(item.get(kind, [])):
            for name in one.keys() & _ONLY_FOR.keys():
                events, why = _ONLY_FOR[name]
                if others := [event for event in item["events"] if event not in events]:
                    zh = f"只能用在 {'、'.join(events)} 上，这一项的 events 里还有 {'、'.join(others)}：{why.zh}"
                    en = f"is only for {', '.join(events)}, and the item is for {', '.join(others)} too: {why.en}"
                    yield fault(zh, en, (*path, kind, j, name))


def _age_faults(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    for j, one in enumerate(item.get("gates", [])):
        if "age" in one and one["age"]["to"] < one["age"]["from"]:
            yield fault("上限低于下限", "the upper age is below the lower one", (*path, "gates", j, "age", "to"))


def _label_faults(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """A name of a class that the table does not hold is a slip in one of the two."""
    known = value.get("amounts", value.get("ratios"))
    for key in value.get("labels", {}):
        if key not in known:
            zh, en = f"表里没有 {key} 这一类；有：{'、'.join(known)}", f"the table has no {key}; known: {', '.join(known)}"
            yield fault(zh, en, (*path, "labels", key))


def _graded(name: str, value: Any) -> bool:
    """Does this step give a figure for each grade of the hospital?"""
    figure = value if name == "ratio" else value.get(GRADED[name]) if name in GRADED else None
    return isinstance(figure, dict)


def _grade_faults(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """A figure by the grade of the hospital is there for every grade that the item's conditions let through, and stands where the
    stays are still apart."""
    let = {1, 2, 3}
    for gate in item.get("gates", []):
        let &= set(grades_of(gate["hospital_grade"])["grades"]) if "hospital_grade" in gate else let
    for j, step in enumerate(item["steps"]):
        for name, value in step.items():
            if not _graded(name, value):
                continue
            where = (*path, j, name) if name == "ratio" else (*path, j, name, GRADED[name])
            table = value if name == "ratio" else value[GRADED[name]]
            if lost := sorted(let - set(map(int, table))):
                told = "、".join(map(str, lost)), ", ".join(map(str, lost))
                yield fault(f"没有写 {told[0]} 级医院的", f"has nothing for hospitals of grade {told[1]}", where)
            if name == "deduct" and (value["per"] != "admission" or "take" not in item["steps"][0]):
                zh = "按医院等级的起付线只能写在 take 后面，per 写 admission：每次住院扣各自的"
                yield fault(zh, "goes by the grade only after take and with per: admission", where)


_ADDS_UP = frozenset(("offset", "for_each", "less_items", "tiers", "add_if_over", "less_paid", "up_to_cost", "ceiling"))


def _begins(name: str, value: Any) -> bool:
    """Does this step give an amount, whatever stood there before? Waiting bands of ratios do not."""
    return name in _BEGIN and not (name == "wait" and "ratio" in value[0])


def _bands(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    edge = Decimal(0)
    for i, band in enumerate(value):
        over, up_to = Decimal(band["over"]), band.get("up_to")
        if over > edge:
            yield fault(f"与上一段之间有空档：上一段到 {edge} 为止", f"a gap: the band before ends at {edge}", (*path, i, "over"))
        elif over < edge:
            yield fault(f"与上一段重叠：上一段到 {edge} 为止", f"overlaps: the band before ends at {edge}", (*path, i, "over"))
        if up_to is None:
            if i < len(value) - 1:
                yield fault("只有最后一段可以不写上限", "only the last band may be open", (*path, i))
            return
        if Decimal(up_to) <= over:
            yield fault("上限不高于下限", "is not above the lower edge", (*path, i, "up_to"))
            return
        edge = Decimal(up_to)


def _wait_bands(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Bands of days, or of months, of cover that follow each other from the first on; the last one is open. Where one ends in days the
    next begins in days, and so with months."""
    unit, expected = unit_of(value[0], "from") or "day", 1
    for i, band in enumerate(value):
        if len({"from_day", "from_month"} & set(band)) != 1 or len({"to_day", "to_month"} & set(band)) > 1 or f"from_{unit}" not in band:
            zh = f"从 from_{unit} 写起（上一段按{_UNITS[unit]}结束的，这一段也按{_UNITS[unit]}开始），to_day 和 to_month 写一个"
            yield fault(zh, f"begins with from_{unit}, as the band before ends; and has one of to_day and to_month", (*path, i))
            return
        first, end = f"from_{unit}", unit_of(band, "to")
        if band[first] > expected:
            yield fault(f"有空档：下一段应从第 {expected} {_UNITS[unit]}起", f"a gap: {unit} {expected} comes next", (*path, i, first))
        elif band[first] < expected:
            yield fault(f"有重叠：下一段应从第 {expected} {_UNITS[unit]}起", f"overlaps: {unit} {expected} comes next", (*path, i, first))
        if bool(end) != (i < len(value) - 1) or (end and not _after(band[f"to_{end}"], end, band[first], unit)):
            last = f"to_{end or unit}"
            zh = f"除最后一段外都要写 {last}，并且不早于这一段的开始"
            yield fault(zh, f"every band but the last has its {last}, no earlier than its start", (*path, i))
            return
        if ("amount" in band) == ("ratio" in band) or ("amount" in band) != ("amount" in value[0]):
            yield fault("各段都写 amount，或都写 ratio", "write amount in all bands, or ratio in all", (*path, i))
        unit, expected = end, band.get(f"to_{end}", 0) + 1


_UNITS = {"day": "天", "month": "个月"}


def _after(last: int, unit: str, first: int, first_unit: str) -> bool:
    """Does a band that begins at its `first` end no earlier, whatever months it runs over?"""
    if unit == first_unit:
        return last >= first
    return last * 28 >= first if unit == "month" else last > (first - 1) * 31


def _base_faults(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    base = base_of(value)
    if (base.name == "above_cap_cost") != (base.cap is not None):
        yield fault(
            "above_cap_cost 要写当地基本医保的封顶线 cap，其他基数不写",
            "above_cap_cost needs the cap of basic insurance; others have none",
            path,
        )
    for place, name in counted_twice(base):
        what = BASE_WORDS[base.name].zh, SETTLEMENT_WORDS[name].zh
        zh, en = f"{base.name}（{what[0]}）里已经没有 {name}（{what[1]}），再减就减了两次", f"{base.name} leaves {name} out already"
        if place == "plus":
            zh, en = f"{name}（{what[1]}）已经算在里面，再加就算了两次", f"{name} is in it already: it would count twice"
        yield fault(zh, en, (*path, place))


def _offset_faults(item: Data, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """What the base of an item leaves out is not taken off once more by a later step."""
    first = item["steps"][0].get("take")
    gone = {*base_of(first).leaves_out} if first is not None else set()
    for j, step in enumerate(item["steps"]):
        for name in step.get("offset", {}).get("fields", []):
            if name in gone:
                zh = f"{name}（{SETTLEMENT_WORDS[name].zh}）前面已经减过，再减就减了两次"
                yield fault(zh, f"{name} was taken off before: it would be taken off twice", (*path, j, "offset", "fields"))
            gone.add(name)


def age_order_faults(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Of every age the upper bound is no lower than the lower one."""
    for i, rule in enumerate(value):
        if rule["to"] < rule["from"]:
            yield fault("上限低于下限", "the upper age is below the lower one", (*path, i, "to"))


def _known_grades(field: str) -> Callable[[Any, tuple[str | int, ...]], Iterator[Fault]]:
    def check(value: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
        yield from _label_faults(value, path)
        for key in value[field]:
            if value["by"] == "disability_grade" and key not in GRADES:
                yield fault(f"没有 {key} 级伤残，只有 1 到 10 级", f"there is no grade {key}; grades are 1 to 10", (*path, field, key))
            elif value["by"] == "hospital_grade" and key not in ("1", "2", "3"):
                zh, en = f"没有 {key} 级医院，只有 1 到 3 级", f"there is no hospital of grade {key}; grades are 1 to 3"
                yield fault(zh, en, (*path, field, key))

    return check


GRADES = frozenset(str(grade) for grade in range(1, 11))
_CHECKS: dict[str, Callable[[Any, tuple[str | int, ...]], Iterator[Fault]]] = {
    "marginal": lambda value, path: _bands(value["bands"], (*path, "bands")),
    "tiers": _bands,
    "wait": _wait_bands,
    "age_at_start": age_order_faults,
    "take": _base_faults,
    "add_if_over": lambda value, path: _base_faults(value["base"], (*path, "base")),
    "up_to_cost": _base_faults,
    "table": _known_grades("amounts"),
    "scale": _known_grades("ratios"),
}
