"""The tables of this room, gathered for Django."""

from claims.models.claims import Admission, Claim, ClaimDocument
from claims.models.decisions import BenefitStatement, CeilingUsage, Review
from claims.models.rehearsals import Rehearsal

__all__ = ["Admission", "BenefitStatement", "CeilingUsage", "Claim", "ClaimDocument", "Rehearsal", "Review"]
