"""Typical bills for those who ask what a plan would give them: how a hospital bill commonly falls apart.

The shares are this product's own illustration, shown with the result and open to change by the reader; they are no terms of any
plan. Basic insurance: 10% of the bill lies outside the catalogue; of the rest the patient bears a deductible of 800 yuan
and 20% of what is above it; nothing from the personal account.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from programs.rules.assess import Assessment, assess
from programs.rules.bands import last_start
from programs.rules.facts import CaseFacts, CoverFacts, PersonFacts, Settlement, Stay
from programs.rules.schedule import Schedule
from unionaid.lib.calendar import plus_days
from unionaid.lib.money import round_half_up

OUTSIDE, DEDUCTIBLE, BORNE = Decimal("0.10"), Decimal(800), Decimal("0.20")
BEST_GRADE = 3


@dataclass(frozen=True, slots=True)
class Bill:
    """One hospital bill (yuan): the total, what the patient bears, how much of that lies outside the catalogue; days."""

    total: Decimal
    personal: Decimal
    outside: Decimal
    days: int

    @property
    def self_pay(self) -> Decimal:
        return self.personal - self.outside

    @property
    def insured(self) -> Decimal:
        """What basic insurance pays."""
        return self.total - self.personal


def typical_bill(total: Decimal, days: int) -> Bill:
    """How a bill of this size commonly falls apart (see above), each part rounded to the fen."""
    outside = round_half_up(total * OUTSIDE)
    in_scope = total - outside
    borne = min(in_scope, DEDUCTIBLE + round_half_up(max(Decimal(0), in_scope - DEDUCTIBLE) * BORNE))
    return Bill(total, outside + borne, outside, days)


TYPICAL = (typical_bill(Decimal(5000), 7), typical_bill(Decimal(20000), 12), typical_bill(Decimal(100000), 25))


def would_get(schedule: Schedule, bill: Bill, *, person: PersonFacts, shares: int = 1) -> Assessment | None:
    """What the plan would give for one stay with this bill, after any waiting period, with nothing claimed before, in a hospital
    of the highest grade. None when the plan pays nothing for stays in hospital."""
    if "admission" not in schedule.events:
        return None
    start = schedule.period.start
    cover = schedule.cover_from(start) or schedule.period
    event_on = min(max(schedule.waiting_ends(start), _after_bands(schedule, start)), cover.last_day)
    settlement = Settlement(
        medfee_sumamt=bill.total,
        fulamt_ownpay_amt=bill.outside,
        inscp_scp_amt=bill.total - bill.outside,
        act_pay_dedc=min(DEDUCTIBLE, bill.self_pay),
        hifp_pay=bill.insured,
        fund_pay_sumamt=bill.insured,
        psn_part_amt=bill.personal,
        psn_cash_pay=bill.personal,
    )
    stay = Stay(event_on, plus_days(event_on, bill.days), settlement, BEST_GRADE, bill.days)
    case = CaseFacts(event="admission", event_on=event_on, stays=(stay,), other_aid=Decimal(0))
    return assess(schedule, person=person, cover=CoverFacts(cover, shares), case=case)


def _after_bands(schedule: Schedule, start: date) -> date:
    """The first day on which every waiting band has reached its last step."""
    waits = [step.data for item in schedule.items for step in item.steps if step.name == "wait"]
    return max((last_start(data, start) for data in waits), default=start)
