"""Halting a payment at the desk: one person says why, another confirms it or lets the payment go on."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin.words import standing_words, tone_of
from claims.models import Claim
from claims.services import halts
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm, sent
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt

SHOWN = (*halts.HALTABLE, "halt_proposed", "halted")


class ProposeForm(AskForm):
    """Why the decision is not to be paid."""

    reason = forms.CharField(
        label=_("为什么停付（确认后申领人会看到）"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("请写明为什么停付"), "max_length": _("原因不超过 500 字")},
    )  # fmt: skip
    clause = forms.CharField(
        label=_("依据的条款"), max_length=60, error_messages={"required": _("请写明依据的条款"), "max_length": _("条款不超过 60 字")}
    )


class DecideForm(AskForm):
    """A second person's word."""

    decision = forms.ChoiceField(
        label=_("决定"), choices=[("confirm", ""), ("resume", "")], widget=forms.HiddenInput,
        error_messages={"required": _("请选择确认停付或照常付款"), "invalid_choice": _("请选择确认停付或照常付款")},
    )  # fmt: skip
    note = forms.CharField(
        label=_("核对的结果（照常付款时必填，只有办理人看到）"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}), error_messages={"max_length": _("核对的结果不超过 500 字")},
    )  # fmt: skip


def halt_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What is to be paid and why it should not be; the one form that is open to this person now."""
    rows = Claim.objects.select_related("member", "claimant", "enrolment", "terms", "program", "halt_proposed_by", "halted_by")
    claim = get_object_or_404(rows, pk=pk, state__in=SHOWN)
    by, status = actor(request), 200
    form = _form(claim, by, request)
    if request.method == "POST":
        if form is None:
            status = 403
        elif form.is_valid() and (address := _decided(request, claim, form)):
            return redirect(address)
        else:
            status = form.status
        claim.refresh_from_db(fields=["state", "version"])
    return render(request, "desk/claim_halt.html", _context(request, claim, form), status=status)


def _form(claim: Claim, by: Actor, request: HttpRequest) -> AskForm | None:
    """The form that is open to this person: to propose, to decide (confirming asks again who they are), or none."""
    data = sent(request)[0]
    if by.user_id in (claim.member.user_id, claim.claimant.user_id):
        return None
    if claim.state in halts.HALTABLE and may(by, "halts.propose", claim.office_id):
        return ProposeForm(data)
    if claim.state == "halt_proposed" and may(by, "halts.confirm", claim.office_id):
        form = DecideForm(data)
        if claim.halt_proposed_by_id != by.user_id:
            stepup.ask(form, request, required=request.POST.get("decision") == "confirm")
        return form
    return None


def _decided(request: HttpRequest, claim: Claim, form: AskForm) -> str:
    """The address to go on to; empty when it was refused or had to be proven and was not: the form says why."""
    confirms = form.cleaned_data.get("decision") == "confirm"
    by = stepup.prove(form, request, claim, actor(request)) if confirms else actor(request)
    return attempt(form, lambda: _done(request, claim, form, by)) if by else ""


def _done(request: HttpRequest, claim: Claim, form: AskForm, by: Actor) -> str:
    said, on = form.cleaned_data, today()
    if isinstance(form, ProposeForm):
        halts.propose(claim, reason=said["reason"], clause=said["clause"], by=by, on=on)
        messages.success(request, gettext("已暂停付款，请另一位同事确认。"))
        return reverse("admin:claim_halt", args=[claim.pk])
    if said["decision"] == "resume":
        halts.resume(claim, by=by, note=said["note"])
        messages.success(request, gettext("照常付款，并通知了申领人。"))
        return reverse("admin:claim_review", args=[claim.pk])
    made = halts.confirm(claim, by=by, on=on, note=said["note"])
    messages.success(request, gettext("已停付并退回占用的额度，另立申领 {number} 等待初审，并通知了申领人。").format(number=made.number))
    return reverse("admin:claim_review", args=[made.pk])


def _context(request: HttpRequest, claim: Claim, form: AskForm | None) -> dict[str, Any]:
    by = actor(request)
    waits = claim.state == "halt_proposed" and may(by, "halts.confirm", claim.office_id)
    return desk_context(
        request,
        trail=[list_of(Claim), (claim.number, reverse("admin:claim_review", args=[claim.pk]))],
        title=gettext("停付：申领 {number}").format(number=claim.number),
        claim=claim,
        state_words=standing_words(claim.state),
        tone=tone_of(claim),
        approved=format_yuan(claim.approved_fen or 0),
        clauses=sorted({item.clause for item in schedule_of(claim.terms).items}),
        form=form,
        proposing=isinstance(form, ProposeForm),
        may_confirm=claim.halt_proposed_by_id != by.user_id,
        own=waits and claim.halt_proposed_by_id == by.user_id,
        outcome=claim.corrections.first() if claim.state == "halted" else None,
    )


@todo("halts.confirm")
def halts_to_confirm(by: Actor) -> Iterable[Todo]:
    """Payments that are held until a second person has looked."""
    rows = Claim.objects.filter(stage="halt_proposed").exclude(halt_proposed_by=by.user_id)
    yield waiting(_("待确认的停付"), rows, "halt_proposed_at", f"{reverse('admin:claims_claim_changelist')}?state=halt_proposed")
