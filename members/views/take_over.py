"""Taking a unit over: its code, the form to be stamped, the stamped form sent in, and what the office said.

These pages lie on neither side of the counter: whoever takes a unit over may be a worker or another unit's agent. The scope
holds the user's own requests alone.
"""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from members import agent_form
from members.forms.unit import StampedForm, TakeOverForm
from members.models import AgentChange
from members.selectors import units as records
from members.services import agents
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.web.asking import pages
from unionaid.web.files import send
from unionaid.workflow.asking import attempt, attempt_once
from unionaid.workflow.moves import MoveRefused

_show = pages("members/unit")


def _change(request: HttpRequest, public_id: uuid.UUID) -> AgentChange:
    found = records.my_agent_change(public_id, request.user)  # type: ignore[arg-type]
    if found is None:
        raise Http404
    return found


@requires("units.take_over")
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """Which unit; and the requests one has made so far."""
    form = TakeOverForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            made = agents.ask(form.cleaned_data["credit_code"], user=request.user, by=actor(request), on=today())
            return reverse("members:take_over", args=[made.public_id])

        if address := attempt_once(request, form, act):
            return redirect(address)
    return _show(request, "unit_take_over_start", form, back=_home(request), changes=records.my_agent_changes())


def _home(request: HttpRequest) -> str:
    return reverse("members:unit_home") if actor(request).unit_ids else reverse("claims:home")


@requires("units.take_over")
@never_cache
def request_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Where the request stands, and what to do next; the stamped form is sent in here."""
    found = _change(request, public_id)
    is_sent = request.method == "POST"
    form = StampedForm(request.POST, request.FILES) if is_sent else StampedForm()
    if is_sent and form.is_valid():

        def act() -> str:
            agents.hand_in(found, form.cleaned_data["paper"], by=actor(request))
            return reverse("members:take_over", args=[public_id])

        if address := attempt(form, act):
            messages.success(request, _("申请表已交给办事处，审核结果会显示在这里。"))
            return redirect(address)
    shown = form if found.state == "asked" or form.errors else None
    return _show(request, "unit_take_over", shown, change=found, unit=found.unit, back=reverse("members:take_over_start"))


@requires("units.take_over")
@never_cache
@require_GET
def form_pdf(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The form to print, sign and have stamped."""
    found = _change(request, public_id)
    content = agent_form.render(found, applicant=request.user.display_name)  # type: ignore[union-attr]
    return send(content, content_type="application/pdf", file_name=_("更换经办人申请表.pdf"), as_attachment=True)


@requires("units.take_over")
@never_cache
@require_POST
def withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take the request back."""
    found = _change(request, public_id)
    try:
        agents.withdraw(found, by=actor(request))
        messages.success(request, _("申请已撤回。"))
    except MoveRefused as no:
        messages.error(request, no.message)
    return redirect("members:take_over", public_id)
