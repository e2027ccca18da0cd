"""What the worker's pages of this room have in common."""

from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from members.models import Member
from members.selectors.joining import worker_of
from unionaid.offices.roles import Actor


def actor(request: HttpRequest) -> Actor:
    """Who asks."""
    return request.actor  # type: ignore[attr-defined,no-any-return]


def me(request: HttpRequest) -> Member:
    """The worker who asks, with unit and office."""
    member_id = actor(request).member_id
    assert member_id is not None  # my.use is for members alone
    return worker_of(member_id)


def show(request: HttpRequest, template: str, form: Form | None = None, **context: Any) -> HttpResponse:
    """A page; 400 (or what the refusal says) when its form is wrong."""
    wrong = form is not None and form.is_bound and bool(form.errors)
    status = getattr(form, "status", 400) if wrong else 200
    return render(request, f"members/worker/{template}.html", {"form": form, **context}, status=status)
