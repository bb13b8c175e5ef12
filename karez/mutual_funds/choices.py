"""What may be chosen in this room's forms where a row names a household, a loan or a source line. Holds no reference: how a
row finds what it names is in `sheet_checks`.
"""

from karez.kernel.facts import holds_on
from karez.kernel.messages import say
from karez.kernel.sheets import Choice
from karez.register.identity import names_of_heads

_SOCIETY = "so.area_id = %(area)s AND so.voided_at IS NULL"

MEMBER = Choice(
    column="household_no",
    told=say("{name}"),
    sql=f"""SELECT h.household_no, '' AS of, NULL::bigint AS fen, h.id FROM mutual_funds_society so
    JOIN mutual_funds_member m ON m.society_id = so.id AND {holds_on("%(day)s::date", "m")}
    JOIN register_household h ON h.id = m.household_id WHERE {_SOCIETY} AND starts_with(h.household_no, %(words)s)
    ORDER BY h.household_no LIMIT %(limit)s""",
    names=names_of_heads,
)

HOUSEHOLD = Choice(
    column="household_no",
    told=say("{name}"),
    sql="""SELECT h.household_no, '' AS of, NULL::bigint AS fen, h.id FROM register_household h
    WHERE h.village_id = %(area)s AND h.voided_at IS NULL AND h.ends_before IS NULL
      AND starts_with(h.household_no, %(words)s) AND NOT EXISTS (SELECT FROM mutual_funds_member m
        WHERE m.household_id = h.id AND m.voided_at IS NULL AND m.ends_before IS NULL)
    ORDER BY h.household_no LIMIT %(limit)s""",
    names=names_of_heads,
)

LOAN = Choice(
    column="loan_no",
    told=say("household {of} {name}, {yuan} yuan still owed"),
    sql=f"""SELECT l.loan_no, h.household_no AS of, l.principal_fen - paid.fen AS fen, h.id FROM mutual_funds_society so
    JOIN mutual_funds_loan l ON l.society_id = so.id AND l.voided_at IS NULL AND starts_with(l.loan_no, %(words)s)
    JOIN mutual_funds_member m ON m.id = l.member_id JOIN register_household h ON h.id = m.household_id
    CROSS JOIN LATERAL (SELECT coalesce(sum(p.principal_fen), 0)::bigint AS fen FROM mutual_funds_repayment p
        WHERE p.loan_id = l.id AND p.voided_at IS NULL) paid
    WHERE {_SOCIETY} AND l.principal_fen > paid.fen
      AND NOT EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL)
    ORDER BY l.loan_no LIMIT %(limit)s""",
    names=names_of_heads,
)

LINE = Choice(
    column="source_line",
    told=say("{yuan} yuan left"),
    sql="""SELECT li.code, '' AS of, a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen AS fen, NULL::bigint
    FROM places_tree vt JOIN places_tree ct ON ct.path @> vt.path AND ct.level = 'county'
    JOIN ledger_book b ON b.area_id = ct.area_id AND b.kind = 'county'
    JOIN funds_sourceline li ON li.programme = 'mutual_funds' AND li.voided_at IS NULL AND starts_with(li.code, %(words)s)
    JOIN ledger_account a ON a.book_id = b.id AND a.code = 'L' || li.id
    WHERE vt.area_id = %(area)s AND a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen > 0
    ORDER BY li.code LIMIT %(limit)s""",
)
