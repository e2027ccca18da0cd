"""The audit of money: silent over a year of honest work, and no tampering with the rows escapes it."""

import json
from io import StringIO
from itertools import count

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from members.models import Refund
from members.services import refunds
from tests.access.conftest import play
from tests.factories.world import ASKED, World, make_world
from unionaid.books.models import PeriodClosing, Reconciliation
from unionaid.books.services import closing, reconciling
from unionaid.ledger.invariants import look
from unionaid.lib.calendar import frozen
from unionaid.offices.roles import SYSTEM
from unionaid.offices.scope import everywhere
from unionaid.reports import guards, money
from unionaid.reports.models import MoneyAudit
from unionaid.workflow.jobs import ask_what_is_due, enqueue, run_due
from unionaid.workflow.models import Job

# code → what somebody with every right in the database does; triggers are off, checks stand unless taken away
TAMPERING = {
    "I1": "UPDATE ledger_entry SET amount_fen = amount_fen + 1 WHERE id = (SELECT min(id) FROM ledger_entry)",
    "I1, a head without entries": "DELETE FROM ledger_entry WHERE transaction_id = (SELECT max(id) FROM ledger_transaction)",
    "I2": "UPDATE ledger_entry SET office_id = {other} WHERE id = (SELECT min(id) FROM ledger_entry)",
    "I2, the check is gone": "ALTER TABLE ledger_entry DROP CONSTRAINT entry_amount_sane",
    "I3": "UPDATE claims_claim SET approved_fen = approved_fen + 1 WHERE state = 'approved'",
    "I4": "UPDATE payouts_payoutline SET amount_fen = amount_fen + 1 WHERE state = 'succeeded'",
    "I4, paid while not": "UPDATE claims_claim SET state = 'paid' WHERE state = 'approved'",
    "I5": "DROP INDEX claim_paid_once; UPDATE payouts_payoutline SET claim_id = (SELECT claim_id FROM payouts_payoutline"
    " WHERE state = 'succeeded' LIMIT 1) WHERE state = 'open'",
    "I6": "UPDATE payouts_payoutbatch SET total_fen = total_fen + 1 WHERE state = 'assembled'",
    "I6, a line went missing": "UPDATE payouts_payoutbatch SET line_count = line_count + 1 WHERE state = 'booked'",
    "I6, another file": "UPDATE payouts_bankfile SET total_fen = total_fen - 1",
    "I7": "UPDATE claims_ceilingusage SET used_fen = used_fen - 1 WHERE used_fen > 0",
    "I7, nothing reserved": "DELETE FROM claims_ceilingusage",
    "I8": "UPDATE payouts_payoutline SET state = 'open', bank_reason = '' WHERE state = 'failed'",
    "I8.1": "UPDATE payouts_returnpart SET succeeded_fen = succeeded_fen + 1",
    "I9": "UPDATE members_contributiondue SET state = 'open' WHERE state = 'settled'",
    "I10": "ALTER TABLE members_enrolment DROP CONSTRAINT cover_never_overlaps; INSERT INTO members_enrolment (public_id, {enrolment})"
    " SELECT gen_random_uuid(), {enrolment} FROM members_enrolment WHERE state = 'effective' LIMIT 1",
    "I11": "UPDATE payouts_payoutbatch SET assembled_by_id = (SELECT approved_by_id FROM claims_claim WHERE state = 'paid' LIMIT 1)",
    "I12": "UPDATE payouts_payoutline SET office_id = {other}",
    "I8.2": "UPDATE books_reconciliation SET ledger_fen = ledger_fen - 1",
    "B1": "UPDATE ledger_closingbalance SET balance_fen = balance_fen + 1 WHERE id = (SELECT min(id) FROM ledger_closingbalance)",
    "B1, another day": "UPDATE ledger_entry SET posted_on = posted_on - 1 WHERE id = (SELECT max(id) FROM ledger_entry)",
    "B2": "UPDATE books_fundmovement SET amount_fen = amount_fen + 1 WHERE state = 'posted'",
    "R1": "UPDATE ledger_account SET code = 'recoverable' WHERE code = 'capital'",
    "R2": "UPDATE payouts_payoutline SET set_off_fen = 1, set_off_against_id = 1 WHERE state = 'succeeded'",
    "F1": "UPDATE members_match SET amount_fen = amount_fen - 1",
    "F2": "UPDATE members_remittance SET amount_fen = amount_fen + 1",
    "F3": "UPDATE members_refund SET amount_fen = amount_fen - 1",
    "F4": "UPDATE members_remittance SET matched_fen = matched_fen - 1 WHERE matched_fen > 0",
    "F5": "UPDATE members_contributiondue SET paid_fen = 0, waived_fen = amount_fen WHERE state = 'settled'",
    "F6": "UPDATE members_contributiondue SET state = 'open' WHERE state = 'settled'",
    "F8": "UPDATE members_remittance SET state = 'reversed', matched_fen = 0, refunded_fen = 0",
    "G1": "ALTER TABLE payouts_bankreturn DISABLE TRIGGER USER; ALTER TABLE members_refund DISABLE TRIGGER refund_moves",
    "G1, gone": "DROP TRIGGER append_only_table ON ledger_closedperiod",
    "G1, everybody sees it": "ALTER TABLE payouts_bankfile NO FORCE ROW LEVEL SECURITY",
    "F7": "ALTER TABLE members_refund DROP CONSTRAINT refund_proposer_is_not_releaser;"
    " UPDATE members_refund SET released_by_id = proposed_by_id",
}
TABLES = (
    "ledger_account", "ledger_entry", "ledger_transaction", "claims_claim", "claims_ceilingusage", "claims_benefitstatement",
    "payouts_payoutbatch",
    "payouts_payoutline", "payouts_bankfile", "payouts_returnpart", "members_contributiondue", "members_enrolment", "members_match",
    "members_remittance", "members_refund", "ledger_closingbalance", "books_fundmovement", "books_reconciliation",
)  # fmt: skip


def _a_year() -> World:
    with everywhere(reason="arrange"), frozen(ASKED):
        world = make_world()
        covers = [world.cover(world.member(101 + 2 * i)) for i in range(4)]
    play(world, covers)
    with everywhere(reason="arrange"), frozen(ASKED):
        manager = world.cast.actor(world.cast.manager)
        refunds.release(Refund.objects.get(), by=manager, on=ASKED)
        reconciling.look_again(ASKED, by=SYSTEM)  # contributions of January came in after the day was compared
        reconciling.explain(Reconciliation.objects.get(), reason="手续费", by=manager)
        closing.confirm(PeriodClosing.objects.get(), by=manager, on=ASKED)
    return world


def _found(sql: str, *, guards: bool = False) -> list[str]:
    """What the audit finds after this was done by the owner, with the guards off or on; all of it is taken back."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET LOCAL unionaid.offices = '*'; SET CONSTRAINTS ALL DEFERRED")
        for table in () if guards else TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        if sql:
            cursor.execute(sql)
        found = [one.code for one in look(money.EVERY, using="owner") if guards or one.code != "G1"]
        transaction.set_rollback(True, using="owner")
    return found


def test_nothing_that_is_done_to_the_rows_escapes(committed: None) -> None:
    world = _a_year()
    connection.close()
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attrelid = 'members_enrolment'::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attidentity = '' AND attname <> 'public_id'"
        )
        columns = cursor.fetchone()[0]
    assert _found("") == _found("", guards=True) == []
    told = {"other": world.cast.b.pk, "enrolment": columns}
    codes = {name: name.partition(",")[0] for name in TAMPERING}
    escaped = {name for name, sql in TAMPERING.items() if codes[name] not in _found(sql.format(**told), guards=codes[name] == "G1")}
    assert escaped == set()
    assert {one.code for one in money.EVERY} == set(codes.values())
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal")
        there = {name for (name,) in cursor.fetchall() if name.startswith(("ledger_", "payouts_", "books_"))}
    assert there <= set(guards.triggers()), "a guard of the money that nobody would miss"


def test_each_night_one_audit_is_kept_and_what_is_wrong_is_cried_out(
    world: World, settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALARM_TO = ["alarm@example.org"]
    with frozen(ASKED):
        for _twice in range(2):
            ask_what_is_due()
            run_due("reports")
    with everywhere(reason="look"):
        first = MoneyAudit.objects.get()
        assert (first.on, first.findings, first.looked_at) == (ASKED, [], len(money.EVERY))
        assert Job.objects.get(kind="reports.audit_money").office_id == first.office_id == world.cast.headquarters.pk
    assert mail.outbox == []
    # The control: without one key for the day, two timetables have it done twice.
    with monkeypatch.context() as patch, frozen(ASKED):
        keys = count()
        twice = lambda kind, found, **told: enqueue(kind, [(pk, f"{key}:{next(keys)}", row) for pk, key, row in found], **told)  # noqa: E731
        patch.setattr(money, "enqueue", twice)
        for _timetable in range(2):
            ask_what_is_due()
    with everywhere(reason="look"):
        assert Job.objects.filter(kind="reports.audit_money").count() == 3
        broken = [one.__class__(one.code, one.words, "SELECT 1, 'row 7'") if one.code == "I4" else one for one in money.EVERY]
        monkeypatch.setattr(money, "EVERY", tuple(broken))
        later = money.keep(first.office_id, ASKED.replace(day=2))
    assert [(one["code"], one["rows"]) for one in later.findings] == [("I4", ["row 7"])]
    assert "I4" in caplog.text
    assert "row 7" in mail.outbox[0].body


def test_the_command_says_so_and_ends_with_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    call_command("audit_money", stdout=out, stderr=StringIO())
    assert out.getvalue().count("✓") == len(money.EVERY)
    out = StringIO()
    call_command("audit_money", "--json", stdout=out, stderr=StringIO())
    assert all(line["holds"] for line in json.loads(out.getvalue()))
    broken = tuple(one.__class__(one.code, one.words, "SELECT NULL, 'row 7'") for one in money.EVERY[:1])
    monkeypatch.setattr("unionaid.reports.management.commands.audit_money.audit", lambda: look(broken))
    with pytest.raises(CommandError, match="I1"):
        call_command("audit_money", stdout=out, stderr=StringIO())
    assert "row 7" in out.getvalue()
