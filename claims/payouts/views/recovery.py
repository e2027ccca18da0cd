"""The worker's side of a recovery: what is to be paid back, why, how, by when, and what has arrived."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from claims.payouts.models import Recovery
from claims.payouts.recoveries import left_of_parts, overdue_fen, overdue_since, parts_of, pay_by
from claims.services import appeals
from claims.views.parts import own, show
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import requires


@requires("my.use")
@never_cache
@require_GET
def page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Of a claim of one's own by which too much had been paid; 404 while there is no such thing."""
    claim = own(request, public_id)
    recovery = Recovery.objects.filter(claim=claim).first()
    if recovery is None:
        raise Http404
    until = appeals.last_day(claim)
    return show(
        request,
        "recovery",
        claim=claim,
        recovery=recovery,
        amount=format_yuan(recovery.amount_fen),
        left=format_yuan(recovery.left_fen),
        paid=format_yuan(recovery.paid_fen) if recovery.paid_fen else "",
        pay_by=pay_by(recovery),
        late_since=overdue_since(recovery, parts := parts_of(recovery), on=today()),
        late=format_yuan(overdue_fen(recovery, parts, on=today())),
        instalments=[
            (day, format_yuan(fen), format_yuan(rest) if 0 < rest < fen else "", not rest)
            for (day, fen), rest in zip(parts, left_of_parts(parts, recovery.left_fen + recovery.written_off_fen), strict=True)
        ],
        payments=[
            (one.received_on, format_yuan(one.amount_fen), one.line_id, one.takes_back_id, one.takes_back_id and not one.remittance_id)
            for one in recovery.payments.all()
        ],
        appeal_until=until if until and until >= today() and not claim.appeals.exclude(state="withdrawn").exists() else None,
        back="",
    )
