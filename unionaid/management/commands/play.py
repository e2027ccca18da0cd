"""Play the main job on the demo world: a unit enrols, people fall ill, two people decide, money leaves, a year is reported.

Everything goes through the same services, scopes and jobs as the pages; jobs are done by a real worker. The played
days lie in the catalogue's year, whatever day it is today. Refuses to play twice in one database.
"""

import hashlib
import io
import json
import time
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from PIL import Image, ImageDraw

from claims.models import COOLING_DAYS, Claim
from claims.payouts import checking, files
from claims.payouts import services as payouts
from claims.payouts.models import PayoutBatch
from claims.services import accounts, adjudication, intake
from members import certificate
from members.models import ContributionDue, Enrolment, Member, Roster, WorkUnit
from members.services import contributions, enrolment, kin, people, problem_sheets, rosters, units
from programs import services as programs
from programs.models import Terms
from programs.selectors import schedule_of
from unionaid.accounts import stepup
from unionaid.accounts.models import User
from unionaid.books.services import movements
from unionaid.ledger.accounts import Fund
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, now, plus_days, today
from unionaid.lib.identity import credit_code_check, make_id_number, parse_id_number
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.lib.uploads import CleanUpload, inspect
from unionaid.management.demo_claims import CASES, RELIEF, RELIEF_PLAN, Case
from unionaid.management.demo_rosters import NEIGHBOURS, list_file, publish_next_period, renewed_lines, roster_lines
from unionaid.offices.models import Office, StaffPost
from unionaid.offices.roles import Actor, Role
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers, staff_actor
from unionaid.reports import services as reports
from unionaid.reports.models import YearlyStatement
from unionaid.workflow.jobs import KINDS, run_due
from unionaid.workflow.models import Job

PASSWORD = "mutual-aid-2026"
STAFF = (
    ("s-qin", "秦小明", "610800", Role.REVIEWER),
    ("s-han", "韩立", "610800", Role.APPROVER),
    ("s-zhen", "甄珍", "610800", Role.PAYER),
    ("s-fu", "付明", "610800", Role.PAYER),
    ("s-li", "李国强", "610800", Role.OFFICE_MANAGER),
    ("s-hq", "总部统计员", "000000", Role.HEADQUARTERS),
    ("s-audit", "审计员", "000000", Role.AUDITOR),
    ("s-admin", "系统管理员", "000000", Role.SYSTEM_ADMIN),
    ("s-admin2", "系统管理员乙", "000000", Role.SYSTEM_ADMIN),
)
OPENING_FEN, RELIEF_FEN = 500_000_00, 200_000_00
NEXT_OPENS = date(2026, 10, 1)
JOINED, ILL, ASKED, PAID = date(2026, 1, 5), date(2026, 5, 20), date(2026, 7, 1), date(2026, 7, 6)


@dataclass
class World:
    """Who and what the play is about."""

    office: Office
    unit: WorkUnit
    agent: User
    staff: dict[str, User]

    def staff_actor(self, name: str) -> Actor:
        return staff_actor(self.staff[name], on=today())

    def office_scope(self) -> Any:
        return office_scope(Scope(offices=covers(self.office)))

    def unit_scope(self) -> Any:
        return office_scope(Scope(units=frozenset({self.unit.pk}), user=self.agent.pk))

    def agent_actor(self) -> Actor:
        return Actor(user_id=self.agent.pk, label=self.agent.display_name, unit_ids=frozenset({self.unit.pk}))


class Command(BaseCommand):
    help = "Play the main job on the demo world and leave its files in a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, default=settings.VAR_DIR / "demo")
        parser.add_argument("--rows", type=int, default=500)
        parser.add_argument("--inline", action="store_true", help="do the jobs here instead of waiting for a worker")

    def handle(self, *args: Any, out: Path, rows: int, inline: bool, **options: Any) -> None:
        if User.objects.filter(username="s-qin").exists():
            raise CommandError("The demo world stands already in this database; nothing was played.")
        out.mkdir(parents=True, exist_ok=True)
        self.inline, self.lines = inline, list[tuple[str, str]]()
        with frozen(JOINED):
            world = self.make_world()
            lines = roster_lines(rows)
            (out / "roster.xlsx").write_bytes(sheet := list_file(f"{world.unit.name} {JOINED.year} 年花名册", lines))
            roster = self.enrol_roster(world, sheet, out)
            self.enrol_neighbours(world)
            worker, cover = self.one_worker(world)
            cases = self.covers_for_cases(world)
        (out / "certificate.pdf").write_bytes(self.certificate(cover))
        with frozen(ASKED):
            decided = [self.claim(world, case, member) for case, member in cases]
            decided.append(self.relief(world, decided[-1]))
        with frozen(PAID):
            paid = self.pay(world, out)
            statement = self.report(world, out)
        self.open_next_period(world, lines, out)
        self.finish(out, world, worker, roster, decided, paid, statement)

    # -- the world -----------------------------------------------------------------------------------------------

    def make_world(self) -> World:
        with everywhere(reason="make the demo world"):
            staff = {}
            for username, name, code, role in STAFF:
                staff[username] = User.objects.create_user(username, PASSWORD, display_name=name)
                office = Office.objects.get(code=code)
                StaffPost.objects.create(user=staff[username], office=office, role=role, since=date(2024, 1, 1), confirmed_at=now())
            agent = User.objects.create_user("u-zhou", PASSWORD, display_name="周经办")
            number = parse_id_number(make_id_number("610802", date(1982, 4, 16), 9))
            signed_up = people.register_member(people.NewPerson("周经办", number, "13900000000"))
            Member.objects.filter(pk=signed_up.pk).update(user=agent)
            office = Office.objects.get(code="610800")
            office.phone, office.bank_name = "0912-0000000", "中国建设银行榆林分行（演示）"
            office.account_name, office.account_number = "榆林办事处互助金专户（演示）", "61050100000000000001"
            office.save()
        unit = self.register(office, "榆林市红石峡机械制造有限责任公司", "91610800MA70A1B2C", 520, 200, agent)
        world = World(office, unit, agent, staff)
        with world.office_scope():
            units.approve_unit(unit, by=world.staff_actor("s-qin"))
            for fund, fen in ((Fund.MUTUAL_AID, OPENING_FEN), (Fund.RELIEF, RELIEF_FEN)):
                opening = movements.propose(
                    office, kind="opening", fund=fund, amount_fen=fen, happened_on=JOINED, papers=[photo(f"银行回单 {fund}")],
                    basis="榆工互助〔2026〕1 号，启动资金（演示）", bank_reference=f"DEMO-OPENING-{fund}", by=world.staff_actor("s-zhen"),
                    on=today(),
                )  # fmt: skip
                movements.confirm(opening, by=self.proven(world, "s-li"), on=today())
        self.say("单位登记并由办事处通过", unit.name)
        self.say("启动资金到账，由另一人复核", f"互助金 {format_yuan(OPENING_FEN)} 元，救助金 {format_yuan(RELIEF_FEN)} 元")
        self.offer_relief(world)
        return world

    def register(self, office: Office, name: str, seventeen: str, headcount: int, women: int, agent: User) -> WorkUnit:
        """A unit as its agent registers it."""
        with everywhere(reason="register a unit of the demo"):
            return units.register_unit(
                name=name, credit_code=seventeen + credit_code_check(seventeen), nature="enterprise", headcount=headcount,
                women_count=women, industry="C", office=office, agent=agent, by=Actor(agent.pk, agent.display_name), on=JOINED,
            )  # fmt: skip

    def offer_relief(self, world: World) -> None:
        """The office writes relief of its own on the ground of a published one; somebody else publishes it."""
        with everywhere(reason="the demo office writes terms of its own"):
            drafted = programs.draft(RELIEF_PLAN.encode(), source="yulin-relief.yaml", by=world.staff_actor("s-li"))
            programs.check(drafted.terms, by=world.staff_actor("s-li"))
            programs.publish(drafted.terms, by=world.staff_actor("s-hq"))
        self.say("办事处写入救助条款，由总部发布", RELIEF.title)

    def wait(self) -> None:
        """Until every job written so far is done: by the worker, or here with --inline."""
        deadline = time.monotonic() + 120
        while True:
            if self.inline:
                for queue in sorted({kind.queue for kind in KINDS.values()}):
                    run_due(queue)
            with everywhere(reason="wait for the worker"):
                open_jobs = Job.objects.filter(job_state__in=["queued", "running"]).count()
                failed = Job.objects.filter(job_state="failed").first()
            if failed:
                raise CommandError(f"The job {failed.kind} failed: {failed.error}")
            if not open_jobs:
                return
            if time.monotonic() > deadline:
                raise CommandError("The worker did not finish the jobs in two minutes.")
            time.sleep(0.2)

    def terms(self, code: str) -> Terms:
        return Terms.objects.select_related("program").get(program__code=code, state="published", period__contains=JOINED)

    # -- joining -------------------------------------------------------------------------------------------------

    def enrol_neighbours(self, world: World) -> None:
        """A second unit of the office enrols its people, one of whom changes to the first unit next year."""
        agent = User.objects.create_user("u-wu", PASSWORD, display_name="吴经办")
        unit = self.register(world.office, "榆林市镇北台电气有限公司", "91610800MA70D3E4F", 60, 20, agent)
        with world.office_scope():
            units.approve_unit(unit, by=world.staff_actor("s-qin"))
        neighbours = replace(world, unit=unit, agent=agent)
        self.enrol_roster(neighbours, list_file(f"{unit.name} {JOINED.year} 年花名册", NEIGHBOURS))

    def enrol_roster(self, world: World, sheet: bytes, out: Path | None = None) -> Roster:
        with world.unit_scope():
            roster = rosters.upload(
                unit=world.unit, terms=self.terms("shaanxi-yulin-medical"), data=sheet, file_name="花名册.xlsx",
                by=world.agent_actor(), on=JOINED,
            )  # fmt: skip
        self.wait()
        with world.unit_scope():
            roster.refresh_from_db()
            self.say("名册核对", f"{world.unit.name}：共 {roster.row_count} 行，可参加 {roster.good_count}，有问题 {roster.bad_count}")
            if out:
                (out / "roster-result.xlsx").write_bytes(problem_sheets.problem_list(roster))
            rosters.confirm(roster, by=world.agent_actor())
        self.wait()
        with world.office_scope():
            roster.refresh_from_db()
            self.settle(world, ContributionDue.objects.filter(roster=roster))
            count = Enrolment.objects.filter(roster=roster, state="effective").count()
        self.say("互助费到账，名册生效", f"{world.unit.name}：{count} 人，{format_yuan(roster.total_fen)} 元")
        return roster

    def settle(self, world: World, dues: Any) -> None:
        for due in list(dues.filter(state="open")):
            contributions.confirm(
                due, payer_name=world.unit.name, bank_reference=f"DEMO{due.pk:08d}", received_on=today(),
                amount_fen=due.amount_fen, remark=due.reference, by=world.staff_actor("s-zhen"), on=today(),
            )  # fmt: skip

    def one_worker(self, world: World) -> tuple[User, Enrolment]:
        """A worker signs up and joins by themself."""
        number = make_id_number("610802", date(1990, 3, 8), 128)
        user = people.sign_up(name="艾小梅", id_number=parse_id_number(number), phone="13991200001", password=PASSWORD, on=today())
        with office_scope(Scope(user=user.pk)):
            member = Member.objects.get(user=user)
        with everywhere(reason="answers of the demo worker"):
            member.employment, member.basic_insurance, member.union_member = "enterprise", True, True
            member.unit, member.office = world.unit, world.office
            member.save()
        self.login_number = number
        cover = self.join(world, member, member, "self", "national-inpatient", user)
        self.say("职工自行参加并缴费", f"{member.name}，{cover.program.name}")
        return user, cover

    def join(self, world: World, member: Member, holder: Member, relation: str, code: str, user: User | None) -> Enrolment:
        actor = Actor(user.pk, holder.name, member_id=holder.pk) if user else world.agent_actor()
        scope = Scope(member=holder.pk, user=user.pk) if user else Scope(units=frozenset({world.unit.pk}), user=actor.user_id)
        with office_scope(scope):
            made = enrolment.enrol(
                member=member, holder=holder, relation=relation, terms=self.terms(code), shares=1,
                unit=world.unit, on=today(), by=actor, papers=[enrolment.Paper("contract", photo("劳动合同"))],
            )  # fmt: skip
        with world.office_scope():
            self.settle(world, ContributionDue.objects.filter(enrolment=made))
            made.refresh_from_db()
        return made

    def certificate(self, cover: Enrolment) -> bytes:
        with everywhere(reason="print the demo's certificate"):
            fresh = Enrolment.objects.select_related("member", "program", "terms", "unit", "office").get(pk=cover.pk)
            return certificate.render(fresh, verify_url=f"{settings.BASE_URL}/verify/{fresh.public_id}")

    # -- claims --------------------------------------------------------------------------------------------------

    def covers_for_cases(self, world: World) -> list[tuple[Case, tuple[Member, Member, User | None, Enrolment]]]:
        """Each case's person comes from the roster, signs up, and joins the plan the case is about."""
        with everywhere(reason="choose people for the demo's cases"):
            men = list(Member.objects.filter(unit=world.unit, gender="male", user=None).order_by("id")[:30])
            women = list(Member.objects.filter(unit=world.unit, gender="female", user=None).order_by("id")[:30])
        made, people_of = [], dict[str, tuple[Member, Member, User | None, Enrolment]]()
        for case in CASES:
            if case.person not in people_of:
                member = (women if case.woman else men).pop()
                people_of[case.person] = self.cover_of_case(world, case, member)
            made.append((case, people_of[case.person]))
        return made

    def cover_of_case(self, world: World, case: Case, member: Member) -> tuple[Member, Member, User | None, Enrolment]:
        user = None
        if case.event != "accident_death":
            user = User.objects.create_user(f"demo-{case.person}", PASSWORD, display_name=member.name)
            with everywhere(reason="bind the demo's log-ins"):
                Member.objects.filter(pk=member.pk).update(user=user)
        if case.program == "shaanxi-yulin-medical":
            with world.office_scope():
                return member, member, user, Enrolment.objects.get(member=member, program__code=case.program)
        if case.relation == "minor_child":
            actor = Actor(user.pk if user else None, member.name, member_id=member.pk)
            child = people.add_child(
                member, name="小宝", id_number=make_id_number("610802", date(2016, 6, 1), 31), by=actor, on=today()
            )
            cover = self.join(world, child, member, "minor_child", case.program, user)
            with everywhere(reason="the office has seen the household paper"):
                kin.confirm_guardian(child, member, office_id=world.office.pk, by=world.staff_actor("s-qin"))
            return child, member, user, cover
        return member, member, user, self.join(world, member, member, "self", case.program, user)

    def claim(self, world: World, case: Case, who: tuple[Member, Member, User | None, Enrolment]) -> Claim:
        member, claimant, user, cover = who
        if user is None:  # the person died: the unit's agent applies for the husband or wife
            with everywhere(reason="register the demo's spouse"):
                number = parse_id_number(make_id_number("610802", date(1988, 8, 8), 246))
                claimant = people.register_member(
                    people.NewPerson("白玉兰", number, office_id=world.office.pk, unit_id=world.unit.pk)
                )
            actor, scope = world.agent_actor(), Scope(units=frozenset({world.unit.pk}), user=world.agent.pk)
        else:
            actor, scope = Actor(user.pk, claimant.name, member_id=claimant.pk), Scope(member=claimant.pk, user=user.pk)
        with office_scope(scope):
            made = self.apply(case, claimant, cover, actor)
        with world.office_scope():
            made = Claim.objects.select_related("member", "claimant", "enrolment", "terms").get(pk=made.pk)
            adjudication.review(made, by=world.staff_actor("s-qin"), on=today(), note="材料齐全，与结算单一致")
            adjudication.approve(made, by=world.staff_actor("s-han"), on=today(), note="同意")
        expected = fen_from_yuan(case.expected)
        if made.approved_fen != expected:
            raise CommandError(f"{case.title}: should be {expected} fen and is {made.approved_fen}")
        self.say(f"申领核定：{case.title}", f"{format_yuan(made.approved_fen)} 元（{case.basis}）")
        return made

    def relief(self, world: World, benefit: Claim) -> Claim:
        """Nobody asks for it: granting the benefit opened it, and it was sent in with what was known. Two people decide on it."""
        self.wait()
        with world.office_scope():
            made = Claim.objects.select_related("member", "claimant", "enrolment", "terms").get(follows=benefit)
            if made.state != "submitted":
                raise CommandError(f"{RELIEF.title}: should have been sent in by rule and is {made.state}")
            adjudication.review(made, by=world.staff_actor("s-qin"), on=today(), note="互助金已扣减")
            adjudication.approve(made, by=world.staff_actor("s-han"), on=today(), note="同意")
        if made.approved_fen != fen_from_yuan(RELIEF.expected):
            raise CommandError(f"{RELIEF.title}: should be {RELIEF.expected} yuan and is {made.approved_fen} fen")
        self.say(f"救助核定：{RELIEF.title}", f"{format_yuan(made.approved_fen)} 元（{RELIEF.basis}）")
        return made

    def apply(self, case: Case, claimant: Member, cover: Enrolment, actor: Actor) -> Claim:
        on = today()
        made = intake.open_claim(enrolment=cover, claimant=claimant, event=case.event, by=actor, on=on)
        intake.tell(made, {"happened": case.title, "hospital": "榆林市第一医院", **case.facts}, by=actor, on=on)
        for days, self_pay in case.stays:
            fen = fen_from_yuan(self_pay)
            figures = {"medfee_sumamt": 3 * fen, "fund_pay_sumamt": 2 * fen, "psn_part_amt": fen, "psn_cash_pay": fen}
            last = plus_days(ILL, days)
            intake.set_stay(made, admitted_on=ILL, discharged_on=last, fen=figures, hospital_grade=3, by=actor, on=on)
        for document in schedule_of(made.terms).documents_for(case.event):
            intake.add_document(made, kind=document.code, upload=photo(f"{document.name.zh} {made.number}"), by=actor)
        number = f"62284804{claimant.pk:011d}"
        card = people.add_card(claimant, owner_name=claimant.name, bank_name="中国农业银行榆林分行", number=number, by=actor)
        intake.choose_card(made, card, by=actor)
        return intake.submit(made, by=actor, on=on)

    # -- money ---------------------------------------------------------------------------------------------------

    def pay(self, world: World, out: Path) -> list[PayoutBatch]:
        first = self.batch(world, out, "bank-file.csv", fails=1)
        with world.office_scope():
            returned = Claim.objects.select_related("claimant").get(state="returned_payment")
            claimant = returned.claimant
            self.say("一笔付款被银行退回", f"{returned.number}，{returned.message}")
        actor = Actor(claimant.user_id, claimant.name, member_id=claimant.pk)
        with office_scope(Scope(member=claimant.pk, user=claimant.user_id)):
            card = people.add_card(
                claimant, owner_name=claimant.name, bank_name="中国工商银行榆林分行", number="6222021234567890123", by=actor
            )
            accounts.correct(Claim.objects.get(pk=returned.pk), card=card, by=actor, on=today())
        with frozen(plus_days(PAID, COOLING_DAYS)):  # an account that was just changed is not paid to before
            second = self.batch(world, out, "bank-file-reissue.csv", fails=0)
        return [first, second, self.batch(world, out, "bank-file-relief.csv", fails=0, fund=Fund.RELIEF)]

    def batch(self, world: World, out: Path, file_name: str, *, fails: int, fund: str = Fund.MUTUAL_AID) -> PayoutBatch:
        with world.office_scope():
            batch = payouts.assemble(
                office=world.office, claims=payouts.payable(world.office, fund=fund), by=world.staff_actor("s-zhen"), on=today()
            )
            seen = checking.figures_of(batch)
            checking.check(batch, seen=seen, version=batch.version, by=world.staff_actor("s-fu"))
            payouts.release(batch, by=self.proven(world, "s-li"))
        self.wait()
        with world.office_scope():
            batch.refresh_from_db()
            (out / file_name).write_bytes(files.file_bytes(batch))
            answer = bank_answer(batch, fails)
            (out / f"result-of-{file_name}").write_bytes(answer)
            payouts.take_return(batch, data=answer, file_name=f"result-of-{file_name}", by=world.staff_actor("s-zhen"))
        self.wait()
        with world.office_scope():
            batch.refresh_from_db()
        self.say("给付批次放款并回盘", f"{batch.number}，{batch.line_count} 笔，{format_yuan(batch.total_fen)} 元")
        return batch

    def proven(self, world: World, name: str) -> Actor:
        """Who has typed the password again, as the page of the release asks."""
        if wrong := stepup.prove(world.staff[name], "play", password=PASSWORD):
            raise CommandError(wrong.message)
        return replace(world.staff_actor(name), proven=True)

    # -- the year ------------------------------------------------------------------------------------------------

    def report(self, world: World, out: Path) -> YearlyStatement:
        with world.office_scope():
            statement = reports.request(world.office, JOINED.year, by=world.staff_actor("s-li"))
        self.wait()
        with world.office_scope():
            statement.refresh_from_db()
            with statement.workbook.open() as book:
                (out / "yearly-report.xlsx").write_bytes(book.read())
        self.say("年报", f"{statement} 第 {statement.revision} 版")
        return statement

    # -- the next period -----------------------------------------------------------------------------------------

    def open_next_period(self, world: World, lines: list[list[str]], out: Path) -> None:
        """Terms that may be joined today, and a list of the unit to renew with."""
        terms = publish_next_period(self.terms("shaanxi-yulin-medical"), opens=min(today(), NEXT_OPENS))
        title = f"{world.unit.name} {terms.version_name} 年花名册"
        (out / "roster-next-period.xlsx").write_bytes(list_file(title, renewed_lines(lines, moved=NEIGHBOURS[0])))
        self.say("下一期开放参加", f"{terms}，续保名册见 roster-next-period.xlsx")

    def finish(
        self, out: Path, world: World, worker: User, roster: Roster, decided: list[Claim], paid: list[PayoutBatch], statement: Any
    ) -> None:
        with everywhere(reason="sum up the play"):
            states = {c.number: c for c in Claim.objects.filter(pk__in=[c.pk for c in decided])}
            entries = Entry.objects.values_list("amount_fen", flat=True)
            balance, count = sum(entries), len(entries)
        wrong = [c.number for c in states.values() if c.state != "paid"]
        if wrong or balance:
            raise CommandError(f"Not every claim was paid ({wrong}) or the books do not balance ({balance} fen).")
        self.say("账簿", f"{count} 条分录，合计 0 元")
        titles = [case.title for case in (*CASES, RELIEF)]
        summary = {
            "played": [{"what": what, "result": result} for what, result in self.lines],
            "roster": {"rows": roster.row_count, "enrolled": roster.good_count, "refused": roster.bad_count},
            "claims": [
                {"number": c.number, "case": title, "paid_fen": states[c.number].approved_fen, "state": states[c.number].state}
                for title, c in zip(titles, decided, strict=True)
            ],
            "batches": [{"number": b.number, "lines": b.line_count, "total_fen": b.total_fen} for b in paid],
            "ledger_balance_fen": balance,
            "files": sorted(path.name for path in out.iterdir() if path.is_file()),
            "logins": self.logins(worker),
        }
        (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1), "utf-8")
        width = max(columns(what) for what, _result in self.lines)
        for what, result in self.lines:
            self.stdout.write(f"  {what}{' ' * (width - columns(what))}  {result}")

    def logins(self, worker: User) -> list[dict[str, str]]:
        rows = [
            {"role": role.value, "username": username, "password": PASSWORD, "where": "/admin/"}
            for username, _name, _code, role in STAFF
        ]
        for agent in ("u-wu", "u-zhou"):
            rows.insert(0, {"role": "unit_agent", "username": agent, "password": PASSWORD, "where": "/unit/"})
        rows.insert(0, {"role": "worker", "username": self.login_number, "password": PASSWORD, "where": "/my/"})
        return rows

    def say(self, what: str, result: str) -> None:
        self.lines.append((what, result))


def columns(text: str) -> int:
    """How wide a text is on a terminal: Chinese characters take two columns."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def photo(words: str) -> CleanUpload:
    """A made-up photo of a paper, cleaned like any upload."""
    image = Image.new("RGB", (900, 640), "#f7f3e8")
    pen = ImageDraw.Draw(image)
    pen.rectangle((30, 30, 870, 610), outline="#886644", width=4)
    for line, width in enumerate(hashlib.sha256(words.encode()).digest()[:9]):
        pen.rectangle((70, 90 + line * 55, 200 + 2 * width, 110 + line * 55), fill="#555555")
    out = io.BytesIO()
    image.save(out, "PNG")
    return inspect(out.getvalue(), f"{words[:20]}.png")


def bank_answer(batch: PayoutBatch, fails: int) -> bytes:
    """The bank's result file: the last `fails` lines come back."""
    lines = list(batch.lines.order_by("sequence"))
    rows = ["附言,金额,处理结果,失败原因"]
    for i, line in enumerate(lines):
        back = i >= len(lines) - fails
        amount = format_yuan(line.amount_fen).replace(",", "")
        rows.append(f"{line.reference},{amount},{'失败' if back else '成功'},{'户名不符' if back else ''}")
    return ("\r\n".join(rows) + "\r\n").encode("gb18030")
