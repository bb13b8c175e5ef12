"""The chapter as PDF by typst: contents, page numbers, notes on the figures. A character that no font can draw is an
error, never a blank.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import manimgx_fonts_cjk
import typst
from fontTools.ttLib import TTCollection

from karez.chapter.pictures import Picture, placed
from karez.kernel.messages import say
from karez.kernel.refusal import Refusal
from karez.publication.formats.publication import SUFFIX, Files, Publication
from karez.wording.numbers import CHINESE, LANGUAGES
from karez.wording.terms import words

TEMPLATE = Path(__file__).with_name("chapter.typ")
FONTS = Path(manimgx_fonts_cjk.__file__).parent
_PAGE = {CHINESE: ("第", "页，共", "页")}


def pdf(publication: Publication) -> Files:
    """`chapter.pdf` in English and `chapter.zh.pdf` in Chinese."""
    return {
        f"chapter{SUFFIX[language]}.pdf": render(content_for(publication, language), publication)
        for language in LANGUAGES
    }


def render(content: dict[str, Any], publication: Publication) -> bytes:
    """Sets the content, after making sure that every character of it can be drawn."""
    require_glyphs(content)
    return compiled(json.dumps(content, ensure_ascii=False, sort_keys=True), int(publication.moment.timestamp()))


def compiled(content: str, timestamp: int) -> bytes:
    """The PDF of content as JSON, as typst makes it."""
    made = typst.compile(
        TEMPLATE,
        font_paths=fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"content": content},
        timestamp=timestamp,
    )
    assert isinstance(made, bytes)
    return made


def require_glyphs(content: object) -> None:
    """Refuses text with characters that the fonts do not have: typst would leave them out without a word."""
    missing = sorted({c for text in _texts(content) for c in text if c not in "\n\t"} - _drawable())
    if missing:
        raise Refusal(
            "publication.missing_glyph",
            record=", ".join(f"U+{ord(c):04X}" for c in missing[:20]),
            found=say("{count} characters no font has", count=len(missing)),
            expected=say("characters of Noto Sans CJK"),
            rule=say("a missing glyph is an error, never a blank"),
            todo=say("write the name or the sentence otherwise"),
        )


@cache
def _drawable() -> frozenset[str]:
    """What the Chinese font draws; it has Latin, Greek and Cyrillic too, so it stands in wherever another font lacks a
    character.
    """
    file = next(FONTS.glob("*.ttc"))
    with TTCollection(str(file), lazy=True) as collection:
        font = next(f for f in collection.fonts if f["name"].getDebugName(1) == "Noto Sans CJK SC")
        return frozenset(map(chr, font.getBestCmap()))


@cache
def fonts() -> typst.Fonts:
    """The fonts that everything on paper is set in."""
    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)


def content_for(publication: Publication, language: str) -> dict[str, Any]:
    """What the template is given: everything in words."""
    w, chapter, moment = words(language), publication.chapter(language), publication.moment
    sections, others = placed(chapter.sections, publication.printed[language])
    order = {i: n for n, i in enumerate(dict.fromkeys(_named(publication, language)), 1)}
    names = (
        "contents",
        "unsigned",
        "edition",
        "errata",
        "printed",
        "corrected",
        "tables",
        "place",
        "withheld_note",
        "figures",
        "figure",
        "value",
        "notes",
    )
    return {
        "lang": "zh" if language == CHINESE else "en",
        "region": "cn" if language == CHINESE else "gb",
        "title": chapter.title,
        "author": publication.said["controller"],
        "date": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
        "words": {name: w[name] for name in names},
        "page_words": _PAGE.get(language, ("", " / ", "")),
        "signed": publication.signed,
        "number": str(publication.number or ""),
        "warnings": publication.warnings(language),
        "colophon": publication.colophon(language),
        "sections": [
            {
                "title": s.title,
                "paragraphs": [[[p.text, order.get(p.figure_id, 0), p.gap] for p in ps] for ps in s.paragraphs],
                "pictures": [_picture(p) for p in pictures],
            }
            for s, pictures in sections
        ],
        "pictures": [_picture(p) for p in others],
        "tables": [
            {
                "title": t.title,
                "corner": t.corner or w["place"],
                "heads": [[label, unit] for _, label, unit in t.heads],
                "rows": [[name, list(n)] for name, n in t.rows],
            }
            for t in publication.tables(language)
        ],
        "rows": [[r["name"], r["id"], r["words"] or r["gap"], bool(r["gap"])] for r in chapter.rows],
        "notes": [
            {"id": i, "label": publication.label(i, language), "told": publication.note(i, language)} for i in order
        ],
        "errata": publication.correction_words(language),
    }


def _picture(one: Picture) -> dict[str, str]:
    return {"svg": for_paper(one.svg), "title": one.title, "told": one.description}


def for_paper(svg: str) -> str:
    """A picture in the font that comes along. Of that font's weights typst takes its thinnest for 400, and a fair one
    for 300.
    """
    return svg.replace('font-family="sans-serif"', 'font-family="Noto Sans CJK SC" font-weight="300"', 1)


def _named(publication: Publication, language: str) -> Iterator[str]:
    for section in publication.chapter(language).sections:
        for paragraph in section.paragraphs:
            yield from (p.figure_id for p in paragraph if p.figure_id)
