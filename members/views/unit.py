"""The unit agent's side of the counter: units, rosters, what to pay, people."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from members.forms.unit import RosterForm
from members.models import ContributionDue, Roster, WorkUnit
from members.selectors import rosters as reading
from members.selectors.people import member_of_user
from members.selectors.units import given_up
from members.services import rosters
from members.transitions import DUE_LIVE
from programs.models import Terms
from programs.selectors import schedule_of
from unionaid.lib.calendar import plus_days, today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires
from unionaid.web.asking import pages
from unionaid.web.dates import length
from unionaid.web.files import XLSX, send
from unionaid.workflow.asking import attempt, status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused

PAGE = 100

_show = pages("members/unit")


@result_page("members.check_roster", "unit", "unit.use")
@result_page("members.commit_roster", "unit", "unit.use")
def _address(roster_id: int) -> str:
    return reverse("members:roster", args=[roster_id])


def _unit(pk: int) -> WorkUnit:
    unit = reading.my_unit(pk)
    if unit is None:
        raise Http404
    return unit


def _roster(pk: int) -> Roster:
    roster = reading.my_roster(pk)
    if roster is None:
        raise Http404
    return roster


@requires("unit.use")
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """My units, what to do next, what to pay, my rosters."""
    found = reading.my_units()
    context = {
        "units": found,
        "rosters": reading.my_rosters(),
        "dues": [_due(due) for due in reading.open_dues()],
        "is_member": member_of_user(request.user) is not None,
        "given_up": given_up(request.user, since=plus_days(today(), -90)),
        "can_upload": any(unit.state == "approved" for unit in found),
    }
    return _show(request, "home", **context)


def _due(due: ContributionDue) -> dict[str, Any]:
    return {
        "due": due,
        "live": due.state in DUE_LIVE,
        "amount": format_yuan(due.owed_fen if due.state in DUE_LIVE else due.amount_fen),
        "paid": format_yuan(due.paid_fen) if due.state == "part_paid" else "",
        "office": due.unit.office if due.unit else None,
    }


# -- rosters --------------------------------------------------------------------------------------------------------


@requires("rosters.upload")
@never_cache
def roster_plans(request: HttpRequest, pk: int) -> HttpResponse:
    """The plans this unit may join now, each with its template and the way to upload."""
    found = _unit(pk)
    if found.state != "approved":
        messages.warning(request, _("单位登记还没有通过审核，通过后才能上传名册。"))
        return redirect("members:unit", pk)
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    plans = [
        {"terms": terms, "name": s.name.in_language(language), "summary": s.summary.in_language(language), "closes": s.enrolling.closes}
        for terms in reading.plans_of(found)
        if (s := schedule_of(terms)).enrolling.relations[0] == "self"
    ]
    return _show(request, "roster_plans", unit=found, plans=plans)


def _plan(found: WorkUnit, terms_id: int) -> Terms:
    terms = next((terms for terms in reading.plans_of(found) if terms.pk == terms_id), None)
    if terms is None:
        raise Http404
    return terms


@requires("rosters.upload")
@never_cache
def roster_template(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """An empty roster to fill in."""
    terms = _plan(_unit(pk), terms_id)
    content = rosters.template_sheet(schedule_of(terms))
    return send(content, content_type=XLSX, file_name=_("名册模板-{plan}.xlsx").format(plan=terms.program.title), as_attachment=True)


@requires("rosters.upload")
@never_cache
def roster_upload(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """Send the roster's file; it is checked in the background."""
    found = _unit(pk)
    terms = _plan(found, terms_id)
    lengths = schedule_of(terms).terms
    form = RosterForm(request.POST, request.FILES, terms=lengths) if request.method == "POST" else RosterForm(terms=lengths)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]

        def act() -> str:
            made = rosters.upload(
                unit=found, terms=terms, data=file.read(), file_name=file.name, by=actor(request), on=today(),
                term_months=form.cleaned_data.get("term_months"),
            )  # fmt: skip
            return reverse("members:roster", args=[made.pk])

        if address := attempt(form, act):
            return redirect(address)
    return _show(request, "roster_upload", form, unit=found, terms=terms)


@requires("unit.use")
@never_cache
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """One roster: being read, its preview with every row, being enrolled, what to pay."""
    return _roster_page(request, _roster(pk))


def _roster_page(request: HttpRequest, found: Roster, *, refused: str = "", status: int = 200) -> HttpResponse:
    only_bad = request.GET.get("only") == "bad"
    pages = Paginator(reading.rows_of(found, only_bad=only_bad), PAGE)
    page = pages.get_page(request.GET.get("page"))
    owed = found.dues.select_related("unit__office").order_by("id") if found.state in ("committed", "effective") else []
    context = {
        "roster": found,
        "unit": found.unit,
        "length": length(found.term_months) if found.term_months else "",
        "job": reading.work_on(found),
        "working": found.state in reading.WORKING,
        "page": page,
        "pages": pages,
        "only_bad": only_bad,
        "dues": [_due(due) for due in owed],
        "total": format_yuan(found.total_fen),
        "refused": refused,
    }
    return render(request, "members/unit/roster.html", context, status=status)


@requires("rosters.upload")
@never_cache
@require_POST
def roster_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The agent has seen the preview: enrol the good rows."""
    return _act(request, pk, lambda found: rosters.confirm(found, by=actor(request)), _("正在登记，请稍候。"))


@requires("rosters.upload")
@never_cache
@require_POST
def roster_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the roster aside; nobody is enrolled by it."""
    return _act(request, pk, lambda found: rosters.cancel(found, by=actor(request)), _("名册已取消，没有登记任何人。"))


def _act(request: HttpRequest, pk: int, act: Any, done: str) -> HttpResponse:
    found = _roster(pk)
    try:
        act(found)
    except MoveRefused as no:
        found.refresh_from_db()
        return _roster_page(request, found, refused=no.message, status=status_of(no))
    messages.success(request, done)
    return redirect("members:roster", pk)


@requires("unit.use")
@never_cache
def roster_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The uploaded list with a column of outcomes."""
    found = _roster(pk)
    if not found.result_file:
        raise Http404
    with found.result_file.open() as stored:
        return send(stored.read(), content_type=XLSX, file_name=_("核对结果-{name}.xlsx").format(name=found.pk), as_attachment=True)


@requires("unit.use")
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """Everyone the agent's units have enrolled, with masked numbers."""
    pages = Paginator(reading.people(), PAGE)
    page = pages.get_page(request.GET.get("page"))
    return _show(request, "people", page=page, pages=pages, rows=reading.numbers_of(page.object_list))
