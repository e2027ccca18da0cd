"""Joining a plan by oneself: for whom, how long, how many shares, papers, check the answers, send it in."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from members.facts import previous_ends
from members.forms.join import PAPERS, PaperForm, PersonForm, SendForm, SharesForm, TermForm
from members.models import Enrolment, JoinDraft
from members.selectors.joining import cover_of, draft_named, fee_of, my_draft, my_join_paper, wards_of
from members.selectors.whole_units import shares_of_unit
from members.services import joining, people
from members.services.people import masked_numbers
from members.views.eligibility import offered
from members.views.parts import show
from programs.rules.waits import waits, waits_in_words
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires
from unionaid.offices.scope import everywhere
from unionaid.web.asking import ChoiceForm
from unionaid.web.dates import length, long_day, span
from unionaid.web.files import send_paper
from unionaid.workflow.asking import attempt, attempt_once

STEPS = ("person", "term", "shares", "papers", "check")
View = Callable[..., HttpResponse]


def drafting(view: View) -> View:
    """A page of the form: gets the worker's own draft; 404 for all others. One that was sent in leads home."""

    @wraps(view)
    def guarded(request: HttpRequest, public_id: uuid.UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        draft = my_draft(public_id)
        if draft is None:
            raise Http404
        return view(request, draft, *args, **kwargs)

    return guarded


def steps_of(draft: JoinDraft) -> list[str]:
    """The pages this draft needs: a plan for oneself alone does not ask for whom, one of a single length not how long, one of
    one share not how many."""
    schedule = schedule_of(draft.terms)
    enrolling = schedule.enrolling
    asked = {"person": enrolling.without_list != ("self",), "term": len(schedule.terms) > 1, "shares": enrolling.max_shares > 1}
    return [name for name in STEPS if asked.get(name, True)]


def context_of(draft: JoinDraft, name: str) -> dict[str, Any]:
    """Where this page stands in the form."""
    steps = steps_of(draft)
    place = steps.index(name) if name in steps else 0
    plan = reverse("members:plan", args=[draft.terms_id])
    before = reverse(f"members:join_{steps[place - 1]}", args=[draft.public_id]) if place else plan
    return {"draft": draft, "step": place + 1, "steps": len(steps), "back": before, "plan_name": draft.terms.program}


def after(request: HttpRequest, draft: JoinDraft, name: str) -> str:
    """The address of the page after this one; the check when one came from there to change something."""
    steps = steps_of(draft)
    following = "check" if "change" in request.GET else steps[steps.index(name) + 1]
    return reverse(f"members:join_{following}", args=[draft.public_id])


@requires("my.use")
@never_cache
@require_POST
def begin(request: HttpRequest, terms_id: int) -> HttpResponse:
    """The button on the plan's page: the draft, new or taken up again."""
    member, terms = offered(request, terms_id)
    if schedule_of(terms).is_grant:
        return redirect("claims:relief", terms_id)
    try:
        draft = joining.begin(member, terms, by=actor(request))
    except joining.JoinRefused as error:
        messages.warning(request, str(error))
        return redirect("members:plan", terms_id)
    return redirect(f"members:join_{steps_of(draft)[0]}", draft.public_id)


@requires("my.use")
@never_cache
@drafting
def person(request: HttpRequest, draft: JoinDraft) -> HttpResponse:
    """For whom: oneself, a child that is known, or someone new."""
    relations = schedule_of(draft.terms).enrolling.without_list
    wards = {f"ward-{ward.pk}": ward for ward in wards_of(draft.holder, on=today())} if "minor_child" in relations else {}
    choices = [("self", _("{name}（本人）").format(name=draft.holder.name))] if "self" in relations else []
    choices += [(key, _("{name}（未成年子女）").format(name=ward.name)) for key, ward in wards.items()]
    choices += [("new-spouse", _("我的配偶"))] if "spouse" in relations else []
    choices += [("new-minor_child", _("另一个未成年子女") if wards else _("我的未成年子女"))] if "minor_child" in relations else []
    known = "self" if draft.member_id == draft.holder_id else f"ward-{draft.member_id}"
    form = ChoiceForm(request.POST or None, label=_("为谁参加？"), choices=choices, initial={"answer": known})
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data["answer"]
        if answer.startswith("new-"):
            return redirect("members:join_person_new", draft.public_id, answer.removeprefix("new-"))
        relation, chosen = ("self", draft.holder) if answer == "self" else ("minor_child", wards[answer])

        def act() -> str:
            joining.choose_person(draft, relation=relation, member=chosen, by=actor(request))
            return after(request, draft, "person")

        if address := attempt(form, act):
            return redirect(address)
    return show(request, "join_ask", form, title=_("为谁参加？"), **context_of(draft, "person"))


@requires("my.use")
@never_cache
@sensitive_post_parameters()
@drafting
def person_new(request: HttpRequest, draft: JoinDraft, relation: str) -> HttpResponse:
    """Name and ID number of a spouse or child who joins for the first time."""
    if relation not in ("spouse", "minor_child") or relation not in schedule_of(draft.terms).enrolling.relations:
        raise Http404
    form = PersonForm(request.POST or None, relation=relation)
    if request.method == "POST" and form.is_valid():
        told = {name: form.cleaned_data[name] for name in ("name", "id_number")}

        def act() -> str:
            if relation == "spouse":
                found = people.add_spouse(draft.holder, **told, by=actor(request))
            else:
                found = people.add_child(draft.holder, **told, by=actor(request), on=today())
            joining.choose_person(draft, relation=relation, member=found, by=actor(request))
            return after(request, draft, "person")

        if address := attempt(form, act):
            return redirect(address)
    title = _("配偶的信息") if relation == "spouse" else _("孩子的信息")
    return show(request, "join_ask", form, title=title, **context_of(draft, "person"))


@requires("my.use")
@never_cache
@drafting
def term(request: HttpRequest, draft: JoinDraft) -> HttpResponse:
    """For how long: each length that the plan offers, with its last day and what a share costs."""
    schedule, words = schedule_of(draft.terms), []
    for months in schedule.terms:
        cover = schedule.cover(on=today(), term_months=months)
        if cover is None:
            continue
        fee = _fee(draft, 1, months)
        said = _("{length}，保障到{last}，每份 {fee} 元")
        words.append((str(months), said.format(length=length(months), last=long_day(cover.last_day), fee=format_yuan(fee or 0))))
    form = TermForm(request.POST or None, words=words, months=draft.term_months)
    if "term" not in steps_of(draft):
        raise Http404
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            joining.choose_term(draft, int(form.cleaned_data["answer"]), by=actor(request))
            return after(request, draft, "term")

        if address := attempt(form, act):
            return redirect(address)
    return show(request, "join_ask", form, title=_("保障多长时间？"), **context_of(draft, "term"))


def _fee(draft: JoinDraft, shares: int, months: int | None = None) -> int | None:
    """What so many shares cost the person of this draft, for the chosen length of cover or for `months`."""
    schedule, person, term = schedule_of(draft.terms), draft.member or draft.holder, months or draft.term_months
    return fee_of(schedule, person, shares, draft.relation, unit=draft.holder.unit, on=today(), term_months=term)


@requires("my.use")
@never_cache
@drafting
def shares(request: HttpRequest, draft: JoinDraft) -> HttpResponse:
    """How many shares, each number with what it costs."""
    schedule = schedule_of(draft.terms)
    words = []
    with everywhere(reason="how many shares the others of one's unit have"):
        fixed = shares_of_unit(draft.terms, draft.holder.unit, draft.relation)
    for count in [fixed] if fixed else range(1, schedule.enrolling.max_shares + 1):
        fee = _fee(draft, count)
        words.append((str(count), _("{count} 份，{fee} 元").format(count=count, fee=format_yuan(fee or 0))))
    form = SharesForm(request.POST or None, words=words, shares=fixed or draft.shares, fixed=fixed is not None)
    if "shares" not in steps_of(draft):
        raise Http404
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            joining.choose_shares(draft, form.cleaned_data["answer"], by=actor(request))
            return after(request, draft, "shares")

        if address := attempt(form, act):
            return redirect(address)
    return show(request, "join_ask", form, title=_("参加几份？"), **context_of(draft, "shares"))


@requires("my.use")
@never_cache
@drafting
def papers(request: HttpRequest, draft: JoinDraft) -> HttpResponse:
    """Papers that show that one may join: one at least; others help the office."""
    kinds = ("relation", "other") if draft.relation != "self" else ("contract", "insurance", "union_card", "other")
    files = request.FILES or None
    form = PaperForm(request.POST or None, files, kinds=kinds) if request.method == "POST" else PaperForm(kinds=kinds)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            joining.add_paper(draft, kind=form.cleaned_data["kind"], upload=form.cleaned_data["file"], by=actor(request))
            return request.get_full_path()

        if address := attempt(form, act):
            return redirect(address)
    kept = [(paper, PAPERS[paper.kind]) for paper in draft.papers.all()]
    missing = "papers" in joining.missing(draft)
    context = context_of(draft, "papers") | {"kept": kept, "missing": missing, "onward": after(request, draft, "papers")}
    return show(request, "join_papers", form, title=_("证明材料"), **context)


@requires("my.use")
@never_cache
def paper(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A paper of one's own draft."""
    found = my_join_paper(public_id)
    if found is None:
        raise Http404
    return send_paper(found)


@requires("my.use")
@never_cache
@require_POST
def paper_remove(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take a paper away again."""
    found = my_join_paper(public_id)
    if found is None:
        raise Http404
    joining.remove_paper(found)
    return redirect("members:join_papers", found.draft.public_id)


@requires("my.use")
@never_cache
def check(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Check the answers and send them in; sending twice has one effect."""
    form = SendForm(request.POST or None)
    sent = request.method == "POST" and form.is_valid()
    if sent and (address := attempt_once(request, form, lambda: _send(request, public_id))):
        return redirect(address)
    draft = my_draft(public_id)
    if draft is None and not sent:
        raise Http404
    if draft is None:
        messages.warning(request, _("这份参加申请已经提交，请看下面的“我参加的”。"))
        return redirect("claims:home")
    missing = joining.missing(draft)
    context = {**context_of(draft, "check"), "missing": missing, "answers": _answers(draft), **_cost(draft, missing)}
    return show(request, "join_check", form, title=_("核对后提交"), **context)


def _send(request: HttpRequest, public_id: uuid.UUID) -> str:
    draft = draft_named(public_id)
    if draft is None:
        raise joining.JoinRefused(_("这份参加申请已经提交，请到“我的保障”查看。"))
    made = joining.submit(draft, by=actor(request), on=today())
    return reverse("members:joined", args=[made.public_id])


def _answers(draft: JoinDraft) -> list[tuple[Any, Any, str]]:
    def change(name: str) -> str:
        return f"{reverse(f'members:join_{name}', args=[draft.public_id])}?change=1" if name in steps_of(draft) else ""

    relation = Enrolment.Relation(draft.relation).label
    who = draft.member
    number = ""
    if who:
        with everywhere(reason="show the number of the person a draft names"):
            number = masked_numbers([who.pk])[who.pk].id_number
    count = draft.papers.count()
    work = draft.holder.unit.name if draft.holder.unit else draft.holder.office.name if draft.holder.office else ""
    return [
        (_("互助计划"), draft.terms.program.title, ""),
        (_("为谁参加"), _("{name}（{relation}）").format(name=who.name, relation=relation) if who else "", change("person")),
        (_("身份证号"), number, ""),
        (_("工作单位"), work, reverse("members:question", args=["work"]) if not draft.holder.unit_id else ""),
        *([(_("保障时间"), length(draft.term_months) if draft.term_months else "", change("term"))] if change("term") else []),
        (_("份数"), _("{count} 份").format(count=draft.shares), change("shares")),
        (_("证明材料"), _("{count} 份").format(count=count) if count else "", change("papers")),
    ]


def _cost(draft: JoinDraft, missing: list[str]) -> dict[str, Any]:
    """What it costs, from when until when it covers, and until when one waits; nothing of it while the length of cover is still
    to be chosen, or the contribution depends on something not told."""
    schedule = schedule_of(draft.terms)
    fee = _fee(draft, draft.shares)
    cover = cover_of(draft, on=today())
    people = [draft.member_id] if draft.member_id else []
    with everywhere(reason="when this person's last cover ended, through whomever"):
        ended = previous_ends(people, draft.terms, before=cover.start).get(draft.member_id or 0)
    since = None if ended is None else (cover.start - ended).days
    found = waits(schedule, cover.start, since)
    return {
        "fee": "" if fee is None or "term" in missing else format_yuan(fee),
        "days": span(cover.start, cover.last_day),
        "waits": waits_in_words(found).in_language(get_language() or "") if any(one.until or one.waived for one in found) else "",
    }


@requires("my.use")
@never_cache
@drafting
def drop(request: HttpRequest, draft: JoinDraft) -> HttpResponse:
    """Throw an unfinished draft away."""
    if request.method == "POST":
        for kept in list(draft.papers.all()):
            joining.remove_paper(kept)
        draft.delete()
        messages.success(request, _("没填完的参加申请已删除。"))
        return redirect("members:plans")
    return show(request, "join_drop", **context_of(draft, "check"))
