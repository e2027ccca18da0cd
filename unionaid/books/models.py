"""The fund's books beyond fees and benefits: money that was put in or taken out, with its papers."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from unionaid.books.transitions import CLOSING, MOVEMENT, RECONCILIATION
from unionaid.ledger.accounts import Fund
from unionaid.ledger.models import ClosedPeriod
from unionaid.offices.scope import OfficeOwned, ScopeBy, Scoped
from unionaid.web.files import KeptPaper
from unionaid.workflow.stateful import Stateful

_user = settings.AUTH_USER_MODEL
GIVES = ("transfer", "hand_up", "charge")  # kinds by which money leaves a fund


class FundMovement(Stateful, OfficeOwned):
    """Money that a fund received or gave otherwise than by fees and benefits (资金拨入、调剂): entered by one person with the bank's
    paper, posted when another has confirmed it. A wrong one is undone by another movement that `reverses` it."""

    class Kind(models.TextChoices):
        OPENING = "opening", _("启动资金、期初结余")
        ALLOCATION = "allocation", _("上级拨入")
        SUBSIDY = "subsidy", _("财政、行政或工会补助")
        INTEREST = "interest", _("银行利息")
        TRANSFER = "transfer", _("本机构内资金调剂")
        HAND_UP = "hand_up", _("上缴上级")
        CHARGE = "charge", _("银行手续费")

    graph = MOVEMENT
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    number = models.CharField(_("编号"), max_length=24, unique=True)
    kind = models.CharField(_("事项"), max_length=16, choices=Kind)
    fund = models.CharField(_("资金"), max_length=16, choices=Fund.choices)
    to_fund = models.CharField(_("调入资金"), max_length=16, choices=Fund.choices, blank=True)
    amount_fen = models.BigIntegerField(_("金额（分）"))
    happened_on = models.DateField(_("银行日期"))
    bank_reference = models.CharField(_("银行流水号"), max_length=60, blank=True)
    basis = models.CharField(_("依据"), max_length=200)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversed_by")
    state = models.CharField(max_length=24, choices=MOVEMENT.choices(), default=MOVEMENT.initial)
    proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    confirmed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("资金拨入与调剂")
        verbose_name_plural = _("资金拨入与调剂")
        constraints = [
            models.CheckConstraint(name="movement_amount_sane", condition=Q(amount_fen__gt=0) & Q(amount_fen__lt=10**14)),
            models.CheckConstraint(
                name="movement_by_two",
                condition=~Q(state="posted")
                | (Q(proposed_by__isnull=False, confirmed_by__isnull=False) & ~Q(confirmed_by=F("proposed_by"))),
            ),
            models.CheckConstraint(
                name="movement_between_two_funds",
                condition=(Q(kind="transfer") & ~Q(to_fund="") & ~Q(to_fund=F("fund"))) | (~Q(kind="transfer") & Q(to_fund="")),
            ),
            models.UniqueConstraint(name="movement_reversed_once", fields=["reverses"], condition=~Q(state="dropped")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def payer(self) -> str:
        """The fund that money leaves by this; empty when none does."""
        gives, undoes = self.kind in GIVES, self.reverses_id is not None
        if self.to_fund:
            return self.to_fund if undoes else self.fund
        return self.fund if gives != undoes else ""


class FundPaper(KeptPaper, Scoped):
    """Evidence of a movement (the bank's slip, the letter of allocation), sealed in the document store."""

    scope_by: ClassVar[ScopeBy] = ScopeBy(parent="movement")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    movement = models.ForeignKey(FundMovement, models.PROTECT, related_name="papers")
    file = models.FileField(upload_to="funds/%Y/")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["movement", "sha256"], name="fund_paper_once")]


class PeriodClosing(Stateful, OfficeOwned):
    """The wish to close an office's books through the end of a month (结账): asked for by one person, carried out by another's word.
    `period` is what was closed then; it is never opened again."""

    graph = CLOSING
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    last_day = models.DateField(_("结到"))
    period = models.OneToOneField(ClosedPeriod, models.PROTECT, null=True, related_name="closing")
    state = models.CharField(max_length=24, choices=CLOSING.choices(), default=CLOSING.initial)
    proposed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), db_default=models.functions.Now())
    closed_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("结账")
        verbose_name_plural = _("结账")
        constraints = [
            models.UniqueConstraint(name="one_open_closing", fields=["office"], condition=Q(state="asked")),
            models.CheckConstraint(
                name="closing_by_two",
                condition=~Q(state="closed")
                | (
                    Q(proposed_by__isnull=False, closed_by__isnull=False, period__isnull=False) & ~Q(closed_by=F("proposed_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.last_day}"


class BankBalance(KeptPaper, OfficeOwned):
    """What the bank says lay on the office's account at the end of a day: out of an imported statement, or typed in with the bank's paper
    (then there is a `file`). Never changed; the latest of a day counts."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    on = models.DateField(_("日期"))
    balance_fen = models.BigIntegerField(_("对账单余额（分）"))
    statement = models.ForeignKey("members.BankStatement", models.PROTECT, null=True, related_name="+")
    entered_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    file = models.FileField(upload_to="balances/%Y/", blank=True)

    class Meta:
        verbose_name = _("银行对账单余额")
        verbose_name_plural = _("银行对账单余额")
        indexes = [models.Index(fields=["office", "on", "id"], name="bank_balance_of_day")]
        constraints = [
            models.UniqueConstraint(fields=["statement", "on"], name="statement_balance_once"),
            models.CheckConstraint(name="bank_balance_sane", condition=Q(balance_fen__gt=-(10**15)) & Q(balance_fen__lt=10**15)),
            models.CheckConstraint(name="bank_balance_has_evidence", condition=Q(statement__isnull=False) | ~Q(file="")),
        ]


class Reconciliation(Stateful, OfficeOwned):
    """One day of an office's bank account (对账): what the books say is what the bank says, and the items on their way between the two,
    each listed (`items`: kind, words, fen, what it is); what is left is the difference, red until a person explains it. `undebited`: keys
    of released batches of which a person has seen that the bank had not paid them out by then."""

    graph = RECONCILIATION
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    on = models.DateField(_("日期"))
    balance = models.ForeignKey(BankBalance, models.PROTECT, related_name="+")
    bank_fen = models.BigIntegerField(_("银行余额（分）"))
    ledger_fen = models.BigIntegerField(_("账面余额（分）"))
    items_fen = models.BigIntegerField(_("在途（分）"))
    difference_fen = models.GeneratedField(
        expression=F("ledger_fen") - F("bank_fen") - F("items_fen"), output_field=models.BigIntegerField(), db_persist=True
    )
    items = models.JSONField(default=list)
    undebited = models.JSONField(default=list)
    reason = models.CharField(_("差额说明"), max_length=300, blank=True)
    state = models.CharField(max_length=24, choices=RECONCILIATION.choices(), default=RECONCILIATION.initial)
    looked_at = models.DateTimeField(_("核对时间"), db_default=models.functions.Now())
    entered_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    explained_by = models.ForeignKey(_user, models.PROTECT, null=True, related_name="+")
    explained_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("银行对账")
        verbose_name_plural = _("银行对账")
        constraints = [
            models.UniqueConstraint(fields=["office", "on"], name="reconciled_once_a_day"),
            models.CheckConstraint(
                name="reconciliation_agrees_to_the_fen",
                condition=~Q(state="agrees") | Q(ledger_fen=F("bank_fen") + F("items_fen")),
            ),
            models.CheckConstraint(
                name="difference_explained_by_a_person",
                condition=~Q(state="explained") | (Q(explained_by__isnull=False) & ~Q(reason="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on}"
