"""What of this floor goes along when units are merged or divided: who may see claims and limits. Their office stays."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from claims.models import Appeal, CeilingUsage, Claim
from members.services.lineage import Carriage, carrier


def _going(what: Carriage) -> QuerySet[Claim]:
    """The unit's claims that go: all of a unit that is closed; of one that is divided those under the enrolments that went, and those
    that its agent filed for people who went and have cover of their own beside the unit's."""
    rows = Claim.objects.filter(unit_id=what.from_id)
    if what.whole:
        return rows
    own = Q(enrolment__unit=None, claimant_id__in=what.chosen())
    return rows.filter(Q(enrolment_id__in=what.covers().values("enrolment_id")) | own)


@carrier(Claim, _("申领"))
def _carry_claims(what: Carriage) -> int:
    """Claims, open and closed; responsible stays the office that has them."""
    return Claim.objects.filter(pk__in=_going(what).values("pk")).update(unit_id=what.to_id)


@carrier(Appeal, _("申诉"))
def _carry_appeals(what: Carriage) -> int:
    """Appeals that the unit's agent brought against claims that went before: whoever sees the claim sees its appeal."""
    return Appeal.objects.filter(unit_id=what.from_id, claim__unit_id=what.to_id).update(unit_id=what.to_id)


@carrier(CeilingUsage, _("额度使用"))
def _carry_usage(what: Carriage) -> int:
    """What was used under each limit stays one row per person, program and period."""
    rows = CeilingUsage.objects.filter(unit_id=what.from_id)
    if not what.whole:
        went = what.covers().filter(enrolment__member_id=OuterRef("member_id"), enrolment__program_id=OuterRef("program_id"))
        rows = rows.filter(Exists(went))
    return rows.update(unit_id=what.to_id)
