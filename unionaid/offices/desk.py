"""The staff's desk: one admin site, the menu, and what every list and page of it has (`lists`, `first_page`).

What a person sees comes from their posts (`roles.GRANTS`), never from Django's flags and groups. Desk pages
(review, release…) are mounted by their model's admin class through `desk_urls`, so staff live in one place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from unionaid.lib.spreadsheet import clean
from unionaid.offices.access import View, requires
from unionaid.offices.first_page import Words, first_page
from unionaid.offices.lists import CappedPaginator, HouseList
from unionaid.offices.roles import LABELS, Actor, Role, may

# The menu, from top to bottom; every list names its section.
SECTIONS: dict[str, Words] = {
    "claims": _("申领与给付"),
    "joining": _("参加与缴费"),
    "offer": _("计划"),
    "books": _("资金账务"),
    "reports": _("报表"),
    "watch": _("监督"),
    "house": _("机构与账号"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """An address of the desk that is shown to those who may go there."""

    label: Words
    name: str
    action: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What a higher floor shows on a desk page: under a title, rows of (words, address, what it says), where all of them are, what may be
    begun there, and what is said while there is nothing."""

    title: Words
    rows: Sequence[tuple[str, str, Words]]
    empty: Words
    whole: tuple[Words, str]
    begin: tuple[Words, str]


_BESIDE: dict[str, list[tuple[str, Callable[[Actor, Any], Beside]]]] = {}


def beside(page: str, action: str) -> Callable[[Callable[[Actor, Any], Beside]], Callable[[Actor, Any], Beside]]:
    """Register a part of another floor's desk page, shown to those who may take `action`."""

    def register(part: Callable[[Actor, Any], Beside]) -> Callable[[Actor, Any], Beside]:
        _BESIDE.setdefault(page, []).append((action, part))
        return part

    return register


def beside_of(page: str, thing: Any, actor: Actor) -> list[Beside]:
    """What the higher floors show this person on the page of this thing."""
    return [part(actor, thing) for action, part in _BESIDE.get(page, ()) if may(actor, action)]


# The record of acts lies a floor above (`workflow.moves.record`); `workflow.admin` hangs it in here.
RECORD: list[Callable[..., None]] = []


def remember(row: Model, act: str, *, by: Actor, note: str = "") -> None:
    """Write down an act of the desk on a row of this floor."""
    for record in RECORD:
        record([row], act, by=by, note=note)


class HouseAdminSite(admin.AdminSite):
    """Django's admin with our pages; only people with a post in force get in."""

    site_header = _("职工互助 · 工作台")
    site_title = _("职工互助 · 工作台")
    index_title = _("待办")
    site_url = "/"
    empty_value_display = "—"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.actor.posts)  # type: ignore[attr-defined]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the desk shows: the menu of this person, and the offices they work for."""
        return {
            "site_title": self.site_title,
            "site_header": self.site_header,
            "has_permission": self.has_permission(request),
            "menu": self._menu(request),
            "is_popup": False,
        }

    def _menu(self, request: HttpRequest) -> list[tuple[Words, list[tuple[Words, str, bool]]]]:
        """(section, [(words, address, here?)]) of what this person may open."""
        if not self.has_permission(request):
            return []
        actor: Actor = request.actor  # type: ignore[attr-defined]
        sections: dict[str, list[tuple[Words, str, bool]]] = {key: [] for key in SECTIONS}
        owners = [owner for owner in self._registry.values() if isinstance(owner, HouseAdmin)]
        for owner in sorted(owners, key=lambda owner: owner.place):
            if may(actor, owner.view_action):
                own = f"{owner.opts.app_label}_{owner.opts.model_name}"
                address = reverse(f"admin:{own}_changelist")
                sections[owner.section].append((owner.list_title(), address, request.path.startswith(address)))
        return [(SECTIONS[key], links) for key, links in sections.items() if links]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        roles = {post.role for post in actor.posts}
        context = {
            **first_page(actor),
            "roles": sorted(roles),
            "role_words": [role_words(role) for role in sorted(roles)],
            "shortcuts": self._shortcuts(actor),
        }
        return super().index(request, {**context, **(extra_context or {})})

    def _shortcuts(self, actor: Actor) -> list[tuple[Words, str]]:
        """What this person may begin here."""
        owners = [owner for owner in self._registry.values() if isinstance(owner, HouseAdmin)]
        links = [link for owner in sorted(owners, key=lambda owner: owner.place) for link in owner.list_links]
        return [(link.label, reverse(link.name)) for link in links if may(actor, link.action)]

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The house has one front door; who is known and has no post is told so."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("home")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("change_password")


def role_words(role: str) -> Words:
    """What a role is called."""
    return LABELS[Role(role)]


class HouseAdmin(admin.ModelAdmin):
    """Look, never touch: rows change through services, on pages mounted with `desk_urls`.

    `view_action` names the right that shows the list; `page` the address that shows one row (its argument is the
    key), `page_action` the right it asks for when that is another.
    """

    view_action: ClassVar[str]
    section: ClassVar[str] = "watch"
    place: ClassVar[int] = 50
    title: ClassVar[Words] = ""
    page: ClassVar[str] = ""
    page_action: ClassVar[str] = ""
    list_links: ClassVar[tuple[Link, ...]] = ()
    list_hint: ClassVar[Words] = ""
    empty_hint: ClassVar[Words] = _("没有符合条件的记录。")
    search_hint: ClassVar[Words] = ""
    # (address below the model's, name, right, view) of desk pages mounted beside the list
    desk_urls: ClassVar[tuple[tuple[str, str, str, View], ...]] = ()
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()  # sorting by a column without an index reads every row
    actions = None
    preserve_filters = False  # what was searched for, perhaps an ID number, stays out of other addresses
    paginator = CappedPaginator

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(route, self.admin_site.admin_view(requires(action)(view)), name=name)
            for route, name, action, view in self.desk_urls
        ]
        return own + super().get_urls()

    def list_title(self) -> Words:
        return self.title or self.opts.verbose_name_plural

    # -- rights ------------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.actor, self.view_action)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # -- the list ----------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return HouseList

    def complete(self, rows: Sequence[Any]) -> None:
        """Add to the rows of one page what their columns show, in a constant number of statements."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """Which office (`column("office", …)`) only for whoever looks at several."""
        several = len(request.actor.office_ids) > 1  # type: ignore[attr-defined]
        return [one for one in self.list_display if several or getattr(one, "__name__", "") != "office"]

    def address_of(self, row: Any) -> str:
        """Where one row is shown."""
        return reverse(self.page, args=[row.pk]) if self.page else ""

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        action = self.page_action or self.view_action
        if not self.page or not may(request.actor, action):  # type: ignore[attr-defined]
            return None
        return super().get_list_display_links(request, list_display)

    def find(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that a search means: exact or by the beginning of an indexed column. Overridden with `search_hint`."""
        return rows

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return ("pk",) if self.search_hint else ()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        text = search_term.strip()
        return (self.find(queryset, text) if text else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if any("\x00" in value for values in request.GET.lists() for value in values[1]):
            return refused(request, gettext("查询条件里有不能识别的字符。"))  # the database holds no NUL
        actor: Actor = request.actor  # type: ignore[attr-defined]
        context = {
            "title": self.list_title(),
            "list_hint": self.list_hint,
            "empty_hint": self.empty_hint,
            "search_hint": self.search_hint,
            "list_links": [(link.label, reverse(link.name)) for link in self.list_links if may(actor, link.action)],
        }
        answer = super().changelist_view(request, {**context, **(extra_context or {})})
        if ERROR_FLAG in request.GET or answer.status_code == 302:
            return refused(request, gettext("查询条件看不懂，请回到列表重新选择。"))
        return answer

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.page or not (object_id.isascii() and object_id.isdigit()):
            raise Http404
        try:
            return redirect(self.page, int(object_id))
        except NoReverseMatch:  # a page that is not found by the row's number
            raise Http404 from None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        raise Http404

    @admin.display(description=_("状态"))
    def standing(self, row: Any) -> str:
        """A state in words, with its tone."""
        return badge(row.state_label, row.state_tone)


def badge(words: Words, tone: str = "plain") -> str:
    """A state as a small label."""
    return format_html('<span class="state {}">{}</span>', "plain-state" if tone == "plain" else tone, words)


def written(request: HttpRequest, name: str) -> str:
    """The words of a small form's field, without what the database could not keep (NUL, control characters, lone surrogates)."""
    return clean(str(request.POST.get(name, "")))


def desk_context(request: HttpRequest, *, trail: Sequence[tuple[Words, str]] = (), **values: Any) -> dict[str, Any]:
    """The desk's own context (menu, titles) plus the page's values; `trail` is the way here: (words, address)."""
    return {**admin.site.each_context(request), "trail": trail, **values}


def refused(request: HttpRequest, message: str, *, status: int = 400) -> HttpResponse:
    """A page of the desk that says why something was not done."""
    return render(request, "desk/refused.html", desk_context(request, title=_("没有办成"), refused=message), status=status)


def list_of(model: type[Model]) -> tuple[Words, str]:
    """A list of the desk as a step of the trail."""
    owner: Any = admin.site._registry[model]
    return owner.list_title(), reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
