"""Even the owner of the tables posts nothing in a closed month, and adds nothing to what is posted; without the trigger it happens. Real
commits."""

import pytest
from django.db import IntegrityError, connections, transaction

from tests.factories.world import ASKED, JOINED, make_world
from tests.races.test_guards_taken_away import without
from unionaid.ledger.closing import close
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere

INTO_JANUARY = """SET LOCAL unionaid.offices = '*';
INSERT INTO ledger_transaction (office_id, kind, source_type, source_id, posted_on, note)
  SELECT office_id, 'x', 't', 1, '2026-01-31', '' FROM ledger_closedperiod"""


INTO_WHAT_IS_POSTED = """SET LOCAL unionaid.offices = '*';
INSERT INTO ledger_entry (office_id, transaction_id, account_id, amount_fen, posted_on)
  SELECT e.office_id, e.transaction_id, e.account_id, sign * 7, e.posted_on FROM ledger_entry e, unnest(ARRAY[1, -1]) sign
  WHERE e.id = (SELECT min(id) FROM ledger_entry)"""


ANOTHER_ACCOUNT = "SET LOCAL unionaid.offices = '*'; UPDATE ledger_account SET code = 'charges' WHERE code = 'capital'"


def _as_owner(sql: str = INTO_JANUARY) -> None:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(sql)
        transaction.set_rollback(True, using="owner")


def test_the_owner_posts_nothing_in_a_closed_month_while_the_trigger_stands(committed: None) -> None:
    with frozen(JOINED):
        world = make_world()
    for act, table, guard, words in (
        (INTO_WHAT_IS_POSTED, "ledger_entry", "entry_same_day", "none is added later"),
        (ANOTHER_ACCOUNT, "ledger_account", "account_stays", "account_stays"),
    ):
        with pytest.raises(IntegrityError, match=words):
            _as_owner(act)
        take = f"ALTER TABLE {table} DISABLE TRIGGER {guard}"
        with without(take, take.replace("DISABLE", "ENABLE")):
            _as_owner(act)
    with everywhere(reason="arrange"), frozen(ASKED):
        close(world.cast.a.pk, last=ASKED.replace(month=1, day=31))
    with pytest.raises(IntegrityError, match="closed through 2026-01-31"):
        _as_owner()
    take = "ALTER TABLE ledger_transaction DISABLE TRIGGER period_is_open"
    with without(take, take.replace("DISABLE", "ENABLE")):
        _as_owner()
