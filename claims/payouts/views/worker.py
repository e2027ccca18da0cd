"""The worker's side: another account after a payment came back."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from claims.forms import card_words
from claims.payouts.services import correct_account as correct
from claims.views.draft import account_forms, take_account
from claims.views.parts import actor, own, show
from members.models import BankCard
from unionaid.lib.money import format_yuan
from unionaid.offices.access import requires


@requires("my.use")
@never_cache
@sensitive_post_parameters("number", "number_again")
def correct_account(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Choose or add another account; the amount stays as approved. Sent twice it is done once."""
    claim = own(request, public_id)

    def use(card: BankCard) -> str:
        correct(claim, card=card, by=actor(request))
        return reverse("claims:status", args=[claim.public_id])

    returned = claim.card
    cards, chosen, fresh = account_forms(request, claim, leave_out=returned.pk if returned else None)
    if address := take_account(request, claim, chosen, fresh, use):
        return redirect(address)
    claim = own(request, public_id)
    if claim.state != "returned_payment":
        return redirect("claims:status", public_id)
    wrong = next((form for form in (chosen, fresh) if form.is_bound), None)
    context = {"cards": cards, "chosen": chosen, "fresh": fresh, "claim": claim, "correcting": True}
    shown = {"amount": format_yuan(claim.approved_fen or 0), "returned": card_words(returned) if returned else ""}
    return show(request, "account", wrong, **context, **shown)
