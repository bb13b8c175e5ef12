"""What a file is told to hold: types kept exactly, groups of fixed size, and whether the key it is sorted by is every
row's own.
"""

import uuid
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from karez.closing import export
from karez.closing.export import arrow_type
from karez.kernel.figure_tables import FigureColumn, FigureTable


def _column(values: list[Any], kind: Any) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("values", "last", "differ"),
    [
        ([1, 2, 3], None, True),
        ([1, 1, 2], None, False),
        ([3, 4], 3, False),
        ([3, 4], 2, True),
        ([1, None], None, False),
        ([5], None, True),
    ],
)
def test_neighbours_of_sorted_keys(values: list[int], last: int | None, differ: bool) -> None:
    before = pa.scalar(last, pa.int64()) if last else None
    assert export._all_differ(_column(values, pa.int64()), before) is differ
    keys = [None if v is None else uuid.UUID(int=v).bytes for v in values]
    before = _column([uuid.UUID(int=last).bytes], pa.uuid())[-1] if last else None
    assert export._all_differ(_column(keys, pa.uuid()), before) is differ


def test_numeric_text_becomes_decimal_or_fails() -> None:
    schema = pa.schema([("d", arrow_type("numeric(6,2)")), ("n", arrow_type("integer"))])
    good = pa.record_batch([pa.array(["1.25", None]), pa.array([1, 2], pa.int32())], names=["d", "n"])
    assert str(export._typed(good, schema).column("d")[0].as_py()) == "1.25"
    bad = pa.record_batch([pa.array(["1.255", None]), pa.array([1, 2], pa.int32())], names=["d", "n"])
    with pytest.raises(pa.ArrowInvalid):
        export._typed(bad, schema)


def test_groups_are_of_a_fixed_size_however_the_rows_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "GROUP_ROWS", 10)
    schema = pa.schema([("n", pa.int64())])
    for sizes in ([25], [1] * 25, [7, 11, 7], [10, 10, 5]):
        batches = [pa.record_batch([pa.array(range(size), pa.int64())], names=["n"]) for size in sizes]
        assert [g.num_rows for g in export._groups(batches, schema)] == [10, 10, 5]
    assert list(export._groups([], schema)) == []


def test_the_statement_takes_dates_from_the_calendar_only() -> None:
    table = FigureTable(
        "t",
        "row",
        (FigureColumn("n", "bigint", "n"),),
        "SELECT 1, 2 WHERE %(as_of)s > %(year_start)s AND 5 %% 2 = 1 AND %(year)s > 1",
        "n",
    )
    sql = export.export_sql(table, year=2009, as_of=date(2009, 12, 31))
    assert "DATE '2009-12-31' > DATE '2009-01-01' AND 5 % 2 = 1 AND 2009 > 1" in sql
    assert sql.rstrip().endswith("ORDER BY n, 1, 8")
