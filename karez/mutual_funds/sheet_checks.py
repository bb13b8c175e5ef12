"""Checks of this room's files, each over all rows at once. Holds no columns and no writing.

The rules are those the database enforces; here every row that breaks one is named before anything is written. What a
file holds is judged together with what is already on record: repayments and refunds add up over both, and so does the
money of each society day by day.
"""

from django.utils.translation import gettext_lazy as _

from karez.intake.numbers import as_on_record
from karez.kernel.sheets import Check, Text
from karez.register.sheets import NUMBER_AS_ON_RECORD

_FIRST_DAY = "(SELECT make_date(first_year, 1, 1) FROM periods_region)"
_IN_FORCE = "{a}.voided_at IS NULL AND {a}.starts_on <= {day} AND ({a}.ends_before IS NULL OR {a}.ends_before > {day})"


def society_join(day: str) -> str:
    """Joins the village's society in force on a day of the row."""
    force = _IN_FORCE.format(a="so", day=f"r.{day}")
    return f" mutual_funds_society so ON so.area_id = r.village_id AND {force}"


def member_join(day: str) -> str:
    """Joins the household of the row and its membership on a day."""
    force = _IN_FORCE.format(a="m", day=f"r.{day}")
    return (
        " register_household h ON h.village_id = r.village_id AND h.household_no = r.household_no AND h.voided_at "
        "IS NULL"
        f" JOIN mutual_funds_member m ON m.household_id = h.id AND m.society_id = so.id AND {force}"
    )


def _rules(day: str) -> str:
    """Joins the rule set in force on a day."""
    return f" mutual_funds_ruleset ru ON ru.society_id = so.id AND {_IN_FORCE.format(a='ru', day=f'r.{day}')}"


def _check(rule: str, column: str, expected: Text, sql: str, todo: Text = "", across: tuple[str, ...] = ()) -> Check:
    return Check(rule=f"mutual_funds_{rule}", column=column, expected=expected, sql=sql, todo=todo, across=across)


_LOANS_ON_RECORD = "SELECT l.society_id, l.loan_no FROM mutual_funds_loan l WHERE l.voided_at IS NULL"


def loan_number_as_on_record(day: str) -> Check:
    """A loan's number is written as it stands on record, and one way in a file."""
    return as_on_record(
        "mutual_funds_loan_number_as_on_record",
        "loan_no",
        _("the number of a loan as it stands on record, and one way in a file"),
        of="so.id",
        recorded=_LOANS_ON_RECORD,
        join=f" JOIN {society_join(day)}",
    )


def society_known(day: str) -> Check:
    """The village has a society on the day of the row."""
    return _check(
        "society_known",
        "village",
        _("a village with a society on that day"),
        (
            f"SELECT r.row_no, r.village FROM {{stage}} r LEFT JOIN {society_join(day)} WHERE r.village_id IS NOT NULL "
            "AND so.id IS NULL"
        ),
        _("load the society first, or correct the village or the day"),
    )


def member_known(day: str) -> Check:
    """The household is a member on the day of the row."""
    return _check(
        "member_known",
        "household_no",
        _("a household that is a member of the society on that day"),
        f"""SELECT r.row_no, r.household_no FROM {{stage}} r JOIN {society_join(day)}
        LEFT JOIN register_household h ON h.village_id = r.village_id AND h.household_no = r.household_no
            AND h.voided_at IS NULL
        LEFT JOIN mutual_funds_member m ON m.household_id = h.id AND m.society_id = so.id
            AND {_IN_FORCE.format(a="m", day=f"r.{day}")}
        WHERE m.id IS NULL""",
        _("enter the membership first, or correct the number of the household"),
    )


def household_there(day: str, unless: str = "false") -> Check:
    """The household was not dissolved by the day of the row; `unless` names rows that go on after its end."""
    return _check(
        "household_there",
        day,
        _("a day before the household was dissolved"),
        f"""SELECT r.row_no, r.{day}::text FROM {{stage}} r JOIN {society_join(day)} JOIN {member_join(day)}
        WHERE r.{day} >= h.ends_before AND NOT {unless}""",
        _("a household that was dissolved only repays and gets its own money back; let it leave the society"),
    )


def money_there(day: str, change: str, column: str = "amount", across: tuple[str, ...] = ()) -> Check:
    """No society spends on a day what it does not have that day. `change` is what a row adds to the money, in fen.

    A file that also brings money in names in `across` whose: what came in may stand in a row that is left out.
    """
    return _check(
        "money_there",
        column,
        _("no day on which the society's bank or cash would be overdrawn"),
        f"""WITH file AS MATERIALIZED (
          SELECT r.row_no, so.book_id, CASE coalesce(r.account, 'bank') WHEN 'cash' THEN '1001' ELSE '1002' END AS code,
            GREATEST(r.{day}, %(first_open_day)s) AS day, {change} AS fen
          FROM {{stage}} r JOIN {society_join(day)} WHERE r.{day} >= {_FIRST_DAY}
        ), touched AS MATERIALIZED (
          SELECT a.id, a.book_id, a.code FROM ledger_account a
          WHERE (a.book_id, a.code) IN (SELECT DISTINCT book_id, code FROM file WHERE fen < 0)
        ), moved AS (
          SELECT t.id AS account_id, f.day, f.fen, f.row_no FROM file f JOIN touched t USING (book_id, code)
          UNION ALL SELECT t.id, x.booking_date, x.amount_fen, NULL FROM touched t JOIN ledger_transfer x
              ON x.debit_account_id = t.id
          UNION ALL SELECT t.id, x.booking_date, -x.amount_fen, NULL FROM touched t JOIN ledger_transfer x
              ON x.credit_account_id = t.id
        ), days AS (
          SELECT account_id, day, sum(fen) AS fen, min(row_no) FILTER (WHERE fen < 0) AS row_no FROM moved GROUP BY 1, 2
        ), standing AS (
          SELECT day, row_no, sum(fen) OVER (PARTITION BY account_id ORDER BY day) AS fen FROM days
        )
        SELECT row_no, day::text || ': ' || to_char(fen / 100.0, 'FM999999999990.00') FROM standing WHERE fen < 0
            AND row_no IS NOT NULL""",
        _("correct the days or amounts, or record first what came in"),
        across=across,
    )


SOCIETY_CHECKS = (
    _check(
        "society_one_at_a_time",
        "village",
        _("a village without a society from that day on"),
        """SELECT r.row_no, r.village FROM {stage} r WHERE EXISTS (SELECT FROM mutual_funds_society so
        WHERE so.area_id = r.village_id AND so.voided_at IS NULL AND (so.ends_before IS NULL
            OR so.ends_before > r.founded_on))""",
        _("one society works in one village; change its rules instead"),
    ),
    _check(
        "fee_rate_two_decimals",
        "fee_rate_month",
        _("at most two decimals"),
        (
            "SELECT r.row_no, r.fee_rate_month::text FROM {stage} r WHERE r.fee_rate_month * 100 <> "
            "trunc(r.fee_rate_month * 100)"
        ),
    ),
    _check(
        "contribution_limits_in_order",
        "contribution_max",
        _("not less than the least contribution"),
        (
            "SELECT r.row_no, (r.contribution_max / 100.0)::numeric(20, 2)::text FROM {stage} r WHERE "
            "r.contribution_max < r.contribution_min"
        ),
    ),
    _check(
        "instalments_fit_term",
        "instalments",
        _("no more instalments than days of the longest term"),
        "SELECT r.row_no, r.instalments::text FROM {stage} r WHERE r.instalments > r.term_cap_days",
    ),
)

_OPENING_SOCIETY = (
    " mutual_funds_society so ON so.area_id = r.village_id AND so.voided_at IS NULL AND so.starts_on < "
    + _FIRST_DAY
    + f" AND (so.ends_before IS NULL OR so.ends_before >= {_FIRST_DAY})"
)
OPENING_CHECKS = (
    _check(
        "opening_society_older",
        "village",
        _("a village whose society is older than the region's first year"),
        (
            f"SELECT r.row_no, r.village FROM {{stage}} r LEFT JOIN {_OPENING_SOCIETY} WHERE r.village_id IS NOT NULL "
            "AND so.id IS NULL"
        ),
        _("load the society first; a society of the first year or later begins without balances"),
    ),
    _check(
        "opening_once",
        "village",
        _("a society without opening balances"),
        f"""SELECT r.row_no, r.village FROM {{stage}} r JOIN {_OPENING_SOCIETY}
        JOIN mutual_funds_opening o ON o.society_id = so.id AND o.voided_at IS NULL""",
    ),
    _check(
        "opening_pots_equal_money",
        "grant",
        _("the four pots together equal cash, bank and loans"),
        """SELECT r.row_no, ((r."grant" + r.contributions + coalesce(r.gifts, 0) + coalesce(r.surplus,
            0)) / 100.0)::numeric(20, 2)::text || ' / ' ||
          ((coalesce(r.cash, 0) + r.bank + r.loans) / 100.0)::numeric(20, 2)::text FROM {stage} r
        WHERE r."grant" + r.contributions + coalesce(r.gifts, 0) + coalesce(r.surplus, 0) <> coalesce(r.cash,
            0) + r.bank + r.loans""",
        _("no balance is made up: find what is missing on one side"),
    ),
    _check(
        "opening_first_year_open",
        "village",
        _("the region's first year still open"),
        f"SELECT r.row_no, r.village FROM {{stage}} r WHERE %(first_open_day)s > {_FIRST_DAY}",
    ),
)

_LINE = " funds_sourceline li ON li.code = r.source_line AND li.voided_at IS NULL"
COUNTY_BOOK = """ places_tree vt ON vt.area_id = r.village_id
        JOIN places_tree ct ON ct.path @> vt.path AND ct.level = 'county'
        JOIN ledger_book cb ON cb.area_id = ct.area_id AND cb.kind = 'county'"""
GRANT_CHECKS = (
    society_known("granted_on"),
    _check(
        "grant_line_known",
        "source_line",
        _("a source line of the programme mutual_funds"),
        (
            f"SELECT r.row_no, r.source_line FROM {{stage}} r LEFT JOIN {_LINE} WHERE li.id IS NULL OR li.programme <> "
            "'mutual_funds'"
        ),
    ),
    _check(
        "grant_county_has_line",
        "source_line",
        _("a line on which the county of the village has received money"),
        f"""SELECT r.row_no, r.source_line FROM {{stage}} r JOIN {_LINE} WHERE r.village_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM {COUNTY_BOOK.replace(" ON vt.area_id = r.village_id", "", 1)}
        JOIN ledger_account a ON a.book_id = cb.id AND a.code = 'L' || li.id WHERE vt.area_id = r.village_id)""",
        _("record the allocation to the county first"),
    ),
    _check(
        "grant_line_not_overdrawn",
        "amount",
        _("no more than what the county still has on the line"),
        f"""SELECT g.row_no, ((-g.rest) / 100.0)::numeric(20, 2)::text FROM (
        SELECT r.row_no, a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen
          - sum(r.amount) OVER (PARTITION BY a.id ORDER BY r.granted_on, r.row_no) AS rest
        FROM {{stage}} r JOIN {_LINE} JOIN {COUNTY_BOOK} JOIN ledger_account a ON a.book_id = cb.id
            AND a.code = 'L' || li.id) g
        WHERE g.rest < 0""",
    ),
    _check(
        "grant_within_standard",
        "amount",
        _("together with earlier grants, no more than the standard in force for the village's class"),
        f"""SELECT g.row_no, (g.fen / 100.0)::numeric(20, 2)::text FROM (
        SELECT r.row_no, r.granted_on, so.size_class, sum(r.amount) OVER (PARTITION BY so.id
            ORDER BY r.granted_on, r.row_no)
          + coalesce((SELECT sum(k.amount_fen) FROM mutual_funds_grant k WHERE k.society_id = so.id
              AND k.voided_at IS NULL), 0)
          + coalesce((SELECT sum(o.grant_fen) FROM mutual_funds_opening o WHERE o.society_id = so.id
              AND o.voided_at IS NULL), 0) AS fen
        FROM {{stage}} r JOIN {society_join("granted_on")}) g
        WHERE NOT EXISTS (SELECT FROM funds_grantstandard s WHERE s.programme = 'mutual_funds'
            AND s.size_class IN (g.size_class, 'any')
          AND {_IN_FORCE.format(a="s", day="g.granted_on")} AND g.fen <= s.high_fen)""",
        _("check the class of the village and the standard of that day"),
    ),
)

MEMBER_CHECKS = (
    NUMBER_AS_ON_RECORD,
    society_known("joined_on"),
    _check(
        "household_known",
        "household_no",
        _("a household of the village's register"),
        """SELECT r.row_no, r.household_no FROM {stage} r WHERE r.kind = 'registered' AND r.village_id IS NOT NULL
            AND NOT EXISTS (
        SELECT FROM register_household h WHERE h.village_id = r.village_id AND h.household_no = r.household_no
            AND h.voided_at IS NULL)""",
        _("load the register first, or record the household as fund member only"),
    ),
    _check(
        "household_not_dissolved",
        "household_no",
        _("a household that was not dissolved"),
        """SELECT r.row_no, 'dissolved ' || h.ends_before FROM {stage} r JOIN register_household h
        ON h.village_id = r.village_id AND h.household_no = r.household_no AND h.voided_at IS NULL
            WHERE h.ends_before IS NOT NULL""",
        _("leave the row out, or give a new household a new number"),
    ),
    _check(
        "member_one_at_a_time",
        "household_no",
        _("a household that is not a member of a society from that day on"),
        """SELECT r.row_no, r.household_no FROM {stage} r
        JOIN register_household h ON h.village_id = r.village_id AND h.household_no = r.household_no
            AND h.voided_at IS NULL
        JOIN mutual_funds_member m ON m.household_id = h.id AND m.voided_at IS NULL
          AND (m.ends_before IS NULL OR m.ends_before > r.joined_on)""",
    ),
)

_OWN = "CASE r.kind WHEN 'own' THEN r.amount WHEN 'refund' THEN -r.amount ELSE 0 END"
_STANDING = f"""SELECT r.row_no, so.id AS society_id, r.kind, r.amount, r.paid_on, m.id AS member_id,
          sum({_OWN}) OVER (PARTITION BY m.id ORDER BY r.paid_on, (r.kind = 'refund'), r.row_no) + coalesce(had.fen,
              0) AS own,
          ru.contribution_min_fen, ru.contribution_max_fen
        FROM {{stage}} r JOIN {society_join("paid_on")} JOIN {member_join("paid_on")} JOIN {_rules("paid_on")}
        LEFT JOIN (SELECT c.member_id, sum(CASE c.kind WHEN 'refund' THEN -c.amount_fen WHEN 'granted_base' THEN 0
            ELSE c.amount_fen END) AS fen
          FROM mutual_funds_contribution c WHERE c.voided_at IS NULL GROUP BY 1) had ON had.member_id = m.id"""
CONTRIBUTION_CHECKS = (
    NUMBER_AS_ON_RECORD,
    society_known("paid_on"),
    member_known("paid_on"),
    household_there("paid_on", "r.kind = 'refund'"),
    _check(
        "refund_within_own",
        "amount",
        _("no more than the member's own money that was in the society on that day, and on every later one"),
        # A refund is held against the end of its day and of every later one: what is on record and what the file pays
        # in by then, less the refunds of the file up to this one.
        f"""WITH file AS MATERIALIZED (
          SELECT r.row_no, r.kind, r.amount, r.paid_on AS day, m.id AS member_id
          FROM {{stage}} r JOIN {society_join("paid_on")} JOIN {member_join("paid_on")}
              WHERE r.kind IN ('own', 'refund')
        ), back AS MATERIALIZED (
          SELECT row_no, member_id, day, amount, sum(amount) OVER (PARTITION BY member_id ORDER BY day, row_no) AS upto
              FROM file WHERE kind = 'refund'
        ), moved AS (
          SELECT member_id, day, amount AS fen FROM file WHERE kind = 'own' AND member_id IN (SELECT member_id
              FROM back)
          UNION ALL SELECT c.member_id, c.happened_on, CASE c.kind WHEN 'refund' THEN -c.amount_fen
              ELSE c.amount_fen END
            FROM mutual_funds_contribution c WHERE c.voided_at IS NULL AND c.kind <> 'granted_base'
                AND c.member_id IN (SELECT member_id FROM back)
          UNION ALL SELECT member_id, day, 0 FROM back
        ), standing AS MATERIALIZED (
          SELECT member_id, day, sum(sum(fen)) OVER (PARTITION BY member_id ORDER BY day) AS fen FROM moved
              GROUP BY 1, 2
        )
        SELECT b.row_no, (b.amount / 100.0)::numeric(20, 2)::text FROM back b JOIN standing s
            ON s.member_id = b.member_id AND s.day >= b.day
        GROUP BY b.row_no, b.amount, b.upto HAVING min(s.fen) < b.upto""",
        _("correct the days or amounts, or record first what was paid in"),
        across=("village", "household_no"),
    ),
    _check(
        "contribution_within_limits",
        "amount",
        _("between the least and the most the society's rules allow, all payments together"),
        f"""SELECT g.row_no, (g.own / 100.0)::numeric(20, 2)::text FROM ({_STANDING}) g
        WHERE g.kind = 'own' AND (g.own > g.contribution_max_fen OR g.own < g.contribution_min_fen)""",
        across=("village", "household_no"),
    ),
    _check(
        "refund_not_before_first_day",
        "paid_on",
        _("a refund in the region's first year or later"),
        f"SELECT r.row_no, r.paid_on::text FROM {{stage}} r WHERE r.kind = 'refund' AND r.paid_on < {_FIRST_DAY}",
    ),
    _check(
        "contributions_within_opening",
        "amount",
        _("together no more than the contributions in the society's opening balances"),
        f"""SELECT g.row_no, (g.fen / 100.0)::numeric(20, 2)::text FROM (SELECT r.row_no, so.id AS society_id,
          sum(r.amount) OVER (PARTITION BY so.id ORDER BY r.row_no) + coalesce(had.fen, 0) AS fen
        FROM {{stage}} r JOIN {society_join("paid_on")}
        LEFT JOIN (SELECT k.society_id, sum(c.amount_fen) AS fen FROM mutual_funds_contribution c
            JOIN mutual_funds_member k ON k.id = c.member_id
          WHERE c.kind = 'opening' AND c.voided_at IS NULL GROUP BY 1) had ON had.society_id = so.id
              WHERE r.kind = 'own' AND r.paid_on < {_FIRST_DAY}) g
        WHERE g.fen > coalesce((SELECT o.contributions_fen FROM mutual_funds_opening o
          WHERE o.society_id = g.society_id AND o.voided_at IS NULL), 0)""",
        _("load the opening balances first"),
    ),
    money_there("paid_on", _OWN, across=("village",)),
)

_LEND = f" {{stage}} r JOIN {society_join('lent_on')} JOIN {_rules('lent_on')}"
LOAN_CHECKS = (
    NUMBER_AS_ON_RECORD,
    loan_number_as_on_record("lent_on"),
    society_known("lent_on"),
    member_known("lent_on"),
    household_there("lent_on"),
    _check(
        "loan_number_once",
        "loan_no",
        _("a number not yet given in the society"),
        f"""SELECT r.row_no, r.loan_no FROM {{stage}} r JOIN {society_join("lent_on")}
        JOIN mutual_funds_loan l ON l.society_id = so.id AND l.loan_no = r.loan_no AND l.voided_at IS NULL""",
    ),
    _check(
        "loan_within_cap",
        "principal",
        _("no more than the society's rules of that day allow"),
        f"SELECT r.row_no, (r.principal / 100.0)::numeric(20, 2)::text FROM {_LEND} WHERE r.principal > ru.loan_cap_fen",
    ),
    _check(
        "loan_within_term",
        "term_days",
        _("no longer than the society's rules of that day allow, and a day for each instalment"),
        f"""SELECT r.row_no, r.term_days::text FROM {_LEND}
        WHERE r.term_days > ru.term_cap_days OR r.term_days < ru.instalments""",
    ),
    _check(
        "loan_rules_in_force",
        "lent_on",
        _("a day on which the society has rules"),
        (
            f"SELECT r.row_no, r.lent_on::text FROM {{stage}} r JOIN {society_join('lent_on')} LEFT JOIN "
            f"{_rules('lent_on')} WHERE ru.id IS NULL"
        ),
    ),
    _check(
        "loan_open_at_once",
        "household_no",
        _("no more loans at once than the society's rules allow"),
        f"""WITH file AS MATERIALIZED (SELECT r.row_no, r.household_no, r.lent_on, m.id AS member_id, ru.open_loans_max
          FROM {{stage}} r JOIN {society_join("lent_on")} JOIN {member_join("lent_on")} JOIN {_rules("lent_on")}
        ), numbered AS (SELECT *, row_number() OVER (PARTITION BY member_id ORDER BY lent_on, row_no) AS nth FROM file
        ), open AS (SELECT n.row_no, l.id FROM numbered n
          JOIN mutual_funds_loan l ON l.member_id = n.member_id AND l.voided_at IS NULL AND l.happened_on <= n.lent_on
          LEFT JOIN mutual_funds_repayment p ON p.loan_id = l.id AND p.voided_at IS NULL AND p.happened_on <= n.lent_on
          WHERE NOT EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL
              AND w.happened_on <= n.lent_on)
          GROUP BY n.row_no, l.id, l.principal_fen HAVING l.principal_fen > coalesce(sum(p.principal_fen), 0)
        ), counted AS (SELECT row_no, count(*) AS loans FROM open GROUP BY 1)
        SELECT n.row_no, n.household_no FROM numbered n LEFT JOIN counted c USING (row_no)
            WHERE n.nth + coalesce(c.loans, 0) > n.open_loans_max""",
        _("record the repayment of the earlier loan first; a file of loans can follow a file of repayments"),
    ),
    _check(
        "loans_within_opening",
        "principal",
        _("together no more than the loans in the society's opening balances"),
        f"""SELECT g.row_no, (g.fen / 100.0)::numeric(20, 2)::text FROM (SELECT r.row_no, so.id AS society_id,
          sum(r.principal) OVER (PARTITION BY so.id ORDER BY r.row_no) + coalesce(had.fen, 0) AS fen
        FROM {{stage}} r JOIN {society_join("lent_on")}
        LEFT JOIN (SELECT l.society_id, sum(l.principal_fen) AS fen FROM mutual_funds_loan l WHERE l.opening
            AND l.voided_at IS NULL GROUP BY 1) had
          ON had.society_id = so.id WHERE r.lent_on < {_FIRST_DAY}) g
        WHERE g.fen > coalesce((SELECT o.loans_fen FROM mutual_funds_opening o WHERE o.society_id = g.society_id
            AND o.voided_at IS NULL), 0)""",
        _("load the opening balances first"),
    ),
    money_there("lent_on", "-r.principal", "principal"),
)

_OWED = f"""{{stage}} r JOIN {society_join("paid_on")}
        JOIN mutual_funds_loan l ON l.society_id = so.id AND l.loan_no = r.loan_no AND l.voided_at IS NULL"""
# Everything paid on a loan up to the row, this file and the record together, in the order of days.
_PAID = f"""SELECT r.row_no, l.id AS loan_id, ru.allocation_order,
          sum(r.principal) OVER w + coalesce(b.principal, 0) AS principal, sum(r.fee) OVER w + coalesce(b.fee, 0) AS fee
        FROM {_OWED} JOIN mutual_funds_ruleset ru ON ru.id = l.rule_set_id
        LEFT JOIN (SELECT p.loan_id, sum(p.principal_fen) AS principal, sum(p.fee_fen) AS fee
          FROM mutual_funds_repayment p WHERE p.voided_at IS NULL GROUP BY 1) b ON b.loan_id = l.id
        WINDOW w AS (PARTITION BY l.id ORDER BY r.paid_on, r.row_no)"""
REPAYMENT_CHECKS = (
    loan_number_as_on_record("paid_on"),
    society_known("paid_on"),
    _check(
        "loan_known",
        "loan_no",
        _("a loan of the society"),
        f"""SELECT r.row_no, r.loan_no FROM {{stage}} r JOIN {society_join("paid_on")} WHERE NOT EXISTS (SELECT
            FROM mutual_funds_loan l
        WHERE l.society_id = so.id AND l.loan_no = r.loan_no AND l.voided_at IS NULL)""",
        _("load the loan first, or correct its number"),
    ),
    _check(
        "repayment_not_before_loan",
        "paid_on",
        _("a day not before the loan was lent"),
        f"SELECT r.row_no, r.paid_on::text FROM {_OWED} WHERE r.paid_on < l.happened_on",
    ),
    _check(
        "repayment_not_empty",
        "principal",
        _("principal or fee above zero"),
        "SELECT r.row_no, '0' FROM {stage} r WHERE r.principal = 0 AND r.fee = 0",
    ),
    _check(
        "repayment_not_of_written_off",
        "loan_no",
        _("a loan that was not written off"),
        (
            f"SELECT r.row_no, r.loan_no FROM {_OWED} JOIN mutual_funds_writeoff w ON w.loan_id = l.id AND w.voided_at "
            "IS NULL"
        ),
        _("reverse the write-off first"),
    ),
    _check(
        "repayment_within_owed",
        "principal",
        _("no more principal and fee than the loan owes, all repayments together"),
        f"""SELECT g.row_no, (g.principal / 100.0)::numeric(20, 2)::text || ' + ' || (g.fee / 100.0)::numeric(20,
            2)::text FROM ({_PAID}) g
        JOIN (SELECT loan_id, sum(principal_fen) AS principal, sum(fee_fen) AS fee FROM mutual_funds_instalment
            GROUP BY 1) i USING (loan_id)
        WHERE g.principal > i.principal OR g.fee > i.fee""",
    ),
    _check(
        "repayment_in_order",
        "fee",
        _("principal and fee divided by the society's order, oldest instalment first"),
        f"""WITH paid AS MATERIALIZED ({_PAID}), split AS (
          SELECT p.row_no, p.principal, p.fee, p.allocation_order, i.fee_fen, i.principal_fen, p.principal + p.fee
            - coalesce(sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY p.row_no ORDER BY i.number
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS left_fen
          FROM paid p JOIN mutual_funds_instalment i USING (loan_id)
        ) SELECT row_no, (fee / 100.0)::numeric(20, 2)::text FROM split GROUP BY row_no, fee, allocation_order
        HAVING fee <> sum(LEAST(fee_fen, GREATEST(0, CASE allocation_order WHEN 'fee_first' THEN left_fen
            ELSE left_fen - principal_fen END)))""",
        _("divide the amount anew, or correct an earlier repayment"),
        across=("village", "loan_no"),
    ),
)
