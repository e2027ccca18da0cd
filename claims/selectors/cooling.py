"""Which claims wait because their account was changed after the decision."""

from datetime import date

from django.db.models import Q

from claims.models import Claim


def payable_now(on: date) -> Q:
    """Claims whose account was not changed, or long enough ago."""
    return Q(payable_on=None) | Q(payable_on__lte=on)


def is_cooling(claim: Claim, on: date) -> bool:
    """Was the account changed so lately that nothing is paid to it on this day?"""
    return claim.state == "approved" and claim.payable_on is not None and claim.payable_on > on
