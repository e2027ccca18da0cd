"""Beside the decision: the next claim, a note for colleagues, a flag that is no obstacle."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from claims.models import Claim, ClaimFlag
from claims.services import notes, screening, unit_review
from claims.services.handing import take_next
from unionaid.lib.calendar import today
from unionaid.offices.access import actor
from unionaid.offices.desk import refused, written
from unionaid.offices.lists import whole
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused


@require_POST
def take_page(request: HttpRequest) -> HttpResponse:
    """Hand out the next claim, of one queue or of any; say so when there is none."""
    claim = take_next(by=actor(request), queue=written(request, "queue"), leave=whole(request.POST.get("leave")) or None)
    if claim is None:
        messages.info(request, gettext("没有等待您办理的申领了。"))
        return redirect("admin:claims_claim_changelist")
    return redirect("admin:claim_review", pk=claim.pk)


@require_POST
def note_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a note; it stands for good."""
    claim = get_object_or_404(Claim.objects.exclude(state="draft"), pk=pk)
    try:
        with transaction.atomic():
            notes.write(claim, written(request, "text"), by=actor(request))
    except MoveRefused as no:
        return refused(request, no.message, status=status_of(no))
    return redirect(f"{reverse('admin:claim_review', args=[pk])}#notes")


@require_POST
def dismiss_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Dismiss one flag of this claim with a reason, or have them all computed anew."""
    claim = get_object_or_404(Claim.objects.exclude(state="draft"), pk=pk)
    try:
        with transaction.atomic():
            if "again" in request.POST:
                screening.screen([claim])
            else:
                flag = get_object_or_404(ClaimFlag.objects.filter(claim=claim), pk=whole(request.POST.get("flag")))
                screening.dismiss(flag, by=actor(request), reason=written(request, "reason"))
    except MoveRefused as no:
        return refused(request, no.message, status=status_of(no))
    return redirect(f"{reverse('admin:claim_review', args=[pk])}#flags")


@require_POST
def pass_by_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a claim from the unit without waiting, with the reason."""
    claim = get_object_or_404(Claim.objects.select_related("member", "claimant").exclude(state="draft"), pk=pk)
    try:
        with transaction.atomic():
            unit_review.pass_by(claim, by=actor(request), on=today(), note=written(request, "note")[:500])
    except MoveRefused as no:
        return refused(request, no.message, status=status_of(no))
    messages.success(request, gettext("申领 {number} 不经单位核对，等待初审。").format(number=claim.number))
    return redirect("admin:claim_review", pk=pk)
