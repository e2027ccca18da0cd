"""The fund's books: accounts, balanced transactions, entries. Append only; corrections are reversing transactions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from unionaid.ledger.accounts import Code, Fund
from unionaid.offices.scope import OfficeOwned, ScopeBy


class Account(OfficeOwned):
    """One account (科目) of one office's fund; debit is positive, credit negative."""

    fund = models.CharField(_("资金"), max_length=16, choices=Fund.choices)
    code = models.CharField(_("科目"), max_length=32, choices=Code.choices)

    class Meta:
        verbose_name = _("科目")
        verbose_name_plural = _("科目")
        constraints = [models.UniqueConstraint(fields=["office", "fund", "code"], name="account_once")]

    def __str__(self) -> str:
        return f"{self.get_fund_display()} · {self.get_code_display()}"


class Transaction(OfficeOwned):
    """One business event in the books; (kind, source) is unique, so posting twice is impossible."""

    append_only = True

    kind = models.CharField(max_length=32)
    source_type = models.CharField(max_length=60)
    source_id = models.BigIntegerField()
    posted_on = models.DateField(_("记账日期"))
    # When it happened, where that day's books were closed already: then it is posted on the first open day.
    happened_on = models.DateField(_("业务日期"), null=True)
    posted_at = models.DateTimeField(db_default=models.functions.Now())
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")

    class Meta:
        verbose_name = _("记账凭证")
        verbose_name_plural = _("记账凭证")
        constraints = [
            models.UniqueConstraint(fields=["kind", "source_type", "source_id"], name="posted_once")
        ]


class Entry(OfficeOwned):
    """One line of a transaction in fen: debit positive, credit negative, never zero."""

    append_only = True
    scope_by: ClassVar[ScopeBy] = ScopeBy()

    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", db_index=False)  # `entry_by_day` begins with it
    amount_fen = models.BigIntegerField(_("金额（分）"))
    # The transaction's day (a trigger holds it), so that an account's balance of any day is read from one index.
    posted_on = models.DateField()

    class Meta:
        verbose_name = _("分录")
        verbose_name_plural = _("分录")
        indexes = [models.Index(fields=["account", "posted_on", "id"], include=["amount_fen", "office"], name="entry_by_day")]
        constraints = [
            models.CheckConstraint(
                name="entry_amount_sane",
                condition=~Q(amount_fen=0) & Q(amount_fen__gt=-(10**15)) & Q(amount_fen__lt=10**15),
            )
        ]


class ClosedPeriod(OfficeOwned):
    """The books of one office from `first_day` to `last_day` (both inclusive) are closed (结账): a trigger lets nothing be posted on
    those days any more. Written when two people have agreed to it; never changed, never opened again."""

    append_only = True

    first_day = models.DateField(_("起"))
    last_day = models.DateField(_("止"))
    closed_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("已结账期间")
        verbose_name_plural = _("已结账期间")
        constraints = [
            models.UniqueConstraint(fields=["office", "last_day"], name="period_closed_once"),
            models.CheckConstraint(name="period_in_order", condition=Q(first_day__lte=F("last_day"))),
        ]

    def __str__(self) -> str:
        return f"{self.first_day} – {self.last_day}"


class ClosingBalance(OfficeOwned):
    """What one account had turned over in a closed period, and its balance on the last day: sums of later days start from here."""

    append_only = True

    period = models.ForeignKey(ClosedPeriod, models.PROTECT, related_name="balances")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    debit_fen = models.BigIntegerField(_("借方（分）"))
    credit_fen = models.BigIntegerField(_("贷方（分）"))
    balance_fen = models.BigIntegerField(_("余额（分）"))

    class Meta:
        verbose_name = _("结账余额")
        verbose_name_plural = _("结账余额")
        constraints = [
            models.UniqueConstraint(fields=["period", "account"], name="closing_balance_once"),
            models.CheckConstraint(name="closing_turnover_sane", condition=Q(debit_fen__gte=0) & Q(credit_fen__gte=0)),
        ]
