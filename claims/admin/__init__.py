"""Claims at the desk: the queue and the decision; rehearsals of terms over a past year. Django looks here for both."""

from claims.admin.claims import ClaimAdmin
from claims.admin.rehearsals import RehearsalAdmin

__all__ = ["ClaimAdmin", "RehearsalAdmin"]
