"""Taking a snapshot: checks run and tables frozen in one state of the database. Changes no state of a year and checks
no permission.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

import karez
from karez.closing import declared, snapshots
from karez.closing.checking import Outcome, Wrong, outcome
from karez.closing.export import Exported, all_columns, edition_sql, export_table
from karez.closing.models import Acceptance
from karez.closing.sessions import FrozenState
from karez.closing.snapshots import Snapshot
from karez.kernel.figure_tables import FigureTable
from karez.kernel.messages import say
from karez.periods.models import Region

Progress = Callable[[str, float], None]  # what is being done, share of the whole done (0 to 1)
PLACED = "closing.rows_have_a_place"


def quiet(what: str, share: float) -> None:
    """Shows nothing."""


@dataclass(frozen=True)
class Taken:
    """A snapshot still in its side folder, and every check that was run in the same state."""

    snapshot: Snapshot
    outcomes: tuple[Outcome, ...]

    @property
    def in_the_way(self) -> tuple[Outcome, ...]:
        """Failing checks that nobody has accepted."""
        return tuple(o for o in self.outcomes if o.stands_in_the_way)


def take(
    state: FrozenState,
    side: Path,
    *,
    region: Region,
    year: int,
    as_of: date,
    kind: str,
    about: dict[str, Any],
    progress: Progress,
) -> Taken:
    """Runs every check and writes every table and the manifest into `side`, all from one state."""
    progress(say("running the checks"), 0.0)
    outcomes = run_checks(state, year=year, as_of=as_of)
    everything = (*declared.figure_tables(), declared.PLACES)
    tables, unplaced = write_tables(state, side, tables=everything, year=year, as_of=as_of, progress=progress)
    outcomes.append(_placed(state, unplaced, year=year, as_of=as_of))
    manifest = about | {
        "format": 1,
        "software": f"karez {karez.__version__}",
        "kind": kind,
        "region": region.code,
        "year": year,
        "as_of": as_of.isoformat(),
        "taken_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "synthetic": region.synthetic,
        "tables": tables,
        "content": snapshots.content_digest(tables),
    }
    snapshot = snapshots.write_manifest(side, manifest)
    progress(say("comparing reports with figures"), 0.9)
    outcomes += run_report_checks(state, snapshot)
    progress(say("reading every file again"), 0.95)
    snapshots.verify(snapshot)
    return Taken(snapshot, tuple(with_acceptances(year, outcomes)))


def run_checks(state: FrozenState, *, year: int, as_of: date) -> list[Outcome]:
    """Every declared check, in the state given."""
    return [
        outcome(
            c.name,
            str(c.label),
            str(c.todo),
            state.rows(declared.filled(c.sql, year=year, as_of=as_of)),
            acceptable=c.acceptable,
        )
        for c in declared.closing_checks()
    ]


def run_report_checks(state: FrozenState, snapshot: Snapshot) -> list[Outcome]:
    """Every registered comparison of live reports with the figures of a draft, the reports read in the same state."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        return state.rows(declared.filled(sql, year=snapshot.year, as_of=snapshot.as_of))

    reports = declared.live_reports()
    return [
        outcome(
            name,
            _("Each room's live report equals its figure"),
            _("look at the rows behind the figure and behind the report"),
            check(snapshot, reports, run),
            acceptable=True,
        )
        for name, check in declared.report_checks().items()
    ]


def with_acceptances(year: int, outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes with the acceptances on record for exactly these rows."""
    found = {(a.name, a.rows_digest): a for a in Acceptance.objects.filter(year=year).order_by("pk")}
    accepted = {key: f"{a.accepted_by_id}: {a.reason}" for key, a in found.items()}
    return [
        replace(o, accepted=accepted.get((o.name, o.rows_digest), "")) if o.failures and o.acceptable else o
        for o in outcomes
    ]


def write_tables(
    state: FrozenState, side: Path, *, tables: Sequence[FigureTable], year: int, as_of: date, progress: Progress = quiet
) -> tuple[dict[str, Any], dict[FigureTable, int]]:
    """Writes the tables into `side`; returns what the manifest says of each, and how many rows lie in no area where
    there are any.
    """
    described: dict[str, Any] = {}
    unplaced: dict[FigureTable, int] = {}
    with state.arrow(before=edition_sql(as_of)) as cursor:
        for n, table in enumerate(tables):
            progress(say("writing the table {table}", table=table.label or table.name), 0.1 + 0.8 * n / len(tables))
            file = f"{table.name}.parquet"
            exported = export_table(cursor, table, side / file, year=year, as_of=as_of)
            described[table.name] = _described(table, file, exported)
            if exported.unplaced:
                unplaced[table] = exported.unplaced
    return described, unplaced


def _described(table: FigureTable, file: str, exported: Exported) -> dict[str, Any]:
    with translation.override("en"):  # a snapshot says the same in whatever language it is signed
        meanings = {c.name: str(c.meaning) for c in all_columns(table)}
        grain = str(table.grain)
    columns = [
        {
            "name": c.name,
            "type": c.sql_type,
            "meaning": meanings[c.name],
            "unit": c.unit,
            "key": c.key,
            "unique": c.name == exported.unique,
        }
        for c in all_columns(table)
    ]
    return {
        "file": file,
        "rows": exported.rows,
        "bytes": exported.size,
        "sha256": exported.sha256,
        "grain": grain,
        "reaches": table.reaches,
        "order_by": table.order_by,
        "columns": columns,
    }


def _placed(state: FrozenState, unplaced: dict[FigureTable, int], *, year: int, as_of: date) -> Outcome:
    wrong = []
    for table, count in unplaced.items():
        rows = declared.filled(table.sql, year=year, as_of=as_of)
        lost = state.rows(
            f"SELECT area_id, count(*) FROM ({rows}) t WHERE NOT EXISTS"
            f" (SELECT FROM places_tree_on(DATE '{as_of:%Y-%m-%d}', true) p WHERE p.area_id = t.area_id)"
            " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50"
        )
        wrong += [
            Wrong(
                f"{table.name}, area {area}",
                say("{done} of {count} rows", done=n, count=count),
                say("an area of the year's edition"),
            )
            for area, n in lost
        ]
    label = _("Every row lies in an area of the year's edition")
    return outcome(
        PLACED,
        label,
        _("correct the area's dates, or move the rows to the area that took its place"),
        wrong,
        acceptable=False,
    )
