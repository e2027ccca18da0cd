"""Filling in a claim: each page saves; one may leave and come back. The same pages serve a supplement."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from claims.forms import AccountForm, CardForm, MedicalForm, PapersForm, StayForm, SubmitForm, WhatForm
from claims.help_form import HelpForm
from claims.models import Admission, Claim
from claims.selectors.claims import open_together
from claims.selectors.estimate import estimates, in_words, left_in_words
from claims.selectors.journey import NOT_MEDICAL, TOLD, Draft, Part, draft_of
from claims.services import filing, intake, together
from claims.shared_form import SharedForm
from claims.views.answers import answers_of
from claims.views.parts import drafting, filled, onward, paper_names, show, step_context, to
from members.models import BankCard
from programs.rules.assess import Assessment
from programs.rules.facts import AFTER_ACCIDENT, HARDSHIP
from programs.rules.schedule import Document
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.offices.access import actor, requires
from unionaid.workflow.asking import attempt, attempt_once


def _go(request: HttpRequest, draft: Draft, page: str) -> HttpResponse:
    return redirect(to(request, page, draft.claim.public_id))


@requires("claims.fill")
@never_cache
@drafting
def resume(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Where one left off."""
    return _go(request, draft, draft.next_step if draft.claim.state == "draft" else "supplement")


@requires("claims.fill")
@never_cache
@drafting
def what(request: HttpRequest, draft: Draft) -> HttpResponse:
    """An accident or a death: when, where, how; or what the difficulty is."""
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    parts = [part for part in draft.parts if part.claim.event in TOLD]
    each = [(one.claim, _what_form(one.claim)(request.POST or None, claim=one.claim, needs=one.needs, language=language)) for one in parts]
    return _told(request, draft, "what", each)


def _what_form(claim: Claim) -> type[HelpForm] | type[WhatForm]:
    return HelpForm if claim.event == HARDSHIP else WhatForm


@requires("claims.fill")
@never_cache
@drafting
def medical(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Hospital and diagnosis."""
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    parts = [part for part in draft.parts if part.claim.event not in NOT_MEDICAL]
    each = [(part.claim, MedicalForm(request.POST or None, claim=part.claim, needs=part.needs, language=language)) for part in parts]
    if draft.is_accident:
        for _claim, form in each:
            form.leave_out_accident()
    return _told(request, draft, "medical", each)


def _told(request: HttpRequest, draft: Draft, name: str, each: list[tuple[Claim, Any]]) -> HttpResponse:
    if name not in [step.name for step in draft.steps]:
        raise Http404
    form = SharedForm(each)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            told = [(claim, one.facts()) for claim, one in form.each]
            if name == "what":
                told += _stays_of_accident(draft, told)
            together.tell(told, by=actor(request), on=today())
            return to(request, onward(request, draft, name), draft.claim.public_id)

        if address := attempt(form, act):
            return redirect(address)
    return show(request, "ask", form, **step_context(request, draft, name))


def _stays_of_accident(draft: Draft, told: list[tuple[Claim, dict[str, Any]]]) -> list[tuple[Claim, dict[str, Any]]]:
    """What is claimed for the stays and operations after the same accident hears of its day too: it is asked once."""
    days = [facts["accident_on"] for _claim, facts in told if facts.get("accident_on")]
    return [(claim, {"accident_on": days[0]}) for claim in draft.claims if days and claim.event in AFTER_ACCIDENT]


# -- stays ----------------------------------------------------------------------------------------------------------


@requires("claims.fill")
@never_cache
@drafting
def stays(request: HttpRequest, draft: Draft) -> HttpResponse:
    """The stays or settlements written down so far."""
    if not draft.needs.stays:
        raise Http404
    if not draft.stays and draft.needs.stays == "required":
        return _go(request, draft, "stay_new")
    rows = [(stay, format_yuan(stay.medfee_sumamt_fen) if stay.medfee_sumamt_fen else "") for stay in draft.stays]
    return show(request, "stays", rows=rows, onward=_onward(request, draft, "stays"), **step_context(request, draft, "stays"))


@requires("claims.fill")
@never_cache
@drafting
def stay_new(request: HttpRequest, draft: Draft) -> HttpResponse:
    """One more stay."""
    return _stay(request, draft, None)


@requires("claims.fill")
@never_cache
@drafting
def stay_edit(request: HttpRequest, draft: Draft, pk: int) -> HttpResponse:
    """Correct a stay."""
    return _stay(request, draft, _stay_of(draft, pk))


def _stay(request: HttpRequest, draft: Draft, stay: Admission | None) -> HttpResponse:
    if not draft.needs.stays:
        raise Http404
    form = StayForm(request.POST or None, claim=draft.claim, needs=draft.needs, stay=stay)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            together.set_stay(draft.with_stays, **form.stay(), stay=stay, by=actor(request), on=today())
            return to(request, "stays", draft.claim.public_id) + ("?change=1" if "change" in request.GET else "")

        if address := attempt_once(request, form, act):
            return redirect(address)
    return show(request, "stay", form, stay=stay, **step_context(request, draft, "stays"))


@requires("claims.fill")
@never_cache
@require_POST
@drafting
def stay_remove(request: HttpRequest, draft: Draft, pk: int) -> HttpResponse:
    """Take back a stay."""
    try:
        together.remove_stay(draft.with_stays, _stay_of(draft, pk), by=actor(request))
        messages.success(request, _("已删除这次记录。"))
    except intake.ClaimRefused as no:  # sent in or taken back from another window just now
        messages.error(request, no.message)
    return _go(request, draft, "stays")


def _stay_of(draft: Draft, pk: int) -> Admission:
    found = next((stay for stay in draft.stays if stay.pk == pk), None)
    if found is None:
        raise Http404
    return found


# -- papers ---------------------------------------------------------------------------------------------------------


@requires("claims.fill")
@never_cache
@drafting
def documents(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Every paper the plan asks for, each with its own button; several photos at once."""
    kinds = list(_kinds(request, draft).items())
    form = PapersForm(request.POST, request.FILES, kinds=kinds) if request.method == "POST" else PapersForm(kinds=kinds)
    if form.is_valid():
        kind, files = form.cleaned_data["kind"], form.cleaned_data["files"]

        def act() -> str:
            together.add_documents(draft.taking(kind), kind=kind, uploads=files, by=actor(request))
            return f"{request.get_full_path()}#paper-{kind}"

        if address := attempt(form, act):
            messages.success(request, _("已收到 {count} 个文件。").format(count=len(files)))
            return redirect(address)
    return _documents_page(request, draft, form)


def _documents_page(request: HttpRequest, draft: Draft, form: PapersForm) -> HttpResponse:
    context = {"onward": _onward(request, draft, "documents"), "kinds": _papers(draft, _kinds(request, draft), form)}
    return show(request, "documents", form, **context, **step_context(request, draft, "documents"))


def _kinds(request: HttpRequest, draft: Draft) -> dict[str, str]:
    return paper_names(draft, request.LANGUAGE_CODE)  # type: ignore[attr-defined]


def _papers(draft: Draft, kinds: dict[str, str], form: PapersForm) -> list[dict[str, Any]]:
    kept = intake.kept_documents(draft.claim)
    wanted: dict[str, Document] = {document.code: document for document in draft.wanted}
    asked = form.data.get("kind") if form.is_bound else None
    return [
        {
            "code": code,
            "words": words,
            "required": code in wanted and wanted[code].required,
            "papers": [(paper, paper.pk not in kept, paper.content_type == "image/jpeg") for paper in draft.papers if paper.kind == code],
            "errors": form.errors.get("files", []) if asked == code else [],
        }
        for code, words in kinds.items()
    ]


@requires("claims.fill")
@never_cache
@require_POST
@drafting
def document_remove(request: HttpRequest, draft: Draft, paper: uuid.UUID) -> HttpResponse:
    """Take back a paper before it is sent in."""
    found = next((row for row in draft.papers if row.public_id == paper), None)
    if found is None:
        raise Http404
    try:
        together.remove_document(draft.claims, found, by=actor(request))
        messages.success(request, _("已删除“{name}”。").format(name=found.file_name))
    except intake.ClaimRefused as no:
        messages.error(request, no.message)
        return _documents_page(request, draft, PapersForm(kinds=[]))
    return _go(request, draft, "documents")


# -- account --------------------------------------------------------------------------------------------------------


@requires("claims.fill")
@never_cache
@sensitive_post_parameters("number", "number_again")
@drafting
def account(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Where the benefit goes: an account kept already, or a new one; always the claimant's own."""
    claim, by = draft.claim, actor(request)

    def use(card: BankCard) -> str:
        together.choose_card(draft.claims, card, by=by)
        return to(request, onward(request, draft, "account"), claim.public_id)

    cards, chosen, fresh = account_forms(request, draft.claim)
    address = take_account(request, claim, chosen, fresh, use)
    if address:
        return redirect(address)
    wrong = next((form for form in (chosen, fresh) if form.is_bound), None)
    return show(request, "account", wrong, cards=cards, chosen=chosen, fresh=fresh, **step_context(request, draft, "account"))


def account_forms(
    request: HttpRequest, claim: Claim, *, leave_out: int | None = None
) -> tuple[list[BankCard], CardForm, AccountForm]:
    """The claimant's accounts, and the two forms: choose one, or add one."""
    cards = _known_cards(request, claim, leave_out)
    which = request.POST.get("which") if request.method == "POST" else ""
    behalf = "" if claim.claimant_id == actor(request).member_id else claim.claimant.name
    chosen = CardForm(request.POST if which == "kept" else None, cards=cards, chosen=claim.card_id, behalf=behalf)
    fresh = AccountForm(request.POST if request.method == "POST" and which != "kept" else None, behalf=behalf)
    return cards, chosen, fresh


def _known_cards(request: HttpRequest, claim: Claim, leave_out: int | None) -> list[BankCard]:
    """The claimant's own accounts; whoever files for them is shown the one of this claim alone."""
    if claim.claimant_id != actor(request).member_id:
        return [claim.card] if claim.card and claim.card_id != leave_out else []
    return list(claim.claimant.cards.filter(retired_at=None).exclude(pk=leave_out).order_by("-id")[:10])


def take_account(request: HttpRequest, claim: Claim, chosen: CardForm, fresh: AccountForm, use: Any) -> str:
    """Hand the account that was chosen or added to `use`; the address to go to, or empty when nothing was sent or it was refused."""
    if chosen.is_bound and chosen.is_valid():
        card = next(card for card in _known_cards(request, claim, None) if card.pk == int(chosen.cleaned_data["card"]))
        return attempt_once(request, chosen, lambda: use(card))
    if fresh.is_bound and fresh.is_valid():
        told = fresh.cleaned_data

        def act() -> str:
            card = intake.own_account(claim.claimant, bank_name=told["bank_name"], number=told["number"], by=actor(request))
            return str(use(card))

        return attempt_once(request, fresh, act)
    return ""


# -- check and send in ----------------------------------------------------------------------------------------------


@requires("claims.fill")
@never_cache
def check(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Check your answers, see the estimate, send in. Sent twice it is sent once, and both times answered alike."""
    claim = filled(request, public_id)
    form = SubmitForm(request.POST or None, events=[claim.event])
    if request.method == "POST" and form.is_valid():
        if address := attempt_once(request, form, lambda: _send(request, claim)):
            return redirect(address)
        claim = filled(request, public_id)
    if claim.state not in intake.OPEN:
        for message in form.non_field_errors():
            messages.warning(request, message)
        return redirect(to(request, "status", public_id))
    return _check_page(request, draft_of(claim), form)


def _send(request: HttpRequest, claim: Claim) -> str:
    by, on = actor(request), today()
    if claim.state == "draft":
        filing.send_in(open_together(claim), by=by, on=on)
    else:
        intake.supplement(claim, by=by, on=on)
    return to(request, "submitted", claim.public_id)


def _check_page(request: HttpRequest, draft: Draft, form: SubmitForm) -> HttpResponse:
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    gaps = [step for step in draft.steps if not step.done and step.name != "check"]
    context = {"gaps": gaps, "sections": answers_of(request, draft), "plans": _plans(draft, language)}
    return show(request, "check", form, **context, **step_context(request, draft, "check"))


def _too_early(draft: Draft) -> bool:
    """Is something missing that the amount depends on?"""
    return any(not step.done for step in draft.steps if step.name in ("what", "medical", "stays"))


def _plans(draft: Draft, language: str) -> list[dict[str, Any]]:
    """Each claim of the event: its plan, what it is likely to give, the papers it wants. No amount while facts are missing."""
    found = [None] * len(draft.parts) if _too_early(draft) else estimates(draft.claims, on=today())
    return [_plan(part, one, language) for part, one in zip(draft.parts, found, strict=True)]


def _plan(part: Part, found: Assessment | None, language: str) -> dict[str, Any]:
    papers = _("、").join(paper.name.in_language(language) for paper in part.wanted if paper.required)
    plan: dict[str, Any] = {"claim": part.claim, "papers": papers}
    if found is None:
        return plan
    told = found.as_data()
    left = left_in_words(told, schedule_of(part.claim.terms), language, reader="worker")
    total = format_yuan(fen_from_yuan(found.total))
    return plan | {"is_told": True, "total": total, "is_nothing": found.total == 0, "items": in_words(told, language), "left": left}


@requires("claims.fill")
@never_cache
@drafting
def supplement(request: HttpRequest, draft: Draft) -> HttpResponse:
    """What the reviewer asked for, and the ways to add it."""
    if draft.claim.state == "draft":
        return _go(request, draft, draft.next_step)
    changeable = [step for step in draft.steps if step.name not in ("documents", "check")]
    return show(request, "supplement", claim=draft.claim, changeable=changeable)


def _onward(request: HttpRequest, draft: Draft, name: str) -> str:
    return to(request, onward(request, draft, name), draft.claim.public_id)

