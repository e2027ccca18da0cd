"""The bases of calculation (费用基数): a named one, or one composed of a named one and fields of the settlement beside it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from programs.rules.facts import SETTLEMENT_FIELDS, ZERO, Settlement
from programs.rules.words import Words

BASE_WORDS = {
    "insured_total": Words("医疗费总额", "insured total"),
    "in_scope_total": Words("政策范围内费用", "in-scope cost"),
    "personal_cost": Words("个人负担", "personal cost"),
    "self_pay": Words("个人自付（不含自费）", "in-scope self-pay"),
    "self_pay_without_prepaid": Words("个人自付（不含自费和先行自付）", "in-scope self-pay without the prepaid share"),
    "self_pay_without_deductible": Words("个人自付（不含自费和医保起付线）", "in-scope self-pay without the insurance's deductible"),
    "cash_paid": Words("个人现金支付", "cash paid"),
    "above_cap_cost": Words("超过基本医保封顶线的政策范围内费用", "in-scope cost above the cap of basic insurance"),
}
SETTLEMENT_WORDS = {
    "medfee_sumamt": Words("医疗费总额", "total of the bill"),
    "fulamt_ownpay_amt": Words("全自费金额", "outside the catalogue"),
    "overlmt_selfpay": Words("超限价自费", "above the price limit"),
    "preselfpay_amt": Words("先行自付", "share paid first"),
    "inscp_scp_amt": Words("符合政策范围金额", "within the policy's scope"),
    "act_pay_dedc": Words("实际支付起付线", "deductible of the insurance"),
    "hifp_pay": Words("基本统筹基金支出", "paid by the pooled fund"),
    "cvlserv_pay": Words("公务员医疗补助", "civil servants' subsidy"),
    "hifob_pay": Words("职工大额补助", "large-amount subsidy"),
    "hifmi_pay": Words("居民大病保险支出", "critical illness scheme of residents"),
    "hifes_pay": Words("企业补充医疗支出", "supplementary scheme of the employer"),
    "maf_pay": Words("医疗救助支出", "medical assistance"),
    "oth_pay": Words("其他支付", "other payments"),
    "fund_pay_sumamt": Words("基金支付总额", "total paid by the funds"),
    "acct_pay": Words("个人账户支付", "paid from the personal account"),
    "acct_mulaid_pay": Words("个人账户共济支付", "paid from the account of a relative"),
    "psn_cash_pay": Words("个人现金支付", "paid in cash"),
    "psn_part_amt": Words("个人负担总额", "total borne by the person"),
    "hosp_part_amt": Words("医院负担", "borne by the hospital"),
}
# Of which fields each named base is made, beside the totals of the bill: those it begins with, and those it takes off.
MADE_OF: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "insured_total": (("medfee_sumamt",), ()),
    "in_scope_total": (("inscp_scp_amt",), ()),
    "personal_cost": (("psn_part_amt",), ()),
    "self_pay": (("psn_part_amt",), ("fulamt_ownpay_amt", "overlmt_selfpay")),
    "self_pay_without_prepaid": (("psn_part_amt",), ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt")),
    "self_pay_without_deductible": (("psn_part_amt",), ("fulamt_ownpay_amt", "overlmt_selfpay", "act_pay_dedc")),
    "cash_paid": (("psn_cash_pay",), ()),
    "above_cap_cost": (("inscp_scp_amt",), ()),
}
OF_SELF_PAY = ("psn_part_amt", "fulamt_ownpay_amt", "overlmt_selfpay")
# What the person bears, part by part.
BORNE = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "act_pay_dedc", "acct_pay", "acct_mulaid_pay", "psn_cash_pay")
# What lies inside the field that a base begins with: added to it once more it would count twice.
INSIDE = {
    "medfee_sumamt": SETTLEMENT_FIELDS,
    "inscp_scp_amt": ("inscp_scp_amt", "act_pay_dedc", "hifp_pay"),
    "psn_part_amt": ("psn_part_amt", *BORNE),
    "psn_cash_pay": ("psn_cash_pay",),
}


@dataclass(frozen=True, slots=True)
class Base:
    """What an amount is computed on: a named base, with the fields `plus` and without the fields `less`, and of that what lies above
    `cap` (yuan; None: all of it)."""

    name: str
    plus: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    cap: Decimal | None = None

    def of(self, settlement: Settlement) -> Decimal:
        """The base of one settlement, in yuan; never below zero.

        >>> told = Settlement(psn_part_amt=Decimal(900), preselfpay_amt=Decimal(200), act_pay_dedc=Decimal(300))
        >>> Base("self_pay", less=("preselfpay_amt", "act_pay_dedc")).of(told)
        Decimal('400')
        """
        amount: Decimal = getattr(settlement, self.name)
        if self.plus or self.less:
            more = sum((getattr(settlement, name) for name in self.plus), ZERO)
            amount = max(ZERO, amount + more - sum((getattr(settlement, name) for name in self.less), ZERO))
        return amount if self.cap is None else max(ZERO, amount - self.cap)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every settlement field that it looks at."""
        return tuple(dict.fromkeys((*MADE_OF[self.name][0], *MADE_OF[self.name][1], *self.plus, *self.less)))

    def untold(self, untold: frozenset[str]) -> str | None:
        """The first field it looks at of those that nobody has told. In-scope self-pay that was told as such needs no other figure.

        >>> Base("self_pay").untold(frozenset({"psn_part_amt"})), Base("personal_cost").untold(frozenset({"psn_part_amt"}))
        (None, 'psn_part_amt')
        """
        known = OF_SELF_PAY if self.name.startswith("self_pay") and "self_pay" not in untold else ()
        made_of = [name for first in MADE_OF[self.name] for name in first if name not in known]
        return next((name for name in (*made_of, *self.plus, *self.less) if name in untold), None)

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """The settlement fields that are taken off already, by name or as composed."""
        return (*(name for name in MADE_OF[self.name][1] if name not in self.plus), *self.less)

    @property
    def words(self) -> Words:
        return base_words(self.name, self.plus, self.less)

    @property
    def told(self) -> dict[str, Any]:
        """As a line of the trail keeps it; of a named base its name alone."""
        if not (self.plus or self.less):
            return {"base": self.name}
        parts = {"plus": ",".join(self.plus), "less": ",".join(self.less)}
        return {"base": self.name, **{key: text for key, text in parts.items() if text}}


def base_words(name: str, plus: tuple[str, ...] = (), less: tuple[str, ...] = ()) -> Words:
    """What a base is called; KeyError for an unknown name or field."""
    zh, en = BASE_WORDS[name].zh, BASE_WORDS[name].en
    if plus:
        zh, en = f"{zh}加上{field_list(plus).zh}", f"{en} with {field_list(plus).en}"
    if less:
        zh, en = f"{zh}减去{field_list(less).zh}", f"{en} without {field_list(less).en}"
    return Words(zh, en)


def field_list(names: Iterable[str]) -> Words:
    """Several fields of the settlement, by name. KeyError for an unknown one."""
    words = [SETTLEMENT_WORDS[name] for name in names]
    return Words("、".join(one.zh for one in words), " and ".join(f"“{one.en}”" for one in words))


def counted_twice(base: Base) -> Iterator[tuple[str, str]]:
    """("plus" or "less", field) for each field that the base holds, or leaves out, already: a slip, since adding or taking it off
    again would count it twice."""
    begins, without = MADE_OF[base.name]
    inside = {name for first in begins for name in INSIDE.get(first, (first,))} - set(without)
    yield from (("plus", name) for name in base.plus if name in inside or name in base.less)
    yield from (("less", name) for name in base.less if name in without)
