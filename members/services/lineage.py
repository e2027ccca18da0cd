"""Merger and division of units (合并、分立): the office decides, a job carries the rows along, the history stays.

Each kind of row is carried by a function of the floor that owns it (`carrier`), set-based and in a constant number of
statements, so that ten people or fifty thousand take the same. Every function may run any number of times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import (
    AgentChange,
    CarriedEnrolment,
    ContributionDue,
    Correction,
    Departure,
    Enrolment,
    LineageMember,
    Member,
    Roster,
    UnitChange,
    UnitLineage,
    WorkUnit,
)
from members.services.people import id_hash
from members.services.units import FIELDS, UnitRefused, checked, complete, refusals
from members.transitions import LIVE, ROSTER_GONE
from unionaid.lib.calendar import now
from unionaid.lib.identity import IdNumber, mask_id
from unionaid.offices.roles import SYSTEM, Actor, may
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import Run, enqueue
from unionaid.workflow.moves import NotAllowed, move, record

JOB = "members.carry_unit"


@dataclass(frozen=True, slots=True)
class Carriage:
    """What a carrier sees of a merger or division."""

    lineage_id: int
    from_id: int
    to_id: int
    to_office_id: int
    whole: bool

    def covers(self) -> QuerySet[CarriedEnrolment]:
        """The enrolments that go along."""
        return CarriedEnrolment.objects.filter(lineage_id=self.lineage_id)

    def chosen(self) -> QuerySet[LineageMember, dict[str, Any]]:
        """The keys of the people who were chosen to go along in a division."""
        return LineageMember.objects.filter(lineage_id=self.lineage_id).values("member_id")


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carries the rows of one model from one unit to the other; says how many."""

    model: type[Model]
    label: str | Promise
    carry: Callable[[Carriage], int]


CARRIERS: dict[str, Carrier] = {}


def carrier(model: type[Model], label: str | Promise) -> Callable[[Callable[[Carriage], int]], Callable[[Carriage], int]]:
    """Register how the rows of a model are carried; upper floors register theirs in their `jobs.py`."""

    def register(carry: Callable[[Carriage], int]) -> Callable[[Carriage], int]:
        CARRIERS[model._meta.label_lower] = Carrier(model, label, carry)
        return carry

    return register


# -- decided by the office -------------------------------------------------------------------------------------------


def merge(gone: WorkUnit, into: WorkUnit, *, headcount: int, women_count: int, basis: str, by: Actor, on: date) -> UnitLineage:
    """Close `gone`; its people, rosters, covers, dues and claims go to `into`. Whoever decides may act at both offices."""
    if gone.pk == into.pk:
        raise UnitRefused(_("不能把单位并入它自己。"), "into")
    _may_act(by, gone, into)
    counts = checked({"headcount": headcount, "women_count": women_count})
    with transaction.atomic():
        locked = _locked_open([gone, into])
        gone, into = locked[gone.pk], locked[into.pk]
        _refuse_unfinished(gone)
        move([gone], "merge", by=by, details={"into": into.pk, "basis": basis})
        before = {name: getattr(into, name) for name in counts}
        WorkUnit.objects.filter(pk=into.pk).update(**counts, version=F("version") + 1)
        record([into], "merge_in", by=by, details={"from": gone.pk, "basis": basis, "before": before, "after": counts})
        return _begin("merge", gone, into, basis=basis, by=by, on=on)


def split(source: WorkUnit, values: Mapping[str, Any], member_ids: Sequence[int], *, basis: str, by: Actor, on: date) -> UnitLineage:
    """Found a unit of its own with some of `source`'s people; they and their covers and claims go along. The new unit has no
    agent yet: its own asks for it (`members.services.agents`)."""
    _may_act(by, source)
    told = checked(values)
    complete(told)
    if not member_ids:
        raise UnitRefused(_("请选择分到新单位的职工。"), "people")
    left = {name: getattr(source, name) - told[name] for name in ("headcount", "women_count")}
    if left["headcount"] < 0 or not 0 <= left["women_count"] <= left["headcount"]:
        raise UnitRefused(_("新单位的人数不能超过原单位：分出后原单位的职工和女职工人数不对，请核对。"), "headcount")
    with refusals(), transaction.atomic():
        source = _locked_open([source])[source.pk]
        chosen = sorted(Member.objects.filter(pk__in=member_ids, unit=source).values_list("pk", flat=True))
        if len(chosen) != len(set(member_ids)):
            raise UnitRefused(_("选中的人里有不在这个单位的，请重新选择。"), "people")
        new = WorkUnit.objects.create(office_id=source.office_id, **{name: told[name] for name in FIELDS if name in told})
        move([new], "found", by=by, details={"from": source.pk, "basis": basis})
        WorkUnit.objects.filter(pk=source.pk).update(**left, version=F("version") + 1)
        record([source], "split", by=by, details={"to": new.pk, "people": len(chosen), "basis": basis})
        made = _begin("split", source, new, basis=basis, by=by, on=on)
        LineageMember.objects.bulk_create([LineageMember(lineage=made, member_id=pk) for pk in chosen], batch_size=5000)
    return made


def people_numbered(unit: WorkUnit, numbers: Sequence[IdNumber]) -> list[int]:
    """The unit's people with these ID numbers; UnitRefused naming (masked) those who are not among them. One statement."""
    wanted = {id_hash(one.number): one.number for one in numbers}
    found = {bytes(hashed): pk for pk, hashed in Member.objects.filter(unit=unit, id_hash__in=list(wanted)).values_list("pk", "id_hash")}
    missing = [mask_id(number) for hashed, number in wanted.items() if hashed not in found]
    if missing:
        shown = "、".join(missing[:10])
        raise UnitRefused(_("这些人不在这个单位：{shown}，共 {count} 人。").format(shown=shown, count=len(missing)), "numbers")
    return sorted(found.values())


def _may_act(by: Actor, *units: WorkUnit) -> None:
    if not all(may(by, "units.restructure", unit.office_id) for unit in units):
        raise NotAllowed(_("合并、分立单位，要由管辖这些单位的办事处或上级办理。"))


def _locked_open(units: Sequence[WorkUnit]) -> dict[int, WorkUnit]:
    """The units' rows, locked in key order; UnitRefused when one is not open, or an earlier carriage is not through."""
    ids = sorted(unit.pk for unit in units)
    rows = {row.pk: row for row in WorkUnit.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")}
    closed = [unit.name for unit in units if unit.pk not in rows or rows[unit.pk].state != "approved"]
    if closed:
        raise UnitRefused(_("“{unit}”没有登记通过，或已并入其他单位。请刷新页面再看。").format(unit=closed[0]))
    if UnitLineage.objects.filter(Q(from_unit__in=ids) | Q(to_unit__in=ids), finished_at=None).exists():
        raise UnitRefused(_("单位上一次合并或分立的记录还在转移，请等它完成。"))
    return rows


def _refuse_unfinished(gone: WorkUnit) -> None:
    """What still waits for the office would be lost from sight with the unit."""
    if UnitChange.objects.filter(unit=gone, state="pending").exists():
        raise UnitRefused(_("“{unit}”有一份变更在等审核，请先办完它。").format(unit=gone.name))
    if AgentChange.objects.filter(unit=gone, state="submitted").exists():
        raise UnitRefused(_("“{unit}”有一份更换经办人的申请在等审核，请先办完它。").format(unit=gone.name))


def _begin(kind: str, source: WorkUnit, target: WorkUnit, *, basis: str, by: Actor, on: date) -> UnitLineage:
    try:
        with transaction.atomic():
            made = UnitLineage.objects.create(
                kind=kind, from_unit=source, to_unit=target, on=on, basis=basis.strip(), by_id=by.user_id,
                office_ids=sorted({source.office_id, target.office_id}), unit_ids=sorted({source.pk, target.pk}),
            )  # fmt: skip
    except IntegrityError as error:
        raise UnitRefused(_("这个单位已经合并或分立过，请刷新页面再看。")) from error
    enqueue(JOB, [(made.pk, job_key(made.pk), source)], by=by, permission="units.restructure")
    return made


def job_key(lineage_id: int) -> str:
    """The key of the job that carries the rows."""
    return f"{JOB}:{lineage_id}"


# -- carried by the job ------------------------------------------------------------------------------------------------


def carry(lineage_id: int, run: Run) -> dict[str, Any] | None:
    """Carry one kind of row per chunk, then look once more for what was written meanwhile, then say how many there were."""
    with everywhere(reason="carry the rows of a merged or divided unit, which may be two offices'"):
        lineage = UnitLineage.objects.select_for_update(of=("self",)).select_related("from_unit", "to_unit").get(pk=lineage_id)
        if lineage.finished_at is not None:
            return None
        what = Carriage(lineage.pk, lineage.from_unit_id, lineage.to_unit_id, lineage.to_unit.office_id, lineage.kind == "merge")
        rounds = list(CARRIERS.items()) * 2
        step = run.cursor.get("step", 0)
        name, one = rounds[step]
        moved = one.carry(what)
        counts = {**lineage.carried, name: lineage.carried.get(name, 0) + moved}
        UnitLineage.objects.filter(pk=lineage.pk).update(carried=counts)
        run.stage, run.done, run.total = str(one.label), step + 1, len(rounds)
        if step + 1 < len(rounds):
            return {"step": step + 1}
        UnitLineage.objects.filter(pk=lineage.pk).update(finished_at=now())
        record([lineage.from_unit, lineage.to_unit], "carry", by=run.by, details=counts)
        run.result, run.stage, run.done, run.total = counts, "", sum(counts.values()), sum(counts.values())
        return None


@carrier(Roster, gettext_lazy("名册"))
def _carry_rosters(what: Carriage) -> int:
    """First of all, so that a roster that is being enrolled meanwhile ends up on one side. A file that the other unit has
    taken already stays where it is."""
    if not what.whole:
        return 0
    open_ones = Roster.objects.filter(unit_id=what.to_id, terms_id=OuterRef("terms_id"), file_sha256=OuterRef("file_sha256"))
    taken = Exists(open_ones.exclude(state__in=ROSTER_GONE))
    return Roster.objects.filter(~taken, unit_id=what.from_id).update(unit_id=what.to_id)


@carrier(Enrolment, gettext_lazy("参加记录"))
def _carry_enrolments(what: Carriage) -> int:
    """Live enrolments of the people who go, and of those who joined through them; which they were is written down first."""
    chosen = "" if what.whole else "AND e.holder_id IN (SELECT member_id FROM members_lineagemember WHERE lineage_id = %(lineage)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_carriedenrolment (lineage_id, enrolment_id) SELECT %(lineage)s, e.id FROM members_enrolment e"  # noqa: S608
            f" WHERE e.unit_id = %(from)s AND e.state = ANY(%(live)s) {chosen} ON CONFLICT DO NOTHING",
            {"lineage": what.lineage_id, "from": what.from_id, "live": list(LIVE)},
        )
    going = what.covers().values("enrolment_id")
    return Enrolment.objects.filter(unit_id=what.from_id, pk__in=going).update(unit_id=what.to_id)


@carrier(ContributionDue, gettext_lazy("应缴互助费"))
def _carry_dues(what: Carriage) -> int:
    """All that the unit owes; of a unit that is divided only what is owed for one person's enrolment: a roster's debt stays."""
    rows = ContributionDue.objects.filter(unit_id=what.from_id)
    if not what.whole:
        rows = rows.filter(enrolment_id__in=what.covers().values("enrolment_id"))
    return rows.update(unit_id=what.to_id)


@carrier(Correction, gettext_lazy("资料更正"))
def _carry_corrections(what: Carriage) -> int:
    """Those that wait for the office; what was decided stays with the unit that asked."""
    rows = Correction.objects.filter(unit_id=what.from_id, state="asked")
    return (rows if what.whole else rows.filter(member_id__in=what.chosen())).update(unit_id=what.to_id)


# Transfers from the unit, or to it, that wait for an answer. Whoever sees them is counted anew: both units, and every office that saw
# them before with that of the unit to which they are carried.
_DEPARTURES = """
UPDATE members_departure d SET
  from_unit_id = CASE WHEN d.from_unit_id = %(from)s THEN %(to)s ELSE d.from_unit_id END,
  to_unit_id = CASE WHEN d.to_unit_id = %(from)s THEN %(to)s ELSE d.to_unit_id END,
  unit_ids = (SELECT array_agg(DISTINCT u ORDER BY u) FROM unnest(array_replace(d.unit_ids, %(from)s::bigint, %(to)s::bigint)) u),
  office_ids = (SELECT array_agg(DISTINCT o ORDER BY o) FROM unnest(d.office_ids || %(office)s::bigint) o)
WHERE d.state = 'asked'
  AND CASE WHEN %(whole)s THEN %(from)s IN (d.from_unit_id, d.to_unit_id)
      ELSE d.from_unit_id = %(from)s AND d.member_id IN (SELECT member_id FROM members_lineagemember WHERE lineage_id = %(lineage)s) END
"""


@carrier(Departure, gettext_lazy("人员变动"))
def _carry_departures(what: Carriage) -> int:
    """A transfer between the two units has nowhere left to go: it is taken back, and the person goes along with the rest."""
    within = Departure.objects.filter(state="asked", from_unit_id__in=[what.from_id, what.to_id], to_unit_id__in=[what.from_id, what.to_id])
    between = list(within if what.whole else within.filter(member_id__in=what.chosen()))
    move(between, "withdraw", by=SYSTEM, details={"lineage": what.lineage_id})
    with connection.cursor() as cursor:
        cursor.execute(
            _DEPARTURES,
            {
                "lineage": what.lineage_id, "from": what.from_id, "to": what.to_id, "office": what.to_office_id, "whole": what.whole,
            },
        )  # fmt: skip
        return len(between) + cursor.rowcount


# Who goes, and who still has a live cover through the unit that is left.
_PEOPLE = """
WITH going AS (
  SELECT member_id AS id FROM members_lineagemember WHERE lineage_id = %(lineage)s
  UNION SELECT e.member_id FROM members_carriedenrolment c JOIN members_enrolment e ON e.id = c.enrolment_id
         WHERE c.lineage_id = %(lineage)s
  UNION SELECT m.id FROM members_member m WHERE %(whole)s AND (m.unit_id = %(from)s OR m.unit_ids @> ARRAY[%(from)s]::bigint[])
), state AS (
  SELECT m.id,
         m.unit_id = %(from)s AND (%(whole)s OR l.member_id IS NOT NULL OR NOT s.stays) AS moves,
         s.stays AND NOT %(whole)s AS stays
    FROM members_member m JOIN going USING (id)
    LEFT JOIN members_lineagemember l ON l.lineage_id = %(lineage)s AND l.member_id = m.id
    CROSS JOIN LATERAL (SELECT EXISTS (
      SELECT 1 FROM members_enrolment e
       WHERE e.unit_id = %(from)s AND e.state = ANY(%(live)s) AND (e.member_id = m.id OR e.holder_id = m.id)) AS stays) s
)
UPDATE members_member m SET
  unit_id = CASE WHEN s.moves THEN %(to)s ELSE m.unit_id END,
  office_id = CASE WHEN s.moves THEN %(office)s ELSE m.office_id END,
  office_ids = (SELECT array_agg(DISTINCT o ORDER BY o) FROM unnest(m.office_ids || %(office)s::bigint) o),
  unit_ids = (SELECT array_agg(DISTINCT u ORDER BY u)
                FROM unnest(CASE WHEN s.stays THEN m.unit_ids ELSE array_remove(m.unit_ids, %(from)s::bigint) END || %(to)s::bigint) u)
FROM state s
WHERE s.id = m.id
  AND (coalesce(s.moves, false) OR NOT m.unit_ids @> ARRAY[%(to)s]::bigint[]
       OR (NOT s.stays AND m.unit_ids @> ARRAY[%(from)s]::bigint[]))
"""


@carrier(Member, gettext_lazy("职工"))
def _carry_people(what: Carriage) -> int:
    """The people, and who may see them: the new unit, its office, and the old unit only where someone is still covered there."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PEOPLE,
            {
                "lineage": what.lineage_id, "from": what.from_id, "to": what.to_id, "office": what.to_office_id,
                "whole": what.whole, "live": list(LIVE),
            },
        )  # fmt: skip
        return cursor.rowcount


def going_along(source: WorkUnit) -> dict[str, int]:
    """What a merger would carry, for whoever decides. Three statements."""
    return {
        "people": Member.objects.filter(unit=source).count(),
        "covers": Enrolment.objects.filter(unit=source, state__in=LIVE).count(),
        "dues": ContributionDue.objects.filter(unit=source, state__in=["open", "part_paid"]).count(),
    }
