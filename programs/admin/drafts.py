"""Writing terms down: a plan file is taken as a draft; every plan can be had as a file again, and so can the format."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from programs import services
from programs.forms.terms import DraftForm
from programs.models import Terms
from programs.rules.faults import Fault, dotted
from programs.rules.planfile import as_file
from programs.rules.shape import SCHEMA_FILE
from programs.selectors import visible_terms
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.lists import whole
from unionaid.offices.roles import Actor
from unionaid.web.files import send
from unionaid.workflow.asking import attempt_once

TAKEN = {
    "new": _("已收下，成为草稿。"),
    "changed": _("已收下，草稿换成了新的内容。"),
    "same": _("这一期的内容与已有的完全一样，没有改动。"),
}
YAML, SCHEMA = "application/yaml; charset=utf-8", "application/schema+json; charset=utf-8"


def draft_page(request: HttpRequest) -> HttpResponse:
    """A plan file, chosen or pasted, becomes draft terms; or every fault is told and the text stays."""
    faults: list[dict[str, Any]] = []
    base = _base(request)
    form = DraftForm(request.POST or None, request.FILES or None, initial={"text": as_file(base.schedule)} if base else {})
    if request.method == "POST":
        form = DraftForm(request.POST, request.FILES)
        if form.is_valid():
            raw, name = form.plan_file()
            refused: list[Fault] = []
            address = attempt_once(
                request, form, lambda: _taken(request, raw, name, refused), body={"path": request.path, "file": raw.hex()}
            )
            if address:
                return redirect(address)
            form.keep(raw)
            faults = [_told(fault, form.data["text"], request.LANGUAGE_CODE) for fault in refused]  # type: ignore[attr-defined]
    context = desk_context(
        request, trail=[list_of(Terms)], title=_("写入条款"), form=form, faults=faults, base=base,
    )  # fmt: skip
    return render(request, "desk/terms_draft.html", context, status=form.status if form.errors else 200)


def _base(request: HttpRequest) -> Terms | None:
    """The terms that the next ones begin from."""
    if "base" not in request.GET or request.method == "POST":
        return None
    rows = visible_terms(request.actor).select_related("program")  # type: ignore[attr-defined]
    return get_object_or_404(rows, pk=whole(request.GET["base"]))


def _taken(request: HttpRequest, raw: bytes, name: str, refused: list[Fault]) -> str:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        loaded = services.draft(raw, source=name, by=actor)
    except services.PlanRefused as no:
        if no.faults:
            refused += no.faults
            no.message = gettext("计划文件有 {count} 处要改，都列在下面。改好后再写入一次。").format(count=len(no.faults))
        raise
    messages.success(request, TAKEN[loaded.outcome])
    return reverse("admin:terms", args=[loaded.terms.pk])


def _told(fault: Fault, text: str, language: str) -> dict[str, Any]:
    """One fault as the page shows it: line, field, what was expected, and the line itself."""
    lines = text.splitlines()
    written = lines[fault.line - 1].strip()[:120] if 0 < fault.line <= len(lines) else ""
    return {"line": fault.line, "field": dotted(fault.path), "words": fault.words.in_language(language), "written": written}


@require_GET
def file_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The complete terms as a plan file."""
    terms = get_object_or_404(visible_terms(request.actor).select_related("program"), pk=pk)  # type: ignore[attr-defined]
    name = f"{terms.program.code}.{terms.version_name}.yaml"
    return send(as_file(terms.schedule).encode(), content_type=YAML, file_name=name, as_attachment=True)


@require_GET
def schema_page(request: HttpRequest) -> HttpResponse:
    """The published format of plan files."""
    return send(SCHEMA_FILE.read_bytes(), content_type=SCHEMA, file_name=SCHEMA_FILE.name, as_attachment=True)
