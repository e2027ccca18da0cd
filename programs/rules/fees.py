"""Contributions (互助费): class × shares × payer, and the gate of participation a unit must pass."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from programs.rules.facts import PersonFacts
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


def principal_payer(schedule: Schedule) -> str | None:
    """Who pays the contributions that are paid back at the end of cover, where the plan names them."""
    return next((name for fee in schedule.fees if fee.refundable for name, _amount in fee.payers), None)


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
    person_pays: Decimal | None = None,
) -> dict[str, Decimal]:
    """The contribution by payer; a plan that names no payers is paid by `default` alone. `person_pays` (yuan a share): what the unit
    set where the plan lets it (`chosen_split`); classes that leave no choice are split as ever."""
    fee = fee_class(schedule, person, starts_on=starts_on, term_months=term_months)
    counted = counted_shares(schedule, shares)
    payers = fee.payers or ((default, fee.per_share),)
    if person_pays is not None and fee.person_at_least is not None:
        payers = tuple((name, person_pays if name == PERSON else fee.per_share - person_pays) for name, _amount in payers)
    return {name: amount * counted for name, amount in payers}


@dataclass(frozen=True, slots=True)
class Choice:
    """Between which sums (yuan a share, both inclusive) a unit sets the person's part, what it is when nothing is chosen, and who
    pays the rest."""

    least: Decimal
    most: Decimal
    usual: Decimal
    other: str


def chosen_split(schedule: Schedule, *, term_months: int | None = None) -> Choice | None:
    """What the unit may choose for all on its roster: within the bounds of every class that leaves it a choice. None: nothing."""
    free = [fee for fee in schedule.fees if fee.person_at_least is not None and fee.term_months in (None, term_months)]
    if not free:
        return None
    least, most = max(fee.person_at_least or Decimal(0) for fee in free), min(fee.per_share for fee in free)
    payers = dict(free[0].payers)
    other = next(name for name in payers if name != PERSON)
    return Choice(least, most, payers[PERSON], other) if least <= most else None


def split_single(
    schedule: Schedule, person: PersonFacts, shares: int, *, in_unit: bool, starts_on: date | None = None, term_months: int | None = None
) -> dict[str, Decimal]:
    """The contribution of somebody who joins by themselves, by payer. The others' parts are owed through the unit; who has no unit
    has nobody to pay them and pays it all."""
    parts = split(schedule, person, shares, default=PERSON, starts_on=starts_on, term_months=term_months)
    return parts if in_unit else {PERSON: sum(parts.values(), Decimal(0))}


def chosen_splits(schedule: Schedule) -> dict[int | None, Choice]:
    """The same by length of cover, or once (None) where it is the same for every length; empty where there is nothing to choose."""
    found = {months: choice for months in schedule.terms or (None,) if (choice := chosen_split(schedule, term_months=months))}
    return {None: next(iter(found.values()))} if len(found) > 0 and len(set(found.values())) == 1 else found


def participation_ok(rule: UnitRule, *, staff: int, enrolling: int) -> bool:
    """Did enough of so many join? Small units join as a whole; mind `<` and `<=`, which plans use differently."""
    small = staff <= rule.all_headcount if rule.all_inclusive else staff < rule.all_headcount
    if rule.all_headcount and small:
        return enrolling >= staff
    return Decimal(enrolling) >= rule.min_ratio * staff
