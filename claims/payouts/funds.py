"""The fund guard: no batch is released that its fund cannot cover. Two releases decide one after the other, so that both cannot count on
the same money."""

from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext as _

from claims.payouts.models import PayoutBatch
from unionaid.ledger.accounts import Fund
from unionaid.ledger.selectors import Holding, holding, lock_fund
from unionaid.lib.money import format_yuan
from unionaid.workflow.moves import MoveRefused

PROMISED = ("releasing",)  # released, and the books do not say so yet
OVER = (*PROMISED, "released", "booked", "cancelled")


class FundShort(MoveRefused):
    """The fund cannot pay this; the message says what there is, what it needs and how much is missing."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a fund holds, what of it is promised to batches on their way, what other batches wait for (nothing is promised to them),
    and what is needed now. Fen."""

    holding: Holding
    promised_fen: int
    waiting_fen: int
    needed_fen: int

    @property
    def free_fen(self) -> int:
        return self.holding.free_fen - self.promised_fen

    @property
    def short_fen(self) -> int:
        """How much is missing; 0 when there is enough."""
        return max(0, self.needed_fen - self.free_fen)


def cover_of(batch: PayoutBatch) -> Cover:
    """Can the fund of this batch pay it, as things stand? Two statements."""
    return cover(batch.office_id, batch.fund, batch.total_fen, but=batch.pk)


def cover(office_id: int, fund: str, needed_fen: int, *, but: int | None = None) -> Cover:
    """Can this fund pay so much? `but` is the batch that asks."""
    others = PayoutBatch.objects.filter(office_id=office_id, fund=fund).exclude(pk=but).exclude(state__in=OVER[1:]).order_by()
    sums = {row["state"]: row["fen"] for row in others.values("state").annotate(fen=Sum("total_fen"))}
    promised = sum(sums.get(state, 0) for state in PROMISED)
    return Cover(holding(office_id, fund), promised, sum(sums.values()) - promised, needed_fen)


def refuse_uncovered(batch: PayoutBatch) -> None:
    """FundShort when the fund cannot pay this batch beside all that is promised. The fund stays locked until the release is written."""
    refuse_short(batch.office_id, batch.fund, batch.total_fen, but=batch.pk)


def refuse_short(office_id: int, fund: str, needed_fen: int, *, but: int | None = None) -> None:
    """FundShort when this fund cannot pay so much; it stays locked until the end of the transaction."""
    lock_fund(office_id, fund)
    found = cover(office_id, fund, needed_fen, but=but)
    if found.short_fen:
        raise FundShort(_words(Fund(fund), found))


def _words(fund: Fund, found: Cover) -> str:
    words = _(
        "{fund}不够付：现在可以动用 {free} 元（银行存款 {bank} 元，减去待核销来款 {unapplied} 元、应退互助费 {refundable} 元、"
        "已放款还没有到账的 {transit} 元、其他批次正在放款的 {promised} 元），这次要付 {needed} 元，还差 {short} 元。"
        "请先登记上级拨入或者资金调剂，到账后再办。"
    )
    held = found.holding
    amounts = {
        "free": found.free_fen, "bank": held.bank_fen, "unapplied": held.unapplied_fen, "refundable": held.refundable_fen,
        "transit": held.in_transit_fen, "promised": found.promised_fen, "needed": found.needed_fen, "short": found.short_fen,
    }  # fmt: skip
    return words.format(fund=fund.label, **{name: format_yuan(fen) for name, fen in amounts.items()})
