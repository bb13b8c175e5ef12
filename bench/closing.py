"""Freezing a register of a million persons, against a bare ADBC export of the same columns into the same kind of file."""

import statistics
import time
from datetime import date
from pathlib import Path
from typing import Any

PERSONS = 1_000_000
VILLAGE_ROWS = """
CREATE TEMP TABLE v AS SELECT area_id, row_number() OVER (ORDER BY area_id) AS n FROM places_tree_on('2009-12-31', true)
 WHERE level = 'village' AND region_id = (SELECT area_id FROM periods_region);
"""
# Households of four in every village, three of four with a case, all assessed; triggers and foreign keys are set aside.
FILL = (
    "SET session_replication_role = replica",
    """INSERT INTO register_household (key, village_id, household_no, kind, starts_on, counts_from, recorded_by_id)
    SELECT gen_random_uuid(), v.area_id, 'B' || g, 'registered', '2009-01-01', '2009-01-01', 1
      FROM generate_series(1, {households}) g JOIN v ON v.n = 1 + g % (SELECT count(*) FROM v)""",
    """INSERT INTO register_person (key, sex, birth_month, recorded_by_id)
    SELECT gen_random_uuid(), 1 + g % 2, make_date(1930 + g % 79, 1 + g % 12, 1), 1
        FROM generate_series(1, {persons}) g""",
    """INSERT INTO register_membership (person_id, household_id, relation, is_head, starts_on, counts_from,
        recorded_by_id)
    SELECT p.id, h.id, p.n % 4, p.n % 4 = 0, '2009-01-01', '2009-01-01', 1
      FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM register_person) p
      JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM register_household) h ON h.n = p.n / 4""",
    """INSERT INTO register_casespell (household_id, stage, starts_on, counts_from, recorded_by_id)
    SELECT id, CASE WHEN id % 4 = 1 THEN 'identified' ELSE 'recorded' END, '2009-01-01', '2009-01-01', 1
      FROM register_household WHERE id % 4 > 0""",
    """INSERT INTO register_assessment (household_id, year, income_fen, size, line, happened_on, counts_on,
        recorded_by_id)
    SELECT id, 2009, 100000 + id % 900000, 4, 'national', '2009-11-01', '2009-11-01', 1 FROM register_household""",
    "RESET session_replication_role",
    "ANALYZE",
)


def run(persons: int = PERSONS, rounds: int = 5) -> list[dict[str, object]]:
    """One line: the time of the snapshot's tables in parts of the bare export's time, medians of paired runs."""
    from bench.installed import set_up

    set_up()
    _fill(persons)
    from karez.closing import snapshots

    ours, bare, rows = [], [], 0
    for _ in range(rounds):
        side = snapshots.side_folder()
        try:
            seconds, rows = _freeze(side)
            ours.append(seconds)
            bare.append(_bare(side))
        finally:
            _remove(side)
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    return [
        {
            "what": "close, rows to figure tables",
            "size": f"{persons:,} persons, {rows:,} rows",
            "karez": f"{statistics.median(ours):.2f} s",
            "bare ADBC export": f"{statistics.median(bare):.2f} s",
            "ratio": f"{ratio:.2f}",
            "asked": "at most 1.5",
            "met": ratio <= 1.5,
        },
    ]


def _tables() -> list[Any]:
    from karez.closing.declared import figure_tables

    return [t for t in figure_tables() if t.name.startswith("register_")]


def _freeze(side: Path) -> tuple[float, int]:
    """From one state: places joined, sorted, written, digested, on disk, and verified by reading again."""
    from karez.closing import declared, snapshots
    from karez.closing.sessions import frozen_state
    from karez.closing.taking import write_tables

    start = time.perf_counter()
    with frozen_state() as state:
        tables, _ = write_tables(state, side, tables=(*_tables(), declared.PLACES), year=2009, as_of=date(2009, 12, 31))
    manifest = {
        "format": 1,
        "software": "bench",
        "kind": "provisional",
        "region": "99",
        "year": 2009,
        "as_of": "2009-12-31",
        "taken_at": "2010-01-01T00:00:00+00:00",
        "synthetic": True,
        "tables": tables,
        "content": snapshots.content_digest(tables),
    }
    snapshots.verify(snapshots.write_manifest(side, manifest))
    return time.perf_counter() - start, sum(t["rows"] for t in tables.values())


def _bare(side: Path) -> float:
    """The rooms' own SELECTs by ADBC straight into zstd Parquet: not joined with places, not sorted, not digested."""
    import pyarrow.parquet as pq
    from adbc_driver_postgresql import dbapi

    from karez.closing.declared import filled
    from karez.closing.sessions import conninfo

    start = time.perf_counter()
    with dbapi.connect(conninfo("bench")) as connection, connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(filled(table.sql, year=2009, as_of=date(2009, 12, 31)))
            reader = cursor.fetch_record_batch()
            with pq.ParquetWriter(side / f"bare-{table.name}.parquet", reader.schema, compression="zstd") as writer:
                for batch in reader:
                    writer.write_batch(batch)
    return time.perf_counter() - start


def _remove(side: Path) -> None:
    for file in side.iterdir():
        file.unlink()
    side.rmdir()


def _fill(persons: int) -> None:
    from karez.system import database

    with database.administrator(database.name()) as admin:
        admin.execute(VILLAGE_ROWS)
        for statement in FILL:
            admin.execute(statement.format(persons=persons, households=persons // 4).encode())
        admin.execute("VACUUM ANALYZE")
