"""Sending a form to a service: a refusal goes back to its field with the status that says the same; twice has one effect."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from unionaid.offices.desk import refused
from unionaid.web.asking import AskForm
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed
from unionaid.workflow.requests import KeyReused, once


def status_of(refusal: MoveRefused) -> int:
    """The HTTP status that says the same as the refusal."""
    return next((status for kind, status in ((NotAllowed, 403), (Conflict, 409), (KeyReused, 422)) if isinstance(refusal, kind)), 400)


def attempt(form: AskForm, act: Callable[[], str]) -> str:
    """The address to go to after `act`; empty when it was refused: then nothing of it is kept, and the form says why."""
    try:
        with transaction.atomic():
            return act()
    except MoveRefused as no:
        form.refuse(no.message, getattr(no, "field", ""))
        form.status = status_of(no)
        return ""


def outcome(act: Callable[[], object]) -> tuple[int, str]:
    """302 after `act`, or the status and the words of its refusal: then nothing of it is kept. For a second person's word, which has no
    field that could be at fault."""
    try:
        with transaction.atomic():
            act()
    except MoveRefused as no:
        return status_of(no), no.message
    return 302, ""


def attempt_once(request: HttpRequest, form: AskForm, act: Callable[[], str], *, body: Mapping[str, object] | None = None) -> str:
    """`attempt`, with one effect for one key of the form however often it is sent. `body` is what must be the same when the
    form comes again (all its answers, unless said otherwise)."""
    body = {"path": request.path, **(form.cleaned_data if body is None else body)}
    return attempt(form, lambda: once(request.user.pk, form.cleaned_data["key"], body, act))


def try_again(request: HttpRequest, act: Callable[[], bool], *, done: str, page: HttpResponse) -> HttpResponse:
    """Let something that did not come off be tried again: `done` is said when it will be, nothing when there was nothing to try; then back
    to its page. Whoever may not is told so."""
    try:
        if act():
            messages.success(request, done)
    except NotAllowed as no:
        return refused(request, no.message, status=403)
    return page
