"""The unit's record, on its agent's side: registered (draft, sent in, corrected), changed with the office's approval."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from members.forms.unit import ChangeForm, UnitForm
from members.models import UnitChange, UnitPaper, WorkUnit
from members.selectors import rosters as reading
from members.selectors import units as records
from members.services import units
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.offices.models import Office
from unionaid.web.asking import pages
from unionaid.web.files import send_paper
from unionaid.workflow.asking import attempt, attempt_once
from unionaid.workflow.moves import MoveRefused

_show = pages("members/unit")


def _unit(pk: int) -> WorkUnit:
    unit = reading.my_unit(pk)
    if unit is None:
        raise Http404
    return unit


def _is_draft(request: HttpRequest) -> bool:
    return request.POST.get("act") == "save"


def _initial(found: WorkUnit) -> dict[str, Any]:
    """What the record says, for a form; figures that nobody has told yet stay empty."""
    told = {name: getattr(found, name) for name in units.FIELDS}
    return {**told, "headcount": found.headcount or None, "women_count": found.women_count if found.headcount else None}


@requires("my.use")
@never_cache
def register(request: HttpRequest) -> HttpResponse:
    """Someone registers the unit they act for: kept as a draft, or sent to the office at once."""
    form = UnitForm(request.POST or None, request.FILES or None, draft=_is_draft(request))
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            told = form.cleaned_data
            office = Office.objects.get(pk=told["office"])
            made = units.save_draft(form.values(), office=office, agent=request.user, papers=told["paper"], by=actor(request), on=today())
            if not _is_draft(request):
                units.submit(made, by=actor(request))
            return reverse("members:unit", args=[made.pk])

        body = {"credit_code": form.cleaned_data["credit_code"], "name": form.cleaned_data["name"], "draft": _is_draft(request)}
        if address := attempt_once(request, form, act, body=body):
            if _is_draft(request):
                messages.success(request, _("草稿已保存，随时可以回来接着填。"))
            return redirect(address)
    return _show(request, "unit_register", form, back=reverse("claims:home"), title=_("登记单位"), is_new=True)


@requires("unit.use")
@never_cache
def unit(request: HttpRequest, pk: int) -> HttpResponse:
    """One unit: where its registration stands and what comes next; a draft and a returned record are gone on with here."""
    found = _unit(pk)
    if found.state == "draft":
        return _draft(request, found)
    if found.state == "returned":
        return _correct(request, found)
    last = records.latest_change(found) if found.state in ("approved", "merged") else None
    context = {
        "unit": found,
        "facts": records.facts_of(found),
        "change": last if last and last.state in ("pending", "returned") else None,
        "compared": records.compare(last.before, last.values) if last else [],
        "rivals": records.rivals_of(found),
        "lineage": records.lineage_of(found),
        "papers": list(found.papers.all()),
    }
    return _show(request, "unit", **context)


def _draft(request: HttpRequest, found: WorkUnit) -> HttpResponse:
    papers = list(found.papers.all())
    initial = {**_initial(found), "office": found.office_id}
    form = UnitForm(request.POST or None, request.FILES or None, draft=_is_draft(request), has_papers=bool(papers), initial=initial)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            office = Office.objects.get(pk=form.cleaned_data["office"])
            units.edit_draft(found, form.values(), office=office, papers=form.cleaned_data["paper"], by=actor(request))
            if not _is_draft(request):
                units.submit(found, by=actor(request))
            return reverse("members:unit", args=[found.pk])

        if address := attempt(form, act):
            messages.success(request, _("草稿已保存，随时可以回来接着填。") if _is_draft(request) else _("已提交，等待办事处审核。"))
            return redirect(address)
    context = {"back": reverse("members:unit_home"), "title": _("登记单位"), "papers": papers, "may_save": True}
    return _show(request, "unit_register", form, **context)


def _correct(request: HttpRequest, found: WorkUnit) -> HttpResponse:
    papers = list(found.papers.all())
    data = (request.POST or None, request.FILES or None)
    form = UnitForm(*data, has_papers=bool(papers), with_office=False, initial=_initial(found))
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            units.resubmit(found, form.values(), papers=form.cleaned_data["paper"], by=actor(request))
            return reverse("members:unit", args=[found.pk])

        if address := attempt(form, act):
            messages.success(request, _("已重新提交，等待办事处审核。"))
            return redirect(address)
    context = {"back": reverse("members:unit_home"), "title": _("修改后重新提交"), "note": reading.words_of_return(found), "papers": papers}
    return _show(request, "unit_register", form, **context)


# -- changes ---------------------------------------------------------------------------------------------------------


@requires("unit.use")
@never_cache
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for other values; what was sent back last is where one goes on."""
    found = _unit(pk)
    last = records.latest_change(found)
    if found.state != "approved" or (last and last.state == "pending"):
        messages.warning(request, _("单位现在不能提变更：登记还没有通过，或者已有一份变更在等审核。"))
        return redirect("members:unit", pk)
    initial = {**_initial(found), "office": found.office_id}
    if last and last.state == "returned":
        initial |= {**last.values, "reason": last.reason}
    form = ChangeForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            told = form.cleaned_data
            office = Office.objects.get(pk=told["office"])
            units.ask_change(found, form.values(), office=office, reason=told["reason"], papers=told["paper"], by=actor(request))
            return reverse("members:unit", args=[pk])

        body = {**form.values(), "office": form.cleaned_data["office"], "reason": form.cleaned_data["reason"]}
        if address := attempt_once(request, form, act, body=body):
            messages.success(request, _("变更已提交，办事处审核通过后才生效。"))
            return redirect(address)
    note = last.answer if last and last.state == "returned" else ""
    return _show(request, "unit_change", form, unit=found, back=reverse("members:unit", args=[pk]), note=note)


@requires("unit.use")
@never_cache
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the pending change back."""
    found = _unit(pk)
    last: UnitChange | None = records.latest_change(found)
    if last is None:
        raise Http404
    try:
        units.withdraw_change(last, by=actor(request))
        messages.success(request, _("变更已撤回，单位登记没有改动。"))
    except MoveRefused as no:
        messages.error(request, no.message)
    return redirect("members:unit", pk)


# -- papers ----------------------------------------------------------------------------------------------------------


def _paper(pk: int) -> UnitPaper:
    found = records.my_paper(pk)
    if found is None:
        raise Http404
    return found


@requires("unit.use")
@never_cache
@require_GET
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """A paper of one's unit."""
    return send_paper(_paper(pk))


@requires("unit.use")
@never_cache
@require_POST
def paper_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a paper away before the record goes to the office."""
    found = _paper(pk)
    try:
        units.remove_paper(found, by=actor(request))
        messages.success(request, _("材料已删除。"))
    except MoveRefused as no:
        messages.error(request, no.message)
    return redirect("members:unit", found.unit_id)
