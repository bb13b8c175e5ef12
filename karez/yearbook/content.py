"""What an edition says, whole: places, figures, cells after disclosure control, sentences in both languages; and its
digest.

The text made here is what people sign and what every format is written from. Nothing in it is finer than a county, and
no row, key or name of a person is in it. Holds no record of who signed.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from karez.closing.snapshots import Snapshot
from karez.figures.declarations import Figure
from karez.figures.engine import Cells, Place, State, cells, declared, resolve, sql_of
from karez.figures.over_years import told_by_other_years
from karez.figures.publication import cells_for_publication
from karez.figures.solver import UNDECIDED
from karez.kernel.printed import plain_number
from karez.kernel.refusal import Refusal
from karez.periods.models import Region
from karez.periods.services import region as the_region
from karez.yearbook.chapter import SUPPRESSED, Chapter, Piece, PlaceTable, Section, compose
from karez.yearbook.money import CAPITAL, OPENING, capital_of, flow_of, sealed_before
from karez.yearbook.other_editions import beside_of
from karez.yearbook.wording import CHINESE, ENGLISH, LANGUAGES

LEVELS = ("region", "prefecture", "county")
FORMAT = 1


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


def content_of(snapshot: Snapshot, signed: Mapping[tuple[int, int], Content] | None = None) -> Content:
    """The content a sealed snapshot yields with the declarations, the sentences and the disclosure rules of now.

    `signed` are the signed editions of all years, by year and number: what they told and what they withheld counts in
    the decision.
    """
    figures = resolve(None, snapshot.year)
    computed = cells(snapshot, figures, LEVELS)
    region = the_region()
    withheld = _withheld(snapshot, figures, computed, signed or {})
    places = [p for p in computed.places.values() if p.level in LEVELS]
    places.sort(key=lambda p: (LEVELS.index(p.level), p.code))
    name = next(p for p in places if p.area_id == region.area_id)
    said: dict[str, Any] = {
        "format": FORMAT,
        "year": snapshot.year,
        "synthetic": region.synthetic,
        "controller": region.controller,
        "region": {
            "code": region.code,
            "place": name.code,
            "name_en": name.name_en or name.name_zh,
            "name_zh": name.name_zh,
        },
        "snapshot": {
            "name": snapshot.name,
            "digest": snapshot.digest,
            "as_of": snapshot.as_of.isoformat(),
            "taken_at": snapshot.taken_at,
        },
        "figures": [_definition(f, snapshot) for f in figures],
        "places": [_place(p, computed.places) for p in places],
        "cells": _published_cells(computed, figures, places, withheld),
        "flow": flow_of(snapshot),
        "capital": _capital(
            snapshot, region, {figure for figure, place in withheld if place == region.area_id}, signed or {}
        ),
    }
    plain = Content(_text(said))
    said["chapters"] = {language: _chapter_as_data(_composed(plain, language)) for language in LANGUAGES}
    return Content(_text(said))


def _capital(
    snapshot: Snapshot, region: Region, withheld: Collection[str], signed: Mapping[tuple[int, int], Content]
) -> list[dict[str, Any]]:
    """The states of the capital of which nothing is withheld, neither in this edition nor in the year they are of."""
    earlier = sealed_before(snapshot)
    held = {s.year: _held_then(s, region.area_id, signed) for s in earlier} | {snapshot.year: withheld}
    states = capital_of([*earlier, snapshot], region.area_id, region.first_year)
    return [s for s in states if not any(figure in held[s["of"]] for figure in s["values"])]


def _held_then(earlier: Snapshot, region: int, signed: Mapping[tuple[int, int], Content]) -> Collection[str]:
    """Which figures of capital may not be told of an earlier year's region: few households stand behind them, or an
    edition withheld them.
    """
    known = declared().of_year(earlier.year)
    ids = [i for i in (*OPENING, *CAPITAL) if i in known]
    decided = cells_for_publication(earlier, ids, ("region",)).suppressed().suppressed if ids else {}
    editions = [content for (year, _number), content in signed.items() if year == earlier.year]
    by_edition = {
        i
        for content in editions
        for i in ids
        if content.cells.get((i, content.said["region"]["place"]), (None, ""))[1] == SUPPRESSED
    }
    return {i for i, place in decided if place == region} | by_edition


def _text(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _definition(figure: Figure, snapshot: Snapshot) -> dict[str, Any]:
    told = figure.as_dict()
    del told["file"]
    return {**told, "sql": sql_of(figure.id, snapshot)}


def _place(place: Place, places: Mapping[int, Place]) -> dict[str, Any]:
    parent = places.get(place.parent_id) if place.parent_id is not None else None
    return {
        "code": place.code,
        "level": place.level,
        "name_en": place.name_en,
        "name_zh": place.name_zh,
        "area_id": place.area_id,
        "parent": parent.code if parent else "",
    }


def _withheld(
    snapshot: Snapshot, figures: Sequence[Figure], computed: Cells, signed: Mapping[tuple[int, int], Content]
) -> Collection[tuple[str, int]]:
    """The cells that disclosure control takes out, decided over the whole set; refuses to publish what would still be
    exposed.
    """
    publication = cells_for_publication(snapshot, levels=LEVELS)
    others = beside_of(publication, snapshot.year, figures, computed.places, signed)
    decided = publication.suppressed(others)
    exposed = [e for e in decided.exposed if not told_by_other_years(e, snapshot.year)]
    if undecided := [e for e in exposed if e.how == UNDECIDED]:
        raise Refusal(
            "yearbook.undecided",
            record=f"{snapshot.region} {snapshot.year}",
            found=f"{len(undecided)} withheld cells of which it cannot be shown that they stay unknown",
            expected="none",
            rule=(
                "what is printed beside a withheld cell fits together, and how open it stays can be worked out "
                "within bounds"
            ),
            todo="leave a figure out of the year's declarations, or look for editions that contradict each other",
        )
    if exposed:
        raise Refusal(
            "yearbook.exposed",
            record=f"{snapshot.region} {snapshot.year}",
            found=f"{len(exposed)} small cells that can be worked out",
            expected="none",
            rule="fewer than 10 persons or households are not published and do not follow from what is",
            todo="leave a figure out of the year's declarations, or make its disclosure unit coarser",
        )
    return decided.suppressed.keys()


def _published_cells(
    computed: Cells, figures: Sequence[Figure], places: Sequence[Place], withheld: Collection[tuple[str, int]]
) -> list[list[str | None]]:
    """Every cell as published: figure, code of the place, exact value (None where there is none), state. No state says
    why.
    """
    made: list[list[str | None]] = []
    for figure in figures:
        for place in places:
            value = computed.value(figure.id, place.area_id)
            if (figure.id, place.area_id) in withheld:
                made.append([figure.id, place.code, None, SUPPRESSED])
            else:
                exact = None if value.value is None or value.state is not State.VALUE else str(value.value)
                made.append([figure.id, place.code, exact, value.state.value])
    return made


def _composed(content: Content, language: str) -> Chapter:
    said = content.said
    name = said["region"]["name_zh"] if language == CHINESE else said["region"]["name_en"]
    by_place = [r for r in content.rows() if r["level"] != "region"]
    return compose(
        {"figures": content.rows("region")}, region=name, year=said["year"], language=language, by_place=by_place
    )


def _number(exact: str | None) -> int | float | str | None:
    return None if exact is None else plain_number(Fraction(exact))


# A composed chapter as data, and back.


def _chapter_as_data(chapter: Chapter) -> dict[str, Any]:
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


__all__ = ["CHINESE", "ENGLISH", "LANGUAGES", "LEVELS", "Content", "content_of"]
