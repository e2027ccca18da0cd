"""What the pages of a claim have in common, for the worker and for whoever files for them: whose claim it is, whether it is still open,
on which side of the counter one is. The form stands at /my/claims/ and, under the same names, at /unit/filing/ and /admin/intake/."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from claims.models import Claim
from claims.selectors.claims import my_claim
from claims.selectors.filing import fills, sees
from claims.selectors.journey import Draft, draft_of
from claims.services import intake
from unionaid.offices.access import actor
from unionaid.web.asking import AskForm, pages

View = Callable[..., HttpResponse]

FOR = "filing_for"  # in the session of a unit's agent: the worker for whom they begin
TAKEN_FOR = "taken_in_for"  # in the session of the desk: the worker, and the heir who claims after their death
FILING, INTAKE = "filing", "intake"  # the names under which the form stands on the unit's side, and at the desk
_show = pages("claims/worker")


def at_unit(request: HttpRequest) -> bool:
    """Is this page of the form the one on the unit's side?"""
    return request.resolver_match is not None and request.resolver_match.namespace == FILING


def at_desk(request: HttpRequest) -> bool:
    """Is this page of the form the one at the desk?"""
    return request.path.startswith("/admin/")


def behind_counter(request: HttpRequest) -> bool:
    """Does one fill the form in for whoever stands before one, at the unit or at the desk?"""
    return at_unit(request) or at_desk(request)


def to(request: HttpRequest, name: str, *args: Any) -> str:
    """The address of a page of this room, on the side one is on."""
    side = FILING if at_unit(request) else INTAKE if at_desk(request) else "claims"
    return reverse(f"claims:{name}", args=args, current_app=side)


def show(request: HttpRequest, template: str, form: AskForm | None = None, **context: Any) -> HttpResponse:
    """A page of the form, which says for whom one fills it in."""
    claim = context.get("claim")
    if isinstance(claim, Claim) and claim.filed_as and claim.claimant_id != actor(request).member_id:
        context["behalf"] = claim.claimant.name
        context["deceased"] = claim.member.name if claim.heir else ""
    sides = {"at_unit": at_unit(request), "at_desk": at_desk(request), "behind_counter": behind_counter(request)}
    return _show(request, template, form, **sides, **context)


def mine(request: HttpRequest, public_id: uuid.UUID) -> Claim:
    """One of the worker's claims, or one that this person fills in for somebody; 404 for all others."""
    claim = my_claim(public_id)
    if claim is None or not sees(claim, actor(request)):
        raise Http404
    return claim


def filled(request: HttpRequest, public_id: uuid.UUID) -> Claim:
    """A claim that this person may fill in: their own, or one that they began for somebody."""
    claim = mine(request, public_id)
    if not fills(claim, actor(request)):
        raise Http404
    return claim


def own(request: HttpRequest, public_id: uuid.UUID) -> Claim:
    """A claim that the worker applies with: not one that somebody else applied with for them."""
    claim = mine(request, public_id)
    if claim.claimant_id != actor(request).member_id:
        raise Http404
    return claim


def drafting(view: View) -> View:
    """A page of the form: gets the open claim as a `Draft`. A claim that was sent in is shown where it stands instead."""

    @wraps(view)
    def guarded(request: HttpRequest, public_id: uuid.UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        claim = filled(request, public_id)
        if claim.state not in intake.OPEN:
            if request.method == "POST":
                messages.warning(request, _("没有保存：这份申领已经提交，现在不能修改。需要更正请联系办事处。"))
            return redirect(to(request, "status", public_id))
        return view(request, draft_of(claim), *args, **kwargs)

    return guarded


def step_context(request: HttpRequest, draft: Draft, name: str) -> dict[str, Any]:
    """Where this page stands in the form, and which papers are still missing."""
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    return {
        "missing": _("、").join(document.name.in_language(language) for document in draft.missing),
        "draft": draft,
        "claim": draft.claim,
        "name": name,
        "title": next(step.title for step in draft.steps if step.name == name),
        "step": draft.number_of(name),
        "steps": len(draft.steps),
        "before": draft.before(name),
    }


def onward(request: HttpRequest, draft: Draft, name: str) -> str:
    """The name of the page after this one: the check when one came from there to change something."""
    back_to_check = "change" in request.GET or draft.claim.state != "draft"
    return "check" if back_to_check else draft.after(name)


def paper_names(draft: Draft, language: str) -> dict[str, str]:
    """What papers may be sent, by code; `other` is for what the reviewer asks for beyond the plan's list."""
    return {document.code: document.name.in_language(language) for document in draft.wanted} | {"other": _("其他材料")}
