"""A decided case belongs to another class: the reviewer settles the facts anew, and the difference goes to the final review."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from claims.admin.facts import FactsForm
from claims.models import Claim
from claims.services import corrections
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.workflow.asking import attempt


def reclassify_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts once more; what comes of it is a claim of its own."""
    rows = Claim.objects.select_related("member", "claimant", "enrolment", "terms", "program").filter(state__in=corrections.CORRECTABLE)
    claim = get_object_or_404(rows, pk=pk)
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    data = request.POST if request.method == "POST" else None
    form, status = FactsForm(data, claim=claim, schedule=schedule_of(claim.terms), language=language), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():

            def act() -> str:
                made = corrections.reclassify(
                    claim, form.facts(), by=actor(request), on=today(), note=form.cleaned_data["note"], grades=form.grades()
                )
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
