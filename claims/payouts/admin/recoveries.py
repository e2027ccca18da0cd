"""Recovery at the desk: what is owed back and why, agreeing on parts, matching what arrived, letting go by two people."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.payouts import recoveries
from claims.payouts.models import Recovery, RecoveryPayment
from members.models import Remittance
from unionaid.lib.calendar import days_between, plus_months, today
from unionaid.lib.money import format_yuan, split_fen
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, badge, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import KeyedForm
from unionaid.web.fields import DayField, YuanField
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.selectors import findable, told_history

SHOWN_REMITTANCES = 100
findable(Recovery, number="number", page="admin:recovery")


class AgreeForm(KeyedForm):
    """So many equal parts, one a month."""

    count = forms.IntegerField(
        label=_("分几期（每月一期）"), min_value=1, max_value=recoveries.MOST_INSTALMENTS,
        error_messages={
            "required": _("请填写分几期"), "invalid": _("请填写数字"), "min_value": _("至少 1 期"), "max_value": _("最多 36 期"),
        },
    )  # fmt: skip
    first_on = DayField(label=_("第一期最晚哪天退"), error_messages={"required": _("请填写日期，例如 2026-03-01")})


class MatchForm(KeyedForm):
    """Which money that arrived, and how much of it."""

    remittance = forms.ChoiceField(
        label=_("来款"), error_messages={"required": _("请选择一笔来款"), "invalid_choice": _("请选择列出的一笔来款")}
    )
    amount = YuanField(label=_("核销多少（元）"), error_messages={"required": _("请填写金额，例如 100.00")})

    def __init__(self, data: Any = None, *, arrived: Iterable[Remittance] = (), **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        words = gettext("{day} {payer} 剩 {left} 元 {remark}")
        self.fields["remittance"].choices = [  # type: ignore[attr-defined]
            (
                str(one.pk),
                words.format(day=date_format(one.received_on), payer=one.payer_name, left=format_yuan(one.left_fen), remark=one.remark),
            )
            for one in arrived
        ]


def _number(payment: RecoveryPayment) -> str:
    """The bank's number of the money that was matched."""
    return payment.remittance.bank_reference if payment.remittance else ""


class TakeBackForm(KeyedForm):
    """Which payment was matched wrongly, and why."""

    payment = forms.ChoiceField(
        label=_("撤销哪一笔"), error_messages={"required": _("请选择一笔"), "invalid_choice": _("请选择列出的一笔退回款")}
    )
    note = forms.CharField(
        label=_("为什么撤销"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("请写明为什么撤销"), "max_length": _("原因不超过 200 字")},
    )  # fmt: skip

    def __init__(self, data: Any = None, *, payments: Iterable[RecoveryPayment] = (), **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        words = gettext("{day} {amount} 元（来款 {number}）")
        self.fields["payment"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), words.format(day=date_format(one.received_on), amount=format_yuan(one.amount_fen), number=_number(one)))
            for one in payments
        ]


class NoteForm(KeyedForm):
    """Why the rest is let go, or kept."""

    note = forms.CharField(
        label=_("原因"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": _("请写明原因")}
    )


# What may be done with a recovery in a state: act → (right, form, words when it is done).
ACTS: Mapping[str, tuple[str, type[KeyedForm], Any]] = {
    "agree": ("recoveries.agree", AgreeForm, _("分期已经商定，并通知了职工。")),
    "match": ("recoveries.book", MatchForm, _("退回款已经登记。")),
    "take_back": ("recoveries.book", TakeBackForm, _("已撤销，来款可以重新核销，并通知了职工。")),
    "propose_write_off": ("recoveries.propose", NoteForm, _("已申请核销，要由另一个人批准。")),
    "keep": ("recoveries.write_off", NoteForm, _("没有核销，仍要退回。")),
    "write_off": ("recoveries.write_off", NoteForm, _("剩余部分已经核销，并通知了职工。")),
}
OPEN_TO = {
    "open": ("agree", "match", "take_back", "propose_write_off"),
    "settled": ("take_back",),
    "write_off_proposed": ("write_off", "keep"),
}


def recovery_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One recovery with what may be done now; each act is a form of its own."""
    rows = Recovery.objects.select_related("claim", "claimant", "program", "office", "write_off_proposed_by", "written_off_by")
    recovery = get_object_or_404(rows, pk=pk)
    by, bound = actor(request), ""
    arrived = _arrived(recovery, by) if recovery.state == "open" else []
    form_of = {act: _form(act, arrived, recovery, request) for act in _open_acts(recovery, by)}
    if "take_back" in form_of and not form_of["take_back"].fields["payment"].choices:  # type: ignore[attr-defined]
        del form_of["take_back"]
    status = 200
    if request.method == "POST":
        bound, status = request.POST.get("act", ""), 400
        if bound in form_of:
            form = form_of[bound] = _form(bound, arrived, recovery, request, data=request.POST)
            proven = (stepup.prove(form, request, recovery, by) if _by_proof(bound) else by) if form.is_valid() else None
            said = {name: value for name, value in form.cleaned_data.items() if name not in ("password", "code")} if proven else {}
            if proven and (address := attempt_once(request, form, lambda: _done(request, recovery, bound, said, proven), body=said)):
                return redirect(address)
            status = form.status
            recovery.refresh_from_db()
    return render(request, "desk/recovery.html", _context(request, recovery, form_of, bound), status=status)


def _open_acts(recovery: Recovery, by: Actor) -> list[str]:
    return [act for act in OPEN_TO.get(recovery.state, ()) if may(by, ACTS[act][0], recovery.office_id) and not _parted(recovery, act, by)]


def _parted(recovery: Recovery, act: str, by: Actor) -> bool:
    """Did this person take part in a way that keeps them out of this act?"""
    arrow = next((arrow for arrow in Recovery.graph.arrows if arrow.action == act), None)
    return arrow is not None and any(getattr(recovery, f"{column}_id") == by.user_id for column in arrow.not_by)


def _arrived(recovery: Recovery, by: Actor) -> list[Remittance]:
    """The office's money that nobody has matched whole, that which names this recovery first."""
    if not may(by, "recoveries.book", recovery.office_id):
        return []
    rows = Remittance.objects.filter(office=recovery.office_id, left_fen__gt=0).order_by("-received_on", "-id")[:SHOWN_REMITTANCES]
    return sorted(rows, key=lambda one: recovery.number not in one.remark)


def _by_proof(act: str) -> bool:
    return any(arrow.action == act and arrow.proof for arrow in Recovery.graph.arrows)


def _form(act: str, arrived: list[Remittance], recovery: Recovery, request: HttpRequest, data: Any = None) -> KeyedForm:
    """The form of an act; of the money that arrived, so much is proposed as can be matched of the first."""
    kind, told = ACTS[act][1], {}
    if arrived and recovery.number in arrived[0].remark:
        told["amount"] = format_yuan(min(arrived[0].left_fen, recovery.left_fen)).replace(",", "")
    if kind is MatchForm:
        form: KeyedForm = MatchForm(data, arrived=arrived, initial=told)
    elif kind is TakeBackForm:
        form = TakeBackForm(data, payments=_matched(recovery))
    else:
        form = kind(data)
    form.auto_id = f"{act}_%s"
    if _by_proof(act):
        stepup.ask(form, request)
    return form


def _matched(recovery: Recovery) -> list[RecoveryPayment]:
    """What was matched from the bank and stands."""
    rows = recovery.payments.filter(remittance__isnull=False, takes_back__isnull=True, taken_back__isnull=True)
    return list(rows.select_related("remittance"))


def _done(request: HttpRequest, recovery: Recovery, act: str, said: Mapping[str, Any], by: Actor) -> str:
    on = today()
    acts: dict[str, Callable[[], Any]] = {
        "agree": lambda: recoveries.agree(recovery, _parts(recovery, said), by=by, on=on),
        "match": lambda: recoveries.match(
            recovery, get_object_or_404(Remittance, pk=said["remittance"]), amount_fen=said["amount"], by=by, on=on
        ),
        "take_back": lambda: recoveries.take_back(
            get_object_or_404(recovery.payments, pk=said["payment"]), by=by, on=on, note=said["note"]
        ),
        "propose_write_off": lambda: recoveries.propose_write_off(recovery, by=by, note=said["note"]),
        "keep": lambda: recoveries.keep(recovery, by=by, note=said["note"]),
        "write_off": lambda: recoveries.write_off(recovery, by=by, on=on, note=said["note"]),
    }
    acts[act]()
    messages.success(request, ACTS[act][2])
    return reverse("admin:recovery", args=[recovery.pk])


def _parts(recovery: Recovery, said: Mapping[str, Any]) -> list[tuple[Any, int]]:
    """Equal parts of all that is left, one a month."""
    parts = split_fen(recovery.left_fen, [1] * said["count"])
    return [(plus_months(said["first_on"], i), fen) for i, fen in enumerate(parts)]


def _context(request: HttpRequest, recovery: Recovery, form_of: Mapping[str, KeyedForm], bound: str) -> dict[str, Any]:
    by = actor(request)
    return desk_context(
        request,
        trail=[list_of(Recovery)],
        title=gettext("追回 {number}").format(number=recovery.number),
        recovery=recovery,
        amounts=[
            (label, format_yuan(getattr(recovery, f"{name}_fen")))
            for name, label in (("amount", _("多付")), ("paid", _("已退回")), ("written_off", _("已核销")), ("left", _("还要退")))
        ],
        pay_by=recoveries.pay_by(recovery),
        instalments=_shown_parts(recovery),
        **_late(recovery),
        payments=[
            (one, format_yuan(one.amount_fen))
            for one in recovery.payments.select_related("remittance", "line__claim", "takes_back__line__claim", "by")
        ],
        forms=form_of,
        bound=bound,
        none_arrived="match" in form_of and not form_of["match"].fields["remittance"].choices,  # type: ignore[attr-defined]
        parted=any(may(by, ACTS[act][0], recovery.office_id) and _parted(recovery, act, by) for act in OPEN_TO.get(recovery.state, ())),
        may_see_money=may(by, "contributions.view", recovery.office_id),
        history=told_history(recovery),
    )


def _shown_parts(recovery: Recovery) -> list[tuple[date, str, str]]:
    """(last day, amount, what of it is not back; empty when all is) of each agreed part."""
    parts = recoveries.parts_of(recovery)
    left = recoveries.left_of_parts(parts, recovery.left_fen + recovery.written_off_fen)
    return [(day, format_yuan(fen), format_yuan(rest) if rest else "") for (day, fen), rest in zip(parts, left, strict=True)]


def _late(recovery: Recovery) -> dict[str, Any]:
    """What is late: since which last day, for how many days, how much."""
    parts, on = recoveries.parts_of(recovery), today()
    day = recoveries.overdue_since(recovery, parts, on=on)
    if day is None:
        return {}
    fen = recoveries.overdue_fen(recovery, parts, on=on)
    return {"late_since": day, "late_days": days_between(day, on), "late": format_yuan(fen)}


class LateFilter(admin.SimpleListFilter):
    """Those whose last day has passed."""

    title = _("是否逾期")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("逾期未退"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recovery]) -> QuerySet[Recovery]:
        return recoveries.overdue(queryset, on=today()) if self.value() == "yes" else queryset


@admin.register(Recovery)
class RecoveryAdmin(HouseAdmin):
    """What is owed back to the office's funds, newest first."""

    view_action = "recoveries.view"
    section, place = "claims", 25
    page = "admin:recovery"
    desk_urls = (("<int:pk>/record/", "recovery", "recoveries.view", recovery_page),)
    list_hint = _("重新核定后查出多付的互助金：由职工退回，可以分期；退不回的由两个人核销。原来的决定和付款不改动。")
    empty_hint = _("没有符合条件的追回。在更正的申领上办理“核定多付，要求退回”后，会出现在这里。")
    search_hint = _("追回编号的开头（ZH…）")
    list_display = (
        "number", column("claimant", _("职工")), "standing", "late", "amount", "left", "opened_on", column("program", _("计划")),
        column("office", _("机构")),
    )  # fmt: skip
    list_filter = (("state", titled(_("状态"))), LateFilter)
    list_select_related = ("claimant", "program", "office")
    ordering = ("-id",)

    def find(self, rows: QuerySet[Recovery], text: str) -> QuerySet[Recovery]:
        return rows.filter(number__begins=text.upper())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recovery]:
        return super().get_queryset(request).prefetch_related("instalments")

    @admin.display(description=_("逾期"))
    def late(self, recovery: Recovery) -> str:
        found = _late(recovery)
        return badge(gettext("逾期 {days} 天").format(days=found["late_days"]), "bad") if found else ""

    @admin.display(description=_("多付（元）"))
    def amount(self, recovery: Recovery) -> str:
        return format_yuan(recovery.amount_fen)

    @admin.display(description=_("还要退（元）"))
    def left(self, recovery: Recovery) -> str:
        return format_yuan(recovery.left_fen)


@todo("recoveries.write_off")
def write_offs_to_decide(by: Actor) -> Iterable[Todo]:
    """Write-offs that wait for a second person."""
    rows = Recovery.objects.filter(state="write_off_proposed").exclude(write_off_proposed_by=by.user_id).exclude(decided_by=by.user_id)
    address = f"{reverse('admin:payouts_recovery_changelist')}?state__exact=write_off_proposed"
    yield waiting(_("待批准的多付核销"), rows, "write_off_proposed_at", address)


@todo("recoveries.agree")
def late_recoveries(by: Actor) -> Iterable[Todo]:
    """What should have been paid back by now."""
    address = f"{reverse('admin:payouts_recovery_changelist')}?late=yes"
    yield waiting(_("逾期未退的多付"), recoveries.overdue(Recovery.objects.all(), on=today()), "opened_on", address)
