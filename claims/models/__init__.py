"""The tables of this room, gathered for Django."""

from claims.models.claims import Admission, Claim, ClaimDocument
from claims.models.decisions import BenefitStatement, CeilingUsage, Review

__all__ = ["Admission", "BenefitStatement", "CeilingUsage", "Claim", "ClaimDocument", "Review"]
