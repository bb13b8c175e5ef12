"""Checks of this room's files beside the rules of `record_rules`, and how their rows name what is on record. Holds no
columns and no writing.

What a file holds is judged together with what is already on record; so is the money of each society day by day.
"""

from karez.intake.numbers import as_on_record
from karez.kernel.facts import holds_on
from karez.kernel.messages import Text, say
from karez.kernel.sheets import Check, Reference
from karez.mutual_funds.record_rules import CONTRIBUTIONS, EXTENSIONS, FIRST_DAY, GRANTS, LOANS, REPAYMENTS
from karez.records import rules
from karez.register.sheets import NUMBER_AS_ON_RECORD


def society(day: str) -> Reference:
    """The society of the village on the day of the row."""
    return Reference(
        "mutual_funds_society_known",
        (day, "village"),
        {"society_id": "so.id", "book_id": "so.book_id"},
        f"LEFT JOIN mutual_funds_society so ON so.area_id = r.village_id AND {holds_on(f'r.{day}', 'so')}",
        say("a village with a society on that day"),
        say("load the society first, or correct the village or the day"),
    )


def member(day: str) -> Reference:
    """The membership, on the day of the row, of the household of the row."""
    return Reference(
        "mutual_funds_member_known",
        ("village", day, "household_no"),
        {"member_id": "m.id"},
        "LEFT JOIN register_household h ON h.village_id = r.village_id AND h.household_no = r.household_no AND"
        " h.voided_at IS NULL LEFT JOIN mutual_funds_member m ON m.household_id = h.id AND m.society_id = so.id"
        f" AND {holds_on(f'r.{day}', 'm')}",
        say("a household that is a member of the society on that day"),
        say("enter the membership first, or correct the number of the household"),
    )


def loan(day: str) -> Reference:
    """The loan of that number in the society."""
    return Reference(
        "mutual_funds_loan_known",
        ("village", day, "loan_no"),
        {"loan_id": "l.id"},
        "LEFT JOIN mutual_funds_loan l ON l.society_id = so.id AND l.loan_no = r.loan_no AND l.voided_at IS NULL",
        say("a loan of the society"),
        say("load the loan first, or correct its number"),
    )


LINE = Reference(
    "mutual_funds_grant_line_known",
    ("source_line",),
    {"source_line_id": "li.id"},
    "LEFT JOIN funds_sourceline li ON li.code = r.source_line AND li.voided_at IS NULL",
    say("a source line on record"),
    say("record the line first, or correct its code"),
)
# The society of an older village on the region's first day.
OPENING_SOCIETY = Reference(
    "mutual_funds_opening_society_older",
    ("village",),
    {"society_id": "so.id", "book_id": "so.book_id"},
    f"LEFT JOIN mutual_funds_society so ON so.area_id = r.village_id AND so.voided_at IS NULL AND so.starts_on < {FIRST_DAY}"
    f" AND (so.ends_before IS NULL OR so.ends_before >= {FIRST_DAY})",
    say("a village whose society is older than the region's first year"),
    say("load the society first; a society of the first year or later begins without balances"),
)


def _check(rule: str, column: str, expected: Text, sql: str, todo: Text = "", across: tuple[str, ...] = ()) -> Check:
    return Check(rule=f"mutual_funds_{rule}", column=column, expected=expected, sql=sql, todo=todo, across=across)


# A loan's number is written as it stands on record, and one way in a file.
LOAN_NUMBER_AS_ON_RECORD = as_on_record(
    "mutual_funds_loan_number_as_on_record",
    "loan_no",
    say("the number of a loan as it stands on record, and one way in a file"),
    of="r.society_id",
    recorded="SELECT l.society_id, l.loan_no FROM mutual_funds_loan l WHERE l.voided_at IS NULL",
)


def money_there(day: str, change: str, column: str = "amount", across: tuple[str, ...] = ()) -> Check:
    """No society spends on a day what it does not have that day. `change` is what a row adds to the money, in fen.

    A file that also brings money in names in `across` whose: what came in may stand in a row that is left out.
    """
    return _check(
        "money_there",
        column,
        say("no day on which the society's bank or cash would be overdrawn"),
        f"""WITH file AS MATERIALIZED (
          SELECT r.row_no, r.book_id, CASE coalesce(r.account, 'bank') WHEN 'cash' THEN '1001' ELSE '1002' END AS code,
            GREATEST(r.{day}, %(first_open_day)s) AS day, {change} AS fen
          FROM {{stage}} r WHERE r.book_id IS NOT NULL AND r.{day} >= {FIRST_DAY}
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
        say("correct the days or amounts, or record first what came in"),
        across=across,
    )


SOCIETY_CHECKS = (
    _check(
        "society_one_at_a_time",
        "village",
        say("a village without a society from that day on"),
        """SELECT r.row_no, r.village FROM {stage} r WHERE EXISTS (SELECT FROM mutual_funds_society so
        WHERE so.area_id = r.village_id AND so.voided_at IS NULL AND (so.ends_before IS NULL
            OR so.ends_before > r.founded_on))""",
        say("one society works in one village; change its rules instead"),
    ),
    _check(
        "fee_rate_two_decimals",
        "fee_rate_month",
        say("at most two decimals"),
        (
            "SELECT r.row_no, r.fee_rate_month::text FROM {stage} r WHERE r.fee_rate_month * 100 <> "
            "trunc(r.fee_rate_month * 100)"
        ),
    ),
    _check(
        "contribution_limits_in_order",
        "contribution_max",
        say("not less than the least contribution"),
        (
            "SELECT r.row_no, (r.contribution_max / 100.0)::numeric(20, 2)::text FROM {stage} r WHERE "
            "r.contribution_max < r.contribution_min"
        ),
    ),
    _check(
        "instalments_fit_term",
        "instalments",
        say("no more instalments than days of the longest term"),
        "SELECT r.row_no, r.instalments::text FROM {stage} r WHERE r.instalments > r.term_cap_days",
    ),
)

OPENING_CHECKS = (
    _check(
        "opening_once",
        "village",
        say("a society without opening balances"),
        """SELECT r.row_no, r.village FROM {stage} r
        JOIN mutual_funds_opening o ON o.society_id = r.society_id AND o.voided_at IS NULL""",
    ),
    _check(
        "opening_pots_equal_money",
        "grant",
        say("the four pots together equal cash, bank and loans"),
        """SELECT r.row_no, ((r."grant" + r.contributions + coalesce(r.gifts, 0) + coalesce(r.surplus,
            0)) / 100.0)::numeric(20, 2)::text || ' / ' ||
          ((coalesce(r.cash, 0) + r.bank + r.loans) / 100.0)::numeric(20, 2)::text FROM {stage} r
        WHERE r."grant" + r.contributions + coalesce(r.gifts, 0) + coalesce(r.surplus, 0) <> coalesce(r.cash,
            0) + r.bank + r.loans""",
        say("no balance is made up: find what is missing on one side"),
    ),
    _check(
        "opening_first_year_open",
        "village",
        say("the region's first year still open"),
        f"SELECT r.row_no, r.village FROM {{stage}} r WHERE %(first_open_day)s > {FIRST_DAY}",
    ),
)


COUNTY_BOOK = """ places_tree vt ON vt.area_id = r.village_id
        JOIN places_tree ct ON ct.path @> vt.path AND ct.level = 'county'
        JOIN ledger_book cb ON cb.area_id = ct.area_id AND cb.kind = 'county'"""
GRANT_CHECKS = (
    _check(
        "grant_county_has_line",
        "source_line",
        say("a line on which the county of the village has received money"),
        f"""SELECT r.row_no, r.source_line FROM {{stage}} r WHERE r.village_id IS NOT NULL AND r.source_line_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM {COUNTY_BOOK.replace(" ON vt.area_id = r.village_id", "", 1)}
        JOIN ledger_account a ON a.book_id = cb.id AND a.code = 'L' || r.source_line_id WHERE vt.area_id = r.village_id)""",
        say("record the allocation to the county first"),
    ),
    _check(
        "grant_line_not_overdrawn",
        "amount",
        say("no more than what the county still has on the line"),
        f"""SELECT g.row_no, ((-g.rest) / 100.0)::numeric(20, 2)::text FROM (
        SELECT r.row_no, a.posted_credit_fen - a.posted_debit_fen - a.pending_debit_fen
          - sum(r.amount) OVER (PARTITION BY a.id ORDER BY r.granted_on, r.row_no) AS rest
        FROM {{stage}} r JOIN {COUNTY_BOOK} JOIN ledger_account a ON a.book_id = cb.id
            AND a.code = 'L' || r.source_line_id) g
        WHERE g.rest < 0""",
    ),
    *rules.checks(
        GRANTS,
        {"amount_fen": "r.amount", "happened_on": "r.granted_on"},
        {"amount_fen": "amount", "happened_on": "granted_on", "source_line_id": "source_line"},
        {"society_id": ("village",)},
    ),
)

MEMBER_CHECKS = (
    NUMBER_AS_ON_RECORD,
    _check(
        "household_known",
        "household_no",
        say("a household of the village's register"),
        """SELECT r.row_no, r.household_no FROM {stage} r WHERE r.kind = 'registered' AND r.village_id IS NOT NULL
            AND NOT EXISTS (
        SELECT FROM register_household h WHERE h.village_id = r.village_id AND h.household_no = r.household_no
            AND h.voided_at IS NULL)""",
        say("load the register first, or record the household as fund member only"),
    ),
    _check(
        "household_not_dissolved",
        "household_no",
        say("a household that was not dissolved"),
        """SELECT r.row_no, karez_say('dissolved {1}', h.ends_before::text) FROM {stage} r JOIN register_household h
        ON h.village_id = r.village_id AND h.household_no = r.household_no AND h.voided_at IS NULL
            WHERE h.ends_before IS NOT NULL""",
        say("leave the row out, or give a new household a new number"),
    ),
    _check(
        "member_one_at_a_time",
        "household_no",
        say("a household that is not a member of a society from that day on"),
        """SELECT r.row_no, r.household_no FROM {stage} r
        JOIN register_household h ON h.village_id = r.village_id AND h.household_no = r.household_no
            AND h.voided_at IS NULL
        JOIN mutual_funds_member m ON m.household_id = h.id AND m.voided_at IS NULL
          AND (m.ends_before IS NULL OR m.ends_before > r.joined_on)""",
    ),
)

CONTRIBUTED = {  # how the rules read a row
    # Own money from before the first year is called opening money on record, and own money in a file.
    "kind": f"CASE WHEN r.kind = 'own' AND r.paid_on < {FIRST_DAY} THEN 'opening' ELSE r.kind END",
    "amount_fen": "r.amount",
    "happened_on": "r.paid_on",
}
REPAID = {"principal_fen": "r.principal", "fee_fen": "r.fee", "happened_on": "r.paid_on"}
EXTENDED = {"happened_on": "r.decided_on"}
CONTRIBUTION_CHECKS = (
    NUMBER_AS_ON_RECORD,
    *rules.checks(
        CONTRIBUTIONS,
        CONTRIBUTED,
        {"member_id": "household_no", "amount_fen": "amount", "happened_on": "paid_on"},
        {"member_id": ("village", "household_no"), "society_id": ("village",)},
    ),
    money_there(
        "paid_on", "CASE r.kind WHEN 'own' THEN r.amount WHEN 'refund' THEN -r.amount ELSE 0 END", across=("village",)
    ),
)
LOAN_CHECKS = (
    NUMBER_AS_ON_RECORD,
    LOAN_NUMBER_AS_ON_RECORD,
    *rules.checks(
        LOANS,
        {"principal_fen": "r.principal", "happened_on": "r.lent_on"},
        {"member_id": "household_no", "principal_fen": "principal", "happened_on": "lent_on"},
        {"member_id": ("village", "household_no"), "society_id": ("village",)},
    ),
    money_there("lent_on", "-r.principal", "principal"),
)
REPAYMENT_CHECKS = (
    LOAN_NUMBER_AS_ON_RECORD,
    *rules.checks(
        REPAYMENTS,
        REPAID,
        {"loan_id": "loan_no", "principal_fen": "principal", "fee_fen": "fee", "happened_on": "paid_on"},
        {"loan_id": ("village", "loan_no")},
    ),
)
EXTENSION_CHECKS = (
    LOAN_NUMBER_AS_ON_RECORD,
    *rules.checks(
        EXTENSIONS, EXTENDED, {"loan_id": "loan_no", "happened_on": "decided_on"}, {"loan_id": ("village", "loan_no")}
    ),
)
