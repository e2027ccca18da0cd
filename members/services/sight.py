"""Who a unit sees (`Member.unit_ids`), and when that ends: once nothing binds the person to it any more, its agents find nobody.

What binds: working there, cover through the unit that runs or is yet to be paid for, a correction that the unit asked for and that
the office has not decided, and what upper floors say (`binding`). A person who retired stays with the unit they retired from.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db import connection

from members.models import Member
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import record

JOB = "members.end_sight"
WINDOW = 20_000  # people of one transaction

# (person, unit)
Pair = tuple[int, int]
Binding = Callable[[Sequence[Pair]], set[Pair]]
BINDINGS: list[Binding] = []


def binding(speak: Binding) -> Binding:
    """Register what else binds a person to a unit: of these pairs, those that stay. Upper floors register theirs in `jobs.py`."""
    BINDINGS.append(speak)
    return speak


def find(on: date) -> None:
    """Write the job that looks at everyone once on this day."""
    enqueue(JOB, [(0, f"{JOB}:{on}", None)], by=SYSTEM)


# Everyone in a stretch of keys; everyone whom a roster enrolled, who may have come from another unit.
_STRETCH = "SELECT id FROM members_member WHERE id > %(after)s AND id <= %(until)s"
_OF_ROSTER = "SELECT member_id FROM members_enrolment WHERE roster_id = %(roster)s AND member_id > %(after)s AND member_id <= %(until)s"
# A spouse or child works nowhere: they are seen where the one through whom they join works. Whoever is being changed at this moment
# is left to the next night.
_UNBOUND = """
WITH seen AS (
    SELECT m.id, m.unit_id, m.guardian_id, m.unit_ids FROM members_member m
    WHERE m.id IN ({people}) AND (m.guardian_id IS NOT NULL OR NOT m.unit_ids <@ ARRAY[m.unit_id])
    ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED
)
SELECT s.id, u FROM seen s CROSS JOIN LATERAL unnest(s.unit_ids) u LEFT JOIN members_member g ON g.id = s.guardian_id
WHERE u IS DISTINCT FROM CASE WHEN s.guardian_id IS NULL THEN s.unit_id ELSE g.unit_id END
  AND NOT EXISTS (
    SELECT 1 FROM members_enrolment e WHERE e.unit_id = u AND (e.member_id = s.id OR e.holder_id = s.id)
       AND (e.state = 'contribution_due' OR e.state = 'effective' AND upper(e.cover) > %(on)s))
  AND NOT EXISTS (SELECT 1 FROM members_correction c WHERE c.unit_id = u AND c.member_id = s.id AND c.state = 'asked')
ORDER BY 1, 2"""
_END = """
UPDATE members_member m SET unit_ids = ARRAY(SELECT x FROM unnest(m.unit_ids) x WHERE x <> ALL(gone.units) ORDER BY x)
FROM (SELECT person, array_agg(unit) AS units FROM unnest(%(people)s::bigint[], %(units)s::bigint[]) AS p(person, unit) GROUP BY 1) gone
WHERE gone.person = m.id"""

# A child is where the parent works.
_WARDS = """
UPDATE members_member w SET unit_id = g.unit_id, office_id = coalesce(g.office_id, w.office_id),
  unit_ids = ARRAY(SELECT DISTINCT x FROM unnest(w.unit_ids || g.unit_id) x WHERE x IS NOT NULL ORDER BY x),
  office_ids = ARRAY(SELECT DISTINCT x FROM unnest(w.office_ids || g.office_id) x WHERE x IS NOT NULL ORDER BY x)
FROM members_member g
WHERE g.id IN ({people}) AND w.guardian_id = g.id AND w.guardian_id IS NOT NULL AND w.unit_id IS DISTINCT FROM g.unit_id"""


def take_wards_along(people: Sequence[int]) -> None:
    """The minor children of these people are with the unit and the office where the people themselves are now. One statement; runs in
    an open scope that shows everyone."""
    with connection.cursor() as cursor:
        cursor.execute(_WARDS.format(people="SELECT unnest(%(people)s::bigint[])"), {"people": list(people)})


def end_for_all(run: Run) -> dict[str, Any] | None:
    """The next stretch of people. Running it again does nothing; stopped anywhere, it goes on behind the last stretch."""
    with everywhere(reason="which units nothing binds people to any more"):
        last = Member.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        return _next(_STRETCH, {}, run, last=last)


def end_after_roster(roster_id: int, run: Run) -> dict[str, Any] | None:
    """The same for those whom this roster enrolled: who was moved by it is seen by the old unit only while something binds them."""
    with everywhere(reason="which units nothing binds a roster's people to any more"):
        people = Member.objects.filter(enrolments__roster_id=roster_id).order_by("-pk")
        return _next(_OF_ROSTER, {"roster": roster_id}, run, last=people.values_list("pk", flat=True).first() or 0)


def _next(people: str, names: dict[str, Any], run: Run, *, last: int) -> dict[str, Any] | None:
    after = run.cursor.get("after", 0)
    first = Member.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True).first() or after
    until = max(after, first - 1) + WINDOW  # keys that nobody has any more are passed over
    ended = _end(people, {**names, "after": after, "until": until, "on": run.on}, by=run.by)
    run.done, run.total = min(until, last), last
    run.result = {"ended": run.result.get("ended", 0) + ended}
    return {"after": until} if until < last else None


def _end(people: str, names: dict[str, Any], *, by: Actor) -> int:
    """How many pairs of a person and a unit were taken apart. The same statements for one as for thousands."""
    with connection.cursor() as cursor:
        cursor.execute(_WARDS.format(people=people), names)
        cursor.execute(_UNBOUND.format(people=people), names)
        pairs: list[Pair] = cursor.fetchall()
        bound = {pair for speak in BINDINGS for pair in speak(pairs)} if pairs else set()
        gone = [pair for pair in pairs if pair not in bound]
        if not gone:
            return 0
        cursor.execute(_END, {"people": [person for person, _unit in gone], "units": [unit for _person, unit in gone]})
    units: dict[int, list[int]] = {}
    for person, unit in gone:
        units.setdefault(person, []).append(unit)
    record(list(Member.objects.filter(pk__in=units)), "end_sight", by=by, each={key: {"units": ids} for key, ids in units.items()})
    return len(gone)
