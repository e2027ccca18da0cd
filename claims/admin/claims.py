"""Claims at the desk: the queue, and the page where a claim is decided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from claims.admin.corrections import reclassify_page
from claims.admin.facts import facts_page
from claims.admin.links import links_of
from claims.admin.objections import entry_page
from claims.checks import flags
from claims.facts import statement_of
from claims.models import BenefitStatement, Claim, ClaimDocument
from claims.selectors.estimate import in_words
from claims.selectors.progress import REASONS, office_days, reason_words
from claims.services import adjudication
from members.selectors.people import members_by_number
from members.services.people import masked_numbers
from programs.rules import explain
from programs.rules.explain import limit_line
from programs.selectors import schedule_of
from unionaid.lib.calendar import stay_days, today
from unionaid.lib.money import format_yuan
from unionaid.offices.desk import HouseAdmin, Todo, badge, column, desk_context, list_of, todo, waiting
from unionaid.offices.roles import Actor, may
from unionaid.web.files import send
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed
from unionaid.workflow.selectors import findable, told_history

# Which decision each right waits for: the state of its queue, the right, the words of the to-do list.
QUEUES = (("submitted", "claims.review", _("待初审的申领")), ("reviewed", "claims.approve", _("待终审的申领")))
DECISIONS = ("review", "settle", "approve", "return_for_supplement", "send_back", "reject")
# States as the staff say them, where the worker's words speak to the worker.
STAFF_WORDS = {
    "unit_review": _("待单位核对"),
    "submitted": _("待初审"),
    "on_notice": _("公示中"),
    "supplement_requested": _("待职工补充材料"),
    "reviewed": _("待终审"),
    "approved": _("已批准，待付款"),
    "returned_payment": _("付款被退回，待职工更正账户"),
}
# What a reviewer compares with the settlement sheet.
SHOWN_FIGURES = (
    "medfee_sumamt_fen", "inscp_scp_amt_fen", "fund_pay_sumamt_fen", "fulamt_ownpay_amt_fen", "psn_part_amt_fen", "psn_cash_pay_fen",
)  # fmt: skip
findable(Claim, number="number", page="admin:claim_review", hidden={"state": "draft"})


def standing_words(state: str) -> Any:
    """A claim's state in the staff's words."""
    return STAFF_WORDS.get(state) or Claim.graph.state(state).label


def tone_of(claim: Claim) -> str:
    """What waits for the staff is theirs to do, though the worker has nothing to do."""
    return "todo" if claim.state in ("submitted", "reviewed") else claim.state_tone


class DecisionForm(forms.Form):
    """One decision on one claim; which words are needed depends on the decision, the service says so."""

    decision = forms.ChoiceField(
        choices=[(code, "") for code in DECISIONS],
        widget=forms.HiddenInput(),
        error_messages={"required": _("请选择一项决定"), "invalid_choice": _("请选择一项决定")},
    )
    note = forms.CharField(label=_("意见"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    reason_code = forms.ChoiceField(
        label=_("不予给付的原因"),
        choices=[("", _("请选择")), *REASONS.items()],
        required=False,
        error_messages={"invalid_choice": _("请选择列出的原因")},
    )
    clause = forms.CharField(label=_("依据的条款"), required=False, max_length=60)


@dataclass(frozen=True, slots=True)
class Offer:
    """A decision this person may take on this claim now."""

    arrow: Arrow
    form: DecisionForm


def review_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Papers on one side; facts, the rules' statement, flags and acts on the other; the decisions this person may take."""
    rows = Claim.objects.exclude(state="draft").select_related(
        "member", "claimant", "enrolment", "terms", "program", "card", "unit", "office"
    )
    claim = get_object_or_404(rows, pk=pk)
    form, status, refused = DecisionForm(request.POST or None), 200, ""
    if request.method == "POST":
        status, refused = _decided(claim, form, request)
        if status == 302:
            return redirect("admin:claim_review", pk=pk)
        claim.refresh_from_db()
    return render(request, "desk/claim_review.html", _review_context(request, claim, form, refused), status=status)


def _decided(claim: Claim, form: DecisionForm, request: HttpRequest) -> tuple[int, str]:
    """302 and nothing, or the number and the words of the refusal."""
    if not form.is_valid():
        return 400, "；".join(str(words[0]) for words in form.errors.values())
    said: dict[str, Any] = form.cleaned_data
    if said["decision"] == "reject" and "sure" not in request.POST:
        return 400, gettext("请核对给申领人的说明，并勾选确认，再办理“不予给付”。")
    decide = getattr(adjudication, said["decision"])
    extra = {"reason_code": said["reason_code"], "clause": said["clause"]} if said["decision"] == "reject" else {}
    try:
        with transaction.atomic():  # what is refused leaves no trace
            decide(claim, by=request.actor, on=today(), note=said["note"], **extra)  # type: ignore[attr-defined]
    except MoveRefused as no:
        return 403 if isinstance(no, NotAllowed) else 409 if isinstance(no, Conflict) else 400, no.message
    done = gettext("申领 {number} 已办理：{action}。")
    messages.success(request, done.format(number=claim.number, action=Claim.graph.arrow(said["decision"]).label))
    return 302, ""


def _review_context(request: HttpRequest, claim: Claim, form: DecisionForm, refused: str) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    statement, schedule = statement_of(claim), schedule_of(claim.terms)
    papers, kinds = list(claim.documents.all()), {paper.code: paper.name.in_language(language) for paper in schedule.documents}
    people = masked_numbers([claim.member_id, claim.claimant_id])
    offers, hindrance = _offers(claim, actor, form)
    return desk_context(
        request,
        trail=[list_of(Claim)],
        title=gettext("申领 {number}").format(number=claim.number),
        claim=claim,
        state_words=standing_words(claim.state),
        tone=tone_of(claim),
        refused=refused,
        numbers=people.get(claim.member_id),
        claimant_numbers=people.get(claim.claimant_id),
        cover_last=claim.enrolment.last_day,
        stays=_stays(claim, schedule.day_count),
        papers=[
            (paper, kinds.get(paper.kind) or _("其他材料"), reverse("admin:claim_document", args=[paper.public_id]))
            for paper in papers
        ],
        items=in_words(statement.assessment, language, with_clauses=True) if statement else [],
        limits=[limit_line(use).words.in_language(language) for use in statement.assessment["usage"]] if statement else [],
        audit=_audit_lines(statement, claim, language) if statement else [],
        may_settle=claim.state == "submitted" and may(actor, "claims.review", claim.office_id),
        exclusions=[one.name.in_language(language) for one in schedule.exclusions if one.circumstance in claim.circumstances],
        other_aid="" if claim.other_aid_fen is None else format_yuan(claim.other_aid_fen),
        statement=statement,
        total=format_yuan(statement.total_fen) if statement else "",
        approved=format_yuan(claim.approved_fen) if claim.approved_fen is not None else "",
        reason=reason_words(claim.reason_code),
        flags=flags(claim, papers, language) if claim.state in ("submitted", "reviewed", "supplement_requested") else [],
        clauses=sorted({item.clause for item in schedule.items}),
        offers=offers,
        passing=offers.get("approve") or offers.get("review"),
        hindrance=hindrance,
        following=_following(claim, actor),
        standing_links=links_of(claim, actor),
        history=told_history(claim),
    )


def _audit_lines(statement: BenefitStatement, claim: Claim, language: str) -> list[str]:
    """The statement as the auditor reads it: unrounded figures, limit keys, the terms and their hash."""
    terms = f"{claim.program.code} {claim.terms.version_name}"
    lines = explain.statement(statement.assessment, reader="auditor", terms=terms, content_hash=statement.content_hash)
    return [line.words.in_language(language) for line in lines]


def _stays(claim: Claim, day_count: str) -> list[tuple[Any, int, list[str]]]:
    """(stay, days, amounts)"""
    return [
        (stay, stay_days(stay.admitted_on, stay.discharged_on, day_count), [format_yuan(getattr(stay, name)) for name in SHOWN_FIGURES])
        for stay in claim.admissions.all()
    ]


def _offers(claim: Claim, actor: Actor, form: DecisionForm) -> tuple[dict[str, Offer], Any]:
    """The decisions this person may take now, and, when there are none for a reason worth saying, that reason."""
    offers, parted = dict[str, Offer](), False
    for arrow in claim.graph.from_state(claim.state):
        if arrow.action in DECISIONS and may(actor, arrow.permission, claim.office_id) and _is_offered(claim, arrow.action):
            if any(getattr(claim, f"{column}_id") == actor.user_id for column in arrow.not_by):
                parted = True
                continue
            own = form if form.is_bound and form["decision"].value() == arrow.action else DecisionForm()
            own.auto_id = f"{arrow.action}_%s"
            offers[arrow.action] = Offer(arrow, own)
    if claim.member.user_id == actor.user_id or claim.claimant.user_id == actor.user_id:
        return {}, _("这是您本人或您家人的申领，要由别人来办。")
    passing = {"review", "approve"} & offers.keys()
    if parted and not passing:
        return offers, _("前一步是您办的，这一步要由另一个人来办。")
    return offers, ""


def _is_offered(claim: Claim, action: str) -> bool:
    """Deciding alone is offered only where the plan has small claims at all; whether this is one, the service says."""
    return action != "settle" or (claim.corrects_id is None and schedule_of(claim.terms).deciding.final_from is not None)


def _following(claim: Claim, actor: Actor) -> tuple[int, str] | None:
    """The next claim this person could decide on: (how many wait, address). One statement."""
    for state, action, _label in QUEUES:
        if may(actor, action):
            rows = Claim.objects.filter(state=state).exclude(pk=claim.pk).exclude(submitted_by=actor.user_id)
            if state == "reviewed":
                rows = rows.exclude(reviewed_by=actor.user_id)
            ids = list(rows.order_by("submitted_at", "id").values_list("pk", flat=True)[:100])
            if ids:
                return len(ids), reverse("admin:claim_review", args=[ids[0]])
    return None


@require_GET
def document(request: HttpRequest, public_id: Any) -> HttpResponse:
    """A paper of a claim of one's office."""
    paper = get_object_or_404(ClaimDocument.objects.exclude(claim__state="draft"), public_id=public_id)
    with paper.file.open() as stored:
        return send(stored.read(), content_type=paper.content_type, file_name=paper.file_name)


class StateFilter(admin.SimpleListFilter):
    """By state, in the staff's words; drafts are nobody's business yet."""

    title = _("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.code, standing_words(state.code)) for state in Claim.graph.states if state.code != "draft"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Claim]) -> QuerySet[Claim]:
        value = self.value()
        if value is None:
            return queryset
        if value not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(state=value)


@admin.register(Claim)
class ClaimAdmin(HouseAdmin):
    """The claims of the office; a queue is shown oldest first."""

    view_action = "claims.view"
    section, place = "claims", 10
    page = "admin:claim_review"
    desk_urls = (
        ("<int:pk>/review/", "claim_review", "claims.view", review_page),
        ("<int:pk>/facts/", "claim_facts", "claims.review", facts_page),
        ("<int:pk>/reclassify/", "claim_reclassify", "claims.review", reclassify_page),
        ("<int:pk>/objection/", "claim_objection_new", "objections.enter", entry_page),
        ("papers/<uuid:public_id>", "claim_document", "claims.view", document),
    )
    search_hint = _("申领编号的开头（SL…），或完整的身份证号、手机号")
    empty_hint = _("没有符合条件的申领。")
    list_display = (
        "number",
        column("member", _("职工")),
        column("program", _("计划")),
        "event",
        "standing",
        column("submitted_at", _("提交时间")),
        "waited",
        "amount",
    )
    list_filter = (StateFilter, "event")
    list_select_related = ("member", "program")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        return super().get_queryset(request).exclude(state="draft")

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        in_queue = request.GET.get("state") in ("submitted", "reviewed", "approved", "returned_payment")
        return ("submitted_at", "id") if in_queue else ("-id",)

    def find(self, rows: QuerySet[Claim], text: str) -> QuerySet[Claim]:
        if text[:2].upper() == "SL":
            return rows.filter(number__begins=text.upper())
        return rows.filter(member__in=members_by_number(text))

    @admin.display(description=_("状态"))
    def standing(self, claim: Claim) -> str:
        return badge(standing_words(claim.state), tone_of(claim))

    @admin.display(description=_("已等"))
    def waited(self, claim: Claim) -> str:
        if claim.state not in ("submitted", "reviewed", "approved") or claim.submitted_at is None:
            return ""
        return gettext("{days} 天").format(days=office_days(claim, on=today()))

    @admin.display(description=_("核定金额（元）"))
    def amount(self, claim: Claim) -> str:
        return format_yuan(claim.approved_fen) if claim.approved_fen is not None else ""


@todo("claims.view")
def waiting_claims(actor: Actor) -> Iterable[Todo]:
    """How many wait for the first and for the second decision, and since when."""
    address = reverse("admin:claims_claim_changelist")
    for state, action, label in QUEUES:
        if may(actor, action):
            yield waiting(label, Claim.objects.filter(state=state), "submitted_at", f"{address}?state={state}")
