"""Appeals (申诉): a claimant does not accept a decision. Heard by people who had no part in it; upheld, the claim is decided anew and
the difference is paid."""

from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Appeal, Claim, Review
from claims.selectors.filing import fills
from claims.services import adjudication, corrections
from claims.services.screening import screen
from claims.transitions import DECIDED
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of, now
from unionaid.lib.workdays import due_on
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record
from unionaid.workflow.notices import tell

# While a decision is on public notice, or held because it may be wrong, nothing stands that one could appeal against: the days count from
# the end of the one, or of the other.
APPEALABLE = ("rejected", *(state for state in DECIDED if state not in ("on_notice", "halt_proposed")))


class AppealRefused(MoveRefused):
    """The appeal cannot be taken or decided; the message says why. `field` is the field at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def last_day(claim: Claim) -> date | None:
    """The last day on which this claim's decision may be appealed: so many working days after it as the plan sets, counted from
    the end of the public notice where there was one, or of a hold. None while no decision stands."""
    if claim.state not in APPEALABLE:
        return None
    decided = claim.rejected_at if claim.state == "rejected" else claim.approved_at
    day = day_of(decided) if decided else None
    if day and claim.notice_until and claim.state != "rejected":
        day = max(day, claim.notice_until)
    if day and claim.resumed_on and claim.state != "rejected":
        day = max(day, claim.resumed_on)
    return due_on(day, schedule_of(claim.terms).deciding.appeal_days) if day else None


def file(claim: Claim, *, grounds: str, by: Actor, on: date, brought_by: str = "") -> Appeal:
    """The claimant appeals, or for them whoever filled the claim in; or the desk writes it down for whoever came (`brought_by`). One
    appeal at a time, within the plan's window, the last day counts, whoever does it."""
    _refuse_stranger(claim, by, brought_by)
    if not grounds.strip():
        raise AppealRefused(_("请写明您不同意的地方和理由。"), "grounds")
    claim = Claim.objects.select_for_update(of=("self",)).select_related("terms__program").get(pk=claim.pk)
    last = last_day(claim)
    if last is None:
        raise AppealRefused(_("这份申领还没有决定，不能申诉。"))
    if on > last:
        raise AppealRefused(_("申诉要在 {day} 以前提出，现在已经过了。有新的材料，请联系办事处。").format(day=date_format(last)))
    if claim.appeals.exclude(state="withdrawn").exists():
        raise AppealRefused(_("这份申领已经申诉过一次，请看申诉的结果；对重新审核的决定可以再申诉。"))
    try:
        with transaction.atomic():
            made = Appeal.objects.create(
                claim=claim, office_id=claim.office_id, member_id=claim.member_id, claimant_id=claim.claimant_id, grounds=grounds.strip(),
                unit_id=claim.unit_id if claim.filed_as == Claim.FiledAs.UNIT_AGENT else None, kin_id=claim.kin_id,
                brought_by=brought_by.strip(),
                filed_by_id=by.user_id, filed_at=now(), first_reviewer_id=claim.reviewed_by_id,
                first_decider_id=claim.rejected_by_id or claim.approved_by_id,
            )  # fmt: skip
    except IntegrityError as error:
        raise AppealRefused(_("这份申领的申诉已经提出，正在等待复核。")) from error
    record([made], "file", by=by, details={"brought_by": made.brought_by} if made.brought_by else None)
    if by.member_id != made.claimant_id:
        _tell_claimant(made, *_FILED)
    return made


def _refuse_stranger(claim: Claim, by: Actor, brought_by: str) -> None:
    """The claimant, whoever filled the claim in for them (at the desk too), or the desk of its office for somebody named."""
    if may(by, "claims.appeal") and fills(claim, by):
        return
    if not may(by, "appeals.enter", claim.office_id):
        raise NotAllowed(_("只有申领人本人，或者代办这份申领的人，可以申诉。"))
    if not brought_by.strip():
        raise AppealRefused(_("请写明是谁来提出的。"), "name")
    if by.user_id in (claim.member.user_id, claim.claimant.user_id):
        raise NotAllowed(_("这是您本人或您家人的申领，请在您自己的页面上申诉。"))


def withdraw(appeal: Appeal, *, by: Actor) -> Appeal:
    """The claimant takes it back before it is answered, or whoever filed it for them."""
    if by.member_id != appeal.claimant_id and not (appeal.filed_by_id == by.user_id and fills(appeal.claim, by)):
        raise NotAllowed(_("只有申领人本人，或者提出申诉的人，可以撤回申诉。"))
    return move([appeal], "withdraw", by=by)[0]


def dismiss(appeal: Appeal, *, by: Actor, on: date, clause: str, answer: str) -> Appeal:
    """The decision stands, with the clause it rests on and words for the claimant."""
    _answerable(appeal, by, clause, answer)
    move([appeal], "dismiss", by=by, note=answer, changes={"clause": clause, "answer": answer}, details={"clause": clause})
    _remember(appeal, "appeal_dismissed", by, answer)
    _tell(appeal, *_DISMISSED)
    return appeal


def uphold(appeal: Appeal, *, by: Actor, on: date, clause: str, answer: str) -> Appeal:
    """The claim is decided anew by others than the first time: a claim of its own, with what was told and proved, waits for its
    review. The first decision stays as it was; what the new one gives more is paid."""
    _answerable(appeal, by, clause, answer)
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=appeal.claim_id)
    earlier = {"earlier_reviewed_by_id": appeal.first_reviewer_id, "earlier_decided_by_id": appeal.first_decider_id}
    made = corrections.successor_of(claim, changes={**earlier, "submitted_by_id": appeal.filed_by_id}, by=by, on=on)
    move([made], "reopen", by=by, note=answer, changes={"submitted_at": now()}, details={"corrects": claim.number})
    adjudication.preview(made)
    screen([made])
    changes = {"clause": clause, "answer": answer, "outcome": made}
    move([appeal], "uphold", by=by, note=answer, changes=changes, details={"clause": clause, "outcome": made.number})
    _remember(appeal, "appeal_upheld", by, answer)
    _tell(appeal, *_UPHELD, outcome=made.number)
    return appeal


def _answerable(appeal: Appeal, by: Actor, clause: str, answer: str) -> None:
    if not clause.strip():
        raise AppealRefused(_("请写明依据的条款。"), "clause")
    if not answer.strip():
        raise AppealRefused(_("请写明给申领人的答复。"), "answer")
    adjudication.not_own(appeal.claim, by)
    if by.user_id in (appeal.first_reviewer_id, appeal.first_decider_id):
        raise NotAllowed(_("原来的决定是您经办的，申诉要由另一个人复核。"))


def _remember(appeal: Appeal, decision: str, by: Actor, note: str) -> None:
    Review.objects.create(claim_id=appeal.claim_id, decision=decision, by_id=by.user_id, note=note)


_DISMISSED = (
    gettext_lazy("申诉有结果了：维持原决定"),
    gettext_lazy("申领 {number}（{program}）的申诉已由没有经办过的人复核，维持原决定。请打开这份申领，看答复和依据的条款。"),
)
_UPHELD = (
    gettext_lazy("申诉有结果了：重新审核"),
    gettext_lazy("申领 {number}（{program}）的申诉成立，由另外的人重新审核，编号 {outcome}；多出的部分补发给您。请打开这份申领看答复。"),
)


_FILED = (
    gettext_lazy("有人替您提出了申诉"),
    gettext_lazy("申领 {number}（{program}）的申诉已提出，由没有经办过的人复核。不是您的意思，请打开这份申领撤回，或联系办事处。"),
)


def _tell(appeal: Appeal, title: Promise, text: Promise, **values: object) -> None:
    """The claimant, and the relative who filed for them as long as the claimant does not object."""
    _tell_claimant(appeal, title, text, **values)
    if appeal.kin_id is not None and appeal.claim.objected_at is None:
        _write_to(appeal.kin_id, appeal, title, text, values)


def _tell_claimant(appeal: Appeal, title: Promise, text: Promise, **values: object) -> None:
    _write_to(appeal.claimant_id, appeal, title, text, values)


def _write_to(member_id: int, appeal: Appeal, title: Promise, text: Promise, values: Mapping[str, object]) -> None:
    claim = appeal.claim
    told = {"number": claim.number, "program": claim.program.title, **values}
    tell([member_id], office_id=appeal.office_id, title=title, text=text, link=f"/my/claims/{claim.public_id}/", values=told)
