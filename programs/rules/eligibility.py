"""May this person join this plan? Every rule answers pass, fail or unknown, with a sentence a worker understands.

Unknown is said only when the missing answer decides. `eligibility_sql.py` says the same of a whole table at once; a rule
is changed in both or in neither (tests/programs/test_eligibility_sql.py holds one against the other).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, Decimal

from programs.rules.facts import ORDINARY, PersonFacts, UnitFacts
from programs.rules.fees import participation_ok
from programs.rules.schedule import AgeRule, Schedule, UnitRule
from programs.rules.whom import choosy, takes
from programs.rules.words import Words
from unionaid.lib.calendar import age_on, format_zh, plus_months

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
ADULT = 18  # years; whoever has completed them is no minor child any more


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer. `evidence`: the paper or answer that would settle or change it (a key of EVIDENCE_WORDS); empty
    when none would."""

    rule: str
    outcome: str
    sentence: Words
    evidence: str = ""

    @property
    def evidence_words(self) -> Words | None:
        """What to show or to tell, in words; None when nothing would change this answer."""
        return EVIDENCE_WORDS[self.evidence] if self.evidence else None


EVIDENCE_WORDS = {
    "contract": Words("劳动合同或在职证明（写明入职日期）", "the labour contract or a letter of employment with the first day"),
    "retirement": Words("退休证或退休审批表", "the certificate of retirement"),
    "insurance": Words("基本医疗保险参保凭证", "the record of basic medical insurance"),
    "union_card": Words("工会会员证或入会证明", "the union card or a letter of membership"),
    "id_card": Words("居民身份证（登记的性别或出生日期有误时）", "the identity card, if sex or date of birth is recorded wrongly"),
    "relation": Words("结婚证、户口簿或出生医学证明", "the marriage certificate, household register or birth certificate"),
    "renewal": Words("上一期的参加凭证（续保）", "the certificate of the period before (renewal)"),
    "group": Words("人员身份的证明（任职文件、职称证书等）", "proof of the staff group (letter of appointment, title)"),
    "shares": Words("改选的份数", "another number of shares"),
    "agent": Words("单位盖章的经办人登记", "the unit's stamped registration of its agent"),
    "roster": Words("补充了职工的名册，或单位在职人数证明", "a roster with more people, or proof of the unit's headcount"),
}


def judge(schedule: Schedule, *, person: PersonFacts, on: date, cover_start: date, shares: int = 1) -> tuple[Verdict, ...]:
    """The verdict of every rule about a person, in the order people read them. Age counts on the first day of cover (both bounds
    inclusive). What the unit must keep is asked of `judge_unit`, or of `judge_single` for whoever joins by themselves."""
    found = (
        _window(schedule, person, on),
        _relation(schedule, person),
        _minor(schedule, person, cover_start),
        _employment(schedule, person),
        _retirement(schedule, person),
        _months_in_unit(schedule, person, cover_start),
        _contract(schedule, person),
        _insurance(schedule, person),
        _insurance_type(schedule, person),
        _union(schedule, person),
        _card(schedule, person),
        _gender(schedule, person),
        _age(schedule, person, cover_start),
        _items(schedule, person, cover_start),
        _shares(schedule, person, shares),
    )
    return tuple(verdict for verdict in found if verdict is not None)


def may_join(verdicts: tuple[Verdict, ...]) -> bool:
    """Nothing speaks against it and nothing is unknown."""
    return all(verdict.outcome == PASS for verdict in verdicts)


def _window(schedule: Schedule, person: PersonFacts, on: date) -> Verdict:
    """The joining window, both days inclusive, and who may still come late. A day of hiring that nobody told is asked for
    only when somebody hired by now could still join."""
    opens, closes = schedule.enrolling.opens, schedule.enrolling.closes
    if opens <= on <= closes:
        return Verdict("window", PASS, Words(f"现在可以参加，{format_zh(closes)}截止。", f"Open for joining until {closes:%-d %B %Y}."))
    hiring_decides = late_by_hiring(schedule, on)
    paper = "contract" if hiring_decides else ""
    if schedule.joining_open(on, hired_on=person.joined_unit_on):
        words = Words("参加期已过，您符合补办的条件。", "The window has closed; you may still join late.")
        return Verdict("window", PASS, words, paper)
    if person.joined_unit_on is None and hiring_decides:
        words = Words(
            "参加期已过；新入职的职工可以补办，请告诉我们您的入职日期。",
            "The window has closed; new hires may join: tell us when you started.",
        )
        return Verdict("window", UNKNOWN, words, paper)
    if on < opens:
        words = Words(f"{format_zh(opens)}开始参加，请到时再来。", f"Joining opens on {opens:%-d %B %Y}.")
    else:
        words = Words(f"本期已于{format_zh(closes)}截止，请参加下一期。", f"This period closed on {closes:%-d %B %Y}.")
    return Verdict("window", FAIL, words, paper)


def late_by_hiring(schedule: Schedule, on: date) -> bool:
    """Does joining on this day depend on the day of hiring? (Somebody hired today may, somebody hired long ago may not.)"""
    long_ago = schedule.joining_open(on, hired_on=date.min)
    return not long_ago and schedule.joining_open(on, hired_on=on) is True


RELATION_WORDS = {
    "self": Words("本人", "yourself"),
    "spouse": Words("配偶", "your spouse"),
    "minor_child": Words("未成年子女", "your minor child"),
}


def _relation(schedule: Schedule, person: PersonFacts) -> Verdict:
    who = RELATION_WORDS[person.relation]
    if person.relation in schedule.enrolling.relations:
        paper = "" if person.relation == "self" else "relation"
        return Verdict("relation", PASS, Words(f"可以为{who.zh}参加。", f"Open to {who.en}."), paper)
    allowed = schedule.enrolling.relations
    zh = "、".join(RELATION_WORDS[r].zh for r in allowed)
    en = ", ".join(RELATION_WORDS[r].en for r in allowed)
    return Verdict("relation", FAIL, Words(f"这个计划只能为{zh}参加。", f"This plan is only for {en}."))


EMPLOYED_WORDS = {
    "": Words("您是在职职工。", "You are an employed worker."),
    "retired": Words("这个计划接受退休人员。", "This plan takes retired people."),
    "none": Words("这个计划接受没有工作单位的劳动者。", "This plan takes workers without an employer."),
}


RENEWED_WORDS = Words("您上一期已参加，可以续保。", "You were covered in the period before and may renew.")


def _renewal_only_words(held: str) -> Words:
    if held == "retired":
        return Words(
            "您已退休，这个计划的退休人员只能续保。上一期已参加的，请提供凭证。",
            "You are retired; retired people may only renew. If you were covered in the period before, show its certificate.",
        )
    return Words(
        "您这种在职情况只能续保。上一期已参加的，请提供凭证。",
        "With your employment one may only renew. If you were covered in the period before, show its certificate.",
    )


def _minor(schedule: Schedule, person: PersonFacts, cover_start: date) -> Verdict | None:
    """A minor child is under 18 on the first day of cover, also where the plan names no age."""
    if "minor_child" not in schedule.enrolling.relations:
        return None
    if person.relation != "minor_child" or age_on(person.birth_date, cover_start) < ADULT:
        return Verdict("minor", PASS, Words("子女参加的，到保障开始时未满 18 周岁。", "Children join while they are under 18."))
    words = Words("到保障开始时孩子已满 18 周岁，不能作为未成年子女参加。", "Your child is 18 when cover starts: no minor child any more.")
    return Verdict("minor", FAIL, words, "id_card")


def _employment(schedule: Schedule, person: PersonFacts) -> Verdict:
    """The first mission rule: on the job at an enterprise, or at an institution without civil-servant subsidy."""
    held = person.employment if person.relation == "self" else person.holder_employment
    if held is None or held == "":
        return Verdict("employment", UNKNOWN, Words("请告诉我们您的在职情况。", "Tell us about your employment."), "contract")
    if held in schedule.enrolling.employments:
        return Verdict("employment", PASS, EMPLOYED_WORDS.get(held, EMPLOYED_WORDS[""]), "contract")
    if held in schedule.enrolling.renewal_employments:
        if person.renewal:
            return Verdict("employment", PASS, RENEWED_WORDS, "renewal")
        return Verdict("employment", FAIL, _renewal_only_words(held), "renewal")
    words = {
        "institution_subsidised": Words(
            "您的单位享受公务员医疗补助，按规定不参加这个计划。",
            "Your employer has the civil-servant medical subsidy, so this plan is not open to you.",
        ),
        "retired": Words("您已退休，这个计划只接受在职职工。", "You are retired; this plan is for workers on the job."),
        "none": Words(
            "您目前没有工作单位，这个计划只接受在职职工。入职后可以再来。",
            "You have no employer now; come back when you are employed.",
        ),
    }
    fallback = Words("您的单位性质不在这个计划的范围内。", "Your kind of employer is outside this plan.")
    return Verdict("employment", FAIL, words.get(held, fallback), "contract")


def _retirement(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    """Retired people join only if they retired within the plan's days; for spouse and child the worker's retirement counts."""
    first, before = schedule.enrolling.retired_from, schedule.enrolling.retired_before
    if first is None and before is None:
        return None
    held = person.employment if person.relation == "self" else person.holder_employment
    if held != "retired":
        return Verdict("retirement", PASS, Words("您没有退休，不看退休日期。", "You are not retired; no day of retirement counts."))
    days = retired_words(first, before)
    if person.retired_on is None:
        words = Words(f"请告诉我们您的退休日期（要求{days.zh}）。", f"Tell us when you retired ({days.en}).")
        return Verdict("retirement", UNKNOWN, words, "retirement")
    if (first is None or person.retired_on >= first) and (before is None or person.retired_on < before):
        return Verdict("retirement", PASS, Words("您的退休日期符合要求。", "You retired within the days the plan asks for."), "retirement")
    words = Words(f"这个计划的退休人员要求{days.zh}。", f"Of retired people this plan takes those {days.en}.")
    return Verdict("retirement", FAIL, words, "retirement")


def retired_words(first: date | None, before: date | None) -> Words:
    """When a person must have retired, in words."""
    zh = [f"{format_zh(first)}（含当天）以后"] if first else []
    en = [f"on or after {first:%-d %B %Y}"] if first else []
    zh += [f"{format_zh(before)}以前（不含当天）"] if before else []
    en += [f"before {before:%-d %B %Y}"] if before else []
    return Words(f"在{'、'.join(zh)}退休", f"retired {' and '.join(en)}")


def _insurance(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    """The second mission rule: enrolled in basic medical insurance."""
    return _asked(
        "basic_insurance",
        schedule.enrolling.basic_insurance,
        person.basic_insurance,
        Words("您已参加基本医疗保险。", "You are in basic medical insurance."),
        Words("您还没有参加基本医疗保险。参保后可以再来。", "You are not in basic medical insurance yet; come back when you are."),
        Words("请告诉我们您是否参加了基本医疗保险。", "Tell us whether you are in basic medical insurance."),
        "insurance",
    )


INSURANCE_WORDS = {
    "employee": Words("职工基本医疗保险", "basic medical insurance for employees"),
    "resident": Words("城乡居民基本医疗保险", "basic medical insurance for residents"),
}


def _insurance_type(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    """Some plans take only people in one kind of basic insurance, since it decides what they bear themselves."""
    allowed = schedule.enrolling.insurance_types
    if not allowed:
        return None
    zh, en = "或".join(INSURANCE_WORDS[one].zh for one in allowed), " or ".join(INSURANCE_WORDS[one].en for one in allowed)
    if person.insurance_type is None:
        words = Words(f"请告诉我们您参加的是哪一种基本医疗保险（要求{zh}）。", f"Tell us which basic insurance you are in (needed: {en}).")
        return Verdict("insurance_type", UNKNOWN, words, "insurance")
    if person.insurance_type in allowed:
        return Verdict("insurance_type", PASS, Words(f"您参加的是{zh}。", f"You are in {en}."), "insurance")
    return Verdict("insurance_type", FAIL, Words(f"这个计划要求参加{zh}。", f"This plan asks for {en}."), "insurance")


def _months_in_unit(schedule: Schedule, person: PersonFacts, cover_start: date) -> Verdict | None:
    """So many months with the present unit on the first day of cover (the day that completes them counts)."""
    months = schedule.enrolling.min_months_in_unit
    if not months:
        return None
    if person.joined_unit_on is None:
        words = Words(
            f"请告诉我们您的入职日期（要求入职满 {months} 个月）。", f"Tell us when you started at your unit ({months} months are needed)."
        )
        return Verdict("months_in_unit", UNKNOWN, words, "contract")
    done = plus_months(person.joined_unit_on, months)
    if done <= cover_start:
        words = Words(f"到保障开始时您入职已满 {months} 个月。", f"You have {months} months with your unit.")
        return Verdict("months_in_unit", PASS, words, "contract")
    words = Words(
        f"到保障开始时您入职还不满 {months} 个月，{format_zh(done)}才满。",
        f"You will have {months} months with your unit on {done:%-d %B %Y}, after cover starts.",
    )
    return Verdict("months_in_unit", FAIL, words, "contract")


def _union(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    """The third mission rule: member of a trade union. For spouse and child the worker's membership counts."""
    return _asked(
        "union_member",
        schedule.enrolling.union_member,
        person.union_member,
        Words("您是工会会员。", "You are a union member."),
        Words("您还不是工会会员。请先到单位工会入会。", "You are not a union member yet; join your unit's union first."),
        Words("请告诉我们您是否是工会会员。", "Tell us whether you are a union member."),
        "union_card",
    )


def _card(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    """Plans for card holders: the union's member card, not membership alone. For spouse and child the worker's card counts."""
    return _asked(
        "card_holder",
        schedule.enrolling.card_holder,
        person.card_holder,
        Words("您持有工会会员卡。", "You hold a union member card."),
        Words("这个计划要求持有工会会员卡。请先到单位工会办卡。", "This plan asks for a union member card; ask your unit's union for one."),
        Words("请告诉我们您是否持有工会会员卡。", "Tell us whether you hold a union member card."),
        "union_card",
    )


def _contract(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    """A labour contract of so many months at least, for its whole length, not for what is left of it."""
    months = schedule.enrolling.min_contract_months
    if not months:
        return None
    if person.contract_months is None:
        words = Words(
            f"请告诉我们劳动合同签了多久（要求至少 {months} 个月）。",
            f"Tell us the length of your labour contract ({months} months are needed).",
        )
        return Verdict("contract", UNKNOWN, words, "contract")
    if person.contract_months >= months:
        words = Words(f"您的劳动合同不少于 {months} 个月。", f"Your contract is for {months} months or more.")
        return Verdict("contract", PASS, words, "contract")
    words = Words(
        f"您的劳动合同是 {person.contract_months} 个月，这个计划要求至少 {months} 个月。",
        f"Your contract is for {person.contract_months} months; this plan asks for {months}.",
    )
    return Verdict("contract", FAIL, words, "contract")


def _asked(rule: str, needed: bool, answer: bool | None, yes: Words, no: Words, ask: Words, evidence: str) -> Verdict | None:
    if not needed:
        return None
    if answer is None:
        return Verdict(rule, UNKNOWN, ask, evidence)
    return Verdict(rule, PASS, yes, evidence) if answer else Verdict(rule, FAIL, no, evidence)


def _gender(schedule: Schedule, person: PersonFacts) -> Verdict | None:
    wanted = schedule.enrolling.gender
    if wanted == "any":
        return None
    word = Words("女职工", "women") if wanted == "female" else Words("男职工", "men")
    if person.gender == wanted:
        return Verdict("gender", PASS, Words(f"这个计划面向{word.zh}。", f"This plan is for {word.en}."), "id_card")
    return Verdict("gender", FAIL, Words(f"这个计划只面向{word.zh}。", f"This plan is only for {word.en}."), "id_card")


def _age(schedule: Schedule, person: PersonFacts, cover_start: date) -> Verdict | None:
    """Completed years on the first day of cover. Without a band for such a person (relation, gender, renewal) nobody passes.
    When only a group has the age and nobody has told the person's group, the answer is open."""
    if not schedule.enrolling.ages:
        return None
    rules = [rule for rule in schedule.enrolling.ages if _age_rule_holds(rule, person)]
    age = age_on(person.birth_date, cover_start)
    if any(rule.from_age <= age <= rule.to_age for rule in rules):
        paper = "id_card" if _passes_as(schedule, person, age, renewal=False) else "renewal"
        return Verdict("age", PASS, Words(f"保障开始时 {age} 周岁，符合年龄要求。", f"Aged {age} when cover starts."), paper)
    if groups := _groups_of_age(schedule, person, age):
        zh, en = "、".join(w.zh for w in groups), ", ".join(w.en for w in groups)
        words = Words(
            f"保障开始时 {age} 周岁，这个年龄只有{zh}可以参加。请告诉我们您的人员身份。",
            f"Aged {age} when cover starts; at this age the plan takes {en} only. Tell us your staff group.",
        )
        return Verdict("age", UNKNOWN, words, "group")
    zh, en = "或".join(_age_band(rule).zh for rule in rules), " or ".join(_age_band(rule).en for rule in rules)
    words = Words(f"保障开始时 {age} 周岁，这个计划要求 {zh}。", f"Aged {age} when cover starts; this plan asks for {en}.")
    if not rules:
        none = "this plan names no age for people like you."
        words = Words(f"保障开始时 {age} 周岁，这个计划没有列出面向您的年龄。", f"Aged {age} when cover starts; {none}")
    if person.renewal or not _passes_as(schedule, person, age, renewal=True):
        return Verdict("age", FAIL, words, "id_card")
    more = Words("上一期已参加的可以续保，请提供凭证。", " If you were covered in the period before, show its certificate.")
    return Verdict("age", FAIL, Words(words.zh + more.zh, words.en + more.en), "renewal")


def _items(schedule: Schedule, person: PersonFacts, cover_start: date) -> Verdict | None:
    """In a combo an item may be for some people alone (`whom`). Whoever no item is for would pay for nothing and may not join; of
    items that are not for this person the others say nothing: they are named, and joining is open."""
    if not any(map(choosy, schedule.items)):
        return None
    age = age_on(person.birth_date, cover_start)
    answers = [(item.name, takes(item, person, age=age)) for item in schedule.items]
    given, open_ = any(answer for _name, answer in answers), [name for name, answer in answers if answer is None]
    if not given and open_:
        words = Words(
            "各项保障只面向一部分人员。请告诉我们您的人员身份。", "The benefits are for some staff groups only. Tell us your staff group."
        )
        return Verdict("items", UNKNOWN, words, "group")
    if not given:
        none = "No benefit of this plan is for you; joining would give you nothing."
        return Verdict("items", FAIL, Words("这个计划的各项保障都不面向您，参加了也不会给付。", none), "id_card")
    out = [name for name, answer in answers if answer is False]
    return Verdict("items", PASS, _not_for_all(out, open_), "id_card")


def _not_for_all(out: list[Words], open_: list[Words]) -> Words:
    """What whoever may join is told of the items that are not for them, and of those that hang on the group nobody has told."""
    if not out and not open_:
        return Words("各项保障都面向您。", "Every benefit of this plan is for you.")
    zh, en = "", ""
    if out:
        zh, en = f"其中“{_names_zh(out)}”不面向您，不会给付。", f"Not for you, and never paid to you: {_names_en(out)}."
    if open_:
        zh += f"“{_names_zh(open_)}”只面向一部分人员，要看您的人员身份。"
        en = f"{en} For some staff groups only, depending on yours: {_names_en(open_)}.".strip()
    return Words(zh, en)


def _names_zh(names: list[Words]) -> str:
    return "、".join(dict.fromkeys(name.zh for name in names))


def _names_en(names: list[Words]) -> str:
    return ", ".join(dict.fromkeys(name.en for name in names))


def _age_rule_holds(rule: AgeRule, person: PersonFacts) -> bool:
    return (
        rule.gender in ("any", person.gender)
        and rule.relation in ("any", person.relation)
        and rule.renewal in (None, person.renewal)
        and rule.group in (None, person.group)
    )


def _groups_of_age(schedule: Schedule, person: PersonFacts, age: int) -> list[Words]:
    """The groups with which a person of this age would pass, when nobody has told the person's group."""
    if person.group is not None:
        return []
    found = [
        rule.group
        for rule in schedule.enrolling.ages
        if rule.group and _age_rule_holds(rule, replace(person, group=rule.group)) and rule.from_age <= age <= rule.to_age
    ]
    return [group_words(group) for group in dict.fromkeys(found)]


def _passes_as(schedule: Schedule, person: PersonFacts, age: int, *, renewal: bool) -> bool:
    """Would this age pass for the same person with, or without, cover in the period before?"""
    same = replace(person, renewal=renewal)
    return any(_age_rule_holds(rule, same) and rule.from_age <= age <= rule.to_age for rule in schedule.enrolling.ages)


def _age_band(rule: AgeRule) -> Words:
    kind = {None: Words("", ""), True: Words("（续保）", " (renewal)"), False: Words("（首次参加）", " (first time)")}[rule.renewal]
    return Words(f"{rule.from_age}–{rule.to_age} 周岁{kind.zh}", f"{rule.from_age}–{rule.to_age}{kind.en}")


GROUP_WORDS = {
    ORDINARY: Words("普通职工", "ordinary workers"),
    "senior": Words("中高级职务（职称）人员", "senior staff"),
    "hardship": Words("困难职工", "workers in hardship"),
    "model_worker": Words("劳动模范", "model workers"),
    "new_form": Words("新就业形态劳动者", "workers in new forms of employment"),
}


def group_words(group: str) -> Words:
    """What a staff group is called; plans may name others in small letters."""
    return GROUP_WORDS.get(group, Words("条款列明的人员", "the people listed"))


def _further_shares(most: int, held: int, shares: int) -> Verdict:
    left = max(0, most - held)
    if 1 <= shares <= left:
        zh = f"您已有 {held} 份还在保障期内，合计最多 {most} 份，还可以参加 {left} 份。"
        return Verdict("shares", PASS, Words(zh, f"You hold {held} share(s) on these days; of {most} in all, {left} are left."))
    if not left:
        zh = f"您已有 {held} 份还在保障期内，合计最多 {most} 份，现在不能再加；那些份数到期以后可以参加。"
        return Verdict("shares", FAIL, Words(zh, f"You hold {held} share(s) on these days and may have no more; come back when they end."))
    zh = f"您选了 {shares} 份；您已有 {held} 份还在保障期内，合计最多 {most} 份，还可以参加 {left} 份。"
    return Verdict("shares", FAIL, Words(zh, f"You chose {shares}; you hold {held} of {most} on these days: {left} are left."), "shares")


def _shares(schedule: Schedule, person: PersonFacts, shares: int) -> Verdict:
    """Shares under plans that count together are as good as this plan's own: what they leave of the greatest number is open."""
    most = schedule.enrolling.max_shares
    if person.shares_held:
        return _further_shares(most, person.shares_held, shares)
    if 1 <= shares <= most:
        return Verdict("shares", PASS, Words(f"最多可以参加 {most} 份。", f"At most {most} share(s)."))
    if shares > most and schedule.enrolling.surplus_void:
        words = Words(
            f"您选了 {shares} 份，超过 {most} 份的部分无效，不收费也不计保障。",
            f"You chose {shares}; those above {most} are void and not charged.",
        )
        return Verdict("shares", PASS, words, "shares")
    return Verdict(
        "shares",
        FAIL,
        Words(f"您选了 {shares} 份，这个计划每人最多 {most} 份。", f"You chose {shares}; at most {most} share(s) each."),
        "shares",
    )


def judge_unit(schedule: Schedule, unit: UnitFacts) -> tuple[Verdict, ...]:
    """The rules that a unit must keep as a whole: enough of its people join, all with the same number of shares,
    and somebody acts for it."""
    rule = schedule.enrolling.unit
    return tuple(_unit(rule, unit)) if rule else ()


def judge_single(schedule: Schedule, unit: UnitFacts | None, *, shares: int) -> tuple[Verdict, ...]:
    """The same rules for one who joins by themselves with so many shares: `unit` is what their unit is with them in. None: they are
    nobody's staff here (no unit, or the family of a worker), so that the rules mean nothing for them, which is said."""
    rule = schedule.enrolling.unit
    if rule is None:
        return ()
    if unit is None:
        words = Words("您不是以单位职工的身份参加，对单位的要求不适用。", "You do not join as staff of a unit; its rules do not apply.")
        return (Verdict("unit", PASS, words),)
    return tuple(_to_one(rule, unit, said, shares) for said in _unit(rule, unit))


def _to_one(rule: UnitRule, unit: UnitFacts, said: Verdict, shares: int) -> Verdict:
    """A unit's verdict as one of its people is told it: how many the others are is not theirs to know."""
    if said.rule == "participation" and not rule.ratio_binds_singles:
        words = Words("自己参加的，不看单位的参加比例。", "Whoever joins by themselves is not bound by the unit's participation.")
        return Verdict("participation", PASS, words)
    if said.rule == "participation" and said.outcome == FAIL:
        words = Words(
            "您的单位参加这个计划的人数还没有达到要求，请联系单位经办人，由单位统一参加。",
            "Not enough of your unit joins this plan yet; ask the unit's agent to enrol its people together.",
        )
        return Verdict("participation", FAIL, words, "roster")
    others = (unit.shares or frozenset()) - {shares}
    if said.rule == "same_shares" and said.outcome == FAIL and others:
        zh, en = "、".join(map(str, sorted(others))), ", ".join(map(str, sorted(others)))
        words = Words(
            f"同一单位的职工份数必须相同：您单位已参加的职工每人 {zh} 份，请也选 {zh} 份。",
            f"Everyone of a unit has the same number of shares: those of yours have {en} each, so choose {en} too.",
        )
        return Verdict("same_shares", FAIL, words, "shares")
    return said


def _unit(rule: UnitRule, unit: UnitFacts) -> Iterator[Verdict]:
    yield _participation(rule, unit)
    if rule.same_shares:
        yield _same_shares(unit.shares)
    if rule.agent_bound:
        yield _agent(unit.agent_bound)


def _participation(rule: UnitRule, unit: UnitFacts) -> Verdict:
    """Enough of the unit joins, or the office has let it join with fewer."""
    who, staff, enrolling = Words("女职工", "women") if rule.of == "women" else Words("职工", "staff"), unit.eligible_staff, unit.enrolling
    if unit.excepted:
        words = Words("办事处同意单位在参加人数不足时参加。", "The office lets the unit join with fewer people.")
        return Verdict("participation", PASS, words, "roster")
    if not rule.min_ratio and not rule.all_headcount:
        return Verdict("participation", PASS, Words("单位参加多少人都可以。", "Any number of the unit may join."))
    if staff is None or enrolling is None:
        words = Words(f"请告诉我们单位有多少{who.zh}、参加多少人。", f"Tell us how many {who.en} the unit has and how many join.")
        return Verdict("participation", UNKNOWN, words, "roster")
    if participation_ok(rule, staff=staff, enrolling=enrolling):
        return Verdict("participation", PASS, Words("单位参加人数达到要求。", "Enough of the unit joins."), "roster")
    least = least_enrolling(rule, staff)
    short = least - enrolling
    zh = f"单位{who.zh} {staff} 人，至少要有 {least} 人参加，现在 {enrolling} 人，还差 {short} 人。"
    en = f"Of {staff} {who.en} at least {least} must join; {enrolling} do, {short} are missing."
    return Verdict("participation", FAIL, Words(zh, en), "roster")


def _same_shares(shares: frozenset[int] | None) -> Verdict:
    if shares is None:
        words = Words("请告诉我们单位职工各参加几份。", "Tell us how many shares the unit's people have.")
        return Verdict("same_shares", UNKNOWN, words, "shares")
    if len(shares) > 1:
        words = Words("同一单位的职工份数必须相同。", "Everyone of a unit must have the same number of shares.")
        return Verdict("same_shares", FAIL, words, "shares")
    return Verdict("same_shares", PASS, Words("单位职工的份数相同。", "Everyone of the unit has the same number of shares."), "shares")


def _agent(bound: bool | None) -> Verdict:
    """Somebody acts for the unit: who enrols its people, hands in papers, and is told what the office decides."""
    if bound is None:
        return Verdict("agent", UNKNOWN, Words("还没有核对单位是否有经办人。", "Whether the unit has an agent is not known yet."), "agent")
    if bound:
        return Verdict("agent", PASS, Words("单位有经办人。", "The unit has an agent."), "agent")
    words = Words("单位还没有绑定经办人，请先登记经办人再参加。", "The unit has no agent bound to it; register one before joining.")
    return Verdict("agent", FAIL, words, "agent")


def least_enrolling(rule: UnitRule, staff: int) -> int:
    """How many of so many must join at least."""
    if rule.all_headcount and (staff <= rule.all_headcount if rule.all_inclusive else staff < rule.all_headcount):
        return staff
    return int((rule.min_ratio * Decimal(staff)).to_integral_value(ROUND_CEILING))
