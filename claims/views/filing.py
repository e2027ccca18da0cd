"""Filing for somebody: the unit's agent, or the desk, finds the worker and sees what they began; after a death the desk writes down who
claims. The claimant agrees or objects."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from claims.models import Claim
from claims.selectors.claims import my_claim
from claims.selectors.filing import filed_at_unit, filer_words, half_taken, taken_in, takes_in_at
from claims.services import filing
from claims.views.parts import FOR, TAKEN_FOR, at_desk, own, show, to
from members.models import Member
from members.selectors.people import workers_called
from members.services import people
from members.services.people import masked_numbers
from unionaid.offices.access import actor, requires
from unionaid.web.asking import AskForm, ChoiceForm
from unionaid.web.fields import IdNumberField, NameField, PhoneField
from unionaid.workflow.asking import attempt, outcome

FOUND = "filing_found"


WHO = (("worker", gettext_lazy("职工本人申领（本人到场，或者家人代来）")), ("heir", gettext_lazy("职工已去世，由继承人申领")))


class WhoForm(ChoiceForm):
    """Which of those who were found, and who claims."""

    who = forms.ChoiceField(
        label=gettext_lazy("谁来申领？"), choices=WHO, widget=forms.RadioSelect, initial="worker",
        error_messages={"required": gettext_lazy("请选择谁来申领"), "invalid_choice": gettext_lazy("请在下面选择一项")},
    )  # fmt: skip

    def __init__(self, data: Any, *, choices: list[tuple[str, str]]) -> None:
        initial = {"answer": choices[0][0]} if len(choices) == 1 else None
        super().__init__(data, label=gettext("是这位职工吗？"), choices=choices, initial=initial)


class FindForm(AskForm):
    """The worker's whole name, and their ID number or its last digits."""

    name = NameField(
        label=gettext_lazy("职工姓名"), help_text=gettext_lazy("要写全名，和身份证上一样"),
        error_messages={"required": gettext_lazy("请填写职工姓名")},
    )  # fmt: skip
    number = forms.RegexField(
        r"^\s*[0-9]{3,17}[0-9Xx]\s*$", label=gettext_lazy("身份证号，或它的后四位"), max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("请填写身份证号，或它的后四位"), "invalid": gettext_lazy("请填写 18 位身份证号，或它的后四位"),
        },
    )  # fmt: skip


class HeirForm(AskForm):
    """Who claims after the worker's death: as their own papers say."""

    name = NameField(
        label=gettext_lazy("继承人姓名"), help_text=gettext_lazy("和身份证上一样；互助金付到这个人名下的账户"),
        error_messages={"required": gettext_lazy("请填写继承人姓名")},
    )  # fmt: skip
    id_number = IdNumberField(
        label=gettext_lazy("继承人身份证号"), help_text=gettext_lazy("请对照本人的身份证填写"),
        error_messages={"required": gettext_lazy("请填写继承人身份证号")},
    )  # fmt: skip
    phone = PhoneField(
        label=gettext_lazy("继承人手机号"), help_text=gettext_lazy("有进展用短信通知"),
        error_messages={"required": gettext_lazy("请填写继承人手机号")},
    )  # fmt: skip
    relation = forms.ChoiceField(
        label=gettext_lazy("是逝者的什么人"), choices=Claim.Heir.choices, widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("请选择是逝者的什么人"), "invalid_choice": gettext_lazy("请在下面选择一项")},
    )  # fmt: skip


@requires("claims.take_in")
@never_cache
def taken(request: HttpRequest) -> HttpResponse:
    """What this person took in at the desk: what waits for them first."""
    by = actor(request)
    return _filed(request, taken_in(by), left=half_taken(by))


@requires("claims.take_in")
@never_cache
@require_POST
def take_over(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A colleague's half-taken claim is gone on with; one that is not of this desk is not there."""
    claim, by = my_claim(public_id), actor(request)
    if claim is None or claim.filed_as != Claim.FiledAs.DESK or claim.office_id not in takes_in_at(by):
        raise Http404
    _status, refused = outcome(lambda: filing.take_over(claim, by=by))
    if refused:
        messages.warning(request, refused)
        return redirect(to(request, "home"))
    messages.success(request, gettext("申领 {number} 由您接着办了。").format(number=claim.number))
    return redirect(to(request, "status" if claim.state == "returned_payment" else "resume", public_id))


@requires("claims.take_in")
@never_cache
def find_at_desk(request: HttpRequest) -> HttpResponse:
    """For whom? Only people whom the desk's offices see are found, by name and number; nobody is listed."""
    return _find(request, gettext("没有找到这位职工。请对照身份证核对姓名和号码；不归本办事处的，请到他参加的办事处办理。"))


@requires("claims.take_in")
@never_cache
def person_at_desk(request: HttpRequest) -> HttpResponse:
    """Is it this one, and who claims: the worker, or somebody after their death?"""
    found = _found(request)
    if not found:
        return redirect(to(request, "find"))
    form = WhoForm(request.POST or None, choices=_in_words(found))
    if request.method == "POST" and form.is_valid():
        chosen = found[int(form.cleaned_data["answer"])]
        if chosen.user_id != request.user.pk:
            request.session[TAKEN_FOR] = {"worker": chosen.pk}
            return redirect(to(request, "heir" if form.cleaned_data["who"] == "heir" else "start"))
        form.refuse(gettext("这是您本人。您自己的申领，请从“我自己的保障”里办。"), "answer")
    return show(request, "ask", form, title=gettext("核对职工"), back=to(request, "find"), button=gettext("是，继续"))


@requires("claims.take_in")
@never_cache
def heir(request: HttpRequest) -> HttpResponse:
    """After a death: who claims, and what they were to each other. Sent twice one person is written down."""
    told = request.session.get(TAKEN_FOR)
    worker = Member.objects.filter(pk=told.get("worker") if isinstance(told, dict) else None).first()
    if worker is None:
        return redirect(to(request, "find"))
    form = HeirForm(request.POST if request.method == "POST" else None)

    def act() -> str:
        said = form.cleaned_data
        made = people.add_heir(worker, name=said["name"], id_number=said["id_number"], phone=said["phone"], by=actor(request))
        request.session[TAKEN_FOR] = {"worker": worker.pk, "heir": made.pk, "relation": said["relation"]}
        return to(request, "start")

    if form.is_bound and form.is_valid() and (address := attempt(form, act)):
        return redirect(address)
    words = gettext("{name}去世后，谁来申领？").format(name=worker.name)
    return show(request, "heir", form, title=words, back=to(request, "person"))


@requires("claims.file_for")
@never_cache
def filed(request: HttpRequest) -> HttpResponse:
    """What this agent began for people of their units: what waits for them first."""
    return _filed(request, filed_at_unit(actor(request)))


def _filed(request: HttpRequest, claims: list[Claim], left: Sequence[Claim] = ()) -> HttpResponse:
    todo = ("draft", "supplement_requested", "returned_payment") if at_desk(request) else ("draft", "supplement_requested")
    waiting = {claim.occasion if claim.state == "draft" else claim.pk: claim for claim in claims if claim.state in todo}
    sent = [claim for claim in claims if claim.state not in todo]
    return show(request, "filed", waiting=list(waiting.values()), sent=sent, left=left)


@requires("claims.file_for")
@never_cache
def find(request: HttpRequest) -> HttpResponse:
    """For whom? Only who works in one of the agent's units is found, by their name and number; nobody is listed."""
    return _find(request, gettext("没有找到这位职工。请对照身份证核对姓名和号码；不在您单位名册里的，不能由您代办。"))


def _find(request: HttpRequest, nobody: str) -> HttpResponse:
    form = FindForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = workers_called(form.cleaned_data["name"], form.cleaned_data["number"])
        if found:
            request.session[FOUND] = [member.pk for member in found]
            return redirect(to(request, "person"))
        form.refuse(nobody)
    return show(request, "ask", form, title=gettext("为哪位职工代办？"), back=to(request, "home"), button=gettext("查找"))


@requires("claims.file_for")
@never_cache
def person(request: HttpRequest) -> HttpResponse:
    """Is it this one? Shown with masked numbers; chosen, one goes on to what happened."""
    found = _found(request)
    if not found:
        return redirect(to(request, "find"))
    choices = _in_words(found)
    initial = {"answer": choices[0][0]} if len(choices) == 1 else None
    form = ChoiceForm(request.POST or None, label=gettext("是这位职工吗？"), choices=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = found[int(form.cleaned_data["answer"])]
        if chosen.user_id != request.user.pk:
            request.session[FOR] = chosen.pk
            return redirect(to(request, "start"))
        form.refuse(gettext("这是您本人。您自己的申领，请从“我自己的保障”里办。"), "answer")
    return show(request, "ask", form, title=gettext("核对职工"), back=to(request, "find"), button=gettext("是，继续"))


def _in_words(found: Mapping[int, Member]) -> list[tuple[str, str]]:
    """People as one chooses among them: their numbers masked."""
    numbers = masked_numbers(list(found))
    return [(str(key), gettext("{name}（{number}）").format(name=one.name, number=numbers[key].id_number)) for key, one in found.items()]


def _found(request: HttpRequest) -> dict[int, Member]:
    """Those who were found and are still seen by the agent's units."""
    keys = request.session.get(FOUND)
    return Member.objects.in_bulk(keys if isinstance(keys, list) else [])  # type: ignore[return-value]


# -- the claimant's word ----------------------------------------------------------------------------------------------


class ObjectForm(AskForm):
    """Why one did not want it; it may be left out."""

    note = forms.CharField(
        label=gettext_lazy("有什么不对（可以不填，办事处会看到）"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def _filed_for_me(request: HttpRequest, public_id: uuid.UUID) -> Claim:
    claim = own(request, public_id)
    if not claim.filed_as:
        raise Http404
    return claim


@requires("my.use")
@never_cache
@require_POST
def agree(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The claimant lets somebody fill it in for them."""
    claim, form = _filed_for_me(request, public_id), AskForm({})
    form.is_valid()
    if attempt(form, lambda: filing.agree(claim, by=actor(request)) or "done"):
        messages.success(request, gettext("您已同意代办，不用再交委托书。"))
    for words in form.non_field_errors():
        messages.warning(request, words)
    return redirect(to(request, "status", public_id))


@requires("my.use")
@never_cache
def object_to(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The claimant did not want it; what follows is said before they send it."""
    claim = _filed_for_me(request, public_id)
    form = ObjectForm(request.POST if request.method == "POST" else None)

    def act() -> str:
        filing.object_to(claim, by=actor(request), note=form.cleaned_data["note"])
        messages.success(request, gettext("异议已记下。代办人不能再看、再填这份申领；您可以接着自己办，也可以撤回。"))
        return to(request, "status", public_id)

    if form.is_bound and form.is_valid() and (address := attempt(form, act)):
        return redirect(address)
    context: dict[str, Any] = {"claim": claim, "filer": filer_words(claim), "back": to(request, "status", public_id)}
    return show(request, "filing_object", form, title=gettext("对代办有异议"), **context)
