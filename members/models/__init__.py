"""The tables of this room, gathered for Django."""

from members.models.contributions import (
    BankStatement,
    ContributionDue,
    DuePaper,
    Match,
    Refund,
    Remittance,
    RemittanceCorrection,
    StatementRow,
)
from members.models.corrections import Correction, CorrectionPaper
from members.models.departures import Departure
from members.models.enrolments import Enrolment, Evidence, JoinDraft, JoinPaper, RatioWaiver, Roster, RosterRow, RosterSheet
from members.models.lapses import Lapse
from members.models.packs import CertificatePack, PackPart
from members.models.people import BankCard, Consent, IdentityQuestion, Member, MemberSecret
from members.models.units import (
    AgentChange,
    AgentPaper,
    CarriedEnrolment,
    LineageMember,
    UnitAgent,
    UnitChange,
    UnitLineage,
    UnitPaper,
    WorkUnit,
)
from members.models.voidings import Voiding

__all__ = [
    "AgentChange",
    "AgentPaper",
    "BankCard",
    "BankStatement",
    "CarriedEnrolment",
    "CertificatePack",
    "Consent",
    "ContributionDue",
    "Correction",
    "CorrectionPaper",
    "Departure",
    "DuePaper",
    "Enrolment",
    "Evidence",
    "IdentityQuestion",
    "JoinDraft",
    "JoinPaper",
    "Lapse",
    "LineageMember",
    "Match",
    "Member",
    "MemberSecret",
    "PackPart",
    "RatioWaiver",
    "Refund",
    "Remittance",
    "RemittanceCorrection",
    "Roster",
    "RosterRow",
    "RosterSheet",
    "StatementRow",
    "UnitAgent",
    "UnitChange",
    "UnitLineage",
    "UnitPaper",
    "Voiding",
    "WorkUnit",
]
