"""The rules of `eligibility.py` as SQL: one expression per rule that gives 'pass', 'fail' or 'unknown' for every row of a
table at once. PostgreSQL; text and parameters only, nothing is run here. What a unit must keep is one answer for a whole
roster: its people are counted in SQL (`members.selectors.whole_units`), and `judge_unit` itself judges.

Values never stand in the text: they are parameters (`%s`) in the order of the text. Names of columns come from the
calling code and must be plain. A rule that a plan does not have gives no expression, as `judge` gives no verdict for it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from programs.rules.eligibility import ADULT, late_by_hiring
from programs.rules.schedule import AgeRule, Gate, Item, Schedule
from programs.rules.whom import CONDITIONS, choosy
from unionaid.lib.calendar import add_years

Columns = Mapping[str, str]
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the parameters it holds, in order."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """The plan, the days, and where a fact stands in the table."""

    schedule: Schedule
    columns: Columns
    on: date
    cover_start: date

    def __getitem__(self, fact: str) -> str:
        name = self.columns[fact]
        if not _PLAIN.fullmatch(name):
            raise ValueError(f"no plain column name: {name}")
        return name


def verdict_sql(schedule: Schedule, columns: Columns, *, on: date, cover_start: date) -> tuple[str, list[Any]]:
    """A select list with one column per rule of the plan, named as in `judge`, and its parameters.

    `columns`: for every fact of a person (and `shares`) the column that holds it. KeyError when one is needed and missing.
    """
    table = _Table(schedule, columns, on, cover_start)
    made = [(rule, sql) for rule, make in RULES.items() if (sql := make(table)) is not None]
    text = ",\n".join(f'{sql.text} AS "{rule}"' for rule, sql in made)
    return text, [param for _rule, sql in made for param in sql.params]


def rules_of(schedule: Schedule) -> tuple[str, ...]:
    """The rules about a person that this plan has, in the order of `judge`."""
    on = schedule.enrolling.opens
    anywhere = dict.fromkeys(FACTS, "x")
    return tuple(rule for rule, make in RULES.items() if make(_Table(schedule, anywhere, on, on)) is not None)


def every_rule_passes(schedule: Schedule) -> str:
    """A condition over the columns that `verdict_sql` makes."""
    names = ", ".join(f'"{rule}"' for rule in rules_of(schedule))
    return f"'pass' = ALL (ARRAY[{names}])"


FACTS = (
    "birth_date", "gender", "employment", "union_member", "basic_insurance", "relation", "joined_unit_on", "renewal",
    "holder_employment", "insurance_type", "card_holder", "group", "contract_months", "retired_on", "shares_held", "shares",
)  # fmt: skip


# --- the rules about a person ---------------------------------------------------------------------------------------


def _passes(condition: str, *params: Any) -> Sql:
    """What is not surely so fails."""
    return Sql(f"CASE WHEN {condition} THEN 'pass' ELSE 'fail' END", params)


def _passes_if_told(fact: str, condition: str, *params: Any) -> Sql:
    """A fact that nobody has told leaves the rule unknown."""
    return Sql(f"CASE WHEN {fact} IS NULL THEN 'unknown' WHEN {condition} THEN 'pass' ELSE 'fail' END", params)


def _window(table: _Table) -> Sql:
    schedule, on = table.schedule, table.on
    opens, closes = schedule.enrolling.opens, schedule.enrolling.closes
    if opens <= on <= closes:
        return Sql("'pass'")
    if on < opens or on >= schedule.period.end:
        return Sql("'fail'")
    late = list(_late(table))
    unknown = f" WHEN {table['joined_unit_on']} IS NULL THEN 'unknown'" if late_by_hiring(schedule, on) else ""
    if not late:
        return Sql("'fail'")
    conditions = " OR ".join(one.text for one in late)
    return Sql(f"CASE WHEN {conditions} THEN 'pass'{unknown} ELSE 'fail' END", tuple(p for one in late for p in one.params))


def _late(table: _Table) -> Iterator[Sql]:
    """One condition for each way to come late that is still open on this day."""
    period, hired = table.schedule.period, table["joined_unit_on"]
    for rule in table.schedule.enrolling.late:
        parts: list[Sql] = []
        if rule.new_hires:
            parts.append(Sql(f"{hired} >= %s", (period.start,)))
        if rule.after_hiring:
            parts.append(Sql(f"({hired} + make_interval(months => %s, days => %s))::date >= %s", (rule.months, rule.days, table.on)))
        elif table.on > (rule.last_day(period, None) or period.start):
            continue
        joined = " AND ".join(part.text for part in parts) or "TRUE"
        yield Sql(f"({joined})", tuple(param for part in parts for param in part.params))


def _relation(table: _Table) -> Sql:
    return _passes(f"{table['relation']} = ANY(%s)", list(table.schedule.enrolling.relations))


def _minor(table: _Table) -> Sql | None:
    if "minor_child" not in table.schedule.enrolling.relations:
        return None
    youngest_adult = add_years(table.cover_start, -ADULT)
    return _passes(f"({table['relation']} <> 'minor_child' OR {table['birth_date']} > %s)", youngest_adult)


def _employment(table: _Table) -> Sql:
    own, holder, relation = table["employment"], table["holder_employment"], table["relation"]
    held = f"NULLIF(CASE WHEN {relation} = 'self' THEN {own} ELSE {holder} END, '')"
    rules = table.schedule.enrolling
    if not rules.renewal_employments:
        return _passes_if_told(held, f"{held} = ANY(%s)", list(rules.employments))
    either = f"{held} = ANY(%s) OR ({table['renewal']} AND {held} = ANY(%s))"
    return _passes_if_told(held, either, list(rules.employments), list(rules.renewal_employments))


def _retirement(table: _Table) -> Sql | None:
    first, before = table.schedule.enrolling.retired_from, table.schedule.enrolling.retired_before
    if first is None and before is None:
        return None
    own, holder, relation = table["employment"], table["holder_employment"], table["relation"]
    held, day = f"CASE WHEN {relation} = 'self' THEN {own} ELSE {holder} END", table["retired_on"]
    parts = [(f"{day} >= %s", first), (f"{day} < %s", before)]
    within = " AND ".join(text for text, bound in parts if bound)
    text = f"CASE WHEN {held} IS DISTINCT FROM 'retired' THEN 'pass' WHEN {day} IS NULL THEN 'unknown'"
    return Sql(f"{text} WHEN {within} THEN 'pass' ELSE 'fail' END", tuple(bound for _text, bound in parts if bound))


def _months_in_unit(table: _Table) -> Sql | None:
    months, hired = table.schedule.enrolling.min_months_in_unit, table["joined_unit_on"]
    if not months:
        return None
    return _passes_if_told(hired, f"({hired} + make_interval(months => %s))::date <= %s", months, table.cover_start)


def _contract(table: _Table) -> Sql | None:
    months, told = table.schedule.enrolling.min_contract_months, table["contract_months"]
    return _passes_if_told(told, f"{told} >= %s", months) if months else None


def _basic_insurance(table: _Table) -> Sql | None:
    answer = table["basic_insurance"]
    return _passes_if_told(answer, answer) if table.schedule.enrolling.basic_insurance else None


def _insurance_type(table: _Table) -> Sql | None:
    allowed, told = table.schedule.enrolling.insurance_types, table["insurance_type"]
    return _passes_if_told(told, f"{told} = ANY(%s)", list(allowed)) if allowed else None


def _union_member(table: _Table) -> Sql | None:
    answer = table["union_member"]
    return _passes_if_told(answer, answer) if table.schedule.enrolling.union_member else None


def _card_holder(table: _Table) -> Sql | None:
    answer = table["card_holder"]
    return _passes_if_told(answer, answer) if table.schedule.enrolling.card_holder else None


def _gender(table: _Table) -> Sql | None:
    wanted = table.schedule.enrolling.gender
    return None if wanted == "any" else _passes(f"{table['gender']} = %s", wanted)


def _any_of(conditions: Sequence[Sql], word: str = "OR") -> Sql:
    """These conditions, one of which (or, with AND, each) has to hold."""
    return Sql(f"({f' {word} '.join(one.text for one in conditions)})", tuple(param for one in conditions for param in one.params))


def _age(table: _Table) -> Sql | None:
    ages = table.schedule.enrolling.ages
    if not ages:
        return None
    sure, maybe = _ages(table, ages)
    return _passes(sure.text, *sure.params) if maybe is None else _sure_or_maybe(sure, maybe)


def _sure_or_maybe(sure: Sql, maybe: Sql) -> Sql:
    text = f"CASE WHEN {sure.text} THEN 'pass' WHEN {maybe.text} THEN 'unknown' ELSE 'fail' END"
    return Sql(text, (*sure.params, *maybe.params))


def _ages(table: _Table, ages: Sequence[AgeRule]) -> tuple[Sql, Sql | None]:
    """One of these ages surely holds; and it may, for whoever has not told their group (None: no age goes by the group)."""
    of_groups = [_band(table, rule, any_group=True) for rule in ages if rule.group]
    sure = _any_of([_band(table, rule) for rule in ages])
    return sure, _any_of([Sql(f"{table['group']} IS NULL"), _any_of(of_groups)], "AND") if of_groups else None


def _items(table: _Table) -> Sql | None:
    """Some item is for this person (`rules.whom`)."""
    items = table.schedule.items
    if not any(map(choosy, items)):
        return None
    if not all(map(choosy, items)):
        return Sql("'pass'")
    found = [_item(table, item) for item in items]
    sure, maybe = _any_of([one for one, _other in found]), [other for _one, other in found if other]
    return _sure_or_maybe(sure, _any_of(maybe)) if maybe else _passes(sure.text, *sure.params)


def _item(table: _Table, item: Item) -> tuple[Sql, Sql | None]:
    """The item is surely for this person; and it may be, for whoever has not told their group (None: no group matters)."""
    gates = [_gate(table, gate) for gate in item.gates if gate.name in CONDITIONS]
    sure = _any_of([one for one, _other in gates], "AND")
    if not any(other for _one, other in gates):
        return sure, None
    return sure, _any_of([_any_of([one, other]) if other else one for one, other in gates], "AND")


def _gate(table: _Table, gate: Gate) -> tuple[Sql, Sql | None]:
    if gate.name == "gender":
        return Sql(f"{table['gender']} = %s", (gate.data["gender"],)), None
    if gate.name == "relation":
        return Sql(f"{table['relation']} = ANY(%s)", (list(gate.data["relations"]),)), None
    return _ages(table, gate.data["ages"])


def _band(table: _Table, rule: AgeRule, *, any_group: bool = False) -> Sql:
    """An age from … to … on the first day of cover is a birth between two days."""
    youngest, too_old = add_years(table.cover_start, -rule.from_age), add_years(table.cover_start, -rule.to_age - 1)
    born = table["birth_date"]
    parts = [Sql(f"{born} <= %s AND {born} > %s", (youngest, too_old))]
    if rule.gender != "any":
        parts.append(Sql(f"{table['gender']} = %s", (rule.gender,)))
    if rule.relation != "any":
        parts.append(Sql(f"{table['relation']} = %s", (rule.relation,)))
    if rule.renewal is not None:
        parts.append(Sql(f"{table['renewal']} = %s", (rule.renewal,)))
    if rule.group and not any_group:
        parts.append(Sql(f"{table['group']} IS NOT DISTINCT FROM %s", (rule.group,)))
    return Sql(f"({' AND '.join(part.text for part in parts)})", tuple(param for part in parts for param in part.params))


def _shares(table: _Table) -> Sql:
    rules, shares = table.schedule.enrolling, table["shares"]
    if rules.together_with:
        held = table["shares_held"]
        void = f"{held} = 0 AND {shares} >= 1" if rules.surplus_void else "FALSE"
        return _passes(f"{void} OR {shares} BETWEEN 1 AND %s - {held}", rules.max_shares)
    return _passes(f"{shares} >= 1") if rules.surplus_void else _passes(f"{shares} BETWEEN 1 AND %s", rules.max_shares)


RULES: dict[str, Callable[[_Table], Sql | None]] = {
    "window": _window,
    "relation": _relation,
    "minor": _minor,
    "employment": _employment,
    "retirement": _retirement,
    "months_in_unit": _months_in_unit,
    "contract": _contract,
    "basic_insurance": _basic_insurance,
    "insurance_type": _insurance_type,
    "union_member": _union_member,
    "card_holder": _card_holder,
    "gender": _gender,
    "age": _age,
    "items": _items,
    "shares": _shares,
}
