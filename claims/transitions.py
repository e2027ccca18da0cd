"""The life of a claim (申领), of an appeal against its decision and of an objection to it: who may take which from where to where,
and who may not be the same person."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

# What was granted and is paid or will be.
GRANTED = ("on_notice", "approved", "halt_proposed", "in_batch", "paying", "paid", "returned_payment")
# Between the decision and the money a claim is moved with a hundred thousand others at a time: no index tells these states apart.
IN_PAYMENT = ("approved", "in_batch", "paying", "paid")
# A decision that holds: it counts under the limits, and what comes later begins where it ended. A correction by which too much was
# paid holds as well, though it grants nothing.
DECIDED = (*GRANTED, "recovery", "recovered")
# Nobody decides on what they filled in for somebody, sent in or passed on themselves, nor again on what they decided before (a claim
# after an appeal).
_FRESH_EYES = ("filed_by", "filed_before_by", "submitted_by", "unit_reviewed_by", "earlier_reviewed_by", "earlier_decided_by")
_SENT = ("filed_by", "filed_before_by", "submitted_by")
# Everybody who had a part in a claim up to its decision.
HANDLED = (*_SENT, "unit_reviewed_by", "reviewed_by", "approved_by")

CLAIM = Graph(
    name="claim",
    initial="draft",
    states=(
        State("draft", _("未提交"), "todo"),
        State("unit_review", _("已提交，等待单位核对")),
        State("submitted", _("已提交，等待初审")),
        State("supplement_requested", _("待您补充材料"), "todo"),
        State("reviewed", _("初审通过，等待终审")),
        State("on_notice", _("已核定，正在公示"), "good"),
        State("approved", _("已批准，等待给付"), "good"),
        State("halt_proposed", _("暂停付款，正在核对")),
        State("in_batch", _("已列入给付批次"), "good"),
        State("paying", _("银行付款中"), "good"),
        State("paid", _("已到账"), "good"),
        State("returned_payment", _("没有付成，待更正收款账户"), "todo"),
        State("rejected", _("未予给付"), "bad"),
        State("withdrawn", _("已撤回")),
        State("replaced", _("已另行重新审核")),
        State("halted", _("已停止付款，另行重新审核")),
        State("recovery", _("已核定多付，待退回"), "todo"),
        State("recovered", _("多付已办结")),
    ),
    arrows=(
        Arrow("submit", _("提交申领"), ("draft",), "submitted", "claims.submit", stamp="submitted_by"),
        Arrow("submit_to_unit", _("提交单位核对"), ("draft",), "unit_review", "claims.submit", stamp="submitted_by"),
        Arrow("submit_by_rule", _("按规则提交申领"), ("draft",), "submitted", "claims.submit_by_rule", stamp="submitted_by"),
        Arrow("submit_by_rule_to_unit", _("按规则提交单位核对"), ("draft",), "unit_review", "claims.submit_by_rule", stamp="submitted_by"),
        Arrow("reopen", _("申诉成立，重新审核"), ("draft",), "submitted", "appeals.decide"),
        Arrow("recompute", _("互助金有变化，重新计算救助"), ("draft",), "submitted", "claims.recompute"),
        Arrow("reclassify", _("重新核定类别"), ("draft",), "reviewed", "claims.review", _SENT, "reviewed_by"),
        Arrow(
            "pass_on",
            _("单位核对无误，转办事处"),
            ("unit_review",),
            "submitted",
            "claims.unit_review",
            (*_SENT, "reviewed_by"),
            "unit_reviewed_by",
        ),
        Arrow(
            "unit_return", _("单位退回补充"), ("unit_review",), "supplement_requested", "claims.unit_review", _SENT
        ),
        Arrow("pass_by", _("不经单位核对，转办事处"), ("unit_review",), "submitted", "claims.pass_by", _SENT),
        Arrow("review", _("初审通过"), ("submitted",), "reviewed", "claims.review", _FRESH_EYES, "reviewed_by"),
        Arrow("settle", _("初审核定"), ("submitted",), "approved", "claims.review", (*_FRESH_EYES, "reviewed_by"), "approved_by"),
        Arrow(
            "settle_on_notice",
            _("初审核定，开始公示"),
            ("submitted",),
            "on_notice",
            "claims.review",
            (*_FRESH_EYES, "reviewed_by"),
            "approved_by",
        ),
        Arrow(
            "return_for_supplement",
            _("退回补充材料"),
            ("submitted", "reviewed"),
            "supplement_requested",
            "claims.return",
            _SENT,
        ),
        Arrow("supplement", _("补充材料"), ("supplement_requested",), "submitted", "claims.supplement"),
        Arrow("supplement_to_unit", _("补充材料，再交单位核对"), ("supplement_requested",), "unit_review", "claims.supplement"),
        Arrow("send_back", _("退回初审"), ("reviewed",), "submitted", "claims.approve", (*_SENT, "reviewed_by")),
        Arrow("reject", _("不予给付"), ("submitted", "reviewed"), "rejected", "claims.reject", _FRESH_EYES, "rejected_by"),
        Arrow("approve", _("批准"), ("reviewed",), "approved", "claims.approve", (*_FRESH_EYES, "reviewed_by"), "approved_by"),
        Arrow(
            "approve_on_notice",
            _("批准，开始公示"),
            ("reviewed",),
            "on_notice",
            "claims.approve",
            (*_FRESH_EYES, "reviewed_by"),
            "approved_by",
        ),
        Arrow(
            "reclaim",
            _("核定多付，要求退回"),
            ("reviewed",),
            "recovery",
            "claims.approve",
            (*_FRESH_EYES, "reviewed_by"),
            "approved_by",
            ("recoveries.open",),
        ),
        Arrow("close_recovery", _("多付已退清"), ("recovery",), "recovered", "recoveries.book"),
        Arrow("close_written_off", _("多付的剩余部分已核销"), ("recovery",), "recovered", "recoveries.write_off"),
        Arrow("reopen_recovery", _("退回款登记有误，仍要退回"), ("recovered",), "recovery", "recoveries.book"),
        Arrow("owe_again", _("抵还的申领停付，仍要退回"), ("recovered",), "recovery", "recoveries.book"),
        Arrow("close_notice", _("公示期满"), ("on_notice",), "approved", "claims.close_notice"),
        Arrow("replace", _("异议成立，另行重新审核"), ("on_notice",), "replaced", "objections.decide", HANDLED),
        Arrow("review_again", _("异议成立，重新审核"), ("draft",), "submitted", "objections.decide"),
        Arrow("uphold_objection", _("异议成立，不予给付"), ("on_notice",), "rejected", "objections.decide", HANDLED, "rejected_by"),
        Arrow(
            "withdraw",
            _("撤回申领"),
            ("draft", "unit_review", "submitted", "supplement_requested"),
            "withdrawn",
            "claims.withdraw",
        ),
        Arrow(
            "propose_halt",
            _("提请停付"),
            ("approved", "returned_payment"),
            "halt_proposed",
            "halts.propose",
            stamp="halt_proposed_by",
        ),
        Arrow(
            "halt",
            _("确认停付，另行重新审核"),
            ("halt_proposed",),
            "halted",
            "halts.confirm",
            ("halt_proposed_by",),
            "halted_by",
            ("recoveries.owe_again",),
            proof=True,
        ),
        Arrow("resume", _("不停付，照常付款"), ("halt_proposed",), "approved", "halts.confirm"),
        Arrow("resume_returned", _("不停付，待更正账户"), ("halt_proposed",), "returned_payment", "halts.confirm"),
        Arrow("review_halted", _("停付后重新审核"), ("draft",), "submitted", "halts.confirm"),
        Arrow("put_in_batch", _("列入给付批次"), ("approved",), "in_batch", "payouts.assemble", HANDLED),
        Arrow("take_from_batch", _("移出给付批次"), ("in_batch",), "approved", "payouts.cancel"),
        Arrow("release", _("放款"), ("in_batch",), "paying", "payouts.release", HANDLED),
        Arrow("stop_release", _("放款没有办成，仍在批次里"), ("paying",), "in_batch", "payouts.stop"),
        Arrow("mark_paid", _("确认到账"), ("paying",), "paid", "payouts.book"),
        Arrow("mark_returned", _("付款被退回"), ("paying",), "returned_payment", "payouts.book"),
        Arrow("mark_bounced", _("到账后又被退回"), ("paid",), "returned_payment", "payouts.book"),
        Arrow("correct_account", _("更正账户"), ("returned_payment", "approved"), "approved", "claims.supplement"),
        Arrow("dispute_account", _("账户不是本人改的，停付"), ("approved",), "returned_payment", "claims.hold_payment"),
    ),
)

# The states in which the staff have a decision on a claim to take, as the graph's arrows say. What begins as a draft is nobody's yet.
DECIDING = ("claims.review", "claims.approve", "claims.return", "claims.reject")
DECIDABLE = tuple(
    state.code
    for state in CLAIM.states
    if state.code != CLAIM.initial and any(arrow.permission in DECIDING for arrow in CLAIM.from_state(state.code))
)

# The steps whose days an office sets: those in which the staff decide, those on the way to the account, and the answer to an appeal.
# The desk's ageing and what the claimant is told ("by when") are the same figures.
APPEAL_STEP = "appeal"
TIMED = (*DECIDABLE, "approved", "halt_proposed", "in_batch", "paying", APPEAL_STEP)

# The claimant is told by a notice that a claim has come here. Of the others they know, having done it themselves (draft, withdrawn), or
# whoever moves the claim tells them at once, with the reason (`TOLD_BY_THE_ACT`).
TOLD = (
    "unit_review", "submitted", "supplement_requested", "reviewed", "on_notice", "approved", "in_batch", "paying", "paid", "rejected",
    "replaced",
)  # fmt: skip
TOLD_BY_THE_ACT = ("halt_proposed", "halted", "returned_payment", "recovery", "recovered")

_NO_PART = ("filed_by", "first_reviewer", "first_decider")
APPEAL = Graph(
    name="appeal",
    initial="filed",
    states=(
        State("filed", _("已提出，等待复核"), "todo"),
        State("upheld", _("申诉成立，重新审核"), "good"),
        State("dismissed", _("维持原决定"), "bad"),
        State("withdrawn", _("已撤回")),
    ),
    arrows=(
        Arrow("uphold", _("申诉成立"), ("filed",), "upheld", "appeals.decide", _NO_PART, "decided_by"),
        Arrow("dismiss", _("维持原决定"), ("filed",), "dismissed", "appeals.decide", _NO_PART, "decided_by"),
        Arrow("withdraw", _("撤回申诉"), ("filed",), "withdrawn", "claims.withdraw"),
    ),
)

OBJECTION = Graph(
    name="objection",
    initial="raised",
    states=(
        State("raised", _("待核实"), "todo"),
        State("upheld", _("异议成立"), "bad"),
        State("dismissed", _("异议不成立"), "good"),
    ),
    arrows=(
        Arrow("uphold", _("异议成立"), ("raised",), "upheld", "objections.decide", ("raised_by",), "decided_by"),
        Arrow("dismiss", _("异议不成立"), ("raised",), "dismissed", "objections.decide", ("raised_by",), "decided_by"),
    ),
)
