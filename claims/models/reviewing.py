"""What reviewers write beside a claim, and what they approve together."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from claims.models.claims import Claim
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped

_user = settings.AUTH_USER_MODEL


class ClaimNote(OfficeOwned):
    """A note for colleagues on a claim (内部备注): never changed, and the staff's alone."""

    append_only = True

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="notes")
    by = models.ForeignKey(_user, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())
    text = models.CharField(_("备注"), max_length=500)

    class Meta:
        verbose_name = _("内部备注")
        ordering = ["id"]


class BulkApproval(OfficeOwned):
    """Clean small claims that one person approves together (批量批准); a job takes them one by one."""

    requested_by = models.ForeignKey(_user, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    limit_fen = models.BigIntegerField(_("金额上限"))
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("批量批准")
        verbose_name_plural = _("批量批准")

    def __str__(self) -> str:
        return f"#{self.pk}"


class BulkApprovalRow(Scoped):
    """One claim of a bulk approval and what came of it; `why` is said when it was not approved."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("等待办理")
        APPROVED = "approved", _("已批准")
        LEFT = "left", _("未批准，请逐件办理")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="bulk")

    bulk = models.ForeignKey(BulkApproval, models.PROTECT, related_name="rows")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="+")
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, default=Outcome.WAITING)
    why = models.TextField(blank=True)

    class Meta:
        verbose_name = _("批量批准的一件")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["bulk", "claim"], name="bulk_claim_once")]
