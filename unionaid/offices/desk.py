"""The staff's desk: one admin site, its look-only lists, the menu, and the to-do list on its first page.

What a person sees comes from their posts (`roles.GRANTS`), never from Django's flags and groups. Desk pages
(review, release…) are mounted by their model's admin class through `desk_urls`, so staff live in one place.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.filters import ChoicesFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from unionaid.lib.calendar import SHANGHAI, days_between, midnight, plus_days, today
from unionaid.lib.spreadsheet import clean
from unionaid.offices.access import View, requires
from unionaid.offices.roles import LABELS, Actor, Role, may
from unionaid.offices.selectors import offices_below

Words = str | Promise

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
class Todo:
    """One line of the first page: what waits, how many, how long the oldest has waited (days), where to go."""

    label: Words
    count: int
    url: str
    oldest_days: int | None = None
    hint: Words = ""
    rows: "QuerySet[Any] | None" = None  # what `counted` is to count, and the column that says since when it waits
    since: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """Something said to this person alone on the first page until they have read it: what, why, what next; where to go on, and the address
    that puts it away."""

    text: Words
    why: str
    then: Words
    url: str
    read: str


@dataclass(frozen=True, slots=True)
class Glance:
    """A few figures on the first page: (name, figure, what it says), of when, and where the whole is."""

    title: Words
    hint: Words
    url: str
    figures: Sequence[tuple[Words, str, Words]]


@dataclass(frozen=True, slots=True)
class Link:
    """An address of the desk that is shown to those who may go there."""

    label: Words
    name: str
    action: str


_TODOS: list[tuple[str, Callable[[Actor], Iterable[Todo]]]] = []


def todo(action: str) -> Callable[[Callable[[Actor], Iterable[Todo]]], Callable[[Actor], Iterable[Todo]]]:
    """Register lines of the first page, shown to those who may take `action`."""

    def register(lines: Callable[[Actor], Iterable[Todo]]) -> Callable[[Actor], Iterable[Todo]]:
        _TODOS.append((action, lines))
        return lines

    return register


_WORDS: list[tuple[str, Callable[[Actor], Iterable[Word]]]] = []


def told(action: str) -> Callable[[Callable[[Actor], Iterable[Word]]], Callable[[Actor], Iterable[Word]]]:
    """Register what the first page says to one person alone, among those who may take `action`."""

    def register(words: Callable[[Actor], Iterable[Word]]) -> Callable[[Actor], Iterable[Word]]:
        _WORDS.append((action, words))
        return words

    return register


_GLANCES: list[tuple[str, Callable[[Actor], Iterable[Glance]]]] = []


def glance(action: str) -> Callable[[Callable[[Actor], Iterable[Glance]]], Callable[[Actor], Iterable[Glance]]]:
    """Register figures of the first page, shown to those who may take `action`."""

    def register(figures: Callable[[Actor], Iterable[Glance]]) -> Callable[[Actor], Iterable[Glance]]:
        _GLANCES.append((action, figures))
        return figures

    return register


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


def waiting(label: Words, rows: QuerySet[Any], since: str, url: str) -> Todo:
    """A line of the first page: how many rows wait, and how long the oldest (column `since`, a day or a moment) has."""
    return Todo(label, 0, url, rows=rows, since=since)


def counted(lines: Sequence[Todo]) -> list[Todo]:
    """The lines with what waits counted. One statement for all of them, however many: a head of an office has some twenty-five."""
    parts, values = [], list[Any]()
    for number, line in enumerate(lines):
        with suppress(EmptyResultSet):  # what this person cannot see at all: nothing waits
            if line.rows is not None:
                sql, told = line.rows.order_by().values("pk", line.since).query.sql_with_params()
                oldest = _first_day(line.rows.model, line.since)
                parts.append(f"SELECT {number}, count(DISTINCT w.pk), {oldest} FROM ({sql}) AS w (pk, since)")
                values += told
    if not parts:
        return list(lines)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        told_of = {number: (count, oldest) for number, count, oldest in cursor.fetchall()}
    return [_with_count(line, *told_of.get(number, (0, None))) if line.rows is not None else line for number, line in enumerate(lines)]


def _first_day(model: type[Model], since: str) -> str:
    is_moment = model._meta.get_field(since).get_internal_type() == "DateTimeField"
    return f"(min(w.since) AT TIME ZONE '{SHANGHAI.key}')::date" if is_moment else "min(w.since)"


def _with_count(line: Todo, count: int, oldest: date | None) -> Todo:
    return replace(line, count=count, rows=None, oldest_days=max(0, days_between(oldest, today())) if oldest else None)


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
        lines = counted([line for action, find in _TODOS if may(actor, action) for line in find(actor)])
        roles = {post.role for post in actor.posts}
        context = {
            "words": [one for action, find in _WORDS if may(actor, action) for one in find(actor)],
            "todo": [line for line in lines if line.count],
            "clear": [line for line in lines if not line.count],
            "glances": [one for action, find in _GLANCES if may(actor, action) for one in find(actor)],
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


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Reads the keys of at most `CAP` rows, in the list's own order, so that its index serves and a list of millions is never counted to
    its end; a page is the rows of its keys, and the last one costs what the first one does."""

    CAP = 1_000

    @cached_property
    def keys(self) -> list[Any]:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return list(rows.values_list("pk", flat=True)[: self.CAP])

    @cached_property
    def count(self) -> int:
        return len(self.keys)

    @property
    def capped(self) -> bool:
        return self.count >= self.CAP

    def page(self, number: Any) -> Page[Any]:
        """The rows of this page, complete, in the list's order."""
        first = (self.validate_number(number) - 1) * self.per_page
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return self._get_page(rows.filter(pk__in=self.keys[first : first + self.per_page]), number, self)


class HouseList(ChangeList):
    """A list whose rows lead to their desk page, and whose page of rows may be completed in one statement."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.show_all and self.can_show_all):
            page = self.paginator.page(self.page_num if self.multi_page else 1)
            self.result_list = page.object_list  # type: ignore[assignment]
        self.result_list = list(self.result_list)  # type: ignore[assignment]
        self.model_admin.complete(self.result_list)  # type: ignore[attr-defined]

    def url_for_result(self, result: Model) -> str:
        owner: HouseAdmin = self.model_admin  # type: ignore[assignment]
        return owner.address_of(result)


class Narrowing(ChangeList):
    """The search and the filters of a list, over rows that come from elsewhere (`narrowed`): reads no rows itself."""

    result_count = full_result_count = 0

    def get_results(self, request: HttpRequest) -> None:
        """Nothing of its own is shown."""


def narrowed(request: HttpRequest, model: type[Model], rows: QuerySet[Any]) -> tuple[Narrowing, QuerySet[Any]]:
    """Those of these rows that the search and the filters of the model's list leave, which the address says as on that list. The state
    is what brought the rows here and no filter. IncorrectLookupParameters when the address makes no sense."""
    if any("\x00" in value for values in request.GET.lists() for value in values[1]):
        raise IncorrectLookupParameters  # the database holds no NUL
    owner: Any = admin.site._registry[model]
    filters = [one for one in owner.get_list_filter(request) if _asked_by(one) != "state"]
    found = Narrowing(
        request, model, ("pk",), None, filters, None, owner.get_search_fields(request), False, owner.list_per_page, 0, (), owner, (), ""
    )  # fmt: skip
    if found.query or found.has_active_filters:
        rows = rows.filter(pk__in=found.queryset.order_by().values("pk"))
    return found, rows


def _asked_by(list_filter: Any) -> str:
    """The field or the name by which a list's filter is asked."""
    if isinstance(list_filter, tuple):
        return str(list_filter[0])
    return list_filter if isinstance(list_filter, str) else list_filter.parameter_name


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


def column(name: str, words: Words) -> Callable[[Any], Any]:
    """A column of a list that is called `words`, for fields whose models give them no name for people."""

    def shown(row: Any) -> Any:
        display = getattr(row, f"get_{name}_display", None)
        return display() if display else getattr(row, name)

    shown.__name__ = name
    return admin.display(description=words)(shown)


def titled(words: Words) -> type[ChoicesFieldListFilter]:
    """A filter over a field's choices that is called `words`."""

    class Titled(ChoicesFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = str(words)

    return Titled


class OfficeFilter(admin.SimpleListFilter):
    """Rows of one of the offices that this person's posts cover; for whoever looks at several."""

    title, parameter_name = _("机构"), "office"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        by: Actor = request.actor  # type: ignore[attr-defined]
        if len(by.office_ids) < 2:
            return []
        return [(str(pk), name) for pk, name in offices_below(by).order_by("path").values_list("pk", "name")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(office=whole(self.value())) if self.value() else queryset


# Up to so many days ago, or longer ago than the last of them.
_AGES: dict[str, tuple[Words, int]] = {
    "today": (_("今天"), 0), "week": (_("7 天内"), 6), "month": (_("30 天内"), 29), "earlier": (_("更早"), 29),
}  # fmt: skip


def since(column_name: str, words: Words) -> type[admin.SimpleListFilter]:
    """A filter by how long ago the moment, or the day, in this column was; it is called `words`. The column itself is compared, so that
    an index over it serves."""

    class Since(admin.SimpleListFilter):
        title, parameter_name = words, "since"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Words]]:
            return [(code, label) for code, (label, _days) in _AGES.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if value is None:
                return queryset
            if value not in _AGES:
                raise IncorrectLookupParameters
            day = plus_days(today(), -_AGES[value][1])
            is_moment = queryset.model._meta.get_field(column_name).get_internal_type() == "DateTimeField"
            first = midnight(day) if is_moment else day
            return queryset.filter(**{f"{column_name}__{'lt' if value == 'earlier' else 'gte'}": first})

    return Since


def badge(words: Words, tone: str = "plain") -> str:
    """A state as a small label."""
    return format_html('<span class="state {}">{}</span>', "plain-state" if tone == "plain" else tone, words)


def whole(text: str | None) -> int:
    """A key out of an address or a form; 0, which is no key, for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0


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
