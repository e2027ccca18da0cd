"""Two of every role at the desk, and plans that say how their claims are decided."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from claims.models import Claim
from claims.services import adjudication
from members.models import Enrolment
from programs.models import Terms
from tests.factories.offices import give_post, make_user
from tests.factories.world import ASKED, World, load
from unionaid.offices.roles import Actor, Role

YULIN, CRITICAL = "shaanxi-yulin-medical.2026", "national-critical-illness.2026"


@dataclass
class Desk:
    """The world of a test with a second reviewer and a second approver, on the day claims are asked for."""

    world: World
    reviewer: Actor
    approver: Actor
    manager: Actor
    other_reviewer: Actor
    other_approver: Actor

    def plan(self, name: str = YULIN, **deciding: Any) -> Terms:
        return load(name, deciding=deciding) if deciding else load(name)

    def plan_with(self, **changes: Any) -> Terms:
        return load(YULIN, **changes)

    def cover(self, terms: Terms | None = None, order: int = 301) -> Enrolment:
        return self.world.cover(self.world.member(order), terms)

    def diagnosis(self, cover: Enrolment, kind: str, code: str = "I21.0") -> Claim:
        facts = {"event_on": date(2026, 5, 20), "diagnosis": "急性心肌梗死", "hospital": "榆林市第一医院"}
        return self.world.claim(cover, 0, event="diagnosis", facts=facts | {"diagnosis_class": kind, "diagnosis_code": code})

    def decide(self, claim: Claim) -> Claim:
        adjudication.review(claim, by=self.reviewer, on=ASKED)
        return adjudication.approve(claim, by=self.approver, on=ASKED)

    def decide_otherwise(self, claim: Claim) -> Claim:
        """By two people who had no part in it before."""
        adjudication.review(claim, by=self.other_reviewer, on=ASKED)
        return adjudication.approve(claim, by=self.other_approver, on=ASKED)

    def reject(self, claim: Claim) -> Claim:
        return adjudication.reject(claim, by=self.reviewer, on=ASKED, reason_code="papers", clause="第九条", note="缺少出院记录")


def make_desk(world: World) -> Desk:
    """The world with a second reviewer and a second approver, in the open scope of the caller."""
    others = {}
    for role in (Role.REVIEWER, Role.APPROVER):
        user = make_user(f"s-{role}-2", "另一位")
        give_post(user, world.cast.a, role)
        others[role] = world.cast.actor(user)
    cast = world.cast
    return Desk(
        world, cast.actor(cast.reviewer), cast.actor(cast.approver), cast.actor(cast.manager), others[Role.REVIEWER], others[Role.APPROVER]
    )
