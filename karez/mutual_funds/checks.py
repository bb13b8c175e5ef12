"""What is looked at before a year is closed: books equal pots, records equal books, loans by the rules. And the live
reports.

Most of it the database refuses to become wrong; it is asked again here, of all rows and in another way.
"""

from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import ClosingCheck, LiveReport
from karez.kernel.message_field import label_sql
from karez.kernel.messages import say
from karez.mutual_funds import reports
from karez.mutual_funds.models import Proposal

_DAY = "%(as_of)s"
_BALANCES = reports.on_day(reports.BALANCES)
_LOANS = reports.on_day(reports.LOANS)
_KIND = label_sql("p.kind", dict(Proposal.Kind.choices))
_LINK = "'/mutual-funds/' || so.id || '/'"


def _event(alias: str) -> str:
    return counted_on(_DAY, event=True, alias=alias)


def _yuan(fen: str) -> str:
    return f"karez_yuan({fen})"


CHECKS = (
    ClosingCheck(
        name="mutual_funds_books_equal_pots",
        label=say(
            "Every society: grant, contributions, gifts and surplus together equal cash, bank and loans outstanding"
        ),
        sql=f"""
SELECT so.name, karez_say('{{1}} in pots', {_yuan("b.pots")}),
    karez_say('{{1}} in cash, bank and loans; nothing on the opening account', {_yuan("b.money")}), {_LINK}
  FROM (SELECT society_id, sum(balance_fen) FILTER (WHERE code IN ('2001', '4001', '4002', '4003')) AS pots,
               sum(balance_fen) FILTER (WHERE code IN ('1001', '1002', '1301')) AS money,
               sum(balance_fen) FILTER (WHERE code NOT IN ('1001', '1002', '1301', '2001', '4001', '4002',
                   '4003')) AS other
          FROM ({_BALANCES}) x GROUP BY 1) b JOIN mutual_funds_society so ON so.id = b.society_id
 WHERE b.pots <> b.money OR b.other <> 0""",
        todo=say("find the voucher that is booked to the wrong account, and reverse it"),
        acceptable=False,
    ),
    ClosingCheck(
        name="mutual_funds_no_negative_balance",
        label=say("No pot and no money of a society is below zero at the end of the year"),
        sql=f"""
SELECT so.name, b.code || ': ' || {_yuan("b.balance_fen")}, karez_say('zero or more'), {_LINK}
  FROM ({_BALANCES}) b JOIN mutual_funds_society so ON so.id = b.society_id WHERE b.balance_fen < 0""",
        todo=say("find the voucher whose day is wrong"),
        acceptable=False,
    ),
    ClosingCheck(
        name="mutual_funds_records_equal_books",
        label=say("Contributions, gifts, grants, loans and fees on record equal the accounts of every society"),
        sql=f"""
WITH recorded AS (
    SELECT m.society_id, '2001' AS code, CASE c.kind WHEN 'refund' THEN -c.amount_fen ELSE c.amount_fen END AS fen
      FROM mutual_funds_contribution c JOIN mutual_funds_member m ON m.id = c.member_id WHERE c.kind <> 'granted_base'
          AND {_event("c")}
    UNION ALL SELECT o.society_id, '4001', o.grant_fen FROM mutual_funds_opening o WHERE {_event("o")}
    UNION ALL SELECT o.society_id, '4002', o.gifts_fen FROM mutual_funds_opening o WHERE {_event("o")}
    UNION ALL SELECT o.society_id, '4003', o.surplus_fen FROM mutual_funds_opening o WHERE {_event("o")}
    UNION ALL SELECT g.society_id, '4001', g.amount_fen FROM mutual_funds_grant g WHERE {_event("g")}
    UNION ALL SELECT g.society_id, '4002', g.amount_fen FROM mutual_funds_gift g WHERE {_event("g")}
    UNION ALL SELECT l.society_id, '1301', l.principal_fen FROM mutual_funds_loan l WHERE {_event("l")}
    UNION ALL SELECT l.society_id, x.code, x.fen FROM mutual_funds_repayment p JOIN mutual_funds_loan l
        ON l.id = p.loan_id,
        LATERAL (VALUES ('1301', -p.principal_fen), ('4003', p.fee_fen)) x (code, fen) WHERE {_event("p")}
    UNION ALL SELECT l.society_id, x.code, -w.principal_fen FROM mutual_funds_writeoff w JOIN mutual_funds_loan l
        ON l.id = w.loan_id,
        LATERAL (VALUES ('1301'), (CASE w.pot WHEN 'surplus' THEN '4003' WHEN 'gifts' THEN '4002'
            ELSE '4001' END)) x (code) WHERE {_event("w")}
), summed AS (SELECT society_id, code, sum(fen) AS fen FROM recorded GROUP BY 1, 2)
SELECT so.name, karez_say('{{1}}: {{2}} on record', b.code::text, {_yuan("coalesce(s.fen, 0)")}),
    karez_say('{{1}} in the books', {_yuan("b.balance_fen")}), {_LINK}
  FROM ({_BALANCES}) b JOIN mutual_funds_society so ON so.id = b.society_id LEFT JOIN summed s
      ON s.society_id = b.society_id AND s.code = b.code
 WHERE b.code IN ('1301', '2001', '4001', '4002', '4003') AND coalesce(s.fen, 0) <> b.balance_fen""",
        todo=say(
            "load the members' old contributions and old loans the opening counts, approve what "
            "was posted alone, or void what was reversed"
        ),
        acceptable=True,
    ),
    ClosingCheck(
        name="mutual_funds_members_not_negative",
        label=say("No member has got back more than the own money paid in"),
        sql=f"""
SELECT h.household_no || ', ' || so.name, {_yuan("x.fen")}, karez_say('zero or more'), {_LINK}
  FROM (SELECT c.member_id, sum(CASE c.kind WHEN 'refund' THEN -c.amount_fen WHEN 'granted_base' THEN 0
      ELSE c.amount_fen END) AS fen
          FROM mutual_funds_contribution c WHERE {_event("c")} GROUP BY 1) x
  JOIN mutual_funds_member m ON m.id = x.member_id JOIN mutual_funds_society so ON so.id = m.society_id
  JOIN register_household h ON h.id = m.household_id WHERE x.fen < 0""",
        todo=say("void the wrong refund"),
        acceptable=False,
    ),
    ClosingCheck(
        name="mutual_funds_loans_by_the_rules",
        label=say(
            "Every loan is within the cap and term of the rules in force, to a member of that "
            "day; nothing is over-repaid"
        ),
        sql=f"""
SELECT l.loan_no || ', ' || so.name, karez_say('{{1}} for {{2}} days', {_yuan("l.principal_fen")}, l.term_days::text),
       karez_say('at most {{1}} for {{2}} days, to a member, at most the principal repaid', {_yuan("r.loan_cap_fen")}, r.term_cap_days::text),
       '/mutual-funds/loans/' || l.id || '/'
  FROM mutual_funds_loan l JOIN mutual_funds_society so ON so.id = l.society_id JOIN mutual_funds_ruleset r
      ON r.id = l.rule_set_id
  JOIN mutual_funds_member m ON m.id = l.member_id JOIN ({_LOANS}) x ON x.loan_id = l.id
 WHERE {_event("l")} AND (l.principal_fen > r.loan_cap_fen OR l.term_days > r.term_cap_days
     OR r.society_id <> l.society_id
    OR m.society_id <> l.society_id OR m.starts_on > l.happened_on OR m.ends_before <= l.happened_on
        OR x.outstanding_fen < 0)""",
        todo=say("void the loan or correct the rules' dates"),
        acceptable=False,
    ),
    ClosingCheck(
        name="mutual_funds_records_stand_on_vouchers",
        label=say("No record stands on a reversed voucher, and no record is void while its voucher stands"),
        sql=f"""
WITH stands AS (
    SELECT m.society_id, karez_say('contribution {{1}}', c.id::text) AS what, c.transfer_id, c.void_counts_on
        FROM mutual_funds_contribution c JOIN mutual_funds_member m ON m.id = c.member_id
    UNION ALL SELECT society_id, karez_say('grant {{1}}', id::text), transfer_id, void_counts_on FROM mutual_funds_grant
    UNION ALL SELECT society_id, karez_say('gift {{1}}', id::text), transfer_id, void_counts_on FROM mutual_funds_gift
    UNION ALL SELECT society_id, karez_say('loan {{1}}', loan_no::text), transfer_id, void_counts_on FROM mutual_funds_loan
    UNION ALL SELECT l.society_id, karez_say('repayment {{1}}', p.id::text), coalesce(p.principal_transfer_id, p.fee_transfer_id),
        p.void_counts_on
      FROM mutual_funds_repayment p JOIN mutual_funds_loan l ON l.id = p.loan_id
    UNION ALL SELECT l.society_id, karez_say('write-off {{1}}', w.id::text), w.transfer_id, w.void_counts_on FROM mutual_funds_writeoff w
        JOIN mutual_funds_loan l ON l.id = w.loan_id
)
SELECT s.what || ', ' || so.name, CASE WHEN r.id IS NULL THEN karez_say('void, its voucher stands')
    ELSE karez_say('its voucher is reversed') END,
       karez_say('record and voucher together'), '/ledger/vouchers/' || t.voucher_id || '/'
  FROM stands s JOIN ledger_transfer t ON t.id = s.transfer_id AND t.booking_date <= {_DAY} JOIN mutual_funds_society so
      ON so.id = s.society_id
  LEFT JOIN ledger_voucher r ON r.reverses_id = t.voucher_id AND r.posted_at IS NOT NULL AND r.booking_date <= {_DAY}
 WHERE (r.id IS NULL) <> (s.void_counts_on IS NULL OR s.void_counts_on > {_DAY})""",
        todo=say("void the record with its voucher, or reverse the voucher"),
        acceptable=False,
    ),
    ClosingCheck(
        name="mutual_funds_grants_reach_the_standard",
        label=say("A society founded in the year was granted what the standard in force gives its class of village"),
        sql=f"""
SELECT so.name, {_yuan("x.fen")}, karez_say('{{1}} to {{2}}', {_yuan("s.low_fen")}, {_yuan("s.high_fen")}), {_LINK}
  FROM mutual_funds_society so CROSS JOIN LATERAL (SELECT coalesce(sum(g.amount_fen), 0) AS fen
      FROM mutual_funds_grant g
      WHERE g.society_id = so.id AND {_event("g")}) x
  JOIN funds_grantstandard s ON s.programme = 'mutual_funds' AND s.size_class IN (so.size_class, 'any')
      AND s.voided_at IS NULL
   AND s.starts_on <= {_DAY}::date AND (s.ends_before IS NULL OR s.ends_before > {_DAY}::date)
 WHERE {counted_on(_DAY, event=False, alias="so")} AND extract(year FROM so.starts_on) = %(year)s
     AND x.fen < s.low_fen""",
        todo=say("record the grant that is missing, or accept with a reason"),
    ),
    ClosingCheck(
        name="mutual_funds_enough_members",
        label=say("Every society has as many member households as its rules ask for"),
        sql=f"""
SELECT so.name, count(m.id)::text, karez_say('at least {{1}}', r.min_members::text), {_LINK}
  FROM mutual_funds_society so JOIN mutual_funds_ruleset r ON r.society_id = so.id
      AND {counted_on(_DAY, event=False, alias="r")}
  LEFT JOIN mutual_funds_member m ON m.society_id = so.id AND {counted_on(_DAY, event=False, alias="m")}
 WHERE {counted_on(_DAY, event=False, alias="so")} GROUP BY so.id, r.min_members HAVING count(m.id) < r.min_members""",
        todo=say("record the members that are missing, or accept with a reason"),
    ),
    ClosingCheck(
        name="mutual_funds_enough_poor_households",
        label=say("Of the registered households of every village, the share its society's rules ask for are members"),
        sql=f"""
WITH listed AS (
    SELECT h.village_id, count(*) AS households, count(m.id) AS members FROM register_household h
      LEFT JOIN mutual_funds_member m ON m.household_id = h.id AND {counted_on(_DAY, event=False, alias="m")}
     WHERE h.kind = 'registered' AND {counted_on(_DAY, event=False, alias="h")} GROUP BY 1)
SELECT so.name, karez_say('{{1}} of {{2}}', x.members::text, x.households::text), karez_say('at least {{1}} percent', r.min_poor_share::text), {_LINK}
  FROM mutual_funds_society so JOIN listed x ON x.village_id = so.area_id
  JOIN mutual_funds_ruleset r ON r.society_id = so.id AND {counted_on(_DAY, event=False, alias="r")}
 WHERE {counted_on(_DAY, event=False, alias="so")} AND 100 * x.members < r.min_poor_share * x.households""",
        todo=say("record the members that are missing, or accept with a reason"),
    ),
    ClosingCheck(
        name="mutual_funds_nothing_waits",
        label=say("No loan, refund, grant, write-off or reversal of the year waits for approval"),
        sql=f"""
SELECT karez_say('{{1}}, {{2}}', {_KIND}, so.name), karez_say('prepared, not decided'), karez_say('approved or refused'), '/ledger/sets/' || s.id || '/'
  FROM mutual_funds_proposal p JOIN ledger_set s ON s.id = p.set_id OR s.id = p.second_set_id
      JOIN mutual_funds_society so ON so.id = p.society_id
 WHERE s.approved_at IS NULL AND s.refused_at IS NULL
   AND EXISTS (SELECT FROM ledger_voucher v WHERE v.set_id = s.id AND v.booking_date <= {_DAY})""",
        todo=say("have them approved or refused"),
    ),
)

_CAPITAL = reports.on_day(reports.CAPITAL)
_POT = "SELECT x.area_id, x.{column} / 100.0 FROM ({sql}) x"

# What pages show live, by village or region: the same words from the same rows.
REPORTS = (
    LiveReport(
        "mutual_funds.capital_government",
        "Grant pots, as societies' pages show them",
        _POT.format(column="grant_fen", sql=_CAPITAL),
    ),
    LiveReport(
        "mutual_funds.capital_members",
        "Contributions, as societies' pages show them",
        _POT.format(column="contributions_fen", sql=_CAPITAL),
    ),
    LiveReport(
        "mutual_funds.loans_outstanding",
        "Loans outstanding, by the books",
        f"SELECT x.area_id, x.balance_fen / 100.0 FROM ({_BALANCES}) x JOIN mutual_funds_society so ON so.id = "
        "x.society_id"
        f" WHERE x.code = '1301' AND {counted_on(_DAY, event=False, alias='so')}",
    ),
    LiveReport(
        "mutual_funds.member_households",
        "Members, by the societies' lists",
        f"""SELECT so.area_id, count(m.id) FROM mutual_funds_society so LEFT JOIN mutual_funds_member m
            ON m.society_id = so.id
          AND {counted_on(_DAY, event=False, alias="m")} WHERE {counted_on(_DAY, event=False, alias="so")}
              GROUP BY so.id""",
    ),
    LiveReport(
        "mutual_funds.loans_issued",
        "Loans of the year, by the vouchers",
        """SELECT (SELECT area_id FROM periods_region), coalesce(sum(CASE WHEN v.reverses_id IS NULL THEN t.amount_fen
            ELSE -t.amount_fen END), 0) / 100.0
          FROM ledger_transfer t JOIN ledger_voucher v ON v.id = t.voucher_id LEFT JOIN ledger_voucher o
              ON o.id = v.reverses_id
          JOIN ledger_book b ON b.id = t.book_id
         WHERE b.kind = 'society' AND coalesce(o.kind, v.kind) = 'loan' AND t.booking_date BETWEEN %(year_start)s
             AND %(as_of)s""",
    ),
)
