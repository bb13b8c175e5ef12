"""Proofs of closed years: snapshots read again, and each closed year's tables taken from the records again and compared row by row."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from karez.closing import declared, snapshots
from karez.closing.export import all_columns
from karez.closing.queries import unproved_snapshots
from karez.closing.sessions import frozen_state
from karez.closing.snapshots import Snapshot
from karez.closing.taking import write_tables
from karez.host import paths
from karez.kernel.figure_tables import FigureTable
from karez.kernel.verifying import Proof
from karez.periods.models import Period
from karez.register.models import Erasure

_MEMORY = "512MB"


def _snapshots() -> Iterator[Proof]:
    for snapshot in snapshots.existing():
        try:
            snapshots.verify(snapshot)
            yield Proof(f"snapshot {snapshot.name}", f"{snapshot.rows:,} rows, digests agree")
        except snapshots.Damaged as damage:
            yield Proof(f"snapshot {snapshot.name}", "", [str(damage)])
    for what, why in unproved_snapshots():
        yield Proof(what, "", [why])


def _closed_years() -> Iterator[Proof]:
    for period in Period.objects.filter(state="closed").order_by("year"):
        sealed = snapshots.named(period.snapshot or "")
        if sealed is not None:  # one that is gone is told above
            yield _again(sealed)


def _again(sealed: Snapshot) -> Proof:
    """The year's tables from today's records, against those that were sealed."""
    what = f"records of {sealed.year} against what was sealed"
    tables = {t.name: t for t in (*declared.figure_tables(), declared.PLACES)}
    known = [t for name, t in tables.items() if name in sealed.tables and _columns(sealed, name) == _declared_columns(t)]
    other = sorted(set(sealed.tables) - {t.name for t in known})
    with tempfile.TemporaryDirectory(dir=paths.private_folder(paths.SCRATCH), prefix="verify-") as folder:
        with frozen_state() as state:
            write_tables(state, Path(folder), tables=known, year=sealed.year, as_of=sealed.as_of)
        # Erasing a person gives them another random key, so that frozen ones lead to nobody; then keys are not compared.
        without_keys = Erasure.objects.exists()
        wrong = [fault for t in known for fault in _differences(sealed, t, Path(folder), without_keys=without_keys)]
    told = f"{len(known)} tables, the same rows" + (f"; not compared, because their columns differ in this version: {', '.join(other)}" if other else "")
    return Proof(what, told, wrong)


def _columns(sealed: Snapshot, name: str) -> list[tuple[str, str]]:
    return [(c["name"], c["type"]) for c in sealed.tables[name]["columns"]]


def _declared_columns(table: FigureTable) -> list[tuple[str, str]]:
    return [(c.name, c.sql_type) for c in all_columns(table)]


def _differences(sealed: Snapshot, table: FigureTable, folder: Path, *, without_keys: bool) -> Iterator[str]:
    keys = [c.name for c in table.columns if c.key] if without_keys else []
    chosen = "* EXCLUDE (" + ", ".join(f'"{k}"' for k in keys) + ")" if keys else "*"
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 2, "temp_directory": str(folder / "spill")}) as duck:
        files = {"was": str(sealed.file(table.name)), "now": str(folder / f"{table.name}.parquet")}
        missing, more = (_count(duck, chosen, files[a], files[b]) for a, b in (("was", "now"), ("now", "was")))
    if missing or more:
        yield f"{table.name}: {missing:,} sealed rows are not what the records say now, {more:,} rows of the records were not sealed"


def _count(duck: duckdb.DuckDBPyConnection, chosen: str, left: str, right: str) -> int:
    sql = f"SELECT count(*) FROM (SELECT {chosen} FROM read_parquet($1) EXCEPT ALL SELECT {chosen} FROM read_parquet($2))"
    found: Any = duck.execute(sql, [left, right]).fetchone()
    return int(found[0])


PROOFS = (_snapshots, _closed_years)
