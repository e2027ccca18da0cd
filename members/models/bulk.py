"""What somebody of the office does with many things together; a job takes them one by one."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped


class BulkWork(OfficeOwned):
    """Things that one person of the office has done together (批量办理): which work, the words that go with it, who asked when."""

    class Kind(models.TextChoices):
        APPROVE_UNITS = "approve_units", _("批量通过单位登记")
        RETURN_ROSTERS = "return_rosters", _("批量退回名册")
        SETTLE_ROSTERS = "settle_rosters", _("批量核销名册的互助费")

    kind = models.CharField(_("办理"), max_length=16, choices=Kind)
    note = models.CharField(_("说明"), max_length=300, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("批量办理")
        verbose_name_plural = _("批量办理")

    def __str__(self) -> str:
        return f"#{self.pk}"


class BulkWorkRow(Scoped):
    """One of the things and what came of it; `why` is said when nothing was done with it."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("等待办理")
        DONE = "done", _("已办理")
        LEFT = "left", _("没有办理，请单独办理")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="work")

    work = models.ForeignKey(BulkWork, models.PROTECT, related_name="rows")
    subject_id = models.BigIntegerField()
    label = models.CharField(max_length=200)
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, default=Outcome.WAITING)
    why = models.TextField(blank=True)

    class Meta:
        verbose_name = _("批量办理的一件")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["work", "subject_id"], name="bulk_work_once")]
