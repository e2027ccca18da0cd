"""Claims at the desk: the queue, the decision and what stands beside it; rehearsals of terms over a past year. Django looks here."""

from claims.admin.claims import ClaimAdmin
from claims.admin.rehearsals import RehearsalAdmin
from claims.admin.rules import ReviewRuleAdmin

__all__ = ["ClaimAdmin", "RehearsalAdmin", "ReviewRuleAdmin"]
