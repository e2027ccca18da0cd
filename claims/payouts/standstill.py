"""Batches that should long have gone on."""

from datetime import date, timedelta

from django.db.models import Q, QuerySet

from claims.payouts.models import PayoutBatch
from unionaid.lib.calendar import now
from unionaid.lib.workdays import overdue_before

# The house's own figures, from no plan's terms: what a machine does is done in minutes; what people and banks do, in working days.
MACHINE = timedelta(minutes=10)
PEOPLE_DAYS, BANK_DAYS = 3, 5


def standing_still(on: date) -> QuerySet[PayoutBatch]:
    """Batches whose release does not end, that nobody checks, answers or releases for days, or of which the bank has said nothing."""
    people, bank = overdue_before(on, PEOPLE_DAYS), overdue_before(on, BANK_DAYS)
    return PayoutBatch.objects.filter(
        Q(state="assembling", assembled_at__lt=now() - MACHINE)
        | Q(state="releasing", released_at__lt=now() - MACHINE)
        | Q(state__in=("assembled", "sent_back", "checked"), assembled_at__date__lt=people)
        | Q(state="released", released_at__date__lt=bank)
    ).order_by("id")
