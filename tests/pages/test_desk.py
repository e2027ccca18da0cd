"""The staff's desk: who may see and do what, that refusals leave nothing behind, and that no list asks row by row."""

import io
import re
import uuid
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from claims.models import Claim
from claims.payouts import services as payouts
from claims.payouts.models import PayoutBatch, PayoutLine
from claims.services import adjudication, intake
from claims.services.screening import screen
from members.models import BankCard, ContributionDue, Enrolment, Evidence, Remittance, WorkUnit
from members.services import contributions, enrolment
from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD, give_post, make_user
from tests.factories.payouts import release
from tests.factories.world import ASKED, JOINED, World, make_unit
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen, now
from unionaid.lib.identity import make_id_number
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.models import FactorDrop, Refusal, StaffPost
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.reports import services as reports
from unionaid.reports.models import YearlyStatement
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, Job
from unionaid.workflow.moves import NotAllowed
from unionaid.workflow.words import ACTS

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")


def words(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


@pytest.fixture
def claim(world: World) -> Claim:
    with everywhere(reason="arrange"), frozen(ASKED):
        return world.claim(world.cover(world.member(101)), 600_000)


@pytest.fixture
def paid(world: World, claim: Claim) -> Claim:
    """Reviewed, approved, assembled, released, and confirmed by the bank."""
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
        batch = payouts.assemble(office=cast.a, claims=[claim], by=cast.actor(cast.payer), on=ASKED)
        release(cast, batch)
    with frozen(ASKED):
        run_due("payouts")
        with everywhere(reason="arrange"):
            batch.refresh_from_db()
            answer = f"附言,金额,处理结果,失败原因\r\n{batch.lines.get().reference},4400.00,成功,\r\n".encode("gb18030")
            payouts.take_return(batch, data=answer, file_name="r.csv", by=cast.actor(cast.payer))
        run_due("payouts")
    return claim


@pytest.fixture
def administrator(world: World) -> User:
    with everywhere(reason="arrange"):
        user = make_user("s-admin", "系统管理员")
        give_post(user, world.cast.headquarters, Role.SYSTEM_ADMIN)
    return user


def due_of_a_newcomer(world: World, order: int = 301) -> ContributionDue:
    """A worker who joined alone with a paper, and has not paid."""
    with everywhere(reason="arrange"), frozen(JOINED):
        member = world.member(order)
        paper = enrolment.Paper("contract", CleanUpload("image/jpeg", b"jpeg", "合同.jpg", f"{order:064d}"))
        cover = enrolment.enrol(
            member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED,
            by=world.worker(member), papers=[paper],
        )  # fmt: skip
        return cover.dues.get()


# -- the yearly statement ------------------------------------------------------------------------------------------


def ask(client: Client, office_id: int, year: object = 2026, key: str = "") -> object:
    form = {"office": office_id, "year": year, "request_key": key or uuid.uuid4().hex}
    with frozen(ASKED):
        return client.post(reverse("admin:yearly_request"), form)


def test_a_manager_asks_for_a_year_watches_it_and_reads_it(world: World, paid: Claim) -> None:
    manager, key = client_of(world.cast.manager), uuid.uuid4().hex
    first = ask(manager, world.cast.a.pk, key=key)
    assert first.status_code == 302
    assert ask(manager, world.cast.a.pk, key=key)["Location"] == first["Location"]
    with everywhere(reason="look"):
        statement = YearlyStatement.objects.get()
    waiting = manager.get(first["Location"])
    assert "排队中" in words(waiting)
    assert 'hx-trigger="every 2s"' in words(waiting)
    assert "refresh" in words(waiting)  # and without scripts
    page = reverse("admin:yearly_statement", args=[statement.pk])
    assert "正在编制" in words(manager.get(page))
    with frozen(ASKED):
        run_due("reports")
    done = words(manager.get(first["Location"], headers={"HX-Request": "true"}))
    assert "已完成" in done
    assert page in done
    assert "<html" not in done
    assert "hx-trigger" not in done
    shown = words(manager.get(page))
    for figure in ("¥125.00 元", "¥4,400.00 元", "3,520.0%", "100.0%", "数据截止 2026年7月1日"):
        assert figure in shown


def test_the_workbook_holds_the_rows_of_the_page_and_agrees_to_the_fen(world: World, paid: Claim) -> None:
    manager = client_of(world.cast.manager)
    ask(manager, world.cast.a.pk)
    with frozen(ASKED):
        run_due("reports")
    with everywhere(reason="look"):
        statement = YearlyStatement.objects.get()
        tables = {name: reports.table_rows(reports.lines_of(statement, name)) for name in ("by_program", "by_category")}
    answer = manager.get(reverse("admin:yearly_workbook", args=[statement.pk]))
    assert answer["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        sheets = b"".join(archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name)
    assert b"<f>" not in sheets
    assert b"pageSetup" in sheets
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == ["按计划", "按类别"]
    last = book.get_sheet_by_index(0).to_python()[-1]
    assert last[0] == "合计"
    assert [Decimal(str(last[i])) for i in (7, 11)] == [Decimal("125"), Decimal("4400")]
    for rows in tables.values():
        for column in (4, 5, 6, 7, 8, 9, 11):
            assert sum(row[column] for row in rows[:-1]) == rows[-1][column]


def test_a_province_counts_the_offices_below_it(world: World, paid: Claim) -> None:
    with everywhere(reason="arrange"):
        boss = make_user("s-prov", "省负责人")
        give_post(boss, world.cast.province, Role.OFFICE_MANAGER)
    assert ask(client_of(boss), world.cast.province.pk).status_code == 302
    with frozen(ASKED):
        run_due("reports")
    with everywhere(reason="look"):
        whole = reports.lines_of(YearlyStatement.objects.get())[-1].figures
    assert (whole["enrolments"], whole["contributions_fen"], whole["benefits_fen"]) == (1, 12_500, 440_000)


def test_the_average_of_a_published_year_comes_out_of_its_claims(world: World, paid: Claim) -> None:
    """城步 2014: 247,000 yuan for 112 claims is 2,205.36 a claim; the 2,580.7 that were published follow from no count at all."""
    fen = [100_000 + 2_000 * i for i in range(111)]
    fen.append(24_700_000 - sum(fen))
    with everywhere(reason="arrange"):
        line, claims = paid.payout_lines.get(), []
        for i in range(len(fen)):
            copy = Claim.objects.get(pk=paid.pk)
            copy.pk, copy.public_id, copy.number, copy.office, copy.approved_fen = None, uuid.uuid4(), f"SLD{i:08d}", world.cast.b, fen[i]
            claims.append(copy)
        Claim.objects.bulk_create(claims)
        batch, lines = line.batch, []
        batch.pk, batch.office, batch.number = None, world.cast.b, "FKB"
        batch.save(force_insert=True)
        for i, claim in enumerate(claims):
            copy = PayoutLine.objects.get(pk=line.pk)
            copy.pk, copy.claim, copy.office, copy.batch, copy.sequence = None, claim, world.cast.b, batch, i + 1
            copy.reference, copy.amount_fen = f"REF{i}", fen[i]
            lines.append(copy)
        PayoutLine.objects.bulk_create(lines)
        boss = make_user("s-b", "另一处负责人")
        give_post(boss, world.cast.b, Role.OFFICE_MANAGER)
    ask(client_of(boss), world.cast.b.pk)
    with frozen(ASKED):
        run_due("reports")
    with everywhere(reason="look"):
        statement = YearlyStatement.objects.get()
        total = dict(zip(reports.NAMES, reports.table_rows(reports.lines_of(statement))[-1], strict=True))
    assert (total["paid_claims"], total["benefits_fen"], total["mean_fen"]) == (112, 24_700_000, 220_536)
    assert "¥2,205.36 元" in words(client_of(boss).get(reverse("admin:yearly_statement", args=[statement.pk])))


def test_an_empty_year_says_why_it_is_empty(world: World) -> None:
    manager = client_of(world.cast.manager)
    ask(manager, world.cast.a.pk, 2025)
    with frozen(ASKED):
        run_due("reports")
    with everywhere(reason="look"):
        page = reverse("admin:yearly_statement", args=[YearlyStatement.objects.get().pk])
    assert "这一年没有参加记录" in words(manager.get(page))


def test_who_may_build_and_who_may_read_a_statement(world: World) -> None:
    cast = world.cast
    ask(client_of(cast.manager), cast.a.pk)
    with everywhere(reason="look"):
        page = reverse("admin:yearly_statement", args=[YearlyStatement.objects.get().pk])
    assert client_of(cast.auditor).get(page).status_code == 200
    assert client_of(cast.hq_user).get(page).status_code == 200
    assert client_of(cast.reviewer).get(page).status_code == 403
    assert client_of(cast.outsider).get(page).status_code == 404
    assert ask(client_of(cast.auditor), cast.a.pk).status_code == 403
    assert ask(client_of(cast.outsider), cast.a.pk).status_code == 400
    with everywhere(reason="look"), pytest.raises(NotAllowed):
        reports.request(cast.a, 2026, by=cast.actor(cast.outsider))


@pytest.mark.parametrize(
    ("office", "year"), [("0", "2026"), ("x", "2026"), ("", ""), ("9" * 30, "2026"), ("ok", "1999"), ("ok", "\x00")]
)
def test_a_wrong_office_or_year_is_refused_in_chinese(world: World, office: str, year: str) -> None:
    answer = ask(client_of(world.cast.manager), world.cast.a.pk if office == "ok" else office, year)
    assert answer.status_code == 400
    assert CHINESE.search(words(answer))
    with everywhere(reason="look"):
        assert not YearlyStatement.objects.exists()


def test_one_key_does_not_ask_for_two_years(world: World) -> None:
    manager, key = client_of(world.cast.manager), uuid.uuid4().hex
    assert ask(manager, world.cast.a.pk, 2026, key).status_code == 302
    assert ask(manager, world.cast.a.pk, 2025, key).status_code == 422


# -- jobs ----------------------------------------------------------------------------------------------------------


def job(world: World, by: User, **fields: object) -> Job:
    with everywhere(reason="arrange"):
        return Job.objects.create(
            kind="members.check_roster", key=uuid.uuid4().hex, subject_ids=[1], office=world.cast.a, requested_by=by,
            business_on=ASKED, **fields,
        )  # fmt: skip


def test_a_job_is_seen_by_its_requester_and_by_the_staff_of_its_office_alone(world: World) -> None:
    work = job(world, world.agent)
    address = reverse("workflow:job", args=[work.public_id])
    with everywhere(reason="arrange"):
        stranger = make_unit(world.cast.a, "91610800MA70A1B3D")[1]
    assert client_of(world.agent).get(address).status_code == 200
    assert client_of(stranger).get(address).status_code == 404
    assert client_of(world.cast.reviewer).get(address)["Location"] == reverse("admin:job", args=[work.public_id])
    assert client_of(world.cast.reviewer).get(address, follow=True).status_code == 200
    assert client_of(world.cast.outsider).get(address, follow=True).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_running_job_tells_stage_count_and_rate(world: World) -> None:
    begun = now() - timedelta(minutes=2)
    more = {"done_count": 20_000, "total_count": 50_000, "started_at": begun, "beat_at": now()}
    work = job(world, world.agent, job_state="running", stage="正在登记", **more)
    page = words(client_of(world.agent).get(reverse("workflow:job", args=[work.public_id])))
    for text in ("正在登记", "已办 20,000，共 50,000", "每分钟约", "大约还要", "您可以离开这个页面"):
        assert text in page


def test_a_failed_job_says_why_in_words_and_runs_again_when_a_manager_says_so(world: World) -> None:
    plain = job(world, world.agent, job_state="failed", error="申请这项任务的人已没有相应的权限。")
    coded = job(world, world.agent, job_state="failed", error="ZeroDivisionError")
    agent, manager = client_of(world.agent), client_of(world.cast.manager)
    assert "已没有相应的权限" in words(agent.get(reverse("workflow:job", args=[plain.public_id])))
    page = words(agent.get(reverse("workflow:job", args=[coded.public_id])))
    assert "ZeroDivisionError" not in page
    assert "再试一次" not in page
    again = reverse("admin:job_retry", args=[coded.public_id])
    assert client_of(world.cast.reviewer).post(again).status_code == 403
    assert client_of(world.cast.outsider).post(again).status_code == 404
    assert manager.get(again).status_code == 405
    assert manager.post(again).status_code == 302
    with everywhere(reason="look"):
        coded.refresh_from_db()
        assert coded.job_state == "queued"


# -- units ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def submitted(world: World) -> WorkUnit:
    with everywhere(reason="arrange"), frozen(JOINED):
        return make_unit(world.cast.a, "91610800MA70A1B3D")[0]


def test_a_unit_is_taken_in_or_sent_back_with_words(world: World, submitted: WorkUnit) -> None:
    reviewer, page = client_of(world.cast.reviewer), reverse("admin:unit", args=[submitted.pk])
    with frozen(ASKED):
        assert "待审核的单位登记" in words(reviewer.get("/admin/"))
    assert "通过登记" in words(reviewer.get(page))
    silent = reviewer.post(page, {"decision": "return", "note": " "})
    assert silent.status_code == 400
    assert "请写明要修改什么" in words(silent)
    assert reviewer.post(page, {"decision": "burn"}).status_code == 400
    assert reviewer.post(page, {"decision": "return", "note": "请上传工会批复"}).status_code == 302
    assert "请上传工会批复" in words(reviewer.get(page))
    assert reviewer.post(page, {"decision": "approve"}).status_code == 409
    with everywhere(reason="look"):
        assert WorkUnit.objects.get(pk=submitted.pk).state == "returned"


def test_who_may_decide_on_a_unit(world: World, submitted: WorkUnit) -> None:
    page = reverse("admin:unit", args=[submitted.pk])
    payer = client_of(world.cast.payer)
    assert "通过登记" not in words(payer.get(page))
    assert payer.post(page, {"decision": "approve"}).status_code == 403
    assert client_of(world.cast.outsider).get(page).status_code == 404
    assert client_of(world.cast.outsider).post(page, {"decision": "approve"}).status_code == 404
    assert client_of(world.cast.manager).post(page, {"decision": "approve"}).status_code == 302


# -- contributions -------------------------------------------------------------------------------------------------


def test_the_payer_sees_whom_a_contribution_makes_effective_and_the_papers(world: World) -> None:
    due = due_of_a_newcomer(world)
    with everywhere(reason="look"):
        member = due.member
    page = words(client_of(world.cast.payer).get(reverse("admin:due_confirm", args=[due.pk])))
    for text in ("到账后生效的参加记录", "王小明", "劳动合同", "2026年1月6日", "待缴互助费", "应缴 ¥125.00 元"):
        assert text in page
    assert make_id_number("610802", member.birth_date, 301) not in page
    with everywhere(reason="look"):
        paper = reverse("admin:evidence", args=[Evidence.objects.get().pk])
    answer = client_of(world.cast.payer).get(paper)
    assert answer.content == b"jpeg"
    assert "no-store" in answer["Cache-Control"]
    assert client_of(world.cast.outsider).get(paper).status_code == 404
    assert client_of(member.user).get(paper).status_code in (302, 403)


def test_a_refused_confirmation_leaves_the_debt_open(world: World) -> None:
    first, second = due_of_a_newcomer(world), due_of_a_newcomer(world, 303)
    payer = client_of(world.cast.payer)
    form = {"payer_name": "王小明", "bank_reference": "L1", "received_on": "2026-01-05", "amount_fen": "125", "remark": ""}
    with frozen(JOINED):
        assert payer.post(reverse("admin:due_confirm", args=[first.pk]), form).status_code == 302
        again = payer.post(reverse("admin:due_confirm", args=[second.pk]), form)
    assert again.status_code == 400
    assert "这一笔银行流水已经用过" in words(again)
    with everywhere(reason="look"):
        second.refresh_from_db()
        assert second.state == "open"
        assert Remittance.objects.count() == 1
        assert not AuditEntry.objects.filter(entity="members.contributiondue", entity_id=second.pk).exists()


def test_a_manager_reads_a_debt_and_cannot_confirm_it(world: World) -> None:
    due = due_of_a_newcomer(world)
    manager = client_of(world.cast.manager)
    page = manager.get(reverse("admin:due", args=[due.pk]))
    assert page.status_code == 200
    assert "银行到账信息" not in words(page)
    assert manager.get(reverse("admin:due_confirm", args=[due.pk])).status_code == 403
    assert client_of(world.cast.reviewer).get(reverse("admin:due", args=[due.pk])).status_code == 403


# -- claims --------------------------------------------------------------------------------------------------------


def test_the_review_page_tells_everything_a_decision_needs(world: World, claim: Claim) -> None:
    with frozen(ASKED):
        page = words(client_of(world.cast.reviewer).get(reverse("admin:claim_review", args=[claim.pk])))
    texts = (
        "榆林市在职职工医疗互助保障活动", "2026年1月6日至2026年12月31日", "没有等待期", "医疗费用结算单或发票", "第七条",
        "按条款计算的互助金", "¥4,400.00 元", "至 2026年5月28日", "医院等级", "18,000.00", "初审通过", "退回补充材料",
        "确认不予给付", "提交申领",
    )  # fmt: skip
    assert [text for text in texts if text not in page] == []


def test_a_rejection_is_confirmed_first(world: World, claim: Claim) -> None:
    address, reviewer = reverse("admin:claim_review", args=[claim.pk]), client_of(world.cast.reviewer)
    form = {"decision": "reject", "reason_code": "papers", "clause": "第七条", "note": "材料不足"}
    with frozen(ASKED):
        unsure = reviewer.post(address, form)
        assert unsure.status_code == 400
        assert "材料不足" in words(unsure)  # what was written is still there
        assert reviewer.post(address, {**form, "sure": "yes", "clause": ""}).status_code == 400
        assert reviewer.post(address, {**form, "sure": "yes"}).status_code == 302
    with everywhere(reason="look"):
        claim.refresh_from_db()
        assert (claim.state, claim.reason_code) == ("rejected", "papers")


def test_after_a_decision_the_next_of_the_queue_is_offered(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        second = world.claim(world.cover(world.member(103)), 100_000)
    reviewer = client_of(world.cast.reviewer)
    with frozen(ASKED):
        done = reviewer.post(reverse("admin:claim_review", args=[claim.pk]), {"decision": "review"}, follow=True)
        assert "已办理：初审通过" in words(done)
        assert "还有 1 件" in words(done)
        onward = reviewer.post(reverse("admin:claim_next"), {"leave": claim.pk})
    assert onward["Location"] == reverse("admin:claim_review", args=[second.pk])


def test_whoever_took_the_first_step_is_told_that_another_takes_the_second(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"):
        give_post(world.cast.reviewer, world.cast.a, Role.APPROVER)
    address, both = reverse("admin:claim_review", args=[claim.pk]), client_of(world.cast.reviewer)
    with frozen(ASKED):
        both.post(address, {"decision": "review"})
        page = words(both.get(address))
        assert "要由另一个人来办" in page
        assert 'form="pass"' not in page
        assert both.post(address, {"decision": "approve"}).status_code == 403


def test_a_reviewer_is_warned_of_stays_papers_and_accounts_used_twice(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        again = world.claim(claim.enrolment, 100_000)
        again.documents.filter(pk=again.documents.first().pk).update(sha256=claim.documents.first().sha256)
        BankCard.objects.filter(pk=again.card_id).update(owner_name="李四")
        again.documents.last().delete()
        screen([again])
    with frozen(ASKED):
        page = words(client_of(world.cast.reviewer).get(reverse("admin:claim_review", args=[again.pk])))
    days = f"与申领 {claim.number}（2026年5月20日至2026年5月28日）重叠"
    for text in (days, f"和申领 {claim.number} 的材料完全相同", "户名与申领人姓名不一致", "缺少必需的材料"):
        assert text in page


def test_nobody_at_the_desk_reads_a_draft(world: World) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        cover = world.cover(world.member(101))
        draft = intake.open_claim(
            enrolment=cover, claimant=cover.member, event="admission", by=world.worker(cover.member), on=ASKED
        )
    reviewer = client_of(world.cast.reviewer)
    assert draft.number not in words(reviewer.get(reverse("admin:claims_claim_changelist")))
    assert reviewer.get(reverse("admin:claim_review", args=[draft.pk])).status_code == 404


# -- payouts -------------------------------------------------------------------------------------------------------


def test_a_batch_page_counts_and_refuses_a_wrong_file_kindly(world: World, paid: Claim) -> None:
    payer = client_of(world.cast.payer)
    with everywhere(reason="look"):
        batch = PayoutBatch.objects.get()
    page = words(payer.get(reverse("admin:payout_batch", args=[batch.pk])))
    for text in ("已到账", "1 笔", "¥4,400.00 元", "李国强", "甄珍", paid.number):
        assert text in page
    address = reverse("admin:payout_return", args=[batch.pk])
    for file in (None, b"", b"\xff\xd8\xff", "附言,金额\r\n".encode()):
        sent = {} if file is None else {"file": SimpleUploadedFile("r.csv", file)}
        answer = payer.post(address, sent)
        assert answer.status_code == 400
        assert 'class="refused"' in words(answer)
    assert client_of(world.cast.manager).post(address).status_code == 403
    assert client_of(world.cast.outsider).get(reverse("admin:payout_batch", args=[batch.pk])).status_code == 404


def test_a_refused_batch_leaves_nothing_behind(world: World, claim: Claim) -> None:
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
        BankCard.objects.filter(pk=claim.card_id).update(bank_name='农业"银行')
    with frozen(ASKED):
        payer, choice = client_of(cast.payer), {"office": cast.a.pk, "fund": "mutual_aid"}
        page = words(payer.get(reverse("admin:payout_assemble"), choice))
        assert f"里有分隔符号：1 笔（{claim.number}）" in page
        assert "编成批次" not in page
        answer = payer.post(reverse("admin:payout_assemble"), choice | {"seen_count": "1", "seen_fen": "440000"})
    assert answer.status_code == 400
    assert "没有一笔可以付款" in words(answer)
    with everywhere(reason="look"):
        claim.refresh_from_db()
        assert claim.state == "approved"
        assert not PayoutBatch.objects.exists()


def test_the_maker_is_told_that_another_releases(world: World, claim: Claim) -> None:
    cast = world.cast
    with everywhere(reason="arrange"), frozen(ASKED):
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
        adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
    payer = client_of(cast.payer)
    with frozen(ASKED):
        choice = {"office": cast.a.pk, "fund": "mutual_aid", "seen_count": "1", "seen_fen": "440000"}
        made = payer.post(reverse("admin:payout_assemble"), choice, follow=True)
        assert "这个批次是您编制的" in words(made)
        assert "复核无误</button>" not in words(made)
        assert "待您复核或放款的批次" in words(client_of(cast.manager).get("/admin/"))


# -- people and searches -------------------------------------------------------------------------------------------


def test_people_are_found_by_number_or_name_and_shown_masked(world: World, claim: Claim) -> None:
    number = make_id_number("610802", claim.member.birth_date, 101)
    address, manager = reverse("admin:members_member_changelist"), client_of(world.cast.manager)
    for text in (number, "13800138000", "王小"):
        page = words(manager.get(address, {"q": text}))
        assert "王小明" in page
        assert number not in page.replace(f'value="{number}"', "").replace(f"?q={number}", "")
    for text in ("李", "110101199003070011", "1"):
        assert "没有找到这样的职工" in words(manager.get(address, {"q": text}))
    assert "没有找到这样的职工" in words(client_of(world.cast.outsider).get(address, {"q": number}))


def test_the_full_number_is_shown_for_a_reason_and_the_look_is_kept(world: World, claim: Claim) -> None:
    number = make_id_number("610802", claim.member.birth_date, 101)
    page, reviewer = reverse("admin:member", args=[claim.member_id]), client_of(world.cast.reviewer)
    assert number not in words(reviewer.get(page))
    told = {"reason": "与身份证照片核对"}
    assert reviewer.post(page, {"reason": "", "password": PASSWORD}).status_code == 400
    for wrong in (told, told | {"password": "x"}):
        assert reviewer.post(page, wrong).status_code == 400
    assert number in words(reviewer.post(page, told | {"password": PASSWORD}))
    assert number in words(reviewer.post(page, told)), "shown a moment ago who one is"
    assert number not in words(reviewer.get(page))
    assert client_of(world.cast.auditor).post(page, {"reason": "x"}).status_code == 403
    assert client_of(world.cast.outsider).post(page, {"reason": "x"}).status_code == 404
    with everywhere(reason="look"):
        seen = AuditEntry.objects.filter(action="see_id_number").latest("pk")
        assert (seen.actor_id, seen.note) == (world.cast.reviewer.pk, "与身份证照片核对")


def test_the_record_of_acts_is_found_by_number_person_act_and_day(world: World, claim: Claim) -> None:
    cast, address = world.cast, reverse("admin:workflow_auditentry_changelist")
    with everywhere(reason="arrange"), frozen(ASKED):
        adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED, note="材料齐全了")
    auditor = client_of(cast.auditor)
    number = make_id_number("610802", claim.member.birth_date, 101)
    for query in ({"number": claim.number}, {"actor": "s-qin"}, {"action": "review"}, {"action": "review", "number": claim.number}):
        page = words(auditor.get(address, query))
        assert "材料齐全了" in page
        assert "初审通过" in page
    assert "登记收款账户" in words(auditor.get(address, {"number": number}))
    assert "材料齐全了" not in words(auditor.get(address, {"number": world.unit.credit_code}))
    assert "材料齐全了" in words(auditor.get(address, {"since": str(now().date()), "until": str(now().date())}))
    assert "没有符合条件的办理记录" in words(auditor.get(address, {"until": "2020-01-01"}))
    assert "没有找到这个编号" in words(auditor.get(address, {"number": "SL000"}))
    assert "没有找到这个登录名" in words(auditor.get(address, {"actor": "nobody"}))
    assert client_of(cast.outsider).get(address, {"number": claim.number}).status_code == 200
    assert "没有找到这个编号" in words(client_of(cast.outsider).get(address, {"number": claim.number}))
    assert client_of(cast.reviewer).get(address).status_code == 403


def test_the_record_goes_on_to_older_acts(world: World) -> None:
    with everywhere(reason="arrange"):
        told = {"office": world.cast.a, "actor_label": "系统", "entity": "members.workunit", "entity_id": world.unit.pk}
        AuditEntry.objects.bulk_create([AuditEntry(**told, action="register", note=f"第{i}条") for i in range(60)])
    auditor, address = client_of(world.cast.auditor), reverse("admin:workflow_auditentry_changelist")
    page = words(auditor.get(address))
    (more,) = re.findall(r'href="\?([^"]*before=\d+)"', page)
    older = words(auditor.get(f"{address}?{more}"))
    assert "第59条" in page
    assert "第59条" not in older
    assert "第5条" in older


BAD = ("\x00", "9" * 40, "x" * 4000, "'; DROP TABLE x; --", "-1", "2026-02-30", "%%", "🀄")
LISTS = (
    "claims_claim", "payouts_payoutbatch", "members_member", "members_enrolment", "members_workunit", "members_roster",
    "members_contributiondue", "programs_program", "programs_terms", "reports_yearlystatement", "workflow_job", "workflow_auditentry",
)  # fmt: skip


KEYS = ("q", "p", "state", "state__exact", "o", "nothing__at__all", "number", "actor", "action", "since", "before", "e", "all")


@pytest.mark.parametrize("name", LISTS)
def test_no_address_of_a_list_breaks_it(world: World, claim: Claim, name: str) -> None:
    manager = client_of(world.cast.manager)
    address = reverse(f"admin:{name}_changelist")
    for value in BAD:
        for key in KEYS:
            answer = manager.get(address, {key: value})
            assert answer.status_code in (200, 400), (key, value)
            if answer.status_code == 400 and answer.content:
                assert CHINESE.search(words(answer))


# -- statements, roles, words --------------------------------------------------------------------------------------


def count(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200, address
    return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def pages(world: World) -> list[str]:
    """Every list, and a page of everything there is one of."""
    with everywhere(reason="look"):
        shown = [
            ("admin:claim_review", Claim.objects.order_by("id").first()),
            ("admin:payout_batch", PayoutBatch.objects.order_by("id").first()),
            ("admin:unit", world.unit),
            ("admin:member", Claim.objects.order_by("id").first().member),
            ("admin:enrolment", Enrolment.objects.order_by("id").first()),
            ("admin:due", ContributionDue.objects.order_by("id").first()),
            ("admin:terms", world.yulin),
            ("admin:program", world.yulin.program),
            ("admin:yearly_statement", YearlyStatement.objects.order_by("id").first()),
        ]
    lists = [reverse(f"admin:{name}_changelist") for name in LISTS]
    return ["/admin/", *lists, *(reverse(name, args=[row.pk]) for name, row in shown)]


def test_every_page_takes_the_same_number_of_statements_for_one_row_or_many(world: World, paid: Claim) -> None:
    manager = client_of(world.cast.manager)
    ask(manager, world.cast.a.pk)
    with frozen(ASKED):
        run_due("reports")
    addresses = pages(world)
    for address in addresses:
        manager.get(address)  # warm
    one = {address: count(manager, address) for address in addresses}
    with everywhere(reason="arrange"), frozen(ASKED):
        for i in range(5):
            cover = world.cover(world.member(401 + 2 * i))
            world.claim(cover, 100_000 + i)
            make_unit(world.cast.a, f"91610800MA70A1{i}CC")
        for _ in range(3):
            reports.request(world.cast.a, 2026, by=world.cast.actor(world.cast.manager))
    for i in range(4):
        due_of_a_newcomer(world, 501 + 2 * i)
    assert {address: count(manager, address) for address in addresses} == one
    assert max(one.values()) <= 24


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        ("reviewer", {"claims_claim", "members_member", "members_enrolment", "members_workunit", "members_roster", "programs_program",
                      "programs_terms", "workflow_job"}),
        ("payer", {"claims_claim", "members_member", "members_enrolment", "members_workunit", "members_roster", "programs_program",
                   "programs_terms", "workflow_job", "members_contributiondue", "payouts_payoutbatch"}),
        ("manager", set(LISTS)),
        ("hq_user", set(LISTS)),
        ("auditor", set(LISTS)),
        ("administrator", {"workflow_job"}),
    ],
)  # fmt: skip
def test_each_role_opens_its_lists_and_no_other_and_its_home_links_to_just_these(
    world: World, administrator: User, role: str, opens: set[str]
) -> None:
    client = client_of(administrator if role == "administrator" else getattr(world.cast, role))
    home = words(client.get("/admin/"))
    for name in LISTS:
        address = reverse(f"admin:{name}_changelist")
        assert (client.get(address).status_code == 200) is (name in opens), name
        assert (address in home) is (name in opens), name
    for link in set(re.findall(r'href="(/admin/[^"]*)"', home)):
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link


def test_workers_agents_and_strangers_do_not_get_to_the_desk(world: World, claim: Claim) -> None:
    addresses = ("/admin/", "/admin/login/", reverse("admin:members_member_changelist"), reverse("admin:member", args=[claim.member_id]))
    for user in (claim.member.user, world.agent):
        for address in addresses:
            assert client_of(user).get(address, follow=True).status_code == 403
    assert "/login" in Client().get("/admin/login/?next=/admin/")["Location"]


def test_djangos_own_pages_are_not_doors(world: World, claim: Claim) -> None:
    manager = client_of(world.cast.manager)
    assert manager.get("/admin/claims/").status_code == 302
    assert manager.get("/admin/password_change/")["Location"] == reverse("change_password")
    assert manager.get(f"/admin/claims/claim/{claim.pk}/change/")["Location"] == reverse("admin:claim_review", args=[claim.pk])
    for address in (f"/admin/claims/claim/{claim.pk}/history/", "/admin/members/member/x/change/"):
        assert manager.get(address).status_code == 404
    for address in ("/admin/claims/claim/add/", f"/admin/claims/claim/{claim.pk}/delete/"):
        assert manager.get(address).status_code == 403


def test_every_act_that_is_recorded_has_words() -> None:
    """An act without words would stand in the record as “其他办理”."""
    recorded: set[str] = set()
    for room in ("unionaid", "programs", "members", "claims"):
        for path in (ROOT / room).rglob("*.py"):
            recorded |= set(re.findall(r'\b(?:record\(\[[^\]]*\]|remember\(\w+), "([a-z_]+)"', path.read_text("utf-8")))
    assert {"open", "sign_up", "give_post"} <= recorded
    assert sorted(recorded - set(ACTS)) == []


# -- the house itself ----------------------------------------------------------------------------------------------


def test_the_administrator_makes_a_login_gives_a_post_and_ends_it(world: World, administrator: User) -> None:
    client = client_of(administrator)
    form = {"username": "s-new", "display_name": "新同事", "password": "mutual-aid-2026"}
    assert client.post(reverse("admin:login_make"), {**form, "password": "1"}).status_code == 400
    assert client.post(reverse("admin:login_make"), {**form, "username": "s-qin"}).status_code == 400
    assert client.post(reverse("admin:login_make"), form).status_code == 302
    newcomer = User.objects.get(username="s-new")
    post = {"username": "s-new", "office": world.cast.a.pk, "role": "reviewer", "since": "2026-01-01"}
    with frozen(ASKED):
        assert client_of(newcomer).get("/admin/")["Location"].startswith("/password"), "somebody else knows it"
        own = {"old": form["password"], "new": "own-word-2026", "again": "own-word-2026"}
        assert client_of(newcomer).post(reverse("change_password"), own).status_code == 302
        newcomer.refresh_from_db()
        assert client_of(newcomer).get("/admin/", follow=True).status_code == 403
        assert client.post(reverse("admin:post_give"), {**post, "role": "king"}).status_code == 400
        assert client.post(reverse("admin:post_give"), {**post, "username": "s-admin"}).status_code == 400
        assert client.post(reverse("admin:post_give"), post).status_code == 302
        assert client.post(reverse("admin:post_give"), post).status_code == 400
        assert client_of(newcomer).get("/admin/").status_code == 200
        given = reverse("admin:post_end", args=[StaffPost.objects.get(user=newcomer).pk])
        assert client.post(given, {"until": "2025-01-01"}).status_code == 400
        assert client.post(given, {"until": "2026-06-30"}).status_code == 302
        assert client_of(newcomer).get("/admin/", follow=True).status_code == 403
    with everywhere(reason="look"):
        assert {"make_login", "give_post", "end_post"} <= set(AuditEntry.objects.values_list("action", flat=True))


def _refusal() -> int:
    with everywhere(reason="look"):
        return int(Refusal.objects.get().pk)


def test_two_administrators_appoint_who_handles_money_and_take_an_authenticator_away(world: World, administrator: User) -> None:
    with everywhere(reason="arrange"):
        second, newcomer = make_user("s-second", "另一位管理员"), make_user("s-cash", "新出纳")
        give_post(second, world.cast.headquarters, Role.SYSTEM_ADMIN)
    first, other, cashier = client_of(administrator), client_of(second), client_of(newcomer)
    form = {"username": "s-cash", "office": world.cast.a.pk, "role": "payer", "since": "2026-01-01"}
    with frozen(ASKED):
        assert first.post(reverse("admin:post_give"), form).status_code == 302
        page = reverse("admin:post_end", args=[StaffPost.objects.get(user=newcomer).pk])
        assert cashier.get("/admin/", follow=True).status_code == 403, "not in force yet"
        assert "撤回，不任命了" in first.get(page).content.decode()
        assert first.post(page, {"answer": "yes"}).status_code == 403
        assert "待您确认的任命" in other.get("/admin/").content.decode()
        assert "确认任命" in other.get(page).content.decode()
        assert other.post(page, {"answer": "yes"}).status_code == 302
        assert cashier.get("/admin/").status_code == 200
        assert other.post(page, {"answer": "no"}).status_code == 400, "it is ended now, not refused"
        first.post(reverse("admin:post_give"), {**form, "username": "s-second", "role": "office_manager"})
        waits = StaffPost.objects.get(confirmed_at=None)
        assert other.post(reverse("admin:post_end", args=[waits.pk]), {"answer": "yes"}).status_code == 403, "nobody confirms their own"
        with pytest.raises(IntegrityError, match="post_for_money_given_by_two"), transaction.atomic():  # past the code
            StaffPost.objects.filter(pk=waits.pk).update(confirmed_by=second, confirmed_at=now())
        assert first.post(reverse("admin:post_end", args=[waits.pk]), {"answer": "no"}).status_code == 302
        assert not StaffPost.objects.filter(pk=waits.pk).exists()
        assert "没有办成的提请" not in first.get("/admin/").content.decode(), "they took it back themselves"
        first.post(reverse("admin:post_give"), {**form, "since": "2026-08-01"})
        again = reverse("admin:post_end", args=[StaffPost.objects.get(confirmed_at=None).pk])
        assert "请写明不同意的原因" in other.post(again, {"answer": "no", "why": " "}).content.decode()
        assert other.post(again, {"answer": "no", "why": "这个人八月调走"}).status_code == 302
        told = first.get("/admin/").content.decode()
        assert "您提出的任命（新出纳：榆林办事处 · 出纳），另一位管理员没有同意。" in told
        assert "这个人八月调走" in told
        assert "这个人八月调走" not in other.get("/admin/").content.decode()
        put_away = reverse("admin:refusal_read", args=[_refusal()])
        assert other.post(put_away).status_code == 404
        assert first.post(put_away).status_code == 302
        assert "这个人八月调走" not in first.get("/admin/").content.decode()
    User.objects.filter(pk=newcomer.pk).update(totp_key=b"x", totp_since=now())
    page = reverse("admin:account", args=[newcomer.pk])
    kept = ((first, "confirm"), (first, "ask"), (first, "ask"), (first, "confirm"), (other, "keep"), (other, "confirm"), (other, "ask"))
    assert first.post(page, {"drop_factor": "ask"}).status_code == 302
    assert other.post(page, {"drop_factor": "keep"}).status_code == 400, "without a reason it still waits"
    assert FactorDrop.objects.filter(done_at=None).exists()
    for client, act in kept:
        client.post(page, {"drop_factor": act, "why": "来的不是本人"})
        assert User.objects.get(pk=newcomer.pk).has_second_factor, act
    told = first.get("/admin/").content.decode()
    assert "您提请解除新出纳的动态验证码，另一位管理员没有解除。" in told
    assert "来的不是本人" in told
    first.post(page, {"drop_factor": "confirm"})
    assert not User.objects.get(pk=newcomer.pk).has_second_factor
    assert FactorDrop.objects.get().done_by == administrator
    with pytest.raises(IntegrityError, match="factor_dropped_by_two"), transaction.atomic():
        FactorDrop.objects.update(done_by=second)
    with everywhere(reason="look"):
        told = set(AuditEntry.objects.values_list("action", flat=True))
    assert told >= {"confirm_post", "refuse_post", "ask_drop_factor", "keep_factor", "drop_factor"}


def test_logins_are_closed_and_opened_and_no_one_else_manages_them(world: World, administrator: User) -> None:
    page, client = reverse("admin:account", args=[world.cast.reviewer.pk]), client_of(administrator)
    assert client_of(world.cast.manager).get(page).status_code == 403
    assert client.post(page, {"active": "no"}).status_code == 302
    assert not User.objects.get(pk=world.cast.reviewer.pk).is_active
    assert client.post(page, {"active": "yes"}).status_code == 302
    assert client.post(page, {"password": "short"}).status_code == 400
    assert client.post(page, {"password": "another-2026-word"}).status_code == 302
    assert User.objects.get(pk=world.cast.reviewer.pk).check_password("another-2026-word")
    own = reverse("admin:account", args=[administrator.pk])
    client.post(own, {"active": "no"})
    assert User.objects.get(pk=administrator.pk).is_active
    with everywhere(reason="arrange"):
        local = make_user("s-local", "西安管理员")
        give_post(local, world.cast.b, Role.SYSTEM_ADMIN)
    assert client_of(local).get(page).status_code == 404


def test_an_office_changes_what_workers_see_of_it(world: World, administrator: User) -> None:
    page, client = reverse("admin:office", args=[world.cast.a.pk]), client_of(administrator)
    account = {"account_name": "榆林市总工会", "account_number": "6100", "bank_name": "农行", "bank_format": "xlsx"}
    form = {"name": "榆林办事处", "phone": "0912-3888888", **account}
    assert client.post(page, {**form, "name": ""}).status_code == 400
    assert client.post(page, form).status_code == 302
    world.cast.a.refresh_from_db()
    assert world.cast.a.phone == "0912-3888888"


def test_contributions_and_units_of_this_test_are_real(world: World) -> None:
    """The control of the refusals above: the same act, asked for rightly, is done."""
    due = due_of_a_newcomer(world)
    with everywhere(reason="arrange"), frozen(JOINED):
        contributions.confirm(
            due, payer_name="王小明", bank_reference="L9", received_on=JOINED, amount_fen=12_500, remark="",
            by=world.cast.actor(world.cast.payer), on=JOINED,
        )  # fmt: skip
        assert Enrolment.objects.get(pk=due.enrolment_id).state == "effective"
