"""What the claimant told, as it is read back to them before it is sent in."""

from dataclasses import replace

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims.forms import FIGURES, GRADES, LISTED, card_words
from claims.models import Admission, Claim
from claims.selectors.journey import NOT_MEDICAL, TOLD, Draft
from claims.views.parts import paper_names, to
from programs.rules.declared import declared_words
from programs.rules.facts import AFTER_ACCIDENT, HARDSHIP
from unionaid.lib.money import format_yuan
from unionaid.web.dates import span

Text = str | Promise
Answer = tuple[Text, Text, str]


def answers_of(request: HttpRequest, draft: Draft) -> list[tuple[Text, list[Answer]]]:
    """Every answer by page, each with the address where it is changed. What several claims were told alike is read back once."""
    told = {"what": _what, "medical": _medical, "stays": _stays, "documents": _documents, "account": _account}
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    sections: list[tuple[Text, list[Answer]]] = [(_("申领"), _claims(draft.claims))]
    for step in draft.steps:
        if step.name in told:
            address = to(request, step.name, draft.claim.public_id) + "?change=1"
            each = [(one.claim, told[step.name](one, address, language)) for one in _heard(draft, step.name)]
            sections.append((step.title, _once(each)))
    return sections


def _heard(draft: Draft, name: str) -> list[Draft]:
    """The draft as each claim was told it, where the page asks each; else as it is for all."""
    deaf = {"what": lambda event: event not in TOLD, "medical": lambda event: event in NOT_MEDICAL}.get(name)
    if deaf is None:
        return [draft]
    return [replace(draft, claim=one.claim, needs=one.needs) for one in draft.parts if not deaf(one.claim.event)]


def _once(each: list[tuple[Claim, list[Answer]]]) -> list[Answer]:
    """The same answer once; where claims differ under one name, each with its plan."""
    if len(each) == 1:
        return each[0][1]
    texts: dict[str, set[str]] = {}
    for _one, answers in each:
        for label, text, _address in answers:
            texts.setdefault(str(label), set()).add(str(text))
    found: dict[tuple[str, str], Answer] = {}
    for claim, answers in each:
        for label, text, address in answers:
            alike = len(texts[str(label)]) == 1
            name: Text = label if alike else _("{label}（{program}）").format(label=label, program=claim.program.title)
            found.setdefault((str(name), str(text)), (name, text, address))
    return list(found.values())


def _claims(claims: list[Claim]) -> list[Answer]:
    """Whom it is for and under what; of several claims each with its number."""
    if len(claims) == 1:
        return _claim(claims[0])
    each: list[Answer] = [
        (_("{program}（{event}）").format(program=one.program.title, event=one.get_event_display()), one.number, "") for one in claims
    ]
    return [(_("为谁申领"), claims[0].member.name, ""), *each]


def _claim(claim: Claim) -> list[Answer]:
    days = span(claim.enrolment.cover.lower, claim.enrolment.last_day)
    return [
        (_("申领编号"), claim.number, ""),
        (_("事由"), claim.get_event_display(), ""),
        (_("为谁申领"), claim.member.name, ""),
        (_("保障"), _("{program}，{days}").format(program=claim.program.title, days=days), ""),
    ]


def _what(draft: Draft, address: str, language: str) -> list[Answer]:
    claim = draft.claim
    if claim.event == HARDSHIP:
        return _help(draft, address, language)
    days = [(_("意外发生的日期"), claim.accident_on), (_("身故日期"), claim.death_on)]
    found: list[Answer] = [(words, date_format(on), address) for words, on in days if on]
    if draft.needs.kinds and claim.event == "accident_death":
        found.append(_kind(draft, address, language))
    found.append((_("经过"), claim.happened, address))
    return found + _circumstances(draft, address, language)


def _circumstances(draft: Draft, address: str, language: str) -> list[Answer]:
    claim, found = draft.claim, list[Answer]()
    if draft.needs.circumstances:
        told = [words.in_language(language) for code, words in draft.needs.circumstances if code in claim.circumstances]
        found.append((_("条款不给付的情况"), _("；").join(told) or _("都没有"), address))
    return found


def _help(draft: Draft, address: str, language: str) -> list[Answer]:
    claim, needs = draft.claim, draft.needs
    found: list[Answer] = [(_("哪一天的情况"), date_format(claim.event_on) if claim.event_on else "", address)]
    if needs.kinds:
        found.append(_kind(draft, address, language))
    if needs.classes:
        found.append(_class(draft, address, language))
    said = [(name.in_language(language), figure.in_language(language)) for name, figure in declared_words(needs.asks, claim.declared)]
    found += [(name, figure, address) for name, figure in said]
    if needs.asks and not said:
        found.append((_("申报的数"), "", address))
    if needs.other_aid:
        found.append(_other_aid(claim, address))
    found.append((_("困难和理由"), claim.happened, address))
    return found + _circumstances(draft, address, language)


def _class(draft: Draft, address: str, language: str) -> Answer:
    chosen = dict(draft.needs.classes).get(draft.claim.diagnosis_class)
    return _("属于哪一类"), chosen.in_language(language) or LISTED if chosen else "", address


def _other_aid(claim: Claim, address: str) -> Answer:
    told = claim.other_aid_fen
    return _("其他渠道已给的补助"), "" if told is None else _("{amount} 元").format(amount=format_yuan(told)), address


def _kind(draft: Draft, address: str, language: str) -> Answer:
    kind = dict(draft.needs.kinds).get(draft.claim.event_kind)
    return _("哪一种情况"), kind.in_language(language) if kind else "", address


def _medical(draft: Draft, address: str, language: str) -> list[Answer]:
    claim, needs = draft.claim, draft.needs
    found: list[Answer] = []
    if claim.event in ("diagnosis", "surgery"):
        words = _("手术日期") if claim.event == "surgery" else _("确诊日期")
        found.append((words, date_format(claim.event_on) if claim.event_on else "", address))
    if needs.kinds:
        found.append(_kind(draft, address, language))
    if needs.classes:
        found.append(_class(draft, address, language))
    if needs.grades:
        found.append((_("伤残等级"), _("{grade} 级").format(grade=claim.disability_grade) if claim.disability_grade else "", address))
    found += [(_("医院"), claim.hospital, address), (_("诊断"), claim.diagnosis, address)]
    if claim.diagnosis_code:
        found.append((_("疾病编码"), claim.diagnosis_code, address))
    if claim.event in AFTER_ACCIDENT:
        said = _("是，{day}").format(day=date_format(claim.accident_on)) if claim.accident_on else _("不是")
        found.append((_("是不是意外受伤引起的"), said if claim.diagnosis else "", address))
    if needs.other_aid:
        found.append(_other_aid(claim, address))
    return found


def _stays(draft: Draft, address: str, language: str) -> list[Answer]:
    if not draft.stays:
        return [(_("住院"), "" if draft.needs.stays == "required" else _("没有填写"), address)]
    return [(stay_words(draft.claim, stay), stay_figures(stay), address) for stay in draft.stays]


def stay_words(claim: Claim, stay: Admission) -> str:
    """The days of a stay, or the day of a bill."""
    if claim.event == "outpatient":
        return date_format(stay.admitted_on)
    return span(stay.admitted_on, stay.discharged_on)


def stay_figures(stay: Admission) -> str:
    """What was told of a stay in one line: grade of the hospital, every figure, the numbers of its sheets."""
    shown = [(label, getattr(stay, f"{name}_fen")) for name, (label, _words) in FIGURES.items()]
    lines = [_("{label} {amount} 元").format(label=label, amount=format_yuan(fen)) for label, fen in shown if fen]
    if stay.hospital_grade:
        lines.insert(0, str(dict(GRADES)[str(stay.hospital_grade)]))
    numbers = [(_("票据号码"), stay.invoice_number), (_("结算编号"), stay.setl_id)]
    lines += [f"{label} {number}" for label, number in numbers if number]
    return _("；").join(lines) or _("没有填金额")


def _documents(draft: Draft, address: str, language: str) -> list[Answer]:
    counted = {document.code: 0 for document in draft.wanted}
    for paper in draft.papers:
        counted[paper.kind] = counted.get(paper.kind, 0) + 1
    names = paper_names(draft, language)
    words = {code: ngettext("{count} 份", "{count} 份", count).format(count=count) if count else "" for code, count in counted.items()}
    return [(names.get(code, _("其他材料")), words[code], f"{address}#paper-{code}") for code in counted]


def _account(draft: Draft, address: str, language: str) -> list[Answer]:
    return [(_("收款账户"), card_words(draft.claim.card) if draft.claim.card else "", address)]
