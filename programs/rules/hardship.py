"""Applications for help (困难申请): they answer to hardship and not to illness, and rest on figures that the applicant declares."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from programs.rules.facts import HARDSHIP
from programs.rules.faults import Fault, fault
from programs.rules.schedule import Ask, Schedule, Step

Data = Mapping[str, Any]


def hardship_faults(schedule: Schedule) -> Iterator[Fault]:
    """What contradicts itself in the terms of such applications, and in items that are paid once."""
    yield from _illness_faults(schedule)
    yield from _figure_faults(schedule)
    yield from _once_faults(schedule)


def told_figures(steps: Sequence[Step], asks: Mapping[str, Ask]) -> tuple[Step, ...]:
    """The steps of one item, where a declared figure says what it is called, and the step that turns a number into an amount that it is
    a number. A figure that nobody asks for stays as it is (`hardship_faults`)."""
    made, counts = list[Step](), False
    for step in steps:
        if step.name == "declared" and (ask := asks.get(step.data["figure"])):
            made.append(replace(step, data={**step.data, "name": ask.name, "in_yuan": ask.in_yuan}))
            counts = not ask.in_yuan
        elif counts and "counts" in step.data:
            made.append(replace(step, data={**step.data, "counts": True}))
            counts = False
        else:
            made.append(step)
    return tuple(made)


# What an application for help has nothing of: no stay, no bill, no disease, no injury.
_OF_ILLNESS = {
    "steps": frozenset(("take", "per_day", "per_admission", "add_if_over", "up_to_cost", "less_paid")),
    "gates": frozenset(("death_within_days", "diagnosis_in", "hospital_grade", "once_per_disease", "with_admission")),
}


def _illness_faults(schedule: Schedule) -> Iterator[Fault]:
    """An application for help (困难申请) is judged by nothing that belongs to illness or accident."""
    for i, item in enumerate(schedule.items):
        if HARDSHIP not in item.events:
            continue
        parts = [("steps", j, part.name, part.data) for j, part in enumerate(item.steps)]
        parts += [("gates", j, part.name, part.data) for j, part in enumerate(item.gates)]
        for kind, j, name, data in parts:
            if name in _OF_ILLNESS[kind] or _looks_at_illness(data):
                zh = "困难申请没有住院、费用、疾病和伤残，不能用这个"
                en = "an application for help has no stay, cost, disease or disability to look at"
                yield fault(zh, en, ("items", i, kind, j, name))


def _looks_at_illness(data: Data) -> bool:
    by = data.get("by") in ("disability_grade", "hospital_grade") or isinstance(data.get("ratio"), Mapping)
    return by or bool(data.get("fields")) or data.get("scope") == "disease"


def _figure_faults(schedule: Schedule) -> Iterator[Fault]:
    """Every figure that an item begins with is asked for, none is asked in vain, and only applications for help declare any."""
    asks, named = {ask.code: ask for ask in schedule.asks}, set()
    for i, item in enumerate(schedule.items):
        for j, step in enumerate(item.steps):
            if step.name != "declared":
                continue
            path, figure = ("items", i, "steps", j, "declared"), step.data["figure"]
            named.add(figure)
            if figure not in asks:
                yield fault(f"asks 里没有代码为 {figure} 的数", f"names the figure {figure}, which asks does not have", path)
            elif item.events != (HARDSHIP,):
                yield fault("只有 events: [hardship] 的项目才按申报的数给付", "only items for hardship begin with a declared figure", path)
            elif not asks[figure].in_yuan and not any(later.name in ("for_each", "tiers") for later in item.steps[j:]):
                zh = f"{figure} 是个数，不是金额：后面要有 for_each 或 tiers"
                yield fault(zh, f"{figure} is a number, no amount: for_each or tiers must follow", path)
    for i, ask in enumerate(schedule.asks):
        if ask.code not in named:
            yield fault("没有一个项目用到这个数（declared）", "no item begins with this figure (declared)", ("asks", i))


def _once_faults(schedule: Schedule) -> Iterator[Fault]:
    """`once` looks at what stands under the item's own ceiling of that scope."""
    for i, item in enumerate(schedule.items):
        ceilings = {step.data["scope"] for step in item.steps if step.name == "ceiling"}
        for j, gate in enumerate(item.gates):
            if gate.name == "once" and (scope := gate.data["scope"]) not in ceilings:
                zh = f"这一项要有 scope 为 {scope} 的封顶，才知道以前给过没有"
                en = f"needs a ceiling with the scope {scope} in this item to know what was given before"
                yield fault(zh, en, ("items", i, "gates", j, "once"))
