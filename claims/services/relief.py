"""Applying for relief (救助金) and condolence (慰问金): nobody joins for it beforehand, whoever meets the plan's conditions applies. From
then on it is a claim like every other: papers, facts, what the plan takes off for other aid, two people, and the fund of its own."""

from datetime import date

from django.utils.translation import gettext as _

from claims.models import Claim
from claims.services import intake
from claims.services.intake import ClaimRefused
from members.models import Enrolment, Member, WorkUnit
from members.services.enrolment import enrol
from programs.models import Terms
from programs.selectors import offered_terms, schedule_of
from unionaid.lib.calendar import plus_days
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere


def begin(member: Member, terms: Terms, *, event: str, happened_on: date, by: Actor, on: date) -> Claim:
    """A draft of the application, for what happened that day. The plan's conditions are judged on the day of applying (`on`), once;
    a second application in the same period rests on the first. ClaimRefused or EnrolmentRefused says why not."""
    schedule = schedule_of(terms)
    if not schedule.is_grant or all(terms.pk != one.pk for one in offered_terms(on=on, office=member.office)):
        raise ClaimRefused(_("这一项不能直接申请，请回到列表重新选择。"))
    if event not in schedule.events:
        raise ClaimRefused(_("“{program}”不包括这种情况，请选择其他事由。").format(program=terms.program.title), "event")
    if happened_on > on:
        raise ClaimRefused(_("日期不能在今天之后，请核对。"), "happened_on")
    ground = _ground(member, terms, by=by, on=on)
    if not ground.cover.lower <= happened_on < ground.cover.upper:
        words = _("“{program}”只管 {first} 到 {last} 之间发生的事，您填的日期不在里面。")
        last = plus_days(ground.cover.upper, -1)
        raise ClaimRefused(words.format(program=terms.program.title, first=ground.cover.lower, last=last), "happened_on")
    return intake.open_claim(enrolment=ground, claimant=member, event=event, by=by, on=on)


def _ground(member: Member, terms: Terms, *, by: Actor, on: date) -> Enrolment:
    """What the application rests on: the record of an earlier one, or a new one that costs nothing. The unit sees it only where the plan
    has the unit look first: who asks for relief is not their colleagues' business."""
    found = Enrolment.objects.filter(member=member, terms=terms, state="effective").order_by("-pk").first()
    if found:
        return found
    unit = None
    if schedule_of(terms).deciding.unit_first and member.unit_id:
        with everywhere(reason="one's own work unit"):
            unit = WorkUnit.objects.get(pk=member.unit_id)
    made = enrol(member=member, holder=member, relation="self", terms=terms, shares=1, unit=unit, on=on, by=by)
    made.refresh_from_db()
    return made
