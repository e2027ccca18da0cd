"""Filing for somebody: the unit's agent finds the worker and sees what they began; the claimant agrees or objects."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from claims.models import Claim
from claims.selectors.filing import filed_at_unit, filer_words
from claims.services import filing
from claims.views.parts import FOR, own, show, to
from members.models import Member
from members.selectors.people import workers_called
from members.services.people import masked_numbers
from unionaid.offices.access import actor, requires
from unionaid.web.asking import AskForm, ChoiceForm
from unionaid.web.fields import NameField
from unionaid.workflow.asking import attempt

FOUND = "filing_found"


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


@requires("claims.file_for")
@never_cache
def filed(request: HttpRequest) -> HttpResponse:
    """What this agent began for people of their units: what waits for them first."""
    claims = filed_at_unit(actor(request))
    waiting = {claim.occasion: claim for claim in claims if claim.state in ("draft", "supplement_requested")}
    sent = [claim for claim in claims if claim.state != "draft"]
    return show(request, "filed", waiting=list(waiting.values()), sent=sent)


@requires("claims.file_for")
@never_cache
def find(request: HttpRequest) -> HttpResponse:
    """For whom? Only who works in one of the agent's units is found, by their name and number; nobody is listed."""
    form = FindForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = workers_called(form.cleaned_data["name"], form.cleaned_data["number"])
        if found:
            request.session[FOUND] = [member.pk for member in found]
            return redirect(to(request, "person"))
        form.refuse(_("没有找到这位职工。请对照身份证核对姓名和号码；不在您单位名册里的，不能由您代办。"))
    return show(request, "ask", form, title=_("为哪位职工代办？"), back=to(request, "home"), button=_("查找"))


@requires("claims.file_for")
@never_cache
def person(request: HttpRequest) -> HttpResponse:
    """Is it this one? Shown with masked numbers; chosen, one goes on to what happened."""
    found = _found(request)
    if not found:
        return redirect(to(request, "find"))
    numbers = masked_numbers(list(found))
    choices = [(str(key), _("{name}（{number}）").format(name=one.name, number=numbers[key].id_number)) for key, one in found.items()]
    initial = {"answer": choices[0][0]} if len(choices) == 1 else None
    form = ChoiceForm(request.POST or None, label=_("是这位职工吗？"), choices=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = found[int(form.cleaned_data["answer"])]
        if chosen.user_id != request.user.pk:
            request.session[FOR] = chosen.pk
            return redirect(to(request, "start"))
        form.refuse(_("这是您本人。您自己的申领，请从“我自己的保障”里办。"), "answer")
    return show(request, "ask", form, title=_("核对职工"), back=to(request, "find"), button=_("是，继续"))


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
        messages.success(request, _("您已同意代办，不用再交委托书。"))
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
        messages.success(request, _("异议已记下。代办人不能再看、再填这份申领；您可以接着自己办，也可以撤回。"))
        return to(request, "status", public_id)

    if form.is_bound and form.is_valid() and (address := attempt(form, act)):
        return redirect(address)
    context: dict[str, Any] = {"claim": claim, "filer": filer_words(claim), "back": to(request, "status", public_id)}
    return show(request, "filing_object", form, title=_("对代办有异议"), **context)
