"""The staff's desk: one admin site, its look-only model pages, and the to-do list on its first page.

What a person sees comes from their posts (`roles.GRANTS`), never from Django's flags and groups. Desk pages
(review, release…) are mounted by their model's admin class through `desk_urls`, so staff live in one place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from unionaid.offices.access import View, requires
from unionaid.offices.roles import Actor, may


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of the first page: what waits, how many, how long the oldest has waited (days), where to go."""

    label: str | Promise
    count: int
    url: str
    oldest_days: int | None = None


_TODOS: list[tuple[str, Callable[[Actor], Iterable[Todo]]]] = []


def todo(action: str) -> Callable[[Callable[[Actor], Iterable[Todo]]], Callable[[Actor], Iterable[Todo]]]:
    """Register lines of the first page, shown to those who may take `action`."""

    def register(lines: Callable[[Actor], Iterable[Todo]]) -> Callable[[Actor], Iterable[Todo]]:
        _TODOS.append((action, lines))
        return lines

    return register


class HouseAdminSite(admin.AdminSite):
    """Django's admin with our titles; only people with a post in force get in."""

    site_header = _("职工互助 · 办理台")
    site_title = _("职工互助")
    index_title = _("待办")
    site_url = "/"
    empty_value_display = "—"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.actor.posts)  # type: ignore[attr-defined]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        lines = [line for action, find in _TODOS if may(actor, action) for line in find(actor)]
        return super().index(request, {"todo": lines, **(extra_context or {})})


class HouseAdmin(admin.ModelAdmin):
    """Look, never touch: rows change through services. `view_action` names the right that shows the list."""

    view_action: ClassVar[str]
    change_action: ClassVar[str] = ""
    # (address below the model's, name, right, view) of desk pages mounted beside the list
    desk_urls: ClassVar[tuple[tuple[str, str, str, View], ...]] = ()
    list_per_page = 50
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(route, self.admin_site.admin_view(requires(action)(view)), name=name)
            for route, name, action, view in self.desk_urls
        ]
        return own + super().get_urls()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.actor, self.view_action)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.change_action) and may(request.actor, self.change_action)  # type: ignore[attr-defined]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.change_action) and may(request.actor, self.change_action)  # type: ignore[attr-defined]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def desk_context(request: HttpRequest, **values: Any) -> dict[str, Any]:
    """The admin site's own context (menu, titles) plus the page's values, for desk templates."""
    return {**admin.site.each_context(request), **values}
