"""Payouts at the desk: assemble, release by a second person, the bank's file, the bank's answer."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from claims.payouts import services
from claims.payouts.models import PayoutBatch
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Todo, desk_context, todo
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.offices.selectors import offices_below
from unionaid.web.files import send
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed

MAX_RETURN = 5 * 1024 * 1024


def assemble_page(request: HttpRequest) -> HttpResponse:
    """What can be paid, by office; one button makes the batch."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    refused, status = "", 200
    if request.method == "POST":
        office = get_object_or_404(offices_below(actor), pk=_whole(request.POST.get("office")))
        try:
            batch = services.assemble(office=office, claims=services.payable(office), by=actor, on=today())
            return redirect("admin:payout_batch", pk=batch.pk)
        except MoveRefused as no:
            refused, status = no.message, _status(no)
    waiting = [_waiting(office) for office in offices_below(actor)]
    rows = [row for row in waiting if row["claims"]]
    context = desk_context(request, title=_("编制给付批次"), rows=rows, refused=refused)
    return render(request, "desk/payout_assemble.html", context, status=status)


def _waiting(office: Office) -> dict[str, Any]:
    claims = services.payable(office)
    return {"office": office, "claims": claims, "total": format_yuan(sum(claim.approved_fen or 0 for claim in claims))}


@require_GET
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: its lines, what comes next, and the bank's answers."""
    return _show(request, get_object_or_404(PayoutBatch, pk=pk))


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the money go."""
    return _act(request, pk, lambda batch, actor: services.release(batch, by=actor), gettext("已放款，正在生成银行文件。"))


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the batch back."""
    return _act(request, pk, lambda batch, actor: services.cancel(batch, by=actor), gettext("批次已取消，申领退回待付款。"))


@require_POST
def take_return(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank's result file."""
    upload = request.FILES.get("file")

    def take(batch: PayoutBatch, actor: Actor) -> None:
        if upload is None or upload.size == 0 or upload.size > MAX_RETURN:
            raise services.PayoutRefused(gettext("请选择银行下载的回盘文件（csv，不超过 5 MB）。"))
        services.take_return(batch, data=upload.read(), file_name=upload.name or "", by=actor)

    return _act(request, pk, take, gettext("回盘文件已收下，正在记账。"))


@require_GET
def bank_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank's file, the same bytes for ever."""
    batch = get_object_or_404(PayoutBatch.objects.select_related("bank_file"), pk=pk, bank_file__isnull=False)
    name = batch.bank_file.file_name
    return send(services.file_bytes(batch), content_type="text/csv", file_name=name, as_attachment=True)


def _act(request: HttpRequest, pk: int, act: Callable[[PayoutBatch, Actor], Any], done: str) -> HttpResponse:
    batch = get_object_or_404(PayoutBatch, pk=pk)
    try:
        act(batch, request.actor)  # type: ignore[attr-defined]
    except MoveRefused as no:
        batch.refresh_from_db()
        return _show(request, batch, refused=no.message, status=_status(no))
    messages.success(request, done)
    return redirect("admin:payout_batch", pk=pk)


def _show(request: HttpRequest, batch: PayoutBatch, *, refused: str = "", status: int = 200) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    lines = batch.lines.select_related("claim").order_by("sequence")[:500]
    context = desk_context(
        request,
        title=batch.number,
        batch=batch,
        total=format_yuan(batch.total_fen),
        lines=[(line, format_yuan(line.amount_fen)) for line in lines],
        returns=batch.returns.order_by("id"),
        file=getattr(batch, "bank_file", None),
        may_release=batch.state == "assembled" and may(actor, "payouts.release", batch.office_id),
        may_book=batch.state in ("released", "booked") and may(actor, "payouts.book", batch.office_id),
        refused=refused,
    )
    return render(request, "desk/payout_batch.html", context, status=status)


def _status(no: MoveRefused) -> int:
    return 403 if isinstance(no, NotAllowed) else 409 if isinstance(no, Conflict) else 400


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0


@admin.register(PayoutBatch)
class PayoutBatchAdmin(HouseAdmin):
    """The batches, newest first."""

    view_action = "payouts.view"
    desk_urls = (
        ("assemble/", "payout_assemble", "payouts.assemble", assemble_page),
        ("<int:pk>/batch/", "payout_batch", "payouts.view", batch_page),
        ("<int:pk>/release/", "payout_release", "payouts.release", release),
        ("<int:pk>/cancel/", "payout_cancel", "payouts.release", cancel),
        ("<int:pk>/return/", "payout_return", "payouts.book", take_return),
        ("<int:pk>/file/", "payout_file", "payouts.book", bank_file),
    )
    list_display = ("number", "office", "fund", "business_on", "line_count", "total", "state")
    list_filter = ("state",)
    list_select_related = ("office",)
    ordering = ("-id",)
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description=_("合计（元）"))
    def total(self, batch: PayoutBatch) -> str:
        return format_yuan(batch.total_fen)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("admin:payout_batch", pk=_whole(object_id))


@todo("payouts.view")
def payout_work(actor: Actor) -> Iterable[Todo]:
    """Batches to release and returned payments."""
    address = reverse("admin:payouts_payoutbatch_changelist")
    if may(actor, "payouts.assemble"):
        count = sum(len(services.payable(office)) for office in offices_below(actor))
        yield Todo(_("已批准、可以付款的申领"), count, reverse("admin:payout_assemble"))
    for state in ("assembled", "released"):
        label = PayoutBatch.graph.state(state).label
        yield Todo(label, PayoutBatch.objects.filter(state=state).count(), f"{address}?state__exact={state}")
