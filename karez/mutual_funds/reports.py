"""SQL of what a society's books and loans say on a day, shared by figure tables, closing checks and pages. Runs
nothing.

`on_day` puts in the day: rows as counted on it. The same SQL makes the frozen tables and the live pages, so the two can
only differ where something happened in between. A page asks about one society: `of` then narrows every part of the
query to it.
"""

import re

from karez.kernel.facts import counted_on

_DAY = "{day}"
_SOCIETY = counted_on(_DAY, event=False, alias="so")
_LOAN = counted_on(_DAY, event=True, alias="l")
_REPAID = counted_on(_DAY, event=True, alias="p")
_EXTENDED = counted_on(_DAY, event=True, alias="e")
_WRITTEN_OFF = counted_on(_DAY, event=True, alias="w")
# Where a query can be narrowed: by a loan's id, by an account's, by the society's own.
_OF_P, _OF_E, _OF_W, _OF_I, _OF_L = (
    f"{{loans {c}}}" for c in ("p.loan_id", "e.loan_id", "w.loan_id", "i.loan_id", "l.id")
)
_OF_DEBIT, _OF_CREDIT, _OF_SO = "{accounts debit_account_id}", "{accounts credit_account_id}", "{society so.id}"
_MARK = re.compile(r"\{(loans|accounts|society) ([a-z_.]+)\}")
_WITHIN = {
    "loans": "SELECT id FROM mutual_funds_loan WHERE society_id = {of}",
    "accounts": (
        "SELECT a.id FROM ledger_account a JOIN mutual_funds_society s ON s.book_id = a.book_id WHERE s.id = {of}"
    ),
    "society": "{of}",
}

# One row for each society: what was paid in, net of refunds. A write-off lowers a pot, not what was paid in.
CAPITAL = f"""
SELECT so.area_id, so.id AS society_id, so.size_class,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '4001'), 0)::bigint AS grant_fen,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '2001'), 0)::bigint AS contributions_fen,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '4002'), 0)::bigint AS gifts_fen,
       coalesce(sum(m.fen) FILTER (WHERE m.code = '4003'), 0)::bigint AS surplus_fen
  FROM mutual_funds_society so
  LEFT JOIN (
    SELECT t.book_id, a.code, sum(t.amount_fen) AS fen FROM ledger_transfer t JOIN ledger_account a
        ON a.id = t.credit_account_id
      JOIN ledger_account o ON o.id = t.debit_account_id
     WHERE t.booking_date <= {_DAY} AND a.code IN ('2001', '4001', '4002', '4003') AND o.code <> '1301' GROUP BY 1, 2
    UNION ALL
    SELECT t.book_id, a.code, -sum(t.amount_fen) FROM ledger_transfer t JOIN ledger_account a
        ON a.id = t.debit_account_id
      JOIN ledger_account o ON o.id = t.credit_account_id
     WHERE t.booking_date <= {_DAY} AND a.code IN ('2001', '4001', '4002', '4003') AND o.code <> '1301' GROUP BY 1, 2
  ) m ON m.book_id = so.book_id
 WHERE {_SOCIETY} GROUP BY so.id"""


def _transfers(which: str, societies: str) -> str:
    """One row for each transfer that paid into a pot or was refunded out of it, of the transfers and the societies
    named.
    """
    return f"""
SELECT so.area_id, so.id AS society_id, so.size_class,
       CASE WHEN m.code = '4001' THEN m.fen ELSE 0 END AS grant_fen,
       CASE WHEN m.code = '2001' THEN m.fen ELSE 0 END AS contributions_fen,
       CASE WHEN m.code = '4002' THEN m.fen ELSE 0 END AS gifts_fen,
       CASE WHEN m.code = '4003' THEN m.fen ELSE 0 END AS surplus_fen, m.transfer_id, m.voucher_id
  FROM mutual_funds_society so
  JOIN (
    SELECT t.book_id, a.code, t.amount_fen AS fen, t.id AS transfer_id, t.voucher_id
      FROM ledger_transfer t JOIN ledger_account a ON a.id = t.credit_account_id JOIN ledger_account o
          ON o.id = t.debit_account_id
     WHERE t.booking_date <= {_DAY} AND a.code IN ('2001', '4001', '4002', '4003') AND {which}
    UNION ALL
    SELECT t.book_id, a.code, -t.amount_fen, t.id, t.voucher_id
      FROM ledger_transfer t JOIN ledger_account a ON a.id = t.debit_account_id JOIN ledger_account o
          ON o.id = t.credit_account_id
     WHERE t.booking_date <= {_DAY} AND a.code IN ('2001', '4001', '4002', '4003') AND {which}
  ) m ON m.book_id = so.book_id
 WHERE {societies}"""


def _by_household(transfers: str) -> str:
    """The same money with the household it came from, where it is somebody's: own money and fees, and of an opening
    voucher each household's part of the own money in it. What nobody is told of stays without a household: grants,
    gifts, what was reversed.
    """
    same = (
        "x.area_id, x.society_id, x.size_class, x.grant_fen, {} AS contributions_fen, x.gifts_fen, "
        "x.surplus_fen, {}, x.transfer_id, x.voucher_id"
    )
    return f"""
WITH x AS MATERIALIZED ({transfers}),
own AS (
  SELECT c.transfer_id, m.household_id FROM mutual_funds_contribution c JOIN mutual_funds_member m ON m.id = c.member_id
   WHERE c.transfer_id IS NOT NULL
  UNION ALL
  SELECT p.fee_transfer_id, m.household_id FROM mutual_funds_repayment p JOIN mutual_funds_loan l ON l.id = p.loan_id
    JOIN mutual_funds_member m ON m.id = l.member_id WHERE p.fee_transfer_id IS NOT NULL),
old AS MATERIALIZED (
  SELECT b.voucher_id, m.household_id, sum(c.amount_fen)::bigint AS fen FROM mutual_funds_contribution c
    JOIN mutual_funds_member m ON m.id = c.member_id JOIN mutual_funds_opening b ON b.society_id = m.society_id
   WHERE c.kind = 'opening' AND {counted_on(_DAY, event=True, alias="c")}
       AND {counted_on(_DAY, event=True, alias="b")} GROUP BY 1, 2)
SELECT {same.format("x.contributions_fen", "h.key AS household_key")} FROM (
  SELECT {same.format("x.contributions_fen", "own.household_id")} FROM x LEFT JOIN own
      ON own.transfer_id = x.transfer_id
   WHERE x.contributions_fen <= 0 OR x.voucher_id NOT IN (SELECT voucher_id FROM old)
  UNION ALL
  SELECT {same.format("old.fen", "old.household_id")} FROM x JOIN old ON old.voucher_id = x.voucher_id
      WHERE x.contributions_fen > 0
  UNION ALL
  SELECT {same.format("x.contributions_fen - told.fen", "NULL")} FROM x
    JOIN (SELECT voucher_id, sum(fen)::bigint AS fen FROM old GROUP BY 1) told ON told.voucher_id = x.voucher_id
   WHERE x.contributions_fen > 0 AND x.contributions_fen <> told.fen
) x LEFT JOIN register_household h ON h.id = x.household_id"""


# The same money as CAPITAL, down to its vouchers and to whose it is.
CAPITAL_TRANSFERS = _by_household(_transfers("o.code <> '1301'", _SOCIETY))
# What was there on the region's first day, of every society that stood then, whether or not it is still at work. Where
# its village is no more, the money lies in what is left of the places above it.
OPENING_TRANSFERS = f"""
WITH now AS MATERIALIZED (SELECT area_id FROM places_tree_on({_DAY}, true)),
was AS MATERIALIZED (SELECT * FROM places_tree_on((SELECT make_date(first_year, 1, 1) FROM periods_region), true))
SELECT coalesce(
         (SELECT u.id FROM unnest(ARRAY[x.area_id, w.township_id, w.county_id, w.prefecture_id,
             w.region_id]) WITH ORDINALITY u (id, n)
            JOIN now ON now.area_id = u.id ORDER BY u.n LIMIT 1), x.area_id) AS area_id,
       x.society_id, x.size_class, x.grant_fen, x.contributions_fen, x.gifts_fen, x.surplus_fen, x.household_key,
           x.transfer_id, x.voucher_id
  FROM ({_by_household(_transfers("o.code = '3000'", f"so.counts_from <= {_DAY} AND (so.void_counts_on IS NULL OR so.void_counts_on > {_DAY})"))}) x
  LEFT JOIN was w ON w.area_id = x.area_id"""

# One row for each society and account code of its book: the balance on the account's normal side.
BALANCES = f"""
SELECT so.area_id, so.id AS society_id, a.code,
       (CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END * coalesce(sum(m.fen), 0))::bigint AS balance_fen
  FROM mutual_funds_society so JOIN ledger_account a ON a.book_id = so.book_id
  LEFT JOIN (
    SELECT debit_account_id AS account_id, sum(amount_fen) AS fen FROM ledger_transfer
        WHERE booking_date <= {_DAY}{_OF_DEBIT} GROUP BY 1
    UNION ALL SELECT credit_account_id, -sum(amount_fen) FROM ledger_transfer
        WHERE booking_date <= {_DAY}{_OF_CREDIT} GROUP BY 1
  ) m ON m.account_id = a.id
 WHERE (so.void_counts_on IS NULL OR so.void_counts_on > {_DAY}){_OF_SO} GROUP BY so.id, a.id"""

# One row for each loan: what was repaid, what is still owed, and since when the oldest unpaid instalment is late.
LOANS = f"""
SELECT so.area_id, l.id AS loan_id, l.loan_no, l.society_id, l.member_id, l.principal_fen, l.happened_on AS issued_on,
    l.counts_on, l.opening,
       l.purpose, l.term_days, coalesce(e.due_on, l.due_on) AS due_on, e.loan_id IS NOT NULL AS rescheduled,
           l.transfer_id,
       coalesce(r.principal, 0)::bigint AS repaid_principal_fen, coalesce(r.fee, 0)::bigint AS repaid_fee_fen,
       coalesce(w.fen, 0)::bigint AS written_off_fen,
       (l.principal_fen - coalesce(r.principal, 0) - coalesce(w.fen, 0))::bigint AS outstanding_fen,
       CASE WHEN w.loan_id IS NULL AND l.principal_fen > coalesce(r.principal, 0) THEN GREATEST({_DAY} - late.since, 0)
           ELSE 0 END AS days_late
  FROM mutual_funds_loan l JOIN mutual_funds_society so ON so.id = l.society_id
  LEFT JOIN (SELECT p.loan_id, sum(p.principal_fen) AS principal, sum(p.fee_fen) AS fee FROM mutual_funds_repayment p
      WHERE {_REPAID}{_OF_P} GROUP BY 1) r ON r.loan_id = l.id
  LEFT JOIN (SELECT e.loan_id, max(e.due_on) AS due_on FROM mutual_funds_extension e WHERE {_EXTENDED}{_OF_E}
      GROUP BY 1) e ON e.loan_id = l.id
  LEFT JOIN (SELECT w.loan_id, sum(w.principal_fen) AS fen FROM mutual_funds_writeoff w WHERE {_WRITTEN_OFF}{_OF_W}
      GROUP BY 1) w ON w.loan_id = l.id
  LEFT JOIN (
    SELECT i.loan_id, min(i.due_on) AS since FROM (
        SELECT i.loan_id, CASE WHEN i.number = l.instalments THEN coalesce(e.due_on, i.due_on)
            ELSE i.due_on END AS due_on,
               sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY i.loan_id ORDER BY i.number) AS upto
          FROM mutual_funds_instalment i JOIN mutual_funds_loan l ON l.id = i.loan_id
          LEFT JOIN (SELECT e.loan_id, max(e.due_on) AS due_on FROM mutual_funds_extension e WHERE {_EXTENDED}{_OF_E}
              GROUP BY 1) e ON e.loan_id = l.id
         WHERE true{_OF_I}) i LEFT JOIN (SELECT p.loan_id, sum(p.principal_fen + p.fee_fen) AS fen
             FROM mutual_funds_repayment p
          WHERE {_REPAID}{_OF_P} GROUP BY 1) r ON r.loan_id = i.loan_id
     WHERE i.upto > coalesce(r.fen, 0) GROUP BY 1
  ) late ON late.loan_id = l.id
 WHERE {_LOAN}{_OF_L}"""

# One row for each instalment that fell due by its first schedule, with what was paid on it by that day, and by now.
DUES = f"""
SELECT so.area_id, l.id AS loan_id, l.society_id, d.number, d.due_on, d.principal_fen, d.fee_fen,
       (d.principal_fen + d.fee_fen) AS due_fen,
       LEAST(d.principal_fen + d.fee_fen, GREATEST(0, d.paid_then - d.before))::bigint AS collected_on_time_fen,
       LEAST(d.principal_fen + d.fee_fen, GREATEST(0, d.paid - d.before))::bigint AS collected_fen
  FROM (SELECT i.*, coalesce(sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY i.loan_id ORDER BY i.number
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before, coalesce(r.paid_then, 0) AS paid_then,
                   coalesce(r.paid, 0) AS paid
          FROM mutual_funds_instalment i
          LEFT JOIN (SELECT i.id,
              sum(p.principal_fen + p.fee_fen) FILTER (WHERE p.happened_on <= i.due_on) AS paid_then,
                            sum(p.principal_fen + p.fee_fen) AS paid
                       FROM mutual_funds_instalment i JOIN mutual_funds_repayment p ON p.loan_id = i.loan_id
                      WHERE i.due_on <= {_DAY} AND {_REPAID}{_OF_P} GROUP BY 1) r ON r.id = i.id
         WHERE true{_OF_I}) d
  JOIN mutual_funds_loan l ON l.id = d.loan_id JOIN mutual_funds_society so ON so.id = l.society_id
 WHERE d.due_on <= {_DAY} AND {_LOAN}"""


def on_day(sql: str, day: str = "%(as_of)s::date", *, of: str = "") -> str:
    """The SQL of a day (a placeholder with its cast, or a literal), of all societies or of the one whose id `of` stands
    for.
    """
    narrowed = _MARK.sub(lambda m: f" AND {m[2]} IN ({_WITHIN[m[1]].format(of=of)})" if of else "", sql)
    return narrowed.replace("{day}", day)
