"""What the rules would give for a claim as it is filled in now: an estimate for the claimant, kept nowhere, reserving nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from claims.facts import prior_use, situation
from claims.models import Claim
from programs.rules.assess import Assessment, assess
from programs.rules.explain import reason_words, sentences
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, format_yuan


@dataclass(frozen=True, slots=True)
class ItemWords:
    """One benefit item of a statement as it is read: its name, its clause, its amount, the steps or the reason against it."""

    name: str
    clause: str
    amount: str
    lines: Sequence[str]
    refused: str


def estimate(claim: Claim, *, on: date) -> Assessment | None:
    """The rules' answer as of this day; None while no day of the event is told."""
    try:
        told = situation(claim, prior=prior_use(claim))
    except ValueError:
        return None
    case = told.case if told.case.claimed_on else replace(told.case, claimed_on=on)
    return assess(schedule_of(claim.terms), person=told.person, cover=told.cover, case=case, prior=told.prior)


def in_words(assessment: Mapping[str, Any], language: str) -> list[ItemWords]:
    """A stored assessment item by item."""
    return [_item(item, language) for item in assessment["items"]]


def _item(item: Mapping[str, Any], language: str) -> ItemWords:
    refused, lines = "", [line.words.in_language(language) for line in sentences(item)[:-1]]
    if item["refused"]:
        refused = reason_words(item["refused"]["code"], item["refused"]["inputs"]).in_language(language)
        lines = [line for line in lines if line != refused]
    name = item["name"]["en"] if language.startswith("en") else item["name"]["zh"]
    return ItemWords(name, item["clause"], format_yuan(fen_from_yuan(item["amount"])), lines, refused)
