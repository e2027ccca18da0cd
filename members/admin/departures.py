"""Changes of people at the desk: who left, retired or went to another unit; the office may make them itself."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.admin.people import about_person
from members.forms.record import DepartureForm
from members.models import Departure, Member
from members.selectors.changes import complete
from members.services import departures
from members.views.person import begin
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.lists import OfficeFilter, column, since, titled, whole
from unionaid.offices.roles import Actor, may
from unionaid.workflow.asking import attempt_once, status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

findable(Departure, number="", label="member__name", page="admin:departure")


class DecisionForm(forms.Form):
    """The office makes a waiting transfer, or ends it."""

    decision = forms.ChoiceField(choices=[("settle", ""), ("withdraw", "")])


def departure_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One change of a person; a transfer that waits may be made or ended here."""
    get_object_or_404(Departure, pk=pk)
    (found,) = complete(Departure.objects.select_related("office", "asked_by", "decided_by").filter(pk=pk))
    actor: Actor = request.actor  # type: ignore[attr-defined]
    status, words = 200, ""
    if request.method == "POST":
        status, words = _decided(request, found)
        if status == 302:
            messages.success(request, gettext("已办理。"))
            return redirect("admin:departure", pk)
        found.refresh_from_db(fields=["state", "version"])
    context = desk_context(
        request,
        trail=[list_of(Departure)],
        title=f"{found.member.name}：{found.get_kind_display()}",
        departure=found,
        refused=words,
        may_decide=found.state == "asked" and may(actor, "people.change", found.office_id),
        visible=Member.objects.filter(pk=found.member_id).exists(),
        history=told_history(found),
    )
    return render(request, "desk/departure.html", context, status=status)


def _decided(request: HttpRequest, found: Departure) -> tuple[int, str]:
    form, by = DecisionForm(request.POST), request.actor  # type: ignore[attr-defined]
    if not form.is_valid():
        return 400, gettext("请选择办理或撤回。")
    try:
        with transaction.atomic():
            act = departures.settle if form.cleaned_data["decision"] == "settle" else departures.withdraw
            act(found, by=by)
    except MoveRefused as no:
        return status_of(no), no.message
    return 302, ""


def new(request: HttpRequest, pk: int) -> HttpResponse:
    """The office writes down that a person left, retired or went to another unit."""
    member = get_object_or_404(Member.objects.select_related("unit", "office"), pk=pk)
    form = DepartureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            made = begin(member, form, by=request.actor)  # type: ignore[attr-defined]
            return f"{made.pk}"

        if made := attempt_once(request, form, act):
            messages.success(request, gettext("已办理。"))
            return redirect("admin:departure", int(made))
    context = about_person(request, member, form, title=gettext("{name}：人员变动").format(name=member.name))
    return render(request, "desk/departure_new.html", context, status=form.status if form.errors else 200)


class EitherOfficeFilter(OfficeFilter):
    """Changes of one office's people: those that leave it, and those that come to it."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Departure]) -> QuerySet[Departure]:
        return queryset.filter(office_ids__contains=[whole(self.value())]) if self.value() else queryset


@admin.register(Departure)
class DepartureAdmin(HouseAdmin):
    """Who left, retired, went to another unit."""

    view_action = "members.view"
    section, place = "joining", 34
    page = "admin:departure"
    desk_urls = (
        ("<int:pk>/record/", "departure", "members.view", departure_page),
        ("people/<int:pk>/new/", "departure_new", "people.change", new),
    )
    list_hint = _("调动由新单位的经办人接收后生效；退休、离职由原单位经办人登记。已参加的保障仍由原单位和办事处负责到期。")
    empty_hint = _("没有符合条件的人员变动。")
    list_display = ("who", column("kind", _("变动")), "from_name", "to_name", "on", column("asked_at", _("提出时间")), "standing")
    list_filter = (("state", titled(_("状态"))), EitherOfficeFilter, ("kind", titled(_("变动"))), since("asked_at", _("提出时间")))
    ordering = ("-id",)

    def complete(self, rows: Any) -> None:
        found = {one.pk: one for one in complete(Departure.objects.filter(pk__in=[row.pk for row in rows]))} if rows else {}
        for row in rows:
            one = found[row.pk]
            row.member, row.from_unit, row.to_unit = one.member, one.from_unit, one.to_unit

    @admin.display(description=_("职工"))
    def who(self, row: Departure) -> str:
        return row.member.name

    @admin.display(description=_("原单位"))
    def from_name(self, row: Departure) -> str:
        return row.from_unit.name

    @admin.display(description=_("新单位"))
    def to_name(self, row: Departure) -> str:
        return row.to_unit.name if row.to_unit else "—"
