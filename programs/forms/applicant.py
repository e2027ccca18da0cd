"""The person and the unit of a case that is tried: what these terms ask of whoever joins, every question may be left open."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from programs.forms.plain import choice, day, whole
from programs.rules.asked import asked
from programs.rules.casefile import EMPLOYMENTS, GENERAL, PERSON, UNIT, WITHOUT_UNIT
from programs.rules.eligibility import INSURANCE_WORDS, RELATION_WORDS, group_words
from programs.rules.facts import ORDINARY
from programs.rules.fields import NO_WORDS, VALUE_WORDS, YES_WORDS
from programs.rules.joining import asks_renewal
from programs.rules.outline import EMPLOYMENT_WORDS
from programs.rules.schedule import Schedule

Fields = Iterator[tuple[str, forms.Field]]
YES_NO = {"true": YES_WORDS, "false": NO_WORDS}
SWITCHES = ("union_member", "card_holder", "basic_insurance", "renewal", "agent_bound", "excepted")


def applicant_fields(schedule: Schedule, language: str, *, beside: Mapping[str, Any]) -> Fields:
    """What these terms ask of the person and of the unit; `beside`: what the case itself asks already."""
    yield "joined_on", day(_("哪一天参加"))
    for name, field in (*_general(schedule, language), *_person(schedule, language)):
        if name not in beside:
            yield f"person:{name}", field
    for name, field in _unit(schedule, language):
        yield f"unit:{name}", field


def _general(schedule: Schedule, language: str) -> Fields:
    ages = schedule.ages
    yield "relation", choice(_("与职工的关系"), RELATION_WORDS, language)
    if ages or "minor_child" in schedule.enrolling.relations:
        yield "birth_date", day(_("出生日期"))
    by_item = any(gate.name == "gender" for item in schedule.items for gate in item.gates)
    if by_item or any(rule.gender != "any" for rule in ages) or schedule.enrolling.gender != "any":
        yield "gender", choice(_("性别"), {code: VALUE_WORDS["gender"][code] for code in ("female", "male")}, language)


def _person(schedule: Schedule, language: str) -> Fields:
    rules, needed = schedule.enrolling, asked(schedule)
    yield "employment", choice(_("在职情况"), {code: EMPLOYMENT_WORDS[code] for code in EMPLOYMENTS}, language)
    if rules.basic_insurance:
        yield "basic_insurance", choice(_("参加了基本医疗保险"), YES_NO, language)
    if "insurance_type" in needed:
        yield "insurance_type", choice(_("医保种类"), INSURANCE_WORDS, language)
    if rules.union_member:
        yield "union_member", choice(_("是工会会员"), YES_NO, language)
    if rules.card_holder:
        yield "card_holder", choice(_("有工会会员卡"), YES_NO, language)
    if "joined_unit_on" in needed:
        yield "joined_unit_on", day(_("入职日期"))
    if "contract_months" in needed:
        yield "contract_months", whole(_("劳动合同一共几个月"), 36500)
    if "retired_on" in needed:
        yield "retired_on", day(_("退休日期"))
    if groups := [rule.group for rule in schedule.ages if rule.group]:
        yield "group", choice(_("人员身份"), {one: group_words(one) for one in (*dict.fromkeys(groups), ORDINARY)}, language)
    if asks_renewal(schedule):
        yield "renewal", choice(_("是续保"), YES_NO, language)
    if rules.together_with:
        yield "shares_held", whole(_("合计份数的其他计划里已有几份"), 99)


def _unit(schedule: Schedule, language: str) -> Fields:
    rule = schedule.enrolling.unit
    if schedule.enrolling.individual:
        yield WITHOUT_UNIT, choice(_("没有单位"), {"true": YES_NO["true"]}, language)
    if rule is None:
        return
    if rule.min_ratio or rule.all_headcount:
        women = rule.of == "women"
        yield ("women" if women else "headcount"), whole(_("单位女职工人数") if women else _("单位职工人数"), 36500)
        yield "enrolling", whole(_("其中一共参加多少人（连这个人）"), 36500)
        yield "excepted", choice(_("办事处同意人数不足也可以参加"), YES_NO, language)
    if rule.same_shares:
        yield "shares", whole(_("单位已参加的职工每人几份"), 99, least=1)
    if rule.agent_bound:
        yield "agent_bound", choice(_("单位有经办人"), YES_NO, language)


def applicant_said(said: Mapping[str, Any]) -> dict[str, Any]:
    """As a case file holds it; what was left open is left out."""
    case: dict[str, Any] = {"joined_on": said["joined_on"].isoformat()} if said.get("joined_on") else {}
    for part, known in (("person", PERSON), ("unit", UNIT)):
        told = {name: _plain(name, said[f"{part}:{name}"]) for name in known if said.get(f"{part}:{name}") not in (None, "")}
        if told:
            case[part] = told
    if said.get(f"unit:{WITHOUT_UNIT}"):
        case["unit"] = WITHOUT_UNIT
    elif "shares" in case.get("unit", {}):
        case["unit"]["shares"] = [case["unit"]["shares"]]
    return case


def _plain(name: str, value: Any) -> Any:
    if name in SWITCHES:
        return value == "true"
    return value.isoformat() if hasattr(value, "isoformat") else value


def applicant_filled(case: Mapping[str, Any]) -> dict[str, Any]:
    """A written case as the initial values of these fields."""
    unit = case.get("unit", {})
    found = {f"unit:{WITHOUT_UNIT}": "true"} if unit == WITHOUT_UNIT else {f"unit:{name}": _typed(value) for name, value in unit.items()}
    general = {f"person:{name}": case[name] for name in GENERAL if name in case}
    return found | general | {f"person:{name}": _typed(value) for name, value in case.get("person", {}).items()}


def _typed(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value[0] if isinstance(value, list) else value
