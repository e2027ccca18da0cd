"""The worker's side of the counter: home, where a claim is, its papers, taking it back."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from claims.forms import WithdrawForm, card_words
from claims.models import Claim, ClaimDocument
from claims.selectors.claims import corrected_number, correction_of, my_claims, my_paper, open_together, told_together
from claims.selectors.cooling import is_cooling
from claims.selectors.covers import my_covers
from claims.selectors.estimate import in_words, left_in_words
from claims.selectors.filing import filer_words, fills, sees
from claims.selectors.journey import lacking
from claims.selectors.progress import standing_of, trail_of
from claims.selectors.wordings import reason_words
from claims.services import accounts, filing, intake, papers
from claims.transitions import DECIDED
from claims.views.answers import stay_figures, stay_words
from claims.views.appeal import appeal_context
from claims.views.parts import at_desk, filled, mine, show, to
from members.facts import cover_waits
from members.models import Enrolment
from programs.rules.declared import declared_words
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires
from unionaid.offices.roles import Actor
from unionaid.web.dates import span
from unionaid.web.files import send, send_paper
from unionaid.workflow.asking import attempt
from unionaid.workflow.notices import unread

# Nothing is paid to an account there.
UNPAID = ("rejected", "withdrawn", "replaced", "halted", "recovery", "recovered")


@requires("my.use")
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """What I must do, everything I am in, every claim and where it is."""
    on, me = today(), actor(request)
    claims = [claim for claim in my_claims() if sees(claim, me)]
    covers = [cover for cover in my_covers() if not schedule_of(cover.terms).is_grant]
    live = [cover_card(cover, on) for cover in covers if cover.cover.upper > on]
    context = {
        "todos": [*_payments(covers), *_word_asked(claims, me), *_unfinished(_of_oneself(claims, me))],
        "covers": live,
        "past": [cover_card(cover, on) for cover in covers if cover.cover.upper <= on],
        "claims": [_claim_card(claim) for claim in claims if claim.state != "draft" and claim.kin_id != me.member_id],
        "filed": [_claim_card(claim) for claim in claims if claim.state != "draft" and claim.kin_id == me.member_id],
        "unread": unread(me.member_id),  # type: ignore[arg-type]  # my.use is for members alone
        "can_claim": any(cover.state == "effective" for cover in covers),
        "plans": address_of("members:plans"),
        "eligibility": address_of("members:eligibility"),
    }
    return render(request, "members/worker/home.html", context)


def address_of(name: str, *args: Any) -> str:
    """The address of a page, or empty while there is none."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def cover_card(cover: Enrolment, on: Any) -> dict[str, Any]:
    own_debt = cover.state == "contribution_due" and cover.roster_id is None
    waits = cover.waiting_until is not None and cover.waiting_until >= on
    effective = cover.state == "effective"
    return {
        "cover": cover,
        "standing": _standing(cover, on),
        "who": person_words(cover),
        "days": span(cover.cover.lower, cover.last_day),
        "waits": cover_waits(cover, schedule_of(cover.terms), on=on).in_language(get_language() or "") if waits else "",
        "unit_pays": cover.state == "contribution_due" and not own_debt,
        "pay": address_of("members:pay", cover.public_id) if own_debt else "",
        "withdraw": address_of("members:withdraw", cover.public_id) if own_debt else "",
        "certificate": address_of("members:certificate", cover.public_id) if effective else "",
        "certificate_pdf": address_of("members:certificate_pdf", cover.public_id) if effective else "",
    }


def _standing(cover: Enrolment, on: Any) -> tuple[str, str]:
    """How the cover stands on this day, in words and with their tone: paid for it is in force, unless it has not begun or is over."""
    if cover.state == "effective" and cover.cover.upper <= on:
        return _("已到期"), "plain-state"
    if cover.state == "effective" and cover.cover.lower > on:
        return _("{day}起有保障").format(day=date_format(cover.cover.lower)), "good"
    return cover.state_label, "plain-state" if cover.state_tone == "plain" else cover.state_tone


def _claim_card(claim: Claim) -> dict[str, Any]:
    return {"claim": claim, "amount": _amount(claim)}


def _amount(claim: Claim) -> str:
    """What was approved; empty before, and for a claim that was refused after all."""
    return format_yuan(claim.approved_fen) if claim.approved_fen and claim.state in DECIDED else ""


def person_words(cover: Enrolment) -> str:
    """The person covered and, when it is not the worker, how they are related."""
    if cover.relation == "self":
        return cover.member.name
    return _("{name}（{relation}）").format(name=cover.member.name, relation=cover.get_relation_display())


def _payments(covers: Sequence[Enrolment]) -> list[dict[str, str]]:
    """Contributions that the worker pays (a roster's are the unit's)."""
    return [
        {
            "words": _("缴互助费：{program}（{person}）").format(program=cover.program.title, person=cover.member.name),
            "why": _("应缴 {amount} 元，到账后保障才生效").format(amount=format_yuan(cover.contribution_fen)),
            "button": _("去缴费"),
            "address": address_of("members:pay", cover.public_id),
        }
        for cover in covers
        if cover.state == "contribution_due" and cover.roster_id is None
    ]


def _is_word_asked(claim: Claim, me: Actor) -> bool:
    return claim.claimant_id == me.member_id and filing.awaits_word(claim)


def _of_oneself(claims: Sequence[Claim], me: Actor) -> list[Claim]:
    """Without the drafts that somebody else fills in and the worker has not spoken of: these are asked about once."""
    return [one for one in claims if one.state != "draft" or not _is_word_asked(one, me)]


def _word_asked(claims: Sequence[Claim], me: Actor) -> list[dict[str, str]]:
    """What somebody fills in for the worker, who has not said yet what they think of it: each event once."""
    asked = {claim.occasion: claim for claim in claims if _is_word_asked(claim, me)}
    return [
        {
            "words": _("有人代您申领：{number}").format(number=claim.number),
            "why": _("请看一看填得对不对，再说同意还是有异议"),
            "button": _("去看"),
            "address": address_of("claims:status", claim.public_id),
        }
        for claim in asked.values()
    ]


def _unfinished(claims: Sequence[Claim]) -> list[dict[str, str]]:
    """Claims that wait for the worker, or for whoever fills them in."""
    words = {
        "supplement_requested": ("claims:supplement", _("补充材料：{number}"), _("去补充")),
        "recovery": ("payouts:recovery", _("退回多付的互助金：{number}"), _("去看怎么退")),
        "returned_payment": ("payouts:correct_account", _("更正收款账户：{number}"), _("去更正")),
        "draft": ("claims:resume", _("没填完的申领：{number}"), _("接着填")),
    }
    waiting = [claim for state in words for claim in claims if claim.state == state]
    once = {(claim.state, claim.occasion if claim.state == "draft" else claim.pk): claim for claim in waiting}
    by_rule = ("claims:status", _("还可以得到一笔救助：{number}"), _("看还差什么"))
    found = [(claim, *(by_rule if _is_opened(claim) else words[claim.state])) for claim in once.values()]
    return [
        {
            "words": title.format(number=claim.number),
            "why": claim.message or _why(claim),
            "button": button,
            "address": address_of(name, claim.public_id),
        }
        for claim, name, title, button in found
    ]


def _is_opened(claim: Claim) -> bool:
    """Is it relief that was opened by rule, and lacks something?"""
    return claim.follows_id is not None and claim.state == "draft"


def _why(claim: Claim) -> str:
    """What one does it for."""
    if _is_opened(claim):
        words = _("按“{program}”的规定，您还可以得到一笔{fund}，打开看还差什么")
        return words.format(program=claim.program.title, fund=claim.get_fund_display())
    return claim.program.title


@requires("claims.fill")
@never_cache
def status(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Where it is, what happens next, by when, whom to ask; the reason when it was rejected, the statement when it was approved."""
    claim = mine(request, public_id)
    return show(request, "status", **_status(request, claim))


def _status(request: HttpRequest, claim: Claim) -> dict[str, Any]:
    trail = trail_of(claim)
    final = claim.statements.select_related("instead_of").filter(is_final=True).first() if claim.state in DECIDED else None
    before = final.instead_of if final else None
    by = actor(request)
    mine_to_do = claim.claimant_id == by.member_id
    to_fill = fills(claim, by)
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    return {
        "claim": claim,
        "mine": mine_to_do,
        "fills": to_fill,
        "filer": filer_words(claim),
        **_opened(claim, to_fill),
        "word_asked": _is_word_asked(claim, by),
        "trail": trail,
        "standing": standing_of(claim, on=today()),
        "amount": _amount(claim),
        "items": in_words(final.assessment, language) if final else [],
        "left": left_in_words(final.assessment, schedule_of(claim.terms), language, reader="worker") if final else [],
        "whole": format_yuan(final.total_fen) if final and before else "",
        "before": format_yuan(before.total_fen) if before else "",
        "reason": reason_words(claim.reason_code),
        "account": card_words(claim.card) if claim.card and to_fill and claim.state not in UNPAID else "",
        "withdrawable": to_fill and intake.may_be_withdrawn(claim),
        "papers": list(claim.documents.all()),
        "declared": _declared(claim, language),
        "stays": [(stay_words(claim, stay), stay_figures(stay)) for stay in claim.admissions.all()],
        "beside": [one for one in told_together(claim) if one.pk != claim.pk] if to_fill else [],
        "corrects": corrected_number(claim),
        "instead_of": _unpaid_before(claim),
        "correction": correction_of(claim),
        **appeal_context(claim, by),
        "correct": _correct_at(request, claim, to_fill and at_desk(request) or mine_to_do),
        "dispute": address_of("payouts:dispute_account", claim.public_id) if is_cooling(claim, today()) and mine_to_do else "",
    }


def _opened(claim: Claim, to_fill: bool) -> dict[str, Any]:
    """Of relief that was opened by rule and waits for somebody to go on with it: what it lacks, and from how much own cost it is meant
    for, where nobody has told the cost yet."""
    if not _is_opened(claim) or not to_fill:
        return {}
    least = schedule_of(claim.terms).cost_to_tell(claim.event) if not claim.admissions.exists() else None
    return {"lacks": _("、").join(map(str, lacking(claim))), "least": f"{least:,}" if least else ""}


def _correct_at(request: HttpRequest, claim: Claim, may_correct: bool) -> str:
    """Where another account is told; empty where none can be, or not by this person."""
    name = "payouts:correct_account_at_desk" if at_desk(request) else "payouts:correct_account"
    return address_of(name, claim.public_id) if may_correct and claim.state in accounts.CHANGEABLE else ""


def _declared(claim: Claim, language: str) -> list[tuple[str, str]]:
    told = declared_words(schedule_of(claim.terms).asks_for(claim.event), claim.declared)
    return [(name.in_language(language), figure.in_language(language)) for name, figure in told]


def _unpaid_before(claim: Claim) -> str:
    """The state of the claim in whose place this one stands, where nothing of that was paid; empty for any other."""
    first = claim.corrects
    if first is None or first.state not in ("replaced", "halted", "rejected"):
        return ""
    return first.state if first.state != "rejected" or first.corrects_id is None else ""


@requires("claims.fill")
@never_cache
def submitted(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """It has arrived: the numbers to keep, what happens next, by when, whom to ask."""
    claim = filled(request, public_id)
    if claim.state in ("draft", "withdrawn"):
        return redirect(to(request, "status", public_id))
    sent = [one for one in told_together(claim) if one.state != "draft"]
    return show(request, "submitted", claim=claim, sent=sent, standing=standing_of(claim, on=today()))


@requires("claims.fill")
@never_cache
def event(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """One event and every claim that was begun for it, each where it is now."""
    claim = filled(request, public_id)
    claims = told_together(claim)
    context = {"claims": [_claim_card(one) for one in claims], "drafts": [one for one in claims if one.state == "draft"][:1]}
    return show(request, "event", claim=claim, title=_("同一件事的申领"), **context)


@requires("claims.fill")
@never_cache
def withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take the claim back, after a second question. One of several drafts is left out; the others go on."""
    claim = filled(request, public_id)
    others = [one for one in open_together(claim) if one.pk != claim.pk]
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():

        def act() -> str:
            filing.withdraw(claim, by=actor(request))
            return to(request, "check", others[0].public_id) if others else to(request, "home")

        if address := attempt(form, act):
            messages.success(request, _("已撤回申领 {number}。").format(number=claim.number))
            return redirect(address)
    elif not intake.may_be_withdrawn(claim):
        return redirect(to(request, "status", public_id))
    return show(request, "withdraw", form, claim=claim, others=others)


def _paper(request: HttpRequest, public_id: uuid.UUID) -> ClaimDocument:
    paper = my_paper(public_id)
    if paper is None or not sees(paper.claim, actor(request)):
        raise Http404
    return paper


@requires("claims.fill")
@never_cache
def document(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A paper of one of my claims, or of one that I fill in for somebody."""
    return send_paper(_paper(request, public_id))


@requires("claims.fill")
@never_cache
def document_small(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A small picture of a photo."""
    paper = _paper(request, public_id)
    if paper.content_type != "image/jpeg":
        raise Http404
    return send(papers.small(papers.content_of(paper)), content_type="image/jpeg", file_name=paper.file_name)
