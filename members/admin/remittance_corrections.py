"""Money typed in at the desk: taken in without a debt, and corrected by two people when it was typed in wrongly."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import ContributionDue, Remittance, RemittanceCorrection
from members.services import arrivals
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.forms import OfficeField, OfficesForm
from unionaid.offices.lists import OfficeFilter, column, since, titled, whole
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import AskForm
from unionaid.web.fields import DayField, YuanField
from unionaid.workflow.asking import attempt
from unionaid.workflow.second_word import SecondWord, WordForm
from unionaid.workflow.selectors import findable, told_history

findable(RemittanceCorrection, number="", label="bank_reference", page="admin:remittance_correction")


class LineForm(AskForm):
    """One line of the bank's statement."""

    payer_name = forms.CharField(label=_("付款人"), max_length=120, error_messages={"required": _("请填写付款人")})
    bank_reference = forms.CharField(label=_("银行流水号"), max_length=60, error_messages={"required": _("请填写银行流水号")})
    received_on = DayField(label=_("到账日期"), error_messages={"required": _("请填写到账日期")})
    amount_fen = YuanField(label=_("到账金额（元）"), error_messages={"required": _("请填写到账金额")})
    remark = forms.CharField(label=_("转账附言（原样填写）"), max_length=200, required=False)


class NewForm(OfficesForm, LineForm):
    """Into whose account it came."""

    office = OfficeField(label=_("收款机构"))
    field_order = ("office",)


class CorrectionForm(LineForm):
    """What the bank's statement says instead, or that there is no such money."""

    arrived = forms.ChoiceField(
        label=_("银行流水上有这笔钱吗"), widget=forms.RadioSelect,
        choices=[("yes", _("有，但登记错了（下面填写正确的）")), ("no", _("没有这笔钱，是误登记的"))],
        error_messages={"required": _("请选择一项"), "invalid_choice": _("请在下面选择一项")},
    )  # fmt: skip
    note = forms.CharField(
        label=_("更正的依据"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明更正的依据，例如银行回单上写的是什么。"), "max_length": _("依据不超过 200 字")},
    )  # fmt: skip
    field_order = ("arrived",)

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if data is not None and data.get("arrived") == "no":
            for name in arrivals.TOLD:  # there is nothing to say of money that is not there
                del self.fields[name]

    def right(self) -> dict[str, Any] | None:
        """What the statement says; None: nothing."""
        return {name: self.cleaned_data[name] for name in arrivals.TOLD} if self.cleaned_data["arrived"] == "yes" else None


WORD = SecondWord(
    "release", _("请选择更正或不予更正。"), _("不予更正的原因（不予更正时必填）"),
    done=_("已更正，原来的登记已冲销。"), dropped=_("不予更正，来款照旧。"),
    written=("state", "version", "corrected", "released_by", "released_at"),
)  # fmt: skip


def new_page(request: HttpRequest) -> HttpResponse:
    """Take in one line of the statement that settles nothing yet; the address may name the debt for which it was sent."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    offices = [office for office in offices_below(actor).order_by("path") if may(actor, "contributions.confirm", office.pk)]
    due = ContributionDue.objects.filter(pk=whole(request.GET.get("due")) or 0).select_related("unit", "member").first()
    first = {"office": due.office_id, "payer_name": due.unit or due.member, "remark": due.reference} if due else {}
    form = NewForm(request.POST or None, offices=offices, initial=first)

    def act() -> str:
        told = {**form.cleaned_data}
        office = next(office for office in offices if str(office.pk) == told.pop("office"))
        return reverse("admin:remittance", args=[arrivals.enter(office, **told, by=actor, on=today()).pk])

    if request.method == "POST" and form.is_valid() and (address := attempt(form, act)):
        messages.success(request, gettext("已登记。可以核销应缴；不该收的，提出退款。"))
        return redirect(address)
    status = form.status if form.errors else 200
    context = desk_context(request, trail=[list_of(Remittance)], title=_("登记一笔来款"), form=form, due=due)
    return render(request, "desk/remittance_new.html", context, status=status)


def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a remittance was typed in wrongly."""
    one = get_object_or_404(Remittance, pk=pk)
    form = CorrectionForm(request.POST or None, initial={"arrived": "yes", **{name: getattr(one, name) for name in arrivals.TOLD}})
    if not form.is_bound:
        form.initial["amount_fen"] = format_yuan(one.amount_fen)

    def act() -> str:
        by: Actor = request.actor  # type: ignore[attr-defined]
        made = arrivals.propose_correction(one, right=form.right(), note=form.cleaned_data["note"], by=by, on=today())
        return reverse("admin:remittance_correction", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := attempt(form, act)):
        messages.success(request, gettext("已提出更正，请另一位同事复核。"))
        return redirect(address)
    status = form.status if form.errors else 200
    trail = [list_of(Remittance), (one.bank_reference, reverse("admin:remittance", args=[pk]))]
    context = desk_context(request, trail=trail, title=_("更正来款"), one=one, form=form, amount=format_yuan(one.amount_fen))
    return render(request, "desk/remittance_correct.html", context, status=status)


def correction_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One correction: as it was typed in, as it should have been, and the second person's word."""
    rows = RemittanceCorrection.objects.select_related("remittance", "corrected", "office", "proposed_by", "released_by")
    found = get_object_or_404(rows, pk=pk)
    form = WORD.form(request, found)
    if WORD.answered(
        request, found, form,
        do=lambda by: arrivals.release_correction(found, by=by, on=today()),
        drop=lambda by, note: arrivals.drop_correction(found, by=by, note=note),
    ):  # fmt: skip
        return redirect("admin:remittance_correction", pk)
    return render(request, "desk/remittance_correction.html", _context(request, found, form), status=form.status if form.errors else 200)


def _context(request: HttpRequest, found: RemittanceCorrection, form: WordForm) -> dict[str, Any]:
    by = actor(request)
    wrong = found.remittance
    lines = [
        (_("付款人"), wrong.payer_name, found.payer_name),
        (_("银行流水号"), wrong.bank_reference, found.bank_reference),
        (_("到账日期"), wrong.received_on, found.received_on),
        (_("金额（元）"), format_yuan(wrong.amount_fen), format_yuan(found.amount_fen) if found.amount_fen else ""),
        (_("附言"), wrong.remark, found.remark),
    ]
    return desk_context(
        request,
        trail=[list_of(RemittanceCorrection)],
        title=gettext("更正来款 {reference}").format(reference=wrong.bank_reference),
        found=found,
        lines=[(label, before, after, found.arrived and before != after) for label, before, after in lines],
        form=form,
        may_release=WORD.may_do(found, by),
        own=WORD.is_own(found, by),
        may_drop=WORD.waits(found, by),
        history=told_history(found),
    )


@admin.register(RemittanceCorrection)
class RemittanceCorrectionAdmin(HouseAdmin):
    """What was typed in wrongly, and who put it right."""

    view_action = "contributions.view"
    section, place = "joining", 53
    page = "admin:remittance_correction"
    desk_urls = (
        ("<int:pk>/record/", "remittance_correction", "contributions.view", correction_page),
        ("new/", "remittance_new", "contributions.confirm", new_page),
        ("remittances/<int:pk>/new/", "remittance_correct", "contributions.confirm", correct),
    )
    list_hint = _("人工登记错了的来款：一人提出，另一人复核；原来的登记冲销，正确的另记一笔，已核销的跟着转过去。")
    empty_hint = _("没有符合条件的来款更正。在来款的页面可以提出更正。")
    list_display = (
        column("remittance", _("银行流水号")),
        "amount",
        "right_amount",
        column("office", _("机构")),
        column("proposed_by", _("提出人")),
        "proposed_at",
        "standing",
    )
    list_filter = (("state", titled(_("状态"))), OfficeFilter, since("proposed_at", _("提出时间")))
    list_select_related = ("remittance", "office", "proposed_by")
    ordering = ("-id",)

    @admin.display(description=_("原登记（元）"))
    def amount(self, found: RemittanceCorrection) -> str:
        return format_yuan(found.remittance.amount_fen)

    @admin.display(description=_("更正为（元）"))
    def right_amount(self, found: RemittanceCorrection) -> str:
        return format_yuan(found.amount_fen) if found.amount_fen else gettext("没有这笔钱")


@todo("contributions.correct")
def waiting_corrections(actor: Actor) -> Iterable[Todo]:
    """Remittances that another person says were typed in wrongly."""
    address = f"{reverse('admin:members_remittancecorrection_changelist')}?state__exact=proposed"
    rows = RemittanceCorrection.objects.filter(state="proposed").exclude(proposed_by_id=actor.user_id)
    yield waiting(_("待复核的来款更正"), rows, "proposed_at", address)
