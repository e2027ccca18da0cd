"""The claims of the played year, with the amounts that plans published or that follow from their published terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

DIAGNOSED = date(2026, 5, 20)
YULIN = "shaanxi-yulin-medical"


@dataclass(frozen=True)
class Case:
    """One claim: who (the same name is the same person), which plan, what happened, what must come out (yuan)."""

    person: str
    title: str
    program: str
    event: str
    expected: str
    basis: str
    stays: tuple[tuple[int, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    woman: bool = False
    relation: str = "self"


CASES = (
    Case("a", "住院自付 1500 元", YULIN, "admission", "1200.00", "推算", ((6, "1500.00"),)),
    Case("b", "住院自付 6000 元", YULIN, "admission", "4400.00", "推算", ((9, "6000.00"),)),
    Case("c", "住院自付 85600 元", YULIN, "admission", "45000.00", "推算", ((40, "85600.00"),)),
    Case("c", "再次住院 30000 元，封顶只剩 5000 元", YULIN, "admission", "5000.00", "推算", ((20, "30000.00"),)),
    Case("d", "门诊慢特病自付 1300 元", YULIN, "outpatient", "500.00", "推算", ((0, "1300.00"),)),
    Case("e", "住院自付 1733.84 元", "national-inpatient", "admission", "1213.69", "公开发布", ((7, "1733.84"),)),
    Case("f", "住院自付 1000.35 元", "national-inpatient", "admission", "700.25", "推算", ((5, "1000.35"),)),
    Case(
        "g", "重大疾病（重度）", "national-critical-illness", "diagnosis", "10000.00", "公开发布",
        ((12, "20000.00"),), {"event_on": DIAGNOSED, "diagnosis_class": "critical_severe", "diagnosis_code": "I21.0"},
    ),
    Case(
        "h", "女工特殊疾病第一类", "national-women", "diagnosis", "6000.00", "公开发布",
        (), {"event_on": DIAGNOSED, "diagnosis_class": "class1_female_cancer", "diagnosis_code": "C50.9"}, woman=True,
    ),
    Case(
        "i", "意外溺水身故", "national-accident", "accident_death", "60000.00", "公开发布",
        (), {"accident_on": DIAGNOSED, "death_on": DIAGNOSED},
    ),
    Case(
        "j", "子女意外八级伤残", "national-children-accident", "accident_disability", "3000.00", "目录设定",
        (), {"accident_on": DIAGNOSED, "disability_grade": 8}, relation="minor_child",
    ),
    Case(
        "k", "住院 20 天并确诊重大疾病", "national-allowance-combo", "diagnosis", "10850.00", "推算",
        ((20, "9000.00"),), {"event_on": DIAGNOSED, "diagnosis_code": "C34.1"},
    ),
    Case(
        "l", "住院自付 260000 元", YULIN, "admission", "50000.00", "推算",
        ((38, "260000.00"),), {"diagnosis": "重症胰腺炎", "other_aid_fen": 0},
    ),
)  # fmt: skip
# The relief that follows from the last of them without anybody asking: 260,000 less the benefit of 50,000 leaves over 200,000.
RELIEF = Case("l", "大额救助，按规则发起并提交", "yulin-relief", "admission", "50000.00", "公开发布")
# The office takes Chongqing's published relief over under its own name.
RELIEF_PLAN = """format: 1
code: yulin-relief
version: "2026"
based_on: {code: chongqing-relief, version: "2026"}
name: {zh: 榆林市职工大额医疗费用救助（演示）, en: Yulin relief for high medical cost (demonstration)}
office: "610800"
source: {title: 榆林办事处大额医疗费用救助办法（演示）, note: 演示设定，金额和分档照重庆办事处}
organiser: {kind: national_society, name: 榆林办事处}
examples:
  - name: 自付 26 万元、住院互助金已给 5 万元
    case: {event: admission, self_pay: "260000.00", other_aid: "50000.00"}
    expect: "50000.00"
"""
