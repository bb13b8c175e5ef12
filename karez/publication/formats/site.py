"""An edition as pages that need no server, no script and nothing from outside: chapter, figures, catalogue, errata, in
both languages.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import get_template

from karez.chapter.compose import Chapter
from karez.chapter.hints import titled
from karez.chapter.maps import county_map
from karez.chapter.pictures import Link, placed
from karez.publication.formats.publication import SUFFIX, Files, Publication
from karez.wording.numbers import LANGUAGES, TAG
from karez.wording.terms import words

_DOWNLOADS = (
    "chapter.pdf",
    "chapter.zh.pdf",
    "chapter.docx",
    "chapter.zh.docx",
    "figures.xlsx",
    "figures.csv",
    "data.zip",
    "data/datapackage.json",
    "edition.json",
)
_KINDS = ("pdf", "pdf_zh", "docx", "docx_zh", "xlsx", "csv", "data_zip", "data", "content")


def site(publication: Publication) -> Files:
    """Every page: `index.html`, `chapter.html`, `catalogue.html`, `errata.html`, `figures/<id>.html`, each in two
    languages, and a style.
    """
    made: Files = {"style.css": get_template("publication/site/style.css").render().encode()}
    for language in LANGUAGES:
        common = _common(publication, language)
        for page in ("index", "chapter", "catalogue", "errata"):
            made[f"{page}{SUFFIX[language]}.html"] = _page(page, {**common, "page": page, "root": ""})
        for figure in publication.content.figures:
            made[f"figures/{figure}{SUFFIX[language]}.html"] = _page(
                "figure", {**common, **_figure(publication, figure, language)}
            )
    return made


def _page(name: str, context: Mapping[str, Any]) -> bytes:
    html: str = get_template(f"publication/site/{name}.html").render(dict(context))
    return html.encode()


def _common(publication: Publication, language: str) -> dict[str, Any]:
    w, chapter = words(language), publication.chapter(language)
    other = next(one for one in LANGUAGES if one != language)
    sections, pictures = placed(
        titled(chapter.sections, publication.counted[language]),
        publication.pictures(language, _link(publication, language)),
    )
    return {
        "w": w,
        "tag": TAG[language],
        "other_tag": TAG[other],
        "end": SUFFIX[language],
        "other_end": SUFFIX[other],
        "publication": publication,
        "chapter": chapter,
        "sections": sections,
        "pictures": pictures,
        "warnings": publication.warnings(language),
        "colophon": publication.colophon(language),
        "corrections": publication.correction_words(language),
        "corrected": {c.figure for c in publication.errata},
        "downloads": [(name, w[kind]) for name, kind in zip(_DOWNLOADS, _KINDS, strict=True)],
        "catalogue": _catalogue(publication, chapter, language),
    }


def _link(publication: Publication, language: str) -> Link:
    def link(figure: str, _area_id: int | None, year: int | None) -> str:
        here = figure in publication.content.figures and year in (None, publication.said["year"])
        return f"figures/{figure}{SUFFIX[language]}.html" if here else ""

    return link


def _catalogue(publication: Publication, chapter: Chapter, language: str) -> list[dict[str, Any]]:
    return [
        {"id": i, "label": publication.label(i, language), "lines": publication.definition(i, language)}
        for i in publication.content.figures
    ]


def _figure(publication: Publication, figure: str, language: str) -> dict[str, Any]:
    told = publication.content.figures[figure]
    rows = publication.rows_of(figure, language)
    return {
        "page": f"figures/{figure}",
        "root": "../",
        "figure": figure,
        "label": publication.label(figure, language),
        "definition": publication.definition(figure, language),
        "declared": publication.declared(figure, language),
        "sql": told["sql"],
        "whole": rows[0] if rows else None,
        "rows": rows,
        "inputs": [
            (i, publication.label(i, language)) for i in told.get("inputs", ()) if i in publication.content.figures
        ],
        "map": _map(publication, figure, rows, language),
        "here": [c for c in publication.correction_words(language) if c["figure"] == figure],
    }


def _map(publication: Publication, figure: str, rows: Sequence[Mapping[str, Any]], language: str) -> str:
    """The counties coloured by the figure, where it reaches down to counties."""
    said, told = publication.said, publication.content.figures[figure]
    return county_map(
        [r for r in rows if r["level"] == "county"],
        region=said["region"]["code"],
        day=said["snapshot"]["as_of"],
        unit=told["unit"],
        rounding=str(told["rounding"]),
        language=language,
        title=publication.label(figure, language),
        description=f"{words(language)['state_of']} {said['snapshot']['as_of']}",
    )
