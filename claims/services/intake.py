"""Applying for benefit (申领): a draft that can be left and taken up again, its papers, and sending it in."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.facts import case_facts
from claims.models import Admission, Claim, ClaimDocument
from claims.services.adjudication import preview
from members.models import BankCard, Consent, Enrolment, Member
from members.services.people import give_consent
from programs.rules.facts import SETTLEMENT_FIELDS, Settlement
from programs.rules.schedule import Document
from programs.selectors import schedule_of
from unionaid.lib.money import yuan_from_fen
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor
from unionaid.web.files import keep
from unionaid.workflow.moves import MoveRefused, move, record

TELLABLE = {
    "event_on", "happened", "hospital", "hospital_grade", "diagnosis", "diagnosis_code", "diagnosis_class",
    "disability_grade", "accident_on", "death_on",
}  # fmt: skip
OPEN = ("draft", "supplement_requested")
MAX_DOCUMENTS = 40
FAULTS = {
    "total": gettext_lazy("医疗费总额应等于基金支付、个人负担与医院负担之和，请对照结算单核对"),
    "personal": gettext_lazy("个人负担应等于个人账户支付与现金支付之和，请对照结算单核对"),
    "own_expense": gettext_lazy("自费金额不能大于个人负担总额，请对照结算单核对"),
}


class ClaimRefused(MoveRefused):
    """The claim cannot go on as it is; the message names the field and the way out."""


def open_claim(*, enrolment: Enrolment, claimant: Member, event: str, by: Actor, on: date) -> Claim:
    """Begin a claim under one enrolment; it keeps the terms of the enrolment's period, whatever comes after."""
    if enrolment.state != "effective":
        raise ClaimRefused(_("这份保障还没有生效（互助费还没有确认到账），到账后才能申领。"))
    if event not in schedule_of(enrolment.terms).events:
        raise ClaimRefused(_("“{program}”不包括这种情况，请选择其他保障。").format(program=enrolment.program.name))
    claim = Claim.objects.create(
        number=f"SL{on:%y%m}{get_random_string(7, '0123456789')}",
        office_id=enrolment.office_id,
        member_id=enrolment.member_id,
        claimant=claimant,
        unit_id=enrolment.unit_id,
        enrolment=enrolment,
        program_id=enrolment.program_id,
        terms_id=enrolment.terms_id,
        event=event,
    )
    give_consent(claimant, Consent.Purpose.MEDICAL, by=by)
    record([claim], "open", by=by)
    return claim


def tell(claim: Claim, facts: Mapping[str, Any], *, by: Actor, on: date) -> Claim:
    """Write down what the claimant tells; only while the claim is open. Days in the future are refused."""
    _must_be_open(claim)
    unknown = set(facts) - TELLABLE
    if unknown:
        raise KeyError(sorted(unknown)[0])
    for name in ("event_on", "accident_on", "death_on"):
        if facts.get(name) and facts[name] > on:
            raise ClaimRefused(_("日期不能在今天之后，请核对。"))
    for name, value in facts.items():
        setattr(claim, name, value)
    claim.save(update_fields=list(facts))
    return claim


def set_stay(claim: Claim, *, admitted_on: date, discharged_on: date, fen: Mapping[str, int], by: Actor, on: date) -> Admission:
    """Write down one stay or outpatient settlement with the settlement's figures in fen; the parts must add up."""
    _must_be_open(claim)
    if discharged_on < admitted_on:
        raise ClaimRefused(_("出院日期不能早于入院日期，请核对。"))
    if discharged_on > on:
        raise ClaimRefused(_("出院日期不能在今天之后；还没有出院的，请出院结算后再申领。"))
    figures = Settlement(**{name: yuan_from_fen(fen.get(name, 0)) for name in SETTLEMENT_FIELDS})
    faults = figures.faults()
    if faults:
        raise ClaimRefused(str(FAULTS[faults[0]]))
    return Admission.objects.create(
        claim=claim,
        admitted_on=admitted_on,
        discharged_on=discharged_on,
        **{f"{name}_fen": fen.get(name, 0) for name in SETTLEMENT_FIELDS},
    )


def add_document(claim: Claim, *, kind: str, upload: CleanUpload, by: Actor) -> ClaimDocument:
    """Keep a clean paper; the same file twice on one claim is said so."""
    _must_be_open(claim)
    if claim.documents.count() >= MAX_DOCUMENTS:
        raise ClaimRefused(_("一次申领最多 {count} 份材料，请删去不需要的。").format(count=MAX_DOCUMENTS))
    try:
        with transaction.atomic():
            return ClaimDocument.objects.create(
                claim=claim,
                kind=kind,
                file=keep(upload),
                file_name=upload.file_name,
                content_type=upload.content_type,
                byte_count=len(upload.content),
                sha256=upload.sha256,
                uploaded_by_id=by.user_id,
            )
    except IntegrityError as error:
        raise ClaimRefused(_("这份材料已经上传过了，不用再传。")) from error


def choose_card(claim: Claim, card: BankCard, *, by: Actor) -> Claim:
    """The account the benefit goes to: the claimant's own."""
    _must_be_open(claim)
    if card.member_id != claim.claimant_id:
        raise ClaimRefused(_("收款账户要是申领人本人的。"))
    claim.card = card
    claim.save(update_fields=["card"])
    give_consent(claim.claimant, Consent.Purpose.BANK, by=by)
    return claim


def missing_documents(claim: Claim) -> list[Document]:
    """The required papers that are not there yet."""
    there = set(claim.documents.values_list("kind", flat=True))
    wanted = schedule_of(claim.terms).documents_for(claim.event)
    return [document for document in wanted if document.required and document.code not in there]


def submit(claim: Claim, *, by: Actor, on: date) -> Claim:
    """Send the claim in: everything the plan needs must be there, and the event inside the cover. The rules' answer is computed
    and kept with it, so that the reviewer sees it at once."""
    _check_complete(claim, on)
    move([claim], "submit", by=by)
    preview(claim)
    return claim


def supplement(claim: Claim, *, by: Actor, on: date) -> Claim:
    """The claimant added what was missing."""
    _check_complete(claim, on)
    move([claim], "supplement", by=by, changes={"message": ""})
    preview(claim)
    return claim


def withdraw(claim: Claim, *, by: Actor) -> Claim:
    """Take the claim back before it is decided."""
    return move([claim], "withdraw", by=by)[0]


def _check_complete(claim: Claim, on: date) -> None:
    missing = missing_documents(claim)
    if missing:
        raise ClaimRefused(_("您还差：{papers}。请拍照上传。").format(papers="、".join(d.name.zh for d in missing)))
    if claim.card_id is None:
        raise ClaimRefused(_("请填写收款银行账户。"))
    if claim.event in ("admission", "outpatient") and not claim.admissions.exists():
        raise ClaimRefused(_("请填写结算单上的费用。"))
    try:
        event_on = case_facts(claim).event_on
    except ValueError:
        raise ClaimRefused(_("请填写事情发生的日期。")) from None
    cover = claim.enrolment.cover
    if not cover.lower <= event_on < cover.upper:
        raise ClaimRefused(
            _("事情发生在 {day}，不在这份保障的保障期内，请选择当时有效的保障。").format(day=f"{event_on:%Y-%m-%d}")
        )
    if event_on > on:
        raise ClaimRefused(_("日期不能在今天之后，请核对。"))


def _must_be_open(claim: Claim) -> None:
    if claim.state not in OPEN:
        raise ClaimRefused(_("申领已经提交，现在不能修改；需要更正请联系办事处。"))


