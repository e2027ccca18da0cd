"""Contributions (互助费): class × shares × payer, and the gate of participation a unit must pass."""

from decimal import Decimal

from programs.rules.facts import PersonFacts, UnitFacts
from programs.rules.schedule import FeeClass, Schedule, UnitRule

UNIT_PAYS = "unit"


class NoFeeClass(LookupError):
    """The plan names no contribution for this person."""


def fee_class(schedule: Schedule, person: PersonFacts) -> FeeClass:
    """The first class of the plan that fits the person."""
    for fee in schedule.fees:
        if fee.gender in ("any", person.gender) and fee.card_holder in (None, bool(person.card_holder)):
            return fee
    raise NoFeeClass(schedule.code)


def contribution(schedule: Schedule, person: PersonFacts, shares: int) -> Decimal:
    """What is due for this person and these shares, all payers together, in yuan."""
    return fee_class(schedule, person).per_share * shares


def split(schedule: Schedule, person: PersonFacts, shares: int, *, default: str) -> dict[str, Decimal]:
    """The contribution by payer; a plan that names no payers is paid by `default` alone."""
    fee = fee_class(schedule, person)
    return {name: amount * shares for name, amount in (fee.payers or ((default, fee.per_share),))}


def participation_ok(rule: UnitRule, unit: UnitFacts) -> bool:
    """Did enough of the unit join? Small units join as a whole; mind `<` and `<=`, which plans use differently."""
    small = unit.eligible_staff <= rule.all_headcount if rule.all_inclusive else unit.eligible_staff < rule.all_headcount
    if rule.all_headcount and small:
        return unit.enrolling >= unit.eligible_staff
    return Decimal(unit.enrolling) >= rule.min_ratio * unit.eligible_staff
