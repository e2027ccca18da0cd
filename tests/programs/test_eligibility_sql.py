"""The rules in SQL say of every person what the rules in Python say, whatever the plan."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programs.rules import eligibility_sql
from programs.rules.combine import complete
from programs.rules.eligibility import judge, may_join
from programs.rules.eligibility_sql import FACTS, Sql, every_rule_passes, rules_of, verdict_sql
from programs.rules.facts import PersonFacts
from programs.rules.parse import parse
from programs.rules.planfile import read_folder, read_plan
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import add_years, plus_days, plus_months

CATALOGUE = Path(__file__).resolve().parents[2] / "programs" / "catalogue"
PLAN = read_plan((CATALOGUE / "shaanxi-yulin-medical.2026.yaml").read_bytes(), source="yulin").data
FILES = {(file.code, file.version): file for file in read_folder(CATALOGUE)[0]}
PEOPLE = 300
TYPES = {
    "birth_date": "date", "gender": "text", "employment": "text", "union_member": "boolean", "basic_insurance": "boolean",
    "relation": "text", "joined_unit_on": "date", "renewal": "boolean", "holder_employment": "text", "insurance_type": "text",
    "card_holder": "boolean", "group": "text", "contract_months": "integer", "retired_on": "date", "shares_held": "integer",
    "shares": "integer",
}  # fmt: skip
COLUMNS = {fact: f"people.{fact}" for fact in FACTS}
PLANS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _disagreements(schedule: Schedule, people: list[tuple[PersonFacts, int]], *, on: date, start: date) -> list[str]:
    """Where the two differ, person by person and rule by rule; both ask the same rules, in the same order."""
    verdicts, params = verdict_sql(schedule, COLUMNS, on=on, cover_start=start)
    told = [{**asdict(person), "shares": shares, "number": i} for i, (person, shares) in enumerate(people)]
    columns = ", ".join(f'"{fact}" {kind}' for fact, kind in TYPES.items())
    text = (
        f"WITH people AS (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS told(number integer, {columns})), "
        f"judged AS (SELECT number, {verdicts} FROM people) SELECT judged.*, {every_rule_passes(schedule)} FROM judged ORDER BY number"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [json.dumps(told, default=str), *params])
        rows = cursor.fetchall()
    assert len(rows) == len(people)
    found = []
    for (person, shares), row in zip(people, rows, strict=True):
        expected = judge(schedule, person=person, on=on, cover_start=start, shares=shares)
        assert [verdict.rule for verdict in expected] == list(rules_of(schedule))
        for verdict, outcome in zip(expected, row[1:-1], strict=True):
            if verdict.outcome != outcome:
                found.append(f"{verdict.rule}: Python {verdict.outcome}, SQL {outcome}, {person}")
        if may_join(expected) != row[-1]:
            found.append(f"all: Python {may_join(expected)}, SQL {row[-1]}, {person}")
    return found


# --- plans and people -----------------------------------------------------------------------------------------------

days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
relations = ["self", "spouse", "minor_child"]
employments = ["enterprise", "institution", "institution_subsidised", "retired", "none"]
groups = ["senior", "hardship"]


def _some(options: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(options), min_size=1, max_size=len(options), unique=True)


@st.composite
def _late_rules(draw: st.DrawFn) -> dict[str, Any]:
    length = draw(st.sampled_from(["within_days", "within_months"]))
    return {
        "who": draw(st.sampled_from(["anyone", "new_hires"])),
        "after": draw(st.sampled_from(["period_start", "hired"])),
        length: draw(st.integers(0, 60) if length == "within_days" else st.integers(1, 6)),
    }


@st.composite
def _ages(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(0, 60))
    made: dict[str, Any] = {"from": low, "to": draw(st.integers(low, 120))}
    made["gender"] = draw(st.sampled_from(["any", "male", "female"]))
    made["relation"] = draw(st.sampled_from(["any", *relations]))
    if draw(st.booleans()):
        made["renewal"] = draw(st.booleans())
    if draw(st.booleans()):
        made["group"] = draw(st.sampled_from(groups))
    return made


@st.composite
def _for_whom(draw: st.DrawFn) -> dict[str, Any]:
    """For whom a single item is: for everybody, or as in a part of a combo."""
    gates: list[dict[str, Any]] = []
    if draw(st.booleans()):
        gates.append({"gender": draw(st.sampled_from(["male", "female"]))})
    if draw(st.booleans()):
        gates.append({"relation": draw(_some(relations))})
    if draw(st.booleans()):
        gates += [{"age_at_start": draw(st.lists(_ages(), min_size=1, max_size=2))} for _ in range(draw(st.integers(1, 2)))]
    return {"gates": gates} if gates else {}


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any rules of joining that a plan file may say."""
    opens, start = draw(days), draw(days)
    rules: dict[str, Any] = {
        "opens": str(opens),
        "closes": str(plus_days(opens, draw(st.integers(0, 200)))),
        "relations": draw(_some(relations)),
        "employment": draw(_some(employments)),
        "union_member": draw(st.booleans()),
        "basic_insurance": draw(st.booleans()),
        "card_holder": draw(st.booleans()),
        "min_contract_months": draw(st.sampled_from([0, 0, 1, 12])),
        "min_months_in_unit": draw(st.sampled_from([0, 0, 1, 6, 12])),
        "gender": draw(st.sampled_from(["any", "any", "male", "female"])),
        "shares": {"max": draw(st.integers(1, 5)), "surplus": draw(st.sampled_from(["refuse", "void"]))},
    }
    only_renewing = [kind for kind in employments if kind not in rules["employment"]]
    if only_renewing and draw(st.booleans()):
        rules["employment_on_renewal"] = draw(_some(only_renewing))
    if draw(st.booleans()):
        rules["insurance_types"] = draw(_some(["employee", "resident"]))
    if draw(st.booleans()):
        rules["late"] = draw(st.lists(_late_rules(), min_size=1, max_size=3))
    if draw(st.booleans()):
        rules["ages"] = draw(st.lists(_ages(), min_size=1, max_size=3))
    if draw(st.booleans()):
        rules["shares"]["together_with"] = ["another-plan"]
    if "retired" in [*rules["employment"], *rules.get("employment_on_renewal", [])] and draw(st.booleans()):
        first = draw(days)
        found = {"from": str(first), "before": str(plus_days(first, draw(st.integers(1, 400))))}
        rules["retired"] = {key: found[key] for key in draw(_some(["from", "before"]))}
    end = max(plus_days(start, draw(st.integers(0, 400))), date.fromisoformat(rules["closes"]))
    period = {"start": str(start), "end": str(end)}
    whom = draw(st.lists(_for_whom(), min_size=1, max_size=2))
    items = [{**PLAN["items"][0], "code": f"item{i}", **gates} for i, gates in enumerate(whom)]
    return parse({**PLAN, "items": items, "period": period, "enrolment": rules, "examples": []})


def _moments(schedule: Schedule) -> list[date]:
    """The days on which some answer may change, and their neighbours."""
    rules = schedule.enrolling
    edges = [rules.opens, rules.closes, schedule.period.start, schedule.period.end]
    edges += [last for late in rules.late if (last := late.last_day(schedule.period, schedule.period.start))]
    return sorted({plus_days(day, by) for day in edges for by in (-1, 0, 1)})


def _people(schedule: Schedule, chance: random.Random, *, on: date, start: date, count: int = PEOPLE) -> list[tuple[PersonFacts, int]]:
    """People around every edge of the plan: births on, before and after the birthdays that count, days of hiring likewise;
    every other fact told, or not."""
    ages = {age for rule in schedule.ages for age in (rule.from_age, rule.to_age, rule.to_age + 1)} | {0, 16, 17, 55, 60}
    births = [plus_days(add_years(start, -age), by) for age in sorted(ages) for by in (-1, 0, 1)]
    births += [date(2008, 2, 29), date(1964, 2, 29), plus_days(start, 40)]
    back = sorted({schedule.enrolling.min_months_in_unit, *(late.months for late in schedule.enrolling.late), 1})
    hired = [plus_days(plus_months(day, -months), by) for day in (on, start) for months in back for by in (-1, 0, 1)]
    hired += [plus_days(day, by - late.days) for late in schedule.enrolling.late for day in (on, start) for by in (-1, 0, 1)]
    hired += [plus_days(schedule.period.start, by) for by in (-1, 0, 1)] + [date(2024, 2, 29), date(2024, 8, 31)]
    bounds = (schedule.enrolling.retired_from, schedule.enrolling.retired_before)
    retired = [plus_days(day, by) for day in bounds if day for by in (-1, 0, 1)]
    pick = chance.choice
    return [
        (
            PersonFacts(
                birth_date=pick(births), gender=pick(["male", "female"]), employment=pick([*employments, "", None]),
                union_member=pick([True, False, None]), basic_insurance=pick([True, False, None]), relation=pick(relations),
                joined_unit_on=pick([*hired, None]), renewal=pick([True, False]), holder_employment=pick([*employments, "", None]),
                insurance_type=pick(["employee", "resident", None]), card_holder=pick([True, False, None]),
                group=pick([*groups, "ordinary", None, None]),
                contract_months=pick([None, 0, *(schedule.enrolling.min_contract_months + by for by in (-1, 0, 1))]),
                retired_on=pick([*retired, None]), shares_held=pick([0, 0, 1, 2, 5]) if schedule.enrolling.together_with else 0,
            ),
            pick([0, 1, 2, 3, 4, 5, 6]),
        )
        for _ in range(count)
    ]  # fmt: skip


seeds = st.integers(0, 2**32)  # of the people around the edges: 300 drawn one by one would be more than Hypothesis can hold
anyone = st.tuples(
    st.builds(
        PersonFacts,
        birth_date=st.dates(date(1900, 1, 1), date(2030, 12, 31)), gender=st.sampled_from(["male", "female"]),
        employment=st.none() | st.sampled_from([*employments, ""]), union_member=st.none() | st.booleans(),
        basic_insurance=st.none() | st.booleans(), relation=st.sampled_from(relations),
        joined_unit_on=st.none() | st.dates(date(1950, 1, 1), date(2030, 12, 31)), renewal=st.booleans(),
        card_holder=st.none() | st.booleans(), contract_months=st.none() | st.integers(0, 1200),
        holder_employment=st.none() | st.sampled_from([*employments, ""]),
        insurance_type=st.none() | st.sampled_from(["employee", "resident"]), risk=st.none(), unit_nature=st.none(),
        group=st.none() | st.sampled_from([*groups, "ordinary"]),
    ),
    st.integers(0, 99),
)  # fmt: skip


# --- the proof ------------------------------------------------------------------------------------------------------


@PLANS
@given(data=st.data())
def test_sql_and_python_agree_on_every_generated_person(db: None, data: st.DataObject) -> None:
    schedule = data.draw(schedules())
    on = data.draw(st.sampled_from(_moments(schedule)) | days)
    start = data.draw(st.sampled_from([schedule.period.start, plus_days(on, 1), date(2024, 2, 29), date(2027, 2, 28)]))
    people = _people(schedule, random.Random(data.draw(seeds)), on=on, start=start) + data.draw(st.lists(anyone, max_size=5))
    assert _disagreements(schedule, people, on=on, start=start) == []


@pytest.mark.parametrize("key", FILES, ids=lambda key: f"{key[0]}.{key[1]}")
def test_they_agree_on_every_plan_of_the_catalogue(db: None, key: tuple[str, str]) -> None:
    schedule = parse(complete(FILES[key], lambda code, version: FILES[code, version].data))
    for on in _moments(schedule):
        people = _people(schedule, random.Random(str(key)), on=on, start=schedule.period.start, count=100)
        assert _disagreements(schedule, people, on=on, start=schedule.period.start) == []


# --- the proof proves something -------------------------------------------------------------------------------------

EDGES = parse(
    {
        **PLAN,
        "examples": [],
        "items": [
            {
                **PLAN["items"][0],
                "gates": [{"relation": ["self"]}, {"age_at_start": [{"from": 30, "to": 60}, {"from": 16, "to": 70, "group": "senior"}]}],
            },
            {**PLAN["items"][0], "code": "of-family", "gates": [{"gender": "female"}, {"relation": ["spouse"]}]},
        ],
        "enrolment": {
            "opens": "2025-10-01", "closes": "2025-12-31", "gender": "female", "insurance_types": ["employee"],
            "relations": ["self", "spouse"], "min_months_in_unit": 6, "min_contract_months": 12, "card_holder": True,
            "employment_on_renewal": ["retired"], "retired": {"from": "2019-07-01", "before": "2025-07-01"},
            "shares": {"max": 3, "together_with": ["another-plan"]},
            "late": [{"who": "new_hires", "after": "hired", "within_months": 1}],
            "ages": [
                {"from": 16, "to": 54, "renewal": False}, {"from": 16, "to": 60, "renewal": True},
                {"from": 16, "to": 70, "group": "senior"},
            ],
        },
    }
)  # fmt: skip
LATE_DAY = date(2026, 2, 15)


@contextmanager
def _twin(monkeypatch: pytest.MonkeyPatch, rule: str, old: str, new: str) -> Iterator[None]:
    """The rule with one piece of its text exchanged."""
    make = eligibility_sql.RULES[rule]

    def broken(table: Any) -> Sql | None:
        sql = make(table)
        return sql and Sql(sql.text.replace(old, new), sql.params)

    with monkeypatch.context() as patch:
        patch.setitem(eligibility_sql.RULES, rule, broken)
        yield


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("window", ">= %s", "> %s"),
        ("window", "'unknown'", "'fail'"),
        ("relation", "= ANY", "<> ANY"),
        ("employment", "'self'", "'spouse'"),
        ("employment", "NULLIF", "COALESCE"),
        ("employment", "people.renewal AND", "TRUE AND"),
        ("months_in_unit", "<= %s", "< %s"),
        ("retirement", ">= %s", "> %s"),
        ("retirement", "< %s", "<= %s"),
        ("retirement", "'unknown'", "'fail'"),
        ("contract", ">= %s", "> %s"),
        ("contract", "'unknown'", "'fail'"),
        ("card_holder", "'unknown'", "'fail'"),
        ("basic_insurance", "'unknown'", "'pass'"),
        ("insurance_type", "'unknown'", "'fail'"),
        ("union_member", "'unknown'", "'pass'"),
        ("gender", "= %s", "<> %s"),
        ("age", "<= %s", "< %s"),
        ("age", "> %s", ">= %s"),
        ("age", "people.renewal = %s", "people.renewal IS NOT DISTINCT FROM NOT %s"),
        ("age", "people.group IS NOT DISTINCT FROM %s", "%s = 'senior'"),
        ("age", "people.group IS NULL AND", "TRUE AND"),
        ("items", "people.gender = %s", "people.gender <> %s"),
        ("items", "people.relation = ANY", "people.relation <> ANY"),
        ("items", "<= %s", "< %s"),
        ("items", "people.group IS NULL AND", "FALSE AND"),
        ("shares", "BETWEEN 1", "BETWEEN 0"),
        ("shares", "- people.shares_held", ""),
    ],
)
def test_a_broken_twin_is_caught(db: None, monkeypatch: pytest.MonkeyPatch, rule: str, old: str, new: str) -> None:
    start = plus_days(LATE_DAY, 1)
    people = _people(EDGES, random.Random(1), on=LATE_DAY, start=start, count=2 * PEOPLE)
    assert _disagreements(EDGES, people, on=LATE_DAY, start=start) == []
    with _twin(monkeypatch, rule, old, new):
        found = _disagreements(EDGES, people, on=LATE_DAY, start=start)
    assert found
    assert {line.split(":")[0] for line in found} <= {rule, "all"}


def test_values_never_stand_in_the_text() -> None:
    text, params = verdict_sql(EDGES, COLUMNS, on=LATE_DAY, cover_start=LATE_DAY)
    assert text.count("%s") == len(params)
    assert not any(char.isdigit() and char != "1" for char in text)  # BETWEEN 1 AND %s, shares >= 1
    assert "enterprise" not in text


def test_a_column_must_be_named_plainly_and_all_of_them() -> None:
    with pytest.raises(ValueError, match="no plain column"):
        verdict_sql(EDGES, {**COLUMNS, "gender": "1; DROP TABLE x"}, on=LATE_DAY, cover_start=LATE_DAY)
    with pytest.raises(KeyError):
        verdict_sql(EDGES, {"gender": "gender"}, on=LATE_DAY, cover_start=LATE_DAY)
