"""The bank's answer at the desk: read, shown beside the batch, and booked once somebody has looked at it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from claims.payouts import services
from claims.payouts.models import BankReturn, PayoutBatch, ReturnRow
from claims.payouts.return_tables import WAITING
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.roles import Actor, may
from unionaid.workflow.asking import status_of
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import jobs_by_key

SHOWN = 200
Outcome = ReturnRow.Outcome
GOOD = (*WAITING, Outcome.BOOKED)
# What is read in a result, and what it means for whoever has to act on it.
MEANING = {
    Outcome.UNKNOWN: _("附言不是本批次的，请核对是不是下载错了批次"),
    Outcome.MISMATCH: _("与批次里的金额差了钱，请向银行查询"),
    Outcome.DUPLICATE: _("同一笔说了不止一次，只记一次"),
    Outcome.CONTRADICTED: _("同一笔前后说法不同，一个也不记，请向银行查询"),
    Outcome.CHANGED: _("此前记过另一种结果，不再改动，请向银行查询"),
    Outcome.ALREADY: _("此前的文件里已经记过"),
    Outcome.PENDING: _("等银行办完，再导入新的回盘文件"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """So many lines of a file to which the same happens."""

    words: Any
    count: int
    amount: str
    says: Any = ""
    tone: str = ""


@result_page("payouts.book_return", "desk", "payouts.view")
def _booked(return_id: int) -> str:
    from_batch = BankReturn.objects.filter(pk=return_id).values_list("batch_id", flat=True).first()
    return reverse("admin:payout_batch", args=[from_batch]) if from_batch else ""


@require_GET
def preview(request: HttpRequest, pk: int, kept: int) -> HttpResponse:
    """What a result file says, held against the batch; and what was booked of it."""
    return _show(request, _kept(pk, kept))


@require_POST
def confirm(request: HttpRequest, pk: int, kept: int) -> HttpResponse:
    """Book it."""
    found = _kept(pk, kept)
    book_here(request, found.office_id)
    with transaction.atomic():
        services.confirm_return(found, by=request.actor)  # type: ignore[attr-defined]
    messages.success(request, gettext("正在记账，记完后批次页会显示结果。"))
    return redirect("admin:payout_batch", pk=pk)


@require_POST
def discard(request: HttpRequest, pk: int, kept: int) -> HttpResponse:
    """It was the wrong file."""
    found = _kept(pk, kept)
    book_here(request, found.office_id)
    try:
        with transaction.atomic():
            services.discard_return(found, by=request.actor)  # type: ignore[attr-defined]
    except MoveRefused as no:
        return _show(request, _kept(pk, kept), refused=no.message, status=status_of(no))
    messages.success(request, gettext("文件已移除，没有改动任何付款。"))
    return redirect("admin:payout_batch", pk=pk)


def book_here(request: HttpRequest, office_id: int) -> None:
    """PermissionDenied for who books elsewhere and may only look here."""
    if not may(request.actor, "payouts.book", office_id):  # type: ignore[attr-defined]
        raise PermissionDenied("payouts.book")


def _kept(batch_id: int, pk: int) -> BankReturn:
    rows = BankReturn.objects.select_related("batch__office", "uploaded_by", "confirmed_by").defer("content")
    return get_object_or_404(rows, pk=pk, batch=batch_id)


def _show(request: HttpRequest, kept: BankReturn, *, refused: str = "", status: int = 200) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    batch, rows = kept.batch, ReturnRow.objects.filter(bank_return=kept)
    odd = rows.exclude(outcome__in=[*GOOD, Outcome.ALREADY, Outcome.DUPLICATE]).select_related("line__claim").order_by("row_number")
    back = rows.filter(outcome__in=GOOD, succeeded=False).select_related("line__claim").order_by("row_number")
    job_key = f"payouts.book_return:{kept.pk}"
    context = desk_context(
        request,
        trail=[list_of(PayoutBatch)],
        title=gettext("核对回盘文件"),
        kept=kept,
        batch=batch,
        three_ways=_three_ways(batch, rows),
        tallies=_tallies(rows),
        odd=[_told_of(row) for row in odd[:SHOWN]],
        back=[(row, _yuan(row.amount_fen)) for row in back[:SHOWN]],
        shown=SHOWN,
        job=jobs_by_key([job_key]).get(job_key) if kept.confirmed_at and not kept.booked_at else None,
        may_confirm=kept.confirmed_at is None and may(actor, "payouts.book", kept.office_id),
        refused=refused,
    )
    return render(request, "desk/payout_return.html", context, status=status)


def _told_of(row: ReturnRow) -> tuple[ReturnRow, str, str, Any]:
    """A line that does not fit: what the bank says, what the batch says, and what it means."""
    ours = row.line.amount_fen if row.line else None
    return row, _yuan(row.amount_fen), _yuan(ours), MEANING[Outcome(row.outcome)]


def _yuan(fen: int | None) -> str:
    return "" if fen is None else format_yuan(fen)


def _three_ways(batch: PayoutBatch, rows: Any) -> list[Tally]:
    """Approved, sent, confirmed: count and sum of each, side by side. Two statements."""
    lines = batch.lines.exclude(state="void")
    approved = lines.aggregate(n=Count("id"), fen=Sum("claim__approved_fen", default=0), kept=Sum("set_off_fen", default=0))
    told = rows.filter(outcome__in=[*GOOD, Outcome.ALREADY], succeeded__isnull=False).aggregate(
        n=Count("line", distinct=True), fen=Sum("line__amount_fen", default=0)
    )
    set_off = gettext("其中抵还多付 {fen} 元").format(fen=format_yuan(approved["kept"])) if approved["kept"] else ""
    return [
        Tally(_("核定"), approved["n"], format_yuan(approved["fen"]), set_off),
        Tally(_("送银行"), batch.line_count, format_yuan(batch.total_fen)),
        Tally(_("银行在这个文件里确认的"), told["n"], format_yuan(told["fen"])),
    ]


def _tallies(rows: Any) -> list[Tally]:
    """What comes of the lines, by outcome. One statement."""
    paid, back, late = Q(outcome__in=GOOD, succeeded=True), Q(outcome__in=GOOD, succeeded=False), Q(outcome=Outcome.CAME_BACK)
    found = rows.aggregate(
        paid=Count("id", filter=paid), paid_fen=Sum("amount_fen", filter=paid, default=0),
        back=Count("id", filter=back), back_fen=Sum("amount_fen", filter=back, default=0),
        late=Count("id", filter=late), late_fen=Sum("amount_fen", filter=late, default=0),
    )  # fmt: skip
    told = [
        Tally(_("到账"), found["paid"], format_yuan(found["paid_fen"]), tone="good"),
        Tally(_("退回，重新付款"), found["back"], format_yuan(found["back_fen"]), _("会请职工更正收款账户，金额不变"), "bad"),
    ]
    if found["late"]:
        means = _("此前记过到账，会重新付款；流水里退回的钱不要再登记成来款")
        told.append(Tally(_("其中到账后又退回的"), found["late"], format_yuan(found["late_fen"]), means, "bad"))
    others = rows.exclude(outcome__in=GOOD).order_by().values("outcome").annotate(n=Count("id"), fen=Sum("amount_fen"))
    labels = dict(Outcome.choices)
    return told + [Tally(labels[row["outcome"]], row["n"], _yuan(row["fen"]), MEANING[Outcome(row["outcome"])]) for row in others]
