"""Notes for colleagues on a claim: written once, read by the staff alone."""

from django.utils.translation import gettext as _

from claims.models import Claim, ClaimNote
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import MoveRefused, NotAllowed

LONGEST = 500


class NoteRefused(MoveRefused):
    """The note was not written; the message says why."""


def write(claim: Claim, text: str, *, by: Actor) -> ClaimNote:
    """Add a note. Notes are not changed and not removed; a wrong one is put right by another."""
    if not may(by, "claims.note", claim.office_id):
        raise NotAllowed(_("您没有写备注的权限。"))
    words = text.replace("\x00", "").strip()
    if not words:
        raise NoteRefused(_("请写下备注的内容。"))
    if len(words) > LONGEST:
        raise NoteRefused(_("备注最多 {count} 个字，请写短一些。").format(count=LONGEST))
    return ClaimNote.objects.create(claim=claim, office_id=claim.office_id, by_id=by.user_id, text=words)
