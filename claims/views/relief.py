"""Relief and condolence that a worker may apply for: which there are, for whom, and the beginning of an application."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from claims.forms import DAY_WORDS, word_consent
from claims.selectors.journey import ACCIDENTS
from claims.services import intake, relief
from claims.views.apply import EVENTS
from claims.views.parts import show
from members.models import Member
from members.selectors.joining import ASK, NO, Offer, grants, unanswered, worker_of
from unionaid.ledger.accounts import Fund
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.web.asking import KeyedForm, PastDayField
from unionaid.workflow.asking import attempt_once


class ReliefForm(KeyedForm):
    """What happened, when, and the separate consent that medical matters, or the family's means, may be handled."""

    event = forms.ChoiceField(
        label=_("因为什么申请？"), widget=forms.RadioSelect,
        error_messages={"required": _("请选择因为什么申请"), "invalid_choice": _("请在下面选择一项")},
    )  # fmt: skip
    happened_on = PastDayField(
        label=_("哪一天的事？"), help_text=_("住院的填入院日期，生病的填确诊日期，意外的填受伤那天，身故的填去世那天"),
        error_messages={"required": _("请填写日期，例如 2026-03-01")},
    )  # fmt: skip
    consent = forms.BooleanField(
        label=_("我单独同意：为办理这次申请，办事处处理我填写和上传的医疗健康信息。"),
        error_messages={"required": _("请先勾选同意，没有您的同意我们不能处理医疗信息")},
    )

    def __init__(self, data: Any, *, events: tuple[str, ...]) -> None:
        super().__init__(data)
        word_consent(self.fields["consent"], events)
        self.fields["event"].choices = [(event, EVENTS[event]) for event in events]  # type: ignore[attr-defined]
        if len(events) == 1:
            self.fields["event"].initial = events[0]
            self.fields["happened_on"].label, self.fields["happened_on"].help_text = DAY_WORDS[events[0]]


@requires("my.use")
@never_cache
@require_GET
def choices(request: HttpRequest) -> HttpResponse:
    """What may be applied for, and why not the others."""
    member = worker_of(_me(request))
    cards = [_card(request, offer, member) for offer in grants(member, on=today())]
    return show(request, "reliefs", cards=cards)


@requires("my.use")
@never_cache
def begin(request: HttpRequest, terms_id: int) -> HttpResponse:
    """What happened and when; the consent opens the application. Sent twice it is opened once."""
    member = worker_of(_me(request))
    offer = next((one for one in grants(member, on=today()) if one.terms.pk == terms_id), None)
    if offer is None:
        raise Http404
    form = ReliefForm(request.POST if request.method == "POST" else None, events=offer.schedule.events)

    def act() -> str:
        said = form.cleaned_data
        by, event, on = actor(request), said["event"], said["happened_on"]
        claim = relief.begin(member, offer.terms, event=event, happened_on=on, by=by, on=today())
        facts = {"accident_on": on} if event in ACCIDENTS else {"event_on": on}
        intake.tell(claim, facts | ({"death_on": on} if event == "disease_death" else {}), by=by, on=today())
        return reverse("claims:resume", args=[claim.public_id])

    if form.is_bound and form.is_valid() and (address := attempt_once(request, form, act)):
        return redirect(address)
    return show(request, "relief", form, card=_card(request, offer, member), back=reverse("claims:reliefs"))


def _card(request: HttpRequest, offer: Offer, member: Member) -> dict[str, Any]:
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    against = [verdict.sentence.in_language(language) for verdict in offer.verdicts if verdict.outcome != "pass"]
    return {
        "terms": offer.terms,
        "name": offer.schedule.name.in_language(language),
        "summary": offer.schedule.summary.in_language(language),
        "fund": Fund(offer.schedule.items[0].fund).label,
        "papers": [paper.name.in_language(language) for paper in offer.schedule.documents_for(offer.schedule.events[0]) if paper.required],
        "closes": offer.schedule.enrolling.closes,
        "why_not": against if offer.standing == NO else [],
        "ask": against if offer.standing == ASK else [],
        "question": next(iter(offer.open or unanswered(member)), "") if offer.standing == ASK else "",
    }


def _me(request: HttpRequest) -> int:
    me = actor(request).member_id
    assert me is not None  # my.use is for members alone
    return me
