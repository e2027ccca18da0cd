"""Where a claim is, what happened to it, what comes next and by when: in words for the claimant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from claims.selectors.cooling import is_cooling
from claims.selectors.queue import step_ends
from claims.selectors.rules import rules
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of, days_between
from unionaid.lib.money import format_yuan
from unionaid.lib.workdays import due_on
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry
from unionaid.workflow.selectors import history_of

GRANTING = ("approve", "approve_on_notice", "settle", "settle_on_notice")
SENDING = ("submit", "submit_to_unit", "submit_by_rule", "submit_by_rule_to_unit")
ACTS: dict[str, str | Promise] = {
    "open": _("开始填写"),
    "open_correction": _("开始重新核定"),
    "submit": _("已提交申领"),
    "submit_to_unit": _("已提交申领，先由单位核对"),
    "submit_by_rule": _("按计划的规定替您提交"),
    "submit_by_rule_to_unit": _("按计划的规定替您提交，先由单位核对"),
    "reopen": _("申诉成立，重新审核"),
    "recompute": _("同一件事的互助金有变化，重新计算"),
    "reclassify": _("重新核定了给付类别"),
    "pass_on": _("单位核对完，转到办事处"),
    "unit_return": _("单位请您补充材料"),
    "pass_by": _("没有经单位核对，已转到办事处"),
    "review": _("初审通过"),
    "settle": _("初审核定"),
    "settle_on_notice": _("初审核定，开始公示"),
    "send_back": _("退回初审再看一次"),
    "return_for_supplement": _("请您补充材料"),
    "supplement": _("补充后重新提交"),
    "supplement_to_unit": _("补充后重新提交，先由单位核对"),
    "reject": _("决定不予给付"),
    "approve": _("终审批准"),
    "approve_on_notice": _("终审批准，开始公示"),
    "close_notice": _("公示期满，没有异议"),
    "uphold_objection": _("公示中的异议成立，不予给付"),
    "replace": _("公示中的异议成立，另行重新审核"),
    "review_again": _("公示中的异议成立，重新审核"),
    "withdraw": _("撤回了申领"),
    "propose_halt": _("暂停付款，再核对一次"),
    "halt": _("停止付款，另行重新审核"),
    "resume": _("核对无误，恢复付款"),
    "resume_returned": _("核对无误，等您更正账户"),
    "review_halted": _("停止付款后重新审核"),
    "put_in_batch": _("列入付款批次"),
    "take_from_batch": _("移出付款批次，等待下一批"),
    "release": _("已交银行付款"),
    "mark_paid": _("互助金已到账"),
    "mark_returned": _("银行退回了付款"),
    "mark_bounced": _("银行付出后又退回了付款"),
    "correct_account": _("更正了收款账户"),
    "dispute_account": _("收款账户有疑问，付款已停下"),
    "reclaim": _("重新核定，发现多付"),
    "close_recovery": _("多付的已经退清"),
    "reopen_recovery": _("退回款登记有误，已更正"),
    "owe_again": _("抵还的那份申领停付，多付的仍要退回"),
    "close_written_off": _("剩下的多付不用再退"),
}
_UNIT, _OFFICE, _FINAL = _("单位核对"), _("办事处初审"), _("另一位工作人员终审")
_NOTICE, _BANK = _("公示"), _("银行付款")
# What lies ahead of each state; the unit's step and the public notice only where the plan has them.
AHEAD: dict[str, tuple[str | Promise, ...]] = {
    "draft": (_("提交申领"), _UNIT, _OFFICE, _FINAL, _NOTICE, _BANK),
    "unit_review": (_UNIT, _OFFICE, _FINAL, _NOTICE, _BANK),
    "submitted": (_OFFICE, _FINAL, _NOTICE, _BANK),
    "supplement_requested": (_("您补充后重新提交"), _UNIT, _OFFICE, _FINAL, _NOTICE, _BANK),
    "reviewed": (_FINAL, _NOTICE, _BANK),
    "on_notice": (_NOTICE, _BANK),
    "approved": (_("列入付款批次"), _("银行付款")),
    "halt_proposed": (_("另一位工作人员核对"), _("核对无误的照常付款，有误的重新审核")),
    "in_batch": (_("复核后交银行付款"), _("到账")),
    "paying": (_("到账"),),
    "returned_payment": (_("您更正收款账户"), _("重新付款，金额不变")),
    "recovery": (_("您退回多付的部分"),),
}
NOW: dict[str, str | Promise] = {
    "draft": _("还没有提交。填到哪里都会保存，可以随时回来接着填。"),
    "unit_review": _("已经交给您的单位核对，核对完会转到办事处。您现在不用做什么。"),
    "on_notice": _("已经核定，正在公示。公示期满没有异议，就会付款。您现在不用做什么。"),
    "submitted": _("办事处已收到，正在等待初审。您现在不用做什么。"),
    "supplement_requested": _("审核人员请您补充材料。补充之后会接着审核，不用重新申领。"),
    "reviewed": _("初审已通过，由另一位工作人员终审。您现在不用做什么。"),
    "approved": _("已经批准，等待付款。您现在不用做什么。"),
    "halt_proposed": _("付款前又发现了要核对的地方，先暂停付款。核对无误会照常付款，有误会重新审核，都会通知您。您现在不用做什么。"),
    "in_batch": _("已列入付款批次，复核后交银行付款。您现在不用做什么。"),
    "paying": _("银行正在付款，到账后会通知您，这里也会更新。您现在不用做什么。"),
    "paid": _("互助金已经付到您的账户。"),
    "returned_payment": _("钱还没有付到您的账户，原因写在下面。请更正收款账户，金额不变。"),
    "rejected": _("这次申领没有获得给付，原因和依据写在下面。"),
    "withdrawn": _("您已撤回这次申领。需要时可以重新申领。"),
    "replaced": _("公示时有人提出异议，查实后重新审核。结果以新的一份为准，下面可以去看。您现在不用做什么。"),
    "halted": _("付款前发现核定有误，这一份不付款，已另行重新审核。结果以新的一份为准，下面可以去看。您现在不用做什么。"),
    "recovery": _("重新核定后，原来的互助金多付了，请把多付的部分退回。一次退有困难的，可以商量分期。"),
    "recovered": _("多付的部分已经办结，您不用再做什么。"),
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
    """Where the claim is, by when this step ends, and whether that day has passed."""

    now: str | Promise
    by: date | None
    late: bool


def trail_of(claim: Claim) -> list[Event]:
    """What happened, oldest first, then what is still to come. Who did it is not told; only the claim's own acts are read
    past the scope, because the staff's acts belong to the office."""
    with everywhere(reason="tell the claimant what happened to their claim"):
        acts = list(history_of(claim)[:200])
    past = [Event(ACTS[act.action], "past", _day(claim, act, acts), _detail(claim, act)) for act in acts if act.action in ACTS]
    rule = schedule_of(claim.terms).deciding
    left_out = [_UNIT] * (not rule.unit_first or claim.unit_reviewed_by_id is not None) + [_NOTICE] * (not rule.notice_days)
    ahead = [step for step in AHEAD.get(claim.state, ()) if step not in left_out]
    return past + [Event(words, "ahead" if place else "now") for place, words in enumerate(ahead)]


def standing_of(claim: Claim, *, on: date) -> Standing:
    """Where the claim is now and by when it goes on: the unit's own last day, the end of the public notice, else the working days that
    the office has set for the step, from which the desk's ageing is told too. One statement."""
    if is_cooling(claim, on):
        assert claim.payable_on is not None
        words = gettext("已经批准。收款账户刚改过，为防别人冒改，{day}起可以发放。您现在不用做什么。")
        days = rules().days(claim.office.path, claim.state)
        return Standing(words.format(day=date_format(claim.payable_on)), due_on(claim.payable_on, days), False)
    known = {"on_notice": claim.notice_until, "unit_review": claim.unit_due_on}
    by = known[claim.state] if claim.state in known else step_ends(claim, rules())
    return Standing(NOW[claim.state], by, by is not None and by < on)


def _day(claim: Claim, act: AuditEntry, acts: Sequence[AuditEntry]) -> date:
    """The business day where the claim keeps one (for the last such act), else the day of the record."""
    sent_in = (*SENDING, "recompute", "review_again", "reopen", "review_halted")
    stamps = {
        **dict.fromkeys(sent_in, claim.submitted_at), "pass_on": claim.unit_reviewed_at, "review": claim.reviewed_at,
        "reclassify": claim.reviewed_at, **dict.fromkeys(GRANTING, claim.approved_at), "reject": claim.rejected_at,
        "uphold_objection": claim.rejected_at, "reclaim": claim.approved_at,
    }  # fmt: skip
    last = next(other for other in reversed(acts) if other.action == act.action)
    stamp = stamps.get(act.action)
    return day_of(stamp if stamp and act is last else act.at)


def _detail(claim: Claim, act: AuditEntry) -> str:
    if act.action in GRANTING and claim.approved_fen:
        return f"¥{format_yuan(claim.approved_fen)}"
    return act.note if act.action in ("return_for_supplement", "unit_return", "mark_returned", "mark_bounced") else ""


def office_days(claim: Claim, *, on: date) -> int:
    """How many days the claim has been with the office up to this day: since it was sent in, less the time it stood with the
    claimant for more papers. 0 for what was never sent in."""
    if claim.submitted_at is None:
        return 0
    stands = days_between(day_of(claim.stopped_at), on) if claim.stopped_at else 0
    return max(0, days_between(day_of(claim.submitted_at), on) - claim.stood_days - max(0, stands))
