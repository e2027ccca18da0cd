"""What a unit must keep as a whole (参加比例、份数相同、经办人): held against the plan when a roster is confirmed and when it is enrolled.
The office may let fewer join, for a reason, by two people."""

from dataclasses import replace
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import RatioWaiver, Roster, WorkUnit
from members.selectors.whole_units import Joining, whole_of
from members.services import roster_tables as tables
from members.services.agent_news import tell_agents
from members.transitions import RATIO_WAIVER_OPEN
from programs.rules.eligibility import FAIL, Verdict, judge_unit
from programs.rules.schedule import Schedule
from programs.selectors import schedule_of
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.web.said import spoken
from unionaid.workflow.moves import MoveRefused, NotAllowed, move, record


class RuleUnmet(Exception):
    """A rule that the unit must keep as a whole is not kept (`rule`); the words say which, in whatever language they are read."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.sentence.zh)
        self.rule, self.words = verdict.rule, spoken(verdict.sentence)


class WaiverRefused(MoveRefused):
    """The exception is not made; the message says why."""


def hold(unit: WorkUnit, schedule: Schedule) -> None:
    """Where something is asked of units, whoever enrols people of this one waits here for whoever does so now, so that two who join at
    once count each other. The row stays locked until the transaction ends; the scope must show the unit."""
    if schedule.enrolling.unit is not None:
        WorkUnit.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=unit.pk)


def failing(roster: Roster, joining: Joining, *, on: date) -> list[Verdict]:
    """The rules that the unit does not keep as a whole when these people of its roster are in."""
    schedule, whole = schedule_of(roster.terms), whole_of(roster.unit, roster.terms, on=on)
    if schedule.enrolling.unit is None:
        return []
    let_in = whole.excepted or RatioWaiver.objects.filter(roster=roster, state="allowed").exists()
    facts = replace(whole, excepted=let_in).facts(schedule, joining, by_roster=True)
    return [verdict for verdict in judge_unit(schedule, facts) if verdict.outcome == FAIL]


def refuse_unmet(roster: Roster, *, preview: bool, on: date) -> None:
    """RuleUnmet when the unit does not keep a rule as a whole, such as the plan's least number of people, which the office may have let
    it miss. `preview`: with the roster's good lines, which are not enrolled yet."""
    with everywhere(reason="how many of a unit join"):
        for unmet in failing(roster, tables.share_counts(roster) if preview else {}, on=on):
            raise RuleUnmet(unmet)


WAYS_OUT = {
    "participation": gettext_lazy(
        "参加人数没有达到计划的要求，还不能登记。{words}请把人补齐后重新上传；确有特殊情况的，请联系办事处办理例外。"
    ),
    "same_shares": gettext_lazy("还不能登记。{words}可能同时登记了另一份名册：请改好份数后重新上传，或联系办事处。"),
    "agent": gettext_lazy("还不能登记。{words}"),
}


def words_of(unmet: RuleUnmet) -> Promise:
    """What the agent is told, with the way out."""
    return format_lazy(WAYS_OUT[unmet.rule], words=unmet.words)


def hindrance(roster: Roster, *, on: date) -> str:
    """Why a roster that was checked cannot be confirmed on this day, with the way out; empty when nothing speaks against it."""
    if schedule_of(roster.terms).enrolling.unit is None:
        return ""
    try:
        refuse_unmet(roster, preview=True, on=on)
    except RuleUnmet as unmet:
        return str(words_of(unmet))
    return ""


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
