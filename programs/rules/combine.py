"""Plans made of plans: an office's own terms based on another plan, and combos of single plans.

`based_on` (办事处在统一条款上的调整): the file says only what differs. Mappings are merged, lists of things with a
`code` by that code (`without` names those that are dropped, and what held between them and others goes with them), all other
values replace. `includes` (综合互助): the items,
limits, exclusions, documents of the single plans stand side by side under prefixed names; each keeps its own waiting period
and its own rules on people (`combo.py`). What holds for the plan as a whole the parts must say alike, or the combo says
it. The outcome is complete terms that stand alone, so that a later change of the plans they came from changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

from programs.rules.combo import laxer_faults, person_gates
from programs.rules.faults import Fault, ScheduleError, fault
from programs.rules.parse import check_shape
from programs.rules.planfile import PlanFile
from programs.rules.schedule import Schedule
from programs.rules.words import Words
from unionaid.lib.calendar import Period, plus_days

Data = Mapping[str, Any]
Lookup = Callable[[str, str], Data | None]
DROPPED = ("items", "exclusions", "documents")  # lists of which an office's own version may leave something out
LONGEST_CODE = 60  # letters of a code, as the schema has it
PREFIXED = {"asks": Words("申报的数", "figure"), "items": Words("保障项目", "item"), "exclusions": Words("除外情形", "exclusion")}
# What holds for all items of a plan, and what it is where nothing is said.
WHOLE: dict[str, Any] = {"indemnity": False, "day_count": "count_first", "claim_within": None, "survives": None}


def complete(file: PlanFile, lookup: Lookup) -> dict[str, Any]:
    """Complete terms from a plan file and the plans it refers to. `lookup(code, version)` gives another plan file's data.

    ScheduleError with file, line and field when the shape is wrong, a plan is not found, or plans refer to each other in
    a circle.
    """
    try:
        check_shape(file.data)
        return _complete(file.data, lookup, ())
    except ScheduleError as error:
        raise error.placed(file.source, file.lines) from None


def _complete(data: Data, lookup: Lookup, seen: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    seen = (*seen, (data["code"], data["version"]))
    made = dict(deepcopy(dict(data)))
    if "based_on" in made:
        ref = made.pop("based_on")
        base = _without(_found(ref, lookup, seen, ("based_on",)), ref.get("without", {}), made)
        mine = {one["code"] for one in made.get("items", ())}
        made = _merged({key: value for key, value in base.items() if key not in ("office", "examples")}, made)
        made["items"] = [one if one["code"] in mine else _within_shares(one, made) for one in made.get("items", ())]
        if made.get("exclusive") == []:  # the office lets none of them exclude another
            del made["exclusive"]
    if "includes" in made:
        refs = made.pop("includes")
        _each_once(refs)
        parts = [_found(ref, lookup, seen, ("includes", i)) for i, ref in enumerate(refs)]
        _names_fit(parts)
        if faults := [one for i, part in enumerate(parts) for one in laxer_faults(made, part, i)]:
            raise ScheduleError(faults)
        made = _side_by_side(made | _as_a_whole(made, parts), parts)
    return made


def _each_once(refs: list[Data]) -> None:
    """A plan stands in a combo once, whichever its period. ScheduleError otherwise."""
    codes, faults = [ref["code"] for ref in refs], []
    for i, code in enumerate(codes):
        if code in codes[:i]:
            words = f"前面已经包含了 {code}，一份计划只能包含一次"
            faults.append(fault(words, f"{code} stands here already: a plan is included once", ("includes", i, "code")))
    if faults:
        raise ScheduleError(faults)


def _names_fit(parts: list[dict[str, Any]]) -> None:
    """What comes from a part is named after it (`part.name`), and no name has more letters than the format allows. ScheduleError for
    each that would."""
    faults = []
    for i, part in enumerate(parts):
        most = LONGEST_CODE - len(part["code"]) - 1
        for kind, name in dict.fromkeys(_named(part)):
            if len(name) > most:
                words = f"{part['code']} 里的{kind.zh} {name} 太长：合起来叫 {part['code']}.{name}，最多 {LONGEST_CODE} 个字符，要改短"
                english = f"the {kind.en} {name} is named {part['code']}.{name} here, and at most {LONGEST_CODE} letters fit: shorten it"
                faults.append(fault(words, english, ("includes", i)))
    if faults:
        raise ScheduleError(faults)


def _named(part: Data) -> Iterator[tuple[Words, str]]:
    """Every name of a plan that a combo puts the plan's own before."""
    for field, kind in PREFIXED.items():
        yield from ((kind, one["code"]) for one in part.get(field, ()))
    for value in (value for item in part["items"] for step in item["steps"] for value in step.values()):
        if isinstance(value, Mapping) and "key" in value:
            yield Words("额度", "limit"), value["key"]


def _found(ref: Data, lookup: Lookup, seen: tuple[tuple[str, str], ...], path: tuple[str | int, ...]) -> dict[str, Any]:
    wanted = (ref["code"], ref["version"])
    if wanted in seen:
        way = " → ".join(code for code, _version in (*seen, wanted))
        raise ScheduleError([fault(f"计划互相引用，成了循环：{way}", f"plans refer to each other in a circle: {way}", path)])
    data = lookup(*wanted)
    if data is None:
        name = f"{wanted[0]}（{wanted[1]}）"
        raise ScheduleError([fault(f"没有找到所引用的计划 {name}", f"the plan {wanted[0]} ({wanted[1]}) is not found", path)])
    try:
        check_shape(data)
        return _complete(data, lookup, seen)
    except ScheduleError as error:
        zh, en = (error.in_language(language).splitlines()[0] for language in ("zh", "en"))
        raise ScheduleError([fault(f"所引用的 {wanted[0]} 有错：{zh}", f"in {wanted[0]}: {en}", path)]) from None


def _without(base: Data, without: Mapping[str, list[str]], own: Data) -> dict[str, Any]:
    """The plan that another is based on, without the things that the other drops. ScheduleError for a code it does not have, one
    that the file writes itself, and an empty list, which would drop nothing."""
    made, faults = dict(base), []
    for name in DROPPED:
        if own.get(name) == []:
            words = f"空的列表不会去掉底稿里的内容，请写 based_on 的 without: {{{name}: […]}}"
            faults.append(fault(words, f"an empty list drops nothing: name the codes in based_on, without: {{{name}: […]}}", (name,)))
        codes, mine = {one["code"] for one in base.get(name, [])}, {one["code"] for one in own.get(name, [])}
        for i, code in enumerate(without.get(name, [])):
            if code not in codes:
                words, english = f"底稿里没有代码为 {code} 的一条", f"the plan it is based on has none with the code {code}"
                faults.append(fault(words, english, ("based_on", "without", name, i)))
            elif code in mine:
                words = f"{code} 在这份文件里又写了，去掉或改写只能选一样"
                faults.append(fault(words, f"{code} is written in this file too: drop it or change it", ("based_on", "without", name, i)))
        if name in without:
            made[name] = [one for one in base.get(name, []) if one["code"] not in without[name]]
    faults += _counted_on(made.get("items", []), without, own)
    if faults:
        raise ScheduleError(faults)
    made |= _without_items(made, frozenset(without.get("items", ())))
    return {name: value for name, value in made.items() if name not in (*DROPPED, "exclusive") or value}


def _counted_on(items: list[Data], without: Mapping[str, list[str]], own: Data) -> Iterator[Fault]:
    """A dropped item that one which stays takes off its own amount: what it should count with then, only the office can say."""
    mine = {one["code"] for one in own.get("items", [])}
    steps = [(item["code"], step.get("less_items", ())) for item in items if item["code"] not in mine for step in item["steps"]]
    for i, code in enumerate(without.get("items", ())):
        for by in (by for by, less in steps if code in less):
            words = f"{by} 的 less_items 要扣除它；去掉它的，请在这份文件里改写 {by}"
            english = f"{by} takes it off (less_items): to drop it, write {by} anew in this file"
            yield fault(words, english, ("based_on", "without", "items", i))


def _without_items(base: Data, gone: frozenset[str]) -> dict[str, Any]:
    """What excludes items, or is excluded for some of them, as it stands when these are gone."""
    if not gone:
        return {}
    groups = [[code for code in group if code not in gone] for group in base.get("exclusive", [])]
    left = [(one, [code for code in one.get("items", ()) if code not in gone]) for one in base.get("exclusions", [])]
    return {
        "exclusive": [group for group in groups if len(group) > 1],
        "exclusions": [one | {"items": items} if items else one for one, items in left if items or "items" not in one],
    }


def _merged(base: Data, own: Data) -> dict[str, Any]:
    made = dict(base)
    for key, value in own.items():
        old = made.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            made[key] = _merged(_kept(key, value, old), value)
        elif isinstance(old, list) and _coded(value) and _coded(old):
            mine = {one["code"]: one for one in value}
            kept = [_changed(one, mine.pop(one["code"])) if one["code"] in mine else one for one in old]
            made[key] = [*kept, *mine.values()]
        else:
            made[key] = value
    return made


def _changed(base: Data, own: Data) -> dict[str, Any]:
    """One thing of a list as the office changes it. An item that waits no more has no waiting, one that is given some waits, and one that
    is given bands of waiting has no other length of it."""
    if any("wait" in step for step in own.get("steps", ())):
        lasts = {name: kept for name, kept in base.get("waiting", {}).items() if name not in ("days", "months")}
        base = {name: value for name, value in base.items() if name not in ("waits", "waiting")} | ({"waiting": lasts} if lasts else {})
    elif "waits" in own and not own["waits"]:
        base = {name: value for name, value in base.items() if name != "waiting"}
    elif "waiting" in own:
        base = {name: value for name, value in base.items() if name != "waits"}
    return _merged(base, own)


# What says how long cover lasts: written anew it replaces the old way whole.
LENGTH = ("rolling_months", "term_months", "term_from", "follows_on_within_days")


def _kept(key: str, own: Data, old: Data) -> Data:
    """What of the base stands beside what the office writes there. Of a thing that is written one way or the other (a fee, a deadline, a
    length of cover or of waiting) the new way replaces the old; what only stands beside it (from when a deadline counts, until when a fee
    is paid, when waiting is waived) stays."""
    said = set(own)
    if key == "period" and {"rolling_months", "term_months"} & said:
        gone = {*LENGTH}
    elif key == "waiting" and {"days", "months"} & said:
        gone = {"days", "months"}
    elif key == "contribution" and {"per_share", "classes"} & said:
        gone = {*old} - {"pay_within_days"}
    elif key == "claim_within" and said != set(old):
        gone = {*old} - ({"after"} if {"days", "months"} & said else set())
    else:
        gone = {*old} if key == "payers" else set()
    return {name: value for name, value in old.items() if name not in gone}


def _coded(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) and "code" in one for one in value)


def _side_by_side(own: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {"asks": [], "items": [], "exclusive": [], "exclusions": [], "documents": []}
    for part in parts:
        mark = part["code"]
        made["asks"] += [{**one, "code": f"{mark}.{one['code']}"} for one in part.get("asks", [])]
        made["items"] += [_within_shares(_item(item, mark, part, own), own) for item in part["items"]]
        made["exclusive"] += [[f"{mark}.{code}" for code in group] for group in part.get("exclusive", [])]
        made["exclusions"] += [_exclusion(one, mark, part) for one in part.get("exclusions", [])]
        made["documents"] = _papers(made["documents"], part.get("documents", []))
    for key, found in made.items():
        mine = own.get(key, [])
        codes = {one["code"] for one in mine} if _coded(mine) else set()
        found = [one for one in found if not (isinstance(one, Mapping) and one["code"] in codes)]
        if found or mine:
            own[key] = [*found, *mine]
    return own


def _as_a_whole(own: Data, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What the parts say alike of the plan as a whole, where the combo itself says nothing. ScheduleError when they differ."""
    said, faults = {}, []
    for name, usual in WHOLE.items():
        values = [part.get(name, usual) for part in parts]
        if name in own or all(value == usual for value in values):
            continue
        if any(value != values[0] for value in values):
            words = f"所包含的几份计划 {name} 不一样，请在这份文件里写明 {name}"
            faults.append(fault(words, f"the plans it includes differ in {name}: write {name} in this file", ("includes",)))
        said[name] = values[0]
    if faults:
        raise ScheduleError(faults)
    return said


def _papers(known: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The papers of one plan and those of the next: one of the same code is one paper, asked for whatever either asks it for."""
    made = {one["code"]: one for one in known}
    for one in more:
        made[one["code"]] = _paper(made[one["code"]], one) if one["code"] in made else one
    return list(made.values())


def _paper(a: Data, b: Data) -> dict[str, Any]:
    """One paper that two plans ask for: for the events of both, needed when either needs it, from the lower amount on."""
    made = {name: value for name, value in a.items() if name not in ("events", "required", "from_amount")}
    if "events" in a and "events" in b:
        made["events"] = list(dict.fromkeys([*a["events"], *b["events"]]))
    if not a.get("required", True) and not b.get("required", True):
        made["required"] = False
    if "from_amount" in a and "from_amount" in b:
        made["from_amount"] = min(a["from_amount"], b["from_amount"], key=Decimal)
    return made


def _item(item: Data, mark: str, part: Data, combo: Data) -> dict[str, Any]:
    made = {**item, "code": f"{mark}.{item['code']}", "steps": [_step(step, mark) for step in item["steps"]]}
    if "waiting" not in made and item.get("waits", True):
        made["waiting"] = part.get("waiting", {"days": 0})
    if gates := [*person_gates(part, combo), *item.get("gates", [])]:
        made["gates"] = gates
    return made


def _within_shares(item: Data, plan: Data) -> dict[str, Any]:
    """An item that comes from another plan counts no more shares than people may have in this one."""
    most = plan["enrolment"].get("shares", {}).get("max", 1)
    steps = [step | {"shares": min(step["shares"], most)} if "shares" in step else step for step in item["steps"]]
    return {**item, "steps": steps}


def _step(step: Data, mark: str) -> dict[str, Any]:
    made = dict(step)
    for name, value in step.items():
        if name == "declared":
            made[name] = f"{mark}.{value}"
        elif name == "less_items":
            made[name] = [f"{mark}.{code}" for code in value]
        elif isinstance(value, Mapping) and _counts(name, value):
            made[name] = {**value, "key": f"{mark}.{value.get('key', 'deductible' if name == 'deduct' else 'plan')}"}
    return made


def _counts(name: str, value: Data) -> bool:
    """Does this step count something over claims, under a name that another plan may use too?"""
    return (
        name == "ceiling"
        or (name in ("deduct", "marginal") and value.get("per") == "period")
        or (name == "per_day" and "max_days_in_period" in value)
    )


def _exclusion(one: Data, mark: str, part: Data) -> dict[str, Any]:
    items = one.get("items") or [item["code"] for item in part["items"]]
    return {**one, "code": f"{mark}.{one['code']}", "items": [f"{mark}.{code}" for code in items]}


# --- what only other plans, and the house, can show -----------------------------------------------------------------


def overlap_words(a: Schedule, b: Schedule, *, other_file: str) -> Words:
    """Two versions of one plan hold on the same days."""
    return Words(
        f"计划 {a.code} 的两期条款 {a.version} 与 {b.version} 保障期重叠（另一份文件：{other_file}）",
        f"the versions {a.version} and {b.version} of {a.code} overlap in time (the other file: {other_file})",
    )


def overlap_stored_words(schedule: Schedule, *, version: str, days: Period, closed: bool) -> Words:
    """Another version of the plan, published before (and perhaps closed since), holds on some of the same days."""
    first, last = days.start, plus_days(days.end, -1)
    return Words(
        f"计划 {schedule.code} 已有{'已结束' if closed else '已发布'}的一期条款 {version}（{first} 至 {last}），"
        f"保障期与 {schedule.version} 重叠",
        f"the {'closed' if closed else 'published'} version {version} of {schedule.code} ({first} to {last}) overlaps"
        f" {schedule.version} in time",
    )


def no_plan_words(code: str) -> Words:
    """Shares are to be counted together with a plan that nobody knows."""
    return Words(f"没有代码为 {code} 的计划", f"there is no plan with the code {code}")


def no_office_words(code: str) -> Words:
    """The plan belongs to an office that nobody knows."""
    return Words(f"没有代码为 {code} 的办事处", f"there is no office with the code {code}")
