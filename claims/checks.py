"""What a reviewer should look at twice: flags, never verdicts. Each kind has its sentence, made when it is read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from claims.models import Claim, ClaimFlag
from unionaid.lib.money import format_yuan

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of flag: its name in lists, its sentence, and whether it must be settled before anyone passes the claim lightly."""

    label: str | Promise
    words: Callable[[Figures], str]
    is_serious: bool = True


@dataclass(frozen=True, slots=True)
class FlagLine:
    """A flag as it is read on a claim's page."""

    flag: ClaimFlag
    label: str | Promise
    words: str
    is_serious: bool

    @property
    def is_open(self) -> bool:
        return self.flag.dismissed_at is None

    @property
    def other(self) -> int | None:
        """The key of the other claim, where it is about one of the same office."""
        found: int | None = self.flag.figures.get("other")
        return found


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text))


def _shared(here: Any, elsewhere: Any) -> Callable[[Figures], str]:
    """A sentence about another claim: by its number where it is of the same office, without where it is not; and what became of it."""

    def words(told: Figures) -> str:
        template = str(elsewhere if told["elsewhere"] else here)
        days = {name: _day(told[name]) for name in ("first", "last") if name in told}
        yuan = format_yuan(told["fen"]) if "fen" in told else ""
        return template.format(**{"value": "", "yuan": yuan, **told, **days, "claim": OTHER_CLAIM[told["ended"]]})

    return words


def _outside(told: Figures) -> str:
    words = _("{what}是{day}，不在保障期内（保障期{first}至{last}）。")
    if told["what"] == "discharged":
        words = _("{what}是{day}，不在保障期内（保障期{first}至{last}），请核对条款：跨过保障期的住院哪几天可以给付。")
    return words.format(**{**_days(told), "what": DAYS[told["what"]]})


def _days(told: Figures) -> dict[str, Any]:
    return {name: _day(value) if name in ("day", "first", "last", "until") else value for name, value in told.items()}


def _yuan(told: Figures) -> dict[str, str]:
    whole, added = told["whole"], told["added"]
    return {"whole": format_yuan(whole), "added": format_yuan(added), "off": format_yuan(abs(whole - added))}


def _paper_name(told: Figures) -> str:
    return str(told["en"] if (get_language() or "").startswith("en") else told["zh"])


# The other claim of a pair, by the state in which it ended; "" is one that stands.
OTHER_CLAIM: Mapping[str, str | Promise] = {
    "": gettext_lazy("申领"),
    "rejected": gettext_lazy("已不予给付的申领"),
    "withdrawn": gettext_lazy("已撤回的申领"),
}
# Which day of a claim lies outside its cover.
DAYS: Mapping[str, str | Promise] = {
    "admitted": gettext_lazy("入院日"),
    "discharged": gettext_lazy("出院日"),
    "visit": gettext_lazy("就诊日"),
    "accident": gettext_lazy("意外发生日"),
    "diagnosis": gettext_lazy("确诊日"),
    "death": gettext_lazy("身故日"),
    "event": gettext_lazy("事发日"),
}

KINDS: dict[str, Kind] = {
    "same_invoice": Kind(
        gettext_lazy("票据重复"),
        _shared(
            gettext_lazy("票据号码 {value} 在{claim} {number} 中也用过，请核对是不是同一张票据。"),
            gettext_lazy("票据号码 {value} 在另一个办事处的{claim}中也用过，请核对是不是同一张票据。"),
        ),
    ),
    "same_settlement": Kind(
        gettext_lazy("结算编号重复"),
        _shared(
            gettext_lazy("结算编号 {value} 在{claim} {number} 中也用过，请核对是不是同一次结算。"),
            gettext_lazy("结算编号 {value} 在另一个办事处的{claim}中也用过，请核对是不是同一次结算。"),
        ),
    ),
    "same_file": Kind(
        gettext_lazy("材料相同"),
        _shared(
            gettext_lazy("有一份材料和{claim} {number} 的材料完全相同。"),
            gettext_lazy("有一份材料和另一个办事处的{claim}里的一份完全相同。"),
        ),
    ),
    "same_bill": Kind(
        gettext_lazy("门诊费用相同"),
        _shared(
            gettext_lazy("{first}的门诊费用 {yuan} 元，和{claim} {number} 中的一次同一天、同一个数，请核对是不是同一张票据。"),
            gettext_lazy("{first}的门诊费用 {yuan} 元，和此人在另一个办事处的{claim}中的一次同一天、同一个数，请核对是不是同一张票据。"),
        ),
    ),
    "overlapping_stay": Kind(
        gettext_lazy("住院日期重叠"),
        _shared(
            gettext_lazy("住院日期与申领 {number}（{first}至{last}）重叠，请核对是否同一次住院。"),
            gettext_lazy("住院日期与同一职工在另一个办事处的申领（{first}至{last}）重叠，请核对是否同一次住院。"),
        ),
    ),
    "shared_account": Kind(
        gettext_lazy("账户多人共用"),
        lambda told: _("这个收款账户也登记在另外 {people} 位职工名下，请核实是不是本人的账户。").format(**told),
    ),
    "account_name": Kind(gettext_lazy("户名不符"), lambda told: _("收款账户的户名与申领人姓名不一致。")),
    "outside_cover": Kind(
        gettext_lazy("保障期外"), _outside
    ),
    "in_waiting": Kind(
        gettext_lazy("等待期内"), lambda told: _("{day}在等待期内（等待期至{until}）。").format(**_days(told))
    ),
    "total_does_not_add": Kind(
        gettext_lazy("总额不符"),
        lambda told: _(
            "医疗费总额 {whole} 元，与基金支付、个人负担、医院负担之和 {added} 元相差 {off} 元，请对照结算单核对。"
        ).format(**_yuan(told)),
    ),
    "personal_does_not_add": Kind(
        gettext_lazy("个人负担不符"),
        lambda told: _("个人负担 {whole} 元，与个人账户、现金支付之和 {added} 元相差 {off} 元，请对照结算单核对。").format(**_yuan(told)),
    ),
    "diagnosis_not_listed": Kind(
        gettext_lazy("病种不在目录"), lambda told: _("疾病编码 {diagnosis} 不在本计划列出的病种内，请核对诊断和编码。").format(**told)
    ),
    "missing_paper": Kind(gettext_lazy("缺少材料"), lambda told: _("缺少必需的材料：{name}。").format(name=_paper_name(told))),
    "filing_objected": Kind(
        gettext_lazy("本人对代办有异议"),
        lambda told: _("申领人说没有要别人代办这份申领，请先向本人核实，再看材料和收款账户。"),
    ),
    "filed_by_agent": Kind(
        gettext_lazy("代办人即单位经办人"),
        lambda told: _("这份申领由单位经办人代填，单位没有另一位经办人核对，请向本人核实。"),
    ),
    "claimed_by_heir": Kind(
        gettext_lazy("继承人申领"),
        lambda told: _("由逝者的{relation}申领，请核对死亡证明、关系证明和其他继承人的声明。").format(
            relation=Claim.Heir(told["relation"]).label
        ),
    ),
    "overlaps_rejected": Kind(
        gettext_lazy("和未予给付的住院重叠"),
        _shared(
            gettext_lazy("住院日期与{claim} {number}（{first}至{last}）重叠，请看那时为什么没有给付。"),
            gettext_lazy("住院日期与同一职工在另一个办事处的{claim}（{first}至{last}）重叠，请看是不是同一次住院。"),
        ),
        is_serious=False,
    ),
    "benefit_changed": Kind(
        gettext_lazy("互助金有变化"),
        lambda told: _(
            "同一件事核定的互助金现在是 {paid_fen} 元。这笔救助原来核定 {before_fen} 元，扣减后重新计算是 {now_fen} 元："
            "少了的办理“核定多付，要求退回”，多了的批准，补发差额。"
        ).format(**{name: format_yuan(fen) for name, fen in told.items()}),
    ),
    "new_provider": Kind(
        gettext_lazy("首次出现的医院"),
        lambda told: _("“{hospital}”是第一次在本办事处的申领中出现，请核对医院名称和资质。").format(**told),
        is_serious=False,
    ),
    "soon_after_joining": Kind(
        gettext_lazy("参加后不久出险"),
        lambda told: _("首次参加后第 {nth} 天就出险（{limit} 天以内的都提示），请核对发病或就诊的日期。").format(
            nth=told["days"] + 1, limit=told["limit"]
        ),
        is_serious=False,
    ),
}


def flagged_among(claims: Iterable[Claim]) -> set[int]:
    """Which of these claims have, as last screened, a flag that nobody has dismissed, by key. One statement."""
    rows = ClaimFlag.objects.filter(claim__in=[claim.pk for claim in claims], lapsed_at=None, dismissed_at=None)
    return set(rows.values_list("claim_id", flat=True))


def flags_of(claim: Claim) -> list[FlagLine]:
    """What calls for a second look on this claim, as last screened: the open ones first, the serious before the others. One statement."""
    rows = claim.flags.filter(lapsed_at=None).select_related("dismissed_by")
    lines = [FlagLine(row, kind.label, kind.words(row.figures), kind.is_serious) for row in rows for kind in [KINDS[row.code]]]
    return sorted(lines, key=lambda line: (not line.is_open, not line.is_serious, line.flag.pk))
