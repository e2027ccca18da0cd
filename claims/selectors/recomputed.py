"""Stored statements computed again: does what was decided still follow from the facts and the terms it was decided by?"""

from collections.abc import Iterator
from dataclasses import dataclass

from claims.models import BenefitStatement
from programs.rules.assess import assess
from programs.rules.facts import case_of, cover_of, person_of, prior_of
from programs.rules.schedule import content_hash
from programs.selectors import schedule_of


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a stored statement and its recomputation differ."""

    number: str
    statement_id: int
    what: str
    stored: str
    computed: str


def differences(*, number: str = "", final_only: bool = True) -> Iterator[Difference]:
    """Every difference of the stored statements (those decided by, unless told otherwise), in the order they were made.

    Three things are held against each other: the terms against the hash the statement names, the stored amounts against
    what the rules give for the stored facts now, and the amount on the claim against the statement.
    """
    rows = BenefitStatement.objects.select_related("claim", "terms", "instead_of").order_by("id")
    if final_only:
        rows = rows.filter(is_final=True)
    if number:
        rows = rows.filter(claim__number=number)
    for row in rows.iterator(chunk_size=500):
        yield from _of(row)


def _of(row: BenefitStatement) -> Iterator[Difference]:
    def differ(what: str, stored: object, computed: object) -> Iterator[Difference]:
        if stored != computed:
            yield Difference(row.claim.number, row.pk, what, str(stored), str(computed))

    yield from differ("terms", row.content_hash, content_hash(row.terms.schedule))
    facts = row.facts
    found = assess(
        schedule_of(row.terms),
        person=person_of(facts["person"]),
        cover=cover_of(facts["cover"]),
        case=case_of(facts["case"]),
        prior=prior_of(facts.get("prior", {})),
    ).as_data()
    yield from differ("total", row.assessment["total"], found["total"])
    stored = {item["code"]: item for item in row.assessment["items"]}
    computed = {item["code"]: item for item in found["items"]}
    for code in sorted(stored.keys() | computed.keys()):
        for what in ("amount", "trail", "refused"):
            yield from differ(f"{code}.{what}", stored.get(code, {}).get(what), computed.get(code, {}).get(what))
    yield from differ("usage", row.assessment["usage"], found["usage"])
    if row.is_final and row.claim.approved_fen is not None:
        before = row.instead_of.total_fen if row.instead_of else 0
        yield from differ("approved_fen", row.claim.approved_fen, row.total_fen - before)
