"""A year in small, and everyone who may knock: arranged once for every walk."""

import pytest
from django.test import Client

from claims.models import Claim
from claims.payouts import services as payouts
from claims.payouts.models import PayoutBatch
from claims.services import adjudication
from members.models import Enrolment, Member
from tests.factories.offices import make_user
from tests.factories.world import ASKED, JOINED, World, make_unit
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.lib.money import format_yuan
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.reports import services as reports
from unionaid.workflow.jobs import run_due

ROLES = ("stranger", "newcomer", "worker", "agent", "reviewer", "approver", "payer", "manager", "hq_user", "auditor", "administrator")
NAMES = ("王小明", "欧阳小梅", "䶮𠮷", "买买提·艾力")
STARTS = {"stranger": "/", "newcomer": "/my/", "worker": "/my/", "agent": "/unit/"}


def start_of(role: str) -> str:
    """Where this role's walk begins."""
    return STARTS.get(role, "/admin/")


def play(world: World, covers: list[Enrolment]) -> None:
    """Eight claims of these people in every state of the desk: two paid or returned, two in a batch, a report asked for."""
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        claims = [world.claim(covers[i % len(covers)], 10_000 * (i + 1)) for i in range(8)]
        decide(world, claims)
        first = payouts.assemble(office=cast.a, claims=claims[2:4], by=cast.actor(cast.payer), on=ASKED)
        payouts.release(first, by=cast.actor(cast.manager))
    with frozen(ASKED):
        run_due("payouts")
    with everywhere(reason="arrange"), frozen(ASKED):
        first.refresh_from_db()
        payouts.take_return(first, data=answer_to(first), file_name="r.csv", by=cast.actor(cast.payer))
    with frozen(ASKED):
        run_due("payouts")
    with everywhere(reason="arrange"), frozen(ASKED):
        payouts.assemble(office=cast.a, claims=claims[4:6], by=cast.actor(cast.payer), on=ASKED)
        reports.request(cast.a, 2026, by=cast.actor(cast.manager))
    with frozen(ASKED):
        run_due("reports")


def decide(world: World, claims: list[Claim]) -> None:
    """The first stays submitted, the second is sent back, the last rejected, the others approved."""
    reviewer, approver = world.cast.actor(world.cast.reviewer), world.cast.actor(world.cast.approver)
    for claim in claims[1:]:
        adjudication.review(claim, by=reviewer, on=ASKED, note="材料齐全")
    for claim in claims[2:7]:
        adjudication.approve(claim, by=approver, on=ASKED, note="同意")
    adjudication.reject(claims[7], by=approver, on=ASKED, note="不在范围", reason_code="not_listed", clause="第七条")
    adjudication.return_for_supplement(claims[1], by=approver, on=ASKED, note="请补出院记录")


def answer_to(batch: PayoutBatch) -> bytes:
    """The bank paid the first line and sent the second back."""
    good, bad = batch.lines.order_by("sequence")
    rows = [(good, "成功", ""), (bad, "失败", "户名不符")]
    lines = [f"{line.reference},{format_yuan(line.amount_fen).replace(',', '')},{outcome},{why}" for line, outcome, why in rows]
    return "\r\n".join(["附言,金额,处理结果,失败原因", *lines]).encode("gb18030")


@pytest.fixture
def full(world: World) -> World:
    """Four people of one unit with a year behind them."""
    with everywhere(reason="arrange"), frozen(ASKED):
        covers = [world.cover(world.member(101 + 2 * i, name)) for i, name in enumerate(NAMES)]
    play(world, covers)
    return world


def grow(world: World) -> None:
    """More of everything: people, claims of the first worker, units, batches."""
    with everywhere(reason="arrange"), frozen(ASKED):
        covers = [*Enrolment.objects.order_by("id")[:1], *(world.cover(world.member(201 + 2 * i)) for i in range(5))]
        for n in range(3):
            make_unit(world.cast.a, f"91610800MA70A1{n}AC")
    play(world, covers)


def someone(world: World, role: str) -> Client:
    """The role's browser, logged in."""
    client = Client(raise_request_exception=False)
    user: User | None = getattr(world.cast, role, None)
    with everywhere(reason="arrange"), frozen(JOINED):
        if role == "worker":
            user = User.objects.get(username="w101")
        elif role == "newcomer":
            user = User.objects.filter(username="w901").first() or world.member(901, "新来者").user
            Member.objects.filter(user=user).update(unit=None, employment="", basic_insurance=None, union_member=None)
        elif role == "agent":
            user = world.agent
        elif role == "administrator":
            user = User.objects.filter(username="s-admin").first() or make_user("s-admin", "系统管理员")
            StaffPost.objects.get_or_create(user=user, office=world.cast.headquarters, role=Role.SYSTEM_ADMIN, since=JOINED)
    if user is not None:
        client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


