"""What was refused or found wrong, and what the program wrote into books, in the reader's language.

Holds the finding of the pattern an English text was made from, and the putting together anew. It holds no text of its
own: those are in the catalogues `refusals` and `books`, which `locale/refresh_refusals.py` collects from the source. A
text nobody knows stays as it is.
"""

import gettext
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from django.utils import translation

_LOCALES = Path(__file__).resolve().parent / "locale"
_LONGEST = 4000  # characters; a longer text is shown as it is
_DEEPEST = 4  # parts of parts
_WEAK = 4  # a pattern of at most so many letters may be met by chance
_PART = re.compile(r"\{(\d+)\}")
_CODE = re.compile(r"[0-9._]")
_ENGLISH = re.compile(r"\b[a-z]+ [a-z]+")


class Pattern(NamedTuple):
    """A text with parts put in: what stands between them in English, and the whole in the other language."""

    pieces: tuple[str, ...]
    told: str
    weak: bool

    def parts(self, text: str) -> list[str] | None:
        """What was put in, where `text` was made from this pattern. One pass over the text: each piece at its first
        place.
        """
        first, *between, last = self.pieces
        place, end = len(first), len(text) - len(last)
        if place > end or not text.startswith(first) or not text.endswith(last):
            return None
        found = []
        for piece in between:
            at = text.find(piece, place, end)
            if at < 0:
                return None
            found.append(text[place:at])
            place = at + len(piece)
        return [*found, text[place:end]]


class Sayings(NamedTuple):
    """What a language has words for: whole texts, and patterns with the most telling first."""

    whole: dict[str, str]
    patterns: tuple[Pattern, ...]
    of_books: frozenset[str] = frozenset()


def booked(text: object, language: str | None = None, *, typed: bool = False) -> str:
    """What the program wrote into a book (an account's name, a narration) in a language (default: the reader's).

    What people typed stays as typed: the parts put in always, and of a `typed` text all of it but whole texts of the
    program.
    """
    plain = str(text)
    language = language or translation.get_language() or "en"
    if not plain or len(plain) > _LONGEST or language.startswith("en"):
        return plain
    sayings = _catalogue(translation.to_locale(language), "books")
    known = sayings.whole.get(plain)
    if known or typed:
        return known or plain
    for pattern in sayings.patterns:
        if parts := pattern.parts(plain):
            return _PART.sub(lambda place: parts[int(place[1]) - 1], pattern.told)
    return plain


def said(text: object, language: str | None = None, *, cell: bool = False) -> str:
    """The text in a language (default: the reader's), as it is where nobody knows it.

    Of a `cell`, which may hold anything somebody wrote, only what can hardly be there by chance is told otherwise.
    """
    plain = str(text)
    language = language or translation.get_language() or "en"
    if not plain or len(plain) > _LONGEST or language.startswith("en"):
        return plain
    return _said(plain, translation.to_locale(language), language, cell, 0)


@lru_cache(maxsize=8192)
def _said(text: str, locale: str, language: str, cell: bool, deep: int) -> str:
    sayings = _sayings(locale)
    known = "" if cell and " " not in text else sayings.whole.get(text) or _of_pages(text, language)
    if known or deep == _DEEPEST:
        return known or text
    if "; " in text:
        each = text.split("; ")
        told = [_said(one, locale, language, cell, deep + 1) for one in each]
        if all(one != other for one, other in zip(each, told, strict=True)):
            return "；".join(told)
    found = [(pattern, parts) for pattern in sayings.patterns if (parts := pattern.parts(text)) is not None]
    likely = [(p, parts) for p, parts in found if not p.weak or (not cell and _is_meant(parts, sayings, language))]
    # Of several patterns the first whose parts are all names, numbers or texts known themselves; else the most telling.
    for pattern, parts in sorted(
        likely, key=lambda one: any(map(_ENGLISH.search, _kept(one[1], locale, language, deep + 1)))
    ):
        told = [_part(part, locale, language, deep + 1) for part in parts]
        return _PART.sub(lambda place: told[int(place[1]) - 1], pattern.told)  # noqa: B023
    return text


def _kept(parts: list[str], locale: str, language: str, deep: int) -> list[str]:
    return [part for part in parts if _part(part, locale, language, deep) == part]


def _part(text: str, locale: str, language: str, deep: int) -> str:
    """A part put in: a known text, a list of known texts, or a name, code or number, which stays."""
    bare = text.strip()
    told = _said(bare, locale, language, False, deep)
    if told != bare:
        return told
    for between, joined in ((", ", "、"), (" or ", "或")):
        words = text.split(between)
        known = [_said(word, locale, language, False, _DEEPEST) for word in words]
        if all(one != word for one, word in zip(known, words, strict=True)):
            return joined.join(known)
    return text


def _is_meant(parts: list[str], sayings: Sayings, language: str) -> bool:
    """Whether a pattern of a few letters is met on purpose: by known texts, by numbers and codes, and by names."""
    known = [
        (part in sayings.whole and part not in sayings.of_books)
        or bool(_of_pages(part, language))
        or (" " not in part and bool(_CODE.search(part)))
        for part in parts
    ]
    return any(known) and all(is_known or not part[:1].islower() for part, is_known in zip(parts, known, strict=True))


def _of_pages(text: str, language: str) -> str:
    """What the catalogue of the pages has for a whole text; empty where it has nothing."""
    with translation.override(language):
        told = translation.gettext(text)
    return told if told != text else ""


@cache
def _sayings(locale: str) -> Sayings:
    """What refusals are told with; they also name accounts."""
    refusals, books = _catalogue(locale, "refusals"), _catalogue(locale, "books")
    return refusals._replace(
        whole={**books.whole, **refusals.whole}, of_books=frozenset(books.whole) - set(refusals.whole)
    )


@cache
def _catalogue(locale: str, name: str) -> Sayings:
    file = _LOCALES / locale / "LC_MESSAGES" / f"{name}.mo"
    if not file.exists():
        return Sayings({}, ())
    with file.open("rb") as opened:
        catalogue: dict[str, str] = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]
    whole = {english: told for english, told in catalogue.items() if english and not _PART.search(english)}
    made = [
        Pattern(
            tuple(_PART.split(english)[::2]), told, sum(map(str.isalpha, "".join(_PART.split(english)[::2]))) <= _WEAK
        )
        for english, told in catalogue.items()
        if _PART.search(english)
    ]
    return Sayings(whole, tuple(sorted(made, key=lambda pattern: -len("".join(pattern.pieces)))))
