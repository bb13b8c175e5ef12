"""SQL of what a society's books and loans say on a day, shared by figure tables, closing checks and pages. Runs nothing.

Every text takes one placeholder, the day, given to `on_day`: rows as counted on it. The same SQL makes the frozen tables and
the live pages, so the two can only differ where something happened in between.
"""

from karez.kernel.facts import counted_on

_DAY = "{day}"
_SOCIETY = counted_on(_DAY, event=False, alias="so")
_LOAN = counted_on(_DAY, event=True, alias="l")
_REPAID = counted_on(_DAY, event=True, alias="p")
_EXTENDED = counted_on(_DAY, event=True, alias="e")
_WRITTEN_OFF = counted_on(_DAY, event=True, alias="w")

# One row for each society: what was paid in, net of refunds. A write-off lowers a pot, not what was paid in.
CAPITAL = f"""
SELECT so.area_id, so.id AS society_id, so.size_class,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '4001'), 0)::bigint AS grant_fen,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '2001'), 0)::bigint AS contributions_fen,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '4002'), 0)::bigint AS gifts_fen,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '4003'), 0)::bigint AS surplus_fen
  FROM mutual_funds_society so
  LEFT JOIN (
    SELECT t.book_id, a.code, sum(t.amount_fen) AS fen FROM ledger_transfer t JOIN ledger_account a ON a.id = t.credit_account_id
      JOIN ledger_account o ON o.id = t.debit_account_id
     WHERE t.booking_date <= {_DAY} AND a.code IN ('2001', '4001', '4002', '4003') AND o.code <> '1301' GROUP BY 1, 2
    UNION ALL
    SELECT t.book_id, a.code, -sum(t.amount_fen) FROM ledger_transfer t JOIN ledger_account a ON a.id = t.debit_account_id
      JOIN ledger_account o ON o.id = t.credit_account_id
     WHERE t.booking_date <= {_DAY} AND a.code IN ('2001', '4001', '4002', '4003') AND o.code <> '1301' GROUP BY 1, 2
  ) m ON m.book_id = so.book_id
 WHERE {_SOCIETY} GROUP BY so.id"""

# One row for each society and account code of its book: the balance on the account's normal side.
BALANCES = f"""
SELECT so.area_id, so.id AS society_id, a.code,
       (CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END * coalesce(sum(m.fen), 0))::bigint AS balance_fen
  FROM mutual_funds_society so JOIN ledger_account a ON a.book_id = so.book_id
  LEFT JOIN (
    SELECT debit_account_id AS account_id, sum(amount_fen) AS fen FROM ledger_transfer WHERE booking_date <= {_DAY} GROUP BY 1
    UNION ALL SELECT credit_account_id, -sum(amount_fen) FROM ledger_transfer WHERE booking_date <= {_DAY} GROUP BY 1
  ) m ON m.account_id = a.id
 WHERE so.voided_at IS NULL GROUP BY so.id, a.id"""

# One row for each loan: what was repaid, what is still owed, and since when the oldest unpaid instalment is late.
LOANS = f"""
SELECT so.area_id, l.id AS loan_id, l.loan_no, l.society_id, l.member_id, l.principal_fen, l.happened_on AS issued_on, l.counts_on, l.opening,
       l.purpose, l.term_days, coalesce(e.due_on, l.due_on) AS due_on, e.loan_id IS NOT NULL AS rescheduled, l.transfer_id,
       coalesce(r.principal, 0)::bigint AS repaid_principal_fen, coalesce(r.fee, 0)::bigint AS repaid_fee_fen,
       coalesce(w.fen, 0)::bigint AS written_off_fen,
       (l.principal_fen - coalesce(r.principal, 0) - coalesce(w.fen, 0))::bigint AS outstanding_fen,
       CASE WHEN w.loan_id IS NULL AND l.principal_fen > coalesce(r.principal, 0) THEN GREATEST({_DAY} - late.since, 0) ELSE 0 END AS days_late
  FROM mutual_funds_loan l JOIN mutual_funds_society so ON so.id = l.society_id
  LEFT JOIN (SELECT p.loan_id, sum(p.principal_fen) AS principal, sum(p.fee_fen) AS fee FROM mutual_funds_repayment p
      WHERE {_REPAID} GROUP BY 1) r ON r.loan_id = l.id
  LEFT JOIN (SELECT e.loan_id, max(e.due_on) AS due_on FROM mutual_funds_extension e WHERE {_EXTENDED} GROUP BY 1) e ON e.loan_id = l.id
  LEFT JOIN (SELECT w.loan_id, sum(w.principal_fen) AS fen FROM mutual_funds_writeoff w WHERE {_WRITTEN_OFF} GROUP BY 1) w ON w.loan_id = l.id
  LEFT JOIN (
    SELECT i.loan_id, min(i.due_on) AS since FROM (
        SELECT i.loan_id, CASE WHEN i.number = l.instalments THEN coalesce(e.due_on, i.due_on) ELSE i.due_on END AS due_on,
               sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY i.loan_id ORDER BY i.number) AS upto
          FROM mutual_funds_instalment i JOIN mutual_funds_loan l ON l.id = i.loan_id
          LEFT JOIN (SELECT e.loan_id, max(e.due_on) AS due_on FROM mutual_funds_extension e WHERE {_EXTENDED} GROUP BY 1) e ON e.loan_id = l.id
      ) i LEFT JOIN (SELECT p.loan_id, sum(p.principal_fen + p.fee_fen) AS fen FROM mutual_funds_repayment p
          WHERE {_REPAID} GROUP BY 1) r ON r.loan_id = i.loan_id
     WHERE i.upto > coalesce(r.fen, 0) GROUP BY 1
  ) late ON late.loan_id = l.id
 WHERE {_LOAN}"""

# One row for each instalment that fell due by its first schedule, with what was paid on it by that day, and by now.
DUES = f"""
SELECT so.area_id, l.id AS loan_id, l.society_id, d.number, d.due_on, d.principal_fen, d.fee_fen,
       (d.principal_fen + d.fee_fen) AS due_fen,
       LEAST(d.principal_fen + d.fee_fen, GREATEST(0, d.paid_then - d.before))::bigint AS collected_on_time_fen,
       LEAST(d.principal_fen + d.fee_fen, GREATEST(0, d.paid - d.before))::bigint AS collected_fen
  FROM (SELECT i.*, coalesce(sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY i.loan_id ORDER BY i.number
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before, coalesce(r.paid_then, 0) AS paid_then, coalesce(r.paid, 0) AS paid
          FROM mutual_funds_instalment i
          LEFT JOIN (SELECT i.id, sum(p.principal_fen + p.fee_fen) FILTER (WHERE p.happened_on <= i.due_on) AS paid_then,
                            sum(p.principal_fen + p.fee_fen) AS paid
                       FROM mutual_funds_instalment i JOIN mutual_funds_repayment p ON p.loan_id = i.loan_id
                      WHERE i.due_on <= {_DAY} AND {_REPAID} GROUP BY 1) r ON r.id = i.id) d
  JOIN mutual_funds_loan l ON l.id = d.loan_id JOIN mutual_funds_society so ON so.id = l.society_id
 WHERE d.due_on <= {_DAY} AND {_LOAN}"""


def on_day(sql: str, day: str = "%(as_of)s::date") -> str:
    """The SQL with the day put in: a placeholder with its cast, or a literal; `%` is not used otherwise."""
    return sql.replace("{day}", day)
