"""Numbers typed by people, however they are written: 0012 and 12 and １２ are one. Holds no sheet and no record.

What two spellings share is said once, in the database (`sql/numbers.sql`): unique indexes, the checks of files and the
forms ask it.
"""

from collections.abc import Iterable

from django.db import connection, models
from django.db.models import F, Func

from karez.kernel.messages import Text, say
from karez.kernel.sheets import Check

TODO = say("write it as it stands there; if another one is meant, give it a number of its own")


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

    `of` is SQL of whose number it is in a row `r` of {stage} (joined by `join`); `recorded` selects (owner, number) on
    record.
    """
    file = f"""(SELECT r.row_no, {of} AS owner, r.{column} AS number, intake_number_key(r.{column}) AS key
            FROM {{stage}} r{join} WHERE {of} IS NOT NULL AND r.{column} IS NOT NULL)"""
    # joined by indexed keys and looked through by a window, so that a file with every row wrong costs no square
    return Check(
        rule=rule,
        column=column,
        expected=expected,
        todo=TODO,
        sql=f"""SELECT f.row_no, karez_say('{{1}}, on record as {{2}}', f.number::text, k.number::text) FROM {file} f
            JOIN ({recorded}) k (owner, number) ON k.owner = f.owner AND intake_number_key(k.number) = f.key
                AND k.number <> f.number
        UNION ALL SELECT row_no, karez_say('{{1}}, in row {{2}} written {{3}}', number::text, first::text, other::text) FROM (
            SELECT row_no, number, first_value(row_no) OVER w AS first, first_value(number) OVER w AS other
            FROM {file} f WINDOW w AS (PARTITION BY owner, key ORDER BY row_no)) s WHERE number <> other""",
    )
