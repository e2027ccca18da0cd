"""A schedule in sentences, Chinese and English: what each item pays, on which conditions, who may join, what it costs.

For those who read terms without reading data; the counterpart for a decided case is `explain.py`.
"""

from collections.abc import Mapping
from typing import Any

from programs.rules.explain import BASE_WORDS, SCOPE_WORDS, percent, yuan
from programs.rules.schedule import AgeRule, FeeClass, Gate, Item, Schedule, Step, Words
from unionaid.lib.calendar import format_zh

EMPLOYMENT_WORDS = {
    "enterprise": Words("企业在职职工", "employees of enterprises"),
    "institution": Words("事业单位在职职工", "employees of institutions"),
    "institution_subsidised": Words("享受公务员医疗补助的职工", "employees with the civil servants' subsidy"),
    "retired": Words("退休人员", "retired people"),
    "none": Words("没有工作单位的人", "people without a work unit"),
}
RELATION_WORDS = {
    "self": Words("职工本人", "the worker"),
    "spouse": Words("配偶", "the spouse"),
    "minor_child": Words("未成年子女", "minor children"),
    "any": Words("", "everyone"),
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
    base = BASE_WORDS[d["base"]]
    return Words(f"以{base.zh}为基数", f"based on {base.en}")


def _deduct(d: Mapping[str, Any]) -> Words:
    per = ("每次住院", "per admission") if d["per"] == "admission" else ("每次申领", "per claim")
    return Words(f"{per[0]}扣除起付线 {yuan(d['amount'])} 元", f"less a deductible of {yuan(d['amount'])} yuan {per[1]}")


def _ratio(d: Mapping[str, Any]) -> Words:
    return Words(f"按 {percent(d['ratio'])} 计", f"times {percent(d['ratio'])}")


def _marginal(d: Mapping[str, Any]) -> Words:
    zh = [f"{yuan(a)} 元{f'至 {yuan(b)} 元' if b is not None else '以上'}的部分 {percent(r)}" for a, b, r in d["bands"]]
    en = [f"{yuan(a)} {f'to {yuan(b)}' if b is not None else 'and above'}: {percent(r)}" for a, b, r in d["bands"]]
    return Words(f"分段计算：{'，'.join(zh)}", f"by bands: {'; '.join(en)}")


def _per_admission(d: Mapping[str, Any]) -> Words:
    zh = "，".join(f"第 {i} 次 {percent(r)}" for i, r in enumerate(d["ratios"], 1))
    en = "; ".join(f"admission {i}: {percent(r)}" for i, r in enumerate(d["ratios"], 1))
    return Words(f"按本期住院次数计：{zh}，以后各次同最后一次", f"by admission in the period: {en}, later ones as the last")


def _per_day(d: Mapping[str, Any]) -> Words:
    zh, en = f"住院每天 {yuan(d['rate'])} 元", f"{yuan(d['rate'])} yuan for each day in hospital"
    if d["deductible_days"]:
        zh, en = f"{zh}，每次不计 {d['deductible_days']} 天", f"{en}, the first {d['deductible_days']} of each stay not counted"
    if d["max_days"]:
        zh, en = f"{zh}，每次最多 {d['max_days']} 天", f"{en}, at most {d['max_days']} days a stay"
    return Words(zh, en)


def _fixed(d: Mapping[str, Any]) -> Words:
    return Words(f"定额 {yuan(d['amount'])} 元", f"a fixed {yuan(d['amount'])} yuan")


def _table(d: Mapping[str, Any]) -> Words:
    what = ("给付类别", "class") if d["by"] == "diagnosis_class" else ("伤残等级", "disability grade")
    labels = {key: d["labels"].get(key, Words(_plain(d["by"], key), key)) for key in d["amounts"]}
    zh = "，".join(f"{labels[key].zh} {yuan(amount)} 元" for key, amount in d["amounts"].items())
    en = "; ".join(f"{labels[key].en}: {yuan(amount)}" for key, amount in d["amounts"].items())
    return Words(f"按{what[0]}：{zh}", f"by {what[1]}: {en}")


def _plain(by: str, key: str) -> str:
    return f"{key} 级" if by == "disability_grade" else "条款列明的病种" if key.isascii() else key


def _shares(d: Mapping[str, Any]) -> Words:
    return Words(f"乘以份数（最多计 {d['max']} 份）", f"times the shares (at most {d['max']})")


def _wait(d: Mapping[str, Any]) -> Words:
    zh = [f"第 {a} 天{f'至第 {b} 天' if b else '起'} {yuan(m)} 元" for a, b, m in d["bands"]]
    en = [f"day {a} {f'to {b}' if b else 'on'}: {yuan(m)}" for a, b, m in d["bands"]]
    return Words(
        f"按确诊在保障的第几天：{'，'.join(zh)}；连续参加的按最后一档", f"by the day of cover: {'; '.join(en)}; renewals: the last"
    )


def _add_if_over(d: Mapping[str, Any]) -> Words:
    base = BASE_WORDS[d["base"]]
    return Words(
        f"{base.zh}超过 {yuan(d['over'])} 元的，加发 {yuan(d['amount'])} 元",
        f"{yuan(d['amount'])} more when {base.en} is over {yuan(d['over'])}",
    )


def _less_paid(d: Mapping[str, Any]) -> Words:
    return Words("减去本项此前已付的金额", "less what this item paid before")


def _ceiling(d: Mapping[str, Any]) -> Words:
    scope = SCOPE_WORDS[d["scope"]]
    share = Words("（每份）", " per share") if d["per_share"] else Words("", "")
    whole = Words("（本计划各项合计）", " (all items of the plan)") if d["scope"] != "case" and d["key"] == "plan" else Words("", "")
    return Words(
        f"{scope.zh}封顶 {yuan(d['amount'])} 元{share.zh}{whole.zh}", f"at most {yuan(d['amount'])} yuan{share.en} for {scope.en}{whole.en}"
    )


STEPS = {
    "take": _take, "deduct": _deduct, "ratio": _ratio, "marginal": _marginal, "per_admission": _per_admission, "per_day": _per_day,
    "fixed": _fixed, "table": _table, "shares": _shares, "wait": _wait, "add_if_over": _add_if_over, "less_paid": _less_paid,
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
        "hospital_grade": lambda: Words(f"医院达到 {d['grade']} 级", f"a hospital of grade {d['grade']} or above"),
        "once_per_disease": lambda: Words("同一疾病只给付一次", "the same disease pays once"),
    }[gate.name]()


def item_lines(item: Item) -> list[Words]:
    """Conditions, then steps, of one item."""
    return [*(gate_words(gate) for gate in item.gates), *(step_words(step) for step in item.steps)]


def joining_lines(schedule: Schedule) -> list[Words]:
    """Who may join, and until when."""
    e = schedule.enrolling
    lines = [
        Words(f"参加时间：{format_zh(e.opens)}至{format_zh(e.closes)}", f"joining: {e.opens:%-d %B %Y} to {e.closes:%-d %B %Y}"),
        _list("参加对象", "who", [RELATION_WORDS[code] for code in e.relations]),
        _list("在职情况", "employment", [EMPLOYMENT_WORDS[code] for code in e.employments]),
    ]
    if e.gender != "any":
        lines.append(Words(f"只面向{GENDER_WORDS[e.gender].zh}", f"for {GENDER_WORDS[e.gender].en} only"))
    if e.basic_insurance:
        lines.append(Words("要参加基本医疗保险", "basic medical insurance is needed"))
    if e.union_member:
        lines.append(Words("要是工会会员", "union membership is needed"))
    lines += [_age(rule) for rule in e.ages]
    lines.append(Words(f"每人最多 {e.max_shares} 份", f"at most {e.max_shares} share(s) each"))
    if not e.individual:
        lines.append(Words("由单位统一参加", "units join for their people"))
    if e.unit is not None and e.unit.min_ratio:
        lines.append(Words(f"单位参加比例不低于 {percent(e.unit.min_ratio)}", f"at least {percent(e.unit.min_ratio)} of a unit"))
    return lines


def _age(rule: AgeRule) -> Words:
    relation, gender = RELATION_WORDS[rule.relation], GENDER_WORDS[rule.gender]
    kind = {None: Words("", ""), True: Words("（续保）", " (renewal)"), False: Words("（首次参加）", " (first time)")}[rule.renewal]
    return Words(
        f"{relation.zh}{gender.zh}年龄 {rule.from_age} 至 {rule.to_age} 周岁{kind.zh}",
        f"age of {relation.en}{' ' * bool(gender.en)}{gender.en}: {rule.from_age} to {rule.to_age}{kind.en}",
    )


def _list(zh: str, en: str, names: list[Words]) -> Words:
    return Words(f"{zh}：{'、'.join(n.zh for n in names)}", f"{en}: {', '.join(n.en for n in names)}")


def fee_lines(schedule: Schedule) -> list[Words]:
    """What a share costs, and who pays it."""
    return [_fee(fee) for fee in schedule.fees]


def _fee(fee: FeeClass) -> Words:
    card = {None: Words("", ""), True: Words("持证人员", "card holders"), False: Words("非持证人员", "others")}[fee.card_holder]
    who_zh, who_en = f"{GENDER_WORDS[fee.gender].zh}{card.zh}", f"{GENDER_WORDS[fee.gender].en} {card.en}".strip()
    zh = f"{who_zh + '：' if who_zh else ''}每份 {yuan(fee.per_share)} 元"
    en = f"{who_en + ': ' if who_en else ''}{yuan(fee.per_share)} yuan a share"
    if fee.payers:
        zh += f"（{'，'.join(f'{_payer(name).zh} {yuan(amount)} 元' for name, amount in fee.payers)}）"
        en += f" ({', '.join(f'{_payer(name).en} {yuan(amount)}' for name, amount in fee.payers)})"
    return Words(zh, en)


def _payer(name: str) -> Words:
    return PAYER_WORDS.get(name, OTHER_PAYER)


def waiting_words(schedule: Schedule) -> Words:
    """How long after joining nothing is paid."""
    w = schedule.waiting
    if not (w.days or w.months):
        return Words("没有等待期（各项另有规定的除外）", "no waiting period, unless an item says otherwise")
    length = Words(f"{w.months} 个月", f"{w.months} months") if w.months else Words(f"{w.days} 天", f"{w.days} days")
    if w.waived_within_days is None:
        return Words(f"等待期 {length.zh}", f"a waiting period of {length.en}")
    return Words(
        f"等待期 {length.zh}；上期到期后 {w.waived_within_days} 天内续保的免除",
        f"a waiting period of {length.en}, waived on renewal within {w.waived_within_days} days",
    )


def deadline_words(schedule: Schedule) -> Words:
    """Until when benefit may be applied for."""
    if schedule.claim_days:
        return Words(f"事发后 {schedule.claim_days} 天内申领", f"apply within {schedule.claim_days} days of the event")
    if schedule.claim_until:
        last = max(day for _kind, day in schedule.claim_until)
        return Words(f"{format_zh(last)}前申领", f"apply by {last:%-d %B %Y}")
    return Words("没有规定申领期限", "no deadline")
