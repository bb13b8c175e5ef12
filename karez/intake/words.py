"""Writes into the database which words say nobody's name, from the declarations (`karez.intake.telling`). Judges
nothing itself.

Run after every migration, as the owner. Running it again changes nothing.
"""

from django.db import connections

from karez.intake import telling


def install() -> None:
    """Makes the table of words what the declarations say now."""
    headings, units = telling.heading_words(), telling.UNIT_WORDS
    rows = [(word, word in headings, word in units) for word in sorted(headings | units)]
    given = "unnest(%s::text[], %s::boolean[], %s::boolean[]) w (key, is_heading, is_unit)"
    values = [list(column) for column in zip(*rows, strict=True)]
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM intake_word WHERE NOT key = ANY (%s)", [values[0]])
        cursor.execute(
            f"INSERT INTO intake_word (key, is_heading, is_unit) SELECT * FROM {given} ON CONFLICT (key) DO UPDATE"
            " SET is_heading = excluded.is_heading, is_unit = excluded.is_unit"
            " WHERE (intake_word.is_heading, intake_word.is_unit) IS DISTINCT FROM (excluded.is_heading, "
            "excluded.is_unit)",
            values,
        )
