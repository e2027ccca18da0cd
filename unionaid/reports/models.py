"""The yearly statement of an office: built from the rows, then frozen; corrections supersede."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped


class YearlyStatement(OfficeOwned):
    """One office's figures for one calendar year, as they stood when it was built."""

    year = models.PositiveSmallIntegerField(_("年度"))
    revision = models.PositiveSmallIntegerField(_("版次"), default=1)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(db_default=models.functions.Now())
    as_of = models.DateTimeField(_("数据截止"), null=True)
    frozen_at = models.DateTimeField(_("定稿时间"), null=True)
    workbook = models.FileField(upload_to="reports/%Y/", blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("年报")
        verbose_name_plural = _("年报")
        constraints = [
            models.UniqueConstraint(fields=["office", "year", "revision"], name="statement_revision_once")
        ]

    def __str__(self) -> str:
        return f"{self.office} {self.year}"


class MoneyAudit(OfficeOwned):
    """One day's look at every invariant of money, for one tree of offices: what did not hold, by code, with the rows at fault.
    Never changed."""

    append_only = True

    on = models.DateField(_("日期"))
    at = models.DateTimeField(_("核对时间"), db_default=models.functions.Now())
    looked_at = models.PositiveSmallIntegerField(_("核对项数"))
    seconds = models.PositiveIntegerField(_("用时（秒）"))
    findings = models.JSONField(default=list)

    class Meta:
        verbose_name = _("资金核对")
        verbose_name_plural = _("资金核对")
        constraints = [models.UniqueConstraint(fields=["office", "on"], name="money_audited_once_a_day")]

    def __str__(self) -> str:
        return f"{self.on}"


class StatementLine(Scoped):
    """One row of one table of a statement: its figures (fen, counts), and a plan's name as it was then."""

    scope_by = ScopeBy(parent="statement")

    statement = models.ForeignKey(YearlyStatement, models.CASCADE, related_name="lines")
    table = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=80)
    label = models.CharField(max_length=160, blank=True)
    figures = models.JSONField()

    class Meta:
        ordering = ["table", "position"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "table", "position"], name="statement_line_once")
        ]
