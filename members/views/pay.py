"""Paying the contribution, for whoever pays: what is owed, the slip that shows it was sent, the receipt once it has arrived."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from members import receipt
from members.models import ContributionDue
from members.selectors.arrivals import Arrival, arrivals_of
from members.selectors.contributions import my_due, slip_by_id
from members.services import contributions
from members.transitions import DUE_LIVE
from members.views.cover import mine_or_404, payment_of
from members.views.parts import show
from unionaid.lib.identity import mask_name
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires
from unionaid.offices.scope import everywhere
from unionaid.web.access import public
from unionaid.web.asking import AskForm, pages
from unionaid.web.fields import PaperField
from unionaid.web.files import send, send_paper
from unionaid.workflow.asking import attempt

_show_unit = pages("members/unit")


class SlipForm(AskForm):
    """The bank's slip, or a picture of the phone's screen."""

    paper = PaperField(label=gettext_lazy("缴费凭据（转账回单或手机银行截图，照片或 PDF）"))


def _form(request: HttpRequest) -> SlipForm:
    return SlipForm(request.POST, request.FILES) if request.method == "POST" else SlipForm()


def _sent(request: HttpRequest, due: ContributionDue, form: SlipForm, back: str) -> HttpResponse | None:
    """Keep the slip of a form that was sent; the way back, or None when there is something to correct."""
    if request.method != "POST" or not form.is_valid():
        return None

    def act() -> str:
        contributions.add_slip(due, form.cleaned_data["paper"], by=actor(request))
        return back

    if address := attempt(form, act):
        messages.success(request, _("凭据已收到。银行流水到账后由办事处核销，不用再传。"))
        return redirect(address)
    return None


def _slip(public_id: uuid.UUID) -> HttpResponse:
    paper = slip_by_id(public_id)
    if paper is None:
        raise Http404
    return send_paper(paper)


def _receipt(request: HttpRequest, due: ContributionDue | None) -> HttpResponse:
    if due is None or due.state != "settled":
        raise Http404
    address = request.build_absolute_uri(reverse("members:verify_receipt", args=[due.public_id]))
    with everywhere(reason="the names on the transfers of one's own receipt"):
        found = receipt.receipted().filter(pk=due.pk).first()
        if found is None:
            raise Http404
        content, name = receipt.render(found, verify_url=address), f"{receipt.number_of(found)}.pdf"
    return send(content, content_type="application/pdf", file_name=name, as_attachment=True)


def _arrived(due: ContributionDue | None) -> list[tuple[Arrival, dict[str, str]]]:
    """What came for the debt, with its amounts in words."""
    if due is None:
        return []
    with everywhere(reason="what arrived for one's own debt"):
        found = arrivals_of(due)
    names = ("amount", "here", "waits", "over", "going", "gone")
    return [(one, {name: format_yuan(fen) for name in names if (fen := getattr(one, f"{name}_fen"))}) for one in found]


# -- the unit's agent --------------------------------------------------------------------------------------------------


def _of_unit(pk: int) -> ContributionDue:
    due = my_due(pk)
    if due is None:
        raise Http404
    return due


@requires("unit.use")
@never_cache
def of_unit(request: HttpRequest, pk: int) -> HttpResponse:
    """One debt of the unit: how to pay it, the slips sent so far, the receipt."""
    due = _of_unit(pk)
    form = _form(request)
    if answer := _sent(request, due, form, reverse("members:unit_due", args=[pk])):
        return answer
    live = due.state in DUE_LIVE
    item = {
        "due": due,
        "live": live,
        "amount": format_yuan(due.owed_fen if live else due.amount_fen),
        "paid": format_yuan(due.paid_fen) if due.state == "part_paid" else "",
        "office": due.unit.office if due.unit else None,
        "alone": True,
    }
    context = {"item": item, "due": due, "slips": due.papers.all(), "arrived": _arrived(due)}
    return _show_unit(request, "pay", form, back=reverse("members:unit_home"), **context)


@requires("unit.use")
@never_cache
def unit_slip(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A slip of one of the agent's units."""
    return _slip(public_id)


@requires("unit.use")
@never_cache
def unit_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of a settled debt of the unit."""
    return _receipt(request, _of_unit(pk))


# -- the worker --------------------------------------------------------------------------------------------------------


@requires("my.use")
@never_cache
def mine(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What to pay, to whom, with which remark; the slip; the receipt when it has arrived."""
    cover = mine_or_404(public_id)
    told = payment_of(cover)
    due = told["due"]
    form = _form(request) if due else SlipForm()
    if due and (answer := _sent(request, due, form, reverse("members:pay", args=[public_id]))):
        return answer
    settled = cover.dues.filter(state="settled", member__isnull=False).first() if cover.roster_id is None else None
    return show(request, "pay", form, slips=due.papers.all() if due else [], settled=settled, arrived=_arrived(due or settled), **told)


@requires("my.use")
@never_cache
def my_slip(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """A slip of the worker's own."""
    return _slip(public_id)


@requires("my.use")
@never_cache
def my_receipt(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The receipt of what the worker paid for this cover."""
    cover = mine_or_404(public_id)
    return _receipt(request, cover.dues.filter(state="settled", member__isnull=False).first() if cover.roster_id is None else None)


# -- everyone ----------------------------------------------------------------------------------------------------------


@public
def verify(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Is this receipt genuine, and does it still hold? A person's name is masked."""
    with everywhere(reason="verify a receipt"):
        due = receipt.receipted().filter(public_id=public_id).first()
        if due is None:
            return render(request, "members/public/receipt_unknown.html", status=404)
        owner = due.unit.name if due.unit else mask_name(due.member.name) if due.member else "—"
        context = {
            "due": due,
            "number": receipt.number_of(due),
            "owner": owner,
            "amount": format_yuan(due.paid_fen),
            "purpose": receipt.purpose_of(due),
        }
    return render(request, "members/public/receipt.html", context)
