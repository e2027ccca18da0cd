"""What of this floor goes along when units are merged or divided: who may see claims and limits. Their office stays."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from claims.models import Appeal, CeilingUsage, Claim
from members.services.lineage import Carriage, carrier


@carrier(Claim, _("申领"))
def _carry_claims(what: Carriage) -> int:
    """Claims under the enrolments that went, old and new; responsible stays the office that has them."""
    return Claim.objects.filter(unit_id=what.from_id, enrolment_id__in=what.covers().values("enrolment_id")).update(unit_id=what.to_id)


@carrier(Appeal, _("申诉"))
def _carry_appeals(what: Carriage) -> int:
    """Appeals against these claims that the unit's agent brought: whoever sees the claim sees its appeal."""
    rows = Appeal.objects.filter(unit_id=what.from_id, claim__enrolment_id__in=what.covers().values("enrolment_id"))
    return rows.update(unit_id=what.to_id)


@carrier(CeilingUsage, _("额度使用"))
def _carry_usage(what: Carriage) -> int:
    """What was used under each limit stays one row per person, program and period."""
    rows = CeilingUsage.objects.filter(unit_id=what.from_id)
    if not what.whole:
        went = what.covers().filter(enrolment__member_id=OuterRef("member_id"), enrolment__program_id=OuterRef("program_id"))
        rows = rows.filter(Exists(went))
    return rows.update(unit_id=what.to_id)
