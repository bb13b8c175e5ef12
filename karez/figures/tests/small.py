"""Snapshots made by hand: a region of two counties, three townships and five villages, and rows given in the test. No
database.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from karez.closing import snapshots
from karez.closing.declared import PLACES
from karez.closing.export import all_columns, arrow_type
from karez.figures.declarations import Declarations, read
from karez.kernel.figure_tables import FigureColumn, FigureTable

# area -> (level, parent)
TREE = {
    1: ("region", None), 2: ("prefecture", 1), 3: ("county", 2), 4: ("county", 2), 5: ("township", 3), 6: ("township", 3),
    7: ("township", 4), 8: ("village", 5), 9: ("village", 5), 10: ("village", 6), 11: ("village", 7), 12: ("village", 7),
}  # fmt: skip
VILLAGES = (8, 9, 10, 11, 12)

FACTS = FigureTable(
    name="facts",
    grain="one row per fact",
    columns=(
        FigureColumn("kind", "text", "what"),
        FigureColumn("amount_fen", "bigint", "money", unit="fen"),
        FigureColumn("weight", "numeric(12,3)", "a decimal"),
        FigureColumn("person", "integer", "whose", key=True),
        FigureColumn("happened_on", "date", "when"),
        FigureColumn("good", "boolean", "whether"),
    ),
    sql="",
    order_by="1",
)
COUNTED = FigureTable(
    name="counted",
    grain="one row per county",
    columns=(FigureColumn("total", "bigint", "a number"),),
    sql="",
    order_by="1",
    reaches="county",
)


def ancestors(area: int | None) -> dict[str, int | None]:
    """The ancestors of an area as a figure table holds them."""
    found: dict[str, int | None] = dict.fromkeys(
        f"{level}_id" for level in ("region", "prefecture", "county", "township", "village")
    )
    while area is not None:
        level, parent = TREE[area]
        found[f"{level}_id"] = area
        area = parent
    return found


def snapshot_of(
    folder: Path, tables: Mapping[FigureTable, Sequence[Mapping[str, Any]]], year: int = 2009
) -> snapshots.Snapshot:
    """A snapshot with these rows; each row says its area_id and what it knows of the columns."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [
        {
            "area_id": a,
            "level": level,
            "code": f"99{a:04d}",
            "name_zh": f"地{a}",
            "name_en": f"Place {a}",
            "parent_id": parent,
            **ancestors(a),
        }
        for a, (level, parent) in TREE.items()
    ]
    told: dict[str, Any] = {}
    for table, rows in {**tables, PLACES: places}.items():
        if table is not PLACES:
            rows = [{**r, **ancestors(r["area_id"]), "area_level": TREE[r["area_id"]][0]} for r in rows]
        told[table.name] = _write(folder, table, rows)
    return snapshots.write_manifest(
        folder,
        {
            "region": "99",
            "year": year,
            "as_of": f"{year}-12-31",
            "kind": "provisional",
            "taken_at": "2010-01-01T00:00:00+00:00",
            "tables": told,
            "content": snapshots.content_digest(told),
        },
    )


def _write(folder: Path, table: FigureTable, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    columns = all_columns(table)
    schema = pa.schema([pa.field(c.name, arrow_type(c.sql_type)) for c in columns])
    data = {c.name: pa.array([r.get(c.name) for r in rows], schema.field(c.name).type) for c in columns}
    pq.write_table(pa.table(data, schema=schema), folder / f"{table.name}.parquet")
    described = [{"name": c.name, "type": c.sql_type} for c in columns]
    return {
        "file": f"{table.name}.parquet",
        "rows": len(rows),
        "sha256": "",
        "reaches": table.reaches,
        "columns": described,
    }


def declared(
    folder: Path, text: str, tables: Sequence[FigureTable] = (FACTS, COUNTED)
) -> tuple[Declarations, list[Any]]:
    """The declarations in a text."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "figures.toml"
    file.write_text(text, encoding="utf-8")
    return read([file], tables)


def figure(name: str, **words: Any) -> str:
    """One declaration in TOML with believable attributes where none are given."""
    common: dict[str, Any] = {
        "id": name,
        "label": name,
        "unit": "things",
        "kind": "stock",
        "disclosure": "none",
        "rounding": 1,
        "valid_from": 2000,
        "source": "test",
    }
    if "formula" not in words:
        common |= {"table": "facts", "value": "count(*)", "empty": "zero"}
    lines = [f"{k} = {_toml(v)}" for k, v in (common | words).items() if v is not ...]
    return "[[figure]]\n" + "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value) if not isinstance(value, list | bool) else str(value).replace("'", '"').lower()


Use = Callable[[str], None]
__all__ = ["COUNTED", "FACTS", "TREE", "VILLAGES", "Decimal", "Use", "ancestors", "declared", "figure", "snapshot_of"]
