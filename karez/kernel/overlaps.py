"""Rows that share days with another row of the file or with what is on record, of the same thing. Holds no sheet.

Days are laid side by side in their order and each is held against the furthest before it and the next after it: the
work grows with the number of rows, also where a whole file speaks of one thing.
"""


def shared_days(staged: str, recorded: str) -> str:
    """SQL of (row_no, found) of the staged rows that share days with another one of their key.

    `staged` selects (row_no, found, key, starts_on, ends_before), `recorded` (key, starts_on, ends_before); days are
    half-open, an end of NULL is none, and rows whose days are out of order are left to another check.
    """
    return f"""SELECT DISTINCT row_no, found FROM (
        SELECT row_no, found, starts_on, ends_before, max(ends_before) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING
            AND 1 PRECEDING) AS before,
               lead(starts_on) OVER w AS next
          FROM (SELECT row_no, found, key, starts_on, coalesce(ends_before, 'infinity') AS ends_before
                  FROM ({staged}) s (row_no, found, key, starts_on, ends_before)
                UNION ALL SELECT NULL, NULL, key, starts_on, coalesce(ends_before, 'infinity')
                  FROM ({recorded}) k (key, starts_on, ends_before)) days
         WHERE starts_on < ends_before WINDOW w AS (PARTITION BY key ORDER BY starts_on, row_no NULLS FIRST)) t
        WHERE row_no IS NOT NULL AND (before > starts_on OR next < ends_before)"""
