"""What claims have to say when an enrolment is to be void."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from claims.models import Claim

# A claim in one of these states asks for nothing any more.
OVER = ("draft", "withdrawn", "rejected")


def claims_under(enrolment_ids: Sequence[int]) -> str:
    """Nothing under which benefit was asked for or paid becomes void unseen. One statement."""
    claim = Claim.objects.filter(enrolment__in=enrolment_ids).exclude(state__in=OVER).order_by("pk").first()
    if claim is None:
        return ""
    words = _("申领 {number} 用的是这份保障，现在是“{state}”。请先把这份申领办结；已经给付的不能作废。")
    return words.format(number=claim.number, state=claim.state_label)
