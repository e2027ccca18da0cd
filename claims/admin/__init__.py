"""Claims at the desk: the queue, the decision and what stands beside it; appeals and objections; rehearsals of terms over a past
year. Django looks here for all of them."""

from claims.admin.appeals import AppealAdmin
from claims.admin.claims import ClaimAdmin
from claims.admin.objections import ObjectionAdmin
from claims.admin.rehearsals import RehearsalAdmin
from claims.admin.rules import ReviewRuleAdmin

__all__ = ["AppealAdmin", "ClaimAdmin", "ObjectionAdmin", "RehearsalAdmin", "ReviewRuleAdmin"]
