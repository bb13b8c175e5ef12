"""Another region's places from a CSV file, for an installation that has no region and no users yet (`karez init`).

Where the region is founded already, the same file goes through intake as the sheet `places`, with two people. Both run the
same checks. Holds no tables.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from karez.kernel.refusal import Refusal
from karez.places.loading import insert_areas
from karez.places.sheets import AREA_CHECKS, AREA_SOURCE, LEVELS, PLACES

_COLUMNS = tuple(column.name for column in PLACES.columns)
_DATES = ("valid_from", "valid_to")
_SHOWN = 50


@transaction.atomic
def load_file(path: Path, *, recorded_by_id: int = 0) -> dict[str, int]:
    """Loads areas of any region from a UTF-8 CSV with the headings of the sheet `places`; all rows or none.

    Refuses (places.bad_file) with every fault by line and column in `more["faults"]`. Returns counts by what was written.
    """
    rows, faults = _read(path)
    stage, params = _stage(rows)
    with connection.cursor() as cursor:
        if not faults:
            for check in AREA_CHECKS:
                cursor.execute(check.sql.format(stage=stage), params)
                faults += [
                    {
                        "line": row_no + 1,
                        "column": check.column,
                        "found": found,
                        "expected": str(check.expected),
                    }
                    for row_no, found in cursor.fetchall()
                ]
        if faults:
            raise _refusal(path, faults)
        source = AREA_SOURCE.format(stage=stage)
        areas, spells = insert_areas(cursor, source, params | {"by": recorded_by_id, "batch": None})
        cursor.execute("SELECT places_refresh_tree()")
        return {"areas": areas, "spells": spells, "in_tree": cursor.fetchone()[0]}


def _read(path: Path) -> tuple[list[dict[str, str | None]], list[dict[str, Any]]]:
    """Rows with levels and days made plain, and what could not be read."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        headings = reader.fieldnames or []
        missing = [c.name for c in PLACES.columns if c.required and c.name not in headings]
        unknown = [h for h in headings if h not in _COLUMNS]
        if missing or unknown:
            raise _refusal(path, [{"line": 1, "column": h, "found": "missing" if h in missing else "unknown heading",
                                   "expected": ", ".join(_COLUMNS)} for h in (*missing, *unknown)])  # fmt: skip
        rows: list[dict[str, str | None]] = []
        faults: list[dict[str, Any]] = []
        for line, given in enumerate(reader, start=2):
            row: dict[str, str | None] = {c: (given.get(c) or "").strip() or None for c in _COLUMNS}
            faults += [
                {"line": line, "column": c.name, "found": "", "expected": str(c.meaning)}
                for c in PLACES.columns
                if c.required and row[c.name] is None
            ]
            level = LEVELS.get(row["level"] or "")
            if row["level"] and level is None:
                faults.append(
                    {
                        "line": line,
                        "column": "level",
                        "found": row["level"],
                        "expected": "region, prefecture, ...",
                    }
                )
            row["level"] = level
            faults += [
                {"line": line, "column": c, "found": row[c], "expected": "a day such as 2009-03-31"}
                for c in _DATES
                if row[c] and not _is_day(row[c] or "")
            ]
            rows.append(row)
    return rows, faults


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _stage(rows: list[dict[str, str | None]]) -> tuple[str, dict[str, Any]]:
    """The rows as a table expression shaped like intake's staged table, and its parameters."""
    names = ", ".join(f"{c}::date AS {c}" if c in _DATES else c for c in _COLUMNS)
    arrays = ", ".join(f"%({c})s::text[]" for c in _COLUMNS)
    given = ", ".join(_COLUMNS)
    table = f"(SELECT row_no, {names} FROM unnest({arrays}) WITH ORDINALITY AS g({given}, row_no))"
    return table, {c: [row[c] for row in rows] for c in _COLUMNS}


def _refusal(path: Path, faults: list[dict[str, Any]]) -> Refusal:
    first = faults[0]
    return Refusal(
        "places.bad_file",
        record=path.name,
        found=f"{len(faults)} faults, the first on line {first['line']}, column {first['column']}: {first['found'] or 'nothing'}",
        expected=str(first["expected"]),
        rule="a file of places is loaded whole or not at all",
        todo="correct the lines named and load the file again",
        more={"faults": faults[:_SHOWN], "of": len(faults)},
    )
