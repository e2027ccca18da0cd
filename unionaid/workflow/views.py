"""The page of a job for whoever asked for it (staff are led to the same page at their desk), and a person's notices."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from unionaid.offices.access import actor, requires
from unionaid.offices.roles import Actor, may
from unionaid.workflow.models import Job
from unionaid.workflow.notices import mark_read, my_notices
from unionaid.workflow.selectors import progress_of


@requires("jobs.follow")
@require_GET
def job_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """How far a job is. Outside the desk the open scope holds the user's own jobs alone."""
    by: Actor = request.actor  # type: ignore[attr-defined]
    if may(by, "jobs.view"):
        return redirect("admin:job", public_id)
    work = get_object_or_404(Job, public_id=public_id)
    side = "unit" if by.unit_ids else "my"
    return progress_page(request, work, side=side, layout="base.html")


def progress_page(request: HttpRequest, work: Job, *, side: str, layout: str, **more: object) -> HttpResponse:
    """The whole page, or only its moving part when the page itself asks (htmx)."""
    name = "workflow/job_progress.html" if request.htmx else "workflow/job.html"  # type: ignore[attr-defined]
    progress = progress_of(work, side=side, by=request.actor)  # type: ignore[attr-defined]
    context = {"title": progress.label, "progress": progress, "layout": layout, **more}
    response = render(request, name, context)
    response["Cache-Control"] = "no-store"
    return response


@requires("my.use")
@never_cache
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """What I was told, newest first, page by page; new ones are marked, and count as read once they were shown."""
    member_id = actor(request).member_id
    assert member_id is not None  # my.use is for members alone
    told = request.GET.get("before", "")
    before = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None
    found, further = my_notices(member_id, before=before)
    mark_read(found)
    return render(request, "workflow/notices.html", {"notices": found, "before": before, "further": further})
