"""A roster's good lines enrolled in SQL: the people, their sealed numbers, their covers, by INSERT … SELECT. The number of statements is
the same for ten lines and for a hundred thousand.

Everything runs inside an open scope that shows everyone (`everywhere`), in the caller's transaction.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError

from members.facts import held_sql, waits_by_waiver
from members.models import Roster
from members.services.roster_rows import employment_of
from members.services.roster_tables import PATIENCE, PERSON, UNFIT, Kind, ask, hashed, run
from members.transitions import LIVE
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import Period
from unionaid.web.said import Said

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
    run(f"{PATIENCE}; DROP TABLE IF EXISTS pg_temp.made, pg_temp.known; {MADE}", None)
    with hashed():
        if only_new:
            return 0 if _enrol_new(names) == lines else _refuse_late(names)
        return _enrol_mixed(names, lines, asked_anew=bool(schedule.enrolling.together_with))


def _enrol_new(names: Mapping[str, Any]) -> int:
    """People, sealed numbers, covers of a roster of new people; how many covers."""
    try:
        run(ONLY_NEW_PEOPLE, names)
    except IntegrityError as error:
        if "id_hash" not in str(error):
            raise
        raise KnownByNow from error
    run(ONLY_NEW_SEALED, names)
    return run(ONLY_NEW_COVERS, names)


def _enrol_mixed(names: Mapping[str, Any], lines: int, *, asked_anew: bool) -> int:
    """The same for a roster of which some may be known; how many lines are not enrolled after all."""
    lost, some_known = 0, run(NEW_PEOPLE, names) < lines
    if some_known:
        for statement in (KNOWN, HOLD_KNOWN):
            run(statement, names)
        lost = run(TOO_MANY_SHARES, names) if asked_anew else 0
    run(ENROL, names)
    lost += _refuse_late(names)
    if some_known:
        run(KNOWN_PEOPLE, names)
    return lost


def _refuse_late(names: Mapping[str, Any]) -> int:
    return int(ask(TOO_LATE, names)[0][0])


def kinds_of(roster: Roster, outcome: str) -> list[tuple[Kind, int]]:
    """The lines with this outcome by what they may be charged by, and how many there are of each kind."""
    text = """SELECT gender, facts->>'risk', (facts->>'card')::boolean, facts->>'group', shares::int, sum(count)::int
              FROM (SELECT gender, facts, shares, count(*) FROM members_rosterrow WHERE roster_id = %s AND outcome = %s
                    GROUP BY 1, 2, 3) alike
              GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
    return [(tuple(kind), count) for *kind, count in ask(text, [roster.pk, outcome])]
