"""The conditions of benefit: each gives nothing, or the reason why not. Unknown gates do not load (schedule.py)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from programs.rules.facts import CaseFacts, CoverFacts, PersonFacts, PriorUse
from programs.rules.schedule import Item, Schedule
from unionaid.lib.calendar import days_between, plus_days, plus_months

ACCIDENTS = ("accident_disability", "accident_death")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item pays nothing: a stable code and the figures for the sentence."""

    code: str
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a gate may look at."""

    schedule: Schedule
    item: Item
    person: PersonFacts
    cover: CoverFacts
    case: CaseFacts
    prior: PriorUse


def waiting_ends(schedule: Schedule, start: date) -> date:
    """The first day on which benefit is paid for cover that began on `start`."""
    return plus_days(plus_months(start, schedule.waiting.months), schedule.waiting.days)


def covered(q: Question) -> Reason | None:
    """The event lies in the days of cover; a death counts on the day of the accident that caused it."""
    if q.cover.period.contains(q.case.event_on):
        return None
    return Reason(
        "not_covered",
        {
            "on": str(q.case.event_on),
            "start": str(q.cover.period.start),
            "last": str(q.cover.period.last_day),
        },
    )


def waited(q: Question) -> Reason | None:
    """Outside the waiting period, unless waived by continuous renewal; accidents never wait (domain 1.4)."""
    if q.cover.waiting_waived or not q.item.waits or q.case.event in ACCIDENTS:
        return None
    if any(step.name == "wait" for step in q.item.steps):
        return None
    ends = waiting_ends(q.schedule, q.cover.period.start)
    return None if q.case.event_on >= ends else Reason("waiting", {"on": str(q.case.event_on), "ends": str(ends)})


def in_time(q: Question) -> Reason | None:
    """Applied for before the plan's deadline (the last day counts)."""
    claimed = q.case.claimed_on
    if claimed is None:
        return None
    deadlines = dict(q.schedule.claim_until)
    last = deadlines.get(q.case.event_kind) or deadlines.get("default")
    if last is None and q.schedule.claim_days is not None:
        ended = max([q.case.event_on, *(stay.discharged_on for stay in q.case.stays)])
        last = plus_days(ended, q.schedule.claim_days)
    return None if last is None or claimed <= last else Reason("too_late", {"last": str(last)})


def right_gender(q: Question) -> Reason | None:
    """Women's plans pay for women."""
    wanted = q.schedule.enrolling.gender
    return None if wanted in ("any", q.person.gender) else Reason("gender", {"gender": wanted})


def death_within_days(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Death at most so many days after the accident."""
    if q.case.accident_on is None or q.case.death_on is None:
        return Reason("dates_missing")
    days = days_between(q.case.accident_on, q.case.death_on)
    return None if 0 <= days <= data["days"] else Reason("death_too_late", {"days": str(days), "within": str(data["days"])})


def diagnosis_in(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """The diagnosis code begins with one of the plan's list."""
    if q.case.diagnosis_code.upper().startswith(data["prefixes"]):
        return None
    return Reason("diagnosis_not_listed", {"code": q.case.diagnosis_code or "—"})


def hospital_grade(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """A hospital of at least this grade; an unknown grade does not pass."""
    grades = [stay.hospital_grade for stay in q.case.stays]
    if all(grade is not None and grade >= data["grade"] for grade in grades):
        return None
    return Reason("hospital_grade", {"grade": str(data["grade"])})


def once_per_disease(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """The same disease pays once; another, unrelated one pays again."""
    disease = q.case.diagnosis_code[:3].upper() or q.case.diagnosis_class
    return Reason("disease_paid", {"code": disease}) if disease in q.prior.diseases else None


ALWAYS: tuple[Callable[[Question], Reason | None], ...] = (right_gender, covered, waited, in_time)
GATES: dict[str, Callable[[Question, Mapping[str, Any]], Reason | None]] = {
    "death_within_days": death_within_days,
    "diagnosis_in": diagnosis_in,
    "hospital_grade": hospital_grade,
    "once_per_disease": once_per_disease,
}


def refusal(question: Question) -> Reason | None:
    """The first reason against this item, or None."""
    for always in ALWAYS:
        if reason := always(question):
            return reason
    for gate in question.item.gates:
        if reason := GATES[gate.name](question, gate.data):
            return reason
    return None
