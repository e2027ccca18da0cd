"""What is matched and what goes back is kept by the database: every match and every refund moves the sums of its remittance and
its debt, whose CHECKs forbid more than arrived and more than is owed, however many people match at once."""

from django.db import migrations

UP = """
CREATE FUNCTION members_move_sums(offices bigint[], remittances bigint[], dues bigint[], fens bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE wanted bigint; moved bigint;
BEGIN
  SELECT count(DISTINCT id) INTO wanted FROM unnest(remittances) AS x(id);
  UPDATE members_remittance r SET matched_fen = r.matched_fen + m.fen
    FROM (SELECT office, id, sum(fen) AS fen FROM unnest(offices, remittances, fens) AS x(office, id, fen) GROUP BY office, id) m
    WHERE r.id = m.id AND r.office_id = m.office;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> wanted THEN
    RAISE EXCEPTION 'a match of another office''s remittance' USING ERRCODE = 'check_violation';
  END IF;
  SELECT count(DISTINCT id) INTO wanted FROM unnest(dues) AS x(id);
  UPDATE members_contributiondue d SET paid_fen = d.paid_fen + m.fen
    FROM (SELECT office, id, sum(fen) AS fen FROM unnest(offices, dues, fens) AS x(office, id, fen) GROUP BY office, id) m
    WHERE d.id = m.id AND d.office_id = m.office;
  GET DIAGNOSTICS moved = ROW_COUNT;
  IF moved <> wanted THEN
    RAISE EXCEPTION 'a match of another office''s debt' USING ERRCODE = 'check_violation';
  END IF;
END $$;

CREATE FUNCTION members_match_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM members_move_sums(array_agg(office_id), array_agg(remittance_id), array_agg(due_id), array_agg(amount_fen))
    FROM now_is WHERE undone_at IS NULL HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION members_match_undone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM was o FULL JOIN now_is n USING (id)
             WHERE (o.office_id, o.remittance_id, o.due_id, o.amount_fen) IS DISTINCT FROM
                   (n.office_id, n.remittance_id, n.due_id, n.amount_fen)
                OR (o.undone_at IS NOT NULL AND (o.undone_at, o.undone_reason) IS DISTINCT FROM (n.undone_at, n.undone_reason)))
  THEN
    RAISE EXCEPTION 'a match is never changed, only undone' USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM members_move_sums(array_agg(n.office_id), array_agg(n.remittance_id), array_agg(n.due_id), array_agg(-n.amount_fen))
    FROM was o JOIN now_is n USING (id) WHERE o.undone_at IS NULL AND n.undone_at IS NOT NULL HAVING count(*) > 0;
  RETURN NULL;
END $$;

-- Held from the proposal on; free again when it is dropped or the bank sends it back. Of somebody who is erased the payee goes.
CREATE FUNCTION members_refund_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE held bigint := 0;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (OLD.office_id, OLD.remittance_id, OLD.amount_fen, OLD.reason) IS DISTINCT FROM
       (NEW.office_id, NEW.remittance_id, NEW.amount_fen, NEW.reason)
       OR (OLD.payee_name, OLD.account_number) IS DISTINCT FROM (NEW.payee_name, NEW.account_number)
         AND NOT (NEW.payee_name = '' AND NEW.account_last_four = '' AND EXISTS (
           SELECT FROM members_match t JOIN members_contributiondue d ON d.id = t.due_id JOIN members_member m ON m.id = d.member_id
           WHERE t.remittance_id = NEW.remittance_id AND m.erased_on IS NOT NULL)) THEN
      RAISE EXCEPTION 'what a refund says is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    held := CASE WHEN OLD.state IN ('proposed', 'released', 'paid') THEN -OLD.amount_fen ELSE 0 END;
  END IF;
  held := held + CASE WHEN NEW.state IN ('proposed', 'released', 'paid') THEN NEW.amount_fen ELSE 0 END;
  IF held <> 0 THEN
    UPDATE members_remittance SET refunded_fen = refunded_fen + held WHERE id = NEW.remittance_id AND office_id = NEW.office_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'a refund of another office''s remittance' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION members_money_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER match_made AFTER INSERT ON members_match REFERENCING NEW TABLE AS now_is
  FOR EACH STATEMENT EXECUTE FUNCTION members_match_made();
CREATE TRIGGER match_undone AFTER UPDATE ON members_match REFERENCING OLD TABLE AS was NEW TABLE AS now_is
  FOR EACH STATEMENT EXECUTE FUNCTION members_match_undone();
CREATE TRIGGER refund_moves AFTER INSERT OR UPDATE ON members_refund FOR EACH ROW EXECUTE FUNCTION members_refund_moves();
CREATE TRIGGER match_stays BEFORE DELETE ON members_match FOR EACH ROW EXECUTE FUNCTION members_money_stays();
CREATE TRIGGER refund_stays BEFORE DELETE ON members_refund FOR EACH ROW EXECUTE FUNCTION members_money_stays();
CREATE TRIGGER remittance_stays BEFORE DELETE ON members_remittance FOR EACH ROW EXECUTE FUNCTION members_money_stays();
"""
DOWN = """
DROP FUNCTION members_match_made(), members_match_undone(), members_refund_moves(), members_money_stays() CASCADE;
DROP FUNCTION members_move_sums(bigint[], bigint[], bigint[], bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]
    operations = [migrations.RunSQL(UP, DOWN)]
