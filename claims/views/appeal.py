"""The claimant does not agree with a decision: until when, how, and what came of it."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from claims.models import Appeal, Claim
from claims.selectors.filing import fills
from claims.selectors.queue import appeal_ends
from claims.selectors.rules import rules
from claims.selectors.wordings import reason_words
from claims.services import appeals
from claims.views.parts import filled, show, to
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.offices.roles import Actor
from unionaid.web.asking import AskForm, KeyedForm
from unionaid.workflow.asking import attempt, attempt_once


class AppealForm(KeyedForm):
    """Why one does not agree."""

    grounds = forms.CharField(
        label=gettext_lazy("您不同意哪里，为什么"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("例如：出院记录已经补上；诊断应该属于第一类。有新材料的，交到办事处或写明在哪里。"),
        error_messages={"required": gettext_lazy("请写明您不同意哪里，为什么")},
    )  # fmt: skip


def appeal_context(claim: Claim, by: Actor) -> dict[str, Any]:
    """What the claim's page says about an appeal: the last one, by when it is answered, until when one may be filed by this person."""
    last = claim.appeals.select_related("office").order_by("-id").first()
    until = appeals.last_day(claim) if fills(claim, by) and (last is None or last.state == "withdrawn") else None
    return {
        "appeal": last,
        "appeal_answer_by": appeal_ends(last, rules()) if last and last.state == "filed" else None,
        "appeal_mine": last is not None and (by.member_id == claim.claimant_id or last.filed_by_id == by.user_id),
        "outcome": last.outcome if last else None,
        "appeal_until": until if until and until >= today() else None,
    }


@requires("claims.appeal")
@never_cache
def file(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The decision once more, and the form. Sent twice it is filed once."""
    claim, by = filled(request, public_id), actor(request)
    form = AppealForm(request.POST if request.method == "POST" else None)

    def act() -> str:
        appeals.file(claim, grounds=form.cleaned_data["grounds"], by=by, on=today())
        messages.success(request, _("申诉已提出。由没有经办过这份申领的人复核，结果会显示在这里。"))
        return to(request, "status", claim.public_id)

    if form.is_bound and form.is_valid() and (address := attempt_once(request, form, act)):
        return redirect(address)
    found = appeal_context(claim, by)
    if found["appeal_until"] is None:
        for words in form.non_field_errors() if form.is_bound else ():
            messages.warning(request, words)
        return redirect(to(request, "status", public_id))
    back = to(request, "status", claim.public_id)
    return show(request, "appeal", form, claim=claim, reason=reason_words(claim.reason_code), back=back, **found)


@requires("claims.appeal")
@never_cache
@require_POST
def withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take the appeal back."""
    claim = filled(request, public_id)
    appeal: Appeal | None = claim.appeals.filter(state="filed").first()
    if appeal is None:
        raise Http404
    form = AskForm({})
    form.is_valid()
    attempt(form, lambda: appeals.withdraw(appeal, by=actor(request)) and "done")
    for words in form.non_field_errors():
        messages.warning(request, words)
    return redirect(to(request, "status", public_id))
