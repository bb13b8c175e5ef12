"""Proofs of the books: balances, totals, numbers of every year, and amounts that stand in two places."""

from datetime import date

from karez.kernel.figure_tables import ClosingCheck
from karez.kernel.verifying import Proof, by_sql, rows
from karez.ledger.checks import CHECKS

# A number is missing, a counter lags behind, or vouchers were posted in a year without a counter.
_NUMBERS = """
SELECT format('%s %s: %s vouchers up to number %s, %s receipts up to number %s; counted %s and %s', b.name,
    coalesce(c.year, n.year),
              coalesce(n.vouchers, 0), coalesce(n.last, 0), coalesce(n.receipts, 0), coalesce(n.last_receipt, 0),
              coalesce(c.last_number, 0), coalesce(c.last_receipt_number, 0))
  FROM ledger_counter c
  FULL JOIN (SELECT book_id, year, count(number) AS vouchers, coalesce(max(number), 0) AS last,
      count(receipt_number) AS receipts,
                    coalesce(max(receipt_number), 0) AS last_receipt FROM ledger_voucher WHERE number IS NOT NULL
                        GROUP BY 1, 2) n
    ON n.book_id = c.book_id AND n.year = c.year
  JOIN ledger_book b ON b.id = coalesce(c.book_id, n.book_id)
 WHERE (coalesce(n.vouchers, 0), coalesce(n.last, 0), coalesce(n.receipts, 0), coalesce(n.last_receipt, 0))
       IS DISTINCT FROM (coalesce(c.last_number, 0), coalesce(c.last_number, 0), coalesce(c.last_receipt_number, 0),
                         coalesce(c.last_receipt_number, 0))
 ORDER BY 1
"""
# Every posted voucher moved something, on its own day and in its own book; nothing was moved by one that was not
# posted.
_VOUCHERS = """
SELECT format('voucher %s of %s %s has no transfer', v.number, b.name, v.year) FROM ledger_voucher v JOIN ledger_book b
    ON b.id = v.book_id
 WHERE v.posted_at IS NOT NULL AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.voucher_id = v.id)
UNION ALL SELECT format('transfer %s lies in another book or on another day than its voucher, or its voucher is not posted', t.id)
  FROM ledger_transfer t LEFT JOIN ledger_voucher v ON v.id = t.voucher_id
 WHERE v.id IS NULL OR v.posted_at IS NULL OR v.book_id <> t.book_id OR v.booking_date <> t.booking_date
    OR v.year <> extract(year FROM v.booking_date)
"""


def _checks() -> list[Proof]:
    today = date.today()
    return [_checked(c, today) for c in CHECKS if c.name in ("ledger_trial_balance", "ledger_totals")]


def _checked(check: ClosingCheck, today: date) -> Proof:
    day = f"DATE '{today:%Y-%m-%d}'"
    found = rows(check.sql.replace("%(as_of)s", day).replace("%%", "%"))
    return Proof(str(check.label), "none wrong", [f"{row[0]}: {row[1]} instead of {row[2]}" for row in found])


def _numbers() -> Proof:
    return by_sql("voucher and receipt numbers of every year", "without a gap", _NUMBERS.replace("%", "%%"))


def _vouchers() -> Proof:
    return by_sql(
        "vouchers and their transfers",
        "every posted voucher moved money in its own book on its own day",
        _VOUCHERS.replace("%", "%%"),
    )


PROOFS = (_checks, _numbers, _vouchers)
