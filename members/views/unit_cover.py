"""What a unit has joined: how many are covered, the batch's certificate, everyone's certificates in one file, the list to post."""

import io
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from members import certificate as paper
from members.models import CertificatePack, WorkUnit
from members.selectors import unit_cover as reading
from members.selectors.rosters import place
from members.selectors.unit_cover import Standing
from members.services import packs
from members.views.unit_parts import show, unit_or_404
from unionaid.lib.calendar import now
from unionaid.lib.identity import mask_name
from unionaid.lib.money import format_yuan
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.access import actor, requires
from unionaid.offices.scope import everywhere
from unionaid.web.access import public
from unionaid.web.dates import span
from unionaid.web.files import XLSX, send
from unionaid.workflow.jobs import result_page
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import progress_of


def _standing(pk: int, terms_id: int) -> tuple[WorkUnit, Standing]:
    unit = unit_or_404(pk)
    standing = reading.standing_of(unit, terms_id)
    if standing is None:
        raise Http404
    return unit, standing


def _pack_or_404(public_id: uuid.UUID) -> CertificatePack:
    pack = CertificatePack.objects.filter(public_id=public_id).first()
    if pack is None:
        raise Http404
    return pack


@result_page("members.make_certificates", "unit", "unit.use")
def _address(pack_id: int) -> str:
    pack = CertificatePack.objects.filter(pk=pack_id).first()
    return reverse("members:unit_cover", args=[pack.unit_id, pack.terms_id]) if pack else ""


@requires("unit.use")
@never_cache
def covers(request: HttpRequest, pk: int) -> HttpResponse:
    """The plans and periods in which the unit's people are covered."""
    unit = unit_or_404(pk)
    rows = [(one, span(one.first, one.last)) for one in reading.standings_of(unit)]
    return show(request, "covers", unit=unit, rows=rows, back=reverse("members:unit", args=[pk]))


@requires("unit.use")
@never_cache
def cover(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """The unit in one plan and period: people, batches, certificates, the list to post."""
    unit, standing = _standing(pk, terms_id)
    pack = reading.latest_pack(unit, terms_id)
    making = pack is not None and pack.state == "making"
    job = reading.work_on_pack(pack) if pack is not None and making else None
    progress = progress_of(job, side="", by=actor(request)) if job else None
    if request.htmx and making:  # type: ignore[attr-defined]
        return render(request, "workflow/job_progress.html", {"progress": progress})
    context = {
        "unit": unit,
        "standing": standing,
        "days": span(standing.first, standing.last),
        "total": format_yuan(standing.total_fen),
        "batches": [(one, format_yuan(one.total_fen)) for one in reading.batches_of(unit, terms_id)],
        "pack": pack,
        "making": making,
        "pack_ready": _is_ready(pack),
        "progress": progress,
        "back": reverse("members:unit_covers", args=[pk]),
    }
    answer = show(request, "cover", **context)
    if request.htmx:  # type: ignore[attr-defined]
        answer["HX-Refresh"] = "true"  # the work is over: the whole page shows what came of it
    return answer


def _is_ready(pack: CertificatePack | None) -> bool:
    return pack is not None and pack.state == "ready" and pack.expires_at is not None and pack.expires_at > now()


# -- certificates -------------------------------------------------------------------------------------------------------


@requires("unit.use")
@never_cache
@require_GET
def batch_certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate of a batch whose contribution has arrived."""
    batch = reading.batch_of(reading.roster_of_batch(pk=pk))
    if batch is None:
        raise Http404
    address = request.build_absolute_uri(reverse("members:verify_batch", args=[batch.roster.public_id]))
    name = f"{paper.number_of_batch(batch.roster)}.pdf"
    return send(paper.render_batch(batch, verify_url=address), content_type="application/pdf", file_name=name, as_attachment=True)


@public
def verify_batch(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Is this unit's certificate genuine, and does it hold? Nobody's name is shown."""
    with everywhere(reason="verify the certificate of a batch"):
        batch = reading.batch_of(reading.roster_of_batch(public_id=public_id))
        if batch is None:
            return render(request, "members/public/unknown.html", status=404)
        context = {"batch": batch, "facts": paper.batch_facts(batch)}
    return render(request, "members/public/verify_batch.html", context)


@requires("certificates.pack")
@never_cache
@require_POST
def pack_request(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """Have everyone's certificates made."""
    unit, standing = _standing(pk, terms_id)
    try:
        packs.request(unit, standing.terms, address=request.build_absolute_uri("/"), by=actor(request))
    except MoveRefused as no:
        messages.error(request, no.message)
    return redirect("members:unit_cover", pk, terms_id)


@requires("certificates.pack")
@never_cache
@require_POST
def pack_cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Stop making it."""
    pack = _pack_or_404(public_id)
    try:
        packs.cancel(pack, by=actor(request))
        messages.success(request, _("已取消，没有生成凭证包。"))
    except MoveRefused as no:
        messages.error(request, no.message)
    return redirect("members:unit_cover", pack.unit_id, pack.terms_id)


@requires("certificates.pack")
@never_cache
@require_GET
def pack_download(request: HttpRequest, public_id: uuid.UUID) -> HttpResponseBase:
    """Everyone's certificates as one zip file, for a day."""
    pack = _pack_or_404(public_id)
    if not _is_ready(pack):
        messages.warning(request, _("凭证包还没有生成好，或者已经过期。可以重新生成。"))
        return redirect("members:unit_cover", pack.unit_id, pack.terms_id)
    files = [part.file for part in pack.parts.all()]  # read now: while the file is sent no row is in scope
    name = _("互助保障凭证-{unit}.zip").format(unit=pack.unit.name)
    answer = StreamingHttpResponse(packs.zipped(files), content_type="application/zip")
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


# -- the list to post ----------------------------------------------------------------------------------------------------


@requires("unit.use")
@never_cache
@require_GET
def posting(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """The list that the unit posts for its people to check: names masked, no numbers. Made to be printed."""
    unit, standing = _standing(pk, terms_id)
    after, before = place(request.GET.get("after")), place(request.GET.get("n"))
    with everywhere(reason="the masked names of whom the unit enrolled"):
        rows = list(reading.posted(unit, terms_id, after=after, limit=reading.POSTED + 1))
    shown = rows[: reading.POSTED]
    context: dict[str, Any] = {
        "unit": unit,
        "standing": standing,
        "days": span(standing.first, standing.last),
        "rows": [(n, mask_name(row.member.name), row) for n, row in enumerate(shown, start=before + 1)],
        "more": shown[-1].pk if len(rows) > reading.POSTED else None,
        "count": before + len(shown),
        "begun": after > 0,
        "back": reverse("members:unit_cover", args=[pk, terms_id]),
    }
    return show(request, "posting", **context)


@requires("unit.use")
@never_cache
@require_GET
def posting_sheet(request: HttpRequest, pk: int, terms_id: int) -> HttpResponse:
    """The same list as a workbook."""
    unit, standing = _standing(pk, terms_id)
    name = _("公示名单-{plan}.xlsx").format(plan=standing.terms.program.title)
    return send(_posting_workbook(unit, standing), content_type=XLSX, file_name=name, as_attachment=True)


def _posting_workbook(unit: WorkUnit, standing: Standing) -> bytes:
    columns = [Column(_("序号"), "count", 8), Column(_("姓名"), "text", 20), Column(_("份数"), "count", 8), Column(_("状态"), "text", 18)]
    with everywhere(reason="the masked names of whom the unit enrolled"):
        rows = reading.posted(unit, standing.terms.pk).iterator(2000)
        lines = [[n, mask_name(row.member.name), row.shares, str(row.state_label)] for n, row in enumerate(rows, start=1)]
    notes = (
        f"{unit.name} · {standing.terms.program.title}（{standing.terms.version_name}）",
        _("姓名已隐去一部分。对名单有疑问的，请在公示期内向单位工会提出。"),
    )
    out = io.BytesIO()
    write_workbook(out, [Sheet(_("公示名单"), _("职工互助保障参加人员公示"), columns, lines, notes)])
    return out.getvalue()
