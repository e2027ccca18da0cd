"""The books at the desk: trial balance, account statement, transaction, and from each figure down to the thing behind it. Looked at, never
touched; each can be taken home as a workbook."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from unionaid.books.selectors import MOST, Figures, FundBooks, Trial, place_of, side_words, statement_of, trial
from unionaid.books.words import kind_words, things_behind
from unionaid.ledger.models import Account, Entry, Transaction
from unionaid.ledger.posting import first_open_days
from unionaid.lib.calendar import now, plus_days, today
from unionaid.lib.money import format_yuan
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.lists import column
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.fields import DayField
from unionaid.web.files import XLSX, send

PAGE = 100


class DaysForm(forms.Form):
    """From which day to which, both inclusive."""

    first = DayField(label=_("从"))
    last = DayField(label=_("到"))

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if "first" in said and "last" in said and said["first"] > said["last"]:
            self.add_error("first", gettext("开始日期不能在结束日期之后，请重新选择。"))
        return said


class TrialForm(DaysForm):
    """Whose books, with all offices below."""

    office = forms.ChoiceField(label=_("机构（含所属机构）"), required=False, error_messages={"invalid_choice": _("请选择列出的机构")})
    field_order = ("office",)

    def __init__(self, *args: Any, offices: Sequence[Office], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [(office.pk, _indented(office, offices)) for office in offices]  # type: ignore[attr-defined]


def _indented(office: Office, offices: Sequence[Office]) -> str:
    return "　" * (sum(office.path.startswith(other.path) for other in offices) - 1) + office.name


def _readable(actor: Actor) -> list[Office]:
    """The offices whose books this person may read, in the order of the tree."""
    return [office for office in offices_below(actor).order_by("path") if may(actor, "ledger.view", office.pk)]


def trial_page(request: HttpRequest) -> HttpResponse:
    """The trial balance of an office and those below it."""
    offices = _readable(request.actor)  # type: ignore[attr-defined]
    form = TrialForm(_asked(request), offices=offices)
    if not form.is_valid():
        context = desk_context(request, title=Account._meta.verbose_name_plural, form=form, funds=[])
        return render(request, "desk/ledger_trial.html", context, status=400)
    said = form.cleaned_data
    top = next((one for one in offices if str(one.pk) == said["office"]), offices[0])
    below = {one.pk: one for one in offices if one.path.startswith(top.path)}
    found = trial(below, first=said["first"], last=said["last"])
    days = _days(said)
    context = desk_context(
        request,
        title=_("科目余额表"),
        form=form,
        top=top,
        first=said["first"],
        last=said["last"],
        balanced=found.balances,
        funds=shown_funds(found, said["first"], said["last"]),
        closed=plus_days(opens, -1) if (opens := first_open_days([top.pk]).get(top.pk)) else None,
        banks=[(below[pk], *_sums(figures), urlencode({"office": pk}) + "&" + days) for pk, figures in found.banks.items()],
        several=len(found.banks) > 1,
        query=urlencode({"office": top.pk}) + "&" + days,
    )
    return render(request, "desk/ledger_trial.html", context)


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address says, without what the database could not be asked; the days that are meant when it names none, so that the page
    shows them."""
    said = {name: value for name, value in request.GET.items() if value and "\x00" not in value}
    day = today()
    return {"first": day.replace(month=1, day=1).isoformat(), "last": day.isoformat(), **said}


def _days(said: dict[str, Any]) -> str:
    return urlencode({"first": said["first"].isoformat(), "last": said["last"].isoformat()})


def _side(fen: int) -> tuple[Any, str]:
    words, amount = side_words(fen)
    return words, format_yuan(amount)


def _sums(figures: Figures) -> tuple[tuple[Any, str], str, str, tuple[Any, str]]:
    """Opening with its side, debit, credit, closing with its side."""
    return _side(figures.opening_fen), format_yuan(figures.debit_fen), format_yuan(figures.credit_fen), _side(figures.closing_fen)


def shown_funds(found: Trial, first: date, last: date) -> list[dict[str, Any]]:
    """The accounts of each fund for a page, each leading to its entries where it is one office's."""
    return [_fund_rows(books, _days({"first": first, "last": last})) for books in found.funds]


def _fund_rows(books: FundBooks, days: str) -> dict[str, Any]:
    rows = []
    for code, figures in books.accounts.items():
        only = next(iter(books.ids[code])) if len(books.ids[code]) == 1 else None
        address = f"{reverse('admin:ledger_statement', args=[only])}?{days}" if only else ""
        rows.append((code.label, *_sums(figures), address))
    return {"fund": books.fund.label, "rows": rows, "total": _sums(books.total), "balances": books.balances}


@require_GET
def trial_workbook(request: HttpRequest) -> HttpResponse:
    """The trial balance as a workbook: values only."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    offices = _readable(actor)
    form = TrialForm(_asked(request), offices=offices)
    if not form.is_valid():
        return trial_page(request)
    said = form.cleaned_data
    top = next((one for one in offices if str(one.pk) == said["office"]), offices[0])
    below = {one.pk: one for one in offices if one.path.startswith(top.path)}
    found = trial(below, first=said["first"], last=said["last"])
    title = gettext("{office} 科目余额表").format(office=top.name)
    notes = _notes(actor, said["first"], said["last"])
    sheets = [_fund_sheet(books, title, notes) for books in found.funds] + [_bank_sheet(found, below, title, notes)]
    return _book(sheets, gettext("{office}科目余额表{first}至{last}.xlsx").format(office=top.name, first=said["first"], last=said["last"]))


def _figure_columns(*names: str) -> list[Column]:
    yuan = [gettext("期初余额"), gettext("借方"), gettext("贷方"), gettext("期末余额")]
    return [*(Column(name, "text", 24) for name in names), *(Column(name, "yuan", 18) for name in yuan)]


def _fund_sheet(books: FundBooks, title: str, notes: Sequence[str]) -> Sheet:
    rows = [[str(code.label), *_fen(figures)] for code, figures in books.accounts.items()]
    return Sheet(
        str(books.fund.label), f"{title} · {books.fund.label}", _figure_columns(gettext("科目")),
        [*rows, [gettext("合计"), *_fen(books.total)]], notes, has_total=True,
    )  # fmt: skip


def _bank_sheet(found: Trial, offices: dict[int, Office], title: str, notes: Sequence[str]) -> Sheet:
    rows = [[offices[pk].name, *_fen(figures)] for pk, figures in found.banks.items()]
    return Sheet(gettext("各机构银行存款"), f"{title} · {gettext('各机构银行存款')}", _figure_columns(gettext("机构")), rows, notes)


def _fen(figures: Figures) -> tuple[int, int, int, int]:
    return figures.opening_fen, figures.debit_fen, figures.credit_fen, figures.closing_fen


def _notes(actor: Actor, first: date, last: date) -> list[str]:
    """Of which days, how to read it, and who took it home when."""
    return [
        gettext("{first} 至 {last}，单位：元；余额借方为正、贷方为负").format(first=date_format(first), last=date_format(last)),
        gettext("{person} 于 {moment} 导出").format(person=actor.label, moment=date_format(now(), "DATETIME_FORMAT")),
    ]


def _book(sheets: Sequence[Sheet], name: str) -> HttpResponse:
    out = io.BytesIO()
    write_workbook(out, sheets)
    return send(out.getvalue(), content_type=XLSX, file_name=name, as_attachment=True)


def _account(pk: int) -> Account:
    return get_object_or_404(Account.objects.select_related("office"), pk=pk)


@require_GET
def statement_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One account line by line, with what stood after each."""
    account, form = _account(pk), DaysForm(_asked(request))
    trail = [list_of(Account)]
    title = gettext("{office} · {account}").format(office=account.office.name, account=account)
    if not form.is_valid():
        return render(request, "desk/ledger_account.html", desk_context(request, trail=trail, title=title, form=form), status=400)
    said, after = form.cleaned_data, request.GET.get("after", "")
    found = statement_of(account, first=said["first"], last=said["last"], after=after, size=PAGE)
    behind = things_behind(line.entry.transaction for line in found.lines)
    days = _days(said)
    context = desk_context(
        request,
        trail=[(list_of(Account)[0], f"{list_of(Account)[1]}?{urlencode({'office': account.office_id})}&{days}")],
        title=title,
        account=account,
        form=form,
        sums=_sums(found.figures),
        lines=[
            (line.entry, kind_words(line.entry.transaction.kind), _split(line.entry.amount_fen), _side(line.balance_fen),
             behind.get(line.entry.transaction_id, ("", "")))
            for line in found.lines
        ],
        going_on=bool(place_of(after)),
        here=f"{request.path}?{days}",
        following=f"{request.path}?{days}&{urlencode({'after': found.following})}" if found.following else "",
        workbook=f"{reverse('admin:ledger_statement_workbook', args=[pk])}?{days}",
    )  # fmt: skip
    return render(request, "desk/ledger_account.html", context)


def _split(fen: int) -> tuple[str, str]:
    """(debit, credit), one of them empty."""
    return (format_yuan(fen), "") if fen > 0 else ("", format_yuan(-fen))


@require_GET
def statement_workbook(request: HttpRequest, pk: int) -> HttpResponse:
    """An account's entries as a workbook: values only, as many as a sheet holds."""
    account, form = _account(pk), DaysForm(_asked(request))
    if not form.is_valid():
        return statement_page(request, pk)
    said = form.cleaned_data
    found = statement_of(account, first=said["first"], last=said["last"], size=MOST)
    notes = _notes(request.actor, said["first"], said["last"])  # type: ignore[attr-defined]
    notes.append(gettext("期初余额 {amount} 元").format(amount=format_yuan(found.figures.opening_fen)))
    if found.following:
        notes.append(gettext("只列出前 {most} 条，请缩短日期范围再导出其余的。").format(most=f"{MOST:,}"))
    behind = things_behind(line.entry.transaction for line in found.lines)
    columns = [
        Column(gettext("记账日期"), "day", 12), Column(gettext("业务日期"), "day", 12), Column(gettext("凭证号"), "text", 12),
        Column(gettext("摘要"), "text", 24), Column(gettext("对应"), "text", 30), Column(gettext("说明"), "text", 30),
        Column(gettext("借方"), "yuan", 16), Column(gettext("贷方"), "yuan", 16), Column(gettext("余额"), "yuan", 18),
    ]  # fmt: skip
    rows = [_row(line.entry, line.balance_fen, behind.get(line.entry.transaction_id, ("", ""))[0]) for line in found.lines]
    sheet = Sheet(str(account.get_code_display()), f"{account.office.name} {account}", columns, rows, notes)
    name = gettext("{office}{account}{first}至{last}.xlsx").format(
        office=account.office.name, account=account, first=said["first"], last=said["last"]
    )
    return _book([sheet], name)


def _row(entry: Entry, balance_fen: int, thing: str) -> list[Any]:
    of, fen = entry.transaction, entry.amount_fen
    sides = [fen, None] if fen > 0 else [None, -fen]
    return [entry.posted_on, of.happened_on, str(of.pk), str(kind_words(of.kind)), thing, of.note, *sides, balance_fen]


@require_GET
def transaction_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One transaction: its entries, the thing behind it, and what it reverses or was reversed by."""
    rows = Transaction.objects.select_related("office", "posted_by", "reverses", "reversed_by")
    found = get_object_or_404(rows, pk=pk)
    days = urlencode({"first": found.posted_on.isoformat(), "last": found.posted_on.isoformat()})
    context = desk_context(
        request,
        trail=[list_of(Transaction)],
        title=gettext("凭证 {number}").format(number=found.pk),
        one=found,
        kind=kind_words(found.kind),
        behind=things_behind([found]).get(found.pk),
        entries=[
            (entry, _split(entry.amount_fen), f"{reverse('admin:ledger_statement', args=[entry.account_id])}?{days}")
            for entry in Entry.objects.filter(transaction=found).select_related("account").order_by("id")
        ],
        undone=getattr(found, "reversed_by", None),
    )
    return render(request, "desk/ledger_transaction.html", context)


@admin.register(Account)
class AccountAdmin(HouseAdmin):
    """The accounts, shown as a trial balance."""

    title = _("科目余额表")
    view_action = "ledger.view"
    section, place = "books", 10
    page = "admin:ledger_statement"
    desk_urls = (
        ("trial.xlsx", "ledger_trial_workbook", "ledger.view", trial_workbook),
        ("<int:pk>/statement/", "ledger_statement", "ledger.view", statement_page),
        ("<int:pk>/statement.xlsx", "ledger_statement_workbook", "ledger.view", statement_workbook),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        return trial_page(request)


@admin.register(Transaction)
class TransactionAdmin(HouseAdmin):
    """Every transaction, newest first."""

    view_action = "ledger.view"
    section, place = "books", 15
    page = "admin:ledger_transaction"
    list_hint = _("每一笔资金变动都记成一张借贷相等的凭证，记下以后不能改、不能删；错了另记一张相反的。")
    empty_hint = _("没有符合条件的凭证。")
    search_hint = _("凭证号")
    desk_urls = (("<int:pk>/record/", "ledger_transaction", "ledger.view", transaction_page),)
    list_display = ("number", "what", "behind", "posted_on", column("office", _("机构")), "note")
    list_select_related = ("office",)
    ordering = ("-id",)

    def find(self, rows: QuerySet[Transaction], text: str) -> QuerySet[Transaction]:
        number = text if text.isascii() and text.isdigit() and len(text) < 18 else "0"
        return rows.filter(pk=int(number))

    def complete(self, rows: Iterable[Any]) -> None:
        found = things_behind(rows)
        for row in rows:
            row.thing = found.get(row.pk, ("", ""))[0]

    @admin.display(description=_("凭证号"))
    def number(self, row: Transaction) -> str:
        return str(row.pk)

    @admin.display(description=_("摘要"))
    def what(self, row: Transaction) -> Any:
        return kind_words(row.kind)

    @admin.display(description=_("对应"))
    def behind(self, row: Any) -> str:
        return str(row.thing)
