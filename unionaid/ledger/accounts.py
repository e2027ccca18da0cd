"""The chart of accounts as data."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Fund(TextChoices):
    """Each kind of money has its own books."""

    MUTUAL_AID = "mutual_aid", _("互助金")
    RELIEF = "relief", _("救助金")
    SOLACE = "solace", _("慰问金")


class Code(TextChoices):
    """What an account stands for."""

    BANK = "bank", _("银行存款")
    UNAPPLIED = "unapplied", _("待核销来款")
    CONTRIBUTIONS = "contributions", _("互助费收入")
    BENEFITS = "benefits", _("给付支出")
    IN_TRANSIT = "in_transit", _("在途给付")
    RECOVERABLE = "recoverable", _("应收回的多付互助金")
    REFUNDABLE = "refundable", _("应退互助费")
    CAPITAL = "capital", _("启动资金（期初结余）")
    ALLOCATIONS = "allocations", _("上级拨入（减上缴）")
    SUBSIDIES = "subsidies", _("补助收入")
    INTEREST = "interest", _("利息收入")
    CHARGES = "charges", _("银行手续费")
    TRANSFERS = "transfers", _("资金调剂")
