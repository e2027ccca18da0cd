"""The desk's view of people, units and contributions; contributions are confirmed here."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import ContributionDue, Roster, WorkUnit
from members.services import contributions
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Todo, desk_context, todo
from unionaid.offices.roles import Actor, may
from unionaid.web.fields import DayField, YuanField
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed


class ConfirmForm(forms.Form):
    """One line of the bank statement that settles one debt."""

    payer_name = forms.CharField(label=_("付款人"), max_length=120, error_messages={"required": _("请填写付款人")})
    bank_reference = forms.CharField(label=_("银行流水号"), max_length=60, error_messages={"required": _("请填写银行流水号")})
    received_on = DayField(label=_("到账日期"), error_messages={"required": _("请填写到账日期")})
    amount_fen = YuanField(label=_("到账金额（元）"), error_messages={"required": _("请填写到账金额")})
    remark = forms.CharField(label=_("转账附言"), max_length=200, required=False)


def confirm_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm that a contribution arrived; the cover takes effect with it."""
    due = get_object_or_404(ContributionDue.objects.select_related("unit", "member", "roster", "enrolment"), pk=pk)
    form = ConfirmForm(request.POST or None, initial={"remark": due.reference})
    status = 200
    if request.method == "POST":
        status = _confirm(request, due, form) if form.is_valid() else 400
        if status == 302:
            messages.success(request, gettext("已确认到账，保障已生效。"))
            return redirect("admin:members_contributiondue_changelist")
    context = desk_context(request, title=due.reference, due=due, form=form, amount=format_yuan(due.amount_fen))
    return render(request, "desk/contribution_confirm.html", context, status=status)


def _confirm(request: HttpRequest, due: ContributionDue, form: ConfirmForm) -> int:
    try:
        contributions.confirm(due, **form.cleaned_data, by=request.actor, on=today())  # type: ignore[attr-defined]
    except MoveRefused as no:
        form.add_error(None, no.message)
        due.refresh_from_db()
        return 403 if isinstance(no, NotAllowed) else 409 if isinstance(no, Conflict) else 400
    return 302


@admin.register(ContributionDue)
class ContributionDueAdmin(HouseAdmin):
    """What is owed, and what has arrived."""

    view_action = "contributions.view"
    desk_urls = (("<int:pk>/confirm/", "due_confirm", "contributions.confirm", confirm_page),)
    list_display = ("reference", "debtor", "payer", "amount", "state", "created_at")
    list_filter = ("state", "payer")
    list_select_related = ("unit", "member")
    search_fields = ("reference",)
    ordering = ("id",)
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description=_("单位或个人"))
    def debtor(self, due: ContributionDue) -> Any:
        return due.unit or due.member

    @admin.display(description=_("应缴（元）"))
    def amount(self, due: ContributionDue) -> str:
        return format_yuan(due.amount_fen)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        known = object_id.isascii() and object_id.isdigit()
        if known and may(request.actor, "contributions.confirm"):  # type: ignore[attr-defined]
            return redirect("admin:due_confirm", pk=int(object_id))
        return redirect("admin:members_contributiondue_changelist")


@admin.register(WorkUnit)
class WorkUnitAdmin(HouseAdmin):
    """The office's units."""

    view_action = "units.view"
    list_display = ("name", "credit_code", "nature", "headcount", "state")
    list_filter = ("state", "nature")
    search_fields = ("name", "credit_code")
    show_facets = admin.ShowFacets.NEVER


@admin.register(Roster)
class RosterAdmin(HouseAdmin):
    """The rosters of the office's units."""

    view_action = "enrolments.view"
    list_display = ("file_name", "unit", "terms", "row_count", "good_count", "bad_count", "state")
    list_filter = ("state",)
    list_select_related = ("unit", "terms__program")
    exclude = ("file", "result_file", "file_sha256")
    show_facets = admin.ShowFacets.NEVER


@todo("contributions.confirm")
def open_dues(actor: Actor) -> Iterable[Todo]:
    """Contributions that wait for the bank's word."""
    address = reverse("admin:members_contributiondue_changelist")
    yield Todo(_("待确认到账的互助费"), ContributionDue.objects.filter(state="open").count(), f"{address}?state__exact=open")
