"""The worker's side: another account, after a payment came back or before one was made; and stopping a change that was not theirs."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from claims.forms import card_words
from claims.models import Claim
from claims.selectors.rules import rules
from claims.services import accounts
from claims.views.draft import account_forms, take_account
from claims.views.parts import INTAKE, actor, filled, own, show, to
from members.models import BankCard
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import requires
from unionaid.workflow.asking import outcome


@requires("my.use")
@never_cache
@sensitive_post_parameters("number", "number_again")
def correct_account(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Choose or add another account; the amount stays as approved. Sent twice it is done once."""
    return _correct(request, public_id, own)


@requires("claims.take_in")
@never_cache
@sensitive_post_parameters("number", "number_again")
def correct_account_at_desk(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same for whom the desk took the claim in, over their bank card."""
    request.current_app = INTAKE  # type: ignore[attr-defined]  # the page's links lead to the form at the desk
    return _correct(request, public_id, filled)


def _correct(request: HttpRequest, public_id: uuid.UUID, seen: Callable[[HttpRequest, uuid.UUID], Claim]) -> HttpResponse:
    claim = seen(request, public_id)

    def use(card: BankCard) -> str:
        accounts.correct(claim, card=card, by=actor(request), on=today())
        return to(request, "status", claim.public_id)

    returned = claim.card
    cards, chosen, fresh = account_forms(request, claim, leave_out=returned.pk if returned else None)
    if address := take_account(request, claim, chosen, fresh, use):
        return redirect(address)
    claim = seen(request, public_id)
    if claim.state not in accounts.CHANGEABLE:
        return redirect(to(request, "status", public_id))
    wrong = next((form for form in (chosen, fresh) if form.is_bound), None)
    context = {"cards": cards, "chosen": chosen, "fresh": fresh, "claim": claim, "correcting": True}
    context["cooling"] = rules().cooling_days(claim.office.path)
    shown = {"amount": format_yuan(claim.approved_fen or 0), "returned": card_words(returned) if returned else ""}
    return show(request, "account", wrong, **context, **shown)


@requires("my.use")
@require_POST
def dispute_account(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """It was not me who changed the account: nothing is paid to it."""
    claim = own(request, public_id)
    _status, refused = outcome(lambda: accounts.dispute(claim, by=actor(request)))
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, _("付款已停下，钱还在。请尽快更改登录密码，并带身份证和银行卡到办事处核对。"))
    return redirect("claims:status", public_id)
