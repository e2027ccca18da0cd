"""A small world with plans, a unit, covered members: arranged through the same services as the pages."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from claims.models import Claim
from claims.services import intake
from members.models import BankCard, ContributionDue, Enrolment, Member, WorkUnit
from members.services import contributions, enrolment, people, units
from programs.models import Terms
from programs.rules.planfile import PlanFile, read_plan
from programs.selectors import schedule_of
from programs.services import check, load_plan, publish
from tests.factories.funds import fill
from tests.factories.offices import Cast, make_cast, make_user
from unionaid.accounts.models import User
from unionaid.lib.calendar import plus_days
from unionaid.lib.identity import credit_code_check, make_id_number, parse_id_number
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM, Actor
from unionaid.offices.scope import everywhere

CATALOGUE = Path(__file__).resolve().parents[2] / "programs" / "catalogue"
JOINED, ILL, ASKED = date(2026, 1, 5), date(2026, 5, 20), date(2026, 7, 1)


def load(name: str, **changes: Any) -> Terms:
    """Publish one plan file of the catalogue; with fields changed (None: left out), as a plan of its own."""
    file = read_plan((CATALOGUE / f"{name}.yaml").read_bytes(), source=name)
    if changes:
        file.data.update({"code": f"{file.code}-changed"} | changes)
        for name in [name for name, value in changes.items() if value is None]:
            file.data.pop(name, None)
    loaded = load_plan(file, by=SYSTEM)
    if loaded.terms.state == "draft":
        publish(check(loaded.terms, by=SYSTEM), by=SYSTEM)
    return loaded.terms


def terms_like(name: str, **top: Any) -> Terms:
    """Publish a plan like one of the catalogue's under a code of its own, with these parts instead and its first example."""
    data = read_plan((CATALOGUE / f"{name}.yaml").read_bytes(), source=name).data
    file = PlanFile({**data, "code": f"like-{name.partition('.')[0]}", "examples": data["examples"][:1], **top}, {}, name)
    with everywhere(reason="arrange a test"):
        return publish(check(load_plan(file, by=SYSTEM).terms, by=SYSTEM), by=SYSTEM)


def make_unit(office: Office, seventeen: str = "91610800MA70A1B2C", headcount: int = 50) -> tuple[WorkUnit, User]:
    """An approved unit and its agent."""
    agent = make_user(f"u-{seventeen[-4:]}", "周经办")
    unit = units.register_unit(
        name=f"测试单位{seventeen[-3:]}",
        credit_code=seventeen + credit_code_check(seventeen),
        nature="enterprise",
        headcount=headcount,
        women_count=headcount // 2,
        office=office,
        agent=agent,
        by=Actor(agent.pk, "周经办"),
        on=JOINED,
    )
    return unit, agent


@dataclass
class World:
    """The cast, one office's unit and agent, and the Yulin plan."""

    cast: Cast
    unit: WorkUnit
    agent: User
    yulin: Terms

    @property
    def agent_actor(self) -> Actor:
        return Actor(self.agent.pk, "周经办", unit_ids=frozenset({self.unit.pk}))

    def member(self, order: int, name: str = "王小明", born: date = date(1990, 3, 8)) -> Member:
        """A worker of the unit with a log-in of their own; a day has numbers for a thousand, who come after are born on the next."""
        number = parse_id_number(make_id_number("610802", plus_days(born, order // 1000), order % 1000))
        new = people.NewPerson(name, number, "13800138000", "enterprise", True, True, self.cast.a.pk, self.unit.pk)
        member = people.register_member(new)
        user = make_user(f"w{order}", name)
        Member.objects.filter(pk=member.pk).update(user=user)
        member.refresh_from_db()
        return member

    def worker(self, member: Member) -> Actor:
        return Actor(member.user_id, member.name, member_id=member.pk)

    def cover(self, member: Member, terms: Terms | None = None) -> Enrolment:
        """Joined on 5 January 2026, contribution confirmed."""
        made = enrolment.enrol(
            member=member, holder=member, relation="self", terms=terms or self.yulin, shares=1, unit=self.unit,
            on=JOINED, by=self.worker(member),
        )  # fmt: skip
        for due in ContributionDue.objects.filter(enrolment=made):
            contributions.confirm(
                due, payer_name=member.name, bank_reference=f"T{due.pk}", received_on=JOINED, amount_fen=due.amount_fen,
                remark=due.reference, by=self.cast.actor(self.cast.payer), on=JOINED,
            )  # fmt: skip
        made.refresh_from_db()
        return made

    def claim(self, cover: Enrolment, self_pay_fen: int, event: str = "admission", facts: dict[str, Any] | None = None) -> Claim:
        """A submitted claim with this self-pay (0: without a stay), and what else is told of it."""
        member = cover.member
        by = self.worker(member)
        made = intake.open_claim(enrolment=cover, claimant=member, event=event, by=by, on=ASKED)
        made.member = member  # known also where no scope is open
        figures = {
            "medfee_sumamt": 3 * self_pay_fen,
            "fund_pay_sumamt": 2 * self_pay_fen,
            "psn_part_amt": self_pay_fen,
            "psn_cash_pay": self_pay_fen,
        }
        if facts:
            intake.tell(made, facts, by=by, on=ASKED)
        if self_pay_fen:
            intake.set_stay(made, admitted_on=ILL, discharged_on=date(2026, 5, 28), fen=figures, by=by, on=ASKED)
        for i, paper in enumerate(schedule_of(made.terms).documents_for(event)):
            upload = CleanUpload("image/jpeg", b"jpeg", "photo.jpg", f"{made.pk:060d}{i:04d}")
            intake.add_document(made, kind=paper.code, upload=upload, by=by)
        intake.choose_card(made, member.cards.first() or self.card(member), by=by)
        return intake.submit(made, by=by, on=ASKED)

    def card(self, member: Member, number: str = "6228480402564890018") -> BankCard:
        return people.add_card(member, owner_name=member.name, bank_name="农业银行", number=number, by=self.worker(member))


def make_world() -> World:
    """Everything arranged, with money in the mutual-aid fund, in the open scope of the caller."""
    with everywhere(reason="arrange a test"):
        cast = make_cast()
        fill(cast, on=JOINED)
        unit, agent = make_unit(cast.a)
        units.approve_unit(unit, by=cast.actor(cast.reviewer))
        return World(cast, unit, agent, load("shaanxi-yulin-medical.2026"))
