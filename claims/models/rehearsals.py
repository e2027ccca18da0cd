"""Rehearsals (测算): terms run over a past year's decided claims of an office. They write here and nowhere else."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from unionaid.offices.scope import OfficeOwned


class Rehearsal(OfficeOwned):
    """One office's year under other terms, as they stood when it was asked for. `progress` is what the job has found so far;
    when it is done the result and the workbook are frozen."""

    terms = models.ForeignKey("programs.Terms", models.PROTECT, related_name="+")
    schedule = models.JSONField()
    content_hash = models.CharField(max_length=64)
    year = models.PositiveSmallIntegerField(_("年度"))
    program_ids = ArrayField(models.BigIntegerField())
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(db_default=models.functions.Now())
    as_of = models.DateTimeField(_("数据截止"), null=True)
    frozen_at = models.DateTimeField(_("完成时间"), null=True)
    progress = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    workbook = models.FileField(upload_to="rehearsals/%Y/", blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("测算")
        verbose_name_plural = _("测算")
        constraints = [
            models.CheckConstraint(name="rehearsal_looks_at_a_program", condition=models.Q(program_ids__len__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.terms} {self.year}"
