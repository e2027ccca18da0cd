"""What agents ask the office to change: the values in a unit's record, and who acts for it. Decided here."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from members.agent_form import number_of
from members.models import AgentChange, AgentPaper, UnitChange
from members.selectors.units import compare, labels
from members.services import agents, units
from unionaid.lib.calendar import today
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.files import send_paper
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

findable(UnitChange, number="", label="unit__name", page="admin:unit_change")
findable(AgentChange, number="", label="unit__name", page="admin:agent_change", hidden={"handed_in_at": None})


class AnswerForm(forms.Form):
    """Yes, or no with words for whoever asked."""

    decision = forms.ChoiceField(choices=[("approve", ""), ("return", "")], error_messages={"invalid_choice": _("请选择同意或不同意")})
    note = forms.CharField(
        label=_("不同意的原因（不同意时必填，申请人会看到）"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


def decided(may_answer: bool, form: AnswerForm, acts: Mapping[str, Callable[[str], Any]]) -> tuple[int, str]:
    """The status of the answer and why it is refused; 302 when it was done."""
    if not may_answer:
        return 403, gettext("您的岗位不能审核这份申请。")
    if not form.is_valid():
        return 400, gettext("请选择同意或不同意，说明不超过 500 字。")
    try:
        with transaction.atomic():
            acts[form.cleaned_data["decision"]](form.cleaned_data["note"])
    except MoveRefused as no:
        return status_of(no), no.message
    return 302, ""


# -- changes of a record -------------------------------------------------------------------------------------------------


def change_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Old beside new, the papers, and the decision."""
    change = get_object_or_404(UnitChange.objects.select_related("unit__office", "asked_by", "decided_by"), pk=pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form, status, refused = AnswerForm(request.POST or None), 200, ""
    if request.method == "POST":
        acts = {
            "approve": lambda note: units.approve_change(change, by=actor),
            "return": lambda note: units.return_change(change, by=actor, note=note),
        }
        may_answer = any(may(actor, action, change.office_id) for action in ("units.approve", "units.restructure"))
        status, refused = decided(may_answer, form, acts)
        if status == 302:
            in_force, kept = gettext("变更已通过，从现在起按新的内容办理。"), gettext("变更已退回，单位仍按原来的登记办理。")
            messages.success(request, in_force if change.state == "approved" else kept)
            return redirect(_next(UnitChange, change.pk, "pending", "admin:unit_change"))
        change.refresh_from_db()
    context = desk_context(
        request,
        trail=[list_of(UnitChange)],
        title=gettext("{unit}：变更登记内容").format(unit=change.unit.name),
        change=change,
        unit=change.unit,
        form=form,
        refused=refused,
        compared=compare(change.before, change.values),
        papers=[(paper, _("变更的证明"), reverse("admin:unit_paper", args=[paper.pk])) for paper in change.papers.all()],
        may_approve=change.state == "pending" and units.may_approve_change(change, by=actor),
        may_return=change.state == "pending" and may(actor, "units.approve", change.office_id),
        moves_office="office" in change.values,
        history=told_history(change),
    )
    return render(request, "desk/unit_change.html", context, status=status)


def _next(model: type[UnitChange] | type[AgentChange], after: int, state: str, page: str) -> str:
    """The next one that waits, or the list."""
    following = model.objects.filter(state=state, pk__gt=after).order_by("pk").values_list("pk", flat=True).first()
    return reverse(page, args=[following]) if following else reverse(f"admin:members_{model._meta.model_name}_changelist")


@admin.register(UnitChange)
class UnitChangeAdmin(HouseAdmin):
    """The changes that units of the office ask for."""

    view_action = "units.view"
    section, place = "joining", 12
    page = "admin:unit_change"
    desk_urls = (("<int:pk>/compare/", "unit_change", "units.view", change_page),)
    empty_hint = _("没有符合条件的变更。单位经办人修改登记内容后，会出现在这里等待审核。")
    list_display = (column("unit", _("单位")), "what", column("asked_by", _("申请人")), "asked_at", column("office", _("机构")), "standing")
    list_filter = (("state", titled(_("状态"))), OfficeFilter, since("asked_at", _("申请时间")))
    list_select_related = ("unit", "office", "asked_by")
    ordering = ("-id",)

    @admin.display(description=_("变更内容"))
    def what(self, change: UnitChange) -> str:
        return "、".join(str(label) for label in labels(change.values))


# -- changes of agent ------------------------------------------------------------------------------------------------------


def agent_change_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Who acts now, who asks, the stamped form, and the decision."""
    rows = AgentChange.objects.select_related("unit__office", "user", "decided_by").exclude(handed_in_at=None)
    change = get_object_or_404(rows, pk=pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form, status, refused = AnswerForm(request.POST or None), 200, ""
    if request.method == "POST":
        acts = {
            "approve": lambda note: agents.approve(change, by=actor, on=today()),
            "return": lambda note: agents.refuse(change, by=actor, note=note),
        }
        status, refused = decided(may(actor, "units.approve", change.office_id), form, acts)
        if status == 302:
            bound, kept = gettext("已更换：原经办人从今天起停止办理，新经办人已绑定。"), gettext("没有同意，经办人不变。")
            messages.success(request, bound if change.state == "approved" else kept)
            return redirect(_next(AgentChange, change.pk, "submitted", "admin:agent_change"))
        change.refresh_from_db()
    context = desk_context(
        request,
        trail=[list_of(AgentChange)],
        title=gettext("{unit}：更换经办人").format(unit=change.unit.name),
        change=change,
        unit=change.unit,
        number=number_of(change),
        form=form,
        refused=refused,
        agents=agents.agents_on(change.unit, on=today()),
        papers=[(paper, _("盖章的申请表"), reverse("admin:agent_paper", args=[paper.pk])) for paper in change.papers.all()],
        may_decide=change.state == "submitted" and may(actor, "units.approve", change.office_id) and change.user_id != actor.user_id,
        history=told_history(change),
    )
    return render(request, "desk/unit_agent_change.html", context, status=status)


@require_GET
def agent_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """A stamped form of a unit of one's office."""
    return send_paper(get_object_or_404(AgentPaper, pk=pk))


@admin.register(AgentChange)
class AgentChangeAdmin(HouseAdmin):
    """Requests to take a unit of the office over."""

    view_action = "units.view"
    section, place = "joining", 14
    page = "admin:agent_change"
    desk_urls = (
        ("<int:pk>/request/", "agent_change", "units.view", agent_change_page),
        ("papers/<int:pk>", "agent_paper", "units.view", agent_paper),
    )
    empty_hint = _("没有符合条件的申请。新的经办人上传盖章的申请表后，会出现在这里等待审核。")
    list_display = (column("unit", _("单位")), column("user", _("新经办人")), "handed_in_at", column("office", _("机构")), "standing")
    list_filter = (("state", titled(_("状态"))), OfficeFilter, since("handed_in_at", _("提交时间")))
    list_select_related = ("unit", "office", "user")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentChange]:
        """What has been handed in."""
        return super().get_queryset(request).exclude(handed_in_at=None)


@todo("units.approve")
def waiting_changes(actor: Actor) -> Iterable[Todo]:
    """What agents ask to be changed, with the age of the oldest."""
    changes, takers = UnitChange.objects.filter(state="pending"), AgentChange.objects.filter(state="submitted")
    address = reverse("admin:members_unitchange_changelist")
    yield waiting(_("待审核的单位变更"), changes, "asked_at", f"{address}?state__exact=pending")
    address = reverse("admin:members_agentchange_changelist")
    yield waiting(_("待审核的更换经办人"), takers, "handed_in_at", f"{address}?state__exact=submitted")
