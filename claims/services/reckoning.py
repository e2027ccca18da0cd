"""What the rules give for claims, many at once: read in a constant number of statements, computed claim after claim, kept in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from claims.facts import (
    NOTHING,
    Beside,
    Past,
    beside_of,
    nets_aid,
    past_of,
    replaced_already,
    situation,
    stays_of,
    used_under,
)
from claims.models import BenefitStatement, Claim
from claims.services import ceilings
from programs.rules.assess import Assessment, assess
from programs.rules.casefile import Situation
from programs.rules.facts import PriorUse, as_data
from programs.selectors import schedule_of
from unionaid.lib.money import fen_from_yuan
from unionaid.offices.roles import Actor
from unionaid.offices.scope import current_scope, looking_everywhere
from unionaid.web.rows import Rows, insert_all
from unionaid.workflow.moves import MoveRefused, Turn, locking, take_up

# All that a step of a claim asks of it, of its people, its cover and its terms. A claim has seventy columns.
_ASKED = (
    "number", "office", "member", "claimant", "unit", "enrolment", "program", "terms", "event", "event_kind", "event_on", "diagnosis_code",
    "diagnosis_class", "disability_grade", "accident_on", "death_on", "other_aid_fen", "circumstances", "declared", "card", "state",
    "version", "since", "approved_fen", "corrects", "claimed_on", "stopped_at", "stood_days", "step_days", "submitted_at", "submitted_by",
    "unit_reviewed_by", "reviewed_by", "approved_by", "earlier_reviewed_by", "earlier_decided_by",
    "occasion", "fund", "filed_by", "filed_before_by", "filed_as", "heir", "agreed_at", "objected_at",
    "member__user", "member__birth_date", "member__gender", "member__employment", "member__union_member", "member__basic_insurance",
    "member__insurance_type", "member__joined_unit_on", "member__card_holder", "member__risk", "member__staff_group",
    "member__contract_months", "member__retired_on", "claimant__user", "enrolment__relation", "enrolment__cover", "enrolment__shares",
    "enrolment__days_since_cover", "enrolment__state", "terms__content_hash",
)  # fmt: skip


class DecisionRefused(MoveRefused):
    """The decision cannot be taken; the message says why. `field` is the fact at fault, if one is."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def with_people() -> QuerySet[Claim]:
    """The claims in scope with what a step asks of them."""
    return Claim.objects.select_related("member", "claimant", "enrolment", "terms").only(*_ASKED)


WITH_PEOPLE = locking(with_people)


def taken_up(claims: Sequence[Claim], action: str, *, by: Actor) -> Turn[Claim]:
    """`take_up` of claims in the scope, with their people and covers, whichever office has those now. One statement."""
    scope = current_scope()
    with looking_everywhere(reason="the people and the cover of a claim"):
        return take_up(claims, action, by=by, reading=WITH_PEOPLE, scope=scope)


def taken_up_and_read(claims: Sequence[Claim], action: str, *, by: Actor) -> tuple[Turn[Claim], "Read"]:
    """The same, and of those that can go what the rules are told (`read`), in one look."""
    scope = current_scope()
    with looking_everywhere(reason="the people and the cover of a claim, and what they had before"):
        turn = take_up(claims, action, by=by, reading=WITH_PEOPLE, scope=scope)
        return turn, read(turn.going)


@dataclass(frozen=True)
class Reckoned:
    """What the rules give for one claim, and what they were told; `before`: the statement that a correction takes the place of."""

    claim: Claim
    told: Situation
    found: Assessment
    before: BenefitStatement | None = None

    @cached_property
    def gave(self) -> dict[str, Any]:
        """The assessment as it is kept."""
        return self.found.as_data()


def reckon(
    claim: Claim, stays: Sequence[Any], prior: PriorUse, before: BenefitStatement | None = None, *, beside: Beside = NOTHING
) -> Reckoned:
    """Run the rules on one claim. ValueError when it tells no day."""
    told = situation(claim, prior=prior, stays=stays, paid_beside=beside.paid)
    found = assess(schedule_of(claim.terms), person=told.person, cover=told.cover, case=told.case, prior=told.prior)
    return Reckoned(claim, told, found, before)


@dataclass(frozen=True, slots=True)
class Read:
    """What is told of some claims and was granted to their people, nothing of it locked: for looking ahead."""

    stays: Mapping[int, Sequence[Any]]
    used: Mapping[int, Mapping[str, Any]]
    past: Past
    beside: Mapping[int, Beside]

    def prior(self, claim: Claim) -> PriorUse:
        """What the person had before, as it stands now."""
        return self.past.before(claim, self.used[claim.pk])


def read(claims: Sequence[Claim]) -> Read:
    """Stays, limits, what went before and what stands beside, of all these claims. Two statements, `past_of` and `beside_of`."""
    with looking_everywhere(reason="what these people had before under these covers"):
        return Read(stays_of(claims), used_under(claims), past_of(claims), beside_of(claims))


def preview(claims: Sequence[Claim], known: Read | None = None) -> None:
    """Keep with each claim what the rules give now; nothing is reserved. `known`, when it was read already."""
    if claims:
        insert_all(ahead(claims, known or read(claims)))


def ahead(claims: Sequence[Claim], known: Read) -> Rows:
    """What the rules give now, as it is kept with each claim."""
    return statements([_ahead(claim, known) for claim in claims], final=False)


def _ahead(claim: Claim, known: Read) -> Reckoned:
    return reckon(claim, known.stays.get(claim.pk, ()), known.prior(claim), beside=known.beside.get(claim.pk, NOTHING))


@dataclass(slots=True)
class Decisions:
    """Claims being decided together: their limits and what they correct are locked. Each is reckoned after those before it."""

    stays: Mapping[int, Sequence[Any]]
    past: Past
    usage: ceilings.Usage
    gone: set[int]
    beside: Mapping[int, Beside]
    held: list[Reckoned] = field(default_factory=list)

    def reckon(self, claim: Claim) -> Reckoned:
        """What the rules give. DecisionRefused when another correction took the place of what this one corrects already: the
        difference would be paid twice."""
        before = self.past.replaced(claim)
        if before and before.pk in self.gone:
            raise DecisionRefused(_("原来的决定已经由另一份申领重新核定，请在那一份上办理。"))
        beside = self.beside.get(claim.pk, NOTHING)
        if beside.undecided and nets_aid(claim):
            words = _("同一件事的互助金（申领 {number}）还没有核定。救助要扣减已给付的互助金，请等它有结果再办理。")
            raise DecisionRefused(words.format(number=beside.undecided))
        prior = self.past.before(claim, self.usage.under(claim))
        return reckon(claim, self.stays.get(claim.pk, ()), prior, before, beside=beside)

    def hold(self, one: Reckoned) -> None:
        """This decision holds: it takes its part of the limits, and those after it begin where it ended."""
        self.usage.take(one.claim, one.found, instead_of=one.before)
        self.past.add(one.claim, len(one.told.case.stays), one.gave)
        self.held.append(one)

    def write(self, *beside: Rows) -> None:
        """Write down what the held decisions take; and their statements, and what else is to be kept `beside` them. Two statements."""
        self.usage.write()
        insert_all(statements(self.held, final=True), *beside)


def decisions(claims: Sequence[Claim]) -> Decisions:
    """Lock what these claims correct and their limits, in one order, and read what they are decided by. The claims are locked."""
    with looking_everywhere(reason="what these people had before under these covers"):
        stays, past = stays_of(claims), past_of(claims, lock=True)
        gone, beside = replaced_already(past.final.values()), beside_of(claims)
        return Decisions(stays, past, ceilings.lock(claims), gone, beside)


def statements(ones: Sequence[Reckoned], *, final: bool) -> Rows:
    """Each benefit statement as it is kept: with all that went in, so that it can be computed again."""
    return (
        BenefitStatement,
        [
            {
                "claim_id": one.claim.pk,
                "terms_id": one.claim.terms_id,
                "content_hash": one.claim.terms.content_hash,
                "facts": as_data(one.told),
                "assessment": one.gave,
                "total_fen": fen_from_yuan(one.found.total),
                "is_final": final,
                "instead_of_id": one.before.pk if final and one.before else None,
            }
            for one in ones
        ],
    )
