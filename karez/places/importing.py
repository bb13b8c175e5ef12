"""Another region's places from a file, for an installation that has no region and no users yet (`karez init`).

Where the region is founded already, the same file goes through intake as the sheet `places`, with two people. Both are
read by intake and run the same checks. Holds no reading of files and no tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction

from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.places.loading import insert_areas
from karez.places.sheets import AREA_CHECKS, AREA_SOURCE, PLACES

_COLUMNS = tuple(column.name for column in PLACES.columns)
_DATES = ("valid_from", "valid_to")
_SHOWN = 50


@transaction.atomic
def load_rows(
    rows: Sequence[Mapping[str, Any]],
    faults: Sequence[Mapping[str, Any]] = (),
    *,
    file_name: str,
    recorded_by_id: int = 0,
) -> dict[str, int]:
    """Loads areas of any region from rows of the sheet `places`, each with its `row_no`; all of them or none.

    `faults` are what the reading of the file found. Refuses (places.bad_file) with every fault by line and column in
    `more["faults"]`. Returns counts by what was written.
    """
    told = [
        {"line": f["row_no"], "column": f["column"], "found": f["found"] or "", "expected": f["expected"]}
        for f in faults
    ]
    stage, params = _stage(rows)
    with connection.cursor() as cursor:
        for check in () if told else AREA_CHECKS:
            cursor.execute(check.sql.replace("{stage}", stage), params)
            told += [
                {"line": row_no, "column": check.column, "found": found, "expected": str(check.expected)}
                for row_no, found in cursor.fetchall()
            ]
        if told:
            raise _refusal(file_name, told)
        source = AREA_SOURCE.format(stage=stage)
        areas, spells = insert_areas(cursor, source, params | {"by": recorded_by_id, "batch": None})
        cursor.execute("SELECT places_refresh_tree()")
        return {"areas": areas, "spells": spells, "in_tree": cursor.fetchone()[0]}


def _stage(rows: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The rows as a table expression shaped like intake's staged table, and its parameters."""
    arrays = ", ".join(f"%({c})s::{'date' if c in _DATES else 'text'}[]" for c in _COLUMNS)
    names = ", ".join(("row_no", *_COLUMNS))
    table = f"(SELECT {names} FROM unnest(%(row_no)s::bigint[], {arrays}) AS g({names}))"
    return table, {c: [row.get(c) for row in rows] for c in ("row_no", *_COLUMNS)}


def _refusal(file_name: str, faults: list[dict[str, Any]]) -> Refusal:
    first = faults[0]
    return Refusal(
        "places.bad_file",
        record=file_name,
        found=say(
            "{count} faults, the first on line {line}, column {column}: {found}",
            count=len(faults),
            line=first["line"],
            column=first["column"],
            found=first["found"] or say("nothing"),
        ),
        expected=first["expected"],
        rule=say("a file of places is loaded whole or not at all"),
        todo=say("correct the lines named and load the file again"),
        more={"faults": faults[:_SHOWN], "of": len(faults)},
    )
