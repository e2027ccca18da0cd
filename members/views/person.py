"""One person of the agent's unit: covers through it, what is to be corrected, leaving, retiring, going to another unit."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from members.forms.record import AnswerForm, DepartureForm
from members.models import Departure, Member, WorkUnit
from members.selectors import changes as reading
from members.services import corrections, departures
from members.services.people import masked_numbers
from members.views.record import body_of, correction_form
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.offices.roles import Actor
from unionaid.web.asking import pages
from unionaid.web.dates import span
from unionaid.workflow.asking import attempt, attempt_once

_show = pages("members/unit")


def _person(pk: int) -> tuple[Member, WorkUnit]:
    found = reading.person_of_unit(pk)
    if found is None:
        raise Http404
    return found


def _context(member: Member, unit: WorkUnit) -> dict[str, Any]:
    numbers = masked_numbers([member.pk]).get(member.pk)
    return {"member": member, "unit": unit, "numbers": numbers, "works_here": member.unit_id == unit.pk}


@requires("unit.use")
@never_cache
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Who it is, what covers them through this unit, and what can be done."""
    member, unit = _person(pk)
    context = {
        **_context(member, unit),
        "covers": [(cover, span(cover.cover.lower, cover.last_day)) for cover in reading.covers_through_units(member)],
        "corrections": [(one, corrections.in_words(one)) for one in reading.my_corrections(member)],
        "departures": reading.complete(Departure.objects.filter(member=member).order_by("-id")[:10]),
        "back": reverse("members:unit_people"),
    }
    return _show(request, "person", **context)


@requires("unit.use")
@never_cache
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """The agent says what is wrong in a person's record, with a photo that shows it."""
    member, unit = _person(pk)
    form = correction_form(request)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            told = form.cleaned_data
            corrections.ask(member, form.wanted(), papers=told["paper"], reason=told["reason"], unit=unit, by=actor(request))
            return reverse("members:person", args=[pk])

        if address := attempt_once(request, form, act, body=body_of(form)):
            messages.success(request, _("已提交，办事处核对后生效。"))
            return redirect(address)
    return _show(request, "person_correct", form, **_context(member, unit), back=reverse("members:person", args=[pk]))


@requires("unit.use")
@never_cache
def departure_new(request: HttpRequest, pk: int) -> HttpResponse:
    """A person leaves, retires, or goes to another unit."""
    member, unit = _person(pk)
    if member.unit_id != unit.pk:
        messages.warning(request, _("这名职工已经不在本单位，不用再办理。"))
        return redirect("members:person", pk)
    form = DepartureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            begin(member, form, by=actor(request))
            return reverse("members:person", args=[pk])

        if address := attempt_once(request, form, act):
            waits = form.cleaned_data["kind"] == "transfer"
            messages.success(request, _("已提交，等新单位的经办人接收。") if waits else _("已办理。"))
            return redirect(address)
    return _show(request, "departure_new", form, **_context(member, unit), back=reverse("members:person", args=[pk]))


def begin(member: Member, form: DepartureForm, *, by: Actor) -> Departure:
    """What the form asks for."""
    told = form.cleaned_data
    common = {"on": told["on"], "note": told["note"], "by": by, "today": today()}
    if told["kind"] == "transfer":
        return departures.transfer(member, to_code=told["to_code"], **common)
    act = departures.retire if told["kind"] == "retirement" else departures.leave
    return act(member, **common)


@requires("unit.use")
@never_cache
def departure(request: HttpRequest, pk: int) -> HttpResponse:
    """A transfer that waits: the new unit takes the person in or does not, the old one may take it back."""
    found = reading.departure_of(pk)
    if found is None:
        raise Http404
    by, form = actor(request), AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            note = form.cleaned_data["note"]
            acts = {
                "accept": lambda: departures.accept(found, by=by),
                "decline": lambda: departures.decline(found, by=by, note=note),
                "withdraw": lambda: departures.withdraw(found, by=by),
            }
            acts[form.cleaned_data["decision"]]()
            return reverse("members:departure", args=[pk])

        if address := attempt(form, act):
            messages.success(request, _("已办理。"))
            return redirect(address)
        found = reading.departure_of(pk) or found
    context = {
        "departure": found,
        "may_answer": found.state == "asked" and found.to_unit_id in by.unit_ids,
        "may_withdraw": found.state == "asked" and found.from_unit_id in by.unit_ids,
        "numbers": reading.masked_of(found.member_id),
        "back": reverse("members:unit_home"),
    }
    return _show(request, "departure", form, **context)

