"""Voiding all rows a batch wrote to a table: what a sheet's `withdraw` calls. Holds no table of its own."""

from typing import Any

from django.db import models

from karez.kernel.facts import Usage
from karez.kernel.sheets import Applying

_COUNTS = {Usage.EVENT: "counts_on", Usage.SPELL: "counts_from"}


def void_batch_rows(applying: Applying, model: type[models.Model], *, reason: str = "") -> int:
    """Voids every row of a fact table that a batch wrote and nobody voided since; returns how many.

    A void counts from the day the row itself counts from, or from the first open day where that is closed.
    """
    usage = getattr(model, "facts", None)
    day = _COUNTS.get(usage) if isinstance(usage, Usage) else None
    counts = f"GREATEST({day}, %(open)s)" if day else "%(open)s"
    cursor: Any = applying.cursor
    cursor.execute(
        f'UPDATE "{model._meta.db_table}" SET voided_at = now(), voided_by_id = %(by)s, void_reason = %(reason)s,'
        f" void_counts_on = {counts} WHERE batch_id = %(batch)s AND voided_at IS NULL",
        {
            "open": applying.first_open_day,
            "by": applying.approver_id,
            "batch": applying.batch_id,
            "reason": reason or f"batch {applying.batch_id} withdrawn",
        },
    )
    return int(cursor.rowcount)
