"""Voiding (作废): an enrolment, some of its shares, or a whole roster was wrong and never counted."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.enrolments import Enrolment, Roster
from members.transitions import VOIDING
from unionaid.offices.scope import OfficeOwned, ScopeBy
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL


class Voiding(Stateful, OfficeOwned):
    """One voiding, proposed by one person and, where money has arrived (`with_money`), released by another.

    `shares` is how many of the enrolment's shares are void; empty = the whole enrolment. `amount_fen` is what is not owed any
    more; what of it was paid goes back through a refund.
    """

    class Reason(models.TextChoices):
        DUPLICATE = "duplicate", _("重复参加")
        WRONG_PERSON = "wrong_person", _("参加错了人")
        SURPLUS = "surplus", _("份数超出规定")
        REFUSED_BATCH = "refused_batch", _("整批名册不予接受")

    graph = VOIDING
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, null=True, related_name="voidings")
    roster = models.ForeignKey(Roster, models.PROTECT, null=True, related_name="voidings")
    reason = models.CharField(_("作废原因"), max_length=16, choices=Reason)
    shares = models.PositiveSmallIntegerField(_("作废的份数"), null=True)
    amount_fen = models.BigIntegerField(_("不再收取（分）"))
    with_money = models.BooleanField(default=False)
    note = models.CharField(_("依据"), max_length=300)
    state = models.CharField(max_length=24, choices=VOIDING.choices(), default=VOIDING.initial)
    proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    released_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(_("作废时间"), null=True)

    class Meta:
        verbose_name = _("作废")
        verbose_name_plural = _("作废")
        constraints = [
            models.UniqueConstraint(name="one_open_voiding_of_enrolment", fields=["enrolment"], condition=Q(state="proposed")),
            models.UniqueConstraint(name="one_open_voiding_of_roster", fields=["roster"], condition=Q(state="proposed")),
            models.CheckConstraint(
                name="voiding_of_one_thing",
                condition=Q(enrolment__isnull=False, roster__isnull=True)
                | Q(enrolment__isnull=True, roster__isnull=False, shares__isnull=True),
            ),
            models.CheckConstraint(name="voiding_amount_sane", condition=Q(amount_fen__gte=0) & Q(amount_fen__lt=10**15)),
            models.CheckConstraint(
                name="voiding_surplus_says_how_many",
                condition=Q(reason="surplus", shares__gte=1) | (~Q(reason="surplus") & Q(shares__isnull=True)),
            ),
            models.CheckConstraint(
                name="voiding_with_money_by_two",
                condition=~Q(state="done", with_money=True)
                | (Q(released_by__isnull=False, proposed_by__isnull=False) & ~Q(released_by=F("proposed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_reason_display())
