"""What a view asks for before it runs. A view without `required` does not start (system check)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from unionaid.offices.roles import GRANTS, Actor, may

View = Callable[..., HttpResponse]


def actor(request: HttpRequest) -> Actor:
    """Who asks."""
    return request.actor  # type: ignore[attr-defined,no-any-return]


def requires(action: str) -> Callable[[View], View]:
    """Only actors who may take `action` get in: the unknown are sent to log in, the others get 403."""
    if action not in GRANTS:
        raise KeyError(action)

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request.actor, action):  # type: ignore[attr-defined]
                raise PermissionDenied(action)
            return view(request, *args, **kwargs)

        guarded.required = action  # type: ignore[attr-defined]
        return guarded

    return guard
