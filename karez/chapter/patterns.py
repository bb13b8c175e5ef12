"""A chapter's sentences and tables as data: read from TOML, checked whole, every fault named. Holds no figures' values.

A region writes its own chapter by putting `chapter.toml` (or `2009.toml` for one year) into the folder `chapters` of
the data folder, or the one KAREZ_CHAPTERS names. Otherwise the chapter that comes with the program is used; a figure
that a year does not have leaves a gap in that one, while a region's own file may name declared figures only.
"""

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from karez.kernel.messages import Listing, say
from karez.kernel.refusal import Refusal
from karez.system import paths
from karez.wording.numbers import CHINESE, ENGLISH, LANGUAGES, Form, form_of

SHIPPED = Path(__file__).parent / "chapters" / "mutual-funds-year.toml"
PLAIN = ("region", "year")
LEVELS = ("prefecture", "county")
PICTURES = ("coverage", "capital", "flow")
_PLACE = re.compile(r"\{([^{}|]*)\|?([^{}]*)\}")
_KEYS = {
    "": ("title", "title_zh", "section", "table"),
    "section": ("title", "title_zh", "paragraphs", "paragraphs_zh", "pictures"),
    "table": ("title", "title_zh", "by", "figures"),
}


_AS_DECLARED = Form()


@dataclass(frozen=True)
class Stretch:
    """A stretch of a sentence: text, a word of the chapter (`region`, `year`), or a figure in a form."""

    text: str = ""
    name: str = ""
    form: Form = _AS_DECLARED


@dataclass(frozen=True)
class SectionPattern:
    """A headed part in one language."""

    title: str
    paragraphs: tuple[tuple[Stretch, ...], ...]
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePattern:
    """A table of figures by place of a level."""

    title: str
    by: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Pattern:
    """A chapter in one language."""

    title: str
    sections: tuple[SectionPattern, ...]
    tables: tuple[TablePattern, ...]
    file: str


def pattern_of(year: int, known: Collection[str], path: Path | None = None) -> Mapping[str, Pattern]:
    """The chapter's pattern by language; refuses a file with faults, naming each. `known` are the ids of the declared
    figures.
    """
    path = path or _file_of(year)
    declared = None if path == SHIPPED else set(known)  # the shipped chapter serves years that do not have every figure
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as fault:
        raise _refusal(path, [str(fault)]) from fault
    if faults := [*_shape_faults(text), *_sentence_faults(text, declared)]:
        raise _refusal(path, faults)
    return {language: _pattern(text, language, path.name) for language in LANGUAGES}


def folder() -> Path:
    """Where a region's own chapters lie."""
    return Path(os.environ.get("KAREZ_CHAPTERS", paths.VAR / "chapters"))


def stamp(year: int) -> tuple[str, int]:
    """Which file a year's chapter is read from, and when it was last written: what may be kept of it is good as long as
    both stay.
    """
    path = _file_of(year)
    return str(path), path.stat().st_mtime_ns


def _file_of(year: int) -> Path:
    own = (folder() / f"{year}.toml", folder() / "chapter.toml")
    return next((p for p in own if p.is_file()), SHIPPED)


def _refusal(path: Path, faults: list[str]) -> Refusal:
    return Refusal(
        "chapter.pattern",
        record=path.name,
        found=Listing(faults[:50], "; "),
        expected=say("sentences in English and Chinese, figures in braces"),
        rule=say("a chapter's sentences are data, and every figure in them is declared"),
        todo=say("mend what is named"),
        more={"faults": faults},
    )


def _pattern(text: Mapping[str, Any], language: str, file: str) -> Pattern:
    end = "_zh" if language == CHINESE else ""
    sections = tuple(
        SectionPattern(
            part["title" + end],
            tuple(tuple(_stretches(p, language)) for p in part["paragraphs" + end]),
            tuple(part.get("pictures", ())),
        )
        for part in text["section"]
    )
    tables = tuple(TablePattern(t["title" + end], t["by"], tuple(t["figures"])) for t in text.get("table", ()))
    return Pattern(text["title" + end], sections, tables, file)


def _stretches(sentence: str, language: str) -> Iterator[Stretch]:
    at = 0
    for match in _PLACE.finditer(sentence):
        yield Stretch(sentence[at : match.start()])
        form = form_of(match[2], language)
        assert form is not None  # checked before
        yield Stretch(name=match[1], form=form)
        at = match.end()
    yield Stretch(sentence[at:])


# What may be wrong with a file.


def _shape_faults(text: Mapping[str, Any]) -> Iterator[str]:
    yield from _part_faults("", text, "the chapter")
    if not text.get("section"):
        yield "no [[section]]"
    for name in ("section", "table"):
        parts = text.get(name, [])
        if not isinstance(parts, list) or not all(isinstance(p, dict) for p in parts):
            yield f"{name}: write each as [[{name}]]"
            continue
        for n, part in enumerate(parts, 1):
            yield from _part_faults(name, part, f"{name} {n}")


def _part_faults(kind: str, part: Mapping[str, Any], where: str) -> Iterator[str]:
    for key in part:
        if key not in _KEYS[kind]:
            yield f"{where}: unknown key {key!r}, known are {', '.join(_KEYS[kind])}"
    for key in _KEYS[kind]:
        value = part.get(key)
        if key in ("section", "table") or (key == "pictures" and value is None):
            continue
        if key == "pictures":
            if not isinstance(value, list) or not all(v in PICTURES for v in value):
                yield f"{where}: pictures is {value!r}, expected a list of {', '.join(PICTURES)}"
            continue
        if key in ("paragraphs", "paragraphs_zh", "figures"):
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                yield f"{where}: {key} is missing or no list of texts"
        elif not isinstance(value, str) or not value.strip():
            yield f"{where}: {key} is missing or no text"
    if kind == "table" and part.get("by") not in LEVELS:
        yield f"{where}: by is {part.get('by')!r}, expected one of {', '.join(LEVELS)}"


def _sentence_faults(text: Mapping[str, Any], known: set[str] | None) -> Iterator[str]:
    for end, language in (("", ENGLISH), ("_zh", CHINESE)):
        yield from _braces_faults(f"title{end}", text.get("title" + end), language, None if known is None else set())
        for n, part in _parts(text, "section"):
            paragraphs = part.get("paragraphs" + end)
            for m, paragraph in enumerate(paragraphs if isinstance(paragraphs, list) else (), 1):
                yield from _braces_faults(f"section {n}, paragraphs{end} {m}", paragraph, language, known)
    for n, part in _parts(text, "table"):
        figures = part.get("figures")
        for figure in figures if isinstance(figures, list) else ():
            if known is not None and figure not in known:
                yield f"table {n}: no figure {figure!r} is declared for the year"


def _parts(text: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    found = text.get(name)
    return ((n, part) for n, part in enumerate(found if isinstance(found, list) else (), 1) if isinstance(part, dict))


def _braces_faults(where: str, sentence: object, language: str, known: set[str] | None) -> Iterator[str]:
    if not isinstance(sentence, str):
        return
    for name, form in _PLACE.findall(sentence):
        if name not in PLAIN and known is not None and name not in known:
            yield f"{where}: no figure {name!r} is declared for the year"
        if (form and name in PLAIN) or form_of(form, language) is None:
            yield f"{where}: {{{name}|{form}}} has no such form in this language"
    if re.search(r"[{}]", _PLACE.sub("", sentence)):
        yield f"{where}: a brace without its partner"
