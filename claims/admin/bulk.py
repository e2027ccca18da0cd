"""Bulk approval (批量批准) at the desk: the candidates with a box each, and what came of a request."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from claims.models import BulkApproval, Claim
from claims.services import bulk
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.web.asking import KeyedForm
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.jobs import result_page as shown_by
from unionaid.workflow.selectors import findable, job_by_key

findable(BulkApproval, number="", label="office__name")


@shown_by("claims.bulk_approve", "desk", "claims.approve")
def _done(bulk_id: int) -> str:
    return reverse("admin:claim_bulk_result", args=[bulk_id])


class BulkForm(KeyedForm):
    """Which of the candidates; nothing is ticked for anybody."""

    claims = forms.TypedMultipleChoiceField(
        label=_("申领"), coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("请至少勾选一件申领"), "invalid_choice": _("名单已经更新，请重新勾选"), "invalid_list": _("请勾选列出的申领"),
        },
    )  # fmt: skip
    sure = forms.BooleanField(
        label=_("我已看过名单，确认批准勾选的申领"), error_messages={"required": _("请勾选确认，再办理")}
    )


def bulk_page(request: HttpRequest) -> HttpResponse:
    """Tick and approve; a job does it, one by one."""
    by = actor(request)
    rows = list(bulk.candidates(by).select_related("member", "program", "office")[: bulk.MOST])
    form = BulkForm(request.POST if request.method == "POST" else None)
    form.fields["claims"].choices = [(row.pk, row.number) for row in rows]  # type: ignore[attr-defined]
    if form.is_valid():

        def act() -> str:
            made = bulk.request(form.cleaned_data["claims"], by=by)
            return reverse("admin:claim_bulk_result", args=[made[0].pk])

        if address := attempt_once(request, form, act):
            return redirect(address)
    ticked = set(form["claims"].value() or []) if form.is_bound else set()
    context: dict[str, Any] = {
        "title": _("批量批准"),
        "form": form,
        "rows": [(row, format_yuan(row.estimated_fen or 0), str(row.pk) in ticked) for row in rows],
        "past": BulkApproval.objects.select_related("requested_by").order_by("-id")[:10],
    }
    shown = desk_context(request, trail=[list_of(Claim)], **context)
    return render(request, "desk/claim_bulk.html", shown, status=form.status if form.errors else 200)


@require_GET
def result_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of each claim, or how far the job is."""
    found = get_object_or_404(BulkApproval.objects.select_related("requested_by", "office"), pk=pk)
    rows = list(found.rows.select_related("claim__member"))
    context: dict[str, Any] = {
        "title": _("批量批准的结果"),
        "bulk": found,
        "limit": format_yuan(found.limit_fen),
        "rows": [(row, format_yuan(row.claim.approved_fen or 0) if row.outcome == "approved" else "") for row in rows],
        "approved": sum(row.outcome == "approved" for row in rows),
        "job": None if found.finished_at else job_by_key(f"claims.bulk_approve:{found.pk}"),
    }
    trail = [list_of(Claim), (_("批量批准"), reverse("admin:claim_bulk"))]
    return render(request, "desk/claim_bulk_result.html", desk_context(request, trail=trail, **context))
