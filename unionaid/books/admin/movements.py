"""Money put into the funds or taken out of them, at the desk: entered with a paper, confirmed by another person, undone by two."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from unionaid.books.models import FundMovement, FundPaper
from unionaid.books.services import movements
from unionaid.ledger.accounts import Fund
from unionaid.ledger.selectors import Holding, holding
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.forms import OfficesForm
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import KeyedForm, PastDayField, sent
from unionaid.web.fields import PaperField, YuanField
from unionaid.web.files import send_paper
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.second_word import SecondWord, WordForm
from unionaid.workflow.selectors import findable, told_history

findable(FundMovement, number="number", page="admin:fund_movement")


class EvidenceForm(KeyedForm):
    """Why, and the paper that shows it."""

    basis = forms.CharField(
        label=_("依据"), max_length=200, help_text=_("例如拨款文件的文号、银行回单的摘要"),
        error_messages={"required": _("请写明依据，例如拨款文件的文号。"), "max_length": _("依据不超过 200 字")},
    )  # fmt: skip
    paper = PaperField(label=_("银行回单或文件（照片或 PDF）"))

    def said(self) -> dict[str, Any]:
        """What must be the same when the form comes again."""
        return {**self.cleaned_data, "paper": self.cleaned_data["paper"].sha256}


class MovementForm(OfficesForm, EvidenceForm):
    """What came or went, as the bank's paper says it."""

    kind = forms.ChoiceField(
        label=_("事项"), choices=FundMovement.Kind.choices, widget=forms.RadioSelect,
        error_messages={"required": _("请选择事项"), "invalid_choice": _("请在下面选择事项")},
    )  # fmt: skip
    fund = forms.ChoiceField(
        label=_("资金"), choices=Fund.choices, help_text=_("钱进入或离开的那一种资金；调剂时选调出的"),
        error_messages={"required": _("请选择资金"), "invalid_choice": _("请选择列出的资金")},
    )  # fmt: skip
    to_fund = forms.ChoiceField(
        label=_("调入资金（只有资金调剂才选）"), choices=[("", "—"), *Fund.choices], required=False,
        error_messages={"invalid_choice": _("请选择列出的资金")},
    )  # fmt: skip
    amount_fen = YuanField(label=_("金额（元）"), error_messages={"required": _("请填写金额")})
    happened_on = PastDayField(label=_("银行日期"), error_messages={"required": _("请填写银行回单上的日期")})
    bank_reference = forms.CharField(
        label=_("银行流水号（有的话）"), max_length=60, required=False, error_messages={"max_length": _("银行流水号不超过 60 个字")}
    )
    field_order = ("office", "kind", "fund", "to_fund", "amount_fen", "happened_on", "bank_reference", "basis", "paper")

    def clean_amount_fen(self) -> Any:
        fen = self.cleaned_data["amount_fen"]
        if not 0 < fen < 10**14:
            raise forms.ValidationError(gettext("金额要大于 0，请对照回单填写。"))
        return fen


WORD = SecondWord(
    "post", _("请选择复核入账或不予入账。"), _("不予入账的原因（不予入账时必填）"),
    done=_("已入账。"), dropped=_("没有入账，原因已经记下。"),
)  # fmt: skip


def new_page(request: HttpRequest) -> HttpResponse:
    """Enter what the bank's paper says."""
    by = actor(request)
    offices = [office for office in offices_below(by).order_by("path") if may(by, "funds.propose", office.pk)]
    form = MovementForm(*sent(request), offices=offices, initial={"kind": "allocation"})

    def act() -> str:
        told = {**form.cleaned_data}
        office = next(office for office in offices if str(office.pk) == told.pop("office"))
        del told["key"]
        made = movements.propose(office, papers=[told.pop("paper")], **told, by=by, on=today())
        return reverse("admin:fund_movement", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := attempt_once(request, form, act, body=form.said())):
        messages.success(request, gettext("已登记，请另一位同事对照回单复核入账。"))
        return redirect(address)
    status = form.status if form.errors else 200
    context = desk_context(request, trail=[list_of(FundMovement)], title=_("登记资金拨入与调剂"), form=form)
    return render(request, "desk/fund_movement_new.html", context, status=status)


def reverse_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a posted movement was wrong."""
    one = get_object_or_404(FundMovement.objects.select_related("office"), pk=pk)
    form = EvidenceForm(*sent(request))

    def act() -> str:
        by: Actor = request.actor  # type: ignore[attr-defined]
        papers = [form.cleaned_data["paper"]]
        made = movements.propose_reversal(one, basis=form.cleaned_data["basis"], papers=papers, by=by, on=today())
        return reverse("admin:fund_movement", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := attempt_once(request, form, act, body=form.said())):
        messages.success(request, gettext("已提出冲销，请另一位同事复核。"))
        return redirect(address)
    status = form.status if form.errors else 200
    trail = [list_of(FundMovement), (one.number, reverse("admin:fund_movement", args=[pk]))]
    context = desk_context(request, trail=trail, title=gettext("冲销 {number}").format(number=one.number), form=form, one=one)
    return render(request, "desk/fund_movement_reverse.html", context | {"amount": format_yuan(one.amount_fen)}, status=status)


def movement_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One movement: what the paper says, the paper, and the second person's word."""
    rows = FundMovement.objects.select_related("office", "proposed_by", "confirmed_by", "reverses")
    found = get_object_or_404(rows, pk=pk)
    form = WORD.form(request, found)
    if WORD.answered(
        request, found, form,
        do=lambda by: movements.confirm(found, by=by, on=today()), drop=lambda by, note: movements.drop(found, by=by, note=note),
    ):  # fmt: skip
        return redirect("admin:fund_movement", pk)
    return render(request, "desk/fund_movement.html", _context(request, found, form), status=form.status if form.errors else 200)


def _context(request: HttpRequest, found: FundMovement, form: WordForm) -> dict[str, Any]:
    by = actor(request)
    proposing = may(by, "funds.propose", found.office_id)
    return desk_context(
        request,
        trail=[list_of(FundMovement)],
        title=gettext("{kind} {number}").format(kind=found.get_kind_display(), number=found.number),
        one=found,
        amount=format_yuan(found.amount_fen),
        holding=_shown(holding(found.office_id, found.fund)),
        undone=FundMovement.objects.filter(reverses=found).exclude(state="dropped").first(),
        papers=[(one, _("银行回单或文件"), reverse("admin:fund_paper", args=[one.pk])) for one in found.papers.all()],
        form=form,
        may_confirm=WORD.may_do(found, by),
        own=WORD.is_own(found, by),
        may_drop=found.state == "proposed" and proposing,
        may_reverse=found.state == "posted" and found.reverses_id is None and proposing,
        history=told_history(found),
    )


def _shown(held: Holding) -> list[tuple[Any, str]]:
    """A fund's money in words and yuan: what can be paid out of, and what that is the rest of."""
    return [
        (_("现在可以动用"), format_yuan(held.free_fen)),
        (_("银行存款"), format_yuan(held.bank_fen)),
        (_("减：待核销来款"), format_yuan(held.unapplied_fen)),
        (_("减：应退互助费"), format_yuan(held.refundable_fen)),
        (_("减：已放款、还没有到账"), format_yuan(held.in_transit_fen)),
    ]


@require_GET
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """One paper, as it is kept."""
    return send_paper(get_object_or_404(FundPaper, pk=pk))


@admin.register(FundMovement)
class FundMovementAdmin(HouseAdmin):
    """What came into the funds and left them beside fees and benefits, newest first."""

    view_action = "ledger.view"
    section, place = "books", 20
    page = "admin:fund_movement"
    list_links = (Link(_("登记资金拨入与调剂"), "admin:fund_movement_new", "funds.propose"),)
    list_hint = _("互助费和给付之外进出资金的钱：启动资金、上级拨入、补助、利息、手续费、调剂。一个人凭回单登记，另一个人复核才入账。")
    empty_hint = _("没有符合条件的记录。资金到账后点“登记资金拨入与调剂”，附上银行回单。")
    search_hint = _("编号的开头（ZJ…）")
    desk_urls = (
        ("new/", "fund_movement_new", "funds.propose", new_page),
        ("<int:pk>/record/", "fund_movement", "ledger.view", movement_page),
        ("<int:pk>/reverse/", "fund_movement_reverse", "funds.propose", reverse_page),
        ("papers/<int:pk>", "fund_paper", "ledger.view", paper),
    )
    list_display = ("number", column("kind", _("事项")), "fund", "amount", "happened_on", column("office", _("机构")), "standing")
    list_filter = (("state", titled(_("状态"))), ("fund", titled(_("资金"))), ("kind", titled(_("事项"))))
    list_select_related = ("office",)
    ordering = ("-id",)

    def find(self, rows: Any, text: str) -> Any:
        return rows.filter(number__begins=text.upper())

    @admin.display(description=_("金额（元）"))
    def amount(self, row: FundMovement) -> str:
        return format_yuan(row.amount_fen)


@todo("funds.confirm")
def movements_to_confirm(actor: Actor) -> Iterable[Todo]:
    """What another person has entered."""
    address = f"{reverse('admin:books_fundmovement_changelist')}?state__exact=proposed"
    rows = FundMovement.objects.filter(state="proposed").exclude(proposed_by_id=actor.user_id)
    yield waiting(_("待复核的资金拨入与调剂"), rows, "proposed_at", address)
