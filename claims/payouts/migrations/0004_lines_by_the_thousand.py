"""A hundred thousand lines at a time. Half of each page of lines and answers is left free: what becomes of a row is written beside it,
and no index is touched. The keys and the sealed piece of a part are kept as they are, not pressed. That a line's batch and claim are there,
and of its own office, and that who makes the batch had no part in the claim nor is paid by it, is asked of all new lines at once instead of
row by row; a line is never removed, nor a batch or a claim that has one."""

from django.db import migrations

UP = """
ALTER TABLE payouts_payoutline SET (fillfactor = 50);
ALTER TABLE payouts_returnrow SET (fillfactor = 50);
ALTER TABLE payouts_batchpart ALTER COLUMN claim_ids SET STORAGE EXTERNAL, ALTER COLUMN piece SET STORAGE EXTERNAL;

CREATE FUNCTION payouts_lines_belong() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  scope text := coalesce(current_setting('unionaid.offices', true), '');
  own bigint[];
  wrong record;
BEGIN
  PERFORM set_config('unionaid.offices', '*', true);
  SELECT coalesce(array_agg(id), '{}') INTO own FROM members_member
    WHERE user_id IN (SELECT assembled_by_id FROM payouts_payoutbatch WHERE id IN (SELECT batch_id FROM fresh));
  SELECT f.id, c.number, (b.office_id, c.office_id) IS DISTINCT FROM (f.office_id, f.office_id) AS astray INTO wrong
    FROM fresh f LEFT JOIN claims_claim c ON c.id = f.claim_id LEFT JOIN payouts_payoutbatch b ON b.id = f.batch_id
    WHERE b.office_id IS DISTINCT FROM f.office_id OR c.office_id IS DISTINCT FROM f.office_id
      OR b.assembled_by_id IN
        (c.filed_by_id, c.filed_before_by_id, c.submitted_by_id, c.unit_reviewed_by_id, c.reviewed_by_id, c.approved_by_id)
      OR c.claimant_id = ANY(own) OR c.member_id = ANY(own) LIMIT 1;
  PERFORM set_config('unionaid.offices', scope, true);
  IF wrong.astray THEN
    RAISE EXCEPTION 'line_belongs: line % has no batch or claim of its own office', wrong.id USING ERRCODE = 'foreign_key_violation';
  ELSIF wrong.id IS NOT NULL THEN
    RAISE EXCEPTION 'batch_people_apart: somebody who made, checked or released the batch had a part in claim %', wrong.number
      USING ERRCODE = 'check_violation';
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
ALTER TABLE payouts_batchpart ALTER COLUMN claim_ids SET STORAGE EXTENDED, ALTER COLUMN piece SET STORAGE EXTENDED;
ALTER TABLE payouts_returnrow RESET (fillfactor);
ALTER TABLE payouts_payoutline RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0003_three_people_for_a_batch")]

    operations = [migrations.RunSQL(UP, DOWN)]
