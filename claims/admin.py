"""Claims at the desk: the queue, and the page where a claim is decided."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.facts import statement_of
from claims.models import Claim, ClaimDocument
from claims.services import adjudication
from members.services.people import masked_numbers
from programs.rules.explain import sentences
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Todo, desk_context, todo
from unionaid.offices.roles import Actor, may
from unionaid.web.files import send
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed
from unionaid.workflow.selectors import history_of

REASONS = (
    ("", _("请选择")),
    ("not_covered", _("不在保障期内")),
    ("waiting", _("在等待期内")),
    ("not_listed", _("不属于本计划的给付范围")),
    ("papers", _("材料不足以证明")),
    ("late", _("超过申领期限")),
)


class DecisionForm(forms.Form):
    """One decision on one claim; which words are needed depends on the decision, the service says so."""

    decision = forms.ChoiceField(
        choices=[("review", ""), ("approve", ""), ("return_for_supplement", ""), ("reject", "")], widget=forms.HiddenInput()
    )
    note = forms.CharField(label=_("意见（退回或不予给付时申领人会看到）"), required=False, max_length=500, widget=forms.Textarea())
    reason_code = forms.ChoiceField(label=_("不予给付的原因"), choices=REASONS, required=False)
    clause = forms.CharField(label=_("依据的条款"), required=False, max_length=60)


def review_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Facts, papers and the rules' statement side by side; the buttons are the arrows this person may take now."""
    rows = Claim.objects.select_related("member", "claimant", "enrolment", "terms", "program", "card", "unit")
    claim = get_object_or_404(rows, pk=pk)
    form = DecisionForm(request.POST or None)
    status, refused = 200, ""
    if request.method == "POST":
        if form.is_valid():
            try:
                _decide(claim, form.cleaned_data, request.actor)  # type: ignore[attr-defined]
                return redirect("admin:claims_claim_changelist")
            except Conflict as late:
                status, refused = 409, late.message
            except NotAllowed as no:
                status, refused = 403, no.message
            except MoveRefused as no:
                status, refused = 400, no.message
        else:
            status, refused = 400, gettext("请选择一项决定。")
        claim.refresh_from_db()
    return render(request, "desk/claim_review.html", _review_context(request, claim, form, refused), status=status)


def _decide(claim: Claim, said: dict[str, Any], by: Actor) -> None:
    decide = getattr(adjudication, said["decision"])
    extra = {"reason_code": said["reason_code"], "clause": said["clause"]} if said["decision"] == "reject" else {}
    decide(claim, by=by, on=today(), note=said["note"], **extra)


def _review_context(request: HttpRequest, claim: Claim, form: DecisionForm, refused: str) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    statement = statement_of(claim)
    items = [
        [(line.words.in_language(request.LANGUAGE_CODE), line.amount) for line in sentences(item)]  # type: ignore[attr-defined]
        for item in (statement.assessment["items"] if statement else [])
    ]
    decisions = ("review", "approve", "return_for_supplement", "reject")
    arrows = [
        arrow
        for arrow in claim.graph.from_state(claim.state)
        if arrow.action in decisions and may(actor, arrow.permission, claim.office_id)
    ]
    return desk_context(
        request,
        title=claim.number,
        claim=claim,
        form=form,
        refused=refused,
        numbers=masked_numbers([claim.member_id]).get(claim.member_id),
        stays=[(stay, format_yuan(stay.medfee_sumamt_fen), format_yuan(stay.psn_part_amt_fen)) for stay in claim.admissions.all()],
        documents=claim.documents.all(),
        items=items,
        total=format_yuan(statement.total_fen) if statement else "",
        arrows=arrows,
        history=[(act, _words_of(claim, act.action)) for act in history_of(claim)[:50]],
    )


def _words_of(claim: Claim, action: str) -> Any:
    """The label of an act; acts that change no state have words of their own."""
    others = {"open": _("开始填写申领")}
    return others.get(action) or claim.graph.arrow(action).label


def document(request: HttpRequest, public_id: Any) -> HttpResponse:
    """A paper of a claim of one's office."""
    paper = get_object_or_404(ClaimDocument, public_id=public_id)
    with paper.file.open() as stored:
        return send(stored.read(), content_type=paper.content_type, file_name=paper.file_name)


@admin.register(Claim)
class ClaimAdmin(HouseAdmin):
    """The queue, oldest first."""

    view_action = "claims.view"
    desk_urls = (
        ("<int:pk>/review/", "claim_review", "claims.view", review_page),
        ("papers/<uuid:public_id>", "claim_document", "claims.view", document),
    )
    list_display = ("number", "member", "program", "event", "state", "submitted_at", "amount")
    list_filter = ("state", "event")
    list_select_related = ("member", "program")
    ordering = ("submitted_at", "id")
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description=_("核定金额（元）"))
    def amount(self, claim: Claim) -> str:
        return format_yuan(claim.approved_fen) if claim.approved_fen is not None else "—"

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("admin:claim_review", pk=int(object_id)) if object_id.isascii() and object_id.isdigit() else redirect("admin:index")


@todo("claims.view")
def waiting_claims(actor: Actor) -> Iterable[Todo]:
    """How many wait for the first and for the second decision."""
    address = reverse("admin:claims_claim_changelist")
    for state, action in (("submitted", "claims.review"), ("reviewed", "claims.approve")):
        if may(actor, action):
            yield Todo(Claim.graph.state(state).label, Claim.objects.filter(state=state).count(), f"{address}?state__exact={state}")
