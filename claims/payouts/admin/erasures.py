"""Erasing somebody at the desk: what still stands against it, one person's asking, another's word."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.payouts import erasures
from claims.payouts.models import Erasure
from members.models import Member
from members.services.people import masked_numbers
from unionaid.lib.calendar import today
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import AskForm, sent
from unionaid.workflow.asking import attempt
from unionaid.workflow.second_word import SecondWord, WordForm
from unionaid.workflow.selectors import findable, told_history

findable(Erasure, number="", label="member__name", page="admin:erasure")
WORD = SecondWord(
    "erase", _("请选择删除或不删除。"), _("不删除的原因（不删除时必填）"),
    done=_("已删除。账上的金额不变。"), dropped=_("没有删除，原因已经记下。"),
)  # fmt: skip


class AskErasureForm(AskForm):
    """Why somebody is to be erased."""

    basis = forms.CharField(
        label=_("依据"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("例如：本人 7 月 1 日书面申请，身份已核对"),
        error_messages={"required": _("请写明依据，例如本人哪天提出申请、怎样核对身份"), "max_length": _("依据不超过 300 字")},
    )  # fmt: skip


def new_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What stands against erasing this person; where nothing does, the asking for it."""
    member = get_object_or_404(Member.objects.select_related("unit"), pk=pk, erased_on=None)
    form = AskErasureForm(sent(request)[0])

    def act() -> str:
        made = erasures.ask(member, basis=form.cleaned_data["basis"], by=actor(request), on=today())
        return reverse("admin:erasure", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (address := attempt(form, act)):
        messages.success(request, gettext("已提出，由另一位同事核对后删除。"))
        return redirect(address)
    context = desk_context(
        request,
        trail=[list_of(Member), (member.name, reverse("admin:member", args=[pk]))],
        title=gettext("{name}：删除个人信息").format(name=member.name),
        member=member,
        numbers=masked_numbers([pk]).get(pk),
        against=erasures.reasons_against(member, on=today()),
        form=form,
    )
    return render(request, "desk/erasure_new.html", context, status=form.status if form.errors else 200)


def erasure_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One asking: about whom, why, what stands against it now, and the second person's word."""
    found = get_object_or_404(Erasure.objects.select_related("member", "office", "asked_by", "done_by"), pk=pk)
    form = WORD.form(request, found)
    if WORD.answered(
        request, found, form,
        do=lambda by: erasures.carry_out(found, by=by, on=today()), drop=lambda by, note: erasures.drop(found, by=by, note=note),
    ):  # fmt: skip
        return redirect("admin:erasure", pk)
    return render(request, "desk/erasure.html", _context(request, found, form), status=form.status if form.errors else 200)


def _context(request: HttpRequest, found: Erasure, form: WordForm) -> dict[str, Any]:
    by, waits = actor(request), found.state == "asked"
    against = erasures.reasons_against(found.member, on=today()) if waits else []
    return desk_context(
        request,
        trail=[list_of(Erasure)],
        title=gettext("{name}：删除个人信息").format(name=found.member.name) if waits else gettext("删除个人信息"),
        one=found,
        numbers=masked_numbers([found.member_id]).get(found.member_id) if waits else None,
        against=against,
        form=form,
        may_erase=WORD.may_do(found, by) and not against,
        own=WORD.is_own(found, by),
        may_drop=waits and may(by, "erasures.ask", found.office_id),
        history=told_history(found),
    )


@admin.register(Erasure)
class ErasureAdmin(HouseAdmin):
    """Who was to be erased, newest first; of whom it was done, no name."""

    view_action = "erasures.view"
    section, place = "joining", 35
    page = "admin:erasure"
    desk_urls = (
        ("<int:pk>/record/", "erasure", "erasures.view", erasure_page),
        ("people/<int:pk>/new/", "erasure_new", "erasures.ask", new_page),
    )
    list_hint = _("在职工的页面提出删除。一个人提出，另一个人核对后删除；账上的金额不变。")
    empty_hint = _("没有符合条件的删除。")
    list_display = (column("member", _("职工")), column("office", _("机构")), column("asked_by", _("提出人")), "asked_at", "standing")
    list_filter = (("state", titled(_("状态"))),)
    list_select_related = ("member", "office", "asked_by")
    ordering = ("-id",)


@todo("erasures.carry_out")
def erasures_to_confirm(by: Actor) -> Iterable[Todo]:
    """Whom another person has asked to erase."""
    rows = Erasure.objects.filter(state="asked").exclude(asked_by_id=by.user_id)
    yield waiting(_("待复核的删除个人信息"), rows, "asked_at", f"{reverse('admin:payouts_erasure_changelist')}?state__exact=asked")
