"""Reading work units and their agents."""

from datetime import date

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from members.models import UnitAgent
from unionaid.accounts.models import User


def units_of_agent(user: User | AnonymousUser, *, on: date) -> frozenset[int]:
    """Ids of the units this login acts for on this day. Needs a scope that holds the user."""
    open_on = Q(until__isnull=True) | Q(until__gt=on)
    return frozenset(
        UnitAgent.objects.filter(open_on, user_id=user.pk, since__lte=on).values_list("unit_id", flat=True)
    )
