"""Why a claim gets no benefit (不予给付的原因): the reasons a reviewer may give. The one place they are written down."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Reason:
    """`label` is what claimant and staff read; `words` begins the explanation to the claimant and is edited by hand;
    `by_rules`: it follows from the terms, so that other terms might have paid."""

    label: str | Promise
    words: str | Promise
    by_rules: bool = True


REJECTIONS: dict[str, Reason] = {
    "not_covered": Reason(_("不在保障期内"), _("这次情况发生在您的保障期以外，按条款不能给付。")),
    "waiting": Reason(_("在等待期内"), _("这次情况发生在等待期内，按条款不能给付。")),
    "not_listed": Reason(_("不属于本计划的给付范围"), _("这次情况不在本计划的给付范围内。")),
    "papers": Reason(_("材料不足以证明"), _("您提交的材料还不足以证明这次情况；有新的材料时可以重新申领。"), by_rules=False),
    "late": Reason(_("超过申领期限"), _("提交时已经超过条款规定的申领期限。")),
    "below_deductible": Reason(_("费用没有达到起付线"), _("本期累计的费用还没有达到起付线；已经计入本期累计，下次会接着算。")),
    "excluded": Reason(_("属于条款的除外情形"), _("经核实，这次情况属于条款写明的除外情形。"), by_rules=False),
}
REASONS = {code: reason.label for code, reason in REJECTIONS.items()}
# Reasons that no reviewer chooses: they follow from another act.
FOLLOWING_REASONS: dict[str, str | Promise] = {"objection": _("公示期间的异议查实")}


def reason_words(code: str) -> str | Promise:
    """Why nothing was paid, in words; empty for no reason."""
    return REASONS.get(code) or FOLLOWING_REASONS.get(code, "")
