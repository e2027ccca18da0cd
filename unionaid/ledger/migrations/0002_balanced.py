"""Each transaction has at least two entries that sum to zero: checked by the database at commit."""

from django.db import migrations

CHECK = """
CREATE FUNCTION ledger_check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  checked bigint := CASE TG_TABLE_NAME WHEN 'ledger_entry' THEN (to_jsonb(NEW)->>'transaction_id')::bigint ELSE NEW.id END;
  lines bigint; balance numeric;
  scope text := coalesce(current_setting('unionaid.offices', true), '');
BEGIN
  -- At commit the scope may be another one: look at every row, for this check alone.
  PERFORM set_config('unionaid.offices', '*', true);
  SELECT count(*), coalesce(sum(amount_fen), 0) INTO lines, balance FROM ledger_entry WHERE transaction_id = checked;
  PERFORM set_config('unionaid.offices', scope, true);
  IF lines < 2 OR balance <> 0 THEN
    RAISE EXCEPTION 'ledger transaction % has % entries that sum to % fen', checked, lines, balance
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balance();
CREATE CONSTRAINT TRIGGER transaction_balances AFTER INSERT ON ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balance();
"""
UNDO = "DROP FUNCTION ledger_check_balance() CASCADE"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(CHECK, UNDO)]
