"""What one has joined: sent in, what to pay and how, the certificate, taking it back while it is unpaid."""

import uuid
from typing import Any

import segno
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from members import certificate as paper
from members.forms.join import TakeBackForm
from members.models import Enrolment
from members.selectors.cover import covers_in_scope
from members.selectors.joining import my_cover
from members.services import enrolment, voiding
from members.transitions import DUE_LIVE
from members.views.parts import show
from unionaid.lib.calendar import today
from unionaid.lib.identity import mask_name
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires
from unionaid.offices.scope import everywhere
from unionaid.web.access import public
from unionaid.web.dates import span
from unionaid.web.files import send
from unionaid.workflow.asking import attempt


def mine_or_404(public_id: uuid.UUID) -> Enrolment:
    cover = my_cover(public_id)
    if cover is None:
        raise Http404
    return cover


def payment_of(cover: Enrolment) -> dict[str, Any]:
    """What is owed, under which remark, to which account."""
    due = cover.dues.filter(state__in=DUE_LIVE, member__isnull=False).first() if cover.roster_id is None else None
    office = cover.office
    return {
        "cover": cover,
        "office": office,
        "number": paper.number_of(cover),
        "due": due,
        "amount": format_yuan(due.owed_fen) if due else "",
        "paid": format_yuan(due.paid_fen) if due and due.paid_fen else "",
        "days": span(cover.cover.lower, cover.last_day),
    }


@requires("my.use")
@never_cache
def joined(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """It has arrived: the number to keep, what to pay and how, what happens then."""
    return show(request, "joined", **payment_of(mine_or_404(public_id)))


@requires("my.use")
@never_cache
def withdraw(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take back a joining that is not paid yet."""
    cover = mine_or_404(public_id)
    form = TakeBackForm(request.POST or None)
    if cover.roster_id is not None or cover.state != "contribution_due":
        messages.warning(request, _("这份保障不能在这里撤回：已经缴费的到期为止，单位统一参加的请联系单位经办人。"))
        return redirect("claims:home")
    if request.method == "POST" and form.is_valid():

        def act() -> str:
            enrolment.withdraw(cover, by=actor(request))
            return reverse("claims:home")

        if address := attempt(form, act):
            messages.success(request, _("已撤回，不用缴费了。"))
            return redirect(address)
    return show(request, "withdraw", form, **payment_of(cover))


@requires("my.use")
@never_cache
def certificate(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The certificate as a page, with the code that leads to its public verification."""
    cover = mine_or_404(public_id)
    if cover.state != "effective":
        return redirect("members:pay", public_id)
    address = request.build_absolute_uri(reverse("members:verify", args=[public_id]))
    code = segno.make(address, error="m").png_data_uri(scale=6, border=2)
    return show(request, "certificate", cover=cover, facts=paper.facts_of(cover), code=code, address=address)


@requires("my.use")
@never_cache
def certificate_pdf(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The certificate as a file to keep or print."""
    cover = mine_or_404(public_id)
    if cover.state != "effective":
        raise Http404
    address = request.build_absolute_uri(reverse("members:verify", args=[public_id]))
    content = paper.render(cover, verify_url=address)
    return send(content, content_type="application/pdf", file_name=f"{paper.number_of(cover)}.pdf", as_attachment=True)


@public
def verify(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Is this certificate genuine, or void by now? Shows no personal data beyond a masked name."""
    with everywhere(reason="verify a certificate"):
        cover = covers_in_scope().filter(public_id=public_id).first()
    if cover is None or cover.state not in ("effective", "void"):
        return render(request, "members/public/unknown.html", status=404)
    words, tone = _standing(cover)
    context = {
        "cover": cover,
        "words": words,
        "tone": tone,
        "number": paper.number_of(cover),
        "masked_name": mask_name(cover.member.name),
        "days": span(cover.cover.lower, cover.last_day),
        "void_on": voiding.void_on(cover) if cover.state == "void" else None,
    }
    return render(request, "members/public/verify.html", context)


def _standing(cover: Enrolment) -> tuple[str, str]:
    """How the cover stands today, in words and with the tone they are shown in."""
    if cover.state == "void":
        return cover.state_label, cover.state_tone
    if cover.cover.upper <= today():
        return _("保障已到期"), "plain-state"
    return (_("保障期内"), "good") if cover.cover.lower <= today() else (_("还没有开始"), "todo")
