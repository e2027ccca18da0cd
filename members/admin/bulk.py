"""Things done together at the desk (批量办理): what may be ticked, and what came of a request."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from members.models import BulkWork, Roster, WorkUnit
from members.services import bulk
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import KeyedForm
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.jobs import result_page as shown_by
from unionaid.workflow.selectors import findable, job_by_key

findable(BulkWork, number="", label="office__name", page="admin:bulk_result")
ABOUT: dict[str, tuple[type[Model], str, str | Promise]] = {
    "approve_units": (
        WorkUnit, "admin:unit",
        _("列出的是等待审核的单位登记。请先打开看过，再勾选；办理时逐个通过，不合条件的会留给您单独办理。"),
    ),
    "return_rosters": (Roster, "admin:roster", _("列出的是核对完成、单位还没有确认的名册。退回后没有登记任何人，单位经办人会看到原因。")),
    "settle_rosters": (
        Roster, "admin:roster",
        _("列出的是有来款写着附言的名册。只核销附言和金额都对上的；对不上的会留下，请在“核销来款”里逐笔办理。"),
    ),
}  # fmt: skip


@shown_by("members.approve_units", "desk", "units.view")
@shown_by("members.return_rosters", "desk", "units.view")
@shown_by("members.settle_rosters", "desk", "units.view")
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


def page_of(kind: str) -> Callable[[HttpRequest], HttpResponse]:
    """The page on which this kind of work is asked for: tick and send; a job does it, one by one."""

    def page(request: HttpRequest) -> HttpResponse:
        by = actor(request)
        rows = list(bulk.candidates(kind, by)[: bulk.MOST])
        form = BulkForm(request.POST if request.method == "POST" else None, things=rows, says_why=bulk.WORKS[kind].says_why)
        if form.is_valid():

            def act() -> str:
                made = bulk.request(kind, form.cleaned_data["things"], note=form.cleaned_data.get("note", ""), by=by)
                if len(made) == 1:
                    return reverse("admin:bulk_result", args=[made[0].pk])
                words = gettext("已分 {count} 个机构办理，在下面的“最近的批量办理”里逐个看结果。")
                messages.success(request, words.format(count=len(made)))
                return reverse(f"admin:bulk_{kind}")

            if address := attempt_once(request, form, act):
                return redirect(address)
        shown = desk_context(request, trail=[list_of(ABOUT[kind][0])], **_context(kind, form, rows))
        return render(request, "desk/bulk.html", shown, status=form.status if form.errors else 200)

    return page


def _context(kind: str, form: BulkForm, rows: Sequence[Any]) -> dict[str, Any]:
    _model, address, about = ABOUT[kind]
    ticked = set(form["things"].value() or []) if form.is_bound else set()
    return {
        "title": BulkWork.Kind(kind).label,
        "about": about,
        "form": form,
        "rows": [(row, reverse(address, args=[row.pk]), _told(row), str(row.pk) in ticked) for row in rows],
        "past": BulkWork.objects.filter(kind=kind).select_related("requested_by", "office").order_by("-id")[:20],
    }


def _told(row: Any) -> str:
    """What is said of one of them beside its name."""
    if isinstance(row, WorkUnit):
        return str(_("{code}，职工 {count} 人").format(code=row.credit_code, count=row.headcount))
    words = _("{unit}，{plan}，{count} 人，{amount} 元")
    return str(words.format(unit=row.unit.name, plan=row.terms.program.title, count=row.good_count, amount=format_yuan(row.total_fen)))


@require_GET
def result_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of each, or how far the job is."""
    found = get_object_or_404(BulkWork.objects.select_related("requested_by", "office"), pk=pk)
    model, address, _about = ABOUT[found.kind]
    rows = list(found.rows.all())
    by: Actor = actor(request)
    context: dict[str, Any] = {
        "title": _("批量办理的结果"),
        "work": found,
        "rows": [(row, reverse(address, args=[row.subject_id])) for row in rows],
        "done": sum(row.outcome == "done" for row in rows),
        "job": None if found.finished_at else job_by_key(bulk.job_key(found)),
        "may_repeat": may(by, bulk.WORKS[found.kind].action, found.office_id),
        "repeat": reverse(f"admin:bulk_{found.kind}"),
    }
    return render(request, "desk/bulk_result.html", desk_context(request, trail=[list_of(model)], **context))
