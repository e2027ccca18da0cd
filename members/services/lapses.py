"""Lapses (断保): those of a unit's last list whom its renewal did not enrol are told what ends when, and how to go on.

A renewal is often sent in as several lists: who left is told some days after the enrolment, when the lines that had to be corrected are
in as well, and once for each cover. Whoever has cover by then hears nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, gettext_lazy

from members.models import Roster, RosterRow, WorkUnit
from members.services.agent_news import tell_agents
from members.services.agents import members_acting
from members.services.roster_tables import LAST_LIST, PATIENCE, hashed
from members.transitions import LIVE
from programs.models import Terms
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.lib.calendar import day_of, plus_days
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.web.said import Said, line
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.notices import Told, tell_each

PART = 2_000
WAIT_DAYS = 3  # for the unit's corrected lines; the house's own figure
# Of the last list, whose cover no other follows; a cover that ended too long ago to be renewed is not followed by anything.
NOT_FOLLOWED = """last.ended >= %(start)s::date - %(within)s AND (
        SELECT TRUE FROM members_enrolment n WHERE n.member_id = last.member_id AND n.program_id = %(program)s
        AND n.state = ANY(%(live)s) AND upper(n.cover) > %(start)s LIMIT 1) IS NULL"""
# The next part of them, and why; written down once for each cover.
LAPSE = f"""
WITH last AS MATERIALIZED ({LAST_LIST}),
unfit AS MATERIALIZED (
    SELECT DISTINCT ON (id_hash) id_hash, reasons FROM members_rosterrow
    WHERE roster_id = %(roster)s AND outcome = 'bad' AND change = 'unfit' ORDER BY id_hash, row_number),
part AS MATERIALIZED (
    SELECT last.member_id, last.id, last.ended, unfit.reasons
    FROM last CROSS JOIN LATERAL (SELECT p.id_hash FROM members_member p WHERE p.id = last.member_id OFFSET 0) who
    LEFT JOIN unfit ON unfit.id_hash = who.id_hash
    WHERE last.member_id > %(after)s AND {NOT_FOLLOWED}
    ORDER BY last.member_id LIMIT %(limit)s),
made AS (
    INSERT INTO members_lapse (roster_id, enrolment_id, why)
    SELECT %(roster)s::bigint, part.id, CASE WHEN part.reasons IS NOT NULL THEN 'unfit' WHEN %(roster)s::bigint IS NULL THEN 'no_list'
                                             ELSE 'left' END FROM part
    ON CONFLICT (enrolment_id) DO NOTHING RETURNING enrolment_id)
SELECT part.member_id, part.ended, part.reasons, made.enrolment_id IS NOT NULL
FROM part LEFT JOIN made ON made.enrolment_id = part.id ORDER BY part.member_id"""

TITLE = gettext_lazy("您的互助保障没有续上")
_LEFT = gettext_lazy("“{unit}”这一期的名册里没有您，“{program}”没有续上。您上一份保障到{last}（含当天）为止，之后没有保障。")
_NO_LIST = gettext_lazy("“{unit}”这一期没有登记“{program}”的名册，没有续上。您上一份保障到{last}（含当天）为止，之后没有保障。")
_UNFIT = gettext_lazy("“{unit}”为您续保“{program}”，没有通过核对：{reasons}。您上一份保障到{last}（含当天）为止，之后没有保障。")
# How to go on: alone, by the unit's list, or in the next period.
_ALONE = gettext_lazy("想接着参加的，{closes}前（含当天）可以自己在网上参加，也可以请单位经办人补报。")
_BY_LIST = gettext_lazy("想接着参加的，请在{closes}前（含当天）告诉单位经办人补报；已经换了单位的，请告诉新单位的经办人。")
_PUT_RIGHT = gettext_lazy("登记有误或情况已经变了的，请在{closes}前（含当天）告诉单位经办人，改好后补报。")
_TOO_LATE = gettext_lazy("这一期的参加时间已经过了。下一期什么时候可以参加，请问单位经办人或办事处。")
_joined = lazy(lambda *sentences: (" " if (get_language() or "").startswith("en") else "").join(map(str, sentences)), str)
_said = lazy(lambda said: line(said).rstrip("。."), str)  # zh: the sentence around it ends with its own


@dataclass(frozen=True, slots=True)
class _Lapsed:
    """Whose cover ended, the first day without it, why the line was refused (None: there was no line), and whether that is news."""

    member_id: int
    ended: date
    reasons: Said | None
    is_news: bool


def tell(roster_id: int, run: Run, *, on: date) -> dict[str, Any] | None:
    """Tell the next part of those whom an enrolled roster leaves without cover; at the end the unit's agents, of how many. Waits first
    while there is still time for a corrected list. Running it again tells nobody twice. A constant number of statements."""
    with everywhere(reason="tell those whom a renewal leaves out"):
        roster = Roster.objects.select_related("unit", "terms__program").get(pk=roster_id)
        schedule = schedule_of(roster.terms)
        if roster.state not in ("committed", "effective") or not (roster.left_count or _any_unfit(roster)):
            return None
        if not run.cursor and plus_days(on, 2 * WAIT_DAYS) <= schedule.enrolling.closes:
            run.wait = timedelta(days=WAIT_DAYS)
            return {"after": 0}
        part = _next_part(roster, schedule, after=run.cursor.get("after", 0))
        told = [_told(one, roster.unit.name, roster.terms, _LEFT, on=on) for one in part if one.is_news]
        tell_each(told, office_id=roster.office_id)
        run.done += len(told)
        if len(part) == PART:
            return {"after": part[-1].member_id}
        if run.done:
            _tell_agents(roster, schedule, run.done, on=on)
    return None


def _any_unfit(roster: Roster) -> bool:
    return RosterRow.objects.filter(roster=roster, outcome="bad", change="unfit").exists()


def _next_part(roster: Roster, schedule: Schedule, *, after: int) -> Sequence[_Lapsed]:
    checked_on = roster.checked_on or day_of(roster.uploaded_at)
    cover = schedule.cover(on=checked_on, term_months=roster.term_months)
    start = (cover or schedule.period).start
    return _lapsed(roster.unit_id, roster.terms.program_id, schedule, start=start, roster=roster.pk, after=after)


def _lapsed(unit: int, program: int, schedule: Schedule, *, start: date, roster: int | None, after: int) -> Sequence[_Lapsed]:
    names = {"unit": unit, "roster": roster, "after": after, "limit": PART, **_renewal(program, schedule, start)}
    with hashed(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(LAPSE, names)
        return [_Lapsed(key, ended, reasons and json.loads(reasons), news) for key, ended, reasons, news in cursor.fetchall()]


def _renewal(program: int, schedule: Schedule, start: date) -> dict[str, Any]:
    """What is asked of a cover that ended: under which plan, and from which day on another would follow it."""
    return {"program": program, "live": list(LIVE), "start": start, "within": schedule.enrolling.renewal_within_days}


def _told(one: _Lapsed, unit: str, terms: Terms, left: Promise, *, on: date) -> Told:
    schedule = schedule_of(terms)
    how = _how_to_go_on(one, schedule, on=on)
    values = {
        "unit": unit, "program": terms.program.title, "last": plus_days(one.ended, -1), "closes": schedule.enrolling.closes,
        "reasons": _said(one.reasons or {}),
    }  # fmt: skip
    link = f"/my/plans/{terms.pk}" if how is _ALONE else "/my/"
    return Told(one.member_id, TITLE, _joined(left if one.reasons is None else _UNFIT, how), link, values)


def _how_to_go_on(one: _Lapsed, schedule: Schedule, *, on: date) -> Promise:
    if on > schedule.enrolling.closes:
        return _TOO_LATE
    if one.reasons is not None:
        return _PUT_RIGHT
    return _ALONE if schedule.enrolling.individual else _BY_LIST


def _tell_agents(roster: Roster, schedule: Schedule, count: int, *, on: date) -> None:
    """Which people, the agents see on the roster's page."""
    if on > schedule.enrolling.closes:
        how = gettext_lazy("请打开名册看是哪些人。")
    else:
        how = gettext_lazy("请打开名册看是哪些人，漏报的可以在参加期内补报。")
    text = gettext_lazy("“{unit}”的“{program}”有 {count} 人上期在册、这次没有续上，已经逐个通知本人。")
    link, told = f"/unit/rosters/{roster.pk}?only=lapsed#lines", {"program": roster.terms.program.title, "count": f"{count:,}"}
    tell_agents(roster.unit, gettext_lazy("有人没有续保"), _joined(text, how), link=link, **told)


# -- units that send in no list at all -------------------------------------------------------------------------------

REMIND_BEFORE = 7  # days before the window closes; the house's own figure
SAID_WITHIN = 30  # days after it has closed; what lies further back is no news
UNITS = 200
# The next units whose last list nobody renewed under these terms, and how many of it have no cover that follows. A list that waits to be
# confirmed, or came to nothing, renews nobody.
UNRENEWED = f"""
SELECT u.id, u.name, u.office_id, u.state, list.people
FROM (
    SELECT DISTINCT r.unit_id FROM members_roster r
    WHERE r.terms_id IN (SELECT t.id FROM programs_terms t WHERE t.program_id = %(program)s AND t.id <> %(terms)s)
          AND r.state = 'effective' AND r.unit_id > %(after)s AND NOT EXISTS (
              SELECT 1 FROM members_roster n WHERE n.unit_id = r.unit_id AND n.terms_id = %(terms)s AND n.state <> ALL(%(unsent)s))
    ORDER BY r.unit_id LIMIT %(limit)s) before
JOIN members_workunit u ON u.id = before.unit_id
CROSS JOIN LATERAL (
    SELECT count(*) AS people FROM ({LAST_LIST.replace("%(unit)s", "u.id")}) last
    WHERE {NOT_FOLLOWED}) list
ORDER BY u.id"""
UNSENT = ["uploaded", "checked", "unreadable", "cancelled", "returned"]
_LAST_DAYS = gettext_lazy("参加期快结束，本期名册还没有登记")
_STILL_TIME = gettext_lazy(
    "“{unit}”上期有 {count} 人参加“{program}”，本期的名册还没有登记。参加期到{closes}（含当天）为止，请在这之前上传并确认名册。"
)
_CLOSED = gettext_lazy("“{unit}”这一期没有登记“{program}”的名册，参加期已过。上期的 {count} 人没有续上，已经逐个通知本人。")


@dataclass(frozen=True, slots=True)
class _Unrenewed:
    """A unit, and how many of its last list have no cover that follows."""

    pk: int
    name: str
    office_id: int
    state: str
    people: int


def find(on: date) -> None:
    """Write one job for all terms whose window closes soon, and one for those whose window has just closed: each once."""
    for terms in Terms.objects.filter(state="published", period__endswith__gt=plus_days(on, -SAID_WITHIN)).order_by("pk"):
        closes = schedule_of(terms).enrolling.closes
        if schedule_of(terms).enrolling.opens <= on and plus_days(closes, -REMIND_BEFORE) <= on <= closes:
            enqueue("members.remind_renewal", [(terms.pk, f"members.remind_renewal:{terms.pk}", None)], by=SYSTEM)
        elif closes < on <= plus_days(closes, SAID_WITHIN):
            enqueue("members.tell_unrenewed", [(terms.pk, f"members.tell_unrenewed:{terms.pk}", None)], by=SYSTEM)


def remind(terms_id: int, run: Run, *, on: date) -> dict[str, Any] | None:
    """Tell the agents of the next units that sent in no list that the window closes soon. A constant number of statements an office."""
    with everywhere(reason="tell the agents of units that renewed nobody"):
        terms = Terms.objects.select_related("program").get(pk=terms_id)
        closes = schedule_of(terms).enrolling.closes
        if on > closes:
            return None
        units = _unrenewed(terms, after=run.cursor.get("after", 0), limit=UNITS)
        found = {unit.pk: unit for unit in units if unit.people and unit.state == "approved"}
        told = dict[int, list[Told]]()
        for unit_id, member_id in members_acting(found, on=on):
            unit = found[unit_id]
            values = {"unit": unit.name, "count": f"{unit.people:,}", "program": terms.program.title, "closes": closes}
            link = f"/unit/units/{unit.pk}/rosters/new/{terms.pk}"
            told.setdefault(unit.office_id, []).append(Told(member_id, _LAST_DAYS, _STILL_TIME, link, values))
        for office_id, several in told.items():
            tell_each(several, office_id=office_id)
            run.done += len(several)
    return {"after": units[-1].pk} if len(units) == UNITS else None


def tell_unrenewed(terms_id: int, run: Run, *, on: date) -> dict[str, Any] | None:
    """Tell the next part of those whose unit sent in no list while the window was open; at the end of each unit its agents, of how many.
    Nobody is told twice. A constant number of statements."""
    with everywhere(reason="tell those whose unit renewed nobody"):
        terms = Terms.objects.select_related("program").get(pk=terms_id)
        schedule, after = schedule_of(terms), run.cursor.get("after", 0)
        unit = next(iter(_unrenewed(terms, after=run.cursor.get("unit", 0), limit=1)), None)
        if unit is None:
            return None
        part = _lapsed(unit.pk, terms.program_id, schedule, start=schedule.period.start, roster=None, after=after) if unit.people else []
        told = [_told(one, unit.name, terms, _NO_LIST, on=on) for one in part if one.is_news]
        tell_each(told, office_id=unit.office_id)
        count = run.cursor.get("told", 0) + len(told)
        run.done += len(told)
        if len(part) == PART:
            return {**run.cursor, "after": part[-1].member_id, "told": count}
        if count:
            values = {"program": terms.program.title, "count": f"{count:,}"}
            tell_agents(WorkUnit.objects.get(pk=unit.pk), gettext_lazy("有人没有续保"), _CLOSED, **values)
    return {"unit": unit.pk}


def _unrenewed(terms: Terms, *, after: int, limit: int) -> list[_Unrenewed]:
    schedule = schedule_of(terms)
    renewal = _renewal(terms.program_id, schedule, schedule.period.start)
    names = {"terms": terms.pk, "after": after, "limit": limit, "unsent": UNSENT, **renewal}
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(UNRENEWED, names)
        return [_Unrenewed(*row) for row in cursor.fetchall()]
