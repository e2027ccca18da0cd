"""Limits that count over claims (封顶线, yearly deductibles, days): one row per member, program, key and period; those of all claims
that are decided together are locked in one order, spent claim after claim, and written once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db import connection, transaction

from claims.facts import LIFETIME, starts, taken_by
from claims.models import BenefitStatement, Claim
from programs.rules.assess import Assessment, limits_of
from programs.rules.facts import Disease
from programs.rules.steps import year_of
from programs.selectors import schedule_of
from unionaid.lib.calendar import plus_days
from unionaid.lib.money import fen_from_yuan, round_half_up, yuan_from_fen
from unionaid.offices.scope import looking_everywhere
from unionaid.web.prepared import run

Place = tuple[int, int, str, date]  # member, program, key, first day of the period
Whose = tuple[int, int, date]  # member, program, first day of the period


@dataclass(slots=True)
class Row:
    """What is used under one limit (fen, or hundredths of a day), and the limit; None where the sum has no end."""

    used: int
    ceiling: int | None


@dataclass(slots=True)
class Usage:
    """The locked rows of some claims. What a claim takes is seen by the next one at once and written by `write`."""

    rows: Mapping[Whose, Mapping[str, Row]]
    taken: dict[Place, int] = field(default_factory=dict)
    ceilings: dict[Place, int] = field(default_factory=dict)

    def under(self, claim: Claim) -> Mapping[str, Decimal]:
        """What is used under each limit of this claim's period and of the lifetime (yuan, or days)."""
        found = [self.rows.get((claim.member_id, claim.program_id, day), {}) for day in starts(claim)]
        return {key: yuan_from_fen(row.used) for rows in found for key, row in rows.items()}

    def take(self, claim: Claim, assessment: Assessment, *, instead_of: BenefitStatement | None = None) -> None:
        """Put down what the assessment takes under each limit, less what it takes the place of."""
        taken = {use.key: fen_from_yuan(use.taken) for use in assessment.usage}
        for key, before in (taken_by(instead_of) if instead_of else {}).items():
            taken[key] = taken.get(key, 0) - fen_from_yuan(before)
        self._follow_terms(claim)
        self._add(claim, taken)

    def give_back(self, claim: Claim, statement: BenefitStatement) -> None:
        """Free what the final statement of a claim reserved: its decision does not stand. Of a correction, what it took more."""
        taken = {key: -fen_from_yuan(amount) for key, amount in taken_by(statement).items()}
        for key, before in (taken_by(statement.instead_of) if statement.instead_of else {}).items():
            taken[key] = taken.get(key, 0) + fen_from_yuan(before)
        self._add(claim, taken)

    def _follow_terms(self, claim: Claim) -> None:
        """A lifetime limit outlives the terms that wrote it down: later terms may set another one. What was used stays."""
        for key, limit in _limits(claim).items():
            place = _place(claim, key)
            row = self._row(place)
            if row and limit is not None and row.ceiling is not None and row.ceiling != max(limit, row.used):
                row.ceiling = self.ceilings[place] = max(limit, row.used)

    def _add(self, claim: Claim, taken: Mapping[str, int]) -> None:
        for key, fen in taken.items():
            if fen:
                place = _place(claim, key)
                self.taken[place] = self.taken.get(place, 0) + fen
                if row := self._row(place):
                    row.used += fen

    def _row(self, place: Place) -> Row | None:
        member, program, key, day = place
        return self.rows.get((member, program, day), {}).get(key)

    def write(self) -> None:
        """Add what was taken to every row; the database refuses overspending. One statement, none when nothing changed."""
        places = sorted({*(place for place, fen in self.taken.items() if fen), *self.ceilings})
        if not places:
            return
        values = [[self.taken.get(place, 0) for place in places], [self.ceilings.get(place) for place in places]]
        with _anywhere(), connection.cursor() as cursor:
            run(cursor, _WRITE, [*map(list, zip(*places, strict=True)), *values])


@contextmanager
def _anywhere() -> Iterator[None]:
    """A person who changed the office has rows that the old office wrote: they count, and are locked and written, whoever decides.
    After an error nothing of the transaction is kept."""
    with looking_everywhere(reason="one person's limits, whichever office counted first"), transaction.atomic(savepoint=False):
        yield


_STAND = """
INSERT INTO claims_ceilingusage (office_id, unit_id, member_id, program_id, key, period_start, ceiling_fen, used_fen)
SELECT o, u, m, p, k, d, c, 0
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::date[], %s::bigint[]) AS n(o, u, m, p, k, d, c)
ON CONFLICT DO NOTHING"""
_LOCK = """
SELECT u.member_id, u.program_id, u.key, u.period_start, u.used_fen, u.ceiling_fen
FROM claims_ceilingusage u JOIN (SELECT DISTINCT * FROM unnest(%s::bigint[], %s::bigint[], %s::date[]) AS w(m, p, d)) w
ON (w.m, w.p, w.d) = (u.member_id, u.program_id, u.period_start)
ORDER BY u.member_id, u.program_id, u.key COLLATE "C", u.period_start FOR NO KEY UPDATE OF u"""
_WRITE = """
UPDATE claims_ceilingusage u SET used_fen = u.used_fen + n.fen, ceiling_fen = coalesce(n.ceiling, u.ceiling_fen)
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::date[], %s::bigint[], %s::bigint[]) AS n(m, p, k, d, fen, ceiling)
WHERE (u.member_id, u.program_id, u.key, u.period_start) = (n.m, n.p, n.k, n.d)"""


def lock(claims: Sequence[Claim]) -> Usage:
    """Make sure a row for every limit of these claims stands, and lock them all, in one order. The locks hold until the transaction
    ends: a second reviewer waits here and then sees what the first one used. Two statements, however many claims."""
    new: dict[Place, tuple[Claim, int | None]] = {}
    for claim in claims:
        for key, limit in _limits(claim).items():
            new.setdefault(_place(claim, key), (claim, limit))
    places = sorted(new)
    owners = [[new[place][0].office_id for place in places], [new[place][0].unit_id for place in places]]
    whose = sorted({(claim.member_id, claim.program_id, day) for claim in claims for day in starts(claim)})
    with _anywhere(), connection.cursor() as cursor:
        if places:
            run(cursor, _STAND, [*owners, *map(list, zip(*places, strict=True)), [new[place][1] for place in places]])
        run(cursor, _LOCK, [*map(list, zip(*whose, strict=True))])
        rows = defaultdict[Whose, dict[str, Row]](dict)
        for member, program, key, day, used, ceiling in cursor.fetchall():
            rows[member, program, day][key] = Row(used, ceiling)
    return Usage(rows)


def free(claim: Claim, statement: BenefitStatement) -> None:
    """Give back what the final statement of a claim reserved."""
    usage = lock([claim])
    usage.give_back(claim, statement)
    usage.write()


def _limits(claim: Claim) -> dict[str, int | None]:
    """Every limit of the claim's terms that counts over claims, in fen (None: a sum without an end)."""
    disease = Disease.of(claim.diagnosis_code, claim.diagnosis_class)
    cover = claim.enrolment.cover
    years = int(year_of(cover.lower, plus_days(cover.upper, -1)))
    limits = limits_of(schedule_of(claim.terms), shares=claim.enrolment.shares, disease=disease, years=years)
    return {key: None if limit is None else fen_from_yuan(round_half_up(limit)) for key, limit in limits.items()}


def _place(claim: Claim, key: str) -> Place:
    return claim.member_id, claim.program_id, key, LIFETIME if key.startswith("lifetime:") else claim.enrolment.cover.lower
