"""The life of a claim (申领): who may take it from where to where, and who may not be the same person."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

CLAIM = Graph(
    name="claim",
    initial="draft",
    states=(
        State("draft", _("未提交"), "todo"),
        State("submitted", _("已提交，等待初审")),
        State("supplement_requested", _("待您补充材料"), "todo"),
        State("reviewed", _("初审通过，等待终审")),
        State("approved", _("已批准，等待给付"), "good"),
        State("in_batch", _("已列入给付批次"), "good"),
        State("paying", _("银行付款中"), "good"),
        State("paid", _("已到账"), "good"),
        State("returned_payment", _("付款被退回，待更正账户"), "todo"),
        State("rejected", _("未予给付"), "bad"),
        State("withdrawn", _("已撤回")),
    ),
    arrows=(
        Arrow("submit", _("提交申领"), ("draft",), "submitted", "claims.submit", stamp="submitted_by"),
        Arrow(
            "review", _("初审通过"), ("submitted",), "reviewed", "claims.review", ("submitted_by",), "reviewed_by"
        ),
        Arrow(
            "return_for_supplement",
            _("退回补充材料"),
            ("submitted", "reviewed"),
            "supplement_requested",
            "claims.return",
            ("submitted_by",),
        ),
        Arrow("supplement", _("补充材料"), ("supplement_requested",), "submitted", "claims.supplement"),
        Arrow("reject", _("不予给付"), ("submitted", "reviewed"), "rejected", "claims.reject", ("submitted_by",)),
        Arrow(
            "approve",
            _("批准"),
            ("reviewed",),
            "approved",
            "claims.approve",
            ("submitted_by", "reviewed_by"),
            "approved_by",
        ),
        Arrow(
            "withdraw",
            _("撤回申领"),
            ("draft", "submitted", "supplement_requested"),
            "withdrawn",
            "claims.withdraw",
        ),
        Arrow(
            "put_in_batch",
            _("列入给付批次"),
            ("approved",),
            "in_batch",
            "payouts.assemble",
            ("submitted_by", "reviewed_by", "approved_by"),
        ),
        Arrow("take_from_batch", _("移出给付批次"), ("in_batch",), "approved", "payouts.assemble"),
        Arrow(
            "release", _("放款"), ("in_batch",), "paying", "payouts.release", ("submitted_by", "reviewed_by", "approved_by")
        ),
        Arrow("mark_paid", _("确认到账"), ("paying",), "paid", "payouts.book"),
        Arrow("mark_returned", _("付款被退回"), ("paying",), "returned_payment", "payouts.book"),
        Arrow("correct_account", _("更正账户"), ("returned_payment",), "approved", "claims.supplement"),
    ),
)
