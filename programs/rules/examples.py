"""A plan's own worked examples: what it says it pays and charges, recomputed. Terms whose examples fail are not published.

An example is a mapping with `name`, `expect` (yuan in quotes) and either `case` (a benefit) or `fee` (a contribution).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.assess import Assessment, assess
from programs.rules.casefile import AMOUNT, COUNT, DAY, TEXT, Kind, field_faults, no_term_words, situation
from programs.rules.facts import ZERO, PersonFacts
from programs.rules.faults import Fault, Path, ScheduleError, fault
from programs.rules.fees import NoFeeClass, chosen_split, participation_ok, split
from programs.rules.schedule import Schedule
from programs.rules.words import Words
from unionaid.lib.calendar import add_years
from unionaid.lib.money import round_half_up

FEE: dict[str, Kind] = {
    "heads": (
        lambda v: COUNT[0](v) or (isinstance(v, list) and all(isinstance(one, Mapping) for one in v)),
        "人数，或各类人员的列表，如 [{gender: male, count: 3}]",
        "a number of people, or a list of kinds of people like [{gender: male, count: 3}]",
    ),
    "payer": TEXT,
    "person_pays": AMOUNT,
    "shares": COUNT,
    "term_months": COUNT,
    "joined_on": DAY,
    "eligible_staff": COUNT,
}
HEAD: dict[str, Kind] = {
    "count": COUNT,
    "gender": TEXT,
    "card_holder": (lambda v: isinstance(v, bool), "true 或 false", "true or false"),
    "risk": TEXT,
    "unit_nature": TEXT,
    "relation": TEXT,
    "group": TEXT,
}


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example that does not come out as it says, and which of the plan's examples it is (from 0)."""

    index: int
    name: str
    expected: Decimal
    found: Decimal

    @property
    def words(self) -> Words:
        """What it says and what comes out."""
        return Words(
            f"算例“{self.name}”写的是 {self.expected} 元，按条款算出来是 {self.found} 元",
            f"the example “{self.name}” should give {self.expected} and gives {self.found}",
        )


def check_examples(schedule: Schedule) -> list[ExampleFailure]:
    """Every example that fails; empty when the plan keeps its word. ScheduleError for a malformed example."""
    failures = []
    for i, example in enumerate(schedule.examples):
        expected = Decimal(example["expect"])
        found = run_example(schedule, example, ("examples", i))
        if found != expected:
            failures.append(ExampleFailure(i, example["name"], expected, found))
    return failures


def run_example(schedule: Schedule, example: Mapping[str, Any], path: Path = ("example",)) -> Decimal:
    """What this example comes to, in yuan."""
    if ("case" in example) == ("fee" in example):
        raise ScheduleError([fault("写 case（给付）或 fee（缴费）之一", "write one of case (a benefit) and fee (a contribution)", path)])
    if "case" in example:
        return assess_case(schedule, example["case"], (*path, "case")).total
    return _fee(schedule, example["fee"], (*path, "fee"))


def assess_case(schedule: Schedule, data: Any, path: Path = ("case",)) -> Assessment:
    """Assess a case written as data (`casefile.py`)."""
    told = situation(schedule, data, path)
    return assess(schedule, person=told.person, cover=told.cover, case=told.case, prior=told.prior)


def _fee(schedule: Schedule, data: Mapping[str, Any], path: Path) -> Decimal:
    """All heads × class × shares, of one payer or of all; nothing when too few of the unit join."""
    if faults := list(field_faults(data, FEE, path)):
        raise ScheduleError(faults)
    heads = data.get("heads", 1)
    kinds = [{"count": heads}] if isinstance(heads, int) else heads
    if faults := list(_head_faults(kinds, (*path, "heads"))):
        raise ScheduleError(faults)
    if faults := list(_number_faults(schedule, data, sum(one["count"] for one in kinds), path)):
        raise ScheduleError(faults)
    rule = schedule.enrolling.unit
    if rule is not None and "eligible_staff" in data:
        if not participation_ok(rule, staff=data["eligible_staff"], enrolling=sum(one["count"] for one in kinds)):
            return Decimal("0.00")
    months = data.get("term_months", next(iter(schedule.terms), None))
    if "term_months" in data and months not in schedule.terms:
        raise ScheduleError([fault(*no_term_words(data["term_months"]), (*path, "term_months"))])
    chosen = _chosen(schedule, data, months, (*path, "person_pays"))
    start = _first_day(schedule, data, months, path)
    total = ZERO
    for one in kinds:
        told: dict[str, Any] = {key: value for key, value in one.items() if key != "count"}
        ordinary: dict[str, Any] = {"gender": "male", "birth_date": add_years(schedule.period.start, -40)}
        person = PersonFacts(**ordinary | told)
        try:
            shares = data.get("shares", 1)
            by_payer = split(schedule, person, shares, default="unit", starts_on=start, term_months=months, person_pays=chosen)
        except NoFeeClass as error:
            raise ScheduleError([fault(f"没有适用的缴费标准（{error}）", f"no contribution fits ({error})", path)]) from None
        amount = by_payer.get(data["payer"], ZERO) if "payer" in data else sum(by_payer.values(), ZERO)
        total += amount * one["count"]
    return round_half_up(total)


def _number_faults(schedule: Schedule, data: Mapping[str, Any], heads: int, path: Path) -> Iterator[Fault]:
    """More shares than anybody may have, where the plan refuses the surplus; more people than the unit has."""
    most, shares = schedule.enrolling.max_shares, data.get("shares", 1)
    if shares > most and not schedule.enrolling.surplus_void:
        zh, en = f"每人最多 {most} 份，多的不予受理", f"nobody has more than {most}, and more is refused"
        yield fault(zh, en, (*path, "shares"))
    if heads > data.get("eligible_staff", heads):
        zh, en = f"少于参加的 {heads} 人", f"is less than the {heads} who join"
        yield fault(zh, en, (*path, "eligible_staff"))


def _first_day(schedule: Schedule, data: Mapping[str, Any], months: int | None, path: Path) -> date | None:
    """The first day of cover of whoever joins on the day an example names: by it the contribution of part of a period goes, as it does
    when somebody really joins. None when the example names no day."""
    if "joined_on" not in data:
        return None
    cover = schedule.cover(on=date.fromisoformat(data["joined_on"]), term_months=months)
    if cover is None:
        words = "这一天参加，本期没有剩余的保障日", "who joins on this day has no day of cover left"
        raise ScheduleError([fault(*words, (*path, "joined_on"))])
    return cover.start


def _chosen(schedule: Schedule, data: Mapping[str, Any], months: int | None, path: Path) -> Decimal | None:
    """The person's part that the unit set in an example, within what the plan lets it."""
    if "person_pays" not in data:
        return None
    amount, choice = Decimal(data["person_pays"]), chosen_split(schedule, term_months=months)
    if choice is None:
        raise ScheduleError([fault("本计划不由单位选个人缴多少", "the unit of this plan has no such choice", path)])
    if not choice.least <= amount <= choice.most:
        zh, en = f"应在 {choice.least} 到 {choice.most} 元之间", f"is to lie between {choice.least} and {choice.most}"
        raise ScheduleError([fault(zh, en, path)])
    return amount


def _head_faults(kinds: Sequence[Mapping[str, Any]], path: Path) -> Iterator[Fault]:
    for i, one in enumerate(kinds):
        yield from field_faults(one, HEAD, (*path, i))
        if "count" not in one:
            yield fault("缺少这个字段：有多少人", "is missing: how many people", (*path, i, "count"))
