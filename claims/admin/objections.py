"""Doubts about claims on public notice: taken down for whoever comes to the desk, looked into by somebody who had no part."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin.answers import AnswerForm, answered, page_context
from claims.admin.facts import FactsForm
from claims.models import Claim, Objection, RejectionReason
from claims.selectors.wordings import reasons_for
from claims.services import public_notice
from claims.transitions import HANDLED
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import KeyedForm
from unionaid.web.fields import NameField, PhoneField
from unionaid.workflow.asking import attempt, attempt_once
from unionaid.workflow.selectors import findable

findable(Objection, number="", label="claim__number", page="admin:claim_objection")


def objection_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What is said, about which claim, and what came of it."""
    rows = Objection.objects.select_related("claim__member", "claim__claimant", "claim__terms", "claim__program", "office")
    objection = get_object_or_404(rows, pk=pk)
    by: Actor = request.actor  # type: ignore[attr-defined]
    form, status, refused = ObjectionForm(request.POST or None, reasons=reasons_for(objection.office)), 200, ""
    if request.method == "POST":
        acts = {
            "uphold": lambda clause, answer: public_notice.uphold(
                objection, by=by, on=today(), clause=clause, answer=answer, reason_code=form.cleaned_data["reason_code"] or "objection"
            ),
            "review_again": lambda clause, answer: public_notice.review_again(
                objection, by=by, on=today(), clause=clause, answer=answer
            ),
            "dismiss": lambda clause, answer: public_notice.dismiss(objection, by=by, on=today(), answer=answer),
        }
        done = {
            "uphold": gettext("异议成立：不予给付，已退回占用的额度。"),
            "review_again": gettext("异议成立：原来的核定不再有效，已另立申领等待初审。"),
            "dismiss": gettext("异议不成立：公示期满后照常付款。"),
        }
        status, refused = answered(request, form, acts, done)
        if status == 302:
            return redirect("admin:claim_objection", pk)
        objection.refresh_from_db()
    claim = objection.claim
    took_part = (
        *(getattr(claim, f"{column}_id") for column in HANDLED),
        objection.raised_by_id, claim.member.user_id, claim.claimant.user_id,
    )  # fmt: skip
    open_to = objection.state == "raised" and may(by, "objections.decide", objection.office_id)
    context = page_context(
        request,
        objection,
        form,
        refused,
        title=gettext("公示异议：申领 {number}").format(number=claim.number),
        clauses=sorted({item.clause for item in schedule_of(claim.terms).items}),
        outcome=claim.corrections.exclude(state__in=["rejected", "withdrawn"]).first() if claim.state == "replaced" else None,
        may_change=open_to and by.user_id not in took_part and may(by, "claims.review", objection.office_id),
        may_answer=open_to and by.user_id not in took_part,
        parted=open_to and by.user_id in took_part,
    )
    return render(request, "desk/claim_objection.html", context, status=status)


class ObjectionForm(AnswerForm):
    """As every answer, and the reason when nothing is due."""

    reason_code = forms.ChoiceField(
        label=_("不予给付的原因"), required=False, error_messages={"invalid_choice": _("请选择列出的原因")},
    )  # fmt: skip

    def __init__(self, data: Any, *, reasons: Iterable[RejectionReason]) -> None:
        super().__init__(data)
        choices = [("", _("公示期间的异议查实")), *((one.code, one.said("title")) for one in reasons)]
        self.fields["reason_code"].choices = choices  # type: ignore[attr-defined]


class ChangeForm(FactsForm):
    """The facts as they were found to be, with what is told to the claimant."""

    note = forms.CharField(
        label=_("核实的情况（申领人会看到）"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("请写明核实的情况")},
    )  # fmt: skip
    clause = forms.CharField(label=_("依据的条款"), max_length=60, error_messages={"required": _("请写明依据的条款")})

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in super().facts().items() if name != "clause"}


def change_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The objection is upheld and the facts are put right: the amount is computed anew and goes to another person."""
    rows = Objection.objects.select_related("claim__member", "claim__claimant", "claim__enrolment", "claim__terms", "claim__program")
    objection = get_object_or_404(rows, pk=pk, state="raised")
    claim, by = objection.claim, actor(request)
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    schedule = schedule_of(claim.terms)
    form = ChangeForm(request.POST if request.method == "POST" else None, claim=claim, schedule=schedule, language=language)

    def act() -> str:
        said = form.cleaned_data
        made = public_notice.change(
            objection, form.facts(), by=by, on=today(), answer=said["note"], clause=said["clause"], grades=form.grades()
        )
        messages.success(request, gettext("已另立申领 {number}，等待另一个人终审。").format(number=made.number))
        return reverse("admin:claim_review", args=[made.pk])

    if form.is_bound and form.is_valid() and (address := attempt(form, act)):
        return redirect(address)
    title = gettext("公示异议：改变申领 {number} 的核定").format(number=claim.number)
    context = desk_context(
        request, trail=[list_of(Objection)], title=title, form=form, row=objection,
        clauses=sorted({item.clause for item in schedule.items}), approved=format_yuan(claim.approved_fen or 0),
    )  # fmt: skip
    return render(request, "desk/claim_objection_change.html", context, status=form.status if form.errors else 200)


class EntryForm(KeyedForm):
    """An objection that somebody makes at the desk."""

    name = NameField(label=_("提出人"), error_messages={"required": _("请填写提出人")})
    phone = PhoneField(label=_("联系电话（可不填）"), required=False)
    text = forms.CharField(
        label=_("异议内容"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5}), error_messages={"required": _("请填写异议内容")}
    )


def entry_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Take down what somebody at the desk says about a claim on notice."""
    claim = get_object_or_404(Claim.objects.select_related("program"), pk=pk, state="on_notice")
    form = EntryForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data

        def act() -> str:
            made = public_notice.object_to(
                claim, name=said["name"], text=said["text"], phone=str(said["phone"] or ""), by=actor(request), on=today()
            )
            messages.success(request, gettext("异议已登记，要由没有经办过的人核实。"))
            return reverse("admin:claim_objection", args=[made.pk])

        if address := attempt_once(request, form, act):
            return redirect(address)
    status = form.status if form.is_bound and form.errors else 200
    title = gettext("登记异议：申领 {number}").format(number=claim.number)
    context = desk_context(request, trail=[list_of(Claim)], title=title, form=form, claim=claim)
    return render(request, "desk/claim_objection_new.html", context, status=status)


@admin.register(Objection)
class ObjectionAdmin(HouseAdmin):
    """The doubts about claims of the office."""

    view_action = "claims.view"
    section, place = "claims", 13
    page = "admin:claim_objection"
    desk_urls = (
        ("<int:pk>/answer/", "claim_objection", "claims.view", objection_page),
        ("<int:pk>/put-right/", "claim_objection_change", "claims.review", change_page),
    )
    empty_hint = _("没有符合条件的异议。")
    list_display = (column("claim", _("申领")), "name", "raised_at", column("office", _("机构")), "standing")
    list_filter = (("state", titled(_("状态"))),)
    list_select_related = ("claim", "office")
    ordering = ("-id",)


@todo("objections.decide")
def waiting_objections(actor: Actor) -> Iterable[Todo]:
    """The doubts that are open."""
    rows = Objection.objects.filter(state="raised").exclude(raised_by=actor.user_id)
    yield waiting(_("待核实的公示异议"), rows, "raised_at", f"{reverse('admin:claims_objection_changelist')}?state__exact=raised")
