"""A chapter put together: sentences with their figures inside, and one table of every figure. Holds no computing.

Sentence patterns are data (`chapters/*.toml`). A figure that is missing or unknown leaves a named gap, never a hole.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from karez.kernel.refusal import Refusal
from karez.yearbook.wording import figure_words, number_words

FOLDER = Path(__file__).parent / "chapters"
_PLACE = re.compile(r"\{([a-z0-9_.]+)(?:\|(number))?\}")


@dataclass(frozen=True)
class Piece:
    """A stretch of text, or a figure in it. `figure_id` is empty for text; `gap` tells that the figure has no value."""

    text: str
    figure_id: str = ""
    title: str = ""
    gap: bool = False


@dataclass(frozen=True)
class Section:
    """A headed part of the chapter: paragraphs of pieces."""

    title: str
    paragraphs: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True)
class Chapter:
    """What a reader sees: title, sections, and all figures as rows in the order of the declarations."""

    title: str
    sections: tuple[Section, ...]
    rows: tuple[Mapping[str, Any], ...]
    snapshot: str
    as_of: str


def compose(figures: Mapping[str, Any], *, region: str, year: int, pattern: Path | None = None) -> Chapter:
    """The chapter of `figures` (the answer of figures.queries.figures_for, by region)."""
    rows = tuple(_worded(row) for row in figures["figures"])
    by_id = {row["id"]: row for row in rows}
    text = _pattern(pattern or FOLDER / "mutual-funds-year.toml")
    plain = {"region": region, "year": str(year)}
    sections = tuple(
        Section(part["title"], tuple(_pieces(p, by_id, plain) for p in part["paragraphs"])) for part in text["section"]
    )
    first = rows[0] if rows else {}
    title = text["title"].format(**plain)
    return Chapter(title, sections, rows, str(first.get("snapshot", "")), str(first.get("as_of", "")))


def _worded(row: Mapping[str, Any]) -> Mapping[str, Any]:
    value = row["value"]
    if value is None:
        return {**row, "words": "", "number": ""}
    exact, rounding = Fraction(value), Fraction(str(row.get("rounding", 1)))
    words = figure_words(exact, rounding, row["unit"])
    return {**row, "words": words, "number": number_words(exact, rounding, row["unit"])}


def _pieces(pattern: str, by_id: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str]) -> tuple[Piece, ...]:
    pieces, at = [], 0
    for match in _PLACE.finditer(pattern):
        pieces.append(Piece(pattern[at : match.start()]))
        pieces.append(_piece(match[1], match[2], by_id, plain))
        at = match.end()
    pieces.append(Piece(pattern[at:]))
    return tuple(p for p in pieces if p.text)


def _piece(name: str, form: str | None, by_id: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str]) -> Piece:
    if name in plain:
        return Piece(plain[name])
    row = by_id.get(name)
    if row is None or row["value"] is None:
        return Piece(f"[{row['label'] if row else name}: no value]", name if row else "", gap=True)
    title = f"{row['label']} · {row['unit']} · as of {row['as_of']}"
    return Piece(row["number"] if form == "number" else row["words"], name, title)


def _pattern(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise Refusal(
            "yearbook.pattern", record=path.name, found=str(fault), expected="a TOML file of sentences",
            rule="a chapter's sentences are data", todo="mend the line named",
        ) from fault  # fmt: skip
