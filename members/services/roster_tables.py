"""Rosters in SQL: lines staged by COPY, judged in one statement, enrolled by INSERT … SELECT. The number of statements is
the same for ten lines and for a hundred thousand.

Everything runs inside an open scope that shows everyone (`everywhere`), in the caller's transaction. Row security keeps
COPY from the lasting tables, so lines are copied into one of the transaction's own (`roster_staging.py`) and go on from there.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, connection

from members.facts import held_sql, renews_sql, waits_by_waiver
from members.models import Roster, WorkUnit
from members.services.roster_rows import employment_of
from members.transitions import LIVE
from programs.rules.eligibility_sql import every_rule_passes, verdict_sql
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import Period
from unionaid.web.said import Said

# A page gives up after seconds. This is work for a whole roster: it may take longer on a busy day, and a second roster with the
# same people waits until the first is done. A hundred thousand lines are sorted and hashed in memory.
PATIENCE = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '2min'; SET LOCAL work_mem = '64MB'"


@contextmanager
def hashed() -> Iterator[None]:
    """For statements over all lines of a roster: joins are hashed, never one row against all rows of another. Until a table that
    many rows were just written to is counted, the planner takes it for empty, and would hold a hundred thousand lines against
    a hundred thousand. What is looked up by key in a table of everybody is written as a look-up (LATERAL … OFFSET 0, a scalar
    sub-select, = ANY (ARRAY (…))): it goes through the index in any case."""
    _run("SET LOCAL enable_nestloop = off", None)
    yield
    _run("SET LOCAL enable_nestloop = DEFAULT", None)


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks against one line. `same_as`: an earlier line with the same number; `unfit`: some rule does not pass;
    `corrected`: the number was somebody's of this name until it was put right; `retired` (on that day): as far as is known here."""

    row_number: int
    same_as: int | None
    unfit: bool
    renewal: bool
    shares_held: int
    other_name: bool
    covered_here: bool | None
    corrected: bool
    retired: bool
    retired_on: date | None


HELD = held_sql(member="m.id")
RENEWS = renews_sql(member="m.id", program="%s", start="%s", within="%s")
# Who has the number of a line: looked up one by one in the index of numbers, whatever the planner believes of the table's size.
PERSON = "SELECT p.id, p.name, p.employment, p.retired_on, p.unit_id FROM members_member p WHERE p.id_hash = {line}.id_hash OFFSET 0"
# A number that was replaced by a correction and is nobody's now; under another name it may be the rightful owner's.
REPLACED = """
    {line}.id_hash = ANY(ARRAY(SELECT id_hash_before FROM members_correction WHERE id_hash_before IS NOT NULL AND state = 'approved'))
    AND (SELECT TRUE FROM members_member o WHERE o.id_hash = {line}.id_hash) IS NULL
    AND (SELECT TRUE FROM members_correction k
         WHERE k.id_hash_before = {line}.id_hash AND k.state = 'approved'
               AND {line}.name IN ((SELECT p.name FROM members_member p WHERE p.id = k.member_id), k.before->>'name') LIMIT 1)"""
FACTS = f"""
    SELECT s.*, a.joined_unit_on, a.insurance_type, a.card_holder, a.staff_group, a.contract_months,
           COALESCE(a.retired_on, m.retired_on) AS retired_on, COALESCE(m.employment = 'retired', FALSE) AS known_retired,
           m.id AS known_id, m.name AS known_name, 'self'::text AS relation, NULL::text AS holder_employment,
           COALESCE(a.employment, CASE WHEN m.employment = 'retired' THEN 'retired' ELSE %s END) AS fact_employment,
           COALESCE(a.union_member, TRUE) AS fact_union,
           COALESCE(a.basic_insurance, TRUE) AS fact_insurance,
           {RENEWS} AS renewal, {HELD} AS shares_held
    FROM staged s JOIN answers a ON a.id = s.answers LEFT JOIN recognised m ON m.row_number = s.row_number WHERE s.id_hash IS NOT NULL"""
COLUMNS = {name: f"facts.{name}" for name in (
    "birth_date", "gender", "shares", "relation", "holder_employment", "joined_unit_on", "insurance_type", "renewal",
    "card_holder", "contract_months", "retired_on", "shares_held",
)} | {
    "group": "facts.staff_group", "employment": "facts.fact_employment", "union_member": "facts.fact_union",
    "basic_insurance": "facts.fact_insurance",
}  # fmt: skip


def findings(roster: Roster, schedule: Schedule, cover: Period, *, on: date) -> list[Finding]:
    """The plan's rules, twins in the file, people known under another name, cover on the same days: one statement for all lines with a
    number. Where another cell cannot be read, it counts as left empty: what follows from that is the caller's to leave out."""
    verdicts, rules = verdict_sql(schedule, COLUMNS, on=on, cover_start=cover.start)
    text = f"""
    WITH facts AS ({FACTS}),
    verdicts AS (SELECT facts.row_number, facts.same_as, facts.id_hash, facts.name, facts.renewal, facts.shares_held, known_id,
                        known_name, known_retired, facts.retired_on, {verdicts}
                 FROM facts),
    judged AS (SELECT row_number, same_as, id_hash, name, renewal, shares_held, known_id, known_name, known_retired, retired_on,
                      {every_rule_passes(schedule)} AS fits
               FROM verdicts)
    SELECT j.row_number, j.same_as, NOT j.fits, j.renewal, j.shares_held,
           COALESCE(j.known_name <> j.name, FALSE), c.here, r.corrected, j.known_retired, j.retired_on
    FROM judged j
    LEFT JOIN LATERAL (
        SELECT bool_or(e.unit_id IS NOT DISTINCT FROM %s) AS here FROM members_enrolment e
        WHERE e.member_id = j.known_id AND e.program_id = %s AND e.state = ANY(%s) AND e.cover && daterange(%s, %s)
    ) c ON TRUE
    CROSS JOIN LATERAL (SELECT COALESCE({REPLACED.format(line="j")}, FALSE) AS corrected) r
    WHERE j.same_as IS NOT NULL OR NOT j.fits OR j.known_name <> j.name OR c.here IS NOT NULL OR r.corrected
    ORDER BY j.row_number"""
    within = schedule.enrolling.renewal_within_days
    codes = list(schedule.enrolling.together_with)
    facts = [employment_of(roster.unit), roster.terms.program_id, cover.start, cover.start, within]
    facts += [codes, codes, list(LIVE), cover.start, cover.end]
    covered = [roster.unit_id, roster.terms.program_id, list(LIVE), cover.start, cover.end]
    with hashed():
        return [Finding(*row) for row in _ask(text, [*facts, *rules, *covered])]


Kind = tuple[str, str | None, bool | None, str | None, int]


def fee_groups() -> list[Kind]:
    """The kinds of lines that may be charged differently: (gender, risk of the work, holds a card, staff group, shares)."""
    text = """SELECT DISTINCT gender, risk, card_holder, staff_group, shares::int FROM staged s JOIN answers a ON a.id = s.answers
              WHERE readable ORDER BY 1, 2, 3, 4, 5"""
    return _ask(text, [])


# The list that this roster renews: whom the unit enrolled under the terms that ended last before this cover begins, as far as that
# was paid for, they are with the unit still, and their own cover has ended by then (of terms with several lengths some run on).
LAST_LIST = """
    SELECT e.member_id, e.shares, e.id, upper(e.cover) AS ended
    FROM members_enrolment e JOIN members_member who ON who.id = e.member_id AND who.unit_id = e.unit_id
    WHERE upper(e.cover) <= %(start)s
      AND e.unit_id = %(unit)s AND e.program_id = %(program)s AND e.state = 'effective' AND e.relation = 'self' AND e.terms_id = (
        SELECT l.terms_id FROM members_enrolment l
        WHERE l.unit_id = %(unit)s AND l.program_id = %(program)s AND l.state = 'effective' AND upper(l.cover) <= %(start)s
        ORDER BY upper(l.cover) DESC, l.terms_id DESC LIMIT 1)"""
# What a line becomes that stood well at first and cannot be enrolled after all.
UNFIT = "CASE WHEN change IN ('stayed', 'changed') THEN 'unfit' ELSE '' END"
# Whoever is known as husband, wife or child of a worker of this very unit and not as one of its workers: perhaps on the list by mistake.
KIN = """
    m.id IS NOT NULL AND last.member_id IS NULL AND m.unit_id IS DISTINCT FROM %(unit)s AND COALESCE(
        (SELECT TRUE FROM members_enrolment e
         WHERE e.member_id = m.id AND e.relation <> 'self' AND e.unit_id = %(unit)s AND e.state = ANY(%(live)s) LIMIT 1),
        (SELECT TRUE FROM members_joindraft d WHERE d.member_id = m.id AND d.relation <> 'self'
         AND (SELECT h.unit_id FROM members_member h WHERE h.id = d.holder_id) = %(unit)s LIMIT 1), FALSE)"""
KEEP = f"""
WITH last AS MATERIALIZED ({LAST_LIST})
INSERT INTO members_rosterrow (roster_id, row_number, name, id_masked, id_number, id_hash, phone, phone_hash, gender, birth_date,
                               shares, facts, outcome, reasons, problem, change, doubt, member_key, fee_fen)
SELECT %(roster)s, s.row_number, left(s.name, 200), s.id_masked,
       CASE WHEN bad.row_number IS NULL THEN s.id_number END, s.id_hash, CASE WHEN bad.row_number IS NULL THEN s.phone END, s.phone_hash,
       COALESCE(s.gender, ''), s.birth_date, s.shares,
       a.facts,
       CASE WHEN bad.row_number IS NULL THEN 'good' ELSE 'bad' END,
       COALESCE(bad.reasons, '{{}}'), COALESCE(bad.problem, ''),
       CASE WHEN last.member_id IS NOT NULL AND bad.problem <> 'duplicate' THEN 'unfit' WHEN bad.row_number IS NOT NULL THEN ''
            WHEN last.member_id IS NOT NULL AND last.shares = s.shares THEN 'stayed' WHEN last.member_id IS NOT NULL THEN 'changed'
            WHEN m.id IS NOT NULL AND (
                SELECT TRUE FROM members_enrolment e
                WHERE e.member_id = m.id AND e.program_id = %(program)s AND e.state = 'effective'
                      AND e.unit_id IS DISTINCT FROM %(unit)s AND upper(e.cover) <= %(start)s LIMIT 1) THEN 'moved' ELSE 'joined' END,
       CASE WHEN {KIN} THEN 'kin' ELSE '' END,
       s.member_key, COALESCE(fee.fee_fen, 0)
FROM staged s JOIN answers a ON a.id = s.answers
LEFT JOIN jsonb_to_recordset(%(bad)s::jsonb) AS bad(row_number integer, reasons jsonb, problem text) USING (row_number)
LEFT JOIN jsonb_to_recordset(%(fees)s::jsonb)
       AS fee(gender text, risk text, card boolean, staff_group text, shares int, fee_fen bigint)
       ON fee.gender = s.gender AND fee.risk IS NOT DISTINCT FROM a.risk AND fee.card IS NOT DISTINCT FROM a.card_holder
          AND fee.staff_group IS NOT DISTINCT FROM a.staff_group AND fee.shares = s.shares
LEFT JOIN recognised m ON m.row_number = s.row_number
LEFT JOIN last ON last.member_id = m.id"""


def keep(roster: Roster, cover: Period | None, bad: Sequence[Mapping[str, Any]], fees: Sequence[Mapping[str, Any]]) -> None:
    """The lines with their outcome, and how each stands against the unit's last list: stayed, changed, moved here, joined, no
    longer fit. `bad`: row_number, reasons, problem; `fees`: gender, risk, card, staff_group, shares, fee_fen."""
    told = {"bad": json.dumps(bad, ensure_ascii=False), "fees": json.dumps(fees)}
    with hashed():
        _run(KEEP, {**_last_list(roster, cover.start if cover else None), **told})


# Asked first whether there is a last list at all: the roster's lines are not looked at when there is none.
LEFT = f"""
WITH last AS MATERIALIZED ({LAST_LIST})
SELECT last.member_id FROM last CROSS JOIN LATERAL (SELECT p.id_hash FROM members_member p WHERE p.id = last.member_id OFFSET 0) m
WHERE EXISTS (SELECT 1 FROM last)
      AND NOT EXISTS (SELECT 1 FROM members_rosterrow r WHERE r.roster_id = %(roster)s AND r.id_hash = m.id_hash)
      AND (SELECT TRUE FROM members_enrolment n WHERE n.member_id = last.member_id AND n.program_id = %(program)s
           AND n.state = ANY(%(live)s) AND upper(n.cover) > %(start)s LIMIT 1) IS NULL
      AND last.member_id > %(after)s ORDER BY last.member_id LIMIT %(limit)s"""


def left_members(roster: Roster, start: date, *, after: int = 0, limit: int | None = None) -> list[int]:
    """The people of the unit's last list who are neither on this roster nor covered already: so many after this key, or all."""
    with hashed():
        return [key for (key,) in _ask(LEFT, {**_last_list(roster, start), "after": after, "limit": limit})]


SIZES = f"""
SELECT p.terms, count(*) FROM unnest(%(terms)s::bigint[], %(programs)s::bigint[], %(starts)s::date[]) AS p(terms, program, start)
JOIN LATERAL ({LAST_LIST.replace("%(program)s", "p.program").replace("%(start)s", "p.start")}) last ON TRUE GROUP BY 1"""


def last_list_sizes(unit: WorkUnit, starts: Sequence[tuple[int, int, date]]) -> dict[int, int]:
    """How many people are on the unit's last list for each (terms, program, first day of cover), by terms; none: left out."""
    names = {
        "unit": unit.pk,
        "terms": [terms for terms, _program, _start in starts],
        "programs": [program for _terms, program, _start in starts],
        "starts": [start for _terms, _program, start in starts],
    }
    return dict(_ask(SIZES, names))


def last_members(unit: WorkUnit, program_id: int, start: date) -> list[tuple[int, int]]:
    """(person, shares) of the unit's last list before this day."""
    names = {"unit": unit.pk, "program": program_id, "start": start}
    return [(key, shares) for key, shares, *_cover in _ask(LAST_LIST, names)]


def _last_list(roster: Roster, start: date | None) -> dict[str, Any]:
    return {"unit": roster.unit_id, "program": roster.terms.program_id, "live": list(LIVE), "start": start, "roster": roster.pk}


def share_counts(roster: Roster) -> Counter[tuple[str, int]]:
    """How many of the lines that may be enrolled there are, by gender and shares."""
    text = "SELECT gender, shares::int, count(*) FROM members_rosterrow WHERE roster_id = %s AND outcome = 'good' GROUP BY 1, 2"
    return Counter({(gender, shares): count for gender, shares, count in _ask(text, [roster.pk])})


def refuse_other_shares(roster: Roster, shares: int, reasons: Said) -> None:
    """Lines with another number of shares than the unit's cannot be enrolled."""
    text = f"""UPDATE members_rosterrow SET outcome = 'bad', problem = 'shares', reasons = %s::jsonb, change = {UNFIT},
                     id_number = NULL, phone = NULL
              WHERE roster_id = %s AND outcome = 'good' AND shares <> %s"""
    _run(text, [json.dumps(reasons), roster.pk, shares])


def refuse_replaced(roster: Roster, reasons: Said) -> int:
    """Lines whose number was replaced by a correction since they were checked cannot be enrolled; how many."""
    text = f"""UPDATE members_rosterrow l SET outcome = 'bad', problem = 'corrected', reasons = %s::jsonb, change = {UNFIT}, fee_fen = 0,
                     id_number = NULL, phone = NULL
              WHERE l.roster_id = %s AND l.outcome = 'good' AND {REPLACED.format(line="l")}"""
    return _run(text, [json.dumps(reasons), roster.pk])


def counts(roster: Roster) -> tuple[int, int, int]:
    """All lines, those that may be enrolled, and what they come to (fen)."""
    text = """SELECT count(*), count(*) FILTER (WHERE outcome = 'good'), COALESCE(sum(fee_fen) FILTER (WHERE outcome = 'good'), 0)
              FROM members_rosterrow WHERE roster_id = %s"""
    every, good, total = _ask(text, [roster.pk])[0]
    return every, good, int(total)


# --- enrolling ------------------------------------------------------------------------------------------------------

# Whoever is put in here was made by this roster; whoever a line names besides was known before.
MADE = """
CREATE TEMP TABLE made (id bigint) ON COMMIT DROP;
CREATE TEMP TABLE known (line integer, member_id bigint, facts jsonb) ON COMMIT DROP"""
PEOPLE = """
    INSERT INTO members_member (id, id_hash, name, gender, birth_date, unit_id, office_id, office_ids, unit_ids, employment,
                                basic_insurance, insurance_type, union_member, joined_unit_on, risk, card_holder, staff_group,
                                contract_months, retired_on)
    SELECT l.member_key, l.id_hash, l.name, l.gender, l.birth_date, %(unit)s, %(home)s,
           %(offices)s::bigint[], ARRAY[%(unit)s]::bigint[],
           COALESCE(NULLIF(l.facts->>'employment', ''), %(employment)s), COALESCE((l.facts->>'insurance')::boolean, TRUE),
           COALESCE(l.facts->>'insurance_type', ''), COALESCE((l.facts->>'union')::boolean, TRUE), (l.facts->>'joined')::date,
           COALESCE(l.facts->>'risk', ''), (l.facts->>'card')::boolean, COALESCE(l.facts->>'group', ''), (l.facts->>'contract')::smallint,
           (l.facts->>'retired')::date
    FROM members_rosterrow l WHERE l.roster_id = %(roster)s AND l.outcome = 'good' ORDER BY l.id_hash"""
SEALED = """
    INSERT INTO members_membersecret (member_id, id_number, phone, phone_hash)
    SELECT l.member_key, l.id_number, l.phone, l.phone_hash FROM members_rosterrow l {made}
    WHERE l.roster_id = %(roster)s AND l.outcome = 'good'"""
# Of a roster whose people were all new when it was checked: nobody is asked for again. Whoever is known by now ends the attempt.
ONLY_NEW_PEOPLE, ONLY_NEW_SEALED = PEOPLE, SEALED.format(made="")
NEW_PEOPLE = f"""
WITH made AS ({PEOPLE} ON CONFLICT (id_hash) DO NOTHING RETURNING id),
sealed AS ({SEALED.format(made="JOIN made ON made.id = l.member_key")} ORDER BY l.member_key)
INSERT INTO made SELECT id FROM made"""
KNOWN = f"""
INSERT INTO known SELECT l.row_number, m.id, l.facts
FROM members_rosterrow l CROSS JOIN LATERAL ({PERSON.format(line="l")}) m
WHERE l.roster_id = %(roster)s AND l.outcome = 'good' AND NOT EXISTS (SELECT 1 FROM made WHERE made.id = l.member_key)"""
# Shares under plans that count together as they stand now, with the people held: they may have changed since the check.
HELD_NOW = held_sql(member="known.member_id").replace("%s", "{}").format(
    *(f"%({name})s" for name in ("codes", "codes", "live", "start", "end"))
)
TOO_MANY_SHARES = f"""
WITH out AS (
    UPDATE members_rosterrow l
    SET outcome = 'bad', problem = 'shares', fee_fen = 0, id_number = NULL, phone = NULL, reasons = %(held_reasons)s::jsonb,
        change = {UNFIT}
    FROM known
    WHERE l.roster_id = %(roster)s AND known.line = l.row_number AND l.shares > %(most)s - {HELD_NOW} RETURNING l.row_number
)
DELETE FROM known USING out WHERE known.line = out.row_number"""
# Locked in the order of their keys, and looked up by them.
HOLD_KNOWN = "SELECT 1 FROM members_member WHERE id = ANY(ARRAY(SELECT member_id FROM known)) ORDER BY id FOR NO KEY UPDATE"
# Who is enrolled works here from now on; whom the database refused stays with the unit that covers them, and out of this one's sight.
KNOWN_PEOPLE = """
UPDATE members_member m
SET unit_id = %(unit)s, office_id = %(home)s,
    office_ids = CASE WHEN m.office_ids @> %(offices)s::bigint[] THEN m.office_ids
                      ELSE ARRAY(SELECT DISTINCT o FROM unnest(m.office_ids || %(offices)s::bigint[]) o ORDER BY o) END,
    unit_ids = CASE WHEN %(unit)s = ANY(m.unit_ids) THEN m.unit_ids ELSE m.unit_ids || %(unit)s::bigint END,
    employment = COALESCE(NULLIF(known.facts->>'employment', ''), NULLIF(m.employment, ''), %(employment)s),
    basic_insurance = COALESCE((known.facts->>'insurance')::boolean, m.basic_insurance, TRUE),
    insurance_type = COALESCE(known.facts->>'insurance_type', m.insurance_type),
    union_member = COALESCE((known.facts->>'union')::boolean, m.union_member, TRUE),
    joined_unit_on = COALESCE((known.facts->>'joined')::date, m.joined_unit_on),
    risk = COALESCE(known.facts->>'risk', m.risk), card_holder = COALESCE((known.facts->>'card')::boolean, m.card_holder),
    staff_group = COALESCE(known.facts->>'group', m.staff_group),
    contract_months = COALESCE((known.facts->>'contract')::smallint, m.contract_months),
    retired_on = COALESCE((known.facts->>'retired')::date, m.retired_on)
FROM known WHERE known.member_id = m.id AND m.id = ANY(ARRAY(SELECT member_id FROM known))"""
# The key in public addresses begins with the moment, as UUID version 7 does: its index grows at one end.
PUBLIC_ID = """((
    SELECT substr(moment, 1, 8) || '-' || substr(moment, 9, 4) || '-7'
    FROM lpad(to_hex((extract(epoch FROM statement_timestamp()) * 1000)::bigint), 12, '0') moment
) || substr(gen_random_uuid()::text, 16))::uuid"""
# The lines are marked and enrolled in one statement. Nobody else can have covered a person who is new: for these alone the insert
# need not ask first, and cover that stands already would end the transaction. They are put in with every 64th person first and the
# others between them: in the order of their keys each would widen the exclusion index up to its root.
COVERS = f"""
    INSERT INTO members_enrolment (public_id, office_id, member_id, holder_id, relation, unit_id, program_id, terms_id, roster_id,
                                   shares, cover, term_months, waiting_until, waiting_waived, first_time, days_since_cover,
                                   contribution_fen, refundable, state, version)
    SELECT {PUBLIC_ID}, %(office)s, r.member_key, r.member_key, 'self', %(unit)s, %(program)s, %(terms)s, %(roster)s, r.shares,
           {{days}}, %(term)s::smallint, {{waiting}}, r.fee_fen, r.refundable, 'contribution_due', 1
    FROM {{lines}} ORDER BY {{order}}"""
# Whoever had no cover before stands above every waiver.
OF_NEW = COVERS.format(
    days="daterange(%(start)s, %(end)s)",
    waiting="(%(untils)s::date[])[cardinality(%(untils)s::date[])], FALSE, TRUE, NULL::integer",
    lines="of_new r",
    order="r.member_key %% 64, r.member_key",
)
OF_KNOWN = COVERS.format(
    days="""daterange(b.first, CASE WHEN b.first = %(start)s::date THEN %(end)s::date
                                   ELSE (b.first + make_interval(months => %(term)s::int))::date END)""",
    waiting="w.until, w.until IS NULL AND w.place < cardinality(%(untils)s::date[]), before.ended IS NULL, b.first - before.ended",
    lines="""of_known r
    CROSS JOIN LATERAL (
        SELECT max(upper(e.cover)) AS ended FROM members_enrolment e
        WHERE e.member_id = r.member_key AND e.program_id = %(program)s AND e.state = 'effective' AND upper(e.cover) <= %(start)s
    ) before
    CROSS JOIN LATERAL (SELECT CASE WHEN before.ended >= %(start)s::date - %(follows)s
                                    THEN GREATEST(before.ended, %(period)s::date) ELSE %(start)s::date END AS first) b
    CROSS JOIN LATERAL (SELECT 1 + COALESCE(width_bucket(b.first - before.ended, %(sinces)s::int[]),
                                            cardinality(%(sinces)s::int[])) AS place) p
    CROSS JOIN LATERAL (SELECT p.place, (%(untils)s::date[])[p.place] AS until) w""",
    order="r.member_key",
)
MARK = """
    UPDATE members_rosterrow r
    SET id_number = NULL, phone = NULL, outcome = 'enrolled', fee_fen = fee.fee_fen, member_key = {person}
    FROM {known} jsonb_to_recordset(%(fees)s::jsonb)
           AS fee(gender text, risk text, card boolean, staff_group text, shares int, fee_fen bigint, refundable boolean)
    WHERE r.roster_id = %(roster)s AND r.outcome = 'good' AND {which}
          AND fee.fee_fen IS NOT NULL AND fee.gender = r.gender AND fee.risk IS NOT DISTINCT FROM r.facts->>'risk' AND fee.shares = r.shares
          AND fee.card IS NOT DISTINCT FROM (r.facts->>'card')::boolean AND fee.staff_group IS NOT DISTINCT FROM r.facts->>'group'
    RETURNING r.member_key, r.shares, r.fee_fen, fee.refundable"""
ONLY_NEW_COVERS = f"""
WITH of_new AS ({MARK.format(person="r.member_key", known="", which="TRUE")}){OF_NEW}"""
ENROL = f"""
WITH of_new AS ({MARK.format(person="r.member_key", known="", which="NOT EXISTS (SELECT 1 FROM known WHERE known.line = r.row_number)")}),
of_known AS ({MARK.format(person="known.member_id", known="known CROSS JOIN", which="known.line = r.row_number")}),
new AS ({OF_NEW})
{OF_KNOWN} ON CONFLICT DO NOTHING"""
# Whom the database refused, since they have cover by now, and those for whom the plan names no contribution any more. They are none of
# the people that are brought up to date.
TOO_LATE = f"""
WITH out AS (
    UPDATE members_rosterrow
    SET outcome = 'bad', problem = 'covered', fee_fen = 0, id_number = NULL, phone = NULL, reasons = %(reasons)s::jsonb, change = {UNFIT}
    WHERE roster_id = %(roster)s AND (outcome = 'good' OR outcome = 'enrolled' AND row_number = ANY(ARRAY(
        SELECT known.line FROM known
        WHERE NOT EXISTS (SELECT 1 FROM members_enrolment e WHERE e.roster_id = %(roster)s AND e.member_id = known.member_id))))
    RETURNING row_number
), refused AS (DELETE FROM known USING out WHERE known.line = out.row_number)
SELECT count(*) FROM out"""


class KnownByNow(Exception):
    """Somebody of a roster of new people is known since it was checked."""


def enrol(
    roster: Roster,
    schedule: Schedule,
    cover: Period,
    fees: Sequence[Mapping[str, Any]],
    *,
    lines: int,
    only_new: bool,
    late_reasons: Said,
    held_reasons: Said,
) -> int:
    """Make the people nobody knows yet, fill in those who are known, enrol all, and mark the lines; how many lines stood well and are
    not enrolled after all. `lines`: how many stand well; where all of them are new people, nothing is asked of those known before.
    `only_new`: all were new when the roster was checked; KnownByNow when that holds no more, and the caller's savepoint is to be
    rolled back. Whom the database refuses, since cover on some of these days exists by now, becomes a line with `late_reasons`; who
    holds too many shares under plans that count together by now, one with `held_reasons`. People are taken in the order of a key, so
    that two rosters at once wait for each other and never lock each other out."""
    sinces, untils = waits_by_waiver(schedule, cover.start)
    names = {
        "roster": roster.pk,
        "unit": roster.unit_id,
        "office": roster.office_id,
        # The unit may have gone to another office since: that one is its people's, the roster's stays responsible for the cover.
        "home": roster.unit.office_id,
        "offices": sorted({roster.unit.office_id, roster.office_id}),
        "program": roster.terms.program_id,
        "terms": roster.terms_id,
        "employment": employment_of(roster.unit),
        "start": cover.start,
        "end": cover.end,
        "term": schedule.term(roster.term_months),
        "fees": json.dumps(fees),
        "follows": -1 if schedule.follows_on_within is None else schedule.follows_on_within,
        "period": schedule.period.start,
        "sinces": sinces,
        "untils": untils,
        "reasons": json.dumps(late_reasons),
        "held_reasons": json.dumps(held_reasons),
        "codes": list(schedule.enrolling.together_with),
        "most": schedule.enrolling.max_shares,
        "live": list(LIVE),
    }
    _run(f"{PATIENCE}; DROP TABLE IF EXISTS pg_temp.made, pg_temp.known; {MADE}", None)
    with hashed():
        if only_new and _enrol_new(names) == lines:
            return 0
        if only_new:
            return int(_ask(TOO_LATE, names)[0][0])
        return _enrol_mixed(names, lines, asked_anew=bool(schedule.enrolling.together_with))


def _enrol_new(names: Mapping[str, Any]) -> int:
    """People, sealed numbers, covers of a roster of new people; how many covers."""
    try:
        _run(ONLY_NEW_PEOPLE, names)
    except IntegrityError as error:
        if "id_hash" not in str(error):
            raise
        raise KnownByNow from error
    _run(ONLY_NEW_SEALED, names)
    return _run(ONLY_NEW_COVERS, names)


def _enrol_mixed(names: Mapping[str, Any], lines: int, *, asked_anew: bool) -> int:
    """The same for a roster of which some may be known; how many lines are not enrolled after all."""
    lost, some_known = 0, _run(NEW_PEOPLE, names) < lines
    if some_known:
        for statement in (KNOWN, HOLD_KNOWN):
            _run(statement, names)
        lost = _run(TOO_MANY_SHARES, names) if asked_anew else 0
    _run(ENROL, names)
    lost += int(_ask(TOO_LATE, names)[0][0])
    if some_known:
        _run(KNOWN_PEOPLE, names)
    return lost


def kinds_of(roster: Roster, outcome: str) -> list[tuple[Kind, int]]:
    """The lines with this outcome by what they may be charged by, and how many there are of each kind."""
    text = """SELECT gender, facts->>'risk', (facts->>'card')::boolean, facts->>'group', shares::int, sum(count)::int
              FROM (SELECT gender, facts, shares, count(*) FROM members_rosterrow WHERE roster_id = %s AND outcome = %s
                    GROUP BY 1, 2, 3) alike
              GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
    return [(tuple(kind), count) for *kind, count in _ask(text, [roster.pk, outcome])]


def _ask(text: str, params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall()


def _run(text: str, params: Any) -> int:
    """How many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return int(cursor.rowcount)
