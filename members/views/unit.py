"""The unit agent's side of the counter: what there is to do, and the people."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from members.selectors import rosters as reading
from members.selectors.changes import waiting_departures
from members.selectors.people import member_of_user
from members.selectors.units import given_up
from members.views.unit_parts import PAGE, due_parts, show
from unionaid.lib.calendar import plus_days, today
from unionaid.offices.access import requires
from unionaid.workflow.notices import unread


@requires("unit.use")
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """My units, what to do next, what to pay, my rosters."""
    found, me = reading.my_units(), member_of_user(request.user)
    context = {
        "units": found,
        "rosters": reading.my_rosters(),
        "dues": [due_parts(due) for due in reading.open_dues()],
        "departures": waiting_departures(),
        "is_member": me is not None,
        "unread": unread(me) if me is not None else 0,
        "given_up": given_up(request.user, since=plus_days(today(), -90)),
        "can_upload": any(unit.state == "approved" for unit in found),
    }
    return show(request, "home", **context)


@requires("unit.use")
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """Everyone the agent's units have enrolled, with masked numbers; or those whose name begins as was asked."""
    named = request.GET.get("name", "").replace("\0", "").strip()[:60]
    page = Paginator(reading.people(named), PAGE).get_page(request.GET.get("page"))
    return show(request, "people", page=page, named=named, rows=reading.numbers_of(page.object_list))
