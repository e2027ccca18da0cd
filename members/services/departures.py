"""Departures (人员变动): people leave, retire, go to another unit in the middle of a period.

Cover that the plan keeps (`programs.rules.survival`) stays to its end, with the unit and the office through which it was taken out:
they stay responsible for claims under it. Only the person moves: where they work, and who may see them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Departure, Enrolment, Member, Roster, WorkUnit
from members.services.people import PersonRefused
from members.services.sight import take_wards_along
from members.transitions import LIVE
from programs.rules.survival import CHANGES, survives
from programs.selectors import schedule_of
from unionaid.lib.calendar import plus_days
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.workflow.moves import NotAllowed, move, record
from unionaid.workflow.notices import tell

# How far back the unit's agent may date a change; what lies further back the office looks at.
BACK_DAYS = 90


class DepartureRefused(PersonRefused):
    """The change cannot be made so; `field` is what it is about."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


# Enrolment id → first day without cover, to enrolment id → why it cannot end so.
EndObjection = Callable[[Mapping[int, date]], Mapping[int, str]]
END_OBJECTIONS: list[EndObjection] = []


def end_objection(speak: EndObjection) -> EndObjection:
    """Register what speaks against the early end of these covers. Upper floors register theirs in `jobs.py`."""
    END_OBJECTIONS.append(speak)
    return speak


def retire(member: Member, *, on: date, note: str = "", by: Actor, today: date) -> Departure:
    """The person is retired from `on` on; takes effect at once."""
    return _begin(member, "retirement", None, on=on, note=note, by=by, today=today, at_once=True)


def leave(member: Member, *, on: date, note: str = "", by: Actor, today: date) -> Departure:
    """The person is not with the unit any more from `on` on; takes effect at once."""
    return _begin(member, "leave", None, on=on, note=note, by=by, today=today, at_once=True)


def transfer(member: Member, *, to_code: str, on: date, note: str = "", by: Actor, today: date) -> Departure:
    """The person is with the approved unit of this credit code from `on` on. Asked by the old unit's agent it waits for the new
    unit's agent, or its next roster with this person; done by the office it takes effect at once."""
    with everywhere(reason="find the unit somebody goes to by its code"):
        to_unit = WorkUnit.objects.filter(credit_code=to_code, state="approved").first()
    if to_unit is None:
        raise DepartureRefused(_("没有已登记的单位用这个信用代码，请对照单位证照再输一遍。"), "to_code")
    if to_unit.pk == member.unit_id:
        raise DepartureRefused(_("这就是职工现在的单位。"), "to_code")
    at_once = member.unit_id not in by.unit_ids
    return _begin(member, "transfer", to_unit, on=on, note=note, by=by, today=today, at_once=at_once)


def _begin(
    member: Member, kind: str, to_unit: WorkUnit | None, *, on: date, note: str, by: Actor, today: date, at_once: bool
) -> Departure:
    with transaction.atomic(), everywhere(reason="a person's change of unit"):
        fresh = Member.objects.select_for_update().get(pk=member.pk)
        unit = WorkUnit.objects.filter(pk=fresh.unit_id).first()
        _refuse(fresh, unit, on, today, by)
        if kind == "retirement":
            _refuse_retired(fresh)
        assert unit is not None
        units = sorted({unit.pk, *([to_unit.pk] if to_unit else [])})
        offices = sorted({unit.office_id, *([to_unit.office_id] if to_unit else [])})
        try:
            with transaction.atomic():
                made = Departure.objects.create(
                    office_id=unit.office_id, member=fresh, kind=kind, from_unit=unit, to_unit=to_unit, unit_ids=units,
                    office_ids=offices, on=on, note=note.strip(), asked_by_id=by.user_id,
                )  # fmt: skip
        except IntegrityError as error:
            if "one_open_departure" not in str(error):
                raise
            raise DepartureRefused(_("这名职工已有一次调动在等新单位接收，请等它办完，或先撤回。")) from error
        _refuse_objected(_endings([made]))
        record([made], "ask_departure", by=by, note=note.strip())
        if at_once:
            move([made], "settle", by=by)
            _settle([made], by=by)
    return made


def _refuse(member: Member, unit: WorkUnit | None, on: date, today: date, by: Actor) -> None:
    if unit is None:
        raise DepartureRefused(_("这名职工现在没有登记工作单位，不用办理。"))
    as_staff = by.is_staff_post and may(by, "people.change", unit.office_id)
    if unit.pk not in by.unit_ids and not as_staff:
        raise NotAllowed(_("只有职工所在单位的经办人或办事处可以办理人员变动。"))
    if on > today:
        raise DepartureRefused(_("日期不能在今天之后，请到那天再来办理。"), "on")
    if not as_staff and on < plus_days(today, -BACK_DAYS):
        raise DepartureRefused(_("日期在 {days} 天以前的变动，请联系办事处办理。").format(days=BACK_DAYS), "on")


def _refuse_retired(member: Member) -> None:
    """Nobody retires twice: another day is a correction of the first one, from the paper. Of whom only is known that they are retired,
    the day may still be told."""
    if member.employment == Member.Employment.RETIRED and member.retired_on is not None:
        words = _(
            "此人已登记从 {day} 起退休，不用再办。日期错了的，请带退休证或退休审批表联系办事处，由办事处在此人页面的“登记退休日期”里更正。"
        )
        raise DepartureRefused(words.format(day=date_format(member.retired_on)), "on")


def accept(departure: Departure, *, by: Actor) -> Departure:
    """The new unit's agent takes the person in."""
    _refuse_other_unit(departure, by)
    with transaction.atomic():
        move([departure], "accept", by=by)
        with everywhere(reason="a person's change of unit"):
            _settle([departure], by=by)
    return departure


def decline(departure: Departure, *, by: Actor, note: str) -> Departure:
    """The new unit's agent does not know of this person; they stay where they are."""
    _refuse_other_unit(departure, by)
    if not note.strip():
        raise DepartureRefused(_("请写明为什么不接收，原单位会看到。"), "note")
    return move([departure], "decline", by=by, note=note.strip(), changes={"answer": note.strip()})[0]


def withdraw(departure: Departure, *, by: Actor) -> Departure:
    """The old unit's agent, or the office, takes the request back."""
    if departure.from_unit_id not in by.unit_ids and not by.posts:
        raise NotAllowed(_("只有提出调动的单位可以撤回。"))
    return move([departure], "withdraw", by=by)[0]


def settle(departure: Departure, *, by: Actor) -> Departure:
    """The office makes a waiting transfer without the new unit's agent."""
    if not by.posts:
        raise NotAllowed(_("调动要由新单位的经办人接收，或由办事处办理。"))
    with transaction.atomic():
        move([departure], "settle", by=by)
        with everywhere(reason="a person's change of unit"):
            _settle([departure], by=by)
    return departure


def _refuse_other_unit(departure: Departure, by: Actor) -> None:
    if departure.to_unit_id not in by.unit_ids:
        raise NotAllowed(_("只有新单位的经办人可以接收。"))


def accept_by_roster(roster: Roster, *, by: Actor) -> None:
    """Whoever this roster has enrolled has arrived at its unit: their waiting transfers to it are done, except those that would
    leave a claim without cover: these go on waiting for somebody to look. A constant number of statements; runs in an open scope
    that shows everyone."""
    asked = list(Departure.objects.filter(to_unit_id=roster.unit_id, state="asked").select_related("member"))
    covers = Enrolment.objects.filter(roster=roster, member__in=[one.member_id for one in asked])  # few of a roster's many
    arrived = set(covers.values_list("member_id", flat=True))
    found = [one for one in asked if one.member_id in arrived]
    endings = _endings(found)
    held = _objected(endings)
    stuck = {one.pk for one, cover in endings if cover.pk in held}
    waiting = [one for one in found if one.pk not in stuck]
    move(waiting, "accept", by=by)
    _settle(waiting, by=by)


# -- what follows ------------------------------------------------------------------------------------------------------

# Who works where from now on, and who may see them: the old unit only while somebody is covered through it.
_PEOPLE = """
UPDATE members_member m SET
  unit_id = CASE WHEN d.kind = 'transfer' THEN d.to_unit_id WHEN d.kind = 'leave' THEN NULL ELSE m.unit_id END,
  office_id = CASE WHEN d.kind = 'transfer' THEN u.office_id ELSE m.office_id END,
  employment = CASE d.kind WHEN 'retirement' THEN 'retired' WHEN 'leave' THEN '' ELSE m.employment END,
  retired_on = CASE d.kind WHEN 'retirement' THEN d."on" ELSE m.retired_on END,
  joined_unit_on = CASE d.kind WHEN 'transfer' THEN d."on" WHEN 'leave' THEN NULL ELSE m.joined_unit_on END,
  office_ids = (SELECT array_agg(DISTINCT o ORDER BY o) FROM unnest(m.office_ids || coalesce(u.office_id, d.office_id)::bigint) o),
  unit_ids = coalesce((SELECT array_agg(DISTINCT x ORDER BY x) FROM unnest(
    CASE WHEN d.kind = 'retirement' OR s.stays THEN m.unit_ids ELSE array_remove(m.unit_ids, d.from_unit_id) END
    || CASE WHEN d.kind = 'transfer' THEN ARRAY[d.to_unit_id] ELSE '{}'::bigint[] END) x), '{}')
FROM members_departure d
LEFT JOIN members_workunit u ON u.id = d.to_unit_id
CROSS JOIN LATERAL (SELECT EXISTS (
  SELECT 1 FROM members_enrolment e WHERE e.unit_id = d.from_unit_id AND e.state = ANY(%(live)s) AND upper(e.cover) > d."on"
     AND (e.member_id = d.member_id OR e.holder_id = d.member_id)) AS stays) s
WHERE d.id = ANY(%(ids)s) AND m.id = d.member_id
"""


def _settle(departures: Sequence[Departure], *, by: Actor) -> None:
    """Covers first, then the people, then the news."""
    if not departures:
        return
    ended = _end_covers(departures, by=by)
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"ids": [one.pk for one in departures], "live": list(LIVE)})
    take_wards_along([one.member_id for one in departures])
    record([one.member for one in departures], "depart", by=by)
    for kind, title, text in _NEWS:
        _tell([one for one in departures if one.kind == kind and one.member_id not in ended], title, text)
    _tell([one for one in departures if one.member_id in ended], *_ENDED)


Ending = tuple[Departure, Enrolment]


def _endings(departures: Sequence[Departure]) -> list[Ending]:
    """Cover that its plan does not keep through these changes. Cover that has not begun by then is left to the office, which may
    void it. One statement."""
    changes = {one.member_id: one for one in departures if one.kind in CHANGES}
    rows = Enrolment.objects.filter(holder_id__in=changes, state__in=LIVE).select_related("terms__program")
    pairs = [(changes[cover.holder_id], cover) for cover in rows]
    return [
        (one, cover)
        for one, cover in pairs
        if cover.unit_id == one.from_unit_id
        and cover.cover.lower < one.on < cover.cover.upper
        and not survives(schedule_of(cover.terms), one.kind)
    ]


def _objected(endings: Sequence[Ending]) -> dict[int, str]:
    """Which of these covers (id) cannot end so, and why."""
    ends = {cover.pk: one.on for one, cover in endings}
    return {key: words for speak in END_OBJECTIONS for key, words in speak(ends).items()} if ends else {}


def _refuse_objected(endings: Sequence[Ending]) -> None:
    for words in _objected(endings).values():
        raise DepartureRefused(words, "on")


def _end_covers(departures: Sequence[Departure], *, by: Actor) -> set[int]:
    """The day of the change is the first without cover. Whose ended."""
    endings = _endings(departures)
    _refuse_objected(endings)
    over: dict[tuple[str, date, date], list[Enrolment]] = {}
    for one, cover in endings:
        over.setdefault(("end" if cover.state == "effective" else "end_unpaid", cover.cover.lower, one.on), []).append(cover)
    for (action, first, on), covers in over.items():
        move(covers, action, by=by, changes={"cover": DateRange(first, on)}, details={"on": on.isoformat()})
    return {cover.holder_id for _one, cover in endings}


_KEPT = gettext_lazy("您已参加的保障到期前继续有效，申领仍由原来的单位和办事处负责。")
_NEWS: tuple[tuple[str, Any, Any], ...] = (
    ("transfer", gettext_lazy("您的工作单位已变更"), _KEPT),
    ("retirement", gettext_lazy("您的退休已登记"), _KEPT),
    ("leave", gettext_lazy("您的离职已登记"), _KEPT),
)
_ENDED: tuple[Any, Any] = (
    gettext_lazy("您的一份保障提前终止"),
    gettext_lazy("按计划的条款，人员变动后有的保障不再继续。最后一天和其余的保障，请在“我的保障”里查看；有疑问请联系办事处。"),
)


def _tell(departures: Sequence[Departure], title: Any, text: Any) -> None:
    by_office: dict[int, list[int]] = {}
    for one in departures:
        by_office.setdefault(one.office_id, []).append(one.member_id)
    for office_id, ids in by_office.items():
        tell(ids, office_id=office_id, title=title, text=text, link="/my/")
