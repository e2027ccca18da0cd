"""Closing at the desk: asked for by one person, carried out by another who has seen the figures."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from unionaid.books.admin.ledger import shown_funds
from unionaid.books.models import PeriodClosing
from unionaid.books.selectors import trial
from unionaid.books.services import closing
from unionaid.ledger.closing import first_open_day
from unionaid.lib.calendar import today
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.forms import OfficesForm
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import AskForm, sent
from unionaid.workflow.asking import attempt
from unionaid.workflow.second_word import SecondWord, WordForm
from unionaid.workflow.selectors import findable, told_history

findable(PeriodClosing, number="", label="office__name", page="admin:period_closing")
MONTHS_BACK = 24


class ClosingForm(OfficesForm, AskForm):
    """Whose books, and through which month."""

    last_day = forms.ChoiceField(
        label=_("结到哪个月"), help_text=_("从上次结账之后一直结到这个月底；可以一次结几个月，也可以结到年底"),
        error_messages={"required": _("请选择月份"), "invalid_choice": _("请选择列出的月份")},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = [(day.isoformat(), date_format(day, "YEAR_MONTH_FORMAT")) for day in _month_ends(today())]
        self.fields["last_day"].choices = months  # type: ignore[attr-defined]


def _month_ends(day: date) -> list[date]:
    """The last days of the months that are over, the newest first."""
    ends = []
    for _month in range(MONTHS_BACK):
        day = day.replace(day=1) - timedelta(days=1)
        ends.append(day)
    return ends


WORD = SecondWord(
    "close", _("请选择结账或不结账。"), _("不结账的原因（不结账时必填）"),
    done=_("已结账。以后到账、回盘的业务记在下个月的第一天。"), dropped=_("没有结账，原因已经记下。"),
    written=("state", "version", "period"),
)  # fmt: skip


def new_page(request: HttpRequest) -> HttpResponse:
    """Ask to close the books of an office."""
    by = actor(request)
    offices = [office for office in offices_below(by).order_by("path") if may(by, "periods.propose", office.pk)]
    form = ClosingForm(sent(request)[0], offices=offices)

    def act() -> str:
        office = next(office for office in offices if str(office.pk) == form.cleaned_data["office"])
        made = closing.propose(office, last_day=date.fromisoformat(form.cleaned_data["last_day"]), by=by, on=today())
        return reverse("admin:period_closing", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := attempt(form, act)):
        messages.success(request, gettext("已申请结账，请另一位同事核对后结账。"))
        return redirect(address)
    status = form.status if form.errors else 200
    context = desk_context(request, trail=[list_of(PeriodClosing)], title=_("申请结账"), form=form)
    return render(request, "desk/closing_new.html", context, status=status)


def closing_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One closing: the figures, and the second person's word."""
    rows = PeriodClosing.objects.select_related("office", "proposed_by", "closed_by", "period")
    found = get_object_or_404(rows, pk=pk)
    form = WORD.form(request, found)
    if WORD.answered(
        request, found, form,
        do=lambda by: closing.confirm(found, by=by, on=today()), drop=lambda by, note: closing.drop(found, by=by, note=note),
    ):  # fmt: skip
        return redirect("admin:period_closing", pk)
    return render(request, "desk/closing.html", _context(request, found, form), status=form.status if form.errors else 200)


def _context(request: HttpRequest, found: PeriodClosing, form: WordForm) -> dict[str, Any]:
    by = actor(request)
    first = found.period.first_day if found.period else first_open_day(found.office_id) or found.last_day
    figures = trial([found.office_id], first=min(first, found.last_day), last=found.last_day)
    days = urlencode({"office": found.office_id, "first": first.isoformat(), "last": found.last_day.isoformat()})
    return desk_context(
        request,
        trail=[list_of(PeriodClosing)],
        title=gettext("{office} 结账").format(office=found.office.name),
        one=found,
        first=first,
        funds=shown_funds(figures, first, found.last_day),
        balanced=figures.balances,
        books=f"{reverse('admin:ledger_account_changelist')}?{days}",
        form=form,
        may_close=WORD.may_do(found, by),
        own=WORD.is_own(found, by),
        may_drop=found.state == "asked" and may(by, "periods.propose", found.office_id),
        history=told_history(found),
    )


@admin.register(PeriodClosing)
class PeriodClosingAdmin(HouseAdmin):
    """What was closed, newest first."""

    view_action = "ledger.view"
    section, place = "books", 40
    page = "admin:period_closing"
    list_links = (Link(_("申请结账"), "admin:closing_new", "periods.propose"),)
    list_hint = _("结账以后，那段时间不能再记账，也不能重新打开；漏记的、要更正的，记在结账后的第一天。一个人申请，另一个人核对后结账。")
    empty_hint = _("还没有结过账。每月核对银行余额之后，点“申请结账”。")
    desk_urls = (
        ("new/", "closing_new", "periods.propose", new_page),
        ("<int:pk>/record/", "period_closing", "ledger.view", closing_page),
    )
    list_display = ("through", column("office", _("机构")), column("proposed_by", _("申请人")), "proposed_at", "standing")
    list_filter = (("state", titled(_("状态"))),)
    list_select_related = ("office", "proposed_by")
    ordering = ("-id",)

    @admin.display(description=_("结到"))
    def through(self, row: PeriodClosing) -> str:
        return date_format(row.last_day)


@todo("periods.close")
def closings_to_confirm(actor: Actor) -> Iterable[Todo]:
    """What another person has asked to close."""
    address = f"{reverse('admin:books_periodclosing_changelist')}?state__exact=asked"
    rows = PeriodClosing.objects.filter(state="asked").exclude(proposed_by_id=actor.user_id)
    yield waiting(_("待复核的结账"), rows, "proposed_at", address)
