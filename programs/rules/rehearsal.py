"""A rehearsal (测算): terms run over cases that were decided under others, and what that would have cost.

Each person's cases come in the order in which they were decided; what stands under a limit is what these terms themselves
would have given before, not what was really paid. Tallies of parts add up to the tally of the whole, so a long rehearsal
may be done part by part and stop anywhere between.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from programs.rules.assess import Assessment, assess
from programs.rules.explain import STEP_WORDS, percent, yuan
from programs.rules.facts import ZERO, CaseFacts, CoverFacts, PersonFacts, PriorUse
from programs.rules.history import Granted, prior_to
from programs.rules.joining import JoiningRules
from programs.rules.outline import step_words
from programs.rules.schedule import Item, Schedule
from programs.rules.steps import Line
from programs.rules.words import Words
from unionaid.lib.money import fen_from_yuan

BEST = 100  # how many of those who gain or lose most are named
# Lines that are parts of the step that follows them.
PARTS = {"band": "over", "admission": "ordinal", "stay_days": "rate", "stay_wait": "ratio", "graded": "ratio"}
ADDED_UP = ("marginal", "per_admission", "per_day", "wait_by_stay", "ratio_by_grade")  # steps whose parts stand before them
NOT_ADMITTED = "not_admitted"
NO_DAY = ("stays",)  # what is missing in a claim that tells no day


@dataclass(frozen=True, slots=True)
class PastCase:
    """One decided case: whose, under which cover, what was really given (fen). Cases that are not `counted` only tell what
    these terms would have given before the time looked at. No `case`: the claim tells no day. `settled`: rules on joining that the
    terms of that time have answered (`joining.settled_by`)."""

    key: int
    number: str
    who: int
    cover_key: int
    person: PersonFacts
    cover: CoverFacts
    case: CaseFacts | None
    before_fen: int
    counted: bool = True
    settled: frozenset[str] = frozenset()


def rehearsed(schedule: Schedule) -> Schedule:
    """The schedule for cases of other years: deadlines that are fixed days cannot be moved to them and do not count."""
    window = schedule.claim_window
    if window is None or not (window.until or window.unit_until):
        return schedule
    return replace(schedule, claim_window=None if window.until else replace(window, unit_until=()))


# --- what was given before -------------------------------------------------------------------------------------------


class Given:
    """What these terms have given one person so far: what it took under the limits of each cover and of the lifetime, and the decisions
    that a later case asks about (`history`)."""

    __slots__ = ("by_cover", "for_life", "granted")

    def __init__(self) -> None:
        self.by_cover: dict[int, dict[str, Decimal]] = {}
        self.for_life: dict[str, Decimal] = {}
        self.granted: list[Granted] = []

    def before(self, cover: int, case: CaseFacts) -> PriorUse:
        """What an assessment of this case has to know."""
        used = {**self.by_cover.get(cover, {}), **self.for_life}
        return prior_to(cover=cover, told=case.told_disease, granted=self.granted, used=used)

    def take(self, cover: int, case: CaseFacts, found: Assessment) -> None:
        """Count what this case takes under each limit, and, when it is paid, what was granted."""
        for use in found.usage:
            kept = self.for_life if use.scope == "lifetime" else self.by_cover.setdefault(cover, {})
            kept[use.key] = kept.get(use.key, ZERO) + use.taken
        if found.total:
            paid = {item.code: item.amount for item in found.items if item.amount}
            self.granted.append(Granted(cover, case.event, case.told_disease, len(case.stays) - found.left_out, paid))


# --- the tally -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ItemSum:
    """One benefit: paid claims, people, amount; and how many claims it was refused for which reason."""

    claims: int = 0
    people: int = 0
    fen: int = 0
    refused: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class StepSum:
    """One step of one benefit, or one part (a band, the n-th stay) of it: how often, what lay in it, what it gave (yuan)."""

    times: int = 0
    inside: Decimal = ZERO
    given: Decimal = ZERO


# item, place of the step, its name in the trail, which part of it
StepKey = tuple[str, int, str, str]
# (by how much, claim, number, person, before, after), the greatest first
Change = tuple[int, int, str, int, int, int]


@dataclass(slots=True)
class Tally:
    """What a rehearsal found, in counts and fen. Cases in which a fact is missing that these terms ask for are `unknown`: they
    are in no other sum. `refused_by`: how many cases each rule on joining shuts out; `join_unknown`: how many it leaves open."""

    claims: int = 0
    people: int = 0
    before_claims: int = 0
    before_fen: int = 0
    after_claims: int = 0
    after_fen: int = 0
    gain_claims: int = 0
    gain_fen: int = 0
    loss_claims: int = 0
    loss_fen: int = 0
    newly_paid: int = 0
    no_longer_paid: int = 0
    unknown_claims: int = 0
    unknown_paid: int = 0
    unknown_fen: int = 0
    shut_out: int = 0
    shut_out_fen: int = 0
    items: dict[str, ItemSum] = field(default_factory=dict)
    steps: dict[StepKey, StepSum] = field(default_factory=dict)
    unknown_facts: dict[str, int] = field(default_factory=dict)
    refused_by: dict[str, int] = field(default_factory=dict)
    join_unknown: dict[str, int] = field(default_factory=dict)
    unknown: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    gains: list[Change] = field(default_factory=list)
    losses: list[Change] = field(default_factory=list)

    def add(self, rules: JoiningRules, cases: Sequence[PastCase]) -> None:
        """Count one person's cases, in the order in which they were decided."""
        schedule, given, paid_items, seen = rules.schedule, Given(), set[str](), False
        for one in cases:
            seen = seen or one.counted
            answer = rules.of(one.person, cover_start=one.cover.period.start, settled=one.settled)
            if one.case is None:
                self._unknown(one, NO_DAY)
            elif answer.failed:
                self._refuse_all(schedule, one, one.case.event, answer.failed)
            elif answer.unknown:
                self._unknown(one, answer.unknown)
                _tell(self.join_unknown, answer.unknown, one.counted)
            else:
                found = assess(schedule, person=one.person, cover=one.cover, case=one.case, prior=given.before(one.cover_key, one.case))
                if missing := found.missing:
                    self._unknown(one, missing)
                    continue
                given.take(one.cover_key, one.case, found)
                if one.counted:
                    self._count(one, fen_from_yuan(found.total))
                    self._count_items(found, paid_items)
        self.people += seen

    def _count(self, one: PastCase, after: int) -> None:
        before = one.before_fen
        self.claims += 1
        self.before_fen += before
        self.after_fen += after
        self.before_claims += before > 0
        self.after_claims += after > 0
        if after > before:
            self.gain_claims += 1
            self.gain_fen += after - before
            self.newly_paid += before == 0
            _keep(self.gains, (after - before, one.key, one.number, one.who, before, after))
        elif after < before:
            self.loss_claims += 1
            self.loss_fen += before - after
            self.no_longer_paid += after == 0
            _keep(self.losses, (before - after, one.key, one.number, one.who, before, after))

    def _count_items(self, found: Assessment, paid_items: set[str]) -> None:
        for item in found.items:
            own = self.items.get(item.code) or self.items.setdefault(item.code, ItemSum())
            if item.refused:
                own.refused[item.refused.code] = own.refused.get(item.refused.code, 0) + 1
                continue
            if item.amount:
                own.claims += 1
                own.fen += fen_from_yuan(item.amount)
                if item.code not in paid_items:
                    paid_items.add(item.code)
                    own.people += 1
            self._count_steps(item.code, item.trail)

    def _count_steps(self, code: str, trail: Iterable[Line]) -> None:
        """A line of the trail that is part of a step stands before it; all others are one step each, in their order."""
        steps, place, running = self.steps, 0, ZERO
        for line in trail:
            name = line.step
            if name == "stay_out":  # no step: a stay that the conditions leave out
                continue
            part = PARTS.get(name)
            key = (code, place, name, str(line.inputs[part]) if part else "")
            own = steps.get(key)
            if own is None:
                own = steps[key] = StepSum()
            own.times += 1
            own.given += line.result
            if part:
                own.inside += _inside(name, line.inputs)
            else:
                own.inside += running
                running = line.result
                place += 1

    def _refuse_all(self, schedule: Schedule, one: PastCase, event: str, rules: tuple[str, ...]) -> None:
        """A person whom the plan would not have taken had no cover: nothing is paid."""
        if not one.counted:
            return
        self._count(one, 0)
        self.shut_out += 1
        self.shut_out_fen += one.before_fen
        _tell(self.refused_by, rules, True)
        for item in schedule.items:
            if event in item.events:
                own = self.items.setdefault(item.code, ItemSum())
                own.refused[NOT_ADMITTED] = own.refused.get(NOT_ADMITTED, 0) + 1

    def _unknown(self, one: PastCase, missing: tuple[str, ...]) -> None:
        if not one.counted:
            return
        self.unknown_claims += 1
        self.unknown_paid += one.before_fen > 0
        self.unknown_fen += one.before_fen
        _tell(self.unknown_facts, missing, True)
        if len(self.unknown) < BEST:
            self.unknown.append((one.key, one.number, missing))

    def as_data(self) -> dict[str, Any]:
        """As JSON; unrounded sums as texts."""
        self.gains, self.losses = _first(self.gains), _first(self.losses)
        return {
            **{name: getattr(self, name) for name in COUNTS},
            "items": {
                code: {"claims": own.claims, "people": own.people, "fen": own.fen, "refused": own.refused}
                for code, own in sorted(self.items.items())
            },
            "steps": [[*key, own.times, str(own.inside), str(own.given)] for key, own in sorted(self.steps.items(), key=_in_order)],
            **{name: dict(sorted(getattr(self, name).items())) for name in BY_NAME},
            "unknown": [[key, number, list(facts)] for key, number, facts in self.unknown],
            "gains": [list(one) for one in self.gains],
            "losses": [list(one) for one in self.losses],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Tally":
        """The tally back from `as_data`; an empty one from nothing."""
        return cls(
            **{name: data.get(name, 0) for name in COUNTS},
            items={code: ItemSum(**{**own, "refused": dict(own["refused"])}) for code, own in data.get("items", {}).items()},
            steps={
                (code, place, step, part): StepSum(times, Decimal(inside), Decimal(given))
                for code, place, step, part, times, inside, given in data.get("steps", ())
            },
            unknown_facts=dict(data.get("unknown_facts", {})),
            refused_by=dict(data.get("refused_by", {})),
            join_unknown=dict(data.get("join_unknown", {})),
            unknown=[(key, number, tuple(facts)) for key, number, facts in data.get("unknown", ())],
            gains=[_change(one) for one in data.get("gains", ())],
            losses=[_change(one) for one in data.get("losses", ())],
        )


COUNTS = (
    "claims", "people", "before_claims", "before_fen", "after_claims", "after_fen", "gain_claims", "gain_fen", "loss_claims", "loss_fen",
    "newly_paid", "no_longer_paid", "unknown_claims", "unknown_paid", "unknown_fen", "shut_out", "shut_out_fen",
)  # fmt: skip
BY_NAME = ("unknown_facts", "refused_by", "join_unknown")


def _tell(counts: dict[str, int], names: Iterable[str], counted: bool) -> None:
    if counted:
        for name in names:
            counts[name] = counts.get(name, 0) + 1


def _inside(step: str, inputs: Mapping[str, Any]) -> Decimal:
    """What lies in a part of a step: the part of the sum in a band, a stay's sum, the days that count."""
    value = inputs[{"band": "part", "admission": "of", "stay_days": "counted", "stay_wait": "of", "graded": "of"}[step]]
    return value if isinstance(value, Decimal) else Decimal(value)


def _keep(kept: list[Change], one: Change) -> None:
    """Add to a list that is cut to the first ones from time to time."""
    kept.append(one)
    if len(kept) >= 10 * BEST:
        kept[:] = _first(kept)


def _first(kept: list[Change]) -> list[Change]:
    return sorted(kept, key=lambda one: (-one[0], one[1]))[:BEST]


def _change(one: Sequence[Any]) -> Change:
    by, key, number, who, before, after = one
    return by, key, number, who, before, after


def _in_order(one: tuple[StepKey, StepSum]) -> tuple[Any, ...]:
    """By item and step; the parts of a step stand before it, in the order of their figures."""
    code, place, _step, part = one[0]
    return code, place, not part, Decimal(part or 0)


# --- in words --------------------------------------------------------------------------------------------------------


def step_in_words(item: Item, key: StepKey, found: StepSum) -> Words:
    """The step as the plan says it; or the part of it: which band, which stay, how many days."""
    _code, place, name, part = key
    if name == "band":
        over, up_to, share = next(band for band in item.steps[place].data["bands"] if str(band[0]) == part)
        zh, en = (f"至 {yuan(up_to)} 元", f"to {yuan(up_to)}") if up_to is not None else ("以上", "and above")
        return Words(f"{yuan(over)} 元{zh}的部分 × {percent(share)}", f"the part over {yuan(over)} {en} × {percent(share)}")
    if name == "admission":
        ratios = item.steps[place].data["ratios"]
        share = percent(ratios[min(int(part), len(ratios)) - 1])
        return Words(f"本期第 {part} 次住院 × {share}", f"admission {part} of the period × {share}")
    if name == "stay_wait":
        return Words(f"按住院那天在保障第几天 × {percent(part)}", f"by the day of cover of the stay × {percent(part)}")
    if name == "graded":
        return Words(f"按医院等级 × {percent(part)}", f"by the grade of the hospital × {percent(part)}")
    if name == "stay_days":
        return Words(f"计 {found.inside:,} 天 × 每天 {yuan(part)} 元", f"{found.inside:,} days × {yuan(part)} a day")
    if name == "indemnity":
        return Words("各项合计不超过个人负担", "all items together not more than the personal cost")
    if name == "set_off":
        return Words("扣除不同时给付的项目此前已给付的", "less what was given before under an item that it is not paid beside")
    if place >= len(item.steps):  # a limit that steps after it went beyond holds for what the item gives in the end (`assess`)
        return Words("各步算完，仍不超过前面的封顶", "after all steps, not more than the limit before them")
    return STEP_WORDS[name]({}, "") if name in ADDED_UP else step_words(item.steps[place])
