"""What claims have to say when an enrolment is to be void, or its cover to end before its time."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import Max
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from claims.facts import day_of_claim
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
    rows = Claim.objects.filter(enrolment__in=ends).exclude(state__in=OVER).order_by("-pk")
    words = _("申领 {number} 的事情发生在 {day}，在这个日期当天或之后，保障不能在那之前终止。请核对变动日期；申领有误的，请先办结申领。")
    days = [(row, _last_day(row)) for row in rows.annotate(last_stay=Max("admissions__admitted_on"))]
    return {
        row.enrolment_id: words.format(number=row.number, day=date_format(day) if day else "—")
        for row, day in days
        if day is None or day >= ends[row.enrolment_id]
    }


def _last_day(claim: Claim) -> date | None:
    """The day of what it is for; of several stays that no accident led to, the last admission (`claims_from` brings it)."""
    last_stay: date | None = None if claim.accident_on else claim.last_stay  # type: ignore[attr-defined]
    return max((day for day in (day_of_claim(claim, ()), last_stay) if day), default=None)
