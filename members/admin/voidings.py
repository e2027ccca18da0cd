"""Voiding at the desk: proposed on an enrolment's or a roster's page, released by another person where money has arrived."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Enrolment, Match, Roster, Voiding
from members.services import voiding
from members.services.people import masked_numbers
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import OfficeFilter, column, since, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm
from unionaid.workflow.asking import attempt
from unionaid.workflow.second_word import SecondWord, WordForm
from unionaid.workflow.selectors import findable, told_history

findable(Voiding, number="", label="reason", page="admin:voiding")


class VoidForm(AskForm):
    """Why it is void, and how much of it."""

    reason = forms.ChoiceField(
        label=_("作废原因"), widget=forms.RadioSelect,
        choices=[choice for choice in Voiding.Reason.choices if choice[0] != Voiding.Reason.REFUSED_BATCH],
        error_messages={"required": _("请选择作废的原因"), "invalid_choice": _("请在下面选择作废的原因")},
    )  # fmt: skip
    shares = forms.IntegerField(
        label=_("作废几份"), required=False, min_value=1, max_value=999, help_text=_("只有份数超出规定时才填；其他原因都是整份记录作废"),
        error_messages={"invalid": _("请填写整数"), "min_value": _("至少 1 份"), "max_value": _("份数太大，请核对")},
    )  # fmt: skip
    note = forms.CharField(
        label=_("依据（职工会看到）"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("请写明作废的依据"), "max_length": _("依据不超过 300 字")},
    )  # fmt: skip


class RefuseRosterForm(AskForm):
    """Why a whole roster is refused."""

    note = forms.CharField(
        label=_("依据（职工会看到）"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("请写明作废的依据"), "max_length": _("依据不超过 300 字")},
    )  # fmt: skip


WORD = SecondWord(
    "release", _("请选择作废或不予作废。"), _("不予作废的原因（不予作废时必填）"), 300,
    done=_("已作废，多缴的互助费可以到来款里提出退款。"), dropped=_("不予作废，参加记录照旧。"),
)  # fmt: skip


def of_enrolment(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose that an enrolment, or some of its shares, is void."""
    cover = get_object_or_404(Enrolment.objects.select_related("member", "terms__program", "unit", "office", "roster"), pk=pk)
    form = VoidForm(request.POST or None)

    def act() -> Voiding:
        return voiding.propose(cover, **form.cleaned_data, by=request.actor, on=today())  # type: ignore[attr-defined]

    context = {
        "trail": [list_of(Enrolment), (f"{cover.member.name}：{cover.terms.program.title}", reverse("admin:enrolment", args=[pk]))],
        "title": gettext("作废：{name}，{program}").format(name=cover.member.name, program=cover.terms),
        "cover": cover,
        "last_day": cover.last_day,
        "numbers": masked_numbers([cover.member_id]).get(cover.member_id),
        "amount": format_yuan(cover.contribution_fen),
        "with_money": voiding.money_has_arrived([cover]),
    }
    return _propose(request, form, act, context)


def of_roster(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose that a whole enrolled roster is void."""
    roster = get_object_or_404(Roster.objects.select_related("unit", "terms__program"), pk=pk)
    form = RefuseRosterForm(request.POST or None)

    def act() -> Voiding:
        return voiding.propose_roster(roster, note=form.cleaned_data["note"], by=request.actor, on=today())  # type: ignore[attr-defined]

    context = {
        "trail": [list_of(Roster), (roster.file_name, reverse("admin:roster", args=[pk]))],
        "title": gettext("整批作废：{unit}，{file}").format(unit=roster.unit.name, file=roster.file_name),
        "roster": roster,
        "amount": format_yuan(roster.total_fen),
        "with_money": Match.objects.filter(due__roster=roster, undone_at__isnull=True).exists(),
    }
    return _propose(request, form, act, context)


def _propose(request: HttpRequest, form: AskForm, act: Callable[[], Voiding], context: dict[str, Any]) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        if made := attempt(form, lambda: str(act().pk)):
            found = Voiding.objects.get(pk=int(made))
            done = gettext("已作废。") if found.state == "done" else gettext("已提出作废，请另一位同事复核。")
            messages.success(request, done)
            return redirect("admin:voiding", found.pk)
    status = form.status if form.errors else 200
    return render(request, "desk/voiding_propose.html", desk_context(request, form=form, **context), status=status)


def voiding_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One voiding: what, why, by whom, and the second person's word."""
    rows = Voiding.objects.select_related(
        "enrolment__member", "enrolment__terms__program", "roster__unit", "roster__terms__program", "office", "proposed_by", "released_by"
    )
    found = get_object_or_404(rows, pk=pk)
    form = WORD.form(request, found)
    if WORD.answered(
        request, found, form,
        do=lambda by: voiding.release(found, by=by, on=today()), drop=lambda by, note: voiding.drop(found, by=by, note=note),
    ):  # fmt: skip
        return redirect("admin:voiding", pk)
    return render(request, "desk/voiding.html", _context(request, found, form), status=form.status if form.errors else 200)


def _context(request: HttpRequest, found: Voiding, form: WordForm) -> dict[str, Any]:
    by = actor(request)
    return desk_context(
        request,
        trail=[list_of(Voiding)],
        title=gettext("作废：{what}").format(what=what_of(found)),
        voiding=found,
        amount=format_yuan(found.amount_fen),
        form=form,
        may_release=WORD.may_do(found, by),
        own=WORD.is_own(found, by),
        may_drop=found.state == "proposed" and may(by, "voidings.propose", found.office_id),
        remittances=_remittances(found) if found.state == "done" and may(by, "contributions.view", found.office_id) else [],
        history=told_history(found),
    )


def _remittances(found: Voiding) -> list[tuple[Any, str]]:
    """Where money waits to be sent back."""
    due = {"due__roster_id": found.roster_id} if found.roster_id else {"due__enrolment_id": found.enrolment_id}
    if found.enrolment and found.enrolment.roster_id:
        due = {"due__roster_id": found.enrolment.roster_id}
    rows = Match.objects.filter(**due, undone_reason="void").select_related("remittance").order_by("pk")
    return list({row.remittance_id: (row.remittance, format_yuan(row.remittance.left_fen)) for row in rows}.values())


def what_of(found: Voiding) -> str:
    """Whose enrolment, or which roster."""
    if found.roster:
        return gettext("{unit}的名册").format(unit=found.roster.unit.name)
    assert found.enrolment is not None
    return found.enrolment.member.name


@admin.register(Voiding)
class VoidingAdmin(HouseAdmin):
    """What was void, and who said so."""

    view_action = "voidings.view"
    section, place = "joining", 45
    page = "admin:voiding"
    desk_urls = (
        ("<int:pk>/record/", "voiding", "voidings.view", voiding_page),
        ("enrolments/<int:pk>/new/", "void_enrolment", "voidings.propose", of_enrolment),
        ("rosters/<int:pk>/new/", "void_roster", "voidings.propose", of_roster),
    )
    list_hint = _("在参加记录或名册的页面提出作废。已经收到互助费的，要由另一位同事复核。")
    empty_hint = _("没有符合条件的作废。")
    list_display = (
        "what",
        "plan",
        column("reason", _("作废原因")),
        "amount",
        column("office", _("机构")),
        column("proposed_by", _("提出人")),
        "proposed_at",
        "standing",
    )
    list_filter = (("state", titled(_("状态"))), OfficeFilter, ("reason", titled(_("作废原因"))), since("proposed_at", _("提出时间")))
    list_select_related = (
        "enrolment__member",
        "enrolment__terms__program",
        "roster__unit",
        "roster__terms__program",
        "office",
        "proposed_by",
    )
    ordering = ("-id",)

    @admin.display(description=_("作废的是"))
    def what(self, row: Voiding) -> str:
        return what_of(row)

    @admin.display(description=_("互助计划"))
    def plan(self, row: Voiding) -> str:
        return str(row.roster.terms) if row.roster else str(row.enrolment.terms) if row.enrolment else ""

    @admin.display(description=_("不再收取（元）"))
    def amount(self, row: Voiding) -> str:
        return format_yuan(row.amount_fen)


@todo("voidings.release")
def waiting_voidings(actor: Actor) -> Iterable[Todo]:
    """What another person says is void."""
    address = f"{reverse('admin:members_voiding_changelist')}?state__exact=proposed"
    rows = Voiding.objects.filter(state="proposed").exclude(proposed_by_id=actor.user_id)
    yield waiting(_("待复核的作废"), rows, "proposed_at", address)
