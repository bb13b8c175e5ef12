"""What must hold of the books before a year is closed. Holds no running of checks."""

from karez.kernel.figure_tables import ClosingCheck
from karez.kernel.messages import say

CHECKS = (
    ClosingCheck(
        name="ledger_trial_balance",
        label=say("every book's debits equal its credits"),
        sql="""
SELECT b.name, karez_say('{1} fen', sum(m.net)::text), karez_say('0 fen'), '/ledger/books/' || b.id || '/'
  FROM (SELECT debit_account_id AS account_id, amount_fen AS net FROM ledger_transfer WHERE booking_date <= %(as_of)s
        UNION ALL SELECT credit_account_id, -amount_fen FROM ledger_transfer WHERE booking_date <= %(as_of)s) m
  JOIN ledger_account a ON a.id = m.account_id JOIN ledger_book b ON b.id = a.book_id
 GROUP BY b.id HAVING sum(m.net) <> 0""",
        todo=say("the book is damaged: stop, and restore it from the backup"),
        acceptable=False,
    ),
    ClosingCheck(
        name="ledger_totals",
        label=say("every account's totals equal the sum of its transfers and of what is pending"),
        sql="""
SELECT b.name || ' ' || a.code, concat_ws(' / ', a.posted_debit_fen, a.posted_credit_fen, a.pending_debit_fen,
    a.pending_credit_fen),
       concat_ws(' / ', coalesce(m.d, 0), coalesce(m.c, 0), coalesce(m.pd, 0), coalesce(m.pc, 0)),
           '/ledger/accounts/' || a.id || '/'
  FROM ledger_account a JOIN ledger_book b ON b.id = a.book_id
  LEFT JOIN (SELECT account_id, sum(d) AS d, sum(c) AS c, sum(pd) AS pd, sum(pc) AS pc FROM (
        SELECT debit_account_id AS account_id, amount_fen AS d, 0 AS c, 0 AS pd, 0 AS pc FROM ledger_transfer
        UNION ALL SELECT credit_account_id, 0, amount_fen, 0, 0 FROM ledger_transfer
        UNION ALL SELECT l.debit_account_id, 0, 0, l.amount_fen, 0 FROM ledger_pending_line l JOIN ledger_voucher v
            ON v.id = l.voucher_id
                   WHERE v.posted_at IS NULL AND v.refused_at IS NULL
        UNION ALL SELECT l.credit_account_id, 0, 0, 0, l.amount_fen FROM ledger_pending_line l JOIN ledger_voucher v
            ON v.id = l.voucher_id
                   WHERE v.posted_at IS NULL AND v.refused_at IS NULL) x GROUP BY 1) m ON m.account_id = a.id
 WHERE (a.posted_debit_fen, a.posted_credit_fen, a.pending_debit_fen, a.pending_credit_fen)
    <> (coalesce(m.d, 0), coalesce(m.c, 0), coalesce(m.pd, 0), coalesce(m.pc, 0))""",
        todo=say("the book is damaged: stop, and restore it from the backup"),
        acceptable=False,
    ),
    ClosingCheck(
        name="ledger_pending",
        label=say("no voucher of the year waits for its second person"),
        sql="""
SELECT karez_say('{1}: {2}', b.name, v.narration), karez_say('pending since {1}', (v.prepared_at::date)::text), karez_say('posted or refused'),
    '/ledger/sets/' || v.set_id || '/'
  FROM ledger_voucher v JOIN ledger_book b ON b.id = v.book_id
 WHERE v.booking_date BETWEEN %(year_start)s AND %(as_of)s AND v.posted_at IS NULL AND v.refused_at IS NULL
     ORDER BY v.id""",
        todo=say("approve or refuse the sets"),
    ),
    ClosingCheck(
        name="ledger_numbers",
        label=say("voucher and receipt numbers run without a gap"),
        sql="""
SELECT b.name, concat_ws(' / ', n.vouchers, n.last, n.receipts, n.last_receipt), concat_ws(' / ', c.last_number,
    c.last_number,
       c.last_receipt_number, c.last_receipt_number), '/ledger/books/' || b.id || '/'
  FROM ledger_counter c JOIN ledger_book b ON b.id = c.book_id
  LEFT JOIN (SELECT book_id, count(number) AS vouchers, coalesce(max(number), 0) AS last,
      count(receipt_number) AS receipts,
                    coalesce(max(receipt_number), 0) AS last_receipt
               FROM ledger_voucher WHERE year = %(year)s GROUP BY 1) n ON n.book_id = c.book_id
 WHERE c.year = %(year)s AND (n.vouchers, n.last, n.receipts, n.last_receipt)
       IS DISTINCT FROM (c.last_number, c.last_number, c.last_receipt_number, c.last_receipt_number)""",
        todo=say("the book is damaged: stop, and restore it from the backup"),
        acceptable=False,
    ),
    ClosingCheck(
        name="ledger_overdrawn_on_a_day",
        label=say("no account was below zero at the end of any day of the year"),
        sql="""
SELECT karez_say('{1} {2}', name, code), karez_say('below zero by {1} fen, first on {2}', (-min(held))::text, min(booking_date)::text), karez_say('zero or more'),
       '/ledger/accounts/' || id || '/'
  FROM (SELECT b.name, a.code, a.id, m.booking_date,
               sum(CASE a.normal_side WHEN 'debit' THEN m.net ELSE -m.net END) OVER (PARTITION BY a.id
                   ORDER BY m.booking_date) AS held
          FROM (SELECT account_id, booking_date, sum(net) AS net FROM (
                    SELECT debit_account_id AS account_id, booking_date, amount_fen AS net FROM ledger_transfer
                        WHERE booking_date <= %(as_of)s
                    UNION ALL SELECT credit_account_id, booking_date, -amount_fen FROM ledger_transfer
                        WHERE booking_date <= %(as_of)s) x
                 GROUP BY 1, 2) m
          JOIN ledger_account a ON a.id = m.account_id AND NOT a.may_overdraw JOIN ledger_book b ON b.id = a.book_id) h
 WHERE held < 0 AND booking_date >= %(year_start)s GROUP BY id, name, code ORDER BY id""",
        todo=say("look at the order of the account's dates; reverse and book anew what carries the wrong day"),
    ),
)
