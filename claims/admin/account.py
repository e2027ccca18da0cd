"""Stopping the payment to an account that was not changed by the claimant, as told to the office."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from claims.admin.review import claim_or_404
from claims.services import accounts
from unionaid.offices import desk
from unionaid.offices.access import actor
from unionaid.workflow.asking import outcome


@require_POST
def dispute_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is paid to the account that was changed; the claimant is told."""
    claim = claim_or_404(pk)
    status, refused = outcome(lambda: accounts.dispute(claim, by=actor(request)))
    if refused:
        return desk.refused(request, refused, status=status)
    messages.success(request, gettext("付款已停下，并通知了申领人。"))
    return redirect("admin:claim_review", pk=pk)
