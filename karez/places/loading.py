"""Writing many areas, designations and successions at once, set-based; and loading the divisions shipped in `data/`.

Holds no permission check: intake checks who may send and apply, and the shipped files are loaded by an installation
itself. Every function writes inside the caller's transaction and leaves today's tree to `services.refresh_tree`.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction

DATA = Path(__file__).parent / "data"
SHIPPED = {"64": "Ningxia", "65": "Xinjiang"}
AREA_COLUMNS = (
    "level",
    "code",
    "name_zh",
    "name_en",
    "parent_code",
    "starts_on",
    "ends_before",
    "mark",
    "note",
)
DESIGNATION_COLUMNS = ("list", "starts_on", "ends_before", "document", "mark", "note")
SUCCESSION_COLUMNS = (
    "predecessor_level", "predecessor_code", "successor_level", "successor_code", "kind", "happened_on", "mark", "note",
)  # fmt: skip

_BY_CODE = """
SELECT g.*, c.area_id FROM ({source}) g JOIN places_code c ON c.code = g.area_code
 AND c.starts_on <= g.starts_on AND (c.ends_before IS NULL OR c.ends_before > g.starts_on)
"""

# One area for each level and code of the source: the one that bears or last bore it, else a new one. A parent is found
# by its code among higher levels, the nearest first: in the source itself, or among areas known on the first day.
_INSERT_AREAS = """
WITH source AS MATERIALIZED ({source}),
known AS (
    SELECT DISTINCT ON (s.level, s.code) s.level, s.code, s.area_id
    FROM places_areaspell s JOIN source USING (level, code)
    WHERE s.voided_at IS NULL ORDER BY s.level, s.code, s.starts_on DESC
),
fresh AS MATERIALIZED (
    SELECT level, code, nextval(pg_get_serial_sequence('places_area', 'id')) AS area_id
    FROM (SELECT DISTINCT level, code FROM source EXCEPT SELECT level, code FROM known ORDER BY 1, 2) new
),
made AS (
    INSERT INTO places_area (id, first_level, recorded_by_id, batch_id)
    SELECT area_id, level, %(by)s, %(batch)s FROM fresh RETURNING 1
),
ids AS MATERIALIZED (SELECT * FROM known UNION ALL SELECT * FROM fresh),
parents AS (
    SELECT DISTINCT ON (s.row_no) s.row_no, p.area_id
    FROM source s
    JOIN (
        SELECT level, code, area_id, NULL::date AS starts_on, NULL::date AS ends_before FROM ids
        UNION ALL
        SELECT level, code, area_id, starts_on, ends_before FROM places_code
        WHERE code IN (SELECT parent_code FROM source)
    ) p ON p.code = s.parent_code AND places_depth(p.level) < places_depth(s.level)
       AND (p.starts_on IS NULL OR p.starts_on <= s.starts_on) AND (p.ends_before IS NULL
           OR p.ends_before > s.starts_on)
    ORDER BY s.row_no, places_depth(p.level) DESC, p.starts_on NULLS LAST
),
spells AS (
    INSERT INTO places_areaspell (area_id, level, code, name_zh, name_en, parent_id, mark, note, recorded_by_id,
        batch_id,
                                  starts_on, counts_from, ends_before, counts_before, ended_at, ended_by_id, end_reason)
    SELECT ids.area_id, s.level, s.code, s.name_zh, s.name_en, parents.area_id, s.mark, s.note, %(by)s, %(batch)s,
           s.starts_on, periods_counts_on(s.starts_on), s.ends_before,
           CASE WHEN s.ends_before IS NOT NULL THEN periods_counts_on(s.ends_before) END,
           CASE WHEN s.ends_before IS NOT NULL THEN now() END,
           CASE WHEN s.ends_before IS NOT NULL THEN %(by)s END,
           CASE WHEN s.ends_before IS NOT NULL THEN 'loaded with its end' END
    FROM source s JOIN ids USING (level, code) LEFT JOIN parents USING (row_no)
    RETURNING 1
)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM spells)
"""

_INSERT_DESIGNATIONS = """
INSERT INTO places_designation (area_id, list, document, mark, note, recorded_by_id, batch_id,
                                starts_on, counts_from, ends_before, counts_before, ended_at, ended_by_id, end_reason)
SELECT s.area_id, s.list, s.document, s.mark, s.note, %(by)s, %(batch)s,
       s.starts_on, periods_counts_on(s.starts_on), s.ends_before,
       CASE WHEN s.ends_before IS NOT NULL THEN periods_counts_on(s.ends_before) END,
       CASE WHEN s.ends_before IS NOT NULL THEN now() END,
       CASE WHEN s.ends_before IS NOT NULL THEN %(by)s END,
       CASE WHEN s.ends_before IS NOT NULL THEN 'loaded with its end' END
FROM ({source}) s
"""

_INSERT_SUCCESSIONS = """
WITH source AS MATERIALIZED ({source})
INSERT INTO places_succession (predecessor_id, successor_id, kind, mark, note, recorded_by_id, batch_id, happened_on,
    counts_on)
SELECT p.area_id, n.area_id, s.kind, s.mark, s.note, %(by)s, %(batch)s, s.happened_on, periods_counts_on(s.happened_on)
FROM source s
JOIN places_code p ON p.code = s.predecessor_code AND p.level = s.predecessor_level
 AND p.starts_on < s.happened_on AND (p.ends_before IS NULL OR p.ends_before >= s.happened_on)
JOIN places_code n ON n.code = s.successor_code AND n.level = s.successor_level
 AND n.starts_on <= s.happened_on AND (n.ends_before IS NULL OR n.ends_before > s.happened_on)
"""


def insert_areas(cursor: Any, source: str, params: Mapping[str, Any]) -> tuple[int, int]:
    """Writes areas and spells from `source`, a SELECT of row_no and AREA_COLUMNS; returns (new areas, spells).

    `params` are those of `source` and besides them `by` (user id) and `batch` (intake batch or None).
    """
    cursor.execute(_INSERT_AREAS.format(source=source), params)
    areas, spells = cursor.fetchone()
    return areas, spells


def insert_designations(cursor: Any, source: str, params: Mapping[str, Any]) -> int:
    """Writes designations from `source`, a SELECT of area_id and DESIGNATION_COLUMNS; returns how many."""
    cursor.execute(_INSERT_DESIGNATIONS.format(source=source), params)
    return int(cursor.rowcount)


def insert_successions(cursor: Any, source: str, params: Mapping[str, Any]) -> int:
    """Writes successions from `source`, a SELECT of row_no and SUCCESSION_COLUMNS; returns how many."""
    cursor.execute(_INSERT_SUCCESSIONS.format(source=source), params)
    return int(cursor.rowcount)


@transaction.atomic
def load_region(region: str, *, recorded_by_id: int = 0) -> dict[str, int]:
    """Loads the shipped divisions of a region ("64", "65") and today's tree; returns counts by what was written.

    Where the region is there already, nothing is written and every count is 0. `recorded_by_id` 0 is the installation.
    """
    counts = dict.fromkeys(("areas", "spells", "designations", "successions", "in_tree"), 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM places_code WHERE level = 'region' AND code = %s", [f"{region}0000"])
        if cursor.fetchone():
            return counts
        by = {"by": recorded_by_id, "batch": None}
        source, params = as_source(AREA_COLUMNS, list(_area_rows(region)))
        counts["areas"], counts["spells"] = insert_areas(cursor, source, params | by)
        source, params = as_source(("area_code", *DESIGNATION_COLUMNS), list(_rows(f"designations_{region}")))
        counts["designations"] = insert_designations(cursor, _BY_CODE.format(source=source), params | by)
        source, params = as_source(SUCCESSION_COLUMNS, list(_rows(f"successions_{region}")))
        counts["successions"] = insert_successions(cursor, source, params | by)
        cursor.execute("SELECT places_refresh_tree()")
        counts["in_tree"] = cursor.fetchone()[0]
    return counts


def as_source(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> tuple[str, dict[str, Any]]:
    """A SELECT of `columns` with row numbers over plain rows, and its parameters; an empty cell of a date is NULL."""
    dates = ("starts_on", "ends_before", "happened_on")
    names = ", ".join(f"NULLIF({c}, '')::date AS {c}" if c in dates else c for c in columns)
    arrays = ", ".join(f"%({c})s::text[]" for c in columns)
    given = ", ".join(columns)
    params = {c: [row[c] for row in rows] for c in columns}
    return f"SELECT row_no, {names} FROM unnest({arrays}) WITH ORDINALITY AS given({given}, row_no)", params


def _area_rows(region: str) -> Iterator[dict[str, str]]:
    """Counties by their table, townships and villages by the list, each under the county of its explicit row if it has
    one.

    What has no row stays under the county of its own code, from that county's first day.
    """
    began: dict[str, str] = {}
    for row in _rows(f"counties_{region}"):
        began[row["code"]] = min(row["starts_on"], began.get(row["code"], row["starts_on"]))
        yield row | {"note": row["source"]}
    placed: dict[str, list[dict[str, str]]] = {}
    for row in _rows(f"placements_{region}"):
        placed.setdefault(row["township_code"], []).append(row)
    for row in _rows(f"divisions_{region}"):
        code, parent = row["code"], row["parent_code"]
        for place in placed.get(code, []):
            words = {k: place[k] for k in ("starts_on", "ends_before", "mark", "note")}
            yield row | words | {"parent_code": place["county_code"]}
        if code in placed:
            began[code] = min(place["starts_on"] for place in placed[code])
        else:
            began[code] = began[parent]
            yield row | {"starts_on": began[code], "ends_before": "", "mark": "sourced", "note": ""}


def _rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a shipped file, packed or not; none where the region has no such file."""
    plain, packed = DATA / f"{name}.csv", DATA / f"{name}.csv.gz"
    if packed.exists():
        with gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    elif plain.exists():
        with plain.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
