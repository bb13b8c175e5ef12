"""Computing figures from a snapshot with DuckDB: one query a table, rolled up over the places, formulas last. Declares
nothing.

Whatever adds up is computed once at the area each row is recorded at and rolled up through the snapshot's edition of
places; a distinct count is computed for each level. All values are whole numbers, decimals or fractions, never floats.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import duckdb
from sqlglot import exp

from karez.closing.snapshots import Snapshot
from karez.figures.declarations import LEVELS, Declarations, Figure, declarations
from karez.kernel.formula import Formula, FormulaError, value_of
from karez.kernel.interval import DividesByZeroError
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal

Raw = int | Decimal | Fraction
MEMORY = os.environ.get("KAREZ_FIGURES_MEMORY", "2GB")


class State(Enum):
    """What is to be said of a figure at a place."""

    VALUE = "value"
    MISSING = "missing"  # nothing to count, or nothing to divide by
    NOT_COLLECTED = "not_collected"  # the source does not reach down to this level
    UNDEFINED = "undefined"  # its expression failed on a row, or that of a figure it is made from


class Value(NamedTuple):
    """A figure at a place, exact, in the figure's unit."""

    id: str
    area_id: int
    value: Fraction | None
    state: State


class Place(NamedTuple):
    """An area of the snapshot's edition."""

    area_id: int
    level: str
    code: str
    name_zh: str
    name_en: str
    parent_id: int | None


@dataclass
class Cells:
    """Figures by place: `raw[id][area_id]` before the figure's scale; no entry means an empty set."""

    places: dict[int, Place]
    figures: dict[str, Figure]
    levels: tuple[str, ...]
    reaches: dict[str, int] = field(default_factory=dict)  # id -> how far down its source reaches, as a place in LEVELS
    raw: dict[str, dict[int, Raw]] = field(default_factory=dict)
    undefined: dict[str, str] = field(
        default_factory=dict
    )  # id -> why it cannot be computed; such a figure has no value anywhere

    def value(self, figure_id: str, area_id: int) -> Value:
        """One cell."""
        return self._column(figure_id, [self.places[area_id]])[0]

    def values(self, ids: Iterable[str]) -> list[Value]:
        """Every cell of the figures, by figure, level and code."""
        chosen = sorted(
            (p for p in self.places.values() if p.level in self.levels),
            key=lambda p: (_DEPTH[p.level], p.code, p.area_id),
        )
        return [value for i in ids for value in self._column(i, chosen)]

    def or_empty(self, figure_id: str) -> Raw | None:
        """What a figure is where nothing was counted: zero if it is declared so and the snapshot has its source."""
        figure = self.figures[figure_id]
        return 0 if figure.value and figure.empty == "zero" and self.raw[figure_id] is not _ABSENT else None

    def _column(self, figure_id: str, places: Sequence[Place]) -> list[Value]:
        if figure_id in self.undefined:
            return [Value(figure_id, place.area_id, None, State.UNDEFINED) for place in places]
        raw, scale, deepest = self.raw[figure_id], self.figures[figure_id].scale, self.reaches[figure_id]
        nothing = self.or_empty(figure_id)
        column = []
        for place in places:
            found = raw.get(place.area_id, nothing)
            if _DEPTH[place.level] > deepest:
                column.append(Value(figure_id, place.area_id, None, State.NOT_COLLECTED))
            elif found is None:
                column.append(Value(figure_id, place.area_id, None, State.MISSING))
            else:
                column.append(Value(figure_id, place.area_id, exact(found, scale), State.VALUE))
        return column


_DEPTH = {level: n for n, level in enumerate(LEVELS)}
_ZERO = Fraction(0)
_ABSENT: dict[int, Raw] = {}  # the snapshot has no such table or column: nothing is known, not even zero


def exact(raw: Raw, scale: int) -> Fraction:
    """A counted value in the figure's unit."""
    if not raw:
        return _ZERO
    return Fraction(raw, scale) if isinstance(raw, int) else Fraction(raw) / scale


class _Broken(Exception):
    """Figures whose expression fails on a row, and how."""

    def __init__(self, ids: list[str], found: str) -> None:
        super().__init__(found)
        self.ids, self.found = ids, found


def compute(snapshot: Snapshot, ids: Sequence[str] | None = None, levels: Sequence[str] = ("region",)) -> list[Value]:
    """The figures named (all of the snapshot's year if None; a printed id stands for its figure) at every place of the
    levels.

    Refuses (figures.cannot_compute) where an expression fails, naming every figure it fails for.
    """
    wanted = resolve(ids, snapshot.year)
    computed = cells(snapshot, wanted, levels)
    if computed.undefined:
        raise Refusal(
            "figures.cannot_compute",
            record=", ".join(computed.undefined),
            found="; ".join(dict.fromkeys(computed.undefined.values()))[:300],
            expected=say("an expression that works on every row"),
            rule=say("a figure is exact or it is not printed"),
            todo=say("correct the declaration, for example a cast of a text that is no number"),
        )
    return computed.values(f.id for f in wanted)


def declared() -> Declarations:
    """The declarations that figures are computed by."""
    return declarations()


def resolve(ids: Sequence[str] | None, year: int) -> list[Figure]:
    """The definitions valid in a year under the ids given; refuses an id nobody declared."""
    known, aliases = declarations().of_year(year), declarations().aliases
    if ids is None:
        return list(known.values())
    unknown = [i for i in ids if aliases.get(i, i) not in known]
    if unknown:
        raise Refusal(
            "not_found.figure",
            record=", ".join(unknown)[:200],
            found=say("no figure of this id in {year}", year=year),
            expected=say("the id of a declared figure"),
            rule=say("a figure is a declaration valid in its years"),
            todo=say("see the catalogue of figures"),
        )
    return [known[i] for i in dict.fromkeys(aliases.get(i, i) for i in ids)]


def cells(snapshot: Snapshot, wanted: Sequence[Figure], levels: Sequence[str] = ("region",)) -> Cells:
    """The cells of the figures wanted and of all they are worked out from; one that cannot be computed stops none of
    the others.
    """
    figures = with_inputs(wanted, snapshot.year)
    with opened(snapshot, {"places", *(f.table for f in figures)}) as duck:
        places = {row[0]: Place(*row) for row in duck.execute(_PLACES).fetchall()}
        result = Cells(places, {f.id: f for f in figures}, tuple(levels))
        by_table: dict[str, list[Figure]] = {}
        for figure in figures:
            if figure.table:
                by_table.setdefault(figure.table, []).append(figure)
        if by_table:
            _make_above(duck, levels)
        for table, members in by_table.items():
            _count(duck, snapshot, table, members, result)
    for figure in figures:
        if figure.formula:
            _work_out(figure, result)
    return result


def with_inputs(wanted: Sequence[Figure], year: int) -> list[Figure]:
    """The figures and all they need, each after what it needs."""
    known = declarations().of_year(year)
    done: dict[str, Figure] = {}

    def add(figure: Figure) -> None:
        for used in figure.formula.uses if figure.formula else ():
            if used not in known:
                raise Refusal(
                    "figures.no_definition",
                    record=figure.id,
                    found=say("no definition of {used} in {year}", used=used, year=year),
                    expected=say("every figure of a formula defined in the year"),
                    rule=say("a figure is a declaration valid in its years"),
                    todo=say("correct valid_from or valid_before"),
                )
            if used not in done:
                add(known[used])
        done[figure.id] = figure

    for figure in wanted:
        add(figure)
    return list(done.values())


@contextmanager
def opened(snapshot: Snapshot, tables: Collection[str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that sees the snapshot's tables (those named, if any) as views and nothing else: no files, no network,
    no settings.
    """
    duck = duckdb.connect(
        config={
            "threads": os.cpu_count() or 1,
            "memory_limit": MEMORY,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    try:
        files = {name: str(snapshot.file(name)) for name in snapshot.tables if tables is None or name in tables}
        duck.execute(f"SET allowed_paths = [{', '.join(_text(f) for f in files.values())}]")
        duck.execute("SET enable_external_access = false")
        duck.execute("SET lock_configuration = true")
        for name, file in files.items():
            duck.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet({_text(file)}, file_row_number = true)')
        yield duck
    finally:
        duck.close()


def statement(figure: Figure, snapshot: Snapshot) -> str:
    """The SQL of a counted figure by area; all figures of a table run fused into one such statement."""
    assert figure.value
    return f'SELECT "area_id", {_cell(figure, snapshot)} AS "value" FROM "{figure.table}" GROUP BY "area_id"'


def sql_of(figure_id: str, snapshot: Snapshot) -> str:
    """The SQL behind a figure; of a formula, that of each of its inputs."""
    figures = with_inputs(resolve([figure_id], snapshot.year), snapshot.year)
    counted = [f for f in figures if f.value]
    if len(figures) == 1:
        return statement(figures[0], snapshot)
    return ";\n".join(f"-- {f.id}\n{statement(f, snapshot)}" for f in counted)


def rows_behind(
    snapshot: Snapshot,
    figure_id: str,
    area_id: int,
    after_key: int = -1,
    limit: int = 100,
    visible: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """The rows a counted figure is made of at a place, by the same `where`, a page after the row number given.

    `visible` keeps rows to those areas. A formula has no rows of its own: its inputs have.
    """
    figure = resolve([figure_id], snapshot.year)[0]
    if not _present(figure, snapshot):
        return []
    with opened(snapshot, {"places", figure.table}) as duck:
        condition = _rows_condition(duck, figure, snapshot, area_id, visible)
        result = duck.execute(
            f'SELECT file_row_number AS row, * EXCLUDE (file_row_number) FROM "{figure.table}"'
            f" WHERE {condition} AND file_row_number > {int(after_key)} ORDER BY file_row_number LIMIT {int(limit)}"
        )
        names = [d[0] for d in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def count_rows_behind(
    snapshot: Snapshot, figure_id: str, area_id: int, visible: Sequence[int] | None = None
) -> tuple[int, int]:
    """How many rows a counted figure has at a place in the areas given (everywhere if None), and how many elsewhere."""
    figure = resolve([figure_id], snapshot.year)[0]
    if not _present(figure, snapshot):
        return 0, 0
    with opened(snapshot, {"places", figure.table}) as duck:
        everywhere = _rows_condition(duck, figure, snapshot, area_id, None)
        inside = _rows_condition(duck, figure, snapshot, area_id, visible)
        row = duck.execute(
            f'SELECT count(*) FILTER (WHERE {inside}), count(*) FROM "{figure.table}" WHERE {everywhere}'
        ).fetchone()
    assert row
    return int(row[0]), int(row[1] - row[0])


_PLACES = 'SELECT area_id, level, code, name_zh, name_en, parent_id FROM "places"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _cell(figure: Figure, snapshot: Snapshot) -> str:
    """The aggregate with its condition; a distinct count of a key that no two rows share is a count."""
    value, condition = _words(figure, snapshot.year, snapshot.as_of)
    if figure.value and _is_of_unique_key(figure, snapshot):
        value = value.replace("count(DISTINCT ", "count(", 1)
    return f"{value} FILTER (WHERE {condition})" if condition else value


@cache
def _words(figure: Figure, year: int, as_of: date) -> tuple[str, str]:
    assert figure.value
    return figure.value.sql(year=year, as_of=as_of), figure.where.sql(year=year, as_of=as_of) if figure.where else ""


def _is_of_unique_key(figure: Figure, snapshot: Snapshot) -> bool:
    """Whether a figure counts a column in which, as closing found, every row has a value of its own."""
    value = figure.value
    if (
        value is None
        or value.function != "distinct"
        or value.argument is None
        or not isinstance(value.argument.tree, exp.Column)
    ):
        return False
    return any(c.get("unique") and c["name"] in value.columns for c in snapshot.tables[figure.table]["columns"])


def _present(figure: Figure, snapshot: Snapshot) -> bool:
    """Whether the snapshot holds the table and the columns a figure reads; older ones may not."""
    told = snapshot.tables.get(figure.table)
    return told is not None and figure.columns <= {c["name"] for c in told["columns"]}


def _make_above(duck: duckdb.DuckDBPyConnection, levels: Sequence[str]) -> None:
    """A table of every area with itself and the areas above it, as far as their levels are wanted."""
    ids = ", ".join(f'"{level}_id"' for level in LEVELS if level in levels)
    duck.execute(
        "CREATE TEMP TABLE above AS SELECT DISTINCT area_id, place FROM"
        f' (SELECT area_id, unnest([{ids}]) AS place FROM "places") WHERE place IS NOT NULL'
    )


def _count(
    duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, members: Sequence[Figure], into: Cells
) -> None:
    there = [f for f in members if _present(f, snapshot)]
    for figure in members:
        told = snapshot.tables.get(table)
        of_table = LEVELS.index(told["reaches"]) if told else len(LEVELS) - 1
        into.reaches[figure.id] = min(of_table, LEVELS.index(figure.reaches)) if figure.reaches else of_table
        into.raw[figure.id] = {} if figure in there else _ABSENT
    while there:
        try:
            _count_those(duck, snapshot, table, there, into)
            break
        except _Broken as broken:
            into.undefined |= dict.fromkeys(broken.ids, broken.found)
            into.raw |= dict.fromkeys(broken.ids, _ABSENT)
            there = [f for f in there if f.id not in broken.ids]


def _count_those(
    duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, there: Sequence[Figure], into: Cells
) -> None:
    own = [f for f in there if f.own]
    if own:
        _own_numbers(duck, snapshot, table, own, into)
    distinct = [f for f in there if f.value and not f.value.rolls_up_by and not _is_of_unique_key(f, snapshot)]
    adding = [f for f in there if f not in distinct and f not in own]
    if adding:
        _add_up(duck, snapshot, table, adding, into)
    left = distinct if len(into.levels) <= 2 else [f for f in distinct if not _add_up_apart(duck, snapshot, f, into)]
    for level in into.levels if left else ():
        columns = ", ".join(f"{_cell(f, snapshot)} AS {_name(f)}" for f in left)
        sql = f'SELECT "{level}_id", {columns} FROM "{table}" WHERE "{level}_id" IS NOT NULL GROUP BY "{level}_id"'
        _collect(_run(duck, sql, left, snapshot, table), left, into)


def _add_up(
    duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, members: Sequence[Figure], into: Cells
) -> None:
    """What adds up, of a whole table in one pass: at the area each row is recorded at, then at itself and all areas
    above.
    """
    low = ", ".join(f"{_cell(f, snapshot)} AS {_name(f)}" for f in members)
    up = ", ".join(f"{(f.value.rolls_up_by if f.value else '') or 'sum'}(low.{_name(f)})" for f in members)
    sql = (
        f'WITH low AS MATERIALIZED (SELECT "area_id", {low} FROM "{table}" GROUP BY "area_id")'
        f" SELECT above.place, {up} FROM low JOIN above ON above.area_id = low.area_id GROUP BY above.place"
    )
    _collect(_run(duck, sql, members, snapshot, table), members, into)


def _own_numbers(
    duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, members: Sequence[Figure], into: Cells
) -> None:
    """What places bring themselves; a place that brings nothing has the sum of those right below it, if each of these
    has a number.
    """
    columns = ", ".join(f"{_cell(f, snapshot)} AS {_name(f)}" for f in members)
    _collect(
        _run(duck, f'SELECT "area_id", {columns} FROM "{table}" GROUP BY "area_id"', members, snapshot, table),
        members,
        into,
    )
    below: dict[int, list[int]] = {}
    for place in into.places.values():
        if place.parent_id is not None:
            below.setdefault(place.parent_id, []).append(place.area_id)
    for figure in members:
        found, deepest = into.raw[figure.id], into.reaches[figure.id]
        for place in sorted(into.places.values(), key=lambda p: -_DEPTH[p.level]):
            parts = [found.get(i) for i in below.get(place.area_id, ())] if _DEPTH[place.level] < deepest else []
            if place.area_id not in found and parts and None not in parts:
                found[place.area_id] = sum(p for p in parts if p is not None)


def _add_up_apart(duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, figure: Figure, into: Cells) -> bool:
    """A distinct count where no value is found in two areas: then, and only then, the counts of the areas add up.

    Answers whether it is so; if not, nothing is collected and each level has to be counted by itself.
    """
    assert figure.value
    assert figure.value.argument
    what = figure.value.argument.sql(year=snapshot.year, as_of=snapshot.as_of)
    condition = _words(figure, snapshot.year, snapshot.as_of)[1]
    where = f"({what}) IS NOT NULL" + (f" AND ({condition})" if condition else "")
    sql = (
        f"CREATE OR REPLACE TEMP TABLE low AS SELECT lo AS area_id, count(*) AS n, bool_and(lo = hi) AS apart FROM"
        f' (SELECT min("area_id") AS lo, max("area_id") AS hi FROM "{figure.table}" WHERE {where} GROUP BY '
        f"({what})) GROUP BY lo"
    )
    _run(duck, sql, [figure], snapshot, figure.table)
    row = duck.execute("SELECT bool_and(apart) FROM low").fetchone()
    if row and row[0] is False:
        return False
    up = "SELECT above.place, sum(low.n) FROM low JOIN above ON above.area_id = low.area_id GROUP BY above.place"
    _collect(duck.execute(up).fetchall(), [figure], into)
    return True


def _name(figure: Figure) -> str:
    return f'"{figure.id}"'


def _run(
    duck: duckdb.DuckDBPyConnection, sql: str, members: Sequence[Figure], snapshot: Snapshot, table: str
) -> list[tuple[Any, ...]]:
    """The rows; where the fused statement fails, each figure is tried alone to name those that do not work."""
    try:
        return duck.execute(sql).fetchall()
    except duckdb.Error as error:
        found = str(error).splitlines()[0][:300]
        raise _Broken(
            [f.id for f in members if not _works(duck, f, snapshot, table)] or [f.id for f in members], found
        ) from error


def _works(duck: duckdb.DuckDBPyConnection, figure: Figure, snapshot: Snapshot, table: str) -> bool:
    try:
        duck.execute(f'SELECT {_cell(figure, snapshot)} FROM "{table}"').fetchall()
    except duckdb.Error:
        return False
    return True


def _collect(rows: Iterable[tuple[Any, ...]], members: Sequence[Figure], into: Cells) -> None:
    targets = [into.raw[f.id] for f in members]
    # A count of nothing is an empty set, as a sum over nothing is.
    nothing = [f.value is not None and f.value.function in ("count", "distinct") for f in members]
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    for target, counts, column in zip(targets, nothing, columns[1:], strict=True):
        if counts:
            target.update((place, value) for place, value in zip(columns[0], column, strict=True) if value)
        else:
            target.update((place, value) for place, value in zip(columns[0], column, strict=True) if value is not None)


def _work_out(figure: Figure, into: Cells) -> None:
    """A formula at each place of the levels, where all its inputs have values; a division by zero has none.

    The many places where nothing is are worked out once.
    """
    assert figure.formula
    inputs = list(figure.formula.uses)
    if broken := next((into.undefined[i] for i in inputs if i in into.undefined), ""):
        into.undefined[figure.id] = broken
        into.raw[figure.id] = _ABSENT
    deepest = into.reaches[figure.id] = min((into.reaches[i] for i in inputs), default=len(LEVELS) - 1)
    known = [(into.raw[i].get, into.or_empty(i)) for i in inputs]
    if broken:
        return
    nowhere: list[Fraction | None] = []
    found = into.raw[figure.id] = {}
    for area_id, place in into.places.items():
        if place.level not in into.levels or _DEPTH[place.level] > deepest:
            continue
        raws = tuple(get(area_id, nothing) for get, nothing in known)
        if None in raws:
            continue
        if any(raws) or not nowhere:
            values = [(i, exact(r or 0, into.figures[i].scale)) for i, r in zip(inputs, raws, strict=True)]
            result = _formula_value(figure.formula, values)
            if not any(raws):
                nowhere.append(result)
        else:
            result = nowhere[0]
        if result is not None:
            found[area_id] = result


def _formula_value(formula: Formula, values: Iterable[tuple[str, Fraction]]) -> Fraction | None:
    try:
        return value_of(formula, dict(values))
    except (DividesByZeroError, FormulaError):
        return None


def _rows_condition(
    duck: duckdb.DuckDBPyConnection, figure: Figure, snapshot: Snapshot, area_id: int, visible: Sequence[int] | None
) -> str:
    row = duck.execute('SELECT level FROM "places" WHERE area_id = ?', [area_id]).fetchone()
    condition = f'("{row[0]}_id" = {int(area_id)})' if row else "false"
    only = figure.where.sql(year=snapshot.year, as_of=snapshot.as_of) if figure.where else "true"
    if figure.where:
        condition += f" AND ({only})"
    if figure.own and row:  # a row stands behind the places above it as far as none of these brings its own number
        bring = f'SELECT "area_id" FROM "{figure.table}" WHERE ({only})'
        for level in LEVELS[_DEPTH[row[0]] :]:
            condition += f' AND ("{level}_id" IS NULL OR "{level}_id" = "area_id" OR "{level}_id" NOT IN ({bring}))'
    if visible is not None:
        duck.execute(
            "CREATE TEMP TABLE IF NOT EXISTS visible AS SELECT unnest(?::BIGINT[]) AS area_id", [list(visible)]
        )
        condition += " AND area_id IN (SELECT area_id FROM visible)"
    return condition
