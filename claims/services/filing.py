"""Claims that somebody fills in for the claimant (代办): begun and sent in with word to the claimant, who agrees or objects."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db import transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.selectors.claims import open_together, told_together
from claims.selectors.filing import LEFT_HALF_DONE, Filing
from claims.services import intake, together
from claims.services.intake import ClaimRefused
from claims.services.screening import screen
from members.models import Consent, Enrolment, Member
from members.services.people import give_consent, masked_card
from programs.rules.facts import HARDSHIP
from unionaid.accounts.models import User
from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import NotAllowed, record
from unionaid.workflow.notices import tell

# While nobody has approved it the claimant's word changes what happens to it; afterwards the office has to be called.
OPEN_TO_WORD = ("draft", "unit_review", "submitted", "supplement_requested", "reviewed")
_SCREENED = ("unit_review", "submitted", "reviewed")
_BEGUN = (
    gettext_lazy("有人正在代您申领互助金"),
    gettext_lazy("{name}（{capacity}）在替您填“{program}”的申领 {number}。请点开看：同意的点“同意代办”，不是您的意思可以提异议或撤回。"),
)
_SENT = (
    gettext_lazy("代您填写的申领已提交"),
    gettext_lazy("{name}（{capacity}）替您提交了“{program}”的申领 {number}，收款账户 {account}。有不对的请马上点开提异议，或联系办事处。"),
)
_WITHDRAWN = (
    gettext_lazy("代您填写的申领已撤回"),
    gettext_lazy("{name}（{capacity}）撤回了替您填写的“{program}”的申领，编号 {number}。您还要申领的，可以自己重新填写。"),
)
_OBJECTED = (
    gettext_lazy("您代办的申领，本人提出了异议"),
    gettext_lazy("申领 {number} 的申领人对代办提出了异议，您不能再填写和查看。有疑问请联系本人或办事处。"),
)


@transaction.atomic
def begin(
    touched: Sequence[tuple[Enrolment, str]], *, claimant: Member, days: Mapping[str, Mapping[str, date]], filing: Filing, on: date
) -> list[Claim]:
    """Begin the claims of one event for somebody (`together.open_all`); they are told at once."""
    made = together.open_all(touched, claimant=claimant, days=days, by=filing.by, on=on, filing=filing)
    _tell(made[0], _BEGUN)
    return made


@transaction.atomic
def send_in(claims: Sequence[Claim], *, by: Actor, on: date) -> None:
    """Send the claims in together, whoever filled them in. The claimant who does it agrees with what was filled in for them; one for whom
    it is done is told."""
    mine = by.member_id == claims[0].claimant_id
    if mine:
        _write_agreed([one for one in claims if one.filed_by_id and one.agreed_at is None and one.objected_at is None], by=by)
    together.submit(claims, by=by, on=on)
    if not mine:
        card = claims[0].card
        _tell(claims[0], _SENT, account=masked_card(card) if card else "")


@transaction.atomic
def withdraw(claim: Claim, *, by: Actor) -> Claim:
    """Take the claim back before it is decided; where somebody else does it for the claimant, they are told."""
    intake.withdraw(claim, by=by)
    if claim.filed_by_id is not None and by.member_id != claim.claimant_id:
        _tell(claim, _WITHDRAWN)
    return claim


@transaction.atomic
def take_over(claim: Claim, *, by: Actor) -> Claim:
    """Go on with what a colleague took in at the same desk and left half done: this, and what was begun with it and is not sent in yet. Two
    people may share a claim so, and neither decides on it; a third is told who they are."""
    if claim.filed_as != Claim.FiledAs.DESK or not may(by, "claims.take_in", claim.office_id):
        raise NotAllowed(_("只有这个办事处负责收件的人，可以接手窗口代收的申领。"))
    if by.user_id in (claim.member.user_id, claim.claimant.user_id):
        raise NotAllowed(_("这是您本人或您家人的申领，要由别人来办。"))
    same = [one.pk for one in open_together(claim) if one.filed_by_id == claim.filed_by_id]
    rows = Claim.objects.select_for_update(of=("self",), no_key=True).filter(pk__in={*same, claim.pk}).order_by("pk")
    found = [one for one in rows if one.filed_by_id != by.user_id]
    for one in found:
        _refuse_taker(one, by)
    earlier = User.objects.in_bulk([one.filed_by_id for one in found])
    each = {one.pk: {"from": earlier[one.filed_by_id].display_name} for one in found}
    pks = [one.pk for one in found]
    Claim.objects.filter(pk__in=pks).update(filed_before_by=F("filed_by"), filed_by=by.user_id, version=F("version") + 1)
    record(found, "take_over", by=by, each=each)
    return claim


def _refuse_taker(claim: Claim, by: Actor) -> None:
    """ClaimRefused when it is not left half done any more, or the person had another part in it; NotAllowed for a third one."""
    if claim.state not in LEFT_HALF_DONE or claim.objected_at is not None:
        raise ClaimRefused(_("这份申领现在是“{state}”，不用接手。").format(state=claim.state_label))
    if by.user_id in [getattr(claim, f"{column}_id") for column in ("unit_reviewed_by", "reviewed_by", "approved_by")]:
        raise NotAllowed(_("这份申领您审核过，不能再由您代收，请换一位同事接手。"))
    if claim.filed_before_by_id is not None and claim.filed_before_by_id != by.user_id:
        names = User.objects.filter(pk__in=[claim.filed_by_id, claim.filed_before_by_id]).values_list("display_name", flat=True)
        words = _("这份申领已经换过一次人（{names}），只能由他们接着办。都不能办的，请其中一位撤回，您再重新收。")
        raise NotAllowed(words.format(names=_("、").join(names)))


def awaits_word(claim: Claim) -> bool:
    """May the claimant still say what they think of it that somebody fills it in, and have they not?"""
    return bool(claim.filed_as) and claim.state in OPEN_TO_WORD and claim.agreed_at is None and claim.objected_at is None


@transaction.atomic
def agree(claim: Claim, *, by: Actor) -> None:
    """The claimant lets it be filled in for them: this and what is claimed with it for the same event. Their word takes the place of the
    paper, and is their consent that medical matters may be handled."""
    _write_agreed(_open_to_word(claim, by), by=by)


def _write_agreed(claims: Sequence[Claim], *, by: Actor) -> None:
    fresh = [one for one in claims if one.agreed_at is None]
    if not fresh:
        return
    _write(fresh, "agree_to_filing", by=by, agreed=True)
    hardship = all(one.event == HARDSHIP for one in claims)
    give_consent(claims[0].claimant, Consent.Purpose.HARDSHIP if hardship else Consent.Purpose.MEDICAL, by=by)


@transaction.atomic
def object_to(claim: Claim, *, by: Actor, note: str) -> None:
    """The claimant did not want it: from now on whoever filled it in sees nothing of it, and the office is shown a flag. The claimant may
    go on with it or withdraw it. This and what is claimed with it for the same event."""
    claims = [one for one in _open_to_word(claim, by) if one.objected_at is None]
    if not claims:
        return
    _write(claims, "object_to_filing", by=by, agreed=False, note=note.strip())
    screen([one for one in claims if one.state in _SCREENED])
    if claim.kin_id is not None:
        tell([claim.kin_id], office_id=claim.office_id, title=_OBJECTED[0], text=_OBJECTED[1], values={"number": claim.number})


def _open_to_word(claim: Claim, by: Actor) -> list[Claim]:
    """The claims of the event that the same person filled in and nobody has approved yet."""
    if by.member_id is None or by.member_id != claim.claimant_id or claim.filed_by_id is None:
        raise NotAllowed(_("只有申领人本人可以说同意或者有异议。"))
    same = [one.pk for one in told_together(claim) if one.filed_by_id == claim.filed_by_id] or [claim.pk]
    rows = Claim.objects.select_for_update(of=("self",), no_key=True).filter(pk__in={*same, claim.pk}, state__in=OPEN_TO_WORD)
    found = list(rows.order_by("pk"))
    if claim.pk not in {one.pk for one in found}:
        raise ClaimRefused(_("这份申领已经批准或者办结，不能再在这里提出，请马上联系办事处。"))
    return found


def _write(claims: Sequence[Claim], action: str, *, by: Actor, agreed: bool, note: str = "") -> None:
    moment = now()
    said = {"agreed_at": moment if agreed else None, "objected_at": None if agreed else moment}
    Claim.objects.filter(pk__in=[one.pk for one in claims]).update(**said, version=F("version") + 1)
    record(claims, action, by=by, note=note)


def _tell(claim: Claim, words: tuple[Promise, Promise], **values: object) -> None:
    """Word to the claimant, who sees the claim under their own."""
    capacity = Enrolment.Relation(claim.relation).label if claim.relation else Claim.FiledAs(claim.filed_as).label
    name = User.objects.values_list("display_name", flat=True).get(pk=claim.filed_by_id)
    told = {"name": name, "capacity": capacity, "program": claim.program.title, "number": claim.number, **values}
    tell([claim.claimant_id], office_id=claim.office_id, title=words[0], text=words[1], link=f"/my/claims/{claim.public_id}/", values=told)
