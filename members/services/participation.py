"""Enough of a unit must join (参加比例): held against the plan when a roster is confirmed and when it is enrolled. The office may let
fewer join, for a reason, by two people."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Enrolment, RatioWaiver, Roster
from members.services import roster_tables as tables
from members.services.agent_news import tell_agents
from members.services.agents import agents_on
from members.transitions import LIVE, RATIO_WAIVER_OPEN
from programs.rules.eligibility import FAIL, Verdict, judge_unit
from programs.rules.facts import UnitFacts
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.web.said import spoken
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record

# How many people, by gender and shares.
Joining = Mapping[tuple[str, int], int]


class TooFew(Exception):
    """Fewer of the unit join than the plan asks for; the words say how many are missing, in whatever language they are read."""

    def __init__(self, words: str | Promise) -> None:
        super().__init__(words)
        self.words = words


class WaiverRefused(MoveRefused):
    """The exception is not made; the message says why."""


def enrolled(roster: Roster) -> Counter[tuple[str, int]]:
    """How many the unit has enrolled under these terms, by gender and shares. One statement."""
    rows = Enrolment.objects.filter(unit_id=roster.unit_id, terms_id=roster.terms_id, state__in=LIVE).order_by()
    counted = rows.values_list("member__gender", "shares").annotate(people=Count("id"))
    return Counter({(gender, shares): people for gender, shares, people in counted})


def failing(roster: Roster, schedule: Schedule, joining: Joining, *, on: date | None = None) -> list[Verdict]:
    """The rules that the unit does not keep as a whole when these people are in. `on`: the day for which it is asked whether it has
    an agent; without it that is not asked."""
    rule, unit = schedule.enrolling.unit, roster.unit
    if rule is None:
        return []
    women = rule.of == "women" or schedule.enrolling.gender == "female"
    facts = UnitFacts(
        eligible_staff=unit.women_count if women else unit.headcount,
        enrolling=sum(count for (gender, _shares), count in joining.items() if gender == "female" or not women),
        agent_bound=bool(agents_on(unit, on=on)) if rule.agent_bound and on else None,
    )
    return [verdict for verdict in judge_unit(schedule, facts) if verdict.outcome == FAIL]


def refuse_too_few(roster: Roster, *, preview: bool) -> None:
    """TooFew when fewer join than the plan's least number and the office has not let them. `preview`: with the roster's good lines,
    which are not enrolled yet."""
    schedule = schedule_of(roster.terms)
    if schedule.enrolling.unit is None:
        return
    with everywhere(reason="how many of a unit join"):
        joining = enrolled(roster) + (tables.share_counts(roster) if preview else Counter())
        missing = [one for one in failing(roster, schedule, joining) if one.rule == "participation"]
        if missing and not RatioWaiver.objects.filter(roster=roster, state="allowed").exists():
            raise TooFew(spoken(missing[0].sentence))


def words_of(few: TooFew) -> Promise:
    """What the agent is told, with the way out."""
    text = gettext_lazy("参加人数没有达到计划的要求，还不能登记。{words}请把人补齐后重新上传；确有特殊情况的，请联系办事处办理例外。")
    return format_lazy(text, words=few.words)


# -- exceptions ----------------------------------------------------------------------------------------------------------


def propose(roster: Roster, *, reason: str, by: Actor) -> RatioWaiver:
    """Somebody of the office asks to let fewer join than the plan says; another one decides."""
    if not may(by, "rosters.return", roster.office_id):
        raise NotAllowed(_("您的岗位不能提出例外。"))
    if not reason.strip():
        raise WaiverRefused(_("请写明为什么人数不足也可以参加。"))
    if roster.state != "checked":
        raise WaiverRefused(_("名册核对完成、还没有确认登记时，才能办理例外。"))
    try:
        with transaction.atomic():
            made = RatioWaiver.objects.create(office_id=roster.office_id, roster=roster, reason=reason.strip(), proposed_by_id=by.user_id)
    except IntegrityError as error:
        if "one_open_ratio_waiver" not in str(error):
            raise
        raise WaiverRefused(_("这份名册已有一份例外在等复核，或已经同意。")) from error
    record([made], "propose_waiver", by=by, note=made.reason)
    return made


def allow(waiver: RatioWaiver, *, by: Actor) -> RatioWaiver:
    """A second person agrees: the roster may be confirmed with the people it has."""
    with transaction.atomic():
        move([waiver], "allow", by=by)
        text = gettext_lazy("办事处同意名册“{file}”在参加人数不足时登记。请打开名册，再确认一次。")
        tell_agents(waiver.roster.unit, gettext_lazy("名册可以确认登记了"), text, file=waiver.roster.file_name)
    return waiver


def drop(waiver: RatioWaiver, *, by: Actor) -> RatioWaiver:
    """It is not agreed to, or taken back by whoever asked."""
    return move([waiver], "drop", by=by)[0]


def open_waiver(roster: Roster) -> RatioWaiver | None:
    """The exception that is asked for or was made."""
    rows = RatioWaiver.objects.select_related("proposed_by", "decided_by", "roster__unit")
    return rows.filter(roster=roster, state__in=RATIO_WAIVER_OPEN).first()
