"""What an edition says, read from its text: places, figures, cells after disclosure control, sentences in both languages;
and its digest.

The text is what people sign and what every format is written from. Nothing in it is finer than a county, and no row,
key or name of a person is in it. Holds no record of who signed; `content_making.py` makes it of a snapshot.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from karez.chapter.compose import Chapter, Piece, PlaceTable, Section
from karez.kernel.printed import plain_number

LEVELS = ("region", "prefecture", "county")


@dataclass(frozen=True)
class Content:
    """An edition's content, read from its text. The digest is that of the text's bytes in UTF-8.

    `corrected` is no part of it: what approved errata beside it say, (figure, place) -> exact value, the last word for
    each.
    """

    text: str
    corrected: Mapping[tuple[str, str], str] = field(default_factory=dict, compare=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """The text, read."""
        read: dict[str, Any] = json.loads(self.text)
        return read

    @cached_property
    def figures(self) -> Mapping[str, Mapping[str, Any]]:
        """Figures by id, in the order of the declarations."""
        return {f["id"]: f for f in self.said["figures"]}

    @cached_property
    def places(self) -> Mapping[str, Mapping[str, Any]]:
        """Places by code: the region, its prefectures, its counties."""
        return {p["code"]: p for p in self.said["places"]}

    @cached_property
    def cells(self) -> Mapping[tuple[str, str], tuple[str | None, str]]:
        """(figure, place) -> exact value or None, and its state."""
        return {(i, place): (exact, state) for i, place, exact, state in self.said["cells"]}

    def rows(self, level: str | None = None, figure: str | None = None) -> list[dict[str, Any]]:
        """Cells as rows of figures (see figures.queries.figures_for), of one level or figure if given."""
        snapshot, made = self.said["snapshot"], []
        for (i, code), (exact, state) in self.cells.items():
            place, told = self.places[code], self.figures[i]
            if (level is None or place["level"] == level) and (figure is None or i == figure):
                made.append(
                    {
                        "id": i,
                        "label": told["label"],
                        "label_zh": told["label_zh"],
                        "unit": told["unit"],
                        "kind": told["kind"],
                        "rounding": told["rounding"],
                        "exact": exact,
                        "value": _number(exact),
                        "state": state,
                        "place": code,
                        "place_name": place["name_en"] or place["name_zh"],
                        "place_name_zh": place["name_zh"],
                        "level": place["level"],
                        "area_id": place["area_id"],
                        "as_of": snapshot["as_of"],
                        "snapshot": snapshot["name"],
                    }
                )
        return made

    def chapter(self, language: str) -> Chapter:
        """The chapter as it was composed and is signed, in a language."""
        return _chapter_from(self.said["chapters"][language])


def _number(exact: str | None) -> int | float | str | None:
    return None if exact is None else plain_number(Fraction(exact))


# A composed chapter as data, and back.


def chapter_as_data(chapter: Chapter) -> dict[str, Any]:
    return {
        "title": chapter.title,
        "language": chapter.language,
        "sections": [
            {
                "title": s.title,
                "paragraphs": [
                    [[p.text, p.figure_id, p.title, p.gap] for p in paragraph] for paragraph in s.paragraphs
                ],
                "pictures": s.pictures,
            }
            for s in chapter.sections
        ],
        "tables": [{"title": t.title, "by": t.by, "heads": t.heads, "rows": t.rows} for t in chapter.tables],
        "rows": [{k: r[k] for k in _ROW} for r in chapter.rows],
        "snapshot": chapter.snapshot,
        "as_of": chapter.as_of,
    }


_ROW = (
    "id", "name", "label", "label_zh", "unit", "unit_words", "kind", "value", "exact", "state", "rounding", "words", "number", "gap",
    "place", "place_name", "as_of", "snapshot",
)  # fmt: skip


def _chapter_from(data: Mapping[str, Any]) -> Chapter:
    sections = tuple(
        Section(s["title"], tuple(tuple(Piece(*p) for p in ps) for ps in s["paragraphs"]), tuple(s.get("pictures", ())))
        for s in data["sections"]
    )
    tables = tuple(
        PlaceTable(
            t["title"],
            t["by"],
            tuple((h[0], h[1], h[2]) for h in t["heads"]),
            tuple((r[0], tuple(r[1])) for r in t["rows"]),
        )
        for t in data["tables"]
    )
    return Chapter(
        data["title"], sections, tuple(data["rows"]), data["snapshot"], data["as_of"], tables, data["language"]
    )
