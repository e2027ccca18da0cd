"""How claims decided together look at the desk."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from unionaid.lib.money import format_yuan
from unionaid.workflow.bulk_pages import Shown, page_of


def _told(claim: Claim) -> str:
    words = _("{name}，{plan}，{event}，试算 {amount} 元")
    return words.format(
        name=claim.member.name, plan=claim.program.title, event=claim.get_event_display(), amount=format_yuan(claim.estimated_fen or 0)
    )


def _came_of(ids: Sequence[int]) -> Mapping[int, str]:
    """Whose each was and what it was decided at. One statement."""
    rows = Claim.objects.filter(pk__in=ids).values_list("pk", "member__name", "approved_fen")
    return {pk: _("{name}，核定 {amount} 元").format(name=name, amount=format_yuan(fen or 0)) for pk, name, fen in rows}


NONE = gettext_lazy("现在没有可以一起办理的申领。上限由办事处负责人在“审核设置”里设定；有疑点的申领要逐件办理。")
approve_claims = page_of(
    "approve_claims",
    Shown(
        Claim, "admin:claim_review",
        gettext_lazy(
            "列出的是：等待您终审、试算金额在本机构上限以内、没有疑点、前一步不是您办的申领。批准时逐件重新计算，不合条件的会留给您逐件办理。"
        ),
        _told, _came_of, NONE,
    ),
)  # fmt: skip
settle_claims = page_of(
    "settle_claims",
    Shown(
        Claim, "admin:claim_review",
        gettext_lazy(
            "列出的是：等待初审、条款允许一个人核定、试算金额在本机构上限以内、没有疑点的申领。核定时逐件重新计算、重新查疑点，"
            "不合条件的会留给您逐件办理。"
        ),
        _told, _came_of, NONE,
    ),
)  # fmt: skip
