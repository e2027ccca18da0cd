"""Applying for benefit (申领): a draft that can be left and taken up again, its papers, and sending it in."""

import uuid
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from claims.facts import NOTHING, case_facts, situation
from claims.models import Admission, Appeal, Claim, ClaimDocument
from claims.selectors.estimate import by_benefit, estimate_of, papers_by
from claims.selectors.filing import Filing
from claims.services import unit_review
from claims.services.adjudication import Refusals, accident_after_stays, accident_after_surgery, alone, stood_days
from claims.services.reckoning import WITH_PEOPLE, Read, preview, read
from claims.services.screening import screen
from claims.transitions import DECIDED
from members.models import BankCard, Consent, Enrolment, Member
from members.services.kin import identity_open
from members.services.people import CONSENT_TEXT, add_card, give_consent
from programs.rules.declared import declared_fault
from programs.rules.facts import FUND_PARTS, HARDSHIP, SETTLEMENT_FIELDS, STAY_EVENTS, CaseFacts, Settlement
from programs.rules.schedule import Document
from programs.rules.stays import share_nights, stay_by_stay
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of, now, plus_days
from unionaid.lib.identity import IdentityError, parse_paper_number
from unionaid.lib.money import format_yuan, yuan_from_fen
from unionaid.lib.uploads import CleanUpload
from unionaid.lib.workdays import began
from unionaid.offices.kept import Kept
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import current_scope, everywhere, looking_everywhere
from unionaid.web.files import kept
from unionaid.web.keys import ring
from unionaid.web.prepared import Place
from unionaid.workflow.moves import MoveRefused, Turn, carry_out, move, record, take_up

TELLABLE = {
    "event_on", "event_kind", "happened", "hospital", "diagnosis", "diagnosis_code", "diagnosis_class", "disability_grade",
    "accident_on", "death_on", "other_aid_fen", "circumstances", "declared",
}  # fmt: skip
OPEN = ("draft", "supplement_requested")
_FILED = ("filed_by_id", "filed_before_by_id", "filed_as", "kin_id", "relation", "heir", "agreed_at", "objected_at")
WITHDRAWABLE = ("draft", "unit_review", "submitted", "supplement_requested")
MAX_DOCUMENTS, MAX_STAYS = 40, 20
FAULTS = {
    "total": gettext_lazy("医疗费总额应等于基金支付、个人负担与医院负担之和，请对照结算单核对"),
    "personal": gettext_lazy("个人负担应等于个人账户支付、共济支付与现金支付之和，请对照结算单核对"),
    "own_expense": gettext_lazy("自费金额不能大于个人负担总额，请对照结算单核对"),
    "funds": gettext_lazy("各项基金的支出加起来不能大于基金支付总额，请对照结算单核对"),
}
FAULTY = {"total": "medfee_sumamt", "personal": "psn_part_amt", "own_expense": "fulamt_ownpay_amt", "funds": "fund_pay_sumamt"}
PARTS = {
    "total": ("fund_pay_sumamt", "psn_part_amt", "hosp_part_amt"),
    "personal": ("acct_pay", "acct_mulaid_pay", "psn_cash_pay"),
    "funds": FUND_PARTS,
}


class ClaimRefused(MoveRefused):
    """The claim cannot go on as it is; the message names the field and the way out. `field` is the fact at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def open_claim(
    *, enrolment: Enrolment, claimant: Member, event: str, by: Actor, on: date, occasion: uuid.UUID | None = None,
    filing: Filing | None = None,
) -> Claim:
    """Begin a claim under one enrolment; it keeps the terms of the enrolment's period, whatever comes after. `occasion`: of the
    claims that are begun with it for the same event; without one it is an event of its own. `filing`: who fills it in for the
    claimant, whose consent is then among the papers (`selectors.filing`)."""
    if enrolment.state != "effective":
        raise ClaimRefused(_("这份保障还没有生效（互助费还没有确认到账），到账后才能申领。"))
    if enrolment.relation != Enrolment.Relation.SELF and identity_open([enrolment.member_id]):
        raise ClaimRefused(_("办事处正在核对这位家人的证件，核对好就可以申领。急着办的，请带上证件到办事处。"))
    if event not in schedule_of(enrolment.terms).events:
        raise ClaimRefused(_("“{program}”不包括这种情况，请选择其他保障。").format(program=enrolment.program.title))
    claim = _new_claim(enrolment, claimant, event, on, occasion or uuid.uuid4(), _as_filed(enrolment, filing))
    if filing is None:
        give_consent(claimant, Consent.Purpose.HARDSHIP if event == HARDSHIP else Consent.Purpose.MEDICAL, by=by)
    record([claim], "open", by=by, details={"filed_as": filing.capacity, "relation": filing.relation} if filing else None)
    return claim


def _as_filed(enrolment: Enrolment, filing: Filing | None) -> dict[str, Any]:
    """Who fills it in, as the claim keeps it; relief that a unit's agent files is the unit's to see, though its ground is not."""
    told = filing.columns() if filing else {}
    return told | ({"unit_id": filing.unit_id} if filing and filing.unit_id and enrolment.unit_id is None else {})


def open_following(claim: Claim, ground: Enrolment, *, by: Actor, on: date) -> Claim:
    """Begin, for the same event and by the same people, what follows from a benefit claim by rule: consent and filing are as they were
    told there."""
    filed = {name: getattr(claim, name) for name in _FILED}
    if claim.filed_as == Claim.FiledAs.UNIT_AGENT:
        filed["unit_id"] = claim.unit_id
    made = _new_claim(ground, claim.claimant, claim.event, on, claim.occasion, {**filed, "follows_id": claim.pk})
    record([made], "open", by=by, details={"follows": claim.number})
    return made


def _new_claim(
    enrolment: Enrolment, claimant: Member, event: str, on: date, occasion: uuid.UUID, filed: Mapping[str, Any]
) -> Claim:
    """A row with a number nobody has; numbers are drawn, so a few draws may be needed."""
    for draw in range(5):
        try:
            with transaction.atomic():
                return Claim.objects.create(
                    number=f"SL{on:%y%m}{get_random_string(7, '0123456789')}",
                    office_id=enrolment.office_id,
                    member_id=enrolment.member_id,
                    claimant=claimant,
                    enrolment=enrolment,
                    program_id=enrolment.program_id,
                    terms_id=enrolment.terms_id,
                    event=event,
                    occasion=occasion,
                    fund=schedule_of(enrolment.terms).fund_of(event),
                    **{"unit_id": enrolment.unit_id, **filed},
                )
        except IntegrityError as error:
            if "number" not in str(error) or draw == 4:
                raise
    raise AssertionError("unreachable")


def tell(claim: Claim, facts: Mapping[str, Any], *, by: Actor, on: date) -> Claim:
    """Write down what the claimant tells; only while the claim is open. Days in the future are refused."""
    _must_be_open(claim)
    unknown = set(facts) - TELLABLE
    if unknown:
        raise KeyError(sorted(unknown)[0])
    for name in ("event_on", "accident_on", "death_on"):
        if facts.get(name) and facts[name] > on:
            raise ClaimRefused(_("日期不能在今天之后，请核对。"), name)
    accident_on, death_on = (facts.get(name, getattr(claim, name)) for name in ("accident_on", "death_on"))
    if accident_on and death_on and death_on < accident_on:
        raise ClaimRefused(_("身故日期不能早于意外发生的日期，请核对。"), "death_on")
    if "accident_on" in facts:
        _refuse_accident(claim, facts["accident_on"], list(claim.admissions.all()), told_on=facts.get("event_on", claim.event_on))
    if "declared" in facts and (words := declared_fault(schedule_of(claim.terms).asks_for(claim.event), facts["declared"])):
        raise ClaimRefused(words.in_language(get_language() or ""))
    for name, value in facts.items():
        setattr(claim, name, value)
    claim.save(update_fields=list(facts))
    return claim


def set_stay(
    claim: Claim, *, admitted_on: date, discharged_on: date, fen: Mapping[str, int], by: Actor, on: date,
    papers: Mapping[str, str] | None = None, hospital_grade: int | None = None, stay: Admission | None = None,
) -> Admission:  # fmt: skip
    """Write down one stay or outpatient settlement, or correct `stay`, with the settlement's figures in fen; the parts must add up.
    `papers` are the numbers of settlement and invoice, as they are typed; `hospital_grade` 1 to 3, None when it is not known."""
    _must_be_open(claim)
    _refuse_days(claim, (admitted_on, discharged_on), on, stay)
    _refuse_figures(fen)
    numbers = _numbers(papers or {})
    _refuse_told_twice(claim, numbers, stay)
    row = stay or Admission(claim=claim)
    row.admitted_on, row.discharged_on, row.hospital_grade = admitted_on, discharged_on, hospital_grade
    for name in SETTLEMENT_FIELDS:
        setattr(row, f"{name}_fen", fen.get(name, 0))
    for name in ("setl_id", "invoice_number"):
        setattr(row, name, numbers.get(name, getattr(row, name)))
    row.save()
    _follow_stays(claim)
    return row


def _refuse_accident(claim: Claim, accident_on: date | None, stays: Sequence[Any], *, told_on: date | None) -> None:
    """An accident that came after every stay, or after the operation, caused none of them."""
    if accident_after_surgery(accident_on, claim.event, told_on):
        raise ClaimRefused(_("意外发生的日期不能晚于手术日期，请核对。"), "accident_on")
    if accident_after_stays(accident_on, claim.event, stays):
        raise ClaimRefused(_("意外发生的日期不能晚于入院日期，请核对。"), "accident_on")


def remove_stay(claim: Claim, stay: Admission, *, by: Actor) -> None:
    """Take back a stay that was written down by mistake."""
    _must_be_open(claim)
    stay.delete()
    _follow_stays(claim)


def _numbers(papers: Mapping[str, str]) -> dict[str, str]:
    """The numbers of settlement and invoice in their one form; the field of one that is no number is named."""
    found = dict[str, str]()
    for name, typed in papers.items():
        try:
            found[name] = parse_paper_number(typed)
        except IdentityError as error:
            raise ClaimRefused(_(error.message), name) from error
    return found


def _refuse_days(claim: Claim, days: tuple[date, date], on: date, stay: Admission | None) -> None:
    admitted_on, discharged_on = days
    if discharged_on < admitted_on:
        raise ClaimRefused(_("出院日期不能早于入院日期，请核对。"), "discharged_on")
    if discharged_on > on:
        raise ClaimRefused(_("出院日期不能在今天之后；还没有出院的，请出院结算后再申领。"), "discharged_on")
    rows = claim.admissions.exclude(pk=stay.pk) if stay else claim.admissions.all()
    others = list(rows.values_list("admitted_on", "discharged_on"))
    if claim.event == "admission":
        _refuse_shared_nights(days, others)
    if stay is None and len(others) >= MAX_STAYS:
        raise ClaimRefused(_("一次申领最多填 {count} 次住院，其余的请另外申领。").format(count=MAX_STAYS))


def _refuse_shared_nights(days: tuple[date, date], others: Sequence[tuple[date, date]]) -> None:
    """Nobody lies in two hospitals in one night; between claims the look for what is doubtful tells."""
    if days in others:
        raise ClaimRefused(_("这次住院已经填过了，不用再填；要改数字请点那次住院旁边的“修改”。"), "admitted_on")
    for other in others:
        if share_nights(days, other):
            words = _(
                "这次住院和已经填的{first}至{last}那次有重叠的夜晚，同一晚不能住两家医院，请对照出院记录核对。"
                "中途转院的，后一次的入院日期就是前一次的出院日期。"
            )
            raise ClaimRefused(words.format(first=date_format(other[0]), last=date_format(other[1])), "admitted_on")


def _refuse_told_twice(claim: Claim, papers: Mapping[str, str], stay: Admission | None) -> None:
    """One settlement counts once in a claim; between claims the look for what is doubtful tells (`claims.selectors.suspicions`)."""
    others = claim.admissions.exclude(pk=stay.pk) if stay else claim.admissions.all()
    for name, number in papers.items():
        if number and others.filter(**{name: number}).exists():
            raise ClaimRefused(_("这个号码已经填在另一次费用里了，同一张结算单或票据只算一次，请核对。"), name)


def _refuse_figures(fen: Mapping[str, int]) -> None:
    """The sums of the sheet. Account and cash are held against the personal part only when one of them was told."""
    figures = Settlement(**{name: yuan_from_fen(fen.get(name, 0)) for name in SETTLEMENT_FIELDS})
    told_personal = any(fen.get(name) is not None for name in PARTS["personal"])
    faults = [fault for fault in figures.faults() if fault != "personal" or told_personal]
    if faults and faults[0] != "funds":
        raise ClaimRefused(f"{FAULTS[faults[0]]}{_difference(faults[0], fen)}", FAULTY[faults[0]])
    for name, amount in fen.items():
        if amount > fen.get("medfee_sumamt", 0):
            raise ClaimRefused(_("这一项不能大于医疗费总额，请对照结算单核对"), name)
    if faults:
        raise ClaimRefused(f"{FAULTS['funds']}{_difference('funds', fen)}", FAULTY["funds"])


def _difference(fault: str, fen: Mapping[str, int]) -> str:
    """By how much the sums differ: it often shows the slip at once."""
    parts = PARTS.get(fault)
    if parts is None:
        return ""
    whole, added = fen.get(FAULTY[fault], 0), sum(fen.get(part, 0) for part in parts)
    return _("（您填的是 {whole} 元，几项相加是 {added} 元，相差 {off} 元）").format(
        whole=format_yuan(whole), added=format_yuan(added), off=format_yuan(abs(whole - added))
    )


def _follow_stays(claim: Claim) -> None:
    """The day of a claim for stays is the first admission."""
    if claim.event not in STAY_EVENTS:
        return
    first = claim.admissions.order_by("admitted_on").values_list("admitted_on", flat=True).first()
    if first and first != claim.event_on:
        claim.event_on = first
        claim.save(update_fields=["event_on"])


def add_documents(claim: Claim, *, kind: str, uploads: Sequence[CleanUpload], by: Actor) -> list[ClaimDocument]:
    """Keep several clean papers, or none: a paper that is there already is named."""
    _must_be_open(claim)
    _refuse_papers(claim, [(upload.file_name, upload.sha256) for upload in uploads])
    with transaction.atomic():
        return [add_document(claim, kind=kind, upload=upload, by=by) for upload in uploads]


def share_documents(claim: Claim, papers: Sequence[ClaimDocument]) -> None:
    """The papers of another claim of the same event belong to this one too: kept once, named twice."""
    _must_be_open(claim)
    _refuse_papers(claim, [(paper.file_name, paper.sha256) for paper in papers])
    names = ("kind", "file", "file_name", "content_type", "sha256", "byte_count", "uploaded_by_id")
    ClaimDocument.objects.bulk_create(
        [ClaimDocument(claim=claim, **{name: getattr(paper, name) for name in names}) for paper in papers]
    )


def _refuse_papers(claim: Claim, papers: Sequence[tuple[str, str]]) -> None:
    there = set(claim.documents.values_list("sha256", flat=True))
    for file_name, sha256 in papers:
        if sha256 in there:
            raise ClaimRefused(_("“{name}”已经上传过了，不用再传。").format(name=file_name), "files")
        there.add(sha256)
    if len(there) > MAX_DOCUMENTS:
        raise ClaimRefused(_("一次申领最多 {count} 份材料，请删去不需要的。").format(count=MAX_DOCUMENTS), "files")


def remove_document(claim: Claim, paper: ClaimDocument, *, by: Actor) -> None:
    """Take back a paper that nobody has looked at yet; what was sent in before a supplement was asked for stays."""
    _must_be_open(claim)
    if paper.pk in kept_documents(claim):
        raise ClaimRefused(_("这份材料审核人员已经看过，不能删除；可以再补充新的。"))
    store, name = paper.file.storage, paper.file.name
    paper.delete()
    with looking_everywhere(reason="whether another claim, whoever may see it, has the same file"):
        is_shared = ClaimDocument.objects.filter(sha256=paper.sha256, file=name).exists()
    if not is_shared:  # a paper of several claims is kept once
        transaction.on_commit(lambda: store.delete(name))


def kept_documents(claim: Claim) -> frozenset[int]:
    """The papers that were sent in already and so are no longer the claimant's to remove."""
    if claim.state == "draft":
        return frozenset()
    rows = claim.documents.all()
    back = claim.reviews.filter(decision__in=["return_for_supplement", "unit_return"]).order_by("-id").first()
    return frozenset((rows.filter(uploaded_at__lte=back.at) if back else rows).values_list("pk", flat=True))


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
                byte_count=len(upload.content),
                uploaded_by_id=by.user_id,
                **kept(upload),
            )
    except IntegrityError as error:
        raise ClaimRefused(_("这份材料已经上传过了，不用再传。")) from error


def choose_card(claim: Claim, card: BankCard, *, by: Actor) -> Claim:
    """The account the benefit goes to: the claimant's own. Where somebody else tells it, the claimant's consent is the paper."""
    _must_be_open(claim)
    if card.member_id != claim.claimant_id:
        raise ClaimRefused(_("收款账户要是申领人本人的。"))
    claim.card = card
    claim.save(update_fields=["card"])
    if by.member_id == claim.claimant_id:
        give_consent(claim.claimant, Consent.Purpose.BANK, by=by)
    return claim


def own_account(claimant: Member, *, bank_name: str, number: str, by: Actor) -> BankCard:
    """The claimant's account with this number: the one that is kept already, or a new one in the claimant's own name; whoever tells it
    for them sees no other."""
    if by.member_id != claimant.pk:
        with everywhere(reason="the account of whom one files for"):
            return _account(claimant, bank_name, number, by)
    return _account(claimant, bank_name, number, by)


def _account(claimant: Member, bank_name: str, number: str, by: Actor) -> BankCard:
    kept = claimant.cards.filter(number_hash=ring().blind("bank_card", number), retired_at=None).first()
    if kept and kept.bank_name == bank_name:
        return kept
    return add_card(claimant, owner_name=claimant.name, bank_name=bank_name, number=number, by=by)


def submit(claim: Claim, *, by: Actor, on: date) -> Claim:
    """Send the claim in: everything the plan needs must be there, and the event inside the cover. It goes to the office, or first to
    the unit's agent where the plan wants it so. The rules' answer is computed and kept with it, so that the reviewer sees it at once."""
    return alone(claim, submit_each([claim], by=by, on=on))


def submit_each(claims: Sequence[Claim], *, by: Actor, on: date) -> Refusals:
    """Send each of these claims in; one that cannot go is refused and stops none of the others."""
    turn, known = _complete(claims, "submit", by=by, on=on)
    first, due = unit_review.go_first(turn.going, by=by, on=on), unit_review.due_on(on)
    told = {"declaration": CONSENT_TEXT}
    carry_out(turn, details=told, each={claim.pk: {} for claim in turn.going if claim.pk not in first})
    carry_out(turn, "submit_to_unit", details=told, each={pk: {"unit_due_on": due} for pk in first})
    return _sent_in(turn, known)


def submit_by_rule(claim: Claim, *, on: date) -> Claim:
    """Send in what a rule opened, in the rule's own name: nobody declares anything, what was told and proved for the benefit stands. It
    meets the same checks as what a person sends in."""
    turn, known = _complete([claim], "submit_by_rule", by=SYSTEM, on=on)
    alone(claim, turn.refused)
    told = {"follows": claim.follows_id}
    if unit_review.go_first(turn.going, by=SYSTEM, on=on):
        carry_out(turn, "submit_by_rule_to_unit", details=told, changes={"unit_due_on": unit_review.due_on(on)})
    else:
        carry_out(turn, details=told)
    _sent_in(turn, known)
    return claim


def supplement(claim: Claim, *, by: Actor, on: date) -> Claim:
    """The claimant added what was missing; from now on the time counts again."""
    turn, known = _complete([claim], "supplement", by=by, on=on)
    alone(claim, turn.refused)
    row = turn.going[0]
    changes = {"message": "", "stood_days": stood_days(row, now()), "stopped_at": None, **_clock_goes_on(row)}
    if unit_review.go_first([row], by=by, on=on):
        carry_out(turn, "supplement_to_unit", changes={**changes, "unit_due_on": unit_review.due_on(on, used=row.step_days)})
    else:
        carry_out(turn, changes=changes)
    _sent_in(turn, known)
    return claim


def _sent_in(turn: Turn[Claim], known: Read) -> Refusals:
    """What the rules give is kept with each claim that went, and what calls for a second look is looked for."""
    preview(turn.going, known)
    screen(turn.going)
    return turn.refused


def _clock_goes_on(claim: Claim) -> dict[str, Any]:
    """The time that the step had used before the claimant was asked stays used; what they took does not count. So the claim takes its
    old place in the queue again; that it has arrived is told all the same, though the step seems older than what was told last."""
    moment = now()
    first = began(day_of(moment), claim.step_days)
    return {"since": moment - (day_of(moment) - first), "step_days": 0, "told_since": None}


def may_be_withdrawn(claim: Claim) -> bool:
    """Is it still open, and the claimant's to take back? What the office begins against a decision that stands is not, or nobody would
    have to give back what was paid too much; an appeal is. One statement for a correction."""
    if claim.state not in WITHDRAWABLE or claim.corrects is None or claim.corrects.state not in DECIDED:
        return claim.state in WITHDRAWABLE
    return Appeal.objects.filter(outcome=claim).exists()


def withdraw(claim: Claim, *, by: Actor) -> Claim:
    """Take the claim back before it is decided."""
    if claim.state in WITHDRAWABLE and not may_be_withdrawn(claim):
        raise ClaimRefused(_("这一份是办事处对已有决定的重新核定，不能撤回。对结果不同意的，决定以后可以申诉。"))
    return move([claim], "withdraw", by=by)[0]


def _complete(claims: Sequence[Claim], action: str, *, by: Actor, on: date) -> tuple[Turn[Claim], Read]:
    """The claims locked for `action`, those refused whose cover does not stand or that want something the plan needs. Nothing is
    written to a claim from another window meanwhile, and whoever voids the enrolment waits here, or was before us."""
    scope = current_scope()  # of whoever sends them in
    with looking_everywhere(reason="the covers of one's own claims, and what was granted before"):
        _COVERS.ask(covers=sorted({claim.enrolment_id for claim in claims}))
        turn = take_up(claims, action, by=by, reading=WITH_PEOPLE, scope=scope)
        going = turn.going
        known, kinds = read(going), _kinds_of(going)
    for claim in going:
        try:
            _check_complete(claim, known, kinds.get(claim.pk, set()), on)
        except ClaimRefused as no:
            turn.refused[claim.pk] = no
    return turn, known


_COVERS: Kept[int] = Kept(
    lambda: (
        Enrolment.objects.filter(pk__among=Place("covers")).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    )
)
_KINDS: Kept[tuple[int, str]] = Kept(
    lambda: ClaimDocument.objects.filter(claim__among=Place("claims")).order_by().values_list("claim_id", "kind")
)


def _kinds_of(claims: Sequence[Claim]) -> Mapping[int, set[str]]:
    """The kinds of paper that are there. One statement."""
    found: dict[int, set[str]] = {}
    for pk, kind in _KINDS.ask(claims=[claim.pk for claim in claims]):
        found.setdefault(pk, set()).add(kind)
    return found


def _check_complete(claim: Claim, known: Read, kinds: Set[str], on: date) -> None:
    """ClaimRefused when something that the plan needs is not there, or cannot be so."""
    if claim.enrolment.state != "effective":
        words = _("这份保障现在是“{state}”，不能申领。有疑问请联系办事处。")
        raise ClaimRefused(words.format(state=claim.enrolment.state_label))
    stays = known.stays.get(claim.pk, ())
    if missing := [paper for paper in _papers(claim, known, on) if paper.required and paper.code not in kinds]:
        names = [document.name.in_language(get_language() or "") for document in missing]
        raise ClaimRefused(_("您还差：{papers}。请拍照上传。").format(papers=_("、").join(names)))
    if claim.card_id is None:
        raise ClaimRefused(_("请填写收款银行账户。"))
    if claim.event in STAY_EVENTS and not stays:
        raise ClaimRefused(_("请填写结算单上的费用。"))
    try:
        case = case_facts(claim, stays)
    except ValueError:
        raise ClaimRefused(_("请填写事情发生的日期。")) from None
    _refuse_accident(claim, claim.accident_on, stays, told_on=claim.event_on)
    _refuse_days_of(claim, case, on)


def _papers(claim: Claim, known: Read, on: date) -> tuple[Document, ...]:
    """The papers the plan asks for; where that depends on the benefit, as the rules give it now."""
    found = None
    if by_benefit(claim):
        with suppress(ValueError):  # no day is told: which papers it will be is not known
            stays, paid = known.stays.get(claim.pk, ()), known.beside.get(claim.pk, NOTHING).paid
            found = estimate_of(claim, situation(claim, prior=known.prior(claim), stays=stays, paid_beside=paid), on=on)
    return papers_by(claim, found)


def _refuse_days_of(claim: Claim, case: CaseFacts, on: date) -> None:
    """The event must lie in this cover, and not ahead."""
    cover = claim.enrolment.cover
    if (len(case.stays) < 2 or claim.accident_on) and not cover.lower <= case.event_on < cover.upper:
        raise ClaimRefused(
            _("事情发生在 {day}，不在这份保障的保障期内，请选择当时有效的保障。").format(day=date_format(case.event_on))
        )
    if case.event_on > on:
        raise ClaimRefused(_("日期不能在今天之后，请核对。"))
    _refuse_stays_outside(claim, case)


def _refuse_stays_outside(claim: Claim, case: CaseFacts) -> None:
    """Every stay must lie in this cover: one that does not would stand in the claim unpaid."""
    cover = claim.enrolment.cover
    for part in stay_by_stay(case):
        if claim.event in STAY_EVENTS and not cover.lower <= part.event_on < cover.upper:
            raise ClaimRefused(
                _(
                    "{day}的这一次不在这份保障的保障期内（{first}至{last}），不能和其他几次一起申领。"
                    "请在这份申领里删去它；那天另有保障的，请用那份保障另外申领一次。"
                ).format(
                    day=date_format(part.stays[0].admitted_on),
                    first=date_format(cover.lower),
                    last=date_format(plus_days(cover.upper, -1)),
                ),
                "admitted_on",
            )


def _must_be_open(claim: Claim) -> None:
    if _locked_state(claim) not in OPEN:
        raise ClaimRefused(_("申领已经提交，现在不能修改；需要更正请联系办事处。"))


def _locked_state(claim: Claim) -> str:
    """The state now, with the row locked: nothing is written to a claim while it is being sent in from another window."""
    return Claim.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=claim.pk)
