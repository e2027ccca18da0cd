"""Beginning a claim: what happened, to whom, when, and under which cover. One question a page; nothing is stored with a claim
until the consent is given, so the answers wait in the session."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from claims.forms import DAY_WORDS, CoverForm, DayForm
from claims.selectors.claims import my_claims
from claims.selectors.covers import Opening, events_of, my_covers, openings
from claims.services import intake
from claims.views.parts import show
from members.models import Enrolment, Member
from programs.rules.facts import ACCIDENTS
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
    form = ChoiceForm(request.POST or None, label=_("发生了什么事？"), choices=choices, initial=_initial(request, "event"))
    if request.method == "POST" and form.is_valid():
        return _keep(request, {"event": form.cleaned_data["answer"]}, "claims:start_person")
    drafts = [claim for claim in my_claims() if claim.state == "draft"]
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
    form = ChoiceForm(
        request.POST or None, label=_("为谁申领？"), choices=list(people.items()), initial=_initial(request, "person")
    )
    if request.method == "POST" and form.is_valid():
        return _keep(request, {**told, "person": form.cleaned_data["answer"]}, "claims:start_day")
    return show(request, "start", form, title=EVENTS[told["event"]], back=reverse("claims:start"))


@requires("my.use")
@never_cache
def start_day(request: HttpRequest) -> HttpResponse:
    """When? The day decides which cover counts."""
    told = _told(request)
    if not _covers(request) or "person" not in told:
        return redirect("claims:start")
    label, words = DAY_WORDS[told["event"]]
    form = DayForm(request.POST or None, label=label, help_text=words, initial=_initial(request, "on"))
    if request.method == "POST" and form.is_valid():
        return _keep(request, {**told, "on": form.cleaned_data["answer"].isoformat()}, "claims:start_cover")
    return show(request, "start", form, title=EVENTS[told["event"]], back=reverse("claims:start"))


@requires("my.use")
@never_cache
def start_cover(request: HttpRequest) -> HttpResponse:
    """Under which cover? Those that do not fit are shown with the reason. The consent opens the claim."""
    told = _told(request)
    covers = [cover for cover in _covers(request) if str(cover.member_id) == told.get("person")]
    if not covers or "on" not in told:
        return redirect("claims:start")
    on = date.fromisoformat(told["on"])
    found = openings(covers, event=told["event"], on=on, language=request.LANGUAGE_CODE)  # type: ignore[attr-defined]
    fit = {str(opening.cover.public_id): opening.cover for opening in found if not opening.why_not}
    form = CoverForm(request.POST or None, covers=[(key, cover_words(cover)) for key, cover in fit.items()])
    if request.method == "POST" and form.is_valid():
        address = attempt_once(request, form, lambda: _open(request, fit[form.cleaned_data["cover"]], told["event"], on))
        if address:
            request.session[SESSION] = {**told, "opened": "1"}
            return redirect(address)
    context = {"on": on, "fit": fit, "unfit": [_unfit(opening) for opening in found if opening.why_not]}
    return show(request, "start_cover", form, title=EVENTS[told["event"]], back=reverse("claims:start_day"), **context)


def _open(request: HttpRequest, cover: Enrolment, event: str, on: date) -> str:
    by = actor(request)
    claim = intake.open_claim(enrolment=cover, claimant=Member.objects.get(pk=by.member_id), event=event, by=by, on=today())
    facts = {"accident_on": on} if event in ACCIDENTS else {"event_on": on}
    intake.tell(claim, facts | ({"death_on": on} if event == "disease_death" else {}), by=by, on=today())
    return reverse("claims:resume", args=[claim.public_id])


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


def _told(request: HttpRequest) -> dict[str, str]:
    """The answers so far."""
    told = request.session.get(SESSION)
    return dict(told) if isinstance(told, dict) and told.get("event") in EVENTS else {}


def _initial(request: HttpRequest, name: str) -> dict[str, str | None]:
    """What was answered before, unless a claim was opened with it."""
    told = _told(request)
    return {"answer": None if "opened" in told else told.get(name)}


def _covers(request: HttpRequest) -> list[Enrolment]:
    """The covers that answer to the event told."""
    return events_of(my_covers(), _me(request)).get(_told(request).get("event", ""), [])


def _keep(request: HttpRequest, told: dict[str, str], then: str) -> HttpResponse:
    request.session[SESSION] = told
    return redirect(then)
