"""The terms of a plan as data: strict reading of a plan file into frozen dataclasses.

Unknown keys are refused with their path; so are amounts that are no decimals in quotes, bands that
overlap or leave a gap, ratios above 1, and items without a clause. See docs/plans.md for the format.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from programs.rules.facts import BASES
from unionaid.lib.calendar import Period, plus_days

CATEGORIES = (
    "inpatient",
    "critical_illness",
    "women",
    "accident",
    "children_accident",
    "outpatient",
    "medical",
    "combo",
)
EVENTS = (
    "admission",
    "outpatient",
    "diagnosis",
    "surgery",
    "accident_disability",
    "accident_death",
    "disease_death",
)
FUNDS = ("mutual_aid", "relief", "solace")
EMPLOYMENTS = ("enterprise", "institution", "institution_subsidised", "retired", "none")
RELATIONS = ("self", "spouse", "minor_child")
SCOPES = ("case", "period", "lifetime")
MAX_FILE = 256 * 1024


class ScheduleError(ValueError):
    """The plan file is refused: where (path in the data) and what was expected."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path, self.message = path, message


@dataclass(frozen=True, slots=True)
class Words:
    """A text in Chinese and English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.en if language.startswith("en") else self.zh


@dataclass(frozen=True, slots=True)
class AgeRule:
    """Completed years at the start of cover, both bounds inclusive, for a gender (or any) and renewals (or any)."""

    gender: str
    from_age: int
    to_age: int
    renewal: bool | None
    relation: str


@dataclass(frozen=True, slots=True)
class UnitRule:
    """How many of a unit must join: a share of all eligible staff, and all of them in small units."""

    min_ratio: Decimal
    all_headcount: int
    all_inclusive: bool
    same_shares: bool


@dataclass(frozen=True, slots=True)
class FeeClass:
    """The contribution per share for one class of person; the first class that fits holds."""

    gender: str
    card_holder: bool | None
    per_share: Decimal
    payers: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an amount: its name in the register of `steps.py` and its data."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of an item: its name in the register of `gates.py` and its data."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One benefit (保障项目): which events it answers to, on which conditions, and how much."""

    code: str
    name: Words
    clause: str
    fund: str
    events: tuple[str, ...]
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A paper that a claim needs for some events."""

    code: str
    name: Words
    events: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Days (or months) from the first day of cover in which nothing is paid; waived on continuous renewal."""

    days: int
    months: int
    waived_within_days: int | None


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Who may join, when, and how many shares."""

    opens: date
    closes: date
    individual: bool
    relations: tuple[str, ...]
    employments: tuple[str, ...]
    union_member: bool
    basic_insurance: bool
    gender: str
    ages: tuple[AgeRule, ...]
    max_shares: int
    unit: UnitRule | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The whole terms of one plan for one period."""

    code: str
    version: str
    name: Words
    category: str
    organiser_kind: str
    organiser_name: str
    office: str
    source_title: str
    source_note: str
    period: Period
    rolling_months: int
    enrolling: Enrolling
    fees: tuple[FeeClass, ...]
    waiting: Waiting
    items: tuple[Item, ...]
    exclusive: tuple[tuple[str, ...], ...]
    claim_days: int | None
    claim_until: tuple[tuple[str, date], ...]
    day_count: str
    documents: tuple[Document, ...]
    examples: tuple[Mapping[str, Any], ...]
    summary: Words

    def item(self, code: str) -> Item:
        return next(item for item in self.items if item.code == code)

    def documents_for(self, event: str) -> tuple[Document, ...]:
        """The papers asked for when this happened."""
        return tuple(d for d in self.documents if not d.events or event in d.events)

    @property
    def events(self) -> tuple[str, ...]:
        """Every event some item answers to, in the order of the items."""
        return tuple(dict.fromkeys(event for item in self.items for event in item.events))


class _StrictLoader(yaml.SafeLoader):
    """YAML without aliases and without a key given twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ScheduleError(f"line {mark.line + 1}", "aliases (*name) are not allowed in plan files")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise ScheduleError(f"line {key_node.start_mark.line + 1}", f"the key {key!r} stands here twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_yaml(raw: bytes, *, source: str) -> dict[str, Any]:
    """The plan file as data. ScheduleError names the file and line for what is no plain UTF-8 YAML mapping."""
    if len(raw) > MAX_FILE:
        raise ScheduleError(source, f"a plan file has at most {MAX_FILE} bytes")
    try:
        text = raw.decode("utf-8")
        data = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (a SafeLoader, made stricter)
    except UnicodeDecodeError as error:
        raise ScheduleError(source, f"is not UTF-8 (byte {error.start})") from error
    except ScheduleError as error:
        raise ScheduleError(f"{source}, {error.path}", error.message) from error
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}, line {mark.line + 1}" if mark else source
        raise ScheduleError(where, f"is not readable YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(data, dict):
        raise ScheduleError(source, "a plan file is a mapping of keys")
    return data


def content_hash(data: Mapping[str, Any]) -> str:
    """SHA-256 of the terms in one canonical form: what a stored decision refers to."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class _Reader:
    """Reads one mapping: every key must be asked for; what is left over is refused by name."""

    def __init__(self, data: Any, path: str) -> None:
        if not isinstance(data, Mapping):
            raise ScheduleError(path, "expected a mapping")
        self.data, self.path, self.seen = data, path, set[str]()

    def _get(self, key: str, default: Any) -> Any:
        self.seen.add(key)
        if key not in self.data:
            if default is _REQUIRED:
                raise ScheduleError(f"{self.path}.{key}", "is missing")
            return default
        return self.data[key]

    def text(self, key: str, default: Any = None) -> str:
        value = self._get(key, _REQUIRED if default is None else default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise ScheduleError(f"{self.path}.{key}", "expected a text")
        return value

    def choice(self, key: str, options: Sequence[str], default: Any = None) -> str:
        value = self.text(key, default)
        if value not in options:
            raise ScheduleError(f"{self.path}.{key}", f"expected one of {', '.join(options)}, found {value!r}")
        return value

    def whole(self, key: str, default: Any = None, *, at_least: int = 0) -> int:
        value = self._get(key, _REQUIRED if default is None else default)
        if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
            raise ScheduleError(f"{self.path}.{key}", f"expected a whole number, at least {at_least}")
        return value

    def switch(self, key: str, default: bool | None = False) -> Any:
        value = self._get(key, default)
        if value is not None and not isinstance(value, bool):
            raise ScheduleError(f"{self.path}.{key}", "expected true or false")
        return value

    def amount(self, key: str, default: Any = None, *, below: Decimal | None = None) -> Decimal:
        return decimal_of(self._get(key, _REQUIRED if default is None else default), f"{self.path}.{key}", below)

    def day(self, key: str) -> date:
        value = self._get(key, _REQUIRED)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise ScheduleError(f"{self.path}.{key}", "expected a day like 2026-01-01") from None
        if type(value) is not date:
            raise ScheduleError(f"{self.path}.{key}", "expected a day like 2026-01-01")
        return value

    def many(self, key: str, default: Any = None) -> Sequence[Any]:
        value = self._get(key, _REQUIRED if default is None else default)
        if not isinstance(value, list):
            raise ScheduleError(f"{self.path}.{key}", "expected a list")
        return value

    def choices(self, key: str, options: Sequence[str], default: Any = None) -> tuple[str, ...]:
        values = self.many(key, default)
        for i, value in enumerate(values):
            if value not in options:
                raise ScheduleError(f"{self.path}.{key}[{i}]", f"expected one of {', '.join(options)}")
        return tuple(values)

    def below(self, key: str, default: Any = None) -> "_Reader":
        return _Reader(self._get(key, _REQUIRED if default is None else default), f"{self.path}.{key}")

    def words(self, key: str, default: Any = None) -> Words:
        inner = self.below(key, default)
        words = Words(inner.text("zh", default and ""), inner.text("en", default and ""))
        inner.close()
        return words

    def has(self, key: str) -> bool:
        return key in self.data

    def close(self) -> None:
        left = [key for key in self.data if key not in self.seen]
        if left:
            raise ScheduleError(f"{self.path}.{left[0]}", "is not a key of this place")


_REQUIRED = object()


def decimal_of(value: Any, path: str, below: Decimal | None = None) -> Decimal:
    """A decimal written in quotes, not negative, at most `below`; binary floats and exponents are refused."""
    if not isinstance(value, str) or not value.replace(".", "", 1).isascii() or not value.replace(".", "", 1).isdigit():
        raise ScheduleError(path, 'expected a number in quotes that is not negative, like "0.80"')
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ScheduleError(path, "expected a number in quotes") from error
    if below is not None and number > below:
        raise ScheduleError(path, f"must not be above {below}")
    return number


def parse(data: Mapping[str, Any]) -> Schedule:
    """The schedule that these data say. ScheduleError with the path of the first thing that is not as it must be."""
    top = _Reader(data, "plan")
    if top.whole("format") != 1:
        raise ScheduleError("plan.format", "expected 1")
    organiser, source, period = top.below("organiser"), top.below("source"), top.below("period")
    start, end = period.day("start"), period.day("end")
    if end < start:
        raise ScheduleError("plan.period.end", "lies before the start")
    claim = top.below("claim_within", {})
    schedule = Schedule(
        code=top.text("code"),
        version=top.text("version"),
        name=top.words("name"),
        summary=top.words("summary"),
        category=top.choice("category", CATEGORIES),
        organiser_kind=organiser.choice("kind", ("federation", "national_society")),
        organiser_name=organiser.text("name"),
        office=top.text("office", ""),
        source_title=source.text("title"),
        source_note=source.text("note", ""),
        period=Period(start, plus_days(end, 1)),
        rolling_months=period.whole("rolling_months", 0),
        enrolling=_enrolling(top.below("enrolment")),
        fees=_fees(top.below("contribution")),
        waiting=_waiting(top.below("waiting", {})),
        items=_items(top),
        exclusive=tuple(tuple(group) for group in top.many("exclusive", [])),
        claim_days=claim.whole("days", 0) or None,
        claim_until=tuple(
            (key, _Reader({"d": value}, f"plan.claim_within.until.{key}").day("d"))
            for key, value in claim.below("until", {}).data.items()
        ),
        day_count=top.choice("day_count", ("count_first", "count_both"), "count_first"),
        documents=tuple(_document(d, f"plan.documents[{i}]") for i, d in enumerate(top.many("documents", []))),
        examples=tuple(top.many("examples", [])),
    )
    for reader in (organiser, source, period, claim, top):
        reader.close()
    _cross_check(schedule)
    return schedule


def _enrolling(reader: _Reader) -> Enrolling:
    unit = reader.below("unit", {}) if reader.has("unit") else None
    if not reader.has("unit"):
        reader.seen.add("unit")
    shares = reader.below("shares", {"max": 1})
    made = Enrolling(
        opens=reader.day("opens"),
        closes=reader.day("closes"),
        individual=reader.switch("individual"),
        relations=reader.choices("relations", RELATIONS, ["self"]),
        employments=reader.choices("employment", EMPLOYMENTS, ["enterprise", "institution"]),
        union_member=reader.switch("union_member", True),
        basic_insurance=reader.switch("basic_insurance", True),
        gender=reader.choice("gender", ("any", "male", "female"), "any"),
        ages=tuple(_age(a, f"{reader.path}.ages[{i}]") for i, a in enumerate(reader.many("ages", []))),
        max_shares=shares.whole("max", at_least=1),
        unit=_unit_rule(unit) if unit else None,
    )
    shares.close()
    reader.close()
    if made.closes < made.opens:
        raise ScheduleError(f"{reader.path}.closes", "lies before the opening day")
    return made


def _age(data: Any, path: str) -> AgeRule:
    reader = _Reader(data, path)
    rule = AgeRule(
        gender=reader.choice("gender", ("any", "male", "female"), "any"),
        from_age=reader.whole("from"),
        to_age=reader.whole("to"),
        renewal=reader.switch("renewal", None),
        relation=reader.choice("relation", ("any", *RELATIONS), "any"),
    )
    reader.close()
    if rule.to_age < rule.from_age:
        raise ScheduleError(f"{path}.to", "is below the lower age")
    return rule


def _unit_rule(reader: _Reader) -> UnitRule:
    small = reader.below("all_must_join", {})
    rule = UnitRule(
        min_ratio=reader.amount("min_ratio", "0", below=Decimal(1)),
        all_headcount=small.whole("headcount", 0),
        all_inclusive=small.choice("compare", ("<", "<="), "<=") == "<=",
        same_shares=reader.switch("same_shares"),
    )
    small.close()
    reader.close()
    return rule


def _fees(reader: _Reader) -> tuple[FeeClass, ...]:
    classes = reader.many("classes", []) or [dict(reader.data)]
    if reader.has("classes"):
        reader.close()
    return tuple(_fee(c, f"{reader.path}.classes[{i}]") for i, c in enumerate(classes))


def _fee(data: Any, path: str) -> FeeClass:
    reader = _Reader(data, path)
    payers = reader.below("payers", {})
    made = FeeClass(
        gender=reader.choice("gender", ("any", "male", "female"), "any"),
        card_holder=reader.switch("card_holder", None),
        per_share=reader.amount("per_share"),
        payers=tuple((name, decimal_of(v, f"{path}.payers.{name}")) for name, v in payers.data.items()),
    )
    reader.close()
    if made.payers and sum(amount for _, amount in made.payers) != made.per_share:
        raise ScheduleError(f"{path}.payers", f"do not add up to {made.per_share}")
    return made


def _waiting(reader: _Reader) -> Waiting:
    within = reader.whole("waived_on_renewal_within_days", -1, at_least=-1)
    made = Waiting(reader.whole("days", 0), reader.whole("months", 0), within if within >= 0 else None)
    reader.close()
    return made


def _document(data: Any, path: str) -> Document:
    reader = _Reader(data, path)
    made = Document(
        reader.text("code"), reader.words("name"), reader.choices("events", EVENTS, []), reader.switch("required", True)
    )
    reader.close()
    return made


def _items(top: _Reader) -> tuple[Item, ...]:
    found = tuple(_item(item, f"plan.items[{i}]") for i, item in enumerate(top.many("items")))
    if not found:
        raise ScheduleError("plan.items", "a plan has at least one item")
    codes = [item.code for item in found]
    if len(set(codes)) != len(codes):
        raise ScheduleError("plan.items", "two items have the same code")
    return found


def _item(data: Any, path: str) -> Item:
    reader = _Reader(data, path)
    made = Item(
        code=reader.text("code"),
        name=reader.words("name"),
        clause=reader.text("clause"),
        fund=reader.choice("fund", FUNDS, "mutual_aid"),
        events=reader.choices("events", EVENTS),
        gates=tuple(
            Gate(*_single(g, f"{path}.gates[{i}]", GATE_READERS)) for i, g in enumerate(reader.many("gates", []))
        ),
        steps=tuple(
            Step(*_single(s, f"{path}.steps[{i}]", STEP_READERS)) for i, s in enumerate(reader.many("steps"))
        ),
        waits=reader.switch("waits", True),
    )
    reader.close()
    if not made.steps or not made.events:
        raise ScheduleError(path, "an item has at least one event and one step")
    return made


Read = Callable[[Any, str], Mapping[str, Any]]


def _single(data: Any, path: str, readers: Mapping[str, Read]) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(data, Mapping) or len(data) != 1:
        raise ScheduleError(path, "expected one name with its data")
    ((name, value),) = data.items()
    if name not in readers:
        raise ScheduleError(f"{path}.{name}", f"is unknown; known are {', '.join(sorted(readers))}")
    return name, readers[name](value, f"{path}.{name}")


def _read_take(value: Any, path: str) -> Mapping[str, Any]:
    if value not in BASES:
        raise ScheduleError(path, f"expected one of {', '.join(BASES)}")
    return {"base": value}


def _read_bands(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, list) or not value:
        raise ScheduleError(path, "expected a list of bands")
    bands, edge = [], Decimal(0)
    for i, raw in enumerate(value):
        reader = _Reader(raw, f"{path}[{i}]")
        over = reader.amount("over")
        up_to = reader.amount("up_to") if reader.data.get("up_to") is not None else None
        reader.seen.add("up_to")
        if over != edge:
            raise ScheduleError(f"{path}[{i}].over", f"leaves a gap or overlaps: the band before ends at {edge}")
        if up_to is None and i < len(value) - 1:
            raise ScheduleError(f"{path}[{i}].up_to", "only the last band is open")
        if up_to is not None and up_to <= over:
            raise ScheduleError(f"{path}[{i}].up_to", "is not above the lower edge")
        bands.append((over, up_to, reader.amount("ratio", below=Decimal(1))))
        reader.close()
        edge = up_to if up_to is not None else edge
    return {"bands": tuple(bands)}


def _read_ratio(value: Any, path: str) -> Mapping[str, Any]:
    return {"ratio": decimal_of(value, path, Decimal(1))}


def _read_deduct(value: Any, path: str) -> Mapping[str, Any]:
    reader = _Reader(value, path)
    made = {"amount": reader.amount("amount"), "per": reader.choice("per", ("admission", "case"))}
    reader.close()
    return made


def _read_ordinals(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, list) or not value:
        raise ScheduleError(path, "expected the ratios of the first, second … admission; the last one holds on")
    return {"ratios": tuple(decimal_of(v, f"{path}[{i}]", Decimal(1)) for i, v in enumerate(value))}


def _read_per_day(value: Any, path: str) -> Mapping[str, Any]:
    reader = _Reader(value, path)
    made = {
        "rate": reader.amount("rate"),
        "deductible_days": reader.whole("deductible_days", 0),
        "max_days": reader.whole("max_days", 0),
    }
    reader.close()
    return made


def _read_amount(value: Any, path: str) -> Mapping[str, Any]:
    return {"amount": decimal_of(value, path)}


def _read_table(value: Any, path: str) -> Mapping[str, Any]:
    reader = _Reader(value, path)
    by = reader.choice("by", ("diagnosis_class", "disability_grade"))
    amounts = reader.below("amounts")
    made = {"by": by, "amounts": {str(k): decimal_of(v, f"{path}.amounts.{k}") for k, v in amounts.data.items()}}
    labels = reader.below("labels", {})
    made["labels"] = {str(k): labels.words(k) for k in labels.data}
    reader.close()
    return made


def _read_shares(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, int) or value < 1:
        raise ScheduleError(path, "expected the greatest number of shares that count")
    return {"max": value}


def _read_wait(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, list) or not value:
        raise ScheduleError(path, "expected a list of bands of days")
    bands, expected = [], 1
    for i, raw in enumerate(value):
        reader = _Reader(raw, f"{path}[{i}]")
        first = reader.whole("from_day", at_least=1)
        last = reader.whole("to_day", at_least=1) if reader.data.get("to_day") is not None else None
        reader.seen.add("to_day")
        if first != expected or (last is None) != (i == len(value) - 1):
            raise ScheduleError(f"{path}[{i}]", f"the bands must follow one another: expected day {expected} next")
        bands.append((first, last, reader.amount("amount")))
        reader.close()
        expected = (last or 0) + 1
    return {"bands": tuple(bands)}


def _read_add_if_over(value: Any, path: str) -> Mapping[str, Any]:
    reader = _Reader(value, path)
    made = {
        "base": reader.choice("base", BASES),
        "over": reader.amount("over"),
        "amount": reader.amount("amount"),
    }
    reader.close()
    return made


def _read_ceiling(value: Any, path: str) -> Mapping[str, Any]:
    reader = _Reader(value, path)
    made = {
        "amount": reader.amount("amount"),
        "scope": reader.choice("scope", SCOPES),
        "key": reader.text("key", "plan"),
        "per_share": reader.switch("per_share"),
    }
    reader.close()
    return made


def _read_nothing(value: Any, path: str) -> Mapping[str, Any]:
    if value is not True:
        raise ScheduleError(path, "expected true")
    return {}


STEP_READERS: dict[str, Read] = {
    "take": _read_take,
    "deduct": _read_deduct,
    "ratio": _read_ratio,
    "marginal": _read_bands,
    "per_admission": _read_ordinals,
    "per_day": _read_per_day,
    "fixed": _read_amount,
    "table": _read_table,
    "shares": _read_shares,
    "wait": _read_wait,
    "add_if_over": _read_add_if_over,
    "less_paid": _read_nothing,
    "ceiling": _read_ceiling,
}


def _read_within(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, int) or value < 1:
        raise ScheduleError(path, "expected a number of days")
    return {"days": value}


def _read_prefixes(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise ScheduleError(path, "expected a list of code prefixes")
    return {"prefixes": tuple(value)}


def _read_grade(value: Any, path: str) -> Mapping[str, Any]:
    if value not in (1, 2, 3):
        raise ScheduleError(path, "expected a hospital grade 1, 2 or 3")
    return {"grade": value}


GATE_READERS: dict[str, Read] = {
    "death_within_days": _read_within,
    "diagnosis_in": _read_prefixes,
    "hospital_grade": _read_grade,
    "once_per_disease": _read_nothing,
}


def _cross_check(schedule: Schedule) -> None:
    codes = {item.code for item in schedule.items}
    for group in schedule.exclusive:
        for code in group:
            if code not in codes:
                raise ScheduleError("plan.exclusive", f"names the unknown item {code}")
    ceilings: dict[tuple[str, str], Decimal] = {}
    for item in schedule.items:
        for step in item.steps:
            if step.name == "ceiling":
                key = (step.data["scope"], step.data["key"])
                if ceilings.setdefault(key, step.data["amount"]) != step.data["amount"]:
                    raise ScheduleError(f"plan.items.{item.code}", f"ceiling {key[1]} has two different amounts")
