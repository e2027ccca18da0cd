"""What was decided on a claim, what the rules said, and how much of each ceiling is used."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from claims.models.claims import Claim, apart
from claims.transitions import APPEAL, OBJECTION
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL


class Review(Scoped):
    """One decision of one person on a claim. Never changed."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="claim")

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="reviews")
    decision = models.CharField(_("决定"), max_length=30)
    by = models.ForeignKey(_user, models.PROTECT, related_name="+")
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
    # Of a correction: the statement that this one takes the place of. Paid is the difference, used under the limits likewise.
    instead_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
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
    key = models.CharField(max_length=200)  # scope, name of the limit, disease or class
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


class Appeal(Stateful, OfficeOwned):
    """The claimant does not accept a decision (申诉). Heard by somebody who had no part in it; upheld, the claim is decided anew as
    a claim of its own (`outcome`), and what it gives more is paid. `unit`, `kin`: of a claim that was filled in for the claimant, who
    else sees it; `brought_by`: who came to the desk with it, where the desk wrote it down."""

    graph = APPEAL
    scope_by: ClassVar[ScopeBy] = ScopeBy(units="unit_id", members=("member_id", "claimant_id", "kin_id"))

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="appeals", verbose_name=_("申领"))
    member = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    claimant = models.ForeignKey("members.Member", models.PROTECT, related_name="+")
    unit = models.ForeignKey("members.WorkUnit", models.PROTECT, null=True, related_name="+")
    kin = models.ForeignKey("members.Member", models.PROTECT, null=True, related_name="+")
    brought_by = models.CharField(_("来办事处提出的人"), max_length=60, blank=True)
    grounds = models.TextField(_("申诉理由"))
    state = models.CharField(max_length=24, choices=APPEAL.choices(), default=APPEAL.initial)
    filed_by = models.ForeignKey(_user, models.PROTECT, related_name="+")
    filed_at = models.DateTimeField(_("提出时间"))
    first_reviewer = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    first_decider = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    clause = models.CharField(_("依据的条款"), max_length=60, blank=True)
    answer = models.TextField(_("答复"), blank=True)
    outcome = models.OneToOneField(Claim, models.PROTECT, null=True, related_name="appeal_upheld")

    class Meta:
        verbose_name = _("申诉")
        verbose_name_plural = _("申诉")
        indexes = [models.Index(fields=["office", "filed_at", "id"], name="appeal_queue", condition=Q(state="filed"))]
        constraints = [
            models.UniqueConstraint(name="one_open_appeal", fields=["claim"], condition=Q(state="filed")),
            models.CheckConstraint(
                name="appeal_answered_with_clause",
                condition=~Q(state__in=["upheld", "dismissed"]) | ~Q(clause="") & ~Q(answer="") & Q(decided_by__isnull=False),
            ),
            apart("appeal_not_by_first_reviewer", "decided_by", "first_reviewer"),
            apart("appeal_not_by_first_decider", "decided_by", "first_decider"),
            apart("appeal_not_by_who_filed_it", "decided_by", "filed_by"),
        ]

    def __str__(self) -> str:
        return self.claim.number


class Objection(Stateful, OfficeOwned):
    """Somebody doubts a claim that is on public notice (异议). While one is open the notice does not end; an upheld one frees what
    was reserved. `raised_by` is who wrote it down: the person themselves, or the desk for `name`."""

    graph = OBJECTION
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="objections", verbose_name=_("申领"))
    name = models.CharField(_("提出人"), max_length=60)
    phone = models.CharField(_("联系电话"), max_length=30, blank=True)
    text = models.TextField(_("异议内容"))
    state = models.CharField(max_length=24, choices=OBJECTION.choices(), default=OBJECTION.initial)
    raised_by = models.ForeignKey(_user, models.PROTECT, related_name="+")
    raised_at = models.DateTimeField(_("提出时间"))
    decided_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(_("核实结果"), blank=True)

    class Meta:
        verbose_name = _("公示异议")
        verbose_name_plural = _("公示异议")
        indexes = [models.Index(fields=["office", "raised_at", "id"], name="objection_queue", condition=Q(state="raised"))]
        constraints = [
            models.CheckConstraint(name="objection_answered", condition=Q(state="raised") | ~Q(answer="") & Q(decided_by__isnull=False)),
            apart("objection_not_by_who_raised_it", "decided_by", "raised_by"),
        ]

    def __str__(self) -> str:
        return self.claim.number
