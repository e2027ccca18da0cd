"""The fund's books: accounts, balanced transactions, entries. Append only; corrections are reversing transactions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
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
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries")
    amount_fen = models.BigIntegerField(_("金额（分）"))

    class Meta:
        verbose_name = _("分录")
        verbose_name_plural = _("分录")
        constraints = [
            models.CheckConstraint(
                name="entry_amount_sane",
                condition=~Q(amount_fen=0) & Q(amount_fen__gt=-(10**15)) & Q(amount_fen__lt=10**15),
            )
        ]
