"""A schedule in sentences, Chinese and English: what each item pays, on which conditions, who may join, what it costs.

For those who read terms without reading data; the counterpart for a decided case is `explain.py`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from programs.rules.bases import field_list
from programs.rules.eligibility import INSURANCE_WORDS, group_words, retired_words
from programs.rules.explain import DEDUCTED, LOOKED_UP, RELATION_WORDS, SCOPE_WORDS, percent, plain, yuan
from programs.rules.schedule import (
    LASTING,
    AgeRule,
    ClaimWindow,
    Exclusion,
    FeeClass,
    Gate,
    Item,
    LateRule,
    OpensAfter,
    Schedule,
    Step,
    UnitRule,
    Waiting,
)
from programs.rules.survival import CHANGE_WORDS, CHANGES, survives
from programs.rules.words import Words
from unionaid.lib.calendar import format_zh

EVENT_WORDS = {
    "admission": Words("住院", "stay in hospital"),
    "outpatient": Words("门诊", "outpatient treatment"),
    "diagnosis": Words("确诊", "diagnosis"),
    "surgery": Words("手术", "surgery"),
    "accident_disability": Words("意外伤残", "disability by accident"),
    "accident_death": Words("意外身故", "death by accident"),
    "disease_death": Words("疾病身故", "death by disease"),
    "hardship": Words("困难申请", "application for help"),
}
EMPLOYMENT_WORDS = {
    "enterprise": Words("企业在职职工", "employees of enterprises"),
    "institution": Words("事业单位在职职工", "employees of institutions"),
    "institution_subsidised": Words("享受公务员医疗补助的职工", "employees with the civil servants' subsidy"),
    "retired": Words("退休人员", "retired people"),
    "none": Words("没有工作单位的人", "people without a work unit"),
}
PAYER_WORDS = {
    "person": Words("个人", "the person"),
    "unit": Words("单位", "the unit"),
    "union": Words("工会", "the union"),
    "province": Words("省", "the province"),
    "city_union": Words("市总工会", "the city federation"),
    "school": Words("学校", "the school"),
    "school_union": Words("学校工会", "the school's union"),
}
OTHER_PAYER = Words("其他出资方", "another payer")  # plans name their payers freely
GENDER_WORDS = {"any": Words("", ""), "male": Words("男职工", "men"), "female": Words("女职工", "women")}


def _take(d: Mapping[str, Any]) -> Words:
    base, cap = d["base"].words, d["base"].cap
    if cap is not None:
        return Words(f"以{base.zh}为基数（封顶线 {yuan(cap)} 元）", f"based on {base.en} ({yuan(cap)})")
    return Words(f"以{base.zh}为基数", f"based on {base.en}")


def _deduct(d: Mapping[str, Any]) -> Words:
    per = DEDUCTED[d["per"]]
    amount = _figure(d["amount"], yuan, Words(" 元", " yuan"))
    return Words(f"{per.zh}扣除起付线 {amount.zh}", f"less a deductible of {amount.en} {per.en}")


NO_UNIT = Words("", "")


def _figure(figure: Any, say: Callable[[Any], str], unit: Words = NO_UNIT) -> Words:
    """A figure with its unit; one that goes by the grade of the hospital for each grade, the highest first."""
    if not isinstance(figure, Mapping):
        return Words(f"{say(figure)}{unit.zh}", f"{say(figure)}{unit.en}")
    told = sorted(figure.items(), reverse=True)
    zh = "、".join(f"{grade} 级医院 {say(one)}{unit.zh}" for grade, one in told)
    return Words(zh, ", ".join(f"{say(one)}{unit.en} (grade {grade})" for grade, one in told))


def _offset(d: Mapping[str, Any]) -> Words:
    if d["own"]:
        what = field_list(d["own"])
        return Words(f"扣除{what.zh}和其他渠道已补助的金额", f"less {what.en} and what other funds paid")
    return Words("扣除其他渠道已补助的金额", "less what other funds paid")


def _less_items(d: Mapping[str, Any]) -> Words:
    return Words("扣除本次其他项目已给付的金额", "less what other items of the claim paid")


def _ratio(d: Mapping[str, Any]) -> Words:
    share = _figure(d["ratio"], percent)
    return Words(f"按 {share.zh} 计", f"times {share.en}")


PER = {
    "case": Words("每次申领分段计算", "by bands, per claim"),
    "admission": Words("每次住院分段计算", "by bands, per admission"),
    "period": Words("本保障期内累计分段计算", "by bands over the period of cover"),
}


def _bands(bands: Any, value: Any, *, counts: bool = False) -> Words:
    """Bands of yuan, or of a number of something."""
    say, unit = (plain, " 个") if counts else (yuan, " 元")
    zh = [f"{say(a)}{unit}{f'至 {say(b)}{unit}' if b is not None else '以上'}{value.zh(v)}" for a, b, v in bands]
    en = [f"{say(a)} {f'to {say(b)}' if b is not None else 'and above'}: {value.en(v)}" for a, b, v in bands]
    return Words("，".join(zh), "; ".join(en))


class _Share:
    zh = staticmethod(lambda value: f"的部分 {percent(value)}")
    en = staticmethod(percent)


class _Sum:
    zh = staticmethod(lambda value: f"给付 {yuan(value)} 元")
    en = staticmethod(yuan)


def _marginal(d: Mapping[str, Any]) -> Words:
    bands, per = _bands(d["bands"], _Share), PER[d["per"]]
    return Words(f"{per.zh}：{bands.zh}", f"{per.en}: {bands.en}")


def _tiers(d: Mapping[str, Any]) -> Words:
    bands = _bands(d["bands"], _Sum, counts=d["counts"])
    return Words(f"按档次给付：{bands.zh}", f"by tiers: {bands.en}")


def _per_admission(d: Mapping[str, Any]) -> Words:
    zh = "，".join(f"第 {i} 次 {percent(r)}" for i, r in enumerate(d["ratios"], 1))
    en = "; ".join(f"admission {i}: {percent(r)}" for i, r in enumerate(d["ratios"], 1))
    return Words(f"按本期住院次数计：{zh}，以后各次同最后一次", f"by admission in the period: {en}, later ones as the last")


def _per_day(d: Mapping[str, Any]) -> Words:
    rate = _figure(d["rate"], yuan, Words(" 元", " yuan"))
    zh, en = f"住院每天 {rate.zh}", f"{rate.en} for each day in hospital"
    if d["deductible_days"]:
        zh, en = f"{zh}，每次不计 {d['deductible_days']} 天", f"{en}, the first {d['deductible_days']} of each stay not counted"
    if d["max_days"]:
        zh, en = f"{zh}，每次最多 {d['max_days']} 天", f"{en}, at most {d['max_days']} days a stay"
    if d["max_days_in_period"]:
        zh, en = (
            f"{zh}，本保障期内最多 {d['max_days_in_period']} 天",
            f"{en}, at most {d['max_days_in_period']} days in the period of cover",
        )
    return Words(zh, en)


def _fixed(d: Mapping[str, Any]) -> Words:
    return Words(f"定额 {yuan(d['amount'])} 元", f"a fixed {yuan(d['amount'])} yuan")


def _declared(d: Mapping[str, Any]) -> Words:
    return Words(f"以申报的“{d['name'].zh}”为基数", f"based on what is declared: {d['name'].en}")


def _for_each(d: Mapping[str, Any]) -> Words:
    every, started = plain(d["every"]), Words("，不足的也算一个", ", one begun counts too") if d["started"] else Words("", "")
    if d["every"] == 1:
        return Words(f"每个 {yuan(d['amount'])} 元", f"{yuan(d['amount'])} yuan each")
    unit = Words("个", "") if d["counts"] else Words("元", " yuan")
    zh, en = f"每 {every} {unit.zh}计 {yuan(d['amount'])} 元{started.zh}", f"{yuan(d['amount'])} yuan for each {every}{unit.en}{started.en}"
    return Words(zh, en)


def _table(d: Mapping[str, Any]) -> Words:
    what, labels = LOOKED_UP[d["by"]], _labels(d, d["amounts"])
    zh = "，".join(f"{labels[key].zh} {yuan(amount)} 元" for key, amount in d["amounts"].items())
    en = "; ".join(f"{labels[key].en}: {yuan(amount)}" for key, amount in d["amounts"].items())
    return Words(f"按{what.zh}：{zh}", f"by {what.en}: {en}")


def _scale(d: Mapping[str, Any]) -> Words:
    what, labels = LOOKED_UP[d["by"]], _labels(d, d["ratios"])
    zh = "，".join(f"{labels[key].zh} {percent(share)}" for key, share in d["ratios"].items())
    en = "; ".join(f"{labels[key].en}: {percent(share)}" for key, share in d["ratios"].items())
    return Words(f"按{what.zh}给付 {yuan(d['sum'])} 元的：{zh}", f"by {what.en}, a share of {yuan(d['sum'])}: {en}")


def _labels(d: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Words]:
    return {key: d["labels"].get(key, Words(_plain(d["by"], key), key)) for key in table}


def _plain(by: str, key: str) -> str:
    return f"{key} 级" if by in ("disability_grade", "hospital_grade") else "条款列明的病种" if key.isascii() else key


def _shares(d: Mapping[str, Any]) -> Words:
    return Words(f"乘以份数（最多计 {d['max']} 份）", f"times the shares (at most {d['max']})")


UNIT_WORDS = {"day": Words("天", "day"), "month": Words("个月", "month")}


def _to(first: Words, last: Words | None, number: int | None) -> str:
    """To which day or month, in English; the word is said again only where it is another one."""
    return "on" if last is None else f"to {number}" if last == first else f"to {last.en} {number}"


def _wait(d: Mapping[str, Any]) -> Words:
    by_ratio = d["what"] == "ratio"
    unit = UNIT_WORDS[d["unit"]]
    told = [(UNIT_WORDS[i], a, UNIT_WORDS.get(j), b, m) for (i, j), (a, b, m) in zip(d["units"], d["bands"], strict=True)]
    zh = [f"第 {a} {i.zh}{f'至第 {b} {j.zh}' if j else '起'} {percent(m) if by_ratio else f'{yuan(m)} 元'}" for i, a, j, b, m in told]
    en = [f"{i.en} {a} {_to(i, j, b)}: {percent(m) if by_ratio else yuan(m)}" for i, a, j, b, m in told]
    return Words(
        f"按确诊在保障的第几{unit.zh}：{'，'.join(zh)}；连续参加的按最后一档",
        f"by the {unit.en} of cover: {'; '.join(en)}; renewals: the last",
    )


def _add_if_over(d: Mapping[str, Any]) -> Words:
    base = d["base"].words
    return Words(
        f"{base.zh}超过 {yuan(d['over'])} 元的，加发 {yuan(d['amount'])} 元",
        f"{yuan(d['amount'])} more when {base.en} is over {yuan(d['over'])}",
    )


def _less_paid(d: Mapping[str, Any]) -> Words:
    return Words("减去本项此前已付的金额", "less what this item paid before")


def _up_to_cost(d: Mapping[str, Any]) -> Words:
    base = d["base"].words
    return Words(f"不超过{base.zh}", f"not more than the {base.en}")


def _ceiling(d: Mapping[str, Any]) -> Words:
    scope = SCOPE_WORDS[d["scope"]]
    share = Words("（每份）", " per share") if d["per_share"] else Words("", "")
    whole = Words("（本计划各项合计）", " (all items of the plan)") if d["scope"] in LASTING and d["key"] == "plan" else Words("", "")
    return Words(
        f"{scope.zh}封顶 {yuan(d['amount'])} 元{share.zh}{whole.zh}", f"at most {yuan(d['amount'])} yuan{share.en} for {scope.en}{whole.en}"
    )


STEPS = {
    "take": _take, "deduct": _deduct, "offset": _offset, "less_items": _less_items, "ratio": _ratio, "marginal": _marginal,
    "per_admission": _per_admission, "per_day": _per_day, "fixed": _fixed, "declared": _declared, "for_each": _for_each,
    "table": _table, "scale": _scale, "tiers": _tiers,
    "shares": _shares, "wait": _wait, "add_if_over": _add_if_over, "less_paid": _less_paid, "up_to_cost": _up_to_cost,
    "ceiling": _ceiling,
}  # fmt: skip


def step_words(step: Step) -> Words:
    """One step of an amount. KeyError for an unknown step."""
    return STEPS[step.name](step.data)


def gate_words(gate: Gate) -> Words:
    """One condition of an item. KeyError for an unknown one."""
    d = gate.data
    return {
        "death_within_days": lambda: Words(f"意外后 {d['days']} 天内身故", f"death within {d['days']} days of the accident"),
        "diagnosis_in": lambda: Words(f"疾病编码以 {'、'.join(d['prefixes'])} 开头", f"diagnosis begins with {', '.join(d['prefixes'])}"),
        "hospital_grade": lambda: (
            Words(f"医院达到 {d['least']} 级", f"a hospital of grade {d['least']} or above") if d["least"] else _of_grades(d["grades"])
        ),
        "once_per_disease": lambda: Words("同一疾病只给付一次", "the same disease pays once"),
        "with_admission": lambda: Words("须住院治疗", "treated in hospital"),
        "once": lambda: Words(f"{SCOPE_WORDS[d['scope']].zh}只给付一次", f"paid once ({SCOPE_WORDS[d['scope']].en})"),
        "gender": lambda: Words(f"只面向{GENDER_WORDS[d['gender']].zh}", f"for {GENDER_WORDS[d['gender']].en} only"),
        "relation": lambda: Words(
            f"只面向{'、'.join(RELATION_WORDS[one].zh for one in d['relations'])}",
            f"for {', '.join(RELATION_WORDS[one].en for one in d['relations'])} only",
        ),
        "age_at_start": lambda: Words(
            f"保障开始时：{'；'.join(_age(one).zh for one in d['ages'])}",
            f"when cover begins: {'; '.join(_age(one).en for one in d['ages'])}",
        ),
        "age": lambda: Words(f"事发时 {d['from']} 至 {d['to']} 周岁", f"aged {d['from']} to {d['to']} when it happened"),
    }[gate.name]()


def _of_grades(grades: tuple[int, ...]) -> Words:
    return Words(f"限 {'、'.join(map(str, grades))} 级医院", f"a hospital of grade {' or '.join(map(str, grades))} only")


def item_lines(item: Item) -> list[Words]:
    """Conditions, then steps, of one item."""
    return [*(gate_words(gate) for gate in item.gates), *(step_words(step) for step in item.steps)]


def exclusion_lines(schedule: Schedule) -> list[Words]:
    """What is not paid for, each with its clause; and that items exclude each other or stay within the cost."""
    lines = [_exclusion(one, schedule) for one in schedule.exclusions]
    for group in schedule.exclusive:
        names = [schedule.item(code).name for code in group]
        lines.append(Words(f"{'、'.join(n.zh for n in names)}只给付较高的一项", f"only the higher of {', '.join(n.en for n in names)}"))
    if schedule.indemnity:
        lines.append(Words("按费用补助的各项合计不超过个人负担", "aid for cost is never more than the personal cost"))
    return lines


def _exclusion(one: Exclusion, schedule: Schedule) -> Words:
    names = [schedule.item(code).name for code in one.items]
    zh = f"（适用于{'、'.join(n.zh for n in names)}）" if names else ""
    en = f" (for {', '.join(n.en for n in names)})" if names else ""
    return Words(f"不给付：{one.name.zh}（{one.clause}）{zh}", f"not paid: {one.name.en} ({one.clause}){en}")


def joining_lines(schedule: Schedule) -> list[Words]:
    """Who may join, and until when."""
    e = schedule.enrolling
    lines = [
        Words(f"参加时间：{format_zh(e.opens)}至{format_zh(e.closes)}", f"joining: {e.opens:%-d %B %Y} to {e.closes:%-d %B %Y}"),
        *(_late(rule) for rule in e.late),
        _list("参加对象", "who", [RELATION_WORDS[code] for code in e.relations]),
        _list("在职情况", "employment", [EMPLOYMENT_WORDS[code] for code in e.employments]),
    ]
    if e.renewal_employments:
        lines.append(_list("只能续保（上一期参加过）", "as a renewal only", [EMPLOYMENT_WORDS[code] for code in e.renewal_employments]))
    if e.retired_from or e.retired_before:
        when = retired_words(e.retired_from, e.retired_before)
        lines.append(Words(f"退休人员要{when.zh}", f"retired people: those {when.en}"))
    if e.gender != "any":
        lines.append(Words(f"只面向{GENDER_WORDS[e.gender].zh}", f"for {GENDER_WORDS[e.gender].en} only"))
    if e.basic_insurance:
        lines.append(Words("要参加基本医疗保险", "basic medical insurance is needed"))
    if e.insurance_types:
        lines.append(_list("医保种类", "kind of insurance", [INSURANCE_WORDS[code] for code in e.insurance_types]))
    if e.min_months_in_unit:
        lines.append(Words(f"入职满 {e.min_months_in_unit} 个月", f"{e.min_months_in_unit} months with the unit"))
    if e.min_contract_months:
        months = e.min_contract_months
        lines.append(Words(f"劳动合同不少于 {months} 个月", f"a labour contract of {months} months or more"))
    if e.union_member:
        lines.append(Words("要是工会会员", "union membership is needed"))
    if e.card_holder:
        lines.append(Words("要持有工会会员卡", "a union member card is needed"))
    lines += [_age(rule) for rule in e.ages]
    void = Words("，超出的部分无效", ", the surplus is void") if e.surplus_void else Words("", "")
    lines.append(Words(f"每人最多 {e.max_shares} 份{void.zh}", f"at most {e.max_shares} share(s) each{void.en}"))
    if e.together_with:
        codes = "、".join(e.together_with), ", ".join(e.together_with)
        zh, en = f"与 {codes[0]} 同期的份数合计计算", f"shares on the same days under {codes[1]} count too"
        lines.append(Words(zh, en))
    if schedule.follows_on_within is not None:
        days = schedule.follows_on_within
        zh = f"上次保障到期后 {days} 天内续保的，保障从到期次日接上"
        lines.append(Words(zh, f"whoever renews within {days} days after their cover ended is covered from the day it ended on"))
    if not e.individual:
        lines.append(Words("由单位统一参加", "units join for their people"))
    return lines + (_unit_lines(e.unit, e.individual) if e.unit else [])


def _unit_lines(rule: UnitRule, individual: bool) -> list[Words]:
    who, lines = Words("女职工", "women") if rule.of == "women" else Words("职工", "staff"), []
    if rule.min_ratio:
        lines.append(
            Words(f"单位{who.zh}参加比例不低于 {percent(rule.min_ratio)}", f"at least {percent(rule.min_ratio)} of a unit's {who.en}")
        )
    if rule.all_headcount:
        zh = "及以下" if rule.all_inclusive else "以下（不含）"
        count = f"{rule.all_headcount} or fewer" if rule.all_inclusive else f"less than {rule.all_headcount}"
        lines.append(Words(f"{who.zh} {rule.all_headcount} 人{zh}的单位须全员参加", f"units with {count} {who.en} join as a whole"))
    if individual and (rule.min_ratio or rule.all_headcount):
        zh, en = "达到这个比例的单位，职工个人才可以自己参加", "people join by themselves only from units that reach this"
        free = Words("个人自己参加的不看这个比例", "those who join by themselves are not bound by this")
        lines.append(Words(zh, en) if rule.ratio_binds_singles else free)
    if rule.same_shares:
        lines.append(Words("同一单位份数相同", "everyone of a unit has the same number of shares"))
    if rule.agent_bound:
        lines.append(Words("单位要有经办人", "the unit has an agent"))
    return lines


def _late(rule: LateRule) -> Words:
    length = Words(f"{rule.months} 个月", f"{rule.months} months") if rule.months else Words(f"{rule.days} 天", f"{rule.days} days")
    who = Words("新入职职工", "new hires") if rule.new_hires else Words("未及时参加的", "latecomers")
    after = Words("入职后", "of being hired") if rule.after_hiring else Words("保障开始后", "of the start of cover")
    return Words(f"{who.zh}可在{after.zh} {length.zh}内补办", f"{who.en} may join within {length.en} {after.en}")


def _age(rule: AgeRule) -> Words:
    relation, gender = RELATION_WORDS[rule.relation], GENDER_WORDS[rule.gender]
    kind = {None: Words("", ""), True: Words("（续保）", " (renewal)"), False: Words("（首次参加）", " (first time)")}[rule.renewal]
    named = group_words(rule.group) if rule.group else None
    group = Words(f"（{named.zh}）", f" ({named.en})") if named else Words("", "")
    return Words(
        f"{relation.zh}{gender.zh}{group.zh}年龄 {rule.from_age} 至 {rule.to_age} 周岁{kind.zh}",
        f"age of {relation.en}{' ' * bool(gender.en)}{gender.en}{group.en}: {rule.from_age} to {rule.to_age}{kind.en}",
    )


def _list(zh: str, en: str, names: list[Words]) -> Words:
    return Words(f"{zh}：{'、'.join(n.zh for n in names)}", f"{en}: {', '.join(n.en for n in names)}")


def fee_lines(schedule: Schedule) -> list[Words]:
    """What a share costs, who pays it, and until when."""
    lines = [_fee(fee) for fee in schedule.fees]
    if any(fee.per_share for fee in schedule.fees):
        days = schedule.pay_within_days
        zh = f"参加后 {days} 天内缴清，逾期未到账的取消参加"
        lines.append(Words(zh, f"to be paid within {days} days of joining; what has not arrived by then is cancelled"))
    return lines


NATURE_WORDS = {
    "enterprise": Words("企业", "enterprises"),
    "institution": Words("事业单位", "institutions"),
    "agency": Words("机关", "agencies"),
    "other": Words("其他单位", "other units"),
}
RISK_WORDS = {"high": Words("高风险工种", "high-risk work"), "normal": Words("一般工种", "ordinary work")}


def _fee(fee: FeeClass) -> Words:
    parts = _fee_parts(fee)
    who_zh, who_en = "、".join(p.zh for p in parts if p.zh), ", ".join(p.en for p in parts if p.en)
    amount = Words(f"每份 {yuan(fee.per_share)} 元", f"{yuan(fee.per_share)} yuan a share") if fee.per_share else Words("免缴", "free")
    zh, en = f"{who_zh + '：' if who_zh else ''}{amount.zh}", f"{who_en + ': ' if who_en else ''}{amount.en}"
    if fee.refundable:
        zh, en = f"{zh}，到期退还", f"{en}, paid back at the end"
    if fee.payers:
        zh += f"（{'，'.join(f'{payer_words(name).zh} {yuan(amount)} 元' for name, amount in fee.payers)}）"
        en += f" ({', '.join(f'{payer_words(name).en} {yuan(amount)}' for name, amount in fee.payers)})"
    if fee.person_at_least is not None:
        zh += f"，单位可以另选个人缴多少，至少 {yuan(fee.person_at_least)} 元"
        en += f"; the unit may set the person's part, {yuan(fee.person_at_least)} at least"
    return Words(zh, en)


def _fee_parts(fee: FeeClass) -> list[Words]:
    """Whom and when a class of contribution is for."""
    parts = [
        GENDER_WORDS[fee.gender],
        {None: Words("", ""), True: Words("持证人员", "card holders"), False: Words("非持证人员", "others")}[fee.card_holder],
        RISK_WORDS.get(fee.risk, Words("条款列明的工种", "the work listed")) if fee.risk else Words("", ""),
        NATURE_WORDS[fee.unit_nature] if fee.unit_nature else Words("", ""),
        RELATION_WORDS[fee.relation] if fee.relation else Words("", ""),
        group_words(fee.group) if fee.group else Words("", ""),
    ]
    if fee.term_months:
        parts.append(Words(f"保障 {fee.term_months} 个月", f"{fee.term_months} months of cover"))
    if fee.joined_from:
        parts.append(Words(f"保障从{format_zh(fee.joined_from)}或以后开始", f"cover from {fee.joined_from:%-d %B %Y} or later"))
    if fee.joined_to:
        parts.append(Words(f"保障从{format_zh(fee.joined_to)}或以前开始", f"cover from {fee.joined_to:%-d %B %Y} or before"))
    return parts


def payer_words(name: str) -> Words:
    """Who pays, in words; plans name their payers freely."""
    return PAYER_WORDS.get(name, OTHER_PAYER)


def cover_words(schedule: Schedule) -> Words:
    """For how long one is covered, and from when that counts."""
    if not schedule.terms:
        last = schedule.period.last_day
        return Words(f"保障到{format_zh(last)}", f"covered until {last:%-d %B %Y}")
    zh, en = "、".join(f"{n} 个月" for n in schedule.terms), ", ".join(f"{n}" for n in schedule.terms)
    choose = Words("可选 ", "a choice of ") if len(schedule.terms) > 1 else Words(" ", "")
    joining, first = Words("自参加的次日起", "from the day after joining"), Words("自保障期第一天起", "from the period's first day")
    start = joining if schedule.from_joining else first
    return Words(f"保障时间{choose.zh}{zh}，{start.zh}", f"covered for {choose.en}{en} months {start.en}")


def survival_lines(schedule: Schedule) -> list[Words]:
    """What becomes of cover when its holder is transferred or retires in the period; nothing is said of plans that always keep
    the right."""
    if not schedule.ended_by:
        return []
    kept, ended = Words("不影响本期保障", "cover goes on"), Words("的，保障到当天为止", "cover ends on that day")
    return [
        Words(f"期内{CHANGE_WORDS[one].zh}{end.zh}", f"on {CHANGE_WORDS[one].en} {end.en}")
        for one in CHANGES
        for end in [kept if survives(schedule, one) else ended]
    ]


def waiting_words(schedule: Schedule) -> Words:
    """How long after joining nothing is paid, for the plan and for items with their own waiting."""
    plan = _waiting(schedule.waiting)
    others = [
        (item.name, _waiting(item.waiting)) for item in schedule.items if item.waiting is not None and item.waiting != schedule.waiting
    ]
    zh = "；".join([plan.zh, *(f"{name.zh}：{words.zh}" for name, words in others)])
    en = "; ".join([plan.en, *(f"{name.en}: {words.en}" for name, words in others)])
    return Words(zh, en)


def _waiting(w: Waiting) -> Words:
    if not (w.days or w.months):
        return Words("没有等待期（各项另有规定的除外）", "no waiting period, unless an item says otherwise")
    zh = "零".join(part for part in (f"{w.months} 个月" * bool(w.months), f"{w.days} 天" * bool(w.days)) if part)
    en = " and ".join(part for part in (f"{w.months} months" * bool(w.months), f"{w.days} days" * bool(w.days)) if part)
    if w.accidents:
        zh, en = f"{zh}（意外也要等待）", f"{en} (for accidents too)"
    if w.waived_within_days is None:
        return Words(f"等待期 {zh}", f"a waiting period of {en}")
    return Words(
        f"等待期 {zh}；上期到期后 {w.waived_within_days} 天内续保的免除",
        f"a waiting period of {en}, waived on renewal within {w.waived_within_days} days",
    )


def deadline_words(schedule: Schedule) -> Words:
    """Until when benefit may be applied for."""
    window = schedule.claim_window
    if window is None:
        return Words("没有规定申领期限", "no deadline")
    said = [words for words in (_length(window), _last_days(window.until)) if words]
    which = Words("，两个日子取较晚的", ", whichever is later") if window.later else Words("，两个日子取较早的", ", whichever is earlier")
    zh, en = "或".join(w.zh for w in said), " or ".join(w.en for w in said)
    zh, en = (f"{zh}申领", f"apply {en}") if said else ("没有规定申领期限", "no deadline")
    if len(said) > 1:
        zh, en = f"{zh}{which.zh}", f"{en}{which.en}"
    if unit := _last_days(window.unit_until):
        zh, en = f"{zh}；由单位代办的，{unit.zh}交到单位", f"{en}; through the unit {unit.en}"
    return Words(zh, en)


def _length(window: ClaimWindow) -> Words | None:
    if not window.lasts:
        return None
    length = _so_long(window.days, window.months)
    own = [(kind_words(kind), _so_long(days, months)) for kind, days, months in window.lengths]
    zh, en = "，".join(f"{kind.zh}的 {one.zh}内" for kind, one in own), ", ".join(f"{kind.en}: {one.en}" for kind, one in own)
    after = Words("事发或出院后", "of the event or the discharge") if window.after_discharge else Words("事发后", "of the event")
    return Words(f"{after.zh} {length.zh}内{f'（{zh}）' if zh else ''}", f"within {length.en} {after.en}{f' ({en})' if en else ''}")


def _so_long(days: int, months: int) -> Words:
    return Words(f"{months} 个月", f"{months} months") if months else Words(f"{days} 天", f"{days} days")


def _last_days(days: tuple[tuple[str, date], ...]) -> Words | None:
    """Until a day; the kinds of event that have another one behind it."""
    told = [(kind_words(kind), day) for kind, day in sorted(days, key=lambda one: one[0] != "default")]
    if not told:
        return None
    (_other, first), *more = told
    zh = "，".join(f"{kind.zh}的到{format_zh(day)}" for kind, day in more)
    en = ", ".join(f"{kind.en} by {day:%-d %B %Y}" for kind, day in more)
    return Words(f"{format_zh(first)}前{f'（{zh}）' if zh else ''}", f"by {first:%-d %B %Y}{f' ({en})' if en else ''}")


KIND_WORDS = {"childbirth": Words("生育", "childbirth")}  # kinds of event with a deadline of their own


def kind_words(kind: str) -> Words:
    """A kind of event with a last day of its own, as people say it; the plan's own word as it stands."""
    return Words(kind, kind) if not kind.isascii() else KIND_WORDS.get(kind, Words("其他", "other"))


def _opening_line(rule: OpensAfter) -> Words:
    events_zh = "、".join(EVENT_WORDS[event].zh for event in rule.events)
    events_en = ", ".join(EVENT_WORDS[event].en for event in rule.events)
    if rule.own_cost_left is None:
        return Words(f"给付了{events_zh}的互助金之后自动发起", f"opened by rule after a benefit for {events_en}")
    left = yuan(rule.own_cost_left)
    zh = f"给付了{events_zh}的互助金之后，个人负担还剩 {left} 元以上的，自动发起"
    return Words(zh, f"opened by rule after a benefit for {events_en}, where {left} yuan of own cost or more are left")


def deciding_lines(schedule: Schedule) -> list[Words]:
    """Who looks at a claim, whether it is made public, and until when the decision may be appealed."""
    rule, lines = schedule.deciding, []
    if rule.unit_first:
        lines.append(Words("申领先由单位经办人核对", "the unit's agent looks at a claim first"))
    if rule.final_from is not None:
        lines.append(
            Words(
                f"给付 {yuan(rule.final_from)} 元以上的、有疑点的由第二个人终审",
                f"a second person decides from {yuan(rule.final_from)} yuan up and whenever something is doubtful",
            )
        )
    if rule.notice_days:
        days = rule.notice_days
        lines.append(Words(f"批准后公示 {days} 个工作日", f"public notice of {days} working days after approval"))
    lines += [_opening_line(one) for one in schedule.opens_after]
    days = rule.appeal_days
    lines.append(Words(f"不服决定的，{days} 个工作日内可以申诉", f"a decision may be appealed within {days} working days"))
    if rule.set_off_ratio:
        part = percent(rule.set_off_ratio)
        words = f"多付了还没退清的，从以后的给付里最多扣 {part} 抵还"
        lines.append(Words(words, f"up to {part} of a later benefit is set off against what was paid too much and not yet returned"))
    return lines
