"""Contributions (互助费): what is due, what arrived, and which arrival settles which debt."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.enrolments import Enrolment, Roster
from members.models.people import Member
from members.models.units import WorkUnit
from members.transitions import DUE
from unionaid.offices.scope import OfficeOwned, ScopeBy
from unionaid.workflow.stateful import Stateful

_SANE = Q(amount_fen__gt=0) & Q(amount_fen__lt=10**15)


class ContributionDue(Stateful, OfficeOwned):
    """What one payer owes for one roster or one individual enrolment; `reference` is the remark to write on the transfer."""

    class Payer(models.TextChoices):
        PERSON = "person", _("个人")
        UNIT = "unit", _("单位")
        UNION = "union", _("工会")

    graph = DUE
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", members=("member_id",))

    unit = models.ForeignKey(WorkUnit, models.PROTECT, null=True, related_name="dues")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="dues")
    roster = models.ForeignKey(Roster, models.PROTECT, null=True, related_name="dues")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, null=True, related_name="dues")
    payer = models.CharField(_("缴费方"), max_length=10, choices=Payer)
    reference = models.CharField(_("转账附言"), max_length=40, unique=True)
    amount_fen = models.BigIntegerField(_("应缴（分）"))
    state = models.CharField(max_length=24, choices=DUE.choices(), default=DUE.initial)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("应缴互助费")
        verbose_name_plural = _("应缴互助费")
        constraints = [
            models.CheckConstraint(name="due_amount_sane", condition=_SANE),
            models.CheckConstraint(
                name="due_for_one_thing",
                condition=Q(roster__isnull=False, enrolment__isnull=True)
                | Q(roster__isnull=True, enrolment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class Remittance(OfficeOwned):
    """Money that arrived at the office's bank account (来款)."""

    payer_name = models.CharField(_("付款人"), max_length=120)
    remark = models.CharField(_("附言"), max_length=200, blank=True)
    bank_reference = models.CharField(_("银行流水号"), max_length=60)
    received_on = models.DateField(_("到账日期"))
    amount_fen = models.BigIntegerField(_("金额（分）"))
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("来款")
        verbose_name_plural = _("来款")
        constraints = [
            models.UniqueConstraint(fields=["office", "bank_reference"], name="remittance_once"),
            models.CheckConstraint(name="remittance_amount_sane", condition=_SANE),
        ]


class Match(OfficeOwned):
    """How much of a remittance settles how much of a due (核销)."""

    remittance = models.ForeignKey(Remittance, models.PROTECT, related_name="matches")
    due = models.ForeignKey(ContributionDue, models.PROTECT, related_name="matches")
    amount_fen = models.BigIntegerField()
    matched_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    matched_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["remittance", "due"], name="match_once"),
            models.CheckConstraint(name="match_amount_sane", condition=_SANE),
        ]
