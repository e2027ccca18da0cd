"""What a rule may look at: frozen facts of a person, a unit, a cover and a case. Unknown is None, never a guess."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from unionaid.lib.calendar import Period

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """The person who joins. `employment`: enterprise, institution, institution_subsidised, retired, none.
    `insurance_type`: employee or resident. `risk`: the class of the work; `group`: heads that a plan charges less or nothing, or
    takes at another age (ORDINARY: none of them). `contract_months`: length of the labour contract (OPEN_ENDED: without end).
    `retired_on`: the first day of retirement. `shares_held`: shares under other plans on the same days, as far as this plan counts
    them with its own."""

    birth_date: date
    gender: str
    employment: str | None = None
    union_member: bool | None = None
    basic_insurance: bool | None = None
    relation: str = "self"
    joined_unit_on: date | None = None
    renewal: bool = False
    card_holder: bool | None = None
    holder_employment: str | None = None
    insurance_type: str | None = None
    risk: str | None = None
    unit_nature: str | None = None
    group: str | None = None
    contract_months: int | None = None
    retired_on: date | None = None
    shares_held: int = 0


ORDINARY = "ordinary"  # told to belong to none of the groups that plans name
OPEN_ENDED = 1200  # months; as many as any plan may ask for


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """The unit that enrols: all its eligible staff (or women, as the plan counts), how many of them join, those who joined before
    with them, the numbers of shares that they have, whether an agent acts for it, and whether the office lets it join with fewer
    (`excepted`). None: nobody has told or looked."""

    eligible_staff: int | None
    enrolling: int | None
    shares: frozenset[int] | None = frozenset({1})
    agent_bound: bool | None = None
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class CoverFacts:
    """One enrolment: half-open days of cover, shares, and how many days before it the person's last cover in the plan had ended
    (0: the day before it began; None: their first cover), which each item's waiver is held against."""

    period: Period
    shares: int = 1
    days_since_cover: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The national settlement fields (医保结算清单), yuan. Bases of calculation are derived from them, never typed."""

    medfee_sumamt: Decimal = ZERO
    fulamt_ownpay_amt: Decimal = ZERO
    overlmt_selfpay: Decimal = ZERO
    preselfpay_amt: Decimal = ZERO
    inscp_scp_amt: Decimal = ZERO
    act_pay_dedc: Decimal = ZERO
    hifp_pay: Decimal = ZERO
    cvlserv_pay: Decimal = ZERO
    hifob_pay: Decimal = ZERO
    hifmi_pay: Decimal = ZERO
    hifes_pay: Decimal = ZERO
    maf_pay: Decimal = ZERO
    oth_pay: Decimal = ZERO
    fund_pay_sumamt: Decimal = ZERO
    acct_pay: Decimal = ZERO
    acct_mulaid_pay: Decimal = ZERO
    psn_cash_pay: Decimal = ZERO
    psn_part_amt: Decimal = ZERO
    hosp_part_amt: Decimal = ZERO

    @property
    def insured_total(self) -> Decimal:
        """The whole bill that went through basic insurance."""
        return self.medfee_sumamt

    @property
    def in_scope_total(self) -> Decimal:
        """符合政策范围金额"""
        return self.inscp_scp_amt

    @property
    def personal_cost(self) -> Decimal:
        """个人负担: in scope or not."""
        return self.psn_part_amt

    @property
    def self_pay(self) -> Decimal:
        """自付: the person's part without what is outside the catalogue (自费) or over the price limit."""
        return max(ZERO, self.psn_part_amt - self.fulamt_ownpay_amt - self.overlmt_selfpay)

    @property
    def self_pay_without_prepaid(self) -> Decimal:
        """自付 without the share paid first (先行自付)."""
        return max(ZERO, self.self_pay - self.preselfpay_amt)

    @property
    def self_pay_without_deductible(self) -> Decimal:
        """自付 without the deductible of basic insurance (起付线)."""
        return max(ZERO, self.self_pay - self.act_pay_dedc)

    @property
    def cash_paid(self) -> Decimal:
        """个人现金支付: without what the personal account paid."""
        return self.psn_cash_pay

    @property
    def above_cap_cost(self) -> Decimal:
        """超封顶线: in-scope cost; the plan names the cap of basic insurance that is taken off it (`take`)."""
        return self.inscp_scp_amt

    def faults(self) -> list[str]:
        """Sums that do not add up, each as the name of the check (手工填写时最常见的错误)."""
        found = []
        if self.fund_pay_sumamt + self.psn_part_amt + self.hosp_part_amt != self.medfee_sumamt:
            found.append("total")
        if self.acct_pay + self.psn_cash_pay + self.acct_mulaid_pay != self.psn_part_amt:
            found.append("personal")
        if self.fulamt_ownpay_amt + self.overlmt_selfpay > self.psn_part_amt:
            found.append("own_expense")
        if sum((getattr(self, name) for name in FUND_PARTS), ZERO) > self.fund_pay_sumamt:
            found.append("funds")
        return found


# What the total of the funds is made of; a sheet need not name them all.
FUND_PARTS = ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay")


@dataclass(frozen=True, slots=True)
class Stay:
    """One admission to hospital, or one outpatient settlement. `untold`: the figures of the settlement that nobody has told; `self_pay`
    is one of them unless it was told as such."""

    admitted_on: date
    discharged_on: date
    settlement: Settlement = Settlement()
    hospital_grade: int | None = None
    days: int | None = None
    untold: frozenset[str] = frozenset()


STAY_EVENTS = ("admission", "outpatient")  # events that are their stays: each has a day, a hospital and a deadline of its own
AFTER_ACCIDENT = (*STAY_EVENTS, "surgery")  # events of which it is asked whether an accident led to them
ACCIDENTS = ("accident_disability", "accident_death")
HARDSHIP = "hardship"  # the event of an application for help (困难申请): no illness, no bill, only what is declared


def event_day(
    event: str,
    *,
    told_on: date | None = None,
    accident_on: date | None = None,
    death_on: date | None = None,
    first_stay: date | None = None,
) -> date | None:
    """事发日: the one day that cover, waiting, deadline and the version of the terms are held against. An accident's own day for an
    accident; the death for a death by disease; the (first) admission or visit for stays; else the day told (`told_on`: the pathology
    confirmation for cancer, the operation for surgery), or the admission. What an earlier accident led to counts on the accident's day; one
    that came after led to nothing. None when nothing is told.

    >>> day = date.fromisoformat
    >>> str(event_day("accident_death", told_on=day("2027-03-05"), accident_on=day("2026-12-01"), death_on=day("2027-03-05")))
    '2026-12-01'
    >>> str(event_day("surgery", told_on=day("2027-01-05"), accident_on=day("2027-01-09")))
    '2027-01-05'
    """
    if event in ACCIDENTS:
        return accident_on or told_on or first_stay
    if event == "disease_death":
        return death_on or told_on or first_stay
    own = first_stay or told_on if event in STAY_EVENTS else told_on or first_stay
    if event == HARDSHIP or accident_on is None or (own is not None and own < accident_on):
        return own
    return accident_on


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One event that benefit is asked for. `event_on` is the day the plan counts from (`event_day`). `other_aid` (yuan) is what
    other funds and donors gave for it; None when nobody has asked. `circumstances`: what review found, by code. `declared`: the figures
    that the plan asks for (`asks`), by code, in yuan or in numbers; one that is not there was not told. `by_unit`: the unit's agent
    applies for the person."""

    event: str
    event_on: date
    stays: tuple[Stay, ...] = ()
    diagnosis_code: str = ""
    diagnosis_class: str = ""
    disability_grade: int | None = None
    accident_on: date | None = None
    death_on: date | None = None
    claimed_on: date | None = None
    event_kind: str = "default"
    other_aid: Decimal | None = None
    circumstances: frozenset[str] = frozenset()
    declared: Mapping[str, Decimal] = field(default_factory=dict)
    by_unit: bool = False

    @property
    def by_accident(self) -> bool:
        """Did an accident cause it? A death of disease is none, whatever else is told, and an accident that came after caused nothing."""
        if self.event in ("disease_death", HARDSHIP):
            return False
        return self.event in ACCIDENTS or (self.accident_on is not None and self.accident_on <= self.event_on)

    @property
    def disease(self) -> str:
        """The name of the disease under the limits (`Disease.key`)."""
        return self.told_disease.key

    @property
    def told_disease(self) -> "Disease":
        return Disease.of(self.diagnosis_code, self.diagnosis_class)


@dataclass(frozen=True, slots=True, order=True)
class Disease:
    """A disease as a claim tells it: by the ICD-10 category of its code (three characters), by the plan's own class, or by both."""

    category: str = ""
    own_class: str = ""

    @classmethod
    def of(cls, code: str, own_class: str) -> "Disease":
        return cls(code[:3].upper(), own_class)

    @property
    def key(self) -> str:
        """The category, or the plan's class when there is no code.

        >>> Disease.of("c50.911", "class_1").key, Disease.of("", "class_1").key
        ('C50', 'class_1')
        """
        return self.category or self.own_class

    def is_same(self, other: "Disease") -> bool:
        """Codes decide where both have one; a disease told by its class alone is the one that another claim tells by that class.

        >>> told, coded = Disease.of("", "cancer"), Disease.of("C50.9", "cancer")
        >>> told.is_same(coded), coded.is_same(told), coded.is_same(Disease.of("C34.1", "cancer"))
        (True, True, False)
        """
        if self.category and other.category:
            return self.category == other.category
        return bool(self.own_class) and self.own_class == other.own_class


@dataclass(frozen=True, slots=True)
class PriorUse:
    """What happened before. `used`: per limit key in the same period of cover (lifetime keys: ever); `paid_items`: paid
    per item for the same disease; `admissions` in the period; `diseases` this person was paid for under this program."""

    used: Mapping[str, Decimal] = field(default_factory=dict)
    paid_items: Mapping[str, Decimal] = field(default_factory=dict)
    admissions: int = 0
    diseases: frozenset[Disease] = frozenset()


SETTLEMENT_FIELDS = tuple(f.name for f in fields(Settlement))


# --- as data: what is kept beside a decision, so that it can be computed again ---------------------------------------


def as_data(facts: Any) -> Any:
    """Facts as JSON: decimals and days as texts, what is unknown or ordinary left out."""
    if plain := _ordinary(type(facts)):  # type: ignore[arg-type]  # every class is hashable
        told = ((name, getattr(facts, name), ordinary) for name, ordinary in plain)
        return {name: as_data(value) for name, value, ordinary in told if value != ordinary and value not in ((), {}, frozenset())}
    if isinstance(facts, str | int | None):
        return facts
    if isinstance(facts, tuple | frozenset):
        return [as_data(value) for value in (sorted(facts) if isinstance(facts, frozenset) else facts)]
    return {key: as_data(value) for key, value in sorted(facts.items())} if isinstance(facts, Mapping) else str(facts)


@cache
def _ordinary(kind: type) -> tuple[tuple[str, Any], ...]:
    """The fields of a kind of facts and what they ordinarily are; nothing for what is no facts."""
    return tuple((f.name, None if f.default is MISSING else f.default) for f in fields(kind)) if is_dataclass(kind) else ()


def person_of(data: Mapping[str, Any]) -> PersonFacts:
    """The person back from `as_data`."""
    return PersonFacts(**_days(data, "birth_date", "joined_unit_on", "retired_on"))


def cover_of(data: Mapping[str, Any]) -> CoverFacts:
    """The cover back from `as_data`."""
    period = _days(data["period"], "start", "end")
    return CoverFacts(**{**data, "period": Period(**period)})


def case_of(data: Mapping[str, Any]) -> CaseFacts:
    """The case back from `as_data`."""
    told = _days(data, "event_on", "accident_on", "death_on", "claimed_on")
    told["stays"] = tuple(_stay(one) for one in data.get("stays", ()))
    told["circumstances"] = frozenset(data.get("circumstances", ()))
    if "other_aid" in data:
        told["other_aid"] = Decimal(data["other_aid"])
    told["declared"] = _sums(data.get("declared", {}))
    return CaseFacts(**told)


def prior_of(data: Mapping[str, Any]) -> PriorUse:
    """What happened before, back from `as_data`."""
    return PriorUse(
        used=_sums(data.get("used", {})),
        paid_items=_sums(data.get("paid_items", {})),
        admissions=data.get("admissions", 0),
        diseases=frozenset(Disease(**one) for one in data.get("diseases", ())),
    )


def _stay(data: Mapping[str, Any]) -> Stay:
    told = _days(data, "admitted_on", "discharged_on")
    told["settlement"] = Settlement(**_sums(data.get("settlement", {})))
    told["untold"] = frozenset(data.get("untold", ()))
    return Stay(**told)


def _sums(data: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(amount) for key, amount in data.items()}


def _days(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: date.fromisoformat(value) if key in names else value for key, value in data.items()}
