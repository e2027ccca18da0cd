"""The tables of this room, gathered for Django."""

from claims.models.claims import Admission, Claim, ClaimDocument
from claims.models.decisions import Appeal, BenefitStatement, CeilingUsage, Objection, Review
from claims.models.rehearsals import Rehearsal
from claims.models.reviewing import ClaimNote
from claims.models.screening import COOLING_DAYS, SOON_DAYS, STEP_DAYS, USUAL_STEP_DAYS, ClaimFlag, ReviewRule
from claims.models.wordings import Letter, RejectionReason

__all__ = [
    "COOLING_DAYS",
    "SOON_DAYS",
    "STEP_DAYS",
    "USUAL_STEP_DAYS",
    "Admission",
    "Appeal",
    "BenefitStatement",
    "CeilingUsage",
    "Claim",
    "ClaimDocument",
    "ClaimFlag",
    "ClaimNote",
    "Letter",
    "Objection",
    "Rehearsal",
    "RejectionReason",
    "Review",
    "ReviewRule",
]
