"""What the house knows of me, what I ask to be corrected in it, and where notices go."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from members.forms.record import ContactForm, CorrectionForm
from members.selectors import changes as reading
from members.services import corrections
from members.services.people import id_hash, masked_numbers
from members.views.parts import me, show
from unionaid.accounts.services import email_of, set_email
from unionaid.offices.access import actor, requires
from unionaid.web.files import send_paper
from unionaid.workflow.asking import attempt, attempt_once
from unionaid.workflow.moves import MoveRefused


@requires("my.use")
@never_cache
def record(request: HttpRequest) -> HttpResponse:
    """My record as it stands, and what I have asked to be corrected."""
    member = me(request)
    asked = reading.my_corrections(member)
    context = {
        "member": member,
        "numbers": masked_numbers([member.pk])[member.pk],
        "email": email_of(request.user),  # type: ignore[arg-type]
        "corrections": [(one, corrections.in_words(one)) for one in asked],
        "waiting": any(one.state == "asked" for one in asked),
    }
    return show(request, "record", **context)


@requires("my.use")
@never_cache
def contact(request: HttpRequest) -> HttpResponse:
    """Where notices go besides these pages."""
    member = me(request)
    form = ContactForm(request.POST or None, initial={"email": email_of(request.user)})  # type: ignore[arg-type]
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            set_email(request.user, form.cleaned_data["email"])  # type: ignore[arg-type]
            return reverse("members:record")

        if address := attempt(form, act):
            messages.success(request, _("已保存。"))
            return redirect(address)
    return show(request, "contact", form, phone=masked_numbers([member.pk])[member.pk].phone, back=reverse("members:record"))


@requires("my.use")
@never_cache
def correct(request: HttpRequest) -> HttpResponse:
    """Say what is wrong in my record, with a photo that shows it."""
    member = me(request)
    form = correction_form(request)
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            told = form.cleaned_data
            corrections.ask(member, form.wanted(), papers=told["paper"], reason=told["reason"], by=actor(request))
            return reverse("members:record")

        if address := attempt_once(request, form, act, body=body_of(form)):
            messages.success(request, _("已提交，办事处核对后会通知您。"))
            return redirect(address)
    numbers = masked_numbers([member.pk])[member.pk]
    return show(request, "correct", form, member=member, numbers=numbers, back=reverse("members:record"))


def correction_form(request: HttpRequest) -> CorrectionForm:
    """The form as sent, or empty."""
    return CorrectionForm(request.POST, request.FILES) if request.method == "POST" else CorrectionForm()


def body_of(form: CorrectionForm) -> dict[str, Any]:
    """What makes two sendings of the form the same; a number only as its blind index."""
    told = {name: value for name, value in form.cleaned_data.items() if name != "paper"}
    number = told.pop("id_number")
    return {**told, "id_number": id_hash(number.number).hex() if number else ""}


def _mine(public_id: uuid.UUID) -> Any:
    found = reading.correction_of(public_id)
    if found is None:
        raise Http404
    return found


@requires("my.use")
@never_cache
@require_POST
def withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take my request back."""
    found = _mine(public_id)
    try:
        corrections.withdraw(found, by=actor(request))
        messages.success(request, _("已撤回，登记资料没有改动。"))
    except MoveRefused as no:
        messages.error(request, no.message)
    return redirect("members:record")


@requires("my.use")
@never_cache
@require_GET
def paper(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A photo I sent."""
    found = reading.correction_paper(public_id)
    if found is None:
        raise Http404
    return send_paper(found)
