"""A chapter put together: sentences with their figures inside, tables by place, and every figure as a row. Holds no
computing.

Sentence patterns are data (`chapters/*.toml`, or a region's own). A figure that is missing, not collected or withheld
leaves a named gap, never a hole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from karez.chapter.patterns import Pattern, Stretch, TablePattern, pattern_of
from karez.wording.numbers import CHINESE, ENGLISH, figure_words, number_words, unit_words

SUPPRESSED = "suppressed"
STATES = ("value", "missing", "not_collected", "undefined", SUPPRESSED)  # what a published cell may be
# The columns of the file with every figure.
COLUMNS = ("id", "label", "value", "state", "unit", "rounding", "place", "place_name", "as_of", "snapshot")
_GAPS = {
    ENGLISH: {
        "": "no value",
        "not_collected": "not collected",
        "undefined": "cannot be computed",
        SUPPRESSED: "withheld",
    },
    CHINESE: {"": "无数据", "not_collected": "未收集", "undefined": "无法计算", SUPPRESSED: "不予公布"},
}
_AS_OF = {ENGLISH: "as of", CHINESE: "截至"}


@dataclass(frozen=True)
class Piece:
    """A stretch of text, or a figure in it. `figure_id` is empty for text; `gap` tells that the figure has no value."""

    text: str
    figure_id: str = ""
    title: str = ""
    gap: bool = False


@dataclass(frozen=True)
class Section:
    """A headed part of the chapter: paragraphs of pieces, and the names of the pictures that stand under them."""

    title: str
    paragraphs: tuple[tuple[Piece, ...], ...]
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaceTable:
    """A table of figures by place: heads (figure id, label, unit) and, for each place, its name and its numbers as
    printed.

    `corner` heads the first column where its names are not those of places.
    """

    title: str
    by: str
    heads: tuple[tuple[str, str, str], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    corner: str = ""


@dataclass(frozen=True)
class Chapter:
    """What a reader sees: title, sections, tables, and all figures as rows in the order of the declarations."""

    title: str
    sections: tuple[Section, ...]
    rows: tuple[Mapping[str, Any], ...]
    snapshot: str
    as_of: str
    tables: tuple[PlaceTable, ...] = ()
    language: str = ENGLISH


def compose(
    figures: Mapping[str, Any],
    *,
    region: str,
    year: int,
    pattern: Path | None = None,
    language: str = ENGLISH,
    by_place: Iterable[Mapping[str, Any]] = (),
) -> Chapter:
    """The chapter of `figures` (the answer of figures.queries.figures_for, by region); `by_place` are such rows of
    other levels.
    """
    rows = tuple(worded(row, language) for row in figures["figures"])
    by_id = {row["id"]: row for row in rows}
    text = pattern_of(year, by_id, pattern)[language]
    plain = {"region": region, "year": str(year)}
    sections = tuple(
        Section(p.title, tuple(_pieces(s, by_id, plain, language) for s in p.paragraphs), p.pictures)
        for p in text.sections
    )
    first = rows[0] if rows else {}
    tables = _tables(text, by_id, list(by_place), language)
    title = text.title.format(**plain)
    return Chapter(title, sections, rows, str(first.get("snapshot", "")), str(first.get("as_of", "")), tables, language)


def worded(row: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """A row of figures with its label (`name`), its value and its number in words of the language, or the name of its
    gap.
    """
    name = (row.get("label_zh") if language == CHINESE else "") or row["label"]
    exact = _exact(row)
    if exact is None:
        gap = gap_words(str(row.get("state", "")), language)
        return {
            **row,
            "name": name,
            "words": "",
            "number": "",
            "gap": gap,
            "unit_words": unit_words(row["unit"], language),
        }
    rounding = Fraction(str(row.get("rounding", 1)))
    words = figure_words(exact, rounding, row["unit"], language)
    number = number_words(exact, rounding, row["unit"], language)
    return {
        **row,
        "name": name,
        "words": words,
        "number": number,
        "gap": "",
        "unit_words": unit_words(row["unit"], language),
    }


def gap_words(state: str, language: str) -> str:
    """What is said where there is no value."""
    return _GAPS[language].get(state, _GAPS[language][""])


def _exact(row: Mapping[str, Any]) -> Fraction | None:
    """The value without loss where the row carries it so."""
    if row.get("value") is None:
        return None
    return Fraction(str(row["exact"])) if row.get("exact") is not None else Fraction(row["value"])


def _pieces(
    stretches: Sequence[Stretch], by_id: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str], language: str
) -> tuple[Piece, ...]:
    made = (_piece(s, by_id, plain, language) if s.name else Piece(s.text) for s in stretches)
    return tuple(p for p in made if p.text)


def _piece(one: Stretch, by_id: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str], language: str) -> Piece:
    if one.name in plain:
        return Piece(plain[one.name])
    row = by_id.get(one.name)
    if row is None:
        return Piece(f"[{one.name}: {gap_words('', language)}]", gap=True)
    exact, colon = _exact(row), "：" if language == CHINESE else ": "
    title = f"{row['name']} · {row['unit_words']} · {_AS_OF[language]} {row['as_of']}"
    if exact is None:
        return Piece(f"[{row['name']}{colon}{row['gap']}]", one.name, title, gap=True)
    say = number_words if one.form.bare else figure_words
    return Piece(say(exact, Fraction(str(row.get("rounding", 1))), row["unit"], language, one.form), one.name, title)


def _tables(
    text: Pattern, by_id: Mapping[str, Mapping[str, Any]], by_place: Sequence[Mapping[str, Any]], language: str
) -> tuple[PlaceTable, ...]:
    cells = {(r["id"], r["place"]): r for r in by_place}
    places = {r["place"]: r for r in by_place}
    return tuple(
        _table(t, by_id, cells, places, language)
        for t in text.tables
        if by_place and any(i in by_id for i in t.figures)
    )


def _table(
    one: TablePattern,
    by_id: Mapping[str, Mapping[str, Any]],
    cells: Mapping[tuple[str, str], Mapping[str, Any]],
    places: Mapping[str, Mapping[str, Any]],
    language: str,
) -> PlaceTable:
    ids = [i for i in one.figures if i in by_id]
    heads = tuple((i, by_id[i]["name"], _head_unit(by_id[i], language)) for i in ids)
    rows = []
    for code, place in places.items():
        if place["level"] == one.by:
            name = (place.get("place_name_zh") if language == CHINESE else "") or place["place_name"]
            rows.append((name, tuple(_cell(cells.get((i, code)), by_id[i], language) for i in ids)))
    return PlaceTable(one.title, one.by, heads, tuple(rows))


def _cell(row: Mapping[str, Any] | None, head: Mapping[str, Any], language: str) -> str:
    if row is None:
        return gap_words("", language)
    exact = _exact(row)
    if exact is None:
        return gap_words(str(row.get("state", "")), language)
    worth, rounding = _worth(head, language), Fraction(str(head.get("rounding", 1)))
    return number_words(exact / worth, rounding / worth, "", language)


def _worth(head: Mapping[str, Any], language: str) -> int:
    """Money of coarse rounding stands in ten thousands in Chinese tables and in thousands in English ones."""
    if head["unit"] != "yuan" or Fraction(str(head.get("rounding", 1))) < 1000:
        return 1
    return 10_000 if language == CHINESE else 1000


def _head_unit(head: Mapping[str, Any], language: str) -> str:
    if _worth(head, language) == 1:
        return str(head["unit_words"])
    return "万元" if language == CHINESE else "thousand yuan"
