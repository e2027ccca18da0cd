"""Nothing is posted in a closed period, not by the owner either; an entry has its transaction's day. None is added to a transaction that
was posted before: what it says stays as it was, and a correction is a transaction of its own. Nor does an account become another one.

Who posts holds a shared lock of the office until the end of the transaction; who closes takes it alone. So a posting is either seen by
the closing or sees it.
"""

from django.db import migrations

LOCK = 7306  # the family of advisory locks `ledger.closing` takes too

GUARD = f"""
CREATE FUNCTION ledger_refuse_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  late record;
  scope text := coalesce(current_setting('unionaid.offices', true), '');
BEGIN
  PERFORM pg_advisory_xact_lock_shared({LOCK}, o.office_id::int) FROM (SELECT DISTINCT office_id FROM fresh ORDER BY 1) o;
  -- Whoever posts may not see the closed periods: look at every row, for this check alone.
  PERFORM set_config('unionaid.offices', '*', true);
  SELECT f.office_id, f.posted_on, p.last_day INTO late FROM fresh f
    JOIN ledger_closedperiod p ON p.office_id = f.office_id AND f.posted_on <= p.last_day LIMIT 1;
  PERFORM set_config('unionaid.offices', scope, true);
  IF late.office_id IS NOT NULL THEN
    RAISE EXCEPTION 'the books of office % are closed through %: nothing is posted on %', late.office_id, late.last_day, late.posted_on
      USING ERRCODE = 'check_violation', CONSTRAINT = 'period_is_open';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER period_is_open AFTER INSERT ON ledger_transaction
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_closed();
CREATE TRIGGER period_is_open AFTER INSERT ON ledger_entry
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_closed();

CREATE FUNCTION ledger_day_of_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.posted_on := (SELECT posted_on FROM ledger_transaction WHERE id = NEW.transaction_id);
  RETURN NEW;
END $$;
CREATE TRIGGER day_of_transaction BEFORE INSERT ON ledger_entry
  FOR EACH ROW WHEN (NEW.posted_on IS NULL) EXECUTE FUNCTION ledger_day_of_transaction();

CREATE FUNCTION ledger_same_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM fresh f JOIN ledger_transaction t ON t.id = f.transaction_id WHERE t.posted_on <> f.posted_on) THEN
    RAISE EXCEPTION 'an entry has its transaction''s day' USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_same_day';
  END IF;
  -- Its head was written by this very transaction of the database, or a part of it: by none that began before.
  IF EXISTS (SELECT FROM fresh f JOIN ledger_transaction t ON t.id = f.transaction_id WHERE age(t.xmin) > 0) THEN
    RAISE EXCEPTION 'entries are posted with their transaction, none is added later'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_same_day';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entry_same_day AFTER INSERT ON ledger_entry
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_same_day();

CREATE FUNCTION ledger_account_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'account_stays: what an account stands for is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER account_stays BEFORE UPDATE OR DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_account_stays();
"""
UNDO = """DROP FUNCTION ledger_refuse_closed() CASCADE; DROP FUNCTION ledger_day_of_transaction() CASCADE;
DROP FUNCTION ledger_same_day() CASCADE; DROP FUNCTION ledger_account_stays() CASCADE"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_balanced")]
    operations = [migrations.RunSQL(GUARD, UNDO)]
