"""The front door: home, sign-post after login, health, and the error pages."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from unionaid.offices.roles import Actor
from unionaid.web.access import public


@public
def home(request: HttpRequest) -> HttpResponse:
    """The public first page; people who are logged in are led to their side of the counter."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if "stay" not in request.GET and request.user.is_authenticated:
        return redirect(side_of(actor))
    return render(request, "home.html")


def side_of(actor: Actor) -> str:
    """Where this person's work begins: staff at the desk, agents at their unit, workers at their own page."""
    if actor.posts:
        return reverse("admin:index")
    if actor.unit_ids:
        return reverse("members:unit_home")
    return reverse("claims:home")


@public
def health(request: HttpRequest) -> HttpResponse:
    """Answers when the site and its database answer; for load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's ticket is missing or old: say so, and how to go on."""
    return render(request, "403_csrf.html", status=403)
