"""The page of a job for whoever asked for it; staff are led to the same page at their desk."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from unionaid.offices.access import requires
from unionaid.offices.roles import Actor, may
from unionaid.workflow.models import Job
from unionaid.workflow.selectors import progress_of


@requires("jobs.follow")
@require_GET
def job_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """How far a job is. Outside the desk the open scope holds the user's own jobs alone."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if may(actor, "jobs.view"):
        return redirect("admin:job", public_id)
    work = get_object_or_404(Job, public_id=public_id)
    side = "unit" if actor.unit_ids else "my"
    return progress_page(request, work, side=side, layout="base.html")


def progress_page(request: HttpRequest, work: Job, *, side: str, layout: str, **more: object) -> HttpResponse:
    """The whole page, or only its moving part when the page itself asks (htmx)."""
    name = "workflow/job_progress.html" if request.htmx else "workflow/job.html"  # type: ignore[attr-defined]
    progress = progress_of(work, side=side, by=request.actor)  # type: ignore[attr-defined]
    context = {"title": progress.label, "progress": progress, "layout": layout, **more}
    response = render(request, name, context)
    response["Cache-Control"] = "no-store"
    return response
