"""What a sheet's `apply` asks before it writes: that every checked row still finds its records. Holds no sheet."""

from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Applying

_NAMED = 5  # rows named in the refusal


def require_all_rows(applying: Applying, written: int, *, found: str, expected: str) -> None:
    """Refuses, so that nothing stays written, unless as many rows were written (or resolved) as were checked.

    `found` is SQL of the row_no of each row that still finds its records: read only to name the rows that do not. Between
    checking and applying a record may have been corrected, ended or voided by others.
    """
    cursor = applying.cursor
    if not applying.row_count:
        cursor.execute(f"SELECT count(*) FROM {applying.stage}")
    checked = applying.row_count or int(cursor.fetchone()[0])
    if written == checked:
        return
    cursor.execute(
        f"SELECT s.row_no FROM {applying.stage} s LEFT JOIN ({found}) f (row_no) USING (row_no)"
        " GROUP BY s.row_no HAVING count(f.row_no) <> 1 ORDER BY 1"
    )
    lost = [row[0] for row in cursor.fetchall()]
    more = f" and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else ""
    raise Refusal(
        "intake.records_changed", record=f"batch {applying.batch_id}",
        found=f"row {', '.join(map(str, lost[:_NAMED]))}{more} of {checked:,} no longer finds one record of each it names",
        expected=expected, rule="what was checked is what is applied; records were changed since",
        todo="check the batch again: it then lists what is wrong now",
    )  # fmt: skip
