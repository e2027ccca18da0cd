"""Each measure of the yearly statement: what it counts and until when, in one query. Enrolments (人次) are not people (人数)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Max, Q, Sum
from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from claims.payouts.models import PayoutLine
from members.models import Enrolment
from unionaid.lib.calendar import Period

DEFINITIONS = (
    _("参加人次：当年生效、保障期在当年开始的参加记录数（一人一计划一期为一次）。"),
    _("参加人数：上述记录中不同的人，一人参加几个计划只计一次。"),
    _("互助费：上述记录应缴且已到账的互助费。"),
    _("给付金额：当年银行确认到账的互助金；退回的付款不计，重新付款计入到账之年。"),
    _("赔付率：给付金额 ÷ 互助费。受益率：受益人数 ÷ 参加人数。"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One row: everything in fen and heads."""

    units: int
    people: int
    enrolments: int
    shares: int
    first_time: int
    contributions_fen: int
    claims: int
    paid_claims: int
    beneficiaries: int
    benefits_fen: int
    highest_fen: int

    def as_data(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def year_of(year: int) -> Period:
    """The calendar year."""
    return Period(date(year, 1, 1), date(year + 1, 1, 1))


def by_program(office_ids: frozenset[int], year: int) -> dict[int, Figures]:
    """The figures of each program in these offices: four statements however many rows there are."""
    enrolled = {row["program_id"]: row for row in _enrolled(office_ids, year).values("program_id").annotate(**_ENROLLED)}
    asked = {row["program_id"]: row for row in _asked(office_ids, year).values("program_id").annotate(**_ASKED)}
    paid = {row["program_id"]: row for row in _paid(office_ids, year).values(program_id=F("claim__program_id")).annotate(**_PAID)}
    return {pk: _figures(enrolled.get(pk), asked.get(pk), paid.get(pk)) for pk in sorted({*enrolled, *asked, *paid})}


def in_all(office_ids: frozenset[int], year: int) -> Figures:
    """The office's figures together: people and beneficiaries are counted once over all programs, so they do not add up."""
    return _figures(
        _enrolled(office_ids, year).aggregate(**_ENROLLED),
        _asked(office_ids, year).aggregate(**_ASKED),
        _paid(office_ids, year).aggregate(**_PAID),
    )


_ENROLLED: dict[str, Any] = {
    "units": Count("unit", distinct=True),
    "people": Count("member", distinct=True),
    "enrolments": Count("id"),
    "shares_sum": Sum("shares", default=0),
    "newcomers": Count("id", filter=Q(first_time=True)),
    "contributions_fen": Sum("contribution_fen", default=0),
}
_ASKED: dict[str, Any] = {"claims": Count("id")}
_PAID: dict[str, Any] = {
    "paid_claims": Count("claim", distinct=True),
    "beneficiaries": Count("claim__member", distinct=True),
    "benefits_fen": Sum("amount_fen", default=0),
    "highest_fen": Max("amount_fen", default=0),
}


def _enrolled(office_ids: frozenset[int], year: int) -> Any:
    period = year_of(year)
    return Enrolment.objects.filter(
        office_id__in=office_ids, state="effective", cover__startswith__gte=period.start, cover__startswith__lt=period.end
    )


def _asked(office_ids: frozenset[int], year: int) -> Any:
    return Claim.objects.filter(office_id__in=office_ids, submitted_at__year=year)


def _paid(office_ids: frozenset[int], year: int) -> Any:
    return PayoutLine.objects.filter(office_id__in=office_ids, state="succeeded", settled_on__year=year)


def _figures(enrolled: Any, asked: Any, paid: Any) -> Figures:
    enrolled, asked, paid = enrolled or {}, asked or {}, paid or {}
    return Figures(
        units=enrolled.get("units", 0),
        people=enrolled.get("people", 0),
        enrolments=enrolled.get("enrolments", 0),
        shares=enrolled.get("shares_sum", 0),
        first_time=enrolled.get("newcomers", 0),
        contributions_fen=enrolled.get("contributions_fen", 0),
        claims=asked.get("claims", 0),
        paid_claims=paid.get("paid_claims", 0),
        beneficiaries=paid.get("beneficiaries", 0),
        benefits_fen=paid.get("benefits_fen", 0),
        highest_fen=paid.get("highest_fen", 0),
    )
