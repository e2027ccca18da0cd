"""Money is only moved: balanced, once per source, never edited."""

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, connections, transaction

from tests.factories.world import World
from unionaid.ledger.accounts import Code, Fund
from unionaid.ledger.models import Entry, Transaction
from unionaid.ledger.posting import Line, Posting, Unbalanced, post, reverse
from unionaid.offices.roles import SYSTEM

TEN = (Line(Code.BANK, 1000), Line(Code.CONTRIBUTIONS, -1000))


def _post(world: World, lines: tuple[Line, ...] = TEN) -> list[Transaction]:
    return post("contribution", [Posting(world.unit, Fund.MUTUAL_AID, lines)], on=world.yulin.first_day, by=SYSTEM)


def test_unbalanced_lines_are_refused_before_they_are_written(world: World, as_office) -> None:
    with as_office(world.cast.a), pytest.raises(Unbalanced):
        _post(world, (Line(Code.BANK, 1000), Line(Code.CONTRIBUTIONS, -999)))


def test_the_database_refuses_what_slips_past_the_code(world: World, as_office) -> None:
    with as_office(world.cast.a):
        _post(world)
        account = Entry.objects.earliest("id").account
        with pytest.raises(IntegrityError), transaction.atomic():
            head = Transaction.objects.create(
                office=world.cast.a, kind="x", source_type="t", source_id=1, posted_on=world.yulin.first_day
            )
            Entry.objects.create(office=world.cast.a, transaction=head, account=account, amount_fen=5)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_one_source_is_posted_once(world: World, as_office) -> None:
    with as_office(world.cast.a):
        _post(world)
        with pytest.raises(IntegrityError), transaction.atomic():
            _post(world)


def test_a_reversal_brings_the_sum_back_and_happens_once(world: World, as_office) -> None:
    with as_office(world.cast.a):
        first = _post(world)
        reverse("undo", first, on=world.yulin.first_day, by=SYSTEM, note="")
        assert sum(Entry.objects.values_list("amount_fen", flat=True)) == 0
        bank = Entry.objects.filter(account__code="bank", transaction__source_type="members.workunit").values_list("amount_fen", flat=True)
        assert sorted(bank) == [-1000, 1000]
        with pytest.raises(IntegrityError), transaction.atomic():
            reverse("undo again", first, on=world.yulin.first_day, by=SYSTEM, note="")


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction", "workflow_auditentry", "claims_review"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET id = id", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_application_role_cannot_change_or_remove(db: None, table: str, act: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(act.format(table))


@pytest.mark.parametrize("table", ["ledger_entry", "workflow_auditentry"])
def test_even_the_owner_cannot_empty_the_books(committed: None, table: str) -> None:
    with pytest.raises((InternalError, IntegrityError), match="never changed"), transaction.atomic(using="owner"):
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
