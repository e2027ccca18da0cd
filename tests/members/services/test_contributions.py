"""From the bank's statement to cover in force, and back again: nothing beyond what arrived, nothing twice, nobody alone."""

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from members import bankstatement
from members.models import BankStatement, ContributionDue, Enrolment, Match, Refund, Remittance, Roster, StatementRow
from members.selectors.contributions import discrepancies, suggest
from members.services import contributions, enrolment, refunds, rosters, statements
from members.services.contributions import Pair, RemittanceRefused, match, raise_due, unmatch, waive
from members.services.refunds import RefundRefused
from members.services.roster_rows import TITLES
from tests.factories.world import JOINED, World, load, make_world
from tests.races.test_guards_taken_away import without
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.lib.spreadsheet import Column, Sheet, write_workbook
from unionaid.offices.roles import Actor
from unionaid.offices.scope import Scope, everywhere, office_scope
from unionaid.offices.selectors import covers
from unionaid.offices.services import add_office
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, Job
from unionaid.workflow.moves import Conflict, NotAllowed

HEAD = "交易日期,交易流水号,贷方发生额,借方发生额,对方户名,摘要,附言"
AsOffice = Callable[[Any], AbstractContextManager[Scope]]


@pytest.fixture(autouse=True)
def today() -> Any:
    with frozen(JOINED):
        yield


def payer(world: World) -> Actor:
    return world.cast.actor(world.cast.payer)


def manager(world: World) -> Actor:
    return world.cast.actor(world.cast.manager)


def a_roster(world: World, amounts: dict[str, int], name: str = "r", people: int = 1, first: int = 601) -> Roster:
    """A roster that is enrolled and waits for its contributions from these payers."""
    roster = Roster.objects.create(
        office=world.cast.a, unit=world.unit, terms=world.yulin, file=ContentFile(b"x", name="r.bin"), file_name=name, file_sha256=name,
        uploaded_by=world.agent, state="committed", good_count=people,
    )  # fmt: skip
    for i in range(people):
        member = world.member(first + 2 * i)
        Enrolment.objects.create(
            office=world.cast.a, member=member, holder=member, unit=world.unit, program=world.yulin.program, terms=world.yulin,
            roster=roster, shares=1, cover=DateRange(JOINED, date(2027, 1, 1)), contribution_fen=sum(amounts.values()) // people,
        )  # fmt: skip
    raise_due(office_id=world.cast.a.pk, unit=world.unit, member=None, roster=roster, amounts=amounts)
    return roster


def arrived(world: World, fen: int, remark: str = "", name: str = "测试单位", reference: str = "") -> Remittance:
    """Money in the bank, taken in and posted."""
    one = contributions.enter(
        office_id=world.cast.a.pk, bank_reference=reference or f"L{Remittance.objects.count() + 1}", remark=remark, payer_name=name,
        received_on=JOINED, amount_fen=fen, by=payer(world),
    )  # fmt: skip
    contributions.post_arrivals([one], on=JOINED, by=payer(world))
    return one


def balances() -> dict[str, int]:
    """What stands on each account beside the opening money."""
    found: dict[str, int] = {}
    for code, fen in Entry.objects.exclude(transaction__source_type="books.fundmovement").values_list("account__code", "amount_fen"):
        found[code] = found.get(code, 0) + fen
    return {code: fen for code, fen in found.items() if fen}


def csv(rows: Sequence[str], encoding: str = "utf-8") -> bytes:
    return "\r\n".join([HEAD, *rows]).encode(encoding)


def run(world: World, data: bytes, name: str = "流水.csv") -> BankStatement:
    """Uploaded and read."""
    with everywhere(reason="arrange"):
        made = statements.upload(world.cast.a, data=data, file_name=name, by=payer(world))
    run_due("default")
    with everywhere(reason="look"):
        made.refresh_from_db()
    return made


def take(world: World, statement: BankStatement) -> None:
    with everywhere(reason="arrange"):
        statements.confirm(statement, by=payer(world))
    run_due("default")
    with everywhere(reason="look"):
        statement.refresh_from_db()
        assert not Job.objects.exclude(job_state="done").exists()


# -- statements ------------------------------------------------------------------------------------------------------


def test_a_statement_is_read_shown_and_then_taken_in_whole(world: World) -> None:
    rows = [
        "2026-01-05,A1,1250.00,,测试单位,转账,HZABCD3467",
        "2026-01-05,A2,,300.00,供电公司,电费,",
        "2026-01-04,A3,abc,,张三,,",
        "2026-01-04,,88.00,,李四,,",
        "2099-01-04,A5,88.00,,李四,,",
        "2026-01-05,A1,1250.00,,测试单位,转账,HZABCD3467",
        "2026-01-05,A8,308.00,,榆林办事处,退汇,FK260104 12345678 00003",
    ]
    made = run(world, csv(rows))
    assert (made.state, made.row_count, made.good_count, made.outgoing_count, made.bad_count) == ("read", 7, 1, 1, 5)
    with everywhere(reason="look"):
        assert not Remittance.objects.exists()
        reasons = {row.row_number: row.why for row in StatementRow.objects.filter(outcome="bad")}
    assert "请打开给付批次 FK26010412345678，" in reasons.pop(8), "a payment of the office's own that the bank sent back is no remittance"
    assert [sorted(reasons), "金额“abc”读不懂" in reasons[4], reasons[5], reasons[6], reasons[7]] == [
        [4, 5, 6, 7], True, "没有银行流水号", "交易日期在今天之后", "流水号与第 2 行相同",
    ]  # fmt: skip
    take(world, made)
    with everywhere(reason="look"):
        one = Remittance.objects.get()
        assert (made.state, one.state, one.amount_fen) == ("taken", "unmatched", 125_000)
        assert (one.payer_name, one.named) == ("测试单位", ["HZABCD3467"])
        assert balances() == {"bank": 125_000, "unapplied": -125_000}
        assert discrepancies() == []


@pytest.mark.parametrize(
    ("remark", "where"),
    [
        ("退票 ＦＫ２６０７０１１２３４５６７８００００３ 户名不符", "给付批次 FK26070112345678，"),
        ("fk26070112345678", "给付批次 FK26070112345678，"),
        ("TK260105123456 退汇", "本机构退款 TK260105123456 "), ("FK2607011234567", ""), ("互助费 HZABCD3467", ""), ("ZH26070001234", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_remark_that_names_a_payment_of_ours_says_where_it_belongs(remark: str, where: str) -> None:
    found = bankstatement.own_payment_in(remark)
    assert (where in str(found)) if where else found is None
    camt = CAMT.replace("<TxDtls>", f"<TxDtls><Refs><EndToEndId>{remark}</EndToEndId></Refs>").format(name="榆林办事处", remark="退回")
    (line,) = bankstatement.read(camt.encode(), "x.xml", on=JOINED).lines
    assert bool(line.reasons) == bool(where)


@pytest.mark.parametrize("shape", ["gb18030", "xlsx", "camt"])
def test_the_same_money_in_other_clothes(world: World, shape: str) -> None:
    cells = ["2026-01-05", "A1", "125.00", "", "䶮单位", "互助费", "HZABCD3467"]
    if shape == "gb18030":
        data = csv([",".join(cells)], "gb18030")
    elif shape == "xlsx":
        out = io.BytesIO()
        write_workbook(out, [Sheet("明细", "账号 6100 的流水", [Column(title) for title in HEAD.split(",")], [cells])])
        data = out.getvalue()
    else:
        data = CAMT.format(name="䶮单位", remark="互助费 HZABCD3467").encode()
    made = run(world, data, "x.bin")
    assert (made.state, made.notes) == ("read", [])
    take(world, made)
    with everywhere(reason="look"):
        one = Remittance.objects.get()
        assert (one.payer_name, one.remark, one.amount_fen, one.bank_reference) == ("䶮单位", "互助费 HZABCD3467", 12_500, "A1")


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id>
<Acct><Id><Othr><Id>6100</Id></Othr></Id></Acct>
<Ntry><Amt Ccy="CNY">125.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><ValDt><Dt>2026-01-05</Dt></ValDt>
<AcctSvcrRef>A1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties>
<RmtInf><Ustrd>{remark}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">9.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><AcctSvcrRef>A9</AcctSvcrRef></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def test_the_same_file_again_is_told_and_the_same_line_in_another_file_is_known(world: World) -> None:
    first = run(world, csv(["2026-01-05,A1,125.00,,测试单位,,HZABCD3467"]))
    take(world, first)
    with everywhere(reason="arrange"), pytest.raises(statements.StatementRefused, match="已由甄珍导入过"), transaction.atomic():
        statements.upload(world.cast.a, data=csv(["2026-01-05,A1,125.00,,测试单位,,HZABCD3467"]), file_name="again.csv", by=payer(world))
    second = run(world, csv(["2026-01-05,A1,125.00,,测试单位,,HZABCD3467", "2026-01-05,A2,1.00,,测试单位,,"]))
    assert (second.good_count, second.known_count) == (1, 1)
    take(world, second)
    with everywhere(reason="look"):
        assert sorted(Remittance.objects.values_list("bank_reference", flat=True)) == ["A1", "A2"]
        assert balances() == {"bank": 12_600, "unapplied": -12_600}
    outsider = world.cast.actor(world.cast.outsider)
    with everywhere(reason="arrange"):
        with pytest.raises(NotAllowed):
            statements.upload(world.cast.a, data=b"x", file_name="x.csv", by=outsider)
        assert statements.upload(world.cast.b, data=csv(["2026-01-05,A1,1.00,,x,,"]), file_name="b.csv", by=outsider).pk


def test_two_previews_of_one_line_take_it_once_and_a_cancelled_one_takes_nothing(world: World) -> None:
    first, second = (run(world, csv([f"2026-01-05,A1,125.00,,单位{i},,"])) for i in range(2))
    third = run(world, csv(["2026-01-05,A3,125.00,,x,,"]))
    assert [one.good_count for one in (first, second, third)] == [1, 1, 1]
    take(world, first)
    take(world, second)
    with everywhere(reason="arrange"):
        statements.cancel(third, by=payer(world))
    run_due("default")
    with everywhere(reason="look"):
        assert (Remittance.objects.count(), second.good_count, second.known_count) == (1, 0, 1)
        assert (third.state, third.rows.count()) == ("cancelled", 0)
        with pytest.raises(statements.StatementRefused):
            statements.confirm(second, by=payer(world))
        with pytest.raises(Conflict):
            statements.confirm(first, by=payer(world))


SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
BOMB = f'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document xmlns="{SPACE}">&b;</Document>'
BAD_FILES = {
    "entities": (BOMB.encode(), "不允许的内容"),
    "entities in utf-16": (BOMB.encode("utf-16"), "不允许的内容"),
    "outside entity": (b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>', "不允许的内容"),
    "deep": (b"<a>" * 500 + b"</a>" * 500, "不允许的内容"),
    "cut": (CAMT.encode()[:300], "不完整"),
    "another xml": (b"<html/>", "CAMT.053"),
    "camt.054": (CAMT.replace("053", "054").encode(), "CAMT.053"),
    "other account": (CAMT.replace("6100", "6200").encode(), "收款账号不同"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 99, "读不懂"),
    "a broken workbook": (b"PK\x03\x04" * 99, "损坏"),
    "no header": ("张三,12\r\n李四,13".encode(), "表头"),
    "no reference": ("交易日期,收入金额,对方户名\r\n2026-01-05,1,x".encode(), "交易流水号"),
    "nothing below": (csv([]), "没有一笔流水"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_statement_is_refused_in_words_and_leaves_nothing(world: World, name: str) -> None:
    data, words = BAD_FILES[name]
    with everywhere(reason="arrange"):
        world.cast.a.account_number = "6100"
        world.cast.a.save()
    made = run(world, data, "x.csv")
    assert made.state == "unreadable"
    assert words in made.notes[0]
    with everywhere(reason="look"):
        assert not StatementRow.objects.exists()


def _queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as seen:
        act()
    return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_reading_taking_and_matching_take_the_same_statements_for_ten_lines_and_a_thousand(world: World) -> None:
    counts = []
    with everywhere(reason="arrange"):
        over_paid(world)  # the accounts are there
    for size in (10, 1000):
        with everywhere(reason="arrange"):
            rosters = Roster.objects.bulk_create(
                Roster(
                    office=world.cast.a, unit=world.unit, terms=world.yulin, file="x", file_name="r", file_sha256=f"{size}-{i}",
                    uploaded_by=world.agent, state="committed",
                )
                for i in range(size)
            )  # fmt: skip
            dues = ContributionDue.objects.bulk_create(
                ContributionDue(
                    office=world.cast.a, unit=world.unit, roster=roster, payer="unit", amount_fen=100 + i,
                    reference="HZ" + "".join("ABCDEFGHJK"[int(d)] for d in f"{size % 7}{i:07d}"),
                )
                for i, roster in enumerate(rosters)
            )  # fmt: skip
            rows = [f"2026-01-0{1 + i % 5},S{size}-{i},{due.amount_fen / 100:.2f},,x,,{due.reference}" for i, due in enumerate(dues)]
            made = statements.upload(world.cast.a, data=csv(rows), file_name="x.csv", by=payer(world))
        reading = _queries(lambda: run_due("default"))
        with everywhere(reason="arrange"):
            made.refresh_from_db()
            assert made.good_count == size
            statements.confirm(made, by=payer(world))
        taking = _queries(lambda: run_due("default"))
        with everywhere(reason="arrange"):
            waiting = list(Remittance.objects.filter(statement=made))
            pairs = [Pair(s.remittance.pk, s.due.pk, s.amount_fen) for ones in suggest(waiting).values() for s in ones if s.sure]
            assert len(pairs) == size
            suggesting = _queries(lambda rows=waiting: suggest(rows))
            counts.append((reading, taking, suggesting, _queries(lambda ones=pairs: match(ones, by=payer(world), on=JOINED))))
            assert ContributionDue.objects.filter(pk__in=[due.pk for due in dues], state="settled").count() == size
            assert discrepancies() == []
    assert counts[0] == counts[1]


# -- matching --------------------------------------------------------------------------------------------------------


def test_cover_waits_for_every_payer_of_the_plan(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        roster = a_roster(world, {"province": 7500, "unit": 2000, "school_union": 500, "subsidy_of_the_city": 100})
    with as_office(world.cast.a):
        dues = list(roster.dues.order_by("pk"))
        assert [due.get_payer_display() for due in dues] == ["省", "单位", "学校工会", "其他出资方"]
        assert len({due.reference for due in dues}) == 4
        for due in dues:
            assert Enrolment.objects.get(roster=roster).state == "contribution_due"
            match([Pair(arrived(world, due.amount_fen).pk, due.pk, due.amount_fen)], by=payer(world), on=JOINED)
        roster.refresh_from_db()
        assert (Enrolment.objects.get(roster=roster).state, roster.state) == ("effective", "effective")
        assert discrepancies() == []


def test_a_roster_raises_one_debt_per_payer_that_its_plan_names(world: World) -> None:
    with everywhere(reason="arrange"):
        add_office(code="440000", name="广东省办事处", level="province", parent=world.cast.headquarters)
        terms = load("guangdong-inpatient.2026")
        rows = [
            [f"职工{name}", make_id_number("610802", date(1980, 1, 1 + i), 101 + 2 * i), "", "企业在职", "是", "是", "1"]
            for i, name in enumerate("甲乙丙")
        ]
        out = io.BytesIO()
        write_workbook(out, [Sheet("名册", "", [Column(title, "text", 20) for title in TITLES.values()], rows)])
        roster = rosters.upload(unit=world.unit, terms=terms, data=out.getvalue(), file_name="r.xlsx", by=world.agent_actor, on=JOINED)
    run_due("default")
    with everywhere(reason="arrange"):
        roster.refresh_from_db()
        assert (roster.state, roster.good_count) == ("checked", 3), [row.reasons for row in roster.rows.all()]
        rosters.confirm(roster, by=world.agent_actor)
    run_due("default")
    with everywhere(reason="look"):
        dues = roster.dues.all()
        assert {due.payer: due.amount_fen for due in dues} == {"province": 3 * 7500, "unit": 3 * 2000}
        assert len({due.reference for due in dues}) == 2


def test_the_database_knows_no_payer_that_is_not_a_name(world: World) -> None:
    with everywhere(reason="arrange"), pytest.raises(IntegrityError, match="due_payer_named"), transaction.atomic():
        a_roster(world, {"Province!": 7500})


def test_one_remittance_settles_several_debts_and_several_settle_one(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        first, second = a_roster(world, {"unit": 1000}), a_roster(world, {"unit": 3000}, "s", first=701)
    with as_office(world.cast.a):
        one, two = first.dues.get(), second.dues.get()
        big = arrived(world, 2500, f"{one.reference} {two.reference}")
        match([Pair(big.pk, one.pk, 1000), Pair(big.pk, two.pk, 1500)], by=payer(world), on=JOINED)
        for row in (one, two, big):
            row.refresh_from_db()
        assert (one.state, two.state, two.owed_fen, big.state, big.left_fen) == ("settled", "part_paid", 1500, "matched", 0)
        small = arrived(world, 1600, f"补 {two.reference}")
        match([Pair(small.pk, two.pk, 1500)], by=payer(world), on=JOINED)
        two.refresh_from_db()
        small.refresh_from_db()
        assert (two.state, small.state, small.left_fen) == ("settled", "over", 100)
        assert Enrolment.objects.filter(state="effective").count() == 2
        assert balances() == {"bank": 4100, "unapplied": -100, "contributions": -4000}
        assert discrepancies() == []


def test_money_that_still_names_an_open_debt_is_part_matched_not_over(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        one = a_roster(world, {"unit": 1000}).dues.get()
        two = a_roster(world, {"unit": 3000}, "s", first=701).dues.get()
    with as_office(world.cast.a):
        money = arrived(world, 4000, f"{one.reference}{two.reference}")
        match([Pair(money.pk, one.pk, 1000)], by=payer(world), on=JOINED)
        money.refresh_from_db()
        assert money.state == "part_matched"


def test_nothing_is_matched_beyond_what_is_left_or_owed_nor_twice_nor_across_offices(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        due = a_roster(world, {"unit": 1000}).dues.get()
        other = Remittance.objects.create(
            office=world.cast.b, payer_name="x", bank_reference="B1", received_on=JOINED, amount_fen=1000
        )
    money, rich = None, None
    with as_office(world.cast.a):
        money, rich = arrived(world, 600), arrived(world, 9000)
        for pairs, words in (
            ([Pair(money.pk, due.pk, 601)], "只剩 6.00 元"),
            ([Pair(rich.pk, due.pk, 1001)], "还欠 10.00 元"),
            ([Pair(rich.pk, due.pk, 700), Pair(money.pk, due.pk, 301)], "还欠 10.00 元"),
            ([Pair(rich.pk, due.pk, 0)], "大于 0"),
            ([Pair(other.pk, due.pk, 1)], "不存在"),
        ):
            with pytest.raises((RemittanceRefused, Conflict), match=words), transaction.atomic():
                match(pairs, by=payer(world), on=JOINED)
        with pytest.raises(NotAllowed), transaction.atomic():
            match([Pair(money.pk, due.pk, 1)], by=manager(world), on=JOINED)
        match([Pair(money.pk, due.pk, 500)], by=payer(world), on=JOINED)
        with pytest.raises(RemittanceRefused, match="已经核销过"), transaction.atomic():
            match([Pair(money.pk, due.pk, 100)], by=payer(world), on=JOINED)
        match([Pair(rich.pk, due.pk, 500)], by=payer(world), on=JOINED)
        with pytest.raises(Conflict), transaction.atomic():
            match([Pair(rich.pk, due.pk, 1)], by=payer(world), on=JOINED)
    with everywhere(reason="past the service"):
        with pytest.raises(RemittanceRefused, match="不是同一个机构"), transaction.atomic():
            contributions._refuse_pairs([Pair(other.pk, due.pk, 1)], {due.pk: due}, {other.pk: other})
        with pytest.raises(IntegrityError, match="another office"), transaction.atomic():
            Match.objects.create(office=world.cast.b, remittance=other, due=due, amount_fen=1)


def test_a_match_is_undone_with_a_reason_and_its_income_reversed_but_not_under_cover_in_force(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        roster = a_roster(world, {"unit": 1000, "union": 500})
    with as_office(world.cast.a):
        unit, union = roster.dues.order_by("pk")
        wrong = arrived(world, 1000)
        (made,) = match([Pair(wrong.pk, unit.pk, 1000)], by=payer(world), on=JOINED)
        with pytest.raises(RemittanceRefused, match="原因"), transaction.atomic():
            unmatch(made, by=payer(world), on=JOINED, note=" ")
        unmatch(made, by=payer(world), on=JOINED, note="附言看错")
        unit.refresh_from_db()
        wrong.refresh_from_db()
        assert (unit.state, unit.paid_fen, wrong.state, wrong.left_fen) == ("open", 0, "unmatched", 1000)
        assert balances() == {"bank": 1000, "unapplied": -1000}
        with pytest.raises(Conflict), transaction.atomic():
            unmatch(made, by=payer(world), on=JOINED, note="再来")
        match([Pair(wrong.pk, unit.pk, 1000), Pair(arrived(world, 500).pk, union.pk, 500)], by=payer(world), on=JOINED)
        last = Match.objects.order_by("pk").last()
        with pytest.raises(RemittanceRefused, match="已经使保障生效"), transaction.atomic():
            unmatch(last, by=payer(world), on=JOINED, note="附言看错")
        assert discrepancies() == []


@pytest.mark.parametrize("what", ["amount_fen = 1", "due_id = due_id + 1", "undone_at = NULL, undone_reason = ''"])
def test_the_database_lets_a_match_be_undone_and_nothing_else(world: World, what: str) -> None:
    with everywhere(reason="arrange"):
        due = a_roster(world, {"unit": 1000}).dues.get()
        (made,) = match([Pair(arrived(world, 1000).pk, due.pk, 500)], by=payer(world), on=JOINED)
        unmatch(made, by=payer(world), on=JOINED, note="错")
        for statement in (f"UPDATE members_match SET {what}", "DELETE FROM members_match", "DELETE FROM members_remittance"):
            with pytest.raises(IntegrityError, match="never"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


# -- suggestions -----------------------------------------------------------------------------------------------------


def test_what_is_suggested_and_how_sure_it_is(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        dues = [a_roster(world, {"unit": fen}, f"r{fen}", first=601 + 20 * i).dues.get() for i, fen in enumerate((1000, 2000, 3000, 4000))]
        name = world.unit.name
    with as_office(world.cast.a):
        both = arrived(world, 3000, f"费{dues[0].reference}和{dues[1].reference.lower()}")
        again = arrived(world, 1000, dues[0].reference)
        less = arrived(world, 2500, f" ＨＺ{dues[2].reference[2:6]} {dues[2].reference[6:]}")
        silent = arrived(world, 4000, "会费", name)
        nobody = arrived(world, 4000, "会费", "别的单位")
        found = suggest([silent, nobody, less, again, both])
        told = {pk: [(s.due.pk, s.amount_fen, s.sure) for s in ones] for pk, ones in found.items()}
        assert told == {
            both.pk: [(dues[0].pk, 1000, True), (dues[1].pk, 2000, True)],
            less.pk: [(dues[2].pk, 2500, False)],
            silent.pk: [(dues[3].pk, 4000, False)],
        }


def test_the_job_confirms_what_is_sure_and_leaves_the_rest_to_people(world: World) -> None:
    with everywhere(reason="arrange"):
        sure = a_roster(world, {"unit": 1000}).dues.get()
        unsure = a_roster(world, {"unit": 2000}, "s", first=701).dues.get()
        arrived(world, 1000, sure.reference)
        arrived(world, 2000, "", world.unit.name)
        job = contributions.match_sure_later(world.cast.a, by=payer(world))
        with pytest.raises(NotAllowed):
            contributions.match_sure_later(world.cast.a, by=manager(world))
    run_due("default")
    with everywhere(reason="look"):
        job.refresh_from_db()
        sure.refresh_from_db()
        unsure.refresh_from_db()
        assert (job.job_state, job.result, sure.state, unsure.state) == ("done", {"matched": 1}, "settled", "open")
        assert Match.objects.get().matched_by_id == world.cast.payer.pk


# -- what is not owed any more, and refunds --------------------------------------------------------------------------

ACCOUNT = {"payee_name": "测试单位", "bank_name": "农行", "account_number": "6228480402564890018"}


def over_paid(world: World, fen: int = 1500) -> Remittance:
    due = a_roster(world, {"unit": 1000}).dues.get()
    money = arrived(world, fen, due.reference)
    match([Pair(money.pk, due.pk, 1000)], by=payer(world), on=JOINED)
    money.refresh_from_db()
    return money


def propose(world: World, money: Remittance, fen: int, reason: str = "over_payment", **more: Any) -> Refund:
    return refunds.propose(money, reason=reason, amount_fen=fen, **ACCOUNT, **more, by=payer(world), on=JOINED)


def test_an_over_payment_goes_back_through_two_people_and_the_books(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        money = over_paid(world)
    with as_office(world.cast.a):
        assert (money.state, money.left_fen) == ("over", 500)
        with pytest.raises(RefundRefused, match="最多可以退 5.00 元"), transaction.atomic():
            propose(world, money, 501)
        refund = propose(world, money, 500)
        assert refund.number in str(bankstatement.own_payment_in(f"退汇{refund.number}")), "when the bank sends it back"
        money.refresh_from_db()
        assert (money.left_fen, money.state) == (0, "over")
        with pytest.raises(RefundRefused, match="最多可以退 0.00 元"), transaction.atomic():
            propose(world, money, 1)
        with pytest.raises(NotAllowed, match="另一个人"), transaction.atomic():
            refunds.release(refund, by=payer(world), on=JOINED)
        with pytest.raises(NotAllowed), transaction.atomic():
            refunds.release(refund, by=world.cast.actor(world.cast.reviewer), on=JOINED)
        refunds.release(refund, by=manager(world), on=JOINED)
        assert balances() == {"bank": 1500, "contributions": -1000, "refundable": -500}
        assert discrepancies() == []
        with pytest.raises(RefundRefused, match="退款日期"), transaction.atomic():
            refunds.mark_paid(refund, bank_reference="P1", paid_on=date(2026, 1, 6), by=payer(world), on=JOINED)
        refunds.mark_paid(refund, bank_reference="P1", paid_on=JOINED, by=payer(world), on=JOINED)
        money.refresh_from_db()
        assert (balances(), money.state) == ({"bank": 1000, "contributions": -1000}, "refunded")
        refunds.mark_failed(refund, note="户名不符", by=payer(world), on=JOINED)
        money.refresh_from_db()
        assert (balances(), money.state, money.left_fen) == ({"bank": 1500, "unapplied": -500, "contributions": -1000}, "over", 500)
        assert refunds.account_of(refund, by=payer(world)) == "6228480402564890018"
        assert b"6228480402564890018" not in bytes(refund.account_number)
        refunds.drop(propose(world, money, 200), by=manager(world), note="不退了")
        money.refresh_from_db()
        assert money.left_fen == 500
        assert discrepancies() == []


def test_only_the_four_reasons_and_only_when_the_rows_bear_them_out(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        money = over_paid(world)
    with as_office(world.cast.a):
        fresh, twin = arrived(world, 1000), arrived(world, 1500)
        for one, reason, more, words in (
            (fresh, "over_payment", {}, "还没有核销过"),
            (fresh, "duplicate", {}, "另一笔来款"),
            (fresh, "duplicate", {"duplicate_of": money}, "金额相同"),
            (twin, "duplicate", {"duplicate_of": fresh}, "金额相同"),
            (fresh, "refused", {}, "只有 0.00 元"),
            (money, "void", {}, "只有 0.00 元"),
            (money, "over_payment", {"duplicate_of": twin}, "只有重复缴费"),
        ):
            with pytest.raises(RefundRefused, match=words), transaction.atomic():
                propose(world, one, 100, reason, **more)
        with pytest.raises(ValueError, match="gift"):
            propose(world, money, 100, "gift")
        assert propose(world, twin, 1500, "duplicate", duplicate_of=money).state == "proposed"


def test_raw_sql_cannot_release_alone_overdraw_or_rewrite_a_refund(world: World) -> None:
    with everywhere(reason="past the service"):
        refund = propose(world, over_paid(world), 500)
        user = world.cast.payer.pk
        for text, words in (
            (f"UPDATE members_refund SET released_by_id = {user}", "refund_proposer_is_not_releaser"),
            ("UPDATE members_refund SET state = 'released'", "refund_goes_out_released"),
            ("UPDATE members_refund SET amount_fen = 400", "never changed"),
            ("DELETE FROM members_refund", "never removed"),
            (
                "INSERT INTO members_refund (office_id, remittance_id, number, reason, amount_fen, payee_name, bank_name, account_number,"
                " account_last_four, note, state, bank_reference, version, proposed_by_id) SELECT office_id, remittance_id, 'x', reason, 1,"
                " '', '', '', '', '', 'proposed', '', 1, proposed_by_id FROM members_refund",
                "remittance_never_overspent",
            ),
        ):
            with pytest.raises(IntegrityError, match=words), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(text)
        assert refund.pk


def test_someone_who_is_refused_owes_nothing_and_gets_back_what_was_paid(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        member = world.member(301)
        cover = enrolment.enrol(
            member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED, by=world.worker(member)
        )
        due = cover.dues.get()
        money = arrived(world, 10_000, due.reference, "王小明")
        match([Pair(money.pk, due.pk, 10_000)], by=payer(world), on=JOINED)
        with pytest.raises(enrolment.EnrolmentRefused, match="一部分互助费"), transaction.atomic():
            enrolment.withdraw(cover, by=world.worker(member))
    with as_office(world.cast.a):
        cover = Enrolment.objects.get(pk=cover.pk)
        contributions.refuse(cover, by=payer(world), on=JOINED, note="不符合条件")
        due.refresh_from_db()
        money.refresh_from_db()
        assert (due.state, due.waived_fen, due.paid_fen, money.left_fen) == ("cancelled", 12_500, 0, 10_000)
        assert Enrolment.objects.get(pk=cover.pk).state == "refused"
        with pytest.raises(RefundRefused), transaction.atomic():
            propose(world, money, 10_000, "void")
        propose(world, money, 10_000, "refused")
        assert discrepancies() == []


def test_a_roster_is_charged_less_only_by_what_its_refused_people_cost(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        roster = a_roster(world, {"unit": 3000}, people=3)
        due = roster.dues.get()
        money = arrived(world, 3000, due.reference)
    with as_office(world.cast.a):
        with pytest.raises(RemittanceRefused, match="最多 0.00 元"), transaction.atomic():
            waive(due, 1000, reason="void", by=payer(world), on=JOINED, note="x")
        match([Pair(money.pk, due.pk, 3000)], by=payer(world), on=JOINED)
        gone = Enrolment.objects.filter(roster=roster).order_by("pk")[0]
        Enrolment.objects.filter(pk=gone.pk).update(state="void")  # by whoever voids it
        _audit(gone)
        with pytest.raises(RemittanceRefused, match="最多 10.00 元"), transaction.atomic():
            waive(due, 1001, reason="void", by=payer(world), on=JOINED, note="x")
        waive(due, 1000, reason="void", by=payer(world), on=JOINED, note="作废 1 人")
        due.refresh_from_db()
        money.refresh_from_db()
        assert (due.state, due.paid_fen, due.waived_fen, money.left_fen, money.state) == ("settled", 2000, 1000, 1000, "over")
        assert balances() == {"bank": 3000, "unapplied": -1000, "contributions": -2000}
        with pytest.raises(RefundRefused, match="只有 10.00 元"):
            refunds._refuse_reason(money, Refund.Reason.VOID, 1001, None)
        propose(world, money, 1000, "void")
        assert discrepancies() == []


def _audit(row: Enrolment) -> None:
    AuditEntry.objects.create(
        office_id=row.office_id, actor_label="x", entity="members.enrolment", entity_id=row.pk, action="void", to_state="void"
    )


def test_less_and_more_typed_by_hand_are_states_of_their_own(world: World, as_office: AsOffice) -> None:
    with everywhere(reason="arrange"):
        due = a_roster(world, {"unit": 1000}).dues.get()
    told = {"payer_name": "测试单位", "received_on": JOINED, "remark": due.reference, "by": payer(world), "on": JOINED}
    with as_office(world.cast.a):
        contributions.confirm(due, bank_reference="H1", amount_fen=400, **told)
        assert (due.state, due.owed_fen) == ("part_paid", 600)
        with pytest.raises(RemittanceRefused, match="已经用过"), transaction.atomic():
            contributions.confirm(due, bank_reference="H1", amount_fen=600, **told)
        rest = contributions.confirm(due, bank_reference="H2", amount_fen=700, **told)
        assert (due.state, rest.state, rest.left_fen) == ("settled", "over", 100)
        with pytest.raises(Conflict), transaction.atomic():
            contributions.confirm(due, bank_reference="H3", amount_fen=700, **told)
        assert discrepancies() == []


# -- races -----------------------------------------------------------------------------------------------------------


def _at_once(world: World, acts: Sequence[Callable[[], Any]]) -> list[str]:
    """All acts at the same moment, each on a connection of its own."""
    barrier, outcomes = Barrier(len(acts)), list[str]()

    def do(act: Callable[[], Any]) -> None:
        with frozen(JOINED):
            barrier.wait(60)
            try:
                with office_scope(Scope(offices=covers(world.cast.a))):
                    act()
                outcomes.append("done")
            except (RemittanceRefused, RefundRefused, Conflict, IntegrityError) as no:
                outcomes.append(type(no).__name__)
            finally:
                connection.close()

    threads = [Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _eight_on_one(world: World) -> tuple[Remittance, list[ContributionDue]]:
    """One remittance of 10.00 and eight debts of 6.00 each."""
    with everywhere(reason="arrange"):
        dues = [a_roster(world, {"unit": 600}, f"r{i}", first=601 + 20 * i).dues.get() for i in range(8)]
        return arrived(world, 1000), dues


def _matched(world: World, money: Remittance, dues: Sequence[ContributionDue]) -> tuple[list[str], int]:
    by = payer(world)
    outcomes = _at_once(world, [lambda due=due: match([Pair(money.pk, due.pk, 600)], by=by, on=JOINED) for due in dues])
    with everywhere(reason="look"):
        return outcomes, sum(Match.objects.filter(remittance=money, undone_at__isnull=True).values_list("amount_fen", flat=True))


def test_eight_matches_at_once_never_spend_more_than_arrived(committed: None) -> None:
    world = make_world()
    outcomes, spent = _matched(world, *_eight_on_one(world))
    assert (sorted(outcomes), spent) == (["RemittanceRefused"] * 7 + ["done"], 600)
    with everywhere(reason="look"):
        assert discrepancies() == []


def _blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody locks, and everybody has looked before anybody writes."""
    barrier = Barrier(8)

    def look(model: type[Any], ids: Any) -> dict[int, Any]:
        found = {row.pk: row for row in model.objects.filter(pk__in=set(ids))}
        if model is Remittance:
            barrier.wait(60)
        return found

    monkeypatch.setattr(contributions, "lock_rows", look)


def test_without_the_locks_the_database_still_refuses(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    money, dues = _eight_on_one(world)
    _blind(monkeypatch)
    outcomes, spent = _matched(world, money, dues)
    assert (sorted(outcomes), spent) == (["RemittanceRefused"] * 7 + ["done"], 600)


def test_without_locks_and_check_the_money_is_spent_eight_times(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of both guards."""
    world = make_world()
    money, dues = _eight_on_one(world)
    _blind(monkeypatch)
    check = "CHECK (matched_fen >= 0 AND refunded_fen >= 0 AND amount_fen >= matched_fen + refunded_fen) NOT VALID"
    table = "ALTER TABLE members_remittance"
    with without(f"{table} DROP CONSTRAINT remittance_never_overspent", f"{table} ADD CONSTRAINT remittance_never_overspent {check}"):
        outcomes, spent = _matched(world, money, dues)
    assert (outcomes, spent) == (["done"] * 8, 4800)


def _last_two_debts(world: World) -> tuple[Roster, list[Callable[[], Any]]]:
    with everywhere(reason="arrange"):
        over_paid(world)  # the accounts are there
        roster, by = a_roster(world, {"unit": 1000, "union": 500}, "s", first=701), payer(world)
        pairs = [Pair(arrived(world, due.amount_fen).pk, due.pk, due.amount_fen) for due in roster.dues.order_by("pk")]
    return roster, [lambda pair=pair: match([pair], by=by, on=JOINED) for pair in pairs]


def test_the_last_two_debts_settled_at_once_bring_the_cover_into_force(committed: None) -> None:
    world = make_world()
    roster, acts = _last_two_debts(world)
    assert _at_once(world, acts) == ["done", "done"]
    with everywhere(reason="look"):
        roster.refresh_from_db()
        assert (roster.state, Enrolment.objects.get(roster=roster).state) == ("effective", "effective")


def test_without_the_lock_on_the_cover_each_waits_for_the_other(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both settle, neither sees the other, the cover stays asleep."""
    world = make_world()
    roster, acts = _last_two_debts(world)
    barrier, effective = Barrier(2), contributions._make_effective
    monkeypatch.setattr(contributions, "lock_covers", lambda ids: None)
    monkeypatch.setattr(contributions, "_make_effective", lambda dues, by: (effective(dues, by=by), barrier.wait(60)))
    assert _at_once(world, acts) == ["done", "done"]
    with everywhere(reason="look"):
        roster.refresh_from_db()
        assert roster.state == "committed"
        assert not ContributionDue.objects.exclude(state="settled").exists()
        assert Enrolment.objects.get(roster=roster).state == "contribution_due"


def test_a_refund_and_a_match_of_the_same_rest_at_once(committed: None) -> None:
    world = make_world()
    with everywhere(reason="arrange"):
        money = over_paid(world)
        due = a_roster(world, {"unit": 500}, "s", first=701).dues.get()
    by = payer(world)
    outcomes = _at_once(
        world, [lambda: propose(world, money, 500), lambda: match([Pair(money.pk, due.pk, 500)], by=by, on=JOINED)]
    )
    assert sorted(outcomes)[1] == "done"
    assert sorted(outcomes)[0] in ("RefundRefused", "RemittanceRefused")
    with everywhere(reason="look"):
        assert discrepancies() == []


def test_a_line_with_another_amount_than_was_typed_is_flagged(world: World) -> None:
    """125.00 typed in by hand, 1.00 in the bank's file: the same number, and one of the two is wrong. The same amount is known."""
    with everywhere(reason="arrange"):
        for reference in ("T1", "T2"):
            arrived(world, 12_500, reference=reference)
    statement = run(world, csv(["2026-01-05,T1,1.00,,测试单位,,", "2026-01-05,T2,125.00,,测试单位,,", "2026-01-05,T3,7.00,,测试单位,,"]))
    with everywhere(reason="look"):
        rows = list(statement.rows.order_by("row_number"))
        assert [row.outcome for row in rows] == ["bad", "known", "good"]
        assert "125.00" in str(rows[0].reasons)
        assert "1.00" in str(rows[0].reasons)
        assert statement.total_fen == 700


WIDE = ("交易日期", "交易流水号", "附言", "收入金额")  # zh: a bank's header


def _statement(*rows: tuple[str, ...], divided_by: str) -> bytes:
    return "\n".join(divided_by.join(row) for row in (WIDE, *rows)).encode()


def test_thousands_are_divided_by_commas_in_a_file_divided_by_tabs_and_doubted_in_one_divided_by_commas() -> None:
    row = ("2026-01-05", "A1", "", "1,250.00")
    (tabs,) = bankstatement.read(_statement(row, divided_by="\t"), "流水.txt", on=JOINED).lines
    assert (tabs.amount_fen, tabs.reasons) == (125_000, [])
    (commas,) = bankstatement.read(_statement(row, divided_by=","), "流水.csv", on=JOINED).lines
    assert [str(words)[:13] for words in commas.reasons] == ["这一行的格子比表头多，可能"], "never 1.00 yuan"
    (kept,) = bankstatement.read(_statement(("2026-01-05", "A1\t", "", '"1,250.00"'), divided_by=","), "流水.csv", on=JOINED).lines
    assert (kept.bank_reference, kept.amount_fen, kept.reasons) == ("A1", 125_000, [])


def test_other_money_under_a_number_that_the_bank_used_before_is_flagged_not_known(world: World) -> None:
    """Some banks count anew every day: the same number and amount on another day is another payment."""
    with everywhere(reason="arrange"):
        arrived(world, 12_500, reference="000001")
    statement = run(world, csv(["2026-01-04,000001,125.00,,测试单位,,", "2026-01-05,000002,125.00,,测试单位,,"]))
    with everywhere(reason="arrange"):
        arrived(world, 12_500, reference="000002")
        Remittance.objects.filter(bank_reference="000002").update(received_on=date(2026, 1, 3))
        rows = list(statement.rows.order_by("row_number"))
        assert [(row.outcome, "到账日期是 2026-01-05" in row.why) for row in rows] == [("bad", True), ("good", False)]
    take(world, statement)
    with everywhere(reason="look"):
        assert [row.outcome for row in statement.rows.order_by("row_number")] == ["bad", "bad"]
        assert (statement.good_count, statement.bad_count) == (0, 2)


def test_a_line_that_is_typed_in_with_another_amount_after_the_preview_is_flagged_too(world: World) -> None:
    statement = run(world, csv(["2026-01-05,T1,1.00,,测试单位,,", "2026-01-05,T2,125.00,,测试单位,,", "2026-01-05,T3,7.00,,测试单位,,"]))
    with everywhere(reason="arrange"):
        for reference in ("T1", "T2"):
            arrived(world, 12_500, reference=reference)
    take(world, statement)
    with everywhere(reason="look"):
        assert [row.outcome for row in statement.rows.order_by("row_number")] == ["bad", "known", "taken"]
        assert (statement.bad_count, statement.known_count, statement.good_count, statement.total_fen) == (1, 1, 1, 700)
        assert discrepancies() == []
