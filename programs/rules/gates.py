"""The conditions of benefit: each gives nothing, or the reason why not. Unknown gates do not load (plan.schema.json).

A claim for several stays is asked stay by stay (`stays.stay_by_stay`): each has a day, a hospital and a deadline of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from programs.rules.facts import STAY_EVENTS, ZERO, CaseFacts, CoverFacts, PersonFacts, PriorUse
from programs.rules.reasons import MISSING, Reason, missing
from programs.rules.schedule import Item, Schedule, by_kind
from programs.rules.whom import CONDITIONS, age_fits
from unionaid.lib.calendar import age_on, days_between


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a gate may look at."""

    schedule: Schedule
    item: Item
    person: PersonFacts
    cover: CoverFacts
    case: CaseFacts
    prior: PriorUse


def covered(q: Question) -> Reason | None:
    """The event lies in the days of cover; a death counts on the day of the accident that caused it."""
    if q.cover.period.contains(q.case.event_on):
        return None
    return Reason("not_covered", {"on": q.case.event_on, "start": q.cover.period.start, "last": q.cover.period.last_day})


def waited(q: Question) -> Reason | None:
    """Outside the item's waiting period, unless continuous renewal waives that very one; what an accident caused does not wait,
    unless the plan says that it does."""
    waiting = q.item.waiting
    if waiting is None or q.item.has("wait") or (q.case.by_accident and not waiting.accidents):
        return None
    if waiting.waived(q.cover.days_since_cover):
        return None
    ends = waiting.ends(q.cover.period.start)
    return None if q.case.event_on >= ends else Reason("waiting", {"on": q.case.event_on, "ends": ends})


def last_day_to_claim(schedule: Schedule, case: CaseFacts) -> date | None:
    """The last day on which benefit for this case may be applied for; None without a deadline."""
    window = schedule.claim_window
    if window is None:
        return None
    ended = max([case.event_on, *(stay.discharged_on for stay in case.stays)])
    return window.last_day(happened_on=case.event_on, ended_on=ended, kind=case.event_kind)


def units_last_day(schedule: Schedule, case: CaseFacts) -> date | None:
    """The last day on which the unit's agent takes this case in for a person; None where the plan names none."""
    return by_kind(schedule.claim_window.unit_until, case.event_kind) if schedule.claim_window else None


def in_time(q: Question) -> Reason | None:
    """Applied for before the plan's deadline (the last day counts); by the unit's agent before the unit's."""
    if q.case.claimed_on is None:
        return None
    last = last_day_to_claim(q.schedule, q.case)
    if last is not None and q.case.claimed_on > last:
        return Reason("too_late", {"last": last})
    units = units_last_day(q.schedule, q.case) if q.case.by_unit else None
    return None if units is None or q.case.claimed_on <= units else Reason("too_late_for_unit", {"last": units, "own": last or ""})


def right_gender(q: Question) -> Reason | None:
    """Women's plans pay for women."""
    wanted = q.schedule.enrolling.gender
    return None if wanted in ("any", q.person.gender) else Reason("gender", {"gender": wanted})


def excluded(q: Question) -> Reason | None:
    """None of the plan's exclusions holds: a listed diagnosis, or a circumstance that review found."""
    for one in q.schedule.exclusions:
        if one.items and q.item.code not in one.items:
            continue
        by_diagnosis = bool(one.prefixes) and q.case.diagnosis_code.upper().startswith(one.prefixes)
        if by_diagnosis or one.circumstance in q.case.circumstances:
            return Reason("exclusion", {"name": one.name.zh, "name_en": one.name.en, "clause": one.clause})
    return None


def death_within_days(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Death at most so many days after the accident."""
    if q.case.accident_on is None or q.case.death_on is None:
        return missing("accident_on" if q.case.accident_on is None else "death_on")
    days = days_between(q.case.accident_on, q.case.death_on)
    return None if 0 <= days <= data["days"] else Reason("death_too_late", {"days": days, "within": data["days"]})


def diagnosis_in(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """The diagnosis code begins with one of the plan's list."""
    if not q.case.diagnosis_code:
        return missing("diagnosis_code")
    if q.case.diagnosis_code.upper().startswith(data["prefixes"]):
        return None
    return Reason("diagnosis_not_listed", {"code": q.case.diagnosis_code})


def hospital_grade(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Treated in a hospital of one of these grades, every time."""
    if not q.case.stays:
        return missing("stays") if q.case.event in STAY_EVENTS else Reason("no_admission")
    grades = [stay.hospital_grade for stay in q.case.stays]
    if None in grades:
        return missing("hospital_grade")
    if all(grade in data["grades"] for grade in grades):
        return None
    told = {"grade": data["least"]} if data["least"] else {"grades": ",".join(map(str, data["grades"]))}
    return Reason("hospital_grade", told)


def once_per_disease(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """The same disease pays once in a plan; another, unrelated one pays again, and in a combo so does another of its parts (`includes`)
    for the same. Where nobody told which items paid, or one paid that these terms call otherwise, it was this part. An item that pays
    the difference after a re-classification (`less_paid`) lets the same disease through: that step leaves only the difference."""
    told = q.case.told_disease
    if not told.key:
        return missing("diagnosis_code") if q.prior.diseases else None
    same = [one for one in q.prior.diseases if told.is_same(one)]
    if not same or q.item.has("less_paid") or _paid_by_other_parts(q):
        return None
    by_code = any(one.category == told.category != "" for one in same)
    return Reason("disease_paid", {"code": told.key} if by_code else {"code": told.key, "by_class": True})


def _paid_by_other_parts(q: Question) -> bool:
    """Did only other parts of the combo pay for the disease? What comes from a part has its name before the item's own (`combine`)."""
    paid = {code for code, amount in q.prior.paid_items.items() if amount}
    known = {item.code for item in q.schedule.items}
    return bool(paid) and paid <= known and all(_part(code) != _part(q.item.code) for code in paid)


def _part(code: str) -> str:
    return code.rpartition(".")[0]


def with_admission(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Paid only when the disease was treated in hospital."""
    return None if q.case.stays else Reason("no_admission")


def once(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Nothing was given yet under this item's own ceiling of the period, or of the lifetime."""
    keys = [step.data["key"] for step in q.item.steps if step.name == "ceiling" and step.data["scope"] == data["scope"]]
    given = any(q.prior.used.get(f"{data['scope']}:{key}", ZERO) > 0 for key in keys)
    return Reason("given_before", {"scope": data["scope"]}) if given else None


def gender(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """An item for women (or men) in a plan that is open to all: a combo with a women's plan in it."""
    return None if q.person.gender == data["gender"] else Reason("item_gender", {"gender": data["gender"]})


def age(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Completed years on the day it happened, both bounds inclusive."""
    years = age_on(q.person.birth_date, q.case.event_on)
    return None if data["from"] <= years <= data["to"] else Reason("age", {"age": years, "from": data["from"], "to": data["to"]})


def relation(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """An item for the worker, the spouse or the child alone, in a plan that more of them may join."""
    return None if q.person.relation in data["relations"] else Reason("item_relation", {"relations": ",".join(data["relations"])})


def age_at_start(q: Question, data: Mapping[str, Any]) -> Reason | None:
    """Completed years on the first day of cover, within one of these ages that is about such a person."""
    since, within = q.cover.days_since_cover, q.schedule.enrolling.renewal_within_days
    renewal = q.person.renewal or (since is not None and since <= within)
    years = age_on(q.person.birth_date, q.cover.period.start)
    fits = age_fits(data["ages"], replace(q.person, renewal=renewal), years)
    if fits is None:
        return missing("group")
    return None if fits else Reason("item_age_at_start", {"age": years})


ALWAYS: tuple[Callable[[Question], Reason | None], ...] = (right_gender, covered, waited, in_time, excluded)
GATES: dict[str, Callable[[Question, Mapping[str, Any]], Reason | None]] = {
    "death_within_days": death_within_days,
    "diagnosis_in": diagnosis_in,
    "hospital_grade": hospital_grade,
    "once_per_disease": once_per_disease,
    "with_admission": with_admission,
    "once": once,
    "gender": gender,
    "age": age,
    "relation": relation,
    "age_at_start": age_at_start,
}


def not_for_person(question: Question) -> Reason | None:
    """Why the item is not for this person at all, whatever happened (`whom`); None when it is, or when their group is still to be told."""
    reasons = (GATES[gate.name](question, gate.data) for gate in question.item.gates if gate.name in CONDITIONS)
    return next((reason for reason in reasons if reason and reason.code != MISSING), None)


def refusal(question: Question) -> tuple[Reason, str] | None:
    """The first reason against this item with the clause it rests on, or None."""
    for always in ALWAYS:
        if reason := always(question):
            return reason, str(reason.inputs.get("clause") or question.item.clause)
    for gate in question.item.gates:
        if reason := GATES[gate.name](question, gate.data):
            return reason, gate.clause or question.item.clause
    return None
