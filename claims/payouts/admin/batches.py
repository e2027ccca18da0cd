"""Payouts at the desk: assemble, check by a second and release by a third person, the bank's file, the bank's answer."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from claims.models import Claim
from claims.payouts import files, services
from claims.payouts.admin import answering, deciding
from claims.payouts.admin.making import assemble_page
from claims.payouts.bank import answers
from claims.payouts.bank.formats import FORMATS
from claims.payouts.choosing import Choice, in_words
from claims.payouts.funds import OVER, cover_of
from claims.payouts.models import BankReturn, PayoutBatch, PayoutLine
from claims.selectors.cooling import payable_now
from claims.selectors.queue import in_state
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm, sent
from unionaid.web.files import send
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt, status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused, record
from unionaid.workflow.selectors import findable, jobs_by_key, told_history

SHOWN_LINES = 500

findable(PayoutBatch, number="number", page="admin:payout_batch")
findable(PayoutLine, number="reference", label="reference")
findable(BankReturn, number="", label="file_name")


@result_page("payouts.release", "desk", "payouts.view")
def _released(batch_id: int) -> str:
    return reverse("admin:payout_batch", args=[batch_id])


@result_page("payouts.assemble", "desk", "payouts.view")
def _assembled(batch_id: int) -> str:
    return reverse("admin:payout_batch", args=[batch_id])


@require_GET
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: its lines, what comes next, and the bank's answers."""
    return _show(request, get_object_or_404(_batches(), pk=pk))


def _batches() -> QuerySet[PayoutBatch]:
    return PayoutBatch.objects.select_related("office", "assembled_by", "checked_by", "released_by", "bank_file")


@require_POST
def decide(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Check it, send it back, hand it in again, let the money go, or take it back; what is refused is said at its form."""
    batch = get_object_or_404(_batches(), pk=pk)
    form = deciding.form_of(act, batch, request, request.POST)
    proven = deciding.proven(act, form, request, batch) if form.is_valid() else None
    if proven and attempt(form, lambda: str(deciding.act_of(act, batch, form, proven)())):
        messages.success(request, deciding.DONE[act])
        return redirect("admin:payout_batch", pk=pk)
    return _show(request, get_object_or_404(_batches(), pk=pk), bound={act: form}, status=form.status)


check, send_back, hand_in_again, release, cancel = (partial(decide, act=act) for act in deciding.FORMS)


@require_POST
def take_return(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank's result file: read whole or refused, then shown before anything is booked."""
    batch, upload = get_object_or_404(_batches(), pk=pk), request.FILES.get("file")
    answering.book_here(request, batch.office_id)
    try:
        if upload is None or not upload.size or upload.size > answers.MAX_BYTES:
            raise services.PayoutRefused(gettext("请选择银行下载的回盘文件（csv、xlsx 或 XML，不超过 50 MB）。"))
        with transaction.atomic():
            by: Actor = request.actor  # type: ignore[attr-defined]
            kept = services.read_return(batch, data=upload.read(), file_name=upload.name or "", by=by)
    except MoveRefused as no:
        batch.refresh_from_db()
        return _show(request, batch, refused=no.message, status=status_of(no))
    return redirect("admin:payout_return_preview", pk=pk, kept=kept.pk)


@require_http_methods(["GET", "POST"])
def bank_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank's file, the same bytes for ever. Everybody's account is in it: whoever takes it shows again who they are, and it is on
    record."""
    batch = get_object_or_404(PayoutBatch.objects.select_related("bank_file"), pk=pk, bank_file__isnull=False)
    answering.book_here(request, batch.office_id)
    by: Actor = request.actor  # type: ignore[attr-defined]
    name, form = batch.bank_file.file_name, AskForm(sent(request)[0])
    stepup.ask(form, request)
    if form.fields and not (form.is_valid() and stepup.prove(form, request, batch, by)):
        trail = [list_of(PayoutBatch), (batch.number, reverse("admin:payout_batch", args=[pk]))]
        context = desk_context(request, trail=trail, title=_("下载银行文件"), form=form, submit=_("下载"))
        return render(request, "desk/house_form.html", context, status=form.status if form.is_bound else 200)
    record([batch], "take_file", by=by)
    kind = FORMATS[batch.bank_format].content_type
    return send(files.file_bytes(batch), content_type=kind, file_name=name, as_attachment=True)


def _show(
    request: HttpRequest, batch: PayoutBatch, *, refused: str = "", bound: Mapping[str, AskForm] | None = None, status: int = 200
) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    acts = deciding.open_acts(batch, actor)
    returns = list(batch.returns.select_related("uploaded_by").defer("content").order_by("id"))
    history = told_history(batch)
    jobs = jobs_by_key([_assemble_key(batch), _release_key(batch), *map(_return_key, returns)])
    context = desk_context(
        request,
        trail=[list_of(PayoutBatch)],
        title=gettext("给付批次 {number}").format(number=batch.number),
        batch=batch,
        total=format_yuan(batch.total_fen),
        money=_money(batch) if batch.state not in OVER else None,
        tallies=_tallies(batch),
        lines=[
            (line, format_yuan(line.amount_fen))
            for line in batch.lines.select_related("claim", "reissue_of__batch").order_by("sequence")[:SHOWN_LINES]
        ],
        shown_lines=SHOWN_LINES,
        returns=[(kept, jobs.get(_return_key(kept))) for kept in returns],
        releasing=jobs.get(_release_key(batch)) if batch.state == "releasing" else None,
        assembling=jobs.get(_assemble_key(batch)) if batch.state == "assembling" else None,
        choice=in_words(Choice.of(batch.choice)) if batch.choice else [],
        file=getattr(batch, "bank_file", None),
        may_fetch=may(actor, "payouts.book", batch.office_id),
        forms={act: deciding.form_of(act, batch, request) for act in acts} | dict(bound or {}),
        bound=next(iter(bound or {}), ""),
        apart=deciding.kept_apart(batch, actor, acts),
        confirmed=deciding.confirmed(batch) if "check" in acts or "release" in acts else [],
        may_book=batch.state in ("released", "booked") and may(actor, "payouts.book", batch.office_id),
        history=history,
        stopped=_why_not(history, "stop_release"),
        given_up=_why_not(history, "cancel"),
        refused=refused,
    )
    return render(request, "desk/payout_batch.html", context, status=status)


def _money(batch: PayoutBatch) -> dict[str, Any]:
    """Whether the fund can pay it, with the figures."""
    found = cover_of(batch)
    shown = [
        (_("现在可以动用"), found.free_fen),
        (_("这个批次要付"), found.needed_fen),
        (_("还差") if found.short_fen else _("付后还剩"), abs(found.free_fen - found.needed_fen)),
        (_("其他待放款的批次"), found.waiting_fen),
    ]
    return {"short": bool(found.short_fen), "figures": [(words, format_yuan(fen)) for words, fen in shown]}


def _why_not(history: Sequence[tuple[Any, ...]], action: str) -> str:
    """The reason told with the last step, where it is this one."""
    return str(history[-1][0].note) if history and history[-1][0].action == action else ""


def _assemble_key(batch: PayoutBatch) -> str:
    return f"payouts.assemble:{batch.pk}"


def _release_key(batch: PayoutBatch) -> str:
    return f"payouts.release:{batch.pk}:{batch.version}"


def _return_key(kept: BankReturn) -> str:
    return f"payouts.book_return:{kept.pk}"


def _tallies(batch: PayoutBatch) -> list[tuple[Any, int, str]]:
    """(state in words, lines, amount) of every state a line can be in. One statement."""
    found = {
        row["state"]: row for row in batch.lines.order_by().values("state").annotate(count=Count("id"), sum_fen=Sum("amount_fen"))
    }
    return [
        (state.label, found[state.code]["count"], format_yuan(found[state.code]["sum_fen"]))
        for state in PayoutLine.graph.states
        if state.code in found
    ]


@admin.register(PayoutBatch)
class PayoutBatchAdmin(HouseAdmin):
    """The batches, newest first."""

    view_action = "payouts.view"
    section, place = "claims", 20
    page = "admin:payout_batch"
    list_links = (Link(_("编制给付批次"), "admin:payout_assemble", "payouts.assemble"),)
    empty_hint = _("没有符合条件的批次。申领终审批准后，由出纳编制批次。")
    search_hint = _("批次号的开头（FK…）")
    desk_urls = (
        ("assemble/", "payout_assemble", "payouts.assemble", assemble_page),
        ("<int:pk>/batch/", "payout_batch", "payouts.view", batch_page),
        ("<int:pk>/check/", "payout_check", "payouts.check", check),
        ("<int:pk>/send-back/", "payout_send_back", "payouts.check", send_back),
        ("<int:pk>/hand-in-again/", "payout_hand_in_again", "payouts.assemble", hand_in_again),
        ("<int:pk>/release/", "payout_release", "payouts.release", release),
        ("<int:pk>/cancel/", "payout_cancel", "payouts.cancel", cancel),
        ("<int:pk>/return/", "payout_return", "payouts.book", take_return),
        ("<int:pk>/return/<int:kept>/", "payout_return_preview", "payouts.view", answering.preview),
        ("<int:pk>/return/<int:kept>/confirm/", "payout_return_confirm", "payouts.book", answering.confirm),
        ("<int:pk>/return/<int:kept>/discard/", "payout_return_discard", "payouts.book", answering.discard),
        ("<int:pk>/file/", "payout_file", "payouts.book", bank_file),
    )
    list_display = ("number", column("office", _("机构")), "fund", "business_on", "line_count", "total", "paid", "came_back", "standing")
    list_filter = (("state", titled(_("状态"))),)
    list_select_related = ("office",)
    ordering = ("-id",)

    def find(self, rows: QuerySet[PayoutBatch], text: str) -> QuerySet[PayoutBatch]:
        return rows.filter(number__begins=text.upper())

    def complete(self, rows: Sequence[Any]) -> None:
        found: dict[int, dict[str, int]] = {}
        for row in (
            PayoutLine.objects.filter(batch__in=[row.pk for row in rows], state__in=("succeeded", "failed"))
            .order_by()
            .values("batch_id", "state")
            .annotate(count=Count("id"))
        ):
            found.setdefault(row["batch_id"], {})[row["state"]] = row["count"]
        for batch in rows:
            batch.tally = found.get(batch.pk, {})

    @admin.display(description=_("合计（元）"))
    def total(self, batch: PayoutBatch) -> str:
        return format_yuan(batch.total_fen)

    @admin.display(description=_("已到账（笔）"))
    def paid(self, batch: Any) -> int:
        return int(batch.tally.get("succeeded", 0))

    @admin.display(description=_("被退回（笔）"))
    def came_back(self, batch: Any) -> int:
        return int(batch.tally.get("failed", 0))


@todo("payouts.view")
def payout_work(actor: Actor) -> Iterable[Todo]:
    """Claims to pay, batches to release, files to wait for, and payments that came back."""
    address = reverse("admin:payouts_payoutbatch_changelist")
    claims = reverse("admin:claims_claim_changelist")
    if may(actor, "payouts.assemble"):
        due = Claim.objects.filter(payable_now(today()), in_state("approved"))
        yield waiting(_("可以付款的申领"), due, "approved_at", reverse("admin:payout_assemble"))
    if may(actor, "payouts.assemble"):
        rows = PayoutBatch.objects.filter(state="sent_back", assembled_by=actor.user_id)
        yield waiting(_("复核退回、等您处理的批次"), rows, "assembled_at", f"{address}?state__exact=sent_back")
    if may(actor, "payouts.check") or may(actor, "payouts.release"):
        mine = Q(state="assembled") | Q(state="checked") & ~Q(checked_by=actor.user_id)
        rows = PayoutBatch.objects.filter(mine).exclude(assembled_by=actor.user_id)
        yield waiting(_("待您复核或放款的批次"), rows, "assembled_at", address)
    if may(actor, "payouts.book"):
        rows = PayoutBatch.objects.filter(state="released")
        yield waiting(_("待导入银行回盘的批次"), rows, "released_at", f"{address}?state__exact=released")
        back = Claim.objects.filter(stage="returned_payment")
        yield waiting(_("没有付成、等职工更正账户的付款"), back, "approved_at", f"{claims}?state=returned_payment")
