"""Where a claim is, what happened to it, what comes next and by when: in words for the claimant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from unionaid.lib.calendar import day_of, plus_days
from unionaid.lib.money import format_yuan
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.selectors import history_of

# Days in which each wait usually ends. The house's own target, from no plan's terms.
USUAL_DAYS = {"submitted": 7, "reviewed": 7, "approved": 10, "in_batch": 5, "paying": 5}
ACTS: dict[str, str | Promise] = {
    "open": _("开始填写"),
    "submit": _("已提交申领"),
    "review": _("初审通过"),
    "return_for_supplement": _("请您补充材料"),
    "supplement": _("补充后重新提交"),
    "reject": _("决定不予给付"),
    "approve": _("终审批准"),
    "withdraw": _("撤回了申领"),
    "put_in_batch": _("列入付款批次"),
    "take_from_batch": _("移出付款批次，等待下一批"),
    "release": _("已交银行付款"),
    "mark_paid": _("互助金已到账"),
    "mark_returned": _("银行退回了付款"),
    "correct_account": _("更正了收款账户"),
}
AHEAD: dict[str, tuple[str | Promise, ...]] = {
    "draft": (_("提交申领"), _("办事处初审"), _("另一位工作人员终审"), _("银行付款")),
    "submitted": (_("办事处初审"), _("另一位工作人员终审"), _("银行付款")),
    "supplement_requested": (_("您补充后重新提交"), _("办事处初审"), _("另一位工作人员终审"), _("银行付款")),
    "reviewed": (_("另一位工作人员终审"), _("银行付款")),
    "approved": (_("列入付款批次"), _("银行付款")),
    "in_batch": (_("复核后交银行付款"), _("到账")),
    "paying": (_("到账"),),
    "returned_payment": (_("您更正收款账户"), _("重新付款，金额不变")),
}
NOW: dict[str, str | Promise] = {
    "draft": _("还没有提交。填到哪里都会保存，可以随时回来接着填。"),
    "submitted": _("办事处已收到，正在等待初审。您现在不用做什么。"),
    "supplement_requested": _("审核人员请您补充材料。补充之后会接着审核，不用重新申领。"),
    "reviewed": _("初审已通过，由另一位工作人员终审。您现在不用做什么。"),
    "approved": _("已经批准，等待付款。您现在不用做什么。"),
    "in_batch": _("已列入付款批次，复核后交银行付款。您现在不用做什么。"),
    "paying": _("银行正在付款，到账后这里会更新。"),
    "paid": _("互助金已经付到您的账户。"),
    "returned_payment": _("银行没能付到您的账户。请更正收款账户，金额不变。"),
    "rejected": _("这次申领没有获得给付，原因和依据写在下面。"),
    "withdrawn": _("您已撤回这次申领。需要时可以重新申领。"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the trail; `tone` is past, now or ahead."""

    words: str | Promise
    tone: str
    on: date | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the claim is, by when the wait usually ends, and whether that day has passed."""

    now: str | Promise
    by: date | None
    late: bool


def trail_of(claim: Claim) -> list[Event]:
    """What happened, oldest first, then what is still to come. Who did it is not told; only the claim's own acts are read
    past the scope, because the staff's acts belong to the office."""
    with everywhere(reason="tell the claimant what happened to their claim"):
        acts = list(history_of(claim)[:200])
    past = [Event(ACTS[act.action], "past", _day(claim, act, acts), _detail(claim, act)) for act in acts if act.action in ACTS]
    ahead = AHEAD.get(claim.state, ())
    return past + [Event(words, "ahead" if place else "now") for place, words in enumerate(ahead)]


def standing_of(claim: Claim, trail: Sequence[Event], *, on: date) -> Standing:
    """Where the claim is now and by when it usually goes on."""
    since = next((event.on for event in reversed(trail) if event.on), None)
    days = USUAL_DAYS.get(claim.state)
    by = plus_days(since, days) if since and days else None
    return Standing(NOW[claim.state], by, by is not None and by < on)


def _day(claim: Claim, act: AuditEntry, acts: Sequence[AuditEntry]) -> date:
    """The business day where the claim keeps one (for the last such act), else the day of the record."""
    stamps = {"submit": claim.submitted_at, "review": claim.reviewed_at, "approve": claim.approved_at}
    last = next(other for other in reversed(acts) if other.action == act.action)
    stamp = stamps.get(act.action)
    return day_of(stamp if stamp and act is last else act.at)


def _detail(claim: Claim, act: AuditEntry) -> str:
    if act.action == "approve" and claim.approved_fen:
        return f"¥{format_yuan(claim.approved_fen)}"
    return act.note if act.action in ("return_for_supplement", "mark_returned") else ""
