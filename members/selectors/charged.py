"""What a year's enrolments were charged, and what other terms would have charged for them: grouped, in two statements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Case, Count, DateField, DurationField, F, Func, IntegerField, Q, Sum, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from members.facts import renews_sql
from members.models import Enrolment
from programs.rules.facts import PersonFacts
from programs.rules.fees import NoFeeClass, contribution
from programs.rules.joining import SOME_DAY, JoiningRules, asks_renewal, settled_by
from programs.rules.schedule import Schedule
from programs.selectors import schedules_of
from unionaid.lib.calendar import Period, add_years, plus_days
from unionaid.lib.money import fen_from_yuan, round_half_up

HOLDER = ("employment", "union_member", "basic_insurance", "insurance_type")
RARE = ("card_holder", "staff_group", "contract_months", "risk", "retired_on")  # of the worker, where these terms look at them


@dataclass(slots=True)
class Charged:
    """Enrolments and their contributions (fen). `unknown`: whether those terms take these people or what they charge depends on
    something nobody has told, so that what was charged stands; `not_admitted`: those terms do not take these people; `capped`: they
    had more shares than those terms allow. By rule on joining: how many it shuts out (`refused_by`) or leaves open (`join_unknown`)."""

    enrolments: int = 0
    before_fen: int = 0
    after_fen: int = 0
    unknown: int = 0
    unknown_fen: int = 0
    not_admitted: int = 0
    capped: int = 0
    refused_by: dict[str, int] = field(default_factory=dict)
    join_unknown: dict[str, int] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def charged(office_ids: frozenset[int], program_ids: tuple[int, ...], year: Period, schedule: Schedule) -> Charged:
    """The effective enrolments whose cover began in the year, like in the yearly statement. Two statements."""
    rows = Enrolment.objects.filter(
        office_id__in=office_ids, program_id__in=program_ids, state="effective", starts_on__gte=year.start, starts_on__lt=year.end
    ).annotate(late=_late(schedule), age=_age(schedule), hired=_hired(schedule), renewed=_renewed(schedule))
    groups = rows.values(
        "member__gender", "relation", "unit__nature", "shares", "terms_id", "late", "age", "hired", "renewed",
        "term_months", "unit__risk", *(f"holder__{name}" for name in (*HOLDER, *_rare(schedule))),
    ).annotate(heads=Count("id"), charged_fen=Sum("contribution_fen"))  # fmt: skip
    settled = {key: settled_by(schedule, earlier) for key, earlier in schedules_of(program_ids).items()}
    found, rules = Charged(), JoiningRules(schedule)
    for group in groups.order_by():
        _add(found, rules, group, settled.get(group["terms_id"], frozenset()))
    return found


# --- what is asked of each enrolment: only what these terms look at, so that there are few groups -------------------


def _rare(schedule: Schedule) -> list[str]:
    """Of RARE what a rule or a class of contribution of these terms looks at."""
    rules, fees = schedule.enrolling, schedule.fees
    looked_at = {
        "card_holder": rules.card_holder or any(fee.card_holder is not None for fee in fees),
        "staff_group": any(rule.group for rule in schedule.ages) or any(fee.group for fee in fees),
        "contract_months": rules.min_contract_months > 0,
        "risk": any(fee.risk for fee in fees),
        "retired_on": bool(rules.retired_from or rules.retired_before),
    }
    return [name for name in RARE if looked_at[name]]


def _late(schedule: Schedule) -> Any:
    """Days after the first day of the period of that time."""
    days = Func(F("starts_on"), Func(F("terms__period"), function="lower"), template="(%(expressions)s)", arg_joiner=" - ")
    by_start = any(fee.joined_from or fee.joined_to for fee in schedule.fees)
    return Case(When(Value(by_start), then=days), default=0, output_field=IntegerField())


def _age(schedule: Schedule) -> Any:
    """Completed years on the first day of cover, as `calendar.age_on` counts them."""
    if not schedule.ages:
        return Value(0)
    start, born = (
        Cast(Func(F(name), Value("YYYYMMDD"), function="to_char", output_field=TextField()), IntegerField())
        for name in ("starts_on", "member__birth_date")
    )
    return Func(start, born, template="((%(expressions)s) / 10000)", arg_joiner=" - ", output_field=IntegerField())


def _hired(schedule: Schedule) -> Any:
    """Enough months with the unit on the first day of cover? None: not told, or hired there only later."""
    months = schedule.enrolling.min_months_in_unit
    if not months:
        return Value(None, output_field=IntegerField())
    told, length = F("holder__joined_unit_on"), Value(f"{months} months")
    done = Cast(Func(told, Cast(length, DurationField()), template="(%(expressions)s)", arg_joiner=" + "), DateField())
    return Case(
        When(Q(holder__joined_unit_on__isnull=True) | Q(holder__joined_unit_on__gt=F("starts_on")), then=None),
        When(starts_on__gte=done, then=1),
        default=0,
        output_field=IntegerField(),
    )


def _renewed(schedule: Schedule) -> Any:
    """Did this person renew, as these terms count it?"""
    if not asks_renewal(schedule):
        return Value(False)
    table = Enrolment._meta.db_table
    own = {"member": f"{table}.member_id", "program": f"{table}.program_id", "start": f"{table}.starts_on"}
    text = renews_sql(**own, within="%s")
    return RawSQL(text, [schedule.enrolling.renewal_within_days], output_field=BooleanField())


def _add(found: Charged, rules: JoiningRules, group: Mapping[str, Any], settled: frozenset[str]) -> None:
    heads, before, schedule = group["heads"], group["charged_fen"], rules.schedule
    found.enrolments += heads
    found.before_fen += before
    person, most = _person(group), schedule.enrolling.max_shares
    answer = rules.of(person, cover_start=SOME_DAY, settled=settled)
    for told, rules in ((found.refused_by, answer.failed), (found.join_unknown, answer.unknown)):
        for rule in rules:
            told[rule] = told.get(rule, 0) + heads
    if answer.failed:
        found.not_admitted += heads
        return
    # As many days after the terms' first day as it was then, and for as long as then where that is still offered.
    start = plus_days(schedule.period.start, group["late"])
    months = group["term_months"] if group["term_months"] in schedule.terms else next(iter(schedule.terms), None)
    try:
        each = None if answer.unknown else contribution(schedule, person, min(group["shares"], most), starts_on=start, term_months=months)
    except NoFeeClass:
        each = None
    if each is None:
        found.unknown += heads
        found.unknown_fen += before
        found.after_fen += before
        return
    found.capped += heads if group["shares"] > most else 0
    found.after_fen += heads * fen_from_yuan(round_half_up(each))


def _person(group: Mapping[str, Any]) -> PersonFacts:
    """Somebody of whom the same is known as of everyone in the group (on `SOME_DAY` as on their own first day of cover)."""
    hired = {None: None, 1: add_years(SOME_DAY, -100), 0: SOME_DAY}[group["hired"]]
    return PersonFacts(
        birth_date=add_years(SOME_DAY, -group["age"]),
        gender=group["member__gender"],
        employment=group["holder__employment"] or None,
        union_member=group["holder__union_member"],
        basic_insurance=group["holder__basic_insurance"],
        relation=group["relation"],
        joined_unit_on=hired,
        renewal=group["renewed"],
        holder_employment=group["holder__employment"] or None,
        insurance_type=group["holder__insurance_type"] or None,
        unit_nature=group["unit__nature"],
        card_holder=group.get("holder__card_holder"),
        risk=group.get("holder__risk") or group["unit__risk"] or None,
        group=group.get("holder__staff_group") or None,
        contract_months=group.get("holder__contract_months"),
        retired_on=group.get("holder__retired_on"),
    )
