"""What a sheet's `apply` asks before it writes: that every checked row still finds its records, and none it must not.
Holds no sheet.
"""

from karez.kernel.messages import Listing, Number, say
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Applying

_NAMED = 5  # rows named in the refusal


def require_all_rows(applying: Applying, written: int, *, found: str, expected: str) -> None:
    """Refuses, so that nothing stays written, unless as many rows were written (or resolved) as were checked.

    `found` is SQL of the row_no of each row that still finds its records: read only to name the rows that do not.
    Between checking and applying a record may have been corrected, ended or voided by others.
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
    raise Refusal(
        "intake.records_changed",
        record=say("batch {batch_id}", batch_id=applying.batch_id),
        found=say(
            "row {named} of {checked} no longer finds one record of each it names",
            named=_named(lost[:_NAMED], len(lost)),
            checked=Number(checked),
        ),
        expected=expected,
        rule=say("what was checked is what is applied; records were changed since"),
        todo=say("check the batch again: it then lists what is wrong now"),
    )


def require_none(applying: Applying, wrong: str, *, found: str, expected: str) -> None:
    """Refuses, so that nothing stays written, where `wrong` selects the row_no of any row: what a check found true no
    longer is.
    """
    cursor = applying.cursor
    cursor.execute(f"SELECT count(*), (array_agg(row_no ORDER BY row_no))[1:{_NAMED}] FROM ({wrong}) w (row_no)")
    count, first = cursor.fetchone()
    if not count:
        return
    raise Refusal(
        "intake.records_changed",
        record=say("batch {batch_id}", batch_id=applying.batch_id),
        found=say("row {named}: {found}", named=_named(first, count), found=found),
        expected=expected,
        rule=say("what was checked is what is applied; records were changed since"),
        todo=say("check the batch again: it then lists what is wrong now"),
    )


def _named(first: list[int], count: int) -> str:
    rows: str = Listing(first)
    return say("{rows} and {count} more", rows=rows, count=Number(count - _NAMED)) if count > _NAMED else rows
