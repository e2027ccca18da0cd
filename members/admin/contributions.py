"""Contributions at the desk: what is owed and how far it is paid, with the papers that show the right to join beside it."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from members import receipt
from members.admin.enrolments import RefuseForm, papers_of
from members.models import ContributionDue, DuePaper, Enrolment
from members.selectors.contributions import candidates_for, over_paid
from members.services import contributions
from members.services.people import masked_numbers
from members.transitions import DUE_LIVE
from programs.rules.outline import PAYER_WORDS
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.fields import DayField, YuanField
from unionaid.web.files import send, send_paper
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

SHOWN = 50

findable(ContributionDue, number="reference", page="admin:due")


class ConfirmForm(forms.Form):
    """One line of the bank statement that settles one debt."""

    payer_name = forms.CharField(label=_("付款人"), max_length=120, error_messages={"required": _("请填写付款人")})
    bank_reference = forms.CharField(label=_("银行流水号"), max_length=60, error_messages={"required": _("请填写银行流水号")})
    received_on = DayField(label=_("到账日期"), error_messages={"required": _("请填写到账日期")})
    amount_fen = YuanField(label=_("到账金额（元）"), error_messages={"required": _("请填写到账金额")})
    remark = forms.CharField(label=_("转账附言"), max_length=200, required=False)
    differs = forms.BooleanField(
        label=_("流水上的金额确实与应缴不同"), required=False,
        help_text=_("少缴的记为部分到账；多缴的，余款留在来款里，可以退款或核销别的应缴"),
    )  # fmt: skip


class WaiveForm(forms.Form):
    """So much is not owed any more, and why."""

    amount_fen = YuanField(label=_("减收金额（元）"), error_messages={"required": _("请填写减收金额")})
    reason = forms.ChoiceField(
        label=_("原因"), choices=[("refused", _("不予参加")), ("void", _("参加记录作废"))],
        error_messages={"invalid_choice": _("请选择原因"), "required": _("请选择原因")},
    )  # fmt: skip
    note = forms.CharField(label=_("说明"), max_length=200, error_messages={"required": _("请写明减收的依据")})


def due_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A debt, whom it makes effective, and the papers; whoever may confirms that it arrived."""
    due = _due(pk)
    form = ConfirmForm(request.POST or None, initial={"remark": due.reference})
    status = 200
    if request.method == "POST":
        status = _confirm(request, due, form)
        if status == 302:
            messages.success(request, _confirmed(due))
            return redirect(_next_open(due))
    return render(request, "desk/contribution_confirm.html", _context(request, due, form), status=status)


def _due(pk: int) -> ContributionDue:
    rows = ContributionDue.objects.select_related("unit", "member", "office", "roster__terms__program", "enrolment__terms__program")
    return get_object_or_404(rows, pk=pk)


def _confirmed(due: ContributionDue) -> str:
    if due.state == "part_paid":
        return gettext("已记为部分到账，还欠 {owed} 元。").format(owed=format_yuan(due.owed_fen))
    return gettext("已确认到账。这份名册或参加记录的应缴全部到齐后，保障即生效。")


def _confirm(request: HttpRequest, due: ContributionDue, form: ConfirmForm) -> int:
    if not form.is_valid():
        return 400
    told = {**form.cleaned_data}
    if told.pop("differs") is False and told["amount_fen"] != due.owed_fen and due.state in DUE_LIVE:
        words = gettext("到账 {paid} 元，还欠 {owed} 元，两者不一致。请核对流水；确实如此的，请勾选下面的“流水上的金额确实与应缴不同”。")
        form.add_error("amount_fen", words.format(paid=format_yuan(told["amount_fen"]), owed=format_yuan(due.owed_fen)))
        return 400
    return _try(form, due, lambda: contributions.confirm(due, **told, by=request.actor, on=today()))  # type: ignore[attr-defined]


def _try(form: forms.Form, due: ContributionDue, act: Callable[[], Any]) -> int:
    try:
        with transaction.atomic():  # what is refused leaves no trace
            act()
    except MoveRefused as no:
        form.add_error(None, no.message)
        due.refresh_from_db()
        return status_of(no)
    return 302


@require_POST
def waive(request: HttpRequest, pk: int) -> HttpResponse:
    """Less is owed: an individual is not taken in, or people of a roster are not."""
    due = _due(pk)
    by: Actor = request.actor  # type: ignore[attr-defined]
    if due.enrolment is not None and due.enrolment.state == "contribution_due":
        refusal, enrolment = RefuseForm(request.POST), due.enrolment
        status = 400
        if refusal.is_valid():
            status = _try(refusal, due, lambda: contributions.refuse(enrolment, by=by, on=today(), note=refusal.cleaned_data["note"]))
        form: forms.Form = refusal
    else:
        waiver = WaiveForm(request.POST)
        status = 400
        if waiver.is_valid():
            status = _try(waiver, due, lambda: contributions.waive(due, **waiver.cleaned_data, by=by, on=today()))
        form = waiver
    if status == 302:
        messages.success(request, gettext("已减收。已经到账、不再应收的部分回到来款里，可以提出退款。"))
        return redirect("admin:due", due.pk)
    context = _context(request, due, ConfirmForm(initial={"remark": due.reference}), waiver=form)
    return render(request, "desk/contribution_confirm.html", context, status=status)


@require_GET
def slip(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Evidence of a payment to one's office."""
    return send_paper(get_object_or_404(DuePaper, public_id=public_id))


@require_GET
def due_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of a settled debt."""
    due = get_object_or_404(receipt.receipted(), pk=pk)
    address = request.build_absolute_uri(reverse("members:verify_receipt", args=[due.public_id]))
    content = receipt.render(due, verify_url=address)
    return send(content, content_type="application/pdf", file_name=f"{receipt.number_of(due)}.pdf", as_attachment=True)


def _next_open(due: ContributionDue) -> str:
    following = ContributionDue.objects.filter(state="open", pk__gt=due.pk).order_by("pk").values_list("pk", flat=True).first()
    return reverse("admin:due_confirm", args=[following]) if following else reverse("admin:members_contributiondue_changelist")


def _covers(due: ContributionDue) -> QuerySet[Enrolment]:
    """The enrolments this debt makes effective."""
    own = {"roster_id": due.roster_id} if due.roster_id else {"pk": due.enrolment_id}
    return Enrolment.objects.filter(**own).select_related("member", "holder", "program", "terms").order_by("id")


def _waiver(due: ContributionDue) -> forms.Form:
    return RefuseForm() if due.enrolment is not None and due.enrolment.state == "contribution_due" else WaiveForm()


def _context(request: HttpRequest, due: ContributionDue, form: ConfirmForm, waiver: forms.Form | None = None) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_confirm = may(actor, "contributions.confirm", due.office_id)
    covers = list(_covers(due)[:SHOWN])
    numbers = masked_numbers([cover.member_id for cover in covers])
    count = due.roster.good_count if due.roster else len(covers)
    return desk_context(
        request,
        trail=[list_of(ContributionDue)],
        title=gettext("互助费 {reference}").format(reference=due.reference),
        due=due,
        form=form,
        amount=format_yuan(due.amount_fen),
        paid=format_yuan(due.paid_fen),
        waived=format_yuan(due.waived_fen) if due.waived_fen else "",
        owed=format_yuan(due.owed_fen),
        waiver=(waiver or _waiver(due)) if may_confirm and due.state != "cancelled" else None,
        may_waive=may_confirm and due.state != "cancelled",
        may_take_in=may_confirm,
        slips=[(one, _("缴费凭据"), reverse("admin:due_slip", args=[one.public_id])) for one in due.papers.all()],
        candidates=[(one, format_yuan(one.left_fen)) for one in candidates_for(due)],
        covers=[
            (cover, numbers.get(cover.member_id), cover.last_day, format_yuan(cover.contribution_fen))
            for cover in covers
        ],
        cover_count=count,
        cover_words=f"{count:,}",
        papers=papers_of(covers),
        over=[(one, format_yuan(one.left_fen)) for one in over_paid(due)],
        matches=[
            (match, format_yuan(match.amount_fen)) for match in due.matches.select_related("remittance", "matched_by").order_by("pk")
        ],
        may_confirm=due.state in DUE_LIVE and may_confirm,
        history=told_history(due),
    )


class PayerFilter(admin.SimpleListFilter):
    """The payers that plans name most; asking the table which there are would read it whole."""

    title, parameter_name = _("缴费方"), "payer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | Promise]]:
        language = get_language() or "zh-hans"
        return [(code, words.in_language(language)) for code, words in PAYER_WORDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ContributionDue]) -> QuerySet[ContributionDue]:
        return queryset.filter(payer=self.value()) if self.value() else queryset


@admin.register(ContributionDue)
class ContributionDueAdmin(HouseAdmin):
    """What is owed, and what has arrived."""

    view_action = "contributions.view"
    section, place = "joining", 50
    page = "admin:due"
    desk_urls = (
        ("<int:pk>/record/", "due", "contributions.view", due_page),
        ("<int:pk>/confirm/", "due_confirm", "contributions.confirm", due_page),
        ("<int:pk>/waive/", "due_waive", "contributions.confirm", waive),
        ("<int:pk>/receipt/", "due_receipt", "contributions.view", due_receipt),
        ("slips/<uuid:public_id>", "due_slip", "contributions.view", slip),
    )
    search_hint = _("转账附言的开头（HZ…），或统一社会信用代码")
    empty_hint = _("没有符合条件的互助费。")
    list_display = (
        "reference",
        "debtor",
        "payer_words",
        "amount",
        "owed",
        "standing",
        column("office", _("机构")),
        column("created_at", _("登记时间")),
    )
    list_filter = (("state", titled(_("状态"))), OfficeFilter, PayerFilter, since("created_at", _("登记时间")))
    list_select_related = ("unit", "member", "office")
    ordering = ("-id",)

    def find(self, rows: QuerySet[ContributionDue], text: str) -> QuerySet[ContributionDue]:
        plain = text.upper()
        return rows.filter(unit__credit_code=plain) if len(plain) == 18 else rows.filter(reference__begins=plain)

    @admin.display(description=_("单位或个人"))
    def debtor(self, due: ContributionDue) -> Any:
        return due.unit or due.member

    @admin.display(description=_("缴费方"))
    def payer_words(self, due: ContributionDue) -> str:
        return due.get_payer_display()

    @admin.display(description=_("应缴（元）"))
    def amount(self, due: ContributionDue) -> str:
        return format_yuan(due.amount_fen)

    @admin.display(description=_("还欠（元）"))
    def owed(self, due: ContributionDue) -> str:
        return format_yuan(due.owed_fen) if due.state in DUE_LIVE else "—"


@todo("contributions.confirm")
def open_dues(actor: Actor) -> Iterable[Todo]:
    """Contributions that wait for the bank's word."""
    address = f"{reverse('admin:members_contributiondue_changelist')}?state__in=open,part_paid"
    yield waiting(_("待确认到账的互助费"), ContributionDue.objects.filter(state__in=DUE_LIVE), "created_at", address)
