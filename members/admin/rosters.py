"""Rosters at the desk: the queue of batches, and one batch with its counts, its lines, its problems and what is owed for it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from members.admin import bulk
from members.models import Roster
from members.selectors import rosters as reading
from members.services import participation, roster_returns
from members.services.rosters import outcome_sheet
from members.transitions import ROSTER_GONE
from programs.models import Program
from unionaid.lib.calendar import day_of
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled, whole
from unionaid.offices.roles import Actor, may
from unionaid.web.files import XLSX, send
from unionaid.workflow.asking import status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

findable(Roster, number="", label="file_name", page="admin:roster")


@result_page("members.check_roster", "desk", "enrolments.view")
@result_page("members.commit_roster", "desk", "enrolments.view")
def _address(roster_id: int) -> str:
    return reverse("admin:roster", args=[roster_id])


# Kinds of people who are no lines of the roster: the unit's agents see them by name.
NO_LINES = ("left", "lapsed")


class DecisionForm(forms.Form):
    """What the office does with a roster that is not enrolled, and why."""

    decision = forms.ChoiceField(choices=[(name, "") for name in ("return", "reopen", "propose", "allow", "drop")])
    note = forms.CharField(label=_("原因"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


DONE = {
    "return": _("已退回，单位经办人会看到原因。"),
    "reopen": _("已退回到核对完成，单位经办人可以再确认一次。"),
    "propose": _("已提出例外，请另一位同事复核。"),
    "allow": _("已同意例外，单位经办人可以确认登记了。"),
    "drop": _("没有同意例外。"),
}


def _decided(request: HttpRequest, roster: Roster, form: DecisionForm) -> tuple[int, str]:
    """The answer's status, and the words when it was refused."""
    by: Actor = request.actor  # type: ignore[attr-defined]
    if not may(by, "rosters.return", roster.office_id):
        return 403, gettext("您的岗位不能退回名册。")
    if not form.is_valid():
        return 400, gettext("请选择要办的事，原因不超过 300 字。")
    told = form.cleaned_data
    try:
        with transaction.atomic():
            if told["decision"] == "propose":
                participation.propose(roster, reason=told["note"], by=by)
            elif told["decision"] in ("allow", "drop"):
                waiver = participation.open_waiver(roster)
                if waiver is None:
                    return 409, gettext("没有在等复核的例外，请刷新页面再看。")
                {"allow": participation.allow, "drop": participation.drop}[told["decision"]](waiver, by=by)
            else:
                {"return": roster_returns.give_back, "reopen": roster_returns.reopen}[told["decision"]](roster, by=by, note=told["note"])
    except MoveRefused as no:
        return status_of(no), no.message
    return 302, ""


def roster_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One roster: what it says, line by line, what was wrong with it, what is owed for it; given back, or let be, by those who may."""
    rows = Roster.objects.select_related("unit", "office", "terms__program", "uploaded_by")
    roster = get_object_or_404(rows, pk=pk)
    form, status, refused = DecisionForm(request.POST or None), 200, ""
    if request.method == "POST":
        status, refused = _decided(request, roster, form)
        if status == 302:
            messages.success(request, DONE[form.cleaned_data["decision"]])
            return redirect("admin:roster", pk)
        roster.refresh_from_db(fields=["state", "version", "message"])
    return render(request, "desk/roster.html", _context(request, roster, form, refused), status=status)


def _context(request: HttpRequest, roster: Roster, form: DecisionForm, refused: str) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    only = request.GET.get("only", "bad" if roster.bad_count and roster.state != "effective" else "")
    only = only if only in reading.ONLY and only not in NO_LINES else ""
    after = reading.place(request.GET.get("after"))
    lines = reading.rows_of(roster, only=only, after=after)
    job = reading.work_on(roster)
    may_return = may(actor, "rosters.return", roster.office_id)
    return desk_context(
        request,
        trail=[list_of(Roster)],
        title=roster.file_name,
        roster=roster,
        gone=roster.state in ROSTER_GONE,
        form=form,
        refused=refused,
        may_return=may_return and roster.state in ("uploaded", "checked"),
        may_reopen=may_return and roster.state == "committing",
        waiver=participation.open_waiver(roster),
        may_except=may_return and roster.state == "checked",
        job=job if job and job.job_state != "done" else None,
        tiles=[(tile, bool(tile.only) and tile.only not in NO_LINES) for tile in reading.tiles_of(roster)],
        total=format_yuan(roster.total_fen),
        only=only,
        only_words=reading.only_words(roster, only) or _("逐行结果"),
        lines=[(row, format_yuan(row.fee_fen) if row.outcome != "bad" else "") for row in lines[: reading.PAGE]],
        more=lines[reading.PAGE - 1].row_number if len(lines) > reading.PAGE else None,
        begun=after > 0,
        dues=[(due, format_yuan(due.amount_fen)) for due in roster.dues.order_by("id")],
        links=may(actor, "contributions.view"),
        may_void=roster.state in ("committed", "effective") and may(actor, "voidings.propose", roster.office_id),
        history=told_history(roster),
    )


@require_GET
def roster_result(request: HttpRequest, pk: int) -> HttpResponse:
    """Every line with its outcome and its reasons; numbers masked."""
    roster = get_object_or_404(Roster.objects.select_related("unit", "terms__program"), pk=pk)
    name = gettext("核对结果-{name}.xlsx").format(name=roster.pk)
    return send(outcome_sheet(roster), content_type=XLSX, file_name=name, as_attachment=True)


class PlanFilter(admin.SimpleListFilter):
    """Rosters of one plan."""

    title, parameter_name = _("计划"), "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(program.pk), program.title) for program in Program.objects.order_by("name")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Roster]) -> QuerySet[Roster]:
        return queryset.filter(terms__program=whole(self.value())) if self.value() else queryset


@admin.register(Roster)
class RosterAdmin(HouseAdmin):
    """The rosters of the office's units."""

    view_action = "enrolments.view"
    section, place = "joining", 20
    page = "admin:roster"
    desk_urls = (
        ("<int:pk>/record/", "roster", "enrolments.view", roster_page),
        ("<int:pk>/result/", "roster_result", "enrolments.view", roster_result),
        ("bulk/return/", "bulk_return_rosters", "rosters.return", bulk.return_rosters),
        ("bulk/settle/", "bulk_settle_rosters", "contributions.confirm", bulk.settle_rosters),
    )
    list_links = (
        Link(_("批量退回名册"), "admin:bulk_return_rosters", "rosters.return"),
        Link(_("批量核销互助费"), "admin:bulk_settle_rosters", "contributions.confirm"),
    )
    search_hint = _("单位名称的开头，或统一社会信用代码")
    empty_hint = _("没有符合条件的名册。单位经办人上传名册后会出现在这里。")
    list_display = (
        column("file_name", _("文件")),
        column("unit", _("单位")),
        column("office", _("机构")),
        "program",
        column("good_count", _("可以参加")),
        column("bad_count", _("有问题")),
        "amount",
        "standing",
        "uploaded_on",
    )
    list_filter = (("state", titled(_("状态"))), OfficeFilter, PlanFilter, since("uploaded_at", _("上传时间")))
    list_select_related = ("unit", "office", "terms__program")
    ordering = ("-id",)

    def find(self, rows: QuerySet[Roster], text: str) -> QuerySet[Roster]:
        return rows.filter(unit__in=reading.units_called(text))

    @admin.display(description=_("计划"))
    def program(self, roster: Roster) -> str:
        return str(roster.terms)

    @admin.display(description=_("上传日期"))
    def uploaded_on(self, roster: Roster) -> str:
        return date_format(day_of(roster.uploaded_at))

    @admin.display(description=_("互助费（元）"))
    def amount(self, roster: Roster) -> str:
        return format_yuan(roster.total_fen)


@todo("contributions.view")
def rosters_to_be_paid(actor: Actor) -> Iterable[Todo]:
    """Rosters whose contribution has not arrived."""
    address = f"{reverse('admin:members_roster_changelist')}?state__exact=committed"
    yield waiting(_("已登记、互助费没有到齐的名册"), Roster.objects.filter(state="committed"), "uploaded_at", address)
