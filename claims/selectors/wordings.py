"""Which texts an office's reviewers may begin with: the national ones, its own and those of the offices above it."""

from django.db.models import Q, QuerySet

from claims.models import Letter, RejectionReason
from claims.selectors.rules import ids_of_path
from programs.rules.facts import HARDSHIP
from unionaid.offices.models import Office


def reasons_for(office: Office) -> QuerySet[RejectionReason]:
    """The reasons (不予给付的原因) this office may give now, the national ones first."""
    return RejectionReason.objects.filter(_of(office), retired_at=None, is_offered=True)


def reason_words(code: str) -> str:
    """Why nothing was paid, in words, also by a reason that is offered no longer; empty for no reason. One statement."""
    reason = RejectionReason.objects.filter(code=code).first() if code else None
    return reason.said("title") if reason else ""


def letters_of(office: Office, event: str) -> list[tuple[str, str]]:
    """(name, text) of the supplement letters for this kind of event: the office's own and those of the offices above it first, then the
    national ones. One statement."""
    kind = Letter.About.HARDSHIP if event == HARDSHIP else Letter.About.ILLNESS
    rows = list(Letter.objects.filter(_of(office), retired_at=None, about__in=["", kind]))
    return [(row.said("title"), row.said("text")) for row in sorted(rows, key=lambda row: row.office_id is None)]


def _of(office: Office) -> Q:
    return Q(office=None) | Q(office__in=ids_of_path(office.path))
