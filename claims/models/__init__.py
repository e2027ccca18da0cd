"""The tables of this room, gathered for Django."""

from claims.models.claims import Admission, Claim, ClaimDocument
from claims.models.decisions import Appeal, BenefitStatement, CeilingUsage, Objection, Review
from claims.models.rehearsals import Rehearsal

__all__ = [
    "Admission",
    "Appeal",
    "BenefitStatement",
    "CeilingUsage",
    "Claim",
    "ClaimDocument",
    "Objection",
    "Rehearsal",
    "Review",
]
