"""Money put into a fund or taken out of it otherwise than by fees and benefits: one person enters it with a paper, another confirms it,
and it is posted. What leaves a fund passes the same guard as a batch."""

from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from claims.payouts.funds import refuse_short
from unionaid.books.models import FundMovement, FundPaper
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Transaction
from unionaid.ledger.posting import Line, Posting, post, reverse
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.web.files import kept
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

Kind = FundMovement.Kind
POSTED, MOVED_IN = "fund_movement", "fund_moved_in"
# Where the money of each kind comes from, or what it went for.
AGAINST = {
    Kind.OPENING: Code.CAPITAL,
    Kind.ALLOCATION: Code.ALLOCATIONS,
    Kind.SUBSIDY: Code.SUBSIDIES,
    Kind.INTEREST: Code.INTEREST,
    Kind.TRANSFER: Code.TRANSFERS,
    Kind.HAND_UP: Code.ALLOCATIONS,
    Kind.CHARGE: Code.CHARGES,
}


class MovementRefused(MoveRefused):
    """It is not entered or posted so; the message says why. `field` is the field at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def propose(
    office: Office, *, kind: str, fund: str, amount_fen: int, happened_on: date, basis: str, papers: Sequence[CleanUpload], by: Actor,
    on: date, to_fund: str = "", bank_reference: str = "", reverses: FundMovement | None = None,
) -> FundMovement:  # fmt: skip
    """Enter what the bank's paper says; nothing is posted before another person has confirmed it."""
    if not may(by, "funds.propose", office.pk) or by.user_id is None:
        raise NotAllowed(_("您没有“{action}”的权限。").format(action=_("登记资金拨入与调剂")))
    if happened_on > on:
        raise MovementRefused(_("银行日期不能在今天之后，请核对回单。"), "happened_on")
    if (kind == Kind.TRANSFER) != bool(to_fund) or to_fund == fund:
        raise MovementRefused(_("资金调剂要选另一种调入的资金；其他事项不用选。"), "to_fund")
    if not papers:
        raise MovementRefused(_("请上传银行回单或者拨款文件的照片或 PDF。"), "paper")
    if not basis.strip():
        raise MovementRefused(_("请写明依据，例如拨款文件的文号。"), "basis")
    made = FundMovement.objects.create(
        office=office, number=f"ZJ{on:%y%m%d}{get_random_string(6, '0123456789')}", kind=kind, fund=fund, to_fund=to_fund,
        amount_fen=amount_fen, happened_on=happened_on, bank_reference=bank_reference.strip(), basis=basis.strip(), reverses=reverses,
        proposed_by_id=by.user_id,
    )  # fmt: skip
    FundPaper.objects.bulk_create([FundPaper(movement=made, **kept(one)) for one in papers])
    record([made], "propose_movement", by=by, note=made.basis, details={"kind": kind, "fund": fund, "amount_fen": amount_fen})
    return made


def propose_reversal(movement: FundMovement, *, basis: str, papers: Sequence[CleanUpload], by: Actor, on: date) -> FundMovement:
    """Say that a posted movement was wrong: a second person's word undoes it by a transaction of its own."""
    if movement.state != "posted" or movement.reverses_id is not None:
        raise MovementRefused(_("只有已记账的才能冲销，冲销本身不能再冲销。"))
    try:
        with transaction.atomic():
            return propose(
                movement.office, kind=movement.kind, fund=movement.fund, to_fund=movement.to_fund, amount_fen=movement.amount_fen,
                happened_on=movement.happened_on, bank_reference=movement.bank_reference, basis=basis, papers=papers, reverses=movement,
                by=by, on=on,
            )  # fmt: skip
    except IntegrityError as error:
        if "movement_reversed_once" not in str(error):
            raise
        raise MovementRefused(_("已有人提出冲销这一笔，请刷新后再看。")) from error


@transaction.atomic
def confirm(movement: FundMovement, *, by: Actor, on: date) -> FundMovement:
    """The second person has seen the paper: the money stands in the books, or is out of them again. FundShort when it would take more
    out of a fund than it can give."""
    move([movement], "post", by=by)
    if movement.payer:
        refuse_short(movement.office_id, movement.payer, movement.amount_fen)
    if movement.reverses_id:
        ours = Transaction.objects.filter(source_type=movement._meta.label_lower, source_id=movement.reverses_id, reverses=None)
        for one in ours.order_by("pk"):
            reverse(f"{one.kind}_reversed", [one], on=on, by=by, note=movement.basis)
        return movement
    against, fen = AGAINST[Kind(movement.kind)], movement.amount_fen
    sign = -1 if movement.payer else 1
    lines = (Line(Code.BANK, sign * fen), Line(against, -sign * fen))
    post(POSTED, [Posting(movement, Fund(movement.fund), lines, movement.basis, movement.happened_on)], on=on, by=by)
    if movement.to_fund:
        lines = (Line(Code.BANK, fen), Line(against, -fen))
        post(MOVED_IN, [Posting(movement, Fund(movement.to_fund), lines, movement.basis, movement.happened_on)], on=on, by=by)
    return movement


def drop(movement: FundMovement, *, by: Actor, note: str) -> FundMovement:
    """It is not posted; the reason stays on record."""
    if not note.strip():
        raise MovementRefused(_("请写明不予入账的原因。"), "note")
    return move([movement], "drop", by=by, note=note.strip())[0]
