"""What was decided on a claim, what the rules said, and how much of each ceiling is used."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from claims.models.claims import Claim
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped


class Review(Scoped):
    """One decision of one person on a claim. Never changed."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="claim")

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="reviews")
    decision = models.CharField(_("决定"), max_length=30)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=models.functions.Now())
    reason_code = models.CharField(max_length=40, blank=True)
    note = models.TextField(_("意见"), blank=True)

    class Meta:
        verbose_name = _("审核意见")
        ordering = ["id"]


class BenefitStatement(Scoped):
    """What the rules gave for a claim (给付核定书): amount, every step, and the terms they came from. Never changed."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="claim")

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="statements")
    terms = models.ForeignKey("programs.Terms", models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    facts = models.JSONField()
    assessment = models.JSONField()
    total_fen = models.BigIntegerField()
    is_final = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("给付核定书")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["claim"], condition=Q(is_final=True), name="one_final_statement"),
            models.CheckConstraint(
                name="statement_amount_sane", condition=Q(total_fen__gte=0) & Q(total_fen__lt=10**12)
            ),
        ]


class CeilingUsage(OfficeOwned):
    """How much of one ceiling (封顶线) one member has used: one row per member, program, ceiling key and period start.

    Locked before a claim is assessed for good; the CHECK refuses what the lock should have prevented.
    """

    scope_by: ClassVar[ScopeBy] = ScopeBy(members=("member_id",), units="unit_id")

    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    unit = models.ForeignKey("members.WorkUnit", models.PROTECT, null=True, related_name="+")
    program = models.ForeignKey("programs.Program", models.PROTECT, related_name="+")
    key = models.CharField(max_length=80)
    period_start = models.DateField()
    used_fen = models.BigIntegerField(default=0)
    ceiling_fen = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("额度使用")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "program", "key", "period_start"], name="one_usage_per_ceiling"
            ),
            models.CheckConstraint(
                name="ceiling_never_overspent",
                condition=Q(used_fen__gte=0) & (Q(ceiling_fen__isnull=True) | Q(used_fen__lte=F("ceiling_fen"))),
            ),
        ]
