"""Who somebody is can be erased when nothing needs it any more: no row and no file says it, the books are as they were, and others are
untouched."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from django.urls import reverse

from claims.models import Claim, Objection
from claims.payouts import erasures, services
from claims.payouts.erasing import KEPT_YEARS, ErasureRefused, erase
from claims.payouts.models import Erasure, PayoutLine
from claims.services import adjudication
from members.models import AgentChange, AgentPaper, Departure, Enrolment, Evidence, Member, Refund, Roster
from members.services import arrivals, contributions, corrections, joining, people, problem_sheets, refunds, rosters
from members.services.people import full_id_number, masked_numbers
from tests.factories.clients import client_of
from tests.factories.funds import slip
from tests.factories.offices import PASSWORD, make_user
from tests.factories.payouts import release
from tests.factories.world import ASKED, JOINED, World
from unionaid.accounts.models import User
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, now, plus_months
from unionaid.lib.identity import make_id_number, parse_id_number
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.reports.money import audit
from unionaid.reports.sealed import SEALED, faults
from unionaid.web.files import kept
from unionaid.web.keys import ring

NAME, NUMBER, PHONE, ACCOUNT = "欧阳𠮷丁", make_id_number("610802", date(1990, 3, 8), 111), "13911112222", "6217001180000000017"
WORDS = (NAME, NUMBER, PHONE, ACCOUNT)
LATER = plus_months(ASKED, 12 * (KEPT_YEARS + 2))
# What bears it still (docs/decisions/0022): who did something, on the record of acts under its seals; the file for the bank, sealed.
STAYS = {"workflow_auditentry", "payouts_bankfile.content"}
# Where it must stand before, or the search proves nothing.
STOOD = {
    "members_member", "members_rosterrow", "members_correction", "members_bankcard", "members_remittance", "members_refund",
    "members_departure", "members_agentchange", "accounts_user", "claims_claim", "claims_objection", "payouts_payoutline",
    "members_membersecret.id_number", "members_membersecret.phone", "members_bankcard.number", "members_refund.account_number",
    "payouts_payoutline.account_number", "members_roster.file", "members_rostersheet.file", "members_evidence.file",
    "members_joinpaper.file", "members_duepaper.file", "members_correctionpaper.file", "members_agentpaper.file",
    "claims_claimdocument.file",
}  # fmt: skip
Runs = Callable[..., AbstractContextManager[Any]]


def _person(world: World) -> Member:
    """Somebody with numbers of their own, and a log-in."""
    new = people.NewPerson(NAME, parse_id_number(NUMBER), PHONE, "enterprise", True, True, world.cast.a.pk, world.unit.pk)
    member, user = people.register_member(new), make_user("w111", NAME)
    Member.objects.filter(pk=member.pk).update(user=user)
    member.refresh_from_db()
    world.card(member, ACCOUNT)
    return member


def _paid(world: World, member: Member, cover: Enrolment) -> Claim:
    cast = world.cast
    payer, manager = cast.actor(cast.payer), cast.actor(cast.manager)
    claim = world.claim(cover, 600_000, facts={"hospital": f"{NAME}医院"})
    adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
    adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
    batch = release(cast, services.assemble(office=cast.a, claims=[claim], by=payer, on=ASKED))
    services.carry_out_release(batch.pk, by=manager)
    batch.refresh_from_db()
    line = batch.lines.get()
    data = f"附言,金额,处理结果,失败原因\r\n{line.reference},4400.00,成功,\r\n".encode("gb18030")
    kept_return = services.take_return(batch, data=data, file_name="r.csv", by=payer)
    services.book_return(kept_return.pk, by=payer, on=ASKED)
    return claim


def _handed_in(world: World, member: Member, cover: Enrolment) -> None:
    """A paper wherever one can be handed in, with the name in it; a refund that came to nothing."""
    photo, own, payer = slip(f"{NAME} {NUMBER}"), world.worker(member), world.cast.actor(world.cast.payer)
    Evidence.objects.create(enrolment=cover, kind="contract", **kept(photo))
    joining.add_paper(joining.begin(member, world.yulin, by=own), kind="contract", upload=photo, by=own)
    corrections.give_back(
        corrections.ask(member, corrections.Wanted(name=f"{NAME}丙"), papers=[photo], reason=NAME, by=own),
        by=world.cast.actor(world.cast.reviewer), note=f"{NAME}要带户口簿",
    )  # fmt: skip
    change = AgentChange.objects.create(office=world.cast.a, unit=world.unit, user_id=member.user_id, state="refused", answer=NAME)
    AgentPaper.objects.create(change=change, **kept(photo))
    Departure.objects.create(
        office=world.cast.a, member=member, kind="leave", from_unit=world.unit, office_ids=[], unit_ids=[], on=ASKED, note=NAME,
        state="withdrawn",
    )  # fmt: skip
    due = contributions.raise_due(office_id=world.cast.a.pk, unit=None, member=member, enrolment=cover, amounts={"person": 100})[0]
    contributions.add_slip(due, photo, by=own)
    told = {"payer_name": NAME, "bank_reference": "A1", "received_on": ASKED, "amount_fen": 600, "remark": NAME}
    arrived = arrivals.enter(world.cast.a, **told, by=payer, on=ASKED)
    contributions.match([contributions.Pair(arrived.pk, due.pk, 100)], by=payer, on=ASKED)
    back = refunds.propose(
        arrived, reason="over_payment", amount_fen=500, payee_name=NAME, bank_name="农行", account_number=ACCOUNT, by=payer, on=ASKED
    )
    refunds.drop(back, by=world.cast.actor(world.cast.manager), note="重复")


def _listed(world: World) -> Roster:
    """A roster that names them a second time, and somebody else a first."""
    lines = [("姓名", "身份证号", "手机号"), (NAME, NUMBER, PHONE), ("李四", make_id_number("610802", date(1991, 3, 8), 113), "")]
    data = "\n".join(",".join(line) for line in lines).encode()
    roster = rosters.upload(unit=world.unit, terms=world.yulin, data=data, file_name=f"{NAME}.csv", by=world.agent_actor, on=JOINED)
    rosters.check(roster.pk, by=SYSTEM, on=JOINED)
    roster.refresh_from_db()
    rosters.confirm(roster, by=world.agent_actor)
    rosters.commit(roster.pk, by=SYSTEM, on=JOINED)
    problem_sheets.write(roster.pk)
    return roster


def _found() -> set[str]:
    """Every table, sealed column and kept file in which one of the words can be read by who has the keys."""
    return {*_in_rows(), *_in_sealed(), *(where for where, _store, _name in _in_files())}


def _in_rows() -> Iterator[str]:
    with connection.cursor() as cursor:
        for table in {model._meta.db_table for model in apps.get_models()}:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text LIKE ANY(%s))', [[f"%{word}%" for word in WORDS]])
            if cursor.fetchone()[0]:
                yield table


def _in_sealed() -> Iterator[str]:
    for model, name, bound in SEALED:
        table = model._meta.db_table
        for sealed, to in model._default_manager.exclude(**{name: None}).values_list(name, bound):
            if _says(ring().open(sealed, bound_to=(table, name, getattr(to, "hex", to)))):
                yield f"{table}.{name}"


def _in_files() -> Iterator[tuple[str, Storage, str]]:
    for model in apps.get_models():
        for column in (one for one in model._meta.concrete_fields if isinstance(one, models.FileField)):
            for name in model._default_manager.exclude(**{column.name: ""}).values_list(column.name, flat=True):
                with column.storage.open(name) as file:
                    if _says(file.read()):
                        yield f"{model._meta.db_table}.{column.name}", column.storage, name


def _says(content: bytes) -> bool:
    parts = [content]
    if content.startswith(b"x\x01"):
        parts = [zlib.decompress(content)]
    if content.startswith(b"PK"):
        packed = zipfile.ZipFile(io.BytesIO(content))
        parts = [packed.read(name) for name in packed.namelist()]
    return any(word.encode(code) in part for part in parts for word in WORDS for code in ("utf-8", "gb18030"))


def test_nothing_says_who_it_was_and_not_a_fen_has_moved(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Runs
) -> None:
    with everywhere(reason="arrange"):
        with frozen(JOINED):
            member, other = _person(world), world.member(103)
            cover = world.cover(member)
            roster = _listed(world)
        with frozen(ASKED):
            claim = _paid(world, member, cover)
            _handed_in(world, member, cover)
            document = claim.documents.first()
            document.file.save("p.jpg", ContentFile(NAME.encode()), save=True)
            Objection.objects.create(
                office=world.cast.a, claim=claim, name="来访人", text=f"{NAME}没有住院", state="dismissed", raised_by=world.cast.reviewer,
                raised_at=now(), decided_by=world.cast.approver, answer=f"{NAME}住过院",
            )  # fmt: skip
            assert Client().post("/login", {"username": NUMBER, "password": "x"}).status_code == 400
            number = full_id_number(member, reason="x", by=SYSTEM)
            books = list(Entry.objects.order_by("pk").values_list("pk", "amount_fen"))
            monkeypatch.setattr("sys.stdin", StringIO(f"{number}\n"))
            with pytest.raises(CommandError, match="资金凭证要保存 30 年"):
                call_command("erase_person")
            assert _found() >= STOOD | STAYS
            files = [(store, name) for _where, store, name in _in_files()]
            with pytest.raises(DatabaseError, match="line_stays"), transaction.atomic():  # past the service
                PayoutLine.objects.update(payee_name="", bank_name="", account_last_four="")
            with pytest.raises(DatabaseError, match="what a refund says"), transaction.atomic():
                Refund.objects.update(payee_name="", account_last_four="")
            hashed = bytes(member.id_hash).hex()
            assert hashed in _text_of("members_member")
    with everywhere(reason="erase"), frozen(LATER):
        monkeypatch.setattr("sys.stdin", StringIO(f"{number}\n"))
        with django_capture_on_commit_callbacks(execute=True):
            call_command("erase_person", stdout=StringIO())
        erase(member, by=SYSTEM, on=LATER)
        assert _found() == STAYS
        assert not any(hashed in _text_of(model._meta.db_table) for model in apps.get_models())
        assert [name for store, name in files if store.exists(name)] == []
        assert masked_numbers([member.pk])[member.pk].id_number.strip("*") == ""
        assert not User.objects.filter(pk=member.user_id, is_active=True).exists()
        assert (PayoutLine.objects.get().amount_fen, Claim.objects.get().approved_fen) == (440_000, 440_000)
        assert roster.rows.filter(name="李四", outcome="enrolled").exists(), "the others of the list are as they were"
        assert Refund.objects.get().amount_fen == 500
        assert list(Entry.objects.order_by("pk").values_list("pk", "amount_fen")) == books
        assert audit() == []
        assert list(faults()) == []
        with pytest.raises(DatabaseError, match="line_stays"), transaction.atomic():
            PayoutLine.objects.update(amount_fen=1, payee_name="", bank_name="", account_last_four="")
        other.refresh_from_db()
        assert other.erased_on is None
        erase(other, by=SYSTEM, on=ASKED)  # who only signed up need not wait


def _text_of(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT string_agg(t::text, \' \') FROM "{table}" t')
        return str(cursor.fetchone()[0] or "")


def test_while_something_is_open_it_is_refused_with_what_it_is(world: World) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        member = world.member(101)
        world.claim(world.cover(member), 1000)
        with pytest.raises(ErasureRefused, match="还在保障期内.*有申领还没有办结"):
            erase(member, by=SYSTEM, on=ASKED)


def test_one_asks_another_who_has_proved_it_carries_it_out_and_why_not_is_shown(world: World) -> None:
    cast = world.cast
    with everywhere(reason="arrange"), frozen(JOINED):
        member, covered = world.member(103, "李小红"), world.member(105)
        world.cover(covered)
    reviewer, manager, hq = (client_of(user) for user in (cast.reviewer, cast.manager, cast.hq_user))
    with frozen(ASKED):
        new = reverse("admin:erasure_new", args=[covered.pk])
        assert "还在保障期内或待缴费" in reviewer.get(new).content.decode()
        assert "还在保障期内或待缴费" in reviewer.post(new, {"basis": "本人书面申请"}).content.decode()
        page = reviewer.post(reverse("admin:erasure_new", args=[member.pk]), {"basis": "李小红 7 月 1 日书面申请"})["Location"]
        assert "李小红 7 月 1 日书面申请" in reviewer.get(page).content.decode()
        assert "已有人提出删除" in manager.post(reverse("admin:erasure_new", args=[member.pk]), {"basis": "又一次"}).content.decode()
        assert reviewer.post(page, {"decision": "erase"}).status_code == 403
        assert "请再输一次登录密码" in manager.post(page, {"decision": "erase"}).content.decode(), "no step without a proof"
        assert _erased(member) is None
        assert manager.post(page, {"decision": "erase", "password": PASSWORD}).status_code == 302
        assert _erased(member) == ASKED
        for client in (manager, hq):
            assert "李小红" not in client.get(page).content.decode()
            assert "李小红" not in client.get(reverse("admin:payouts_erasure_changelist")).content.decode()


def test_what_came_in_between_refuses_it_and_two_acts_of_one_person_the_database(world: World) -> None:
    manager, reviewer = world.cast.actor(world.cast.manager), world.cast.actor(world.cast.reviewer)
    with everywhere(reason="arrange"), frozen(JOINED):
        member = world.member(103)
        asked = erasures.ask(member, basis="本人申请", by=reviewer, on=JOINED)
        with pytest.raises(DatabaseError, match="erasure_asked_and_done_by_two"), transaction.atomic():
            Erasure.objects.update(state="done", basis="", done_by=world.cast.reviewer)
        world.cover(member)
        with pytest.raises(ErasureRefused, match="还在保障期内"):
            erasures.carry_out(asked, by=manager, on=JOINED)
        assert Erasure.objects.get().state == "asked", "nothing is half done"
        with pytest.raises(ErasureRefused, match="请写明"):
            erasures.drop(asked, by=manager, note=" ")
        assert erasures.drop(asked, by=manager, note="已参加，不删除").state == "dropped"
        assert _erased(member) is None


def _erased(member: Member) -> date | None:
    with everywhere(reason="look"):
        return Member.objects.get(pk=member.pk).erased_on
