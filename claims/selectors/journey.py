"""Where a claim that is being filled in stands: its steps, which are done, what is still missing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import prefetch_related_objects
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from claims.models import Admission, Claim, ClaimDocument
from claims.selectors.claims import open_together
from claims.selectors.estimate import papers_wanted
from claims.selectors.filing import papers_of_filing
from claims.selectors.needs import Needs, all_needs, needs_of
from programs.rules.facts import ACCIDENTS, HARDSHIP
from programs.rules.schedule import Document
from programs.selectors import schedule_of
from unionaid.lib.calendar import today

TOLD = (*ACCIDENTS, "disease_death", HARDSHIP)  # what has a page of its own for how it came
NOT_MEDICAL = ("accident_death", HARDSHIP)  # nobody is asked for hospital and diagnosis
TITLES: dict[str, str | Promise] = {
    "what": _("事情的经过"),
    "medical": _("医院和诊断"),
    "stays": _("住院和费用"),
    "documents": _("拍照上传材料"),
    "account": _("收款账户"),
    "check": _("核对并提交"),
}
OWN_TITLES: dict[str, dict[str, str | Promise]] = {"outpatient": {"stays": _("门诊费用")}, HARDSHIP: {"what": _("困难情况")}}


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form."""

    name: str
    title: str | Promise
    done: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One claim of those that are filled in together, with what its plan asks for."""

    claim: Claim
    needs: Needs
    wanted: tuple[Document, ...]
    missing: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim and those filled in with it for the same event: what they hold and what they need, each thing once. `stays` are the
    rows of the first claim that has them, `papers` the first row of each paper."""

    claim: Claim
    parts: tuple[Part, ...]
    needs: Needs
    stays: list[Admission]
    papers: list[ClaimDocument]
    wanted: tuple[Document, ...]
    steps: tuple[Step, ...]

    @property
    def claims(self) -> list[Claim]:
        return [part.claim for part in self.parts]

    @property
    def events(self) -> list[str]:
        """The kinds of event they are claimed for, each once."""
        return list(dict.fromkeys(claim.event for claim in self.claims))

    @property
    def is_accident(self) -> bool:
        """Is one of them claimed for an accident, whose day is told with it?"""
        return any(claim.event in ACCIDENTS for claim in self.claims)

    @property
    def with_stays(self) -> list[Claim]:
        """Those whose plan looks at the stays and their figures."""
        return [part.claim for part in self.parts if part.needs.stays]

    def taking(self, kind: str) -> list[Claim]:
        """Those that a paper of this kind is for; all, when no plan names it."""
        named = [part.claim for part in self.parts if kind in {paper.code for paper in _all_papers(part.claim)}]
        return named or self.claims

    @property
    def missing(self) -> list[Document]:
        return _once(document for part in self.parts for document in part.missing)

    @property
    def next_step(self) -> str:
        """The first page that is not done; the check when all are."""
        return next(step.name for step in self.steps if not step.done)

    def number_of(self, name: str) -> int:
        return next(i for i, step in enumerate(self.steps, start=1) if step.name == name)

    def before(self, name: str) -> str:
        """The page before this one, or empty."""
        place = self.number_of(name)
        return self.steps[place - 2].name if place > 1 else ""

    def after(self, name: str) -> str:
        return self.steps[self.number_of(name)].name


def draft_of(claim: Claim) -> Draft:
    """Reads the claims that are filled in together, their stays and their papers, each once."""
    return _filled_in(claim, open_together(claim))


def lacking(claim: Claim) -> list[str | Promise]:
    """What this draft alone still lacks, in words: pages of the form that are not done, and of the papers which. Empty when it can be
    sent in."""
    draft, language = _filled_in(claim, [claim]), get_language() or ""
    undone = [step for step in draft.steps if not step.done and step.name not in ("documents", "check")]
    words = [word for step in undone for word in (_medical_lacks(draft) if step.name == "medical" else [step.title])]
    return [*words, *(paper.name.in_language(language) for paper in draft.missing)]


def _medical_lacks(draft: Draft) -> list[str | Promise]:
    """The page of hospital and diagnosis asks for other aid as well: where that alone is open, it is named."""
    (part,) = draft.parts
    if part.needs.other_aid and part.claim.other_aid_fen is None:
        told = _medical_is_told(part.claim, replace(part.needs, other_aid=False))
        return [_("其他渠道已给的补助"), *([] if told else [TITLES["medical"]])]
    return [TITLES["medical"]]


def _filled_in(claim: Claim, claims: list[Claim]) -> Draft:
    prefetch_related_objects(claims, "admissions", "documents")
    parts = tuple(map(_part, claims))
    needs = parts[0].needs if len(parts) == 1 else all_needs([part.needs for part in parts])
    parts = tuple(replace(part, needs=replace(part.needs, grades=part.needs.grades and needs.grades)) for part in parts)
    holder = next((part.claim for part in parts if part.needs.stays), claims[0])
    papers = {(paper.kind, paper.sha256): paper for one in reversed(claims) for paper in one.documents.all()}
    events = {one.event for one in claims}
    done = {
        "what": all(_what_is_told(part.claim, part.needs) for part in parts),
        "medical": all(_medical_is_told(part.claim, part.needs) for part in parts),
        "stays": all(_stays_are_told(list(part.claim.admissions.all()), part.needs) for part in parts),
        "documents": not any(part.missing for part in parts),
        "account": all(one.card_id is not None for one in claims),
        "check": False,
    }
    shown = {"what": bool(events & {*TOLD}), "medical": bool(events - {*NOT_MEDICAL}), "stays": bool(needs.stays)}
    titles = TITLES | OWN_TITLES.get(next(iter(events)) if len(events) == 1 else "", {})
    steps = tuple(Step(name, title, done[name]) for name, title in titles.items() if shown.get(name, True))
    return Draft(
        claim=next(one for one in claims if one.pk == claim.pk),
        parts=parts,
        needs=needs,
        stays=list(holder.admissions.all()),
        papers=sorted(papers.values(), key=lambda paper: paper.pk),
        wanted=tuple(_once(document for part in parts for document in part.wanted)),
        steps=steps,
    )


def _part(claim: Claim) -> Part:
    wanted, there = papers_wanted(claim, on=today()), {paper.kind for paper in claim.documents.all()}
    missing = tuple(document for document in wanted if document.required and document.code not in there)
    return Part(claim, needs_of(schedule_of(claim.terms), claim.event), wanted, missing)


def _all_papers(claim: Claim) -> tuple[Document, ...]:
    return (*schedule_of(claim.terms).documents_for(claim.event), *papers_of_filing(claim))


def _once(documents: Iterable[Document]) -> list[Document]:
    """Each kind of paper once; required where one of the plans requires it."""
    found: dict[str, Document] = {}
    for document in documents:
        first = found.setdefault(document.code, document)
        if document.required and not first.required:
            found[document.code] = replace(first, required=True)
    return list(found.values())


def _what_is_told(claim: Claim, needs: Needs) -> bool:
    if claim.event == HARDSHIP:
        return _help_is_told(claim, needs)
    if claim.event == "accident_death" and needs.kinds and not claim.event_kind:
        return False
    if claim.event in ACCIDENTS and not (claim.accident_on and claim.happened):
        return False
    return claim.death_on is not None or claim.event not in ("accident_death", "disease_death")


def _help_is_told(claim: Claim, needs: Needs) -> bool:
    asked = [(needs.classes, claim.diagnosis_class), (needs.kinds, claim.event_kind), (needs.asks, claim.declared)]
    told = all(answer for question, answer in asked if question) and not (needs.other_aid and claim.other_aid_fen is None)
    return told and bool(claim.happened) and claim.event_on is not None


def _stays_are_told(stays: list[Admission], needs: Needs) -> bool:
    """Each with the grade of its hospital, where the plan looks at it."""
    if needs.hospital_grade and any(stay.hospital_grade is None for stay in stays):
        return False
    return bool(stays) or needs.stays != "required"


def _medical_is_told(claim: Claim, needs: Needs) -> bool:
    if claim.event in NOT_MEDICAL:
        return True
    if (needs.classes and not claim.diagnosis_class) or (needs.other_aid and claim.other_aid_fen is None):
        return False
    if needs.kinds and not claim.event_kind:
        return False
    if claim.event == "accident_disability":
        return claim.disability_grade is not None or not needs.grades
    return bool(claim.diagnosis) and (bool(claim.hospital) or claim.event == "disease_death")
