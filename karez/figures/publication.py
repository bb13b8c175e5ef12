"""From a snapshot to what disclosure control needs: the cells of a publication, the units behind each, the tree, the relations.

Decides nothing: `disclosure.suppress` does. The units behind a figure are the distinct persons or households of the rows it is
made of, as its declaration's disclosure unit says; behind a share or an average, those of what it divides by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from karez.closing.snapshots import Snapshot
from karez.figures.attack import Form, Key, Kind, Place, Relation, RollUp, Zero, relations_of
from karez.figures.declarations import LEVELS, Figure
from karez.figures.disclosure import Cell, Known, Suppression, suppress
from karez.figures.engine import Cells, State, cells, opened, resolve, with_inputs
from karez.kernel.formula import Formula, Step

# A whole and its parts that no formula tells, but every reader knows to add up.
WHOLES: dict[str, tuple[str, ...]] = {"register.persons": ("register.women", "register.men")}
_STRICT = ("person", "household", "village", "none")
_KEYS = {"person": ("person_key", "key"), "household": ("household_key", "key")}
_NEAREST = ("loan_id", "society_id")  # where a table holds no key of the unit: as many units at least


@dataclass(frozen=True)
class Publication:
    """All cells to be printed together, with what `disclosure.suppress` needs beside them."""

    cells: tuple[Cell, ...]
    tree: dict[int, Place]
    relations: tuple[Relation, ...]

    def suppressed(self, known: Iterable[Known] = (), more: Sequence[Relation] = ()) -> Suppression:
        """The decision over the whole; `known` and `more` bring in earlier editions."""
        return suppress(self.cells, self.tree, [*self.relations, *more], known)


def cells_for_publication(snapshot: Snapshot, ids: Sequence[str] | None = None, levels: Sequence[str] = ("region", "county")) -> Publication:
    """The cells of the figures at every place of the levels; a place that a figure's source does not reach has no cell."""
    wanted = resolve(ids, snapshot.year)
    figures = with_inputs(wanted, snapshot.year)
    computed = cells(snapshot, wanted, levels)
    units = _units(snapshot, figures, computed)
    made = [c for figure in wanted for c in _cells_of(figure, computed, units, figures)]
    tree = {p.area_id: Place(p.parent_id, p.level) for p in computed.places.values()}
    return Publication(tuple(made), tree, tuple(relations(figures)))


def relations(figures: Sequence[Figure]) -> list[Relation]:
    """What a reader knows of how these figures hang together."""
    known = {f.id for f in figures}
    found: list[Relation] = [RollUp(f.id) for f in figures if f.value and f.value.function in ("sum", "count", "distinct")]
    for figure in figures:
        if figure.formula:
            found += relations_of(figure.id, figure.formula)
    for total, parts in WHOLES.items():
        if known.issuperset((total, *parts)):
            found.append(Zero(Form(((total, 1), *((part, -1) for part in parts)))))
    return found


def unit_of(figure: Figure, figures: Sequence[Figure]) -> str:
    """The disclosure unit of a figure: of a formula, the strictest of its own and its inputs'."""
    by_id = {f.id: f for f in figures}
    inputs = [unit_of(by_id[i], figures) for i in (figure.formula.uses if figure.formula else ())]
    return min((figure.disclosure, *inputs), key=_STRICT.index)


def _cells_of(figure: Figure, computed: Cells, units: dict[Key, int], figures: Sequence[Figure]) -> Iterable[Cell]:
    unit, values = unit_of(figure, figures), computed.values([figure.id])
    counted = unit in _KEYS
    kind = _kind(figure, [v.value for v in values if v.value is not None])
    for v in values:
        if v.state is State.NOT_COLLECTED:
            continue
        behind = _units_behind(figure, v.area_id, units, figures) if counted and v.value is not None else None
        yield Cell(figure.id, v.area_id, v.value, behind, unit, kind)


def _kind(figure: Figure, values: Sequence[object]) -> Kind:
    if (figure.value and figure.value.function in ("count", "distinct")) or figure.unit in ("persons", "households", "people"):
        return Kind.COUNT
    return Kind.AMOUNT if all(v >= 0 for v in values) else Kind.ANY  # type: ignore[operator]


def _units_behind(figure: Figure, place: int, units: dict[Key, int], figures: Sequence[Figure]) -> int | None:
    """The persons or households a cell speaks of; of a share or an average the fewest of what it divides by."""
    if not figure.formula:
        return units.get((figure.id, place), 0)
    by_id = {f.id: f for f in figures}

    def of(names: Iterable[str]) -> list[int]:
        about = [by_id[i] for i in names if unit_of(by_id[i], figures) in _KEYS]
        return [n for f in about if (n := _units_behind(f, place, units, figures)) is not None]

    bases = of(_divisors(figure.formula))
    return min(bases) if bases else max(of(figure.formula.uses), default=None)


def _divisors(formula: Formula) -> set[str]:
    """The figures a formula divides by."""
    under: list[set[str]] = []
    found: set[str] = set()
    for node in formula.nodes:
        names = {node.name} if node.step is Step.NAME else set()
        for side in (node.left, node.right):
            names |= under[side] if side >= 0 else set()
        if node.step is Step.DIVIDE:
            found |= under[node.right]
        under.append(names)
    return found


def _units(snapshot: Snapshot, figures: Sequence[Figure], computed: Cells) -> dict[Key, int]:
    """How many distinct persons or households stand behind each counted figure at each place."""
    by_table: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.value and figure.disclosure in _KEYS and computed.raw[figure.id]:
            by_table.setdefault(figure.table, []).append(figure)
    found: dict[Key, int] = {}
    with opened(snapshot) as duck:
        for table, members in by_table.items():
            for level in LEVELS:
                if level in computed.levels:
                    found |= _counted(duck, snapshot, table, members, level)
    return found


def _counted(duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, members: Sequence[Figure], level: str) -> dict[Key, int]:
    columns = ", ".join(_unit_sql(f, snapshot) for f in members)
    sql = f'SELECT "{level}_id", {columns} FROM "{table}" WHERE "{level}_id" IS NOT NULL GROUP BY "{level}_id"'
    return {(f.id, row[0]): n for row in duck.execute(sql).fetchall() for f, n in zip(members, row[1:], strict=True) if n}


def _unit_sql(figure: Figure, snapshot: Snapshot) -> str:
    """Distinct units of the rows that add something."""
    assert figure.value
    there = {c["name"] for c in snapshot.tables[figure.table]["columns"]}
    own = figure.table.endswith(f"_{figure.disclosure}s")  # a row of the table is a unit
    key = next((k for k in _KEYS[figure.disclosure] if k in there and (k != "key" or own)), None)
    key = key or next((k for k in _NEAREST if k in there), None)
    conditions = []
    if figure.where:
        conditions.append(f"({figure.where.sql(year=snapshot.year, as_of=snapshot.as_of)})")
    if figure.value.function == "sum" and figure.value.argument:
        conditions.append(f"({figure.value.argument.sql(year=snapshot.year, as_of=snapshot.as_of)}) <> 0")
    count = "count(*)" if key == "key" or key is None else f'count(DISTINCT "{key}")'
    return f"{count} FILTER (WHERE {' AND '.join(conditions)})" if conditions else count
