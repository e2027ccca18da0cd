"""A year in small, and everyone who may knock: arranged once for every walk."""

import logging
from collections.abc import Iterator
from copy import deepcopy
from datetime import date

import pytest
from django.db import transaction
from django.test import Client
from django.utils.translation import gettext_lazy
from pytest_django import DjangoDbBlocker

from claims.models import Claim, ReviewRule
from claims.payouts import erasures, recoveries
from claims.payouts import services as payouts
from claims.payouts.models import PayoutBatch, Recovery
from claims.selectors.filing import Filing
from claims.services import adjudication, appeals, filing, intake, notes, public_notice, rules, screening, unit_review, wordings
from claims.services import corrections as redecisions
from claims.services import rehearsal as rehearsals
from members.models import BankStatement, Enrolment, Member, Remittance, UnitChange, UnitLineage, WorkUnit
from members.services import (
    agents,
    arrivals,
    contributions,
    corrections,
    departures,
    enrolment,
    lineage,
    packs,
    refunds,
    rosters,
    statements,
    units,
    voiding,
)
from tests.factories.funds import OPENING_FEN, slip
from tests.factories.offices import make_user
from tests.factories.payouts import release
from tests.factories.world import ASKED, ILL, JOINED, World, load, make_unit, make_world
from unionaid.accounts.models import User
from unionaid.books.models import BankBalance
from unionaid.books.services import closing, movements, reconciling
from unionaid.lib.calendar import frozen, now
from unionaid.lib.identity import credit_code_check, make_id_number
from unionaid.lib.money import format_yuan
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import StaffPost
from unionaid.offices.roles import SYSTEM, Role
from unionaid.offices.scope import everywhere
from unionaid.reports import services as reports
from unionaid.reports.models import MoneyAudit
from unionaid.workflow import bulk
from unionaid.workflow.jobs import run_due
from unionaid.workflow.moves import record
from unionaid.workflow.notices import tell

NEXT = "91610800MA70A1B9E"
SPLIT_OFF = "91610800MA7055AAC" + credit_code_check("91610800MA7055AAC")
ROLES = ("stranger", "newcomer", "worker", "agent", "reviewer", "approver", "payer", "manager", "hq_user", "auditor", "administrator")
NAMES = ("王小明", "欧阳小梅", "䶮𠮷", "买买提·艾力")
STARTS = {"stranger": "/", "newcomer": "/my/", "worker": "/my/", "agent": "/unit/"}


def start_of(role: str) -> str:
    """Where this role's walk begins."""
    return STARTS.get(role, "/admin/")


def play(world: World, covers: list[Enrolment]) -> list[Claim]:
    """Eight claims of these people in every state of the desk: two paid or returned, two in a batch, a report asked for."""
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        claims = [world.claim(covers[i % len(covers)], 10_000 * (i + 1)) for i in range(8)]
        decide(world, claims)
        first = payouts.assemble(office=cast.a, claims=claims[2:4], by=cast.actor(cast.payer), on=ASKED)
        release(cast, first)
    with frozen(ASKED):
        run_due("payouts")
    with everywhere(reason="arrange"), frozen(ASKED):
        first.refresh_from_db()
        payouts.take_return(first, data=answer_to(first), file_name="r.csv", by=cast.actor(cast.payer))
    with frozen(ASKED):
        run_due("payouts")
    with everywhere(reason="arrange"), frozen(ASKED):
        payouts.assemble(office=cast.a, claims=claims[4:6], by=cast.actor(cast.payer), on=ASKED)
        money_arrives(world)
        books_are_kept(world)
        reports.request(cast.a, 2026, by=cast.actor(cast.manager))
        approve_together(world, covers[0])
        rehearsals.request(world.yulin, cast.a, 2026, by=cast.actor(cast.manager))
        disputed(world, covers[0].member)
    with frozen(ASKED):
        run_due("reports")
        run_due("default")
    with everywhere(reason="arrange"), frozen(ASKED):
        found_otherwise(world, covers[0].member)
    return claims


def approve_together(world: World, cover: Enrolment) -> None:
    """A small claim whose flags were dismissed is approved in bulk, another of its kind waits; the office has set its own limits."""
    cast = world.cast
    reviewer = cast.actor(cast.reviewer)
    if not ReviewRule.objects.filter(office=cast.a).exists():
        rules.set_rule(cast.a, bulk_limit_fen=100_000, soon_days=30, cooling_days=3, step_days={}, seen=0, by=cast.actor(cast.manager))
        wordings.set_letter(cast.a, {"title": "缺异地备案", "text": "请补充异地就医备案。"}, letter=None, by=cast.actor(cast.manager))
    claims = [world.claim(cover, 20_000 + 1000 * i) for i in range(2)]
    for claim in claims:
        adjudication.review(claim, by=reviewer, on=ASKED)
        notes.write(claim, "已电话核实", by=reviewer)
        for flag in claim.flags.filter(lapsed_at=None):
            screening.dismiss(flag, by=reviewer, reason="已核对原件")
    bulk.request("approve_claims", [claims[0].pk], by=cast.actor(cast.approver))


def disputed(world: World, member: Member) -> None:
    """Under a plan whose claims go by the unit and a public notice: one waits at the unit, one is on notice and doubted, one was
    rejected and is appealed."""
    terms = load("shaanxi-yulin-medical.2026", code="noticed", deciding={"unit_first": True, "notice_days": 5})
    cover = Enrolment.objects.filter(member=member, terms=terms).first() or world.cover(member, terms)
    reviewer, approver = world.cast.actor(world.cast.reviewer), world.cast.actor(world.cast.approver)
    _waits, noticed, refused = (world.claim(cover, 30_000 + 1000 * i) for i in range(3))
    for claim in (noticed, refused):
        unit_review.pass_on(claim, by=world.agent_actor, on=ASKED, note="情况属实")
    adjudication.review(noticed, by=reviewer, on=ASKED)
    adjudication.approve(noticed, by=approver, on=ASKED)
    public_notice.object_to(noticed, name="来访人", text="没有住过院", by=approver, on=ASKED)
    adjudication.reject(refused, by=reviewer, on=ASKED, note="不在范围", reason_code="not_listed", clause="第七条")
    appeals.file(refused, grounds="应当给付", by=world.worker(member), on=ASKED)


def filed_for(world: World, cover: Enrolment, *, at_desk: bool = False) -> Claim:
    """The unit's agent, or the desk, began a claim for a worker, with a stay and a paper so far."""
    by, days = Filing(world.agent_actor, Claim.FiledAs.UNIT_AGENT), {"admission": {"event_on": ILL}}
    if at_desk:
        by = Filing(world.cast.actor(world.cast.reviewer), Claim.FiledAs.DESK)
    (claim,) = filing.begin([(cover, "admission")], claimant=cover.member, days=days, filing=by, on=ASKED)
    fen = {"medfee_sumamt": 3000, "fund_pay_sumamt": 2000, "psn_part_amt": 1000}
    intake.set_stay(claim, admitted_on=ILL, discharged_on=ILL, fen=fen, by=by.by, on=ASKED)
    upload = CleanUpload("image/jpeg", b"j", "委托书.jpg", f"{claim.pk:064d}")
    intake.add_document(claim, kind="authorisation", upload=upload, by=by.by)
    return claim


def found_otherwise(world: World, member: Member) -> None:
    """A decided claim was found to belong to another class: its correction waits for the second person."""
    decided = Claim.objects.filter(member=member, state="approved", corrections=None).first()
    by = world.cast.actor(world.cast.reviewer)
    redecisions.reclassify(decided, {"diagnosis_code": "K35.9"}, by=by, on=ASKED, note="出院记录")


def overpaid(world: World, decided: Claim) -> None:
    """By another correction too much was paid (stood in that state past the door): something is owed back in two parts."""
    with everywhere(reason="arrange"), frozen(ASKED):
        _overpaid(world, Claim.objects.get(pk=decided.pk))


def _overpaid(world: World, decided: Claim) -> None:
    cast = world.cast
    made = redecisions.reclassify(decided, {"diagnosis_code": "J18.9"}, by=cast.actor(cast.reviewer), on=ASKED, note="诊断")
    told = {"state": "recovery", "approved_fen": 0, "message": "医院已经退费，原来的给付多了。", "reason_clause": "第七条"}
    Claim.objects.filter(pk=made.pk).update(**told, approved_by=cast.approver, approved_at=now())
    made.refresh_from_db()
    record([made], "reclaim", by=SYSTEM, to_state="recovery")
    recovery = Recovery.objects.create(
        office=cast.a, number=f"ZH2607{made.pk:07d}", claim=made, claimant=decided.member, program=made.program, fund=made.fund,
        amount_fen=30_001, opened_on=ASKED, decided_by=cast.approver,
    )  # fmt: skip
    parts = [(date(2026, 8, 1), 15_001), (date(2026, 9, 1), 15_000)]
    recoveries.agree(recovery, parts, by=cast.actor(cast.payer), on=ASKED)


def money_arrives(world: World) -> None:
    """Two joinings that are not paid, one with a slip; a bank statement that pays one of them too much; a refund asked for; and a
    statement that waits to be taken in."""
    by, first = world.cast.actor(world.cast.payer), 721 + 4 * BankStatement.objects.count()
    dues = []
    for order in (first, first + 2):
        member = world.member(order)
        cover = enrolment.enrol(
            member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=ASKED, by=world.worker(member)
        )
        dues.append(cover.dues.get())
    contributions.add_slip(dues[0], CleanUpload("image/jpeg", b"j", "s.jpg", f"{dues[0].pk:064d}"), by=world.worker(member))
    lines = [f"2026-07-01,M{due.pk},{due.amount_fen / 100 + 50 * i},,王小明,互助费,{due.reference}" for i, due in enumerate(dues)]
    for name, body in (("taken", lines), ("read", [*lines[:1], "2026-07-01,,5,,,,"])):
        data = "\r\n".join(["交易日期,交易流水号,贷方发生额,借方发生额,对方户名,摘要,附言", *body, f"备注,{first}{name}"]).encode()
        statement = statements.upload(world.cast.a, data=data, file_name=f"{name}.csv", by=by)
        run_due("default")
        statement.refresh_from_db()
        if name == "taken":
            statements.confirm(statement, by=by)
            run_due("default")
    over = Remittance.objects.get(bank_reference=f"M{dues[1].pk}")
    contributions.match([contributions.Pair(over.pk, dues[1].pk, dues[1].amount_fen)], by=by, on=ASKED)
    over.refresh_from_db()
    typed = arrivals.enter(
        world.cast.a, payer_name="李四", bank_reference=f"N{first}", received_on=ASKED, amount_fen=500, remark="", by=by, on=ASKED
    )
    arrivals.propose_correction(typed, right=None, note="误登记", by=by, on=ASKED)
    refunds.propose(
        over, reason="over_payment", amount_fen=2000, payee_name="王小明", bank_name="农行", account_number="6228480402564890018",
        by=by, on=ASKED,
    )  # fmt: skip


def books_are_kept(world: World) -> None:
    """An allocation waits to be confirmed, a month to be closed, what the bank says lay on the account differs, and the audit of money
    found something."""
    office, by = world.cast.a, world.cast.actor(world.cast.payer)
    told = {"fund": "mutual_aid", "happened_on": ASKED, "basis": "拨款文件", "papers": [slip("letter")]}
    movements.propose(office, kind="allocation", amount_fen=7_000_000, **told, by=by, on=ASKED)
    balances = BankBalance.objects.count()
    day = date(2026, 6, 20 + balances)
    reconciling.enter_balance(office, on_day=day, balance_fen=OPENING_FEN - 123, paper=slip("balance"), by=by, on=ASKED)
    wrong = [("I1", ["payout 1", "ledger_entry 5"]), ("I8", ["mutual_aid"]), ("I4", ["SL26070000001"])]
    found = [{"code": code, "count": len(rows), "rows": rows} for code, rows in wrong]
    MoneyAudit.objects.create(office=world.cast.headquarters, on=day, looked_at=25, seconds=1, findings=found)
    if not balances:
        closing.propose(office, last_day=date(2026, 5, 31), by=by, on=ASKED)


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


@pytest.fixture(autouse=True, scope="module")
def unheard() -> Iterator[None]:
    """Thousands are turned away here as they should be: to write down each refusal, and where it came from, is wasted on them."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def year(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Four people of one unit with a year behind them: arranged once for all tests of a module, and taken back after the last."""
    with django_db_blocker.unblock(), transaction.atomic():
        with frozen(JOINED):
            world = make_world()
        with everywhere(reason="arrange"), frozen(ASKED):
            load("dalian-relief.2026", office=None)
            covers = [world.cover(world.member(101 + 2 * i, name)) for i, name in enumerate(NAMES)]
        unit_matters(world)
        people_matters(world, covers[0], 751)
        claims = play(world, covers)
        with everywhere(reason="arrange"), frozen(ASKED):
            filed_for(world, covers[3])
        overpaid(world, claims[4])
        lists_arrive(world, 501)
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def full(year: World, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The year as it was arranged; what a test adds is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield deepcopy(year)
        transaction.set_rollback(True)


def unit_matters(world: World) -> None:
    """The unit asks for a change, a worker for its agency, and a part of it was split off."""
    with everywhere(reason="arrange"), frozen(ASKED):
        units.ask_change(world.unit, {"headcount": 60}, by=world.agent_actor)
        applicant = world.member(701, "接手者")
        change = agents.ask(world.unit.credit_code, user=applicant.user, by=world.worker(applicant), on=ASKED)
        agents.hand_in(change, [CleanUpload("image/jpeg", b"j", "f.jpg", "d" * 64)], by=world.worker(applicant))
        told = {"name": "分出的单位", "credit_code": SPLIT_OFF, "nature": "enterprise", "headcount": 1, "women_count": 0}
        by = world.cast.actor(world.cast.manager)
        lineage.split(world.unit, told, [world.member(703).pk], basis="榆工发〔2026〕4 号", by=by, on=ASKED)
    with frozen(ASKED):
        run_due("default")


def lists_arrive(world: World, first: int) -> None:
    """Two rosters of the unit: one enrolled, paid, and with everyone's certificates made; one with lines of every kind that waits."""
    good = [(NAMES[i % 4], make_id_number("610802", date(1985, 3, 8), first + 2 * i)) for i in range(3)]
    bad = [("张三", "610802199003080000"), good[2], ("李四", make_id_number("610802", date(1950, 3, 8), first))]
    for name, lines in (("enrolled", good[:2]), ("waiting", [*good, *bad])):
        data = "\n".join(",".join(line) for line in [("姓名", "身份证号"), *lines]).encode()
        with everywhere(reason="arrange"), frozen(ASKED):
            roster = rosters.upload(
                unit=world.unit, terms=world.yulin, data=data, file_name=f"{name}.csv", by=world.agent_actor, on=ASKED
            )  # fmt: skip
            rosters.check(roster.pk, by=SYSTEM, on=ASKED)
            roster.refresh_from_db()
            if name == "waiting":
                continue
            rosters.confirm(roster, by=world.agent_actor)
            rosters.commit(roster.pk, by=SYSTEM, on=ASKED)
            for due in roster.dues.all():
                contributions.confirm(
                    due, payer_name="单位", bank_reference=f"L{due.pk}", received_on=ASKED, amount_fen=due.amount_fen, remark=due.reference,
                    by=world.cast.actor(world.cast.payer), on=ASKED,
                )  # fmt: skip
            packs.request(world.unit, world.yulin, address="https://example.org", by=world.agent_actor)
    with frozen(ASKED):
        run_due("reports")
        run_due("default")


def people_matters(world: World, cover: Enrolment, order: int) -> None:
    """A correction that waits, a transfer that waits, a voiding and an erasure that wait, and what people were told of others."""
    reviewer = world.cast.actor(world.cast.reviewer)
    photo = CleanUpload("image/jpeg", b"j", "id.jpg", "e" * 64)
    with everywhere(reason="arrange"), frozen(ASKED):
        owner = cover.member
        next_unit = WorkUnit.objects.filter(credit_code__startswith=NEXT).first()
        if next_unit is None:
            next_unit, _agent = make_unit(world.cast.a, NEXT)
            units.approve_unit(next_unit, by=reviewer)
        corrections.ask(owner, corrections.Wanted(name="王晓明"), papers=[photo], by=world.worker(owner))
        going, leaving, void, gone = (world.member(order + 2 * i) for i in range(4))
        departures.transfer(going, to_code=next_unit.credit_code, on=ASKED, by=world.agent_actor, today=ASKED)
        departures.leave(leaving, on=ASKED, by=world.agent_actor, today=ASKED)
        voiding.propose(world.cover(void), reason="duplicate", note="重复", by=reviewer, on=ASKED)
        erasures.ask(gone, basis="本人申请", by=reviewer, on=ASKED)
        title, text = gettext_lazy("您的资料已更正"), gettext_lazy("办事处已核对您的证件，更正了：姓名。")
        tell([owner.pk], office_id=world.cast.a.pk, title=title, text=text, link="/my/record")


def grow(world: World) -> None:
    """More of everything: people, claims of the first worker, units, batches."""
    with everywhere(reason="arrange"), frozen(ASKED):
        covers = [*Enrolment.objects.order_by("id")[:1], *(world.cover(world.member(201 + 2 * i)) for i in range(5))]
        for n in range(3):
            unit, agent = make_unit(world.cast.a, f"91610800MA70A1{n}AC")
            UnitChange.objects.create(office=world.cast.a, unit=unit, asked_by=agent, values={"headcount": 9}, before={"headcount": 50})
            UnitLineage.objects.create(
                kind="split", from_unit=world.unit, to_unit=unit, office_ids=[world.cast.a.pk], unit_ids=[world.unit.pk, unit.pk], on=ASKED,
                basis="榆工发〔2026〕5 号",
            )  # fmt: skip
    overpaid(world, play(world, covers)[4])
    lists_arrive(world, 551)
    for i in (1, 2):
        people_matters(world, covers[i], 751 + 10 * i)


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
            own = {"user": user, "office": world.cast.headquarters, "role": Role.SYSTEM_ADMIN, "since": JOINED}
            StaffPost.objects.get_or_create(**own, defaults={"confirmed_at": now()})
    if user is not None:
        client.force_login(user, backend="unionaid.accounts.backends.NumberBackend")
    return client


