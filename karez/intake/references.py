"""Looks up, once for a whole file, the records its rows name; checks and `apply` read their ids beside the columns.

What a row names and how it is found is declared by the rooms (`karez.kernel.sheets.Reference`). Holds no record.
"""

from collections.abc import Iterator
from typing import Any

from karez.kernel.sheets import Check, Sheet

_TABLE = "intake_resolved"


def resolve(cursor: Any, sheet: Sheet, stage: str) -> str:
    """Name of the table with the staged rows and the ids of what they name; the staged table where they name nothing.

    It lasts for the transaction. Looked up again when a file is applied: records may have been corrected since.
    """
    if not sheet.references:
        return stage
    ids = ", ".join(f"{sql} AS {name}" for one in sheet.references for name, sql in one.ids.items())
    joins = " ".join(one.joins for one in sheet.references)
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{_TABLE}")
    cursor.execute(f"CREATE TEMP TABLE {_TABLE} ON COMMIT DROP AS SELECT r.*, {ids} FROM {stage} r {joins}")
    cursor.execute(f"ANALYZE pg_temp.{_TABLE}")
    return f"pg_temp.{_TABLE}"


def checks(sheet: Sheet) -> Iterator[Check]:
    """A check for each reference: that the row names a record, where what stands before it in the row is known."""
    known = ""
    for one in sheet.references:
        first, told = next(iter(one.ids)), one.columns[-1]
        named = next((c for c in sheet.columns if c.name == told), None)
        there = f"r.{told}_id" if named is not None and named.kind.name == "AREA" else f'r."{told}"'
        yield Check(
            rule=one.rule,
            column=told,
            expected=one.expected,
            todo=one.todo,
            sql=f'SELECT r.row_no, r."{told}"::text FROM {{stage}} r WHERE r.{first} IS NULL AND {there} IS NOT NULL{known}',
        )
        known += f" AND r.{first} IS NOT NULL"
