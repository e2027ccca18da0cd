"""What a year's enrolments were charged, and what other terms would have charged for them: grouped, in one statement."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, Func, IntegerField, Sum, Value, When

from members.models import Enrolment
from programs.rules.facts import PersonFacts
from programs.rules.fees import NoFeeClass, contribution
from programs.rules.rehearsal import admits
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import FIRST, Period, plus_days
from unionaid.lib.money import fen_from_yuan, round_half_up


@dataclass(slots=True)
class Charged:
    """Enrolments and their contributions (fen). `unknown`: the other terms' contribution depends on something nobody has
    told (or they name none), so that what was charged stands; `not_admitted`: those terms do not take these people."""

    enrolments: int = 0
    before_fen: int = 0
    after_fen: int = 0
    unknown: int = 0
    unknown_fen: int = 0
    not_admitted: int = 0

    def as_data(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


# What a contribution may depend on that is told of the person.
KIND = ("member__gender", "member__risk", "member__card_holder", "member__staff_group")


def charged(office_ids: frozenset[int], program_ids: tuple[int, ...], year: Period, schedule: Schedule) -> Charged:
    """The effective enrolments whose cover began in the year, like in the yearly statement. One statement."""
    by_start = any(fee.joined_from or fee.joined_to for fee in schedule.fees)
    late = Func(F("starts_on"), Func(F("terms__period"), function="lower"), template="(%(expressions)s)", arg_joiner=" - ")
    rows = Enrolment.objects.filter(
        office_id__in=office_ids, program_id__in=program_ids, state="effective", starts_on__gte=year.start, starts_on__lt=year.end
    ).annotate(late=Case(When(Value(by_start), then=late), default=0, output_field=IntegerField()))
    groups = rows.values(*KIND, "unit__nature", "unit__risk", "relation", "term_months", "shares", "late").annotate(
        heads=Count("id"), charged_fen=Sum("contribution_fen")
    )
    found = Charged()
    for group in groups.order_by():
        _add(found, schedule, group)
    return found


def _add(found: Charged, schedule: Schedule, group: dict[str, Any]) -> None:
    heads, before = group["heads"], group["charged_fen"]
    found.enrolments += heads
    found.before_fen += before
    person = PersonFacts(
        birth_date=FIRST, gender=group["member__gender"], relation=group["relation"], unit_nature=group["unit__nature"],
        risk=group["member__risk"] or group["unit__risk"] or None, card_holder=group["member__card_holder"],
        group=group["member__staff_group"] or None,
    )  # fmt: skip
    if not admits(schedule, person.gender, person.relation):
        found.not_admitted += heads
        return
    # As many days after the terms' first day as it was then, and for as long as then where that is still offered.
    start = plus_days(schedule.period.start, group["late"])
    months = group["term_months"] if group["term_months"] in schedule.terms else next(iter(schedule.terms), None)
    try:
        each = contribution(schedule, person, min(group["shares"], schedule.enrolling.max_shares), starts_on=start, term_months=months)
    except NoFeeClass:
        found.unknown += heads
        found.unknown_fen += before
        found.after_fen += before
        return
    found.after_fen += heads * fen_from_yuan(round_half_up(each))
