"""From the rows behind a figure of money to the vouchers they were booked with. Reads the ledger by the ids frozen in
the rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import connection

from karez.kernel.messages import read_in

_VOUCHERS = """
SELECT t.id AS transfer_id, t.amount_fen, t.voucher_id, v.number AS voucher_number, v.year AS voucher_year,
       t.booking_date::text AS booked_on, v.narration, v.kind, b.id AS book_id, b.name AS book,
       coalesce(v.document_id, (SELECT min(d.id) FROM notices_document d
                                 WHERE d.kind = 'voucher' AND d.subject_id = v.id
                                     AND d.voided_at IS NULL)) AS document_id
  FROM ledger_transfer t JOIN ledger_voucher v ON v.id = t.voucher_id JOIN ledger_book b ON b.id = t.book_id
 WHERE t.id = ANY(%s) ORDER BY t.id
"""


def transfers_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The transfers named in the rows, each with its voucher and its document; empty where the rows are not of money.

    Columns named `transfer_id` or ending so are followed. What was frozen is shown even if the ledger cannot be asked.
    """
    named = {k for row in rows[:1] for k in row if k == "transfer_id" or k.endswith("_transfer_id")}
    ids = sorted({int(row[k]) for row in rows for k in named if row[k] is not None})
    if not ids:
        return []
    if not (apps.is_installed("karez.ledger") and apps.is_installed("karez.notices")):
        return [{"transfer_id": i} for i in ids]
    with connection.cursor() as cursor:
        cursor.execute(_VOUCHERS, [ids])
        names = [c.name for c in cursor.description or ()]
        return [dict(zip(names, read_in(row), strict=True)) for row in cursor.fetchall()]
