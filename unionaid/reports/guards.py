"""The guards of the database itself, looked at with the money: whoever owns the tables can take one away for a moment, change rows, and
forget to put it back, or let a restored copy go to work without it."""

import re

from django.utils.translation import gettext_lazy as _

from unionaid.ledger.invariants import Invariant
from unionaid.offices.row_security import scoped_models, statements

# What the migrations put up (table trigger); the rest is made from the models after each migration.
BY_MIGRATIONS = (
    "ledger_transaction transaction_balances", "ledger_transaction period_is_open", "ledger_entry entry_balances",
    "ledger_entry period_is_open", "ledger_entry day_of_transaction", "ledger_entry entry_same_day", "ledger_account account_stays",
    "members_match match_made", "members_match match_undone", "members_match match_stays", "members_refund refund_moves",
    "members_refund refund_stays", "members_remittance remittance_stays",
    "payouts_payoutbatch batch_stays", "payouts_payoutbatch batch_people_apart", "payouts_payoutbatch has_lines", "claims_claim has_lines",
    "payouts_payoutline line_stays", "payouts_payoutline line_is_kept", "payouts_payoutline lines_belong",
    "payouts_recoverypayment recovery_paid", "payouts_recoverypayment set_off_once",
)  # fmt: skip
_MADE = re.compile(r'CREATE (?:CONSTRAINT )?TRIGGER (\w+) .*? ON "(\w+)"', re.DOTALL)


def triggers() -> list[str]:
    """Every trigger that must be there, as "table trigger"."""
    made = [found for one in statements("nobody") if (found := _MADE.match(one))]
    return sorted({*BY_MIGRATIONS, *(f"{found[2]} {found[1]}" for found in made)})


def _listed(names: list[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{name}'" for name in names) + "]"


def _query() -> str:
    tables = sorted(model._meta.db_table for model in scoped_models())
    return f"""
    SELECT NULL::bigint, c.relname || ' ' || t.tgname || ' disabled' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled NOT IN ('O', 'A')
    UNION ALL SELECT NULL, wanted || ' missing' FROM unnest({_listed(triggers())}) wanted
      WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass(split_part(wanted, ' ', 1))
        AND t.tgname = split_part(wanted, ' ', 2))
    UNION ALL SELECT NULL, wanted || ' row security' FROM unnest({_listed(tables)}) wanted
      WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass(wanted) AND c.relrowsecurity AND c.relforcerowsecurity)"""


GUARDS = Invariant("G1", _("数据库的护栏都在：没有停用或缺少的触发器，行级隔离都开着"), _query)
