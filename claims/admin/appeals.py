"""Appeals at the desk: what the claimant says beside the first decision, and the answer of somebody who had no part in it."""

from collections.abc import Iterable
from datetime import date

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin.answers import AnswerForm, answered, page_context
from claims.models import Appeal, Claim
from claims.selectors.queue import appeal_ends
from claims.selectors.rules import rules
from claims.selectors.wordings import reason_words
from claims.services import appeals
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, desk_context, list_of
from unionaid.offices.first_page import Todo, todo, waiting
from unionaid.offices.lists import column, titled
from unionaid.offices.roles import Actor, may
from unionaid.web.asking import KeyedForm
from unionaid.web.fields import NameField
from unionaid.workflow.asking import attempt_once
from unionaid.workflow.selectors import findable

findable(Appeal, number="", label="claim__number", page="admin:claim_appeal")


def appeal_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The first decision, the grounds, and the answer."""
    rows = Appeal.objects.select_related(
        "claim__member", "claim__claimant", "claim__terms", "claim__enrolment", "claim__program", "outcome", "decided_by", "office"
    )
    appeal = get_object_or_404(rows, pk=pk)
    by: Actor = request.actor  # type: ignore[attr-defined]
    form, status, refused = AnswerForm(request.POST or None), 200, ""
    if request.method == "POST":
        acts = {
            "uphold": lambda clause, answer: appeals.uphold(appeal, by=by, on=today(), clause=clause, answer=answer),
            "dismiss": lambda clause, answer: appeals.dismiss(appeal, by=by, on=today(), clause=clause, answer=answer),
        }
        done = {"uphold": gettext("申诉成立，已另立申领重新审核。"), "dismiss": gettext("已答复：维持原决定。")}
        status, refused = answered(request, form, acts, done)
        if status == 302:
            return redirect("admin:claim_appeal", pk)
        appeal.refresh_from_db()
    claim = appeal.claim
    people = (appeal.filed_by_id, claim.member.user_id, claim.claimant.user_id)
    due = appeal_ends(appeal, rules()) if appeal.state == "filed" else None
    apart = by.user_id not in (appeal.first_reviewer_id, appeal.first_decider_id, *people)
    context = page_context(
        request,
        appeal,
        form,
        refused,
        title=gettext("申诉：申领 {number}").format(number=claim.number),
        reason=reason_words(claim.reason_code),
        approved=format_yuan(claim.approved_fen) if claim.approved_fen else "",
        last_day=appeals.last_day(claim),
        due=due,
        late=due is not None and due < today(),
        clauses=sorted({item.clause for item in schedule_of(claim.terms).items}),
        may_answer=appeal.state == "filed" and may(by, "appeals.decide", appeal.office_id) and apart,
        parted=appeal.state == "filed" and may(by, "appeals.decide", appeal.office_id) and not apart,
    )
    return render(request, "desk/claim_appeal.html", context, status=status)


class EntryForm(KeyedForm):
    """An appeal that somebody makes at the desk, or by letter."""

    name = NameField(
        label=_("提出人"), help_text=_("申领人本人，或者替他来的人"), error_messages={"required": _("请填写提出人")}
    )
    grounds = forms.CharField(
        label=_("不同意哪里，为什么"), max_length=2000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("照来人的话写，或照信上写；申领人会看到"), error_messages={"required": _("请填写申诉理由")},
    )  # fmt: skip


def may_enter_appeal(claim: Claim, by: Actor, *, on: date) -> bool:
    """May this person write down an appeal against the claim for whoever comes: is its window open, and none filed?"""
    last = appeals.last_day(claim) if may(by, "appeals.enter", claim.office_id) else None
    return last is not None and on <= last and not claim.appeals.exclude(state="withdrawn").exists()


def entry_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what somebody who came to the desk says against a decision, in the same days as on their own page."""
    claim = get_object_or_404(Claim.objects.select_related("program", "terms", "member", "claimant"), pk=pk)
    by, back = actor(request), reverse("admin:claim_review", args=[pk])
    if not may_enter_appeal(claim, by, on=today()) and request.method != "POST":
        messages.warning(request, gettext("这份申领现在不能申诉：还没有决定、期限已过，或者已经申诉过。"))
        return redirect(back)
    form = EntryForm(request.POST if request.method == "POST" else None)

    def act() -> str:
        said = form.cleaned_data
        made = appeals.file(claim, grounds=said["grounds"], by=by, on=today(), brought_by=said["name"])
        messages.success(request, gettext("申诉已登记，要由没有经办过的人复核。"))
        return reverse("admin:claim_appeal", args=[made.pk])

    if form.is_bound and form.is_valid() and (address := attempt_once(request, form, act)):
        return redirect(address)
    title = gettext("登记申诉：申领 {number}").format(number=claim.number)
    context = desk_context(
        request, trail=[list_of(Claim)], title=title, form=form, claim=claim, back=back, last_day=appeals.last_day(claim),
        reason=reason_words(claim.reason_code),
    )  # fmt: skip
    return render(request, "desk/claim_appeal_new.html", context, status=form.status if form.errors else 200)


@admin.register(Appeal)
class AppealAdmin(HouseAdmin):
    """The appeals against decisions of the office."""

    view_action = "claims.view"
    section, place = "claims", 12
    page = "admin:claim_appeal"
    desk_urls = (("<int:pk>/answer/", "claim_appeal", "claims.view", appeal_page),)
    empty_hint = _("没有符合条件的申诉。")
    list_display = (column("claim", _("申领")), "filed_at", column("office", _("机构")), "standing")
    list_filter = (("state", titled(_("状态"))),)
    list_select_related = ("claim", "office")
    ordering = ("-id",)


@todo("appeals.decide")
def waiting_appeals(by: Actor) -> Iterable[Todo]:
    """The appeals that this person may hear."""
    rows = Appeal.objects.filter(state="filed").exclude(first_reviewer=by.user_id).exclude(first_decider=by.user_id)
    yield waiting(_("待复核的申诉"), rows, "filed_at", f"{reverse('admin:claims_appeal_changelist')}?state__exact=filed")
