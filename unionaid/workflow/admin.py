"""Jobs and the record of acts at the desk."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from unionaid.accounts.models import User
from unionaid.accounts.selectors import user_by_number
from unionaid.offices import desk
from unionaid.offices.desk import HouseAdmin, badge, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column
from unionaid.offices.models import Office, StaffPost
from unionaid.offices.roles import Actor, may
from unionaid.web.fields import DayField
from unionaid.workflow.arrows import Graph
from unionaid.workflow.asking import try_again
from unionaid.workflow.bulk_pages import result_page, result_sheet
from unionaid.workflow.jobs import KINDS
from unionaid.workflow.models import AuditEntry, Job
from unionaid.workflow.moves import record
from unionaid.workflow.notices import JOB as DELIVER
from unionaid.workflow.selectors import acts, findable, stuck_jobs, things_numbered, things_shown
from unionaid.workflow.services import retry
from unionaid.workflow.views import progress_page
from unionaid.workflow.words import ACTS, act_words, state_words, thing_words

desk.RECORD.append(record)
findable(Office, number="code", label="name")
findable(StaffPost, number="", label="user__display_name")
findable(User, number="", label="display_name")
findable(Job, number="", label="office__name")
PAGE = 50
TONES = {"done": "good", "failed": "bad", "refused": "bad", "running": "todo", "queued": "todo"}


@require_GET
def job_at_desk(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A job of one's office, or one's own."""
    work = get_object_or_404(Job.objects.select_related("office", "requested_by"), public_id=public_id)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    more = desk_context(request, trail=[list_of(Job)], may_retry=may(actor, "jobs.retry", work.office_id))
    return progress_page(request, work, side="desk", layout="desk/base.html", **more)


@require_POST
def retry_job(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A failed job runs again."""
    work = get_object_or_404(Job, public_id=public_id)
    by: Actor = request.actor  # type: ignore[attr-defined]
    return try_again(request, lambda: retry(work, by=by), done=gettext("已重新排队。"), page=redirect("admin:job", public_id))


class StuckFilter(admin.SimpleListFilter):
    """Jobs that nobody will finish unless somebody looks."""

    title, parameter_name = _("停住的"), "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("没有办成或停住的"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(pk__in=stuck_jobs().values("pk")) if self.value() else queryset


@admin.register(Job)
class JobAdmin(HouseAdmin):
    """Work that goes on without anyone waiting."""

    view_action = "jobs.view"
    section, place = "watch", 80
    page = "admin:job"
    list_hint = _("名册核对、放款、回盘记账、年报等在后台办理的事。失败的任务不会留下半截结果。")
    empty_hint = _("现在没有后台任务。上传名册、放款或编制年报后会出现在这里。")
    desk_urls = (
        ("<uuid:public_id>/progress/", "job", "jobs.view", job_at_desk),
        ("<uuid:public_id>/retry/", "job_retry", "jobs.retry", retry_job),
        ("bulk/<int:pk>/", "bulk_result", "bulk.view", result_page),
        ("bulk/<int:pk>/result.xlsx", "bulk_result_sheet", "bulk.view", result_sheet),
    )
    list_display = (
        "what",
        column("office", _("机构")),
        "progress",
        "stage_words",
        column("requested_by", _("提出人")),
        "created_at",
        column("finished_at", _("办完时间")),
    )
    list_filter = ("job_state", StuckFilter)
    list_select_related = ("office", "requested_by")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Without the sending of notices, which have a list of their own and would bury the rest; unless it failed."""
        return super().get_queryset(request).exclude(Q(kind=DELIVER) & ~Q(job_state="failed"))

    def address_of(self, row: Job) -> str:
        return reverse(self.page, args=[row.public_id])

    @admin.display(description=_("任务"))
    def what(self, job: Job) -> Any:
        return KINDS[job.kind].label if job.kind in KINDS else _("其他任务")

    @admin.display(description=_("状态"))
    def progress(self, job: Job) -> str:
        return badge(job.get_job_state_display(), TONES.get(job.job_state, "plain"))

    @admin.display(description=_("办到哪一步"))
    def stage_words(self, job: Job) -> str:
        return gettext(job.stage) if job.stage and job.job_state in ("queued", "running") else ""


def _action_choices() -> list[tuple[str, str]]:
    """Every act there is, under all the names it has."""
    named: dict[str, list[str]] = {code: [str(words)] for code, words in ACTS.items()}
    for owner in _graphs():
        for arrow in owner.arrows:
            if str(arrow.label) not in named.setdefault(arrow.action, []):
                named[arrow.action].append(str(arrow.label))
    return [("", gettext("全部")), *sorted(((code, "／".join(words)) for code, words in named.items()), key=lambda pair: pair[1])]


def _graphs() -> Iterable[Graph]:
    return {graph.name: graph for model in admin.site._registry if (graph := getattr(model, "graph", None))}.values()


class SearchForm(forms.Form):
    """What to look for in the record of acts."""

    number = forms.CharField(label=_("编号"), required=False, max_length=60)
    actor = forms.CharField(label=_("办理人（登录名）"), required=False, max_length=60)
    action = forms.ChoiceField(label=_("动作"), required=False, choices=_action_choices)
    since = DayField(label=_("从"), required=False)
    until = DayField(label=_("到"), required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput())


@admin.register(AuditEntry)
class AuditAdmin(HouseAdmin):
    """The record of acts, searched by number, person, act and day."""

    view_action = "audit.view"
    section, place = "watch", 70
    title = _("办理记录查询")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return desk.refused(request, gettext("您的岗位不能查看办理记录。"), status=403)
        form = SearchForm(request.GET)
        found, missing = _found(form.cleaned_data) if form.is_valid() else ([], "")
        entries = found[:PAGE]
        shown = things_shown(entries)
        lines = [(entry, _words(entry), *shown.get((entry.entity, entry.entity_id), (_set_words(entry), ""))) for entry in entries]
        kept = request.GET.copy()
        kept["before"] = str(entries[-1].pk) if entries else ""
        context = desk_context(
            request, title=self.list_title(), form=form, lines=lines, missing=missing,
            more=kept.urlencode() if len(found) > PAGE else "",
        )  # fmt: skip
        return render(request, "desk/audit.html", context, status=200 if form.is_valid() else 400)


def _found(said: dict[str, Any]) -> tuple[list[AuditEntry], str]:
    """The acts, one more than a page shows; or why there can be none."""
    things, actor_id = None, None
    if number := said["number"].strip():
        things = things_numbered(number)
        if not things:
            return [], gettext("没有找到这个编号。请填完整的申领编号、转账附言、批次号、统一社会信用代码或身份证号。")
    if said["actor"]:
        user = user_by_number(said["actor"])
        if user is None:
            return [], gettext("没有找到这个登录名。")
        actor_id = user.pk
    days = {"since": said["since"] or None, "until": said["until"] or None}
    return list(acts(things=things, actor_id=actor_id, action=said["action"], before=said["before"], **days)[: PAGE + 1]), ""


def _set_words(entry: Any) -> str:
    """How many things were moved together, where it was more than one thing."""
    return gettext("{count} 件").format(count=entry.size) if entry.size else ""


def _words(entry: AuditEntry) -> tuple[Any, Any, Any]:
    """(kind of thing, act, the state it led to)"""
    return (
        thing_words(entry.entity),
        act_words(entry.entity, entry.action),
        state_words(entry.entity, entry.to_state) if entry.to_state != entry.from_state else "",
    )


@todo("jobs.retry")
def failed_jobs(actor: Actor) -> Iterable[Todo]:
    """Jobs that failed, and those that should long be done."""
    yield waiting(_("没有办成或停住的后台任务"), stuck_jobs(), "created_at", f"{reverse('admin:workflow_job_changelist')}?stuck=1")
