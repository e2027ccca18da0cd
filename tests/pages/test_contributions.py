"""Contributions through the front door: the slip, the statement, the match, the receipt, the refund; and who may not."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.backends.postgresql.psycopg_any import DateRange
from django.http import HttpResponse
from django.urls import reverse
from PIL import Image

from members.models import BankStatement, ContributionDue, DuePaper, Enrolment, Match, Refund, Remittance, RemittanceCorrection
from members.selectors.arrivals import arrivals_of
from members.selectors.contributions import discrepancies
from members.services import contributions
from tests.factories.clients import client_of, html
from tests.factories.offices import PASSWORD, give_post, make_user
from tests.factories.world import JOINED, World, make_unit
from tests.members.services.test_contributions import CAMT, a_roster, arrived, csv
from tests.pages.test_desk import due_of_a_newcomer
from unionaid.accounts.models import User
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import Role
from unionaid.offices.scope import everywhere
from unionaid.workflow.jobs import run_due
from unionaid.workflow.models import AuditEntry, Job


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with frozen(JOINED):
        yield


def words(answer: HttpResponse) -> str:
    return html(answer)


def photo(colour: str = "#335577") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "PNG")
    return SimpleUploadedFile("回单.png", out.getvalue(), "image/png")


def file(data: bytes, name: str = "流水.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def the(model: type[Any], **which: Any) -> Any:
    with everywhere(reason="look"):
        return model.objects.get(**which)


def user_of(due: ContributionDue) -> User:
    """Whose debt it is."""
    with everywhere(reason="look"):
        return ContributionDue.objects.select_related("member__user").get(pk=due.pk).member.user


def taken(world: World, data: bytes) -> int:
    """A statement that the payer sends in, looks at, and confirms at the desk."""
    client = client_of(world.cast.payer)
    answer = client.post(reverse("admin:statement_new"), {"office": world.cast.a.pk, "file": file(data)})
    assert answer.status_code == 302, words(answer)
    run_due("default")
    pk = int(re.findall(r"/(\d+)/record/", answer["Location"])[0])
    assert client.post(reverse("admin:statement_confirm", args=[pk])).status_code == 302
    run_due("default")
    return pk


def test_from_the_statement_to_the_receipt(world: World) -> None:
    due, silent = due_of_a_newcomer(world), due_of_a_newcomer(world, 303)
    client, rows = client_of(world.cast.payer), [
        f"2026-01-05,A1,125.00,,王小明,互助费,{due.reference}", "2026-01-05,A2,125.00,,王小明,互助费,", "2026-01-05,A3,xx,,王小明,,",
    ]  # fmt: skip
    answer = client.post(reverse("admin:statement_new"), {"office": world.cast.a.pk, "file": file(csv(rows))}, follow=True)
    assert "正在读取" in words(answer)
    run_due("default")
    statement = the(BankStatement)
    page = reverse("admin:statement", args=[statement.pk])
    shown = words(client.get(page))
    for text in ("来款 2 笔，合计 ¥250.00 元", "金额“xx”读不懂", "导入 2 笔来款", due.reference):
        assert text in shown
    assert "A1" not in words(client.get(page, {"only": "bad"}))
    with everywhere(reason="look"):
        assert not Remittance.objects.exists()
    assert client.post(reverse("admin:statement_confirm", args=[statement.pk])).status_code == 302
    run_due("default")
    shown = words(client.get(reverse("admin:matching")))
    assert "附言和金额都一致" in shown
    assert "付款人和金额一致，附言没有写" in shown
    boxes = re.findall(r'name="pair" value="([0-9:]+)"( checked)?', shown)
    assert [bool(ticked) for _box, ticked in boxes] == [True, False]
    assert client.post(reverse("admin:matching"), {"pair": [box for box, _ticked in boxes]}).status_code == 302
    for one in (due, silent):
        one = the(ContributionDue, pk=one.pk)
        assert one.state == "settled"
        assert the(Enrolment, pk=one.enrolment_id).state == "effective"
    worker = client_of(user_of(due))
    cover = the(Enrolment, pk=due.enrolment_id)
    assert "下载收据" in words(worker.get(reverse("members:pay", args=[cover.public_id])))
    own, office = reverse("members:my_receipt", args=[cover.public_id]), reverse("admin:due_receipt", args=[due.pk])
    for who, address in ((worker, own), (client, office)):
        receipt = who.get(address)
        assert (receipt.status_code, receipt["Content-Type"], receipt.content[:5]) == (200, "application/pdf", b"%PDF-")
    public = client_of(world.cast.auditor).get(reverse("members:verify_receipt", args=[due.public_id]))
    assert "收据有效" in words(public)
    assert "王小明" not in words(public)
    assert "125.00" in words(public)
    with everywhere(reason="look"):
        assert discrepancies() == []


def test_the_same_file_the_wrong_file_and_nothing_are_answered_in_words(world: World) -> None:
    client, address = client_of(world.cast.payer), reverse("admin:statement_new")
    data = csv(["2026-01-05,A1,125.00,,x,,"])
    taken(world, data)
    again = client.post(address, {"office": world.cast.a.pk, "file": file(data)})
    assert again.status_code == 400
    assert "已由甄珍导入过" in words(again)
    assert client.post(address, {"office": world.cast.a.pk}).status_code == 400
    assert client.post(address, {"office": world.cast.b.pk, "file": file(csv(["x"]))}).status_code == 400
    assert client.post(address, {"office": world.cast.a.pk, "file": file(b"<!DOCTYPE x []><x/>", "a.xml")}).status_code == 302
    run_due("default")
    bad = the(BankStatement, state="unreadable")
    assert "不允许的内容" in words(client.get(reverse("admin:statement", args=[bad.pk])))
    taken(world, CAMT.format(name="单位", remark="x").replace(">A1<", ">A7<").encode())
    assert the(Remittance, bank_reference="A7").amount_fen == 12_500


def test_matching_twice_or_what_is_gone_is_refused_and_changes_nothing(world: World) -> None:
    due = due_of_a_newcomer(world)
    with everywhere(reason="arrange"):
        one = arrived(world, 12_500, due.reference)
    client, box = client_of(world.cast.payer), f"{one.pk}:{due.pk}:12500"
    assert client.post(reverse("admin:matching"), {"pair": ["x", "1:2", "9:9:9:9", "٣:1:1"]}).status_code == 400
    assert client.post(reverse("admin:matching"), {"pair": [box.replace("12500", "12501")]}).status_code == 400
    assert client.post(reverse("admin:matching"), {"pair": [box, box]}).status_code == 302
    assert client.post(reverse("admin:matching"), {"pair": [box]}).status_code == 409
    assert the(Match).amount_fen == 12_500


def test_by_hand_under_and_over_and_back(world: World) -> None:
    first, second = due_of_a_newcomer(world), due_of_a_newcomer(world, 303)
    with everywhere(reason="arrange"):
        one = arrived(world, 20_000, name="王小明")
    client = client_of(world.cast.payer)
    page, act = reverse("admin:remittance", args=[one.pk]), reverse("admin:remittance_match", args=[one.pk])
    assert client.get(page).status_code == 200
    assert client.post(act, {"reference": "HZNOTHERE"}).status_code == 400
    assert client.post(act, {"reference": ""}).status_code == 400
    assert client.post(act, {"reference": first.reference}).status_code == 302
    assert client.post(act, {"reference": second.reference.lower()}).status_code == 302
    assert (the(ContributionDue, pk=second.pk).state, the(Remittance).state) == ("part_paid", "matched")
    shown = words(client.get(reverse("admin:due", args=[second.pk])))
    assert "部分到账" in shown
    assert "¥50.00" in shown
    match = the(Match, due=second)
    undo = reverse("admin:remittance_unmatch", args=[one.pk])
    assert client.post(undo, {"match": match.pk}).status_code == 400
    assert client.post(undo, {"match": "x", "note": "错"}).status_code == 404
    assert client.post(undo, {"match": match.pk, "note": "\x00"}).status_code == 400
    assert client.post(undo, {"match": match.pk, "note": "不是这个人的"}).status_code == 302
    assert client.post(undo, {"match": match.pk, "note": "不是这个人的"}).status_code == 409
    assert (the(ContributionDue, pk=second.pk).state, the(Remittance).state) == ("open", "over")
    worker, own = client_of(user_of(first)), reverse("members:pay", args=[the(Enrolment, pk=first.enrolment_id).public_id])
    assert "多缴 75.00 元" in words(worker.get(own)), "whoever paid too much sees it"
    assert "这笔来款还余 75.00 元" in words(client.get(reverse("admin:due", args=[first.pk])))
    with everywhere(reason="arrange"):
        for due, reference in ((first, "TWICE"), (second, "BOTH")):
            arrived(world, 12_500, f"{first.reference} {due.reference}", reference=reference)
    assert "已经缴清，可能是重复缴费" in words(client.get(reverse("admin:matching")))
    assert "到账情况" in words(worker.get(own))
    with everywhere(reason="look"):
        shown = arrivals_of(the(ContributionDue, pk=first.pk))
    assert [(one.amount_fen, one.here_fen, one.over_fen, one.waits_fen) for one in shown] == [
        (20_000, 12_500, 7500, 0), (12_500, 0, 0, 12_500),
    ], "what also names somebody else's debt tells nothing of itself"  # fmt: skip


def test_what_was_typed_in_wrongly_walks_past_two_people(world: World) -> None:
    due = due_of_a_newcomer(world)
    client, manager = client_of(world.cast.payer), client_of(world.cast.manager)
    new = reverse("admin:remittance_new")
    assert due.reference in words(client.get(new, {"due": due.pk}))
    line = {"office": world.cast.a.pk, "payer_name": "王小明", "bank_reference": "H1", "received_on": "2026-01-05", "remark": due.reference}
    assert client.post(new, {**line, "amount_fen": "x"}).status_code == 400
    made = client.post(new, {**line, "amount_fen": "100"}, follow=True)
    assert "登记有误，提出更正" in words(made)
    ask = reverse("admin:remittance_correct", args=[the(Remittance).pk])
    assert client.post(ask, {"arrived": "no"}).status_code == 400
    assert client.post(ask, {**line, "arrived": "yes", "amount_fen": "100", "note": "x"}).status_code == 400, "nothing differs"
    assert client.post(ask, {**line, "arrived": "yes", "amount_fen": "125", "note": "回单 125 元"}).status_code == 302
    page = reverse("admin:remittance_correction", args=[the(RemittanceCorrection).pk])
    assert "要由另一位出纳或办事处负责人复核" in words(client.get(page))
    assert client.post(page, {"decision": "release"}).status_code == 403
    assert manager.post(page, {"decision": "x"}).status_code == 400
    assert manager.post(page, {"decision": "drop"}).status_code == 400
    assert "待复核的来款更正" in words(manager.get("/admin/"))
    assert manager.post(page, {"decision": "release"}).status_code == 302
    assert manager.post(page, {"decision": "release"}).status_code == 409
    assert "登记有误，已冲销" in words(client.get(reverse("admin:remittance", args=[the(Remittance, state="reversed").pk])))
    with everywhere(reason="look"):
        assert [(one.bank_reference, one.amount_fen) for one in Remittance.objects.filter(state="unmatched")] == [("H1", 12_500)]
        assert discrepancies() == []


def test_a_typed_amount_that_differs_is_asked_about_once(world: World) -> None:
    due = due_of_a_newcomer(world)
    client, address = client_of(world.cast.payer), reverse("admin:due_confirm", args=[due.pk])
    form = {"payer_name": "王小明", "bank_reference": "L1", "received_on": "2026-01-05", "amount_fen": "100", "remark": ""}
    asked = client.post(address, form)
    assert asked.status_code == 400
    assert "流水上的金额确实与应缴不同" in words(asked)
    with everywhere(reason="look"):
        assert not Remittance.objects.exists()
    assert client.post(address, {**form, "differs": "on"}).status_code == 302
    assert the(ContributionDue, pk=due.pk).state == "part_paid"
    worker = client_of(user_of(due))
    cover = the(Enrolment, pk=due.enrolment_id)
    shown = words(worker.get(reverse("members:pay", args=[cover.public_id])))
    assert "还欠互助费 ¥25.00 元" in shown
    assert "撤回" not in shown
    refused = worker.post(reverse("members:withdraw", args=[cover.public_id]), {"sure": "on", "confirm": "on", "answer": "yes"})
    assert the(Enrolment, pk=due.enrolment_id).state == "contribution_due", refused.status_code
    assert client.post(address, {**form, "bank_reference": "L2", "amount_fen": "25"}).status_code == 302
    assert the(Enrolment, pk=due.enrolment_id).state == "effective"


REFUND = {
    "reason": "over_payment", "duplicate": "", "amount_fen": "75", "payee_name": "王小明", "bank_name": "农行",
    "account_number": "6228480402564890018", "note": "", "password": PASSWORD,
}  # fmt: skip


def test_a_refund_walks_past_two_people(world: World) -> None:
    due = due_of_a_newcomer(world)
    with everywhere(reason="arrange"):
        one = arrived(world, 20_000, due.reference, "王小明")
        contributions.match([contributions.Pair(one.pk, due.pk, 12_500)], by=world.cast.actor(world.cast.payer), on=JOINED)
    payer, manager = client_of(world.cast.payer), client_of(world.cast.manager)
    address = reverse("admin:refund_propose", args=[one.pk])
    assert "余额" in words(payer.get(address))
    assert "请再输一次登录密码" in payer.post(address, REFUND | {"password": ""}).content.decode()
    assert payer.post(address, {**REFUND, "amount_fen": "75.01"}).status_code == 400
    assert payer.post(address, {**REFUND, "reason": "gift"}).status_code == 400
    assert payer.post(address, {**REFUND, "account_number": "12"}).status_code == 400
    assert payer.post(address, REFUND).status_code == 302
    refund = the(Refund)
    page, act = reverse("admin:refund", args=[refund.pk]), reverse("admin:refund_act", args=[refund.pk])
    assert "要由另一个人复核" in words(payer.get(page))
    release = {"act": "release", "password": PASSWORD}
    assert payer.post(act, release).status_code == 403
    assert payer.post(act, {"act": "mark_paid", "bank_reference": "P", "paid_on": "2026-01-05"}).status_code == 409
    assert "待复核的互助费退款" in words(manager.get("/admin/"))
    wrong = [release | {"password": word} for word in ("", "x")]
    assert [manager.post(act, said).status_code for said in (*wrong, release)] == [400, 400, 302]
    assert manager.post(act, {"act": "release"}).status_code == 409
    assert "6228480402564890018" not in words(payer.get(page))
    later = client_of(world.cast.payer)  # another session, in which nothing was proven
    for word in ("", "x"):
        assert "6228480402564890018" not in words(later.post(act, {"act": "see_account", "password": word}))
    seen = later.post(act, {"act": "see_account", "password": PASSWORD})
    assert "6228480402564890018" in words(seen)
    assert "no-store" in seen["Cache-Control"]
    with everywhere(reason="look"):
        assert AuditEntry.objects.filter(action="see_account", actor=world.cast.payer).count() == 1
    assert client_of(world.cast.auditor).post(act, {"act": "see_account"}).status_code == 403
    assert payer.post(act, {"act": "mark_paid", "bank_reference": "", "paid_on": "2026-01-05"}).status_code == 400
    assert payer.post(act, {"act": "mark_paid", "bank_reference": "P1", "paid_on": "2026-01-05"}).status_code == 302
    assert payer.post(act, {"act": "nothing"}).status_code == 400
    assert payer.post(act, {"act": "drop", "note": "\x00"}).status_code == 400
    assert (the(Refund).state, the(Remittance).state) == ("paid", "refunded")
    with everywhere(reason="look"):
        assert discrepancies() == []


def test_a_second_payer_may_release_what_the_first_proposed(world: World) -> None:
    due = due_of_a_newcomer(world)
    with everywhere(reason="arrange"):
        second = make_user("s-two", "第二出纳")
        give_post(second, world.cast.a, Role.PAYER)
        one = arrived(world, 20_000, due.reference, "王小明")
        contributions.match([contributions.Pair(one.pk, due.pk, 12_500)], by=world.cast.actor(world.cast.payer), on=JOINED)
    assert client_of(world.cast.payer).post(reverse("admin:refund_propose", args=[one.pk]), REFUND).status_code == 302
    release = {"act": "release", "password": PASSWORD}
    assert client_of(second).post(reverse("admin:refund_act", args=[the(Refund).pk]), release).status_code == 302


def test_a_person_is_not_taken_in_at_the_desk_and_a_roster_is_charged_less(world: World) -> None:
    due = due_of_a_newcomer(world)
    client, address = client_of(world.cast.payer), reverse("admin:due_waive", args=[due.pk])
    assert "不予参加" in words(client.get(reverse("admin:due", args=[due.pk])))
    assert client.post(address, {"note": ""}).status_code == 400
    assert client.post(address, {"note": "不符合条件"}).status_code == 302
    assert client.post(address, {"amount_fen": "1", "reason": "refused", "note": "x"}).status_code == 409
    assert (the(ContributionDue).state, the(Enrolment).state) == ("cancelled", "refused")
    with everywhere(reason="arrange"):
        roster = a_roster(world, {"unit": 1000})
    less = reverse("admin:due_waive", args=[the(ContributionDue, roster=roster).pk])
    refused = client.post(less, {"amount_fen": "5", "reason": "void", "note": "x"})
    assert refused.status_code == 400
    assert "最多 0.00 元" in words(refused)


# -- slips -----------------------------------------------------------------------------------------------------------


def test_the_payer_sends_a_slip_and_the_desk_sees_it_and_nobody_else(world: World) -> None:
    mine = due_of_a_newcomer(world)
    with everywhere(reason="arrange"):
        roster = a_roster(world, {"province": 7500, "unit": 2000})
        province = roster.dues.get(payer="province")
        cover = Enrolment.objects.get(pk=mine.enrolment_id)
        stranger = world.member(901, "外人甲").user
        _unit, other_agent = make_unit(world.cast.b, "91610100MA70A1B3D")
    worker, agent = client_of(user_of(mine)), client_of(world.agent)
    home = words(agent.get(reverse("members:unit_home")))
    assert home.count("转账附言（一定要写）") == 2
    assert "缴费方：省" in home
    pages = {
        reverse("members:pay", args=[cover.public_id]): worker,
        reverse("members:unit_due", args=[province.pk]): agent,
    }
    for page, client in pages.items():
        assert client.post(page, {}).status_code == 400
        assert client.post(page, {"paper": SimpleUploadedFile("a.exe", b"MZ")}).status_code == 400
        for _ in range(2):
            assert client.post(page, {"paper": photo()}).status_code == 302
        assert "回单.jpg" in words(client.get(page))
    with everywhere(reason="look"):
        of_mine, of_unit = DuePaper.objects.get(due=mine), DuePaper.objects.get(due=province)
    desk = client_of(world.cast.payer)
    assert "缴费凭据" in words(desk.get(reverse("admin:due", args=[province.pk])))
    for paper, allowed, route in ((of_mine, worker, "members:my_slip"), (of_unit, agent, "members:unit_slip")):
        answer = allowed.get(reverse(route, args=[paper.public_id]))
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert "no-store" in answer["Cache-Control"]
        assert desk.get(reverse("admin:due_slip", args=[paper.public_id])).status_code == 200
        assert client_of(world.cast.outsider).get(reverse("admin:due_slip", args=[paper.public_id])).status_code == 404
        assert client_of(stranger).get(reverse("members:my_slip", args=[paper.public_id])).status_code == 404
        assert client_of(other_agent).get(reverse("members:unit_slip", args=[paper.public_id])).status_code == 404
    assert client_of(other_agent).get(reverse("members:unit_due", args=[province.pk])).status_code == 404
    assert client_of(other_agent).post(reverse("members:unit_due", args=[province.pk]), {"paper": photo()}).status_code == 404
    assert agent.get(reverse("members:unit_receipt", args=[province.pk])).status_code == 404
    assert worker.get(reverse("members:my_receipt", args=[cover.public_id])).status_code == 404


def test_slips_come_to_an_end_and_stop_when_it_is_paid(world: World) -> None:
    with everywhere(reason="arrange"):
        due = a_roster(world, {"unit": 2000}).dues.get()
    agent, page = client_of(world.agent), reverse("members:unit_due", args=[due.pk])
    for i in range(contributions.MAX_SLIPS):
        assert agent.post(page, {"paper": photo(f"#3355{i:02d}")}).status_code == 302
    assert agent.post(page, {"paper": photo("#ffffff")}).status_code == 400
    with everywhere(reason="arrange"):
        one = arrived(world, 2000)
        contributions.match([contributions.Pair(one.pk, due.pk, 2000)], by=world.cast.actor(world.cast.payer), on=JOINED)
    assert agent.post(page, {"paper": photo("#fefefe")}).status_code == 400
    assert agent.get(reverse("members:unit_receipt", args=[due.pk])).content[:5] == b"%PDF-"


# -- who may not -----------------------------------------------------------------------------------------------------


def test_other_offices_are_told_nothing_and_other_roles_may_not(world: World) -> None:
    due = due_of_a_newcomer(world)
    number = "流水A1之甲"  # no page holds it by chance
    pk = taken(world, csv([f"2026-01-05,{number},300.00,,王小明,互助费,{due.reference}"]))
    one = the(Remittance)
    with everywhere(reason="arrange"):
        contributions.match([contributions.Pair(one.pk, due.pk, 12_500)], by=world.cast.actor(world.cast.payer), on=JOINED)
    assert client_of(world.cast.payer).post(reverse("admin:refund_propose", args=[one.pk]), REFUND).status_code == 302
    refund = the(Refund)
    gets = [
        reverse("admin:statement", args=[pk]), reverse("admin:remittance", args=[one.pk]), reverse("admin:refund", args=[refund.pk]),
        reverse("admin:due_receipt", args=[due.pk]), reverse("admin:refund_propose", args=[one.pk]),
    ]  # fmt: skip
    posts = [
        reverse("admin:statement_confirm", args=[pk]), reverse("admin:statement_cancel", args=[pk]),
        reverse("admin:remittance_match", args=[one.pk]), reverse("admin:remittance_unmatch", args=[one.pk]),
        reverse("admin:refund_propose", args=[one.pk]), reverse("admin:refund_act", args=[refund.pk]),
        reverse("admin:due_waive", args=[due.pk]),
    ]  # fmt: skip
    outsider, reviewer = client_of(world.cast.outsider), client_of(world.cast.reviewer)
    before = _rows()
    assert {address: outsider.get(address).status_code for address in gets} == dict.fromkeys(gets, 404)
    assert {address: outsider.post(address, {"act": "release"}).status_code for address in posts} == dict.fromkeys(posts, 404)
    assert {address: reviewer.get(address).status_code for address in gets} == dict.fromkeys(gets, 403)
    assert {address: reviewer.post(address).status_code for address in posts} == dict.fromkeys(posts, 403)
    assert client_of(world.cast.manager).post(reverse("admin:matching")).status_code == 403
    assert outsider.post(reverse("admin:match_sure"), {"office": world.cast.a.pk}).status_code == 404
    assert outsider.post(reverse("admin:matching"), {"pair": f"{one.pk}:{due.pk}:1"}).status_code == 409
    for word in (number, "王小明", due.reference):
        for name in ("bankstatement", "remittance", "refund", "contributiondue"):
            assert word not in words(outsider.get(reverse(f"admin:members_{name}_changelist")))
        assert word not in words(outsider.get(reverse("admin:matching")))
    assert _rows() == before


def _rows() -> list[Any]:
    with everywhere(reason="look"):
        return [
            list(model.objects.order_by("pk").values_list("pk", "state", "version"))
            for model in (BankStatement, Remittance, Refund, ContributionDue, Enrolment)
        ]


def test_the_sure_ones_are_done_by_a_job_that_tells_how_far_it_is(world: World) -> None:
    due = due_of_a_newcomer(world)
    with everywhere(reason="arrange"):
        arrived(world, 12_500, due.reference)
    client = client_of(world.cast.payer)
    answer = client.post(reverse("admin:match_sure"), {"office": world.cast.a.pk})
    assert answer.status_code == 302
    run_due("default")
    done = words(client.get(answer["Location"]))
    assert "已完成" in done
    assert reverse("admin:matching") in done
    assert the(ContributionDue, pk=due.pk).state == "settled"


def test_the_first_page_says_what_waits_and_since_when(world: World) -> None:
    due = due_of_a_newcomer(world)
    taken(world, csv(["2026-01-02,A1,1.00,,x,,"]))
    shown = words(client_of(world.cast.payer).get("/admin/"))
    for text in ("待核销的来款", "待确认到账的互助费"):
        assert text in shown
    with everywhere(reason="arrange"):
        one = arrived(world, 20_000)
        contributions.match([contributions.Pair(one.pk, due.pk, 12_500)], by=world.cast.actor(world.cast.payer), on=JOINED)
    listed = client_of(world.cast.payer).get(reverse("admin:members_remittance_changelist"), {"state__exact": "over"})
    assert "75.00" in words(listed)
    assert "A1" not in words(listed)
    found = client_of(world.cast.payer).get(reverse("admin:members_remittance_changelist"), {"q": "A1"})
    assert "1.00" in words(found)


def test_a_broken_worker_leaves_nothing_and_the_job_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(world.cast.payer)
    client.post(reverse("admin:statement_new"), {"office": world.cast.a.pk, "file": file(csv(["2026-01-05,A1,125.00,,x,,"]))})
    run_due("default")
    statement = the(BankStatement)
    client.post(reverse("admin:statement_confirm", args=[statement.pk]))

    def cut(*_args: Any, **_more: Any) -> None:
        raise OSError("the worker is gone")

    with monkeypatch.context() as broken:
        broken.setattr("members.services.statements.post_arrivals", cut)
        run_due("default", limit=1)
    with everywhere(reason="look"):
        assert not Remittance.objects.exists()
        assert Job.objects.get(kind="members.take_statement").job_state == "queued"
        Job.objects.filter(kind="members.take_statement").update(not_before="2020-01-01T00:00Z")
    run_due("default")
    assert (the(BankStatement).state, the(Remittance).bank_reference) == ("taken", "A1")


def test_an_enrolment_of_many_days_is_not_needed_for_a_receipt(world: World) -> None:
    """A roster's receipt names how many it is for, not whom."""
    with everywhere(reason="arrange"):
        roster = a_roster(world, {"unit": 3000}, people=3)
        due = roster.dues.get()
        one = arrived(world, 3000, due.reference, "测试单位")
        contributions.match([contributions.Pair(one.pk, due.pk, 3000)], by=world.cast.actor(world.cast.payer), on=JOINED)
        assert Enrolment.objects.filter(roster=roster, state="effective", cover__contained_by=DateRange(JOINED, None)).count() == 3
    shown = words(client_of(world.cast.auditor).get(reverse("members:verify_receipt", args=[due.public_id])))
    assert "3 人" in shown
    unknown = client_of(world.cast.auditor).get(reverse("members:verify_receipt", args=["00000000-0000-4000-8000-000000000000"]))
    assert unknown.status_code == 404
