"""The worker's first page: my cover and my claims."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from claims.selectors.claims import claims_in_scope
from members.selectors.cover import covers_in_scope
from unionaid.lib.calendar import plus_days
from unionaid.lib.money import format_yuan
from unionaid.offices.access import requires


@requires("my.use")
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Everything I am in, since when, until when; every claim and where it is."""
    covers, claims = list(covers_in_scope()[:50]), list(claims_in_scope()[:50])
    for cover in covers:
        cover.last_day = plus_days(cover.cover.upper, -1)
    for claim in claims:
        claim.amount = format_yuan(claim.approved_fen) if claim.approved_fen else ""
    context = {"member": request.actor.member_id, "covers": covers, "claims": claims}  # type: ignore[attr-defined]
    return render(request, "members/worker/home.html", context)
