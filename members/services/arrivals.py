"""Money typed in from the bank's statement (登记来款) that settles nothing yet, and what was typed in wrongly (来款更正).

A remittance is never edited. A wrong one is reversed in the books by a second person, and the right one takes over what it settled, so
that cover which rests on it goes on. What the bank's own file brought in is the bank's word and is not corrected here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from members.models import ContributionDue, Match, Remittance, RemittanceCorrection
from members.services import contributions
from members.services.contributions import ARRIVED, Pair, RemittanceRefused, lock, post_arrivals, refuse_person, state_of_dues, undo
from members.transitions import DUE_LIVE
from unionaid.ledger.models import Transaction
from unionaid.ledger.posting import reverse
from unionaid.lib.money import format_yuan
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import move, record

REVERSED = "remittance_reversed"
TOLD = ("payer_name", "remark", "bank_reference", "received_on", "amount_fen")


@transaction.atomic
def enter(
    office: Office, *, payer_name: str, bank_reference: str, received_on: date, amount_fen: int, remark: str, by: Actor, on: date
) -> Remittance:
    """Write down money that is in the office's account and settles nothing yet: it came too late, or for a debt that nobody owes any
    more, or nobody knows for what. It waits to be matched or sent back. A line of the bank's statement counts once."""
    refuse_person(by, [office.pk])
    _refuse_figures(received_on, amount_fen, on=on)
    one = contributions.enter(
        office_id=office.pk, payer_name=payer_name, bank_reference=bank_reference, received_on=received_on, amount_fen=amount_fen,
        remark=remark, by=by,
    )  # fmt: skip
    post_arrivals([one], on=on, by=by)
    return one


def _refuse_figures(received_on: date, amount_fen: int, *, on: date) -> None:
    if received_on > on:
        raise RemittanceRefused(_("到账日期不能在今天之后，请核对银行流水。"))
    if amount_fen <= 0:
        raise RemittanceRefused(_("到账金额应大于 0。"))


# -- what was typed in wrongly -----------------------------------------------------------------------------------------


@transaction.atomic
def propose_correction(
    remittance: Remittance, *, right: Mapping[str, Any] | None, note: str, by: Actor, on: date
) -> RemittanceCorrection:
    """Say that this remittance was typed in wrongly: `right` is what the bank's statement says (payer_name, remark, bank_reference,
    received_on, amount_fen), None when there is no such money at all. Nothing happens before another person releases it."""
    refuse_person(by, [remittance.office_id])
    _refuse_remittance(remittance)
    if not note.strip():
        raise RemittanceRefused(_("请写明更正的依据，例如银行回单上写的是什么。"))
    if right is not None:
        _refuse_figures(right["received_on"], right["amount_fen"], on=on)
        if all(getattr(remittance, name) == right[name] for name in TOLD):
            raise RemittanceRefused(_("填写的内容和原来登记的一样，没有要更正的。"))
    try:
        with transaction.atomic():
            made = RemittanceCorrection.objects.create(
                office_id=remittance.office_id, remittance=remittance, arrived=right is not None, note=note.strip(),
                proposed_by_id=by.user_id, **({name: right[name] for name in TOLD} if right else {}),
            )  # fmt: skip
    except IntegrityError as error:
        if "one_open_correction" not in str(error):
            raise
        raise RemittanceRefused(_("已有人提出更正这笔来款，正在等复核。")) from error
    record([made], "propose_correction", by=by, note=made.note)
    return made


def _refuse_remittance(one: Remittance) -> None:
    if one.statement_id is not None:
        raise RemittanceRefused(_("这笔来款是从银行流水导入的，以银行为准，不能更正。核销有误的，请撤销核销。"))
    if one.state == "reversed":
        raise RemittanceRefused(_("这笔来款已经冲销，不能再更正。"))
    if one.refunded_fen:
        raise RemittanceRefused(_("这笔来款有退款，不能更正。退款还没有付出的，请先“不予退款”。"))


@transaction.atomic
def release_correction(correction: RemittanceCorrection, *, by: Actor, on: date) -> RemittanceCorrection:
    """A second person agrees: the wrong remittance is reversed, and the right one settles what it had settled, as far as it goes.
    RemittanceRefused when cover in force would be left unpaid."""
    move([correction], "release", by=by)
    dues = _taken_back(correction, by=by, on=on)
    right = _right(correction, by=by, on=on)
    if right is not None:
        correction.corrected = right
        correction.save(update_fields=["corrected"])
        _carry_over(right, dues, by=by, on=on)
    _refuse_unpaid_cover([due_id for due_id, _fen in dues])
    return correction


def drop_correction(correction: RemittanceCorrection, *, by: Actor, note: str) -> RemittanceCorrection:
    """It was right after all, or is to be corrected otherwise."""
    if not note.strip():
        raise RemittanceRefused(_("请写明不予更正的原因。"))
    return move([correction], "drop", by=by, note=note.strip())[0]


def _taken_back(correction: RemittanceCorrection, *, by: Actor, on: date) -> list[tuple[int, int]]:
    """Undo what the wrong remittance settled and reverse it; what it had settled: (debt, fen), in the order in which it was."""
    live = Match.objects.filter(remittance=correction.remittance_id, undone_at__isnull=True).order_by("pk")
    found, held = lock(set(live.values_list("due_id", flat=True)), [correction.remittance_id])
    wrong = held[correction.remittance_id]
    _refuse_remittance(wrong)
    settled = list(live)
    for one in settled:
        undo([one.pk], found[one.due_id], Match.Undone.MISTAKE, by=by, on=on, note=correction.note)
    state_of_dues(list(found.values()), by=by, on=on)
    contributions.restate([wrong.pk], by=by, touched=False)
    wrong.refresh_from_db()
    move([wrong], "reverse", by=by, note=correction.note)
    arrival = Transaction.objects.filter(kind=ARRIVED, source_type=Remittance._meta.label_lower, source_id=wrong.pk)
    reverse(REVERSED, list(arrival), on=on, by=by, note=correction.note)
    return [(one.due_id, one.amount_fen) for one in settled]


def _right(correction: RemittanceCorrection, *, by: Actor, on: date) -> Remittance | None:
    """The remittance as it should have been: one that a statement brought in meanwhile under this number, or a new one."""
    if not correction.arrived:
        return None
    told = {name: getattr(correction, name) for name in TOLD}
    known = Remittance.objects.filter(office_id=correction.office_id, bank_reference=told["bank_reference"]).exclude(state="reversed")
    there = known.select_for_update(of=("self",), no_key=True).first()
    if there is None:
        one = contributions.enter(office_id=correction.office_id, by=by, **told)
        post_arrivals([one], on=on, by=by)
        return one
    if there.amount_fen != told["amount_fen"]:
        words = _("流水号 {reference} 的来款已经有了，金额是 {fen} 元，和更正的金额不一致，请核对银行流水。")
        raise RemittanceRefused(words.format(reference=there.bank_reference, fen=format_yuan(there.amount_fen)))
    return there


def _carry_over(right: Remittance, dues: Sequence[tuple[int, int]], *, by: Actor, on: date) -> None:
    """Settle what the wrong one had settled; one debt alone also as far as the right one goes."""
    left, pairs = right.left_fen, []
    owed = dict(ContributionDue.objects.filter(pk__in=[due_id for due_id, _fen in dues]).values_list("pk", "owed_fen"))
    for due_id, fen in dues:
        if (amount := min(left, owed[due_id] if len(dues) == 1 else fen)) > 0:
            pairs.append(Pair(right.pk, due_id, amount))
            left -= amount
    if pairs:
        contributions.match_again(pairs, by=by, on=on)


def _refuse_unpaid_cover(due_ids: Sequence[int]) -> None:
    for due in ContributionDue.objects.filter(pk__in=due_ids, state__in=DUE_LIVE).select_related("roster", "enrolment").order_by("pk"):
        joined = due.roster or due.enrolment
        if joined and joined.state == "effective":
            words = _("更正后，互助费 {reference} 还欠 {owed} 元，而保障已经生效。请先把参加记录作废，或核对更正的内容。")
            raise RemittanceRefused(words.format(reference=due.reference, owed=format_yuan(due.owed_fen)))
