"""Units at the desk: taken in or sent back here."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from members.admin import bulk
from members.models import AgentChange, ContributionDue, Roster, UnitAgent, UnitChange, UnitPaper, WorkUnit
from members.selectors.units import facts_of, lineage_of
from members.services import units
from unionaid.lib.calendar import day_of
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.files import send_paper
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

findable(WorkUnit, number="credit_code", label="name", page="admin:unit", hidden={"state": "draft"})


class DecisionForm(forms.Form):
    """Take the unit in, or send the record back with words for its agent."""

    decision = forms.ChoiceField(choices=[("approve", ""), ("return", "")], error_messages={"invalid_choice": _("请选择通过或退回")})
    note = forms.CharField(
        label=_("要修改什么（退回时必填，单位经办人会看到）"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


def unit_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One unit's record with its papers, agents and acts; whoever may, decides on a submitted one."""
    unit = get_object_or_404(WorkUnit.objects.select_related("office").exclude(state="draft"), pk=pk)
    form, status, refused = DecisionForm(request.POST or None), 200, ""
    if request.method == "POST":
        status, refused = _decide(unit, form, request.actor)  # type: ignore[attr-defined]
        if status == 302:
            taken_in, sent_back = gettext("已通过登记，单位可以上传名册了。"), gettext("已退回，单位经办人会看到要修改的内容。")
            messages.success(request, taken_in if unit.state == "approved" else sent_back)
            return redirect(_next_submitted(unit))
        unit.refresh_from_db()
    return render(request, "desk/unit.html", _unit_context(request, unit, form, refused), status=status)


def _decide(unit: WorkUnit, form: DecisionForm, by: Actor) -> tuple[int, str]:
    if not may(by, "units.approve", unit.office_id):
        return 403, gettext("您的岗位不能审核单位登记。")
    if not form.is_valid():
        return 400, gettext("请选择通过或退回，说明不超过 500 字。")
    try:
        with transaction.atomic():
            if form.cleaned_data["decision"] == "approve":
                units.approve_unit(unit, by=by)
            else:
                units.return_unit(unit, by=by, note=form.cleaned_data["note"])
    except MoveRefused as no:
        return status_of(no), no.message
    return 302, ""


def _next_submitted(unit: WorkUnit) -> str:
    following = WorkUnit.objects.filter(state="submitted", pk__gt=unit.pk).order_by("pk").values_list("pk", flat=True).first()
    return reverse("admin:unit", args=[following]) if following else reverse("admin:members_workunit_changelist")


def _unit_context(request: HttpRequest, unit: WorkUnit, form: DecisionForm, refused: str) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    history = told_history(unit)
    returned = next((act.note for act, _words in reversed(history) if act.action == "return"), "")
    return desk_context(
        request,
        trail=[list_of(WorkUnit)],
        title=unit.name,
        unit=unit,
        form=form,
        refused=refused,
        facts=facts_of(unit),
        lineage=lineage_of(unit),
        changes=UnitChange.objects.filter(unit=unit).order_by("-id")[:5],
        agent_changes=AgentChange.objects.filter(unit=unit).exclude(handed_in_at=None).select_related("user").order_by("-id")[:5],
        may_restructure=unit.state == "approved" and may(actor, "units.restructure", unit.office_id),
        agents=UnitAgent.objects.filter(unit=unit).select_related("user").order_by("since")[:20],
        rosters=Roster.objects.filter(unit=unit).select_related("terms__program").order_by("-id")[:10],
        dues=[
            (due, format_yuan(due.amount_fen)) for due in ContributionDue.objects.filter(unit=unit).order_by("-id")[:10]
        ] if may(actor, "contributions.view") else None,
        papers=[
            (paper, _("变更的证明") if paper.change_id else _("工会批准成立的文件"), reverse("admin:unit_paper", args=[paper.pk]))
            for paper in unit.papers.all()
        ],
        returned=returned if unit.state == "returned" else "",
        may_decide=unit.state == "submitted" and may(actor, "units.approve", unit.office_id),
        history=history,
    )  # fmt: skip


@require_GET
def unit_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """A paper of a unit of one's office."""
    return send_paper(get_object_or_404(UnitPaper, pk=pk))


@admin.register(WorkUnit)
class WorkUnitAdmin(HouseAdmin):
    """The office's units."""

    view_action = "units.view"
    section, place = "joining", 10
    page = "admin:unit"
    desk_urls = (
        ("<int:pk>/record/", "unit", "units.view", unit_page),
        ("papers/<int:pk>", "unit_paper", "units.view", unit_paper),
        ("bulk/", "bulk_approve_units", "units.approve", bulk.approve_units),
    )
    list_links = (Link(_("批量通过单位登记"), "admin:bulk_approve_units", "units.approve"),)
    search_hint = _("单位名称的开头，或统一社会信用代码")
    empty_hint = _("没有符合条件的单位。单位经办人在网上登记后，会出现在这里等待审核。")
    list_display = ("name", "standing", "credit_code", "industry", "headcount", column("office", _("机构")), "submitted")
    list_filter = (("state", titled(_("状态"))), OfficeFilter, "nature", "industry", "risk", since("submitted_at", _("提交时间")))
    list_select_related = ("office",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkUnit]:
        """Drafts are their agents' alone."""
        return super().get_queryset(request).exclude(state="draft")

    @admin.display(description=_("提交日期"))
    def submitted(self, unit: WorkUnit) -> str:
        return date_format(day_of(unit.submitted_at)) if unit.submitted_at else "—"

    def find(self, rows: QuerySet[WorkUnit], text: str) -> QuerySet[WorkUnit]:
        return rows.filter(Q(name__begins=text) | Q(credit_code__begins=text.upper()))


@todo("units.approve")
def submitted_units(actor: Actor) -> Iterable[Todo]:
    """Units that wait to be taken in, since they were sent in last."""
    address = f"{reverse('admin:members_workunit_changelist')}?state__exact=submitted"
    rows = WorkUnit.objects.filter(state="submitted")
    yield waiting(_("待审核的单位登记"), rows, "submitted_at", address)
