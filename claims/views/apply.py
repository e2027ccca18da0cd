"""Beginning to claim: what happened, to whom, when; the covers that it touches are found. One question a page; nothing is stored
with a claim until the consent is given, so the answers wait in the session."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from claims.forms import CoverForm, DayForm, HappenedForm
from claims.models import Claim
from claims.selectors.claims import my_claims
from claims.selectors.covers import Opening, events_of, my_covers, openings
from claims.services import together
from claims.views.parts import show
from members.models import Enrolment, Member
from programs.rules.facts import ACCIDENTS, STAY_EVENTS
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
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


@requires("my.use")
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """What happened? Only what one's covers answer to."""
    covers = my_covers()
    events = events_of(covers, _me(request))
    if not events:
        return show(request, "nothing", covers=covers)
    choices = [(event, words) for event, words in EVENTS.items() if event in events]
    form = HappenedForm(request.POST or None, choices=choices, initial={"answer": _before(request).get("events")})
    if request.method == "POST" and form.is_valid():
        return _keep(request, {"events": form.cleaned_data["answer"]}, "claims:start_person")
    drafts = list({claim.occasion: claim for claim in reversed(my_claims()) if claim.state == "draft"}.values())
    return show(request, "start", form, title=_("申领互助金"), drafts=drafts, first=True)


@requires("my.use")
@never_cache
def start_person(request: HttpRequest) -> HttpResponse:
    """For whom? Not asked when only one person can be meant."""
    told, covers = _told(request), _covers(request)
    if not covers:
        return redirect("claims:start")
    people = {str(cover.member_id): _person_words(cover, request) for cover in covers}
    if len(people) == 1:
        return _keep(request, {**told, "person": next(iter(people))}, "claims:start_day")
    initial = {"answer": _before(request).get("person")}
    form = ChoiceForm(request.POST or None, label=_("为谁申领？"), choices=list(people.items()), initial=initial)
    if request.method == "POST" and form.is_valid():
        return _keep(request, {**told, "person": form.cleaned_data["answer"]}, "claims:start_day")
    return show(request, "start", form, title=_event_words(told), back=reverse("claims:start"))


@requires("my.use")
@never_cache
def start_day(request: HttpRequest) -> HttpResponse:
    """When? The day decides which cover counts."""
    told = _told(request)
    if not _covers(request) or "person" not in told:
        return redirect("claims:start")
    before = _before(request)
    form = DayForm(request.POST or None, events=told["events"], days=before.get("days", {}) | {"accident": before.get("accident")})
    if request.method == "POST" and form.is_valid():
        return _keep(request, {**told, "days": form.days(), "accident": form.accident()}, "claims:start_cover")
    return show(request, "start", form, title=_event_words(told), back=reverse("claims:start"))


@requires("my.use")
@never_cache
def start_cover(request: HttpRequest) -> HttpResponse:
    """Under which covers? All that fit are chosen; those that do not are shown with the reason. The consent opens the claims."""
    told = _told(request)
    covers = [cover for cover in _covers(request) if str(cover.member_id) == told.get("person")]
    if not covers or {*told.get("days", ())} != {*told["events"]}:
        return redirect("claims:start")
    days = {event: date.fromisoformat(day) for event, day in told["days"].items()}
    accident = date.fromisoformat(told["accident"]) if told.get("accident") else None
    found = openings(covers, days=days, accident=accident, language=request.LANGUAGE_CODE)  # type: ignore[attr-defined]
    fit = {str(opening.cover.public_id): opening for opening in found if opening.events}
    form = CoverForm(request.POST or None, covers=[(key, _opening_words(opening, days)) for key, opening in fit.items()], events=days)
    if request.method == "POST" and form.is_valid():
        address = attempt_once(request, form, lambda: _open(request, [fit[key] for key in form.cleaned_data["cover"]], days, accident))
        if address:
            request.session[SESSION] = {**told, "opened": "1"}
            return redirect(address)
    context = {"days": _day_words(days), "fit": fit, "unfit": [_unfit(opening) for opening in found if not opening.events]}
    return show(request, "start_cover", form, title=_("用哪些保障申领？"), back=reverse("claims:start_day"), **context)


def _open(request: HttpRequest, chosen: list[Opening], days: dict[str, date], accident: date | None) -> str:
    by = actor(request)
    claims = together.open_all(
        [(opening.cover, event) for opening in chosen for event in opening.events],
        claimant=Member.objects.get(pk=by.member_id), by=by, on=today(),
        days={event: _facts(event, on, accident) for event, on in days.items()},
    )  # fmt: skip
    return reverse("claims:resume", args=[claims[0].public_id])


def _facts(event: str, on: date, accident: date | None) -> dict[str, date]:
    """What the days told at the beginning are, for this kind of event: a stay that came of an accident counts from its day."""
    if event in ACCIDENTS:
        return {"accident_on": on}
    if event in STAY_EVENTS and accident:
        return {"event_on": on, "accident_on": accident}
    return {"event_on": on, "death_on": on} if event == "disease_death" else {"event_on": on}


def _event_words(told: dict[str, Any]) -> str:
    return _("、").join(str(EVENTS[event]) for event in told["events"])


def _day_words(days: dict[str, date]) -> list[tuple[Any, date]]:
    return [(EVENTS[event], on) for event, on in days.items()]


def _opening_words(opening: Opening, days: dict[str, date]) -> str:
    """The cover, and what it is claimed for where several things happened."""
    words = cover_words(opening.cover)
    if len(days) == 1:
        return words
    return _("{cover}：{events}").format(cover=words, events=_("、").join(str(Claim.Event(event).label) for event in opening.events))


def cover_words(cover: Enrolment) -> str:
    """The cover as it is chosen: plan, person, days."""
    days = span(cover.cover.lower, cover.last_day)
    return _("{program}（{person}，保障期 {days}）").format(program=cover.program.title, person=cover.member.name, days=days)


def _unfit(opening: Opening) -> dict[str, Any]:
    cover = opening.cover
    payable = cover.state == "contribution_due" and cover.roster_id is None
    return {"name": cover_words(cover), "why": opening.why_not, "pay": cover.public_id if payable else None}


def _me(request: HttpRequest) -> int:
    me = actor(request).member_id
    assert me is not None  # my.use is for members alone
    return me


def _person_words(cover: Enrolment, request: HttpRequest) -> str:
    if cover.member_id == _me(request):
        return _("{name}（本人）").format(name=cover.member.name)
    return _("{name}（{relation}）").format(name=cover.member.name, relation=cover.get_relation_display())


def _told(request: HttpRequest) -> dict[str, Any]:
    """The answers so far; none when what happened is not told."""
    told = request.session.get(SESSION)
    known = isinstance(told, dict) and bool(told.get("events")) and {*told["events"]} <= {*EVENTS}
    return dict(told) if known else {}


def _before(request: HttpRequest) -> dict[str, Any]:
    """What was answered before, unless claims were opened with it."""
    told = _told(request)
    return {} if "opened" in told else told


def _covers(request: HttpRequest) -> list[Enrolment]:
    """The covers that answer to one of the events told, each once."""
    events = events_of(my_covers(), _me(request))
    found = {cover.pk: cover for event in _told(request).get("events", ()) for cover in events.get(event, ())}
    return list(found.values())


def _keep(request: HttpRequest, told: dict[str, Any], then: str) -> HttpResponse:
    request.session[SESSION] = told
    return redirect(then)
