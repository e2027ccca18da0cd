"""A stored assessment in sentences, Chinese and English: every step with its figures, every refusal with its reason.

Works on the stored form (`Assessment.as_data()`), so that a statement of years ago reads as it was decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.schedule import Words
from unionaid.lib.calendar import format_zh


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of a statement and the amount after it (yuan), when there is one."""

    words: Words
    amount: Decimal | None = None


BASE_WORDS = {
    "insured_total": Words("医疗费总额", "insured total"),
    "in_scope_total": Words("政策范围内费用", "in-scope cost"),
    "personal_cost": Words("个人负担", "personal cost"),
    "self_pay": Words("个人自付（不含自费）", "in-scope self-pay"),
    "self_pay_without_prepaid": Words("个人自付（不含自费和先行自付）", "in-scope self-pay without the prepaid share"),
}
SCOPE_WORDS = {
    "case": Words("每次", "each case"),
    "period": Words("本保障期内", "this period of cover"),
    "lifetime": Words("终身", "lifetime"),
}


def yuan(text: Any) -> str:
    """6,000.00"""
    return f"{Decimal(str(text)):,.2f}"


def percent(text: Any) -> str:
    """80% (without needless zeros)"""
    return f"{(Decimal(str(text)) * 100).normalize():f}%"


def _take(i: Mapping[str, str], r: str) -> Words:
    base = BASE_WORDS[i["base"]]
    return Words(f"{base.zh}合计 {yuan(r)} 元", f"{base.en}: {yuan(r)} yuan")


def _deduct(i: Mapping[str, str], r: str) -> Words:
    per = ("每次住院", "per admission") if i["per"] == "admission" else ("每次申领", "per claim")
    return Words(
        f"扣除起付线{per[0]} {yuan(i['amount'])} 元后为 {yuan(r)} 元",
        f"less the deductible of {yuan(i['amount'])} {per[1]}: {yuan(r)}",
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


def _sum(i: Mapping[str, str], r: str) -> Words:
    return Words("各次相加", "sum of the stays")


def _fixed(i: Mapping[str, str], r: str) -> Words:
    return Words(f"定额 {yuan(i['amount'])} 元", f"fixed amount {yuan(i['amount'])}")


def _table(i: Mapping[str, str], r: str) -> Words:
    what = ("给付类别", "class") if i["by"] == "diagnosis_class" else ("伤残等级", "disability grade")
    return Words(
        f"{what[0]}“{i['label'] or '未填写'}”对应 {yuan(r)} 元", f"{what[1]} “{i['label_en'] or 'not given'}”: {yuan(r)}"
    )


def _shares(i: Mapping[str, str], r: str) -> Words:
    over = int(i["shares"]) > int(i["counted"])
    zh = f"（登记 {i['shares']} 份，超出部分不计）" if over else ""
    en = f" ({i['shares']} recorded, the surplus does not count)" if over else ""
    return Words(f"乘以 {i['counted']} 份{zh}", f"times {i['counted']} share(s){en}")


def _wait(i: Mapping[str, str], r: str) -> Words:
    if i["waived"] == "True":
        return Words("连续参加，免除等待期", "continuous renewal: no waiting")
    return Words(f"确诊在保障第 {i['day']} 天，对应 {yuan(r)} 元", f"day {i['day']} of cover: {yuan(r)}")


def _add_if_over(i: Mapping[str, str], r: str) -> Words:
    if Decimal(i["amount"]) == 0:
        return Words(
            f"自付 {yuan(i['base'])} 元未超过 {yuan(i['over'])} 元，不加发",
            f"{yuan(i['base'])} is not over {yuan(i['over'])}: nothing added",
        )
    return Words(
        f"自付 {yuan(i['base'])} 元超过 {yuan(i['over'])} 元，加发 {yuan(i['amount'])} 元",
        f"{yuan(i['base'])} is over {yuan(i['over'])}: {yuan(i['amount'])} added",
    )


def _less_paid(i: Mapping[str, str], r: str) -> Words:
    return Words(f"减去本项已付 {yuan(i['paid'])} 元", f"less {yuan(i['paid'])} already paid for this item")


def _ceiling(i: Mapping[str, str], r: str) -> Words:
    scope = SCOPE_WORDS[i["scope"]]
    return Words(
        f"{scope.zh}封顶 {yuan(i['ceiling'])} 元，此前已用 {yuan(i['used'])} 元，还可给付 {yuan(i['left'])} 元",
        f"ceiling ({scope.en}) {yuan(i['ceiling'])}, used before {yuan(i['used'])}, left {yuan(i['left'])}",
    )


STEP_WORDS = {
    "take": _take,
    "deduct": _deduct,
    "ratio": _ratio,
    "band": _band,
    "marginal": _marginal,
    "admission": _admission,
    "per_admission": _sum,
    "stay_days": _stay_days,
    "per_day": _sum,
    "fixed": _fixed,
    "table": _table,
    "shares": _shares,
    "wait": _wait,
    "add_if_over": _add_if_over,
    "less_paid": _less_paid,
    "ceiling": _ceiling,
}


def _day(text: str) -> str:
    return format_zh(date.fromisoformat(text))


def reason_words(code: str, i: Mapping[str, str]) -> Words:
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
        "gender": lambda: Words("本计划只面向女职工", "this plan is for women only")
        if i["gender"] == "female"
        else Words("本计划只面向男职工", "this plan is for men only"),
        "dates_missing": lambda: Words("缺少意外发生日期或身故日期", "the date of the accident or of the death is missing"),
        "death_too_late": lambda: Words(
            f"意外后第 {i['days']} 天身故，超过 {i['within']} 天", f"death {i['days']} days after, more than {i['within']}"
        ),
        "diagnosis_not_listed": lambda: Words(
            f"疾病编码 {i['code']} 不在本项病种内", f"the diagnosis {i['code']} is not on this item's list"
        ),
        "hospital_grade": lambda: Words(f"医院等级未达到 {i['grade']} 级", f"the hospital is below grade {i['grade']}"),
        "disease_paid": lambda: Words("同一疾病此前已给付过", "the same disease was paid before"),
        "excluded": lambda: Words(f"与“{i['by']}”不同时给付，已取较高一项", "another item that excludes this one is paid"),
    }[code]()


def sentences(item: Mapping[str, Any]) -> list[Sentence]:
    """The lines of one item of a stored assessment, last of all what it gives, with the clause."""
    lines = [
        Sentence(STEP_WORDS[line["step"]](line["inputs"], line["result"]), Decimal(line["result"])) for line in item["trail"]
    ]
    if item["refused"]:
        lines.append(Sentence(reason_words(item["refused"]["code"], item["refused"]["inputs"])))
    name, amount = item["name"], Decimal(item["amount"])
    lines.append(
        Sentence(
            Words(f"{name['zh']}：{yuan(amount)} 元（{item['clause']}）", f"{name['en']}: {yuan(amount)} ({item['clause']})"),
            amount,
        )
    )
    return lines
