"""Each measure of the yearly statement: what it counts and until when, in one query. Enrolments (人次) are not people (人数)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext_lazy as _

from claims.models import Claim
from claims.payouts.models import PayoutLine
from members.models import Enrolment
from programs.selectors import grant_terms
from unionaid.lib.calendar import Period

DEFINITIONS = (
    _("参加人次：保障期在当年开始、已经生效的参加记录数（一人一计划一期为一次）。不用参加的救助金、慰问金不算。"),
    _("参加人数：上述记录中不同的人，一人参加几个计划只计一次，所以各计划的人数相加会大于合计。"),
    _("互助费：上述记录应缴且已到账的互助费。"),
    _("申领件：当年提交的申领。给付件、受益人数、给付金额：当年银行确认到账的互助金；退回的付款不计，重新付款计入到账之年。"),
    _("赔付率：给付金额 ÷ 互助费。受益率：受益人数 ÷ 参加人数。件均：给付金额 ÷ 给付件。"),
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


# What each query counts. People, units and beneficiaries are counted once per group, so they do not add up over groups.
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
_APART = ("units", "people", "beneficiaries")
Counted = dict[str, dict[str, dict[str, int]]]


def count_enrolled(office_ids: frozenset[int], year: int) -> Counted:
    """Enrolments, people, units, shares and contributions by program, category and together. Three statements."""
    return _count(_enrolled(office_ids, year), _ENROLLED, "program_id", "program__category")


def count_asked(office_ids: frozenset[int], year: int) -> Counted:
    """Claims handed in, likewise."""
    return _count(_asked(office_ids, year), _ASKED, "program_id", "program__category")


def count_paid(office_ids: frozenset[int], year: int) -> Counted:
    """Claims, people and money paid, likewise."""
    return _count(_paid(office_ids, year), _PAID, "claim__program_id", "claim__program__category")


def _count(rows: Any, measures: dict[str, Any], program: str, category: str) -> Counted:
    apart = {name: measure for name, measure in measures.items() if name in _APART}
    found: Counted = {"program": {}, "category": {}, "total": {}}
    for row in rows.values(program).annotate(**measures):
        found["program"][str(row.pop(program))] = row
    for row in rows.values(category).annotate(**apart) if apart else ():
        found["category"][row.pop(category)] = row
    found["total"]["all"] = rows.aggregate(**apart) if apart else {}
    return found


def figures_of(parts: Sequence[Counted], categories: Mapping[str, str]) -> dict[str, dict[str, Figures]]:
    """The figures of each program, of each category and together. What adds up is added up from the programs, so that the
    tables agree to the fen whatever is booked meanwhile; `categories` tells each program's category."""
    merged: dict[str, dict[str, dict[str, int]]] = {"program": {}, "category": {}, "total": {"all": {}}}
    for part in parts:
        for table, rows in part.items():
            for key, row in rows.items():
                merged[table].setdefault(key, {}).update(row)
    for key, row in merged["program"].items():
        _add(merged["category"].setdefault(categories[key], {}), row)
        _add(merged["total"]["all"], row)
    return {table: {key: _figures(row) for key, row in rows.items()} for table, rows in merged.items()}


def _add(into: dict[str, int], row: Mapping[str, int]) -> None:
    for name, value in row.items():
        if name == "highest_fen":
            into[name] = max(into.get(name, 0), value)
        elif name not in _APART:
            into[name] = into.get(name, 0) + value


def _enrolled(office_ids: frozenset[int], year: int) -> Any:
    period = year_of(year)
    rows = Enrolment.objects.filter(
        office_id__in=office_ids, state="effective", starts_on__gte=period.start, starts_on__lt=period.end
    )
    return rows.exclude(terms_id__in=grant_terms())


def _asked(office_ids: frozenset[int], year: int) -> Any:
    return Claim.objects.filter(office_id__in=office_ids, submitted_at__year=year, corrects=None)


def _paid(office_ids: frozenset[int], year: int) -> Any:
    return PayoutLine.objects.filter(office_id__in=office_ids, state="succeeded", settled_on__year=year)


def _figures(row: Mapping[str, int]) -> Figures:
    return Figures(
        units=row.get("units", 0),
        people=row.get("people", 0),
        enrolments=row.get("enrolments", 0),
        shares=row.get("shares_sum", 0),
        first_time=row.get("newcomers", 0),
        contributions_fen=row.get("contributions_fen", 0),
        claims=row.get("claims", 0),
        paid_claims=row.get("paid_claims", 0),
        beneficiaries=row.get("beneficiaries", 0),
        benefits_fen=row.get("benefits_fen", 0),
        highest_fen=row.get("highest_fen", 0),
    )
