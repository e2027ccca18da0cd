"""A claim's rows into facts for the rules, and what happened before it in the same period of cover."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import BigIntegerField, Case, Count, F, OuterRef, Subquery, When

from claims.models import Admission, BenefitStatement, CeilingUsage, Claim
from claims.transitions import DECIDED
from members.facts import cover_facts, person_facts
from members.models import Member
from programs.rules.assess import left_out_of
from programs.rules.casefile import Situation
from programs.rules.facts import SETTLEMENT_FIELDS, CaseFacts, Disease, PriorUse, Settlement, Stay, event_day
from programs.rules.history import CONDITIONS, Granted, prior_to
from programs.selectors import schedule_of
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import day_of
from unionaid.lib.money import yuan_from_fen
from unionaid.offices.kept import Kept
from unionaid.offices.scope import looking_everywhere
from unionaid.web.prepared import Place

LIFETIME = date(1900, 1, 1)
BELOW_DEDUCTIBLE = "below_deductible"


_FIGURES = tuple(f"{name}_fen" for name in SETTLEMENT_FIELDS)
_STAY = ("pk", "claim_id", "admitted_on", "discharged_on", "hospital_grade", *_FIGURES)
_figures = attrgetter(*_FIGURES)


def case_facts(claim: Claim, stays: Iterable[Any] | None = None, paid_beside: Decimal = Decimal(0)) -> CaseFacts:
    """The event as the rules see it (`told_case`); `stays`, when they were read already."""
    return told_case(claim, claim.admissions.all() if stays is None else stays, paid_beside)


def told_case(told: Any, stays: Iterable[Any], paid_beside: Decimal = Decimal(0), unasked: frozenset[str] = frozenset()) -> CaseFacts:
    """The event from a claim's columns and those of its stays, however they were read. `paid_beside`: the benefits that were granted for
    the same event (yuan), which count as other aid to relief (`beside_grants`). `unasked`: the figures that nobody asked for with this
    claim; where one is 0 it was not told. ValueError when no day is told (`day_of_claim`)."""
    found = tuple(
        Stay(
            admitted_on=row.admitted_on,
            discharged_on=row.discharged_on,
            settlement=Settlement(*map(yuan_from_fen, _figures(row))),
            hospital_grade=row.hospital_grade,
            untold=frozenset(name for name in unasked if not getattr(row, f"{name}_fen", 0)),
        )
        for row in stays
    )
    event_on = day_of_claim(told, found)
    if event_on is None:
        raise ValueError(f"claim {told.number} tells no day")
    return CaseFacts(
        event=told.event,
        event_on=event_on,
        stays=found,
        diagnosis_code=told.diagnosis_code,
        diagnosis_class=told.diagnosis_class,
        disability_grade=told.disability_grade,
        accident_on=told.accident_on,
        death_on=told.death_on,
        event_kind=told.event_kind or "default",
        claimed_on=told.claimed_on or (day_of(told.submitted_at) if told.submitted_at else None),
        other_aid=None if told.other_aid_fen is None else yuan_from_fen(told.other_aid_fen) + paid_beside,
        circumstances=frozenset(told.circumstances),
        declared=_declared(told.declared),
        by_unit=told.filed_as == Claim.FiledAs.UNIT_AGENT,
    )


def day_of_claim(told: Any, stays: Iterable[Any]) -> date | None:
    """The day of what a claim is for (事发日, `event_day`), from its columns and the admissions of its stays; None when none is told."""
    first = min((stay.admitted_on for stay in stays), default=None)
    return event_day(told.event, told_on=told.event_on, accident_on=told.accident_on, death_on=told.death_on, first_stay=first)


def _declared(told: Mapping[str, str] | str) -> Mapping[str, Decimal]:
    """The declared figures; a row that was read in plain SQL has them as one text."""
    figures = json.loads(told) if isinstance(told, str) else told
    return {code: Decimal(figure) for code, figure in figures.items()}


@dataclass(frozen=True, slots=True)
class Beside:
    """The benefits for the same event beside a claim for relief: what was granted (yuan), and the number of one that is not decided yet."""

    paid: Decimal = Decimal(0)
    undecided: str = ""


NOTHING = Beside()
# A correction by which too much was paid: it grants nothing, and what it found too much counts no more, whether it came back or not.
_ASKED_BACK = ("recovery", "recovered")
_UNDECIDED = ("unit_review", "submitted", "supplement_requested", "reviewed")


def beside_of(claims: Sequence[Claim]) -> Mapping[int, Beside]:
    """What stands beside those of these claims that are for relief or condolence, by key. No statement where none is, else one."""
    return beside_grants([claim for claim in claims if schedule_of(claim.terms).is_grant])


def beside_grants(grants: Sequence[Any]) -> Mapping[int, Beside]:
    """What stands beside these claims (their `id`, `occasion` and `member_id`, however they were read), each taken as one for relief or
    condolence, by key. No statement for none, else one."""
    if not grants:
        return {}
    of_whom = {"member__in": {claim.member_id for claim in grants}, "occasion__in": {claim.occasion for claim in grants}}
    less = BenefitStatement.objects.filter(claim=OuterRef("pk"), is_final=True).values_list(F("total_fen") - F("instead_of__total_fen"))
    rows = Claim.objects.filter(fund=Fund.MUTUAL_AID, state__in=(*DECIDED, *_UNDECIDED), **of_whom)
    granted = Case(
        When(state__in=_ASKED_BACK, then=Subquery(less[:1])), default=F("approved_fen"), output_field=BigIntegerField()
    )
    found = defaultdict[tuple[Any, int], list[tuple[int, str, int | None, str]]](list)
    for occasion, member, *row in rows.values_list("occasion", "member_id", "pk", "state", granted, "number"):
        found[occasion, member].append(tuple(row))
    return {claim.id: _beside([row for row in found[claim.occasion, claim.member_id] if row[0] != claim.id]) for claim in grants}


def _beside(rows: Sequence[tuple[int, str, int | None, str]]) -> Beside:
    paid = sum(fen or 0 for _pk, state, fen, _number in rows if state in DECIDED)
    return Beside(yuan_from_fen(paid), next((number for _pk, state, _fen, number in rows if state in _UNDECIDED), ""))


def nets_aid(claim: Claim) -> bool:
    """Does the plan take off what others gave, for this event?"""
    items = [item for item in schedule_of(claim.terms).items if claim.event in item.events]
    return any(step.name == "offset" and step.data["other_aid"] for item in items for step in item.steps)


def situation(
    claim: Claim, *, prior: PriorUse, stays: Iterable[Any] | None = None, paid_beside: Decimal = Decimal(0)
) -> Situation:
    """Everything an assessment of this claim is made of. ValueError when the claim tells no day."""
    return Situation(
        person=person_facts(claim.member, holder=_worker(claim), relation=claim.enrolment.relation),
        cover=cover_facts(claim.enrolment),
        case=case_facts(claim, stays, paid_beside),
        prior=prior,
    )


def _worker(claim: Claim) -> Member | None:
    """The worker through whom the person joined, where an item is for some staff groups alone; else the person speaks for themself."""
    through = claim.enrolment.relation != "self" and any(rule.group for rule in schedule_of(claim.terms).ages)
    return claim.enrolment.holder if through else None


_STAYS: Kept[Any] = Kept(lambda: Admission.objects.filter(claim__among=Place("claims")).values_list(*_STAY, named=True))


def stays_of(claims: Iterable[Claim]) -> Mapping[int, list[Any]]:
    """The stays of each of these claims, the earliest first, with all that the rules ask of them. One statement."""
    found = defaultdict[int, list[Any]](list)
    for row in _STAYS.ask(claims=[claim.pk for claim in claims]):
        found[row.claim_id].append(row)
    return found


def prior_use(claim: Claim) -> PriorUse:
    """What this person had from this program in this period of cover, this claim left out (`Past`). Reads past the scope: the worker
    who claims for a child, and the reviewer of one office, count with the same figures."""
    with looking_everywhere(reason="what this person had before under this cover"):
        return past_of([claim]).before(claim, used_under([claim])[claim.pk])


_USED: Kept[tuple[int, int, date, str, int]] = Kept(
    lambda: CeilingUsage.objects.filter(member__among=Place("people"), program__among=Place("programs")).values_list(
        "member_id", "program_id", "period_start", "key", "used_fen"
    )
)


def used_under(claims: Sequence[Claim]) -> Mapping[int, Mapping[str, Decimal]]:
    """What stands under each limit of the period of cover and of the lifetime, of each of these claims: yuan, or days. One statement."""
    people, programs = {claim.member_id for claim in claims}, {claim.program_id for claim in claims}
    under = defaultdict[tuple[int, int, date], list[tuple[str, Decimal]]](list)
    for member, program, start, key, fen in _USED.ask(people=sorted(people), programs=sorted(programs)):
        under[member, program, start].append((key, yuan_from_fen(fen)))
    return {
        claim.pk: dict(one for day in starts(claim) for one in under.get((claim.member_id, claim.program_id, day), ())) for claim in claims
    }


def starts(claim: Claim) -> tuple[date, date]:
    """From which days the limits of this claim count: its period of cover, and the lifetime."""
    return claim.enrolment.cover.lower, LIFETIME


# The steps and gates that ask what was decided before, beyond what stands under the limits.
HISTORY = frozenset({"per_admission", "less_paid", "once_per_disease"})


def _asks_history(claim: Claim) -> bool:
    """Does anything that this event can trigger look at earlier decisions?"""
    items = [item for item in schedule_of(claim.terms).items if claim.event in item.events]
    return any(part.name in HISTORY for item in items for part in (*item.steps, *item.gates))


@dataclass(slots=True)
class Past:
    """What the people of some claims were granted before from the same programs, read for all at once; and, while the claims are
    decided one after another, what the earlier of them were granted."""

    decided: dict[tuple[int, int], dict[int, Granted]]
    lines: Mapping[int, list[Claim]]
    final: Mapping[int, BenefitStatement]

    def replaced(self, claim: Claim) -> BenefitStatement | None:
        """The statement that a correction takes the place of: of the last decision in its line that granted something or counted
        under a deductible. None when nothing of the line holds."""
        for one in self.lines.get(claim.pk, ()):
            if one.state in DECIDED or (one.state == "rejected" and one.reason_code == BELOW_DEDUCTIBLE):
                return self.final[one.pk]
        return None

    def before(self, claim: Claim, used: Mapping[str, Decimal]) -> PriorUse:
        """What the rules may know of it; `used`: what stands under each limit. A correction counts as if what it corrects had never
        been decided: the whole is computed, and the difference is paid."""
        if claim.corrects_id is None and not _asks_history(claim):
            return PriorUse(used=used)
        before, own = self.replaced(claim), {claim.pk, *(one.pk for one in self.lines.get(claim.pk, ()))}
        given_back = taken_by(before) if before else {}
        known = self.decided.get(_of_whom(claim), {}) if _asks_history(claim) else {}
        return prior_to(
            cover=claim.enrolment_id,
            told=Disease.of(claim.diagnosis_code, claim.diagnosis_class),
            granted=[one for key, one in known.items() if key not in own],
            used={key: amount - given_back.get(key, Decimal(0)) for key, amount in used.items()},
        )

    def add(self, claim: Claim, stays: int, gave: Mapping[str, Any]) -> None:
        """This claim is granted now; what it corrects counts as corrected."""
        known = self.decided.setdefault(_of_whom(claim), {})
        known.pop(claim.corrects_id or 0, None)
        disease = Disease.of(claim.diagnosis_code, claim.diagnosis_class)
        known[claim.pk] = _granted(claim.enrolment_id, claim.event, disease, stays, gave)


def _granted(cover: int, event: str, disease: Disease, stays: int, gave: Mapping[str, Any]) -> Granted:
    """A decision that holds, as a later claim asks about it; `gave`: the stored assessment."""
    paid = {item["code"]: Decimal(item["amount"]) for item in gave["items"] if Decimal(item["amount"])}
    return Granted(cover, event, disease, stays - (left_out_of(gave) if stays > 1 else 0), paid)


def _of_whom(claim: Claim) -> tuple[int, int]:
    return claim.member_id, claim.program_id


def past_of(claims: Sequence[Claim], *, lock: bool = False) -> Past:
    """What the people of these claims were granted before. No statement for claims that correct nothing under plans that do not ask;
    else one for each step back to the first decision, one for the statements of what is corrected, and two for what was decided.
    `lock`: what is corrected is locked, in key order."""
    lines = corrected_lines(claims, lock=lock)
    line = {one.pk for ones in lines.values() for one in ones}
    final = {row.claim_id: row for row in BenefitStatement.objects.filter(claim__in=line, is_final=True)} if line else {}
    return Past(_decided_before([claim for claim in claims if _asks_history(claim)]), lines, final)


def _decided_before(claims: Sequence[Claim]) -> dict[tuple[int, int], dict[int, Granted]]:
    """The decisions that hold, by person and program. What was corrected counts as corrected."""
    found = defaultdict[tuple[int, int], dict[int, Granted]](dict)
    if not claims:
        return found
    people, programs = {claim.member_id for claim in claims}, {claim.program_id for claim in claims}
    rows = list(
        Claim.objects.filter(member__in=people, program__in=programs, state__in=DECIDED)
        .exclude(corrections__state__in=DECIDED)
        .annotate(stays=Count("admissions"))
        .values_list("pk", "member_id", "program_id", "enrolment_id", "event", "diagnosis_code", "diagnosis_class", "stays")
    )
    asked = [pk for pk, *_of, event, _code, _class, stays in rows if stays > 1 or event in CONDITIONS]
    statements = BenefitStatement.objects.filter(claim__in=asked, is_final=True)
    gave = dict(statements.values_list("claim_id", "assessment")) if asked else {}
    for pk, member, program, enrolment, event, code, own, stays in rows:
        found[member, program][pk] = _granted(enrolment, event, Disease.of(code, own), stays, gave.get(pk, {"items": []}))
    return found


def corrected_lines(claims: Iterable[Claim], *, lock: bool = False) -> dict[int, list[Claim]]:
    """The claims that each of these corrects: the last decision first, the first one last. None for an ordinary claim. One statement
    for each step back, and with `lock` one more, which locks them in key order."""
    known, wanted = dict[int, Claim](), {claim.corrects_id for claim in claims if claim.corrects_id}
    while wanted:
        known |= Claim.objects.in_bulk(list(wanted))
        wanted = {one.corrects_id for one in known.values() if one.corrects_id} - known.keys()
    if lock and known:
        known = {one.pk: one for one in Claim.objects.select_for_update(of=("self",)).filter(pk__in=known).order_by("pk")}
    lines = dict[int, list[Claim]]()
    for claim in claims:
        one = claim
        while one.corrects_id is not None:
            one = known[one.corrects_id]
            lines.setdefault(claim.pk, []).append(one)
    return lines


def corrected_line(claim: Claim) -> list[Claim]:
    """The claims that this one corrects (`corrected_lines`)."""
    return corrected_lines([claim]).get(claim.pk, [])


def replaced_already(statements: Iterable[BenefitStatement]) -> set[int]:
    """Those of these statements in whose place a correction that holds already stands, by key. One statement, none for none."""
    ids = [statement.pk for statement in statements]
    rows = BenefitStatement.objects.filter(instead_of__in=ids, is_final=True, claim__state__in=DECIDED)
    return set(rows.values_list("instead_of_id", flat=True)) if ids else set()


def taken_by(statement: BenefitStatement) -> dict[str, Decimal]:
    """What a statement takes under each limit: yuan, or days."""
    return {use["key"]: Decimal(use["taken"] or 0) for use in statement.assessment["usage"]}


def statement_of(claim: Claim) -> BenefitStatement | None:
    """The last statement computed for this claim."""
    return claim.statements.order_by("-id").first()
