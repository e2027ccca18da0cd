"""Halting a payment (停付): a decision is found to be wrong before its money has left. One person proposes it, and from then on no batch
takes the claim; another confirms it, or lets the payment go on.

The books know nothing of an approval that was not released, and what the bank sent back was reversed when it came back: nothing is to be
reversed here. What the claim reserved under its limits is given back. Only what had been kept back of it for an over-payment, before the
bank sent the rest back, has settled something: the arrow's job turns that around (`recoveries.owe_again`)."""

from datetime import date

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.services import adjudication, ceilings, corrections
from claims.services.screening import screen
from unionaid.lib.calendar import now, today
from unionaid.offices.roles import Actor
from unionaid.workflow.moves import MoveRefused, move
from unionaid.workflow.notices import tell

HALTABLE = Claim.graph.arrow("propose_halt").sources


class HaltRefused(MoveRefused):
    """The payment cannot be halted, or not so; the message says why. `field` is the field at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def propose(claim: Claim, *, reason: str, clause: str, by: Actor, on: date) -> Claim:
    """Hold the payment of an approved claim, or of one that the bank sent back: the decision seems wrong (too high, of another person).
    `reason` and `clause` are told to the claimant when another person confirms it."""
    if not reason.strip():
        raise HaltRefused(_("请写明为什么停付，确认后申领人会看到这段话。"), "reason")
    if not clause.strip():
        raise HaltRefused(_("请写明依据的条款。"), "clause")
    adjudication.not_own(claim, by)
    if claim.state == "in_batch":
        raise HaltRefused(_("这份申领已在给付批次里。请先把这一笔移出批次（或取消批次），再提请停付；已经放款的，等到账后办理重新核定。"))
    told = {"halt_reason": reason.strip(), "halt_clause": clause.strip(), "halted_from": claim.state}
    details = {"clause": clause.strip()}
    move([claim], "propose_halt", by=by, note=reason.strip(), changes=told, details=details, expect_version=claim.version)
    if other := claim.corrections.exclude(state__in=["rejected", "withdrawn"]).first():
        raise HaltRefused(_("这份申领已有一次更正（{number}），请先在那份更正上办理。").format(number=other.number))
    _tell(claim, *_HELD)
    return claim


@transaction.atomic
def confirm(claim: Claim, *, by: Actor, on: date, note: str = "") -> Claim:
    """A second person agrees: this decision is not paid, what it reserved is free again, and the claim is reviewed once more from the
    beginning, as a claim of its own with what was told and proved. What that gives is paid in full (of a correction: the difference)."""
    adjudication.not_own(claim, by)
    told = {"message": claim.halt_reason, "reason_clause": claim.halt_clause}
    move([claim], "halt", by=by, note=note, changes=told, details={"clause": claim.halt_clause})
    ceilings.free(claim, claim.statements.select_related("instead_of").get(is_final=True))
    adjudication.write_review(claim, "halt", by, note or claim.halt_reason)
    made = corrections.successor_of(claim, changes={}, by=by, on=on)
    move([made], "review_halted", by=by, changes={"submitted_at": now()}, details={"corrects": claim.number})
    adjudication.preview(made)
    screen([made])
    _tell(made, *_HALTED, why=claim.halt_reason)
    return made


def resume(claim: Claim, *, by: Actor, note: str) -> Claim:
    """Looked into, and the decision is right: the claim is back where it was, and may be appealed in the plan's days from now on."""
    if not note.strip():
        raise HaltRefused(_("请写明核对的结果，为什么照常付款。"), "note")
    adjudication.not_own(claim, by)
    back = "resume_returned" if claim.halted_from == "returned_payment" else "resume"
    move([claim], back, by=by, note=note.strip(), changes={"resumed_on": today()})
    _tell(claim, *_RESUMED)
    return claim


_HELD = (
    gettext_lazy("一笔互助金暂停付款，正在核对"),
    gettext_lazy("申领 {number}（{program}）：付款前又发现了要核对的地方，先暂停付款。核对完会通知您，您现在不用做什么。"),
)
_HALTED = (
    gettext_lazy("一份申领停止付款，正在重新审核"),
    gettext_lazy(
        "{program}：付款前发现核定有误，原来的核定不付款，现在重新审核，编号 {number}。原因：{why} 您现在不用做什么，有结果会通知您。"
    ),
)
_RESUMED = (
    gettext_lazy("核对完了，互助金照常付款"),
    gettext_lazy("申领 {number}（{program}）：核对无误，恢复付款，金额不变。"),
)


def _tell(claim: Claim, title: Promise, text: Promise, **values: object) -> None:
    told = {"number": claim.number, "program": claim.program.title} | values
    tell([claim.claimant_id], office_id=claim.office_id, title=title, text=text, link=f"/my/claims/{claim.public_id}", values=told)
