"""What may be done with a batch before its money leaves, and the form each of it asks for."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from claims.payouts import checking, services
from claims.payouts.models import PayoutBatch
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm
from unionaid.web.fields import YuanField
from unionaid.workflow import stepup

MOST_LEFT_OUT = 500
WHOLE = {"required": _("请填写笔数"), "invalid": _("请填写整数"), "min_value": _("请填写整数"), "max_value": _("请填写整数")}


class CheckForm(AskForm):
    """The control totals as the checker counted them, and what of the batch was on the page."""

    version = forms.IntegerField(widget=forms.HiddenInput(), min_value=1, max_value=2**31 - 1)
    fund = forms.CharField(widget=forms.HiddenInput(), max_length=16)
    bank_format = forms.CharField(widget=forms.HiddenInput(), max_length=12)
    payer_account = forms.CharField(widget=forms.HiddenInput(), max_length=40, required=False)
    line_count = forms.IntegerField(
        label=_("您核对的笔数"), min_value=1, max_value=10**7, error_messages=WHOLE, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    total = YuanField(label=_("您核对的合计（元）"), error_messages={"required": _("请填写合计，例如 4400.00")})
    sure = forms.BooleanField(
        label=_("资金、银行文件格式和付款账户都对"), error_messages={"required": _("请核对资金、银行文件格式和付款账户，再勾选")}
    )

    def seen(self) -> checking.Figures:
        said = self.cleaned_data
        return checking.Figures(said["line_count"], said["total"] or 0, said["fund"], said["bank_format"], said["payer_account"])


class SendBackForm(AskForm):
    """Why the maker has to look again."""

    note = forms.CharField(
        label=_("退回的原因（编制人会看到）"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明退回的原因")},
    )  # fmt: skip


class HandInForm(AskForm):
    """Which lines to leave out, by their numbers in the batch."""

    lines = forms.CharField(
        label=_("移出哪几笔（填序号，用逗号分开；不移出就留空）"), required=False, max_length=4000,
        help_text=_("移出的申领退回待付款，可以编进别的批次"),
    )  # fmt: skip
    note = forms.CharField(label=_("说明"), max_length=500, required=False)

    def clean_lines(self) -> list[int]:
        parts = [part for part in re.split(r"[\s,，、;；]+", self.cleaned_data["lines"]) if part]  # zh: how people part numbers
        if any(not re.fullmatch(r"[0-9]{1,7}", part) for part in parts) or len(parts) > MOST_LEFT_OUT:
            raise ValidationError(_("请只填明细表里的序号，例如 3，17；一次最多 500 个"))
        return [int(part) for part in parts]


class ReleaseForm(AskForm):
    """Let it go."""


class CancelForm(AskForm):
    """Take it back."""


FORMS: Mapping[str, type[AskForm]] = {
    "check": CheckForm, "send_back": SendBackForm, "hand_in_again": HandInForm, "release": ReleaseForm, "cancel": CancelForm,
}  # fmt: skip
DONE: Mapping[str, Any] = {
    "check": _("已复核，请由第三个人放款。"),
    "send_back": _("已退回编制人。"),
    "hand_in_again": _("已再交复核。"),
    "release": _("已放款，正在生成银行文件。"),
    "cancel": _("批次已取消，申领退回待付款。"),
}
# What the person is told who had another part in the batch, or may not finish what waits here.
APART: Mapping[str, Any] = {
    "assembled": _("这个批次是您编制的，要由另一个人复核，再由第三个人放款。"),
    "checked": _("这个批次是您编制或复核的，要由第三个人放款。"),
    "sent_back": _("等编制人处理后再交复核；编制人不在的，可以取消批次重新编制。"),
}


def open_acts(batch: PayoutBatch, by: Actor) -> list[str]:
    """What this person may do with the batch as it stands."""
    return [
        arrow.action
        for arrow in PayoutBatch.graph.from_state(batch.state)
        if arrow.action in FORMS
        and may(by, arrow.permission, batch.office_id)
        and not any(getattr(batch, f"{column}_id") == by.user_id for column in arrow.not_by)
        and (arrow.action != "hand_in_again" or batch.assembled_by_id == by.user_id)
    ]


def form_of(act: str, batch: PayoutBatch, request: HttpRequest, data: Any = None) -> AskForm:
    """The form of this act, as the batch stands now; by which money leaves, it asks who one is."""
    seen = {name: getattr(batch, name) for name in ("version", "fund", "bank_format", "payer_account")}
    form = FORMS[act](data, initial=seen, auto_id=f"{act}_%s")
    if PayoutBatch.graph.arrow(act).proof:
        stepup.ask(form, request)
    return form


def proven(act: str, form: AskForm, request: HttpRequest, batch: PayoutBatch) -> Actor | None:
    """Who takes this act by a valid form; None when the form had to prove who they are and did not."""
    by = actor(request)
    return stepup.prove(form, request, batch, by) if PayoutBatch.graph.arrow(act).proof else by


def act_of(act: str, batch: PayoutBatch, form: AskForm, by: Actor) -> Callable[[], Any]:
    """What the form asks for."""
    said = form.cleaned_data
    acts: dict[str, Callable[[], Any]] = {
        "check": lambda: checking.check(batch, seen=form.seen(), version=said["version"], by=by),  # type: ignore[attr-defined]
        "send_back": lambda: checking.send_back(batch, note=said["note"], by=by),
        "hand_in_again": lambda: checking.hand_in_again(batch, leave_out=said["lines"], note=said["note"], by=by),
        "release": lambda: services.release(batch, by=by),
        "cancel": lambda: services.cancel(batch, by=by),
    }
    return acts[act]


def kept_apart(batch: PayoutBatch, by: Actor, acts: list[str]) -> Any:
    """Why this person, who works on batches, cannot take the next step of this one; empty when there is no such reason."""
    can_act = any(may(by, right, batch.office_id) for right in ("payouts.check", "payouts.release"))
    forward = {"check", "release", "hand_in_again"} & set(acts)
    return APART.get(batch.state, "") if can_act and not forward else ""


def confirmed(batch: PayoutBatch) -> list[tuple[Any, str]]:
    """What the checker holds against the papers, in words."""
    seen = checking.figures_of(batch)
    payer = " ".join(part for part in (batch.payer_name, batch.payer_account, batch.payer_bank) if part)
    return [
        (_("笔数"), str(seen.line_count)),
        (_("合计（元）"), format_yuan(seen.total_fen)),
        (_("资金"), batch.get_fund_display()),
        (_("银行文件"), batch.get_bank_format_display()),
        (_("付款账户"), payer or "—"),
    ]
