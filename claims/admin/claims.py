"""The claims of the office as a list: which queue, how long each has waited, against which time limit, with which warnings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin import bulk
from claims.admin.account import dispute_page
from claims.admin.appeals import entry_page as appeal_entry_page
from claims.admin.beside import dismiss_page, note_page, pass_by_page, take_page
from claims.admin.corrections import reclassify_page
from claims.admin.facts import facts_page
from claims.admin.halts import halt_page
from claims.admin.objections import entry_page
from claims.admin.review import document, review_page
from claims.admin.words import standing_words, tone_of
from claims.models import Claim
from claims.selectors.queue import due_of, holder_of, in_state, open_flag_count, open_flags, overdue, queues_of
from claims.selectors.rules import Rules, rules
from claims.transitions import DECIDABLE
from members.selectors.people import members_by_number
from unionaid.lib.calendar import day_of, days_between, today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, Link, badge
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import HouseList, column
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.offices.selectors import offices_below
from unionaid.workflow.selectors import findable

# Bands of the benefit as estimated, in fen: from (inclusive), until (exclusive).
BANDS: Mapping[str, tuple[Any, int, int]] = {
    "small": (_("1,000 元以下"), 0, 100_000),
    "middle": (_("1,000 至 10,000 元"), 100_000, 1_000_000),
    "large": (_("10,000 元及以上"), 1_000_000, 10**12),
}
# What a line of the list shows: a claim and those it names have some hundred columns more.
SHOWN = (
    "number", "state", "since", "held_until", "held_state", "estimated_fen", "approved_fen", "event", "submitted_at", "member__name",
    "program__name", "program__name_en", "office__path", "held_by__display_name",
)  # fmt: skip
KEPT = "claim_filters"  # what the session keeps of the list; what was searched for, perhaps an ID number, is not kept
findable(Claim, number="number", page="admin:claim_review", hidden={"state": "draft"})


def choosing(
    title: Any, name: str, choices: Callable[[HttpRequest], Iterable[tuple[str, Any]]], narrow: Callable[..., QuerySet[Claim]]
) -> Any:
    """A filter of the list: its choices, and the rows that one of them leaves; what is not a choice is refused."""

    class Choosing(admin.SimpleListFilter):
        parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(choices(request))

        def queryset(self, request: HttpRequest, queryset: QuerySet[Claim]) -> QuerySet[Claim]:
            value = self.value()
            if value is None:
                return queryset
            if value not in dict(self.lookup_choices):
                raise IncorrectLookupParameters
            return narrow(queryset, value, request)

    Choosing.title = title
    return Choosing


def _states(request: HttpRequest) -> Iterable[tuple[str, Any]]:
    """Drafts are nobody's business yet."""
    return [(state.code, standing_words(state.code)) for state in Claim.graph.states if state.code != "draft"]


def _rules(request: HttpRequest) -> Rules:
    """The rules, read once for a page."""
    if not hasattr(request, "review_rules"):
        request.review_rules = rules()  # type: ignore[attr-defined]
    found: Rules = request.review_rules  # type: ignore[attr-defined]
    return found


def _own_offices(request: HttpRequest) -> list[Office]:
    """The offices this person works for, read once for a page."""
    if not hasattr(request, "own_offices"):
        request.own_offices = list(offices_below(actor(request)).order_by("path"))  # type: ignore[attr-defined]
    found: list[Office] = request.own_offices  # type: ignore[attr-defined]
    return found


def _offices(request: HttpRequest) -> Iterable[tuple[str, Any]]:
    """For whoever looks at several offices."""
    if len(actor(request).office_ids) < 2:
        return []
    return [(str(office.pk), office.name) for office in _own_offices(request)]


def _by_age(rows: QuerySet[Claim], value: str, request: HttpRequest) -> QuerySet[Claim]:
    held_to = _rules(request)
    late = overdue(held_to, _own_offices(request) if held_to.by_path else [], on=today())
    return rows.filter(late) if value == "late" else rows.filter(stage__in=DECIDABLE).exclude(late)


def _by_amount(rows: QuerySet[Claim], value: str, request: HttpRequest) -> QuerySet[Claim]:
    """Where no state is chosen it is asked of what waits: what is decided has its amount."""
    _label, first, last = BANDS[value]
    rows = rows if request.GET.get("state") else rows.filter(stage__in=DECIDABLE)
    return rows.filter(estimated_fen__gte=first, estimated_fen__lt=last)


def _by_flags(rows: QuerySet[Claim], value: str, request: HttpRequest) -> QuerySet[Claim]:
    """Flags are the matter of what waits, as in the column: on what is decided they say nothing any more."""
    found, waiting = open_flags(), rows.filter(stage__in=DECIDABLE)
    return waiting.filter(found) if value == "yes" else waiting.exclude(found)


FILTERS = (
    choosing(_("机构"), "at", _offices, lambda rows, value, request: rows.filter(office=int(value))),
    choosing(_("状态"), "state", _states, lambda rows, value, request: rows.filter(in_state(value))),
    choosing(_("时限"), "age", lambda request: [("late", _("已超时限")), ("in_time", _("时限内"))], _by_age),
    choosing(_("试算金额"), "band", lambda request: [(code, band[0]) for code, band in BANDS.items()], _by_amount),
    choosing(_("疑点"), "flags", lambda request: [("yes", _("有疑点")), ("no", _("没有疑点"))], _by_flags),
)


class ClaimList(HouseList):
    """The rows with the day by which each step is due."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for claim in self.result_list:
            claim.due = due_of(claim, _rules(request))


@admin.register(Claim)
class ClaimAdmin(HouseAdmin):
    """The claims of the office; a queue is shown in the order it is worked off, and remembers how it was narrowed down."""

    view_action = "claims.view"
    section, place = "claims", 10
    page = "admin:claim_review"
    change_list_template = "desk/claim_list.html"
    list_links = (
        Link(_("窗口代收申领"), "intake:home", "claims.take_in"),
        Link(_("批量批准申领"), "admin:bulk_approve_claims", "claims.approve"),
        Link(_("批量核定申领"), "admin:bulk_settle_claims", "claims.review"),
    )
    desk_urls = (
        ("next/", "claim_next", "claims.view", take_page),
        ("bulk/", "bulk_approve_claims", "claims.approve", bulk.approve_claims),
        ("bulk/settle/", "bulk_settle_claims", "claims.review", bulk.settle_claims),
        ("<int:pk>/review/", "claim_review", "claims.view", review_page),
        ("<int:pk>/facts/", "claim_facts", "claims.review", facts_page),
        ("<int:pk>/reclassify/", "claim_reclassify", "claims.review", reclassify_page),
        ("<int:pk>/halt/", "claim_halt", "claims.view", halt_page),
        ("<int:pk>/pass-by/", "claim_pass_by", "claims.review", pass_by_page),
        ("<int:pk>/objection/", "claim_objection_new", "objections.enter", entry_page),
        ("<int:pk>/appeal/", "claim_appeal_new", "appeals.enter", appeal_entry_page),
        ("<int:pk>/notes/", "claim_note", "claims.note", note_page),
        ("<int:pk>/dispute-account/", "claim_dispute_account", "claims.hold_payment", dispute_page),
        ("<int:pk>/flags/", "claim_flag", "claims.dismiss_flag", dismiss_page),
        ("papers/<uuid:public_id>", "claim_document", "claims.view", document),
    )
    search_hint = _("申领编号的开头（SL…），或完整的身份证号、手机号")
    empty_hint = _("没有符合条件的申领。")
    list_display = (
        "number",
        column("member", _("职工")),
        "standing",
        "warnings",
        "amount",
        "waited",
        "limit",
        "event",
        column("program", _("计划")),
        column("submitted_at", _("提交时间")),
    )
    list_filter = (*FILTERS, "event")
    list_select_related = ("member", "program", "office", "held_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        return super().get_queryset(request).exclude(state="draft").annotate(flag_count=open_flag_count()).only(*SHOWN)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ClaimList

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        in_queue = request.GET.get("state") in (*DECIDABLE, "approved", "returned_payment") or {"age", "band", "flags"} & set(request.GET)
        return ("stage_since", "id") if in_queue else ("-id",)

    def find(self, rows: QuerySet[Claim], text: str) -> QuerySet[Claim]:
        if text[:2].upper() == "SL":
            return rows.filter(number__begins=text.upper())
        return rows.filter(member__in=members_by_number(text))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """As it was narrowed down last time, until the filters are let go of on the list itself."""
        if not request.GET:
            if urlsplit(request.headers.get("Referer", "")).path == request.path:
                request.session.pop(KEPT, None)
            request.GET = QueryDict(request.session.get(KEPT, ""))  # type: ignore[assignment]
        kept = {name: value for name, value in request.GET.items() if name in {one.parameter_name for one in FILTERS}}
        mine = [(state, standing_words(state)) for state, _arrow in queues_of(actor(request))]
        answer = super().changelist_view(request, {**(extra_context or {}), "queues": mine, "queue": kept.get("state", "")})
        if kept and answer.status_code == 200 and request.session.get(KEPT) != urlencode(kept):
            request.session[KEPT] = urlencode(kept)
        return answer

    @admin.display(description=_("状态"))
    def standing(self, claim: Claim) -> str:
        shown = badge(standing_words(claim.state), tone_of(claim))
        holder = holder_of(claim)
        return format_html("{} <small>{}</small>", shown, gettext("{name} 审核中").format(name=holder.display_name)) if holder else shown

    @admin.display(description=_("疑点"))
    def warnings(self, claim: Any) -> str:
        count = claim.flag_count if claim.state in DECIDABLE else 0
        return badge(gettext("{count} 个").format(count=count), "bad") if count else ""

    @admin.display(description=_("已等"))
    def waited(self, claim: Claim) -> str:
        if claim.since is None or claim.state not in (*DECIDABLE, "approved"):
            return ""
        return gettext("{days} 天").format(days=max(0, days_between(day_of(claim.since), today())))

    @admin.display(description=_("办理时限"))
    def limit(self, claim: Any) -> str:
        if claim.due is None:
            return ""
        day = date_format(claim.due, "MONTH_DAY_FORMAT")
        return badge(gettext("{day} 已超时限").format(day=day), "bad") if claim.due < today() else day

    @admin.display(description=_("金额（元）"))
    def amount(self, claim: Claim) -> str:
        """What was approved; until then what the rules gave last."""
        if claim.approved_fen is not None:
            return format_yuan(claim.approved_fen)
        return gettext("试算 {amount}").format(amount=format_yuan(claim.estimated_fen)) if claim.estimated_fen is not None else ""


@todo("claims.view")
def waiting_claims(by: Actor) -> Iterable[Todo]:
    """How many wait for each step this person may take, and since when; how many of them are late."""
    address = reverse("admin:claims_claim_changelist")
    mine = [state for state, _arrow in queues_of(by)]
    for state in mine:
        words = gettext("{standing}的申领").format(standing=standing_words(state))
        yield waiting(words, Claim.objects.filter(in_state(state)), "stage_since", f"{address}?state={state}")
    if mine:
        held_to = rules()
        late = Claim.objects.filter(overdue(held_to, list(offices_below(by)) if held_to.by_path else [], on=today()), Q(stage__in=mine))
        yield waiting(_("超过办理时限的申领"), late, "stage_since", f"{address}?age=late")
