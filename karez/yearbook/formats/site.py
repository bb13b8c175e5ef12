"""An edition as pages that need no server, no script and nothing from outside: chapter, figures, catalogue, errata, in both languages."""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from django.template.loader import get_template

from karez.places.shapes import SUPPRESSED as MARK
from karez.places.shapes import shapes_of
from karez.places.shapes.drawing import Drawn, drawn_of, svg_of
from karez.yearbook.chapter import SUPPRESSED, Chapter
from karez.yearbook.formats.publication import SUFFIX, TAG, Files, Publication, words
from karez.yearbook.wording import CHINESE, LANGUAGES, number_words, unit_words

_DOWNLOADS = ("chapter.pdf", "chapter.zh.pdf", "chapter.docx", "chapter.zh.docx", "figures.xlsx", "figures.csv", "data/datapackage.json", "edition.json")
_KINDS = ("pdf", "pdf_zh", "docx", "docx_zh", "xlsx", "csv", "data", "content")


def site(publication: Publication) -> Files:
    """Every page: `index.html`, `chapter.html`, `catalogue.html`, `errata.html`, `figures/<id>.html`, each in two languages, and a style."""
    made: Files = {"style.css": get_template("yearbook/site/style.css").render().encode()}
    for language in LANGUAGES:
        common = _common(publication, language)
        for page in ("index", "chapter", "catalogue", "errata"):
            made[f"{page}{SUFFIX[language]}.html"] = _page(page, {**common, "page": page, "root": ""})
        for figure in publication.content.figures:
            made[f"figures/{figure}{SUFFIX[language]}.html"] = _page("figure", {**common, **_figure(publication, figure, language)})
    return made


def _page(name: str, context: Mapping[str, Any]) -> bytes:
    html: str = get_template(f"yearbook/site/{name}.html").render(dict(context))
    return html.encode()


def _common(publication: Publication, language: str) -> dict[str, Any]:
    w, chapter = words(language), publication.chapter(language)
    other = next(one for one in LANGUAGES if one != language)
    return {
        "w": w, "tag": TAG[language], "other_tag": TAG[other], "end": SUFFIX[language], "other_end": SUFFIX[other],
        "publication": publication, "chapter": chapter, "warnings": publication.warnings(language), "colophon": publication.colophon(language),
        "corrections": publication.correction_words(language), "corrected": {c.figure for c in publication.errata},
        "downloads": [(name, w[kind]) for name, kind in zip(_DOWNLOADS, _KINDS, strict=True)],
        "catalogue": _catalogue(publication, chapter, language),
    }  # fmt: skip


def _catalogue(publication: Publication, chapter: Chapter, language: str) -> list[dict[str, Any]]:
    return [
        {"id": i, "label": publication.label(i, language), "lines": publication.definition(i, language)} for i in publication.content.figures
    ]


def _figure(publication: Publication, figure: str, language: str) -> dict[str, Any]:
    told = publication.content.figures[figure]
    rows = publication.rows_of(figure, language)
    return {
        "page": f"figures/{figure}", "root": "../", "figure": figure, "label": publication.label(figure, language),
        "definition": publication.definition(figure, language), "sql": told["sql"], "whole": rows[0] if rows else None, "rows": rows,
        "inputs": [(i, publication.label(i, language)) for i in told.get("inputs", ()) if i in publication.content.figures],
        "map": _map(publication, figure, rows, language),
        "here": [c for c in publication.correction_words(language) if c["figure"] == figure],
    }  # fmt: skip


def _map(publication: Publication, figure: str, rows: Sequence[Mapping[str, Any]], language: str) -> str:
    """The counties coloured by the figure, where shapes are shipped and the figure reaches down to counties."""
    said, told = publication.said, publication.content.figures[figure]
    counties = [r for r in rows if r["level"] == "county"]
    if not any(r["exact"] is not None for r in counties):
        return ""
    shapes = _drawn(said["region"]["code"], said["snapshot"]["as_of"], language)
    if shapes is None:
        return ""
    values = {r["place"]: Fraction(r["exact"]) if r["exact"] is not None else MARK if r["state"] == SUPPRESSED else None for r in counties}
    rounding = Fraction(str(told["rounding"]))
    return svg_of(
        *(shapes[0], values, _WIDTH, shapes[1]), title=publication.label(figure, language), prefix="map", links=None,
        description=f"{words(language)['state_of']} {said['snapshot']['as_of']}", unit=unit_words(told["unit"], language),
        number=lambda value: number_words(Fraction(value), rounding, "", language),
    )  # fmt: skip


@cache
def _drawn(region: str, day: str, language: str) -> tuple[Sequence[Drawn], int] | None:
    shapes = shapes_of(region, date.fromisoformat(day))
    return None if shapes is None else drawn_of(shapes, "zh" if language == CHINESE else "en", _WIDTH)


_WIDTH = 720
