"""The page where a claim is decided: its papers on one side; facts, statement, history and flags on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from claims.admin.facts import SeenField
from claims.admin.links import links_of
from claims.admin.words import standing_words, tone_of
from claims.checks import flags_of
from claims.facts import beside_of, nets_aid, statement_of
from claims.forms import GRADES, LISTED
from claims.models import Admission, BenefitStatement, Claim, ClaimDocument, RejectionReason
from claims.selectors.claims import claims_elsewhere, earlier_claims
from claims.selectors.estimate import in_words, left_in_words
from claims.selectors.filing import filer_words
from claims.selectors.needs import needs_of
from claims.selectors.queue import ASIDE, decisions_from, due_of, holder_of, queues_of, theirs
from claims.selectors.rules import rules
from claims.selectors.wordings import letters_of, reason_words, reasons_for
from claims.services import adjudication
from claims.transitions import DECIDABLE
from members.facts import cover_waits
from members.services.people import masked_numbers
from programs.rules import reading
from programs.rules.declared import declared_words
from programs.rules.facts import SETTLEMENT_FIELDS
from programs.rules.fields import kinds_to_tell
from programs.rules.limits import limit_names
from programs.rules.papers import AUTHORISATION, OF_HEIRS
from programs.rules.schedule import Schedule
from programs.rules.words import Words
from programs.selectors import schedule_of
from unionaid.lib.calendar import stay_days, today
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.roles import Actor, may
from unionaid.web.files import send
from unionaid.workflow.arrows import Arrow
from unionaid.workflow.asking import status_of
from unionaid.workflow.moves import MoveRefused
from unionaid.workflow.selectors import told_history

# What a reviewer compares with the settlement sheet first; these stand there even when they are nothing.
FIRST_FIGURES = ("medfee_sumamt", "inscp_scp_amt", "fund_pay_sumamt", "fulamt_ownpay_amt", "psn_part_amt", "psn_cash_pay")
# Decisions against the claimant, which are confirmed once more, and what they say besides the words for the claimant.
EXPLAINED = {"reject": ("reason_code", "clause"), "reclaim": ("clause",)}
PICK = {"required": _("请选择一项决定"), "invalid_choice": _("请选择一项决定")}


class DecisionForm(forms.Form):
    """One decision on one claim; which words are needed depends on the decision, the service says so."""

    decision = forms.ChoiceField(widget=forms.HiddenInput(), error_messages=PICK)
    note = forms.CharField(label=_("意见"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    reason_code = forms.ChoiceField(
        label=_("不予给付的原因"),
        required=False,
        error_messages={"invalid_choice": _("请选择列出的原因")},
    )
    clause = forms.CharField(label=_("依据的条款"), required=False, max_length=60)
    seen = SeenField()

    def __init__(self, data: Any = None, *, arrows: Sequence[Arrow], reasons: Sequence[RejectionReason] = ()) -> None:
        super().__init__(data)
        self.reasons = reasons
        choices = [("", _("请选择")), *((one.code, one.said("title")) for one in reasons)]
        self.fields["reason_code"].choices = choices  # type: ignore[attr-defined]
        self.fields["decision"].choices = [(arrow.action, "") for arrow in arrows]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Offer:
    """A decision this person may take on this claim now."""

    arrow: Arrow
    form: DecisionForm


def claim_or_404(pk: int) -> Claim:
    """A claim of one's office that was sent in, with its people."""
    rows = Claim.objects.exclude(state="draft").select_related(
        "member", "claimant", "enrolment", "terms", "program", "card", "unit", "office", "held_by"
    )
    return get_object_or_404(rows, pk=pk)


def review_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The decisions this person may take, beside everything they rest on."""
    claim = claim_or_404(pk)
    arrows = [arrow for arrow in Claim.graph.arrows if hasattr(adjudication, arrow.action) and arrow.permission.startswith("claims.")]
    reasons = list(reasons_for(claim.office)) if claim.state in DECIDABLE else []
    form, status, refused = DecisionForm(request.POST or None, arrows=arrows, reasons=reasons), 200, ""
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
    if said["decision"] in EXPLAINED and "sure" not in request.POST:
        action = Claim.graph.arrow(said["decision"]).label
        return 400, gettext("请核对给申领人的说明，并勾选确认，再办理“{action}”。").format(action=action)
    decide = getattr(adjudication, said["decision"])
    extra = {name: said[name] for name in EXPLAINED.get(said["decision"], ())}
    try:
        with transaction.atomic():  # what is refused leaves no trace
            adjudication.refuse_unseen(claim, said["decision"], said["seen"])
            decide(claim, by=actor(request), on=today(), note=said["note"], **extra)
    except MoveRefused as no:
        return status_of(no), no.message
    done = gettext("申领 {number} 已办理：{action}。")
    messages.success(request, done.format(number=claim.number, action=Claim.graph.arrow(said["decision"]).label))
    return 302, ""


def _review_context(request: HttpRequest, claim: Claim, form: DecisionForm, refused: str) -> dict[str, Any]:
    by = actor(request)
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    schedule = schedule_of(claim.terms)
    offers, hindrance = _offers(claim, by, form)
    return desk_context(
        request,
        trail=[list_of(Claim)],
        title=gettext("申领 {number}").format(number=claim.number),
        claim=claim,
        state_words=standing_words(claim.state),
        tone=tone_of(claim),
        refused=refused,
        papers=_papers(claim, schedule, language),
        **_stays(claim, schedule.day_count),
        waiting=cover_waits(claim.enrolment, schedule).in_language(language),
        wants_code=claim.state == "submitted" and not claim.diagnosis_code and _once_per_disease(schedule, claim.event),
        kind=kind.in_language(language) if (kind := dict(kinds_to_tell(schedule)).get(claim.event_kind)) else "",
        declared=[(name.in_language(language), figure.in_language(language)) for name, figure in _declared(claim, schedule)],
        benefit_class=_class_of(claim, schedule, language),
        exclusions=[one.name.in_language(language) for one in schedule.exclusions if one.circumstance in claim.circumstances],
        clauses=sorted({item.clause for item in schedule.items}),
        may_settle=claim.state == "submitted" and may(by, "claims.review", claim.office_id),
        may_pass_by=_may_pass_by(claim, by),
        reason=reason_words(claim.reason_code),
        standing_links=links_of(claim, by),
        hindrance=hindrance,
        history=told_history(claim),
        **_people(claim),
        elsewhere=claims_elsewhere(claim, by.office_ids),
        may_hold=may(actor(request), "claims.hold_payment", claim.office_id),
        **_statement(claim, language),
        **_beside(claim, by),
        **_offered(claim, offers),
    )


def _declared(claim: Claim, schedule: Schedule) -> list[tuple[Words, Words]]:
    return declared_words(schedule.asks_for(claim.event), claim.declared)


def _class_of(claim: Claim, schedule: Schedule, language: str) -> str:
    """The class of benefit that was told, in the plan's words."""
    words = dict(needs_of(schedule, claim.event).classes).get(claim.diagnosis_class)
    return (words.in_language(language) or str(LISTED)) if words else ""


def _may_pass_by(claim: Claim, by: Actor) -> bool:
    """May this person take it past the unit: nobody does whose claim it is in any way."""
    took_part = by.user_id in (claim.filed_by_id, claim.filed_before_by_id, claim.submitted_by_id)
    return claim.state == "unit_review" and may(by, "claims.review", claim.office_id) and not took_part


def _people(claim: Claim) -> dict[str, Any]:
    numbers = masked_numbers([claim.member_id, claim.claimant_id])
    return {
        "filer": filer_words(claim),
        "numbers": numbers.get(claim.member_id),
        "claimant_numbers": numbers.get(claim.claimant_id),
        "cover_last": claim.enrolment.last_day,
        "other_aid": "" if claim.other_aid_fen is None else format_yuan(claim.other_aid_fen),
        "granted_beside": _granted_beside(claim),
        "earlier": [(one, standing_words(one.state), format_yuan(one.approved_fen or 0)) for one in earlier_claims(claim)],
    }


def _granted_beside(claim: Claim) -> str:
    """Of relief whose plan takes other aid off: what was granted for the same event, or that it is not decided yet."""
    beside = beside_of([claim]).get(claim.pk) if nets_aid(claim) else None
    if beside is None or not (beside.paid or beside.undecided):
        return ""
    if beside.undecided:
        return _("申领 {number} 还没有核定，要等它有结果").format(number=beside.undecided)
    return _("{amount} 元，计算时自动扣减").format(amount=format_yuan(fen_from_yuan(beside.paid)))


def _papers(claim: Claim, schedule: Schedule, language: str) -> list[tuple[ClaimDocument, Any, str]]:
    """(paper, its name in the plan, address)"""
    kinds = {paper.code: paper.name.in_language(language) for paper in (*schedule.documents, AUTHORISATION, *OF_HEIRS)}
    return [
        (paper, kinds.get(paper.kind) or _("其他材料"), reverse("admin:claim_document", args=[paper.public_id]))
        for paper in claim.documents.all()
    ]


def _statement(claim: Claim, language: str) -> dict[str, Any]:
    """What the rules gave: item by item, the limits, and the auditor's lines."""
    statement = statement_of(claim)
    found: dict[str, Any] = {"statement": statement, "approved": format_yuan(claim.approved_fen) if claim.approved_fen is not None else ""}
    if statement is None:
        return found
    return found | {
        "items": in_words(statement.assessment, language, with_clauses=True),
        "limits": left_in_words(statement.assessment, schedule_of(claim.terms), language, reader="reviewer"),
        "audit": _audit_lines(statement, claim, language),
        "total": format_yuan(statement.total_fen),
    }


def _audit_lines(statement: BenefitStatement, claim: Claim, language: str) -> list[str]:
    """The statement as the auditor reads it: unrounded figures, limit keys, the terms and their hash."""
    terms = f"{claim.program.code} {claim.terms.version_name}"
    names = limit_names(schedule_of(claim.terms))
    lines = reading.statement(statement.assessment, reader="auditor", names=names, terms=terms, content_hash=statement.content_hash)
    return [line.words.in_language(language) for line in lines]


def _once_per_disease(schedule: Schedule, event: str) -> bool:
    """Does the plan pay for one disease once? Then only a code tells one disease from another later."""
    return any(gate.name == "once_per_disease" for item in schedule.items if event in item.events for gate in item.gates)


def _stays(claim: Claim, day_count: str) -> dict[str, Any]:
    """Every stay in a column of its own, and every number and figure of the sheet that is told for any of them in a row; figures that are
    nothing everywhere are named in one line."""
    stays = list(claim.admissions.all())
    grades = dict(GRADES)
    rows: list[tuple[Any, list[Any]]] = [
        (_("天数"), [stay_days(stay.admitted_on, stay.discharged_on, day_count) for stay in stays]),
        (_("医院等级"), [grades.get(str(stay.hospital_grade)) or _("不清楚") for stay in stays]),
        *((label, numbers) for label, numbers in _numbers(stays) if any(numbers)),
    ]
    nothing = []
    for name in (*FIRST_FIGURES, *(name for name in SETTLEMENT_FIELDS if name not in FIRST_FIGURES)):
        fen = [getattr(stay, f"{name}_fen") for stay in stays]
        label = Admission._meta.get_field(f"{name}_fen").verbose_name
        if any(fen) or name in FIRST_FIGURES:
            rows.append((label, [format_yuan(amount) for amount in fen]))
        else:
            nothing.append(label)
    return {"stays": stays, "figures": rows, "no_figures": nothing}


def _numbers(stays: Sequence[Admission]) -> list[tuple[Any, list[str]]]:
    """The numbers of the sheets as they were told, by which a second use is found: the reviewer holds them against the papers."""
    return [(_("票据号码"), [stay.invoice_number for stay in stays]), (_("结算编号"), [stay.setl_id for stay in stays])]


def _beside(claim: Claim, by: Actor) -> dict[str, Any]:
    """What colleagues left and what the house watches: flags, notes, the time limit, who has the claim."""
    due = due_of(claim, rules()) if claim.state in DECIDABLE else None
    holder = holder_of(claim)
    return {
        "flags": flags_of(claim),
        "may_dismiss": claim.state in DECIDABLE and may(by, "claims.dismiss_flag", claim.office_id),
        "notes": list(claim.notes.select_related("by")),
        "may_note": may(by, "claims.note", claim.office_id),
        "due": due,
        "late": due is not None and due < today(),
        "holder": holder if holder and holder.pk != by.user_id else None,
        **_queue(claim, by),
    }


def _queue(claim: Claim, by: Actor) -> dict[str, Any]:
    """Whether this person has a queue, and how many wait in the first that is not empty (counted up to a hundred)."""
    mine = list(queues_of(by))
    counts = (theirs(waiting, by).exclude(pk=claim.pk).values("pk")[:100].count() for waiting in mine)
    return {"has_queue": bool(mine), "following": next(filter(None, counts), 0)}


def _offers(claim: Claim, by: Actor, form: DecisionForm) -> tuple[dict[str, Offer], Any]:
    """The decisions this person may take now, and, when there are none for a reason worth saying, that reason."""
    offers, parted = dict[str, Offer](), False
    for arrow in decisions_from(claim.state):
        if hasattr(adjudication, arrow.action) and may(by, arrow.permission, claim.office_id) and _is_offered(claim, arrow.action):
            if any(getattr(claim, f"{column}_id") == by.user_id for column in arrow.not_by):
                parted = True
                continue
            bound = form.is_bound and form["decision"].value() == arrow.action
            own = form if bound else DecisionForm(arrows=[arrow], reasons=form.reasons)
            own.auto_id = f"{arrow.action}_%s"
            offers[arrow.action] = Offer(arrow, own)
    if by.user_id in (claim.member.user_id, claim.claimant.user_id):
        return {}, _("这是您本人或您家人的申领，要由别人来办。")
    if parted and not offers.keys() - set(ASIDE):
        return offers, _("前一步是您办的，这一步要由另一个人来办。")
    return offers, ""


def _is_offered(claim: Claim, action: str) -> bool:
    """Deciding alone is offered only where the plan has small claims at all, and asking back only what a correction may find; whether
    this is such a claim, the service says."""
    if action == "reclaim":
        return claim.corrects_id is not None
    return action != "settle" or (claim.corrects_id is None and schedule_of(claim.terms).deciding.final_from is not None)


def _offered(claim: Claim, offers: dict[str, Offer]) -> dict[str, Any]:
    """Steps forward, and the two decisions with words for the claimant and the texts these may begin with."""
    return {
        "offers": offers,
        "steps": [offer for action, offer in offers.items() if action not in ASIDE],
        "letters": letters_of(claim.office, claim.event) if "return_for_supplement" in offers else [],
        "rejections": [(one, one.said("title"), one.said("text")) for one in offers["reject"].form.reasons] if "reject" in offers else [],
    }


@require_GET
def document(request: HttpRequest, public_id: Any) -> HttpResponse:
    """A paper of a claim of one's office."""
    paper = get_object_or_404(ClaimDocument.objects.exclude(claim__state="draft"), public_id=public_id)
    with paper.file.open() as stored:
        return send(stored.read(), content_type=paper.content_type, file_name=paper.file_name)
