"""What the fields of a plan and their values are called, in Chinese and English: for those who read a plan without its file.

Keyed by the field's name, or by `where.name` when a name means different things in different places.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.bases import BASE_WORDS, SETTLEMENT_WORDS
from programs.rules.eligibility import GROUP_WORDS, INSURANCE_WORDS
from programs.rules.explain import LOOKED_UP, SCOPE_WORDS, percent, plain, yuan
from programs.rules.outline import EMPLOYMENT_WORDS, EVENT_WORDS, NATURE_WORDS, PAYER_WORDS, RISK_WORDS, kind_words
from programs.rules.schedule import Schedule
from programs.rules.words import Words
from unionaid.lib.calendar import format_zh

FIELD_WORDS: dict[str, Words] = {
    "format": Words("格式", "format"),
    "code": Words("代码", "code"),
    "version": Words("期次", "version"),
    "based_on": Words("所依据的计划", "plan it is based on"),
    "without": Words("不要底稿里的", "left out of it"),
    "includes": Words("所包含的计划", "plans it includes"),
    "name": Words("名称", "name"),
    "summary": Words("简介", "summary"),
    "zh": Words("中文", "Chinese"),
    "en": Words("英文", "English"),
    "category": Words("类别", "category"),
    "organiser": Words("主办", "organiser"),
    "organiser.kind": Words("性质", "kind"),
    "office": Words("机构代码", "code of the office"),
    "source": Words("依据", "source"),
    "title": Words("文件", "document"),
    "note": Words("说明", "note"),
    "period": Words("保障期", "period of cover"),
    "start": Words("第一天", "first day"),
    "end": Words("最后一天", "last day"),
    "rolling_months": Words("自参加起保障", "cover from joining"),
    "period.term_months": Words("可选的保障时间", "lengths of cover to choose from"),
    "term_from": Words("保障时间起算", "length of cover counted from"),
    "follows_on_within_days": Words("到期后多久内续保的接着上次", "a renewal follows on when joined within"),
    "survives": Words("保障期内的变动", "changes in the period"),
    "transfer": Words("调动后继续保障", "cover goes on after a transfer"),
    "retirement": Words("退休后继续保障", "cover goes on after retirement"),
    # who may join
    "enrolment": Words("参加", "joining"),
    "opens": Words("开始日期", "opens"),
    "closes": Words("截止日期", "closes"),
    "late": Words("补办", "joining late"),
    "who": Words("对象", "who"),
    "late.after": Words("起算日", "counted from"),
    "within_days": Words("期限", "within"),
    "within_months": Words("期限", "within"),
    "individual": Words("个人可以参加", "individuals may join"),
    "relations": Words("参加对象", "who may be covered"),
    "relation": Words("与职工的关系", "relation"),
    "employment": Words("在职情况", "employment"),
    "employment_on_renewal": Words("只能续保的在职情况", "employment, as a renewal only"),
    "retired": Words("退休人员的退休日期", "day of retirement of retired people"),
    "retired.from": Words("从（含当天）", "from"),
    "before": Words("以前（不含当天）", "before"),
    "renewal_within_days": Words("到期后多久内再参加算续保", "a renewal when joined again within"),
    "union_member": Words("要是工会会员", "union membership needed"),
    "enrolment.card_holder": Words("要持有工会会员卡", "union card needed"),
    "basic_insurance": Words("要参加基本医疗保险", "basic insurance needed"),
    "insurance_types": Words("医保种类", "kinds of insurance"),
    "min_months_in_unit": Words("入职至少", "time with the unit, at least"),
    "min_contract_months": Words("劳动合同至少", "length of the contract, at least"),
    "gender": Words("性别", "sex"),
    "ages": Words("年龄", "age"),
    "from": Words("下限", "from"),
    "to": Words("上限", "to"),
    "renewal": Words("续保", "renewal"),
    "shares": Words("份数", "shares"),
    "max": Words("最多", "at most"),
    "surplus": Words("超出的份数", "shares above that"),
    "together_with": Words("与这些计划合计份数", "shares counted together with"),
    "unit": Words("单位参加", "joining by units"),
    "of": Words("按谁计算", "counted over"),
    "min_ratio": Words("最低参加比例", "least participation"),
    "all_must_join": Words("须全员参加的单位", "units that join as a whole"),
    "headcount": Words("人数", "people"),
    "compare": Words("界限", "bound"),
    "same_shares": Words("全员份数相同", "same shares for everyone"),
    "agent_bound": Words("单位要有经办人", "the unit has an agent"),
    "ratio_binds_singles": Words("个人自己参加也看参加比例", "participation binds those who join by themselves"),
    # what it costs
    "contribution": Words("互助费", "contribution"),
    "pay_within_days": Words("缴费期限（天）", "time to pay (days)"),
    "per_share": Words("每份", "per share"),
    "payers": Words("出资", "paid by"),
    "classes": Words("缴费标准", "class of contribution"),
    "card_holder": Words("持证", "card holder"),
    "risk": Words("工种", "kind of work"),
    "unit_nature": Words("单位性质", "nature of the unit"),
    "group": Words("人员", "people"),
    "term_months": Words("保障时间", "term"),
    "joined_from": Words("保障第一天不早于", "cover begins on or after"),
    "joined_to": Words("保障第一天不晚于", "cover begins on or before"),
    "person_at_least": Words("由单位选个人缴多少，至少", "the unit sets the person's part, at least"),
    "refundable": Words("到期退还", "paid back at the end"),
    # when it begins to pay
    "waiting": Words("等待期", "waiting period"),
    "days": Words("天数", "days"),
    "months": Words("月数", "months"),
    "waived_on_renewal_within_days": Words("到期后多久内续保免除", "waived on renewal within"),
    "accidents": Words("意外也要等待", "accidents wait too"),
    "waits": Words("有等待期", "has a waiting period"),
    # what it pays
    "items": Words("保障项目", "benefit item"),
    "asks": Words("申报的数", "figure to declare"),
    "in": Words("按什么填", "told in"),
    "hint": Words("填写说明", "hint"),
    "most": Words("最多", "at most"),
    "exclusions.items": Words("适用的项目", "items it holds for"),
    "clause": Words("条款编号", "clause"),
    "fund": Words("资金", "fund"),
    "events": Words("事由", "events"),
    "gates": Words("给付条件", "conditions"),
    "death_within_days": Words("意外后多久内身故", "death after the accident within"),
    "diagnosis_in": Words("疾病编码以此开头", "diagnosis begins with"),
    "hospital_grade": Words("医院等级", "grade of the hospital"),
    "once_per_disease": Words("同一疾病只给付一次", "once for one disease"),
    "with_admission": Words("须住院治疗", "treated in hospital"),
    "once": Words("只给付一次", "paid once"),
    "age": Words("事发时年龄", "age when it happened"),
    "age_at_start": Words("保障开始时的年龄", "age when cover begins"),
    "steps": Words("计算步骤", "steps"),
    "take": Words("计算基数", "base of calculation"),
    "plus": Words("加上", "with"),
    "less": Words("减去", "without"),
    "cap": Words("基本医保封顶线", "cap of basic insurance"),
    "deduct": Words("起付线", "deductible"),
    "offset": Words("扣除其他渠道的补助", "less what others paid"),
    "fields": Words("结算单项目", "settlement fields"),
    "other_aid": Words("申报的其他补助", "other aid told"),
    "less_items": Words("扣除其他项目已给付的金额", "less other items"),
    "ratio": Words("比例", "ratio"),
    "marginal": Words("分段比例", "ratio by bands"),
    "bands": Words("分段", "bands"),
    "over": Words("以上", "over"),
    "up_to": Words("至", "up to"),
    "per": Words("计算范围", "counted"),
    "key": Words("额度名称", "name of the limit"),
    "per_admission": Words("按住院次数的比例", "ratios by admission"),
    "per_day": Words("住院津贴", "daily allowance"),
    "rate": Words("每天", "a day"),
    "deductible_days": Words("每次不计", "not counted of each stay"),
    "max_days": Words("每次最多", "of each stay at most"),
    "max_days_in_period": Words("本保障期内最多", "in the period at most"),
    "fixed": Words("定额", "fixed amount"),
    "declared": Words("以申报的数为基数", "the figure declared"),
    "for_each": Words("每满一定数给付", "a sum for each"),
    "every": Words("每", "each"),
    "started": Words("不足的也算", "one begun counts"),
    "table": Words("给付表", "table"),
    "scale": Words("按等级的比例", "scale"),
    "by": Words("依据", "by"),
    "amounts": Words("金额", "amounts"),
    "ratios": Words("比例", "ratios"),
    "labels": Words("类别名称", "names of the classes"),
    "sum": Words("全额", "whole sum"),
    "tiers": Words("分档定额", "tiers"),
    "steps.shares": Words("乘以份数", "times the shares"),
    "wait": Words("按保障时间给付", "by the time of cover"),
    "from_day": Words("从第几天", "from day"),
    "to_day": Words("到第几天", "to day"),
    "from_month": Words("从第几个月", "from month"),
    "to_month": Words("到第几个月", "to month"),
    "add_if_over": Words("超额加发", "more above a mark"),
    "base": Words("基数", "base"),
    "amount": Words("金额", "amount"),
    "less_paid": Words("减去本项已付的金额", "less what this item paid"),
    "up_to_cost": Words("不超过费用", "not more than the cost"),
    "ceiling": Words("封顶线", "limit"),
    "scope": Words("范围", "for"),
    "ceiling.per_share": Words("按份计", "for each share"),
    "exclusive": Words("只给付较高一项的项目", "items of which only the higher is paid"),
    "exclusions": Words("除外责任", "exclusion"),
    "diagnosis": Words("疾病编码以此开头", "diagnosis begins with"),
    "circumstance": Words("除外情形", "circumstance"),
    "indemnity": Words("合计不超过个人负担", "never more than the personal cost"),
    "claim_within": Words("申领期限", "time to claim"),
    "claim_within.after": Words("起算日", "counted from"),
    "until": Words("截止日期", "until"),
    "whichever": Words("两样都写的，取", "of the two the one that is"),
    "unit_until": Words("单位代办的截止日期", "until, through the unit"),
    "by_kind": Words("另有期限的事情", "kinds with a time of their own"),
    "deciding": Words("审核与公示", "review and notice"),
    "unit_first": Words("先经单位核对", "the unit looks first"),
    "final_review": Words("须由第二个人终审", "decided by a second person"),
    "from_benefit": Words("给付达到", "from a benefit of"),
    "final_review.events": Words("无论金额的事由", "events whatever the amount"),
    "notice_days": Words("公示（工作日）", "public notice (working days)"),
    "appeal_days": Words("申诉期限（工作日）", "time to appeal (working days)"),
    "set_off_ratio": Words("以后的给付抵还多付的最高比例", "most of a later benefit set off against an over-payment"),
    "opens_after": Words("按规则自动发起", "opened by rule"),
    "opens_after.events": Words("给付了这些事由之后", "after a benefit for"),
    "own_cost_left": Words("个人负担还剩（元）", "own cost left (yuan)"),
    "day_count": Words("住院天数", "days of a stay"),
    "documents": Words("材料", "document"),
    "required": Words("必须提供", "needed"),
    "from_amount": Words("给付达到多少时要求", "asked for from"),
    "examples": Words("算例", "example"),
    "case": Words("情形", "case"),
    "fee": Words("缴费", "contribution"),
    "expect": Words("应得", "expected"),
}

_ANY = Words("不限", "any")
_GENDERS = {"any": _ANY, "male": Words("男职工", "men"), "female": Words("女职工", "women")}
_RELATIONS = {
    "any": _ANY,
    "self": Words("职工本人", "the worker"),
    "spouse": Words("配偶", "the spouse"),
    "minor_child": Words("未成年子女", "minor children"),
}
VALUE_WORDS: dict[str, Mapping[str, Words]] = {
    "category": {
        "inpatient": Words("住院医疗", "inpatient"),
        "critical_illness": Words("重大疾病", "critical illness"),
        "women": Words("女工特殊疾病", "women's diseases"),
        "accident": Words("意外伤害", "accident"),
        "children_accident": Words("未成年子女意外伤害", "children's accident"),
        "outpatient": Words("门诊", "outpatient"),
        "medical": Words("医疗互助（住院与门诊）", "medical (inpatient and outpatient)"),
        "combo": Words("综合互助", "combo"),
        "assistance": Words("困难帮扶", "assistance in hardship"),
    },
    "kind": {
        "national_society": Words("中国职工保险互助会", "the national society"),
        "federation": Words("地方总工会", "a federation of trade unions"),
    },
    "who": {"anyone": Words("未及时参加的", "anyone"), "new_hires": Words("新入职职工", "new hires")},
    "after": {
        "period_start": Words("保障开始", "the start of cover"),
        "hired": Words("入职", "being hired"),
        "discharge": Words("出院（没有住院的从事发）", "discharge, or else the event"),
        "event": Words("事发", "the event"),
    },
    "relations": _RELATIONS,
    "relation": _RELATIONS,
    "employment": EMPLOYMENT_WORDS,
    "employment_on_renewal": EMPLOYMENT_WORDS,
    "term_from": {
        "joining": Words("参加的次日", "the day after joining"),
        "period_start": Words("保障期第一天", "the period's first day"),
    },
    "insurance_types": INSURANCE_WORDS,
    "by_unit": {"yes": Words("单位经办人代办", "the unit's agent")},
    "whichever": {"later": Words("较晚的", "later"), "earlier": Words("较早的", "earlier")},
    "gender": _GENDERS,
    "surplus": {"refuse": Words("不收", "refused"), "void": Words("无效", "void")},
    "of": {"staff": Words("全部职工", "all staff"), "women": Words("女职工", "women")},
    "compare": {"<": Words("以下（不含）", "less than"), "<=": Words("及以下", "or fewer")},
    "unit_nature": NATURE_WORDS,
    "risk": RISK_WORDS,
    "group": GROUP_WORDS,
    "fund": {"mutual_aid": Words("互助金", "mutual aid"), "relief": Words("救助金", "relief"), "solace": Words("慰问金", "solace")},
    "events": EVENT_WORDS,
    "take": BASE_WORDS,
    "once": SCOPE_WORDS,
    "in": {"yuan": Words("元", "yuan"), "count": Words("个数", "a number")},
    "base": BASE_WORDS,
    "up_to_cost": BASE_WORDS,
    "scope": SCOPE_WORDS,
    "per": {
        "case": Words("每次申领", "per claim"),
        "admission": Words("每次住院", "per admission"),
        "period": Words("本保障期内累计", "over the period of cover"),
    },
    "fields": SETTLEMENT_WORDS,
    "plus": SETTLEMENT_WORDS,
    "less": SETTLEMENT_WORDS,
    "by": LOOKED_UP,
    "key": {"plan": Words("本计划各项合计", "all items of the plan"), "deductible": Words("起付线", "deductible")},
    "day_count": {
        "count_first": Words("算入院日，不算出院日", "the first day counts, the last does not"),
        "count_both": Words("入院日和出院日都算", "both the first and the last day count"),
    },
}
_UNITS = {"days": Words("天", "days"), "months": Words("个月", "months"), "term": Words("个月", "months"), "age": Words("周岁", "years")}
_OF_COVER = {
    "from_day": Words("第 {} 天", "day {}"),
    "to_day": Words("第 {} 天", "day {}"),
    "from_month": Words("第 {} 个月", "month {}"),
    "to_month": Words("第 {} 个月", "month {}"),
}
# What a whole number counts, where its field says that and not its kind.
UNITS = {
    "max": Words("份", "share(s)"),
    "shares": Words("份", "share(s)"),
    "headcount": Words("人", "people"),
    "hospital_grade": Words("级", ""),
    "notice_days": Words("个工作日", "working days"),
    "appeal_days": Words("个工作日", "working days"),
}
COUNTS = frozenset(("most", "every", "over", "up_to"))  # of a figure told in numbers these are numbers too, and no yuan
YES_WORDS, NO_WORDS = Words("是", "yes"), Words("否", "no")


def field_words(name: str, parent: str = "") -> Words:
    """What a field is called. KeyError for an unknown one."""
    return FIELD_WORDS.get(f"{parent}.{name}") or FIELD_WORDS[name]


def key_words(key: str, parent: str, names: Mapping[str, Words]) -> Words:
    """What a key is called that the plan itself chose: a class, a grade, a payer."""
    if key in names:
        return names[key]
    if parent == "payers":
        return PAYER_WORDS.get(key, Words("其他出资方", "another payer"))
    if key.isdecimal():
        return Words(f"{key} 级", f"grade {key}")
    if parent in ("until", "unit_until", "by_kind"):
        return kind_words(key)
    if not key.isascii():
        return Words(key, key)
    return Words("条款列明的病种", "the diseases listed")


def kinds_to_tell(schedule: Schedule) -> tuple[tuple[str, Words], ...]:
    """The kinds of event that this plan gives different last days to claim, each with its day (inclusive), "default" for all others
    last; nothing where the kind makes no difference."""
    window = schedule.claim_window
    days = {**dict(window.unit_until), **dict(window.until)} if window else {}
    kinds = window.kinds if window else ()
    alone = window is not None and not window.lasts
    return tuple((kind, _kind_words(kind, days.get(kind) if alone else None)) for kind in [*kinds, "default"]) if kinds else ()


def _kind_words(kind: str, last: date | None) -> Words:
    """With its last day, where nothing but the kind decides that."""
    name = kind_words(kind)
    if last is None:
        return name
    return Words(f"{name.zh}（最晚 {format_zh(last)}申领）", f"{name.en} (apply by {last:%-d %B %Y})")


def value_words(value: Any, kind: str, field: str, names: Mapping[str, Words], *, counts: bool = False) -> Words:
    """A single value as people say it; `names` are the plan's own (items, classes). `counts`: it belongs to a figure that is told in
    numbers."""
    if isinstance(value, bool):
        return YES_WORDS if value else NO_WORDS
    if counts and field in COUNTS:
        return Words(f"{plain(value)} 个", plain(value))
    if kind == "amount":
        return Words(f"{yuan(value)} 元", f"{yuan(value)} yuan")
    if kind == "ratio":
        return Words(percent(value), percent(value))
    if kind == "day":
        day = date.fromisoformat(value)
        return Words(format_zh(day), f"{day:%-d %B %Y}")
    if field in _OF_COVER:
        return Words(_OF_COVER[field].zh.format(value), _OF_COVER[field].en.format(value))
    if unit := UNITS.get(field) or _UNITS.get(kind):
        return Words(f"{value} {unit.zh}", f"{value} {unit.en}".strip())
    text = str(value)
    found = VALUE_WORDS.get(field, {}).get(text) or names.get(text)
    return found or Words(text, text)


def difference_words(old: Any, new: Any, kind: str, *, counts: bool = False) -> Words | None:
    """By how much an amount or a ratio grew or shrank; with `counts` a number of something."""
    if kind not in ("amount", "ratio"):
        return None
    more = Decimal(new) - Decimal(old)
    zh, en = ("多", "more") if more > 0 else ("少", "less")
    if counts:
        return Words(f"{zh} {plain(abs(more))} 个", f"{plain(abs(more))} {en}")
    if kind == "amount":
        return Words(f"{zh} {yuan(abs(more))} 元", f"{yuan(abs(more))} {en}")
    points = f"{(abs(more) * 100).normalize():f}"
    return Words(f"{zh} {points} 个百分点", f"{points} points {en}")
