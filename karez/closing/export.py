"""A figure table streamed out of PostgreSQL into one Parquet file, with its places joined. Holds no folders and no
manifests.

Rows come as Arrow batches and leave in row groups of a fixed number of rows, so memory stays flat and the same rows
give the same bytes.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from karez.closing.declared import PLACES, filled
from karez.kernel.figure_tables import PLACE_COLUMNS, FigureColumn, FigureTable

GROUP_ROWS = 122_880  # what DuckDB reads as one piece

_TYPES = {
    "bigint": pa.int64(), "integer": pa.int32(), "text": pa.string(), "date": pa.date32(), "boolean": pa.bool_(),
    "uuid": pa.uuid(),
}  # fmt: skip
_NUMERIC = re.compile(r"numeric\((\d+), *(\d+)\)")


@dataclass(frozen=True)
class Exported:
    """A written file: how many rows, how many of them without a place that year, its size and its digest.

    `unique` names the key the rows are sorted by, where every row has one of its own; else it is empty.
    """

    rows: int
    unplaced: int
    size: int
    sha256: str
    unique: str = ""


def all_columns(table: FigureTable) -> tuple[FigureColumn, ...]:
    """The columns as frozen: the place and its ancestors, then the declared ones."""
    return (PLACE_COLUMNS[0], *PLACES.columns) if table.name == PLACES.name else (*PLACE_COLUMNS, *table.columns)


def arrow_type(sql_type: str) -> pa.DataType:
    """The Arrow type of a declared SQL type; an unknown one is a bug in the declaration."""
    if found := _NUMERIC.fullmatch(sql_type):
        return pa.decimal128(int(found[1]), int(found[2]))
    return _TYPES[sql_type]


def export_sql(table: FigureTable, *, year: int, as_of: date) -> str:
    """The statement that is frozen: the room's rows, their place that year, sorted so that nothing is left to chance.

    It reads the temporary table `edition_sql` makes.
    """
    own = ", ".join(f'"{c.name}"' for c in table.columns)
    chosen = [f't."{c.name}"{_cast(c)} AS "{c.name}"' for c in table.columns]
    # OFFSET 0 keeps the room's statement planned as it stands, whatever the join around it looks like.
    rows = f'({filled(table.sql, year=year, as_of=as_of)}\nOFFSET 0) AS t ("area_id", {own})'
    if table.name == PLACES.name:
        return f"SELECT t.area_id, {', '.join(chosen)} FROM {rows} ORDER BY {table.order_by}"
    places = ["p.level AS area_level" if c.name == "area_level" else f"p.{c.name}" for c in PLACE_COLUMNS[1:]]
    last = len(PLACE_COLUMNS) + len(table.columns)
    ties = ", ".join(str(n) for n in (1, *range(len(PLACE_COLUMNS) + 1, last + 1)))
    return (
        f"SELECT t.area_id::bigint AS area_id, {', '.join(places + chosen)}\nFROM {rows}\n"
        "LEFT JOIN closing_edition p ON p.area_id = t.area_id\n"
        # Places of other regions may be in the database; rows that lie nowhere are kept, counted and refused.
        "WHERE p.region_id IS NULL OR p.region_id = (SELECT area_id FROM periods_region)\n"
        f"ORDER BY {table.order_by}, {ties}"
    )


def edition_sql(as_of: date) -> tuple[str, ...]:
    """Statements that make the year's edition of places once for all tables, with what the planner needs to know of it."""
    return (
        (
            f"CREATE TEMP TABLE closing_edition ON COMMIT DROP AS SELECT * FROM places_tree_on(DATE '{as_of:%Y-%m-%d}', "
            "true)"
        ),
        "ANALYZE closing_edition",
    )


def export_table(cursor: Any, table: FigureTable, path: Path, *, year: int, as_of: date) -> Exported:
    """Writes one table to `path` by an ADBC cursor and tells its rows and digest; the file is on disk when this
    returns.
    """
    columns = all_columns(table)
    schema = pa.schema([pa.field(c.name, arrow_type(c.sql_type)) for c in columns])
    rows = unplaced = 0
    key = next((c.name for c in table.columns if c.key and c.name == table.order_by.split(",")[0].strip()), "")
    last: Any = None
    with path.open("xb") as plain:
        sink = _Hashing(plain)
        cursor.execute(export_sql(table, year=year, as_of=as_of))
        with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd", compression_level=1) as writer:
            for group in _groups(cursor.fetch_record_batch(), schema):
                rows += group.num_rows
                unplaced += group.column("region_id").null_count
                if key:
                    key, last = (key, group.column(key)[-1]) if _all_differ(group.column(key), last) else ("", None)
                writer.write_table(group, row_group_size=GROUP_ROWS)
        plain.flush()
        _to_disk(plain)
    return Exported(rows, unplaced, sink.size, sink.digest.hexdigest(), key)


def _cast(column: FigureColumn) -> str:
    return "" if column.sql_type.startswith("numeric") else f"::{column.sql_type}"


def _groups(batches: Any, schema: pa.Schema) -> Iterator[pa.Table]:
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, _typed(batch, schema)])
        while waiting.num_rows >= GROUP_ROWS:
            yield waiting.slice(0, GROUP_ROWS).combine_chunks()
            waiting = waiting.slice(GROUP_ROWS)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _all_differ(sorted_keys: pa.ChunkedArray, last: Any) -> bool:
    """Whether no two neighbours are the same, which in sorted rows means that none are; a row without a key is the same
    as another.
    """
    keys = sorted_keys.combine_chunks()
    if isinstance(keys, pa.ChunkedArray):
        keys = keys.chunk(0)
    if keys.null_count or (last is not None and keys[0] == last):
        return False
    plain = keys.storage if isinstance(keys, pa.ExtensionArray) else keys
    return len(plain) < 2 or bool(pc.all(pc.not_equal(plain[1:], plain[:-1])).as_py())


def _typed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """The batch in the declared types; numeric arrives as text and becomes decimal exactly, or fails."""
    columns = []
    for given, field in zip(batch.columns, schema, strict=True):
        plain = given.storage if pa.types.is_decimal(field.type) and hasattr(given, "storage") else given
        columns.append(plain if plain.type == field.type else plain.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


class _Hashing:
    """A file that digests what is written to it."""

    def __init__(self, plain: BinaryIO) -> None:
        self.plain, self.digest, self.size, self.closed = plain, hashlib.sha256(), 0, False

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.plain.write(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self.plain.flush()

    def close(self) -> None:
        self.closed = True


def _to_disk(plain: BinaryIO) -> None:
    os.fsync(plain.fileno())
