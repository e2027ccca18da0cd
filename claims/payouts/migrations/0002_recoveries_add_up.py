"""What came back of an over-payment is kept by the database: every payment moves the sums of its recovery and of the remittance it
came from, whose CHECKs forbid more than is owed and more than arrived, however many people match at once.
A match that was wrong is taken back whole. What is set off of a claim counts once, however often the bank sends the rest back."""

from django.db import migrations

UP = """
CREATE FUNCTION payouts_recovery_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.takes_back_id IS NOT NULL AND NOT EXISTS (SELECT FROM payouts_recoverypayment p WHERE p.id = NEW.takes_back_id
      AND p.recovery_id = NEW.recovery_id AND p.remittance_id IS NOT DISTINCT FROM NEW.remittance_id
      AND p.amount_fen = -NEW.amount_fen) THEN
    RAISE EXCEPTION 'a payment is taken back whole, from where it was matched' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE payouts_recovery SET paid_fen = paid_fen + NEW.amount_fen
    WHERE id = NEW.recovery_id AND office_id = NEW.office_id AND state = 'open';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a payment to a recovery that is not open, or of another office' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.remittance_id IS NOT NULL THEN
    UPDATE members_remittance SET recovered_fen = recovered_fen + NEW.amount_fen
      WHERE id = NEW.remittance_id AND office_id = NEW.office_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'a payment from another office''s remittance' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER recovery_paid AFTER INSERT ON payouts_recoverypayment FOR EACH ROW EXECUTE FUNCTION payouts_recovery_paid();

CREATE FUNCTION payouts_set_off_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM payouts_payoutline mine JOIN payouts_payoutline l ON l.claim_id = mine.claim_id
      JOIN payouts_recoverypayment p ON p.line_id = l.id
      WHERE mine.id = NEW.line_id AND NOT EXISTS (SELECT FROM payouts_recoverypayment b WHERE b.takes_back_id = p.id)) THEN
    RAISE EXCEPTION 'set_off_once: what was kept back of a claim has paid back already' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER set_off_once BEFORE INSERT ON payouts_recoverypayment FOR EACH ROW WHEN (NEW.line_id IS NOT NULL)
  EXECUTE FUNCTION payouts_set_off_once();
"""
DOWN = """
DROP TRIGGER set_off_once ON payouts_recoverypayment;
DROP FUNCTION payouts_set_off_once();
DROP TRIGGER recovery_paid ON payouts_recoverypayment;
DROP FUNCTION payouts_recovery_paid();
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0001_initial"), ("members", "0001_initial")]

    operations = [migrations.RunSQL(UP, DOWN)]
