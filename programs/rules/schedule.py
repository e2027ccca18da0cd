"""The terms of a plan as frozen data (`parse.py` makes them from a plan file). See docs/plans.md for the format."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from programs.rules.words import Words
from unionaid.lib.calendar import Period, plus_days, plus_months


@dataclass(frozen=True, slots=True)
class AgeRule:
    """Completed years at the start of cover, both bounds inclusive, for a gender (or any) and renewals (or any); with a
    `group` only for people of that group (senior staff)."""

    gender: str
    from_age: int
    to_age: int
    renewal: bool | None
    relation: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class UnitRule:
    """How many of a unit must join: a share of its staff (or of its women), and all of them in small units. `agent_bound`:
    the unit must have an agent who acts for it. `ratio_binds_singles`: whoever of the unit joins by themselves may do so only
    when enough of it join; the other rules bind them in any case."""

    of: str
    min_ratio: Decimal
    all_headcount: int
    all_inclusive: bool
    same_shares: bool
    agent_bound: bool = False
    ratio_binds_singles: bool = True


@dataclass(frozen=True, slots=True)
class LateRule:
    """Who may still join after the window: anyone, or new hires, for some days or months (the last day counts)
    after the period began or after they were hired."""

    new_hires: bool
    after_hiring: bool
    days: int
    months: int

    def last_day(self, period: Period, hired_on: date | None) -> date | None:
        """The last day to join under this rule; None when it depends on a day of hiring that is not known."""
        start = hired_on if self.after_hiring else period.start
        return plus_days(plus_months(start, self.months), self.days) if start else None


@dataclass(frozen=True, slots=True)
class FeeClass:
    """The contribution per share for one class of person; the first class that fits holds. None: any. `person_at_least`: the unit may
    set the person's part, from this sum (yuan a share) up to the whole; the one other payer pays the rest (None: no choice)."""

    gender: str
    card_holder: bool | None
    risk: str | None
    unit_nature: str | None
    relation: str | None
    group: str | None
    term_months: int | None
    joined_from: date | None
    joined_to: date | None
    per_share: Decimal
    refundable: bool
    payers: tuple[tuple[str, Decimal], ...]
    person_at_least: Decimal | None = None


LASTING = ("disease", "year", "period", "lifetime")  # scopes of a ceiling that counts over claims
GRADED = {"deduct": "amount", "ratio": "ratio", "per_day": "rate"}  # steps whose figure may go by the grade of the hospital


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an amount: its name in the register of `steps.py`, its data, and its clause when it has its own."""

    name: str
    data: Mapping[str, Any]
    clause: str = ""

    @property
    def by_grade(self) -> bool:
        """Does it go by the grade of the hospital?"""
        return self.data.get("by") == "hospital_grade" or isinstance(self.data.get(GRADED.get(self.name, "")), Mapping)


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of an item: its name in the register of `gates.py`, its data, and its own clause."""

    name: str
    data: Mapping[str, Any]
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Days (after months) from the first day of cover in which nothing is paid; waived when the person's last cover in the plan
    ended at most `waived_within_days` days before this one began (None: never). `accidents`: what an accident caused waits too (as a
    rule it does not, 1.4)."""

    days: int = 0
    months: int = 0
    waived_within_days: int | None = None
    accidents: bool = False

    def ends(self, start: date) -> date:
        """The first day on which benefit is paid for cover that began on `start`."""
        return plus_days(plus_months(start, self.months), self.days)

    def waived(self, days_since_cover: int | None) -> bool:
        """Is it waived for whoever's last cover ended so many days before (0: the day before; None: never covered)?"""
        return days_since_cover is not None and self.waived_within_days is not None and days_since_cover <= self.waived_within_days


@dataclass(frozen=True, slots=True)
class Item:
    """One benefit (保障项目): which events it answers to, on which conditions, and how much. `waiting` None: no waiting."""

    code: str
    name: Words
    clause: str
    fund: str
    events: tuple[str, ...]
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]
    waiting: Waiting | None

    @property
    def after(self) -> frozenset[str]:
        """The items whose amounts this one needs to know first (second pass)."""
        return frozenset(code for step in self.steps if step.name == "less_items" for code in step.data["items"])

    @property
    def asks_grade(self) -> bool:
        """Do its conditions or its steps look at the grade of the hospital?"""
        return any(gate.name == "hospital_grade" for gate in self.gates) or any(step.by_grade for step in self.steps)

    def has(self, name: str) -> bool:
        """Is this step among its steps?"""
        return any(step.name == name for step in self.steps)


@dataclass(frozen=True, slots=True)
class Ask:
    """A figure that the applicant declares (申报的数): a sum in yuan, or a whole number of something (people, jobs). `most`: the
    greatest that may be told (None: no bound of the plan's own)."""

    code: str
    name: Words
    in_yuan: bool
    hint: Words | None
    most: Decimal | None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is not paid for (除外责任): diagnoses by the beginning of their code, or a circumstance found in review."""

    code: str
    name: Words
    clause: str
    prefixes: tuple[str, ...]
    circumstance: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A paper that a claim needs for some events, from some benefit (yuan) upwards."""

    code: str
    name: Words
    events: tuple[str, ...]
    required: bool
    from_amount: Decimal | None


@dataclass(frozen=True, slots=True)
class ClaimWindow:
    """How long benefit may be applied for: days or months after discharge or event, until a day by kind of event, or the one and the
    other: `later` of both, or else the earlier. `unit_until`: the days by which a unit collects its people's claims (单位内部截止日);
    they hold for what the unit's agent files, never for what a person files. `lengths`: kinds of event with days and months of their
    own in place of those of all others. All last days count."""

    days: int
    months: int
    after_discharge: bool
    until: tuple[tuple[str, date], ...]
    later: bool = False
    unit_until: tuple[tuple[str, date], ...] = ()
    lengths: tuple[tuple[str, int, int], ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of event that it tells from all others."""
        told = [kind for kind, _day in (*self.unit_until, *self.until)] + [kind for kind, _days, _months in self.lengths]
        return tuple(dict.fromkeys(kind for kind in told if kind != "default"))

    @property
    def lasts(self) -> bool:
        """Does it give a length of time (alone or beside a day)?"""
        return bool(self.days or self.months)

    def last_day(self, *, happened_on: date, ended_on: date, kind: str) -> date | None:
        """The last day to apply for what happened and ended (discharge) on these days; None: no end."""
        fixed = by_kind(self.until, kind)
        if not self.lasts:
            return fixed
        days, months = next(((days, months) for one, days, months in self.lengths if one == kind), (self.days, self.months))
        length = plus_days(plus_months(ended_on if self.after_discharge else happened_on, months), days)
        return length if fixed is None else max(length, fixed) if self.later else min(length, fixed)


def by_kind(days: tuple[tuple[str, date], ...], kind: str) -> date | None:
    """The day for a kind of event; that of all others ("default") where it has none of its own."""
    found = dict(days)
    return found.get(kind) or found.get("default")


PAY_WITHIN_DAYS = 30  # days; what holds where a plan does not say. The house's own figure, from no plan's terms.
APPEAL_DAYS = 10  # working days; what holds where a plan does not say. The house's own figure, from no plan's terms.


@dataclass(frozen=True, slots=True)
class Deciding:
    """How a claim is decided (审核与公示). `unit_first`: the unit's agent looks at it before the office. `final_from` (yuan): from
    this benefit up, for `final_events` and whenever something is flagged, a second person decides; None: always. `notice_days`:
    working days of public notice (0: none). `appeal_days`: working days in which a decision may be appealed, the last one counts.
    `set_off_ratio`: the greatest part of a later benefit that is set off against what was paid too much (0: nothing)."""

    unit_first: bool = False
    final_from: Decimal | None = None
    final_events: tuple[str, ...] = ()
    notice_days: int = 0
    appeal_days: int = APPEAL_DAYS
    set_off_ratio: Decimal = Decimal(0)

    def second_person(self, *, benefit: Decimal, event: str, flagged: bool) -> str:
        """Why a second person decides: "always", "amount", "category" or "flag"; empty when one reviewer may decide alone.

        >>> rule = Deciding(final_from=Decimal(500))
        >>> rule.second_person(benefit=Decimal("499.99"), event="admission", flagged=False)
        ''
        >>> rule.second_person(benefit=Decimal(500), event="admission", flagged=True)
        'amount'
        """
        if self.final_from is None:
            return "always"
        if benefit >= self.final_from:
            return "amount"
        if event in self.final_events:
            return "category"
        return "flag" if flagged else ""


@dataclass(frozen=True, slots=True)
class OpensAfter:
    """When relief or condolence is opened by rule (按规则发起), without anybody asking for it: after a benefit for one of these events was
    granted; with `own_cost_left` (yuan) only where the person's own cost, less every benefit and all other aid, is that much or more."""

    events: tuple[str, ...]
    own_cost_left: Decimal | None = None

    def holds(self, event: str, left: Decimal | None) -> bool:
        """Is it opened after this event, with so much own cost left (None: no cost was told)?

        >>> OpensAfter(("admission",), Decimal(5000)).holds("admission", Decimal(5000))
        True
        >>> OpensAfter(("admission",), Decimal(5000)).holds("admission", None)
        False
        """
        enough = self.own_cost_left is None or (left is not None and left >= self.own_cost_left)
        return event in self.events and enough

    def asks_cost(self, event: str) -> bool:
        """Does it hang on the cost left whether it is opened after this event?"""
        return event in self.events and self.own_cost_left is not None


PREVIOUS_PERIOD_DAYS = 364  # less than a year: only the period before. Holds where a plan does not say; the house's own figure.


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Who may join, when, and how many shares. `renewal_employments`: kinds of employment taken besides when the person renews,
    that is, when their last cover in the program ended at most `renewal_within_days` days before the new one begins.
    `together_with`: the codes of other plans whose shares on the same days count towards `max_shares` (an older cover of several
    years, topped up by this one). Of retired people, those alone who retired in the days from `retired_from` up to before
    `retired_before` (None: whenever)."""

    opens: date
    closes: date
    late: tuple[LateRule, ...]
    individual: bool
    relations: tuple[str, ...]
    employments: tuple[str, ...]
    renewal_employments: tuple[str, ...]
    renewal_within_days: int
    union_member: bool
    card_holder: bool
    basic_insurance: bool
    insurance_types: tuple[str, ...]
    min_months_in_unit: int
    min_contract_months: int
    gender: str
    ages: tuple[AgeRule, ...]
    max_shares: int
    surplus_void: bool
    together_with: tuple[str, ...]
    retired_from: date | None
    retired_before: date | None
    unit: UnitRule | None

    @property
    def without_list(self) -> tuple[str, ...]:
        """Who joins without a unit's list. A list is of the unit's own workers; spouse and child join through the worker, who does it,
        also where the worker may join by the list alone."""
        return tuple(relation for relation in self.relations if self.individual or relation != "self")


class TermNotOffered(LookupError):
    """The plan offers several lengths of cover, and none of them was chosen; or another one than those."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The whole terms of one plan for one period. `terms`: the lengths of cover in months that are offered; none: everyone is
    covered until the period's last day. `from_joining`: they count from the first day of a person's cover, not of the period.
    `follows_on_within`: whoever renews at most so many days after their last cover ended is covered from the day it ended on (None:
    from the day after joining, like everybody). `pay_within_days`: days after the day of joining within which the contribution
    arrives, the last one counts. `ended_by`: the changes in the period that end cover (transfer, retirement)."""

    code: str
    version: str
    name: Words
    category: str
    organiser_kind: str
    organiser_name: str
    office: str
    source_title: str
    source_note: str
    period: Period
    terms: tuple[int, ...]
    from_joining: bool
    follows_on_within: int | None
    ended_by: frozenset[str]
    enrolling: Enrolling
    fees: tuple[FeeClass, ...]
    pay_within_days: int
    waiting: Waiting
    asks: tuple[Ask, ...]
    items: tuple[Item, ...]
    exclusive: tuple[tuple[str, ...], ...]
    exclusions: tuple[Exclusion, ...]
    indemnity: bool
    claim_window: ClaimWindow | None
    deciding: Deciding
    opens_after: tuple[OpensAfter, ...]
    day_count: str
    documents: tuple[Document, ...]
    examples: tuple[Mapping[str, Any], ...]
    summary: Words

    def term(self, chosen: int | None = None) -> int | None:
        """The months of cover: what was chosen, or the only length offered; None when cover simply ends with the period.
        TermNotOffered when the choice is open, or is none that the plan offers."""
        if chosen is None and len(self.terms) < 2:
            return self.terms[0] if self.terms else None
        if chosen not in self.terms:
            raise TermNotOffered(self.code)
        return chosen

    def cover(self, *, on: date, term_months: int | None = None) -> Period | None:
        """The days of cover that joining on this day gives: from 0:00 of the day after, or from the period's first day. Relief and
        condolence look back: whenever somebody applies, they answer for the whole period."""
        if self.is_grant:
            return self.period if on < self.period.end else None
        return self.cover_from(max(self.period.start, plus_days(on, 1)), term_months=term_months)

    def follows_on(self, start: date, previous_end: date | None) -> date:
        """The first day of cover for whoever would begin on `start` and whose last cover ended then (first day without it; None: never
        covered): the same, or set back to that end where the plan lets a renewal follow on, but not before the plan's own period."""
        if self.follows_on_within is None or previous_end is None:
            return start
        return max(previous_end, self.period.start) if 0 <= (start - previous_end).days <= self.follows_on_within else start

    def joined(self, on: date, *, term_months: int | None = None, previous_end: date | None = None) -> Period | None:
        """`cover` of whoever's last cover ended then (first day without it; None: never covered): a renewal may follow on from it."""
        ordinary = self.cover(on=on, term_months=term_months)
        return self.cover_from(self.follows_on(ordinary.start, previous_end), term_months=term_months) if ordinary else None

    def cover_from(self, start: date, *, term_months: int | None = None) -> Period | None:
        """The days of cover from this day on: for the chosen months (the first length offered when none is), or to the end of
        the period. None when no day is left."""
        months = term_months or next(iter(self.terms), None)
        first = start if self.from_joining else self.period.start
        end = plus_months(first, months) if months else self.period.end
        return Period(start, end) if start < end else None

    def pay_by(self, joined_on: date) -> date:
        """The last day to pay for whoever joins on this day, or whose roster is enrolled on it; that day counts."""
        return plus_days(joined_on, self.pay_within_days)

    @property
    def is_grant(self) -> bool:
        """Is this relief (救助金) or condolence (慰问金) that nobody joins? It is when nothing is paid in and no item is paid out of the
        mutual-aid fund: whoever meets its conditions applies for it, with no cover of before."""
        return all(item.fund != "mutual_aid" for item in self.items) and all(fee.per_share == 0 for fee in self.fees)

    def item(self, code: str) -> Item:
        return next(item for item in self.items if item.code == code)

    def asks_for(self, event: str) -> tuple[Ask, ...]:
        """The figures to declare when this is applied for: those that the items which answer to it begin with."""
        steps = [step for item in self.items if event in item.events for step in item.steps]
        named = {step.data["figure"] for step in steps if step.name == "declared"}
        return tuple(ask for ask in self.asks if ask.code in named)

    def opened_by_rule(self, event: str, left: Decimal | None) -> bool:
        """Does this relief follow by rule from a benefit for this event, with so much own cost left (yuan)?"""
        return any(rule.holds(event, left) for rule in self.opens_after)

    def cost_to_tell(self, event: str) -> Decimal | None:
        """From how much own cost left (yuan) this relief is opened after a benefit for this event, where it hangs on that; the least of
        several. None where no cost is asked for."""
        return min((rule.own_cost_left for rule in self.opens_after if rule.asks_cost(event) and rule.own_cost_left), default=None)

    def fund_of(self, event: str) -> str:
        """Out of which fund (互助金, 救助金, 慰问金) this event is paid: all items that answer to it share one."""
        return next(item.fund for item in self.items if event in item.events)

    def documents_for(self, event: str, *, benefit: Decimal | None = None) -> tuple[Document, ...]:
        """The papers asked for when this happened; some are asked for only from a `benefit` (yuan) upwards."""
        return tuple(
            paper
            for paper in self.documents
            if (not paper.events or event in paper.events)
            and (paper.from_amount is None or benefit is None or benefit >= paper.from_amount)
        )

    def joining_open(self, on: date, *, hired_on: date | None = None) -> bool | None:
        """Is joining open on this day? None: that depends on a day of hiring which is not known."""
        rules = self.enrolling
        if rules.opens <= on <= rules.closes:
            return True
        if on < rules.opens or on >= self.period.end:
            return False
        open_question = False
        for late in rules.late:
            if (late.new_hires or late.after_hiring) and hired_on is None:
                open_question = True
            elif not late.new_hires or (hired_on and hired_on >= self.period.start):
                last = late.last_day(self.period, hired_on)
                if last is not None and on <= last:
                    return True
        return None if open_question else False

    @property
    def waivers(self) -> tuple[int, ...]:
        """Within how many days after the last cover ended some waiting is waived, each number once, the least first."""
        days = {w.waived_within_days for w in (self.waiting, *self._waitings) if w.waived_within_days is not None}
        return tuple(sorted(days))

    def waiting_ends(self, start: date, days_since_cover: int | None = None) -> date:
        """The first day on which every item pays, for cover that began on `start`, so many days after the person's last cover ended
        (None: their first). Each item's waiting has a waiver of its own."""
        return max((waiting.ends(start) for waiting in self._waitings if not waiting.waived(days_since_cover)), default=start)

    @property
    def ages(self) -> tuple[AgeRule, ...]:
        """Every age at the start of cover that somebody's answer may hang on: those of joining, and those of single items."""
        of_items = (rule for item in self.items for gate in item.gates for rule in gate.data.get("ages", ()))
        return (*self.enrolling.ages, *of_items)

    @property
    def _waitings(self) -> list[Waiting]:
        return [item.waiting for item in self.items if item.waiting is not None]

    @property
    def events(self) -> tuple[str, ...]:
        """Every event some item answers to, in the order of the items."""
        return tuple(dict.fromkeys(event for item in self.items for event in item.events))


def content_hash(data: Mapping[str, Any]) -> str:
    """SHA-256 of the terms in one canonical form: what a stored decision refers to."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
