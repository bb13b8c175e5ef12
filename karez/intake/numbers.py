"""Numbers typed by people, however they are written: 0012 and 12 and １２ are one. Holds no sheet and no record.

What two spellings share is said once, in the database (`sql/numbers.sql`): unique indexes, the checks of files and the forms ask it.
"""

from collections.abc import Iterable

from django.db import connection, models
from django.db.models import F, Func
from django.utils.translation import gettext_noop as _

from karez.kernel.sheets import Check, Text

TODO = _("write it as it stands there; if another one is meant, give it a number of its own")


def number_key(field: str) -> Func:
    """What the spellings of a field share, for indexes and filters."""
    return Func(F(field), function="intake_number_key", output_field=models.TextField())


def key_of(number: str) -> str:
    """What the spellings of a number share; asked of the database, where it is declared."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_number_key(%s)", [number])
        return str(cursor.fetchone()[0])


def keys_of(numbers: Iterable[str]) -> set[str]:
    """The same of several."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT intake_number_key(n) FROM unnest(%s::text[]) n", [list(numbers)])
        return {row[0] for row in cursor.fetchall()}


def as_on_record(rule: str, column: str, expected: Text, *, of: str, recorded: str, join: str = "") -> Check:
    """The check that a number is written as it stands on record, and one way within a file.

    `of` is SQL of whose number it is in a row `r` of {stage} (joined by `join`); `recorded` selects (owner, number) on record.
    """
    return Check(
        rule=rule, column=column, expected=expected, todo=TODO,
        sql=f"""WITH file AS MATERIALIZED (SELECT r.row_no, {of} AS owner, r.{column} AS number, intake_number_key(r.{column}) AS key
            FROM {{stage}} r{join} WHERE {of} IS NOT NULL AND r.{column} IS NOT NULL
        ), spelled AS MATERIALIZED (SELECT owner, key, number, min(row_no) AS first FROM file GROUP BY 1, 2, 3
        ), known AS (SELECT s.owner, s.number, k.number AS known FROM spelled s
            JOIN ({recorded}) k (owner, number) ON k.owner = s.owner AND intake_number_key(k.number) = s.key AND k.number <> s.number
        ), within AS (SELECT s.owner, s.number, f.number AS other, f.first FROM spelled s
            JOIN (SELECT DISTINCT ON (owner, key) owner, key, number, first FROM spelled ORDER BY owner, key, first) f USING (owner, key)
            WHERE f.number <> s.number)
        SELECT f.row_no, f.number || ', on record as ' || k.known FROM file f JOIN known k USING (owner, number)
        UNION ALL SELECT f.row_no, f.number || ', in row ' || w.first || ' written ' || w.other FROM file f JOIN within w USING (owner, number)""",
    )  # fmt: skip
