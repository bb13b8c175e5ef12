"""From a snapshot to what disclosure control needs: the cells of a publication, the units behind each, the tree, the
relations.

Decides nothing: `disclosure.suppress` does. The units behind a figure are the distinct persons or households of the
rows it is made of, as its declaration's disclosure unit says; behind a share or an average, those of what it divides
by.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from karez.closing.snapshots import Snapshot
from karez.figures.attack import Form, Key, Kind, Place, Relation, RollUp, Zero, relations_of
from karez.figures.declarations import LEVELS, Figure
from karez.figures.disclosure import RULES, Cell, Suppression, suppress
from karez.figures.engine import Cells, State, cells, opened, resolve, with_inputs
from karez.figures.over_years import Beside
from karez.kernel.formula import Formula, Step

# A whole and its parts that no formula tells, but every reader knows to add up.
WHOLES: dict[str, tuple[str, ...]] = {"register.persons": ("register.women", "register.men")}
STRICT = ("person", "household", "village", "none")
_KEYS = {"person": ("person_key", "key"), "household": ("household_key", "key")}
_COUNTED_IN = ("persons", "households")
_LINK = "loan_id"  # leads from a table that holds no key of the unit to one that does
_FEWER = "society_id"  # of these there are never more than of the units


@dataclass(frozen=True)
class Publication:
    """All cells to be printed together, with what `disclosure.suppress` needs beside them."""

    cells: tuple[Cell, ...]
    tree: dict[int, Place]
    relations: tuple[Relation, ...]

    def suppressed(self, others: Beside | None = None) -> Suppression:
        """The decision over the whole, beside what other editions tell."""
        others = others or Beside()
        return suppress(
            self.cells,
            self.tree,
            [*self.relations, *others.relations],
            others.known,
            trees=others.trees,
            public=others.public,
        )


def cells_for_publication(
    snapshot: Snapshot, ids: Sequence[str] | None = None, levels: Sequence[str] = ("region", "county")
) -> Publication:
    """The cells of the figures at every place of the levels; a place that a figure's source does not reach has no cell."""
    wanted = resolve(ids, snapshot.year)
    figures = with_inputs(wanted, snapshot.year)
    computed = cells(snapshot, wanted, levels)
    units = _units(snapshot, figures, computed)
    by_id = {f.id: f for f in figures}
    made = [c for figure in wanted for c in _cells_of(figure, computed, units, by_id)]
    tree = {p.area_id: Place(p.parent_id, p.level) for p in computed.places.values()}
    return Publication(tuple(made), tree, tuple(relations(figures)))


def relations(figures: Sequence[Figure]) -> list[Relation]:
    """What a reader knows of how these figures hang together."""
    known = {f.id for f in figures}
    found: list[Relation] = [
        RollUp(f.id) for f in figures if f.value and not f.own and f.value.function in ("sum", "count", "distinct")
    ]
    for figure in figures:
        if figure.formula:
            found += relations_of(figure.id, figure.formula)
    for total, parts in WHOLES.items():
        if known.issuperset((total, *parts)):
            found.append(Zero(Form(((total, 1), *((part, -1) for part in parts)))))
    return found


def unit_of(figure: Figure, by_id: Mapping[str, Figure]) -> str:
    """The disclosure unit of a figure: of a formula, the strictest of its own and its inputs'."""
    inputs = [unit_of(by_id[i], by_id) for i in (figure.formula.uses if figure.formula else ())]
    return min((figure.disclosure, *inputs), key=STRICT.index)


def _cells_of(figure: Figure, computed: Cells, units: dict[Key, int], by_id: Mapping[str, Figure]) -> Iterable[Cell]:
    unit, values = unit_of(figure, by_id), computed.values([figure.id])
    behind = _behind(figure, by_id) if unit in _KEYS else None
    kind = _kind(figure, [v.value for v in values if v.value is not None])
    for v in values:
        if v.state is State.NOT_COLLECTED:
            continue
        many = behind(v.area_id, units) if behind and v.value is not None else None
        if figure.formula and many is not None and v.value is not None and figure.unit in _COUNTED_IN:
            many = min(many, abs(int(v.value)))  # a difference of two large counts may be a small one
        yield Cell(figure.id, v.area_id, v.value, many, unit, kind)


def _kind(figure: Figure, values: Sequence[object]) -> Kind:
    if (figure.value and figure.value.function in ("count", "distinct")) or figure.unit in _COUNTED_IN:
        return Kind.COUNT
    return Kind.AMOUNT if all(v >= 0 for v in values) else Kind.ANY  # type: ignore[operator]


def _behind(figure: Figure, by_id: Mapping[str, Figure]) -> Callable[[int, dict[Key, int]], int]:
    """How to find the persons or households a cell speaks of; of a share or an average the fewest of what it divides
    by.
    """
    if not figure.formula:
        return lambda place, units: units.get((figure.id, place), 0)

    def of(names: Iterable[str]) -> list[Callable[[int, dict[Key, int]], int]]:
        return [_behind(by_id[i], by_id) for i in sorted(names) if unit_of(by_id[i], by_id) in _KEYS]

    if bases := of(_divisors(figure.formula)):
        return lambda place, units: min(base(place, units) for base in bases)
    inputs = of(figure.formula.uses)
    return lambda place, units: max((one(place, units) for one in inputs), default=0)


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
                # Below the finest level nothing is printed, whatever is behind it.
                if level in computed.levels and LEVELS.index(level) <= max(
                    LEVELS.index(r.finest) for r in RULES.values()
                ):
                    found |= _counted(duck, snapshot, table, members, level)
    return found


def _counted(
    duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, members: Sequence[Figure], level: str
) -> dict[Key, int]:
    found: dict[Key, int] = {}
    source = f'"{table}"'
    if joined := _joined(snapshot, table):
        for figure in (f for f in members if f.disclosure == "household"):
            found |= _counted_as_members(duck, snapshot, figure, joined, level)
        members = [f for f in members if f.disclosure != "household"]
    if not members:
        return found
    keys = {f.id: _key_of(f, snapshot) for f in members}
    if linked := sorted({lender for _key, lender in keys.values() if lender}):
        source += f' LEFT JOIN (SELECT DISTINCT "{_LINK}", "household_key" FROM "{linked[0]}") USING ("{_LINK}")'
    fewer = _FEWER if _FEWER in {c["name"] for c in snapshot.tables[table]["columns"]} else ""
    columns = ", ".join(_unit_sql(f, keys[f.id][0], fewer, snapshot) for f in members)
    sql = f'SELECT "{level}_id", {columns} FROM {source} WHERE "{level}_id" IS NOT NULL GROUP BY "{level}_id"'
    for row in duck.execute(sql).fetchall():
        found |= {(f.id, int(row[0])): int(n) for f, n in zip(members, row[1:], strict=True) if n}
    return found


def _joined(snapshot: Snapshot, table: str) -> str:
    """The table of members by which rows that name only a society are those of its households; empty where there is
    none.
    """
    columns = {name: {c["name"] for c in told["columns"]} for name, told in snapshot.tables.items()}
    if _FEWER not in columns[table] or columns[table] & {_LINK, "household_key"}:
        return ""
    return next(
        (
            name
            for name, has in sorted(columns.items())
            if {_FEWER, "household_key"} <= has and name.endswith("_members")
        ),
        "",
    )


def _counted_as_members(
    duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, figure: Figure, joined: str, level: str
) -> dict[Key, int]:
    """The households of the societies whose rows add something; a society of which no member is known is somebody."""
    conditions = " AND ".join([f'"{level}_id" IS NOT NULL', *_conditions(figure, snapshot)])
    sql = f"""
SELECT "{level}_id", count(DISTINCT "household_key") + count(DISTINCT "{_FEWER}") FILTER (WHERE "household_key" IS NULL)
  FROM (SELECT DISTINCT "{level}_id", "{_FEWER}" FROM "{figure.table}" WHERE {conditions})
  LEFT JOIN (SELECT "{_FEWER}", "household_key" FROM "{joined}") USING ("{_FEWER}") GROUP BY 1"""
    return {(figure.id, int(place)): int(n) for place, n in duck.execute(sql).fetchall()}


def _conditions(figure: Figure, snapshot: Snapshot) -> list[str]:
    """Which rows of its table add something to a figure, as SQL."""
    assert figure.value
    argument = figure.value.argument.sql(year=snapshot.year, as_of=snapshot.as_of) if figure.value.argument else ""
    conditions = [f"({argument}) <> 0"] if figure.value.function == "sum" else []
    if figure.where:
        conditions.append(f"({figure.where.sql(year=snapshot.year, as_of=snapshot.as_of)})")
    return conditions


def _key_of(figure: Figure, snapshot: Snapshot) -> tuple[str, str]:
    """The column that tells the units of a figure's rows apart, and the table to fetch it from if it is not its own."""
    columns = {name: {c["name"] for c in told["columns"]} for name, told in snapshot.tables.items()}
    there = columns[figure.table]
    own = figure.table.endswith(f"_{figure.disclosure}s")  # a row of the table is a unit
    key = next((k for k in _KEYS[figure.disclosure] if k in there and (k != "key" or own)), "")
    if not key and figure.disclosure == "household" and _LINK in there:
        lender = next((name for name, has in sorted(columns.items()) if {_LINK, "household_key"} <= has), "")
        return ("household_key", lender) if lender else (_FEWER if _FEWER in there else "", "")
    return key or (_FEWER if _FEWER in there else ""), ""


def _unit_sql(figure: Figure, key: str, fewer: str, snapshot: Snapshot) -> str:
    """How many units the rows come from that add something; never more than there are. Behind rows without a key stands
    somebody.
    """
    assert figure.value
    argument = figure.value.argument.sql(year=snapshot.year, as_of=snapshot.as_of) if figure.value.argument else ""
    conditions = _conditions(figure, snapshot)
    only = f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""
    if key == "key":
        return f"count(*){only}"
    if key and fewer:
        return f'greatest(count(DISTINCT "{key}"){only}, count(DISTINCT "{fewer}"){only})'
    if key:
        return f'count(DISTINCT "{key}"){only}'
    if figure.value.function == "sum" and figure.unit == f"{figure.disclosure}s":
        return f"floor(sum({argument}){only})"  # the rows report how many there are
    return f"least(count(*){only}, 1)"  # somebody; nobody knows how many
