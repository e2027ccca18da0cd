"""What a person was granted before, as a later case asks about it: the same for real decisions and for a rehearsal."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from programs.rules.facts import ZERO, Disease, PriorUse

CONDITIONS = ("diagnosis", "surgery")  # events of which it is asked for which disease they were granted


@dataclass(frozen=True, slots=True)
class Granted:
    """One decision that gave something. `cover`: under which enrolment; `stays`: how many counted; `paid`: yuan by item, no zeros."""

    cover: int
    event: str
    disease: Disease
    stays: int
    paid: Mapping[str, Decimal]


def prior_to(*, cover: int, told: Disease, granted: Collection[Granted], used: Mapping[str, Decimal]) -> PriorUse:
    """What an assessment has to know of the decisions before it. `used`: what stands under each limit. Admissions to hospital alone go
    on counting, under the same cover; outpatient bills and stays for a diagnosis are none. A disease counts whatever the cover."""
    diseases = [one for one in granted if one.event in CONDITIONS]
    return PriorUse(
        used=used,
        paid_items=_added_up(one.paid for one in diseases if told.is_same(one.disease)),
        admissions=sum(one.stays for one in granted if one.event == "admission" and one.cover == cover),
        diseases=frozenset(one.disease for one in diseases if one.disease.key),
    )


def _added_up(paid: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """What these decisions paid, by item: a re-classification pays the difference only."""
    found: dict[str, Decimal] = {}
    for items in paid:
        for code, amount in items.items():
            found[code] = found.get(code, ZERO) + amount
    return found
