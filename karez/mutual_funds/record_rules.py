"""The rules of members' money, loans and repayments, each written once for files, forms and the database.

What money moved between which accounts, the schedule of a loan and the locks stand in `sql/rules.sql`; the society's
account may not be overdrawn by the ledger's own rule. Amounts are whole fen.
"""

from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import holds_on
from karez.kernel.rules import Rule, Ruled, Void
from karez.mutual_funds.models import Contribution, Grant, Loan, Repayment

FIRST_DAY = "(SELECT mutual_funds_first_day())"  # asked once, not for each row


def _yuan(fen: str) -> str:
    return f"mutual_funds_yuan({fen}) || ' yuan'"


def _alone(name: str, column: str, expected: object, found: str, source: str, todo: object = "") -> Rule:
    """A rule of one row by itself, over `judged` as `j`."""
    return Rule(name, column, expected, f"SELECT j.no, {found} FROM judged j {source}", todo)  # type: ignore[arg-type]


_MEMBER = "JOIN mutual_funds_member m ON m.id = j.member_id"
_HOUSEHOLD = f"{_MEMBER} JOIN register_household h ON h.id = m.household_id"
_RULES = f"JOIN mutual_funds_ruleset ru ON ru.society_id = j.society_id AND {holds_on('j.happened_on', 'ru')}"
_WITHOUT_RULES = (
    f"WHERE NOT EXISTS (SELECT FROM mutual_funds_ruleset ru WHERE ru.society_id = j.society_id AND"
    f" {holds_on('j.happened_on', 'ru')})"
)
_CALLED_MEMBER = """(SELECT 'household ' || h.household_no || ' of ' || so.name FROM mutual_funds_member m
    JOIN register_household h ON h.id = m.household_id JOIN mutual_funds_society so ON so.id = m.society_id
    WHERE m.id = j.member_id)"""
_RULES_THERE = _("a day on which the society has rules")
_NO_RULES = _("record the rules first, or correct the day")
_THERE = _("a day before the household was dissolved")
_LET_LEAVE = _("a household that was dissolved only repays and gets its own money back; let it leave the society")

CONTRIBUTIONS = Ruled(
    model=Contribution,
    state="KZ021",
    columns=("member_id", "kind", "amount_fen", "happened_on"),
    joins="JOIN mutual_funds_member bm ON bm.id = b.member_id",
    also={
        "society_id": "bm.society_id",
        # Own money that is in the society: the one place that says which kinds add to it and which take from it.
        "own_fen": "CASE b.kind WHEN 'refund' THEN -b.amount_fen WHEN 'granted_base' THEN 0 ELSE b.amount_fen END",
    },
    waiting="""SELECT (p.terms ->> 'member')::bigint AS member_id, 'refund' AS kind,
        (p.terms ->> 'amount_fen')::bigint AS amount_fen, (p.terms ->> 'day')::date AS happened_on
        FROM mutual_funds_proposal p JOIN ledger_set s ON s.id = p.set_id
        WHERE p.kind = 'refund' AND s.approved_at IS NULL AND s.refused_at IS NULL""",
    called=_CALLED_MEMBER,
    takes="""SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT m.society_id FROM {added} a
        JOIN mutual_funds_member m ON m.id = a.member_id) x""",
    rules=(
        _alone(
            "member_then", "member_id", _("a household that is a member of the society on that day"),
            "'no member on ' || j.happened_on",
            f"""{_MEMBER} WHERE m.voided_at IS NOT NULL OR m.starts_on > j.happened_on OR m.ends_before < j.happened_on
            OR (m.ends_before = j.happened_on AND j.kind <> 'refund')""",
            _("enter the membership first, or correct the day"),
        ),
        _alone(
            "household_there", "happened_on", _THERE, "'dissolved on ' || h.ends_before",
            f"{_HOUSEHOLD} WHERE j.kind <> 'refund' AND j.happened_on >= h.ends_before", _LET_LEAVE,
        ),
        _alone(
            "contribution_day", "happened_on",
            _("own money and refunds from the region's first day on; what is older is opening money"),
            "j.happened_on::text",
            f"WHERE j.kind <> 'granted_base' AND (j.kind = 'opening') <> (j.happened_on < {FIRST_DAY})",
            _("correct the day; money older than the region stands in the opening balances"),
        ),
        _alone("contribution_rules_in_force", "happened_on", _RULES_THERE,
        "j.happened_on::text", _WITHOUT_RULES, _NO_RULES),
        Rule(
            "contribution_within_limits", "amount_fen",
            _("between the least and the most the society's rules allow, all payments together"),
            f"""SELECT j.no, {_yuan("j.fen")} || ' in all, ' || {_yuan("ru.contribution_min_fen")} || ' to '
                || {_yuan("ru.contribution_max_fen")} || ' allowed'
            FROM (SELECT x.*, sum(x.own_fen) OVER (PARTITION BY x.member_id ORDER BY x.no IS NOT NULL, x.happened_on,
                x.kind = 'refund', x.place) AS fen FROM standing x WHERE NOT x.waits) j {_RULES}
            WHERE j.no IS NOT NULL AND j.kind IN ('own', 'opening')
              AND NOT j.fen BETWEEN ru.contribution_min_fen AND ru.contribution_max_fen""",
            _("take in what the rules allow"),
            key=("member_id",), across=True,
        ),
        Rule(
            "refund_within_own", "amount_fen",
            _("no more than the member's own money that was in the society on that day, and on every later one"),
            # A refund is held against the end of its day and of every later one: what is on record and what is paid in
            # with it by then, less the refunds up to this one.
            f"""WITH back AS MATERIALIZED (
                SELECT no, member_id, happened_on AS day, amount_fen,
                       sum(amount_fen) OVER (PARTITION BY member_id ORDER BY happened_on, no) AS upto
                  FROM judged WHERE kind = 'refund'
            ), moved AS (
                SELECT member_id, happened_on AS day, own_fen AS fen FROM standing
                 WHERE (no IS NULL OR kind <> 'refund') AND member_id IN (SELECT member_id FROM back)
                UNION ALL SELECT member_id, day, 0 FROM back
            ), ends AS MATERIALIZED (
                SELECT member_id, day, sum(sum(fen)) OVER (PARTITION BY member_id ORDER BY day) AS fen FROM moved
                    GROUP BY 1, 2
            )
            SELECT x.no, {_yuan("x.amount_fen")} || ', at most ' || {_yuan("x.most")} FROM (
                SELECT b.no, b.amount_fen, GREATEST(min(e.fen) - b.upto + b.amount_fen, 0) AS most
                  FROM back b JOIN ends e ON e.member_id = b.member_id AND e.day >= b.day
                 GROUP BY b.no, b.amount_fen, b.upto HAVING min(e.fen) < b.upto) x""",
            _("correct the days or amounts, or record first what was paid in"),
            key=("member_id",), across=True, void=Void.EACH,
        ),
        Rule(
            "left_with_nothing_in", "member_id", _("no own money of a household that has left the society"),
            f"""SELECT j.no, 'left on ' || m.ends_before || '; ' || {_yuan("s.fen")} || ' would be in'
              FROM judged j {_MEMBER} JOIN (SELECT member_id, sum(own_fen) AS fen FROM standing WHERE NOT waits
                  GROUP BY 1) s
                ON s.member_id = j.member_id WHERE m.ends_before IS NOT NULL AND s.fen <> 0""",
            _("record what was paid in and returned together, or take the leaving back first"),
            key=("member_id",), across=True,
        ),
        Rule(
            "contributions_within_opening", "amount_fen",
            _("together no more than the contributions in the society's opening balances"),
            f"""SELECT j.no, {_yuan("j.fen")} || ', opened with ' || {_yuan("o.most")}
            FROM (SELECT no, society_id, sum(amount_fen) OVER (PARTITION BY society_id ORDER BY place) AS fen
                FROM standing) j
            CROSS JOIN LATERAL (SELECT coalesce((SELECT o.contributions_fen FROM mutual_funds_opening o
                WHERE o.society_id = j.society_id AND o.voided_at IS NULL), 0) AS most) o
            WHERE j.no IS NOT NULL AND j.fen > o.most""",
            _("load the opening balances first"),
            key=("society_id",), only="kind = 'opening'", across=True,
        ),
    ),
)  # fmt: skip

LOANS = Ruled(
    model=Loan,
    state="KZ022",
    columns=("society_id", "member_id", "loan_no", "principal_fen", "term_days", "happened_on"),
    also={"number": "intake_number_key(b.loan_no)"},
    waiting="""SELECT p.society_id, (p.terms ->> 'member')::bigint AS member_id, p.terms ->> 'loan_no' AS loan_no,
        (p.terms ->> 'principal_fen')::bigint AS principal_fen, (p.terms ->> 'term_days')::integer AS term_days,
        (p.terms ->> 'day')::date AS happened_on FROM mutual_funds_proposal p JOIN ledger_set s ON s.id = p.set_id
        WHERE p.kind = 'loan' AND s.approved_at IS NULL AND s.refused_at IS NULL""",
    called="(SELECT 'loan ' || j.loan_no || ' of ' || so.name FROM mutual_funds_society so WHERE so.id = j.society_id)",
    takes="SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT a.society_id FROM {added} a) x",
    rules=(
        _alone(
            "borrower_is_member", "member_id", _("a household that is a member on that day and has not left since"),
            """CASE WHEN m.ends_before > j.happened_on THEN 'left on ' || m.ends_before
                ELSE 'no member on ' || j.happened_on END""",
            f"{_MEMBER} WHERE m.voided_at IS NOT NULL OR m.starts_on > j.happened_on OR m.ends_before IS NOT NULL",
            _("who has left owes nothing: correct the day or the household, or take the leaving back first"),
        ),
        _alone(
            "household_there", "happened_on", _THERE, "'dissolved on ' || h.ends_before",
            f"{_HOUSEHOLD} WHERE j.happened_on >= h.ends_before", _LET_LEAVE,
        ),
        _alone("loan_rules_in_force", "happened_on", _RULES_THERE, "j.happened_on::text", _WITHOUT_RULES, _NO_RULES),
        _alone(
            "loan_within_cap", "principal_fen",
            _("no more than the society's rules of that day allow, and a fen for each instalment"),
            f"{_yuan('j.principal_fen')} || ', at most ' || {_yuan('ru.loan_cap_fen')}",
            f"{_RULES} WHERE j.principal_fen > ru.loan_cap_fen OR j.principal_fen < ru.instalments",
            _("lend less, or let the members' meeting change the rules"),
        ),
        _alone(
            "loan_within_term", "term_days",
            _("no longer than the society's rules of that day allow, and a day for each instalment"),
            "j.term_days || ' days, ' || ru.instalments || ' to ' || ru.term_cap_days || ' allowed'",
            f"{_RULES} WHERE j.term_days > ru.term_cap_days OR j.term_days < ru.instalments",
            _("lend for a shorter time, or let the members' meeting change the rules"),
        ),
        Rule(
            "loan_number_once", "loan_no", _("a number not yet given in the society"),
            """SELECT j.no, CASE WHEN bool_or(o.waits) THEN j.loan_no || ', which waits for approval'
                WHEN min(o.loan_no) <> j.loan_no THEN j.loan_no || ', given already as ' || min(o.loan_no)
                ELSE j.loan_no || ', given already' END
            FROM judged j JOIN standing o USING (society_id, number) WHERE o.no IS NULL GROUP BY j.no, j.loan_no""",
            _("give it another number"),
            key=("society_id", "number"),
        ),
        Rule(
            "loan_open_at_once", "member_id", _("no more loans at once than the society's rules allow"),
            # Loans of a household in the order of their days, each an opening, and a closing on the day by which its
            # principal was repaid or written off; how many are open after each opening is a running sum.
            # A loan recorded late makes a later one one too many: then it is the one told.
            f"""WITH busy AS MATERIALIZED (
                SELECT *, min(happened_on) FILTER (WHERE no IS NOT NULL) OVER (PARTITION BY member_id) AS since
                    FROM standing
                 WHERE member_id IN (SELECT member_id FROM standing GROUP BY 1 HAVING count(*) > 1)
            ), paid AS (
                SELECT l.id, l.member_id, l.loan_no, l.principal_fen AS owed, p.happened_on, p.principal_fen
                  FROM mutual_funds_loan l JOIN mutual_funds_repayment p ON p.loan_id = l.id AND p.voided_at IS NULL
                 WHERE l.voided_at IS NULL AND l.member_id IN (SELECT member_id FROM busy)
                UNION ALL SELECT l.id, l.member_id, l.loan_no, l.principal_fen, w.happened_on, w.principal_fen
                  FROM mutual_funds_loan l JOIN mutual_funds_writeoff w ON w.loan_id = l.id AND w.voided_at IS NULL
                 WHERE l.voided_at IS NULL AND l.member_id IN (SELECT member_id FROM busy)
            ), closed AS MATERIALIZED (
                SELECT member_id, loan_no, min(happened_on) AS day FROM (SELECT *, sum(principal_fen)
                    OVER (PARTITION BY id ORDER BY happened_on) AS upto FROM paid) sums WHERE upto >= owed GROUP BY 1, 2
            ), steps AS (
                SELECT member_id, society_id, since, happened_on, place, 0 AS phase, 1 AS step, no FROM busy
                UNION ALL SELECT b.member_id, b.society_id, b.since, c.day,
                    CASE WHEN c.day = b.happened_on THEN b.place ELSE 0 END, 1, -1, NULL
                  FROM busy b JOIN closed c USING (member_id, loan_no)
            ), many AS (
                SELECT *, sum(step) OVER w AS loans, max(no) OVER w AS last_no FROM steps
                WINDOW w AS (PARTITION BY member_id ORDER BY happened_on, place, phase)
            )
            SELECT coalesce(j.no, j.last_no),
                   min('on ' || j.happened_on || ' ' || j.loans || ' open or waiting, '
                       || ru.open_loans_max || ' allowed')
              FROM many j {_RULES} WHERE j.step = 1 AND j.happened_on >= j.since AND j.loans > ru.open_loans_max
               AND coalesce(j.no, j.last_no) IS NOT NULL GROUP BY 1""",
            _("record the repayment of the earlier loan first, or decide about what waits"),
            key=("member_id",), across=True,
        ),
        Rule(
            "loans_within_opening", "principal_fen",
            _("together no more than the loans in the society's opening balances"),
            f"""SELECT j.no, {_yuan("j.fen")} || ', opened with ' || {_yuan("o.most")}
            FROM (SELECT no, society_id, sum(principal_fen) OVER (PARTITION BY society_id ORDER BY place) AS fen
                FROM standing) j
            CROSS JOIN LATERAL (SELECT coalesce((SELECT o.loans_fen FROM mutual_funds_opening o
                WHERE o.society_id = j.society_id AND o.voided_at IS NULL), 0) AS most) o
            WHERE j.no IS NOT NULL AND j.fen > o.most""",
            _("load the opening balances first"),
            key=("society_id",), only=f"happened_on < {FIRST_DAY}", across=True,
        ),
    ),
)  # fmt: skip

# Everything paid on a loan up to each row judged, what is on record first: principal and fee so far.
_PAID = """SELECT no, loan_id, place, sum(principal_fen) OVER w AS principal, sum(fee_fen) OVER w AS fee
    FROM standing WINDOW w AS (PARTITION BY loan_id ORDER BY place)"""
REPAYMENTS = Ruled(
    model=Repayment,
    state="KZ023",
    columns=("loan_id", "principal_fen", "fee_fen", "happened_on"),
    called="""(SELECT 'loan ' || l.loan_no || ' of ' || so.name FROM mutual_funds_loan l
        JOIN mutual_funds_society so ON so.id = l.society_id WHERE l.id = j.loan_id)""",
    takes="""SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT l.society_id FROM {added} a
        JOIN mutual_funds_loan l ON l.id = a.loan_id) x""",
    rules=(
        _alone(
            "repayment_of_standing_loan", "loan_id", _("a loan that stands"),
            "'loan ' || l.loan_no || ' was taken back'",
            "JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE l.voided_at IS NOT NULL",
        ),
        _alone(
            "repayment_not_before_loan", "happened_on", _("a day not before the loan was lent"),
            "j.happened_on || ', lent on ' || l.happened_on",
            "JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE j.happened_on < l.happened_on",
            _("correct the day"),
        ),
        _alone(
            "repayment_not_of_written_off", "loan_id", _("a loan that was not written off"),
            "'written off on ' || w.happened_on",
            "JOIN mutual_funds_writeoff w ON w.loan_id = j.loan_id AND w.voided_at IS NULL",
            _("reverse the write-off first"),
        ),
        _alone(
            "repayment_not_empty", "principal_fen", _("principal or fee above zero, none below"),
            f"{_yuan('j.principal_fen')} || ' + ' || {_yuan('j.fee_fen')}",
            "WHERE LEAST(j.principal_fen, j.fee_fen) < 0 OR j.principal_fen + j.fee_fen = 0",
        ),
        Rule(
            "repayment_within_owed", "principal_fen",
            _("no more principal and fee than the loan owes, all repayments together"),
            f"""SELECT p.no, {_yuan("p.principal")} || ' + ' || {_yuan("p.fee")}
                || ', owed ' || {_yuan("i.principal")} || ' + '
                || {_yuan("i.fee")}
              FROM ({_PAID}) p JOIN (SELECT loan_id, sum(principal_fen) AS principal, sum(fee_fen) AS fee
                FROM mutual_funds_instalment WHERE loan_id IN (SELECT loan_id FROM judged) GROUP BY 1) i USING (loan_id)
             WHERE p.no IS NOT NULL AND (p.principal > i.principal OR p.fee > i.fee)""",
            _("take in at most what is still owed"),
            key=("loan_id",), across=True,
        ),
        Rule(
            "repayment_in_order", "fee_fen",
            _("principal and fee divided by the society's order, oldest instalment first"),
            f"""SELECT j.no, {_yuan("j.fee")} || ' of fees so far, ' || {_yuan("j.due")} || ' by the order' FROM (
                SELECT s.no, s.fee, sum(LEAST(s.fee_fen, GREATEST(0,
                       CASE ru.allocation_order WHEN 'fee_first' THEN s.left_fen
                           ELSE s.left_fen - s.principal_fen END))) AS due
                  FROM (SELECT p.no, p.loan_id, p.fee, i.fee_fen, i.principal_fen, p.principal + p.fee
                          - coalesce(sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY p.no ORDER BY i.number
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS left_fen
                          FROM ({_PAID}) p JOIN mutual_funds_instalment i USING (loan_id) WHERE p.no IS NOT NULL) s
                  JOIN mutual_funds_loan l ON l.id = s.loan_id JOIN mutual_funds_ruleset ru ON ru.id = l.rule_set_id
                 GROUP BY s.no, s.fee) j WHERE j.fee <> j.due""",
            _("divide the amount anew, or correct an earlier repayment"),
            key=("loan_id",), across=True, void=Void.LAST,
        ),
    ),
)  # fmt: skip

GRANTS = Ruled(
    model=Grant,
    state="KZ024",
    columns=("society_id", "source_line_id", "amount_fen", "happened_on"),
    waiting="""SELECT p.society_id, (p.terms ->> 'line')::bigint AS source_line_id,
        (p.terms ->> 'amount_fen')::bigint AS amount_fen, (p.terms ->> 'day')::date AS happened_on
        FROM mutual_funds_proposal p JOIN ledger_set s ON s.id = p.set_id
        WHERE p.kind = 'grant' AND s.approved_at IS NULL AND s.refused_at IS NULL""",
    called="(SELECT so.name FROM mutual_funds_society so WHERE so.id = j.society_id)",
    takes="SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT a.society_id FROM {added} a) x",
    rules=(
        _alone(
            "grant_to_society_there", "happened_on", _("a day from the founding of the society until its end"),
            """CASE WHEN so.voided_at IS NOT NULL THEN j.happened_on || ', whose founding was taken back'
                WHEN j.happened_on < so.starts_on THEN j.happened_on || ', founded on ' || so.starts_on
                ELSE j.happened_on || ', ended on ' || so.ends_before END""",
            """JOIN mutual_funds_society so ON so.id = j.society_id
            WHERE so.voided_at IS NOT NULL OR j.happened_on < so.starts_on OR j.happened_on >= so.ends_before""",
            _("correct the day; nothing is given to a society that is not there"),
        ),
        _alone(
            "grant_line_of_programme", "source_line_id", _("a source line for village mutual funds"),
            "li.code || ', for ' || li.programme",
            """JOIN funds_sourceline li ON li.id = j.source_line_id
            WHERE li.programme <> 'mutual_funds' OR li.voided_at IS NOT NULL""",
            _("money keeps the purpose of its line: choose a line of this programme"),
        ),
        Rule(
            "grant_within_standard", "amount_fen",
            _("together with earlier grants, no more than the standard in force for the village's class"),
            f"""SELECT j.no, CASE WHEN s.high_fen IS NULL THEN {_yuan("j.fen")} || ' in all, no standard that day'
                ELSE {_yuan("j.fen")} || ' in all, at most ' || {_yuan("s.high_fen")} END
            FROM (SELECT g.no, g.happened_on, so.size_class, sum(g.amount_fen) OVER (PARTITION BY g.society_id
                ORDER BY g.place)
                    + coalesce((SELECT o.grant_fen FROM mutual_funds_opening o
                        WHERE o.society_id = g.society_id AND o.voided_at IS NULL), 0) AS fen
                  FROM standing g JOIN mutual_funds_society so ON so.id = g.society_id) j
            LEFT JOIN LATERAL (SELECT max(s.high_fen) AS high_fen FROM funds_grantstandard s
                WHERE s.programme = 'mutual_funds'
                AND s.size_class IN (j.size_class, 'any') AND {holds_on("j.happened_on", "s")}) s ON true
            WHERE j.no IS NOT NULL AND (s.high_fen IS NULL OR j.fen > s.high_fen)""",
            _("check the class of the village and the standard of that day"),
            key=("society_id",), across=True,
        ),
    ),
)  # fmt: skip

RULED = (CONTRIBUTIONS, LOANS, REPAYMENTS, GRANTS)
