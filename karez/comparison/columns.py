"""Figures of several years, places and sources set side by side: columns, rows, and how they compare. Holds no page and
computes no figures.

A column is a place of a sealed year, a printed chapter, or a place of a package that another installation published.
What a column does not say is named, never blank; values are compared only where they are in one unit, by one definition
as far as it is told, and of the column's own place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from django.urls import reverse
from django.utils.html import escape

from karez.access.models import User
from karez.closing.snapshots import Snapshot
from karez.comparison.definitions import UNTOLD, Definition, definition_of, published_definition
from karez.comparison.package_file import Package
from karez.comparison.printed_labels import places_words, printed_label
from karez.figures import queries as figures
from karez.figures.engine import Place, declared
from karez.kernel.messages import say
from karez.kernel.printed import PrintedNumber, Qualifier, digits, rounds_to
from karez.kernel.refusal import Refusal
from karez.periods.services import region as the_region
from karez.proofreader.chapter_file import PrintedFigure, read_chapter
from karez.proofreader.proof import DATA
from karez.proofreader.words import printed_text
from karez.wording.numbers import CHINESE

COMPUTED, PRINTED, PUBLISHED = "computed", "printed", "published"


@dataclass(frozen=True)
class Cell:
    """What a column says of a figure: a value with its words, or why there is none. `verdict`: agrees or differs, of
    print against computed.
    """

    value: Fraction | None
    words: str
    unit: str
    state: str = "value"
    hedge: str = "exact"
    link: str = ""
    of_place: str = ""  # where it speaks of another place than its column
    printed: PrintedNumber | None = None
    verdict: str = ""
    own_words: str = ""  # what a printed chapter calls it
    unit_words: str = ""
    definition: Definition = UNTOLD
    other_definition: bool = False  # counted in another way than the first column that tells how it counts


@dataclass(frozen=True)
class Column:
    """A source of figures at one place in one year."""

    title: str
    kind: str
    year: int
    code: str
    cells: Mapping[str, Cell]
    labels: Mapping[str, tuple[str, str]]  # id -> label, label in Chinese


@dataclass(frozen=True)
class Row:
    """A figure across the columns; `None` where a column does not know it."""

    id: str
    label: str
    unit: str
    cells: tuple[Cell | None, ...]
    declared: bool

    @property
    def said(self) -> int:
        """How many columns know the figure."""
        return sum(c is not None for c in self.cells)

    @property
    def bars(self) -> list[tuple[int, Fraction, bool]]:
        """Number of the column, share of the largest value, and whether it is only hedged; empty where they do not
        compare.
        """
        found = [
            (n, c)
            for n, c in enumerate(self.cells, start=1)
            if c is not None and c.value is not None and self._compares(c)
        ]
        values = [c.value for _n, c in found if c.value is not None]
        if len(found) < 2 or min(values) < 0 or not max(values):
            return []
        sure = (Qualifier.EXACT.value, Qualifier.ROUNDED.value)
        return [(n, c.value / max(values), c.hedge not in sure) for n, c in found if c.value is not None]

    def _compares(self, cell: Cell) -> bool:
        return not cell.of_place and not cell.other_definition and cell.unit == self.unit


# Columns.


def computed_column(actor: User, snapshot: Snapshot, place: Place, language: str) -> Column:
    """The figures of a place in a sealed year; refuses a place whose figures the actor may not see."""
    code = the_region().code
    found = figures.figures_for(actor, code, snapshot.year, by=place.level, snapshot=snapshot)["figures"]
    rows = [r for r in found if r["area_id"] == place.area_id]
    if not rows:
        raise Refusal(
            "access.not_granted",
            record=place.code,
            found=say("a place that is not among yours"),
            expected=say("a place granted to you, or one above it"),
            rule=say("what a person may see and do follows the areas granted to them"),
            todo=say("choose a place from the list"),
            unseen=True,
        )
    at_region, known = place.area_id == the_region().area_id, declared().of_year(snapshot.year)
    cells, labels = {}, {}
    for r in rows:
        address = reverse("trace:trace", args=[code, snapshot.year, r["id"]]) + (
            "" if at_region else f"?area={place.area_id}"
        )
        value = None if r["exact"] is None else Fraction(r["exact"])
        words = "" if value is None else digits(value, Fraction(r["rounding"]))
        cells[r["id"]] = Cell(
            value, words, r["unit"], r["state"], link=address, definition=definition_of(known[r["id"]], known)
        )
        labels[r["id"]] = (r["label"], r["label_zh"])
    name = (place.name_zh or place.name_en) if language == CHINESE else (place.name_en or place.name_zh)
    return Column(f"{name} {snapshot.year}", COMPUTED, snapshot.year, code if at_region else place.code, cells, labels)


def printed_column(name: str, title: str, language: str) -> Column:
    """A printed chapter that comes with the program, with its hedges. It tells no definitions."""
    rows, code = printed_rows(name)
    cells = {
        r.id: Cell(
            r.printed.fraction,
            str(printed_text(r.printed)),
            r.printed.unit,
            hedge=r.printed.qualifier.value,
            of_place="" if r.cells["place"] == code else places_words(r.cells["place"], language),
            printed=r.printed,
            own_words=(printed_label(name, r.id) if language == CHINESE else "") or r.label,
        )
        for r in rows
    }
    return Column(
        title,
        PRINTED,
        int(name.rpartition("-")[2]),
        code,
        cells,
        {r.id: (r.label, printed_label(name, r.id)) for r in rows},
    )


@lru_cache(maxsize=8)
def printed_rows(name: str) -> tuple[tuple[PrintedFigure, ...], str]:
    """The rows of a chapter that comes with the program, and the code of its region: the place most rows are of."""
    found = read_chapter((DATA / f"{name}.csv").read_bytes()).figures
    places = [r.cells["place"] for r in found]
    return tuple(found), max(set(places), key=places.count)


def published_column(package: Package, code: str, language: str) -> Column:
    """A place of a package another installation published."""
    where = package.places[code]
    cells, labels = {}, {}
    for (figure, place), (value, state) in package.values.items():
        if place == code:
            told = package.figures[figure]
            words = "" if value is None else digits(value, told.rounding)
            cells[figure] = Cell(
                value, words, told.unit, state, definition=published_definition(figure, package.figures)
            )
            labels[figure] = (told.label, told.label_zh)
    name = (where.name_zh or where.name_en) if language == CHINESE else (where.name_en or where.name_zh)
    return Column(f"{name or code} {package.year}", PUBLISHED, package.year, code, cells, labels)


# Rows.


def rows_of(columns: Sequence[Column], language: str) -> list[Row]:
    """Every figure that a column knows, in the order of the declarations, then of the columns."""
    aliases = declared().aliases
    judged = [_judged(column, columns, aliases) for column in columns]
    ids = dict.fromkeys(f.id for f in declared().figures)
    known = dict.fromkeys(i for column in columns for i in column.cells)
    order = [i for i in ids if i in known] + [i for i in known if i not in ids]
    return [_row(i, judged, aliases, language, i in ids or i in aliases) for i in order]


def _row(figure: str, columns: Sequence[Column], aliases: Mapping[str, str], language: str, known: bool) -> Row:
    same = aliases.get(figure, figure)
    cells = tuple(c.cells.get(figure) or (c.cells.get(same) if c.kind != PRINTED else None) for c in columns)
    named = next((c.labels[i] for c in columns for i in (figure, same) if i in c.labels), (figure, ""))
    english, chinese = named
    unit = next(
        (c.unit for c in cells if c is not None and c.value is not None),
        next((c.unit for c in cells if c is not None), ""),
    )
    cells = _by_definition(cells)
    return Row(figure, (chinese or english) if language == CHINESE else (english or chinese), unit, cells, known)


def _by_definition(cells: tuple[Cell | None, ...]) -> tuple[Cell | None, ...]:
    """The cells, those marked that are counted in another way than the first that tells how."""
    first = next((c.definition for c in cells if c is not None and c.definition.told), None)
    if first is None:
        return cells
    return tuple(
        replace(c, other_definition=True) if c is not None and c.definition.differs(first) else c for c in cells
    )


def _judged(column: Column, columns: Sequence[Column], aliases: Mapping[str, str]) -> Column:
    """A printed column with every figure held against what is computed of the same region and year, if that is beside
    it.
    """
    other = next((c for c in columns if c.kind == COMPUTED and (c.year, c.code) == (column.year, column.code)), None)
    if column.kind != PRINTED or other is None:
        return column
    return replace(
        column,
        cells={
            i: _held_against(cell, other.cells.get(i) or other.cells.get(aliases.get(i, i)))
            for i, cell in column.cells.items()
        },
    )


def _held_against(cell: Cell, computed: Cell | None) -> Cell:
    if (
        computed is None
        or computed.value is None
        or cell.printed is None
        or cell.of_place
        or computed.unit != cell.unit
    ):
        return cell
    return replace(cell, verdict="agrees" if rounds_to(computed.value, cell.printed) else "differs")


def picture(row: Row, titles: Sequence[str]) -> str:
    """A bar for each column that compares, under the number of its column; empty where fewer than two do."""
    bars = row.bars
    if not bars:
        return ""
    height = _BAR * len(bars)
    said = "; ".join(f"{titles[n - 1]}: {row.cells[n - 1].words}" for n, _s, _h in bars if row.cells[n - 1] is not None)  # type: ignore[union-attr]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sidebars" role="img" aria-label="{escape(said)}" '
        f'viewBox="0 0 {_WIDE} {height}" width="{_WIDE}" height="{height}" font-size="9">'
    )
    return head + "".join(_bar(at, *bar) for at, bar in enumerate(bars)) + "</svg>"


_BAR, _WIDE, _LEFT = 11, 130, 14


def _bar(at: int, number: int, share: Fraction, hedged: bool) -> str:
    wide, y = max(1.0, float(share) * (_WIDE - _LEFT)), at * _BAR
    shape = ' class="hedged"' if hedged else ""
    return (
        f'<text x="0" y="{y + 9}" fill="currentColor">{number}</text><rect{shape} x="{_LEFT}" y="{y + 2}" '
        f'width="{wide:.1f}" height="{_BAR - 4}" rx="1"/>'
    )
