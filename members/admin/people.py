"""People at the desk: found by number or name, shown with masked numbers; the full number only for a reason, and on record."""

from collections.abc import Sequence
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

from members.models import Enrolment, Member
from members.selectors.joining import FURTHER, further_answers
from members.selectors.people import members_by_number
from members.services import corrections, people
from members.services.people import full_id_number, masked_numbers
from members.views.record import body_of, correction_form
from unionaid.offices.desk import HouseAdmin, desk_context, list_of, refused
from unionaid.offices.lists import column
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm, PastDayField, sent
from unionaid.workflow import stepup
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.selectors import findable, told_history

findable(Member, number="", label="name", page="admin:member", find=members_by_number)


class ReasonForm(AskForm):
    """Why the full number is needed."""

    reason = forms.CharField(
        label=_("查看完整身份证号的原因"), max_length=100, error_messages={"required": _("请写明原因，查看会留下记录")}
    )


def member_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: what is known, what covers them, what was done."""
    member = get_object_or_404(Member.objects.select_related("unit", "office", "guardian"), pk=pk)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_see = may(actor, "members.see_number")
    form, full, status = ReasonForm(sent(request)[0]), "", 200
    if may_see:
        stepup.ask(form, request)
    if request.method == "POST":
        status = form.status if may_see else 403
        if may_see and form.is_valid() and stepup.prove(form, request, member, actor):
            full, status = full_id_number(member, by=actor, reason=form.cleaned_data["reason"]), 200
    covers = Enrolment.objects.filter(member=member).select_related("program", "terms", "unit", "holder").order_by("-id")[:50]
    context = desk_context(
        request,
        trail=[list_of(Member)],
        title=member.name,
        member=member,
        numbers=masked_numbers([member.pk]).get(member.pk),
        further=[(FURTHER[name], said) for name, said in further_answers(member, request.LANGUAGE_CODE)],  # type: ignore[attr-defined]
        full=full,
        form=form if may_see else None,
        may_change=member.unit is not None and may(actor, "people.change", member.unit.office_id),
        may_tell_retirement=member.employment == Member.Employment.RETIRED and may(actor, "people.change", member.office_id),
        may_erase=member.erased_on is None and member.office_id is not None and may(actor, "erasures.ask", member.office_id),
        may_correct=member.office_id is not None and may(actor, "corrections.propose", member.office_id),
        covers=[(cover, cover.last_day) for cover in covers],
        cards=member.cards.filter(retired_at__isnull=True).order_by("id"),
        history=told_history(member),
    )
    return render(request, "desk/member.html", context, status=status)


class RetirementForm(forms.Form):
    """Since when somebody is retired of whom only that is known."""

    retired_on = PastDayField(
        label=_("退休日期"), help_text=_("退休证或退休审批表上写的日期"), error_messages={"required": _("请填写退休日期")}
    )


def retirement_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The office writes down, from the paper shown, since when a retired person is retired."""
    member = get_object_or_404(Member.objects.filter(employment=Member.Employment.RETIRED), pk=pk)
    form = RetirementForm(request.POST or None, initial={"retired_on": member.retired_on})
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            people.tell(member, {"retired_on": form.cleaned_data["retired_on"]}, by=request.actor)  # type: ignore[attr-defined]
        messages.success(request, gettext("已登记退休日期。"))
        return redirect("admin:member", pk)
    context = about_person(request, member, form, title=gettext("{name}：退休日期").format(name=member.name))
    return render(request, "desk/retirement.html", context, status=400 if form.errors else 200)


def correct_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of the office who saw the paper asks for a correction; another one decides."""
    member, actor = get_object_or_404(Member.objects.select_related("unit"), pk=pk), request.actor  # type: ignore[attr-defined]
    if not may(actor, "corrections.propose", member.office_id):
        return refused(request, gettext("这个人由另一个办事处负责，请那里办理更正。"), status=403)
    form = correction_form(request)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            told = form.cleaned_data
            made = corrections.ask(member, form.wanted(), papers=told["paper"], reason=told["reason"], by=actor)
            return reverse("admin:correction", args=[made.pk])

        if address := attempt_once(request, form, act, body=body_of(form)):
            messages.success(request, gettext("已提出，由另一个人对照证件核对后生效。"))
            return redirect(address)
    context = about_person(request, member, form, title=gettext("{name}：资料更正").format(name=member.name))
    return render(request, "desk/correct.html", context, status=form.status if form.errors else 200)


def about_person(request: HttpRequest, member: Member, form: forms.Form, *, title: str) -> dict[str, Any]:
    """The context of a page on which something is asked about one person: who it is, their number masked, and the form."""
    numbers = masked_numbers([member.pk]).get(member.pk)
    return desk_context(request, trail=[list_of(Member)], title=title, member=member, numbers=numbers, form=form)


@admin.register(Member)
class MemberAdmin(HouseAdmin):
    """The people of the office; numbers masked, the page's numbers in one statement."""

    view_action = "members.view"
    section, place = "joining", 30
    page = "admin:member"
    desk_urls = (
        ("<int:pk>/record/", "member", "members.view", member_page),
        ("<int:pk>/correct/", "member_correct", "corrections.propose", correct_page),
        ("<int:pk>/retired/", "member_retired", "people.change", retirement_page),
    )
    search_hint = _("姓名的开头，或完整的身份证号、手机号")
    empty_hint = _("没有找到这样的职工。请核对姓名或号码；只有在本机构参加过的职工才会列出。")
    list_display = ("name", "id_number", "phone", "gender", "birth_date", column("unit", _("单位")))
    list_select_related = ("unit",)
    ordering = ("-id",)

    def find(self, rows: QuerySet[Member], text: str) -> QuerySet[Member]:
        ids = members_by_number(text)
        return rows.filter(pk__in=ids) if ids or any(c.isdigit() for c in text) else rows.filter(name__begins=text)

    def complete(self, rows: Sequence[Any]) -> None:
        numbers = masked_numbers([row.pk for row in rows]) if rows else {}
        for row in rows:
            row.numbers = numbers.get(row.pk)

    @admin.display(description=_("身份证号"))
    def id_number(self, member: Any) -> str:
        return member.numbers.id_number if member.numbers else ""

    @admin.display(description=_("手机号"))
    def phone(self, member: Any) -> str:
        return member.numbers.phone if member.numbers else ""
