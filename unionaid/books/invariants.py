"""What must hold between the books, their closings and what the bank says."""

from django.utils.translation import gettext_lazy as _

from unionaid.ledger.invariants import Invariant

INVARIANTS = (
    Invariant(
        "I8.2",
        _("账面的银行存款，等于最近一次对账的银行余额加在途和已说明的差额"),
        """WITH latest AS (
          SELECT DISTINCT ON (office_id) * FROM books_reconciliation WHERE state <> 'open' ORDER BY office_id, "on" DESC),
        books AS (SELECT r.id, coalesce(sum(e.amount_fen), 0) AS fen FROM latest r
          LEFT JOIN ledger_account a ON a.office_id = r.office_id AND a.code = 'bank'
          LEFT JOIN ledger_entry e ON e.account_id = a.id AND e.posted_on <= r."on" GROUP BY r.id)
        SELECT r.office_id, 'books_reconciliation ' || r."on" FROM latest r JOIN books USING (id)
        WHERE books.fen <> r.bank_fen + r.items_fen + r.difference_fen OR r.difference_fen <> 0 AND r.state <> 'explained'""",
    ),
    Invariant(
        "B1",
        _("已结账期间的发生额和余额，等于那时以前分录的合计，每条分录的日期与凭证一致"),
        """SELECT p.office_id, 'ledger_closingbalance ' || b.id
          FROM ledger_closedperiod p JOIN ledger_closingbalance b ON b.period_id = p.id
          LEFT JOIN ledger_entry e ON e.account_id = b.account_id AND e.posted_on <= p.last_day
        GROUP BY p.id, b.id HAVING coalesce(sum(e.amount_fen), 0) <> b.balance_fen
          OR coalesce(sum(e.amount_fen) FILTER (WHERE e.posted_on >= p.first_day), 0) <> b.debit_fen - b.credit_fen
        UNION ALL SELECT e.office_id, 'ledger_entry ' || e.id FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
        WHERE e.posted_on <> t.posted_on""",
    ),
    Invariant(
        "B2",
        _("资金拨入与调剂由两个人办，账上的金额与登记的一致"),
        """SELECT m.office_id, m.number FROM books_fundmovement m
          LEFT JOIN ledger_transaction t ON t.source_type = 'books.fundmovement' AND t.source_id = coalesce(m.reverses_id, m.id)
            AND t.kind = CASE WHEN m.reverses_id IS NULL THEN 'fund_movement' ELSE 'fund_movement_reversed' END
          LEFT JOIN ledger_entry e ON e.transaction_id = t.id LEFT JOIN ledger_account a ON a.id = e.account_id AND a.code = 'bank'
        GROUP BY m.id HAVING coalesce(sum(abs(e.amount_fen)) FILTER (WHERE a.id IS NOT NULL), 0)
            <> CASE WHEN m.state = 'posted' THEN m.amount_fen ELSE 0 END
          OR m.state = 'posted' AND (m.proposed_by_id IS NULL OR m.confirmed_by_id IS NULL OR m.proposed_by_id = m.confirmed_by_id)""",
    ),
)
