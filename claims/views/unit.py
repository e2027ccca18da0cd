"""The unit agent's side: claims of the unit's people that the plan sends there first."""

import uuid
from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from claims.models import Claim
from claims.selectors.at_unit import claim_at_unit, waiting_at_unit
from claims.selectors.filing import filer_words
from claims.services import unit_review
from programs.rules.papers import AUTHORISATION
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.web.asking import AskForm, pages
from unionaid.workflow.asking import attempt

_show = pages("claims/unit")


class UnitForm(AskForm):
    """In order, or back with words for the worker."""

    decision = forms.ChoiceField(
        choices=[("pass", ""), ("return", ""), ("decline", "")], widget=forms.HiddenInput(),
        error_messages={"required": gettext_lazy("请选择转办事处或退回"), "invalid_choice": gettext_lazy("请选择转办事处或退回")},
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("说明（退回或转出时必填；退回的，职工会看到）"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class PassForm(AskForm):
    """Which of the waiting claims were found in order; nothing is ticked for anybody."""

    claims = forms.MultipleChoiceField(
        label=gettext_lazy("申领"),
        error_messages={
            "required": gettext_lazy("请勾选核对过的申领"), "invalid_choice": gettext_lazy("名单已经更新，请重新勾选"),
            "invalid_list": gettext_lazy("请勾选列出的申领"),
        },
    )  # fmt: skip
    sure = forms.BooleanField(
        label=gettext_lazy("勾选的我都逐件核对过：是本单位的职工，事情属实，材料齐"),
        error_messages={"required": gettext_lazy("请确认逐件核对过，再办理")},
    )


@requires("claims.unit_review")
@never_cache
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for the unit; several that are in order go on to the office together."""
    rows = waiting_at_unit()
    form = PassForm(request.POST if request.method == "POST" else None)
    form.fields["claims"].choices = [(str(row.public_id), row.number) for row in rows]  # type: ignore[attr-defined]
    if form.is_bound and form.is_valid() and (address := attempt(form, lambda: _pass_on(request, rows, form))):
        return redirect(address)
    ticked = set(form["claims"].value() or [])
    return _show(request, "waiting", form, claims=[(row, str(row.public_id) in ticked) for row in rows], days=unit_review.DAYS)


def _pass_on(request: HttpRequest, rows: Sequence[Claim], form: PassForm) -> str:
    """Each on its own: what cannot go is named and stops none of the others."""
    chosen = [row for row in rows if str(row.public_id) in form.cleaned_data["claims"]]
    refused = unit_review.pass_on_each(chosen, by=actor(request), on=today())
    if len(refused) == len(chosen):
        raise next(iter(refused.values()))
    messages.success(request, _("{count} 件申领已转办事处。").format(count=len(chosen) - len(refused)))
    for row in chosen:
        if no := refused.get(row.pk):
            messages.warning(request, _("申领 {number} 没有转：{why}").format(number=row.number, why=no.message))
    return reverse("claims:unit_claims")


@requires("claims.unit_review")
@never_cache
def review(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Who, when, where and which papers; on to the office, or back."""
    claim = claim_at_unit(public_id)
    if claim is None:
        raise Http404
    form = UnitForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (address := attempt(form, lambda: _act(request, claim, form))):
        return redirect(address)
    kinds = (*schedule_of(claim.terms).documents, AUTHORISATION)
    names = {paper.code: paper.name.in_language(request.LANGUAGE_CODE) for paper in kinds}  # type: ignore[attr-defined]
    papers = [names.get(kind, _("其他材料")) for kind in claim.documents.values_list("kind", flat=True)]
    theirs = claim.filed_by_id == actor(request).user_id
    return _show(
        request, "review", form, claim=claim, papers=papers, filer=filer_words(claim), filed_by_me=theirs, open=claim.state == "unit_review"
    )


def _act(request: HttpRequest, claim: Claim, form: UnitForm) -> str:
    decision = form.cleaned_data["decision"]
    act = {"pass": unit_review.pass_on, "return": unit_review.give_back, "decline": unit_review.pass_by}[decision]
    act(claim, by=actor(request), on=today(), note=form.cleaned_data["note"])
    done = _("申领 {number} 已退回职工补充。") if decision == "return" else _("申领 {number} 已转办事处。")
    messages.success(request, done.format(number=claim.number))
    return reverse("claims:unit_claims")
