"""What a rule may look at: frozen facts of a person, a unit, a cover and a case. Unknown is None, never a guess."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal

from unionaid.lib.calendar import Period

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """The person who joins. `employment`: enterprise, institution, institution_subsidised, retired, none."""

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


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """The unit that enrols: all its eligible staff, and how many of them it enrols."""

    eligible_staff: int
    enrolling: int
    shares: frozenset[int] = frozenset({1})


@dataclass(frozen=True, slots=True)
class CoverFacts:
    """One enrolment: half-open days of cover, shares, and whether waiting was waived by continuous renewal."""

    period: Period
    shares: int = 1
    waiting_waived: bool = False


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
    oth_pay: Decimal = ZERO
    fund_pay_sumamt: Decimal = ZERO
    acct_pay: Decimal = ZERO
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

    def faults(self) -> list[str]:
        """Sums that do not add up, each as the name of the check (手工填写时最常见的错误)."""
        found = []
        if self.fund_pay_sumamt + self.psn_part_amt + self.hosp_part_amt != self.medfee_sumamt:
            found.append("total")
        if self.acct_pay + self.psn_cash_pay != self.psn_part_amt:
            found.append("personal")
        if self.fulamt_ownpay_amt + self.overlmt_selfpay > self.psn_part_amt:
            found.append("own_expense")
        return found


BASES = ("insured_total", "in_scope_total", "personal_cost", "self_pay", "self_pay_without_prepaid")


@dataclass(frozen=True, slots=True)
class Stay:
    """One admission to hospital, or one outpatient settlement."""

    admitted_on: date
    discharged_on: date
    settlement: Settlement = Settlement()
    hospital_grade: int | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One event that benefit is asked for. `event_on` is the day the plan counts from: the pathology
    confirmation for cancer, the admission for other diseases, the accident for accidents."""

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
    amounts: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriorUse:
    """What happened before in the same period of cover: used per ceiling key, paid per item, admissions, diseases."""

    used: Mapping[str, Decimal] = field(default_factory=dict)
    paid_items: Mapping[str, Decimal] = field(default_factory=dict)
    admissions: int = 0
    diseases: frozenset[str] = frozenset()


SETTLEMENT_FIELDS = tuple(f.name for f in fields(Settlement))
