"""A hundred thousand lines at a time. Half of each page of lines and answers is left free: what becomes of a row is written beside it, and
no index is touched. That a line's batch and claim are there, and of its own office, is asked of all new lines at once instead of row by
row; a line is never removed, nor a batch or a claim that has one."""

from django.db import migrations

UP = """
ALTER TABLE payouts_payoutline SET (fillfactor = 50);
ALTER TABLE payouts_returnrow SET (fillfactor = 50);

CREATE FUNCTION payouts_lines_belong() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  scope text := coalesce(current_setting('unionaid.offices', true), '');
  astray bigint;
BEGIN
  PERFORM set_config('unionaid.offices', '*', true);
  SELECT f.id INTO astray FROM fresh f
    WHERE (f.batch_id, f.office_id) NOT IN (SELECT b.id, b.office_id FROM payouts_payoutbatch b WHERE b.id IN (SELECT batch_id FROM fresh))
       OR (SELECT c.office_id FROM claims_claim c WHERE c.id = f.claim_id) IS DISTINCT FROM f.office_id LIMIT 1;
  PERFORM set_config('unionaid.offices', scope, true);
  IF astray IS NOT NULL THEN
    RAISE EXCEPTION 'line_belongs: line % has no batch or claim of its own office', astray USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lines_belong AFTER INSERT ON payouts_payoutline REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION payouts_lines_belong();
CREATE TRIGGER line_is_kept BEFORE DELETE ON payouts_payoutline FOR EACH ROW EXECUTE FUNCTION payouts_line_stays();

CREATE FUNCTION payouts_has_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  scope text := coalesce(current_setting('unionaid.offices', true), '');
  found boolean;
BEGIN
  PERFORM set_config('unionaid.offices', '*', true);
  IF TG_TABLE_NAME = 'claims_claim' THEN
    found := EXISTS (SELECT FROM payouts_payoutline WHERE claim_id = OLD.id);
  ELSE
    found := EXISTS (SELECT FROM payouts_payoutline WHERE batch_id = OLD.id);
  END IF;
  PERFORM set_config('unionaid.offices', scope, true);
  IF found THEN
    RAISE EXCEPTION 'line_belongs: % % has payout lines', TG_TABLE_NAME, OLD.id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER has_lines BEFORE DELETE ON payouts_payoutbatch FOR EACH ROW EXECUTE FUNCTION payouts_has_lines();
CREATE TRIGGER has_lines BEFORE DELETE ON claims_claim FOR EACH ROW EXECUTE FUNCTION payouts_has_lines();
"""
DOWN = """
DROP FUNCTION payouts_has_lines() CASCADE;
DROP TRIGGER line_is_kept ON payouts_payoutline;
DROP FUNCTION payouts_lines_belong() CASCADE;
ALTER TABLE payouts_returnrow RESET (fillfactor);
ALTER TABLE payouts_payoutline RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0003_three_people_for_a_batch")]

    operations = [migrations.RunSQL(UP, DOWN)]
