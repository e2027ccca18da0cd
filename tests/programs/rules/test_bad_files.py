"""A bad plan file is refused with a message of its own: file, line, field, what was expected, in both languages."""

import json
from dataclasses import dataclass
from functools import cache

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programs.rules.combine import complete
from programs.rules.examples import check_examples
from programs.rules.faults import ScheduleError
from programs.rules.parse import parse
from programs.rules.planfile import MAX_BYTES, MAX_DEPTH, read_plan
from programs.rules.schedule import Schedule
from tests.programs.rules.plans import FILES as CATALOGUE_FILES
from tests.programs.rules.plans import GOOD, item, lookup, plan


def read(text: str | bytes) -> Schedule:
    """What happens to a plan file on its way in, without a database."""
    raw = text if isinstance(text, bytes) else text.encode()
    file = read_plan(raw, source="plan.yaml")
    schedule = parse(complete(file, lookup), source=file.source, lines=file.lines)
    try:
        check_examples(schedule)
    except ScheduleError as error:
        raise error.placed(file.source, file.lines) from None
    return schedule


def test_the_good_file_is_taken() -> None:
    """The negative control of everything below."""
    schedule = read(GOOD)
    assert check_examples(schedule) == []


@dataclass(frozen=True)
class Bad:
    """One mistake: replace `old` by `new` in the good file; `at` is a text on the line that the message must name."""

    old: str
    new: str
    at: str
    field: str
    zh: str
    en: str


SECOND = '      - take: self_pay\n      - less_items: [inpatient]\n      - ratio: "0.10"\n'  # the steps of the second aid
MISTAKES = {
    "unknown field": Bad(
        "category: combo",
        "category: combo\nsurprise: 1",
        "surprise",
        "surprise",
        "不认识的字段；这里可以写：format、code",
        "is not a field of this place",
    ),
    "unknown step": Bad(
        "- take: self_pay\n      - marginal",
        "- multiply: 2\n      - marginal",
        "multiply",
        "items[0].steps[0].multiply",
        "不认识的字段；这里可以写：clause、take",
        "is not a field of this place; known: clause, take",
    ),
    "missing field": Bad("category: combo\n", "", "format: 1", "category", "缺少这个字段", "is missing"),
    "missing clause": Bad("    clause: 第七条\n", "", "- code: critical", "items[1].clause", "缺少这个字段", "is missing"),
    "empty clause": Bad(
        "clause: 第七条", 'clause: ""', 'clause: ""', "items[1].clause", '应为文字，现在是 ""', 'expected a text, found ""'
    ),
    "another format": Bad("format: 1", "format: 2", "format", "format", "应为1，现在是 2", "expected 1, found 2"),
    "version without quotes": Bad(
        'version: "2026"',
        "version: 2026",
        "version",
        "version",
        '应为写在引号里的期次，如 "2026"，现在是 2026',
        "expected the period's name in quotes",
    ),
    "office without quotes": Bad(
        'office: "610800"', "office: 610800", "office", "office", "应为写在引号里的办事处代码", "expected the office's code in quotes"
    ),
    "name in one language": Bad(
        "name: {zh: 住院补助, en: inpatient aid}",
        "name: 住院补助",
        "name: 住院补助",
        "items[0].name",
        "应为中英文各一份",
        "expected both languages",
    ),
    "bad item code": Bad(
        "- code: inpatient",
        "- code: 住院",
        "- code: 住院",
        "items[0].code",
        "应为小写英文字母、数字和连字符",
        "expected small letters, digits, hyphens",
    ),
    "bands overlap": Bad(
        '{over: "2000", ratio',
        '{over: "1500", ratio',
        '"1500"',
        "items[0].steps[1].marginal.bands[1].over",
        "与上一段重叠：上一段到 2000 为止",
        "overlaps: the band before ends at 2000",
    ),
    "gap between bands": Bad(
        '{over: "2000", ratio',
        '{over: "2500", ratio',
        '"2500"',
        "items[0].steps[1].marginal.bands[1].over",
        "与上一段之间有空档：上一段到 2000 为止",
        "a gap: the band before ends at 2000",
    ),
    "first band above nothing": Bad(
        '{over: "0", up_to: "2000"',
        '{over: "300", up_to: "2000"',
        '"300"',
        "items[0].steps[1].marginal.bands[0].over",
        "与上一段之间有空档：上一段到 0 为止",
        "a gap: the band before ends at 0",
    ),
    "open band in the middle": Bad(
        '{over: "0", up_to: "2000", ratio: "0.80"}',
        '{over: "0", ratio: "0.80"}',
        '"0.80"',
        "items[0].steps[1].marginal.bands[0]",
        "只有最后一段可以不写上限",
        "only the last band may be open",
    ),
    "band upside down": Bad(
        'up_to: "2000"',
        'up_to: "0"',
        'up_to: "0"',
        "items[0].steps[1].marginal.bands[0].up_to",
        "上限不高于下限",
        "is not above the lower edge",
    ),
    "ratio above 1": Bad(
        'ratio: "0.80"',
        'ratio: "1.80"',
        '"1.80"',
        "items[0].steps[1].marginal.bands[0].ratio",
        "比例不能大于 1，现在是 1.80",
        "a ratio must not be above 1, found 1.80",
    ),
    "ratio in percent": Bad(
        'ratio: "0.10"',
        'ratio: "10%"',
        '"10%"',
        "items[2].steps[2].ratio",
        '应为写在引号里的比例（大于 0，到 1），如 "0.80"，现在是 "10%"',
        'expected a ratio in quotes (more than 0, up to 1), like "0.80", found "10%"',
    ),
    "negative ratio": Bad(
        'ratio: "0.10"',
        'ratio: "-0.10"',
        '"-0.10"',
        "items[2].steps[2].ratio",
        "不能为负，现在是 -0.10",
        "must not be negative, found -0.10",
    ),
    "negative amount": Bad(
        'amount: "50000"',
        'amount: "-50000"',
        '"-50000"',
        "items[0].steps[2].ceiling.amount",
        "不能为负，现在是 -50000",
        "must not be negative, found -50000",
    ),
    "amount without quotes": Bad(
        'amount: "50000"',
        "amount: 50000.5",
        "50000.5",
        "items[0].steps[2].ceiling.amount",
        "应为写在引号里的金额（元，最多两位小数，要大于 0）",
        "expected an amount in quotes",
    ),
    "a limit of nothing": Bad(
        'amount: "50000"',
        'amount: "0.00"',
        '"0.00"',
        "items[0].steps[2].ceiling.amount",
        '要大于 0），如 "300"，现在是 "0.00"',
        'more than 0), like "300", found "0.00"',
    ),
    "cover of no months": Bad(
        "end: 2026-12-31}\nenrolment",
        "end: 2026-12-31, rolling_months: 0}\nenrolment",
        "rolling_months",
        "period.rolling_months",
        "应为保障几个月（整数，至少 1），现在是 0",
        "expected months of cover, a whole number from 1, found 0",
    ),
    "no day to claim in": Bad(
        "{days: 180}",
        "{days: 0}",
        "days: 0",
        "claim_within.days",
        "应为天数（整数，至少 1），现在是 0",
        "expected a whole number of days from 1, found 0",
    ),
    "a ratio of nothing": Bad(
        'ratio: "0.10"',
        'ratio: "0"',
        'ratio: "0"',
        "items[2].steps[2].ratio",
        '应为写在引号里的比例（大于 0，到 1），如 "0.80"，现在是 "0"',
        'expected a ratio in quotes (more than 0, up to 1), like "0.80", found "0"',
    ),
    "amount with three decimals": Bad(
        'amount: "50000"', 'amount: "1.005"', "1.005", "items[0].steps[2].ceiling.amount", '现在是 "1.005"', 'found "1.005"'
    ),
    "amount in ten thousands": Bad(
        'amount: "50000"', 'amount: "5万"', "5万", "items[0].steps[2].ceiling.amount", '现在是 "5万"', 'found "5万"'
    ),
    "not a number": Bad('amount: "50000"', "amount: .nan", ".nan", "items[0].steps[2].ceiling.amount", "现在是 NaN", "found NaN"),
    "cap below item": Bad(
        'amount: "10000", scope',
        'amount: "9999", scope',
        '"9999"',
        "items[1].steps[1].ceiling.amount",
        "封顶 9999 元低于本项给付 10000 元",
        "the limit of 9999 lies below the item's own 10000",
    ),
    "cap below item after a ratio": Bad(
        '          - {from_day: 31, amount: "10000"}\n      - ceiling: {amount: "10000", scope',
        '          - {from_day: 31, amount: "10000"}\n      - ratio: "0.50"\n      - ceiling: {amount: "4999", scope',
        '"4999"',
        "items[1].steps[2].ceiling.amount",
        "封顶 4999 元低于本项给付 5000.00 元",
        "the limit of 4999 lies below the item's own 5000.00",
    ),
    "cap below tiers": Bad(
        '      - ratio: "0.10"\n',
        '      - tiers: [{over: "0", amount: "10000"}]\n      - ceiling: {amount: "5000", scope: case}\n',
        '"5000"',
        "items[2].steps[3].ceiling.amount",
        "封顶 5000 元低于本项给付 10000 元",
        "the limit of 5000 lies below the item's own 10000",
    ),
    "cap below a sum up to the cost": Bad(
        '          - {from_day: 31, amount: "10000"}\n      - ceiling: {amount: "10000", scope',
        '          - {from_day: 31, amount: "10000"}\n      - up_to_cost: self_pay\n      - ceiling: {amount: "5001", scope',
        '"5001"',
        "items[1].steps[2].ceiling.amount",
        "封顶 5001 元低于本项给付 10000 元",
        "the limit of 5001 lies below the item's own 10000",
    ),
    "cap below a daily rate": Bad(
        SECOND,
        '      - per_day: {rate: "60", max_days: 90}\n      - ceiling: {amount: "5000", scope: case}\n',
        '"5000"',
        "items[2].steps[1].ceiling.amount",
        "封顶 5000 元低于本项给付 5400 元（每天 60 元 × 90 天）",
        "the limit of 5000 lies below the item's own 5400 (60 a day for 90 days)",
    ),
    "cap below the days of the period": Bad(
        SECOND,
        '      - per_day: {rate: {"1": "80", "2": "70", "3": "60"}, max_days_in_period: 100}\n'
        '      - ceiling: {amount: "7999", scope: period, key: x}\n',
        '"7999"',
        "items[2].steps[1].ceiling.amount",
        "（每天 80 元 × 100 天）",
        "(80 a day for 100 days)",
    ),
    "cap below a row of a table": Bad(
        SECOND,
        '      - table: {by: diagnosis_class, amounts: {mild: "3000", severe: "9000"}}\n      - ceiling: {amount: "8000", scope: case}\n',
        '"8000"',
        "items[2].steps[1].ceiling.amount",
        "封顶 8000 元低于本项给付 9000 元（给付表的 severe）",
        "the limit of 8000 lies below the item's own 9000 (row severe of its table)",
    ),
    "cap that a later step overtakes": Bad(
        SECOND,
        '      - fixed: "6000"\n      - ceiling: {amount: "6000", scope: case}\n      - shares: 2\n',
        'amount: "6000"',
        "items[2].steps[1].ceiling.amount",
        "封顶 6000 元低于本项给付 12000 元",
        "the limit of 6000 lies below the item's own 12000",
    ),
    "cap of a case above that of the period": Bad(
        '      - ceiling: {amount: "50000", scope: period}\n  - code: critical',
        '      - ceiling: {amount: "60000", scope: case}\n      - ceiling: {amount: "50000", scope: period}\n  - code: critical',
        '"60000"',
        "items[0].steps[2].ceiling.amount",
        "每次申领封顶 60000 元高于本保障期内封顶 50000 元，永远用不上",
        "60000 for each claim is above 50000 for the period: it never holds",
    ),
    "a limit of each stay after adding up": Bad(
        '      - ratio: "0.10"\n',
        '      - ceiling: {amount: "500", scope: admission}\n',
        '"500"',
        "items[2].steps[2].ceiling",
        "要写在 less_items 前面：每次住院各自封顶",
        "stands before less_items, which adds the stays up: each has its own limit",
    ),
    "a limit of each stay for a sum": Bad(
        '      - ceiling: {amount: "10000", scope: period, key: critical}\n',
        '      - ceiling: {amount: "10000", scope: admission}\n      - ceiling: {amount: "10000", scope: period, key: critical}\n',
        "scope: admission",
        "items[1].steps[1].ceiling.scope",
        "只有从 take 或 per_day 算起的才写",
        "stands only after take or per_day: nothing else goes stay by stay",
    ),
    "a rate without a grade": Bad(
        SECOND,
        '      - per_day: {rate: {"1": "70", "3": "50"}}\n',
        "rate",
        "items[2].steps[0].per_day.rate",
        "没有写 2 级医院的",
        "has nothing for hospitals of grade 2",
    ),
    "a grade that is none": Bad(
        SECOND,
        '      - per_day: {rate: {"1": "70", "2": "60", "3": "50", 甲: "40"}}\n',
        "rate",
        "items[2].steps[0].per_day.rate",
        '应为医院等级 "1"、"2" 或 "3"，现在是 "甲"',
        'expected a hospital grade "1", "2" or "3", found "甲"',
    ),
    "a table of hospitals that are none": Bad(
        SECOND,
        '      - table: {by: hospital_grade, amounts: {"4": "100"}}\n',
        '"4"',
        "items[2].steps[0].table.amounts.4",
        "没有 4 级医院，只有 1 到 3 级",
        "there is no hospital of grade 4; grades are 1 to 3",
    ),
    "a deductible by grade that is for the period": Bad(
        SECOND,
        '      - take: self_pay\n      - deduct: {amount: {"1": "100", "2": "200", "3": "300"}, per: period}\n',
        "amount: {",
        "items[2].steps[1].deduct.amount",
        "按医院等级的起付线只能写在 take 后面，per 写 admission",
        "goes by the grade only after take and with per: admission",
    ),
    "a ratio by grade after adding up": Bad(
        '      - ratio: "0.10"\n',
        '      - ratio: {"1": "0.9", "2": "0.8", "3": "0.7"}\n',
        "ratio: {",
        "items[2].steps[2].ratio",
        "要写在 less_items 前面：几次住院各看各的医院",
        "stands before less_items, which adds the stays up: each goes by its own hospital",
    ),
    "waiting in days and in months": Bad(
        '          - {from_day: 31, amount: "10000"}\n',
        '          - {from_month: 2, amount: "10000"}\n',
        "from_month",
        "items[1].steps[0].wait[1]",
        "从 from_day 写起（上一段按天结束的，这一段也按天开始），to_day 和 to_month 写一个",
        "begins with from_day, as the band before ends; and has one of to_day and to_month",
    ),
    "a gap in waiting by months": Bad(
        '          - {from_day: 1, to_day: 30, amount: "0"}\n          - {from_day: 31, amount: "10000"}\n',
        '          - {from_month: 1, to_month: 3, amount: "0"}\n          - {from_month: 5, amount: "10000"}\n',
        "from_month: 5",
        "items[1].steps[0].wait[1].from_month",
        "有空档：下一段应从第 4 个月起",
        "a gap: month 4 comes next",
    ),
    "one limit, two amounts": Bad(
        "scope: period, key: critical",
        "scope: period, key: plan",
        "key: plan",
        "items[1].steps[1].ceiling.amount",
        "额度 plan 写了两个不同的金额",
        "the limit plan has two different amounts",
    ),
    "one deductible, two amounts": Bad(
        "      - less_items: [inpatient]\n",
        '      - deduct: {amount: "500", per: period}\n      - deduct: {amount: "800", per: period}\n',
        '"800"',
        "items[2].steps[2].deduct.amount",
        "起付线 deductible 写了两个不同的数：500 和 800；不是同一笔的请用 key 另起名字",
        "the deductible deductible stands here as 500 and as 800; give another one its own key",
    ),
    "one count of days, two numbers": Bad(
        '      - take: self_pay\n      - less_items: [inpatient]\n      - ratio: "0.10"\n',
        """      - per_day: {rate: "50", max_days_in_period: 90}
  - code: critical_days
    name: {zh: 重病津贴, en: allowance}
    clause: 第八条之二
    events: [admission]
    steps:
      - per_day: {rate: "80", max_days_in_period: 120}
""",
        "max_days_in_period: 120",
        "items[3].steps[0].per_day.max_days_in_period",
        "天数额度 plan 写了两个不同的数：90 和 120；不是同一笔的请用 key 另起名字",
        "the days plan stands here as 90 and as 120; give another one its own key",
    ),
    "a length of cover in two ways": Bad(
        "end: 2026-12-31}",
        "end: 2026-12-31, rolling_months: 12, term_months: [12, 36]}",
        "period:",
        "period",
        "写 rolling_months 或 term_months 之一",
        "write one of rolling_months and term_months",
    ),
    "a beginning of no length": Bad(
        "end: 2026-12-31}",
        "end: 2026-12-31, term_from: joining}",
        "period:",
        "period.term_from",
        "只有写了 term_months 才写 term_from",
        "stands only beside term_months",
    ),
    "a length of nothing": Bad(
        "end: 2026-12-31}",
        "end: 2026-12-31, term_months: [12, 0]}",
        "term_months",
        "period.term_months[1]",
        "应为保障几个月（整数，至少 1），现在是 0",
        "expected months of cover, a whole number from 1, found 0",
    ),
    "a contribution for a length nobody can choose": Bad(
        'per_share: "100"\n  payers: {person: "60", union: "40"}',
        'classes:\n    - {per_share: "100"}\n    - {term_months: 36, per_share: "270"}',
        "term_months: 36",
        "contribution.classes[1].term_months",
        "period 里没有 36 个月这种保障时间",
        "no cover of 36 months is offered in period",
    ),
    "a length without a contribution": Bad(
        """end: 2026-12-31}
enrolment:
  opens: 2025-10-01
  closes: 2025-12-31
  late:
    - {who: new_hires, after: hired, within_months: 2}
  ages:
    - {from: 16, to: 60}
  shares: {max: 2}
contribution:
  per_share: "100"
  payers: {person: "60", union: "40"}
""",
        """end: 2026-12-31, term_months: [12, 24]}
enrolment: {opens: 2025-10-01, closes: 2025-12-31, shares: {max: 2}}
contribution:
  classes:
    - {term_months: 12, per_share: "100"}
""",
        "term_months: [12, 24]",
        "period.term_months",
        "保障 24 个月没有缴费标准",
        "there is no contribution for 24 months",
    ),
    "an example of a length nobody can choose": Bad(
        'case: {event: admission, self_pay: "3000"}',
        "fee: {heads: 1, term_months: 18}",
        "term_months: 18",
        "examples[0].fee.term_months",
        "没有 18 个月这种保障时间",
        "no cover of 18 months is offered",
    ),
    "a renewal of those who may join anyway": Bad(
        "  closes: 2025-12-31\n",
        "  closes: 2025-12-31\n  employment_on_renewal: [retired, enterprise]\n",
        "employment_on_renewal",
        "enrolment.employment_on_renewal",
        "enterprise 首次参加就可以，不用再写",
        "enterprise may join for the first time already",
    ),
    "a change that is none": Bad(
        "enrolment:\n",
        "survives: {holiday: true}\nenrolment:\n",
        "holiday",
        "survives.holiday",
        "不认识的字段；这里可以写：transfer、retirement",
        "is not a field of this place; known: transfer, retirement",
    ),
    "a change in words": Bad(
        "enrolment:\n",
        "survives: {transfer: 保留}\nenrolment:\n",
        "保留",
        "survives.transfer",
        '应为true 或 false，现在是 "保留"',
        'expected true or false, found "保留"',
    ),
    "a contract in words": Bad(
        "  closes: 2025-12-31\n",
        "  closes: 2025-12-31\n  min_contract_months: 一年\n",
        "一年",
        "enrolment.min_contract_months",
        "应为月数（整数），现在是",
        "expected a whole number of months, found",
    ),
    "a group in Chinese": Bad(
        "{from: 16, to: 60}",
        "{from: 16, to: 60, group: 高级}",
        "高级",
        "enrolment.ages[0].group",
        '应为小写英文字母、数字和连字符，如 inpatient，现在是 "高级"',
        'found "高级"',
    ),
    "unknown base": Bad(
        "take: self_pay\n      - marginal",
        "take: everything\n      - marginal",
        "everything",
        "items[0].steps[0].take",
        "应为一种费用基数",
        "expected a base of calculation",
    ),
    "base above the cap without a cap": Bad(
        "take: self_pay\n      - marginal",
        "take: above_cap_cost\n      - marginal",
        "above_cap_cost",
        "items[0].steps[0].take",
        "above_cap_cost 要写当地基本医保的封顶线 cap",
        "above_cap_cost needs the cap of basic insurance",
    ),
    "a base that is mistyped inside": Bad(
        "take: self_pay\n      - marginal",
        "take: {base: self_pay, minus: [act_pay_dedc]}\n      - marginal",
        "minus",
        "items[0].steps[0].take.minus",
        "不认识的字段；这里可以写：base、plus、less、cap",
        "is not a field of this place; known: base, plus, less, cap",
    ),
    "taking off what a base leaves out": Bad(
        "take: self_pay\n      - marginal",
        "take: {base: self_pay, less: [fulamt_ownpay_amt]}\n      - marginal",
        "less: [fulamt",
        "items[0].steps[0].take.less",
        "self_pay（个人自付（不含自费））里已经没有 fulamt_ownpay_amt（全自费金额），再减就减了两次",
        "self_pay leaves fulamt_ownpay_amt out already",
    ),
    "adding what a base holds": Bad(
        "take: self_pay\n      - marginal",
        "take: {base: self_pay, plus: [act_pay_dedc]}\n      - marginal",
        "plus: [act",
        "items[0].steps[0].take.plus",
        "act_pay_dedc（实际支付起付线）已经算在里面，再加就算了两次",
        "act_pay_dedc is in it already: it would count twice",
    ),
    "taking off twice by two steps": Bad(
        '      - ratio: "0.10"',
        "      - offset: {fields: [overlmt_selfpay]}",
        "fields",
        "items[2].steps[2].offset.fields",
        "overlmt_selfpay（超限价自费）前面已经减过，再减就减了两次",
        "overlmt_selfpay was taken off before: it would be taken off twice",
    ),
    "two steps in one line": Bad(
        "- less_items: [inpatient]",
        '- {less_items: [inpatient], ratio: "1"}',
        "{less_items",
        "items[2].steps[1]",
        "一行只写一个",
        "each line holds just one",
    ),
    "step that begins nothing": Bad(
        "      - take: self_pay\n      - marginal",
        "      - marginal",
        "- marginal",
        "items[0].steps[0]",
        "第一步要给出金额",
        "the first step must give an amount",
    ),
    "beginning twice": Bad(
        '      - ratio: "0.10"',
        '      - fixed: "100"',
        "    steps:",
        "items[2].steps",
        "已有 take，后面不能再用 fixed 重新开始",
        "take began the amount; fixed would begin anew",
    ),
    "gap in waiting": Bad(
        "{from_day: 31,",
        "{from_day: 32,",
        "from_day: 32",
        "items[1].steps[0].wait[1].from_day",
        "有空档：下一段应从第 31 天起",
        "a gap: day 31 comes next",
    ),
    "overlap in waiting": Bad(
        "{from_day: 31,",
        "{from_day: 30,",
        "from_day: 30",
        "items[1].steps[0].wait[1].from_day",
        "有重叠：下一段应从第 31 天起",
        "overlaps: day 31 comes next",
    ),
    "waiting with an end": Bad(
        "{from_day: 31, amount",
        "{from_day: 31, to_day: 365, amount",
        "to_day: 365",
        "items[1].steps[0].wait[1]",
        "除最后一段外都要写 to_day",
        "every band but the last has its to_day",
    ),
    "waiting in two kinds": Bad(
        '{from_day: 31, amount: "10000"}',
        '{from_day: 31, ratio: "1"}',
        'ratio: "1"',
        "items[1].steps[0].wait[1]",
        "各段都写 amount，或都写 ratio",
        "write amount in all bands, or ratio in all",
    ),
    "item twice": Bad(
        "- code: second",
        "- code: critical",
        "- code: critical\n    name: {zh: 二次",
        "items[2].code",
        "代码 critical 用了两次",
        "the code critical is used twice",
    ),
    "items in a circle": Bad(
        "less_items: [inpatient]",
        "less_items: [second]",
        "    steps:",
        "items[2].steps",
        "项目之间循环引用（less_items）",
        "items refer to each other in a circle (less_items)",
    ),
    "less an item that is not there": Bad(
        "less_items: [inpatient]",
        "less_items: [hospital]",
        "    steps:",
        "items[2].steps",
        "没有代码为 hospital 的保障项目",
        "names the unknown item hospital",
    ),
    "excludes an item that is not there": Bad(
        "- [inpatient, critical]",
        "- [inpatient, death]",
        "- [inpatient, death]",
        "exclusive[0]",
        "没有代码为 death 的保障项目",
        "names the unknown item death",
    ),
    "exclusion of nothing": Bad(
        "    diagnosis: [Z41]\n",
        "",
        "- code: cosmetic",
        "exclusions[0]",
        "写 diagnosis 或 circumstance 之一",
        "write one of diagnosis and circumstance",
    ),
    "an unknown event": Bad(
        "events: [diagnosis]",
        "events: [marriage]",
        "marriage",
        "items[1].events[0]",
        "应为以下之一：admission, outpatient",
        "expected one of admission, outpatient",
    ),
    "an event twice": Bad(
        "events: [diagnosis]",
        "events: [diagnosis, diagnosis]",
        "diagnosis, diagnosis",
        "items[1].events",
        "同一项写了两次",
        "the same thing stands here twice",
    ),
    "no events": Bad("events: [diagnosis]", "events: []", "events: []", "items[1].events", "不能是空的", "must not be empty"),
    "impossible day": Bad(
        "start: 2026-01-01", "start: 2026-02-30", "2026-02-30", "period.start", "日历上没有 2026-02-30 这一天", "there is no day 2026-02-30"
    ),
    "day in another form": Bad(
        "opens: 2025-10-01",
        "opens: 2025年10月1日",
        "2025年",
        "enrolment.opens",
        "应为日期，如 2026-01-01",
        "expected a day like 2026-01-01",
    ),
    "period ends before it starts": Bad(
        "end: 2026-12-31", "end: 2025-12-31", "2026-01-01", "period.end", "保障期的最后一天早于第一天", "the period ends before it starts"
    ),
    "joining closes before it opens": Bad(
        "closes: 2025-12-31", "closes: 2025-09-30", "closes", "enrolment.closes", "截止日早于开始日", "joining closes before it opens"
    ),
    "following on where cover ends with the period": Bad(
        "end: 2026-12-31}",
        "end: 2026-12-31, follows_on_within_days: 30}",
        "follows_on_within_days",
        "period.follows_on_within_days",
        "只有保障时间从参加算起的计划才写",
        "stands only where cover has a length counted from joining",
    ),
    "following on where a day of joining decides": Bad(
        """end: 2026-12-31}
enrolment:
  opens: 2025-10-01
  closes: 2025-12-31
  late:
    - {who: new_hires, after: hired, within_months: 2}
  ages:
    - {from: 16, to: 60}
  shares: {max: 2}
contribution:
  per_share: "100"
  payers: {person: "60", union: "40"}
""",
        """end: 2026-12-31, rolling_months: 12, follows_on_within_days: 30}
enrolment: {opens: 2025-10-01, closes: 2025-12-31, shares: {max: 2}}
contribution:
  classes:
    - {joined_from: 2026-07-01, per_share: "50"}
    - {per_share: "100"}
""",
        "follows_on_within_days",
        "period.follows_on_within_days",
        "不能和 joined_from、joined_to 一起写",
        "does not go with joined_from and joined_to",
    ),
    "following on and waiting all the same": Bad(
        "end: 2026-12-31}",
        "end: 2026-12-31, rolling_months: 12, follows_on_within_days: 30}",
        "- code: inpatient",
        "items[0]",
        "等待期要写 waived_on_renewal_within_days，不少于 30",
        "its waiting needs waived_on_renewal_within_days of 30 or more",
    ),
    "days of retirement where nobody retired may join": Bad(
        "  shares: {max: 2}\n",
        "  shares: {max: 2}\n  retired: {from: 2019-07-01}\n",
        "retired:",
        "enrolment.retired",
        "退休人员本来就不能参加",
        "stands only where employment or employment_on_renewal names retired",
    ),
    "days of retirement upside down": Bad(
        "  shares: {max: 2}\n",
        "  shares: {max: 2}\n  employment_on_renewal: [retired]\n  retired: {from: 2019-07-01, before: 2019-07-01}\n",
        "retired: {from",
        "enrolment.retired.before",
        "before 要晚于 from",
        "before must be later than from",
    ),
    "a day of retirement that there is not": Bad(
        "  shares: {max: 2}\n",
        "  shares: {max: 2}\n  employment_on_renewal: [retired]\n  retired: {from: 2019-02-30}\n",
        "retired: {from",
        "enrolment.retired.from",
        "日历上没有 2019-02-30 这一天",
        "there is no day 2019-02-30",
    ),
    "shares counted with the plan's own": Bad(
        "shares: {max: 2}",
        "shares: {max: 2, together_with: [sample-medical]}",
        "shares:",
        "enrolment.shares.together_with",
        "写别的计划的代码",
        "names other plans, not the plan itself",
    ),
    "joining closes after the period": Bad(
        "closes: 2025-12-31",
        "closes: 2027-01-01",
        "closes",
        "enrolment.closes",
        "晚于保障期的最后一天 2026-12-31",
        "lies after the last day of the period, 2026-12-31",
    ),
    "waiting by the stay after the stays are one sum": Bad(
        "      - ceiling: {amount: \"50000\", scope: period}\n",
        "      - wait: [{from_day: 1, to_day: 30, ratio: \"0\"}, {from_day: 31, ratio: \"1\"}]\n",
        "- wait: [",
        "items[0].steps[2].wait",
        "要写在 marginal 前面",
        "stands before marginal",
    ),
    "ages upside down": Bad(
        "{from: 16, to: 60}",
        "{from: 60, to: 16}",
        "{from: 60",
        "enrolment.ages[0].to",
        "上限低于下限",
        "the upper age is below the lower one",
    ),
    "late without an end": Bad(
        ", within_months: 2",
        "",
        "new_hires",
        "enrolment.late[0]",
        "写 within_days 或 within_months 之一",
        "write one of within_days and within_months",
    ),
    "payers that do not add up": Bad(
        'union: "40"',
        'union: "30"',
        "payers",
        "contribution.payers",
        "各方合计 90 元，不等于每份 100 元",
        "payers add up to 90, not to 100",
    ),
    "a payer in Chinese": Bad(
        'union: "40"',
        '工会: "40"',
        "payers",
        "contribution.payers",
        '应为小写英文字母的出资方名字，如 person，现在是 "工会"',
        "expected the name of a payer in small letters, like person",
    ),
    "a choice of the person's part without anybody to pay the rest": Bad(
        'payers: {person: "60", union: "40"}',
        'person_at_least: "12"',
        "person_at_least",
        "contribution.person_at_least",
        "只有 payers 写了 person 和另外一方时才写",
        "stands only beside two payers, one of them person",
    ),
    "a principal of two payers": Bad(
        'per_share: "100"\n  payers: {person: "60", union: "40"}',
        'classes:\n    - {per_share: "100", refundable: true, payers: {person: "60", union: "40"}}',
        "refundable",
        "contribution.classes[0].payers",
        "到期退还的只能由一方缴",
        "is paid back to whoever paid it: one payer only",
    ),
    "a least part above the ordinary one": Bad(
        'payers: {person: "60", union: "40"}',
        'payers: {person: "60", union: "40"}\n  person_at_least: "60.01"',
        "person_at_least",
        "contribution.person_at_least",
        "高于不选时个人缴的 60 元",
        "is more than the person's ordinary part of 60",
    ),
    "an example of more shares than are taken": Bad(
        "examples:\n",
        'examples:\n  - {name: x, fee: {heads: 1, shares: 3}, expect: "300.00"}\n',
        "shares: 3",
        "examples[0].fee.shares",
        "每人最多 2 份，多的不予受理",
        "nobody has more than 2, and more is refused",
    ),
    "an example of more people than there are": Bad(
        "examples:\n",
        'examples:\n  - {name: x, fee: {heads: 3, eligible_staff: 2}, expect: "300.00"}\n',
        "eligible_staff",
        "examples[0].fee.eligible_staff",
        "少于参加的 3 人",
        "is less than the 3 who join",
    ),
    "an example of a choice nobody has": Bad(
        "examples:\n",
        'examples:\n  - {name: x, fee: {heads: 1, person_pays: "50"}, expect: "100.00"}\n',
        "person_pays",
        "examples[0].fee.person_pays",
        "本计划不由单位选个人缴多少",
        "the unit of this plan has no such choice",
    ),
    "two ways of charging": Bad(
        "contribution:\n",
        'contribution:\n  classes: [{per_share: "1"}]\n',
        "contribution:",
        "contribution",
        "写 per_share，或写 classes，不要都写",
        "write either per_share or classes",
    ),
    "a waiting period in days and in months": Bad(
        "waiting: {days: 30}",
        "waiting: {days: 30, months: 1}",
        "waiting:",
        "waiting",
        "等待期要么按天数，要么按月数",
        "a waiting period is so many days or so many months",
    ),
    "an item that waits and does not": Bad(
        "    clause: 第七条\n",
        "    clause: 第七条\n    waits: false\n    waiting: {days: 90}\n",
        "waits: false",
        "items[1].waits",
        "waits: false 是没有等待期，旁边又写了 waiting",
        "says that nothing waits, and waiting stands beside it",
    ),
    "more shares than anybody has": Bad(
        SECOND,
        '      - fixed: "100"\n      - shares: 4\n',
        "- shares: 4",
        "items[2].steps[1].shares",
        "应不大于 2：enrolment 的 shares.max 是每人最多 2 份（不写就是 1 份），现在是 4",
        "expected at most 2: nobody has more shares (enrolment, shares.max; 1 where it is not written), found 4",
    ),
    "a deductible of each stay after they are added up": Bad(
        SECOND,
        '      - take: self_pay\n      - less_items: [inpatient]\n      - deduct: {amount: "100", per: admission}\n',
        "per: admission",
        "items[2].steps[2].deduct",
        "要写在 less_items 前面：每次住院各算各的",
        "stands before less_items, which adds the stays up: each is reckoned by itself",
    ),
    "bands of each stay where nothing goes by stays": Bad(
        SECOND,
        '      - fixed: "100"\n      - marginal: {per: admission, bands: [{over: "0", ratio: "0.5"}]}\n',
        "per: admission",
        "items[2].steps[1].marginal.per",
        "只有从 take 或 per_day 算起的才写：别的不是一次一次住院算的",
        "stands only after take or per_day: nothing else goes stay by stay",
    ),
    "a ratio by the ordinal of what is not counted": Bad(
        '      - wait:\n          - {from_day: 1, to_day: 30, amount: "0"}\n          - {from_day: 31, amount: "10000"}\n',
        '      - take: self_pay\n      - per_admission: ["0.8", "0.5"]\n',
        "- per_admission",
        "items[1].steps[1].per_admission",
        "只能用在 admission 上，这一项的 events 里还有 diagnosis：只有住院算第几次",
        "is only for admission, and the item is for diagnosis too: only admissions are counted",
    ),
    "once for a disease that nobody keeps": Bad(
        "    events: [diagnosis]\n",
        "    events: [diagnosis, admission]\n",
        "once_per_disease",
        "items[1].gates[0].once_per_disease",
        "只能用在 diagnosis、surgery 上，这一项的 events 里还有 admission：别的事情同一种病只给一次的，用 scope 为 disease 的封顶",
        "is only for diagnosis, surgery, and the item is for admission too: for other events use a ceiling with the scope disease",
    ),
    "days to a death that is none": Bad(
        "- once_per_disease: true",
        "- death_within_days: 180",
        "death_within_days",
        "items[1].gates[0].death_within_days",
        "只能用在 accident_death 上，这一项的 events 里还有 diagnosis：别的事情没有意外日和身故日两个日子",
        "is only for accident_death, and the item is for diagnosis too: no other event has the two days",
    ),
    "shares twice": Bad(
        SECOND,
        '      - fixed: "100"\n      - shares: 2\n      - shares: 1\n',
        "- shares: 1",
        "items[2].steps[2].shares",
        "shares 在一项里只写一次",
        "stands once in an item: shares",
    ),
    "bands of waiting and a length beside them": Bad(
        "    clause: 第七条\n",
        "    clause: 第七条\n    waiting: {days: 90}\n",
        "waiting: {days: 90}",
        "items[1].waiting",
        "有 wait 的项目按 wait 的各段等待",
        "an item with bands of waiting waits by those alone",
    ),
    "bands of waiting where nothing waits": Bad(
        "    clause: 第七条\n",
        "    clause: 第七条\n    waits: false\n",
        "waits: false",
        "items[1].waits",
        "steps 里又按 wait 分段等待；只能写一样",
        "says that nothing waits, and the steps have bands of waiting",
    ),
    "ages of a condition upside down": Bad(
        "- once_per_disease: true",
        "- age: {from: 60, to: 16}",
        "- age",
        "items[1].gates[0].age.to",
        "上限低于下限",
        "the upper age is below the lower one",
    ),
    "a name of no class": Bad(
        SECOND,
        '      - table: {by: diagnosis_class, amounts: {a: "1"}, labels: {b: {zh: 乙, en: b}}}\n',
        "labels",
        "items[2].steps[0].table.labels.b",
        "表里没有 b 这一类；有：a",
        "the table has no b; known: a",
    ),
    "less what is never in the same claim": Bad(
        "- less_items: [inpatient]",
        "- less_items: [critical]",
        "less_items",
        "items[2].steps[1].less_items",
        "critical 的事由（diagnosis）和这一项不同，不会在同一次申领里，扣不到",
        "critical answers to other events and never stands in the same claim: nothing would be taken off",
    ),
    "a class of contribution that is never charged": Bad(
        'contribution:\n  per_share: "100"\n  payers: {person: "60", union: "40"}\n',
        'contribution:\n  classes:\n    - {per_share: "100"}\n    - {gender: female, per_share: "50"}\n',
        "gender: female",
        "contribution.classes[1]",
        "永远用不上：从上往下第一条符合的算数，前面的 classes[0] 已经包括了这些人；特殊的写在前面",
        "is never charged: the first class that fits holds, and classes[0] takes these people already",
    ),
    "a last day before the first": Bad(
        "{days: 180}",
        "{until: {default: 2025-12-31}}",
        "until",
        "claim_within.until.default",
        "早于保障期的第一天 2026-01-01，什么事都不能申领",
        "lies before the first day of the period, 2026-01-01: nothing could be claimed",
    ),
    "a day that is none, where a day stands": Bad(
        "closes: 2025-12-31", "closes: 2025-11-31", "closes", "enrolment.closes", "日历上没有 2025-11-31 这一天", "no day 2025-11-31"
    ),
    "two deadlines": Bad(
        "{days: 180}",
        "{days: 180, months: 6}",
        "claim_within",
        "claim_within",
        "days 和 months 写一个；还可以写 until，两样都写的再写 whichever",
        "write one of days and months; until may stand beside it, with whichever",
    ),
    "a length of time and a day without a word": Bad(
        "{days: 180}",
        "{days: 180, until: {default: 2027-03-31}}",
        "claim_within",
        "claim_within.whichever",
        "要写 whichever: later（取较晚的）或 earlier（取较早的）；只写一样的不写",
        "is needed beside until together with days or months, and only there: later or earlier",
    ),
    "counting from where nothing counts": Bad(
        "{days: 180}",
        "{until: {default: 2027-03-31}, after: event}",
        "after: event",
        "claim_within.after",
        "只有写了 days 或 months 才写 after",
        "stands only beside days or months",
    ),
    "a unit that collects when all is over": Bad(
        "{days: 180}",
        "{until: {default: 2027-03-31}, unit_until: {default: 2027-04-01}}",
        "unit_until",
        "claim_within.unit_until.default",
        "晚于计划自己的截止日",
        "lies after the plan's own last day",
    ),
    "switch in words": Bad(
        "- once_per_disease: true",
        "- once_per_disease: 是",
        "是",
        "items[1].gates[0].once_per_disease",
        '应为true，现在是 "是"',
        'expected true, found "是"',
    ),
    "shares in words": Bad(
        "{max: 2}",
        "{max: 两份}",
        "两份",
        "enrolment.shares.max",
        "应为每人最多几份（1 到 99）",
        "expected the greatest number of shares (1 to 99)",
    ),
    "days in words": Bad(
        "waiting: {days: 30}", "waiting: {days: 30天}", "30天", "waiting.days", "应为天数（整数）", "expected a whole number of days"
    ),
    "a fraction where a whole number belongs": Bad(
        "waiting: {days: 30}",
        "waiting: {months: 1.0}",
        "months: 1.0",
        "waiting.months",
        "应为月数（整数），现在是 1.0",
        "expected a whole number of months, found 1.0",
    ),
    "shares with a point": Bad(
        "shares: {max: 2}",
        "shares: {max: 2.0}",
        "max: 2.0",
        "enrolment.shares.max",
        "应为每人最多几份（1 到 99），现在是 2.0",
        "expected the greatest number of shares (1 to 99), found 2.0",
    ),
    "months with a point": Bad(
        "within_months: 2",
        "within_months: 2.0",
        "within_months: 2.0",
        "enrolment.late[0].within_months",
        "应为月数（整数，至少 1），现在是 2.0",
        "expected a whole number of months from 1, found 2.0",
    ),
    "a number of base eight": Bad(
        "{days: 30}", "{days: 030}", "030", "", "“030”这种写法的数会被读成别的数", "“030” would be read as another"
    ),
    "a number of base sixty": Bad(
        "{max: 2}", "{max: 1:30}", "1:30", "", "“1:30”这种写法的数会被读成别的数", "“1:30” would be read as another"
    ),
    "a number with a line in it": Bad(
        "{max: 2}", "{max: 1_0}", "1_0", "", "“1_0”这种写法的数会被读成别的数", "“1_0” would be read as another"
    ),
    "a number without end": Bad("{max: 2}", "{max: .inf}", ".inf", "enrolment.shares.max", "现在是 Infinity", "found Infinity"),
    "half a letter": Bad(
        "title: 示例条款", 'title: "\\ud800"', "ud800", "", "文字里有不能保存的字符", "the text holds a character that cannot be kept"
    ),
    "a new line behind a code": Bad("- code: second", '- code: "second\\n"', "second", "items[2].code", "应为", "expected"),
    "a long name": Bad(
        "zh: 示例市职工医疗互助",
        f"zh: {'长' * 121}",
        "长",
        "name.zh",
        "太长，最多 120 个字，现在是 121 个",
        "at most 120 letters, found 121",
    ),
    "a long organiser": Bad(
        "name: 示例市总工会}", f"name: {'长' * 81}}}", "长", "organiser.name", "太长，最多 80 个字", "at most 80 letters, found 81"
    ),
    "a list where a mapping belongs": Bad(
        "waiting: {days: 30}", "waiting: [30]", "[30]", "waiting", "应为“字段: 内容”，现在是 [30]", "expected a mapping, found [30]"
    ),
    "example with neither": Bad(
        ', case: {event: admission, self_pay: "3000"}',
        "",
        "自付 3000",
        "examples[0]",
        "写 case（给付）或 fee（缴费）之一",
        "write one of case (a benefit) and fee (a contribution)",
    ),
    "example with an unknown field": Bad(
        'self_pay: "3000"',
        'selfpay: "3000"',
        "selfpay",
        "examples[0].case.selfpay",
        "不认识的字段；可以写：event",
        "is not a field of a case; known: event",
    ),
    "example without an event": Bad(
        "event: admission, self_pay",
        "self_pay",
        "自付 3000",
        "examples[0].case.event",
        "缺少这个字段：发生了什么",
        "is missing: what happened",
    ),
    "example with an unknown limit": Bad(
        'self_pay: "3000"',
        'self_pay: "3000", used: {"period:all": "1"}',
        "period:all",
        "examples[0].case.used.period:all",
        "本计划没有这个额度；有：period:plan、period:critical",
        "is no limit of this plan; known: period:plan, period:critical",
    ),
    "a deadline for some things only": Bad(
        "{days: 180}", "{until: {childbirth: 2027-05-31}}", "until", "claim_within.until", "要有一个 default", "needs a default"
    ),
    "a class for joining upside down": Bad(
        'per_share: "100"\n  payers: {person: "60", union: "40"}',
        'classes:\n    - {per_share: "100", joined_from: 2025-12-01, joined_to: 2025-11-30}',
        "joined_to",
        "contribution.classes[0].joined_to",
        "joined_to 早于 joined_from",
        "joined_to lies before joined_from",
    ),
    "a grade that there is not": Bad(
        '      - ratio: "0.10"\n',
        '  - code: disability\n    name: {zh: 伤残, en: disability}\n    clause: 第八条\n    events: [accident_disability]\n'
        '    steps:\n      - table: {by: disability_grade, amounts: {"11": "100"}}\n',
        '"11"',
        "items[3].steps[0].table.amounts.11",
        "没有 11 级伤残，只有 1 到 10 级",
        "there is no grade 11; grades are 1 to 10",
    ),
    "example of an unknown kind": Bad(
        'self_pay: "3000"',
        'self_pay: "3000", event_kind: childbrith',
        "childbrith",
        "examples[0].case.event_kind",
        "本计划没有这一类；有：default",
        "is no kind of this plan; known: default",
    ),
    "example with an unknown circumstance": Bad(
        'self_pay: "3000"',
        'self_pay: "3000", circumstances: [drnuk]',
        "drnuk",
        "examples[0].case.circumstances[0]",
        "本计划没有这种情形；有：（没有）",
        "is no circumstance of this plan; known: (none)",
    ),
    "example that pays an unknown item": Bad(
        'self_pay: "3000"',
        'self_pay: "3000", paid_items: {death: "1"}',
        "death",
        "examples[0].case.paid_items.death",
        "没有这个保障项目；有：inpatient、critical、second",
        "is no item of this plan; known: inpatient, critical, second",
    ),
    "example with heads in words": Bad(
        'case: {event: admission, self_pay: "3000"}',
        "fee: {heads: [三个人]}",
        "三个人",
        "examples[0].fee.heads",
        "应为人数，或各类人员的列表",
        "expected a number of people, or a list of kinds",
    ),
    "example with heads uncounted": Bad(
        'case: {event: admission, self_pay: "3000"}',
        "fee: {heads: [{gender: male}]}",
        "gender: male",
        "examples[0].fee.heads[0].count",
        "缺少这个字段：有多少人",
        "is missing: how many people",
    ),
    "a plan that is not there": Bad(
        "category: combo\n",
        'category: combo\nbased_on: {code: nowhere, version: "2026"}\n',
        "based_on",
        "based_on",
        "没有找到所引用的计划 nowhere（2026）",
        "the plan nowhere (2026) is not found",
    ),
    "a part that is not there": Bad(
        "category: combo\n",
        'category: combo\nincludes: [{code: nowhere, version: "2026"}]\n',
        "includes",
        "includes[0]",
        "没有找到所引用的计划 nowhere（2026）",
        "the plan nowhere (2026) is not found",
    ),
    "a plan made of itself": Bad(
        "category: combo\n",
        'category: combo\nincludes: [{code: sample-medical, version: "2026"}]\n',
        "includes",
        "includes[0]",
        "计划互相引用，成了循环：sample-medical → sample-medical",
        "plans refer to each other in a circle: sample-medical → sample-medical",
    ),
    "a key twice": Bad(
        "category: combo",
        "category: combo\ncategory: medical",
        "category: medical",
        "",
        "字段“category”在这里写了两次",
        "the key 'category' stands here twice",
    ),
    "an alias": Bad(
        "waiting: {days: 30}",
        "waiting: &w {days: 30}\nfirst_wait: *w",
        "first_wait",
        "",
        "不能用别名（*名字）引用别处的内容",
        "aliases (*name) are not allowed",
    ),
    "a tag": Bad(
        "category: combo", "category: !!python/name:os.system x", "!!python", "", "读不懂，文字请写在引号里", "put texts in quotes"
    ),
    "brackets left open": Bad("{days: 180}", "{days: 180", "documents:", "", "不是能读的 YAML", "is not readable YAML"),
}


def _line_of(text: str, at: str) -> int:
    return text[: text.rindex(at) if at == "    steps:" else text.index(at)].count("\n") + 1


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_in_both_languages(name: str) -> None:
    bad = MISTAKES[name]
    assert GOOD.count(bad.old) >= 1
    text = GOOD.replace(bad.old, bad.new, 1)
    with pytest.raises(ScheduleError) as refused:
        read(text)
    fault = refused.value.faults[0]
    line = _line_of(text, bad.at)
    where = f"，{bad.field}" if bad.field else ""
    assert fault.in_language("zh").startswith(f"plan.yaml，第 {line} 行{where}：")
    assert fault.in_language("en").startswith(f"plan.yaml, line {line}{where.replace('，', ', ')}: ")
    assert bad.zh in fault.words.zh
    assert bad.en in fault.words.en


def test_no_two_mistakes_are_told_in_the_same_words() -> None:
    told: dict[str, list[str]] = {}
    for name, bad in MISTAKES.items():
        with pytest.raises(ScheduleError) as refused:
            read(GOOD.replace(bad.old, bad.new, 1))
        fault = refused.value.faults[0]
        told.setdefault(f"{fault.words.zh} {fault.path}", []).append(name)
    assert [names for names in told.values() if len(names) > 1] == []


def test_every_mistake_of_a_file_is_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace('ratio: "0.80"', 'ratio: "1.80"').replace("category: combo", "category: holiday").replace("    clause: 第七条\n", "")
    )
    with pytest.raises(ScheduleError) as refused:
        read(text)
    assert [fault.path[-1] for fault in refused.value.faults] == ["category", "ratio", "clause"]
    assert [fault.line for fault in refused.value.faults] == sorted(fault.line for fault in refused.value.faults)


# --- any text in any place ------------------------------------------------------------------------------------------

ODD = (
    "1.0", "4.0", "030", "1:30", "1_0", "0x1F", "+5", "-1", "-0", "0", "1e3", "1.0e+9", "9" * 30, "9" * 5000, ".inf", ".nan", "~", "yes",
    '""', '" "', '"\\0"', '"\\ud800"', '"1\\n"', '"-1"', '"NaN"', '"1e5"', '"0"', '"٣"', '"99999999999"', '"2026-02-30"', "2026-02-30",
    "9999-12-31", "1000-01-01", "2026-01-01 00:00:00", "!!binary AAAA", "!!int x", "!!set {a}", "[]", "{}", "[[]]", "{a: 1}", "[1, x]",
    "<<", "=", "null", "self_pay", "admission", "take", "2026", "A00", "长" * 3000,
)  # fmt: skip
TEXTS = (GOOD, *(path.read_text("utf-8") for path in CATALOGUE_FILES))


def scalars(text: str) -> list[tuple[int, int]]:
    """Where each plain thing of a file stands, field names among them: from, and up to."""
    tokens = yaml.scan(text, Loader=yaml.SafeLoader)
    return [(one.start_mark.index, one.end_mark.index) for one in tokens if isinstance(one, yaml.ScalarToken)]


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_in_any_place_is_taken_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    first, last = data.draw(st.sampled_from(_places(text)))
    odd = data.draw(st.sampled_from(ODD) | st.text(max_size=8) | st.text(max_size=8).map(lambda text: json.dumps(text)))
    try:
        schedule = read(f"{text[:first]}{odd}{text[last:]}".encode("utf-8", "surrogatepass"))
    except ScheduleError as refused:
        refused.in_language("zh").encode()
        refused.in_language("en").encode()
    else:
        assert schedule.items


_places = cache(scalars)


# --- files that are no plan at all ----------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8))
FILES: dict[str, tuple[bytes, int, str, str]] = {
    "GB18030": (GOOD.encode("gb18030"), 4, "文件不是 UTF-8 编码，请另存为 UTF-8 再试", "the file is not UTF-8; save it as UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), 1, "文件不是 UTF-8 编码", "the file is not UTF-8"),
    "bomb of aliases": (BOMB.encode(), 2, "不能用别名", "aliases (*name) are not allowed"),
    "nested without end": (b"a: " + b"[" * 5000, 1, f"层次超过 {MAX_DEPTH} 层", f"nested deeper than {MAX_DEPTH} levels"),
    "huge": (b"#" * (MAX_BYTES + 1), 0, "文件太大，计划文件最多 256 KB", "a plan file has at most 256 KB"),
    "a list": (b"- format: 1\n", 1, "计划文件应是“字段: 内容”的列表", "a plan file is a mapping"),
    "empty": (b"", 1, "计划文件应是“字段: 内容”的列表", "a plan file is a mapping"),
    "two documents": (f"{GOOD}---\n{GOOD}".encode(), GOOD.count("\n") + 1, "不是能读的 YAML", "is not readable YAML"),
    "a picture": (b"\x89PNG\r\n\x1a\n", 1, "文件不是 UTF-8 编码", "the file is not UTF-8"),
    "control characters": (b"format: 1\ncode: \x00", 2, "不是能读的 YAML", "is not readable YAML"),
    "the empty letter": (b'code: "a\\0"', 1, "文字里有不能保存的字符", "the text holds a character that cannot be kept"),
    "half a letter in a field's name": (b'"a\\ud800": 1', 1, "文字里有不能保存的字符", "the text holds a character that cannot be kept"),
    "tabs": (b"period:\n\tstart: 2026-01-01\n", 2, "不是能读的 YAML", "is not readable YAML"),
}


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_are_no_plan_file(name: str) -> None:
    raw, line, zh, en = FILES[name]
    with pytest.raises(ScheduleError) as refused:
        read_plan(raw, source="plan.yaml")
    (fault,) = refused.value.faults
    assert fault.line == line
    assert fault.source == "plan.yaml"
    assert zh in fault.words.zh
    assert en in fault.words.en


def test_a_file_saved_by_a_windows_editor_is_a_plan_file() -> None:
    """A mark at the beginning and other ends of lines are not mistakes."""
    raw = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert read(raw) == read(GOOD)


def test_nothing_unfolds_while_a_bomb_is_refused() -> None:
    """The refusal comes from the stream of events, before anything is built: the sixteenth level would be 10^15 things."""
    deeper = BOMB + "".join(f"z{i}: &z{i} [{', '.join([f'*{chr(105)}' if i == 0 else f'*z{i - 1}'] * 9)}]\n" for i in range(8))
    with pytest.raises(ScheduleError):
        read_plan(deeper.encode(), source="bomb.yaml")


def test_two_plans_made_of_each_other() -> None:
    one = GOOD.replace("category: combo\n", 'category: combo\nincludes: [{code: other-plan, version: "2026"}]\n')
    other = GOOD.replace("code: sample-medical", "code: other-plan").replace(
        "category: combo\n", 'category: combo\nincludes: [{code: sample-medical, version: "2026"}]\n'
    )
    files = [read_plan(text.encode(), source=f"{name}.yaml") for name, text in (("one", one), ("other", other))]
    with pytest.raises(ScheduleError) as refused:
        complete(files[0], lambda code, version: next(file.data for file in files if file.code == code))
    assert "sample-medical → other-plan → sample-medical" in refused.value.in_language("zh")
    assert refused.value.faults[0].path == ("includes", 0)


def test_a_mistake_inside_an_included_plan_is_told_at_the_place_that_includes_it() -> None:
    combo = GOOD.replace("category: combo\n", 'category: combo\nincludes: [{code: other-plan, version: "2026"}]\n')
    other = read_plan(GOOD.replace("code: sample-medical", "code: other-plan").replace('"0.80"', '"1.80"').encode(), source="other.yaml")
    file = read_plan(combo.encode(), source="combo.yaml")
    with pytest.raises(ScheduleError) as refused:
        complete(file, lambda code, version: other.data)
    told = refused.value.faults[0].in_language("zh")
    assert told.startswith("combo.yaml，第 7 行，includes[0]：所引用的 other-plan 有错：")
    assert "比例不能大于 1" in told


def test_a_limit_is_held_against_what_stands_before_it() -> None:
    """Half of 10000 under a limit of 5000 is a good plan; so is a ratio by waiting that never gives more than half."""
    half = plan(item({"fixed": "10000"}, {"ratio": "0.50"}, {"ceiling": {"amount": "5000", "scope": "case"}}))
    waited = {"wait": [{"from_day": 1, "to_day": 30, "ratio": "0"}, {"from_day": 31, "ratio": "0.5"}]}
    assert half.items
    daily = {"per_day": {"rate": "50", "max_days": 30, "max_days_in_period": 90}}
    assert plan(item(daily, {"ceiling": {"amount": "1500", "scope": "case"}}, {"ceiling": {"amount": "4500", "scope": "period"}})).items
    by_share = {"ceiling": {"amount": "20000", "scope": "period", "per_share": True}}
    assert plan(item({"take": "self_pay"}, {"ceiling": {"amount": "60000", "scope": "case"}}, by_share)).items  # four shares hold 80000
    assert plan(item({"fixed": "10000"}, waited, {"ceiling": {"amount": "5000", "scope": "case"}})).items
