"""Reconciliation at the desk: what the bank says, what the books say, what is on its way between them, and what nobody has explained."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from claims.payouts.models import PayoutBatch
from unionaid.books.models import BankBalance, Reconciliation
from unionaid.books.services import reconciling
from unionaid.lib.calendar import today
from unionaid.lib.money import MoneyError, format_yuan, parse_yuan
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.forms import OfficesForm
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import KeyedForm, PastDayField, sent
from unionaid.web.fields import PaperField
from unionaid.web.files import send_paper
from unionaid.workflow.asking import attempt_once, outcome
from unionaid.workflow.selectors import findable, told_history

findable(Reconciliation, number="", label="office__name", page="admin:reconciliation")

# kind of an item → what it is, and the desk page of the thing it names
ITEMS = {
    "batch": (_("已放款、等银行回盘：批次 {words}"), "admin:payout_batch"),
    "undebited": (_("已放款、银行这一天还没有扣款：批次 {words}"), "admin:payout_batch"),
    "in_transit": (_("已放款、这一天还没有回盘的其他付款"), ""),
    "arrived": (_("银行已到账、流水还没有确认导入：{words}"), "admin:statement"),
    "later": (_("那时已结账、后来才记账的业务：凭证 {words}"), "admin:ledger_transaction"),
}


class BalanceForm(OfficesForm, KeyedForm):
    """What the bank's paper says lay on the account at the end of a day."""

    on_day = PastDayField(label=_("哪一天的余额"), error_messages={"required": _("请填写对账单上的日期")})
    balance = forms.CharField(
        label=_("对账单余额（元）"), max_length=40, help_text=_("这一天结束时账户里的钱；透支的前面加“-”"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("请填写对账单余额"), "max_length": _("金额太长，请核对")},
    )  # fmt: skip
    paper = PaperField(label=_("银行对账单（照片或 PDF）"))

    def clean_balance(self) -> int:
        """Fen; an overdraft is below zero."""
        text = self.cleaned_data["balance"].strip().replace("－", "-")
        try:
            fen = parse_yuan(text.removeprefix("-"))
        except MoneyError as error:
            raise forms.ValidationError(_(str(error))) from error
        return -fen if text.startswith("-") else fen

    def said(self) -> dict[str, Any]:
        """What must be the same when the form comes again."""
        return {**self.cleaned_data, "paper": self.cleaned_data["paper"].sha256}


class ExplainForm(forms.Form):
    """Where the difference comes from; or compare anew."""

    act = forms.ChoiceField(choices=[("explain", ""), ("again", ""), ("debited", ""), ("undebited", "")])
    batch = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    reason = forms.CharField(
        label=_("差额是怎么来的、打算怎么处理"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


def new_page(request: HttpRequest) -> HttpResponse:
    """Type in the bank's balance of a day."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    offices = [office for office in offices_below(actor).order_by("path") if may(actor, "reconciliations.make", office.pk)]
    form = BalanceForm(*sent(request), offices=offices)

    def act() -> str:
        told = form.cleaned_data
        office = next(office for office in offices if str(office.pk) == told["office"])
        made = reconciling.enter_balance(
            office, on_day=told["on_day"], balance_fen=told["balance"], paper=told["paper"], by=actor, on=today()
        )
        return reverse("admin:reconciliation", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := attempt_once(request, form, act, body=form.said())):
        return redirect(address)
    status = form.status if form.errors else 200
    context = desk_context(request, trail=[list_of(Reconciliation)], title=_("登记对账单余额"), form=form)
    return render(request, "desk/balance_new.html", context, status=status)


def reconciliation_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One day: both balances, every item between them, what is left over, and what was said of it."""
    rows = Reconciliation.objects.select_related("office", "balance__statement", "explained_by", "entered_by")
    found = get_object_or_404(rows, pk=pk)
    form, status, words = ExplainForm(request.POST or None), 200, ""
    if request.method == "POST":
        status, words = _acted(request, found, form)
        if status == 302:
            done = {"explain": gettext("已记下差额的说明。")}
            messages.success(request, done.get(form.cleaned_data["act"], gettext("已重新核对。")))
            return redirect("admin:reconciliation", pk)
        found.refresh_from_db(fields=["state", "version"])
    return render(request, "desk/reconciliation.html", _context(request, found, form, words), status=status)


def _acted(request: HttpRequest, found: Reconciliation, form: ExplainForm) -> tuple[int, str]:
    by: Actor = request.actor  # type: ignore[attr-defined]
    if not form.is_valid():
        return 400, gettext("请写明差额的说明（不超过 300 字），或者选择重新核对。")
    if form.cleaned_data["act"] == "explain":
        return outcome(lambda: reconciling.explain(found, reason=form.cleaned_data["reason"], by=by))
    if form.cleaned_data["act"] in ("debited", "undebited"):
        return _debited(found, form, by)
    if not may(by, "reconciliations.make", found.office_id):
        return 403, gettext("您没有重新核对的权限。")
    return outcome(lambda: reconciling.compare_again(found.office_id, found.on, by=by))


def _debited(found: Reconciliation, form: ExplainForm, by: Actor) -> tuple[int, str]:
    """A person says of one batch whether the bank had paid it out by then."""
    batch = PayoutBatch.objects.filter(office=found.office_id, pk=form.cleaned_data["batch"]).first()
    if batch is None:
        return 400, gettext("请选择列出的批次。")
    debited = form.cleaned_data["act"] == "debited"
    return outcome(lambda: reconciling.say_debited(found, batch, debited=debited, by=by))


def _context(request: HttpRequest, found: Reconciliation, form: ExplainForm, words: str) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    red, office = found.state == "differs", found.office_id
    says = may(actor, "reconciliations.explain", office) and found.entered_by_id != actor.user_id
    days = urlencode({"office": office, "first": found.on.isoformat(), "last": found.on.isoformat()})
    return desk_context(
        request,
        trail=[list_of(Reconciliation)],
        title=gettext("{office} {day} 银行对账").format(office=found.office.name, day=date_format(found.on)),
        one=found,
        bank=format_yuan(found.bank_fen),
        ledger=format_yuan(found.ledger_fen),
        items=[_item(item, says) for item in found.items],
        items_sum=format_yuan(found.items_fen),
        difference=format_yuan(found.difference_fen),
        apart=format_yuan(abs(found.difference_fen)),
        lines=[(row, format_yuan(row.amount_fen or 0)) for row in reconciling.unexplained_lines(office, found.on)]
        if found.difference_fen
        else [],
        books=f"{reverse('admin:ledger_account_changelist')}?{days}",
        form=form,
        refused=words,
        may_explain=red and says,
        own=red and found.entered_by_id == actor.user_id,
        may_compare=may(actor, "reconciliations.make", office),
        history=told_history(found),
    )


def _item(item: Mapping[str, Any], says: bool) -> tuple[str, str, str, str, int]:
    """(what it is, the page of the thing, yuan, what this person may say of it: that the bank had or had not paid it out, its key)."""
    words, page = ITEMS[item["kind"]]
    address = reverse(page, args=[item["id"]]) if page and item["id"] else ""
    act = {"batch": "undebited", "undebited": "debited"}.get(item["kind"], "") if says else ""
    return str(words).format(words=item["words"] or gettext("其余的")), address, format_yuan(item["fen"]), act, item["id"]


@require_GET
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank's paper of a typed balance."""
    return send_paper(get_object_or_404(BankBalance, pk=pk, statement__isnull=True))


@admin.register(Reconciliation)
class ReconciliationAdmin(HouseAdmin):
    """One line a day and office; what differs stands out."""

    view_action = "ledger.view"
    section, place = "books", 30
    page = "admin:reconciliation"
    list_links = (Link(_("登记对账单余额"), "admin:balance_new", "reconciliations.make"),)
    list_hint = _("账面余额 = 对账单余额 + 在途。导入带余额的银行流水后自动核对；没有流水的，凭对账单登记余额。有差额的要有人说明。")
    empty_hint = _("还没有核对过。导入带余额列的银行流水，或者点“登记对账单余额”。")
    desk_urls = (
        ("new/", "balance_new", "reconciliations.make", new_page),
        ("<int:pk>/record/", "reconciliation", "ledger.view", reconciliation_page),
        ("papers/<int:pk>", "balance_paper", "ledger.view", paper),
    )
    list_display = ("day", column("office", _("机构")), "amount_bank", "amount_ledger", "amount_items", "amount_difference", "standing")
    list_filter = (("state", titled(_("状态"))),)
    list_select_related = ("office",)
    ordering = ("-on", "-id")

    @admin.display(description=_("日期"))
    def day(self, row: Reconciliation) -> str:
        return date_format(row.on)

    @admin.display(description=_("对账单余额（元）"))
    def amount_bank(self, row: Reconciliation) -> str:
        return format_yuan(row.bank_fen)

    @admin.display(description=_("账面余额（元）"))
    def amount_ledger(self, row: Reconciliation) -> str:
        return format_yuan(row.ledger_fen)

    @admin.display(description=_("在途（元）"))
    def amount_items(self, row: Reconciliation) -> str:
        return format_yuan(row.items_fen)

    @admin.display(description=_("差额（元）"))
    def amount_difference(self, row: Reconciliation) -> str:
        return format_yuan(row.difference_fen)


@todo("reconciliations.explain")
def days_to_explain(actor: Actor) -> Iterable[Todo]:
    """Days on which the books and the bank differ, and nobody has said why; who typed in the balance does not say it."""
    address = f"{reverse('admin:books_reconciliation_changelist')}?state__exact=differs"
    rows = Reconciliation.objects.filter(Q(entered_by=None) | ~Q(entered_by=actor.user_id), state="differs")
    yield waiting(_("银行对账不符、待说明"), rows, "on", address)
