"""What all formats are written from: the content, who signed it, the errata beside it, and the words around it. No file
is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cached_property
from typing import Any

from karez.chapter.compose import Chapter, PlaceTable, worded
from karez.chapter.hints import counted_then
from karez.chapter.pictures import (
    Link,
    Named,
    Picture,
    capital_picture,
    coverage_picture,
    flow_picture,
    nowhere,
)
from karez.publication.content import Content
from karez.wording.numbers import CHINESE, ENGLISH, LANGUAGES, figure_words, unit_words
from karez.wording.terms import words

Files = dict[str, bytes]
SUFFIX = {ENGLISH: "", CHINESE: ".zh"}


@dataclass(frozen=True)
class Signature:
    """Who did what to the edition, and on which day."""

    step: str
    name: str
    day: str


@dataclass(frozen=True)
class Correction:
    """An approved erratum, exact values in the figure's unit."""

    figure: str
    place: str
    printed: str
    corrected: str
    reason: str
    names: tuple[str, str]
    day: str


@dataclass(frozen=True)
class Publication:
    """An edition ready to be written. Without a number it is a sealed year that nobody has signed."""

    content: Content
    number: int | None = None
    signatures: Sequence[Signature] = ()
    errata: Sequence[Correction] = ()

    @property
    def signed(self) -> bool:
        """Whether three people stand for it."""
        return any(s.step == "signed" for s in self.signatures)

    @property
    def said(self) -> Mapping[str, Any]:
        """The content, read."""
        return self.content.said

    @cached_property
    def moment(self) -> datetime:
        """The instant the snapshot was taken, in whole seconds of UTC: the date of every file."""
        return datetime.fromisoformat(self.said["snapshot"]["taken_at"]).astimezone(UTC).replace(microsecond=0)

    @cached_property
    def _chapters(self) -> dict[str, Chapter]:
        return {language: self.content.chapter(language) for language in LANGUAGES}

    def chapter(self, language: str) -> Chapter:
        """The chapter in a language."""
        return self._chapters[language]

    def pictures(self, language: str, link: Link = nowhere) -> list[Picture]:
        """Map, chart and flow of the edition, as far as it has anything to show; `link` gives the address of a figure's
        page.
        """
        said = self.said
        places = {p["code"]: Named(p["area_id"], p["name_en"], p["name_zh"]) for p in said["places"]}
        labels = {i: self.label(i, language) for i in self.content.figures}
        found = [
            coverage_picture(self.content.rows("county"), region=said["region"]["code"], language=language, link=link),
            capital_picture(said.get("capital", ()), labels, language=language, link=link),
            flow_picture(
                said.get("flow"), places, year=said["year"], day=said["snapshot"]["as_of"], language=language, link=link
            ),
        ]
        return [p for p in found if p]

    @cached_property
    def printed(self) -> dict[str, list[Picture]]:
        """The pictures in each language as they are on paper, where nothing leads anywhere."""
        return {language: self.pictures(language) for language in LANGUAGES}

    def tables(self, language: str) -> list[PlaceTable]:
        """The tables on paper: those of the chapter, and the amounts of its pictures that are in none of them."""
        chapter = self.chapter(language).tables
        told = {head[0] for t in chapter if t.by == "county" for head in t.heads}
        made = [
            PlaceTable(
                p.title,
                "",
                tuple((p.figure, head, p.unit) for head in p.heads[1:]),
                tuple((row[0].text, tuple(cell.text for cell in row[1:])) for row in p.rows),
                p.heads[0],
            )
            for p in self.printed[language]
            if p.rows and not (p.name == "coverage" and p.figure in told)
        ]
        return [*made, *chapter]

    def place_name(self, code: str, language: str) -> str:
        """A place's name in a language, where it has one."""
        place = self.content.places[code]
        return str(
            (place["name_zh"] if language == CHINESE else place["name_en"]) or place["name_zh"] or place["name_en"]
        )

    def label(self, figure: str, language: str) -> str:
        """A figure's label in a language, where it has one."""
        told = self.content.figures[figure]
        return str((told["label_zh"] if language == CHINESE else "") or told["label"])

    @cached_property
    def _by_figure(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.content.rows():
            found.setdefault(row["id"], []).append(row)
        return found

    def rows_of(self, figure: str, language: str) -> list[dict[str, Any]]:
        """Every cell of a figure in words: region, prefectures, counties."""
        return [
            {**worded(r, language), "place_words": self.place_name(r["place"], language), "depth": _DEPTH[r["level"]]}
            for r in self._by_figure.get(figure, ())
        ]

    def definition(self, figure: str, language: str) -> list[tuple[str, str]]:
        """What a figure is, as named lines for readers."""
        told, w = self.content.figures[figure], words(language)
        lines = [(w["counted"], self.counted[language][figure])]
        since = f"{told['valid_from']}" + (f"–{told['valid_before'] - 1}" if told["valid_before"] else "")
        lines += [
            (w["unit"], unit_words(told["unit"], language)),
            (w["kind"], w["kind_" + told["kind"]]),
            (w["since"], since),
        ]
        source = (told.get("source_zh") if language == CHINESE else "") or told["source"]
        lines += [
            (w["source"], source),
            (w["disclosure"], w["unit_" + told["disclosure"]]),
            (w["rounding"], told["rounding"]),
            (w["note"], (told.get("note_zh") if language == CHINESE else "") or told["note"]),
        ]
        return [(name, str(value)) for name, value in lines if value]

    def note(self, figure: str, language: str) -> str:
        """The definition in a run of text: what the figure tells, then the named lines."""
        (_name, tells), *lines = self.definition(figure, language)
        return f"{tells}{'' if language == CHINESE else ' '}{'; '.join(f'{name}: {value}' for name, value in lines)}"

    def declared(self, figure: str, language: str) -> list[tuple[str, str]]:
        """How a figure is computed, as it is declared: for those who read formulas and SQL."""
        told, w = self.content.figures[figure], words(language)
        lines = [
            (w["formula"], told.get("formula")),
            (w["computed"], told.get("value")),
            (w["of"], told.get("table")),
            (w["where"], told.get("where")),
        ]
        return [(name, str(value)) for name, value in lines if value]

    @cached_property
    def counted(self) -> Mapping[str, Mapping[str, str]]:
        """What every figure counts, as plain sentences, by language and id."""
        return {language: counted_then(self.content.figures, language) for language in LANGUAGES}

    def correction_words(self, language: str) -> list[dict[str, str]]:
        """The errata in words."""
        made = []
        for one in self.errata:
            told = self.content.figures[one.figure]
            rounding = Fraction(str(told["rounding"]))
            printed, corrected = (_told(x, rounding, told["unit"], language) for x in (one.printed, one.corrected))
            made.append(
                {
                    "figure": one.figure,
                    "label": self.label(one.figure, language),
                    "place": self.place_name(one.place, language),
                    "printed": printed,
                    "corrected": corrected,
                    "reason": one.reason,
                    "names": ", ".join(one.names),
                    "day": one.day,
                }
            )
        return made

    def colophon(self, language: str) -> list[tuple[str, str]]:
        """Edition, signatures, state and digests, as named lines."""
        w, snapshot = words(language), self.said["snapshot"]
        lines = [(w["edition"], str(self.number) if self.number else w["unsigned"])]
        lines += [(w[s.step], f"{s.name}, {s.day}") for s in self.signatures]
        lines += [(w["state_of"], snapshot["as_of"]), (w["snapshot"], snapshot["name"])]
        lines += [(w["snapshot_digest"], snapshot["digest"]), (w["digest"], self.content.digest)]
        return lines

    def warnings(self, language: str) -> list[str]:
        """What must stand above everything: synthetic data, and that nobody has signed."""
        w = words(language)
        return ([w["synthetic"]] if self.said["synthetic"] else []) + ([] if self.signed else [w["not_signed"]])


_DEPTH = {"region": 0, "prefecture": 1, "county": 2}


def _told(exact: str, rounding: Fraction, unit: str, language: str) -> str:
    """A value so that what was printed and what is right are seen to differ."""
    return figure_words(
        Fraction(exact), min(rounding, Fraction(1)) if Fraction(exact).denominator == 1 else rounding, unit, language
    )
