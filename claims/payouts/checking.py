"""Between making a batch and releasing it: a second person confirms its figures or sends it back with the reason; its maker takes out
what is wrong and hands it in again.

Maker, checker and releaser are three people, and none of them had a part in one of the claims or is paid by one. CHECKs and a trigger
of the database hold the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from claims.payouts.models import PayoutBatch, PayoutLine
from claims.transitions import HANDLED
from members.models import Member
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed, move, record

# Who had a part in a claim, and whom it pays or is about.
HANDLERS, PAID = HANDLED, ("claimant", "member")


class PayoutRefused(MoveRefused):
    """The payment cannot be made, checked or booked; the message says why and what to do. `field` is the one at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Figures:
    """What a checker confirms of a batch: its control totals, the fund, the bank's file and the account that pays."""

    line_count: int
    total_fen: int
    fund: str
    bank_format: str
    payer_account: str


def figures_of(batch: PayoutBatch) -> Figures:
    """Counted anew from the lines that will be paid. One statement."""
    found = batch.lines.exclude(state="void").aggregate(count=Count("id"), fen=Sum("amount_fen", default=0))
    return Figures(found["count"], found["fen"], batch.fund, batch.bank_format, batch.payer_account)


def part_of(by: Actor, claim: str = "") -> Q:
    """Claims in which this person had a part, or that pay them; none for who has no login. `claim`: the way to the claim. Who they are as
    a member is asked once, not of every claim."""
    part = Q(**{f"{claim}pk__in": []})
    if by.user_id is not None:
        for column in HANDLERS:
            part |= Q(**{f"{claim}{column}__isnull": False, f"{claim}{column}": by.user_id})
        for column in PAID:
            part |= Q(**{f"{claim}{column}__in": Member.objects.filter(user=by.user_id).values("pk")})
    return part


def stand_apart(batch: PayoutBatch, by: Actor) -> None:
    """PayoutRefused for who had a part in one of the batch's claims, or is paid by it. One statement."""
    took_part = part_of(by, "claim__")
    # From the lines to their claims, in no order: asked from the claims' side, every claim would be held against all lines of the batch.
    rows = PayoutLine.objects.filter(took_part, batch=batch).exclude(state="void").order_by()
    found = next(iter(rows.values_list("claim__number", flat=True)[:1]), None)
    if by.user_id is not None and found:
        raise had_a_part(found)


def had_a_part(number: str) -> PayoutRefused:
    """What somebody is told who had a part in the claim of this number, or is paid by it."""
    return PayoutRefused(_("批次里有您经办过或与您本人有关的申领（{number}），要由另一个人来办。").format(number=number))


@transaction.atomic
def check(batch: PayoutBatch, *, seen: Figures, version: int, by: Actor) -> PayoutBatch:
    """A second person has held the figures against the papers: they must be those of the batch as it is now, and of its lines counted
    anew. PayoutRefused names the figure that differs."""
    stand_apart(batch, by)
    fresh = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    for now in (figures_of(fresh), Figures(fresh.line_count, fresh.total_fen, fresh.fund, fresh.bank_format, fresh.payer_account)):
        _compare(seen, now)
    details = {"line_count": seen.line_count, "total_fen": seen.total_fen, "fund": seen.fund, "bank_format": seen.bank_format}
    return move([batch], "check", by=by, details=details, expect_version=version)[0]


def _compare(seen: Figures, now: Figures) -> None:
    if seen.line_count != now.line_count:
        words = _("笔数不对：批次是 {count} 笔。请对照清单再数一遍，不一致就退回编制人。")
        raise PayoutRefused(words.format(count=now.line_count), "line_count")
    if seen.total_fen != now.total_fen:
        words = _("合计不对：批次是 {total} 元。请对照清单再算一遍，不一致就退回编制人。")
        raise PayoutRefused(words.format(total=format_yuan(now.total_fen)), "total")
    if seen != now:
        raise Conflict(_("批次的资金、银行文件或付款账户刚有变化。请刷新页面，看过新的内容再复核。"), [])


def send_back(batch: PayoutBatch, *, note: str, by: Actor) -> PayoutBatch:
    """The batch goes back to its maker with the reason; whoever had checked it has checked nothing."""
    if not note.strip():
        raise PayoutRefused(_("请写明退回的原因，编制人会看到。"), "note")
    stand_apart(batch, by)
    changes = {"sent_back_why": note, "checked_by": None, "checked_at": None}
    return move([batch], "send_back", by=by, note=note, changes=changes)[0]


@transaction.atomic
def hand_in_again(batch: PayoutBatch, *, leave_out: Sequence[int], note: str, by: Actor) -> PayoutBatch:
    """Its maker, and nobody else, takes these lines (by number) out of a batch that was sent back, and hands in the rest. What is taken out
    waits for another batch; the lines that stay are as they were frozen. PayoutRefused when nothing would stay."""
    fresh = PayoutBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if fresh.assembled_by_id != by.user_id:
        raise NotAllowed(_("这个批次要由编制人自己处理；编制人不在的，可以取消批次重新编制。"))
    if fresh.state == "sent_back" and leave_out:
        drop(fresh, leave_out, note=note, by=by)
    left = figures_of(fresh)
    if not left.line_count:
        raise PayoutRefused(_("全部移出后批次就空了，请改为取消批次。"), "lines")
    return move(
        [batch], "hand_in_again", by=by, note=note,
        changes={"line_count": left.line_count, "total_fen": left.total_fen, "sent_back_why": ""},
    )[0]  # fmt: skip


def drop(batch: PayoutBatch, lines: Sequence[int], *, note: str, by: Actor) -> None:
    """Take these lines out of a batch that waits for its maker. The caller holds the lock on the batch."""
    found = list(batch.lines.filter(sequence__in=set(lines), state="open").select_related("claim").order_by("claim_id"))
    if missing := set(lines) - {line.sequence for line in found}:
        raise PayoutRefused(_("批次里没有序号 {number}，请对照明细表再填。").format(number=min(missing)), "lines")
    move(found, "void", by=by, note=note)
    move([line.claim for line in found], "take_from_batch", by=by, note=note)
    record([batch], "drop_lines", by=by, note=note, details={"claims": [line.claim.number for line in found]})
