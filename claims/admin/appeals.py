"""Appeals at the desk: what the claimant says beside the first decision, and the answer of somebody who had no part in it."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin.answers import AnswerForm, answered, page_context
from claims.models import Appeal
from claims.selectors.wordings import reason_words
from claims.services import appeals
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Todo, column, titled, todo, waiting
from unionaid.offices.roles import Actor, may
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
        clauses=sorted({item.clause for item in schedule_of(claim.terms).items}),
        may_answer=appeal.state == "filed" and may(by, "appeals.decide", appeal.office_id) and apart,
        parted=appeal.state == "filed" and may(by, "appeals.decide", appeal.office_id) and not apart,
    )
    return render(request, "desk/claim_appeal.html", context, status=status)


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
def waiting_appeals(actor: Actor) -> Iterable[Todo]:
    """The appeals that this person may hear."""
    rows = Appeal.objects.filter(state="filed").exclude(first_reviewer=actor.user_id).exclude(first_decider=actor.user_id)
    yield waiting(_("待复核的申诉"), rows, "filed_at", f"{reverse('admin:claims_appeal_changelist')}?state__exact=filed")
