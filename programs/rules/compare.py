"""Two versions of terms side by side: in sentences, field by field, and by the same examples under both.

Items, documents, exclusions and examples are matched by their code or name, steps by what they do; the order in which
a plan lists its items means nothing and is not compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from programs.rules import outline
from programs.rules.casefile import CASE, DAY
from programs.rules.examples import FEE, run_example
from programs.rules.faults import Path, ScheduleError
from programs.rules.fields import COUNTS, VALUE_WORDS, difference_words, field_words, key_words, value_words
from programs.rules.outline import EVENT_WORDS
from programs.rules.parse import parse
from programs.rules.schedule import Document, Schedule
from programs.rules.shape import Shape, plan_shape
from programs.rules.words import Words
from unionaid.lib.calendar import plus_days, plus_months

Data = Mapping[str, Any]
Names = Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same. `path`: its place, things with a code by their code; `words`: what it is called, from
    the whole to the part; before and after are None where the field does not stand. `change`: by how much an amount or
    ratio differs."""

    path: Path
    words: tuple[Words, ...]
    before: Words | None
    after: Words | None
    change: Words | None = None
    money: bool = False


def differences(a: Data, b: Data, *, names: Names | None = None) -> list[Difference]:
    """Every field in which two complete terms differ, in the order of the format. `names`: what else has a name (offices,
    by their code)."""
    known = {**(names or {}), **_names(a), **_names(b)}
    items = {item.code: _joined(_item_lines(one, item.code)) for one in (parse(a), parse(b)) for item in one.items}
    numbers = frozenset(ask["code"] for one in (a, b) for ask in one.get("asks", ()) if ask["in"] == "count")
    return [one for key in plan_shape().fields for one in _compare(_Place.top(key, known, items, numbers), a.get(key), b.get(key))]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the plan we are: the path, the words for it, what stands here, the names that the plans themselves give, and
    whole items in sentences. `numbers`: the declared figures that are numbers of something; `counts`: this is about one of them."""

    path: Path
    words: tuple[Words, ...]
    shape: Shape
    field: str
    names: Names
    items: Names
    numbers: frozenset[str]
    counts: bool = False

    @classmethod
    def top(cls, key: str, names: Names, items: Names, numbers: frozenset[str]) -> "_Place":
        return cls((key,), (field_words(key),), plan_shape().field(key), key, names, items, numbers)

    def into(self, key: str) -> "_Place":
        known = key in self.shape.fields
        words = field_words(key, self.field) if known else key_words(key, self.field, self.names)
        return replace(
            self, path=(*self.path, key), words=(*self.words, words), shape=self.shape.field(key), field=key if known else self.field
        )

    def member(self, key: str | int, words: Words) -> "_Place":
        """One thing of this list; it is called by its own name instead of the list's."""
        return replace(self, path=(*self.path, key), words=(*self.words[:-1], words), shape=self.shape.member)


def _compare(at: _Place, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping) and at.shape.kind not in ("words", "example"):
        for key in at.shape.in_order({**old, **new}):
            yield from _compare(at.into(key), old.get(key), new.get(key))
    elif all(value is None or _things(value) for value in (old, new)):
        yield from _compare_lists(at, old or [], new or [])
    else:
        yield _difference(at, old, new)


def _difference(at: _Place, old: Any, new: Any) -> Difference:
    kinds = {at.shape.of(value).kind for value in (old, new) if value is not None}
    kind = kinds.pop() if len(kinds) == 1 else ""
    before, after = (None if value is None else _said(at, value) for value in (old, new))
    counts = at.counts and at.field in COUNTS
    change = difference_words(old, new, kind, counts=counts) if None not in (old, new) else None
    return Difference(at.path, at.words, before, after, change, kind in ("amount", "ratio"))


def _things(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) for one in value)


def _compare_lists(at: _Place, old: Sequence[Data], new: Sequence[Data]) -> Iterator[Difference]:
    before, after = (_keyed(at, value) for value in (old, new))
    if at.field == "steps":
        yield from _order(at, list(before), list(after))
    for key in dict.fromkeys((*before, *after)):
        x, y = before.get(key), after.get(key)
        one = at.member(key, _called(at, key, y or x or {}))
        if at.field in ("asks", "items"):
            one = replace(one, counts=_counts(y or x or {}, at.numbers))
        if at.field in ("steps", "gates"):
            name = _what(y or x or {})
            part = replace(one, path=(*one.path, name), shape=one.shape.field(name), field=name)
            yield from _compare(part, (x or {}).get(name), (y or {}).get(name))
            if x and y:
                yield from _compare(one.into("clause"), x.get("clause"), y.get("clause"))
        else:
            yield from _compare(one, x, y)


def _counts(one: Data, numbers: frozenset[str]) -> bool:
    """Is this a figure told in numbers, or a benefit that begins with one?"""
    begin = one["steps"][0].get("declared") if "steps" in one else one["code"]
    return begin in numbers


def _order(at: _Place, before: list[str | int], after: list[str | int]) -> Iterator[Difference]:
    """Steps that both have, in another order: the amounts may differ though every step is the same."""
    same_before, same_after = [key for key in before if key in after], [key for key in after if key in before]
    if same_before != same_after:
        told = [[_called(at, key, {}) for key in keys] for keys in (same_before, same_after)]
        said = [Words(" → ".join(w.zh for w in words), " → ".join(w.en for w in words)) for words in told]
        yield Difference(at.path, (*at.words[:-1], Words("步骤顺序", "order of the steps")), said[0], said[1])


def _keyed(at: _Place, things: Sequence[Data]) -> dict[str | int, Data]:
    """Each thing by what it is matched with; a second one of the same kind gets a number."""
    found: dict[str | int, Data] = {}
    for i, one in enumerate(things):
        key = _key(at, one, i)
        while key in found:
            key = f"{key}'"
        found[key] = one
    return found


def _key(at: _Place, one: Data, i: int) -> str | int:
    if "code" in one:
        return str(one["code"])
    if at.field in ("steps", "gates"):
        name = _what(one)
        value = one[name]
        return f"{name}:{value['scope']}:{value.get('key', 'plan')}" if name == "ceiling" else name
    if at.field == "examples":
        return str(one["name"])
    told = [f"{key}={one[key]}" for key in _TELLING.get(at.field, ()) if key in one]
    return ",".join(told) if at.field in _TELLING else i


# By which fields the unnamed things of a list are told apart.
_TELLING = {
    "ages": ("relation", "gender", "renewal", "group"),
    "age_at_start": ("relation", "gender", "renewal", "group"),
    "late": ("who", "after"),
    "classes": ("gender", "card_holder", "risk", "unit_nature", "relation", "group", "term_months", "joined_from", "joined_to"),
}


def _what(one: Data) -> str:
    """The step or condition that a line names."""
    return next(key for key in one if key != "clause")


def _called(at: _Place, key: str | int, one: Data) -> Words:
    """What one thing of a list is called."""
    whole = field_words(at.field)
    if at.field in ("steps", "gates"):
        name = str(key).partition(":")[0].rstrip("'")
        words = field_words(name, at.field)
        scope = VALUE_WORDS["scope"].get(str(key).partition(":")[2].partition(":")[0]) if name == "ceiling" else None
        return Words(f"{words.zh}（{scope.zh}）", f"{words.en} ({scope.en})") if scope else words
    if isinstance(key, int):
        return Words(f"第 {key + 1} 段", f"band {key + 1}")
    if at.field in _TELLING:
        told = [_said(at.member(key, whole).into(name), one[name]) for name in _TELLING[at.field] if name in one]
        zh, en = "，".join(w.zh for w in told), ", ".join(w.en for w in told)
        return Words(f"{whole.zh}（{zh}）", f"{whole.en} ({en})") if told else whole
    name = one.get("name", key)
    own = Words(name["zh"], name["en"]) if isinstance(name, Mapping) else Words(str(name), str(name))
    return Words(f"{whole.zh}“{own.zh}”", f"{whole.en} “{own.en}”")


def _said(at: _Place, value: Any) -> Words:
    """What stands here, in words."""
    at = replace(at, shape=at.shape.of(value))
    if at.shape.kind == "words":
        return Words(value["zh"], value["en"])
    if at.shape.kind == "example":
        return value_words(value["expect"], "amount", "expect", at.names)
    if at.field == "items" and isinstance(value, Mapping):
        return at.items[value["code"]]
    if isinstance(value, Mapping):
        told_already = ("code", "name") if "code" in value else _TELLING.get(at.field, ())
        told = [(at.into(key), value[key]) for key in at.shape.in_order(value) if key not in told_already]
        pairs = [(place.words[-1], _said(place, inner)) for place, inner in told]
        return Words("；".join(f"{n.zh}：{v.zh}" for n, v in pairs), "; ".join(f"{n.en}: {v.en}" for n, v in pairs))
    if isinstance(value, list):
        parts = [_said(replace(at, shape=at.shape.member), one) for one in value]
        wide = bool(value) and isinstance(value[0], Mapping | list)
        return Words(("／" if wide else "、").join(w.zh for w in parts), (" / " if wide else ", ").join(w.en for w in parts))
    return value_words(value, at.shape.kind, at.field, at.names, counts=at.counts)


def _names(data: Data) -> dict[str, Words]:
    """What the plan itself calls its items, circumstances and classes."""
    found = {one["code"]: _words(one["name"]) for one in data.get("items", ())}
    found |= {one["circumstance"]: _words(one["name"]) for one in data.get("exclusions", ()) if "circumstance" in one}
    for item in data.get("items", ()):
        for step in item["steps"]:
            for name in ("table", "scale"):
                found |= {key: _words(label) for key, label in step.get(name, {}).get("labels", {}).items()}
    return found


def _words(name: Data) -> Words:
    return Words(name["zh"], name["en"])


# --- in sentences ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """The same line of both versions; None where one has no such line."""

    before: Words | None
    after: Words | None

    @property
    def same(self) -> bool:
        return self.before == self.after


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of both versions about one thing."""

    title: Words
    rows: tuple[Row, ...]

    @property
    def same(self) -> bool:
        return all(row.same for row in self.rows)


def side_by_side(a: Schedule, b: Schedule) -> list[Section]:
    """The sentences of both versions, those about the same thing beside each other."""
    made = [
        (Words("简介", "summary"), [[one.summary] for one in (a, b)]),
        (Words("谁可以参加", "who may join"), [outline.joining_lines(one) for one in (a, b)]),
        (Words("互助费", "contribution"), [outline.fee_lines(one) for one in (a, b)]),
        (Words("保障时间", "length of cover"), [[outline.cover_words(one), *outline.survival_lines(one)] for one in (a, b)]),
        (Words("等待期和申领期限", "waiting and time to claim"), [[outline.waiting_words(s), outline.deadline_words(s)] for s in (a, b)]),
        (Words("审核与公示", "review and notice"), [outline.deciding_lines(one) for one in (a, b)]),
    ]
    items = {item.code: item.name for one in (a, b) for item in one.items}
    made += [(name, [_item_lines(one, code) for one in (a, b)]) for code, name in items.items()]
    made += [
        (Words("不给付和互相排斥的项目", "what is not paid"), [outline.exclusion_lines(one) for one in (a, b)]),
        (Words("需要的材料", "documents"), [[_paper(paper) for paper in one.documents] for one in (a, b)]),
    ]
    return [Section(title, tuple(_aligned(*lines))) for title, lines in made if any(lines)]


def _item_lines(schedule: Schedule, code: str) -> list[Words]:
    for item in schedule.items:
        if item.code == code:
            events = [EVENT_WORDS[event] for event in item.events]
            zh, en = "、".join(w.zh for w in events), ", ".join(w.en for w in events)
            return [Words(f"{item.name.zh}（{item.clause}）：{zh}", f"{item.name.en} ({item.clause}): {en}"), *outline.item_lines(item)]
    return []


def _joined(lines: Sequence[Words]) -> Words:
    return Words("；".join(line.zh for line in lines), "; ".join(line.en for line in lines))


def _paper(paper: Document) -> Words:
    events = [EVENT_WORDS[event] for event in paper.events]
    zh = f"（{'、'.join(w.zh for w in events)}）" if events else ""
    en = f" ({', '.join(w.en for w in events)})" if events else ""
    less = Words("", "") if paper.required else Words("，有则提供", ", if there is one")
    return Words(f"{paper.name.zh}{zh}{less.zh}", f"{paper.name.en}{en}{less.en}")


def _aligned(a: Sequence[Words], b: Sequence[Words]) -> Iterator[Row]:
    for what, i, k, j, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if what == "equal":
            yield from (Row(one, one) for one in a[i:k])
            continue
        left, right = list(a[i:k]), list(b[j:m])
        for n in range(max(len(left), len(right))):
            yield Row(left[n] if n < len(left) else None, right[n] if n < len(right) else None)


# --- by example -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One example under both versions (yuan); None where it does not apply."""

    name: str
    before: Decimal | None
    after: Decimal | None


def recomputed(a: Schedule, b: Schedule) -> list[Recomputed]:
    """The examples of both plans under both. Days move with the period of cover, so that the case stays the same."""
    months, days = _apart(a, b)
    found: dict[str, Recomputed] = {}
    for example in a.examples:
        moved = _moved(example, months, days)
        found[example["name"]] = Recomputed(example["name"], _amount(a, example), _amount(b, moved))
    known = [{**_moved(example, months, days), "expect": ""} for example in a.examples]
    for example in b.examples:
        if {**example, "expect": ""} not in known:
            name = example["name"] if example["name"] not in found else f"{example['name']}（{b.version}）"
            found[name] = Recomputed(name, _amount(a, _moved(example, -months, -days)), _amount(b, example))
    return list(found.values())


def days_move(a: Schedule, b: Schedule) -> bool:
    """Does the same case lie on other days under the other version?"""
    return any(_apart(a, b))


def _apart(a: Schedule, b: Schedule) -> tuple[int, int]:
    """How far the periods of cover are apart, in months and days; not at all when they overlap."""
    if a.period.overlaps(b.period):
        return 0, 0
    first, second = a.period.start, b.period.start
    return 12 * (second.year - first.year) + second.month - first.month, second.day - first.day


_DAYS = frozenset(key for key, kind in (*CASE.items(), *FEE.items()) if kind is DAY)


def _moved(value: Any, months: int, days: int, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _moved(inner, months, days, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, months, days) for inner in value]
    if key in _DAYS and isinstance(value, str):
        return plus_days(plus_months(date.fromisoformat(value), months), days).isoformat()
    return value


def _amount(schedule: Schedule, example: Data) -> Decimal | None:
    try:
        return run_example(schedule, example)
    except ScheduleError:
        return None
