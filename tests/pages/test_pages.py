"""Pages through the front door: who gets in, what they see, how many statements it takes; no input gives a 5xx."""

import uuid
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.models import Claim
from members import certificate
from members.models import Enrolment, Member
from members.services import enrolment
from tests.factories.clients import client_of
from tests.factories.offices import PASSWORD
from tests.factories.world import ASKED, JOINED, World
from unionaid.books.services.movements import POSTED
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen
from unionaid.lib.identity import make_id_number
from unionaid.offices.scope import everywhere


@pytest.fixture
def claim(world: World) -> Claim:
    with everywhere(reason="arrange"), frozen(ASKED):
        return world.claim(world.cover(world.member(101)), 600_000)


def test_everyone_may_see_the_front_pages(db: None) -> None:
    for name in ("home", "login", "members:sign_up", "health"):
        assert Client().get(reverse(name)).status_code == 200
    assert Client().get("/nothing").status_code == 404


@pytest.mark.parametrize("address", ["/my/", "/unit/", "/admin/claims/claim/"])
def test_strangers_are_led_to_the_login(db: None, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert "/login" in answer["Location"]


def test_a_worker_signs_up_logs_in_and_sees_their_page(db: None) -> None:
    number = make_id_number("610802", date(1990, 3, 8), 128)
    form = {"name": "艾小梅", "id_number": number.lower(), "phone": "139 9120 0001", "password": PASSWORD}
    client = Client()
    assert client.post(reverse("members:sign_up"), form).status_code == 302
    assert "您还没有参加互助计划" in client.get("/my/").content.decode()
    again = Client()
    assert again.post(reverse("login"), {"username": number, "password": "wrong"}).status_code == 400
    assert again.post(reverse("login"), {"username": number, "password": PASSWORD}).status_code == 302
    assert again.post(reverse("members:sign_up"), form).status_code == 400


def test_nobody_takes_over_a_person_whom_a_unit_registered(world: World) -> None:
    with everywhere(reason="arrange"):
        known = world.member(101)
        Member.objects.filter(pk=known.pk).update(user=None)
    form = {"name": "王小明", "id_number": make_id_number("610802", date(1990, 3, 8), 101), "password": PASSWORD}
    answer = Client().post(reverse("members:sign_up"), {**form, "phone": "13900000000"})
    assert answer.status_code == 400
    assert "不一致" in answer.content.decode()
    with everywhere(reason="look"):
        assert Member.objects.get(pk=known.pk).user_id is None
    assert Client().post(reverse("members:sign_up"), {**form, "phone": "13800138000"}).status_code == 302


@pytest.mark.parametrize("value", ["", "360426199101010072", "x" * 5000, "\x00", "１２３", "'; DROP TABLE x", "6.1E+17", "\ud800"])
def test_no_input_of_the_sign_up_gives_a_5xx(db: None, value: str) -> None:
    for field in ("name", "id_number", "phone", "password"):
        form = {"name": "张三", "id_number": "360426199101010071", "phone": "13800138000", "password": PASSWORD, field: value}
        text = {key: text.encode("utf-8", "replace").decode() for key, text in form.items()}
        assert Client().post(reverse("members:sign_up"), text).status_code in (302, 400)


def test_a_worker_sees_only_their_own_cover_and_certificate(world: World, claim: Claim) -> None:
    with everywhere(reason="arrange"):
        cover, other = claim.enrolment, world.member(103, "李四")
    mine, theirs = client_of(claim.member.user), client_of(other.user)
    assert cover.program.name in mine.get("/my/").content.decode()
    assert cover.program.name not in theirs.get("/my/").content.decode()
    address = reverse("members:certificate_pdf", args=[cover.public_id])
    answer = mine.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    assert theirs.get(address).status_code == 404


def test_verification_shows_a_masked_name_only(world: World, claim: Claim) -> None:
    cover = claim.enrolment
    for day, words in ((JOINED, "还没有开始"), (ASKED, "保障期内"), (cover.ends_before, "保障已到期")):
        with frozen(day):
            text = Client().get(reverse("members:verify", args=[cover.public_id])).content.decode()
        assert words in text
    assert certificate.number_of(cover) in text
    assert "王**" in text
    assert "王小明" not in text
    assert Client().get(reverse("members:verify", args=[uuid.uuid4()])).status_code == 404


def test_the_claim_is_decided_at_the_desk_by_two_people(world: World, claim: Claim) -> None:
    address = reverse("admin:claim_review", args=[claim.pk])
    with frozen(ASKED):
        page = client_of(world.cast.reviewer).get(address)
        assert "4,400.00" in page.content.decode()
        assert "610***********" in page.content.decode()
        assert client_of(world.cast.reviewer).post(address, {"decision": "approve"}).status_code == 403
        assert client_of(world.cast.reviewer).post(address, {"decision": "review"}).status_code == 302
        assert client_of(world.cast.reviewer).post(address, {"decision": "review"}).status_code == 409
        assert client_of(world.cast.approver).post(address, {"decision": "reject"}).status_code == 400
        assert client_of(world.cast.approver).post(address, {"decision": "approve", "note": "同意"}).status_code == 302
    with everywhere(reason="look"):
        assert Claim.objects.get(pk=claim.pk).state == "approved"


def test_the_outsider_finds_nothing_at_the_desk(world: World, claim: Claim) -> None:
    client = client_of(world.cast.outsider)
    assert client.get(reverse("admin:claim_review", args=[claim.pk])).status_code == 404
    assert client.get(reverse("admin:claim_review", args=[claim.pk + 999])).status_code == 404
    assert claim.number not in client.get(reverse("admin:claims_claim_changelist")).content.decode()
    with everywhere(reason="find a paper"):
        paper = claim.documents.first()
    address = reverse("admin:claim_document", args=[paper.public_id])
    assert client.get(address).status_code == 404
    assert client_of(world.cast.reviewer).get(address)["Content-Security-Policy"].startswith("sandbox")


def test_workers_do_not_get_to_the_desk(world: World, claim: Claim) -> None:
    answer = client_of(claim.member.user).get(reverse("admin:claim_review", args=[claim.pk]))
    assert answer.status_code in (302, 403)


def _statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])


def test_pages_take_the_same_number_of_statements_for_one_row_or_many(world: World, claim: Claim) -> None:
    worker, staff = client_of(claim.member.user), client_of(world.cast.reviewer)
    queue = reverse("admin:claims_claim_changelist")
    one = (_statements(worker, "/my/"), _statements(staff, queue))
    with everywhere(reason="arrange"), frozen(ASKED):
        for i in range(4):
            world.claim(claim.enrolment, 100_000 + i)
    assert (_statements(worker, "/my/"), _statements(staff, queue)) == one
    assert max(one) <= 14


def test_the_payer_confirms_a_contribution_at_the_desk(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        member = world.member(101)
        cover = enrolment.enrol(
            member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED,
            by=world.worker(member),
        )  # fmt: skip
        due = cover.dues.get()
    address = reverse("admin:due_confirm", args=[due.pk])
    form = {"payer_name": "王小明", "bank_reference": "L1", "received_on": "2026-01-05", "amount_fen": "125", "remark": ""}
    payer = client_of(world.cast.payer)
    with frozen(JOINED):
        assert payer.get(address).status_code == 200
        assert payer.post(address, {**form, "amount_fen": "124.99"}).status_code == 400
        assert payer.post(address, {**form, "received_on": "2026-13-45"}).status_code == 400
        assert client_of(world.cast.outsider).post(address, form).status_code == 404
        assert client_of(world.cast.reviewer).post(address, form).status_code == 403
        with everywhere(reason="look"):
            assert Enrolment.objects.get(pk=cover.pk).state == "contribution_due"
            assert not Entry.objects.exclude(transaction__kind=POSTED).exists()
        assert payer.post(address, form).status_code == 302
        assert payer.post(address, form).status_code == 409
    with everywhere(reason="look"):
        assert Enrolment.objects.get(pk=cover.pk).state == "effective"
        entries = Entry.objects.exclude(transaction__kind=POSTED).values_list("amount_fen", flat=True)
        assert sorted(entries) == [-12_500, -12_500, 12_500, 12_500]
        with pytest.raises(enrolment.AlreadyCovered), frozen(JOINED):
            enrolment.enrol(
                member=member, holder=member, relation="self", terms=world.yulin, shares=1, unit=world.unit, on=JOINED,
                by=world.worker(member),
            )  # fmt: skip


def test_every_list_of_the_desk_opens_for_those_who_may_see_it(world: World, claim: Claim) -> None:
    manager = client_of(world.cast.manager)
    for name in ("claims_claim", "members_contributiondue", "members_workunit", "members_roster"):
        assert manager.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert manager.get(reverse("admin:index")).status_code == 200
