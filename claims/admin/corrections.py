"""A decided case belongs to another class: the reviewer settles the facts anew, and the difference goes to the final review."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin.facts import FactsForm
from claims.models import Admission, Claim
from claims.services import corrections
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.web.dates import span
from unionaid.workflow.asking import attempt


class CorrectionForm(FactsForm):
    """The facts once more, and which stays or bills should not have counted."""

    struck = forms.TypedMultipleChoiceField(
        label=_("剔除下列住院或票据"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple,
        help_text=_("查实不该算进来的才选，例如重复的票据、别人的结算单；原来的申领里照样保留。至少留下一次"),
        error_messages={"invalid_choice": _("住院记录有变化，请刷新页面后再核定。")},
    )  # fmt: skip

    def __init__(self, data: Any, *, claim: Claim, schedule: Schedule, language: str) -> None:
        super().__init__(data, claim=claim, schedule=schedule, language=language)
        stays = list(claim.admissions.all())
        self.fields["struck"].choices = [(stay.pk, _stay_words(stay)) for stay in stays]  # type: ignore[attr-defined]
        if len(stays) < 2:
            del self.fields["struck"]
        self.order_fields([*(name for name in self.fields if name != "note"), "note"])

    def left_out(self) -> list[int]:
        """The keys of the stays that are left out."""
        found: list[int] = self.cleaned_data.get("struck", [])
        return found


def _stay_words(stay: Admission) -> str:
    days = span(stay.admitted_on, stay.discharged_on) if stay.admitted_on != stay.discharged_on else date_format(stay.admitted_on)
    words = gettext("{days}，医疗费总额 {total} 元").format(days=days, total=format_yuan(stay.medfee_sumamt_fen))
    return gettext("{words}，票据 {invoice}").format(words=words, invoice=stay.invoice_number) if stay.invoice_number else words


def reclassify_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts once more; what comes of it is a claim of its own."""
    rows = Claim.objects.select_related("member", "claimant", "enrolment", "terms", "program").filter(state__in=corrections.CORRECTABLE)
    claim = get_object_or_404(rows, pk=pk)
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    data = request.POST if request.method == "POST" else None
    form, status = CorrectionForm(data, claim=claim, schedule=schedule_of(claim.terms), language=language), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():

            def act() -> str:
                made = corrections.reclassify(
                    claim, form.facts(), by=actor(request), on=today(), note=form.cleaned_data["note"], grades=form.grades(),
                    struck=form.left_out(),
                )  # fmt: skip
                messages.success(request, gettext("已另立申领 {number}，等待另一个人终审。").format(number=made.number))
                return reverse("admin:claim_review", args=[made.pk])

            if address := attempt(form, act):
                return redirect(address)
            status = form.status
    title = gettext("申领 {number}：重新核定").format(number=claim.number)
    context = desk_context(
        request, trail=[list_of(Claim)], title=title, form=form, claim=claim, approved=format_yuan(claim.approved_fen or 0)
    )
    return render(request, "desk/claim_reclassify.html", context, status=status)
