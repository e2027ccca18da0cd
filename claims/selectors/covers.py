"""Under which of the worker's covers may this be claimed? Only reads; the rules say why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.facts import cover_facts, person_facts
from members.models import Enrolment, Member
from members.selectors.joining import ASK, NO, Offer, grants, unanswered, with_unit
from members.selectors.people import people_by_id
from members.transitions import LIVE
from programs.rules.assess import NO_PRIOR
from programs.rules.explain import reason_words
from programs.rules.facts import AFTER_ACCIDENT, CaseFacts, event_day
from programs.rules.gates import Question, covered, not_for_person, right_gender, waited
from programs.selectors import schedule_of
from unionaid.lib.calendar import plus_days

DEATHS = ("accident_death", "disease_death")


@dataclass(frozen=True, slots=True)
class Opening:
    """One cover and the kinds of event that can be claimed under it, each a claim; with none, why not (in words)."""

    cover: Enrolment
    events: tuple[str, ...]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Relief or condolence that nobody joins, as it stands for the person to whom it happened: which of the events told it answers to;
    with none, why not (in words), and the question to answer first where one is open."""

    offer: Offer
    member: Member
    events: tuple[str, ...]
    why_not: str = ""
    question: str = ""


def my_covers() -> list[Enrolment]:
    """The live covers of the worker and of those who joined through them, newest first, each with its person."""
    rows = list(
        Enrolment.objects.filter(state__in=LIVE).select_related("program", "terms", "office").order_by("-cover", "-id")[:100]
    )
    people = people_by_id(row.member_id for row in rows)
    for row in rows:
        row.member = people[row.member_id]
    return rows


def events_of(covers: Sequence[Enrolment], claimant_id: int) -> dict[str, list[Enrolment]]:
    """Every event that one of these covers answers to, with those covers. Nobody claims for their own death here. What relief rests on
    is no cover: it is found among what is offered, whoever had some before or not."""
    found: dict[str, list[Enrolment]] = {}
    for cover in covers:
        schedule = schedule_of(cover.terms)
        for event in () if schedule.is_grant else schedule.events:
            if event not in DEATHS or cover.member_id != claimant_id:
                found.setdefault(event, []).append(cover)
    return found


def grants_for(member: Member, *, on: date) -> list[Offer]:
    """The relief and condolence offered where this person works; none for whoever has told no office. Two statements."""
    return grants(with_unit(member), on=on) if member.office_id else []


def grant_openings(
    offers: Sequence[Offer], member: Member, *, days: Mapping[str, date], language: str, of_another: bool = False
) -> list[Grant]:
    """These, those that fit first: the conditions are judged as of today, and what happened lies in the plan's days. `of_another`: it is
    read by somebody else than this person."""
    found = [one for offer in offers if (one := _grant(offer, member, days, language, of_another))]
    return sorted(found, key=lambda grant: not grant.events)


def _grant(offer: Offer, member: Member, days: Mapping[str, date], language: str, of_another: bool) -> Grant | None:
    """None where it answers to nothing of this."""
    asked = tuple(event for event in days if event in offer.schedule.events)
    if not asked:
        return None
    said = [verdict.sentence for verdict in offer.verdicts if verdict.outcome != "pass"]
    against = [(words.of_another() if of_another else words).in_language(language) for words in said]
    if offer.standing in (NO, ASK):
        question = next(iter(offer.open or unanswered(member)), "") if offer.standing == ASK else ""
        return Grant(offer, member, (), _("、").join(against) or _("还差一些信息，补上之后才能申请。"), question)
    period = offer.schedule.period
    fit = tuple(event for event in asked if period.start <= days[event] < period.end)
    first, last = date_format(period.start), date_format(plus_days(period.end, -1))
    outside = _("只管 {first} 到 {last} 之间发生的事，您填的日期不在里面。").format(first=first, last=last)
    return Grant(offer, member, fit, "" if fit else outside)


def openings(covers: Sequence[Enrolment], *, days: Mapping[str, date], accident: date | None, language: str) -> list[Opening]:
    """These covers, those that fit first, the others with the reason. `days`: what happened, and when; `accident`: the day of the
    accident it came of."""
    found = [_opening(cover, days, accident, language) for cover in covers]
    return sorted(found, key=lambda opening: not opening.events)


def _opening(cover: Enrolment, days: Mapping[str, date], accident: date | None, language: str) -> Opening:
    answered = schedule_of(cover.terms).events
    cases = {event: _case(event, on, accident) for event, on in days.items() if event in answered}
    why_not = {event: _why_not(cover, case, language) for event, case in cases.items()}
    fit = tuple(event for event, reason in why_not.items() if not reason)
    return Opening(cover, fit, "" if fit else next(iter(why_not.values()), _("这份保障不包括这种情况。")))


def _case(event: str, on: date, accident: date | None) -> CaseFacts:
    """`on`: the day told for this kind of event. A stay or an operation that came of an accident counts from its day."""
    caused_by = accident if event in AFTER_ACCIDENT else None
    return CaseFacts(event=event, event_on=event_day(event, told_on=on, accident_on=caused_by) or on, accident_on=caused_by)


def _why_not(cover: Enrolment, case: CaseFacts, language: str) -> str:
    if cover.state != "effective":
        return _("互助费还没有确认到账，到账后才能申领。")
    schedule = schedule_of(cover.terms)
    items = [item for item in schedule.items if case.event in item.events]
    if not items:
        return _("这份保障不包括这种情况。")
    person, facts = person_facts(cover.member, relation=cover.relation), cover_facts(cover)
    reasons = []
    for item in items:
        question = Question(schedule, item, person, facts, case, NO_PRIOR)
        reason = covered(question) or waited(question) or right_gender(question) or not_for_person(question)
        if reason is None:
            return ""
        reasons.append(reason)
    return f"{reason_words(reasons[0].code, reasons[0].inputs).in_language(language)}{_('。')}"
