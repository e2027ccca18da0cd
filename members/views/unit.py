"""The unit agent's side of the counter."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from members.selectors.cover import rosters_in_scope, units_in_scope
from unionaid.offices.access import requires


@requires("unit.use")
def home(request: HttpRequest) -> HttpResponse:
    """My units and their rosters."""
    return render(request, "members/unit/home.html", {"units": units_in_scope(), "rosters": rosters_in_scope()[:50]})
