"""Items that exclude each other and answer different events (disability and, later, death): they come in claims of their own, and in all
the claims under one cover a person has the greater of what the one and the other come to, never both.

For each such item two sums are counted over claims: what it gave, and what was set off because another was given. Together they are
what it would have given alone, so that in the end the order of the claims changes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from programs.rules.facts import ZERO, PriorUse
from programs.rules.schedule import Item, Schedule
from programs.rules.steps import LimitUse, counted_under
from programs.rules.words import Words

GIVEN, SET_OFF = "given", "set_off"  # under which keys, each with the item's code


@dataclass(frozen=True, slots=True)
class Rivals:
    """The items of one exclusive group as one of them sees it: those that come in the same claims as itself, and the others, each set
    of them with the same events."""

    own: tuple[Item, ...]
    others: tuple[tuple[Item, ...], ...]

    @property
    def names(self) -> Words:
        """What the others are called."""
        names = [item.name for some in self.others for item in some]
        return Words("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def rivals_of(schedule: Schedule, item: Item) -> tuple[Rivals, ...]:
    """The groups in which something excludes this item that comes in other claims."""
    return tuple(_rivals(schedule, item)) if schedule.exclusive else ()


def _rivals(schedule: Schedule, item: Item) -> Iterator[Rivals]:
    for group in schedule.exclusive:
        if item.code in group:
            by_events: dict[frozenset[str], list[Item]] = {}
            for one in schedule.items:
                if one.code in group:
                    by_events.setdefault(frozenset(one.events), []).append(one)
            own = by_events.pop(frozenset(item.events))
            if by_events:
                yield Rivals(tuple(own), tuple(map(tuple, by_events.values())))


def keys_apart(schedule: Schedule) -> tuple[str, ...]:
    """Under which keys such items are counted over claims."""
    return tuple(f"{name}:{item.code}" for item in schedule.items if rivals_of(schedule, item) for name in (GIVEN, SET_OFF))


def before_alone(item: Item, groups: tuple[Rivals, ...], prior: PriorUse, *, disease: str, year: str) -> PriorUse:
    """What happened before, as it would stand if the others had never been granted and nothing had been set off because of them."""
    used = dict(prior.used)
    for key in _ceilings(item, disease, year):
        others = {one.code for group in groups for some in group.others for one in some if key in _ceilings(one, disease, year)}
        own = {one.code for group in groups for one in group.own if key in _ceilings(one, disease, year)}
        less = sum((_sum(prior, GIVEN, code) for code in others), ZERO)
        more = sum((_sum(prior, SET_OFF, code) for code in own), ZERO)
        if less or more:
            used[key] = max(ZERO, used.get(key, ZERO) - less) + more
    return replace(prior, used=used)


def _ceilings(item: Item, disease: str, year: str) -> frozenset[str]:
    """The keys of its ceilings that count over claims."""
    found = (counted_under(step, 1, disease, year) for step in item.steps if step.name == "ceiling")
    return frozenset(counted[0] for counted in found if counted)


def _sum(prior: PriorUse, name: str, code: str) -> Decimal:
    return prior.used.get(f"{name}:{code}", ZERO)


def _come_to(some: tuple[Item, ...], prior: PriorUse) -> Decimal:
    """What these gave so far, or would have given alone."""
    return sum((_sum(prior, name, item.code) for item in some for name in (GIVEN, SET_OFF)), ZERO)


def so_far(group: Rivals, prior: PriorUse) -> Decimal:
    """What a group came to in the claims before: the greatest of its sides."""
    return max(_come_to(some, prior) for some in (group.own, *group.others))


def left_of(gross: Decimal, groups: tuple[Rivals, ...], prior: PriorUse) -> Decimal:
    """What of this sum, which the item gives alone, lifts its side of every group above what was given already."""
    return min(max(so_far(one, prior), _come_to(one.own, prior) + gross) - so_far(one, prior) for one in groups)


def use_of(item: Item, prior: PriorUse, *, gross: Decimal, amount: Decimal) -> tuple[LimitUse, ...]:
    """What the claims after this one have to know."""
    taken: Mapping[str, Decimal] = {GIVEN: amount, SET_OFF: gross - amount}
    return tuple(LimitUse(f"{name}:{item.code}", name, None, _sum(prior, name, item.code), sum_) for name, sum_ in taken.items())
