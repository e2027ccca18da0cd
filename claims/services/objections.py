"""What claims have to say when an enrolment is to be void, or its cover to end before its time."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import Case, Max, When
from django.db.models.functions import Coalesce, Greatest
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from claims.models import Claim

# A claim in one of these states asks for nothing any more.
OVER = ("draft", "withdrawn", "rejected", "replaced", "halted")


def claims_under(enrolment_ids: Sequence[int]) -> str:
    """Nothing under which benefit was asked for or paid becomes void unseen. One statement."""
    claim = Claim.objects.filter(enrolment__in=enrolment_ids).exclude(state__in=OVER).order_by("pk").first()
    if claim is None:
        return ""
    words = _("申领 {number} 用的是这份保障，现在是“{state}”。请先把这份申领办结；已经给付的不能作废。")
    return words.format(number=claim.number, state=claim.state_label)


def claims_from(ends: Mapping[int, date]) -> dict[int, str]:
    """Cover (enrolment id → the first day without it) does not end before what benefit was asked for or paid, of several stays before
    the last one: words, for each that cannot end so. A claim that tells no day yet is asked for all days. One statement."""
    last_stay = Case(When(accident_on=None, then=Max("admissions__admitted_on")))  # those after an accident count on its day
    day = Greatest(Coalesce("event_on", "accident_on", "death_on"), last_stay)
    rows = Claim.objects.filter(enrolment__in=ends).exclude(state__in=OVER).annotate(day=day)
    words = _("申领 {number} 的事情发生在 {day}，在这个日期当天或之后，保障不能在那之前终止。请核对变动日期；申领有误的，请先办结申领。")
    return {
        row.enrolment_id: words.format(number=row.number, day=date_format(row.day) if row.day else "—")
        for row in rows.order_by("-pk")
        if row.day is None or row.day >= ends[row.enrolment_id]
    }
