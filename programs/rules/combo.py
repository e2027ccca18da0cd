"""What a combo keeps of the rules on people of each single plan in it.

Whom a plan takes does not change because it stands beside others. What is the same for life, or was so on the first day of cover (sex,
relation, age, first time or renewal), stays with the part: it becomes conditions of the part's items, so that the combo may take people
of whom only some parts are for. What nobody knows any more when a claim comes (employment, insurance, union, contract …) can be judged
on the day of joining alone: in that the combo must be as strict as each part, or it is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from programs.rules.faults import Fault, fault

Data = Mapping[str, Any]
EMPLOYED = ("enterprise", "institution")  # whom a plan takes that names no kinds of employment


def person_gates(part: Data, combo: Data) -> list[dict[str, Any]]:
    """The conditions that a part's items get from its rules on people, as far as the combo's own do not hold already."""
    rules, whole = part["enrolment"], combo.get("enrolment", {})
    gates: list[dict[str, Any]] = []
    if (gender := rules.get("gender", "any")) != "any":
        gates.append({"gender": gender})
    if not set(_relations(whole)) <= set(_relations(rules)):
        gates.append({"relation": _relations(rules)})
    if (ages := rules.get("ages")) and ages != whole.get("ages"):
        gates.append({"age_at_start": ages})
    return gates


def laxer_faults(combo: Data, part: Data, place: int) -> Iterator[Fault]:
    """Where the combo would take somebody whom this part does not take, by a rule that is judged on joining alone; and a part that could
    never pay anybody."""
    rules, whole = part["enrolment"], combo.get("enrolment", {})
    for name, as_strict, zh, en in _STRICT:
        if not as_strict(whole, rules):
            words = f"所包含的 {part['code']} 要求{zh}，本计划也要写上，不能更宽"
            yield fault(words, f"the plan {part['code']} that it includes asks for {en}: be as strict here", ("enrolment", name))
    if not set(_relations(whole)) & set(_relations(rules)):
        words = f"{part['code']} 面向的人（relations）本计划都不接受，这一部分永远不会给付"
        yield fault(words, f"nobody that {part['code']} is for may join this plan (relations)", ("includes", place))
    genders = {rules.get("gender", "any"), whole.get("gender", "any")} - {"any"}
    if len(genders) > 1:
        words = f"{part['code']} 面向的性别本计划不接受，这一部分永远不会给付"
        yield fault(words, f"nobody that {part['code']} is for may join this plan (gender)", ("includes", place))


def _relations(rules: Data) -> list[str]:
    return list(rules.get("relations", ["self"]))


def _employment(whole: Data, rules: Data) -> bool:
    return set(whole.get("employment", EMPLOYED)) <= set(rules.get("employment", EMPLOYED))


def _employment_on_renewal(whole: Data, rules: Data) -> bool:
    renewing = {*rules.get("employment", EMPLOYED), *rules.get("employment_on_renewal", [])}
    return set(whole.get("employment_on_renewal", [])) <= renewing


def _retired(whole: Data, rules: Data) -> bool:
    """Of retired people, those of the same days or fewer; no matter where none may join."""
    days, own = rules.get("retired", {}), whole.get("retired", {})
    if "retired" not in [*whole.get("employment", EMPLOYED), *whole.get("employment_on_renewal", [])]:
        return True
    later = "from" not in days or own.get("from", "") >= days["from"]
    return later and ("before" not in days or own.get("before", "9") <= days["before"])


def _insurance_types(whole: Data, rules: Data) -> bool:
    told, own = set(rules.get("insurance_types", [])), set(whole.get("insurance_types", []))
    return not told or bool(own) and own <= told


def _switch(name: str, usual: bool) -> Callable[[Data, Data], bool]:
    return lambda whole, rules: bool(whole.get(name, usual)) or not rules.get(name, usual)


def _at_least(name: str) -> Callable[[Data, Data], bool]:
    return lambda whole, rules: whole.get(name, 0) >= rules.get(name, 0)


_STRICT: tuple[tuple[str, Callable[[Data, Data], bool], str, str], ...] = (
    ("employment", _employment, "在职情况在它的范围内", "certain kinds of employment"),
    ("employment_on_renewal", _employment_on_renewal, "续保的在职情况在它的范围内", "certain kinds of employment on renewal"),
    ("retired", _retired, "退休日期在它的范围内", "certain days of retirement"),
    ("union_member", _switch("union_member", True), "是工会会员", "union members"),
    ("card_holder", _switch("card_holder", False), "持有工会会员卡", "holders of a union card"),
    ("basic_insurance", _switch("basic_insurance", True), "参加基本医疗保险", "basic medical insurance"),
    ("insurance_types", _insurance_types, "医保种类在它的范围内", "certain kinds of basic insurance"),
    ("min_months_in_unit", _at_least("min_months_in_unit"), "入职满一定月数", "a number of months in the unit"),
    ("min_contract_months", _at_least("min_contract_months"), "劳动合同满一定月数", "a contract of a certain length"),
)
