"""Things done together at the desk (批量办理): what may be ticked, and what came of a request."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from unionaid.lib.money import format_yuan
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of, refused
from unionaid.offices.lists import Narrowing, narrowed, whole
from unionaid.offices.roles import may
from unionaid.web.asking import KeyedForm
from unionaid.web.files import XLSX, send
from unionaid.workflow import bulk
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.jobs import result_page as shown_by
from unionaid.workflow.models import BulkWork
from unionaid.workflow.selectors import findable, job_by_key

LAST_PAGE = 100_000  # further than anybody turns pages
findable(BulkWork, number="", label="office__name", page="admin:bulk_result")


@dataclass(frozen=True, slots=True)
class Shown:
    """How a kind of work looks. `page`: the page of one of its things. `told`: what is said of one beside its name. `came_of`: what is
    said beside those that were done, by their ids. The asking page is called `bulk_<kind>`."""

    model: type[Model]
    page: str
    about: str | Promise
    told: Callable[[Any], str]
    came_of: Callable[[Sequence[int]], Mapping[int, str]] = lambda ids: {}
    empty: str | Promise = _("现在没有可以一起办理的。")


SHOWN: dict[str, Shown] = {}


@shown_by(bulk.JOB, "desk", "bulk.view")
def _result(work_id: int) -> str:
    return reverse("admin:bulk_result", args=[work_id])


class BulkForm(KeyedForm):
    """Which of them, and why where the work says so; nothing is ticked for anybody."""

    things = forms.TypedMultipleChoiceField(
        label=_("要办理的"), coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("请至少勾选一件"), "invalid_choice": _("名单已经更新，请重新勾选"), "invalid_list": _("请勾选列出的"),
        },
    )  # fmt: skip
    note = forms.CharField(
        label=_("退回的原因（单位经办人会看到）"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("请写明原因"), "max_length": _("原因不超过 300 字")},
    )  # fmt: skip
    sure = forms.BooleanField(label=_("我已看过名单，确认办理勾选的"), error_messages={"required": _("请勾选确认，再办理")})

    def __init__(self, *args: Any, things: Iterable[Any], says_why: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["things"].choices = [(one.pk, str(one)) for one in things]  # type: ignore[attr-defined]
        if not says_why:
            del self.fields["note"]


def page_of(kind: str, shown: Shown) -> Callable[[HttpRequest], HttpResponse]:
    """The page on which this kind of work is asked for: tick and send; a job does it."""
    SHOWN[kind] = shown

    def page(request: HttpRequest) -> HttpResponse:
        by, work = actor(request), bulk.WORKS[kind]
        candidates = work.candidates(by)
        try:
            narrowing, waiting = narrowed(request, shown.model, candidates)
        except IncorrectLookupParameters:
            return refused(request, gettext("查询条件看不懂，请回到列表重新选择。"))
        first = (min(max(narrowing.page_num, 1), LAST_PAGE) - 1) * bulk.MOST
        rows = list(waiting[first : first + bulk.MOST])
        ticked = _ticked(request)
        form = BulkForm(
            request.POST if request.method == "POST" else None, things=candidates.filter(pk__in=ticked) if ticked else [],
            says_why=work.says_why,
        )  # fmt: skip
        if form.is_valid() and (address := attempt_once(request, form, lambda: _asked(request, kind, form))):
            return redirect(address)
        context = {**_context(kind, form, rows, ticked), **_places(narrowing, first, len(rows), waiting.count())}
        page = desk_context(request, trail=[list_of(shown.model)], **context)
        return render(request, "desk/bulk.html", page, status=form.status if form.errors else 200)

    return page


def _ticked(request: HttpRequest) -> set[int]:
    """The keys that were sent, one more than may be done at once: what is none of theirs is refused, whatever page it stood on."""
    return {key for text in request.POST.getlist("things")[: bulk.MOST + 1] if (key := whole(text))}


def _places(narrowing: Narrowing, first: int, shown: int, total: int) -> dict[str, Any]:
    """Which of how many are listed, and where those before and after them are."""

    def to(page: int) -> str:
        return narrowing.get_query_string({PAGE_VAR: page})

    number = first // bulk.MOST + 1
    return {
        "cl": narrowing, "opts": narrowing.opts, "total": total, "first": first + 1, "last": first + shown,
        "before": to(number - 1) if number > 1 else "", "after": to(number + 1) if first + shown < total else "",
    }  # fmt: skip


def _asked(request: HttpRequest, kind: str, form: BulkForm) -> str:
    said = form.cleaned_data
    made = bulk.request(kind, said["things"], note=said.get("note", ""), by=actor(request))
    if len(made) == 1:
        return reverse("admin:bulk_result", args=[made[0].pk])
    words = gettext("已分 {count} 个机构办理，在下面的“最近的批量办理”里逐个看结果。")
    messages.success(request, words.format(count=len(made)))
    return reverse(f"admin:bulk_{kind}")


def _context(kind: str, form: BulkForm, rows: Sequence[Any], ticked: set[int]) -> dict[str, Any]:
    shown = SHOWN[kind]
    return {
        "title": bulk.WORKS[kind].label,
        "shown": shown,
        "form": form,
        "rows": [(row, reverse(shown.page, args=[row.pk]), shown.told(row), row.pk in ticked) for row in rows],
        "past": BulkWork.objects.filter(kind=kind).select_related("requested_by", "office").order_by("-id")[:20],
    }


@require_GET
def result_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of each, or how far the job is."""
    found = get_object_or_404(BulkWork.objects.select_related("requested_by", "office"), pk=pk)
    shown, work = SHOWN[found.kind], bulk.WORKS[found.kind]
    rows = list(found.rows.all())
    came_of = shown.came_of([row.subject_id for row in rows if row.outcome == "done"])
    context: dict[str, Any] = {
        "title": _("批量办理的结果"),
        "work": found,
        "label": work.label,
        "limit": "" if found.limit_fen is None else format_yuan(found.limit_fen),
        "rows": [(row, reverse(shown.page, args=[row.subject_id]), came_of.get(row.subject_id, "")) for row in rows],
        "done": sum(row.outcome == "done" for row in rows),
        "job": None if found.finished_at else job_by_key(bulk.job_key(found)),
        "may_repeat": may(actor(request), work.action, found.office_id),
        "repeat": reverse(f"admin:bulk_{found.kind}"),
    }
    return render(request, "desk/bulk_result.html", desk_context(request, trail=[list_of(shown.model)], **context))


@require_GET
def result_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of each as a sheet, to go through those that were left."""
    found = get_object_or_404(BulkWork, pk=pk)
    rows = [[str(row.subject_id), row.label, row.get_outcome_display(), row.why] for row in found.rows.all()]
    titles = ((_("编号"), 12), (_("办理的是"), 40), (_("结果"), 12), (_("没有办理的原因"), 60))
    columns = [Column(str(title), "text", width) for title, width in titles]
    out = io.BytesIO()
    write_workbook(out, [Sheet(gettext("办理结果"), str(bulk.WORKS[found.kind].label), columns, rows)])
    return send(out.getvalue(), content_type=XLSX, file_name=gettext("批量办理-{number}.xlsx").format(number=pk), as_attachment=True)
