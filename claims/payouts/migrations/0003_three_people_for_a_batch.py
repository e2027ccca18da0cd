"""Who may let money out, held by the database: nobody makes, checks or releases a batch with a claim in it that they had a part in or
that pays them (of new lines a trigger of theirs asks it); and a line stays as it was frozen, whatever becomes of the claim's account; of
somebody who is erased the payee goes, and nothing else. Out of which fund, from which account and into what kind of file a batch is paid
stays as it was made, and its sums once they were checked."""

from django.db import migrations

UP = """
CREATE FUNCTION payouts_batch_people_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  scope text := coalesce(current_setting('unionaid.offices', true), '');
  people bigint[] := ARRAY[NEW.assembled_by_id, NEW.checked_by_id, NEW.released_by_id];
  found text;
  own bigint[];
BEGIN
  PERFORM set_config('unionaid.offices', '*', true);
  SELECT coalesce(array_agg(id), '{}') INTO own FROM members_member
    WHERE user_id = ANY(people);
  -- From the lines to their claims, each found by its key: once the statistics know the batch, all claims there are would be read.
  SELECT c.number INTO found
    FROM (SELECT claim_id FROM payouts_payoutline WHERE batch_id = NEW.id AND state <> 'void' OFFSET 0) l
    CROSS JOIN LATERAL (SELECT number FROM claims_claim c WHERE c.id = l.claim_id AND (
      filed_by_id = ANY(people) OR filed_before_by_id = ANY(people) OR submitted_by_id = ANY(people)
      OR unit_reviewed_by_id = ANY(people)
      OR reviewed_by_id = ANY(people) OR approved_by_id = ANY(people) OR claimant_id = ANY(own) OR member_id = ANY(own))
      OFFSET 0) c LIMIT 1;
  PERFORM set_config('unionaid.offices', scope, true);
  IF found IS NOT NULL THEN
    RAISE EXCEPTION 'batch_people_apart: somebody who made, checked or released the batch had a part in claim %', found
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER batch_people_apart BEFORE UPDATE OF state, assembled_by_id, checked_by_id, released_by_id ON payouts_payoutbatch
  FOR EACH ROW WHEN (NEW.state <> 'cancelled' AND (OLD.assembled_by_id, OLD.checked_by_id, OLD.released_by_id) IS DISTINCT FROM
    (NEW.assembled_by_id, NEW.checked_by_id, NEW.released_by_id))
  EXECUTE FUNCTION payouts_batch_people_apart();

CREATE FUNCTION payouts_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  payee text[] := '{payee_name,bank_name,account_number,account_last_four,counts}';  -- the last is computed after this
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.payee_name = '' AND NEW.bank_name = '' AND NEW.account_last_four = ''
    AND to_jsonb(NEW) - payee = to_jsonb(OLD) - payee
    AND EXISTS (SELECT FROM claims_claim c JOIN members_member m ON m.id = c.claimant_id
                WHERE c.id = NEW.claim_id AND m.erased_on IS NOT NULL)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'line_stays: what is frozen in a payout line is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER line_stays BEFORE UPDATE OF batch_id, sequence, claim_id, payee_name, bank_name, account_number, account_last_four,
    amount_fen, set_off_fen, set_off_against_id, reference, reissue_of_id ON payouts_payoutline
  FOR EACH ROW EXECUTE FUNCTION payouts_line_stays();

CREATE FUNCTION payouts_batch_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'batch_stays: what a batch was made of, and what was checked of it, is never changed'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER batch_stays BEFORE UPDATE ON payouts_payoutbatch FOR EACH ROW WHEN (
  (OLD.office_id, OLD.number, OLD.fund, OLD.business_on, OLD.bank_format, OLD.payer_name, OLD.payer_account, OLD.payer_bank)
    IS DISTINCT FROM
  (NEW.office_id, NEW.number, NEW.fund, NEW.business_on, NEW.bank_format, NEW.payer_name, NEW.payer_account, NEW.payer_bank)
  OR OLD.state IN ('checked', 'releasing', 'released', 'booked')
    AND (OLD.line_count, OLD.total_fen) IS DISTINCT FROM (NEW.line_count, NEW.total_fen))
  EXECUTE FUNCTION payouts_batch_stays();
"""
DOWN = """
DROP TRIGGER batch_stays ON payouts_payoutbatch;
DROP FUNCTION payouts_batch_stays();
DROP TRIGGER line_stays ON payouts_payoutline;
DROP FUNCTION payouts_line_stays();
DROP TRIGGER batch_people_apart ON payouts_payoutbatch;
DROP FUNCTION payouts_batch_people_apart();
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0002_recoveries_add_up")]

    operations = [migrations.RunSQL(UP, DOWN)]
