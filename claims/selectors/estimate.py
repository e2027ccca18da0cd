"""What the rules would give for a claim as it is filled in now: an estimate for the claimant, kept nowhere, reserving nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from claims.facts import NOTHING, beside_of, prior_use, situation
from claims.models import Claim
from claims.selectors.filing import papers_of_filing
from programs.rules.assess import Assessment, assess
from programs.rules.casefile import Situation
from programs.rules.explain import sentences
from programs.rules.limits import limit_names
from programs.rules.reading import limit_lines
from programs.rules.schedule import Document, Schedule
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.offices.scope import looking_everywhere


@dataclass(frozen=True, slots=True)
class ItemWords:
    """One benefit item of a statement as it is read: its name, its clause, its amount, the steps or the reason against it."""

    name: str
    clause: str
    amount: str
    lines: Sequence[str]
    refused: str


def estimate(claim: Claim, *, on: date, beside: Mapping[str, Decimal] = MappingProxyType({})) -> Assessment | None:
    """The rules' answer as of this day; None while no day of the event is told. `beside`: what the claims that are sent in with
    this one take under each limit they share."""
    try:
        told = situation(claim, prior=prior_use(claim), paid_beside=_paid_beside(claim))
    except ValueError:
        return None
    used = {key: told.prior.used.get(key, Decimal(0)) + beside.get(key, Decimal(0)) for key in {*told.prior.used, *beside}}
    return estimate_of(claim, replace(told, prior=replace(told.prior, used=used)), on=on)


def _paid_beside(claim: Claim) -> Decimal:
    """What was granted for the same event counts against relief; no statement for any other claim."""
    with looking_everywhere(reason="what was granted for one's own event"):
        return beside_of([claim]).get(claim.pk, NOTHING).paid


def estimate_of(claim: Claim, told: Situation, *, on: date) -> Assessment:
    """The same from what was read already; a claim that is not sent in counts as sent in on this day."""
    case = told.case if told.case.claimed_on else replace(told.case, claimed_on=on)
    return assess(schedule_of(claim.terms), person=told.person, cover=told.cover, case=case, prior=told.prior)


def estimates(claims: Sequence[Claim], *, on: date) -> list[Assessment | None]:
    """`estimate` of each, in order: under one cover what the first takes is no longer there for the second."""
    taken: dict[int, dict[str, Decimal]] = {}
    found = list[Assessment | None]()
    for claim in claims:
        beside = taken.setdefault(claim.enrolment_id, {})
        one = estimate(claim, on=on, beside=beside)
        for use in one.usage if one else ():
            beside[use.key] = beside.get(use.key, Decimal(0)) + use.taken
        found.append(one)
    return found


def papers_wanted(claim: Claim, *, on: date) -> tuple[Document, ...]:
    """The papers the plan asks for, where that depends on the benefit as estimated now (unknown: all of them); and the claimant's word
    where somebody else fills the claim in."""
    return papers_by(claim, estimate(claim, on=on) if by_benefit(claim) else None)


def by_benefit(claim: Claim) -> bool:
    """Does it depend on the benefit which papers the plan asks for?"""
    return any(paper.from_amount is not None for paper in schedule_of(claim.terms).documents)


def papers_by(claim: Claim, found: Assessment | None) -> tuple[Document, ...]:
    """The same at this benefit."""
    of_plan = schedule_of(claim.terms).documents_for(claim.event, benefit=found.total if found and not found.missing else None)
    return (*of_plan, *papers_of_filing(claim))


def in_words(assessment: Mapping[str, Any], language: str, *, with_clauses: bool = False) -> list[ItemWords]:
    """A stored assessment item by item; for reviewers each step with the clause it rests on."""
    return [_item(item, language, with_clauses) for item in assessment["items"]]


def left_in_words(assessment: Mapping[str, Any], schedule: Schedule, language: str, *, reader: str) -> list[str]:
    """What a stored assessment leaves under each limit of its terms."""
    lines = limit_lines(assessment, reader=reader, names=limit_names(schedule))
    return [line.words.in_language(language) for line in lines]


def _item(item: Mapping[str, Any], language: str, with_clauses: bool) -> ItemWords:
    *steps, _last = sentences(item)
    said = [(line.words.in_language(language), line.clause) for line in steps]
    lines = [f"{words}（{clause}）" if with_clauses and clause != item["clause"] else words for words, clause in said]
    refused = lines.pop() if item["refused"] else ""
    name = item["name"]["en"] if language.startswith("en") else item["name"]["zh"]
    return ItemWords(name, item["clause"], format_yuan(fen_from_yuan(item["amount"])), lines, refused)
