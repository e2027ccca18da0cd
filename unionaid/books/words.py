"""What the books' transactions are called, and the thing behind each: a remittance, a refund, a payment, a recovery, a movement."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import CharField, F, IntegerField, Model, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from claims.payouts.models import PayoutBatch, Recovery, RecoveryPayment, ReturnPart
from members.models import Match, Refund, Remittance
from unionaid.books.models import FundMovement
from unionaid.ledger.models import Transaction

KINDS: dict[str, str | Promise] = {
    "remittance": _("来款到账"),
    "remittance_reversed": _("冲销登记错的来款"),
    "contribution_match": _("互助费核销"),
    "contribution_unmatch": _("撤销互助费核销"),
    "refund": _("批准退款"),
    "refund_failed": _("退款被银行退回"),
    "refund_paid": _("退款付出"),
    "refund_paid_failed": _("退款付出后被银行退回"),
    "payout": _("给付放款"),
    "payout_settled": _("给付到账"),
    "payout_returned": _("给付被银行退回"),
    "payout_bounced": _("给付到账后被银行退回"),
    "recovery": _("发起追回多付"),
    "recovery_received": _("收回多付"),
    "recovery_moved": _("收回的多付转入本资金"),
    "recovery_set_off": _("以后的给付抵还多付"),
    "recovery_set_off_undone": _("撤销抵还：那份申领停付"),
    "recovery_written_off": _("核销收不回的多付"),
    "fund_movement": _("资金拨入、付出"),
    "fund_moved_in": _("资金调入"),
    "fund_movement_reversed": _("冲销资金拨入、付出"),
    "fund_moved_in_reversed": _("冲销资金调入"),
}


def kind_words(kind: str) -> str | Promise:
    """What a transaction of this kind is called."""
    return KINDS.get(kind) or _("其他记账")


@dataclass(frozen=True, slots=True)
class Behind:
    """How a kind of source is shown: in words with its number, at the desk page of `at`."""

    model: type[Model]
    words: str | Promise
    number: str
    at: str
    page: str


_BEHIND = (
    Behind(Remittance, _("来款 {number}"), "bank_reference", "pk", "admin:remittance"),
    Behind(Match, _("来款 {number} 的核销"), "remittance__bank_reference", "remittance_id", "admin:remittance"),
    Behind(Refund, _("退款 {number}"), "number", "pk", "admin:refund"),
    Behind(PayoutBatch, _("给付批次 {number}"), "number", "pk", "admin:payout_batch"),
    Behind(ReturnPart, _("给付批次 {number} 的回盘"), "bank_return__batch__number", "bank_return__batch_id", "admin:payout_batch"),
    Behind(Recovery, _("追回 {number}"), "number", "pk", "admin:recovery"),
    Behind(RecoveryPayment, _("追回 {number} 的退回款"), "recovery__number", "recovery_id", "admin:recovery"),
    Behind(FundMovement, _("资金 {number}"), "number", "pk", "admin:fund_movement"),
)
SOURCES = {one.model._meta.label_lower: one for one in _BEHIND}


def things_behind(transactions: Iterable[Transaction]) -> dict[int, tuple[str, str]]:
    """(words, address) of the thing behind each of these transactions, by its key. One statement, whatever kinds occur."""
    rows = list(transactions)
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if row.source_type in SOURCES:
            wanted.setdefault(row.source_type, set()).add(row.source_id)
    parts = [_named(source, SOURCES[source], ids) for source, ids in sorted(wanted.items())]
    if not parts:
        return {}
    found = {(source, pk): (number, at) for source, pk, number, at in (parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0])}
    told = {}
    for row in rows:
        if behind := found.get((row.source_type, row.source_id)):
            kind = SOURCES[row.source_type]
            told[row.pk] = (str(kind.words).format(number=behind[0]), reverse(kind.page, args=[behind[1]]))
    return told


def _named(source: str, kind: Behind, ids: Iterable[int]) -> QuerySet[Model, tuple[str, int, str, int]]:
    rows = kind.model._default_manager.filter(pk__in=list(ids)).order_by()
    named = {"source_of": Value(source, CharField()), "number_of": Cast(kind.number, CharField())}
    at = Cast(F(kind.at), IntegerField()) if kind.at != "pk" else F("pk")
    return rows.annotate(**named, at_of=at).values_list("source_of", "pk", "number_of", "at_of")
