"""Merging and dividing units at the desk: decided here, carried by a job, and what came of it."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from members.forms.unit_lineage import MergeForm, SplitForm
from members.models import Member, UnitLineage, WorkUnit
from members.selectors.units import with_units
from members.services import lineage as lineages
from unionaid.lib.calendar import today
from unionaid.lib.identity import IdentityError, parse_credit_code
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, badge, desk_context, list_of
from unionaid.offices.lists import titled
from unionaid.offices.roles import may
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.jobs import result_page
from unionaid.workflow.selectors import job_by_key

SHOWN_PEOPLE = 200


@result_page(lineages.JOB, "desk", "units.view")
def _lineage(lineage_id: int) -> str:
    return reverse("admin:lineage", args=[lineage_id])


def _open_unit(request: HttpRequest, pk: int) -> WorkUnit:
    unit = get_object_or_404(WorkUnit.objects.select_related("office"), pk=pk, state="approved")
    if not may(actor(request), "units.restructure", unit.office_id):
        raise Http404
    return unit


def merge_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Find the unit that goes on, see both side by side, decide."""
    gone = _open_unit(request, pk)
    code = request.GET.get("into", "")
    into, refused = _found(gone, code)
    form, status = None, 400 if refused else 200
    if into is not None:
        sums = {name: getattr(gone, name) + getattr(into, name) for name in ("headcount", "women_count")}
        form = MergeForm(request.POST or None, initial=sums)
        if request.method == "POST" and form.is_valid():
            told = {name: form.cleaned_data[name] for name in ("headcount", "women_count", "basis")}

            def act() -> str:
                return _job_address(lineages.merge(gone, into, **told, by=actor(request), on=today()).pk)

            if address := attempt_once(request, form, act, body={**told, "into": into.pk}):
                return redirect(address)
        status = form.status if form.errors else 200
    context = desk_context(
        request,
        trail=[list_of(WorkUnit), (gone.name, reverse("admin:unit", args=[pk]))],
        title=gettext("并入另一个单位"),
        unit=gone,
        into=into,
        code=code,
        refused=refused,
        form=form,
        going=lineages.going_along(gone),
    )
    return render(request, "desk/unit_merge.html", context, status=status)


def _found(gone: WorkUnit, code: str) -> tuple[WorkUnit | None, str]:
    """The unit that goes on, or why it cannot."""
    if not code:
        return None, ""
    try:
        wanted = parse_credit_code(code)
    except IdentityError as error:
        return None, gettext(error.message)
    into = WorkUnit.objects.select_related("office").filter(credit_code=wanted, state="approved").first()
    if into is None:
        return None, gettext("在您管辖的办事处里没有找到已登记的这个单位。")
    if into.pk == gone.pk:
        return None, gettext("不能把单位并入它自己。")
    return into, ""


def split_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The new unit and who goes there."""
    source = _open_unit(request, pk)
    people = Member.objects.filter(unit=source).order_by("name", "id")
    shown = list(people.only("id", "name", "birth_date")[: SHOWN_PEOPLE + 1])
    initial = {"nature": source.nature, "industry": source.industry}
    form = SplitForm(request.POST or None, shown=shown if len(shown) <= SHOWN_PEOPLE else [], initial=initial)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data

        def act() -> str:
            chosen = {*told.get("people", []), *lineages.people_numbered(source, told["numbers"])}
            made = lineages.split(source, form.values(), sorted(chosen), basis=told["basis"], by=actor(request), on=today())
            return _job_address(made.pk)

        numbers = [one.number for one in told["numbers"]]
        body = {**form.values(), "basis": told["basis"], "people": told.get("people", []), "numbers": numbers}
        if address := attempt_once(request, form, act, body=body):
            return redirect(address)
    context = desk_context(
        request,
        trail=[list_of(WorkUnit), (source.name, reverse("admin:unit", args=[pk]))],
        title=gettext("分出一个单位"),
        unit=source,
        form=form,
        is_long=len(shown) > SHOWN_PEOPLE,
        most=SHOWN_PEOPLE,
    )
    return render(request, "desk/unit_split.html", context, status=form.status if form.errors else 200)


def _job_address(lineage_id: int) -> str:
    job = job_by_key(lineages.job_key(lineage_id))
    return reverse("admin:job", args=[job.public_id]) if job else reverse("admin:lineage", args=[lineage_id])


@require_GET
def lineage_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What was decided, how far the carrying is, and how many rows went along."""
    found = with_units([get_object_or_404(UnitLineage.objects.select_related("by"), pk=pk)])[0]
    mine = actor(request).office_ids
    context = desk_context(
        request,
        trail=[list_of(UnitLineage)],
        title=f"{found.from_unit.name} → {found.to_unit.name}",
        lineage=found,
        job=job_by_key(lineages.job_key(pk)),
        carried=[(one.label, f"{found.carried.get(name, 0):,}") for name, one in lineages.CARRIERS.items()],
        sides=[(one, one.office_id in mine) for one in (found.from_unit, found.to_unit)],
    )
    return render(request, "desk/unit_lineage.html", context)


@admin.register(UnitLineage)
class UnitLineageAdmin(HouseAdmin):
    """Mergers and divisions of the office's units."""

    view_action = "units.view"
    section, place = "joining", 16
    page = "admin:lineage"
    title = _("合并与分立")
    desk_urls = (
        ("<int:pk>/record/", "lineage", "units.view", lineage_page),
        ("units/<int:pk>/merge/", "unit_merge", "units.restructure", merge_page),
        ("units/<int:pk>/split/", "unit_split", "units.restructure", split_page),
    )
    list_hint = _("要合并或分立，先打开“单位”里的那个单位，再点“并入另一个单位”或“分出一个单位”。")
    empty_hint = _("没有符合条件的记录。单位合并或分立后会出现在这里。")
    list_display = ("units", "kind", "on", "basis", "standing")
    list_filter = (("kind", titled(_("种类"))),)
    ordering = ("-id",)

    def complete(self, rows: Any) -> None:
        with_units(rows)

    @admin.display(description=_("单位"))
    def units(self, lineage: UnitLineage) -> str:
        return f"{lineage.from_unit.name} → {lineage.to_unit.name}"

    @admin.display(description=_("进度"))
    def standing(self, lineage: UnitLineage) -> str:
        if lineage.finished_at is None:
            return badge(_("正在转移"), "todo")
        return badge(gettext("已转移 {count} 条记录").format(count=f"{lineage.carried_in_all():,}"), "good")
