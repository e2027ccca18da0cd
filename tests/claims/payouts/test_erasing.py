"""Who somebody is can be erased when nothing needs it any more: no row says it, the books are as they were, and others are untouched."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from claims.models import Claim, ClaimDocument
from claims.payouts import services
from claims.payouts.erasing import KEPT_YEARS, ErasureRefused, erase
from claims.payouts.models import PayoutLine
from claims.services import adjudication
from members.models import Member
from members.services.people import full_id_number, masked_numbers
from tests.factories.payouts import release
from tests.factories.world import ASKED, World
from unionaid.accounts.models import User
from unionaid.ledger.models import Entry
from unionaid.lib.calendar import frozen, plus_months
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.reports.money import audit
from unionaid.reports.sealed import faults

NAME = "欧阳𠮷丁"
LATER = plus_months(ASKED, 12 * (KEPT_YEARS + 2))
# What bears it still: who did something, on the record of acts under its seals (docs/decisions/0022).
STAYS = {"workflow_auditentry"}


def _paid(world: World) -> Member:
    cast, member = world.cast, world.member(101, NAME)
    payer, manager = cast.actor(cast.payer), cast.actor(cast.manager)
    claim = world.claim(world.cover(member), 600_000, facts={"hospital": f"{NAME}医院"})
    adjudication.review(claim, by=cast.actor(cast.reviewer), on=ASKED)
    adjudication.approve(claim, by=cast.actor(cast.approver), on=ASKED)
    batch = release(cast, services.assemble(office=cast.a, claims=[claim], by=payer, on=ASKED))
    services.carry_out_release(batch.pk, by=manager)
    batch.refresh_from_db()
    line = batch.lines.get()
    data = f"附言,金额,处理结果,失败原因\r\n{line.reference},4400.00,成功,\r\n".encode("gb18030")
    kept = services.take_return(batch, data=data, file_name="r.csv", by=payer)
    services.book_return(kept.pk, by=payer, on=ASKED)
    return member


def _tables_with(word: str) -> set[str]:
    found = set()
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text LIKE %s)', [f"%{word}%"])
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def test_nothing_says_who_it_was_and_not_a_fen_has_moved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        member, other = _paid(world), world.member(103)
        number, books = full_id_number(member, reason="x", by=SYSTEM), list(Entry.objects.order_by("pk").values_list("pk", "amount_fen"))
        monkeypatch.setattr("sys.stdin", StringIO(f"{number}\n"))
        with pytest.raises(CommandError, match="资金凭证要保存 30 年"):
            call_command("erase_person")
        assert _tables_with(NAME) > STAYS, "before"
        assert ClaimDocument.objects.exists()
        with pytest.raises(DatabaseError, match="line_stays"), transaction.atomic():  # past the service
            PayoutLine.objects.update(payee_name="", bank_name="", account_last_four="")
        hashed = bytes(member.id_hash).hex()
        assert hashed in _text_of("members_member")
    with everywhere(reason="erase"), frozen(LATER):
        monkeypatch.setattr("sys.stdin", StringIO(f"{number}\n"))
        call_command("erase_person", stdout=StringIO())
        erase(member, by=SYSTEM, on=LATER)
        assert _tables_with(NAME) == STAYS
        assert not _tables_with(hashed)
        assert not ClaimDocument.objects.exists()
        assert masked_numbers([member.pk])[member.pk].id_number.strip("*") == ""
        assert not User.objects.filter(pk=member.user_id, is_active=True).exists()
        assert (PayoutLine.objects.get().amount_fen, Claim.objects.get().approved_fen) == (440_000, 440_000)
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
        return str(cursor.fetchone()[0])


def test_while_something_is_open_it_is_refused_with_what_it_is(world: World) -> None:
    with everywhere(reason="arrange"), frozen(ASKED):
        member = world.member(101)
        world.claim(world.cover(member), 1000)
        with pytest.raises(ErasureRefused, match="还在保障期内.*有申领还没有办结"):
            erase(member, by=SYSTEM, on=ASKED)
