"""Claims at the desk: the queue and the decision; appeals and objections; rehearsals of terms over a past year. Django looks here
for all of them."""

from claims.admin.appeals import AppealAdmin
from claims.admin.claims import ClaimAdmin
from claims.admin.objections import ObjectionAdmin
from claims.admin.rehearsals import RehearsalAdmin

__all__ = ["AppealAdmin", "ClaimAdmin", "ObjectionAdmin", "RehearsalAdmin"]
