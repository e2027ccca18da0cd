"""Opens the scope for a request by the side of the counter its address lies on; nothing else does for the web.

/my/ → the worker's own rows; /unit/ → the agent's units; /admin/ → the staff's offices; all else sees no
business row at all. The request runs in one transaction; an unhandled error or a 5xx rolls it back.
"""

from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from members.selectors.people import member_of_user
from members.selectors.units import units_of_agent
from unionaid.accounts import second_factor
from unionaid.lib.calendar import today
from unionaid.offices.roles import NOBODY, Actor
from unionaid.offices.scope import Scope, go_on_as, office_scope
from unionaid.offices.selectors import staff_actor
from unionaid.web.busy import busy_page, full_page, no_room, waited_in_vain


class ScopeMiddleware:
    """Puts `request.actor` and the scope in place."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            request.actor = NOBODY  # type: ignore[attr-defined]
            with transaction.atomic():
                return self._answer(request)
        with office_scope(Scope(user=request.user.pk)):
            actor = actor_of(request)
            request.actor = actor  # type: ignore[attr-defined]
            go_on_as(scope_of(actor, request.path))
            return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Nothing of it is kept. Who waited in vain for somebody else, or found no room for a document, is told so."""
        transaction.set_rollback(True)
        if no_room(exception):
            return full_page(request)
        return busy_page(request) if waited_in_vain(exception) else None

    def _answer(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 500:
            transaction.set_rollback(True)
        return response


class GivenPasswordMiddleware:
    """Whose password an administrator chose can do nothing before they have chosen their own: until then somebody else could be them."""

    FREE = ("change_password", "logout", "set_language")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.password_given_at is not None and request.path not in map(reverse, self.FREE):
            back = request.get_full_path() if request.method == "GET" else "/"
            return redirect(f"{reverse('change_password')}?{urlencode({'next': back})}")
        return self.get_response(request)


class SecondFactorMiddleware:
    """The desk stays shut to who decides on money or lets it go until they have an authenticator, and to whoever has one until its code was
    typed in this session: a password that somebody else knows opens nothing there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(("/admin/", "/jobs/")) and _wants_factor(request):
            back = request.get_full_path() if request.method == "GET" else "/admin/"
            return redirect(f"{reverse('second_factor')}?{urlencode({'next': back})}")
        return self.get_response(request)


def _wants_factor(request: HttpRequest) -> bool:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if not actor.is_staff_post or second_factor.is_passed(request.user, request.session):
        return False
    return request.user.has_second_factor or (settings.SECOND_FACTOR_REQUIRED and actor.needs_second_factor)


def actor_of(request: HttpRequest) -> Actor:
    """The person who acts, as far as this side of the counter needs to know them."""
    user, path = request.user, request.path
    if path.startswith("/admin/"):
        return staff_actor(user, on=today())
    actor = Actor(user_id=user.pk, label=user.display_name)
    if not path.startswith(("/my/", "/unit/")):
        actor = staff_actor(user, on=today())
    if not path.startswith("/unit/"):
        actor = replace(actor, member_id=member_of_user(user))
    if not path.startswith("/my/"):
        actor = replace(actor, unit_ids=units_of_agent(user, on=today()))
    return actor


def scope_of(actor: Actor, path: str) -> Scope:
    """The rows this side of the counter shows to this person."""
    if path.startswith("/my/"):
        return Scope(member=actor.member_id, user=actor.user_id)
    if path.startswith("/unit/"):
        return Scope(units=actor.unit_ids, user=actor.user_id)
    if path.startswith("/admin/"):
        return Scope(offices=actor.office_ids, user=actor.user_id)
    return Scope(user=actor.user_id)
