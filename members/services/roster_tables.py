"""Rosters in SQL: lines staged by COPY, judged in one statement, kept, held against the unit's last list. The number of statements is
the same for ten lines and for a hundred thousand. How they are enrolled: `roster_enrolling.py`.

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

from django.db import connection

from members.facts import held_sql, renews_sql
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
    run("SET LOCAL enable_nestloop = off", None)
    yield
    run("SET LOCAL enable_nestloop = DEFAULT", None)


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
        return [Finding(*row) for row in ask(text, [*facts, *rules, *covered])]


Kind = tuple[str, str | None, bool | None, str | None, int]


def fee_groups() -> list[Kind]:
    """The kinds of lines that may be charged differently: (gender, risk of the work, holds a card, staff group, shares)."""
    text = """SELECT DISTINCT gender, risk, card_holder, staff_group, shares::int FROM staged s JOIN answers a ON a.id = s.answers
              WHERE readable ORDER BY 1, 2, 3, 4, 5"""
    return ask(text, [])


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
        run(KEEP, {**_last_list(roster, cover.start if cover else None), **told})


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
        return [key for (key,) in ask(LEFT, {**_last_list(roster, start), "after": after, "limit": limit})]


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
    return dict(ask(SIZES, names))


def last_members(unit: WorkUnit, program_id: int, start: date) -> list[tuple[int, int]]:
    """(person, shares) of the unit's last list before this day."""
    names = {"unit": unit.pk, "program": program_id, "start": start}
    return [(key, shares) for key, shares, *_cover in ask(LAST_LIST, names)]


def _last_list(roster: Roster, start: date | None) -> dict[str, Any]:
    return {"unit": roster.unit_id, "program": roster.terms.program_id, "live": list(LIVE), "start": start, "roster": roster.pk}


def share_counts(roster: Roster) -> Counter[tuple[str, int]]:
    """How many of the lines that may be enrolled there are, by gender and shares."""
    text = "SELECT gender, shares::int, count(*) FROM members_rosterrow WHERE roster_id = %s AND outcome = 'good' GROUP BY 1, 2"
    return Counter({(gender, shares): count for gender, shares, count in ask(text, [roster.pk])})


def refuse_other_shares(roster: Roster, shares: int, reasons: Said) -> None:
    """Lines with another number of shares than the unit's cannot be enrolled."""
    text = f"""UPDATE members_rosterrow SET outcome = 'bad', problem = 'shares', reasons = %s::jsonb, change = {UNFIT},
                     id_number = NULL, phone = NULL
              WHERE roster_id = %s AND outcome = 'good' AND shares <> %s"""
    run(text, [json.dumps(reasons), roster.pk, shares])


def refuse_replaced(roster: Roster, reasons: Said) -> int:
    """Lines whose number was replaced by a correction since they were checked cannot be enrolled; how many."""
    text = f"""UPDATE members_rosterrow l SET outcome = 'bad', problem = 'corrected', reasons = %s::jsonb, change = {UNFIT}, fee_fen = 0,
                     id_number = NULL, phone = NULL
              WHERE l.roster_id = %s AND l.outcome = 'good' AND {REPLACED.format(line="l")}"""
    return run(text, [json.dumps(reasons), roster.pk])


def counts(roster: Roster) -> tuple[int, int, int]:
    """All lines, those that may be enrolled, and what they come to (fen)."""
    text = """SELECT count(*), count(*) FILTER (WHERE outcome = 'good'), COALESCE(sum(fee_fen) FILTER (WHERE outcome = 'good'), 0)
              FROM members_rosterrow WHERE roster_id = %s"""
    every, good, total = ask(text, [roster.pk])[0]
    return every, good, int(total)


def ask(text: str, params: Any) -> list[Any]:
    """The rows that it finds."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall()


def run(text: str, params: Any) -> int:
    """How many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return int(cursor.rowcount)
