"""The rules of members' money, loans and repayments, each written once for files, forms and the database.

What money moved between which accounts, the schedule of a loan and the locks stand in `sql/rules.sql`; the society's
account may not be overdrawn by the ledger's own rule. Amounts are whole fen.
"""

from karez.funds.words import PROGRAMMES
from karez.kernel.facts import holds_on
from karez.kernel.message_field import label_sql
from karez.kernel.messages import say
from karez.kernel.rules import Rule, Ruled, Void
from karez.mutual_funds.models import Contribution, Extension, Grant, Loan, Repayment

FIRST_DAY = "(SELECT mutual_funds_first_day())"  # asked once, not for each row


def _yuan(fen: str) -> str:
    return f"karez_say('{{1}} yuan', karez_yuan({fen}))"


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
_CALLED_MEMBER = """(SELECT karez_say('household {1} of {2}', h.household_no::text, so.name::text) FROM mutual_funds_member m
    JOIN register_household h ON h.id = m.household_id JOIN mutual_funds_society so ON so.id = m.society_id
    WHERE m.id = j.member_id)"""
_RULES_THERE = say("a day on which the society has rules")
_NO_RULES = say("record the rules first, or correct the day")
_THERE = say("a day before the household was dissolved")
_LET_LEAVE = say("a household that was dissolved only repays and gets its own money back; let it leave the society")

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
    by_one="kind = 'own'",  # a refund's money is moved by two people, or not at all: the ledger holds it
    by_two="batch_id IS NOT NULL OR transfer_id IS NOT NULL",
    rules=(
        _alone(
            "member_then", "member_id", say("a household that is a member of the society on that day"),
            "karez_say('no member on {1}', j.happened_on::text)",
            f"""{_MEMBER} WHERE m.voided_at IS NOT NULL OR m.starts_on > j.happened_on OR m.ends_before < j.happened_on
            OR (m.ends_before = j.happened_on AND j.kind <> 'refund')""",
            say("enter the membership first, or correct the day"),
        ),
        _alone(
            "household_there", "happened_on", _THERE, "karez_say('dissolved on {1}', h.ends_before::text)",
            f"{_HOUSEHOLD} WHERE j.kind <> 'refund' AND j.happened_on >= h.ends_before", _LET_LEAVE,
        ),
        _alone(
            "contribution_day", "happened_on",
            say("own money and refunds from the region's first day on; what is older is opening money"),
            "j.happened_on::text",
            f"WHERE j.kind <> 'granted_base' AND (j.kind = 'opening') <> (j.happened_on < {FIRST_DAY})",
            say("correct the day; money older than the region stands in the opening balances"),
        ),
        _alone("contribution_rules_in_force", "happened_on", _RULES_THERE,
        "j.happened_on::text", _WITHOUT_RULES, _NO_RULES),
        Rule(
            "contribution_within_limits", "amount_fen",
            say("between the least and the most the society's rules allow, all payments together"),
            f"""SELECT j.no, karez_say('{{1}} in all, {{2}} to {{3}} allowed', {_yuan("j.fen")}, {_yuan("ru.contribution_min_fen")}, {_yuan("ru.contribution_max_fen")})
            FROM (SELECT x.*, sum(x.own_fen) OVER (PARTITION BY x.member_id ORDER BY x.no IS NOT NULL, x.happened_on,
                x.kind = 'refund', x.place) AS fen FROM standing x WHERE NOT x.waits) j {_RULES}
            WHERE j.no IS NOT NULL AND j.kind IN ('own', 'opening')
              AND NOT j.fen BETWEEN ru.contribution_min_fen AND ru.contribution_max_fen""",
            say("take in what the rules allow"),
            key=("member_id",), across=True,
        ),
        Rule(
            "refund_within_own", "amount_fen",
            say("no more than the member's own money that was in the society on that day, and on every later one"),
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
            SELECT x.no, karez_say('{{1}}, at most {{2}}', {_yuan("x.amount_fen")}, {_yuan("x.most")}) FROM (
                SELECT b.no, b.amount_fen, GREATEST(min(e.fen) - b.upto + b.amount_fen, 0) AS most
                  FROM back b JOIN ends e ON e.member_id = b.member_id AND e.day >= b.day
                 GROUP BY b.no, b.amount_fen, b.upto HAVING min(e.fen) < b.upto) x""",
            say("correct the days or amounts, or record first what was paid in"),
            key=("member_id",), across=True, void=Void.EACH,
        ),
        Rule(
            "left_with_nothing_in", "member_id", say("no own money of a household that has left the society"),
            f"""SELECT j.no, karez_say('left on {{1}}; {{2}} would be in', m.ends_before::text, {_yuan("s.fen")})
              FROM judged j {_MEMBER} JOIN (SELECT member_id, sum(own_fen) AS fen FROM standing WHERE NOT waits
                  GROUP BY 1) s
                ON s.member_id = j.member_id WHERE m.ends_before IS NOT NULL AND s.fen <> 0""",
            say("record what was paid in and returned together, or take the leaving back first"),
            key=("member_id",), across=True,
        ),
        Rule(
            "contributions_within_opening", "amount_fen",
            say("together no more than the contributions in the society's opening balances"),
            f"""SELECT j.no, karez_say('{{1}}, opened with {{2}}', {_yuan("j.fen")}, {_yuan("o.most")})
            FROM (SELECT no, society_id, sum(amount_fen) OVER (PARTITION BY society_id ORDER BY place) AS fen
                FROM standing) j
            CROSS JOIN LATERAL (SELECT coalesce((SELECT o.contributions_fen FROM mutual_funds_opening o
                WHERE o.society_id = j.society_id AND o.voided_at IS NULL), 0) AS most) o
            WHERE j.no IS NOT NULL AND j.fen > o.most""",
            say("load the opening balances first"),
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
    called="(SELECT karez_say('loan {1} of {2}', j.loan_no::text, so.name::text) FROM mutual_funds_society so WHERE so.id = j.society_id)",
    takes="SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT a.society_id FROM {added} a) x",
    by_one="false",
    by_two="batch_id IS NOT NULL OR transfer_id IS NOT NULL",  # money that is lent is moved by two people
    rules=(
        _alone(
            "borrower_is_member", "member_id", say("a household that is a member on that day and has not left since"),
            """CASE WHEN m.ends_before > j.happened_on THEN karez_say('left on {1}', m.ends_before::text)
                ELSE karez_say('no member on {1}', j.happened_on::text) END""",
            f"{_MEMBER} WHERE m.voided_at IS NOT NULL OR m.starts_on > j.happened_on OR m.ends_before IS NOT NULL",
            say("who has left owes nothing: correct the day or the household, or take the leaving back first"),
        ),
        _alone(
            "household_there", "happened_on", _THERE, "karez_say('dissolved on {1}', h.ends_before::text)",
            f"{_HOUSEHOLD} WHERE j.happened_on >= h.ends_before", _LET_LEAVE,
        ),
        _alone("loan_rules_in_force", "happened_on", _RULES_THERE, "j.happened_on::text", _WITHOUT_RULES, _NO_RULES),
        _alone(
            "loan_within_cap", "principal_fen",
            say("no more than the society's rules of that day allow, and a fen for each instalment"),
            f"karez_say('{{1}}, at most {{2}}', {_yuan('j.principal_fen')}, {_yuan('ru.loan_cap_fen')})",
            f"{_RULES} WHERE j.principal_fen > ru.loan_cap_fen OR j.principal_fen < ru.instalments",
            say("lend less, or let the members' meeting change the rules"),
        ),
        _alone(
            "loan_within_term", "term_days",
            say("no longer than the society's rules of that day allow, and a day for each instalment"),
            "karez_say('{1} days, {2} to {3} allowed', j.term_days::text, ru.instalments::text, ru.term_cap_days::text)",
            f"{_RULES} WHERE j.term_days > ru.term_cap_days OR j.term_days < ru.instalments",
            say("lend for a shorter time, or let the members' meeting change the rules"),
        ),
        Rule(
            "loan_number_once", "loan_no", say("a number not yet given in the society"),
            """SELECT j.no, CASE WHEN bool_or(o.waits) THEN karez_say('{1}, which waits for approval', j.loan_no::text)
                WHEN min(o.loan_no) <> j.loan_no THEN karez_say('{1}, given already as {2}', j.loan_no::text, min(o.loan_no)::text)
                ELSE karez_say('{1}, given already', j.loan_no::text) END
            FROM judged j JOIN standing o USING (society_id, number) WHERE o.no IS NULL GROUP BY j.no, j.loan_no""",
            say("give it another number"),
            key=("society_id", "number"),
        ),
        Rule(
            "loan_open_at_once", "member_id", say("no more loans at once than the society's rules allow"),
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
                   min(karez_say('on {{1}} {{2}} open or waiting, {{3}} allowed', j.happened_on::text, j.loans::text, ru.open_loans_max::text))
              FROM many j {_RULES} WHERE j.step = 1 AND j.happened_on >= j.since AND j.loans > ru.open_loans_max
               AND coalesce(j.no, j.last_no) IS NOT NULL GROUP BY 1""",
            say("record the repayment of the earlier loan first, or decide about what waits"),
            key=("member_id",), across=True,
        ),
        Rule(
            "loans_within_opening", "principal_fen",
            say("together no more than the loans in the society's opening balances"),
            f"""SELECT j.no, karez_say('{{1}}, opened with {{2}}', {_yuan("j.fen")}, {_yuan("o.most")})
            FROM (SELECT no, society_id, sum(principal_fen) OVER (PARTITION BY society_id ORDER BY place) AS fen
                FROM standing) j
            CROSS JOIN LATERAL (SELECT coalesce((SELECT o.loans_fen FROM mutual_funds_opening o
                WHERE o.society_id = j.society_id AND o.voided_at IS NULL), 0) AS most) o
            WHERE j.no IS NOT NULL AND j.fen > o.most""",
            say("load the opening balances first"),
            key=("society_id",), only=f"happened_on < {FIRST_DAY}", across=True,
        ),
    ),
)  # fmt: skip

# Everything paid on a loan up to each row judged, what is on record first: principal and fee so far.
_PAID = """SELECT no, loan_id, place, sum(principal_fen) OVER w AS principal, sum(fee_fen) OVER w AS fee
    FROM standing WINDOW w AS (PARTITION BY loan_id ORDER BY place)"""


def _fee_due(paid: str) -> str:
    """SQL of (no, fee, due): how much of everything `paid` on a loan (no, loan_id, fee, paid) is fee, by the society's order:
    the oldest instalment first, in it the fee or the principal first. What is above all that is owed is principal.
    """
    return f"""SELECT s.no, s.fee, sum(LEAST(s.fee_fen, GREATEST(0,
               CASE ru.allocation_order WHEN 'fee_first' THEN s.left_fen
                   ELSE s.left_fen - s.principal_fen END))) AS due
          FROM (SELECT p.no, p.loan_id, p.fee, i.fee_fen, i.principal_fen, p.paid
                  - coalesce(sum(i.principal_fen + i.fee_fen) OVER (PARTITION BY p.no ORDER BY i.number
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS left_fen
                  FROM ({paid}) p JOIN mutual_funds_instalment i USING (loan_id)) s
          JOIN mutual_funds_loan l ON l.id = s.loan_id JOIN mutual_funds_ruleset ru ON ru.id = l.rule_set_id
         GROUP BY s.no, s.fee"""


# An amount of a row of {stage} divided into principal and fee, after what was paid on its loan before.
DIVIDED = f"""SELECT r.amount - d.due + d.fee, d.due - d.fee FROM ({
    _fee_due(
        '''SELECT r.row_no AS no, r.loan_id, coalesce(sum(p.fee_fen), 0) AS fee,
        r.amount + coalesce(sum(p.principal_fen + p.fee_fen), 0) AS paid FROM {stage} r LEFT JOIN mutual_funds_repayment p
        ON p.loan_id = r.loan_id AND p.voided_at IS NULL GROUP BY r.row_no, r.loan_id, r.amount'''
    )
}) d CROSS JOIN {{stage}} r"""

_CALLED_LOAN = """(SELECT karez_say('loan {1} of {2}', l.loan_no::text, so.name::text) FROM mutual_funds_loan l
    JOIN mutual_funds_society so ON so.id = l.society_id WHERE l.id = j.loan_id)"""
_TAKES_LOAN = """SELECT mutual_funds_take(array_agg(x.society_id)) FROM (SELECT DISTINCT l.society_id FROM {added} a
    JOIN mutual_funds_loan l ON l.id = a.loan_id) x"""
REPAYMENTS = Ruled(
    model=Repayment,
    state="KZ023",
    columns=("loan_id", "principal_fen", "fee_fen", "happened_on"),
    called=_CALLED_LOAN,
    takes=_TAKES_LOAN,
    rules=(
        _alone(
            "repayment_of_standing_loan", "loan_id", say("a loan that stands"),
            "karez_say('loan {1} was taken back', l.loan_no::text)",
            "JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE l.voided_at IS NOT NULL",
        ),
        _alone(
            "repayment_not_before_loan", "happened_on", say("a day not before the loan was lent"),
            "karez_say('{1}, lent on {2}', j.happened_on::text, l.happened_on::text)",
            "JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE j.happened_on < l.happened_on",
            say("correct the day"),
        ),
        _alone(
            "repayment_not_of_written_off", "loan_id", say("a loan that was not written off"),
            "karez_say('written off on {1}', w.happened_on::text)",
            "JOIN mutual_funds_writeoff w ON w.loan_id = j.loan_id AND w.voided_at IS NULL",
            say("reverse the write-off first"),
        ),
        _alone(
            "repayment_not_empty", "principal_fen", say("principal or fee above zero, none below"),
            f"{_yuan('j.principal_fen')} || ' + ' || {_yuan('j.fee_fen')}",
            "WHERE LEAST(j.principal_fen, j.fee_fen) < 0 OR j.principal_fen + j.fee_fen = 0",
        ),
        Rule(
            "repayment_within_owed", "principal_fen",
            say("no more principal and fee than the loan owes, all repayments together"),
            f"""SELECT p.no, karez_say('{{1}} + {{2}}, owed {{3}} + {{4}}', {_yuan("p.principal")}, {_yuan("p.fee")}, {_yuan("i.principal")}, {_yuan("i.fee")})
              FROM ({_PAID}) p JOIN (SELECT loan_id, sum(principal_fen) AS principal, sum(fee_fen) AS fee
                FROM mutual_funds_instalment WHERE loan_id IN (SELECT loan_id FROM judged) GROUP BY 1) i USING (loan_id)
             WHERE p.no IS NOT NULL AND (p.principal > i.principal OR p.fee > i.fee)""",
            say("take in at most what is still owed"),
            key=("loan_id",), across=True,
        ),
        Rule(
            "repayment_in_order", "fee_fen",
            say("principal and fee divided by the society's order, oldest instalment first"),
            f"""SELECT j.no, karez_say('{{1}} of fees so far, {{2}} by the order', {_yuan("j.fee")}, {_yuan("j.due")}) FROM (
                {_fee_due(f"SELECT no, loan_id, fee, principal + fee AS paid FROM ({_PAID}) sums WHERE no IS NOT NULL")}
                ) j WHERE j.fee <> j.due""",
            say("divide the amount anew, or correct an earlier repayment"),
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
            "grant_to_society_there", "happened_on", say("a day from the founding of the society until its end"),
            """CASE WHEN so.voided_at IS NOT NULL THEN karez_say('{1}, whose founding was taken back', j.happened_on::text)
                WHEN j.happened_on < so.starts_on THEN karez_say('{1}, founded on {2}', j.happened_on::text, so.starts_on::text)
                ELSE karez_say('{1}, ended on {2}', j.happened_on::text, so.ends_before::text) END""",
            """JOIN mutual_funds_society so ON so.id = j.society_id
            WHERE so.voided_at IS NOT NULL OR j.happened_on < so.starts_on OR j.happened_on >= so.ends_before""",
            say("correct the day; nothing is given to a society that is not there"),
        ),
        _alone(
            "grant_line_of_programme", "source_line_id", say("a source line for village mutual funds"),
            f"karez_say('{{1}}, for {{2}}', li.code, {label_sql('li.programme', PROGRAMMES)})",
            """JOIN funds_sourceline li ON li.id = j.source_line_id
            WHERE li.programme <> 'mutual_funds' OR li.voided_at IS NOT NULL""",
            say("money keeps the purpose of its line: choose a line of this programme"),
        ),
        Rule(
            "grant_within_standard", "amount_fen",
            say("together with earlier grants, no more than the standard in force for the village's class"),
            f"""SELECT j.no, CASE WHEN s.high_fen IS NULL THEN karez_say('{{1}} in all, no standard that day', {_yuan("j.fen")})
                ELSE karez_say('{{1}} in all, at most {{2}}', {_yuan("j.fen")}, {_yuan("s.high_fen")}) END
            FROM (SELECT g.no, g.happened_on, so.size_class, sum(g.amount_fen) OVER (PARTITION BY g.society_id
                ORDER BY g.place)
                    + coalesce((SELECT o.grant_fen FROM mutual_funds_opening o
                        WHERE o.society_id = g.society_id AND o.voided_at IS NULL), 0) AS fen
                  FROM standing g JOIN mutual_funds_society so ON so.id = g.society_id) j
            LEFT JOIN LATERAL (SELECT max(s.high_fen) AS high_fen FROM funds_grantstandard s
                WHERE s.programme = 'mutual_funds'
                AND s.size_class IN (j.size_class, 'any') AND {holds_on("j.happened_on", "s")}) s ON true
            WHERE j.no IS NOT NULL AND (s.high_fen IS NULL OR j.fen > s.high_fen)""",
            say("check the class of the village and the standard of that day"),
            key=("society_id",), across=True,
        ),
    ),
)  # fmt: skip

EXTENSIONS = Ruled(
    model=Extension,
    state="KZ026",
    columns=("loan_id", "due_on", "happened_on"),
    joins="JOIN mutual_funds_loan bl ON bl.id = b.loan_id JOIN mutual_funds_ruleset br ON br.id = bl.rule_set_id",
    also={
        "first_due_on": "bl.due_on",
        "last_due_on": "bl.happened_on + br.term_cap_days + br.extension_days_max",
    },
    called=_CALLED_LOAN,
    takes=_TAKES_LOAN,
    rules=(
        _alone(
            "extension_of_standing_loan", "loan_id", say("a loan that stands"), "karez_say('loan {1} was taken back', l.loan_no::text)",
            "JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE l.voided_at IS NOT NULL",
        ),
        _alone(
            "extension_not_before_loan", "happened_on", say("a day not before the loan was lent"),
            "karez_say('{1}, lent on {2}', j.happened_on::text, l.happened_on::text)",
            "JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE j.happened_on < l.happened_on", say("correct the day"),
        ),
        _alone(
            "extension_of_open_loan", "loan_id", say("a loan on which principal is still owed"),
            "karez_say('loan {1} owes nothing', l.loan_no::text)",
            """JOIN mutual_funds_loan l ON l.id = j.loan_id WHERE l.principal_fen <= coalesce((SELECT sum(p.principal_fen)
                FROM mutual_funds_repayment p WHERE p.loan_id = l.id AND p.voided_at IS NULL), 0)
            OR EXISTS (SELECT FROM mutual_funds_writeoff w WHERE w.loan_id = l.id AND w.voided_at IS NULL)""",
        ),
        _alone(
            "extension_within_rules", "due_on", say("within the longest term and the extension the loan's rules allow"),
            "karez_say('{1}, at most until {2}', j.due_on::text, j.last_due_on::text)", "WHERE j.due_on > j.last_due_on",
        ),
        Rule(
            "extension_later", "due_on", say("a day after the last one so far"),
            """SELECT j.no, karez_say('{1}, due on {2}', j.due_on::text, j.so_far::text) FROM (SELECT no, due_on, GREATEST(first_due_on, max(due_on)
                OVER (PARTITION BY loan_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS so_far
                FROM standing) j WHERE j.no IS NOT NULL AND j.due_on <= j.so_far""",
            key=("loan_id",), across=True,
        ),
    ),
)  # fmt: skip

RULED = (CONTRIBUTIONS, LOANS, REPAYMENTS, GRANTS, EXTENSIONS)
