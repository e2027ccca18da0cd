"""What a plan asks of a claim for one event: read from its schedule, so that nobody types what no rule looks at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from programs.rules.bases import Base
from programs.rules.facts import ACCIDENTS, HARDSHIP, STAY_EVENTS
from programs.rules.fields import kinds_to_tell
from programs.rules.schedule import Ask, Item, Schedule
from programs.rules.words import Words

TOTALS = ("medfee_sumamt", "fund_pay_sumamt", "psn_part_amt")
TABLES = {"table": "amounts", "scale": "ratios"}
# A class that a plan names by a code alone has no words of its own: the pages say "listed in the terms".
LISTED = Words("", "")


@dataclass(frozen=True, slots=True)
class Needs:
    """`stays`: required, optional or empty; `figures`: the settlement fields the plan calculates with, none when only days count;
    `kinds`: the kinds of event with a last day of their own to claim, when there are any; `circumstances`: what an accident or a
    hardship may have been that the plan does not pay for; `asks`: the figures to declare."""

    stays: str
    figures: tuple[str, ...]
    classes: tuple[tuple[str, Words], ...]
    grades: tuple[str, ...]
    hospital_grade: bool
    diagnosis_code: bool
    other_aid: bool
    kinds: tuple[tuple[str, Words], ...]
    circumstances: tuple[tuple[str, Words], ...]
    asks: tuple[Ask, ...]


def needs_of(schedule: Schedule, event: str) -> Needs:
    """What the items that answer to this event look at."""
    items = [item for item in schedule.items if event in item.events]
    steps = [step for item in items for step in item.steps]
    gates = {gate.name for item in items for gate in item.gates}
    bases = [step.data["base"] for step in steps if step.name in ("take", "add_if_over", "up_to_cost")]
    by_grade = any(item.asks_grade for item in items)
    by_stay = bases or by_grade or "with_admission" in gates or any(step.name in ("per_day", "per_admission") for step in steps)
    in_hospital = bool(items) and all(any(gate.name == "with_admission" for gate in item.gates) for item in items)
    from_cost = any(item.steps[0].name == "take" for item in items)
    by_disease = any(step.name == "ceiling" and step.data["scope"] == "disease" for step in steps)
    tables = [(step.data, step.data[TABLES[step.name]]) for step in steps if step.name in TABLES]
    offset = [name for step in steps if step.name == "offset" for name in step.data["fields"]]
    return Needs(
        stays="required" if event in STAY_EVENTS or in_hospital or from_cost else "optional" if by_stay else "",
        figures=tuple(dict.fromkeys([*_figures(bases), *offset])),
        classes=tuple(_classes(tables).items()),
        grades=_in_order(code for data, table in tables if data["by"] == "disability_grade" for code in table),
        hospital_grade=by_grade,
        diagnosis_code=event != HARDSHIP
        and (bool(gates & {"diagnosis_in", "once_per_disease"}) or by_disease or any(one.prefixes for one in schedule.exclusions)),
        other_aid=any(step.name == "offset" and step.data["other_aid"] for step in steps),
        kinds=kinds_to_tell(schedule),
        circumstances=_circumstances(schedule, items) if event in (*ACCIDENTS, HARDSHIP) else (),
        asks=schedule.asks_for(event),
    )


def _circumstances(schedule: Schedule, items: Iterable[Item]) -> tuple[tuple[str, Words], ...]:
    codes = {item.code for item in items}
    found = [one for one in schedule.exclusions if one.circumstance and (not one.items or codes & set(one.items))]
    return tuple({one.circumstance: one.name for one in found}.items())


def all_needs(needs: Sequence[Needs]) -> Needs:
    """What several claims ask together: each question once. Classes and kinds of event are each plan's own and left out."""
    asked = {one.stays for one in needs}
    return replace(
        needs[0],
        stays="required" if "required" in asked else "optional" if "optional" in asked else "",
        figures=tuple(dict.fromkeys(name for one in needs for name in one.figures)),
        classes=(),
        grades=_in_order(grade for one in needs for grade in one.grades),
        hospital_grade=any(one.hospital_grade for one in needs),
        diagnosis_code=any(one.diagnosis_code for one in needs),
        other_aid=any(one.other_aid for one in needs),
        kinds=(),
    )


def _classes(tables: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, Words]:
    found: dict[str, Words] = {}
    for data, table in tables:
        if data["by"] == "diagnosis_class":
            found |= {code: data["labels"].get(code, LISTED) for code in table if code not in found}
    return found


def _figures(bases: Iterable[Base]) -> tuple[str, ...]:
    fields = [field for base in bases for field in (*TOTALS, *base.fields)]
    return tuple(dict.fromkeys(fields))


def _in_order(grades: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(grades), key=int))
