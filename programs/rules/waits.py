"""How each benefit item waits under one cover, as people read it: a waiver of one item waives no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from programs.rules.bands import last_start
from programs.rules.facts import ACCIDENTS
from programs.rules.schedule import Item, Schedule
from programs.rules.words import Words
from unionaid.lib.calendar import format_zh, plus_days


@dataclass(frozen=True, slots=True)
class Wait:
    """Items that wait alike. `until`: the last day on which what happens is paid nothing, or (`reduced`) less; None: no waiting, because
    continuous renewal waives it (`waived`) or there is none."""

    items: tuple[Words, ...]
    until: date | None = None
    waived: bool = False
    reduced: bool = False

    def words(self, on: date | None) -> Words:
        """`on`: the day it is read, where what is over should be said to be over."""
        if self.until is None:
            if self.waived:
                return Words("连续参加，没有等待期", "continuous renewal, no waiting period")
            return Words("没有等待期", "no waiting period")
        day, day_en = format_zh(self.until), f"{self.until:%-d %B %Y}"
        if on is not None and self.until < on:
            return Words(f"已于 {day} 结束", f"ended on {day_en}")
        if self.reduced:
            return Words(f"到 {day}，这之前发生的疾病按条款少给或不给", f"until {day_en}; for illness before that less or nothing is paid")
        return Words(f"到 {day}，这之前发生的疾病不给付", f"until {day_en}; nothing is paid for illness before that")


def waits(schedule: Schedule, start: date, days_since_cover: int | None) -> tuple[Wait, ...]:
    """How the items wait for cover that began on `start`, so many days after the person's last cover ended (None: their first); items
    that wait alike in one, in the order of the plan."""
    alike: dict[tuple[date | None, bool, bool], list[Words]] = {}
    for item in schedule.items:
        names = alike.setdefault(_waits(schedule, item, start, days_since_cover), [])
        if item.name not in names:
            names.append(item.name)
    return tuple(Wait(tuple(names), *how) for how, names in alike.items())


def _waits(schedule: Schedule, item: Item, start: date, days_since_cover: int | None) -> tuple[date | None, bool, bool]:
    """(until, waived, reduced); accidents wait only where the plan says so."""
    found = next((step.data for step in item.steps if step.name == "wait"), None)
    bands = found["bands"] if found else ()
    waiting = (item.waiting or schedule.waiting) if bands else item.waiting
    if waiting is None or (set(item.events) <= set(ACCIDENTS) and not waiting.accidents):
        return None, False, False
    ends = last_start(found, start) if found else waiting.ends(start)
    if ends <= start:
        return None, False, False
    return (None, True, False) if waiting.waived(days_since_cover) else (plus_days(ends, -1), False, bool(bands))


def waits_in_words(found: Sequence[Wait], *, on: date | None = None) -> Words:
    """All of it in one sentence: plainly where every item waits alike, item by item otherwise."""
    if len(found) == 1:
        return found[0].words(on)
    told = [(wait, wait.words(on)) for wait in found]
    zh = "；".join(f"{'、'.join(name.zh for name in wait.items)}：{words.zh}" for wait, words in told)
    en = "; ".join(f"{', '.join(name.en for name in wait.items)}: {words.en}" for wait, words in told)
    return Words(zh, en)
