"""Refunds (退款): only of what was paid too much, twice, or for someone who was refused or whose cover is void; proposed by one
person and released by another; never more than is left of what arrived (a CHECK holds the sum)."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from members.models import ContributionDue, Enrolment, Match, Refund, Remittance
from members.services.contributions import lock_rows, restate
from members.services.fee_news import tell_refund_failed, tell_refunded
from members.transitions import DUE_LIVE
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Transaction
from unionaid.ledger.posting import Line, Posting, post, reverse
from unionaid.lib.identity import IdentityError, parse_bank_card
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import Actor, may
from unionaid.web.keys import ring
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

TABLE = "members_refund"
RELEASED, PAID = "refund", "refund_paid"
HELD = ("proposed", "released", "paid")
# What became of the enrolments for whose debts the money was sent, by the reason for which it goes back.
GONE = {Refund.Reason.REFUSED: ("refused", "withdrawn", "cancelled_unpaid"), Refund.Reason.VOID: ("void",)}


class RefundRefused(MoveRefused):
    """The money does not go back; the message says why. `field`: what of the asking it is about."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def propose(
    remittance: Remittance,
    *,
    reason: str,
    amount_fen: int,
    payee_name: str,
    bank_name: str,
    account_number: str,
    note: str = "",
    duplicate_of: Remittance | None = None,
    by: Actor,
    on: date,
) -> Refund:
    """Ask for money to go back; it is held from now on and cannot be matched. Another person releases it."""
    if not may(by, "contributions.confirm", remittance.office_id) or by.user_id is None:
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("提出退款")))
    fresh = lock_rows(Remittance, [remittance.pk])[remittance.pk]
    if amount_fen <= 0 or amount_fen > fresh.left_fen:
        words = _("最多可以退 {left} 元（到账减去已核销和已退的部分）。")
        raise RefundRefused(words.format(left=format_yuan(fresh.left_fen)), "amount_fen")
    _refuse_reason(fresh, Refund.Reason(reason), amount_fen, duplicate_of)
    try:
        number = parse_bank_card(account_number).number
    except IdentityError as error:
        raise RefundRefused(error.message, "account_number") from error
    code = f"TK{on:%y%m%d}{get_random_string(6, '0123456789')}"
    try:
        with transaction.atomic():
            refund = Refund.objects.create(
                office_id=fresh.office_id,
                remittance=fresh,
                duplicate_of=duplicate_of,
                number=code,
                reason=reason,
                amount_fen=amount_fen,
                payee_name=payee_name.strip(),
                bank_name=bank_name.strip(),
                account_number=ring().seal(number, bound_to=(TABLE, "account_number", code)),
                account_last_four=number[-4:],
                note=note.strip(),
                proposed_by_id=by.user_id,
            )
    except IntegrityError as error:
        if "remittance_never_overspent" not in str(error):
            raise
        raise RefundRefused(_("这笔来款的余额刚刚有变化，请刷新后再试。")) from error
    record([refund], "propose", by=by, note=note.strip())
    restate([fresh.pk], by=by)
    return refund


def _refuse_reason(remittance: Remittance, reason: Refund.Reason, amount_fen: int, other: Remittance | None) -> None:
    """The reason must be one that the rows bear out."""
    if reason == Refund.Reason.OVER_PAYMENT and not remittance.matched_fen:
        raise RefundRefused(_("这笔来款还没有核销过，不能按多缴退款。请先核销应缴的部分。"), "reason")
    if reason == Refund.Reason.OVER_PAYMENT and amount_fen > (most := max(0, remittance.left_fen - _still_owed(remittance))):
        words = _("这笔来款要缴的互助费还没有到齐，先核销欠的部分；现在按多缴最多可以退 {most} 元。")
        raise RefundRefused(words.format(most=format_yuan(most)), "amount_fen")
    if reason == Refund.Reason.DUPLICATE:
        if other is None or other.office_id != remittance.office_id or other.pk == remittance.pk:
            raise RefundRefused(_("重复缴费退款要写明另一笔来款的银行流水号。"), "duplicate")
        twin = other.amount_fen == remittance.amount_fen and other.matched_fen
        if remittance.matched_fen or not (twin or _paid_by_others(remittance, other)):
            words = _("另一笔来款应当已经核销，并且金额相同，或缴清了这一笔附言里的互助费；这一笔没有核销过，才算重复缴费。")
            raise RefundRefused(words, "duplicate")
    elif other is not None:
        raise RefundRefused(_("只有重复缴费才要写另一笔来款。"), "duplicate")
    if reason in (Refund.Reason.REFUSED, Refund.Reason.VOID, Refund.Reason.TERM_OVER):
        undone = _sum(Match.objects.filter(remittance=remittance, undone_reason=reason))
        reopened = Match.objects.filter(undone_reason=reason).values("due")
        again = _sum(Match.objects.filter(remittance=remittance, undone_at__isnull=True, due__in=reopened))
        before = _sum(Refund.objects.filter(remittance=remittance, reason=reason, state__in=HELD))
        most = max(0, undone - again - before, remittance.left_fen if _names_only_cancelled(remittance, reason) else 0)
        if amount_fen > most:
            words = _("因“{reason}”减收、可以从这笔来款退的只有 {most} 元。")
            raise RefundRefused(words.format(reason=reason.label, most=format_yuan(most)), "amount_fen")


def _paid_by_others(remittance: Remittance, other: Remittance) -> bool:
    """Is all that this remittance names settled without it, and by the other one among those who settled it?"""
    named = ContributionDue.objects.filter(office_id=remittance.office_id, reference__in=remittance.named)
    states = list(named.values_list("state", flat=True))
    settled = len(states) == len(set(remittance.named)) > 0 and set(states) == {"settled"}
    return settled and Match.objects.filter(remittance=other, due__in=named, undone_at__isnull=True).exists()


def _names_only_cancelled(remittance: Remittance, reason: Refund.Reason) -> bool:
    """Was this sent for debts alone that nobody owes any more, for this reason? It may have arrived after they were cancelled."""
    named = ContributionDue.objects.filter(office_id=remittance.office_id, reference__in=remittance.named)
    states = list(named.values_list("state", flat=True))
    if reason not in GONE or len(states) != len(set(remittance.named)) or set(states) != {"cancelled"}:
        return False
    gone = Q(pk__in=named.values("enrolment")) | Q(roster__in=named.values("roster"))
    return Enrolment.objects.filter(gone, state__in=GONE[reason]).exists()


def _still_owed(remittance: Remittance) -> int:
    """What the debts still owe that this remittance was sent for: named in its remark, or once matched with it."""
    once = Match.objects.filter(remittance=remittance, undone_reason=Match.Undone.MISTAKE).values("due")
    meant = ContributionDue.objects.filter(Q(reference__in=remittance.named) | Q(pk__in=once), state__in=DUE_LIVE)
    owed: int = meant.aggregate(fen=Sum("owed_fen", default=0))["fen"]
    return owed


def _sum(rows: QuerySet[Any]) -> int:
    found: int = rows.aggregate(fen=Sum("amount_fen", default=0))["fen"]
    return found


@transaction.atomic
def release(refund: Refund, *, by: Actor, on: date) -> Refund:
    """A second person lets the money go: from now on it is owed to the payer."""
    move([refund], "release", by=by)
    lines = (Line(Code.UNAPPLIED, refund.amount_fen), Line(Code.REFUNDABLE, -refund.amount_fen))
    post(RELEASED, [Posting(refund, Fund.MUTUAL_AID, lines)], on=on, by=by)
    return refund


@transaction.atomic
def drop(refund: Refund, *, by: Actor, note: str) -> Refund:
    """It does not go back; the remittance has it again."""
    if not note.strip():
        raise RefundRefused(_("请写明不退的原因。"))
    move([refund], "drop", by=by, note=note.strip())
    restate([refund.remittance_id], by=by)
    return refund


@transaction.atomic
def mark_paid(refund: Refund, *, bank_reference: str, paid_on: date, by: Actor, on: date) -> Refund:
    """The bank has paid it out."""
    if paid_on > on or paid_on < refund.remittance.received_on:
        raise RefundRefused(_("退款日期应在到账之后、今天或今天之前。"))
    move([refund], "mark_paid", by=by, changes={"paid_on": paid_on, "bank_reference": bank_reference.strip()[:60]})
    lines = (Line(Code.REFUNDABLE, refund.amount_fen), Line(Code.BANK, -refund.amount_fen))
    post(PAID, [Posting(refund, Fund.MUTUAL_AID, lines)], on=paid_on, by=by)
    restate([refund.remittance_id], by=by)
    tell_refunded(refund)
    return refund


@transaction.atomic
def mark_failed(refund: Refund, *, note: str, by: Actor, on: date) -> Refund:
    """The bank sent it back: everything posted for it is reversed, and a new refund may be proposed."""
    if not note.strip():
        raise RefundRefused(_("请写明银行退回的原因。"))
    was_paid = refund.state == "paid"
    move([refund], "mark_failed", by=by, note=note.strip())
    for kind in (PAID, RELEASED) if was_paid else (RELEASED,):
        posted = Transaction.objects.filter(kind=kind, source_type=Refund._meta.label_lower, source_id=refund.pk)
        reverse(f"{kind}_failed", list(posted), on=on, by=by, note=note.strip()[:200])
    restate([refund.remittance_id], by=by)
    tell_refund_failed(refund)
    return refund


def account_of(refund: Refund, *, by: Actor) -> str:
    """The full account number, for whoever sends the money and has just shown who they are (`proven`); the look is on record."""
    if not by.proven or not may(by, "contributions.confirm", refund.office_id):
        raise NotAllowed(_("您不能查看完整的收款账号。"))
    record([refund], "see_account", by=by)
    return ring().open_text(refund.account_number, bound_to=(TABLE, "account_number", refund.number))
