"""Relief (救助金) and condolence (慰问金): nobody joins for it beforehand. Whoever meets the plan's conditions applies, alone or with the
benefit of the same event, or it is opened by rule once a benefit was granted. From then on it is a claim like every other: papers,
facts, what the plan takes off for other aid, two people, and the fund of its own."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.facts import beside_grants, day_of_claim
from claims.models import Admission, Claim, ClaimDocument
from claims.selectors.estimate import estimate
from claims.selectors.filing import Filing, papers_of_filing
from claims.selectors.journey import lacking
from claims.selectors.needs import needs_of
from claims.services import intake
from claims.services.intake import ClaimRefused
from claims.transitions import GRANTED
from members.models import Enrolment, Member, WorkUnit
from members.services.enrolment import AlreadyCovered, EnrolmentRefused, enrol
from programs.models import Terms
from programs.rules.schedule import Schedule
from programs.selectors import offered_terms, opened_by_rule, schedule_of
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import plus_days
from unionaid.lib.money import yuan_from_fen
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.notices import tell


def begin(
    member: Member, terms: Terms, *, event: str, happened_on: date, by: Actor, on: date, filing: Filing | None = None
) -> Claim:
    """A draft of the application, for what happened that day. The plan's conditions are judged on the day of applying (`on`), once;
    a second application in the same period rests on the first. `filing`: who fills it in for the member. ClaimRefused or
    EnrolmentRefused says why not."""
    ground = ground_for(member, terms, event=event, happened_on=happened_on, by=by, on=on)
    return intake.open_claim(enrolment=ground, claimant=member, event=event, by=by, on=on, filing=filing)


def ground_for(member: Member, terms: Terms, *, event: str, happened_on: date, by: Actor, on: date) -> Enrolment:
    """What an application for this event of that day rests on: the record of an earlier one, or a new one that costs nothing."""
    schedule = schedule_of(terms)
    if not schedule.is_grant or all(terms.pk != one.pk for one in offered_terms(on=on, office=member.office)):
        raise ClaimRefused(_("这一项不能直接申请，请回到列表重新选择。"))
    if event not in schedule.events:
        raise ClaimRefused(_("“{program}”不包括这种情况，请选择其他事由。").format(program=terms.program.title), "event")
    if happened_on > on:
        raise ClaimRefused(_("日期不能在今天之后，请核对。"), "happened_on")
    ground = _ground(member, terms, by=by, on=on)
    if not ground.cover.lower <= happened_on < ground.cover.upper:
        words = _("“{program}”只管 {first} 到 {last} 之间发生的事，您填的日期不在里面。")
        first, last = date_format(ground.cover.lower), date_format(plus_days(ground.cover.upper, -1))
        raise ClaimRefused(words.format(program=terms.program.title, first=first, last=last), "happened_on")
    return ground


def _ground(member: Member, terms: Terms, *, by: Actor, on: date) -> Enrolment:
    """The unit sees it only where the plan has the unit look first: who asks for relief is not their colleagues' business."""
    with everywhere(reason="what relief of this person rests on"):
        found = Enrolment.objects.filter(member=member, terms=terms, state="effective").order_by("-pk").first()
        if found:
            return found
        unit = None
        if schedule_of(terms).deciding.unit_first and member.unit_id:
            unit = WorkUnit.objects.get(pk=member.unit_id)
        made = enrol(member=member, holder=member, relation="self", terms=terms, shares=1, unit=unit, on=on, by=by)
        made.refresh_from_db()
    return made


# -- by rule ----------------------------------------------------------------------------------------------------------


def follow(claim_id: int, *, on: date) -> list[Claim]:
    """Open the relief and condolence that follow by rule from a benefit that was granted. Where all is known it is sent in by the rule
    itself; where something is missing it waits as a draft for the claimant, who is told. Each program once for one event: not what was
    applied for already, and nothing on a second run. What the person does not meet the conditions of is not opened."""
    with everywhere(reason="open what follows from a benefit by rule"):
        rows = Claim.objects.select_for_update(of=("self",), no_key=True)
        claim = rows.select_related("member__office", "claimant", "office", "terms", "program", "card").get(pk=claim_id)
        if claim.state not in GRANTED or claim.fund != Fund.MUTUAL_AID:
            return []
        same = Claim.objects.filter(occasion=claim.occasion, member_id=claim.member_id).exclude(state="withdrawn")
        there, made, left = set(same.values_list("program_id", flat=True)), list[Claim](), own_cost_left(claim)
        for terms in opened_by_rule(claim.event, left, on=on, office=claim.office):
            if terms.program_id not in there and _can_be_told(schedule_of(terms), claim.event, left):
                with suppress(ClaimRefused, EnrolmentRefused, AlreadyCovered), transaction.atomic():
                    made.append(_open_following(claim, terms, on=on))
        for one in made:
            _go_its_way(one, claim, on=on)
    return made


def _can_be_told(schedule: Schedule, event: str, left: Decimal | None) -> bool:
    """Does the rule hold? Where it hangs on a cost that nobody was asked for with the benefit (a lump sum asks for no bill), it is opened
    for the claimant to tell it, if the relief's own form asks for the bill."""
    return schedule.opened_by_rule(event, left) or needs_of(schedule, event).stays == "required"


def _go_its_way(made: Claim, claim: Claim, *, on: date) -> None:
    """Sent in by the rule, when nothing is missing; else the claimant is asked for the rest."""
    if not lacking(made):
        with suppress(ClaimRefused), transaction.atomic():
            intake.submit_by_rule(made, on=on)
    if made.state == "draft":
        _tell(made, claim, _OPENED)
    else:
        _tell(made, claim, _SENT)
        Claim.objects.filter(pk=made.pk).update(told_since=F("since"))


def own_cost_left(claim: Claim) -> Decimal | None:
    """What the person bears themselves of the cost told with a benefit claim (yuan), less all benefits granted for the event and other
    aid; None where no cost was told."""
    parts = [stay.psn_part_amt_fen for stay in claim.admissions.all() if stay.psn_part_amt_fen is not None]
    if not parts:
        return None
    granted = yuan_from_fen(claim.approved_fen or 0) + beside_grants([claim])[claim.pk].paid
    return max(Decimal(0), yuan_from_fen(sum(parts) - (claim.other_aid_fen or 0)) - granted)


_CARRIED = (
    "event_on", "happened", "hospital", "diagnosis", "diagnosis_code", "disability_grade", "accident_on", "death_on", "other_aid_fen",
    "card_id",
)  # fmt: skip
OTHER_PAPER = "other"
_STAY = tuple(field.attname for field in Admission._meta.concrete_fields if field.attname not in ("id", "claim_id"))


def _open_following(claim: Claim, terms: Terms, *, on: date) -> Claim:
    """With everything that was told and proved for the benefit; what this plan asks for beyond it is left open. ClaimRefused when it
    comes to nothing anyhow: the benefits and other aid cover what it would help with."""
    happened_on = day_of_claim(claim, claim.admissions.all())
    if happened_on is None:
        raise ClaimRefused(_("请填写事情发生的日期。"))
    ground = ground_for(claim.member, terms, event=claim.event, happened_on=happened_on, by=SYSTEM, on=on)
    made = intake.open_following(claim, ground, by=SYSTEM, on=on)
    told = {name: getattr(claim, name) for name in _CARRIED}
    if claim.card is not None and claim.card.retired_at is not None:
        told["card_id"] = None
    Claim.objects.filter(pk=made.pk).update(**told)
    stays = [Admission(claim=made, **{name: getattr(stay, name) for name in _STAY}) for stay in claim.admissions.all()]
    Admission.objects.bulk_create(stays)
    intake.share_documents(made, _papers(claim, made))
    made.refresh_from_db()
    found = estimate(made, on=on)
    if found and not found.missing and not found.total:
        raise ClaimRefused(_("按现在填写的内容计算是 0 元，不用申请。"))
    return made


def _papers(claim: Claim, made: Claim) -> list[ClaimDocument]:
    """The papers of the benefit claim; those that the relief's plan has no name for are further papers there."""
    named = {paper.code for paper in (*schedule_of(made.terms).documents_for(made.event), *papers_of_filing(made))}
    papers = list(claim.documents.all())
    for paper in papers:
        paper.kind = paper.kind if paper.kind in named else OTHER_PAPER
    return papers


_OPENED = (
    gettext_lazy("您还可以得到一笔救助，请补上还缺的"),
    gettext_lazy(
        "您的申领 {before} 已核定互助金。按“{program}”的规定，可以再申请一笔{fund}，编号 {number}：内容和材料已照抄，"
        "请打开看还缺什么，补上就可以提交。已经核定的互助金会自动扣减，不用填。"
    ),
)
_SENT = (
    gettext_lazy("您还可以得到一笔救助，已替您提交"),
    gettext_lazy(
        "您的申领 {before} 已核定互助金。按“{program}”的规定再给一笔{fund}，要的内容和材料都有了，已经替您提交，编号 {number}。"
        "您现在不用做什么，有进展会通知您；不想要的，可以打开撤回。"
    ),
)


def _tell(made: Claim, claim: Claim, words: tuple[Promise, Promise]) -> None:
    told = {"before": claim.number, "program": made.program.title, "fund": Fund(made.fund).label, "number": made.number}
    people = {claim.claimant_id, *([claim.kin_id] if claim.kin_id else [])}
    tell(people, office_id=made.office_id, title=words[0], text=words[1], link=f"/my/claims/{made.public_id}/", values=told)
