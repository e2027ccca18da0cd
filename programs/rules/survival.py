"""What becomes of cover when something changes in the period: a transfer to another unit, retirement."""

from programs.rules.schedule import Schedule
from programs.rules.words import Words

TRANSFER, RETIREMENT = "transfer", "retirement"
CHANGES = (TRANSFER, RETIREMENT)
CHANGE_WORDS = {
    TRANSFER: Words("调动到别的单位", "a transfer to another unit"),
    RETIREMENT: Words("退休", "retirement"),
}


def survives(schedule: Schedule, change: str) -> bool:
    """Does cover that was paid for go on to its last day after this change (`transfer` or `retirement`)?

    Plans keep the right unless they say otherwise (`survives: {retirement: false}`): then cover ends on the day of the
    change, which is the first day without it. ValueError for a change that is neither.
    """
    if change not in CHANGES:
        raise ValueError(change)
    return change not in schedule.ended_by
