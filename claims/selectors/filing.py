"""Who fills in a claim on somebody's behalf (代办): in which capacity, what paper they owe, what they may see."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from claims.models import Claim
from members.models import Enrolment, Member
from members.selectors.people import people_by_id
from members.transitions import LIVE
from programs.rules.eligibility import ADULT
from programs.rules.papers import AUTHORISATION, OF_HEIRS
from programs.rules.schedule import Document
from programs.selectors import schedule_of
from unionaid.accounts.models import User
from unionaid.lib.calendar import age_on, today
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere

LEFT_HALF_DONE = ("draft", "supplement_requested", "returned_payment")
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Filing:
    """Somebody fills claims in for the claimant. `kin`: the relative as a person, and what they are to the claimant. `heir`: what the
    claimant is to the person covered, who died. `unit`: that of the agent who files, for what rests on no cover through a unit."""

    by: Actor
    capacity: str
    kin_id: int | None = None
    relation: str = ""
    heir: str = ""
    unit_id: int | None = None

    def columns(self) -> dict[str, Any]:
        """As a claim keeps it."""
        by, capacity = self.by.user_id, self.capacity
        return {"filed_by_id": by, "filed_as": capacity, "kin_id": self.kin_id, "relation": self.relation, "heir": self.heir}


@dataclass(frozen=True, slots=True)
class Relative:
    """A worker through whom this person joined, and what this person is to them."""

    worker: Member
    relation: str


def papers_of_filing(claim: Claim) -> tuple[Document, ...]:
    """What is wanted beside the plan's papers: the claimant's word where somebody else fills it in, unless they said here what they
    think of it."""
    word = (AUTHORISATION,) if claim.filed_as and claim.agreed_at is None and claim.objected_at is None else ()
    named = {paper.code for paper in schedule_of(claim.terms).documents_for(claim.event)} if claim.heir else set()
    return (*(paper for paper in OF_HEIRS if claim.heir and paper.code not in named), *word)


def fills(claim: Claim, by: Actor) -> bool:
    """May this person fill the claim in, send it in and see all of it? The claimant may; whoever began it for them as well, as long as
    the claimant has not objected and they still are an agent of that unit, or take claims in at the desk of its office."""
    if by.member_id is not None and by.member_id == claim.claimant_id:
        return True
    if claim.filed_by_id is None or claim.objected_at is not None:
        return False
    if claim.filed_as == Claim.FiledAs.UNIT_AGENT:
        return claim.filed_by_id == by.user_id and claim.unit_id in by.unit_ids
    if claim.filed_as == Claim.FiledAs.DESK:
        return claim.filed_by_id == by.user_id and may(by, "claims.take_in", claim.office_id)
    return by.member_id is not None and by.member_id == claim.kin_id


def filer_words(claim: Claim) -> str:
    """周经办（单位经办人）; empty where the claimant filled it in. One statement."""
    if claim.filed_by_id is None:
        return ""
    name = User.objects.values_list("display_name", flat=True).get(pk=claim.filed_by_id)
    capacity = Enrolment.Relation(claim.relation).label if claim.relation else claim.get_filed_as_display()
    return _("{name}（{capacity}）").format(name=name, capacity=capacity)


def filed_at_unit(by: Actor) -> list[Claim]:
    """The claims that this agent began for people of their units, newest first; those that were thrown away are left out."""
    return _begun_by(by, Claim.objects.filter(filed_as=Claim.FiledAs.UNIT_AGENT, unit_id__in=by.unit_ids))


def taken_in(by: Actor) -> list[Claim]:
    """The same of those that this person took in at the desk."""
    return _begun_by(by, Claim.objects.filter(filed_as=Claim.FiledAs.DESK, office_id__in=takes_in_at(by)))


def half_taken(by: Actor) -> list[Claim]:
    """What colleagues took in at the same desk and left half done: not sent in, asked back for more papers, or waiting for another account.
    Newest first, of one event one draft; nothing of one's own family. Two statements."""
    rows = Claim.objects.filter(filed_as=Claim.FiledAs.DESK, office_id__in=takes_in_at(by), state__in=LEFT_HALF_DONE, objected_at=None)
    rows = rows.exclude(filed_by_id=by.user_id).order_by("-id")
    keys = list(rows.values_list("pk", flat=True)[:SHOWN])
    with everywhere(reason="the people for whom a colleague files"):
        found = list(Claim.objects.filter(pk__in=keys).select_related("member", "claimant", "program", "filed_by").order_by("id"))
    theirs = [one for one in found if by.user_id not in (one.member.user_id, one.claimant.user_id)]
    once = {(one.state, one.occasion if one.state == "draft" else one.pk): one for one in theirs}
    return sorted(once.values(), key=lambda one: -one.pk)


def takes_in_at(by: Actor) -> frozenset[int]:
    """The offices for which this person takes claims in."""
    return frozenset(pk for pk in by.office_ids if may(by, "claims.take_in", pk))


def _begun_by(by: Actor, claims: QuerySet[Claim]) -> list[Claim]:
    rows = claims.filter(filed_by_id=by.user_id, objected_at=None)
    keys = list(rows.exclude(state="withdrawn", submitted_at=None).order_by("-id").values_list("pk", flat=True)[:SHOWN])
    with everywhere(reason="the people for whom an agent files"):
        return list(Claim.objects.filter(pk__in=keys).select_related("member", "claimant", "program").order_by("-id"))


def relatives_of(member_id: int) -> list[Relative]:
    """The workers through whom this grown-up joined: for these they may file. Two statements; one for whoever joined through nobody."""
    through = Enrolment.objects.filter(member_id=member_id, state__in=LIVE).exclude(holder_id=member_id)
    found = dict(through.values_list("holder_id", "relation")[:20])
    if not found:
        return []
    people = people_by_id([*found, member_id])
    if age_on(people[member_id].birth_date, today()) < ADULT:
        return []
    return [Relative(people[key], relation) for key, relation in found.items()]


def covers_of(
    holder_id: int, *, unit_ids: frozenset[int] | None = None, office_ids: frozenset[int] | None = None
) -> list[Enrolment]:
    """The live covers that this worker holds, newest first, each with its person; `unit_ids`, `office_ids`: those through these units, or
    of these offices, alone. The caller has found out that whoever asks may file for the worker."""
    with everywhere(reason="the covers of whom one files for"):
        rows = Enrolment.objects.filter(holder_id=holder_id, state__in=LIVE).select_related("program", "terms", "office", "member")
        if unit_ids is not None:
            rows = rows.filter(unit_id__in=unit_ids)
        if office_ids is not None:
            rows = rows.filter(office_id__in=office_ids)
        return list(rows.order_by("-cover", "-id")[:100])


def sees(claim: Claim, by: Actor) -> bool:
    """May this person see the claim on the worker's or the unit's side of the counter: whom it is for, or whoever fills it in."""
    return by.member_id is not None and by.member_id in (claim.member_id, claim.claimant_id) or fills(claim, by)
