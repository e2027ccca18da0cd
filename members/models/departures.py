"""Departures (人员变动): a person leaves their unit, retires, or goes to another unit."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.people import Member
from members.models.units import WorkUnit
from members.transitions import DEPARTURE
from unionaid.offices.scope import OfficeOwned, ScopeBy
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL


class Departure(Stateful, OfficeOwned):
    """One person's change. `on` is the first day on which they are not with the unit any more. Cover stays with the unit and
    office through which it was taken out. The unit and office they go to may see the change too."""

    class Kind(models.TextChoices):
        TRANSFER = "transfer", _("调到其他单位")
        RETIREMENT = "retirement", _("退休")
        LEAVE = "leave", _("离职")

    graph = DEPARTURE
    scope_by: ClassVar[ScopeBy] = ScopeBy(offices="office_ids", units="unit_ids", members=("member_id",), arrays=True)

    member = models.ForeignKey(Member, models.PROTECT, related_name="departures")
    kind = models.CharField(_("变动"), max_length=12, choices=Kind)
    from_unit = models.ForeignKey(WorkUnit, models.PROTECT, related_name="+")
    to_unit = models.ForeignKey(WorkUnit, models.PROTECT, null=True, related_name="+")
    office_ids = ArrayField(models.BigIntegerField())
    unit_ids = ArrayField(models.BigIntegerField())
    on = models.DateField(_("变动日期"))
    note = models.CharField(_("说明"), max_length=300, blank=True)
    state = models.CharField(max_length=24, choices=DEPARTURE.choices(), default=DEPARTURE.initial)
    asked_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("办理时间"), null=True)
    answer = models.CharField(_("新单位的话"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("人员变动")
        verbose_name_plural = _("人员变动")
        constraints = [
            models.UniqueConstraint(name="one_open_departure", fields=["member"], condition=Q(state="asked")),
            models.CheckConstraint(
                name="departure_goes_somewhere",
                condition=(Q(kind="transfer", to_unit__isnull=False) & ~Q(to_unit=F("from_unit")))
                | (~Q(kind="transfer") & Q(to_unit__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member} {self.get_kind_display()}"
