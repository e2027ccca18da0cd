"""What calls for a second look, read for many claims in a constant number of statements: (claim, code, subject, figures).

Run with every row open (`services.screening`): the same invoice in another office counts too. What is of another office is said
to be so, and neither its number nor its person goes into the figures.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import md5
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from claims.models import SOON_DAYS, BenefitStatement, Claim, ClaimDocument
from claims.selectors.filing import papers_of_filing
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan, yuan_from_fen
from unionaid.offices.kept import Kept
from unionaid.web.prepared import Place, run
from unionaid.workflow.models import AuditEntry

GONE = ("draft", "withdrawn", "rejected")


@dataclass(frozen=True, slots=True)
class Found:
    """One flag as it is now: code and figures; `subject` tells two of a kind on one claim apart."""

    claim_id: int
    code: str
    subject: str
    figures: Mapping[str, Any]


# The same stay may be claimed from several plans, and one event may give several claims: neither is a second use of a paper.
_APART = "oc.occasion <> c.occasion AND NOT (oc.member_id = c.member_id AND oc.program_id <> c.program_id)"
_STANDS = "oc.state <> ALL (%(gone)s)"
# What was sent in once and came to nothing was used all the same: the reviewer judges. What was never sent in was not.
_USED = f"oc.id <> c.id AND ({_STANDS} OR oc.submitted_at IS NOT NULL) AND {_APART}"
# The other claim, where it waits itself: what is found of this one holds for it too.
_NEIGHBOUR = "CASE WHEN oc.state = ANY (%(waiting)s) THEN oc.id END"
_NAMED = f"""'elsewhere', oc.office_id <> c.office_id, 'number', CASE WHEN oc.office_id = c.office_id THEN oc.number ELSE '' END,
  'other', CASE WHEN oc.office_id = c.office_id THEN oc.id END, 'ended', CASE WHEN {_STANDS} THEN '' ELSE oc.state END"""


# What was dismissed was dismissed of these very numbers, files and days: with one more or another it is looked at anew.
def _same_number(code: str, column: str) -> str:
    return f"""
SELECT c.id, '{code}', concat_ws(' ', oc.id, string_agg(DISTINCT a.{column}, ' ' ORDER BY a.{column})),
  jsonb_build_object('value', string_agg(DISTINCT a.{column}, '、' ORDER BY a.{column}), {_NAMED}), {_NEIGHBOUR}
FROM looked c JOIN stays a ON a.claim_id = c.id AND a.{column} <> ''
JOIN claims_admission o ON o.{column} = a.{column} AND o.{column} <> '' JOIN claims_claim oc ON oc.id = o.claim_id
WHERE {_USED} GROUP BY c.id, c.office_id, oc.id"""


_SAME_FILE = f"""
SELECT c.id, 'same_file', concat_ws(' ', oc.id, string_agg(DISTINCT d.sha256, ' ' ORDER BY d.sha256)), jsonb_build_object({_NAMED}),
  {_NEIGHBOUR}
FROM looked c JOIN claims_claimdocument d ON d.claim_id = c.id
JOIN claims_claimdocument o ON o.sha256 = d.sha256 JOIN claims_claim oc ON oc.id = o.claim_id
WHERE {_USED} GROUP BY c.id, c.office_id, oc.id"""
# Two bills of one day and one sum, where nobody told their numbers; a bill told to two plans is no second use.
_SAME_BILL = f"""
SELECT c.id, 'same_bill', concat_ws(' ', a.id, o.id, a.admitted_on, a.medfee_sumamt_fen),
  jsonb_build_object('first', o.admitted_on, 'fen', o.medfee_sumamt_fen, {_NAMED}), {_NEIGHBOUR}
FROM looked c JOIN stays a ON a.claim_id = c.id AND a.medfee_sumamt_fen > 0
JOIN claims_claim oc ON oc.member_id = c.member_id AND oc.program_id = c.program_id AND oc.occasion <> c.occasion
JOIN claims_admission o ON o.claim_id = oc.id AND o.admitted_on = a.admitted_on AND o.medfee_sumamt_fen = a.medfee_sumamt_fen
WHERE c.event = 'outpatient' AND oc.event = 'outpatient' AND oc.id <> c.id AND {_STANDS}"""
# The same nights (`programs.rules.stays.share_nights`), under whatever plan and kind of event; a stay told to two plans has the same days.
# What was rejected says less than what stands: whoever is ill claims again, and the reviewer looks at why it was rejected.
_OVERLAP = f"""
SELECT c.id, CASE WHEN {_STANDS} THEN 'overlapping_stay' ELSE 'overlaps_rejected' END,
  concat_ws(' ', a.id, o.id, a.admitted_on, a.discharged_on, o.admitted_on, o.discharged_on),
  jsonb_build_object('first', o.admitted_on, 'last', o.discharged_on, {_NAMED}), {_NEIGHBOUR}
FROM looked c JOIN stays a ON a.claim_id = c.id
JOIN claims_claim oc ON oc.member_id = c.member_id AND oc.occasion <> c.occasion AND oc.event <> 'outpatient'
JOIN claims_admission o ON o.claim_id = oc.id
CROSS JOIN LATERAL (SELECT o.admitted_on = a.admitted_on AND o.discharged_on = a.discharged_on AS same) told
WHERE c.event <> 'outpatient' AND oc.id <> c.id AND ({_STANDS} OR oc.state = 'rejected')
AND CASE WHEN told.same THEN oc.program_id = c.program_id ELSE o.admitted_on < a.discharged_on AND a.admitted_on < o.discharged_on END"""
_PAIRS = (_same_number("same_invoice", "invoice_number"), _same_number("same_settlement", "setl_id"), _SAME_FILE, _SAME_BILL, _OVERLAP)
_ALONE = """
SELECT c.id, 'shared_account', concat_ws(' ', k.id, count(DISTINCT other.member_id)),
  jsonb_build_object('people', count(DISTINCT other.member_id)), NULL::bigint
FROM looked c JOIN members_bankcard k ON k.id = c.card_id
JOIN members_bankcard other ON other.number_hash = k.number_hash AND other.member_id <> k.member_id
GROUP BY c.id, k.id
UNION ALL
SELECT c.id, 'account_name', k.id::text, '{}'::jsonb, NULL
FROM looked c JOIN members_bankcard k ON k.id = c.card_id JOIN members_member p ON p.id = c.claimant_id WHERE k.owner_name <> p.name
UNION ALL
SELECT e.claim_id, 'outside_cover', touched.day::text, jsonb_build_object(
  'day', touched.day, 'what', min(touched.what), 'first', lower(e.cover), 'last', upper(e.cover) - 1), NULL
FROM touched JOIN covers e ON e.claim_id = touched.claim_id WHERE NOT e.cover @> touched.day
GROUP BY e.claim_id, touched.day, e.cover
UNION ALL
SELECT c.id, 'in_waiting', days.day::text, jsonb_build_object('day', days.day, 'until', e.waiting_until), NULL
FROM days JOIN looked c ON c.id = days.claim_id JOIN covers e ON e.claim_id = c.id
WHERE c.accident_on IS NULL AND NOT e.waiting_waived AND days.day BETWEEN lower(e.cover) AND e.waiting_until
UNION ALL
SELECT c.id, 'soon_after_joining', min(days.day)::text,
  jsonb_build_object('days', min(days.day) - lower(e.cover), 'limit', min(rule.soon_days)), NULL
FROM days JOIN looked c ON c.id = days.claim_id JOIN covers e ON e.claim_id = c.id
CROSS JOIN LATERAL (
  SELECT coalesce((
    SELECT r.soon_days FROM claims_reviewrule r JOIN offices_office ro ON ro.id = r.office_id
    JOIN offices_office own ON own.id = c.office_id
    WHERE own.path LIKE ro.path || '%%' ORDER BY length(ro.path) DESC LIMIT 1), %(soon_days)s) AS soon_days
) rule
WHERE e.first_time AND c.event <> 'hardship' AND days.day >= lower(e.cover) AND days.day - lower(e.cover) < rule.soon_days
GROUP BY c.id, e.cover
UNION ALL
SELECT c.id, 'total_does_not_add', concat_ws(' ', a.id, a.medfee_sumamt_fen, parts.fen),
  jsonb_build_object('whole', a.medfee_sumamt_fen, 'added', parts.fen), NULL
FROM looked c JOIN stays a ON a.claim_id = c.id
CROSS JOIN LATERAL (SELECT a.fund_pay_sumamt_fen + a.psn_part_amt_fen + a.hosp_part_amt_fen AS fen) parts
WHERE a.medfee_sumamt_fen <> parts.fen
UNION ALL
-- Account and cash are held against the personal part only where one of them was told.
SELECT c.id, 'personal_does_not_add', concat_ws(' ', a.id, a.psn_part_amt_fen, parts.fen),
  jsonb_build_object('whole', a.psn_part_amt_fen, 'added', parts.fen), NULL
FROM looked c JOIN stays a ON a.claim_id = c.id
CROSS JOIN LATERAL (SELECT a.acct_pay_fen + a.psn_cash_pay_fen + a.acct_mulaid_pay_fen AS fen) parts
WHERE parts.fen <> 0 AND a.psn_part_amt_fen <> parts.fen
UNION ALL
SELECT c.id, 'new_provider', c.hospital_key, jsonb_build_object('hospital', c.hospital), NULL
FROM looked c WHERE c.hospital_key <> '' AND NOT EXISTS (
  SELECT 1 FROM claims_claim oc WHERE oc.office_id = c.office_id AND oc.hospital_key = c.hospital_key AND oc.hospital_key <> ''
  AND oc.id <> c.id AND oc.state <> ALL (%(gone)s) AND oc.submitted_at < coalesce(c.submitted_at, now()))
"""
# Each table is read once where it can be: the policies on it are planned for every mention.
_FOUND = """
WITH looked AS MATERIALIZED (SELECT * FROM claims_claim WHERE id = ANY (%(ids)s)),
stays AS MATERIALIZED (SELECT a.* FROM claims_admission a WHERE a.claim_id = ANY (%(ids)s)),
covers AS MATERIALIZED (
  SELECT c.id AS claim_id, e.cover, e.waiting_waived, e.waiting_until, e.first_time
  FROM looked c JOIN members_enrolment e ON e.id = c.enrolment_id),
days AS (
  SELECT claim_id, admitted_on AS day FROM stays
  UNION SELECT id, coalesce(accident_on, event_on) FROM looked WHERE coalesce(accident_on, event_on) IS NOT NULL
),
-- Every day on which the claim rests. A death that an accident led to may come after the cover: the terms say how long.
touched AS (
  SELECT s.claim_id, d.day, d.what FROM stays s JOIN looked c ON c.id = s.claim_id
  CROSS JOIN LATERAL (VALUES
    (s.admitted_on, CASE c.event WHEN 'outpatient' THEN 'visit' ELSE 'admitted' END), (s.discharged_on, 'discharged')) d (day, what)
  WHERE d.what <> 'discharged' OR c.event <> 'outpatient'
  UNION SELECT c.id, d.day, d.what FROM looked c
  CROSS JOIN LATERAL (VALUES
    (c.accident_on, 'accident'), (CASE WHEN c.accident_on IS NULL THEN c.death_on END, 'death'),
    (CASE WHEN c.accident_on IS NULL AND NOT EXISTS (SELECT 1 FROM stays s WHERE s.claim_id = c.id) THEN c.event_on END,
     CASE c.event WHEN 'diagnosis' THEN 'diagnosis' ELSE 'event' END)) d (day, what)
  WHERE d.day IS NOT NULL
)
""" + " UNION ALL ".join((*_PAIRS, _ALONE))
# Planning it takes ten times as long as running it, so it is a function of the database, which plans it once for a connection. It is
# written after every migration (`unionaid.apps`) and has no rights of its own: row security is the caller's.
_PLACES = {"ids": "$1", "gone": "$2", "waiting": "$3", "soon_days": "$4"}
FUNCTION = f"""
DROP FUNCTION IF EXISTS claims_found;
CREATE FUNCTION claims_found(bigint[], text[], text[], integer)
RETURNS TABLE (claim_id bigint, code text, subject text, figures jsonb, neighbour bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN RETURN QUERY {_FOUND % _PLACES};
END $$
"""
MOST_NEIGHBOURS = 200


def found_for(ids: Sequence[int], waiting: Sequence[str]) -> tuple[list[Found], list[int]]:
    """Every flag of these claims as of now, in the order of claim, code and subject; and the claims in the `waiting` states that share an
    invoice, a settlement, a file or days in hospital with one of them: what is found for one holds for the other too. Two statements,
    however many claims; two more where relief is corrected."""
    with connection.cursor() as cursor:
        run(cursor, "SELECT * FROM claims_found(%s, %s, %s, %s)", [list(ids), list(GONE), list(waiting), SOON_DAYS])
        rows = cursor.fetchall()
    told = [Found(pk, code, _hash(subject), json.loads(figures)) for pk, code, subject, figures, _other in rows]
    claims = _WITH_PAPERS.ask(ids=list(ids))
    relief = [claim.pk for claim in claims if claim.corrects_id and schedule_of(claim.terms).is_grant]
    told += [*by_the_plan(claims), *_relief_renewed(relief)]
    unique = {(one.claim_id, one.code, one.subject): one for one in told}
    neighbours = {other for *_rest, other in rows if other is not None} - set(ids)
    return [unique[key] for key in sorted(unique)], sorted(neighbours)[:MOST_NEIGHBOURS]


def _hash(subject: str) -> str:
    return md5(subject.encode(), usedforsecurity=False).hexdigest()


def _with_papers() -> QuerySet[Claim]:
    latest = BenefitStatement.objects.filter(claim=OuterRef("pk")).order_by("-id").values("total_fen")[:1]
    kinds = ArraySubquery(ClaimDocument.objects.filter(claim=OuterRef("pk")).values("kind"))
    rows = Claim.objects.filter(pk__among=Place("ids")).select_related("terms").annotate(kinds=kinds, total_fen=Subquery(latest))
    filed = ("filed_as", "heir", "agreed_at", "objected_at")
    return rows.only("event", "diagnosis_code", "state", *filed, "unit_reviewed_by", "corrects", "terms__content_hash")


_WITH_PAPERS: Kept[Claim] = Kept(_with_papers)

def _relief_renewed(ids: Sequence[int]) -> Iterator[Found]:
    """The corrections of relief among these that were begun because the benefit beside is another now (`services.netting`), with the
    amounts as they were computed last. Two statements, none for none."""
    if not ids:
        return
    acts = AuditEntry.objects.filter(entity=Claim._meta.label_lower, entity_id__in=ids, action="recompute")
    decided = BenefitStatement.objects.filter(claim=OuterRef("claim__corrects"), is_final=True).values("total_fen")[:1]
    rows = BenefitStatement.objects.filter(claim__in=acts.values_list("entity_id", flat=True)).select_related("claim")
    for row in rows.order_by("claim", "-id").distinct("claim").annotate(before_fen=Subquery(decided)):
        paid_fen = fen_from_yuan(Decimal(row.facts["case"]["other_aid"])) - (row.claim.other_aid_fen or 0)
        figures = {"paid_fen": paid_fen, "before_fen": row.before_fen, "now_fen": row.total_fen}
        yield Found(row.claim_id, "benefit_changed", _hash("benefit"), figures)


def by_the_plan(claims: Iterable[Any]) -> Iterator[Found]:
    """What only the plan's own terms can tell: a diagnosis that is on none of its lists, a required paper that is not there, a unit's
    agent who filled in what the unit should look at; that the claimant did not want it filled in for them; and that an heir claims."""
    for claim in claims:
        schedule = schedule_of(claim.terms)
        gates = [gate for item in schedule.items if claim.event in item.events for gate in item.gates]
        lists = [gate.data["prefixes"] for gate in gates if gate.name == "diagnosis_in"]
        code = claim.diagnosis_code.upper()
        if code and lists and not any(code.startswith(prefixes) for prefixes in lists):
            yield Found(claim.pk, "diagnosis_not_listed", _hash(code), {"diagnosis": code})
        benefit = None if claim.total_fen is None else yuan_from_fen(claim.total_fen)
        if claim.objected_at is not None:
            yield Found(claim.pk, "filing_objected", _hash("filing"), {})
        at_unit = claim.state == "unit_review" or claim.unit_reviewed_by_id is not None
        if claim.filed_as == Claim.FiledAs.UNIT_AGENT and schedule.deciding.unit_first and not at_unit:
            yield Found(claim.pk, "filed_by_agent", _hash("filing"), {})
        if claim.heir:
            yield Found(claim.pk, "claimed_by_heir", _hash("heir"), {"relation": claim.heir})
        for paper in (*schedule.documents_for(claim.event, benefit=benefit), *papers_of_filing(claim)):
            if paper.required and paper.code not in claim.kinds:
                yield Found(claim.pk, "missing_paper", _hash(paper.code), {"zh": paper.name.zh, "en": paper.name.en})
