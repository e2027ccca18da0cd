"""Contributions (互助费): class × shares × payer, and the gate of participation a unit must pass."""

from datetime import date
from decimal import Decimal

from programs.rules.facts import PersonFacts, UnitFacts
from programs.rules.schedule import FeeClass, Schedule, UnitRule

# What a class may ask that has no ordinary value: unknown is not "no".
_ASKED = ("risk", "unit_nature")
PERSON = "person"  # the payer who is the person that joins


class NoFeeClass(LookupError):
    """The plan names no contribution for this person."""


class FeeFactMissing(NoFeeClass):
    """Which contribution holds depends on something nobody has told; the text is the name of that fact."""


def fee_class(schedule: Schedule, person: PersonFacts, *, starts_on: date | None = None, term_months: int | None = None) -> FeeClass:
    """The first class of the plan that fits the person, the first day of cover (default: the period's) and the term.

    A card or a group that was not shown earns no reduction. FeeFactMissing when a class asks for the risk of the work or
    the nature of the unit and that is not known; NoFeeClass when none fits.
    """
    start = starts_on or schedule.period.start
    for fee in schedule.fees:
        if not _fits(fee, person, start, term_months):
            continue
        for name in _ASKED:
            if getattr(fee, name) is not None and getattr(person, name) is None:
                raise FeeFactMissing(name)
        if all(getattr(fee, name) in (None, getattr(person, name)) for name in _ASKED):
            return fee
    raise NoFeeClass(schedule.code)


def _fits(fee: FeeClass, person: PersonFacts, start: date, term_months: int | None) -> bool:
    return (
        fee.gender in ("any", person.gender)
        and fee.card_holder in (None, bool(person.card_holder))
        and fee.relation in (None, person.relation)
        and fee.group in (None, person.group)
        and fee.term_months in (None, term_months)
        and (fee.joined_from is None or start >= fee.joined_from)
        and (fee.joined_to is None or start <= fee.joined_to)
    )


def counted_shares(schedule: Schedule, shares: int) -> int:
    """The shares that are charged: in plans where the surplus is void, only those up to the greatest number."""
    return min(shares, schedule.enrolling.max_shares) if schedule.enrolling.surplus_void else shares


def contribution(
    schedule: Schedule, person: PersonFacts, shares: int, *, starts_on: date | None = None, term_months: int | None = None
) -> Decimal:
    """What is due for this person and these shares, all payers together, in yuan."""
    fee = fee_class(schedule, person, starts_on=starts_on, term_months=term_months)
    return fee.per_share * counted_shares(schedule, shares)


def split(
    schedule: Schedule,
    person: PersonFacts,
    shares: int,
    *,
    default: str,
    starts_on: date | None = None,
    term_months: int | None = None,
) -> dict[str, Decimal]:
    """The contribution by payer; a plan that names no payers is paid by `default` alone."""
    fee = fee_class(schedule, person, starts_on=starts_on, term_months=term_months)
    counted = counted_shares(schedule, shares)
    return {name: amount * counted for name, amount in (fee.payers or ((default, fee.per_share),))}


def split_single(
    schedule: Schedule, person: PersonFacts, shares: int, *, in_unit: bool, starts_on: date | None = None, term_months: int | None = None
) -> dict[str, Decimal]:
    """The contribution of somebody who joins by themselves, by payer. The others' parts are owed through the unit; who has no unit
    has nobody to pay them and pays it all."""
    parts = split(schedule, person, shares, default=PERSON, starts_on=starts_on, term_months=term_months)
    return parts if in_unit else {PERSON: sum(parts.values(), Decimal(0))}


def participation_ok(rule: UnitRule, unit: UnitFacts) -> bool:
    """Did enough of the unit join? Small units join as a whole; mind `<` and `<=`, which plans use differently."""
    small = unit.eligible_staff <= rule.all_headcount if rule.all_inclusive else unit.eligible_staff < rule.all_headcount
    if rule.all_headcount and small:
        return unit.enrolling >= unit.eligible_staff
    return Decimal(unit.enrolling) >= rule.min_ratio * unit.eligible_staff
