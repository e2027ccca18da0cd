"""Work units (参保单位) and the agents who act for them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.transitions import UNIT
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful


class WorkUnit(Stateful, OfficeOwned):
    """An employer whose primary trade union enrols its workers; it keeps two codes, the employer's and the union's."""

    class Nature(models.TextChoices):
        ENTERPRISE = "enterprise", _("企业")
        INSTITUTION = "institution", _("事业单位")
        AGENCY = "agency", _("机关")
        OTHER = "other", _("其他")

    graph = UNIT
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="id")

    name = models.CharField(_("单位名称"), max_length=120)
    credit_code = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    union_credit_code = models.CharField(_("工会统一社会信用代码"), max_length=18, blank=True)
    nature = models.CharField(_("单位性质"), max_length=16, choices=Nature)
    civil_servant_subsidy = models.BooleanField(_("享受公务员医疗补助"), default=False)
    industry = models.CharField(_("行业"), max_length=40, blank=True)
    headcount = models.PositiveIntegerField(_("在职职工人数"))
    women_count = models.PositiveIntegerField(_("女职工人数"), default=0)
    state = models.CharField(max_length=24, choices=UNIT.choices(), default=UNIT.initial)

    class Meta:
        verbose_name = _("单位")
        verbose_name_plural = _("单位")
        constraints = [
            models.CheckConstraint(
                name="unit_women_within_headcount", condition=Q(women_count__lte=models.F("headcount"))
            )
        ]

    def __str__(self) -> str:
        return self.name


class UnitAgent(OfficeOwned):
    """Binds a user to a unit as its agent (经办人), from a day (inclusive) until a day (exclusive, empty = open)."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", users="user_id")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="agents")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("经办人")
        verbose_name_plural = _("经办人")


class UnitPaper(KeptPaper, Scoped):
    """A paper of a unit's registration (the approval of its union), sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="unit")

    unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="papers")
    file = models.FileField(upload_to="units/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["unit", "sha256"], name="unit_paper_once")]
