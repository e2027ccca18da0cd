"""Decided claims of a past year as cases for a rehearsal: read in parts by person, a few statements a part however many rows."""

from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import connection

from claims.facts import NOTHING, beside_grants, day_of_claim, told_case
from claims.selectors.needs import needs_of
from claims.transitions import DECIDED
from members.facts import renews_sql
from programs.rules.facts import SETTLEMENT_FIELDS, CaseFacts, CoverFacts, PersonFacts
from programs.rules.joining import asks_renewal, settled_by
from programs.rules.rehearsal import PastCase
from programs.rules.schedule import Schedule
from programs.selectors import schedules_of
from unionaid.lib.calendar import Period

# Rejections that follow from the rules: other terms might have paid. What papers or people decided stays as it was decided.
_BY_THE_RULES = "(SELECT code FROM claims_rejectionreason WHERE by_rules)"


@dataclass(frozen=True, slots=True)
class Looked:
    """Which claims are looked at: decided in these programs, by these offices, from one moment until before another."""

    office_ids: frozenset[int]
    program_ids: tuple[int, ...]
    since: datetime
    until: datetime

    def values(self) -> dict[str, Any]:
        return {
            "offices": sorted(self.office_ids),
            "programs": list(self.program_ids),
            "decided": list(DECIDED),
            "since": self.since,
            "until": self.until,
        }


# A rejection is dated by its review; nothing follows a rejection, so there is one. (Not EXISTS: for a part of the claims the
# database would read all reviews.)
_REJECTED_AT = "(SELECT max(r.at) FROM claims_review r WHERE r.claim_id = c.id AND r.decision = 'reject')"
_REJECTED = f"c.state = 'rejected' AND c.reason_code IN {_BY_THE_RULES}"
# What was corrected counts as corrected.
_STANDS = f"""c.id NOT IN (SELECT corrects_id FROM claims_claim
  WHERE corrects_id IS NOT NULL AND (state = ANY(%(decided)s) OR state = 'rejected' AND reason_code IN {_BY_THE_RULES}))"""
_COUNTED = f"""
SELECT {{columns}} FROM claims_claim c
WHERE c.office_id = ANY(%(offices)s) AND c.program_id = ANY(%(programs)s) AND {_STANDS} {{people}}
  AND (c.state = ANY(%(decided)s) AND c.approved_at >= %(since)s AND c.approved_at < %(until)s
    OR {_REJECTED} AND {_REJECTED_AT} >= %(since)s AND {_REJECTED_AT} < %(until)s)
"""

_PARTS = f"""
SELECT max(member_id), sum(claims)::bigint FROM (
  SELECT member_id, count(*) AS claims, ((sum(count(*)) OVER (ORDER BY member_id) - count(*)) / %(size)s)::bigint AS part
  FROM ({_COUNTED.format(columns="c.member_id", people="")}) found GROUP BY member_id) people
GROUP BY part ORDER BY part
"""

_CLAIM = (
    "id", "number", "member_id", "occasion", "enrolment_id", "event", "event_kind", "event_on", "diagnosis_code", "diagnosis_class",
    "disability_grade", "accident_on", "death_on", "other_aid_fen", "circumstances", "declared", "submitted_at", "claimed_on", "filed_as",
)  # fmt: skip
_BESIDE = (
    "gender", "birth_date", "relation", "shares", "starts_on", "ends_before", "covered_under", "employment", "union_member",
    "basic_insurance", "insurance_type", "joined_unit_on", "card_holder", "staff_group", "contract_months", "retired_on", "earlier_ended",
    "renewed", "counted", "before_fen",
)  # fmt: skip
_Row = namedtuple("_Row", (*_CLAIM, *_BESIDE))  # type: ignore[misc]

_PEOPLE = "c.member_id > %(after)s AND c.member_id <= %(up_to)s"
_RENEWS = renews_sql(member="e.member_id", program="e.program_id", start="e.starts_on", within="%(renews_within)s")
# What came before counts when it may matter now: under the same cover, for a disease, or (a limit for life) at all.
_CASES = f"""
WITH counted AS MATERIALIZED (
{_COUNTED.format(columns="c.*", people=f"AND {_PEOPLE}")}),
past AS (
  SELECT c.*, true AS counted FROM counted c
  UNION ALL
  SELECT c.*, false FROM claims_claim c
  WHERE {_PEOPLE} AND {_STANDS} AND c.member_id IN (SELECT member_id FROM counted) AND c.program_id = ANY(%(programs)s)
    AND (c.state = ANY(%(decided)s) AND c.approved_at < %(since)s OR {_REJECTED} AND {_REJECTED_AT} < %(since)s)
    AND (%(for_life)s OR c.event IN ('diagnosis', 'surgery') OR c.enrolment_id IN (SELECT enrolment_id FROM counted))
)
SELECT {", ".join(f"c.{name}" for name in _CLAIM)}, m.gender, m.birth_date, e.relation, e.shares, e.starts_on, upper(e.cover), e.terms_id,
  h.employment, h.union_member, h.basic_insurance, h.insurance_type, h.joined_unit_on, h.card_holder, h.staff_group, h.contract_months,
  h.retired_on,
  CASE WHEN %(waivers)s THEN (
    SELECT max(upper(b.cover)) FROM members_enrolment b WHERE b.member_id = e.member_id AND b.program_id = e.program_id
      AND b.state = 'effective' AND upper(b.cover) <= e.starts_on) END,
  %(renewals)s AND {_RENEWS},
  c.counted,
  CASE WHEN c.corrects_id IS NULL THEN coalesce(c.approved_fen, 0) ELSE coalesce((
    SELECT s.total_fen FROM claims_benefitstatement s WHERE s.claim_id = c.id AND s.is_final), 0) END
FROM past c JOIN members_member m ON m.id = c.member_id JOIN members_enrolment e ON e.id = c.enrolment_id
JOIN members_member h ON h.id = e.holder_id
ORDER BY c.member_id, coalesce(c.approved_at, {_REJECTED_AT}), c.id
"""

_STAY = ("claim_id", "admitted_on", "discharged_on", "hospital_grade", *(f"{name}_fen" for name in SETTLEMENT_FIELDS))
_Stay = namedtuple("_Stay", _STAY)  # type: ignore[misc]
_STAYS = f"SELECT {', '.join(_STAY)} FROM claims_admission WHERE claim_id = ANY(%(ids)s) ORDER BY claim_id, admitted_on, id"


def parts_of(looked: Looked, *, size: int) -> list[tuple[int, int]]:
    """Parts of about so many claims, each person's all in one: (last person's key, how many claims). One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, looked.values() | {"size": size})
        return [(int(last), int(count)) for last, count in cursor.fetchall()]


def people_with_cases(looked: Looked, schedule: Schedule, *, after: int, up_to: int) -> Iterator[list[PastCase]]:
    """One part: each person's cases in the order of decision, those before the time looked at first. Three statements; for relief one
    more, which reads the benefits that were granted for the same events.

    The open scope must hold everything: what a person had before under another office counts like in a real decision.
    Which claims are looked at is said by `looked` alone.
    """
    terms = schedules_of(looked.program_ids)
    settled = {key: settled_by(schedule, earlier) for key, earlier in terms.items()}
    asked = {
        "after": after, "up_to": up_to, "waivers": bool(schedule.waivers),
        "renewals": asks_renewal(schedule), "renews_within": schedule.enrolling.renewal_within_days,
        "for_life": any(step.data.get("scope") == "lifetime" for item in schedule.items for step in item.steps),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CASES, looked.values() | asked)
        rows = [_Row._make(row) for row in cursor.fetchall()]
        cursor.execute(_STAYS, {"ids": [row.id for row in rows]})
        stays = {key: list(own) for key, own in groupby(map(_Stay._make, cursor.fetchall()), key=attrgetter("claim_id"))}
    unasked = {(key, event): _unasked(earlier, event) for key, earlier in terms.items() for event in earlier.events}
    beside = beside_grants(rows) if schedule.is_grant else {}
    for _who, own in groupby(rows, key=attrgetter("member_id")):
        cases = []
        for row in own:
            told = None
            if day_of_claim(row, stays.get(row.id, ())) is not None:
                blank = unasked.get((row.covered_under, row.event), frozenset())
                told = told_case(row, stays.get(row.id, ()), beside.get(row.id, NOTHING).paid, blank)
            cases.append(_case(row, told, schedule, settled.get(row.covered_under, frozenset())))
        yield cases


def _unasked(earlier: Schedule, event: str) -> frozenset[str]:
    """The figures of a bill that the terms of that time never asked for: what other terms would need of them is not known. In-scope
    self-pay itself is asked of nobody: it follows from the others."""
    return frozenset((*SETTLEMENT_FIELDS, "self_pay")) - {*needs_of(earlier, event).figures}


def _case(row: Any, case: CaseFacts | None, schedule: Schedule, settled: frozenset[str]) -> PastCase:
    """Cover as it was, with as many shares as these terms allow, and the person as far as is stored; waiting is waived when the terms
    looked at say so, not when those of that time did."""
    since = None if row.earlier_ended is None else (row.starts_on - row.earlier_ended).days
    return PastCase(
        key=row.id,
        number=row.number,
        who=row.member_id,
        cover_key=row.enrolment_id,
        person=_person(row),
        cover=CoverFacts(Period(row.starts_on, row.ends_before), min(row.shares, schedule.enrolling.max_shares), since),
        case=case,
        before_fen=row.before_fen,
        counted=row.counted,
        settled=settled,
    )


def _person(row: Any) -> PersonFacts:
    """What is stored of the person and of the worker through whom they joined (`members.facts.person_facts`)."""
    return PersonFacts(
        birth_date=row.birth_date,
        gender=row.gender,
        employment=row.employment or None,
        union_member=row.union_member,
        basic_insurance=row.basic_insurance,
        relation=row.relation,
        joined_unit_on=row.joined_unit_on,
        renewal=row.renewed,
        holder_employment=row.employment or None,
        insurance_type=row.insurance_type or None,
        card_holder=row.card_holder,
        group=row.staff_group or None,
        contract_months=row.contract_months,
        retired_on=row.retired_on,
    )
