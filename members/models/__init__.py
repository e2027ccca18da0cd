"""The tables of this room, gathered for Django."""

from members.models.contributions import ContributionDue, Match, Remittance
from members.models.enrolments import Enrolment, Evidence, JoinDraft, JoinPaper, Roster, RosterRow
from members.models.people import BankCard, Consent, Member, MemberSecret
from members.models.units import UnitAgent, UnitPaper, WorkUnit

__all__ = [
    "BankCard",
    "Consent",
    "ContributionDue",
    "Enrolment",
    "Evidence",
    "JoinDraft",
    "JoinPaper",
    "Match",
    "Member",
    "MemberSecret",
    "Remittance",
    "Roster",
    "RosterRow",
    "UnitAgent",
    "UnitPaper",
    "WorkUnit",
]
