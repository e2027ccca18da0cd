"""Lapses (断保): whose cover no new cover follows, as a unit's renewal showed it."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models.enrolments import Enrolment, Roster
from unionaid.offices.scope import ScopeBy, Scoped


class Lapse(Scoped):
    """Somebody of the unit's last list whom the roster that renews it did not enrol, and who was told so: once for each cover, however
    many lists the unit sends in. Without a roster: the unit sent none in."""

    class Why(models.TextChoices):
        LEFT = "left", _("这次名册里没有")
        UNFIT = "unfit", _("这次没有通过核对")
        NO_LIST = "no_list", _("单位这次没有登记名册")

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="enrolment")

    roster = models.ForeignKey(Roster, models.PROTECT, null=True, related_name="lapses")
    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="lapse")
    why = models.CharField(max_length=8, choices=Why)
    told_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("断保")
        verbose_name_plural = _("断保")
