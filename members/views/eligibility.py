"""May I join? The mission's questions one by one, then every plan with yes, no because, or what is missing."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from members.forms.join import HAVE, ContractForm, EmploymentForm, GroupForm, InsuranceForm, RetirementForm, RiskForm, WorkForm, YesNoForm
from members.models import Enrolment, Member
from members.selectors.joining import (
    ASK,
    FURTHER,
    JOINED,
    NO,
    UNIT,
    YES,
    Offer,
    further_answers,
    groups_to_tell,
    my_drafts,
    offer_of,
    offers,
    unanswered,
    units_of,
)
from members.services import people
from members.transitions import LIVE
from members.views.parts import actor, me, show
from programs.models import Terms
from programs.rules import outline
from programs.rules.examples import assess_case
from programs.rules.explain import sentences
from programs.rules.schedule import Schedule
from programs.selectors import offered_terms
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import requires
from unionaid.offices.models import Office
from unionaid.web.dates import length
from unionaid.workflow.asking import attempt

QUESTIONS = ("employment", "insurance", "union", "work")
TITLES = {
    "employment": gettext_lazy("工作情况"),
    "insurance": gettext_lazy("基本医疗保险"),
    "union": gettext_lazy("工会会员"),
    "work": gettext_lazy("工作单位"),
    **FURTHER,
}
GROUPS = {
    YES: gettext_lazy("您可以参加"),
    ASK: gettext_lazy("还差一些信息"),
    UNIT: gettext_lazy("由单位统一参加"),
    JOINED: gettext_lazy("您已经参加"),
    NO: gettext_lazy("您目前不能参加"),
}


@requires("my.use")
@never_cache
def eligibility(request: HttpRequest) -> HttpResponse:
    """What the worker has answered, each with a way to change it; the first open question when there is one."""
    member = me(request)
    if left := unanswered(member):
        return redirect("members:question", left[0])
    yes = {True: _("是"), False: _("不是"), None: ""}
    answers = [
        (TITLES["employment"], member.get_employment_display(), reverse("members:question", args=["employment"])),
        (TITLES["insurance"], _insurance(member), reverse("members:question", args=["insurance"])),
        (TITLES["union"], yes[member.union_member], reverse("members:question", args=["union"])),
        (TITLES["work"], member.unit.name if member.unit else member.office.name, reverse("members:question", args=["work"])),
    ]
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    further = [
        (TITLES[name], said, reverse("members:question", args=[name]))
        for name, said in further_answers(member, language)
        if name != "risk" or not member.unit or not member.unit.risk
    ]
    return show(request, "eligibility", answers=[*answers, *further])


def _insurance(member: Member) -> str:
    if not member.basic_insurance:
        return _("没有参加")
    return _("已参加{kind}").format(kind=member.get_insurance_type_display()) if member.insurance_type else _("已参加")


@requires("my.use")
@never_cache
def question(request: HttpRequest, name: str) -> HttpResponse:
    """One question; the next open one follows. Those that only some plans ask (`?plan=`) lead back to the plan."""
    member, data = me(request), request.POST or None
    if name not in TITLES or (name == "risk" and member.unit and member.unit.risk):
        raise Http404
    form = _form(request, name, member, data)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            if name == "work":
                _tell_work(request, member, form.cleaned_data)
            else:
                people.tell(member, form.told(), by=actor(request))  # type: ignore[union-attr]
            if name in FURTHER:
                return _back_to_plan(request, member)
            left = unanswered(member)
            return reverse("members:question", args=[left[0]]) if left else reverse("members:plans")

        if address := attempt(form, act):
            return redirect(address)
    if name in FURTHER:
        return show(request, "question", form, title=TITLES[name], back=_plan_address(request) or reverse("members:eligibility"))
    place = QUESTIONS.index(name)
    back = reverse("members:question", args=[QUESTIONS[place - 1]]) if place else reverse("claims:home")
    return show(request, "question", form, title=TITLES[name], step=place + 1, steps=len(QUESTIONS), back=back)


def _plan_address(request: HttpRequest) -> str:
    """The plan that a question was asked for."""
    plan_id = request.GET.get("plan", "")
    return reverse("members:plan", args=[int(plan_id)]) if plan_id.isascii() and plan_id.isdigit() and len(plan_id) < 10 else ""


def _back_to_plan(request: HttpRequest, member: Member) -> str:
    """The next question that this plan asks, or the plan; without a plan all answers."""
    address = _plan_address(request)
    if not address:
        return reverse("members:eligibility")
    terms = next((one for one in offered_terms(on=today(), office=member.office) if str(one.pk) == request.GET["plan"]), None)
    left = offer_of(member, terms, [], {}, on=today()).open if terms else ()
    return f"{reverse('members:question', args=[left[0]])}?plan={request.GET['plan']}" if left else address


Question = EmploymentForm | InsuranceForm | YesNoForm | WorkForm | ContractForm | GroupForm | RiskForm | RetirementForm


def _form(request: HttpRequest, name: str, member: Member, data: Any) -> Question:
    if name == "union":
        label, words = _("您是工会会员吗？"), _("在单位工会入了会的就是会员")
        return YesNoForm(data, label=label, help_text=words, field="union_member", member=member)
    if name == "card":
        label, words = _("您有工会会员卡吗？"), _("单位工会发的会员卡，有的地方和银行卡、社保卡合在一起")
        return YesNoForm(data, label=label, help_text=words, field="card_holder", member=member, choices=HAVE)
    if name == "group":
        language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
        return GroupForm(data, member=member, groups=groups_to_tell(member, on=today()), language=language)
    forms: dict[str, type[EmploymentForm | InsuranceForm | WorkForm | ContractForm | RiskForm | RetirementForm]] = {
        "employment": EmploymentForm, "insurance": InsuranceForm, "work": WorkForm, "contract": ContractForm, "risk": RiskForm,
        "retirement": RetirementForm,
    }  # fmt: skip
    return forms[name](data, member=member)


def _tell_work(request: HttpRequest, member: Member, told: Mapping[str, Any]) -> None:
    unit = told["found"]
    office = unit.office if unit else Office.objects.get(pk=told["office"])
    fresh = people.work_at(member, unit=unit, office=office, by=actor(request))
    member.office_id = fresh.office_id


@requires("my.use")
@never_cache
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan offered to the worker: those they may join first, the others with the reason."""
    member, on = me(request), today()
    cards = [_card(request, offer) for offer in offers(member, on=on)]
    groups = [(words, [card for card in cards if card["standing"] == standing]) for standing, words in GROUPS.items()]
    context = {"groups": [(words, found) for words, found in groups if found], "open": unanswered(member), "drafts": my_drafts()}
    return show(request, "plans", **context)


def _card(request: HttpRequest, offer: Offer) -> dict[str, Any]:
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    against = [v.sentence.in_language(language) for v in offer.verdicts if v.outcome != "pass"]
    if offer.standing == ASK and not against:
        against = [_("请告诉我们：{question}").format(question=TITLES[name]) for name in offer.open]
    return {
        "terms": offer.terms,
        "name": offer.schedule.name.in_language(language),
        "summary": offer.schedule.summary.in_language(language),
        "standing": offer.standing,
        "is_grant": offer.schedule.is_grant,
        "fee": format_yuan(offer.fee_fen) if offer.fee_fen is not None else "",
        "verdicts": [(v.outcome, v.sentence.in_language(language)) for v in offer.verdicts],
        "length": length(offer.schedule.terms[0]) if len(offer.schedule.terms) > 1 else "",
        "open": offer.open,
        "family": offer.family,
        "may": _("您可以参加") if offer.relation == "self" else _("您可以为{who}参加").format(who=Enrolment.Relation(offer.relation).label),
        "for_whom": next((v.sentence.in_language(language) for v in offer.verdicts if v.rule == "items" and v.outcome == "pass"), ""),
        "because": against if offer.standing in (NO, ASK) else [],
    }


def offered(request: HttpRequest, terms_id: int) -> tuple[Member, Terms]:
    """The worker and the terms, which must be among those offered to them; 404 otherwise."""
    member = me(request)
    found = next((terms for terms in offered_terms(on=today(), office=member.office) if terms.pk == terms_id), None)
    if found is None:
        raise Http404
    return member, found


@requires("my.use")
@never_cache
def plan(request: HttpRequest, terms_id: int) -> HttpResponse:
    """One plan: what it pays, by example; what it costs; who may join; and the button to join."""
    member, terms = offered(request, terms_id)
    language = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    live = Enrolment.objects.filter(member=member, state__in=LIVE).only("program_id", "member_id", "cover", "state", "shares")
    offer = offer_of(member, terms, list(live), units_of(member, [terms], on=today()), on=today())
    schedule = offer.schedule
    context = {
        "card": _card(request, offer),
        "items": [
            (item.name.in_language(language), item.clause, [line.in_language(language) for line in outline.item_lines(item)])
            for item in schedule.items
        ],
        "example": _example(schedule, language),
        "fees": [line.in_language(language) for line in outline.fee_lines(schedule)],
        "joining": [line.in_language(language) for line in outline.joining_lines(schedule)],
        "cover": [line.in_language(language) for line in (outline.cover_words(schedule), *outline.survival_lines(schedule))],
        "waiting": outline.waiting_words(schedule).in_language(language),
        "deadline": outline.deadline_words(schedule).in_language(language),
        "deciding": [line.in_language(language) for line in outline.deciding_lines(schedule)],
        "source": schedule.source_title,
        "organiser": schedule.organiser_name,
    }
    return show(request, "plan", **context)


def _example(schedule: Schedule, language: str) -> dict[str, Any] | None:
    """The plan's own first example that pays something, step by step."""
    for example in schedule.examples:
        if "case" not in example:
            continue
        assessment = assess_case(schedule, example["case"])
        if assessment.total > 0:
            lines = [line.words.in_language(language) for item in assessment.as_data()["items"] for line in sentences(item)]
            return {"name": example.get("name", ""), "lines": lines, "total": f"{assessment.total:,.2f}"}
    return None
