"""Look-only lists of the desk: pages that count no more than they must, search, filters, columns."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import ChoicesFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from unionaid.lib.calendar import midnight, plus_days, today
from unionaid.offices.first_page import Words, is_moment
from unionaid.offices.roles import Actor
from unionaid.offices.selectors import offices_below


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
        return str(self.model_admin.address_of(result))  # type: ignore[attr-defined]


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
            first = midnight(day) if is_moment(queryset.model, column_name) else day
            return queryset.filter(**{f"{column_name}__{'lt' if value == 'earlier' else 'gte'}": first})

    return Since


def whole(text: str | None) -> int:
    """A key out of an address or a form; 0, which is no key, for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0
