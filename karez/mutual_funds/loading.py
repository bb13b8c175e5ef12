"""Turns the rows of an approved file into facts and booked money, all rows at once. Holds no checks: those ran before.

Money of one society, one day and one kind is one voucher; each fact has a transfer of its own in it. Every function
takes its societies first (lowest id first), then the accounts, as every writer of this room does.
"""

import json
from collections.abc import Mapping

from karez.intake.applying import require_all_rows
from karez.intake.sameness import require_confirmed
from karez.kernel.facts import holds_on
from karez.kernel.messages import kept, say
from karez.kernel.sheets import Applying
from karez.mutual_funds import sameness
from karez.mutual_funds.record_rules import FIRST_DAY
from karez.mutual_funds.rules import ACCOUNTS, POT_ACCOUNTS

CHART = json.dumps(
    [
        {"code": c, "name": kept(n), "normal_side": side, "holds_money": money}
        for c, (n, side, money) in ACCOUNTS.items()
    ]
)
_NEXT = "nextval(pg_get_serial_sequence('ledger_transfer', 'id'))"
_RESOLVED = say("one society, household, member, loan, line or set of rules for each row, as when it was checked")
_RECORDED = "%(by)s, %(batch)s"
_MANY = 1000  # rows from which on the statistics of a table are taken anew


def _run(given: Applying, sql: str) -> int:
    """Runs one statement with the batch's parameters; the number of rows it wrote."""
    given.cursor.execute(
        sql.replace("{stage}", given.stage),
        {
            "by": given.sender_id,
            "approver": given.approver_id,
            "batch": given.batch_id,
            "first_open_day": given.first_open_day,
            "chart": CHART,
        },
    )
    return int(given.cursor.rowcount)


def _gather(given: Applying, select: str) -> None:
    """Keeps the resolved rows of the file in `mutual_funds_rows` until the transaction ends, and takes their societies."""
    made = "DROP TABLE IF EXISTS mutual_funds_rows; CREATE TEMP TABLE mutual_funds_rows ON COMMIT DROP AS"
    _run(given, f"{made} {select}")
    given.cursor.nextset()
    resolved = int(given.cursor.rowcount)
    if given.row_count != 1:
        _run(given, "ANALYZE mutual_funds_rows")
    require_all_rows(given, resolved, found="SELECT row_no FROM mutual_funds_rows", expected=_RESOLVED)


def _take(given: Applying) -> None:
    if given.batch_id is None:
        return  # one row's were taken before it was judged (`ByOne.takes`)
    _run(given, "SELECT mutual_funds_take(array_agg(DISTINCT society_id)) FROM mutual_funds_rows")


def _book(given: Applying, select: str) -> int:
    """Posts the lines selected (key, book_id, day, kind, narration, line_no, debit, credit, fen, transfer_id, receipt), one
    voucher for each key; the number of vouchers. The lines of one row by form are one voucher, posted alone.
    """
    if given.batch_id is None:
        return _run(
            given,
            f"""SELECT p.voucher_id FROM (SELECT bool_and(receipt) AS receipt, min(book_id) AS book_id, min(day) AS day,
                min(kind) AS kind, min(narration) AS narration, array_agg(debit ORDER BY line_no) AS debits,
                array_agg(credit ORDER BY line_no) AS credits, array_agg(fen ORDER BY line_no) AS fens,
                array_agg(transfer_id ORDER BY line_no) AS ids FROM ({select}) l HAVING count(*) > 0) v,
              ledger_post(%(by)s, %(approver)s, v.receipt, NULL, v.book_id, v.day, GREATEST(v.day, %(first_open_day)s),
                v.kind, v.narration, NULL, v.debits, v.credits, v.fens, v.ids) p""",
        )
    given.cursor.execute("SELECT ledger_bulk_open()")
    _run(
        given,
        f"""INSERT INTO ledger_bulk (voucher_key, book_id, happened_on, booking_date, kind, narration, line_no,
          debit_account_id, credit_account_id, amount_fen, transfer_id, is_receipt)
        SELECT key, book_id, day, GREATEST(day, %(first_open_day)s), kind, narration, line_no, debit, credit, fen,
            transfer_id, receipt
        FROM ({select}) l""",
    )
    given.cursor.execute("SELECT ledger_bulk_post(%s, %s, %s)", [given.batch_id, given.sender_id, given.approver_id])
    return int(given.cursor.fetchone()[0])


def _know(given: Applying, tables: str) -> None:
    """Statistics after a large load, so that the next question is planned well."""
    if given.row_count >= _MANY:
        given.cursor.execute("SELECT mutual_funds_know(%s)", [tables])


def _accounts(**wanted: str) -> str:
    """Joins accounts of the society's book: alias = SQL of the code."""
    return "\n".join(
        f"JOIN ledger_account {a} ON {a}.book_id = r.book_id AND {a}.code = {code}" for a, code in wanted.items()
    )


_MONEY = "CASE coalesce(r.account, 'bank') WHEN 'cash' THEN '1001' ELSE '1002' END"
_KEY = "r.society_id || ' ' || r.day"


def apply_societies(given: Applying) -> Mapping[str, int]:
    """Founds the societies: a book with the room's accounts, the society, its first rule set."""
    _gather(
        given,
        """SELECT r.*, row_number() OVER (ORDER BY r.row_no)::int AS ordinal,
        nextval(pg_get_serial_sequence('mutual_funds_society', 'id')) AS society_id FROM {stage} r""",
    )
    given.progress(say("books"), 20)
    societies = _run(
        given,
        f"""INSERT INTO mutual_funds_society (id, area_id, name, size_class, book_id, starts_on, counts_from,
            recorded_by_id, batch_id)
        SELECT r.society_id, r.village_id, r.name, r.size_class, b.book_id, r.founded_on, GREATEST(r.founded_on,
            %(first_open_day)s), {_RECORDED}
        FROM mutual_funds_rows r JOIN ledger_open_books(%(by)s, %(batch)s, 'society',
          (SELECT array_agg(name ORDER BY ordinal) FROM mutual_funds_rows),
          (SELECT array_agg(village_id ORDER BY ordinal) FROM mutual_funds_rows),
          (SELECT array_agg(founded_on ORDER BY ordinal) FROM mutual_funds_rows), $chart${CHART}$chart$::jsonb) b
              USING (ordinal) ORDER BY ordinal""",
    )
    _run(
        given,
        f"""INSERT INTO mutual_funds_ruleset (society_id, loan_cap_fen, term_cap_days, extension_days_max, fee_rate_bp,
          contribution_min_fen, contribution_max_fen, allocation_order, write_off_pot, open_loans_max, instalments,
              min_members,
          min_poor_share, starts_on, counts_from, prepared_by_id, approved_by_id, recorded_by_id, batch_id)
        SELECT society_id, loan_cap, term_cap_days, coalesce(extension_days, 0), fee_rate_month * 100,
            contribution_min, contribution_max,
          allocation_order, write_off_pot, open_loans_max, instalments, min_members, min_poor_share, founded_on,
          GREATEST(founded_on, %(first_open_day)s), %(by)s, %(approver)s, {_RECORDED} FROM mutual_funds_rows
              ORDER BY ordinal""",
    )
    _know(given, "{society,ruleset}")
    return {"societies": societies, "rule sets": societies}


def apply_openings(given: Applying) -> Mapping[str, int]:
    """Books what each older society had on the region's first day: one opening voucher for each."""
    _gather(
        given,
        f"""SELECT r.row_no, r.society_id, r.book_id, {FIRST_DAY} AS day, r."grant", r.contributions,
            coalesce(r.gifts, 0) AS gifts, coalesce(r.surplus, 0) AS surplus, coalesce(r.cash, 0) AS cash, r.bank, r.loans
        FROM {{stage}} r WHERE r.society_id IS NOT NULL""",
    )
    _take(given)
    pots = "".join(f", ('{code}', r.{_quoted(pot)}, false)" for pot, code in POT_ACCOUNTS.items())
    vouchers = _book(
        given,
        f"""SELECT {_KEY} AS key, r.book_id, r.day, 'opening' AS kind, karez_say('Opening balances') AS narration,
          row_number() OVER (PARTITION BY r.row_no ORDER BY x.code)::int AS line_no,
          CASE WHEN x.asset THEN a.id ELSE c.id END AS debit, CASE WHEN x.asset THEN c.id
              ELSE a.id END AS credit, x.fen,
          {_NEXT} AS transfer_id, false AS receipt
        FROM mutual_funds_rows r CROSS JOIN LATERAL (VALUES ('1001', r.cash, true), ('1002', r.bank, true), ('1301',
            r.loans, true){pots})
          x (code, fen, asset)
        {_accounts(a="x.code", c="'3000'")} WHERE x.fen > 0""",
    )
    openings = _run(
        given,
        f"""INSERT INTO mutual_funds_opening (society_id, grant_fen, contributions_fen, gifts_fen, surplus_fen,
            cash_fen, bank_fen, loans_fen,
          voucher_id, happened_on, counts_on, recorded_by_id, batch_id)
        SELECT r.society_id, r."grant", r.contributions, r.gifts, r.surplus, r.cash, r.bank, r.loans, v.id, r.day,
            r.day, {_RECORDED}
        FROM mutual_funds_rows r JOIN ledger_bulk_voucher v ON v.voucher_key = {_KEY} ORDER BY r.row_no""",
    )
    return {"openings": openings, "vouchers": vouchers}


def _quoted(pot: str) -> str:
    return '"grant"' if pot == "grant" else pot


def apply_grants(given: Applying) -> Mapping[str, int]:
    """Moves grants out of the counties' lines into the societies' grant pots: a voucher in each of the two books."""
    _gather(
        given,
        f"""SELECT r.row_no, r.society_id, r.book_id, cb.id AS county_book_id, r.source_line_id AS line_id,
          r.granted_on AS day, r.amount, r.document, {_NEXT} AS transfer_id, {_NEXT} AS county_transfer_id
        FROM {{stage}} r
        JOIN places_tree vt ON vt.area_id = r.village_id JOIN places_tree ct ON ct.path @> vt.path
            AND ct.level = 'county'
        JOIN ledger_book cb ON cb.area_id = ct.area_id AND cb.kind = 'county'
        WHERE r.society_id IS NOT NULL AND r.source_line_id IS NOT NULL""",
    )
    _take(given)
    require_confirmed(given, sameness.GRANT)
    vouchers = _book(
        given,
        f"""SELECT 's ' || {_KEY} || ' ' || r.document AS key, r.book_id, r.day, 'grant' AS kind,
            karez_say('Grant, {{1}}', r.document::text) AS narration,
          row_number() OVER (PARTITION BY r.society_id, r.day, r.document
              ORDER BY r.row_no)::int AS line_no, b.id AS debit, p.id AS credit,
          r.amount AS fen, r.transfer_id, false AS receipt FROM mutual_funds_rows r {_accounts(b="'1002'", p="'4001'")}
        UNION ALL SELECT 'c ' || {_KEY} || ' ' || r.document, r.county_book_id, r.day, 'grant',
          karez_say('Grant to a village society, {{1}}', r.document::text) AS narration,
          row_number() OVER (PARTITION BY r.society_id, r.day, r.document ORDER BY r.row_no)::int, l.id, b.id, r.amount,
          r.county_transfer_id, false FROM mutual_funds_rows r
        JOIN ledger_account l ON l.book_id = r.county_book_id AND l.code = 'L' || r.line_id
        JOIN ledger_account b ON b.book_id = r.county_book_id AND b.code = '1002'""",
    )
    grants = _run(
        given,
        f"""INSERT INTO mutual_funds_grant (society_id, source_line_id, amount_fen, document_no, transfer_id,
            county_transfer_id,
          happened_on, counts_on, recorded_by_id, batch_id)
        SELECT society_id, line_id, amount, document, transfer_id, county_transfer_id, day, GREATEST(day,
            %(first_open_day)s), {_RECORDED}
        FROM mutual_funds_rows ORDER BY row_no""",
    )
    return {"grants": grants, "vouchers": vouchers}


def apply_members(given: Applying) -> Mapping[str, int]:
    """Records memberships; a household that is only a fund member is entered in the register where it is not there."""
    households = _run(
        given,
        f"""INSERT INTO register_household (village_id, household_no, kind, starts_on, counts_from, recorded_by_id,
            batch_id)
        SELECT r.village_id, r.household_no, 'fund_member_only', r.joined_on, GREATEST(r.joined_on,
            %(first_open_day)s), {_RECORDED}
        FROM {{stage}} r WHERE r.kind = 'fund_member_only' AND NOT EXISTS (SELECT FROM register_household h
          WHERE h.village_id = r.village_id AND h.household_no = r.household_no AND h.voided_at IS NULL)
              ORDER BY r.row_no""",
    )
    given.progress(say("members"), 40)
    joined = """FROM {stage} r JOIN register_household h ON h.village_id = r.village_id
        AND h.household_no = r.household_no AND h.voided_at IS NULL WHERE r.society_id IS NOT NULL"""
    members = _run(
        given,
        f"""INSERT INTO mutual_funds_member (society_id, household_id, starts_on, counts_from, recorded_by_id, batch_id)
        SELECT r.society_id, h.id, r.joined_on, GREATEST(r.joined_on, %(first_open_day)s), {_RECORDED} {joined}
            ORDER BY r.row_no""",
    )
    require_all_rows(
        given, members, found=f"SELECT r.row_no {joined.replace('{stage}', given.stage)}", expected=_RESOLVED
    )
    _know(given, "{member}")
    return {"members": members, "households": households}


def apply_contributions(given: Applying) -> Mapping[str, int]:
    """Books own money in and refunds out; base shares and money from before the first year move nothing."""
    _gather(
        given,
        f"""SELECT r.row_no, r.society_id, r.book_id, r.member_id, r.paid_on AS day, r.amount, r.account,
            coalesce(r.receipt_no, '') AS receipt_no,
          CASE WHEN r.kind = 'own' AND r.paid_on < {FIRST_DAY} THEN 'opening' ELSE r.kind END AS kind,
          CASE WHEN r.kind = 'refund' OR (r.kind = 'own' AND r.paid_on >= {FIRST_DAY}) THEN {_NEXT} END AS transfer_id
        FROM {{stage}} r WHERE r.member_id IS NOT NULL""",
    )
    _take(given)
    require_confirmed(given, sameness.CONTRIBUTION)
    vouchers = _book(
        given,
        f"""SELECT CASE r.kind WHEN 'own' THEN 'i ' ELSE 'o ' END || {_KEY} AS key, r.book_id, r.day,
          CASE r.kind WHEN 'own' THEN 'contribution' ELSE 'refund' END AS kind,
          CASE WHEN r.kind <> 'own' THEN karez_say('Own money returned to members') WHEN %(batch)s::bigint IS NULL
              THEN karez_say('Member''s contribution') ELSE karez_say('Members'' contributions') END AS narration,
          row_number() OVER (PARTITION BY r.society_id, r.day, r.kind ORDER BY r.row_no)::int AS line_no,
          CASE r.kind WHEN 'own' THEN b.id ELSE p.id END AS debit, CASE r.kind WHEN 'own' THEN p.id
              ELSE b.id END AS credit,
          r.amount AS fen, r.transfer_id, r.kind = 'own' AS receipt
        FROM mutual_funds_rows r {_accounts(b=_MONEY, p="'2001'")} WHERE r.transfer_id IS NOT NULL""",
    )
    given.progress(say("facts"), 60)
    made = _run(
        given,
        f"""INSERT INTO mutual_funds_contribution (member_id, kind, amount_fen, receipt_no, transfer_id, happened_on,
            counts_on, recorded_by_id, batch_id)
        SELECT member_id, kind, amount, receipt_no, transfer_id, day, GREATEST(day, %(first_open_day)s), {_RECORDED}
            FROM mutual_funds_rows ORDER BY row_no""",
    )
    _know(given, "{contribution}")
    return {"contributions": made, "vouchers": vouchers}


def apply_loans(given: Applying) -> Mapping[str, int]:
    """Books the loans paid out; the database writes each schedule. Loans from before the first year move nothing."""
    _gather(
        given,
        f"""SELECT r.row_no, r.society_id, r.book_id, r.member_id, r.lent_on AS day, r.loan_no,
            r.principal, r.term_days,
          r.purpose, r.account, ru.id AS rule_set_id, ru.fee_rate_bp, ru.instalments,
          CASE WHEN r.lent_on >= {FIRST_DAY} THEN {_NEXT} END AS transfer_id
        FROM {{stage}} r JOIN mutual_funds_ruleset ru ON ru.society_id = r.society_id AND {holds_on("r.lent_on", "ru")}
        WHERE r.member_id IS NOT NULL""",
    )
    _take(given)
    vouchers = _book(
        given,
        f"""SELECT {_KEY} AS key, r.book_id, r.day, 'loan' AS kind, karez_say('Loans to members') AS narration,
          row_number() OVER (PARTITION BY r.society_id, r.day
              ORDER BY r.row_no)::int AS line_no, l.id AS debit, b.id AS credit,
          r.principal AS fen, r.transfer_id, false AS receipt
        FROM mutual_funds_rows r {_accounts(b=_MONEY, l="'1301'")} WHERE r.transfer_id IS NOT NULL""",
    )
    given.progress(say("facts"), 60)
    made = _run(
        given,
        f"""INSERT INTO mutual_funds_loan (society_id, member_id, rule_set_id, loan_no, principal_fen, fee_rate_bp,
            term_days, due_on,
          instalments, purpose, opening, transfer_id, happened_on, counts_on, recorded_by_id, batch_id)
        SELECT society_id, member_id, rule_set_id, loan_no, principal, fee_rate_bp, term_days, day + term_days::int,
            instalments, purpose,
          transfer_id IS NULL, transfer_id, day, GREATEST(day, %(first_open_day)s), {_RECORDED}
              FROM mutual_funds_rows ORDER BY row_no""",
    )
    _know(given, "{loan,instalment}")
    return {"loans": made, "vouchers": vouchers}


def apply_repayments(given: Applying) -> Mapping[str, int]:
    """Books repayments: principal back to the loans, the fee to the surplus, each a transfer of its own."""
    _gather(
        given,
        f"""SELECT r.row_no, r.society_id, r.book_id, r.loan_id, r.loan_no, r.paid_on AS day, r.principal, r.fee, r.account,
          coalesce(r.receipt_no, '') AS receipt_no,
          CASE WHEN r.principal > 0 THEN {_NEXT} END AS principal_transfer_id, CASE WHEN r.fee > 0
              THEN {_NEXT} END AS fee_transfer_id
        FROM {{stage}} r WHERE r.loan_id IS NOT NULL""",
    )
    _take(given)
    require_confirmed(given, sameness.REPAYMENT)
    vouchers = _book(
        given,
        f"""SELECT {_KEY} AS key, r.book_id, r.day, 'repayment' AS kind, CASE WHEN %(batch)s::bigint IS NULL
              THEN karez_say('Repayment of loan {{1}}', r.loan_no::text) ELSE karez_say('Repayments of loans') END AS narration,
          row_number() OVER (PARTITION BY r.society_id, r.day
              ORDER BY r.row_no, x.code)::int AS line_no, b.id AS debit, c.id AS credit,
          x.fen, x.transfer_id, true AS receipt
        FROM mutual_funds_rows r CROSS JOIN LATERAL (VALUES ('1301', r.principal, r.principal_transfer_id),
          ('4003', r.fee, r.fee_transfer_id)) x (code, fen, transfer_id)
        {_accounts(b=_MONEY, c="x.code")} WHERE x.fen > 0""",
    )
    given.progress(say("facts"), 60)
    made = _run(
        given,
        f"""INSERT INTO mutual_funds_repayment (loan_id, principal_fen, fee_fen, receipt_no, principal_transfer_id,
            fee_transfer_id,
          happened_on, counts_on, recorded_by_id, batch_id)
        SELECT loan_id, principal, fee, receipt_no, principal_transfer_id, fee_transfer_id, day, GREATEST(day,
            %(first_open_day)s), {_RECORDED}
        FROM mutual_funds_rows ORDER BY row_no""",
    )
    _know(given, "{repayment}")
    return {"repayments": made, "vouchers": vouchers}


def apply_gifts(given: Applying) -> Mapping[str, int]:
    """Books unconditional gifts in."""
    _gather(
        given,
        f"""SELECT r.row_no, r.society_id, r.book_id, r.given_on AS day, r.giver, r.amount, r.account,
          {_NEXT} AS transfer_id FROM {{stage}} r WHERE r.society_id IS NOT NULL""",
    )
    _take(given)
    require_confirmed(given, sameness.GIFT)
    vouchers = _book(
        given,
        f"""SELECT {_KEY} || ' ' || r.giver AS key, r.book_id, r.day, 'gift' AS kind, karez_say('Gift of {{1}}', r.giver::text) AS narration,
          row_number() OVER (PARTITION BY r.society_id, r.day, r.giver ORDER BY r.row_no)::int AS line_no, b.id AS debit,
          p.id AS credit, r.amount AS fen, r.transfer_id, true AS receipt
        FROM mutual_funds_rows r {_accounts(b=_MONEY, p="'4002'")}""",
    )
    made = _run(
        given,
        f"""INSERT INTO mutual_funds_gift (society_id, giver, amount_fen, transfer_id, happened_on, counts_on,
            recorded_by_id, batch_id)
        SELECT society_id, giver, amount, transfer_id, day, GREATEST(day, %(first_open_day)s), {_RECORDED}
            FROM mutual_funds_rows ORDER BY row_no""",
    )
    return {"gifts": made, "vouchers": vouchers}


def apply_extensions(given: Applying) -> Mapping[str, int]:
    """Puts off the last days of loans; no money moves."""
    made = _run(
        given,
        f"""INSERT INTO mutual_funds_extension (loan_id, due_on, reason, happened_on, counts_on, recorded_by_id, batch_id)
        SELECT r.loan_id, r.due_on, r.reason, r.decided_on, GREATEST(r.decided_on, %(first_open_day)s), {_RECORDED}
            FROM {{stage}} r WHERE r.loan_id IS NOT NULL ORDER BY r.row_no""",
    )
    require_all_rows(
        given, made, found=f"SELECT row_no FROM {given.stage} WHERE loan_id IS NOT NULL", expected=_RESOLVED
    )
    return {"extensions": made}
