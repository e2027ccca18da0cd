"""Making a batch at the desk: what waits, what of it is chosen, the figures before it is made, who stays out and why."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.payouts import choosing, services
from claims.payouts.choosing import Choice
from claims.payouts.models import PayoutBatch
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import AskForm
from unionaid.web.fields import DayField, YuanField
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused

SHOWN = 100
_PICK = {"required": _("请选择机构和资金"), "invalid_choice": _("请从列出的里面选择"), "invalid": _("请从列出的里面选择")}
_NUMBER = {"invalid": _("请填写整数，例如 200"), "min_value": _("至少是 1"), "max_value": _("请填写小一点的整数")}


class ChoosingForm(AskForm):
    """What the batch is made of; everything but office and fund may stay empty."""

    office = forms.ModelChoiceField(queryset=Office.objects.none(), widget=forms.HiddenInput(), error_messages=_PICK)
    fund = forms.ChoiceField(choices=Fund.choices, widget=forms.HiddenInput(), error_messages=_PICK)
    bank = forms.ChoiceField(label=_("开户银行"), required=False, error_messages=_PICK)
    approved_from = DayField(label=_("批准日期从"), required=False)
    approved_to = DayField(label=_("批准日期到"), required=False)
    amount_from = YuanField(label=_("金额从（元）"), required=False)
    amount_to = YuanField(label=_("金额到（元）"), required=False)
    largest = forms.IntegerField(
        label=_("只取金额最大的几笔"), required=False, min_value=1, max_value=10**7, error_messages=_NUMBER,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        self.fields["office"].queryset = offices_below(actor)  # type: ignore[attr-defined]
        office, fund = f"{self.data.get('office', '')}", f"{self.data.get('fund', '')}"
        of_office = office.isascii() and office.isdigit() and len(office) < 19
        known = choosing.banks(int(office), fund) if of_office and fund in Fund.values else []
        shown = [(bank, gettext("{bank}（{count} 笔）").format(bank=bank, count=count)) for bank, count, _fen in known if bank]
        self.fields["bank"].choices = [("", _("全部")), *shown]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for low, high, words in (
            ("approved_from", "approved_to", _("要在“批准日期从”那天或之后")),
            ("amount_from", "amount_to", _("不能小于“金额从”")),
        ):
            if said.get(low) and said.get(high) and said[high] < said[low]:
                self.add_error(high, words)
        return said

    def choice(self) -> Choice:
        """What is asked for, once it is valid."""
        said = self.cleaned_data
        optional = {name: said[name] or None for name in ("approved_from", "approved_to", "amount_from", "amount_to", "largest")}
        return Choice(said["office"].pk, said["fund"], said["bank"], **optional)


def assemble_page(request: HttpRequest) -> HttpResponse:
    """What can be paid, by office and fund; of one of them what is chosen, with its figures; one button makes the batch."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    waiting = choosing.by_fund(actor)
    told = request.POST if request.method == "POST" else request.GET
    if request.method == "GET" and "office" not in told and len(waiting) == 1:  # nothing else to choose from
        told = {"office": f"{waiting[0][0].pk}", "fund": waiting[0][1]}  # type: ignore[assignment]
    form = ChoosingForm(told, actor=actor) if request.method == "POST" or "office" in told else None
    if form is None or not form.is_valid():
        return _show(request, waiting, form, status=200 if form is None else form.status)
    if request.method == "POST":
        try:
            batch = services.make(form.choice(), by=actor, on=today(), seen=_seen(request))
        except MoveRefused as no:
            return _show(request, waiting, form, refused=no.message, status=status_of(no))
        words = gettext("批次已编制，请由另一个人复核，再由第三个人放款。")
        messages.success(request, words if batch.state == "assembled" else gettext("正在编制批次，编完后请由另一个人复核。"))
        return redirect("admin:payout_batch", pk=batch.pk)
    return _show(request, waiting, form)


def _seen(request: HttpRequest) -> tuple[int, int] | None:
    """Count and sum that stood on the page; what is no number was not on it."""
    told = [request.POST.get(name, "") for name in ("seen_count", "seen_fen")]
    if any(not (text.isascii() and text.isdigit() and len(text) < 19) for text in told):
        raise services.PayoutRefused(gettext("请看过页面上的笔数和合计，再编制批次。"))
    return int(told[0]), int(told[1])


def _show(
    request: HttpRequest, waiting: list[tuple[Office, str, int, int]], form: ChoosingForm | None, *, refused: str = "", status: int = 200
) -> HttpResponse:
    rows = [(office, Fund(fund), count, format_yuan(fen)) for office, fund, count, fen in waiting]
    context = desk_context(
        request, trail=[list_of(PayoutBatch)], title=_("编制给付批次"), rows=rows, form=form, refused=refused,
        cooling=choosing.cooling(request.actor),  # type: ignore[attr-defined]
        **(_chosen(form, request.actor) if form is not None and form.is_valid() else {}),  # type: ignore[attr-defined]
    )  # fmt: skip
    return render(request, "desk/payout_assemble.html", context, status=status)


def _chosen(form: ChoosingForm, actor: Actor) -> dict[str, Any]:
    """Figures and first rows of what is chosen. Constant statements."""
    choice, office = form.choice(), form.cleaned_data["office"]
    sums, left_out = choosing.sums(choice, actor), choosing.left_out(choice, actor, office)
    rows = choosing.chosen(choice, actor).select_related("member", "card", "program")[:SHOWN]
    return {
        "office": office,
        "fund": Fund(choice.fund),
        "sums": sums,
        "going": sums.count - sum(one.chosen for one in left_out),
        "total": format_yuan(sums.total_fen - sum(one.chosen_fen for one in left_out)),
        "more_to_look_at": sums.count > choosing.LOOKED_AT,
        "least": format_yuan(sums.least_fen),
        "most": format_yuan(sums.most_fen),
        "left_out": left_out,
        "claims": [(claim, format_yuan(claim.approved_fen or 0)) for claim in rows],
        "shown": SHOWN,
        "narrowed": bool(choosing.in_words(choice)),
    }
