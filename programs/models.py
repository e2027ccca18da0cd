"""What is offered: programs and their dated terms (条款). Terms are data, checked by their own worked examples."""

from datetime import date

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from programs.transitions import TERMS
from unionaid.offices.models import Office
from unionaid.workflow.stateful import Stateful


class Program(models.Model):
    """An offer of mutual aid (互助保障活动/计划), by the national society or a federation."""

    class Category(models.TextChoices):
        INPATIENT = "inpatient", _("住院医疗")
        CRITICAL_ILLNESS = "critical_illness", _("重大疾病")
        WOMEN = "women", _("女工特殊疾病")
        ACCIDENT = "accident", _("意外伤害")
        CHILDREN_ACCIDENT = "children_accident", _("未成年子女意外伤害")
        OUTPATIENT = "outpatient", _("门诊")
        MEDICAL = "medical", _("医疗互助（住院与门诊）")
        COMBO = "combo", _("综合互助")
        ASSISTANCE = "assistance", _("困难帮扶")

    class Organiser(models.TextChoices):
        NATIONAL_SOCIETY = "national_society", _("中国职工保险互助会")
        FEDERATION = "federation", _("地方总工会")

    code = models.CharField(_("代码"), max_length=60, unique=True)
    name = models.CharField(_("名称"), max_length=120)
    name_en = models.CharField(max_length=160)
    category = models.CharField(_("类别"), max_length=20, choices=Category)
    organiser = models.CharField(_("主办"), max_length=20, choices=Organiser)
    organiser_name = models.CharField(_("主办单位"), max_length=80)
    # Empty: offered everywhere. Otherwise offered by this office and those below it.
    office = models.ForeignKey("offices.Office", models.PROTECT, null=True, blank=True, related_name="+")
    # The program that this office's own version stands in for: where this one is offered, that one is not.
    replaces = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("互助计划")
        verbose_name_plural = _("互助计划")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The program's name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") and self.name_en else self.name

    @property
    def owner_id(self) -> int | None:
        """The office whose people write its terms: its own, or headquarters when it is offered everywhere."""
        return self.office_id or Office.objects.filter(parent__isnull=True).order_by("path").values_list("pk", flat=True).first()


class Terms(Stateful):
    """The wording of a program for one period. `period` is the half-open range of days on which cover under
    these terms may begin (rolling cover) or runs (fixed period). Frozen once published; chosen by coverage
    period, never by the day of review."""

    graph = TERMS
    # Once in one of these states a row stays in them, is never removed, and these columns never change (trigger).
    frozen_in = ("published", "closed")
    frozen_columns = ("program_id", "version_name", "period", "schedule", "content_hash", "source", "drafted_by_id")

    program = models.ForeignKey(Program, models.PROTECT, related_name="terms")
    version_name = models.CharField(_("期次"), max_length=60)
    period = DateRangeField(_("期间"))
    schedule = models.JSONField(_("条款数据"))
    content_hash = models.CharField(max_length=64)
    source = models.CharField(_("依据"), max_length=300)
    state = models.CharField(max_length=24, choices=TERMS.choices(), default=TERMS.initial)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("条款")
        verbose_name_plural = _("条款")
        constraints = [
            ExclusionConstraint(
                name="terms_periods_apart",
                expressions=[("program", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(state__in=["published", "closed"]),
            ),
            models.CheckConstraint(name="terms_period_not_empty", condition=Q(period__isempty=False)),
        ]
        # Every approval of a benefit asks whether any relief is opened by rule: no terms are read for that.
        indexes = [models.Index(fields=["id"], name="terms_opening", condition=Q(state="published", schedule__has_key="opens_after"))]

    def __str__(self) -> str:
        return f"{self.program} · {self.version_name}"

    @property
    def first_day(self) -> date:
        return self.period.lower

    @property
    def office_id(self) -> int | None:
        """The office whose rows these are, for rights and for the audit."""
        return self.program.owner_id
