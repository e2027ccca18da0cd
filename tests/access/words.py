"""The words that need no translation: what people and plans said themselves."""

import re

from claims.models import Appeal, Claim, ClaimFlag, ClaimNote, Letter, Objection, RejectionReason
from claims.payouts.models import Erasure
from members.models import (
    BankCard,
    BankStatement,
    Correction,
    Departure,
    Member,
    Refund,
    Remittance,
    Roster,
    RosterRow,
    StatementRow,
    UnitLineage,
    Voiding,
    WorkUnit,
)
from programs.models import Program, Terms
from unionaid.accounts.models import User
from unionaid.lib.identity import mask_name
from unionaid.offices.models import Office
from unionaid.offices.scope import everywhere
from unionaid.workflow.models import AuditEntry, BulkWorkRow, Notice


def own_words() -> list[str]:
    """What people and plans said themselves: names, notes, clauses, sources. Longest first."""
    with everywhere(reason="the words that need no translation"):
        found = {
            *Member.objects.values_list("name", flat=True),
            *(mask_name(name) for name in Member.objects.values_list("name", flat=True)),
            *User.objects.values_list("display_name", flat=True),
            *Office.objects.values_list("name", flat=True),
            *WorkUnit.objects.values_list("name", flat=True),
            *Roster.objects.values_list("file_name", flat=True),
            *RosterRow.objects.values_list("name", flat=True),
            *BankCard.objects.values_list("bank_name", flat=True),
            *Program.objects.values_list("name", flat=True),
            *Program.objects.values_list("organiser_name", flat=True),
            *Terms.objects.values_list("source", flat=True),
            *Claim.objects.values_list("message", flat=True),
            *Claim.objects.values_list("reason_clause", flat=True),
            *Claim.objects.values_list("hospital", flat=True),
            *ClaimFlag.objects.values_list("reason", flat=True),
            *ClaimNote.objects.values_list("text", flat=True),
            *(words for pair in Letter.objects.values_list("title", "text") for words in pair),
            *(words for pair in RejectionReason.objects.values_list("title", "text") for words in pair),
            *BulkWorkRow.objects.values_list("why", flat=True),
            *Appeal.objects.values_list("grounds", flat=True),
            *Objection.objects.values_list("text", flat=True),
            *Objection.objects.values_list("name", flat=True),
            *AuditEntry.objects.values_list("note", flat=True),
            *UnitLineage.objects.values_list("basis", flat=True),
            *BankStatement.objects.values_list("file_name", flat=True),
            *StatementRow.objects.values_list("payer_name", flat=True),
            *StatementRow.objects.values_list("remark", flat=True),
            *Remittance.objects.values_list("payer_name", flat=True),
            *Remittance.objects.values_list("remark", flat=True),
            *Refund.objects.values_list("payee_name", flat=True),
            *Notice.objects.values_list("title", flat=True),  # in the receiver's language
            *Notice.objects.values_list("text", flat=True),
            *Correction.objects.values_list("name", flat=True),
            *Correction.objects.values_list("answer", flat=True),
            *Voiding.objects.values_list("note", flat=True),
            *Erasure.objects.values_list("basis", flat=True),
            *Departure.objects.values_list("note", flat=True),
            *Refund.objects.values_list("bank_name", flat=True),
        }
        for model in (StatementRow, RosterRow):  # what a reason quotes out of the file
            for reasons in model.objects.values_list("reasons", flat=True):
                found |= {said for reason in reasons.get("en", ()) for said in re.findall("[“\"]([^”\"]*)[”\"]", reason)}
        for terms in Terms.objects.all():
            found |= {item["clause"] for item in terms.schedule["items"]}
            found |= {example.get("name", "") for example in terms.schedule["examples"]}
            found |= {terms.schedule["source"]["title"]}
    return sorted((words for words in found if words), key=len, reverse=True)
