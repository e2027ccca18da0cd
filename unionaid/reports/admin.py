"""The yearly statement at the desk: asked for, watched, read, taken home."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from unionaid.books.words import KINDS
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import day_of, plus_days, today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Link, badge, desk_context, list_of
from unionaid.offices.first_page import Glance, Todo, glance, todo, waiting
from unionaid.offices.lists import column
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.reports import services
from unionaid.reports.figures import DEFINITIONS
from unionaid.reports.models import MoneyAudit, StatementLine, YearlyStatement
from unionaid.reports.money import EVERY
from unionaid.web.files import XLSX, send
from unionaid.workflow.jobs import result_page
from unionaid.workflow.models import Job
from unionaid.workflow.moves import MoveRefused, NotAllowed
from unionaid.workflow.requests import KeyReused, once
from unionaid.workflow.selectors import findable, job_by_key

YEARS_BACK = 5

findable(YearlyStatement, number="", label="office__name", page="admin:yearly_statement")


@result_page("reports.build_yearly", "desk", "reports.view")
def _built(statement_id: int) -> str:
    return reverse("admin:yearly_statement", args=[statement_id])


class RequestForm(forms.Form):
    """Whose year, and which."""

    office = forms.ChoiceField(label=_("机构（含所属机构）"), error_messages={"invalid_choice": _("请选择您所属的机构或它的下级机构")})
    year = forms.TypedChoiceField(label=_("年度"), coerce=int, error_messages={"invalid_choice": _("请选择列出的年度")})
    request_key = forms.CharField(widget=forms.HiddenInput(), max_length=64)

    def __init__(self, *args: Any, offices: Sequence[Office], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [(office.pk, _indented(office, offices)) for office in offices]  # type: ignore[attr-defined]
        last = today().year
        self.fields["year"].choices = [(year, gettext("{year} 年").format(year=year)) for year in range(last, last - YEARS_BACK, -1)]  # type: ignore[attr-defined]


def _indented(office: Office, offices: Sequence[Office]) -> str:
    depth = sum(office.path.startswith(other.path) for other in offices) - 1
    return "　" * depth + office.name


def request_page(request: HttpRequest) -> HttpResponse:
    """Choose office and year; the form sent twice builds one statement."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    offices = [office for office in offices_below(actor).order_by("path") if may(actor, "reports.build", office.pk)]
    form = RequestForm(request.POST or None, offices=offices, initial={"request_key": uuid.uuid4().hex})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return redirect(_requested(form.cleaned_data, offices, actor))
            except MoveRefused as no:
                form.add_error(None, no.message)
                status = 403 if isinstance(no, NotAllowed) else 422 if isinstance(no, KeyReused) else 409
    context = desk_context(request, trail=[list_of(YearlyStatement)], title=_("编制年报"), form=form)
    return render(request, "desk/yearly_request.html", context, status=status)


def _requested(said: dict[str, Any], offices: Sequence[Office], actor: Actor) -> str:
    """The address of the job that builds the statement."""
    office = next(office for office in offices if str(office.pk) == said["office"])

    def act() -> str:
        statement = services.request(office, said["year"], by=actor)
        job = Job.objects.get(key=services.job_key(statement))
        return reverse("admin:job", args=[job.public_id])

    body = {"form": "yearly statement", "office": office.pk, "year": said["year"]}
    return once(actor.user_id or 0, said["request_key"], body, act)


@require_GET
def statement_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Figures first, then the picture, the tables and the file; or how far the building is."""
    statement = get_object_or_404(YearlyStatement.objects.select_related("office", "requested_by"), pk=pk)
    context: dict[str, Any] = {"statement": statement, "trail": [list_of(YearlyStatement)]}
    context["title"] = gettext("{office} {year} 年度统计年报").format(office=statement.office.name, year=statement.year)
    if statement.frozen_at is None:
        context["job"] = job_by_key(services.job_key(statement))
        return render(request, "desk/yearly_statement.html", desk_context(request, **context))
    lines = list(statement.lines.all())
    whole = next(line for line in lines if line.table == "total")
    context |= {
        "figures": _figures(whole),
        "definitions": DEFINITIONS,
        "is_empty": not any(whole.figures[name] for name in ("enrolments", "claims", "paid_claims")),
        "chart": _chart(services.choose(lines, "by_category")[:-1]),
        "tables": [
            (_("按类别"), _table(services.choose(lines, "by_category"), with_category=False)),
            (_("按计划"), _table(services.choose(lines, "by_program"), with_category=True)),
        ],
    }
    return render(request, "desk/yearly_statement.html", desk_context(request, **context))


def _figures(whole: StatementLine) -> list[tuple[Any, str, Any]]:
    """(name, figure, what it counts) of the statement's head."""
    row = dict(zip(services.NAMES, services.table_rows([whole])[0], strict=True))
    return [
        (_("参加人次"), _count(row["enrolments"]), _("当年开始保障的参加记录")),
        (_("参加人数"), _count(row["people"]), _("不同的人，每人只计一次")),
        (_("份数"), _count(row["shares"]), _("上述记录的份数合计")),
        (_("互助费"), _yuan(row["contributions_fen"]), _("上述记录已到账的互助费")),
        (_("给付金额"), _yuan(row["benefits_fen"]), _("当年银行确认到账的互助金")),
        (_("给付件"), _count(row["paid_claims"]), _("当年到账的申领；当年提交 {count} 件").format(count=_count(row["claims"]))),
        (_("受益人数"), _count(row["beneficiaries"]), _("当年收到互助金的人，每人只计一次")),
        (_("赔付率"), _percent(row["benefit_ratio"]), _("给付金额 ÷ 互助费")),
        (_("受益率"), _percent(row["beneficiary_ratio"]), _("受益人数 ÷ 参加人数")),
        (_("件均"), _yuan(row["mean_fen"]), _("给付金额 ÷ 给付件")),
        (_("单笔最高"), _yuan(row["highest_fen"]), _("当年到账的最大一笔")),
        (_("单位数"), _count(row["units"]), _("有职工参加的单位，每个只计一次")),
    ]


def _table(lines: Sequence[StatementLine], *, with_category: bool) -> dict[str, Any]:
    """Header and rows as texts; the last row is the total."""
    rows = services.table_rows(lines)
    keep = [i for i in range(len(services.COLUMNS)) if with_category or services.COLUMNS[i] is not services.CATEGORY]
    shown = [[(_cell(services.COLUMNS[i].kind, row[i]), services.COLUMNS[i].kind) for i in keep] for row in rows]
    header = [(services.COLUMNS[i].title, services.COLUMNS[i].kind) for i in keep]
    return {"header": header, "rows": shown}


def _cell(kind: str, value: Any) -> str:
    return {"count": _count, "yuan": _number, "ratio": _percent}.get(kind, str)(value) if value is not None else "—"


def _count(value: int) -> str:
    return f"{value:,}"


def _number(fen: int | None) -> str:
    return "—" if fen is None else format_yuan(fen)


def _yuan(fen: int | None) -> str:
    return "—" if fen is None else gettext("¥{amount} 元").format(amount=format_yuan(fen))


def _percent(value: Any) -> str:
    return "—" if value is None else f"{value * 100:,.1f}%"


WIDTH = 420


def _chart(lines: Sequence[StatementLine]) -> dict[str, Any] | None:
    """Bars of contributions and benefits by category, as whole lengths for the picture."""
    most = max((max(line.figures["contributions_fen"], line.figures["benefits_fen"]) for line in lines), default=0)
    if not most:
        return None
    bars = []
    for i, line in enumerate(lines):
        fee, benefit = line.figures["contributions_fen"], line.figures["benefits_fen"]
        bars.append(
            {
                "label": services.label_of(line), "y": i * 52, "text_y": i * 52 + 26,
                "fee": format_yuan(fee), "benefit": format_yuan(benefit),
                "fee_width": WIDTH * fee // most, "benefit_width": WIDTH * benefit // most,
                "fee_end": 168 + WIDTH * fee // most, "benefit_end": 168 + WIDTH * benefit // most,
                "fee_y": i * 52 + 8, "benefit_y": i * 52 + 26, "fee_text_y": i * 52 + 20, "benefit_text_y": i * 52 + 39,
            }
        )  # fmt: skip
    return {"bars": bars, "height": len(lines) * 52 + 8}


@require_GET
def workbook(request: HttpRequest, pk: int) -> HttpResponse:
    """The frozen file, the same bytes for ever."""
    statement = get_object_or_404(YearlyStatement.objects.select_related("office"), pk=pk, frozen_at__isnull=False)
    name = gettext("{office}{year}年度统计年报第{revision}版.xlsx").format(
        office=statement.office.name, year=statement.year, revision=statement.revision
    )
    with statement.workbook.open() as stored:
        return send(stored.read(), content_type=XLSX, file_name=name, as_attachment=True)


@admin.register(YearlyStatement)
class YearlyStatementAdmin(HouseAdmin):
    """The statements of the office and of those below it, newest first."""

    view_action = "reports.view"
    section, place = "reports", 10
    page = "admin:yearly_statement"
    list_hint = _("每份年报按编制时的数据定稿，不再改动；数据有变化时重新编制，成为新的一版。")
    empty_hint = _("还没有编制过年报。点“编制年报”，选择机构和年度，几秒钟就好。")
    list_links = (Link(_("编制年报"), "admin:yearly_request", "reports.build"),)
    desk_urls = (
        ("new/", "yearly_request", "reports.build", request_page),
        ("<int:pk>/statement/", "yearly_statement", "reports.view", statement_page),
        ("<int:pk>/workbook/", "yearly_workbook", "reports.view", workbook),
    )
    list_display = ("name", "edition", "standing", "as_of", column("requested_by", _("申请人")))
    list_filter = ("year",)
    list_select_related = ("office", "requested_by")
    ordering = ("-id",)

    @admin.display(description=_("年报"))
    def name(self, statement: YearlyStatement) -> str:
        return gettext("{office} {year} 年度").format(office=statement.office.name, year=statement.year)

    @admin.display(description=_("版次"))
    def edition(self, statement: YearlyStatement) -> str:
        return gettext("第 {revision} 版").format(revision=statement.revision)

    @admin.display(description=_("状态"))
    def standing(self, statement: YearlyStatement) -> str:
        return badge(_("已定稿"), "good") if statement.frozen_at else badge(_("编制中"), "todo")


@require_GET
def audit_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Every invariant in words, and the rows where one did not hold."""
    made = get_object_or_404(MoneyAudit.objects.select_related("office"), pk=pk)
    found = {one["code"]: one for one in made.findings}
    title = gettext("{day} 资金核对").format(day=date_format(made.on))
    lines = [(one.code, one.words, found.get(one.code)) for one in EVERY]
    wrong = [(code, words, one["count"], [_row_said(row) for row in one["rows"]]) for code, words, one in lines if one]
    context = {"audit": made, "wrong": wrong, "right": [(code, words) for code, words, one in lines if one is None]}
    return render(request, "desk/money_audit.html", desk_context(request, trail=[list_of(MoneyAudit)], title=title, **context))


def _row_said(row: str) -> tuple[str, str]:
    """A row at fault in words, with its page where it has one: a transaction, a fund, a table's row, a number as it is."""
    head, _blank, key = row.partition(" ")
    if head in KINDS and key.isdigit():
        return gettext("凭证 {number}").format(number=key), reverse("admin:ledger_transaction", args=[int(key)])
    if head in Fund.values and not key:
        return str(Fund(head).label), ""
    tables = {model._meta.db_table: model._meta.verbose_name for model in apps.get_models()}
    return (f"{tables[head]} {key}" if head in tables else row), ""


@admin.register(MoneyAudit)
class MoneyAuditAdmin(HouseAdmin):
    """One line a day; what did not hold stands out."""

    view_action = "money_audits.view"
    section, place = "reports", 20
    page = "admin:money_audit"
    list_hint = _("系统每天核对一次：每张凭证是否平衡、每件申领是否只付一次、额度是否用超、银行文件与账是否一致。核对结果不能改动。")
    empty_hint = _("还没有核对过。系统每天核对一次，结果会列在这里。")
    desk_urls = (("<int:pk>/audit/", "money_audit", "money_audits.view", audit_page),)
    list_display = ("day", "office", "looked_at", "outcome")
    list_select_related = ("office",)
    ordering = ("-id",)

    @admin.display(description=_("日期"))
    def day(self, made: MoneyAudit) -> str:
        return date_format(made.on)

    @admin.display(description=_("结果"))
    def outcome(self, made: MoneyAudit) -> str:
        return badge(gettext("{count} 项不符").format(count=len(made.findings)), "bad") if made.findings else badge(_("全部相符"), "good")


@todo("money_audits.view")
def money_in_doubt(actor: Actor) -> Iterable[Todo]:
    """Days of the last week whose audit found something."""
    doubtful = MoneyAudit.objects.filter(on__gte=plus_days(today(), -7)).exclude(findings=[])
    yield waiting(_("资金核对有不符的日子（最近一周）"), doubtful, "on", reverse("admin:reports_moneyaudit_changelist"))


@glance("reports.view")
def latest_statement(actor: Actor) -> Iterable[Glance]:
    """The head of the latest frozen statement in scope, of the highest office first: nothing is counted for this page."""
    rows = YearlyStatement.objects.filter(frozen_at__isnull=False).select_related("office")
    statement = rows.annotate(depth=Length("office__path")).order_by("depth", "-year", "-revision").first()
    if statement is None:
        return
    whole = services.lines_of(statement)[-1]
    hint = gettext("数据截止 {day}，第 {revision} 版").format(day=date_format(day_of(statement.as_of)), revision=statement.revision)
    title = gettext("{office} {year} 年度").format(office=statement.office.name, year=statement.year)
    yield Glance(title, hint, reverse("admin:yearly_statement", args=[statement.pk]), [_figures(whole)[i] for i in (0, 3, 4, 7, 8)])
