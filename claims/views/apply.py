"""Beginning to claim: what happened, to whom, when; the covers that it touches are found. One question a page; nothing is stored
with a claim until the consent is given, so the answers wait in the session."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from claims.forms import CoverForm, DayForm, HappenedForm
from claims.models import Claim
from claims.selectors.claims import my_claims
from claims.selectors.covers import Grant, Opening, grant_openings, openings
from claims.selectors.parties import Party, of_agent, of_desk, of_worker
from claims.services import filing, relief, together
from claims.views.parts import FOR, TAKEN_FOR, at_desk, at_unit, behind_counter, show, to
from members.models import Enrolment
from programs.rules.facts import ACCIDENTS, AFTER_ACCIDENT
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.offices.roles import Actor
from unionaid.web.asking import ChoiceForm
from unionaid.web.dates import span
from unionaid.workflow.asking import attempt_once

SESSION = "claim_start"
EVENTS = {
    "admission": gettext_lazy("住院（出院并结算之后）"),
    "outpatient": gettext_lazy("门诊看病（慢性病、特殊病等）"),
    "diagnosis": gettext_lazy("查出重大疾病或女工特殊疾病"),
    "surgery": gettext_lazy("做了女工特殊疾病的手术"),
    "accident_disability": gettext_lazy("意外受伤，鉴定为伤残"),
    "accident_death": gettext_lazy("家人意外身故"),
    "disease_death": gettext_lazy("家人因病身故"),
    "hardship": gettext_lazy("生活、子女上学、创业等有困难"),
}


@requires("claims.fill")
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """What happened? Only what one's covers answer to."""
    party = _party(request)
    if party is None:
        return redirect(to(request, "find"))
    events = party.events()
    if not events:
        return show(request, "nothing", **party.words())
    choices = [(event, words) for event, words in EVENTS.items() if event in events]
    form = HappenedForm(request.POST or None, choices=choices, initial={"answer": _before(request).get("events")})
    if request.method == "POST" and form.is_valid():
        return _keep(request, {"events": form.cleaned_data["answer"]}, "start_person")
    own = [] if behind_counter(request) else [claim for claim in reversed(my_claims()) if claim.state == "draft"]
    drafts = list({claim.occasion: claim for claim in own}.values())
    return show(request, "start", form, title=_("申领互助金"), drafts=drafts, first=True, **party.words())


@requires("claims.fill")
@never_cache
def start_person(request: HttpRequest) -> HttpResponse:
    """For whom? Not asked when only one person can be meant."""
    told, party = _told(request), _party(request)
    people = party.people(told["events"]) if party and told else {}
    if not people or party is None:
        return redirect(to(request, "start"))
    if len(people) == 1:
        return _keep(request, {**told, "person": next(iter(people))}, "start_day")
    initial = {"answer": _before(request).get("person")}
    form = ChoiceForm(request.POST or None, label=_("为谁申领？"), choices=list(people.items()), initial=initial)
    if request.method == "POST" and form.is_valid():
        return _keep(request, {**told, "person": form.cleaned_data["answer"]}, "start_day")
    return show(request, "start", form, title=_event_words(told), back=to(request, "start"), **party.words())


@requires("claims.fill")
@never_cache
def start_day(request: HttpRequest) -> HttpResponse:
    """When? The day decides which cover counts."""
    told, party = _told(request), _party(request)
    if party is None or told.get("person") not in (party.people(told["events"]) if told else ()):
        return redirect(to(request, "start"))
    before = _before(request)
    form = DayForm(request.POST or None, events=told["events"], days=before.get("days", {}) | {"accident": before.get("accident")})
    if request.method == "POST" and form.is_valid():
        return _keep(request, {**told, "days": form.days(), "accident": form.accident()}, "start_cover")
    return show(request, "start", form, title=_event_words(told), back=to(request, "start"), **party.words(told["person"]))


@requires("claims.fill")
@never_cache
def start_cover(request: HttpRequest) -> HttpResponse:
    """Under which covers, and for which relief? All that fit is chosen; what does not is shown with the reason. The consent opens the
    claims."""
    told, party = _told(request), _party(request)
    person = told.get("person", "")
    if party is None or person not in (party.people(told["events"]) if told else ()) or {*told.get("days", ())} != {*told["events"]}:
        return redirect(to(request, "start"))
    days = {event: date.fromisoformat(day) for event, day in told["days"].items()}
    accident = date.fromisoformat(told["accident"]) if told.get("accident") else None
    found = _found(request, party, person, days, accident)
    fit = {_key(one): one for one in found if one.events}
    choices = [(key, _words(one, days)) for key, one in fit.items()]
    form = CoverForm(request.POST or None, covers=choices, events=days, behalf=party.behalf(person, told["events"]))
    if request.method == "POST" and form.is_valid():
        chosen = [fit[key] for key in form.cleaned_data["cover"]]
        address = attempt_once(request, form, lambda: _open(request, party, person, chosen, days, accident))
        if address:
            request.session[_session(request)] = {**told, "opened": "1"}
            return redirect(address)
    context = {"days": _day_words(days), "fit": fit, "unfit": [_unfit(one) for one in found if not one.events]}
    context |= party.words(person)
    title = _("用哪些保障和救助申领？") if any(isinstance(one, Grant) for one in found) else _("用哪些保障申领？")
    return show(request, "start_cover", form, title=title, back=to(request, "start_day"), **context)


def _found(
    request: HttpRequest, party: Party, person: str, days: dict[str, date], accident: date | None
) -> list[Opening | Grant]:
    """The covers of the person who was chosen, and the relief that may be applied for for them, as they stand for what happened."""
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    covers = [cover for cover in party.answering(days) if party.key(cover) == person]
    relieved = party.relief.get(person)
    asked = {event: on for event, on in days.items() if relieved and event in relieved.events()}
    another = bool(party.filing) or relieved is not None and relieved.member.pk != party.claimant.pk
    grants = grant_openings(relieved.offers, relieved.member, days=asked, language=language, of_another=another) if relieved else []
    return [*openings(covers, days=days, accident=accident, language=language), *grants]


def _open(
    request: HttpRequest, party: Party, person: str, chosen: list[Opening | Grant], days: dict[str, date], accident: date | None
) -> str:
    facts = {event: _facts(event, on, accident) for event, on in days.items()}
    claimant, filed = party.filed(person, days)
    touched = [(_ground(one, event, days, by=party.by), event) for one in chosen for event in one.events]
    if filed is None:
        claims = together.open_all(touched, claimant=claimant, by=party.by, on=today(), days=facts)
    else:
        claims = filing.begin(touched, claimant=claimant, days=facts, filing=filed, on=today())
    return to(request, "resume", claims[0].public_id)


def _ground(one: Opening | Grant, event: str, days: dict[str, date], *, by: Actor) -> Enrolment:
    """What a claim rests on: a cover, or for relief the record of having applied."""
    if isinstance(one, Opening):
        return one.cover
    return relief.ground_for(one.member, one.offer.terms, event=event, happened_on=days[event], by=by, on=today())


def _facts(event: str, on: date, accident: date | None) -> dict[str, date]:
    """What the days told at the beginning are, for this kind of event: what came of an accident counts from its day."""
    if event in ACCIDENTS:
        return {"accident_on": on}
    if event in AFTER_ACCIDENT and accident:
        return {"event_on": on, "accident_on": accident}
    return {"event_on": on, "death_on": on} if event == "disease_death" else {"event_on": on}


def _event_words(told: dict[str, Any]) -> str:
    return _("、").join(str(EVENTS[event]) for event in told["events"])


def _day_words(days: dict[str, date]) -> list[tuple[Any, date]]:
    return [(EVENTS[event], on) for event, on in days.items()]


def _key(one: Opening | Grant) -> str:
    return str(one.cover.public_id) if isinstance(one, Opening) else f"relief-{one.offer.terms.pk}"


def _name(one: Opening | Grant) -> str:
    return cover_words(one.cover) if isinstance(one, Opening) else relief_words(one)


def _words(opening: Opening | Grant, days: dict[str, date]) -> str:
    """The cover or the relief, and what it is claimed for where several things happened."""
    words = _name(opening)
    if len(days) == 1:
        return words
    return _("{cover}：{events}").format(cover=words, events=_("、").join(str(Claim.Event(event).label) for event in opening.events))


def cover_words(cover: Enrolment) -> str:
    """The cover as it is chosen: plan, person, days."""
    days = span(cover.cover.lower, cover.last_day)
    return _("{program}（{person}，保障期 {days}）").format(program=cover.program.title, person=cover.member.name, days=days)


def relief_words(one: Grant) -> str:
    """The relief as it is chosen: plan, fund, and that nobody had to join."""
    fund = Fund(one.offer.schedule.fund_of(next(iter(one.events), one.offer.schedule.events[0]))).label
    return _("{program}（{fund}，不用事先参加）").format(program=one.offer.terms.program.title, fund=fund)


def _unfit(one: Opening | Grant) -> dict[str, Any]:
    if isinstance(one, Grant):
        return {"name": relief_words(one), "why": one.why_not, "question": one.question, "plan": one.offer.terms.pk}
    payable = one.cover.state == "contribution_due" and one.cover.roster_id is None
    return {"name": cover_words(one.cover), "why": one.why_not, "pay": one.cover.public_id if payable else None}


def _session(request: HttpRequest) -> str:
    """Where the answers wait: apart for each side of the counter."""
    return f"{SESSION}_unit" if at_unit(request) else f"{SESSION}_desk" if at_desk(request) else SESSION


def _party(request: HttpRequest) -> Party | None:
    """For whom one may begin here; None where the unit's agent, or the desk, has not said for whom."""
    if at_desk(request):
        return of_desk(actor(request), request.session.get(TAKEN_FOR))
    return of_agent(actor(request), request.session.get(FOR)) if at_unit(request) else of_worker(actor(request))


def _told(request: HttpRequest) -> dict[str, Any]:
    """The answers so far; none when what happened is not told."""
    told = request.session.get(_session(request))
    known = isinstance(told, dict) and bool(told.get("events")) and {*told["events"]} <= {*EVENTS}
    return dict(told) if known else {}


def _before(request: HttpRequest) -> dict[str, Any]:
    """What was answered before, unless claims were opened with it."""
    told = _told(request)
    return {} if "opened" in told else told


def _keep(request: HttpRequest, told: dict[str, Any], then: str) -> HttpResponse:
    request.session[_session(request)] = told
    return redirect(to(request, then))
