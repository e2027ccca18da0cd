"""Money that arrived, at the desk: what to match it with, by hand or many at once, and what goes back to the payer."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from members.models import ContributionDue, Match, Refund, Remittance
from members.selectors.contributions import Suggestion, open_remittances, refunds_of, suggest, what_became
from members.services import contributions, refunds
from members.services.contributions import Pair
from members.transitions import REMITTANCE_OPEN
from unionaid.lib.calendar import days_between, today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of, refused
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled, whole
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.asking import AskForm, sent
from unionaid.web.fields import BankCardField, DayField, YuanField
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt, status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

PAGE = 50

findable(Remittance, number="bank_reference", page="admin:remittance")
findable(Refund, number="number", page="admin:refund")


@result_page("members.match_sure", "desk", "contributions.confirm")
def _matched(office_id: int) -> str:
    return reverse("admin:matching")


# -- many at once ----------------------------------------------------------------------------------------------------


def matching(request: HttpRequest) -> HttpResponse:
    """Money that waits, beside the debts it probably settles; what is ticked is matched together, all or none."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    message, status = "", 200
    if request.method == "POST":
        pairs = _ticked(request.POST.getlist("pair"))
        message, status = gettext("请先勾选要核销的来款。"), 400
        if pairs:
            message, status = _try(lambda: contributions.match(pairs, by=actor, on=today()))
        if status == 302:
            messages.success(request, gettext("已核销 {count} 笔。").format(count=len(pairs)))
            return redirect("admin:matching")
    pages = Paginator(open_remittances().filter(left_fen__gt=0).select_related("office"), PAGE)
    page = pages.get_page(request.GET.get("page"))
    found, became = suggest(list(page)), what_became(list(page))
    context = desk_context(
        request,
        trail=[list_of(Remittance)],
        title=_("核销来款"),
        refused=message if status != 200 else "",
        page=page,
        pages=pages,
        rows=[(one, format_yuan(one.left_fen), _shown(found.get(one.pk, ())), became.get(one.pk, "")) for one in page],
        may_tick=any(found.get(one.pk) for one in page),
        offices=[office for office in offices_below(actor).order_by("path") if may(actor, "contributions.confirm", office.pk)]
        if len(page)
        else [],
    )
    return render(request, "desk/matching.html", context, status=status)


def _shown(suggestions: Iterable[Suggestion]) -> list[tuple[Suggestion, str, str]]:
    """(suggestion, what its box says when it is ticked, the amount in words)"""
    return [(one, f"{one.remittance.pk}:{one.due.pk}:{one.amount_fen}", format_yuan(one.amount_fen)) for one in suggestions]


def _ticked(boxes: list[str]) -> list[Pair]:
    """What the ticked boxes say; boxes that nobody of us made are nothing."""
    pairs = {}
    for box in boxes[: 4 * PAGE]:
        numbers = [whole(part) for part in box.split(":")]
        if len(numbers) == 3 and all(numbers):
            pairs[numbers[0], numbers[1]] = Pair(*numbers)
    return list(pairs.values())


def _try(act: Callable[[], Any]) -> tuple[str, int]:
    try:
        with transaction.atomic():  # what is refused leaves no trace
            act()
    except MoveRefused as no:
        return no.message, status_of(no)
    return "", 302


@require_POST
def match_sure(request: HttpRequest) -> HttpResponse:
    """Have a job confirm everything of an office about which remark and amount agree."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    office: Office = get_object_or_404(offices_below(actor), pk=whole(request.POST.get("office")))
    try:
        with transaction.atomic():
            job = contributions.match_sure_later(office, by=actor)
    except MoveRefused as no:
        return refused(request, no.message, status=status_of(no))
    return redirect("admin:job", job.public_id)


# -- one by one ------------------------------------------------------------------------------------------------------


class MatchForm(forms.Form):
    """Which debt this money settles, and how much of it."""

    reference = forms.CharField(label=_("应缴的转账附言（HZ…）"), max_length=40, error_messages={"required": _("请填写应缴的转账附言")})
    amount_fen = YuanField(label=_("核销金额（元，不填就是能核销的全部）"), required=False)


class RefundForm(AskForm):
    """Why, how much, and to which account."""

    reason = forms.ChoiceField(
        label=_("退款原因"), choices=[("", _("请选择")), *Refund.Reason.choices],
        error_messages={"required": _("请选择退款原因"), "invalid_choice": _("请选择退款原因")},
    )  # fmt: skip
    duplicate = forms.CharField(label=_("重复缴费时：另一笔已核销来款的银行流水号"), max_length=60, required=False)
    amount_fen = YuanField(label=_("退款金额（元）"), error_messages={"required": _("请填写退款金额")})
    payee_name = forms.CharField(label=_("收款户名"), max_length=120, error_messages={"required": _("请填写收款户名")})
    bank_name = forms.CharField(label=_("开户行"), max_length=80, error_messages={"required": _("请填写开户行")})
    account_number = BankCardField(label=_("收款账号"), error_messages={"required": _("请填写收款账号")})
    note = forms.CharField(label=_("说明"), max_length=200, required=False)


class NoteForm(forms.Form):
    """Why; the service says whether words are needed."""

    note = forms.CharField(max_length=200, required=False)


def _note(request: HttpRequest) -> str | None:
    """The words of a small form; None when the database could not keep them."""
    form = NoteForm(request.POST)
    return form.cleaned_data["note"] if form.is_valid() else None


def _remittance(pk: int) -> Remittance:
    return get_object_or_404(Remittance.objects.select_related("office", "statement", "entered_by"), pk=pk)


@require_GET
def remittance_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One remittance: what it settled, what it probably settles, what went back."""
    return _show(request, _remittance(pk))


def _show(request: HttpRequest, one: Remittance, form: MatchForm | None = None, message: str = "", status: int = 200) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_match = may(actor, "contributions.confirm", one.office_id)
    others = ContributionDue.objects.filter(reference__in=one.named, state="settled").exclude(
        matches__in=Match.objects.filter(remittance=one, undone_at__isnull=True)
    )
    context = desk_context(
        request,
        trail=[list_of(Remittance)],
        title=gettext("来款 {reference}").format(reference=one.bank_reference),
        one=one,
        form=form or MatchForm(),
        refused=message,
        amount=format_yuan(one.amount_fen),
        left=format_yuan(one.left_fen),
        matched=format_yuan(one.matched_fen),
        gone=format_yuan(one.refunded_fen),
        matches=[
            (match, format_yuan(match.amount_fen), may_match and match.undone_at is None)
            for match in one.matches.select_related("due__unit", "due__member", "matched_by", "undone_by").order_by("pk")
        ],
        suggestions=_shown(suggest([one]).get(one.pk, ())) if may_match and one.state in REMITTANCE_OPEN else [],
        settled=list(others) if one.left_fen and one.state in REMITTANCE_OPEN else [],
        refunds=[(refund, format_yuan(refund.amount_fen)) for refund in refunds_of(one)],
        may_match=may_match and one.left_fen > 0 and one.state in REMITTANCE_OPEN,
        corrections=list(one.corrections.order_by("pk")),
        may_correct=may_match and one.statement_id is None and one.state != "reversed",
        history=told_history(one),
    )
    return render(request, "desk/remittance.html", context, status=status)


@require_POST
def match(request: HttpRequest, pk: int) -> HttpResponse:
    """Settle a debt with this money: one that was suggested (its box), or one that is named by hand."""
    one, by = _remittance(pk), request.actor  # type: ignore[attr-defined]
    pairs, form = _ticked(request.POST.getlist("pair")), MatchForm(request.POST)
    if not pairs:
        if not form.is_valid():
            return _show(request, one, form, status=400)
        due = ContributionDue.objects.filter(reference=form.cleaned_data["reference"].strip().upper()).first()
        if due is None:
            form.add_error("reference", gettext("没有找到这个转账附言的应缴。"))
            return _show(request, one, form, status=400)
        pairs = [Pair(one.pk, due.pk, form.cleaned_data["amount_fen"] or min(one.left_fen, due.owed_fen))]
    if any(pair.remittance_id != one.pk for pair in pairs):
        return _show(request, one, form, gettext("请在这笔来款的页面里核销这笔来款。"), 400)
    message, status = _try(lambda: contributions.match(pairs, by=by, on=today()))
    if status != 302:
        one.refresh_from_db()
        return _show(request, one, form, message, status)
    messages.success(request, gettext("已核销 {count} 笔。").format(count=len(pairs)))
    return redirect("admin:remittance", pk)


@require_POST
def unmatch(request: HttpRequest, pk: int) -> HttpResponse:
    """A match was wrong."""
    one, by = _remittance(pk), request.actor  # type: ignore[attr-defined]
    wrong = get_object_or_404(Match.objects.filter(remittance=one), pk=whole(request.POST.get("match")))
    note = _note(request)
    message, status = gettext("说明不超过 200 字，不能有特殊字符。"), 400
    if note is not None:
        message, status = _try(lambda: contributions.unmatch(wrong, by=by, on=today(), note=note))
    if status != 302:
        one.refresh_from_db()
        return _show(request, one, None, message, status)
    messages.success(request, gettext("已撤销这笔核销。"))
    return redirect("admin:remittance", pk)


def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for money to go back to this account; whoever says which shows again who they are, and another person releases it."""
    one = _remittance(pk)
    first = {"amount_fen": format_yuan(one.left_fen), "payee_name": one.payer_name, "reason": _probable_reason(one)}
    form = RefundForm(sent(request)[0], initial=first)
    stepup.ask(form, request)
    proven = stepup.prove(form, request, one, actor(request)) if form.is_valid() else None
    if proven and (address := attempt(form, lambda: _proposed(one, form, proven))):
        messages.success(request, gettext("已提出退款，请由另一个人复核。"))
        return redirect(address)
    trail = [list_of(Remittance), (one.bank_reference, reverse("admin:remittance", args=[pk]))]
    context = desk_context(request, trail=trail, title=_("提出退款"), one=one, form=form, left=format_yuan(one.left_fen))
    return render(request, "desk/refund_propose.html", context, status=form.status if form.errors else 200)


def _proposed(one: Remittance, form: RefundForm, by: Actor) -> str:
    told = {name: form.cleaned_data[name] for name in RefundForm.base_fields}
    reference = told.pop("duplicate").strip()
    other = Remittance.objects.filter(office_id=one.office_id, bank_reference=reference).first() if reference else None
    made = refunds.propose(one, **told, duplicate_of=other, by=by, on=today())
    return reverse("admin:refund", args=[made.pk])


def _probable_reason(one: Remittance) -> str:
    """What most likely became of it; empty when nothing says so."""
    if one.state == "over":
        return Refund.Reason.OVER_PAYMENT.value
    return Refund.Reason.DUPLICATE.value if what_became([one]).get(one.pk) == "settled" else ""


@admin.register(Remittance)
class RemittanceAdmin(HouseAdmin):
    """What arrived, newest first."""

    view_action = "contributions.view"
    section, place = "joining", 52
    page = "admin:remittance"
    list_hint = _("银行里到账的每一笔钱：已核销多少、还剩多少。剩下的核销别的应缴，或者退回。")
    empty_hint = _("没有符合条件的来款。导入银行流水后会出现在这里。")
    search_hint = _("银行流水号，或转账附言（HZ…）")
    list_links = (
        Link(_("核销来款"), "admin:matching", "contributions.confirm"),
        Link(_("登记一笔来款"), "admin:remittance_new", "contributions.confirm"),
    )
    desk_urls = (
        ("matching/", "matching", "contributions.confirm", matching),
        ("matching/sure/", "match_sure", "contributions.confirm", match_sure),
        ("<int:pk>/record/", "remittance", "contributions.view", remittance_page),
        ("<int:pk>/match/", "remittance_match", "contributions.confirm", match),
        ("<int:pk>/unmatch/", "remittance_unmatch", "contributions.confirm", unmatch),
        ("<int:pk>/refund/", "refund_propose", "contributions.confirm", propose),
    )
    list_display = ("bank_reference", "received_on", "payer_name", "remark", "amount", "left", "standing", column("office", _("机构")))
    list_filter = (("state", titled(_("状态"))), OfficeFilter, since("received_on", _("到账日期")))
    list_select_related = ("office",)
    ordering = ("-id",)

    def find(self, rows: QuerySet[Remittance], text: str) -> QuerySet[Remittance]:
        return rows.filter(Q(bank_reference=text) | Q(named__contains=[text.upper()]))

    @admin.display(description=_("到账（元）"))
    def amount(self, one: Remittance) -> str:
        return format_yuan(one.amount_fen)

    @admin.display(description=_("余额（元）"))
    def left(self, one: Remittance) -> str:
        return format_yuan(one.left_fen)


@todo("contributions.confirm")
def waiting_remittances(actor: Actor) -> Iterable[Todo]:
    """Money that nobody has matched, and what was paid too much. One statement."""
    over, rest = Q(state="over"), ~Q(state="over")
    found = open_remittances().filter(left_fen__gt=0).order_by().aggregate(
        rest=Count("pk", filter=rest), rest_since=Min("received_on", filter=rest),
        over=Count("pk", filter=over), over_since=Min("received_on", filter=over),
    )  # fmt: skip
    yield Todo(_("待核销的来款"), found["rest"], reverse("admin:matching"), _age(found["rest_since"]))
    address = f"{reverse('admin:members_remittance_changelist')}?state__exact=over"
    yield Todo(_("有多缴余款的来款"), found["over"], address, _age(found["over_since"]))


def _age(day: Any) -> int | None:
    return max(0, days_between(day, today())) if day else None


# -- refunds ---------------------------------------------------------------------------------------------------------


class PaidForm(forms.Form):
    """What the bank says of a refund that it paid."""

    bank_reference = forms.CharField(label=_("退款流水号"), max_length=60, error_messages={"required": _("请填写退款流水号")})
    paid_on = DayField(label=_("退款日期"), error_messages={"required": _("请填写退款日期")})


@require_GET
def refund_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One refund: why, how much, who proposed and who released it, what comes next."""
    return _show_refund(request, _refund(pk))


def _refund(pk: int) -> Refund:
    rows = Refund.objects.select_related("remittance", "duplicate_of", "office", "proposed_by", "released_by")
    return get_object_or_404(rows, pk=pk)


class ProofForm(AskForm):
    """Let it go back, or see the whole account; what is asked for is who one is (`workflow.stepup`)."""


def _show_refund(
    request: HttpRequest,
    refund: Refund,
    *,
    message: str = "",
    paid: PaidForm | None = None,
    proof: ProofForm | None = None,
    see: ProofForm | None = None,
    account: str = "",
    status: int = 200,
) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_book = may(actor, "contributions.confirm", refund.office_id)
    may_release = refund.state == "proposed" and may(actor, "refunds.release", refund.office_id)
    own = refund.proposed_by_id == actor.user_id
    context = desk_context(
        request,
        trail=[list_of(Refund)],
        title=gettext("退款 {number}").format(number=refund.number),
        refund=refund,
        amount=format_yuan(refund.amount_fen),
        refused=message,
        paid=paid or PaidForm(),
        proof=proof or (_proof_form(request, "release") if may_release and not own else None),
        see=see or (_proof_form(request, "see_account") if may_book else None),
        account=account,
        may_release=may_release,
        own=own,
        may_book=may_book,
        history=told_history(refund),
    )
    answer = render(request, "desk/refund.html", context, status=status)
    if account:
        answer["Cache-Control"] = "no-store"
    return answer


def _proof_form(request: HttpRequest, act: str, data: Any = None) -> ProofForm:
    form = ProofForm(data, auto_id=f"{act}_%s")
    stepup.ask(form, request)
    return form


def _proven(request: HttpRequest, refund: Refund, form: ProofForm, act: Callable[[Actor], Any]) -> tuple[str, int]:
    """Why it was not done and the number that says so; 302 when it was. What is wrong with the proof stands at the form."""
    by = stepup.prove(form, request, refund, actor(request)) if form.is_valid() else None
    return _try(lambda: act(by)) if by else ("", form.status)


@require_POST
def refund_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Release, drop, book as paid or as sent back, or look at the whole account number."""
    refund, by = _refund(pk), actor(request)
    act, note, proof = request.POST.get("act", ""), _note(request), None
    if note is None:
        return _show_refund(request, refund, message=gettext("说明不超过 200 字，不能有特殊字符。"), status=400)
    if act == "see_account":
        return _see_account(request, refund)
    if act == "mark_paid":
        form = PaidForm(request.POST)
        if not form.is_valid():
            return _show_refund(request, refund, paid=form, status=400)
        message, status = _try(lambda: refunds.mark_paid(refund, **form.cleaned_data, by=by, on=today()))
    elif act == "release":
        proof = _proof_form(request, act, request.POST)
        message, status = _proven(request, refund, proof, lambda proven: refunds.release(refund, by=proven, on=today()))
    elif act == "drop":
        message, status = _try(lambda: refunds.drop(refund, by=by, note=note))
    elif act == "mark_failed":
        message, status = _try(lambda: refunds.mark_failed(refund, by=by, on=today(), note=note))
    else:
        message, status = gettext("请选择要办的事。"), 400
    if status != 302:
        refund.refresh_from_db()
        return _show_refund(request, refund, message=message, proof=proof, status=status)
    messages.success(request, gettext("已办理。"))
    return redirect("admin:refund", pk)


def _see_account(request: HttpRequest, refund: Refund) -> HttpResponse:
    """The whole account number, for whoever sends the money and has shown again who they are."""
    if not may(actor(request), "contributions.confirm", refund.office_id):
        return _show_refund(request, refund, message=gettext("您不能查看完整的收款账号。"), status=403)
    seen: list[str] = []
    form = _proof_form(request, "see_account", request.POST)
    message, status = _proven(request, refund, form, lambda proven: seen.append(refunds.account_of(refund, by=proven)))
    return _show_refund(request, refund, message=message, see=form, account="".join(seen), status=200 if seen else status)


@admin.register(Refund)
class RefundAdmin(HouseAdmin):
    """What goes back, newest first."""

    view_action = "contributions.view"
    section, place = "joining", 56
    page = "admin:refund"
    list_hint = _("只退多缴、重复缴费、不予参加和参加记录作废的互助费；一人提出，另一人复核。")
    empty_hint = _("没有符合条件的退款。在来款的页面可以提出退款。")
    search_hint = _("退款编号（TK…）")
    desk_urls = (
        ("<int:pk>/record/", "refund", "contributions.view", refund_page),
        ("<int:pk>/act/", "refund_act", "contributions.view", refund_act),
    )
    list_display = (
        "number",
        "reason",
        "amount",
        "payee_name",
        "standing",
        column("office", _("机构")),
        column("proposed_by", _("提出人")),
        "proposed_at",
    )
    list_filter = (("state", titled(_("状态"))), OfficeFilter, "reason", since("proposed_at", _("提出时间")))
    list_select_related = ("office", "proposed_by")
    ordering = ("-id",)

    def find(self, rows: QuerySet[Refund], text: str) -> QuerySet[Refund]:
        return rows.filter(number__begins=text.upper())

    @admin.display(description=_("退款金额（元）"))
    def amount(self, refund: Refund) -> str:
        return format_yuan(refund.amount_fen)


@todo("refunds.release")
def refunds_to_release(actor: Actor) -> Iterable[Todo]:
    """Refunds that wait for a second person."""
    address = f"{reverse('admin:members_refund_changelist')}?state__exact=proposed"
    yield waiting(_("待复核的互助费退款"), Refund.objects.filter(state="proposed"), "proposed_at", address)


@todo("contributions.confirm")
def refunds_to_pay(actor: Actor) -> Iterable[Todo]:
    """Refunds that the bank is to pay."""
    address = f"{reverse('admin:members_refund_changelist')}?state__exact=released"
    yield waiting(_("已复核、待银行付出的退款"), Refund.objects.filter(state="released"), "released_at", address)
