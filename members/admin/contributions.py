"""Contributions at the desk: confirmed here, with the papers that show the right to join beside them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.admin.enrolments import papers_of
from members.models import ContributionDue, Enrolment
from members.services import contributions
from members.services.people import masked_numbers
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Todo, column, desk_context, list_of, titled, todo, waiting
from unionaid.offices.roles import Actor, may
from unionaid.web.fields import DayField, YuanField
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import findable, history_of
from unionaid.workflow.words import act_words

SHOWN = 50

findable(ContributionDue, number="reference", page="admin:due")


class ConfirmForm(forms.Form):
    """One line of the bank statement that settles one debt."""

    payer_name = forms.CharField(label=_("付款人"), max_length=120, error_messages={"required": _("请填写付款人")})
    bank_reference = forms.CharField(label=_("银行流水号"), max_length=60, error_messages={"required": _("请填写银行流水号")})
    received_on = DayField(label=_("到账日期"), error_messages={"required": _("请填写到账日期")})
    amount_fen = YuanField(label=_("到账金额（元）"), error_messages={"required": _("请填写到账金额")})
    remark = forms.CharField(label=_("转账附言"), max_length=200, required=False)


def due_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A debt, whom it makes effective, and the papers; whoever may confirms that it arrived."""
    rows = ContributionDue.objects.select_related("unit", "member", "office", "roster__terms__program", "enrolment")
    due = get_object_or_404(rows, pk=pk)
    form = ConfirmForm(request.POST or None, initial={"remark": due.reference})
    status = 200
    if request.method == "POST":
        status = _confirm(request, due, form)
        if status == 302:
            messages.success(request, gettext("已确认到账，保障已生效。"))
            return redirect(_next_open(due))
    return render(request, "desk/contribution_confirm.html", _context(request, due, form), status=status)


def _confirm(request: HttpRequest, due: ContributionDue, form: ConfirmForm) -> int:
    if not form.is_valid():
        return 400
    try:
        with transaction.atomic():  # what is refused leaves no trace
            contributions.confirm(due, **form.cleaned_data, by=request.actor, on=today())  # type: ignore[attr-defined]
    except MoveRefused as no:
        form.add_error(None, no.message)
        due.refresh_from_db()
        return status_of(no)
    return 302


def _next_open(due: ContributionDue) -> str:
    following = ContributionDue.objects.filter(state="open", pk__gt=due.pk).order_by("pk").values_list("pk", flat=True).first()
    return reverse("admin:due_confirm", args=[following]) if following else reverse("admin:members_contributiondue_changelist")


def _covers(due: ContributionDue) -> QuerySet[Enrolment]:
    """The enrolments this debt makes effective."""
    own = {"roster_id": due.roster_id} if due.roster_id else {"pk": due.enrolment_id}
    return Enrolment.objects.filter(**own).select_related("member", "holder", "program", "terms").order_by("id")


def _context(request: HttpRequest, due: ContributionDue, form: ConfirmForm) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    covers = list(_covers(due)[:SHOWN])
    numbers = masked_numbers([cover.member_id for cover in covers])
    count = due.roster.good_count if due.roster else len(covers)
    return desk_context(
        request,
        trail=[list_of(ContributionDue)],
        title=gettext("互助费 {reference}").format(reference=due.reference),
        due=due,
        form=form,
        amount=format_yuan(due.amount_fen),
        covers=[
            (cover, numbers.get(cover.member_id), cover.last_day, format_yuan(cover.contribution_fen))
            for cover in covers
        ],
        cover_count=count,
        cover_words=f"{count:,}",
        papers=papers_of(covers),
        matches=[(match, format_yuan(match.amount_fen)) for match in due.matches.select_related("remittance", "matched_by")],
        may_confirm=due.state == "open" and may(actor, "contributions.confirm", due.office_id),
        history=[(act, act_words(act.entity, act.action)) for act in history_of(due)[:100]],
    )


@admin.register(ContributionDue)
class ContributionDueAdmin(HouseAdmin):
    """What is owed, and what has arrived."""

    view_action = "contributions.view"
    section, place = "joining", 50
    page = "admin:due"
    desk_urls = (
        ("<int:pk>/record/", "due", "contributions.view", due_page),
        ("<int:pk>/confirm/", "due_confirm", "contributions.confirm", due_page),
    )
    search_hint = _("转账附言的开头（HZ…），或统一社会信用代码")
    empty_hint = _("没有符合条件的互助费。")
    list_display = ("reference", "debtor", "payer", "amount", "standing", column("created_at", _("登记时间")))
    list_filter = (("state", titled(_("状态"))), "payer")
    list_select_related = ("unit", "member")
    ordering = ("-id",)

    def find(self, rows: QuerySet[ContributionDue], text: str) -> QuerySet[ContributionDue]:
        plain = text.upper()
        return rows.filter(unit__credit_code=plain) if len(plain) == 18 else rows.filter(reference__begins=plain)

    @admin.display(description=_("单位或个人"))
    def debtor(self, due: ContributionDue) -> Any:
        return due.unit or due.member

    @admin.display(description=_("应缴（元）"))
    def amount(self, due: ContributionDue) -> str:
        return format_yuan(due.amount_fen)


@todo("contributions.confirm")
def open_dues(actor: Actor) -> Iterable[Todo]:
    """Contributions that wait for the bank's word."""
    address = f"{reverse('admin:members_contributiondue_changelist')}?state__exact=open"
    yield waiting(_("待确认到账的互助费"), ContributionDue.objects.filter(state="open"), "created_at", address)
