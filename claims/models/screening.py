"""What a reviewer should look at twice (疑点), and what each office has set for its review."""


from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from claims.models.claims import Claim
from unionaid.offices.scope import OfficeOwned

_user = settings.AUTH_USER_MODEL
SOON_DAYS, STEP_DAYS = 30, 5
# Working days of a step where an office has set none, and it is not STEP_DAYS. The house's own figures, from no plan's terms.
USUAL_STEP_DAYS = {"appeal": 10}
# An account changed late on a Friday is not paid to before Monday: the person and the unit can be reached once on a working day. Claims
# wait longer than that for their batch anyway. The house's own figure, from no plan's terms.
COOLING_DAYS = 3


class ClaimFlag(OfficeOwned):
    """One thing about one claim that calls for a second look: a code and the figures its sentence is made of. The staff's alone:
    no member and no unit reads it. `subject` tells two of a kind apart and names nothing (a hash). Once it no longer holds it
    lapses; it is never removed."""

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="flags")
    code = models.CharField(_("疑点"), max_length=30)
    subject = models.CharField(max_length=32)
    figures = models.JSONField(default=dict)
    found_at = models.DateTimeField(db_default=models.functions.Now())
    lapsed_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("排除的理由"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("疑点")
        verbose_name_plural = _("疑点")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["claim"], name="flag_open", condition=Q(lapsed_at__isnull=True, dismissed_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["claim", "code", "subject"], name="flag_once"),
            models.CheckConstraint(
                name="flag_dismissed_with_reason",
                condition=Q(dismissed_at__isnull=True) | Q(dismissed_by__isnull=False) & ~Q(reason=""),
            ),
        ]


class ReviewRule(models.Model):
    """What one office, and those below it without a rule of their own, have set for review. No secret of any office:
    a branch follows the rule of an office above it that it does not see into."""

    office = models.OneToOneField("offices.Office", models.PROTECT, related_name="+")
    # Up to this benefit (inclusive) a clean claim may be approved together with others; 0: never.
    bulk_limit_fen = models.BigIntegerField(_("批量批准的金额上限"), default=0)
    # An event within so many days of the first day of cover is shown as soon after joining.
    soon_days = models.PositiveSmallIntegerField(_("参加后不久出险的天数"), default=SOON_DAYS)
    # Step (`TIMED`) → working days within which it should be done; `USUAL_STEP_DAYS` or STEP_DAYS where it is not named.
    step_days = models.JSONField(_("各步办理时限（工作日）"), default=dict)
    # Days between the change of a payee account and the first payment to it.
    cooling_days = models.PositiveSmallIntegerField(_("收款账户更改后几天才付款"), default=COOLING_DAYS)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("审核设置")
        verbose_name_plural = _("审核设置")
        constraints = [
            models.CheckConstraint(
                name="review_rule_sane",
                condition=Q(bulk_limit_fen__gte=0, bulk_limit_fen__lt=10**12, soon_days__lte=3650, cooling_days__lte=30),
            ),
        ]

    def __str__(self) -> str:
        return str(self.office)
