"""What must hold between decisions, limits, payments, bank files and the books."""

from django.utils.translation import gettext_lazy as _

from claims.facts import LIFETIME
from claims.transitions import DECIDED, GRANTED
from unionaid.ledger.invariants import Invariant


def _texts(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


_TAKEN = """SELECT c.office_id, c.member_id, c.program_id, u->>'key' AS key,
    CASE WHEN u->>'key' LIKE 'lifetime:%%' THEN date '{lifetime}' ELSE lower(e.cover) END AS period_start,
    {sign} round(coalesce((u->>'taken')::numeric, 0) * 100) AS fen
  FROM claims_claim c JOIN claims_benefitstatement f ON f.claim_id = c.id AND f.is_final
    JOIN claims_benefitstatement s ON s.id = {which} JOIN members_enrolment e ON e.id = c.enrolment_id
    CROSS JOIN jsonb_array_elements(s.assessment->'usage') u
  WHERE c.state IN ({decided})"""


def _taken(sign: str, which: str) -> str:
    return _TAKEN.format(sign=sign, which=which, lifetime=LIFETIME, decided=_texts(DECIDED)).replace("%%", "%")


INVARIANTS = (
    Invariant(
        "I3",
        _("核定金额等于给付核定书的合计（更正的，是与原核定的差额）"),
        f"""SELECT c.office_id, c.number FROM claims_claim c
          LEFT JOIN claims_benefitstatement s ON s.claim_id = c.id AND s.is_final
          LEFT JOIN claims_benefitstatement b ON b.id = s.instead_of_id
        WHERE c.state IN ({_texts(GRANTED)}) AND c.approved_fen IS DISTINCT FROM s.total_fen - coalesce(b.total_fen, 0)""",
    ),
    Invariant(
        "I4",
        _("已到账的申领，到账（含抵还）合计等于核定金额；没有到账的，一分也没有付"),
        """SELECT c.office_id, c.number FROM claims_claim c
          LEFT JOIN payouts_payoutline l ON l.claim_id = c.id AND l.state = 'succeeded'
        GROUP BY c.id HAVING coalesce(sum(l.amount_fen + l.set_off_fen), 0) <> CASE WHEN c.state = 'paid' THEN c.approved_fen ELSE 0 END""",
    ),
    Invariant(
        "I5",
        _("一件申领最多有一笔在途或已到账的付款"),
        """SELECT min(office_id), 'claims_claim ' || claim_id FROM payouts_payoutline WHERE state NOT IN ('failed', 'void')
        GROUP BY claim_id HAVING count(*) > 1""",
    ),
    Invariant(
        "I6",
        _("批次的笔数和合计，与明细、银行文件、账上的在途一致"),
        """WITH lines AS (
          SELECT l.batch_id, count(*) FILTER (WHERE l.state <> 'void') AS n, sum(l.amount_fen) FILTER (WHERE l.state <> 'void') AS fen,
            count(*) FILTER (WHERE l.state = 'open') AS open
          FROM payouts_payoutline l GROUP BY l.batch_id),
        books AS (
          SELECT t.source_id AS batch_id, -sum(e.amount_fen) AS fen FROM ledger_transaction t
            JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a ON a.id = e.account_id AND a.code = 'in_transit'
          WHERE t.kind = 'payout' AND t.source_type = 'payouts.payoutbatch' GROUP BY 1)
        SELECT b.office_id, b.number FROM payouts_payoutbatch b LEFT JOIN lines ON lines.batch_id = b.id
          LEFT JOIN books ON books.batch_id = b.id LEFT JOIN payouts_bankfile f ON f.batch_id = b.id
        WHERE b.state NOT IN ('assembling', 'cancelled') AND (b.line_count <> coalesce(lines.n, 0) OR b.total_fen <> coalesce(lines.fen, 0))
          OR b.state IN ('released', 'booked') AND (f.id IS NULL OR f.line_count <> b.line_count OR f.total_fen <> b.total_fen
            OR b.total_fen <> coalesce(books.fen, 0))
          OR b.state NOT IN ('released', 'booked') AND (f.id IS NOT NULL OR books.fen <> 0)
          OR b.state IN ('booked', 'cancelled') AND lines.open > 0 OR b.state = 'cancelled' AND lines.n > 0""",
    ),
    Invariant(
        "I7",
        _("封顶线的已用额度等于有效核定的合计，且不超过封顶线"),
        f"""WITH taken AS ({_taken("", "f.id")} UNION ALL {_taken("-", "f.instead_of_id")}),
        used AS (SELECT member_id, program_id, key, period_start, min(office_id) AS office_id, sum(fen) AS fen
          FROM taken GROUP BY 1, 2, 3, 4)
        SELECT coalesce(u.office_id, used.office_id), coalesce(u.key, used.key) || ' ' || coalesce(u.id, 0)
        FROM claims_ceilingusage u FULL JOIN used USING (member_id, program_id, key, period_start)
        WHERE coalesce(u.used_fen, 0) <> coalesce(used.fen, 0) OR u.used_fen > u.ceiling_fen""",
    ),
    Invariant(
        "I8",
        _("账上的在途给付等于已放款、还没有结果的明细合计"),
        """SELECT office_id, fund FROM (
          SELECT a.office_id, a.fund, -e.amount_fen AS fen FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.code = 'in_transit'
          UNION ALL SELECT l.office_id, b.fund, -l.amount_fen FROM payouts_payoutline l JOIN payouts_payoutbatch b ON b.id = l.batch_id
            WHERE l.state = 'open' AND b.state IN ('released', 'booked')) x
        GROUP BY office_id, fund HAVING sum(fen) <> 0""",
    ),
    Invariant(
        "I8.1",
        _("每一部分回盘的到账和退回合计，与记在其中的明细、账上的凭证一致"),
        """WITH said AS (
          SELECT r.bank_return_id AS id, sum(l.amount_fen) FILTER (WHERE r.succeeded) AS good,
            sum(l.amount_fen) FILTER (WHERE NOT r.succeeded) AS bad
          FROM payouts_returnrow r JOIN payouts_payoutline l ON l.id = r.line_id WHERE r.outcome = 'booked' GROUP BY 1),
        posted AS (
          SELECT p.bank_return_id AS id, sum(e.amount_fen) FILTER (WHERE t.kind = 'payout_settled') AS good,
            sum(e.amount_fen) FILTER (WHERE t.kind IN ('payout_returned', 'payout_bounced')) AS bad
          FROM payouts_returnpart p JOIN ledger_transaction t ON t.source_type = 'payouts.returnpart' AND t.source_id = p.id
            JOIN ledger_entry e ON e.transaction_id = t.id
            JOIN ledger_account a ON a.id = e.account_id AND a.code = CASE t.kind WHEN 'payout_bounced' THEN 'bank' ELSE 'in_transit' END
          GROUP BY 1),
        parts AS (SELECT bank_return_id AS id, sum(succeeded_fen) AS good, sum(failed_fen) AS bad FROM payouts_returnpart GROUP BY 1)
        SELECT b.office_id, b.file_name FROM payouts_bankreturn b
          LEFT JOIN said USING (id) LEFT JOIN posted USING (id) LEFT JOIN parts USING (id)
        WHERE (coalesce(said.good, 0), coalesce(said.bad, 0)) <> (coalesce(parts.good, 0), coalesce(parts.bad, 0))
          OR (coalesce(posted.good, 0), coalesce(posted.bad, 0)) <> (coalesce(parts.good, 0), coalesce(parts.bad, 0))""",
    ),
    Invariant(
        "I11",
        _("代办、提交、单位核对、初审、终审、编制、复核、放款，没有两步是同一个人"),
        """SELECT c.office_id, c.number FROM claims_claim c
          LEFT JOIN payouts_payoutline l ON l.claim_id = c.id AND l.state <> 'void' LEFT JOIN payouts_payoutbatch b ON b.id = l.batch_id
          CROSS JOIN LATERAL (SELECT count(who) AS n, count(DISTINCT who) AS different FROM unnest(ARRAY[
            CASE WHEN c.filed_by_id IS DISTINCT FROM c.submitted_by_id THEN c.filed_by_id END,
            CASE WHEN c.filed_before_by_id IS DISTINCT FROM c.submitted_by_id THEN c.filed_before_by_id END,
            c.submitted_by_id, c.unit_reviewed_by_id, c.reviewed_by_id, c.approved_by_id, b.assembled_by_id, b.checked_by_id,
            b.released_by_id]) who) w
        WHERE w.n <> w.different""",
    ),
    Invariant(
        "I12",
        _("申领、付款明细、批次和凭证同属一个机构"),
        """SELECT l.office_id, l.reference FROM payouts_payoutline l JOIN payouts_payoutbatch b ON b.id = l.batch_id
          JOIN claims_claim c ON c.id = l.claim_id
          LEFT JOIN ledger_transaction t ON t.source_type = 'payouts.payoutbatch' AND t.source_id = b.id
        WHERE l.office_id <> b.office_id OR l.office_id <> c.office_id OR t.office_id <> l.office_id""",
    ),
    Invariant(
        "R1",
        _("应收回的多付互助金等于未结追回的合计"),
        """SELECT office_id, fund FROM (
          SELECT a.office_id, a.fund, e.amount_fen AS fen FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.code = 'recoverable'
          UNION ALL SELECT office_id, fund, -left_fen FROM payouts_recovery) x
        GROUP BY office_id, fund HAVING sum(fen) <> 0""",
    ),
    Invariant(
        "R2",
        _("给付里抵还的多付，到账的正好记一次，停付的一次也不记"),
        """WITH kept AS (
          SELECT claim_id, max(set_off_fen) AS most, coalesce(max(set_off_fen) FILTER (WHERE state = 'succeeded'), 0) AS arrived
          FROM payouts_payoutline WHERE set_off_against_id IS NOT NULL GROUP BY 1),
        back AS (
          SELECT l.claim_id, sum(p.amount_fen + coalesce(b.amount_fen, 0)) AS fen FROM payouts_recoverypayment p
            JOIN payouts_payoutline l ON l.id = p.line_id LEFT JOIN payouts_recoverypayment b ON b.takes_back_id = p.id GROUP BY 1)
        SELECT c.office_id, c.number FROM kept JOIN claims_claim c ON c.id = kept.claim_id LEFT JOIN back USING (claim_id)
        WHERE c.state = 'paid' AND coalesce(back.fen, 0) <> kept.arrived OR coalesce(back.fen, 0) NOT BETWEEN 0 AND kept.most
          OR c.state = 'halted' AND back.fen <> 0 AND NOT EXISTS (SELECT FROM workflow_job j WHERE j.kind = 'recoveries.owe_again'
            AND j.job_state IN ('queued', 'running') AND c.id = ANY(j.subject_ids))""",
    ),
)
