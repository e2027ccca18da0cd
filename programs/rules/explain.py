"""A stored assessment in sentences, Chinese and English: every step with its figures, every refusal with its reason.

Works on the stored form (`Assessment.as_data()`), so that a statement of years ago reads as it was decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.bases import SETTLEMENT_WORDS, base_words, field_list
from programs.rules.words import Words
from unionaid.lib.calendar import format_zh


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of a statement, the amount after it (yuan) when there is one, and the clause it rests on."""

    words: Words
    amount: Decimal | None = None
    clause: str = ""


SCOPE_WORDS = {
    "admission": Words("每次住院", "each admission"),
    "case": Words("每次申领", "each claim"),
    "year": Words("本保障年度内", "this year of cover"),
    "period": Words("本保障期内", "this period of cover"),
    "lifetime": Words("终身", "lifetime"),
    "disease": Words("本保障期内同一疾病", "one disease in this period of cover"),
}
FACT_WORDS = {
    **SETTLEMENT_WORDS,
    "stays": Words("住院或门诊的日期和费用", "the stay and its figures"),
    "other_aid": Words("其他渠道已给的补助金额（没有的填 0）", "what other funds gave (0 if nothing)"),
    "diagnosis_class": Words("给付类别", "the class of the disease"),
    "disability_grade": Words("伤残等级", "the grade of disability"),
    "diagnosis_code": Words("疾病编码", "the diagnosis code"),
    "hospital_grade": Words("医院等级", "the grade of the hospital"),
    "accident_on": Words("意外发生日期", "the day of the accident"),
    "death_on": Words("身故日期", "the day of death"),
    "declared": Words("申报的数（没有申报任何一项）", "the figures to declare (none was)"),
    "group": Words("人员身份", "the staff group"),
}

RELATION_WORDS = {
    "self": Words("职工本人", "the worker"),
    "spouse": Words("配偶", "the spouse"),
    "minor_child": Words("未成年子女", "minor children"),
    "any": Words("", "everyone"),
}


def yuan(text: Any) -> str:
    """6,000.00"""
    return f"{Decimal(str(text)):,.2f}"


def plain(text: Any) -> str:
    """10,000 (without needless zeros)"""
    shown = f"{Decimal(str(text)):,f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def percent(text: Any) -> str:
    """80% (without needless zeros)"""
    return f"{(Decimal(str(text)) * 100).normalize():f}%"


def _base(i: Mapping[str, str], name: str = "base") -> Words:
    """The base that a line names, composed or not."""
    plus, less = (tuple(filter(None, i.get(key, "").split(","))) for key in ("plus", "less"))
    return base_words(i[name], plus, less)


def _take(i: Mapping[str, str], r: str) -> Words:
    base = _base(i)
    if i.get("cap"):
        return Words(f"{base.zh}（封顶线 {yuan(i['cap'])} 元以上）合计 {yuan(r)} 元", f"{base.en} (above {yuan(i['cap'])}): {yuan(r)} yuan")
    return Words(f"{base.zh}合计 {yuan(r)} 元", f"{base.en}: {yuan(r)} yuan")


DEDUCTED = {
    "admission": Words("每次住院", "per admission"),
    "case": Words("每次申领", "per claim"),
    "period": Words("本保障期内", "for this period of cover"),
}


def _deduct(i: Mapping[str, str], r: str) -> Words:
    per = DEDUCTED[i["per"]]
    if amounts := i.get("amounts"):
        sums = [yuan(one) for one in amounts.split(",")]
        zh = f"按医院等级扣除起付线{per.zh} {'、'.join(sums)} 元后为 {yuan(r)} 元"
        return Words(zh, f"less the deductible by the grade of the hospital, {' and '.join(sums)} {per.en}: {yuan(r)}")
    if i["per"] == "period":
        return Words(
            f"扣除起付线{per.zh}共 {yuan(i['whole'])} 元中尚未扣的 {yuan(i['amount'])} 元后为 {yuan(r)} 元",
            f"less {yuan(i['amount'])} still open of the deductible of {yuan(i['whole'])} {per.en}: {yuan(r)}",
        )
    return Words(
        f"扣除起付线{per.zh} {yuan(i['amount'])} 元后为 {yuan(r)} 元",
        f"less the deductible of {yuan(i['amount'])} {per.en}: {yuan(r)}",
    )


def _offset(i: Mapping[str, str], r: str) -> Words:
    if names := i.get("fields"):
        what = field_list(names.split(","))
        return Words(f"扣除{what.zh}等 {yuan(i['paid'])} 元后为 {yuan(r)} 元", f"less {yuan(i['paid'])}, {what.en} among it: {yuan(r)}")
    return Words(f"扣除其他渠道已补助的 {yuan(i['paid'])} 元后为 {yuan(r)} 元", f"less {yuan(i['paid'])} paid by other funds: {yuan(r)}")


def _less_items(i: Mapping[str, str], r: str) -> Words:
    return Words(
        f"扣除本次其他项目已给付的 {yuan(i['paid'])} 元后为 {yuan(r)} 元",
        f"less {yuan(i['paid'])} paid by other items of this claim: {yuan(r)}",
    )


def _ratio(i: Mapping[str, str], r: str) -> Words:
    return Words(f"{yuan(i['of'])} 元按 {percent(i['ratio'])} 计", f"{percent(i['ratio'])} of {yuan(i['of'])}")


def _band(i: Mapping[str, str], r: str) -> Words:
    to_zh = f"至 {yuan(i['up_to'])} 元" if i["up_to"] else "以上"
    to_en = f"to {yuan(i['up_to'])}" if i["up_to"] else "and above"
    return Words(
        f"{yuan(i['over'])} 元{to_zh}的部分：{yuan(i['part'])} 元 × {percent(i['ratio'])}",
        f"the part over {yuan(i['over'])} {to_en}: {yuan(i['part'])} × {percent(i['ratio'])}",
    )


def _marginal(i: Mapping[str, str], r: str) -> Words:
    return Words("各段相加", "sum of the bands")


def _admission(i: Mapping[str, str], r: str) -> Words:
    return Words(
        f"本期第 {i['ordinal']} 次住院：{yuan(i['of'])} 元 × {percent(i['ratio'])}",
        f"admission {i['ordinal']} of the period: {yuan(i['of'])} × {percent(i['ratio'])}",
    )


def _stay_days(i: Mapping[str, str], r: str) -> Words:
    return Words(
        f"住院 {i['days']} 天，每次不计 {i['deductible']} 天，计 {i['counted']} 天 × 每天 {yuan(i['rate'])} 元",
        f"{i['days']} days, {i['deductible']} not counted: {i['counted']} days × {yuan(i['rate'])} a day",
    )


def _graded(i: Mapping[str, str], r: str) -> Words:
    return Words(
        f"{i['grade']} 级医院：{yuan(i['of'])} 元 × {percent(i['ratio'])}",
        f"hospital of grade {i['grade']}: {yuan(i['of'])} × {percent(i['ratio'])}",
    )


def _sum(i: Mapping[str, str], r: str) -> Words:
    return Words("各次相加", "sum of the stays")


def _stay_out(i: Mapping[str, str], r: str) -> Words:
    why = reason_words(i["reason"], i)
    return Words(
        f"{_day(i['admitted_on'])}至{_day(i['discharged_on'])}的这一次不计：{why.zh}",
        f"the stay from {i['admitted_on']} to {i['discharged_on']} does not count: {why.en}",
    )


def _fixed(i: Mapping[str, str], r: str) -> Words:
    return Words(f"定额 {yuan(i['amount'])} 元", f"fixed amount {yuan(i['amount'])}")


def _declared(i: Mapping[str, str], r: str) -> Words:
    if i["in_yuan"] == "True":
        return Words(f"申报：{i['name']} {yuan(r)} 元", f"declared: {i['name_en']}, {yuan(r)} yuan")
    return Words(f"申报：{i['name']} {plain(r)}", f"declared: {i['name_en']}, {plain(r)}")


def _for_each(i: Mapping[str, str], r: str) -> Words:
    if Decimal(i["every"]) == 1:
        return Words(f"{i['parts']} × 每个 {yuan(i['amount'])} 元", f"{i['parts']} × {yuan(i['amount'])} each")
    return Words(
        f"每 {plain(i['every'])} {'个' if i['counts'] == 'True' else '元'}计 {yuan(i['amount'])} 元，计 {i['parts']} 次",
        f"{yuan(i['amount'])} for each {plain(i['every'])}{'' if i['counts'] == 'True' else ' yuan'}: {i['parts']} times",
    )


LOOKED_UP = {
    "diagnosis_class": Words("给付类别", "class"),
    "disability_grade": Words("伤残等级", "disability grade"),
    "hospital_grade": Words("医院等级", "grade of the hospital"),
}


def _table(i: Mapping[str, str], r: str) -> Words:
    what = LOOKED_UP[i["by"]]
    return Words(f"{what.zh}“{i['label']}”对应 {yuan(r)} 元", f"{what.en} “{i['label_en']}”: {yuan(r)}")


def _scale(i: Mapping[str, str], r: str) -> Words:
    what = LOOKED_UP[i["by"]]
    return Words(
        f"{what.zh}“{i['label']}”给付 {yuan(i['sum'])} 元的 {percent(i['ratio'])}",
        f"{what.en} “{i['label_en']}”: {percent(i['ratio'])} of {yuan(i['sum'])}",
    )


def _tiers(i: Mapping[str, str], r: str) -> Words:
    if i.get("counts") == "True":
        return Words(f"{plain(i['of'])} 所在档次给付 {yuan(r)} 元", f"{plain(i['of'])} lies in the tier of {yuan(r)}")
    return Words(f"{yuan(i['of'])} 元所在档次给付 {yuan(r)} 元", f"{yuan(i['of'])} lies in the tier of {yuan(r)}")


def _shares(i: Mapping[str, str], r: str) -> Words:
    over = int(i["shares"]) > int(i["counted"])
    zh = f"（登记 {i['shares']} 份，超出部分不计）" if over else ""
    en = f" ({i['shares']} recorded, the surplus does not count)" if over else ""
    return Words(f"乘以 {i['counted']} 份{zh}", f"times {i['counted']} share(s){en}")


def _wait(i: Mapping[str, str], r: str) -> Words:
    what = Words(f"按 {percent(i['ratio'])} 计", percent(i["ratio"])) if i.get("ratio") else Words(f"对应 {yuan(r)} 元", yuan(r))
    if i["waived"] == "True":
        return Words(f"连续参加，免除等待期，{what.zh}", f"continuous renewal, no waiting: {what.en}")
    if i.get("accident") == "True":
        return Words(f"意外不用等待，{what.zh}", f"an accident does not wait: {what.en}")
    when = _of_cover(i)
    return Words(f"事情发生在保障{when.zh}，{what.zh}", f"{when.en} of cover: {what.en}")


def _of_cover(i: Mapping[str, str]) -> Words:
    """On which day, or in which month, of cover."""
    if month := i.get("month"):
        return Words(f"第 {month} 个月", f"month {month}")
    return Words(f"第 {i['day']} 天", f"day {i['day']}")


def _stay_wait(i: Mapping[str, str], r: str) -> Words:
    share = Words(f"{yuan(i['of'])} 元 × {percent(i['ratio'])}", f"{yuan(i['of'])} × {percent(i['ratio'])}")
    if i["waived"] == "True":
        return Words(f"这一次：连续参加，免除等待期，{share.zh}", f"this stay: continuous renewal, no waiting, {share.en}")
    if i.get("accident") == "True":
        return Words(f"这一次：意外不用等待，{share.zh}", f"this stay: an accident does not wait, {share.en}")
    when = _of_cover(i)
    return Words(f"这一次在保障{when.zh}：{share.zh}", f"this stay, on {when.en} of cover: {share.en}")


def _add_if_over(i: Mapping[str, str], r: str) -> Words:
    base = _base(i, "name")
    if i.get("no_bill") == "True":
        return Words(
            f"没有填费用，不加发；{base.zh}超过 {yuan(i['over'])} 元的，请在定案前补上费用",
            f"no bill was told, nothing added; if the {base.en} is over {yuan(i['over'])}, tell it before the decision",
        )
    if Decimal(i["amount"]) == 0:
        return Words(
            f"{base.zh} {yuan(i['base'])} 元未超过 {yuan(i['over'])} 元，不加发",
            f"{base.en} of {yuan(i['base'])} is not over {yuan(i['over'])}: nothing added",
        )
    return Words(
        f"{base.zh} {yuan(i['base'])} 元超过 {yuan(i['over'])} 元，加发 {yuan(i['amount'])} 元",
        f"{base.en} of {yuan(i['base'])} is over {yuan(i['over'])}: {yuan(i['amount'])} added",
    )


def _less_paid(i: Mapping[str, str], r: str) -> Words:
    return Words(f"减去本项已付 {yuan(i['paid'])} 元", f"less {yuan(i['paid'])} already paid for this item")


def _up_to_cost(i: Mapping[str, str], r: str) -> Words:
    base = _base(i)
    return Words(f"不超过{base.zh} {yuan(i['cost'])} 元", f"not more than the {base.en} of {yuan(i['cost'])}")


def _indemnity(i: Mapping[str, str], r: str) -> Words:
    return Words(
        f"各项合计不超过个人负担 {yuan(i['cost'])} 元（其他项目已给付 {yuan(i['paid'])} 元）",
        f"all items together not more than the personal cost of {yuan(i['cost'])} ({yuan(i['paid'])} paid by others)",
    )


def _set_off(i: Mapping[str, str], r: str) -> Words:
    return Words(
        f"与“{i['names']}”不同时给付，合计只给较高的：此前已给付 {yuan(i['given'])} 元，本次扣除 {yuan(i['amount'])} 元",
        f"not paid beside {i['names_en']}, in all only the higher: {yuan(i['given'])} given before, {yuan(i['amount'])} set off now",
    )


def _ceiling(i: Mapping[str, str], r: str) -> Words:
    scope = SCOPE_WORDS[i["scope"]]
    if i["scope"] == "admission":
        zh = f"{scope.zh}封顶 {yuan(i['ceiling'])} 元，合计 {yuan(r)} 元"
        return Words(zh, f"ceiling ({scope.en}) {yuan(i['ceiling'])}: {yuan(r)} together")
    return Words(
        f"{scope.zh}封顶 {yuan(i['ceiling'])} 元，此前已用 {yuan(i['used'])} 元，还可给付 {yuan(i['left'])} 元",
        f"ceiling ({scope.en}) {yuan(i['ceiling'])}, used before {yuan(i['used'])}, left {yuan(i['left'])}",
    )


STEP_WORDS = {
    "stay_out": _stay_out, "take": _take, "deduct": _deduct, "offset": _offset, "less_items": _less_items, "ratio": _ratio, "band": _band,
    "marginal": _marginal, "admission": _admission, "per_admission": _sum, "stay_days": _stay_days, "per_day": _sum,
    "graded": _graded, "ratio_by_grade": _sum, "stay_wait": _stay_wait, "wait_by_stay": _sum,
    "fixed": _fixed, "declared": _declared, "for_each": _for_each,
    "table": _table, "scale": _scale, "tiers": _tiers, "shares": _shares, "wait": _wait,
    "add_if_over": _add_if_over, "less_paid": _less_paid, "up_to_cost": _up_to_cost, "indemnity": _indemnity, "ceiling": _ceiling,
    "set_off": _set_off,
}  # fmt: skip


def _day(day: Any) -> str:
    return format_zh(date.fromisoformat(str(day)))


def reason_words(code: str, i: Mapping[str, Any]) -> Words:
    """Why an item pays nothing, in a sentence. KeyError for an unknown reason."""
    return {
        "not_covered": lambda: Words(
            f"事发日 {_day(i['on'])} 不在保障期 {_day(i['start'])}至{_day(i['last'])} 内",
            f"{i['on']} lies outside the cover from {i['start']} to {i['last']}",
        ),
        "waiting": lambda: Words(
            f"事发日 {_day(i['on'])} 在等待期内，{_day(i['ends'])}起才开始给付",
            f"{i['on']} lies in the waiting period; benefit is paid from {i['ends']}",
        ),
        "too_late": lambda: Words(f"申领期限已于{_day(i['last'])}截止", f"the deadline was {i['last']}"),
        "too_late_for_unit": lambda: Words(
            f"单位收取申领已于{_day(i['last'])}截止；职工本人还可以自己申领{'，最晚' + _day(i['own']) if i['own'] else ''}",
            f"the unit collected claims until {i['last']}; the person may still apply{' until ' + str(i['own']) if i['own'] else ''}",
        ),
        "gender": lambda: (
            Words("本计划只面向女职工", "this plan is for women only")
            if i["gender"] == "female"
            else Words("本计划只面向男职工", "this plan is for men only")
        ),
        "item_gender": lambda: (
            Words("本项只面向女职工", "this item is for women only")
            if i["gender"] == "female"
            else Words("本项只面向男职工", "this item is for men only")
        ),
        "item_relation": lambda: Words(
            f"本项只面向{'、'.join(RELATION_WORDS[one].zh for one in i['relations'].split(','))}",
            f"this item is for {', '.join(RELATION_WORDS[one].en for one in i['relations'].split(','))} only",
        ),
        "item_age_at_start": lambda: Words(
            f"保障开始时 {i['age']} 周岁，不在本项面向的年龄内", f"aged {i['age']} when cover began; this item is for other ages"
        ),
        "fact_missing": lambda: Words(f"还缺少：{FACT_WORDS[i['fact']].zh}，补充后才能计算", f"still missing: {FACT_WORDS[i['fact']].en}"),
        "class_not_listed": lambda: Words(
            f"{LOOKED_UP[i['by']].zh}“{i['value']}”不在本项的表内", f"{LOOKED_UP[i['by']].en} “{i['value']}” is not in this item's table"
        ),
        "exclusion": lambda: Words(f"属于除外情形“{i['name']}”", f"excluded: {i['name_en']}"),
        "not_declared": lambda: Words(f"没有申报“{i['name']}”", f"not declared: {i['name_en']}"),
        "given_before": lambda: Words(
            f"本项只给一次，{SCOPE_WORDS[i['scope']].zh}已经给过",
            f"paid once only, and it was paid before ({SCOPE_WORDS[i['scope']].en})",
        ),
        "no_admission": lambda: Words("本项要求住院治疗，没有住院记录", "this item asks for treatment in hospital"),
        "age": lambda: Words(
            f"事发时 {i['age']} 周岁，本项只给付 {i['from']} 至 {i['to']} 周岁",
            f"aged {i['age']}; this item pays from {i['from']} to {i['to']}",
        ),
        "death_too_late": lambda: (
            Words("身故日期早于意外发生的日期", "the death lies before the accident")
            if int(i["days"]) < 0
            else Words(f"意外后第 {i['days']} 天身故，超过 {i['within']} 天", f"death {i['days']} days after, more than {i['within']}")
        ),
        "diagnosis_not_listed": lambda: Words(
            f"疾病编码 {i['code']} 不在本项病种内", f"the diagnosis {i['code']} is not on this item's list"
        ),
        "hospital_grade": lambda: (
            Words(f"医院等级未达到 {i['grade']} 级", f"the hospital is below grade {i['grade']}")
            if i.get("grade")
            else Words(f"医院不是 {i['grades'].replace(',', '、')} 级", f"the hospital is not of grade {i['grades'].replace(',', ', ')}")
        ),
        "disease_paid": lambda: (
            Words(
                "同一给付类别此前已给付过，没有疾病编码可以区分，按同一疾病计",
                "this class was paid before, and no diagnosis code tells the two apart: it counts as the same disease",
            )
            if i.get("by_class") == "True"
            else Words("同一疾病此前已给付过", "the same disease was paid before")
        ),
        "excluded": lambda: Words(f"与“{i['by']}”不同时给付，已取较高一项", f"not paid beside “{i['by_en']}”, which is higher"),
    }[code]()


def sentences(item: Mapping[str, Any]) -> list[Sentence]:
    """The lines of one item of a stored assessment, last of all what it gives, with the clause."""
    lines = [
        Sentence(
            STEP_WORDS[line["step"]](line["inputs"], line["result"]),
            None if line["step"] == "stay_out" else Decimal(line["result"]),
            line["clause"],
        )
        for line in item["trail"]
    ]
    if item["refused"]:
        refused = item["refused"]
        lines.append(Sentence(reason_words(refused["code"], refused["inputs"]), clause=refused["clause"]))
    name, amount = item["name"], Decimal(item["amount"])
    lines.append(
        Sentence(
            Words(f"{name['zh']}：{yuan(amount)} 元（{item['clause']}）", f"{name['en']}: {yuan(amount)} ({item['clause']})"),
            amount,
            item["clause"],
        )
    )
    return lines
