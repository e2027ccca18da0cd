"""Bank statements at the desk: sent in, looked at line by line, taken in."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from members.bankstatement import MAX_BYTES
from members.models import BankStatement, StatementRow
from members.services import statements
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.forms import OfficeField, OfficesForm
from unionaid.offices.lists import OfficeFilter, column, since, titled
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.workflow.asking import status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, jobs_by_key, told_history

PAGE = 100
ONLY = {"bad": ["bad"], "good": ["good", "taken"], "known": ["known"]}

findable(BankStatement, number="", label="file_name", page="admin:statement")


@result_page("members.read_statement", "desk", "contributions.view")
@result_page("members.take_statement", "desk", "contributions.view")
def _address(statement_id: int) -> str:
    return reverse("admin:statement", args=[statement_id])


class StatementForm(OfficesForm):
    """Whose account, and the bank's file."""

    office = OfficeField(label=_("收款机构"))
    file = forms.FileField(
        label=_("银行流水文件"),
        help_text=_("从网银下载的 csv、xlsx、xls 或 CAMT.053（xml），不超过 20 MB。同一份文件只导入一次，同一笔流水也只记一次。"),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.xls,.xml,.txt"}),
        error_messages={"required": _("请选择银行流水文件"), "empty": _("文件是空的，请重新从网银下载流水。")},
    )

    def clean_file(self) -> Any:
        if self.cleaned_data["file"].size > MAX_BYTES:
            raise forms.ValidationError(gettext("文件超过 20 MB，请缩短日期范围，分几次下载和导入。"))
        return self.cleaned_data["file"]


def new_page(request: HttpRequest) -> HttpResponse:
    """Send a statement's file; it is read in the background and shown before anything is taken in."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    offices = [office for office in offices_below(actor).order_by("path") if may(actor, "contributions.confirm", office.pk)]
    form = StatementForm(request.POST or None, request.FILES or None, offices=offices)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            file = form.cleaned_data["file"]
            office = next(office for office in offices if str(office.pk) == form.cleaned_data["office"])
            try:
                with transaction.atomic():
                    made = statements.upload(office, data=file.read(), file_name=file.name or "", by=actor)
                return redirect("admin:statement", made.pk)
            except MoveRefused as no:
                form.add_error("file", no.message)
                status = status_of(no)
    context = desk_context(request, trail=[list_of(BankStatement)], title=_("导入银行流水"), form=form)
    return render(request, "desk/statement_new.html", context, status=status)


@require_GET
def statement_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What the file says, line by line, before it is taken in; what came of it afterwards."""
    return _show(request, _statement(pk))


def _statement(pk: int) -> BankStatement:
    return get_object_or_404(BankStatement.objects.select_related("office", "uploaded_by"), pk=pk)


def _show(request: HttpRequest, statement: BankStatement, refused: str = "", status: int = 200) -> HttpResponse:
    only = request.GET.get("only", "")
    may_match = may(request.actor, "contributions.confirm", statement.office_id)  # type: ignore[attr-defined]
    rows = StatementRow.objects.filter(statement=statement).order_by("row_number")
    if only in ONLY:
        rows = rows.filter(outcome__in=ONLY[only])
    pages = Paginator(rows, PAGE)
    page = pages.get_page(request.GET.get("page"))
    keys = [f"members.read_statement:{statement.pk}", f"members.take_statement:{statement.pk}:{statement.version}"]
    context = desk_context(
        request,
        trail=[list_of(BankStatement)],
        title=statement.file_name,
        statement=statement,
        refused=refused,
        jobs=[job for job in jobs_by_key(keys).values() if job.job_state != "done"],
        total=format_yuan(statement.total_fen),
        tallies=[
            (_("来款"), f"{statement.good_count:,}", _("可以导入") if statement.state == "read" else _("已导入"), "good"),
            (_("以前导入过"), f"{statement.known_count:,}", _("流水号已有，不重复记"), "known"),
            (_("支出"), f"{statement.outgoing_count:,}", _("不导入"), ""),
            (_("有问题"), f"{statement.bad_count:,}", _("不导入，原因见下面"), "bad"),
        ],
        page=page,
        pages=pages,
        rows=[(row, "" if row.amount_fen is None else format_yuan(row.amount_fen)) for row in page],
        only=only,
        may_match=may_match,
        may_take=statement.state == "read" and may_match,
        history=told_history(statement),
    )
    return render(request, "desk/statement.html", context, status=status)


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines were looked at: take the money in."""
    return _act(request, pk, lambda one, by: statements.confirm(one, by=by), gettext("正在导入，稍后即可核销。"))


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the file aside."""
    return _act(request, pk, lambda one, by: statements.cancel(one, by=by), gettext("已取消，没有导入任何来款。"))


def _act(request: HttpRequest, pk: int, act: Callable[[BankStatement, Actor], Any], done: str) -> HttpResponse:
    statement = _statement(pk)
    try:
        with transaction.atomic():
            act(statement, request.actor)  # type: ignore[attr-defined]
    except MoveRefused as no:
        statement.refresh_from_db()
        return _show(request, statement, no.message, status_of(no))
    messages.success(request, done)
    return redirect("admin:statement", pk)


@admin.register(BankStatement)
class BankStatementAdmin(HouseAdmin):
    """The statements that were sent in, newest first."""

    view_action = "contributions.view"
    section, place = "joining", 54
    page = "admin:statement"
    list_hint = _("从网银下载流水导入，来款自动找到对应的应缴。导入前先看每一行的结果；同一笔流水只记一次。")
    empty_hint = _("还没有导入过银行流水。点“导入银行流水”，选择从网银下载的文件。")
    list_links = (Link(_("导入银行流水"), "admin:statement_new", "contributions.confirm"),)
    desk_urls = (
        ("new/", "statement_new", "contributions.confirm", new_page),
        ("<int:pk>/record/", "statement", "contributions.view", statement_page),
        ("<int:pk>/confirm/", "statement_confirm", "contributions.confirm", confirm),
        ("<int:pk>/cancel/", "statement_cancel", "contributions.confirm", cancel),
    )
    list_display = (
        "file_name", "standing", "good_count", "amount", "known_count", "bad_count", column("office", _("机构")),
        column("uploaded_by", _("导入人")), "uploaded_at",
    )  # fmt: skip
    list_filter = (("state", titled(_("状态"))), OfficeFilter, since("uploaded_at", _("导入时间")))
    list_select_related = ("office", "uploaded_by")
    ordering = ("-id",)

    @admin.display(description=_("来款合计（元）"))
    def amount(self, statement: BankStatement) -> str:
        return format_yuan(statement.total_fen)


@todo("contributions.confirm")
def statements_to_take(actor: Actor) -> Iterable[Todo]:
    """Statements that were read and not taken in yet."""
    address = f"{reverse('admin:members_bankstatement_changelist')}?state__exact=read"
    yield waiting(_("待确认导入的银行流水"), BankStatement.objects.filter(state="read"), "uploaded_at", address)
