"""A claim for several stays taken apart and put together again: each stay has a day, a hospital and a deadline of its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from programs.rules.facts import STAY_EVENTS, CaseFacts, Stay, event_day


def day_of_stay(case: CaseFacts, stay: Stay) -> date:
    """The day a stay counts on: the accident that led to it, or else its own admission."""
    return event_day(case.event, accident_on=case.accident_on, first_stay=stay.admitted_on) or stay.admitted_on


def share_nights(one: tuple[date, date], other: tuple[date, date]) -> bool:
    """Do two stays, each (admitted, discharged), claim the same night? Nobody lies in two hospitals in one night. On the day of a transfer
    both stand: one ends when the other begins. Two that have the same days are the same.

    >>> may = lambda first, last: (date(2026, 5, first), date(2026, 5, last))
    >>> share_nights(may(1, 8), may(8, 12)), share_nights(may(1, 8), may(7, 12)), share_nights(may(3, 3), may(1, 8))
    (False, True, True)
    >>> share_nights(may(1, 1), may(1, 8)), share_nights(may(3, 3), may(3, 3))
    (False, True)
    """
    return one == other or (one[0] < other[1] and other[0] < one[1])


def stay_by_stay(case: CaseFacts) -> tuple[CaseFacts, ...]:
    """A case of stays taken apart, in the order of the stays; any other case is one, as it is. A stay that began before the
    accident was not caused by it."""
    if case.event not in STAY_EVENTS or not case.stays:
        return (case,)
    if len(case.stays) == 1 and case.event_on == day_of_stay(case, case.stays[0]) and not _before_accident(case, case.stays[0]):
        return (case,)
    return tuple(
        replace(
            case,
            event_on=day_of_stay(case, stay),
            accident_on=None if _before_accident(case, stay) else case.accident_on,
            stays=(stay,),
        )
        for stay in case.stays
    )


def _before_accident(case: CaseFacts, stay: Stay) -> bool:
    return case.accident_on is not None and stay.admitted_on < case.accident_on


def together(parts: Sequence[CaseFacts]) -> CaseFacts:
    """One case again, of the parts of `stay_by_stay` that count: it has the day of the first, and the accident of any."""
    first = parts[0]
    if len(parts) == 1:
        return first
    accident = next((part.accident_on for part in parts if part.accident_on), None)
    return replace(first, accident_on=accident, stays=tuple(part.stays[0] for part in parts))
