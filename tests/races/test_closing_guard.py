"""Even the owner of the tables posts nothing in a closed month; without the trigger it happens. Real commits."""

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


def _as_owner() -> None:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(INTO_JANUARY)
        transaction.set_rollback(True, using="owner")


def test_the_owner_posts_nothing_in_a_closed_month_while_the_trigger_stands(committed: None) -> None:
    with frozen(JOINED):
        world = make_world()
    with everywhere(reason="arrange"), frozen(ASKED):
        close(world.cast.a.pk, last=ASKED.replace(month=1, day=31))
    with pytest.raises(IntegrityError, match="closed through 2026-01-31"):
        _as_owner()
    take = "ALTER TABLE ledger_transaction DISABLE TRIGGER period_is_open"
    with without(take, take.replace("DISABLE", "ENABLE")):
        _as_owner()
