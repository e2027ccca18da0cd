"""Contributions (互助费): what is due, and the confirmation that it arrived, which makes cover effective."""

from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from members.models import ContributionDue, Enrolment, Match, Member, Remittance, Roster, WorkUnit
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.posting import Line, Posting, post
from unionaid.lib.money import format_yuan
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import MoveRefused, move

_LETTERS = "ABCDEFGHJKLMNPQRTUWXY346789"


class RemittanceRefused(MoveRefused):
    """The money that arrived does not settle this debt; the message says why."""


def raise_due(
    *,
    office_id: int,
    unit: WorkUnit | None,
    member: Member | None,
    amounts: Mapping[str, int],
    roster: Roster | None = None,
    enrolment: Enrolment | None = None,
) -> list[ContributionDue]:
    """Write down what each payer owes (fen by payer; payers of nothing are left out). The reference is what the payer
    writes on the transfer, so that the money finds its way."""
    return ContributionDue.objects.bulk_create(
        [
            ContributionDue(
                office_id=office_id,
                unit=unit,
                member=member,
                roster=roster,
                enrolment=enrolment,
                payer=payer,
                reference=f"HZ{get_random_string(8, _LETTERS)}",
                amount_fen=amount,
            )
            for payer, amount in amounts.items()
            if amount > 0
        ]
    )


@transaction.atomic
def confirm(
    due: ContributionDue,
    *,
    payer_name: str,
    bank_reference: str,
    received_on: date,
    amount_fen: int,
    remark: str,
    by: Actor,
    on: date,
) -> Remittance:
    """Money arrived for this debt: settle it, post it, and make the cover effective when nothing else is open.

    The amount must be the debt's to the fen (a part or a surplus is sent back to be clarified with the payer), and a
    line of the bank statement counts once. RemittanceRefused or Conflict otherwise.
    """
    if amount_fen != due.amount_fen:
        raise RemittanceRefused(
            _("到账 {paid} 元，应缴 {due} 元，两者不一致。请与缴费方核对：少缴的请补足，多缴的请先退回多缴部分。").format(
                paid=format_yuan(amount_fen), due=format_yuan(due.amount_fen)
            )
        )
    if received_on > on:
        raise RemittanceRefused(_("到账日期不能在今天之后，请核对银行流水。"))
    move([due], "settle", by=by)
    try:
        with transaction.atomic():
            remittance = Remittance.objects.create(
                office_id=due.office_id,
                payer_name=payer_name,
                remark=remark,
                bank_reference=bank_reference,
                received_on=received_on,
                amount_fen=amount_fen,
                entered_by_id=by.user_id,
            )
    except IntegrityError as error:
        raise RemittanceRefused(_("这一笔银行流水已经用过，请核对流水号。")) from error
    Match.objects.create(
        office_id=due.office_id, remittance=remittance, due=due, amount_fen=amount_fen, matched_by_id=by.user_id
    )
    lines = (Line(Code.BANK, amount_fen), Line(Code.CONTRIBUTIONS, -amount_fen))
    post("contribution", [Posting(remittance, Fund.MUTUAL_AID, lines)], on=received_on, by=by)
    _make_effective(due, by=by)
    return remittance


def _make_effective(due: ContributionDue, *, by: Actor) -> None:
    """Cover takes effect when every payer's part has arrived."""
    siblings = ContributionDue.objects.filter(roster_id=due.roster_id, enrolment_id=due.enrolment_id, state="open")
    if siblings.exists():
        return
    if due.roster_id:
        waiting = list(Enrolment.objects.filter(roster_id=due.roster_id, state="contribution_due"))
        move([Roster.objects.get(pk=due.roster_id)], "settle", by=by)
    else:
        waiting = list(Enrolment.objects.filter(pk=due.enrolment_id, state="contribution_due"))
    move(waiting, "confirm", by=by)
