"""How rows of this room's files become records and booked money, set-based, inside the batch's transaction.

Holds no checks of rows: those are in `sheets`. The sender prepared the vouchers, the approver of the batch approves
them.
"""

from collections.abc import Mapping
from typing import Any

from karez.kernel.messages import say
from karez.kernel.sheets import Applying

_REGION = "(SELECT area_id FROM periods_region)"
_LINE_OF = "JOIN funds_sourceline l ON l.code = s.line_code AND l.voided_at IS NULL"

_FUNDERS = """
INSERT INTO funds_funder (code, name_en, name_zh, kind, recorded_by_id, batch_id)
SELECT DISTINCT ON (s.funder_code) s.funder_code, s.funder_name, coalesce(s.funder_name_zh, ''), s.funder_kind, %(by)s,
    %(batch)s
  FROM {stage} s WHERE NOT EXISTS (SELECT 1 FROM funds_funder f WHERE f.code = s.funder_code AND f.voided_at IS NULL)
 ORDER BY s.funder_code, s.row_no
"""
_LINES = """
INSERT INTO funds_sourceline (code, funder_id, programme, year, document_no, name, recorded_by_id, batch_id)
SELECT s.line_code, f.id, s.programme, s.year, s.document_no, s.line_name, %(by)s, %(batch)s
  FROM {stage} s JOIN funds_funder f ON f.code = s.funder_code AND f.voided_at IS NULL ORDER BY s.row_no
"""
# Keys of vouchers and ids of transfers are the stage's row numbers and the table's numbers, so that facts find them
# again.
_BULK_IN = """
INSERT INTO ledger_bulk (voucher_key, book_id, booking_date, happened_on, kind, narration, debit_account_id,
    credit_account_id, amount_fen)
SELECT 'in ' || s.row_no, a.book_id, periods_counts_on(s.happened_on), s.happened_on, '{kind}',
       CASE '{kind}' WHEN 'appropriation' THEN karez_say('appropriation {{1}}, {{2}}', s.reference::text, s.document_no::text)
         ELSE karez_say('allocation {{1}}, {{2}}', s.reference::text, s.document_no::text) END AS narration, a.bank_account_id, a.account_id,
             s.amount
  FROM {stage} s {line_of} JOIN funds_line_account a ON a.line_id = l.id AND a.book_kind = '{book}'
      AND a.area_id = {area}
 ORDER BY s.row_no
"""
_BULK_OUT = """
INSERT INTO ledger_bulk (voucher_key, book_id, booking_date, happened_on, kind, narration, debit_account_id,
    credit_account_id, amount_fen)
SELECT 'out ' || s.row_no, a.book_id, periods_counts_on(s.happened_on), s.happened_on, 'allocation',
       karez_say('allocation {{1}}, {{2}}', s.reference::text, s.document_no::text) AS narration, a.account_id, a.bank_account_id, s.amount
  FROM {stage} s {line_of} JOIN funds_line_account a ON a.line_id = l.id AND a.book_kind = 'office'
 ORDER BY s.row_no
"""
_APPROPRIATIONS = """
INSERT INTO funds_appropriation (line_id, area_id, reference, document_no, amount_fen, transfer_id, happened_on,
    counts_on,
                                 recorded_by_id, batch_id)
SELECT l.id, {region}, s.reference, s.document_no, s.amount, t.id, s.happened_on, t.booking_date, %(by)s, %(batch)s
  FROM {stage} s {line_of}
  JOIN ledger_bulk_voucher v ON v.voucher_key = 'in ' || s.row_no JOIN ledger_transfer t ON t.voucher_id = v.id
 ORDER BY s.row_no
"""
_ALLOCATIONS = """
INSERT INTO funds_allocation (line_id, area_id, reference, document_no, amount_fen, transfer_out_id, transfer_in_id,
                              happened_on, counts_on, recorded_by_id, batch_id)
SELECT l.id, s.county_id, s.reference, s.document_no, s.amount, o.id, i.id, s.happened_on, i.booking_date, %(by)s,
    %(batch)s
  FROM {stage} s {line_of}
  JOIN ledger_bulk_voucher vo ON vo.voucher_key = 'out ' || s.row_no JOIN ledger_transfer o ON o.voucher_id = vo.id
  JOIN ledger_bulk_voucher vi ON vi.voucher_key = 'in ' || s.row_no JOIN ledger_transfer i ON i.voucher_id = vi.id
 ORDER BY s.row_no
"""
_SPELL_COLUMNS = (
    "starts_on, counts_from, ends_before, counts_before, ended_at, ended_by_id, end_reason, recorded_by_id, batch_id"
)
_SPELL_VALUES = """s.valid_from, periods_counts_on(s.valid_from), s.valid_to,
       CASE WHEN s.valid_to IS NOT NULL THEN periods_counts_on(s.valid_to) END, CASE WHEN s.valid_to IS NOT NULL THEN now() END,
       CASE WHEN s.valid_to IS NOT NULL THEN %(by)s::bigint END, CASE WHEN s.valid_to IS NOT NULL THEN 'loaded with its end' END,
       %(by)s, %(batch)s"""
_STANDARDS = f"""
INSERT INTO funds_grantstandard (area_id, programme, size_class, low_fen, high_fen, document_no, {_SPELL_COLUMNS})
SELECT {_REGION}, s.programme, s.size_class, s.low, s.high, s.document_no, {_SPELL_VALUES} FROM {{stage}} s
    ORDER BY s.row_no
"""
_TARGETS = f"""
INSERT INTO funds_plantarget (area_id, code, label, planned, unit, from_year, until_year, document_no, {_SPELL_COLUMNS})
SELECT {_REGION}, s.code, s.label, s.planned, s.unit, s.from_year, s.until_year, s.document_no, {_SPELL_VALUES}
  FROM {{stage}} s ORDER BY s.row_no
"""


def apply_source_lines(given: Applying) -> Mapping[str, int]:
    """Records the lines of a batch and the funders not known yet."""
    funders, lines = _run(given, _FUNDERS), _run(given, _LINES)
    given.progress(say("source lines"), 100)
    return {"funders": funders, "source_lines": lines}


def apply_appropriations(given: Applying) -> Mapping[str, int]:
    """Books each row into the office's bank and onto its line, and records it."""
    _open_accounts(given, "office", _REGION)
    given.cursor.execute("SELECT ledger_bulk_open()")
    words = {"kind": "appropriation", "book": "office", "area": _REGION}
    _run(given, _BULK_IN, **words)
    vouchers = _post(given)
    recorded = _run(given, _APPROPRIATIONS)
    given.progress(say("appropriations"), 100)
    return {"appropriations": recorded, "vouchers": vouchers}


def apply_allocations(given: Applying) -> Mapping[str, int]:
    """Books each row out of the office's book and into the county's, on the same line, and records it."""
    _open_accounts(given, "county", "s.county_id")
    given.cursor.execute("SELECT ledger_bulk_open()")
    _run(given, _BULK_OUT)
    _run(given, _BULK_IN, kind="allocation", book="county", area="s.county_id")
    vouchers = _post(given)
    recorded = _run(given, _ALLOCATIONS)
    given.progress(say("allocations"), 100)
    return {"allocations": recorded, "vouchers": vouchers}


def apply_grant_standards(given: Applying) -> Mapping[str, int]:
    """Records the standards of a batch."""
    return {"grant_standards": _run(given, _STANDARDS)}


def apply_plan_targets(given: Applying) -> Mapping[str, int]:
    """Records the targets of a batch."""
    return {"plan_targets": _run(given, _TARGETS)}


def withdraw_source_lines(given: Applying) -> Mapping[str, int]:
    """Voids the lines of a batch, and the funders it brought that no other line names."""
    lines = _void(given, "funds_sourceline", "periods_first_open_day()")
    given.cursor.execute(
        "UPDATE funds_funder f SET voided_at = now(), voided_by_id = %s, void_reason = karez_say('batch withdrawn'),"
        " void_counts_on = periods_first_open_day() WHERE batch_id = %s AND voided_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM funds_sourceline l WHERE l.funder_id = f.id AND l.voided_at IS NULL)",
        [given.approver_id, given.batch_id],
    )
    return {"source_lines": lines, "funders": int(given.cursor.rowcount)}


def withdraw_money(given: Applying, table: str) -> Mapping[str, int]:
    """Reverses every voucher of a batch and voids its records; refused by the ledger where the money has moved on."""
    given.cursor.execute(
        "SELECT ledger_bulk_reverse(%s, %s, %s, karez_say('batch withdrawn'))",
        [given.batch_id, given.sender_id, given.approver_id],
    )
    vouchers = int(given.cursor.fetchone()[0])
    return {
        table: _void(given, f"funds_{table}", "GREATEST(counts_on, periods_first_open_day())"),
        "vouchers": vouchers,
    }


def withdraw_appropriations(given: Applying) -> Mapping[str, int]:
    """Takes the appropriations of a batch back."""
    return withdraw_money(given, "appropriation")


def withdraw_allocations(given: Applying) -> Mapping[str, int]:
    """Takes the allocations of a batch back."""
    return withdraw_money(given, "allocation")


def withdraw_grant_standards(given: Applying) -> Mapping[str, int]:
    """Voids the standards of a batch."""
    return {"grant_standards": _void(given, "funds_grantstandard", "periods_counts_on(counts_from)")}


def withdraw_plan_targets(given: Applying) -> Mapping[str, int]:
    """Voids the targets of a batch."""
    return {"plan_targets": _void(given, "funds_plantarget", "periods_counts_on(counts_from)")}


def _run(given: Applying, sql: str, **words: str) -> int:
    made = sql.format(stage=given.stage, region=_REGION, line_of=_LINE_OF, **words)
    given.cursor.execute(made, {"by": given.sender_id, "batch": given.batch_id})
    return int(given.cursor.rowcount)


def _open_accounts(given: Applying, kind: str, area: str) -> None:
    given.cursor.execute(
        f"SELECT funds_open_line_accounts(%(by)s, %(batch)s, '{kind}', array_agg({area}), array_agg(l.id),"
        f" periods_counts_on(min(s.happened_on))) FROM {given.stage} s {_LINE_OF} HAVING count(*) > 0",
        {"by": given.sender_id, "batch": given.batch_id},
    )


def _post(given: Applying) -> int:
    given.cursor.execute("SELECT ledger_bulk_post(%s, %s, %s)", [given.batch_id, given.sender_id, given.approver_id])
    posted: Any = given.cursor.fetchone()[0]
    return int(posted)


def _void(given: Applying, table: str, counts_on: str) -> int:
    given.cursor.execute(
        f"UPDATE {table} SET voided_at = now(), voided_by_id = %s, void_reason = karez_say('batch withdrawn'), void_counts_on "
        f"= {counts_on}"
        " WHERE batch_id = %s AND voided_at IS NULL",
        [given.approver_id, given.batch_id],
    )
    return int(given.cursor.rowcount)
