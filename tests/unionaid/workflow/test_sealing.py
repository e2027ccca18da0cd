"""Whoever changes the record of acts afterwards breaks its seals, with every right in the database; a cut tail shows by the head alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from tests.factories.offices import make_cast
from tests.factories.record import seal_so_far
from unionaid.offices.models import Office
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.workflow import sealing
from unionaid.workflow.models import AuditEntry, AuditSeal
from unionaid.workflow.moves import record

REST = "actor_label, entity, entity_id, action, from_state, to_state, note, details"
COLUMNS = f"at, txid, {REST}"


def _write(count: int, note: str = "") -> list[int]:
    """So many entries, each in a transaction of its own; their keys."""
    with everywhere(reason="arrange"):
        office = Office.objects.first() or make_cast().a
        for _n in range(count):
            with transaction.atomic():
                record([office], "look", by=SYSTEM, note=note or "看过")
        return list(AuditEntry.objects.order_by("-id").values_list("id", flat=True)[:count])


@contextmanager
def _tampered(sql: str) -> Iterator[None]:
    """As the owner, past the triggers; taken back at the end."""
    with everywhere(reason="look"), transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET LOCAL unionaid.offices = '*'")
        for table in ("workflow_auditentry", "workflow_auditseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql)
        yield
        transaction.set_rollback(True, using="owner")


def test_every_change_of_a_sealed_record_is_named(committed: None) -> None:
    third, second, first = _write(3)
    assert seal_so_far() >= 3
    assert seal_so_far() == 0
    later = _write(2)
    assert seal_so_far() == 2
    with everywhere(reason="look"):
        assert list(sealing.faults()) == []
        seals = list(AuditSeal.objects.order_by("id"))
        heads = tuple(bytes(one.digest).hex() for one in seals)
    connection.close()
    acts = {
        f"UPDATE workflow_auditentry SET note = '别的' WHERE id = {second}": [("changed", second)],
        f"UPDATE workflow_auditentry SET at = at + interval '1 microsecond' WHERE id = {second}": [("changed", second)],
        f"DELETE FROM workflow_auditentry WHERE id = {first}": [("gone", first)],
        f"INSERT INTO workflow_auditentry (id, {COLUMNS}) SELECT 999999, {COLUMNS} FROM workflow_auditentry WHERE id = {first}": [
            ("added", 999_999)
        ],
        f"UPDATE workflow_auditentry SET id = CASE id WHEN {first} THEN -1 ELSE {first} END WHERE id IN ({first}, {third})": [
            ("gone", third), ("added", -1), ("changed", first)
        ],
        f"UPDATE workflow_auditentry SET txid = txid + 1000000 WHERE id = {later[0]}": [("gone", later[0])],
        f"UPDATE workflow_auditseal SET count = 0, pieces = '' WHERE id = {seals[0].pk}": [("seal", seals[0].pk)],
        f"DELETE FROM workflow_auditseal WHERE id = {seals[0].pk}": [("link", seals[1].pk)],
    }  # fmt: skip
    for sql, expected in acts.items():
        with _tampered(sql):
            found = {(one.what, one.key) for one in sealing.faults(using="owner")}
            assert set(expected) <= found, sql
    cut = f"DELETE FROM workflow_auditseal WHERE id = {seals[1].pk}; DELETE FROM workflow_auditentry WHERE id IN ({later[0]}, {later[1]})"
    with _tampered(cut):
        assert list(sealing.faults(using="owner")) == []  # sound in itself: the cut tail needs what was sent away
        assert [one.what for one in sealing.faults(heads=heads, using="owner")] == ["head"]


def test_what_is_still_being_written_waits_for_the_next_seal_and_writers_at_once_do_not_fork_it(committed: None) -> None:
    _write(1)
    with everywhere(reason="arrange"), transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")  # somebody's transaction goes on
        _write(1, "在后面开始，先写完")
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        running = cursor.fetchone()[0]
        sealing.seal()
        assert not AuditSeal.objects.filter(to_txid__gt=running).exists()
    assert seal_so_far() >= 1

    def work() -> None:
        try:
            _write(5)
            with everywhere(reason="seal"):
                sealing.seal()
        finally:
            connection.close()

    threads = [Thread(target=work) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal_so_far()
    with everywhere(reason="look"):
        assert sum(AuditSeal.objects.values_list("count", flat=True)) == AuditEntry.objects.count()
        assert list(sealing.faults()) == []


def test_the_command_and_the_head_that_is_sent_away(committed: None, settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    out = StringIO()
    for so_far in (0, 2):  # a new system before its first seal: nothing is wrong with it
        _write(so_far)
        call_command("verify_audit", stdout=out)
        assert out.getvalue().count("还没有封存过") == so_far // 2 + 1
    seal_so_far()
    connection.close()
    for gone in ("DELETE FROM workflow_auditseal; ", ""):  # every seal is removed; sealing stands still
        late = f"INSERT INTO workflow_auditentry ({COLUMNS}) SELECT at + interval '4 hours' * n, pg_current_xact_id()::text::bigint, {REST}"
        with _tampered(f"{gone}{late} FROM workflow_auditentry, generate_series(1, 2) n"):
            assert [one.what for one in sealing.faults(using="owner")] == ["late"]
    with everywhere(reason="send"):
        line = sealing.send_head(AuditEntry.objects.first().at.date())
    assert (tmp_path / "audit-heads.txt").read_text("utf-8") == f"{line}\n"
    out = StringIO()
    call_command("verify_audit", "--heads", str(tmp_path / "audit-heads.txt"), stdout=out)
    assert "全部一致" in out.getvalue()
    with pytest.raises(CommandError, match="1 处"):
        call_command("verify_audit", "--head", "00" * 32, stdout=out)
    assert "截断" in out.getvalue()
