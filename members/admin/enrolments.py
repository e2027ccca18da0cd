"""Enrolments at the desk: who is covered, in what, on which days, and the papers that show the right to it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from members.facts import cover_waits
from members.models import Enrolment, Evidence, Voiding
from members.selectors.people import members_by_number
from members.selectors.surplus import Excess, Way
from members.services import contributions, kin
from members.services.people import masked_numbers
from members.transitions import LIVE
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, desk_context, list_of, refused
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled, whole
from unionaid.offices.roles import Actor, may
from unionaid.web.fields import NameField
from unionaid.web.files import send_paper
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, told_history

findable(Enrolment, number="", label="program__name", page="admin:enrolment")

# What a paper is meant to show, by the code the worker's form sends.
PAPERS = {
    "contract": _("劳动合同"),
    "insurance": _("医疗保险参保证明"),
    "union_card": _("工会会员证明"),
    "relation": _("亲属关系证明"),
    "other": _("其他证明"),
}


class RefuseForm(forms.Form):
    """Why a person is not taken in."""

    note = forms.CharField(
        label=_("不予参加的原因（职工会看到）"), max_length=200, error_messages={"required": _("请写明不予参加的原因")}
    )


class IdentityForm(forms.Form):
    """What the paper shows of somebody whom their number knows otherwise."""

    name = NameField(label=_("证件上的姓名"), error_messages={"required": _("请照证件填写姓名")})

    def offer(self, excess: Excess) -> None:
        """Which shares may be void, since the person has no room for so many."""
        choices = [(way.cover.pk, _way_words(way)) for way in excess.ways]
        self.fields["void"] = forms.ChoiceField(
            label=_("作废哪一份保障里多出的"), choices=choices, required=False, widget=forms.RadioSelect,
            help_text=_("没有收过互助费、您又有复核作废权限的，当即作废；其他的由另一位同事复核，复核后回到这里再核对一次身份，多缴的可以退款。"),
        )  # fmt: skip


def _way_words(way: Way) -> str:
    words = gettext("{plan}：整份作废（{count} 份）") if way.whole else gettext("{plan}：{all} 份中作废 {count} 份")
    return words.format(plan=way.cover.terms, count=way.shares, all=way.cover.shares)


def papers_of(enrolments: Sequence[Enrolment]) -> list[tuple[Evidence, Any]]:
    """The papers of these enrolments with their names. One statement."""
    rows = Evidence.objects.filter(enrolment__in=[row.pk for row in enrolments]).order_by("id")
    return [(paper, PAPERS.get(paper.kind, _("其他证明"))) for paper in rows]


def _cover(pk: int) -> Enrolment:
    rows = Enrolment.objects.select_related("member", "holder", "program", "terms", "unit", "office", "roster")
    return get_object_or_404(rows, pk=pk)


@require_GET
def enrolment_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One enrolment with its papers, its contribution and its acts."""
    return _shown(request, _cover(pk))


@require_POST
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Who joined on their own is not taken in, before the contribution has come or after a part of it."""
    cover, form, status = _cover(pk), RefuseForm(request.POST), 400
    if form.is_valid():
        try:
            with transaction.atomic():
                contributions.refuse(cover, by=request.actor, on=today(), note=form.cleaned_data["note"])  # type: ignore[attr-defined]
        except MoveRefused as no:
            form.add_error(None, no.message)
            status = status_of(no)
            cover.refresh_from_db(fields=["state", "version"])
        else:
            messages.success(request, gettext("已记为不予参加，职工会收到原因。已经到账的回到来款里，可以提出退款。"))
            return redirect("admin:enrolment", pk)
    return _shown(request, cover, refusal=form, status=status)


@require_POST
def settle_identity(request: HttpRequest, pk: int) -> HttpResponse:
    """The papers show who it is that joined through the worker."""
    cover, form, status = _cover(pk), IdentityForm(request.POST), 400
    if not kin.identity_open([cover.member_id]):
        return refused(request, gettext("身份已经核对过，不用再核对。"), status=409)
    if form.is_valid():
        void = whole(request.POST.get("void")) or None
        by: Actor = request.actor  # type: ignore[attr-defined]
        try:
            settled = kin.settle(cover, name_on_paper=form.cleaned_data["name"], void=void, by=by, on=today())
        except kin.TooManyShares as no:
            form.offer(no.excess)
            form.add_error("void", no.message)
        except MoveRefused as no:
            form.add_error("name", no.message)
            status = status_of(no)
        else:
            _say_settled(request, settled)
            return redirect("admin:enrolment", pk)
    return _shown(request, cover, identity=form, status=status)


def _say_settled(request: HttpRequest, settled: kin.Settled) -> None:
    if settled.voided:
        done, waits = gettext("多出的份数已作废。"), gettext("多出的份数已提出作废，由另一位同事复核；复核后请回到这里再核对一次身份。")
        messages.warning(request, waits if settled.voided.state == "proposed" else done)
    if settled.is_open:
        return
    if not settled.double:
        messages.success(request, gettext("身份核对好了，这份保障已归到这个人名下，可以申领。"))
        return
    words = gettext(
        "身份核对好了。此人这段时间已经参加“{programs}”，不能参加两次：重复的一份已提出作废，收过互助费的由另一位同事复核，复核后可以退款。"
    )
    messages.warning(request, words.format(programs="、".join(one.program.title for one in settled.double)))


def _shown(
    request: HttpRequest, cover: Enrolment, *, refusal: RefuseForm | None = None, identity: IdentityForm | None = None, status: int = 200
) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    dues = cover.dues.order_by("id") if cover.roster_id is None else cover.roster.dues.order_by("id")
    context = desk_context(
        request,
        trail=[list_of(Enrolment)],
        title=gettext("{name}：{program}").format(name=cover.member.name, program=cover.program.title),
        cover=cover,
        last_day=cover.last_day,
        numbers=masked_numbers([cover.member_id]).get(cover.member_id),
        waiting=cover_waits(cover, schedule_of(cover.terms)).in_language(get_language() or ""),
        fee=format_yuan(cover.contribution_fen),
        papers=papers_of([cover]),
        dues=[(due, format_yuan(due.amount_fen)) for due in dues],
        guardian_open=guardian_open(cover),
        identity_open=cover.relation != "self" and cover.state in LIVE and bool(kin.identity_open([cover.member_id])),
        may_confirm_guardian=may(actor, "people.confirm_guardian", cover.office_id),
        refusal=refusal or RefuseForm(),
        identity=identity or IdentityForm(),
        may_refuse=cover.state == "contribution_due" and cover.roster_id is None and may(actor, "enrolments.refuse", cover.office_id),
        may_void=cover.state in LIVE and may(actor, "voidings.propose", cover.office_id),
        voidings=Voiding.objects.filter(Q(enrolment=cover) | Q(roster_id=cover.roster_id, roster__isnull=False)).order_by("-id")[:20],
        links=may(actor, "contributions.view"),
        history=told_history(cover),
    )
    return render(request, "desk/enrolment.html", context, status=status)


def guardian_open(cover: Enrolment) -> bool:
    """Is the child covered through somebody of whom nobody has seen that they are the guardian?"""
    return cover.relation == "minor_child" and cover.member.guardian_id is None


@require_POST
def confirm_guardian(request: HttpRequest, pk: int) -> HttpResponse:
    """The household paper shows that the worker is the child's guardian."""
    cover = get_object_or_404(Enrolment.objects.select_related("member", "holder"), pk=pk)
    if not guardian_open(cover):
        return refused(request, gettext("监护关系已经核对过，不用再核对。"), status=409)
    try:
        kin.confirm_guardian(cover.member, cover.holder, office_id=cover.office_id, by=request.actor)  # type: ignore[attr-defined]
    except MoveRefused as no:
        return refused(request, no.message, status=status_of(no))
    messages.success(request, gettext("已登记监护关系，监护人可以查看和办理孩子的事项。"))
    return redirect("admin:enrolment", pk)


@require_GET
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """A paper of an enrolment of one's office."""
    return send_paper(get_object_or_404(Evidence, pk=pk))


@todo("people.confirm_guardian")
def guardians_to_confirm(actor: Actor) -> Iterable[Todo]:
    """Children covered through somebody of whom nobody has seen yet that they are the guardian."""
    address = f"{reverse('admin:members_enrolment_changelist')}?relation__exact=minor_child"
    rows = Enrolment.objects.filter(relation="minor_child", member__guardian__isnull=True, state__in=LIVE)
    yield waiting(_("待核对监护关系的未成年人"), rows, "created_at", address)


@todo("people.confirm_guardian")
def identities_to_settle(actor: Actor) -> Iterable[Todo]:
    """Spouses and children of whom a worker told something else than is on record with their number."""
    rows = Enrolment.objects.filter(member__question__isnull=False, state__in=LIVE).exclude(voidings__state="proposed")
    yield waiting(_("待核实身份的家人"), rows, "created_at", f"{reverse('admin:members_enrolment_changelist')}?identity=open")


class IdentityFilter(admin.SimpleListFilter):
    """Those of whom a worker told something else than is on record with their number."""

    title, parameter_name = _("身份"), "identity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("待核实"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
        return queryset.filter(member__question__isnull=False) if self.value() == "open" else queryset


@admin.register(Enrolment)
class EnrolmentAdmin(HouseAdmin):
    """Enrolments (人次), newest first."""

    view_action = "enrolments.view"
    section, place = "joining", 40
    page = "admin:enrolment"
    desk_urls = (
        ("<int:pk>/record/", "enrolment", "enrolments.view", enrolment_page),
        ("<int:pk>/guardian/", "enrolment_guardian", "people.confirm_guardian", confirm_guardian),
        ("<int:pk>/identity/", "enrolment_identity", "people.confirm_guardian", settle_identity),
        ("<int:pk>/refuse/", "enrolment_refuse", "enrolments.refuse", refuse),
        ("papers/<int:pk>", "evidence", "enrolments.view", evidence),
    )
    search_hint = _("完整的身份证号或手机号，或单位的统一社会信用代码")
    empty_hint = _("没有符合条件的参加记录。")
    list_display = (
        column("member", _("姓名")),
        column("program", _("计划")),
        "standing",
        column("relation", _("关系")),
        "shares",
        "cover_days",
        "amount",
        column("unit", _("单位")),
        column("office", _("机构")),
    )
    list_filter = (
        ("state", titled(_("状态"))),
        OfficeFilter,
        "program__category",
        ("relation", titled(_("与职工的关系"))),
        since("created_at", _("登记时间")),
        IdentityFilter,
    )
    list_select_related = ("member", "program", "unit", "office")
    ordering = ("-id",)

    def find(self, rows: QuerySet[Enrolment], text: str) -> QuerySet[Enrolment]:
        if people := members_by_number(text):
            return rows.filter(member__in=people)
        return rows.filter(unit__credit_code=text.upper())

    @admin.display(description=_("保障期"))
    def cover_days(self, row: Enrolment) -> str:
        return gettext("{first}至{last}").format(first=date_format(row.starts_on), last=date_format(row.last_day))

    @admin.display(description=_("互助费（元）"))
    def amount(self, row: Enrolment) -> str:
        return format_yuan(row.contribution_fen)
