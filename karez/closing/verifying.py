"""Proofs of closed years: snapshots read again, and each closed year's tables taken from the records again and compared
row by row.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from karez.closing import declared, snapshots
from karez.closing.export import all_columns
from karez.closing.queries import unproved_snapshots
from karez.closing.sessions import frozen_state
from karez.closing.snapshots import Snapshot
from karez.closing.taking import write_tables
from karez.kernel.counting import counted
from karez.kernel.figure_tables import FigureTable
from karez.kernel.verifying import Proof
from karez.periods.models import Period
from karez.register.queries import ERASED_KEYS
from karez.system import paths

_MEMORY = "512MB"


def _snapshots() -> Iterator[Proof]:
    for snapshot in snapshots.existing():
        try:
            snapshots.verify(snapshot)
            yield Proof(f"snapshot {snapshot.name}", f"{counted(snapshot.rows, 'row')}, digests agree")
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
    known = [
        t for name, t in tables.items() if name in sealed.tables and _columns(sealed, name) == _declared_columns(t)
    ]
    other = sorted(set(sealed.tables) - {t.name for t in known})
    with tempfile.TemporaryDirectory(dir=paths.private_folder(paths.SCRATCH), prefix="verify-") as folder:
        with frozen_state() as state:
            write_tables(state, Path(folder), tables=known, year=sealed.year, as_of=sealed.as_of)
            erased = [str(row[0]) for row in state.rows(ERASED_KEYS)]
        wrong = [fault for t in known for fault in _differences(sealed, t, Path(folder), erased)]
    told = f"{len(known)} tables, the same rows" + (
        f"; not compared, because their columns differ in this version: {', '.join(other)}" if other else ""
    )
    return Proof(what, told, wrong)


def _columns(sealed: Snapshot, name: str) -> list[tuple[str, str]]:
    return [(c["name"], c["type"]) for c in sealed.tables[name]["columns"]]


def _declared_columns(table: FigureTable) -> list[tuple[str, str]]:
    return [(c.name, c.sql_type) for c in all_columns(table)]


# Erasing a person gives them another random key, so that frozen ones lead to nobody. Rows of everybody else are
# compared with their keys; what is then left of the sealed rows is what the erased persons have today, but for the key.
_COMPARED = """
CREATE VIEW was AS SELECT * FROM read_parquet('{was}');
CREATE VIEW now_all AS SELECT *, {is_erased} AS is_erased FROM read_parquet('{now}');
CREATE VIEW now_others AS SELECT * EXCLUDE (is_erased) FROM now_all WHERE NOT is_erased;
CREATE VIEW now_erased AS SELECT {chosen} FROM (SELECT * EXCLUDE (is_erased) FROM now_all WHERE is_erased);
CREATE TEMP TABLE was_left AS SELECT {chosen} FROM (SELECT * FROM was EXCEPT ALL SELECT * FROM now_others);
"""
_MISSING = "SELECT count(*) FROM (SELECT * FROM was_left EXCEPT ALL SELECT * FROM now_erased)"
_MORE = """SELECT (SELECT count(*) FROM (SELECT * FROM now_others EXCEPT ALL SELECT * FROM was))
             + (SELECT count(*) FROM (SELECT * FROM now_erased EXCEPT ALL SELECT * FROM was_left))"""


def _differences(sealed: Snapshot, table: FigureTable, folder: Path, erased: Sequence[str]) -> Iterator[str]:
    was, now = (str(path).replace("'", "''") for path in (sealed.file(table.name), folder / f"{table.name}.parquet"))
    with duckdb.connect(
        config={"memory_limit": _MEMORY, "threads": 2, "temp_directory": str(folder / "spill")}
    ) as duck:
        duck.execute("CREATE TEMP TABLE erased AS SELECT unnest($1::UUID[]) AS key", [list(erased)])
        of_erased = [f'"{c.name}" IN (SELECT key FROM erased)' for c in table.columns if c.key]
        changed = [
            c.name
            for c in table.columns
            if c.key
            and _number(
                duck, f"SELECT count(*) FROM read_parquet('{now}') WHERE \"{c.name}\" IN (SELECT key FROM erased)"
            )
        ]
        chosen = "* EXCLUDE (" + ", ".join(f'"{name}"' for name in changed) + ")" if changed else "*"
        is_erased = f"coalesce({' OR '.join(of_erased)}, false)" if of_erased else "false"
        duck.execute(_COMPARED.format(was=was, now=now, is_erased=is_erased, chosen=chosen))
        missing, more = _number(duck, _MISSING), _number(duck, _MORE)
    if missing or more:
        yield (
            f"{table.name}: {counted(missing, 'sealed row')} not as the records say now, {counted(more, 'row')} "
            "of the records not sealed"
        )


def _number(duck: duckdb.DuckDBPyConnection, sql: str) -> int:
    found: Any = duck.execute(sql).fetchone()
    return int(found[0])


PROOFS = (_snapshots, _closed_years)
