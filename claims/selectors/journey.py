"""Where a claim that is being filled in stands: its steps, which are done, what is still missing."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from claims.models import Admission, Claim, ClaimDocument
from claims.selectors.estimate import papers_wanted
from claims.selectors.needs import Needs, needs_of
from programs.rules.facts import ACCIDENTS
from programs.rules.schedule import Document
from programs.selectors import schedule_of
from unionaid.lib.calendar import today

TOLD = (*ACCIDENTS, "disease_death")
TITLES: dict[str, str | Promise] = {
    "what": _("事情的经过"),
    "medical": _("医院和诊断"),
    "stays": _("住院和费用"),
    "documents": _("拍照上传材料"),
    "account": _("收款账户"),
    "check": _("核对并提交"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form."""

    name: str
    title: str | Promise
    done: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim with what it holds and what it needs."""

    claim: Claim
    needs: Needs
    stays: list[Admission]
    papers: list[ClaimDocument]
    wanted: tuple[Document, ...]
    steps: tuple[Step, ...]

    @property
    def missing(self) -> list[Document]:
        there = {paper.kind for paper in self.papers}
        return [document for document in self.wanted if document.required and document.code not in there]

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
    """Reads the claim's stays and papers once."""
    schedule = schedule_of(claim.terms)
    needs = needs_of(schedule, claim.event)
    stays, papers = list(claim.admissions.all()), list(claim.documents.all())
    wanted = papers_wanted(claim, on=today())
    there = {paper.kind for paper in papers}
    done = {
        "what": _what_is_told(claim, needs),
        "medical": _medical_is_told(claim, needs),
        "stays": _stays_are_told(stays, needs),
        "documents": all(document.code in there for document in wanted if document.required),
        "account": claim.card_id is not None,
        "check": False,
    }
    shown = {"what": claim.event in TOLD, "medical": claim.event != "accident_death", "stays": bool(needs.stays)}
    titles = TITLES | ({"stays": _("门诊费用")} if claim.event == "outpatient" else {})
    steps = tuple(Step(name, title, done[name]) for name, title in titles.items() if shown.get(name, True))
    return Draft(claim, needs, stays, papers, wanted, steps)


def _what_is_told(claim: Claim, needs: Needs) -> bool:
    if claim.event == "accident_death" and needs.kinds and not claim.event_kind:
        return False
    if claim.event in ACCIDENTS and not (claim.accident_on and claim.happened):
        return False
    return claim.death_on is not None or claim.event not in ("accident_death", "disease_death")


def _stays_are_told(stays: list[Admission], needs: Needs) -> bool:
    """Each with the grade of its hospital, where the plan looks at it."""
    if needs.hospital_grade and any(stay.hospital_grade is None for stay in stays):
        return False
    return bool(stays) or needs.stays != "required"


def _medical_is_told(claim: Claim, needs: Needs) -> bool:
    if (needs.classes and not claim.diagnosis_class) or (needs.other_aid and claim.other_aid_fen is None):
        return False
    if needs.kinds and not claim.event_kind:
        return False
    if claim.event == "accident_disability":
        return claim.disability_grade is not None or not needs.grades
    return bool(claim.diagnosis) and (bool(claim.hospital) or claim.event == "disease_death")
